"""Completion: exact shares, what an excuse is worth, and one reason for each condition."""

from __future__ import annotations

from decimal import Decimal

import pytest

from service.domain.completion import (
    Achieved,
    Assessed,
    Hours,
    attendance,
    attendance_percent,
    plain,
    score,
    unmet,
)
from service.domain.lifecycle import Reason


def hours(*kinds: tuple[str, str, str]) -> tuple[Hours, ...]:
    return tuple(Hours(kind, Decimal(held), Decimal(attended)) for kind, held, attended in kinds)


def assessed(name: str, mark: str | None, *, weight: str = "1", required: bool = True) -> Assessed:
    return Assessed(name, Decimal(20), Decimal(12), Decimal(weight), required, None if mark is None else Decimal(mark))


@pytest.mark.parametrize(
    ("excused", "counted", "attended", "percent"),
    [((), "12", "8", "66.66"), (("excused_illness",), "9", "8", "88.88"), (("excused_official",), "12", "8", "66.66")],
)
def test_attendance_leaves_out_what_was_missed_with_an_accepted_excuse(
    excused: tuple[str, ...], counted: str, attended: str, percent: str
) -> None:
    a = Achieved(
        excused=excused, hours=hours(("present", "7", "7"), ("absent", "1", "0"), ("excused_illness", "4", "1"))
    )
    assert attendance(a) == (Decimal(counted), Decimal(attended))
    assert attendance_percent(a) == Decimal(percent)


@pytest.mark.parametrize(
    ("held", "attended", "reasons"),
    [
        ("10", "8", []),
        ("10", "7.99", [Reason("attendance_reached", required="80", actual="79.9")]),
        ("100000", "79999.99", [Reason("attendance_reached", required="80", actual="79.99")]),
        ("3", "2.4", []),
    ],
)
def test_attendance_is_exact_at_its_boundary(held: str, attended: str, reasons: list[Reason]) -> None:
    assert unmet(Achieved(min_attendance_percent=80, hours=hours(("present", held, attended)))) == reasons


def test_attendance_of_nothing_held_reaches_no_share_but_none() -> None:
    assert unmet(Achieved(min_attendance_percent=1)) == [Reason("attendance_reached", required="1", actual=None)]
    assert unmet(Achieved()) == []
    assert attendance_percent(Achieved()) is None


def test_attendance_counts_what_was_carried() -> None:
    a = Achieved(
        min_attendance_percent=80,
        hours=hours(("absent", "2", "0")),
        carried_held=Decimal(8),
        carried_attended=Decimal(8),
    )
    assert (attendance(a), unmet(a)) == ((Decimal(10), Decimal(8)), [])


def test_assessments_give_one_reason_each_where_required() -> None:
    a = Achieved(
        assessed=(assessed("oral", "11.9"), assessed("written", None), assessed("essay", "12"), assessed("extra", "0", required=False))
    )  # fmt: skip
    assert unmet(a) == [
        Reason("assessment_passed", required="oral 12/20", actual="oral 11.9/20"),
        Reason("assessment_passed", required="written 12/20", actual=None),
    ]


def test_score_is_weighted_and_rounded_once() -> None:
    assert score(Achieved(assessed=(assessed("a", "20"), assessed("b", None, weight="2")))) == Decimal("33.33")
    assert score(Achieved(assessed=(assessed("a", "20", weight="2"), assessed("b", "0")))) == Decimal("66.67")
    assert score(Achieved()) is None
    assert score(Achieved(assessed=(assessed("a", "20", weight="0"),))) is None


@pytest.mark.parametrize(
    ("required", "confirmed", "met"), [(None, "0", True), ("120", "120", True), ("120", "119.99", False)]
)
def test_enterprise_hours_are_confirmed_in_full(required: str | None, confirmed: str, *, met: bool) -> None:
    a = Achieved(hours_required=None if required is None else Decimal(required), hours_confirmed=Decimal(confirmed))
    assert unmet(a) == ([] if met else [Reason("enterprise_hours_confirmed", required="120", actual="119.99")])


@pytest.mark.parametrize(("number", "text"), [("14.00", "14"), ("0.0000", "0"), ("100", "100"), ("79.90", "79.9")])
def test_numbers_read_without_needless_zeros(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
