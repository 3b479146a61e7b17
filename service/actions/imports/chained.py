"""Imports whose rows ask for several acts each: all acts of a chunk and what is noted of its rows, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from service.actions.imports import chains
from service.actions.imports.applying import Spoilt, next_rows, note_fault
from service.actions.imports.kinds import KINDS
from service.actions.imports.staging import Guard, Overtaken
from service.actions.work import Call, Services
from service.domain.lifecycle import Reason
from service.storage.database import Conflict, attempt
from service.storage.imports import Job, Waiting
from service.storage.tables.imports import import_rows, imports
from service.storage.writes import Writes


async def chain_some(services: Services, call: Call, job: Job, outcome: str) -> bool:
    """Take the next rows all their way, in (`create`) or out again (`created`); False where none waits.

    Raises:
        Overtaken, Spoilt.
    """
    guard, rows = await next_rows(services, call, job, outcome, chains.CHUNK)
    if not rows:
        return False
    chunk = _Chunk(services, call, job, guard, rows, [guard.open(row.sealed) for row in rows], outcome == "created")
    while True:
        try:
            await attempt(chunk.run)
        except chains.Turned as no:
            chunk.leave_out(no.rows)
        except Conflict as no:
            chunk.halve([Reason(f"rule.{no.rule}")])
        else:
            return True


@dataclass(slots=True)
class _Chunk:
    services: Services
    call: Call
    job: Job
    guard: Guard
    rows: list[Waiting]
    said: list[dict[str, Any]]
    is_back: bool
    turned: dict[int, list[tuple[str, Reason]]] = field(default_factory=dict)
    """Rows that were refused at some step, and are noted instead."""

    @property
    def left(self) -> list[int]:
        """The rows that are still to be done."""
        return [n for n in range(len(self.rows)) if n not in self.turned]

    def leave_out(self, turned: Mapping[int, list[tuple[str, Reason]]]) -> None:
        """Go on without the rows that were refused, where the import takes the good ones."""
        if self.job.mode == "all" or self.is_back:
            raise Spoilt([(self.rows[n], [r for _, r in why]) for n, why in turned.items()])
        self.turned |= turned

    def halve(self, reasons: list[Reason]) -> None:
        """A rule of the database refused some row: half of them, until it is found; the rest is read anew."""
        if len(self.left) > 1:
            self.rows = self.rows[: self.left[len(self.left) // 2]]
            self.turned = {n: why for n, why in self.turned.items() if n < len(self.rows)}
        else:
            self.leave_out({n: [("", r) for r in reasons] for n in self.left})

    async def run(self, _: int) -> None:
        """All of it in one transaction, on the import as it was read."""
        services, call = self.services, self.call
        doings = {n: self._doing(n) for n in self.left}
        async with (
            services.database.connection() as con,
            services.database.transaction(con, call.institution, bulk=True),
        ):
            await chains.lock_shared(con, call, list(doings.values()), self.job.id)
            now = await Guard.of(con, services, call.institution, self.job.id)
            if now.head.version != self.guard.head.version:
                raise Overtaken
            chain = self.chain
            await (chain.back if self.is_back else chain.forth)(services, con, call, doings)
            led = {} if self.is_back else await chain.left(con, call, doings)
            await self.guard.run(con, self._notes(doings, led))

    @property
    def chain(self) -> chains.Chain:
        """How rows of the kind are done."""
        chain = KINDS[self.job.kind].chain
        if chain is None:
            raise TypeError("rows of this kind ask for one act each")
        return chain

    def _doing(self, n: int) -> chains.Doing:
        said = self.said[n]
        if not self.is_back:
            return chains.doing_of(self.chain.read(said["given"]), self.rows[n].item)
        shared = {name: UUID(known) for name, known in said["shared"].items()}
        ids = {name: UUID(known) for name, known in said["ids"].items()}
        return chains.Doing({}, shared, ids | {"import": self.job.id})

    def _notes(self, doings: chains.Doings, led: Mapping[int, tuple[UUID, int]]) -> Writes:
        writes = Writes(self.call.institution)
        self.guard.hold(writes)
        for n, doing in doings.items():
            self._note(writes, n, doing, led)
        for n, why in self.turned.items():
            note_fault(writes, self.guard, self.rows[n], self.said[n], chains.told(why))
        lost = {"creates": -len(self.turned), "faulty": len(self.turned)} if self.turned else {}
        done = {"undone" if self.is_back else "done": len(doings)}
        writes.count(imports, self.job.id, {"id": self.job.id}, **done, **lost)
        return writes

    def _note(self, writes: Writes, n: int, doing: chains.Doing, led: Mapping[int, tuple[UUID, int]]) -> None:
        said = self.said[n]
        kept = {"key": said.get("key"), "findings": said.get("findings")}
        columns: dict[str, Any] = {"outcome": "voided"}
        if not self.is_back:
            shared = {name: str(doing.way[name]) for name in chains.SHARED if name in doing.way}
            kept |= {"ids": {name: str(i) for name, i in doing.ids.items()}, "shared": shared}
            item, version = led[n]
            columns = {"outcome": "created", "item_id": item, "left_version": version}
        writes.change(import_rows, self.job.id, id=self.rows[n].id, sealed=self.guard.seal(kept), **columns)
