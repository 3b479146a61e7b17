"""Placements: from the contract to the work and home again, through the stages that the pinned packs name.

Nothing here knows a country: which stages apply, what each of them needs and until when it is good stands in the
packs, and is judged on the day of the event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from service.domain import gates
from service.domain.actors import AGENCY, COORDINATOR, ENTERPRISE, SYSTEM, TRAINEE
from service.domain.debts import debts_settled, provable
from service.domain.gates import last_days, told, turning_days
from service.domain.lifecycle import NEW, VOIDED, Check, Dossier, Given, Guard, Lifecycle, Reason, Rule, Takes, because
from service.domain.requirements import (
    GATES,
    LINE,
    Gate,
    NoPack,
    Pack,
    Packs,
    Requirement,
    RequirementFacts,
    add_months,
    checklist,
    choose,
    moved,
    still_valid,
    unmet,
)

if TYPE_CHECKING:
    from service.domain.obligations import Duty
    from service.domain.placement_requests import RequestSeats, Standing

AT_HOME = LINE[: LINE.index("departed")]
"""The stages before anybody left; where the pack has no departure, every stage before the work."""
AWAY = ("departed", "arrived", "active", "extension_pending", "transfer_pending")
ENTRY = ("nominated", "selected", "contracting")
"""What the candidacy had to meet; another pathway asks for it again."""
UNKNOWN_AFTER = timedelta(days=180)
"""How long nobody must have heard of a person before they may be written down as not to be found."""
SETTLED = ("settled", "open", "not_due")
PAYERS = ("trainee", "family", "enterprise", "agency", "school", "public_fund")
WISHES = ("abroad_again", "work_at_home", "study", "own_business", "undecided")
WHEREABOUTS = ("at_work", "returned", "elsewhere", "detained", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementDossier(Dossier):
    """All that the rules of a placement may know.

    `packs` are the pinned ones (None where one is no longer there), `library` every pack that is there, `items` the
    requirement items by what they are called, `kept` the columns as they stand, `replaced` what each step replaced,
    `transferring` the live candidacies by which a transfer would be completed, `duties` the obligations that stand,
    `organisations` and `zones` who owes them and where their days end, by provider.
    """

    facts: RequirementFacts
    packs: Packs | None = None
    library: tuple[Pack, ...] = ()
    stages: tuple[str, ...] = ()
    departs: bool = False
    pathway: str = ""
    authorisation_from_on: date | None = None
    authorisation_until_on: date | None = None
    visa_from_on: date | None = None
    visa_until_on: date | None = None
    terms_confirmed_on: date | None = None
    extension_until_on: date | None = None
    last_contact_on: date | None = None
    person_id: UUID | None = None
    request_id: UUID | None = None
    candidacy_id: UUID | None = None
    candidacy_state: str = ""
    candidacy_version: int = 0
    seats: RequestSeats | None = None
    transferring: tuple[Standing, ...] = ()
    duties: tuple[Duty, ...] = ()
    organisations: Mapping[str, UUID | None] = field(default_factory=dict, hash=False)
    zones: Mapping[str, str] = field(default_factory=dict, hash=False)
    items: Mapping[str, UUID] = field(default_factory=dict, hash=False)
    kept: Mapping[str, Any] = field(default_factory=dict, hash=False)
    replaced: Sequence[Mapping[str, Any]] = ()

    @property
    def window(self) -> tuple[date | None, date | None]:
        """The days on which the person may travel: inside the authorisation and the visa; None is no limit."""
        starts = [d for d in (self.authorisation_from_on, self.visa_from_on) if d]
        ends = [d for d in (self.authorisation_until_on, self.visa_until_on) if d]
        return max(starts, default=None), min(ends, default=None)


# ---- the requirements of a gate
def lacking(p: PlacementDossier, gate: Gate, on: date, facts: RequirementFacts | None = None) -> list[Reason]:
    """Everything that closes a gate on a day."""
    if p.packs is None:
        return [Reason("pack_known", actual=p.pathway)]
    facts = facts or p.facts
    ended = still_valid(p.packs, facts.planned_on) if p.state in AT_HOME and facts.planned_on else None
    return told(([ended] if ended else []) + list(unmet(p.packs.requirements, gate, on, facts)))


def last_open_day(p: PlacementDossier, gate: Gate) -> date | None:
    """The latest day, today or since the last step, on which the gate stood open; None where there was none."""
    rows = [r for r in p.packs.requirements if r.closes(gate)] if p.packs else []
    return gates.last_open_day(p, lambda d, on: lacking(d, gate, on), turning_days((r, p.facts) for r in rows))


def next_stage(p: PlacementDossier) -> str | None:
    """The next stage of the pack."""
    return next((s for s in p.stages if LINE.index(s) > LINE.index(p.state)), None)


def is_next_stage_of_pack(stage: str) -> Guard[PlacementDossier]:
    """A guard for the action that leads to a stage."""

    def guard(p: PlacementDossier) -> Reason | None:
        """Stages are taken in the order of the pack, none left out."""
        following = next_stage(p)
        return None if following == stage else Reason("is_next_stage_of_pack", required=following, actual=stage)

    return guard


def gate_open(action: str, stage: str | None = None) -> Guard[PlacementDossier]:
    """A guard for an action that requirements gate; for a stage only where it is the next one."""

    def guard(p: PlacementDossier) -> list[Reason]:
        """What the packs ask for is met on a day on which the step can have happened."""
        gate = Gate("placement", action)
        if stage is not None and next_stage(p) != stage:
            return []
        return [] if last_open_day(p, gate) else lacking(p, gate, p.today)

    return guard


def met_on_the_day(action: str) -> Check[PlacementDossier]:
    """A check for an action that requirements gate."""

    def check(p: PlacementDossier, given: Given) -> list[Reason]:
        """What the packs ask for is met on the day of the event."""
        return lacking(p, Gate("placement", action), given.get("occurred_on") or p.today)

    return check


def gated_day(action: str, stage: str | None = None, *, inside: bool = False) -> Takes[PlacementDossier]:
    """The day of an event that requirements gate; `inside` also the windows of travel."""
    gate = Gate("placement", action)

    def most(p: PlacementDossier) -> date:
        judged = stage is None or next_stage(p) == stage
        last = (last_open_day(p, gate) if judged else None) or p.today
        return min(last, p.window[1] or last) if inside else last

    def least(p: PlacementDossier) -> date | None:
        return max((d for d in (p.since_on, p.window[0] if inside else None) if d), default=None)

    about = "The day it happened, local to where it happened; today where none is given."
    return Takes("occurred_on", date, about, needed=False, least=least, most=most, code="occurred_on_in_range")


# ---- travel
def window_open(p: PlacementDossier) -> Reason | None:
    """The windows of the authorisation and the visa leave days to travel, and not all of them are past."""
    first, last = p.window
    if last is not None and (last < (p.since_on or last) or (first is not None and first > last)):
        return Reason("window_open", required={"least": first, "most": last}, actual=p.today)
    return None


def leaves_inside(p: PlacementDossier, given: Given) -> Reason | None:
    """Whoever leaves today leaves inside the windows too."""
    on, (first, last) = given.get("occurred_on") or p.today, p.window
    if (first is not None and on < first) or (last is not None and on > last):
        return Reason("out_of_window", required={"least": first, "most": last}, actual=on, pointer="/occurred_on")
    return None


def arrives_after_leaving(p: PlacementDossier, given: Given) -> Reason | None:
    """Nobody arrives before they left."""
    leaves = given.get("leaves_on") or given.get("occurred_on") or p.facts.planned_departure_on
    arrives = given.get("arrives_on")
    if leaves and arrives and arrives < leaves:
        return Reason("arrives_after_leaving", required=leaves, actual=arrives, pointer="/arrives_on")
    return None


def window_of(p: PlacementDossier, action: str) -> tuple[date | None, date | None]:
    """The days for which what was granted for a gate is good: from the placement's own accepted evidence."""
    if p.packs is None:
        return None, None
    granting = ("months_from_issue", "days_from_issue", "covers")
    rows = [
        r
        for r in p.packs.requirements
        if r.gate == Gate("placement", action)
        and r.subject == "placement"
        and r.asks is None
        and (r.item == "visa" or any(v.rule in granting for v in r.validity))
    ]
    held = [(r, e) for r in rows if (e := p.facts.evidence.get(r.item)) and e.state == "accepted"]
    starts = [e.valid_from for _, e in held if e.valid_from]
    ends = [
        d
        for r, e in held
        for d in last_days(replace(r, validity=tuple(v for v in r.validity if v.rule != "covers")), e)
    ]
    return max(starts, default=None), min(ends, default=None)


