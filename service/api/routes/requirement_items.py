"""Requirement items over HTTP."""

from __future__ import annotations

from service.actions.requirement_items import SUBJECT
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, lists_of, routes_of
from service.api.schemas.requirement_items import RequirementItemOut, WaiverOut
from service.storage.requirement_items import VIEW
from service.storage.waivers import VIEW as WAIVERS

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    RequirementItemOut,
    policy="requirement_items.read",
    tag="requirements",
    births={
        "supply": Birth(anchor="subject_id", summary="Hand in what a pack asks for"),
        "waive": Birth(anchor="subject_id", summary="Let a requirement go before anything was handed in"),
    },
    summaries={"resupply": "Hand it in again", "let_go": "Let a requirement go that was handed in"},
)


WAIVED = Resource(SUBJECT, WAIVERS, WaiverOut, policy="waivers.read", tag="requirements", called="waivers")


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE), lists_of(WAIVED)]
