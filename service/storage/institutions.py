"""Institutions and units: what their rules may know, and how they are read."""

from __future__ import annotations

from sqlalchemy import Text, bindparam, func, update

from service.domain.actors import ADMIN, COORDINATOR, SYSTEM, SYSTEM_ACCOUNT, Actor
from service.domain.lifecycle import Dossier
from service.storage.database import Database, Statement, value
from service.storage.opening import ITSELF, FactsOf
from service.storage.tables.institutions import accounts, units
from service.storage.views import View, among

UNIT_FACTS: FactsOf[Dossier] = FactsOf(units, Dossier, {}, stream="institution_id")
NEW_UNIT: FactsOf[Dossier] = FactsOf(ITSELF, Dossier, {}, stream="id", birth=True)
UNIT_VIEW = View(
    units,
    {name: units.c[name] for name in ("id", "version", "state", "since_on", "name_native", "name_latin", "parent_id")},
    filters={"parent_id": among(units.c.parent_id), "state": among(units.c.state)},
)
_SET = Statement(
    update(accounts)
    .where(accounts.c.email == func.lower(bindparam("address", type_=Text)))
    .values(password_hash=bindparam("hashed", type_=Text))
    .returning(accounts.c.id),
    value,
)


def trusted_admin() -> Actor:
    """Whoever holds the machine itself: the command line acts so."""
    return Actor(SYSTEM_ACCOUNT, frozenset({ADMIN, COORDINATOR, SYSTEM}))


async def set_password(database: Database, email: str, hashed: str) -> bool:
    """Whether there was such an account; it has this password now."""
    async with database.connection() as con:
        return await _SET.one(con, address=email, hashed=hashed) is not None
