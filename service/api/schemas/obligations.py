"""Obligations as clients read them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Out, StatefulOut


class RuleSourceOut(Out):
    """Where a rule was read, and how much that is worth."""

    text: str
    url: str | None
    checked_on: date | None
    evidence: str
    pack: str


class ObligationOut(StatefulOut):
    """What somebody owes by a day, by which rule, and what opened it."""

    subject_kind: str
    subject_id: UUID
    person_id: UUID | None
    organisation_id: UUID | None = Field(description="The organisation that owes it, where one does.")
    rule: str
    title: str
    pin: str = Field(description="The pack that has the rule, and its version; `house` has those by dates alone.")
    event: str = Field(description="What opened it.")
    period: str = Field(description="Which time of several: a number, a day, or the end of what runs out.")
    event_on: date
    due_on: date | None = Field(description="Its last day; null where the source names no time.")
    zone: str = Field(description="Where that day ends.")
    overdue: bool
    owed_by: list[str]
    documents: list[UUID]
    done_on: date | None
    source: RuleSourceOut | None
