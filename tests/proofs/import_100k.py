"""An import of 100,000 rows, one in a hundred faulty, by a worker that is killed again and again.

    python -m tests.proofs.import_100k [rows] [kills]

It starts a PostgreSQL of its own, uploads a file as a client would, kills the worker with SIGKILL at moments of chance
while it checks and while it applies, and shows that nothing was lost and nothing doubled; then how long it took, and
the most memory that any worker had, against what one has that did nothing yet.
"""

# ruff: noqa: T201, ASYNC240 - what it shows, it prints; nobody waits for it

from __future__ import annotations

import asyncio
import csv
import io
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from service.actions import institutions
from service.actions.imports.carrying import carry_on
from service.actions.imports.items import SUBJECT, take_in
from service.actions.work import Call, Services, Wanted, perform
from service.aside import aside
from service.domain.actors import COORDINATOR, Actor
from service.storage import migrating
from service.storage.database import Database
from service.storage.embedded import Cluster
from service.storage.files import Files
from service.storage.vault import Vault

HEADERS = ["学号", "姓名", "拼音姓名", "性别", "出生日期", "国籍", "邮箱"]
FAULT_EVERY = 100


def peak() -> int:
    """The most memory that this process had, in KiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


async def worker(dsn: str, keys: str, folder: str, institution: str) -> None:
    """Carry on until nothing waits, telling of the memory now and then."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Services]:
        database = await Database.open(dsn, 4)
        try:
            yield Services(database, Vault.parse(keys), Files(Path(folder).as_uri()))
        finally:
            await database.close()

    print("began", peak(), flush=True)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - began - 0.005)

    watching = asyncio.create_task(watch())
    async with aside(opened) as beside:
        while await beside(lambda services: carry_on(services, UUID(institution))):
            print("peak", peak(), round(longest * 1000), flush=True)
    watching.cancel()


def sheet(rows: int) -> bytes:
    """A CSV file of so many students."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(HEADERS)
    for n in range(rows):
        country = "Atlantis" if n % FAULT_EVERY == FAULT_EVERY - 1 else "CN"
        out.writerow([f"2026{n:06}", "王伟", "WANG, WEI", "男", "2005-03-09", country, f"s{n}@college.example"])
    return text.getvalue().encode()


class Proof:
    """One import, its workers, and what they told."""

    def __init__(self, dsn: str, keys: str, folder: Path, institution: UUID) -> None:
        self.arguments = [dsn, keys, str(folder), str(institution)]
        self.began, self.peaks, self.stalls = 0, [0], [0]

    async def run(self, kill_after: float | None) -> bool:
        """A worker, to its end or to the moment at which it is killed; whether it came to its end."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.proofs.import_100k", "--worker", *self.arguments,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert child.stdout is not None
        killer = (
            asyncio.get_running_loop().call_later(kill_after, child.send_signal, signal.SIGKILL) if kill_after else None
        )
        async for line in child.stdout:
            word, *numbers = line.decode().split()
            if word == "began":
                self.began = int(numbers[0])
            else:
                self.peaks.append(int(numbers[0]))
                self.stalls.append(int(numbers[1]))
        ended = await child.wait() == 0
        if killer:
            killer.cancel()
        return ended


async def prove(rows: int, kills: int) -> None:
    """The whole of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Cluster(folder / "pg", durable=True) as cluster:
            dsn = cluster.dsn("postgres")
            await asyncio.to_thread(migrating.upgrade, dsn)
            await _prove(dsn, folder / "files", rows, kills)


async def _prove(dsn: str, folder: Path, rows: int, kills: int) -> None:
    keys = Vault.written()
    database = await Database.open(dsn, 4)
    services = Services(database, Vault.parse(keys), Files(folder.as_uri()))
    home = await institutions.found(
        services, name_native="北方学院", name_latin="North College", country="CN", time_zone="Asia/Shanghai"
    )
    await institutions.appoint(services, home, email="c@college.example", name="C", roles=[COORDINATOR])
    owner = await asyncpg.connect(dsn)
    account = await owner.fetchval("SELECT account_id FROM appointments WHERE roles = ARRAY['coordinator']")
    call = Call(home, "proof", trusted=Actor(account, frozenset({COORDINATOR})))

    async def chunks() -> Any:
        yield sheet(rows)

    said = {"kind": "trainees", "mode": "good", "blanks": "keep"}
    await take_in(services, call, chunks(), lambda: said, lambda _: b"", answer=lambda *_: b"")
    job = await owner.fetchval("SELECT id FROM imports")
    proof = Proof(dsn, keys, folder, home)
    for act in ("check", "apply"):
        if act == "apply":
            await perform(services, call, SUBJECT, "apply", [Wanted(job)], {}, answer=lambda *_: b"")
        began, killed = time.perf_counter(), 0
        while not await proof.run(random.uniform(2, 2 + rows / 5000) if killed < kills else None):
            killed += 1
            print(f"{act}: killed {killed}, at", dict(*await owner.fetch("SELECT state, staged, done FROM imports")))
        seconds = time.perf_counter() - began
        print(f"{act}: {seconds:.1f} s with {killed} kills, {rows / seconds:.0f} rows/s")
    faulty = rows // FAULT_EVERY
    found: dict[str, Any] = dict(
        *await owner.fetch(
            "SELECT i.state, i.staged, i.creates, i.faulty, i.done, (SELECT count(*) FROM trainees) AS people,"
            " (SELECT count(DISTINCT value) FROM external_ids) AS numbers, (SELECT count(*) FROM import_rows) AS rows,"
            " (SELECT count(*) FROM import_rows WHERE outcome = 'created') AS created,"
            " (SELECT count(*) FROM events WHERE type = 'trainee.registered') AS events,"
            " (SELECT count(*) FROM heads WHERE kind = 'person') AS heads FROM imports i"
        )
    )
    good = rows - faulty
    wanted = {"state": "applied", "staged": rows, "creates": good, "faulty": faulty, "done": good, "people": good}
    wanted |= {"numbers": good, "rows": rows, "created": good, "events": good, "heads": good}
    print(found)
    assert found == wanted, wanted
    print(f"memory: began with {proof.began / 1024:.0f} MiB, at most {max(proof.peaks) / 1024:.0f} MiB")
    print(f"longest wait of the loop: {max(proof.stalls)} ms")
    await owner.close()
    await database.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        asyncio.run(worker(*sys.argv[2:]))
    else:
        asyncio.run(prove(int((sys.argv[1:] or ["100000"])[0]), int((sys.argv[2:] or ["3"])[0])))
