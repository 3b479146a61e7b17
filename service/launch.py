"""What every process needs before it can work: its database, its keys, its log, and a word when one is missing."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import asyncpg
import structlog
from alembic.util.exc import CommandError
from sqlalchemy.exc import SQLAlchemyError

from service.settings import Settings
from service.storage import checkup, migrating
from service.storage.database import DRIVER_ERRORS
from service.storage.embedded import Cluster, NoServerFound, StartFailed, WrongVersion
from service.storage.vault import Vault

DATABASE = "sojourn"
DRAFT = "sojourn_draft"
"""A database gets its name when it is complete: whatever ends the first start, the next one begins again."""

PORT_PATIENCE = 2.0  # the processes of a killed service notice within a second that they are alone


class Trouble(Exception):
    """Something that whoever runs the service can mend; `mend` says how."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Standing:
    """A database that answers and the keys to its sealed columns; `cluster` where the server is our own."""

    dsn: str
    keys: str
    cluster: Cluster | None = None


# The database ------------------------------------------------------------------------------------------------------


def own_cluster(settings: Settings) -> Cluster:
    """The server that we bring along, whether it runs or not.

    Raises:
        Trouble: this machine has no PostgreSQL to run.
    """
    try:
        return Cluster(settings.folder / "pg")
    except NoServerFound as error:
        raise Trouble("There is no PostgreSQL to start.", f"{error}.") from error


@contextlib.contextmanager
def standing(
    settings: Settings, *, make: bool = False, patience: float = 0, keyless: bool = False
) -> Iterator[Standing]:
    """A database to work with for as long as the block runs; our own server is stopped by the last who leaves it.

    `make` allows what is missing to be made: the folder, the server's data, the keys. A server that does not answer is
    asked again for `patience` seconds. `keyless` is for whoever opens nothing: an auditor needs no keys, and gets none.

    Raises:
        Trouble: it cannot be had, in words for whoever runs the service.
    """
    if settings.database_url:
        dsn = settings.database_url
        yield Standing(dsn, "" if keyless else keys_of(settings, dsn, make=make, patience=patience))
        return
    cluster = own_cluster(settings)
    if not make and not (cluster.data / "PG_VERSION").exists():
        raise Trouble(
            f"There is no database in {settings.folder} yet, and DATABASE_URL names none.",
            "Start with `sojourn serve`, or run this in the folder where the service was started before.",
        )
    make_folder(settings)
    try:
        cluster.start()
    except (WrongVersion, StartFailed, TimeoutError, OSError) as error:
        raise Trouble("PostgreSQL does not start.", f"{error}") from error
    try:
        dsn = cluster.dsn(DATABASE)
        yield Standing(dsn, "" if keyless else keys_of(settings, dsn, make=make), cluster)
    finally:
        with undisturbed():
            cluster.stop()


