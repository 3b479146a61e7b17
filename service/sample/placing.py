"""From an enterprise's request to the accepted offer: approval, nomination, the enterprise's choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from service.actions import candidacies, placement_requests
from service.actions.work import Wanted
from service.domain.actors import ENTERPRISE, TRAINEE
from service.sample.cast import SECTOR_FIELD, Trainee
from service.sample.desk import Desk, instant
from service.sample.founding import Outside, own_enterprise
from service.sample.needs import PATHWAYS, Paper, Request, asked_for, hand_in
from service.sample.training import leave_pool
from service.sample.year import Wave

CURRENCY = {
    "JP": ("JPY", 205_000), "DE": ("EUR", 2_950), "TH": ("THB", 21_000), "KH": ("USD", 430), "RU": ("RUB", 78_000),
    "VN": ("VND", 13_500_000), "KZ": ("KZT", 340_000), "LA": ("LAK", 7_800_000), "ID": ("IDR", 6_900_000),
}  # fmt: skip
"""What a month is paid, by the country of work."""
JOBS = {
    "machinery": "Machine operator", "nursing_care": "Care worker", "metalworking": "Welder", "shipbuilding": "Welder",
    "hospitality": "Hotel service", "automotive": "Assembly technician", "food": "Food production worker",
    "electronics": "Electronics technician", "rubber": "Maintenance technician", "rail": "Structural metal worker",
    "energy": "Electrical fitter", "textiles": "Maintenance technician", "construction": "Steel fixer",
    "timber": "Machine operator", "metals": "Welder",
}  # fmt: skip
SPARE = 2
"""Seats that stay free, in two requests of three."""
STEPS = (
    "identified", "consent_pending", "nominated", "shortlisted", "interviewing", "selected", "offered", "accepted",
)  # fmt: skip
AT = {"consent_refused": "consent_pending", "turned_down": "interviewing", "waitlisted": "interviewing",
      "offer_declined": "offered"}  # fmt: skip
"""Where somebody was before they took another way."""


def comes_to(t: Trainee, step: str) -> bool:
    """Whether a candidacy gets at least so far."""
    reached = AT.get(t.path.how, t.path.how)
    return STEPS.index(reached if reached in STEPS else "accepted") >= STEPS.index(step)


def is_accepted(t: Trainee) -> bool:
    """Whether the person's path leads into a placement."""
    return bool(t.path.wave) and comes_to(t, "accepted")


def requests_of(wave: Wave, people: Iterable[Trainee]) -> list[Request]:
    """The requests of a wave: one for each enterprise and way, for the people who will be named for it."""
    groups: dict[tuple[str, str], list[Trainee]] = {}
    for t in people:
        if t.path.wave == wave.name and t.employer:
            groups.setdefault((t.employer.code, t.path.way), []).append(t)
    found = []
    for number, ((_, way), theirs) in enumerate(sorted(groups.items())):
        employer = theirs[0].employer
        if employer:
            found.append(Request(employer=employer, way=way, wave=wave, number=number, people=theirs))
    return found


# ---- the request
def _terms(r: Request) -> dict[str, Any]:
    currency, monthly = CURRENCY[r.destination]
    terms: dict[str, Any] = {
        "workplace": r.employer.city_latin,
        "contract_months": max(1, round((r.wave.ends_on - r.starts_on).days / 30.4)),
        "gross_monthly_pay": monthly,
        "pay_currency": currency,
        "weekly_hours": 40,
        "social_insurance": "statutory",
        "contract_language": "en zh" if r.way == "de" else "local",
    }
    if r.way == "home":
        return terms
    abroad = {"leave_days": 24 if r.way == "de" else 12, "injury_compensation": "statutory", "board": "own cost",
              "housing": "arranged by the employer", "accident_insurance_buyer": "agency",
              "travel_payer": "enterprise", "return_travel_payer": "enterprise"}  # fmt: skip
    german = {"gross_annual_pay": monthly * 12, "qualified_job": True, "regulated_job": r.regulated}
    return terms | abroad | (german if r.way == "de" else {})


def _written(r: Request, outside: Outside, number: int) -> dict[str, Any]:
    offered = sum(1 for t in r.people if comes_to(t, "offered"))
    given: dict[str, Any] = {
        "organisation_id": outside.ids[r.employer.code],
        "agency_id": outside.ids[r.agency.code] if r.agency else None,
        "title": JOBS[r.employer.sector],
        "occupation": r.employer.occupations[0],
        "field": SECTOR_FIELD.get(r.employer.sector, r.employer.sector),
        "destination": r.destination,
        "pathway": PATHWAYS[r.way],
        "nationalities": (r.nationality,),
        "seats": max(1, offered) + (SPARE if number % 3 else 0),
        "terms": _terms(r),
        "options": r.options,
        "levels_asked": r.levels_asked,
        "no_fee_for_workers": True,
        "opens_on": r.wave.opens_on,
        "closes_on": r.wave.closes_on,
        "planned_departure_on": r.departs_on,
        "starts_on": r.starts_on,
        "ends_on": r.wave.ends_on,
    }
    return {name: value for name, value in given.items() if value is not None}


