# ruff: noqa: E501 - tables are read across
"""The year that the sample world has lived: its cohorts and waves, and how far each of its trainees has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from service.domain.journey import STAGES

LAST: Final = date(2026, 11, 20)
"""The last day of the story."""


@dataclass(frozen=True, slots=True)
class Year:
    """The story's calendar, moved back as a whole where the real day is earlier: nothing happens in the future."""

    back: timedelta = timedelta()

    @classmethod
    def until(cls, today: date) -> Year:
        """The calendar whose last day is not after today."""
        return cls(max(LAST - today, timedelta()))

    @property
    def last(self) -> date:
        """The last day of the story."""
        return LAST - self.back

    def day(self, written: str) -> date:
        """A day of the story."""
        return date.fromisoformat(written) - self.back


@dataclass(frozen=True, slots=True)
class Path:
    """How far somebody comes: the stage at the end, what happened last there, how many of 3,000 do.

    `way` is the pathway abroad or at home (jp, de, home) of whoever looks for work; `cohort` the intake, `wave` the
    round of requests.
    """

    stage: str
    how: str
    weight: int
    cohort: str = ""
    way: str = ""
    wave: str = ""


def _paths(stage: str, cohort: str, ways: str, wave: str, how: str) -> Iterable[Path]:
    """One path for each outcome and way; `how` is written as `outcome:weight` and ways as `jp de`."""
    for outcome in how.split():
        name, *weights = outcome.split(":")
        for way, weight in zip(ways.split() or [""], weights, strict=True):
            if int(weight):
                yield Path(stage, name, int(weight), cohort, way, wave)


# fmt: off
PATHS: Final[Sequence[Path]] = tuple(p for group in (
    #      stage                  cohort           ways          wave      outcome:weight for each way
    _paths("prospect",            "spring-2027",   "",           "",       "registered:150"),
    _paths("applicant",           "spring-2027",   "",           "",       "draft:40 submitted:90 under_review:45 documents_required:25 eligible:22 waitlisted:18"),
    _paths("inactive",            "autumn-2026",   "",           "",       "withdrawn:40 ineligible:25 declined:45 never_came:10"),
    _paths("inactive",            "autumn-2025",   "",           "",       "left:22 dismissed:8"),
    _paths("enrolled",            "spring-2027",   "",           "",       "pending:25"),
    _paths("enrolled",            "autumn-2026",   "",           "",       "studying:175"),
    _paths("enrolled",            "autumn-2025",   "",           "",       "on_leave:12 passed:115 failed:18 recognised:75"),
    _paths("in_training",         "autumn-2026",   "",           "",       "language:265 skills:220 dual:50 registered:30"),
    _paths("credit_recognition",  "autumn-2026",   "",           "",       "opened:25 assessing:40 evidence_requested:15 decided:15 notified:20 appealed:15"),
    _paths("pool",                "order-spring",  "jp de home", "",       "available:75:50:75"),
    _paths("pool",                "order-spring",  "jp de home", "second", "turned_down:10:5:0 offer_declined:6:4:5 consent_refused:3:2:5"),
    _paths("pool",                "order-spring",  "jp de home", "third",  "identified:3:2:0 consent_pending:2:1:2"),
    _paths("candidate",           "order-spring",  "jp de home", "third",  "nominated:25:15:20 shortlisted:20:15:15 interviewing:20:15:15 selected:12:8:10 offered:15:10:10 waitlisted:7:4:4"),
    _paths("contracted",          "order-spring",  "jp de home", "third",  "contracting:30:20:30"),
    _paths("preparing_departure", "order-spring",  "jp de home", "second", "documents:15:10:40 authorisation:20:15:0 visa:15:10:0 pre_departure:12:6:0 ready:12:5:0"),
    _paths("abroad",              "order-autumn",  "jp de",      "first",  "active:85:60 extension_pending:5:3 transfer_pending:2:2 absconded:2:0 terminated_abroad:2:1 early_return:3:4"),
    _paths("abroad",              "order-autumn",  "jp de",      "summer", "active:30:25 arrived:8:5 departed:8:5"),
    _paths("abroad",              "order-autumn",  "jp",         "season", "completed:6 returning:4"),
    _paths("employed",            "order-autumn",  "home",       "first",  "active:134 extension_pending:6"),
    _paths("returned",            "order-autumn",  "jp",         "season", "returned:26 reintegrating:22"),
    _paths("returned",            "order-autumn",  "de",         "first",  "returned:12"),
    _paths("alumni",              "order-autumn",  "",           "",       "graduated:95"),
    _paths("alumni",              "order-autumn",  "jp",         "season", "closed:15"),
    _paths("alumni",              "order-autumn",  "home",       "first",  "closed:30"),
    _paths("alumni",              "order-autumn",  "jp de",      "first",  "visa_refused:6:4"),
    _paths("deceased",            "order-autumn",  "jp de home", "first",  "deceased:3:1:1"),
) for p in group)
# fmt: on
WHOLE: Final = sum(p.weight for p in PATHS)


