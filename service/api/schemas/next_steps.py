"""Next steps as clients read them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import OfferOut, Out
from service.api.schemas.placements import AlternativeOut


class WhoOut(Out):
    """Somebody's role, and its name."""

    role: str
    label: str


class HandInOut(Out):
    """Where something that was never handed in is handed in, and under which names."""

    href: str
    subject_id: UUID
    key: str


class NeedOut(Out):
    """One thing that stands against the next step: a reason of the action's own guards, whose it is, by when."""

    code: str
    text: str
    pointer: str | None
    required: Any
    actual: Any
    who: list[WhoOut] = Field(description="Who must see to it.")
    yours: bool = Field(description="Whether whoever asks is among them.")
    due_on: date | None
    key: str | None = Field(description="The row of a requirement pack that asks for it, where one does.")
    title: str | None = Field(description="What it is, as the pack names it.")
    item: str | None = Field(description="Under which key it is handed in.")
    item_id: UUID | None = Field(description="What was handed in already.")
    alternatives: list[AlternativeOut]
    hand_in: HandInOut | None = Field(description="Where whoever asks hands it in, where they can.")


class StepOut(Out):
    """The action that leads on."""

    action: str
    label: str
    to: list[str]
    who: list[WhoOut] = Field(description="Who must take it.")
    yours: bool
    ready: bool = Field(description="Whether nothing stands against it.")
    due_on: date | None
    overdue: bool


class PossibleOut(OfferOut):
    """Something that whoever asks can do now, and where."""

    method: str
    href: str


class PartOut(Out):
    """One running part of a journey."""

    subject: str
    subject_id: UUID
    title: str | None
    state: str
    state_label: str
    version: int
    since_on: date
    href: str
    next: StepOut
    needed: list[NeedOut]
    actions: list[PossibleOut] = Field(description="What whoever asks can do with it now.")


class NextStepsOut(Out):
    """What is next for a person, their own to do first, by day."""

    person_id: UUID
    stage: str
    stage_label: str
    parts: list[PartOut]


class MyNextStepsOut(Out):
    """What is next for the person who asks; for whoever has several in their care, for each."""

    items: list[NextStepsOut]
