"""Calendars over HTTP: the holidays over which terms of working days are counted."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from service.actions.working_days import calendar
from service.api.operations import Asked, Operation, Operations, respond
from service.api.schemas.common import Asking, Out


class YearQuery(Asking):
    """Which year."""

    year: Annotated[int, Field(ge=1950, le=2099)]


class HolidayOut(Out):
    """A day on which nobody works."""

    on: date
    name: str


class CalendarOut(Out):
    """A year of a country. Weekends that are worked are known once they are announced, in the autumn before."""

    country: str
    year: int
    holidays: list[HolidayOut]
    working_weekends: list[date]
    source: str
    evidence: str


async def _calendar(asked: Asked) -> Response:
    return respond(await calendar(asked.services, asked.call, asked.path["country"], asked.query.year))


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("packs")
    o.add(
        Operation(
            "GET",
            "/calendars/{country}",
            "calendars_get",
            "Holidays and worked weekends of a country",
            _calendar,
            "read",
            "packs.read",
            CalendarOut,
            query=YearQuery,
            codes=("country",),
        )
    )
    return [o]
