"""What the moves of a consent leave behind."""

from __future__ import annotations

from typing import Any

from service.actions.placement_requests import release_seat
from service.actions.work import Item, Subject, Work
from service.domain.consents import CONSENT, ConsentDossier
from service.domain.lifecycle import Given, Step
from service.storage import consents as stored
from service.storage.tables import trainees as tables
from service.storage.tables.candidacies import candidacies


def request(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """What the person is asked, in the words of the notice that they are shown."""
    about = {name: given.get(name) for name in ("purpose", "recipient_id", "ends_on")}
    fields = list(given["fields"])
    return about | {"fields": fields, "notice": given["notice"], "event_data": about | {"fields": fields}}


def give(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """It holds from the day it was given to its last day, if it has one."""
    days = {"given_on": work.occurred_on, "ends_on": given.get("ends_on") or item.dossier.ends_on}
    return days | {"event_data": days}


def withdraw(work: Work, item: Item[ConsentDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """Whatever stood on it ends with it, and a seat that was reserved is free again."""
    standing = item.dossier.standing
    for c in standing:
        work.follow(candidacies, "lose_consent", c.id, item.stream, c.state, c.version, data={"consent_id": item.id})
        if c.state == "offered":
            release_seat(work, c.seats)
    return {"event_data": {"candidacies": [c.id for c in standing]}}


def take_back(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """It was not given after all; the last day that was asked for is in the record."""
    return {"given_on": None}


SUBJECT: Subject[Any] = Subject(
    "consents",
    CONSENT,
    tables.consents,
    stored.FACTS,
    births={"request": stored.NEW_FACTS},
    effects={"request": request, "give": give, "withdraw": withdraw},
    undo={"give": take_back},
)
