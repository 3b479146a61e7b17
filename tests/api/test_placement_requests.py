"""Placement requests over HTTP: written, approved by the packs' rules, opened, held, closed, and their seats."""

from datetime import UTC, datetime, timedelta
from typing import Any

from service.actions import placement_requests as actions
from service.actions.timers import ring
from service.domain.actors import COORDINATOR
from tests.conftest import TODAY, World
from tests.jobs import JOB, TERMS, Jobs

CHANGES = [{"field": "terms", "reason_code": "pay_terms"}]


async def test_request_walks_from_a_draft_to_open(world: World) -> None:
    jobs = await Jobs.of(world)
    path = await jobs.drafted()
    await jobs.clerk.done(path, "submit")
    await jobs.coordinator.done(path, "take_on")
    await jobs.coordinator.done(path, "request_changes", {"changes": CHANGES})
    asked = (await jobs.clerk.get(path)).json()
    assert (asked["state"], asked["changes"]) == ("changes_requested", CHANGES)
    edited = await jobs.clerk.patch(path, {"seats": 3}, version=asked["version"])
    assert edited.status_code == 200, edited.text
    for client, action in (
        (jobs.clerk, "submit"),
        (jobs.coordinator, "take_on"),
        (jobs.coordinator, "approve"),
        (jobs.coordinator, "open"),
    ):
        await client.done(path, action)
    shown = (await jobs.clerk.get(path)).json()
    assert (shown["state"], shown["seats"], shown["free"], shown["changes"]) == ("open", 3, 3, None)
    assert shown["organisation"]["name_latin"] == "Thai-Hua Mechatronics"
    events = (await jobs.clerk.get(path + "/events")).json()["items"]
    assert [e["to_state"] for e in events] == [
        "draft", "submitted", "under_review", "changes_requested", "changes_requested", "submitted", "under_review",
        "approved", "open",
    ]  # fmt: skip


async def test_request_is_drafted_by_an_enterprise_for_itself_only(world: World) -> None:
    jobs, others = await Jobs.of(world), await Jobs.of(world)
    answer = await jobs.clerk.post("/v1/placement-requests", JOB | {"organisation_id": others.organisation})
    assert (answer.status_code, [r["code"] for r in answer.json()["reasons"]]) == (409, ["own_organisation"])
    path = await others.drafted()
    assert (await jobs.clerk.get(path)).status_code == 404
    assert (await jobs.clerk.get("/v1/placement-requests")).json()["items"] == []
    trainee = await jobs.trainee((await jobs.people(1))[0])
    answer = await trainee.post("/v1/placement-requests", JOB | {"organisation_id": jobs.organisation})
    assert answer.status_code == 403
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(path)).status_code == 404
    answer = await stranger.post("/v1/placement-requests", JOB | {"organisation_id": jobs.organisation})
    assert [r["code"] for r in answer.json()["reasons"]] == ["relationship_known"]


async def test_request_is_refused_where_it_is_badly_written(world: World) -> None:
    jobs = await Jobs.of(world)

    async def codes(**more: Any) -> list[str]:
        answer = await jobs.clerk.post("/v1/placement-requests", {**JOB, "organisation_id": jobs.organisation, **more})
        assert answer.status_code == 409, answer.text
        return [r["code"] for r in answer.json()["reasons"]]

    assert await codes(destination="XX", nationalities=["YY"]) == ["country_known", "country_known"]
    assert await codes(occupation="smith") == ["occupation_code"]
    assert await codes(terms={"luck": 1}) == ["term_known"]
    assert await codes(terms={"weekly_hours": "many"}) == ["term_is_number"]
    assert await codes(terms={"gross_monthly_pay": "18000"}) == ["pay_has_currency"]
    assert await codes(terms={"starts_on": "soon"}) == ["term_is_day"]
    assert await codes(ends_on=str(TODAY)) == ["dates_in_order"]
    assert await codes(seats=0) == ["seats_some"]
    assert await codes(options=["by_balloon"]) == ["option_known"]


async def test_request_states_what_its_packs_ask_for(world: World) -> None:
    jobs = await Jobs.of(world)
    path = await jobs.drafted(terms={"workplace": "Rayong"}, no_fee_for_workers=False)
    assert await jobs.clerk.refused(path, "submit") == ["terms_stated", "no_fee_for_workers"]
    path = await jobs.drafted(nationalities=["CN"])
    assert await jobs.clerk.refused(path, "submit") == ["not_a_host_country_national"]
    path = await jobs.drafted(pathway="by_balloon")
    assert await jobs.clerk.refused(path, "submit") == ["pathway_unknown"]
    japan = await Jobs.of(world, country="JP", chinese_funded=False)
    path = await japan.drafted(
        destination="JP", pathway="jp_ssw1", nationalities=["CN", "TH"], field="agriculture",
        terms=TERMS | {"leave_days": 10, "housing": "dormitory", "travel_payer": "employer",
                       "return_travel_payer": "employer", "injury_compensation": "statutory", "board": "own",
                       "accident_insurance_buyer": "employer"},
    )  # fmt: skip
    assert await japan.clerk.refused(path, "submit") == ["departure_planned", "agency_named"]


