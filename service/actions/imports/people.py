"""People from a sheet: what a row says of somebody, and who of them is on record.

`import_trainees` registers whoever is not on record yet, at once and from the command line: the whole sheet is read
before the first row is registered; a row that is faulty stops no other; a row whose person is on record is left as it
is, so that the same file can be handed in again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from service.actions.imports.cells import Faulty, has_calling_code, understand
from service.actions.imports.rows import (
    STUDENT_NO,
    Cell,
    Columns,
    Entry,
    Outcome,
    Unreadable,
    open_table,
)
from service.actions.trainees import SUBJECT
from service.actions.work import Call, Missing, Result, Services, Wanted, Work, perform
from service.domain.actors import Actor
from service.domain.lifecycle import NEW, Reason, Refused
from service.domain.trainees import TRAINEE_RECORD, ExternalId, Guardian, Mrz, NewTrainee
from service.domain.values import Passport, country_of, read_mrz
from service.storage.database import Conflict, attempt
from service.storage.imports import matches, place_of

CHUNK: Final = 500
"""Rows that are registered in one transaction."""
FROM_PASSPORT: Final = ("name_latin", "sex", "birth_on", "nationality")
GUARDIAN: Final = ("guardian_name", "guardian_relation", "guardian_phone")
MRZ_WIDTH: Final = 44


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a sheet: how it was written, how many rows had which outcome, which headers nobody knew."""

    kind: str
    outcomes: Mapping[Outcome, int]
    ignored: tuple[str, ...]


