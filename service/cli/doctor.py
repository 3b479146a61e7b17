"""`sojourn doctor`: looks at everything that the service needs, and says how to mend what is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from service.launch import DATABASE, Trouble, look, make_folder, own_cluster, read_keys, reserved
from service.settings import Settings
from service.storage import checkup, files, migrating
from service.storage.embedded import OLDEST_MAJOR, StartFailed, WrongVersion
from service.storage.ids import uuid7

OLDEST_PYTHON = (3, 11)
ROOM_LEAST = 512 * 1024 * 1024
CLOCK_MOST = 2.0
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; where it is not well, `mend` says what to do."""

    about: str
    said: str
    mend: str = ""

    @property
    def wrong(self) -> bool:
        """Whether the service will not work as it should."""
        return bool(self.mend)

    def told(self) -> str:
        """The finding in a line, or two."""
        line = f"{'WRONG' if self.wrong else 'ok   '}  {self.about}: {self.said}"
        return f"{line}\n       {self.mend}" if self.wrong else line


def examine(settings: Settings, host: str, port: int) -> list[Finding]:
    """Everything, in the order in which it is needed."""
    return [
        _python(),
        _zones(),
        *_folder(settings),
        *_server(settings),
        asyncio.run(_store(settings)),
        _port(host, port),
    ]


def _python() -> Finding:
    said = ".".join(str(n) for n in sys.version_info[:3])
    if sys.version_info < OLDEST_PYTHON:
        return Finding("Python", said, "Sojourn needs Python 3.11 or newer: make its environment with that.")
    return Finding("Python", said)


def _zones() -> Finding:
    try:
        ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        return Finding("Time zones", "not installed", "Install again from requirements.lock: tzdata is missing.")
    return Finding("Time zones", "known")


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.folder.resolve()
    try:
        make_folder(settings)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (Trouble, OSError):
        yield Finding(
            "Folder", f"{folder} cannot be written", "Give it to this user, or name another in SOJOURN_FOLDER."
        )
        return
    room = shutil.disk_usage(folder).free
    if room < ROOM_LEAST:
        yield Finding("Folder", f"{folder} has {room // 2**20} MB left", "Make room: PostgreSQL stops on a full disk.")
    else:
        yield Finding("Folder", f"{folder}, {room // 2**30} GB left")


def _keys(settings: Settings, dsn: str, institutions: int) -> Finding:
    path = settings.folder / "keys"
    written = settings.keys
    where = "SOJOURN_KEYS"
    if written is None:
        where = str(path)
        try:
            written = path.read_text(encoding="ascii")
        except FileNotFoundError:
            if institutions:
                return Finding("Keys", "there are none", f"Put {path} back from your backup, or set SOJOURN_KEYS.")
            return Finding("Keys", "none yet; the first start makes them")
        except (OSError, UnicodeDecodeError):
            return Finding("Keys", f"{path} cannot be read", "Let the user who runs the service own and read it.")
        if path.stat().st_mode & 0o077:
            return Finding("Keys", f"{path} is open to others", f"chmod 600 {path}")
    try:
        vault = read_keys(written)
    except Trouble as trouble:
        return Finding("Keys", str(trouble), trouble.mend)
    if institutions and not asyncio.run(checkup.opens(dsn, vault)):
        return Finding("Keys", f"{where} does not open the data", "Put back the keys that belong to this database.")
    return Finding("Keys", f"{where}, {'and they open the data' if institutions else 'nothing sealed yet'}")


def _server(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is not None:
        yield from _database(settings, settings.database_url)
        return
    try:
        cluster = own_cluster(settings)
    except Trouble as trouble:
        yield Finding("PostgreSQL", str(trouble), trouble.mend)
        return
    if not (cluster.data / "PG_VERSION").exists():
        yield Finding("PostgreSQL", f"our own, version {cluster.major}; the first start makes its data")
        return
    try:
        with cluster:
            yield from _database(settings, cluster.dsn(DATABASE))
    except (WrongVersion, StartFailed, TimeoutError, OSError) as error:
        yield Finding("PostgreSQL", "does not start", f"{error}")


def _database(settings: Settings, dsn: str) -> Iterator[Finding]:
    whose = "the one of DATABASE_URL" if settings.database_url else "our own"
    try:
        found = look(dsn)
    except Trouble as trouble:
        yield Finding("PostgreSQL", f"{whose}: {trouble}", trouble.mend)
        return
    if found is None:
        mend = "Create it: createdb" if settings.database_url else "Start once more: `sojourn serve` completes it."
        yield Finding("Database", "does not exist", mend)
        return
    if found.major < OLDEST_MAJOR:
        yield Finding("PostgreSQL", f"version {found.major}", f"Use PostgreSQL {OLDEST_MAJOR} or newer.")
    else:
        yield Finding("PostgreSQL", f"{whose}, version {found.major}")
    if found.encoding != "UTF8":
        yield Finding("Encoding", found.encoding, "Create the database with ENCODING 'UTF8' TEMPLATE template0.")
    if not found.safe_commits:
        yield Finding(
            "Durability", "commits are answered before they are on disk", "Turn fsync and synchronous_commit on."
        )
    if abs(found.clock) > CLOCK_MOST:
        yield Finding("Clock", f"the server's is {found.clock:+.1f} s from ours", "Let both machines keep time by NTP.")
    else:
        yield Finding("Clock", "the same as the server's")
    yield from _schema(settings, dsn, found)


def _schema(settings: Settings, dsn: str, found: checkup.Condition) -> Iterator[Finding]:
    if found.version is None:
        yield Finding("Migrations", "the database is empty", "Run `sojourn migrate`.")
        return
    if found.version != migrating.latest():
        yield Finding(
            "Migrations",
            f"the database is at {found.version}, this Sojourn works with {migrating.latest()}",
            "Run `sojourn migrate`; where the database is the newer one, run the newer Sojourn.",
        )
    else:
        yield Finding("Migrations", f"at {found.version}")
    if not found.role_usable:
        yield Finding(
            "Role",
            "the user of the URL may not act as sojourn_service",
            "As a superuser: GRANT sojourn_service TO the user, or let a user who may create roles migrate.",
        )
    else:
        yield Finding("Role", "sojourn_service, under which rows of other institutions are out of reach")
    yield _keys(settings, dsn, found.institutions)
    yield Finding("Institutions", str(found.institutions) if found.institutions else "none yet")


async def _chunks() -> AsyncIterator[bytes]:
    yield b"Sojourn was here.\n"


async def _store(settings: Settings) -> Finding:
    shown = "the folder's files" if settings.files_url is None else "the one of SOJOURN_FILES_URL"
    probe = uuid7()
    try:
        store = files.Files(settings.files())
        await store.put(_chunks(), institution=NOBODY, document_id=probe, limit=1024)
        await store.delete(institution=NOBODY, document_id=probe)
    except (files.Unreachable, ValueError, OSError) as error:
        return Finding(
            "Documents",
            f"{shown} takes none ({type(error).__name__})",
            "Correct SOJOURN_FILES_URL, or its permissions.",
        )
    if settings.files_url is None:
        with contextlib.suppress(OSError):
            (settings.folder / "files" / str(NOBODY)).rmdir()
    return Finding("Documents", f"kept in {shown}")


def _port(host: str, port: int) -> Finding:
    try:
        with reserved(host, port, patience=0):
            return Finding("Port", f"{port} is free")
    except Trouble as trouble:
        return Finding("Port", str(trouble), f"If that is Sojourn itself, all is well. Else: {trouble.mend}")
