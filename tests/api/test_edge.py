"""The edge: what every request gets and what none gets past, in the process and through a real server."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api import edge as edges
from service.api import problems
from service.api.edge import Allowance, AnswerCut, Metrics, edge

SECRET = "E1234-5678"
REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT = 1000


def application() -> FastAPI:  # noqa: C901 - one small handler for each thing that can happen
    app = FastAPI()
    problems.install(app)
    router = APIRouter()

    @router.post("/placements/{placement_id}/depart")
    async def depart(placement_id: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"id": placement_id, "bytes": len(json.dumps(body))}

    @router.post("/documents/{document_id}/content")
    async def upload(document_id: str, request: Request) -> dict[str, Any]:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
        return {"id": document_id, "size": size}

    @router.get("/cached")
    async def cached() -> Response:
        return Response(b"{}", headers={"Cache-Control": "private, no-cache"})

    @router.get("/slow")
    async def slow(request: Request) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            request.app.state.left_by = type(sys.exc_info()[1]).__name__

    @router.get("/own-timeout")
    async def own_timeout() -> None:
        raise TimeoutError(SECRET)

    @router.get("/stream")
    async def stream(seconds: float, count: int) -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(count):
                yield b"x"
                await asyncio.sleep(seconds)

        return StreamingResponse(chunks())

    @router.get("/torn")
    async def torn() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"x" * 1000
            raise ValueError(SECRET)

        return StreamingResponse(chunks())

    @router.get("/boom")
    async def boom() -> None:
        raise ValueError(SECRET)

    @router.get("/plain/{status}")
    async def plain(status: int) -> Response:
        return PlainTextResponse(SECRET, status, headers={"Retry-After": "9", "X-Note": "kept"})

    @router.get("/request-id")
    async def request_id(request: Request) -> dict[str, Any]:
        return {"scope": problems.request_id_of(request.scope), "log": structlog.contextvars.get_contextvars()}

    app.include_router(router, prefix="/v1")
    return app


def served() -> ASGIApp:
    """The application behind the edge, with limits short enough to be met in a test."""
    return edge(
        application(),
        default=Allowance(max_bytes=LIMIT, body_seconds=0.5, answer_seconds=0.5),
        allowances={"/v1/documents/{id}/content": Allowance(20 * LIMIT, 1.5, 0.5)},
        origins=["https://front.example"],
    )


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with connected(served()) as client:
        yield client


def connected(app: ASGIApp, address: str = "127.0.0.1") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 5000)), base_url="http://test")


def told(response: httpx.Response) -> tuple[int, str]:
    """Status and kind of a problem, after a look at its form."""
    body = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (body["status"], body["request_id"]) == (response.status_code, response.headers["x-request-id"])
    return response.status_code, body["type"].removeprefix("/problems/")


# Ids and headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 64])
async def test_request_id_is_taken_over(client: httpx.AsyncClient, given: str) -> None:
    response = await client.get("/v1/request-id", headers={"X-Request-Id": given})
    assert (response.headers["x-request-id"], response.json()) == (
        given,
        {"scope": given, "log": {"request_id": given}},
    )


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "{}", "ü", "a,b"], ids=range(7))
async def test_request_id_that_is_not_valid_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    response = await client.get("/v1/request-id", headers=[(b"X-Request-Id", given.encode())])
    made = response.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert response.json() == {"scope": made, "log": {"request_id": made}}
    assert structlog.contextvars.get_contextvars() == {}


async def test_two_request_ids_are_none(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/request-id", headers=[("X-Request-Id", "a"), ("X-Request-Id", "b")])
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("/v1/request-id", "no-store"),
        ("/v1/cached", "private, no-cache"),
        ("/openapi.json", None),
        ("/v1x", "no-store"),
    ],
)
async def test_answers_carry_the_headers_of_the_house(client: httpx.AsyncClient, path: str, cache: str | None) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers.get("cache-control") == cache


# Limits ---------------------------------------------------------------------------------------------------------------


async def in_parts(*parts: bytes, pause: float = 0) -> AsyncIterator[bytes]:
    for part in parts:
        await asyncio.sleep(pause)
        yield part


def padded(size: int) -> bytes:
    return b'{"a": "' + b"x" * (size - 9) + b'"}'


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("whole", [True, False], ids=["declared", "in chunks"])
async def test_body_of_the_limit_passes_and_one_byte_more_does_not(client: httpx.AsyncClient, *, whole: bool) -> None:
    async def send(size: int) -> httpx.Response:
        body = padded(size)
        content = body if whole else in_parts(body[:500], body[500:])
        return await client.post("/v1/placements/1/depart", content=content, headers=JSON)

    assert (await send(LIMIT)).json() == {"id": "1", "bytes": LIMIT}
    assert told(await send(LIMIT + 1)) == (413, "too-large")


async def test_upload_has_a_limit_of_its_own(client: httpx.AsyncClient) -> None:
    async def send(*parts: bytes) -> httpx.Response:
        return await client.post("/v1/documents/7/content", content=in_parts(*parts))

    assert (await send(bytes(LIMIT), bytes(19 * LIMIT))).json() == {"id": "7", "size": 20 * LIMIT}
    assert told(await send(bytes(LIMIT), bytes(19 * LIMIT), b"x")) == (413, "too-large")


@pytest.mark.parametrize("length", ["1001", "99999999999999999999", "9" * 5000], ids=["one more", "2^66", "endless"])
async def test_declared_length_is_enough_to_refuse(client: httpx.AsyncClient, length: str) -> None:
    response = await client.post("/v1/placements/1/depart", content=b"{}", headers={**JSON, "Content-Length": length})
    assert told(response) == (413, "too-large")


async def test_too_large_body_is_drained_a_little_before_the_answer() -> None:
    read = 0
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal read
        read += 65536
        return {"type": "http.request", "body": bytes(65536), "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", b"1073741824")]
    scope = {"type": "http", "method": "POST", "path": "/v1/x", "raw_path": b"/v1/x", "headers": headers}
    await edge(application())(scope, receive, send)
    assert (read, [message["type"] for message in sent]) == (
        edges.DRAIN_BYTES,
        ["http.response.start", "http.response.body"],
    )
    read = 0
    await edge(application())({**scope, "headers": [*headers, (b"expect", b"100-continue")]}, receive, send)
    assert (read, len(sent)) == (0, 4)


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "x"])
async def test_packed_body_is_refused(client: httpx.AsyncClient, encoding: str) -> None:
    response = await client.post(
        "/v1/placements/1/depart", content=b"{}", headers={**JSON, "Content-Encoding": encoding}
    )
    assert (told(response), response.headers["accept-encoding"]) == ((415, "unsupported-media-type"), "identity")


async def test_identity_is_no_packing(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/placements/1/depart", content=b"{}", headers={**JSON, "Content-Encoding": "Identity"}
    )
    assert response.status_code == 200


async def test_slow_sender_is_cut_off_by_the_sum_of_its_pauses(client: httpx.AsyncClient) -> None:
    began = time.monotonic()
    parts = in_parts(*[b" "] * 50, b"{}", pause=0.1)
    response = await client.post("/v1/placements/1/depart", content=parts, headers=JSON)
    assert told(response) == (408, "request-timeout")
    assert 0.4 < time.monotonic() - began < 1.5


async def test_time_to_send_does_not_count_as_time_to_answer(client: httpx.AsyncClient) -> None:
    # 1.2 s of sending, of 1.5 allowed, then an answer at once, of 0.5 s allowed: neither clock runs out
    parts = in_parts(*[b"x"] * 8, pause=0.15)
    response = await client.post("/v1/documents/7/content", content=parts)
    assert (response.status_code, response.json()) == (200, {"id": "7", "size": 8})


async def test_slow_answer_is_given_up_and_the_handler_is_cancelled() -> None:
    app = application()
    async with connected(edge(app, default=Allowance(answer_seconds=0.2))) as client:
        began = time.monotonic()
        response = await client.get("/v1/slow")
    assert (told(response), response.headers["retry-after"]) == ((503, "unavailable"), "2")
    assert (time.monotonic() - began < 1, app.state.left_by) == (True, "CancelledError")


async def test_timeout_of_the_application_itself_is_not_ours(client: httpx.AsyncClient) -> None:
    assert told(await client.get("/v1/own-timeout")) == (500, "internal")


async def test_stream_outlives_the_time_to_begin_an_answer(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/stream?seconds=0.2&count=5")).text == "xxxxx"


# Whatever breaks ------------------------------------------------------------------------------------------------------


async def test_unexpected_error_is_a_problem_and_does_not_reach_the_server(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/boom")
    assert (told(response), SECRET in response.text) == ((500, "internal"), False)


async def test_error_outside_the_application_is_a_problem_too() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError(SECRET)

    with structlog.testing.capture_logs() as logs:
        async with connected(edge(broken)) as client:
            response = await client.get("/v1/boom")
    assert told(response) == (500, "internal")
    assert ([entry["event"] for entry in logs], SECRET in str(logs)) == (["request_failed", "request"], False)


async def test_answer_that_breaks_off_is_cut(client: httpx.AsyncClient) -> None:
    with pytest.raises(AnswerCut) as cut:
        await client.get("/v1/torn")
    assert (str(cut.value), cut.value.__cause__, cut.value.__suppress_context__) == ("", None, True)


@pytest.mark.parametrize(
    ("status", "expected"), [(404, (404, "not-found")), (418, (400, "malformed-body")), (503, (503, "unavailable"))]
)
async def test_bare_error_becomes_a_problem_and_keeps_its_headers(
    client: httpx.AsyncClient, status: int, expected: tuple[int, str]
) -> None:
    response = await client.get(f"/v1/plain/{status}")
    assert (told(response), SECRET in response.text) == (expected, False)
    assert (response.headers.get_list("retry-after"), response.headers["x-note"]) == (["9"], "kept")


# Browsers -------------------------------------------------------------------------------------------------------------


def preflight(origin: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, idempotency-key, if-match, content-type",
    }


async def test_known_origin_may_call(client: httpx.AsyncClient) -> None:
    asked = await client.options("/v1/placements/1/depart", headers=preflight("https://front.example"))
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, "https://front.example")
    refused = await client.get("/v1/nothing", headers={"Origin": "https://front.example"})
    assert (told(refused), refused.headers["access-control-allow-origin"]) == (
        (404, "not-found"),
        "https://front.example",
    )
    large = await client.post("/v1/x", content=bytes(LIMIT + 1), headers={"Origin": "https://front.example"})
    assert (told(large), large.headers["access-control-allow-origin"]) == ((413, "too-large"), "https://front.example")


async def test_unknown_origin_is_told_so_in_a_problem(client: httpx.AsyncClient) -> None:
    asked = await client.options("/v1/placements/1/depart", headers=preflight("https://evil.example"))
    assert (told(asked), "access-control-allow-origin" in asked.headers) == ((400, "malformed-body"), False)


async def test_without_origins_there_is_no_sharing() -> None:
    async with connected(edge(application())) as client:
        asked = await client.options("/v1/placements/1/depart", headers=preflight("https://front.example"))
    assert (told(asked), "access-control-allow-origin" in asked.headers) == ((405, "method-not-allowed"), False)


# Log and numbers ------------------------------------------------------------------------------------------------------


async def test_log_has_the_template_and_no_value() -> None:
    with structlog.testing.capture_logs() as logs:
        async with connected(served()) as client:
            headers = {"Authorization": f"Bearer {SECRET}", "X-Request-Id": "r1"}
            await client.post(f"/v1/placements/{SECRET}/depart?q={SECRET}", json={"a": SECRET}, headers=headers)
            await client.request(SECRET, f"/{SECRET}")
    assert [entry.pop("ms") >= 0 for entry in logs] == [True, True]
    first = {"event": "request", "log_level": "info", "method": "POST", "status": "200"}
    second = {"event": "request", "log_level": "info", "method": "OTHER", "status": "404"}
    assert logs == [{**first, "route": "/v1/placements/{placement_id}/depart"}, {**second, "route": "unmatched"}]


async def test_metrics_count_by_template() -> None:
    metrics = Metrics()
    async with connected(edge(application(), metrics=metrics)) as client:
        for number in range(3):
            await client.post(f"/v1/placements/{number}/depart", json={})
        await client.get("/v1/nothing")
        page = await client.get("/metrics")
    counted = [line for line in page.text.splitlines() if line.startswith("http_requests_total")]
    assert counted == [
        'http_requests_total{method="POST",route="/v1/placements/{placement_id}/depart",status="200"} 3.0',
        'http_requests_total{method="GET",route="unmatched",status="404"} 1.0',
    ]
    assert page.headers["content-type"].startswith("text/plain; version=")
    labels = {"method": "POST", "route": "/v1/placements/{placement_id}/depart"}
    assert metrics.registry.get_sample_value("http_request_duration_seconds_count", labels) == 3


@pytest.mark.parametrize(
    ("token", "address", "headers", "status"),
    [
        (None, "127.0.0.1", {}, 200),
        (None, "::1", {}, 200),
        (None, "10.0.0.7", {}, 404),
        (None, "testclient", {}, 404),
        (None, "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("s3cret", "127.0.0.1", {}, 401),
        ("s3cret", "127.0.0.1", {"Authorization": "Bearer wrong"}, 401),
        ("s3cret", "127.0.0.1", {"Authorization": "s3cret"}, 401),
        ("s3cret", "10.0.0.7", {"Authorization": "Bearer s3cret"}, 200),
    ],
    ids=range(9),
)
async def test_metrics_are_for_token_or_machine(
    token: str | None, address: str, headers: dict[str, str], status: int
) -> None:
    async with connected(edge(application(), metrics_token=token), address) as client:
        assert (await client.get("/metrics", headers=headers)).status_code == status


async def test_metrics_know_only_get() -> None:
    async with connected(edge(application())) as client:
        response = await client.post("/metrics")
    assert (told(response), response.headers["allow"]) == ((405, "method-not-allowed"), "GET, HEAD")


async def test_other_protocols_pass_untouched() -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(_: Message) -> None:
        return

    scope = {"type": "lifespan"}
    await edge(app, origins=["https://front.example"])(scope, receive, send)
    assert seen == [(scope, receive, send)]


# Through a real server ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("granian")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (folder / "served_edge.py").write_text(
        "import importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('edge_tests', {str(Path(__file__))!r})\n"
        "tests = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(tests)\n"
        "app = tests.served()\n"
    )
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port)]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [*command, "served_edge:app"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}"},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()
    assert SECRET not in (folder / "log").read_text()


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server did not start")


def converse(port: int, head: str, sender: Callable[[socket.socket], None] = lambda _: None) -> tuple[int, bytes]:
    """Talk HTTP by hand, as rude clients do, and read until the server closes or has said all: status and body."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall((head + "\r\nHost: x\r\nConnection: close\r\n\r\n").encode())
        with suppress(OSError):  # cut off while sending: what counts is that the answer can still be read
            sender(connection)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    headers, _, body = answer.partition(b"\r\n\r\n")
    return int(headers[9:12]), body


