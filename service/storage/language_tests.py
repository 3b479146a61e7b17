"""Language tests from their files, one a family: every field checked, a faulty file refused with place and fault."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from service.domain.certificates import TESTS
from service.domain.languages import LanguageTest, LanguageTests, Paper, Sourced, ValidityRule, Version
from service.storage.typed import Faulty, as_a, read_json

FOLDER: Final = "language_tests"
COUNTED: Final = ("issuer_expiry", "max_age_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What one file says: the tests of a family, and sets of tests that serve for one another."""

    family: str
    tests: tuple[LanguageTest, ...] = ()
    sets: tuple[ValidityRule, ...] = ()


@cache
def language_tests() -> LanguageTests:
    """The tests that come with the service, read once. Raises Faulty."""
    return read_families(resources.files("service.data") / FOLDER)


def read_families(folder: Traversable | Path) -> LanguageTests:
    """Every family of a folder, by file name. Raises Faulty."""
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    families = [(f.name, read_family(f.name, f.read_text(encoding="utf-8"))) for f in files]
    tests: dict[str, LanguageTest] = {}
    for name, family in families:
        for test in family.tests:
            if test.test in tests:
                raise Faulty(name, test.test, "another file has this test too")
            tests[test.test] = test
    for name, family in families:
        for n, each in enumerate(family.sets):
            _check_set(name, f"sets[{n}]", each, tests)
    return LanguageTests(tests, tuple(s for _, family in families for s in family.sets))


def read_family(file: str, text: str) -> Family:
    """One family from the text of its file, which is named for it. Raises Faulty."""
    family = as_a(Family, read_json(file, text), file)
    if file != f"{family.family}.json":
        raise Faulty(file, "family", f"the file must be named {family.family}.json")
    _check_sources(file, "", family)
    for n, test in enumerate(family.tests):
        _check_test(file, f"tests[{n}]", test)
    for n, each in enumerate(family.sets):
        if each.rule != "equivalent_set":
            raise Faulty(file, f"sets[{n}].rule", "a set is an equivalent_set")
    return family


def _check_sources(file: str, where: str, value: Any) -> None:
    """Every row says where it was read; an official one also when."""
    if isinstance(value, Sourced):
        if not value.source.strip():
            raise Faulty(file, where, "source is empty")
        if value.source_url is not None and not value.source_url.startswith(("https://", "http://")):
            raise Faulty(file, f"{where}.source_url", f"{value.source_url!r} is no address")
        if value.evidence == "official" and value.checked_on is None:
            raise Faulty(file, where, "an official source needs checked_on")
    if isinstance(value, tuple):
        for n, each in enumerate(value):
            _check_sources(file, f"{where}[{n}]", each)
    elif is_dataclass(value):
        for f in fields(value):
            _check_sources(file, f"{where}.{f.name}".lstrip("."), getattr(value, f.name))


def _check_test(file: str, where: str, test: LanguageTest) -> None:
    if test.test not in TESTS:
        raise Faulty(file, f"{where}.test", f"{test.test!r} is none of {', '.join(sorted(TESTS))}")
    if test.levels != TESTS[test.test]:
        raise Faulty(file, f"{where}.levels", f"the levels of this code are {', '.join(TESTS[test.test]) or 'none'}")
    if not test.versions:
        raise Faulty(file, f"{where}.versions", "a test has a version at least")
    _check_days(file, f"{where}.versions", test.versions, exclusive=True)
    for n, version in enumerate(test.versions):
        _check_version(file, f"{where}.versions[{n}]", test, version)
    _check_days(file, f"{where}.cefr", test.cefr)
    for n, table in enumerate(test.cefr):
        here = f"{where}.cefr[{n}]"
        if unknown := [b.level for b in table.bands if b.level is not None and b.level not in test.levels]:
            raise Faulty(file, here, f"bands name the level {unknown[0]!r}, which the test has not")
        for level in {b.level for b in table.bands}:
            _check_bands(file, here, [b for b in table.bands if b.level == level])
    _distinct(file, f"{where}.cefr", [t.key for t in test.cefr])
    _distinct(file, f"{where}.rules", [r.key for r in test.rules])
    _check_days(file, f"{where}.rules", test.rules)
    for n, rule in enumerate(test.rules):
        _check_rule(file, f"{where}.rules[{n}]", rule)


def _check_days(file: str, where: str, rows: Sequence[Any], *, exclusive: bool = False) -> None:
    """Each row ends on or after its first day; exclusive ones follow one another."""
    before: date | None = None
    for n, row in enumerate(rows):
        first, last = row.effective_from, row.effective_to
        if first is not None and last is not None and last < first:
            raise Faulty(file, f"{where}[{n}]", "effective_to is before effective_from")
        if exclusive and n and (before is None or first is None or first <= before):
            raise Faulty(file, f"{where}[{n}]", "it is in force together with the one before")
        before = last


