"""What is next for a person: the running parts of their journey, weighed by the rules that open and close actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from service.actions import (
    applications,
    candidacies,
    certificates,
    consents,
    correction_requests,
    enrolments,
    obligations,
    placements,
    recognition,
    requirement_items,
    sittings,
    training,
)
from service.actions.checklists import shown as as_line
from service.actions.planning import plan_of
from service.actions.reading import records
from service.actions.work import Call, Item, Missing, Services, Subject, read_facts
from service.domain.actors import Actor, Role
from service.domain.lifecycle import Offer
from service.domain.next_steps import Need, NextStep, next_step, renewal
from service.domain.permissions import may
from service.domain.placements import PlacementDossier
from service.domain.requirements import checklist
from service.storage.next_steps import parts_of
from service.storage.views import facts_of_row

SUBJECTS: dict[str, Subject[Any]] = {
    s.lifecycle.name: s
    for s in (
        applications.SUBJECT,
        enrolments.SUBJECT,
        training.MEMBERSHIPS,
        certificates.SUBJECT,
        sittings.REGISTRATIONS,
        consents.SUBJECT,
        recognition.SUBJECT,
        candidacies.SUBJECT,
        placements.SUBJECT,
        requirement_items.SUBJECT,
        obligations.SUBJECT,
        correction_requests.SUBJECT,
    )
}


@dataclass(frozen=True, slots=True)
class Lacking:
    """What stands against a step: whose it is, by which day, and the line of the checklist that asks for it."""

    need: Need
    yours: bool
    due_on: date | None = None
    line: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A running part of a journey: where it stands, what leads on by when, what is lacking, what its reader can do."""

    subject: str
    plural: str
    id: UUID
    state: str
    version: int
    since_on: date
    title_native: str | None
    title_latin: str | None
    step: NextStep
    yours: bool
    due_on: date | None
    overdue: bool
    lacking: tuple[Lacking, ...]
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Journey:
    """A person, the stage of their journey, and its running parts: their own to do first, by day."""

    person_id: UUID
    stage: str
    parts: tuple[Part, ...]


async def next_steps(services: Services, call: Call, people: Sequence[UUID] | None = None) -> list[Journey]:
    """What is next for the people who are named, or for the person who asks; one statement and one for each kind there.

    Raises:
        Missing: somebody who is named is not there, or not seen.
    """
    known = list(people) if people is not None else None
    actor, found = await records(services, call, parts_of(call.eyes), "next_steps.read", people=known)
    rows = [facts_of_row(r) for r in found if r["person_id"] is not None]
    persons = dict.fromkeys((r["person_id"], r["stage"]) for r in rows)
    if people is not None and len(persons) < len(set(people)):
        raise Missing
    parts: dict[UUID, list[Part]] = {person: [] for person, _ in persons}
    for subject, weighed in SUBJECTS.items():
        theirs = [r for r in rows if r["subject"] == subject]
        if not theirs or not may(actor, f"{weighed.plural}.read"):
            continue
        _, items = await read_facts(services, call, weighed, [r["part_id"] for r in theirs], with_last=True)
        for row in theirs:
            item = items.get(row["part_id"])  # None where it went out of sight between the two statements
            if item is not None and (part := _part(weighed, item, row, actor)) is not None:
                parts[row["person_id"]].append(part)
    return [Journey(person, stage, tuple(sorted(parts[person], key=_order))) for person, stage in persons]


def _order(part: Part) -> tuple[Any, ...]:
    mine = part.yours or any(x.yours for x in part.lacking)
    return not mine, part.due_on is None, part.due_on or date.max


def _part(subject: Subject[Any], item: Item[Any], row: dict[str, Any], actor: Actor) -> Part | None:
    lifecycle, facts = subject.lifecycle, item.dossier
    step = next_step(lifecycle, facts)
    if step is None and lifecycle.name == "certificate" and row["due_on"] is not None:
        step = renewal(row["due_on"])
    if step is None:
        return None
    due_on, lacking = row["due_on"], tuple(Lacking(n, _mine(actor, n.who)) for n in step.needs)
    if isinstance(facts, PlacementDossier):
        planned, lacking = _planned(item.id, facts, step, lacking)
        due_on = planned or due_on
    return Part(
        subject=lifecycle.name,
        plural=subject.plural,
        id=item.id,
        state=facts.state,
        version=item.version,
        since_on=row["since_on"],
        title_native=row["title_native"],
        title_latin=row["title_latin"],
        step=step,
        yours=_mine(actor, step.who),
        due_on=due_on,
        overdue=due_on is not None and due_on < facts.today,
        lacking=tuple(_told(x, actor) for x in lacking),
        offers=tuple(o for o in lifecycle.offers(facts, actor) if o.open),
    )


def _mine(actor: Actor, who: Sequence[Role]) -> bool:
    return not actor.roles.isdisjoint(who)


def _told(lacking: Lacking, actor: Actor) -> Lacking:
    """What another party's papers say is between that party and the institution."""
    if lacking.yours or lacking.need.requirement is None or not actor.person_ids:
        return lacking
    return replace(lacking, need=replace(lacking.need, reason=replace(lacking.need.reason, actual=None)))


def _planned(
    placement: UUID, p: PlacementDossier, step: NextStep, lacking: tuple[Lacking, ...]
) -> tuple[date | None, tuple[Lacking, ...]]:
    """The last day of the step by the plan backward from the flight, and the lines of the checklist it waits for."""
    plan = plan_of(p)
    latest = next((s.latest_on for s in plan.steps if s.action == step.action), None) if plan else None
    papers = {x.key: x.latest_on for x in plan.papers} if plan else {}
    where = {"person": p.person_id, "placement": placement, "candidacy": p.candidacy_id, "request": p.request_id}
    lines = {
        row.key: as_line(row, p) | {"subject_id": where[row.subject]}
        for row in (checklist(p.packs.requirements, p.facts) if p.packs else ())
    }

    def told(x: Lacking) -> Lacking:
        line = lines.get(x.need.requirement or "")
        return x if line is None else replace(x, line=line, due_on=papers.get(line["key"]) or line["due_on"] or latest)

    return latest, tuple(told(x) for x in lacking)
