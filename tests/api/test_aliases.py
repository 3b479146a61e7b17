"""Two records of one person over HTTP: both histories stay, reads unite, writes go to the survivor."""

from __future__ import annotations

import asyncio
from typing import Any

from service.domain.actors import ADMIN, COORDINATOR, READER, REGISTRAR, TRAINEE
from tests.api.test_certificates import record
from tests.api.test_trainees import registered
from tests.chains import broken_chains
from tests.conftest import Client, World
from tests.jobs import Jobs

WHY = {"reason_code": "imported_twice"}


def tail(path: str) -> str:
    return path.rsplit("/", 1)[1]


async def two(c: Client) -> tuple[str, str]:
    """The record that will go on, and another of the same person."""
    return (
        await registered(c, name_native="สมชาย ใจดี", name_latin="JAIDEE, SOMCHAI", nationality="TH"),
        await registered(c, name_native="สมชาย ใจดี (颂猜)", name_latin="JAIDEE, SOMCHAI", nationality="TH"),
    )


async def joined(c: Client, record_: str, survivor: str) -> dict[str, Any]:
    return await c.done(record_, "join", WHY | {"survivor_id": tail(survivor)})


async def test_joined_record_names_its_survivor_and_reads_unite(world: World, dsn: str) -> None:
    c, registrar = await world.client(COORDINATOR), await world.client(REGISTRAR)
    survivor, other = await two(c)
    first, second = await record(c, tail(survivor)), await record(c, tail(other), number="N4-2")
    assert await registrar.refused(other, "join", WHY | {"survivor_id": tail(other)}) == ["another_record"]
    assert await registrar.refused(other, "join", WHY | {"survivor_id": tail(first)}) == ["survivor_known"]
    mine = await world.client(TRAINEE, person_ids=(tail(other),))
    before = [(await c.get(p + "/events")).json()["items"] for p in (survivor, other, first, second)]
    assert (await joined(registrar, other, survivor))["state"] == "joined"
    # ---- where the survivor is
    shown = (await c.get(other)).json()
    assert (shown["state"], shown["survivor_id"]) == ("joined", tail(survivor))
    assert (await c.get(survivor)).json()["survivor_id"] is None
    # ---- reads unite, by either id and for their own account
    both = {tail(first), tail(second)}
    for asked in (survivor, other):
        listed = (await c.get("/v1/certificates", person_id=tail(asked))).json()["items"]
        assert {r["id"] for r in listed} == both
        told = (await c.get(asked + "/timeline", limit=50)).json()["items"]
        assert {e["type"] for e in told[4:]} == {"trainee.joined", "trainee.record_joined"}
        assert [e["type"] for e in told] == [
            "trainee.registered", "trainee.registered", "certificate.recorded", "certificate.recorded",
            *[e["type"] for e in told[4:]],
        ]  # fmt: skip
    assert {r["id"] for r in (await mine.get("/v1/certificates")).json()["items"]} == both
    assert (await mine.get(survivor)).status_code == 200
    page = (await c.get(survivor + "/timeline", limit=4)).json()
    rest = (await c.get(survivor + "/timeline", limit=4, after=page["next"])).json()
    assert len({e["event_id"] for e in page["items"] + rest["items"]}) == 6
    # ---- both histories stay
    after = [(await c.get(p + "/events")).json()["items"] for p in (survivor, other, first, second)]
    assert [a[: len(b)] for a, b in zip(after, before, strict=True)] == before
    assert await broken_chains(dsn) == []


async def test_writes_to_a_joined_record_are_refused_with_the_survivor(world: World) -> None:
    c = await world.client(COORDINATOR)
    survivor, other = await two(c)
    certificate = await record(c, tail(other))
    await joined(c, other, survivor)
    named = ("record_joined", tail(survivor))
    born = await c.post("/v1/certificates", {"kind": "skill", "issuer": "CTI", "person_id": tail(other)})
    edited = await c.patch(other, {"origin": "云南"}, version=2)
    moved = await c.act(certificate, "reject", {"reason_code": "fraud"})
    for answer in (born, edited, moved):
        assert answer.status_code == 409, answer.text
        assert [(r["code"], r["required"]) for r in answer.json()["reasons"]] == [named]
    offers = {o["action"]: o for o in (await c.get(other + "/actions")).json()["actions"]}
    assert [a for a, o in offers.items() if o["open"]] == ["separate"]
    assert offers["edit"]["reasons"][0]["code"] == "record_joined"
    await record(c, tail(survivor), number="N4-9")
    # ---- a role that may never do it learns that first, and other eyes than the staff's are not told of the survivor
    reader = await world.client(READER)
    assert [
        r["code"]
        for r in (await reader.post(f"{certificate}/reject", {"reason_code": "fraud"}, version=1)).json()["reasons"]
    ] == ["role"]
    person = await world.client(TRAINEE, person_ids=[tail(other)])
    asked = await person.act(other, "ask_erasure", {"reason_code": "other"})
    assert [(r["code"], r.get("required")) for r in asked.json()["reasons"]] == [("record_joined", None)]


