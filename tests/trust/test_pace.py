"""How often and how much at once: nobody takes what is another's share, and nobody guesses passwords."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.actions.pace import Buckets, TooSoon
from service.api.edge import edge
from service.api.pace import Rates
from service.domain.actors import ADMIN, COORDINATOR
from service.main import served
from service.settings import Settings
from tests.conftest import PASSWORD, Client, World


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def waits(buckets: Buckets, key: str) -> int:
    """0 where one was taken; otherwise after how many seconds the next may come."""
    try:
        buckets.take(key)
    except TooSoon as soon:
        return soon.seconds
    return 0


def test_bucket_holds_its_quota_and_fills_by_the_second() -> None:
    clock = Clock()
    buckets = Buckets(5, 10, clock=clock)
    assert buckets.left("wang") == 5
    assert [waits(buckets, "wang") for _ in range(7)] == [0, 0, 0, 0, 0, 2, 2]
    assert (buckets.left("wang"), buckets.full_in("wang"), buckets.left("ดารา")) == (0, 10, 5)
    clock.now += 1.999
    assert waits(buckets, "wang") == 1
    clock.now += 0.001
    assert [waits(buckets, "wang") for _ in range(2)] == [0, 2]
    clock.now += 3600
    assert [waits(buckets, "wang") for _ in range(6)] == [0, 0, 0, 0, 0, 2]


def test_looking_into_a_bucket_takes_nothing() -> None:
    buckets = Buckets(2, 10, clock=Clock())
    for _ in range(3):
        buckets.check("wang")
    buckets.take("wang")
    buckets.check("wang")
    buckets.take("wang")
    with pytest.raises(TooSoon) as soon:
        buckets.check("wang")
    assert soon.value.seconds == 5


def test_whoever_was_longest_unheard_of_is_forgotten() -> None:
    buckets = Buckets(1, 10, most=2, clock=Clock())
    assert [waits(buckets, key) for key in ("a", "b", "c")] == [0, 0, 0]
    assert (buckets.left("a"), buckets.left("b"), buckets.left("c")) == (1, 0, 0)


# ---- over HTTP


@pytest.fixture
def paced(app: FastAPI) -> Callable[..., Any]:
    @asynccontextmanager
    async def opened(source: str = "192.0.2.1", **rates: Any) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(edge(app, rates=Rates(**rates)), client=(source, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://sojourn.test") as http:
            yield http

    return opened


async def statuses(c: Client, count: int) -> list[int]:
    return [(await c.get("/v1/me")).status_code for _ in range(count)]


async def test_a_token_an_institution_and_an_address_have_shares_of_their_own(
    world: World, paced: Callable[..., Any]
) -> None:
    here = [await world.client(COORDINATOR) for _ in range(3)]
    there = await world.client(COORDINATOR, institution=await world.other())
    async with paced(key=4, institution=7, address=4, seconds=60) as http:
        one, two, three, other = (replace(c, http=http) for c in (*here, there))
        # the first request of a token counts for the address, until it has been answered
        answer = await one.get("/v1/me")
        assert (answer.status_code, answer.headers["ratelimit-policy"]) == (200, '"address";q=4;w=60')
        assert answer.headers["ratelimit"] == '"address";r=3;t=15'
        assert await statuses(one, 5) == [200, 200, 200, 200, 429]
        refused = await one.get("/v1/me")
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"] == "/problems/too-many-requests"
        assert refused.headers["ratelimit"] == '"key";r=0;t=60'
        assert int(refused.headers["retry-after"]) in range(1, 16)
        # another token of the institution goes on until the institution has had its share
        assert await statuses(two, 6) == [200, 200, 200, 200, 429, 429]
        assert (await two.get("/v1/me")).headers["ratelimit-policy"].startswith('"institution"')
        # another institution does not notice
        assert await statuses(other, 4) == [200] * 4
        # whoever writes a token down that names an institution takes nothing of its share
        false = replace(three, token=three.token[:-4] + "xxxx", http=http)
        assert await statuses(false, 3) == [401, 429, 429]
        assert (await http.get("/healthz")).status_code == 200
    async with paced(key=4, institution=2, address=9, seconds=60) as http:
        false, true = (replace(c, http=http) for c in (replace(three, token=three.token[:-4] + "xxxx"), three))
        assert await statuses(false, 5) == [401] * 5
        assert (await http.get("/v1/lifecycles", headers={"authorization": f"Bearer {false.token}"})).status_code == 200
        assert await statuses(false, 1) == [401]
        assert await statuses(true, 4) == [200, 200, 200, 429]


async def test_revoked_token_takes_nothing_of_its_institutions_share(world: World, paced: Callable[..., Any]) -> None:
    c = await world.client(COORDINATOR)
    async with paced() as http:
        c = replace(c, http=http)
        await statuses(c, 1)
        await c.ok("/v1/logout")
        told = [(await c.get("/v1/me")) for _ in range(3)]
        assert [t.status_code for t in told] == [401, 401, 401]
        assert [t.headers["ratelimit-policy"].split(";")[0] for t in told] == ['"key"', '"address"', '"address"']


async def test_whoever_sends_much_waits_in_their_own_line(world: World, paced: Callable[..., Any]) -> None:
    noisy, quiet = await world.client(COORDINATOR), await world.client(COORDINATOR, institution=await world.other())
    async with paced(key=1000, at_once=2) as http:
        noisy, quiet = replace(noisy, http=http), replace(quiet, http=http)
        await statuses(noisy, 1)
        await statuses(quiet, 1)
        many = [asyncio.create_task(noisy.get("/v1/trainees", limit=200)) for _ in range(120)]
        await asyncio.sleep(0)
        assert await statuses(quiet, 3) == [200] * 3
        done = sum(task.done() for task in many)
        assert done < 60, "three requests of another institution stood in line behind those of the noisy one"
        assert {answer.status_code for answer in await asyncio.gather(*many)} == {200}


async def test_vanished_client_leaves_its_place(world: World, paced: Callable[..., Any]) -> None:
    c = await world.client(COORDINATOR)
    async with paced(at_once=1) as http:
        c = replace(c, http=http)
        assert await statuses(c, 1) == [200]
        for _ in range(5):
            waiting = [asyncio.create_task(c.get("/v1/trainees")) for _ in range(3)]
            await asyncio.sleep(0.002)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        assert await statuses(c, 2) == [200, 200]


async def test_passwords_are_not_guessed(world: World, paced: Callable[..., Any]) -> None:
    email = "wang@college.example.org"
    await world.client(ADMIN, email=email)

    async def tried(http: httpx.AsyncClient, email: str, password: str) -> int:
        answer = await http.post("/v1/login", json={"email": email, "password": password})
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) in range(1, 91)
        return answer.status_code

    async with paced() as http, paced("192.0.2.2") as elsewhere:
        for known in (email, "nobody@college.example.org"):
            found = [await tried(http, known.upper() if n % 2 else known, f"guess {n} of them") for n in range(12)]
            assert found == [401] * 10 + [429] * 2
        assert await tried(http, email, PASSWORD) == 429
        assert await tried(elsewhere, email, PASSWORD) == 200


async def test_right_passwords_are_not_counted(world: World) -> None:
    await world.client(ADMIN, email="wang@college.example.org")
    for _ in range(12):
        body = {"email": "wang@college.example.org", "password": PASSWORD}
        assert (await world.http.post("/v1/login", json=body)).status_code == 200


async def test_old_password_is_not_guessed_by_whoever_found_a_token(world: World) -> None:
    c = await world.client(COORDINATOR)
    body = {"password": "a guess of it", "new_password": "another password"}
    found = [(await c.post("/v1/me/password", body)).status_code for _ in range(12)]
    assert found == [409] * 10 + [429] * 2


@pytest.mark.parametrize(("caller", "found"), [("10.0.0.7", [200, 200]), ("192.0.2.9", [200, 429])])
async def test_a_proxy_that_is_ours_says_who_calls_and_no_one_else(app: FastAPI, caller: str, found: list[int]) -> None:
    whole = served(app, Settings(proxies=["10.0.0.0/24"], rate_address=1))
    transport = httpx.ASGITransport(whole, client=(caller, 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://sojourn.test") as http:
        for address in ("198.51.100.1", "198.51.100.2"):
            answer = await http.get("/v1/lifecycles", headers={"x-forwarded-for": address})
            assert answer.status_code == found.pop(0)
