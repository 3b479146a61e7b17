"""Placement requests: what an enterprise asks for, approved by the packs' rules, and the seats that it gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as by_default
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from service.domain import terms as term
from service.domain.actors import COORDINATOR, ENTERPRISE, SYSTEM
from service.domain.gates import gated, lacking, turning_days
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes, because
from service.domain.requirements import (
    GATES,
    Evidence,
    NoPack,
    Pack,
    Packs,
    RequirementFacts,
    Staff,
    checklist,
    choose,
    purpose_of,
)
from service.domain.requirements.model import OPTIONS
from service.domain.values import COUNTRIES

RUNNING = ("open", "filled")
"""The states in which an enterprise looks at candidates."""
LIVE = ("approved", *RUNNING, "on_hold")
"""The states in which somebody can be identified for the request."""
BEFORE_END = ("draft", "submitted", "under_review", "changes_requested", *LIVE)
AGENCY_LICENCE = "agency_licence"
"""The item by which packs ask for a licensed agency."""


@dataclass(frozen=True, slots=True)
class RequestSeats:
    """The seats of a request: reserved by an offer, taken by an acceptance, used up by a departure."""

    id: UUID
    state: str
    version: int
    seats: int
    offered: int
    taken: int
    used: int

    @property
    def free(self) -> int:
        """Seats that nobody holds."""
        return self.seats - self.offered - self.taken - self.used

    @property
    def full(self) -> bool:
        """Whether every seat is taken or used up; one that is only offered may still come back."""
        return self.taken + self.used >= self.seats


@dataclass(frozen=True, slots=True)
class Standing:
    """A live candidacy that a step elsewhere concerns, with the seats of its request."""

    id: UUID
    state: str
    version: int
    seats: RequestSeats


@dataclass(frozen=True, slots=True)
class Tie:
    """The institution's relationship with an organisation, as far as it was verified."""

    state: str
    valid_until: date | None

    def holds(self, on: date) -> bool:
        """Whether it is verified and not expired on the day."""
        return self.state == "verified" and self.valid_until is not None and on <= self.valid_until


@dataclass(frozen=True, slots=True)
class Employer:
    """What the packs ask of the enterprise itself."""

    country: str
    natural_person: bool
    chinese_funded: bool
    name_latin: str


