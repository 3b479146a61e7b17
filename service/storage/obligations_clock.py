"""What the clock of obligations looks at, and finds: nothing that has not changed is looked at before its next day.

A placement and a relationship keep by which rules they were last looked at and on which day something may fall due for
them next. Whatever changes one of the dates that count takes this away (`walls.py`), and so do other rules; so the
clock reads those who are due, by an index, and nobody else.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Date,
    Integer,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, array
from sqlalchemy.sql.elements import ColumnElement

from service.storage.database import Statement, value
from service.storage.duties import house_rules, periodic_rows
from service.storage.obligations import DATES, IDS, NAME, PENDING, STANDING, STARTS, SUBJECTS, subjects
from service.storage.opening import TODAY, word
from service.storage.pack_library import adopted_version as _own
from service.storage.pack_library import in_library
from service.storage.packs import shipped_packs
from service.storage.tables.institutions import relationships
from service.storage.tables.obligations import obligations
from service.storage.tables.placements import placements
from service.storage.tenancy import GATE, mine

_o = obligations
LOOKED_AT = (placements, relationships)
"""The tables of whatever the clock looks at."""
AT_ONCE = 1000
"""How many of each table are looked at together."""
PIN: ColumnElement[str] = _own.c.key + word("@") + cast(_own.c.number, Text)
ZERO: ColumnElement[Any] = literal_column("0")
ONE: ColumnElement[Any] = literal_column("1")
AT_MOST: ColumnElement[Any] = literal_column(str(AT_ONCE))


# ---- the rules, as rows
def _rows() -> list[tuple[Any, ...]]:
    """Every rule that the clock looks at: few, and known when it starts."""
    house = house_rules()
    ends = [(w.key, house.pin, f"{w.watches}_ends", w.opens_days, 0, 0, True, None, None) for w in house.watches]
    again: list[tuple[Any, ...]] = []
    for pin, o in periodic_rows():
        if o.due is not None:
            days, years = (o.due.count, 0) if o.due.unit == "days" else (0, o.due.count)
            again.append((o.key, pin, o.event, 0, days, years, pin == house.pin, o.effective_from, o.effective_to))
    known = {(row[0], row[1]) for row in again}
    once = [
        (o.key, p.pin, o.event, 0, 0, 0, False, o.effective_from, o.effective_to)
        for p in shipped_packs()
        for o in p.obligations
        if o.event in STARTS and (o.key, p.pin) not in known
    ]
    return [*ends, *again, *once]


def _plain(value: Any) -> ColumnElement[Any]:
    if value is None:
        return literal_column("NULL::date")
    if isinstance(value, date):
        return literal_column(f"DATE '{value.isoformat()}'")
    if isinstance(value, bool):
        return literal_column("true" if value else "false")
    return literal_column(str(value)) if isinstance(value, int) else word(value)


def _own_rules() -> Any:
    """What the institution's own versions of packs say, as the same rows."""
    listed = func.jsonb_array_elements(_own.c.content[word("obligations")])
    rows = listed.table_valued(column("o", JSONB), name="own").render_derived()
    o, due = rows.c.o, rows.c.o[word("due")]

    def day(name: str) -> ColumnElement[Any]:
        return cast(o[word(name)].astext, Date)

    years = case((due[word("unit")].astext == word("years"), cast(due[word("count")].astext, Integer)), else_=ZERO)
    return (
        select(
            o[word("key")].astext, PIN, o[word("event")].astext, ZERO, ZERO, years, literal_column("false"),
            day("effective_from"), day("effective_to"),
        )
        .select_from(_own.join(rows, true()))
        .where(GATE, mine(_own), in_library, o[word("event")].astext.in_([word(e) for e in STARTS]))
    )  # fmt: skip


def _rules() -> Any:
    names = ("rule", "pin", "event", "opens_days", "days", "years", "house", "effective_from", "effective_to")
    parts = [select(*[_plain(v).label(n) for v, n in zip(row, names, strict=True)]) for row in _rows()]
    return union_all(*parts, _own_rules()).subquery("k")


LOOKED_BY = hashlib.sha256(repr(_rows()).encode()).hexdigest()[:16]
"""Names the rules as they are: who was looked at by others is looked at again."""


