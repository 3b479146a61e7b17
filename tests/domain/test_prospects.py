"""Who is at risk: the exact hours that are needed of those left, resits that are still possible, an even pace."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from service.domain.completion import Achieved, Assessed, Hours, conditions, score, unmet
from service.domain.lifecycle import Reason
from service.domain.prospects import Ahead, at_risk, hours_needed, hours_to_miss

D = Decimal
AHEAD = Ahead(
    today=date(2026, 5, 11), starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 20), hours_left=D(20),
    resits_until=date(2026, 6, 1),
)  # fmt: skip


def attended(held: str, there: str, percent: int = 80) -> Achieved:
    return Achieved(min_attendance_percent=percent, hours=(Hours("present", D(held), D(there)),))


@pytest.mark.parametrize(
    ("held", "there", "left", "needed", "to_miss", "reasons"),
    [
        ("30", "24", "20", "16", "4", []),  # 80 % now: whoever goes on so completes
        ("30", "23.99", "20", "16.01", "3.99", [Reason("attendance_only_by", required="16.01", actual="20")]),
        ("30", "20", "20", "20", "0", [Reason("attendance_only_by", required="20", actual="20")]),
        ("30", "19.99", "20", "20.01", "-0.01", [Reason("attendance_out_of_reach", required="80", actual="79.98")]),
        ("30", "30", "0", "0", "0", []),
        ("30", "23", "0", "1", "-1", [Reason("attendance_out_of_reach", required="80", actual="76.66")]),
        ("0", "0", "20", "16", "4", []),  # nothing was held yet: nobody is at risk
    ],
)
def test_attendance_needed_is_exact(
    held: str, there: str, left: str, needed: str, to_miss: str, reasons: list[Reason]
) -> None:
    a = attended(held, there)
    assert hours_needed(a, D(left)) == Fraction(needed)
    assert hours_to_miss(a, D(left)) == D(to_miss)
    assert at_risk(a, replace(AHEAD, hours_left=D(left))) == reasons


def test_attendance_needed_is_rounded_to_what_is_enough() -> None:
    a = attended("1", "0", 33)
    assert hours_needed(a, D("2.01")) == Fraction(9933, 10000)
    assert at_risk(a, replace(AHEAD, hours_left=D("2.01"))) == [
        Reason("attendance_only_by", required="1", actual="2.01")
    ]


def test_margin_tells_earlier() -> None:
    a = attended("30", "24")
    assert at_risk(a, AHEAD, D("3.99")) == []
    assert at_risk(a, AHEAD, D(4)) == [Reason("attendance_only_by", required="16", actual="20")]
    assert at_risk(attended("30", "30", 0), AHEAD, D(1000)) == []


def exam(*marks: str | None, required: bool = True, whole: str = "12") -> Assessed:
    parts = tuple(
        Assessed(name, D(30), D(10), D(weight), required, None if mark is None else D(mark))
        for name, weight, mark in zip(("reading", "listening"), ("1", "2"), marks, strict=True)
    )
    return Assessed("exam", D(20), D(whole), D(1), required=True, parts=parts)


def test_components_make_the_mark_of_the_whole_by_weight() -> None:
    a = exam("30", "15")
    assert (a.share, a.reached, a.passed) == (Fraction(2, 3), D("13.33"), True)
    assert (exam("30", None).reached, exam("30", None).passed, exam("30", None).is_failed) == (None, False, False)
    assert (exam("30", "9").reached, exam("30", "9").passed) == (D("10.66"), False)
    assert (exam("30", "9", required=False, whole="10").passed, exam("30", "9", whole="10").passed) == (True, False)
    assert score(Achieved(assessed=(a,))) == D("66.67")
    third = exam("18", "18", whole="12")
    assert (third.reached, third.passed) == (D(12), True)


def test_completion_tells_every_condition_with_its_components() -> None:
    told = [(c.is_met, c.reason.required, c.reason.actual) for c in conditions(Achieved(assessed=(exam("30", "9"),)))]
    assert told == [
        (True, "0", None),
        (False, "exam 12/20", "exam 10.66/20"),
        (True, "exam: reading 10/30", "exam: reading 30/30"),
        (False, "exam: listening 10/30", "exam: listening 9/30"),
    ]
    assert [r.actual for r in unmet(Achieved(assessed=(exam("30", "9"),)))] == ["exam 10.66/20", "exam: listening 9/30"]


def test_failed_assessments_tell_whether_a_resit_is_possible() -> None:
    oral = Assessed("oral", D(20), D(12), D(1), required=True, mark=D(9))
    untold = (replace(oral, required=False), replace(oral, mark=None), replace(oral, mark=D(12)))
    a = Achieved(assessed=(oral, *untold, exam("30", "9"), exam("11", "11")))
    assert at_risk(a, AHEAD) == [
        Reason("assessment_resit_possible", required=date(2026, 6, 1), actual="oral 9/20"),
        Reason("assessment_resit_possible", required=date(2026, 6, 1), actual="exam: listening 9/30"),
        Reason("assessment_resit_possible", required=date(2026, 6, 1), actual="exam 7.33/20"),
    ]
    for until in (None, date(2026, 5, 10)):
        assert at_risk(Achieved(assessed=(oral,)), replace(AHEAD, resits_until=until)) == [
            Reason("assessment_no_resit", required="oral 12/20", actual="oral 9/20")
        ]


@pytest.mark.parametrize(("confirmed", "behind"), [("50", False), ("49.99", True)])
def test_enterprise_hours_are_measured_by_an_even_pace(confirmed: str, *, behind: bool) -> None:
    a = Achieved(hours_required=D(100), hours_confirmed=D(confirmed))
    reasons = [Reason("enterprise_hours_behind", required="50", actual="49.99")] if behind else []
    assert at_risk(a, AHEAD) == reasons
    assert at_risk(replace(a, hours_confirmed=D(0)), replace(AHEAD, today=AHEAD.starts_on)) == []
