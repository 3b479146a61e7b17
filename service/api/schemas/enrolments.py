"""Enrolments as clients read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Out, StatefulOut


class EnrolmentOut(StatefulOut):
    """One person's way through a programme."""

    person_id: UUID
    application_id: UUID
    intake_id: UUID
    programme_id: UUID
    curriculum_id: UUID | None = Field(description="By which curriculum they study; fixed when they enrol.")
    source: str
    holds_place: bool
    stage: int
    fee: Literal["paid", "scholarship", "hardship", "employer_pays", "no_fee"] | None
    leave_from: date | None
    leave_until: date | None
    entered_on: date | None = Field(description="When a foreign student entered the country.")
    reason_code: str | None
    abroad: bool = Field(description="Whether the person is abroad for an exchange or a placement.")


class StageCourseOut(Out):
    """One course of a stage, and how it is settled."""

    course_id: UUID
    code: str
    required: bool
    credits: Decimal
    standing: Literal["earned", "recognised", "waived", "open"]


class StageStandingOut(Out):
    """One stage: what it asks for before the next one, what is there, and what is missing."""

    no: int
    place: Literal["home", "abroad"]
    title: str
    standing: Literal["behind", "present", "ahead"]
    fulfilled: bool = Field(description="Nothing of it is missing.")
    required: Decimal = Field(description="Credits that it asks for.")
    earned: Decimal = Field(description="Credits of our own verified results.")
    recognised: Decimal = Field(description="Credits by the ledger; the same course never counts twice.")
    waived: Decimal
    missing: Decimal
    languages: list[str] = Field(description="Tests, one of which is proven before the next stage.")
    language_missing: bool
    courses: list[StageCourseOut]
    courses_missing: list[UUID] = Field(description="Required courses that are neither passed, recognised nor waived.")


class StagesOut(Out):
    """The stages in order."""

    items: list[StageStandingOut]
