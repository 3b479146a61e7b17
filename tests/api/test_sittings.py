"""Sittings over HTTP: places, registrations, results that become certificates."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from service.domain.actors import COORDINATOR, READER, REGISTRAR, TRAINEE
from tests.api.test_training import day, people, person, scan
from tests.conftest import Client, World

REGISTRATIONS = "/v1/sitting-registrations"
SCORES = {"language_knowledge": 34, "reading": 35, "listening": 35}


async def sitting(client: Client, **more: Any) -> str:
    body = {
        "test": "jlpt", "level": "N3", "place": "大连外国语大学", "time_zone": "Asia/Shanghai", "held_on": day(30),
        "register_until": day(10), "places": 2, "fee": "550.00", "currency": "CNY",
    } | more  # fmt: skip
    return str((await client.ok("/v1/sittings", {k: v for k, v in body.items() if v is not None}))["id"])


async def register(client: Client, where: str, who: str, **more: Any) -> str:
    made = await client.ok(REGISTRATIONS, {"sitting_id": where, "person_id": who} | more)
    return f"{REGISTRATIONS}/{made['id']}"


async def held(client: Client, *who: str, **more: Any) -> tuple[str, list[str]]:
    """A sitting that was held yesterday, with those who registered in time."""
    where = await sitting(client, **({"held_on": day(-1), "register_until": day(-20), "places": 9} | more))
    return where, [
        await register(client, where, p, occurred_on=day(-20), admission_no=f"A{n}") for n, p in enumerate(who)
    ]


async def codes(client: Client, where: str, who: str) -> list[str]:
    answer = await client.post(REGISTRATIONS, {"sitting_id": where, "person_id": who})
    assert answer.status_code == 409, answer.text
    return [r["code"] for r in answer.json()["reasons"]]


async def test_places_are_taken_and_given_back(world: World) -> None:
    c = await world.client(COORDINATOR)
    a, b, d = await people(c, 3)
    where = await sitting(c)
    path = f"/v1/sittings/{where}"
    first = await register(c, where, a)
    await register(c, where, b)
    assert await codes(c, where, a) == ["seat_free", "not_registered_yet"]
    assert await codes(c, where, d) == ["seat_free"]
    await c.done(first, "withdraw", {"reason_code": "health"})
    assert [(await c.get(path)).json()[n] for n in ("taken", "places", "fee")] == [1, 2, "550.0000"]
    await register(c, where, d)
    assert await c.refused(first, "correct", {"note": "no"}) == ["seat_free"]
    changed = await c.patch(path, {"places": 3}, version=(await c.get(path)).json()["version"])
    assert changed.status_code == 200, changed.text
    await c.done(first, "correct", {"note": "it was the other one"})
    assert (await c.get(first)).json()["state"] == "registered"
    done = await c.done(path, "cancel", {"reason_code": "organiser"})
    assert done["state"] == "cancelled"
    listed = (await c.get(REGISTRATIONS, sitting_id=where)).json()["items"]
    assert [(r["state"], r["ended_because"]) for r in listed] == [("withdrawn", "sitting_cancelled")] * 3
    assert (await c.get(path)).json()["taken"] == 0
    assert await codes(c, where, a) == ["sitting_announced"]


async def test_places_are_never_oversold(world: World) -> None:
    c = await world.client(COORDINATOR)
    where, who = await sitting(c, places=3), await people(c, 7)
    body = [{"sitting_id": where, "person_id": p} for p in who]
    answers = await asyncio.gather(*[c.post(REGISTRATIONS, b) for b in body], c.post(REGISTRATIONS, body[0]))
    assert sorted(a.status_code for a in answers) == [201] * 3 + [409] * 5
    assert (await c.get(f"/v1/sittings/{where}")).json()["taken"] == 3
    more = await sitting(c, places=4)
    done = await c.ok(f"{REGISTRATIONS}/bulk/register", {"sitting_id": more, "person_ids": who})
    assert (done["done"], done["refused"]) == (4, 3)
    assert {r["code"] for i in done["items"] for r in i["reasons"]} == {"seat_free"}


async def test_last_day_is_reckoned_where_the_test_is_held(world: World) -> None:
    """Kiritimati is 25 hours ahead of Pago Pago: whatever the hour, their days differ."""
    c = await world.client(COORDINATOR)
    who = await person(c)
    behind = datetime.now(ZoneInfo("Pacific/Pago_Pago")).date()
    days = {"register_until": behind.isoformat(), "held_on": (behind + timedelta(days=30)).isoformat()}
    ahead = await sitting(c, time_zone="Pacific/Kiritimati", **days)
    assert await codes(c, ahead, who) == ["registration_open"]
    await register(c, await sitting(c, time_zone="Pacific/Pago_Pago", **days), who)


async def test_result_becomes_a_certificate_for_another_to_verify(world: World) -> None:
    c, r = await world.client(COORDINATOR), await world.client(REGISTRAR)
    a, b, d = await people(c, 3)
    _, (first, second, third) = await held(c, a, b, d)
    await c.done(first, "sit")
    result = {"section_scores": SCORES, "result_on": day(0), "number": "N3A55"}
    assert (await c.done(first, "record_result", result))["state"] == "passed"
    made = (await c.get(first)).json()["certificate_id"]
    path = f"/v1/certificates/{made}"
    shown = (await c.get(path)).json()
    names = ("person_id", "kind", "test", "level", "total_score", "taken_on", "result_on", "state", "scheme")
    assert [shown[n] for n in names] == [a, "language", "jlpt", "N3", "104.0000", day(-1), day(0), "recorded", "2010"]
    paper = await scan(c, person_id=a, kind="certificate")
    assert await c.refused(path, "verify", {"evidence": [paper]}) == ["by_another_account"]
    failed = {"section_scores": SCORES | {"listening": 18}}
    assert (await c.done(second, "record_result", failed))["state"] == "failed"
    level = (await c.get(f"/v1/certificates/{(await c.get(second)).json()['certificate_id']}")).json()
    assert (level["level"], level["cefr"], level["passed"]) == (None, None, False)
    assert (await c.done(third, "record_result", {"absent": True}))["state"] == "absent"
    assert (await c.get(third)).json()["certificate_id"] is None
    await c.done(second, "correct", {"note": "another's"})
    assert [(await c.get(second)).json()[n] for n in ("state", "certificate_id")] == ["registered", None]
    assert (await c.get(f"/v1/certificates/{level['id']}")).json()["state"] == "voided"
    await r.done(path, "verify", {"evidence": [paper]})
    assert await c.refused(first, "correct", {"note": "no"}) == ["certificate_untouched"]


async def test_sittings_are_seen_by_people_and_registrations_by_their_own(world: World) -> None:
    c = await world.client(COORDINATOR)
    a, b = await people(c, 2)
    where = await sitting(c, places=5)
    own, theirs = await register(c, where, a), await register(c, where, b)
    t = await world.client(TRAINEE, person_ids=[a])
    assert [s["id"] for s in (await t.get("/v1/sittings")).json()["items"]] == [where]
    assert [f"{REGISTRATIONS}/{r['id']}" for r in (await t.get(REGISTRATIONS)).json()["items"]] == [own]
    assert (await t.get(theirs)).status_code == 404
    assert (await t.done(own, "withdraw", {"reason_code": "not_ready"}))["state"] == "withdrawn"
    assert (await t.ok(REGISTRATIONS, {"sitting_id": where, "person_id": a}))["state"] == "registered"
    reader = await world.client(READER)
    assert ((await reader.get("/v1/sittings")).status_code, (await reader.get(REGISTRATIONS)).status_code) == (200, 403)
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(f"/v1/sittings/{where}")).status_code == 404
    somebody = await person(stranger)
    assert await codes(stranger, where, somebody) == ["sitting_known"]
    assert await codes(c, str(uuid4()), a) == ["sitting_known"]


async def test_admission_number_is_of_one_registration(world: World) -> None:
    c = await world.client(COORDINATOR)
    a, b = await people(c, 2)
    where = await sitting(c, places=5)
    first, second = await register(c, where, a, admission_no="S1"), await register(c, where, b)
    answer = await c.patch(second, {"admission_no": "S1"}, version=1)
    assert (answer.status_code, [r["text"] for r in answer.json()["reasons"]]) == (
        409,
        ["This admission number is another registration's."],
    )
    assert (await c.patch(second, {"admission_no": "S2"}, version=1)).status_code == 200
    found = (await c.get(REGISTRATIONS, sitting_id=where, admission_no="S2")).json()["items"]
    assert [r["id"] for r in found] == [second.rsplit("/", 1)[1]]
    assert first != second
