"""What every request passes on its way in and out: its id, its limits, its headers, its line in the log, its count.

Plain ASGI, so that nothing stands between a cancelled request and the connection that it holds.
"""

import asyncio
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from time import perf_counter
from types import MappingProxyType

import structlog
from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.pace import Pace, Rates
from service.api.problems import MEDIA_TYPE, Problem, answer, from_status, log_failure, request_id_of

PRIVATE_PREFIX = "/v1"
METRICS_PATH = "/metrics"

DRAIN_BYTES = 8 * 1024 * 1024
DRAIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one kind of request may cost: the size of its body, its time to arrive, and our time to begin an answer."""

    max_bytes: int = 1024 * 1024
    body_seconds: float = 15
    answer_seconds: float = 15


def edge(
    app: ASGIApp,
    *,
    default: Allowance | None = None,
    allowances: Mapping[str, Allowance] = MappingProxyType({}),
    origins: Sequence[str] = (),
    metrics: "Metrics | None" = None,
    metrics_token: str | None = None,
    rates: Rates | None = None,
) -> ASGIApp:
    """Put the whole edge around an application; it takes the place of the application at the server.

    `allowances` is keyed by path template (`/v1/documents/{id}/content`); the first match counts. Without a
    `metrics_token` the numbers are shown to callers of this very machine only.
    """
    counts = metrics or Metrics()
    paced: ASGIApp = Pace(app, rates) if rates else app
    guarded: ASGIApp = Limits(paced, default or Allowance(), allowances)
    if origins:
        guarded = CORSMiddleware(
            guarded,
            allow_origins=origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=(
                "Authorization",
                "Idempotency-Key",
                "If-Match",
                "If-None-Match",
                "Last-Event-ID",
                "X-Request-Id",
            ),
            expose_headers=(
                *("ETag", "Link", "Location", "Content-Disposition", "X-Request-Id", "Idempotent-Replayed"),
                "X-Row-Count",
                *("Retry-After", "RateLimit", "RateLimit-Policy", "Deprecation", "Sunset"),
            ),
        )
    page = MetricsPage(counts, metrics_token)

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        target = page if scope["type"] == "http" and scope["path"] == METRICS_PATH else guarded
        await target(scope, receive, send)

    return Envelope(inside, counts)


# The outermost layer: what is known of every request and added to every answer -----------------------------------

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# A page that wants more than this policy allows sets its own.
_EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class AnswerCut(Exception):
    """An answer broke off after it had begun: the server closes the connection, so that nobody takes it for whole."""


class Envelope:
    """Gives each request its id, each answer its headers, and writes down how it went, without a value of anybody's."""

    def __init__(self, app: ASGIApp, metrics: "Metrics") -> None:
        self._app = app
        self._metrics = metrics
        self._log = structlog.get_logger("service.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request in and its answer out."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name == b"x-request-id"]
        if len(given) == 1 and _REQUEST_ID.fullmatch(given[0]):
            scope["request_id"] = given[0].decode("ascii")
        else:
            scope.pop("request_id", None)
        outgoing = Outgoing(scope, receive, send)
        began = perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=outgoing.request_id):
            try:
                await self._app(scope, receive, outgoing.send)
            except Exception as error:  # noqa: BLE001 - the last resort
                # The application has written down what it answered itself; it raises again for servers that log
                if outgoing.status is None:
                    log_failure(error)
                    await answer(scope, Problem("internal"))(scope, receive, outgoing.send)
                elif not outgoing.complete:
                    raise AnswerCut from None
            finally:
                self._write_down(scope, outgoing, perf_counter() - began)

    def _write_down(self, scope: Scope, outgoing: "Outgoing", seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = route_of(scope)
        status = str(outgoing.status) if outgoing.status and outgoing.complete else "aborted"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(method, route).observe(seconds)
        self._log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


class Outgoing:
    """One answer on its way out: gains the headers of the house, and becomes a problem if it is a bare error."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._replaced = False
        self.request_id = request_id_of(scope)
        self.status: int | None = None
        self.complete = False

    async def send(self, message: Message) -> None:
        """Pass one message on towards the client."""
        if self._replaced and message["type"].startswith("http.response."):
            return
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            bare = message["status"] >= 400 and not headers.get("content-type", "").startswith(MEDIA_TYPE)  # noqa: PLR2004
            if bare:
                await self._replace(message["status"], headers)
                return
            self.status = message["status"]
            self._complete_headers(headers)
        elif message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)
        await self._send(message)

    async def _replace(self, status: int, headers: MutableHeaders) -> None:
        """Answer with the problem that the status stands for; frameworks have answers of their own in plain text."""
        about_the_body = ("content-type", "content-length", "content-encoding", "transfer-encoding")
        problem = from_status(status)
        problem.headers = {**problem.headers, **{n: v for n, v in headers.items() if n not in about_the_body}}
        await answer(self._scope, problem)(self._scope, self._receive, self.send)
        self._replaced = True

    def _complete_headers(self, headers: MutableHeaders) -> None:
        headers["X-Request-Id"] = self.request_id
        for name, value in _EVERYWHERE.items():
            headers.setdefault(name, value)
        path = self._scope["path"]
        if path == PRIVATE_PREFIX or path.startswith(f"{PRIVATE_PREFIX}/"):
            headers.setdefault("Cache-Control", "no-store")


def route_of(scope: Scope) -> str:
    """The template of the route that took the request, such as `/v1/placements/{id}`; never the path with its ids."""
    # FastAPI keeps the whole template of an included route here; the route itself knows only its own part
    included = scope.get("fastapi", {}).get("effective_route_context")
    return getattr(included, "path", None) or getattr(scope.get("route"), "path", None) or "unmatched"


# The innermost layer: how much and how long ----------------------------------------------------------------------


class Limits:
    """Refuses bodies that are too large, too slow or packed, and requests that take too long to answer.

    The clock for the answer stands still while the client is still sending, and is off once an answer has begun:
    streams keep their own time.
    """

    def __init__(self, app: ASGIApp, default: Allowance, allowances: Mapping[str, Allowance]) -> None:
        self._app = app
        self._default = default
        self._special = [(compile_path(template)[0], allowance) for template, allowance in allowances.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it in our words."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        allowance = next((a for pattern, a in self._special if pattern.match(scope["path"])), self._default)
        headers = Headers(scope=scope)
        if problem := _refusal_by_headers(headers, allowance):
            if headers.get("expect", "").lower() != "100-continue":  # such a client waits before it sends
                await _drain(receive)
            await answer(scope, problem)(scope, receive, send)
            return
        await _Passage(scope, receive, send, allowance).run(self._app)


def _refusal_by_headers(headers: Headers, allowance: Allowance) -> Problem | None:
    if any(value.strip().lower() not in ("", "identity") for value in headers.getlist("content-encoding")):
        return Problem("unsupported-media-type", headers={"Accept-Encoding": "identity"})
    length = headers.get("content-length", "0")
    # Servers refuse what is not a number; twenty digits are more than any of them can carry
    if length.isdecimal() and (len(length) > 20 or int(length) > allowance.max_bytes):  # noqa: PLR2004
        return Problem("too-large")
    return None


async def _drain(receive: Receive) -> None:
    """Read a little of what the client is still sending: one that is cut off in mid-sentence misses the answer."""
    left = DRAIN_BYTES
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
    except TimeoutError:
        return


async def _hear_nothing() -> Message:
    return {"type": "http.disconnect"}


async def _say_nothing(_: Message) -> None:
    return


class _Passage:
    """One request on its way through the limits."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, allowance: Allowance) -> None:
        self._scope = scope
        self._receive_raw: Receive = receive
        self._send_raw: Send = send
        self._bytes_left = allowance.max_bytes
        self._seconds_left = allowance.body_seconds
        self._body_complete = False
        self._started = False  # the application has begun its answer
        self._refused = False  # we have answered in its place
        self._clock = asyncio.timeout(allowance.answer_seconds)

    async def run(self, app: ASGIApp) -> None:
        try:
            async with self._clock:
                await app(self._scope, self._receive, self._send)
        except TimeoutError:
            if not self._clock.expired() or self._started or self._refused:
                raise
            await answer(self._scope, Problem("unavailable"))(self._scope, self._receive_raw, self._send_raw)
        except ClientDisconnect:
            if not self._refused:
                raise
        finally:
            # An error keeps the frames it passed alive until the garbage collector comes, and through them the
            # connection, which the server holds open as long as somebody could still read from it
            self._receive_raw, self._send_raw = _hear_nothing, _say_nothing

    async def _receive(self) -> Message:
        if self._refused:
            return {"type": "http.disconnect"}
        if self._body_complete:
            return await self._receive_raw()
        remaining = self._stop_clock()
        try:
            message = await self._receive_part()
        finally:
            self._start_clock(remaining)
        return message

    async def _receive_part(self) -> Message:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._seconds_left):
                message = await self._receive_raw()
        except TimeoutError:
            return await self._refuse(Problem("request-timeout", headers={"Connection": "close"}))
        self._seconds_left -= loop.time() - began
        self._bytes_left -= len(message.get("body", b""))
        self._body_complete = not message.get("more_body", False)
        if self._bytes_left < 0:
            if not self._body_complete:
                await _drain(self._receive_raw)
            return await self._refuse(Problem("too-large"))
        return message

    async def _refuse(self, problem: Problem) -> Message:
        """Answer at once; to the application it looks as if the client had left, and what it says now is not sent."""
        if not self._started:
            self._refused = True
            await answer(self._scope, problem)(self._scope, self._receive_raw, self._send_raw)
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._refused:
            return
        if message["type"] == "http.response.start":
            self._started = True
            self._stop_clock()
        await self._send_raw(message)

    def _stop_clock(self) -> float | None:
        when = self._clock.when()
        if when is None or self._clock.expired():
            return None
        self._clock.reschedule(None)
        return when - asyncio.get_running_loop().time()

    def _start_clock(self, remaining: float | None) -> None:
        if remaining is not None and not self._started and not self._clock.expired():
            self._clock.reschedule(asyncio.get_running_loop().time() + remaining)