# ---- who is due
def _due(table: Table) -> Any:
    """The ids of those of a table who are due, as an array: three short walks along one index."""
    t, mark = table.c, word(LOOKED_BY)
    walks = [
        select(t.id).where(mine(table), t.looked_by < mark).order_by(t.looked_by),
        select(t.id).where(mine(table), t.looked_by > mark).order_by(t.looked_by),
        select(t.id).where(mine(table), t.looked_by == mark, t.look_on <= TODAY).order_by(t.look_on),
    ]
    together = union_all(*[select(w.limit(AT_MOST).subquery().c.id) for w in walks]).subquery(f"due_{table.name}")
    # The cast makes it the array that it is: ANY over a bare subselect would compare with its rows.
    return cast(select(func.array_agg(together.c.id)).scalar_subquery(), ARRAY(Uuid))


_everybody: Any = func.array_cat(*[_due(table) for table in LOOKED_AT])
_both = select(_everybody.label("ids")).cte("due").prefix_with("MATERIALIZED")
DUE: Any = cast(select(_both.c.ids).scalar_subquery(), ARRAY(Uuid))


# ---- what has opened
def _times(s: Any, k: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The day from which a rule counts, and how many of its periods are over."""
    start = case(*[(k.c.event == word(event), s.c[name]) for event, name in STARTS.items()])
    over = case(
        (k.c.years > ZERO, func.date_part(word("year"), func.age(TODAY, start)) / k.c.years),
        else_=(TODAY - start) / func.nullif(k.c.days, ZERO),
    )
    return start, cast(func.floor(over), Integer)


def _day(start: Any, k: Any, times: Any) -> ColumnElement[Any]:
    return cast(start + func.make_interval(k.c.years * times, ZERO, ZERO, k.c.days * times), start.type)


def _series(first: Any, last: Any) -> Any:
    return func.generate_series(first, last).table_valued(column("n", Integer), name="n").render_derived()


def _of_rule(s: Any, k: Any) -> Any:
    """Whom a rule concerns: everybody by the house's, by a pack's whoever has it pinned, where every pin is known."""
    shipped = array([word(p.pin) for p in shipped_packs()])
    own = func.array(select(PIN).where(mine(_own), in_library).scalar_subquery())
    pinned = and_(k.c.pin == func.any(s.c.pins), s.c.pins.contained_by(func.array_cat(shipped, own, type_=ARRAY(Text))))
    return s.join(k, or_(k.c.house, pinned))


def _until(s: Any, event: Any) -> ColumnElement[Any]:
    return case(*[(event == word(f"{d}_ends"), s.c[d]) for d in DATES])


def _opened(s: Any) -> Any:
    """What has opened for these and does not stand yet: the subject, and the four names of what is opened."""
    k = _rules()
    until, (start, over) = _until(s, k.c.event), _times(s, k)
    of_rule, named = _of_rule(s, k), (s.c.id, k.c.rule, k.c.pin, k.c.event)
    ends = select(*named, cast(until, Text).label("period")).select_from(of_rule)
    ends = ends.where(s.c.live, k.c.opens_days > ZERO, until - k.c.opens_days <= TODAY)
    periodic = or_(k.c.days > ZERO, k.c.years > ZERO)

    def in_force(on: Any) -> ColumnElement[bool]:
        return and_(
            or_(k.c.effective_from.is_(None), k.c.effective_from <= on),
            or_(k.c.effective_to.is_(None), on <= k.c.effective_to),
        )

    n = _series(ONE, over + literal_column("2"))
    due, opens = _day(start, k, n.c.n), _day(start, k, n.c.n - ONE)
    again = (
        select(*named, cast(n.c.n, Text))
        .select_from(of_rule.join(n, true()))
        .where(
            periodic, opens <= TODAY, in_force(due),
            or_(n.c.n == ONE, s.c.ended_on.is_(None), opens <= s.c.ended_on),
        )
    )  # fmt: skip
    once = select(*named, word("")).select_from(of_rule)
    once = once.where(k.c.opens_days == ZERO, ~periodic, start <= TODAY, in_force(start))
    found = union_all(ends, again, once).subquery("opens")
    # Whatever the pack's version: a transfer may pin another, and what stands by the old one is not owed twice.
    stands = select(ONE).where(
        STANDING, _o.c.subject_id == found.c.id, *[_o.c[name] == found.c[name] for name in NAME if name != "pin"]
    )
    return select(*found.c).where(~stands.exists()), found


def _open_due() -> Statement[Any]:
    statement, found = _opened(subjects(DUE))
    statement = statement.where(GATE).order_by(found.c.id, found.c.rule, found.c.period)
    return Statement(statement.limit(bindparam("limit", type_=BigInteger)), lambda *row: row)


TO_OPEN = _open_due()


# ---- what is renewed, and what is moot
def _pending(s: Any, ids: Any, *, runs_out: ColumnElement[bool], others: ColumnElement[bool]) -> Any:
    """Pending obligations by how their subject stands now: of what runs out, and the others."""
    ends = _o.c.event.in_([word(f"{d}_ends") for d in DATES])
    return (
        select(_o.c.id, _o.c.subject_id)
        .select_from(_o.outerjoin(s, s.c.id == _o.c.subject_id))
        .where(mine(_o), _o.c.state == PENDING, _o.c.subject_id == func.any(ids), case((ends, runs_out), else_=others))
    )


def _renewed(s: Any, ids: Any) -> Any:
    later = _until(s, _o.c.event) > _o.c.event_on
    return _pending(s, ids, runs_out=and_(later, s.c.live), others=literal_column("false"))


def _moot(s: Any, ids: Any) -> Any:
    until, gone = _until(s, _o.c.event), ~func.coalesce(s.c.live, literal_column("false"))
    of_house = and_(_o.c.pin == word(house_rules().pin), gone)
    return _pending(s, ids, runs_out=or_(until.is_(None), until < _o.c.event_on, gone), others=of_house)


def _ended(found: Any) -> Statement[UUID]:
    rows = found.with_only_columns(_o.c.id, maintain_column_froms=True).where(GATE).order_by(_o.c.id)
    return Statement(rows.limit(bindparam("limit", type_=BigInteger)), value)


RENEWED = _ended(_renewed(subjects(DUE), DUE))
"""What was to be renewed has a later end."""
MOOT = _ended(_moot(subjects(DUE), DUE))
"""What was to be renewed is no longer held, or whoever held it or was to be asked is no longer there."""


# ---- looked at
def _lock(table: Table) -> Statement[UUID]:
    """Those of a table who are due, each for one worker alone; who is being changed this moment comes next time."""
    found = select(table.c.id).where(GATE, mine(table), table.c.id == func.any(_due(table)))
    return Statement(found.with_for_update(key_share=True, skip_locked=True), value)


def _next_days(s: Any) -> Any:
    """The next day after today on which something opens for somebody, of all rules."""
    k = _rules()
    until, (start, over) = _until(s, k.c.event), _times(s, k)
    n = _series(func.greatest(over, ZERO), func.greatest(over, ZERO) + literal_column("2"))
    near = until - k.c.opens_days
    ends = select(s.c.id, near.label("on")).select_from(_of_rule(s, k))
    ends = ends.where(s.c.live, k.c.opens_days > ZERO, near > TODAY)
    day = _day(start, k, n.c.n)
    again = select(s.c.id, day).select_from(_of_rule(s, k).join(n, true()))
    again = again.where(
        or_(k.c.days > ZERO, k.c.years > ZERO), day > TODAY, or_(s.c.ended_on.is_(None), day <= s.c.ended_on)
    )
    found = union_all(ends, again).subquery("next")
    return select(found.c.id, func.min(found.c.on).label("on")).group_by(found.c.id).subquery("next_day")


def _settle(table: Table) -> Statement[int]:
    """Whoever has nothing left to be opened or ended is looked at again on the next day on which there may be."""
    s = SUBJECTS
    busy = [
        select(_opened(s)[0].subquery().c.id),
        *[select(found(s, IDS).subquery().c.subject_id) for found in (_renewed, _moot)],
    ]
    after = _next_days(s)
    next_on = select(after.c.on).where(after.c.id == table.c.id).scalar_subquery()
    settled = (
        update(table)
        .where(GATE, mine(table), table.c.id == func.any(IDS), table.c.id.not_in(union_all(*busy)))
        .values(looked_by=word(LOOKED_BY), look_on=next_on)
        .returning(table.c.id)
        .cte("settled")
    )
    return Statement(select(func.count()).select_from(settled).where(GATE), int)


LOCKS = {table.name: _lock(table) for table in LOOKED_AT}
SETTLE = {table.name: _settle(table) for table in LOOKED_AT}

__all__ = ["AT_ONCE", "LOCKS", "LOOKED_BY", "MOOT", "RENEWED", "SETTLE", "TO_OPEN"]
