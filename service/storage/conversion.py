"""Credit schemes and grading scales that come with the service, read once from their files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from service.domain.conversion import CreditScheme, GradingScale, Source, WorkRate

NUMBERS = ("full_year_credits", "hours_min", "hours_max", "contact_min", "contact_max")


def data_file(name: str) -> Any:
    """A file of the folder of conversions."""
    return json.loads(files("service.data").joinpath("conversion", name).read_text(encoding="utf-8"))


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def source_of(row: dict[str, Any]) -> Source:
    """Where a row was read; its fields are taken out of it."""
    return Source(
        source=row.pop("source"),
        source_url=row.pop("source_url"),
        checked_on=_day(row.pop("checked_on")),
        evidence=row.pop("evidence"),
    )


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its dates and its source; an unknown field is refused by the class that it becomes."""
    source = source_of(row)
    return row | {"source": source} | {name: _day(row[name]) for name in ("effective_from", "effective_to")}


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value is None else Decimal(value) for name, value in row.items()}


@cache
def shipped_schemes() -> tuple[CreditScheme, ...]:
    """Every version of every credit scheme."""
    found = []
    for row in data_file("credit_schemes.json")["schemes"]:
        rates: list[dict[str, Any]] = [
            {n: v if n == "kind" else Decimal(v) for n, v in r.items()} for r in row.pop("rates", ())
        ]
        numbers = _numbers({name: row[name] for name in NUMBERS})
        found.append(CreditScheme(**_dated(row) | numbers, rates=tuple(WorkRate(**r) for r in rates)))
    return tuple(found)


@cache
def shipped_scales() -> tuple[GradingScale, ...]:
    """Every version of every grading scale."""
    return tuple(
        GradingScale(**_dated(row) | {name: tuple(row[name]) for name in ("steps", "fail_labels")})
        for row in data_file("grading_scales.json")["scales"]
    )
