"""A class: its plan, its places, its assessments, and its whole life as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from service.domain.actors import ADMIN, COORDINATOR, ENTERPRISE, INSTRUCTOR, SYSTEM, Role
from service.domain.completion import EXCUSES, plain
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes, because
from service.domain.training.facts import (
    CLASS_KINDS,
    DUAL,
    LIVE,
    MOST_PLACES,
    TEACHING,
    AttendanceMark,
    AttendanceSheet,
    ClassDossier,
    ConfirmedHours,
    Mark,
    NewClass,
    PlannedSession,
    TimetableEntry,
    WithdrawnMark,
)
from service.domain.training.sessions import (
    attendance_fits,
    correction_fits,
    members_known,
    sessions_cancellable,
    sessions_fit,
    sheets_fit,
    substitute_fits,
    teacher_has_time,
    timetable_fits,
)


# ---- guards and checks of a class
def zone_known(_c: Dossier, given: Given) -> Reason | None:
    """The zone is one of the IANA time zone database."""
    zone = given.get("time_zone")
    if zone is None:
        return None
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Reason("zone_known", pointer="/time_zone")
    return None


def _now_or_given(c: Dossier, given: Given, name: str) -> Any:
    return given[name] if name in given else getattr(c, name, None)


def dates_in_order(c: Dossier, given: Given) -> list[Reason]:
    """A class ends on or after its first day, and resits are possible until its end or later."""
    starts, ends = _now_or_given(c, given, "starts_on"), _now_or_given(c, given, "ends_on")
    resits = _now_or_given(c, given, "resits_until")
    found = []
    if ends < starts:
        found.append(Reason("ends_after_start", required=starts, actual=ends, pointer="/ends_on"))
    if resits is not None and resits < ends:
        found.append(Reason("resits_after_end", required=ends, actual=resits, pointer="/resits_until"))
    return found


def days_cover_sessions(c: ClassDossier, given: Given) -> list[Reason]:
    """The days of the class cover every meeting that it has."""
    days = [s.on for s in c.sessions if not s.cancelled]
    starts, ends = given.get("starts_on"), given.get("ends_on")
    found = []
    if days and starts is not None and starts > min(days):
        found.append(Reason("days_cover_sessions", required=min(days), actual=starts, pointer="/starts_on"))
    if days and ends is not None and ends < max(days):
        found.append(Reason("days_cover_sessions", required=max(days), actual=ends, pointer="/ends_on"))
    return found


def dual_has_enterprise(c: Dossier, given: Given) -> Reason | None:
    """A dual class names its enterprise and the hours to be worked there; no other class does."""
    kind = _now_or_given(c, given, "kind")
    named = [_now_or_given(c, given, n) is not None for n in ("enterprise_id", "hours_required")]
    if kind == DUAL and not all(named):
        return Reason("dual_has_enterprise", required=["enterprise_id", "hours_required"], pointer="/enterprise_id")
    if kind != DUAL and any(named):
        return Reason("only_dual_has_enterprise", required=DUAL, actual=kind, pointer="/enterprise_id")
    return None


def named_is_there(c: ClassDossier | NewClass, given: Given) -> list[Reason]:
    """The teacher is of the institution's staff, the enterprise one of its relationships, the course one of its own."""
    named = (("teacher", c.teacher_known), ("enterprise", c.enterprise_known), ("course", c.course_known))
    return [
        Reason(f"{name}_known", pointer=f"/{name}_id")
        for name, known in named
        if given.get(f"{name}_id") is not None and not known
    ]


def capacity_covers_taken(c: ClassDossier, given: Given) -> Reason | None:
    """A class cannot have fewer places than are taken."""
    capacity = given.get("capacity")
    if capacity is not None and capacity < c.taken:
        return Reason("capacity_covers_taken", required=c.taken, actual=capacity, pointer="/capacity")
    return None


