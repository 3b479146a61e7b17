"""The rules of a candidacy, each a sentence that holds or a reason why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import date

from service.domain import terms as term
from service.domain.actors import COORDINATOR
from service.domain.candidacies.facts import HARD, CandidacyDossier, Eligible, NewCandidacy, Shown
from service.domain.consents import (
    FIELDS,
    ConsentDossier,
    adult_speaks_for_themselves,
    guardian_speaks_for_minor,
    recorded_for_who_decides,
    recorded_for_who_may_object,
)
from service.domain.gates import gated, lacking, turning_days
from service.domain.lifecycle import Given, Reason
from service.domain.placement_requests import LIVE as REQUEST_LIVE
from service.domain.placement_requests import RUNNING
from service.domain.requirements import (
    GATES,
    NoPack,
    Packs,
)

ENTERED = ("nominated", "selected", "contracting")
"""The gates that lead into a placement."""


# ---- who can be a candidate
def request_known(c: NewCandidacy) -> Reason | None:
    """The request is one of the institution's."""
    return None if c.request else Reason("request_known", pointer="/request_id")


def request_live(c: Eligible) -> Reason | None:
    """The request is approved, and neither closed nor over."""
    if c.request is not None and c.request.seats.state not in REQUEST_LIVE:
        return Reason("request_live", required=REQUEST_LIVE, actual=c.request.seats.state)
    return None


def request_running(c: Eligible) -> Reason | None:
    """The request is open, and not on hold."""
    if c.request is not None and c.request.seats.state not in RUNNING:
        return Reason("request_running", required=RUNNING, actual=c.request.seats.state)
    return None


def nationality_asked(c: Eligible) -> Reason | None:
    """The request takes the person's nationality."""
    if c.request is not None and c.person.nationality not in c.request.job.nationalities:
        return Reason("nationality_asked", required=c.request.job.nationalities, actual=c.person.nationality)
    return None


def no_live_placement(c: Eligible) -> Reason | None:
    """Nobody has two placements; a transfer carries over the one there is."""
    return Reason("no_live_placement") if c.live_placement else None


def transfer_fits(c: Eligible) -> Iterator[Reason]:
    """A transfer is of the person's own placement, and to another request in the country where they are."""
    if c.transfer_of is not None and c.transfer is None:
        yield Reason("transfer_known", pointer="/transfer_of")
    if c.transfer is None or c.request is None:
        return
    if c.request.seats.id == c.transfer.request_id:
        yield Reason("transfer_elsewhere", pointer="/request_id")
    there, here = c.request.job.destination, c.transfer.destination
    if there != here:
        yield Reason("transfer_in_country", required=here, actual=there, pointer="/request_id")


def transfer_open(c: Eligible) -> Reason | None:
    """The transfer was asked for, and neither refused nor completed."""
    if c.transfer is not None and c.transfer.state != "transfer_pending":
        return Reason("transfer_open", required="transfer_pending")
    return None


def where_accepted(c: CandidacyDossier, _: Given) -> str:
    """Whoever is transferred has their placement already."""
    return "accepted" if c.transfer_of is None else "placed"


def no_live_candidacy(c: NewCandidacy) -> Reason | None:
    """One live candidacy for a person and a request."""
    return Reason("no_live_candidacy") if c.live_candidacy else None


def hard_rules_pass(c: NewCandidacy) -> list[Reason]:
    """Nothing that no paper can change, such as the age, keeps the person from being nominated."""
    if c.request is None or nationality_asked(c):
        return []
    packs = c.chosen()
    if isinstance(packs, NoPack):
        return [Reason(packs.code, packs.required, packs.actual)]
    return [r for r in lacking(packs.requirements, GATES["nominated"], c.today, c.facts()) if r.code in HARD]


# ---- consent
def consent_asked(c: CandidacyDossier) -> Reason | None:
    """The person was asked, and has not answered otherwise."""
    if c.consent is None or c.consent.state not in ("requested", "given"):
        return Reason("consent_asked", required=["requested", "given"], actual=c.consent and c.consent.state)
    return None


