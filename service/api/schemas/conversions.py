"""Credit schemes, grading scales and conversions as clients read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from service.api.schemas.common import Out


class SourcedOut(Out):
    """A version of something that was read somewhere."""

    key: str = Field(description="Its code with its version: how others name it.")
    code: str
    version: str
    title: str
    effective_from: date | None = Field(description="Null where it is not known.")
    effective_to: date | None
    source: str
    source_url: str | None
    checked_on: date | None
    evidence: Literal["official", "secondary", "unverified"] = Field(description="How well the source was read.")
    note: str


class RateOut(Out):
    """How much of one kind of work is a credit."""

    kind: Literal["theory", "practice", "placement", "military", "overseas"]
    hours_per_credit: Decimal
    weeks: Decimal | None
    weeks_credits: Decimal | None


class CreditSchemeOut(SourcedOut):
    """One version of a credit scheme; hours are those of one credit."""

    full_year_credits: Decimal | None
    hours_min: Decimal | None
    hours_max: Decimal | None
    contact_min: Decimal | None
    contact_max: Decimal | None
    rates: list[RateOut]


class GradingScaleOut(SourcedOut):
    """One version of a grading scale."""

    direction: Literal["higher_better", "lower_better"]
    best: str | None
    min_pass: str | None
    steps: list[str] = Field(description="The best first; empty where every number between is a grade.")
    fail_labels: list[str]


class CreditSchemesOut(Out):
    """Every credit scheme."""

    items: list[CreditSchemeOut]


class GradingScalesOut(Out):
    """Every grading scale."""

    items: list[GradingScaleOut]


class TakenOut(Out):
    """An input that an earlier step gave."""

    step: int
    name: str


class TraceStepOut(Out):
    """One step: numbers are exact, a decimal where it ends, else a fraction (56/9)."""

    step: int
    formula: str
    reads: str = Field(description="The formula in words.")
    inputs: dict[str, Any]
    takes: dict[str, TakenOut] = Field(description="Which inputs are results of earlier steps.")
    rule: str | None
    source: str | None
    result: dict[str, Any]


class ConvertedOut(Out):
    """What came out, what rounding cut off, and how it was computed."""

    result: str
    remainder: str | None
    trace: list[TraceStepOut]


class ConversionOut(Out):
    """A conversion; nothing of it is kept."""

    as_of: date = Field(description="The day whose rules were applied.")
    credits: ConvertedOut | None
    grade: ConvertedOut | None