def _from(action: str, name: str, about: str) -> Takes[PlacementDossier]:
    return Takes(name, date, about, needed=False, least=lambda p: window_of(p, action)[0], code="out_of_window")


def _until(action: str, name: str, about: str) -> Takes[PlacementDossier]:
    return Takes(
        name, date, about, needed=False,
        least=lambda p: window_of(p, action)[0], most=lambda p: window_of(p, action)[1], code="out_of_window",
    )  # fmt: skip


def windows_in_order(_p: PlacementDossier, given: Given) -> Iterator[Reason]:
    """A window begins before it ends."""
    for kind in ("authorisation", "visa"):
        first, last = given.get(f"{kind}_from_on"), given.get(f"{kind}_until_on")
        if first and last and last < first:
            yield Reason("dates_in_order", required=first, actual=last, pointer=f"/{kind}_until_on")


def plan_in_order(p: PlacementDossier, given: Given) -> Iterator[Reason]:
    """A departure, a start and an end come in this order."""
    names = ("planned_departure_on", "starts_on", "ends_on")
    days = [(n, given.get(n) or getattr(p.facts, n)) for n in names]
    known = [(n, d) for n, d in days if d]
    for (_, before), (name, after) in pairwise(known):
        if after < before:
            yield Reason("dates_in_order", required=before, actual=after, pointer=f"/{name}")


