"""Server-sent events: the institution's feed as it grows, and the progress of an import."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic_core import to_json
from starlette.responses import Response

from service.actions import reading, streams
from service.actions.streams import Pace
from service.actions.work import Missing, Unauthenticated
from service.api.operations import Asked, Operation, Operations, respond
from service.api.problems import Problem
from service.api.routes import imports
from service.api.schemas.streams import Following, StreamAsked, TicketOut
from service.api.tokens import make_token
from service.domain.lifecycle import Refused
from service.storage.database import Unavailable

STREAMS_MOST = 200
"""Streams that one process keeps open at a time."""
RETRY_MS = 3000
MOVING = ("uploaded", "applying", "voiding")
"""States of an import in which the system is at work on it."""
ENDED: dict[type[Exception], str] = {
    Unauthenticated: "unauthenticated", Refused: "forbidden", Missing: "not-found", Unavailable: "unavailable",
}  # fmt: skip


class _Open:
    """How many streams this process keeps open."""

    count = 0


def _streamed(parts: AsyncIterator[bytes]) -> Response:
    """The parts as they come. An end that is no error of ours is told in the stream: its status is long sent."""
    if _Open.count >= STREAMS_MOST:
        raise Problem("too-many-requests")

    async def told() -> AsyncIterator[bytes]:
        _Open.count += 1
        try:
            async with aclosing(parts) as each:  # type: ignore[type-var]
                async for part in each:
                    yield part
        except tuple(ENDED) as error:
            yield format_sse_event(event="end", data_str=to_json({"reason": ENDED[type(error)]}).decode())
        finally:
            _Open.count -= 1

    return EventSourceResponse(told(), headers={"cache-control": "no-store", "x-accel-buffering": "no"})


def _known(asked: Asked) -> int | None:
    """Where the reader was: what a browser says when it comes back goes before the address that it keeps."""
    said = asked.request.headers.get("last-event-id")
    if said is None:
        after: int | None = asked.query.after
        return after
    if not (said.isascii() and said.isdecimal() and len(said) < 19):  # noqa: PLR2004
        reason = {"code": "int_parsing", "text": "A number of the feed is expected", "pointer": "header/last-event-id"}
        raise Problem("invalid", reasons=[reason])
    return int(said)


async def _stream(asked: Asked) -> Response:
    call, by_ticket = asked.call, "authorization" not in asked.request.headers
    if by_ticket:
        call = await streams.redeem(asked.services, call)
    last = await streams.end_of_feed(asked.services, call)
    known = _known(asked)
    after = last if known is None else known

    async def parts() -> AsyncIterator[bytes]:
        yield format_sse_event(id=str(after), retry=RETRY_MS)
        async for found in streams.follow(asked.services, call, after, Pace(longest=asked.query.seconds)):
            for event in found:
                yield format_sse_event(id=str(event["feed_no"]), data_str=to_json(event).decode())
            if not found:
                yield format_sse_event(comment="still here")

    return _streamed(parts())


async def _ticket(asked: Asked) -> Response:
    ticket, digest = make_token(asked.call.institution, asked.call.sight)
    until = await streams.give_ticket(asked.services, asked.call, digest)
    return respond({"ticket": ticket, "expires_at": until}, status=201, headers={"cache-control": "no-store"})


async def _progress(asked: Asked) -> Response:
    resource = imports.RESOURCE
    await reading.item(asked.services, asked.call, resource.view, resource.policy, asked.id)

    async def parts() -> AsyncIterator[bytes]:
        pace = Pace(every=0.5, longest=asked.query.seconds)
        watched = streams.watch(
            asked.services, asked.call, resource.view, resource.policy, asked.id, MOVING, pace
        )  # fmt: skip
        async for row in watched:
            if row is None:
                yield format_sse_event(comment="still here")
            else:
                shown = to_json(resource.show(asked, row)).decode()
                yield format_sse_event(id=str(row["version"]), data_str=shown)
        yield format_sse_event(event="end", data_str="{}")

    return _streamed(parts())


def _events(what: str) -> dict[str, Any]:
    content = {"text/event-stream": {"schema": {"type": "string"}}}
    return {
        "response_class": EventSourceResponse,
        "openapi_extra": {"responses": {"200": {"description": what, "content": content}}},
    }


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("streams")
    streaming: tuple[tuple[str, str, str, Callable[[Asked], Any], str, Any, str], ...] = (
        (
            "/events/stream", "events_stream", "What happens in the institution, as it happens", _stream, "events.read",
            StreamAsked, "Events of the feed, one a message, with its number as the id; comments keep the line open.",
        ),
        (
            "/imports/{id}/progress", "imports_progress", "How far an import has come, as it comes", _progress,
            "imports.read", Following, "The import, whenever it changed; `end` when nothing is at work on it.",
        ),
    )  # fmt: skip
    for path, name, summary, handle, policy, query, what in streaming:
        ticketed = query is StreamAsked
        o.add(
            Operation(
                "GET", path, name, summary, handle, "read", policy, query=query, ticketed=ticketed, extra=_events(what)
            )
        )  # fmt: skip
    o.add(
        Operation(
            "POST", "/events/tickets", "tickets_create", "Get a ticket that opens one stream of events, once", _ticket,
            "read", "events.read", TicketOut, status=201,
        )
    )  # fmt: skip
    return [o]
