"""Programmes and curricula as clients read them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Out, StatefulOut
from service.domain.languages import Purpose


class ProofOut(Out):
    """A test that is asked for, and its lowest level."""

    test: str
    level: str | None = Field(description="Null where any passed one will do.")
    purpose: Purpose | None = Field(default=None, description="For what it must be good; null is as its issuer says.")


class StageOut(Out):
    """One part of a programme, at home or abroad."""

    no: int
    place: Literal["home", "abroad"]
    years: Decimal
    title: str
    credits_required: Decimal
    languages: list[ProofOut] = Field(description="Tests of language, one of which is proven before the next stage.")


class ProgrammeOut(StatefulOut):
    """What an institution educates for."""

    code: str
    title_native: str
    title_latin: str
    kind: Literal["x_plus_x", "degree", "vocational", "language", "short_course", "other"]
    level: int = Field(description="ISCED 2011.")
    field: str = Field(description="ISCED-F 2013.")
    stages: list[StageOut]
    languages: list[ProofOut] = Field(description="Tests of language, one of which completion asks for.")
    certificates: list[str] = Field(description="Kinds of certificate that completion asks for.")
    curriculum_no: int | None = Field(description="The newest version of its curriculum; null where it has none.")


class CurriculumCourseOut(Out):
    """One course of a curriculum."""

    course_id: UUID
    stage: int
    required: bool
    code: str
    edition: int
    title_native: str
    title_latin: str
    credits: Decimal


class CurriculumOut(Out):
    """One version of a programme's curriculum."""

    id: UUID
    no: int
    set_at: datetime
    courses: list[CurriculumCourseOut]


class CurriculaOut(Out):
    """Every version, the newest first."""

    items: list[CurriculumOut]
