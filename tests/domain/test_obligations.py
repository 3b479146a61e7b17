"""When something falls due, day by day: terms, calendars, periods, ends, and nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.api.messages import catalogue
from service.domain.actors import (
    ADMIN,
    AGENCY,
    COORDINATOR,
    ENTERPRISE,
    GUARDIAN,
    INSTRUCTOR,
    REGISTRAR,
    SYSTEM,
    TRAINEE,
    Actor,
    Role,
)
from service.domain.lifecycle import NEW, Reason, Refused
from service.domain.obligations import (
    OBLIGATION,
    ROLES_OF_PROVIDER,
    Calendar,
    Duty,
    Held,
    HouseRules,
    NewObligation,
    ObligationDossier,
    Watch,
    last_day,
    opened,
    opened_by_clock,
    opened_by_event,
    roles_of,
    rows_of,
)
from service.domain.requirements import Due, Obligation, Pack, Packs, Source
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


def test_clock_catches_up_what_an_event_opened_once() -> None:
    """As its step would have opened it, by the rule of the event's day; what comes back is not among it."""
    arrived, first = date(2026, 1, 15), date(2026, 1, 16)
    rows = (
        ("a@1", row(due=Due(14, "days"))),
        ("a@1", row("late", effective_from=first)),
        ("a@1", row("x", "departed")),
    )

    def found(today: date, on: date | None = arrived) -> list[tuple[str, str, date | None]]:
        held = Held(rules=rows, started={"arrived": on, "departed": None})
        return [(o.rule, o.period, o.due_on) for o in opened_by_clock(held, NONE, today, {})]

    assert [found(d) for d in (arrived - DAY, arrived, date(2029, 1, 1))] == [
        [], [("notice", "", date(2026, 1, 29))], [("notice", "", date(2026, 1, 29))],
    ]  # fmt: skip
    assert [r for r, _, _ in found(first, first)] == ["notice", "late"]
    assert found(arrived, None) == []


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


# ---- by whom
TODAY = date(2026, 11, 22)
SCAN = UUID(int=9)


def against(action: str, facts: Any, role: Role, **given: Any) -> list[tuple[str, str | None]]:
    """The reasons against an action, each with its pointer."""
    try:
        OBLIGATION.decide(action, facts, Actor(UUID(int=7), frozenset({role})), given)
    except Refused as no:
        return [(r.code, r.pointer) for r in no.reasons]
    return []


def owed(by: tuple[str, ...], role: Role, **more: Any) -> ObligationDossier:
    return ObligationDossier(
        state="pending", today=TODAY, rule="notice", owed_by=by, roles=frozenset({role}), event_on=TODAY, **more
    )


OWED: dict[str, set[Role]] = {
    "trainee": {TRAINEE, GUARDIAN}, "agency": {AGENCY}, "enterprise": {ENTERPRISE}, "school": {COORDINATOR, REGISTRAR},
    "clinic": {COORDINATOR}, "coordinator": {COORDINATOR}, "support_organisation": {ENTERPRISE},
    "competent_body": {COORDINATOR}, "rule": {COORDINATOR},
}  # fmt: skip
NOT_OWED = ("owed_by", "/recorded_for")


@pytest.mark.parametrize("role", [COORDINATOR, AGENCY, ENTERPRISE, TRAINEE, GUARDIAN, REGISTRAR, INSTRUCTOR])
@pytest.mark.parametrize("provider", OWED)
def test_obligation_is_done_by_whoever_owes_it_or_recorded_for_them(provider: str, role: Role) -> None:
    assert against("fulfil", owed((provider,), role), role, evidence=(SCAN,)) == (
        [] if role in OWED[provider] else [NOT_OWED]
    )
    if role in {AGENCY, ENTERPRISE, TRAINEE, GUARDIAN, INSTRUCTOR}:
        recorded = against(
            "fulfil", owed((provider,), COORDINATOR), COORDINATOR, evidence=(SCAN,), recorded_for=role
        )  # fmt: skip
        assert recorded == ([] if role in OWED[provider] else [NOT_OWED])


