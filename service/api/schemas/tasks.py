"""Tasks: what waits for whoever asks."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from service.api.inputs import Day
from service.api.schemas.common import Limited, Out
from service.domain.tasks import TASKS


class TaskOut(Out):
    """One thing to do: about what, which action, by when."""

    task: str
    label: str = Field(description="What there is to do, in the reader's language.")
    subject: str
    subject_id: UUID
    person_id: UUID | None
    about: str | None = Field(description="Which one of its kind: the rule of an obligation, the item handed in.")
    action: str = Field(description="The action of the subject that does it.")
    since_on: date
    due_on: date | None
    overdue: bool


class TasksOut(Out):
    """Tasks in the order of their days; those without one come last."""

    items: list[TaskOut]
    next: str | None = Field(description="Give it as `after` for the next page; null at the end.")


class TasksQuery(Limited):
    """Which tasks."""

    after: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        default=None, description="The `next` of the page before."
    )
    task: Literal[TASKS] | None = Field(default=None, description="Only tasks of this kind.")  # type: ignore[valid-type]
    due_until: Day | None = Field(default=None, description="Only those due by this day.")
    overdue: bool | None = Field(default=None, description="Only those whose day is over, or is not.")
    person_id: UUID | None = Field(default=None, description="Only those about this person.")
    mine: bool | None = Field(default=None, description="Only those about people in my care, as theirs or as deputy.")
