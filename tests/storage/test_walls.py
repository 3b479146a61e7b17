"""What the service's own role cannot type: the database keeps the lifecycles, the record and the tenants by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from service.domain.actors import ADMIN, COORDINATOR
from service.storage.database import APP_ROLE
from tests.conftest import World
from tests.jobs import Jobs

BODY = {
    "organisation": {
        "kind": "agency",
        "name_native": "远航国际",
        "name_latin": "Yuanhang International",
        "country": "CN",
        "time_zone": "Asia/Shanghai",
    },
    "role": "agency",
}


@pytest.fixture
async def typed(world: World, dsn: str) -> AsyncIterator[Any]:
    """A connection under the service's role, with one relationship on record in its institution."""
    c = await world.client(COORDINATOR)
    made = await c.ok("/v1/relationships", BODY)
    con = await asyncpg.connect(dsn, server_settings={"role": APP_ROLE})
    await con.execute("SELECT set_config('app.institution', $1, false)", str(world.institution))
    con_id = made["id"]
    yield con, con_id
    await con.close()


async def _sqlstate(con: Any, *statements: str) -> str:
    try:
        async with con.transaction():
            for statement in statements:
                await con.execute(statement)
    except asyncpg.PostgresError as error:
        return str(error.sqlstate)
    return "00000"


async def test_walls_refuse_an_edge_that_is_in_no_table(typed: Any) -> None:
    con, row = typed
    assert await _sqlstate(con, f"UPDATE relationships SET state = 'suspended' WHERE id = '{row}'") == "SJ001"


async def test_walls_refuse_a_listed_edge_without_its_event(typed: Any) -> None:
    con, row = typed
    assert await _sqlstate(con, f"UPDATE relationships SET state = 'ended' WHERE id = '{row}'") == "SJ002"


async def test_walls_refuse_a_birth_in_a_later_state(typed: Any) -> None:
    con, row = typed
    copy = (
        "INSERT INTO relationships (institution_id, id, state, version, event_seq, since_on, created_at,"
        " organisation_id, role, facts) SELECT institution_id, gen_random_uuid(), '{}', 1, 1, since_on, created_at, organisation_id,"
        f" 'other', facts FROM relationships WHERE id = '{row}'"
    )
    assert await _sqlstate(con, copy.format("verified")) == "SJ001"
    assert await _sqlstate(con, copy.format("recorded")) == "SJ002"


async def test_walls_refuse_an_event_that_its_head_does_not_cover(typed: Any) -> None:
    con, row = typed
    forged = f"""
        INSERT INTO events (institution_id, stream_id, seq, event_id, action_id, type, action, subject, subject_id,
          from_state, to_state, actor_id, actor_roles, occurred_on, recorded_at, evidence, data, hash)
        SELECT institution_id, stream_id, 2, gen_random_uuid(), gen_random_uuid(), 'relationship.ended', 'end', subject,
          subject_id, 'recorded', 'ended', actor_id, actor_roles, occurred_on, recorded_at, evidence, data, hash
        FROM events WHERE subject_id = '{row}'"""
    moved = f"UPDATE relationships SET state = 'ended', event_seq = 2 WHERE id = '{row}'"
    assert await _sqlstate(con, forged) == "SJ003"
    assert await _sqlstate(con, forged, moved) == "SJ003"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET type = 'x'",
        "DELETE FROM events",
        "TRUNCATE events",
        "DELETE FROM relationships",
        "UPDATE relationships SET id = gen_random_uuid()",
        "UPDATE relationships SET institution_id = gen_random_uuid()",
        "INSERT INTO events (tx) VALUES (pg_current_xact_id())",
        "ALTER TABLE relationships DISABLE TRIGGER ALL",
        "UPDATE idempotency_keys SET sealed = ''",
        "UPDATE openings SET account_id = gen_random_uuid()",
        "CREATE TABLE mine (a int)",
        "SET session_replication_role = replica",
    ],
)
async def test_walls_refuse_what_the_service_never_does(typed: Any, statement: str) -> None:
    con, _ = typed
    assert await _sqlstate(con, statement) == "42501"


async def test_walls_show_no_row_where_no_institution_is_set(typed: Any, world: World) -> None:
    con, _ = typed
    assert await con.fetchval("SELECT count(*) FROM relationships") == 1
    await con.execute("SELECT set_config('app.institution', '', false)")
    assert await con.fetchval("SELECT count(*) FROM relationships") == 0
    await con.execute("SELECT set_config('app.institution', $1, false)", str(await world.other()))
    assert await con.fetchval("SELECT count(*) FROM relationships") == 0
    foreign = f"INSERT INTO feed_heads (institution_id, last_no) VALUES ('{world.institution}', 0)"
    assert await _sqlstate(con, foreign) == "42501"


async def test_service_works_under_a_role_that_no_wall_lets_through(world: World) -> None:
    role = """SELECT rolname, rolsuper, rolbypassrls, rolcreaterole,
        (SELECT count(*) FROM pg_class WHERE relowner = r.oid) AS owned FROM pg_roles r WHERE rolname = current_user"""
    async with world.services.database.connection() as con:
        assert tuple((await con.fetch(role))[0].values()) == (APP_ROLE, False, False, False, 0)


async def test_walls_refuse_a_reference_into_another_institution(typed: Any, world: World) -> None:
    con, _ = typed
    units = []
    for where in (world.institution, await world.other()):
        admin = await world.client(ADMIN, institution=where)
        units.append((await admin.ok("/v1/units", {"name_native": "机械系", "name_latin": "Mechanics"}))["id"])
    body = {"name_native": "王伟", "name_latin": "WANG, WEI", "birth_on": "2004-05-06", "nationality": "CN"}
    person = (await (await world.client(COORDINATOR)).ok("/v1/trainees", body))["id"]
    found = [await _sqlstate(con, f"UPDATE trainees SET unit_id = '{unit}' WHERE id = '{person}'") for unit in units]
    assert found == ["00000", "23503"]


async def test_walls_refuse_more_than_there_are_seats(world: World, dsn: str) -> None:
    jobs = await Jobs.of(world)
    request = (await jobs.open(seats=2)).rsplit("/", 1)[1]
    con = await asyncpg.connect(dsn, server_settings={"role": APP_ROLE})
    await con.execute("SELECT set_config('app.institution', $1, false)", str(world.institution))
    typed = f"UPDATE placement_requests SET taken = 2, offered = {{}} WHERE id = '{request}'"
    found = [await _sqlstate(con, typed.format(n)) for n in (0, 1, -1)]
    await con.close()
    assert found == ["00000", "23514", "23514"]


async def test_walls_let_nobody_claim_a_transaction_or_a_number(typed: Any) -> None:
    con, _ = typed
    asked = "SELECT has_column_privilege($1, $2, $3, 'INSERT')"
    claims = (("events", "tx"), ("unfed", "no"), ("events", "seq"))
    assert [await con.fetchval(asked, APP_ROLE, *claim) for claim in claims] == [False, False, True]
