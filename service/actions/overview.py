"""The overview: where everybody stands, what is secured, left and due, how tests and recognition went."""

from __future__ import annotations

from typing import Any

from service.actions.reading import records
from service.actions.work import Call, Services
from service.storage.overview import LINES_MOST, reading_of
from service.storage.views import ASKED


async def figures(services: Services, call: Call, part: str, given: dict[str, Any]) -> dict[str, Any]:
    """The lines of one part of the overview, and how many were left off.

    Raises:
        Refused: the actor reads no reports.
    """
    statement = reading_of(part, call.eyes)
    asked = {name: given.get(name) for name in ("stage", "programme_id", "destination", "year")}
    known = {name: value for name, value in asked.items() if name in statement.known}
    _, found = await records(services, call, statement, "reports.read", **known)
    lines = [dict(list(r.items())[ASKED:]) for r in found if r["lines_all"] is not None]
    total = lines[0]["lines_all"] if lines else 0
    for line in lines:
        del line["lines_all"]
    return {"items": lines, "left_off": max(total - LINES_MOST, 0)}


TIMES = ("cases", "days_median", "days_nine_of_ten", "days_most")


async def recognition(services: Services, call: Call, given: dict[str, Any]) -> dict[str, Any]:
    """Outcomes of recognition, and the days that first decisions took."""
    found = await figures(services, call, "recognition", given)
    times = {name: found["items"][0][name] for name in TIMES}
    lines = [{k: v for k, v in line.items() if k not in TIMES} for line in found["items"] if line["outcome"]]
    return {"items": lines, "left_off": 0} | times
