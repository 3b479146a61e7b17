"""How every operation meets HTTP: what is documented is declared once, and every request takes the same path.

FastAPI writes the OpenAPI document from the declared signature of an operation; the request itself is answered by the
operation's own handler, which checks in the order that clients are promised: syntax, who asks, what was said, what it
is about, the key, the role, the version, the rules.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json
from starlette.requests import Request
from starlette.responses import Response

from service.actions import reading
from service.actions.work import Call, Services, Unauthenticated
from service.api.pace import PROVEN
from service.api.problems import RESPONSES, Language, Problem, from_validation, language_of
from service.api.tokens import read_token
from service.domain.permissions import PERMISSIONS

TOKEN = HTTPBearer(
    scheme_name="token", description="The `access_token` of a login, or a key; each is of one institution."
)
"""How the document says that an operation needs a token; `reading` asks whether it is a live one."""
Handler: TypeAlias = Callable[["Asked"], Awaitable[Response]]
MEDIA = "application/json"
CODE_MOST = 100
DEPTH_MAX = 20_000
"""Brackets of a document; more is no honest request."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as an operation sees it: who calls, what they said, in which language they read."""

    request: Request
    services: Services
    call: Call
    language: Language
    path: Mapping[str, Any]
    body: Any = None
    query: Any = None
    if_match: int | None = None

    @property
    def id(self) -> UUID:
        """The id in the path."""
        found: UUID = self.path["id"]
        return found


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its place, its name, what may be said to it, and who may ask."""

    method: str
    path: str
    name: str
    summary: str
    handle: Handler
    kind: str
    policy: str
    out: Any = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200
    versioned: bool = False
    keyed: bool = False
    ticketed: bool = False
    """Whether a ticket in the query does for a token, where no token comes with the request."""
    codes: tuple[str, ...] = ()
    """Names in the path that are codes, where the others are ids."""
    extra: Mapping[str, Any] = field(default_factory=dict)


class OperationRoute(APIRoute):
    """A route whose declared signature documents it and whose operation answers it."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The operation's own handler.

        Raises:
            RuntimeError: the operation names no policy; such a service does not start.
        """
        operation: Operation = self.endpoint.operation  # type: ignore[attr-defined]
        if operation.policy not in PERMISSIONS and operation.policy not in ("lifecycle", "public"):
            raise RuntimeError(f"{operation.name} has no policy")

        async def handle(request: Request) -> Response:
            return await answer(operation, request)

        return handle


class Operations(APIRouter):
    """A router of operations under one tag."""

    def __init__(self, tag: str) -> None:
        super().__init__(prefix="/v1", tags=[tag], route_class=OperationRoute)
        self.declared: list[Operation] = []

    def add(self, operation: Operation) -> None:
        """Document the operation and answer it."""
        self.declared.append(operation)

        async def declared() -> None:
            """Only its signature is used."""

        declared.operation = operation  # type: ignore[attr-defined]
        declared.__signature__ = inspect.Signature(_parameters(operation))  # type: ignore[attr-defined]
        declared.__doc__ = None
        self.add_api_route(
            operation.path,
            declared,
            methods=[operation.method],
            operation_id=operation.name,
            name=operation.name,
            summary=operation.summary,
            response_model=operation.out,
            status_code=operation.status,
            responses=dict(RESPONSES[operation.kind]),
            **operation.extra,
        )


def _parameters(operation: Operation) -> list[inspect.Parameter]:
    def parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)

    found = [
        parameter(p, Annotated[str, Path(max_length=CODE_MOST)] if p in operation.codes else Annotated[UUID, Path()])
        for p in _names(operation.path)
    ]
    if operation.policy != "public":
        found.append(parameter("token", Annotated[Any, Security(TOKEN)]))
    if operation.body is not None:
        found.append(parameter("body", operation.body))
    if operation.query is not None:
        found.append(parameter("query", Annotated[operation.query, Query()]))
    if operation.keyed:
        found.append(
            parameter(
                "idempotency_key",
                Annotated[str, Header(max_length=200, description="Makes the call safe to repeat for seven days.")],
            )
        )
    if operation.versioned:
        found.append(
            parameter("if_match", Annotated[str, Header(description='The ETag that was read: "<version>.<digest>".')])
        )
    return found


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


async def answer(operation: Operation, request: Request) -> Response:
    """The one path of every request."""
    document: Any = None
    raw = b""
    if operation.body is not None:
        raw = await request.body()
        media = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if media != MEDIA and not media.endswith("+json"):
            raise Problem("unsupported-media-type")
        document = _parse(raw)
    if operation.policy == "public":
        asked = _asked(operation, request, Call(UUID(int=0), operation.name))
    else:
        call = _call(operation, request, raw)
        asked = _asked(operation, request, call)
    try:
        named = {name: request.path_params[name] for name in _names(operation.path)}
        ids = {name: said if name in operation.codes else UUID(said) for name, said in named.items()}
    except ValueError:
        await _known(asked, operation)
        raise Problem("not-found") from None
    try:
        body = operation.body.model_validate_json(raw) if operation.body is not None else None
    except ValidationError as error:
        await _known(asked, operation)
        raise from_validation(error, document) from None
    query = await _query(operation, request, asked)
    answered = await operation.handle(replace(asked, path=ids, body=body, query=query))
    if operation.policy != "public":
        request.scope[PROVEN] = True  # nobody but the holder of a live token comes as far as this
    return answered


async def _known(asked: Asked, operation: Operation) -> None:
    """Whoever is not signed in learns that before anything about what they sent."""
    if operation.policy != "public":
        await reading.who_asks(asked.services, asked.call)


async def _query(operation: Operation, request: Request, asked: Asked) -> BaseModel | None:
    given: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        given[name] = value if name not in given else [given[name], value]
    if operation.query is None:
        if given:
            await _known(asked, operation)
            raise Problem(
                "invalid",
                reasons=[{"code": "extra_forbidden", "text": "This operation takes no parameters", "pointer": "query"}],
            )
        return None
    try:
        return operation.query.model_validate_strings(given)
    except ValidationError as error:
        await _known(asked, operation)
        problem = from_validation(error)
        reasons = [dict(r) | {"pointer": "query" + str(r.get("pointer") or "")} for r in problem.reasons]
        raise Problem("invalid", reasons=reasons) from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _parse(raw: bytes) -> Any:
    """The JSON document; duplicate names, other encodings than UTF-8 and great depth are refused."""
    import json  # noqa: PLC0415 - pydantic's parser says nothing of duplicate names

    try:
        if raw.count(b"[") + raw.count(b"{") > DEPTH_MAX:
            raise Problem("too-large")
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        raise Problem("malformed-body") from None


def _call(operation: Operation, request: Request, raw: bytes) -> Call:
    written = request.headers.get("authorization", "")
    if operation.ticketed and not written:
        written = "Bearer " + request.query_params.get("ticket", "")
    token = read_token(written)
    key = request.headers.get("idempotency-key", "") if operation.keyed else ""
    if len(key) > 200 or not key.isascii() or not key.isprintable():  # noqa: PLR2004
        raise Problem(
            "idempotency-key-missing", detail="An Idempotency-Key is printable ASCII of at most 200 characters."
        )
    told = sha256(request.url.path.encode() + b"\0" + raw).digest()
    return Call(token.institution, operation.name, token.sight, token.digest, key, told)


def _asked(operation: Operation, request: Request, call: Call) -> Asked:
    services: Services = request.app.state.services
    match = request.headers.get("if-match") if operation.versioned else None
    return Asked(request, services, call, language_of(request.scope), {}, None, None, version_of(match))


def version_of(tag: str | None) -> int | None:
    """The version in an ETag; one that is none of ours matches nothing."""
    if tag is None:
        return None
    number = tag.strip().removeprefix("W/").strip('"').split(".")[0]
    return int(number) if number.isdecimal() and len(number) < 19 else -1  # noqa: PLR2004


def etag(version: int, body: bytes) -> str:
    """The entity tag: the version for If-Match, the whole for If-None-Match."""
    return f'"{version}.{sha256(body).hexdigest()[:12]}"'


def respond(
    body: Any, *, status: int = 200, version: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Bytes as JSON, with an ETag where it is one item."""
    content = body if isinstance(body, bytes) else to_json(body)
    out = {"vary": "Authorization, Accept-Language", **(headers or {})}
    if version is not None:
        out["etag"] = etag(version, content)
    return Response(content, status, out, MEDIA)


def as_json(content: bytes) -> Any:
    """The document again."""
    return from_json(content)


__all__ = ["Asked", "Operation", "Operations", "Sequence", "Unauthenticated", "etag", "respond", "version_of"]
