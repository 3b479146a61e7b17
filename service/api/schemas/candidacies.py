"""Candidacies as clients read them; what the consent does not show is masked."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Out, StatefulOut
from service.api.schemas.trainees import Masked


class CandidateOut(Out):
    """The person, as far as whoever asks may see them."""

    id: UUID
    name_native: str | Masked
    name_latin: str | Masked
    sex: str | Masked | None
    birth_on: date | Masked
    nationality: str | Masked
    origin: str | Masked | None
    language: str | Masked
    email: str | Masked | None
    phone: str | Masked | None
    passport_country: str | Masked | None
    passport_expires_on: date | Masked | None


class EmployerOut(Out):
    """Who asks for people."""

    id: UUID
    name_native: str
    name_latin: str
    country: str


class AskedForOut(Out):
    """The request in short."""

    id: UUID
    state: str
    title: str
    occupation: str
    destination: str
    pathway: str
    terms: dict[str, Any]
    starts_on: date | None
    organisation: EmployerOut


class ClockOut(Out):
    """An instant as the clocks of a place show it."""

    time_zone: str
    local: str = Field(description="YYYY-MM-DDTHH:MM there.")


class InterviewOut(Out):
    """A slot, at the institution and at the enterprise."""

    at: datetime
    minutes: int | None
    place: str | None
    clocks: list[ClockOut]


class AssessmentOut(Out):
    """What the enterprise's choice rests on."""

    kind: str
    score: str | None
    reason_code: str | None


class CandidacyOut(StatefulOut):
    """A person for a request."""

    person_id: UUID
    person: CandidateOut
    request_id: UUID
    request: AskedForOut
    consent_id: UUID | None
    pins: list[str] | None = Field(description="The packs whose rules hold, key and version.")
    rank: int | None
    interview: InterviewOut | None
    assessment: AssessmentOut | None
    terms: dict[str, Any] | None = Field(description="The terms of the offer.")
    differences: list[str] | None = Field(description="Terms that are less good than the approved ones.")
    offered_on: date | None
    offer_ends_at: datetime | None
    offer_ends: list[ClockOut] | None
    placement_id: UUID | None
    critical: bool = Field(description="The next step has less room than the margin of the plan.")
    late: bool = Field(description="The day that the request names can no longer be met.")
    transfer_of: UUID | None = Field(description="The placement that it would carry over to this request.")
