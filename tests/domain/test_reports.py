"""The report of a year: definitions that are sound, numbers from totals, and bytes that do not depend on anything else."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import COORDINATOR, Actor
from service.domain.lifecycle import Refused
from service.domain.reports import (
    REPORT,
    Cut,
    Definitions,
    Difference,
    FaultyDefinition,
    Figure,
    Key,
    NewReport,
    Total,
    canonical,
    compose,
    cut_of,
    differences,
    digest,
    values_of,
)
from service.storage.report_definitions import definitions
from service.storage.schema import LIFECYCLES

WORDS = {"en": "x", "zh": "x"}
CUT = Cut(year=2026, as_of=date(2026, 6, 30), feed_no=7, counted_until=datetime(2026, 6, 30, 16, tzinfo=UTC))


def figure(key: str, **more: Any) -> dict[str, Any]:
    plain = {"key": key, "title": WORDS, "definition": WORDS, "unit": "items", "counts": "steps"}
    return plain | {"subject": "membership", "actions": ["pass"]} | more


def made(*figures: dict[str, Any]) -> Definitions:
    section = {"key": "s", "title": WORDS, "figures": figures}
    return Definitions.read({"report": "r", "edition": 1, "title": WORDS, "rule": WORDS, "sections": [section]})


def share(part: str, *whole: str) -> dict[str, Any]:
    more = {"counts": "share", "unit": "percent", "by": "class_kind", "subject": "", "actions": []}
    return figure("rate", share={"part": [part], "whole": list(whole)}, **more)


RATED = made(
    figure("good", by="class_kind"), figure("bad", by="class_kind"), share("good", "good", "bad"),
    figure("took", counts="days", unit="days"),
)  # fmt: skip


def n(number: int, median: int | None = None) -> Total:
    return Total(number, Decimal(number), None if median is None else Decimal(median))


def test_definitions_that_ship_name_rows_that_there_are() -> None:
    tables = {lifecycle.name: lifecycle for lifecycle, _ in LIFECYCLES.values()}
    for f in definitions().figures.values():
        if f.share is None:
            known = tables[f.subject]
            assert set(f.actions) <= {*known.by_action}, f.key
            assert set(f.states) <= {*known.states()}, f.key


def test_values_are_the_whole_and_its_groups() -> None:
    totals = {
        ("good", "skills"): n(2), ("good", "dual"): n(1), ("good", None): n(3),
        ("bad", "skills"): n(1), ("bad", None): n(1), ("took", None): n(5, 12),
    }  # fmt: skip
    assert values_of(RATED, totals) == {
        ("good", None): 3, ("good", "dual"): 1, ("good", "skills"): 2, ("bad", None): 1, ("bad", "skills"): 1,
        ("rate", None): "75.0", ("rate", "dual"): "100.0", ("rate", "skills"): "66.7", ("took", None): 12,
    }  # fmt: skip


def test_share_of_the_whole_leaves_out_what_has_no_whole() -> None:
    reached = made(figure("done", by="destination"), figure("aim", by="destination"), share("done", "aim"))
    totals = {
        ("done", "JP"): n(4),
        ("done", "TH"): n(9),
        ("done", None): n(13),
        ("aim", "JP"): n(32),
        ("aim", None): n(32),
    }
    found = values_of(reached, totals)
    assert [found["rate", g] for g in (None, "JP", "TH")] == ["12.5", "12.5", None]


def test_nothing_is_nothing() -> None:
    assert values_of(RATED, {}) == {("good", None): 0, ("bad", None): 0, ("rate", None): None, ("took", None): None}


def test_halves_are_rounded_up() -> None:
    totals: dict[Key, Total] = {("good", "dual"): n(1), ("bad", "dual"): n(15)}  # 6.25 %
    assert values_of(RATED, totals)["rate", "dual"] == "6.3"


def test_differences_are_numbers_that_differ() -> None:
    before = {("good", "dual"): n(1), ("good", None): n(1)}
    after = {("good", "skills"): n(1), ("good", None): n(1), ("took", None): n(1, 3)}
    assert differences(RATED, before, after) == [
        Difference("good", "dual", 1, 0),
        Difference("good", "skills", 0, 1),
        Difference("rate", "dual", "100.0", None),
        Difference("rate", "skills", None, "100.0"),
        Difference("took", None, None, 3),
    ]


def test_report_says_all_that_it_is_rebuilt_from() -> None:
    report = compose(RATED, CUT, {"id": "i"}, {"class_kind": {"dual": WORDS}}, {("good", "dual"): n(1)})
    content = canonical(report)
    again = json.loads(content)
    assert cut_of(again) == CUT
    assert Definitions.read(again) == RATED
    once_more = compose(
        Definitions.read(again), cut_of(again), again["institution"], again["labels"], {("good", "dual"): n(1)}
    )
    assert canonical(once_more) == content
    assert (again["first_on"], again["last_on"], again["standing_on"]) == ("2026-01-01", "2026-12-31", "2026-06-30")
    assert b'"counted_until":"2026-06-30T16:00:00.000000+00:00"' in content


def test_digest_is_sha_256_of_the_bytes() -> None:
    # FIPS 180-4 in NIST's example of one block
    assert digest(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    "wrong",
    [
        (figure("a", actions=[]),),
        (figure("a", counts="standing"),),
        (figure("a", counts="guess"),),
        (figure("a", by="name"),),
        (figure("a", unit="euros"),),
        (figure("a", title={"en": "x"}),),
        (figure("a"), figure("a")),
        (share("gone", "gone"),),
    ],
)
def test_faulty_definitions_are_refused(wrong: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(FaultyDefinition):
        made(*wrong)


def test_report_is_frozen_within_its_year_or_later() -> None:
    actor = Actor(UUID(int=1), frozenset({COORDINATOR}))
    facts = NewReport(state="", today=date(2026, 3, 1))
    for given, codes in (
        ({"year": 2026}, []),
        ({"year": 2025, "as_of": date(2026, 1, 15)}, []),
        ({"year": 2026, "as_of": date(2025, 12, 31)}, ["as_of_fits"]),
        ({"year": 2026, "as_of": date(2026, 3, 2)}, ["as_of_fits"]),
        ({"year": 2027}, ["out_of_bounds"]),
    ):
        try:
            REPORT.decide("freeze", facts, actor, given)
            found: list[str] = []
        except Refused as no:
            found = [r.code for r in no.reasons]
        assert found == codes, given


def test_figure_needs_the_rows_of_what_it_is_made_of() -> None:
    assert [f.needs for f in RATED.figures.values()] == [("good",), ("bad",), ("good", "bad"), ("took",)]
    assert isinstance(RATED.figures["good"], Figure)
