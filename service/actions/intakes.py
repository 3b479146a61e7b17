"""What the moves of an intake leave behind: its plan, its dates, and what ends when it does."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from service.actions.places import free
from service.actions.timers import Timer
from service.actions.work import Item, Subject, Work
from service.domain.intakes import INTAKE, IntakeDossier, NewIntake, kind_of
from service.domain.levels import Days, held_back, named, proven
from service.domain.lifecycle import NEW, Given, Step
from service.storage import intakes as stored
from service.storage.applications import read_held
from service.storage.language_tests import language_tests
from service.storage.programmes import proofs
from service.storage.tables import applications, enrolments
from service.storage.tables import intakes as tables

DATES = ("opens_on", "closes_on", "starts_on")
WANTED = ("level_least", "age_least", "age_most")
APPROVAL = ("plan_authority", "plan_number", "plan_version")


def _planned(given: Given) -> dict[str, Any]:
    columns = {name: given[name] for name in ("code", *DATES, *WANTED) if name in given}
    if "nationalities" in given:
        columns["nationalities"] = list(given["nationalities"])
    if "languages" in given:
        columns["languages"] = [dataclasses.asdict(proof) for proof in given["languages"]]
    if "documents" in given:
        columns["documents"] = list(dict.fromkeys(given["documents"]))
    return columns


def draft(work: Work, item: Item[NewIntake], step: Step, given: Given) -> dict[str, Any]:
    """The intake of a programme, with as much of its plan as is known."""
    _set_quotas(work, item, step, given)
    asked_for_nothing: dict[str, Any] = {"nationalities": [], "languages": [], "documents": []}
    event = {"programme_id": item.id} | {name: given[name] for name in ("code", *DATES)}
    return {"programme_id": item.id} | asked_for_nothing | _planned(given) | {"event_data": event}


def edit(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """New values, before it is published."""
    changed = _planned(given)
    return changed | {"event_data": {"fields": sorted(changed)}}


def _set_quotas(work: Work, item: Item[Any], step: Step, given: Given) -> dict[str, int]:
    known = {} if step.from_state == NEW else item.dossier.quotas
    for quota in given.get("quotas") or ():
        if quota.source in known:
            more = quota.places - known[quota.source].places
            key = {"intake_id": item.stream, "source": quota.source}
            work.writes.count(tables.intake_quotas, item.stream, key, places=more)
        else:
            work.writes.row(
                tables.intake_quotas,
                item.stream,
                intake_id=item.stream,
                source=quota.source,
                kind=kind_of(quota, known),
                places=quota.places,
                taken=0,
            )
    return {quota.source: quota.places for quota in given.get("quotas") or ()}


def set_quotas(work: Work, item: Item[IntakeDossier], step: Step, given: Given) -> dict[str, Any]:
    """Places for the sources that are named, others stay as they are; with the approval, where the plan has one."""
    approval = {} if step.from_state == "draft" else _approval(given)
    return approval | {"event_data": {"places": _set_quotas(work, item, step, given)} | approval}


def _approval(given: Given) -> dict[str, Any]:
    return {name: given[name] for name in APPROVAL}


def publish(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The approval of the plan."""
    return _approval(given) | {"event_data": _approval(given)}


