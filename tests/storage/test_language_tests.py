"""The files of language tests: what ships is whole and marked, and a faulty file is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from service.domain.certificates import TESTS, WITHOUT_SCHEME
from service.domain.languages import LanguageTest
from service.storage.language_tests import Faulty, language_tests, read_families, read_family
from service.storage.requirements import read_tests

FOLDER = resources.files("service.data") / "language_tests"


def shipped(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return content


def test_every_language_test_has_a_file_and_no_other() -> None:
    assert set(language_tests().tests) == set(TESTS) - set(WITHOUT_SCHEME)


def marks(test: LanguageTest) -> tuple[list[str], list[str]]:
    return [t.evidence for t in test.cefr], [r.evidence for r in test.rules]


def test_marks_of_the_tables_and_rules_are_those_of_the_study() -> None:
    assert {code: marks(test) for code, test in language_tests().tests.items()} == {
        "jlpt": (["secondary"], ["official", "unverified"]),
        "jft_basic": (["unverified"], ["unverified"]),
        "hsk_2": (["secondary"], ["official", "official"]),
        "hsk_3": ([], ["unverified", "unverified"]),
        "goethe": (["official"], ["official", "official"]),
        "telc": (["secondary"], ["secondary"]),
        "testdaf": (["secondary", "secondary"], ["secondary", "official"]),
        "topik": (["secondary", "secondary"], ["secondary"]),
        "torfl": (["secondary"], ["secondary", "secondary"]),
        "ielts": (["secondary", "secondary"], ["official"]),
    }
    assert [(s.key, s.evidence) for s in language_tests().sets] == [("japanese-for-ssw1", "official")]


def test_official_rows_say_when_they_were_checked() -> None:
    rows = [row for t in language_tests().tests.values() for row in (*t.cefr, *t.rules, *t.versions[0].papers)]
    assert {r.checked_on for r in rows if r.evidence == "official"} <= {date(2026, 11, 22), date(2026, 11, 26)}


def with_(change: Callable[[dict[str, Any]], Any]) -> str:
    content = shipped("jlpt.json")
    change(content["tests"][0])
    return json.dumps(content)


def paper(n: int, **fields: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda t: t["versions"][0]["papers"][n].update(fields)


def rule(**fields: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda t: t["rules"][1].update(fields)


@pytest.mark.parametrize(
    ("change", "where", "problem"),
    [
        (lambda t: t.update(colour="red"), "tests[0]", "unknown field 'colour'"),
        (lambda t: t.pop("issuer"), "tests[0]", "issuer is missing"),
        (lambda t: t.update(issuer=7), "tests[0].issuer", "a str was expected, not 7"),
        (lambda t: t.update(named_by_issuer="yes"), "tests[0].named_by_issuer", "a bool was expected, not 'yes'"),
        (lambda t: t.update(skills="all"), "tests[0].skills", "a list was expected, not 'all'"),
        (lambda t: t.update(test="toefl"), "tests[0].test", None),
        (lambda t: t.update(levels=["N1"]), "tests[0].levels", "the levels of this code are N5, N4, N3, N2, N1"),
        (lambda t: t.update(versions=[]), "tests[0].versions", "a test has a version at least"),
        (lambda t: t["versions"].append(t["versions"][0]), "tests[0].versions[1]", "it is in force together with the one before"),
        (lambda t: t["versions"][0].update(effective_from="2010-13-01"), "tests[0].versions[0].effective_from", "a date was expected, not '2010-13-01'"),
        (lambda t: t["versions"][0].update(effective_from="2010-01-02", effective_to="2010-01-01"), "tests[0].versions[0]", "effective_to is before effective_from"),
        (lambda t: t["versions"][0]["papers"].pop(), "tests[0].versions[0].papers", "together the papers must give each level of the test once"),
        (paper(1, paper="N5"), "tests[0].versions[0].papers", "'N5' stands twice"),
        (paper(0, source=" "), "tests[0].versions[0].papers[0]", "source is empty"),
        (paper(0, source_url="jlpt.jp"), "tests[0].versions[0].papers[0].source_url", "'jlpt.jp' is no address"),
        (paper(0, evidence="official", checked_on=None), "tests[0].versions[0].papers[0]", "an official source needs checked_on"),
        (paper(0, evidence="hearsay"), "tests[0].versions[0].papers[0].evidence", "'hearsay' is none of official, secondary, unverified"),
        (paper(0, total={"least": "0", "most": "0"}), "tests[0].versions[0].papers[0].total", "least must be below most, and step above nothing"),
        (paper(0, total={"least": "0", "most": "200"}), "tests[0].versions[0].papers[0].total", "not the sum of the sections"),
        (paper(0, total={"least": "0", "most": "NaN"}), "tests[0].versions[0].papers[0].total.most", "a decimal was expected, not 'NaN'"),
        (paper(0, total={"least": "0", "most": 180}), "tests[0].versions[0].papers[0].total.most", "a decimal was expected, not 180"),
        (paper(0, cut_offs=[{"level": "N5", "least": "181"}]), "tests[0].versions[0].papers[0].cut_offs[0]", "no total of the paper"),
        (lambda t: t["versions"][0]["papers"][0]["sections"][0].update(passed_from="121"), "tests[0].versions[0].papers[0].sections[0].passed_from", "no score of the section"),
        (lambda t: t["cefr"][0]["bands"][0].update(cefr="D1"), "tests[0].cefr[0].bands[0].cefr", "'D1' is none of A1, A2, B1, B2, C1, C2"),
        (lambda t: t["cefr"][0]["bands"][0].update(level="N6"), "tests[0].cefr[0]", "bands name the level 'N6', which the test has not"),
        (lambda t: t["cefr"][0]["bands"][2].update(most="104"), "tests[0].cefr[0]", "bands overlap, or are not in rising order"),
        (lambda t: t["cefr"][0]["bands"][2].update(most="90"), "tests[0].cefr[0]", "a band ends at 90, before it begins"),
        (rule(key="jlpt-section-minimum"), "tests[0].rules", "'jlpt-section-minimum' stands twice"),
        (rule(rule="for_ever"), "tests[0].rules[1].rule", None),
        (rule(purposes=["holiday"]), "tests[0].rules[1].purposes[0]", None),
        (rule(months=24), "tests[0].rules[1]", "a rule of kind issuer_expiry needs counted_from"),
        (rule(months=True), "tests[0].rules[1].months", "a int was expected, not True"),
        (rule(least="4"), "tests[0].rules[1].least", "a rule of kind issuer_expiry has no least"),
        (rule(rule="max_age_at", counted_from="taken_on", months=24), "tests[0].rules[1]", "a rule of kind max_age_at needs purposes"),
        (rule(rule="min_each_skill"), "tests[0].rules[1]", "a rule of kind min_each_skill needs least"),
        (rule(rule="equivalent_set"), "tests[0].rules[1]", "a rule of kind equivalent_set needs any_of"),
    ],
)  # fmt: skip
def test_faulty_file_is_refused_with_its_place(
    change: Callable[[dict[str, Any]], Any], where: str, problem: str | None
) -> None:
    with pytest.raises(Faulty) as no:
        read_family("jlpt.json", with_(change))
    assert (no.value.file, no.value.where) == ("jlpt.json", where)
    assert problem in (None, no.value.problem)


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("jlpt.json", "{", "line 1"),
        ("jlpt.json", "[]", ""),
        ("jlpt.json", '{"family": "jlpt", "family": "jlpt"}', ""),
        ("other.json", '{"family": "jlpt"}', "family"),
        ("x.json", '{"family": "x", "sets": [{"key": "a", "rule": "issuer_expiry", "source": "s", "evidence": "secondary"}]}', "sets[0].rule"),
    ],
)  # fmt: skip
def test_file_that_is_no_family_is_refused(file: str, text: str, where: str) -> None:
    with pytest.raises(Faulty) as no:
        read_family(file, text)
    assert (no.value.file, no.value.where) == (file, where)


def test_files_are_checked_together(tmp_path: Path) -> None:
    def write(name: str, content: dict[str, Any]) -> None:
        (tmp_path / f"{name}.json").write_text(json.dumps(content | {"family": name}), encoding="utf-8")

    write("equivalents", shipped("equivalents.json"))
    with pytest.raises(Faulty, match="the test 'jft_basic' is in no file"):
        read_families(tmp_path)
    write("jft_basic", shipped("jft_basic.json"))
    write("jlpt", shipped("jlpt.json"))
    assert len(read_families(tmp_path).tests) == 2
    sets = shipped("equivalents.json")
    sets["sets"][0]["any_of"][1]["level_least"] = "N9"
    write("equivalents", sets)
    with pytest.raises(Faulty, match="jlpt has no level 'N9'"):
        read_families(tmp_path)
    write("equivalents", {})
    write("again", shipped("jlpt.json"))
    with pytest.raises(Faulty, match="another file has this test too"):
        read_families(tmp_path)


@pytest.mark.parametrize(
    ("test", "days", "last"),
    [
        ("topik", {"taken_on": "2024-02-17", "result_on": "2024-02-29"}, "2026-02-27"),
        ("topik", {"taken_on": "2024-02-17", "result_on": "2024-02-29", "valid_until": "2025-12-31"}, "2025-12-31"),
        ("ielts", {"taken_on": "2024-02-29"}, "2026-02-28"),
        ("hsk_2", {"taken_on": "2024-02-29"}, None),
        ("ssw1_skills", {"taken_on": "2024-02-29", "valid_until": "2030-01-01"}, "2030-01-01"),
    ],
)
def test_requirements_judge_a_test_by_the_same_rule(test: str, days: dict[str, str], last: str | None) -> None:
    """What a pack is told as the end of a test is the earlier of what it states and what its issuer's rule says."""
    row = {"test": test, "level": "4", "score": None, "verified": True, "field": None}
    (found,) = read_tests([row | {"taken_on": None, "result_on": None, "valid_until": None} | days])
    assert found.valid_until == (date.fromisoformat(last) if last else None)
