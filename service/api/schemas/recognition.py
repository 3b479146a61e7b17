"""Recognition cases and the ledger as clients read them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from service.api.problems import ReasonOut
from service.api.schemas.common import Out, Paged, StatefulOut
from service.api.schemas.conversions import TraceStepOut
from service.domain.equivalences import Mode


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
    action: Literal["decide", "decide_by_rule", "decide_alike", "decide_appeal"]
    outcome: Literal["recognised", "partially_recognised", "not_recognised"]
    credits_awarded: Decimal
    difference_codes: list[str]
    reason_text: str | None
    overlap_percent: Decimal | None = Field(description="How much of the target's content was covered.")
    grade_awarded: str | None
    rule_id: UUID | None = Field(description="The edition of the rule by which it was decided.")
    mode: Literal["full", "partial", "elective"] | None = Field(
        description="As what it counts; null counts as nothing."
    )
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
    programme_id: UUID | None = Field(description="The programme whose regulation is applied.")
    sign_off: list[str] = Field(description="Roles that have yet to sign what was decided, in order.")
    items: list[CaseItemOut]
    decisions: list[DecisionOut]
    appeals: list[AppealOut]


class TracedOut(Out):
    """A decision with its steps; `holds` where each, computed again now, gives what it gave."""

    decision_id: UUID
    item_id: UUID
    round: int
    credits_awarded: Decimal
    grade_awarded: str | None
    rule_id: UUID | None
    trace: dict[str, list[TraceStepOut]] = Field(description="Of the credits, and of the grade where it has one.")
    holds: bool
    wrong_steps: dict[str, list[int]]


class TracesOut(Out):
    """How every decided number came about."""

    items: list[TracedOut]


class PrecedentOut(Out):
    """What was decided before of the same course for the same target."""

    item_id: UUID
    outcome: Literal["recognised", "partially_recognised", "not_recognised"]
    decisions: int
    credits_least: Decimal
    credits_most: Decimal
    last_on: date


class PrecedentsOut(Out):
    """By item of the case and by outcome."""

    items: list[PrecedentOut]


class AwardOut(Out):
    """What an item would get."""

    item_id: UUID
    credits_awarded: Decimal
    grade_awarded: str | None
    rule_id: UUID | None
    mode: Mode
    trace: dict[str, list[TraceStepOut]]


class WouldGetOut(Out):
    """What a case would get, or why not."""

    id: UUID
    version: int | None
    would: bool
    error: Literal["not-found", "refused"] | None
    awards: list[AwardOut]
    reasons: list[ReasonOut]


class PreviewOut(Out):
    """What a decision would be for each case; nothing was written."""

    would: int
    items: list[WouldGetOut]


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
    mode: Literal["full", "partial", "elective"] | None = Field(
        description="As what it counts; an elective is for no course."
    )
    item_id: UUID
    case_id: UUID
    entered_on: date
    entered_at: datetime
