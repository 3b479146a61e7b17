"""What anybody may read without a token: lifecycles, codes, health; and the institution's feed of events."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.actions import reading
from service.api.messages import words
from service.api.operations import Asked, Operation, Operations, respond
from service.api.problems import Problem
from service.api.schemas.common import FeedOut, Limited, Out
from service.storage.health import ready
from service.storage.schema import LIFECYCLES


class CodeListsOut(Out):
    """Every list of codes, with labels."""

    lists: dict[str, list[dict[str, Any]]]


class StateOut(Out):
    """A state and its label."""

    state: str
    label: str


class EdgeOut(Out):
    """One possible move."""

    action: str
    label: str
    sources: list[str]
    to: list[str]
    who: list[str]
    event: str


class LifecycleOut(Out):
    """A lifecycle as data and as a picture."""

    name: str
    states: list[StateOut]
    edges: list[EdgeOut]
    diagram: str


class LifecyclesOut(Out):
    """Every lifecycle by name."""

    names: list[str]


class FeedQuery(Limited):
    """Where the reader is in the feed."""

    after: Annotated[int, Field(ge=0, lt=2**62)] = 0


@cache
def code_lists() -> dict[str, list[dict[str, Any]]]:
    """The lists of codes that ship as data."""
    folder = files("service.data") / "codes"
    found = [
        from_json(f.read_bytes()) for f in sorted(folder.iterdir(), key=lambda f: f.name) if f.name.endswith(".json")
    ]
    return {each["list"]: each["codes"] for each in found}


@cache
def _labels(name: str) -> dict[str, dict[str, Any]]:
    return {each["code"]: each for each in code_lists()[name]}


def label_of(name: str, code: str, language: str) -> str:
    """The name of a code of a list in the reader's language; the code itself where it has none."""
    return str(_labels(name).get(code, {}).get(language, code))


async def _codes(_: Asked) -> Response:
    return respond({"lists": code_lists()}, headers={"cache-control": "public, max-age=300"})


async def _lifecycles(_: Asked) -> Response:
    return respond({"names": sorted(lifecycle.name for lifecycle, _ in LIFECYCLES.values())})


def _lifecycle(name: str) -> Any:
    async def handle(asked: Asked) -> Response:
        found = next(lifecycle for lifecycle, _ in LIFECYCLES.values() if lifecycle.name == name)
        language = asked.language
        return respond(
            {
                "name": found.name,
                "states": [{"state": s, "label": words(f"state.{s}", language)} for s in found.states()],
                "edges": [
                    {
                        "action": r.action,
                        "label": words(f"action.{r.action}", language),
                        "sources": list(r.sources),
                        "to": list(r.targets),
                        "who": list(r.who),
                        "event": r.event,
                    }
                    for r in found.rules
                ],
                "diagram": found.mermaid(),
            }
        )

    return handle


async def _feed(asked: Asked) -> Response:
    found = await reading.feed(asked.services, asked.call, after=asked.query.after, limit=asked.query.limit)
    return respond({"items": found, "next": found[-1]["feed_no"] if found else asked.query.after})


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("reference")
    o.add(
        Operation(
            "GET",
            "/codes",
            "codes_get",
            "Every list of codes with its labels",
            _codes,
            "public",
            "public",
            CodeListsOut,
        )
    )
    o.add(
        Operation(
            "GET",
            "/lifecycles",
            "lifecycles_list",
            "The names of all lifecycles",
            _lifecycles,
            "public",
            "public",
            LifecyclesOut,
        )
    )
    for name in sorted(lifecycle.name for lifecycle, _ in LIFECYCLES.values()):
        o.add(
            Operation(
                "GET",
                f"/lifecycles/{name}",
                f"lifecycles_{name}",
                f"States, moves and picture of the {name.replace('_', ' ')}",
                _lifecycle(name),
                "public",
                "public",
                LifecycleOut,
            )
        )
    o.add(
        Operation(
            "GET",
            "/events",
            "events_feed",
            "What happened in the institution, in its final order",
            _feed,
            "list",
            "events.read",
            FeedOut,
            query=FeedQuery,
        )
    )
    return [o]


async def healthz(_: Request) -> Response:
    """The process lives."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The process can serve: the database answers, at the version that this code knows."""
    missing = await ready(request.app.state.services.database)
    if missing is not None:
        raise Problem("unavailable", detail=missing)
    return JSONResponse({"status": "ready"})
