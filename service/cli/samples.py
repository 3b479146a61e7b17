"""The sample world from the command line: load it once, and remember whom it lets sign in."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from service.cli.words import out, progress_bar, say, table
from service.launch import Trouble, check_migrated, end_with, look, make_folder, standing
from service.main import services_of
from service.sample.load import SampleWorld, load
from service.settings import Settings

_WORLD = TypeAdapter(SampleWorld)


def load_sample(settings: Settings, beside: int | None = None) -> SampleWorld:
    """Load the sample world into the database of the settings; it ends with the process beside which it runs.

    Raises:
        Trouble: there are institutions already, or the database cannot be had.
    """
    with standing(settings, make=True) as found:
        check_migrated(found.dsn)
        condition = look(found.dsn)
        if condition is not None and condition.institutions:
            raise Trouble(
                "The database holds institutions already; the sample world goes into an empty one.",
                "Name an empty database in DATABASE_URL, or an empty folder in SOJOURN_FOLDER.",
            )

        async def inside(progress: Callable[[str, int, int], None]) -> SampleWorld:
            watch = asyncio.create_task(end_with(beside)) if beside else None
            async with services_of(settings, found.dsn, found.keys)() as services:
                world = await load(services, progress=progress, trainees=settings.sample_trainees)
            if watch:
                watch.cancel()
            return world

        with progress_bar() as progress:
            world = asyncio.run(inside(progress))
        _remember(settings, world)
    return world


def _note(settings: Settings) -> Path:
    return settings.folder / "sample.json"


def _remember(settings: Settings, world: SampleWorld) -> None:
    make_folder(settings)
    handle, draft = tempfile.mkstemp(prefix="sample-", dir=settings.folder)
    with os.fdopen(handle, "wb") as file:
        file.write(_WORLD.dump_json(world, indent=1))
    Path(draft).replace(_note(settings))


def remembered(settings: Settings) -> SampleWorld | None:
    """The sample world that was loaded from this folder, if one was."""
    try:
        return _WORLD.validate_json(_note(settings).read_bytes())
    except (OSError, ValidationError):
        return None


def show(world: SampleWorld, address: str) -> None:
    """Whom to sign in as, and what to try first."""
    say(f"The sample world: {world.name}. One account a role, all with the password: {world.password}")
    listed = table("  role", "e-mail", "name")
    for account in world.accounts:
        listed.add_row(f"  {account.role}", account.email, account.name)
    out.print(listed)
    say("\nThree calls to try, in another terminal: sign in, then look.\n")
    first = next((a for a in world.accounts if a.role == "coordinator"), world.accounts[0])
    body = json.dumps({"email": first.email, "password": world.password})
    take = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])'"
    say(f"  TOKEN=$(curl -s {address}/v1/login -H 'Content-Type: application/json' -d {shlex.quote(body)} | {take})")
    for path in world.calls:
        say(f'  curl -s -H "Authorization: Bearer $TOKEN" {shlex.quote(address + path)}')
