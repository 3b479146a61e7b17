"""S1: one statement that tells who asks, whether they asked before, and all that the rules may know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    Boolean,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import Role, Sight
from service.domain.journey import LIVE, Held
from service.domain.lifecycle import KERNEL_ACTIONS, Dossier, LastStep
from service.storage.aliases import survivor_of, theirs
from service.storage.database import Connection, Statement, value
from service.storage.scopes import AT, NOW, actor_of, asking, sees
from service.storage.tables.columns import LIFECYCLES, metadata
from service.storage.tables.institutions import institutions
from service.storage.tables.record import events, heads, idempotency_keys, stream_keys
from service.storage.tenancy import GATE, INSTITUTION, mine

D = TypeVar("D", bound=Dossier)
_zone = select(institutions.c.time_zone).where(institutions.c.id == INSTITUTION).scalar_subquery()
TODAY: ColumnElement[date] = select(cast(func.timezone(_zone, NOW), events.c.occurred_on.type)).scalar_subquery()
"""The present day where the institution is.

It is a subselect of its own, reckoned once: row-level security lets no function that might tell of a row come before
it, and these might, so that a bare comparison with them would never be looked up in an index.
"""


def word(value: str) -> ColumnElement[str]:
    """A constant of the code in SQL."""
    return literal_column("'" + value.replace("'", "''") + "'", Text)


def json_rows(query: Select[Any]) -> ColumnElement[Any]:
    """The rows of a subselect as a JSON array of objects, in its order; empty where there are none.

    It is one scalar subselect, so that tables of the statement around it are meant, and not joined once more.
    """
    named = [(word(str(column.key)), column) for column in query.selected_columns]
    row = func.json_build_object(*[part for pair in named for part in pair])
    order = query._order_by_clauses  # noqa: SLF001 - there is no public way to read it
    rows = func.json_agg(aggregate_order_by(row, *order)) if order else func.json_agg(row)
    listed = func.coalesce(rows, literal_column("'[]'::json"))
    return query.order_by(None).with_only_columns(listed, maintain_column_froms=True).scalar_subquery()


def last_step_of(table: Table, stream: str) -> ColumnElement[Any]:
    """The last step of an item that no correction has taken back, as JSON."""
    e, b = events.alias("e"), events.alias("b")

    def is_step(s: Any, x: Any, of_stream: ColumnElement[Any], of_item: ColumnElement[Any]) -> ColumnElement[bool]:
        undone = select(text("1")).where(
            mine(x), x.c.stream_id == s.c.stream_id, x.c.subject_id == s.c.subject_id, x.c.corrects == s.c.seq
        )
        return and_(
            mine(s),
            s.c.stream_id == of_stream,
            s.c.subject_id == of_item,
            s.c.to_state.is_not(None),
            s.c.action.not_in([word(a) for a in KERNEL_ACTIONS]),
            ~undone.exists(),
        )

    before = (
        select(b.c.occurred_on)
        # By the entry around it: the item stands two subselects above, and would be joined anew, whichever it is.
        .where(is_step(b, events.alias("bx"), e.c.stream_id, e.c.subject_id), b.c.seq < e.c.seq)
        .order_by(b.c.seq.desc())
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    step = (
        select(
            func.json_build_object(
                word("seq"),
                e.c.seq,
                word("action"),
                e.c.action,
                word("from_state"),
                e.c.from_state,
                word("to_state"),
                e.c.to_state,
                word("recorded_on"),
                cast(e.c.recorded_at, events.c.occurred_on.type),
                word("recorded_for"),
                e.c.recorded_for,
                word("by"),
                e.c.actor_id,
                word("since_before"),
                before,
            )
        )
        .where(is_step(e, events.alias("ex"), table.c[stream], table.c.id))
        .order_by(e.c.seq.desc())
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    return case((bindparam("with_last", type_=Boolean), step))


def read_last(value: dict[str, Any] | None) -> LastStep | None:
    """The last step from its JSON."""
    if value is None:
        return None
    return LastStep(
        seq=value["seq"],
        action=value["action"],
        from_state=value["from_state"] or "",
        to_state=value["to_state"],
        recorded_on=date.fromisoformat(value["recorded_on"]),
        recorded_for=Role(value["recorded_for"]) if value["recorded_for"] else None,
        by=UUID(value["by"]),
        since_before=date.fromisoformat(value["since_before"]) if value["since_before"] else None,
    )


def held_of(person: ColumnElement[Any]) -> ColumnElement[Any]:
    """Everything a person has that decides the stage of the journey, as JSON: rows [subject, id, state, departs]."""

    def rows(what: ColumnElement[Any], *conditions: ColumnElement[bool]) -> ColumnElement[Any]:
        return select(func.json_agg(what)).where(*conditions).scalar_subquery()

    groups = []
    for name, (lifecycle, stream) in LIFECYCLES.items():
        if lifecycle.name not in LIVE or stream != "person_id":
            continue
        t = metadata.tables[name].alias(f"held_{name}")
        departs = t.c.departs if "departs" in t.c else literal_column("false")
        row = func.json_build_array(word(lifecycle.name), t.c.id, t.c.state, departs)
        groups.append(rows(row, mine(t), theirs(t.c.person_id, person, of_survivor=True)))
    who = metadata.tables["trainees"].alias("held_who")
    waiting = func.json_build_array(word("availability"), who.c.id, word("available"), literal_column("false"))
    groups.append(rows(waiting, mine(who), who.c.id == person, who.c.available_until >= TODAY))
    return func.json_build_array(*groups)


@dataclass(slots=True)
class Head:
    """A stream as it was read: its guard, its place in the chain, its key.

    For a person also all that they hold, the state of their record, and the record to which it was joined.
    """

    stream_id: UUID
    kind: str
    version: int
    seq: int
    chain_head: bytes
    stage: str | None
    wrapped: bytes | None
    held: list[Held]
    record: str | None = None
    survivor: UUID | None = None
    is_new: bool = False


HEAD_COLUMNS = ("stream_id", "kind", "version", "seq", "chain_head", "stage", "wrapped", "held", "record", "survivor")


def _head_columns(h: Any, k: Any) -> list[ColumnElement[Any]]:
    held = case((h.c.kind == word("person"), held_of(h.c.stream_id)))
    who = metadata.tables["trainees"].alias("head_who")
    record = select(who.c.state).where(mine(who), who.c.id == h.c.stream_id).scalar_subquery()
    survivor = survivor_of(h.c.stream_id)
    columns = (
        h.c.stream_id,
        h.c.kind,
        h.c.version,
        h.c.seq,
        h.c.chain_head,
        h.c.stage,
        k.c.wrapped,
        held,
        record,
        survivor,
    )
    return [col.label(f"head_{name}") for col, name in zip(columns, HEAD_COLUMNS, strict=True)]


def read_head(record: asyncpg.Record) -> Head | None:
    """The head in a record of S1, or None where the stream is not there."""
    if record["head_stream_id"] is None:
        return None
    values = {name: record[f"head_{name}"] for name in HEAD_COLUMNS}
    groups = values["held"] or ()
    values["held"] = [Held(s, UUID(i), state, departs) for group in groups for s, i, state, departs in group or ()]
    return Head(**values)


ITSELF: Any = (
    select(institutions.c.id.label("institution_id"), institutions.c.id)
    .where(institutions.c.id == INSTITUTION)
    .subquery("itself")
)
"""The institution as what something is born from that has a stream of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class FactsOf(Generic[D]):
    """How the dossiers of a table are filled.

    `columns` maps the dossier's own fields to expressions over `source` (the table, joined with what its rules must
    know), or to functions of the actor's CTE where a rule must know who asks; what every dossier has is added.
    `also` gives the ids of the other streams that a shared step concerns. For a birth `table` is what it is born from
    (the person, the request), and `birth` is true. `extra` names the further bind parameters that the columns use.
    `learn` reads beforehand what `read` must know and no statement tells every time: the content of adopted packs.
    """

    table: Table
    row: Callable[..., D]
    columns: Mapping[str, ColumnElement[Any] | Callable[[Any], ColumnElement[Any]]]
    source: Any = None
    stream: str = "person_id"
    also: ColumnElement[Any] | None = None
    birth: bool = False
    extra: tuple[str, ...] = ()
    read: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    learn: Callable[[Connection, UUID, Sequence[asyncpg.Record]], Awaitable[None]] | None = None

    async def records(
        self, con: Connection, sight: Sight | None, *, institution: UUID, **given: Any
    ) -> list[asyncpg.Record]:
        """S1; and what its reading needs and this process has not read before."""
        found = await self.statement(sight).records(con, institution=institution, **given)
        if self.learn is not None:
            await self.learn(con, institution, found)
        return found

    def statement(self, sight: Sight | None) -> Statement[asyncpg.Record]:
        """S1 for whoever asks with such eyes."""
        return _opening(self, sight)

    def streams(self, sight: Sight | None) -> Statement[tuple[UUID, list[UUID] | None]]:
        """The stream of each item, and the others that a shared step concerns: what an act on many locks first."""
        return _streams(self, sight)

    def dossier(self, record: asyncpg.Record) -> D:
        """The dossier in a record of S1."""
        values = {name: record[f"fact_{name}"] for name in self.columns}
        if self.read is not None:
            values = self.read(values)
        common: dict[str, Any] = {"today": record["today"], "state": ""}
        if not self.birth:
            common["since_on"] = record["fact_since_on"]
            common["contested"] = bool(record["fact_contested"])
            common["last_step"] = read_last(record["fact_last"])
            common["state"] = record["fact_state"] or ""
        return self.row(**common, **values)


