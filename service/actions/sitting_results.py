"""Results of a sitting from a sheet: each row known again by a number, judged by the rule of a result, loaded once.

A dry run decides the same as a load, and writes nothing. A row that is at fault stops no other; a row whose result is
on record already is left as it is, so that the same sheet can be handed in again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from service.actions.imports.cells import Faulty, folded, read_data, understand
from service.actions.imports.rows import STUDENT_NO, Cell, Columns, Table, Unreadable, open_table
from service.actions.reading import records
from service.actions.sittings import REGISTRATIONS
from service.actions.work import Call, Done, Missing, Result, Services, Wanted, Work, kept_answer, perform
from service.domain.actors import Actor
from service.domain.languages import score_of
from service.domain.lifecycle import Reason, Refused
from service.domain.sittings import (
    MOST_PLACES,
    RESULTS,
    SITTING_REGISTRATION,
    RegistrationDossier,
    came_of_it,
    result_of,
)
from service.storage.database import Record
from service.storage.language_tests import language_tests
from service.storage.sittings import results_of

MOST_BYTES: Final = 5 * 2**20
AT_ONCE: Final = 100
"""Rows that are written in one transaction: nobody else waits for longer than they take."""
KIND: Final = "sitting_results"
KEYS: Final = ("admission_no", STUDENT_NO)
PLAIN: Final = (*KEYS, "attendance", "total_score", "result_on", "number")


class Outcome(StrEnum):
    """What becomes of a row; `record` is what a dry run says of one that a load would record."""

    RECORD = "record"
    RECORDED = "recorded"
    THERE = "already_there"
    FAULTY = "faulty"


@dataclass(slots=True)
class Entry:
    """One row of the sheet: whose it is, what it says, and what becomes of it."""

    line: int
    registration: UUID | None = None
    version: int = 0
    given: dict[str, Any] = field(default_factory=dict)
    findings: list[tuple[str, Reason]] = field(default_factory=list)
    outcome: Outcome = Outcome.RECORD
    result: str | None = None
    level: str | None = None
    cefr: str | None = None
    certificate: UUID | None = None

    def fault(self, column: str, reason: Reason) -> None:
        """It cannot be recorded, for this reason among others."""
        self.findings.append((column, reason))
        self.outcome = Outcome.FAULTY


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a sheet, row by row; `ignored` are the headers that nobody knew."""

    sitting: UUID
    dry_run: bool
    kind: str
    ignored: tuple[str, ...]
    entries: Sequence[Entry]

    @property
    def outcomes(self) -> Counter[Outcome]:
        """How many rows had which outcome."""
        return Counter(e.outcome for e in self.entries)


@cache
def _said(which: str) -> frozenset[str]:
    """The words for somebody who was there, or was not."""
    return frozenset(folded(word) for word in read_data("imports", f"{KIND}.json")[which])


def _missing(known: Collection[str]) -> list[str]:
    """A sheet of results says whose they are, and has a result."""
    if not set(KEYS) & set(known):
        return list(KEYS)
    return [] if set(known) - set(PLAIN) or {"total_score", "attendance"} & set(known) else ["total_score"]


def _rows(path: Path) -> tuple[Table, list[tuple[int, dict[str, Cell]]]]:
    """The sheet, and its rows as far as their columns are known.

    Raises:
        Unreadable: the file, its headers, or too many rows.
    """
    table = open_table(path, Columns(KIND), _missing)
    rows = list(islice(table.rows, MOST_PLACES + 1))
    table.rows.close()
    if len(rows) > MOST_PLACES:
        raise Unreadable("too_many_rows", required=MOST_PLACES)
    return table, rows


