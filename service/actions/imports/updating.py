"""People from a sheet who may be on record: what the row would change, and what was changed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from pydantic_core import from_json

from service.actions.imports.people import People
from service.actions.imports.rows import STUDENT_NO, Entry, Outcome
from service.domain.lifecycle import Reason
from service.storage.database import attempt
from service.storage.imports import Known, known_people
from service.storage.vault import Sealed

PLAIN: Final = (
    "name_native", "name_latin", "sex", "birth_on", "nationality", "origin", "email", "phone", "language",
)  # fmt: skip
CLEARABLE: Final = frozenset({"sex", "origin", "email", "phone"})
"""What a record may go without: an empty cell clears it where the import says so."""
KEYS: Final = frozenset({"id", STUDENT_NO, "mrz", "mrz_line1", "mrz_line2", "identity_no"})


@dataclass(slots=True)
class Updating(People):
    """The people of one sheet, new ones and known ones."""

    clear: bool = False
    lines: dict[bytes, int] = field(default_factory=dict)
    """By a digest of each key, the line where it was met first: short, for a sheet may have a hundred thousand."""

    @property
    def keys(self) -> frozenset[str]:
        """The columns by which somebody is known again."""
        return KEYS

    def remember(self, entries: Sequence[Entry]) -> None:
        """Rows that were taken in before this process began: later ones may not say the same."""
        for entry in entries:
            self._twice(entry)

    async def settle(self, entries: Sequence[Entry]) -> None:
        """What each row would do: register somebody, change something, or nothing."""
        await self.look_up(entries)
        wanted = {i for e in entries for i in (e.item, e.person) if i is not None}
        known = await attempt(lambda _: known_people(self.services.database, self.call.institution, wanted))
        for entry in entries:
            self._settle(entry, known)

    def _settle(self, entry: Entry, known: dict[UUID, Known]) -> None:
        named = entry.item
        entry.findings = [f for f in entry.findings if f.reason.code != "on_record"]
        for kind, line in self._twice(entry):
            entry.fault(self.column_of(kind), Reason("twice_in_sheet", actual=line))
        if named is not None and named not in known:
            entry.fault(self.header("id"), Reason("id_known"))
        elif named is not None and entry.person not in (None, named):
            entry.fault(self.header("id"), Reason("key_of_another"))
        elif named is None and entry.person is None and not {STUDENT_NO, "passport"} & entry.keys.keys():
            entry.fault(self.header(STUDENT_NO), Reason("unkeyed"))
        entry.item = named or entry.person
        if entry.outcome is not Outcome.FAULTY and entry.item is not None:
            self._compare(entry, known[entry.item])

    def _twice(self, entry: Entry) -> list[tuple[str, int]]:
        """The keys of a row that an earlier one has."""
        keys = entry.keys | ({"id": str(entry.item)} if entry.item else {})
        digests = {kind: blake2b(f"{kind}\0{key}".encode(), digest_size=8).digest() for kind, key in keys.items()}
        found = [(kind, self.lines[d]) for kind, d in digests.items() if d in self.lines]
        for digest in digests.values():
            self.lines.setdefault(digest, entry.line)
        return found

    def _compare(self, entry: Entry, known: Known) -> None:
        """What the row says otherwise than the record; what was changed since it was downloaded is a conflict."""
        given = {n: v for n, v in entry.given.items() if n not in entry.filled and not self._same(n, v, entry, known)}
        entry.findings = [f for f in entry.findings if f.reason.code != "taken_from_passport"]
        if self.clear:
            given |= {n: None for n in CLEARABLE & entry.empty if getattr(known, n) is not None}
        entry.given = given
        if not given:
            entry.outcome, entry.version = Outcome.UNCHANGED, known.version
            return
        if entry.version not in (None, known.version):
            for name, value in given.items():
                shown = name in PLAIN
                reason = Reason("changed_since", getattr(known, name), value) if shown else Reason("changed_since")
                entry.fault(self.header(name), reason)
            return
        entry.outcome, entry.version = Outcome.UPDATE, known.version
        entry.before = {n: getattr(known, n) for n in given if n in PLAIN}

    def _same(self, name: str, value: Any, entry: Entry, known: Known) -> bool:
        if name in PLAIN:
            return bool(getattr(known, name) == value)
        if name == "external_ids":
            return STUDENT_NO in entry.known_by
        if name == "guardian":
            return bool(self._guardian_of(known) == asdict(value))
        index = known.passport if name == "passport_mrz" else known.identity_no
        return index is not None and index.hex() == entry.keys.get("passport" if name == "passport_mrz" else name)

    def _guardian_of(self, known: Known) -> Any:
        if known.guardian is None or known.wrapped is None:
            return None
        where = self.call.institution
        try:
            key = self.services.vault.stream_key(known.wrapped, where, known.id)
            return from_json(key.open(known.guardian, where, known.id, "guardian"))
        except Sealed:
            return None
