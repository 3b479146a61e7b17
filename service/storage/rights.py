"""By when somebody who asks about their own data is answered, from its file."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from service.domain.correction_requests import AnswerRule
from service.domain.requirements import Source
from service.domain.requirements.model import MARKS
from service.storage.packs import Fault, FaultyPack

FILE = "house-1.json"
UNITS = ("days", "months")


@cache
def answer_rules() -> tuple[AnswerRule, ...]:
    """The rules for requests to correct. Raises FaultyPack."""
    text = (resources.files("service.data") / "rights" / FILE).read_text(encoding="utf-8")
    said = json.loads(text)
    rules = tuple(_rule(row, f"{said['key']}@{said['version']}") for row in said["corrections"])
    if sum(not r.countries for r in rules) != 1:
        raise FaultyPack(FILE, [Fault("", "corrections", "pack_value_unknown", "one rule is for every other country")])
    return rules


def _rule(row: dict[str, Any], pin: str) -> AnswerRule:
    due, day = row["due"], row["checked_on"]
    if row["evidence"] not in MARKS or due["unit"] not in UNITS or due["count"] < 1:
        raise FaultyPack(FILE, [Fault("", row["key"], "pack_value_unknown", "an unknown mark or unit, or no time")])
    source = Source(row["source"], row["url"], date.fromisoformat(day) if day else None, row["evidence"], pin)
    return AnswerRule(
        key=row["key"],
        countries=frozenset(row["countries"]),
        count=due["count"],
        unit=due["unit"],
        extension_months=row["extension_months"],
        source=source,
    )


@cache
def source_of(rule: str) -> dict[str, Any] | None:
    """Where a rule was read; a rule that is no longer there says nothing."""
    s = next((r.source for r in answer_rules() if r.key == rule), None)
    if s is None:
        return None
    day = s.checked_on.isoformat() if s.checked_on else None
    return {"text": s.text, "url": s.url, "checked_on": day, "evidence": s.evidence, "pack": s.pack}
