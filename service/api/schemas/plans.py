"""Plans backward from the flight, and what needs attention."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from service.api.inputs import Day
from service.api.schemas.common import Limited, Out
from service.domain.tasks import ATTENTION


class PlanStepOut(Out):
    """One stage that is still to be reached."""

    stage: str
    action: str
    earliest_on: date | None = Field(description="What is granted before it would no longer be good on the flight.")
    expected_on: date = Field(description="Counted forward from today by the usual durations.")
    latest_on: date = Field(description="Counted back from the flight by the usual durations.")
    slack_days: int
    critical: bool
    source: str | None = Field(description="Where the duration before this step comes from; null: as the plan's.")
    evidence: str | None


class TestDayOut(Out):
    """A day on which a test that serves can still be sat, so that its result comes in time."""

    id: UUID = Field(description="The sitting.")
    test: str
    level: str | None
    held_on: date
    register_until: date
    result_by: date = Field(description="The day by which its result is reckoned with.")


class PlanPaperOut(Out):
    """Something that is still to be handed in, or runs out before it is needed for the last time."""

    key: str
    title: str
    subject: str
    state: str
    owed_by: list[str]
    needed_before: str
    earliest_on: date | None = Field(description="An earlier issue would be too old on the day it is needed.")
    latest_on: date
    valid_until: date | None
    runs_out: bool
    test_days: list[TestDayOut] = Field(description="For a test: when it can be sat in time, the last chance first.")


class PlanOut(Out):
    """The way of a placement or a candidacy to the day that it aims at."""

    id: UUID
    person_id: UUID | None
    state: str
    pathway: str
    aim: str | None = Field(description="`departed`, or `active` where nobody departs; null where nothing is planned.")
    aim_on: date | None
    steps: list[PlanStepOut]
    papers: list[PlanPaperOut]
    critical: bool = Field(description="The next step has less room than the margin.")
    critical_on: date | None = Field(description="The first day on which it is so.")
    late: bool = Field(description="Even at the least durations the day is missed.")
    late_on: date | None
    margin_days: int
    source: str = Field(description="Where the durations come from.")
    evidence: str


class PlansOut(Out):
    """A page of plans."""

    items: list[PlanOut]
    next: str | None = Field(description="Give it as `after` for the next page; null at the end.")


class PlansQuery(Limited):
    """Whose plans."""

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    after: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        default=None, description="The `next` of the page before."
    )
    destination: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    request_id: UUID | None = None
    intake_id: UUID | None = Field(default=None, description="Only people who are or were enrolled by this intake.")
    departs_from: Day | None = None
    departs_until: Day | None = None
    critical: bool | None = None
    late: bool | None = None
    mine: bool | None = Field(default=None, description="Only people in my care, as theirs or as deputy.")


class AttentionItemOut(Out):
    """One thing that needs attention."""

    attention: str
    label: str
    subject: str
    subject_id: UUID
    person_id: UUID | None
    about: str | None = Field(description="Which one of its kind: the rule of an obligation, the item handed in.")
    action: str = Field(description="What could be done about it.")
    since_on: date
    due_on: date | None = Field(description="The day that is missed or in danger.")
    overdue: bool


class AttentionOut(Out):
    """What needs attention, the most pressing day first."""

    items: list[AttentionItemOut]
    next: str | None = Field(description="Give it as `after` for the next page; null at the end.")


class AttentionQuery(Limited):
    """Which of it."""

    after: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        default=None, description="The `next` of the page before."
    )
    attention: Literal[ATTENTION] | None = Field(default=None, description="Only of this kind.")  # type: ignore[valid-type]
    due_until: Day | None = Field(default=None, description="Only what is missed or in danger by this day.")
    person_id: UUID | None = None
    mine: bool | None = Field(default=None, description="Only people in my care, as theirs or as deputy.")
