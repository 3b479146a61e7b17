"""The tables of classes, memberships and certificates, walked whole: every action, from every state, by every role."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import service.domain
from service.domain import certificates as cert
from service.domain import training as t
from service.domain.actors import COORDINATOR, SYSTEM, Actor, Role
from service.domain.certificates import CERTIFICATE, CertificateDossier, NewCertificate
from service.domain.completion import ATTENDANCE_KINDS, Achieved
from service.domain.lifecycle import KERNEL_ACTIONS, NEW, Lifecycle, Refused, allowed
from service.domain.training import MEMBERSHIP, TRAINING_CLASS, ClassDossier, MembershipDossier, NewClass, NewMembership

TODAY = date(2026, 3, 2)
M, P, K = UUID(int=1), UUID(int=2), UUID(int=3)
SESSION = t.SessionFact(UUID(int=4), TODAY, Decimal(2), held=False, cancelled=False)
ORAL = t.AssessmentFact(UUID(int=5), "oral", Decimal(20), Decimal(12), Decimal(15))
START = datetime(2026, 3, 2, 1, tzinfo=UTC)


def member(state: str = "attending") -> t.MemberFact:
    return t.MemberFact(M, P, state, 1, 1, 1)


def klass(state: str = "running", **more: Any) -> ClassDossier:
    usual: dict[str, Any] = {
        "kind": "language", "capacity": 5, "taken": 0, "starts_on": TODAY, "ends_on": TODAY + timedelta(days=30),
        "teacher_id": uuid4(), "sessions": (SESSION,), "assessments": (ORAL,), "teacher_known": True,
        "enterprise_known": True, "course_known": True,
        "marked": t.MarkedFact(UUID(int=7), SESSION.id, M, "absent", Decimal(0), counts=True),
    }  # fmt: skip
    return ClassDossier(state=state, today=TODAY, **(usual | more))


def membership(state: str = "attending", **more: Any) -> MembershipDossier:
    usual: dict[str, Any] = {
        "person_id": P, "class_id": K, "class_state": "running", "class_kind": "language", "places_free": 1,
        "resits_until": TODAY, "to_class_id": UUID(int=9), "to_state": "open", "to_kind": "language", "to_places_free": 1,
    }  # fmt: skip
    return MembershipDossier(state=state, today=TODAY, **(usual | more))


def actor(role: Role) -> Actor:
    return Actor(uuid4(), frozenset({role}))


PLAN = {
    "kind": "language", "title": "N4", "capacity": 5, "starts_on": TODAY, "ends_on": TODAY, "time_zone": "Asia/Tokyo",
}  # fmt: skip
GIVEN: dict[str, dict[str, Any]] = {
    "plan": PLAN,
    "cancel": {"reason_code": "low_demand"},
    "schedule_sessions": {"sessions": (t.PlannedSession(starts_at=START, ends_at=START + timedelta(hours=2)),)},
    "cancel_sessions": {"session_ids": (SESSION.id,)},
    "take_attendance": {"session_id": SESSION.id, "marks": (t.AttendanceMark(membership_id=M, kind="present"),)},
    "set_timetable": {"sessions": (t.TimetableEntry(starts_at=START, ends_at=START + timedelta(hours=2)),)},
    "substitute_teacher": {"session_ids": (SESSION.id,), "teacher_id": UUID(int=6)},
    "take_attendance_of_many": {
        "sheets": (
            t.AttendanceSheet(session_id=SESSION.id, marks=(t.AttendanceMark(membership_id=M, kind="present"),)),
        )
    },
    "withdraw_attendance": {
        "marks": (
            t.WithdrawnMark(
                attendance_id=UUID(int=7),
                session_id=UUID(int=8),
                membership_id=UUID(int=9),
                kind="absent",
                hours=Decimal(0),
                alone=True,
            ),
        )
    },
    "correct_attendance": {"attendance_id": UUID(int=7), "kind": "present", "note": "was there"},
    "set_assessment": {
        "name": "new",
        "max_mark": Decimal(20),
        "pass_mark": Decimal(12),
        "weight": Decimal(1),
        "required": True,
    },
    "record_marks": {"assessment_id": ORAL.id, "marks": (t.Mark(membership_id=M, mark=Decimal(20)),)},
    "confirm_hours": {"hours": (t.ConfirmedHours(membership_id=M, hours=Decimal(0)),)},
    "register": {"class_id": K},
    "withdraw": {"reason_code": "family"},
    "transfer": {"to_class_id": UUID(int=9)},
    "record": {"kind": "other"},
    "verify": {"evidence": (uuid4(),)},
    "reject": {"reason_code": "fraud"},
    "revoke": {"reason_code": "fraud"},
}


def facts_of(lifecycle: Lifecycle[Any], action: str, state: str) -> Any:
    """Facts under which nothing but state and role closes the action."""
    if lifecycle is CERTIFICATE:
        return NewCertificate(state=NEW, today=TODAY) if state == NEW else CertificateDossier(state=state, today=TODAY)
    if lifecycle is TRAINING_CLASS:
        if state == NEW:
            return NewClass(state=NEW, today=TODAY)
        kind = "dual" if action == "confirm_hours" else "language"
        there = () if action == "finish" else (member(),)
        enterprise = {"enterprise_id": uuid4(), "hours_required": Decimal(1)} if kind == "dual" else {}
        return klass(state, kind=kind, members=there, **enterprise)
    if state == NEW:
        return NewMembership(state=NEW, today=TODAY, class_id=K, class_state="open", places_free=1)
    return membership(state, achieved=Achieved(min_attendance_percent=int(action == "fail")))


TABLES = [TRAINING_CLASS, MEMBERSHIP, CERTIFICATE]


def outcome(lifecycle: Lifecycle[Any], action: str, state: str, role: Role) -> set[str]:
    """The state to which it leads, or the reasons against it."""
    try:
        return {lifecycle.decide(action, facts_of(lifecycle, action, state), actor(role), GIVEN.get(action)).to_state}
    except Refused as no:
        return {r.code for r in no.reasons}


def expected(lifecycle: Lifecycle[Any], action: str, state: str, role: Role) -> set[str]:
    """The same, read off the rows alone."""
    rules = lifecycle.by_action[action]
    rule = next((r for r in rules if state in r.sources), None)
    if rule is None:
        whoever = {w for r in rules for w in r.who}
        return {"not_from_this_state"} | (set() if allowed(actor(role), whoever) else {"role"})
    if role in rule.who:
        return {rule.targets[0]}
    return {"recorded_for_required"} if allowed(actor(role), set(rule.who)) else {"role"}


@pytest.mark.parametrize("lifecycle", TABLES, ids=lambda table: table.name)
def test_table_grants_exactly_its_rows(lifecycle: Lifecycle[Any]) -> None:
    """Every action from every state by every role: granted where a row says so, else refused by state or role."""
    for action in lifecycle.by_action:
        for state in (NEW, *lifecycle.states()):
            for role in Role:
                told = (action, state, role)
                assert (told, outcome(lifecycle, *told)) == (told, expected(lifecycle, *told))


@pytest.mark.parametrize("lifecycle", TABLES, ids=lambda table: table.name)
def test_table_offers_what_it_grants(lifecycle: Lifecycle[Any]) -> None:
    for state in lifecycle.states():
        for role in Role:
            for offer in lifecycle.offers(facts_of(lifecycle, "", state), actor(role)):
                rules = [] if offer.action in KERNEL_ACTIONS else lifecycle.by_action[offer.action]
                rule = next((r for r in rules if state in r.sources), None)
                if offer.open and offer.action not in KERNEL_ACTIONS:
                    assert rule is not None, (state, role, offer)
                    assert role in rule.who or role is COORDINATOR, (state, role, offer)


def test_table_has_no_dead_end_but_its_final_states() -> None:
    def final(table: Lifecycle[Any]) -> set[str]:
        return {s for s in table.states() if not any(s in r.sources for r in table.rules)}

    assert final(TRAINING_CLASS) == {"cancelled", "voided"}
    assert final(MEMBERSHIP) == {"passed", "withdrawn", "transferred", "voided"}
    assert final(CERTIFICATE) == {"rejected", "revoked", "voided"}


def test_edges_are_those_of_the_table() -> None:
    forward = {("", "planned"), ("planned", "open"), ("open", "running"), ("running", "completed")}
    forward |= {(s, "cancelled") for s in ("planned", "open", "running")}
    back = {(b, a or "voided") for a, b in forward}
    staying = {(s, s) for s in ("planned", "open", "running", "completed")}
    assert set(TRAINING_CLASS.edges()) == forward | back | staying


def codes(lifecycle: Lifecycle[Any], action: str, facts: Any, given: dict[str, Any], role: Role) -> list[str]:
    with pytest.raises(Refused) as no:
        lifecycle.decide(action, facts, actor(role), given)
    return [r.code for r in no.value.reasons]


def in_class(action: str, given: dict[str, Any] | None = None, **facts: Any) -> list[str]:
    role = next(r for r in TRAINING_CLASS.by_action[action][0].who)
    return codes(TRAINING_CLASS, action, klass(**facts), GIVEN.get(action, {}) if given is None else given, role)


def test_class_rules_name_each_reason() -> None:
    assert in_class("open", state="planned", teacher_id=None) == ["teacher_assigned"]
    assert in_class("finish", members=(member("registered"),)) == ["results_final"]
    assert in_class("edit", {"capacity": 1}, taken=2) == ["capacity_covers_taken"]
    assert in_class("edit", {"excused": ("excused_illness",)}, decided=1) == ["completion_rule_unused"]
    assert in_class("edit", {"starts_on": TODAY + timedelta(days=1)}) == ["days_cover_sessions"]
    assert in_class("edit", {"ends_on": TODAY - timedelta(days=1)}) == ["ends_after_start", "days_cover_sessions"]
    assert in_class("edit", {"hours_required": Decimal(5)}) == ["only_dual_has_enterprise"]
    assert in_class("edit", {"course_id": K}, course_known=False) == ["course_known"]
    assert in_class("edit", {"ends_on": TODAY + timedelta(days=9)}, resits_until=TODAY) == ["resits_after_end"]
    assert in_class("cancel_sessions", {"session_ids": (SESSION.id, SESSION.id)}) == ["session_known"]
    assert in_class("confirm_hours", members=(member(),)) == ["class_is_dual"]
    late = {
        "session_id": SESSION.id,
        "marks": (t.AttendanceMark(membership_id=M, kind="left_early", hours=Decimal(-1)),),
    }
    assert in_class("take_attendance", late, members=(member(),)) == ["attended_hours_in_range"]
    assert in_class("take_attendance", members=(member("registered"),)) == ["member_attends"]
    long = t.PlannedSession(starts_at=START, ends_at=START + timedelta(hours=25))
    assert in_class("schedule_sessions", {"sessions": (long,)}) == ["session_ends_after_start"]


def test_plan_names_each_reason() -> None:
    facts = NewClass(state=NEW, today=TODAY)
    assert codes(TRAINING_CLASS, "plan", facts, PLAN | {"kind": "dual"}, COORDINATOR) == ["dual_has_enterprise"]
    named = {"kind": "dual", "enterprise_id": K, "hours_required": Decimal(1), "teacher_id": K, "course_id": K}
    unknown = ["teacher_known", "enterprise_known", "course_known"]
    assert codes(TRAINING_CLASS, "plan", facts, PLAN | named, COORDINATOR) == unknown
    assert t.zone_known(facts, {}) is None


def test_meetings_name_each_reason() -> None:
    two = timedelta(hours=2)
    outside = t.PlannedSession(starts_at=START - timedelta(days=1), ends_at=START - timedelta(days=1) + two)
    nothing, much = (t.PlannedSession(starts_at=START, ends_at=START + two, hours=Decimal(h)) for h in (0, 25))
    assert in_class("schedule_sessions", {"sessions": (outside, nothing, much)}) == [
        "session_in_class", "session_hours_in_range", "session_hours_in_range",
    ]  # fmt: skip
    held, cancelled = (t.SessionFact(UUID(int=n), TODAY, Decimal(2), held=n == 7, cancelled=n == 8) for n in (7, 8))
    wanted = {"session_ids": (held.id, cancelled.id, UUID(int=99))}
    assert in_class("cancel_sessions", wanted, sessions=(held, cancelled)) == [
        "session_not_held", "session_known", "session_known",
    ]  # fmt: skip
    later = t.SessionFact(SESSION.id, TODAY + timedelta(days=1), Decimal(2), held=False, cancelled=False)
    assert in_class("take_attendance", sessions=(later,), members=(member(),)) == ["session_begun"]
    assert in_class("take_attendance", sessions=(), members=(member(),)) == ["session_known"]
    gone = t.SessionFact(SESSION.id, TODAY, Decimal(2), held=False, cancelled=True)
    assert in_class("take_attendance", sessions=(gone,), members=(member(),)) == ["session_known"]
    assert t.days_cover_sessions(klass(sessions=(gone,)), {"starts_on": TODAY + timedelta(days=9)}) == []


def test_attendance_names_each_reason() -> None:
    once = t.AttendanceMark(membership_id=M, kind="present")
    marks = (once, once, t.AttendanceMark(membership_id=M, kind="asleep"))
    given = {"session_id": SESSION.id, "marks": marks}
    assert in_class("take_attendance", given, members=(member(),)) == [
        "member_once", "member_once", "attendance_kind_known",
    ]  # fmt: skip
    for kind, hours in (("late", None), ("present", Decimal("2.01")), ("absent", Decimal("0.01"))):
        given = {"session_id": SESSION.id, "marks": (t.AttendanceMark(membership_id=M, kind=kind, hours=hours),)}
        assert in_class("take_attendance", given, members=(member(),)) == ["attended_hours_in_range"]


def sheet(**more: Any) -> t.AttendanceSheet:
    marks = (t.AttendanceMark(membership_id=M, kind="present"),)
    usual: dict[str, Any] = {"session_id": SESSION.id, "marks": marks}
    return t.AttendanceSheet(**usual | more)


def test_sheets_name_each_reason() -> None:
    now = START + timedelta(hours=3)

    def of(*sheets: t.AttendanceSheet, **facts: Any) -> list[str]:
        return in_class("take_attendance_of_many", {"sheets": sheets}, members=(member(),), now=now, **facts)

    assert of(sheet(), sheet()) == ["session_twice"]
    assert of(sheet(session_id=K)) == ["session_known"]
    assert of(sheet(taken_at=now + timedelta(minutes=6))) == ["taken_at_in_range"]
    assert of(sheet(taken_at=START - timedelta(days=1))) == ["taken_at_in_range"]
    assert of(sheet(marks=(t.AttendanceMark(membership_id=M, kind="present"),) * 5001)) == ["marks_most"]
    fine = {"sheets": (sheet(taken_at=now + timedelta(minutes=5)),)}
    facts = klass(members=(member(),), now=now)
    assert TRAINING_CLASS.decide("take_attendance_of_many", facts, actor(Role.INSTRUCTOR), fine).to_state == "running"


def test_sheets_are_of_one_meeting_or_of_many_and_never_of_the_future() -> None:
    marks = (t.AttendanceMark(membership_id=M, kind="present"),)
    one, now = sheet(marks=marks), START + timedelta(hours=3)
    assert t.sheets_of({"session_id": SESSION.id, "marks": marks}) == (one,)
    assert t.sheets_of({"sheets": (one, one)}) == (one, one)
    late, early = now - timedelta(hours=1), now + timedelta(minutes=4)
    assert [t.taken_at(sheet(taken_at=at), now) for at in (None, late, early)] == [now, late, now]


def test_attendance_is_of_whoever_teaches_the_meeting() -> None:
    teacher, other, third = (UUID(int=n) for n in (20, 21, 22))
    meeting = replace(SESSION, teacher_id=other)

    def teaches(who: UUID, *roles: str) -> bool:
        return klass(teacher_id=teacher, asked_by=who, asked_as=roles).teaches(meeting)

    assert [teaches(who, "instructor") for who in (teacher, other, third)] == [True, True, False]
    assert teaches(third, "coordinator", "instructor")
    given = GIVEN["take_attendance"]
    stranger: dict[str, Any] = {"asked_by": third, "asked_as": ("instructor",), "members": (member(),)}
    assert in_class("take_attendance", given, **stranger) == ["teaches_meeting"]
    assert in_class("correct_attendance", **stranger) == ["teaches_meeting"]


def test_correction_names_each_reason() -> None:
    given = GIVEN["correct_attendance"]
    marked = klass().marked
    assert marked is not None
    assert in_class("correct_attendance", {k: v for k, v in given.items() if k != "note"}, members=(member(),)) == [
        "input_required"
    ]
    assert in_class("correct_attendance", members=(member(),), marked=None) == ["mark_known"]
    assert in_class("correct_attendance", members=(member(),), marked=replace(marked, counts=False)) == ["mark_counts"]
    assert in_class("correct_attendance") == ["member_attends"]
    assert in_class("correct_attendance", given | {"kind": "late"}, members=(member(),)) == ["attended_hours_in_range"]


def entry(uid: str | None = None, hour: int = 1, **more: Any) -> t.TimetableEntry:
    starts = START.replace(hour=hour)
    return t.TimetableEntry(**{"uid": uid, "starts_at": starts, "ends_at": starts + timedelta(hours=2)} | more)


def test_timetable_knows_its_meetings_again() -> None:
    times: dict[str, Any] = {"starts_at": START, "ends_at": START + timedelta(hours=2)}
    there = replace(SESSION, uid="a", **times)
    held = replace(SESSION, id=UUID(int=8), uid="b", held=True, **times)
    gone = replace(SESSION, id=UUID(int=9), uid="c", cancelled=True, **times)
    c = klass(sessions=(there, held, gone))
    entries = [
        entry("a"), entry("a", hour=3), entry("a", topic="new"), entry("a", hours=Decimal(1)), entry("a", cancelled=True),
        entry("b"), entry("b", topic="new"), entry("b", hour=3), entry("b", cancelled=True),
        entry("c"), entry("c", cancelled=True), entry("d"), entry("d", cancelled=True),
        entry(), entry(hour=5), entry(None, hour=5, ends_at=START),
    ]  # fmt: skip
    placed = [t.place_all(c, [e])[0] for e in entries]
    told = [(p.does, p.session and p.session.uid, str(p.hours), [r.code for r in p.reasons]) for p in placed]
    no = ["session_not_held"]
    assert told == [
        ("same", "a", "2", []), ("change", "a", "2.00", []), ("change", "a", "2", []), ("change", "a", "1", []),
        ("cancel", "a", "2", []),
        ("same", "b", "2", []), ("change", "b", "2", []), ("change", "b", "2.00", no), ("cancel", "b", "2", no),
        ("reinstate", "c", "2", []), ("same", "c", "2", []), ("add", None, "2.00", []), ("same", None, "2.00", []),
        ("same", "b", "2", []), ("add", None, "2.00", []), ("add", None, "-4.00", ["session_ends_after_start"]),
    ]  # fmt: skip
    twice = t.place_all(c, [entry("a"), entry("a", hour=3), entry(hour=5), entry(hour=5)])
    assert [[r.code for r in p.reasons] for p in twice] == [[], ["session_twice"], [], ["session_twice"]]
    full = klass(sessions=tuple(replace(SESSION, id=UUID(int=100 + n)) for n in range(2000)))
    assert [r.code for r in t.timetable_fits(full, {"sessions": (entry("z"),)})] == ["sessions_most"]


NINE = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC)
AT_NINE = replace(SESSION, starts_at=NINE, ends_at=NINE + timedelta(hours=2), uid="one")


def clashes(action: str, given: dict[str, Any], **facts: Any) -> list[str]:
    """The reasons, or none where it is granted."""
    try:
        TRAINING_CLASS.decide(action, klass(**facts), Actor(uuid4(), frozenset({COORDINATOR})), given)
    except Refused as no:
        return [r.code for r in no.reasons]
    return []


def test_teacher_is_not_in_two_classes_at_one_time() -> None:
    """For who stands in, and for the meetings of a timetable; ends that touch are no clash."""
    starts, ends = AT_NINE.starts_at, AT_NINE.ends_at
    for busy, found in (
        (t.Busy(starts, ends), ["teacher_free"]),
        (t.Busy(ends - timedelta(minutes=1), ends + timedelta(hours=1)), ["teacher_free"]),
        (t.Busy(ends, ends + timedelta(hours=1)), []),
        (t.Busy(starts - timedelta(hours=1), starts), []),
    ):
        facts: dict[str, Any] = {"busy": (busy,), "teacher_known": True, "sessions": (AT_NINE,)}
        given = {"session_ids": (AT_NINE.id,), "teacher_id": UUID(int=6)}
        assert clashes("substitute_teacher", given, **facts) == found
        added = {"sessions": (t.TimetableEntry(starts_at=starts, ends_at=ends, uid="another", hours=None),)}
        assert clashes("set_timetable", added, **facts) == found


def test_teacher_is_free_where_a_meeting_moves_to_unless_somebody_stands_in() -> None:
    later = AT_NINE.starts_at + timedelta(minutes=30)
    facts: dict[str, Any] = {"busy": (t.Busy(later, AT_NINE.ends_at + timedelta(hours=1)),)}
    moved = {"sessions": (t.TimetableEntry(starts_at=later, ends_at=AT_NINE.ends_at, uid="one"),)}
    own = AT_NINE
    assert clashes("set_timetable", moved, sessions=(own,), **facts) == ["teacher_free"]
    assert clashes("set_timetable", moved, sessions=(replace(own, teacher_id=UUID(int=6)),), **facts) == []
    same = {"sessions": (t.TimetableEntry(starts_at=own.starts_at, ends_at=own.ends_at, uid="one"),)}
    assert clashes("set_timetable", same, sessions=(own,), **facts) == []
    back = replace(own, cancelled=True)
    assert clashes("set_timetable", same, sessions=(back,), **facts) == ["teacher_free"]


def test_substitute_is_a_teacher_for_meetings_that_take_place() -> None:
    given = {"session_ids": (SESSION.id, SESSION.id, K), "teacher_id": K}
    assert in_class("substitute_teacher", given, teacher_known=False) == [
        "teacher_known", "session_known", "session_known",
    ]  # fmt: skip


def test_components_name_each_reason() -> None:
    whole = t.AssessmentFact(UUID(int=30), "exam", Decimal(20), Decimal(12))
    part = t.AssessmentFact(UUID(int=31), "reading", Decimal(20), Decimal(12), part_of=whole.id)
    new = GIVEN["set_assessment"]

    def of(**more: Any) -> list[str]:
        return in_class("set_assessment", new | more, assessments=(whole, part, ORAL))

    assert of(part_of=K) == of(part_of=part.id) == of(part_of=ORAL.id, assessment_id=ORAL.id) == ["assessment_known"]
    assert of(part_of=ORAL.id, assessment_id=whole.id) == ["assessment_known"]
    assert of(part_of=ORAL.id) == ["whole_not_marked"]
    assert of(part_of=whole.id, weight=Decimal(0)) == ["part_has_weight"]
    marks = {"assessment_id": whole.id, "marks": (t.Mark(membership_id=M, mark=Decimal(1)),)}
    assert in_class("record_marks", marks, assessments=(whole, part), members=(member(),)) == ["marked_by_parts"]


def test_assessments_and_marks_name_each_reason() -> None:
    new = GIVEN["set_assessment"]
    assert in_class("set_assessment", new | {"pass_mark": Decimal(21)}) == ["pass_mark_reachable"]
    assert in_class("set_assessment", new | {"assessment_id": K}) == ["assessment_known"]
    assert in_class("set_assessment", new | {"name": "oral"}) == ["assessment_name_free"]
    changed = new | {"name": "oral", "assessment_id": ORAL.id}
    assert in_class("set_assessment", changed | {"max_mark": Decimal(14)}) == ["max_mark_covers_marks"]
    assert t.assessment_fits(klass(), changed | {"max_mark": Decimal(15)}) == []
    assert in_class("set_assessment", new, decided=1) == ["completion_rule_unused"]
    for mark in (Decimal("20.01"), Decimal("-0.01")):
        given = {"assessment_id": ORAL.id, "marks": (t.Mark(membership_id=M, mark=mark),)}
        assert in_class("record_marks", given, members=(member(),)) == ["mark_in_range"]
    assert in_class("record_marks", {"assessment_id": K, "marks": (t.Mark(membership_id=M, mark=Decimal(1)),)}) == [
        "assessment_known"
    ]
    below = {"hours": (t.ConfirmedHours(membership_id=M, hours=Decimal(-1)),)}
    assert in_class("confirm_hours", below, kind="dual", members=(member(),)) == ["hours_not_negative"]


@pytest.mark.parametrize("zone", ["Asia/Atlantis", "Asia", "/etc/passwd"])
def test_zone_is_one_of_the_database(zone: str) -> None:
    facts = NewClass(state=NEW, today=TODAY)
    assert codes(TRAINING_CLASS, "plan", facts, PLAN | {"time_zone": zone}, COORDINATOR) == ["zone_known"]


@pytest.mark.parametrize(
    ("kind", "hours", "expected"),
    [("present", None, Decimal(2)), ("present", Decimal(1), Decimal(1)), ("absent", None, Decimal(0)), ("excused_official", None, Decimal(0)), ("late", None, None)],
)  # fmt: skip
def test_hours_follow_the_kind_of_attendance(kind: str, hours: Decimal | None, expected: Decimal | None) -> None:
    assert t.hours_attended(t.AttendanceMark(membership_id=M, kind=kind, hours=hours), Decimal(2)) == expected


def test_meeting_lies_on_its_day_in_the_zone() -> None:
    instant = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
    assert (t.local_day(instant, "Asia/Tokyo"), t.local_day(instant, "Europe/Berlin")) == (date(2026, 3, 3), TODAY)
    assert t.length(t.PlannedSession(starts_at=instant, ends_at=instant + timedelta(minutes=50))) == Decimal("0.83")
    assert t.length(
        t.PlannedSession(starts_at=instant, ends_at=instant + timedelta(hours=2), hours=Decimal("2.5"))
    ) == Decimal("2.5")


def in_membership(action: str, state: str, **facts: Any) -> list[str]:
    role = next(r for r in MEMBERSHIP.by_action[action][0].who)
    return codes(MEMBERSHIP, action, membership(state, **facts), GIVEN.get(action, {}), role)


def test_membership_rules_name_each_reason() -> None:
    assert in_membership("attend", "registered", class_state="open") == ["class_running"]
    assert in_membership("fail", "attending") == ["completion_unmet"]
    assert in_membership("pass", "attending", achieved=Achieved(min_attendance_percent=1)) == ["attendance_reached"]
    assert in_membership("resit", "failed", resits_until=TODAY - timedelta(days=1)) == ["resit_in_time"]
    assert in_membership("resit", "failed", class_state="cancelled", places_free=0, already_member=True) == [
        "class_goes_on", "place_free", "not_a_member_yet",
    ]  # fmt: skip
    full = {"to_kind": "dual", "to_state": "planned", "to_places_free": 0, "to_already_member": True}
    assert in_membership("transfer", "attending", **full) == [
        "class_same_kind", "class_takes_people", "place_free", "not_a_member_yet",
    ]  # fmt: skip
    assert in_membership("transfer", "attending", to_state=None) == ["class_known"]
    assert in_membership("transfer", "registered", class_id=UUID(int=9)) == ["class_known"]
    new = NewMembership(state=NEW, today=TODAY, class_id=K, class_state=None)
    assert codes(MEMBERSHIP, "register", new, {"class_id": K}, COORDINATOR) == ["class_known"]


def test_undo_guards_protect_what_stands_on_a_step() -> None:
    assert t.nobody_holds_a_place(klass()) is None
    assert t.nobody_holds_a_place(klass(taken=1)).code == "nobody_holds_a_place"  # type: ignore[union-attr]
    assert t.nobody_attends(klass(members=(member("registered"),))) is None
    assert t.nobody_attends(klass(members=(member(),))).code == "nobody_attends"  # type: ignore[union-attr]
    assert t.nothing_recorded(membership()) is None
    assert t.nothing_recorded(membership(attendance_marks=1)).actual == 1  # type: ignore[union-attr]
    assert t.nothing_in_attempt(membership(attendance_marks=1)) is None
    assert t.nothing_in_attempt(membership(marks_in_attempt=2)).actual == 2  # type: ignore[union-attr]


def test_certificate_rules_name_each_reason() -> None:
    facts = CertificateDossier(state="recorded", today=TODAY, kind="language", test="jlpt", taken_on=TODAY)
    assert codes(CERTIFICATE, "edit", facts, {"level": "A1"}, COORDINATOR) == ["level_of_test"]
    assert codes(CERTIFICATE, "edit", facts, {"issued_on": TODAY - timedelta(days=1)}, COORDINATOR) == [
        "issued_after_taken"
    ]
    assert codes(CERTIFICATE, "edit", facts, {"document_id": K}, COORDINATOR) == ["document_known"]
    typist = CertificateDossier(state="recorded", today=TODAY, asked_by_typist=True)
    assert codes(CERTIFICATE, "verify", typist, GIVEN["verify"], COORDINATOR) == ["by_another_account"]
    new = NewCertificate(state=NEW, today=TODAY)
    assert codes(CERTIFICATE, "record", new, {"kind": "skill"}, COORDINATOR) == ["test_named"]
    until = {"kind": "other", "issued_on": TODAY, "valid_until": TODAY - timedelta(days=1)}
    assert codes(CERTIFICATE, "record", new, until, COORDINATOR) == ["valid_after_issued"]
    assert cert.test_fits(facts, {"test": "jft_basic", "level": "A2"}) == []
    assert cert.days_in_order(NewCertificate(state=NEW, today=TODAY), {"valid_until": TODAY}) == []


def test_code_lists_are_those_of_the_data() -> None:
    folder = Path(service.domain.__file__).parents[1] / "data" / "codes"

    def listed(name: str) -> list[str]:
        return sorted(e["code"] for e in json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["codes"])

    assert listed("attendance_kinds") == sorted(ATTENDANCE_KINDS)
    assert listed("class_kinds") == sorted(t.CLASS_KINDS)


def test_consequences_are_the_systems_alone() -> None:
    alone = {
        a for table in TABLES for a, rules in table.by_action.items() if all(set(r.who) == {SYSTEM} for r in rules)
    }
    assert alone == {"receive", "call_off", "void", "withdraw_attendance"}
