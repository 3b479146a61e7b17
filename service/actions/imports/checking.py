"""The dry run: every row of a file is read, looked up and put to the rules, and nothing happens but that it is kept."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

from service.actions.imports.cells import has_calling_code
from service.actions.imports.chains import rehearse_rows
from service.actions.imports.kinds import KINDS, Kind, Reader, Reading
from service.actions.imports.rows import Columns, Entry, Outcome, Table, Unreadable
from service.actions.imports.staging import Guard, stage
from service.actions.work import Call, Services, Wanted, rehearse
from service.storage.database import attempt
from service.storage.imports import Job, place_of
from service.storage.writes import Writes

CHUNK: Final = 500
"""Rows that are looked up, decided and kept at a time."""


@asynccontextmanager
async def _on_disk(services: Services, call: Call, job: Job) -> AsyncIterator[Path]:
    """The file as a file: workbooks are read from a disk."""
    chunks = await services.files.get(institution=call.institution, document_id=job.content_id)
    with tempfile.NamedTemporaryFile() as file:
        async for chunk in chunks:
            file.write(chunk)
        file.flush()
        yield Path(file.name)


async def check(services: Services, call: Call, job: Job) -> dict[str, Any]:
    """Stage every row that is not staged yet; the headers as they were understood, and what will be told of it.

    Raises:
        Unreadable: the file as a whole.
        Overtaken: the import moved meanwhile.
    """
    kind = KINDS[job.kind]
    place = await attempt(lambda _: place_of(services.database, call.institution))
    if place is None:
        raise Unreadable("file_gone")
    numbers_of = job.phone_country or place.country
    if not has_calling_code(numbers_of):
        raise Unreadable("phone_country_unknown", required=numbers_of)
    async with _on_disk(services, call, job) as path:
        table = await asyncio.to_thread(kind.opened, path, Columns(job.kind, job.mapping), kind.missing)
        reading = Reading(
            services, call, table.headers, place.today, numbers_of, clear=job.blanks == "clear", path=path
        )
        with closing(table.rows):
            count = await _stage_all(services, call, job, kind, table, kind.understand(reading))
    return {"headers": dict(table.headers), "ignored": list(table.ignored), "told": {"rows": count, "file": table.kind}}


async def _stage_all(services: Services, call: Call, job: Job, kind: Kind, table: Table, reader: Reader) -> int:
    def known() -> int:
        """Rows that were staged by whoever was at it before: only by what they are known again matters."""
        count = 0
        for line, cells in islice(table.rows, job.staged):
            reader.remember([reader.read(line, {n: c for n, c in cells.items() if n in reader.keys})])
            count += 1
        return count

    def understood() -> list[Entry]:
        return [reader.read(line, cells) for line, cells in islice(table.rows, CHUNK)]

    count = await asyncio.to_thread(known)
    while entries := await asyncio.to_thread(understood):
        count += len(entries)
        await reader.settle(entries)
        await _rehearse(services, call, kind, reader, entries)
        await _keep(services, call, job, entries)
    return count


async def _rehearse(services: Services, call: Call, kind: Kind, reader: Reader, entries: Sequence[Entry]) -> None:
    """Put every row to the rules, those that ask the same facts together."""
    if kind.chain:
        await rehearse_rows(services, call, kind.chain, entries, reader.header)
        return
    groups: dict[Any, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.outcome in (Outcome.CREATE, Outcome.UPDATE):
            action = kind.action(entry.outcome)
            groups[action, *kind.extras(action, entry.given).items()].append(entry)
    for (action, *extra), group in groups.items():
        wanted = [wanted_of(kind, call, e.outcome, e.person, e.item, e.version, e.given) for e in group]
        results = await rehearse(services, call, kind.subject, action, wanted, extra=dict(extra))
        for entry, result in zip(group, results, strict=True):
            reader.blame(entry, result.refused)


def wanted_of(
    kind: Kind, call: Call, outcome: str, anchor: Any, item: Any, version: int | None, given: dict[str, Any]
) -> Wanted:
    """The act that a row asks for; what is born of nothing in particular is born of the institution."""
    if outcome == Outcome.UPDATE:
        return Wanted(item, version, given)
    return Wanted(anchor if kind.of_person else call.institution, None, given)


async def _keep(services: Services, call: Call, job: Job, entries: list[Entry]) -> None:
    async with services.database.connection() as con:
        guard = await Guard.of(con, services, call.institution, job.id)
        writes = Writes(call.institution)
        guard.hold(writes)
        stage(writes, guard, services.vault, entries)
        await guard.run(con, writes)


__all__ = ["CHUNK", "check", "wanted_of"]
