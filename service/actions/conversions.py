"""A calculator of credits and grades: it answers with every step, and keeps nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from service.actions import reading
from service.actions.work import Call, Services
from service.domain.conversion import (
    CreditPolicy,
    CreditScheme,
    GradePolicy,
    GradingScale,
    Trace,
    convert_credits,
    convert_grade,
    plain,
)
from service.domain.lifecycle import Reason, Refused
from service.storage.conversion import shipped_scales, shipped_schemes
from service.storage.views import day_there


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsAsked:
    """Credits to convert, and how."""

    amount: Decimal
    policy: CreditPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeAsked:
    """A grade to convert, and how. With a field or a cycle, a distribution of another one is refused."""

    grade: Annotated[str, "line"]
    passed: bool
    policy: GradePolicy
    field: Annotated[str, "line"] | None = None
    cycle: Annotated[str, "line"] | None = None


def _sourced(what: CreditScheme | GradingScale) -> dict[str, Any]:
    row = dataclasses.asdict(what)
    source: dict[str, Any] = row.pop("source")
    return row | source | {"key": what.key}


async def schemes(services: Services, call: Call) -> list[dict[str, Any]]:
    """Every credit scheme, each version with its source."""
    reading.check(await reading.who_asks(services, call), "conversions.read")
    return [_sourced(s) for s in shipped_schemes()]


async def scales(services: Services, call: Call) -> list[dict[str, Any]]:
    """Every grading scale, each version with its source."""
    reading.check(await reading.who_asks(services, call), "conversions.read")
    return [_sourced(s) for s in shipped_scales()]


async def convert(services: Services, call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    """Credits, a grade or both, each with its trace, by what held on a day (`as_of`, else today).

    Raises:
        Refused: it cannot be computed; every reason is named.
    """
    actor, found = await reading.records(services, call, day_there(call.eyes), "conversions.read")
    reading.check(actor, "conversions.read")
    on: date = given.get("as_of") or found[0]["today"]
    credits_, grade = given.get("credits"), given.get("grade")
    reasons: list[Reason] = []
    if credits_ is None and grade is None:
        reasons.append(Reason("something_to_convert", required=["credits", "grade"]))
    answer: dict[str, Any] = {"as_of": on, "credits": None, "grade": None}
    if credits_ is not None:
        if credits_.amount < 0:
            reasons.append(Reason("above_nothing", pointer="/credits/amount"))
        _add(answer, reasons, "credits", "amount", convert_credits(
            credits_.amount, credits_.policy, shipped_schemes(), on, "/credits/policy"))  # fmt: skip
    if grade is not None:
        _add(answer, reasons, "grade", "grade", convert_grade(
            grade.grade, grade.policy, passed=grade.passed, field=grade.field, cycle=grade.cycle))  # fmt: skip
    if reasons:
        raise Refused(reasons)
    return answer


def _add(answer: dict[str, Any], reasons: list[Reason], name: str, result: str, traced: Trace | list[Reason]) -> None:
    if isinstance(traced, Trace):
        remainder = traced.result.get("remainder")
        answer[name] = {"result": traced.result[result], "remainder": remainder, "trace": plain(traced)}
    else:
        reasons += traced