def _wanted(table: Table) -> ColumnElement[bool]:
    """The rows that were named, found by their key: joined to a list of ids, every row's facts might be read first."""
    return table.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid)))


@lru_cache(maxsize=1024)
def _opening(facts: FactsOf[Any], sight: Sight | None) -> Statement[asyncpg.Record]:
    """Always at least one row: a token that is not live is a null account, an item out of sight a null id."""
    actor = actor_of(sight)
    t, k = facts.table, idempotency_keys
    common: list[ColumnElement[Any]] = [t.c.id.label("id"), t.c[facts.stream].label("stream")]
    if "version" in t.c:
        common.append(t.c.version.label("version"))
    else:
        common.append(literal_column("0").label("version"))
    common.append((facts.also if facts.also is not None else cast(null(), ARRAY(Uuid))).label("also"))
    if not facts.birth:
        common += [
            t.c.since_on.label("fact_since_on"),
            t.c.contested_seq.is_not(None).label("fact_contested"),
            last_step_of(t, facts.stream).label("fact_last"),
            t.c.state.label("fact_state"),
        ]
    known = {n: e if isinstance(e, ColumnElement) else e(actor) for n, e in facts.columns.items()}
    own = [expression.label(f"fact_{name}") for name, expression in known.items()]
    found = (
        select(*common, *own)
        .select_from(facts.source if facts.source is not None else t)
        .where(_wanted(t), sees(t, sight, actor), select(actor.c.account_id).scalar_subquery().is_not(None))
    ).subquery("found")
    once = select(literal_column("1").label("x")).subquery("once")
    kept = and_(
        mine(k),
        k.c.account_id == actor.c.account_id,
        k.c.route == bindparam("route", type_=Text),
        k.c.key == bindparam("key", type_=Text),  # as long as it stands: the worker forgets it when its time is over
    )
    documents = metadata.tables["documents"]
    evidence = (
        select(func.array_agg(documents.c.id))
        .select_from(documents)
        .where(
            sees(documents, sight, actor),
            documents.c.id == func.any(bindparam("evidence", type_=ARRAY(Uuid))),
            documents.c.state.in_([word("uploaded"), word("accepted")]),
            func.coalesce(documents.c.person_id == found.c.stream, true()),
        )
        .scalar_subquery()
    )
    h, sk = heads, stream_keys
    frm = (
        once.outerjoin(actor, true())
        .outerjoin(k, kept)
        .outerjoin(found, true())
        .outerjoin(h, and_(mine(h), h.c.stream_id == found.c.stream))
        .outerjoin(sk, and_(mine(sk), sk.c.stream_id == found.c.stream))
    )
    statement = (
        select(
            *asking(actor),
            NOW.label("now"),
            TODAY.label("today"),
            k.c.body_digest.label("kept_digest"),
            k.c.sealed.label("kept_sealed"),
            evidence.label("evidence_found"),
            *found.c,
            *_head_columns(h, sk),
        )
        .select_from(frm)
        .where(GATE)
    )
    return Statement(statement, _whole)


