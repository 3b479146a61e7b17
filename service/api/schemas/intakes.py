"""Intakes as clients read them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Out, StatefulOut
from service.api.schemas.programmes import ProofOut


class QuotaOut(Out):
    """Places of the plan for one source of applicants."""

    source: str = Field(description="A province, a country, a class; * for whoever has none of their own.")
    places: int
    taken: int


class IntakeOut(StatefulOut):
    """A year's places in a programme."""

    programme_id: UUID
    code: str
    opens_on: date
    closes_on: date = Field(description="The last day, to its end.")
    starts_on: date
    level_least: int | None
    age_least: int | None
    age_most: int | None
    nationalities: list[str] = Field(description="Whom it takes; empty for everybody.")
    languages: list[ProofOut] = Field(description="Tests of language, one of which it asks for.")
    plan_authority: str | None
    plan_number: str | None
    plan_version: str | None
    quotas: list[QuotaOut]
