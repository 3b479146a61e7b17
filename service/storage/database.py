"""The one way to the database: Core statements compiled once, run by asyncpg; the pool; errors by SQLSTATE."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
from pydantic_core import from_json, to_json
from sqlalchemy import Executable, Table
from sqlalchemy.dialects.postgresql import asyncpg as _asyncpg
from sqlalchemy.sql.compiler import FROM_LINTING

DIALECT = _asyncpg.dialect()  # type: ignore[no-untyped-call]
POOL_SECONDS = 10
"""How long an act waits for a connection: what is shared makes a rush stand in line, and most of it is soon refused."""
PREFETCH = 500
"""Rows that a reading of many has in memory at once."""
BULK = (
    "; SET LOCAL statement_timeout = '60s'; SET LOCAL idle_in_transaction_session_timeout = '60s'"
    "; SET LOCAL plan_cache_mode = force_custom_plan"
)
"""What an act on many is given: between its reading and its writing it decides for seconds, and is not idle."""
FEW = "SET LOCAL plan_cache_mode = force_generic_plan"
"""Before the commit of many: its deferred triggers ask the same thing once a row, and would be planned each time."""
APP_ROLE = "sojourn_service"
"""The role under which the service works: it owns nothing, so that row-level security holds for it."""

Row = TypeVar("Row")
T = TypeVar("T")
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Runner: TypeAlias = "Connection | asyncpg.Pool[asyncpg.Record]"
Record: TypeAlias = asyncpg.Record


def value(it: Any) -> Any:
    """The one value of a row, as it comes: the driver has a UUID of its own."""
    return it


class Stale(Exception):
    """What was read is no longer so: read again."""


class Unavailable(Exception):
    """The database is away or overloaded: try again soon."""


class Conflict(Exception):
    """The database's own rule refused the row; `rule` is the constraint's name."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class BadInput(Exception):
    """A value that the database cannot hold."""


class Statement(Generic[Row]):
    """SQL fixed once. `row` turns a record's values into a typed fact; a missing or unknown name is a TypeError."""

    __slots__ = ("_known", "fixed", "names", "row", "sql")

    def __init__(self, core: Executable, row: Callable[..., Row]) -> None:
        # A table that is joined by nothing is a bug of ours, and would be read whole: the compiler warns of it.
        compiled: Any = core.compile(dialect=DIALECT, linting=FROM_LINTING)  # type: ignore[attr-defined]
        self.sql: str = compiled.string
        self.names: tuple[str, ...] = tuple(compiled.positiontup or ())
        needed = {n for n in self.names if compiled.binds[n].required}
        self.fixed = {n: compiled.params[n] for n in self.names if n not in needed}
        self._known = frozenset(needed)
        self.row = row

    @property
    def known(self) -> frozenset[str]:
        """The names of the values that a caller must give."""
        return self._known

    def args(self, given: Mapping[str, Any]) -> list[Any]:
        """The values in the statement's order.

        Raises:
            TypeError: a name is missing or unknown.
        """
        if given.keys() != self._known:
            raise TypeError(f"parameters differ: {sorted(given.keys() ^ self._known)}")
        return [given[n] if n in given else self.fixed[n] for n in self.names]

    async def records(self, con: Runner, **given: Any) -> list[asyncpg.Record]:
        """All rows as they come from the driver."""
        return await con.fetch(self.sql, *self.args(given))

    async def each(self, con: Connection, **given: Any) -> AsyncIterator[asyncpg.Record]:
        """Rows as they are read, some at a time, inside a transaction: for more than fits into memory."""
        async for record in con.cursor(self.sql, *self.args(given), prefetch=PREFETCH):
            yield record

    async def one(self, con: Runner, **given: Any) -> Row | None:
        """The first row, or None."""
        record = await con.fetchrow(self.sql, *self.args(given))
        return None if record is None else self.row(*record.values())

    async def all(self, con: Runner, **given: Any) -> list[Row]:
        """Every row."""
        return [self.row(*r.values()) for r in await con.fetch(self.sql, *self.args(given))]


def _encode(value: Any) -> str:
    return to_json(value).decode()


async def _codecs(con: Connection) -> None:
    for name in ("json", "jsonb"):  # text format; built-in types need no introspection round trip
        await con.set_type_codec(name, schema="pg_catalog", format="text", encoder=_encode, decoder=from_json)