# ---- at work
def departs(p: PlacementDossier) -> Reason | None:
    """Only who was sent abroad comes home again."""
    return None if p.departs else Reason("departs", actual=p.pathway)


def stays_at_home(p: PlacementDossier) -> Reason | None:
    """Who was sent abroad is brought home before the placement is closed."""
    if p.state == "completed" and p.departs:
        return Reason("home_again", required="start_return", actual=p.state)
    return None


def terms_confirmed(p: PlacementDossier) -> Reason | None:
    """The trainee has confirmed that the terms are those that were agreed."""
    return None if p.terms_confirmed_on else Reason("terms_confirmed", required="confirm_terms")


def contract_ended(p: PlacementDossier) -> Reason | None:
    """The contract's last day has come."""
    if p.facts.ends_on is None or p.facts.ends_on > p.today:
        return Reason("contract_ended_on", required=p.facts.ends_on, actual=p.today)
    return None


def months_until(start: date, last: date) -> int:
    """The begun months from a first to a last day."""
    end = last + timedelta(days=1)
    months = max((end.year - start.year) * 12 + end.month - start.month, 0)
    return months if add_months(start, months) >= end else months + 1


def extended(p: PlacementDossier, until: date | None) -> RequirementFacts:
    """The facts as they would be with a later end."""
    start = p.facts.starts_on
    stay = months_until(start, until) if start and until else None
    return replace(p.facts, ends_on=until, stay_months=stay)


def extension_open(p: PlacementDossier) -> list[Reason]:
    """What the packs ask for is met for the time that was asked for."""
    return lacking(p, GATES["extension"], p.today, extended(p, p.extension_until_on))


def extension_met(p: PlacementDossier, given: Given) -> list[Reason]:
    """And for the end that is granted, on the day of the event."""
    until = given.get("ends_on") or p.extension_until_on
    return lacking(p, GATES["extension"], given.get("occurred_on") or p.today, extended(p, until))


# ---- lost and found
def found_where(_p: PlacementDossier, given: Given) -> str:
    """Back at work, on the way home, or closed."""
    return {"at_work": "active", "returned": "returning"}.get(given["outcome"], "closed")


