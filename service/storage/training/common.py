"""What classes and memberships share when they are read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, and_, cast, or_, select
from sqlalchemy.sql.elements import ColumnElement

from service.domain.training import CLASS_CANCELLED, LIVE
from service.storage.opening import word
from service.storage.tables.training import memberships
from service.storage.tenancy import mine

_m = memberships
LIVE_STATES = [word(state) for state in LIVE]


def as_text(column: ColumnElement[Any]) -> ColumnElement[str]:
    """A number as text: JSON numbers are not exact."""
    return cast(column, Text)


def concerned() -> ColumnElement[bool]:
    """Memberships that hold a place, or that ended when their class was cancelled."""
    return or_(
        _m.c.state.in_(LIVE_STATES), and_(_m.c.state == word("withdrawn"), _m.c.ended_because == word(CLASS_CANCELLED))
    )


def live_in(klass: Any, person: Any, *, but: Any = None) -> ColumnElement[bool]:
    """Whether somebody holds a place of the class, by another membership than the one named."""
    o = memberships.alias("other_membership")
    conditions = [mine(o), o.c.class_id == klass, o.c.person_id == person, o.c.state.in_(LIVE_STATES)]
    if but is not None:
        conditions.append(o.c.id != but)
    return select(o.c.id).where(*conditions).exists()