async def test_request_is_approved_only_with_what_the_law_asks_of_the_parties(world: World) -> None:
    jobs = await Jobs.of(world, chinese_funded=False)
    path = await jobs.drafted()
    await jobs.clerk.done(path, "submit")
    await jobs.coordinator.done(path, "take_on")
    await jobs.coordinator.done(f"/v1/relationships/{jobs.relationship}", "suspend", {"reason_code": "complaint"})
    answer = await jobs.coordinator.act(path, "approve")
    assert answer.status_code == 409
    assert [(r["code"], r["pointer"], r["actual"]) for r in answer.json()["reasons"]] == [
        ("relationship_verified", "/relationship", "suspended"),
        ("fact_not_allowed", "requirement/chinese_funded_employer", {"employer_funded_by": "TH"}),
    ]
    offers = (await jobs.coordinator.get(path + "/actions")).json()["actions"]
    approve = next(o for o in offers if o["action"] == "approve")
    assert (approve["open"], len(approve["reasons"])) == (False, 2)


async def test_request_of_chinese_nationals_needs_the_papers_of_its_agency(world: World) -> None:
    jobs = await Jobs.of(world, country="JP", chinese_funded=False)
    c = jobs.coordinator
    agency = await c.ok(
        "/v1/relationships",
        {
            "role": "agency",
            "licence_no": "L-1",
            "organisation": {
                "kind": "agency", "name_native": "北方对外劳务", "name_latin": "North Labour", "country": "CN",
                "time_zone": "Asia/Shanghai",
            },
        },
    )  # fmt: skip
    path = await jobs.drafted(
        agency_id=agency["created"]["organisation"], destination="JP", pathway="jp_ssw1", nationalities=["CN"],
        field="agriculture", planned_departure_on=str(TODAY + timedelta(days=80)),
        terms=TERMS | {"leave_days": 10, "housing": "dormitory", "travel_payer": "employer",
                       "return_travel_payer": "employer", "injury_compensation": "statutory", "board": "own",
                       "accident_insurance_buyer": "employer"},
    )  # fmt: skip
    await jobs.clerk.done(path, "submit")
    await c.done(path, "take_on")
    answer = await c.act(path, "approve")
    assert [(r["code"], r["pointer"]) for r in answer.json()["reasons"]] == [
        ("agency_verified", "/agency"),
        ("requirement_missing", "requirement/agency_licence"),
        ("requirement_missing", "requirement/risk_reserve"),
        ("requirement_missing", "requirement/labour_cooperation_contract_at_approval"),
        ("requirement_missing", "requirement/emergency_plan"),
        ("requirement_missing", "requirement/country_open"),
    ]


