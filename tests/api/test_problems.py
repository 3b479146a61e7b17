"""Problems: the table, what is said of them in the contract, and that nothing a client sent comes back."""

import json
import re
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
import pytest
import structlog
from fastapi import FastAPI, Header, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, EmailStr, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core._pydantic_core import list_all_errors
from starlette.exceptions import HTTPException

from service.api import problems
from service.api.problems import RESPONSES, TABLE, Problem, because, from_validation

SECRET = "E1234-5678"


class Mode(Enum):
    HOST = "host"


class DatesIn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    leaves_on: date = Field(strict=False)
    nights: int = Field(default=1, le=400)


class TraineeIn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str = Field(default="x", max_length=10)
    email: EmailStr = "a@example.org"
    kind: Literal["a", "b"] = "a"
    tag: Annotated[int, Field(strict=True)] | Annotated[bool, Field(strict=True)] = 1
    dates: list[DatesIn] = Field(default=[], max_length=500)
    notes: dict[str, int] = {}
    seen_at: AwareDatetime | None = Field(default=None, strict=False)
    owner: UUID | None = Field(default=None, strict=False)

    @field_validator("name")
    @classmethod
    def must_not_be_taken(cls, value: str) -> str:
        if value == "taken":
            code, words = "name_taken", "Somebody else has this name"
            raise PydanticCustomError(code, words)
        if value.startswith("E"):
            raise ValueError(value)
        return value


app = FastAPI(openapi_url="/openapi.json")
problems.install(app)


@app.post("/v1/trainees", responses=RESPONSES["create"])
async def create(body: TraineeIn) -> dict[str, str]:
    return {"name": body.name}


@app.get("/v1/trainees/{trainee_id}", responses=RESPONSES["read"])
async def read(
    trainee_id: int, limit: Annotated[int, Query(le=200)] = 50, if_none_match: Annotated[int, Header()] = 1
) -> dict[str, int]:
    return {"id": trainee_id, "limit": limit, "match": if_none_match}


@app.get("/v1/raise/{code}")
async def raise_problem(code: str) -> None:
    raise Problem(
        code,
        reasons=[
            because(
                "visa_covers_stay",
                "The visa must run to the last day.",
                required=date(2027, 9, 30),
                actual=Decimal("1.50"),
            )
        ],
    )


@app.get("/v1/status/{status}")
async def raise_status(status: int) -> None:
    raise HTTPException(status, detail=SECRET, headers={"retry-after": "7"})


@app.get("/v1/boom")
async def boom() -> None:
    try:
        int(SECRET)
    except ValueError as error:
        raise RuntimeError(SECRET) from error


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def body_of(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    problems.ProblemOut.model_validate(body)
    assert re.fullmatch(r"[0-9a-f]{32}", body.pop("request_id"))
    return body


@pytest.mark.parametrize("code", TABLE)
async def test_problem_of_every_code_is_answered_whole(client: httpx.AsyncClient, code: str) -> None:
    response = await client.get(f"/v1/raise/{code}?token={SECRET}")
    assert response.status_code == TABLE[code].status
    assert body_of(response) == {
        "type": f"/problems/{code}",
        "title": TABLE[code].en,
        "status": TABLE[code].status,
        "instance": f"/v1/raise/{code}",
        "reasons": [
            {
                "code": "visa_covers_stay",
                "text": "The visa must run to the last day.",
                "required": "2027-09-30",
                "actual": "1.50",
            }
        ],
    }
    assert response.headers["cache-control"] == "no-store"
    assert response.headers.get("retry-after") == ("2" if TABLE[code].status in (429, 503) else None)
    assert response.headers.get("www-authenticate") == ("Bearer" if code == "unauthenticated" else None)


def test_table_has_slugs_and_two_titles_each() -> None:
    for code, kind in TABLE.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert (400 <= kind.status <= 599, bool(kind.en), bool(kind.zh)) == (True, True, True)
    assert len({kind.en for kind in TABLE.values()}) == len({kind.zh for kind in TABLE.values()}) == len(TABLE)


def test_problem_of_an_unknown_code_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        Problem("no-such-code")


def test_answer_is_valid_json_whatever_the_facts_are() -> None:
    problem = Problem("refused", "In our own words", [because("a", "b", required=float("nan"), actual=[Mode.HOST])])
    answer = problems.respond(problem, request_id="r", instance="/x", language="zh")
    assert json.loads(bytes(answer.body), parse_constant=pytest.fail) == {
        "type": "/problems/refused",
        "title": "当前规则不允许此操作",
        "status": 409,
        "detail": "In our own words",
        "instance": "/x",
        "request_id": "r",
        "reasons": [{"code": "a", "text": "b", "required": None, "actual": ["host"]}],
    }


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-Hant-TW", "zh"),
        ("ZH;q=0.9, en;q=0.8", "zh"),
        ("zh;q=0.5,en", "en"),
        ("de, zh;q=0.3", "zh"),
        ("de", "en"),
        ("zh;q=0", "en"),
        ("zh;q=nan", "en"),
        ("*", "en"),
        (";;;,,,q=1", "en"),
        ("x" * 5000, "en"),
    ],
    ids=range(12),
)
async def test_title_is_in_the_language_that_the_client_reads(
    client: httpx.AsyncClient, header: str, language: str
) -> None:
    response = await client.get("/v1/raise/stale", headers={"Accept-Language": header})
    assert body_of(response)["title"] == getattr(TABLE["stale"], language)
    assert (response.headers["content-language"], response.headers["vary"]) == (language, "Accept-Language")


