"""Language tests and the validity of certificates as clients read them; the tests exactly as their data files say."""

from __future__ import annotations

import dataclasses
import types
from datetime import date
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel, Field, create_model

from service.api.inputs import Day, In
from service.api.problems import ReasonOut
from service.api.schemas.common import Asking, Out
from service.domain.languages import LanguageTest, Purpose, ValidityRule

MOST_JUDGED = 500


@cache
def out_of(kind: Any) -> type[BaseModel]:
    """What a client reads of a frozen dataclass of the domain."""
    hints = get_type_hints(kind)
    fields: dict[str, Any] = {f.name: (_shown(hints[f.name]), ...) for f in dataclasses.fields(kind)}
    return create_model(f"{kind.__name__}Out", __base__=Out, __doc__=kind.__doc__, **fields)


def _shown(kind: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return Union[tuple(_shown(a) for a in arguments)]  # noqa: UP007
    if origin is tuple:
        return list[_shown(arguments[0])]  # type: ignore[misc]
    return out_of(kind) if isinstance(kind, type) and dataclasses.is_dataclass(kind) else kind


class LanguageTestsOut(Out):
    """Every language test: its versions, papers, scales, cut-offs, CEFR tables and rules of validity, with sources."""

    tests: list[out_of(LanguageTest)]  # type: ignore[valid-type]
    sets: list[out_of(ValidityRule)] = Field(description="Tests that serve for one another.")  # type: ignore[valid-type]


class SourceOut(Out):
    """Where a rule stands, and how well that was read."""

    source: str
    source_url: str | None
    checked_on: date | None
    evidence: str = Field(description="official, secondary or unverified.")
    note: str


class GroundOut(ReasonOut):
    """One step of an explanation, with its source where it rests on one."""

    rule: str | None = Field(description="The key of the rule or table, as /v1/language-tests has it.")
    source: SourceOut | None


class ReadingOut(Out):
    """How a result was read: by the version of the test's day, with every step."""

    scheme: str | None
    paper: str | None
    passed: bool | None
    level: str | None
    cefr: str | None
    skills: dict[str, str | None] = Field(description="CEFR levels by section, for tests without a total.")
    evidence: str
    grounds: list[GroundOut]


class ValidityOut(Out):
    """Whether a certificate is good for a purpose on a day, and the rule that decided."""

    id: UUID
    purpose: Purpose
    on: date
    valid: bool
    verified: bool = Field(description="Whether somebody verified the certificate itself.")
    valid_until: date | None = Field(description="The last good day for this purpose, where there is one.")
    decided_by: GroundOut
    advice: list[GroundOut] = Field(description="What bodies often ask beside it; it decides nothing.")
    reading: ReadingOut | None = Field(description="How its level was read; null where nothing is known of the test.")


class ValidityAsked(Asking):
    """For what, and on which day."""

    purpose: Purpose = "general"
    on: Day | None = Field(default=None, description="The day of the event; today where none is named.")


class ValiditiesIn(In):
    """Many certificates for one purpose on one day."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_JUDGED)]
    purpose: Purpose = "general"
    on: Day | None = None


class JudgedOut(Out):
    """One certificate of many: judged, or not found."""

    id: UUID
    error: str | None
    validity: ValidityOut | None


class ValiditiesOut(Out):
    """Each certificate, in the order asked for."""

    items: list[JudgedOut]
