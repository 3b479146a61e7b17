"""Sheets that people hand in: CSV in the encodings of their spreadsheets, or XLSX, read row by row within bounds.

A workbook is unpacked and parsed in a process of its own with a limit on memory and time: this same file, run as a
script. It imports nothing of the service, so that it starts at once.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from math import isfinite
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any, Final, TextIO, TypeAlias

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

FILE_MOST: Final = 32 * 2**20
UNPACKED_MOST: Final = 128 * 2**20
"""Bytes that the members of a workbook may declare together: 100,000 rows of ten columns need half of it."""
MEMBERS_MOST: Final = 1000
COLUMNS_MOST: Final = 200
ROWS_MOST: Final = 100_100
"""Rows that are read at all: what may be imported, and a few lines above and below."""
TEXT_MOST: Final = 2001
"""Characters of a cell that are read: one more than any text of a record may have."""
MEMORY: Final = 2**30
SECONDS: Final = 30
ENCODINGS: Final = ("utf-8-sig", "gb18030")
"""In this order: UTF-8, with a mark in front or without, is never mistaken; GB 18030 takes in GBK and GB 2312."""
DELIMITERS: Final = ",;\t"

Cell: TypeAlias = "str | int | float | date"
Row: TypeAlias = "tuple[int, list[Cell]]"
"""The number of a line as the spreadsheet shows it, and its cells."""


class Unreadable(Exception):
    """The file as a whole cannot be taken in; `code` says why."""

    def __init__(self, code: str, required: Any = None, actual: Any = None) -> None:
        super().__init__(code)
        self.code, self.required, self.actual = code, required, actual


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as it is read: how it is written, and its rows that are not empty."""

    kind: str
    rows: Generator[Row, None, None]


def read_sheet(path: Path) -> Sheet:
    """The sheet in a file; what kind of file it is, its first bytes tell, and not its name.

    Raises:
        Unreadable: at once or while the rows are read.
        OSError: the file cannot be opened.
    """
    size = path.stat().st_size
    if size > FILE_MOST:
        raise Unreadable("file_too_large", required=f"{FILE_MOST >> 20} MB", actual=f"{size >> 20} MB")
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"PK\x03\x04"):
        return Sheet("xlsx", _of_workbook(path))
    if b"\0" in start or start.startswith((b"%PDF", b"\xd0\xcf\x11\xe0")):
        raise Unreadable("file_kind_unknown")
    encoding = _encoding(path)
    return Sheet("utf-8" if encoding == "utf-8-sig" else encoding, _of_csv(path, encoding))


# CSV ---------------------------------------------------------------------------------------------------------------


def _encoding(path: Path) -> str:
    for encoding in ENCODINGS:
        with suppress(UnicodeDecodeError), path.open(encoding=encoding, newline="") as file:
            while file.read(2**20):
                pass
            return encoding
    raise Unreadable("encoding_unknown", required=["UTF-8", "GB 18030"])


def _delimiter(file: TextIO) -> str:
    """The sign that parts the cells: the one that the first lines have most of."""
    start = file.read(4096)
    file.seek(0)
    return max(DELIMITERS, key=start.count)


def _of_csv(path: Path, encoding: str) -> Generator[Row, None, None]:
    with path.open(encoding=encoding, newline="") as file:
        # Strict: with an open quote the rest of the file would silently be one cell.
        reader = csv.reader(file, delimiter=_delimiter(file), strict=True)
        count, line = 0, 1
        while count < ROWS_MOST:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise Unreadable("csv_broken", actual=line) from error
            if cells is None:
                return
            if any(c.strip() for c in cells):
                count += 1
                yield line, [c[:TEXT_MOST] for c in cells[:COLUMNS_MOST]]
            line = reader.line_num + 1


# XLSX --------------------------------------------------------------------------------------------------------------


def _of_workbook(path: Path) -> Generator[Row, None, None]:
    """The rows that the process beside reads; whatever ends it before it is done makes the file unreadable."""
    command = [sys.executable, "-P", __file__, str(path)]
    with Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, encoding="ascii") as process:
        try:
            for said in process.stdout or ():
                told = json.loads(said)
                if told is None:
                    return
                if isinstance(told, dict):
                    raise Unreadable(**told)
                line, cells = told
                yield line, [date.fromisoformat(c["date"]) if isinstance(c, dict) else c for c in cells]
        except ValueError as error:  # a line that was cut off
            raise Unreadable("workbook_unreadable") from error
        finally:
            process.kill()
    raise Unreadable("workbook_unreadable")  # it ended without its last word: a limit did that


def check_declared(path: Path) -> None:
    """What a workbook says it unpacks to, before anything is; then whether that is true.

    Raises:
        Unreadable: too much, a lie, or no workbook.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            declared = sum(m.file_size for m in members)
            if declared > UNPACKED_MOST or len(members) > MEMBERS_MOST:
                raise Unreadable(
                    "unpacked_too_large", required=f"{UNPACKED_MOST >> 20} MB", actual=f"{declared >> 20} MB"
                )
            broken = archive.testzip()  # reads no more than was declared: who declared too little has a wrong checksum
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise Unreadable("workbook_unreadable") from error
    if broken is not None:
        raise Unreadable("workbook_unreadable")


def _cells(row: list[Any]) -> list[Any]:
    def plain(cell: Any) -> Any:
        if isinstance(cell, bool):
            return str(cell).upper()
        if isinstance(cell, int | float) and isfinite(cell):
            return cell
        if isinstance(cell, datetime):
            cell = cell.date()
        if isinstance(cell, date):
            return {"date": cell.isoformat()}
        return str(cell)[:TEXT_MOST]

    return [plain(cell) for cell in row[:COLUMNS_MOST]]


def _tell(path: Path) -> Iterator[Any]:
    """The rows of the first sheet that is shown, or why there are none; the last word is None."""
    try:
        check_declared(path)
        with CalamineWorkbook.from_path(path) as book:
            shown = [
                m.name
                for m in book.sheets_metadata
                if m.visible == SheetVisibleEnum.Visible and m.typ == SheetTypeEnum.WorkSheet
            ]
            rows = book.get_sheet_by_name(shown[0]).iter_rows() if shown else ()
            filled = ([line, _cells(row)] for line, row in enumerate(rows, 1) if any(str(c).strip() for c in row))
            yield from islice(filled, ROWS_MOST)
            yield None
    except Unreadable as no:
        yield {"code": no.code, "required": no.required, "actual": no.actual}
    except (CalamineError, OSError, ValueError, MemoryError):
        yield {"code": "workbook_unreadable"}


def _limit() -> None:
    """No more memory and time than a sheet needs, and no picture of the memory on disk when that ends it."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # macOS does not limit the address space
            resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    _limit()
    for _told in _tell(Path(sys.argv[1])):
        print(json.dumps(_told))  # noqa: T201 - to the process that asked
