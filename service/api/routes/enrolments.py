"""Enrolments over HTTP."""

from __future__ import annotations

from service.actions.enrolments import SUBJECT
from service.api.operations import Operations
from service.api.routes.subjects import Resource, routes_of
from service.api.schemas.enrolments import EnrolmentOut
from service.storage.enrolments import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    EnrolmentOut,
    policy="enrolments.read",
    tag="enrolments",
    summaries={
        "enrol": "Enrol a person whose place is held",
        "advance_stage": "Advance a person to the next stage",
        "waive_credits": "Waive credits or courses of the present stage",
    },
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