@dataclass(slots=True)
class _Loading:
    """One sheet while it is being read against the registrations of its sitting."""

    table: Table
    actor: Actor
    registered: Mapping[UUID, Mapping[str, Any]]
    by_key: Mapping[tuple[str, str], UUID]
    first_lines: dict[UUID, int] = field(default_factory=dict)

    def read(self, line: int, cells: Mapping[str, Cell]) -> Entry:
        """What a row says, whose it is, and everything against it."""
        entry = Entry(line)
        said = self._understand(entry, cells)
        row = self._whose(entry, said)
        if row is not None and entry.outcome is Outcome.RECORD:
            self._judge(entry, row)
        return entry

    def _understand(self, entry: Entry, cells: Mapping[str, Cell]) -> dict[str, Any]:
        """The cells' values; whoever is told absent, in whichever cell, has no scores."""
        said: dict[str, Any] = {}
        for name, cell in cells.items():
            try:
                said[name] = understand(name, cell, "").value
            except Faulty as no:
                entry.fault(self.table.header(name), no.reason)
        scores = {n: v for n, v in said.items() if n not in PLAIN or n == "total_score"}
        attendance = folded(str(said.get("attendance", "")))
        if attendance and attendance not in _said("absent") | _said("present"):
            entry.fault(self.table.header("attendance"), Reason("attendance_understood"))
        if attendance in _said("absent") - {""} or any(folded(str(v)) in _said("absent") for v in scores.values()):
            entry.given["absent"] = True
            scores = {n: v for n, v in scores.items() if folded(str(v)) not in _said("absent")}
        if (total := scores.pop("total_score", None)) is not None:
            if (read := score_of(total)) is None:
                entry.fault(self.table.header("total_score"), Reason("score_readable"))
            else:
                entry.given["total_score"] = read
        if scores:
            entry.given["section_scores"] = scores
        entry.given |= {n: said[n] for n in ("result_on", "number") if n in said}
        return said

    def _whose(self, entry: Entry, said: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The registration that the row's numbers name: one, and no other row's."""
        named = {kind: self.by_key.get((kind, said[kind])) for kind in KEYS if kind in said}
        found = {r for r in named.values() if r is not None}
        if len(found) != 1:
            column = self.table.header(next(iter(named), KEYS[0]))
            entry.fault(column, Reason("numbers_of_two" if found else "registration_known"))
            return None
        (registration,) = found
        entry.registration = registration
        own = self.registered[registration]["admission_no"]
        if own is not None and said.get("admission_no", own) != own:
            entry.fault(self.table.header("admission_no"), Reason("numbers_of_two"))
            return None
        before = self.first_lines.setdefault(registration, entry.line)
        if before != entry.line:
            entry.fault(self.table.header(next(iter(named))), Reason("twice_in_sheet", actual=before))
            return None
        return self.registered[registration]

    def _judge(self, entry: Entry, row: Mapping[str, Any]) -> None:
        """The rule's own word on the result, and what the result means."""
        r = _dossier(row)
        entry.version = row["version"]
        if r.state in RESULTS:
            self._compare(entry, row, r)
            return
        try:
            entry.result = SITTING_REGISTRATION.decide("record_result", r, self.actor, entry.given).to_state
        except Refused as no:
            for reason in no.reasons:
                entry.fault(self._column_of(reason), reason)
            return
        self._mean(entry, r)

    def _compare(self, entry: Entry, row: Mapping[str, Any], r: RegistrationDossier) -> None:
        """Whether what is on record is what the row says."""
        entry.result, entry.certificate = r.state, row["certificate_id"]
        read = result_of(r, entry.given)
        scores = {n: score_of(v) for n, v in (row["section_scores"] or {}).items()}
        said = {n: score_of(v) for n, v in entry.given.get("section_scores", {}).items()}
        same = r.state == came_of_it(r, entry.given) and (
            r.state == "absent" or (read is not None and read.total == row["total_score"] and said == scores)
        )
        if same:
            entry.outcome = Outcome.THERE
            self._mean(entry, r)
        else:
            entry.fault("", Reason("result_differs", actual=r.state))

    def _mean(self, entry: Entry, r: RegistrationDossier) -> None:
        read = None if entry.result == "absent" else result_of(r, entry.given)
        if read is not None:
            entry.level, entry.cefr = read.level, read.cefr

    def _column_of(self, reason: Reason) -> str:
        """The header of the cell that a reason points to."""
        parts = (reason.pointer or "").split("/")[1:]
        return self.table.header(parts[-1]) if parts else ""


def _dossier(row: Mapping[str, Any]) -> RegistrationDossier:
    return RegistrationDossier(
        state=row["state"],
        today=row["local_today"],
        sitting_id=row["sitting_id"],
        sitting_state="announced",
        test=row["test"],
        level=row["level"],
        held_on=row["held_on"],
        local_today=row["local_today"],
        certificate_id=row["certificate_id"],
        tests=language_tests(),
    )


async def load_results(services: Services, call: Call, sitting: UUID, path: Path, *, dry_run: bool, told: Any) -> Done:
    """Record what a sheet says of those who are registered; `told` makes the answer's bytes of a report.

    What was written of a load that was broken off stands; the sheet is handed in again, and the rest is recorded.

    Raises:
        Missing: no sitting that the actor sees.
        Unreadable: the file as a whole; nothing was recorded.
        Refused and the others of `perform`.
    """
    actor, found = await records(
        services, call, results_of(call.eyes), "sitting_registrations.load", by_id=sitting, system=STUDENT_NO
    )
    if found[0]["sitting_id"] is None:
        raise Missing
    report, digest = await asyncio.to_thread(_compared, found, actor, path, dry_run=dry_run)
    known = [e for e in report.entries if e.outcome is not Outcome.FAULTY and e.registration is not None]
    if dry_run or not known:
        return Done(await asyncio.to_thread(told, report))
    call = replace(call, body=sha256(call.body + digest).digest())
    if kept := await kept_answer(services, call, REGISTRATIONS, "record_result", _wanted(known[:1])):
        return kept
    fresh = [e for e in known if e.outcome is Outcome.RECORD]
    # Where nothing is to be recorded, one that is on record already goes along: an act is about something.
    parts = [fresh[n : n + AT_ONCE] for n in range(0, len(fresh), AT_ONCE)] or [known[:1]]
    told_already = replace(call, trusted=actor, key="")
    for part in parts[:-1]:
        await _record(services, told_already, part, lambda: b"")
        await asyncio.sleep(0)
    return await _record(services, call, parts[-1], lambda: bytes(told(report)))


def _compared(found: Sequence[Record], actor: Actor, path: Path, *, dry_run: bool) -> tuple[Report, bytes]:
    """What each row of a sheet says against what is on record, and the digest of the sheet; beside the loop.

    Raises:
        Unreadable: the file as a whole.
    """
    table, rows = _rows(path)
    registered = {r["id"]: dict(r) for r in found if r["id"] is not None}
    by_key = {("admission_no", r["admission_no"]): i for i, r in registered.items() if r["admission_no"]}
    by_key |= {(STUDENT_NO, number): i for i, r in registered.items() for number in r["numbers"] or ()}
    loading = _Loading(table, actor, registered, by_key)
    entries = [loading.read(line, cells) for line, cells in rows]
    report = Report(found[0]["sitting_id"], dry_run, table.kind, table.ignored, entries)
    return report, sha256(path.read_bytes()).digest()


async def _record(services: Services, call: Call, part: Sequence[Entry], told: Callable[[], bytes]) -> Done:
    """A part of the rows, written together; each learns what became of it before the answer is told."""

    def answer(_: Work, results: list[Result]) -> bytes:
        for entry, result in zip(part, results, strict=True):
            if result.state is not None:
                entry.outcome, entry.result = Outcome.RECORDED, result.state
                entry.certificate = result.created.get("certificate")
            elif entry.outcome is Outcome.RECORD:
                for reason in result.refused or (Reason("changed_meanwhile"),):
                    entry.fault("", reason)
        return told()

    return await perform(services, call, REGISTRATIONS, "record_result", _wanted(part), {}, answer=answer, single=False)


def _wanted(part: Sequence[Entry]) -> list[Wanted]:
    return [Wanted(e.registration, e.version, e.given) for e in part if e.registration is not None]


__all__ = ["MOST_BYTES", "Report", "Unreadable", "load_results"]
