"""Language tests: the vectors of the study (domain/language.md), each by the data that ships, with its source."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.domain.certificates import TESTS
from service.domain.languages import (
    NO_TESTS,
    Band,
    CefrTable,
    Held,
    LanguageTests,
    Outcome,
    Sat,
    ValidityRule,
    faults,
    issuer_end,
    outcome,
    plain,
    score_of,
    valid_for,
)
from service.domain.requirements.dates import add_months
from service.storage.language_tests import language_tests

BOOK = language_tests()
DECEMBER = date(2025, 12, 7)
"""The first test whose reports show a CEFR level (jlpt.jp/e/cefrlevel/cefrnews.html)."""
DAY = timedelta(days=1)


def read(code: str, on: date | None = DECEMBER, **sat: Any) -> Outcome:
    said = sat | {"total": Decimal(sat["total"])} if "total" in sat else sat
    return outcome(BOOK.tests[code], Sat(test=code, on=on, **said))


def refused(code: str, on: date | None = DECEMBER, **sat: Any) -> list[str]:
    said = sat | {"total": Decimal(sat["total"])} if "total" in sat else sat
    return [r.code for r in faults(BOOK.tests[code], Sat(test=code, on=on, **said))]


def upper(knowledge: int, reading: int, listening: int) -> dict[str, int]:
    return {"language_knowledge": knowledge, "reading": reading, "listening": listening}


def lower(reading: int, listening: int) -> dict[str, int]:
    return {"language_knowledge_reading": reading, "listening": listening}


def test_result_of_a_paper_or_a_day_that_is_not_known_says_so_and_nothing_else() -> None:
    for unknown in (read("jlpt", paper="N9"), read("jlpt", level="B1"), read("hsk_3", date(2019, 1, 1), paper="4")):
        assert (unknown.version, unknown.paper, unknown.passed, unknown.level, unknown.cefr) == (None,) * 5
        assert [g.code for g in unknown.grounds] == ["paper_not_known"]


# ---- levels and CEFR
@pytest.mark.parametrize(
    ("paper", "sections", "level", "cefr"),
    [
        ("N5", lower(50, 29), None, None),  # 79
        ("N5", lower(50, 30), "N5", "A1"),
        ("N4", lower(59, 30), None, None),  # 89
        ("N4", lower(60, 30), "N4", "A2"),
        ("N3", upper(30, 30, 34), None, None),  # 94
        ("N3", upper(30, 30, 35), "N3", "A2"),
        ("N3", upper(33, 35, 35), "N3", "A2"),  # 103
        ("N3", upper(34, 35, 35), "N3", "B1"),
        ("N3", upper(60, 60, 19), "N3", "B1"),
        ("N3", upper(60, 60, 18), None, None),  # 138, but a section failed
        ("N2", upper(30, 30, 29), None, None),  # 89
        ("N2", upper(30, 30, 30), "N2", "B1"),
        ("N2", upper(37, 37, 37), "N2", "B1"),  # 111
        ("N2", upper(38, 37, 37), "N2", "B2"),
        ("N1", upper(33, 33, 33), None, None),  # 99
        ("N1", upper(34, 33, 33), "N1", "B2"),
        ("N1", upper(47, 47, 47), "N1", "B2"),  # 141
        ("N1", upper(48, 47, 47), "N1", "C1"),
    ],
)
def test_jlpt_level_and_cefr_follow_total_and_sections(
    paper: str, sections: dict[str, int], level: str | None, cefr: str | None
) -> None:
    """learnjapaneseaz.com and japanese4japan.com for the numbers, jlpt.jp for who is shown a level."""
    found = read("jlpt", paper=paper, sections=sections)
    assert (found.level, found.cefr, found.passed) == (level, cefr, level is not None)


def test_jlpt_failed_section_is_explained_by_its_rule() -> None:
    (ground,) = read("jlpt", paper="N3", sections=upper(60, 60, 18)).grounds
    assert (ground.code, ground.required, ground.actual) == ("section_failed", {"listening": "19"}, {"listening": "18"})
    assert isinstance(ground.source, ValidityRule)
    assert (ground.source.key, ground.source.evidence) == ("jlpt-section-minimum", "official")


@pytest.mark.parametrize(("on", "cefr"), [(date(2025, 7, 6), None), (date(2025, 11, 30), None), (DECEMBER, "B1")])
def test_jlpt_has_a_cefr_level_from_december_2025(on: date, cefr: str | None) -> None:
    assert read("jlpt", on, paper="N3", sections=upper(34, 35, 35)).cefr == cefr


@pytest.mark.parametrize(("on", "code"), [(date(2025, 11, 30), "no_cefr_table"), (DECEMBER, "cefr_by_table")])
def test_cefr_explanation_names_the_table_of_the_day(on: date, code: str) -> None:
    last = read("jlpt", on, paper="N4", sections=lower(60, 30)).grounds[-1]
    assert (last.code, getattr(last.source, "key", None)) == (code, None if on < DECEMBER else "jlpt-2025-12")


def test_certificate_of_who_passed_shows_its_level_without_scores() -> None:
    found = read("jlpt", level="N3")
    assert (found.level, found.cefr, [g.code for g in found.grounds]) == ("N3", None, ["named_by_issuer"])
    assert (read("jlpt", level="N4").cefr, read("jlpt", level="N3", total="104").cefr) == ("A2", "B1")
    half = read("jlpt", paper="N3", total="104")
    assert (half.level, half.cefr, half.passed) == (None, None, None)
    assert half.grounds[0].required == ["language_knowledge", "reading", "listening"]


@pytest.mark.parametrize(("total", "passed", "cefr"), [("199", False, None), ("200", True, "A2"), ("250", True, "A2")])
def test_jft_basic_is_a2_or_not_and_unverified(total: str, *, passed: bool, cefr: str | None) -> None:
    found = read("jft_basic", total=total)
    assert (found.passed, found.level, found.cefr, found.evidence) == (passed, None, cefr, "unverified")


@pytest.mark.parametrize(
    ("paper", "total", "level", "cefr"),
    [
        ("I", "79", None, None),
        ("I", "80", "1", "A1"),
        ("I", "139", "1", "A1"),
        ("I", "140", "2", "A2"),
        ("II", "119", None, None),
        ("II", "120", "3", "B1"),
        ("II", "149", "3", "B1"),
        ("II", "150", "4", "B2"),
        ("II", "189", "4", "B2"),
        ("II", "190", "5", "C1"),
        ("II", "229", "5", "C1"),
        ("II", "230", "6", "C1"),  # the UAB says C2, Sejong Barcelona C1: the lower level holds
    ],
)
def test_topik_level_follows_total_of_its_paper(paper: str, total: str, level: str | None, cefr: str | None) -> None:
    """niied.go.kr for the cut-offs; the CEFR levels are not official."""
    found = read("topik", paper=paper, total=total)
    assert (found.level, found.cefr) == (level, cefr)


@pytest.mark.parametrize(
    ("band", "cefr"),
    [
        ("3.5", None),
        ("4", "B1"),
        ("5", "B1"),  # the older page: B2
        ("5.5", "B2"),
        ("6.5", "B2"),  # the older page: C1
        ("7", "C1"),
        ("7.5", "C1"),  # the older page: C2
        ("8", "C1"),
        ("8.5", "C2"),
        ("9", "C2"),
    ],
)
def test_ielts_tables_changed_and_the_lower_level_holds(band: str, cefr: str | None) -> None:
    """nissanta.com, and an older page of the British Council."""
    found = read("ielts", total=band)
    assert (found.cefr, found.passed, found.level) == (cefr, None, None)
    assert [g.required for g in found.grounds[1:]] == ["ielts-british-council-older", "ielts-newer"]


def test_table_of_other_days_is_not_asked() -> None:
    """Where a source says when a table ends, the day of the test chooses."""
    older, newer = BOOK.tests["ielts"].cefr
    dated = replace(
        BOOK.tests["ielts"],
        cefr=(replace(older, effective_to=DECEMBER - DAY), replace(newer, effective_from=DECEMBER)),
    )
    on = [outcome(dated, Sat(test="ielts", on=d, total=Decimal("6.5"))).cefr for d in (DECEMBER - DAY, DECEMBER)]
    assert on == ["C1", "B2"]


def test_hsk_levels_by_their_totals_and_three_has_no_cefr() -> None:
    scores = {"listening": 60, "reading": 60, "writing": 60}
    assert [read("hsk_2", paper="4", sections=scores | {"writing": w}).level for w in (59, 60)] == [None, "4"]
    assert (read("hsk_2", paper="4", sections=scores).cefr, read("hsk_2", level="6").cefr) == ("B2", "C2")
    third = read("hsk_3", date(2026, 1, 31), level="7")
    assert (third.level, third.cefr, [g.code for g in third.grounds]) == (
        "7",
        None,
        ["named_by_issuer", "no_cefr_table"],
    )
    assert refused("hsk_3", date(2026, 1, 30), level="7") == ["test_version_known"]


def test_hsk_2_is_claimed_to_be_a1_to_c2_and_3_is_said_to_be_nothing() -> None:
    """The publisher's claim, disputed (dgzhanhua.cn/show/3841938); of the nine levels no official row was found."""
    levels = [read("hsk_2", level=str(n)) for n in range(1, 7)]
    assert [r.cefr for r in levels] == ["A1", "A2", "B1", "B2", "C1", "C2"]
    assert {r.evidence for r in levels} == {"secondary"}
    nine = [read("hsk_3", date(2026, 1, 31), level=str(n)) for n in range(1, 10)]
    assert [(r.level, r.cefr) for r in nine] == [(str(n), None) for n in range(1, 10)]


