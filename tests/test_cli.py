"""The command line, over a database of the test's own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from typer.testing import CliRunner, Result

from service import worker
from service.actions import clock, institutions
from service.actions.work import Services
from service.api.tokens import digest_of, read_token
from service.cli import app
from service.cli.lifecycles import PAGE, page
from service.domain.actors import Role
from service.launch import Trouble, make_keys, reserved, standing
from service.settings import Settings
from service.storage.accounts import use_invitation
from service.storage.database import Database, connect
from service.storage.sequencer import number_events
from service.storage.vault import Vault
from tests.conftest import PASSWORD, Server, World

Run = Callable[..., Result]


@pytest.fixture
def run(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `sojourn` with the words given; an exception that nobody put into words fails the test."""
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("SOJOURN_FOLDER", str(tmp_path / "kept"))
    monkeypatch.delenv("SOJOURN_KEYS", raising=False)
    before = signal.getsignal(signal.SIGTERM)

    def invoke(*words: str, typed: str | None = None) -> Result:
        result = CliRunner().invoke(app, words, input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    yield invoke
    signal.signal(signal.SIGTERM, before)


def founded(run: Run) -> UUID:
    made = run("migrate")
    assert made.exit_code == 0, made.output
    found = run("institution", "found", "北方学院", "North College", "--country", "CN", "--time-zone", "Asia/Shanghai")
    assert found.exit_code == 0, found.output
    return UUID(found.output.split()[-1])


# Accounts and keys ---------------------------------------------------------------------------------------------------


def test_account_is_appointed_invited_and_signs_in_by_the_secret(run: Run, dsn: str) -> None:
    founded(run)
    words = ("account", "appoint", "wang@north.example.org", "--name", "Wang", "--role", "coordinator")
    appointed = run(*words, "--role", "registrar")
    assert appointed.exit_code == 0, appointed.output
    first = next(line.strip() for line in appointed.output.splitlines() if line.startswith("  "))
    invited = run("account", "invite", "WANG@north.example.org")
    second = next(line.strip() for line in invited.output.splitlines() if line.startswith("  "))

    async def accept(secret: str) -> bool:
        database = await Database.open(dsn, 2)
        try:
            return await use_invitation(database, digest_of(secret), "hash")
        finally:
            await database.close()

    assert [asyncio.run(accept(s)) for s in (first, first, second, "x" * 43)] == [True, False, True, False]
    listed = run("account", "list", "wang@north.example.org")
    assert "North College" in listed.output
    assert "coordinator, registrar" in listed.output


def test_account_appointed_twice_is_refused_in_words(run: Run) -> None:
    founded(run)
    words = ("account", "appoint", "wang@north.example.org", "--name", "Wang", "--role", "coordinator")
    assert run(*words).exit_code == 0
    again = run(*words)
    assert (again.exit_code, "Refused by the rule appointments_one_held" in again.output) == (1, True)


def test_account_of_a_role_that_nobody_knows_is_told_which_there_are(run: Run) -> None:
    result = run("account", "appoint", "x@north.example.org", "--name", "X", "--role", "dean")
    assert (result.exit_code, "There is no role called dean." in result.output) == (1, True)
    assert "coordinator" in result.output


def test_account_password_is_read_from_the_standard_input(run: Run) -> None:
    founded(run)
    assert run("account", "appoint", "li@north.example.org", "--name", "Li", "--role", "admin").exit_code == 0
    short = run("account", "password", "li@north.example.org", typed="short\n")
    assert (short.exit_code, "From 12 to 200 characters." in short.output) == (1, True)
    assert run("account", "password", "li@north.example.org", typed=f"{PASSWORD}\n").output == "The password is set.\n"
    nobody = run("account", "password", "nobody@north.example.org", typed=f"{PASSWORD}\n")
    assert nobody.exit_code == 1


def test_account_of_one_of_several_institutions_must_name_it(run: Run) -> None:
    first = founded(run)
    founded(run)
    words = ("account", "appoint", "li@north.example.org", "--name", "Li", "--role", "admin")
    assert "There are several institutions." in run(*words).output
    assert run(*words, "--institution", str(first)).exit_code == 0


def test_key_is_made_and_revoked(run: Run, dsn: str) -> None:
    home = founded(run)
    assert run("account", "appoint", "li@north.example.org", "--name", "Li", "--role", "admin").exit_code == 0
    made = run("key", "make", "li@north.example.org", "--name", "student records", "--days", "30")
    assert made.exit_code == 0, made.output
    identity = made.output.split()[1].rstrip(",")
    token = read_token("Bearer " + made.output.split()[-1])
    assert token.institution == home

    async def kept() -> tuple[object, ...]:
        con = await connect(dsn)
        try:
            async with con.transaction():
                await con.execute("SELECT set_config('app.institution', $1, true)", str(home))
                row = await con.fetchrow(
                    "SELECT id::text, kind, name, expires_at::date - created_at::date, revoked_at IS NOT NULL "
                    "FROM credentials WHERE digest = $1",
                    token.digest,
                )
            return tuple(row.values()) if row else ()
        finally:
            await con.close()

    assert asyncio.run(kept()) == (identity, "key", "student records", 30, False)
    assert run("key", "revoke", identity).output == "The key is revoked.\n"
    assert asyncio.run(kept())[-1] is True
    assert run("key", "revoke", identity).exit_code == 1


# The keys of sealed columns ------------------------------------------------------------------------------------------


def test_keys_are_made_once_and_for_us_alone(tmp_path: Path) -> None:
    settings = Settings(folder=tmp_path)
    path = tmp_path / "keys"
    first = make_keys(settings, path)
    assert make_keys(settings, path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["files", "keys"]
    Vault.parse(first.strip())


def test_keys_that_are_gone_or_of_another_database_are_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    founded(run)
    assert run("account", "appoint", "li@north.example.org", "--name", "Li", "--role", "admin").exit_code == 0
    path = tmp_path / "kept" / "keys"
    kept = path.read_text()
    path.unlink()
    gone = run("institution", "list")
    assert (gone.exit_code, "There are no keys" in gone.output) == (1, True)
    assert not path.exists()
    monkeypatch.setenv("SOJOURN_KEYS", Vault.written())
    other = run("migrate")
    assert (other.exit_code, "are not those with which this database was sealed" in other.output) == (1, True)
    monkeypatch.setenv("SOJOURN_KEYS", "k1:short")
    assert "not in the form id:base64" in run("migrate").output
    monkeypatch.setenv("SOJOURN_KEYS", kept.strip())
    assert run("institution", "list").exit_code == 0


# Set-ups -------------------------------------------------------------------------------------------------------------


def test_database_that_is_empty_or_away_is_told_in_words(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("migrate").exit_code == 0  # makes the keys
    empty = asyncio.run(server.database())
    monkeypatch.setenv("DATABASE_URL", empty)
    assert "The database is empty.\nRun `sojourn migrate` first." in run("institution", "list").output
    asyncio.run(server.drop(empty))
    assert "The database does not exist." in run("institution", "list").output
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody:secret@127.0.0.1:1/none")
    away = run("institution", "list")
    assert (away.exit_code, "The database does not answer" in away.output) == (1, True)
    assert "secret" not in away.output


def test_settings_that_cannot_be_read_are_named_and_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_POOL_SIZE", "very secret")
    result = run("institution", "list")
    assert (result.exit_code, "pool_size" in result.output, "very secret" in result.output) == (1, True, False)


def test_url_for_another_driver_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://u@h/d")
    assert Settings().database_url == "postgresql://u@h/d"
    monkeypatch.setenv("DATABASE_URL", "")
    assert Settings().database_url is None


def test_standing_without_a_database_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="There is no database"), standing(Settings(folder=tmp_path, database_url=None)):
        pass


def test_port_is_held_against_others(unused_port: int) -> None:
    with (
        reserved("127.0.0.1", unused_port),
        pytest.raises(Trouble, match=f"Port {unused_port} is taken"),
        reserved("127.0.0.1", unused_port, patience=0),
    ):
        pass
    with reserved("127.0.0.1", unused_port, patience=0):
        pass


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


def test_sample_world_goes_into_an_empty_database_only(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOJOURN_SAMPLE_TRAINEES", "150")
    assert run("migrate").exit_code == 0
    loaded = run("sample")
    assert loaded.exit_code == 0, loaded.output
    note = json.loads((tmp_path / "kept" / "sample.json").read_bytes())
    assert {a["role"] for a in note["accounts"]} == {r.value for r in Role} - {"system"}
    assert "hold institutions already" in run("sample").output.replace("holds", "hold")


def test_migrate_twice_says_so(run: Run) -> None:
    assert run("migrate").exit_code == 0
    assert run("migrate").output.endswith("already.\n")


# The doctor ----------------------------------------------------------------------------------------------------------


def test_doctor_finds_a_good_set_up_good(run: Run, unused_port: int) -> None:
    founded(run)
    result = run("doctor", "--port", str(unused_port))
    assert _wrong(result) == []
    about = [line[7:].partition(":")[0] for line in result.output.splitlines() if line.startswith("ok")]
    assert about == [
        *("Python", "Time zones", "Folder", "PostgreSQL", "Clock", "Migrations", "Role", "Keys", "Institutions"),
        *("Documents", "Port"),
    ]


def test_doctor_names_what_is_wrong_and_how_to_mend_it(
    run: Run, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    founded(run)
    assert run("account", "appoint", "li@north.example.org", "--name", "Li", "--role", "admin").exit_code == 0
    (tmp_path / "kept" / "keys").chmod(0o644)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        open_keys = run("doctor", "--port", port)
    assert _wrong(open_keys) == ["Keys", "Port"]
    assert "chmod 600" in open_keys.output
    monkeypatch.setenv("SOJOURN_KEYS", Vault.written())
    assert _wrong(run("doctor", "--port", port)) == ["Keys"]
    monkeypatch.setenv("SOJOURN_FILES_URL", "ftp://nowhere")
    empty = asyncio.run(server.database())
    monkeypatch.setenv("DATABASE_URL", empty)
    assert _wrong(run("doctor", "--port", port)) == ["Migrations", "Documents"]
    asyncio.run(server.drop(empty))
    assert _wrong(run("doctor", "--port", port)) == ["Database", "Documents"]
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody:secret@127.0.0.1:1/none")
    away = run("doctor", "--port", port)
    assert (_wrong(away), "secret" in away.output) == (["PostgreSQL", "Documents"], False)


def _wrong(result: Result) -> list[str]:
    found = [line[7:].partition(":")[0] for line in result.output.splitlines() if line.startswith("WRONG")]
    assert result.exit_code == bool(found), result.output
    return [about for about in found if about != "Durability"]  # which the tests' own server gives up for speed


# Lifecycles ----------------------------------------------------------------------------------------------------------


def test_lifecycles_page_is_drawn_from_the_present_code() -> None:
    written = (Path(__file__).parents[1] / PAGE).read_text(encoding="utf-8")
    assert written == page(), f"stale: sojourn lifecycles --write {PAGE}"


def test_lifecycles_are_printed_as_tables_and_as_mermaid(run: Run) -> None:
    rows = run("lifecycles", "relationship").output
    assert [line.split()[0] for line in rows.splitlines() if line.startswith("suspend")] == ["suspend"]
    assert "recorded --> verified: verify" in run("lifecycles", "relationship", "--mermaid").output
    unknown = run("lifecycles", "friendship")
    assert (unknown.exit_code, "There is no lifecycle called friendship." in unknown.output) == (1, True)


# The worker ----------------------------------------------------------------------------------------------------------


def test_clock_rings_every_timer_of_every_capability() -> None:
    from importlib import import_module
    from pkgutil import iter_modules

    import service.actions

    named = [
        timer
        for module in iter_modules(service.actions.__path__)
        if module.name != "clock"
        for timer in getattr(import_module(f"service.actions.{module.name}"), "TIMERS", ())
    ]
    assert sorted(t.name for t in clock.TIMERS) == sorted(t.name for t in named)


async def _fed(dsn: str, institution: UUID) -> int:
    """How many events have their number; asked over a connection of its own, which nobody cuts."""
    con = await connect(dsn)
    try:
        async with con.transaction():
            await con.execute("SELECT set_config('app.institution', $1, true)", str(institution))
            return int(await con.fetchval("SELECT count(*) FROM feed WHERE institution_id = $1", institution))
    finally:
        await con.close()


@asynccontextmanager
async def _working(services: Services) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(worker.work(services, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


async def _until_fed(dsn: str, institution: UUID, number: int) -> None:
    async with asyncio.timeout(30):
        while await _fed(dsn, institution) != number:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)


async def test_worker_numbers_events_and_comes_back_when_the_database_does(
    world: World, dsn: str, server: Server
) -> None:
    own = await Database.open(dsn, 4)
    try:
        async with _working(Services(own, world.services.vault, world.services.files)):
            await _until_fed(dsn, world.institution, 1)
            con = await connect(server.dsn("postgres"))
            name = dsn.partition("?")[0].rpartition("/")[2]
            # Cut off and refused, as when the server goes away.
            await con.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            cut = await con.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1",
                name,
            )
            assert cut > 0
            await asyncio.sleep(1.5)
            await con.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            await con.close()
            database = await Database.open(dsn, 2)
            try:
                services = Services(database, world.services.vault, world.services.files)
                await institutions.appoint(
                    services, world.institution, email="a@north.example.org", name="A", roles=[Role.READER]
                )
            finally:
                await database.close()
            await _until_fed(dsn, world.institution, 2)
    finally:
        await own.close()


async def test_worker_serves_the_next_institution_when_one_fails(
    world: World, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await world.other()
    first, second = sorted([world.institution, other])

    async def fails_for_the_first(services: Services, institution: UUID) -> bool:
        if institution == first:
            raise ValueError("a name that must not be logged")
        return await number_events(services.database, institution) > 0

    monkeypatch.setattr(worker, "ROUNDS", (worker.Round(0.1, [worker.Duty("feed", fails_for_the_first)]),))
    with structlog.testing.capture_logs() as logs:
        async with _working(world.services):
            await _until_fed(dsn, second, 1)
    assert await _fed(dsn, first) == 0
    assert logs[0] == {
        "event": "duty_failed",
        "duty": "feed",
        "institution": str(first),
        "error": "ValueError",
        "sqlstate": None,
        "log_level": "error",
    }


# The log -------------------------------------------------------------------------------------------------------------


def test_log_is_json_without_the_words_of_exceptions(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import logging, structlog\n"
        "from service.launch import write_log\n"
        "from service.settings import Settings\n"
        "write_log(Settings())\n"
        "try: raise ValueError('Wang Fang')\n"
        "except ValueError:\n"
        "    structlog.get_logger().error('failed', exc_info=True)\n"
        "    logging.getLogger('asyncio').error('never retrieved\\nfuture: Wang Fang', exc_info=True)\n"
        "    logging.getLogger('other').warning('to %s', 'Wang Fang')\n"
        "structlog.get_logger().debug('quiet')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line["level"], line.get("error")) for line in lines] == [
        ("failed", "error", "ValueError"),
        ("never retrieved", "error", "ValueError"),
        ("to %s", "warning", None),
    ]
    assert "Wang" not in done.stderr
