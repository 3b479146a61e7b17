"""What must be kept of somebody, from its file: rules of law by country, each with its source."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from service.domain.requirements.model import MARKS
from service.domain.retention import Retention
from service.storage.packs import Fault, FaultyPack

FILE = "house-1.json"


def _read(row: dict[str, Any]) -> Retention:
    if set(row) != {f.name for f in fields(Retention)} or row["evidence"] not in MARKS:
        raise FaultyPack(FILE, [Fault("", row.get("code", ""), "pack_value_unknown", "an unknown field or mark")])
    checked = row["checked_on"]
    return Retention(
        **row
        | {
            "states": tuple(row["states"]),
            "dated_on": date.fromisoformat(row["dated_on"]),
            "checked_on": date.fromisoformat(checked) if checked else None,
        }
    )


@cache
def retention_rules() -> tuple[Retention, ...]:
    """Every rule of the file. Raises FaultyPack."""
    text = (resources.files("service.data") / "retention" / FILE).read_text(encoding="utf-8")
    return tuple(_read(row) for row in json.loads(text)["rules"])


@cache
def retention_of(country: str) -> tuple[Retention, ...]:
    """The rules that hold in a country."""
    return tuple(r for r in retention_rules() if r.country == country)