# Numbers for whoever runs the service -----------------------------------------------------------------------------


class Metrics:
    """What is counted; other parts register their own numbers with `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.requests = Counter(
            "http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "http_request_duration_seconds",
            "Time to the end of an answer.",
            ["method", "route"],
            registry=self.registry,
        )


class MetricsPage:
    """The numbers as text, for whoever has the token; without a token, for callers of this machine."""

    def __init__(self, metrics: Metrics, token: str | None) -> None:
        self._metrics = metrics
        self._expected = None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the numbers, or as if there were none."""
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        if self._expected is not None:
            if not hmac.compare_digest(headers.get("authorization", "").encode("latin-1"), self._expected):
                return answer(scope, Problem("unauthenticated"))
        elif not _is_local(scope, headers):
            return answer(scope, Problem("not-found"))
        if scope["method"] not in ("GET", "HEAD"):
            return answer(scope, Problem("method-not-allowed", headers={"Allow": "GET, HEAD"}))
        return Response(
            generate_latest(self._metrics.registry),
            headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"},
        )


def _is_local(scope: Scope, headers: Headers) -> bool:
    """Whether the caller sits on this machine and speaks for itself: behind a proxy, everybody seems to be local."""
    if any(name in headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via")):
        return False
    try:
        return ip_address((scope.get("client") or ("", 0))[0]).is_loopback
    except ValueError:
        return False
