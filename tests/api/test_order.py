"""The order of checks that clients are promised: whoever makes several mistakes learns of the first one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from service.domain.actors import COORDINATOR, INSTRUCTOR
from tests.api.test_documents import upload
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import Client, World


@dataclass
class Request:
    """A request to verify a relationship, right in everything until something is made wrong."""

    item: str
    token: str
    outsider: str
    evidence: list[str]
    media: str = "application/json"
    headers: dict[str, str] = field(default_factory=lambda: {"if-match": '"1"', "idempotency-key": uuid4().hex})
    body: dict[str, Any] = field(default_factory=lambda: {"valid_until": "2099-12-31"})
    cut: bool = False

    async def answer(self, c: Client) -> tuple[int, str]:
        """The status and the kind of problem that it gets."""
        content = json.dumps(self.body | {"evidence": self.evidence})
        headers = {"content-type": self.media, "authorization": f"Bearer {self.token}", **self.headers}
        path = f"/v1/relationships/{self.item}/verify"
        found = await c.http.post(path, content=content[: -3 if self.cut else None], headers=headers)
        return found.status_code, found.json().get("type", "").removeprefix("/problems/")


def _set(**changes: Any) -> Callable[[Request], None]:
    def change(request: Request) -> None:
        for name, value in changes.items():
            setattr(request, name, value)

    return change


# In the promised order. What is wrong, and what the client is told of it.
MISTAKES: tuple[tuple[str, Callable[[Request], object], tuple[int, str]], ...] = (
    ("not JSON at all", _set(media="text/plain"), (415, "unsupported-media-type")),
    ("a body that breaks off", _set(cut=True), (400, "malformed-body")),
    ("no token", _set(token=""), (401, "unauthenticated")),
    ("no date", lambda r: r.body.update(valid_until="soon"), (422, "invalid")),
    ("no such item", lambda r: setattr(r, "item", str(uuid4())), (404, "not-found")),
    ("no key", lambda r: r.headers.pop("idempotency-key"), (400, "idempotency-key-missing")),
    ("no role for it", lambda r: setattr(r, "token", r.token and r.outsider), (403, "forbidden")),
    ("no version", lambda r: r.headers.pop("if-match"), (428, "precondition-required")),
    ("no evidence", _set(evidence=[]), (409, "refused")),
)


@pytest.fixture
async def clients(world: World) -> tuple[Client, Client, Request]:
    c, outsider = await world.client(COORDINATOR), await world.client(INSTRUCTOR)
    made = await c.ok("/v1/relationships", ENTERPRISE_BODY)
    document = (await upload(c, kind="licence")).json()["id"]
    return c, outsider, Request(made["id"], c.token, outsider.token, [document])


def _request(right: Request, *mistakes: Callable[[Request], object]) -> Request:
    request = Request(right.item, right.token, right.outsider, right.evidence)
    for mistake in reversed(mistakes):  # the earlier one goes last: no token at all wins over another's
        mistake(request)
    return request


async def test_first_of_two_mistakes_is_the_one_that_is_told(clients: tuple[Client, Client, Request]) -> None:
    c, _, right = clients
    told: dict[str, tuple[int, str]] = {}
    expected: dict[str, tuple[int, str]] = {}
    for n, (name, mistake, problem) in enumerate(MISTAKES):
        told[name], expected[name] = await _request(right, mistake).answer(c), problem
        for also, second, _ in MISTAKES[n + 1 :]:
            both = f"{name} and {also}"
            told[both], expected[both] = await _request(right, mistake, second).answer(c), problem
        every = f"{name} and all that comes after"
        told[every] = await _request(right, *(m for _, m, _ in MISTAKES[n:])).answer(c)
        expected[every] = problem
    assert told == expected
    assert await _request(right).answer(c) == (200, "")


async def test_stale_version_is_told_before_the_rules_and_after_the_role(
    clients: tuple[Client, Client, Request],
) -> None:
    c, outsider, right = clients
    stale = _request(right, _set(evidence=[]), lambda r: r.headers.update({"if-match": '"7"'}))
    assert await stale.answer(c) == (412, "stale")
    stale.token = outsider.token
    assert await stale.answer(c) == (403, "forbidden")


async def test_replay_comes_before_role_version_and_rules_and_after_the_item(
    clients: tuple[Client, Client, Request],
) -> None:
    c, _, right = clients
    first = _request(right)
    assert await first.answer(c) == (200, "")
    assert await first.answer(c) == (200, "")  # its version is stale by now
    del first.headers["if-match"]
    assert await first.answer(c) == (200, "")
    first.body["valid_until"] = "2098-12-31"
    assert await first.answer(c) == (422, "key-reused")
    first.item = str(uuid4())
    assert await first.answer(c) == (404, "not-found")
