"""How migrations run: on SQLAlchemy's async engine, one process at a time, all of it in one transaction."""

from __future__ import annotations

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service.storage.migrating import async_url, draw_walls, latest
from service.storage.schema import metadata
from service.storage.tables.columns import Xid8
from service.storage.walls import looks_gone

ischema_names["xid8"] = Xid8

LOCK = 7_305_206_113  # any number: processes that migrate the same database meet at it


def include(name: str | None, kind: str, _parents: object) -> bool:
    """What autogenerate compares: everything but the note on the walls."""
    return not (kind == "table" and name == "walls")


def run(connection: Connection) -> None:
    """Everything in one transaction: a migration that fails leaves nothing."""
    connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        include_name=include,
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
    if context.config.attributes.get("walls", True) and context.get_context().get_current_revision() == latest():
        draw_walls(connection)
    else:  # the code's walls name tables and columns that an older version does not have
        connection.execute(text("DROP TABLE IF EXISTS walls"))
        for statement in looks_gone():
            connection.execute(text(statement))


async def main() -> None:
    """Connect and run."""
    url = context.config.attributes.get("url") or async_url(os.environ["DATABASE_URL"])
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


if context.is_offline_mode():
    raise SystemExit("Sojourn migrates a database that it can reach; it writes no SQL files.")
asyncio.run(main())