async def test_unknown_route_and_method_are_problems(client: httpx.AsyncClient) -> None:
    missing = await client.get("/nowhere/%E5%90%8D?x=1")
    assert (missing.status_code, body_of(missing)["instance"]) == (404, "/nowhere/%E5%90%8D")
    wrong = await client.delete("/v1/trainees")
    assert (wrong.status_code, wrong.headers["allow"], body_of(wrong)["type"]) == (
        405,
        "POST",
        "/problems/method-not-allowed",
    )


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (401, 401, "unauthenticated"),
        (404, 404, "not-found"),
        (409, 409, "conflict"),
        (418, 400, "malformed-body"),
        (422, 422, "invalid"),
        (500, 500, "internal"),
        (502, 500, "internal"),
        (503, 503, "unavailable"),
    ],
)
async def test_bare_status_becomes_a_problem_without_its_words(
    client: httpx.AsyncClient, raised: int, status: int, code: str
) -> None:
    response = await client.get(f"/v1/status/{raised}")
    assert (response.status_code, body_of(response)["type"]) == (status, f"/problems/{code}")
    assert response.headers.get_list("retry-after") == ["7"]
    assert SECRET not in response.text


def pointers(response: httpx.Response) -> list[tuple[str, str | None]]:
    return [(reason["code"], reason.get("pointer")) for reason in body_of(response)["reasons"]]


NIGHTS = "/dates/0/nights"
FIRST = "/dates/0/leaves_on"
LACKS_DATE = [("missing", FIRST)]

# fmt: off
INVALID = {
    "not an object":     ('"E1234-5678"',                            [("model_attributes_type", "")]),
    "unknown field":     ('{"passport_no": "E1234-5678"}',           [("extra_forbidden", "/passport_no")]),
    "value as a key":    ('{"E1234 5678": 1}',                       [("extra_forbidden", "")]),
    "surrogate as key":  ('{"\\ud800": 1}',                          [("string_unicode", "")]),
    "key in a map":      ('{"notes": {"E1234/5678": "x"}}',          [("int_type", "/notes")]),
    "surrogate":         ('{"kind": "\\ud800"}',                     [("string_unicode", "/kind")]),
    "not a number":      ('{"kind": NaN}',                           [("literal_error", "/kind")]),
    "infinity":          ('{"dates": [{"nights": -Infinity}]}',         [*LACKS_DATE, ("int_type", NIGHTS)]),
    "too many nights":   ('{"dates": [{"nights": 922337203685477580800}]}', [*LACKS_DATE, ("less_than_equal", NIGHTS)]),
    "missing":           ('{"dates": [{}]}',                         LACKS_DATE),
    "union":             ('{"tag": "E1234-5678"}',                   [("int_type", "/tag"), ("bool_type", "/tag")]),
    "own validator":     ('{"name": "E1234-5678"}',                  [("value_error", "/name")]),
    "own words":         ('{"name": "taken"}',                       [("name_taken", "/name")]),
    "email":             ('{"email": "E1234-5678"}',                 [("value_error", "/email")]),
    "date":              ('{"dates": [{"leaves_on": "E1234-5678"}]}', [("date_from_datetime_parsing", FIRST)]),
    "uuid":              ('{"owner": "E1234-5678"}',                 [("uuid_parsing", "/owner")]),
    "instant":           ('{"seen_at": "2027-01-01T00:00:00"}',      [("timezone_aware", "/seen_at")]),
    "a megabyte":        ('{"name": "' + "E" * 1_000_000 + '"}',     [("string_too_long", "/name")]),
}
# fmt: on


@pytest.mark.parametrize("case", INVALID)
async def test_invalid_body_is_pointed_at_and_never_repeated(client: httpx.AsyncClient, case: str) -> None:
    content, expected = INVALID[case]
    response = await client.post("/v1/trainees", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, pointers(response)) == (422, expected)
    for fragment in ("E1234", "5678", "EEEE", "\\ud800", "NaN", "9223"):
        assert fragment not in response.text


