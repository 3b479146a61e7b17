"""Classes of the year: their meetings, who attended, marks, and completion by rule; then tests and certificates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from service.actions import certificates, reading, trainees
from service.actions.training import CLASSES, MEMBERSHIPS
from service.actions.work import Call, Wanted
from service.domain.actors import COORDINATOR, INSTRUCTOR, REGISTRAR, Role
from service.domain.training import AttendanceMark, ConfirmedHours, Mark, PlannedSession
from service.sample.cast import NOBODY, Trainee
from service.sample.desk import Desk
from service.sample.founding import Outside
from service.sample.year import Cohort, Year
from service.storage.training import SESSION_VIEW

IN_CLASS = 60
MEETINGS = 8
LENGTH = timedelta(hours=6)
BEGINS = time(1, tzinfo=UTC)
"""Nine in the morning in China."""
LATE_HOURS = Decimal("4.5")
FINAL: dict[str, Any] = {"name": "结业考试 Final examination", "max_mark": Decimal(100), "pass_mark": Decimal(60),
         "weight": Decimal(1), "required": True}  # fmt: skip
TITLES = {
    "jp": ("language", "日语强化班 Japanese N4"),
    "de": ("language", "德语强化班 German B1"),
    "home": ("skills", "岗位技能班 Skills for the job"),
    "": ("skills", "职业技能班 Vocational skills"),
    "language": ("language", "专业外语班 Language for the trade"),
    "skills": ("skills", "技能实训班 Workshop practice"),
    "registered": ("pre_departure", "行前培训班 Before the departure"),
    "dual": ("dual", "校企双元班 At college and at work"),
}
DUAL_WITH = "TH-RUIDAHE-CN"
DUAL_HOURS = Decimal(160)


@dataclass(slots=True)
class SampleClass:
    """A class with its members, in the order in which they registered."""

    key: str
    number: int
    members: list[Trainee]
    starts_on: date
    ends_on: date
    id: UUID = NOBODY
    assessment: UUID = NOBODY
    sessions: list[UUID] = field(default_factory=list)
    days: list[date] = field(default_factory=list)


def attends(t: Trainee) -> bool:
    """Whether the path leads through a class."""
    return t.path.cohort.startswith("order") or t.path.stage == "in_training" or t.path.how in ("passed", "failed")


def _classes(year: Year, cohort: Cohort, people: Iterable[Trainee]) -> list[SampleClass]:
    groups: dict[str, list[Trainee]] = {}
    for t in people:
        key = t.path.how if t.path.stage == "in_training" else t.path.way
        groups.setdefault(key, []).append(t)
    found = []
    for key, members in sorted(groups.items()):
        starts = year.day("2026-12-01") if key == "registered" else cohort.class_from
        for n in range(0, len(members), IN_CLASS):
            chunk = members[n : n + IN_CLASS]
            found.append(SampleClass(key, n // IN_CLASS + 1, chunk, starts, cohort.class_until))
    return found


async def train(desk: Desk, year: Year, cohort: Cohort, outside: Outside, people: Sequence[Trainee]) -> None:
    """The cohort's classes, from the plan to the results."""
    theirs = [t for t in people if attends(t)]
    classes = _classes(year, cohort, theirs)
    if not classes:
        return
    await _plan(desk, cohort, outside, classes)
    await _fill(desk, cohort, classes)
    running = [c for c in classes if c.key != "registered"]
    await _start(desk, year, cohort, running)
    await _attendance(desk, year, running)
    dual = [c for c in running if c.key == "dual"]
    await _hours(desk, year, dual)
    if cohort.class_until < year.day("2026-11-20"):
        await _results(desk, cohort.class_until, running)
    desk.telling.made("training", len(theirs))


async def _plan(desk: Desk, cohort: Cohort, outside: Outside, classes: Sequence[SampleClass]) -> None:
    day = cohort.class_from - timedelta(days=4)
    dual = [c for c in classes if c.key == "dual"]
    own = [c for c in classes if c.key != "dual"]
    teacher = desk.accounts["instructor"]
    made = await desk.act(day, CLASSES, "plan", [_planned(desk, c) for c in own], teacher_id=teacher)
    for c in dual:
        made += await desk.act(
            day, CLASSES, "plan", [_planned(desk, c)], teacher_id=teacher,
            enterprise_id=outside.ids[DUAL_WITH], hours_required=DUAL_HOURS,
        )  # fmt: skip
    for c, result in zip(own + dual, made, strict=True):
        c.id = result.id
    asked = await desk.act(day, CLASSES, "set_assessment", [c.id for c in classes], **FINAL)
    for c, result in zip(classes, asked, strict=True):
        c.assessment = result.created["assessment"]
    await desk.act(day, CLASSES, "open", [c.id for c in classes])


