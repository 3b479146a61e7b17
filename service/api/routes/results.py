"""Results over HTTP."""

from __future__ import annotations

from service.actions.results import SUBJECT
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.results import ResultOut
from service.storage.results import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    ResultOut,
    policy="results.read",
    tag="results",
    births={"record": Birth(anchor="person_id", summary="Record a result of a person")},
    summaries={"verify": "Verify a result against its evidence"},
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