async def test_funnel_counts_one_person_at_the_stage_of_both(world: World) -> None:
    jobs = await Jobs.of(world)
    c = jobs.coordinator
    people = await jobs.people(2)
    request = await jobs.open()
    live, other = f"/v1/trainees/{people[0]}", f"/v1/trainees/{people[1]}"
    await jobs.up_to("nominated", request, people[:1])
    # ---- whoever has something live is the one that goes on
    assert await c.refused(live, "join", WHY | {"survivor_id": people[1]}) == ["nothing_live"]
    await joined(c, other, live)
    assert (await c.get(other)).json()["stage"] == (await c.get(live)).json()["stage"] == "candidate"
    figures = (await c.get("/v1/overview/funnel")).json()["items"]
    assert [(r["stage"], r["people"]) for r in figures] == [("candidate", 1)]
    again = await c.post("/v1/candidacies", {"person_id": people[1], "request_id": tail(request)})
    assert [r["code"] for r in again.json()["reasons"]] == ["record_joined"]


async def test_records_are_taken_apart_while_nothing_stands_on_it(world: World, dsn: str) -> None:
    c = await world.client(COORDINATOR)
    survivor, other = await two(c)
    third = await registered(c, name_native="Дарья Ёлкина", nationality="RU")
    await joined(c, other, survivor)
    await joined(c, third, survivor)
    fresh = await registered(c, name_native="王伟")
    assert await c.refused(survivor, "join", WHY | {"survivor_id": tail(fresh)}) == ["not_joined"]
    assert await c.refused(fresh, "join", WHY | {"survivor_id": tail(third)}) == ["survivor_open"]
    certificate = await record(c, tail(survivor), number="N4-1")
    assert await c.refused(third, "separate", {"reason_code": "mistake"}) == ["not_used_since"]
    assert {r["id"] for r in (await c.get("/v1/certificates", person_id=tail(third))).json()["items"]} == {
        tail(certificate)
    }
    # ---- to be erased they are taken apart all the same, and each is erased
    assert await c.refused(third, "ask_erasure", {"reason_code": "other"}) == ["record_joined"]
    await c.done(survivor, "ask_erasure", {"reason_code": "other"})
    admin = await world.client(ADMIN)
    assert await admin.refused(survivor, "erase") == ["not_joined"]
    for path in (third, other):
        await c.done(path, "separate", {"reason_code": "other"})
    assert (await admin.done(survivor, "erase"))["state"] == "erased"
    # ---- a mistake is taken back
    fourth, fifth = await two(c)
    several = {"reason_code": "mistake", "items": [{"id": tail(p), "version": 1} for p in (fourth, fifth)]}
    answer = await c.ok("/v1/trainees/bulk/separate", several)
    assert [[r["code"] for r in i["reasons"]] for i in answer["items"]] == [["not_from_this_state"]] * 2
    await joined(c, fifth, fourth)
    assert (await c.done(fifth, "separate", {"reason_code": "mistake"}))["state"] == "known"
    assert (await c.get(fifth)).json()["survivor_id"] is None
    await record(c, tail(fifth), number="N4-5")
    assert (await c.get("/v1/certificates", person_id=tail(fourth))).json()["items"] == []
    assert await broken_chains(dsn) == []


async def test_two_joins_that_cross_leave_one_survivor(world: World, dsn: str) -> None:
    c = await world.client(COORDINATOR)
    for _ in range(5):
        one, other = await two(c)
        answers = await asyncio.gather(
            c.post(one + "/join", WHY | {"survivor_id": tail(other)}, version=1),
            c.post(other + "/join", WHY | {"survivor_id": tail(one)}, version=1),
        )
        assert sorted(a.status_code for a in answers) == [200, 409], [a.text for a in answers]
        states = sorted([(await c.get(p)).json()["state"] for p in (one, other)])
        assert states == ["joined", "known"]
    assert await broken_chains(dsn) == []


async def test_join_and_a_candidacy_at_the_same_moment_are_one_after_the_other(world: World, dsn: str) -> None:
    jobs = await Jobs.of(world)
    c, request = jobs.coordinator, await jobs.open(seats=9)
    for _ in range(3):
        one, other = await jobs.people(2)
        answers = await asyncio.gather(
            c.post(f"/v1/trainees/{one}/join", WHY | {"survivor_id": other}, version=1),
            c.post("/v1/candidacies", {"person_id": one, "request_id": tail(request)}),
        )
        joined_it, made_it = [a.status_code < 300 for a in answers]
        assert joined_it != made_it, [a.text for a in answers]
        refused = answers[0] if made_it else answers[1]
        assert refused.json()["reasons"][0]["code"] in ("nothing_live", "record_joined")
    assert await broken_chains(dsn) == []
