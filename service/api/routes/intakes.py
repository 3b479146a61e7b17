"""Intakes over HTTP."""

from __future__ import annotations

from service.actions.intakes import SUBJECT
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.intakes import IntakeOut
from service.storage.intakes import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    IntakeOut,
    policy="intakes.read",
    tag="intakes",
    births={"draft": Birth(anchor="programme_id", summary="Draft an intake of a programme")},
    summaries={
        "set_quotas": "Set the places of sources in the plan",
        "publish": "Publish an intake with the approval of its plan",
        "reschedule": "Change the closing date or the first day of study",
    },
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
