"""The clock of obligations over many people abroad for whom nothing is due, and over a few for whom something is.

    python -m tests.proofs.clock_of_obligations [people ...]

It starts a PostgreSQL of its own, puts so many people to work abroad, each with a first check on them that stands
already, and times what a worker does every minute: with nothing due, and with something due for a hundred.
"""

# ruff: noqa: T201 - what it shows, it prints

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from service.actions import institutions
from service.actions.obligations import TIMERS, settle
from service.actions.timers import ring
from service.actions.work import Services
from service.domain.requirements import Packs, choose
from service.storage import migrating
from service.storage.database import Database
from service.storage.duties import house_rules
from service.storage.embedded import Cluster
from service.storage.files import Files
from service.storage.obligations_clock import LOOKED_BY
from service.storage.packs import shipped_packs
from service.storage.vault import Vault
from tests.conftest import TODAY, ZONE

DUE = 100
LOOKED_AT_FROM = 500_000
HEADS = """
INSERT INTO heads (institution_id, stream_id, kind, version, seq, chain_head)
SELECT $1, md5('t' || n)::uuid, 'person', 1, 1, decode(repeat('00', 32), 'hex') FROM generate_series(1, $2::int) n
"""
PEOPLE = """
INSERT INTO trainees (institution_id, id, state, version, event_seq, since_on, created_at, name_native, name_latin,
  sort_name, birth_on, nationality, language, passport_expires_on)
SELECT $1, md5('t' || n)::uuid, 'known', 1, 1, $2::date, now(), 'W', 'W', 'W', DATE '2000-01-01', 'CN', 'zh',
  $3::date FROM generate_series(1, $4::int) n
"""
PLACEMENTS = """
INSERT INTO placements (institution_id, id, state, version, event_seq, since_on, created_at, person_id, request_id,
  candidacy_id, employer_id, destination, pathway, pins, stages, departs, terms, departed_on, arrived_on, started_on,
  visa_until_on, authorisation_until_on, ends_on)
SELECT $1, md5('p' || n)::uuid, 'active', 1, 1, $2::date, now(), md5('t' || n)::uuid, md5('r' || n)::uuid,
  md5('c' || n)::uuid, $3, 'JP', 'jp_ssw1', $4, $5, true, '{}', $2, $2, $2, $6::date, $6, $6
FROM generate_series(1, $7::int) n
"""
STANDING = """
INSERT INTO obligations (institution_id, id, state, version, event_seq, since_on, created_at, stream_id, subject_kind,
  subject_id, person_id, rule, pin, event, period, event_on, due_on, zone, owed_by, documents)
SELECT $1, gen_random_uuid(), 'pending', 1, 1, $2::date, now(), md5('t' || n)::uuid, 'placement', md5('p' || n)::uuid,
  md5('t' || n)::uuid, $3, $4, $5, $6, $2, $2 + 90, 'Asia/Tokyo', ARRAY['coordinator'], ARRAY[]::uuid[]
FROM generate_series(1, $7::int) n
"""


async def fill(owner: asyncpg.Connection[asyncpg.Record], home: UUID, people: int) -> None:
    """People at work abroad since ten days ago, with all that is due for them standing."""
    packs = choose(shipped_packs(), nationality="CN", destination="JP", pathway="jp_ssw1", on=TODAY)
    assert isinstance(packs, Packs)
    arrived, later = TODAY - timedelta(days=10), TODAY + timedelta(days=1000)
    await owner.execute("SET session_replication_role = replica")
    employer = await owner.fetchval(
        "INSERT INTO organisations (id, kind, name_native, name_latin, country, time_zone, natural_person,"
        " chinese_funded, created_at) VALUES (gen_random_uuid(), 'enterprise', 'E', 'E', 'JP', 'Asia/Tokyo', false,"
        " false, now()) RETURNING id"
    )
    await owner.execute(PEOPLE, home, arrived, later, people)
    await owner.execute(HEADS, home, people)
    pins, stages = list(packs.pins), list(packs.stages)
    await owner.execute(PLACEMENTS, home, arrived, employer, pins, stages, later, people)
    rules = [
        ("wellbeing_check", house_rules().pin, "arrived", "1"),
        *(
            (o.key, p.pin, o.event, "1" if o.due and o.due.unit == "years" else "")
            for p in packs.all
            for o in p.obligations
            if o.event in ("departed", "arrived", "started_work")
        ),
    ]
    if people > LOOKED_AT_FROM:  # as they are once they were looked at; there may be no clock that looks at as many
        await owner.execute("UPDATE placements SET looked_by = $1, look_on = $2", LOOKED_BY, later)
        rules = []
    for rule, pin, event, period in rules:
        await owner.execute(STANDING, home, arrived, rule, pin, event, period, people)
    await owner.execute("SET session_replication_role = origin")
    await owner.execute("VACUUM ANALYZE")


async def round_of(services: Services, home: UUID) -> tuple[float, list[int]]:
    """One round of the worker: seconds, and what each timer did."""
    began = time.perf_counter()
    did = [await ring(services, timer, home) for timer in TIMERS]
    return time.perf_counter() - began, [*did, int(await settle(services, home))]


async def measure(dsn: str, folder: Path, people: int) -> None:
    """One size."""
    database = await Database.open(dsn, 4)
    services = Services(database, Vault.parse(Vault.written()), Files(folder.as_uri()))
    home = await institutions.found(services, name_native="北", name_latin="N", country="CN", time_zone=ZONE)
    owner = await asyncpg.connect(dsn)
    await fill(owner, home, people)
    began, rounds = time.perf_counter(), 0
    while any((await round_of(services, home))[1]):
        rounds += 1
    print(f"{people:>9,} people: looked at all of them once in {time.perf_counter() - began:.1f} s, {rounds} rounds")
    idle = [(await round_of(services, home))[0] for _ in range(7)]
    print(f"{people:>9,} people: nothing due {statistics.median(idle) * 1000:.1f} ms (at most {max(idle) * 1000:.1f})")
    await owner.execute(
        "UPDATE placements SET visa_until_on = $1 WHERE id IN (SELECT md5('p' || n)::uuid FROM generate_series(1, $2::int) n)",
        TODAY + timedelta(days=30), DUE,
    )  # fmt: skip
    seconds, did = await round_of(services, home)
    print(f"{people:>9,} people: {did[0]} due {seconds * 1000:.0f} ms")
    await owner.close()
    await database.close()


def main(sizes: list[int]) -> None:
    """Each size in a database of its own."""
    for people in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            folder.chmod(0o755)
            with Cluster(folder / "pg", durable=False) as cluster:
                dsn = cluster.dsn("postgres")
                migrating.upgrade(dsn)
                asyncio.run(measure(dsn, folder, people))


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [20_000, 200_000])
