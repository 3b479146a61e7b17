"""Forms that every table is made of, so that tenancy, versions and states look the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Date,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import UserDefinedType

from service.domain.lifecycle import Lifecycle

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)
INSTANT = TIMESTAMP(timezone=True)
EXTENSIONS = ("btree_gist",)
"""What PostgreSQL itself ships and the tables need: editions of a rule that may not overlap stand in such an index."""


@event.listens_for(metadata, "before_create")
def _extend(_: object, connection: Connection, **_more: object) -> None:
    for name in EXTENSIONS:
        connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {name}"))


SHARED: set[str] = set()
"""Tables that all tenants share: identities, no tenant's data."""
WRITTEN_ONCE: set[str] = set()
"""Tables whose rows the service may insert and never change."""
FORGETTABLE: set[str] = set()
"""Tables whose rows the service may also delete."""
LIFECYCLES: dict[str, tuple[Lifecycle[Any], str]] = {}
"""Tables whose `state` is a lifecycle's, each with the column that names the stream of its events."""


class Xid8(UserDefinedType[str]):
    """The transaction that left an event. It proves togetherness within one commit and orders nothing."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in SQL."""
        return "xid8"


def c(name: str, type_: Any = Text, *more: Any, null: bool = False, **options: Any) -> Column[Any]:
    """A column that is filled unless it says otherwise."""
    return Column(name, type_, *more, nullable=null, **options)


def instant(name: str, *, null: bool = False) -> Column[Any]:
    """An instant, always with a zone."""
    return c(name, INSTANT, null=null)


def one_of(column: str, values: Iterable[str], name: str | None = None) -> CheckConstraint:
    """The column holds one of the codes."""
    listed = ", ".join(f"'{v}'" for v in sorted(values))
    return CheckConstraint(f"{column} IN ({listed})", name=name or f"{column}_known")


def tenant_table(name: str, *items: SchemaItem, key: tuple[str, ...] = ("id",), **options: Any) -> Table:
    """A tenant's table: the institution first in its primary key."""
    keys = [c("id", Uuid)] if key == ("id",) else []
    return Table(
        name,
        metadata,
        c("institution_id", Uuid),
        *keys,
        *items,
        PrimaryKeyConstraint("institution_id", *key),
        **options,
    )


def shared_table(name: str, *items: SchemaItem) -> Table:
    """A table of identities that all tenants share."""
    SHARED.add(name)
    return Table(name, metadata, *items)


def refers(column: str, table: str, to: str = "id", *, deferred: bool = False) -> ForeignKeyConstraint:
    """A reference inside the institution; a reference across tenants cannot be written down."""
    late: dict[str, Any] = {"deferrable": True, "initially": "DEFERRED"} if deferred else {}
    return ForeignKeyConstraint(
        ["institution_id", column],
        [f"{table}.institution_id", f"{table}.{to}"],
        **late,
    )


def belongs(name: str, table: str, *, null: bool = False) -> list[SchemaItem]:
    """A column that refers to another row of the same institution, with the full index that its key needs."""
    return [c(name, Uuid, null=null), refers(name, table), Index(None, "institution_id", name)]


def looked_at(table: str) -> list[SchemaItem]:
    """By which rules the clock of obligations last looked at a row, and on which day it looks again: none is never.

    Nothing stands in the first one until it was looked at, and again after a change of what counts.
    """
    return [
        c("looked_by", server_default=""),
        c("look_on", Date, null=True),
        Index(f"{table}_by_look", "institution_id", "looked_by", "look_on"),
    ]


def item_table(
    name: str, lifecycle: Lifecycle[Any], *items: SchemaItem, stream: str = "person_id", **options: Any
) -> Table:
    """A table of things with a version and a lifecycle.

    `stream` names the column that says in which stream its events stand: `person_id`, or `id` where it has its own.
    """
    mine: list[SchemaItem] = [
        c("state"),
        c("version", BigInteger),
        c("event_seq", BigInteger),
        c("since_on", Date),
        c("contested_seq", BigInteger, null=True),
        instant("created_at"),
        one_of("state", lifecycle.states()),
        Index(f"{name}_contested", "institution_id", "id", postgresql_where=text("contested_seq IS NOT NULL")),
    ]
    options.setdefault("postgresql_with", {"fillfactor": "80"})
    table = tenant_table(name, *mine, *items, **options)
    LIFECYCLES[name] = (lifecycle, stream)
    return table
