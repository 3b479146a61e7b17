"""Migrations: found beside the code, run one at a time, and the walls drawn anew when the code's edges changed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text

from service.storage import walls
from service.storage.database import APP_ROLE


def folder() -> Path:
    """Where the migrations are: inside the wheel, or beside the package in a checkout.

    Raises:
        FileNotFoundError: neither is there; the installation is broken.
    """
    here = Path(__file__).resolve().parents[1]
    for candidate in (here / "_migrations", here.parent / "migrations"):
        if (candidate / "env.py").exists():
            return candidate
    raise FileNotFoundError("the migrations are neither in the package nor beside it: install Sojourn again")


def config(dsn: str = "") -> Config:
    """Alembic's settings, in code: there is no ini file."""
    made = Config()
    made.set_main_option("script_location", str(folder()).replace("%", "%%"))
    made.attributes["url"] = async_url(dsn) if dsn else None
    return made


def async_url(dsn: str) -> str:
    """A user's URL for SQLAlchemy's async engine: a plain `postgresql://` means another driver there."""
    return make_url(dsn).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


@cache
def latest() -> str:
    """The version that this code knows."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def upgrade(dsn: str, to: str = "head") -> None:
    """Bring the database to a version; several processes at once are fine, one after the other does it."""
    command.upgrade(config(dsn), to)


def downgrade(dsn: str, to: str) -> None:
    """Take the database back to a version."""
    command.downgrade(config(dsn), to)


def draw_walls(connection: Connection) -> bool:
    """Put the walls up as the code has them; whether they had changed."""
    connection.execute(text("CREATE TABLE IF NOT EXISTS walls (digest text NOT NULL)"))
    drawn = connection.execute(text("SELECT digest FROM walls")).scalar()
    now = walls.digest()
    if drawn == now:
        return False
    for statement in (*walls.ROLE_SQL, *walls.wall_sql()):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {APP_ROLE}")
    connection.execute(text("DELETE FROM walls"))
    connection.execute(text("INSERT INTO walls (digest) VALUES (:digest)"), {"digest": now})
    return True
