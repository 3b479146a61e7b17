"""S2: one statement that moves, creates and records everything of an act, or nothing of it.

A statement is made of parts (a guarded head, moves, births, rows, counts, events, the kept answer). Which parts, with
which columns, is its shape; each shape is compiled once. Every part reads through `covered`, the streams whose heads
were found as they were read, so a head that moved meanwhile leaves the whole statement without effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    literal_column,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.sql.selectable import CTE

from service.domain.lifecycle import Step
from service.storage.database import Runner, Statement
from service.storage.tables.columns import INSTANT, metadata
from service.storage.tables.personal import ERASED_IN, HELD
from service.storage.tables.record import events, heads, idempotency_keys, unfed
from service.storage.tenancy import GATE, INSTITUTION, ONE, mine

Kind: TypeAlias = Literal[
    "head", "new_head", "event", "move", "birth", "row", "change", "count", "forget", "erase", "key"
]
Shape: TypeAlias = tuple[tuple[Kind, str, tuple[str, ...]], ...]

HEAD = {"stream_id": Uuid, "version": BigInteger, "seq": BigInteger, "chain_head": LargeBinary, "stage": Text}
NEW_HEAD = {"stream_id": Uuid, "kind": Text, "seq": BigInteger, "chain_head": LargeBinary, "stage": Text}


@dataclass(slots=True)
class Writes:
    """What one act leaves behind, collected part by part."""

    institution: UUID
    parts: dict[tuple[Kind, str, tuple[str, ...]], list[dict[str, Any]]] = field(default_factory=dict)

    def _add(self, kind: Kind, table: str, row: Mapping[str, Any]) -> None:
        values = {name: "\\x" + v.hex() if type(v) is bytes else v for name, v in row.items()}
        self.parts.setdefault((kind, table, tuple(sorted(values))), []).append(values)

    def move(
        self, table: Table, step: Step, *, id: UUID, stream: UUID, version: int, event_seq: int, **columns: Any
    ) -> None:
        """The one way by which a `state` is written: a granted step, on the version that was read."""
        named = {"id": id, "cover": stream, "version": version, "state": step.to_state, "event_seq": event_seq}
        self._add("move", table.name, named | columns)

    def birth(self, table: Table, step: Step, *, id: UUID, stream: UUID, event_seq: int, **columns: Any) -> None:
        """Something new, in the state that the step gives it."""
        named = {"id": id, "cover": stream, "version": 1, "state": step.to_state, "event_seq": event_seq}
        self._add("birth", table.name, named | columns)

    def row(self, table: Table, stream: UUID, **columns: Any) -> None:
        """A row without a life of its own."""
        self._add("row", table.name, {"cover": stream} | columns)

    def change(self, table: Table, stream: UUID, *, id: UUID, **columns: Any) -> None:
        """New values in a row of a stream, by its id."""
        self._forbid_state(columns)
        self._add("change", table.name, {"cover": stream, "id": id} | columns)

    def count(self, table: Table, stream: UUID, key: Mapping[str, Any], **deltas: int | Decimal) -> None:
        """Numbers up or down in the row that the key names; the table's own constraints keep them in bounds."""
        self._forbid_state(deltas)
        found = self.parts.setdefault(
            ("count", table.name, tuple(sorted({"cover", *key, *(f"by_{d}" for d in deltas)}))), []
        )
        same = next((r for r in found if all(r[k] == v for k, v in key.items())), None)
        if same is None:
            found.append({"cover": stream} | dict(key) | {f"by_{d}": n for d, n in deltas.items()})
        else:
            for name, n in deltas.items():
                same[f"by_{name}"] += n

    def forget(self, table: Table, stream: UUID, **key: Any) -> None:
        """A row taken away: only of tables that say so."""
        self._add("forget", table.name, {"cover": stream} | key)

    def erase(self, person: UUID, known_by: Sequence[str]) -> None:
        """Whatever names the person, in every table beside their record: blanked or taken away, as the tables say.

        `known_by` are the blind indexes of their numbers, by which staged rows of imports are found.
        """
        for name in ERASED_IN:
            self._add("erase", name, {"cover": person, "known_by": list(known_by)})

    def event(self, **columns: Any) -> None:
        """An entry of a stream, with its hash."""
        self._add("event", "events", columns)

    def head(self, **columns: Any) -> None:
        """A stream's head, on the version that was read."""
        self._add("head", "heads", columns)

    def new_head(self, **columns: Any) -> None:
        """The head of a stream that begins."""
        self._add("new_head", "heads", columns)

    def key(self, **columns: Any) -> None:
        """The answer, sealed, for whoever asks again with the same key."""
        self._add("key", "idempotency_keys", columns)

    def _forbid_state(self, columns: Mapping[str, Any]) -> None:
        if "state" in columns:
            raise TypeError("a state is written by a step only")

    async def run(self, con: Runner) -> bool:
        """Write it all; False where a head was not as it was read, and then nothing was written."""
        shape = tuple(sorted(self.parts))
        rows = {f"p{n}": self.parts[part] for n, part in enumerate(shape)}
        counts = {f"n{n}": len(self.parts[part]) for n, part in enumerate(shape) if part[0] != "erase"}
        done = await _statement(shape).one(con, institution=self.institution, **rows, **counts)
        return bool(done)