def test_testdaf_has_levels_by_skill_and_no_total() -> None:
    """testdaf.de: a level for each skill; the span is B2 to C1, and a school's page says C2: the lower holds."""
    found = read("testdaf", sections={"reading": 3, "listening": 4, "writing": 5, "speaking": 5})
    assert found.skills == {"reading": "B2", "listening": "C1", "writing": "C1", "speaking": "C1"}
    assert (found.cefr, found.level, found.total, found.passed) == (None, None, None, None)
    assert refused("testdaf", sections={"reading": 3}, total="15") == ["no_total"]


@pytest.mark.parametrize(("lowest", "level", "cefr"), [("66", "TRKI-1", "B1"), ("65.99", None, None)])
def test_torfl_needs_two_thirds_of_every_section(lowest: str, level: str | None, cefr: str | None) -> None:
    """hcmc.uvic.ca/torfl: at least 66 % in each subtest."""
    sections = dict.fromkeys(("vocabulary_grammar", "reading", "listening", "writing"), "90") | {"speaking": lowest}
    found = read("torfl", paper="TRKI-1", sections=sections)
    assert (found.level, found.cefr) == (level, cefr)


@pytest.mark.parametrize(
    ("code", "levels"), [("goethe", TESTS["goethe"]), ("telc", TESTS["telc"]), ("torfl", TESTS["torfl"])]
)
def test_level_in_the_name_is_its_cefr_level(code: str, levels: tuple[str, ...]) -> None:
    assert [read(code, level=each).cefr for each in levels] == ["A1", "A2", "B1", "B2", "C1", "C2"]
    assert [read(code, level=each).level for each in levels] == list(levels)


