"""The request's table, walked whole; its guards, and the seats' arithmetic."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain import terms
from service.domain.actors import COORDINATOR, ENTERPRISE, SYSTEM, Actor, Role
from service.domain.lifecycle import NEW, VOIDED, LastStep, Reason, Refused
from service.domain.placement_requests import (
    BEFORE_END,
    PLACEMENT_REQUEST,
    Change,
    Concerned,
    Employer,
    Job,
    NewRequest,
    RequestDossier,
    RequestSeats,
    Tie,
    agency_named,
    changes_named,
    left_with,
    own_organisation,
    packs_fit,
    relationships_known,
    well_written,
)
from service.domain.requirements import Evidence, NoPack, RequirementFacts, Staff
from service.storage.packs import shipped_packs

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
TERMS = {
    "workplace": "Rayong", "contract_months": 24, "gross_monthly_pay": "18000", "pay_currency": "THB",
    "weekly_hours": 40, "contract_language": "th", "social_insurance": "statutory",
}  # fmt: skip
JOB = Job(
    organisation_id=uuid4(), agency_id=None, title="Technician", occupation="3115", field=None, destination="TH",
    pathway="home_hire", nationalities=("TH",), terms=TERMS, options=(), levels_asked={}, planned_departure_on=None,
    starts_on=TODAY + 60 * DAY, ends_on=TODAY + 700 * DAY, employer=Employer(country="TH", natural_person=False, chinese_funded=True, name_latin="Thai-Hua"),
)  # fmt: skip
SEATS = RequestSeats(UUID(int=1), "open", 1, 3, 0, 0, 0)


def dossier(state: str, **more: Any) -> RequestDossier:
    """A request that may do everything that its state lets it, unless it is said otherwise."""
    known: dict[str, Any] = {
        "seats": replace(SEATS, state=state, used=1), "job": JOB, "no_fee_for_workers": True,
        "relationship": Tie("verified", TODAY + DAY), "packs": shipped_packs(), "since_on": TODAY - 5 * DAY,
    }  # fmt: skip
    return RequestDossier(state=state, today=TODAY, **(known | more))


def actor(*roles: Role) -> Actor:
    return Actor(uuid4(), frozenset(roles))


def codes(action: str, d: RequestDossier, who: Actor | None = None, **given: Any) -> list[str]:
    """The reasons against an action."""
    try:
        PLACEMENT_REQUEST.decide(action, d, who or actor(COORDINATOR, ENTERPRISE), given)
    except Refused as no:
        return [r.code for r in no.reasons]
    return []


GIVEN: dict[str, dict[str, Any]] = {
    "request_changes": {"changes": ()}, "reject": {"reason_code": "fraud"}, "hold": {"reason_code": "schedule"},
    "replace_seat": {"reason_code": "health"}, "close": {"reason_code": "other"}, "cancel": {"reason_code": "other"},
}  # fmt: skip


@pytest.mark.parametrize("action", [a for a in PLACEMENT_REQUEST.by_action if a != "draft"])
@pytest.mark.parametrize("role", Role)
def test_request_moves_only_by_its_table(action: str, role: Role) -> None:
    for state in PLACEMENT_REQUEST.states():
        rule = next((r for r in PLACEMENT_REQUEST.by_action[action] if state in r.sources), None)
        found = codes(action, dossier(state), actor(role), **GIVEN.get(action, {}))
        if rule is None:
            assert "not_from_this_state" in found
        elif role not in rule.who and not (role is COORDINATOR and ENTERPRISE in rule.who):
            assert found[0] == "role"
        elif role not in rule.who:
            assert found[0] == "recorded_for_required"
        else:
            assert "role" not in found


def test_request_that_is_over_stays_so() -> None:
    leaving = {a for a, b in PLACEMENT_REQUEST.edges() if a and b not in (a, VOIDED)}
    assert sorted(set(PLACEMENT_REQUEST.states()) - leaving) == ["cancelled", "closed", "expired", "voided"]
    cancels = PLACEMENT_REQUEST.by_action["cancel"][0].sources
    assert tuple(cancels) == BEFORE_END


def test_request_submit_asks_for_what_the_packs_ask_for() -> None:
    clerk = actor(ENTERPRISE)
    assert codes("submit", dossier("draft"), clerk) == []
    assert codes("submit", dossier("draft", job=replace(JOB, starts_on=None)), clerk) == ["planned_day_stated"]
    assert codes("submit", dossier("draft", job=replace(JOB, terms={})), clerk) == ["terms_stated"]
    assert codes("submit", dossier("draft", no_fee_for_workers=False), clerk) == ["no_fee_for_workers"]
    assert codes("submit", dossier("draft", closes_on=TODAY - DAY), clerk) == ["closing_day_ahead"]
    assert codes("submit", dossier("draft", job=replace(JOB, starts_on=date(2020, 1, 1))), clerk) == [
        "pack_not_in_force"
    ]


def test_request_approval_looks_at_the_day_of_the_event() -> None:
    ended = Tie("verified", TODAY - DAY)
    d = dossier("under_review", relationship=ended)
    assert codes("approve", d) == ["relationship_verified"]
    assert codes("approve", d, occurred_on=TODAY - DAY) == []
    offer = next(o for o in PLACEMENT_REQUEST.offers(d, actor(COORDINATOR)) if o.action == "approve")
    bounds = next(i for i in offer.inputs if i["name"] == "occurred_on")
    assert (offer.open, bounds["most"]) == (True, TODAY - DAY)
    assert codes("approve", dossier("under_review", relationship=Tie("verified", TODAY))) == []
    long_ended = Tie("verified", TODAY - 6 * DAY)
    assert codes("approve", dossier("under_review", relationship=long_ended)) == ["relationship_verified"]
    assert codes("approve", dossier("under_review", relationship=None)) == ["relationship_verified"]
    agency = replace(JOB, agency_id=uuid4())
    assert codes("approve", dossier("under_review", job=agency)) == ["agency_verified"]
    foreign = replace(
        JOB, employer=Employer(country="TH", natural_person=False, chinese_funded=False, name_latin="Siam")
    )
    assert codes("approve", dossier("under_review", job=foreign)) == ["fact_not_allowed"]


def test_request_for_people_whom_no_pack_takes_is_refused_once() -> None:
    strangers = replace(JOB, nationalities=("VN",))
    for state, action in (("draft", "submit"), ("under_review", "approve")):
        assert codes(action, dossier(state, job=strangers)) == ["not_a_host_country_national"]
    both = replace(JOB, nationalities=("VN", "TH"), employer=replace(JOB.employer, chinese_funded=False))
    assert codes("approve", dossier("under_review", job=both)) == ["not_a_host_country_national", "fact_not_allowed"]


def test_request_days_open_and_end_it() -> None:
    assert codes("open", dossier("approved", opens_on=TODAY + DAY)) == ["opening_day_come"]
    assert codes("open", dossier("approved", opens_on=TODAY, closes_on=TODAY)) == []
    assert codes("open", dossier("approved", closes_on=TODAY - DAY)) == ["closing_day_ahead"]
    system = actor(SYSTEM)
    assert codes("expire", dossier("open", closes_on=TODAY), system) == ["closing_day_passed"]
    assert codes("expire", dossier("open", closes_on=TODAY - DAY), system) == []
    offered = replace(SEATS, offered=1)
    assert codes("expire", dossier("open", closes_on=TODAY - DAY, seats=offered), system) == ["no_open_offers"]


def test_request_is_cancelled_by_the_enterprise_before_an_acceptance_only() -> None:
    taken = replace(SEATS, taken=1)
    why = {"reason_code": "other"}
    assert codes("cancel", dossier("open", seats=taken, asked_by=(ENTERPRISE,)), actor(ENTERPRISE), **why) == [
        "no_acceptance_yet"
    ]
    assert codes("cancel", dossier("open", seats=taken, asked_by=(COORDINATOR,)), actor(COORDINATOR), **why) == []
    assert codes("cancel", dossier("open", seats=SEATS, asked_by=(ENTERPRISE,)), actor(ENTERPRISE), **why) == []


def test_request_changes_are_named() -> None:
    named = (Change(field="luck", reason_code="bad"), Change(field="terms", reason_code="pay_terms"))
    assert codes("request_changes", dossier("under_review"), changes=named) == ["field_known", "reason_code_known"]


def test_request_is_filled_after_a_pause_where_every_seat_went() -> None:
    for taken, state in ((2, "filled"), (1, "open")):
        d = dossier("on_hold", seats=replace(SEATS, taken=taken, used=1))
        assert PLACEMENT_REQUEST.decide("release", d, actor(COORDINATOR)).to_state == state


@pytest.mark.parametrize(
    ("back_to", "seats", "refused"),
    [
        ("filled", replace(SEATS, taken=2), []),
        ("filled", replace(SEATS, taken=2, offered=1), ["seat_free"]),
        ("open", replace(SEATS, taken=2), ["seat_free"]),
        ("open", replace(SEATS, taken=1), []),
        ("open", replace(SEATS, taken=1, offered=1), []),
    ],
)
def test_request_replaced_seat_is_taken_back_while_it_is_free(
    back_to: str, seats: RequestSeats, refused: list[str]
) -> None:
    d = dossier("open", seats=seats, last_step=LastStep(9, "replace_seat", back_to, "open", TODAY))
    assert codes("correct", d, note="no") == refused


def test_request_approval_is_not_taken_back_under_candidates() -> None:
    who = Concerned(uuid4(), uuid4(), "identified", 1)
    last = LastStep(3, "approve", "under_review", "approved", TODAY)
    assert codes("correct", dossier("approved", concerned=(who,), last_step=last), note="no") == ["no_live_candidacies"]
    assert codes("correct", dossier("approved", last_step=last), note="no") == []


def test_request_seats_add_up() -> None:
    seats = left_with(replace(SEATS, offered=1, taken=1), offered=-1, taken=1)
    assert (seats.offered, seats.taken, seats.free, seats.full) == (0, 2, 1, False)
    assert left_with(seats, taken=-1, used=1).free == 1
    assert left_with(seats, taken=1).full is True


def test_terms_worse_are_those_that_are_less_good() -> None:
    asked = {"gross_monthly_pay": "18000", "weekly_hours": 40, "leave_days": 10, "housing": "dormitory", "board": None}
    assert terms.worse(asked, asked) == ()
    better = asked | {"gross_monthly_pay": "18000.50", "weekly_hours": "38", "leave_days": 12, "board": "free"}
    assert terms.worse(asked, better) == ()
    less = {"gross_monthly_pay": "17999", "weekly_hours": 41, "leave_days": 9, "housing": "none"}
    assert terms.worse(asked, less) == ("gross_monthly_pay", "housing", "leave_days", "weekly_hours")
    assert terms.worse({"contract_months": 24}, {"contract_months": "24"}) == ()
    assert terms.worse({"contract_months": 24}, {"contract_months": 36}) == ("contract_months",)


@pytest.mark.parametrize("written", [True, "NaN", "Infinity", "-1", "0", "ten", None, "1e400000000", "\uff11", 1.5])
def test_terms_number_is_a_number_above_nothing(written: Any) -> None:
    assert terms.number(written) is None


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ({"bonus": "1"}, ("term_known", "/terms/bonus")),
        ({"weekly_hours": "many"}, ("term_is_number", "/terms/weekly_hours")),
        ({"leave_days": 0}, ("term_is_number", "/terms/leave_days")),
        ({"starts_on": "2026-02-30"}, ("term_is_day", "/terms/starts_on")),
        ({"gross_monthly_pay": None}, ("term_is_number", "/terms/gross_monthly_pay")),
        ({"gross_monthly_pay": "18000"}, ("pay_has_currency", "/terms/pay_currency")),
        ({"gross_annual_pay": "1", "pay_currency": "thb"}, ("pay_has_currency", "/terms/pay_currency")),
        ({"gross_annual_pay": "1", "pay_currency": "THBT"}, ("pay_has_currency", "/terms/pay_currency")),
        ({"gross_annual_pay": "1", "pay_currency": "TH\u0411"}, ("pay_has_currency", "/terms/pay_currency")),
        ({"gross_annual_pay": "1", "pay_currency": 764}, ("pay_has_currency", "/terms/pay_currency")),
    ],
)
def test_terms_are_written_as_they_must_be(written: dict[str, Any], fault: tuple[str, str]) -> None:
    assert [(r.code, r.pointer) for r in terms.faults(written)] == [fault]


def test_terms_that_are_well_written_have_no_fault() -> None:
    assert list(terms.faults(TERMS | {"starts_on": "2028-02-29", "housing": "dormitory"})) == []


def test_request_is_drafted_by_an_enterprise_for_itself_with_partners_that_are_known() -> None:
    ours = uuid4()
    new = NewRequest(state=NEW, today=TODAY, relationship_id=uuid4(), agency_relationship_id=uuid4())
    assert own_organisation(new, {"organisation_id": ours}) is None
    clerk = replace(new, asking_organisation=ours)
    assert own_organisation(clerk, {"organisation_id": ours}) is None
    assert own_organisation(clerk, {"organisation_id": uuid4()}) == Reason(
        "own_organisation", pointer="/organisation_id"
    )
    strangers = replace(new, relationship_id=None, agency_relationship_id=None)
    assert list(relationships_known(new, {"agency_id": ours})) == []
    assert [r.pointer for r in relationships_known(strangers, {})] == ["/organisation_id"]
    assert [r.pointer for r in relationships_known(strangers, {"agency_id": ours})] == [
        "/organisation_id", "/agency_id",
    ]  # fmt: skip


def test_request_names_countries_and_an_occupation_that_there_are() -> None:
    wrong = {"destination": "XX", "nationalities": ("TH", "QQ"), "occupation": "31155", "terms": {"bonus": 1}}
    assert [(r.code, r.pointer) for r in well_written(dossier("draft"), wrong)] == [
        ("country_known", "/destination"), ("country_known", "/nationalities"), ("occupation_code", "/occupation"),
        ("term_known", "/terms/bonus"),
    ]  # fmt: skip
    for occupation in ("31\u0663", "3a", ""):
        assert [r.code for r in well_written(dossier("draft"), {"occupation": occupation})] == ["occupation_code"]
    right = {"destination": "JP", "nationalities": ("TH", "KH"), "occupation": "7212"}
    assert list(well_written(dossier("draft"), right)) == []


def test_request_for_people_who_depart_names_the_day() -> None:
    japan = replace(
        JOB, destination="JP", pathway="jp_ssw1", nationalities=("TH", "KH"), planned_departure_on=None,
        employer=replace(JOB.employer, country="JP"),
    )  # fmt: skip
    assert [r.code for r in packs_fit(dossier("draft", job=japan))] == ["departure_planned"]
    planned = replace(japan, planned_departure_on=TODAY + 50 * DAY)
    assert list(packs_fit(dossier("draft", job=planned))) == []


def test_request_days_come_in_order() -> None:
    found = list(well_written(dossier("draft"), {"ends_on": TODAY}))
    assert [(r.code, r.pointer) for r in found] == [("dates_in_order", "/ends_on")]


def test_request_days_are_compared_with_those_that_stand() -> None:
    stands = dossier("draft", opens_on=TODAY, closes_on=TODAY + 9 * DAY, job=replace(JOB, ends_on=None))
    for given, pointer in (
        ({"opens_on": TODAY + 10 * DAY}, "/closes_on"),
        ({"closes_on": TODAY - DAY}, "/closes_on"),
        ({"planned_departure_on": TODAY + 61 * DAY}, "/starts_on"),
        ({"starts_on": TODAY, "ends_on": TODAY - DAY}, "/ends_on"),
    ):
        assert [(r.code, r.pointer) for r in well_written(stands, given)] == [("dates_in_order", pointer)]
    for right in (
        {"opens_on": TODAY + 9 * DAY}, {"closes_on": TODAY}, {"planned_departure_on": TODAY + 60 * DAY},
        {"starts_on": TODAY}, {"starts_on": TODAY, "ends_on": TODAY},
    ):  # fmt: skip
        assert list(well_written(stands, right)) == []
    new = NewRequest(state=NEW, today=TODAY)
    assert [r.pointer for r in well_written(new, {"opens_on": TODAY, "closes_on": TODAY - DAY})] == ["/closes_on"]
    assert list(well_written(new, {"closes_on": TODAY})) == []


def test_request_names_the_agency_where_a_pack_that_applies_asks_for_its_licence() -> None:
    japan = replace(
        JOB, destination="JP", pathway="jp_ssw1", nationalities=("CN",), planned_departure_on=TODAY + 50 * DAY,
        employer=replace(JOB.employer, country="JP"),
    )  # fmt: skip
    asked = Reason("agency_named", required="agency_id", pointer="/agency_id")
    assert agency_named(dossier("draft", job=japan)) == asked
    for other in (
        {"agency_id": uuid4()}, {"employer": replace(JOB.employer, country="CN")}, {"nationalities": ("TH",)},
        {"planned_departure_on": None, "starts_on": None},
    ):  # fmt: skip
        assert agency_named(dossier("draft", job=replace(japan, **other))) is None


def test_request_rests_on_ties_that_hold_on_the_day() -> None:
    for tie, held in (
        (Tie("verified", TODAY), True),
        (Tie("verified", TODAY - DAY), False),
        (Tie("verified", None), False),
        (Tie("suspended", TODAY + DAY), False),
    ):
        assert tie.holds(TODAY) is held
        found = codes("approve", dossier("under_review", relationship=tie, since_on=TODAY))
        assert found == ([] if held else ["relationship_verified"])
    with_agency = replace(JOB, agency_id=uuid4())
    ended = dossier("under_review", job=with_agency, agency=Tie("verified", TODAY - DAY))
    assert codes("approve", ended) == ["agency_verified"]
    assert codes("approve", ended, occurred_on=TODAY - DAY) == []
    assert codes("approve", replace(ended, agency=Tie("verified", TODAY))) == []


def test_request_counts_seats_that_are_taken_and_used_up() -> None:
    why = {"reason_code": "other"}
    both = replace(SEATS, taken=1, used=1)
    by_them = dossier("open", seats=both, asked_by=(ENTERPRISE,))
    assert codes("cancel", by_them, actor(ENTERPRISE), **why) == ["no_acceptance_yet"]
    assert codes("replace_seat", dossier("open", seats=SEATS), reason_code="health") == ["a_seat_used"]
    assert codes("replace_seat", dossier("open", seats=both), reason_code="health") == []
    back = LastStep(9, "replace_seat", "open", "open", TODAY)
    assert codes("correct", dossier("open", seats=replace(SEATS, offered=1), last_step=back), note="no") == []


CHANGES = {
    "title", "occupation", "field", "destination", "pathway", "nationalities", "seats", "terms", "options",
    "levels_asked", "no_fee_for_workers", "opens_on", "closes_on", "planned_departure_on", "starts_on", "ends_on",
    "agency_id",
}  # fmt: skip


def test_request_changes_are_of_what_was_written_for_a_reason_that_there_is() -> None:
    def against(*changes: Change) -> list[tuple[str, str | None]]:
        return [(r.code, r.pointer) for r in changes_named(dossier("under_review"), {"changes": changes})]

    assert against(*(Change(field=f, reason_code="other") for f in CHANGES)) == []
    reasons = {"incomplete", "unreadable", "terms_unlawful", "pay_terms", "requirements_unmet", "data_error", "other"}
    assert against(*(Change(field="terms", reason_code=r) for r in reasons)) == []
    assert against(Change(field="terms", reason_code="other"), Change(field="luck", reason_code="bad")) == [
        ("field_known", "/changes/1/field"), ("reason_code_known", "/changes/1/reason_code"),
    ]  # fmt: skip


def test_job_tells_the_packs_what_it_is() -> None:
    terms_ = {"gross_annual_pay": "52000", "gross_monthly_pay": "1", "pay_currency": "EUR", "regulated_job": True}
    staff = Staff(declared_on=TODAY, local_staff=9)
    job = replace(
        JOB, agency_id=uuid4(), field="care", planned_departure_on=TODAY, options=("fast_track",), seats=3,
        levels_asked={"jlpt": "N3"}, terms=terms_, staff=staff,
    )  # fmt: skip
    visa = {"visa": Evidence(state="accepted", purpose="training")}
    expected = RequirementFacts(
        nationality="CN", destination="TH", field="care", employer_country="TH", employer_funded_by="CN",
        employer_kind="enterprise", has_agency=True, gross_annual_pay=Decimal(52000), pay_currency="EUR",
        regulated_job=True, planned_departure_on=TODAY, starts_on=JOB.starts_on, ends_on=JOB.ends_on,
        options=frozenset({"fast_track"}), levels_asked={"jlpt": "N3"}, staff=staff, foreigners_added=3,
        entry_purpose="training", evidence=visa,
    )  # fmt: skip
    assert job.facts("CN", evidence=visa) == expected
    other = replace(
        job, agency_id=None, planned_departure_on=None, terms={"gross_monthly_pay": "1000.50", "regulated_job": "yes"},
        employer=Employer(country="TH", natural_person=True, chinese_funded=False, name_latin="Siam"),
    )  # fmt: skip
    assert other.facts("TH") == replace(
        expected, nationality="TH", employer_funded_by="TH", employer_kind="natural_person", has_agency=False,
        gross_annual_pay=Decimal(12006), pay_currency=None, regulated_job=None, planned_departure_on=None,
        foreigners_added=0, entry_purpose="work", evidence={},
    )  # fmt: skip
    assert replace(other, terms={}).facts("TH").gross_annual_pay is None
    assert (job.planned_on, other.planned_on) == (TODAY, JOB.starts_on)


def test_job_states_terms_and_what_has_a_place_of_its_own() -> None:
    job = replace(JOB, field="care", terms={"housing": "dormitory", "board": None})
    starts = str(TODAY + 60 * DAY)
    assert job.stated == {"job_title": "Technician", "field": "care", "starts_on": starts, "housing": "dormitory"}
    assert replace(job, field=None, starts_on=None).stated == {"job_title": "Technician", "housing": "dormitory"}
    assert replace(job, starts_on=None).chosen((), "TH") == NoPack(
        "planned_day_stated", ["planned_departure_on", "starts_on"]
    )