def move_places(work: Work, item: Item[IntakeDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Free places of one source are another's; the plan's total stays."""
    for source, places in ((given["from_source"], -given["places"]), (given["to_source"], given["places"])):
        key = {"intake_id": item.id, "source": source}
        work.writes.count(tables.intake_quotas, item.id, key, places=places)
    return {"event_data": {name: given[name] for name in ("from_source", "to_source", "places")}}


def rerank(work: Work, item: Item[IntakeDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Those who are named share out the ranks that they have in their new order; the ranks of others stay."""
    waiting = {w.id: w for w in item.dossier.named}
    ranks = sorted(w.rank for w in waiting.values() if w.rank is not None)
    moved = [(waiting[a], rank) for a, rank in zip(given["applications"], ranks, strict=True)]
    for w, rank in moved:
        if w.rank != rank:
            work.writes.change(applications.applications, w.person_id, id=w.id, rank=rank)
            work.record(
                w.person_id,
                None,
                type_="application.reranked",
                subject="application",
                subject_id=w.id,
                data={"rank": rank, "intake_id": item.id},
                main=False,
            )
    return {"event_data": {"source": moved[0][0].source, "applications": [w.id for w, _ in moved]}}


def reschedule(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Other dates."""
    dates = {name: given[name] for name in ("closes_on", "starts_on") if name in given}
    return dates | {"event_data": dates}


def open_(work: Work, item: Item[IntakeDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """Open from the day on which it happened, where that is before the planned one."""
    planned = item.dossier.opens_on or work.occurred_on
    return {"opens_on": min(planned, work.occurred_on)}


def close(work: Work, item: Item[IntakeDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """Closed after the day on which it happened, where that is before the planned one."""
    planned, opened = item.dossier.closes_on or work.occurred_on, item.dossier.opens_on or work.occurred_on
    return {"closes_on": max(opened, min(planned, work.occurred_on))}


def _close_out(work: Work, item: Item[IntakeDossier], code: str) -> int:
    for left in item.dossier.live_applications:
        work.follow(
            applications.applications,
            "close_out",
            left.id,
            left.person_id,
            left.state,
            left.version,
            reason_code=code,
            data={"reason_code": code, "intake_id": item.id},
        )
    return len(item.dossier.live_applications)


def complete(work: Work, item: Item[IntakeDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """Whoever still waits, or never submitted, is not selected."""
    return {"event_data": {"closed_out": _close_out(work, item, "intake_closed")}}


def cancel(work: Work, item: Item[IntakeDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """Every live application is not selected, every pending enrolment is cancelled and gives its place back."""
    code = "intake_cancelled"
    for pending in item.dossier.pending_enrolments:
        work.follow(
            enrolments.enrolments,
            "cancel",
            pending.id,
            pending.person_id,
            pending.state,
            pending.version,
            holds_place=False,
            reason_code=code,
            data={"reason_code": code, "intake_id": item.id},
        )
        free(work, item.id, pending.source or "", pending.id)
    return {
        "event_data": {
            "closed_out": _close_out(work, item, code),
            "enrolments_cancelled": len(item.dossier.pending_enrolments),
        }
    }


SUBJECT: Subject[Any] = Subject(
    "intakes",
    INTAKE,
    tables.intakes,
    stored.FACTS,
    births={"draft": stored.NEW_FACTS, "rerank": stored.RANK_FACTS},
    effects={
        "draft": draft,
        "edit": edit,
        "set_quotas": set_quotas,
        "publish": publish,
        "move_places": move_places,
        "rerank": rerank,
        "reschedule": reschedule,
        "open": open_,
        "close": close,
        "complete": complete,
        "cancel": cancel,
    },
    kind="intake",
)
TIMERS: list[Timer] = [
    Timer("intakes_open", SUBJECT, "open", stored.TO_OPEN),
    Timer("intakes_close", SUBJECT, "close", stored.TO_CLOSE),
]


def lacking(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Whoever lacks something, of those who may: papers, or a test of language that is good for its purpose today."""
    found = []
    for row in rows:
        held, wanted = read_held(row["held"]), proofs(row["languages"])
        days = Days(row["starts_on"], row["today"], language_tests())
        # Whoever is selected was good for it on the day of the decision.
        asked = wanted if row["state"] != "selected" and not proven(held, wanted, days) else ()
        if row["missing"] or asked:
            names = ("id", "version", "state", "person_id", "source", "missing", "rejected")
            found.append(
                {name: row[name] for name in names}
                | {"language": named(asked), "held_back": held_back(held, asked, days) if asked else []}
            )
    return found
