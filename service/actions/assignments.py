"""What the moves of an assignment leave behind: who takes care of whom, in each person's own record."""

from __future__ import annotations

from typing import Any

from service.actions.work import Item, Subject, Work
from service.domain.assignments import ASSIGNMENT
from service.domain.lifecycle import Given, Step
from service.storage import assignments as stored
from service.storage.tables.assignments import assignments

NO_DEPUTY = {"deputy_id": None, "deputy_from_on": None, "deputy_until_on": None}


def assign(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """In somebody's care."""
    to = {"coordinator_id": given["coordinator_id"]}
    return to | {"event_data": to}


def hand_over(_work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """In another's care; a deputy stood in for the one before."""
    to = {"coordinator_id": given["coordinator_id"]}
    return to | NO_DEPUTY | {"event_data": to | {"from_id": item.dossier.coordinator_id}}


def deputise(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Somebody stands in for a time."""
    days = {"deputy_from_on": given["from_on"], "deputy_until_on": given["until_on"]}
    return days | {"deputy_id": given["deputy_id"], "event_data": days | {"deputy_id": given["deputy_id"]}}


def call_back(_work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Nobody stands in any longer."""
    return NO_DEPUTY | {"event_data": {"deputy_id": item.dossier.deputy_id}}


SUBJECT: Subject[Any] = Subject(
    "assignments",
    ASSIGNMENT,
    assignments,
    stored.FACTS,
    births={"assign": stored.NEW_FACTS, "hand_over": stored.HAND_OVER_FACTS, "deputise": stored.DEPUTY_FACTS},
    effects={"assign": assign, "hand_over": hand_over, "deputise": deputise, "call_back": call_back},
)
