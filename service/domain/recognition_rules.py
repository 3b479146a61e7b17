"""Equivalence rules: what was decided once and holds for all, in editions of which no two hold on one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import COORDINATOR, REGISTRAR
from service.domain.equivalences import Equivalence, sound
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule(Dossier):
    """What is known when a rule is drafted: courses that are our own or others', and the last edition of its key."""

    own: frozenset[UUID] = frozenset()
    others: frozenset[UUID] = frozenset()
    last_edition: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDossier(Dossier):
    """All that the moves of a rule may know: its days, and how many decisions were taken by it."""

    valid_from: date
    valid_until: date | None = None
    used: int = 0


def equivalence_sound(r: NewRule, given: Given) -> list[Reason]:
    """Sources and targets are courses of the catalogue, each once; what replaces is counted for courses of our own."""
    e: Equivalence = given["equivalence"]
    found = sound(e)
    found += [
        Reason("course_known", pointer=f"/equivalence/sources/{n}/course_id")
        for n, s in enumerate(e.sources)
        if s.course_id not in r.own | r.others
    ]
    found += [
        Reason("course_known", pointer=f"/equivalence/targets/{n}/course_id")
        for n, t in enumerate(e.targets)
        if t.course_id not in r.own
    ]
    return found


def days_in_order(_: NewRule, given: Given) -> Reason | None:
    """A rule does not end before it begins."""
    until = given.get("valid_until")
    if until is not None and until < given["valid_from"]:
        return Reason("days_in_order", required=given["valid_from"], actual=until, pointer="/valid_until")
    return None


def not_used(r: RuleDossier) -> Reason | None:
    """A rule by which something was decided is retired or ended, not taken back."""
    return Reason("rule_not_used", required=0, actual=r.used) if r.used else None


DRAFTED: tuple[Takes[Any], ...] = (
    Takes("rule_key", Annotated[str, "line"], "Its name, the same for all its editions."),
    Takes("equivalence", Equivalence, "What counts as what, and how credits and grades are converted."),
    Takes("rationale", str, "Why the outcomes are alike, in writing."),
    Takes("automatic", bool, "Whether a case may be decided by it without a person."),
    Takes("valid_from", date, "The first day on which a result may have been achieved."),
    Takes("valid_until", date, "The last such day; none where it is open.", needed=False),
)
ENDED: tuple[Takes[Any], ...] = (
    Takes("valid_until", date, "The last day on which a result may have been achieved.", least=lambda r: r.valid_from),
)

# fmt: off
RECOGNITION_RULE = Lifecycle[Any]("recognition_rule", [
    #    action      from                 to         who                       only if  leaves behind
    Rule("draft",    [NEW],               "draft",   [REGISTRAR, COORDINATOR], [],      "recognition_rule.drafted",
         takes=DRAFTED, checks=[equivalence_sound, days_in_order]),
    Rule("activate", ["draft"],           "active",  [REGISTRAR],              [],      "recognition_rule.activated", undo=[not_used]),
    Rule("end",      ["active"],          "active",  [REGISTRAR],              [],      "recognition_rule.ended",
         takes=ENDED, undo=False),
    Rule("retire",   ["draft", "active"], "retired", [REGISTRAR],              [],      "recognition_rule.retired"),
])
# fmt: on
