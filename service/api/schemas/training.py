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
    completion: CompletionOut | None = Field(default=None, description="Only with include=completion.")


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
    uid: str = Field(description="By which calendars and timetables know it again.")
    taught_by: UUID | None = Field(description="The account of whoever stands in, else of the class's teacher.")
    substituted: bool = Field(description="Whether somebody stands in for the class's teacher.")
    taken_at: datetime | None = Field(description="When attendance was first taken.")
    cancelled_at: datetime | None


class AttendanceOut(Out):
    """How one member attended a meeting; `version` counts what happened in the class."""

    id: UUID
    version: int
    session_id: UUID
    membership_id: UUID
    person_id: UUID
    starts_on: date
    kind: str
    hours: Decimal
    taken_at: datetime = Field(description="When it was taken; of several marks the one taken last counts.")
    recorded_at: datetime = Field(description="When it reached the service.")
    corrects: UUID | None = Field(description="The mark that it corrects, where it is a correction.")
    counts: bool


class AssessmentOut(Out):
    """An assessment of a class."""

    id: UUID
    class_id: UUID
    name: str
    max_mark: Decimal
    pass_mark: Decimal
    weight: Decimal
    required: bool
    part_of: UUID | None = Field(description="The assessment of which it is a component.")


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
    """Hours in the enterprise of one who attends; the enterprise reads a name where the person consents to it."""

    membership_id: UUID
    name_native: str | None
    name_latin: str | None
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
    mark: Decimal | None = Field(description="With components: what comes of theirs, rounded down.")
    passed: bool
    parts: list[AssessedOut]


class ConditionOut(ReasonOut):
    """One condition of completion, with what is required and there, in words."""

    met: bool


class CompletionOut(Out):
    """What counts of a membership so far, and each condition of its completion."""

    id: UUID
    attempt: int
    met: bool
    unmet: list[ReasonOut]
    rules: list[ConditionOut] = Field(description="Every condition, met or not.")
    hours_counted: Decimal
    hours_attended: Decimal
    attendance_percent: Decimal | None
    min_attendance_percent: int
    assessments: list[AssessedOut]
    score: Decimal | None
    enterprise_hours_required: Decimal | None
    enterprise_hours_confirmed: Decimal


class AtRiskOut(Out):
    """Somebody who is at risk of not completing a class, and why."""

    membership_id: UUID
    person_id: UUID
    class_id: UUID
    state: str
    hours_counted: Decimal
    hours_attended: Decimal
    attendance_percent: Decimal | None
    min_attendance_percent: int
    hours_left: Decimal = Field(description="Hours of the meetings that were not held yet.")
    hours_to_miss: Decimal = Field(description="Hours of them that may still be missed; below 0: out of reach.")
    reasons: list[ReasonOut]


MembershipOut.model_rebuild()


class Parts(Limited):
    """A page of what stands in a class."""

    after: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        default=None, description="The `next` of the page before."
    )


class SessionsAsked(Parts):
    """A page of meetings."""

    from_on: date | None = None
    to_on: date | None = None


class TimetableAsked(SessionsAsked):
    """A page of meetings of any class."""

    class_id: UUID | None = None
    taught_by: UUID | None = Field(default=None, description="The account of whoever teaches them.")


class AtRiskAsked(Parts):
    """A page of those at risk; it may be short, or empty, and yet not the last."""

    margin_hours: Annotated[Decimal, Field(ge=0, le=1000, max_digits=8, decimal_places=2)] | None = Field(
        default=None, description="Also tell of whoever may miss no more hours than these."
    )


class AttendanceAsked(Parts):
    """A page of attendance."""

    replaced: bool = Field(default=False, description="Also those that no longer count.")

    session_id: UUID | None = None
    membership_id: UUID | None = None


class MarksAsked(Parts):
    """A page of marks."""

    assessment_id: UUID | None = None
    membership_id: UUID | None = None
