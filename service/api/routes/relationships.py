"""Organisations and relationships over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from service.actions import reading
from service.actions.relationships import SUBJECT, conversions, find_organisation
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.recognition_rules import PartnerConversionsOut
from service.api.schemas.relationships import FindOrganisation, OrganisationsOut, RelationshipOut
from service.storage.relationships import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    RelationshipOut,
    policy="relationships.read",
    tag="relationships",
    births={"record": Birth(extra=("organisation_id",), summary="Record a relationship with an organisation")},
    summaries={"set_conversion": "Set how a partner's credits and grades are converted"},
)


async def _find(asked: Asked) -> Response:
    actor = await reading.who_asks(asked.services, asked.call)
    reading.check(actor, "organisations.read")
    found = await find_organisation(asked.services, asked.query.country, asked.query.registration_no)
    return respond({"items": [found] if found else []})


async def _conversions(asked: Asked) -> Response:
    return respond({"items": await conversions(asked.services, asked.call, asked.id)})


def routes() -> list[Operations]:
    """Every operation of the capability."""
    found = Operations("relationships")
    found.add(
        Operation(
            "GET",
            "/organisations",
            "organisations_find",
            "Find an organisation by its number in a public register",
            _find,
            "list",
            "organisations.read",
            OrganisationsOut,
            query=FindOrganisation,
        )
    )
    found.add(
        Operation(
            "GET",
            "/relationships/{id}/conversions",
            "relationships_conversions",
            "How a partner's credits and grades are converted, every version",
            _conversions,
            "read",
            "partner_conversions.read",
            PartnerConversionsOut,
        )
    )
    return [found, routes_of(RESOURCE)]