def consent_holds(c: CandidacyDossier) -> Reason | None:
    """The consent that shows the person to the enterprise is given, and neither withdrawn nor over."""
    if holds(c):
        return None
    return Reason("consent_holds", required="given", actual=c.consent and c.consent.state)


def holds(c: CandidacyDossier) -> bool:
    """Whether the consent holds today."""
    asked = c.consent
    return asked is not None and asked.state == "given" and (asked.ends_on is None or asked.ends_on >= c.today)


def consent_lost(c: CandidacyDossier) -> Reason | None:
    """Only what rested on a consent ends with it."""
    return Reason("consent_lost") if holds(c) else None


def _decision(c: CandidacyDossier) -> ConsentDossier:
    return ConsentDossier(state="requested", today=c.today, birth_on=c.person.birth_on, asked_by=c.asked_by)


def person_decides(c: CandidacyDossier) -> Iterator[Reason]:
    """A grown-up person decides alone, and for a minor the guardian."""
    yield from (r for guard in (guardian_speaks_for_minor, adult_speaks_for_themselves) if (r := guard(_decision(c))))


def recorded_for_the_right_one(c: CandidacyDossier, given: Given) -> Reason | None:
    """Recorded for whoever decides: the grown-up person, or a minor's guardian."""
    return recorded_for_who_decides(_decision(c), given)


def adult_decides(c: CandidacyDossier) -> Reason | None:
    """From 18 on nobody decides in a person's place; a minor may say no too."""
    return adult_speaks_for_themselves(_decision(c))


def no_recorded_for_the_right_one(c: CandidacyDossier, given: Given) -> Reason | None:
    """A no can be recorded for a minor and for their guardian, and for a grown-up person alone."""
    return recorded_for_who_may_object(_decision(c), given)


# ---- requirements
def closed_for_nomination(c: CandidacyDossier, on: date) -> list[Reason]:
    """Everything that keeps somebody from being nominated on a day: no pack yet, or what the packs ask for."""
    packs = c.chosen()
    if isinstance(packs, NoPack):
        return [Reason(packs.code, packs.required, packs.actual)]
    return lacking(packs.requirements, GATES["nominated"], on, c.facts())


def _nomination_turns(c: CandidacyDossier) -> Iterator[date]:
    packs = c.chosen()
    if isinstance(packs, Packs):
        facts = c.facts()
        yield from turning_days((r, facts) for r in packs.requirements)


def _turns(c: CandidacyDossier) -> Iterator[date]:
    if c.pinned is not None:
        facts = c.facts(c.terms)
        yield from turning_days((r, facts) for r in c.pinned.requirements)


NOMINATED_IF, NOMINATED_ON_THE_DAY, NOMINATION_DAY = gated(closed_for_nomination, _nomination_turns)
CHOSEN_IF, CHOSEN_ON_THE_DAY, CHOICE_DAY = gated(lambda c, on: c.closed(GATES["selected"], on), _turns)
ACCEPTED_IF, ACCEPTED_ON_THE_DAY, ACCEPTANCE_DAY = gated(lambda c, on: c.closed(GATES["contracting"], on), _turns)


def agreed_before(c: NewCandidacy, given: Given) -> Iterator[Reason]:
    """Whoever has a contract already was nominated with a consent, chosen and contracted by what the packs ask for."""
    packs, on = c.chosen(), given.get("occurred_on") or c.today
    yield Reason("consent_holds", required="given", actual=None)
    if isinstance(packs, Packs):
        yield from (r for g in ENTERED for r in lacking(packs.requirements, GATES[g], on, c.facts()))


# ---- choosing and offering
def assessment_complete(c: CandidacyDossier, given: Given) -> Iterator[Reason]:
    """An interview was held and scored; a test was scored; a choice by the papers has its reason."""
    kind = given["assessment"]
    if kind == "interview" and c.state != "interviewing":
        yield Reason("interview_held", required="interviewing", actual=c.state, pointer="/assessment")
    if kind != "paper_selection" and given.get("score") is None:
        yield Reason("input_required", required="score", pointer="/score")
    if kind == "paper_selection" and not given.get("reason_code"):
        yield Reason("input_required", required="reason_code", pointer="/reason_code")