async def _reset(con: Connection) -> None:
    """Every setting is local to its transaction, so an ended transaction leaves nothing: no round trip."""
    if con.is_in_transaction():
        await con.execute("ROLLBACK")


async def connect(dsn: str, **settings: str) -> asyncpg.Connection[asyncpg.Record]:
    """One connection outside the pool, as the owner of the URL."""
    con = await asyncpg.connect(dsn, timeout=10, server_settings={"timezone": "UTC", "jit": "off", **settings})
    await _codecs(con)
    return con


class Database:
    """A pool of connections under the service's role."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self.pool = pool

    @classmethod
    async def open(cls, dsn: str, size: int = 8) -> Database:
        """Connect; the limits on time hold for every statement of the service."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=min(2, size),
            max_size=size,
            init=_codecs,
            reset=_reset,
            command_timeout=60,
            timeout=5,
            statement_cache_size=512,
            max_cached_statement_lifetime=0,  # 300 s by default: everything would be prepared anew
            max_cacheable_statement_size=0,  # 15 KiB by default: a long statement would never be cached
            server_settings={
                "role": APP_ROLE,
                "application_name": "sojourn",
                "timezone": "UTC",
                "jit": "off",
                "plan_cache_mode": "force_generic_plan",
                "statement_timeout": "5000",
                "lock_timeout": "4000",
                "idle_in_transaction_session_timeout": "5000",
            },
        )
        return cls(pool)

    async def close(self) -> None:
        """Let the running statements end, then disconnect."""
        try:
            await asyncio.wait_for(self.pool.close(), 10)
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool.

        Raises:
            TimeoutError: none came free in time.
        """
        async with self.pool.acquire(timeout=POOL_SECONDS) as con:
            yield con

    @asynccontextmanager
    async def transaction(self, con: Connection, institution: UUID, *, bulk: bool = False) -> AsyncIterator[None]:
        """A transaction of one institution, begun in one round trip; rolled back whatever goes wrong."""
        more = BULK if bulk else ""
        await con.execute(f"BEGIN; SELECT set_config('app.institution', '{institution}', true)" + more)
        try:
            yield
            await con.execute(f"{FEW}; COMMIT" if bulk else "COMMIT")
        except BaseException:
            if not con.is_closed() and con.is_in_transaction():
                await con.execute("ROLLBACK")
            raise


OWN_CODES = "SJ"
"""SQLSTATEs of our own triggers begin so: they tell of a bug, never of a caller's mistake."""


def translate(error: BaseException) -> Exception | None:
    """What an error of the driver means to an action, or None where it is a bug."""
    state = getattr(error, "sqlstate", None) or ""
    name = getattr(error, "constraint_name", None) or ""
    if state in ("40001", "40P01") or (state == "23505" and name in ("idempotency_keys_pkey", "events_pkey")):
        return Stale(name or state)
    if state in ("55P03", "57014", "25P03") or state[:3] == "57P" or state[:2] in ("08", "53"):
        return Unavailable(state)
    if state[:2] == "23":
        return Conflict(name)
    if state[:2] == "22" and state != "22012":
        return BadInput(state)
    if isinstance(
        error, asyncpg.InterfaceError | asyncpg.InternalClientError | ConnectionError | TimeoutError | OSError
    ):
        return Unavailable(type(error).__name__)
    return None


DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


async def attempt(work: Callable[[int], Awaitable[T]], times: int = 4) -> T:
    """The whole act again while what it read was stale; `work` gets the number of the try, and locks on the last.

    Raises:
        Unavailable, Conflict, BadInput: what the driver's error means.
    """
    for n in range(times):
        try:
            return await work(n)
        except Stale:
            pass
        except DRIVER_ERRORS as error:
            known = translate(error)
            if known is None:
                raise
            if not isinstance(known, Stale):
                raise known from error
        await asyncio.sleep(random.uniform(0, 0.005 * (n + 1)))  # noqa: S311 - spreads retries, guards nothing
    raise Unavailable("contended")


__all__ = [
    "APP_ROLE",
    "BadInput",
    "Conflict",
    "Connection",
    "Database",
    "Record",
    "Stale",
    "Statement",
    "Table",
    "Unavailable",
    "attempt",
    "connect",
    "value",
]