# ---- what cannot be
@pytest.mark.parametrize(
    ("code", "sat", "codes"),
    [
        ("jlpt", {}, ["paper_known"]),
        ("jlpt", {"paper": "N6"}, ["paper_known"]),
        ("jlpt", {"level": "B1"}, ["level_of_test"]),
        ("jlpt", {"paper": "N3", "sections": {"speaking": 3}}, ["section_known"]),
        ("jlpt", {"paper": "N3", "sections": upper(61, 0, 0)}, ["score_in_scale"]),
        ("jlpt", {"paper": "N3", "sections": upper(60, 60, 60)}, []),
        ("jlpt", {"paper": "N3", "sections": {"reading": "-1"}}, ["score_in_scale"]),
        ("jlpt", {"paper": "N3", "sections": {"reading": "1.5"}}, ["score_in_scale"]),
        ("jlpt", {"paper": "N3", "sections": {"reading": True}}, ["score_in_scale"]),
        ("jlpt", {"paper": "N3", "sections": {"reading": "1e9"}}, ["score_in_scale"]),
        ("jlpt", {"paper": "N3", "sections": {"reading": None}}, ["score_in_scale"]),
        ("jlpt", {"paper": "N3", "total": "181"}, ["score_in_scale"]),
        ("jlpt", {"paper": "N3", "sections": upper(30, 30, 35), "total": "96"}, ["total_is_sum"]),
        ("jlpt", {"paper": "N3", "sections": upper(30, 30, 35), "total": "95"}, []),
        ("jlpt", {"level": "N3", "sections": upper(60, 60, 18)}, ["level_as_scored"]),
        ("jlpt", {"level": "N3", "total": "94"}, ["level_as_scored"]),
        ("jlpt", {"level": "N3", "paper": "N2"}, ["level_as_scored"]),
        ("topik", {"level": "5", "total": "189"}, ["level_as_scored"]),
        ("topik", {"level": "5", "total": "190"}, []),
        ("ielts", {"total": "6.5"}, []),
        ("ielts", {"total": "6.4"}, ["score_in_scale"]),
        ("ielts", {"total": "9.5"}, ["score_in_scale"]),
        ("goethe", {"level": "C1", "total": "80"}, ["no_total"]),
        ("goethe", {"level": "B1", "sections": {"reading": 59}}, ["level_as_scored"]),
        ("goethe", {"level": "B1", "sections": {"reading": 60}}, []),
    ],
)
def test_result_that_cannot_be_is_refused(code: str, sat: dict[str, Any], codes: list[str]) -> None:
    assert refused(code, **sat) == codes


