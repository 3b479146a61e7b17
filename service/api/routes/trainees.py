"""Trainees over HTTP: beside what every subject has, the timeline, and what is sealed."""

from __future__ import annotations

from starlette.responses import Response, StreamingResponse

from service.actions import reading
from service.actions.held import export
from service.actions.trainees import SUBJECT, find_by_external_id, open_sealed, openings
from service.api.inputs import action_model
from service.api.operations import Asked, Operation, Operations, respond
from service.api.problems import Problem
from service.api.routes.subjects import Birth, Resource, given_to, routes_of
from service.api.schemas.common import After, TimelineOut
from service.api.schemas.trainees import ExternalIdQuery, FoundOut, OpeningsOut, PurposeIn, SealedOut, TraineeOut
from service.domain.trainees import TRAINEE_RECORD
from service.storage.files import Unreachable
from service.storage.trainees import VIEW

ZIP = "application/zip"
BYTES = {"schema": {"type": "string", "format": "binary"}}

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    TraineeOut,
    policy="trainees.read",
    tag="trainees",
    births={"register": Birth(extra=("unit_id",), summary="Register a trainee")},
    summaries={"edit": "Change contacts and papers", "confirm_availability": "Confirm availability for the pool"},
    apart=("export",),
)


async def _timeline(asked: Asked) -> Response:
    limit = asked.query.limit
    found = await reading.timeline(
        asked.services, asked.call, SUBJECT.table, "trainees.read", asked.id, after=asked.query.after, limit=limit
    )
    places = [row.pop("place") for row in found]
    return respond({"items": found, "next": places[-1] if len(found) == limit else None})


async def _open(asked: Asked) -> Response:
    return respond(
        await open_sealed(asked.services, asked.call, asked.id, asked.body.purpose),
        headers={"cache-control": "no-store"},
    )


async def _openings(asked: Asked) -> Response:
    return respond({"items": await openings(asked.services, asked.call, asked.id)})


async def _find(asked: Asked) -> Response:
    return respond({"id": await find_by_external_id(asked.services, asked.call, asked.query.system, asked.query.value)})


async def _export(asked: Asked) -> Response:
    given = given_to(RESOURCE, "export", asked, asked.body)
    try:
        made = await export(asked.services, asked.call, asked.id, given)
    except Unreachable:
        raise Problem("unavailable") from None
    headers = {
        "content-length": str(made.size),
        "content-disposition": f'attachment; filename="person-{asked.id}.zip"',
        "cache-control": "no-store",
    }
    return StreamingResponse(made.content, media_type=ZIP, headers=headers)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    more = Operations("trainees")
    more.add(
        Operation(
            "GET",
            "/external-ids",
            "trainees_by_external_id",
            "Find a trainee by another system's id",
            _find,
            "read",
            "trainees.read",
            FoundOut,
            query=ExternalIdQuery,
        )
    )
    more.add(
        Operation(
            "GET",
            "/trainees/{id}/timeline",
            "trainees_timeline",
            "Everything that happened to a person, in order",
            _timeline,
            "read",
            "trainees.read",
            TimelineOut,
            query=After,
        )
    )
    more.add(
        Operation(
            "POST",
            "/trainees/{id}/sealed",
            "trainees_open_sealed",
            "Open passport, identity number and guardian for a purpose",
            _open,
            "read",
            "trainees.open_sealed",
            SealedOut,
            PurposeIn,
        )
    )
    more.add(
        Operation(
            "GET",
            "/trainees/{id}/openings",
            "trainees_openings",
            "Who opened what was sealed",
            _openings,
            "read",
            "trainees.open_sealed",
            OpeningsOut,
        )
    )
    any_file = {"description": "A ZIP with a manifest, as an attachment.", "content": {ZIP: BYTES}}
    more.add(
        Operation(
            "POST",
            "/trainees/{id}/export",
            "trainees_export_one",
            "Take a copy of everything that is held on a person",
            _export,
            "create",
            "trainees.export",
            body=action_model(TRAINEE_RECORD, "export"),
            keyed=True,
            extra={"response_class": Response, "openapi_extra": {"responses": {"200": any_file}}},
        )
    )
    return [more, routes_of(RESOURCE)]
