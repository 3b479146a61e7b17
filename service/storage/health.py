"""Whether the database answers, and at the version that this code knows."""

from __future__ import annotations

from service.storage.database import DRIVER_ERRORS, Database
from service.storage.migrating import latest


async def ready(database: Database) -> str | None:
    """None where the service can work; else what is missing, in words."""
    try:
        async with database.connection() as con:
            found = await con.fetchval("SELECT version_num FROM alembic_version")
    except DRIVER_ERRORS:
        return "The database does not answer, or was never migrated."
    return None if found == latest() else "The database is at another version than this service."
