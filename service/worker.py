"""What goes on without anybody asking: events get their numbers, timers ring, old keys are let go.

Any number of workers may run on one database: an institution's feed has one holder at a time, and what a timer did is
done for all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import structlog

from service.actions.clock import TIMERS
from service.actions.timers import ring
from service.actions.work import Services
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
    """Something to do for each institution every so many seconds; it answers whether more of it waits."""

    name: str
    every: float
    do: Callable[[Services, UUID], Awaitable[bool]]


async def _number(services: Services, institution: UUID) -> bool:
    return await number_events(services.database, institution) == AT_MOST


async def _ring(services: Services, institution: UUID) -> bool:
    more = False
    for timer in TIMERS:
        more |= await ring(services, timer, institution, limit=RUNG_AT_ONCE) == RUNG_AT_ONCE
    return more


async def _forget(services: Services, institution: UUID) -> bool:
    return await forget_old_keys(services.database, institution) == AT_MOST


DUTIES = (Duty("feed", 0.2, _number), Duty("timers", 5, _ring), Duty("old_keys", 600, _forget))


async def work(services: Services, stop: asyncio.Event) -> None:
    """Do every duty, again and again, until told to stop; what has begun is finished."""
    await asyncio.gather(*(_keep(services, duty, stop) for duty in DUTIES))


async def _keep(services: Services, duty: Duty, stop: asyncio.Event) -> None:
    failures = 0
    while not stop.is_set():
        more = False
        try:
            more, failed = await _round(services, duty, stop)
        except DRIVER_ERRORS as error:
            _tell("round_failed", duty, error)
            failed = True
        failures = failures + 1 if failed else 0
        if failures:
            await pause(stop, min(LONGEST_WAIT, max(duty.every, 0.5 * 2 ** min(failures, 6))))
        elif not more:
            await pause(stop, duty.every)


async def _round(services: Services, duty: Duty, stop: asyncio.Event) -> tuple[bool, bool]:
    """Every institution once; whether more waits, and whether one of them failed. One's trouble is not another's."""
    more = failed = False
    for institution in await institutions_served(services.database):
        if stop.is_set():
            break
        try:
            more |= await duty.do(services, institution)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next institution has its turn
            failed = True
            _tell("duty_failed", duty, error, institution)
            if isinstance(error, Unavailable) or isinstance(translate(error), Unavailable):
                break  # for the others it is as far away
    return more, failed


def _tell(event: str, duty: Duty, error: BaseException, institution: UUID | None = None) -> None:
    """By types alone: messages may carry what people entered."""
    log.error(
        event,
        duty=duty.name,
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
            await work(services, stop)
    if watch:
        watch.cancel()
    log.info("stopped")
