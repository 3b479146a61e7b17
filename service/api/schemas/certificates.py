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
    form: str | None
    issuer: str | None
    field: str | None
    level: str | None
    total_score: Decimal | None
    section_scores: dict[str, Any]
    taken_on: date | None
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
