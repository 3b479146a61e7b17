"""A row in every table of an institution, one leading to the other: what there is for whoever asks for something foreign."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import Boolean, Date, Integer, LargeBinary, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from service.storage.schema import LIFECYCLES, metadata
from service.storage.tables.columns import Xid8


def _value(table: Table, column: Any, ids: dict[str, UUID], institution: UUID) -> Any:
    key = next((k for k in column.foreign_keys if k.column.name != "institution_id"), None)
    kind = column.type
    plain: tuple[tuple[Any, Any], ...] = (
        (ARRAY, []),
        ((JSON, JSONB), {}),
        (Boolean, False),
        (Numeric, 1),
        (Integer, 1),
        (Date, date(2026, 1, 1)),
        (Text, "x"),
        (LargeBinary, b"x"),
        (Uuid, ids[table.name]),
    )
    if column.name == "institution_id":
        return institution
    if key is not None and key.column.table.name in ids:
        return ids[key.column.table.name]
    if column.name == "state" and table.name in LIFECYCLES:
        return LIFECYCLES[table.name][0].initials()[0]
    return next((value for type_, value in plain if isinstance(kind, type_)), datetime.now(UTC))


async def furnish(dsn: str, institution: UUID) -> dict[str, UUID]:
    """One row in every table, written past every trigger and check; the id of each table's row."""
    tables = [t for t in metadata.sorted_tables if t.name != "institutions"]
    ids = {t.name: uuid4() for t in tables}
    con = await asyncpg.connect(dsn)
    await con.execute("SET session_replication_role = replica")
    for name in ("json", "jsonb"):
        await con.set_type_codec(name, schema="pg_catalog", encoder=lambda _: "{}", decoder=str)
    checks = await con.fetch(
        "SELECT conrelid::regclass::text AS t, conname AS n FROM pg_constraint "
        "WHERE contype IN ('c', 'x') AND connamespace = 'public'::regnamespace"
    )
    for check in checks:
        await con.execute(f'ALTER TABLE {check["t"]} DROP CONSTRAINT "{check["n"]}"')
    for table in tables:
        streams = {LIFECYCLES[table.name][1]} if table.name in LIFECYCLES else set()
        written = [c for c in table.c if c.identity is None and c.computed is None and not isinstance(c.type, Xid8)]
        filled = [c for c in written if not c.nullable or c.foreign_keys or c.name == "birth_on"]
        values = {c.name: _value(table, c, ids, institution) for c in filled}
        for stream in streams & {"stream_id"}:
            values[stream] = ids["trainees"]
        listed = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        await con.execute(
            f"INSERT INTO {table.name} ({listed}) VALUES ({marks}) ON CONFLICT DO NOTHING", *values.values()
        )
    for name, (_, stream) in LIFECYCLES.items():
        head = await con.fetchval(f"SELECT {stream} FROM {name} WHERE institution_id = $1", institution)
        await con.execute(
            "INSERT INTO heads (institution_id, stream_id, kind, version, seq, chain_head, stage) "
            "VALUES ($1, $2, 'person', 1, 1, 'x', 'prospect') ON CONFLICT DO NOTHING",
            institution,
            head,
        )
    await con.close()
    return ids


async def restore(dsn: str, ids: dict[str, UUID]) -> None:
    """The rows as they were put there, whatever became of them."""
    con = await asyncpg.connect(dsn)
    await con.execute("SET session_replication_role = replica")
    for name, (lifecycle, _) in LIFECYCLES.items():
        await con.execute(
            f"UPDATE {name} SET state = $2, version = 1, event_seq = 1 WHERE id = $1",
            ids[name],
            lifecycle.initials()[0],
        )
    await con.close()
