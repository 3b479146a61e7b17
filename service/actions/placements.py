"""What the moves of a placement leave behind: dates, the candidacy that follows, the seat that is freed or used up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from service.actions.debts import owing, void_debts
from service.actions.obligations import arise, take_back
from service.actions.placement_requests import free_seat, release_seat, restore_seat, seats_now, use_up_seat
from service.actions.planning import horizon_of
from service.actions.reading import check, records
from service.actions.timers import Timer
from service.actions.work import Call, Item, Missing, Services, Subject, Work, read_actor
from service.domain.candidacies import CANDIDACY
from service.domain.lifecycle import Given, Reason, Refused, Step
from service.domain.obligations import EVENTS
from service.domain.placements import (
    AT_HOME,
    PLACEMENT,
    Change,
    PlacementDossier,
    change_of,
    packs_to_follow,
    window_of,
)
from service.storage import placements as stored
from service.storage.database import Record, attempt
from service.storage.tables.candidacies import candidacies
from service.storage.tables.placements import placements
from service.storage.tables.trainees import trainees
from service.storage.transitions import PLACEMENTS_TO_MOVE
from service.storage.vault import Sealed

Filled = Mapping[str, Any]


# ---- what each step fills in
def _place(work: Work, item: Item[PlacementDossier]) -> None:
    """Out of contracting the candidacy has led to its placement."""
    p = item.dossier
    if p.state == "contracting" and p.candidacy_id and CANDIDACY.follows("place", p.candidacy_state):
        work.follow(candidacies, "place", p.candidacy_id, item.stream, p.candidacy_state, p.candidacy_version)


def advance(work: Work, item: Item[PlacementDossier], _step: Step, given: Given) -> Filled:
    """One stage further."""
    _place(work, item)
    return {name: given[name] for name in ("agency_contract",) if name in given}


def _window(item: Item[PlacementDossier], action: str, kind: str, given: Given) -> Filled:
    first, last = window_of(item.dossier, action)
    return {
        f"{kind}_from_on": given.get(f"{kind}_from_on") or first,
        f"{kind}_until_on": given.get(f"{kind}_until_on") or last,
    }


def apply_visa(work: Work, item: Item[PlacementDossier], _step: Step, given: Given) -> Filled:
    """The authorisation is there: its window, from the evidence or narrower as given."""
    _place(work, item)
    return _window(item, "apply_visa", "authorisation", given)


def prepare_departure(work: Work, item: Item[PlacementDossier], _step: Step, given: Given) -> Filled:
    """The visa is there: its window, from the evidence or narrower as given."""
    _place(work, item)
    return _window(item, "prepare_departure", "visa", given)


def clear(work: Work, item: Item[PlacementDossier], _step: Step, given: Given) -> Filled:
    """Ready to leave, on these days."""
    _place(work, item)
    planned = item.dossier.facts.planned_departure_on
    return {"planned_departure_on": given.get("leaves_on") or planned, "arrives_on": given["arrives_on"]}


def depart(work: Work, item: Item[PlacementDossier], _step: Step, given: Given) -> Filled:
    """Gone; from here on the seat is used up."""
    if item.dossier.seats is not None:
        use_up_seat(work, item.dossier.seats)
    return {"departed_on": work.occurred_on, "flight": given.get("flight")}


def arrive(work: Work, _item: Item[PlacementDossier], _step: Step, _given: Given) -> Filled:
    """There."""
    return {"arrived_on": work.occurred_on}


def start_work(work: Work, item: Item[PlacementDossier], _step: Step, _given: Given) -> Filled:
    """At work; for whoever stays at home the seat is used up with this day."""
    _place(work, item)
    if not item.dossier.departs and item.dossier.seats is not None:
        use_up_seat(work, item.dossier.seats)
    return {"started_on": work.occurred_on}


def confirm_terms(work: Work, _item: Item[PlacementDossier], _step: Step, _given: Given) -> Filled:
    """The terms are those that were agreed."""
    return {"terms_confirmed_on": work.occurred_on}


PLANNED = ("planned_departure_on", "starts_on", "ends_on")


def reschedule(_work: Work, _item: Item[PlacementDossier], _step: Step, given: Given) -> Filled:
    """Other days."""
    return {name: given[name] for name in PLANNED if name in given}


def ask_extension(_work: Work, _item: Item[PlacementDossier], _step: Step, given: Given) -> Filled:
    """A later end is asked for."""
    return {"extension_until_on": given["until_on"]}


def extend(_work: Work, item: Item[PlacementDossier], _step: Step, given: Given) -> Filled:
    """A later end, and the renewed permit's."""
    renewed = {n: given[n] for n in ("authorisation_until_on",) if n in given}
    return {"ends_on": given.get("ends_on") or item.dossier.extension_until_on, "extension_until_on": None} | renewed


