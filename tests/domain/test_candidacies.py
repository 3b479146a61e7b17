"""The candidacy's table, walked whole, and its guards on both sides of each boundary."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain.actors import COORDINATOR, ENTERPRISE, GUARDIAN, RECORDABLE, SYSTEM, TRAINEE, Actor, Role
from service.domain.candidacies import (
    BELOW_ACCEPTED,
    CANDIDACY,
    STEP_OF,
    Asked,
    CandidacyDossier,
    NewCandidacy,
    Person,
    Request,
    Shown,
    Transfer,
    by_step,
)
from service.domain.candidacies.facts import HARD, ON_CONSENT, STEPS
from service.domain.candidacies.guards import (
    accepted_in_time,
    agreed_before,
    assessment_complete,
    before_closing,
    can_live_again,
    hard_rules_pass,
    nationality_asked,
    offer_in_time,
    request_live,
    request_open,
    request_running,
    seat_free,
    terms_not_worse,
    transfer_fits,
)
from service.domain.journey import LIVE
from service.domain.lifecycle import NEW, VOIDED, LastStep, Reason, Refused
from service.domain.placement_requests import Employer, Job, RequestSeats, Standing
from service.domain.requirements import Evidence, NoPack, Packs, Payment, TestResult, Transition, choose, reopen
from service.storage.packs import shipped_packs

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
DAY = timedelta(days=1)
PACKS = shipped_packs()
PERSON = Person(uuid4(), date(2000, 1, 1), "TH", TODAY + 900 * DAY)
JOB = Job(
    organisation_id=uuid4(), agency_id=None, title="Technician", occupation="3115", field=None, destination="TH",
    pathway="home_hire", nationalities=("TH",), terms={"gross_monthly_pay": "18000", "pay_currency": "THB"}, options=(),
    levels_asked={}, planned_departure_on=None, starts_on=TODAY + 60 * DAY, ends_on=TODAY + 700 * DAY,
    employer=Employer(country="TH", natural_person=False, chinese_funded=True, name_latin="Thai-Hua"),
)  # fmt: skip
SEATS = RequestSeats(UUID(int=1), "open", 1, 3, 0, 0, 0)
GIVEN = Asked(uuid4(), "given", 2, ("nationality",), {}, None)
JAPAN = replace(
    JOB, destination="JP", pathway="jp_ssw1", field="agriculture", planned_departure_on=TODAY + 50 * DAY,
    employer=Employer(country="JP", natural_person=False, chinese_funded=False, name_latin="Tokai"),
)  # fmt: skip


def packs_of(job: Job, nationality: str = "TH") -> Packs:
    found = job.chosen(PACKS, nationality)
    assert isinstance(found, Packs), found
    return found


def dossier(state: str, job: Job = JOB, **more: Any) -> CandidacyDossier:
    """A candidacy that may do everything that its state lets it, unless it is said otherwise."""
    pinned = packs_of(job)
    known: dict[str, Any] = {
        "id": uuid4(), "now": NOW, "person": PERSON, "request": Request(SEATS, job), "packs": PACKS, "consent": GIVEN,
        "pinned": pinned, "pins": pinned.pins, "offer_ends_at": NOW + DAY, "offer_ends_on": TODAY + DAY,
        "lapses_at": NOW + DAY, "offered_on": TODAY, "since_on": TODAY - 5 * DAY,
    }  # fmt: skip
    return CandidacyDossier(state=state, today=TODAY, **(known | more))


def actor(*roles: Role) -> Actor:
    return Actor(uuid4(), frozenset(roles))


T, E, C, S = actor(TRAINEE), actor(ENTERPRISE), actor(COORDINATOR), actor(SYSTEM)


def codes(action: str, d: Any, who: Actor, **given: Any) -> list[str]:
    """The reasons against an action."""
    try:
        CANDIDACY.decide(action, d, who, given)
    except Refused as no:
        return [r.code for r in no.reasons]
    return []


@pytest.mark.parametrize("action", [a for a in CANDIDACY.by_action if a != "identify"])
@pytest.mark.parametrize("role", Role)
def test_candidacy_moves_only_by_its_table(action: str, role: Role) -> None:
    for state in CANDIDACY.states():
        rule = next((r for r in CANDIDACY.by_action[action] if state in r.sources), None)
        found = codes(action, dossier(state), actor(role))
        recordable = role is COORDINATOR and rule is not None and not RECORDABLE.isdisjoint(rule.who)
        if rule is None:
            assert "not_from_this_state" in found
        elif role not in rule.who:
            assert found[0] == ("recorded_for_required" if recordable else "role")
        else:
            assert not {"role", "recorded_for_required"} & set(found)


def test_candidacy_every_live_state_has_ways_out() -> None:
    for state in BELOW_ACCEPTED:
        out = {r.action for r in CANDIDACY.rules if state in r.sources}
        assert {"withdraw", "withdraw_by_school", "supersede"} <= out
        assert out & {"close_out", "rescind"}
    assert set(BELOW_ACCEPTED) | {"accepted"} == LIVE["candidacy"]
    assert set(STEP_OF) <= set(CANDIDACY.states())
    assert {b for a, b in CANDIDACY.edges() if a == NEW} == {"identified", "accepted"}
    assert {a for a, b in CANDIDACY.edges() if b == VOIDED} == {"identified", "accepted", "placed"}


def new(**more: Any) -> NewCandidacy:
    known: dict[str, Any] = {"person": PERSON, "request": Request(SEATS, JOB), "packs": PACKS}
    return NewCandidacy(state=NEW, today=TODAY, **(known | more))


def test_candidacy_is_identified_where_nothing_hard_stands_against_it() -> None:
    assert codes("identify", new(), C) == []
    assert codes("identify", new(request=None), C) == ["request_known"]
    assert codes("identify", new(request=Request(replace(SEATS, state="draft"), JOB)), C) == ["request_live"]
    assert codes("identify", new(person=replace(PERSON, nationality="CN")), C) == ["nationality_asked"]
    assert codes("identify", new(live_placement=True, live_candidacy=True), C) == [
        "no_live_placement", "no_live_candidacy",
    ]  # fmt: skip
    birthday = replace(PERSON, birth_on=date(2008, 11, 22))
    assert codes("identify", new(person=birthday), C) == []
    assert codes("identify", new(person=replace(birthday, birth_on=date(2008, 11, 23))), C) == ["too_young"]
    assert codes("identify", new(request=Request(SEATS, JAPAN)), C) == []
    late = replace(JOB, starts_on=date(2020, 1, 1))
    assert codes("identify", new(request=Request(SEATS, late)), C) == ["pack_not_in_force"]


def test_candidacy_for_a_transfer_leaves_its_own_placement_aside() -> None:
    def moving(**more: Any) -> dict[str, Any]:
        held = Transfer(UUID(int=9), "transfer_pending", 4, TODAY - DAY, UUID(int=2), "TH")
        return {"transfer_of": held.id, "transfer": replace(held, **more)}

    assert codes("identify", new(**moving()), C) == []
    assert codes("identify", new(transfer_of=UUID(int=9)), C) == ["transfer_known"]
    assert codes("identify", new(**moving(request_id=SEATS.id)), C) == ["transfer_elsewhere"]
    assert codes("identify", new(**moving(destination="JP")), C) == ["transfer_in_country"]
    assert codes("identify", new(**moving(state="active"), live_placement=True), C) == [
        "transfer_open", "no_live_placement",
    ]  # fmt: skip
    assert codes("identify", new(**moving(), since_on=TODAY - DAY), C, occurred_on=TODAY - DAY) == []
    assert codes("identify", new(**moving(), since_on=TODAY - DAY), C, occurred_on=TODAY - 2 * DAY) == [
        "occurred_on_in_range"
    ]
    said: dict[str, Any] = {"offer_ends_at": NOW + DAY}
    for action, state, who in (("nominate", "consent_pending", T), ("offer", "selected", E), ("accept", "offered", T)):
        assert codes(action, dossier(state, **moving()), who, **(said if action == "offer" else {})) == []
        refused = codes(
            action, dossier(state, **moving(state="terminated")), who, **(said if action == "offer" else {})
        )
        assert refused == ["transfer_open"]
    for known, to in (({}, "accepted"), (moving(), "placed")):
        assert CANDIDACY.decide("accept", dossier("offered", **known), T).to_state == to
    out = dossier("withdrawn_by_trainee", last_step=LastStep(9, "withdraw", "offered", "withdrawn_by_trainee", TODAY))
    assert codes("correct", replace(out, **moving()), C, note="no") == []
    assert codes("correct", replace(out, **moving(state="active")), C, note="no") == ["transfer_open"]


def test_candidacy_is_nominated_by_whom_it_concerns_with_what_the_packs_ask_for() -> None:
    asked = replace(GIVEN, state="requested")
    assert codes("nominate", dossier("consent_pending", consent=asked), T) == []
    assert codes("nominate", dossier("consent_pending", consent=None), T) == ["consent_asked"]
    assert codes("nominate", dossier("consent_pending", consent=replace(GIVEN, state="refused")), T) == [
        "consent_asked"
    ]
    guardian = dossier("consent_pending", asked_by=(GUARDIAN,))
    assert codes("nominate", guardian, actor(GUARDIAN)) == ["adult_speaks_for_themselves"]
    young = replace(PERSON, birth_on=date(2010, 1, 1))
    minor = dossier("consent_pending", person=young, asked_by=(TRAINEE,))
    assert codes("nominate", minor, T) == ["guardian_speaks_for_minor", "too_young"]
    assert codes("withdraw", replace(minor, state="nominated"), T, reason_code="family") == []
    assert codes("nominate", dossier("consent_pending", JAPAN), T) == ["test_not_passed", "test_not_passed"]
    assert codes("nominate", dossier("consent_pending", live_placement=True), T) == ["no_live_placement"]
    held = Request(replace(SEATS, state="on_hold"), JOB)
    assert codes("nominate", dossier("consent_pending", request=held), T) == ["request_running"]


def test_candidacy_tests_are_judged_on_the_day_of_the_nomination() -> None:
    jlpt = TestResult(test="jlpt", taken_on=TODAY - 100 * DAY, level="N4", verified=True, valid_until=TODAY - DAY)
    skills = TestResult(test="ssw1_skills", taken_on=TODAY - 50 * DAY, level="pass", field="agriculture", verified=True)
    d = dossier("consent_pending", JAPAN, tests=(jlpt, skills))
    assert codes("nominate", d, T) == ["requirement_expired"]
    assert codes("nominate", d, T, occurred_on=TODAY - DAY) == []
    offer = next(o for o in CANDIDACY.offers(d, T) if o.action == "nominate")
    assert (offer.open, next(i for i in offer.inputs if i["name"] == "occurred_on")["most"]) == (True, TODAY - DAY)
    waived = Evidence(state="accepted")
    instead = dossier("consent_pending", JAPAN, tests=(jlpt,), evidence={"technical_intern_2_completed": waived})
    assert codes("nominate", instead, T, occurred_on=TODAY - DAY) == []


def test_candidacy_steps_rest_on_the_consent() -> None:
    for consent in (None, replace(GIVEN, state="withdrawn"), replace(GIVEN, ends_on=TODAY - DAY)):
        assert codes("shortlist", dossier("nominated", consent=consent), E) == ["consent_holds"]
        assert codes("lose_consent", dossier("nominated", consent=consent), S) == []
    for consent in (GIVEN, replace(GIVEN, ends_on=TODAY)):
        assert codes("shortlist", dossier("nominated", consent=consent), E) == []
        assert codes("lose_consent", dossier("nominated", consent=consent), S) == ["consent_lost"]


def test_candidacy_choice_is_gated_by_its_pinned_packs() -> None:
    said = {"assessment": "trade_test", "score": Decimal(80)}
    assert codes("choose", dossier("shortlisted"), E, **said) == []
    assert codes("choose", dossier("shortlisted"), E, assessment="trade_test") == ["input_required"]
    assert codes("choose", dossier("shortlisted", pinned=None), E, **said) == ["pack_known"]
    germany = replace(JOB, destination="DE", pathway="de_18a", planned_departure_on=TODAY + 50 * DAY, terms={})
    older = replace(PERSON, birth_on=date(1980, 1, 1))
    paid = replace(germany, terms={"gross_annual_pay": "40000", "pay_currency": "EUR"})
    assert codes("choose", dossier("shortlisted", paid, person=older), E, **said) == ["pay_too_low"]
    assert codes("choose", dossier("shortlisted", paid), E, **said) == []
    ends = choose(PACKS, nationality="TH", destination="TH", pathway="home_hire", on=TODAY)
    assert isinstance(ends, Packs)
    over = Packs(replace(ends.pathway, valid_to=TODAY + 10 * DAY), ends.added)
    assert codes("choose", dossier("shortlisted", pinned=over), E, **said) == ["pack_ended"]


def test_candidacy_refusals_tell_an_enterprise_nothing_of_the_papers() -> None:
    asked = replace(JOB, levels_asked={"hsk_3": "4"})
    low = TestResult(test="hsk_3", taken_on=TODAY, level="2", verified=True)
    for roles, actual in (((TRAINEE,), [{"test": "hsk_3", "level": "2", "score": None}]), ((ENTERPRISE,), None)):
        d = dossier("offered", asked, tests=(low,), asked_by=roles)
        offer = next(o for o in CANDIDACY.offers(d, actor(*roles)) if o.action == "accept")
        assert [r.actual for r in offer.reasons if r.code == "test_not_passed"] == [actual]


def test_candidacy_choice_says_how_it_was_made() -> None:
    c = dossier("shortlisted")
    assert codes("choose", c, E, assessment="interview", score=80) == ["interview_held"]
    assert codes("choose", c, E, assessment="trade_test") == ["input_required"]
    assert codes("choose", c, E, assessment="paper_selection") == ["input_required"]
    assert codes("choose", c, E, assessment="paper_selection", reason_code="skills") == []
    held = dossier("interviewing")
    assert codes("choose", held, E, assessment="interview", score=80) == []


def test_candidacy_without_a_pack_is_not_nominated_on_any_day() -> None:
    late = replace(JOB, starts_on=date(2020, 1, 1))
    c = replace(dossier("consent_pending"), request=Request(SEATS, late))
    assert codes("nominate", c, T) == ["pack_not_in_force"]


def test_candidacy_is_judged_by_the_pay_of_its_offer() -> None:
    c = dossier("offered")
    assert c.facts({"gross_annual_pay": "52000", "pay_currency": "EUR"}).gross_annual_pay == Decimal(52000)
    assert c.facts({"gross_annual_pay": "52000", "pay_currency": "EUR"}).pay_currency == "EUR"
    assert c.facts({}) == c.facts()
    nowhere = replace(c, request=None)
    assert nowhere.chosen() == NoPack("request_known")
    with pytest.raises(TypeError, match="no request, no facts"):
        nowhere.facts()


def test_candidacy_that_was_out_lives_again_where_it_was() -> None:
    left = LastStep(3, "withdraw", "nominated", "withdrawn_by_trainee", TODAY)
    full = Request(replace(SEATS, taken=3), JOB)
    d = dossier("withdrawn_by_trainee", last_step=left, since_on=TODAY)
    assert codes("correct", d, C, note="misheard") == []
    assert codes("correct", replace(d, request=full), C, note="misheard") == []
    offered = replace(d, last_step=replace(left, from_state="offered"))
    assert codes("correct", offered, C, note="misheard") == []
    assert codes("correct", replace(offered, request=full), C, note="misheard") == ["seat_free"]


def test_candidacy_offers_need_a_seat_and_a_day() -> None:
    ends = {"offer_ends_at": NOW + DAY}
    assert codes("offer", dossier("selected"), E, **ends) == []
    assert codes("offer", dossier("selected"), E, offer_ends_at=NOW - DAY) == ["in_future"]
    full = replace(SEATS, offered=1, taken=1, used=1)
    assert codes("offer", dossier("selected", request=Request(full, JOB)), E, **ends) == ["seat_free"]
    last = replace(SEATS, offered=1, taken=1)
    assert codes("offer", dossier("selected", request=Request(last, JOB)), E, **ends) == []
    late = Request(SEATS, JOB, TODAY - DAY)
    assert codes("offer", dossier("selected", request=late), E, **ends) == ["before_closing"]
    assert codes("offer", dossier("selected", request=Request(SEATS, JOB, TODAY)), E, **ends) == []
    filled = replace(SEATS, state="filled")
    assert codes("offer", dossier("selected", request=Request(filled, JOB)), E, **ends) == ["request_open"]
    less = ends | {"terms": {"gross_monthly_pay": "1", "pay_currency": "THB"}}
    assert codes("offer", dossier("selected"), E, **less) == ["terms_not_worse"]
    assert codes("offer", dossier("selected"), E, **less, differences=("gross_monthly_pay",)) == []


def test_candidacy_is_accepted_in_time_once() -> None:
    assert codes("accept", dossier("offered"), T) == []
    assert codes("accept", dossier("offered", offer_ends_at=NOW), T) == []
    assert codes("accept", dossier("offered", offer_ends_at=NOW - timedelta(seconds=1)), T) == ["offer_in_time"]
    assert codes("accept", dossier("offered", accepted_elsewhere=True, live_placement=True), T) == [
        "no_other_accepted", "no_live_placement",
    ]  # fmt: skip
    assert codes("accept", dossier("offered", differences=("housing",)), T) == ["differences_accepted"]
    assert codes("accept", dossier("offered", differences=("housing",)), T, accepted_differences=("housing",)) == []


def test_candidacy_accepted_before_the_end_is_recorded_after_it() -> None:
    ended = dossier("offered", offer_ends_at=NOW - DAY, offer_ends_on=TODAY - DAY, asked_by=(COORDINATOR,))
    said = {"recorded_for": TRAINEE, "evidence": (uuid4(),)}
    assert codes("accept", ended, C, **said, occurred_on=TODAY - DAY) == []
    assert codes("accept", ended, C, **said) == ["offer_in_time"]
    both = actor(TRAINEE, COORDINATOR)
    assert codes("accept", ended, both, occurred_on=TODAY - DAY) == ["offer_in_time"]


def test_candidacy_lapses_after_its_end() -> None:
    assert codes("lapse", dossier("offered"), S) == ["offer_over"]
    assert codes("lapse", dossier("offered", lapses_at=NOW - DAY), S) == []


@pytest.mark.parametrize("action", ["decline", "lapse", "rescind", "withdraw", "withdraw_by_school"])
def test_candidacy_way_out_is_taken_back_while_the_seat_is_free(action: str) -> None:
    to = CANDIDACY.by_action[action][0].targets[0]
    last = LastStep(9, action, "offered", to, TODAY)
    d = dossier(to, last_step=last)
    assert codes("correct", d, C, note="no") == []
    full = Request(replace(SEATS, taken=3, state="filled"), JOB)
    assert codes("correct", replace(d, request=full), C, note="no") == ["request_open", "seat_free"]
    closed = Request(replace(SEATS, state="closed"), JOB)
    assert codes("correct", replace(d, request=closed), C, note="no") == ["request_live", "request_open"]
    again = Standing(uuid4(), "identified", 1, SEATS)
    assert codes("correct", replace(d, siblings=(again,)), C, note="no") == ["no_live_candidacy"]
    assert codes("correct", replace(d, live_placement=True), C, note="no") == ["no_live_placement"]


def test_candidacy_consequences_and_acceptances_are_not_corrected() -> None:
    for action, before, after in (
        ("accept", "offered", "accepted"),
        ("supersede", "nominated", "superseded"),
        ("close_out", "nominated", "not_selected"),
        ("fall_through", "accepted", "fell_through"),
    ):
        d = dossier(after, last_step=LastStep(9, action, before, after, TODAY))
        assert codes("correct", d, C, note="no") == ["correctable"]


def test_candidacy_each_step_shows_what_those_before_it_did() -> None:
    steps = by_step(Shown(), withheld=["sex"])
    assert steps["shortlisted"] == ["nationality", "languages", "skills", "education", "name", "birth_on"]
    assert steps["accepted"] == [*steps["interviewing"], "passport"]
    assert codes("ask_consent", dossier("identified"), C, shown=Shown(nominated=("luck",))) == ["consent_field_known"]
    assert reopen(PACKS, packs_of(JOB).pins) == packs_of(JOB)


def test_who_has_a_contract_already_takes_a_seat_and_owes_what_led_to_it() -> None:
    coordinator = Actor(UUID(int=1), frozenset({COORDINATOR}))
    step = CANDIDACY.declare("adopt", new(), coordinator, {"occurred_on": TODAY})
    assert (step.to_state, step.unproven[0].code) == ("accepted", "consent_holds")
    assert all((r.pointer or "").startswith("requirement/") for r in step.unproven[1:])
    full = replace(SEATS, taken=SEATS.seats)
    for more, code in (
        ({"request": Request(full, JOB)}, "seat_free"),
        ({"live_placement": True}, "no_live_placement"),
        ({"packs": ()}, "pathway_unknown"),
    ):
        with pytest.raises(Refused) as no:
            CANDIDACY.declare("adopt", new(**more), coordinator, {})
        assert [r.code for r in no.value.reasons] == [code]


def test_who_has_a_contract_and_no_pack_owes_the_consent_alone() -> None:
    assert [r.code for r in agreed_before(new(packs=()), {})] == ["consent_holds"]


def test_candidacy_states_let_an_enterprise_look_so_far() -> None:
    assert STEPS == ("nominated", "shortlisted", "interviewing", "selected", "accepted")
    assert STEP_OF == {
        "nominated": "nominated", "shortlisted": "shortlisted", "waitlisted": "shortlisted",
        "interviewing": "interviewing", "selected": "selected", "offered": "selected", "accepted": "accepted",
        "placed": "accepted",
    }  # fmt: skip
    assert {"too_young", "fact_not_allowed", "limit_passed"} == HARD


def test_candidacy_is_judged_by_all_that_is_known_of_the_person_and_the_job() -> None:
    held: dict[str, Any] = {
        "evidence": {"passport": Evidence(state="accepted")}, "tests": (TestResult(test="jlpt", taken_on=TODAY),),
    }  # fmt: skip
    paid = (Payment("travel", "family"),)
    c = dossier("offered", **held, payments=paid)
    assert c.facts() == JOB.facts(
        "TH", birth_on=PERSON.birth_on, passport_expires_on=PERSON.passport_expires_on, payments=paid, **held
    )


def test_candidacy_of_no_request_is_told_once_that_there_is_none() -> None:
    held = Transfer(UUID(int=9), "transfer_pending", 4, TODAY - DAY, UUID(int=2), "TH")
    nowhere = replace(dossier("selected"), request=None, transfer_of=held.id, transfer=held)
    for guard in (request_live, request_running, nationality_asked, request_open, before_closing):
        assert guard(nowhere) is None
    assert [*transfer_fits(nowhere), *can_live_again(nowhere), *terms_not_worse(nowhere, {})] == []
    assert seat_free(nowhere) == Reason("seat_free", required=1, actual=0)
    assert hard_rules_pass(new(request=None)) == []


def test_candidacy_owes_what_leads_into_a_placement_and_nothing_later() -> None:
    (pathway,) = [p for p in PACKS if p.pin == packs_of(JOB).pins[0]]
    (usual, *_) = pathway.requirements
    rows = [
        replace(usual, key=stage, item=stage, needed_before=stage, asks=None, applies_if=())
        for stage in ("request_approved", "nominated", "selected", "contracting", "documents", "active")
    ]
    only = (replace(pathway, requirements=tuple(rows)),)
    owed = [(r.code, r.pointer) for r in agreed_before(new(packs=only), {})]
    assert owed == [
        ("consent_holds", None), *(("requirement_missing", f"requirement/{s}") for s in ("nominated", "selected", "contracting")),
    ]  # fmt: skip
    dated = (replace(pathway, requirements=tuple(replace(r, effective_from=TODAY) for r in rows)),)
    assert len(list(agreed_before(new(packs=dated), {}))) == 4
    assert len(list(agreed_before(new(packs=dated), {"occurred_on": TODAY - DAY}))) == 1


def test_candidacy_ends_with_its_consent_until_it_is_accepted() -> None:
    assert ON_CONSENT == (
        "consent_pending", "nominated", "shortlisted", "interviewing", "selected", "waitlisted", "offered",
    )  # fmt: skip


def test_candidacy_offer_without_an_end_is_open_and_never_lapses() -> None:
    endless = dossier("offered", offer_ends_at=None, offer_ends_on=None, lapses_at=None)
    assert codes("accept", endless, T) == []
    assert codes("lapse", endless, S) == ["offer_over"]
    assert codes("lapse", dossier("offered", lapses_at=NOW), S) == ["offer_over"]
    late = offer_in_time(dossier("offered", offer_ends_at=NOW - DAY))
    assert late == Reason("offer_in_time", required=NOW - DAY, actual=NOW)
    assert [offer_in_time(d) for d in (endless, dossier("offered", offer_ends_at=NOW))] == [None, None]
    assert offer_in_time(dossier("offered", offer_ends_at=NOW - DAY, asked_by=(COORDINATOR,))) is None
    assert accepted_in_time(replace(endless, offer_ends_on=TODAY - DAY), {}) is None
    assert accepted_in_time(replace(endless, offer_ends_at=NOW - DAY), {}) is None
    at_its_end = dossier("offered", offer_ends_at=NOW, offer_ends_on=TODAY - DAY)
    assert accepted_in_time(at_its_end, {}) is None
    said = {"recorded_for": TRAINEE}
    ended = dossier("offered", offer_ends_at=NOW - DAY, offer_ends_on=TODAY)
    assert accepted_in_time(ended, said) is None
    assert accepted_in_time(replace(ended, offer_ends_on=TODAY - DAY), said) is not None
    assert accepted_in_time(ended, {}) is not None


def test_candidacy_offer_names_terms_alone_as_differences() -> None:
    ends = {"offer_ends_at": NOW + DAY}
    assert codes("offer", dossier("selected"), E, **ends, differences=("luck",)) == ["term_known"]
    assert codes("offer", dossier("selected"), E, **ends, differences=("housing", "pay_currency")) == []
    assert codes("offer", dossier("selected"), E, **ends, terms={"luck": "x"}) == ["term_known"]


def test_candidacy_choice_has_a_score_or_a_reason() -> None:
    def said(state: str, **given: Any) -> list[str | None]:
        return [r.pointer for r in assessment_complete(dossier(state), given)]

    assert said("interviewing", assessment="interview") == ["/score"]
    assert said("shortlisted", assessment="interview") == ["/assessment", "/score"]
    assert said("shortlisted", assessment="trade_test", score=0) == []
    assert said("shortlisted", assessment="paper_selection", score=80) == ["/reason_code"]
    assert said("shortlisted", assessment="paper_selection", reason_code="skills") == []


def test_candidacy_is_recorded_for_who_decides() -> None:
    asked, shown = replace(GIVEN, state="requested"), {"evidence": (uuid4(),)}
    grown = dossier("consent_pending", consent=asked, asked_by=(COORDINATOR,))
    young = replace(grown, person=replace(PERSON, birth_on=date(2010, 1, 1)))
    assert codes("nominate", grown, C, recorded_for=TRAINEE, **shown) == []
    assert codes("nominate", grown, C, recorded_for=GUARDIAN, **shown) != []
    assert codes("nominate", young, C, recorded_for=GUARDIAN, **shown) == ["too_young"]
    no = {"reason_code": "family"} | shown
    out = dossier("nominated", asked_by=(COORDINATOR,))
    assert codes("withdraw", out, C, recorded_for=TRAINEE, **no) == []
    assert codes("withdraw", out, C, recorded_for=GUARDIAN, **no) != []
    assert codes("withdraw", replace(out, person=young.person), C, recorded_for=GUARDIAN, **no) == []
    assert codes("withdraw", replace(out, person=young.person), C, recorded_for=TRAINEE, **no) == []


def test_candidacy_lives_again_beside_others_of_the_person() -> None:
    elsewhere = Standing(uuid4(), "identified", 1, replace(SEATS, id=UUID(int=2)))
    out = dossier("withdrawn_by_trainee", last_step=LastStep(3, "withdraw", "offered", "withdrawn_by_trainee", TODAY))
    assert codes("correct", replace(out, siblings=(elsewhere,)), C, note="no") == []
    assert codes("correct", replace(out, accepted_elsewhere=True), C, note="no") == ["no_other_accepted"]
    assert list(can_live_again(replace(out, last_step=None))) == []


def test_candidacy_follows_a_newer_version_that_moves_it_and_no_other() -> None:
    pinned = packs_of(JOB)
    held = pinned.pathway
    newer = replace(held, version=2, transition=Transition("move", TODAY, held.requirements[0].source))
    moving = dossier("nominated", packs=(*PACKS, newer))
    assert CANDIDACY.decide("follow_version", moving, S).to_state == "nominated"
    for still in (
        dossier("nominated"), replace(moving, pinned=None), replace(moving, request=None),
        replace(moving, packs=(*PACKS, replace(newer, transition=None))),
    ):  # fmt: skip
        assert codes("follow_version", still, S) == ["version_moves"]
