"""Everything that is held on a person as one archive: a file of JSON for each kind, their documents, and a manifest.

It is written whole onto a spool, some rows at a time, before its first byte is given out: what a stream that breaks off
would leave out, nobody would notice.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any
from uuid import UUID

from pydantic_core import from_json, to_json

from service.actions.exports import IN_MEMORY, content_of
from service.actions.reading import records
from service.actions.trainees import SUBJECT
from service.actions.work import Call, Missing, Result, Services, StaleVersion, Wanted, Work, perform
from service.domain.actors import Actor
from service.domain.documents import SENSITIVE_KINDS
from service.domain.lifecycle import Given
from service.domain.permissions import may
from service.storage import files
from service.storage.database import PREFETCH, Record, attempt
from service.storage.held import AS_JSON, CALLED, HELD, KEPT_BACK, LEADING, NOT_HELD, NUMBERS, ROWS_KEPT_BACK, SEALED
from service.storage.lines import slices
from service.storage.trainees import VIEW, sealed_of
from service.storage.vault import Sealed, StreamKey
from service.storage.views import facts_of_row

SCHEMA = "sojourn.person/1"
"""The form of the archive; another number where a client that reads this one would no longer understand it."""
MASKED = {"masked": True, "reason": "purpose_needed"}


@dataclass(frozen=True, slots=True)
class Copy:
    """The archive: its size in bytes, and its content, which closes it."""

    size: int
    content: AsyncIterator[bytes]


@dataclass(slots=True)
class _Archive:
    """A ZIP that is being written, and what its manifest says of each file."""

    zip: zipfile.ZipFile
    opened: bool
    key: StreamKey | None
    institution: UUID
    person: UUID
    entries: list[dict[str, Any]] = field(default_factory=list)

    def line(self, table: str, record: Record) -> str:
        """A row as the database wrote it, with what was sealed in it opened, where its reader may read that."""
        line: str = record["line"]
        more = {}
        for name in [n for n in record.keys() if (table, n) in SEALED]:  # noqa: SIM118 - not a dict
            label, with_id = SEALED[table, name]
            called = CALLED.get(name, name.removesuffix("_sealed"))
            more[called] = self._open(record[name], label, [record["id"]] if with_id else [])
        return f"{line[:-1]}, {to_json(more)[1:].decode()}" if more else line

    def _open(self, sealed: bytes | None, label: str, more: Iterable[Any]) -> Any:
        if sealed is None or self.key is None:
            return None
        if label in NUMBERS and not self.opened:
            return MASKED
        try:
            text = self.key.open(sealed, self.institution, self.person, label, *more)
        except Sealed:
            return None
        return from_json(text) if label in AS_JSON else text

    def noted(self, name: str, digest: Any, size: int, **more: Any) -> None:
        """An entry of the manifest."""
        self.entries.append({"name": name, "size": size, "sha256": digest.hexdigest()} | more)


async def export(services: Services, call: Call, person: UUID, given: Given) -> Copy:
    """Everything that is held on a person; that it was taken, by whom, is on their record before a byte is given out.

    Raises:
        Missing: nobody whom the actor sees.
        Refused, and the others of `perform`.
    """
    actor, state = await _taken(services, call, person, given)
    _, sealed = await records(services, call, sealed_of(call.eyes), "trainees.export", by_id=person)
    wrapped = sealed[0]["wrapped"]
    key = services.vault.stream_key(wrapped, call.institution, person) if wrapped is not None else None
    with ExitStack() as stack:
        spool: IO[bytes] = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))
        with zipfile.ZipFile(spool, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as out:
            archive = _Archive(out, may(actor, "trainees.open_sealed"), key, call.institution, person)
            papers: list[dict[str, Any]] = []
            for table in HELD:
                papers += await _table(services, archive, table)
            for paper in papers:
                await _document(services, archive, paper)
            await asyncio.to_thread(out.writestr, "manifest.json", to_json(_manifest(archive, state), indent=1))
        stack.pop_all()
    return Copy(spool.seek(0, 2), content_of(spool))


async def _taken(services: Services, call: Call, person: UUID, given: Given, tries: int = 3) -> tuple[Actor, str]:
    """The act on the person's record; whatever its version is now, it is the one that is meant."""
    actor, found = await records(services, call, VIEW.item(call.eyes), "trainees.export", by_id=person, limit=1)
    row = facts_of_row(found[0])
    if row["id"] is None:
        raise Missing
    try:
        await perform(services, call, SUBJECT, "export", [Wanted(person, row["version"])], given, answer=_nothing)
    except StaleVersion:
        if tries == 1:
            raise
        return await _taken(services, call, person, given, tries - 1)
    return actor, str(row["state"])


def _nothing(_work: Work, _results: list[Result]) -> bytes:
    return b"{}"


async def _table(services: Services, archive: _Archive, table: str) -> list[dict[str, Any]]:
    """A table's rows as a JSON array; of documents, what leads to their files."""
    name, count = f"records/{table}.json", 0
    papers: list[dict[str, Any]] = []
    digest = hashlib.sha256()
    size = 0

    def put(to: IO[bytes], text: str) -> int:
        written = text.encode()
        digest.update(written)
        to.write(written)
        return len(written)

    def put_rows(to: IO[bytes], rows: Sequence[Record], start: str) -> int:
        return put(to, start + ",\n".join([archive.line(table, r) for r in rows]))

    async def once(_: int) -> None:
        nonlocal count, size
        known = {"institution": archive.institution, "person": archive.person}
        async with services.database.connection() as con, services.database.transaction(con, archive.institution):
            with archive.zip.open(name, "w") as to:
                async for rows in slices(con, HELD[table], PREFETCH, **known):
                    size += await asyncio.to_thread(put_rows, to, rows, ",\n" if count else "[\n")
                    count += len(rows)
                    if table == "documents":
                        papers.extend({name: r[name] for name in LEADING} for r in rows)
                size += await asyncio.to_thread(put, to, "\n]\n" if count else "[\n\n]\n")

    await attempt(once, times=1)
    archive.noted(name, digest, size, kind=table, rows=count)
    return papers


async def _document(services: Services, archive: _Archive, paper: Mapping[str, Any]) -> None:
    """A document's file, as it was handed in; why not, where it is not given out or not there."""
    about = {"kind": "document", "id": paper["id"], "document_kind": paper["kind"], "title": paper["title"]}
    name = f"documents/{paper['id']}.{files.ENDINGS.get(paper['media_type'], 'bin')}"
    if paper["kind"] in SENSITIVE_KINDS and not archive.opened:
        archive.entries.append({"name": None, "left_out": "purpose_needed"} | about)
        return
    try:
        chunks = await services.files.get(institution=archive.institution, document_id=paper["content_id"])
    except files.Missing:
        archive.entries.append({"name": None, "left_out": "missing"} | about)
        return
    digest, size = hashlib.sha256(), 0
    with archive.zip.open(name, "w") as to:
        async for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            await asyncio.to_thread(to.write, chunk)
    archive.noted(name, digest, size, **about)


def _manifest(archive: _Archive, state: str) -> dict[str, Any]:
    """What is in the archive, file by file, and what is not, and why."""
    kept = [{"table": t, "column": c, "why": why} for (t, c), why in KEPT_BACK.items()]
    return {
        "schema": SCHEMA,
        "institution_id": archive.institution,
        "person_id": archive.person,
        "state": state,
        "made_at": datetime.now(UTC),
        "sealed_fields_opened": archive.opened,
        "files": archive.entries,
        "left_out": {"tables": dict(NOT_HELD), "rows": dict(ROWS_KEPT_BACK), "columns": kept},
    }
