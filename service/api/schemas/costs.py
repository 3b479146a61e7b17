"""The cost ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from service.api.schemas.common import StatefulOut


class CostOut(StatefulOut):
    """Who paid what to whom."""

    person_id: UUID
    placement_id: UUID | None
    candidacy_id: UUID | None
    type: str
    amount: Decimal
    currency: str
    payer: str
    receiver: str
    paid_on: date
    receipt_id: UUID | None
