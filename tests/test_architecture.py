"""The house keeps its form: looked up in the database's own catalogue and in the code."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from starlette.responses import Response

from service.api import messages
from service.api.operations import Asked, Operation, Operations
from service.api.routes import routers
from service.domain.permissions import PERMISSIONS
from service.storage.scopes import SCOPES
from service.storage.tables.columns import LIFECYCLES, SHARED, metadata
from service.storage.walls import tenant_tables

SERVICE = Path(__file__).resolve().parents[1] / "service"


@pytest.fixture
async def owner(dsn: str) -> Any:
    con = await asyncpg.connect(dsn)
    yield con
    await con.close()


async def test_every_tenant_table_begins_its_keys_with_the_institution(owner: Any) -> None:
    rows = await owner.fetch("""
        SELECT c.conrelid::regclass::text AS on_table, c.conname AS name, c.contype::text AS kind,
          (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k(num, n)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num) AS columns,
          c.confrelid::regclass::text AS refers
        FROM pg_constraint c WHERE c.connamespace = 'public'::regnamespace AND c.contype IN ('p', 'u', 'f', 'x')""")
    tenants = {t.name for t in tenant_tables()}
    wrong = [
        (r["on_table"], r["name"])
        for r in rows
        if r["on_table"] in tenants
        and r["columns"][0] != "institution_id"
        and not (r["kind"] == "f" and r["refers"] in SHARED)
    ]
    assert wrong == []
    assert {r["on_table"] for r in rows if r["kind"] == "p"} >= tenants


async def test_every_unique_index_of_a_tenant_begins_with_the_institution(owner: Any) -> None:
    rows = await owner.fetch("""
        SELECT i.indrelid::regclass::text AS on_table, i.indexrelid::regclass::text AS name,
          (SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[0]) AS first
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique""")
    tenants = {t.name for t in tenant_tables()}
    assert [
        (r["on_table"], r["name"]) for r in rows if r["on_table"] in tenants and r["first"] != "institution_id"
    ] == []


async def test_every_foreign_key_has_a_full_index(owner: Any) -> None:
    rows = await owner.fetch("""
        SELECT c.conrelid::regclass::text AS on_table, c.conname AS name FROM pg_constraint c
        WHERE c.connamespace = 'public'::regnamespace AND c.contype = 'f' AND NOT EXISTS (
          SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
            AND (SELECT array_agg(k ORDER BY k) FROM unnest(c.conkey) k)
              <@ (SELECT array_agg(k) FROM unnest((i.indkey::smallint[])[0:cardinality(c.conkey) - 1]) k))""")
    assert [(r["on_table"], r["name"]) for r in rows] == []


async def test_row_level_security_is_forced_on_every_tenant_table(owner: Any) -> None:
    rows = await owner.fetch("""
        SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
          AND c.relrowsecurity AND c.relforcerowsecurity""")
    assert {r["name"] for r in rows} == {t.name for t in tenant_tables()}


async def test_keys_events_and_counters_refer_to_no_hot_row(owner: Any) -> None:
    rows = await owner.fetch(
        "SELECT conrelid::regclass::text AS t FROM pg_constraint WHERE contype = 'f' AND confrelid = 'institutions'::regclass"
    )
    assert [r["t"] for r in rows] == []


async def test_tables_and_migrations_agree(server: Any) -> None:
    import asyncio

    from alembic import command

    from migrations.redraw import create_all, definitions
    from service.storage import migrating

    fresh = await server.database()
    await asyncio.to_thread(migrating.upgrade, fresh)
    await asyncio.to_thread(command.check, migrating.config(fresh))
    drawn = await server.database()
    await create_all(drawn)
    assert await definitions(fresh) == await definitions(drawn)
    await server.drop(drawn)
    await asyncio.to_thread(migrating.downgrade, fresh, "base")
    con = await asyncpg.connect(fresh)
    left = await con.fetch("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
    await con.close()
    assert {r["relname"] for r in left} <= {"alembic_version", "walls"}
    await asyncio.to_thread(migrating.upgrade, fresh)
    await server.drop(fresh)


def test_one_function_writes_a_state() -> None:
    """`state` reaches a statement in writes.py only, and there from a Step."""
    paths = [p for folder in ("storage", "actions") for p in sorted((SERVICE / folder).rglob("*.py"))]
    found = [
        str(path.relative_to(SERVICE))
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg == "state" and _is_write(path, node)
    ]
    assert found == []


def _is_write(path: Path, node: ast.keyword) -> bool:
    source = ast.parse(path.read_text(encoding="utf-8"))
    return any(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("values", "row", "change", "count", "birth")
        and any(k.arg == "state" and k.lineno == node.lineno for k in call.keywords)
        for call in ast.walk(source)
    )


def test_every_tenant_item_says_who_sees_it() -> None:
    assert [name for name in LIFECYCLES if name not in SCOPES] == []


def test_every_operation_names_a_policy() -> None:
    operations = [o for router in routers() for o in router.declared]
    assert [o.name for o in operations if o.policy not in {*PERMISSIONS, "lifecycle", "public"}] == []
    public = sorted(o.name for o in operations if o.policy == "public" and not o.name.startswith("lifecycles_"))
    assert public == ["codes_get", "invitations_accept", "language_tests_list", "login"]


def _codes_in(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("Reason", "Ground")
            and node.args
        ):
            first = node.args[0]
            if isinstance(first, ast.Constant):
                found.add(str(first.value))
        if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
            found.add(str(node.value.value))
    return found


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_reason_has_words(language: str) -> None:
    codes: set[str] = set()
    for folder in ("domain", "actions"):
        for path in (SERVICE / folder).rglob("*.py"):
            if "requirements" not in path.parts and path.name != "values.py":
                codes |= _codes_in(path)
    known = messages.catalogue(language)
    assert sorted(c for c in codes if c not in known) == []


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_state_and_action_has_a_label(language: str) -> None:
    known = messages.catalogue(language)
    wanted = {f"state.{s}" for lifecycle, _ in LIFECYCLES.values() for s in lifecycle.states()}
    wanted |= {
        f"action.{a}" for lifecycle, _ in LIFECYCLES.values() for a in [*lifecycle.actions(), *lifecycle.births()]
    }
    assert sorted(w for w in wanted if w not in known) == []


def test_catalogues_have_the_same_codes() -> None:
    assert set(messages.catalogue("en")) == set(messages.catalogue("zh"))


def test_shared_tables_hold_no_tenant_column() -> None:
    assert [name for name in SHARED if "institution_id" in metadata.tables[name].c] == []


def test_operation_without_a_policy_does_not_start() -> None:
    async def handle(_asked: Asked) -> Response:
        return Response()

    for policy in ("", "trainees.burn"):
        with pytest.raises(RuntimeError, match="has no policy"):
            Operations("x").add(Operation("GET", "/x", "x_get", "X", handle, "read", policy))
