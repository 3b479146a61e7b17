"""Streams: the feed as it grows, and an item as it changes; no connection to the database is held between two looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from service.actions.reading import check, feed, item, records, who_asks
from service.actions.work import Call, Services, Unauthenticated
from service.storage import streams as stored
from service.storage.views import View

PAGE = 200
TICKET_LASTS = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: between two looks, after which a silence is broken, and after which a stream ends."""

    every: float = 1.0
    heartbeat: float = 15.0
    longest: float = 600.0


async def give_ticket(services: Services, call: Call, digest: bytes) -> datetime:
    """Keep a ticket for whoever asks; until when it holds.

    Raises:
        Refused: they read no events.
    """
    check(await who_asks(services, call), "events.read")
    until = await stored.keep_ticket(services.database, call.institution, digest, call.token, TICKET_LASTS)
    if until is None:
        raise Unauthenticated
    return until


async def redeem(services: Services, call: Call) -> Call:
    """The call of whoever was given the ticket that this call came with; it opens nothing more.

    Raises:
        Unauthenticated: no such ticket, or no longer.
    """
    credential = await stored.redeem_ticket(services.database, call.institution, call.token)
    if credential is None:
        raise Unauthenticated
    return replace(call, token=credential)


async def end_of_feed(services: Services, call: Call) -> int:
    """The number of the last event so far.

    Raises:
        Refused: the actor reads no events.
    """
    _, found = await records(services, call, stored.feed_end(call.eyes), "events.read")
    return found[0]["last_no"] or 0


async def follow(services: Services, call: Call, after: int, pace: Pace) -> AsyncIterator[list[dict[str, Any]]]:
    """Events after a number, as they come; an empty list where there was nothing for a while.

    Who asks is asked again at every look, so that a token that is revoked sees nothing more.
    """
    clock = asyncio.get_running_loop().time
    heard, ends = clock(), clock() + pace.longest
    while True:
        found = await feed(services, call, after=after, limit=PAGE)
        if found:
            after = found[-1]["feed_no"]
        if found or clock() - heard >= pace.heartbeat:
            heard = clock()
            yield found
        if clock() >= ends:
            return
        if len(found) < PAGE:
            await asyncio.sleep(min(pace.every, max(ends - clock(), 0)))


async def watch(
    services: Services, call: Call, view: View, permission: str, item_id: UUID, moving: Sequence[str], pace: Pace
) -> AsyncIterator[dict[str, Any] | None]:
    """An item each time that it is another than before, until it no longer moves; None where nothing changed a while.

    Raises:
        Missing: it is not there, or not seen.
    """
    clock = asyncio.get_running_loop().time
    heard, ends = clock(), clock() + pace.longest
    known: dict[str, Any] | None = None
    while True:
        row = await item(services, call, view, permission, item_id)
        changed = row != known
        if changed or clock() - heard >= pace.heartbeat:
            heard, known = clock(), row
            yield row if changed else None
        if row["state"] not in moving or clock() >= ends:
            return
        await asyncio.sleep(min(pace.every, max(ends - clock(), 0)))
