"""The placement's table, walked whole, and its guards on the days before, on and after each boundary."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from service.domain.actors import AGENCY, COORDINATOR, ENTERPRISE, READER, SYSTEM, TRAINEE, Actor, Role
from service.domain.journey import AWAY as JOURNEY_AWAY
from service.domain.journey import LIVE, Held, stage
from service.domain.lifecycle import NEW, VOIDED, LastStep, Refused
from service.domain.placement_requests import RequestSeats, Standing
from service.domain.placements import (
    AT_HOME,
    PLACEMENT,
    PlacementDossier,
    change_of,
    last_open_day,
    months_until,
    window_of,
    windows_in_order,
)
from service.domain.requirements import (
    GATES,
    LINE,
    Evidence,
    Packs,
    Payment,
    RequirementFacts,
    Transition,
    choose,
    reopen,
)
from service.domain.requirements.choosing import NoPack
from service.storage.packs import shipped_packs

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
PACKS = shipped_packs()


def actor(*roles: Role) -> Actor:
    return Actor(uuid4(), frozenset(roles))


C = actor(COORDINATOR)


def packs_for(nationality: str, destination: str, pathway: str) -> Packs:
    found = choose(PACKS, nationality=nationality, destination=destination, pathway=pathway, on=TODAY)
    assert isinstance(found, Packs), found
    return found


def dossier(
    nationality: str = "CN", destination: str = "JP", pathway: str = "jp_ssw1", **more: Any
) -> PlacementDossier:
    """A placement whose every requirement is met, unless it is said otherwise."""
    packs = packs_for(nationality, destination, pathway)
    facts = RequirementFacts(
        nationality=nationality,
        destination=destination,
        birth_on=date(2000, 1, 1),
        field="agriculture",
        employer_country=destination,
        has_agency=True,
        agency_contract="service",
        people_in_country=1,
        planned_departure_on=TODAY + 10 * DAY if packs.departs else None,
        starts_on=TODAY + 20 * DAY,
        ends_on=TODAY + 700 * DAY,
        passport_expires_on=date(2034, 1, 1),
        regulated_job=False,
        diploma_language="en",
        evidence={
            r.item: Evidence(
                state="accepted",
                issued_on=TODAY - 10 * DAY,
                valid_until=None if r.item in ("medical_examination", "photo") else date(2032, 1, 1),
                documents=1,
            )
            for r in packs.requirements
        },
    )
    known: dict[str, Any] = {
        "state": "contracting",
        "today": TODAY,
        "since_on": TODAY - 60 * DAY,
        "facts": facts,
        "packs": packs,
        "library": PACKS,
        "stages": packs.stages,
        "departs": packs.departs,
        "pathway": pathway,
        "terms_confirmed_on": TODAY - DAY,
    }
    return PlacementDossier(**(known | more))


def without(p: PlacementDossier, *items: str) -> PlacementDossier:
    left = {k: v for k, v in p.facts.evidence.items() if k not in items}
    return replace(p, facts=replace(p.facts, evidence=left))


def with_item(p: PlacementDossier, item: str, **known: Any) -> PlacementDossier:
    held = Evidence(**({"state": "accepted"} | known))
    return replace(p, facts=replace(p.facts, evidence={**p.facts.evidence, item: held}))


def codes(action: str, p: PlacementDossier, who: Actor = C, **given: Any) -> list[str]:
    with pytest.raises(Refused) as refused:
        PLACEMENT.decide(action, p, who, given)
    return [r.code for r in refused.value.reasons]


def to(action: str, p: PlacementDossier, who: Actor = C, **given: Any) -> str:
    return PLACEMENT.decide(action, p, who, given).to_state


ADVANCE: dict[str, tuple[str, Actor, dict[str, Any]]] = {
    "documents": ("collect_documents", C, {}),
    "authorisation": ("apply_authorisation", C, {}),
    "visa": ("apply_visa", C, {}),
    "pre_departure": ("prepare_departure", C, {}),
    "ready": ("clear", C, {"arrives_on": TODAY + 11 * DAY}),
    "departed": ("depart", actor(AGENCY), {}),
    "arrived": ("arrive", actor(TRAINEE), {"evidence": (uuid4(),)}),
    "active": ("start_work", actor(ENTERPRISE), {}),
}


# ---- the table
def test_placement_states_are_those_of_the_field() -> None:
    assert PLACEMENT.states() == [
        "contracting", "documents", "authorisation", "visa", "pre_departure", "ready", "departed", "arrived", "active",
        "cancelled", "extension_pending", "transfer_pending", "completed", "early_return", "terminated_abroad",
        "terminated", "absconded", "returning", "closed", "returned", "reintegrating", "deceased", VOIDED,
    ]  # fmt: skip
    assert set(PLACEMENT.states()) >= LIVE["placement"] | JOURNEY_AWAY


@pytest.mark.parametrize("state", [s for s in PLACEMENT.states() if s != VOIDED])
@pytest.mark.parametrize("pathway", [("CN", "JP", "jp_ssw1"), ("CN", "DE", "de_18a"), ("TH", "TH", "home_hire")])
def test_placement_offers_and_decisions_agree_for_every_action_state_and_role(
    state: str, pathway: tuple[str, str, str]
) -> None:
    p = dossier(*pathway, state=state)
    given: dict[str, Any] = {
        "evidence": (uuid4(),), "arrives_on": TODAY + 11 * DAY, "leaves_on": TODAY + 10 * DAY, "until_on": TODAY + 800 * DAY,
        "outcome": "at_work", "paid_by": "enterprise", "last_contact_on": TODAY, "returns_on": TODAY, "wages": "settled",
        "insurance": "open", "pension": "not_due", "skills_gained": "...", "wish": "study", "family_informed_on": TODAY,
        "note": "-",
    }  # fmt: skip
    for role in (COORDINATOR, TRAINEE, ENTERPRISE, AGENCY, SYSTEM, READER):
        who = actor(role)
        for offer in PLACEMENT.offers(p, who):
            rules = PLACEMENT.by_action.get(offer.action, [])
            rule = next((r for r in rules if state in r.sources), None)
            because = next((t.choices[0] for t in (rule.takes if rule else ()) if t.name == "reason_code"), None)
            said = given | {"reason_code": because}
            if offer.action == "change_pathway":
                continue
            if COORDINATOR in who.roles and rule and COORDINATOR not in rule.who:
                said["recorded_for"] = next(w for w in rule.who if w != SYSTEM)
            try:
                step = PLACEMENT.decide(offer.action, p, who, said)
            except Refused:
                granted = False
            else:
                granted = True
                assert (step.from_state, step.to_state) in {*PLACEMENT.edges(), (state, state)}
            assert granted == offer.open, (offer, role)


def test_placement_live_states_are_all_but_those_that_end_it() -> None:
    ended = {
        "completed",
        "returning",
        "returned",
        "reintegrating",
        "closed",
        "cancelled",
        "terminated",
        "deceased",
        VOIDED,
    }
    assert LIVE["placement"] == set(PLACEMENT.states()) - ended


@pytest.mark.parametrize("pathway", [("CN", "JP", "jp_ssw1"), ("CN", "DE", "de_18a"), ("TH", "TH", "home_hire")])
def test_placement_walks_the_stages_of_its_pack_and_no_other(pathway: tuple[str, str, str]) -> None:
    p = dossier(*pathway)
    for following in p.stages[1:]:
        for other, (action, who, given) in ADVANCE.items():
            if LINE.index(other) > LINE.index(p.state) and other != following:
                assert codes(action, p, who, **given)[0] == "is_next_stage_of_pack"
        action, who, given = ADVANCE[following]
        assert to(action, p, who, **given) == following
        p = replace(p, state=following)


def test_placement_stage_of_the_journey_follows() -> None:
    def seen(state: str, *, departs: bool) -> str:
        return stage([Held("placement", uuid4(), state, departs)])

    line = [seen(s, departs=True) for s in LINE]
    assert line == ["contracted"] + ["preparing_departure"] * 5 + ["abroad"] * 3
    assert [seen(s, departs=False) for s in ("contracting", "documents", "active")] == [
        "contracted", "preparing_departure", "employed",
    ]  # fmt: skip
    assert [seen(s, departs=True) for s in ("returning", "returned", "reintegrating", "closed")] == [
        "abroad", "returned", "returned", "alumni",
    ]  # fmt: skip


# ---- requirements on the day of the event
def test_placement_names_each_requirement_that_is_missing_and_who_owes_it() -> None:
    p = without(dossier(), "employment_contract", "risk_notice")
    with pytest.raises(Refused) as refused:
        PLACEMENT.decide("collect_documents", p, C, {})
    found = {(r.code, r.pointer, tuple(r.required["owed_by"]), r.required["evidence"]) for r in refused.value.reasons}
    assert found == {
        ("requirement_missing", "requirement/employment_contract", ("enterprise",), "secondary"),
        ("requirement_missing", "requirement/risk_notice", ("agency",), "official"),
    }


def test_placement_judges_a_medical_on_the_day_of_the_application() -> None:
    """Three months from 22 August end on 22 November: met the day before and on it, not the day after."""
    good = with_item(dossier(state="documents"), "medical_examination", issued_on=date(2026, 8, 22))
    assert to("apply_authorisation", good) == "authorisation"
    late = replace(good, today=TODAY + DAY)
    assert codes("apply_authorisation", late) == ["requirement_too_old"]
    assert codes("apply_authorisation", late, occurred_on=TODAY + DAY) == ["occurred_on_in_range"]
    assert to("apply_authorisation", late, occurred_on=TODAY) == "authorisation"
    assert to("apply_authorisation", late, occurred_on=TODAY - DAY) == "authorisation"


def test_placement_offers_the_days_on_which_the_requirements_held() -> None:
    late = with_item(dossier(state="documents", today=TODAY + DAY), "medical_examination", issued_on=date(2026, 8, 22))
    offer = next(o for o in PLACEMENT.offers(late, C) if o.action == "apply_authorisation")
    day = next(i for i in offer.inputs if i["name"] == "occurred_on")
    assert (offer.open, day["least"], day["most"]) == (True, TODAY - 60 * DAY, TODAY)
    passed = replace(late, since_on=TODAY + DAY)
    closed = next(o for o in PLACEMENT.offers(passed, C) if o.action == "apply_authorisation")
    assert (closed.open, [r.code for r in closed.reasons]) == (False, ["requirement_too_old"])


def test_placement_offers_the_days_before_a_row_came_into_force() -> None:
    p = without(dossier(), "risk_notice")
    assert p.packs is not None
    later = tuple(
        replace(r, effective_from=TODAY) if r.key == "risk_notice" else r for r in p.packs.added[0].requirements
    )
    packs = replace(p.packs, added=(replace(p.packs.added[0], requirements=later), *p.packs.added[1:]))
    p = replace(p, packs=packs)
    assert last_open_day(p, GATES["documents"]) == TODAY - DAY
    assert codes("collect_documents", p, occurred_on=TODAY) == ["occurred_on_in_range"]
    assert to("collect_documents", p, occurred_on=TODAY - DAY) == "documents"


def test_placement_gates_close_when_the_planned_day_leaves_the_pack() -> None:
    p = dossier()
    assert p.packs is not None
    ending = replace(p.packs.pathway, valid_to=TODAY + 10 * DAY)
    p = replace(p, packs=replace(p.packs, pathway=ending))
    assert to("collect_documents", p) == "documents"
    moved = replace(p, facts=replace(p.facts, planned_departure_on=TODAY + 11 * DAY))
    assert codes("collect_documents", moved) == ["pack_ended"]


def test_placement_whose_pack_is_gone_stands_still() -> None:
    gone, gate = dossier(packs=None), GATES["documents"]
    assert codes("collect_documents", gone) == ["pack_known"]
    assert last_open_day(gone, gate) is None
    assert codes("collect_documents", gone, occurred_on=TODAY) == ["pack_known"]
    late = with_item(dossier(state="documents", today=TODAY + DAY), "medical_examination", issued_on=date(2026, 8, 22))
    assert last_open_day(late, GATES["authorisation"]) == TODAY
    assert last_open_day(replace(late, since_on=None), GATES["authorisation"]) is None


@pytest.mark.parametrize("action_state", [(a, s) for s, (a, _, _) in ADVANCE.items()])
def test_placement_no_gate_opens_after_a_deposit(action_state: tuple[str, str]) -> None:
    action, following = action_state
    p = dossier(state=LINE[LINE.index(following) - 1])
    paid = replace(p, facts=replace(p.facts, payments=(Payment("deposit", "family"),)))
    _, who, given = ADVANCE[following]
    assert set(codes(action, paid, who, **given)) == {"deposit_paid"}


# ---- travel
def test_placement_windows_come_from_what_was_granted() -> None:
    p = with_item(dossier(state="authorisation"), "certificate_of_eligibility", issued_on=TODAY - 5 * DAY)
    assert window_of(p, "apply_visa") == (None, date(2027, 2, 17))
    visa = with_item(p, "visa", issued_on=TODAY, valid_from=TODAY, valid_until=TODAY + 90 * DAY)
    assert window_of(visa, "prepare_departure") == (TODAY, TODAY + 90 * DAY)
    assert codes("apply_visa", p, authorisation_until_on=date(2027, 2, 18)) == ["out_of_window"]
    assert to("apply_visa", p, authorisation_until_on=date(2027, 2, 17)) == "visa"


def test_placement_windows_begin_before_they_end() -> None:
    p = dossier(state="authorisation")
    days = {"authorisation_from_on": TODAY + DAY, "authorisation_until_on": TODAY}
    assert [(r.code, r.pointer) for r in windows_in_order(p, days)] == [("dates_in_order", "/authorisation_until_on")]
    assert list(windows_in_order(p, days | {"authorisation_until_on": TODAY + DAY})) == []
    visa = {"visa_from_on": TODAY, "visa_until_on": TODAY - DAY}
    assert [r.pointer for r in windows_in_order(p, visa)] == ["/visa_until_on"]


def test_placement_travel_lies_inside_every_window() -> None:
    p = dossier(state="pre_departure", visa_from_on=TODAY + 5 * DAY, visa_until_on=TODAY + 60 * DAY,
                authorisation_until_on=TODAY + 12 * DAY)  # fmt: skip
    assert p.window == (TODAY + 5 * DAY, TODAY + 12 * DAY)
    assert codes("clear", p, arrives_on=TODAY + 13 * DAY) == ["out_of_window"]
    assert to("clear", p, arrives_on=TODAY + 12 * DAY) == "ready"
    assert codes("clear", p, leaves_on=TODAY + 4 * DAY, arrives_on=TODAY + 6 * DAY) == ["out_of_window"]
    assert to("clear", p, leaves_on=TODAY + 5 * DAY, arrives_on=TODAY + 6 * DAY) == "ready"
    assert codes("clear", p, leaves_on=TODAY + 7 * DAY, arrives_on=TODAY + 6 * DAY) == ["arrives_after_leaving"]
    planned_outside = replace(p, facts=replace(p.facts, planned_departure_on=TODAY + 4 * DAY))
    assert codes("clear", planned_outside, arrives_on=TODAY + 6 * DAY) == ["out_of_window"]
    ready = replace(p, state="ready")
    assert codes("depart", ready) == ["out_of_window"]
    assert to("depart", replace(ready, today=TODAY + 5 * DAY)) == "departed"
    assert to("depart", replace(ready, today=TODAY + 12 * DAY)) == "departed"
    assert codes("depart", replace(ready, today=TODAY + 13 * DAY)) == ["out_of_window"]
    gone = replace(ready, since_on=TODAY + 13 * DAY, today=TODAY + 13 * DAY)
    assert codes("depart", gone)[0] == "window_open"


# ---- at work
def test_placement_work_begins_when_the_trainee_confirmed_the_terms() -> None:
    p = dossier(state="arrived", terms_confirmed_on=None)
    assert codes("start_work", p, actor(ENTERPRISE)) == ["terms_confirmed"]
    assert to("confirm_terms", p, actor(TRAINEE)) == "arrived"


def test_placement_completes_on_the_last_day_of_the_contract() -> None:
    p = dossier(state="active")
    on = replace(p.facts, starts_on=TODAY - 700 * DAY, ends_on=TODAY)
    assert to("complete", replace(p, facts=on)) == "completed"
    assert to("complete", replace(p, facts=on), actor(SYSTEM)) == "completed"
    assert codes("complete", replace(p, facts=replace(on, ends_on=TODAY + DAY))) == ["contract_ended_on"]
    assert codes("complete", replace(p, facts=replace(on, ends_on=None))) == ["contract_ended_on"]


def test_placement_extension_stays_under_the_cap_of_the_pathway() -> None:
    start = date(2022, 11, 23)
    p = dossier(state="extension_pending", extension_until_on=date(2027, 11, 22))
    p = replace(p, facts=replace(p.facts, starts_on=start, ends_on=TODAY))
    shown = (uuid4(),)
    assert months_until(start, date(2027, 11, 22)) == 60
    assert to("extend", p, evidence=shown) == "active"
    over = replace(p, extension_until_on=date(2027, 11, 23))
    assert months_until(start, date(2027, 11, 23)) == 61
    assert codes("extend", over, evidence=shown) == ["limit_passed"]
    assert codes("extend", p, evidence=shown, ends_on=date(2027, 11, 23)) == ["after_the_end"]
    assert codes("extend", p, evidence=shown, ends_on=TODAY) == ["after_the_end"]
    assert codes("extend", p) == ["evidence_required"]
    active = replace(p, state="active")
    assert codes("ask_extension", active, until_on=TODAY) == ["after_the_end"]
    assert to("ask_extension", active, actor(ENTERPRISE), until_on=TODAY + DAY) == "extension_pending"
    assert to("refuse_extension", p, reason_code="authorisation_refused") == "active"


def test_placement_transfer_is_asked_and_refused() -> None:
    p = dossier(state="active")
    assert to("ask_transfer", p, actor(TRAINEE), reason_code="wages_unpaid") == "transfer_pending"
    asked = replace(p, state="transfer_pending")
    assert to("refuse_transfer", asked, reason_code="position_filled") == "active"
    assert PLACEMENT.follow("complete_transfer", "transfer_pending").to_state == "active"
    asked = replace(asked, last_step=LastStep(5, "ask_transfer", "active", "transfer_pending", TODAY))
    assert to("correct", asked, note="misheard") == "active"
    another = Standing(uuid4(), "offered", 1, RequestSeats(uuid4(), "open", 1, 1, 1, 0, 0))
    assert codes("correct", replace(asked, transferring=(another,)), note="misheard") == ["no_live_candidacies"]
    moved = replace(p, last_step=LastStep(6, "complete_transfer", "transfer_pending", "active", TODAY))
    assert codes("correct", moved, note="no") == ["correctable"]


# ---- ways out
def test_placement_is_cancelled_before_departure_only() -> None:
    for state in AT_HOME:
        assert to("cancel", dossier(state=state), reason_code="visa_refused") == "cancelled"
        assert to("withdraw", dossier(state=state), actor(TRAINEE), reason_code="family") == "cancelled"
    for state in ("departed", "arrived", "active"):
        assert codes("cancel", dossier(state=state), reason_code="visa_refused") == ["not_from_this_state"]
    assert codes("cancel", dossier(), reason_code="no_show") == ["reason_code_known"]
    assert codes("cancel", dossier()) == ["input_required"]


def test_placement_termination_abroad_needs_the_way_home_and_at_home_none() -> None:
    said: dict[str, Any] = {"reason_code": "redundancy", "paid_by": "enterprise"}
    assert to("terminate", dossier(state="active"), **said) == "terminated_abroad"
    home = dossier("TH", "TH", "home_hire", state="active")
    assert to("terminate", home, **said) == "terminated"
    assert codes("return_early", home, reason_code="family", paid_by="trainee") == ["departs"]
    assert to("close", replace(home, state="completed")) == "closed"
    assert codes("close", dossier(state="completed")) == ["home_again"]
    assert codes("start_return", replace(home, state="completed"), evidence=(uuid4(),), returns_on=TODAY) == ["departs"]


def test_placement_the_missing_are_found_or_not() -> None:
    p = dossier(state="absconded", last_contact_on=TODAY - 180 * DAY)
    outcomes = {o: to("found", p, outcome=o) for o in ("at_work", "returned", "elsewhere", "detained", "unknown")}
    assert outcomes == {
        "at_work": "active", "returned": "returning", "elsewhere": "closed", "detained": "closed", "unknown": "closed",
    }  # fmt: skip
    assert codes("found", replace(p, last_contact_on=TODAY - 179 * DAY), outcome="unknown") == ["long_unknown"]
    assert codes("report_missing", dossier(state="active"), last_contact_on=TODAY + DAY) == ["out_of_bounds"]


def test_placement_death_can_be_recorded_wherever_somebody_is() -> None:
    final = {"closed", "cancelled", "deceased", VOIDED}
    said: dict[str, Any] = {"evidence": (uuid4(),), "family_informed_on": TODAY}
    for state in PLACEMENT.states():
        if state in final:
            assert codes("record_death", dossier(state=state), **said) == ["not_from_this_state"]
        else:
            assert to("record_death", dossier(state=state), **said) == "deceased"


# ---- corrections
def corrected(p: PlacementDossier, action: str, before: str) -> PlacementDossier:
    return replace(p, last_step=LastStep(seq=3, action=action, from_state=before, to_state=p.state, recorded_on=TODAY))


def test_placement_corrections_take_back_what_can_be() -> None:
    note: dict[str, Any] = {"note": "wrong"}
    assert to("correct", corrected(dossier(state="departed"), "depart", "ready"), **note) == "ready"
    assert codes("correct", corrected(dossier(), "contract", NEW), **note) == ["corrected_by_candidacy"]
    assert codes("correct", corrected(dossier(state="cancelled"), "cancel", "visa"), **note) == ["correctable"]
    died = dossier(state="deceased")
    assert codes("correct", corrected(died, "record_death", "visa"), **note) == ["nothing_given_back"]
    assert to("correct", corrected(died, "record_death", "active"), **note) == "active"


# ---- another pathway
def test_placement_another_pathway_keeps_the_latest_stage_whose_gates_hold() -> None:
    p = dossier("TH", "TH", "home_hire", state="documents")
    same = change_of(p, {"pathway": "home_hire"})
    assert not isinstance(same, NoPack)
    assert (same.stage, same.added, same.dropped) == ("documents", (), ())
    assert codes("change_pathway", p, pathway="home_hire") == ["another_pathway"]
    older = replace(PACKS[[x.key for x in PACKS].index("home-hire")], version=2)
    newer = replace(p, library=(*PACKS, older))
    assert to("change_pathway", newer, pathway="home_hire") == "documents"
    assert to("change_pathway", without(newer, "employment_contract"), pathway="home_hire") == "contracting"
    assert codes("change_pathway", p, pathway="jp_ssw1") == ["destination_not_served"]
    assert codes("change_pathway", p, pathway="by_boat") == ["pathway_unknown"]


def test_placement_another_pathway_needs_a_planned_day() -> None:
    p = dossier(state="documents")
    unplanned = replace(p, facts=replace(p.facts, planned_departure_on=None, starts_on=None))
    assert change_of(unplanned, {"pathway": "jp_ssw1"}) == NoPack("input_required", "planned_departure_on")


def test_placement_at_the_last_stage_keeps_it_under_a_newer_pack() -> None:
    p = dossier("TH", "TH", "home_hire", state="active")
    same = change_of(p, {"pathway": "home_hire"})
    assert not isinstance(same, NoPack)
    assert same.stage == "active"


def test_placement_another_pathway_asks_again_what_the_candidate_had_to_meet() -> None:
    p = dossier(state="authorisation")
    newer = replace(PACKS[[x.key for x in PACKS].index("jp-ssw1")], version=2)
    p = replace(p, library=(*PACKS, newer))
    found = codes("change_pathway", p, pathway="jp_ssw1")
    assert found == ["test_not_passed", "test_not_passed"]
    assert p.packs is not None
    assert reopen(PACKS, p.packs.pins).pins == p.packs.pins


def test_placement_follows_a_newer_version_that_moves_it_and_no_other() -> None:
    p = dossier("TH", "TH", "home_hire", state="documents")
    held = PACKS[[x.key for x in PACKS].index("home-hire")]
    newer = replace(held, version=2, transition=Transition("move", TODAY, held.requirements[0].source))
    moving = replace(p, library=(*PACKS, newer))
    assert to("follow_version", moving, actor(SYSTEM)) == "documents"
    (no, at_once) = (replace(p, library=(*PACKS, replace(newer, transition=None))), actor(SYSTEM))
    unplanned = replace(moving, facts=replace(p.facts, planned_departure_on=None, starts_on=None))
    for still in (p, no, unplanned, replace(moving, packs=None)):
        with pytest.raises(Refused) as why:
            PLACEMENT.decide("follow_version", still, at_once, {})
        assert [r.code for r in why.value.reasons] == ["version_moves"]


def test_placement_plan_keeps_its_order() -> None:
    p = dossier()
    assert to("reschedule", p, planned_departure_on=TODAY + 15 * DAY) == "contracting"
    assert codes("reschedule", p, planned_departure_on=TODAY + 21 * DAY) == ["dates_in_order"]
    assert codes("reschedule", p, ends_on=TODAY) == ["dates_in_order"]
