"""What requirement packs ask for, as it was handed in."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import StatefulOut


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
