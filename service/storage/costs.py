"""The cost ledger: what its rules may know, and how it is read."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, Uuid, bindparam, select

from service.domain.costs import CostDossier, NewCost
from service.storage.opening import FactsOf
from service.storage.tables.candidacies import candidacies
from service.storage.tables.placements import costs, placements
from service.storage.tables.trainees import documents, trainees
from service.storage.tenancy import mine
from service.storage.views import View, among, of_person

_k, _t = costs, trainees


def _theirs(table: Table, name: str) -> ColumnElement[bool]:
    return (
        select(table.c.id)
        .where(mine(table), table.c.id == bindparam(name, type_=Uuid), table.c.person_id == _t.c.id)
        .exists()
    )


FACTS: FactsOf[CostDossier] = FactsOf(_k, CostDossier, {"paid_on": _k.c.paid_on})
NEW_FACTS: FactsOf[NewCost] = FactsOf(
    _t,
    NewCost,
    {
        "placement_known": _theirs(placements, "placement_id"),
        "candidacy_known": _theirs(candidacies, "candidacy_id"),
        "receipt_known": _theirs(documents, "receipt_id"),
    },
    stream="id",
    birth=True,
    extra=("placement_id", "candidacy_id", "receipt_id"),
)
VIEW = View(
    _k,
    {
        "id": _k.c.id,
        "version": _k.c.version,
        "state": _k.c.state,
        "since_on": _k.c.since_on,
        "person_id": _k.c.person_id,
        "placement_id": _k.c.placement_id,
        "candidacy_id": _k.c.candidacy_id,
        "type": _k.c.type,
        "amount": _k.c.amount,
        "currency": _k.c.currency,
        "payer": _k.c.payer,
        "receiver": _k.c.receiver,
        "paid_on": _k.c.paid_on,
        "receipt_id": _k.c.receipt_id,
    },
    filters={
        "state": among(_k.c.state),
        "person_id": of_person(_k.c.person_id),
        "placement_id": among(_k.c.placement_id),
        "candidacy_id": among(_k.c.candidacy_id),
        "type": among(_k.c.type),
        "payer": among(_k.c.payer),
    },
)
