"""What the rules of classes say in full (what is required, what is there, where), and where each of them turns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from service.domain import training as t
from service.domain.completion import ATTENDANCE_KINDS
from service.domain.lifecycle import NEW, Reason
from service.domain.training import NewClass, classes, facts, memberships, sessions
from tests.domain.test_training import GIVEN, ORAL, SESSION, START, TODAY, K, M, entry, klass, member, membership

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NEW_CLASS = NewClass(state=NEW, today=TODAY)


def at(reason: Reason | None) -> tuple[str, Any, Any, str | None] | None:
    return (reason.code, reason.required, reason.actual, reason.pointer) if reason else None


def all_of(found: list[Reason]) -> list[tuple[str, Any, Any, str | None] | None]:
    return [at(r) for r in found]


# ---- days, places, enterprise
@pytest.mark.parametrize(("resits", "found"), [
    (None, []), (TODAY + 10 * DAY, []),
    (TODAY + 9 * DAY, [("resits_after_end", TODAY + 10 * DAY, TODAY + 9 * DAY, "/resits_until")]),
])  # fmt: skip
def test_resits_are_possible_from_the_last_day_on(resits: Any, found: list[Any]) -> None:
    given = {"starts_on": TODAY, "ends_on": TODAY + 10 * DAY, "resits_until": resits}
    assert all_of(classes.dates_in_order(NEW_CLASS, given)) == found


def test_class_may_end_on_its_first_day() -> None:
    assert classes.dates_in_order(NEW_CLASS, {"starts_on": TODAY, "ends_on": TODAY}) == []
    late = classes.dates_in_order(NEW_CLASS, {"starts_on": TODAY, "ends_on": TODAY - DAY})
    assert all_of(late) == [("ends_after_start", TODAY, TODAY - DAY, "/ends_on")]


def test_days_cover_the_first_and_the_last_meeting_that_takes_place() -> None:
    meetings = tuple(replace(SESSION, id=UUID(int=n), on=TODAY + n * DAY) for n in (3, 5, 8))
    gone = tuple(replace(SESSION, id=UUID(int=n), on=TODAY + n * DAY, cancelled=True) for n in (1, 20))
    c = klass(sessions=meetings + gone)

    def found(**given: Any) -> list[Any]:
        return all_of(classes.days_cover_sessions(c, given))

    first, last = TODAY + 3 * DAY, TODAY + 8 * DAY
    assert found(starts_on=first, ends_on=last) == []
    assert found(starts_on=first + DAY) == [("days_cover_sessions", first, first + DAY, "/starts_on")]
    assert found(ends_on=last - DAY) == [("days_cover_sessions", last, last - DAY, "/ends_on")]
    assert classes.days_cover_sessions(klass(sessions=()), {"starts_on": last, "ends_on": first}) == []


@pytest.mark.parametrize(("enterprise", "hours", "kind", "code"), [
    (K, Decimal(1), "dual", None), (None, Decimal(1), "dual", "dual_has_enterprise"),
    (K, None, "dual", "dual_has_enterprise"), (None, None, "dual", "dual_has_enterprise"),
    (None, None, "language", None), (K, None, "language", "only_dual_has_enterprise"),
    (None, Decimal(1), "language", "only_dual_has_enterprise"),
])  # fmt: skip
def test_dual_class_alone_names_enterprise_and_hours(enterprise: Any, hours: Any, kind: str, code: str | None) -> None:
    given = {"kind": kind, "enterprise_id": enterprise, "hours_required": hours}
    found = classes.dual_has_enterprise(NEW_CLASS, given)
    assert at(found) == (
        None
        if code is None
        else (code, ["enterprise_id", "hours_required"], None, "/enterprise_id")
        if kind == "dual"
        else (code, "dual", kind, "/enterprise_id")
    )


def test_who_is_named_must_be_there_and_who_is_not_named_need_not() -> None:
    nobody = klass(teacher_known=False, enterprise_known=False, course_known=False)
    assert classes.named_is_there(nobody, {}) == []
    assert classes.named_is_there(nobody, {"teacher_id": None, "course_id": None}) == []
    named = {"teacher_id": K, "enterprise_id": K, "course_id": K}
    assert all_of(classes.named_is_there(nobody, named)) == [
        (f"{who}_known", None, None, f"/{who}_id") for who in ("teacher", "enterprise", "course")
    ]
    assert classes.named_is_there(klass(), named) == []


def test_capacity_may_come_down_to_the_places_taken() -> None:
    c = klass(taken=3)
    assert [at(classes.capacity_covers_taken(c, {"capacity": n})) for n in (4, 3, 2)] == [
        None, None, ("capacity_covers_taken", 3, 2, "/capacity"),
    ]  # fmt: skip
    assert classes.capacity_covers_taken(c, {}) is None


@pytest.mark.parametrize("name", ["min_attendance_percent", "excused", "hours_required"])
def test_completion_rule_stays_once_somebody_was_judged_by_it(name: str) -> None:
    assert classes.rule_not_used(klass(), {name: 1}) is None
    found = classes.rule_not_used(klass(decided=2), {"title": "N4", name: 1})
    assert at(found) == ("completion_rule_unused", 0, 2, f"/{name}")
    assert classes.rule_not_used(klass(decided=2), {"title": "N4"}) is None


def test_results_are_final_when_nobody_is_registered_or_attends() -> None:
    here = [member(s) for s in ("registered", "attending", "passed", "failed", "withdrawn")]
    assert at(classes.results_final(klass(members=tuple(here)))) == ("results_final", 0, 2, None)
    assert classes.results_final(klass(members=tuple(here[2:]))) is None


# ---- assessments and marks
def test_pass_mark_may_be_the_highest_mark() -> None:
    new = GIVEN["set_assessment"]
    assert classes.assessment_fits(klass(), new | {"pass_mark": Decimal(20)}) == []
    found = classes.assessment_fits(klass(), new | {"pass_mark": Decimal("20.5")})
    assert all_of(found) == [("pass_mark_reachable", "20", None, "/pass_mark")]


def test_assessments_name_is_its_own_among_many() -> None:
    other = replace(ORAL, id=UUID(int=40), name="written")
    c = klass(assessments=(ORAL, other))
    new = GIVEN["set_assessment"]
    for name in ("oral", "written"):
        assert [r.code for r in classes.assessment_fits(c, new | {"name": name})] == ["assessment_name_free"]
    assert classes.assessment_fits(c, new | {"name": "written", "assessment_id": other.id}) == []


def test_what_has_parts_is_no_part_and_a_part_weighs_more_than_nothing() -> None:
    whole = t.AssessmentFact(UUID(int=30), "exam", Decimal(20), Decimal(12))
    part = replace(whole, id=UUID(int=31), name="reading", part_of=whole.id)
    lone = replace(whole, id=UUID(int=32), name="essay")
    c = klass(assessments=(whole, part, lone))

    def found(**more: Any) -> list[Any]:
        given = GIVEN["set_assessment"] | {"part_of": lone.id} | more
        return all_of(classes._part_fits(c, given))

    assert found(assessment_id=whole.id) == [("assessment_known", None, None, "/part_of")]
    assert found(assessment_id=part.id) == found() == found(weight=Decimal("0.01")) == []
    assert found(weight=Decimal(0)) == [("part_has_weight", None, None, "/weight")]


def test_mark_may_be_nothing_and_all_there_is() -> None:
    def found(*marks: str) -> list[Any]:
        there = tuple(replace(member(), id=UUID(int=60 + n)) for n in range(len(marks)))
        given = tuple(t.Mark(membership_id=m.id, mark=Decimal(x)) for m, x in zip(there, marks, strict=True))
        return all_of(classes.marks_fit(klass(members=there), {"assessment_id": ORAL.id, "marks": given}))

    assert found("0", "20") == []
    assert found("20.01", "0", "-0.01") == [
        ("mark_in_range", "20", None, "/marks/0/mark"), ("mark_in_range", "20", None, "/marks/2/mark"),
    ]  # fmt: skip


# ---- meetings
def planned(start: timedelta = timedelta(0), long: timedelta = 2 * HOUR, hours: Any = None) -> t.PlannedSession:
    return t.PlannedSession(starts_at=START + start, ends_at=START + start + long, hours=hours)


def test_meeting_takes_some_time_and_no_more_than_a_day() -> None:
    def found(long: timedelta) -> list[Any]:
        return all_of(sessions._fits(klass(), planned(long=long), "/sessions/0"))

    no = [("session_ends_after_start", None, None, "/sessions/0/ends_at")]
    most = facts.MOST_HOURS * HOUR
    assert [found(x) for x in (timedelta(0), timedelta(minutes=1), most, most + timedelta(seconds=1))] == [
        no,
        [],
        [],
        no,
    ]


def test_meetings_lie_between_the_first_and_the_last_day() -> None:
    c = klass(starts_on=TODAY, ends_on=TODAY + 3 * DAY, time_zone="UTC")

    def found(days: int) -> list[Any]:
        return all_of(sessions._fits(c, planned(days * DAY), "/sessions/7"))

    def no(days: int) -> list[Any]:
        span = [TODAY, TODAY + 3 * DAY]
        return [("session_in_class", span, TODAY + days * DAY, "/sessions/7/starts_at")]

    assert [found(n) for n in (-1, 0, 3, 4)] == [no(-1), [], [], no(4)]


def test_meeting_counts_more_than_nothing_and_no_more_than_a_day() -> None:
    most = facts.MOST_HOURS
    no = [("session_hours_in_range", most, None, "/x/hours")]
    found = [
        all_of(sessions._fits(klass(), planned(hours=h), "/x"))
        for h in (Decimal(0), Decimal("0.01"), Decimal(most), most + Decimal("0.01"))
    ]
    assert found == [no, [], [], no]


def test_class_has_two_thousand_meetings_at_most() -> None:
    c = klass(sessions=(SESSION,) * 1999)
    assert sessions._room_for(c, 1) == []
    assert all_of(sessions._room_for(c, 2)) == [("sessions_most", 2000, 2001, "/sessions")]


def test_clash_says_when_the_teacher_is_elsewhere() -> None:
    busy = t.Busy(START + HOUR, START + 3 * HOUR)
    found = sessions._free(klass(busy=(busy,)), START, START + 2 * HOUR, "/sessions/0/starts_at")
    there = {"starts_at": busy.starts_at.isoformat(), "ends_at": busy.ends_at.isoformat()}
    assert all_of(found) == [("teacher_free", None, there, "/sessions/0/starts_at")]


def test_nobody_may_stand_in_where_none_is_named_and_cancelled_meetings_take_no_one() -> None:
    gone = replace(SESSION, id=UUID(int=8), cancelled=True)
    c = klass(sessions=(SESSION, gone), teacher_known=False)
    assert sessions.substitute_fits(c, {"session_ids": (SESSION.id,), "teacher_id": None}) == []
    assert all_of(sessions.substitute_fits(c, {"session_ids": (SESSION.id, gone.id), "teacher_id": K})) == [
        ("teacher_known", None, None, "/teacher_id"), ("session_known", None, None, "/session_ids/1"),
    ]  # fmt: skip


def test_meeting_that_comes_back_or_moves_needs_a_free_teacher_and_room_in_the_class() -> None:
    there = replace(SESSION, uid="a", starts_at=START, ends_at=START + 2 * HOUR)
    busy = (t.Busy(START, START + 9 * HOUR),)

    def placed(session: t.SessionFact, **more: Any) -> tuple[str, list[str]]:
        found = t.place_all(klass(sessions=(session,), busy=busy), [entry("a", **more)])[0]
        return found.does, [r.code for r in found.reasons]

    assert placed(there, topic="new") == ("change", [])
    assert placed(replace(there, cancelled=True)) == ("reinstate", ["teacher_free"])
    outside = START - 9 * DAY
    assert placed(there, starts_at=outside, ends_at=START + HOUR) == (
        "change",
        ["session_ends_after_start", "teacher_free"],
    )


def test_meetings_without_uid_are_known_by_their_instants_and_twice_is_too_often() -> None:
    there = replace(SESSION, starts_at=START, ends_at=START + 2 * HOUR)
    twice = t.place_all(
        klass(sessions=(there,)), [entry(), entry("b"), entry(hour=3), entry("b", hour=5), entry(hour=3), entry(hour=7)]
    )
    assert [(p.does, p.session is there, [r.code for r in p.reasons]) for p in twice] == [
        ("same", True, []), ("add", False, []), ("add", False, []),
        ("same", False, ["session_twice"]), ("same", False, ["session_twice"]), ("add", False, []),
    ]  # fmt: skip


# ---- attendance
def mark(kind: str = "present", hours: Any = None) -> t.AttendanceMark:
    return t.AttendanceMark(membership_id=M, kind=kind, hours=hours)


@pytest.mark.parametrize(("given", "code", "most"), [
    (mark("late", Decimal(0)), None, None), (mark("late", Decimal(2)), None, None),
    (mark("late", Decimal("2.01")), "attended_hours_in_range", "2"),
    (mark("late", Decimal("-0.01")), "attended_hours_in_range", "2"),
    (mark("absent", Decimal(0)), None, None), (mark("absent", Decimal("0.01")), "attended_hours_in_range", "0"),
    (mark("asleep"), "attendance_kind_known", None),
])  # fmt: skip
def test_hours_of_a_mark_lie_in_its_meeting(given: t.AttendanceMark, code: str | None, most: Any) -> None:
    found = at(sessions._mark_fits(given, SESSION, "/marks/0"))
    if code == "attendance_kind_known":
        assert found == (code, ATTENDANCE_KINDS, None, "/marks/0/kind")
    else:
        assert found == (None if code is None else (code, most, None, "/marks/0/hours"))


def test_attendance_without_marks_is_a_sheet_with_none() -> None:
    for given in ({}, {"marks": None}, {"marks": ()}):
        (sheet,) = t.sheets_of({"session_id": SESSION.id, "taken_at": START} | given)
        assert (sheet.marks, sheet.taken_at) == ((), START)


def test_single_sheet_is_the_one_that_is_judged() -> None:
    assert all_of(sessions.attendance_fits(klass(), {"session_id": K, "marks": ()})) == [
        ("session_known", None, None, "/session_id")
    ]
    both = (t.AttendanceSheet(session_id=SESSION.id, marks=()), t.AttendanceSheet(session_id=K, marks=()))
    assert sessions.attendance_fits(klass(), {"sheets": both}) == []


def test_one_act_takes_so_many_marks() -> None:
    def found(count: int) -> list[str]:
        sheet = t.AttendanceSheet(session_id=SESSION.id, marks=(mark(),) * count)
        return [r.code for r in sessions.sheets_fit(klass(members=(member(),)), {"sheets": (sheet,)})]

    assert "marks_most" not in found(facts.MOST_MARKS)
    assert found(facts.MOST_MARKS + 1) == ["marks_most"]


def test_correction_names_every_reason_at_once() -> None:
    marked = klass().marked
    assert marked is not None
    given = {"kind": "asleep"}
    stranger = klass(marked=replace(marked, counts=False), asked_by=K, asked_as=("instructor",))
    assert all_of(sessions.correction_fits(stranger, given)) == [
        ("input_required", "note", None, "/note"), ("mark_counts", None, None, "/attendance_id"),
        ("member_attends", None, None, "/attendance_id"), ("teaches_meeting", None, None, "/attendance_id"),
        ("attendance_kind_known", ATTENDANCE_KINDS, None, "/kind"),
    ]  # fmt: skip
    for c in (klass(marked=None), klass(marked=replace(marked, session_id=K))):
        assert [r.code for r in sessions.correction_fits(c, given)] == ["input_required", "mark_known"]


# ---- memberships
def test_attendance_and_marks_stand_on_a_membership_together() -> None:
    assert at(memberships.nothing_recorded(membership(attendance_marks=2, marks_in_attempt=1))) == (
        "nothing_recorded", 0, 3, None,
    )  # fmt: skip


def test_resit_is_possible_until_the_day_that_the_class_sets() -> None:
    def found(until: Any) -> Any:
        return at(memberships.resit_in_time(membership("failed", resits_until=until)))

    assert [found(TODAY - DAY), found(TODAY), found(TODAY + DAY), found(None)] == [
        ("resit_in_time", TODAY - DAY, TODAY, None), None, None, ("resit_in_time", None, TODAY, None),
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["planned", "open", "running", "completed", "cancelled"])
def test_people_come_back_to_classes_that_go_on(state: str) -> None:
    found = memberships.class_goes_on(membership("withdrawn", class_state=state))
    goes = ("open", "running", "completed")
    assert at(found) == (None if state in goes else ("class_goes_on", goes, state, None))


def test_whoever_does_not_ask_as_a_teacher_teaches_every_meeting() -> None:
    meeting = replace(SESSION, teacher_id=K)
    c = klass(teacher_id=UUID(int=50), asked_by=UUID(int=51))
    assert c.teaches(meeting)
    assert replace(c, asked_as=("coordinator",)).teaches(meeting)
    assert not replace(c, asked_as=("instructor",)).teaches(meeting)


# ---- the teacher's time
def test_meeting_is_put_down_where_its_teacher_is_free() -> None:
    c = klass(busy=(t.Busy(START + HOUR, START + 3 * HOUR),))
    there = {"starts_at": (START + HOUR).isoformat(), "ends_at": (START + 3 * HOUR).isoformat()}
    clash = [("teacher_free", None, there, "/sessions/1/starts_at")]
    assert all_of(sessions.sessions_fit(c, {"sessions": (planned(3 * HOUR), planned())})) == clash
    broken = planned(long=timedelta(0))
    assert [r.code for r in sessions.sessions_fit(c, {"sessions": (broken,)})] == ["session_ends_after_start"]


def test_whoever_takes_over_a_class_is_free_when_it_meets_and_nobody_stands_in() -> None:
    own = replace(SESSION, starts_at=START, ends_at=START + 2 * HOUR)
    busy = (t.Busy(START, START + HOUR),)

    def found(session: t.SessionFact, **given: Any) -> list[Any]:
        return all_of(sessions.teacher_has_time(klass(sessions=(session, session), busy=busy), given))

    there = {"starts_at": START.isoformat(), "ends_at": (START + HOUR).isoformat()}
    assert found(own, teacher_id=K) == [("teacher_free", None, there, "/teacher_id")]
    for free in (replace(own, teacher_id=M), replace(own, cancelled=True), replace(own, held=True)):
        assert found(free, teacher_id=K) == []
    assert found(own) == found(own, teacher_id=None) == []
    same = klass(sessions=(own,), busy=busy)
    assert sessions.teacher_has_time(same, {"teacher_id": same.teacher_id}) == []
