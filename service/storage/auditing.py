"""The record as an auditor reads it: every chain, every head, the feed, every state, and what was noted outside.

Read under the owner of the database, an institution at a time, each in one snapshot, so that it may run while others
write. Memory is that of a few hundred entries, whatever there is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, and_, bindparam, cast, func, literal, select, union_all
from sqlalchemy.sql.selectable import CompoundSelect

from service.domain.events import GENESIS, Entry, fault, rolled
from service.storage.database import Connection, Record, Statement, connect, value
from service.storage.schema import LIFECYCLES, metadata
from service.storage.tables.institutions import institutions
from service.storage.tables.record import events, feed, feed_heads, heads, unfed
from service.storage.tenancy import INSTITUTION, gated, mine

EVERY = 1000
"""Entries of the feed between two marks: what differs from a mark is narrowed down to so many."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the record that is not as it was written.

    `code` says what: `entry_changed`, `entry_missing` (the first of its stream that does not follow), `head_differs`
    (the end of a stream was cut off, or its head altered), `stream_missing`, `head_missing`, `feed_gap`, `not_in_feed`,
    `feed_dangling`, `state_differs` (a thing is not in the state that its last event left it in), `mark_differs` (the
    feed up to `seq` is not what a checkpoint noted) and `feed_short` (it ends before a checkpoint). `where` is the
    stream, the thing, or the institution for the feed; `about` is the table or `feed`, and `seq` the entry's number.
    """

    code: str
    institution_id: UUID
    about: str
    where: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A checkpoint of an institution's feed, to be kept where nobody who can write to the database can."""

    institution_id: UUID
    feed_no: int
    digest: str
    """SHA-256, in hexadecimal, over the mark before and the hash of each entry since then, one by one."""
    taken_at: datetime


@dataclass(slots=True)
class Tally:
    """How much was read."""

    institutions: int = 0
    streams: int = 0
    entries: int = 0
    marks: int = 0


_INSTITUTIONS = Statement(select(institutions.c.id).order_by(institutions.c.id), value)
_NOW = Statement(select(func.now()), value)
_own = and_(heads.c.institution_id == events.c.institution_id, heads.c.stream_id == events.c.stream_id)
_FIELDS = [f.name for f in fields(Entry)]
_ENTRIES: Statement[Any] = Statement(
    gated(
        select(
            *[events.c[name] for name in _FIELDS],
            events.c.hash,
            heads.c.seq.label("head_seq"),
            heads.c.chain_head,
        )
        .select_from(events.outerjoin(heads, _own))
        .where(mine(events))
        .order_by(events.c.stream_id, events.c.seq)
    ),
    value,
)
_MARKED: Statement[Any] = Statement(
    gated(
        select(feed.c.feed_no, events.c.hash)
        .select_from(
            feed.join(
                events,
                and_(
                    events.c.institution_id == feed.c.institution_id,
                    events.c.stream_id == feed.c.stream_id,
                    events.c.seq == feed.c.seq,
                ),
            )
        )
        .where(mine(feed), mine(events), feed.c.feed_no > bindparam("after", type_=BigInteger))
        .order_by(feed.c.feed_no)
    ),
    value,
)


def _elsewhere() -> CompoundSelect[Any]:
    """What is wrong beside the chains: heads without entries, the feed's gaps, states that no event left."""
    before = func.lag(feed.c.feed_no, 1, 0).over(order_by=feed.c.feed_no)
    numbered = select(feed.c.feed_no, before.label("before")).where(mine(feed)).subquery("numbered")
    entry = select(events.c.seq).where(
        mine(events), events.c.stream_id == heads.c.stream_id, heads.c.seq > literal(0, BigInteger)
    )
    fed = select(feed.c.seq).where(mine(feed), feed.c.stream_id == events.c.stream_id, feed.c.seq == events.c.seq)
    waits = select(unfed.c.seq).where(mine(unfed), unfed.c.stream_id == events.c.stream_id, unfed.c.seq == events.c.seq)
    told = select(events.c.seq).where(mine(events), events.c.stream_id == feed.c.stream_id, events.c.seq == feed.c.seq)
    parts = [
        _found("stream_missing", "heads", heads.c.stream_id, heads.c.seq).where(
            mine(heads), heads.c.seq > literal(0, BigInteger), ~entry.exists()
        ),
        _found("feed_gap", "feed", INSTITUTION, numbered.c.before + literal(1, BigInteger)).where(
            numbered.c.feed_no != numbered.c.before + literal(1, BigInteger)
        ),
        _found("feed_gap", "feed", INSTITUTION, feed_heads.c.last_no).where(
            mine(feed_heads),
            feed_heads.c.last_no
            != func.coalesce(select(func.max(feed.c.feed_no)).where(mine(feed)).scalar_subquery(), 0),
        ),
        _found("not_in_feed", "events", events.c.stream_id, events.c.seq).where(
            mine(events), ~fed.exists(), ~waits.exists()
        ),
        _found("feed_dangling", "feed", feed.c.stream_id, feed.c.seq).where(mine(feed), ~told.exists()),
    ]
    for name, (_, stream) in sorted(LIFECYCLES.items()):
        table = metadata.tables[name]
        last = select(events.c.seq).where(
            mine(events),
            events.c.stream_id == table.c[stream],
            events.c.seq == table.c.event_seq,
            events.c.subject_id == table.c.id,
            events.c.to_state == table.c.state,
        )
        parts.append(_found("state_differs", name, table.c.id, table.c.event_seq).where(mine(table), ~last.exists()))
    return union_all(*parts)


