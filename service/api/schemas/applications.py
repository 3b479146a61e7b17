"""Applications as clients read them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import StatefulOut


class ApplicationOut(StatefulOut):
    """One person's application to one intake."""

    person_id: UUID
    intake_id: UUID
    education_level: int | None = Field(description="The highest level of education reached (ISCED 2011).")
    submitted_on: date | None
    documents_asked: list[str] = Field(description="The kinds of document that were asked for last.")
    source: str | None = Field(description="The source of the plan under which it counts, once it is eligible.")
    rank: int | None = Field(description="The rank on the waiting list.")
    reason_code: str | None
    enrolment_id: UUID | None = Field(description="The enrolment that its selection made.")
