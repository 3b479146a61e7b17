"""The feed of an institution: consecutive numbers, nothing lost, the order of each stream kept."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from uuid import UUID, uuid4

from service.actions import institutions
from service.actions.work import Services
from service.domain.actors import Role
from service.storage.database import Database, connect
from service.storage.sequencer import forget_old_keys, institutions_served, number_events
from tests.conftest import World


async def _appoint(services: Services, institution: UUID) -> None:
    await institutions.appoint(
        services, institution, email=f"{uuid4().hex}@college.example.org", name="Somebody", roles=[Role.READER]
    )


async def _rows(dsn: str, sql: str, *args: object) -> list[tuple[object, ...]]:
    con = await connect(dsn)  # the owner sees every row where row-level security is set by hand
    try:
        async with con.transaction():
            await con.execute("SELECT set_config('app.institution', $1, true)", str(args[0]))
            return [tuple(r.values()) for r in await con.fetch(sql, *args)]
    finally:
        await con.close()


AOZORA = {
    "role": "enterprise",
    "organisation": {
        "kind": "enterprise", "name_native": "青空工業", "name_latin": "Aozora Kogyo", "country": "JP",
        "time_zone": "Asia/Tokyo",
    },
}  # fmt: skip
FEED = "SELECT feed_no, stream_id, seq FROM feed WHERE institution_id = $1 ORDER BY feed_no"
EVENTS = "SELECT stream_id, seq FROM events WHERE institution_id = $1"
WAITING = "SELECT no FROM unfed WHERE institution_id = $1"


async def test_sequencer_numbers_what_waits_in_one_row_without_gaps(world: World, dsn: str) -> None:
    for _ in range(3):
        await _appoint(world.services, world.institution)
    database = world.services.database
    assert await number_events(database, world.institution, at_most=2) == 2
    assert await number_events(database, world.institution) == 2
    assert await number_events(database, world.institution) == 0
    await _appoint(world.services, world.institution)
    assert await number_events(database, world.institution) == 1
    assert [no for no, *_ in await _rows(dsn, FEED, world.institution)] == [1, 2, 3, 4, 5]
    assert await _rows(dsn, "SELECT last_no FROM feed_heads WHERE institution_id = $1", world.institution) == [(5,)]
    assert await _rows(dsn, WAITING, world.institution) == []


async def test_sequencer_loses_nothing_with_writers_and_two_sequencers_at_once(world: World, dsn: str) -> None:
    done = asyncio.Event()
    numbered: list[int] = []
    other = await Database.open(dsn, 2)

    async def number(database: Database) -> None:
        while not done.is_set():
            numbered.append(await number_events(database, world.institution, at_most=7))
            await asyncio.sleep(0)

    async def write() -> None:
        client = await world.client(Role.COORDINATOR)
        made = await client.ok("/v1/relationships", AOZORA)
        for n in range(6):
            path, body = f"/v1/relationships/{made['id']}", {"licence_no": f"L{n}"}
            assert (await client.patch(path, body, version=n + 1)).status_code == 200

    try:
        sequencers = [asyncio.create_task(number(database)) for database in (world.services.database, other)]
        await asyncio.gather(*(write() for _ in range(6)))
        done.set()
        await asyncio.gather(*sequencers)
        while n := await number_events(other, world.institution):
            numbered.append(n)
    finally:
        await other.close()

    feed = await _rows(dsn, FEED, world.institution)
    events = await _rows(dsn, EVENTS, world.institution)
    assert [no for no, *_ in feed] == list(range(1, len(events) + 1))
    assert sorted(str(each) for _, *each in feed) == sorted(str(list(each)) for each in events)
    assert sum(numbered) == len(events)
    assert sum(1 for n in numbered if n) > 2
    by_stream: dict[object, list[object]] = defaultdict(list)
    for _, stream, seq in feed:
        by_stream[stream].append(seq)
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in by_stream.values())
    assert await _rows(dsn, WAITING, world.institution) == []


async def test_sequencer_does_not_wait_for_a_writer_that_has_not_committed(world: World, dsn: str) -> None:
    con = await connect(dsn)
    try:
        slow = con.transaction()
        await slow.start()
        await con.execute("SELECT set_config('app.institution', $1, true)", str(world.institution))
        # A number of the queue is taken, and what takes it is not to be seen yet.
        await con.execute("INSERT INTO unfed (institution_id, stream_id, seq) VALUES ($1, $1, 999)", world.institution)
        await _appoint(world.services, world.institution)
        assert await number_events(world.services.database, world.institution) == 2
        await slow.commit()
    finally:
        await con.close()
    assert await number_events(world.services.database, world.institution) == 1
    assert [(no, seq) for no, _, seq in await _rows(dsn, FEED, world.institution)] == [(1, 1), (2, 1), (3, 999)]


async def test_sequencer_steps_aside_while_another_holds_the_feed(world: World, dsn: str) -> None:
    con = await connect(dsn)
    try:
        async with con.transaction():
            await con.execute("SELECT set_config('app.institution', $1, true)", str(world.institution))
            await con.execute("SELECT FROM feed_heads WHERE institution_id = $1 FOR UPDATE", world.institution)
            assert await number_events(world.services.database, world.institution) == 0
    finally:
        await con.close()
    assert await number_events(world.services.database, world.institution) == 1


async def test_sequencer_numbers_each_institution_apart(world: World, dsn: str) -> None:
    other = await world.other()
    assert await institutions_served(world.services.database) == sorted([world.institution, other])
    assert await number_events(world.services.database, other) == 1
    assert [no for no, *_ in await _rows(dsn, FEED, other)] == [1]
    assert await _rows(dsn, FEED, world.institution) == []


async def test_old_keys_are_forgotten_and_live_ones_kept(world: World, dsn: str) -> None:
    client = await world.client(Role.COORDINATOR)
    for key in ("first", "second", "third"):
        await client.ok("/v1/relationships", AOZORA, key=key)
    database = world.services.database
    assert await forget_old_keys(database, world.institution) == 0
    await _rows(
        dsn,
        "UPDATE idempotency_keys SET kept_until = now() - interval '1 second' "
        "WHERE institution_id = $1 AND key <> 'second' RETURNING key",
        world.institution,
    )
    assert await forget_old_keys(database, world.institution, at_most=1) == 1
    assert await forget_old_keys(database, world.institution) == 1
    kept = await _rows(dsn, "SELECT key FROM idempotency_keys WHERE institution_id = $1", world.institution)
    assert kept == [("second",)]


async def test_sequencer_takes_the_first_of_those_that_wait(world: World, dsn: str) -> None:
    client = await world.client(Role.COORDINATOR)
    made = await client.ok("/v1/relationships", AOZORA)
    path = f"/v1/relationships/{made['id']}"
    for n in range(3):
        assert (await client.patch(path, {"licence_no": f"L{n}"}, version=n + 1)).status_code == 200
    while await number_events(world.services.database, world.institution, at_most=1):
        pass
    of_stream = [seq for _, stream, seq in await _rows(dsn, FEED, world.institution) if str(stream) == made["id"]]
    assert of_stream == [1, 2, 3, 4]
