"""Candidacies over HTTP: consent, choice, offers that never oversell, and one acceptance a person."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.actions import candidacies as actions
from service.actions.timers import ring
from service.domain.actors import COORDINATOR, GUARDIAN
from service.storage.database import connect
from tests.chains import broken_chains
from tests.conftest import TODAY, Client, World
from tests.jobs import Jobs

OFFER = {"offer_ends_at": f"{TODAY + timedelta(days=5)}T12:00:00Z"}
PAPERS = {"assessment": "paper_selection", "reason_code": "skills"}


async def analyze(dsn: str) -> None:
    """Tell the planner what stands in tables that were empty a moment ago; elsewhere autovacuum does."""
    con = await connect(dsn)
    await con.execute("ANALYZE")
    await con.close()


def path_of(candidacy: str) -> str:
    return f"/v1/candidacies/{candidacy}"


async def consent_of(client: Client, candidacy: str) -> str:
    """The path of the consent on which a candidacy stands."""
    return f"/v1/consents/{(await client.get(path_of(candidacy))).json()['consent_id']}"


async def seats_told(jobs: Jobs, request: str) -> list[tuple[int, int]]:
    """What the request's own stream tells of the seats that offers reserved, and how many were free then."""
    events = (await jobs.coordinator.get(request + "/events", limit=100)).json()["items"]
    counted = [e["data"] for e in events if e["type"] == "placement_request.seats_counted"]
    return [(d["offered"], d["free"]) for d in counted]


