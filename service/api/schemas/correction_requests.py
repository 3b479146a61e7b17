"""Correction requests as clients read them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import StatefulOut
from service.api.schemas.obligations import RuleSourceOut


class CorrectionRequestOut(StatefulOut):
    """What a person says is wrong, by when they are answered, and what became of it."""

    person_id: UUID
    subject: str = Field(description="The kind of thing that is said to be wrong.")
    subject_id: UUID
    field: str | None
    wrong: str | None = Field(description="In the person's own words; null where they can no longer be read.")
    right: str | None
    documents: list[UUID]
    filed_on: date
    due_on: date = Field(description="The last day for an answer.")
    overdue: bool
    rule: str = Field(description="The rule that says by when.")
    source: RuleSourceOut | None
    corrected_by: UUID | None = Field(description="The act that corrected it: its `action_id` stands in the events.")
    refused_because: str | None
    remedies: str | None = Field(description="Once refused: where the person can complain, in the reader's language.")
