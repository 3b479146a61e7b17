"""The cost ledger over HTTP."""

from __future__ import annotations

from service.actions.costs import SUBJECT
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.costs import CostOut
from service.storage.costs import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    CostOut,
    policy="costs.read",
    tag="costs",
    births={
        "record": Birth(
            anchor="person_id", extra=("placement_id", "candidacy_id", "receipt_id"), summary="Record a payment"
        )
    },
    summaries={"repay": "Record that a payment was paid back"},
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
