"""Intakes as clients read them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from service.api.inputs import MARKS, Text
from service.api.schemas.common import Cursored, Out, StatefulOut
from service.api.schemas.documents import Kind
from service.api.schemas.programmes import ProofOut


class QuotaOut(Out):
    """Places of the plan for one source of applicants."""

    source: str = Field(description="A province, a country, a class; * for whoever has none of their own.")
    kind: Literal["province", "country", "order_class", "other", "any"] = Field(
        description="A province counts by region of origin, a country by nationality; the others are named."
    )
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
    documents: list[str] = Field(description="Kinds of document that it asks every applicant for.")
    plan_authority: str | None
    plan_number: str | None
    plan_version: str | None
    quotas: list[QuotaOut]


class WaitedForOut(QuotaOut):
    """A source, with who waits for its places."""

    left: int = Field(description="Places that are free now.")
    waiting: int
    next: UUID | None = Field(description="The application that is next by rank; null where nobody waits.")


class WaitingOut(Out):
    """An application that waits."""

    id: UUID
    version: int
    person_id: UUID
    source: str
    rank: int
    position: int = Field(description="1 is next for a place of its source.")
    since_on: date


class WaitingListOut(Out):
    """Who waits for which places, in order of rank."""

    sources: list[WaitedForOut]
    items: list[WaitingOut]
    next: str | None = Field(description="Give it as `after` for the next page; null at the end.")


class WaitingQuery(Cursored):
    """Of which source."""

    source: Annotated[str, MARKS["line"]] | None = None


class LackingOut(Out):
    """An application that lacks papers, or a test of language."""

    id: UUID
    version: int
    state: str
    person_id: UUID
    source: str | None
    missing: list[Kind] = Field(description="Kinds of which no document is there that was not rejected.")
    rejected: list[Kind] = Field(description="Those of them that were handed in and rejected.")
    language: list[str] = Field(description="Tests of which none is proven; empty where one is.")
    held_back: list[str] = Field(description="Tests that they have, and the rule by which one does not do.")


class LackingQuery(Cursored):
    """Whose applications, and which papers."""

    kind: Kind | None = Field(default=None, description="Only those who lack this kind.")
    state: Text | None = None
    source: Annotated[str, MARKS["line"]] | None = None
    rejected: bool | None = Field(default=None, description="Only those of whom a paper was rejected, or was not.")
