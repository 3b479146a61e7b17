"""The feed: committed events of an institution get consecutive numbers, so that no reader can skip one.

A number taken while an event is written would show a later event before an earlier one that is not committed yet. So
events wait in `unfed`, and one holder at a time numbers those that are committed. Within a stream the order is that of
the stream: its head lets one transaction after the other in.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, Integer, bindparam, delete, func, insert, select, update

from service.storage.database import Database, Statement, value
from service.storage.tables.institutions import institutions
from service.storage.tables.record import feed, feed_heads, idempotency_keys, unfed
from service.storage.tenancy import GATE, INSTITUTION, mine

AT_MOST = 1000
"""Events numbered in one transaction, and keys forgotten in one: short enough for the limits on time."""

_INSTITUTIONS = Statement(select(institutions.c.id).order_by(institutions.c.id), value)
_HOLD = Statement(
    select(feed_heads.c.last_no).where(mine(feed_heads), GATE).with_for_update(key_share=True, skip_locked=True), int
)


def _number() -> Statement[int]:
    limit = bindparam("at_most", type_=Integer)
    first = select(unfed.c.no).where(mine(unfed), GATE).order_by(unfed.c.no).limit(limit).subquery("first")
    gone = (
        delete(unfed)
        .where(mine(unfed), GATE, unfed.c.no.in_(select(first.c.no)))
        .returning(unfed.c.no, unfed.c.stream_id, unfed.c.seq)
        .cte("gone")
    )
    number = bindparam("last_no", type_=BigInteger) + func.row_number().over(order_by=gone.c.no)
    put = (
        insert(feed)
        .from_select(
            ["institution_id", "feed_no", "stream_id", "seq"],
            select(INSTITUTION, number, gone.c.stream_id, gone.c.seq).where(GATE),
        )
        .returning(feed.c.feed_no)
        .cte("put")
    )
    highest = select(func.max(put.c.feed_no)).scalar_subquery()
    counted = select(func.count()).select_from(put).scalar_subquery()
    moved = (
        update(feed_heads)
        .where(mine(feed_heads), GATE, counted > 0)
        .values(last_no=highest)
        .returning(feed_heads.c.last_no)
        .cte("moved")
    )
    return Statement(select(counted).add_cte(moved), int)


_NUMBER = _number()
_old = (
    select(idempotency_keys.c.account_id, idempotency_keys.c.route, idempotency_keys.c.key)
    .where(mine(idempotency_keys), GATE, idempotency_keys.c.kept_until < func.now())
    .limit(bindparam("at_most", type_=Integer))
    .subquery("old")
)
_FORGET_KEYS = Statement(
    delete(idempotency_keys)
    .where(
        mine(idempotency_keys),
        GATE,
        idempotency_keys.c.account_id == _old.c.account_id,
        idempotency_keys.c.route == _old.c.route,
        idempotency_keys.c.key == _old.c.key,
    )
    .returning(idempotency_keys.c.key),
    value,
)


async def institutions_served(database: Database) -> list[UUID]:
    """Every institution whose events are to be numbered."""
    async with database.connection() as con:
        return await _INSTITUTIONS.all(con)


async def number_events(database: Database, institution: UUID, at_most: int = AT_MOST) -> int:
    """Give the next waiting events their numbers; how many, and 0 where another process is at it."""
    async with database.connection() as con, database.transaction(con, institution):
        last_no = await _HOLD.one(con, institution=institution)
        if last_no is None:
            return 0
        # A statement of its own: it must see what was committed before the head was held, so that numbers follow on.
        return await _NUMBER.one(con, institution=institution, last_no=last_no, at_most=at_most) or 0


async def forget_old_keys(database: Database, institution: UUID, at_most: int = AT_MOST) -> int:
    """Let go of kept answers whose time is over; how many went."""
    async with database.connection() as con:
        return len(await _FORGET_KEYS.all(con, institution=institution, at_most=at_most))