async def test_own_words_of_a_validator_reach_the_client(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/trainees", json={"name": "taken"})
    assert body_of(response)["reasons"] == [
        {"code": "name_taken", "text": "Somebody else has this name", "pointer": "/name"}
    ]


async def test_places_outside_the_body_have_no_leading_slash(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/trainees/x?limit=201", headers={"If-None-Match": SECRET})
    assert (response.status_code, pointers(response)) == (
        422,
        [
            ("int_parsing", "path/trainee_id"),
            ("less_than_equal", "query/limit"),
            ("int_parsing", "header/if-none-match"),
        ],
    )


@pytest.mark.parametrize(
    "content",
    [b"{", b"", b'{"a":}', b'{"name": "\xff"}', b'{"dates":' + b"[" * 100_000, b"\x00"],
    ids=["open", "empty", "value missing", "not utf-8", "deep", "nul"],
)
async def test_body_that_cannot_be_read_is_a_client_error(client: httpx.AsyncClient, content: bytes) -> None:
    response = await client.post("/v1/trainees", content=content, headers={"Content-Type": "application/json"})
    code = "invalid" if content == b"" else "malformed-body"
    assert (response.status_code, body_of(response)["type"]) == (TABLE[code].status, f"/problems/{code}")


async def test_reasons_are_counted(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/trainees", json={"dates": [{}] * 300})
    assert len(body_of(response)["reasons"]) == problems.REASONS_MAX


def test_from_validation_points_into_the_document() -> None:
    document = {"tag": SECRET, "dates": [{"leaves_on": None}]}
    with pytest.raises(ValidationError) as refused:
        TraineeIn.model_validate(document)
    problem = from_validation(refused.value, document)
    assert (problem.status, problem.code) == (422, "invalid")
    assert [(reason["code"], reason["pointer"]) for reason in problem.reasons] == [
        ("int_type", "/tag"),
        ("bool_type", "/tag"),
        ("date_type", "/dates/0/leaves_on"),
    ]


def test_from_validation_of_bytes_that_are_not_json_is_malformed() -> None:
    with pytest.raises(ValidationError) as refused:
        TraineeIn.model_validate_json(b'{"name": "E1234-5678')
    problem = from_validation(refused.value)
    assert (problem.code, problem.reasons) == ("malformed-body", [{"code": "json_invalid", "text": "Invalid JSON"}])


def test_every_message_of_pydantic_is_sent_without_input() -> None:
    """Whatever pydantic may say with a context is known to be free of input, or is cut, or is not said."""
    free = {
        *("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "expected", "expected_plural", "pattern"),
        *("max_digits", "decimal_places", "whole_digits", "expected_schemes", "expected_version", "discriminator"),
        *("field_type", "actual_length"),
    }
    for known in list_all_errors():
        error = {"type": known["type"], "msg": known["example_message_python"], "ctx": known["example_context"]}
        names = set(re.findall(r"{(\w+)}", known["message_template_python"]))
        text = problems._text(error)
        if names <= free:
            assert text in {error["msg"], *problems._CUT.values()}, known["type"]
        else:
            assert text in {*problems._CUT.values(), problems.NOT_ACCEPTED}, known["type"]


async def test_unexpected_error_is_answered_and_logged_without_values(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logs:
        response = await client.get("/v1/boom")
    assert (response.status_code, body_of(response)["type"]) == (500, "/problems/internal")
    [entry] = logs
    at = entry.pop("at")
    assert entry == {
        "event": "request_failed",
        "log_level": "error",
        "error": "builtins.RuntimeError",
        "causes": ["builtins.ValueError"],
    }
    assert re.fullmatch(r".*test_problems\.py:\d+ boom", at[-1])
    assert SECRET not in response.text + str(logs)


async def test_contract_declares_every_problem_of_an_operation(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    responses = document["paths"]["/v1/trainees"]["post"]["responses"]
    declared = {int(status) for status in responses if int(status) >= 400}
    assert declared == {400, 401, 403, 404, 406, 408, 409, 413, 415, 422, 429, 500, 503}
    kinds = {status: responses[str(status)]["$ref"].removeprefix("#/components/responses/") for status in declared}
    assert kinds[409] == "Problem_409_conflict_refused"
    answers = document["components"]["responses"]
    for kind in kinds.values():
        assert answers[kind]["content"] == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}
        }
    assert answers[kinds[409]]["description"] == (
        "This conflicts with what is recorded (`conflict`); The rules do not allow this now (`refused`)"
    )
    assert document["components"]["schemas"]["ProblemOut"]["additionalProperties"] is False


def test_responses_follow_the_table() -> None:
    kinds = {"public", "login", "read", "list", "weigh", "compute", "open", "create", "edit", "action", "bulk"}
    assert set(RESPONSES) == kinds
    assert set(RESPONSES["action"]) - set(RESPONSES["create"]) == {412, 428}
    assert {status for kind in RESPONSES.values() for status in kind} <= {kind.status for kind in TABLE.values()}
