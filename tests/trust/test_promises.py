"""What docs/trust.md and docs/asvs.md name is there: files, tests, and what is taken out to see whether these would fail."""

from __future__ import annotations

import re

import pytest

from tests.removals import REMOVALS, ROOT, flaws

PAGE, ASVS = ((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("trust.md", "asvs.md"))
NOT_BUILT = {14}


def test_every_promise_is_kept_by_something_that_is_there() -> None:
    rows = re.findall(r"^\| (\d+) \|(.*?)\|(.*?)\|(.*?)\|$", PAGE, re.MULTILINE)
    assert [int(number) for number, *_ in rows] == list(range(1, 17))
    for number, _, kept, shown in rows:
        assert ("`service/" in kept and "`tests/" in shown) or int(number) in NOT_BUILT, number


@pytest.mark.parametrize(
    "named", sorted(set(re.findall(r"`((?:service|tests|migrations)[\w/.]*(?:::\w+)?)`", PAGE + ASVS)))
)
def test_what_is_named_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    assert (ROOT / path).exists()
    assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_tests_named_beside_their_file_are_there() -> None:
    isolation = (ROOT / "tests/api/test_isolation.py").read_text(encoding="utf-8")
    assert [n for n in re.findall(r"`::(\w+)`", PAGE) if f"def {n}(" not in isolation] == []


def test_removals_fit_the_code() -> None:
    assert flaws() == []
    assert {r.promise for r in REMOVALS} == set(range(1, 17)) - NOT_BUILT
    assert len(REMOVALS) >= 30


def test_items_of_the_standard_say_whether_they_are_so() -> None:
    rows = re.findall(r"^\| (\d[\d., to]*) \|[^|]+\| ([^|]+) \|([^|]+)\|$", ASVS, re.MULTILINE)
    assert len(rows) == ASVS.count("\n| ") - ASVS.count("\n| Item") > 40
    assert {said for _, said, _ in rows} == {"yes", "partly", "no", "n/a"}
