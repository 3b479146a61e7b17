"""Clock readings and weekly series: what a timetable says in the time of a place, as instants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from service.domain.lifecycle import Reason

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAILY, WEEKLY = "DAILY", "WEEKLY"
WEEK = timedelta(days=7)


def instant_of(local: datetime, zone: str, offset: timedelta | None = None) -> tuple[datetime, Reason | None]:
    """The instant at which clocks of the zone show this; with a reason where they show it never, or twice.

    When clocks go forward a reading between the two is taken by the offset before; when they go back it is taken as the
    first of the two, unless `offset` says which (RFC 5545, 3.3.5).
    """
    first, second = (local.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC), None
    instant = first.astimezone(UTC)
    shown = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if shown != local:
        return instant, Reason("time_not_on_clock", required=zone, actual=shown)
    if offset is not None and offset in (first.utcoffset(), second.utcoffset()):
        return (first if first.utcoffset() == offset else second).astimezone(UTC), None
    return instant, Reason("time_twice_on_clock", required=zone, actual=instant)


@dataclass(frozen=True, slots=True)
class Series:
    """A recurrence by days or weeks (RFC 5545, 3.3.10): `days` are weekdays from Monday, 0, none where any will do."""

    freq: str
    interval: int = 1
    days: Sequence[int] = ()
    count: int | None = None
    until: datetime | None = None
    week_start: int = 0


def occurrences(start: datetime, series: Series, last: datetime, most: int) -> list[datetime]:
    """The clock readings of a series from its start to `last`, the clock held when it changes; `most` and one at most.

    Days before the start do not count; a start that the rule itself does not name is no occurrence.
    """
    until = last if series.until is None else min(last, series.until)
    wanted = set(series.days) or ({start.weekday()} if series.freq == WEEKLY else set(range(7)))
    monday = start - timedelta(days=(start.weekday() - series.week_start) % 7)
    found: list[datetime] = []
    at = start
    while at <= until and len(found) <= most and (series.count is None or len(found) < series.count):
        in_step = (
            (at - start).days % series.interval == 0
            if series.freq == DAILY
            else ((at - monday) // WEEK) % series.interval == 0
        )
        if in_step and at.weekday() in wanted:
            found.append(at)
        at += timedelta(days=1)
    return found