@dataclass(frozen=True, slots=True)
class Concerned:
    """A live candidacy of the request, and its placement where nobody has left yet."""

    id: UUID
    person: UUID
    state: str
    version: int
    placement: UUID | None = None
    placement_state: str | None = None
    placement_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a request says of the work, as far as requirements look at it."""

    organisation_id: UUID
    agency_id: UUID | None
    title: str
    occupation: str
    field: str | None
    destination: str
    pathway: str
    nationalities: tuple[str, ...]
    terms: Mapping[str, Any] = by_default(hash=False)
    options: tuple[str, ...]
    levels_asked: Mapping[str, str] = by_default(hash=False)
    planned_departure_on: date | None
    starts_on: date | None
    ends_on: date | None
    employer: Employer
    seats: int = 0
    staff: Staff = by_default(default_factory=Staff)

    @property
    def planned_on(self) -> date | None:
        """The day by which packs are chosen: the planned departure, or the start where there is none."""
        return self.planned_departure_on or self.starts_on

    @property
    def stated(self) -> dict[str, Any]:
        """Every term that is stated, those among them that have a place of their own."""
        own = {
            "job_title": self.title,
            "field": self.field,
            "starts_on": self.starts_on.isoformat() if self.starts_on else None,
        }
        return {n: v for n, v in (own | dict(self.terms)).items() if v is not None}

    def chosen(self, packs: tuple[Pack, ...], nationality: str) -> Packs | NoPack:
        """The packs for somebody of a nationality."""
        on = self.planned_on
        if on is None:
            return NoPack("planned_day_stated", ["planned_departure_on", "starts_on"])
        return choose(packs, nationality=nationality, destination=self.destination, pathway=self.pathway, on=on)

    def facts(self, nationality: str, **more: Any) -> RequirementFacts:
        """What the rows of a pack may know of the job, for somebody of a nationality."""
        pay = self.terms.get("gross_annual_pay")
        monthly = term.number(self.terms.get("gross_monthly_pay"))
        regulated = self.terms.get("regulated_job")
        known: dict[str, Any] = {
            "nationality": nationality,
            "destination": self.destination,
            "field": self.field,
            "employer_country": self.employer.country,
            "employer_funded_by": "CN" if self.employer.chinese_funded else self.employer.country,
            "employer_kind": "natural_person" if self.employer.natural_person else "enterprise",
            "has_agency": self.agency_id is not None,
            "gross_annual_pay": term.number(pay) or (monthly * Decimal(12) if monthly else None),
            "pay_currency": self.terms.get(term.CURRENCY),
            "regulated_job": regulated if isinstance(regulated, bool) else None,
            "planned_departure_on": self.planned_departure_on,
            "starts_on": self.starts_on,
            "ends_on": self.ends_on,
            "options": frozenset(self.options),
            "levels_asked": self.levels_asked,
            "staff": self.staff,
            "foreigners_added": 0 if nationality == self.destination else self.seats,
            "entry_purpose": purpose_of(more.get("evidence") or {}),
        }
        return RequirementFacts(**(known | more))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDossier(Dossier):
    """All that the rules of a request may know."""

    seats: RequestSeats
    job: Job
    no_fee_for_workers: bool = False
    opens_on: date | None = None
    closes_on: date | None = None
    relationship: Tie | None = None
    agency: Tie | None = None
    evidence: Mapping[str, Evidence] = by_default(default_factory=dict, hash=False)
    packs: tuple[Pack, ...] = ()
    concerned: tuple[Concerned, ...] = ()
    asked_by: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[Any, RequirementFacts]]:
        """Every row of the packs of each nationality, with the facts that it is judged by."""
        for nationality in self.job.nationalities:
            chosen = self.job.chosen(self.packs, nationality)
            if isinstance(chosen, Packs):
                facts = self.job.facts(nationality, evidence=self.evidence)
                yield from ((r, facts) for r in chosen.requirements)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest(Dossier):
    """What is known when a request is drafted: the ties that it rests on, and for whom the caller speaks."""

    relationship_id: UUID | None = None
    agency_relationship_id: UUID | None = None
    asking_organisation: UUID | None = None


# ---- what was written down
def own_organisation(r: NewRequest, given: Given) -> Reason | None:
    """An enterprise asks for itself only."""
    if r.asking_organisation is not None and given["organisation_id"] != r.asking_organisation:
        return Reason("own_organisation", pointer="/organisation_id")
    return None


def relationships_known(r: NewRequest, given: Given) -> Iterator[Reason]:
    """The enterprise and the agency are organisations that the institution deals with as such."""
    if r.relationship_id is None:
        yield Reason("relationship_known", required=ENTERPRISE, pointer="/organisation_id")
    if given.get("agency_id") is not None and r.agency_relationship_id is None:
        yield Reason("relationship_known", required="agency", pointer="/agency_id")


def well_written(r: Any, given: Given) -> Iterator[Reason]:
    """Countries, the occupation, terms, options and days are written as they must be."""
    if given.get("destination", "CN") not in COUNTRIES:
        yield Reason("country_known", pointer="/destination")
    if any(n not in COUNTRIES for n in given.get("nationalities", ())):
        yield Reason("country_known", pointer="/nationalities")
    occupation = given.get("occupation", "1")
    if not (occupation.isascii() and occupation.isdigit() and len(occupation) <= 4):  # noqa: PLR2004
        yield Reason("occupation_code", required="ISCO-08", pointer="/occupation")
    yield from term.faults(given.get("terms") or {})
    names = ("opens_on", "closes_on", "planned_departure_on", "starts_on", "ends_on")
    job = getattr(r, "job", None)
    before = {n: getattr(job, n, None) or getattr(r, n, None) for n in names}
    day = before | {n: given[n] for n in names if given.get(n)}
    for first, last in (("opens_on", "closes_on"), ("planned_departure_on", "starts_on"), ("starts_on", "ends_on")):
        begins, ends = day[first], day[last]
        if begins and ends and ends < begins:
            yield Reason("dates_in_order", required=begins, actual=ends, pointer=f"/{last}")


# ---- what the packs ask for
def packs_fit(r: RequestDossier) -> Iterator[Reason]:
    """There is a pack for each nationality, and what it needs to be chosen by is stated."""
    for nationality in r.job.nationalities:
        chosen = r.job.chosen(r.packs, nationality)
        if isinstance(chosen, NoPack):
            yield Reason(chosen.code, chosen.required, chosen.actual, "/pathway")
        elif chosen.departs and r.job.planned_departure_on is None:
            yield Reason("departure_planned", required="planned_departure_on", pointer="/planned_departure_on")
            return


def terms_stated(r: RequestDossier) -> Reason | None:
    """A request states every term that its packs ask for."""
    stated = r.job.stated
    chosen = [c for n in r.job.nationalities if isinstance(c := r.job.chosen(r.packs, n), Packs)]
    missing = list(dict.fromkeys(t for packs in chosen for t in packs.terms if t not in stated))
    return Reason("terms_stated", required=missing, actual=sorted(stated), pointer="/terms") if missing else None


def no_fee_for_workers(r: RequestDossier) -> Reason | None:
    """No worker pays for being recruited."""
    return None if r.no_fee_for_workers else Reason("no_fee_for_workers", required=True, pointer="/no_fee_for_workers")


def agency_named(r: RequestDossier) -> Reason | None:
    """Where a pack asks for an agency's licence, the agency is named."""
    asked = any(
        row.item == AGENCY_LICENCE and checklist([row], facts) for row, facts in r.rows() if r.job.agency_id is None
    )
    return Reason("agency_named", required="agency_id", pointer="/agency_id") if asked else None