def make_folder(settings: Settings) -> None:
    """The folder for all that the service keeps: others may pass through, as PostgreSQL must, but not look."""
    try:
        if not settings.folder.exists():
            settings.folder.mkdir(parents=True, exist_ok=True)
            settings.folder.chmod(0o711)
        if settings.files_url is None:
            (settings.folder / "files").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Trouble(
            f"The folder {settings.folder.resolve()} cannot be made: {error.strerror}.",
            "Start where you may write, or name another folder in SOJOURN_FOLDER.",
        ) from error


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """One process at a time may complete what the folder holds."""
    make_folder(settings)
    with (settings.folder / "starting").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def look(dsn: str, patience: float = 0) -> checkup.Condition | None:
    """How the database is found, or None where the server has none of that name.

    Raises:
        Trouble: the server did not let us in for `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return asyncio.run(checkup.examine(dsn))
        except asyncpg.InvalidCatalogNameError:
            return None
        except DRIVER_ERRORS as error:
            if time.monotonic() >= deadline:
                raise unreachable(error) from error
            time.sleep(1)


def check_migrated(dsn: str) -> None:
    """Be sure that the database is at our version.

    Raises:
        Trouble: it is not.
    """
    found = look(dsn)
    if found is None:
        raise Trouble("The database does not exist.", "Create it (createdb) and run `sojourn migrate`.")
    if found.version is None:
        raise Trouble("The database is empty.", "Run `sojourn migrate` first.")
    if found.version != migrating.latest():
        raise Trouble(
            f"The database is at version {found.version}, and this Sojourn works with {migrating.latest()}.",
            "Run `sojourn migrate`; where the database is the newer one, run the newer Sojourn.",
        )


def migrate(dsn: str) -> None:
    """Bring the database to our version.

    Raises:
        Trouble: it did not work; nothing was changed then.
    """
    try:
        migrating.upgrade(dsn)
    except (SQLAlchemyError, CommandError, *DRIVER_ERRORS) as error:
        words = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise Trouble(
            f"The database could not be migrated: {words}", "Nothing was changed. Mend that and try again."
        ) from error


def unreachable(error: BaseException) -> Trouble:
    """The word for a database that does not let us in. It repeats no address: that would show a password."""
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return Trouble("The server refuses the user or the password.", "Correct DATABASE_URL.")
    if isinstance(error, asyncpg.PostgresError):
        return Trouble(f"The server refuses: {type(error).__name__} ({error.sqlstate}).", "See the server's own log.")
    return Trouble(
        f"The database does not answer ({type(error).__name__}).",
        "See that the server runs, that this machine reaches it, and that DATABASE_URL is right.",
    )


# The keys ----------------------------------------------------------------------------------------------------------


def keys_of(settings: Settings, dsn: str, *, make: bool, patience: float = 0) -> str:
    """The keys of sealed columns: from the environment, from the folder, or made there once, before there are data.

    Raises:
        Trouble: they are gone, unreadable, or not those that sealed the data; or the server does not let us in.
    """
    found = look(dsn, patience)
    holds_data = found is not None and found.institutions > 0
    path = settings.folder / "keys"
    written = settings.keys
    if written is None:
        try:
            written = path.read_text(encoding="ascii")
        except FileNotFoundError:
            if holds_data or not make:
                raise missing_keys(path) from None
            written = make_keys(settings, path)
        except (OSError, UnicodeDecodeError) as error:
            raise Trouble(
                f"The keys in {path} cannot be read.", "Let this user alone own and read the file."
            ) from error
    vault = read_keys(written)
    if holds_data and not asyncio.run(checkup.opens(dsn, vault)):
        raise Trouble(
            "The keys at hand are not those with which this database was sealed.",
            "Put back SOJOURN_KEYS, or the file of keys, from your backup: without them, passports stay unreadable.",
        )
    return written.strip()


def read_keys(written: str) -> Vault:
    """The keys as they are written down.

    Raises:
        Trouble: they are in no form that we know.
    """
    try:
        return Vault.parse(written.strip())
    except ValueError as error:
        raise Trouble(
            "The keys are not in the form id:base64 (32 bytes each), with commas between them.",
            "Put back SOJOURN_KEYS, or the file of keys, from your backup.",
        ) from error


def missing_keys(path: Path) -> Trouble:
    """The word for keys that are nowhere."""
    return Trouble(
        f"There are no keys: SOJOURN_KEYS is not set and {path} is not there.",
        "Put the file back from your backup, or set SOJOURN_KEYS. A new service makes keys by itself when it is first "
        "started or migrated; its other processes need the same ones.",
    )


def make_keys(settings: Settings, path: Path) -> str:
    """New keys in a file for us alone; whoever was first wins, and nobody ever reads half of one."""
    make_folder(settings)
    handle, draft = tempfile.mkstemp(prefix="keys-", dir=path.parent)  # readable by us alone from the start
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(Vault.written() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
    return path.read_text(encoding="ascii")


# The port ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def reserved(host: str, port: int, patience: float = PORT_PATIENCE) -> Iterator[None]:
    """Hold the port while the service gets ready, so that the word comes first if somebody else has it.

    Raises:
        Trouble: it is taken, or not for us.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + patience
    with socket.socket(family) as held:
        while True:
            try:
                with socket.socket(family) as asked:
                    asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    asked.bind((host, port))
                # The server's processes share the port by this option, and so may we: nobody else gets it meanwhile.
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                held.bind((host, port))
                break
            except OSError as error:
                if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                    time.sleep(0.1)
                    continue
                raise _no_port(host, port, error) from error
        yield


def _no_port(host: str, port: int, error: OSError) -> Trouble:
    if error.errno == errno.EADDRINUSE:
        return Trouble(
            f"Port {port} is taken: something else already serves there.",
            f"Choose another (`sojourn serve --port {port + 1}`), or stop what is there.",
        )
    if error.errno == errno.EACCES:
        return Trouble(f"Port {port} is not for ordinary users.", "Choose one above 1023 (`--port 8000`).")
    return Trouble(f"{host} is no address of this machine.", "Leave --host out, or use 0.0.0.0 for all addresses.")


# Ending ------------------------------------------------------------------------------------------------------------


def end_on_sigterm() -> None:
    """From now on SIGTERM does what Ctrl-C does, so that nothing is left running."""
    # By the handler of Ctrl-C itself: asyncio has its own, which cancels instead of bursting into what runs.
    signal.signal(signal.SIGTERM, lambda _number, _frame: signal.raise_signal(signal.SIGINT))


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Nothing cuts the block short, not even an impatient second Ctrl-C."""
    before = {s: signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)


async def end_with(parent: int) -> None:
    """End this process when its parent is gone: a killed service leaves nobody behind who holds its port."""
    while os.getppid() == parent:  # noqa: ASYNC110 - there is no event for it that every system has
        await asyncio.sleep(0.3)
    os._exit(1)  # like the parent: at once, and nothing that was acknowledged is lost


# The log -----------------------------------------------------------------------------------------------------------


def _types_only(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Of an exception its type alone: its words may carry what people entered."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
    return event


class _FirstLine(logging.Filter):
    """Of a library's record its first line as it was coded: what is filled in, or follows, may be anybody's."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = str(record.msg).partition("\n")[0], ()
        return True


def write_log(settings: Settings, to: TextIO | None = None) -> None:
    """One line of JSON an event on the standard error; in a terminal, lines for people."""
    out = to or sys.stderr
    as_json = not out.isatty() if settings.log_json is None else settings.log_json
    common: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _types_only,
    ]
    last: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*common, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.addFilter(_FirstLine())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
