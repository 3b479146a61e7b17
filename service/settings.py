"""Settings, from the environment; read by the processes' entry points only."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting has a default with which the service works; `DATABASE_URL` names a server instead of our own."""

    model_config = SettingsConfigDict(
        env_prefix="SOJOURN_", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    folder: Path = Path(".sojourn")
    keys: str | None = None
    files_url: str | None = None
    pool_size: int = Field(default=8, ge=2, le=100)
    workers: int = Field(default=2, ge=1, le=64)
    origins: list[str] = []
    metrics_token: str | None = None
    log_json: bool | None = None
    argon2_memory_kib: int = 19456
    proxies: list[str] = []
    rate_key: int = Field(default=600, ge=1)
    rate_institution: int = Field(default=6000, ge=1)
    rate_address: int = Field(default=300, ge=1)
    sample_trainees: int = Field(default=3000, ge=100, le=100_000)

    @field_validator("database_url")
    @classmethod
    def _plain(cls, url: str | None) -> str | None:
        """URLs are written for one driver or another; ours takes the plain form."""
        scheme, separator, rest = (url or "").partition("://")
        return f"{scheme.partition('+')[0]}{separator}{rest}" if url else None

    def files(self) -> str:
        """Where documents are kept."""
        return self.files_url or (self.folder.resolve() / "files").as_uri()
