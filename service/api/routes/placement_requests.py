"""Placement requests over HTTP."""

from __future__ import annotations

from service.actions.placement_requests import SUBJECT
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.placement_requests import PlacementRequestOut
from service.storage.placement_requests import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    PlacementRequestOut,
    policy="placement_requests.read",
    tag="placement requests",
    births={"draft": Birth(extra=("organisation_id", "agency_id"), summary="Draft a placement request")},
    summaries={
        "edit": "Change a request before it is looked at",
        "request_changes": "Ask the enterprise to change the request",
        "replace_seat": "Give back the seat of somebody who left it",
    },
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
