"""A foreign id looks exactly like a missing one: every operation on an item, through the eyes of every role."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from sqlalchemy import Boolean, Date, Integer, LargeBinary, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from service.api.examples import example_of
from service.api.operations import Operation
from service.domain.actors import ADMIN, COORDINATOR, SIGHTS, SYSTEM, Role, Sight
from service.storage.schema import LIFECYCLES, metadata
from service.storage.tables.columns import SHARED, Xid8
from tests.api.conftest import routes
from tests.api.test_documents import person
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import Client, World

TABLES = {"classes": "training_classes", "sessions": "class_sessions", "keys": "credentials"}
"""Resources whose table is called otherwise."""
SAME_TIME = 8


def on_items() -> list[Operation]:
    """Every operation that names an item in its path."""
    return [o for _, o in routes() if any(n[1:-1] not in o.codes for n in o.path.split("/") if n.startswith("{"))]


def table_of(operation: Operation) -> Table:
    name = operation.path.split("/")[1].replace("-", "_")
    return metadata.tables[TABLES.get(name, name)]


# ---- what another institution has: a row in every table, one leading to the other
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
        values = {c.name: _value(table, c, ids, institution) for c in written if not c.nullable or c.foreign_keys}
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


# ---- the same question about what is foreign and what is missing
async def ask(c: Client, operation: Operation, item: UUID) -> httpx.Response:
    body = example_of(operation.body) if operation.body is not None else None
    headers = {"authorization": f"Bearer {c.token}", "if-match": '"1"', "idempotency-key": uuid4().hex}
    path = "/v1" + re.sub(r"\{[^}]+\}", str(item), operation.path)
    query = {}
    if operation.query is not None and any(f.is_required() for f in operation.query.model_fields.values()):
        query = example_of(operation.query)
    sent: dict[str, Any] = {"json": body}
    if "requestBody" in operation.extra.get("openapi_extra", {}):  # a form with one file
        sent = {"files": {"file": ("sheet.csv", b"date,start\n2026-11-02,09:00\n", "text/csv")}}
    return await c.http.request(operation.method, path, params=query, headers=headers, **sent)


def told(response: httpx.Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    """All of an answer that may depend on what was asked for."""
    body = {k: v for k, v in response.json().items() if k not in ("request_id", "instance")}
    headers = {k: v for k, v in response.headers.items() if k not in ("x-request-id", "date")}
    return response.status_code, body, headers


async def client_of(world: World, role: Role) -> Client:
    """Somebody of the institution with that role, tied to what their eyes need."""
    more: dict[str, Any] = {}
    coordinator = await world.client(COORDINATOR)
    if SIGHTS[role] is Sight.PERSON:
        more["person_ids"] = (await person(coordinator),)
    if SIGHTS[role] is Sight.ORGANISATION:
        made = await coordinator.ok("/v1/relationships", ENTERPRISE_BODY)
        more["organisation_id"] = made["created"]["organisation"]
    return await world.client(role, **more)


async def at_once(calls: list[Any]) -> list[Any]:
    """Some at a time: as many as there are connections."""
    gate = asyncio.Semaphore(SAME_TIME)

    async def one(call: Any) -> Any:
        async with gate:
            return await call

    return await asyncio.gather(*(one(call) for call in calls))


@pytest.mark.parametrize("role", [r for r in Role if r is not SYSTEM])
async def test_foreign_looks_like_missing(world: World, dsn: str, role: Role) -> None:
    elsewhere = await world.other()
    c = await client_of(world, role)
    ids = await furnish(dsn, elsewhere)
    asked = on_items()
    answers = await at_once([ask(c, o, item) for o in asked for item in (ids[table_of(o).name], uuid4())])
    pairs = list(zip(asked, answers[::2], answers[1::2], strict=True))
    differing = [
        (o.name, told(foreign), told(missing)) for o, foreign, missing in pairs if told(foreign) != told(missing)
    ]
    assert differing == []
    assert {o.name: f.status_code for o, f, _ in pairs if f.status_code not in (403, 404)} == {}
    if role is ADMIN:  # who may read most: there it is 404, and not a closed door that hides it
        assert [
            o.name for o, f, _ in pairs if o.method == "GET" and f.status_code != 404 and o.policy in seen_by(role)
        ] == []


def seen_by(role: Role) -> set[str]:
    from service.domain.permissions import PERMISSIONS

    return {name for name, who in PERMISSIONS.items() if role in who}


async def test_what_is_foreign_is_there_for_its_own(world: World, dsn: str) -> None:
    """The rows of the other test exist: their own institution does not get 404."""
    elsewhere = await world.other()
    own = await world.client(COORDINATOR, institution=elsewhere)
    ids = await furnish(dsn, elsewhere)
    reads = [o for o in on_items() if o.method == "GET" and o.path.count("/") == 2 and o.policy in seen_by(COORDINATOR)]
    transport = httpx.ASGITransport(world.http._transport.app, raise_app_exceptions=False)  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=transport, base_url="http://sojourn.test") as http:
        own.http = http
        answers = await at_once([ask(own, o, ids[table_of(o).name]) for o in reads])
    assert len(reads) >= 10
    assert [o.name for o, a in zip(reads, answers, strict=True) if a.status_code == 404] == []


RULES = frozenset({"credit_schemes_list", "grading_scales_list", "language_tests_list", "packs_list"})
"""Lists of what is shipped with the service."""


async def test_lists_show_nothing_foreign(world: World, dsn: str) -> None:
    elsewhere = await world.other()
    c = await world.client(COORDINATOR)
    await furnish(dsn, elsewhere)
    lists = [o for _, o in routes() if o.method == "GET" and o.kind == "list" and o.policy in seen_by(COORDINATOR)]
    answers = await at_once([c.get("/v1" + o.path) for o in lists])
    shown = [(o.name, a) for o, a in zip(lists, answers, strict=True) if a.status_code == 200]
    found = {name: a.json()["items"] for name, a in shown if a.headers["content-type"] == "application/json"}
    assert len(found) >= 10
    foreign = [name for name, a in shown if str(elsewhere) in a.text]
    assert foreign == []
    # Whoever was made for this test belongs to the institution itself, and rules that are data are everybody's.
    own = {"appointments_list", "events_feed"}
    assert {name for name, items in found.items() if items} - RULES <= own


def test_every_operation_on_an_item_names_a_table() -> None:
    lost = []
    for operation in on_items():
        try:
            table_of(operation)
        except KeyError:
            lost.append(operation.path)
    assert lost == []
    assert not SHARED & {table_of(o).name for o in on_items()}
