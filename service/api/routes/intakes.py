"""Intakes over HTTP: beside what every subject has, who waits, and who lacks which papers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from service.actions import reading
from service.actions.intakes import SUBJECT, lacking
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import Birth, Resource, cursor_of, read_cursor, routes_of
from service.api.schemas.common import PageOut
from service.api.schemas.intakes import IntakeOut, LackingOut, LackingQuery, WaitingListOut, WaitingQuery
from service.storage.admissions import LACKING, SOURCES, WAITING
from service.storage.intakes import VIEW
from service.storage.views import View

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    IntakeOut,
    policy="intakes.read",
    tag="intakes",
    births={"draft": Birth(anchor="programme_id", summary="Draft an intake of a programme")},
    summaries={
        "set_quotas": "Set the places of sources in the plan",
        "publish": "Publish an intake with the approval of its plan",
        "move_places": "Move free places from one source to another",
        "rerank": "Give those who wait another order",
        "reschedule": "Change the closing date or the first day of study",
    },
)
LISTS = "intakes.lists"
OF_LACKING = LACKING.keeps("kind", "state", "source", "rejected")
WAITING.keeps("intake", "source")
LACKING.keeps("intake")


async def _over(asked: Asked, view: View, filters: Mapping[str, Any], sort: str | None = None) -> dict[str, Any]:
    """A page over one intake, for whoever sees it."""
    kept = {name: value for name, value in filters.items() if value is not None} | {"intake": asked.id}
    found = await reading.page(
        asked.services, asked.call, view, LISTS, filters=kept, limit=asked.query.limit,
        after=read_cursor(asked.query.after), sort=sort,
    )  # fmt: skip
    return {"items": found.items, "next": cursor_of(found.next)}


async def _waiting(asked: Asked) -> Response:
    intake = await reading.item(asked.services, asked.call, SOURCES, LISTS, asked.id)
    listed = await _over(asked, WAITING, {"source": asked.query.source}, "rank")
    return respond({"sources": intake["sources"]} | listed)


async def _lacking(asked: Asked) -> Response:
    await reading.item(asked.services, asked.call, SOURCES, LISTS, asked.id)
    asked_for = asked.query.model_dump(include={*OF_LACKING})
    found = await _over(asked, LACKING, asked_for)
    return respond(found | {"items": lacking(found["items"])})


def routes() -> list[Operations]:
    """Every operation of the capability."""
    more = Operations("intakes")
    more.add(
        Operation(
            "GET",
            "/intakes/{id}/waiting-list",
            "intakes_waiting_list",
            "Who waits for which places, in order of rank, and who is next",
            _waiting,
            "read",
            LISTS,
            WaitingListOut,
            query=WaitingQuery,
        )
    )
    more.add(
        Operation(
            "GET",
            "/intakes/{id}/missing-documents",
            "intakes_missing_documents",
            "Who lacks which papers",
            _lacking,
            "read",
            LISTS,
            PageOut[LackingOut],
            query=LackingQuery,
        )
    )
    return [more, routes_of(RESOURCE)]
