"""Training classes and memberships: places, the timetable, attendance, marks, and completion by rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from service.domain.actors import ADMIN, COORDINATOR, ENTERPRISE, GUARDIAN, INSTRUCTOR, SYSTEM, TRAINEE, Role
from service.domain.completion import ABSENT, ATTENDANCE_KINDS, EXCUSES, PRESENT, Achieved, plain, unmet
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes, because

CLASS_KINDS = ("language", "skills", "pre_departure", "dual")
DUAL = "dual"
LIVE = ("registered", "attending")
"""The states in which a membership holds a place."""
TAKING = ("open", "running")
"""The states in which a class takes people."""
CLASS_CANCELLED = "class_cancelled"
MOST_PLACES = 1000
MOST_HOURS = 24


# ---- what callers say
@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSession:
    """One meeting of the class; `hours` are those that count, its whole length where none are given."""

    starts_at: datetime
    ends_at: datetime
    hours: Decimal | None = None
    topic: Annotated[str, "line"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceMark:
    """How one member attended; `hours` where they were there for a part."""

    membership_id: UUID
    kind: Annotated[str, "line"]
    hours: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What one member reached in an assessment."""

    membership_id: UUID
    mark: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedHours:
    """All the hours that one member has worked in the enterprise so far."""

    membership_id: UUID
    hours: Decimal


# ---- what the rules may know
@dataclass(frozen=True, slots=True)
class SessionFact:
    """A meeting as the class has it."""

    id: UUID
    on: date
    hours: Decimal
    held: bool
    cancelled: bool


