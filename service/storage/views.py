"""Reads: one statement that tells who asks and gives them the rows that they see, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
from sqlalchemy import (
    BigInteger,
    FromClause,
    Table,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import Sight
from service.storage.aliases import same_as, theirs
from service.storage.database import Statement
from service.storage.opening import TODAY
from service.storage.scopes import NOW, actor_of, asking, sees
from service.storage.sights import SEEN, noting
from service.storage.tables.record import events, feed, heads, stream_keys
from service.storage.tenancy import GATE, mine

Filter: TypeAlias = Callable[[Any], ColumnElement[bool]]
"""Given the bind parameter of its value, the rows that it keeps."""
Columns: TypeAlias = (
    "Mapping[str, ColumnElement[Any]] | Callable[[Sight | None, Any], Mapping[str, ColumnElement[Any]]]"
)


BY_ID = "id"
"""The filter that every view has."""


class UnknownFilter(TypeError):
    """A filter that a view does not have: a slip of ours, never of a client."""


@dataclass(frozen=True)
class View:
    """How a resource is read: its table, what a row shows, what may be asked for, in which orders.

    `columns` are the fields of the resource's `...Out`, or a function of whose eyes it is for, where fields are masked.
    `filters` map a parameter's name to (its type, the rows that it keeps); `sorts` an order's name to a column and
    whether it runs downward. Every view has `id` and `version`.
    """

    table: Table
    columns: Columns
    source: Any = None
    filters: Mapping[str, tuple[Any, Filter]] = field(default_factory=dict)
    sorts: Mapping[str, tuple[ColumnElement[Any], bool]] = field(default_factory=dict)
    seen: Callable[[Any], Mapping[str, ColumnElement[Any]]] | None = None
    """For an organisation's eyes: which kinds of a person's data a row shows them, by which consent; it is noted."""

    def __hash__(self) -> int:
        return id(self)

    def shown(self, sight: Sight | None, actor: Any) -> Mapping[str, ColumnElement[Any]]:
        """The columns for such eyes."""
        return self.columns(sight, actor) if callable(self.columns) else self.columns

    def keeps(self, *names: str) -> tuple[str, ...]:
        """The names of filters that a caller will use, told when it is loaded.

        Raises:
            UnknownFilter: the view has none of that name; such a service does not start.
        """
        if unknown := [n for n in names if n not in self.filters and n != BY_ID]:
            raise UnknownFilter(f"{self.table.name} has no filter {', '.join(unknown)}")
        return names

    def page(
        self, sight: Sight | None, filters: Sequence[str], sort: str | None, *, after: bool, downward: bool = False
    ) -> Statement[asyncpg.Record]:
        """A page by filters, in an order, after a row."""
        return _page(self, sight, tuple(sorted(self.keeps(*filters))), sort, after=after, downward=downward)

    def item(self, sight: Sight | None) -> Statement[asyncpg.Record]:
        """Rows by their ids."""
        return _page(self, sight, (BY_ID,), None, after=False, downward=False)


def _asked(actor: Any) -> list[Any]:
    return [*asking(actor), NOW.label("asked_at")]


ASKED = 6
"""Columns of a read that tell who asks; the row's own follow."""


def read_by(rows: Any, actor: Any, order: Sequence[Any] = (), noted: Any = None) -> Statement[asyncpg.Record]:
    """A read of any rows (a subquery) by whoever holds the token: always at least one record, with who asks.

    `noted` is a part that notes, in the same statement, what of people the rows show.
    """
    once = select(literal_column("1").label("x")).subquery("once")
    frm = once.outerjoin(actor, true()).outerjoin(rows, true())
    own = [c for c in rows.c if not c.name.startswith(SEEN)]
    read = select(*_asked(actor), *own).select_from(frm).where(GATE).order_by(*order)
    return Statement(read if noted is None else read.add_cte(noted), _by_name)


def _by_name(*_: Any) -> Any:
    raise TypeError("read by name: use records()")


