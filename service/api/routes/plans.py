"""Plans backward from the flight, and what needs attention, over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from service.actions.plans import plan_of_candidate, plan_of_one, plans
from service.actions.tasks import attention
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import cursor_of, read_cursor
from service.api.routes.tasks import listed
from service.api.schemas.plans import AttentionOut, AttentionQuery, PlanOut, PlansOut, PlansQuery
from service.domain.tasks import ATTENTION
from service.storage.placements import VIEW

WHOSE = VIEW.keeps(
    "destination", "request_id", "intake_id", "departs_from", "departs_until", "critical", "late", "mine"
)


async def _plan(asked: Asked) -> Response:
    return respond(await plan_of_one(asked.services, asked.call, asked.id))


async def _plan_of_candidate(asked: Asked) -> Response:
    return respond(await plan_of_candidate(asked.services, asked.call, asked.id))


async def _plans(asked: Asked) -> Response:
    query = asked.query
    filters = {name: v for name in WHOSE if (v := getattr(query, name)) is not None}
    rows, following = await plans(
        asked.services, asked.call, filters=filters, limit=query.limit, after=read_cursor(query.after)
    )
    return respond({"items": rows, "next": cursor_of(following)})


async def _attention(asked: Asked) -> Response:
    return await listed(asked, ATTENTION, "attention", attention)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    found = Operations("plans")
    found.add(
        Operation(
            "GET",
            "/placements/{id}/plan",
            "placements_plan",
            "The latest day of each step so that the flight holds",
            _plan,
            "read",
            "placements.read",
            PlanOut,
        )
    )
    found.add(
        Operation(
            "GET",
            "/candidacies/{id}/plan",
            "candidacies_plan",
            "The latest day of each step so that the flight of the request holds",
            _plan_of_candidate,
            "read",
            "candidacies.read",
            PlanOut,
        )
    )
    found.add(
        Operation(
            "GET",
            "/plans",
            "plans_list",
            "Plans of many placements, by destination, intake, day or care",
            _plans,
            "list",
            "placements.read",
            PlansOut,
            query=PlansQuery,
        )
    )
    found.add(
        Operation(
            "GET",
            "/attention",
            "attention_list",
            "What needs attention: flights in danger, what is overdue, papers that run out",
            _attention,
            "list",
            "attention.read",
            AttentionOut,
            query=AttentionQuery,
        )
    )
    return [found]
