"""The plan backward from the flight: the latest day of each step, how much room it has, and what must not be too early.

Stages take time, some of it in working days; papers run out. So each step has a latest day (counted back from the
flight), a day on which it can be expected (counted forward from today), and sometimes an earliest one: what is granted
before it would no longer be good on the flight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID

from service.domain.requirements import (
    GATES,
    LINE,
    Packs,
    Requirement,
    RequirementFacts,
    add_months,
    add_working_days,
    checklist,
)
from service.domain.requirements.model import AnyTest, Mark

DAY = timedelta(days=1)
SATURDAY = 5
SETTLED = ("accepted", "waived", "met")
CHOICE = ("identified", "nominated", "selected", "offered")
"""What a candidacy has before it before it becomes a placement."""
WAY = (*CHOICE, *LINE)
STANDS_AT: Mapping[str, str] = {
    "identified": "identified",
    "consent_pending": "identified",
    "nominated": "nominated",
    "shortlisted": "nominated",
    "interviewing": "nominated",
    "waitlisted": "nominated",
    "selected": "selected",
    "offered": "offered",
}
"""How far the states of a candidacy have come; those that are not here have nothing of it left to plan."""
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
"""Days beyond which nothing is planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """How long a stage takes until the next one is reached: at least, and as a rule."""

    stage: str
    minimum: int
    usual: int
    unit: Literal["days", "working_days"] = "days"
    calendar: str | None = None
    source: str | None = None
    evidence: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """The durations of a pathway by stage, and where they come from; with less room than the margin it is critical.

    `results_days` is how long a test's result is waited for, `results_of` the same for the tests of which more is known.
    """

    by_stage: Mapping[str, Duration]
    margin_days: int
    source: str
    evidence: Mark
    results_days: int = 0
    results_of: Mapping[str, int] = field(default_factory=dict, hash=False)

    def result_by(self, day: TestDay) -> date:
        """The day by which the result of a sitting is there."""
        return day.held_on + timedelta(days=self.results_of.get(day.test, self.results_days))


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDay:
    """A day on which a test can be sat, and until when people register; no level means that it gives several."""

    __test__ = False  # its name is the field's; pytest is not to collect it

    id: UUID
    test: str
    level: str | None
    held_on: date
    register_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stage that is still to be reached."""

    stage: str
    action: str
    earliest_on: date | None
    expected_on: date
    latest_on: date
    slack_days: int
    critical: bool
    source: str | None = None
    evidence: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Something that is still to be handed in, or that runs out before it is needed for the last time.

    `test_days` are the days, the last first, on which a test can still be sat so that its result comes in time.
    """

    key: str
    title: str
    subject: str
    state: str
    owed_by: tuple[str, ...]
    needed_before: str
    earliest_on: date | None
    latest_on: date
    valid_until: date | None
    runs_out: bool
    test_days: tuple[TestDay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A placement's way to the day that it aims at; `critical_on` and `late_on` are the first days that are so."""

    aim: str
    aim_on: date
    steps: tuple[Step, ...]
    papers: tuple[Paper, ...]
    critical_on: date | None
    late_on: date | None
    critical: bool
    late: bool


Calendars = Mapping[str, Any]
"""By country: `holidays` and `working_weekends`, as sets of days."""


def _works(day: date, calendar: Any) -> bool:
    return day in calendar.working_weekends or (day.weekday() < SATURDAY and day not in calendar.holidays)


def after(start: date, days: int, d: Duration, calendars: Calendars) -> date:
    """The day so many days after another, by the duration's unit."""
    if d.unit == "days":
        return start + timedelta(days=days)
    calendar = calendars[d.calendar or ""]
    return add_working_days(start, days, calendar.holidays, calendar.working_weekends)


def before(end: date, days: int, d: Duration, calendars: Calendars) -> date:
    """The latest day from which so many days end by another: the reverse of `after`."""
    if d.unit == "days":
        return end - timedelta(days=days)
    day, calendar = end, calendars[d.calendar or ""]
    while days:
        days -= _works(day, calendar)
        day -= DAY
    return day


def aim_of(stages: Sequence[str]) -> str:
    """What the plan aims at: the departure, or the first day of work where nobody departs."""
    return "departed" if "departed" in stages else "active"


def still_to_reach(stages: Sequence[str], state: str) -> tuple[str, ...]:
    """The stages after the present one, up to the aim; none where it is behind them, or where nothing is left to plan."""
    if state not in WAY:
        return ()
    aim = WAY.index(aim_of(stages))
    return tuple(s for s in stages if WAY.index(state) < WAY.index(s) <= aim)


def action_of(stage: str) -> str:
    """The action that leads to a stage; an offer is gated by nothing."""
    return GATES[stage].action if stage in GATES else "offer"


def latest_days(
    stages: Sequence[str], state: str, aim_on: date, durations: Durations, calendars: Calendars, *, usual: bool = True
) -> dict[str, date]:
    """The latest day on which each stage can be reached for the aim to hold, counted back from it."""
    found: dict[str, date] = {}
    on = aim_on
    for stage in reversed(still_to_reach(stages, state)):
        if found:
            d = durations.by_stage[stage]
            on = before(on, d.usual if usual else d.minimum, d, calendars)
        found[stage] = on
    return found


def horizon(
    stages: Sequence[str], state: str, since_on: date, aim_on: date | None, durations: Durations, calendars: Calendars
) -> tuple[date | None, date | None]:
    """The first days on which the next step is critical, and on which the aim can no longer hold.

    Critical: the next stage cannot be expected with more room than the margin, from the start or once waiting has used
    it up. Late: even at the least durations the aim is missed.
    """
    ahead = still_to_reach(stages, state)
    if not ahead or aim_on is None or not FIRST_DAY <= aim_on <= LAST_DAY:
        return None, None
    d, following = durations.by_stage[state], ahead[0]
    latest = latest_days(stages, state, aim_on, durations, calendars)[following]
    last = latest_days(stages, state, aim_on, durations, calendars, usual=False)[following]
    with_room = latest - timedelta(days=durations.margin_days)
    critical_on = since_on if after(since_on, d.usual, d, calendars) > with_room else with_room + DAY
    late_on = since_on if after(since_on, d.minimum, d, calendars) > last else last + DAY
    return critical_on, late_on


def issued_from(needed_on: date, r: Requirement) -> date | None:
    """The earliest issue of what is still good on a day, by a row that counts from the issue; None where none does."""
    found: list[date] = []
    for v in r.validity:
        if v.rule == "days_from_issue":
            found.append(needed_on - timedelta(days=v.count))
        elif v.rule == "months_from_issue":
            day = add_months(needed_on, -v.count)
            while add_months(day, v.count) < needed_on:  # a month's last day may be good for less than it seems
                day += DAY
            found.append(day)
    return max(found, default=None)


def in_time(
    rows: Iterable[Requirement], needed_on: date, today: date, durations: Durations, test_days: Iterable[TestDay]
) -> tuple[TestDay, ...]:
    """The days on which any test that serves can be sat: registration is open, and the result comes by the day."""
    serving = [a for r in rows if isinstance(r.asks, AnyTest) for a in r.asks.alternatives]
    found = [
        d
        for d in test_days
        if d.register_until >= today
        and durations.result_by(d) <= needed_on
        and any(a.test == d.test and (d.level is None or not a.levels or d.level in a.levels) for a in serving)
    ]
    return tuple(sorted(found, key=lambda d: (d.held_on, d.id), reverse=True))


def _papers(
    packs: Packs,
    facts: RequirementFacts,
    latest: Mapping[str, date],
    today: date,
    durations: Durations,
    test_days: Iterable[TestDay],
) -> list[Paper]:
    """Each paper once, though several gates look at it: by the first of them, and for as long as the last asks."""
    found: dict[frozenset[str], Paper] = {}
    for row in checklist(packs.requirements, facts):
        items = frozenset(r.item for r in packs.requirements if r.key == row.key)
        asking = [r for r in packs.requirements if r.item in items and r.needed_before in latest]
        if not asking or items in found:
            continue
        days = sorted((latest[r.needed_before], r.needed_before) for r in asking)
        (first_on, first), (last_on, _) = days[0], days[-1]
        runs_out = row.state in ("accepted", "supplied") and row.valid_until is not None and row.valid_until < last_on
        if row.state in SETTLED and not runs_out:
            continue
        earliest = [issued_from(latest[r.needed_before], r) for r in asking]
        found[items] = Paper(
            key=row.key,
            title=row.title,
            subject=row.subject,
            state=row.state,
            owed_by=row.providers,
            needed_before=first,
            earliest_on=max((d for d in earliest if d is not None), default=None),
            latest_on=first_on,
            valid_until=row.valid_until,
            runs_out=runs_out,
            test_days=in_time(asking, first_on, today, durations, test_days),
        )
    return sorted(found.values(), key=lambda p: (p.latest_on, p.key))


def _granted(packs: Packs, stage: str, latest: Mapping[str, date]) -> date | None:
    """The earliest day of a step: what the placement is granted for it must still be good at the later gates."""
    items = {r.item for r in packs.requirements if r.needed_before == stage and r.subject == "placement"}
    later = [
        issued_from(latest[r.needed_before], r)
        for r in packs.requirements
        if r.item in items and r.needed_before != stage and r.needed_before in latest
    ]
    return max((d for d in later if d is not None), default=None)


def plan(
    packs: Packs,
    facts: RequirementFacts,
    *,
    state: str,
    since_on: date,
    today: date,
    durations: Durations,
    calendars: Calendars,
    test_days: Sequence[TestDay] = (),
    before_it: Sequence[str] = (),
) -> Plan | None:
    """The plan of a placement; None where it has no day to aim at, or nothing is left before it.

    `before_it` is what comes before the placement begins, where somebody is a candidate yet.
    """
    stages, aim = (*before_it, *packs.stages), aim_of(packs.stages)
    aim_on = facts.planned_departure_on if aim == "departed" else facts.starts_on
    ahead = still_to_reach(stages, state)
    if aim_on is None or not ahead or not FIRST_DAY <= aim_on <= LAST_DAY:
        return None
    latest = latest_days(stages, state, aim_on, durations, calendars)
    here, on, steps = state, since_on, []
    for stage in ahead:
        d = durations.by_stage[here]
        on = after(on, d.usual, d, calendars)
        earliest = _granted(packs, stage, latest)
        on = max(on, today, earliest or today)
        slack = (latest[stage] - on).days
        steps.append(
            Step(
                stage=stage, action=action_of(stage), earliest_on=earliest, expected_on=on, latest_on=latest[stage],
                slack_days=slack, critical=slack < durations.margin_days, source=d.source, evidence=d.evidence,
            )
        )  # fmt: skip
        here = stage
    critical_on, late_on = horizon(stages, state, since_on, aim_on, durations, calendars)
    return Plan(
        aim=aim,
        aim_on=aim_on,
        steps=tuple(steps),
        papers=tuple(_papers(packs, facts, latest, today, durations, test_days)),
        critical_on=critical_on,
        late_on=late_on,
        critical=critical_on is not None and critical_on <= today,
        late=late_on is not None and late_on <= today,
    )