def long_unknown(p: PlacementDossier, given: Given) -> Reason | None:
    """Nobody is written down as not to be found before half a year has passed."""
    heard = p.last_contact_on or p.since_on
    if given["outcome"] == "unknown" and heard is not None and p.today < heard + UNKNOWN_AFTER:
        return Reason("long_unknown", required=heard + UNKNOWN_AFTER, actual=p.today, pointer="/outcome")
    return None


# ---- another pathway
@dataclass(frozen=True, slots=True)
class Change:
    """What another pathway would mean: the stage that is kept, and the requirements that come and go."""

    packs: Packs
    facts: RequirementFacts
    stage: str
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    changed: tuple[str, ...] = ()
    still_good: tuple[str, ...] = ()


GOOD = ("accepted", "met", "waived")
"""How a line of a checklist stands where nothing is left to be done."""


def change_of(p: PlacementDossier, given: Given) -> Change | NoPack:
    """The packs of another pathway or another planned day, and how far the placement would still be.

    The stage kept is the latest, not after the present one, that both have and before which every gate holds.
    """
    days = {n: given.get(n) or getattr(p.facts, n) for n in ("planned_departure_on", "starts_on", "ends_on")}
    facts = replace(p.facts, **days)
    if facts.planned_on is None or facts.nationality is None or facts.destination is None:
        return NoPack("input_required", "planned_departure_on")
    packs = choose(
        p.library,
        nationality=facts.nationality,
        destination=facts.destination,
        pathway=given["pathway"],
        on=facts.planned_on,
    )
    if isinstance(packs, NoPack):
        return packs
    on, kept = given.get("occurred_on") or p.today, "contracting"
    for stage in packs.stages[1:]:
        if LINE.index(stage) > LINE.index(p.state) or unmet(packs.requirements, GATES[stage], on, facts):
            break
        kept = stage if stage in p.stages else kept
    before = _by_key(p.packs.requirements if p.packs else ())
    after = _by_key(packs.requirements)
    both = before.keys() & after.keys()
    return Change(
        packs,
        facts,
        kept,
        tuple(sorted(after.keys() - both)),
        tuple(sorted(before.keys() - both)),
        tuple(sorted(k for k in both if before[k] != after[k])),
        tuple(sorted(r.key for r in checklist(packs.requirements, facts) if r.state in GOOD)),
    )


def _by_key(rows: Iterable[Requirement]) -> dict[str, list[Requirement]]:
    """The rows of each key, without the name of the pack that says so."""
    found: dict[str, list[Requirement]] = {}
    for r in rows:
        found.setdefault(r.key, []).append(replace(r, source=replace(r.source, pack="")))
    return found


def pathway_fits(p: PlacementDossier, given: Given) -> list[Reason]:
    """The other pathway has a pack for this person and day, it is another, and the candidate meets it."""
    change = change_of(p, given)
    if isinstance(change, NoPack):
        return [Reason(change.code, change.required, change.actual, "/pathway")]
    if p.packs is not None and change.packs.pins == p.packs.pins:
        return [Reason("another_pathway", actual=list(change.packs.pins), pointer="/pathway")]
    on = given.get("occurred_on") or p.today
    return [r for gate in ENTRY for r in told(unmet(change.packs.requirements, GATES[gate], on, change.facts))]


def stage_kept(p: PlacementDossier, given: Given) -> str:
    """The stage on which the placement stands under the other pathway."""
    change = change_of(p, given)
    return p.state if isinstance(change, NoPack) else change.stage


# ---- a newer version of its packs
def packs_to_follow(p: PlacementDossier) -> Packs | None:
    """The packs to which newer versions move the placement by their transitions; None where none does."""
    facts = p.facts
    if p.packs is None or facts.planned_on is None or facts.nationality is None or facts.destination is None:
        return None
    found = moved(
        p.packs, p.library, nationality=facts.nationality, destination=facts.destination, planned_on=facts.planned_on,
        today=p.today, state=p.state,
    )  # fmt: skip
    return None if found.pins == p.packs.pins else found


