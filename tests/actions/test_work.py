"""The one path of every act: keys, versions, contention, the record."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from uuid import uuid4

import asyncpg

from service.domain.actors import COORDINATOR
from tests.chains import broken_chains
from tests.conftest import World

BODY = {
    "organisation": {
        "kind": "partner_institution",
        "name_native": "วิทยาลัยเทคนิคระยอง",
        "name_latin": "Rayong Technical College",
        "country": "TH",
        "time_zone": "Asia/Bangkok",
    },
    "role": "partner_institution",
}


async def test_the_same_key_at_once_creates_once_and_tells_the_same(world: World) -> None:
    c = await world.client(COORDINATOR)
    key = uuid4().hex
    answers = await asyncio.gather(*[c.post("/v1/relationships", BODY, key=key) for _ in range(16)])
    assert {a.status_code for a in answers} == {201}
    assert len({a.content for a in answers}) == 1
    assert sum("idempotent-replayed" in a.headers for a in answers) == 15
    assert len((await c.get("/v1/relationships")).json()["items"]) == 1


async def test_many_at_once_on_one_version_are_one_and_the_rest_stale(world: World) -> None:
    c = await world.client(COORDINATOR)
    path = f"/v1/relationships/{(await c.ok('/v1/relationships', BODY))['id']}"
    answers = await asyncio.gather(*[c.patch(path, {"licence_no": f"L{n}"}, version=1) for n in range(20)])
    assert sorted(a.status_code for a in answers) == [200] + [412] * 19
    item = (await c.get(path)).json()
    assert item["version"] == 2
    assert len((await c.get(path + "/events")).json()["items"]) == 2


async def test_a_refusal_writes_nothing_and_keeps_no_key(world: World, dsn: str) -> None:
    c = await world.client(COORDINATOR)
    made = await c.ok("/v1/relationships", BODY)
    key = uuid4().hex
    path = f"/v1/relationships/{made['id']}"
    assert (await c.post(path + "/suspend", {"reason_code": "other"}, key=key, version=1)).status_code == 409
    con = await asyncpg.connect(dsn)
    assert await con.fetchval("SELECT count(*) FROM idempotency_keys WHERE key = $1", key) == 0
    await con.close()
    assert (await c.get(path)).json()["version"] == 1
    assert (await c.post(path + "/end", {"reason_code": "other"}, key=key, version=1)).status_code == 200


async def test_a_kept_answer_is_sealed(world: World, dsn: str) -> None:
    c = await world.client(COORDINATOR)
    made = await c.ok("/v1/relationships", BODY)
    con = await asyncpg.connect(dsn)
    sealed = await con.fetchval("SELECT sealed FROM idempotency_keys WHERE route = 'relationships_create'")
    await con.close()
    assert made["id"].encode() not in sealed


async def test_evidence_that_is_not_there_proves_nothing(world: World) -> None:
    c = await world.client(COORDINATOR)
    path = f"/v1/relationships/{(await c.ok('/v1/relationships', BODY))['id']}"
    body = {"valid_until": "2030-01-01", "evidence": [str(uuid4())]}
    assert await c.refused(path, "verify", body) == ["evidence_known"]


async def test_bulk_does_what_is_granted_and_gives_reasons_for_the_rest(world: World) -> None:
    c = await world.client(COORDINATOR)
    ids = [(await c.ok("/v1/relationships", BODY))["id"] for _ in range(3)]
    await c.done(f"/v1/relationships/{ids[1]}", "end", {"reason_code": "other"})
    items = [{"id": i, "version": 1} for i in ids] + [{"id": str(uuid4()), "version": 1}]
    answer = await c.ok("/v1/relationships/bulk/end", {"reason_code": "contract_ended", "items": items})
    assert (answer["done"], answer["refused"]) == (2, 2)
    assert [(i["done"], i["error"], [r["code"] for r in i["reasons"]]) for i in answer["items"]] == [
        (True, None, []), (False, "stale", []), (True, None, []), (False, "not-found", []),
    ]  # fmt: skip
    twice = await c.post("/v1/relationships/bulk/end", {"reason_code": "other", "items": [items[0], items[0]]})
    assert twice.status_code == 422


async def test_every_chain_holds_after_all_kinds_of_acts(world: World, dsn: str) -> None:
    c = await world.client(COORDINATOR)
    path = f"/v1/relationships/{(await c.ok('/v1/relationships', BODY | {'note': 'Гольф'}))['id']}"
    await c.done(path, "end", {"reason_code": "other", "note": "错误"})
    await c.done(path, "correct", {"note": "กลับ"})
    assert await broken_chains(dsn) == []
    con = await asyncpg.connect(dsn)
    await con.execute("UPDATE events SET to_state = 'suspended' WHERE type = 'relationship.ended'")
    await con.close()
    assert {seq for *_, seq in await broken_chains(dsn)} == {2}


async def test_the_answer_is_in_the_readers_language(world: World) -> None:
    c = await world.client(COORDINATOR)
    path = f"/v1/relationships/{(await c.ok('/v1/relationships', BODY))['id']}"
    c.headers["accept-language"] = "zh-CN,zh;q=0.9"
    answer = await c.post(path + "/verify", {"valid_until": "2030-01-01"}, version=1)
    assert answer.json()["title"] == "当前规则不允许此操作"
    assert [r["text"] for r in answer.json()["reasons"]] == ["需要附上证明文件。"]


async def test_what_is_taken_back_gives_back_the_day_of_its_own_step_before(world: World) -> None:
    """And not that of another thing: each has a history of its own, with the same numbers."""
    c = await world.client(COORDINATOR)
    days = [str(date.today() - timedelta(days=n)) for n in (40, 30, 20, 10)]  # noqa: DTZ011 - far from today
    paths = []
    for day in days:
        paths.append(f"/v1/relationships/{(await c.ok('/v1/relationships', BODY | {'occurred_on': day}))['id']}")
        await c.done(paths[-1], "end", {"reason_code": "other"})
    for path, day in zip(paths, days, strict=True):
        await c.done(path, "correct", {"note": "误结束"})
        shown = (await c.get(path)).json()
        assert (shown["state"], shown["since_on"]) == ("recorded", day)
