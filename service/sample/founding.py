"""The two colleges, their accounts and papers, and the organisations that they deal with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from service.actions import accounts, institutions, relationships
from service.actions.documents import take_in
from service.actions.work import Call, Result, Services, Wanted, Work, perform
from service.domain.actors import COORDINATOR, Role
from service.domain.relationships import Organisation
from service.sample.desk import Desk, Telling, instant
from service.sample.organisations import (
    AGENCIES,
    COLLEGES,
    ENTERPRISES,
    PARTNERS,
    SampleAgency,
    SampleCollege,
    SampleEnterprise,
)
from service.sample.papers import in_one, pdf, png
from service.sample.year import Year
from service.storage.institutions import trusted_admin

STAFF = (Role.ADMIN, Role.COORDINATOR, Role.REGISTRAR, Role.INSTRUCTOR, Role.READER)
# fmt: off
PAPERS: Mapping[str, tuple[str, str]] = {
    # name          kind              title
    "register":     ("licence",       "营业执照与注册信息核验 Register extracts"),
    "licences":     ("licence",       "对外劳务合作经营资格证书核验 Licences of dispatch agencies"),
    "minutes":      ("correspondence", "各方确认记录 What the parties confirmed, signed"),
    "transcripts":  ("transcript",    "合作院校成绩单核验 Transcripts, confirmed by the partners"),
    "certificates": ("certificate",   "考试机构成绩查询记录 Results, confirmed by the issuers"),
    "arrivals":     ("ticket",        "出境与抵达名单 Lists of departures and arrivals"),
    "decisions":    ("other",         "学籍处理决定 Decisions on enrolments"),
    "returns":      ("ticket",        "回国机票与结算 Tickets home and settlements"),
}
# fmt: on


@dataclass(slots=True)
class Outside:
    """The organisations, shared by both colleges: their ids by the codes of the sample."""

    ids: dict[str, UUID] = field(default_factory=dict)


async def found(services: Services, year: Year, telling: Telling, number: int) -> Desk:
    """A college with its units, its staff's accounts, and the papers that it names as evidence."""
    college, day = COLLEGES[number], year.day("2025-07-01")
    home = await institutions.found(
        services,
        name_native=college.name_native,
        name_latin=college.name_latin,
        country=college.country,
        time_zone=college.time_zone,
        at=instant(day),
    )
    desk = Desk(services, number, home, telling)
    units = [{"name_native": u.name_native, "name_latin": u.name_latin} for u in college.units]
    await desk.born(day, institutions.UNITS, "found", units)
    for role in (*STAFF, "deputy"):
        await appoint(
            desk, year.day("2025-07-02"), college, Role.COORDINATOR if role == "deputy" else Role(role), str(role)
        )
    for n, (name, (kind, title)) in enumerate(PAPERS.items()):
        scan = png(n + 3) if kind == "licence" else pdf([college.name_latin, title.split(maxsplit=1)[-1], str(day)])
        desk.papers[name] = await _paper(desk, year, kind, title, scan)
    telling.made("colleges", 1)
    return desk


def address(role: str, college: SampleCollege) -> str:
    """Where an account of the sample world signs in."""
    return f"{role}@{college.code.lower()}.example.org"


async def appoint(desk: Desk, day: date, college: SampleCollege, role: Role, name: str, **more: Any) -> None:
    """An account of a role."""
    kept: list[Mapping[str, UUID]] = []

    def answer(_work: Work, results: list[Result]) -> bytes:
        kept.append(results[0].created)
        return b""

    given: dict[str, Any] = {
        "email": address(name, college),
        "name": f"{name.capitalize()}, {college.name_latin}",
        "roles": (role.value,),
        **{n: more[n] for n in ("organisation_id", "person_ids") if n in more},
    }
    extra = {
        "email": given["email"],
        "organisation_id": more.get("organisation_id"),
        "person_ids": list(more.get("person_ids") or ()),
    }
    call = Call(desk.institution, "appoint", trusted=trusted_admin(), at=instant(day))
    await perform(
        desk.services, call, accounts.SUBJECT, "appoint", [Wanted(desk.institution)], given, answer=answer, extra=extra
    )
    desk.accounts[name] = kept[-1]["account"]


def own_enterprise(number: int) -> str:
    """The code of the enterprise whose clerk has an account at a college."""
    return ENTERPRISES[number].code


async def appoint_parties(desk: Desk, year: Year, outside: Outside) -> None:
    """Accounts of an enterprise, an agency and a partner."""
    day = year.day("2025-07-10")
    for role, code in (
        (Role.ENTERPRISE, own_enterprise(desk.number)),
        (Role.AGENCY, AGENCIES[desk.number].code),
        (Role.PARTNER, PARTNERS[desk.number].code),
    ):
        await appoint(desk, day, COLLEGES[desk.number], role, role.value, organisation_id=outside.ids[code])


async def appoint_people(desk: Desk, year: Year, people: Mapping[Role, UUID]) -> None:
    """Accounts of a trainee, and of a minor's guardian."""
    for role, person in people.items():
        await appoint(desk, year.last, COLLEGES[desk.number], role, role.value, person_ids=(person,))


