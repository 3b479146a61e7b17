"""Caseloads over HTTP: people in care, a deputy for a time, and three hundred handed over at once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from service.actions import reading
from service.actions.work import Call
from service.domain.actors import COORDINATOR, INSTRUCTOR, Actor
from service.storage.trainees import VIEW
from tests.api.test_tasks import tasks
from tests.conftest import TODAY, Client, World
from tests.jobs import Jobs

DAY = timedelta(days=1)


async def account(client: Client) -> str:
    return str((await client.get("/v1/me")).json()["account_id"])


async def mine(client: Client, path: str = "/v1/trainees", **query: Any) -> list[str]:
    answer = await client.get(path, mine="true", limit=200, **query)
    assert answer.status_code == 200, answer.text
    return sorted(i["id"] for i in answer.json()["items"])


async def test_caseload_is_given_deputised_and_ended(world: World) -> None:
    jobs = await Jobs.of(world)
    c, other = jobs.coordinator, await world.client(COORDINATOR)
    people = await jobs.people(3)
    me, them = await account(c), await account(other)
    made = await c.ok("/v1/assignments/bulk/assign", {"person_ids": people[:2], "coordinator_id": me})
    assert (made["done"], made["refused"]) == (2, 0)
    assert (await mine(c), await mine(other)) == (sorted(people[:2]), [])
    everybody = (await c.get("/v1/trainees", mine="false")).json()["items"]
    assert [i["id"] for i in everybody] == people[2:]
    again = await c.post("/v1/assignments", {"person_id": people[0], "coordinator_id": them})
    assert [r["code"] for r in again.json()["reasons"]] == ["not_assigned_yet"]
    path = f"/v1/assignments/{made['items'][0]['id']}"
    nobody = await account(await world.client(INSTRUCTOR))
    for stranger in (nobody, str(uuid4())):
        body = {"person_id": people[2], "coordinator_id": stranger}
        assert [r["code"] for r in (await c.post("/v1/assignments", body)).json()["reasons"]] == ["coordinator_known"]
        said = {"coordinator_id": stranger, "reason_code": "workload"}
        assert await c.refused(path, "hand_over", said) == ["coordinator_known"]
    assert await c.refused(path, "hand_over", {"coordinator_id": me, "reason_code": "workload"}) == [
        "another_coordinator"
    ]
    days = {"from_on": str(TODAY), "until_on": str(TODAY + 2 * DAY)}
    assert await c.refused(path, "deputise", {"deputy_id": me} | days) == ["another_coordinator"]
    late = {"from_on": str(TODAY + 3 * DAY), "until_on": str(TODAY + 2 * DAY)}
    assert await c.refused(path, "deputise", {"deputy_id": them} | late) == ["dates_in_order"]
    await c.done(path, "deputise", {"deputy_id": them} | days)
    assert (await mine(c), await mine(other)) == (sorted(people[:2]), [people[0]])
    assert await mine(other, "/v1/assignments") == [made["items"][0]["id"]]
    deputy = Actor(UUID(them), frozenset({COORDINATOR}))

    async def stands_in(offset: int) -> bool:
        at = datetime.combine(TODAY + offset * DAY, time(12), UTC)
        call = Call(world.institution, "test", trusted=deputy, at=at)
        found = await reading.page(world.services, call, VIEW, "trainees.read", filters={"mine": True}, limit=10)
        return bool(found.items)

    assert [await stands_in(n) for n in (-1, 0, 2, 3)] == [False, True, True, False]
    await c.done(path, "call_back")
    assert await mine(other) == []
    assert await c.refused(path, "call_back") == ["has_deputy"]
    trainee = await jobs.trainee(people[0])
    assert [i["coordinator_id"] for i in (await trainee.get("/v1/assignments")).json()["items"]] == [me]
    assert (await trainee.get(f"/v1/assignments/{made['items'][1]['id']}")).status_code == 404
    await c.done(path, "end", {"reason_code": "other"})
    assert await mine(c) == [people[1]]
    await c.ok("/v1/assignments", {"person_id": people[0], "coordinator_id": them})
    assert await c.refused(path, "correct", {"note": "She stays."}) == ["assignments_one_live"]


async def test_caseload_narrows_tasks(world: World) -> None:
    jobs = await Jobs.of(world)
    people = await jobs.people(2)
    await jobs.identified(await jobs.open(), people)
    c, me = jobs.coordinator, await account(jobs.coordinator)
    await c.ok("/v1/assignments", {"person_id": people[1], "coordinator_id": me})
    found = await tasks(c, task="ask_consent")
    assert [t["person_id"] for t in found if t["person_id"] == people[1]] == [people[1]]
    assert [t["person_id"] for t in await tasks(c, mine="true")] == [people[1]]
    assert people[1] not in [t["person_id"] for t in await tasks(c, mine="false")]


async def test_caseload_of_three_hundred_is_handed_over_in_one_act(world: World) -> None:
    jobs = await Jobs.of(world)
    c, other = jobs.coordinator, await world.client(COORDINATOR)
    people = await jobs.people(300)
    me, them = await account(c), await account(other)
    made = await c.ok("/v1/assignments/bulk/assign", {"person_ids": people, "coordinator_id": me})
    items = [{"id": i["id"], "version": i["version"]} for i in made["items"]]
    said = {"items": items, "coordinator_id": them, "reason_code": "left_institution", "note": "Moves to Kunming."}
    done = await c.ok("/v1/assignments/bulk/hand_over", said)
    assert (done["done"], done["refused"]) == (300, 0)
    assert await mine(c) == []
    assert len(await mine(other)) == 200  # a page
    for person in (people[0], people[299]):  # and in each person's own record, joined by the act
        events = (await c.get(f"/v1/trainees/{person}/timeline")).json()["items"]
        last = events[-1]
        assert (last["type"], last["reason_code"]) == ("assignment.handed_over", "left_institution")
        assert (last["action_id"], last["data"]) == (done["action_id"], {"coordinator_id": them, "from_id": me})
