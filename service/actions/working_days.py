"""Holidays and worked weekends of a country, as terms of working days are counted over them."""

from __future__ import annotations

from typing import Any

from service.actions import reading
from service.actions.work import Call, Missing, Services
from service.storage.calendars import calendar_of, holidays_of

SOURCE = "The Python package holidays"


async def calendar(services: Services, call: Call, country: str, year: int) -> dict[str, Any]:
    """The calendar of a country for a year.

    Raises:
        Missing: its holidays are not known.
    """
    reading.check(await reading.who_asks(services, call), "packs.read")
    named = holidays_of(country, year)
    if named is None:
        raise Missing
    return {
        "country": country,
        "year": year,
        "holidays": [{"on": d, "name": name} for d, name in named.items()],
        "working_weekends": sorted(calendar_of(country, (year,)).working_weekends),
        "source": SOURCE,
        "evidence": "secondary",
    }
