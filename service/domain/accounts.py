"""Accounts and appointments: what somebody is to an institution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import (
    ADMIN,
    AGENCY,
    COORDINATOR,
    ENTERPRISE,
    GUARDIAN,
    PARTNER,
    SIGHTS,
    SYSTEM,
    TRAINEE,
    Role,
    Sight,
)
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes

GRANTABLE = tuple(r for r in Role if r is not SYSTEM)
OF_ORGANISATION = frozenset({ENTERPRISE, AGENCY, PARTNER})
OF_PERSON = frozenset({TRAINEE, GUARDIAN})


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentDossier(Dossier):
    """All that the rules of an appointment may know.

    `ours`: the account is of this institution alone. `keys`: those of machines that are live.
    """

    roles: tuple[str, ...] = ()
    organisation_id: UUID | None = None
    account_id: UUID | None = None
    ours: bool = False
    keys: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAppointment(Dossier):
    """What is known when somebody is appointed: the account by its e-mail, and whether what is named is there.

    `becomes_shared`: another institution made the account, and none but that had appointed it yet.
    """

    account_id: UUID | None = None
    has_password: bool = False
    becomes_shared: bool = False
    organisation_known: bool = False
    persons_known: int = 0
    asked_by: tuple[str, ...] = ()


def _roles_fit(roles: Sequence[str]) -> Reason | None:
    if len({SIGHTS[Role(r)] for r in roles}) != 1:
        return Reason(
            "roles_of_one_kind",
            required=[[r for r in GRANTABLE if SIGHTS[r] == s] for s in dict.fromkeys(SIGHTS.values())],
            pointer="/roles",
        )
    return None


def fits_roles(a: NewAppointment, given: Given) -> Reason | None:
    """Staff, persons and other organisations' people have different eyes; each appointment has one pair."""
    roles = given["roles"]
    if (no := _roles_fit(roles)) is not None:
        return no
    if OF_ORGANISATION & set(roles) and not a.organisation_known:
        return Reason("organisation_known", pointer="/organisation_id")
    persons = given.get("person_ids") or ()
    if OF_PERSON & set(roles) and (not persons or a.persons_known != len(set(persons))):
        return Reason("persons_known", pointer="/person_ids")
    return None


def staff_by_admin(a: NewAppointment, given: Given) -> Reason | None:
    """An administrator appoints the staff: nobody gives themselves or others more than they have."""
    if ADMIN not in a.asked_by and any(SIGHTS[Role(r)] is Sight.STAFF for r in given["roles"]):
        return Reason("role", required=[ADMIN], actual=sorted(a.asked_by), pointer="/roles")
    return None


def keeps_sight(a: AppointmentDossier, given: Given) -> Reason | None:
    """Other roles may not change whose eyes an appointment is, and there is one at least."""
    roles = given.get("roles")
    if roles is None:
        return None
    return _roles_fit([*roles, *a.roles]) if roles else Reason("input_required", required="roles", pointer="/roles")


def account_ours(a: AppointmentDossier) -> Reason | None:
    """A new password opens the account everywhere: only where it was made, and while nobody else appointed it."""
    return None if a.ours else Reason("account_ours")


def key_live(a: AppointmentDossier, given: Given) -> Reason | None:
    """A key is revoked once."""
    return None if given["key_id"] in a.keys else Reason("key_live", pointer="/key_id")


ROLES: Takes[Any] = Takes(
    "roles",
    tuple[str, ...],
    "What the account is to the institution.",
    choices=[r.value for r in GRANTABLE],
    code="role_known",
)
PERSONS: Takes[Any] = Takes("person_ids", tuple[UUID, ...], "The trainee, or those in a guardian's care.", needed=False)
KEY: Takes[Any] = Takes("key_id", UUID, "The key of a machine.")
UNITS: Takes[Any] = Takes("unit_ids", tuple[UUID, ...], "The units somebody works for; none is all.", needed=False)

# fmt: off
APPOINTMENT = Lifecycle[Any]("appointment", [
    #    action     from       to       who                   only if  leaves behind
    Rule("appoint", [NEW],     "held",  [ADMIN, COORDINATOR], [],      "appointment.made", takes=[
        Takes("email", Annotated[str, "email"], "The address by which the account signs in."),
        Takes("name", Annotated[str, "line"], "The name of whoever it belongs to."),
        Takes("locale", str, "The language they read.", needed=False, choices=["en", "zh"]),
        ROLES, PERSONS, UNITS,
        Takes("organisation_id", UUID, "For enterprises, agencies and partners: whose people they are.", needed=False)],
        checks=[fits_roles, staff_by_admin]),
    Rule("edit",    ["held"],  "held",  [ADMIN],              [],      "appointment.edited",
         takes=[Takes("roles", tuple[str, ...], "Other roles.", needed=False, choices=ROLES.choices, code="role_known"), PERSONS, UNITS],
         checks=[keeps_sight]),
    Rule("reset",   ["held"],  "held",  [ADMIN],              [account_ours], "appointment.reset"),
    Rule("make_key", ["held"], "held",  [ADMIN],              [],      "appointment.key_made", takes=[KEY]),
    *[Rule("revoke_key", [state], state, [ADMIN],             [],      "appointment.key_revoked", takes=[KEY], checks=[key_live])
      for state in ("held", "ended")],
    Rule("end",     ["held"],  "ended", [ADMIN],              [],      "appointment.ended"),
], correctable=False)
# fmt: on
