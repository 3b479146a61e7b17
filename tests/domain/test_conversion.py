"""Conversions of credits and grades: the vectors of the reference, exact, and computed again from their traces."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.conversion import (
    CreditPolicy,
    CreditRounding,
    Distribution,
    GradePair,
    GradePolicy,
    GradeShare,
    Leg,
    NumericScale,
    Trace,
    canonical,
    convert_credits,
    convert_grade,
    exact,
    plain,
    recomputed,
    scheme_of,
    written,
)
from service.domain.lifecycle import Reason
from service.storage.conversion import shipped_scales, shipped_schemes

DAY = date(2026, 2, 10)
D = Decimal
SHIPPED = shipped_schemes()


def shares(text: str, failing: str = "") -> tuple[GradeShare, ...]:
    return tuple(GradeShare(grade=g[0], count=D(g[1:]), passing=g[0] not in failing) for g in text.split())


# ECTS Users' Guide 2015, pp. 39-40, and egracons.eu: cumulative from the top, passing grades only.
SOURCE = Distribution(field="0714", cycle="short", years=3, grades=shares("A7 B37 C135 D98 E92 F3", "F"))
TARGET = Distribution(field="0714", cycle="short", years=2, grades=shares("A22 B18 C23 D17 E20"))


def distribution(tie: str, source: Distribution = SOURCE) -> GradePolicy:
    return GradePolicy(method="distribution", tie=tie, source_table=source, target_table=TARGET)  # type: ignore[arg-type]


def codes(found: Trace | list[Reason]) -> list[str]:
    assert isinstance(found, list)
    return [r.code for r in found]


def result(found: Trace | list[Reason], name: str = "grade") -> str:
    assert isinstance(found, Trace), found
    assert recomputed(json.loads(canonical(plain(found)))) == []
    return str(found.result[name])


# ---- grades
@pytest.mark.parametrize(("tie", "grade"), [("max", "A"), ("average", "B"), ("min", "C")])
def test_distribution_gives_the_reference_vector(tie: str, grade: str) -> None:
    found = convert_grade("C", distribution(tie), passed=True, field="0714")
    assert result(found) == grade
    assert isinstance(found, Trace)
    assert found.steps[0].result["grades"] == [["A", "7"], ["B", "37"], ["C", "135"], ["D", "98"], ["E", "92"]]
    assert found.steps[1].result == {"lo": "44/369", "hi": "179/369", "percent": ["11.92", "48.51"]} | {
        "lo": written(Fraction(44, 369))
    }
    assert found.steps[2].result["candidates"] == ["A", "B", "C"]


def test_distribution_of_another_field_or_too_few_years_is_refused() -> None:
    policy = distribution("max", Distribution(field="0913", cycle="short", years=1, grades=SOURCE.grades))
    assert codes(convert_grade("C", policy, passed=True, field="0714", cycle="long")) == [
        "table_of_field",
        "table_of_cycle",
        "table_years",
        "table_of_cycle",
    ]
    assert codes(convert_grade("Q", distribution("max"), passed=True)) == ["grade_in_table"]
    twice = Distribution(field="0714", cycle="short", years=2, grades=shares("A1 A2"))
    assert codes(convert_grade("A", distribution("max", twice), passed=True)) == ["table_sound"]


def test_distribution_needs_both_tables_and_a_choice() -> None:
    found = convert_grade("C", GradePolicy(method="distribution"), passed=True)
    assert codes(found) == ["input_needed"] * 3


def test_distribution_places_a_grade_that_nobody_got() -> None:
    source = Distribution(field="f", cycle="c", years=2, grades=shares("A0 B10 C0"))
    assert [result(convert_grade(g, distribution("max", source), passed=True)) for g in "AC"] == ["A", "E"]


def bavarian(rounding: str, best: str = "100", least: str = "50") -> GradePolicy:
    scale = NumericScale(best=D(best), min_pass=D(least))
    return GradePolicy(method="bavarian", rounding=rounding, source_scale=scale)  # type: ignore[arg-type]


@pytest.mark.parametrize(("rounding", "grade"), [("cut", "2.0"), ("half_up", "2.1"), ("nearest_step", "2.0")])
def test_bavarian_gives_the_reference_vector(rounding: str, grade: str) -> None:
    """Nmax 100, Nmin 50, Nd 82: 2.08; KMK cuts, others round half up, others go to the nearest German step."""
    found = convert_grade("82", bavarian(rounding), passed=True)
    assert result(found) == grade
    assert isinstance(found, Trace)
    assert found.steps[0].result == {"value": "2.08"}
    assert exact(found.result["grade"]) + exact(found.result["remainder"]) == exact("2.08")


def test_bavarian_takes_scales_where_lower_is_better_and_ties_to_the_better_step() -> None:
    assert result(convert_grade("2,5", bavarian("cut", "1", "4"), passed=True)) == "2.5"
    assert result(convert_grade("1.5", bavarian("nearest_step", "1", "4"), passed=True)) == "1.3"
    assert result(convert_grade("4", bavarian("half_up", "1", "4"), passed=True)) == "4.0"


@pytest.mark.parametrize(
    ("grade", "policy", "passed"),
    [
        ("49.99", bavarian("cut"), True),
        ("4.1", bavarian("cut", "1", "4"), True),
        ("82", bavarian("cut"), False),
        ("F", distribution("max"), True),
        ("B", GradePolicy(method="none"), False),
        ("B", GradePolicy(method="table", pairs=(GradePair(grade="B", becomes="良"),)), False),
    ],
)
def test_fail_is_never_converted(grade: str, policy: GradePolicy, passed: bool) -> None:  # noqa: FBT001
    assert codes(convert_grade(grade, policy, passed=passed)) == ["fail_not_converted"]


def test_linear_keeps_the_place_between_pass_and_best() -> None:
    policy = GradePolicy(
        method="linear", rounding="half_up", decimals=0,
        source_scale=NumericScale(best=D(1), min_pass=D(4)), target_scale=NumericScale(best=D(100), min_pass=D(60)),
    )  # fmt: skip
    assert [result(convert_grade(g, policy, passed=True)) for g in ("1", "1.7", "4")] == ["100", "91", "60"]


def test_table_and_none_give_what_they_say() -> None:
    table = GradePolicy(method="table", version="2026-1", pairs=(GradePair(grade="sehr gut", becomes="优"),))
    assert result(convert_grade("sehr gut", table, passed=True)) == "优"
    assert codes(convert_grade("gut", table, passed=True)) == ["grade_in_table"]
    assert result(convert_grade("whatever", GradePolicy(method="none"), passed=True)) == "pass"


@pytest.mark.parametrize(
    ("grade", "policy", "found"),
    [
        ("101", bavarian("cut"), ["grade_in_scale"]),
        ("gut", bavarian("cut"), ["grade_a_number"]),
        ("1/0", bavarian("cut"), ["grade_a_number"]),
        ("5", bavarian("cut", "5", "5"), ["scale_sound"]),
        ("5", replace(bavarian("cut"), decimals=5), ["out_of_bounds"]),
        ("5", GradePolicy(method="bavarian"), ["input_needed", "input_needed"]),
        ("5", GradePolicy(method="linear"), ["input_needed"] * 3),
    ],
)
def test_number_that_does_not_fit_is_refused(grade: str, policy: GradePolicy, found: list[str]) -> None:
    assert codes(convert_grade(grade, policy, passed=True)) == found


# ---- credits
def credits_by(
    amount: str, from_: str, *legs: Leg, step: str | None = "0.5", mode: str = "down"
) -> Trace | list[Reason]:
    rounding = CreditRounding(mode=mode, step=D(step)) if step else None  # type: ignore[arg-type]
    policy = CreditPolicy(from_scheme=from_, legs=legs, rounding=rounding)
    return convert_credits(D(amount), policy, SHIPPED, DAY)


def load(to: str, year_to: str | None = None, year_from: str | None = None) -> Leg:
    return Leg(
        method="annual_load", to_scheme=to, full_year_to=D(year_to) if year_to else None,
        full_year_from=D(year_from) if year_from else None,
    )  # fmt: skip


def test_annual_load_gives_the_reference_vector() -> None:
    """6 ECTS at 60 a year into a 40-credit year are 4 credits."""
    found = credits_by("6", "ects", load("cn-college@16", "40"))
    assert result(found, "amount") == "4"
    assert result(found, "remainder") == "0"


def test_rounding_keeps_the_remainder() -> None:
    found = credits_by("5", "ects@2015", load("cn-college@18", "40"))
    assert (result(found, "amount"), result(found, "remainder")) == ("3", "1/3")
    up = credits_by("5", "ects@2015", load("cn-college@18", "40"), mode="half_up")
    assert (result(up, "amount"), result(up, "remainder")) == ("3.5", written(Fraction(10, 3) - Fraction(7, 2)))


def test_chain_is_rounded_once_at_its_end() -> None:
    """1 UCTS is 1.5 ECTS (umap.org/credit-transfer-scheme)."""
    by_ratio = Leg(method="ratio", to_scheme="ects", factor=D("1.5"))
    found = credits_by("7", "ucts@current", by_ratio, load("cn-college@16", "40"))
    assert isinstance(found, Trace)
    assert [s.formula for s in found.steps] == ["credits_given", "ratio", "annual_load", "round_credits"]
    assert [s.result["amount"] for s in found.steps] == ["7", "10.5", "7", "7"]


def test_workload_gives_a_range_and_the_end_that_was_chosen() -> None:
    """13-16 class hours are 1 UCTS; a college's credit is 16 of them."""
    for end, amount in (("least", "4.875"), ("most", "6")):
        leg = Leg(method="workload", to_scheme="cn-college@16", basis="contact", end=end)  # type: ignore[arg-type]
        found = credits_by("6", "ucts@current", leg, step=None)
        assert result(found, "amount") == amount
        assert isinstance(found, Trace)
        assert (found.result["least"], found.result["most"]) == ("4.875", "6")
    known = Leg(method="workload", to_scheme="ects", hours=D(150))
    assert result(credits_by("1", "cn-college@16", known, step=None), "amount") == "5"


