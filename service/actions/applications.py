"""What the moves of an application leave behind: a place and an enrolment, a rank, a reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any
from uuid import UUID

from service.actions.places import free, take, taken_here
from service.actions.timers import Timer
from service.actions.work import Item, Subject, Work
from service.domain.applications import APPLICATION, AdoptedApplication, ApplicationDossier, NewApplication
from service.domain.enrolments import ENROLMENT
from service.domain.intakes import ANY_SOURCE
from service.domain.lifecycle import Given, Step
from service.storage import applications as stored
from service.storage.ids import uuid7
from service.storage.tables import applications as tables
from service.storage.tables import enrolments


def draft(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The application, with what it says."""
    return {
        "intake_id": given["intake_id"],
        "education_level": given.get("education_level"),
        "documents_asked": [],
        "event_data": {"intake_id": given["intake_id"]},
    }


def edit(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """What it says now."""
    changed = {name: given[name] for name in ("education_level",) if name in given}
    return changed | {"event_data": {"fields": sorted(changed)}}


def submit(work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """The day on which it was submitted."""
    return {"submitted_on": work.occurred_on}


def ask_documents(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The kinds of document that are missing."""
    asked = list(dict.fromkeys(given["documents"]))
    return {"documents_asked": asked, "event_data": {"documents": asked}}


def find_eligible(_work: Work, item: Item[ApplicationDossier], _step: Step, given: Given) -> dict[str, Any]:
    """The source of the plan under which it counts from now on."""
    source = given.get("source") or item.dossier.natural_source
    return {"source": source, "event_data": {"source": source}}


def end(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Why it ended."""
    return {"reason_code": given.get("reason_code")}


def revive(work: Work, item: Item[ApplicationDossier], step: Step, _given: Given) -> dict[str, Any]:
    """No reason any more; on the waiting list its rank, or the next one where that is given."""
    columns: dict[str, Any] = {"reason_code": None}
    if step.to_state == "waitlisted" and item.dossier.rank is not None:
        columns["rank"] = _next_rank(work, item.dossier.ranks, item.dossier.rank)
    return columns


# ---- the waiting list
def _moved(work: Work) -> list[dict[str, Any]]:
    """The applications that this act has moved so far, with their new columns."""
    parts = work.writes.parts.items()
    return [row for (kind, name, _), rows in parts if kind == "move" and name == "applications" for row in rows]


def _last_rank_here(work: Work) -> int | None:
    """The last rank that this act gave, whoever got it: a rank that is skipped does no harm."""
    found = [
        rows[-1]["rank"]
        for (kind, name, columns), rows in work.writes.parts.items()
        if kind == "move" and name == "applications" and "rank" in columns and rows[-1]["rank"] is not None
    ]
    return max(found, default=None)


def _next_rank(work: Work, given_away: Collection[int], wanted: int | None) -> int:
    last = _last_rank_here(work)
    rank = last + 1 if last is not None else wanted or max(given_away, default=0) + 1
    while rank in given_away:
        rank += 1
    return rank


def waitlist(work: Work, item: Item[ApplicationDossier], _step: Step, given: Given) -> dict[str, Any]:
    """A rank among those who wait for the same places."""
    rank = _next_rank(work, item.dossier.ranks, given.get("rank"))
    return {"rank": rank, "event_data": {"rank": rank, "source": item.dossier.source}}


# ---- the selection
def select(work: Work, item: Item[ApplicationDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """A place of the plan, held by an enrolment that begins."""
    d, enrolment = item.dossier, uuid7()
    source = d.source or ANY_SOURCE
    work.bear(
        enrolments.enrolments,
        ENROLMENT,
        "create",
        item.stream,
        item_id=enrolment,
        data={"application_id": item.id, "intake_id": d.intake_id, "source": source},
        application_id=item.id,
        intake_id=d.intake_id,
        programme_id=d.programme_id,
        source=source,
        holds_place=True,
        stage=1,
    )
    take(work, d.intake_id, source, enrolment)
    return {"event_data": {"enrolment_id": enrolment, "source": source}}


def adopt(work: Work, item: Item[AdoptedApplication], _step: Step, given: Given) -> dict[str, Any]:
    """A place of the plan, held by an enrolment, for somebody who studies already."""
    d, enrolment = item.dossier, uuid7()
    intake: UUID = given["intake_id"]
    application = work.created[APPLICATION.name]
    work.bear(
        enrolments.enrolments, ENROLMENT, "create", item.stream, item_id=enrolment,
        data={"application_id": application, "intake_id": intake, "source": d.source},
        application_id=application, intake_id=intake, programme_id=d.programme_id, source=d.source, holds_place=True,
        stage=1,
    )  # fmt: skip
    take(work, intake, d.source, enrolment)
    said = {"intake_id": intake, "source": d.source}
    return said | {"documents_asked": [], "event_data": said | {"enrolment_id": enrolment}}


def take_selection_back(work: Work, item: Item[ApplicationDossier], step: Step, given: Given) -> dict[str, Any]:
    """The enrolment is voided and its place is free again."""
    d = item.dossier
    if d.enrolment_id is None or d.enrolment_source is None:
        raise TypeError("the rules let a selection without an enrolment be taken back")
    work.follow(
        enrolments.enrolments,
        "void",
        d.enrolment_id,
        item.stream,
        "pending",
        d.enrolment_version,
        holds_place=False,
        data={"application_id": item.id},
    )
    free(work, d.intake_id, d.enrolment_source, d.enrolment_id)
    return revive(work, item, step, given)


def adjust(d: ApplicationDossier | NewApplication, work: Work) -> ApplicationDossier | NewApplication:
    """What this same act has taken already: places of the plan, and better ranks."""
    if isinstance(d, AdoptedApplication):
        intake = work.given.get("intake_id")
        return dataclasses.replace(d, taken=d.taken + (taken_here(work, intake, d.source) if intake else 0))
    if isinstance(d, NewApplication):
        return d
    before = d.waiting_before
    if before:
        before -= {UUID(str(row["id"])) for row in _moved(work)}
    taken = d.taken + taken_here(work, d.intake_id, d.source)
    return dataclasses.replace(d, taken=taken, waiting_before=before)


SUBJECT: Subject[Any] = Subject(
    "applications",
    APPLICATION,
    tables.applications,
    stored.FACTS,
    births={"draft": stored.NEW_FACTS, "adopt": stored.ADOPT_FACTS},
    effects={
        "adopt": adopt,
        "draft": draft,
        "edit": edit,
        "submit": submit,
        "ask_documents": ask_documents,
        "find_eligible": find_eligible,
        "find_ineligible": end,
        "select": select,
        "waitlist": waitlist,
        "decline": end,
        "withdraw": end,
        "close_out": lambda *_: {"reason_code": "intake_closed", "event_data": {"reason_code": "intake_closed"}},
    },
    undo={
        "find_ineligible": revive,
        "decline": revive,
        "withdraw": revive,
        "select": take_selection_back,
    },
    adjust=adjust,
)
TIMERS: list[Timer] = [Timer("applications_close_out", SUBJECT, "close_out", stored.LEFT_OVER)]
