"""Trainees from a sheet: its headers found, its cells understood, everybody registered once who is not on record.

The whole sheet is read before the first row is registered. A row that is faulty stops no other; a row whose person is
on record is left as it is, so that the same file can be handed in again.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from service.actions.cells import LINE_MOST, Faulty, folded, has_calling_code, read_data, understand
from service.actions.sheets import Cell, Row, Unreadable, read_sheet
from service.actions.trainees import SUBJECT
from service.actions.work import Call, Missing, Result, Services, Wanted, Work, perform
from service.domain.actors import Actor
from service.domain.lifecycle import NEW, Reason, Refused
from service.domain.trainees import TRAINEE_RECORD, ExternalId, Guardian, Mrz, NewTrainee
from service.domain.values import Passport, country_of, read_mrz
from service.storage.database import Conflict, attempt
from service.storage.imports import matches, place_of

MOST: Final = 20_000
CHUNK: Final = 500
"""Rows that are registered in one transaction."""
STUDENT_NO: Final = "student_no"
"""The system of the external id that a sheet's students have: the key by which a row is known again."""
HEADER_WITHIN: Final = 20
"""Filled lines among which the headers stand, below titles and notes."""
FROM_PASSPORT: Final = ("name_latin", "sex", "birth_on", "nationality")
GUARDIAN: Final = ("guardian_name", "guardian_relation", "guardian_phone")
MRZ_WIDTH: Final = 44


