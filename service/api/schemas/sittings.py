"""Sittings of language tests and registrations as clients read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import StatefulOut


class SittingOut(StatefulOut):
    """One day of a test at one place, with the places that the institution has there."""

    test: str
    level: str | None = Field(description="The level, or the paper that gives several.")
    place: str
    time_zone: str
    held_on: date
    register_until: date = Field(description="The last day on which one can register, as it is reckoned at the place.")
    places: int
    taken: int
    fee: Decimal | None
    currency: str | None


class SittingRegistrationOut(StatefulOut):
    """Somebody's place in a sitting, and what came of it."""

    person_id: UUID
    name_native: str
    name_latin: str
    sitting_id: UUID
    test: str
    level: str | None
    held_on: date
    place: str
    admission_no: str | None
    certificate_id: UUID | None = Field(description="The certificate that the result left, for another to verify.")
    ended_because: str | None