def version_moves(p: PlacementDossier) -> Reason | None:
    """A newer version of its packs moves whoever is on the way, by its transition."""
    return None if packs_to_follow(p) else Reason("version_moves", actual=list(p.packs.pins) if p.packs else [])


# ---- corrections
def corrected_by_candidacy(_p: PlacementDossier) -> Reason:
    """What an acceptance made is taken back with the acceptance, never alone."""
    return Reason("corrected_by_candidacy", required="candidacy")


def nothing_given_back(p: PlacementDossier) -> Reason | None:
    """A candidacy that fell through and a seat that came back are not called back: a new candidacy begins."""
    if p.last_step is not None and p.last_step.from_state in AT_HOME:
        return Reason("nothing_given_back", required="candidacy", actual=p.last_step.from_state)
    return None


def nobody_transferring(p: PlacementDossier) -> Reason | None:
    """Candidacies for the transfer end with it, by a refusal; they do not outlive its asking."""
    return Reason("no_live_candidacies", required=0, actual=len(p.transferring)) if p.transferring else None


def _day(name: str, about: str, *, needed: bool = True) -> Takes[Any]:
    return Takes(name, date, about, needed=needed)


PLAN: tuple[Takes[Any], ...] = (
    _day("planned_departure_on", "The day on which they are to leave.", needed=False),
    _day("starts_on", "The first day of work.", needed=False),
    _day("ends_on", "The last day of the contract.", needed=False),
)
LINE_TEXT = Annotated[str, "line"]
LEAVES: tuple[Takes[Any], ...] = (
    Takes("leaves_on", date, "The day of departure, where it is not the one planned so far.", needed=False,
          least=lambda p: p.window[0], most=lambda p: p.window[1], code="out_of_window"),
    Takes("arrives_on", date, "The day of arrival.",
          least=lambda p: p.window[0], most=lambda p: p.window[1], code="out_of_window"),
)  # fmt: skip


def planned_inside(p: PlacementDossier, given: Given) -> Reason | None:
    """The departure that is planned so far is inside the windows where no other is given."""
    on, (first, last) = p.facts.planned_departure_on, p.window
    if given.get("leaves_on") or on is None:
        return None
    if (first is not None and on < first) or (last is not None and on > last):
        return Reason("out_of_window", required={"least": first, "most": last}, actual=on, pointer="/leaves_on")
    return None


def _earlier(stage: str) -> Sequence[str]:
    return LINE[: LINE.index(stage)]


def _advance(
    action: str,
    stage: str,
    who: Sequence[Any],
    *guards: Guard[Any],
    takes: Sequence[Takes[Any]] = (),
    checks: Sequence[Check[Any]] = (),
    inside: bool = False,
    **more: Any,
) -> Rule[Any]:
    """One step along the main line: from every earlier stage, to the next one of the pack, with its requirements."""
    waits = [debts_settled] if LINE.index(stage) <= LINE.index("departed") else []
    return Rule(
        action, _earlier(stage), stage, who, [is_next_stage_of_pack(stage), *guards, gate_open(action, stage), *waits],
        f"placement.{action}", takes=[gated_day(action, stage, inside=inside), *takes],
        checks=[*checks, met_on_the_day(action)], **more,
    )  # fmt: skip


CANCELLED = because(
    "visa_refused", "authorisation_refused", "medically_unfit", "trainee_withdrew", "employer_withdrew", "force_majeure"
)
WHO_PAYS: tuple[Takes[Any], ...] = (
    Takes("paid_by", str, "Who pays for what it costs.", choices=PAYERS, code="payer_known"),
    Takes("asked_by_trainee", bool, "Whether the trainee asked for it.", needed=False),
)
NOT_FINAL = (*LINE, "extension_pending", "transfer_pending", "completed", "early_return", "terminated_abroad",
             "terminated", "absconded", "returning", "returned", "reintegrating")  # fmt: skip

