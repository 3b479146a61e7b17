"""Trainees as clients read them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from service.api.inputs import In
from service.api.schemas.common import Asking, Out, StatefulOut


class Masked(Out):
    """A field that is there but shut."""

    masked: Literal[True]
    reason: str


class ExternalIdOut(Out):
    """What another system calls the person."""

    system: str
    value: str


class TraineeOut(StatefulOut):
    """A person as the institution knows them."""

    name_native: str
    name_latin: str
    sex: str | None
    birth_on: date | None = Field(description="Null only where the person was erased.")
    nationality: str
    unit_id: UUID | None
    origin: str | None
    email: str | None
    phone: str | None
    language: str
    stage: str = Field(description="Where the person's journey stands.")
    passport_country: str | None
    passport_expires_on: date | None
    passport: Masked | None
    identity_no: Masked | None
    guardian: Masked | None
    available_from: date | None
    available_until: date | None
    erasure_asked_on: date | None
    survivor_id: UUID | None = Field(description="The record to which this one was joined: writes go there.")
    erased_at: datetime | None = Field(description="When everything that says who they are was erased.")
    external_ids: list[ExternalIdOut]


class PurposeIn(In):
    """Why sealed fields are opened; the trainee can read it."""

    purpose: Annotated[str, StringConstraints(min_length=3, max_length=300)]


class PassportOut(Out):
    """A passport in the clear."""

    number: str
    surname: str
    given_names: str
    mrz: list[str]


class GuardianOut(Out):
    """Who decides for a minor."""

    name: str
    relation: str
    phone: str


class SealedOut(Out):
    """What was sealed."""

    id: UUID
    passport: PassportOut | None
    identity_no: str | None
    guardian: GuardianOut | None


class OpeningOut(Out):
    """One opening of sealed fields."""

    id: UUID
    account_id: UUID
    fields: list[str]
    purpose: str
    opened_at: datetime


class OpeningsOut(Out):
    """Who opened what, newest first."""

    items: list[OpeningOut]


class ExternalIdQuery(Asking):
    """What another system calls somebody."""

    system: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    value: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class FoundOut(Out):
    """Whom it names."""

    id: UUID
