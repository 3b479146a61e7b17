"""Sheets as tables: the line of headers found, columns known by what they are called, and what is said of each row."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from service.actions.imports.cells import LINE_MOST, folded, read_data
from service.actions.imports.sheets import Cell, Row, Unreadable, read_sheet
from service.domain.imports import STUDENT_NO
from service.domain.lifecycle import Reason

MOST: Final = 100_000
HEADER_WITHIN: Final = 20
"""Filled lines among which the headers stand, below titles and notes."""


class Outcome(StrEnum):
    """What becomes of a row."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    CREATED = "created"
    THERE = "already_there"
    FAULTY = "faulty"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a cell that whoever handed the sheet in should know: a fault, or how it was understood."""

    column: str
    reason: Reason
    is_fault: bool = True


@dataclass(slots=True)
class Entry:
    """One row of the sheet, what it says, and what becomes of it."""

    line: int
    given: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    outcome: Outcome = Outcome.CREATE
    person: UUID | None = None
    """Whom it is about; for a sheet of other things than people, what it is born from."""
    keys: dict[str, str] = field(default_factory=dict)
    """By kind: the student number, and blind indexes of the passport and the identity number in hexadecimal."""
    wrong: set[str] = field(default_factory=set)
    """Columns whose cell was not understood: the rules say nothing more of them."""
    empty: set[str] = field(default_factory=set)
    """Columns that the sheet has and the row leaves empty."""
    filled: set[str] = field(default_factory=set)
    """What the sheet leaves out and a paper says."""
    known_by: set[str] = field(default_factory=set)
    """The keys by which somebody is on record."""
    item: UUID | None = None
    version: int | None = None
    before: dict[str, Any] = field(default_factory=dict)
    """What an update takes the place of."""

    @property
    def student_no(self) -> str:
        """The number that the college gave them, where the sheet has one."""
        return self.keys.get(STUDENT_NO, "")

    def fault(self, column: str, reason: Reason) -> None:
        """It cannot be taken in, for this reason among others."""
        self.findings.append(Finding(column, reason))
        self.outcome = Outcome.FAULTY

    def remark(self, column: str, reason: Reason) -> None:
        """How something was understood."""
        self.findings.append(Finding(column, reason, is_fault=False))


class Columns:
    """The columns of a kind of sheet, by whatever their headers may be called; a mapping of the client's goes first."""

    def __init__(self, kind: str, mapping: Mapping[str, str] | None = None) -> None:
        said = read_data("imports", f"{kind}.json")
        others = read_data("imports", f"{said['with']}.json")["columns"] if "with" in said else {}
        known = {n: headers for n, headers in others.items() if n not in ("id", "version")} | said["columns"]
        self.names = frozenset(known)
        self._fields = {folded(header): name for name, headers in known.items() for header in (name, *headers)}
        self._fields |= {folded(header): name for header, name in (mapping or {}).items()}

    def field_of(self, cell: Cell) -> str | None:
        """The field that a header names, in one language or in two."""
        parts = (str(cell), *re.split(r"[/|\n\uFF0F]", str(cell)))
        return next((name for part in parts if (name := self._fields.get(folded(part)))), None)

    def read_header(self, row: Row) -> tuple[dict[str, int], dict[str, str], tuple[str, ...]]:
        """By field its place and its header, and the headers that nobody knows."""
        places: dict[str, int] = {}
        headers: dict[str, str] = {}
        ignored = []
        for place, cell in enumerate(row[1]):
            name, header = self.field_of(cell), _shown(cell)
            if name is None:
                ignored += [header] if header else []
            elif name in places:
                raise Unreadable("header_twice", required=name, actual=[headers[name], header])
            else:
                places[name], headers[name] = place, header
        return places, headers, tuple(ignored)


def _shown(cell: Cell) -> str:
    return "".join(c for c in str(cell) if c.isprintable()).strip()[:LINE_MOST]


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet whose headers are known: how it is written, its headers by field, and its rows as they are read."""

    kind: str
    headers: Mapping[str, str]
    ignored: tuple[str, ...]
    rows: Generator[tuple[int, dict[str, Cell]], None, None]

    def header(self, name: str) -> str:
        """The header of a field as the sheet writes it."""
        return self.headers.get(name, name)


def open_table(path: Path, columns: Columns, missing: Callable[[Collection[str]], list[str]]) -> Table:
    """The sheet of a file, as far as its columns are known; its rows are read as they are asked for.

    Raises:
        Unreadable: the file or its headers; while the rows are read, the rest of the file or too many rows.
        OSError: the file cannot be opened.
    """
    sheet = read_sheet(path)
    with ExitStack() as stack:
        stack.callback(sheet.rows.close)
        above = islice(sheet.rows, HEADER_WITHIN)
        header = next((row for row in above if sum(columns.field_of(cell) is not None for cell in row[1]) > 1), None)
        if header is None:
            raise Unreadable("headers_unknown")
        places, headers, ignored = columns.read_header(header)
        if lacking := missing(headers):
            raise Unreadable("header_missing", required=lacking)
        stack.pop_all()

    def rows() -> Generator[tuple[int, dict[str, Cell]], None, None]:
        count = 0
        with closing(sheet.rows):
            for line, cells in sheet.rows:
                known = ((name, cells[place]) for name, place in places.items() if place < len(cells))
                values = {name: cell for name, cell in known if str(cell).strip()}
                if values:
                    count += 1
                    if count > MOST:
                        raise Unreadable("too_many_rows", required=MOST)
                    yield line, values

    return Table(sheet.kind, headers, ignored, rows())


__all__ = ["MOST", "STUDENT_NO", "Cell", "Columns", "Entry", "Finding", "Outcome", "Table", "Unreadable", "open_table"]
