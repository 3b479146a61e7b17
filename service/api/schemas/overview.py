"""The overview as clients read it: figures, and nothing about a person."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Asking, Out, StatefulOut

T = TypeVar("T")
Year = Annotated[int, Field(ge=1900, le=2200)]


class TargetOut(StatefulOut):
    """How many placements a year is to bring to a destination."""

    year: int
    destination: str
    number: int


class FiguresOut(Out, Generic[T]):
    """Figures; all that there are, unless it says how many lines were left off."""

    items: list[T]
    left_off: int = Field(description="Lines beyond those that are shown; ask for less to see them.")


class FunnelAsked(Asking):
    """Which part of the funnel."""

    stage: Annotated[str, Field(max_length=40)] | None = Field(default=None, description="Only this stage.")
    programme_id: UUID | None = Field(default=None, description="Only this programme.")
    destination: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = Field(
        default=None, description="Only this destination."
    )
    year: Year | None = Field(default=None, description="Only this year.")


class FunnelOut(Out):
    """How many people stand at one stage, by what they study, where they go and the year they began."""

    stage: str
    programme_id: UUID | None = Field(description="Of the latest application; null where there is none.")
    programme_code: str | None
    destination: str | None = Field(
        description="Of the live placement, or else of the latest one or the live candidacy from nomination on."
    )
    year: int | None = Field(description="The year in which the intake of the latest application starts.")
    people: int


class YearAsked(Asking):
    """Which year."""

    year: Year | None = Field(default=None, description="Only this calendar year.")


class TargetLineOut(Out):
    """A year and a destination: what was to be reached, and what is secured."""

    year: int
    destination: str
    target: int | None = Field(description="Null where none is set.")
    secured: int = Field(
        description="Placements contracted for that destination that have not fallen through (cancelled, voided, or "
        "ended by a death before departure or work). Their year is that of the planned departure, else of the first "
        "day of work, else of the contract."
    )
    live: int = Field(description="Those of them that are under way now, from contracting on.")
    missing: int | None = Field(description="What the target still lacks; null where none is set.")


class PlacesOut(Out):
    """The places of one intake and source."""

    intake_id: UUID
    intake_code: str
    programme_id: UUID
    programme_code: str
    starts_on: date
    state: str
    source: str = Field(description="`*` is every source that has no places of its own.")
    places: int
    taken: int
    left: int


class SeatsOut(Out):
    """The seats of one request that runs."""

    request_id: UUID
    destination: str
    pathway: str
    state: str
    closes_on: date | None
    seats: int
    offered: int
    taken: int
    used: int
    left: int


class DueOut(Out):
    """What is to be done of one kind, by how soon."""

    kind: Literal[
        "recognition_decision",
        "recognition_evidence",
        "offer_answer",
        "relationship_renewal",
        "obligation",
        "placement_end",
    ]
    overdue: int = Field(description="The day has passed.")
    within_7_days: int = Field(description="Today and the six days after.")
    within_30_days: int = Field(description="From the seventh day on.")
    later: int


PASS_RATES = ("class", "assessment", "certificate", "sitting")
"""Of what there is a pass rate; `pass_rate.<of>` of the catalogues says how each is counted."""


class PassRateOut(Out):
    """Members of classes with a result, or marks of their assessments, by kind of class; certificates by test."""

    of: Literal[PASS_RATES]  # type: ignore[valid-type]
    kind: str = Field(description="The kind of class; for a certificate or a sitting the test.")
    passed: int = Field(description="Of certificates: verified. Of sittings: who sat and passed.")
    failed: int = Field(description="Of certificates: rejected or revoked. Of sittings: who sat and failed.")
    percent: Decimal = Field(description="Passed of all with a result, to one decimal, half up.")


class PassRatesOut(FiguresOut[PassRateOut]):
    """Pass rates, and how each of them is counted."""

    definitions: dict[Literal[PASS_RATES], str] = Field(  # type: ignore[valid-type]
        description="In the reader's language; certificates and sittings of one test are two rates of different people."
    )


class RecognitionOut(Out):
    """Items decided, by the outcome of their last decision, and the days from opening to the first decision."""

    outcome: str
    items: int
    credits: Decimal = Field(description="Credits awarded by these decisions.")


class RecognitionTimesOut(FiguresOut[RecognitionOut]):
    """Outcomes, and how long the first decision of a case took."""

    cases: int
    days_median: int | None
    days_nine_of_ten: int | None = Field(description="Nine of ten cases were decided within so many days.")
    days_most: int | None
