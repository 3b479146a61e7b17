"""Grades from one scale into another: by distribution, modified Bavarian, linear, by table, or a plain pass.

A fail is never converted, whatever rounding would make of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from service.domain.conversion.credits import Source
from service.domain.conversion.trace import Plain, Trace, exact, formula, written
from service.domain.lifecycle import Reason

YEARS_LEAST = 2
"""A table of grades covers at least two years (ECTS Users' Guide 2015, pp. 39-40)."""
DECIMALS_MOST = 4
GERMAN_STEPS = ("1.0", "1.3", "1.7", "2.0", "2.3", "2.7", "3.0", "3.3", "3.7", "4.0")
BAVARIAN_SOURCE = "KMK, modified Bavarian formula"
DISTRIBUTION_SOURCE = "ECTS Users' Guide 2015, pp. 39-40; EGRACONS"


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingScale:
    """One version of a grading scale; `steps` best first where it has steps."""

    code: str
    version: str
    title: str
    direction: Literal["higher_better", "lower_better"]
    best: str | None
    min_pass: str | None
    steps: tuple[str, ...]
    fail_labels: tuple[str, ...]
    effective_from: date | None
    effective_to: date | None
    source: Source
    note: str = ""

    @property
    def key(self) -> str:
        """Its name with its version."""
        return f"{self.code}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeShare:
    """How often a grade was given. Counts are better than percentages, which come rounded."""

    grade: Annotated[str, "line"]
    count: Decimal
    passing: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A grading table of one field (ISCED-F) and cycle over some years, the best grade first."""

    field: Annotated[str, "line"]
    cycle: Annotated[str, "line"]
    years: int
    grades: tuple[GradeShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericScale:
    """The passing range of a scale: its best grade and its lowest pass; lower may be better."""

    best: Decimal
    min_pass: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class GradePair:
    """One line of a table of grades: this grade there is that grade here."""

    grade: Annotated[str, "line"]
    becomes: Annotated[str, "line"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradePolicy:
    """How grades are converted: the method, and what it needs.

    `tie` chooses among overlapping ranges of a distribution: max the best, min the worst, average the one that holds
    the middle. `rounding` of a number: `cut` after `decimals`, `half_up`, or `nearest_step` of the German steps, ties
    to the better one.
    """

    method: Literal["distribution", "bavarian", "linear", "table", "none"]
    version: Annotated[str, "line"] | None = None
    tie: Literal["max", "average", "min"] | None = None
    rounding: Literal["cut", "half_up", "nearest_step"] | None = None
    decimals: int = 1
    source_scale: NumericScale | None = None
    target_scale: NumericScale | None = None
    source_table: Distribution | None = None
    target_table: Distribution | None = None
    pairs: tuple[GradePair, ...] = ()
    plain_pass: Annotated[str, "line"] = "pass"  # noqa: S105


# ---- distribution
@formula("passing_only", "grades that pass, best first; failing ones are left out before anything is added up")
def _passing(grades: Sequence[Sequence[Plain]]) -> dict[str, Plain]:
    return {"grades": [[g, n] for g, n, passing in grades if passing]}


def _span(grades: Sequence[Sequence[str]], wanted: str) -> tuple[Fraction, Fraction]:
    at, counts = [g for g, _ in grades].index(wanted), [exact(n) for _, n in grades]
    total, before = (sum(part, Fraction(0)) for part in (counts, counts[:at]))
    return before / total, (before + counts[at]) / total


def _percent(share: Fraction) -> str:
    hundredths = round(share * 10_000)
    return f"{hundredths // 100}.{hundredths % 100:02}"


@formula("cumulate", "lo = shares of all better grades, hi = lo + share of the grade, of the grades that pass")
def _cumulate(grades: Sequence[Sequence[str]], grade: str) -> dict[str, Plain]:
    lo, hi = _span(grades, grade)
    return {"lo": written(lo), "hi": written(hi), "percent": [_percent(lo), _percent(hi)]}


@formula(
    "candidates",
    "grades here whose range [lo, hi) meets that one; max the best, min the worst, average holds (lo+hi)/2",
)
def _candidates(lo: str, hi: str, targets: Sequence[Sequence[str]], tie: str) -> dict[str, Plain]:
    start, end = exact(lo), exact(hi)
    spans = [(g, *_span(targets, g)) for g, n in targets if exact(n) > 0]
    middle = (start + end) / 2

    def holding(point: Fraction) -> str:
        return next((g for g, a, b in spans if a <= point < b), spans[-1][0])

    met = [g for g, a, b in spans if a < end and start < b] or [holding(start)]
    chosen = {"max": met[0], "min": met[-1], "average": holding(middle)}[tie]
    return {"candidates": met, "grade": chosen}


# ---- formulas of numbers
@formula("bavarian", "1 + 3 x (best - grade) / (best - min_pass)")
def _bavarian(best: str, min_pass: str, grade: str) -> dict[str, Plain]:
    return {"value": written(1 + 3 * (exact(best) - exact(grade)) / (exact(best) - exact(min_pass)))}


@formula("linear", "target_best + (target_min_pass - target_best) x (best - grade) / (best - min_pass)")
def _linear(best: str, min_pass: str, grade: str, target_best: str, target_min_pass: str) -> dict[str, Plain]:
    part = (exact(best) - exact(grade)) / (exact(best) - exact(min_pass))
    return {"value": written(exact(target_best) + (exact(target_min_pass) - exact(target_best)) * part)}


def _with_places(number: Fraction, places: int) -> str:
    text = written(number)
    whole, _, part = text.partition(".")
    return f"{whole}.{part.ljust(places, '0')}" if places else whole


@formula("round_grade", "cut after the decimals, or half up to them; remainder = value - grade")
def _round(value: str, rounding: str, decimals: str) -> dict[str, Plain]:
    number, unit = exact(value), Fraction(1, 10 ** int(decimals))
    steps = (number / unit + (Fraction(1, 2) if rounding == "half_up" else 0)).__floor__()
    return {"grade": _with_places(steps * unit, int(decimals)), "remainder": written(number - steps * unit)}


@formula("nearest_step", "the nearest of the steps, of two equally near the better one; remainder = value - grade")
def _nearest(value: str, steps: Sequence[str]) -> dict[str, Plain]:
    number = exact(value)
    chosen = min(steps, key=lambda s: (abs(exact(s) - number), exact(s)))
    return {"grade": chosen, "remainder": written(number - exact(chosen))}


@formula("look_up", "the line of the table with this grade")
def _look_up(grade: str, pairs: Sequence[Sequence[str]]) -> dict[str, Plain]:
    return {"grade": {g: b for g, b in pairs}[grade]}  # noqa: C416 - lists, as JSON gives them back


@formula("plain_pass", "credit with a plain pass; the grade is not converted")
def _plain_pass(grade: str, plain_pass: str) -> dict[str, Plain]:  # noqa: ARG001 - kept in the trace
    return {"grade": plain_pass}


# ---- by policy
def convert_grade(
    grade: str,
    policy: GradePolicy,
    *,
    passed: bool,
    field: str | None = None,
    cycle: str | None = None,
    at: str = "/grade",
) -> Trace | list[Reason]:
    """A passing grade by a policy, with every step; or every reason against it."""
    if not passed:
        return [Reason("fail_not_converted", pointer=f"{at}/passed")]
    rule = f"{policy.method}{'@' + policy.version if policy.version else ''}"
    if policy.method == "none":
        return Trace().then("plain_pass", rule=rule, grade=grade, plain_pass=policy.plain_pass)
    if policy.method == "table":
        if all(p.grade != grade for p in policy.pairs):
            return [Reason("grade_in_table", pointer=f"{at}/grade")]
        return Trace().then("look_up", rule=rule, grade=grade, pairs=[[p.grade, p.becomes] for p in policy.pairs])
    if policy.method == "distribution":
        return _by_distribution(grade, policy, field, cycle, rule, at)
    return _by_formula(grade, policy, rule, at)


def _by_distribution(
    grade: str, policy: GradePolicy, field: str | None, cycle: str | None, rule: str, at: str
) -> Trace | list[Reason]:
    there, here = policy.source_table, policy.target_table
    if there is None or here is None or policy.tie is None:
        wanted = {"source_table": there, "target_table": here, "tie": policy.tie}
        return [Reason("input_needed", required=n, pointer=f"{at}/policy/{n}") for n, v in wanted.items() if v is None]
    found = [
        *_table_faults(there, field, cycle, f"{at}/policy/source_table"),
        *_table_faults(here, field, cycle, f"{at}/policy/target_table"),
    ]
    named = next((g for g in there.grades if g.grade == grade), None)
    if named is None:
        found.append(Reason("grade_in_table", pointer=f"{at}/grade"))
    elif not named.passing:
        found.append(Reason("fail_not_converted", pointer=f"{at}/grade"))
    if found:
        return found
    targets = [[g.grade, str(g.count)] for g in here.grades if g.passing]
    trace = Trace().then(
        "passing_only",
        rule=f"{rule}, field {there.field}, {there.cycle}, {there.years} years",
        source=DISTRIBUTION_SOURCE,
        grades=[[g.grade, str(g.count), g.passing] for g in there.grades],
    )
    trace = trace.then("cumulate", rule=rule, source=DISTRIBUTION_SOURCE, last=("grades",), grade=grade)
    return trace.then(
        "candidates", rule=rule, source=DISTRIBUTION_SOURCE, last=("lo", "hi"), targets=targets, tie=policy.tie
    )


def _table_faults(table: Distribution, field: str | None, cycle: str | None, at: str) -> list[Reason]:
    """A table is of the field and cycle that are asked for, covers two years, and has grades that pass, each once."""
    found = []
    if field is not None and table.field != field:
        found.append(Reason("table_of_field", required=field, actual=table.field, pointer=f"{at}/field"))
    if cycle is not None and table.cycle != cycle:
        found.append(Reason("table_of_cycle", required=cycle, actual=table.cycle, pointer=f"{at}/cycle"))
    if table.years < YEARS_LEAST:
        found.append(Reason("table_years", required=YEARS_LEAST, actual=table.years, pointer=f"{at}/years"))
    names = [g.grade for g in table.grades]
    positive = any(g.passing and g.count > 0 for g in table.grades)
    if len(set(names)) < len(names) or not positive or any(g.count < 0 for g in table.grades):
        found.append(Reason("table_sound", pointer=f"{at}/grades"))
    return found


def _by_formula(grade: str, policy: GradePolicy, rule: str, at: str) -> Trace | list[Reason]:
    scale, target = policy.source_scale, policy.target_scale
    faults = _formula_faults(policy, at)
    if scale is None or faults:
        return faults
    number = _in_range(grade, scale, at)
    if isinstance(number, Reason):
        return [number]
    ranges: dict[str, Plain] = {"best": str(scale.best), "min_pass": str(scale.min_pass), "grade": written(number)}
    if policy.method == "linear" and target is not None:
        ends: dict[str, Plain] = {"target_best": str(target.best), "target_min_pass": str(target.min_pass)}
        trace = Trace().then("linear", rule=rule, **ranges, **ends)
    else:
        trace = Trace().then("bavarian", rule=rule, source=BAVARIAN_SOURCE, **ranges)
    if policy.rounding == "nearest_step":
        return trace.then("nearest_step", rule=rule, last=("value",), steps=list(GERMAN_STEPS))
    return trace.then(
        "round_grade", rule=rule, last=("value",), rounding=policy.rounding, decimals=str(policy.decimals)
    )


def _formula_faults(policy: GradePolicy, at: str) -> list[Reason]:
    """A formula needs its scales, whose ends differ, and a rounding."""
    needed: dict[str, object] = {"source_scale": policy.source_scale, "rounding": policy.rounding}
    if policy.method == "linear":
        needed["target_scale"] = policy.target_scale
    found = [Reason("input_needed", required=n, pointer=f"{at}/policy/{n}") for n, v in needed.items() if v is None]
    if policy.source_scale is not None and policy.source_scale.best == policy.source_scale.min_pass:
        found.append(Reason("scale_sound", pointer=f"{at}/policy/source_scale"))
    if not 0 <= policy.decimals <= DECIMALS_MOST:
        found.append(Reason("out_of_bounds", required=[0, DECIMALS_MOST], pointer=f"{at}/policy/decimals"))
    return found


def _in_range(grade: str, scale: NumericScale, at: str) -> Fraction | Reason:
    """The grade as a number between the lowest pass and the best."""
    try:
        number = exact(grade)
    except ValueError:
        return Reason("grade_a_number", pointer=f"{at}/grade")
    up = 1 if scale.best > scale.min_pass else -1
    if up * number < up * Fraction(scale.min_pass):
        return Reason("fail_not_converted", required=str(scale.min_pass), pointer=f"{at}/grade")
    if up * number > up * Fraction(scale.best):
        return Reason("grade_in_scale", required=str(scale.best), pointer=f"{at}/grade")
    return number
