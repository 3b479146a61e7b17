"""Equivalence rules: what was decided once and holds for all, in editions of which no two hold on one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import COORDINATOR, REGISTRAR, SYSTEM
from service.domain.equivalences import Equivalence, courses_known, sound
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule(Dossier):
    """What is known when a rule is drafted: courses that are our own or others', and the last edition of its key.

    `person_known`: whoever it is promised to is one of the institution's people.
    """

    own: frozenset[UUID] = frozenset()
    others: frozenset[UUID] = frozenset()
    last_edition: int = 0
    person_known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDossier(Dossier):
    """All that the moves of a rule may know: its days, and how many decisions were taken by it."""

    valid_from: date
    valid_until: date | None = None
    used: int = 0


def equivalence_sound(r: NewRule, given: Given) -> list[Reason]:
    """Sources and targets are courses of the catalogue, each once; what replaces is counted for courses of our own."""
    e: Equivalence = given["equivalence"]
    return sound(e) + courses_known(e, r.own, r.others, "/equivalence")


def promise_whole(r: NewRule, given: Given) -> list[Reason]:
    """A promise names the person and the day on which it was agreed, before the results that it is about."""
    person, day = given.get("person_id"), given.get("promised_on")
    if person is None and day is None:
        return []
    if person is None or day is None:
        return [Reason("promise_whole", required=["person_id", "promised_on"], pointer="/promised_on")]
    found = []
    if not r.person_known:
        found.append(Reason("person_known", pointer="/person_id"))
    if day > given["valid_from"]:
        found.append(Reason("days_in_order", required=day, actual=given["valid_from"], pointer="/valid_from"))
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
    Takes("person_id", UUID, "To whom it was promised; none for a rule for all.", needed=False),
    Takes(
        "promised_on",
        date,
        "The day of the agreement that promised it.",
        needed=False,
        most=lambda r: r.today,
        code="promised_on_past",
    ),
)
ENDED: tuple[Takes[Any], ...] = (
    Takes("valid_until", date, "The last day on which a result may have been achieved.", least=lambda r: r.valid_from),
)

# fmt: off
RECOGNITION_RULE = Lifecycle[Any]("recognition_rule", [
    #    action      from                 to         who                       only if  leaves behind
    Rule("draft",    [NEW],               "draft",   [REGISTRAR, COORDINATOR], [],      "recognition_rule.drafted",
         takes=DRAFTED, checks=[equivalence_sound, days_in_order, promise_whole]),
    Rule("save",     [NEW],               "active",  [SYSTEM],                 [],      "recognition_rule.saved", undo=[not_used]),
    Rule("activate", ["draft"],           "active",  [REGISTRAR],              [],      "recognition_rule.activated", undo=[not_used]),
    Rule("end",      ["active"],          "active",  [REGISTRAR],              [],      "recognition_rule.ended",
         takes=ENDED, undo=False),
    Rule("retire",   ["draft", "active"], "retired", [REGISTRAR],              [],      "recognition_rule.retired"),
])
# fmt: on
