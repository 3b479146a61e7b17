"""Enrolments as clients read them."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import StatefulOut


class EnrolmentOut(StatefulOut):
    """One person's way through a programme."""

    person_id: UUID
    application_id: UUID
    intake_id: UUID
    programme_id: UUID
    curriculum_id: UUID | None = Field(description="By which curriculum they study; fixed when they enrol.")
    source: str
    holds_place: bool
    stage: int
    fee: Literal["paid", "scholarship", "hardship", "employer_pays", "no_fee"] | None
    leave_from: date | None
    leave_until: date | None
    reason_code: str | None
    abroad: bool = Field(description="Whether the person is abroad for an exchange or a placement.")
