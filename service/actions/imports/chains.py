"""Rows that ask for several acts each: all acts of a chunk are one transaction, and a row is done whole or not at all.

Whoever is refused at any step is noted, and the chunk is begun anew without them. A dry run does the same and takes
it back, so that it says what would happen and what would be owed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from service.actions.imports.adoption import BACK, FORTH, WAY, Doing, Slot
from service.actions.imports.rows import Entry, Outcome
from service.actions.work import Call, Services, Wanted, perform_within
from service.domain.actors import THE_SYSTEM
from service.domain.lifecycle import Reason
from service.domain.trainees import TRAINEE_RECORD
from service.storage.database import Conflict, Connection, attempt
from service.storage.duties import debt_rules
from service.storage.imports import debts_of, stages_of
from service.storage.opening import lock_heads

CHUNK: Final = 100
"""Rows of one transaction: each has up to a score of acts."""
SHARED: Final = ("intake_id", "class_id", "request_id")
_PERSON = {
    t.name: TypeAdapter(t.kind) for rule in TRAINEE_RECORD.by_action["register"] for t in rule.inputs
}  # fmt: skip
_WAY = {name: TypeAdapter(kind) for name, kind in WAY.items()}


class Turned(Exception):
    """Rows that were refused on their way: by place, the column and the reasons."""

    def __init__(self, rows: Mapping[int, list[tuple[str, Reason]]]) -> None:
        super().__init__(len(rows))
        self.rows = rows


class Rehearsed(Exception):
    """A dry run came to its end, and is taken back."""


def _take_back() -> None:
    raise Rehearsed


def read_said(said: Mapping[str, Any]) -> dict[str, Any]:
    """What was kept of a row as JSON, of the types that the rules know."""
    return {
        "person": {n: None if v is None else _PERSON[n].validate_python(v) for n, v in said.get("person", {}).items()},
        "way": {n: _WAY[n].validate_python(v) for n, v in said.get("way", {}).items()},
    }


def doing_of(given: Mapping[str, Any], person: UUID | None) -> Doing:
    """A row at the beginning of its way."""
    return Doing(given["person"], given["way"], {"person": person} if person else {})


async def lock_shared(con: Connection, call: Call, doings: Sequence[Doing], *others: UUID) -> None:
    """Lock whatever the rows share, and the people who are there, before the first step."""
    ids = {d.way[name] for d in doings for name in SHARED if name in d.way}
    ids |= {d.ids["person"] for d in doings if "person" in d.ids}
    await lock_heads(con, call.institution, sorted({*ids, *others}))


async def walk(
    services: Services, con: Connection, call: Call, slots: Sequence[Slot], doings: Mapping[int, Doing]
) -> None:
    """Every step of the rows, those of one kind and facts together.

    Raises:
        Turned: rows that were refused; the transaction is to be rolled back. Only those that came furthest: whoever
            was refused before them may have lacked the place or seat that they held so far.
    """
    turned: set[int] = set()
    furthest: dict[int, list[tuple[str, Reason]]] = {}
    for slot in slots:
        refused: dict[int, list[tuple[str, Reason]]] = {}
        groups: dict[Any, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
        for n, doing in doings.items():
            if n not in turned and (given := slot.given(doing)) is not None:
                groups[tuple(slot.asks(given, doing).items())].append((n, given))
        for extra, rows in groups.items():
            await _step(services, con, call, slot, dict(extra), [(n, doings[n], given) for n, given in rows], refused)
        turned |= refused.keys()
        furthest = refused or furthest
    if furthest:
        raise Turned(furthest)


async def _step(
    services: Services,
    con: Connection,
    call: Call,
    slot: Slot,
    extra: dict[str, Any],
    rows: Sequence[tuple[int, Doing, dict[str, Any]]],
    refused: dict[int, list[tuple[str, Reason]]],
) -> None:
    wanted = [Wanted(d.ids[slot.anchor] if slot.anchor else call.institution, None, given) for _, d, given in rows]
    results = await perform_within(services, con, call, slot.subject, slot.action, wanted, extra=extra)
    for (n, doing, _), result in zip(rows, results, strict=True):
        if result.state is None:
            why = result.refused or (Reason("gone_since"),)
            refused[n] = [(_column(slot, r), r) for r in why]
            continue
        if slot.makes is not None:
            doing.ids |= {slot.makes: result.id} | {k: v for k, v in result.created.items() if k in MADE}
        if slot.makes == "person":
            doing.ids["registered"] = result.id
    made = [d for _, d, _ in rows if "placement" in d.ids and not d.stages]
    if made:
        stages = await stages_of(con, call.institution, [d.ids["placement"] for d in made])
        for d in made:
            d.stages = stages[d.ids["placement"]]


MADE: Final = frozenset({"enrolment", "placement"})


def _column(slot: Slot, reason: Reason) -> str:
    about = (reason.pointer or "/").split("/")
    return about[1] if len(about) > 1 and about[0] == "" and about[1] in _COLUMNS else slot.column


_COLUMNS: Final = frozenset({*_PERSON, *WAY})


async def rehearse_rows(services: Services, call: Call, entries: Sequence[Entry], header: Callable[[str], str]) -> None:
    """What would become of each row, noted in it: why it would be refused, or what would be owed."""
    todo = [e for e in entries if e.outcome is Outcome.CREATE]
    for start in range(0, len(todo), CHUNK):
        await _rehearse(services, call, todo[start : start + CHUNK], header)


async def _rehearse(services: Services, call: Call, entries: Sequence[Entry], header: Callable[[str], str]) -> None:
    left = list(entries)
    while left:
        try:
            owed = await attempt(partial(_tried, services, call, left))
        except Turned as no:
            for n, why in no.rows.items():
                for column, reason in why:
                    left[n].fault(header(column), reason)
            left = [e for n, e in enumerate(left) if n not in no.rows]
        except Conflict as no:
            if len(left) == 1:
                left[0].fault("", Reason(f"rule.{no.rule}"))
                return
            for half in (left[: len(left) // 2], left[len(left) // 2 :]):
                await _rehearse(services, call, half, header)
            return
        else:
            for n, rule, step, due_on in owed:
                left[n].remark("", Reason("would_be_owed", required=rule, actual=f"{step}, {due_on}"))
            return


async def _tried(services: Services, call: Call, entries: Sequence[Entry], _: int) -> list[tuple[int, str, str, date]]:
    """What the rows would owe; everything that was done for it is taken back. Raises Turned."""
    doings = {n: doing_of(e.given, e.person) for n, e in enumerate(entries)}
    owed: list[tuple[UUID, str, str, date]] = []
    try:
        async with (
            services.database.connection() as con,
            services.database.transaction(con, call.institution, bulk=True),
        ):
            await lock_shared(con, call, list(doings.values()))
            await forth(services, con, call, doings)
            people = [d.ids["person"] for d in doings.values()]
            owed = await debts_of(con, call.institution, people, debt_rules().pin)
            _take_back()
    except Rehearsed:
        pass
    whose = {d.ids["person"]: n for n, d in doings.items()}
    return [(whose[person], rule, step, due_on) for person, rule, step, due_on in owed]


async def forth(services: Services, con: Connection, call: Call, doings: Mapping[int, Doing]) -> None:
    """The rows' way in. Raises Turned."""
    await walk(services, con, replace(call, declared=True), FORTH, doings)


async def back(services: Services, con: Connection, call: Call, doings: Mapping[int, Doing]) -> None:
    """The rows' way out again. Raises Turned."""
    system = replace(call, trusted=THE_SYSTEM)
    for slot in BACK:
        await walk(services, con, call if slot.action == "correct" else system, (slot,), doings)


def told(rows: Collection[tuple[str, Reason]]) -> list[Reason]:
    """The reasons, each pointing to its column."""
    return [replace(r, pointer=f"/{column}") for column, r in rows]
