"""What the moves of an enrolment leave behind: places given back, stages, leaves, waivers."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any
from uuid import UUID

from service.actions.debts import owing, void_debts
from service.actions.obligations import follow_from, take_back
from service.actions.places import free, take, taken_here
from service.actions.reading import records
from service.actions.work import Call, Item, Missing, Services, Subject, Work
from service.domain.enrolments import ENROLMENT, EnrolmentDossier
from service.domain.lifecycle import Given, Step
from service.storage import enrolments as stored
from service.storage.ids import uuid7
from service.storage.tables import enrolments as tables
from service.storage.views import facts_of_row


def enrol(_work: Work, item: Item[EnrolmentDossier], _step: Step, given: Given) -> dict[str, Any]:
    """How the fee was settled, and by which curriculum they study from now on."""
    columns = {"fee": given["fee"], "curriculum_id": item.dossier.curriculum_id}
    return columns | {"event_data": columns}


def leave(work: Work, item: Item[EnrolmentDossier], step: Step, given: Given) -> dict[str, Any]:
    """Out of the programme: the place is free while somebody else can still be given it."""
    d = item.dossier
    frees = d.frees_place or (d.holds_place and step.from_state == "pending")
    if frees:
        free(work, d.intake_id, d.source, item.id)
    return {
        "reason_code": given.get("reason_code"),
        "holds_place": d.holds_place and not frees,
        "event_data": {"place_freed": frees},
    }


def come_back(work: Work, item: Item[EnrolmentDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """Back in: with the place that was given back, if it was."""
    d = item.dossier
    if not d.holds_place:
        take(work, d.intake_id, d.source, item.id)
    return {"reason_code": None, "holds_place": True}


def take_leave(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """From when until when."""
    days = {"leave_from": given["leave_from"], "leave_until": given["leave_until"]}
    return days | {"event_data": days}


def no_leave(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """The leave was never taken."""
    return {"leave_from": None, "leave_until": None}


ENTERED = "entered"
"""What the packs call an entry into the country."""


def enter(work: Work, item: Item[EnrolmentDossier], _step: Step, given: Given) -> dict[str, Any]:
    """In the country: what the packs for studies ask within days of it falls due."""
    d, on = item.dossier, given["entered_on"]
    follow_from(
        work, item.stream, ENTERED, d.study_duties, d.duties, on,
        subject={"subject_kind": "enrolment", "subject_id": item.id}, organisations={}, zones={"": d.zone},
    )  # fmt: skip
    return {"entered_on": on, "event_data": {"entered_on": on}}


def not_entered(work: Work, item: Item[EnrolmentDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """There was no such entry, and what nobody has done yet is not owed for it."""
    take_back(work, item.stream, ENTERED, item.dossier.entered_on, item.dossier.duties)
    return {"entered_on": None}


def waive_credits(work: Work, item: Item[EnrolmentDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Credits or courses of the present stage that are not asked for."""
    waived, courses = given.get("credits") or Decimal(0), list(given.get("courses") or ())
    work.writes.row(
        tables.enrolment_waivers,
        item.stream,
        id=uuid7(),
        enrolment_id=item.id,
        stage=item.dossier.stage,
        credits=waived,
        course_ids=courses,
        revoked=False,
        waived_at=work.now,
    )
    return {"event_data": {"stage": item.dossier.stage, "credits": waived, "courses": courses}}


def revoke_waiver(work: Work, item: Item[EnrolmentDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """The last waiver does not hold."""
    if item.dossier.last_waiver is not None:
        work.writes.change(tables.enrolment_waivers, item.stream, id=item.dossier.last_waiver, revoked=True)
    return {}


def advance_stage(_work: Work, item: Item[EnrolmentDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """One stage on."""
    stage = item.dossier.stage + 1
    return {"stage": stage, "event_data": {"stage": stage}}


def back_a_stage(_work: Work, item: Item[EnrolmentDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """One stage back."""
    stage = item.dossier.stage - 1
    return {"stage": stage, "event_data": {"stage": stage}}


def void(work: Work, item: Item[EnrolmentDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """There was no such enrolment: its place is free, and nothing is owed for it."""
    d = item.dossier
    if d.holds_place:
        free(work, d.intake_id, d.source, item.id)
    void_debts(work, item.stream, d.duties)
    return {"holds_place": False}


def adjust(d: EnrolmentDossier, work: Work) -> EnrolmentDossier:
    """What this same act has taken or given back already."""
    return dataclasses.replace(d, taken=d.taken + taken_here(work, d.intake_id, d.source))


SUBJECT: Subject[Any] = Subject(
    "enrolments",
    ENROLMENT,
    tables.enrolments,
    stored.FACTS,
    effects={
        "enrol": enrol,
        "enter": enter,
        "cancel": leave,
        "withdraw": leave,
        "dismiss": leave,
        "take_leave": take_leave,
        "waive_credits": waive_credits,
        "advance_stage": advance_stage,
        "void": void,
    },
    undo={
        "enrol": lambda *_: {"fee": None, "curriculum_id": None},
        "enter": not_entered,
        "cancel": come_back,
        "withdraw": come_back,
        "dismiss": come_back,
        "take_leave": no_leave,
        "waive_credits": revoke_waiver,
        "advance_stage": back_a_stage,
    },
    adjust=adjust,
    owe=owing(lambda _work, e, enrolment: ("enrolment", enrolment, e.dossier.duties, {}, e.dossier.zone)),
)


async def stages(services: Services, call: Call, enrolment: UUID) -> list[dict[str, Any]]:
    """Every stage of somebody's programme, with what it asks for, what is there and what is missing.

    Raises:
        Missing: it is not there, or not seen.
    """
    _, found = await records(services, call, stored.stages_of(call.eyes), "enrolments.read", by_id=enrolment)
    if found[0]["id"] is None:
        raise Missing
    return [
        dataclasses.asdict(s)
        | {
            "fulfilled": s.fulfilled,
            "courses": [
                {name: getattr(c, name) for name in ("course_id", "code", "required", "credits", "standing")}
                for c in s.courses
            ],
        }
        for s in stored.read_stages(facts_of_row(found[0]))
    ]
