"""Lists as files: what the actor sees, through one cursor onto a spool, so that no more than a slice is in memory.

A CSV or an XLSX carries ids and versions, and can be edited and handed in again as an import.
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, Protocol

import xlsxwriter
from pydantic_core import to_json

from service.actions import reading
from service.actions.imports.cells import inert
from service.actions.imports.rows import STUDENT_NO
from service.actions.work import Call, Services
from service.storage.database import DRIVER_ERRORS, Record, Statement, translate
from service.storage.lines import lines_of, rows_of, slices
from service.storage.views import View, who

PAGE: Final = 200
"""Rows that are decoded at a time: more would hold the loop."""
LINES: Final = 1000
"""Lines that the database wrote, taken at a time."""
ROWS_MOST: Final = 500_000
"""Rows of one file; a workbook holds a million, and nobody reads so many."""
IN_MEMORY: Final = 512 * 1024
CHUNK: Final = 256 * 1024
MEDIA: Final = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
EXTERNAL: Final = "external_ids"


class TooManyRows(Exception):
    """More rows than one file may have."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that is written: its rows, its size in bytes, and its content; the content closes it."""

    rows: int
    size: int
    content: AsyncIterator[bytes]


class _Writer(Protocol):
    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """More rows."""

    def end(self, count: int) -> IO[bytes]:
        """The file, whole."""


def _flat(row: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """A row as cells: numbers as they are, a masked field as nothing, what has parts as JSON."""
    cells = []
    for name in names:
        value = row.get(name)
        if name == STUDENT_NO:
            known = (x["value"] for x in row[EXTERNAL] if x["system"] == STUDENT_NO)
            cells.append(next(known, ""))
        elif value is None or (isinstance(value, dict) and value.get("masked")):
            cells.append("")
        elif isinstance(value, dict | list | tuple):
            cells.append(to_json(value).decode() if value else "")
        else:
            cells.append(value if type(value) is int else str(value).lower() if type(value) is bool else str(value))
    return cells


class _Csv:
    """A CSV; its lines may come written already."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - whoever reads it closes it
        self._text = io.TextIOWrapper(self._file, "utf-8-sig", newline="")
        self._out = csv.writer(self._text)
        self._out.writerow(names)

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._out.writerows([inert(c) if isinstance(c, str) else c for c in _flat(r, self._names)] for r in rows)

    def lines(self, lines: Iterable[str]) -> None:
        """Lines as the database wrote them."""
        self._text.write("".join([f"{line}\r\n" for line in lines]))

    def end(self, _count: int) -> IO[bytes]:
        self._text.flush()
        self._text.detach()
        return self._file


class _Lines:
    def __init__(self, _names: Sequence[str]) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            self._file.write(to_json(row) + b"\n")

    def end(self, count: int) -> IO[bytes]:
        self._file.write(to_json({"count": count}) + b"\n")
        return self._file


class _Xlsx:
    def __init__(self, names: Sequence[str]) -> None:
        self._names, self._line = names, 0
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "book.xlsx"
        # Every row goes to the disk when the next one begins; all text is written as text, so that none is a formula.
        self._book = xlsxwriter.Workbook(str(self._path), {"constant_memory": True, "tmpdir": self._folder.name})
        self._page = self._book.add_worksheet()
        self._put(names)
        self._page.freeze_panes(1, 0)

    def _put(self, cells: Sequence[Any]) -> None:
        for place, cell in enumerate(cells):
            if isinstance(cell, int):
                self._page.write_number(self._line, place, cell)
            elif cell:
                self._page.write_string(self._line, place, cell)
        self._line += 1

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            self._put(_flat(row, self._names))

    def end(self, _count: int) -> IO[bytes]:
        self._book.close()
        file = self._path.open("rb")
        self._folder.cleanup()  # the file stays as long as it is open
        return file


_WRITERS: Final[Mapping[str, Callable[[Sequence[str]], _Writer]]] = {"csv": _Csv, "ndjson": _Lines, "xlsx": _Xlsx}


async def export(
    services: Services,
    call: Call,
    view: View,
    permission: str,
    *,
    form: str,
    names: Sequence[str],
    filters: Mapping[str, Any],
    sort: str | None,
    downward: bool,
    show: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Exported:
    """Every row that the actor sees, in the form asked for; written whole before its first byte is given out.

    All rows are of one instant. `show` is what is still done to a row; a CSV of rows that need nothing is written by
    the database.

    Raises:
        TooManyRows; Unauthenticated, Refused.
    """
    if EXTERNAL in names:
        names = [*[n for n in names if n != EXTERNAL], STUDENT_NO]
    await reading.records(services, call, who(call.eyes), permission)
    named = tuple(sorted(filters))
    given = {f"by_{name}": value for name, value in filters.items()} | {"limit": ROWS_MOST + 1}
    if show is None and form == "csv":
        statement = lines_of(view, call.eyes, named, sort, tuple(names), external=STUDENT_NO, downward=downward)
    else:
        statement = rows_of(view, call.eyes, named, sort, downward=downward)
    writer = await asyncio.to_thread(_WRITERS[form], names)
    with ExitStack() as stack:
        stack.callback(lambda: writer.end(0).close())  # unless it is given out
        if show is None and isinstance(writer, _Csv):
            count = await _fill(services, call, statement, given, LINES, writer.lines, lambda row: row[0])
        else:
            count = await _fill(services, call, statement, given, PAGE, writer.write, lambda row: _shown(row, show))
        stack.pop_all()
    file = await asyncio.to_thread(writer.end, count)
    return Exported(count, file.seek(0, 2), content_of(file))


def _shown(row: Record, show: Callable[[dict[str, Any]], dict[str, Any]] | None) -> dict[str, Any]:
    return show(dict(row)) if show else dict(row)


async def _fill(
    services: Services,
    call: Call,
    statement: Statement[Any],
    given: Mapping[str, Any],
    size: int,
    write: Callable[[list[Any]], None],
    plain: Callable[[Record], Any],
) -> int:
    """Write every row; how many there are. What is written in the middle of an error is thrown away by the caller."""
    known = {"institution": call.institution, **call.credentials(), **given}
    known = {name: value for name, value in known.items() if name in statement.known}
    count = 0
    try:
        async with (
            services.database.connection() as con,
            services.database.transaction(con, call.institution, bulk=True),
        ):
            async for rows in slices(con, statement, size, **known):
                count += len(rows)
                if count > ROWS_MOST:
                    raise TooManyRows
                await asyncio.to_thread(write, [plain(row) for row in rows])
    except DRIVER_ERRORS as error:
        if (meant := translate(error)) is not None:
            raise meant from error
        raise
    return count


async def content_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    """A file that is written, chunk by chunk from its start; closed when it is read, or given up."""
    with file:
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk


__all__ = ["MEDIA", "ROWS_MOST", "Exported", "TooManyRows", "content_of", "export"]
