"""What is sent twice, at once, late or half: it happens once, or not at all."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import asyncpg

from service.domain.actors import COORDINATOR
from service.storage.sequencer import forget_old_keys
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import TODAY, World
from tests.jobs import Jobs


async def test_key_is_known_until_it_is_forgotten(world: World, dsn: str) -> None:
    c = await world.client(COORDINATOR)
    key = uuid4().hex
    first = await c.ok("/v1/relationships", ENTERPRISE_BODY, key=key)
    con = await asyncpg.connect(dsn)
    await con.execute("UPDATE idempotency_keys SET kept_until = now() - interval '1 minute'")
    await con.close()
    assert await c.ok("/v1/relationships", ENTERPRISE_BODY, key=key) == first
    assert await forget_old_keys(world.services.database, world.institution) == 1
    other = ENTERPRISE_BODY | {"organisation": ENTERPRISE_BODY["organisation"] | {"registration_no": "9"}}
    assert (await c.ok("/v1/relationships", other, key=key))["id"] != first["id"]


async def test_key_is_of_one_request_only(world: World) -> None:
    c, d = await world.client(COORDINATOR), await world.client(COORDINATOR)
    key = uuid4().hex
    first = await c.ok("/v1/relationships", ENTERPRISE_BODY, key=key)
    numbered = [
        ENTERPRISE_BODY | {"organisation": ENTERPRISE_BODY["organisation"] | {"registration_no": str(n)}}
        for n in range(9)
    ]
    second = await c.ok("/v1/relationships", numbered[0])
    one, two = (f"/v1/relationships/{i['id']}" for i in (first, second))
    refused = await c.post(one + "/verify", {"valid_until": str(TODAY)}, key=key, version=1)
    assert refused.status_code == 409
    ended = await c.post(one + "/end", {"reason_code": "duplicate"}, key=key, version=1)
    assert ended.status_code == 200
    assert (await c.post(two + "/end", {"reason_code": "duplicate"}, key=key, version=1)).status_code == 422
    again = await c.post(one + "/end", {"reason_code": "duplicate"}, key=key, version=1)
    assert (again.status_code, again.content) == (200, ended.content)
    mine = await d.post("/v1/relationships", numbered[1], key=key)
    assert (mine.status_code, "idempotent-replayed" in mine.headers) == (201, False)
    strangers = await world.client(COORDINATOR, institution=await world.other())
    theirs = await strangers.post("/v1/relationships", numbered[2], key=key)
    assert (theirs.status_code, "idempotent-replayed" in theirs.headers) == (201, False)


async def test_twenty_at_once_under_one_key_are_one(world: World) -> None:
    c = await world.client(COORDINATOR)
    body = {"name_native": "王伟", "name_latin": "WANG, WEI", "birth_on": "2004-05-06", "nationality": "CN"}
    key = uuid4().hex
    answers = await asyncio.gather(*[c.post("/v1/trainees", body, key=key) for _ in range(20)])
    assert {a.status_code for a in answers} == {201}
    assert len({a.content for a in answers}) == 1
    assert len((await c.get("/v1/trainees")).json()["items"]) == 1


async def test_versions_that_are_none_match_nothing(world: World) -> None:
    c = await world.client(COORDINATOR)
    made = await c.ok("/v1/relationships", ENTERPRISE_BODY)
    path = f"/v1/relationships/{made['id']}/end"
    told = {"authorization": f"Bearer {c.token}"}
    for tag in (
        b"*",
        b'"*"',
        b'"2"',
        b'"-1"',
        b'"0"',
        b"",
        b'""',
        b'"1", "2"',
        b'"' + b"1" * 40 + b'"',
        b'"\xb9"',
        b"1e0",
        b'"1x"',
    ):
        headers = [
            (b"if-match", tag),
            (b"idempotency-key", uuid4().hex.encode()),
            *((k.encode(), v.encode()) for k, v in told.items()),
        ]
        answer = await c.http.post(path, json={"reason_code": "duplicate"}, headers=headers)
        assert answer.status_code in (412, 428), (tag, answer.status_code)


async def test_corrections_of_corrections_and_of_what_others_stand_on(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    (person,) = await jobs.people(1)
    (candidacy,) = await jobs.up_to("offered", request, [person])
    path, c = f"/v1/candidacies/{candidacy}", jobs.coordinator
    for state in ("selected", "shortlisted", "nominated"):
        assert (await c.done(path, "correct", {"note": "back"}))["state"] == state
    assert await jobs.seats(request) == (0, 0, 0, "open")
    consent = (await c.get(path)).json()["consent_id"]
    assert (await c.done(path, "correct", {"note": "back"}))["state"] == "consent_pending"
    assert (await c.done(f"/v1/consents/{consent}", "correct", {"note": "never given"}))["state"] == "requested"
    assert (await c.done(path, "correct", {"note": "back"}))["state"] == "identified"
    assert (await c.done(path, "correct", {"note": "back"}))["state"] == "voided"
    assert await c.refused(path, "correct", {"note": "again"}) == ["something_to_correct"]
