"""Every error that a client can meet, in the form of RFC 9457, from one table.

Nothing here repeats what a client sent: reasons point at the place and say what is expected there.
"""

import functools
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import quote
from uuid import uuid4

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Scope

Language = Literal["en", "zh"]

MEDIA_TYPE = "application/problem+json"
REASONS_MAX = 100
RETRY_SECONDS = 2


class Kind(NamedTuple):
    """One kind of problem: its status, and its title in the two languages that are complete."""

    status: int
    en: str
    zh: str


# fmt: off
TABLE: dict[str, Kind] = {
    "malformed-body":          Kind(400, "The request cannot be read",                  "无法读取该请求"),
    "idempotency-key-missing": Kind(400, "An Idempotency-Key is required",              "缺少 Idempotency-Key"),
    "unauthenticated":         Kind(401, "You are not signed in",                       "您尚未登录"),
    "forbidden":               Kind(403, "You may not do this",                         "您无权执行此操作"),
    "not-found":               Kind(404, "There is nothing here",                       "未找到该内容"),
    "method-not-allowed":      Kind(405, "This address does not know that method",      "此地址不支持该方法"),
    "not-acceptable":          Kind(406, "The requested form of answer does not exist", "无法提供所要求的格式"),
    "request-timeout":         Kind(408, "The request took too long to arrive",         "请求传输超时"),
    "conflict":                Kind(409, "This conflicts with what is recorded",        "与已有记录冲突"),
    "refused":                 Kind(409, "The rules do not allow this now",             "当前规则不允许此操作"),
    "stale":                   Kind(412, "It has changed since you read it",            "数据在您读取后已被更改"),
    "too-large":               Kind(413, "The request is too large",                    "请求内容过大"),
    "unsupported-media-type":  Kind(415, "This kind of content is not accepted",        "不接受此类内容"),
    "invalid":                 Kind(422, "Some of the values are not accepted",         "部分内容无效"),
    "key-reused":              Kind(422, "The Idempotency-Key was used for another request", "该幂等键已用于其他请求"),
    "precondition-required":   Kind(428, "An If-Match header is required",              "缺少 If-Match 请求头"),
    "too-many-requests":       Kind(429, "Too many requests",                           "请求过于频繁"),
    "internal":                Kind(500, "Something went wrong on our side",            "服务器内部错误"),
    "unavailable":             Kind(503, "The service is not available at the moment",  "服务暂时不可用"),
}
# fmt: on

# The kind that a bare status stands for; where two share a status, the one that a framework can raise.
BY_STATUS = {kind.status: code for code, kind in reversed(TABLE.items())}


@dataclass(eq=False)
class Problem(Exception):
    """What went wrong, for the client: a code of the table and every reason.

    `detail` must be our own words, never a value that was sent. Make reasons with `because`.

    Raises: KeyError for a code that the table does not know.
    """

    code: str
    detail: str | None = None
    reasons: Sequence[Mapping[str, object]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.code)
        self.kind = TABLE[self.code]
        usual = {}
        if self.status in (429, 503):
            usual = {"retry-after": str(RETRY_SECONDS)}
        elif self.status == 401:  # noqa: PLR2004
            usual = {"www-authenticate": "Bearer"}
        self.headers = usual | {name.lower(): value for name, value in self.headers.items()}

    @property
    def status(self) -> int:
        """The status that the table gives this kind."""
        return self.kind.status


def because(
    code: str, text: str, *, pointer: str | None = None, required: object = None, actual: object = None
) -> dict[str, object]:
    """One reason, as it is sent: what is not known is left out."""
    given = {"code": code, "text": text, "pointer": pointer, "required": required, "actual": actual}
    return {name: value for name, value in given.items() if value is not None}


# What the OpenAPI document says of a problem --------------------------------------------------------------------


