"""What a stream of events needs beside the feed: its end, and the tickets of browsers."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import asyncpg
from sqlalchemy import Interval, LargeBinary, bindparam, cast, delete, func, insert, select

from service.domain.actors import Sight
from service.storage.database import Database, Statement, value
from service.storage.scopes import actor_of
from service.storage.tables.columns import INSTANT
from service.storage.tables.record import feed_heads
from service.storage.tables.tickets import tickets
from service.storage.tenancy import GATE, INSTITUTION, mine
from service.storage.views import read_by

_t = tickets
_bytes = bindparam("digest", type_=LargeBinary)


@lru_cache(maxsize=8)
def feed_end(sight: Sight | None) -> Statement[asyncpg.Record]:
    """Who asks, and the last number of the feed."""
    last = select(feed_heads.c.last_no).where(mine(feed_heads)).subquery("last")
    return read_by(last, actor_of(sight))


def _keep() -> Statement[datetime]:
    old = (
        delete(_t)
        .where(mine(_t), GATE, _t.c.expires_at <= func.statement_timestamp())
        .returning(_t.c.digest)
        .cte("old")
    )
    until = cast(func.statement_timestamp() + cast(bindparam("lasts"), Interval), INSTANT)
    new = (
        insert(_t)
        .from_select(
            ["institution_id", "digest", "credential", "expires_at"],
            select(INSTITUTION, _bytes, bindparam("credential", type_=LargeBinary), until).where(GATE),
        )
        .returning(_t.c.expires_at)
        .cte("new")
    )
    return Statement(select(new.c.expires_at).add_cte(old), value)


_KEEP = _keep()
_REDEEM: Statement[bytes] = Statement(
    delete(_t)
    .where(mine(_t), GATE, _t.c.digest == _bytes, _t.c.expires_at > func.statement_timestamp())
    .returning(_t.c.credential),
    value,
)


async def keep_ticket(
    database: Database, institution: UUID, digest: bytes, credential: bytes, lasts: timedelta
) -> datetime | None:
    """Keep a ticket for the holder of a credential, and let go of those whose time is over; until when it holds."""
    async with database.connection() as con:
        return await _KEEP.one(con, institution=institution, digest=digest, credential=credential, lasts=lasts)


async def redeem_ticket(database: Database, institution: UUID, digest: bytes) -> bytes | None:
    """The credential of a ticket, which is gone with it; None where there is none that holds."""
    async with database.connection() as con:
        return await _REDEEM.one(con, institution=institution, digest=digest)
