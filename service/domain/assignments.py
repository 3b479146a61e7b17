"""Whose people are whose: each person in one coordinator's care, with a deputy for a time, and handed over whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes, because


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentDossier(Dossier):
    """All that the rules of an assignment may know; `named_coordinator` is whether the account that is named is one."""

    coordinator_id: UUID | None = None
    deputy_id: UUID | None = None
    named_coordinator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAssignment(Dossier):
    """What is known of a person before they are in somebody's care."""

    assigned: bool = False
    named_coordinator: bool = False


# ---- guards
def not_assigned_yet(a: NewAssignment) -> Reason | None:
    """Whoever is in somebody's care is handed over, and not assigned a second time."""
    return Reason("not_assigned_yet", required="hand_over") if a.assigned else None


def a_coordinator(a: Any, _given: Given) -> Reason | None:
    """The account that is named is a coordinator of the institution."""
    return None if a.named_coordinator else Reason("coordinator_known", pointer="/coordinator_id")


def another_coordinator(a: AssignmentDossier, given: Given) -> Reason | None:
    """People are handed over to somebody else."""
    if given["coordinator_id"] == a.coordinator_id:
        return Reason("another_coordinator", pointer="/coordinator_id")
    return None


def deputy_fits(a: AssignmentDossier, given: Given) -> Iterator[Reason]:
    """The deputy is another coordinator, for days in order."""
    if not a.named_coordinator:
        yield Reason("coordinator_known", pointer="/deputy_id")
    if given["deputy_id"] == a.coordinator_id:
        yield Reason("another_coordinator", pointer="/deputy_id")
    if given["until_on"] < given["from_on"]:
        yield Reason("dates_in_order", required=given["from_on"], actual=given["until_on"], pointer="/until_on")


def has_deputy(a: AssignmentDossier) -> Reason | None:
    """There is a deputy to call back."""
    return None if a.deputy_id else Reason("has_deputy")


WHO = (COORDINATOR, ADMIN)
TO: Takes[Any] = Takes("coordinator_id", UUID, "The account of the coordinator who takes care of them.")
UNTIL: Takes[Any] = Takes(
    "until_on", date, "The last day of the deputy.", least=lambda a: a.today, code="in_future"
)  # fmt: skip

# fmt: off
ASSIGNMENT = Lifecycle[Any]("assignment", [
    #    action        from          to          who  only if             leaves behind
    Rule("assign",     [NEW],        "assigned", WHO, [not_assigned_yet], "assignment.assigned",
         takes=[TO], checks=[a_coordinator]),
    # Not taken back: people are handed back, and both handovers stand in their record.
    Rule("hand_over",  ["assigned"], "assigned", WHO, [],                 "assignment.handed_over",
         takes=[TO, because("absence", "left_institution", "workload", "reorganisation", "other")],
         checks=[a_coordinator, another_coordinator], undo=False),
    Rule("deputise",   ["assigned"], "assigned", WHO, [],                 "assignment.deputised",
         takes=[Takes("deputy_id", UUID, "The account of the coordinator who stands in."),
                Takes("from_on", date, "The first day of the deputy."), UNTIL], checks=[deputy_fits], undo=False),
    Rule("call_back",  ["assigned"], "assigned", WHO, [has_deputy],       "assignment.deputy_called_back", undo=False),
    Rule("end",        ["assigned"], "ended",    WHO, [],                 "assignment.ended",
         takes=[because("no_longer_needed", "left_institution", "other")]),
])
# fmt: on
