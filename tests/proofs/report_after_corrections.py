# ruff: noqa: T201 - what it proves is told
"""A report frozen before hundreds of corrections is rebuilt after them to the byte, and says what they changed.

    python tests/proofs/report_after_corrections.py [corrections] [people]

It loads a sample world into a PostgreSQL of its own, freezes the report of the year, corrects enrolments, classes,
certificates, applications and placements by the service's own act, and compares.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from service.actions import applications, certificates, enrolments, placements, reports, training
from service.actions.work import Call, Result, Services, Subject, Wanted, Work, perform
from service.api.routes.subjects import moved
from service.domain.actors import ADMIN, COORDINATOR, Actor
from service.sample.load import load
from service.storage import migrating
from service.storage.database import Database
from service.storage.embedded import Cluster
from service.storage.files import Files
from service.storage.vault import Vault

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
CORRECTED: tuple[tuple[Subject[Any], tuple[str, ...]], ...] = (
    (placements.SUBJECT, ("departed", "arrived", "active", "returned", "completed")),
    (applications.SUBJECT, ("submitted", "withdrawn", "not_selected")),
    (training.MEMBERSHIPS, ("passed", "failed")),
    (certificates.SUBJECT, ("verified",)),
    (enrolments.SUBJECT, ("enrolled", "completed", "withdrawn")),
)
"""What is corrected, in which states, a share of each; what there are few of comes first, so that the others make it up."""


def number(report: bytes) -> dict[tuple[str, str | None], Any]:
    """Every number of a report by figure and group."""
    found: dict[tuple[str, str | None], Any] = {}
    for section in json.loads(report)["sections"]:
        for f in section["figures"]:
            found[f["key"], None] = f["value"]
            found |= {(f["key"], g["group"]): g["value"] for g in f["groups"]}
    return found


async def correct(
    services: Services, call: Call, dsn: str, subject: Subject[Any], states: Any, most: int
) -> list[UUID]:
    """Take back the last step of so many items; those that let it be taken back."""
    con = await asyncpg.connect(dsn)
    rows = await con.fetch(
        f"SELECT id FROM {subject.table.name} WHERE institution_id = $1 AND state = ANY($2) ORDER BY md5(id::text)",
        call.institution,
        list(states),
    )
    await con.close()
    done: list[UUID] = []

    def keep(_work: Work, results: list[Result]) -> bytes:
        done.extend(r.id for r in results if r.state is not None)
        return b""

    for row in rows:
        if len(done) >= most:
            break
        note = {"note": "proof: recorded in error"}
        await perform(services, call, subject, "correct", [Wanted(row["id"])], note, answer=keep, single=False)
    return done


async def prove(dsn: str, folder: Path, wanted: int, people: int) -> None:
    """Freeze, correct, compare; an assertion fails where something is not so."""
    database = await Database.open(dsn, 8)
    services = Services(database, Vault.parse(Vault.written()), Files(folder.as_uri()))
    world = await load(services, progress=lambda *_: None, trainees=people)
    call = Call(world.institution, "proof", trusted=Actor(uuid4(), frozenset({COORDINATOR, ADMIN})))
    year = json.loads(await frozen_now(services, call, None))["year"]
    began = time.perf_counter()
    first = await freeze(services, call, year)
    before = (await reports.frozen(services, call, first))["content"]
    print(f"frozen in {time.perf_counter() - began:.1f} s: {len(before)} bytes, sha256 {sha256(before).hexdigest()}")

    corrected: Counter[str] = Counter()
    for n, (subject, states) in enumerate(CORRECTED):
        share = (wanted - corrected.total()) // (len(CORRECTED) - n)
        ids = await correct(services, call, dsn, subject, states, share)
        corrected[subject.plural] = len(ids)
    print(f"corrected {corrected.total()}: {dict(corrected)}")
    assert corrected.total() >= wanted, "fewer corrections than wanted: load more people"

    began = time.perf_counter()
    again = await reports.rebuild(services, call, first)
    print(f"rebuilt in {time.perf_counter() - began:.1f} s: {'the same bytes' if again == before else 'OTHER BYTES'}")
    assert again == before
    assert (await reports.frozen(services, call, first))["content"] == before

    began = time.perf_counter()
    told = (await reports.held_against_now(services, call, first))["items"]
    print(f"{len(told)} differences in {time.perf_counter() - began:.1f} s, for example:")
    for d in told[:6]:
        print(f"  {d['figure']} / {d['group'] or 'all'}: {d['frozen']} -> {d['now']} by {d['events']} events")
    now = number(await frozen_now(services, call, year))
    was = number(before)
    listed = {(d["figure"], d["group"]): (d["frozen"], d["now"]) for d in told}
    expected = {k: (was.get(k), now.get(k)) for k in was.keys() | now.keys() if (was.get(k) or 0) != (now.get(k) or 0)}
    assert {k: (a or 0, b or 0) for k, (a, b) in listed.items()} == {
        k: (a or 0, b or 0) for k, (a, b) in expected.items()
    }, "the differences are not those of a report that is frozen now"
    assert all(d["events"] == len(d["event_ids"]) > 0 for d in told if d["events"] <= 1000)
    await database.close()


async def freeze(services: Services, call: Call, year: int) -> UUID:
    """The id of a report that is frozen now."""
    done = await reports.draw_up_and_freeze(services, call, {"year": year}, answer=moved)
    return UUID(json.loads(done.body)["id"])


async def frozen_now(services: Services, call: Call, year: int | None) -> bytes:
    """The bytes of a report that is frozen now, of the present year where none is named."""
    made = await freeze(services, call, year or datetime.now(UTC).year)
    content: bytes = (await reports.frozen(services, call, made))["content"]
    return content


def main() -> None:
    """Run the proof."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    people = int(sys.argv[2]) if len(sys.argv) > 2 else 2 * wanted
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as folder:
        Path(folder).chmod(0o755)
        with Cluster(Path(folder) / "pg", durable=False) as cluster:
            dsn = cluster.dsn("postgres")
            migrating.upgrade(dsn)
            asyncio.run(prove(dsn, Path(folder), wanted, people))
    print("proved")


if __name__ == "__main__":
    main()