def rule_not_used(c: ClassDossier, given: Given) -> Reason | None:
    """The rule of completion stays as it is once somebody passed or failed by it."""
    changed = [n for n in ("min_attendance_percent", "excused", "hours_required") if n in given]
    if c.decided and changed:
        return Reason("completion_rule_unused", required=0, actual=c.decided, pointer=f"/{changed[0]}")
    return None


def teacher_assigned(c: ClassDossier) -> Reason | None:
    """A class opens with a teacher."""
    return None if c.teacher_id else Reason("teacher_assigned", required="teacher_id", pointer="/teacher_id")


def results_final(c: ClassDossier) -> Reason | None:
    """A class is finished when nobody is registered or attending any more."""
    waiting = sum(1 for m in c.members if m.state in LIVE)
    return Reason("results_final", required=0, actual=waiting) if waiting else None


def nobody_holds_a_place(c: ClassDossier) -> Reason | None:
    """What members stand on is not taken back."""
    return Reason("nobody_holds_a_place", required=0, actual=c.taken) if c.taken else None


def nobody_attends(c: ClassDossier) -> Reason | None:
    """A class that people attend has started."""
    return Reason("nobody_attends", required=0, actual=len(c.attending)) if c.attending else None


def assessment_fits(c: ClassDossier, given: Given) -> list[Reason]:
    """Its pass mark can be reached, its name is its own, and nothing that was marked or decided by it is changed."""
    found = []
    if given["pass_mark"] > given["max_mark"]:
        found.append(Reason("pass_mark_reachable", required=plain(given["max_mark"]), pointer="/pass_mark"))
    wanted = given.get("assessment_id")
    known = c.assessment(wanted)
    if wanted is not None and known is None:
        found.append(Reason("assessment_known", pointer="/assessment_id"))
    found += _part_fits(c, given)
    if any(a.name == given["name"] and a.id != wanted for a in c.assessments):
        found.append(Reason("assessment_name_free", pointer="/name"))
    if known is not None and known.highest is not None and given["max_mark"] < known.highest:
        found.append(Reason("max_mark_covers_marks", required=plain(known.highest), pointer="/max_mark"))
    if c.decided:
        found.append(Reason("completion_rule_unused", required=0, actual=c.decided))
    return found


def _part_fits(c: ClassDossier, given: Given) -> list[Reason]:
    """A component belongs to an assessment that is none itself, has no marks of its own, and carries a weight."""
    whole = given.get("part_of")
    if whole is None:
        return []
    known = c.assessment(whole)
    wanted = given.get("assessment_id")
    if known is None or known.part_of is not None or whole == wanted or (wanted and c.parts_of(wanted)):
        return [Reason("assessment_known", pointer="/part_of")]
    if known.highest is not None:
        return [Reason("whole_not_marked", required=None, actual=plain(known.highest), pointer="/part_of")]
    return [] if given["weight"] > 0 else [Reason("part_has_weight", pointer="/weight")]


def marks_fit(c: ClassDossier, given: Given) -> list[Reason]:
    """Each mark is of a member who attends, and no higher than the assessment's highest."""
    assessment = c.assessment(given["assessment_id"])
    if assessment is None:
        return [Reason("assessment_known", pointer="/assessment_id")]
    if c.parts_of(assessment.id):
        return [Reason("marked_by_parts", pointer="/assessment_id")]
    found = members_known(c, given["marks"], "marks")
    for n, mark in enumerate(given["marks"]):
        if not 0 <= mark.mark <= assessment.max_mark:
            found.append(Reason("mark_in_range", required=plain(assessment.max_mark), pointer=f"/marks/{n}/mark"))
    return found


def class_is_dual(c: ClassDossier) -> Reason | None:
    """Only a dual class has hours in an enterprise."""
    return None if c.kind == DUAL else Reason("class_is_dual", required=DUAL, actual=c.kind)


def hours_fit(c: ClassDossier, given: Given) -> list[Reason]:
    """Each number of hours is of a member who attends, and not below nothing."""
    found = members_known(c, given["hours"], "hours")
    for n, row in enumerate(given["hours"]):
        if row.hours < 0:
            found.append(Reason("hours_not_negative", required="0", pointer=f"/hours/{n}/hours"))
    return found


