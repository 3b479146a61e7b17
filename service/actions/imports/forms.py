"""Rows of which each brings one thing into being: a column for each input of its birth, read by the input's own type.

The catalogue of courses, certificates and results are read so; another kind needs a file of headers and one line of
`KINDS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from service.actions.imports.cells import Faulty, read_data, reader_of, text_of
from service.actions.imports.cells import Reader as CellReader
from service.actions.imports.rows import STUDENT_NO, Cell, Entry, Outcome
from service.actions.work import Call, Services
from service.domain.lifecycle import Reason, Takes
from service.storage.database import Table, attempt
from service.storage.imports import known_by, matches

PERSON: Final = "person_id"


@dataclass(slots=True)
class ByInputs:
    """The rows of one sheet. `same` are the inputs by which something on record is known again."""

    services: Services
    call: Call
    headers: Mapping[str, str]
    phone_country: str
    table: Table
    readers: Mapping[str, CellReader]
    same: Sequence[str]
    of_person: bool
    defaults: Mapping[str, Any]
    lines: dict[bytes, int] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """The header of a field as the sheet writes it."""
        return self.headers.get(name, name)

    def read(self, line: int, cells: Mapping[str, Cell]) -> Entry:
        """What a row says, and what is wrong with its cells."""
        entry = Entry(line)
        for name, cell in cells.items():
            try:
                if name == STUDENT_NO:
                    entry.keys[STUDENT_NO] = text_of(cell)
                    continue
                understood = self.readers[name](cell, self.phone_country)
            except Faulty as no:
                entry.fault(self.header(name), no.reason)
                entry.wrong.add(name)
                continue
            entry.given[name] = understood.value
            if understood.remark is not None:
                entry.remark(self.header(name), understood.remark)
        entry.given = {**self.defaults, **entry.given}
        entry.person = entry.given.pop(PERSON, None)
        return entry

    @property
    def keys(self) -> frozenset[str]:
        """The columns by which a row is known again."""
        return frozenset({STUDENT_NO, PERSON, *self.same})

    def remember(self, entries: Sequence[Entry]) -> None:
        """Rows that were taken in before: later ones may not say the same."""
        for entry in entries:
            self._twice(entry)

    async def settle(self, entries: Sequence[Entry]) -> None:
        """Whom each row is about, and whether what it says is on record already."""
        if self.of_person:
            await self._find_people(entries)
        good = [e for e in entries if e.outcome is not Outcome.FAULTY]
        anchors = {self._anchor(e) for e in good} - {None}
        known = await attempt(
            lambda _: known_by(
                self.services.database, self.call.institution, self.table, self._anchor_name, list(anchors), self.same
            )
        )
        for entry in good:
            key = tuple(entry.given.get(name) for name in self.same)
            if (there := known.get((self._anchor(entry), key))) is not None:
                entry.outcome, entry.item, entry.version = Outcome.UNCHANGED, there.id, there.version
            elif (line := self._twice(entry)) is not None:
                entry.fault("", Reason("twice_in_sheet", actual=line))

    @property
    def _anchor_name(self) -> str:
        return PERSON if self.of_person else self.same[0]

    def _anchor(self, entry: Entry) -> Any:
        return entry.person if self.of_person else entry.given.get(self.same[0])

    def _twice(self, entry: Entry) -> int | None:
        said = [str(entry.keys.get(STUDENT_NO) or entry.person), *(str(entry.given.get(n)) for n in self.same)]
        digest = blake2b("\0".join(said).encode(), digest_size=8).digest()
        before = self.lines.setdefault(digest, entry.line)
        return before if before != entry.line else None

    async def _find_people(self, entries: Sequence[Entry]) -> None:
        numbers = {e.student_no for e in entries if e.student_no}
        found = await attempt(
            lambda _: matches(
                self.services.database, self.call.institution, system=STUDENT_NO, numbers=numbers, passports=(),
                identities=(),
            )
        )  # fmt: skip
        people = {m.key: m.person for m in found}
        for entry in entries:
            if entry.student_no:
                entry.person = people.get(entry.student_no, entry.person)
            if entry.person is None:
                column = self.header(STUDENT_NO)
                code = "student_known" if entry.student_no else "input_required"
                entry.fault(column, Reason(code, required=column if code == "input_required" else None))

    def blame(self, entry: Entry, reasons: Sequence[Reason]) -> None:
        """What the rules say against a row, each at its cell; a person who is not there, at their number."""
        for reason in reasons:
            about = (reason.pointer or "/").split("/")[1]
            if about not in entry.wrong:
                column = self.header(about)
                needed = reason.code == "input_required"
                entry.fault(column, replace(reason, required=column) if needed else reason)


def readers_of(kind: str, inputs: Sequence[Takes[Any]], columns: frozenset[str]) -> dict[str, CellReader]:
    """How each column of a kind is read: by its input's type, its codes also by what people call them."""
    called: Mapping[str, Mapping[str, str]] = read_data("imports", f"{kind}.json").get("values", {})
    known = {
        t.name: reader_of(t.kind, t.choices if isinstance(t.choices, list | tuple) else None, called.get(t.name, {}))
        for t in inputs
        if t.name in columns
    }
    return known | {PERSON: reader_of(UUID, None, {})}