class ReasonOut(BaseModel):
    """One reason why a request was not carried out."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(description="Stable, for programs.", examples=["visa_covers_stay"])
    text: str = Field(description="For people.", examples=["The visa must run to the last day of the stay."])
    pointer: str | None = Field(
        default=None,
        description="A JSON Pointer into the body that was sent (`/stay/leaves_on`; empty for the whole body), "
        "or a place outside it without the leading slash (`query/limit`, `path/id`, `header/if-match`).",
        examples=["/stay/leaves_on"],
    )
    required: JsonValue = Field(default=None, description="What would be accepted.", examples=["2027-09-30"])
    actual: JsonValue = Field(default=None, description="What is on record.", examples=["2027-08-31"])


class ProblemOut(BaseModel):
    """Why a request was not carried out (RFC 9457)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "type": "/problems/refused",
                "title": TABLE["refused"].en,
                "status": 409,
                "instance": "/v1/placements/0192f0c1-7c52-7d7e-9f0e-5f3f6f2f9f10/depart",
                "request_id": "b1f0c6f2e6f94f6ea1f9f0f3b6d1a001",
                "reasons": [
                    {
                        "code": "visa_covers_stay",
                        "text": "The visa must run to the last day of the stay.",
                        "required": "2027-09-30",
                        "actual": "2027-08-31",
                    }
                ],
            }
        },
    )

    type: str = Field(description="A page of the documentation; its last part is a stable code.")
    title: str
    status: int
    detail: str | None = None
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Name it when you ask for help.")
    reasons: list[ReasonOut]


# By reference: as a model, FastAPI would build it anew for each of several thousand answers at every start.
_BODY_OF_A_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}


def _declared(*codes: str) -> dict[int | str, dict[str, Any]]:
    by_status: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        status, title, _ = TABLE[code]
        entry = by_status.setdefault(status, {"content": _BODY_OF_A_PROBLEM, "description": ""})
        entry["description"] = "; ".join(filter(None, [entry["description"], f"{title} (`{code}`)"]))
    return dict(sorted(by_status.items(), key=lambda item: int(item[0])))


# fmt: off
_ANY     = ("not-acceptable", "invalid", "too-many-requests", "internal", "unavailable")
_OWN     = (*_ANY, "unauthenticated", "forbidden", "not-found")
_BODY    = ("malformed-body", "request-timeout", "too-large", "unsupported-media-type")
_KEYED   = ("idempotency-key-missing", "key-reused", "conflict")
_MATCHED = ("stale", "precondition-required", "refused")

