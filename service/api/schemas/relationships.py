"""Organisations and an institution's relationships with them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints

from service.api.schemas.common import Asking, Out, StatefulOut


class OrganisationOut(Out):
    """An identity that all institutions share."""

    id: UUID
    kind: str
    name_native: str
    name_latin: str
    country: str
    time_zone: str
    registration_no: str | None
    natural_person: bool
    chinese_funded: bool


class RelationshipOut(StatefulOut):
    """An institution's tie to an organisation, with what it verified."""

    role: str
    licence_no: str | None
    valid_until: date | None
    expired: bool
    facts: dict[str, Any]
    organisation: OrganisationOut


class FindOrganisation(Asking):
    """An organisation by its number in its country's register."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    registration_no: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class OrganisationsOut(Out):
    """The organisation, or none."""

    items: list[OrganisationOut]