def test_name_with_two_scales_is_refused_without_its_version() -> None:
    assert codes(credits_by("6", "ucts")) == ["scheme_version_named"]
    assert codes(credits_by("6", "nowhere")) == ["scheme_known"]
    old = scheme_of("ucts@old", SHIPPED, DAY)
    assert not isinstance(old, Reason)
    assert (old.full_year_credits, old.contact_max) == (D(60), None)


def test_scheme_counts_on_the_day_and_not_today() -> None:
    ended = replace(SHIPPED[0], effective_to=date(2020, 1, 1))
    later = replace(SHIPPED[0], version="2020", effective_from=date(2020, 1, 2))
    for day, key in ((date(2020, 1, 1), "ects@2015"), (date(2020, 1, 2), "ects@2020")):
        found = scheme_of("ects", (ended, later), day)
        assert not isinstance(found, Reason)
        assert found.key == key
    assert scheme_of("ects@2015", (ended,), DAY) == Reason("scheme_holds_then", actual=DAY, pointer="")


@pytest.mark.parametrize(
    ("leg", "found"),
    [
        (load("cn-college@16"), ["input_needed"]),
        (load("ects", "0", "-1"), ["above_nothing", "above_nothing"]),
        (Leg(method="ratio", to_scheme="ects"), ["input_needed"]),
        (Leg(method="workload", to_scheme="ucts@old"), ["input_needed", "input_needed"]),
        (Leg(method="workload", to_scheme="ects", basis="contact"), ["input_needed", "input_needed"]),
        (Leg(method="workload", to_scheme="cn-college@16", basis="contact"), ["input_needed"]),
    ],
)
def test_leg_that_lacks_a_number_is_refused(leg: Leg, found: list[str]) -> None:
    assert codes(credits_by("6", "ects", leg)) == found


def test_chain_is_bounded() -> None:
    assert codes(credits_by("6", "ects", *[load("ects")] * 7)) == ["legs_at_most"]


# ---- traces
def test_trace_that_was_changed_does_not_hold() -> None:
    found = credits_by("5", "ects", load("cn-college@16", "40"))
    assert isinstance(found, Trace)
    kept = json.loads(canonical(plain(found)))
    assert recomputed(kept) == []
    kept[1]["result"]["amount"] = "4"
    assert recomputed(kept) == [1, 2]
    kept[1]["formula"] = "nothing"
    assert recomputed(kept) == [1, 2]


@given(st.fractions())
def test_written_number_is_exact(number: Fraction) -> None:
    text = written(number)
    assert len(text) > 190 or exact(text) == number


def test_shipped_data_is_complete_and_says_how_well_it_was_read() -> None:
    keys = [s.key for s in SHIPPED]
    assert keys == ["ects@2015", "ucts@old", "ucts@current", "cn-college@16", "cn-college@18"]
    assert [s.key for s in shipped_scales()] == ["de@steps", "ects@letters", "cn@percent"]
    for source in [s.source for s in SHIPPED] + [s.source for s in shipped_scales()]:
        assert source.source
        assert source.evidence != "official" or source.checked_on
