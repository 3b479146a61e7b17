"""The definitions of reports from their files, and the words for the groups of their figures."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from service.domain.reports import Definitions, Words

ANNUAL = "annual-1"
"""The edition that is frozen now; those before it stay beside it."""
LISTS = {
    "destination": "countries",
    "class_kind": "class_kinds",
    "reason": "reasons",
    "outcome": "recognition_outcomes",
}
NOT_STATED: Words = {"en": "Not stated", "zh": "未注明"}


@cache
def definitions(name: str = ANNUAL) -> Definitions:
    """One edition.

    Raises:
        FaultyDefinition: it says something that cannot be.
    """
    file = resources.files("service.data") / "reports" / f"{name}.json"
    return Definitions.read(json.loads(file.read_text(encoding="utf-8")))


@cache
def _codes(name: str) -> dict[str, Words]:
    file = resources.files("service.data") / "codes" / f"{name}.json"
    listed: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["codes"]
    return {code["code"]: {"en": code["en"], "zh": code["zh"]} for code in listed}


def words_for(by: str, group: str) -> Words:
    """What a group is called; its code where no list knows it."""
    if group == "none":
        return NOT_STATED
    known = _codes(LISTS[by]) if by in LISTS else {}
    name = group.replace("_", " ")
    return known.get(group) or {"en": name.upper() if by == "test" else name, "zh": name.upper()}
