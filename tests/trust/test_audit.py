"""`sojourn audit`: whoever alters the record behind the service is found, and told by the first entry."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import asyncpg
import pytest

from service.domain.actors import COORDINATOR
from service.domain.events import link
from service.storage.auditing import Mark, Tally, checkpoint, entry_of, verify
from service.storage.database import connect
from service.storage.sequencer import number_events
from tests.conftest import Client, World


async def findings(dsn: str, *marks: Mark) -> list[tuple[str, str, int]]:
    return [(f.code, f.about, f.seq) async for f in verify(dsn, marks, Tally())]


async def noted(dsn: str, *before: Mark) -> list[Mark]:
    return [mark async for mark in checkpoint(dsn, before)]


@pytest.fixture
async def person(world: World) -> UUID:
    """Somebody with four entries in their stream, all of them in the feed."""
    c = await world.client(COORDINATOR)
    person = await registered(c)
    for version, email in enumerate(("dara@example.org", "ดารา@example.org", "dara@example.com"), 1):
        assert (await c.patch(f"/v1/trainees/{person}", {"email": email}, version=version)).status_code == 200
    while await number_events(world.services.database, world.institution):
        pass
    return UUID(person)


async def registered(c: Client) -> str:
    body = {"name_native": "ดารา ใจดี", "name_latin": "JAIDEE DARA", "birth_on": "2004-05-06", "nationality": "TH"}
    return str((await c.ok("/v1/trainees", body))["id"])


Tamper: TypeAlias = Callable[["asyncpg.Connection[asyncpg.Record]", UUID], Awaitable[object]]


def sql(*statements: str) -> Tamper:
    async def done(con: asyncpg.Connection[asyncpg.Record], person: UUID) -> None:
        for statement in statements:
            await con.execute(statement, *([person] if "$1" in statement else []))

    return done


async def _reckoned_anew(con: asyncpg.Connection[asyncpg.Record], person: UUID) -> None:
    """An entry is altered and every hash after it, and the head, as one would who has read the source."""
    await con.execute("UPDATE events SET occurred_on = '2020-01-01' WHERE stream_id = $1 AND seq = 2", person)
    before = bytes(32)
    for row in await con.fetch("SELECT * FROM events WHERE stream_id = $1 ORDER BY seq", person):
        before = link(before, entry_of(row))
        await con.execute("UPDATE events SET hash = $3 WHERE stream_id = $1 AND seq = $2", person, row["seq"], before)
    await con.execute("UPDATE heads SET chain_head = $2 WHERE stream_id = $1", person, before)


_GONE = ("DELETE FROM feed WHERE stream_id = $1", "DELETE FROM events WHERE stream_id = $1")


@pytest.mark.parametrize(("tamper", "found"), [
    (sql("UPDATE events SET actor_id = gen_random_uuid() WHERE stream_id = $1 AND seq = 2"),
     [("entry_changed", "events", 2)]),
    (sql("UPDATE events SET data = data || '{\"seats\": 9}' WHERE stream_id = $1 AND seq = 3"),
     [("entry_changed", "events", 3)]),
    (sql("UPDATE events SET note_sealed = '\\x00' WHERE stream_id = $1 AND seq = 4"), [("entry_changed", "events", 4)]),
    (sql("UPDATE events SET recorded_at = recorded_at - interval '1 microsecond' WHERE stream_id = $1 AND seq = 1"),
     [("entry_changed", "events", 1)]),
    (sql("DELETE FROM events WHERE stream_id = $1 AND seq = 2"),
     [("entry_missing", "events", 2), ("feed_dangling", "feed", 2)]),
    (sql("DELETE FROM events WHERE stream_id = $1 AND seq = 4"),
     [("head_differs", "heads", 3), ("feed_dangling", "feed", 4), ("state_differs", "trainees", 4)]),
    (sql("UPDATE events SET seq = 9 WHERE stream_id = $1 AND seq = 2",
         "UPDATE events SET seq = 2 WHERE stream_id = $1 AND seq = 3",
         "UPDATE events SET seq = 3 WHERE stream_id = $1 AND seq = 9"), [("entry_changed", "events", 2)]),
    (sql("UPDATE events SET seq = seq + 10 WHERE stream_id = $1 AND seq > 2",
         "INSERT INTO events SELECT e.* FROM events e WHERE stream_id = $1 AND seq = 2"
         " ON CONFLICT DO NOTHING"), None),
    (sql("UPDATE heads SET seq = 7 WHERE stream_id = $1"), [("head_differs", "heads", 4)]),
    (sql("DELETE FROM heads WHERE stream_id = $1"), [("head_missing", "heads", 4)]),
    (sql(*_GONE), [("stream_missing", "heads", 4), ("feed_gap", "feed", None), ("state_differs", "trainees", 4)]),
    (sql("UPDATE trainees SET state = 'joined' WHERE id = $1"), [("state_differs", "trainees", 4)]),
    (sql("DELETE FROM feed WHERE stream_id = $1 AND seq = 2"), [("feed_gap", "feed", None), ("not_in_feed", "events", 2)]),
    # a chain that was reckoned anew, and a stream that is gone with its head and its thing: no chain can find them
    (_reckoned_anew, []),
])  # fmt: skip
async def test_what_was_altered_behind_the_service_is_found(
    dsn: str, person: UUID, tamper: Tamper, found: list[tuple[str, str, int | None]] | None
) -> None:
    assert await findings(dsn) == []
    marks = await noted(dsn)
    assert await findings(dsn, *marks) == []
    con = await connect(dsn)
    await con.execute("SET session_replication_role = replica")
    await tamper(con, person)
    await con.close()
    told = await findings(dsn)
    if found is None:  # what came between takes the numbers of what follows
        assert ("entry_missing", "events", 3) in told
        return
    assert [(code, about, None if code == "feed_gap" else seq) for code, about, seq in told] == found
    if not found:
        assert [code for code, _, _ in await findings(dsn, *marks)] == ["mark_differs"]


async def test_a_stream_that_is_gone_whole_is_found_by_a_checkpoint(dsn: str, person: UUID) -> None:
    marks = await noted(dsn)
    con = await connect(dsn)
    await con.execute("SET session_replication_role = replica")
    for table in ("trainees", "heads", "feed", "events"):
        key = "id" if table == "trainees" else "stream_id"
        await con.execute(f"DELETE FROM {table} WHERE {key} = $1", person)
    await con.execute(
        "WITH n AS (SELECT institution_id, stream_id, seq, row_number() OVER (ORDER BY feed_no) AS no FROM feed) "
        "UPDATE feed f SET feed_no = n.no FROM n WHERE (n.institution_id, n.stream_id, n.seq) = "
        "(f.institution_id, f.stream_id, f.seq)"
    )
    await con.execute("UPDATE feed_heads SET last_no = (SELECT max(feed_no) FROM feed)")
    await con.close()
    assert await findings(dsn) == []
    assert {code for code, _, _ in await findings(dsn, *marks)} <= {"mark_differs", "feed_short"} != set()


async def test_checkpoints_are_carried_on(world: World, dsn: str, person: UUID) -> None:
    first = await noted(dsn)
    assert await noted(dsn, *first) == []
    await registered(await world.client(COORDINATOR))
    while await number_events(world.services.database, world.institution):
        pass
    second = await noted(dsn, *first)
    assert [m.institution_id for m in second] == [world.institution]
    assert await findings(dsn, *first, *second) == []
    con = await connect(dsn)
    await con.execute("SET session_replication_role = replica")
    await con.execute(
        "UPDATE events SET hash = sha256(hash) WHERE stream_id <> $1 AND type = 'trainee.registered'", person
    )
    await con.close()
    marked = [seq for code, _, seq in await findings(dsn, *first, *second) if code == "mark_differs"]
    assert marked == [second[0].feed_no], "the first mark still holds"


async def test_command_names_what_is_wrong_and_notes_checkpoints(dsn: str, person: UUID, tmp_path: Path) -> None:
    env = {**os.environ, "DATABASE_URL": dsn, "SOJOURN_FOLDER": str(tmp_path / "kept")}
    marks = tmp_path / "marks.jsonl"

    async def run(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "service.cli", "audit", *words]
        process = await asyncio.create_subprocess_exec(*command, env=env, stdout=PIPE, stderr=STDOUT)
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    code, said = await run("checkpoint", str(marks))
    assert code == 0, said
    code, said = await run("verify", "--checkpoints", str(marks))
    assert (code, "All of it is as it was written." in said) == (0, True), said
    con = await connect(dsn)
    await con.execute("SET session_replication_role = replica")
    await con.execute("UPDATE events SET action = 'register ' WHERE stream_id = $1 AND seq = 1", person)
    await con.close()
    code, said = await run("verify")
    assert code == 1
    assert f"entry_changed: entry 1 of stream {person} is not what was written" in said
    marks.write_text("[]\n")
    code, said = await run("verify", "--checkpoints", str(marks))
    assert (code, "is no checkpoint" in said) == (1, True)
