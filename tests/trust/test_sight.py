"""Who sees what: organisations by consent only, people their own, and nobody more by a refusal than by a read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from service.domain.actors import COORDINATOR, READER, TRAINEE
from tests.api.test_training import Staff, people
from tests.conftest import TODAY, Client, World
from tests.jobs import Jobs, document

OFFER_ENDS = f"{TODAY}T23:59:59Z"

SECRET = "failed a medical test"
PAPERS = {"assessment": "paper_selection", "reason_code": "skills"}


async def record_of(client: Client, path: str) -> list[dict[str, Any]]:
    answer = await client.get(path + "/events")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_nothing_of_a_person_is_shown_before_they_are_nominated(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    (person,) = await jobs.people(1)
    (candidacy,) = await jobs.up_to("consent_pending", request, [person])
    path, clerk = f"/v1/candidacies/{candidacy}", jobs.clerk
    paper = await document(jobs.coordinator, person)
    consent = (await jobs.coordinator.get(path)).json()["consent_id"]
    for hidden in (
        path, path + "/actions", path + "/events", f"/v1/trainees/{person}", f"/v1/trainees/{person}/timeline",
        f"/v1/documents/{paper}", f"/v1/documents/{paper}/content", f"/v1/consents/{consent}",
    ):  # fmt: skip
        assert (await clerk.get(hidden)).status_code in (403, 404), hidden
    for listed in (f"/v1/candidacies?person_id={person}", "/v1/candidacies?state=consent_pending",
                   "/v1/candidacies?include=actions", "/v1/documents", "/v1/consents"):  # fmt: skip
        answer = await clerk.http.get(listed, headers={"authorization": f"Bearer {clerk.token}"})
        assert (answer.status_code, answer.json()["items"]) == (200, []), listed
    seen = (await record_of(clerk, request)) + [(await clerk.get(request, include="actions")).json()]
    assert person not in str(seen)
    for action in ("shortlist", "turn_down", "withdraw", "correct", "contest"):
        body = {"note": "x"} | ({"reason_code": "other"} if action in ("turn_down", "withdraw") else {})
        assert (await clerk.post(f"{path}/{action}", body, version=2)).status_code == 404
    several = {"items": [{"id": candidacy, "version": 2}]}
    assert [i["error"] for i in (await clerk.ok("/v1/candidacies/bulk/shortlist", several))["items"]] == ["not-found"]


async def test_notes_and_reasons_about_a_person_are_not_for_the_enterprise(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    (person,) = await jobs.people(1)
    trainee = await jobs.trainee(person)
    made = await jobs.coordinator.ok(
        "/v1/candidacies", {"person_id": person, "request_id": request.rsplit("/", 1)[1], "note": SECRET}
    )
    path = f"/v1/candidacies/{made['id']}"
    paper = await document(jobs.coordinator, person, "medical")
    await jobs.coordinator.done(path, "ask_consent", {"note": SECRET, "evidence": [paper]})
    await trainee.done(path, "nominate")
    await jobs.clerk.done(path, "shortlist", {"note": "our own words"})
    await trainee.done(path, "withdraw", {"reason_code": "health", "note": SECRET})
    shown = await record_of(jobs.clerk, path)
    assert SECRET not in str(shown)
    assert paper not in str(shown)
    assert [(e["action"], e["reason_code"], e["note"]) for e in shown] == [
        ("identify", None, None), ("ask_consent", None, None), ("nominate", None, None),
        ("shortlist", None, "our own words"), ("withdraw", None, None),
    ]  # fmt: skip
    for client in (jobs.coordinator, trainee):
        assert (await record_of(client, path))[-1]["reason_code"] == "health"


async def test_order_of_an_enterprise_is_not_told_to_the_candidate(world: World) -> None:
    jobs = await Jobs.of(world)
    (person,) = await jobs.people(1)
    (candidacy,) = await jobs.up_to("shortlisted", await jobs.open(), [person])
    path, trainee = f"/v1/candidacies/{candidacy}", await jobs.trainee(person)
    await jobs.clerk.done(path, "choose", PAPERS | {"rank": 4711})
    assert ": 4711" not in str(await record_of(trainee, path))  # digits alone may stand in an id
    assert ":4711" not in (await trainee.get(f"/v1/trainees/{person}/timeline")).text


async def test_marks_of_others_are_not_for_a_member(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    own, other = await people(s.c, 2)
    members = await s.join(klass, own, other)
    await s.held(klass, members, "excused_illness")
    trainee = await world.client(TRAINEE, person_ids=[own])
    shown = str(await record_of(trainee, klass))
    assert members[1].rsplit("/", 1)[1] not in shown
    assert "excused_illness" not in shown


async def test_refusal_tells_whoever_may_not_do_it_no_more_than_that(world: World) -> None:
    jobs = await Jobs.of(world)
    (person,) = await jobs.people(1)
    (candidacy,) = await jobs.up_to("nominated", await jobs.open(), [person])
    reader = await world.client(READER)
    answer = await reader.post(f"/v1/candidacies/{candidacy}/offer", {"offer_ends_at": OFFER_ENDS}, version=3)
    assert (answer.status_code, [r["code"] for r in answer.json()["reasons"]]) == (403, ["role"])
    body = {"items": [{"id": candidacy, "version": 3}], "offer_ends_at": OFFER_ENDS}
    bulk = await reader.ok("/v1/candidacies/bulk/offer", body)
    assert [r["code"] for r in bulk["items"][0]["reasons"]] == ["role"]


async def test_offers_tell_an_enterprise_nothing_of_what_others_can_do(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    (person,) = await jobs.people(1)
    (candidacy,) = await jobs.up_to("offered", request, [person])
    other = await jobs.open()
    (elsewhere,) = await jobs.up_to("offered", other, [person])
    await (await jobs.trainee(person)).done(f"/v1/candidacies/{elsewhere}", "accept")
    offers = (await jobs.clerk.get(f"/v1/candidacies/{candidacy}/actions")).json()["actions"]
    told = {o["action"]: {r["code"] for r in o["reasons"]} for o in offers if not o["open"]}
    assert {a for a, codes in told.items() if "role" in codes and codes != {"role"}} == set()


async def test_evidence_is_what_whoever_shows_it_can_see(world: World) -> None:
    jobs = await Jobs.of(world)
    (person,) = await jobs.people(1)
    (candidacy,) = await jobs.up_to("nominated", await jobs.open(), [person])
    path = f"/v1/candidacies/{candidacy}"
    medical, paper = await document(jobs.coordinator, person, "medical"), await document(jobs.coordinator)
    strangers = await world.client(COORDINATOR, institution=await world.other())
    foreign = await document(strangers)
    for hidden in (medical, paper, foreign, str(uuid4())):
        assert await jobs.clerk.refused(path, "shortlist", {"evidence": [hidden]}) == ["evidence_known"]
    await jobs.clerk.done(path, "shortlist", {"evidence": [await document(jobs.clerk)]})


async def test_person_acts_on_their_own_things_only(world: World) -> None:
    jobs = await Jobs.of(world)
    people_ = await jobs.people(2)
    request = await jobs.open()
    mine, theirs = await jobs.up_to("consent_pending", request, people_)
    trainee = await jobs.trainee(people_[0])
    assert (await trainee.get(f"/v1/candidacies/{theirs}")).status_code == 404
    withdrawn = {"reason_code": "other"}
    actions: list[tuple[str, dict[str, Any]]] = [("nominate", {}), ("refuse_consent", {}), ("withdraw", withdrawn)]
    for action, body in actions:
        assert (await trainee.post(f"/v1/candidacies/{theirs}/{action}", body, version=2)).status_code == 404
    assert (await trainee.get("/v1/candidacies", person_id=people_[1])).json()["items"] == []
    asked = {"person_id": people_[1], "purpose": "enrolment", "fields": ["name"], "notice": {"recipient": "x"}}
    assert (await trainee.post("/v1/consents", asked)).status_code in (403, 404, 422)
    assert (await trainee.get(f"/v1/trainees/{people_[1]}/openings")).status_code == 404
    assert mine


async def test_nomination_that_is_taken_back_hides_the_person_again(world: World) -> None:
    jobs = await Jobs.of(world)
    (candidacy,) = await jobs.up_to("nominated", await jobs.open(), await jobs.people(1))
    path = f"/v1/candidacies/{candidacy}"
    assert (await jobs.clerk.get(path)).status_code == 200
    await jobs.coordinator.done(path, "correct", {"note": "another person was meant"})
    consent = (await jobs.coordinator.get(path)).json()["consent_id"]
    assert (await jobs.coordinator.get(f"/v1/consents/{consent}")).json()["state"] == "given"
    assert (await jobs.clerk.get(path)).status_code == 404
    assert (await jobs.clerk.get("/v1/candidacies")).json()["items"] == []


async def test_consent_ends_with_its_last_day_before_any_clock_rings(world: World, dsn: str) -> None:
    jobs = await Jobs.of(world)
    (candidacy,) = await jobs.up_to("nominated", await jobs.open(), await jobs.people(1))
    path, con = f"/v1/candidacies/{candidacy}", await asyncpg.connect(dsn)
    found = []
    for days in (2, -2):
        await con.execute("UPDATE consents SET ends_on = $1", TODAY + timedelta(days=days))
        found.append((await jobs.clerk.get(path)).status_code)
    await con.close()
    assert found == [200, 404]
