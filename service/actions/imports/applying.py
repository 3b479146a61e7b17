"""What a checked import asks for, done chunk by chunk; and taken back the same way.

Each chunk is one transaction: what its rows ask for, what is noted of them, and how far the import is. It locks the
import with the rest and writes on the version that was read, so that of two processes at one import only one goes on,
and a process that dies in the middle leaves a row either done and noted, or neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from service.actions.imports.checking import wanted_of
from service.actions.imports.kinds import KINDS, Kind
from service.actions.imports.staging import Guard, Overtaken, against
from service.actions.work import AT_MOST, Call, Result, Services, Wanted, Work, perform
from service.domain.imports import DONE, PENDING
from service.domain.lifecycle import Reason
from service.storage.database import Conflict
from service.storage.imports import Job, Waiting, waiting
from service.storage.tables.imports import import_rows, imports
from service.storage.writes import Writes

CHUNK: Final = 500
"""Rows that are applied in one transaction; of an import of all rows as many as one act may have."""
NOTE: Final = "import taken back"


class Spoilt(Exception):
    """An import of all rows met one that is refused now, or what is to be taken back was built on; `rows` name it."""

    def __init__(self, rows: Sequence[tuple[Waiting, Sequence[Reason]]]) -> None:
        super().__init__(len(rows))
        self.rows = rows


@dataclass(frozen=True, slots=True)
class Pending:
    """A row that waits, opened, with the act that it asks for."""

    row: Waiting
    said: dict[str, Any]
    wanted: Wanted
    extra: tuple[tuple[str, Any], ...]


async def apply_some(services: Services, call: Call, job: Job) -> bool:
    """Apply the next rows; False where none waits.

    Raises:
        Overtaken, Spoilt.
    """
    limit = AT_MOST if job.mode == "all" else CHUNK
    for outcome in PENDING:
        guard, rows = await next_rows(services, call, job, outcome, limit)
        if not rows:
            continue
        kind = KINDS[job.kind]
        action = kind.action(outcome)
        todo = [_asked(kind, call, guard, action, row) for row in rows]
        first = todo[0].extra  # rows whose rules ask other facts are another act
        todo = [p for p in todo if p.extra == first]
        await _apply(services, call, job, kind, action, guard, todo)
        return True
    return False


async def next_rows(services: Services, call: Call, job: Job, outcome: str, limit: int) -> tuple[Guard, list[Waiting]]:
    """The import's head first and its rows after it: rows that another noted meanwhile are under another version."""
    async with services.database.connection() as con:
        guard = await Guard.of(con, services, call.institution, job.id)
        return guard, await waiting(con, call.institution, job.id, outcome, limit)


def _asked(kind: Kind, call: Call, guard: Guard, action: str, row: Waiting) -> Pending:
    said = guard.open(row.sealed)
    given = kind.read_given(said.get("given", {}))
    extra = tuple(kind.extras(action, given).items())
    wanted = wanted_of(kind, call, row.outcome, row.item, row.item, row.seen_version, given)
    return Pending(row, said, wanted, extra)