# fmt: off
PLACEMENT = Lifecycle[Any]("placement", [
    Rule("contract",           [NEW],                  "contracting", [SYSTEM],              [], "placement.contracted",
         undo=[corrected_by_candidacy]),
    _advance("collect_documents",  "documents",     [COORDINATOR],
             takes=[Takes("agency_contract", str, "What the agency signed with the trainee.", needed=False,
                          choices=["service", "labour"], code="agency_contract_known")]),
    _advance("apply_authorisation", "authorisation", [COORDINATOR]),
    _advance("apply_visa",         "visa",          [COORDINATOR], checks=[windows_in_order], takes=[
        _from("apply_visa", "authorisation_from_on", "The first day of the authorisation."),
        _until("apply_visa", "authorisation_until_on", "The last day of the authorisation.")]),
    _advance("prepare_departure",  "pre_departure", [COORDINATOR], checks=[windows_in_order], takes=[
        _from("prepare_departure", "visa_from_on", "The first day of the visa."),
        _until("prepare_departure", "visa_until_on", "The last day of the visa.")]),
    _advance("clear",              "ready",         [COORDINATOR], window_open,
             takes=LEAVES, checks=[planned_inside, arrives_after_leaving]),
    _advance("depart",             "departed",      [COORDINATOR, AGENCY], window_open, inside=True, shared=True,
             takes=[Takes("flight", LINE_TEXT, "The flight, train or ship.", needed=False)], checks=[leaves_inside]),
    _advance("arrive",             "arrived",       [TRAINEE, ENTERPRISE, COORDINATOR], evidence=True),
    _advance("start_work",         "active",        [ENTERPRISE], terms_confirmed, shared=True),
    #    action                from                    to             who                    only if            leaves behind
    *[Rule("reschedule",       [stage],                stage,         [COORDINATOR],         [], "placement.rescheduled",
           takes=PLAN, checks=[plan_in_order]) for stage in AT_HOME],
    *[Rule("confirm_terms",    [stage],                stage,         [TRAINEE],             [], "placement.terms_confirmed")
      for stage in LINE[:-1]],
    *[Rule("change_pathway",   [stage],                [*_earlier(stage), stage], [COORDINATOR], [], "placement.pathway_changed",
           which=stage_kept, takes=[Takes("pathway", LINE_TEXT, "The other pathway."), *PLAN],
           checks=[plan_in_order, pathway_fits], undo=False) for stage in AT_HOME],
    *[Rule("follow_version",   [stage],                stage,         [SYSTEM],              [version_moves], "placement.version_followed",
           undo=False) for stage in AT_HOME],
    Rule("cancel",             AT_HOME,                "cancelled",   [COORDINATOR, SYSTEM], [], "placement.cancelled",
         takes=[CANCELLED], shared=True, undo=False),
    Rule("withdraw",           AT_HOME,                "cancelled",   [TRAINEE],             [], "placement.withdrawn",
         takes=[because("personal", "family", "health", "financial", "other_offer", "pay_terms", "other")], shared=True, undo=False),
    Rule("ask_extension",      ["active"],             "extension_pending", [ENTERPRISE, TRAINEE, COORDINATOR], [], "placement.extension_asked",
         takes=[Takes("until_on", date, "The last day that is asked for.", code="after_the_end",
                      least=lambda p: p.facts.ends_on and p.facts.ends_on + timedelta(days=1))]),
    Rule("extend",             ["extension_pending"],  "active",      [COORDINATOR],         [extension_open, debts_settled], "placement.extended",
         evidence=True, checks=[extension_met],
         takes=[Takes("ends_on", date, "The last day of the renewed contract; the one asked for where none is given.", needed=False,
                      least=lambda p: p.facts.ends_on and p.facts.ends_on + timedelta(days=1),
                      most=lambda p: p.extension_until_on, code="after_the_end"),
                _day("authorisation_until_on", "The last day of the renewed permit.", needed=False)]),
    Rule("refuse_extension",   ["extension_pending"],  "active",      [COORDINATOR],         [], "placement.extension_refused",
         takes=[because("no_longer_needed", "authorisation_refused", "employer_withdrew", "trainee_withdrew", "other")]),
    Rule("ask_transfer",       ["active"],             "transfer_pending", [TRAINEE, COORDINATOR], [gate_open("ask_transfer")], "placement.transfer_asked",
         takes=[gated_day("ask_transfer"),
                because("terms_not_met", "wages_unpaid", "unsafe_conditions", "contract_dispute", "employer_insolvent", "personal", "other")],
         checks=[met_on_the_day("ask_transfer")], undo=[nobody_transferring]),
    # Not taken back: the other candidacies have ended and their seats are free; another transfer leads back.
    Rule("complete_transfer",  ["transfer_pending"],   "active",      [SYSTEM],              [], "placement.transferred", undo=False),
    Rule("refuse_transfer",    ["transfer_pending"],   "active",      [COORDINATOR],         [], "placement.transfer_refused",
         takes=[because("requirements_unmet", "position_filled", "trainee_withdrew", "other")], shared=True),
    Rule("complete",           ["active"],             "completed",   [COORDINATOR, SYSTEM], [contract_ended], "placement.completed"),
    Rule("return_early",       AWAY,                   "early_return", [COORDINATOR],        [departs], "placement.returning_early", shared=True,
         takes=[because("health", "family", "contract_dispute", "wages_unpaid", "unsafe_conditions", "employer_insolvent", "force_majeure", "personal", "other"), *WHO_PAYS]),
    Rule("terminate",          AWAY,                   ["terminated_abroad", "terminated"], [COORDINATOR], [], "placement.terminated", shared=True,
         which=lambda p, _given: "terminated_abroad" if p.departs else "terminated",
         takes=[because("misconduct", "breach", "redundancy", "employer_insolvent", "contract_dispute", "medically_unfit", "personal", "other"), *WHO_PAYS]),
    Rule("report_missing",     [*AWAY, "completed", "early_return", "terminated_abroad"], "absconded", [COORDINATOR], [], "placement.reported_missing", shared=True,
         takes=[Takes("last_contact_on", date, "The day on which they were last heard of.", most=lambda p: p.today)]),
    Rule("found",              ["absconded"],          ["active", "returning", "closed"], [COORDINATOR], [], "placement.found",
         which=found_where, checks=[long_unknown],
         takes=[Takes("outcome", str, "Where they are.", choices=WHEREABOUTS, code="outcome_known")]),
    Rule("start_return",       ["completed", "early_return", "terminated_abroad"], "returning", [COORDINATOR], [departs], "placement.return_started",
         takes=[_day("returns_on", "The day on the ticket.")], evidence=True),
    Rule("record_return",      ["returning"],          "returned",    [COORDINATOR],         [], "placement.returned",
         takes=[Takes(name, str, about, choices=SETTLED, code="settlement_known") for name, about in
                (("wages", "Whether the wages are paid in full."), ("insurance", "Whether the insurances are ended or paid out."),
                 ("pension", "Whether the pension was claimed or carried on."))]),
    Rule("reintegrate",        ["returned"],           "reintegrating", [COORDINATOR],       [], "placement.reintegrating",
         takes=[Takes("skills_gained", str, "What they learned, from the interview."),
                Takes("wish", str, "What they want to do next.", choices=WISHES, code="wish_known"),
                _day("available_from", "The first day they could start again.", needed=False),
                Takes("available_until", date, "The last day on which the wish counts as confirmed.", needed=False,
                      least=lambda p: p.today, most=lambda p: p.today + timedelta(days=365))]),
    Rule("close",              ["reintegrating", "completed", "terminated"], "closed", [COORDINATOR], [stays_at_home, debts_settled], "placement.closed"),
    Rule("record_death",       NOT_FINAL,              "deceased",    [COORDINATOR],         [], "placement.death_recorded",
         takes=[_day("family_informed_on", "The day on which the family was informed.")], evidence=True, shared=True, undo=[nothing_given_back]),
    # The import by which somebody came in mid-way was taken back.
    Rule("void",               LINE,                   VOIDED,        [SYSTEM],              [], "placement.voided", shared=True, undo=False),
], provable=provable("terms_confirmed"))
# fmt: on

__all__ = ["PLACEMENT", "Change", "PlacementDossier", "change_of", "lacking", "told", "window_of"]
