"""Certificates as clients read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Out, StatefulOut
from service.api.schemas.trainees import Masked


class CertificateOut(StatefulOut):
    """A certificate of a person, as it states itself."""

    person_id: UUID
    kind: str
    test: str | None
    scheme: str | None = Field(description="The version of the test by which it was read, by the day of the test.")
    form: str | None
    issuer: str | None
    field: str | None
    paper: str | None
    level: str | None = Field(
        description="As its scores give it, or as the certificate shows it; null where not passed."
    )
    cefr: str | None = Field(description="By the tables of the day of the test; null where none is stated.")
    passed: bool | None = Field(description="Null where it cannot be told, or there is nothing to pass.")
    total_score: Decimal | None
    section_scores: dict[str, Any]
    taken_on: date | None
    result_on: date | None
    issued_on: date | None
    valid_until: date | None = Field(description="The last day, where the issuer states one.")
    expired: bool
    number: Masked | None
    document_id: UUID | None
    recorded_by: UUID
    verified_by: UUID | None
    ended_because: str | None


class NumberOut(Out):
    """The number of a certificate."""

    id: UUID
    number: str | None
