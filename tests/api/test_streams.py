"""Server-sent events: the feed as it grows, tickets that open once, and the progress of an import."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx

from service.actions import streams
from service.actions.streams import Pace
from service.actions.work import Call
from service.api.routes import streams as routes
from service.api.tokens import read_token
from service.domain.actors import ADMIN, COORDINATOR, READER
from service.storage.sequencer import number_events
from tests.api.studying import person
from tests.conftest import Client, World

SECOND = {"seconds": 1}


def messages(answer: httpx.Response) -> list[dict[str, str]]:
    """Every part of a stream, by its fields."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    parts = [p for p in answer.text.split("\n\n") if p]
    return [dict(line.split(": ", 1) for line in p.split("\n")) for p in parts]


async def numbered(world: World) -> None:
    while await number_events(world.services.database, world.institution):
        pass


async def feed(c: Client, after: int = 0) -> list[dict[str, Any]]:
    return list((await c.get("/v1/events", after=after, limit=200)).json()["items"])


async def test_stream_gives_the_feed_from_where_the_reader_was(world: World) -> None:
    c = await world.client(COORDINATOR)
    await person(c, papers=False)
    await numbered(world)
    known = await feed(c)
    assert len(known) >= 2
    begun, *told = messages(await c.get("/v1/events/stream", after=0, **SECOND))
    assert begun == {"id": "0", "retry": "3000"}
    assert [(m["id"], json.loads(m["data"])) for m in told] == [(str(e["feed_no"]), e) for e in known]
    first = known[0]["feed_no"]
    c.headers["last-event-id"] = str(first)
    begun, *told = messages(await c.get("/v1/events/stream", after=0, **SECOND))
    assert (begun["id"], [m["id"] for m in told]) == (str(first), [str(e["feed_no"]) for e in known[1:]])
    for strange in ("x", "-1", "9" * 30):
        c.headers["last-event-id"] = strange
        answer = await c.get("/v1/events/stream", **SECOND)
        assert (answer.status_code, answer.json()["reasons"][0]["pointer"]) == (422, "header/last-event-id")


async def opened(count: int) -> None:
    """Wait until so many streams are open."""
    while routes._Open.count != count:  # noqa: ASYNC110 - what is waited for has no event of its own
        await asyncio.sleep(0.01)


def call_of(world: World, c: Client) -> Call:
    token = read_token(f"Bearer {c.token}")
    return Call(world.institution, "test", token.sight, token.digest)


async def test_stream_waits_for_what_comes_and_holds_no_connection(world: World) -> None:
    c = await world.client(COORDINATOR)
    await numbered(world)
    call, pool = call_of(world, c), world.services.database.pool
    after = await streams.end_of_feed(world.services, call)
    listening = asyncio.ensure_future(anext(streams.follow(world.services, call, after, Pace(0.2, 600, 600))))
    await asyncio.sleep(0.05)
    while pool.get_idle_size() < pool.get_size():  # noqa: ASYNC110 - likewise
        await asyncio.sleep(0.01)
    assert not listening.done()
    made = await person(c, papers=False)
    await numbered(world)
    assert [(e["type"], e["subject_id"], e["feed_no"]) for e in await listening] == [
        ("trainee.registered", UUID(made), after + 1)
    ]


async def test_ticket_opens_one_stream_once(world: World) -> None:
    c = await world.client(ADMIN)
    given = await c.http.post("/v1/events/tickets", headers={"authorization": f"Bearer {c.token}"})
    assert (given.status_code, given.headers["cache-control"]) == (201, "no-store")
    ticket = given.json()["ticket"]
    opened = await c.http.get("/v1/events/stream", params=SECOND | {"ticket": ticket})
    assert "id" in messages(opened)[0]
    again = await c.http.get("/v1/events/stream", params=SECOND | {"ticket": ticket})
    assert (again.status_code, again.headers["content-type"]) == (401, "application/problem+json")
    token = await c.http.get("/v1/events/stream", params=SECOND | {"ticket": c.token})
    assert token.status_code == 401
    (more,) = [
        (await c.http.post("/v1/events/tickets", headers={"authorization": f"Bearer {c.token}"})).json()["ticket"]
    ]
    assert (await c.http.get("/v1/me", headers={"authorization": f"Bearer {more}"})).status_code == 401
    await c.ok("/v1/logout")
    ended = await c.http.get("/v1/events/stream", params=SECOND | {"ticket": more})
    assert ended.status_code == 401
    reader = await world.client(READER)
    assert (await reader.get("/v1/events/stream", **SECOND)).status_code == 403
    shut = await reader.http.post("/v1/events/tickets", headers={"authorization": f"Bearer {reader.token}"})
    assert shut.status_code == 403
    assert (await c.http.get("/v1/events/stream")).status_code == 401


async def test_stream_breaks_its_silence_and_ends_with_its_token(world: World) -> None:
    c = await world.client(COORDINATOR)
    await numbered(world)
    call = call_of(world, c)
    after = await streams.end_of_feed(world.services, call)
    found = [e async for e in streams.follow(world.services, call, after, Pace(0.01, 0.0, 0.05))]
    assert found
    assert all(e == [] for e in found)
    listening = asyncio.create_task(c.get("/v1/events/stream"))
    await opened(1)
    await c.ok("/v1/logout")
    assert messages(await listening)[-1] == {"event": "end", "data": '{"reason":"unauthenticated"}'}


async def test_streams_are_bounded(world: World, monkeypatch: Any) -> None:
    c = await world.client(COORDINATOR)
    monkeypatch.setattr(routes, "STREAMS_MOST", 1)
    one = asyncio.create_task(c.get("/v1/events/stream"))
    await opened(1)
    answer = await c.get("/v1/events/stream", **SECOND)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    one.cancel()
    await opened(0)
    messages(await c.get("/v1/events/stream", **SECOND))
    for seconds in (0, 601, "x"):
        assert (await c.get("/v1/events/stream", seconds=seconds)).status_code == 422


async def test_progress_of_an_import_is_told_until_nothing_works_on_it(world: World) -> None:
    c = await world.client(COORDINATOR)
    rows = b"name_native,name_latin,birth_on,nationality\n\xe7\x8e\x8b\xe4\xbc\x9f,WANG WEI,2004-05-06,CN\n"
    answer = await c.http.post(
        "/v1/imports",
        data={"kind": "trainees"},
        files={"file": ("people.csv", rows, "text/csv")},
        headers={"authorization": f"Bearer {c.token}", "idempotency-key": uuid4().hex},
    )
    assert answer.status_code == 201, answer.text
    path = f"/v1/imports/{UUID(answer.json()['id'])}"
    shown = (await c.get(path)).json()
    (first,) = messages(await c.get(f"{path}/progress", **SECOND))[:1]
    told = json.loads(first["data"])
    assert (first["id"], {n: told[n] for n in ("id", "state")}) == (
        str(shown["version"]), {"id": shown["id"], "state": "uploaded"},
    )  # fmt: skip
    await c.done(path, "stop")
    *_, last, end = messages(await c.get(f"{path}/progress", **SECOND))
    assert (json.loads(last["data"])["state"], end) == ("failed", {"event": "end", "data": "{}"})
    assert (await c.get(f"/v1/imports/{uuid4()}/progress", **SECOND)).status_code == 404
