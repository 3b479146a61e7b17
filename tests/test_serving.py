"""The service as a stranger runs it: one command in an empty folder."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

STARTING = 240.0  # with the sample world, on a machine that has other things to do
COORDINATOR = "coordinator@north.example.org"
PASSWORD = "correct horse battery staple"

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("serving"),
    pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="asks Linux what is left running"),
]


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


def bare_environment(**more: str) -> dict[str, str]:
    ours = ("DATABASE_URL", "SOJOURN_", "VIRTUAL_ENV", "COVERAGE_")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)} | more


def processes_in(folder: Path) -> dict[int, str]:
    """The processes that work inside a folder, and how they were called."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


class Served:
    """`sojourn serve` in a folder, as a process of its own."""

    def __init__(self, folder: Path, *more: str, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.out = folder / "out.txt"
        self.began = time.monotonic()
        with self.out.open("wb") as out, (folder / "err.txt").open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service.cli", "serve", "--port", str(self.port), "--workers", "1", *more],
                cwd=folder,
                env=bare_environment(SOJOURN_SAMPLE_TRAINEES="150"),  # the whole year is served by .ci/run
                stdout=out,
                stderr=err,
            )

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
            asked.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
            answer = asked.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            asked.close()

    def until_ready(self) -> float:
        """Wait until it answers; after how many seconds it did."""
        while time.monotonic() - self.began < STARTING:
            assert self.process.poll() is None, self.said()
            if (
                "Ctrl-C stops everything." in self.out.read_text()
            ):  # and not: it answers, which may be an orphan's answer
                assert self.ask("GET", "/readyz") == (200, {"status": "ready"})
                return time.monotonic() - self.began
            time.sleep(0.05)
        raise AssertionError(self.said())

    def until_said(self, words: str) -> None:
        while words not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() - self.began < STARTING, self.said()
            time.sleep(0.05)

    def run(self, *words: str, typed: str = "") -> str:
        """Another command of `sojourn` in the same folder, while this one serves."""
        done = subprocess.run(
            [sys.executable, "-m", "service.cli", *words],
            cwd=self.folder,
            env=bare_environment(),
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def found(self) -> None:
        """An institution with a coordinator, by the command line."""
        self.run("institution", "found", "北方学院", "North College", "--country", "CN", "--time-zone", "Asia/Shanghai")
        self.run("account", "appoint", COORDINATOR, "--name", "Wang Fang", "--role", "coordinator")
        self.run("account", "password", COORDINATOR, typed=f"{PASSWORD}\n")

    def sign_in(self, email: str = COORDINATOR, password: str = PASSWORD) -> str:
        status, answer = self.ask("POST", "/v1/login", {"email": email, "password": password})
        assert status == 200, answer
        return str(answer["access_token"])

    def said(self) -> str:
        return self.out.read_text() + (self.folder / "err.txt").read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    # PostgreSQL does not run as root: the account that it runs as must be able to pass through.
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    yield tmp_path
    for pid in processes_in(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_serve_starts_in_an_empty_folder_stops_on_sigterm_and_starts_again_with_the_data(folder: Path) -> None:
    first = Served(folder)
    first.until_ready()
    world = json.loads((folder / ".sojourn" / "sample.json").read_bytes())
    email = next(account["email"] for account in world["accounts"] if account["role"] == "coordinator")
    token = first.sign_in(email, world["password"])
    assert first.ask("GET", "/v1/me", token=token)[1]["roles"] == ["coordinator"]
    for path in world["calls"]:
        assert first.ask("GET", path, token=token)[0] == 200
    told = first.out.read_text()
    assert told.count("curl -s") == 1 + len(world["calls"])
    assert f"http://localhost:{first.port}/docs" in told
    assert (folder / ".sojourn" / "keys").stat().st_mode & 0o777 == 0o600
    events = _until_fed(first, token)

    assert first.stop() == 0, first.said()
    assert processes_in(folder) == {}

    second = Served(folder)
    seconds = second.until_ready()
    assert second.ask("GET", "/v1/me", token=token)[0] == 200
    assert _until_fed(second, token) == events
    assert second.stop(signal.SIGINT) == 0, second.said()
    assert processes_in(folder) == {}
    assert seconds < 20


def _until_fed(served: Served, token: str) -> list[int]:
    """The numbers of the feed, once the worker has numbered what there is."""
    numbers: list[int] = []
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        status, answer = served.ask("GET", "/v1/events?limit=200", token=token)
        assert status == 200, answer
        before, numbers = numbers, [each["feed_no"] for each in answer["items"]]
        if numbers and numbers == before:
            break
        time.sleep(0.5)
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers
    return numbers


def test_serve_recovers_from_a_kill_at_any_moment(folder: Path) -> None:
    early = Served(folder)
    early.until_said("Loading the sample world")
    time.sleep(1)
    early.stop(signal.SIGKILL)
    until_left(folder, "sample")

    running = Served(folder, "--no-sample")
    running.until_ready()
    assert running.run("institution", "list").split() == ["id", "name"]
    running.found()
    token = running.sign_in()
    me = running.ask("GET", "/v1/me", token=token)
    assert me[0] == 200
    running.stop(signal.SIGKILL)

    again = Served(folder, "--no-sample", port=running.port)
    again.until_ready()
    assert again.ask("GET", "/v1/me", token=token) == me
    assert again.stop() == 0, again.said()
    until_left(folder)


def until_left(folder: Path, word: str = "") -> None:
    """Wait until no process with this word in its command is left: what was orphaned notices that it is alone."""
    deadline = time.monotonic() + 20
    while left := [command for command in processes_in(folder).values() if word in command]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_serve_ends_at_once_with_a_clear_word_when_the_port_is_taken(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        served = Served(folder, port=other.getsockname()[1])
        assert served.process.wait(30) == 1
    assert f"Port {served.port} is taken" in served.said()
    assert "--port" in served.said()
    assert not (folder / ".sojourn").exists()


def test_serve_twice_side_by_side_in_two_folders(folder: Path) -> None:
    folders = [folder / "north", folder / "south"]
    for each in folders:
        each.mkdir()
    both = [Served(each, "--no-sample") for each in folders]
    for served in both:
        served.until_ready()
    assert both[0].stop() == 0
    assert processes_in(folders[0]) == {}
    assert both[1].ask("GET", "/readyz")[0] == 200
    assert both[1].stop() == 0
    assert processes_in(folders[1]) == {}


def test_sigterm_while_it_gets_ready_leaves_nothing_running(folder: Path) -> None:
    served = Served(folder)
    served.until_said("Making the database")
    time.sleep(0.5)
    assert served.stop() == 0, served.said()
    assert processes_in(folder) == {}


def test_sigterm_lets_a_running_request_end(folder: Path) -> None:
    served = Served(folder, "--no-sample")
    served.until_ready()
    served.found()
    body = json.dumps({"email": COORDINATOR, "password": PASSWORD}).encode()
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as slow:
        head = f"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        slow.sendall(head.encode() + body[:10])
        time.sleep(0.5)
        served.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        slow.sendall(body[10:])
        assert slow.recv(64).startswith(b"HTTP/1.1 200 ")
    assert served.process.wait(60) == 0, served.said()
    assert processes_in(folder) == {}
