"""One database for the walks of a module, and how long they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from service.actions.work import Services
from service.storage.database import Database
from service.storage.files import Files
from service.storage.vault import Vault
from tests.chains import broken_chains
from tests.conftest import Server
from tests.walks.walking import Ground


@pytest.fixture(scope="module")
async def ground(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """Where the walks of a module take place, each in an institution of its own; at the end every chain verifies."""
    dsn = await server.database(template)
    files: Path = tmp_path_factory.mktemp("walks")
    database = await Database.open(dsn, 3)
    auditor = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    try:
        yield Ground(Services(database, Vault.parse(Vault.written()), Files(files.as_uri())), auditor)
        assert await broken_chains(dsn) == []
    finally:
        await auditor.close()
        await database.close()
        await server.drop(dsn)
