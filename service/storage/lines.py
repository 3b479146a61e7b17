"""A view as a file's lines: every row that the actor sees, in order, read through one cursor of one snapshot.

A CSV is written by the database: one text a row, quoted, with no cell that a spreadsheet takes for a formula. What is
decoded here row by row costs ten times that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Integer,
    Numeric,
    Select,
    String,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import Sight
from service.storage.database import Connection, Statement
from service.storage.opening import word
from service.storage.scopes import actor_of, sees
from service.storage.tenancy import GATE
from service.storage.views import Filter, View

FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"
"""Signs with which a cell begins that a spreadsheet would compute."""
HARMLESS = ((46, 57), (65, 122), (0x4E00, 0x9FFF))
"""Code points of digits, letters and Chinese: whoever begins so needs no second look."""
BLANKS = "".join(chr(n) for n in (9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 133, 160, 5760, *range(8192, 8203), 8232, 8233,
                                  8239, 8287, 12288))  # fmt: skip
"""What may stand before them unseen: every space of Unicode."""
_EMPTY = word("")


def _rows(
    view: View, sight: Sight | None, filters: tuple[str, ...], sort: str | None, columns: Any, *, downward: bool
) -> Select[Any]:
    actor, t = actor_of(sight), view.table
    by_id: tuple[Any, Filter] = (Uuid, lambda value: t.c.id == value)
    conditions = [GATE, sees(t, sight, actor), select(actor.c.account_id).scalar_subquery().is_not(None)]
    for name in filters:
        type_, keeps = view.filters.get(name, by_id)
        conditions.append(keeps(bindparam(f"by_{name}", type_=type_)))
    key, down = view.sorts[sort] if sort else (t.c.id, downward)
    order = [key, t.c.id] if sort else [t.c.id]
    return (
        select(*columns(view.shown(sight, actor)))
        .select_from(view.source if view.source is not None else t)
        .where(*conditions)
        .order_by(*[col.desc() if down else col.asc() for col in order])
        .limit(bindparam("limit", type_=BigInteger))
    )


def _whole(*_: Any) -> Any:
    raise TypeError("read through a cursor")


@lru_cache(maxsize=512)
def rows_of(
    view: View, sight: Sight | None, filters: tuple[str, ...], sort: str | None, *, downward: bool
) -> Statement[Any]:
    """Every row as a page would show it."""
    return Statement(
        _rows(
            view, sight, filters, sort,
            lambda shown: [expression.label(name) for name, expression in shown.items()], downward=downward,
        ),
        _whole,
    )  # fmt: skip


@lru_cache(maxsize=512)
def lines_of(
    view: View,
    sight: Sight | None,
    filters: tuple[str, ...],
    sort: str | None,
    names: tuple[str, ...],
    *,
    external: str,
    downward: bool,
) -> Statement[Any]:
    """Every row as one line of a CSV; `external` is the system whose number stands in a column of its own."""
    cells: list[tuple[str, str]] = []

    def raw(shown: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        found = {n: _raw(shown[n]) for n in names if n in shown}
        if external in names:
            found[external] = ("text", _number_of(shown["external_ids"], external))
        cells[:] = [(found[n][0] if n in found else "none", f"c{k}") for k, n in enumerate(names)]
        return [found[n][1].label(f"c{k}") for k, n in enumerate(names) if n in found]

    # Each value is computed once: in a subquery that is not drawn into the one around it, and so is each inert text.
    rows = _rows(view, sight, filters, sort, raw, downward=downward).subquery("raw")
    made = [_made(kind, rows.c[c]).label(c) for kind, c in cells if kind != "none"]
    texts = select(*made).offset(literal_column("0")).subquery("texts")
    quoted = [_EMPTY if kind == "none" else _cell(kind, texts.c[c]) for kind, c in cells]
    return Statement(select(func.concat_ws(word(","), *quoted)).select_from(texts), _whole)


# ---- cells
def _raw(value: ColumnElement[Any]) -> tuple[str, ColumnElement[Any]]:
    """A value as the next step takes it: a text that needs no quotes, one that may, one that people wrote, or JSON."""
    kind = value.type
    if isinstance(kind, Boolean | Integer | Uuid | Date):
        return "plain", cast(value, Text)
    if isinstance(kind, DateTime):
        return "plain", cast(value, Text) + word(":00")  # the connection's clock is UTC
    if isinstance(kind, ARRAY):
        return "quoted", func.nullif(cast(func.to_json(value), Text), word("[]"))
    if isinstance(kind, String | Numeric):
        return "text", cast(value, Text)
    return "json", value if isinstance(kind, JSONB) else func.to_jsonb(value)


def _made(kind: str, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A text that no spreadsheet computes."""
    return _of_json(value) if kind == "json" else _inert(value) if kind == "text" else value


def _cell(kind: str, text: ColumnElement[Any]) -> ColumnElement[Any]:
    """A cell as a CSV holds it: nothing for what is not there or is masked, JSON for what has parts."""
    return func.coalesce(text, _EMPTY) if kind == "plain" else _quoted(text)


def _of_json(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """What may be anything: a text as it is, what is masked or has nothing in it as nothing, the rest as JSON."""
    kind, text = func.jsonb_typeof(value), value.op("#>>")(literal_column("'{}'"))
    empty = or_(
        value.op("->>")(word("masked")) == word("true"),
        text.in_([word("[]"), word("{}")]),
    )
    return case(
        (kind == word("string"), _inert(text)),
        (kind.in_([word("object"), word("array")]), case((empty, None), else_=text)),
        else_=text,
    )


def _number_of(ids: ColumnElement[Any], system: str) -> ColumnElement[Any]:
    # A path and no subselect: what stands in one more of them would lose its row.
    path: ColumnElement[Any] = literal_column(f"'$[*] ? (@.system == \"{system}\").value'::jsonpath")
    return func.jsonb_path_query_first(func.to_jsonb(ids), path).op("#>>")(literal_column("'{}'"))


def _inert(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """A text that no spreadsheet takes for a formula."""
    first = func.left(func.ltrim(text, word(BLANKS)), literal_column("1"))
    risky = or_(
        func.strpos(word(FORMULA), func.nullif(first, _EMPTY)) > literal_column("0"),
        func.strpos(word("\t\r\n"), func.nullif(func.left(text, literal_column("1")), _EMPTY)) > literal_column("0"),
    )
    first_sign = func.ascii(text)
    harmless = or_(*[first_sign.between(literal_column(str(a)), literal_column(str(b))) for a, b in HARMLESS])
    return case((harmless, text), (risky, word("'") + text), else_=text)


def _quoted(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """A cell between quotes where it must be, by RFC 4180."""
    plain = and_(*[func.strpos(text, word(sign)) == literal_column("0") for sign in '",\r\n'])
    doubled = word('"') + func.replace(text, word('"'), word('""')) + word('"')
    return func.coalesce(case((plain, text), else_=doubled), _EMPTY)


# ---- reading
async def slices(
    con: Connection, statement: Statement[Any], size: int, **given: Any
) -> AsyncIterator[Sequence[asyncpg.Record]]:
    """All that a statement gives, so many rows at a time, inside a transaction that runs."""
    cursor = await con.cursor(statement.sql, *statement.args(given))
    while rows := await cursor.fetch(size):
        yield rows


__all__ = ["UUID", "lines_of", "rows_of", "slices"]
