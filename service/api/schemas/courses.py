"""Courses of the catalogue as clients read them."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import StatefulOut


class CourseOut(StatefulOut):
    """One edition of a course, of our own or a partner's."""

    owner_id: UUID | None = Field(description="The partner that teaches it; null for a course of our own.")
    code: str
    edition: int = Field(description="Goes up where the course is published anew; an edition never changes.")
    title_native: str
    title_latin: str
    credits: Decimal = Field(description="Credits in the owner's scheme.")
    hours: int | None
    kind: Literal["theory", "practice", "placement"]