def flood(total: int, *, chunked: bool) -> Callable[[socket.socket], None]:
    part = bytes(65536)
    framed = b"10000\r\n" + part + b"\r\n" if chunked else part

    def send(connection: socket.socket) -> None:
        for _ in range(total // len(part)):
            connection.sendall(framed)
        if chunked:
            connection.sendall(b"0\r\n\r\n")

    return send


@pytest.mark.parametrize("total", [2 * 1024**2, 1024**3], ids=["2 MB", "1 GB"])
@pytest.mark.parametrize("path", ["/v1/documents/1/content", "/v1/placements/1/depart"])
@pytest.mark.parametrize("chunked", [True, False], ids=["in chunks", "declared"])
def test_flood_is_answered_with_a_problem(server: int, total: int, path: str, *, chunked: bool) -> None:
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {total}"
    head = f"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\n{framing}"
    status, body = converse(server, head, flood(total, chunked=chunked))
    assert (status, json.loads(body)["type"]) == (413, "/problems/too-large")


def test_dripping_senders_are_answered_and_cut_off(server: int) -> None:
    def drip(connection: socket.socket) -> None:
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.1)

    def one(_: int) -> tuple[int, str, bool]:
        began = time.monotonic()
        head = "POST /v1/placements/1/depart HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 900"
        status, body = converse(server, head, drip)
        return status, json.loads(body)["type"], time.monotonic() - began < 5

    # Many at once: whether the server lets go of a connection once hung on the garbage collector
    with ThreadPoolExecutor(20) as senders:
        assert list(senders.map(one, range(20))) == [(408, "/problems/request-timeout", True)] * 20


def test_torn_answer_has_no_end(server: int) -> None:
    status, body = converse(server, "GET /v1/torn HTTP/1.1")
    assert (status, body.endswith(b"0\r\n\r\n")) == (200, False)


def test_vanished_clients_leave_the_server_well(server: int) -> None:
    for path in ("/v1/slow", "/v1/stream?seconds=0.01&count=1000"):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", server), 5) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    status, body = converse(server, "GET /v1/boom HTTP/1.1")
    assert (status, json.loads(body)["type"]) == (500, "/problems/internal")


def test_constants_are_those_of_the_contract() -> None:
    assert Allowance() == Allowance(max_bytes=1024 * 1024, body_seconds=15, answer_seconds=15)
    assert (edges.PRIVATE_PREFIX, edges.METRICS_PATH) == ("/v1", "/metrics")
