"""A row between its sheet and its act: what is kept of it, sealed, until it is applied, and the guard of its import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic_core import from_json, to_json

from service.actions.imports.rows import STUDENT_NO, Entry, Finding, Outcome
from service.actions.imports.updating import PLAIN
from service.actions.work import Services
from service.domain.lifecycle import Reason
from service.storage.database import Connection
from service.storage.ids import uuid7
from service.storage.opening import Head, read_heads
from service.storage.tables.imports import import_rows, imports
from service.storage.vault import StreamKey, Vault
from service.storage.writes import Writes

COUNTERS: Final = {"create": "creates", "update": "updates", "unchanged": "unchanged", "faulty": "faulty"}


class Overtaken(Exception):
    """The import moved while this process was at it: another goes on with it, or somebody stopped it."""


@dataclass(frozen=True, slots=True)
class Guard:
    """An import as this process knows it: whatever is written of its rows is written on this version of its head."""

    institution: UUID
    job: UUID
    head: Head
    key: StreamKey

    @classmethod
    async def of(cls, con: Connection, services: Services, institution: UUID, job: UUID) -> Guard:
        """The import as it is now."""
        head = (await read_heads(con, institution, [job], None))[job]
        if head.wrapped is None:
            raise Overtaken
        return cls(institution, job, head, services.vault.stream_key(head.wrapped, institution, job))

    def hold(self, writes: Writes) -> None:
        """Nothing of it is written unless the import is as it was."""
        h = self.head
        writes.head(stream_id=self.job, version=h.version, seq=h.seq, chain_head=h.chain_head, stage=None)

    def seal(self, said: Mapping[str, Any]) -> bytes | None:
        """What is kept of a row."""
        kept = {name: value for name, value in said.items() if value}
        return self.key.seal(to_json(kept).decode(), self.institution, self.job, "row") if kept else None

    def open(self, sealed: bytes | None) -> dict[str, Any]:
        """What was kept of a row."""
        if sealed is None:
            return {}
        return dict(from_json(self.key.open(sealed, self.institution, self.job, "row")))

    async def run(self, con: Connection, writes: Writes) -> None:
        """Write it on the import as it was.

        Raises:
            Overtaken: it is no longer so, and nothing was written.
        """
        if not await writes.run(con):
            raise Overtaken


def finding(of: Finding) -> dict[str, Any]:
    """A finding as it is kept."""
    r = of.reason
    return {"column": of.column, "code": r.code, "required": r.required, "actual": r.actual, "fault": of.is_fault}


def against(column: str, reason: Reason) -> dict[str, Any]:
    """A fault that showed itself later, as it is kept."""
    return finding(Finding(column, reason))


def _keys(vault: Vault, institution: UUID, entry: Entry) -> list[str]:
    """Whom the row names, as blind indexes: by these it is found again when somebody is erased."""
    number = entry.keys.get(STUDENT_NO)
    blind = [vault.blind_index(STUDENT_NO, institution, number).hex()] if number else []
    return sorted({*blind, *(key for kind, key in entry.keys.items() if kind != STUDENT_NO)})


def stage(writes: Writes, guard: Guard, vault: Vault, entries: list[Entry]) -> None:
    """What each row would do, kept until it is asked for; a row that would do nothing keeps only what was found."""
    for e in entries:
        is_pending = e.outcome in (Outcome.CREATE, Outcome.UPDATE)
        said: dict[str, Any] = {"key": e.student_no, "findings": [finding(f) for f in e.findings]}
        if is_pending:
            said |= {"given": e.given, "before": e.before, "whole": e.given.keys() <= set(PLAIN)}
        writes.row(
            import_rows,
            guard.job,
            id=uuid7(),
            import_id=guard.job,
            line=e.line,
            outcome=e.outcome.value,
            item_id=e.person if is_pending and e.outcome is Outcome.CREATE else e.item,
            seen_version=e.version,
            codes=sorted({f.reason.code for f in e.findings}),
            known_by=_keys(vault, guard.institution, e),
            sealed=guard.seal(said),
        )
    counts = dict.fromkeys(COUNTERS.values(), 0)
    for e in entries:
        counts[COUNTERS[e.outcome.value]] += 1
    writes.count(imports, guard.job, {"id": guard.job}, staged=len(entries), **counts)
