"""How people who come in mid-way are taken to where they are, step by step, and out again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from service.actions.imports.adoption import BACK, FORTH, WAY, Slot
from service.actions.imports.chains import Chain, Doing, Doings, Turned
from service.actions.work import Call, Services, Wanted, perform_within
from service.domain.actors import THE_SYSTEM
from service.domain.lifecycle import Reason
from service.domain.trainees import TRAINEE_RECORD
from service.storage.database import Connection
from service.storage.imports import seqs_of, stages_of

_PERSON = {
    t.name: TypeAdapter(t.kind) for rule in TRAINEE_RECORD.by_action["register"] for t in rule.inputs
}  # fmt: skip
_WAY = {name: TypeAdapter(kind) for name, kind in WAY.items()}


def read_said(said: Mapping[str, Any]) -> dict[str, Any]:
    """What was kept of a row as JSON, of the types that the rules know."""
    return {
        "person": {n: None if v is None else _PERSON[n].validate_python(v) for n, v in said.get("person", {}).items()},
        "way": {n: _WAY[n].validate_python(v) for n, v in said.get("way", {}).items()},
    }


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


async def forth(services: Services, con: Connection, call: Call, doings: Mapping[int, Doing]) -> None:
    """The rows' way in. Raises Turned."""
    await walk(services, con, replace(call, declared=True), FORTH, doings)


async def back(services: Services, con: Connection, call: Call, doings: Mapping[int, Doing]) -> None:
    """The rows' way out again. Raises Turned."""
    system = replace(call, trusted=THE_SYSTEM)
    for slot in BACK:
        await walk(services, con, call if slot.action == "correct" else system, (slot,), doings)


async def left(con: Connection, call: Call, doings: Doings) -> Mapping[int, tuple[UUID, int]]:
    """The people, and how long the record of each is."""
    seqs = await seqs_of(con, call.institution, [d.ids["person"] for d in doings.values()])
    return {n: (d.ids["person"], seqs[d.ids["person"]]) for n, d in doings.items()}


ADOPTION: Final = Chain(read_said, forth, back, left)
