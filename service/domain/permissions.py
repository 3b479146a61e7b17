"""Who may read and keep what: rows are permissions, cells are roles. Moves are in the lifecycles' own tables.

What stands here is asked before anything is shown; which rows are shown is asked of the scopes in storage.
"""

from __future__ import annotations

from service.domain.actors import (
    ADMIN,
    AGENCY,
    COORDINATOR,
    ENTERPRISE,
    GUARDIAN,
    INSTRUCTOR,
    PARTNER,
    READER,
    REGISTRAR,
    TRAINEE,
    Actor,
    Role,
)

STAFF = (COORDINATOR, INSTRUCTOR, REGISTRAR, ADMIN)
PEOPLE = (TRAINEE, GUARDIAN)
PARTIES = (ENTERPRISE, AGENCY, PARTNER)
ANYONE = (*STAFF, READER, *PEOPLE, *PARTIES)

# fmt: off
PERMISSIONS: dict[str, tuple[Role, ...]] = {
    # permission            who
    "me.read":              ANYONE,
    "units.read":           ANYONE,
    "organisations.read":   (*STAFF, READER, *PARTIES),
    "relationships.read":   (*STAFF, READER, *PARTIES),
    "accounts.read":        (ADMIN, COORDINATOR),
    "accounts.keep":        (ADMIN,),
    "keys.read":            (ADMIN,),
    "keys.keep":            (ADMIN,),
    "trainees.read":        (*STAFF, *PEOPLE),
    "trainees.open_sealed": (COORDINATOR, REGISTRAR, *PEOPLE),
    "trainees.export":      (COORDINATOR, REGISTRAR, ADMIN, *PEOPLE),
    "access.read":          (COORDINATOR, REGISTRAR, ADMIN, *PEOPLE),
    "documents.read":       (*STAFF, *PEOPLE, *PARTIES),
    "consents.read":        (COORDINATOR, REGISTRAR, ADMIN, *PEOPLE, *PARTIES),
    "correction_requests.read": (COORDINATOR, REGISTRAR, *PEOPLE),
    "courses.read":         (*STAFF, READER, *PEOPLE, PARTNER),
    "programmes.read":      (*STAFF, READER, *PEOPLE),
    "intakes.read":         (*STAFF, READER, *PEOPLE),
    "intakes.lists":        STAFF,
    "applications.read":    (*STAFF, *PEOPLE),
    "enrolments.read":      (*STAFF, *PEOPLE),
    "results.read":         (*STAFF, *PEOPLE),
    "conversions.read":     ANYONE,
    "recognition_cases.read": (COORDINATOR, REGISTRAR, ADMIN, *PEOPLE),
    "recognition_cases.weigh": (COORDINATOR, REGISTRAR, ADMIN),
    "recognition_rules.read": (*STAFF, READER, *PEOPLE),
    "partner_conversions.read": (*STAFF, READER),
    "ledger.read":          (COORDINATOR, REGISTRAR, ADMIN, *PEOPLE),
    "placement_requests.read": (*STAFF, READER, *PEOPLE, ENTERPRISE, AGENCY),
    "candidacies.read":     (*STAFF, *PEOPLE, ENTERPRISE),
    "placements.read":      (COORDINATOR, REGISTRAR, INSTRUCTOR, ADMIN, *PEOPLE, ENTERPRISE, AGENCY),
    "packs.read":           ANYONE,
    "packs.rehearse":       (COORDINATOR, ADMIN),
    "pack_versions.read":   (*STAFF, READER),
    "placements.interview": (COORDINATOR, REGISTRAR, *PEOPLE),
    "requirement_items.read": (COORDINATOR, REGISTRAR, INSTRUCTOR, ADMIN, *PEOPLE, ENTERPRISE, AGENCY),
    "waivers.read":         (COORDINATOR, REGISTRAR, ADMIN),
    "assignments.read":     (*STAFF, *PEOPLE),
    "next_steps.read":      (COORDINATOR, REGISTRAR, ADMIN, *PEOPLE),
    "attention.read":       (COORDINATOR, REGISTRAR, ADMIN),
    "obligations.read":     (*STAFF, *PEOPLE, ENTERPRISE, AGENCY),
    "costs.read":           (COORDINATOR, REGISTRAR, ADMIN, *PEOPLE),
    "classes.read":         (*STAFF, READER, *PEOPLE, ENTERPRISE),
    "classes.import":       (COORDINATOR, INSTRUCTOR),
    "memberships.read":     (*STAFF, *PEOPLE),
    "certificates.read":    (*STAFF, *PEOPLE),
    "certificates.open_sealed": (COORDINATOR, REGISTRAR, *PEOPLE),
    "imports.read":         (COORDINATOR, REGISTRAR, ADMIN),
    "sittings.read":        (*STAFF, READER, *PEOPLE),
    "sitting_registrations.read": (*STAFF, *PEOPLE),
    "sitting_registrations.load": (COORDINATOR, REGISTRAR),
    "events.read":          (COORDINATOR, REGISTRAR, ADMIN),
    "search.read":          STAFF,
    "reports.read":         (*STAFF, READER),
    "reports.keep":         (COORDINATOR, ADMIN),
    "targets.read":         (*STAFF, READER),
}
# fmt: on


def may(actor: Actor, permission: str) -> bool:
    """Whether one of the actor's roles has the permission; an unknown permission is nobody's."""
    return not actor.roles.isdisjoint(PERMISSIONS.get(permission, ()))