@lru_cache(maxsize=1024)
def _streams(facts: FactsOf[Any], sight: Sight | None) -> Statement[tuple[UUID, list[UUID] | None]]:
    actor, t = actor_of(sight), facts.table
    also = facts.also if facts.also is not None else cast(null(), ARRAY(Uuid))
    found = (
        select(t.c[facts.stream], also)
        .select_from(facts.source if facts.source is not None else t)
        .where(GATE, _wanted(t), sees(t, sight, actor), select(actor.c.account_id).scalar_subquery().is_not(None))
    )
    return Statement(found, lambda stream, others: (stream, others))


def _whole(*_: Any) -> Any:
    raise TypeError("S1 is read by name: use records()")


# ---- locks, for acts on several
def _lock() -> Select[Any]:
    """The heads, locked in the one order: what is shared first, then persons, each by id."""
    h = heads
    return (
        select(h.c.stream_id)
        .where(GATE, mine(h), h.c.stream_id == func.any(bindparam("streams", type_=ARRAY(Uuid))))
        .order_by(h.c.kind == word("person"), h.c.stream_id)
        .with_for_update(key_share=True)
    )


def _heads() -> Select[Any]:
    h, k = heads, stream_keys
    return (
        select(*_head_columns(h, k))
        .select_from(h.outerjoin(k, and_(mine(k), k.c.stream_id == h.c.stream_id)))
        .where(GATE, mine(h), h.c.stream_id == func.any(bindparam("streams", type_=ARRAY(Uuid))))
    )


LOCK = Statement(_lock(), value)


@lru_cache(maxsize=1)
def heads_statement() -> Statement[Any]:
    """The heads of streams; made late, for what a person holds stands in tables of every capability."""
    return Statement(_heads(), _whole)


async def lock_heads(con: Connection, institution: UUID, streams: Sequence[UUID]) -> None:
    """Lock the streams until the transaction ends."""
    await LOCK.all(con, institution=institution, streams=list(streams))


async def read_heads(
    con: Connection, institution: UUID, streams: Sequence[UUID], at: datetime | None
) -> dict[UUID, Head]:
    """The heads as they are now, by stream."""
    records = await heads_statement().records(
        con, institution=institution, streams=list(streams), at=at and at.isoformat()
    )
    return {h.stream_id: h for r in records if (h := read_head(r)) is not None}


__all__ = [
    "AT",
    "ITSELF",
    "JSONB",
    "TODAY",
    "FactsOf",
    "Head",
    "aggregate_order_by",
    "json_rows",
    "lock_heads",
    "read_head",
    "read_heads",
    "word",
]
