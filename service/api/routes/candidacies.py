"""Candidacies over HTTP."""

from __future__ import annotations

from service.actions.candidacies import SUBJECT
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.candidacies import CandidacyOut
from service.storage.candidacies import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    CandidacyOut,
    policy="candidacies.read",
    tag="candidacies",
    births={"identify": Birth("person_id", extra=("request_id",), summary="Identify a person for a request")},
    summaries={
        "ask_consent": "Ask the person to be shown to the enterprise",
        "nominate": "Give consent, and so be nominated",
        "choose": "Choose the candidate",
        "offer": "Make an offer; it reserves a seat",
        "accept": "Accept the offer; the placement begins, or is carried over",
    },
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
