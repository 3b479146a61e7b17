"""How long stages take, from its file: house figures, by pathway where one differs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

from service.domain.planning import WAY, Duration, Durations
from service.domain.requirements.model import MARKS
from service.storage.packs import Fault, FaultyPack

FILE = "house-1.json"
UNITS = ("days", "working_days")


@cache
def _file() -> dict[str, Any]:
    text = (resources.files("service.data") / "durations" / FILE).read_text(encoding="utf-8")
    return dict(json.loads(text))


def _faulty(row: str, problem: str) -> FaultyPack:
    return FaultyPack(FILE, [Fault("", row, "pack_value_unknown", problem)])


def _read(rows: Iterable[dict[str, Any]]) -> dict[str, Duration]:
    found = {}
    for row in rows:
        d = Duration(**row)
        if d.stage not in WAY or d.unit not in UNITS or not 0 <= d.minimum <= d.usual:
            raise _faulty(d.stage, "an unknown stage or unit, or more at least than as a rule")
        if (d.unit == "working_days") != (d.calendar is not None):
            raise _faulty(d.stage, "working days need a calendar, and days have none")
        if d.evidence not in (None, *MARKS):
            raise _faulty(d.stage, "an unknown mark")
        found[d.stage] = d
    return found


@cache
def durations_of(pathway: str) -> Durations:
    """The durations of a pathway. Raises FaultyPack."""
    said = _file()
    if said["evidence"] not in MARKS:
        raise _faulty("evidence", "an unknown mark")
    by_stage = _read(said["stages"]) | _read(said["pathways"].get(pathway, ()))
    return Durations(
        by_stage=by_stage,
        margin_days=said["margin_days"],
        results_days=said["results_days"],
        results_of={row["test"]: row["days"] for row in said["results"]},
        source=said["source"],
        evidence=said["evidence"],
    )


def planning_countries(durations: Durations) -> frozenset[str]:
    """The countries whose working days count."""
    return frozenset(d.calendar for d in durations.by_stage.values() if d.calendar)
