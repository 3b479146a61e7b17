"""The plan backward: latest days, room, what is too early, and the first days that are critical and late."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.domain.obligations import Calendar
from service.domain.planning import (
    CHOICE,
    STANDS_AT,
    Duration,
    Durations,
    TestDay,
    after,
    before,
    horizon,
    in_time,
    issued_from,
    latest_days,
    plan,
    still_to_reach,
)
from service.domain.requirements import Evidence, Packs, RequirementFacts, add_months, choose
from service.domain.requirements.model import AnyTest, Requirement, Source, TestAlternative, Validity
from service.storage.calendars import calendars_between
from service.storage.durations import durations_of, planning_countries
from service.storage.packs import shipped_packs

DAY = timedelta(days=1)
CHINA = calendars_between(["CN"], date(2026, 1, 1), date(2027, 12, 31))
STAGES = ("contracting", "documents", "visa", "departed", "arrived", "active")
SOURCE = Source("a test", None, None, "unverified", "test@1")
PLAIN = Durations(
    by_stage={
        "contracting": Duration(stage="contracting", minimum=2, usual=10),
        "documents": Duration(stage="documents", minimum=5, usual=20),
        "visa": Duration(stage="visa", minimum=3, usual=5, unit="working_days", calendar="CN"),
    },
    margin_days=7, source="a test", evidence="unverified",
)  # fmt: skip
FLIGHT = date(2026, 3, 2)


@pytest.mark.parametrize("days", [0, 1, 5, 10, 23])
def test_working_days_backward_are_the_reverse_of_forward(days: int) -> None:
    """Over Spring Festival and its made-up weekends too: the latest day from which the term still ends in time."""
    d = PLAIN.by_stage["visa"]
    for n in range(60):
        end = date(2026, 2, 1) + n * DAY
        start = before(end, days, d, CHINA)
        assert after(start, days, d, CHINA) <= end
        assert days == 0 or after(start + DAY, days, d, CHINA) > end


def test_working_days_backward_skip_the_holidays_of_a_country() -> None:
    # 15 to 23 February 2026 are off and 14 and 28 February are worked (State Council's notice for 2026).
    d = PLAIN.by_stage["visa"]
    assert before(date(2026, 3, 2), 5, d, CHINA) == date(2026, 2, 24)
    assert before(date(2026, 2, 24), 2, d, CHINA) == date(2026, 2, 13)


def test_stages_that_are_left_end_with_the_departure() -> None:
    assert still_to_reach(STAGES, "contracting") == ("documents", "visa", "departed")
    assert still_to_reach(STAGES, "departed") == ()
    assert still_to_reach(("contracting", "documents", "active"), "documents") == ("active",)
    assert still_to_reach(STAGES, "cancelled") == ()


def test_latest_days_are_counted_back_from_the_flight() -> None:
    usual = latest_days(STAGES, "contracting", FLIGHT, PLAIN, CHINA)
    assert usual == {"departed": FLIGHT, "visa": date(2026, 2, 24), "documents": date(2026, 2, 4)}
    least = latest_days(STAGES, "contracting", FLIGHT, PLAIN, CHINA, usual=False)
    assert least == {"departed": FLIGHT, "visa": date(2026, 2, 26), "documents": date(2026, 2, 21)}


def test_horizon_turns_on_the_day_after_the_room_is_used_up() -> None:
    critical, late = horizon(STAGES, "contracting", date(2026, 1, 1), FLIGHT, PLAIN, CHINA)
    # The next stage by 4 February; with less than seven days of room from 29 January on. Not at all after the 21st.
    assert (critical, late) == (date(2026, 1, 29), date(2026, 2, 22))
    # Begun too late for the usual durations, it is critical from its first day; for the least ones, late.
    assert horizon(STAGES, "contracting", date(2026, 1, 19), FLIGHT, PLAIN, CHINA)[0] == date(2026, 1, 19)
    assert horizon(STAGES, "contracting", date(2026, 1, 18), FLIGHT, PLAIN, CHINA)[0] == date(2026, 1, 29)
    assert horizon(STAGES, "contracting", date(2026, 2, 20), FLIGHT, PLAIN, CHINA) == (date(2026, 2, 20),) * 2
    assert horizon(STAGES, "departed", date(2026, 1, 1), FLIGHT, PLAIN, CHINA) == (None, None)
    assert horizon(STAGES, "contracting", date(2026, 1, 1), None, PLAIN, CHINA) == (None, None)


@pytest.mark.parametrize("needed", [date(2026, 5, 31), date(2028, 2, 29), date(2027, 3, 1), date(2026, 8, 15)])
def test_issue_is_not_earlier_than_is_good_on_the_day(needed: date) -> None:
    """A certificate of eligibility is good for three months from its issue (Embassies of Japan)."""
    row = Requirement(
        key="coe", title="", kind="document", subject="placement", needed_before="departed", providers=("enterprise",),
        source=SOURCE, item="coe", validity=(Validity("months_from_issue", 3),),
    )  # fmt: skip
    earliest = issued_from(needed, row)
    assert earliest is not None
    assert add_months(earliest, 3) >= needed > add_months(earliest - DAY, 3)


def test_issue_is_the_latest_of_several_rules_and_none_where_no_rule_counts() -> None:
    row = Requirement(
        key="photo", title="", kind="document", subject="placement", needed_before="visa", providers=("trainee",),
        source=SOURCE, item="photo", validity=(Validity("days_from_issue", 90), Validity("months_from_issue", 2)),
    )  # fmt: skip
    assert issued_from(FLIGHT, row) == date(2026, 1, 2)
    assert issued_from(FLIGHT, replace(row, validity=row.validity[:1])) == FLIGHT - 90 * DAY
    assert issued_from(FLIGHT, replace(row, validity=(Validity("covers", 6),))) is None
    assert issued_from(FLIGHT, replace(row, validity=())) is None


def packs_of(pathway: str, destination: str, on: date) -> Packs:
    found = choose(shipped_packs(), nationality="CN", destination=destination, pathway=pathway, on=on)
    assert isinstance(found, Packs)
    return found


def facts(flight: date | None, **evidence: Evidence) -> RequirementFacts:
    return RequirementFacts(
        nationality="CN", destination="JP", planned_departure_on=flight, starts_on=flight, birth_on=date(2000, 1, 1),
        evidence=evidence,
    )  # fmt: skip


def test_plan_of_japan_waits_for_the_certificate_and_not_too_early() -> None:
    today, flight = date(2026, 12, 1), date(2027, 9, 1)
    packs, durations = packs_of("jp_ssw1", "JP", flight), durations_of("jp_ssw1")
    calendars = calendars_between(planning_countries(durations), today, flight)
    found = plan(
        packs, facts(flight), state="documents", since_on=today, today=today, durations=durations, calendars=calendars
    )
    assert found is not None
    assert (found.aim, found.aim_on, found.critical, found.late) == ("departed", flight, False, False)
    assert [s.stage for s in found.steps] == ["authorisation", "visa", "pre_departure", "ready", "departed"]
    latest = [s.latest_on for s in found.steps]
    assert latest == sorted(latest)
    assert found.steps[-1].latest_on == flight
    visa = next(s for s in found.steps if s.stage == "visa")
    assert visa.earliest_on == date(2027, 6, 1)  # what is granted before is over on 1 September
    assert visa.expected_on == visa.earliest_on
    coe = next(p for p in found.papers if p.key == "certificate_of_eligibility")
    assert (coe.state, coe.needed_before, coe.earliest_on, coe.latest_on) == (
        "missing", "visa", date(2027, 6, 1), visa.latest_on,
    )  # fmt: skip
    assert all(s.slack_days == (s.latest_on - s.expected_on).days for s in found.steps)


def test_plan_shows_a_paper_that_runs_out_before_the_flight() -> None:
    today, flight = date(2026, 12, 1), date(2027, 6, 1)
    packs, durations = packs_of("jp_ssw1", "JP", flight), durations_of("jp_ssw1")
    calendars = calendars_between(planning_countries(durations), today, flight)

    def coe(issued: date) -> list[bool]:
        held = facts(flight, certificate_of_eligibility=Evidence(state="accepted", issued_on=issued, documents=1))
        found = plan(
            packs, held, state="authorisation", since_on=today, today=today, durations=durations, calendars=calendars
        )
        assert found is not None
        return [p.runs_out for p in found.papers if p.key == "certificate_of_eligibility"]

    assert coe(date(2027, 2, 28)) == [True]
    assert coe(date(2027, 3, 1)) == []


def test_plan_is_none_without_a_day_or_behind_it() -> None:
    today = date(2026, 12, 1)
    packs, durations = packs_of("jp_ssw1", "JP", today), durations_of("jp_ssw1")
    calendars = {"CN": Calendar(())}
    for state, flight in (("documents", None), ("active", today), ("documents", date(1, 1, 1))):
        assert plan(
            packs, facts(flight), state=state, since_on=today, today=today, durations=durations, calendars=calendars
        ) is None  # fmt: skip


def test_durations_say_that_nobody_measured_them() -> None:
    assert {durations_of(p).evidence for p in ("jp_ssw1", "de_18a", "home_hire")} == {"unverified"}


def test_test_days_are_those_whose_result_comes_in_time() -> None:
    """Registration is open, a level that serves (or several), and the result is there by the day it is needed."""
    today, needed = date(2026, 12, 1), date(2027, 6, 1)
    row = Requirement(
        key="german_a2", title="", kind="test", subject="person", needed_before="authorisation", providers=("trainee",),
        source=SOURCE, item="german_a2", asks=AnyTest((TestAlternative("goethe", ("a2", "b1")),)),
    )  # fmt: skip

    def day(n: int, held: date, until: date, test: str = "goethe", level: str | None = "a2") -> TestDay:
        return TestDay(id=UUID(int=n), test=test, level=level, held_on=held, register_until=until)

    last = needed - 45 * DAY
    days = [
        day(1, last, today),
        day(2, last + DAY, today),
        day(3, last, today - DAY),
        day(4, last - DAY, today, level=None),
        day(5, last, today, level="a1"),
        day(6, last, today, test="telc"),
        day(7, last - 60 * DAY, today, level="b1"),
    ]
    known = replace(PLAIN, results_days=45)
    assert [d.id.int for d in in_time([row], needed, today, known, days)] == [1, 4, 7]
    # Of some tests it is known how long their results take.
    longer = replace(known, results_of={"goethe": 46})
    assert [d.id.int for d in in_time([row], needed, today, longer, days)] == [4, 7]
    assert (known.result_by(days[0]), longer.result_by(days[0])) == (needed, needed + DAY)


def test_plan_of_a_candidate_has_the_choice_before_the_stages() -> None:
    """From the first look to the flight: consent, choice, offer and contract come before the stages of the pack."""
    packs = choose(shipped_packs(), nationality="CN", destination="JP", pathway="jp_ssw1", on=FLIGHT)
    assert isinstance(packs, Packs)
    d, today = durations_of("jp_ssw1"), date(2025, 6, 2)
    calendars = calendars_between(planning_countries(d), today, FLIGHT)
    facts = RequirementFacts(nationality="CN", destination="JP", birth_on=date(2000, 1, 1), planned_departure_on=FLIGHT)

    def planned(state: str, days: list[TestDay] | None = None) -> Any:
        return plan(
            packs, facts, state=STANDS_AT[state], since_on=today, today=today, durations=d, calendars=calendars,
            test_days=days or (), before_it=CHOICE,
        )  # fmt: skip

    first, chosen = planned("consent_pending"), planned("offered")
    assert [(s.stage, s.action) for s in first.steps][:5] == [
        ("nominated", "nominate"), ("selected", "choose"), ("offered", "offer"), ("contracting", "accept"),
        ("documents", "collect_documents"),
    ]  # fmt: skip
    assert (first.aim, first.aim_on, chosen.steps[0].stage) == ("departed", FLIGHT, "contracting")
    latest = {s.stage: s.latest_on for s in first.steps}
    assert latest["contracting"] - latest["nominated"] == (21 + 7 + 7) * DAY
    assert [s.evidence for s in first.steps if s.stage in ("nominated", "visa")] == [None, "secondary"]
    assert first.critical_on < chosen.critical_on
    # The last sitting that counts is the last whose result is there by the nomination.
    last = latest["nominated"] - 55 * DAY
    days = [
        TestDay(id=UUID(int=n), test="jlpt", level="N4", held_on=on, register_until=today)
        for n, on in enumerate((last, last + DAY))
    ]
    japanese = next(p for p in planned("identified", days).papers if p.needed_before == "nominated" and p.test_days)
    assert [t.held_on for t in japanese.test_days] == [last]
    assert (japanese.needed_before, japanese.latest_on) == ("nominated", latest["nominated"])
    assert STANDS_AT.get("placed") is None
