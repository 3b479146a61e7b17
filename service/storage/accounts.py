"""Accounts, appointments, sessions, invitations: statements and their rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Interval, LargeBinary, Text, Uuid, bindparam, func, insert, literal_column, select, update
from sqlalchemy.sql.elements import ColumnElement

from service.domain.accounts import AppointmentDossier, NewAppointment
from service.storage.database import Connection, Database, Statement, value
from service.storage.ids import uuid7
from service.storage.opening import ITSELF, FactsOf, json_rows, word
from service.storage.tables.institutions import (
    accounts,
    appointments,
    credentials,
    institutions,
    invitations,
    organisations,
    shared_accounts,
)
from service.storage.tables.trainees import trainees
from service.storage.tenancy import GATE, INSTITUTION, mine
from service.storage.views import View, among

_a, _p, _c, _i = accounts, appointments, credentials, institutions


class Account(NamedTuple):
    """Who signs in."""

    id: UUID
    password_hash: str | None
    disabled: bool


@dataclass(frozen=True, slots=True)
class Appointment:
    """What an account is to one institution."""

    id: UUID
    institution_id: UUID
    institution_name: str
    account_id: UUID
    sight: str
    roles: list[str]


_BY_EMAIL = Statement(
    select(_a.c.id, _a.c.password_hash, _a.c.disabled_at.is_not(None)).where(
        _a.c.email == func.lower(bindparam("email", type_=Text)), _a.c.kind == word("person")
    ),
    Account,
)
_INSTITUTIONS = Statement(select(_i.c.id, _i.c.name_latin), lambda *v: v)
_APPOINTMENTS = Statement(
    select(_p.c.id, _p.c.institution_id, _i.c.name_latin, _p.c.account_id, _p.c.sight, _p.c.roles)
    .select_from(_p.join(_i, _i.c.id == _p.c.institution_id))
    .where(GATE, mine(_p), _p.c.account_id == bindparam("account", type_=Uuid), _p.c.state == word("held")),
    Appointment,
)


async def account_by_email(database: Database, email: str) -> Account | None:
    """The account of an address."""
    async with database.connection() as con:
        return await _BY_EMAIL.one(con, email=email)


async def institutions_known(database: Database) -> list[tuple[UUID, str]]:
    """Every institution that this service serves."""
    async with database.connection() as con:
        return await _INSTITUTIONS.all(con)


async def appointments_of(database: Database, account: UUID) -> list[Appointment]:
    """What the account is, institution by institution: each is asked under its own wall."""
    found: list[Appointment] = []
    async with database.connection() as con:
        for institution, _ in await _INSTITUTIONS.all(con):
            found += await _APPOINTMENTS.all(con, institution=institution, account=account)
    return found


_KEEP = Statement(
    insert(_c)
    .from_select(
        ["institution_id", "digest", "id", "kind", "sight", "appointment_id", "created_at", "expires_at"],
        select(
            INSTITUTION,
            bindparam("digest", type_=LargeBinary),
            bindparam("id", type_=Uuid),
            word("session"),
            _p.c.sight,
            _p.c.id,
            func.now(),
            func.now() + bindparam("lasts", type_=Interval),
        ).where(GATE, mine(_p), _p.c.id == bindparam("appointment", type_=Uuid), _p.c.state == word("held")),
    )
    .returning(_c.c.expires_at),
    value,
)
_REVOKE = Statement(
    update(_c)
    .where(mine(_c), GATE, _c.c.digest == bindparam("digest", type_=LargeBinary))
    .values(revoked_at=func.now())
    .returning(_c.c.id),
    value,
)


async def keep_session(database: Database, chosen: Appointment, digest: bytes, lasts: timedelta) -> datetime:
    """Remember a session by its digest; when it ends."""
    async with database.connection() as con:
        until = await _KEEP.one(
            con,
            institution=chosen.institution_id,
            digest=digest,
            id=uuid7(),
            appointment=chosen.id,
            lasts=lasts,
        )
    if until is None:
        raise LookupError("the appointment ended meanwhile")
    ends_at: datetime = until
    return ends_at


async def revoke(database: Database, institution: UUID, digest: bytes) -> None:
    """The credential is worth nothing from the next request on."""
    async with database.connection() as con:
        await _REVOKE.one(con, institution=institution, digest=digest)


_used = (
    update(invitations)
    .where(
        invitations.c.digest == bindparam("digest", type_=LargeBinary),
        invitations.c.used_at.is_(None),
        invitations.c.expires_at > func.now(),
    )
    .values(used_at=func.now())
    .returning(invitations.c.account_id)
    .cte("used")
)
_USE = Statement(
    update(_a)
    .where(_a.c.id == _used.c.account_id)
    .values(password_hash=bindparam("password_hash", type_=Text))
    .returning(_a.c.id)
    .add_cte(_used),
    value,
)
_END_SESSIONS = Statement(
    update(_c)
    .where(
        mine(_c),
        GATE,
        _c.c.kind == word("session"),
        _c.c.revoked_at.is_(None),
        _c.c.appointment_id.in_(select(_p.c.id).where(mine(_p), _p.c.account_id == bindparam("account", type_=Uuid))),
    )
    .values(revoked_at=func.now())
    .returning(_c.c.id),
    value,
)


async def use_invitation(database: Database, digest: bytes, password_hash: str) -> bool:
    """Set the password by a link that works once; older sessions end. False where the link is worth nothing."""
    async with database.connection() as con, con.transaction():
        account = await _USE.one(con, digest=digest, password_hash=password_hash)
        if account is None:
            return False
        await _end_sessions(con, account)
    return True


async def _end_sessions(con: Connection, account: UUID) -> None:
    for institution, _ in await _INSTITUTIONS.all(con):
        await _END_SESSIONS.all(con, institution=institution, account=account)


_PASSWORD = Statement(select(_a.c.password_hash).where(_a.c.id == bindparam("account", type_=Uuid)), value)
_KEEP_PASSWORD = Statement(
    update(_a)
    .where(_a.c.id == bindparam("account", type_=Uuid))
    .values(password_hash=bindparam("password_hash", type_=Text))
    .returning(_a.c.id),
    value,
)


async def password_of(database: Database, account: UUID) -> str | None:
    """The hash of an account's password."""
    async with database.connection() as con:
        found: str | None = await _PASSWORD.one(con, account=account)
    return found


