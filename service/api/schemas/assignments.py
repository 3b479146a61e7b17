"""Assignments as clients read them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from service.api.schemas.common import StatefulOut


class AssignmentOut(StatefulOut):
    """Whose care a person is in, and who stands in from when to when."""

    person_id: UUID
    coordinator_id: UUID
    deputy_id: UUID | None
    deputy_from_on: date | None
    deputy_until_on: date | None
