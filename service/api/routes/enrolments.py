"""Enrolments over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from service.actions.enrolments import SUBJECT, stages
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import Resource, routes_of
from service.api.schemas.enrolments import EnrolmentOut, StagesOut
from service.storage.enrolments import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    EnrolmentOut,
    policy="enrolments.read",
    tag="enrolments",
    summaries={
        "enrol": "Enrol a person whose place is held",
        "enter": "Record the entry of a foreign student into the country",
        "advance_stage": "Advance a person to the next stage",
        "waive_credits": "Waive credits or courses of the present stage",
    },
)


async def _stages(asked: Asked) -> Response:
    return respond({"items": await stages(asked.services, asked.call, asked.id)})


def routes() -> list[Operations]:
    """Every operation of the capability."""
    more = Operations("enrolments")
    more.add(
        Operation(
            "GET",
            "/enrolments/{id}/stages",
            "enrolments_stages",
            "What each stage asks for, what is there and what is missing",
            _stages,
            "read",
            "enrolments.read",
            StagesOut,
        )
    )
    return [more, routes_of(RESOURCE)]
