"""Sittings over HTTP: announced, registered for, sat."""

from __future__ import annotations

from service.actions.sittings import REGISTRATIONS, SITTINGS
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.sittings import SittingOut, SittingRegistrationOut
from service.storage.sittings import REGISTRATION_VIEW, VIEW

SITTING = Resource(
    SITTINGS,
    VIEW,
    SittingOut,
    policy="sittings.read",
    tag="sittings",
    births={"announce": Birth(summary="Announce a sitting of a language test")},
    summaries={"edit": "Change a sitting", "cancel": "Cancel a sitting, and every registration for it"},
)
REGISTRATION = Resource(
    REGISTRATIONS,
    REGISTRATION_VIEW,
    SittingRegistrationOut,
    policy="sitting_registrations.read",
    tag="sittings",
    births={"register": Birth("person_id", extra=("sitting_id",), summary="Register somebody for a sitting")},
    summaries={
        "edit": "Note the number of the admission ticket",
        "sit": "Note that somebody has sat",
        "record_result": "Record a result, which becomes a certificate",
        "withdraw": "Withdraw from a sitting",
    },
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(SITTING), routes_of(REGISTRATION)]