@lru_cache(maxsize=4096)
def _page(
    view: View, sight: Sight | None, filters: tuple[str, ...], sort: str | None, *, after: bool, downward: bool
) -> Statement[asyncpg.Record]:
    actor = actor_of(sight)
    t = view.table
    known_filters: Mapping[str, tuple[Any, Filter]] = {BY_ID: (Uuid, lambda value: t.c.id == value), **view.filters}
    conditions = [sees(t, sight, actor), select(actor.c.account_id).scalar_subquery().is_not(None)]
    for name in filters:
        type_, keeps = known_filters[name]
        conditions.append(keeps(bindparam(f"by_{name}", type_=type_)))
    key, down = view.sorts[sort] if sort else (t.c.id, downward)
    order = [key, t.c.id] if sort else [t.c.id]
    if after:
        # Only the id rides in a cursor: what it sorts by may be a name, and a cursor stands in addresses.
        last = t.alias("last")
        known = [last.c.get(col.name, col) for col in order]
        place = select(*known).where(mine(last), last.c.id == bindparam("after", type_=Uuid)).subquery("place")
        mark, here = tuple_(*[select(col).scalar_subquery() for col in place.c]), tuple_(*order)
        conditions.append(here < mark if down else here > mark)
    ordered = [col.desc() if down else col.asc() for col in order]
    numbered = func.row_number().over(order_by=ordered).label("row_no")
    columns = [expression.label(name) for name, expression in view.shown(sight, actor).items()]
    limit = bindparam("limit", type_=BigInteger)
    noted = view.seen is not None and sight is Sight.ORGANISATION
    seen = [e.label(SEEN + name) for name, e in view.seen(actor).items()] if noted and view.seen else []
    found = (
        select(*columns, *seen, numbered)
        .select_from(view.source if view.source is not None else t)
        .where(*conditions)
        .order_by(*ordered)
        .limit(limit)
    )
    if not noted:
        rows: Any = found.subquery("page")
        return read_by(rows, actor, [rows.c.row_no])
    rows = found.where(GATE).cte("page")
    # A page is asked for one row more than it shows; an item is not.
    shown = true() if filters == ("id",) else rows.c.row_no < limit
    return read_by(rows, actor, [rows.c.row_no], noting(t, rows, actor, shown))


@lru_cache(maxsize=8)
def who(sight: Sight | None) -> Statement[asyncpg.Record]:
    """Who asks, and nothing else."""
    return read_by(select(literal_column("1").label("nothing")).subquery("nothing"), actor_of(sight))


@lru_cache(maxsize=8)
def day_there(sight: Sight | None) -> Statement[asyncpg.Record]:
    """Who asks, and the present day where the institution is."""
    return read_by(select(TODAY.label("today")).subquery("there"), actor_of(sight))


# ---- events: of an item, and the feed of an institution
EVENT_COLUMNS = (
    "event_id",
    "action_id",
    "type",
    "action",
    "subject",
    "subject_id",
    "stream_id",
    "seq",
    "from_state",
    "to_state",
    "actor_id",
    "actor_roles",
    "recorded_for",
    "reason_code",
    "occurred_on",
    "recorded_at",
    "corrects",
    "evidence",
    "data",
)


@lru_cache(maxsize=256)
def events_of(table: Table, stream: str, sight: Sight | None) -> Statement[asyncpg.Record]:
    """The events of an item that the actor sees, oldest first; the sealed note and its stream's key ride along."""
    actor = actor_of(sight)
    t, e, k = table, events, stream_keys
    rows = (
        select(t.c.id.label("item_id"), *[e.c[name] for name in EVENT_COLUMNS], e.c.note_sealed, k.c.wrapped)
        .select_from(
            t.outerjoin(
                e,
                and_(
                    mine(e),
                    e.c.stream_id == t.c[stream],
                    e.c.subject_id == t.c.id,
                    e.c.seq > bindparam("after", type_=BigInteger),
                ),
            ).outerjoin(k, and_(mine(k), k.c.stream_id == t.c[stream]))
        )
        .where(
            sees(t, sight, actor),
            t.c.id == bindparam("by_id", type_=Uuid),
            select(actor.c.account_id).scalar_subquery().is_not(None),
        )
        .order_by(e.c.seq)
        .limit(bindparam("limit", type_=BigInteger))
        .subquery("found")
    )
    return read_by(rows, actor, [rows.c.seq])