def test_obligation_of_several_is_done_by_any_of_them_and_by_the_system() -> None:
    assert roles_of(("agency", "trainee")) == {AGENCY, TRAINEE, GUARDIAN}
    assert {p: set(r) for p, r in ROLES_OF_PROVIDER.items()} == OWED
    for role in (AGENCY, GUARDIAN):
        assert against("fulfil", owed(("agency", "trainee"), role), role, evidence=(SCAN,)) == []
    assert against("fulfil", owed(("agency",), SYSTEM), SYSTEM) == []
    assert against("fulfil", owed(("agency",), AGENCY), AGENCY) == [("evidence_required", "/evidence")]


@pytest.mark.parametrize(
    ("facts", "given", "found"),
    [
        ({}, {"occurred_on": TODAY}, []),
        ({}, {"occurred_on": TODAY - DAY}, [("occurred_on_in_range", "/occurred_on")]),
        ({}, {"occurred_on": TODAY + DAY}, [("occurred_on_in_range", "/occurred_on")]),
        ({"runs_out": True}, {"occurred_on": TODAY - DAY}, []),
        ({"event_on": None}, {"occurred_on": TODAY - DAY}, []),
        ({"event_on": TODAY + DAY}, {}, []),
    ],
)
def test_obligation_is_done_on_the_day_of_its_event_or_later(
    facts: dict[str, Any], given: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    pending = replace(owed(("agency",), AGENCY), **facts)
    assert against("fulfil", pending, AGENCY, evidence=(SCAN,), **given) == found


@pytest.mark.parametrize(
    ("provider", "role", "granted"),
    [
        ("agency", COORDINATOR, True), ("agency", ADMIN, True), ("school", COORDINATOR, False), ("school", ADMIN, True),
        ("school", SYSTEM, True), ("rule", COORDINATOR, False),
    ],
)  # fmt: skip
def test_obligation_is_let_go_by_another_than_who_owes_it(provider: str, role: Role, *, granted: bool) -> None:
    found = against("waive", owed((provider,), role), role, reason_code="other")
    assert found == ([] if granted else [("waived_by_another", None)])


# ---- how it comes about
NAMED = {"rule": "report", "pin": "a@1", "event": "started_work", "period": "1"}


def started(**more: Any) -> NewObligation:
    held = Held(rules=(("a@1", row("report", "started_work", Due(1, "years"))),), started={"started_work": TODAY})
    return NewObligation(state=NEW, today=TODAY, held=held, **more)


def test_clock_opens_what_has_opened_and_once() -> None:
    assert against("open", started(), SYSTEM, **NAMED) == []
    for other in ({"rule": "x"}, {"pin": "a@2"}, {"event": "arrived"}, {"period": "2"}):
        assert against("open", started(), SYSTEM, **(NAMED | other)) == [("obligation_opens", None)]
    again = started(standing=frozenset({("report", "a@1", "started_work", "1")}))
    assert against("open", again, SYSTEM, **NAMED) == [("obligation_opens", None)]
    renamed = started(standing=frozenset({("report", "a@0", "started_work", "1")}))
    assert against("open", renamed, SYSTEM, **NAMED) == [("obligation_opens", None)]
    for name in (
        ("y", "a@1", "started_work", "1"),
        ("report", "a@1", "arrived", "1"),
        ("report", "a@1", "started_work", "2"),
    ):
        assert against("open", started(standing=frozenset({name})), SYSTEM, **NAMED) == []


def test_event_that_no_step_tells_of_is_reported_by_a_rule_of_the_subject_once_a_day() -> None:
    known = NewObligation(
        state=NEW, today=TODAY, rows=(("a@1", row("moved", "address_changed")), ("a@1", row("hello", "arrived"))),
    )  # fmt: skip
    said: dict[str, Any] = {"evidence": (SCAN,)}
    assert against("report", known, COORDINATOR, rule="moved", **said) == []
    assert against("report", known, COORDINATOR, rule="hello", **said) == [("obligation_rule_known", "/rule")]
    assert against("report", known, COORDINATOR, rule="x", **said) == [("obligation_rule_known", "/rule")]
    assert against("report", known, COORDINATOR, rule="moved") == [("evidence_required", "/evidence")]
    with pytest.raises(Refused) as no:
        OBLIGATION.decide("report", known, Actor(UUID(int=7), frozenset({COORDINATOR})), {"rule": "hello"} | said)
    assert no.value.reasons == (
        Reason("obligation_rule_known", required=["moved"], actual="hello", pointer="/rule"),
    )  # fmt: skip


def test_event_that_was_reported_for_a_day_is_not_reported_for_it_again() -> None:
    def known(period: str) -> NewObligation:
        changes = (("a@1", row("moved", "acceptance_changed")), ("a@1", row("other", "acceptance_changed")))
        return NewObligation(
            state=NEW, today=TODAY, rows=changes, standing=frozenset({("moved", "a@1", "acceptance_changed", period)})
        )

    said: dict[str, Any] = {"evidence": (SCAN,), "rule": "moved"}
    assert against("report", known(TODAY.isoformat()), COORDINATOR, **said) == [
        ("obligation_not_opened", "/occurred_on")
    ]
    assert against("report", known(TODAY.isoformat()), COORDINATOR, occurred_on=TODAY - DAY, **said) == []
    yesterday = known((TODAY - DAY).isoformat())
    assert against("report", yesterday, COORDINATOR, **said) == []
    assert against("report", yesterday, COORDINATOR, occurred_on=TODAY - DAY, **said) == [
        ("obligation_not_opened", "/occurred_on")
    ]


# ---- what others know of it
def test_clock_opens_only_periods_whose_rule_is_in_force_when_they_are_due() -> None:
    start = date(2026, 1, 1)
    later = row(
        "report", "started_work", Due(1, "years"), effective_from=date(2028, 1, 1), effective_to=date(2029, 1, 1)
    )
    held = Held(
        rules=(("a@1", later), ("a@1", row("once", "started_work", Due(9, "days")))), started={"started_work": start}
    )
    found = [(o.rule, o.period, o.due_on) for o in opened_by_clock(held, NONE, date(2031, 1, 1), {})]
    assert found == [
        ("report", "2", date(2028, 1, 1)), ("report", "3", date(2029, 1, 1)), ("once", "", date(2026, 1, 10)),
    ]  # fmt: skip


def test_check_without_a_time_opens_once() -> None:
    held = Held(started={"arrived": TODAY})
    house = HouseRules(pin="house@1", checks=(row("hello", effective_from=TODAY + DAY),))
    assert [(o.period, o.due_on) for o in opened_by_clock(held, house, TODAY + 99 * DAY, {})] == [("1", None)]


def test_duty_is_named_as_its_opening_and_opened_by_its_event_of_its_day() -> None:
    (opening,) = opened_by_event([("a@1", row())], "arrived", TODAY, {})
    duty = Duty(
        id=UUID(int=1), version=1, state="pending", rule="notice", pin="a@1", event="arrived", period="", event_on=TODAY
    )
    assert duty.name == opening.name == ("notice", "a@1", "arrived", "")
    assert opened(duty, "arrived", TODAY)
    for event, on in (("departed", TODAY), (None, TODAY), ("arrived", TODAY - DAY), ("arrived", None)):
        assert not opened(duty, event, on)
    assert not opened(replace(duty, state="done"), "arrived", TODAY)


def test_rows_of_packs_come_with_their_pins() -> None:
    def pack(key: str, *rows: Obligation) -> Pack:
        return Pack(
            key=key, version=1, title=key, kind="pathway", valid_from=TODAY, valid_to=None, obligations=rows
        )  # fmt: skip

    packs = Packs(pack("a", row("x"), row("y")), (pack("b", row("x")),))
    assert rows_of(packs) == (("a@1", row("x")), ("a@1", row("y")), ("b@1", row("x")))
