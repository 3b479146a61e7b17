"""The plan of a placement or a candidacy for its readers, and the days that its row keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from service.domain.candidacies import CandidacyDossier, Eligible
from service.domain.placements import PlacementDossier
from service.domain.planning import (
    CHOICE,
    STANDS_AT,
    Durations,
    Paper,
    Plan,
    Step,
    TestDay,
    aim_of,
    horizon,
    plan,
)
from service.domain.requirements import Packs
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


CandidacyOrNew = CandidacyDossier | Eligible


def _chosen(c: CandidacyOrNew) -> Packs | None:
    """The packs of a candidacy: pinned, or as they would be today."""
    packs = getattr(c, "pinned", None) or (c.chosen() if c.request else None)
    return packs if isinstance(packs, Packs) else None


def horizon_of_candidacy(c: CandidacyOrNew, state: str, since_on: date) -> dict[str, date | None]:
    """The columns that tell from when on a candidacy is critical, and late; a transfer aims at no flight."""
    packs, stands_at = _chosen(c), STANDS_AT.get(state)
    if packs is None or c.request is None or stands_at is None or c.transfer_of is not None:
        return {"critical_on": None, "late_on": None}
    job = c.request.job
    stages = (*CHOICE, *packs.stages)
    return horizon_of(stages, job.pathway, stands_at, since_on, job.planned_departure_on, job.starts_on)


def plan_of_candidacy(c: CandidacyDossier, test_days: Sequence[TestDay] = ()) -> Plan | None:
    """The plan of a candidacy as it stands today, by the days of its request."""
    packs, stands_at = _chosen(c), STANDS_AT.get(c.state)
    if packs is None or c.request is None or stands_at is None or c.transfer_of is not None or c.since_on is None:
        return None
    facts, durations = c.facts(c.terms), durations_of(c.request.job.pathway)
    days = [d for d in (c.since_on, c.today, facts.planned_departure_on, facts.starts_on) if d]
    return plan(
        packs, facts, state=stands_at, since_on=c.since_on, today=c.today, durations=durations, test_days=test_days,
        calendars=calendars_between(planning_countries(durations), min(days), max(days)), before_it=CHOICE,
    )  # fmt: skip


def shown(
    found: Plan | None, of: UUID, person: UUID | None, state: str, pathway: str, *, papers_of_person: bool = True
) -> dict[str, Any]:
    """A plan as a client reads it; without a day to aim at, or behind it, there is none.

    What papers a person has is between them and the institution.
    """
    durations = durations_of(pathway)
    said: dict[str, Any] = {
        "id": of, "person_id": person, "state": state, "pathway": pathway,
        "margin_days": durations.margin_days, "source": durations.source, "evidence": durations.evidence,
    }  # fmt: skip
    if found is None:
        nothing = {"aim": None, "aim_on": None, "critical_on": None, "late_on": None, "critical": False, "late": False}
        return said | nothing | {"steps": [], "papers": []}
    papers = [x for x in found.papers if papers_of_person or x.subject != "person"]
    told = {name: getattr(found, name) for name in found.__slots__}
    return said | told | {"steps": [_plain(s) for s in found.steps], "papers": [_paper(x, durations) for x in papers]}


def _paper(paper: Paper, durations: Durations) -> dict[str, Any]:
    days = [_plain(d) | {"result_by": durations.result_by(d)} for d in paper.test_days]
    return _plain(paper) | {"test_days": days}


def _plain(line: Step | Paper | TestDay) -> dict[str, Any]:
    return {name: getattr(line, name) for name in line.__slots__}
