"""Signing in, appointments and keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import EmailStr, Field, StringConstraints

from service.api.inputs import In
from service.api.schemas.common import MovedOut, Out, StatefulOut
from service.domain.actors import Role

Password = Annotated[str, StringConstraints(min_length=12, max_length=200)]


class SignInIn(In):
    """Who signs in; with several appointments, to which institution and as what."""

    email: EmailStr = Field(examples=["coordinator@north.example"])
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(examples=["a long passphrase"])
    institution: UUID | None = None
    role: Role | None = None


class TokenOut(Out):
    """A bearer token of exactly one institution."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a kind
    expires_at: datetime
    institution: UUID
    institution_name: str
    roles: list[str]


class InvitationIn(In):
    """The secret of the link, and the password to set."""

    secret: Annotated[str, StringConstraints(min_length=20, max_length=200)]
    password: Password


class PasswordIn(In):
    """The password as it was, and as it shall be."""

    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    new_password: Password


class MeOut(Out):
    """Who asks."""

    account_id: UUID
    institution: UUID
    roles: list[str]
    organisation_id: UUID | None
    person_ids: list[UUID]
    unit_ids: list[UUID]


class AppointmentOut(StatefulOut):
    """What an account is to the institution."""

    account_id: UUID
    name: str
    email: str | None
    kind: str
    roles: list[str]
    organisation_id: UUID | None
    person_ids: list[UUID]
    unit_ids: list[UUID]


class AppointedOut(MovedOut):
    """An appointment, with the secret of the invitation, shown this once, where the account is new."""

    invitation: str | None


class KeyIn(In):
    """A key for a machine."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    appointment_id: UUID
    days: Annotated[int, Field(ge=1, le=366)] = 90


class KeyMadeOut(Out):
    """A key, shown this once."""

    id: UUID
    key: str
    expires_at: datetime


class KeyOut(Out):
    """A key without its secret."""

    id: UUID
    version: int
    name: str | None
    appointment_id: UUID
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class KeysOut(Out):
    """The keys of the institution."""

    items: list[KeyOut]
