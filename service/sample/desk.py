"""A college's desk: whoever acts there, and every act in batches, at the instant that the story has come to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeAlias
from uuid import UUID

from service.actions.work import Call, Result, Services, Subject, Wanted, Work, perform
from service.domain.actors import ADMIN, COORDINATOR, THE_SYSTEM, Actor, Role
from service.domain.lifecycle import Given
from service.storage.institutions import trusted_admin

BATCH = 250
"""Items of one act; more are several acts."""
HANDS = 2
"""Acts of a desk at a time: while the database reads for one, the rules decide another."""
COUNTED_FROM = 200
"""Moves from which on the database counts its rows again, whenever there are twice as many."""
OFFICE_HOUR = time(2, tzinfo=UTC)
"""Ten in the morning in China: a day's acts happen then."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being made, how much of it is there, and how much there will be."""


class Unplanned(Exception):
    """The rules refused something that the story of the sample world takes for granted, or it is told out of order."""


def instant(day: date) -> datetime:
    """When the acts of a day happen."""
    return datetime.combine(day, OFFICE_HOUR)


@dataclass(slots=True)
class Telling:
    """Counts for whoever watches, and of all moves: both colleges work at the same chapters side by side."""

    progress: Progress
    totals: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    moves: int = 0
    counted_at: int = COUNTED_FROM

    def expect(self, what: str, count: int) -> None:
        """So many more of it will be made."""
        self.totals[what] = self.totals.get(what, 0) + count

    def made(self, what: str, count: int) -> None:
        """So many more of it are there."""
        self.done[what] = self.done.get(what, 0) + count
        if count:
            self.progress(what, self.done[what], self.totals[what])


