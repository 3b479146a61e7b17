"""What goes on without anybody asking: events get their numbers, timers ring, old keys are let go.

Any number of workers may run on one database: an institution's feed has one holder at a time, and what a timer did is
done for all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from service.actions.clock import CHORES, TIMERS
from service.actions.erasure import remove_files
from service.actions.imports.carrying import carry_on
from service.actions.timers import Chore, Timer, ring
from service.actions.work import Services
from service.aside import Aside, aside
from service.launch import end_with
from service.main import services_of
from service.settings import Settings
from service.storage.database import DRIVER_ERRORS, Unavailable, translate
from service.storage.health import ready
from service.storage.sequencer import AT_MOST, forget_old_keys, institutions_served, number_events

LONGEST_WAIT = 15.0
RUNG_AT_ONCE = 500

log = structlog.get_logger("service.worker")


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do for each institution; it answers whether more of it waits."""

    name: str
    do: Callable[[Services, UUID], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Round:
    """Duties that are done one after the other, every so many seconds."""

    every: float
    duties: Sequence[Duty]


async def _number(services: Services, institution: UUID) -> bool:
    return await number_events(services.database, institution) == AT_MOST


async def _forget(services: Services, institution: UUID) -> bool:
    return await forget_old_keys(services.database, institution) == AT_MOST


def _ringing(timer: Timer) -> Duty:
    async def do(services: Services, institution: UUID) -> bool:
        return await ring(services, timer, institution, limit=RUNG_AT_ONCE) == RUNG_AT_ONCE

    return Duty(timer.name, do)


def _doing(chore: Chore) -> Duty:
    async def do(services: Services, institution: UUID) -> bool:
        return await chore.do(services, institution, None)

    return Duty(chore.name, do)


def _at(every: float) -> tuple[Duty, ...]:
    """The timers of a pace, then its chores."""
    timers = (_ringing(timer) for timer in TIMERS if timer.every == every)
    return (*timers, *(_doing(chore) for chore in CHORES if chore.every == every))


ROUNDS = (
    Round(0.2, (Duty("feed", _number),)),
    Round(1, (Duty("erased_files", remove_files),)),
    *(Round(every, _at(every)) for every in sorted({t.every for t in TIMERS} | {c.every for c in CHORES})),
    Round(600, (Duty("old_keys", _forget),)),
)


IMPORTS = 1.0


async def work(services: Services, stop: asyncio.Event, beside: Aside | None = None) -> None:
    """Make every round, again and again, until told to stop; what has begun is finished.

    `beside` is where imports are done, so that no chunk of theirs holds the rest.
    """

    async def imports(own: Services, institution: UUID) -> bool:
        if beside is None:
            return await carry_on(own, institution)
        return bool(await beside(lambda others: carry_on(others, institution)))

    rounds = (*ROUNDS, Round(IMPORTS, (Duty("imports", imports),)))
    await asyncio.gather(*(_keep(services, each, stop) for each in rounds))


async def _keep(services: Services, each: Round, stop: asyncio.Event) -> None:
    failures = 0
    while not stop.is_set():
        more = False
        try:
            more, failed = await _once(services, each.duties, stop)
        except (*DRIVER_ERRORS, Unavailable) as error:
            _tell(error)
            failed = True
        failures = failures + 1 if failed else 0
        if failures:
            await pause(stop, max(each.every, min(LONGEST_WAIT, 0.5 * 2 ** min(failures, 6))))
        elif not more:
            await pause(stop, each.every)


async def _once(services: Services, duties: Sequence[Duty], stop: asyncio.Event) -> tuple[bool, bool]:
    """Every duty for every institution; whether more waits, and whether anything failed. One's trouble is its own.

    Raises:
        Unavailable, or an error of the driver: the database is away, for all of them.
    """
    more = failed = False
    for institution in await institutions_served(services.database):
        for duty in duties:
            if stop.is_set():
                return False, failed
            try:
                more |= await duty.do(services, institution)
            except Exception as error:
                if isinstance(error, Unavailable) or isinstance(translate(error), Unavailable):
                    raise
                failed = True
                _tell(error, duty, institution)
    return more, failed


def _tell(error: BaseException, duty: Duty | None = None, institution: UUID | None = None) -> None:
    """By types alone: messages may carry what people entered."""
    log.error(
        "duty_failed" if duty else "database_away",
        duty=duty.name if duty else None,
        institution=str(institution) if institution else None,
        error=type(error).__qualname__,
        sqlstate=getattr(error, "sqlstate", None),
    )


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, unless told to stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


@contextlib.asynccontextmanager
async def _patiently(settings: Settings, dsn: str, keys: str, stop: asyncio.Event) -> AsyncIterator[Services | None]:
    """The services, as soon as the database answers at our version; None if told to stop before."""
    async with contextlib.AsyncExitStack() as stack:
        while not stop.is_set():
            try:
                services = await stack.enter_async_context(services_of(settings, dsn, keys)())
                missing = await ready(services.database)
                if missing is None:
                    yield services
                    return
                await stack.aclose()
            except DRIVER_ERRORS as error:
                missing = type(error).__qualname__
            log.warning("waiting_for_database", why=missing)
            await pause(stop, 2)
        yield None


async def run(settings: Settings, dsn: str, keys: str, beside: int | None = None) -> None:
    """Work until SIGTERM or Ctrl-C, or until the process that we work beside is gone."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watch = asyncio.create_task(end_with(beside)) if beside else None
    async with _patiently(settings, dsn, keys, stop) as services:
        if services is not None:
            log.info("working", pid=os.getpid(), timers=len(TIMERS))
            async with aside(services_of(settings, dsn, keys)) as place:
                await work(services, stop, place)
    if watch:
        watch.cancel()
    log.info("stopped")
