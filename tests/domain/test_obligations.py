"""When something falls due, day by day: terms, calendars, periods, ends, and nothing twice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from service.api.messages import catalogue
from service.domain.obligations import (
    Calendar,
    Held,
    HouseRules,
    Watch,
    last_day,
    opened_by_clock,
    opened_by_event,
)
from service.domain.requirements import Due, Obligation, Source
from service.storage.calendars import calendars
from service.storage.duties import house_rules
from service.storage.packs import shipped_packs

SOURCE = Source("a test", None, None, "unverified", "test@1")
DAY = timedelta(days=1)
NONE = HouseRules(pin="house@1")


def row(key: str = "notice", event: str = "arrived", due: Due | None = None, **more: Any) -> Obligation:
    return Obligation(key=key, title=key, event=event, due=due, providers=("enterprise",), source=SOURCE, **more)


@pytest.mark.parametrize(
    ("due", "on", "last"),
    [
        (Due(14, "days"), date(2026, 1, 31), date(2026, 2, 14)),
        (Due(30, "days"), date(2028, 1, 30), date(2028, 2, 29)),
        (Due(1, "years"), date(2028, 2, 29), date(2029, 2, 28)),
        (Due(4, "years"), date(2028, 2, 29), date(2032, 2, 29)),
        (Due(1, "years"), date(2026, 4, 30), date(2027, 4, 30)),
        # Ten working days over the National Day week of 2026, with the two weekends that make it up (20 September,
        # 10 October): the State Council's notice for 2026, as the holidays package has it.
        (Due(10, "working_days", "CN"), date(2026, 9, 18), date(2026, 10, 9)),
        (Due(10, "working_days", "CN"), date(2026, 9, 29), date(2026, 10, 19)),
        # Spring Festival 2026: 15 to 23 February off, 14 and 28 February worked.
        (Due(10, "working_days", "CN"), date(2026, 2, 12), date(2026, 3, 4)),
        (Due(1, "working_days", "CN"), date(2026, 2, 13), date(2026, 2, 14)),
        (None, date(2026, 1, 1), None),
    ],
)
def test_term_ends_on_its_last_day(due: Due | None, on: date, last: date | None) -> None:
    assert last_day(due, on, calendars(["CN"], on)) == last


def test_term_of_a_country_without_a_calendar_counts_weekdays() -> None:
    assert last_day(Due(5, "working_days", "XX"), date(2026, 11, 20), {"XX": Calendar(())}) == date(2026, 11, 27)
    assert calendars(["QQ"], date(2026, 1, 1)) == {"QQ": Calendar(frozenset(), frozenset())}


def test_event_opens_what_its_packs_say_and_nothing_else() -> None:
    rows = [("a@1", row("x")), ("a@1", row("y", "departed")), ("b@2", row("x", due=Due(14, "days")))]
    found = list(opened_by_event(rows, "arrived", date(2026, 3, 1), {}))
    assert [(o.name, o.due_on) for o in found] == [
        (("x", "a@1", "arrived", ""), None),
        (("x", "b@2", "arrived", ""), date(2026, 3, 15)),
    ]


def test_event_that_repeats_opens_once_a_day() -> None:
    rows = [("a@1", row("notice", "acceptance_changed"))]
    days = [date(2026, 3, 1), date(2026, 3, 1), date(2026, 3, 2)]
    names = {o.name for on in days for o in opened_by_event(rows, "acceptance_changed", on, {})}
    assert sorted(n[3] for n in names) == ["2026-03-01", "2026-03-02"]


def test_event_opens_by_the_rule_of_its_day() -> None:
    first, last = date(2026, 4, 1), date(2026, 4, 30)
    rows = [("a@1", row(effective_from=first, effective_to=last))]
    days = [first - DAY, first, last, last + DAY]
    assert [len(list(opened_by_event(rows, "arrived", d, {}))) for d in days] == [0, 1, 1, 0]


def test_yearly_report_is_judged_on_the_day_it_is_due() -> None:
    """The first yearly report is from April 2026 (notice of the Ministry of Justice, in the pack)."""
    report = next(o for p in shipped_packs() for o in p.obligations if o.key == "yearly_report")
    assert list(opened_by_event([("p@1", report)], "started_work", date(2025, 3, 31), {})) == []
    assert [o.due_on for o in opened_by_event([("p@1", report)], "started_work", date(2025, 4, 1), {})] == [
        date(2026, 4, 1)
    ]


def yearly(today: date, start: date, ended: date | None = None) -> list[tuple[str, date | None]]:
    held = Held(
        rules=(("a@1", row("report", "started_work", Due(1, "years"))),), started={"started_work": start},
        ended_on=ended, live=ended is None,
    )  # fmt: skip
    return [(o.period, o.due_on) for o in opened_by_clock(held, NONE, today, {})]


def test_period_opens_on_the_day_the_one_before_is_due() -> None:
    start = date(2028, 2, 29)
    assert yearly(date(2029, 2, 27), start) == [("1", date(2029, 2, 28))]
    assert yearly(date(2029, 2, 28), start) == [("1", date(2029, 2, 28)), ("2", date(2030, 2, 28))]
    assert [p for p, _ in yearly(date(2032, 2, 28), start)] == ["1", "2", "3", "4"]
    assert yearly(date(2032, 2, 29), start)[-1] == ("5", date(2033, 2, 28))
    assert yearly(start - DAY, start) == []


def test_period_does_not_open_after_the_end() -> None:
    start = date(2026, 1, 1)
    assert [p for p, _ in yearly(date(2030, 1, 1), start, date(2026, 12, 31))] == ["1"]
    assert [p for p, _ in yearly(date(2030, 1, 1), start, date(2027, 1, 1))] == ["1", "2"]


def test_end_that_is_near_opens_once_for_its_day() -> None:
    watch = Watch(
        key="permit_renewal", title="", watches="authorisation", items=(), opens_days=120, due_days=30,
        providers=("enterprise",), source=SOURCE,
    )  # fmt: skip
    house, end = HouseRules(pin="house@1", watches=(watch,)), date(2027, 3, 31)

    def found(today: date, *, live: bool = True) -> list[tuple[str, date | None]]:
        held = Held(until={"authorisation": end, "visa": None}, live=live)
        return [(o.period, o.due_on) for o in opened_by_clock(held, house, today, {})]

    opens = end - 120 * DAY
    opening = [("2027-03-31", date(2027, 3, 1))]
    assert [found(d) for d in (opens - DAY, opens, end, end + 400 * DAY)] == [[], opening, opening, opening]
    assert found(end, live=False) == []


def test_clock_opens_the_same_after_any_absence() -> None:
    """What it opens day by day is what it opens at once after 40 days, and after 1,000."""
    arrived, house = date(2026, 1, 15), house_rules()
    for days in (1, 40, 89, 90, 91, 1000):
        until = {"passport": date(2026, 12, 1), "visa": date(2026, 3, 1)}
        held = Held(started={"arrived": arrived}, until=until)
        daily: dict[tuple[str, ...], date | None] = {}
        for n in range(days + 1):
            daily |= {o.name: o.due_on for o in opened_by_clock(held, house, arrived + n * DAY, {})}
        at_once = {o.name: o.due_on for o in opened_by_clock(held, house, arrived + days * DAY, {})}
        assert at_once == daily
        assert len([n for n in daily if n[0] == "wellbeing_check"]) == days // 90 + 1


def test_house_rules_are_marked_as_what_they_are() -> None:
    sources = [w.source for w in house_rules().watches] + [c.source for c in house_rules().checks]
    marks = {s.evidence for s in sources}
    assert marks == {"unverified"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_rules_have_words(language: str) -> None:
    rules = {o.key for p in shipped_packs() for o in p.obligations}
    rules |= {w.key for w in house_rules().watches} | {c.key for c in house_rules().checks}
    assert sorted(r for r in rules if f"obligation.{r}" not in catalogue(language)) == []