# ---- the table
PLANNED: tuple[Takes[Any], ...] = (
    Takes("title", Annotated[str, "line"], "What the class is called."),
    Takes("capacity", int, "How many can be in it.", least=1, most=MOST_PLACES),
    Takes("starts_on", date, "Its first day."),
    Takes("ends_on", date, "Its last day."),
    Takes("time_zone", Annotated[str, "zone"], "The zone of the place where it is held."),
    Takes("course_id", UUID, "The course that it teaches.", needed=False),
    Takes("teacher_id", UUID, "The account of whoever teaches it.", needed=False),
    Takes("min_attendance_percent", int, "The share of hours that must be attended.", needed=False, least=0, most=100),
    Takes(
        "excused", tuple[str, ...], "Kinds of absence that do not count against it.", needed=False, choices=EXCUSES
    ),
    Takes("resits_until", date, "The last day on which a resit is possible.", needed=False),
    Takes("enterprise_id", UUID, "In a dual class: the enterprise.", needed=False),
    Takes(
        "hours_required", Decimal, "In a dual class: the hours to be worked in the enterprise.", needed=False,
        least=Decimal(1),
    ),
)  # fmt: skip
KIND: Takes[Any] = Takes("kind", str, "What kind of class it is.", choices=CLASS_KINDS, code="class_kind_known")
EDITED = tuple(replace(t, needed=False) for t in PLANNED if t.name != "time_zone")
SESSIONS: Takes[Any] = Takes("sessions", tuple[PlannedSession, ...], "The meetings, with their instants.")
SESSION_IDS: Takes[Any] = Takes("session_ids", tuple[UUID, ...], "The meetings that do not take place.")
TIMETABLE: Takes[Any] = Takes(
    "sessions", tuple[TimetableEntry, ...], "Meetings, new or known again by their uid; others stay as they are."
)
SUBSTITUTED: tuple[Takes[Any], ...] = (
    Takes("session_ids", tuple[UUID, ...], "The meetings."),
    Takes("teacher_id", UUID, "Who stands in; the class's own teacher where nobody is named.", needed=False),
)
TAKEN_AT: Takes[Any] = Takes(
    "taken_at", datetime, "When it was taken, on a device that is late; of two marks the one taken later counts.",
    needed=False,
)  # fmt: skip
ATTENDED: tuple[Takes[Any], ...] = (
    Takes("session_id", UUID, "The meeting."),
    TAKEN_AT,
    Takes("marks", tuple[AttendanceMark, ...], "How each member attended; one taken later replaces one taken earlier."),
)
SHEETS: Takes[Any] = Takes("sheets", tuple[AttendanceSheet, ...], "The attendance of many meetings, one sheet each.")
WITHDRAWN: Takes[Any] = Takes("marks", tuple[WithdrawnMark, ...], "The marks, and what counted before each.")
CORRECTED: tuple[Takes[Any], ...] = (
    Takes("attendance_id", UUID, "The mark that was wrong."),
    Takes("kind", Annotated[str, "line"], "How they attended in truth."),
    Takes("hours", Decimal, "The hours for which they were there, where it was a part.", needed=False),
)
ASSESSMENT: tuple[Takes[Any], ...] = (
    Takes("assessment_id", UUID, "The assessment that is changed; a new one where none is given.", needed=False),
    Takes("name", Annotated[str, "line"], "What it is called."),
    Takes("max_mark", Decimal, "The highest mark.", least=Decimal(1), most=Decimal(10_000)),
    Takes("pass_mark", Decimal, "The mark from which it is passed.", least=Decimal(0)),
    Takes(
        "weight",
        Decimal,
        "What it weighs in the score; of a component: in the whole.",
        least=Decimal(0),
        most=Decimal(1000),
    ),
    Takes("required", bool, "Whether completion needs it; of a component: whether the whole needs it."),
    Takes("part_of", UUID, "The assessment of which it is a component, and whose mark comes of it.", needed=False),
)
MARKED: tuple[Takes[Any], ...] = (
    Takes("assessment_id", UUID, "The assessment."),
    Takes("marks", tuple[Mark, ...], "What each member reached; a later mark replaces an earlier one."),
)
HOURS: Takes[Any] = Takes("hours", tuple[ConfirmedHours, ...], "All hours worked so far, by member.")
BEFORE_END = ("planned", "open", "running")


