"""Who acts: roles, what a token lets its holder see, and the actor of one call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What somebody is to an institution; the names stand in lifecycles, permissions and events."""

    TRAINEE = "trainee"
    GUARDIAN = "guardian"
    COORDINATOR = "coordinator"
    INSTRUCTOR = "instructor"
    REGISTRAR = "registrar"
    ENTERPRISE = "enterprise"
    AGENCY = "agency"
    PARTNER = "partner"
    READER = "reader"
    ADMIN = "admin"
    SYSTEM = "system"


class Sight(StrEnum):
    """Whose eyes: an institution's staff, one person's own, or another organisation's."""

    STAFF = "s"
    PERSON = "p"
    ORGANISATION = "o"


TRAINEE, GUARDIAN, COORDINATOR = Role.TRAINEE, Role.GUARDIAN, Role.COORDINATOR
INSTRUCTOR, REGISTRAR, ENTERPRISE = Role.INSTRUCTOR, Role.REGISTRAR, Role.ENTERPRISE
AGENCY, PARTNER, READER, ADMIN, SYSTEM = Role.AGENCY, Role.PARTNER, Role.READER, Role.ADMIN, Role.SYSTEM

SIGHTS: dict[Role, Sight] = {
    TRAINEE: Sight.PERSON,
    GUARDIAN: Sight.PERSON,
    ENTERPRISE: Sight.ORGANISATION,
    AGENCY: Sight.ORGANISATION,
    PARTNER: Sight.ORGANISATION,
    COORDINATOR: Sight.STAFF,
    INSTRUCTOR: Sight.STAFF,
    REGISTRAR: Sight.STAFF,
    READER: Sight.STAFF,
    ADMIN: Sight.STAFF,
    SYSTEM: Sight.STAFF,
}

RECORDABLE = frozenset({TRAINEE, GUARDIAN, INSTRUCTOR, ENTERPRISE, AGENCY, PARTNER})
"""Parties whose step a coordinator may record for them, with evidence."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts in one call, as the database knew it when the call began."""

    account_id: UUID
    roles: frozenset[Role]
    sight: Sight = Sight.STAFF
    organisation_id: UUID | None = None
    person_ids: tuple[UUID, ...] = ()
    unit_ids: tuple[UUID, ...] = ()


SYSTEM_ACCOUNT = UUID(int=0)
THE_SYSTEM = Actor(SYSTEM_ACCOUNT, frozenset({SYSTEM}))
"""Timers and consequences act under this name."""