async def keep_password(database: Database, account: UUID, password_hash: str) -> None:
    """Another password; every session of the account ends."""
    async with database.connection() as con, con.transaction():
        await _KEEP_PASSWORD.one(con, account=account, password_hash=password_hash)
        await _end_sessions(con, account)


_RESET = Statement(
    insert(invitations)
    .from_select(
        ["digest", "account_id", "purpose", "expires_at"],
        select(
            bindparam("digest", type_=LargeBinary),
            _a.c.id,
            word("reset"),
            func.now() + bindparam("lasts", type_=Interval),
        ).where(
            _a.c.email == func.lower(bindparam("email", type_=Text)),
            _a.c.disabled_at.is_(None),
            _a.c.kind == word("person"),
        ),
    )
    .returning(invitations.c.account_id),
    value,
)


async def keep_reset(database: Database, email: str, digest: bytes, lasts: timedelta) -> bool:
    """Remember a reset; False where there is no such account."""
    async with database.connection() as con:
        return await _RESET.one(con, email=email, digest=digest, lasts=lasts) is not None


def _shared(account: Any) -> ColumnElement[bool]:
    return select(shared_accounts.c.account_id).where(shared_accounts.c.account_id == account.c.id).exists()


FACTS: FactsOf[AppointmentDossier] = FactsOf(
    _p,
    AppointmentDossier,
    {
        "roles": _p.c.roles,
        "organisation_id": _p.c.organisation_id,
        "account_id": _p.c.account_id,
        "ours": select(_a.c.id).where(_a.c.id == _p.c.account_id, _a.c.made_by == INSTITUTION, ~_shared(_a)).exists(),
        "keys": json_rows(
            select(_c.c.id).where(
                mine(_c), _c.c.appointment_id == _p.c.id, _c.c.kind == word("key"), _c.c.revoked_at.is_(None)
            )
        ),
    },
    stream="id",
    read=lambda v: v | {"roles": tuple(v["roles"]), "keys": frozenset(UUID(k["id"]) for k in v["keys"])},
)
_mail = func.lower(bindparam("email", type_=Text))
NEW_FACTS: FactsOf[NewAppointment] = FactsOf(
    ITSELF,
    NewAppointment,
    {
        "account_id": select(_a.c.id).where(_a.c.email == _mail).scalar_subquery(),
        "has_password": select(_a.c.id).where(_a.c.email == _mail, _a.c.password_hash.is_not(None)).exists(),
        "becomes_shared": select(_a.c.id)
        .where(_a.c.email == _mail, _a.c.made_by.is_distinct_from(INSTITUTION), ~_shared(_a))
        .exists(),
        "organisation_known": select(organisations.c.id)
        .where(organisations.c.id == bindparam("organisation_id", type_=Uuid))
        .exists(),
        "persons_known": select(func.count())
        .select_from(trainees)
        .where(mine(trainees), trainees.c.id == func.any(bindparam("person_ids", type_=ARRAY(Uuid))))
        .scalar_subquery(),
        "asked_by": lambda actor: select(actor.c.roles).scalar_subquery(),
    },
    stream="id",
    birth=True,
    extra=("email", "organisation_id", "person_ids"),
    read=lambda v: v | {"asked_by": tuple(v["asked_by"] or ())},
)
_columns: dict[str, Any] = {
    "id": _p.c.id,
    "version": _p.c.version,
    "state": _p.c.state,
    "since_on": _p.c.since_on,
    "account_id": _p.c.account_id,
    "name": _a.c.name,
    "email": _a.c.email,
    "kind": _a.c.kind,
    "roles": _p.c.roles,
    "organisation_id": _p.c.organisation_id,
    "person_ids": _p.c.person_ids,
    "unit_ids": _p.c.unit_ids,
}
VIEW = View(
    _p,
    _columns,
    source=_p.join(_a, _a.c.id == _p.c.account_id),
    filters={
        "state": among(_p.c.state),
        "organisation_id": among(_p.c.organisation_id),
        "role": (Text(), lambda v: v == func.any(_p.c.roles)),
    },
)
KEYS = View(
    _c,
    {
        "id": _c.c.id,
        "version": literal_column("1"),
        "name": _c.c.name,
        "appointment_id": _c.c.appointment_id,
        "created_at": _c.c.created_at,
        "expires_at": _c.c.expires_at,
        "revoked_at": _c.c.revoked_at,
    },
    filters={"kind": among(_c.c.kind)},
)
