"""What requirement packs ask for, as it was handed in."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

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
