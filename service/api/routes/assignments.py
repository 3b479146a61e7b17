"""Assignments over HTTP: the caseloads of coordinators."""

from __future__ import annotations

from service.actions.assignments import SUBJECT
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.assignments import AssignmentOut
from service.storage.assignments import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    AssignmentOut,
    policy="assignments.read",
    tag="assignments",
    births={"assign": Birth("person_id", summary="Give a person into a coordinator's care")},
    summaries={
        "hand_over": "Hand a person over to another coordinator",
        "deputise": "Let another coordinator stand in for a time",
        "call_back": "Call the deputy back",
        "end": "End the care for a person",
    },
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
