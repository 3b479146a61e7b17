"""What can be known of a server and a database before the service works with them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from sqlalchemy import select

from service.storage.database import APP_ROLE, Statement, connect
from service.storage.tables.record import stream_keys
from service.storage.tenancy import INSTITUTION, gated, mine
from service.storage.vault import Sealed, Vault

_A_KEY: Statement[tuple[UUID, bytes]] = Statement(
    gated(select(stream_keys.c.stream_id, stream_keys.c.wrapped).where(mine(stream_keys)).limit(1)),
    lambda stream, wrapped: (stream, wrapped),
)


@dataclass(frozen=True, slots=True)
class Condition:
    """How a database was found; `clock` is how many seconds the server's clock is ahead of ours."""

    major: int
    encoding: str
    version: str | None
    role_usable: bool
    institutions: int
    clock: float
    safe_commits: bool


async def examine(dsn: str) -> Condition:
    """Look at a database as the owner of its URL.

    Raises:
        asyncpg.PostgresError, OSError, TimeoutError: it does not let us in.
    """
    con = await connect(dsn)
    try:
        asked = datetime.now(UTC)
        row = await con.fetchrow(
            "SELECT clock_timestamp() AS now, current_setting('server_encoding') AS encoding, "
            "current_setting('fsync')::bool AND current_setting('synchronous_commit') <> 'off' AS safe, "
            "to_regclass('alembic_version') IS NOT NULL AS versioned, "
            "to_regclass('institutions') IS NOT NULL AS made, "
            "coalesce((SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = $1), false) "
            "AS usable",
            APP_ROLE,
        )
        between = asked + (datetime.now(UTC) - asked) / 2
        if row is None:
            raise ConnectionError("the server gave no answer")
        return Condition(
            major=con.get_server_version().major,
            encoding=row["encoding"],
            version=await con.fetchval("SELECT version_num FROM alembic_version") if row["versioned"] else None,
            role_usable=row["usable"],
            institutions=await con.fetchval("SELECT count(*) FROM institutions") if row["made"] else 0,
            clock=(row["now"] - between).total_seconds(),
            safe_commits=row["safe"],
        )
    finally:
        await con.close()


async def opens(dsn: str, vault: Vault) -> bool:
    """Whether the keys open what the database holds; an empty one is opened by any."""
    con = await connect(dsn)
    try:
        for row in await con.fetch("SELECT id FROM institutions ORDER BY created_at, id LIMIT 20"):
            found = await _A_KEY.one(con, **{INSTITUTION.key: row["id"]})
            if found is None:
                continue
            try:
                vault.stream_key(found[1], row["id"], found[0])
            except Sealed:
                return False
            return True
        return True
    finally:
        await con.close()


async def databases(server: str) -> set[str]:
    """The names of a server's databases."""
    con = await connect(server)
    try:
        return {r["datname"] for r in await con.fetch("SELECT datname FROM pg_database")}
    finally:
        await con.close()


async def create_database(server: str, name: str) -> None:
    """An empty database, in the place of one that was left half-made under the same name."""
    con = await connect(server)
    try:
        await con.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await con.execute(f"CREATE DATABASE {name}")
    finally:
        await con.close()


async def rename_database(server: str, name: str, to: str) -> bool:
    """Give a database its name; False where somebody works in it."""
    con = await connect(server)
    try:
        for _ in range(3):
            try:
                await con.execute(f"ALTER DATABASE {name} RENAME TO {to}")
            except asyncpg.ObjectInUseError:
                await asyncio.sleep(0.2)
            else:
                return True
        return False
    finally:
        await con.close()
