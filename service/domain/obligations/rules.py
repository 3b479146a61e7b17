"""When something falls due: after an event, every so often, or ahead of the end of what somebody holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from service.domain.requirements import Due, Obligation, Packs, Source, add_months, add_working_days

Watched = Literal["authorisation", "visa", "passport", "insurance", "relationship"]
ONCE = ""
"""The period of what an event opens once, however often it is recorded anew."""
EVENTS: Mapping[str, str] = {
    "collect_documents": "contracts_signed",
    "depart": "departed",
    "arrive": "arrived",
    "start_work": "started_work",
    "extend": "acceptance_changed",
    "return_early": "acceptance_changed",
    "terminate": "acceptance_changed",
    "report_missing": "acceptance_changed",
}
"""What the packs call a step of a placement."""
LEFT, JOINED = "acceptance_changed", "employer_changed"
"""What a completed transfer tells: the first of the former employer, the second of the new one and the worker."""
REPEATED = frozenset({LEFT, JOINED, "risk_reserve_used"})
"""Events that happen more than once: each day of them opens what follows from it."""
TOLD = frozenset(EVENTS.values()) - REPEATED
"""Events that steps alone tell; the others can be reported by hand."""
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a country on which nobody works, and the weekends on which work is made up for."""

    holidays: Collection[date]
    working_weekends: Collection[date] = ()


Calendars = Mapping[str, Calendar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Something that runs out: it opens so many days before its last day, and is due so many days before."""

    key: str
    title: str
    watches: Watched
    items: tuple[str, ...]
    opens_days: int
    due_days: int
    providers: tuple[str, ...]
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRules:
    """What falls due by dates alone: things that run out, and checks that come back."""

    pin: str
    watches: tuple[Watch, ...] = ()
    checks: tuple[Obligation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One obligation as a rule opens it; the first four name it, and it is opened once."""

    rule: str
    pin: str
    event: str
    period: str
    event_on: date
    due_on: date | None
    providers: tuple[str, ...]

    @property
    def name(self) -> tuple[str, str, str, str]:
        """What there is once for a subject."""
        return (self.rule, self.pin, self.event, self.period)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """An obligation as other capabilities know it."""

    id: UUID
    version: int
    state: str
    rule: str
    pin: str
    event: str
    period: str
    event_on: date

    @property
    def name(self) -> tuple[str, str, str, str]:
        """What there is once for a subject."""
        return (self.rule, self.pin, self.event, self.period)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the clock looks at: until when things are good, since when somebody is there, and what stands already."""

    rules: tuple[tuple[str, Obligation], ...] = ()
    started: Mapping[str, date | None] = field(default_factory=dict, hash=False)
    ended_on: date | None = None
    live: bool = True
    until: Mapping[str, date | None] = field(default_factory=dict, hash=False)


def add_years(start: date, years: int) -> date:
    """The same day of a later year; 28 February where there is no 29th."""
    return add_months(start, years * MONTHS)


def last_day(due: Due | None, on: date, calendars: Calendars, times: int = 1) -> date | None:
    """The last day of a time after an event, the day of the event not counted; None where the source names no time."""
    if due is None:
        return None
    if due.unit == "days":
        return on + timedelta(days=due.count * times)
    if due.unit == "years":
        return add_years(on, due.count * times)
    calendar = calendars.get(due.calendar or "", Calendar(()))
    return add_working_days(on, due.count * times, calendar.holidays, calendar.working_weekends)


def in_force(row: Obligation, on: date | None) -> bool:
    """Whether the rule is in force on a day; a rule without a time is judged on no day."""
    if on is None:
        return True
    return (row.effective_from is None or row.effective_from <= on) and (
        row.effective_to is None or on <= row.effective_to
    )


def comes_back(row: Obligation) -> bool:
    """Whether it falls due again and again: every so many years."""
    return row.due is not None and row.due.unit == "years"


def rows_of(packs: Packs) -> tuple[tuple[str, Obligation], ...]:
    """Every obligation of the packs, with the pack's pin."""
    return tuple((p.pin, o) for p in packs.all for o in p.obligations)


def opened_by_event(
    rows: Iterable[tuple[str, Obligation]], event: str, on: date, calendars: Calendars
) -> Iterator[Opening]:
    """What an event opens on its day; of what comes back, the first time."""
    for pin, row in rows:
        due = last_day(row.due, on, calendars)
        judged = due if comes_back(row) else on
        if row.event == event and in_force(row, judged):
            period = "1" if comes_back(row) else on.isoformat() if event in REPEATED else ONCE
            yield Opening(
                rule=row.key, pin=pin, event=event, period=period, event_on=on, due_on=due, providers=row.providers
            )


def opened_by_clock(held: Held, house: HouseRules, today: date, calendars: Calendars) -> Iterator[Opening]:
    """What has opened by a day: each period that has begun, each end that is near, and what an event opened.

    The step that tells of an event opens what follows from it; what came here by another way, with its days behind it,
    is caught up by the clock.

    Nothing is left out for having been missed: after any time the same openings come out, and those that stand
    already are told by their names.
    """
    for pin, row in [*((p, r) for p, r in held.rules if comes_back(r)), *((house.pin, c) for c in house.checks)]:
        yield from _periods(pin, row, held, today, calendars)
    once = [(pin, row) for pin, row in held.rules if not comes_back(row)]
    for event, on in held.started.items():
        if on is not None and on <= today:
            yield from opened_by_event(once, event, on, calendars)
    if not held.live:
        return
    for w in house.watches:
        until = held.until.get(w.watches)
        if until is not None and until - timedelta(days=w.opens_days) <= today:
            yield Opening(
                rule=w.key, pin=house.pin, event=f"{w.watches}_ends", period=until.isoformat(), event_on=until,
                due_on=until - timedelta(days=w.due_days), providers=w.providers,
            )  # fmt: skip


def _periods(pin: str, row: Obligation, held: Held, today: date, calendars: Calendars) -> Iterator[Opening]:
    start, times = held.started.get(row.event), 1
    if start is None:
        return
    opens: date | None = start
    while opens is not None and opens <= today:
        if held.ended_on is not None and times > 1 and opens > held.ended_on:
            return
        due = last_day(row.due, start, calendars, times)
        if in_force(row, due):
            yield Opening(
                rule=row.key, pin=pin, event=row.event, period=str(times), event_on=start, due_on=due,
                providers=row.providers,
            )  # fmt: skip
        opens, times = due, times + 1


def opened(duty: Duty, event: str | None, on: date | None) -> bool:
    """Whether an obligation that is not done yet was opened by that event of that day."""
    return duty.state == "pending" and duty.event == event and duty.event_on == on
