"""A Chinese national, trained for Germany, at work there as a skilled worker, and home before the contract ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tests.journeys.placing import advance, ask, choose, deal, look_back
from tests.journeys.story import Body, Plot, Story, day, illegal, lacking
from tests.journeys.studying import certify, enrol, recognise, register, train

GERMANY = Plot(
    name_native="李娜",
    name_latin="LI, NA",
    nationality="CN",
    born=date(1999, 3, 3),
    language={"test": "goethe", "level": "B1"},
    employer={
        "name_native": "Nordwerk Anlagenbau GmbH", "name_latin": "Nordwerk Anlagenbau GmbH", "country": "DE",
        "time_zone": "Europe/Berlin", "registration_no": "HRB 12345",
    },
    agency={
        "name_native": "启航对外劳务", "name_latin": "Qihang Labour Service", "country": "CN",
        "time_zone": "Asia/Shanghai",
    },
    job={
        "title": "Mechatronics fitter", "occupation": "7412", "field": "metalworking", "destination": "DE", "pathway": "de_18a",
        "nationalities": ["CN"], "no_fee_for_workers": True, "options": ["fast_track"],
    },
    terms={
        "workplace": "Kiel", "contract_months": 24, "gross_annual_pay": "42000", "gross_monthly_pay": "3500",
        "pay_currency": "EUR", "weekly_hours": 38, "leave_days": 28, "housing": "own", "travel_payer": "employer",
        "return_travel_payer": "employer", "qualified_job": True, "regulated_job": False,
        "social_insurance": "statutory", "injury_compensation": "statutory", "board": "own",
        "accident_insurance_buyer": "employer",
    },
    papers=(
        ("qualified_job", "qualified_job", "clerk"),
        ("agency_licence", "agency_licence", "agent"),
        ("risk_reserve", "risk_reserve", "agent"),
        ("labour_cooperation_contract_at_approval", "labour_cooperation_contract", "agent"),
        ("emergency_plan", "emergency_plan", "agent"),
        ("country_open", "country_open", "coordinator"),
    ),
    stages=2,
)  # fmt: skip


@pytest.mark.timeout(300)
async def test_journey_to_germany_and_home_again(begin: Callable[[Plot], Story]) -> None:
    s = begin(GERMANY)
    await s.open_the_office()
    # ---- study
    s.on(-1200)
    await register(s)
    await enrol(s)
    await train(s, -1150, -900)
    await certify(s, -880, kind="language", test="goethe", level="B1", issuer="Goethe-Institut")
    s.on(-830)
    await recognise(s)
    # ---- an offer, with less leave than was approved
    s.on(-800)
    await deal(s)
    s.on(-790)
    await ask(s, planned_departure_on=day(-450), starts_on=day(-440), ends_on=day(280))
    s.on(-750)
    await choose(s, offered={"leave_days": 25}, worse=("leave_days",))
    await _leave(s)
    await _come_home(s)
    await look_back(
        s, stage="alumni",
        states=["contracting", "documents", "authorisation", "visa", "pre_departure", "ready", "departed", "arrived",
                "active", "early_return", "returning", "returned", "reintegrating", "closed"],
    )  # fmt: skip


async def _leave(s: Story) -> None:
    """To Germany, and to work there."""
    c = s.coordinator
    away = illegal("depart", "is_next_stage_of_pack", by=s.agent)
    s.on(-730)
    await advance(
        s, c, "collect_documents", away,
        needs=("worker_contract", "service_fee_within_rules", "truthful_information", "risk_notice",
               "employment_contract_consistent"),
        agency_contract="service", expect="documents",
    )  # fmt: skip
    assert await s.stage() == "preparing_departure"
    s.on(-700)
    await advance(
        s, c, "apply_authorisation", away,
        needs=("employment_contract", "employment_declaration", "recognition_notice", "diploma", "diploma_translation",
               "fast_track_power_of_attorney", "fast_track_agreement", "fast_track_fee"),
        expect="authorisation",
    )  # fmt: skip
    s.on(-560)
    await advance(
        s, c, "apply_visa", away,
        needs=("passport_book", "visa_form", "photo", "declarations", "employment_agency_approval", "health_insurance"),
        expect="visa",
    )  # fmt: skip
    s.on(-500)
    await advance(s, c, "prepare_departure", away, needs=("visa",), expect="pre_departure")
    s.on(-470)
    days: Body = {"leaves_on": day(-450), "arrives_on": day(-449)}
    await advance(
        s, c, "clear", away, lacking("out_of_window", leaves_on=day(-450), arrives_on=day(1300)),
        needs=("pre_departure_training", "accident_insurance"), expect="ready", **days,
    )  # fmt: skip
    s.on(-450)
    await advance(
        s, s.agent, "depart", illegal("confirm_terms", "role", status=403),
        needs=("exit_formalities", "country_open_at_departure"), flight="LH723", expect="departed",
    )  # fmt: skip
    assert await s.stage() == "abroad"
    s.on(-449)
    ticket = await s.paper(s.trainee, "ticket", s.person)
    await advance(
        s, s.trainee, "arrive", illegal("withdraw", reason_code="family"), lacking("evidence_required"),
        evidence=[ticket], expect="arrived",
    )  # fmt: skip
    s.on(-440)
    await s.never(s.placement, "start_work", lacking("terms_confirmed"), s.clerk)
    await advance(
        s, s.trainee, "confirm_terms", illegal("arrive"), lacking("recorded_for_required", by=c), expect="arrived"
    )
    await advance(
        s, s.clerk, "start_work", illegal("complete", by=c), lacking("recorded_for_required", by=c), expect="active"
    )


async def _come_home(s: Story) -> None:
    """Before the contract ends."""
    c = s.coordinator
    s.on(-60)
    await s.never(s.placement, "complete", lacking("contract_ended_on"), c)
    await advance(
        s, c, "return_early", illegal("close"),
        lacking("literal_error", "literal_error", status=422, reason_code="boredom", paid_by="nobody"),
        reason_code="family", paid_by="enterprise", expect="early_return",
    )  # fmt: skip
    s.on(-55)
    ticket = await s.paper(s.trainee, "ticket", s.person)
    await advance(
        s, c, "start_return", illegal("reintegrate", skills_gained="SPS", wish="study"),
        lacking("evidence_required", returns_on=day(-50)), returns_on=day(-50), evidence=[ticket], expect="returning",
    )  # fmt: skip
    assert await s.stage() == "abroad"
    s.on(-50)
    await advance(
        s, c, "record_return", illegal("close"), lacking("missing", "missing", "missing", status=422),
        wages="settled", insurance="settled", pension="not_due", expect="returned",
    )  # fmt: skip
    assert await s.stage() == "returned"
    s.on(-30)
    wish: Body = {"skills_gained": "Steuerungstechnik", "wish": "own_business"}
    await advance(
        s, c, "reintegrate", illegal("close"), lacking("literal_error", status=422, **(wish | {"wish": "fame"})),
        **wish, expect="reintegrating",
    )  # fmt: skip
    s.on(-5)
    await advance(s, c, "close", illegal("complete"), lacking("role", by=s.clerk, status=403), expect="closed")