def _recordset(n: int, columns: Mapping[str, Any]) -> Any:
    """A JSON array of objects as a table of typed columns."""
    rows = func.json_to_recordset(bindparam(f"p{n}", type_=JSON))
    return rows.table_valued(*[column(name, t) for name, t in columns.items()], name=f"r{n}").render_derived(
        with_types=True
    )


@lru_cache(maxsize=2048)
def _statement(shape: Shape) -> Statement[int]:
    """The compiled statement of a shape."""
    ctes: list[CTE] = []
    covers: list[CTE] = []
    for n, (kind, _, names) in enumerate(shape):
        if kind == "head":
            r = _recordset(n, {k: t for k, t in HEAD.items() if k in names})
            found = (
                update(heads)
                .where(mine(heads), GATE, heads.c.stream_id == r.c.stream_id, heads.c.version == r.c.version)
                .values(
                    version=heads.c.version + ONE,
                    seq=r.c.seq,
                    chain_head=r.c.chain_head,
                    stage=r.c.stage,
                )
                .returning(heads.c.stream_id)
            )
            covers.append(found.cte(f"w{n}"))
        elif kind == "new_head":
            r = _recordset(n, {k: t for k, t in NEW_HEAD.items() if k in names})
            new = insert(heads).from_select(
                ["institution_id", "stream_id", "kind", "version", "seq", "chain_head", "stage"],
                select(INSTITUTION, r.c.stream_id, r.c.kind, ONE, r.c.seq, r.c.chain_head, r.c.stage).where(GATE),
            )
            covers.append(new.returning(heads.c.stream_id).cte(f"w{n}"))
    ctes += covers
    first, *others = [select(cover.c.stream_id) for cover in covers]
    covered = (first.union_all(*others) if others else first).cte("covered")
    counted: list[ColumnElement[bool]] = []
    for n, (kind, name, names) in enumerate(shape):
        if kind in ("head", "new_head"):
            continue
        written = _part(n, kind, metadata.tables[name], names, covered).cte(f"w{n}")
        ctes.append(written)
        if kind == "erase":  # however many rows there are
            continue
        counted.append(select(func.count()).select_from(written).scalar_subquery() == bindparam(f"n{n}", type_=Integer))
    guarded = select(func.count()).select_from(covered).scalar_subquery()
    expected: Any = text("0")
    for n, (kind, _, _) in enumerate(shape):
        if kind in ("head", "new_head"):
            expected = bindparam(f"n{n}", type_=Integer) + expected
    # All of it, or a division by zero that takes all of it back; nothing at all is a head that moved meanwhile.
    torn = cast(literal_column("1"), Integer) / (guarded * text("0"))
    done = case((guarded == text("0"), text("0")), (and_(guarded == expected, *counted), text("1")), else_=torn)
    return Statement(select(done).add_cte(*ctes), int)