async def test_request_held_closed_and_corrected(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open(seats=2)
    people = await jobs.people(3)
    offered, nominated, _ = await jobs.up_to("nominated", request, people)
    path = f"/v1/candidacies/{offered}"
    assert await jobs.coordinator.refused(request, "correct", {"note": "too early"}) == ["no_live_candidacies"]
    await jobs.clerk.done(path, "shortlist")
    await jobs.clerk.done(path, "choose", {"assessment": "paper_selection", "reason_code": "skills"})
    await jobs.clerk.done(path, "offer", {"offer_ends_at": f"{TODAY + timedelta(days=5)}T12:00:00Z"})
    assert await jobs.clerk.refused(request, "hold", {"reason_code": "schedule"}) == ["no_open_offers"]
    assert await jobs.coordinator.refused(request, "close", {"reason_code": "no_longer_needed"}) == ["no_open_offers"]
    await jobs.clerk.done(path, "rescind", {"reason_code": "other"})
    await jobs.clerk.done(request, "hold", {"reason_code": "schedule"})
    await jobs.coordinator.done(request, "correct", {"note": "another one"})
    await jobs.clerk.done(request, "hold", {"reason_code": "schedule"})
    assert (await jobs.clerk.done(request, "release"))["state"] == "open"
    closed = await jobs.coordinator.done(request, "close", {"reason_code": "no_longer_needed"})
    assert closed["state"] == "closed"
    states = {c["id"]: c["state"] for c in (await jobs.coordinator.get("/v1/candidacies")).json()["items"]}
    assert states.pop(offered) == "offer_rescinded"
    assert list(states.values()) == ["not_selected", "not_selected"]
    assert (await jobs.coordinator.get(f"/v1/trainees/{people[1]}")).json()["stage"] == "prospect"
    assert await jobs.coordinator.refused(request, "correct", {"note": "no"}) == ["correctable"]
    assert (await jobs.clerk.get(f"/v1/candidacies/{nominated}")).json()["person"]["nationality"]["masked"] is True


async def test_request_cancelled_takes_everything_with_it_that_has_not_left(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open(seats=3)
    people = await jobs.people(4)
    ids = await jobs.up_to("offered", request, people[:3])
    waiting = (await jobs.up_to("nominated", request, people[3:]))[0]
    accepted = await (await jobs.trainee(people[0])).done(f"/v1/candidacies/{ids[0]}", "accept")
    assert await jobs.seats(request) == (2, 1, 0, "open")
    assert await jobs.clerk.refused(request, "cancel", {"reason_code": "employer_withdrew"}) == ["no_acceptance_yet"]
    await jobs.coordinator.done(request, "cancel", {"reason_code": "employer_withdrew"})
    assert await jobs.seats(request) == (0, 0, 0, "cancelled")
    states = {c["id"]: c["state"] for c in (await jobs.coordinator.get("/v1/candidacies")).json()["items"]}
    assert [states[i] for i in (*ids, waiting)] == [
        "fell_through", "offer_rescinded", "offer_rescinded", "not_selected",
    ]  # fmt: skip
    placement = (await jobs.coordinator.get(f"/v1/placements/{accepted['created']['placement']}")).json()
    assert placement["state"] == "cancelled"
    again = await jobs.open()
    await jobs.identified(again, people)


async def test_request_is_filled_by_its_last_seat_and_opened_by_one_that_comes_back(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open(seats=1)
    people = await jobs.people(1)
    (candidacy,) = await jobs.up_to("offered", request, people)
    await (await jobs.trainee(people[0])).done(f"/v1/candidacies/{candidacy}", "accept")
    assert await jobs.seats(request) == (0, 1, 0, "filled")
    assert (await jobs.clerk.done(request, "hold", {"reason_code": "schedule"}))["state"] == "on_hold"
    assert (await jobs.clerk.done(request, "release"))["state"] == "filled"
    assert await jobs.coordinator.refused(request, "replace_seat", {"reason_code": "health"}) == ["a_seat_used"]
    types = [e["type"] for e in (await jobs.clerk.get(request + "/events")).json()["items"]]
    assert types[-4:] == [
        "placement_request.seats_counted", "placement_request.filled", "placement_request.held",
        "placement_request.released",
    ]  # fmt: skip


async def test_request_opens_and_expires_by_the_clock(world: World) -> None:
    jobs = await Jobs.of(world)
    path = await jobs.drafted(opens_on=str(TODAY + timedelta(days=2)))
    await jobs.clerk.done(path, "submit")
    await jobs.coordinator.done(path, "take_on")
    await jobs.coordinator.done(path, "approve")
    assert await jobs.coordinator.refused(path, "open") == ["opening_day_come"]
    opens, expires = actions.TIMERS
    assert await ring(world.services, opens, world.institution) == 0
    assert await ring(world.services, opens, world.institution, datetime.now(UTC) + timedelta(days=3)) == 1
    (candidacy,) = await jobs.identified(path, await jobs.people(1))
    assert await ring(world.services, expires, world.institution, datetime.now(UTC) + timedelta(days=29)) == 0
    assert await ring(world.services, expires, world.institution, datetime.now(UTC) + timedelta(days=32)) == 1
    assert (await jobs.seats(path))[3] == "expired"
    assert (await jobs.coordinator.get(f"/v1/candidacies/{candidacy}")).json()["state"] == "not_selected"


async def test_request_is_read_by_whom_it_concerns(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    (person, other) = await jobs.people(2)
    await jobs.identified(request, [person])
    assert (await (await jobs.trainee(person)).get(request)).status_code == 200
    assert (await (await jobs.trainee(other)).get(request)).status_code == 404
    found = await jobs.coordinator.get("/v1/placement-requests", nationality="TH", state="open")
    assert [r["destination"] for r in found.json()["items"]] == ["TH"]
    assert (await jobs.coordinator.get("/v1/placement-requests", nationality="CN")).json()["items"] == []
    others = await Jobs.of(world)
    assert (await others.clerk.get(request)).status_code == 404
