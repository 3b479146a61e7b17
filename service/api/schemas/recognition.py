"""Recognition cases and the ledger as clients read them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Out, Paged, StatefulOut


class CaseItemOut(Out):
    """A share of a result, and what it is to count as."""

    id: UUID
    result_id: UUID
    result_title: str
    target_course_id: UUID | None
    target: str | None
    share_percent: Decimal
    credits: Decimal = Field(description="What is claimed, in the result's own scheme.")
    scheme: str


class DecisionOut(Out):
    """What was decided of an item; of an item's decisions the one of the highest round stands."""

    id: UUID
    item_id: UUID
    round: int
    action: Literal["decide", "decide_appeal"]
    outcome: Literal["recognised", "partially_recognised", "not_recognised"]
    credits_awarded: Decimal
    difference_codes: list[str]
    reason_text: str | None
    decided_by: UUID
    decided_on: date


class AppealOut(Out):
    """An appeal, and what became of it."""

    id: UUID
    lodged_by: UUID
    lodged_on: date
    grounds: str | None
    outcome: Literal["upheld", "amended", "remitted", "voided"] | None
    reason_text: str | None
    decided_by: UUID | None
    decided_on: date | None


class RecognitionCaseOut(StatefulOut):
    """A case of recognition. A trainee reads the decisions once they are notified."""

    person_id: UUID
    kind: Literal["transcript", "prior_learning"]
    supersedes_id: UUID | None
    due_on: date
    overdue: bool
    evidence_wanted: list[str] | None
    evidence_until: date | None
    decided_on: date | None
    appeal_until: date | None = Field(description="The last day for an appeal.")
    items: list[CaseItemOut]
    decisions: list[DecisionOut]
    appeals: list[AppealOut]


class LedgerQuery(Paged):
    """Which entries."""

    include: None = None
    person_id: UUID | None = Field(default=None, description="Only those of this person.")
    course_id: UUID | None = Field(default=None, description="Only those for this course.")
    case_id: UUID | None = Field(default=None, description="Only those of this recognition case.")


class EntryOut(Out):
    """An entry of the ledger; a sum is made of credits times sign, and no entry is ever changed."""

    id: UUID
    person_id: UUID
    course_id: UUID | None
    target: str | None
    credits: Decimal
    sign: Literal[-1, 1]
    item_id: UUID
    case_id: UUID
    entered_on: date
    entered_at: datetime