class Outcome(StrEnum):
    """What becomes of a row."""

    CREATE = "create"
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
    """One row of the sheet, what it says of a person, and what becomes of it."""

    line: int
    given: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    outcome: Outcome = Outcome.CREATE
    person: UUID | None = None
    keys: dict[str, str] = field(default_factory=dict)
    """By kind: the student number, and blind indexes of the passport and the identity number in hexadecimal."""

    @property
    def student_no(self) -> str:
        """The number that the college gave them, where the sheet has one."""
        return self.keys.get(STUDENT_NO, "")

    def fault(self, column: str, reason: Reason) -> None:
        """It cannot be registered, for this reason among others."""
        self.findings.append(Finding(column, reason))
        self.outcome = Outcome.FAULTY

    def remark(self, column: str, reason: Reason) -> None:
        """How something was understood."""
        self.findings.append(Finding(column, reason, is_fault=False))


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a sheet: how it was written, how many rows had which outcome, which headers nobody knew."""

    kind: str
    outcomes: Mapping[Outcome, int]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    kind: str
    headers: Mapping[str, str]
    """By field: its header as the sheet writes it."""
    ignored: tuple[str, ...]
    rows: Sequence[tuple[int, Mapping[str, Cell]]]

    def header(self, name: str) -> str:
        return self.headers.get(name, name)


# Headers -----------------------------------------------------------------------------------------------------------


@cache
def _columns() -> Mapping[str, str]:
    known = read_data("imports", "trainees.json")["columns"]
    return {folded(header): name for name, headers in known.items() for header in headers}


def _field_of(cell: Cell) -> str | None:
    """The field that a header names, in one language or in two."""
    parts = (str(cell), *re.split(r"[/|\n\uFF0F]", str(cell)))
    return next((name for part in parts if (name := _columns().get(folded(part)))), None)


def _shown(cell: Cell) -> str:
    return "".join(c for c in str(cell) if c.isprintable()).strip()[:LINE_MOST]


def _read_header(row: Row) -> tuple[dict[str, int], dict[str, str], tuple[str, ...]]:
    """By field its place and its header, and the headers that nobody knows."""
    places: dict[str, int] = {}
    headers: dict[str, str] = {}
    ignored = []
    for place, cell in enumerate(row[1]):
        name, header = _field_of(cell), _shown(cell)
        if name is None:
            ignored += [header] if header else []
        elif name in places:
            raise Unreadable("header_twice", required=name, actual=[headers[name], header])
        else:
            places[name], headers[name] = place, header
    return places, headers, tuple(ignored)


def _missing(known: Iterable[str]) -> list[str]:
    """The columns without which no row could be registered, and which are not there."""
    has = set(known)
    has_passport = "mrz" in has or {"mrz_line1", "mrz_line2"} <= has
    wanted = ["name_native"] if has_passport else ["name_native", "name_latin", "birth_on", "nationality"]
    return [name for name in wanted if name not in has]


def _read_table(path: Path) -> _Table:
    """The sheet's rows, as far as their columns are known.

    Raises:
        Unreadable: the file, its headers, or too many rows.
        OSError: the file cannot be opened.
    """
    sheet = read_sheet(path)
    with closing(sheet.rows):
        above = islice(sheet.rows, HEADER_WITHIN)
        header = next((row for row in above if sum(_field_of(cell) is not None for cell in row[1]) > 1), None)
        if header is None:
            raise Unreadable("headers_unknown")
        places, headers, ignored = _read_header(header)
        if missing := _missing(places):
            raise Unreadable("header_missing", required=missing)
        rows: list[tuple[int, dict[str, Cell]]] = []
        for line, cells in sheet.rows:
            values = {
                name: cells[place] for name, place in places.items() if place < len(cells) and str(cells[place]).strip()
            }
            if values:
                rows.append((line, values))
            if len(rows) > MOST:
                raise Unreadable("too_many_rows", required=MOST)
    return _Table(sheet.kind, headers, ignored, rows)


# Rows --------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Import:
    """One import while it is being done."""

    services: Services
    call: Call
    table: _Table
    today: date
    phone_country: str
    allow_unkeyed: bool
    first_lines: dict[tuple[str, str], int] = field(default_factory=dict)
    """On which line a key was met first: a sheet may have somebody twice."""

    def read(self, line: int, cells: Mapping[str, Cell]) -> Entry:
        """What a row says, and everything that is wrong with it by itself."""
        entry = Entry(line)
        said: dict[str, Any] = {}
        wrong: set[str] = set()
        for name, cell in cells.items():
            try:
                understood = understand(name, cell, self.phone_country)
            except Faulty as no:
                entry.fault(self.table.header(name), no.reason)
                wrong.add(name)
                continue
            said[name] = understood.value
            if understood.remark is not None:
                entry.remark(self.table.header(name), understood.remark)
        passport = self._passport(entry, said)
        self._guardian(entry, said, wrong)
        if number := said.pop("student_no", None):
            entry.keys[STUDENT_NO] = number
            entry.given["external_ids"] = (ExternalId(system=STUDENT_NO, value=number),)
        entry.given |= said
        if passport is not None:
            self._fill(entry, passport, wrong)
            self._index(entry, "passport", f"{passport.issuing_state}:{passport.number}")
        if "identity_no" in said:
            self._index(entry, "identity_no", said["identity_no"])
        self._decide(entry, wrong)
        return entry

    def _index(self, entry: Entry, kind: str, value: str) -> None:
        entry.keys[kind] = self.services.vault.blind_index(kind, self.call.institution, value).hex()

    def _passport(self, entry: Entry, said: dict[str, Any]) -> Passport | None:
        """The passport whose lines stand in one cell or in two; what is wrong with them, the rules tell."""
        both = said.pop("mrz", "")
        line1, line2 = said.pop("mrz_line1", both[:MRZ_WIDTH]), said.pop("mrz_line2", both[MRZ_WIDTH:])
        if not line1 and not line2:
            return None
        entry.given["passport_mrz"] = Mrz(line1=line1, line2=line2)
        read = read_mrz(line1, line2, as_of=self.today)
        return read if isinstance(read, Passport) else None

    def _guardian(self, entry: Entry, said: dict[str, Any], wrong: set[str]) -> None:
        """Who decides for a minor: a name, a relation and a number, or nothing."""
        parts = {name: said.pop(name) for name in GUARDIAN if name in said}
        if not parts:
            return
        missing = [name for name in GUARDIAN if name not in parts and name not in wrong]
        for name in missing:
            header = self.table.header(name)
            entry.fault(header, Reason("input_required", required=header))
        if len(parts) == len(GUARDIAN):
            name, relation, phone = (parts[part] for part in GUARDIAN)
            entry.given["guardian"] = Guardian(name=name, relation=relation, phone=phone)

    def _fill(self, entry: Entry, passport: Passport, wrong: set[str]) -> None:
        """What the sheet leaves out and the passport says."""
        told = {
            "name_latin": passport.name,
            "sex": {"M": "male", "F": "female"}.get(passport.sex, "other"),
            "birth_on": passport.birth_on,
            "nationality": country_of(passport.nationality),
        }
        for name in FROM_PASSPORT:
            if name not in entry.given and name not in wrong and told[name] is not None:
                entry.given[name] = told[name]
                entry.remark(self.table.header(name), Reason("taken_from_passport", actual=told[name]))

    def _decide(self, entry: Entry, wrong: set[str]) -> None:
        """The rules' own word, before anything is asked of the database; a cell at fault is named once."""
        dossier = NewTrainee(state=NEW, today=self.today)
        try:
            TRAINEE_RECORD.decide("register", dossier, self._actor, entry.given)
        except Refused as no:
            for reason in no.reasons:
                about = _BECAUSE_OF.get(reason.code) or (reason.pointer or "/").split("/")[1]
                if about in wrong or (about == "guardian" and not wrong.isdisjoint(GUARDIAN)):
                    continue
                header = self._header_of(reason)
                entry.fault(header, replace(reason, required=header) if reason.code == "input_required" else reason)

    @property
    def _actor(self) -> Actor:
        if self.call.trusted is None:
            raise TypeError("an import is made by a trusted actor")
        return self.call.trusted

    def _header_of(self, reason: Reason) -> str:
        """The header of the cell that a reason points to."""
        parts = (reason.pointer or "/").split("/")[1:]
        if parts[0] == "guardian":
            return self.table.header("guardian_name")
        if parts[0] == "passport_mrz":
            return self.table.header("mrz" if "mrz" in self.table.headers else f"mrz_{parts[-1]}")
        return self.table.header(parts[0])

    # ---- who is on record
    async def settle(self, entries: Sequence[Entry]) -> None:
        """Who of them is on record already, who cannot be known again, and whom the sheet has twice."""
        await self._look_up(entries)
        for entry in entries:
            if entry.outcome is not Outcome.CREATE:
                continue
            if not {STUDENT_NO, "passport"} & entry.keys.keys() and not self.allow_unkeyed:
                entry.fault(self.table.header(STUDENT_NO), Reason("unkeyed"))
                continue
            twice = [
                (kind, self.first_lines[kind, key])
                for kind, key in entry.keys.items()
                if (kind, key) in self.first_lines
            ]
            for kind, line in twice:
                entry.fault(self._column_of(kind), Reason("twice_in_sheet", actual=line))
            if not twice:
                self.first_lines |= dict.fromkeys(entry.keys.items(), entry.line)

    def _column_of(self, kind: str) -> str:
        if kind != "passport":
            return self.table.header(kind)
        return self.table.header("mrz" if "mrz" in self.table.headers else "mrz_line2")

    async def _look_up(self, entries: Sequence[Entry]) -> None:
        def keys(kind: str) -> set[str]:
            return {e.keys[kind] for e in entries if kind in e.keys}

        found = await attempt(
            lambda _: matches(
                self.services.database,
                self.call.institution,
                system=STUDENT_NO,
                numbers=keys(STUDENT_NO),
                passports={bytes.fromhex(k) for k in keys("passport")},
                identities={bytes.fromhex(k) for k in keys("identity_no")},
            )
        )
        on_record = {(m.kind, m.key): m.person for m in found}
        for entry in entries:
            hits = {kind: on_record[kind, key] for kind, key in entry.keys.items() if (kind, key) in on_record}
            if not hits or entry.outcome is not Outcome.CREATE:
                continue
            kind, person = next(iter(hits.items()))
            others = [k for k, p in hits.items() if p != person]
            for other in others:
                entry.fault(self._column_of(other), Reason("key_of_another"))
            if not others:
                entry.outcome, entry.person = Outcome.THERE, person
                entry.remark(self._column_of(kind), Reason("on_record"))

    # ---- registering
    async def register(self, entries: Sequence[Entry]) -> None:
        """All of them in one act. Where somebody else registered one of them meanwhile, that one is on record now."""
        todo = [e for e in entries if e.outcome is Outcome.CREATE]
        if not todo:
            return
        try:
            results = await self._perform(todo)
        except Conflict as no:
            await self._look_up(todo)
            rest = [e for e in todo if e.outcome is Outcome.CREATE]
            if len(todo) == len(rest) == 1:
                rest[0].fault("", Reason(f"rule.{no.rule}"))
                return
            half = len(rest) // 2 if len(rest) == len(todo) else len(rest)
            await self.register(rest[:half])
            await self.register(rest[half:])
            return
        for entry, result in zip(todo, results, strict=True):
            if result.state is None:
                for reason in result.refused:
                    entry.fault(self._header_of(reason), reason)
            else:
                entry.outcome, entry.person = Outcome.CREATED, result.id

    async def _perform(self, entries: Sequence[Entry]) -> list[Result]:
        kept: list[Result] = []

        def answer(_work: Work, results: list[Result]) -> bytes:
            kept[:] = results
            return b""

        wanted = [Wanted(self.call.institution, given=e.given) for e in entries]
        await perform(
            self.services, self.call, SUBJECT, "register", wanted, {}, single=False, answer=answer,
            extra={"unit_id": None},
        )  # fmt: skip
        return kept


