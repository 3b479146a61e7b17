"""A Chinese national, trained at home, at work in Japan for a year, and home again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tests.journeys import page
from tests.journeys.placing import advance, ask, choose, deal, look_back
from tests.journeys.story import Body, Plot, Story, day, illegal, lacking
from tests.journeys.studying import certify, enrol, recognise, register, train

JAPAN = Plot(
    name_native="王伟",
    name_latin="WANG, WEI",
    nationality="CN",
    born=date(2001, 5, 6),
    language={"test": "jlpt", "level": "N4"},
    employer={
        "name_native": "東海精機株式会社", "name_latin": "Tokai Seiki K.K.", "country": "JP", "time_zone": "Asia/Tokyo",
        "registration_no": "1234567890123",
    },
    agency={
        "name_native": "启航对外劳务", "name_latin": "Qihang Labour Service", "country": "CN",
        "time_zone": "Asia/Shanghai",
    },
    job={
        "title": "Machine operator", "occupation": "8211", "field": "industrial_manufacturing", "destination": "JP",
        "pathway": "jp_ssw1", "nationalities": ["CN"], "no_fee_for_workers": True,
    },
    terms={
        "workplace": "Nagoya", "contract_months": 12, "gross_monthly_pay": "215000", "pay_currency": "JPY",
        "weekly_hours": 40, "leave_days": 10, "housing": "dormitory", "travel_payer": "employer",
        "return_travel_payer": "employer", "contract_language": "zh", "social_insurance": "statutory",
        "injury_compensation": "statutory", "board": "own", "accident_insurance_buyer": "employer",
    },
    papers=(
        ("agency_licence", "agency_licence", "agent"),
        ("risk_reserve", "risk_reserve", "agent"),
        ("labour_cooperation_contract_at_approval", "labour_cooperation_contract", "agent"),
        ("emergency_plan", "emergency_plan", "agent"),
        ("country_open", "country_open", "coordinator"),
    ),
)  # fmt: skip


@pytest.mark.timeout(300)
async def test_journey_to_japan_and_home_again(begin: Callable[[Plot], Story]) -> None:
    s = begin(JAPAN)
    await s.open_the_office()
    # ---- study
    s.on(-1100)
    await register(s)
    await enrol(s)
    await train(s, -1050, -800)
    await certify(s, -790, kind="language", test="jlpt", level="N4", total_score="104", issuer="JEES")
    await certify(s, -780, kind="skill", test="ssw1_skills", level="pass", field="industrial_manufacturing")
    s.on(-735)
    await recognise(s)
    # ---- an offer
    s.on(-700)
    await deal(s)
    s.on(-690)
    await ask(s, planned_departure_on=day(-400), starts_on=day(-395), ends_on=day(-31))
    s.on(-640)
    await choose(s)
    await _leave(s)
    await _come_home(s)
    await look_back(
        s, stage="pool",
        states=["contracting", "documents", "authorisation", "visa", "pre_departure", "ready", "departed", "arrived",
                "active", "completed", "returning", "returned", "reintegrating", "closed"],
    )  # fmt: skip
    page.check(s)


async def _leave(s: Story) -> None:
    """To Japan, and to work there."""
    c = s.coordinator
    away = illegal("depart", "is_next_stage_of_pack", by=s.agent)
    s.on(-620)
    await advance(
        s, c, "collect_documents", away,
        needs=("employment_contract", "employment_conditions", "worker_contract", "service_fee_within_rules",
               "truthful_information", "risk_notice", "employment_contract_consistent"),
        agency_contract="service", expect="documents",
    )  # fmt: skip
    assert await s.stage() == "preparing_departure"
    s.on(-560)
    await advance(
        s, c, "apply_authorisation", away,
        needs=("medical_examination", "curriculum_vitae", "photo", "pay_explanation", "recruitment_history",
               "cost_statement", "prior_guidance", "support_plan", "council_membership"),
        expect="authorisation",
    )  # fmt: skip
    s.on(-450)
    await advance(s, c, "apply_visa", away, needs=("certificate_of_eligibility",), expect="visa")
    s.on(-430)
    await advance(s, c, "prepare_departure", away, needs=("visa",), expect="pre_departure")
    s.on(-410)
    days: Body = {"leaves_on": day(-400), "arrives_on": day(-399)}
    await advance(
        s, c, "clear", away, lacking("out_of_window", leaves_on=day(-400), arrives_on=day(-200)),
        needs=("pre_departure_training", "accident_insurance"), expect="ready", **days,
    )  # fmt: skip
    s.on(-400)
    await advance(
        s, s.agent, "depart", illegal("confirm_terms", "role", status=403),
        lacking("occurred_on_in_range", occurred_on=day(-300)),
        too_old=("certificate_of_eligibility_at_entry",), needs=("exit_formalities", "country_open_at_departure"), flight="MU523", expect="departed",
    )  # fmt: skip
    assert await s.stage() == "abroad"
    assert [(await c.get(s.request)).json()[n] for n in ("taken", "used")] == [0, 1]
    s.on(-399)
    ticket = await s.paper(s.trainee, "ticket", s.person)
    await advance(
        s, s.trainee, "arrive", illegal("withdraw", reason_code="family"), lacking("evidence_required"),
        evidence=[ticket], expect="arrived",
    )  # fmt: skip
    s.on(-395)
    await s.never(s.placement, "start_work", lacking("terms_confirmed"), s.clerk)
    await advance(
        s, s.trainee, "confirm_terms", illegal("arrive"), lacking("recorded_for_required", by=c), expect="arrived"
    )
    await advance(
        s, s.clerk, "start_work", illegal("complete", by=c), lacking("recorded_for_required", by=c), expect="active"
    )
    assert await s.stage() == "abroad"


async def _come_home(s: Story) -> None:
    """After the contract."""
    c = s.coordinator
    s.on(-31)
    await advance(s, c, "complete", illegal("close"), lacking("role", by=s.clerk, status=403), expect="completed")
    await s.never(s.placement, "close", lacking("home_again"), c)
    s.on(-25)
    ticket = await s.paper(s.trainee, "ticket", s.person)
    await advance(
        s, c, "start_return", illegal("reintegrate", skills_gained="CNC", wish="study"),
        lacking("evidence_required", returns_on=day(-20)), returns_on=day(-20), evidence=[ticket], expect="returning",
    )  # fmt: skip
    assert await s.stage() == "abroad"
    s.on(-20)
    await advance(
        s, c, "record_return", illegal("close"), lacking("missing", "missing", "missing", status=422),
        wages="settled", insurance="settled", pension="open", expect="returned",
    )  # fmt: skip
    assert await s.stage() == "returned"
    s.on(-10)
    wish: Body = {"skills_gained": "数控机床", "wish": "abroad_again"}
    await advance(
        s, c, "reintegrate", illegal("close"), lacking("out_of_bounds", **wish, available_until=day(366)),
        **wish, available_until=day(180), expect="reintegrating",
    )  # fmt: skip
    s.on(-5)
    await advance(s, c, "close", illegal("complete"), lacking("role", by=s.clerk, status=403), expect="closed")
