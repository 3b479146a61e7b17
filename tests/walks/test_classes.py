"""Memberships of two small classes."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from service.actions import accounts
from service.actions.training import CLASSES, MEMBERSHIPS
from service.domain.actors import COORDINATOR, INSTRUCTOR, TRAINEE
from service.domain.completion import ATTENDANCE_KINDS
from service.domain.training import AttendanceMark, PlannedSession, TimetableEntry
from service.storage.institutions import trusted_admin
from tests.walks.walking import BEGINS, TIMEOUT, WALKS, Ground, Thing, Walk

pytestmark = TIMEOUT
PLACES = """SELECT k.id::text, k.taken, k.capacity, (SELECT count(*) FROM memberships m
  WHERE m.institution_id = k.institution_id AND m.class_id = k.id AND m.state IN ('registered', 'attending'))
FROM training_classes k WHERE k.institution_id = $1"""
DAY = BEGINS.date()
ZONE = "Asia/Shanghai"
POOLS = {
    "to_class_id": "SELECT id FROM training_classes WHERE institution_id = $1 AND id <> $2 ORDER BY title",
    "membership_id": """SELECT id FROM memberships WHERE institution_id = $1 AND class_id = $2
      AND state = 'attending' ORDER BY id""",
    "session_id": """SELECT id FROM class_sessions WHERE institution_id = $1 AND class_id = $2
      AND cancelled_at IS NULL ORDER BY starts_at""",
    "session_ids": """SELECT id FROM class_sessions WHERE institution_id = $1 AND class_id = $2
      AND cancelled_at IS NULL AND taken_at IS NULL ORDER BY starts_at LIMIT 1""",
    "assessment_id": "SELECT id FROM assessments WHERE institution_id = $1 AND class_id = $2 ORDER BY name",
}


async def register(walk: Walk) -> None:
    """Somebody registers for one of the classes."""
    who = walk.draw(st.sampled_from(walk.people))
    klass = walk.draw(st.sampled_from([t.id for t in walk.seen.things.values() if t.table == "training_classes"]))
    codes = ("class_takes_people", "place_free", "not_a_member_yet")
    await walk.try_birth(MEMBERSHIPS, "register", who, TRAINEE, codes, class_id=klass)


def meeting(walk: Walk, _thing: Thing, _given: dict[str, Any]) -> PlannedSession:
    """A meeting on one of the days of the class."""
    day = DAY + timedelta(days=walk.draw(st.integers(0, 60)))
    starts = datetime.combine(day, time(9), ZoneInfo(ZONE))
    return PlannedSession(starts_at=starts, ends_at=starts + timedelta(hours=walk.draw(st.integers(1, 8))))


def entered(walk: Walk, thing: Thing, given: dict[str, Any]) -> TimetableEntry:
    """The same in a timetable, under one of a few names, and sometimes cancelled."""
    planned = meeting(walk, thing, given)
    uid, cancelled = walk.draw(st.sampled_from("abc")), walk.draw(st.booleans())
    return TimetableEntry(starts_at=planned.starts_at, ends_at=planned.ends_at, uid=uid, cancelled=cancelled)


def attended(walk: Walk, _thing: Thing, _given: dict[str, Any]) -> AttendanceMark:
    """A mark with hours that the shortest meeting has."""
    kind = walk.draw(st.sampled_from(ATTENDANCE_KINDS))
    hours = Decimal(0) if kind == "absent" else Decimal(walk.draw(st.integers(0, 1)))
    return AttendanceMark(membership_id=walk.people[0], kind=kind, hours=hours)


EXCUSED = {
    "transfer": frozenset({"class_known", "class_takes_people", "place_free", "not_a_member_yet"}),
    "edit": frozenset(
        {"ends_after_start", "resits_after_end", "days_cover_sessions", "capacity_covers_taken", "completion_rule_unused",
         "only_dual_has_enterprise", "teacher_free"}
    ),
    "schedule_sessions": frozenset({"session_in_class", "teacher_free"}),
    "set_timetable": frozenset({"session_in_class", "session_not_held", "session_twice", "teacher_free"}),
    "take_attendance": frozenset({"session_begun", "teaches_meeting", "taken_at_in_range"}),
    "set_assessment": frozenset(
        {"pass_mark_reachable", "assessment_name_free", "max_mark_covers_marks", "completion_rule_unused"}
    ),
    "record_marks": frozenset({"mark_in_range"}),
}  # fmt: skip


LEFT_OUT = frozenset(
    f"training_class.{action}" for action in ("substitute_teacher", "take_attendance_of_many", "correct_attendance")
)
"""What is the same as another move, or names what is no row that a walk knows."""


async def begin(ground: Ground, draw: Any) -> Walk:
    walk = Walk(
        ground, draw, [MEMBERSHIPS, MEMBERSHIPS, CLASSES], PLACES, births=[register], pools=POOLS, excused=EXCUSED,
        made={PlannedSession: meeting, TimetableEntry: entered, AttendanceMark: attended}, left_out=LEFT_OUT,
    )  # fmt: skip
    await walk.enter(4)
    clerk = {"email": f"{uuid4().hex}@example.org", "name": "T", "roles": (INSTRUCTOR.value,)}
    teacher = (await walk.ask(trusted_admin(), accounts.SUBJECT, "appoint", walk.institution, clerk)).created["account"]
    days = {"starts_on": DAY, "ends_on": DAY + timedelta(days=60), "resits_until": DAY + timedelta(days=90)}
    klasses = []
    for title, capacity in (("A", 2), ("B", 1)):
        given: dict[str, Any] = {
            "kind": "skills",
            "title": title,
            "capacity": capacity,
            "time_zone": ZONE,
            "teacher_id": teacher,
        } | days
        klasses.append(await walk.born(CLASSES, "plan", walk.institution, **given))
    marked: dict[str, Any] = {"max_mark": Decimal(100), "pass_mark": Decimal(50), "weight": Decimal(1)}
    await walk.done(CLASSES, "set_assessment", klasses, name="Test", required=True, **marked)
    if draw(st.booleans()):
        await walk.done(CLASSES, "open", klasses)
        for n, person in enumerate(walk.people[:2]):
            await walk.born(MEMBERSHIPS, "register", person, class_id=klasses[n])
        if draw(st.booleans()):
            await walk.done(CLASSES, "start", klasses)
    return walk


@WALKS
@given(data=st.data())
async def test_class_walks_keep_every_place_held_by_one(ground: Ground, data: st.DataObject) -> None:
    walk = await begin(ground, data.draw)
    await walk.go()
    await walk.leave(MEMBERSHIPS, {"withdraw": COORDINATOR})
    assert {n[0] for n in walk.seen.numbers.values()} == {0}
