"""Correction requests over HTTP."""

from __future__ import annotations

from typing import Any

from service.actions.correction_requests import SUBJECT, opened
from service.api.messages import words
from service.api.operations import Asked, Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.correction_requests import CorrectionRequestOut
from service.storage.correction_requests import VIEW
from service.storage.rights import source_of


def _present(asked: Asked, row: dict[str, Any]) -> dict[str, Any]:
    remedies = words("correction_remedies", asked.language) if row["state"] == "refused" else None
    return opened(asked.services, asked.call, row) | {"source": source_of(row["rule"]), "remedies": remedies}


RESOURCE = Resource(
    SUBJECT,
    VIEW,
    CorrectionRequestOut,
    policy="correction_requests.read",
    tag="correction_requests",
    births={"file": Birth("person_id", summary="Say what is wrong in what is kept of a person")},
    summaries={
        "accept": "Say that it will be corrected",
        "settle": "Name the act that corrected it",
        "refuse": "Refuse to correct, with a reason and words that the person reads",
    },
    present=_present,
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
