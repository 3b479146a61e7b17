"""The plan of a placement for its readers, and the days that its row keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from service.domain.placements import PlacementDossier
from service.domain.planning import Paper, Plan, Step, TestDay, aim_of, horizon, plan
from service.storage.calendars import calendars_between
from service.storage.durations import durations_of, planning_countries


def horizon_of(
    stages: Sequence[str],
    pathway: str,
    state: str,
    since_on: date,
    planned_departure_on: date | None,
    starts_on: date | None,
) -> dict[str, date | None]:
    """The columns that tell from when on a placement is critical, and late."""
    aim_on = planned_departure_on if aim_of(stages) == "departed" else starts_on
    durations = durations_of(pathway)
    first, last = min(since_on, aim_on or since_on), max(since_on, aim_on or since_on)
    calendars = calendars_between(planning_countries(durations), first, last)
    critical_on, late_on = horizon(stages, state, since_on, aim_on, durations, calendars)
    return {"critical_on": critical_on, "late_on": late_on}


def plan_of(p: PlacementDossier, test_days: Sequence[TestDay] = ()) -> Plan | None:
    """The plan of a placement as it stands today."""
    aim_on = p.facts.planned_departure_on or p.facts.starts_on
    if p.packs is None or p.since_on is None or aim_on is None:
        return None
    durations = durations_of(p.pathway)
    days = (p.since_on, p.today, aim_on)
    calendars = calendars_between(planning_countries(durations), min(days), max(days))
    return plan(
        p.packs, p.facts, state=p.state, since_on=p.since_on, today=p.today, durations=durations, calendars=calendars,
        test_days=test_days,
    )  # fmt: skip


def shown(p: PlacementDossier, found: Plan | None, placement: Any, *, papers_of_person: bool = True) -> dict[str, Any]:
    """A plan as a client reads it; without a day to aim at, or behind it, there is none.

    What papers a person has is between them and the institution.
    """
    durations = durations_of(p.pathway)
    said: dict[str, Any] = {
        "id": placement, "person_id": p.person_id, "state": p.state, "pathway": p.pathway,
        "margin_days": durations.margin_days, "source": durations.source, "evidence": durations.evidence,
    }  # fmt: skip
    if found is None:
        nothing = {"aim": None, "aim_on": None, "critical_on": None, "late_on": None, "critical": False, "late": False}
        return said | nothing | {"steps": [], "papers": []}
    papers = [x for x in found.papers if papers_of_person or x.subject != "person"]
    told = {name: getattr(found, name) for name in found.__slots__}
    return said | told | {"steps": [_plain(s) for s in found.steps], "papers": [_paper(x) for x in papers]}


def _paper(paper: Paper) -> dict[str, Any]:
    return _plain(paper) | {"test_days": [_plain(d) for d in paper.test_days]}


def _plain(line: Step | Paper | TestDay) -> dict[str, Any]:
    return {name: getattr(line, name) for name in line.__slots__}
