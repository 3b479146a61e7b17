"""The days on which tests can be sat and registration is open, for plans."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, select

from service.domain.planning import TestDay
from service.storage.database import Statement
from service.storage.opening import TODAY, word
from service.storage.tables.sittings import sittings
from service.storage.tenancy import GATE, mine

MOST = 1000
"""Sittings that a plan looks at, the soonest first."""


def _day(id: UUID, test: str, level: str | None, held_on: date, register_until: date) -> TestDay:
    return TestDay(id=id, test=test, level=level, held_on=held_on, register_until=register_until)


_s = sittings
TEST_DAYS = Statement(
    select(_s.c.id, _s.c.test, _s.c.level, _s.c.held_on, _s.c.register_until)
    .where(GATE, mine(_s), _s.c.state == word("announced"), _s.c.register_until >= TODAY, _s.c.taken < _s.c.places)
    .order_by(_s.c.held_on, _s.c.id)
    .limit(bindparam("limit", type_=BigInteger)),
    _day,
)
"""Sittings that still take people."""