def test_scores_are_read_exactly() -> None:
    assert [score_of(w) for w in ("6.5", 7, "007", "1e3", "", "6,5", None, False, 1.5, "9" * 7)] == [
        Decimal("6.5"), Decimal(7), Decimal(7), None, None, None, None, None, None, None,
    ]  # fmt: skip
    assert [plain(Decimal(n)) for n in ("200", "6.50", "0")] == ["200", "6.5", "0"]


# ---- validity
def held(test: str | None, **more: Any) -> Held:
    return Held(**({"state": "verified", "test": test, "passed": True} | more))


def judged(h: Held, on: date, purpose: Any = "general", book: LanguageTests = BOOK) -> tuple[bool, str, Any]:
    verdict = valid_for(book, h, purpose, on)
    return verdict.valid, verdict.decided_by.code, getattr(verdict.decided_by.source, "key", None)


TOPIK = held("topik", level="4", taken_on=date(2016, 4, 17), result_on=date(2016, 5, 26))


@pytest.mark.parametrize(
    ("on", "found"),
    [
        (date(2016, 5, 25), (False, "not_yet", None)),
        (date(2016, 5, 26), (True, "issuer_expiry", "topik-two-years")),
        (date(2018, 5, 24), (True, "issuer_expiry", "topik-two-years")),
        (date(2018, 5, 25), (True, "issuer_expiry", "topik-two-years")),
        (date(2018, 5, 26), (False, "issuer_expiry", "topik-two-years")),
    ],
)
def test_topik_last_day_is_the_day_before_the_second_anniversary(on: date, found: tuple[bool, str, str | None]) -> None:
    """koreaxin.com/archives/399: announced on 2016-05-26, good until 2018-05-25."""
    assert judged(TOPIK, on) == found
    if found[1] != "not_yet":
        assert valid_for(BOOK, TOPIK, "general", on).valid_until == date(2018, 5, 25)


@pytest.mark.parametrize(
    ("result_on", "last"),
    [
        (date(2024, 2, 29), date(2026, 2, 27)),
        (date(2024, 3, 1), date(2026, 2, 28)),
        (date(2022, 2, 28), date(2024, 2, 27)),
        (date(2022, 3, 1), date(2024, 2, 29)),
        (None, date(2018, 4, 16)),  # from the test itself: it ends earlier, never later
    ],
)
def test_topik_across_a_leap_day(result_on: date | None, last: date) -> None:
    h = replace(TOPIK, result_on=result_on)
    assert issuer_end(BOOK, h) == last
    assert [judged(h, on)[0] for on in (last, last + DAY)] == [True, False]


def test_hsk_counts_for_one_purpose_and_not_for_another_on_the_same_day() -> None:
    """gjxy.dgut.edu.cn/info/1188/1466: permanent; two years from the test for admission to Chinese institutions."""
    h, last = held("hsk_2", level="4", taken_on=date(2024, 9, 14)), date(2026, 9, 14)
    assert judged(h, last, "chinese_admission") == (True, "max_age_at", "hsk-2-admission")
    assert judged(h, last + DAY, "chinese_admission") == (False, "max_age_at", "hsk-2-admission")
    assert judged(h, last + DAY) == (True, "without_limit", "hsk-2-permanent")
    assert judged(h, last + DAY, "visa") == (True, "without_limit", "hsk-2-permanent")
    leap = replace(h, taken_on=date(2024, 2, 29))
    assert [judged(leap, on, "chinese_admission")[0] for on in (date(2026, 2, 28), date(2026, 3, 1))] == [True, False]
    undated = judged(replace(h, taken_on=None), last, "chinese_admission")
    assert undated == (False, "day_missing", "hsk-2-admission")


@pytest.mark.parametrize("months", [24])
@pytest.mark.parametrize("taken", [date(2024, 2, 29), date(2024, 8, 31), date(2023, 2, 28), date(2025, 12, 31)])
def test_months_are_counted_as_the_requirements_count_them(taken: date, months: int) -> None:
    h = held("ielts", passed=None, taken_on=taken)
    last = add_months(taken, months)
    assert issuer_end(BOOK, h) == last
    assert [judged(h, on)[0] for on in (taken - DAY, taken, last, last + DAY)] == [False, True, True, False]


