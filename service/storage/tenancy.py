"""The second wall: every statement names its institution, and sets it for row-level security before it reads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    select,
    text,
    true,
)

INSTITUTION: BindParameter[UUID] = bindparam("institution", type_=Uuid)
ONE: ColumnElement[Any] = text("1")  # type: ignore[assignment]

tenant = (
    select(func.set_config(text("'app.institution'"), cast(INSTITUTION, Text), true()).label("i"))
    .cte("tenant")
    .prefix_with("MATERIALIZED")
)
GATE: ColumnElement[bool] = select(tenant.c.i).scalar_subquery().is_not(None)
"""No column of a table in it: a one-time filter above every scan, so that the institution is set before any is read."""

POLICY = "institution_id = nullif(current_setting('app.institution', true), '')::uuid"


def mine(table: FromClause) -> ColumnElement[bool]:
    """The rows of the institution that asks."""
    return table.c.institution_id == INSTITUTION


def gated(statement: Select[Any]) -> Select[Any]:
    """The statement behind the gate; for a read the one at its top is enough, for nothing below runs before it."""
    return statement.where(GATE)