async def _paper(desk: Desk, year: Year, kind: str, title: str, content: bytes) -> UUID:
    """A paper of the college itself, taken in like any document."""
    kept: list[UUID] = []

    def answer(_work: Work, results: list[Result]) -> bytes:
        kept.append(results[0].id)
        return b""

    actor = desk.actor(COORDINATOR)
    call = Call(desk.institution, "sample_papers", trusted=actor, at=instant(year.day("2025-07-03")))
    said = {"kind": kind, "title": title}
    await take_in(
        desk.services, call, in_one(content), lambda: (None, said), lambda stored: stored.sha256.encode(), answer=answer
    )
    return kept[-1]


# ---- organisations
def _enterprise(e: SampleEnterprise) -> dict[str, Any]:
    identity = Organisation(
        kind="enterprise",
        name_native=e.name_native,
        name_latin=e.name_latin,
        country=e.country,
        time_zone=e.time_zone,
        chinese_funded=e.chinese_funded,
    )
    return {"organisation": identity, "role": "enterprise"}


def _agency(a: SampleAgency) -> dict[str, Any]:
    identity = Organisation(
        kind="agency", name_native=a.name_native, name_latin=a.name_latin, country="CN", time_zone="Asia/Shanghai"
    )
    facts = {"paid_in_capital_cny": 6_000_000, "risk_reserve_cny": 3_000_000}
    return {"organisation": identity, "role": "agency", "licence_no": a.licence_number, "facts": facts}


def _identities() -> list[tuple[str, dict[str, Any]]]:
    partners = [
        (
            p.code,
            {
                "organisation": Organisation(
                    kind="partner_institution",
                    name_native=p.name_native,
                    name_latin=p.name_latin,
                    country=p.country,
                    time_zone=p.time_zone,
                ),
                "role": "partner_institution",
            },
        )
        for p in PARTNERS
    ]
    agencies = [(a.code, _agency(a)) for a in AGENCIES]
    return partners + agencies + [(e.code, _enterprise(e)) for e in ENTERPRISES]


HIRES_NOBODY = [e.code for e in ENTERPRISES if e.country not in ("JP", "DE") and not e.chinese_funded]
"""No pathway leads to them yet: what became of the ties with them differs."""


async def deal_with(desks: Sequence[Desk], year: Year, outside: Outside) -> None:
    """Every college records and verifies its relationships; some are only recorded, suspended, ended or run out."""
    identities = _identities()
    for number, desk in enumerate(desks):
        day = year.day("2025-07-07")
        ties = desk.ties
        if number == 0:
            given = [g for _, g in identities]
            for (code, _), made in zip(identities, await _record(desk, day, given), strict=True):
                outside.ids[code], ties[code] = made.created["organisation"], made.id
        else:
            for code, identity in identities:
                known = {k: v for k, v in identity.items() if k != "organisation"}
                made = (await _record(desk, day, [known | {"organisation_id": outside.ids[code]}]))[0]
                ties[code] = made.id
        await _verify(desk, year)
        desk.telling.made("relationships", len(ties))


async def _record(desk: Desk, day: Any, given: Sequence[Mapping[str, Any]]) -> list[Result]:
    """New identities in one act; a tie to an organisation that is known in an act of its own, which must know it."""
    if len(given) == 1:
        return await desk.act(day, relationships.SUBJECT, "record", [desk.institution], **given[0])
    wanted = [Wanted(desk.institution, given=g) for g in given]
    return await desk.act(day, relationships.SUBJECT, "record", wanted)


ONLY_RECORDED, SUSPENDED, ENDED, RUN_OUT = HIRES_NOBODY[:3], HIRES_NOBODY[3:5], HIRES_NOBODY[5:6], HIRES_NOBODY[6:7]


async def _verify(desk: Desk, year: Year) -> None:
    agencies = {a.code: a.licensed.until_on for a in AGENCIES}
    until = agencies | dict.fromkeys(RUN_OUT, year.day("2026-06-30"))
    wanted = [
        Wanted(
            tie,
            given={
                "valid_until": until.get(code, year.day("2029-12-31")),
                "evidence": (desk.papers["licences" if code in agencies else "register"],),
            },
        )
        for code, tie in desk.ties.items()
        if code not in ONLY_RECORDED
    ]
    await desk.act(year.day("2025-07-09"), relationships.SUBJECT, "verify", wanted)


async def fall_out(desk: Desk, year: Year) -> None:
    """In the course of the year an inspection suspends some relationships, and one ends."""
    suspended, ended = ([desk.ties[code] for code in codes] for codes in (SUSPENDED, ENDED))
    subject = relationships.SUBJECT
    inspected: dict[str, Any] = {"reason_code": "inspection", "note": "抽查未通过"}
    await desk.act(year.day("2026-03-16"), subject, "suspend", suspended, **inspected)
    await desk.act(year.day("2026-05-11"), subject, "end", ended, reason_code="contract_ended")


__all__ = [
    "Outside", "address", "appoint", "appoint_parties", "appoint_people", "deal_with", "fall_out", "found",
    "own_enterprise",
]  # fmt: skip
