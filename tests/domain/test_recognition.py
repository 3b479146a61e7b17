"""The rules of a recognition case, without a database: the whole table, and every branch of its guards."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.actors import SYSTEM_ACCOUNT, Actor, Role
from service.domain.conversion import CreditPolicy
from service.domain.equivalences import Equivalence, RuleInForce, RuleSource, RuleTarget
from service.domain.journey import LIVE as JOURNEY_LIVE
from service.domain.lifecycle import KERNEL_ACTIONS, NEW, LastStep, Reason, Refused
from service.domain.recognition import (
    LIVE,
    RECOGNITION_CASE,
    CaseDossier,
    CaseItem,
    Claimable,
    Earned,
    ItemDecision,
    NewCase,
    SavedRule,
    WantedItem,
    awarded,
    awards_of,
    mode_of,
    of_case,
    shares,
)
from service.domain.recognition_rules import RECOGNITION_RULE, NewRule
from service.domain.regulations import CategoryCap, Regulation, Substitution

TODAY = date(2026, 11, 22)
A, B, C, ME, OTHER = (UUID(int=n) for n in range(1, 6))
SCAN = UUID(int=9)
ROLES = {
    "take_on": {Role.REGISTRAR},
    "ask_evidence": {Role.REGISTRAR},
    "supply_evidence": {Role.TRAINEE, Role.GUARDIAN},
    "lapse": {Role.SYSTEM},
    "decide": {Role.REGISTRAR},
    "decide_by_rule": {Role.REGISTRAR, Role.SYSTEM},
    "decide_alike": {Role.REGISTRAR},
    "sign": {Role.REGISTRAR, Role.COORDINATOR, Role.ADMIN},
    "send_back": {Role.REGISTRAR, Role.COORDINATOR, Role.ADMIN},
    "notify": {Role.COORDINATOR, Role.SYSTEM},
    "finalise": {Role.SYSTEM},
    "appeal": {Role.TRAINEE, Role.GUARDIAN},
    "decide_appeal": {Role.REGISTRAR},
    "withdraw": {Role.TRAINEE, Role.GUARDIAN},
    "reverse": {Role.REGISTRAR},
}
MOVES = {
    ("opened", "take_on"): "assessing",
    ("assessing", "ask_evidence"): "evidence_requested",
    ("evidence_requested", "supply_evidence"): "assessing",
    ("evidence_requested", "lapse"): "lapsed",
    ("opened", "decide"): "decided",
    ("assessing", "decide"): "decided",
    ("opened", "decide_by_rule"): "decided",
    ("assessing", "decide_by_rule"): "decided",
    ("opened", "decide_alike"): "decided",
    ("assessing", "decide_alike"): "decided",
    ("decided", "sign"): "decided",
    ("decided", "send_back"): "assessing",
    ("decided", "notify"): "final",
    ("notified", "finalise"): "final",
    ("notified", "appeal"): "appealed",
    ("appealed", "decide_appeal"): "final",
    ("final", "reverse"): "reversed",
} | {(s, "withdraw"): "withdrawn" for s in LIVE}
THERE, HERE = UUID(int=21), UUID(int=22)
SAME = Equivalence(sources=(RuleSource(course_id=THERE),), targets=(RuleTarget(course_id=HERE),))
RULE = RuleInForce(
    id=UUID(int=23), rule_key="x", edition=1, automatic=True, valid_from=TODAY, valid_until=None, equivalence=SAME
)
CHAIN: dict[str, Any] = {"sign_off": ("registrar", "admin"), "asker_roles": ("registrar",)}


def item(n: UUID = A, **more: Any) -> CaseItem:
    usual: dict[str, Any] = {
        "result_id": UUID(int=n.int + 100), "target_course_id": HERE, "target": None, "source_course_id": THERE,
        "achieved_on": TODAY, "target_credits": Decimal(6), "share_percent": Decimal(100),
        "credits": Decimal(6), "verified": True, "passed": True, "free_percent": Decimal(0), "outcome": "recognised",
    }  # fmt: skip
    return CaseItem(id=n, **(usual | more))


def case(state: str, **more: Any) -> CaseDossier:
    usual: dict[str, Any] = {
        "items": (item(),), "asker": ME, "deciders": frozenset({OTHER}), "evidence_wanted": ("transcript",),
        "documents": {SCAN: "transcript"}, "appeal_id": C, "rules": (RULE,),
    }  # fmt: skip
    return CaseDossier(state=state, today=TODAY, **(usual | more))


def actor(role: Role) -> Actor:
    return Actor(ME, frozenset({role}))


GIVEN: dict[str, dict[str, Any]] = {
    "ask_evidence": {"missing": ("transcript",), "evidence_until": TODAY},
    "supply_evidence": {"evidence": (SCAN,)},
    "decide": {"decisions": (ItemDecision(item_id=A, outcome="recognised"),)},
    "decide_alike": {"equivalences": (SAME,)},
    "send_back": {"reason_code": "other"},
    "appeal": {"grounds": "x"},
    "decide_appeal": {"outcome": "upheld", "reason_text": "x"},
    "reverse": {"reason_code": "fraud"},
}
READY: dict[str, dict[str, Any]] = {
    "sign": CHAIN,
    "send_back": CHAIN,
    "lapse": {"evidence_until": TODAY - timedelta(days=1)},
    "finalise": {"appeal_until": TODAY - timedelta(days=1)},
    "appeal": {"appeal_until": TODAY},
}


def refused(action: str, facts: Any, role: Role, given: dict[str, Any] | None = None) -> list[Reason]:
    with pytest.raises(Refused) as no:
        RECOGNITION_CASE.decide(action, facts, actor(role), given or {})
    return list(no.value.reasons)


def codes(action: str, facts: Any, role: Role, given: dict[str, Any] | None = None) -> list[str]:
    return [r.code for r in refused(action, facts, role, given)]


def granted(action: str, facts: Any, role: Role, given: dict[str, Any] | None = None) -> str:
    return RECOGNITION_CASE.decide(action, facts, actor(role), given or {}).to_state


# ---- the table
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", ROLES)
@pytest.mark.parametrize("state", RECOGNITION_CASE.states())
def test_case_table_holds_for_every_action_state_and_role(state: str, action: str, role: Role) -> None:
    facts = case(state, **READY.get(action, {}))
    to = MOVES.get((state, action))
    if to and role in ROLES[action]:
        step = RECOGNITION_CASE.decide(action, facts, actor(role), GIVEN.get(action))
        assert (step.from_state, step.to_state) == (state, to)
        return
    found = codes(action, facts, role, GIVEN.get(action))
    recorded = role is Role.COORDINATOR and ROLES[action] == {Role.TRAINEE, Role.GUARDIAN}
    if to is None:
        assert found == ([] if role in ROLES[action] or recorded else ["role"]) + ["not_from_this_state"]
    else:
        assert found == (["recorded_for_required"] if recorded else ["role"])


@pytest.mark.parametrize("role", Role)
def test_case_offers_what_it_decides(role: Role) -> None:
    for state in RECOGNITION_CASE.states():
        for offer in RECOGNITION_CASE.offers(case(state, appeal_until=TODAY), actor(role)):
            if offer.action in (*KERNEL_ACTIONS, "sign", "send_back"):
                continue
            recorded = role is Role.COORDINATOR and ROLES[offer.action] == {Role.TRAINEE, Role.GUARDIAN}
            may = (state, offer.action) in MOVES and (role in ROLES[offer.action] or recorded)
            assert offer.open is may, (state, offer)


def test_case_actions_are_those_of_the_table() -> None:
    assert set(RECOGNITION_CASE.actions()) == {*ROLES, *KERNEL_ACTIONS}
    assert RECOGNITION_CASE.births() == ["open"]
    assert set(LIVE) == JOURNEY_LIVE["recognition_case"]


# ---- opening
def new(**more: Any) -> NewCase:
    free = {A: Claimable(verified=True, credits=Decimal(6), free_percent=Decimal(40))}
    return NewCase(state=NEW, today=TODAY, **({"results": free} | more))


def opening(*items: WantedItem, **more: Any) -> dict[str, Any]:
    return {"kind": "transcript", "items": items} | more


def want(share: str = "40", **more: Any) -> WantedItem:
    usual: dict[str, Any] = {"result_id": A, "target": "x", "share_percent": Decimal(share)}
    return WantedItem(**(usual | more))


@pytest.mark.parametrize("role", Role)
def test_case_is_opened_by_the_registrar_and_the_person(role: Role) -> None:
    said = opening(want())
    if role in (Role.REGISTRAR, Role.TRAINEE, Role.GUARDIAN):
        assert RECOGNITION_CASE.decide("open", new(), actor(role), said).to_state == "opened"
    else:
        assert codes("open", new(), role, said) == ["recorded_for_required" if role is Role.COORDINATOR else "role"]


def test_case_opening_checks_each_item() -> None:
    def said(*items: WantedItem, facts: NewCase | None = None) -> list[tuple[str, str | None]]:
        return [(r.code, r.pointer) for r in refused("open", facts or new(), Role.REGISTRAR, opening(*items))]

    assert said(want(result_id=B)) == [("result_known", "/items/0/result_id")]
    assert said(want("1"), want("1", target=None)) == [("one_target", "/items/1")]
    assert said(want("1", target_course_id=C)) == [
        ("one_target", "/items/0"),
        ("course_known", "/items/0/target_course_id"),
    ]
    known = new(courses=frozenset({C}))
    ok = opening(want(target=None, target_course_id=C))
    assert RECOGNITION_CASE.decide("open", known, actor(Role.REGISTRAR), ok).to_state == "opened"
    for share in ("0", "-1", "0.001", "1.005"):
        assert said(want(share)) == [("share_percent", "/items/0/share_percent")]
    assert said(want("100.01")) == [("share_percent", "/items/0/share_percent"), ("share_free", "/items")]


def test_case_claims_no_more_than_is_free() -> None:
    (reason,) = refused("open", new(), Role.REGISTRAR, opening(want("20"), want("20.01")))
    assert (reason.code, reason.required, reason.actual) == ("share_free", "40", "40.01")
    assert granted("open", new(), Role.REGISTRAR, opening(want("20"), want("20"))) == "opened"


def test_case_unverified_results_come_with_evidence() -> None:
    facts = new(results={A: Claimable(verified=False, credits=Decimal(6), free_percent=Decimal(100))})
    assert codes("open", facts, Role.TRAINEE, opening(want())) == ["evidence_required"]
    assert granted("open", facts, Role.TRAINEE, opening(want(), evidence=(SCAN,))) == "opened"


def test_case_supersedes_a_reversed_one_only() -> None:
    said = opening(want(), supersedes_id=B)
    assert codes("open", new(), Role.TRAINEE, said) == ["supersedes_reversed"]
    assert granted("open", new(reversed_cases=frozenset({B})), Role.TRAINEE, said) == "opened"


# ---- dates
@pytest.mark.parametrize("days", [-1, 0, 1])
def test_case_deadlines_end_with_their_day(days: int) -> None:
    day = TODAY + timedelta(days=days)
    over = days < 0
    if over:
        assert granted("lapse", case("evidence_requested", evidence_until=day), Role.SYSTEM) == "lapsed"
        assert granted("finalise", case("notified", appeal_until=day), Role.SYSTEM) == "final"
        assert codes("appeal", case("notified", appeal_until=day), Role.TRAINEE, GIVEN["appeal"]) == ["appeal_in_time"]
    else:
        assert codes("lapse", case("evidence_requested", evidence_until=day), Role.SYSTEM) == ["evidence_overdue"]
        assert codes("finalise", case("notified", appeal_until=day), Role.SYSTEM) == ["appeal_time_over"]
        assert granted("appeal", case("notified", appeal_until=day), Role.TRAINEE, GIVEN["appeal"]) == "appealed"


def test_case_without_a_date_neither_lapses_nor_becomes_final() -> None:
    assert codes("lapse", case("evidence_requested"), Role.SYSTEM) == ["evidence_overdue"]
    assert codes("finalise", case("notified"), Role.SYSTEM) == ["appeal_time_over"]


def test_case_evidence_is_every_kind_that_was_asked_for() -> None:
    facts = case("evidence_requested", evidence_wanted=("transcript", "diploma"))
    (reason,) = refused("supply_evidence", facts, Role.TRAINEE, {"evidence": (SCAN,)})
    assert (reason.code, reason.required) == ("each_supplied", ["diploma"])
    both = replace(facts, documents={SCAN: "transcript", B: "diploma"})
    assert granted("supply_evidence", both, Role.TRAINEE, {"evidence": (SCAN, B)}) == "assessing"
    assert codes("supply_evidence", both, Role.TRAINEE) == ["evidence_required"]


# ---- decisions
def said(outcome: Any, **more: Any) -> ItemDecision:
    usual: dict[str, Any] = {"difference_codes": (), "reason_text": None}
    if outcome != "recognised":
        usual = {"difference_codes": ("level",), "reason_text": "x"}
    if outcome == "partially_recognised":
        usual["credits_awarded"] = Decimal(1)
    return ItemDecision(item_id=A, outcome=outcome, **(usual | more))


@pytest.mark.parametrize(
    ("decision", "facts", "expected"),
    [
        (said("recognised"), {}, []),
        (said("recognised", credits_awarded=Decimal("0.5")), {}, []),
        (said("recognised", credits_awarded=Decimal(0)), {}, ["credits_awarded"]),
        (said("recognised", credits_awarded=Decimal(-1)), {}, ["credits_awarded"]),
        (said("recognised"), {"credits": Decimal(0)}, ["credits_awarded"]),
        (said("recognised", difference_codes=("level",)), {}, ["recognised_without_difference"]),
        (said("recognised"), {"verified": False}, ["result_verified"]),
        (said("recognised"), {"passed": False}, ["result_passed"]),
        (said("partially_recognised"), {}, []),
        (said("partially_recognised", credits_awarded=None), {}, ["credits_awarded"]),
        (said("partially_recognised", difference_codes=()), {}, ["difference_named"]),
        (said("partially_recognised", reason_text=" "), {}, ["reasons_written"]),
        (said("partially_recognised"), {"verified": False, "passed": False}, ["result_verified", "result_passed"]),
        (said("not_recognised"), {}, []),
        (said("not_recognised"), {"verified": False, "passed": False}, []),
        (said("not_recognised", credits_awarded=Decimal(0)), {}, []),
        (said("not_recognised", credits_awarded=Decimal(1)), {}, ["nothing_awarded"]),
        (said("not_recognised", difference_codes=(), reason_text=None), {}, ["difference_named", "reasons_written"]),
    ],
)
def test_case_decision_is_sound(decision: ItemDecision, facts: dict[str, Any], expected: list[str]) -> None:
    dossier = case("assessing", items=(item(**facts),))
    if expected:
        assert codes("decide", dossier, Role.REGISTRAR, {"decisions": (decision,)}) == expected
    else:
        step = RECOGNITION_CASE.decide("decide", dossier, actor(Role.REGISTRAR), {"decisions": (decision,)})
        assert step.to_state == "decided"


def test_case_decides_every_item_once() -> None:
    facts = case("opened", items=(item(A), item(B)))
    yes_a, yes_b, yes_c = (ItemDecision(item_id=n, outcome="recognised") for n in (A, B, C))
    for decisions in ((yes_a,), (yes_a, yes_a), (yes_a, yes_c), (yes_a, yes_b, yes_b)):
        assert codes("decide", facts, Role.REGISTRAR, {"decisions": decisions}) == ["each_item_decided"]
    assert granted("decide", facts, Role.REGISTRAR, {"decisions": (yes_b, yes_a)}) == "decided"


def test_case_awards_what_is_said_or_claimed() -> None:
    assert awarded(said("recognised"), item()) == Decimal(6)
    assert awarded(said("recognised", credits_awarded=Decimal(4)), item()) == Decimal(4)
    assert awarded(said("partially_recognised"), item()) == Decimal(1)
    assert awarded(said("not_recognised"), item()) == Decimal(0)


@pytest.mark.parametrize("outcome", ["partially_recognised", "not_recognised", None])
def test_case_with_less_is_notified_and_waits(outcome: str | None) -> None:
    facts = case("decided", items=(item(A), item(B, outcome=outcome)))
    assert RECOGNITION_CASE.decide("notify", facts, actor(Role.COORDINATOR)).to_state == "notified"


# ---- appeal
def test_case_appeal_needs_another_decider() -> None:
    mine = case("appealed", deciders=frozenset({ME, OTHER}))
    assert codes("decide_appeal", mine, Role.REGISTRAR, GIVEN["decide_appeal"]) == ["another_decider"]
    by_rule = case("appealed", deciders=frozenset(), asker=SYSTEM_ACCOUNT)
    assert granted("decide_appeal", by_rule, Role.REGISTRAR, GIVEN["decide_appeal"]) == "final"


def test_case_appeal_leads_where_its_outcome_says() -> None:
    facts = case("appealed")
    yes = said("recognised")

    def verdict(outcome: str, *decisions: ItemDecision) -> dict[str, Any]:
        return {"outcome": outcome, "reason_text": "x"} | ({"decisions": decisions} if decisions else {})

    def to(given: dict[str, Any]) -> str:
        return RECOGNITION_CASE.decide("decide_appeal", facts, actor(Role.REGISTRAR), given).to_state

    assert to(verdict("upheld")) == "final"
    assert to(verdict("remitted")) == "assessing"
    assert to(verdict("amended", yes)) == "final"
    for outcome in ("upheld", "remitted"):
        assert codes("decide_appeal", facts, Role.REGISTRAR, verdict(outcome, yes)) == ["only_amended_decides"]
    stranger = replace(yes, item_id=B)
    for decisions in ((), (yes, yes), (stranger,)):
        assert codes("decide_appeal", facts, Role.REGISTRAR, verdict("amended", *decisions)) == ["amended_items_named"]
    less = replace(yes, outcome="not_recognised")
    assert codes("decide_appeal", facts, Role.REGISTRAR, verdict("amended", less)) == [
        "difference_named",
        "reasons_written",
    ]


# ---- taking back
def last(action: str, before: str, after: str) -> LastStep:
    return LastStep(3, action, before, after, TODAY)


@pytest.mark.parametrize(("action", "before"), [("withdraw", "notified"), ("lapse", "evidence_requested")])
def test_case_comes_back_only_while_its_shares_are_free(action: str, before: str) -> None:
    after = "withdrawn" if action == "withdraw" else "lapsed"
    result = {"result_id": C, "share_percent": Decimal(30)}
    free = tuple(item(n, **result, free_percent=Decimal(60)) for n in (A, B))
    less = tuple(item(n, **result, free_percent=Decimal("59.99")) for n in (A, B))
    step = last(action, before, after)
    back = RECOGNITION_CASE.decide(
        "correct", case(after, items=free, last_step=step), actor(Role.COORDINATOR), {"note": "x"}
    )
    assert back.to_state == before
    (reason,) = refused("correct", case(after, items=less, last_step=step), Role.COORDINATOR, {"note": "x"})
    assert (reason.code, reason.required, reason.actual) == ("share_free", "59.99", "60")


@pytest.mark.parametrize(
    ("action", "before", "after", "expected"),
    [
        ("notify", "decided", "final", ["not_final"]),
        ("finalise", "notified", "final", ["correctable"]),
        ("decide_appeal", "appealed", "assessing", ["correctable"]),
        ("reverse", "final", "reversed", ["correctable"]),
    ],
)
def test_case_final_steps_are_not_corrected(action: str, before: str, after: str, expected: list[str]) -> None:
    facts = case(after, last_step=last(action, before, after))
    assert codes("correct", facts, Role.ADMIN, {"note": "x"}) == expected


def test_case_notice_is_corrected_while_not_final() -> None:
    facts = case("notified", last_step=last("notify", "decided", "notified"))
    assert RECOGNITION_CASE.decide("correct", facts, actor(Role.COORDINATOR), {"note": "x"}).to_state == "decided"


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.decimals("0.01", "100", places=2)), max_size=8))
def test_case_opens_exactly_when_every_result_has_room(drawn: list[tuple[UUID, Decimal]]) -> None:
    free = {r: Claimable(verified=True, credits=Decimal(6), free_percent=f) for r, f in
            ((A, Decimal(100)), (B, Decimal("33.33")), (C, Decimal(0)))}  # fmt: skip
    items = tuple(WantedItem(result_id=r, target="x", share_percent=s) for r, s in drawn)
    wanted = shares(items)
    assert sum(wanted.values(), Decimal(0)) == sum((s for _, s in drawn), Decimal(0))
    full = [r for r, s in wanted.items() if s > free[r].free_percent]
    if not items:
        assert codes("open", new(results=free), Role.TRAINEE, opening()) == ["input_required"]
    elif full:
        assert codes("open", new(results=free), Role.TRAINEE, opening(*items)) == ["share_free"] * len(full)
    else:
        assert granted("open", new(results=free), Role.TRAINEE, opening(*items)) == "opened"


# ---- by rule, and by regulation
def codes_by_rule(**more: Any) -> list[str]:
    return codes("decide_by_rule", case("opened", **more), Role.REGISTRAR)


def test_case_by_rule_needs_a_rule_for_each_item_on_its_day() -> None:
    assert codes_by_rule(rules=()) == ["rule_for_item"]
    assert codes_by_rule(rules=(replace(RULE, valid_from=TODAY + timedelta(days=1)),)) == ["rule_for_item"]
    assert codes_by_rule(items=(item(achieved_on=None),)) == ["rule_for_item"]
    assert codes_by_rule(items=(item(target_credits=None),)) == ["credits_known"]
    assert codes_by_rule(items=(item(verified=False, passed=False),)) == ["result_verified", "result_passed"]
    last = replace(RULE, valid_from=TODAY - timedelta(days=9), valid_until=TODAY)
    assert granted("decide_by_rule", case("opened", rules=(last,)), Role.REGISTRAR) == "decided"
    assert codes_by_rule(rules=(replace(last, valid_until=TODAY - timedelta(days=1)),)) == ["rule_for_item"]


def test_case_alike_is_of_equivalences_that_are_sound() -> None:
    twice = replace(SAME, sources=SAME.sources * 2)
    said = {"equivalences": (SAME, twice)}
    (reason,) = refused("decide_alike", case("opened", rules=()), Role.REGISTRAR, said)
    assert (reason.code, reason.pointer) == ("courses_named_once", "/equivalences/1/sources")
    by_both = case("opened", items=(item(target_credits=Decimal(4)),))
    alike, by_rule = awards_of(by_both, {"equivalences": (SAME,)}), awards_of(by_both, {})
    assert {i: (a.credits, a.rule_id) for i, a in alike.items()} == {A: (Decimal(4), None)}
    assert {i: (a.credits, a.rule_id) for i, a in by_rule.items()} == {A: (Decimal(4), RULE.id)}


def test_case_by_rule_converts_into_the_credits_of_its_regulation() -> None:
    policy = CreditPolicy(from_scheme="home", legs=())
    home = replace(RULE, equivalence=replace(SAME, credits=policy))
    facts = case("opened", rules=(home,))
    (reason,) = refused("decide_by_rule", facts, Role.REGISTRAR)
    assert (reason.code, reason.pointer) == ("scheme_known", "/items/0/credits/from_scheme")
    ruled = replace(facts, regulations=(regulation(),))
    assert granted("decide_by_rule", ruled, Role.REGISTRAR) == "decided"
    capped = replace(ruled, regulations=(regulation(credits_in_all=Decimal(5)),))
    assert codes("decide_by_rule", capped, Role.REGISTRAR) == ["cap_in_all"]


def test_case_by_rule_alone_needs_an_automatic_one() -> None:
    by_hand = case("opened", rules=(replace(RULE, automatic=False),))
    assert granted("decide_by_rule", by_hand, Role.REGISTRAR) == "decided"
    assert codes("decide_by_rule", replace(by_hand, asker=SYSTEM_ACCOUNT), Role.SYSTEM) == ["rule_automatic"]
    assert granted("decide_by_rule", case("opened", asker=SYSTEM_ACCOUNT), Role.SYSTEM) == "decided"


@pytest.mark.parametrize(
    ("source", "facts", "found"),
    [
        ({"min_grade": Decimal(60)}, {"grade": "60"}, []),
        ({"min_grade": Decimal(60)}, {"grade": "59,9"}, ["grade_least"]),
        ({"min_grade": Decimal(60)}, {"grade": None}, ["grade_least"]),
        ({"min_grade": Decimal(3), "lower_is_better": True}, {"grade": "3.0"}, []),
        ({"min_grade": Decimal(3), "lower_is_better": True}, {"grade": "3.3"}, ["grade_least"]),
        ({"min_credits": Decimal(6)}, {}, []),
        ({"min_credits": Decimal("6.5")}, {}, ["credits_least"]),
    ],
)
def test_case_by_rule_reaches_what_the_source_asks(source: Any, facts: Any, found: list[str]) -> None:
    asks = replace(SAME, sources=(RuleSource(course_id=THERE, **source),))
    facts = case("opened", items=(item(**facts),), rules=(replace(RULE, equivalence=asks),))
    if found:
        assert codes("decide_by_rule", facts, Role.REGISTRAR) == found
    else:
        assert granted("decide_by_rule", facts, Role.REGISTRAR) == "decided"


def regulation(**more: Any) -> Regulation:
    usual: dict[str, Any] = {
        "no": 1, "effective_from": TODAY, "hours_per_credit": Decimal(16), "full_year_credits": None,
        "credits_per_course": None, "credits_per_kind": (), "credits_in_all": None, "credits_gap": None,
        "overlap_percent": None, "elective_for_required": False, "signatures": (),
    }  # fmt: skip
    return Regulation(**(usual | more))


EARNED = Earned(target_course_id=HERE, kind="theory", credits=Decimal(2))


@pytest.mark.parametrize(
    ("rule", "facts", "decision", "found"),
    [
        ({"credits_per_course": Decimal(6)}, {}, {}, []),
        ({"credits_per_course": Decimal("5.9")}, {}, {}, ["cap_of_course"]),
        ({"credits_per_course": Decimal("5.9"), "effective_from": TODAY + timedelta(days=1)}, {}, {}, []),
        ({"credits_in_all": Decimal(6)}, {}, {}, []),
        ({"credits_in_all": Decimal(5)}, {}, {}, ["cap_in_all"]),
        ({"credits_per_kind": (CategoryCap(kind="theory", credits=Decimal(5)),)}, {"target_kind": "theory"}, {}, ["cap_of_kind"]),
        ({"credits_per_kind": (CategoryCap(kind="theory", credits=Decimal(5)),)}, {"target_kind": "practice"}, {}, []),
        ({"credits_gap": Decimal(2)}, {"target_credits": Decimal(8)}, {}, []),
        ({"credits_gap": Decimal(2)}, {"target_credits": Decimal("8.5")}, {}, ["credits_gap"]),
        ({"overlap_percent": Decimal(70)}, {"target_required": True}, {}, ["overlap_enough"]),
        ({"overlap_percent": Decimal(70)}, {"target_required": True}, {"overlap_percent": Decimal("69.9")}, ["overlap_enough"]),
        ({"overlap_percent": Decimal(70)}, {"target_required": True}, {"overlap_percent": Decimal(70)}, []),
        ({"overlap_percent": Decimal(70)}, {}, {}, []),
        ({}, {"target_required": True, "source_elective": True}, {}, ["elective_for_required"]),
        ({"elective_for_required": True}, {"target_required": True, "source_elective": True}, {}, []),
    ],
)  # fmt: skip
def test_case_decision_keeps_its_regulation(rule: Any, facts: Any, decision: Any, found: list[str]) -> None:
    dossier = case("opened", items=(item(**facts),), regulations=(regulation(**rule),))
    given = {"decisions": (said("recognised", **decision),)}
    if found:
        assert codes("decide", dossier, Role.REGISTRAR, given) == found
    else:
        assert granted("decide", dossier, Role.REGISTRAR, given) == "decided"


def test_case_counts_what_other_cases_earned() -> None:
    facts = case("opened", earned=(EARNED,), items=(item(target_kind="theory"),))
    given = {"decisions": (said("recognised"),)}
    assert codes("decide", facts, Role.REGISTRAR, given) == ["recognised_already"]
    four = {"decisions": (said("recognised", credits_awarded=Decimal(4)),)}
    assert granted("decide", facts, Role.REGISTRAR, four) == "decided"
    kinds = (CategoryCap(kind="theory", credits=Decimal(5)),)
    caps = regulation(credits_per_course=Decimal(5), credits_in_all=Decimal(5), credits_per_kind=kinds)
    capped = replace(facts, regulations=(caps,))
    assert codes("decide", capped, Role.REGISTRAR, four) == ["cap_of_course", "cap_of_kind", "cap_in_all"]
    none = {"decisions": (said("not_recognised"),)}
    assert granted("decide", capped, Role.REGISTRAR, none) == "decided"


def test_case_decision_for_no_course_of_ours_counts_in_all_alone() -> None:
    """What is recognised as something that the catalogue does not have uses up no course, only what may be in all."""
    free = item(target_course_id=None, target="x", target_required=True, source_elective=True)
    caps = regulation(credits_per_course=Decimal(1), credits_gap=Decimal(0), overlap_percent=Decimal(70))
    facts = case("opened", items=(free,), regulations=(caps,), earned=(replace(EARNED, target_course_id=None),))
    given = {"decisions": (said("recognised"),)}
    assert granted("decide", facts, Role.REGISTRAR, given) == "decided"
    full = replace(facts, regulations=(replace(caps, credits_in_all=Decimal(7)),))
    assert codes("decide", full, Role.REGISTRAR, given) == ["cap_in_all"]


def test_case_amended_counts_what_stands_beside() -> None:
    standing = item(B, credits_awarded=Decimal(5))
    facts = case("appealed", items=(item(A), standing), regulations=(regulation(credits_in_all=Decimal(10)),))
    verdict = {"outcome": "amended", "reason_text": "x", "decisions": (said("recognised", credits_awarded=Decimal(6)),)}
    assert codes("decide_appeal", facts, Role.REGISTRAR, verdict) == ["cap_in_all"]


def test_case_regulation_is_the_newest_that_had_begun() -> None:
    old, new_ = regulation(), regulation(no=2, effective_from=TODAY + timedelta(days=1))
    assert of_case(case("opened", regulations=(old, new_))) == old
    later = item(achieved_on=TODAY + timedelta(days=1))
    assert of_case(case("opened", items=(item(), later), regulations=(old, new_))) == new_
    assert of_case(case("opened", regulations=(new_,))) is None


def test_case_is_signed_in_order_by_others() -> None:
    facts = case("decided", **CHAIN)
    assert codes("notify", facts, Role.COORDINATOR) == ["signed_off"]
    assert codes("sign", replace(facts, sign_off=()), Role.REGISTRAR) == ["signature_wanted"]
    assert codes("sign", replace(facts, asker_roles=("admin",)), Role.ADMIN) == ["signs_next"]
    both: tuple[dict[str, Any], ...] = ({"deciders": frozenset({ME})}, {"signers": frozenset({ME})})
    for more in both:
        assert codes("sign", replace(facts, **more), Role.REGISTRAR) == ["another_signs"]


# ---- as what it counts
@pytest.mark.parametrize(
    ("outcome", "facts", "mode", "found"),
    [
        ("recognised", {}, None, []),
        ("recognised", {}, "full", []),
        ("recognised", {}, "partial", ["mode_of_outcome"]),
        ("recognised", {}, "elective", ["mode_of_outcome"]),
        ("recognised", {"target_course_id": None, "target": "electives"}, "elective", []),
        ("partially_recognised", {}, "partial", []),
        ("partially_recognised", {}, "elective", []),
        ("partially_recognised", {}, "full", ["mode_of_outcome"]),
        ("not_recognised", {}, "elective", ["mode_of_outcome"]),
    ],
)
def test_case_counts_as_its_outcome_allows(outcome: str, facts: Any, mode: Any, found: list[str]) -> None:
    less: dict[str, Any] = {} if outcome == "recognised" else {"difference_codes": ("outcomes",), "reason_text": "x"}
    part: dict[str, Any] = {"credits_awarded": Decimal(2)} if outcome == "partially_recognised" else {}
    given = {"decisions": (said(outcome, mode=mode, **less | part),)}
    dossier = case("opened", items=(item(**facts),))
    if found:
        assert codes("decide", dossier, Role.REGISTRAR, given) == found
    else:
        assert granted("decide", dossier, Role.REGISTRAR, given) == "decided"


def test_case_usual_mode_follows_the_outcome() -> None:
    assert mode_of(said("recognised"), item()) == "full"
    assert mode_of(said("partially_recognised"), item()) == "partial"
    assert mode_of(said("not_recognised"), item()) is None
    assert mode_of(said("partially_recognised", mode="elective"), item()) == "elective"


def test_case_elective_is_for_no_course_and_has_a_cap_of_its_own() -> None:
    kinds = (CategoryCap(kind="elective", credits=Decimal(3)), CategoryCap(kind="theory", credits=Decimal(2)))
    caps = regulation(credits_per_course=Decimal(1), credits_per_kind=kinds, overlap_percent=Decimal(70))
    before = (EARNED, Earned(target_course_id=None, kind="elective", credits=Decimal(1)))
    dossier = case(
        "opened", items=(item(target_kind="theory", target_required=True),), regulations=(caps,), earned=before
    )

    def elective(credits_: int) -> dict[str, Any]:
        return {"decisions": (said("partially_recognised", mode="elective", difference_codes=("profile",),
                                   reason_text="x", credits_awarded=Decimal(credits_)),)}  # fmt: skip

    assert granted("decide", dossier, Role.REGISTRAR, elective(2)) == "decided"
    assert codes("decide", dossier, Role.REGISTRAR, elective(3)) == ["cap_of_kind"]


LESS: dict[str, Any] = {"differences": ("profile",), "conditions": "Only as an elective: another profile."}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"mode": "elective", **LESS}, []),
        ({"mode": "partial", **LESS, "targets": (RuleTarget(course_id=HERE, credits=Decimal(2)),)}, []),
        ({"mode": "partial", **LESS}, ["part_says_credits"]),
        ({"mode": "elective"}, ["difference_named", "reasons_written"]),
        ({"mode": "elective", **LESS, "conditions": " "}, ["reasons_written"]),
        ({**LESS}, ["recognised_without_difference"]),
    ],
)
def test_case_alike_counts_for_less_with_reasons(more: Any, found: list[str]) -> None:
    given = {"equivalences": (replace(SAME, **more),)}
    if found:
        assert codes("decide_alike", case("opened"), Role.REGISTRAR, given) == found
        return
    assert granted("decide_alike", case("opened"), Role.REGISTRAR, given) == "decided"
    (award,) = awards_of(case("opened"), given).values()
    assert (award.mode, award.differences, award.conditions) == (more["mode"], ("profile",), LESS["conditions"])


@pytest.mark.parametrize(
    ("permitted", "facts", "mode", "found"),
    [
        ((), ("placement", "practice"), "full", []),
        ((("placement", "practice"),), ("placement", "practice"), "full", []),
        ((("placement", "practice"),), ("practice", "placement"), "full", ["substitution_permitted"]),
        ((("placement", "practice"),), ("placement", "theory"), "elective", []),
        ((("placement", "practice"),), ("theory", "theory"), "full", []),
        ((("placement", "practice"),), (None, "theory"), "full", []),
        ((("placement", "practice"),), ("placement", None), "full", []),
    ],
)
def test_case_kind_counts_for_another_only_where_permitted(permitted: Any, facts: Any, mode: Any, found: Any) -> None:
    rules = tuple(Substitution(source=s, target=t) for s, t in permitted) or None
    kinds = item(source_kind=facts[0], target_kind=facts[1])
    dossier = case("opened", items=(kinds,), regulations=(regulation(substitutions=rules),))
    less: dict[str, Any] = {"difference_codes": ("profile",), "reason_text": "x", "credits_awarded": Decimal(6)}
    by_hand = said("recognised") if mode == "full" else said("partially_recognised", mode=mode, **less)
    alike = SAME if mode == "full" else replace(SAME, mode=mode, **LESS)
    for action, body in (("decide", {"decisions": (by_hand,)}), ("decide_alike", {"equivalences": (alike,)})):
        if found:
            assert codes(action, dossier, Role.REGISTRAR, body) == found
        else:
            assert granted(action, dossier, Role.REGISTRAR, body) == "decided"
    none = {"decisions": (said("not_recognised"),)}
    assert granted("decide", dossier, Role.REGISTRAR, none) == "decided"


# ---- what was promised
AGREED = TODAY - timedelta(days=200)
PROMISE = replace(
    RULE, id=UUID(int=24), rule_key="agreement", promised_on=AGREED, valid_from=AGREED,
    equivalence=replace(SAME, targets=(RuleTarget(course_id=HERE, credits=Decimal(5)),)),
)  # fmt: skip


def test_case_promise_goes_before_rules_for_all() -> None:
    facts = case("opened", rules=(RULE, PROMISE))
    (award,) = awards_of(facts, {}).values()
    assert (award.rule_id, award.credits) == (PROMISE.id, Decimal(5))
    assert granted("decide_by_rule", replace(facts, asker=SYSTEM_ACCOUNT), Role.SYSTEM) == "decided"


@pytest.mark.parametrize(
    ("decision", "found"),
    [
        (("recognised", {"credits_awarded": Decimal(5)}), []),
        (("recognised", {"credits_awarded": Decimal(6)}), []),
        (("recognised", {"credits_awarded": Decimal("4.9")}), ["promise_kept"]),
        (("partially_recognised", {"credits_awarded": Decimal(5), "mode": "elective"}), ["promise_mode"]),
        (("not_recognised", {}), ["promise_kept", "promise_mode"]),
    ],
)
def test_case_decision_by_hand_keeps_a_promise(decision: Any, found: list[str]) -> None:
    outcome, more = decision
    less: dict[str, Any] = {} if outcome == "recognised" else {"difference_codes": ("outcomes",), "reason_text": "x"}
    given = {"decisions": (said(outcome, **more | less),)}
    facts = case("opened", rules=(PROMISE,))
    if found:
        assert codes("decide", facts, Role.REGISTRAR, given) == found
        appeal = given | {"outcome": "amended", "reason_text": "x"}
        assert codes("decide_appeal", replace(facts, state="appealed"), Role.REGISTRAR, appeal) == found
    else:
        assert granted("decide", facts, Role.REGISTRAR, given) == "decided"


def test_case_alike_keeps_a_promise() -> None:
    four = replace(SAME, targets=(RuleTarget(course_id=HERE, credits=Decimal(4)),))
    facts = case("opened", rules=(PROMISE,))
    assert codes("decide_alike", facts, Role.REGISTRAR, {"equivalences": (four,)}) == ["promise_kept"]
    assert granted("decide_alike", facts, Role.REGISTRAR, {"equivalences": (SAME,)}) == "decided"


def test_case_promise_is_not_owed_to_a_fail_and_needs_no_overlap() -> None:
    failed = case("opened", rules=(PROMISE,), items=(item(passed=False),))
    none = {"decisions": (said("not_recognised", difference_codes=("failed",), reason_text="x"),)}
    assert granted("decide", failed, Role.REGISTRAR, none) == "decided"
    strict = regulation(overlap_percent=Decimal(70), credits_gap=Decimal(0), effective_from=AGREED)
    asked = case("opened", rules=(PROMISE,), items=(item(target_required=True),), regulations=(strict,))
    five = {"decisions": (said("recognised", credits_awarded=Decimal(5)),)}
    assert granted("decide", asked, Role.REGISTRAR, five) == "decided"
    assert codes("decide", replace(asked, rules=()), Role.REGISTRAR, five) == ["credits_gap", "overlap_enough"]


def test_case_is_judged_by_what_held_when_it_was_promised() -> None:
    old, new_ = regulation(effective_from=AGREED), regulation(no=2, effective_from=AGREED + timedelta(days=1))
    assert of_case(case("opened", regulations=(old, new_), rules=(PROMISE,))) == old
    assert of_case(case("opened", regulations=(old, new_))) == new_
    elsewhere = case("opened", items=(item(target_course_id=THERE),), regulations=(old, new_), rules=(PROMISE,))
    assert of_case(elsewhere) == new_


# ---- kept as a rule
def test_case_alike_is_kept_as_one_rule_of_known_courses() -> None:
    rule = SavedRule(rule_key="x", rationale="x", automatic=True, valid_from=TODAY, valid_until=TODAY)
    given: dict[str, Any] = {"equivalences": (SAME,), "save_as": rule}
    known = case("opened", own=frozenset({HERE}), others=frozenset({THERE}))
    assert granted("decide_alike", known, Role.REGISTRAR, given) == "decided"
    assert codes("decide_alike", replace(known, own=frozenset()), Role.REGISTRAR, given) == ["course_known"]
    assert codes("decide_alike", replace(known, others=frozenset()), Role.REGISTRAR, given) == ["course_known"]
    late = given | {"save_as": replace(rule, valid_until=TODAY - timedelta(days=1))}
    assert codes("decide_alike", known, Role.REGISTRAR, late) == ["days_in_order"]
    other = replace(SAME, sources=(RuleSource(course_id=B),))
    two = given | {"equivalences": (SAME, other)}
    assert codes("decide_alike", known, Role.REGISTRAR, two) == ["one_equivalence_saved"]


@pytest.mark.parametrize(
    ("facts", "given", "found"),
    [
        ({}, {}, []),
        ({"person_known": True}, {"person_id": A, "promised_on": TODAY}, []),
        ({}, {"person_id": A, "promised_on": TODAY}, ["person_known"]),
        ({}, {"person_id": A}, ["promise_whole"]),
        ({}, {"promised_on": TODAY}, ["promise_whole"]),
        ({"person_known": True}, {"person_id": A, "promised_on": TODAY + timedelta(days=1)}, ["promised_on_past"]),
        ({"person_known": True}, {"person_id": A, "promised_on": TODAY, "valid_from": AGREED}, ["days_in_order"]),
    ],
)
def test_rule_promise_names_whom_and_when(facts: Any, given: Any, found: list[str]) -> None:
    born = NewRule(state=NEW, today=TODAY, own=frozenset({HERE}), others=frozenset({THERE}), **facts)
    body = {"rule_key": "x", "equivalence": SAME, "rationale": "x", "automatic": True, "valid_from": TODAY} | given
    if not found:
        assert RECOGNITION_RULE.decide("draft", born, actor(Role.REGISTRAR), body).to_state == "draft"
        return
    with pytest.raises(Refused) as no:
        RECOGNITION_RULE.decide("draft", born, actor(Role.REGISTRAR), body)
    assert [r.code for r in no.value.reasons] == found