def refuse_extension(_work: Work, _item: Item[PlacementDossier], _step: Step, _given: Given) -> Filled:
    """The end stays."""
    return {"extension_until_on": None}


def end(work: Work, _item: Item[PlacementDossier], _step: Step, _given: Given) -> Filled:
    """No longer at work."""
    return {"ended_on": work.occurred_on}


def fall_through(work: Work, item: Item[PlacementDossier], step: Step, given: Given) -> Filled:
    """Before anybody left: the candidacy has come to nothing, and the seat is free again."""
    p = item.dossier
    if p.state in AT_HOME:
        if p.candidacy_id and CANDIDACY.follows("fall_through", p.candidacy_state):
            work.follow(
                candidacies, "fall_through", p.candidacy_id, item.stream, p.candidacy_state, p.candidacy_version
            )
        if p.seats is not None:
            free_seat(work, p.seats)
    return end(work, item, step, given)


def report_missing(_work: Work, _item: Item[PlacementDossier], _step: Step, given: Given) -> Filled:
    """Nobody knows where they are."""
    return {"last_contact_on": given["last_contact_on"]}


def start_return(_work: Work, _item: Item[PlacementDossier], _step: Step, given: Given) -> Filled:
    """On the way home."""
    return {"returns_on": given["returns_on"]}


def record_return(work: Work, _item: Item[PlacementDossier], _step: Step, _given: Given) -> Filled:
    """Home."""
    return {"returned_on": work.occurred_on}


def reintegrate(work: Work, item: Item[PlacementDossier], _step: Step, given: Given) -> Filled:
    """What they want next; and back in the pool, where they are available."""
    if until := given.get("available_until"):
        begins = given.get("available_from") or work.occurred_on
        work.hold(item.stream, "availability", item.stream, "available")
        work.writes.change(trainees, item.stream, id=item.stream, available_from=begins, available_until=until)
    return {"wish": given["wish"]}


STEPS: dict[str, Callable[[Work, Item[PlacementDossier], Step, Given], Filled]] = {
    "collect_documents": advance,
    "apply_authorisation": advance,
    "apply_visa": apply_visa,
    "prepare_departure": prepare_departure,
    "clear": clear,
    "depart": depart,
    "arrive": arrive,
    "start_work": start_work,
    "confirm_terms": confirm_terms,
    "reschedule": reschedule,
    "ask_extension": ask_extension,
    "extend": extend,
    "refuse_extension": refuse_extension,
    "complete": end,
    "cancel": fall_through,
    "withdraw": fall_through,
    "return_early": end,
    "terminate": end,
    "report_missing": report_missing,
    "start_return": start_return,
    "record_return": record_return,
    "reintegrate": reintegrate,
    "record_death": fall_through,
}
PLAN_ONLY = ("confirm_terms", "reschedule", "change_pathway")
"""What may happen between two stages without being one: the next stage can still have happened before it."""
SAID = (
    "paid_by",
    "asked_by_trainee",
    "outcome",
    "wages",
    "insurance",
    "pension",
    "family_informed_on",
    "last_contact_on",
)
"""What an event says beside what it changed: codes and dates."""


def _left(work: Work, item: Item[PlacementDossier], step: Step, given: Given) -> dict[str, Any]:
    """The columns that a step fills, what they held before for a correction, and what the event says."""
    fill = STEPS.get(step.action)
    filled = dict(fill(work, item, step, given)) if fill else {}
    kept = item.dossier.kept
    before = {name: kept[name] for name in filled} | {"since_on": item.dossier.since_on}
    columns = filled | {"replaced": [*item.dossier.replaced, before]}
    if step.from_state == "transfer_pending":
        _end_transfer(work, item)
    if step.action in PLAN_ONLY:
        columns["since_on"] = item.dossier.since_on
    if skills := given.get("skills_gained"):
        columns["skills_sealed"] = work.seal(item.stream, skills, "skills_gained")
    d = item.dossier
    arise(
        work, item.stream, EVENTS.get(step.action), d.packs, d.duties,
        placement=item.id, organisations=d.organisations, zones=d.zones,
    )  # fmt: skip
    data = {name: v for name, v in filled.items() if v is not None and name != "flight"}
    columns |= _horizon(d, step.to_state, columns.get("since_on") or work.occurred_on, filled)
    return columns | {"event_data": data | {name: given[name] for name in SAID if name in given}}


