"""Every place of the OpenAPI document where an id may stand, and how each operation is asked with one that is meant."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import httpx

from tests.conftest import Client

SAME_TIME = 8
JSON_BODY, FORM = "application/json", "multipart/form-data"
TABLES = {"classes": "training_classes", "sessions": "class_sessions", "keys": "credentials", "packs": "placements"}
"""Resources whose table is called otherwise."""
NAMED = {
    "action": "events", "agency": "organisations", "approver": "accounts", "candidacy": "candidacies",
    "case": "recognition_cases", "class": "training_classes", "coordinator": "accounts", "deputy": "accounts",
    "employer": "organisations", "enterprise": "organisations", "evidence": "documents", "item": "recognition_items",
    "owner": "organisations", "parent": "units", "part_of": "assessments", "person": "trainees", "receipt": "documents",
    "recipient": "organisations", "request": "placement_requests", "session": "class_sessions", "subject": "placements",
    "supersedes": "recognition_cases", "survivor": "trainees", "target_course": "courses", "taught_by": "accounts",
    "teacher": "accounts", "to_class": "training_classes", "transfer_of": "placements", "uploaded_by": "accounts",
}  # fmt: skip
"""Names of fields, without `_id`, whose table they do not name themselves."""
Ids: TypeAlias = Mapping[str, UUID]
Told: TypeAlias = tuple[int, str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation of the document."""

    method: str
    path: str
    name: str
    parameters: tuple[dict[str, Any], ...]
    media: str | None
    body: Any
    streams: bool

    @property
    def table(self) -> str:
        """The table of the resource that the address names."""
        name = self.path.split("/")[2].replace("-", "_")
        return TABLES.get(name, name)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an id may stand: in the path, in a parameter of the query, or in the body at a pointer."""

    asked: Asked
    where: str
    pointer: str
    table: str

    def __str__(self) -> str:
        return f"{self.asked.name} {self.where} {self.pointer}"


class Document:
    """The OpenAPI document, as a stranger reads it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._schemas: dict[str, Any] = document["components"]["schemas"]
        self.operations = [
            self._operation(method.upper(), path, told)
            for path, methods in document["paths"].items()
            for method, told in methods.items()
            if told.get("security")  # what is public is the same for everybody
        ]

    def _operation(self, method: str, path: str, told: dict[str, Any]) -> Asked:
        content = told.get("requestBody", {}).get("content", {})
        media = next(iter(content), None)
        answers = {m for a in told["responses"].values() for m in a.get("content", {})}
        schema = content[media]["schema"] if media else None
        parameters = tuple(p for p in told.get("parameters", ()) if p["in"] in ("path", "query"))
        streams = "text/event-stream" in answers
        return Asked(method, path, told["operationId"], parameters, media, schema, streams)

    def places(self) -> Iterator[Place]:
        """Every place of every operation."""
        for asked in self.operations:
            for p in asked.parameters:
                if any(True for _ in self._ids(p["schema"])):
                    table = asked.table if p["name"] == "id" else self._table(p["name"], asked)
                    yield Place(asked, p["in"], p["name"], table)
            for pointer in sorted(set(self._ids(asked.body or {}))):
                yield Place(asked, "body", pointer, self._table(pointer, asked))

    def _ids(self, schema: Mapping[str, Any], seen: tuple[str, ...] = ()) -> Iterator[str]:
        """The pointers of a schema's ids; of a list, to its first element."""
        if (name := schema.get("$ref")) is not None:
            if name not in seen:
                yield from self._ids(self._of(schema), (*seen, name))
            return
        if schema.get("format") == "uuid":
            yield ""
        for part in schema.get("anyOf", ()):
            yield from self._ids(part, seen)
        for name, part in schema.get("properties", {}).items():
            yield from (f"/{name}{below}" for below in self._ids(part, seen))
        if "items" in schema:
            yield from (f"/0{below}" for below in self._ids(schema["items"], seen))

    def _of(self, schema: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            return self._schemas[schema["$ref"].rsplit("/", 1)[1]]
        return schema

    @staticmethod
    def _table(pointer: str, asked: Asked) -> str:
        """The table that a place means, by its last name.

        Raises:
            KeyError: nobody said which.
        """
        from service.storage.schema import metadata

        name = next(part for part in reversed(pointer.split("/")) if part != "0")
        if name in ("id", "ids", "after"):
            return asked.table
        name = re.sub(r"_ids?$", "", name)
        table = NAMED.get(name) or next((t for t in (name, f"{name}s") if t in metadata.tables), None)
        if table is None:
            raise KeyError(f"{asked.name}: which table is meant by {pointer}?")
        return table

    # ---- what is sent
    def example(self, schema: Mapping[str, Any]) -> Any:
        """An example, as the document gives one."""
        schema = self._of(schema)
        if schema.get("examples"):
            return copy.deepcopy(schema["examples"][0])
        if "anyOf" in schema:
            return self.example(schema["anyOf"][0])
        if "items" in schema:
            return [self.example(schema["items"])]
        if "properties" in schema:
            needed = schema.get("required", ())
            return {name: self.example(part) for name, part in schema["properties"].items() if name in needed}
        return "x"

    def put(self, document: Any, schema: Mapping[str, Any], pointer: str, value: str) -> None:
        """The value into the document at a pointer; what it stands in is made where it is not there."""
        names = pointer.split("/")[1:]
        for n, name in enumerate(names):
            schema = self._of(schema)
            schema = next((s for s in map(self._of, schema.get("anyOf", ())) if s.get("type") != "null"), schema)
            schema = schema["items"] if name == "0" else schema["properties"][name]
            at: Any = 0 if name == "0" else name
            if n == len(names) - 1:
                if name == "0":
                    document[:] = [value]
                else:
                    document[at] = value
            else:
                lacks = not document if name == "0" else document.get(at) is None
                if lacks and name == "0":
                    document.append(self.example(schema))
                elif lacks:
                    document[at] = self.example(schema)
                document = document[at]

    def request(self, asked: Asked, own: Ids, place: Place | None = None, item: UUID | None = None) -> dict[str, Any]:
        """How an operation is asked: with the ids of an institution's own things, and at the place with another."""
        path, query = asked.path, {}
        for p in asked.parameters:
            name, schema = p["name"], self._of(p["schema"])
            here = place is not None and place.pointer == name and place.where == p["in"]
            if p["in"] == "path":
                value = item if here else own[asked.table] if schema.get("format") == "uuid" else "x"
                path = path.replace("{" + name + "}", str(value))
            elif here:
                query[name] = str(item)
            elif p.get("required"):
                query[name] = self._needed(name, schema, own, asked)
        sent: dict[str, Any] = {"method": asked.method, "url": path, "params": query}
        if asked.body is None:
            return sent
        body = self.example(asked.body)
        for pointer in self._ids(asked.body):
            if _stands(body, pointer):
                self.put(body, asked.body, pointer, str(own[self._table(pointer, asked)]))
        if place is not None and place.where == "body":
            self.put(body, asked.body, place.pointer, str(item))
        if asked.media == JSON_BODY:
            return sent | {"json": body}
        file = ("sheet.csv", b"date,start\n2026-11-02,09:00\n", "text/csv")
        fields = {n: v if isinstance(v, str) else json.dumps(v) for n, v in body.items() if n != "file"}
        return sent | {"data": fields, "files": {"file": file}}

    def _needed(self, name: str, schema: Mapping[str, Any], own: Ids, asked: Asked) -> str:
        found = list(self._ids(schema))
        return str(own[self._table(name, asked)]) if found else str(self.example(schema))


def _stands(document: Any, pointer: str) -> bool:
    for name in pointer.split("/")[1:]:
        if name == "0":
            if not isinstance(document, list) or not document:
                return False
            document = document[0]
        else:
            if not isinstance(document, dict) or document.get(name) is None:
                return False
            document = document[name]
    return True


async def send(c: Client, request: Mapping[str, Any]) -> httpx.Response:
    """The request as somebody sends it, at the version that the rows have."""
    headers = {"authorization": f"Bearer {c.token}", "if-match": '"1"', "idempotency-key": uuid4().hex}
    return await c.http.request(**request, headers=headers)


_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def told(response: httpx.Response, known: Collection[str] = (), item: UUID | None = None) -> Told:
    """All of an answer that may depend on what was asked for: ids that nobody knew before are those of new things."""
    headers = {k: v for k, v in response.headers.items() if k not in ("x-request-id", "date")}
    text = re.sub(r'"request_id":"[^"]*"', '"request_id":"NEW"', response.text)
    shown = text.replace(str(item), "ID")
    if known:
        shown = _ID.sub(lambda found: found[0] if found[0] in known else "NEW", shown)
    if shown != text:
        headers.pop("etag", None)  # a digest of the text
    return response.status_code, shown, headers


async def at_once(calls: Sequence[Callable[[], Awaitable[Any]]]) -> list[Any]:
    """Some at a time: as many as there are connections."""
    gate = asyncio.Semaphore(SAME_TIME)

    async def one(call: Callable[[], Awaitable[Any]]) -> Any:
        async with gate:
            return await call()

    return await asyncio.gather(*(one(call) for call in calls))
