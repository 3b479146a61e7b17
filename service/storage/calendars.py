"""Working days by country: public holidays and made-up weekends, from the `holidays` package.

China announces each year's made-up weekends in the autumn before; for a year that is not announced yet the holidays
themselves are known, and no weekend is worked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache

from holidays import country_holidays

from service.domain.obligations import Calendar

FIRST_YEAR, LAST_YEAR = 1950, 2099


@cache
def _year(country: str, year: int) -> Calendar:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return Calendar(frozenset())
    try:
        found = country_holidays(country, years=year)
    except NotImplementedError:
        return Calendar(frozenset())
    return Calendar(frozenset(found), frozenset(d for d in found.weekend_workdays if d.year == year))


def holidays_of(country: str, year: int) -> dict[date, str] | None:
    """The public holidays of a year by their English names; None where the country's are not known."""
    try:
        found = country_holidays(country, years=year, language="en_US")
    except NotImplementedError:
        return None
    return {d: found[d] for d in sorted(found)}


@cache
def calendar_of(country: str, years: tuple[int, ...]) -> Calendar:
    """A country's calendar over some years; one without holidays where the country's are not known."""
    parts = [_year(country, y) for y in years]
    return Calendar(
        frozenset(d for p in parts for d in p.holidays), frozenset(d for p in parts for d in p.working_weekends)
    )


def calendars(countries: Iterable[str], on: date) -> dict[str, Calendar]:
    """The calendars for terms that begin on a day: its year, the one before and the two after."""
    years = tuple(range(on.year - 1, on.year + 3))
    return {c: calendar_of(c, years) for c in countries}


def calendars_between(countries: Iterable[str], first: date, last: date) -> dict[str, Calendar]:
    """The calendars for terms that lie between two days, a year to either side."""
    years = tuple(range(max(first.year - 1, FIRST_YEAR), min(last.year + 1, LAST_YEAR) + 1))
    return {c: calendar_of(c, years) for c in countries}