def shares(count: int) -> list[Path]:
    """So many paths in the shares of the year, those of one path together; every stage is there.

    Raises:
        ValueError: there are fewer people than stages.
    """
    if count < len(STAGES):
        msg = f"a year has at least {len(STAGES)} trainees, one in every stage"
        raise ValueError(msg)
    amounts = [count * p.weight // WHOLE for p in PATHS]
    by_remainder = sorted(range(len(PATHS)), key=lambda n: -(count * PATHS[n].weight % WHOLE))
    for n in by_remainder[: count - sum(amounts)]:
        amounts[n] += 1
    for stage in STAGES:
        of_stage = [n for n, p in enumerate(PATHS) if p.stage == stage]
        if not any(amounts[n] for n in of_stage):
            in_stage = Counter({p.stage: 0 for p in PATHS})
            for p, amount in zip(PATHS, amounts, strict=True):
                in_stage[p.stage] += amount
            amounts[max((n for n, p in enumerate(PATHS) if amounts[n]), key=lambda n: in_stage[PATHS[n].stage])] -= 1
            amounts[max(of_stage, key=lambda n: PATHS[n].weight)] += 1
    return [p for p, amount in zip(PATHS, amounts, strict=True) for _ in range(amount)]


@dataclass(frozen=True, slots=True)
class Cohort:
    """An intake of the year: when one can apply, when study begins, and when its class is held."""

    name: str
    registered_on: date
    opens_on: date
    closes_on: date
    decided_on: date
    starts_on: date
    class_from: date
    class_until: date


def cohorts(year: Year) -> dict[str, Cohort]:
    """Every intake of the year, by name."""
    d = year.day
    # fmt: off
    rows = (
        #       name            registered    opens         closes        decided       starts        class from    class until
        ("autumn-2025",  "2025-08-28", "2025-09-01", "2025-09-19", "2025-09-24", "2025-10-09", "2025-10-20", "2026-01-16"),
        ("order-autumn", "2025-08-28", "2025-09-01", "2025-09-19", "2025-09-24", "2025-10-09", "2025-10-13", "2025-12-22"),
        ("order-spring", "2026-01-12", "2026-01-15", "2026-02-06", "2026-02-25", "2026-03-09", "2026-03-16", "2026-07-10"),
        ("autumn-2026",  "2026-05-25", "2026-06-01", "2026-08-14", "2026-08-20", "2026-09-07", "2026-09-14", "2027-01-22"),
        ("spring-2027",  "2026-09-28", "2026-10-08", "2027-01-15", "2026-11-13", "2027-03-01", "2027-03-08", "2027-07-09"),
    )
    # fmt: on
    return {name: Cohort(name, *map(d, days)) for name, *days in rows}


@dataclass(frozen=True, slots=True)
class Wave:
    """A round of placement requests, from the first draft to the end of the contracts."""

    name: str
    drafted_on: date
    approved_on: date
    opens_on: date
    closes_on: date
    identified_on: date
    nominated_on: date
    shortlisted_on: date
    invited_on: date
    chosen_on: date
    offered_on: date
    accepted_on: date
    documents_on: date
    authorisation_on: date
    authorised_on: date
    visa_on: date
    cleared_on: date
    departs_on: date
    arrives_on: date
    starts_on: date
    ends_on: date

    def begins_on(self, way: str) -> date:
        """The first day of work: for whoever is hired at home not long after the papers."""
        return self.documents_on + timedelta(days=20) if way == "home" else self.starts_on


def waves(year: Year) -> dict[str, Wave]:
    """Every round of requests, by name."""
    d = year.day
    first = (
        "2026-01-05", "2026-01-16", "2026-01-19", "2026-12-31", "2026-02-02", "2026-02-05", "2026-02-09", "2026-02-10",
        "2026-02-20", "2026-02-24", "2026-02-27", "2026-03-12", "2026-03-27", "2026-05-06", "2026-05-26", "2026-06-10",
        "2026-06-22", "2026-06-23", "2026-06-29",
    )  # fmt: skip
    rows = {
        "first": (*first, "2029-06-28"),
        "season": (*first, "2026-10-28"),
        "summer": (
            "2026-04-06", "2026-04-17", "2026-04-20", "2026-12-31", "2026-05-06", "2026-05-08", "2026-05-12",
            "2026-05-13", "2026-05-22", "2026-05-26", "2026-05-29", "2026-06-12", "2026-06-30", "2026-08-27",
            "2026-10-05", "2026-10-20", "2026-11-09", "2026-11-10", "2026-11-16", "2029-11-15",
        ),
        "second": (
            "2026-07-27", "2026-08-07", "2026-08-10", "2026-12-31", "2026-08-26", "2026-08-28", "2026-09-01",
            "2026-09-02", "2026-09-09", "2026-09-11", "2026-09-15", "2026-09-29", "2026-10-13", "2026-11-03",
            "2026-11-12", "2026-11-18", "2026-12-07", "2026-12-08", "2026-12-14", "2029-12-13",
        ),
        "third": (
            "2026-09-21", "2026-10-02", "2026-10-05", "2026-12-31", "2026-10-12", "2026-10-16", "2026-10-23",
            "2026-10-26", "2026-11-06", "2026-11-10", "2026-11-16", "2026-12-01", "2026-12-15", "2027-01-19",
            "2027-02-09", "2027-02-23", "2027-03-15", "2027-03-16", "2027-03-22", "2030-03-21",
        ),
    }  # fmt: skip
    return {name: Wave(name, *map(d, days)) for name, days in rows.items()}
