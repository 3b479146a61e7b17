"""A rehearsal over a whole sample world, and then the adoption itself: the same people, gates, rows and ways out.

    python -m tests.proofs.rehearsal_and_adoption [people]

It loads a sample world into a PostgreSQL of its own. For each pack under which somebody is on the way it writes a stricter
version that moves them, rehearses it, adopts it, lets the clock move everybody, and recomputes each person's gates from
every row of the old and of the new packs; both answers must be equal, person by person.

On two shared cores with 3,000 trainees (2026-11-27; the sample world took 174 s to load), of 371 who are on the way in the
first college: de-18a 104 concerned, 101 moved by the clock, 51 blocked at 51 gates; home-hire 80, 78 and 22 at 22; jp-ssw1
157, 152 and 77 at 126; each rehearsed in 0.3 s at most, and each equal. The rest of those concerned are candidates whose
packs are not pinned yet.
"""

# ruff: noqa: T201 - what it proves is told

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from pydantic_core import from_json, to_json

from service.actions import candidacies, pack_versions, packs, placements
from service.actions.timers import ring
from service.actions.work import Call, Result, Services, Wanted, Work, perform
from service.domain.actors import ADMIN, COORDINATOR, Actor
from service.domain.requirements import OnTheWay
from service.sample.load import load
from service.storage import migrating
from service.storage.database import Database
from service.storage.embedded import Cluster
from service.storage.files import Files
from service.storage.packs import shipped_files, shipped_packs
from service.storage.vault import Vault
from tests.api.test_packs import lines_of

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
TIMERS = [t for t in (*placements.TIMERS, *candidacies.TIMERS) if t.action == "follow_version"]


def stricter(pin: str) -> dict[str, Any]:
    """The next version: one paper more before the work begins, and half the time for whatever counts from its issue."""
    content = deepcopy(shipped_files()[pin])
    content["version"] += 1
    for row in content["requirements"]:
        for v in row.get("validity", ()):
            v["count"] = max(v.get("count", 0) // 2, 1) if v["rule"].endswith("_from_issue") else v.get("count", 0)
    more = {
        "key": "new_paper", "title": "A paper that the authority asks for", "kind": "document", "subject": "placement",
        "needed_before": "active", "providers": ["enterprise"], "waivable_by": ["coordinator"],
    }  # fmt: skip
    source = {"source": "A proof", "evidence": "unverified"}
    content["requirements"].append(more | source)
    return content | {"transition": source | {"rule": "move"}}


async def everybody(services: Services, call: Call) -> dict[UUID, OnTheWay]:
    """Whoever is on the way, as they are judged now."""
    found: dict[UUID, OnTheWay] = {}
    place: UUID | None = UUID(int=0)
    while place is not None:
        people, _, place = await packs.on_the_way(services, call, place, packs.CHUNK)
        found |= {w.id: w for w in people}
    return found


async def rehearsed(services: Services, call: Call, content: Any, from_on: date) -> tuple[dict[UUID, Any], int, int]:
    """Every page of the rehearsal: who would be blocked, how many it concerns, and how many were looked at."""
    items: dict[UUID, Any] = {}
    concerned, looked, after = 0, 0, None
    while True:
        page = await packs.rehearse(services, call, content, from_on=from_on, after=after, limit=1000)
        items |= {i["id"]: i for i in page["items"]}
        concerned, looked, after = concerned + page["affected"], looked + page["looked_at"], page["next"]
        if after is None:
            return items, concerned, looked


async def act(services: Services, call: Call, action: str, id_: UUID, given: dict[str, Any]) -> UUID:
    """One act on a version of a pack; its id."""
    made: list[Result] = []

    def keep(_work: Work, results: list[Result]) -> bytes:
        made[:] = results
        return b""

    wanted = [Wanted(id_, given=pack_versions.read_content(given))]
    await perform(services, call, pack_versions.SUBJECT, action, wanted, {}, answer=keep, single=True)
    assert made[0].state is not None, made
    assert made[0].id is not None
    return made[0].id


async def prove(dsn: str, folder: Path, people: int) -> None:
    """Rehearse, adopt, recompute; an assertion fails where the two are not equal."""
    services = Services(await Database.open(dsn, 8), Vault.parse(Vault.written()), Files(folder.as_uri()))
    began = time.perf_counter()
    world = await load(services, progress=lambda *_: None, trainees=people)
    print(f"a sample world of {people} in {time.perf_counter() - began:.0f} s")
    one, two = (
        Call(world.institution, "proof", trusted=Actor(uuid4(), frozenset({COORDINATOR, ADMIN}))) for _ in range(2)
    )
    pins = Counter(pin for w in (await everybody(services, one)).values() for pin in w.packs.pins)
    print(f"on the way, by pack: {dict(pins)}")
    blocked = 0
    for pin in sorted(pins):
        if pin not in {p.pin for p in shipped_packs() if p.kind == "pathway"}:
            continue
        content, before = stricter(pin), await everybody(services, one)
        today = next(iter(before.values())).today
        began = time.perf_counter()
        told, concerned, looked = await rehearsed(services, one, content, today)
        took = time.perf_counter() - began
        made = await act(services, one, "load", world.institution, {"content": content, "rationale": "A proof."})
        await act(services, two, "adopt", made, {"from_on": today})
        moved, did = 0, 1
        while did:
            did = sum([await ring(services, t, world.institution) for t in TIMERS])
            moved += did
        after = await everybody(services, one)
        recomputed = {i: lines for i, w in after.items() if (lines := lines_of(before[i], w))}
        assert {i: from_json(to_json(x["gates"])) for i, x in told.items()} == recomputed, pin
        changed = {i for i, w in after.items() if w.packs.pins != before[i].packs.pins}
        assert len(changed) == concerned, (pin, len(changed), concerned)
        assert moved == sum(1 for i in changed if after[i].pinned), pin
        assert after.keys() == before.keys()
        blocked += len(told)
        print(
            f"{pin}: {looked} looked at in {took:.1f} s, {concerned} concerned, {moved} moved by the clock, "
            f"{len(told)} blocked at {sum(len(x['gates']) for x in told.values())} gates: equal"
        )
    assert blocked, "nobody was blocked: load more people"
    await services.database.close()


def main() -> None:
    """Run the proof."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as folder:
        Path(folder).chmod(0o755)
        with Cluster(Path(folder) / "pg", durable=False) as cluster:
            dsn = cluster.dsn("postgres")
            migrating.upgrade(dsn)
            asyncio.run(prove(dsn, Path(folder), people))
    print("proved")


if __name__ == "__main__":
    main()