def _missing(known: Collection[str]) -> list[str]:
    """The columns without which no row could be registered, and which are not there."""
    has = set(known)
    has_passport = "mrz" in has or {"mrz_line1", "mrz_line2"} <= has
    wanted = ["name_native"] if has_passport else ["name_native", "name_latin", "birth_on", "nationality"]
    return [name for name in wanted if name not in has]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet that was read to its end."""

    kind: str
    headers: Mapping[str, str]
    ignored: tuple[str, ...]
    rows: Sequence[tuple[int, Mapping[str, Cell]]]


def _read_table(path: Path) -> _Sheet:
    table = open_table(path, Columns("trainees"), _missing)
    return _Sheet(table.kind, table.headers, table.ignored, list(table.rows))


# Rows --------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class People:
    """The people of one sheet while it is taken in."""

    services: Services
    call: Call
    headers: Mapping[str, str]
    today: date
    phone_country: str
    allow_unkeyed: bool = False
    first_lines: dict[tuple[str, str], int] = field(default_factory=dict)
    """On which line a key was met first: a sheet may have somebody twice."""

    def header(self, name: str) -> str:
        """The header of a field as the sheet writes it."""
        return self.headers.get(name, name)

    def read(self, line: int, cells: Mapping[str, Cell]) -> Entry:
        """What a row says, and everything that is wrong with its cells."""
        entry = Entry(line, empty=set(self.headers) - cells.keys())
        said: dict[str, Any] = {}
        wrong = entry.wrong
        for name, cell in cells.items():
            try:
                understood = understand(name, cell, self.phone_country)
            except Faulty as no:
                entry.fault(self.header(name), no.reason)
                wrong.add(name)
                continue
            said[name] = understood.value
            if understood.remark is not None:
                entry.remark(self.header(name), understood.remark)
        passport = self._passport(entry, said)
        self._guardian(entry, said, wrong)
        entry.item, entry.version = said.pop("id", None), said.pop("version", None)
        if number := said.pop("student_no", None):
            entry.keys[STUDENT_NO] = number
            entry.given["external_ids"] = (ExternalId(system=STUDENT_NO, value=number),)
        entry.given |= said
        if passport is not None:
            self._fill(entry, passport, wrong)
            self._index(entry, "passport", f"{passport.issuing_state}:{passport.number}")
        if "identity_no" in said:
            self._index(entry, "identity_no", said["identity_no"])
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
            header = self.header(name)
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
                entry.filled.add(name)
                entry.remark(self.header(name), Reason("taken_from_passport", actual=told[name]))

    def decide(self, entry: Entry) -> None:
        """The rules' own word on registering them, before anything is asked of the database."""
        dossier = NewTrainee(state=NEW, today=self.today)
        try:
            TRAINEE_RECORD.decide("register", dossier, self._actor, entry.given)
        except Refused as no:
            self.blame(entry, no.reasons)

    def blame(self, entry: Entry, reasons: Sequence[Reason]) -> None:
        """What the rules said against a row, each at its cell; a cell at fault is named once."""
        wrong = entry.wrong
        for reason in reasons:
            about = _BECAUSE_OF.get(reason.code) or (reason.pointer or "/").split("/")[1]
            if about in wrong or (about == "guardian" and not wrong.isdisjoint(GUARDIAN)):
                continue
            header = self.header_of(reason)
            entry.fault(header, replace(reason, required=header) if reason.code == "input_required" else reason)

    @property
    def _actor(self) -> Actor:
        if self.call.trusted is None:
            raise TypeError("an import is made by a trusted actor")
        return self.call.trusted

    def header_of(self, reason: Reason) -> str:
        """The header of the cell that a reason points to."""
        parts = (reason.pointer or "/").split("/")[1:]
        if parts[0] == "guardian":
            return self.header("guardian_name")
        if parts[0] == "passport_mrz":
            return self.header("mrz" if "mrz" in self.headers else f"mrz_{parts[-1]}")
        return self.header(parts[0])

    # ---- who is on record
    async def settle(self, entries: Sequence[Entry]) -> None:
        """Who of them is on record already, who cannot be known again, and whom the sheet has twice."""
        await self.look_up(entries)
        for entry in entries:
            if entry.outcome is not Outcome.CREATE:
                continue
            if not {STUDENT_NO, "passport"} & entry.keys.keys() and not self.allow_unkeyed:
                entry.fault(self.header(STUDENT_NO), Reason("unkeyed"))
                continue
            twice = [
                (kind, self.first_lines[kind, key])
                for kind, key in entry.keys.items()
                if (kind, key) in self.first_lines
            ]
            for kind, line in twice:
                entry.fault(self.column_of(kind), Reason("twice_in_sheet", actual=line))
            if not twice:
                self.first_lines |= dict.fromkeys(entry.keys.items(), entry.line)

    def column_of(self, kind: str) -> str:
        """The header of the column in which a key stands."""
        if kind != "passport":
            return self.header(kind)
        return self.header("mrz" if "mrz" in self.headers else "mrz_line2")

    async def look_up(self, entries: Sequence[Entry]) -> None:
        """Who of them is on record, by any of their keys."""

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
            entry.known_by = set(hits)
            if not hits or entry.outcome is not Outcome.CREATE:
                continue
            kind, person = next(iter(hits.items()))
            others = [k for k, p in hits.items() if p != person]
            for other in others:
                entry.fault(self.column_of(other), Reason("key_of_another"))
            if not others:
                entry.outcome, entry.person = Outcome.THERE, person
                entry.remark(self.column_of(kind), Reason("on_record"))

    # ---- registering
    async def register(self, entries: Sequence[Entry]) -> None:
        """All of them in one act. Where somebody else registered one of them meanwhile, that one is on record now."""
        todo = [e for e in entries if e.outcome is Outcome.CREATE]
        if not todo:
            return
        try:
            results = await self._perform(todo)
        except Conflict as no:
            await self.look_up(todo)
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
                    entry.fault(self.header_of(reason), reason)
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
    doing = People(services, call, table.headers, place.today, numbers_of, allow_unkeyed)
    outcomes: Counter[Outcome] = Counter()
    for start in range(0, len(table.rows), CHUNK):
        entries = [doing.read(line, cells) for line, cells in table.rows[start : start + CHUNK]]
        for entry in entries:
            doing.decide(entry)
        await doing.settle(entries)
        if not dry_run:
            await doing.register(entries)
        for entry in entries:
            outcomes[entry.outcome] += 1
            tell(entry)
        if progress is not None:
            progress(start + len(entries), len(table.rows))
    return Summary(table.kind, outcomes, table.ignored)


__all__ = ["People", "Summary", "import_trainees"]