def _staying(
    action: str,
    states: Sequence[str],
    who: Sequence[Role],
    event: str,
    takes: Sequence[Takes[Any]],
    checks: Sequence[Any],
    only_if: Sequence[Any] = (),
    *,
    shared: bool = False,
) -> list[Rule[Any]]:
    """An act that leaves the class in its state: one row a state, so that no edge between states comes of it."""
    return [
        Rule(action, [state], state, who, only_if, event, takes=takes, checks=checks, undo=False, shared=shared)
        for state in states
    ]


# fmt: off
TRAINING_CLASS = Lifecycle[Any]("training_class", [
    #    action   from         to           who                   only if             leaves behind
    Rule("plan",   [NEW],       "planned",   [COORDINATOR, ADMIN], [],                 "training_class.planned",
         takes=(KIND, *PLANNED), checks=[zone_known, dates_in_order, dual_has_enterprise, named_is_there]),
    Rule("open",   ["planned"], "open",      [COORDINATOR],        [teacher_assigned], "training_class.opened", undo=[nobody_holds_a_place]),
    Rule("start",  ["open"],    "running",   TEACHING,             [],                 "training_class.started", undo=[nobody_attends]),
    Rule("finish", ["running"], "completed", TEACHING,             [results_final],    "training_class.finished"),
    Rule("cancel", BEFORE_END,  "cancelled", [COORDINATOR],        [],                 "training_class.cancelled",
         takes=[because("low_demand", "no_teacher", "force_majeure", "no_longer_needed", "other")], shared=True),
    *_staying("edit",              BEFORE_END,               [COORDINATOR, ADMIN], "training_class.edited",
              EDITED, [dates_in_order, days_cover_sessions, dual_has_enterprise, named_is_there, capacity_covers_taken, rule_not_used,
                       teacher_has_time], shared=True),
    *_staying("schedule_sessions", BEFORE_END,               TEACHING,     "training_class.sessions_scheduled", [SESSIONS], [sessions_fit], shared=True),
    *_staying("cancel_sessions",   BEFORE_END,               TEACHING,     "training_class.sessions_cancelled", [SESSION_IDS], [sessions_cancellable]),
    *_staying("set_timetable",     BEFORE_END,               TEACHING,     "training_class.timetable_set",      [TIMETABLE], [timetable_fits], shared=True),
    *_staying("substitute_teacher", BEFORE_END,              [COORDINATOR], "training_class.teacher_substituted", SUBSTITUTED, [substitute_fits], shared=True),
    *_staying("take_attendance",   ["running"],              TEACHING,     "training_class.attendance_taken",   ATTENDED, [attendance_fits]),
    *_staying("take_attendance_of_many", ["running"],        TEACHING,     "training_class.attendance_of_many_taken", [SHEETS], [sheets_fit]),
    *_staying("correct_attendance", ["running", "completed"], TEACHING,    "training_class.attendance_corrected", CORRECTED, [correction_fits]),
    # The import that put the marks down was taken back.
    *_staying("withdraw_attendance", ["running", "completed"], [SYSTEM],   "training_class.attendance_withdrawn", [WITHDRAWN], []),
    *_staying("set_assessment",    BEFORE_END,               TEACHING,     "training_class.assessment_set",     ASSESSMENT, [assessment_fits]),
    *_staying("record_marks",      ["running", "completed"], [INSTRUCTOR], "training_class.marks_recorded",     MARKED, [marks_fit]),
    *_staying("confirm_hours",     ["running", "completed"], [ENTERPRISE], "training_class.hours_confirmed",    [HOURS], [hours_fit], [class_is_dual]),
])
# fmt: on
