"""Placements, requirement items and costs over HTTP: three ways to work, and every way out."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID, uuid4

import asyncpg
import pytest

from service.actions.placements import TIMERS
from service.actions.timers import ring
from service.domain.actors import (
    AGENCY,
    COORDINATOR,
    ENTERPRISE,
    READER,
    TRAINEE,
)
from tests.placed import DAY, Stage


# ---- three ways to work
@pytest.mark.parametrize(("pathway", "destination"), [("jp_ssw1", "JP"), ("de_18a", "DE")])
async def test_placement_abroad_from_contract_home_again(house: Stage, pathway: str, destination: str) -> None:
    path, c = await house.placement(pathway, "CN", destination), house.coordinator
    assert await house.journey(path) == "contracted"
    await house.to_ready(path)
    assert (await house.candidacy(path), await house.seats(path)) == ("placed", (1, 0))
    assert await house.journey(path) == "preparing_departure"
    agency, enterprise, trainee = [await house.party(r, path) for r in (AGENCY, ENTERPRISE, TRAINEE)]
    assert (await agency.done(path, "depart", {"flight": "MU523"}))["state"] == "departed"
    assert (await house.seats(path), await house.journey(path)) == ((0, 1), "abroad")
    await trainee.done(path, "arrive", {"evidence": await house.shown(path)})
    assert await enterprise.refused(path, "start_work") == ["terms_confirmed"]
    await trainee.done(path, "confirm_terms")
    assert (await enterprise.done(path, "start_work"))["state"] == "active"
    await c.done(path, "return_early", {"reason_code": "family", "paid_by": "enterprise"})
    await c.done(path, "start_return", {"returns_on": str(house.today), "evidence": await house.shown(path)})
    assert await house.journey(path) == "abroad"
    await c.done(path, "record_return", {"wages": "settled", "insurance": "settled", "pension": "open"})
    assert await house.journey(path) == "returned"
    said = {"skills_gained": "焊接", "wish": "abroad_again", "available_until": str(house.today + 30 * DAY)}
    await c.done(path, "reintegrate", said)
    assert (await c.get(path + "/interview")).json() | {"id": None} == {
        "id": None, "skills_gained": "焊接", "wish": "abroad_again",
    }  # fmt: skip
    assert (await c.done(path, "close"))["state"] == "closed"
    assert await house.journey(path) == "pool"
    assert await house.seats(path) == (0, 1)
    events = (await c.get(path + "/events")).json()["items"]
    assert [e["to_state"] for e in events] == [
        "contracting", "documents", "authorisation", "visa", "pre_departure", "ready", "departed", "arrived", "arrived",
        "active", "early_return", "returning", "returned", "reintegrating", "closed",
    ]  # fmt: skip
    assert "焊接" not in json.dumps(events, ensure_ascii=False)


async def test_placement_at_home_needs_no_departure(house: Stage) -> None:
    path, c = await house.placement("home_hire", "TH", "TH"), house.coordinator
    await house.hand_in(path, "collect_documents")
    assert await c.refused(path, "apply_visa") == ["is_next_stage_of_pack"]
    await c.done(path, "collect_documents")
    assert await house.journey(path) == "preparing_departure"
    trainee, enterprise = [await house.party(r, path) for r in (TRAINEE, ENTERPRISE)]
    await trainee.done(path, "confirm_terms")
    assert (await enterprise.refused(path, "start_work"))[0] == "requirement_missing"
    # Waived where the employer does not ask: by an approver with a reason, and only because the row allows it.
    person = (await house.of(path))["person_id"]
    items = (await c.get("/v1/requirement-items", person_id=person, key="credential_legalised")).json()["items"]
    assert items == []
    await c.ok(
        "/v1/requirement-items/waive", {"subject_id": person, "key": "credential_legalised", "reason_code": "other"}
    )
    await house.hand_in(path, "start_work")
    assert (await enterprise.done(path, "start_work"))["state"] == "active"
    assert (await house.journey(path), await house.seats(path)) == ("employed", (0, 1))
    await house.sql(
        "UPDATE placements SET starts_on = $2, ends_on = $2 WHERE id = $1",
        UUID(path.rsplit("/", 1)[1]),
        house.today - DAY,
    )
    assert await ring(house.world.services, TIMERS[0], house.world.institution) == 1
    assert await ring(house.world.services, TIMERS[0], house.world.institution) == 0
    assert (await house.of(path))["state"] == "completed"
    assert (await c.done(path, "close"))["state"] == "closed"
    assert await house.journey(path) == "alumni"


# ---- every way out
async def test_placement_cancelled_frees_its_seat_once(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    assert await house.seats(path) == (1, 0)
    await house.hand_in(path, "collect_documents")
    await c.done(path, "collect_documents")
    assert (await c.done(path, "cancel", {"reason_code": "visa_refused"}))["state"] == "cancelled"
    assert (await house.seats(path), await house.candidacy(path)) == ((0, 0), "fell_through")
    assert await c.refused(path, "cancel", {"reason_code": "visa_refused"}) == ["not_from_this_state"]
    assert await c.refused(path, "correct", {"note": "no"}) == ["correctable"]
    assert await house.seats(path) == (0, 0)


async def test_placement_a_rush_to_cancel_frees_the_seat_once(house: Stage) -> None:
    path = await house.placement()
    trainee = await house.party(TRAINEE, path)
    cancel = [house.coordinator.post(path + "/cancel", {"reason_code": "visa_refused"}, version=1) for _ in range(5)]
    withdraw = [trainee.post(path + "/withdraw", {"reason_code": "family"}, version=1) for _ in range(5)]
    answers = await asyncio.gather(*cancel, *withdraw)
    assert sorted(a.status_code for a in answers) == [200] + [412] * 9
    assert (await house.seats(path), await house.candidacy(path)) == ((0, 0), "fell_through")


async def test_placement_the_trainee_withdraws_without_asking(house: Stage) -> None:
    path = await house.placement()
    trainee = await house.party(TRAINEE, path)
    assert (await trainee.done(path, "withdraw", {"reason_code": "family"}))["state"] == "cancelled"
    assert (await house.seats(path), await house.candidacy(path)) == ((0, 0), "fell_through")
    assert await house.journey(path) == "prospect"


async def test_placement_a_death_before_the_departure_frees_the_seat(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    said = {"family_informed_on": str(house.today), "evidence": await house.shown(path)}
    assert (await c.done(path, "record_death", said))["state"] == "deceased"
    assert (await house.seats(path), await house.candidacy(path)) == ((0, 0), "fell_through")
    assert await house.journey(path) == "deceased"
    assert await c.refused(path, "correct", {"note": "no"}) == ["nothing_given_back"]


async def test_placement_bulk_cancel_of_one_request_frees_every_seat(house: Stage) -> None:
    one, other = await house.placement(), await house.placement()
    request = house.requests[UUID(one.rsplit("/", 1)[1])]
    await house.sql("UPDATE placements SET request_id = $2 WHERE id = $1", UUID(other.rsplit("/", 1)[1]), request)
    await house.sql("UPDATE placement_requests SET taken = 2, state = 'filled' WHERE id = $1", request)
    items = [{"id": p.rsplit("/", 1)[1], "version": 1} for p in (one, other)]
    body = {"items": items, "reason_code": "force_majeure"}
    answer = await house.coordinator.ok("/v1/placements/bulk/cancel", body)
    assert (answer["done"], answer["refused"]) == (2, 0)
    assert await house.seats(one) == (0, 0)
    assert (await house.row("SELECT state FROM placement_requests WHERE id = $1", request))["state"] == "open"


async def test_placement_corrections_put_back_what_a_step_replaced(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    await house.hand_in(path, "collect_documents")
    await c.done(path, "collect_documents", {"agency_contract": "labour"})
    assert ((await house.of(path))["agency_contract"], await house.candidacy(path)) == ("labour", "placed")
    assert (await c.done(path, "correct", {"note": "too early"}))["state"] == "contracting"
    assert ((await house.of(path))["agency_contract"], await house.candidacy(path)) == (None, "accepted")
    later = str(house.today + 31 * DAY)
    before = (await house.of(path))["planned_departure_on"]
    await c.done(path, "reschedule", {"planned_departure_on": later})
    assert (await house.of(path))["planned_departure_on"] == later
    await c.done(path, "correct", {"note": "the old day holds"})
    assert (await house.of(path))["planned_departure_on"] == before
    assert await c.refused(path, "correct", {"note": "x"}) == ["corrected_by_candidacy"]


async def test_placement_a_corrected_departure_holds_the_seat_again(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    await house.to_ready(path)
    await c.done(path, "depart")
    assert await house.seats(path) == (0, 1)
    assert (await c.done(path, "correct", {"note": "the flight was cancelled"}))["state"] == "ready"
    assert (await house.seats(path), (await house.of(path))["departed_on"]) == ((1, 0), None)
    assert await house.journey(path) == "preparing_departure"


async def test_placement_one_live_placement_a_person(house: Stage) -> None:
    person = await house.person()
    first = await house.placement(person=person)
    await house.sql("UPDATE candidacies SET state = 'placed' WHERE person_id = $1", person)
    with pytest.raises(asyncpg.UniqueViolationError) as no:
        await house.placement(person=person)
    assert no.value.constraint_name == "placements_one_live"
    await house.sql("UPDATE candidacies SET state = 'not_selected' WHERE person_id = $1 AND state = 'accepted'", person)
    await house.coordinator.done(first, "cancel", {"reason_code": "employer_withdrew"})
    second = await house.placement(person=person)
    assert (await house.of(second))["state"] == "contracting"


# ---- requirements on the day of the event
async def test_placement_requirement_is_judged_on_the_day_it_happened(house: Stage) -> None:
    path, c = await house.placement("home_hire", "TH", "TH"), house.coordinator
    p = await house.of(path)
    contract = {"subject_id": p["id"], "key": "employment_contract", "recorded_for": "enterprise"}
    made = await c.ok(
        "/v1/requirement-items/supply",
        contract | {"evidence": await house.shown(path), "issued_on": str(house.today - 10 * DAY), "valid_until": str(house.today - 2 * DAY)},
    )  # fmt: skip
    await c.done(f"/v1/requirement-items/{made['id']}", "accept")
    for key in ("graduation_certificate", "skill_certificate"):
        item = await c.ok("/v1/requirement-items/supply", {"subject_id": p["person_id"], "key": key})
        await c.done(f"/v1/requirement-items/{item['id']}", "accept")
    assert await c.refused(path, "collect_documents") == ["requirement_expired"]
    after, before = str(house.today - DAY), str(house.today - 11 * DAY)
    assert await c.refused(path, "collect_documents", {"occurred_on": after}) == ["occurred_on_in_range"]
    assert await c.refused(path, "collect_documents", {"occurred_on": before}) == ["requirement_issued_later"]
    done = await c.done(path, "collect_documents", {"occurred_on": str(house.today - 2 * DAY)})
    assert done["state"] == "documents"


async def test_placement_checklist_names_who_owes_what(house: Stage) -> None:
    path = await house.placement("home_hire", "TH", "TH")
    shown = (await house.coordinator.get(path + "/checklist")).json()
    assert shown["pins"] == ["home-hire@1", "fair-recruitment@1"]
    rows = {r["key"]: (r["state"], r["owed_by"], r["gates"], r["evidence"]) for r in shown["items"]}
    assert rows["employment_contract"] == ("missing", ["enterprise"], ["placement.collect_documents"], "unverified")
    assert rows["data_return_consent"] == ("missing", ["trainee"], ["placement.start_work"], "official")
    assert rows["no_deposit_or_penalty"] == ("met", ["rule"], [], "official")
    assert rows["minimum_age"][0] == "met"
    reader = await house.world.client(READER)
    assert (await reader.get(path + "/checklist")).status_code == 403


async def test_placement_preview_tells_what_another_pathway_would_change(house: Stage) -> None:
    path = await house.placement("home_hire", "TH", "TH")
    same = (await house.coordinator.get(path + "/pathway", pathway="home_hire")).json()
    assert (same["stage"], same["added"], same["dropped"]) == ("contracting", [], [])
    none = await house.coordinator.get(path + "/pathway", pathway="jp_ssw1")
    assert [r["code"] for r in none.json()["reasons"]] == ["destination_not_served"]
    assert await house.coordinator.refused(path, "change_pathway", {"pathway": "home_hire"}) == ["another_pathway"]


# ---- who sees and does what
async def test_placement_is_seen_by_its_own_parties_only(house: Stage) -> None:
    path = await house.placement()
    own = [await house.party(r, path) for r in (ENTERPRISE, AGENCY, TRAINEE)]
    stranger = await house.world.client(ENTERPRISE, organisation_id=house.agency)
    elsewhere = await house.world.client(COORDINATOR, institution=await house.world.other())
    other_trainee = await house.world.client(TRAINEE, person_ids=[await house.person()])
    assert [(await c.get(path)).status_code for c in own] == [200, 200, 200]
    assert [len((await c.get("/v1/placements")).json()["items"]) for c in own] == [1, 1, 1]
    assert [(await c.get(path)).status_code for c in (elsewhere, other_trainee)] == [404, 404]
    assert (await elsewhere.post(path + "/cancel", {"reason_code": "visa_refused"}, version=1)).status_code == 404
    assert (await elsewhere.get(path + "/checklist")).status_code == 404
    assert (await stranger.get(path)).status_code == 200  # the agency's own organisation, under another role
    assert await own[0].refused(path, "cancel", {"reason_code": "visa_refused"}, status=403) == ["role"]
    assert (await own[2].refused(path, "collect_documents", status=403))[0] == "role"


# ---- requirement items
async def test_requirement_item_is_supplied_by_whom_it_is_owed_and_judged(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    p = await house.of(path)
    enterprise, trainee = [await house.party(r, path) for r in (ENTERPRISE, TRAINEE)]
    body = {"subject_id": p["id"], "key": "employment_contract"}
    refused = await trainee.post("/v1/requirement-items/supply", body)
    assert [r["code"] for r in refused.json()["reasons"]] == ["owed_by"]
    unknown = await enterprise.post("/v1/requirement-items/supply", body | {"key": "a_horse"})
    assert [r["code"] for r in unknown.json()["reasons"]] == ["requirement_known"]
    made = await enterprise.ok("/v1/requirement-items/supply", body)
    item = f"/v1/requirement-items/{made['id']}"
    twice = await enterprise.post("/v1/requirement-items/supply", body)
    assert [r["code"] for r in twice.json()["reasons"]] == ["requirement_not_handed_in"]
    await c.done(item, "reject", {"reason_code": "unreadable"})
    checklist = {r["key"]: r for r in (await c.get(path + "/checklist")).json()["items"]}
    assert (checklist["employment_contract"]["state"], checklist["employment_contract"]["item_id"]) == (
        "rejected",
        made["id"],
    )
    await enterprise.done(item, "resupply", {"issued_on": str(house.today)})
    assert (await c.done(item, "accept"))["state"] == "accepted"
    assert await c.refused(item, "let_go", {"reason_code": "other"}) == ["not_from_this_state"]
    assert (await c.done(item, "correct", {"note": "unread"}))["state"] == "supplied"
    assert await c.refused(item, "let_go", {"reason_code": "other"}) == ["waivable"]
    assert [i["key"] for i in (await enterprise.get("/v1/requirement-items")).json()["items"]] == [
        "employment_contract"
    ]


async def test_requirement_item_of_a_request_is_handed_in_by_its_enterprise(house: Stage) -> None:
    request = await house.request("jp_ssw1", "JP")
    enterprise = await house.party(ENTERPRISE)
    made = await enterprise.ok(
        "/v1/requirement-items/supply", {"subject_id": str(request), "key": "council_membership"}
    )
    shown = (await enterprise.get(f"/v1/requirement-items/{made['id']}")).json()
    assert (shown["subject_kind"], shown["person_id"], shown["state"]) == ("placement_request", None, "supplied")


async def test_requirement_item_is_waived_by_another_and_only_where_the_pack_says(house: Stage) -> None:
    path, c = await house.placement("home_hire", "TH", "TH"), house.coordinator
    person = (await house.of(path))["person_id"]
    no = await c.post(
        "/v1/requirement-items/waive", {"subject_id": person, "key": "medical_fitness", "reason_code": "other"}
    )
    assert [r["code"] for r in no.json()["reasons"]] == ["waivable"]
    credential = {"subject_id": person, "key": "credential_legalised"}
    made = await c.ok(
        "/v1/requirement-items/supply", credential | {"recorded_for": "trainee", "evidence": await house.shown(path)}
    )
    item = f"/v1/requirement-items/{made['id']}"
    assert await c.refused(item, "let_go", {"reason_code": "other"}) == ["another_person"]
    other = await house.world.client(COORDINATOR)
    assert (await other.done(item, "let_go", {"reason_code": "other"}))["state"] == "waived"
    trainee = await house.party(TRAINEE, path)
    refused = await trainee.post("/v1/requirement-items/waive", credential | {"reason_code": "other"})
    assert refused.status_code == 403
    foreign = await house.world.client(COORDINATOR, institution=await house.world.other())
    assert (await foreign.get(item)).status_code == 404
    assert (await foreign.post("/v1/requirement-items/supply", credential)).status_code == 404


# ---- costs
async def test_cost_a_deposit_closes_every_gate_until_it_is_paid_back(house: Stage) -> None:
    path, c = await house.placement("home_hire", "TH", "TH"), house.coordinator
    await house.hand_in(path, "collect_documents")
    p = await house.of(path)
    trainee = await house.party(TRAINEE, path)
    body = {
        "person_id": p["person_id"], "placement_id": p["id"], "type": "deposit", "amount": "5000.00", "currency": "THB",
        "payer": "family", "receiver": "agency",
    }  # fmt: skip
    made = await trainee.ok("/v1/costs", body)
    assert await c.refused(path, "collect_documents") == ["deposit_paid"]
    cost = f"/v1/costs/{made['id']}"
    assert (await c.get(cost)).json()["amount"] == "5000.00"
    assert await c.refused(cost, "repay") == ["evidence_required"]
    await c.done(cost, "repay", {"evidence": await house.shown(path)})
    assert (await c.done(path, "collect_documents"))["state"] == "documents"


async def test_cost_is_corrected_and_never_rewritten(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    p = await house.of(path)
    body = {
        "person_id": p["person_id"],
        "type": "medical",
        "amount": "300",
        "currency": "CNY",
        "payer": "school",
        "receiver": "clinic",
    }
    stranger = await c.post("/v1/costs", body | {"placement_id": str(uuid4()), "receipt_id": str(uuid4())})
    assert sorted(r["code"] for r in stranger.json()["reasons"]) == ["placement_known", "receipt_known"]
    nothing = await c.post("/v1/costs", body | {"amount": "0"})
    assert [r["code"] for r in nothing.json()["reasons"]] == ["out_of_bounds"]
    made = await c.ok("/v1/costs", body)
    assert (await c.done(f"/v1/costs/{made['id']}", "correct", {"note": "twice"}))["state"] == "voided"
    enterprise = await house.party(ENTERPRISE)
    assert (await enterprise.get("/v1/costs")).status_code == 403
    foreign = await house.world.client(COORDINATOR, institution=await house.world.other())
    assert (await foreign.get(f"/v1/costs/{made['id']}")).status_code == 404
