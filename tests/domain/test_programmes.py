"""Programmes: stages in order and within bounds, curricula of the catalogue, and what a regulation may say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import COORDINATOR, REGISTRAR, Actor
from service.domain.intakes import (
    Concerned,
    IntakeDossier,
    Places,
    Quota,
    ages_in_order,
    dates_in_order,
    move_fits,
    named_wait,
    not_over,
    places_to_move,
    quotas_fit,
)
from service.domain.levels import Proof
from service.domain.lifecycle import Dossier, Reason, Refused
from service.domain.programmes import (
    PROGRAMME,
    CurriculumCourse,
    ProgrammeDossier,
    Stage,
    curriculum_fits,
    field_known,
    stage_proofs_known,
    stages_in_bounds,
    stages_in_order,
)
from service.domain.regulations import CategoryCap

TODAY = date(2026, 11, 22)
MATHS, WELDING, STRANGE = (UUID(int=n) for n in (1, 2, 3))
D = Decimal


def programme(state: str = "draft", **more: Any) -> ProgrammeDossier:
    usual: dict[str, Any] = {"stages": 2, "courses": frozenset({MATHS, WELDING})}
    return ProgrammeDossier(state=state, today=TODAY, **(usual | more))


def against(action: str, facts: Dossier, **given: Any) -> list[tuple[str, str | None]]:
    """The reasons against an action, each with its pointer."""
    try:
        PROGRAMME.decide(action, facts, Actor(UUID(int=7), frozenset({COORDINATOR, REGISTRAR})), given)
    except Refused as no:
        return [(r.code, r.pointer) for r in no.reasons]
    return []


@pytest.mark.parametrize(
    ("caps", "granted"),
    [
        ((), True),
        ((("theory", "0"),), True),
        ((("theory", "5"), ("practice", "0.5"), ("placement", "1")), True),
        ((("theory", "-0.1"),), False),
        ((("theory", "5"), ("practice", "-1")), False),
        ((("theory", "5"), ("theory", "6")), False),
    ],
)
def test_regulation_caps_each_kind_of_course_once(caps: tuple[tuple[Any, str], ...], *, granted: bool) -> None:
    said = {"effective_from": TODAY, "credits_per_kind": tuple(CategoryCap(kind=k, credits=D(c)) for k, c in caps)}
    found = against("set_regulation", programme(), **said)
    assert found == ([] if granted else [("caps_of_kinds", "/credits_per_kind")])


def stage(no: int, **more: Any) -> Stage:
    usual: dict[str, Any] = {"place": "home", "years": D(1), "title": "-", "credits_required": D(0)}
    return Stage(no=no, **(usual | more))


def test_stages_are_numbered_from_one_and_last_some_time() -> None:
    draft = programme()
    assert stages_in_order(draft, {}) is None
    for numbers, fits in (
        ((), True),
        ((1,), True),
        ((1, 2, 3), True),
        ((0, 1), False),
        ((2, 1), False),
        ((1, 1), False),
    ):
        assert (stages_in_order(draft, {"stages": [stage(n) for n in numbers]}) is None) is fits
    assert stages_in_bounds(draft, {}) is None
    least = stage(1, years=D("0.01"))
    assert stages_in_bounds(draft, {"stages": [least]}) is None
    for wrong in ({"years": D(0)}, {"years": D(-1)}, {"credits_required": D("-0.01")}):
        assert stages_in_bounds(draft, {"stages": [least, stage(2, **wrong)]}) is not None


def test_stages_ask_for_tests_that_there_are() -> None:
    asked = [stage(1, languages=(Proof(test="jlpt", level="N3"),)), stage(2, languages=(Proof(test="latin"),))]
    assert [(r.code, r.pointer) for r in stage_proofs_known(programme(), {"stages": asked})] == [
        ("test_known", "/stages/1/languages/0/test")
    ]
    assert stage_proofs_known(programme(), {"stages": asked[:1]}) == stage_proofs_known(programme(), {}) == []


@pytest.mark.parametrize(
    ("field", "fits"),
    [
        ("09", True), ("091", True), ("0913", True), ("9", False), ("09134", False), ("x9", False), ("", False),
        ("\u0663\u0663", False), ("\u00b2\u00b2", False), (None, True),
    ],
)  # fmt: skip
def test_field_of_education_is_two_to_four_digits(field: str | None, *, fits: bool) -> None:
    assert (field_known(programme(), {"field": field}) is None) is fits


def test_curriculum_is_of_the_catalogue_and_of_stages_that_there_are() -> None:
    def found(*courses: tuple[UUID, int]) -> list[tuple[str, str | None]]:
        said = [CurriculumCourse(course_id=c, stage=s) for c, s in courses]
        return [(r.code, r.pointer) for r in curriculum_fits(programme(), {"courses": said})]

    assert found((MATHS, 1), (WELDING, 2)) == found() == []
    assert found((MATHS, 1), (STRANGE, 2)) == [("course_known", "/courses/1/course_id")]
    assert found((MATHS, 0), (WELDING, 3)) == [("stage_known", "/courses/0/stage"), ("stage_known", "/courses/1/stage")]
    assert found((MATHS, 1), (MATHS, 2)) == [("courses_distinct", "/courses")]


# ---- the plan of an intake
DAY = timedelta(days=1)
MOST = 100_000


def intake(**quotas: Places) -> IntakeDossier:
    return IntakeDossier(state="open", today=TODAY, quotas=quotas)


@pytest.mark.parametrize(
    ("quota", "found"),
    [
        (Quota(source="TH", places=MOST, kind="country"), []),
        (Quota(source="TH", places=MOST + 1, kind="country"), ["places_in_bounds"]),
        (Quota(source="TH", places=-1, kind="country"), ["places_in_bounds"]),
        (Quota(source="THA", places=0, kind="country"), ["source_of_kind"]),
        (Quota(source="Th", places=0, kind="country"), ["source_of_kind"]),
        (
            Quota(source="\u0422\u041d", places=0, kind="country"),
            ["source_of_kind"],
        ),  # two capitals, but not Latin ones
        (Quota(source="THA", places=0), []),
        (Quota(source="old", places=2), []),
        (Quota(source="old", places=1), ["places_in_bounds"]),
        (Quota(source="old", places=2, kind="order_class"), ["source_of_kind"]),
        (Quota(source="*", places=0), []),
        (Quota(source="*", places=0, kind="other"), ["source_of_kind"]),
    ],
)
def test_source_of_a_plan_is_of_a_kind_and_has_what_is_taken(quota: Quota, found: list[str]) -> None:
    known = intake(old=Places(5, 2, "province"))
    assert [r.code for r in quotas_fit(known, {"quotas": (quota,)})] == found
    assert quotas_fit(known, {}) == []


def test_plan_says_within_what_its_places_are() -> None:
    few = {"quotas": (Quota(source="new", places=1), Quota(source="old", places=1))}
    assert quotas_fit(intake(old=Places(5, 2)), few) == [
        Reason("places_in_bounds", required={"least": 2, "most": MOST}, actual=1, pointer="/quotas/1/places")
    ]
    said = {"from_source": "here", "to_source": "there", "places": 2}
    assert move_fits(intake(here=Places(3, 1), there=Places(MOST - 1, 0)), said) == [
        Reason("places_in_bounds", required={"least": 0, "most": MOST}, actual=MOST + 1, pointer="/places")
    ]
    waiting = [Concerned(n, n, "waitlisted", 1, source) for n, source in ((MATHS, "TH"), (WELDING, None))]
    assert named_wait(replace(intake(), named=tuple(waiting)), {"applications": (MATHS, WELDING)}) == [
        Reason("one_source", required=1, actual=["*", "TH"], pointer="/applications")
    ]


def test_places_go_where_there_is_room() -> None:
    here, there = Places(3, 1), Places(MOST - 2, 0)
    said = {"from_source": "here", "to_source": "there", "places": 2}
    assert move_fits(intake(here=here, there=there), said) == []
    assert [r.pointer for r in move_fits(intake(here=here, there=Places(MOST - 1, 0)), said)] == ["/places"]
    assert places_to_move(intake(here=here, there=there)) is None
    assert places_to_move(intake(here=here)) is not None
    assert places_to_move(intake(here=Places(1, 1), there=Places(2, 2))) is not None
    assert places_to_move(intake(here=Places(1, 1), there=Places(2, 1))) is None


def test_intake_days_are_those_given_beside_those_that_stand() -> None:
    plan = IntakeDossier(state="draft", today=TODAY, opens_on=TODAY, closes_on=TODAY + DAY, starts_on=TODAY + 2 * DAY)
    for right in ({}, {"opens_on": TODAY + DAY}, {"closes_on": TODAY}, {"closes_on": TODAY + 2 * DAY}):
        assert dates_in_order(plan, right) is None
    for wrong in ({"opens_on": TODAY + 2 * DAY}, {"closes_on": TODAY - DAY}, {"starts_on": TODAY}):
        assert dates_in_order(plan, wrong) is not None
    assert dates_in_order(IntakeDossier(state="draft", today=TODAY), {"closes_on": TODAY}) is None
    assert not_over(IntakeDossier(state="published", today=TODAY)) is None
    assert [ages_in_order(plan, {name: 18}) for name in ("age_least", "age_most")] == [None, None]
