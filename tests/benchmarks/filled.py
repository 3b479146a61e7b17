"""A database of a wanted size: what the service itself made for one person and one partner, copied by PostgreSQL.

Copies have ids of their own and the same values. Their hashes are not those of a chain (nobody verifies it here), all
else is as the service wrote it: keys, indexes, heads, events, the feed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from service.actions import institutions
from service.actions.work import Services
from service.domain.actors import COORDINATOR
from service.main import create_app
from service.storage import migrating
from service.storage.database import Database, connect
from service.storage.files import Files
from service.storage.sequencer import number_events
from service.storage.vault import Vault
from tests.conftest import World
from tests.placed import Stage

CHUNK = 20_000
BODY = {
    "organisation": {"kind": "enterprise", "name_native": "東海精機", "name_latin": "Tokai Seiki K.K.", "country": "JP",
                     "time_zone": "Asia/Tokyo", "chinese_funded": True},
    "role": "enterprise",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filled:
    """A database that is ready: who may ask, and what there is to ask about."""

    dsn: str
    keys: str
    institution: UUID
    token: str
    people: int
    placements: list[UUID]
    relationships: list[UUID]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a table that belong to what is copied."""

    table: str
    rows: Sequence[asyncpg.Record]


async def filled(dsn: str, folder: Path, *, people: int, placed: int, partners: int) -> Filled:
    """So many people, of whom some are placed, and so many partners."""
    await asyncio.to_thread(migrating.upgrade, dsn)
    keys = Vault.written()
    database = await Database.open(dsn, 8)
    services = Services(database, Vault.parse(keys), Files(folder.as_uri()))
    app = create_app(lambda: None)
    app.state.services = services
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sojourn.test") as http:
        where = await institutions.found(
            services, name_native="北方学院", name_latin="North College", country="CN", time_zone="Asia/Shanghai"
        )
        world = World(http, services, where)
        stage = await Stage.begin(world, dsn)
        c = await world.client(COORDINATOR)
        light = await c.ok(
            "/v1/trainees",
            {"name_native": "ดารา ใจดี", "name_latin": "JAIDEE DARA", "birth_on": "2004-05-06", "nationality": "TH"},
        )
        path = await stage.placement()
        await stage.hand_in(path, "collect_documents")
        partner = await c.ok("/v1/relationships", BODY)
    while await number_events(database, where):
        pass
    await database.close()
    person = UUID((await _one(dsn, "SELECT person_id AS id FROM placements"))["id"].hex)
    con = await connect(dsn, statement_timeout="0", synchronous_commit="off")
    try:
        await con.execute("SET session_replication_role = replica")
        await _copied(con, 1, [UUID(light["id"])], people - placed)
        await _copied(con, 2, [person], placed)
        await _copied(con, 3, [UUID(partner["id"]), UUID(partner["created"]["organisation"])], partners)
        await con.execute("VACUUM ANALYZE")
        found = {
            name: [r["id"] for r in await con.fetch(f"SELECT id FROM {name} ORDER BY id LIMIT 200000")]
            for name in ("placements", "relationships")
        }
    finally:
        await con.close()
    return Filled(dsn, keys, where, c.token, people, found["placements"], found["relationships"])


async def _one(dsn: str, sql: str) -> asyncpg.Record:
    con = await connect(dsn)
    try:
        row = await con.fetchrow(sql)
        assert row is not None
        return row
    finally:
        await con.close()


async def _copied(con: asyncpg.Connection[asyncpg.Record], kind: int, streams: Sequence[UUID], count: int) -> None:
    """So many copies of streams and of everything that stands in them."""
    sheets = await _sheets(con, streams)
    own: dict[Any, int] = {stream: n for n, stream in enumerate(streams, 1)}
    for sheet in sheets:
        for row in sheet.rows:
            for name in ("id", "event_id", "action_id"):
                if row.get(name) is not None:
                    own.setdefault(row[name], len(own) + 1)
    copying = [await _copying(con, sheet.table, row, kind, own) for sheet in sheets for row in sheet.rows]
    for begin in range(1, count, CHUNK):
        for statement, values in copying:
            await con.execute(statement, begin, min(begin + CHUNK, count) - 1, *values)


async def _copying(
    con: asyncpg.Connection[asyncpg.Record], table: str, row: asyncpg.Record, kind: int, own: Mapping[Any, int]
) -> tuple[str, list[Any]]:
    """The statement that copies one row, from the first to the last number that it is given, and its values."""
    types, written, values = await _types(con, table), [], list[Any]()
    for name, value in row.items():
        if name == "feed_no":
            written.append(f"{kind * 10**15 + value * 10**9}::bigint + n")
        elif isinstance(value, UUID) and value in own:
            written.append(f"('{kind:02x}{own[value]:06x}-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid")
        else:
            values.append(value)
            written.append(f"${len(values) + 2}::{types[name]}")
    names = ", ".join(f'"{name}"' for name in row.keys())  # noqa: SIM118 - a record is no mapping
    return (
        f"INSERT INTO {table} ({names}) SELECT {', '.join(written)} FROM generate_series($1::bigint, $2::bigint) n",
        values,
    )


_TYPES: dict[str, dict[str, str]] = {}


async def _types(con: asyncpg.Connection[asyncpg.Record], table: str) -> dict[str, str]:
    if table not in _TYPES:
        rows = await con.fetch(
            "SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute "
            "WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
            table,
        )
        _TYPES[table] = {r["attname"]: r["type"] for r in rows}
    return _TYPES[table]


async def _sheets(con: asyncpg.Connection[asyncpg.Record], streams: Sequence[UUID]) -> list[Sheet]:
    """The rows that name a stream: as its person, its stream, or itself."""
    columns = await con.fetch(
        "SELECT c.table_name AS t, array_agg(c.column_name::text) AS names FROM information_schema.columns c "
        "JOIN information_schema.tables USING (table_schema, table_name) "
        "WHERE c.table_schema = 'public' AND table_type = 'BASE TABLE' "
        "AND column_name IN ('person_id', 'stream_id', 'id') GROUP BY 1 ORDER BY 1"
    )
    found: list[Sheet] = []
    for row in columns:
        where = " OR ".join(f"{name} = ANY($1)" for name in row["names"])
        rows: Iterable[asyncpg.Record] = await con.fetch(f"SELECT * FROM {row['t']} WHERE {where}", streams)
        if rows := list(rows):
            found.append(Sheet(row["t"], rows))
    return found
