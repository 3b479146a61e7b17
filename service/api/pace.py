"""How often and how much at once: each token, each institution and each address has its own share of a process.

A token names its institution, and anybody can write one down. So a token counts against its institution only after an
operation has answered it; until then it counts against the address that it came from.
"""

from __future__ import annotations

import math
from asyncio import Semaphore
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.actions.pace import Buckets, TooSoon
from service.actions.work import Unauthenticated
from service.api.problems import Problem, answer
from service.api.tokens import Token, read_token

PROVEN = "sojourn.proven"
"""What an operation leaves in the scope of a request that it has answered by its token."""
PROVEN_MOST = 50_000


@dataclass(frozen=True, slots=True)
class Rates:
    """What one process takes: requests in so many seconds, and of an institution so many at once."""

    key: int = 600
    institution: int = 6000
    address: int = 300
    seconds: float = 10
    at_once: int = 6


@dataclass(frozen=True, slots=True)
class Share:
    """One bucket that a request takes from; `name` is how clients know it."""

    name: str
    buckets: Buckets
    key: Hashable

    def headers(self) -> dict[str, str]:
        """What is allowed, what is left, when all is there again: draft-ietf-httpapi-ratelimit-headers-10."""
        b = self.buckets
        return {
            "RateLimit-Policy": f'"{self.name}";q={b.quota};w={b.seconds:.0f}',
            "RateLimit": f'"{self.name}";r={b.left(self.key)};t={math.ceil(b.full_in(self.key))}',
        }


class Pace:
    """Lets requests through at the pace of their token, institution or address; the others are told when to come again.

    At most `at_once` requests of an institution are worked on at a time, the rest wait in line: so that whoever sends
    many finds themselves before the others' connections, and not in them. An answer that has begun holds no place.
    """

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self._app = app
        self._at_once = rates.at_once
        self._keys = Buckets(rates.key, rates.seconds)
        self._institutions = Buckets(rates.institution, rates.seconds)
        self._addresses = Buckets(rates.address, rates.seconds)
        self._proven: OrderedDict[bytes, None] = OrderedDict()
        self._places: dict[Hashable, Semaphore] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through in its turn, or refuse it."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        token = _token_of(scope)
        known = token if token is not None and token.digest in self._proven else None
        shares = self._shares(known, scope)
        for share in shares:
            try:
                share.buckets.check(share.key)
            except TooSoon as soon:
                headers = share.headers() | {"Retry-After": str(soon.seconds)}
                await answer(scope, Problem("too-many-requests", headers=headers))(scope, receive, send)
                return
        for share in shares:
            share.buckets.take(share.key)
        place = self._places.setdefault(known.institution if known else None, Semaphore(self._at_once))
        await place.acquire()
        leave = _once(place.release)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                leave()
                if token is not None and scope.get(PROVEN):
                    self._prove(token.digest)
                elif known is not None and message["status"] == HTTPStatus.UNAUTHORIZED:
                    self._proven.pop(known.digest, None)  # it was revoked, or has expired
                MutableHeaders(scope=message).update(shares[0].headers())
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            leave()

    def _shares(self, known: Token | None, scope: Scope) -> list[Share]:
        if known is None:
            return [Share("address", self._addresses, (scope.get("client") or ("",))[0])]
        return [
            Share("key", self._keys, known.digest),
            Share("institution", self._institutions, known.institution),
        ]

    def _prove(self, digest: bytes) -> None:
        self._proven[digest] = None
        self._proven.move_to_end(digest)
        if len(self._proven) > PROVEN_MOST:
            self._proven.popitem(last=False)


def _token_of(scope: Scope) -> Token | None:
    try:
        return read_token(Headers(scope=scope).get("authorization", ""))
    except Unauthenticated:
        return None


def _once(do: Callable[[], None]) -> Callable[[], None]:
    waiting = [do]
    return lambda: waiting.pop()() if waiting else None
