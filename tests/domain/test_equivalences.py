"""Equivalences: what counts as what, how its credits are shared out to the last cent, and rules in editions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import COORDINATOR, REGISTRAR, Actor
from service.domain.conversion import (
    CreditPolicy,
    CreditRounding,
    GradePair,
    GradePolicy,
    Leg,
    Source,
    canonical,
    convert_credits,
    recomputed,
)
from service.domain.equivalences import (
    Equivalence,
    PartnerConversion,
    Proposal,
    RuleInForce,
    RuleSource,
    RuleTarget,
    by_hand,
    propose,
    sound,
)
from service.domain.lifecycle import NEW, LastStep, Reason, Refused
from service.domain.recognition import CaseItem
from service.domain.recognition_rules import RECOGNITION_RULE, NewRule, RuleDossier
from service.domain.regulations import HOME, CategoryCap, Default, Regulation, completed
from service.storage.conversion import shipped_schemes

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
D = Decimal
SCHEMES = shipped_schemes()
A, B, C = (UUID(int=n) for n in (1, 2, 3))
THERE, ELSEWHERE, HERE, ALSO = (UUID(int=n) for n in (21, 22, 23, 24))
PARTNER, ANOTHER = UUID(int=31), UUID(int=32)
TWO_FOR_ONE = Equivalence(
    sources=(RuleSource(course_id=THERE), RuleSource(course_id=ELSEWHERE)), targets=(RuleTarget(course_id=HERE),)
)


def item(n: UUID, source: UUID, credits_: str = "3", target: UUID = HERE, **more: Any) -> CaseItem:
    usual: dict[str, Any] = {
        "result_id": UUID(int=n.int + 100), "target": None, "share_percent": D(100), "verified": True, "passed": True,
        "free_percent": D(0), "achieved_on": TODAY, "target_credits": D(5), "source_owner_id": PARTNER, "grade": "B",
    }  # fmt: skip
    return CaseItem(id=n, source_course_id=source, target_course_id=target, credits=D(credits_), **(usual | more))


def rule(e: Equivalence, **more: Any) -> RuleInForce:
    usual: dict[str, Any] = {"id": UUID(int=41), "automatic": True, "valid_from": TODAY, "valid_until": None}
    return RuleInForce(rule_key="maths", edition=2, equivalence=e, **(usual | more))


def given_by(found: Proposal) -> dict[UUID, Decimal]:
    """What each item gets, once its trace was computed again."""
    awards, reasons = found
    assert reasons == []
    for award in awards:
        assert recomputed(json.loads(canonical(award.trace["credits"]))) == []
        assert award.trace["credits"][-1]["result"]["amount"] == format(award.credits.normalize(), "f")
    return {a.item_id: a.credits for a in awards}


def refused(found: Proposal) -> list[tuple[str, str | None]]:
    awards, reasons = found
    assert awards == []
    return [(r.code, r.pointer) for r in reasons]


# ---- shares of a target
@pytest.mark.parametrize(
    ("credits_", "total", "given"),
    [
        (("3",), "5", ("5",)),
        (("3", "3"), "5", ("2.5", "2.5")),
        (("4", "2"), "5", ("3.33", "1.67")),
        (("1", "1", "1"), "1", ("0.33", "0.33", "0.34")),
        (("1", "0"), "5", None),
    ],
)
def test_credits_of_a_target_are_shared_out_to_the_last_cent(
    credits_: tuple[str, ...], total: str, given: tuple[str, ...] | None
) -> None:
    ids, sources = (A, B, C), (THERE, ELSEWHERE, ALSO)
    items = [
        item(n, s, c, target_credits=D(total)) for n, s, c in zip(ids, sources, credits_, strict=False)
    ]  # fmt: skip
    e = replace(TWO_FOR_ONE, sources=tuple(RuleSource(course_id=i.source_course_id or A) for i in items))
    found = propose(items, [rule(e)], SCHEMES)
    if given is None:
        assert refused(found) == [("credits_awarded", "/items/0")]
        return
    assert given_by(found) == {n: D(g) for n, g in zip(ids, given, strict=False)}
    assert [s["rule"] for a in found[0] for s in a.trace["credits"]] == ["maths, edition 2"] * sum(
        1 if len(items) == 1 else 2 for _ in items
    )
    assert {a.rule_id for a in found[0]} == {UUID(int=41)}


def test_target_of_a_rule_goes_before_the_course_at_home() -> None:
    own = replace(TWO_FOR_ONE, sources=TWO_FOR_ONE.sources[:1], targets=(RuleTarget(course_id=HERE, credits=D(4)),))
    assert given_by(propose([item(A, THERE)], [own], SCHEMES)) == {A: D(4)}
    open_ = replace(own, targets=(RuleTarget(course_id=HERE),))
    assert given_by(propose([item(A, THERE)], [open_], SCHEMES)) == {A: D(5)}
    assert refused(propose([item(A, THERE, target_credits=None)], [open_], SCHEMES)) == [("credits_known", "/items/0")]


def test_results_without_credits_share_nothing() -> None:
    nothing = [item(A, THERE, "0"), item(B, ELSEWHERE, "0")]
    assert refused(propose(nothing, [TWO_FOR_ONE], SCHEMES)) == [("credits_known", "/items/0")] * 2
    alone = replace(TWO_FOR_ONE, sources=TWO_FOR_ONE.sources[:1])
    assert given_by(propose(nothing[:1], [alone], SCHEMES)) == {A: D(5)}


def test_decision_for_several_is_named_as_what_it_is() -> None:
    awards, _ = propose([item(A, THERE), item(B, ELSEWHERE)], [TWO_FOR_ONE], SCHEMES)
    assert {(a.rule_id, s["rule"]) for a in awards for s in a.trace["credits"]} == {(None, "one decision for several")}
    assert [a.grade for a in awards] == [None, None]


def test_decision_by_hand_is_traced_from_what_was_claimed() -> None:
    trace = by_hand(D("5.50"), D("4.25"))
    assert recomputed(json.loads(canonical(trace["credits"]))) == []
    assert [(s["formula"], s["rule"], s["result"]) for s in trace["credits"]] == [
        ("credits_given", "claimed", {"amount": "5.5"}),
        ("decided", None, {"amount": "4.25"}),
    ]
    assert trace["grade"] == []


# ---- which items a rule takes
@pytest.mark.parametrize(
    ("items", "taken"),
    [
        ((item(A, THERE), item(B, ELSEWHERE)), True),
        ((item(A, THERE),), False),
        ((item(A, THERE, share_percent=D(60)), item(C, THERE, share_percent=D(40)), item(B, ELSEWHERE)), True),
        ((item(A, THERE, share_percent=D(60)), item(C, THERE, share_percent=D(30)), item(B, ELSEWHERE)), False),
        ((item(A, THERE), item(B, ELSEWHERE, target=ALSO)), False),
        ((item(A, THERE), item(B, ALSO)), False),
        ((item(A, THERE), item(B, ELSEWHERE, achieved_on=TODAY - DAY)), False),
    ],
)
def test_rule_takes_the_whole_of_its_sources_or_nothing(items: tuple[CaseItem, ...], *, taken: bool) -> None:
    found = propose(items, [rule(TWO_FOR_ONE)], SCHEMES)
    if taken:
        assert set(given_by(found)) == {i.id for i in items}
    else:
        assert refused(found) == [("rule_for_item", f"/items/{n}") for n in range(len(items))]


def test_rule_wants_every_target_named() -> None:
    both = replace(
        TWO_FOR_ONE, sources=TWO_FOR_ONE.sources[:1], targets=(RuleTarget(course_id=HERE), RuleTarget(course_id=ALSO))
    )
    halves = [
        item(A, THERE, share_percent=D(50)),
        item(B, THERE, target=ALSO, share_percent=D(50), target_credits=D(2)),
    ]
    assert given_by(propose(halves, [both], SCHEMES)) == {A: D(5), B: D(2)}
    assert refused(propose([item(A, THERE)], [both], SCHEMES)) == [("rule_for_item", "/items/0")]


def test_item_is_taken_by_the_first_rule_that_can_and_the_rest_are_named() -> None:
    one = replace(TWO_FOR_ONE, sources=TWO_FOR_ONE.sources[:1])
    items = [item(C, ALSO), item(A, THERE), item(B, ELSEWHERE)]
    awards, found = propose(items, [rule(TWO_FOR_ONE), rule(one, id=UUID(int=42))], SCHEMES)
    assert {a.item_id: a.rule_id for a in awards} == {A: UUID(int=41), B: UUID(int=41)}
    assert found == [Reason("rule_for_item", pointer="/items/0")]


def test_faults_are_told_at_the_item_that_has_them() -> None:
    asks = replace(TWO_FOR_ONE, sources=(RuleSource(course_id=THERE, min_credits=D(4)), TWO_FOR_ONE.sources[1]))
    items = [item(C, ALSO), item(A, THERE), item(B, ELSEWHERE, passed=False)]
    assert refused(propose(items, [asks], SCHEMES)) == [
        ("credits_least", "/items/1"), ("result_passed", "/items/2"), ("rule_for_item", "/items/0"),
    ]  # fmt: skip
    half = [item(A, THERE, "2", share_percent=D(50)), item(C, THERE, "2", share_percent=D(50)), item(B, ELSEWHERE)]
    assert set(given_by(propose(half, [asks], SCHEMES))) == {A, B, C}


# ---- conversion
ECTS = CreditPolicy(
    from_scheme="ects",
    legs=(Leg(method="annual_load", to_scheme="cn-college@18", full_year_to=D(40)),),
)
ALONE = replace(TWO_FOR_ONE, sources=TWO_FOR_ONE.sources[:1])


def test_converted_credits_are_cut_to_the_cent_in_sight() -> None:
    awards, found = propose([item(A, THERE, "5")], [replace(ALONE, credits=ECTS)], SCHEMES)
    assert (found, awards[0].credits) == ([], D("3.33"))
    last = awards[0].trace["credits"][-1]
    assert (last["formula"], last["inputs"]["mode"], last["inputs"]["step"]) == ("round_credits", "down", "0.01")
    assert last["result"]["remainder"] == "1/300"


def test_converted_credits_that_a_policy_rounded_are_left_as_they_are() -> None:
    halves = replace(ECTS, rounding=CreditRounding(mode="down", step=D("0.5")))
    awards, found = propose([item(A, THERE, "5")], [replace(ALONE, credits=halves)], SCHEMES)
    assert (found, awards[0].credits) == ([], D(3))
    assert [s["formula"] for s in awards[0].trace["credits"]].count("round_credits") == 1


def test_credits_of_a_target_are_not_converted() -> None:
    own = replace(ALONE, credits=ECTS, targets=(RuleTarget(course_id=HERE, credits=D(4)),))
    assert given_by(propose([item(A, THERE, "5")], [own], SCHEMES)) == {A: D(4)}


def test_conversion_that_gives_nothing_or_cannot_be_made_is_a_reason() -> None:
    cents = replace(ALONE, credits=ECTS)
    assert refused(propose([item(A, THERE, "0.01")], [cents], SCHEMES)) == [("credits_awarded", "/items/0")]
    nowhere = replace(ALONE, credits=replace(ECTS, from_scheme="nowhere"))
    assert refused(propose([item(A, THERE)], [nowhere], SCHEMES)) == [("scheme_known", "/items/0/credits/from_scheme")]
    undated = replace(ALONE, credits=replace(ECTS, from_scheme="ects"))
    ended = [replace(s, effective_to=TODAY) for s in SCHEMES]
    assert given_by(propose([item(A, THERE)], [undated], ended)) == {A: D(2)}
    later = propose([item(A, THERE, achieved_on=TODAY + DAY)], [undated], ended)
    assert refused(later)[0] == ("scheme_holds_then", "/items/0/credits/from_scheme")
    without_day = propose([item(A, THERE, achieved_on=None)], [undated], ended)
    assert refused(without_day)[0] == ("scheme_holds_then", "/items/0/credits/from_scheme")


def test_grade_is_converted_where_both_are_there() -> None:
    table = GradePolicy(method="table", pairs=(GradePair(grade="B", becomes="良"),))
    graded = replace(ALONE, grades=table)
    (award,), _ = propose([item(A, THERE)], [graded], SCHEMES)
    assert (award.grade, [s["formula"] for s in award.trace["grade"]]) == ("良", ["look_up"])
    (award,), _ = propose([item(A, THERE, grade=None)], [graded], SCHEMES)
    assert (award.grade, award.trace["grade"]) == (None, [])
    assert refused(propose([item(A, THERE, grade="C")], [graded], SCHEMES)) == [("grade_in_table", "/items/0/grade")]
    both = replace(graded, credits=replace(ECTS, from_scheme="nowhere"))
    assert [c for c, _ in refused(propose([item(A, THERE, grade="C")], [both], SCHEMES))] == [
        "scheme_known",
        "grade_in_table",
    ]


def test_partner_converts_what_a_rule_does_not_by_what_held_when_the_last_was_achieved() -> None:
    first, second = D(2), D(3)

    def by(factor: Decimal, no: int, on: date, owner: UUID = PARTNER, **more: Any) -> PartnerConversion:
        legs = (Leg(method="ratio", to_scheme="cn-college@16", factor=factor),)
        policy = CreditPolicy(from_scheme="ects", legs=legs)
        return PartnerConversion(owner_id=owner, no=no, effective_from=on, credits=policy, **more)

    def worth(*partners: PartnerConversion, e: Equivalence = ALONE, **more: Any) -> Decimal:
        return given_by(propose([item(A, THERE, "1", **more)], [e], SCHEMES, partners))[A]

    assert worth(by(first, 1, TODAY)) == first
    assert worth(by(first, 1, TODAY + DAY)) == D(5)
    assert worth(by(first, 1, TODAY - DAY), by(second, 2, TODAY)) == second
    assert worth(by(second, 2, TODAY - DAY), by(first, 3, TODAY - DAY)) == first
    assert worth(by(second, 1, TODAY), by(first, 2, TODAY - DAY)) == second
    assert worth(by(first, 1, TODAY, ANOTHER)) == D(5)
    assert worth(by(first, 1, TODAY), achieved_on=None) == D(5)
    own = replace(ALONE, credits=replace(ECTS, legs=()))
    assert worth(by(first, 1, TODAY), e=own) == D(1)
    graded = GradePolicy(method="none", plain_pass="通过")
    (award,), _ = propose([item(A, THERE)], [ALONE], SCHEMES, [by(first, 1, TODAY, grades=graded)])
    assert award.grade == "通过"
    stays = replace(ALONE, grades=replace(graded, plain_pass="pass"))
    (award,), _ = propose([item(A, THERE)], [stays], SCHEMES, [by(first, 1, TODAY, grades=graded)])
    assert award.grade == "pass"


def test_results_of_two_partners_are_converted_by_neither() -> None:
    partner = PartnerConversion(owner_id=PARTNER, no=1, effective_from=TODAY, credits=replace(ECTS, legs=()))
    items = [item(A, THERE, "1"), item(B, ELSEWHERE, "1", source_owner_id=ANOTHER)]
    assert given_by(propose(items, [TWO_FOR_ONE], SCHEMES, [partner])) == {A: D("2.5"), B: D("2.5")}
    same = [items[0], replace(items[1], source_owner_id=PARTNER, achieved_on=TODAY - DAY)]
    assert given_by(propose(same, [TWO_FOR_ONE], SCHEMES, [partner])) == {A: D(1), B: D(1)}


def test_chain_says_every_scheme_that_is_not_there() -> None:
    policy = CreditPolicy(
        from_scheme="nowhere", legs=(Leg(method="ratio", to_scheme="neither", factor=D(1)),),
        rounding=CreditRounding(mode="down", step=D(0)),
    )  # fmt: skip
    found = convert_credits(D(1), policy, SCHEMES, TODAY)
    assert isinstance(found, list)
    assert [(r.code, r.pointer) for r in found] == [
        ("scheme_known", "/credits/from_scheme"),
        ("above_nothing", "/credits/rounding/step"),
        ("scheme_known", "/credits/legs/0/to_scheme"),
    ]
    hours = replace(
        policy, from_scheme="ects", legs=(Leg(method="workload", to_scheme="ects", hours=D(0)),), rounding=None
    )
    assert convert_credits(D(1), hours, SCHEMES, TODAY) == [
        Reason("above_nothing", required="hours", pointer="/credits/legs/0/hours")
    ]


# ---- what is drafted
@pytest.mark.parametrize(
    ("e", "found"),
    [
        (TWO_FOR_ONE, []),
        (replace(TWO_FOR_ONE, sources=()), [("courses_named_once", "/equivalence/sources")]),
        (replace(TWO_FOR_ONE, sources=TWO_FOR_ONE.sources[:1] * 2), [("courses_named_once", "/equivalence/sources")]),
        (replace(TWO_FOR_ONE, targets=()), [("courses_named_once", "/equivalence/targets")]),
        (
            replace(TWO_FOR_ONE, targets=(RuleTarget(course_id=HERE, credits=D("0.01")), RuleTarget(course_id=ALSO, credits=D(0)))),
            [("above_nothing", "/equivalence/targets/1/credits")],
        ),
        (replace(TWO_FOR_ONE, targets=(RuleTarget(course_id=HERE, credits=D(-1)),)), [("above_nothing", "/equivalence/targets/0/credits")]),
    ],
)  # fmt: skip
def test_equivalence_names_each_course_once_and_no_number_below_nothing(
    e: Equivalence, found: list[tuple[str, str]]
) -> None:
    assert [(r.code, r.pointer) for r in sound(e)] == found
    assert against(KNOWN, equivalence=e) == found


KNOWN = NewRule(state=NEW, today=TODAY, own=frozenset({HERE, ALSO}), others=frozenset({THERE, ELSEWHERE}))
DRAFT: dict[str, Any] = {
    "rule_key": "maths", "equivalence": TWO_FOR_ONE, "rationale": "x", "automatic": False, "valid_from": TODAY,
}  # fmt: skip


def against(facts: NewRule, **given: Any) -> list[tuple[str, str | None]]:
    try:
        RECOGNITION_RULE.decide("draft", facts, Actor(A, frozenset({REGISTRAR})), DRAFT | given)
    except Refused as no:
        return [(r.code, r.pointer) for r in no.reasons]
    return []


def test_rule_is_of_courses_that_are_there_and_counts_for_courses_of_our_own() -> None:
    assert against(KNOWN) == []
    ours = replace(TWO_FOR_ONE, sources=(RuleSource(course_id=ALSO),))
    assert against(KNOWN, equivalence=ours) == []
    assert against(replace(KNOWN, others=frozenset({THERE}))) == [("course_known", "/equivalence/sources/1/course_id")]
    theirs = replace(TWO_FOR_ONE, targets=(RuleTarget(course_id=HERE), RuleTarget(course_id=THERE)))
    assert against(KNOWN, equivalence=theirs) == [("course_known", "/equivalence/targets/1/course_id")]


def test_rule_does_not_end_before_it_begins() -> None:
    assert against(KNOWN, valid_until=TODAY) == []
    assert against(KNOWN, valid_until=TODAY - DAY) == [("days_in_order", "/valid_until")]
    active = RuleDossier(state="active", today=TODAY, valid_from=TODAY)
    who = Actor(A, frozenset({REGISTRAR}))
    assert RECOGNITION_RULE.decide("end", active, who, {"valid_until": TODAY}).to_state == "active"
    with pytest.raises(Refused) as no:
        RECOGNITION_RULE.decide("end", active, who, {"valid_until": TODAY - DAY})
    assert [r.code for r in no.value.reasons] == ["out_of_bounds"]


def test_rule_by_which_something_was_decided_is_not_taken_back() -> None:
    last = LastStep(2, "activate", "draft", "active", TODAY)
    active = RuleDossier(state="active", today=TODAY, valid_from=TODAY, last_step=last)
    who = Actor(A, frozenset({COORDINATOR, REGISTRAR}))
    assert RECOGNITION_RULE.decide("correct", active, who, {"note": "x"}).to_state == "draft"
    with pytest.raises(Refused) as no:
        RECOGNITION_RULE.decide("correct", replace(active, used=1), who, {"note": "x"})
    assert no.value.reasons == (Reason("rule_not_used", required=0, actual=1),)


# ---- what a regulation says
def test_regulation_is_completed_by_defaults_where_it_says_nothing() -> None:
    read = Source(source="x", source_url=None, checked_on=None, evidence="unverified")
    values: dict[str, Any] = {"hours_per_credit": D(16), "signatures": ("registrar",)}
    defaults = {name: Default(value=value, source=read) for name, value in values.items()}
    found = completed({"hours_per_credit": D(18), "credits_in_all": D(60), "overlap_percent": None}, defaults)
    assert found == {
        "effective_from": None, "hours_per_credit": D(18), "full_year_credits": None, "credits_per_course": None,
        "credits_per_kind": (), "credits_in_all": D(60), "credits_gap": None, "overlap_percent": None,
        "elective_for_required": None, "signatures": ("registrar",), "substitutions": None,
    }  # fmt: skip
    assert completed({"elective_for_required": False}, {})["elective_for_required"] is False
    assert completed({}, {})["signatures"] == ()


def test_credits_at_home_are_worth_the_hours_of_the_regulation() -> None:
    regulation = Regulation(
        no=3, effective_from=TODAY, hours_per_credit=D(16), full_year_credits=D(40), credits_per_course=None,
        credits_per_kind=(CategoryCap(kind="theory", credits=D(5)),), credits_in_all=None, credits_gap=None,
        overlap_percent=None, elective_for_required=False, signatures=(),
    )  # fmt: skip
    policy = CreditPolicy(from_scheme="ects", legs=(Leg(method="annual_load", to_scheme=HOME),))
    e = replace(ALONE, credits=policy)
    assert given_by(propose([item(A, THERE, "6")], [e], (*SCHEMES, regulation.scheme))) == {A: D(4)}
    assert (regulation.scheme.key, regulation.scheme.contact_min, regulation.scheme.hours_min) == (
        "home@3",
        D(16),
        None,
    )
