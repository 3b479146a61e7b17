"""What callers say of classes and memberships, and what the rules may know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from service.domain.actors import COORDINATOR, INSTRUCTOR
from service.domain.completion import Achieved
from service.domain.lifecycle import Dossier

CLASS_KINDS = ("language", "skills", "pre_departure", "dual")
DUAL = "dual"
LIVE = ("registered", "attending")
"""The states in which a membership holds a place."""
TAKING = ("open", "running")
"""The states in which a class takes people."""
CLASS_CANCELLED = "class_cancelled"
MOST_PLACES = 1000
MOST_HOURS = 24
MOST_MARKS = 5000
"""Marks of attendance in one act."""
MOST_SESSIONS = 2000
"""Meetings that a class has at most: six a day for a year."""
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TEACHING = [INSTRUCTOR, COORDINATOR]


# ---- what callers say
@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSession:
    """One meeting of the class; `hours` are those that count, its whole length where none are given."""

    starts_at: datetime
    ends_at: datetime
    hours: Decimal | None = None
    topic: Annotated[str, "line"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimetableEntry:
    """One meeting as a timetable has it, known again by its `uid`, or without one by its instants.

    `hours` are those that count; where none are given, those that the meeting had, or its whole length.
    """

    starts_at: datetime
    ends_at: datetime
    uid: Annotated[str, "line"] | None = None
    hours: Decimal | None = None
    topic: Annotated[str, "line"] | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceMark:
    """How one member attended; `hours` where they were there for a part."""

    membership_id: UUID
    kind: Annotated[str, "line"]
    hours: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceSheet:
    """The attendance of one meeting, with the instant at which it was taken: now where none is given."""

    session_id: UUID
    marks: tuple[AttendanceMark, ...]
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnMark:
    """A mark that an import put down, and what is put in its place; `alone`: nobody else marked the meeting."""

    attendance_id: UUID
    session_id: UUID
    membership_id: UUID
    kind: Annotated[str, "line"]
    hours: Decimal
    alone: bool


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
    """A meeting as the class has it; `teacher_id` is whoever stands in for the teacher of the class."""

    id: UUID
    on: date
    hours: Decimal
    held: bool
    cancelled: bool
    starts_at: datetime = EARLIEST
    ends_at: datetime = EARLIEST
    uid: str = ""
    topic: str | None = None
    teacher_id: UUID | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Busy:
    """When a teacher has a meeting of another class."""

    starts_at: datetime
    ends_at: datetime

    def meets(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether the two are at the same time for a while; one may begin when the other ends."""
        return self.starts_at < ends_at and starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class AssessmentFact:
    """An assessment as the class has it, with the highest mark that anybody was given in it."""

    id: UUID
    name: str
    max_mark: Decimal
    pass_mark: Decimal
    highest: Decimal | None = None
    part_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class MarkedFact:
    """A mark of attendance that a correction names; `counts` where no other one has replaced it."""

    id: UUID
    session_id: UUID
    membership_id: UUID
    kind: str
    hours: Decimal
    counts: bool


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
    """All that the rules of a class may know; what stands after `asked_as` only where it was named.

    `busy` is when the teacher whom an act concerns has meetings of other classes: who is named, or the class's own.
    """

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
    now: datetime = LATEST
    asked_by: UUID | None = None
    asked_as: Sequence[str] = ()
    teacher_known: bool = False
    enterprise_known: bool = False
    course_known: bool = False
    marked: MarkedFact | None = None
    busy: Sequence[Busy] = ()

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

    def parts_of(self, assessment: UUID) -> list[AssessmentFact]:
        """The components of an assessment."""
        return [a for a in self.assessments if a.part_of == assessment]

    def teaches(self, session: SessionFact) -> bool:
        """Whether whoever asks teaches this meeting: the class's teacher, or whoever stands in; a coordinator may."""
        if INSTRUCTOR not in self.asked_as or COORDINATOR in self.asked_as:
            return True
        return self.asked_by in (self.teacher_id, session.teacher_id)


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
