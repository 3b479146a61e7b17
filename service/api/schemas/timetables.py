"""Timetables as files: what comes in, and what is told of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.api.problems import ReasonOut
from service.api.schemas.common import Out


class TimetableIn(BaseModel):
    """What is said beside the file."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(default=True, description="Only tell what would be done; false to do it.")


class TimetableLineOut(Out):
    """One line of the file, and what it does."""

    line: int = Field(description="The line of the sheet, or the event of the calendar, counted from 1.")
    does: str = Field(description="add, change, cancel, reinstate, same, or faulty.")
    session_id: UUID | None = Field(description="The meeting that it names, where the class has it.")
    uid: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    hours: Decimal | None
    reasons: list[ReasonOut] = Field(description="Why it does nothing; the pointer names the column.")
    remarks: list[ReasonOut] = Field(description="How something was understood.")


class TimetableReportOut(Out):
    """What a timetable does to a class, line by line."""

    dry_run: bool
    version: int = Field(description="Of the class, for If-Match.")
    counts: dict[str, int] = Field(description="Lines by what they do.")
    not_in_file: int = Field(description="Meetings of the class that the file does not name; they stay.")
    lines: list[TimetableLineOut]