def _erasing(table: Table, r: Any, seen: Sequence[ColumnElement[bool]]) -> Any:
    """Every row of a table that is about the person: gone, or with nothing in it that says who they were."""
    held = HELD[table.name]
    tenant = [mine(table)] if "institution_id" in table.c else []
    theirs = [*tenant, *seen, held.whose(table, r.c.cover, r.c.known_by)]
    if held.forget:
        return delete(table).where(*theirs).returning(text("1"))
    blank = {name: null() if v is None else v for name, v in held.blank.items()}
    bump = {"version": table.c.version + ONE} if "version" in table.c else {}
    return update(table).where(*theirs).values(**blank, **bump).returning(text("1"))


def _part(n: int, kind: Kind, table: Table, names: Sequence[str], covered: CTE) -> Any:
    """One part: its rows, through the streams that are covered."""
    special: dict[str, Any] = {"cover": Uuid, "stream_id": Uuid, "known_by": ARRAY(Text)}
    types: dict[str, Any] = {}
    for name in names:
        base = name.removeprefix("by_") if kind == "count" else name
        types[name] = special[name] if kind == "erase" or base not in table.c else table.c[base].type
    r = _recordset(n, types)
    cover = r.c.cover if "cover" in names else r.c.stream_id if "stream_id" in names else None
    seen = [GATE] if cover is None else [GATE, cover == covered.c.stream_id]
    if kind == "event":
        put = insert(table).from_select(
            ["institution_id", *names], select(INSTITUTION, *[r.c[x] for x in names]).where(*seen)
        )
        left = put.returning(events.c.stream_id, events.c.seq).cte(f"e{n}")
        return (
            insert(unfed)
            .from_select(
                ["institution_id", "stream_id", "seq"],
                select(INSTITUTION, left.c.stream_id, left.c.seq).where(GATE).order_by(left.c.stream_id, left.c.seq),
            )
            .returning(unfed.c.stream_id)
        )
    if kind == "key":
        # Only beside something that was written: a refusal is not kept.
        any_cover = select(covered.c.stream_id).exists()
        return (
            insert(idempotency_keys)
            .from_select(
                ["institution_id", *names], select(INSTITUTION, *[r.c[x] for x in names]).where(GATE, any_cover)
            )
            .returning(text("1"))
        )
    if kind == "erase":
        return _erasing(table, r, seen)
    if kind in ("birth", "row"):
        own = [x for x in names if x in table.c]
        tenant = {"institution_id": INSTITUTION} if "institution_id" in table.c else {}
        filled = [*tenant.values(), *[r.c[x] for x in own]]
        return insert(table).from_select([*tenant, *own], select(*filled).where(*seen)).returning(text("1"))
    if kind == "move":
        values = {x: r.c[x] for x in names if x in table.c and x not in ("id", "version", "cover")}
        return (
            update(table)
            .where(mine(table), *seen, table.c.id == r.c.id, table.c.version == r.c.version)
            .values(version=table.c.version + ONE, **values)
            .returning(text("1"))
        )
    if kind == "change":
        values = {x: r.c[x] for x in names if x not in ("id", "cover")}
        bump = {"version": table.c.version + ONE} if "version" in table.c else {}
        return (
            update(table).where(mine(table), *seen, table.c.id == r.c.id).values(**values, **bump).returning(text("1"))
        )
    keys = [x for x in names if x != "cover" and not x.startswith("by_")]
    same = [table.c[x] == r.c[x] for x in keys]
    if kind == "count":
        sums = {x.removeprefix("by_"): table.c[x.removeprefix("by_")] + r.c[x] for x in names if x.startswith("by_")}
        bump = {"version": table.c.version + ONE} if "version" in table.c else {}
        return update(table).where(mine(table), *seen, *same).values(**sums, **bump).returning(text("1"))
    return delete(table).where(mine(table), *seen, *same).returning(text("1"))


__all__ = ["INSTANT", "Writes"]
