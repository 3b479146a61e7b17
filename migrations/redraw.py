"""Draws the migration of what is not released yet: from the tables of the last release to the tables of the code.

What is released stays as it is. Alembic compares tables, columns, indexes and keys; what it cannot see, a check or an
index whose name stayed and whose words changed, or a check that a table has now and had not, is found by PostgreSQL's
own way of writing both down.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
from alembic import command
from sqlalchemy.ext.asyncio import create_async_engine

from service.storage.embedded import Cluster
from service.storage.migrating import async_url, config
from service.storage.schema import metadata
from service.storage.tables.columns import Xid8

RELEASED = "0002"
"""The last revision that databases outside may have; raise it with every release, and NEXT with it."""
NEXT, TITLE = "0003", "What came after the second release"
DEFINITIONS = """
SELECT c.conrelid::regclass::text AS on_table, c.conname::text AS name, c.contype::text AS kind,
       pg_get_constraintdef(c.oid) AS words
FROM pg_constraint c WHERE c.connamespace = 'public'::regnamespace AND c.contype IN ('c', 'x', 'p')
  AND c.conrelid <> coalesce(to_regclass('alembic_version'), 0)
UNION ALL
SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, 'i', pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid
WHERE r.relnamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""

Definitions = dict[tuple[str, str, str], str]


async def definitions(dsn: str) -> Definitions:
    """Every check, exclusion and index of a database: (table, name, kind) -> PostgreSQL's words."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(DEFINITIONS)
    finally:
        await connection.close()
    return {(row["on_table"], row["name"], row["kind"]): row["words"] for row in rows}


async def create_all(dsn: str) -> None:
    """Every table of the code, as it stands."""
    engine = create_async_engine(async_url(dsn))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()


def replaced(old: Definitions, new: Definitions) -> tuple[list[str], list[str]]:
    """Statements that give each name its new words, and back; checks come and go with tables that both have."""
    there: list[str] = []
    back: list[str] = []
    for key in sorted(old.keys() & new.keys()):
        if old[key] == new[key]:
            continue
        table, name, kind = key
        for words, into in ((new[key], there), (old[key], back)):
            if kind == "i":
                into += [f"DROP INDEX {name}", words]
            else:
                into += [
                    f"ALTER TABLE {table} DROP CONSTRAINT {name}",
                    f"ALTER TABLE {table} ADD CONSTRAINT {name} {words}",
                ]
    tables = {table for table, _, kind in old if kind == "p"} & {table for table, _, kind in new if kind == "p"}
    for mine, theirs, adding, dropping in ((new, old, there, back), (old, new, back, there)):
        for table, name, kind in sorted(mine.keys() - theirs.keys()):
            if kind in ("c", "x") and table in tables:
                adding.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {mine[table, name, kind]}")
                dropping.append(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")  # or gone with its column
    return there, back


def tidied(text: str) -> str:
    """What Alembic wrote, with the imports that its types need."""
    if Xid8.__name__ in text:
        text = text.replace("service.storage.tables.columns.Xid8()", "Xid8()")
        text = text.replace(
            "from alembic import op\n", "from alembic import op\n\nfrom service.storage.tables.columns import Xid8\n"
        )
    if "postgresql." in text:
        text = text.replace("from sqlalchemy.dialects import postgresql\n", "")
        text = text.replace(
            "import sqlalchemy as sa\n", "import sqlalchemy as sa\nfrom sqlalchemy.dialects import postgresql\n", 1
        )
    return text


def executed(text: str, function: str, statements: list[str]) -> str:
    """The function of a migration, with the statements at its end."""
    if not statements:
        return text
    lines = "".join(f"    op.execute({statement!r})\n" for statement in statements)
    found = re.search(rf"def {function}\(\)[^\n]*\n(?:[ \t]+[^\n]*\n|\n(?!def))*", text)
    if found is None:
        raise ValueError(f"Alembic wrote no {function}()")
    body = found.group().rstrip()
    return text.replace(found.group(), f"{body}\n{lines}\n\n", 1)


def main() -> None:
    """Write the unreleased migration, or take it away where nothing is different."""
    versions = Path(__file__).parent / "versions"
    target = versions / f"{NEXT}_next.py"
    target.unlink(missing_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Cluster(Path(folder) / "pg", durable=False) as cluster,
    ):
        dsn = cluster.dsn()
        fresh = asyncio.run(another(dsn, "fresh"))
        released = config(dsn)
        released.attributes["walls"] = False  # they are drawn by the code's tables, which are ahead
        command.upgrade(released, RELEASED)
        asyncio.run(create_all(fresh))
        there, back = replaced(*asyncio.run(both(dsn, fresh)))
        command.revision(released, TITLE, autogenerate=True, rev_id=NEXT)
    (written,) = versions.glob(f"{NEXT}_*.py")
    text = tidied(written.read_text())
    written.unlink()
    if not there and "op." not in text:
        sys.stdout.write("nothing differs from the last release\n")
        return
    target.write_text(executed(executed(text, "upgrade", there), "downgrade", back))
    for tidy in (("check", "--fix", "--quiet"), ("format", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *tidy, str(target)], check=True)
    sys.stdout.write(f"versions/{target.name}\n")


async def another(dsn: str, name: str) -> str:
    """A second database of the same server."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return re.sub(r"/[^/?]+(\?|$)", rf"/{name}\1", dsn, count=1)


async def both(left: str, right: str) -> tuple[Definitions, Definitions]:
    """The definitions of two databases."""
    return await definitions(left), await definitions(right)


if __name__ == "__main__":
    main()
