"""The overview and the targets over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from service.actions import overview
from service.actions.targets import SUBJECT
from service.api.messages import words
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.overview import (
    PASS_RATES,
    DueOut,
    FiguresOut,
    FunnelAsked,
    FunnelOut,
    PassRatesOut,
    PlacesOut,
    RecognitionTimesOut,
    SeatsOut,
    TargetLineOut,
    TargetOut,
    YearAsked,
)
from service.storage.targets import VIEW

TARGETS = Resource(
    SUBJECT,
    VIEW,
    TargetOut,
    policy="targets.read",
    tag="overview",
    births={"set": Birth(summary="Set a target for a year and a destination")},
    summaries={"edit": "Change a target's number", "drop": "Drop a target"},
)


def _figures(part: str) -> Callable[[Asked], Any]:
    async def handle(asked: Asked) -> Response:
        given = asked.query.model_dump() if asked.query is not None else {}
        return respond(await overview.figures(asked.services, asked.call, part, given))

    return handle


async def _results(asked: Asked) -> Response:
    found = await overview.figures(asked.services, asked.call, "results", asked.query.model_dump())
    return respond(found | {"definitions": {of: words(f"pass_rate.{of}", asked.language) for of in PASS_RATES}})


async def _recognition(asked: Asked) -> Response:
    return respond(await overview.recognition(asked.services, asked.call, asked.query.model_dump()))


PARTS: tuple[tuple[str, str, Any, Any], ...] = (
    ("funnel", "How many people stand where, by programme, destination and year", FiguresOut[FunnelOut], FunnelAsked),
    ("targets", "Targets by year and destination, against what is secured", FiguresOut[TargetLineOut], YearAsked),
    ("places", "Places left, by intake and source", FiguresOut[PlacesOut], None),
    ("seats", "Seats left, by request", FiguresOut[SeatsOut], None),
    ("due", "What is due and overdue, by kind", FiguresOut[DueOut], None),
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("overview")
    for part, summary, out, query in PARTS:
        path, name = f"/overview/{part}", f"overview_{part}"
        o.add(Operation("GET", path, name, summary, _figures(part), "list", "reports.read", out, query=query))
    o.add(
        Operation(
            "GET",
            "/overview/results",
            "overview_results",
            "Pass rates by kind of class and by test",
            _results,
            "list",
            "reports.read",
            PassRatesOut,
            query=YearAsked,
        )
    )
    o.add(
        Operation(
            "GET",
            "/overview/recognition",
            "overview_recognition",
            "Outcomes of recognition, and days to a decision",
            _recognition,
            "list",
            "reports.read",
            RecognitionTimesOut,
            query=YearAsked,
        )
    )
    return [o, routes_of(TARGETS)]
