"""`sojourn serve`: everything that must stand stands, then requests are answered until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import http
import http.client
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import structlog
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from service.actions.work import Services
from service.cli.samples import remembered, show
from service.cli.words import err, say
from service.launch import (
    DATABASE,
    DRAFT,
    Standing,
    Trouble,
    alone,
    check_migrated,
    end_with,
    look,
    migrate,
    reserved,
    standing,
    undisturbed,
    write_log,
)
from service.main import create_app, served, services_of
from service.settings import Settings
from service.storage import checkup, migrating
from service.storage.embedded import Cluster

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HEADER_SECONDS = 10
DRAIN_SECONDS = 20
STARTING_SECONDS = 60
PATIENCE = 30.0

log = structlog.get_logger("service.serve")


def serve(settings: Settings, host: str, port: int, workers: int, *, sample: bool, worker: bool) -> None:
    """Serve until SIGTERM or Ctrl-C, then let the running requests end, and stop PostgreSQL last.

    Raises:
        Trouble: something that whoever runs the service can mend.
    """
    write_log(settings)
    with reserved(host, port):
        if settings.database_url is None:
            err.print("Starting PostgreSQL ...")
        with standing(settings, make=True, patience=PATIENCE) as found:
            if found.cluster is None:
                check_migrated(found.dsn)
            else:
                complete(settings, found.cluster, sample=sample)
            with companion() if worker else contextlib.nullcontext():
                _answer_requests(settings, found, host, port, workers)


# The database, when it is our own ----------------------------------------------------------------------------------


def complete(settings: Settings, cluster: Cluster, *, sample: bool) -> None:
    """Bring our own database to this version, and fill an empty one with the sample world.

    It is filled under another name and gets its own when it is complete: a start that was cut off leaves nothing.
    """
    server = cluster.dsn("postgres")
    with alone(settings):
        there = DATABASE in asyncio.run(checkup.databases(server))
        condition = look(cluster.dsn(DATABASE)) if there else None
        if there and not (sample and condition is not None and condition.institutions == 0):
            if condition is None or condition.version != migrating.latest():
                err.print("Migrating ...")
            migrate(cluster.dsn(DATABASE))
            return
        if not there:
            asyncio.run(checkup.create_database(server, DRAFT))
        elif not asyncio.run(checkup.rename_database(server, DATABASE, DRAFT)):
            return  # somebody works in it: empty it stays
        err.print("Making the database ...")
        migrate(cluster.dsn(DRAFT))
        if sample:
            err.print("Loading the sample world ...")
            _load_sample_apart(cluster.dsn(DRAFT))
        if not asyncio.run(checkup.rename_database(server, DRAFT, DATABASE)):
            raise Trouble("The new database is in use before it is complete.", "Start again.")


def _load_sample_apart(dsn: str) -> None:
    """In a process of its own: the document store's threads would not survive the server's fork."""
    command = [sys.executable, "-P", "-m", "service.cli", "sample", "--beside", str(os.getpid())]
    loading = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": dsn})
    try:
        code = loading.wait()
    except BaseException:
        loading.terminate()
        loading.wait()
        raise
    if code != 0:
        raise Trouble("The sample world could not be loaded.", "What came before this line says why.")


# The worker beside the server --------------------------------------------------------------------------------------


@contextlib.contextmanager
def companion() -> Iterator[None]:
    """A worker of our own for as long as the block runs; one that dies is replaced."""
    command = [sys.executable, "-P", "-m", "service.cli", "worker", "--beside", str(os.getpid())]
    ending = threading.Event()
    running = [subprocess.Popen(command, stdin=subprocess.DEVNULL)]

    def replace() -> None:
        while True:
            code = running[0].wait()
            if ending.wait(2):
                return
            log.error("worker_died", code=code)
            running[0] = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            if ending.is_set():
                running[0].terminate()

    watching = threading.Thread(target=replace, name="worker", daemon=True)
    watching.start()
    try:
        yield
    finally:
        with undisturbed():
            ending.set()
            running[0].terminate()
            try:
                running[0].wait(DRAIN_SECONDS)
            except subprocess.TimeoutExpired:
                running[0].kill()
            watching.join(5)


# The server --------------------------------------------------------------------------------------------------------


class Application:
    """What each of the server's processes runs: made once before they are forked, or anew where they are not."""

    def __init__(self, settings: Settings, dsn: str, keys: str, parent: int) -> None:
        self._given = (settings, dsn, keys, parent)
        self._made: ASGIApp | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Application, self._given

    def __call__(self) -> ASGIApp:
        """The application with its edge; it ends with the process that started it."""
        if self._made is not None:
            return self._made
        settings, dsn, keys, parent = self._given
        write_log(settings)

        @contextlib.asynccontextmanager
        async def opened() -> AsyncIterator[Services]:
            watch = asyncio.create_task(end_with(parent))
            try:
                async with services_of(settings, dsn, keys)() as services:
                    yield services
            finally:
                watch.cancel()

        self._made = served(create_app(opened), settings)
        return self._made


def _answer_requests(settings: Settings, found: Standing, host: str, port: int, workers: int) -> None:
    application = Application(settings, found.dsn, found.keys, os.getpid())
    if multiprocessing.get_start_method() == "fork":
        application()  # before the fork: a process that is still making it would miss the signal to stop
    server = Server(
        "service",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_SECONDS,
        log_level=LogLevels.warning,
        log_dictconfig={"formatters": {}, "handlers": {}, "loggers": {"_granian": {"propagate": True}}},
    )
    server.on_startup(lambda: threading.Thread(target=_announce, args=(settings, host, port), daemon=True).start())
    with contextlib.suppress(SystemExit):  # its word for a process that went before it was told to
        server.serve(target_loader=application, wrap_loader=False)
    if not server.interrupt_signal:
        raise Trouble(
            "The server's processes ended by themselves.", "The log above says why; `sojourn doctor` may too."
        )


def _announce(settings: Settings, host: str, port: int) -> None:
    """Say where the service is and what to try, as soon as it answers."""
    asked = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}.get(host, host)  # noqa: S104
    shown = "localhost" if asked in ("127.0.0.1", "::1") else f"[{host}]" if ":" in host else host
    deadline = time.monotonic() + STARTING_SECONDS
    while not _ready(asked, port):
        if time.monotonic() > deadline:
            log.error("not_ready", seconds=STARTING_SECONDS)
            return
    address = f"http://{shown}:{port}"
    say(f"\nSojourn serves at {address}")
    say(f"The documentation, to read and to try: {address}/docs\n")
    world = remembered(settings)
    if world is not None:
        show(world, address)
    else:
        say("Appoint whoever may sign in: `sojourn account appoint --help`.")
    say("\nCtrl-C stops everything.")


def _ready(host: str, port: int) -> bool:
    time.sleep(0.2)
    asked = http.client.HTTPConnection(host, port, timeout=5)
    try:
        asked.request("GET", "/readyz")
        return asked.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        asked.close()
