"""Sittings of language tests and registrations as clients read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from service.api.inputs import In
from service.api.problems import ReasonOut
from service.api.schemas.common import Out, StatefulOut


class SittingOut(StatefulOut):
    """One day of a test at one place, with the places that the institution has there."""

    test: str
    level: str | None = Field(description="The level, or the paper that gives several.")
    place: str
    time_zone: str
    held_on: date
    register_until: date = Field(description="The last day on which one can register, as it is reckoned at the place.")
    places: int
    taken: int
    fee: Decimal | None
    currency: str | None


class SittingRegistrationOut(StatefulOut):
    """Somebody's place in a sitting, and what came of it."""

    person_id: UUID
    name_native: str
    name_latin: str
    sitting_id: UUID
    test: str
    level: str | None
    held_on: date
    place: str
    admission_no: str | None
    certificate_id: UUID | None = Field(description="The certificate that the result left, for another to verify.")
    ended_because: str | None


class ResultsIn(In):
    """What is said of a sheet of results."""

    dry_run: bool = Field(default=False, description="Only say what would become of each row.")


class FindingOut(Out):
    """Something about a cell."""

    column: str = Field(description="The header of its column; empty where it is about the whole row.")
    reason: ReasonOut


class ResultRowOut(Out):
    """What became of a row, or would."""

    line: int = Field(description="As the spreadsheet counts.")
    outcome: Literal["record", "recorded", "already_there", "faulty"]
    registration_id: UUID | None
    result: str | None = Field(description="passed, failed or absent.")
    level: str | None
    cefr: str | None
    certificate_id: UUID | None
    findings: list[FindingOut]


class ResultsOut(Out):
    """A report on every row of a sheet."""

    sitting_id: UUID
    dry_run: bool
    kind: str = Field(description="How the file was written: xlsx, utf-8 or gb18030.")
    outcomes: dict[str, int]
    ignored: list[str] = Field(description="Headers that nobody knew.")
    items: list[ResultRowOut]
