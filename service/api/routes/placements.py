"""Placements over HTTP: beside what every subject has, the checklist, another pathway, and the interview."""

from __future__ import annotations

from starlette.responses import Response

from service.actions.checklists import checklist_of, checklists
from service.actions.placements import SUBJECT, interview_of, preview_pathway
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import Resource, cursor_of, read_cursor, routes_of
from service.api.schemas.common import PageOut
from service.api.schemas.placements import (
    ChecklistOut,
    ChecklistsQuery,
    InterviewOut,
    PathwayOut,
    PathwayQuery,
    PlacementChecklistOut,
    PlacementOut,
)
from service.storage.placements import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    PlacementOut,
    policy="placements.read",
    tag="placements",
    summaries={"contract": "Made by the acceptance of an offer"},
)


async def _checklist(asked: Asked) -> Response:
    return respond(await checklist_of(asked.services, asked.call, asked.id))


OF_LINES = {"limit", "after", "owed_by", "still_open"}
OF_PLACEMENTS = VIEW.keeps(*(n for n in ChecklistsQuery.model_fields if n not in OF_LINES))


async def _checklists(asked: Asked) -> Response:
    query = asked.query.model_dump(include={*OF_PLACEMENTS}, exclude_none=True)
    found = await checklists(
        asked.services, asked.call, filters=query, limit=asked.query.limit, after=read_cursor(asked.query.after),
        owed_by=asked.query.owed_by, still_open=asked.query.still_open,
    )  # fmt: skip
    return respond(found | {"next": cursor_of(found["next"])})


async def _preview(asked: Asked) -> Response:
    given = {n: v for n in type(asked.query).model_fields if (v := getattr(asked.query, n)) is not None}
    return respond(await preview_pathway(asked.services, asked.call, asked.id, given))


async def _interview(asked: Asked) -> Response:
    return respond(await interview_of(asked.services, asked.call, asked.id), headers={"cache-control": "no-store"})


def routes() -> list[Operations]:
    """Every operation of the capability."""
    more = Operations("placements")
    more.add(
        Operation(
            "GET",
            "/placements/{id}/checklist",
            "placements_checklist",
            "What the packs ask for, who owes it, and how far it has come",
            _checklist,
            "read",
            "placements.read",
            ChecklistOut,
        )
    )
    more.add(
        Operation(
            "GET",
            "/checklists",
            "checklists_list",
            "Who owes what by when, for many placements",
            _checklists,
            "list",
            "placements.read",
            PageOut[PlacementChecklistOut],
            query=ChecklistsQuery,
        )
    )
    more.add(
        Operation(
            "GET",
            "/placements/{id}/pathway",
            "placements_preview_pathway",
            "What another pathway or another day would mean",
            _preview,
            "weigh",
            "placements.read",
            PathwayOut,
            query=PathwayQuery,
        )
    )
    more.add(
        Operation(
            "GET",
            "/placements/{id}/interview",
            "placements_interview",
            "What the interview after the return said",
            _interview,
            "read",
            "placements.interview",
            InterviewOut,
        )
    )
    return [more, routes_of(RESOURCE)]
