"""By when what a pack asks for is needed, and from when on what is issued will still be good then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from service.domain.requirements.dates import add_months
from service.domain.requirements.facts import RequirementFacts
from service.domain.requirements.model import LINE, Requirement, Validity

BEFORE_LEAVING = LINE[: LINE.index("departed") + 1]
EARLIER = ("request_approved", "nominated", "selected", "contracting")
"""Gates before the placement's own stages: whatever is needed there is needed before anybody leaves."""


def day_of_stage(stage: str, facts: RequirementFacts) -> date | None:
    """The planned day of a stage, or of the next one that has a plan; None where nothing is planned."""
    if stage in (*EARLIER, *BEFORE_LEAVING, "arrived"):
        return facts.planned_on
    return {"active": facts.starts_on, "extension": facts.ends_on}.get(stage)


def due_on(rows: Iterable[Requirement], facts: RequirementFacts) -> date | None:
    """The first planned day on which one of the rows is judged."""
    days = [d for r in rows if (d := day_of_stage(r.needed_before, facts)) is not None]
    return min(days, default=None)


def good_from(rows: Iterable[Requirement], facts: RequirementFacts) -> date | None:
    """The first day of issue that still serves on every planned day on which a row is judged; None is any day."""
    days = []
    for r in rows:
        on = day_of_stage(r.needed_before, facts)
        days += [d for v in r.validity if on and (d := _earliest(v, on, facts)) is not None]
    return max(days, default=None)


def _earliest(v: Validity, on: date, facts: RequirementFacts) -> date | None:
    judged = facts.day(v.judged_on, on)
    if judged is None or not v.rule.endswith("_from_issue"):
        return None
    if v.rule == "days_from_issue":
        return judged - timedelta(days=v.count)
    day = add_months(judged, -v.count)
    while add_months(day, v.count) < judged:  # 31 May less three months is in a month that has no such day
        day += timedelta(days=1)
    return day
