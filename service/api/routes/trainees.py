"""Trainees over HTTP: beside what every subject has, the timeline, and what is sealed."""

from __future__ import annotations

from starlette.responses import Response

from service.actions import reading
from service.actions.trainees import SUBJECT, find_by_external_id, open_sealed, openings
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.common import After, TimelineOut
from service.api.schemas.trainees import ExternalIdQuery, FoundOut, OpeningsOut, PurposeIn, SealedOut, TraineeOut
from service.storage.trainees import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    TraineeOut,
    policy="trainees.read",
    tag="trainees",
    births={"register": Birth(extra=("unit_id",), summary="Register a trainee")},
    summaries={"edit": "Change contacts and papers", "confirm_availability": "Confirm availability for the pool"},
)


async def _timeline(asked: Asked) -> Response:
    limit = asked.query.limit
    found = await reading.timeline(
        asked.services, asked.call, SUBJECT.table, "trainees.read", asked.id, after=asked.query.after, limit=limit
    )
    return respond({"items": found, "next": found[-1]["seq"] if len(found) == limit else None})


async def _open(asked: Asked) -> Response:
    return respond(
        await open_sealed(asked.services, asked.call, asked.id, asked.body.purpose),
        headers={"cache-control": "no-store"},
    )


async def _openings(asked: Asked) -> Response:
    return respond({"items": await openings(asked.services, asked.call, asked.id)})


async def _find(asked: Asked) -> Response:
    return respond({"id": await find_by_external_id(asked.services, asked.call, asked.query.system, asked.query.value)})


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
    return [more, routes_of(RESOURCE)]