async def test_candidacy_walks_from_a_name_to_a_placement(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    (person,) = await jobs.people(1)
    trainee = await jobs.trainee(person)
    (candidacy,) = await jobs.identified(request, [person])
    path = path_of(candidacy)
    assert (await jobs.clerk.get(path)).status_code == 404
    await jobs.coordinator.done(path, "ask_consent")
    assert (await jobs.clerk.get(path)).status_code == 404
    await trainee.done(path, "nominate", {"withheld": ["sex"]})
    nominated = (await jobs.clerk.get(path)).json()
    assert nominated["pins"] == ["home-hire@1", "fair-recruitment@1"]
    masked = {"masked": True, "reason": "consent"}
    assert nominated["person"] == {
        "id": person, "name_native": masked, "name_latin": masked, "sex": masked, "birth_on": masked,
        "nationality": "TH", "origin": masked, "language": "en", "email": masked, "phone": masked,
        "passport_country": masked, "passport_expires_on": masked,
    }  # fmt: skip
    await jobs.clerk.done(path, "shortlist")
    shown = (await jobs.clerk.get(path)).json()["person"]
    assert (shown["name_latin"], shown["sex"], shown["email"]) == ("SOMCHAI, N0", masked, masked)
    slot = f"{TODAY + timedelta(days=2)}T03:30:00Z"
    await jobs.clerk.done(path, "invite", {"interview_at": slot, "minutes": 30, "place": "https://meet.example.org/1"})
    interviewing = (await jobs.clerk.get(path)).json()
    assert interviewing["person"]["email"] == "n0@example.org"
    assert interviewing["interview"]["clocks"] == [
        {"time_zone": "Asia/Shanghai", "local": f"{TODAY + timedelta(days=2)}T11:30"},
        {"time_zone": "Asia/Bangkok", "local": f"{TODAY + timedelta(days=2)}T10:30"},
    ]
    assert await jobs.clerk.refused(path, "choose", {"assessment": "interview"}) == ["input_required"]
    await jobs.clerk.done(path, "choose", {"assessment": "interview", "score": "87.5", "rank": 1})
    await jobs.clerk.done(path, "offer", OFFER)
    assert await jobs.seats(request) == (1, 0, 0, "open")
    seen = (await trainee.get(path)).json()
    assert (seen["rank"], seen["assessment"], seen["person"]["email"]) == (None, None, "n0@example.org")
    accepted = await trainee.done(path, "accept")
    assert accepted["state"] == "accepted"
    assert await jobs.seats(request) == (0, 1, 0, "open")
    placement = (await jobs.coordinator.get(f"/v1/placements/{accepted['created']['placement']}")).json()
    assert (placement["state"], placement["candidacy_id"], placement["stages"]) == (
        "contracting", candidacy, ["contracting", "documents", "active"],
    )  # fmt: skip
    assert (await jobs.coordinator.get(f"/v1/trainees/{person}")).json()["stage"] == "contracted"
    consents = (await trainee.get("/v1/consents")).json()["items"]
    assert [(k["state"], k["purpose"], k["recipient_id"]) for k in consents] == [
        ("given", "nomination", jobs.organisation)
    ]
    assert "sex" not in consents[0]["fields"]


async def test_candidacy_ends_with_its_consent_at_once(world: World, dsn: str) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    people = await jobs.people(2)
    first, second = await jobs.up_to("offered", request, people)
    trainee = await jobs.trainee(people[0])
    consent = await consent_of(trainee, first)
    refused = await jobs.coordinator.refused(consent, "correct", {"note": "not signed"})
    assert refused == ["no_live_candidacies"]
    await trainee.done(consent, "withdraw")
    assert (await jobs.clerk.get(path_of(first))).status_code == 404
    assert [c["id"] for c in (await jobs.clerk.get("/v1/candidacies")).json()["items"]] == [second]
    assert (await trainee.get(path_of(first))).json()["state"] == "withdrawn_by_trainee"
    assert await jobs.seats(request) == (1, 0, 0, "open")
    assert await seats_told(jobs, request) == [(2, 0), (-1, 1)]
    events = (await trainee.get(consent + "/events")).json()["items"]
    assert events[-1]["data"] == {"candidacies": [first]}
    lost = (await trainee.get(path_of(first) + "/events")).json()["items"][-1]
    assert (lost["type"], lost["action_id"]) == ("candidacy.consent_lost", events[-1]["action_id"])
    assert (await jobs.coordinator.get(f"/v1/trainees/{people[0]}")).json()["stage"] == "prospect"
    assert await ring(world.services, actions.TIMERS[1], world.institution) == 0
    assert await broken_chains(dsn) == []


async def test_candidacy_of_a_consent_that_was_given_and_withdrawn_before_the_nomination_ends(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    (person,) = await jobs.people(1)
    trainee = await jobs.trainee(person)
    (candidacy,) = await jobs.up_to("consent_pending", request, [person])
    consent = await consent_of(trainee, candidacy)
    await trainee.done(consent, "give")
    await jobs.coordinator.done(consent, "correct", {"note": "another paper"})
    await trainee.done(consent, "give")
    await trainee.done(consent, "withdraw")
    assert (await trainee.get(path_of(candidacy))).json()["state"] == "withdrawn_by_trainee"
    assert await jobs.seats(request) == (0, 0, 0, "open")


async def test_candidacy_of_a_consent_whose_last_day_is_over_ends_by_the_clock(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    (person,) = await jobs.people(1)
    (candidacy,) = await jobs.identified(request, [person])
    path, last = path_of(candidacy), TODAY + timedelta(days=2)
    await jobs.coordinator.done(path, "ask_consent", {"ends_on": str(last)})
    await (await jobs.trainee(person)).done(path, "nominate")
    for action, body in (("shortlist", {}), ("choose", PAPERS), ("offer", OFFER)):
        await jobs.clerk.done(path, action, body)
    timer, now = actions.TIMERS[1], datetime.now(UTC)
    assert await ring(world.services, timer, world.institution, now) == 0
    assert await ring(world.services, timer, world.institution, now + timedelta(days=4)) == 1
    assert (await jobs.coordinator.get(path)).json()["state"] == "withdrawn_by_trainee"
    assert await jobs.seats(request) == (0, 0, 0, "open")


async def test_candidacy_that_was_accepted_outlives_its_consent(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    (person,) = await jobs.people(1)
    trainee = await jobs.trainee(person)
    (candidacy,) = await jobs.up_to("offered", request, [person])
    placement = f"/v1/placements/{(await trainee.done(path_of(candidacy), 'accept'))['created']['placement']}"
    await trainee.done(await consent_of(trainee, candidacy), "withdraw")
    assert (await trainee.get(path_of(candidacy))).json()["state"] == "accepted"
    assert (await trainee.get(placement)).json()["state"] == "contracting"
    assert await jobs.seats(request) == (0, 1, 0, "open")
    assert await seats_told(jobs, request) == [(1, 1), (-1, 1)]


async def test_candidacy_consents_withdrawn_while_offers_are_made_leave_exact_seats(world: World, dsn: str) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open(seats=10)
    people = await jobs.people(20)
    ids = await jobs.identified(request, people)
    await jobs.up_to("offered", request, [], ids[:10])
    await jobs.up_to("selected", request, [], ids[10:])
    read = [(await jobs.coordinator.get(path_of(i))).json() for i in ids]
    consents = [f"/v1/consents/{c['consent_id']}" for c in read]
    said = {"recorded_for": "trainee"} | jobs.by_paper
    withdrawn = [jobs.coordinator.post(k + "/withdraw", said, version=2) for k in consents[:10]]
    offers = [jobs.clerk.post(path_of(c["id"]) + "/offer", OFFER, version=c["version"]) for c in read[10:]]
    codes = [a.status_code for a in await asyncio.gather(*withdrawn, *offers)]
    assert codes[:10] == [200] * 10
    assert set(codes[10:]) <= {200, 409}
    assert await jobs.seats(request) == (codes[10:].count(200), 0, 0, "open")
    again = [jobs.clerk.post(path_of(c["id"]) + "/offer", OFFER, version=c["version"]) for c in read[10:]]
    away = [jobs.coordinator.post(k + "/withdraw", said, version=2) for k in consents[10:]]
    codes = [a.status_code for a in await asyncio.gather(*again, *away)]
    assert codes[10:] == [200] * 10
    assert set(codes[:10]) <= {200, 404, 409, 412}
    assert await jobs.seats(request) == (0, 0, 0, "open")
    assert sorted(await _states(jobs.coordinator)) == ["withdrawn_by_trainee"] * 20
    assert sum(offered for offered, _ in await seats_told(jobs, request)) == 0
    assert await broken_chains(dsn) == []


async def test_candidacy_consents_withdrawn_in_one_batch_give_every_seat_back(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open(seats=3)
    ids = await jobs.up_to("offered", request, await jobs.people(3))
    consents = [(await jobs.coordinator.get(path_of(i))).json()["consent_id"] for i in ids]
    body = {"items": [{"id": k, "version": 2} for k in consents], "recorded_for": "trainee"} | jobs.by_paper
    assert (await jobs.coordinator.ok("/v1/consents/bulk/withdraw", body))["done"] == 3
    assert await jobs.seats(request) == (0, 0, 0, "open")
    assert await seats_told(jobs, request) == [(3, 0), (-3, 3)]


async def test_candidacy_is_shown_to_no_other_enterprise(world: World) -> None:
    jobs, others = await Jobs.of(world), await Jobs.of(world)
    request = await jobs.open()
    (candidacy,) = await jobs.up_to("nominated", request, await jobs.people(1))
    assert (await others.clerk.get(path_of(candidacy))).status_code == 404
    assert (await others.clerk.get("/v1/candidacies")).json() == {"items": [], "next": None}
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(path_of(candidacy))).status_code == 404
    assert (await stranger.get(request)).status_code == 404


async def test_candidacy_needs_a_person_who_can_be_one(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    identity = request.rsplit("/", 1)[1]
    (chinese,) = await jobs.people(1, nationality="CN")
    (young,) = await jobs.people(1, born=TODAY - timedelta(days=366 * 17))
    (fine,) = await jobs.people(1)

    async def refused(person: str, wanted: str = identity) -> list[str]:
        answer = await jobs.coordinator.post("/v1/candidacies", {"person_id": person, "request_id": wanted})
        assert answer.status_code == 409, answer.text
        return [r["code"] for r in answer.json()["reasons"]]

    assert await refused(chinese) == ["nationality_asked"]
    assert await refused(young) == ["too_young"]
    await jobs.identified(request, [fine])
    assert await refused(fine) == ["no_live_candidacy"]
    assert await refused(fine, "01900000-0000-7000-8000-000000000000") == ["request_known"]
    draft = await jobs.drafted()
    assert await refused(fine, draft.rsplit("/", 1)[1]) == ["request_live"]
    (placed,) = await jobs.people(1)
    (candidacy,) = await jobs.up_to("offered", request, [placed])
    await (await jobs.trainee(placed)).done(path_of(candidacy), "accept")
    other = await jobs.open()
    assert await refused(placed, other.rsplit("/", 1)[1]) == ["no_live_placement"]


async def test_candidacy_sixty_are_identified_and_one_refused(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    people = await jobs.people(60)
    await jobs.identified(request, people[:1])
    done = await jobs.coordinator.ok(
        "/v1/candidacies/bulk/identify", {"person_ids": people, "request_id": request.rsplit("/", 1)[1]}
    )
    assert (done["done"], done["refused"]) == (59, 1)
    assert [r["code"] for r in done["items"][0]["reasons"]] == ["no_live_candidacy"]


async def test_candidacy_steps_are_refused_with_their_reasons(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    people = await jobs.people(3)
    trainee = await jobs.trainee(people[0])
    guardian = await world.client(GUARDIAN, person_ids=[people[0]])
    first, second, third = (path_of(i) for i in await jobs.up_to("consent_pending", request, people))
    assert await jobs.coordinator.refused(first, "nominate") == ["recorded_for_required"]
    assert await guardian.refused(first, "nominate") == ["adult_speaks_for_themselves"]
    by_paper = jobs.by_paper
    assert await jobs.coordinator.refused(first, "nominate", {"recorded_for": "guardian"} | by_paper) == [
        "adult_speaks_for_themselves"
    ]
    assert await trainee.refused(first, "nominate", {"withheld": ["shoe_size"]}) == ["consent_field_known"]
    await trainee.done(first, "refuse_consent")
    assert await trainee.refused(first, "nominate") == ["not_from_this_state"]
    await jobs.coordinator.done(first, "correct", {"note": "a slip"})
    await trainee.done(first, "nominate")
    for path in (second, third):
        await jobs.coordinator.done(path, "nominate", {"recorded_for": "trainee"} | by_paper)
    for path in (first, second, third):
        await jobs.clerk.done(path, "shortlist")
    assert await jobs.clerk.refused(first, "choose", {"assessment": "interview", "score": "1"}) == ["interview_held"]
    assert await jobs.clerk.refused(first, "choose", {"assessment": "paper_selection"}) == ["input_required"]
    assert (await jobs.clerk.act(first, "reserve_list", PAPERS)).status_code == 422
    await jobs.clerk.done(first, "reserve_list", PAPERS | {"rank": 3})
    await jobs.clerk.done(first, "promote")
    past = {"offer_ends_at": "2020-01-01T00:00:00Z"}
    assert await jobs.clerk.refused(first, "offer", past) == ["in_future"]
    lower = OFFER | {"terms": {"gross_monthly_pay": "17000", "pay_currency": "THB"}}
    assert await jobs.clerk.refused(first, "offer", lower) == ["terms_not_worse"]
    assert await jobs.clerk.refused(first, "offer", lower | {"differences": ["luck"]}) == [
        "term_known", "terms_not_worse",
    ]  # fmt: skip
    await jobs.clerk.done(first, "offer", lower | {"differences": ["gross_monthly_pay"]})
    assert await trainee.refused(first, "accept") == ["differences_accepted"]
    await trainee.done(first, "accept", {"accepted_differences": ["gross_monthly_pay"]})
    await jobs.clerk.done(request, "hold", {"reason_code": "schedule"})
    assert await jobs.clerk.refused(second, "choose", PAPERS) == ["request_running"]
    await jobs.clerk.done(request, "release")
    await jobs.clerk.done(second, "turn_down", {"reason_code": "rank_too_low"})
    assert (await jobs.coordinator.act(third, "withdraw_by_school")).status_code == 422
    await jobs.coordinator.done(third, "withdraw_by_school", {"reason_code": "documents_missing"})
    assert (await jobs.clerk.get(third)).json()["person"]["nationality"] == {"masked": True, "reason": "consent"}


async def test_candidacy_two_hundred_offers_take_seven_seats(world: World, dsn: str) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open(seats=7)
    ids = await jobs.identified(request, await jobs.people(200))
    await analyze(dsn)
    await jobs.up_to("selected", request, [], ids)
    version = (await jobs.clerk.get(path_of(ids[0]))).json()["version"]
    answers = await asyncio.gather(*[jobs.clerk.post(path_of(i) + "/offer", OFFER, version=version) for i in ids])
    codes = [a.status_code for a in answers]
    assert (codes.count(200), codes.count(409)) == (7, 193)
    refusals = {r["code"] for a in answers if a.status_code == 409 for r in a.json()["reasons"]}
    assert refusals == {"seat_free"}
    assert await jobs.seats(request) == (7, 0, 0, "open")
    events = (await jobs.coordinator.get("/v1/placement-requests/" + request.rsplit("/", 1)[1] + "/events")).json()
    counted = [e for e in events["items"] if e["type"] == "placement_request.seats_counted"]
    assert [(e["data"]["offered"], e["data"]["free"]) for e in counted] == [(1, 6 - n) for n in range(7)]
    states = await _states(jobs.coordinator)
    assert (states.count("offered"), states.count("selected")) == (7, 193)


async def _states(client: Client) -> list[str]:
    found: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = (await client.get("/v1/candidacies", limit=200, **after)).json()
        found += [i["state"] for i in page["items"]]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


async def test_candidacy_offers_in_one_batch_take_no_more_than_the_seats(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open(seats=3)
    ids = await jobs.up_to("selected", request, await jobs.people(5))
    done = await jobs.bulk(jobs.clerk, "offer", ids, OFFER)
    assert (done["done"], done["refused"]) == (3, 2)
    assert [r["code"] for i in done["items"] for r in i["reasons"]] == ["seat_free", "seat_free"]
    assert await jobs.seats(request) == (3, 0, 0, "open")


async def test_candidacy_thirty_acceptances_at_once_make_one_placement(world: World) -> None:
    jobs = await Jobs.of(world)
    (person,) = await jobs.people(1)
    trainee = await jobs.trainee(person)
    requests = [await jobs.open(seats=1) for _ in range(3)]
    ids = [(await jobs.up_to("offered", r, [person]))[0] for r in requests]
    versions = {i: (await trainee.get(path_of(i))).json()["version"] for i in ids}
    answers = await asyncio.gather(
        *[trainee.post(path_of(i) + "/accept", version=versions[i]) for i in ids for _ in range(10)]
    )
    codes = sorted(a.status_code for a in answers)
    assert codes.count(200) == 1
    assert set(codes) <= {200, 409, 412}
    placements = (await jobs.coordinator.get("/v1/placements")).json()["items"]
    assert [p["state"] for p in placements] == ["contracting"]
    states = sorted(c["state"] for c in (await trainee.get("/v1/candidacies")).json()["items"])
    assert states == ["accepted", "superseded", "superseded"]
    seats = sorted([await jobs.seats(r) for r in requests])
    assert seats == [(0, 0, 0, "open"), (0, 0, 0, "open"), (0, 1, 0, "filled")]


async def test_candidacy_two_acceptances_in_one_batch_make_one_placement(world: World) -> None:
    jobs = await Jobs.of(world)
    (person,) = await jobs.people(1)
    trainee = await jobs.trainee(person)
    requests = [await jobs.open(seats=1) for _ in range(2)]
    ids = [(await jobs.up_to("offered", r, [person]))[0] for r in requests]
    done = await jobs.bulk(trainee, "accept", ids)
    assert [i["done"] for i in done["items"]] == [True, False]
    assert [r["code"] for r in done["items"][1]["reasons"]] == ["not_from_this_state"]
    assert [await jobs.seats(r) for r in requests] == [(0, 1, 0, "filled"), (0, 0, 0, "open")]


async def test_candidacy_ways_out_give_the_seat_back(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open(seats=5)
    people = await jobs.people(5)
    ids = await jobs.up_to("offered", request, people)
    declined, rescinded, withdrawn, by_school, lapsed = (path_of(i) for i in ids)
    assert await jobs.seats(request) == (5, 0, 0, "open")
    trainees = [await jobs.trainee(p) for p in (people[0], people[2])]
    await trainees[0].done(declined, "decline", {"reason_code": "family"})
    assert (await jobs.seats(request))[0] == 4
    await jobs.clerk.done(rescinded, "rescind", {"reason_code": "no_longer_needed"})
    assert (await jobs.seats(request))[0] == 3
    await trainees[1].done(withdrawn, "withdraw", {"reason_code": "personal"})
    assert (await jobs.seats(request))[0] == 2
    await jobs.coordinator.done(by_school, "withdraw_by_school", {"reason_code": "disciplinary"})
    assert (await jobs.seats(request))[0] == 1
    assert await ring(world.services, actions.TIMERS[0], world.institution) == 0
    later = datetime.now(UTC) + timedelta(days=6)
    assert await ring(world.services, actions.TIMERS[0], world.institution, later) == 1
    assert (await jobs.coordinator.get(lapsed)).json()["state"] == "offer_expired"
    assert await jobs.seats(request) == (0, 0, 0, "open")


async def test_candidacy_corrections_take_the_seat_again(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open(seats=1)
    people = await jobs.people(2)
    first, second = (path_of(i) for i in await jobs.up_to("selected", request, people))
    await jobs.clerk.done(first, "offer", OFFER)
    await jobs.coordinator.done(first, "correct", {"note": "the wrong person"})
    assert await jobs.seats(request) == (0, 0, 0, "open")
    await jobs.clerk.done(first, "offer", OFFER)
    await jobs.coordinator.done(first, "decline", {"recorded_for": "trainee", "reason_code": "family"} | jobs.by_paper)
    await jobs.clerk.done(second, "offer", OFFER)
    assert await jobs.coordinator.refused(first, "correct", {"note": "misheard"}) == ["seat_free"]
    await jobs.clerk.done(second, "rescind", {"reason_code": "other"})
    await jobs.coordinator.done(first, "correct", {"note": "misheard"})
    assert await jobs.seats(request) == (1, 0, 0, "open")
    await (await jobs.trainee(people[0])).done(first, "accept")
    assert await jobs.seats(request) == (0, 1, 0, "filled")
    assert await jobs.coordinator.refused(first, "correct", {"note": "no"}) == ["correctable"]


async def test_candidacy_accepted_in_time_is_recorded_after_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open(seats=1)
    (person,) = await jobs.people(1)
    (candidacy,) = await jobs.up_to("selected", request, [person])
    path = path_of(candidacy)
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    await jobs.clerk.done(path, "offer", {"offer_ends_at": soon})
    await asyncio.sleep(1.1)
    trainee = await jobs.trainee(person)
    assert await trainee.refused(path, "accept") == ["offer_in_time"]
    assert await ring(world.services, actions.TIMERS[0], world.institution) == 1
    await jobs.coordinator.done(path, "correct", {"note": "accepted by letter in time"})
    assert await ring(world.services, actions.TIMERS[0], world.institution) == 0
    assert await trainee.refused(path, "accept") == ["offer_in_time"]
    assert await jobs.coordinator.refused(path, "accept", {"occurred_on": str(TODAY)}) == ["recorded_for_required"]
    done = await jobs.coordinator.done(path, "accept", {"recorded_for": "trainee"} | jobs.by_paper)
    assert done["state"] == "accepted"
    assert await jobs.seats(request) == (0, 1, 0, "filled")


async def test_candidacy_placement_cancelled_falls_through_and_opens_the_request(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open(seats=1)
    (person,) = await jobs.people(1)
    (candidacy,) = await jobs.up_to("offered", request, [person])
    accepted = await (await jobs.trainee(person)).done(path_of(candidacy), "accept")
    assert await jobs.seats(request) == (0, 1, 0, "filled")
    placement = f"/v1/placements/{accepted['created']['placement']}"
    await jobs.coordinator.done(placement, "cancel", {"reason_code": "medically_unfit"})
    assert (await jobs.coordinator.get(path_of(candidacy))).json()["state"] == "fell_through"
    assert await jobs.seats(request) == (0, 0, 0, "open")


async def test_candidacy_an_enterprise_acts_only_on_its_own(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    (candidacy,) = await jobs.up_to("nominated", request, await jobs.people(1))
    offers = (await jobs.clerk.get(path_of(candidacy) + "/actions")).json()["actions"]
    assert sorted(o["action"] for o in offers if o["open"]) == ["shortlist", "turn_down"]
    assert await jobs.clerk.refused(path_of(candidacy), "withdraw_by_school", {"reason_code": "other"}, 403) == ["role"]
