"""Consents over HTTP."""

from __future__ import annotations

from service.actions.consents import SUBJECT
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.consents import ConsentOut
from service.storage.consents import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    ConsentOut,
    policy="consents.read",
    tag="consents",
    births={"request": Birth("person_id", extra=("recipient_id",), summary="Ask a person for consent")},
    summaries={"give": "Give consent", "refuse": "Refuse consent", "withdraw": "Withdraw consent, at any time"},
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
