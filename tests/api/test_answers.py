"""The look at every answer sees what it is there to see; a body that its model refuses is no body."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic_core import to_json

from service.api.operations import Operation
from service.domain.actors import COORDINATOR
from tests.api.conftest import flaws, operation_of, routes
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import World

PROBLEM = {
    "type": "/problems/not-found",
    "title": "There is nothing here",
    "status": 404,
    "instance": "/v1/me",
    "request_id": "x",
    "reasons": [],
}
ME = {
    "account_id": "0192f0c1-7c52-7d7e-9f0e-5f3f6f2f9f10",
    "institution": "0192f0c1-7c52-7d7e-9f0e-5f3f6f2f9f10",
    "roles": ["reader"],
    "organisation_id": None,
    "person_ids": [],
    "unit_ids": [],
}


def me() -> Operation:
    found = operation_of("GET", "/v1/me")
    assert found is not None
    return found


def answer(status: int, body: Any, media: str = "application/json") -> httpx.Response:
    return httpx.Response(status, content=to_json(body), headers={"content-type": media})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answer(200, ME), []),
        (answer(200, ME | {"score": 7}), ["score: Extra inputs are not permitted"]),
        (answer(200, {k: v for k, v in ME.items() if k != "roles"}), ["roles: Field required"]),
        (answer(200, ME | {"roles": "reader"}), ["roles: Input should be a valid array"]),
        (answer(200, ME, "text/plain"), ["text/plain is no JSON"]),
        (answer(201, ME), ["201 is not declared"]),
        (answer(404, PROBLEM, "application/problem+json"), []),
        (answer(404, PROBLEM), ["404 is application/json and no problem"]),
        (
            answer(404, PROBLEM | {"input": "E123"}, "application/problem+json"),
            ["input: Extra inputs are not permitted"],
        ),
        (answer(403, PROBLEM, "application/problem+json"), ["the problem names another status"]),
        (answer(412, PROBLEM | {"status": 412}, "application/problem+json"), ["412 is not declared"]),
    ],
)
def test_answer_is_held_against_the_contract(given: httpx.Response, said: list[str]) -> None:
    assert flaws(me(), given) == said


async def test_clients_of_the_api_tests_are_looked_at(world: World) -> None:
    hooks = world.http.event_hooks["response"]
    assert [hook.__name__ for hook in hooks] == ["held_to_the_contract"]
    world.http.event_hooks = {"response": []}
    c = await world.client(COORDINATOR)
    made = await c.ok("/v1/relationships", ENTERPRISE_BODY)
    shown = await c.get(f"/v1/relationships/{made['id']}")
    operation = operation_of("GET", shown.request.url.path)
    assert operation is not None
    assert flaws(operation, shown) == []
    assert flaws(operation, answer(200, shown.json() | {"secret": "x"})) == ["secret: Extra inputs are not permitted"]
    unchanged = await c.http.get(
        shown.request.url.path,
        headers={"authorization": f"Bearer {c.token}", "if-none-match": shown.headers["etag"]},
    )
    assert (unchanged.status_code, unchanged.content, flaws(operation, unchanged)) == (304, b"", [])


async def test_unknown_addresses_and_methods_are_problems_too(world: World) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/v1/nowhere", 404),
        ("DELETE", "/v1/trainees", 405),
        ("PUT", "/v1/me", 405),
        ("GET", "/v1/trainees/", 404),
    ):
        found = await world.http.request(method, path)
        assert (found.status_code, found.headers["content-type"]) == (status, "application/problem+json")


def test_every_answer_model_refuses_what_it_does_not_declare() -> None:
    """An undeclared field is seen only where the model forbids it."""
    loose = []
    for _, operation in routes():
        if operation.out is None:
            continue
        schema = operation.out.model_json_schema(mode="serialization")
        for name, part in {operation.name: schema, **schema.get("$defs", {})}.items():
            if "properties" in part and part.get("additionalProperties", True) is not False:
                loose.append(f"{operation.name}: {name}")
    assert loose == []
