"""Placement requests as clients read them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Out, StatefulOut


class PartyOut(Out):
    """An enterprise or an agency."""

    id: UUID
    name_native: str
    name_latin: str
    country: str
    time_zone: str


class ChangeOut(Out):
    """One thing that is to be changed."""

    field: str
    reason_code: str


class PlacementRequestOut(StatefulOut):
    """What an enterprise asks for, and how many of its seats are gone."""

    organisation_id: UUID
    organisation: PartyOut
    agency_id: UUID | None
    agency: PartyOut | None
    title: str
    occupation: str = Field(description="ISCO-08.")
    field: str | None
    destination: str
    pathway: str
    nationalities: list[str]
    seats: int
    offered: int = Field(description="Reserved by open offers.")
    taken: int = Field(description="Held by placements of people who have not left.")
    used: int = Field(description="Used up by departures.")
    free: int
    terms: dict[str, Any]
    options: list[str]
    levels_asked: dict[str, Any]
    no_fee_for_workers: bool
    opens_on: date | None
    closes_on: date | None
    planned_departure_on: date | None
    starts_on: date | None
    ends_on: date | None
    changes: list[ChangeOut] | None = Field(description="What the enterprise was asked to change.")