@lru_cache(maxsize=256)
def timeline_of(table: Table, sight: Sight | None) -> Statement[asyncpg.Record]:
    """Every event of a person, in all their records: the whole of what concerns them."""
    actor = actor_of(sight)
    t, e = table, events
    # Streams of several records are told by their instants, one alone by its own order: there the place is the number.
    by_instant = case((func.cardinality(same_as(t.c.id)) > literal_column("0"), e.c.recorded_at))
    place = func.row_number().over(order_by=(by_instant, e.c.stream_id, e.c.seq)).label("place")
    told = (
        select(t.c.id.label("item_id"), *[e.c[name] for name in EVENT_COLUMNS], place)
        .select_from(t.join(e, and_(mine(e), theirs(e.c.stream_id, t.c.id))))
        .where(mine(t), t.c.id == bindparam("by_id", type_=Uuid))
        .subquery("told")
    )
    rows = (
        select(t.c.id.label("item_id"), *[told.c[name] for name in (*EVENT_COLUMNS, "place")])
        .select_from(
            t.outerjoin(told, and_(told.c.item_id == t.c.id, told.c.place > bindparam("after", type_=BigInteger)))
        )
        .where(
            sees(t, sight, actor),
            t.c.id == bindparam("by_id", type_=Uuid),
            select(actor.c.account_id).scalar_subquery().is_not(None),
        )
        .order_by(told.c.place)
        .limit(bindparam("limit", type_=BigInteger))
        .subquery("found")
    )
    return read_by(rows, actor, [rows.c.place])


@lru_cache(maxsize=8)
def feed_page(sight: Sight | None) -> Statement[asyncpg.Record]:
    """The feed of an institution after a number: committed events, in an order that never changes."""
    actor = actor_of(sight)
    rows = (
        select(feed.c.feed_no, *[events.c[name] for name in EVENT_COLUMNS])
        .select_from(
            feed.join(events, and_(mine(events), events.c.stream_id == feed.c.stream_id, events.c.seq == feed.c.seq))
        )
        .where(
            mine(feed),
            feed.c.feed_no > bindparam("after", type_=BigInteger),
            select(actor.c.account_id).scalar_subquery().is_not(None),
        )
        .order_by(feed.c.feed_no)
        .limit(bindparam("limit", type_=BigInteger))
        .subquery("found")
    )
    return read_by(rows, actor, [rows.c.feed_no])


def among(column: ColumnElement[Any]) -> tuple[Any, Filter]:
    """A filter by one value of a column."""
    return column.type, lambda value: column == value


def of_person(column: ColumnElement[Any]) -> tuple[Any, Filter]:
    """A filter by a person: by this record of theirs and by those that are joined with it."""
    return column.type, lambda value: theirs(column, value)


def before_or_on(column: ColumnElement[Any]) -> tuple[Any, Filter]:
    """A filter by a column's latest value."""
    return column.type, lambda value: column <= value


def from_on(column: ColumnElement[Any]) -> tuple[Any, Filter]:
    """A filter by a column's earliest value."""
    return column.type, lambda value: column >= value


def facts_of_row(record: asyncpg.Record) -> dict[str, Any]:
    """A row's own columns, without who asked and its number in the page."""
    values = dict(list(record.items())[ASKED:])
    values.pop("row_no", None)
    return values


__all__ = [
    "ASKED",
    "TODAY",
    "UUID",
    "FromClause",
    "View",
    "among",
    "before_or_on",
    "day_there",
    "events_of",
    "facts_of_row",
    "feed_page",
    "from_on",
    "heads",
    "of_person",
    "or_",
    "read_by",
    "timeline_of",
]
