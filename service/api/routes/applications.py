"""Applications over HTTP."""

from __future__ import annotations

from service.actions.applications import SUBJECT
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.applications import ApplicationOut
from service.storage.applications import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    ApplicationOut,
    policy="applications.read",
    tag="applications",
    births={
        "draft": Birth(anchor="person_id", extra=("intake_id",), summary="Draft a person's application to an intake")
    },
    summaries={
        "select": "Select an applicant: a place is taken and an enrolment begins",
        "waitlist": "Put an applicant on the waiting list",
        "find_eligible": "Find an applicant eligible",
        "find_ineligible": "Find an applicant ineligible",
    },
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