def test_unlimited_certificates_say_by_which_rule() -> None:
    """jlpt.jp; goethe.de; telc (winenfood.com); TestDaF (dsit.org.ir); TORFL (smartrussian.global); HSK (gjxy.dgut.edu.cn)."""
    on = date(2040, 1, 1)
    tests = ("jlpt", "jft_basic", "goethe", "telc", "testdaf", "torfl", "hsk_2", "hsk_3")
    found = {t: judged(held(t, level=None, taken_on=DECEMBER), on) for t in tests}
    assert found == {
        "jlpt": (True, "without_limit", "jlpt-no-expiry"),
        "jft_basic": (True, "without_limit", "jft-basic-expiry"),
        "goethe": (True, "without_limit", "goethe-unlimited"),
        "telc": (True, "without_limit", "telc-for-life"),
        "testdaf": (True, "without_limit", "testdaf-unlimited"),
        "torfl": (True, "without_limit", "torfl-unlimited"),
        "hsk_2": (True, "without_limit", "hsk-2-permanent"),
        "hsk_3": (True, "without_limit", "hsk-3-permanent"),
    }
    advice = valid_for(BOOK, held("goethe", level="B1", taken_on=DECEMBER), "visa", on).advice
    assert [(g.code, getattr(g.source, "key", None)) for g in advice] == [("max_age_at", "goethe-often-two-years")]


@pytest.mark.parametrize(("lowest", "valid"), [(3, False), (4, True)])
def test_german_admission_asks_for_each_skill(lowest: int, *, valid: bool) -> None:
    h = held(
        "testdaf",
        passed=None,
        taken_on=DECEMBER,
        sections={"reading": 5, "listening": 4, "writing": 4, "speaking": lowest},
    )
    assert judged(h, DECEMBER, "german_admission") == (valid, "min_each_skill", "testdaf-tdn4")
    assert judged(replace(h, sections={"reading": 5}), DECEMBER, "german_admission")[0] is False
    assert judged(h, DECEMBER)[0] is True


@pytest.mark.parametrize(
    ("test", "level", "passed", "valid"),
    [
        ("jlpt", "N5", True, False),
        ("jlpt", "N4", True, True),
        ("jlpt", "N1", True, True),
        ("jft_basic", None, True, True),
        ("jft_basic", None, None, False),
        ("hsk_2", "6", True, False),
    ],
)
def test_specified_skilled_worker_takes_either_test(
    test: str, level: str | None, *, passed: bool | None, valid: bool
) -> None:
    """pp.jpf.go.jp/2019/08: JFT-Basic, or JLPT N4 and above."""
    h = held(test, level=level, passed=passed, taken_on=DECEMBER)
    assert judged(h, DECEMBER, "specified_skilled_worker")[0] is valid


def test_state_pass_and_stated_end_go_before_every_rule() -> None:
    h = held("jlpt", level="N4", taken_on=DECEMBER, valid_until=date(2026, 12, 6))
    assert [judged(replace(h, state=s), DECEMBER) for s in ("rejected", "revoked", "voided")] == [
        (False, "not_in_state", None)
    ] * 3
    assert judged(replace(h, passed=False, level=None), DECEMBER) == (False, "not_passed", None)
    assert judged(h, DECEMBER - DAY) == (False, "not_yet", None)
    assert judged(h, date(2026, 12, 6)) == (True, "stated_end", None)
    assert judged(h, date(2026, 12, 7)) == (False, "stated_end", None)
    assert judged(held("other", taken_on=DECEMBER), DECEMBER) == (True, "no_rule_known", None)
    assert judged(h, date(2026, 12, 6), book=NO_TESTS) == (True, "stated_end", None)


def test_rule_of_other_days_is_not_asked() -> None:
    rule = BOOK.tests["topik"].rules[0]
    until = replace(BOOK.tests["topik"], rules=(replace(rule, effective_to=date(2018, 12, 31)),))
    book = LanguageTests({"topik": until})
    on = [judged(TOPIK, d, book=book)[:2] for d in (date(2018, 12, 31), date(2019, 1, 1))]
    assert on == [(False, "issuer_expiry"), (True, "no_rule_known")]


def test_band_without_score_says_something_only_where_its_level_has_one() -> None:
    table = CefrTable(
        source="a test", evidence="unverified", key="x",
        bands=(Band(level="1", least=Decimal(1), cefr="A1"), Band(level="2", least=Decimal(1), most=Decimal(2), cefr="A2"),
               Band(level="2", least=Decimal(3), cefr="B1")),
    )  # fmt: skip
    assert [table.band(level, None) for level in ("1", "2", None)] == [(True, "A1"), (False, None), (False, None)]
