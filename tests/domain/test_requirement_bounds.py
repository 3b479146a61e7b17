"""What the evaluator says in full, and of several rows of one key which one speaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from service.domain.requirements import (
    Evidence,
    Packs,
    Payment,
    RequirementFacts,
    TestResult,
    checklist,
    choose,
    still_valid,
    unmet,
)
from service.domain.requirements.evaluation import _state
from service.domain.requirements.model import (
    AnyTest,
    Condition,
    FactAtMost,
    NeverPaid,
    Requirement,
    TestAlternative,
    Validity,
)  # fmt: skip
from tests.domain.test_requirements import ABROAD, COMMON, DAY, NOBODY, ON, OVER_ALL, VISA, holding, pack, row


def found(rows: list[Requirement], facts: RequirementFacts, on: date = ON) -> list[tuple[str, Any, Any]]:
    return [(u.code, u.required, u.actual) for u in unmet(rows, VISA, on, facts)]


def asking(asks: Any, **more: Any) -> Requirement:
    return row("fact", kind="fact", asks=asks, **more)


# ---- one requirement
def test_limit_is_told_with_what_is_there_and_without_a_figure_as_unknown() -> None:
    limit = asking(FactAtMost("stay_months", 36))
    assert found([limit], NOBODY) == [("fact_unknown", {"fact": "stay_months"}, None)]
    assert found([limit], RequirementFacts(stay_months=36)) == []
    assert found([limit], RequirementFacts(stay_months=37)) == [
        ("limit_passed", {"stay_months": 36}, {"stay_months": 37})
    ]


def test_payment_that_may_not_be_is_told_with_who_paid() -> None:
    never = row("fees", kind="payment_rule", asks=NeverPaid(("agency_fee",), ("trainee", "family")))
    paid = (
        Payment("agency_fee", "family"),
        Payment("agency_fee", "enterprise"),
        Payment("travel", "trainee"),
    )
    assert found([never], RequirementFacts(payments=paid)) == [
        ("agency_fee_paid", {"never_paid_by": ["trainee", "family"]}, {"payer": "family"}),
    ]  # fmt: skip


def test_pass_that_nobody_verified_is_told_as_such() -> None:
    test = asking(AnyTest((TestAlternative("jlpt", ("N4", "N3")),)))
    sat = TestResult(test="jlpt", taken_on=ON - 30 * DAY, level="N4")
    unverified = ("test_not_verified", {"verified": True}, {"test": "jlpt", "verified": False})
    assert found([test], RequirementFacts(tests=(sat,))) == [unverified]
    assert found([test], RequirementFacts(tests=(replace(sat, verified=True),))) == []


def test_scores_are_told_as_they_were_given() -> None:
    test = asking(AnyTest((TestAlternative("toefl", min_score=90),)))
    sat = tuple(TestResult(test="toefl", taken_on=ON - DAY, score=s) for s in (80, Decimal("81.5"), None))
    asked = {"any_of": [{"test": "toefl", "min_score": 90}]}
    actual = [{"test": "toefl", "level": None, "score": s} for s in (80, "81.5", None)]
    assert found([test], RequirementFacts(tests=sat)) == [("test_not_passed", asked, actual)]


@pytest.mark.parametrize(("until", "codes"), [
    (ON - DAY, ["requirement_expired"]), (ON, ["requirement_ends_too_early"]), (date(2027, 6, 30), ["requirement_ends_too_early"]),
    (date(2027, 7, 1), []),
])  # fmt: skip
def test_cover_reaches_its_last_day_and_an_end_before_the_event_is_an_end(until: date, codes: list[str]) -> None:
    three_months = row(validity=(Validity("covers", 3),))
    assert [c for c, _, _ in found([three_months], holding(valid_until=until, issued_on=ON - DAY))] == codes


def test_age_is_not_known_on_no_day() -> None:
    born = RequirementFacts(birth_on=date(2000, 1, 1))
    assert [born.known("age", on) for on in (None, date(2026, 1, 1))] == [None, 26]
    assert NOBODY.known("age", ON) is None


@pytest.mark.parametrize(("comparison", "value", "applies"), [
    ("has", ("jlpt", "goethe"), True), ("has", ("goethe", "hsk"), False),
    ("lacks", ("jlpt", "goethe"), False), ("lacks", ("goethe", "hsk"), True),
])  # fmt: skip
def test_one_of_several_is_enough_to_have_and_too_much_to_lack(comparison: Any, value: Any, applies: Any) -> None:
    only_if = row(applies_if=(Condition("levels_asked", comparison, value),))
    assert bool(found([only_if], RequirementFacts(levels_asked={"jlpt": "N4"}))) is applies


# ---- several rows of one key
def test_of_rows_that_lack_as_much_the_first_speaks_and_of_others_the_stricter() -> None:
    def limit(most: int, pack_: str) -> Requirement:
        return asking(FactAtMost("stay_months", most), title=pack_)

    facts = RequirementFacts(stay_months=40)
    assert [r for _, r, _ in found([limit(36, "a"), limit(30, "b")], facts)] == [{"stay_months": 30}]
    assert [r for _, r, _ in found([limit(30, "a"), limit(36, "b")], facts)] == [{"stay_months": 30}]
    late = row(validity=(Validity("months_from_issue", 3),))
    twin = replace(late, validity=(Validity("days_from_issue", 90),))
    issued = holding(issued_on=date(2026, 12, 1))  # both end on the same day, 1 March 2027
    assert [r for _, r, _ in found([late, twin], issued)] == [{"months_from_issue": 3, "valid_on": "2027-04-01"}]
    assert [r for _, r, _ in found([twin, late], issued)] == [{"days_from_issue": 90, "valid_on": "2027-04-01"}]


def test_checklist_takes_words_from_the_first_row_and_rights_from_all() -> None:
    first = row(title="Medical", kind="document", subject="person", waivable_by=("admin", "coordinator", "registrar"))
    second = row(title="Health", kind="clearance", subject="placement", waivable_by=("registrar", "coordinator"))
    (line,) = checklist([first, second], RequirementFacts(starts_on=ON))
    assert (line.title, line.kind, line.subject) == ("Medical", "document", "person")
    assert line.waivable_by == ("coordinator", "registrar")


def test_state_is_that_of_the_evidence_unless_a_row_asks_for_more() -> None:
    facts = RequirementFacts(
        evidence={"one": Evidence(state="supplied"), "two": Evidence(state="accepted")}, stay_months=1
    )
    one, two = row(item="one"), row(item="two")
    assert (_state([one, two], ON, facts), _state([two, one], ON, facts)) == ("supplied", "accepted")
    asks = replace(two, asks=FactAtMost("stay_months", 12))
    assert _state([two, asks], ON, facts) == "met"
    assert _state([one, replace(asks, asks=FactAtMost("stay_months", 0))], ON, facts) == "unmet"
    assert _state([two, asks], None, facts) == "unmet"


def test_waiver_holds_where_every_row_can_be_waived() -> None:
    facts = RequirementFacts(evidence={"paper": Evidence(state="waived")}, stay_months=9)
    can = row(asks=FactAtMost("stay_months", 1), waivable_by=("admin",))
    assert _state([can, can], ON, facts) == "waived"
    assert _state([can, replace(can, waivable_by=())], ON, facts) == "unmet"


def test_last_good_day_is_the_earliest_of_those_that_count_from_the_issue() -> None:
    def until(*validity: Validity, **dates: Any) -> date | None:
        (line,) = checklist([row(validity=validity)], replace(holding(**dates), starts_on=ON))
        return line.valid_until

    issued = date(2027, 1, 10)
    three, short = Validity("months_from_issue", 3), Validity("days_from_issue", 10)
    assert until(Validity("covers", 3), issued_on=issued) is None
    assert until(three, issued_on=issued) == date(2027, 4, 10)
    assert until(three, short, issued_on=issued) == until(short, three, issued_on=issued) == date(2027, 1, 20)
    assert until(three, issued_on=issued, valid_until=date(2027, 2, 1)) == date(2027, 2, 1)


# ---- packs
def test_pack_that_ended_closes_every_gate_and_says_when() -> None:
    packs = Packs(replace(ABROAD, valid_to=ON), ())
    assert still_valid(packs, ON) is None
    ended = still_valid(packs, ON + DAY)
    assert ended is not None
    assert (ended.key, ended.code, ended.actual, ended.providers, ended.evidence_mark) == (
        "pack", "pack_ended", (ON + DAY).isoformat(), ("coordinator",), "official",
    )  # fmt: skip
    assert list(ended.required) == [packs.pathway.pin]


def test_common_packs_and_overlays_are_added_where_and_while_they_are_in_force() -> None:
    elsewhere = pack("de_only", kind="overlay", destinations=("DE",))
    over = pack("over", kind="overlay", valid_to=ON - DAY)
    to_come = pack("to_come", kind="common", nationalities=("CN",), valid_from=ON + DAY)
    chosen = choose(
        (ABROAD, COMMON, OVER_ALL, elsewhere, over, to_come), nationality="CN", destination="JP", pathway="jp", on=ON
    )
    assert isinstance(chosen, Packs)
    assert {p.key for p in chosen.all} == {"jp", "cn", "fair"}
