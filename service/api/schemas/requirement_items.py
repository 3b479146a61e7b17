"""What requirement packs ask for, as it was handed in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Out, StatefulOut


class RequirementItemOut(StatefulOut):
    """One thing that was handed in for a request, a person, a candidacy or a placement."""

    subject_kind: str
    subject_id: UUID
    person_id: UUID | None
    key: str
    issued_on: date | None
    valid_from: date | None
    valid_until: date | None
    documents: list[UUID]
    value: dict[str, Any]
    waived_by: UUID | None = Field(description="The account of the coordinator who let it go.")
    waived_because: str | None = Field(description="The coded reason of the waiver.")


class WaiverOut(Out):
    """A requirement that was let go, and stands so."""

    id: UUID = Field(description="The requirement item; its events tell what was before.")
    version: int
    subject_kind: str
    subject_id: UUID
    person_id: UUID | None
    key: str
    waived_because: str = Field(description="The coded reason.")
    approver_id: UUID = Field(description="The account that let it go.")
    approver: str | None = Field(description="The name of that account.")
    waived_on: date
    waived_at: datetime = Field(description="When it was written down.")
    evidence: list[UUID]
    pins: list[str] | None = Field(description="The packs pinned to the candidacy or placement that it is of.")
