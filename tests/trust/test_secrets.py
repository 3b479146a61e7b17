"""Canaries in every field of a person and in every secret: none sings where it does not belong."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import structlog
from fastapi import FastAPI

from service.api.edge import Metrics, edge
from service.api.pace import Rates
from service.domain.actors import ADMIN, REGISTRAR
from service.storage.schema import metadata
from service.storage.tables.personal import HELD
from tests.conftest import PASSWORD, World
from tests.isolation import Document, at_once
from tests.trust.test_erasure import CANARIES, left_of, somebody

SHUT_AWAY = (
    "CN4711471", "CANARY-ID", "CANARY-MOTHER", "妈妈", "+66899990816", "CANARY-NOTE", "CANARY-N4", "CANARY-LAND",
)  # fmt: skip
"""Numbers, guardians, notes and rows of imports: they are sealed, and nowhere in the clear."""
STAFF = frozenset({"accounts.email", "accounts.name", "organisations.name_native", "organisations.name_latin"})


@dataclass
class Heard:
    """All that the service said to the outside beside its answers that were asked for."""

    metrics: Metrics = field(default_factory=Metrics)
    problems: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    logs: list[Any] = field(default_factory=list)


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[Heard]:
    with structlog.testing.capture_logs() as logs, caplog.at_level(logging.DEBUG):
        yield Heard(logs=logs)


@pytest.fixture
async def http(app: FastAPI, heard: Heard) -> AsyncIterator[httpx.AsyncClient]:
    """Behind the whole edge, with every problem kept, and every secret that was given out or sent."""

    async def listen(response: httpx.Response) -> None:
        await response.aread()
        heard.addresses += [response.headers.get(name, "") for name in ("location", "link")]
        heard.secrets.add(response.request.headers.get("authorization", "").partition(".")[2])
        if response.status_code >= 400:
            heard.problems.append(response.text + str(response.headers))
        elif response.headers.get("content-type") == "application/json" and isinstance(response.json(), dict):
            told = response.json()
            heard.secrets |= {str(told[n]).rpartition(".")[2] for n in ("access_token", "key", "ticket", "invitation") if told.get(n)}  # fmt: skip

    whole = edge(app, metrics=heard.metrics, metrics_token="canary-metrics", rates=Rates(10**6, 10**6, 10**6))
    transport = httpx.ASGITransport(whole)
    async with httpx.AsyncClient(transport=transport, base_url="http://sojourn.test", event_hooks={"response": [listen]}) as c:  # fmt: skip
        yield c


async def cells(dsn: str) -> list[tuple[str, str]]:
    """Every cell of every table as text, by its column; bytes also as the text that they may be."""
    con, found = await asyncpg.connect(dsn), []
    try:
        for name, table in metadata.tables.items():
            for row in await con.fetch(f"SELECT * FROM {name}"):
                for column in map(str, table.c.keys()):
                    value = row[column]
                    text = value.decode("utf-8", "replace") + value.hex() if isinstance(value, bytes) else str(value)
                    found.append((f"{name}.{column}", text))
    finally:
        await con.close()
    return found


async def test_canaries_are_where_the_catalogue_says_and_nowhere_else(
    world: World, dsn: str, heard: Heard, tmp_path: Path, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    admin, registrar = await world.client(ADMIN), await world.client(REGISTRAR)
    c, path, _ = await somebody(world, admin, dsn)
    # ---- secrets of every kind, and what is refused for every kind of reason
    mail = "canary-invited@example.org"
    await admin.ok("/v1/appointments", {"email": mail, "name": "CANARY-CLERK", "roles": ["coordinator"]})
    mine = (await admin.get("/v1/appointments")).json()["items"][0]["id"]
    await admin.ok("/v1/keys", {"name": "robot", "appointment_id": mine})
    await c.ok("/v1/events/tickets")
    assert (await registrar.post(path + "/sealed", {"purpose": "visa"})).status_code == 200
    for wrong in (PASSWORD + "CANARY", "x"):
        await world.http.post("/v1/login", json={"email": mail, "password": wrong})
    requests = [
        (a.method, a.path.replace("{id}", path.rsplit("/", 1)[1]), document.example(a.body))
        for a in document.operations
        if a.media == "application/json" and "{" not in a.path.replace("{id}", "")
    ]

    async def strangely(method: str, where: str, body: Any) -> None:
        headers = {"authorization": f"Bearer {c.token}", "idempotency-key": "k", "if-match": '"1"'}
        await c.http.request(method, where, json=sung(body) | {"CANARY 钥匙": "CANARY"}, headers=headers)

    before = len(heard.problems)
    await at_once([partial(strangely, *request) for request in requests])
    assert len(heard.problems) - before == len(requests) > 400
    # ---- what was said
    numbers = await world.http.get("/metrics", headers={"authorization": "Bearer canary-metrics"})
    assert "http_requests_total" in numbers.text
    assert ("/v1/trainees", "201") in {(line.get("route"), line.get("status")) for line in heard.logs}
    for said in (*heard.problems, *heard.addresses, numbers.text, repr(heard.logs), caplog.text):
        assert left_of(said) == [], said[:500]
    # ---- what is kept
    kept = await cells(dsn)
    forgotten = {name for name, held in HELD.items() if held.forget}
    declared = {f"{name}.{column}" for name, held in HELD.items() for column in held.blank}
    strays = {
        (where, canary)
        for where, text in kept
        for canary in CANARIES
        if canary.casefold() in text.casefold()
        and where not in declared | STAFF
        and where.split(".")[0] not in forgotten
    }
    assert {where for where, _ in strays} == set(), strays
    assert {(where, x) for where, text in kept for x in SHUT_AWAY if x in text or x.encode().hex() in text} == set()
    # ---- and no secret that was given to anybody
    secrets = {s for s in heard.secrets if len(s) > 20} | {PASSWORD}
    assert len(secrets) > 5
    everything = "\n".join([*(text for _, text in kept), *heard.problems, numbers.text, repr(heard.logs), caplog.text])
    assert [s for s in secrets if s in everything or s.encode().hex() in everything] == []


def sung(example: Any) -> Any:
    """The example with a canary in the place of every text."""
    if isinstance(example, dict):
        return {name: sung(part) for name, part in example.items()}
    if isinstance(example, list):
        return [sung(part) for part in example]
    return "CANARY" if isinstance(example, str) else example