def _planned(desk: Desk, c: SampleClass) -> Wanted:
    kind, title = TITLES[c.key]
    given: dict[str, Any] = {
        "kind": kind,
        "title": f"{title} {c.starts_on.year}-{c.number}",
        "capacity": max(IN_CLASS, len(c.members)),
        "starts_on": c.starts_on,
        "ends_on": c.ends_on,
        "time_zone": "Asia/Shanghai",
        "min_attendance_percent": 80,
        "excused": ("excused_illness",),
        "resits_until": c.ends_on + timedelta(days=60),
    }
    return Wanted(desk.institution, given=given)


async def _fill(desk: Desk, cohort: Cohort, classes: Sequence[SampleClass]) -> None:
    day = cohort.class_from - timedelta(days=2)
    for c in classes:
        made = await desk.act(day, MEMBERSHIPS, "register", [t.id for t in c.members], class_id=c.id)
        for t, result in zip(c.members, made, strict=True):
            t.membership = result.id


async def _start(desk: Desk, year: Year, cohort: Cohort, classes: Sequence[SampleClass]) -> None:
    day = cohort.class_from
    every = (min(cohort.class_until, year.day("2026-12-18")) - day) // MEETINGS
    for c in classes:
        c.days = [day + every * n for n in range(MEETINGS)]
    sessions = {c.id: tuple(_session(c, n) for n in range(MEETINGS)) for c in classes}
    await desk.act(day, CLASSES, "start", list(sessions), who=INSTRUCTOR)
    await desk.act(day, MEMBERSHIPS, "attend", [t.membership for c in classes for t in c.members], who=INSTRUCTOR)
    wanted = [Wanted(c, given={"sessions": planned}) for c, planned in sessions.items()]
    await desk.act(day, CLASSES, "schedule_sessions", wanted, who=INSTRUCTOR)
    call = Call(desk.institution, "sample_sessions", trusted=desk.actor(COORDINATOR))
    for c in classes:
        page = await reading.page(
            desk.services,
            call,
            SESSION_VIEW,
            "classes.read",
            filters={"class_id": c.id},
            limit=MEETINGS,
            sort="starts_at",
        )
        c.sessions = [row["id"] for row in page.items]


def _session(c: SampleClass, n: int) -> PlannedSession:
    at = datetime.combine(c.days[n], BEGINS)
    return PlannedSession(starts_at=at, ends_at=at + LENGTH, topic=f"单元 {n + 1}")


def attended(person: int, meeting: int) -> tuple[str, Decimal | None]:
    """How somebody attended: nearly always; at most once absent, late and ill, so that the rule is met."""
    if meeting == person % 11:
        return "absent", None
    if (person + meeting) % 13 == 0:
        return "late", LATE_HOURS
    return ("excused_illness", None) if (3 * person + meeting) % 19 == 0 else ("present", None)


async def _attendance(desk: Desk, year: Year, classes: Sequence[SampleClass]) -> None:
    last = year.day("2026-11-20")
    for n in range(MEETINGS):
        held = [c for c in classes if c.days[n] <= last]
        wanted = [Wanted(c.id, given={"session_id": c.sessions[n], "marks": _marks(c, n)}) for c in held]
        if held:
            await desk.act(held[0].days[n], CLASSES, "take_attendance", wanted, who=INSTRUCTOR)


def _marks(c: SampleClass, meeting: int) -> tuple[AttendanceMark, ...]:
    return tuple(
        AttendanceMark(membership_id=t.membership, kind=kind, hours=hours)
        for n, t in enumerate(c.members)
        for kind, hours in [attended(n, meeting)]
    )