def request_open(c: CandidacyDossier) -> Reason | None:
    """Offers are made while the request is open."""
    if c.request is not None and c.request.seats.state != "open":
        return Reason("request_open", required="open", actual=c.request.seats.state)
    return None


def before_closing(c: CandidacyDossier) -> Reason | None:
    """No new offer after the closing day."""
    last = c.request.closes_on if c.request else None
    return Reason("before_closing", required=last, actual=c.today) if last and last < c.today else None


def seat_free(c: Eligible) -> Reason | None:
    """A seat that nobody holds."""
    free = c.request.seats.free if c.request else 0
    return Reason("seat_free", required=1, actual=free) if free < 1 else None


def terms_not_worse(c: CandidacyDossier, given: Given) -> Iterator[Reason]:
    """What is offered is not worse than what was approved, or the difference is named for the trainee to accept."""
    approved = c.request.job.stated if c.request else {}
    offered = approved | dict(given.get("terms") or {})
    yield from term.faults(given.get("terms") or {})
    named = set(given.get("differences") or ())
    for name in term.worse(approved, offered):
        if name not in named:
            yield Reason("terms_not_worse", required=approved[name], actual=offered.get(name), pointer=f"/terms/{name}")


def no_other_accepted(c: CandidacyDossier) -> Reason | None:
    """Nobody accepts two offers."""
    return Reason("no_other_accepted") if c.accepted_elsewhere else None


def offer_in_time(c: CandidacyDossier) -> Reason | None:
    """The offer has not ended; what was accepted before its end can be recorded with evidence after it."""
    ended = c.offer_ends_at is not None and c.now > c.offer_ends_at
    if ended and COORDINATOR not in c.asked_by:
        return Reason("offer_in_time", required=c.offer_ends_at, actual=c.now)
    return None


def accepted_in_time(c: CandidacyDossier, given: Given) -> Reason | None:
    """After the offer's end, the day of the acceptance is one before it."""
    if c.offer_ends_at is None or c.offer_ends_on is None or c.now <= c.offer_ends_at:
        return None
    if (given.get("occurred_on") or c.today) > c.offer_ends_on or not given.get("recorded_for"):
        return Reason("offer_in_time", required=c.offer_ends_at, actual=c.now, pointer="/occurred_on")
    return None


def differences_accepted(c: CandidacyDossier, given: Given) -> Reason | None:
    """Each term that is less good than the approved one is accepted by name."""
    left = sorted(set(c.differences) - set(given.get("accepted_differences") or ()))
    return Reason("differences_accepted", required=left, pointer="/accepted_differences") if left else None


def offer_over(c: CandidacyDossier) -> Reason | None:
    """An offer lapses after its end."""
    if c.lapses_at is None or c.now <= c.lapses_at:
        return Reason("offer_over", required=c.lapses_at, actual=c.now)
    return None


def version_moves(c: CandidacyDossier) -> Reason | None:
    """A newer version of its packs moves whoever is on the way, by its transition."""
    return None if c.packs_to_follow() else Reason("version_moves", actual=list(c.pins))


# ---- taking back
def can_live_again(c: CandidacyDossier) -> Iterator[Reason]:
    """Somebody who was out can be a candidate again, and what they held then is free still."""
    yield from (r for r in (request_live(c), no_live_placement(c), transfer_open(c), no_other_accepted(c)) if r)
    if c.request is not None and any(s.seats.id == c.request.seats.id for s in c.siblings):
        yield Reason("no_live_candidacy")
    if c.last_step is not None and c.last_step.from_state == "offered":
        yield from (r for r in (request_open(c), seat_free(c)) if r)


# ---- what was said
def fields_known(_: CandidacyDossier, given: Given) -> Iterator[Reason]:
    """A consent names kinds of data that there are."""
    shown = given.get("shown") or Shown()
    for step in fields(shown):
        if any(f not in FIELDS for f in getattr(shown, step.name)):
            yield Reason("consent_field_known", required=FIELDS, pointer=f"/shown/{step.name}")


def differences_known(_: CandidacyDossier, given: Given) -> Reason | None:
    """Only terms are named as differences."""
    unknown = sorted(set(given.get("differences") or ()) - term.KNOWN)
    return Reason("term_known", required=sorted(term.KNOWN), pointer="/differences") if unknown else None
