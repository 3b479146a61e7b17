"""What may be imported: by kind, its columns, how its rows are understood, and the act that each of them asks for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from pydantic import TypeAdapter

from service.actions import certificates, courses, documents, results, trainees, training
from service.actions.imports import adoption, attendance, scans, walks
from service.actions.imports.chains import Chain
from service.actions.imports.forms import PERSON, ByInputs, readers_of
from service.actions.imports.people import People
from service.actions.imports.rows import STUDENT_NO, Cell, Columns, Entry, Table, open_table
from service.actions.imports.updating import Updating
from service.actions.work import Call, Services, Subject
from service.domain.lifecycle import Reason
from service.storage.files import Stored
from service.storage.imports import also_import


class Reader(Protocol):
    """Understands the rows of one sheet. `keys` are the columns by which a row is known again."""

    @property
    def keys(self) -> frozenset[str]:
        """The columns by which a row is known again."""

    def header(self, name: str) -> str:
        """The header of a field as the sheet writes it."""

    def read(self, line: int, cells: Mapping[str, Cell]) -> Entry:
        """What a row says, and what is wrong with its cells; asks nothing of the database."""

    def remember(self, entries: Sequence[Entry]) -> None:
        """Rows that were taken in before: later ones may not say the same."""

    async def settle(self, entries: Sequence[Entry]) -> None:
        """What each row is about, and whether it would create something, change it, or nothing."""

    def blame(self, entry: Entry, reasons: Sequence[Reason]) -> None:
        """What the rules say against a row, each at its cell."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rows of one sheet are understood with."""

    services: Services
    call: Call
    headers: Mapping[str, str]
    today: date
    phone_country: str
    clear: bool
    path: Path


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of import: `understand` makes the reader of a sheet, `create` and `update` are actions of its subject.

    `undo` is the action that takes back what a row created. `missing` says which columns a sheet lacks. `of_person`:
    what a row creates is born of the person whom it names. `opened` makes the rows of a file; `kept` are the types of
    what a row carries beside the inputs of its rules. `chain`: how rows are done that are not one act each.
    """

    name: str
    subject: Subject[Any]
    create: str
    undo: str
    missing: Callable[[Collection[str]], list[str]]
    understand: Callable[[Reading], Reader]
    update: str | None = None
    of_person: bool = False
    opened: Callable[[Path, Any, Any], Table] = open_table
    kept: Mapping[str, Any] = field(default_factory=dict)
    chain: Chain | None = None

    @cached_property
    def acting(self) -> Subject[Any]:
        """The subject whose acts also lock the import, so that a row is applied once."""
        own = self.subject
        actions = {self.create, self.undo} | ({self.update} if self.update else set())
        return replace(own, births={a: also_import(own.births.get(a, own.facts)) for a in actions})

    def action(self, outcome: str) -> str:
        """The act that a row asks for."""
        return self.update or self.create if outcome == "update" else self.create

    def extras(self, action: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the facts of an act need of its input."""
        facts = self.subject.births.get(action)
        return {name: given.get(name) for name in facts.extra} if facts else {}

    @cached_property
    def _adapters(self) -> dict[str, TypeAdapter[Any]]:
        table = self.subject.lifecycle.by_action
        rules = [r for a in (self.create, self.update) if a for r in table[a]]
        kinds = {**{t.name: t.kind for r in rules for t in r.inputs}, **self.kept}
        return {name: TypeAdapter(kind) for name, kind in kinds.items()}

    def read_given(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """What was kept of a row as JSON, of the types that the rules know."""
        if self.chain is not None:
            return self.chain.read(said)
        adapters = self._adapters
        return {n: None if v is None else adapters[n].validate_python(v, strict=False) for n, v in said.items()}

    def columns(self) -> frozenset[str]:
        """The names of its columns."""
        return Columns(self.name).names


def _missing_key(known: Collection[str]) -> list[str]:
    """A sheet of people has something by which they are known."""
    has = set(known)
    keyed = has & {"id", "student_no", "mrz"} or {"mrz_line1", "mrz_line2"} <= has
    return [] if keyed else ["student_no"]


def _people(r: Reading) -> Updating:
    return Updating(r.services, r.call, r.headers, r.today, r.phone_country, clear=r.clear)


def by_inputs(
    name: str,
    subject: Subject[Any],
    create: str,
    same: Sequence[str],
    *,
    of_person: bool = True,
    defaults: Mapping[str, Any] | None = None,
) -> Kind:
    """A kind whose rows hold the inputs of a birth, taken back by a correction.

    Its headers stand in `data/imports/<name>.json`. `same` are the inputs by which something on record is known again:
    such a row is left as it is. `defaults` is what a sheet without the column means.
    """
    columns, given = Columns(name).names, defaults or {}
    inputs = [t for rule in subject.lifecycle.by_action[create] for t in rule.takes]
    readers = readers_of(name, inputs, columns)
    needed = [t.name for t in inputs if t.needed and t.name in columns and t.name not in given]

    def missing(known: Collection[str]) -> list[str]:
        keyed = not of_person or {STUDENT_NO, PERSON} & set(known)
        return [n for n in needed if n not in known] + ([] if keyed else [STUDENT_NO])

    def understand(r: Reading) -> ByInputs:
        told = [n for n in same if n in r.headers or n in given]  # a column that is not there tells nothing apart
        return ByInputs(r.services, r.call, r.headers, r.phone_country, subject.table, readers, told, of_person, given)

    return Kind(name, subject, create, "correct", missing, understand, of_person=of_person)


COURSE = ("code", "edition", "owner_id", "credits", "title_native")
CERTIFICATE = ("kind", "test", "level", "taken_on", "issued_on")
RESULT = ("source", "course_code", "course_title", "achieved_on")
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("trainees", trainees.SUBJECT, "register", "void", _missing_key, _people, update="edit"),
        by_inputs("courses", courses.SUBJECT, "publish", COURSE, of_person=False),
        by_inputs("certificates", certificates.SUBJECT, "record", CERTIFICATE),
        Kind(
            "documents",
            documents.SUBJECT,
            "upload",
            "correct",
            scans.missing,
            lambda r: scans.Scans(r.services, r.call, r.path),
            of_person=True,
            opened=scans.open_archive,
            kept={"content": Stored, "content_id": UUID},
        ),
        Kind(
            "adoption",
            trainees.SUBJECT,
            "register",
            "take_back",
            adoption.missing,
            lambda r: adoption.Adopting(People(r.services, r.call, r.headers, r.today, r.phone_country)),
            chain=walks.ADOPTION,
        ),
        Kind(
            "attendance",
            training.CLASSES,
            "take_attendance_of_many",
            "withdraw_attendance",
            attendance.missing,
            lambda r: attendance.Marks(r.services, r.call, r.headers),
            chain=attendance.MARKING,
        ),
        by_inputs("results", results.SUBJECT, "record", RESULT, defaults={"source": "home"}),
    )
}
"""Every kind that may be imported; a further one is a line here, and its headers in `data/imports/`."""

__all__ = ["KINDS", "UUID", "Kind", "Reader", "Reading"]
