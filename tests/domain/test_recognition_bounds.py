"""Caps, gaps and promises of recognition: what counts beside what, to the hundredth of a credit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import SYSTEM_ACCOUNT
from service.domain.conversion import CreditPolicy, CreditScheme
from service.domain.equivalences import Equivalence, PartnerConversion, RuleTarget, propose, sound
from service.domain.lifecycle import Reason
from service.domain.recognition import Earned, SavedRule, judging
from service.domain.recognition.facts import modes_of
from service.domain.recognition.judging import automatic_for_the_system, judged_on, of_case, within_caps
from service.domain.regulations import CategoryCap, in_force
from tests.domain.test_recognition import (
    AGREED,
    HERE,
    PROMISE,
    RULE,
    SAME,
    THERE,
    TODAY,
    A,
    B,
    C,
    case,
    item,
    regulation,
    said,
)

D = Decimal
DAY = timedelta(days=1)
ELSEWHERE, OTHER_SOURCE = UUID(int=51), UUID(int=52)


def told(found: list[Reason]) -> list[tuple[str, Any, Any]]:
    return [(r.code, r.required, r.actual) for r in found]


def capped(awards: dict[UUID, str], *electives: UUID, **more: Any) -> list[tuple[str, Any, Any]]:
    return told(
        within_caps(case("opened", **more), {i: D(n) for i, n in awards.items()}, lambda _: "", frozenset(electives))
    )


def earned(credits_: str, course: UUID = HERE, kind: str = "theory") -> Earned:
    return Earned(target_course_id=course, kind=kind, credits=D(credits_))


# ---- caps
def test_course_is_recognised_up_to_its_credits_with_what_stands_for_it_alone() -> None:
    stands = (earned("2"), earned("9", ELSEWHERE))
    assert capped({A: "4"}, earned=stands) == []
    assert capped({A: "4.01"}, earned=stands) == [("recognised_already", "6", "6.01")]
    assert capped({A: "9"}) == [], "nothing stands for it yet"
    assert capped({A: "9"}, earned=stands, items=(item(target_credits=None),)) == []


def test_cap_of_a_course_is_of_all_its_items_to_the_hundredth() -> None:
    rule = (regulation(credits_per_course=D(6)),)
    two = (item(A), item(B, source_course_id=OTHER_SOURCE))
    assert capped({A: "3", B: "3"}, items=two, regulations=rule) == []
    assert capped({A: "3", B: "3.01"}, items=two, regulations=rule) == [("cap_of_course", "6", "6.01")]
    tiny = (regulation(credits_per_course=D("0.4")),)
    assert capped({A: "0.5"}, regulations=tiny) == [("cap_of_course", "0.4", "0.5")]


def test_cap_is_told_at_the_first_item_of_the_course_and_is_of_its_credits() -> None:
    two = (item(A), item(B, source_course_id=OTHER_SOURCE, target_credits=None))
    facts = case("opened", items=two, earned=(earned("2"),))
    found = within_caps(facts, {A: D(3), B: D(3)}, lambda i: f"/items/{two.index(i)}", frozenset())
    assert [(r.code, r.required, r.pointer) for r in found] == [("recognised_already", "6", "/items/0")]


def test_nothing_awarded_breaks_no_cap_that_others_broke() -> None:
    rule = (regulation(credits_in_all=D(5), credits_per_kind=(CategoryCap(kind="theory", credits=D(5)),)),)
    stands = (earned("9", ELSEWHERE),)
    assert capped({A: "0"}, earned=stands, regulations=rule) == capped({}, earned=stands, regulations=rule) == []
    none_of_it = (regulation(credits_per_kind=(CategoryCap(kind="practice", credits=D("0.5")),)),)
    assert capped({A: "6"}, items=(item(target_kind="theory"),), regulations=none_of_it) == []
    two = (item(A, target_kind="practice"), item(B, target_kind="theory"))
    assert capped({A: "0.01"}, items=two, earned=stands, regulations=rule) == [("cap_in_all", "5", "9.01")]


def test_cap_in_all_counts_what_stands_to_the_hundredth() -> None:
    rule = (regulation(credits_in_all=D(8)),)
    assert capped({A: "6"}, earned=(earned("2", ELSEWHERE),), regulations=rule) == []
    assert capped({A: "6"}, earned=(earned("2.01", ELSEWHERE),), regulations=rule) == [("cap_in_all", "8", "8.01")]
    kinds = (regulation(credits_per_kind=(CategoryCap(kind="theory", credits=D(8)),)),)
    theory = (item(target_kind="theory"),)
    assert capped({A: "6"}, items=theory, earned=(earned("2", ELSEWHERE),), regulations=kinds) == []
    found = capped({A: "6"}, items=theory, earned=(earned("2.01", ELSEWHERE),), regulations=kinds)
    assert found == [("cap_of_kind", "8", "8.01")]


# ---- an appeal: what was decided of the others stands beside it
def test_amended_item_counts_beside_what_stands_as_it_stands() -> None:
    standing = item(B, source_course_id=OTHER_SOURCE, credits_awarded=D(3), mode="full")
    amended = {"decisions": (said("recognised", credits_awarded=D(4)),)}
    rule = (regulation(credits_per_course=D(6)),)
    facts = case("appealed", items=(item(), standing), regulations=rule)
    assert told(judging.within_regulation(facts, amended)) == [("cap_of_course", "6", "7")]
    assert judging.within_regulation(replace(facts, items=(item(), replace(standing, mode="elective"))), amended) == []
    assert judging.within_regulation(replace(facts, state="assessing"), amended) == [], "it decides every item anew"


# ---- the gap to the course
@pytest.mark.parametrize(("award", "found"), [
    ("4", []), ("3.99", [("credits_gap", "2", "2.01")]), ("9", []),
])  # fmt: skip
def test_gap_is_what_is_left_after_all_that_counts_for_the_course(award: str, found: list[Any]) -> None:
    whole = (item(A, target_credits=D(9)), item(B, target_course_id=ELSEWHERE), item(C, source_course_id=OTHER_SOURCE))
    facts = case(
        "opened", items=whole, earned=(earned("3"), earned("5", ELSEWHERE)), regulations=(regulation(credits_gap=D(2)),)
    )
    awards = {A: D(award), B: D(2)}  # nothing is said of the third
    rule = facts.regulations[0]
    assert told(judging._of_course(facts, whole[0], said("recognised"), awards, rule, "")) == found
    unknown = replace(whole[0], target_credits=None)
    assert judging._of_course(facts, unknown, said("recognised"), awards, rule, "") == []


# ---- promises and rules
def test_promise_in_full_is_not_kept_by_a_part() -> None:
    facts = case("opened", rules=(PROMISE,))
    less: dict[str, Any] = {"credits_awarded": D(5), "difference_codes": ("outcomes",), "reason_text": "x"}
    part = {"decisions": (said("partially_recognised", **less),)}
    assert told(judging.promises_kept(facts, part)) == [("promise_mode", "full", "partial")]


def test_item_is_judged_by_the_latest_promise_of_both_its_courses() -> None:
    later = replace(PROMISE, promised_on=AGREED + DAY)
    other_source = replace(later, promised_on=AGREED + 9 * DAY, equivalence=Equivalence(
        sources=(replace(SAME.sources[0], course_id=OTHER_SOURCE),), targets=SAME.targets,
    ))  # fmt: skip
    facts = case("opened", rules=(later, PROMISE, other_source))
    assert judged_on(facts, facts.items[0]) == AGREED + DAY
    assert judged_on(case("opened"), item()) == TODAY


def test_every_rule_that_decides_without_a_person_says_that_it_may() -> None:
    by_hand = replace(RULE, id=UUID(int=60), automatic=False, equivalence=Equivalence(
        sources=(replace(SAME.sources[0], course_id=OTHER_SOURCE),), targets=(RuleTarget(course_id=ELSEWHERE),),
    ))  # fmt: skip
    both = (item(A), item(B, source_course_id=OTHER_SOURCE, target_course_id=ELSEWHERE))
    facts = case("opened", items=both, rules=(RULE, by_hand), asker=SYSTEM_ACCOUNT)
    assert automatic_for_the_system(facts) == Reason("rule_automatic")
    assert automatic_for_the_system(replace(facts, items=both[:1])) is None


def test_schemes_of_the_institution_stand_beside_that_of_the_regulation() -> None:
    source = regulation().scheme.source
    own = CreditScheme(
        code="points", version="1", title="", effective_from=None, effective_to=None, full_year_credits=None,
        hours_min=None, hours_max=None, contact_min=None, contact_max=None, source=source,
    )  # fmt: skip
    rule = replace(RULE, equivalence=replace(SAME, credits=CreditPolicy(from_scheme="points", legs=())))
    facts = case("opened", rules=(rule,), schemes=(own,), regulations=(regulation(),))
    assert judging.rules_take_it(facts) == []
    assert [r.code for r in judging.rules_take_it(replace(facts, schemes=()))] == ["scheme_known"]


def test_rule_without_an_end_is_kept() -> None:
    rule = SavedRule(rule_key="x", rationale="x", automatic=True, valid_from=TODAY, valid_until=None)
    facts = case("opened", own=frozenset({HERE}), others=frozenset({THERE}))
    assert judging.saved_soundly(facts, {"equivalences": (SAME,), "save_as": rule}) == []


def test_only_what_is_recognised_for_no_course_counts_as_an_elective() -> None:
    free = item(target_course_id=None)
    assert "elective" in modes_of("recognised", free)
    assert "elective" not in modes_of("recognised", item())
    assert modes_of("not_recognised", free) == modes_of("not_recognised", item())


def test_regulation_is_the_newest_where_no_day_is_known() -> None:
    first, second = regulation(), regulation(no=2, effective_from=TODAY + 400 * DAY)
    assert in_force((second, first), None) == second
    assert in_force((second, first), TODAY) == first
    assert in_force((second, first), TODAY - DAY) is None
    assert of_case(case("opened", items=(item(achieved_on=None),), regulations=(first, second))) == second


# ---- equivalences
@pytest.mark.parametrize(("credits_", "targets", "codes"), [
    (None, (None,), ["part_says_credits"]), (None, ("3",), []), (None, ("3", None), ["part_says_credits"]),
    (CreditPolicy(from_scheme="ects", legs=()), (None,), []),
])  # fmt: skip
def test_part_says_how_much_it_counts_for(credits_: Any, targets: tuple[str | None, ...], codes: list[str]) -> None:
    e = Equivalence(
        sources=SAME.sources, mode="partial", credits=credits_, conditions="x", differences=("level",),
        targets=tuple(
            RuleTarget(course_id=UUID(int=70 + n), credits=None if c is None else D(c)) for n, c in enumerate(targets)
        ),
    )  # fmt: skip
    assert [r.code for r in sound(e, "") if r.code == "part_says_credits"] == codes


def test_of_rules_for_one_source_each_takes_the_items_of_its_target() -> None:
    other = replace(RULE, id=UUID(int=61), equivalence=replace(SAME, targets=(RuleTarget(course_id=ELSEWHERE),)))
    half = D(50)
    items = (item(A), item(B, target_course_id=ELSEWHERE))
    awards, found = propose(items, (RULE, other), ())
    assert (found, {a.item_id: a.rule_id for a in awards}) == ([], {A: RULE.id, B: other.id})
    assert [r.code for r in propose((item(A, share_percent=half),), (RULE,), ())[1]] == ["rule_for_item"]


def test_promise_is_converted_as_the_partner_converted_when_it_was_given() -> None:
    partner = UUID(int=80)
    policy = CreditPolicy(from_scheme="ects", legs=())
    then = PartnerConversion(owner_id=partner, no=1, effective_from=AGREED, credits=policy, grades=None)
    since = replace(then, no=2, effective_from=AGREED + DAY, credits=replace(policy, from_scheme="us"))
    promise = replace(PROMISE, equivalence=SAME)
    mine = (item(source_owner_id=partner),)

    def used(rule: Any) -> str:
        e = propose.__globals__["_with_policies"](rule, SAME, mine, (then, since))
        return str(e.credits.from_scheme)

    assert (used(promise), used(RULE)) == ("ects", "us")
