"""Reports of a year as clients read them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Asking, Out, StatefulOut

Cursor = Annotated[str, Field(max_length=60)]
Code = Annotated[str, Field(max_length=100)]


class WordsOut(Out):
    """Words in two languages."""

    en: str
    zh: str


class ReportOut(StatefulOut):
    """A report that was frozen: what it looked at, and the hash of its bytes."""

    report: str
    edition: int = Field(description="Of its definitions; an edition that was used never changes.")
    year: int
    as_of: date = Field(description="What was recorded up to the end of this day counts.")
    counted_until: datetime = Field(description="The instant before which an event was recorded that counts.")
    feed_no: int = Field(description="The last number of the feed that counts.")
    sha256: str = Field(description="Of the bytes of `/report.json`, in hexadecimal.")


class GroupOut(Out):
    """One group of a number."""

    group: str = Field(description="Its code or id; the words stand in `labels`.")
    value: int | Decimal | None


class FigureOut(Out):
    """A number, with its definition."""

    key: str
    title: WordsOut
    definition: WordsOut
    counts: Literal["steps", "standing", "decisions", "days", "targets", "share"]
    unit: Literal["items", "percent", "days"]
    subject: str | None = None
    actions: list[str] = Field(default_factory=list)
    states: list[str] = Field(default_factory=list)
    by: str | None = None
    share: dict[str, list[str]] | None = None
    value: int | Decimal | None = Field(description="Null where there is nothing to count from.")
    groups: list[GroupOut]


class SectionOut(Out):
    """Numbers under one heading."""

    key: str
    title: WordsOut
    figures: list[FigureOut]


class ContentOut(Out):
    """The report itself."""

    report: str
    edition: int
    title: WordsOut
    rule: WordsOut = Field(description="By which dates it counts.")
    institution: dict[str, str]
    year: int
    as_of: date
    first_on: date
    last_on: date
    standing_on: date = Field(description="The day on which what stands is looked at.")
    counted_until: datetime
    feed_no: int
    labels: dict[str, dict[str, WordsOut]] = Field(description="The words for groups, by what they are groups of.")
    sections: list[SectionOut]


class WholeReportOut(ReportOut):
    """A report with its numbers."""

    content: ContentOut


class CheckOut(Out):
    """The report once more from the record."""

    sha256: str = Field(description="As it was frozen.")
    rebuilt_sha256: str = Field(description="As the record gives it now, by the same cut.")
    same: bool


class DrawnAsked(Asking):
    """In which language a report is drawn."""

    language: Literal["en", "zh"] | None = Field(
        default=None, description="The language of the words; that of Accept-Language where none is given."
    )


class RowsAsked(Asking):
    """Which of the rows."""

    group: Code | None = Field(default=None, description="Only the rows of this group.")
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Cursor | None = Field(default=None, description="The `next` of the page before.")


class RowOut(Out):
    """One row that a number counts: ids and codes."""

    figure: str = Field(description="A share opens the rows of the figures of which it is made.")
    row_id: UUID
    group: str | None
    value: Decimal
    event_id: UUID = Field(description="The event by which it counts.")
    subject: str
    subject_id: UUID
    stream_id: UUID = Field(description="The person, where it is about one.")
    action: str
    occurred_on: date
    recorded_at: datetime


class RowsOut(Out):
    """A page of rows."""

    items: list[RowOut]
    next: str | None


class DifferenceOut(Out):
    """A number that would be another now."""

    figure: str
    group: str | None = Field(description="Null for the whole.")
    frozen: int | Decimal | None
    now: int | Decimal | None
    rows_gone: int = Field(description="Rows that count no longer, or not so.")
    rows_added: int
    events: int = Field(description="What was recorded since of these rows: corrections, and what came late.")
    event_ids: list[UUID] | None = Field(
        description="These events, at most a thousand for each of its figures; null for who reads numbers alone."
    )


class DifferencesOut(Out):
    """The report held against the record as it is now."""

    as_of: date
    counted_until: datetime
    items: list[DifferenceOut]
