"""A Thai graduate of a college in China, hired at home by a Chinese-funded enterprise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import asyncpg
import pytest

from tests.chains import broken_chains
from tests.journeys.placing import advance, ask, choose, deal, look_back
from tests.journeys.story import Body, Plot, Story, day, illegal, lacking
from tests.journeys.studying import certify, enrol, recognise, register, train

HOME = Plot(
    name_native="สมชาย ใจดี",
    name_latin="JAIDEE, SOMCHAI",
    nationality="TH",
    born=date(2002, 8, 9),
    language={"test": "hsk_2", "level": "4"},
    employer={
        "name_native": "泰华机电", "name_latin": "Thai-Hua Mechatronics", "country": "TH", "time_zone": "Asia/Bangkok",
        "registration_no": "0105561000000", "chinese_funded": True,
    },
    agency=None,
    job={
        "title": "Maintenance technician", "occupation": "3115", "destination": "TH", "pathway": "home_hire",
        "nationalities": ["TH"], "no_fee_for_workers": True, "levels_asked": {"hsk_2": "4"},
    },
    terms={
        "workplace": "Rayong", "contract_months": 12, "gross_monthly_pay": "18000", "pay_currency": "THB",
        "weekly_hours": 40, "contract_language": "th", "social_insurance": "statutory",
    },
)  # fmt: skip


@pytest.mark.timeout(300)
async def test_journey_to_work_at_home(begin: Callable[[Plot], Story]) -> None:
    s = begin(HOME)
    await s.open_the_office()
    # ---- study
    s.on(-1000)
    await register(s)
    await enrol(s)
    await train(s, -950, -700)
    await certify(s, -690, kind="language", test="hsk_2", level="4", total_score="245", issuer="CTI")
    s.on(-640)
    await recognise(s)
    # ---- an offer
    s.on(-600)
    await deal(s)
    s.on(-590)
    await ask(s, starts_on=day(-396), ends_on=day(-31))
    s.on(-550)
    await choose(s)
    # ---- to work
    c = s.coordinator
    s.on(-500)
    await _deposit(s)
    await advance(
        s, c, "collect_documents", illegal("apply_visa", "is_next_stage_of_pack"),
        needs=("employment_contract", "graduation_certificate", "skill_certificate"), expect="documents",
    )  # fmt: skip
    assert await s.stage() == "preparing_departure"
    s.on(-440)
    await advance(
        s, s.trainee, "confirm_terms", illegal("arrive", "evidence_required", "is_next_stage_of_pack"),
        lacking("recorded_for_required", by=c), expect="documents",
    )  # fmt: skip
    s.on(-396)
    await advance(
        s, s.clerk, "start_work", illegal("complete", by=c),
        needs=("credential_legalised", "medical_fitness", "data_return_consent", "stay_in_china_ended"),
        expect="active",
    )  # fmt: skip
    assert await s.stage() == "employed"
    assert [(await c.get(s.request)).json()[n] for n in ("taken", "used")] == [0, 1]
    # ---- the contract ends
    s.on(-31)
    await advance(s, c, "complete", illegal("close"), lacking("role", by=s.clerk, status=403), expect="completed")
    assert await s.stage() == "alumni"
    s.on(-30)
    await advance(s, c, "close", illegal("start_return", "evidence_required", "departs", returns_on=day(-1)),
                  lacking("role", by=s.clerk, status=403), expect="closed")  # fmt: skip
    await look_back(s, stage="alumni", states=["contracting", "documents", "active", "completed", "closed"])
    await _forgotten(s)


async def _deposit(s: Story) -> None:
    """A deposit that the family paid closes every gate, whatever else is there, until it is paid back."""
    c = s.coordinator
    deposit: Body = {
        "person_id": s.person, "placement_id": s.placement.rsplit("/", 1)[1], "type": "deposit", "amount": "5000",
        "currency": "THB", "payer": "family", "receiver": "enterprise",
    }  # fmt: skip
    made = await s.born(
        s.trainee, "/v1/costs", deposit, lacking("out_of_bounds", **(deposit | {"amount": "0"})),
        lacking("placement_known", **(deposit | {"placement_id": s.person})),
    )  # fmt: skip
    await s.never(s.placement, "collect_documents", lacking(*["requirement_missing"] * 3, "deposit_paid"), c)
    receipt = await s.paper(c, "other", s.person)
    await s.step(
        c, f"/v1/costs/{made['id']}", "repay", illegal("repay", "role", by=s.trainee, status=403),
        lacking("evidence_required"), evidence=[receipt], expect="repaid",
    )  # fmt: skip


async def _forgotten(s: Story) -> None:
    """Years later they ask to be forgotten: what is theirs is still counted and read, and nothing says whose it was."""
    path, admin = f"/v1/trainees/{s.person}", s.admin
    await s.step(
        s.trainee, path, "ask_erasure", illegal("erase", "role", by=s.trainee, status=403), lacking("missing", status=422),
        reason_code="purpose_ended",
    )  # fmt: skip
    kept = (await admin.act(path, "erase")).json()["reasons"]
    assert [(r["code"], r.get("actual")) for r in kept] == [
        ("nothing_live", ["obligation"]), ("accounts_ended", 1), ("kept_by_law", "cn_placement_ledger"),
    ]  # fmt: skip
    for owed in (await s.coordinator.get("/v1/obligations", state="pending")).json()["items"]:
        await admin.done(f"/v1/obligations/{owed['id']}", "waive", {"reason_code": "no_longer_needed"})
    con = await asyncpg.connect(s.dsn)
    await con.execute("UPDATE institutions SET country = 'TH'")  # no rule of that country is known
    await con.close()
    held = next(a for a in (await admin.get("/v1/appointments", role="trainee")).json()["items"] if a["person_ids"])
    await admin.done(f"/v1/appointments/{held['id']}", "end")
    await admin.done(path, "erase")
    for items in ("enrolments", "applications", "placements", "candidacies", "results", "certificates", "memberships",
                  "recognition-cases", "requirement-items", "documents", "costs", "ledger", "consents"):  # fmt: skip
        asked = {} if items == "ledger" else {"include": "actions"}
        listed = await s.coordinator.get(f"/v1/{items}", **asked)
        assert listed.status_code == 200, (items, listed.text)
        assert s.plot.name_native not in listed.text
        assert s.plot.name_latin not in listed.text
    for item in (s.enrolment, s.placement, s.candidacy):
        assert (await s.coordinator.get(item)).status_code == 200
        assert {
            r["code"] for o in (await s.coordinator.get(item + "/actions")).json()["actions"] for r in o["reasons"]
        } == {"record_open"}
    assert (await s.coordinator.get(f"{s.placement}/checklist")).status_code == 200
    assert (await s.coordinator.get(f"{s.enrolment}/stages")).status_code == 200
    assert await broken_chains(s.dsn) == []
