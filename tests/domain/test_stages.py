"""How far somebody is in each stage of a programme."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from service.domain.levels import Held, Proof
from service.domain.stages import StageAsked, StageCourse, standing

TODAY = date(2026, 11, 26)
D = Decimal


def course(**more: Any) -> StageCourse:
    known: dict[str, Any] = {"course_id": uuid4(), "code": "A1", "stage": 1, "required": True, "credits": D(4)} | more
    return StageCourse(**known)


@pytest.mark.parametrize(
    ("known", "how"),
    [
        ({}, "open"),
        ({"waived": True}, "waived"),
        ({"by_result": D(4)}, "earned"),
        ({"by_ledger": D(4)}, "recognised"),
        ({"by_ledger": D(3), "by_result": D(4)}, "earned"),
        ({"by_ledger": D(4), "by_result": D(4)}, "earned"),
        ({"by_ledger": D(4), "by_result": D(3), "waived": True}, "recognised"),
    ],
)
def test_course_is_settled_by_whichever_brings_more(known: dict[str, Any], how: str) -> None:
    assert course(**known).standing == how


def test_stage_counts_each_course_once_and_misses_the_rest() -> None:
    courses = [
        course(by_result=D("2.5"), by_ledger=D("2.5")),
        course(by_ledger=D(3), by_result=D(1)),
        course(required=False),
        course(stage=2),
    ]
    asked = [
        StageAsked(no=1, place="home", title="Home", credits=D(8), waived=D(1)),
        StageAsked(no=2, place="abroad", title="Abroad", credits=D(0)),
    ]
    first, second = standing(asked, courses, (), 2, TODAY)
    assert (first.earned, first.recognised, first.waived, first.missing) == (D("2.5"), D(3), D(1), D("1.5"))
    assert (first.standing, first.courses_missing, first.fulfilled) == ("behind", (), False)
    assert (second.standing, second.missing, second.courses_missing) == ("present", D(0), (courses[3].course_id,))
    assert not second.fulfilled


def test_stage_asks_for_a_test_that_is_still_valid() -> None:
    asked = [StageAsked(no=1, place="home", title="Home", credits=D(0), languages=(Proof(test="jlpt", level="N4"),))]
    for held, missing in (
        ((), True),
        ((Held("language", "jlpt", "N3"),), False),
        ((Held("language", "jlpt", "N4", date(2026, 11, 25)),), True),
    ):
        (stage,) = standing(asked, (), held, 1, TODAY)
        assert (stage.language_missing, stage.fulfilled) == (missing, not missing)
