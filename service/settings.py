"""Settings, from the environment; read by the processes' entry points only."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting has a default with which the service works; `DATABASE_URL` names a server instead of our own."""

    model_config = SettingsConfigDict(env_prefix="SOJOURN_", extra="ignore")

    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    folder: Path = Path(".sojourn")
    keys: str | None = None
    files_url: str | None = None
    pool_size: int = 8
    workers: int = 2
    origins: list[str] = []
    metrics_token: str | None = None
    log_json: bool = True
    argon2_memory_kib: int = 19456

    def files(self) -> str:
        """Where documents are kept."""
        return self.files_url or (self.folder.resolve() / "files").as_uri()
