"""How days are counted: months from an issue, ages, working days over a calendar that is data."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from datetime import date, timedelta

SATURDAY = 5


def add_months(start: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it has no such day."""
    index = start.year * 12 + start.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def add_working_days(
    start: date, days: int, holidays: Collection[date], working_weekends: Collection[date] = ()
) -> date:
    """The last day of a term of working days, counted from the day after the event.

    `working_weekends` are the Saturdays and Sundays on which work is made up for (China declares them each year).
    Raises ValueError for a negative number of days.
    """
    if days < 0:
        raise ValueError(f"a term of {days} working days")
    day = start
    while days:
        day += timedelta(days=1)
        if day in working_weekends or (day.weekday() < SATURDAY and day not in holidays):
            days -= 1
    return day


def age_on(birth_on: date, on: date) -> int:
    """The age in full years; who was born on 29 February is a year older on 1 March of a common year."""
    return on.year - birth_on.year - ((on.month, on.day) < (birth_on.month, birth_on.day))
