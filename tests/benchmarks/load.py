"""A client that asks as fast as it is answered, over some connections that stay open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Slice:
    """What one slice of time saw: how many were answered, in how many seconds, and how long each took."""

    answered: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    last: bytes = b""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


@dataclass(slots=True)
class Connection:
    """One connection that is kept open."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, port: int) -> Connection:
        """Open it."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**22))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of one request."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        lowered = head.lower()
        at = lowered.index(b"content-length:")
        length = int(lowered[at + 15 : lowered.index(b"\r\n", at)])
        return status, await self.reader.readexactly(length)


def request(method: str, path: str, token: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "host: localhost", f"authorization: Bearer {token}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def drive(connections: list[Connection], made: Callable[[], bytes], seconds: float) -> Slice:
    """Ask over all connections until the time is over.

    Raises:
        AssertionError: something else than a success was answered.
    """
    seen = Slice()
    began = time.perf_counter()
    until = began + seconds

    async def one(connection: Connection) -> None:
        while (at := time.perf_counter()) < until:
            status, body = await connection.ask(made())
            assert status in (200, 201), (status, body[:400])
            seen.latencies.append(time.perf_counter() - at)
            seen.answered += 1
            seen.last = body

    await asyncio.gather(*[one(c) for c in connections])
    seen.seconds = time.perf_counter() - began
    return seen
