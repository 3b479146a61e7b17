"""The timetable of a class, out as a file and in from one: every line looked at, then all that is good done at once."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from service.actions.calendars import BYTES_MOST, Line, Meeting, Place, read_calendar, write_calendar
from service.actions.imports.sheets import Unreadable
from service.actions.reading import item as read_item
from service.actions.reading import records
from service.actions.timetable_sheets import read_timetable, write_sheet
from service.actions.training import CLASSES
from service.actions.work import Call, Done, Missing, Result, Services, Wanted, Work, perform
from service.domain.lifecycle import Reason, Refused
from service.domain.training import SAME, TRAINING_CLASS, ClassDossier, Placed, place_all
from service.storage.training import TIMETABLE, read_busy, read_session
from service.storage.views import facts_of_row

FAULTY = "faulty"


# ---- out
def _place(row: dict[str, Any]) -> Place:
    return Place(row["title"], row["time_zone"], row["starts_on"], row["ends_on"])


def _meeting(s: dict[str, Any]) -> Meeting:
    starts, ends, changed = (datetime.fromisoformat(s[name]) for name in ("starts_at", "ends_at", "changed_at"))
    return Meeting(s["uid"], starts, ends, Decimal(s["hours"]), s["topic"], s["cancelled"], s["sequence"], changed)


@dataclass(frozen=True, slots=True)
class Written:
    """A timetable as a file, what the class is called, and the version of the class."""

    content: bytes
    title: str
    version: int


async def write_out(services: Services, call: Call, class_id: UUID, *, as_sheet: bool) -> Written:
    """The timetable of a class, the cancelled meetings too.

    Raises:
        Missing: the class is not there, or not seen.
    """
    row = await read_item(services, call, TIMETABLE, "classes.read", class_id)
    write = write_sheet if as_sheet else write_calendar
    content = await asyncio.to_thread(write, _place(row), [_meeting(s) for s in row["sessions"]])
    return Written(content, row["title"], row["version"])


# ---- in
@dataclass(frozen=True, slots=True)
class Looked:
    """One line of a file, and what it does to the timetable."""

    line: Line
    placed: Placed | None

    @property
    def faults(self) -> list[Reason]:
        """Why it does nothing."""
        return [*self.line.faults, *(self.placed.reasons if self.placed else ())]

    @property
    def does(self) -> str:
        """What it does: add, change, cancel, reinstate, same, or faulty."""
        return FAULTY if self.faults or self.placed is None else self.placed.does


@dataclass(frozen=True, slots=True)
class Report:
    """What a file does, line by line; `not_in_file` are meetings of the class that it does not name."""

    dry_run: bool
    version: int
    lines: Sequence[Looked]
    not_in_file: int

    @property
    def counts(self) -> dict[str, int]:
        """Lines by what they do."""
        return dict(Counter(looked.does for looked in self.lines))


async def _kept(chunks: AsyncIterator[bytes], path: Path) -> bytes:
    """The file, written down and at hand; no more of it is read than may be.

    Raises:
        Unreadable: it is too large.
    """
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > BYTES_MOST:
            raise Unreadable("file_too_large", required=f"{BYTES_MOST >> 20} MB")
    await asyncio.to_thread(path.write_bytes, content)
    return bytes(content)


def _read(content: bytes, path: Path, place: Place) -> list[Line]:
    """What kind of file it is, its first bytes tell, and not its name."""
    start = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip().upper()
    if start.startswith(b"BEGIN:VCALENDAR"):
        return read_calendar(content, place)
    return read_timetable(path, place)


def _class(row: dict[str, Any]) -> ClassDossier:
    """As much of a class as its timetable depends on."""
    return ClassDossier(
        state=row["state"], today=row["starts_on"], starts_on=row["starts_on"], ends_on=row["ends_on"],
        time_zone=row["time_zone"], sessions=tuple(read_session(s) for s in row["sessions"]),
        busy=read_busy(row["busy"]),
    )  # fmt: skip


def _look(c: ClassDossier, lines: Sequence[Line]) -> list[Looked]:
    placed = iter(place_all(c, [line.entry for line in lines if line.entry is not None]))
    return [Looked(line, next(placed) if line.entry is not None else None) for line in lines]


async def take_in(
    services: Services,
    call: Call,
    class_id: UUID,
    *,
    version: int | None,
    chunks: AsyncIterator[bytes],
    said: Callable[[], bool],
    digest: Callable[[bytes], Call],
    answer: Callable[[Report], bytes],
) -> Done:
    """A timetable from a calendar or a sheet; `said` tells, once the file is in, whether it is only looked at.

    What is good is done in one act on the version that the caller saw; what is faulty stops no other line. A meeting is
    known again by its uid, so that the same file can come again. Meetings that the file does not name stay.

    Raises:
        Missing: the class is not there, or not seen.
        Refused: the role, or the state of the class.
        Unreadable: the file as a whole.
    """
    actor, found = await records(services, call, TIMETABLE.item(call.eyes), "classes.import", by_id=class_id, limit=1)
    if found[0]["id"] is None:
        raise Missing
    row = facts_of_row(found[0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "timetable"
        content = await _kept(chunks, path)
        lines = await asyncio.to_thread(_read, content, path, _place(row))
    c, dry_run = _class(row), said()
    looked = _look(c, lines)
    named = {k.placed.session.id for k in looked if k.placed and k.placed.session}
    left = sum(1 for s in c.sessions if s.id not in named and not s.cancelled)
    good = tuple(k.placed.entry for k in looked if k.placed and k.does not in (FAULTY, SAME))
    if dry_run:
        if good:
            TRAINING_CLASS.decide("set_timetable", c, actor, {"sessions": good})
        return Done(answer(Report(dry_run, row["version"], looked, left)))

    def done(_work: Work, results: list[Result]) -> bytes:
        return answer(Report(dry_run, results[0].version or row["version"], looked, left))

    wanted = [Wanted(class_id, version)]
    try:  # also where nothing is left to do: the same call may have come before, and is answered as it was
        return await perform(
            services, digest(content), CLASSES, "set_timetable", wanted, {"sessions": good}, answer=done
        )
    except Refused:
        if good:
            raise
        return Done(answer(Report(dry_run, row["version"], looked, left)))