# The errors of each kind of operation, for the `responses=` of its route.
RESPONSES: Mapping[str, dict[int | str, dict[str, Any]]] = {
    "public": _declared(*_ANY),
    "login":  _declared(*_ANY, *_BODY, "unauthenticated", "not-found", "refused"),
    "read":   _declared(*_OWN),
    "list":   _declared(*_OWN),
    "weigh":  _declared(*_OWN, "refused"),
    "open":   _declared(*_OWN, *_BODY),
    "compute": _declared(*_OWN, *_BODY, "refused"),
    "create": _declared(*_OWN, *_BODY, *_KEYED, "refused"),
    "edit":   _declared(*_OWN, *_BODY, *_MATCHED, "conflict"),
    "action": _declared(*_OWN, *_BODY, *_KEYED, *_MATCHED),
    "bulk":   _declared(*_OWN, *_BODY, *_KEYED, *_MATCHED),
}
# fmt: on


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the schema that every declared problem refers to, and each kind of answer written once."""
    schema = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(schema.pop("$defs", {}) | {"ProblemOut": schema})
    answers = components.setdefault("responses", {})
    for path in document.get("paths", {}).values():
        for operation in path.values():
            responses = operation.get("responses", {})
            for status, response in responses.items():
                if response.get("content") == _BODY_OF_A_PROBLEM:
                    name = "_".join(["Problem", status, *re.findall("`([a-z-]+)`", response["description"])])
                    answers[name] = response
                    responses[status] = {"$ref": f"#/components/responses/{name}"}
    return document


# From a problem to an answer --------------------------------------------------------------------------------------


def respond(problem: Problem, *, request_id: str, instance: str, language: Language) -> Response:
    """The answer that tells the client of the problem, its title in the language that it reads."""
    content: dict[str, object] = {
        "type": f"/problems/{problem.code}",
        "title": problem.kind.zh if language == "zh" else problem.kind.en,
        "status": problem.status,
    }
    if problem.detail is not None:
        content["detail"] = problem.detail
    content |= {"instance": instance, "request_id": request_id, "reasons": problem.reasons}
    headers = {**problem.headers, "content-language": language, "cache-control": "no-store"}
    response = Response(to_json(content, inf_nan_mode="null"), problem.status, headers, MEDIA_TYPE)
    response.headers.add_vary_header("Accept-Language")
    return response


def answer(scope: Scope, problem: Problem) -> Response:
    """The problem as the answer to the request of this ASGI scope."""
    return respond(problem, request_id=request_id_of(scope), instance=_instance(scope), language=language_of(scope))


def request_id_of(scope: Scope) -> str:
    """The id of the request: the one that the edge gave it, or a new one that it keeps."""
    request_id: str = scope.setdefault("request_id", uuid4().hex)
    return request_id


def _instance(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or quote(scope["path"], errors="replace").encode()
    return raw.split(b"?", 1)[0].decode("ascii", errors="replace")


_RANGE = re.compile(rb"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]{0,60})?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?)\s*)?")
_LANGUAGES: Mapping[bytes, Language] = {b"en": "en", b"zh": "zh", b"*": "en"}


def language_of(scope: Scope) -> Language:
    """The language that the client likes best of those we have; English where it does not say."""
    header = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
    best: Language = "en"
    liked = 0.0
    for part in header.split(b",")[:20]:
        match = _RANGE.fullmatch(part)
        known = _LANGUAGES.get(match[1].lower()) if match else None
        if match and known and (weight := float(match[2] or 1)) > liked:
            best, liked = known, weight
    return best


# From what was raised to a problem --------------------------------------------------------------------------------

NOT_ACCEPTED = "This value is not accepted"

# Messages that name nothing but the bounds of the schema, so that they can be sent as they are.
_SAFE = frozenset(
    "greater_than greater_than_equal less_than less_than_equal multiple_of too_short too_long string_too_short "  # noqa: SIM905 - a list of words
    "string_too_long string_pattern_mismatch enum literal_error bytes_too_short bytes_too_long "
    "union_tag_not_found url_too_long url_scheme uuid_version decimal_max_digits decimal_max_places "
    "decimal_whole_digits".split()
)

# Messages that would repeat part of the input, or name our own classes, cut before that part.
_CUT = {
    "json_invalid": "Invalid JSON",
    "model_type": "Input should be an object",
    "model_attributes_type": "Input should be an object",
    "dataclass_type": "Input should be an object",
    "mapping_type": "Input should be an object",
    "date_parsing": "Input should be a valid date in the format YYYY-MM-DD",
    "date_from_datetime_parsing": "Input should be a valid date in the format YYYY-MM-DD",
    "time_parsing": "Input should be in a valid time format",
    "datetime_parsing": "Input should be a valid datetime",
    "datetime_from_date_parsing": "Input should be a valid datetime",
    "time_delta_parsing": "Input should be a valid duration",
    "url_parsing": "Input should be a valid URL",
    "url_syntax_violation": "Input should be a valid URL",
    "uuid_parsing": "Input should be a valid UUID",
    "bytes_invalid_encoding": "Data is not validly encoded",
    "union_tag_invalid": "The tag is not one of those expected",
}


def _text(error: Mapping[str, Any]) -> str:
    code: str = error["type"]
    if code in _CUT:
        return _CUT[code]
    # A message without a context was written down as it is; one with a context was filled from it, perhaps by the input
    constant = code in _SAFE or not error.get("ctx")
    return str(error["msg"]) if constant else NOT_ACCEPTED


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
_UNKNOWN = object()


def _pointer(location: Sequence[str | int], document: object, *, leaf_may_lack: bool) -> str:
    """The JSON Pointer of an error, as far as it consists of plain names and numbers.

    Pydantic puts the members of a union into its locations; where the document is known they are left out.
    """
    pointer = ""
    for position, step in enumerate(location):
        if isinstance(step, str) and not _PLAIN.fullmatch(step):
            break  # a key that the client made up: it may be a value
        if document is not _UNKNOWN:
            inside = (isinstance(document, dict) and step in document) or (
                isinstance(document, list) and isinstance(step, int) and step < len(document)
            )
            if inside:
                document = document[step]  # type: ignore[index]
            elif not (leaf_may_lack and position == len(location) - 1):
                continue
        pointer += f"/{step}"
    return pointer


def _from_errors(errors: Sequence[Mapping[str, Any]], document: object, *, placed: bool) -> Problem:
    """Pydantic's errors as one problem; `placed` when locations begin with body, query, path, header or cookie."""
    reasons: dict[tuple[str, str], dict[str, object]] = {}
    for error in errors:
        code, location = error["type"], tuple(error["loc"])
        if code == "json_invalid":
            return Problem("malformed-body", reasons=[because(code, _text(error))])
        place = str(location[0]) if placed and location else "body"
        inner = location[1:] if placed else location
        lacking = code in ("missing", "missing_argument")
        if place == "body":
            pointer = _pointer(inner, document, leaf_may_lack=lacking)
        else:
            pointer = place + _pointer(inner, _UNKNOWN, leaf_may_lack=True)
        reasons.setdefault((code, pointer), because(code, _text(error), pointer=pointer))
        if len(reasons) == REASONS_MAX:
            break
    return Problem("invalid", reasons=tuple(reasons.values()))


