"""Targets: how many people a year is to bring to a destination; set, changed and dropped, each time on the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from service.domain.actors import ADMIN, COORDINATOR
from service.domain.lifecycle import NEW, Dossier, Lifecycle, Rule, Takes

YEARS_BACK = 5
YEARS_AHEAD = 10
NUMBER_MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDossier(Dossier):
    """All that the rules of a target may know: what it is about, and how many it asks for."""

    year: int = 0
    destination: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTarget(Dossier):
    """What is known when a target is set: nothing but the day."""


NUMBER: Takes[Any] = Takes("number", int, "How many placements there are to be.", least=0, most=NUMBER_MOST)
KEEPERS = [COORDINATOR, ADMIN]

# fmt: off
TARGET = Lifecycle[Any]("target", [
    #    action  from     to         who      only if  leaves behind
    Rule("set",  [NEW],   "set",     KEEPERS, [],      "target.set", takes=[
        Takes("year", int, "The calendar year.", least=lambda f: f.today.year - YEARS_BACK, most=lambda f: f.today.year + YEARS_AHEAD),
        Takes("destination", Annotated[str, "country"], "The country to which they go."),
        NUMBER]),
    # Not taken back: the number before it is set again, and both stand in the record.
    Rule("edit", ["set"], "set",     KEEPERS, [],      "target.edited", takes=[NUMBER], undo=False),
    Rule("drop", ["set"], "dropped", KEEPERS, [],      "target.dropped"),
])
# fmt: on