def _check_version(file: str, where: str, test: LanguageTest, version: Version) -> None:
    if not version.papers:
        raise Faulty(file, where, "a version has a paper at least")
    _distinct(file, f"{where}.papers", [p.paper for p in version.papers])
    levels = [level for p in version.papers for level in p.levels]
    _distinct(file, f"{where}.papers", levels)
    if sorted(levels) != sorted(test.levels):
        raise Faulty(file, f"{where}.papers", "together the papers must give each level of the test once")
    for n, paper in enumerate(version.papers):
        _check_paper(file, f"{where}.papers[{n}]", paper)


def _check_paper(file: str, where: str, paper: Paper) -> None:
    _distinct(file, f"{where}.sections", [s.section for s in paper.sections])
    scales = [
        *((f"{where}.total", paper.total),),
        *((f"{where}.sections[{n}]", s.scale) for n, s in enumerate(paper.sections)),
    ]
    for here, scale in scales:
        if scale is not None and (scale.least >= scale.most or scale.step <= 0):
            raise Faulty(file, here, "least must be below most, and step above nothing")
    for n, s in enumerate(paper.sections):
        if s.passed_from is not None and not s.scale.has(s.passed_from):
            raise Faulty(file, f"{where}.sections[{n}].passed_from", "no score of the section")
    needed = [("passed_from", paper.passed_from), *((f"cut_offs[{n}]", c.least) for n, c in enumerate(paper.cut_offs))]
    for name, least in needed:
        if least is not None and (paper.total is None or not paper.total.has(least)):
            raise Faulty(file, f"{where}.{name}", "no total of the paper")
    if [c.least for c in paper.cut_offs] != sorted({c.least for c in paper.cut_offs}):
        raise Faulty(file, f"{where}.cut_offs", "not in rising order")
    if paper.adds_up and paper.total is not None:
        sums = [sum(getattr(s.scale, end) for s in paper.sections) for end in ("least", "most")]
        if sums != [paper.total.least, paper.total.most]:
            raise Faulty(file, f"{where}.total", "not the sum of the sections")


def _check_bands(file: str, where: str, bands: Iterable[Any]) -> None:
    last = None
    for n, band in enumerate(bands):
        if band.least is not None and band.most is not None and band.most < band.least:
            raise Faulty(file, where, f"a band ends at {band.most}, before it begins")
        if n and (last is None or band.least is None or band.least <= last):
            raise Faulty(file, where, "bands overlap, or are not in rising order")
        last = band.most


def _check_rule(file: str, where: str, rule: ValidityRule) -> None:
    def only(names: Iterable[str], *, on: Collection[str]) -> Iterator[str]:
        empty = (None, (), "same_day")
        return (n for n in names if getattr(rule, n) not in empty and rule.rule not in on)

    wrong = [
        *only(("counted_from", "months", "last_day"), on=COUNTED),
        *only(("least",), on=("min_each_skill",)),
        *only(("any_of",), on=("equivalent_set",)),
    ]
    if wrong:
        raise Faulty(file, f"{where}.{wrong[0]}", f"a rule of kind {rule.rule} has no {wrong[0]}")
    needed = {
        "max_age_at": ("counted_from", "months", "purposes"),
        "min_each_skill": ("least",),
        "equivalent_set": ("any_of",),
    }
    missing = [n for n in needed.get(rule.rule, ()) if getattr(rule, n) in (None, ())]
    if rule.months is not None and (rule.counted_from is None or rule.months < 1):
        missing.append("counted_from")
    if missing:
        raise Faulty(file, where, f"a rule of kind {rule.rule} needs {missing[0]}")


def _check_set(file: str, where: str, each: ValidityRule, tests: dict[str, LanguageTest]) -> None:
    _check_rule(file, where, each)
    for wanted in each.any_of:
        test = tests.get(wanted.test)
        if test is None:
            raise Faulty(file, where, f"the test {wanted.test!r} is in no file")
        if wanted.level_least is not None and wanted.level_least not in test.levels:
            raise Faulty(file, where, f"{wanted.test} has no level {wanted.level_least!r}")


def _distinct(file: str, where: str, values: Sequence[str]) -> None:
    if twice := sorted({v for v in values if values.count(v) > 1}):
        raise Faulty(file, where, f"{twice[0]!r} stands twice")


__all__ = ["Faulty", "language_tests", "read_families", "read_family"]
