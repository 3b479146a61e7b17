"""Rows that ask for several acts each: all acts of a chunk are one transaction, and a row is done whole or not at all.

Whoever is refused at any step is noted, and the chunk is begun anew without them. A dry run does the same and takes
it back, so that it says what would happen and what would be owed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, Final, TypeAlias
from uuid import UUID

from service.actions.imports.rows import Entry, Outcome
from service.actions.work import Call, Services
from service.domain.lifecycle import Reason
from service.storage.database import Conflict, Connection, attempt
from service.storage.duties import debt_rules
from service.storage.imports import debts_of
from service.storage.opening import lock_heads

CHUNK: Final = 100
"""Rows of one transaction: each has up to a score of acts."""
SHARED: Final = ("intake_id", "class_id", "request_id")


@dataclass(slots=True)
class Doing:
    """A row on its way: what it says, and the ids of what its steps have made or found."""

    person: Mapping[str, Any]
    way: Mapping[str, Any]
    ids: dict[str, UUID]
    stages: tuple[str, ...] = ()


Doings: TypeAlias = Mapping[int, Doing]
"""Rows by their place in the chunk."""


@dataclass(frozen=True, slots=True)
class Chain:
    """How rows of a kind are done: `read` gives what was kept of one its types, `forth` and `back` do and undo them.

    `left` tells what each row led to, and how long the record of it is: whatever is there later was built on it.
    """

    read: Callable[[Mapping[str, Any]], dict[str, Any]]
    forth: Callable[[Services, Connection, Call, Doings], Awaitable[None]]
    back: Callable[[Services, Connection, Call, Doings], Awaitable[None]]
    left: Callable[[Connection, Call, Doings], Awaitable[Mapping[int, tuple[UUID, int]]]]


class Turned(Exception):
    """Rows that were refused on their way: by place, the column and the reasons."""

    def __init__(self, rows: Mapping[int, list[tuple[str, Reason]]]) -> None:
        super().__init__(len(rows))
        self.rows = rows


class Rehearsed(Exception):
    """A dry run came to its end, and is taken back."""


def _take_back() -> None:
    raise Rehearsed


def doing_of(given: Mapping[str, Any], person: UUID | None) -> Doing:
    """A row at the beginning of its way."""
    return Doing(given.get("person", {}), given["way"], {"person": person} if person else {})


async def lock_shared(con: Connection, call: Call, doings: Sequence[Doing], *others: UUID) -> None:
    """Lock whatever the rows share, and the people who are there, before the first step."""
    ids = {d.way[name] for d in doings for name in SHARED if name in d.way}
    ids |= {d.ids["person"] for d in doings if "person" in d.ids}
    await lock_heads(con, call.institution, sorted({*ids, *others}))


async def rehearse_rows(
    services: Services, call: Call, chain: Chain, entries: Sequence[Entry], header: Callable[[str], str]
) -> None:
    """What would become of each row, noted in it: why it would be refused, or what would be owed."""
    todo = [e for e in entries if e.outcome is Outcome.CREATE]
    for start in range(0, len(todo), CHUNK):
        await _rehearse(services, call, chain, todo[start : start + CHUNK], header)


async def _rehearse(
    services: Services, call: Call, chain: Chain, entries: Sequence[Entry], header: Callable[[str], str]
) -> None:
    left = list(entries)
    while left:
        try:
            owed = await attempt(partial(_tried, services, call, chain, left))
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
                await _rehearse(services, call, chain, half, header)
            return
        else:
            for n, rule, step, due_on in owed:
                left[n].remark("", Reason("would_be_owed", required=rule, actual=f"{step}, {due_on}"))
            return


async def _tried(
    services: Services, call: Call, chain: Chain, entries: Sequence[Entry], _: int
) -> list[tuple[int, str, str, date]]:
    """What the rows would owe; everything that was done for it is taken back. Raises Turned."""
    doings = {n: doing_of(e.given, e.person) for n, e in enumerate(entries)}
    owed: list[tuple[UUID, str, str, date]] = []
    try:
        async with (
            services.database.connection() as con,
            services.database.transaction(con, call.institution, bulk=True),
        ):
            await lock_shared(con, call, list(doings.values()))
            await chain.forth(services, con, call, doings)
            people = [d.ids["person"] for d in doings.values() if "person" in d.ids]
            owed = await debts_of(con, call.institution, people, debt_rules().pin) if people else []
            _take_back()
    except Rehearsed:
        pass
    whose = {d.ids["person"]: n for n, d in doings.items() if "person" in d.ids}
    return [(whose[person], rule, step, due_on) for person, rule, step, due_on in owed]


def told(rows: Collection[tuple[str, Reason]]) -> list[Reason]:
    """The reasons, each pointing to its column."""
    return [replace(r, pointer=f"/{column}") for column, r in rows]
