"""Who saw what of a person: what staff opened for a purpose, and what organisations were shown by a consent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    BigInteger,
    Date,
    Select,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    literal_column,
    null,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import Role, Sight
from service.domain.permissions import PERMISSIONS
from service.storage.database import Statement
from service.storage.opening import word
from service.storage.scopes import actor_of, sees
from service.storage.tables.columns import INSTANT
from service.storage.tables.institutions import accounts, appointments, organisations
from service.storage.tables.record import openings, sights
from service.storage.tables.trainees import trainees
from service.storage.tenancy import mine
from service.storage.views import read_by

_t, _o, _s, _w, _a = trainees, openings, sights, appointments, accounts
PERSON: ColumnElement[Any] = bindparam("by_id", type_=Uuid)


@dataclass(frozen=True, slots=True)
class Place:
    """The last line of a page: after it, older ones come."""

    at: datetime
    id: UUID


def _opened() -> Select[Any]:
    return select(
        word("opened").label("kind"), _o.c.id, _o.c.opened_at.label("at"), cast(null(), Date).label("seen_on"),
        _o.c.account_id.label("who_id"), cast(null(), Uuid).label("organisation_id"), _o.c.fields,
        cast(null(), Text).label("subject"), cast(null(), Uuid).label("subject_id"),
        cast(null(), Uuid).label("consent_id"), _o.c.purpose,
    ).where(mine(_o), _o.c.person_id == PERSON)  # fmt: skip


def _seen() -> Select[Any]:
    return select(
        word("seen"), _s.c.subject_id, _s.c.first_at, _s.c.seen_on, _s.c.account_id, _s.c.organisation_id, _s.c.fields,
        _s.c.subject, _s.c.subject_id, _s.c.consent_id, cast(null(), Text),
    ).where(mine(_s), _s.c.person_id == PERSON)  # fmt: skip


def _listed(roles: tuple[Role, ...]) -> ColumnElement[Any]:
    return cast(literal_column("'{" + ",".join(sorted(roles)) + "}'"), ARRAY(Text))


@lru_cache(maxsize=16)
def access_of(sight: Sight | None, *, after: bool) -> Statement[asyncpg.Record]:
    """A page of who saw what of a person, newest first; names of accounts only for whoever may read accounts."""
    actor = actor_of(sight)
    lines = union_all(_opened(), _seen()).subquery("line")
    roles = (
        select(_w.c.roles)
        .where(mine(_w), _w.c.account_id == lines.c.who_id)
        .order_by(_w.c.ended_at.desc().nulls_first())
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    named = cast(select(actor.c.roles).scalar_subquery(), ARRAY(Text)).overlap(_listed(PERMISSIONS["accounts.read"]))
    name = select(_a.c.name).where(_a.c.id == lines.c.who_id).scalar_subquery()
    organisation = select(organisations.c.name_native).where(organisations.c.id == lines.c.organisation_id)
    here = tuple_(lines.c.at, lines.c.id)
    newest = [lines.c.at.desc(), lines.c.id.desc()]
    past = [here < tuple_(bindparam("after_at", type_=INSTANT), bindparam("after_id", type_=Uuid))] if after else []
    page = (
        select(
            *lines.c, roles.label("who_roles"), case((named, name)).label("who_name"),
            organisation.scalar_subquery().label("organisation"),
        )
        .where(*past)
        .order_by(*newest)
        .limit(bindparam("limit", type_=BigInteger))
        .subquery("shown")
    )  # fmt: skip
    rows = (
        select(_t.c.id.label("person_id"), *page.c)
        .select_from(_t.outerjoin(page, true()))
        .where(sees(_t, sight, actor), _t.c.id == PERSON)
        .subquery("found")
    )
    return read_by(rows, actor, [rows.c.at.desc(), rows.c.id.desc()])
