"""A ZIP of scans: each file is matched by its name to a person and to what it is, looked at, and kept.

Names are `<student number> <kind>.<ending>`, parted by a space, `_` or `-`, or `<kind>.<ending>` in a folder that is
called as the student is; kinds by their codes or their names in English or Chinese.
"""

from __future__ import annotations

import asyncio
import re
import zipfile
import zlib
from collections.abc import AsyncIterator, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final

from service.actions.documents import MOST_BYTES
from service.actions.imports.cells import folded, read_data
from service.actions.imports.rows import STUDENT_NO, Cell, Entry, Outcome, Table, Unreadable
from service.actions.work import Call, Services
from service.domain.lifecycle import Reason
from service.storage.database import attempt
from service.storage.files import DIRECTORY_BYTES, NotAccepted, TooLarge, directory_bytes
from service.storage.ids import uuid7
from service.storage.imports import known_by, matches
from service.storage.tables.trainees import documents

ARCHIVE_MOST: Final = 200 * 2**20
FILES_MOST: Final = 2_000
UNPACKED_MOST: Final = 500 * 2**20
"""Bytes that the files may declare together; each may have as many as any document."""
FILE: Final = "file"
UTF8: Final = 0x800
"""The flag of a name that is in UTF-8; without it, the archivers of Chinese systems write GB 18030."""
BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


def _name(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & UTF8:
        return member.filename
    return member.filename.encode("cp437", "replace").decode("gb18030", "replace")


def open_archive(path: Path, _columns: Any = None, _missing: Any = None) -> Table:
    """The files of an archive as rows, numbered as they stand in it.

    Raises:
        Unreadable: no archive, or more in it than may be.
    """
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise Unreadable("archive_unreadable")
        size = path.stat().st_size
        try:
            listed = directory_bytes(file, size)
        except NotAccepted as no:
            raise Unreadable("archive_unreadable") from no
    if listed > DIRECTORY_BYTES:
        raise Unreadable("too_many_files", required=FILES_MOST)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir() and not _is_aside(_name(m))]
    except BROKEN as error:
        raise Unreadable("archive_unreadable") from error
    if len(members) > FILES_MOST:
        raise Unreadable("too_many_files", required=FILES_MOST)
    declared = sum(m.file_size for m in members)
    if declared > UNPACKED_MOST:
        raise Unreadable("unpacked_too_large", required=f"{UNPACKED_MOST >> 20} MB", actual=f"{declared >> 20} MB")

    def rows() -> Generator[tuple[int, dict[str, Cell]], None, None]:
        for number, member in enumerate(members, 1):
            yield number, {FILE: _name(member), "member": member.filename}

    return Table("zip", {FILE: FILE}, (), rows())


def _is_aside(name: str) -> bool:
    """What archivers put in beside the files."""
    path = PurePosixPath(name)
    return path.parts[:1] == ("__MACOSX",) or path.name.startswith(".") or path.name == "Thumbs.db"


@cache
def _kinds() -> Mapping[str, str]:
    """Kinds of documents by whatever they may be called."""
    rows = read_data("codes", "document_kinds.json")["codes"]
    found = {folded(word): row["code"] for row in rows for word in (row["code"], row["en"], row["zh"])}
    more: Mapping[str, str] = read_data("imports", "documents.json")["values"]["kind"]
    return found | {folded(word): code for word, code in more.items()}


def understood(name: str) -> tuple[str, str | None] | None:
    """The student number and the kind that a name tells; None where it is not so made, no kind where it is unknown."""
    path = PurePosixPath(name)
    stem = path.stem.strip()
    parts = re.split(r"[\s_\-]+", stem, maxsplit=1)
    if len(parts) > 1 and (kind := _kind(parts[1])):
        return parts[0], kind
    if len(path.parts) > 1 and (kind := _kind(stem)):
        return path.parts[-2].strip(), kind
    return (parts[0], None) if len(parts) > 1 else None


