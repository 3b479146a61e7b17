"""Assignments: one coordinator a person, handed over to another, with a deputy who is another still."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import ADMIN, COORDINATOR, Actor
from service.domain.assignments import ASSIGNMENT, AssignmentDossier, NewAssignment
from service.domain.imports import IMPORT
from service.domain.lifecycle import KERNEL_ACTIONS, NEW, LastStep, Offer, Reason, Refused

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
MINE, OTHER, DEPUTY = (UUID(int=n) for n in (1, 2, 3))
BORN = NewAssignment(state=NEW, today=TODAY, named_coordinator=True)
HELD = AssignmentDossier(state="assigned", today=TODAY, coordinator_id=MINE, deputy_id=DEPUTY, named_coordinator=True)
WHY = {"reason_code": "absence"}


def against(action: str, facts: Any, **given: Any) -> list[tuple[str, str | None]]:
    """The reasons against an action, each with its pointer."""
    try:
        ASSIGNMENT.decide(action, facts, Actor(MINE, frozenset({COORDINATOR})), given)
    except Refused as no:
        return [(r.code, r.pointer) for r in no.reasons]
    return []


def test_person_is_assigned_once_and_to_a_coordinator() -> None:
    assert against("assign", BORN, coordinator_id=OTHER) == []
    assert against("assign", replace(BORN, assigned=True), coordinator_id=OTHER) == [("not_assigned_yet", None)]
    stranger = replace(BORN, named_coordinator=False)
    assert against("assign", stranger, coordinator_id=OTHER) == [("coordinator_known", "/coordinator_id")]


def test_person_is_handed_over_to_another_coordinator() -> None:
    assert against("hand_over", HELD, coordinator_id=OTHER, **WHY) == []
    assert against("hand_over", HELD, coordinator_id=MINE, **WHY) == [("another_coordinator", "/coordinator_id")]
    stranger = replace(HELD, named_coordinator=False)
    assert against("hand_over", stranger, coordinator_id=OTHER, **WHY) == [("coordinator_known", "/coordinator_id")]


@pytest.mark.parametrize(
    ("facts", "given", "found"),
    [
        ({}, {}, []),
        ({}, {"until_on": TODAY - DAY}, [("in_future", "/until_on")]),
        ({}, {"from_on": TODAY - DAY}, []),
        ({}, {"from_on": TODAY + DAY}, [("dates_in_order", "/until_on")]),
        ({}, {"deputy_id": MINE}, [("another_coordinator", "/deputy_id")]),
        ({"named_coordinator": False}, {}, [("coordinator_known", "/deputy_id")]),
        (
            {"named_coordinator": False},
            {"deputy_id": MINE, "from_on": TODAY + DAY},
            [("coordinator_known", "/deputy_id"), ("another_coordinator", "/deputy_id"), ("dates_in_order", "/until_on")],
        ),
    ],
)  # fmt: skip
def test_deputy_is_another_coordinator_for_days_to_come(
    facts: dict[str, Any], given: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    said = {"deputy_id": OTHER, "from_on": TODAY, "until_on": TODAY} | given
    assert against("deputise", replace(HELD, **facts), **said) == found


def test_deputy_is_called_back_where_there_is_one() -> None:
    assert against("call_back", HELD) == []
    assert against("call_back", replace(HELD, deputy_id=None)) == [("has_deputy", None)]


@pytest.mark.parametrize("action", ["hand_over", "deputise", "call_back"])
def test_handover_is_undone_by_another_and_not_taken_back(action: str) -> None:
    """People are handed back: both handovers stand in their record, and a coordinator who is gone does not return."""
    last = LastStep(2, action, "assigned", "assigned", TODAY)
    for role in (COORDINATOR, ADMIN):
        with pytest.raises(Refused) as no:
            ASSIGNMENT.decide("correct", replace(HELD, last_step=last), Actor(MINE, frozenset({role})), {"note": "x"})
        assert [r.code for r in no.value.reasons] == ["correctable"]


def test_what_is_shut_offers_every_action_closed_for_the_one_reason() -> None:
    """Births and what the clock alone does are not offered; corrections are, where there are any."""
    reason = Reason("erased")
    assert ASSIGNMENT.shut(reason) == [
        Offer(action, open=False, to=to, reasons=(reason,), inputs=())
        for action, to in (
            ("hand_over", ("assigned",)), ("deputise", ("assigned",)), ("call_back", ("assigned",)), ("end", ("ended",)),
            *((a, ()) for a in KERNEL_ACTIONS),
        )
    ]  # fmt: skip
    assert [o.action for o in IMPORT.shut(reason)] == ["stop", "apply", "void", "keep"]
    assert {o.to for o in IMPORT.shut(reason)} == {("failed",), ("applying",), ("voiding",), ("applied",)}