def closed_for_approval(r: RequestDossier, on: date) -> list[Reason]:
    """Everything that keeps a request from being approved on a day."""
    found: dict[str, Reason] = {}
    ties = [("relationship_verified", r.relationship)] + ([("agency_verified", r.agency)] if r.job.agency_id else [])
    for code, tie in ties:
        if tie is None or not tie.holds(on):
            found[code] = Reason(code, required="verified", actual=tie and tie.state, pointer=f"/{code.split('_')[0]}")
    for nationality in r.job.nationalities:
        chosen = r.job.chosen(r.packs, nationality)
        if isinstance(chosen, Packs):
            facts = r.job.facts(nationality, evidence=r.evidence)
            for reason in lacking(chosen.requirements, GATES["request_approved"], on, facts):
                found.setdefault(f"{reason.code} {reason.pointer} {reason.required} {reason.actual}", reason)
    return list(found.values())


def _turning(r: RequestDossier) -> Iterator[date]:
    yield from turning_days(r.rows())
    yield from (t.valid_until for t in (r.relationship, r.agency) if t and t.valid_until)


GATE_OPEN, MET_ON_THE_DAY, ON_THE_DAY = gated(closed_for_approval, _turning)


# ---- days and seats
def opening_day_come(r: RequestDossier) -> Reason | None:
    """A request opens on its opening day, not before."""
    if r.opens_on is not None and r.opens_on > r.today:
        return Reason("opening_day_come", required=r.opens_on, actual=r.today)
    return None


def closing_day_ahead(r: RequestDossier) -> Reason | None:
    """The closing day has not passed."""
    if r.closes_on is not None and r.closes_on < r.today:
        return Reason("closing_day_ahead", required=r.closes_on, actual=r.today)
    return None


def closing_day_passed(r: RequestDossier) -> Reason | None:
    """A request expires after its closing day."""
    if r.closes_on is None or r.closes_on >= r.today:
        return Reason("closing_day_passed", required=r.closes_on, actual=r.today)
    return None


def no_open_offers(r: RequestDossier) -> Reason | None:
    """Open offers are answered, or taken back, first."""
    return Reason("no_open_offers", required=0, actual=r.seats.offered) if r.seats.offered else None


def no_acceptance_yet(r: RequestDossier) -> Reason | None:
    """An enterprise cancels before the first acceptance; after it, a coordinator does."""
    accepted = r.seats.taken + r.seats.used
    return Reason("no_acceptance_yet", required=0, actual=accepted) if accepted and ENTERPRISE in r.asked_by else None


