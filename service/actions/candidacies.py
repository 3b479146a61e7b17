"""What the moves of a candidacy leave behind: consents asked and answered, seats reserved, and the placement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from service.actions.debts import owing
from service.actions.obligations import arise
from service.actions.placement_requests import (
    release_seat,
    reserve_seat,
    seats_now,
    take_seat,
    use_up_seat,
)
from service.actions.planning import horizon_of, horizon_of_candidacy
from service.actions.timers import Timer
from service.actions.work import Effect, Item, Subject, Work
from service.domain import terms as term
from service.domain.candidacies import (
    CANDIDACY,
    CandidacyDossier,
    Eligible,
    NewCandidacy,
    Request,
    Shown,
    Transfer,
    by_step,
)
from service.domain.consents import CONSENT
from service.domain.journey import LIVE
from service.domain.lifecycle import Given, Step
from service.domain.obligations import JOINED, LEFT
from service.domain.placements import PLACEMENT
from service.domain.requirements import Packs
from service.storage import candidacies as stored
from service.storage.tables.candidacies import candidacies
from service.storage.tables.placements import placements
from service.storage.tables.trainees import consents
from service.storage.transitions import CANDIDACIES_TO_MOVE

Candidate = Item[CandidacyDossier]
TYPED_WITHIN = timedelta(days=1)
"""How long an offer that was taken back from `lapsed` waits for the acceptance that came in time."""


def _request(d: Eligible) -> Request:
    if d.request is None:
        raise TypeError("a candidacy without its request")
    return d.request


# ---- identified, asked, nominated
def identify(_work: Work, item: Item[Eligible], _step: Step, _given: Given) -> dict[str, Any]:
    """A person for a request, to begin a placement or to carry one over."""
    request, transfer = _request(item.dossier).seats.id, item.dossier.transfer_of
    said = {"request_id": request} | ({"transfer_of": transfer} if transfer else {})
    return {"request_id": request, "transfer_of": transfer, "event_data": said}


def _ask(work: Work, item: Candidate, notice: Mapping[str, Any], fields: list[str], ends_on: Any) -> dict[str, Any]:
    job = _request(item.dossier).job
    about = {"purpose": "nomination", "recipient_id": job.organisation_id, "fields": fields, "ends_on": ends_on}
    consent = work.bear(
        consents, CONSENT, "request", item.stream,
        data=about | {"candidacy_id": item.id}, notice=dict(notice), **about,
    )  # fmt: skip
    return {"consent_id": consent}


def ask_consent(work: Work, item: Candidate, _step: Step, given: Given) -> dict[str, Any]:
    """The person is told who would receive which of their data, at which step, and what they can do about it."""
    steps = by_step(given.get("shown") or Shown())
    fields = steps["accepted"]
    employer = _request(item.dossier).job.employer
    notice = {
        "recipient": employer.name_latin,
        "country": employer.country,
        "purpose": "nomination",
        "categories": " ".join(fields),
        "rights": "access correction withdrawal complaint",
        "steps": steps,
    }
    return _ask(work, item, notice, fields, given.get("ends_on"))


def ask_again(work: Work, item: Candidate, _step: Step, _given: Given) -> dict[str, Any]:
    """The refusal was recorded in error: the same question is open again."""
    asked = item.dossier.consent
    if asked is None:
        raise TypeError("a consent was refused that nobody asked for")
    return _ask(work, item, asked.notice, list(asked.fields), asked.ends_on)


def nominate(work: Work, item: Candidate, _step: Step, given: Given) -> dict[str, Any]:
    """The consent is given, and the packs are pinned whose rules hold for this person from now on."""
    d, withheld = item.dossier, given.get("withheld") or ()
    asked, packs = d.consent, d.chosen()
    if asked is None or not isinstance(packs, Packs):
        raise TypeError("nominated without a consent or a pack")
    if asked.state == "requested":
        steps = {n: [f for f in kinds if f not in withheld] for n, kinds in asked.notice["steps"].items()}
        fields = [f for f in asked.fields if f not in withheld]
        work.follow(
            consents, "give", asked.id, item.stream, asked.state, asked.version,
            data={"fields": fields, "candidacy_id": item.id},
            fields=fields, notice={**asked.notice, "steps": steps}, given_on=work.occurred_on,
        )  # fmt: skip
    return {"pins": list(packs.pins), "event_data": {"pins": packs.pins, "consent_id": asked.id}}


def refuse_consent(work: Work, item: Candidate, _step: Step, _given: Given) -> dict[str, Any]:
    """The person says no."""
    asked = item.dossier.consent
    if asked is not None and asked.state == "requested":
        work.follow(
            consents, "refuse", asked.id, item.stream, asked.state, asked.version, data={"candidacy_id": item.id}
        )
    return {}


# ---- the enterprise chooses
def invite(_work: Work, _item: Candidate, _step: Step, given: Given) -> dict[str, Any]:
    """A slot for the interview; where it is is not told to everybody who reads events."""
    slot = {"at": given["interview_at"].isoformat(), "minutes": given.get("minutes"), "place": given.get("place")}
    return {"interview": slot, "event_data": {"interview_at": given["interview_at"]}}


def choose(_work: Work, _item: Candidate, _step: Step, given: Given) -> dict[str, Any]:
    """The choice with what it rests on."""
    made = {
        "kind": given["assessment"],
        "score": str(given["score"]) if given.get("score") is not None else None,
        "reason_code": given.get("reason_code"),
    }
    # The candidate reads the record: the rank and the score are the enterprise's own business.
    return {"assessment": made, "rank": given.get("rank"), "event_data": {"assessment": given["assessment"]}}


# ---- offers and their seats
def offer(work: Work, item: Candidate, _step: Step, given: Given) -> dict[str, Any]:
    """A seat is reserved for the offer, under its own terms, until its end."""
    request = _request(item.dossier)
    reserve_seat(work, request.seats)
    approved = request.job.stated
    terms = approved | dict(given.get("terms") or {})
    differences = list(term.worse(approved, terms))
    ends_at = given["offer_ends_at"]
    return {
        "terms": terms,
        "differences": differences,
        "offered_on": work.occurred_on,
        "offer_ends_at": ends_at,
        "lapses_at": ends_at,
        "event_data": {"offer_ends_at": ends_at, "differences": differences},
    }


def take_offer_back(work: Work, item: Candidate, _step: Step, _given: Given) -> dict[str, Any]:
    """There was no offer: its seat is free again."""
    release_seat(work, _request(item.dossier).seats)
    names = ("terms", "differences", "offered_on", "offer_ends_at", "lapses_at")
    return dict.fromkeys(names)


def give_seat_back(work: Work, item: Candidate, step: Step, _given: Given) -> dict[str, Any]:
    """Whoever goes out gives back the seat that an open offer reserved."""
    if step.from_state == "offered":
        release_seat(work, _request(item.dossier).seats)
    return {}


def offer_again(work: Work, item: Candidate, step: Step, _given: Given) -> dict[str, Any]:
    """Back to where they were; an open offer reserves its seat again, and can be answered for the day it was made."""
    if step.to_state != "offered":
        return {}
    reserve_seat(work, _request(item.dossier).seats)
    ends_at = item.dossier.offer_ends_at
    late = work.now + TYPED_WITHIN
    return {"since_on": item.dossier.offered_on, "lapses_at": max(ends_at, late) if ends_at else late}


def accept(work: Work, item: Candidate, _step: Step, _given: Given) -> dict[str, Any]:
    """The placement begins on the seat that was reserved, or moves there; every other candidacy of the person ends."""
    d = item.dossier
    request, packs = _request(d), d.pinned
    if packs is None:
        raise TypeError("accepted without pinned packs")
    release_seat(work, request.seats)
    take_seat(work, request.seats)
    superseded = supersede_others(work, item)
    agreed = _agreed(item.id, d, packs, d.terms)
    placement = _carry_over(work, item, agreed, d.transfer) if d.transfer else _begin(work, item, packs, agreed)
    return {"placement_id": placement, "event_data": {"placement_id": placement, "superseded": superseded}}


def _agreed(candidacy: UUID, d: Eligible, packs: Packs, terms: Mapping[str, Any]) -> dict[str, Any]:
    """What a placement takes over from the accepted offer."""
    request = _request(d)
    job = request.job
    return {
        "request_id": request.seats.id,
        "candidacy_id": candidacy,
        "employer_id": job.organisation_id,
        "agency_id": job.agency_id,
        "pathway": job.pathway,
        "pins": list(packs.pins),
        "stages": list(packs.stages),
        "occupation": job.occupation,
        "terms": dict(terms),
        "starts_on": job.starts_on,
        "ends_on": job.ends_on,
    }


def _begin(work: Work, item: Item[Any], packs: Packs, agreed: Mapping[str, Any]) -> UUID:
    """A placement of its own."""
    job = _request(item.dossier).job
    planned = job.planned_departure_on if packs.departs else None
    days = horizon_of(packs.stages, job.pathway, "contracting", work.occurred_on, planned, job.starts_on)
    return work.bear(
        placements, PLACEMENT, "contract", item.stream,
        data={name: agreed[name] for name in ("request_id", "candidacy_id", "pins")},
        destination=job.destination,
        departs=packs.departs,
        planned_departure_on=planned,
        **(dict(agreed) | days),
    )  # fmt: skip


def _carry_over(work: Work, item: Candidate, agreed: Mapping[str, Any], held: Transfer) -> UUID:
    """The same placement, at work for another employer: the new seat is used up at once, and the old one stays so.

    Where they are, how they came there and what the authorities granted does not change; what was settled with the
    old employer alone no longer holds. Both employers and the worker owe the notices that their packs name.
    """
    use_up_seat(work, _request(item.dossier).seats)
    for event, by in ((LEFT, held.former), (JOINED, held.coming)):
        arise(
            work, item.stream, event, by.packs, held.duties,
            placement=held.id, organisations=by.organisations, zones=by.zones,
        )  # fmt: skip
    work.follow(
        placements, "complete_transfer", held.id, item.stream, held.state, held.version,
        data={name: agreed[name] for name in ("request_id", "candidacy_id", "employer_id", "pins")},
        since_on=work.occurred_on, options=None, agency_contract=None, terms_confirmed_on=None, replaced=[], **agreed,
    )  # fmt: skip
    return held.id


def adopt(work: Work, item: Item[NewCandidacy], _step: Step, _given: Given) -> dict[str, Any]:
    """A seat of the request and a placement that begins, for somebody who has a contract already."""
    d, candidacy = item.dossier, work.created[CANDIDACY.name]
    request, packs = _request(d), d.chosen()
    if not isinstance(packs, Packs):
        raise TypeError("the rules let a contract through that has no pack")
    take_seat(work, request.seats)
    placement = _begin(work, item, packs, _agreed(candidacy, d, packs, request.job.stated))
    said = {"request_id": request.seats.id, "placement_id": placement, "pins": list(packs.pins)}
    return said | {"terms": request.job.stated, "event_data": said}


def _owed_by_placement(work: Work, item: Item[NewCandidacy], _: UUID) -> Any:
    """What the way to the contract left to be shown is owed by the placement that it led to."""
    job = _request(item.dossier).job
    organisations = {"enterprise": job.organisation_id, "agency": job.agency_id}
    return "placement", work.created[PLACEMENT.name], (), organisations, item.dossier.zone


def supersede_others(work: Work, item: Candidate) -> int:
    """Every other live candidacy of the person ends, and its reserved seat is released; how many there were."""
    for s in item.dossier.siblings:
        work.follow(candidacies, "supersede", s.id, item.stream, s.state, s.version)
        if s.state == "offered":
            release_seat(work, s.seats)
    return len(item.dossier.siblings)


def adjust(d: Any, work: Work) -> Any:
    """What this same batch has already done: seats that it took, and moves of the person's other candidacies."""
    if isinstance(d, Eligible) and d.request is not None:
        d = replace(d, request=replace(d.request, seats=seats_now(work, d.request.seats)))
    if not isinstance(d, CandidacyDossier):
        return d
    head = work.heads.get(d.person.id)
    held = head.held if head else []
    moved = {h.id: h.state for h in held if h.subject == CANDIDACY.name}
    placed = {h.id: h.state for h in held if h.subject == PLACEMENT.name}
    return replace(
        d,
        state=moved.get(d.id, d.state),
        live_placement=any(i != d.transfer_of and state in LIVE["placement"] for i, state in placed.items()),
        transfer=replace(d.transfer, state=placed.get(d.transfer.id, d.transfer.state)) if d.transfer else None,
        accepted_elsewhere=any(i != d.id and state == "accepted" for i, state in moved.items()),
        siblings=tuple(s for s in d.siblings if moved.get(s.id, s.state) == s.state),
    )


