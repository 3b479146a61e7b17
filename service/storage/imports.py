"""What an import must know beforehand: the day and the country of the institution, and whom it has on record."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Text, bindparam, func, select, union_all

from service.storage.database import Database, Statement
from service.storage.opening import TODAY, word
from service.storage.tables.institutions import institutions
from service.storage.tables.record import external_ids
from service.storage.tables.trainees import trainees
from service.storage.tenancy import INSTITUTION, gated, mine

_t, _x = trainees, external_ids


@dataclass(frozen=True, slots=True)
class Place:
    """Where an institution is, and the present day there."""

    country: str
    today: date


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody on record, by one of the keys that were asked for: a number of another system, or a blind index."""

    kind: str
    key: str
    person: UUID


_PLACE = Statement(select(institutions.c.country, TODAY).where(institutions.c.id == INSTITUTION), Place)
_found = union_all(
    select(word("student_no").label("kind"), _x.c.value.label("key"), _x.c.subject_id.label("person")).where(
        mine(_x),
        _x.c.system == bindparam("system", type_=Text),
        _x.c.value == func.any(bindparam("numbers", type_=ARRAY(Text))),
    ),
    *[
        select(word(kind), func.encode(column, word("hex")), _t.c.id).where(
            mine(_t), column == func.any(bindparam(name, type_=ARRAY(LargeBinary)))
        )
        for kind, name, column in (
            ("passport", "passports", _t.c.passport_index),
            ("identity_no", "identities", _t.c.identity_index),
        )
    ],
).subquery("found")
_MATCHES = Statement(gated(select(_found)), Match)


async def place_of(database: Database, institution: UUID) -> Place | None:
    """The institution's country and day, or None where there is no such institution."""
    async with database.connection() as con:
        return await _PLACE.one(con, institution=institution, at=None)


async def matches(
    database: Database,
    institution: UUID,
    *,
    system: str,
    numbers: Collection[str],
    passports: Collection[bytes],
    identities: Collection[bytes],
) -> list[Match]:
    """Everybody on record whom one of the keys names; the key of a blind index comes back in hexadecimal."""
    async with database.connection() as con:
        return await _MATCHES.all(
            con,
            institution=institution,
            system=system,
            numbers=list(numbers),
            passports=list(passports),
            identities=list(identities),
        )
