"""Clock readings as instants, over the changes of the clock, and weekly series as RFC 5545 counts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.domain.lifecycle import Reason
from service.domain.training.clocks import DAILY, WEEKLY, Series, instant_of, occurrences

BERLIN, SHANGHAI = "Europe/Berlin", "Asia/Shanghai"
MONDAY = datetime(2026, 11, 23, 9)  # noqa: DTZ001 - a reading of a clock, before it is an instant
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def reading(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute)  # noqa: DTZ001 - likewise


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("local", "zone", "instant"),
    [
        (reading(11, 23, 9), SHANGHAI, at(11, 23, 1)),
        (reading(7, 1, 9), BERLIN, at(7, 1, 7)),
        (reading(12, 1, 9), BERLIN, at(12, 1, 8)),
        (reading(3, 29, 1, 59), BERLIN, at(3, 29, 0, 59)),
        (reading(3, 29, 3), BERLIN, at(3, 29, 1)),
        (reading(10, 25, 3), BERLIN, at(10, 25, 2)),
    ],
)
def test_reading_is_an_instant_of_its_zone(local: datetime, zone: str, instant: datetime) -> None:
    assert instant_of(local, zone) == (instant, None)
    assert instant_of(local, zone, 5 * HOUR) == (instant, None)


def test_reading_that_clocks_skip_is_taken_by_the_offset_before() -> None:
    """On 29 March 2026 Berlin goes from 2:00 to 3:00; RFC 5545, 3.3.5."""
    shown = Reason("time_not_on_clock", required=BERLIN, actual=reading(3, 29, 3, 30))
    for offset in (None, HOUR, 2 * HOUR):
        assert instant_of(reading(3, 29, 2, 30), BERLIN, offset) == (at(3, 29, 1, 30), shown)


def test_reading_that_clocks_show_twice_is_the_first_unless_it_is_said() -> None:
    """On 25 October 2026 Berlin goes from 3:00 back to 2:00."""
    local, first, second = reading(10, 25, 2, 30), at(10, 25, 0, 30), at(10, 25, 1, 30)
    twice = Reason("time_twice_on_clock", required=BERLIN, actual=first)
    assert instant_of(local, BERLIN) == (first, twice)
    assert instant_of(local, BERLIN, 2 * HOUR) == (first, None)
    assert instant_of(local, BERLIN, HOUR) == (second, None)
    assert instant_of(local, BERLIN, 3 * HOUR) == (first, twice)


@pytest.mark.parametrize(
    ("series", "days"),
    [
        (Series(DAILY), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
        (Series(DAILY, 3), [0, 3, 6, 9, 12]),
        (Series(DAILY, days=(5, 6)), [5, 6, 12, 13]),
        (Series(DAILY, count=2), [0, 1]),
        (Series(DAILY, until=MONDAY + 2 * DAY), [0, 1, 2]),
        (Series(DAILY, until=MONDAY + 2 * DAY - HOUR), [0, 1]),
        (Series(DAILY, 7, until=MONDAY + 99 * DAY), [0, 7, 14]),
        (Series(WEEKLY), [0, 7, 14]),
        (Series(WEEKLY, days=(0, 2)), [0, 2, 7, 9, 14]),
        (Series(WEEKLY, 2, days=(0, 4)), [0, 4, 14]),
        (Series(WEEKLY, days=(1,)), [1, 8]),  # a start that the rule does not name is no occurrence
        (Series(WEEKLY, days=(1, 3), count=3), [1, 3, 8]),
    ],
)
def test_series_are_the_days_that_their_rule_names(series: Series, days: list[int]) -> None:
    assert occurrences(MONDAY, series, MONDAY + 14 * DAY, 99) == [MONDAY + n * DAY for n in days]


@pytest.mark.parametrize(("week_start", "days"), [(0, [0, 5, 14]), (6, [0, 12, 14])])
def test_series_of_every_other_week_begin_it_where_the_rule_does(week_start: int, days: list[int]) -> None:
    """RFC 5545, 3.3.10, WKST: from a Tuesday on, whether Sunday ends the week or begins it."""
    tuesday = MONDAY + DAY
    found = occurrences(tuesday, Series(WEEKLY, 2, days=(1, 6), week_start=week_start), tuesday + 14 * DAY, 99)
    assert found == [tuesday + n * DAY for n in days]


def test_series_stop_at_one_more_than_the_most() -> None:
    assert len(occurrences(MONDAY, Series(DAILY), MONDAY + 99 * DAY, 9)) == 10
    assert occurrences(MONDAY, Series(DAILY), MONDAY - DAY, 9) == []
