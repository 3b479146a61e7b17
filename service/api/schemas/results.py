"""Results as clients read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import StatefulOut


class ResultOut(StatefulOut):
    """What somebody achieved in a course or at work."""

    person_id: UUID
    source: Literal["home", "partner"]
    course_id: UUID | None
    course_code: str | None
    course_title: str
    owner: str | None = Field(description="Who taught or assessed it.")
    owner_id: UUID | None
    credits: Decimal
    scheme: str = Field(description="The credit scheme, with its version.")
    grade: str | None
    passed: bool
    achieved_on: date
    claimed_percent: Decimal = Field(description="How much of it live recognition cases claim.")