def _found(code: str, about: str, where: Any, seq: Any) -> Any:
    return select(
        literal(code, Text).label("code"),
        literal(about, Text).label("about"),
        cast(where, Uuid).label("where"),
        cast(seq, BigInteger).label("seq"),
    )


_ELSEWHERE: Statement[Any] = Statement(gated(select(_elsewhere().subquery("found"))), value)


@asynccontextmanager
async def _snapshot(dsn: str) -> AsyncIterator[Connection]:
    con = await connect(dsn)
    try:
        async with con.transaction(isolation="repeatable_read", readonly=True):
            yield con
    finally:
        await con.close()


async def verify(dsn: str, marks: Sequence[Mark], tally: Tally) -> AsyncIterator[Finding]:
    """Everything that is not as it was written, of every institution; of a stream its first bad entry.

    `marks` are checkpoints that were kept outside. They find what chains alone cannot: a chain that was reckoned anew
    from an entry on, a stream that is gone with its head.

    Raises:
        asyncpg.PostgresError, OSError: the database is away.
    """
    noted: dict[UUID, list[Mark]] = {}
    for mark in marks:
        noted.setdefault(mark.institution_id, []).append(mark)
    async with _snapshot(dsn) as con:
        known = await _INSTITUTIONS.all(con)
        for gone in noted.keys() - set(known):
            yield Finding("feed_short", gone, "feed", gone, 0)
        for institution in known:
            tally.institutions += 1
            async for finding in _chains(con, institution, tally):
                yield finding
            for row in await _ELSEWHERE.records(con, institution=institution):
                yield Finding(row["code"], institution, row["about"], row["where"], row["seq"])
            async for finding in _compared(con, institution, noted.get(institution, []), tally):
                yield finding


async def _chains(con: Connection, institution: UUID, tally: Tally) -> AsyncIterator[Finding]:
    """The first bad entry of each stream, and heads that do not cover what is there."""
    stream: UUID | None = None
    head, expected, whole = GENESIS, 1, True
    last: Record | None = None

    def cut() -> str | None:
        if last is None or not whole:
            return None
        if last["head_seq"] is None:
            return "head_missing"
        return None if (last["head_seq"], last["chain_head"]) == (last["seq"], last["hash"]) else "head_differs"

    async for row in _ENTRIES.each(con, institution=institution):
        if row["stream_id"] != stream:
            if last is not None and (code := cut()):
                yield Finding(code, institution, "heads", last["stream_id"], last["seq"])
            stream, head, expected, whole = row["stream_id"], GENESIS, 1, True
            tally.streams += 1
        tally.entries += 1
        last = row
        if whole and (code := fault(head, expected, entry_of(row), row["hash"])):
            whole = False
            yield Finding(code, institution, "events", row["stream_id"], expected)
        head, expected = row["hash"], expected + 1
    if last is not None and (code := cut()):
        yield Finding(code, institution, "heads", last["stream_id"], last["seq"])


def entry_of(row: Record) -> Entry:
    """An event's row as the entry that was hashed."""
    values = {name: row[name] for name in _FIELDS}
    values["evidence"] = tuple(UUID(e) for e in row["evidence"])
    return Entry(**values)


async def _compared(con: Connection, institution: UUID, marks: Sequence[Mark], tally: Tally) -> AsyncIterator[Finding]:
    """The first mark that the feed does not match: later ones would differ too."""
    waiting = sorted(marks, key=lambda mark: mark.feed_no)
    if not waiting:
        return
    digest = GENESIS
    reached = 0
    async for row in _MARKED.each(con, institution=institution, after=0):
        digest, reached = rolled(digest, row["hash"]), row["feed_no"]
        while waiting and waiting[0].feed_no == reached:
            tally.marks += 1
            if waiting.pop(0).digest != digest.hex():
                yield Finding("mark_differs", institution, "feed", institution, reached)
                return
        if not waiting:
            return
    yield Finding("feed_short", institution, "feed", institution, reached)


async def checkpoint(dsn: str, before: Sequence[Mark]) -> AsyncIterator[Mark]:
    """Marks for what came since those before, a thousand entries apart, and one at the end of each feed.

    Raises:
        asyncpg.PostgresError, OSError: the database is away.
    """
    latest: dict[UUID, Mark] = {}
    for mark in before:
        if mark.institution_id not in latest or latest[mark.institution_id].feed_no < mark.feed_no:
            latest[mark.institution_id] = mark
    async with _snapshot(dsn) as con:
        (now,) = await _NOW.all(con)
        for institution in await _INSTITUTIONS.all(con):
            last = latest.get(institution)
            digest = bytes.fromhex(last.digest) if last else GENESIS
            reached = start = last.feed_no if last else 0
            async for row in _MARKED.each(con, institution=institution, after=start):
                digest, reached = rolled(digest, row["hash"]), row["feed_no"]
                if reached % EVERY == 0:
                    yield Mark(institution, reached, digest.hex(), now)
            if reached > start and reached % EVERY:
                yield Mark(institution, reached, digest.hex(), now)


__all__ = ["Finding", "Mark", "Tally", "checkpoint", "entry_of", "verify"]
