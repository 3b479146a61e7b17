"""How scores, levels and validity are judged, by tests made for it: where each rule turns, and what it says in full."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from service.domain import languages as g
from service.domain.languages import (
    Band,
    CefrTable,
    Ground,
    Held,
    LanguageTest,
    Paper,
    Sat,
    Scale,
    Section,
    ValidityRule,
)
from service.domain.lifecycle import Reason

D = Decimal
ON = date(2026, 3, 1)
SOURCED: dict[str, Any] = {"source": "the issuer", "evidence": "primary"}
TEN, HUNDRED = Scale(least=D(0), most=D(10)), Scale(least=D(0), most=D(100))


def paper(name: str = "one", **more: Any) -> Paper:
    return Paper(paper=name, **SOURCED | more)


def table(key: str, *bands: Band, **more: Any) -> CefrTable:
    return CefrTable(key=key, bands=bands, **SOURCED | more)


def rule(key: str, kind: Any, **more: Any) -> ValidityRule:
    return ValidityRule(key=key, rule=kind, **SOURCED | more)


def a_test(*papers: Paper, code: str = "t", **more: Any) -> LanguageTest:
    version = g.Version(version="1", effective_from=date(2026, 1, 1), effective_to=date(2026, 12, 31), papers=papers)
    usual: dict[str, Any] = {
        "test": code, "title_en": "", "title_zh": "", "language": "xx", "issuer": "", "skills": (), "versions": (version,),
    }  # fmt: skip
    return LanguageTest(**usual | more)


def sat(**more: Any) -> Sat:
    return Sat(test="t", on=ON, **more)


def told(reasons: list[Reason]) -> list[tuple[str, Any, Any, str | None]]:
    return [(r.code, r.required, r.actual, r.pointer) for r in reasons]


def grounds(found: g.Outcome) -> list[tuple[str, Any, Any]]:
    return [(x.code, x.required, x.actual) for x in found.grounds]


# ---- scales, versions, tables
def test_scale_counts_its_steps_from_its_least() -> None:
    scale = Scale(least=D(1), most=D(10), step=D(3))
    assert [n for n in range(-2, 14) if scale.has(D(n))] == [1, 4, 7, 10]


def test_version_of_a_day_that_is_not_known_may_be_any() -> None:
    version = a_test(paper()).versions[0]
    days = (None, date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [version.in_force(on) for on in days] == [True, False, True, True, False]


def test_band_is_of_its_level_or_of_every_one_and_ends_are_in_it() -> None:
    own = table("own", Band(level="N3", least=D(50), most=D(60), cefr="B1"), Band(level="N2", cefr="B2"))
    any_level = table("any", Band(least=D(50), most=D(60), cefr="A2"))
    whole = table("whole", Band(cefr="C1"))
    assert [own.band("N3", D(n)) for n in (49, 50, 60, 61)] == [
        (False, None),
        (True, "B1"),
        (True, "B1"),
        (False, None),
    ]
    assert [any_level.band("N3", D(n)) for n in (49, 50, 60, 61)] == [
        (False, None), (True, "A2"), (True, "A2"), (False, None),
    ]  # fmt: skip
    assert own.band("N2", D(1)) == own.band("N2", None) == (True, "B2")
    assert whole.band("N1", D(1)) == (True, "C1")
    # without a score, a band that is of no level says nothing, and neither do several of one
    assert whole.band("N1", None) == (False, None)
    assert table("two", Band(level="N3", least=D(1), cefr="B1"), Band(level="N3", cefr="A2")).band("N3", None) == (
        False, None,
    )  # fmt: skip


# ---- scores
@pytest.mark.parametrize(("written", "score"), [
    (True, None), (False, None), (1.5, None), (None, None), ("7", D(7)), (7, D(7)), (D("7.5"), D("7.5")), ("x", None),
    ("-1", None), ("1e3", None), ("٣", None),
])  # fmt: skip
def test_score_is_a_plain_number(written: Any, score: Decimal | None) -> None:
    assert g.score_of(written) == score


def test_faults_say_what_would_be_right() -> None:
    sections = (Section(section="a", scale=TEN), Section(section="b", scale=TEN))
    summed = paper(
        sections=sections,
        total=Scale(least=D(0), most=D(20)),
        adds_up=True,
        cut_offs=(g.CutOff(level="X", least=D(5)),),
    )
    t = a_test(summed, levels=("X", "Y"))

    def of(**more: Any) -> list[Any]:
        return told(g.faults(t, sat(**more)))

    early = Sat(test="t", on=date(2025, 1, 1))
    days = [[date(2026, 1, 1), date(2026, 12, 31)]]
    assert told(g.faults(t, early)) == [("test_version_known", days, date(2025, 1, 1), "/taken_on")]
    bounds = {"least": "0", "most": "10", "step": "1"}
    # a score out of its scale is told alone: no level follows from it
    assert of(sections={"a": 11, "b": 3}, level="Y", paper="one") == [
        ("score_in_scale", bounds, None, "/section_scores/a")
    ]
    assert of(sections={"a": 4, "b": 3}, total=D(8)) == [("total_is_sum", "7", "8", "/total_score")]
    assert of(sections={"a": 4, "b": 3}, total=D(7), level="Y", paper="one") == [
        ("level_as_scored", "X", "Y", "/level")
    ]
    assert of(sections={"a": 4}, total=D(8)) == []
    apart = a_test(paper(sections=sections, total=Scale(least=D(0), most=D(20))))
    assert g.faults(apart, sat(sections={"a": 4, "b": 3}, total=D(8))) == [], "its total is no sum"


# ---- passed, failed, not to be said
def test_total_is_the_sum_where_it_is_one_and_all_of_it_is_known() -> None:
    sections = (Section(section="a", scale=TEN), Section(section="b", scale=TEN))
    adds = a_test(paper(sections=sections, adds_up=True))
    assert g.outcome(adds, sat(sections={"a": 4, "b": "3"})).total == D(7)
    assert g.outcome(adds, sat(sections={"a": 4, "b": "x"})).total is None
    assert g.outcome(adds, sat(sections={"a": 4})).total is None
    assert g.outcome(adds, sat(sections={"a": 4, "b": 3}, total=D(9))).total == D(9)
    assert g.outcome(a_test(paper(adds_up=True)), sat()).total is None
    assert g.outcome(a_test(paper(sections=sections)), sat(sections={"a": 4, "b": 3})).total is None
    assert grounds(g.outcome(a_test(paper()), Sat(test="t", on=date(2020, 1, 1)))) == [("paper_not_known", None, None)]
    assert grounds(g.outcome(a_test(paper()), sat(paper="two"))) == [("paper_not_known", None, None)]


CUT = paper(total=HUNDRED, cut_offs=tuple(g.CutOff(level=x, least=D(n)) for x, n in (("A", 20), ("B", 40), ("C", 60))))


@pytest.mark.parametrize(("total", "passed", "level", "ground"), [
    (19, False, None, ("total_below", "20", "19")), (20, True, "A", ("scores_reach", "20", "20")),
    (59, True, "B", ("scores_reach", "40", "59")), (60, True, "C", ("scores_reach", "60", "60")),
    (None, None, None, ("scores_missing", ["total"], None)),
])  # fmt: skip
def test_level_is_the_highest_that_the_total_reaches(total: Any, passed: Any, level: Any, ground: Any) -> None:
    found = g.outcome(a_test(CUT), sat(total=None if total is None else D(total)))
    assert (found.passed, found.level, grounds(found)[0]) == (passed, level, ground)


def test_section_below_its_own_mark_fails_the_whole_by_the_rule_that_says_so() -> None:
    sections = (Section(section="a", scale=TEN, passed_from=D(5)), Section(section="b", scale=TEN))
    says = rule("each", "no_cefr_if_section_fail")
    t = a_test(paper(level="N3", sections=sections), rules=(rule("ends", "issuer_expiry", months=24), says))
    failed = g.outcome(t, sat(sections={"a": 4, "b": 9}, total=D(99)))
    assert (failed.passed, grounds(failed)) == (False, [("section_failed", {"a": "5"}, {"a": "4"})])
    assert failed.grounds[0].source is says
    passed = g.outcome(t, sat(sections={"a": 5}, total=D(99)))
    assert (passed.passed, passed.level, grounds(passed)[0]) == (True, "N3", ("scores_reach", ["a"], "99"))
    unruled = a_test(paper(level="N3", sections=sections))
    assert g.outcome(unruled, sat(sections={"a": 4})).grounds[0].source is unruled.versions[0].papers[0]
    missing = g.outcome(t, sat(sections={"b": 9}))
    assert (missing.passed, grounds(missing)[0]) == (None, ("scores_missing", ["a"], None))


def test_document_names_the_level_where_its_issuer_does_so() -> None:
    plain = paper(level="N3")
    named = g.outcome(a_test(plain, named_by_issuer=True), sat(level="N3"))
    assert (named.passed, named.level, grounds(named)[0]) == (True, "N3", ("named_by_issuer", None, "N3"))
    for t, of in ((a_test(plain), "N3"), (a_test(plain, named_by_issuer=True), None)):
        found = g.outcome(t, sat(level=of))
        assert (found.passed, grounds(found)[0]) == (None, ("scores_missing", ["level"], None))
    nothing = g.outcome(a_test(paper()), sat())
    assert (nothing.passed, grounds(nothing)[0]) == (None, ("nothing_to_pass", None, None))


# ---- CEFR
def test_cefr_level_is_the_lowest_of_the_tables_of_its_day() -> None:
    tables = (
        table("one", Band(least=D(20), cefr="B1")), table("two", Band(least=D(20), cefr="A2")),
        table("old", Band(least=D(20), cefr="A1"), effective_to=date(2026, 2, 28)),
        table("skill", Band(least=D(0), cefr="A1"), per="section"),
    )  # fmt: skip
    t = a_test(CUT, cefr=tables)
    found = g.outcome(t, sat(total=D(30)))
    assert (found.cefr, dict(found.skills)) == ("A2", {})
    assert grounds(found)[1:] == [("cefr_by_table", "one", "B1"), ("cefr_by_table", "two", "A2")]
    failed = g.outcome(t, sat(total=D(19)))
    assert (failed.cefr, grounds(failed)) == (None, [("total_below", "20", "19")])
    undated = g.outcome(t, Sat(test="t", total=D(30)))
    assert (undated.cefr, grounds(undated)[1:]) == (None, [("no_cefr_table", None, None)])


def test_levels_of_skills_come_from_tables_of_sections_alone() -> None:
    sections = (Section(section="a", scale=TEN), Section(section="b", scale=TEN))
    tables = (
        table("s1", Band(least=D(5), cefr="B1"), per="section"), table("s2", Band(least=D(4), cefr="A2"), per="section"),
        table("whole", Band(least=D(0), cefr="C2")),
    )  # fmt: skip
    scores_only = a_test(paper(sections=sections), cefr=tables)
    found = g.outcome(scores_only, sat(sections={"a": 6, "b": 4}))
    assert (found.passed, found.cefr, dict(found.skills)) == (None, None, {"a": "A2", "b": "A2"})
    assert grounds(found)[1:] == [
        ("cefr_by_table", "s1", {"a": "B1"}), ("cefr_by_table", "s2", {"a": "A2"}), ("cefr_by_table", "s2", {"b": "A2"}),
    ]  # fmt: skip
    # a test that has levels and was neither passed nor failed gives none
    levelled = a_test(paper(sections=sections), cefr=tables, levels=("X",))
    assert grounds(g.outcome(levelled, sat(sections={"a": 6, "b": 4}))) == [("nothing_to_pass", None, None)]


@pytest.mark.parametrize("levels", [("A1", None), (None, "A1"), (None,)])
def test_no_level_at_all_is_lower_than_any(levels: tuple[str | None, ...]) -> None:
    assert g._lowest(levels) is None
    assert g._lowest(("B2", "A1", "C1")) == "A1"


# ---- what a certificate is good for
def held(**more: Any) -> Held:
    usual: dict[str, Any] = {"state": "verified", "test": "t", "taken_on": ON}
    return Held(**usual | more)


def verdict(rules: tuple[ValidityRule, ...], certificate: Held, on: date = ON, **more: Any) -> Any:
    t = a_test(paper(sections=(Section(section="a", scale=TEN), Section(section="b", scale=TEN))), rules=rules, **more)
    found = g.valid_for(g.LanguageTests({"t": t}), certificate, "visa", on)
    return found.valid, found.decided_by.code, found.valid_until, [x.code for x in found.advice]


def test_advice_is_told_and_decides_nothing() -> None:
    short = rule("short", "max_age_at", months=1, counted_from="taken_on")
    advice = rule("advice", "issuer_expiry", months=1, counted_from="taken_on", advisory=True)
    late = date(2026, 6, 1)
    assert verdict((advice,), held(), late) == (True, "no_rule_known", None, ["issuer_expiry"])
    assert verdict((advice,), held()) == (True, "no_rule_known", None, [])
    assert verdict((short,), held(), late) == (False, "max_age_at", date(2026, 4, 1), [])
    assert verdict((short, advice), held(), late) == (False, "max_age_at", date(2026, 4, 1), ["issuer_expiry"])


def test_earliest_end_decides() -> None:
    long, short = (
        rule(str(n), kind, months=n, counted_from="taken_on") for n, kind in ((24, "issuer_expiry"), (6, "max_age_at"))
    )
    for rules in ((long, short), (short, long)):
        assert verdict(rules, held()) == (True, "max_age_at", date(2026, 9, 1), [])
    stated = held(valid_until=date(2026, 5, 1))
    assert verdict((long, short), stated) == (True, "stated_end", date(2026, 5, 1), [])
    assert verdict((long, short), stated, date(2026, 5, 2)) == (False, "stated_end", date(2026, 5, 1), [])


def test_each_skill_has_its_least_and_one_that_is_missing_has_none() -> None:
    def found(least: Decimal | None, sections: dict[str, Any]) -> tuple[bool, Any, Any]:
        t = a_test(paper(sections=(Section(section="a", scale=TEN), Section(section="b", scale=TEN))))
        ok, ground, last = g._judge(
            g.LanguageTests({"t": t}), rule("r", "min_each_skill", least=least), held(sections=sections), ON
        )
        assert last is None
        return ok, ground.required, ground.actual

    assert found(D(5), {"a": 5, "b": "6"}) == (True, "5", {"a": 5, "b": "6"})
    assert found(D(5), {"a": 5, "b": "4"}) == (False, "5", {"b": "4"})
    assert found(D("0.5"), {"a": 5}) == (False, "0.5", {"b": None})
    assert found(None, {"a": 5}) == (True, "0", {"a": 5})


def test_equivalents_and_months_say_what_was_wanted_and_found() -> None:
    levels = a_test(paper(), levels=("N5", "N4", "N3"))
    book = g.LanguageTests({"t": levels, "p": a_test(paper(), code="p")})
    some = rule("r", "equivalent_set", any_of=(g.Equivalent(test="t", level_least="N4"), g.Equivalent(test="p")))

    def found(certificate: Held) -> tuple[bool, Ground]:
        ok, ground, last = g._judge(book, some, certificate, ON)
        assert last is None
        return ok, ground

    for certificate, ok, actual in (
        (held(level="N4"), True, "t N4"), (held(level="N5"), False, "t N5"), (held(), False, "t"),
        (held(test="p", passed=True), True, "p"), (held(test="p"), False, "p"), (held(test=None), False, ""),
    ):  # fmt: skip
        assert found(certificate) == (ok, Ground("equivalent_set", ["t N4", "p"], actual, some))
    months = rule("m", "max_age_at", months=2, counted_from="taken_on", last_day="day_before")
    last = date(2026, 4, 30)
    ground = Ground("max_age_at", {"months": 2, "last_day": last}, last, months)
    assert g._judge(book, months, held(), last) == (True, ground, last)
    assert g._judge(book, months, held(taken_on=None), ON) == (
        False,
        Ground("day_missing", "taken_on", source=months),
        None,
    )
    endless = rule("e", "issuer_expiry")
    assert g._judge(book, endless, held(), ON) == (True, Ground("without_limit", source=endless), None)