def _horizon(p: PlacementDossier, state: str, since_on: date, filled: Filled) -> Filled:
    """From when on the next step is critical, and the day that the plan aims at is missed."""
    planned, starts = (
        date.fromisoformat(day) if isinstance(day, str) else day  # as text where a correction puts it back
        for day in (filled.get(name, getattr(p.facts, name)) for name in ("planned_departure_on", "starts_on"))
    )
    return horizon_of(p.stages, p.pathway, state, since_on, planned, starts)


def _end_transfer(work: Work, item: Item[PlacementDossier]) -> None:
    """The transfer comes to nothing: its candidacies end, and a seat that was reserved is free again."""
    for c in item.dossier.transferring:
        ends = "rescind" if c.state == "offered" else "close_out"
        work.follow(candidacies, ends, c.id, item.stream, c.state, c.version, data={"transfer_of": item.id})
        if c.state == "offered":
            release_seat(work, c.seats)


def change_pathway(work: Work, item: Item[PlacementDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Other packs, and the stage that the placement keeps under them; nothing granted under the old ones holds."""
    change = change_of(item.dossier, given)
    if not isinstance(change, Change):
        raise TypeError("the rules let a pathway through that has no pack")
    packs, facts = change.packs, change.facts
    said = {"pathway": given["pathway"], "pins": list(packs.pins), "stage": change.stage}
    return {
        "pathway": given["pathway"],
        "pins": list(packs.pins),
        "stages": list(packs.stages),
        "departs": packs.departs,
        "planned_departure_on": facts.planned_departure_on,
        "starts_on": facts.starts_on,
        "ends_on": facts.ends_on,
        "authorisation_from_on": None,
        "authorisation_until_on": None,
        "visa_from_on": None,
        "visa_until_on": None,
        "arrives_on": None,
        "replaced": [],
        "since_on": item.dossier.since_on,
        **horizon_of(
            packs.stages,
            given["pathway"],
            change.stage,
            item.dossier.since_on or work.today,
            facts.planned_departure_on,
            facts.starts_on,
        ),
        "event_data": said | {"added": list(change.added), "dropped": list(change.dropped)},
    }


def follow_version(_work: Work, item: Item[PlacementDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """The newer versions; what was granted still holds, and the gates to come are judged by them."""
    p = item.dossier
    packs = packs_to_follow(p)
    if packs is None or p.since_on is None:
        raise TypeError("the rules let a placement follow no version")
    planned = (p.facts.planned_departure_on, p.facts.starts_on)
    return {
        "pins": list(packs.pins),
        "stages": list(packs.stages),
        "departs": packs.departs,
        "since_on": p.since_on,
        **horizon_of(packs.stages, p.pathway, p.state, p.since_on, *planned),
        "event_data": {"pins": list(packs.pins)},
    }


# ---- what came in mid-way, taken back
def void(work: Work, item: Item[PlacementDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """There was no such placement: neither its candidacy, and its seat is free, and nothing is owed for it."""
    p = item.dossier
    if p.candidacy_id and CANDIDACY.follows("void", p.candidacy_state):
        work.follow(candidacies, "void", p.candidacy_id, item.stream, p.candidacy_state, p.candidacy_version)
    if p.seats is not None:
        if p.state not in AT_HOME:
            restore_seat(work, p.seats)
        free_seat(work, p.seats)
    void_debts(work, item.stream, p.duties)
    return {"ended_on": work.occurred_on}


def _owed(_work: Work, item: Item[PlacementDossier], placement: UUID) -> Any:
    p = item.dossier
    return "placement", placement, p.duties, p.organisations, p.zones[""]


# ---- corrections
def restore(work: Work, item: Item[PlacementDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """The values that the step replaced, the candidacy as it was, the seat held again."""
    p, last = item.dossier, item.dossier.last_step
    if last is None:
        raise TypeError("nothing to take back")
    left = last.from_state == "contracting" and last.to_state not in ("contracting", "deceased")
    if left and p.candidacy_id and CANDIDACY.follows("unplace", p.candidacy_state):
        work.follow(candidacies, "unplace", p.candidacy_id, item.stream, p.candidacy_state, p.candidacy_version)
    if p.seats is not None and (last.action == "depart" or (last.action == "start_work" and not p.departs)):
        restore_seat(work, p.seats)
    take_back(work, item.stream, EVENTS.get(last.action), p.since_on, p.duties)
    before = dict(p.replaced[-1]) if p.replaced else {}
    shut: dict[str, Any] = {"skills_sealed": None} if last.action == "reintegrate" else {}
    since = last.since_before or work.occurred_on
    shut |= _horizon(p, last.from_state, since, before)
    return before | shut | {"replaced": list(p.replaced[:-1])}


def adjust(dossier: PlacementDossier, work: Work) -> PlacementDossier:
    """The seats as this same act has left them."""
    return replace(dossier, seats=seats_now(work, dossier.seats)) if dossier.seats is not None else dossier


OWN: dict[str, Callable[[Work, Item[PlacementDossier], Step, Given], Filled]] = {
    "change_pathway": change_pathway,
    "follow_version": follow_version,
    "void": void,
}
_steps = [a for a in PLACEMENT.by_action if a not in ("contract", "complete_transfer", *OWN)]
SUBJECT: Subject[Any] = Subject(
    "placements",
    PLACEMENT,
    placements,
    stored.FACTS,
    effects={**dict.fromkeys(_steps, _left), **OWN},
    undo=dict.fromkeys(_steps, restore),
    adjust=adjust,
    owe=owing(_owed),
)
TIMERS: list[Timer] = [
    Timer("placements_complete", SUBJECT, "complete", stored.ENDED),
    Timer("placements_follow_version", SUBJECT, "follow_version", PLACEMENTS_TO_MOVE, every=60.0),
]


# ---- reads that need the packs
async def dossier_of(services: Services, call: Call, placement: UUID, permission: str) -> PlacementDossier:
    """All that is known of a placement for its rules, for whoever may read it.

    Raises:
        Missing: it is not there, or not seen.
    """

    async def once(_: int) -> Record:
        async with services.database.connection() as con:
            found = await stored.FACTS.records(
                con, call.eyes, institution=call.institution, ids=[placement], route=call.route, key="", evidence=[],
                with_last=False, **call.credentials(),
            )  # fmt: skip
            return found[0]

    record = await attempt(once)
    check(read_actor(call, record), permission)
    if record["id"] is None:
        raise Missing
    return stored.FACTS.dossier(record)


async def preview_pathway(services: Services, call: Call, placement: UUID, given: Given) -> dict[str, Any]:
    """What another pathway or another planned day would mean, before anything is changed.

    Raises:
        Missing: it is not there, or not seen.
        Refused: there is no pack for it.
    """
    p = await dossier_of(services, call, placement, "placements.read")
    change = change_of(p, given) if p.state in AT_HOME else None
    if change is None:
        raise Refused([Reason("not_from_this_state", required=list(AT_HOME), actual=p.state)])
    if not isinstance(change, Change):
        raise Refused([Reason(change.code, change.required, change.actual, "/pathway")])
    return {
        "id": placement,
        "pathway": given["pathway"],
        "pins": list(change.packs.pins),
        "stages": list(change.packs.stages),
        "stage": change.stage,
        "added": list(change.added),
        "dropped": list(change.dropped),
        "changed": list(change.changed),
        "still_good": list(change.still_good),
    }


async def interview_of(services: Services, call: Call, placement: UUID) -> dict[str, Any]:
    """What the interview after the return said.

    Raises:
        Missing: it is not there, or not seen, or the key was forgotten.
    """
    _, found = await records(services, call, stored.skills_of(call.eyes), "placements.interview", by_id=placement)
    row = found[0]
    if row["id"] is None:
        raise Missing
    skills = None
    if row["skills_sealed"] is not None:
        if row["wrapped"] is None:
            raise Missing
        key = services.vault.stream_key(row["wrapped"], call.institution, row["person_id"])
        try:
            skills = key.open(row["skills_sealed"], call.institution, row["person_id"], "skills_gained")
        except Sealed:
            raise Missing from None
    return {"id": placement, "skills_gained": skills, "wish": row["wish"]}
