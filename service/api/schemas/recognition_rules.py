"""Equivalence rules and regulations as clients read them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Out, StatefulOut


class RuleSourceOut(Out):
    """A course elsewhere, and what its result must be."""

    course_id: UUID
    min_grade: Decimal | None
    lower_is_better: bool
    min_credits: Decimal | None


class RuleTargetOut(Out):
    """A course at home."""

    course_id: UUID
    credits: Decimal | None


class RecognitionRuleOut(StatefulOut):
    """One edition of a rule: all its sources together count as all its targets."""

    rule_key: str
    edition: int
    rationale: str
    automatic: bool
    valid_from: date
    valid_until: date | None
    credit_policy: dict[str, Any] | None
    grade_policy: dict[str, Any] | None
    mode: Literal["full", "partial", "elective"]
    differences: list[str]
    conditions: str | None
    person_id: UUID | None = Field(description="To whom it was promised; null for a rule for all.")
    promised_on: date | None
    sources: list[RuleSourceOut]
    targets: list[RuleTargetOut]


class PartnerConversionOut(Out):
    """How a partner's credits and grades are converted from a day on, where a rule does not say itself."""

    id: UUID
    no: int
    effective_from: date
    credit_policy: dict[str, Any] | None
    grade_policy: dict[str, Any] | None
    set_at: datetime


class PartnerConversionsOut(Out):
    """Every version, the newest first."""

    items: list[PartnerConversionOut]


class CategoryCapOut(Out):
    """The most credits for courses of one kind."""

    kind: Literal["theory", "practice", "placement", "elective"]
    credits: Decimal


class SubstitutionOut(Out):
    """A kind of course elsewhere that may count for a course of another kind here."""

    source: Literal["theory", "practice", "placement"]
    target: Literal["theory", "practice", "placement"]


class DefaultOut(Out):
    """Where a value that a programme did not set itself was read."""

    name: str
    source: str
    source_url: str | None
    checked_on: date | None
    evidence: Literal["official", "secondary", "unverified"]


class RegulationOut(Out):
    """One version of a programme's regulation of recognition; null is no limit."""

    id: UUID
    no: int
    effective_from: date
    hours_per_credit: Decimal
    full_year_credits: Decimal | None
    credits_per_course: Decimal | None
    credits_per_kind: list[CategoryCapOut]
    credits_in_all: Decimal | None
    credits_gap: Decimal | None
    overlap_percent: Decimal | None
    elective_for_required: bool
    signatures: list[str]
    substitutions: list[SubstitutionOut] = Field(description="Permitted ones; an empty list is no limit.")
    set_at: datetime
    defaults: list[DefaultOut] = Field(description="The values that the programme did not set itself, with sources.")


class RegulationsOut(Out):
    """Every version, the newest first."""

    items: list[RegulationOut]
