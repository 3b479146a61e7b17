"""The statement that writes: nothing of it happens where a head moved meanwhile, and all of it or nothing otherwise."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from service.domain.actors import COORDINATOR
from service.storage.tables.institutions import relationships
from service.storage.tables.placement_requests import placement_requests
from service.storage.writes import Writes
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import World


@pytest.fixture
async def stream(world: World) -> UUID:
    """The stream of a relationship, at version 1."""
    c = await world.client(COORDINATOR)
    return UUID((await c.ok("/v1/relationships", ENTERPRISE_BODY))["id"])


async def written(world: World, writes: Writes) -> bool:
    async with world.services.database.connection() as con:
        return await writes.run(con)


async def licence(world: World, dsn: str, stream: UUID) -> tuple[int, str | None]:
    con = await asyncpg.connect(dsn)
    found = await con.fetchrow(
        "SELECT h.version, r.licence_no FROM heads h JOIN relationships r ON r.id = h.stream_id WHERE r.id = $1", stream
    )
    await con.close()
    assert found is not None
    return found["version"], found["licence_no"]


@pytest.mark.parametrize(("version", "done"), [(1, True), (2, False), (0, False)])
async def test_head_that_moved_takes_everything_with_it(
    world: World, dsn: str, stream: UUID, version: int, *, done: bool
) -> None:
    before = await licence(world, dsn, stream)
    writes = Writes(world.institution)
    writes.head(stream_id=stream, version=version, seq=1, chain_head=bytes(32), stage=None)
    writes.change(relationships, stream, id=stream, licence_no="L-1")
    assert await written(world, writes) is done
    assert await licence(world, dsn, stream) == ((2, "L-1") if done else before)


async def test_part_that_finds_nothing_takes_the_others_back(world: World, dsn: str, stream: UUID) -> None:
    before = await licence(world, dsn, stream)
    writes = Writes(world.institution)
    writes.head(stream_id=stream, version=1, seq=1, chain_head=bytes(32), stage=None)
    writes.change(relationships, stream, id=stream, licence_no="L-1")
    writes.count(placement_requests, stream, {"id": uuid4()}, taken=1)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await written(world, writes)
    assert await licence(world, dsn, stream) == before


def test_state_is_written_by_a_step_alone() -> None:
    writes = Writes(uuid4())
    said: dict[str, Any] = {"state": "verified"}
    with pytest.raises(TypeError):
        writes.change(relationships, uuid4(), id=uuid4(), **said)
    with pytest.raises(TypeError):
        writes.count(relationships, uuid4(), {"id": uuid4()}, **said)
