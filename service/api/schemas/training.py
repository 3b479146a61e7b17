"""Training as clients read it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from service.api.problems import ReasonOut
from service.api.schemas.common import Limited, Out, StatefulOut


class ClassOut(StatefulOut):
    """A training class."""

    kind: str
    title: str
    course_id: UUID | None
    capacity: int
    taken: int = Field(description="Places that memberships hold now.")
    starts_on: date
    ends_on: date
    time_zone: str
    teacher_id: UUID | None
    min_attendance_percent: int
    excused: list[str] = Field(description="Kinds of absence that do not count against completion.")
    resits_until: date | None
    enterprise_id: UUID | None
    hours_required: Decimal | None


class MembershipOut(StatefulOut):
    """Somebody in a class."""

    person_id: UUID
    name_native: str
    name_latin: str
    class_id: UUID
    class_title: str
    attempt: int
    attending_on: date | None = Field(description="The day from which meetings count.")
    carried_held: Decimal = Field(description="Hours carried from the class of which they were transferred.")
    carried_attended: Decimal
    transferred_from: UUID | None
    ended_because: str | None
    attendance_percent: Decimal | None = Field(description="Of the result.")
    score: Decimal | None = Field(description="Of the result, in percent.")


class SessionOut(Out):
    """A meeting of a class; its version is the class's."""

    id: UUID
    version: int
    class_id: UUID
    starts_on: date
    starts_at: datetime
    ends_at: datetime
    hours: Decimal
    topic: str | None
    taken_at: datetime | None = Field(description="When attendance was first taken.")
    cancelled_at: datetime | None


class AttendanceOut(Out):
    """How one member attended a meeting, by the latest mark; `version` counts the marks in the class."""

    id: UUID
    version: int
    session_id: UUID
    membership_id: UUID
    person_id: UUID
    starts_on: date
    kind: str
    hours: Decimal
    taken_at: datetime


class AssessmentOut(Out):
    """An assessment of a class."""

    id: UUID
    class_id: UUID
    name: str
    max_mark: Decimal
    pass_mark: Decimal
    weight: Decimal
    required: bool


class MarkOut(Out):
    """What one member reached in an attempt, by the latest mark."""

    id: UUID
    assessment_id: UUID
    membership_id: UUID
    person_id: UUID
    attempt: int
    mark: Decimal
    marked_on: date


class ConfirmedOut(Out):
    """Hours in the enterprise of one who attends."""

    membership_id: UUID
    hours: Decimal


class HoursOut(Out):
    """Hours in the enterprise of everybody who attends."""

    items: list[ConfirmedOut]


class AssessedOut(Out):
    """An assessment with the mark that counts."""

    name: str
    max_mark: Decimal
    pass_mark: Decimal
    weight: Decimal
    required: bool
    mark: Decimal | None
    passed: bool


class CompletionOut(Out):
    """What counts of a membership so far, and each condition that is not met."""

    id: UUID
    attempt: int
    met: bool
    unmet: list[ReasonOut]
    hours_counted: Decimal
    hours_attended: Decimal
    attendance_percent: Decimal | None
    min_attendance_percent: int
    assessments: list[AssessedOut]
    score: Decimal | None
    enterprise_hours_required: Decimal | None
    enterprise_hours_confirmed: Decimal


class Parts(Limited):
    """A page of what stands in a class."""

    after: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        default=None, description="The `next` of the page before."
    )


class SessionsAsked(Parts):
    """A page of meetings."""

    from_on: date | None = None
    to_on: date | None = None


class AttendanceAsked(Parts):
    """A page of attendance."""

    session_id: UUID | None = None
    membership_id: UUID | None = None


class MarksAsked(Parts):
    """A page of marks."""

    assessment_id: UUID | None = None
    membership_id: UUID | None = None
