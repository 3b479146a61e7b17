"""What the moves of a requirement item leave behind."""

from __future__ import annotations

from typing import Any

from service.actions.work import Item, Subject, Work
from service.domain.lifecycle import Given, Step
from service.domain.requirement_items import REQUIREMENT_ITEM
from service.storage import requirement_items as stored
from service.storage.tables.placements import requirement_items

DATED = ("issued_on", "valid_from", "valid_until")


def _handed_in(work: Work, given: Given) -> dict[str, Any]:
    """The dates and the documents, and who brought them."""
    days = {name: given.get(name) for name in DATED}
    documents = list(given.get("evidence") or ())
    said = {n: d for n, d in days.items() if d} | {"documents": len(documents)}
    return days | {
        "documents": documents,
        "value": given.get("value") or {},
        "supplied_by": work.actor.account_id,
        "event_data": said,
    }


def _of_subject(item: Item[Any], given: Given) -> dict[str, Any]:
    d = item.dossier
    return {
        "subject_kind": d.subject_kind,
        "subject_id": d.subject_id,
        "person_id": d.person_id,
        "stream_id": item.stream,
        "key": given["key"],
    }


def supply(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Handed in for the first time."""
    columns = _of_subject(item, given) | _handed_in(work, given)
    return columns | {"event_data": {"key": given["key"]} | columns["event_data"]}


def _approved(work: Work, given: Given) -> dict[str, Any]:
    """Who let it go, and why."""
    return {"waived_by": work.actor.account_id, "waived_because": given["reason_code"]}


def waive(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Let go before anything was handed in."""
    said = {"documents": [], "value": {}, "event_data": {"key": given["key"]}}
    return _of_subject(item, given) | _approved(work, given) | said


def let_go(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Let go after it was handed in."""
    return _approved(work, given) | {"event_data": {"key": item.dossier.key}}


def resupply(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Handed in again: other dates, other documents."""
    columns = _handed_in(work, given)
    return columns | {"event_data": {"key": item.dossier.key} | columns["event_data"]}


def judged(_work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Accepted or rejected."""
    return {"event_data": {"key": item.dossier.key}}


SUBJECT: Subject[Any] = Subject(
    "requirement_items",
    REQUIREMENT_ITEM,
    requirement_items,
    stored.FACTS,
    births={"supply": stored.NEW_FACTS, "waive": stored.NEW_FACTS},
    effects={
        "supply": supply,
        "waive": waive,
        "resupply": resupply,
        "accept": judged,
        "reject": judged,
        "let_go": let_go,
    },
)
