"""The evaluator of requirement packs: every boundary of a date, every kind of row, and how packs come together."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.domain.requirements import (
    GATES,
    LINE,
    Evidence,
    Gate,
    NoPack,
    Pack,
    Packs,
    Payment,
    Requirement,
    RequirementFacts,
    Source,
    TestResult,
    add_months,
    add_working_days,
    age_on,
    checklist,
    choose,
    reopen,
    still_valid,
    unmet,
)
from service.domain.requirements.model import (
    AnyTest,
    Ask,
    Condition,
    FactAmong,
    FactAtMost,
    MinimumAge,
    MinimumPay,
    NeverPaid,
    PassportDates,
    TestAlternative,
    Validity,
)

ON = date(2027, 4, 1)
DAY = timedelta(days=1)
VISA = GATES["visa"]
NOBODY = RequirementFacts()


def source(pack: str = "a", mark: Any = "official") -> Source:
    return Source(f"Law of {pack}", None, date(2026, 11, 22), mark, pack)


def row(key: str = "paper", **given: Any) -> Requirement:
    fields: dict[str, Any] = {
        "key": key,
        "title": key.title(),
        "kind": "document",
        "subject": "placement",
        "needed_before": "visa",
        "providers": ("trainee",),
        "source": source(),
        "item": key,
    }
    return Requirement(**fields | given)


def holding(**dates: Any) -> RequirementFacts:
    return RequirementFacts(evidence={"paper": Evidence(**{"state": "accepted"} | dates)})


def codes(
    rows: Requirement | list[Requirement], facts: RequirementFacts, on: date = ON, gate: Gate = VISA
) -> list[str]:
    return [u.code for u in unmet([rows] if isinstance(rows, Requirement) else rows, gate, on, facts)]


# ---- counting days


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 15), 3, date(2026, 4, 15)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 1, 31), 3, date(2026, 4, 30)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2028, 2, 29), 48, date(2032, 2, 29)),
        (date(2026, 12, 31), 0, date(2026, 12, 31)),
        (date(2026, 9, 30), 15, date(2027, 12, 30)),
    ],
)
def test_add_months_ends_on_the_same_day_or_the_last(start: date, months: int, end: date) -> None:
    assert add_months(start, months) == end


def test_add_working_days_counts_from_the_day_after() -> None:
    friday, monday = date(2026, 10, 2), date(2026, 10, 5)
    assert add_working_days(friday, 0, ()) == friday
    assert add_working_days(friday, 1, ()) == monday
    assert add_working_days(friday, 10, ()) == date(2026, 10, 16)
    assert add_working_days(friday, 1, {monday}) == date(2026, 10, 6)


def test_add_working_days_counts_weekends_that_are_worked() -> None:
    friday, saturday = date(2026, 10, 9), date(2026, 10, 10)
    assert add_working_days(friday, 1, (), {saturday}) == saturday
    with pytest.raises(ValueError, match="a term of -1 working days"):
        add_working_days(friday, -1, ())


def test_age_changes_on_the_birthday() -> None:
    birth = date(2009, 4, 1)
    assert [age_on(birth, ON - DAY), age_on(birth, ON), age_on(birth, ON + DAY)] == [17, 18, 18]
    leap = date(2008, 2, 29)
    assert [age_on(leap, date(2026, 2, 28)), age_on(leap, date(2026, 3, 1))] == [17, 18]
    assert age_on(leap, date(2028, 2, 29)) == 20


# ---- evidence and its dates


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("missing", ["requirement_missing"]),
        ("supplied", ["requirement_not_accepted"]),
        ("rejected", ["requirement_rejected"]),
        ("waived", ["requirement_not_waivable"]),
        ("accepted", []),
    ],
)
def test_evidence_serves_only_when_accepted(state: Any, code: list[str]) -> None:
    assert codes(row(), holding(state=state)) == code


def test_unmet_says_all_that_a_person_needs() -> None:
    medical = row(limits={"item_groups": 11}, providers=("clinic",), source=source(mark="secondary"))
    (found,) = unmet([medical], VISA, ON, NOBODY)
    assert json.loads(json.dumps(asdict(found), default=str)) == {
        "key": "paper",
        "code": "requirement_missing",
        "required": {"state": "accepted", "item_groups": 11},
        "actual": {"state": "missing"},
        "providers": ["clinic"],
        "sources": [
            {"text": "Law of a", "url": None, "checked_on": "2026-11-22", "evidence": "secondary", "pack": "a"}
        ],
        "evidence_mark": "secondary",
    }


def test_waiver_counts_only_where_the_row_allows_it() -> None:
    waived = holding(state="waived")
    assert codes(row(waivable_by=("coordinator",)), waived) == []
    assert codes([row(waivable_by=("coordinator",)), row()], waived) == ["requirement_not_waivable"]
    too_young = row(kind="fact", asks=MinimumAge(18))
    facts = replace(waived, birth_on=date(2010, 1, 1))
    assert codes(too_young, facts) == ["too_young"]
    assert codes(replace(too_young, waivable_by=("admin",)), facts) == []


def test_row_closes_its_own_gate_only() -> None:
    assert codes(row(), NOBODY, gate=GATES["authorisation"]) == []
    assert codes(row(), NOBODY, gate=VISA) == ["requirement_missing"]
    assert [codes(row(needed_before="always"), NOBODY, gate=g) for g in GATES.values()] == (
        [["requirement_missing"]] * len(GATES)
    )


@pytest.mark.parametrize(
    ("issued_on", "last"),
    [
        (date(2027, 1, 15), date(2027, 4, 15)),
        (date(2026, 11, 30), date(2027, 2, 28)),
        (date(2027, 11, 30), date(2028, 2, 29)),
        (date(2027, 12, 31), date(2028, 3, 31)),
    ],
)
def test_months_from_issue_end_after_the_last_day(issued_on: date, last: date) -> None:
    medical = row(validity=(Validity("months_from_issue", 3),))
    facts = holding(issued_on=issued_on)
    assert [codes(medical, facts, on) for on in (last - DAY, last, last + DAY)] == [[], [], ["requirement_too_old"]]
    (found,) = unmet([medical], VISA, last + DAY, facts)
    assert (found.required, found.actual) == (
        {"months_from_issue": 3, "valid_on": (last + DAY).isoformat()},
        {"issued_on": issued_on.isoformat(), "last_day": last.isoformat()},
    )


def test_days_from_issue_end_after_the_last_day() -> None:
    medical = row(validity=(Validity("days_from_issue", 30),))
    last = ON + 30 * DAY
    facts = holding(issued_on=ON)
    assert [codes(medical, facts, on) for on in (last - DAY, last, last + DAY)] == [[], [], ["requirement_too_old"]]


def test_evidence_of_a_later_day_does_not_serve() -> None:
    assert [codes(row(), holding(issued_on=d)) for d in (ON - DAY, ON, ON + DAY)] == (
        [[], [], ["requirement_issued_later"]]
    )


def test_stated_end_counts_without_a_rule() -> None:
    assert [codes(row(), holding(valid_until=d)) for d in (ON - DAY, ON, ON + DAY)] == [["requirement_expired"], [], []]


def test_covers_asks_for_a_stated_end() -> None:
    licence = row(validity=(Validity("covers"),))
    assert codes(licence, holding()) == ["requirement_undated"]
    assert [codes(licence, holding(valid_until=d)) for d in (ON - DAY, ON, ON + DAY)] == (
        [["requirement_expired"], [], []]
    )


def test_months_from_issue_ask_for_an_issue_date() -> None:
    assert codes(row(validity=(Validity("months_from_issue", 3),)), holding()) == ["requirement_undated"]


def test_passport_covers_six_months_after_entry() -> None:
    passport = row(
        "passport", kind="fact", asks=PassportDates(), validity=(Validity("covers", 6, "planned_departure_on"),)
    )
    facts = RequirementFacts(planned_departure_on=date(2027, 8, 31))
    last = date(2028, 2, 29)
    held = [codes(passport, replace(facts, passport_expires_on=d)) for d in (last - DAY, last, last + DAY)]
    assert held == [["requirement_ends_too_early"], [], []]
    assert codes(passport, facts) == ["fact_unknown"]
    (found,) = unmet([passport], VISA, ON, replace(facts, passport_expires_on=last - DAY))
    assert (found.required, found.actual) == ({"valid_on": "2028-02-29"}, {"valid_until": "2028-02-28"})


def test_insurance_covers_the_whole_term() -> None:
    insurance = row(
        validity=(Validity("starts_by", judged_on="planned_departure_on"), Validity("covers", 0, "ends_on"))
    )
    leaves, ends = ON + 10 * DAY, ON + 400 * DAY
    term: dict[str, Any] = {"planned_departure_on": leaves, "ends_on": ends}

    def insured(start: date | None, end: date | None, **given: Any) -> list[str]:
        return codes(insurance, replace(holding(valid_from=start, valid_until=end), **term | given))

    assert [insured(d, ends) for d in (leaves - DAY, leaves, leaves + DAY)] == [[], [], ["requirement_starts_too_late"]]
    assert [insured(leaves, d) for d in (ends - DAY, ends, ends + DAY)] == [["requirement_ends_too_early"], [], []]
    assert insured(None, None) == ["requirement_undated", "requirement_undated"]
    assert insured(leaves, ends, planned_departure_on=None, ends_on=None) == ["fact_unknown", "fact_unknown"]
    assert codes(insurance, replace(holding(issued_on=ON, valid_until=ends), **term)) == []


def test_validity_is_judged_on_the_planned_day_it_names() -> None:
    window = row(validity=(Validity("months_from_issue", 3, "starts_on"),))
    facts = holding(issued_on=ON)
    assert codes(window, replace(facts, starts_on=date(2027, 7, 1))) == []
    assert codes(window, replace(facts, starts_on=date(2027, 7, 2))) == ["requirement_too_old"]


def test_two_rows_can_look_at_one_item() -> None:
    at_entry = row("paper_at_entry", item="paper", needed_before="departed")
    assert codes(at_entry, holding(valid_until=ON), ON, GATES["departed"]) == []
    assert codes(at_entry, holding(valid_until=ON), ON + DAY, GATES["departed"]) == ["requirement_expired"]


# ---- what the facts tell


def test_age_is_judged_on_the_day_of_the_event() -> None:
    adult = row(kind="fact", asks=MinimumAge(18))
    facts = RequirementFacts(birth_on=date(2009, 4, 1))
    assert [codes(adult, facts, d) for d in (ON - DAY, ON, ON + DAY)] == [["too_young"], [], []]
    assert codes(adult, NOBODY) == ["fact_unknown"]
    (found,) = unmet([adult], VISA, ON - DAY, facts)
    assert (found.required, found.actual) == ({"age": 18}, {"age": 17})


def test_fact_must_be_among_the_values() -> None:
    funded = row(kind="fact", asks=FactAmong("employer_funded_by", ("CN",)))
    barred = row(kind="fact", asks=FactAmong("entry_purpose", ("tourist", "study"), allowed=False))
    assert codes(funded, RequirementFacts(employer_funded_by="CN")) == []
    assert codes(funded, RequirementFacts(employer_funded_by="TH")) == ["fact_not_allowed"]
    assert codes(funded, NOBODY) == ["fact_unknown"]
    assert codes(barred, NOBODY) == []
    (found,) = unmet([barred], VISA, ON, RequirementFacts(entry_purpose="study"))
    assert (found.code, found.required, found.actual) == (
        "fact_not_allowed",
        {"fact": "entry_purpose", "none_of": ["tourist", "study"]},
        {"entry_purpose": "study"},
    )


def test_number_must_not_pass_its_limit() -> None:
    cap = row(kind="fact", asks=FactAtMost("stay_months", 60))
    assert [codes(cap, RequirementFacts(stay_months=n)) for n in (59, 60, 61)] == [[], [], ["limit_passed"]]
    assert codes(cap, NOBODY) == ["fact_unknown"]


def test_pay_is_compared_in_its_currency() -> None:
    pay = row(kind="fact", asks=MinimumPay(Decimal(49830), "EUR"), instead=("pension",))

    def paid(amount: str, currency: str = "EUR") -> RequirementFacts:
        return RequirementFacts(gross_annual_pay=Decimal(amount), pay_currency=currency)

    assert [codes(pay, paid(a)) for a in ("49829.99", "49830", "49830.01")] == [["pay_too_low"], [], []]
    assert codes(pay, paid("900000", "CNY")) == ["pay_too_low"]
    assert codes(pay, NOBODY) == ["fact_unknown"]
    assert codes(pay, RequirementFacts(evidence={"pension": Evidence(state="accepted")})) == []
    assert codes(pay, RequirementFacts(evidence={"pension": Evidence(state="supplied")})) == ["fact_unknown"]
    (found,) = unmet([pay], VISA, ON, paid("100"))
    assert json.dumps([found.required, found.actual]) == (
        '[{"gross_annual_pay": "49830", "currency": "EUR"}, {"gross_annual_pay": "100", "currency": "EUR"}]'
    )


# ---- tests of language and skill

JAPANESE = row(
    "japanese",
    kind="test",
    asks=AnyTest((TestAlternative("jlpt", ("N4", "N3", "N2", "N1")), TestAlternative("jft_basic", min_score=200))),
)


def sat(test: str, **given: Any) -> RequirementFacts:
    fields: dict[str, Any] = {"test": test, "taken_on": ON - DAY, "verified": True}
    return RequirementFacts(tests=(TestResult(**fields | given),))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (sat("jlpt", level="N4"), []),
        (sat("jlpt", level="N1"), []),
        (sat("jlpt", level="N5"), ["test_not_passed"]),
        (sat("jft_basic", score=199), ["test_not_passed"]),
        (sat("jft_basic", score=200), []),
        (sat("jft_basic", score=Decimal("200.5")), []),
        (sat("jft_basic", level="A2"), ["test_not_passed"]),
        (sat("hsk_2", level="N4"), ["test_not_passed"]),
        (NOBODY, ["test_not_passed"]),
        (sat("jlpt", level="N4", verified=False), ["test_not_verified"]),
        (sat("jlpt", level="N4", taken_on=ON), []),
        (sat("jlpt", level="N4", taken_on=ON + DAY), ["requirement_issued_later"]),
        (sat("jlpt", level="N4", valid_until=ON), []),
        (sat("jlpt", level="N4", valid_until=ON - DAY), ["requirement_expired"]),
    ],
)
def test_any_alternative_test_serves(facts: RequirementFacts, code: list[str]) -> None:
    assert codes(JAPANESE, facts) == code


def test_test_not_passed_names_the_alternatives_and_the_sittings() -> None:
    (found,) = unmet([JAPANESE], VISA, ON, sat("jft_basic", score=Decimal("199.5")))
    assert json.loads(json.dumps([found.required, found.actual])) == [
        {
            "any_of": [
                {"test": "jlpt", "levels": ["N4", "N3", "N2", "N1"]},
                {"test": "jft_basic", "min_score": 200},
            ]
        },
        [{"test": "jft_basic", "level": None, "score": "199.5"}],
    ]


def test_sitting_that_comes_nearest_is_answered() -> None:
    unverified_and_late = TestResult(test="jlpt", level="N3", taken_on=ON + DAY)
    only_unverified = TestResult(test="jlpt", level="N4", taken_on=ON)
    facts = RequirementFacts(tests=(unverified_and_late, only_unverified))
    assert codes(JAPANESE, facts) == ["test_not_verified"]
    good = replace(only_unverified, verified=True)
    assert codes(JAPANESE, replace(facts, tests=(*facts.tests, good))) == []


def test_test_can_grow_too_old() -> None:
    recent = replace(JAPANESE, validity=(Validity("months_from_issue", 24),))
    facts = sat("jlpt", level="N4", taken_on=date(2025, 4, 1))
    assert [codes(recent, facts, d) for d in (ON, ON + DAY)] == [[], ["requirement_too_old"]]


def test_skills_test_is_the_one_of_the_field() -> None:
    skills = row(
        "skills",
        kind="test",
        asks=AnyTest((TestAlternative("ssw1_skills", ("pass",), same_field=True),)),
        instead=("intern_completed",),
    )
    passed = sat("ssw1_skills", level="pass", field="agriculture")
    assert codes(skills, replace(passed, field="agriculture")) == []
    assert codes(skills, sat("ssw1_skills", level="pass")) == ["test_not_passed"]
    (found,) = unmet([skills], VISA, ON, replace(passed, field="fishery"))
    assert found.required == {"any_of": [{"test": "ssw1_skills", "levels": ["pass"], "field": "fishery"}]}
    assert codes(skills, RequirementFacts(evidence={"intern_completed": Evidence(state="accepted")})) == []


def test_level_that_serves_is_the_one_that_the_job_asks_for() -> None:
    chinese = row(
        "chinese",
        kind="test",
        asks=AnyTest((TestAlternative("hsk_2", ("1", "2", "3", "4"), at_least_asked=True),)),
        applies_if=(Condition("levels_asked", "has", ("hsk_2",)),),
    )
    assert codes(chinese, NOBODY) == []
    asked = RequirementFacts(levels_asked={"hsk_2": "3"})
    reached = [codes(chinese, replace(sat("hsk_2", level=n), levels_asked={"hsk_2": "3"})) for n in "234"]
    assert reached == [["test_not_passed"], [], []]
    (found,) = unmet([chinese], VISA, ON, asked)
    assert found.required == {"any_of": [{"test": "hsk_2", "levels": ["3", "4"]}]}
    assert codes(chinese, replace(sat("hsk_2", level="4"), levels_asked={"hsk_2": "9"})) == ["test_not_passed"]


# ---- payments


def test_deposit_paid_by_the_worker_closes_every_gate() -> None:
    rule = row(
        kind="payment_rule",
        needed_before="always",
        asks=NeverPaid(("deposit", "penalty"), ("trainee", "family")),
    )

    def paid(*payments: tuple[str, str]) -> list[str]:
        return codes(rule, RequirementFacts(payments=tuple(Payment(*p) for p in payments)))

    assert paid() == []
    assert paid(("deposit", "enterprise"), ("medical", "trainee")) == []
    assert paid(("deposit", "trainee")) == ["deposit_paid"]
    assert paid(("deposit", "trainee"), ("deposit", "trainee")) == ["deposit_paid"]
    assert paid(("deposit", "trainee"), ("deposit", "family"), ("penalty", "trainee")) == (
        ["deposit_paid", "deposit_paid", "penalty_paid"]
    )


# ---- when a row applies


@pytest.mark.parametrize(
    ("condition", "facts", "applies"),
    [
        (Condition("field", "in", ("nursing_care",)), {"field": "nursing_care"}, True),
        (Condition("field", "in", ("nursing_care",)), {"field": "fishery"}, False),
        (Condition("field", "in", ("nursing_care",)), {}, True),
        (Condition("employer_country", "not_in", ("CN",)), {"employer_country": "JP"}, True),
        (Condition("employer_country", "not_in", ("CN",)), {"employer_country": "CN"}, False),
        (Condition("people_in_country", "over", 100), {"people_in_country": 100}, False),
        (Condition("people_in_country", "over", 100), {"people_in_country": 101}, True),
        (Condition("people_in_country", "over", 100), {}, True),
        (Condition("age", "from", 45), {"birth_on": date(1982, 4, 2)}, False),
        (Condition("age", "from", 45), {"birth_on": date(1982, 4, 1)}, True),
        (Condition("has_agency", "is", value=True), {"has_agency": False}, False),
        (Condition("has_agency", "is", value=True), {"has_agency": True}, True),
        (Condition("has_agency", "is", value=False), {"has_agency": False}, True),
        (Condition("options", "has", ("fast_track",)), {}, False),
        (Condition("options", "has", ("fast_track",)), {"options": frozenset({"fast_track"})}, True),
        (Condition("options", "lacks", ("fast_track",)), {}, True),
        (Condition("options", "lacks", ("fast_track",)), {"options": frozenset({"fast_track"})}, False),
    ],
)
def test_condition_holds_also_while_it_is_unknown(
    condition: Condition, facts: dict[str, Any], *, applies: bool
) -> None:
    found = codes(row(applies_if=(condition,)), RequirementFacts(**facts))
    assert found == (["requirement_missing"] if applies else [])


def test_every_condition_of_a_row_must_hold() -> None:
    both = row(applies_if=(Condition("field", "in", ("fishery",)), Condition("has_agency", "is", value=True)))
    assert codes(both, RequirementFacts(field="fishery", has_agency=False)) == []


def test_row_dates_are_judged_on_the_gated_event() -> None:
    dated = row(effective_from=ON, effective_to=ON + DAY)
    days = [ON - DAY, ON, ON + DAY, ON + 2 * DAY]
    assert [codes(dated, NOBODY, d) for d in days] == [[], ["requirement_missing"], ["requirement_missing"], []]


# ---- packs


def pack(key: str, **given: Any) -> Pack:
    fields: dict[str, Any] = {
        "key": key,
        "version": 1,
        "title": key,
        "kind": "pathway",
        "valid_from": date(2026, 1, 1),
        "valid_to": None,
        "pathway": key,
        "stages": LINE,
    }
    if given.get("kind", "pathway") != "pathway":
        fields |= {"pathway": None, "stages": ()}
    return Pack(**fields | given)


ABROAD = pack("jp", destinations=("JP",), terms=("field", "housing"), requirements=(row(),))
HOME = pack("home", host_country_nationals=True, stages=("contracting", "documents", "active"))
COMMON = pack("cn", kind="common", nationalities=("CN",), terms=("housing", "board"))
OVER_ALL = pack("fair", kind="overlay")
ALL = (OVER_ALL, COMMON, HOME, ABROAD)


def chosen(nationality: str, destination: str, pathway: str, on: date = ON, packs: tuple[Pack, ...] = ALL) -> Any:
    return choose(packs, nationality=nationality, destination=destination, pathway=pathway, on=on)


def test_chinese_national_sent_abroad_has_the_common_block() -> None:
    found = chosen("CN", "JP", "jp")
    assert found == Packs(ABROAD, (COMMON, OVER_ALL))
    assert found.pins == ("jp@1", "cn@1", "fair@1")
    assert (found.departs, found.stages, found.terms) == (True, LINE, ("field", "housing", "board"))
    assert (found.requirements, found.obligations) == ((row(),), ())


def test_others_have_no_common_block() -> None:
    assert chosen("TH", "JP", "jp") == Packs(ABROAD, (OVER_ALL,))
    hired = chosen("TH", "TH", "home")
    assert hired == Packs(HOME, (OVER_ALL,))
    assert (hired.departs, hired.stages) == (False, ("contracting", "documents", "active"))
    assert chosen("CN", "CN", "home") == Packs(HOME, (OVER_ALL,))


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (("CN", "JP", "mars"), NoPack("pathway_unknown", ["home", "jp"], "mars")),
        (("CN", "DE", "jp"), NoPack("destination_not_served", [["JP"]], "DE")),
        (("CN", "TH", "home"), NoPack("not_a_host_country_national", ["TH"], "CN")),
        (
            ("CN", "JP", "jp", date(2025, 12, 31)),
            NoPack("pack_not_in_force", [{"from": "2026-01-01", "to": None}], "2025-12-31"),
        ),
    ],
)
def test_no_pack_says_why(asked: Any, refusal: NoPack) -> None:
    assert chosen(*asked) == refusal


def test_nationality_that_no_pack_takes_is_refused() -> None:
    only_thai = (replace(ABROAD, nationalities=("TH", "KH")),)
    assert chosen("CN", "JP", "jp", ON, only_thai) == NoPack("nationality_not_served", [["TH", "KH"]], "CN")


def test_newest_version_in_force_is_chosen() -> None:
    second = replace(ABROAD, version=2, valid_from=date(2027, 1, 1))
    both = (second, ABROAD)
    days = [date(2026, 12, 31), date(2027, 1, 1)]
    assert [chosen("TH", "JP", "jp", d, both).pathway.pin for d in days] == ["jp@1", "jp@2"]


def test_two_packs_of_one_pathway_are_refused() -> None:
    other = replace(ABROAD, key="other")
    assert chosen("TH", "JP", "jp", ON, (ABROAD, other)) == NoPack("pathway_ambiguous", ["jp@1", "other@1"], "jp")


def test_added_row_that_would_never_be_asked_is_refused() -> None:
    short = replace(ABROAD, stages=("contracting", "departed", "active"))
    common = replace(COMMON, requirements=(row("risk_notice", needed_before="documents"), row(needed_before="always")))
    assert chosen("CN", "JP", "jp", ON, (short, common)) == (
        NoPack("stages_do_not_fit", ["risk_notice"], ["contracting", "departed", "active"])
    )


def test_pins_open_the_same_packs_again() -> None:
    newer = replace(ABROAD, version=2)
    assert reopen((*ALL, newer), ("jp@1", "cn@1")) == Packs(ABROAD, (COMMON,))
    with pytest.raises(KeyError):
        reopen(ALL, ("jp@7",))


def test_pack_ends_with_the_planned_day() -> None:
    last = date(2027, 3, 31)
    ending = replace(ABROAD, valid_to=last)
    packs = Packs(ending, (OVER_ALL,))
    assert [still_valid(packs, d) for d in (last - DAY, last)] == [None, None]
    found = still_valid(packs, last + DAY)
    assert found is not None
    assert (found.code, found.required, found.actual) == (
        "pack_ended",
        {"jp@1": {"from": "2026-01-01", "to": "2027-03-31"}},
        "2027-04-01",
    )
    early = still_valid(packs, date(2025, 12, 31))
    assert early is not None
    assert early.required == {
        "jp@1": {"from": "2026-01-01", "to": "2027-03-31"},
        "fair@1": {"from": "2026-01-01", "to": None},
    }


# ---- rows of one key


def test_stricter_row_holds_and_both_sources_are_shown() -> None:
    lax = row(validity=(Validity("months_from_issue", 6),), source=source("a"), providers=("clinic",))
    strict = row(validity=(Validity("months_from_issue", 3),), source=source("b", "unverified"))
    facts = holding(issued_on=date(2026, 12, 15))
    for rows in ([lax, strict], [strict, lax]):
        (found,) = unmet(rows, VISA, ON, facts)
        assert (found.code, found.required["months_from_issue"]) == ("requirement_too_old", 3)
        assert sorted(s.pack for s in found.sources) == ["a", "b"]
        assert (found.evidence_mark, sorted(found.providers)) == ("unverified", ["clinic", "trainee"])
        (both,) = unmet(rows, VISA, ON, holding(issued_on=date(2026, 1, 1)))
        assert both.required["months_from_issue"] == 3


@pytest.mark.parametrize(
    ("lax", "strict", "facts", "required"),
    [
        (MinimumAge(18), MinimumAge(20), {"birth_on": date(2010, 1, 1)}, {"age": 20}),
        (FactAtMost("stay_months", 60), FactAtMost("stay_months", 36), {"stay_months": 70}, {"stay_months": 36}),
        (
            MinimumPay(Decimal(10), "EUR"),
            MinimumPay(Decimal(20), "EUR"),
            {"gross_annual_pay": Decimal(5), "pay_currency": "EUR"},
            {"gross_annual_pay": "20", "currency": "EUR"},
        ),
    ],
)
def test_stricter_figure_is_the_one_shown(lax: Ask, strict: Ask, facts: dict[str, Any], required: Any) -> None:
    rows = [row(kind="fact", asks=lax), row(kind="fact", asks=strict)]
    for ordered in (rows, rows[::-1]):
        (found,) = unmet(ordered, VISA, ON, RequirementFacts(**facts))
        assert found.required == required


def test_rows_of_one_key_hold_each_at_its_own_gate() -> None:
    early, late = row(needed_before="documents"), row(needed_before="visa")
    assert codes([early, late], NOBODY, gate=GATES["documents"]) == ["requirement_missing"]
    assert codes([early, late], NOBODY, gate=VISA) == ["requirement_missing"]


# ---- the checklist


def test_checklist_shows_every_row_that_applies() -> None:
    rows = [
        row(
            validity=(Validity("months_from_issue", 3),), limits={"pages": 2}, note="Bring two.", waivable_by=("admin",)
        ),
        row(
            source=source("b", "secondary"),
            needed_before="departed",
            providers=("clinic",),
            limits={"copies": 1},
            waivable_by=("coordinator", "admin"),
        ),
        row("elsewhere", applies_if=(Condition("field", "in", ("fishery",)),)),
        row("rule", kind="payment_rule", needed_before="always", asks=NeverPaid(("deposit",), ("trainee",))),
    ]
    facts = replace(holding(issued_on=ON), planned_departure_on=ON + DAY, field="forestry")
    paper, rule = checklist(rows, facts)
    assert asdict(paper) == {
        "key": "paper",
        "title": "Paper",
        "kind": "document",
        "subject": "placement",
        "stages": ("visa", "departed"),
        "gates": (VISA, GATES["departed"]),
        "state": "accepted",
        "valid_until": date(2027, 7, 1),
        "providers": ("trainee", "clinic"),
        "waivable_by": ("admin",),
        "limits": {"pages": 2, "copies": 1},
        "sources": tuple(asdict(s) for s in (source(), source("b", "secondary"))),
        "evidence_mark": "secondary",
        "note": "Bring two.",
    }
    assert (rule.key, rule.stages, rule.gates, rule.state, rule.valid_until) == ("rule", ("always",), (), "met", None)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (RequirementFacts(birth_on=date(2009, 4, 1), planned_departure_on=ON), "met"),
        (RequirementFacts(birth_on=date(2009, 4, 1), starts_on=ON), "met"),
        (RequirementFacts(birth_on=date(2009, 4, 2), planned_departure_on=ON), "unmet"),
        (RequirementFacts(birth_on=date(2009, 4, 1)), "unmet"),
        (holding(state="waived"), "waived"),
    ],
)
def test_checklist_judges_facts_on_the_planned_day(facts: RequirementFacts, state: str) -> None:
    adult = row(kind="fact", asks=MinimumAge(18), waivable_by=("admin",), effective_from=date(2020, 1, 1))
    assert [r.state for r in checklist([adult], facts)] == [state]


def test_checklist_shows_no_waiver_that_the_row_forbids() -> None:
    adult = row(kind="fact", asks=MinimumAge(18))
    assert [r.state for r in checklist([adult], holding(state="waived"))] == ["unmet"]


def test_checklist_shows_when_the_passport_ends() -> None:
    passport = row(kind="fact", asks=PassportDates(), validity=(Validity("covers", 6),))
    (line,) = checklist([passport], RequirementFacts(passport_expires_on=ON))
    assert line.valid_until == ON
    undated = row(validity=(Validity("months_from_issue", 3),))
    assert [r.valid_until for r in checklist([undated], NOBODY)] == [None]