def _worked(c: SampleClass) -> tuple[ConfirmedHours, ...]:
    return tuple(
        ConfirmedHours(membership_id=t.membership, hours=Decimal(60 + n % 20)) for n, t in enumerate(c.members)
    )


async def _hours(desk: Desk, year: Year, classes: Sequence[SampleClass]) -> None:
    wanted = [Wanted(c.id, given={"hours": _worked(c)}) for c in classes]
    await desk.act(year.last, CLASSES, "confirm_hours", wanted, **desk.recorded_for(Role.ENTERPRISE))


async def _results(desk: Desk, day: date, classes: Sequence[SampleClass]) -> None:
    wanted = [
        Wanted(
            c.id,
            given={
                "assessment_id": c.assessment,
                "marks": tuple(Mark(membership_id=t.membership, mark=_mark(t, n)) for n, t in enumerate(c.members)),
            },
        )
        for c in classes
    ]
    await desk.act(day - timedelta(days=4), CLASSES, "record_marks", wanted, who=INSTRUCTOR)
    members = [t for c in classes for t in c.members]
    for action, fails in (("pass", False), ("fail", True)):
        ids = [t.membership for t in members if (t.path.how == "failed") is fails]
        await desk.act(day - timedelta(days=2), MEMBERSHIPS, action, ids, who=INSTRUCTOR)
    await desk.act(day, CLASSES, "finish", [c.id for c in classes], who=INSTRUCTOR)


def _mark(t: Trainee, n: int) -> Decimal:
    return Decimal(38 + n % 15) if t.path.how == "failed" else Decimal(62 + n * 13 % 37)


# ---- certificates
def _tests(t: Trainee, n: int, taken_on: date, issued_on: date) -> list[dict[str, Any]]:
    on: dict[str, Any] = {"taken_on": taken_on, "issued_on": issued_on}
    language = {"kind": "language", **on}
    if t.path.way == "de":
        return [{**language, "test": "goethe", "level": ("B1", "B1", "B2")[n % 3], "issuer": "Goethe-Institut"}]
    if t.path.way == "home":
        return [{**language, "test": "hsk_2", "level": ("4", "4", "5")[n % 3], "issuer": "汉考国际"}]
    found = [
        {**language, "test": "jlpt", "issuer": "JEES", **_jlpt(n)},
        {"kind": "skill", "test": "ssw1_skills", "level": "pass", "field": t.field, **on},
    ]
    if t.field == "nursing_care":
        found.append({**language, "test": "nursing_care_japanese", "level": "pass"})
    return found


def _jlpt(n: int) -> dict[str, Any]:
    """Every third at N3, the others at N4; the total is the sum of the sections."""
    if n % 3 == 2:  # noqa: PLR2004
        scores = {"language_knowledge": 32 + n % 9, "reading": 30 + n % 7, "listening": 38 + n % 11}
    else:
        scores = {"language_knowledge_reading": 62 + n % 23, "listening": 34 + n % 13}
    return {"level": "N3" if len(scores) > 2 else "N4", "section_scores": scores}  # noqa: PLR2004


async def certify(desk: Desk, taken_on: date, issued_on: date, people: Sequence[Trainee]) -> None:
    """Tests that whoever looks for work abroad has passed: typed in by one, verified by another."""
    wanted = [
        Wanted(t.id, given=given)
        for n, t in enumerate(people)
        if t.path.way
        for given in _tests(t, n, taken_on, issued_on)
    ]
    made = await desk.act(issued_on, certificates.SUBJECT, "record", wanted)
    await desk.act(
        issued_on + timedelta(days=2), certificates.SUBJECT, "verify", [r.id for r in made],
        who=REGISTRAR, evidence=(desk.papers["certificates"],),
    )  # fmt: skip


async def offer_themselves(desk: Desk, day: date, people: Sequence[Trainee]) -> None:
    """Into the pool."""
    days: dict[str, Any] = {"available_from": day + timedelta(days=30), "available_until": day + timedelta(days=350)}
    ids = [t.id for t in people if t.path.way]
    await desk.act(day, trainees.SUBJECT, "confirm_availability", ids, **days)


async def leave_pool(desk: Desk, day: date, people: Sequence[Trainee]) -> None:
    """Whoever has accepted an offer looks for no other."""
    await desk.act(day, trainees.SUBJECT, "end_availability", [t.id for t in people])