def _kind(words: str) -> str | None:
    """A kind, also where a number follows for the second page of it."""
    return _kinds().get(folded(re.sub(r"[\s_\-(]*\d+\)?$", "", words)))


@dataclass(slots=True)
class Scans:
    """The files of one archive."""

    services: Services
    call: Call
    path: Path
    lines: dict[bytes, int] = field(default_factory=dict)

    @property
    def keys(self) -> frozenset[str]:
        """Nothing tells one file from another but its bytes."""
        return frozenset()

    def header(self, name: str) -> str:
        """A file has no columns."""
        return name

    def remember(self, entries: Sequence[Entry]) -> None:
        """Files that were taken in before are known by what was kept of them."""

    def read(self, line: int, cells: Mapping[str, Cell]) -> Entry:
        """Whose it is and what, by its name."""
        entry = Entry(line)
        name = str(cells[FILE]) if FILE in cells else ""
        told = understood(name)
        if told is None:
            entry.fault(FILE, Reason("file_name_unclear", required="2026001 passport.pdf"))
            return entry
        entry.keys[STUDENT_NO], kind = told
        if kind is None:
            entry.fault(FILE, Reason("document_kind_known", required=sorted(set(_kinds().values()))))
        entry.given = {"kind": kind, "title": PurePosixPath(name).stem[:200] or "scan", "member": cells["member"]}
        return entry

    async def settle(self, entries: Sequence[Entry]) -> None:
        """Whose each file is; those that are good are kept, unless the same is on record already."""
        numbers = {e.student_no for e in entries if e.student_no}
        found = await attempt(
            lambda _: matches(
                self.services.database, self.call.institution, system=STUDENT_NO, numbers=numbers, passports=(),
                identities=(),
            )
        )  # fmt: skip
        people = {m.key: m.person for m in found}
        for entry in entries:
            entry.person = people.get(entry.student_no)
            if entry.student_no and entry.person is None:
                entry.fault(FILE, Reason("student_known"))
        anchors = list({e.person for e in entries if e.person})
        known = await attempt(
            lambda _: known_by(
                self.services.database, self.call.institution, documents, "person_id", anchors, ("kind", "sha256")
            )
        )
        for entry in entries:
            member = entry.given.pop("member", None)
            if entry.outcome is not Outcome.CREATE or member is None:
                continue
            try:
                content = await asyncio.to_thread(self._content, str(member))
            except BROKEN:
                entry.fault(FILE, Reason("file_damaged"))
                continue
            digest = sha256(content).digest()
            there = known.get((entry.person, (entry.given["kind"], digest)))
            if there is not None:
                entry.outcome, entry.item, entry.version = Outcome.UNCHANGED, there.id, there.version
            elif (before := self.lines.setdefault(digest, entry.line)) != entry.line:
                entry.fault(FILE, Reason("twice_in_archive", actual=before))
            else:
                await self._keep(entry, content)

    def _content(self, member: str) -> bytes:
        """All of a file, and not more than any document may have."""
        with zipfile.ZipFile(self.path) as archive, archive.open(member) as file:
            return file.read(MOST_BYTES + 1)

    async def _keep(self, entry: Entry, content: bytes) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        content_id = uuid7()
        try:
            stored = await self.services.files.put(
                chunks(), institution=self.call.institution, document_id=content_id, limit=MOST_BYTES
            )
        except TooLarge:
            entry.fault(FILE, Reason("file_too_large", f"{MOST_BYTES >> 20} MB", f"{len(content) >> 20} MB"))
        except NotAccepted as no:
            entry.fault(FILE, Reason(f"file_{no.code}"))
        else:
            entry.given |= {"content": stored, "content_id": content_id}

    def blame(self, entry: Entry, reasons: Sequence[Reason]) -> None:
        """What the rules say against a file."""
        for reason in reasons:
            entry.fault(FILE, reason)


def missing(_known: Collection[str]) -> list[str]:
    """An archive has no columns."""
    return []


__all__ = ["ARCHIVE_MOST", "Scans", "missing", "open_archive", "understood"]
