"""Every answer that a test of the API gets is held against the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from service.api.operations import Operation
from service.api.problems import MEDIA_TYPE, RESPONSES, ProblemOut
from service.api.routes import routers


@cache
def routes() -> tuple[tuple[APIRoute, Operation], ...]:
    """Every operation with its route, in the order in which requests are matched."""
    found = [route for router in routers() for route in router.routes if isinstance(route, APIRoute)]
    return tuple((route, route.endpoint.operation) for route in found)  # type: ignore[attr-defined]


@cache
def operation_of(method: str, path: str) -> Operation | None:
    """The operation that answers there."""
    return next((o for r, o in routes() if method in (r.methods or ()) and r.path_regex.match(path)), None)


def declared(operation: Operation) -> dict[str, Any]:
    """The answers of an operation beside its usual one, by status, as FastAPI is told of them."""
    own: dict[str, Any] = dict(operation.extra).get("openapi_extra", {}).get("responses", {})
    return {str(status): answer for status, answer in RESPONSES[operation.kind].items()} | own


@cache
def adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def flaws(operation: Operation | None, response: httpx.Response) -> list[str]:
    """What of an answer is not as the contract says."""
    status, media = str(response.status_code), response.headers.get("content-type", "").split(";")[0]
    found: list[str] = []
    if response.status_code >= 400:
        if media != MEDIA_TYPE:
            return [f"{status} is {media or 'nothing'} and no problem"]
        found += _misshaped(ProblemOut, response)
        if not found and response.json()["status"] != response.status_code:
            found.append("the problem names another status")
    if operation is None:
        return found
    told = declared(operation)
    if status not in (*told, str(operation.status)):
        found.append(f"{status} is not declared")
    elif response.status_code == operation.status:
        files = told.get(status, {}).get("content")
        if files is not None:
            found += [] if media in files else [f"{media} is not declared"]
        elif operation.out is not None:
            found += [] if media == "application/json" else [f"{media} is no JSON"]
            found += _misshaped(operation.out, response)
    elif response.status_code < 400 and response.content:
        found.append(f"{status} has a body")
    return found


def _misshaped(model: Any, response: httpx.Response) -> list[str]:
    try:
        adapter(model).validate_json(response.content, strict=True)
    except ValidationError as error:
        return [f"{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]]
    return []


async def held_to_the_contract(response: httpx.Response) -> None:
    """The hook of the clients."""
    await response.aread()
    request = response.request
    found = flaws(operation_of(request.method, request.url.path), response)
    assert found == [], f"{request.method} {request.url.path} answered {response.status_code}: {found}"


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """As in the tests of the whole, and every answer is looked at."""
    transport = httpx.ASGITransport(app)
    hooks = {"response": [held_to_the_contract]}
    async with httpx.AsyncClient(transport=transport, base_url="http://sojourn.test", event_hooks=hooks) as client:
        yield client