_BECAUSE_OF: Final = {"passport_birth_date_same": "birth_on", "passport_nationality_same": "nationality"}
"""Reasons against a passport that are no news where the other cell is at fault."""


async def import_trainees(
    services: Services,
    institution: UUID,
    path: Path,
    actor: Actor,
    *,
    dry_run: bool,
    tell: Callable[[Entry], None],
    allow_unkeyed: bool = False,
    phone_country: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Register whom a sheet names and nobody knows yet; `tell` hears of each row in the sheet's order.

    Numbers without a calling code are of `phone_country`, else of the institution's. A row with neither a student
    number nor a passport could be registered again by the next run, and is refused unless `allow_unkeyed`.

    Raises:
        Unreadable: the file as a whole; nobody was registered.
        Missing: no such institution.
        OSError: the file cannot be opened.
        Unavailable: the database is away; the rows that were told are done.
    """
    table = await asyncio.to_thread(_read_table, path)
    place = await attempt(lambda _: place_of(services.database, institution))
    if place is None:
        raise Missing
    call = Call(institution, "import_trainees", trusted=actor)
    numbers_of = phone_country or place.country
    if not has_calling_code(numbers_of):
        raise Unreadable("phone_country_unknown", required=numbers_of)
    doing = _Import(services, call, table, place.today, numbers_of, allow_unkeyed)
    outcomes: Counter[Outcome] = Counter()
    for start in range(0, len(table.rows), CHUNK):
        entries = [doing.read(line, cells) for line, cells in table.rows[start : start + CHUNK]]
        await doing.settle(entries)
        if not dry_run:
            await doing.register(entries)
        for entry in entries:
            outcomes[entry.outcome] += 1
            tell(entry)
        if progress is not None:
            progress(start + len(entries), len(table.rows))
    return Summary(table.kind, outcomes, table.ignored)


__all__ = ["MOST", "Entry", "Finding", "Outcome", "Summary", "Unreadable", "import_trainees"]