def from_validation(error: ValidationError, document: object = _UNKNOWN) -> Problem:
    """What pydantic refused in a body, as a problem without any of the values.

    With the parsed `document`, pointers leave out the members of unions. A validator of ours that wants its words to
    reach the client raises `PydanticCustomError(code, words)` without a context; any other ValueError stays mute.
    """
    return _from_errors(error.errors(include_url=False, include_input=False), document, placed=False)


def _from_request(error: RequestValidationError) -> Problem:
    known = isinstance(error.body, dict | list)
    return _from_errors(error.errors(), error.body if known else _UNKNOWN, placed=True)


def _from_http(error: HTTPException) -> Problem:
    # RFC 9110, 15: a status that is not known is to be read as the x00 of its class
    code = BY_STATUS.get(error.status_code) or ("internal" if error.status_code >= 500 else "malformed-body")  # noqa: PLR2004
    return Problem(code, headers=error.headers or {})


def from_status(status: int) -> Problem:
    """The problem that a bare status of a framework stands for."""
    return _from_http(HTTPException(status))


def log_failure(error: BaseException) -> None:
    """Write down what broke and where, by types and lines alone: messages may carry what people entered."""
    structlog.get_logger("service.failures").error(
        "request_failed", error=_type_name(error), at=_frames(error), causes=[_type_name(e) for e in _causes(error)]
    )


def _type_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _frames(error: BaseException) -> list[str]:
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return [f"{code.co_filename}:{line} {code.co_name}" for code, line in frames[-12:]]


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = list(error.exceptions[:5]) if isinstance(error, BaseExceptionGroup) else []
    cause = error.__cause__ or error.__context__
    while cause and len(causes) < 10:  # noqa: PLR2004 - enough to see, and a circle ends
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    return causes


def install(app: FastAPI) -> None:
    """Let every error of the application leave as a problem, and let its OpenAPI document say so."""

    def handle(kind: type[Exception], convert: Callable[[Any], Problem]) -> None:
        async def handler(request: Request, error: Exception) -> Response:
            return answer(request.scope, convert(error))

        app.add_exception_handler(kind, handler)

    def unexpected(error: Exception) -> Problem:
        log_failure(error)
        return Problem("internal")

    handle(Problem, lambda problem: problem)
    handle(HTTPException, _from_http)
    handle(RequestValidationError, _from_request)
    handle(ClientDisconnect, lambda _: Problem("malformed-body"))  # the client left in mid-body: nobody will read it
    handle(Exception, unexpected)

    openapi = app.openapi
    app.openapi = functools.wraps(openapi)(lambda: _with_problems(openapi()))  # type: ignore[method-assign]
