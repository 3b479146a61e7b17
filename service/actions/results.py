"""What the moves of a result leave behind."""

from __future__ import annotations

from typing import Any

from service.actions.work import Item, Subject, Work
from service.domain.lifecycle import Given, Step
from service.domain.results import RESULT
from service.storage import results
from service.storage.tables import recognition as tables

SAID = (
    "source",
    "course_id",
    "course_code",
    "course_title",
    "owner",
    "owner_id",
    "credits",
    "scheme",
    "grade",
    "passed",
    "achieved_on",
)


def record(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The result as it was said; its event carries the amounts."""
    told = {name: given.get(name) for name in ("source", "course_id", "owner_id", "credits", "passed", "achieved_on")}
    return {name: given.get(name) for name in SAID} | {"event_data": told}


SUBJECT: Subject[Any] = Subject(
    "results",
    RESULT,
    tables.results,
    results.FACTS,
    births={"record": results.NEW_FACTS},
    effects={"record": record},
)