@dataclass(frozen=True, slots=True)
class AssessmentFact:
    """An assessment as the class has it, with the highest mark that anybody was given."""

    id: UUID
    name: str
    max_mark: Decimal
    pass_mark: Decimal
    highest: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MemberFact:
    """A membership that holds a place, or that the cancelling of the class ended."""

    id: UUID
    person_id: UUID
    state: str
    version: int
    event_seq: int
    attempt: int
    ended_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDossier(Dossier):
    """All that the rules of a class may know; the last three only where they were named."""

    kind: str = ""
    capacity: int = 0
    taken: int = 0
    starts_on: date = date.min
    ends_on: date = date.max
    resits_until: date | None = None
    time_zone: str = "UTC"
    teacher_id: UUID | None = None
    enterprise_id: UUID | None = None
    hours_required: Decimal | None = None
    decided: int = 0
    sessions: Sequence[SessionFact] = ()
    assessments: Sequence[AssessmentFact] = ()
    members: Sequence[MemberFact] = ()
    teacher_known: bool = False
    enterprise_known: bool = False
    course_known: bool = False

    @property
    def attending(self) -> dict[UUID, MemberFact]:
        """Who attends, by membership."""
        return {m.id: m for m in self.members if m.state == "attending"}

    def session(self, wanted: UUID) -> SessionFact | None:
        """The meeting with this id."""
        return next((s for s in self.sessions if s.id == wanted), None)

    def assessment(self, wanted: UUID | None) -> AssessmentFact | None:
        """The assessment with this id."""
        return next((a for a in self.assessments if a.id == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClass(Dossier):
    """What is known when a class is planned: whether what it names is there."""

    teacher_known: bool = False
    enterprise_known: bool = False
    course_known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMembership(Dossier):
    """What is known when somebody registers: the class, and whether they are in it."""

    class_id: UUID | None = None
    class_state: str | None = None
    places_free: int = 0
    already_member: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipDossier(Dossier):
    """All that the rules of a membership may know; `to_...` is the class to which a transfer goes."""

    person_id: UUID
    class_id: UUID
    class_state: str = ""
    class_kind: str = ""
    places_free: int = 0
    resits_until: date | None = None
    attempt: int = 1
    marks_in_attempt: int = 0
    attendance_marks: int = 0
    already_member: bool = False
    achieved: Achieved = field(default_factory=Achieved)
    to_class_id: UUID | None = None
    to_state: str | None = None
    to_kind: str | None = None
    to_places_free: int = 0
    to_already_member: bool = False


def local_day(instant: datetime, zone: str) -> date:
    """The day of an instant in a zone."""
    return instant.astimezone(ZoneInfo(zone)).date()


def length(session: PlannedSession) -> Decimal:
    """The hours that a meeting counts: those given, else its length in hours to the hundredth."""
    if session.hours is not None:
        return session.hours
    minutes = Decimal((session.ends_at - session.starts_at) // timedelta(minutes=1))
    return (minutes / 60).quantize(Decimal("0.01"))


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


def sessions_fit(c: ClassDossier, given: Given) -> list[Reason]:
    """Each meeting ends after it starts, lies in the days of the class, and counts no more than its length."""
    found = []
    for n, s in enumerate(given["sessions"]):
        pointer = f"/sessions/{n}"
        if not s.starts_at < s.ends_at <= s.starts_at + timedelta(hours=MOST_HOURS):
            found.append(Reason("session_ends_after_start", pointer=f"{pointer}/ends_at"))
            continue
        day = local_day(s.starts_at, c.time_zone)
        if not c.starts_on <= day <= c.ends_on:
            days = [c.starts_on, c.ends_on]
            found.append(Reason("session_in_class", required=days, actual=day, pointer=f"{pointer}/starts_at"))
        if s.hours is not None and not 0 < s.hours <= MOST_HOURS:
            found.append(Reason("session_hours_in_range", required=MOST_HOURS, pointer=f"{pointer}/hours"))
    return found


def sessions_cancellable(c: ClassDossier, given: Given) -> list[Reason]:
    """A meeting whose attendance was taken has been held."""
    found = []
    for n, wanted in enumerate(given["session_ids"]):
        session, pointer = c.session(wanted), f"/session_ids/{n}"
        if session is None or session.cancelled or wanted in given["session_ids"][:n]:
            found.append(Reason("session_known", pointer=pointer))
        elif session.held:
            found.append(Reason("session_not_held", pointer=pointer))
    return found


def _members_known(c: ClassDossier, rows: Iterable[Any], name: str) -> list[Reason]:
    found, seen = [], set()
    for n, row in enumerate(rows):
        pointer = f"/{name}/{n}/membership_id"
        if row.membership_id in seen:
            found.append(Reason("member_once", pointer=pointer))
        elif row.membership_id not in c.attending:
            found.append(Reason("member_attends", pointer=pointer))
        seen.add(row.membership_id)
    return found


def hours_attended(mark: AttendanceMark, held: Decimal) -> Decimal | None:
    """The hours that a mark counts: all of a present one, none of an absent or excused one, else those given."""
    if mark.hours is not None:
        return mark.hours
    return held if mark.kind == PRESENT else None if mark.kind not in (ABSENT, *EXCUSES) else Decimal(0)


def attendance_fits(c: ClassDossier, given: Given) -> list[Reason]:
    """The meeting has begun and was not cancelled; each mark is of a member who attends, with hours that it can have."""
    session = c.session(given["session_id"])
    if session is None or session.cancelled:
        return [Reason("session_known", pointer="/session_id")]
    if session.on > c.today:
        return [Reason("session_begun", required=session.on, actual=c.today, pointer="/session_id")]
    found = _members_known(c, given["marks"], "marks")
    for n, mark in enumerate(given["marks"]):
        if mark.kind not in ATTENDANCE_KINDS:
            found.append(Reason("attendance_kind_known", required=ATTENDANCE_KINDS, pointer=f"/marks/{n}/kind"))
            continue
        hours = hours_attended(mark, session.hours)
        most = Decimal(0) if mark.kind == ABSENT else session.hours
        if hours is None or not 0 <= hours <= most:
            found.append(Reason("attended_hours_in_range", required=plain(most), pointer=f"/marks/{n}/hours"))
    return found


def assessment_fits(c: ClassDossier, given: Given) -> list[Reason]:
    """Its pass mark can be reached, its name is its own, and nothing that was marked or decided by it is changed."""
    found = []
    if given["pass_mark"] > given["max_mark"]:
        found.append(Reason("pass_mark_reachable", required=plain(given["max_mark"]), pointer="/pass_mark"))
    wanted = given.get("assessment_id")
    known = c.assessment(wanted)
    if wanted is not None and known is None:
        found.append(Reason("assessment_known", pointer="/assessment_id"))
    if any(a.name == given["name"] and a.id != wanted for a in c.assessments):
        found.append(Reason("assessment_name_free", pointer="/name"))
    if known is not None and known.highest is not None and given["max_mark"] < known.highest:
        found.append(Reason("max_mark_covers_marks", required=plain(known.highest), pointer="/max_mark"))
    if c.decided:
        found.append(Reason("completion_rule_unused", required=0, actual=c.decided))
    return found


def marks_fit(c: ClassDossier, given: Given) -> list[Reason]:
    """Each mark is of a member who attends, and no higher than the assessment's highest."""
    assessment = c.assessment(given["assessment_id"])
    if assessment is None:
        return [Reason("assessment_known", pointer="/assessment_id")]
    found = _members_known(c, given["marks"], "marks")
    for n, mark in enumerate(given["marks"]):
        if not 0 <= mark.mark <= assessment.max_mark:
            found.append(Reason("mark_in_range", required=plain(assessment.max_mark), pointer=f"/marks/{n}/mark"))
    return found


def class_is_dual(c: ClassDossier) -> Reason | None:
    """Only a dual class has hours in an enterprise."""
    return None if c.kind == DUAL else Reason("class_is_dual", required=DUAL, actual=c.kind)


def hours_fit(c: ClassDossier, given: Given) -> list[Reason]:
    """Each number of hours is of a member who attends, and not below nothing."""
    found = _members_known(c, given["hours"], "hours")
    for n, row in enumerate(given["hours"]):
        if row.hours < 0:
            found.append(Reason("hours_not_negative", required="0", pointer=f"/hours/{n}/hours"))
    return found


# ---- guards and checks of a membership
def class_takes_people(m: NewMembership | MembershipDossier) -> Reason | None:
    """People join a class that is open or running."""
    if m.class_state is None:
        return Reason("class_known", pointer="/class_id")
    return None if m.class_state in TAKING else Reason("class_takes_people", required=TAKING, actual=m.class_state)


def place_free(m: NewMembership | MembershipDossier) -> Reason | None:
    """Whoever is registered or attends holds a place of the class."""
    if m.class_state is None or m.places_free > 0:
        return None
    return Reason("place_free", required=1, actual=m.places_free)


def not_a_member(m: NewMembership | MembershipDossier) -> Reason | None:
    """A person has one live membership of a class."""
    return Reason("not_a_member_yet") if m.already_member else None


def class_running(m: MembershipDossier) -> Reason | None:
    """Somebody attends a class that is running."""
    return None if m.class_state == "running" else Reason("class_running", required="running", actual=m.class_state)


def nothing_recorded(m: MembershipDossier) -> Reason | None:
    """Neither attendance nor marks stand on it."""
    there = m.attendance_marks + m.marks_in_attempt
    return Reason("nothing_recorded", required=0, actual=there) if there else None


def nothing_in_attempt(m: MembershipDossier) -> Reason | None:
    """No mark of this attempt stands on it."""
    return Reason("nothing_recorded", required=0, actual=m.marks_in_attempt) if m.marks_in_attempt else None


def completion_met(m: MembershipDossier) -> list[Reason]:
    """Attendance, every required assessment, and in a dual class the hours in the enterprise: one reason each."""
    return unmet(m.achieved)


def completion_unmet(m: MembershipDossier) -> Reason | None:
    """Nobody fails who has met every condition."""
    return None if unmet(m.achieved) else Reason("completion_unmet")


def resit_in_time(m: MembershipDossier) -> Reason | None:
    """A resit is possible until the day that the class sets, also when the class is completed."""
    if m.resits_until is None or m.today > m.resits_until:
        return Reason("resit_in_time", required=m.resits_until, actual=m.today)
    return None


def class_goes_on(m: MembershipDossier) -> Reason | None:
    """Nobody is put back into a class that was cancelled."""
    states = ("open", "running", "completed")
    return None if m.class_state in states else Reason("class_goes_on", required=states, actual=m.class_state)


def transfer_fits(m: MembershipDossier, given: Given) -> list[Reason]:
    """The other class is of the same kind, takes people, has a place, and they are not in it."""
    pointer = "/to_class_id"
    if m.to_state is None or given["to_class_id"] == m.class_id:
        return [Reason("class_known", pointer=pointer)]
    found = []
    if m.to_kind != m.class_kind:
        found.append(Reason("class_same_kind", required=m.class_kind, actual=m.to_kind, pointer=pointer))
    if m.to_state not in TAKING:
        found.append(Reason("class_takes_people", required=TAKING, actual=m.to_state, pointer=pointer))
    if m.to_places_free < 1:
        found.append(Reason("place_free", required=1, actual=m.to_places_free, pointer=pointer))
    if m.to_already_member:
        found.append(Reason("not_a_member_yet", pointer=pointer))
    return found


# ---- the tables
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
ATTENDED: tuple[Takes[Any], ...] = (
    Takes("session_id", UUID, "The meeting."),
    Takes("marks", tuple[AttendanceMark, ...], "How each member attended; a later mark replaces an earlier one."),
)
ASSESSMENT: tuple[Takes[Any], ...] = (
    Takes("assessment_id", UUID, "The assessment that is changed; a new one where none is given.", needed=False),
    Takes("name", Annotated[str, "line"], "What it is called."),
    Takes("max_mark", Decimal, "The highest mark.", least=Decimal(1), most=Decimal(10_000)),
    Takes("pass_mark", Decimal, "The mark from which it is passed.", least=Decimal(0)),
    Takes("weight", Decimal, "What it weighs in the score.", least=Decimal(0), most=Decimal(1000)),
    Takes("required", bool, "Whether completion needs it."),
)
MARKED: tuple[Takes[Any], ...] = (
    Takes("assessment_id", UUID, "The assessment."),
    Takes("marks", tuple[Mark, ...], "What each member reached; a later mark replaces an earlier one."),
)
HOURS: Takes[Any] = Takes("hours", tuple[ConfirmedHours, ...], "All hours worked so far, by member.")
PEOPLE_AND_COORDINATOR = [COORDINATOR, TRAINEE, GUARDIAN]
TEACHING = [INSTRUCTOR, COORDINATOR]
BEFORE_END = ("planned", "open", "running")


def _staying(
    action: str,
    states: Sequence[str],
    who: Sequence[Role],
    event: str,
    takes: Sequence[Takes[Any]],
    checks: Sequence[Any],
    only_if: Sequence[Any] = (),
) -> list[Rule[Any]]:
    """An act that leaves the class in its state: one row a state, so that no edge between states comes of it."""
    return [
        Rule(action, [state], state, who, only_if, event, takes=takes, checks=checks, undo=False) for state in states
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
              EDITED, [dates_in_order, days_cover_sessions, dual_has_enterprise, named_is_there, capacity_covers_taken, rule_not_used]),
    *_staying("schedule_sessions", BEFORE_END,               TEACHING,     "training_class.sessions_scheduled", [SESSIONS], [sessions_fit]),
    *_staying("cancel_sessions",   BEFORE_END,               TEACHING,     "training_class.sessions_cancelled", [SESSION_IDS], [sessions_cancellable]),
    *_staying("take_attendance",   ["running"],              TEACHING,     "training_class.attendance_taken",   ATTENDED, [attendance_fits]),
    *_staying("set_assessment",    BEFORE_END,               TEACHING,     "training_class.assessment_set",     ASSESSMENT, [assessment_fits]),
    *_staying("record_marks",      ["running", "completed"], [INSTRUCTOR], "training_class.marks_recorded",     MARKED, [marks_fit]),
    *_staying("confirm_hours",     ["running", "completed"], [ENTERPRISE], "training_class.hours_confirmed",    [HOURS], [hours_fit], [class_is_dual]),
])
MEMBERSHIP = Lifecycle[Any]("membership", [
    #    action     from           to             who                     only if                                        leaves behind
    Rule("register", [NEW],        "registered",  PEOPLE_AND_COORDINATOR, [class_takes_people, place_free, not_a_member], "membership.registered",
         takes=[Takes("class_id", UUID, "The class.")], shared=True),
    Rule("receive", [NEW],         "registered",  [SYSTEM],               [],                                            "membership.received", undo=False),
    Rule("attend",  ["registered"], "attending",  TEACHING,               [class_running],                               "membership.attending", undo=[nothing_recorded]),
    Rule("pass",    ["attending"], "passed",      [INSTRUCTOR, SYSTEM],   [completion_met],                              "membership.passed",
         shared=True, undo=[class_goes_on, place_free, not_a_member]),
    Rule("fail",    ["attending"], "failed",      [INSTRUCTOR, SYSTEM],   [completion_unmet],                            "membership.failed",
         shared=True, undo=[class_goes_on, place_free, not_a_member]),
    Rule("resit",   ["failed"],    "attending",   [INSTRUCTOR],           [class_goes_on, resit_in_time, place_free, not_a_member], "membership.resit",
         shared=True, undo=[nothing_in_attempt]),
    Rule("withdraw", LIVE,         "withdrawn",   PEOPLE_AND_COORDINATOR, [],                                            "membership.withdrawn",
         takes=[because("health", "family", "financial", "schedule", "moved_away", "not_interested", "other_offer", "personal", "no_show", "misconduct", "other")],
         shared=True, undo=[class_goes_on, place_free, not_a_member]),
    Rule("transfer", LIVE,         "transferred", PEOPLE_AND_COORDINATOR, [],                                            "membership.transferred",
         takes=[Takes("to_class_id", UUID, "The class to which they go.")], checks=[transfer_fits], shared=True, undo=False),
    Rule("call_off", LIVE,         "withdrawn",   [SYSTEM],               [],                                            "membership.withdrawn", undo=False),
])
# fmt: on