async def ask_for_people(desk: Desk, outside: Outside, wave: Wave, requests: Sequence[Request]) -> None:
    """The requests of a wave, approved by what the packs ask for, and open."""
    subject = placement_requests.SUBJECT
    for n, r in enumerate(requests):
        given = _written(r, outside, n)
        r.id = (await desk.one(wave.drafted_on, subject, "draft", desk.institution, **given)).id
        for t in r.people:
            t.request = r.id
    ids = [r.id for r in requests]
    rec = desk.recorded_for(ENTERPRISE)
    await desk.act(wave.drafted_on + timedelta(days=1), subject, "submit", ids, **rec)
    await desk.act(wave.drafted_on + timedelta(days=3), subject, "take_on", ids)
    papers = [
        Paper(r.id, row, r)
        for r in requests
        for row in asked_for(r, ("request_approved", *r.packs().stages), None, wave.approved_on)
        if row.subject == "request"
    ]
    await hand_in(desk, wave.approved_on, papers)
    await desk.act(wave.approved_on, subject, "approve", ids)
    await desk.act(wave.opens_on, subject, "open", ids)


# ---- candidates
async def _chosen_by_enterprise(
    desk: Desk, day: date, action: str, people: Iterable[tuple[Trainee, Mapping[str, Any]]], **given: Any
) -> None:
    """A step of the enterprises: by the account of the one that has one, and recorded for the others."""
    own: list[Wanted] = []
    others: list[Wanted] = []
    for t, more in people:
        clerk = t.employer is not None and t.employer.code == own_enterprise(desk.number)
        (own if clerk else others).append(Wanted(t.candidacy, given=more))
    await desk.act(day, candidacies.SUBJECT, action, own, who=ENTERPRISE, **given)
    await desk.act(day, candidacies.SUBJECT, action, others, **given, **desk.recorded_for(ENTERPRISE))


async def _act(desk: Desk, day: date, action: str, people: Iterable[Trainee], **given: Any) -> None:
    await desk.act(day, candidacies.SUBJECT, action, [t.candidacy for t in people], **given)


def _score(n: int) -> dict[str, Any]:
    return {"assessment": "interview", "score": Decimal(68 + n * 7 % 31), "rank": n + 1}


def _with(people: Iterable[Trainee], **given: Any) -> list[tuple[Trainee, Mapping[str, Any]]]:
    return [(t, given) for t in people]


def _ranked(requests: Iterable[Request], *hows: str, step: str = "") -> list[tuple[Trainee, Mapping[str, Any]]]:
    """People with the enterprise's score and order, either on a path of their own or by how far they come."""
    found: list[tuple[Trainee, Mapping[str, Any]]] = []
    for r in requests:
        for n, t in enumerate(r.people):
            if (step and comes_to(t, step)) or t.path.how in hows:
                found.append((t, _score(n)))
    return found


async def find_people(desk: Desk, wave: Wave, requests: Sequence[Request]) -> None:
    """From the first list of names to the accepted offers of a wave."""
    people = [t for r in requests for t in r.people]
    person = desk.recorded_for(TRAINEE)
    for r in requests:
        made = await desk.act(
            wave.identified_on, candidacies.SUBJECT, "identify", [t.id for t in r.people], request_id=r.id
        )
        for t, result in zip(r.people, made, strict=True):
            t.candidacy = result.id
    asked = [t for t in people if comes_to(t, "consent_pending")]
    await _act(desk, wave.identified_on + timedelta(days=1), "ask_consent", asked)
    refusing = [t for t in asked if t.path.how == "consent_refused"]
    await _act(desk, wave.nominated_on, "refuse_consent", refusing, **person)
    await _act(desk, wave.nominated_on, "nominate", [t for t in people if comes_to(t, "nominated")], **person)
    await _choice(desk, wave, requests, people)
    offers = [t for t in people if comes_to(t, "offered")]
    until = instant(wave.accepted_on + timedelta(days=30))
    await _chosen_by_enterprise(desk, wave.offered_on, "offer", _with(offers), offer_ends_at=until)
    declining = [t for t in offers if t.path.how == "offer_declined"]
    await _act(desk, wave.accepted_on, "decline", declining, reason_code="pay_terms", **person)
    accepting = [t for t in offers if is_accepted(t)]
    accepted = await desk.act(
        wave.accepted_on, candidacies.SUBJECT, "accept", [t.candidacy for t in accepting], **person
    )
    for t, result in zip(accepting, accepted, strict=True):
        t.placement = result.created["placement"]
    await leave_pool(desk, wave.accepted_on, accepting)
    desk.telling.made("candidates", len(people))


def _interview(wave: Wave, t: Trainee) -> datetime:
    """Still to come for whoever is being interviewed at the end of the year."""
    return instant(wave.accepted_on + timedelta(days=11) if t.path.how == "interviewing" else wave.chosen_on)


async def _choice(desk: Desk, wave: Wave, requests: Sequence[Request], people: Sequence[Trainee]) -> None:
    listed = [t for t in people if comes_to(t, "shortlisted")]
    await _chosen_by_enterprise(desk, wave.shortlisted_on, "shortlist", _with(listed))
    invited = [
        (t, {"interview_at": _interview(wave, t), "minutes": 30, "place": "https://meet.example.org"})
        for t in listed
        if comes_to(t, "interviewing")
    ]
    await _chosen_by_enterprise(desk, wave.invited_on, "invite", invited)
    out = _with([t for t in listed if t.path.how == "turned_down"])
    await _chosen_by_enterprise(desk, wave.chosen_on, "turn_down", out, reason_code="skills")
    await _chosen_by_enterprise(desk, wave.chosen_on, "reserve_list", _ranked(requests, "waitlisted"))
    await _chosen_by_enterprise(desk, wave.chosen_on, "choose", _ranked(requests, step="selected"))
