"""The cost ledger: who paid what to whom for a person's way abroad; wrong rows are corrected, never rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import COORDINATOR, GUARDIAN, TRAINEE
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes

COST_TYPES = (
    "agency_fee",
    "medical",
    "insurance",
    "test",
    "training",
    "equipment",
    "travel",
    "lodging",
    "admin",
    "deposit",
    "penalty",
)
"""After the ILO's definition of recruitment fees and related costs; deposits and penalties are there to be refused."""
PAYERS = ("trainee", "family", "enterprise", "agency", "school", "public_fund")
RECEIVERS = (*PAYERS, "clinic", "authority", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class CostDossier(Dossier):
    """All that the rules of a payment may know."""

    paid_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCost(Dossier):
    """What is known when a payment is recorded: whether what it names is this person's."""

    placement_known: bool = False
    candidacy_known: bool = False
    receipt_known: bool = False


def all_known(c: NewCost, given: Given) -> list[Reason]:
    """The placement, the candidacy and the receipt that are named are this person's."""
    known = {"placement": c.placement_known, "candidacy": c.candidacy_known, "receipt": c.receipt_known}
    return [
        Reason(f"{what}_known", pointer=f"/{what}_id")
        for what, there in known.items()
        if given.get(f"{what}_id") is not None and not there
    ]


RECORDED: tuple[Takes[Any], ...] = (
    Takes("placement_id", UUID, "The placement for which it was paid.", needed=False),
    Takes("candidacy_id", UUID, "The candidacy for which it was paid.", needed=False),
    Takes("type", str, "What was paid for.", choices=COST_TYPES, code="cost_type_known"),
    Takes("amount", Decimal, "How much.", least=Decimal("0.01")),
    Takes("currency", Annotated[str, "currency"], "ISO 4217."),
    Takes("payer", str, "Who paid.", choices=PAYERS, code="payer_known"),
    Takes("receiver", str, "Who was paid.", choices=RECEIVERS, code="receiver_known"),
    Takes("receipt_id", UUID, "The document that shows it.", needed=False),
)
WHO = (COORDINATOR, TRAINEE, GUARDIAN)

# fmt: off
COST = Lifecycle[Any]("cost", [
    #    action    from          to          who            only if  leaves behind
    Rule("record", [NEW],        "recorded", WHO,           [],      "cost.recorded", takes=RECORDED, checks=[all_known]),
    Rule("repay",  ["recorded"], "repaid",   [COORDINATOR], [],      "cost.repaid", evidence=True),
])
# fmt: on