async def _apply(
    services: Services, call: Call, job: Job, kind: Kind, action: str, guard: Guard, todo: Sequence[Pending]
) -> None:
    """All of them in one act; where the database's own rule refuses one, it is found by halving."""

    def note(writes: Writes, results: Sequence[Result]) -> None:
        refused = [(p.row, _why(r)) for p, r in zip(todo, results, strict=True) if r.state is None]
        if refused and job.mode == "all":
            raise Spoilt(refused)
        for p, r in zip(todo, results, strict=True):
            if r.state is None:
                note_fault(writes, guard, p.row, p.said, _why(r))
            else:
                _note_done(writes, guard, p, r)
        writes.count(imports, guard.job, {"id": guard.job}, done=len(todo) - len(refused), **_lost(todo, refused))

    try:
        await _act(services, call, kind, action, guard, todo, note)
    except Conflict as no:
        reasons = [Reason(f"rule.{no.rule}")]
        if len(todo) > 1 and job.mode == "good":
            half = todo[: len(todo) // 2]  # the rest is read anew: the head has moved
            await _apply(services, call, job, kind, action, guard, half)
        elif job.mode == "all":
            raise Spoilt([(p.row, reasons) for p in todo[:1]]) from no
        else:
            await _write_fault(services, guard, todo[0], reasons)


def _why(result: Result) -> Sequence[Reason]:
    if result.refused:
        return result.refused
    return [Reason("gone_since" if result.error == "not-found" else "changed_since")]


def _lost(todo: Sequence[Pending], refused: Sequence[Any]) -> dict[str, int]:
    """A row that is refused now is no longer among those that would do something."""
    if not refused:
        return {}
    counter = {"create": "creates", "update": "updates"}[todo[0].row.outcome]
    return {counter: -len(refused), "faulty": len(refused)}


def _note_done(writes: Writes, guard: Guard, p: Pending, result: Result) -> None:
    kept = {"key": p.said.get("key"), "findings": p.said.get("findings"), "before": p.said.get("before")}
    whole = p.row.outcome == "create" or p.said.get("whole")
    writes.change(
        import_rows,
        guard.job,
        id=p.row.id,
        outcome=f"{p.row.outcome}d",
        item_id=result.id,
        left_version=result.version if whole else None,
        sealed=guard.seal(kept),
    )


def note_fault(writes: Writes, guard: Guard, row: Waiting, said: dict[str, Any], why: Sequence[Reason]) -> None:
    """A row that is refused now, with what is against it."""
    told = [against((r.pointer or "/")[1:], r) for r in why]
    writes.change(
        import_rows,
        guard.job,
        id=row.id,
        outcome="faulty",
        codes=sorted({r.code for r in why}),
        sealed=guard.seal({"key": said.get("key"), "findings": [*said.get("findings", []), *told]}),
    )


async def _write_fault(services: Services, guard: Guard, p: Pending, why: Sequence[Reason]) -> None:
    """A row alone that the database refuses: its act was taken back, so what is noted of it is an act of its own."""
    writes = Writes(guard.institution)
    guard.hold(writes)
    note_fault(writes, guard, p.row, p.said, why)
    writes.count(imports, guard.job, {"id": guard.job}, **_lost([p], [p]))
    async with services.database.connection() as con:
        await guard.run(con, writes)


async def _act(
    services: Services,
    call: Call,
    kind: Kind,
    action: str,
    guard: Guard,
    todo: Sequence[Pending],
    note: Callable[[Writes, Sequence[Result]], None],
) -> None:
    def answer(work: Work, results: list[Result]) -> bytes:
        if work.heads[guard.job].version != guard.head.version:
            raise Overtaken
        note(work.writes, results)
        guard.hold(work.writes)
        return b""

    extra = dict(todo[0].extra) | {"import_id": guard.job}
    wanted = [p.wanted for p in todo]
    await perform(services, call, kind.acting, action, wanted, {"note": None}, answer=answer, single=False, extra=extra)


# Taking back ----------------------------------------------------------------------------------------------------------


async def take_back_some(services: Services, call: Call, job: Job) -> bool:
    """Take back what the next rows did; False where nothing is left.

    Raises:
        Overtaken, Spoilt.
    """
    kind = KINDS[job.kind]
    for outcome in DONE:
        guard, rows = await next_rows(services, call, job, outcome, CHUNK)
        if not rows:
            continue
        action = kind.undo if outcome == "created" else kind.update or ""
        todo = [_undone(kind, guard, action, row) for row in rows]

        def note(
            writes: Writes, results: Sequence[Result], *, todo: list[Pending] = todo, guard: Guard = guard
        ) -> None:
            refused = [(p.row, _why(r)) for p, r in zip(todo, results, strict=True) if r.state is None]
            if refused:
                raise Spoilt(refused)
            for p in todo:
                after = "voided" if p.row.outcome == "created" else "restored"
                kept = {"key": p.said.get("key"), "findings": p.said.get("findings")}
                writes.change(import_rows, guard.job, id=p.row.id, outcome=after, sealed=guard.seal(kept))
            writes.count(imports, guard.job, {"id": guard.job}, undone=len(todo))

        await _act(services, call, kind, action, guard, todo, note)
        return True
    return False


def _undone(kind: Kind, guard: Guard, action: str, row: Waiting) -> Pending:
    said = guard.open(row.sealed)
    given = kind.read_given(said.get("before", {})) if row.outcome == "updated" else {"note": NOTE}
    item: UUID = row.item  # type: ignore[assignment]
    return Pending(row, said, Wanted(item, row.left_version, given), tuple(kind.extras(action, given).items()))
