"""Programmes and their curricula over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from service.actions.programmes import SUBJECT, curricula
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.programmes import CurriculaOut, ProgrammeOut
from service.storage.programmes import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    ProgrammeOut,
    policy="programmes.read",
    tag="programmes",
    births={"draft": Birth(summary="Draft a programme")},
    summaries={"set_curriculum": "Set a new version of the curriculum"},
)


async def _curricula(asked: Asked) -> Response:
    return respond({"items": await curricula(asked.services, asked.call, asked.id)})


def routes() -> list[Operations]:
    """Every operation of the capability."""
    more = Operations("programmes")
    more.add(
        Operation(
            "GET",
            "/programmes/{id}/curricula",
            "programmes_curricula",
            "Every version of a programme's curriculum",
            _curricula,
            "read",
            "programmes.read",
            CurriculaOut,
        )
    )
    return [more, routes_of(RESOURCE)]