class Clock:
    """A college's days: of all stories that wait to go on, those of the earliest day do."""

    def __init__(self) -> None:
        self._waiting: list[tuple[date, int, asyncio.Future[None]]] = []
        self._turns = count()
        self._running = 0
        self._today = date.min
        self._stories: asyncio.TaskGroup | None = None

    async def tell(self, stories: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Some stories side by side, to their ends.

        Raises:
            Unplanned: one of them could not go on.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._stories = group
                for story in stories:
                    self.begin(story)
        except ExceptionGroup as several:
            raise several.exceptions[0] from several
        finally:
            self._stories = None

    def begin(self, story: Coroutine[Any, Any, None]) -> None:
        """One more story beside those that are being told."""
        if self._stories is None:
            raise TypeError("no story is being told")
        self._running += 1
        self._stories.create_task(self._told(story))

    async def _told(self, story: Coroutine[Any, Any, None]) -> None:
        try:
            await story
        finally:
            self._running -= 1
            self._go_on()

    async def until(self, day: date) -> None:
        """Wait for a day.

        Raises:
            Unplanned: it is over.
        """
        if day < self._today:
            msg = f"{day} is before {self._today}: the story goes backwards"
            raise Unplanned(msg)
        if self._stories is not None:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heappush(self._waiting, (day, next(self._turns), turn))
            self._running -= 1
            self._go_on()
            await turn
        self._today = day

    def _go_on(self) -> None:
        if self._running or not self._waiting:
            return
        day = self._waiting[0][0]
        while self._waiting and self._waiting[0][0] == day:
            _, _, turn = heappop(self._waiting)
            if not turn.done():  # a story that was given up waits no more
                self._running += 1
                turn.set_result(None)


@dataclass(slots=True)
class Desk:
    """One college at work: its accounts by role, the papers that it can name as evidence, and how much it has done."""

    services: Services
    number: int
    institution: UUID
    telling: Telling
    accounts: dict[str, UUID] = field(default_factory=dict)
    papers: dict[str, UUID] = field(default_factory=dict)
    ties: dict[str, UUID] = field(default_factory=dict)
    handed_in: set[tuple[UUID, str]] = field(default_factory=set)
    clock: Clock = field(default_factory=Clock)
    hands: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HANDS))

    def actor(self, *roles: Role, deputy: bool = False) -> Actor:
        """The account of a role; before there is one, whoever holds the machine. The deputy is a second coordinator."""
        name = "deputy" if deputy else roles[0].value
        if roles[0] is Role.SYSTEM:
            return THE_SYSTEM
        return Actor(self.accounts[name], frozenset(roles)) if name in self.accounts else trusted_admin()

    def recorded_for(self, role: Role) -> dict[str, Any]:
        """What a coordinator adds who records another party's step: for whom, and the paper that shows it."""
        return {"recorded_for": role.value, "evidence": (self.papers["minutes"],)}

    async def act(
        self,
        day: date,
        subject: Subject[Any],
        action: str,
        wanted: Iterable[Wanted | UUID],
        *,
        who: Role = COORDINATOR,
        deputy: bool = False,
        extra: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> list[Result]:
        """The same act on many, at an instant of the day; what became of each, in their order.

        `extra` tells the facts what stands in no one's input by that name.

        Raises:
            Unplanned: one of them was refused.
        """
        items = [w if isinstance(w, Wanted) else Wanted(w) for w in wanted]
        if not items:
            return []
        await self.clock.until(day)
        call = Call(
            self.institution, f"sample_{subject.plural}", trusted=self.actor(who, deputy=deputy), at=instant(day)
        )
        facts = _extras(subject, action, {**given, **(extra or {})})

        async def some(batch: Sequence[Wanted]) -> list[Result]:
            kept: list[list[Result]] = []
            async with self.hands:
                await perform(
                    self.services, call, subject, action, batch, given, single=False,
                    answer=_keeping(kept), extra=facts,
                )  # fmt: skip
                await self._count_again(len(batch))
            return kept[-1]

        results = [r for made in await asyncio.gather(*map(some, _batches(items, BATCH))) for r in made]
        _as_planned(subject, action, day, results)
        return results

    async def _count_again(self, moves: int) -> None:
        """Have the rows counted once there are twice as many: plans that were made for empty tables are slow."""
        telling = self.telling
        telling.moves += moves
        if telling.moves < 2 * telling.counted_at:
            return
        telling.counted_at = telling.moves
        async with self.services.database.connection() as con:  # only its owner may have a table counted
            await con.execute("SET ROLE NONE; SET statement_timeout = '60s'; SET default_statistics_target = 10")
            try:
                await con.execute("ANALYZE")
            finally:
                await con.execute("RESET ROLE; RESET statement_timeout; RESET default_statistics_target")

    async def one(
        self, day: date, subject: Subject[Any], action: str, item: UUID, *, who: Role = COORDINATOR, **given: Any
    ) -> Result:
        """An act on one."""
        return (await self.act(day, subject, action, [item], who=who, **given))[0]

    async def born(
        self, day: date, subject: Subject[Any], action: str, each: Sequence[Given], *, who: Role = COORDINATOR
    ) -> list[Result]:
        """Things of the institution's own, each from its own input; one act for all, or one each where facts differ."""
        if not subject.births[action].extra:
            wanted = [Wanted(self.institution, given=given) for given in each]
            return await self.act(day, subject, action, wanted, who=who)
        return [await self.one(day, subject, action, self.institution, who=who, **given) for given in each]


def _keeping(kept: list[list[Result]]) -> Callable[[Work, list[Result]], bytes]:
    def answer(_work: Work, results: list[Result]) -> bytes:
        kept.append(results)
        return b""

    return answer


def _extras(subject: Subject[Any], action: str, given: Given) -> Mapping[str, Any]:
    """What the facts must be told: the ids that the input names."""
    facts = subject.births.get(action, subject.facts)
    return {name: given.get(name) for name in facts.extra}


def _batches(items: Sequence[Wanted], size: int) -> Iterator[Sequence[Wanted]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _as_planned(subject: Subject[Any], action: str, day: date, results: Iterable[Result]) -> None:
    refused = [r for r in results if r.state is None]
    if refused:
        told = {f"{x.code} (needs {x.required}, is {x.actual})" for r in refused for x in r.refused}
        told |= {r.error for r in refused if r.error}
        msg = f"{subject.lifecycle.name}.{action} on {day}: {len(refused)} refused: {'; '.join(sorted(told))}"
        raise Unplanned(msg)


__all__ = ["ADMIN", "BATCH", "Desk", "Progress", "Telling", "Unplanned", "instant"]
