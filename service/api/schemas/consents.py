"""Consents as clients read them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import StatefulOut


class ConsentOut(StatefulOut):
    """What a person was asked, and what they decided."""

    person_id: UUID
    purpose: str
    recipient_id: UUID | None
    fields: list[str]
    notice: dict[str, Any] = Field(description="What the person was told before they decided.")
    given_on: date | None
    ends_on: date | None
    in_force: bool = Field(description="Given, not withdrawn, and its last day has not passed.")
