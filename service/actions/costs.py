"""What the moves of the cost ledger leave behind."""

from __future__ import annotations

from typing import Any

from service.actions.work import Item, Subject, Work
from service.domain.costs import COST
from service.domain.lifecycle import Given, Step
from service.storage import costs as stored
from service.storage.tables.placements import costs

NAMED = ("placement_id", "candidacy_id", "type", "amount", "currency", "payer", "receiver", "receipt_id")


def record(work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The payment, on the day on which it was made."""
    columns = {name: given.get(name) for name in NAMED} | {"paid_on": work.occurred_on}
    said = {name: given[name] for name in ("type", "amount", "currency", "payer", "receiver")}
    return columns | {"event_data": said}


SUBJECT: Subject[Any] = Subject(
    "costs", COST, costs, stored.FACTS, births={"record": stored.NEW_FACTS}, effects={"record": record}
)
