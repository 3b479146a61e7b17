"""The OpenAPI document: the product that clients see. A change of contract shows in the diff of `openapi.json`.

To take a change over: UPDATE_CONTRACT=1 pytest tests/api/test_openapi.py
"""

from __future__ import annotations

import json
import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import to_json

from service.api.operations import Operation
from service.api.problems import RESPONSES, TABLE
from service.domain.permissions import PERMISSIONS
from tests.api.conftest import operation_of, routes

SNAPSHOT = Path(__file__).with_name("openapi.json")
ID = "0192f0c1-7c52-7d7e-9f0e-5f3f6f2f9f10"
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@pytest.fixture(scope="session")
def document(application: FastAPI) -> dict[str, Any]:
    """As a client gets it."""
    made: dict[str, Any] = json.loads(json.dumps(application.openapi()))
    return made


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{method.upper()} {path}", o) for path, item in document["paths"].items() for method, o in item.items()]


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def test_contract_is_the_one_on_record(document: dict[str, Any]) -> None:
    written = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_CONTRACT"):
        SNAPSHOT.write_text(written, encoding="utf-8")
    recorded = json.loads(SNAPSHOT.read_text(encoding="utf-8")) if SNAPSHOT.exists() else {}
    assert _differences(recorded, document) == []


def _differences(before: Any, now: Any, at: str = "") -> list[str]:
    """Where two documents differ, by place: a diff of a megabyte helps nobody."""
    if isinstance(before, dict) and isinstance(now, dict):
        places = sorted(before.keys() | now.keys())
        lone = [f"{'removed' if p in before else 'added'} {at}/{p}" for p in places if (p in before) != (p in now)]
        return lone + [
            d for p in places if p in before and p in now for d in _differences(before[p], now[p], f"{at}/{p}")
        ]
    return [] if before == now else [f"changed {at}"]


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [o["operationId"] for _, o in operations(document)]
    assert [n for n in names if not SNAKE.fullmatch(n)] == []
    assert [a for a, b in pairwise(sorted(names)) if a == b] == []


def test_every_operation_is_told_in_words(document: dict[str, Any]) -> None:
    told = operations(document)
    assert [name for name, o in told if not o.get("summary", "").strip()] == []
    assert [name for name, o in told if len(o.get("tags", [])) != 1] == []
    assert [name for name, o in told if o.get("description") == o["summary"]] == []


def test_every_operation_declares_its_errors(document: dict[str, Any]) -> None:
    wrong = []
    for name, o in operations(document):
        method, path = name.split(" ", 1)
        operation = operation_of(method, path)
        assert operation is not None, name
        declared = {int(status) for status in o["responses"] if int(status) >= 400}
        expected = {int(status) for status in RESPONSES[operation.kind]}
        if declared != expected or not declared <= {kind.status for kind in TABLE.values()}:
            wrong.append(name)
        answers = [resolved(document, o["responses"][str(status)]) for status in declared]
        if any(list(answer["content"]) != ["application/problem+json"] for answer in answers):
            wrong.append(name)
    assert wrong == []


def test_every_operation_has_a_policy_and_says_when_it_needs_a_token(document: dict[str, Any]) -> None:
    assert [o.name for _, o in routes() if o.policy not in (*PERMISSIONS, "lifecycle", "public")] == []
    public = {o.name for _, o in routes() if o.policy == "public"}
    assert {o["operationId"] for _, o in operations(document) if "security" not in o} == public
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    lacking = [
        name
        for name, o in operations(document)
        for content in o.get("requestBody", {}).get("content", {}).values()
        if "example" not in content and not resolved(document, content["schema"]).get("examples")
    ]
    assert lacking == []


def _with_bodies() -> list[Operation]:
    return [o for _, o in routes() if o.body is not None]


def test_every_example_is_accepted_by_its_own_model() -> None:
    refused = []
    for operation in _with_bodies():
        body: type[BaseModel] = operation.body  # type: ignore[assignment]
        for example in body.model_json_schema()["examples"]:
            try:
                body.model_validate_json(to_json(example))
            except ValueError as error:
                refused.append(f"{operation.name}: {str(error).splitlines()[1:3]}")
    assert refused == []


def test_no_route_stands_before_another() -> None:
    """Each address is answered by its own operation, whatever order the routers are in."""
    taken = []
    for route, operation in routes():
        (method,) = route.methods or set()
        concrete = re.sub(r"\{[^}]+\}", ID, route.path)
        found = operation_of(method, concrete)
        if found is not operation:
            taken.append(f"{method} {route.path} is answered by {found and found.name}")
    assert taken == []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    lost: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                try:
                    resolved(document, part)
                except KeyError:
                    lost.append(part["$ref"])
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(document)
    assert lost == []


def test_every_operation_of_the_application_is_in_the_document(application: FastAPI, document: dict[str, Any]) -> None:
    declared = {f"{next(iter(r.methods or ()))} {r.path}" for r, _ in routes()}
    assert declared == {name for name, _ in operations(document)}
    undocumented = sorted(
        {path for r in application.routes if (path := getattr(r, "path", "")) and not isinstance(r, APIRoute)}
    )
    assert undocumented == ["/healthz", "/openapi.json", "/readyz"]
