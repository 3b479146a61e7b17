"""A real PostgreSQL for every test: one cluster a process, one database migrated once, a copy for whoever asks."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from service.actions import institutions
from service.actions.work import Services
from service.domain.actors import Role
from service.main import create_app
from service.storage import migrating
from service.storage.database import Database
from service.storage.embedded import Cluster
from service.storage.files import Files
from service.storage.vault import Vault

if TYPE_CHECKING:
    from tests.isolation import Document
    from tests.placed import Stage

PASSWORD = "correct horse battery staple"


ZONE = "Asia/Shanghai"
TODAY = datetime.now(ZoneInfo(ZONE)).date()
"""As the institutions of the tests reckon it."""


@dataclass
class Server:
    """The PostgreSQL of this process of tests: its own, or the one that TEST_DATABASE_URL names."""

    dsn: Callable[[str], str]
    count: int = 0

    async def database(self, template: str | None = None) -> str:
        """A new database, empty or a copy of a template; its DSN."""
        self.count += 1
        name = f"t_{os.getpid()}_{self.count}_{uuid4().hex[:6]}"
        con = await asyncpg.connect(self.dsn("postgres"))
        try:
            await con.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        finally:
            await con.close()
        return self.dsn(name)

    async def drop(self, dsn: str) -> None:
        name = dsn.split("?", maxsplit=1)[0].rsplit("/", 1)[1]
        con = await asyncpg.connect(self.dsn("postgres"))
        try:
            await con.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        finally:
            await con.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    given = os.environ.get("TEST_DATABASE_URL") or os.environ.get("DATABASE_URL")
    if given:
        base, _, query = given.partition("?")
        root = base.rsplit("/", 1)[0]
        yield Server(lambda name: f"{root}/{name}" + (f"?{query}" if query else ""))
        return
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    roomy = memory.exists() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
    folder = Path(tempfile.mkdtemp(prefix="sj", dir=memory if roomy else None))
    folder.chmod(0o755)
    try:
        with Cluster(folder / "pg", durable=False, settings={"max_connections": "200"}) as cluster:
            yield Server(cluster.dsn)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def template(server: Server) -> str:
    """A database at the latest version, to copy."""
    import asyncio

    dsn = await server.database()
    if os.environ.get("SOJOURN_TEST_MIGRATIONS"):
        await asyncio.to_thread(migrating.upgrade, dsn)
    else:  # while the house is being built by several hands, the tables in the tree are what is meant
        from sqlalchemy import text
        from sqlalchemy.ext.asyncio import create_async_engine

        from service.storage.schema import metadata

        engine = create_async_engine(migrating.async_url(dsn))
        async with engine.begin() as con:
            await con.run_sync(metadata.create_all)
            await con.execute(text("CREATE TABLE alembic_version (version_num text)"))
            await con.execute(text("INSERT INTO alembic_version VALUES (:v)"), {"v": migrating.latest()})
            await con.run_sync(migrating.draw_walls)
        await engine.dispose()
    return dsn.split("?")[0].rsplit("/", 1)[1]


@pytest.fixture
async def dsn(server: Server, template: str) -> AsyncIterator[str]:
    """A database of the test's own."""
    made = await server.database(template)
    yield made
    await server.drop(made)


@pytest.fixture
async def services(dsn: str, tmp_path: Path) -> AsyncIterator[Services]:
    database = await Database.open(dsn, 12)
    try:
        yield Services(database, Vault.parse(Vault.written()), Files(tmp_path.as_uri()))
    finally:
        await database.close()


@pytest.fixture(scope="session")
def application() -> FastAPI:
    """The application, made once a process: several hundred operations are declared when it is."""
    return create_app(lambda: None)


@pytest.fixture(scope="session")
def document(application: FastAPI) -> Document:
    """The OpenAPI document of the application."""
    from tests.isolation import Document

    return Document(application.openapi())


@pytest.fixture
def app(application: FastAPI, services: Services) -> FastAPI:
    """The application over the services of this test."""
    application.state.services = services
    return application


@dataclass
class Client:
    """A client of one account, as a stranger would write it: keys and versions are its own business."""

    http: httpx.AsyncClient
    token: str
    institution: UUID
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(path, params=params, headers=self._headers())

    async def post(
        self, path: str, body: Any = None, *, key: str | None = None, version: int | None = None
    ) -> httpx.Response:
        more = {"idempotency-key": key or uuid4().hex}
        if version is not None:
            more["if-match"] = f'"{version}"'
        return await self.http.post(path, json=body if body is not None else {}, headers=self._headers() | more)

    async def patch(self, path: str, body: Any, *, version: int, key: str | None = None) -> httpx.Response:
        more = {"idempotency-key": key or uuid4().hex, "if-match": f'"{version}"'}
        return await self.http.patch(path, json=body, headers=self._headers() | more)

    async def ok(self, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """The body of a POST that must succeed."""
        answer = await self.post(path, body, **more)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    async def act(self, path: str, action: str, body: Any = None) -> httpx.Response:
        """An action on an item at its present version."""
        item = await self.get(path)
        assert item.status_code == 200, item.text
        return await self.post(f"{path}/{action}", body, version=item.json()["version"])

    async def done(self, path: str, action: str, body: Any = None) -> dict[str, Any]:
        """An action that must be granted."""
        answer = await self.act(path, action, body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def refused(self, path: str, action: str, body: Any = None, status: int = 409) -> list[str]:
        """The codes of the reasons for which an action is refused."""
        answer = await self.act(path, action, body)
        assert answer.status_code == status, answer.text
        return [r["code"] for r in answer.json()["reasons"]]

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} | self.headers


@dataclass
class World:
    """An institution over HTTP, and clients of its accounts."""

    http: httpx.AsyncClient
    services: Services
    institution: UUID

    async def client(
        self, *roles: Role, email: str | None = None, institution: UUID | None = None, **more: Any
    ) -> Client:
        """Somebody with these roles, signed in."""
        where = institution or self.institution
        address = email or f"{roles[0]}-{uuid4().hex[:8]}@college.example.org"
        await institutions.appoint(self.services, where, email=address, name=f"{roles[0]}", roles=roles, **more)
        await institutions.set_password(self.services, address, PASSWORD)
        answer = await self.http.post(
            "/v1/login",
            json={"email": address, "password": PASSWORD, "institution": str(where), "role": roles[0].value},
        )
        assert answer.status_code == 200, answer.text
        return Client(self.http, answer.json()["access_token"], where)

    async def other(self) -> UUID:
        """Another institution on the same service."""
        return await institutions.found(
            self.services, name_native="南方学院", name_latin="South College", country="CN", time_zone=ZONE
        )


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sojourn.test") as client:
        yield client


@pytest.fixture
async def world(http: httpx.AsyncClient, services: Services) -> World:
    where = await institutions.found(
        services,
        name_native="北方职业技术学院",
        name_latin="North Vocational College",
        country="CN",
        time_zone=ZONE,
    )
    return World(http, services, where)


MakeClient = Callable[..., Awaitable[Client]]


@pytest.fixture
async def house(world: World, dsn: str) -> Stage:
    """An institution with an employer and an agency, and nobody placed yet."""
    from tests.placed import Stage

    return await Stage.begin(world, dsn)