def follow_version(work: Work, item: Candidate, _step: Step, _given: Given) -> dict[str, Any]:
    """The newer versions: the gates to come are judged by them."""
    packs = item.dossier.packs_to_follow()
    if packs is None:
        raise TypeError("the rules let a candidacy follow no version")
    since = item.dossier.stands_since or work.occurred_on
    return {"pins": list(packs.pins), "since_on": since, "event_data": {"pins": packs.pins}}


def _planned(effect: Effect | None) -> Effect:
    """What the step leaves behind, and from when on the flight is in danger."""

    def planned(work: Work, item: Item[Any], step: Step, given: Given) -> dict[str, Any]:
        left = dict((effect(work, item, step, given) if effect else None) or {})
        last = item.dossier.last_step if step.action == "correct" else None
        since = left.get("since_on") or (last.since_before if last else None) or work.occurred_on
        return left | horizon_of_candidacy(item.dossier, step.to_state, since)

    return planned


EFFECTS: dict[str, Effect] = {
    "adopt": adopt,
    "identify": identify,
    "ask_consent": ask_consent,
    "nominate": nominate,
    "follow_version": follow_version,
    "refuse_consent": refuse_consent,
    "invite": invite,
    "choose": choose,
    "reserve_list": choose,
    "offer": offer,
    "accept": accept,
    "decline": give_seat_back,
    "lapse": give_seat_back,
    "rescind": give_seat_back,
    "withdraw": give_seat_back,
    "withdraw_by_school": give_seat_back,
    "lose_consent": give_seat_back,
}
UNDO: dict[str, Effect] = {
    "refuse_consent": ask_again,
    "offer": take_offer_back,
    "decline": offer_again,
    "lapse": offer_again,
    "rescind": offer_again,
    "withdraw": offer_again,
    "withdraw_by_school": offer_again,
}
SUBJECT: Subject[Any] = Subject(
    "candidacies",
    CANDIDACY,
    candidacies,
    stored.FACTS,
    births={"identify": stored.NEW_FACTS, "adopt": stored.NEW_FACTS},
    effects={action: _planned(EFFECTS.get(action)) for action in CANDIDACY.by_action},
    undo={action: _planned(UNDO.get(action)) for action in CANDIDACY.by_action},
    adjust=adjust,
    owe=owing(_owed_by_placement),
)
TIMERS: list[Timer] = [
    Timer("candidacies_lapse", SUBJECT, "lapse", stored.DUE_TO_LAPSE),
    Timer("candidacies_lose_consent", SUBJECT, "lose_consent", stored.CONSENT_ENDED),
    Timer("candidacies_follow_version", SUBJECT, "follow_version", CANDIDACIES_TO_MOVE, every=60.0),
]
