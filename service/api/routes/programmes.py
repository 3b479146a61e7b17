"""Programmes and their curricula over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from service.actions.programmes import SUBJECT, curricula, regulations_listed
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.programmes import CurriculaOut, ProgrammeOut
from service.api.schemas.recognition_rules import RegulationsOut
from service.storage.programmes import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    ProgrammeOut,
    policy="programmes.read",
    tag="programmes",
    births={"draft": Birth(summary="Draft a programme")},
    summaries={
        "set_curriculum": "Set a new version of the curriculum",
        "set_regulation": "Set a new version of the regulation of recognition",
    },
)


async def _curricula(asked: Asked) -> Response:
    return respond({"items": await curricula(asked.services, asked.call, asked.id)})


async def _regulations(asked: Asked) -> Response:
    return respond({"items": await regulations_listed(asked.services, asked.call, asked.id)})


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
    more.add(
        Operation(
            "GET",
            "/programmes/{id}/regulations",
            "programmes_regulations",
            "Every version of a programme's regulation of recognition, with the sources of what it did not set",
            _regulations,
            "read",
            "programmes.read",
            RegulationsOut,
        )
    )
    return [more, routes_of(RESOURCE)]