def a_seat_used(r: RequestDossier) -> Reason | None:
    """Only a seat that somebody left with is replaced."""
    return None if r.seats.used else Reason("a_seat_used", required=1, actual=0)


def seat_still_free(r: RequestDossier) -> Reason | None:
    """The seat that was given back is free still, and without it the request is as full as it was."""
    back_to = r.last_step.from_state if r.last_step else ""
    not_taken = r.seats.free + r.seats.offered
    if r.seats.free < 1 or (back_to == "open" and not_taken == 1):
        return Reason("seat_free", required=1, actual=r.seats.free)
    return None


def nobody_stands_on_it(r: RequestDossier) -> Reason | None:
    """No live candidacy rests on the step that is taken back."""
    return Reason("no_live_candidacies", required=0, actual=len(r.concerned)) if r.concerned else None


def after_the_pause(r: RequestDossier, _: Given) -> str:
    """Open again, or filled where every seat was taken meanwhile."""
    return "filled" if r.seats.full else "open"


def left_with(seats: RequestSeats, *, offered: int = 0, taken: int = 0, used: int = 0) -> RequestSeats:
    """The seats after some were given or given back."""
    return replace(seats, offered=seats.offered + offered, taken=seats.taken + taken, used=seats.used + used)


# ---- inputs
_LINE = Annotated[str, "line"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that the enterprise is to change: which field, and why."""

    field: _LINE
    reason_code: _LINE


CHANGEABLE = (
    "title", "occupation", "field", "destination", "pathway", "nationalities", "seats", "terms", "options",
    "levels_asked", "no_fee_for_workers", "opens_on", "closes_on", "planned_departure_on", "starts_on", "ends_on",
    "agency_id",
)  # fmt: skip
WHY_CHANGE = ("incomplete", "unreadable", "terms_unlawful", "pay_terms", "requirements_unmet", "data_error", "other")


def changes_named(_: RequestDossier, given: Given) -> Iterator[Reason]:
    """Each change names a field that can be changed, and one of the reasons."""
    for n, change in enumerate(given["changes"]):
        if change.field not in CHANGEABLE:
            yield Reason("field_known", required=CHANGEABLE, pointer=f"/changes/{n}/field")
        if change.reason_code not in WHY_CHANGE:
            yield Reason("reason_code_known", required=WHY_CHANGE, pointer=f"/changes/{n}/reason_code")


WRITTEN: tuple[Takes[Any], ...] = (
    Takes("title", _LINE, "What the job is called."),
    Takes("occupation", _LINE, "The occupation, by ISCO-08."),
    Takes("field", _LINE, "The sector or field, by the pack's own codes.", needed=False),
    Takes("destination", Annotated[str, "country"], "The country of work."),
    Takes("pathway", _LINE, "The legal way there: a pathway of a pack."),
    Takes("nationalities", tuple[Annotated[str, "country"], ...], "Whom the request takes."),
    Takes("seats", int, "How many people are asked for.", least=1, most=100_000, code="seats_some"),
    Takes("terms", dict, "The terms of the job, by their keys.", needed=False),
    Takes("options", tuple[str, ...], "Choices inside the pathway.", needed=False, choices=sorted(OPTIONS), code="option_known"),
    Takes("levels_asked", dict, "The lowest level that the job asks for, by test.", needed=False),
    Takes("no_fee_for_workers", bool, "Whether it is declared that no worker pays for being recruited.", needed=False),
    Takes("opens_on", date, "The first day of the request.", needed=False),
    Takes("closes_on", date, "The last day on which offers are made.", needed=False, least=lambda r: r.today, code="in_future"),
    Takes("planned_departure_on", date, "The day on which they are to leave.", needed=False),
    Takes("starts_on", date, "The first day of work.", needed=False),
    Takes("ends_on", date, "The last day of the contract.", needed=False),
)  # fmt: skip
OF_WHOM: tuple[Takes[Any], ...] = (
    Takes("organisation_id", UUID, "The enterprise."),
    Takes("agency_id", UUID, "The licensed agency, where there is one.", needed=False),
)
EDITED = tuple(replace(t, needed=False) for t in WRITTEN)
_PARTIES = [ENTERPRISE, COORDINATOR]
_PAUSE = because("capacity", "low_demand", "no_longer_needed", "safety", "schedule", "inspection", "other")
_REPLACED = because("health", "misconduct", "breach", "personal", "contract_dispute", "force_majeure", "other")
_ENDED = because("no_longer_needed", "position_filled", "employer_withdrew", "employer_insolvent", "safety",
                 "destination_barred", "authority_order", "force_majeure", "terms_unlawful", "fraud", "other")  # fmt: skip

# fmt: off
PLACEMENT_REQUEST = Lifecycle[Any]("placement_request", [
    #    action            from                              to                   who            only if                            leaves behind
    Rule("draft",           [NEW],                            "draft",             _PARTIES,      [],                                "placement_request.drafted",
         takes=[*OF_WHOM, *WRITTEN], checks=[own_organisation, relationships_known, well_written]),
    Rule("edit",            ["draft"],                        "draft",             _PARTIES,      [],                                "placement_request.edited",
         takes=EDITED, checks=[well_written]),
    Rule("edit",            ["changes_requested"],            "changes_requested", _PARTIES,      [],                                "placement_request.edited",
         takes=EDITED, checks=[well_written]),
    Rule("submit",          ["draft", "changes_requested"],   "submitted",         [ENTERPRISE],  [packs_fit, terms_stated, no_fee_for_workers, agency_named, closing_day_ahead], "placement_request.submitted"),
    Rule("take_on",         ["submitted"],                    "under_review",      [COORDINATOR], [],                                "placement_request.taken_on"),
    Rule("request_changes", ["under_review"],                 "changes_requested", [COORDINATOR], [],                                "placement_request.changes_requested",
         takes=[Takes("changes", tuple[Change, ...], "What is to be changed, each with its reason.")], checks=[changes_named]),
    Rule("reject",          ["under_review"],                 "rejected",          [COORDINATOR], [],                                "placement_request.rejected",
         takes=[because("terms_unlawful", "pay_terms", "requirements_unmet", "destination_barred", "safety", "fraud", "licence_lapsed", "capacity", "duplicate", "other")]),
    Rule("approve",         ["under_review"],                 "approved",          [COORDINATOR], [packs_fit, terms_stated, no_fee_for_workers, agency_named, closing_day_ahead, GATE_OPEN], "placement_request.approved",
         takes=ON_THE_DAY, checks=[MET_ON_THE_DAY], undo=[nobody_stands_on_it]),
    Rule("open",            ["approved"],                     "open",              [COORDINATOR, SYSTEM], [opening_day_come, closing_day_ahead], "placement_request.opened",
         undo=[nobody_stands_on_it]),
    Rule("hold",            ["open", "filled"],               "on_hold",           _PARTIES,      [no_open_offers],                  "placement_request.held",
         takes=[_PAUSE]),
    Rule("release",         ["on_hold"],                      ["open", "filled"],  _PARTIES,      [closing_day_ahead],               "placement_request.released",
         which=after_the_pause, undo=[no_open_offers]),
    Rule("fill",            ["open"],                         "filled",            [SYSTEM],      [],                                "placement_request.filled", undo=False),
    Rule("refill",          ["filled"],                       "open",              [SYSTEM],      [],                                "placement_request.refilled", undo=False),
    Rule("replace_seat",    ["open", "filled"],               "open",              [COORDINATOR], [a_seat_used],                     "placement_request.seat_replaced",
         takes=[_REPLACED], undo=[seat_still_free]),
    Rule("replace_seat",    ["on_hold"],                      "on_hold",           [COORDINATOR], [a_seat_used],                     "placement_request.seat_replaced",
         takes=[_REPLACED], undo=[seat_still_free]),
    Rule("close",           ["open", "filled", "on_hold"],    "closed",            [COORDINATOR], [no_open_offers],                  "placement_request.closed",
         takes=[_ENDED], shared=True, undo=False),
    Rule("expire",          ["approved", "open", "on_hold"],  "expired",           [SYSTEM],      [closing_day_passed, no_open_offers], "placement_request.expired",
         shared=True, undo=False),
    Rule("cancel",          BEFORE_END,                       "cancelled",         _PARTIES,      [no_acceptance_yet],               "placement_request.cancelled",
         takes=[_ENDED], shared=True, undo=False),
])
# fmt: on
