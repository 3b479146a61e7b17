"""From the record of a person to a place: registration, consent, application, selection, enrolment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from service.actions import applications, consents, documents, enrolments, requirement_items, trainees
from service.actions.work import Wanted
from service.domain.actors import COORDINATOR, GUARDIAN, REGISTRAR, TRAINEE
from service.domain.trainees import ExternalId, Guardian, Mrz
from service.sample.cast import Trainee
from service.sample.desk import BATCH, Desk
from service.sample.papers import in_one, pdf
from service.sample.people import SamplePerson
from service.sample.teaching import Teaching, close_intakes, complete_intakes, is_selected
from service.sample.year import Cohort, Year
from service.storage.ids import uuid7

SEXES = {"F": "female", "M": "male"}
LANGUAGES = {"CN": "zh", "TH": "th", "KH": "km", "RU": "ru", "KZ": "kk", "VN": "vi", "LA": "lo", "ID": "id"}
CATEGORIES = ("name", "sex", "birth_on", "nationality", "origin", "contacts", "passport", "education")
NOTICE = {
    "recipient": "the college",
    "purpose": "enrolment",
    "categories": " ".join(CATEGORIES),
    "rights": "access correction withdrawal complaint",
}
FEES = ("paid", "paid", "paid", "scholarship", "employer_pays")
AT_ONCE = 16
"""Scans that are stored side by side."""
APPLIED = {"registered": 0, "draft": 1, "submitted": 2, "under_review": 3, "documents_required": 3}
DECIDED = 9


def how_far(t: Trainee) -> int:
    """How far an application comes: 0 none, 1 a draft, 2 submitted, 3 in review, more once it was decided."""
    return DECIDED if t.path.stage == "in_training" else APPLIED.get(t.path.how, DECIDED)


def by_intake(people: Iterable[Trainee], made: Teaching) -> dict[UUID, list[Trainee]]:
    """People by the intake that they apply to."""
    found: dict[UUID, list[Trainee]] = {}
    for t in people:
        found.setdefault(made.intakes[t.programme, t.path.cohort], []).append(t)
    return found


async def register(desk: Desk, cohort: Cohort, people: Sequence[Trainee]) -> None:
    """Their records, the passport sealed."""
    wanted = [Wanted(desk.institution, given=_record(t.person, t.origin, n)) for n, t in enumerate(people)]
    made = await desk.act(cohort.registered_on, trainees.SUBJECT, "register", wanted, unit_id=None)
    for t, result in zip(people, made, strict=True):
        t.id = result.id
    desk.telling.made("trainees", len(people))


def _record(p: SamplePerson, origin: str, number: int) -> dict[str, Any]:
    g = p.guardian
    guardian = {"guardian": Guardian(name=g.name_latin, relation=g.relation, phone=g.phone)} if g else {}
    known = {"external_ids": (ExternalId(system="student_no", value=f"{p.passport_number}"),)} if number % 2 else {}
    return guardian | known | {
        "name_native": p.name_native,
        "name_latin": p.name_latin,
        "sex": SEXES[p.sex],
        "birth_on": p.birth_on,
        "nationality": p.nationality,
        "language": LANGUAGES[p.nationality],
        "origin": origin,
        "email": p.email,
        "phone": p.phone,
        "passport_mrz": Mrz(line1=p.mrz[0], line2=p.mrz[1]),
    }  # fmt: skip


async def apply(desk: Desk, cohort: Cohort, people: Sequence[Trainee], made: Teaching) -> None:
    """Consents, applications, and what was decided of them."""
    applying = [t for t in people if how_far(t) > 0]
    await _consent(desk, cohort, applying)
    for intake, theirs in sorted(by_intake(applying, made).items(), key=lambda pair: theirs_first(pair[1])):
        wanted = [Wanted(t.id, given={"education_level": 2 if t.path.how == "ineligible" else 3}) for t in theirs]
        drafted = await desk.act(cohort.opens_on, applications.SUBJECT, "draft", wanted, intake_id=intake)
        for t, result in zip(theirs, drafted, strict=True):
            t.application = result.id
    last = cohort.opens_on + timedelta(days=12)
    await _move(desk, last, "submit", [t for t in applying if how_far(t) > 1])
    await _move(desk, last + timedelta(days=1), "take_on", [t for t in applying if how_far(t) > 2])  # noqa: PLR2004
    await _move(
        desk, last + timedelta(days=2), "ask_documents", _at(applying, "documents_required"),
        documents=("diploma", "transcript"),
    )  # fmt: skip
    await _decide(desk, cohort, [t for t in applying if how_far(t) == DECIDED])
    desk.telling.made("applications", len(applying))


def theirs_first(theirs: Sequence[Trainee]) -> tuple[str, str]:
    """What orders intakes in the same way every time."""
    return theirs[0].programme, theirs[0].path.cohort


def _at(people: Iterable[Trainee], *hows: str) -> list[Trainee]:
    return [t for t in people if t.path.how in hows]


async def _move(desk: Desk, day: date, action: str, people: Iterable[Trainee], **given: Any) -> None:
    await desk.act(day, applications.SUBJECT, action, [t.application for t in people], **given)


async def _consent(desk: Desk, cohort: Cohort, people: Sequence[Trainee]) -> None:
    asked = await desk.act(
        cohort.opens_on, consents.SUBJECT, "request", [t.id for t in people],
        purpose="enrolment", fields=CATEGORIES, notice=NOTICE, recipient_id=None,
    )  # fmt: skip
    day = cohort.opens_on
    wanted = [
        Wanted(r.id, given=desk.recorded_for(GUARDIAN if t.minor_on(day) else TRAINEE))
        for t, r in zip(people, asked, strict=True)
    ]
    await desk.act(day, consents.SUBJECT, "give", wanted)


async def _decide(desk: Desk, cohort: Cohort, people: Sequence[Trainee]) -> None:
    day = cohort.opens_on + timedelta(days=14)
    await _move(desk, day, "find_ineligible", _at(people, "ineligible"), reason_code="level")
    left = [t for t in people if t.path.how != "ineligible"]
    await _move(desk, day, "find_eligible", left)
    await _move(desk, day + timedelta(days=1), "withdraw", _at(left, "withdrawn"), reason_code="other_offer")
    await _move(desk, day + timedelta(days=2), "decline", _at(left, "declined"), reason_code="rank_too_low")
    await _move(desk, day + timedelta(days=2), "waitlist", _at(left, "waitlisted"))
    selected = [t for t in left if is_selected(t)]
    chosen = await desk.act(day + timedelta(days=3), applications.SUBJECT, "select", [t.application for t in selected])
    for t, result in zip(selected, chosen, strict=True):
        t.enrolment = result.created["enrolment"]


# ---- enrolment
async def enrol(desk: Desk, year: Year, cohort: Cohort, people: Sequence[Trainee], made: Teaching) -> None:
    """Whoever has a place shows a passport and settles the fee; a place of the next year is still pending."""
    placed = [t for t in people if t.enrolment.int]
    await _passports(desk, cohort.decided_on, placed)
    if cohort.starts_on <= year.last:
        await close_intakes(desk, cohort, made)
        came = [t for t in placed if t.path.how != "never_came"]
        await _stay(desk, cohort.decided_on + timedelta(days=4), came, "jw_form", "x1_visa")
        wanted = [Wanted(t.enrolment, given={"fee": FEES[n % len(FEES)]}) for n, t in enumerate(came)]
        await desk.act(cohort.decided_on + timedelta(days=5), enrolments.SUBJECT, "enrol", wanted)
        await complete_intakes(desk, cohort, made)
    desk.telling.made("enrolments", len(placed))


async def leave(desk: Desk, year: Year, cohort: Cohort, people: Sequence[Trainee]) -> None:
    """A few never come, leave, are dismissed, or take a year off."""
    never_came, left, dismissed, away = (
        [t.enrolment for t in _at(people, how)] for how in ("never_came", "left", "dismissed", "on_leave")
    )
    subject, day = enrolments.SUBJECT, cohort.starts_on + timedelta(days=120)
    await desk.act(cohort.starts_on + timedelta(days=21), subject, "cancel", never_came, reason_code="no_show")
    await desk.act(day, subject, "withdraw", left, reason_code="family")
    paper: dict[str, Any] = {"evidence": (desk.papers["decisions"],)}
    await desk.act(day, subject, "dismiss", dismissed, reason_code="low_attendance", **paper)
    leave: dict[str, Any] = {"leave_from": year.day("2026-09-01"), "leave_until": year.day("2027-08-31")}
    await desk.act(year.day("2026-08-24"), subject, "take_leave", away, reason_code="military_service", **leave)


async def graduate(desk: Desk, day: date, people: Sequence[Trainee]) -> None:
    """The short programmes to order end with their class."""
    ended = [t for t in people if t.path.cohort.startswith("order")]
    await _stay(desk, day, ended, "residence_permit")
    await desk.act(day, enrolments.SUBJECT, "complete", [t.enrolment for t in ended], who=REGISTRAR)


async def _stay(desk: Desk, day: date, people: Iterable[Trainee], *keys: str) -> None:
    """What a foreign student needs to study in China: brought by the students, accepted by the deputy."""
    foreign = [t for t in people if t.person.nationality != "CN"]
    given = {
        "issued_on": day - timedelta(days=9),
        "valid_until": day + timedelta(days=800),
        **desk.recorded_for(TRAINEE),
    }
    wanted = [Wanted(t.id, given={"key": key, **given}) for t in foreign for key in keys]
    made = await desk.act(day, requirement_items.SUBJECT, "supply", wanted)
    await desk.act(day, requirement_items.SUBJECT, "accept", [r.id for r in made], deputy=True)


async def _passports(desk: Desk, day: date, people: Sequence[Trainee]) -> None:
    """A scan of each passport: its bytes stored, then the rows of all in one act, and accepted by the deputy."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def stored(t: Trainee) -> Wanted:
        content_id, p = uuid7(), t.person
        page = pdf(["PASSPORT", p.name_latin, f"{p.nationality} {p.birth_on}", "", *p.mrz])
        async with gate:
            content = await desk.services.files.put(
                in_one(page), institution=desk.institution, document_id=content_id, limit=documents.MOST_BYTES
            )
        title = f"护照 {p.name_native}"
        return Wanted(t.id, given={"kind": "passport", "title": title, "content": content, "content_id": content_id})

    for start in range(0, len(people), BATCH):
        wanted = await asyncio.gather(*[stored(t) for t in people[start : start + BATCH]])
        taken = await desk.act(day, documents.SUBJECT, "upload", wanted, who=COORDINATOR)
        await desk.act(day, documents.SUBJECT, "accept", [r.id for r in taken], deputy=True)
