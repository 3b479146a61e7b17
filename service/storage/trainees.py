"""Trainees: what their rules may know, how they are read, and their sealed fields."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Text, Uuid, and_, bindparam, case, func, literal_column, null, or_, select
from sqlalchemy.dialects.postgresql import array

from service.domain.actors import Sight
from service.domain.trainees import NewTrainee, TraineeDossier
from service.storage import erasure
from service.storage.aliases import joined_to, seq_of_join, survivor_of
from service.storage.assignments import in_my_care
from service.storage.database import Record, Statement, value
from service.storage.opening import ITSELF, TODAY, FactsOf, json_rows, word
from service.storage.scopes import actor_of, sees
from service.storage.tables.institutions import units
from service.storage.tables.record import events, external_ids, heads, openings, stream_keys
from service.storage.tables.trainees import trainees
from service.storage.tenancy import GATE, INSTITUTION, gated, mine
from service.storage.views import View, among, read_by

_t, _h, _x = trainees, heads, external_ids
_unit_known = select(units.c.id).where(mine(units), units.c.id == bindparam("unit_id", type_=Uuid)).exists()


def _asked_by(actor: Any) -> Any:
    return select(actor.c.roles).scalar_subquery()


_of_others = select(events.c.seq).where(
    mine(events), events.c.stream_id == _t.c.id, events.c.subject != word("trainee")
)
_RECORD: dict[str, Any] = {
    "birth_on": _t.c.birth_on,
    "nationality": _t.c.nationality,
    "has_passport": _t.c.passport_sealed.is_not(None),
    "has_guardian": _t.c.guardian_sealed.is_not(None),
    "available_until": _t.c.available_until,
    "asked_by": _asked_by,
    "stands_on_it": _of_others.exists(),
}
_ITS_IDS = json_rows(select(_x.c.system, _x.c.value).where(mine(_x), _x.c.subject_id == _t.c.id))
_e = events.alias("since")
_used_since = select(_e.c.seq).where(
    mine(_e), _e.c.stream_id == survivor_of(_t.c.id), _e.c.seq > seq_of_join(_t.c.id), _e.c.subject != word("trainee")
)
_goes = _t.alias("to_go")
_SAME: dict[str, Any] = {
    "own_id": _t.c.id,
    "joined": joined_to(_t.c.id),
    "survivor_id": survivor_of(_t.c.id),
    "used_since": _used_since.exists(),
    "survivor_to_go": select(_goes.c.id)
    .where(mine(_goes), _goes.c.id == survivor_of(_t.c.id), _goes.c.erasure_asked_on.is_not(None))
    .exists(),
}


def _read_all(row: dict[str, Any]) -> dict[str, Any]:
    beside = {"beside": tuple(row["beside"])} if "beside" in row else {}
    return erasure.read(row) | {"joined": tuple(row["joined"])} | beside


FACTS: FactsOf[TraineeDossier] = FactsOf(
    _t, TraineeDossier, _RECORD | erasure.columns() | _SAME, stream="id", read=_read_all
)
_named: Any = bindparam("survivor_id", type_=Uuid)
_kept_on = _t.alias("kept_on")
JOIN_FACTS: FactsOf[TraineeDossier] = replace(
    FACTS,
    columns={
        **FACTS.columns,
        "survivor_id": _named,
        "survivor_state": select(_kept_on.c.state).where(mine(_kept_on), _kept_on.c.id == _named).scalar_subquery(),
        "beside": joined_to(_named),
    },
    also=array([_named]),
    extra=("survivor_id",),
)
"""To join a record to another: how that one stands, and what was joined to it before."""
SEPARATE_FACTS: FactsOf[TraineeDossier] = replace(
    FACTS,
    columns={**FACTS.columns, "beside": func.array_remove(joined_to(survivor_of(_t.c.id)), _t.c.id)},
    also=func.array_remove(array([survivor_of(_t.c.id)]), null()),
)
"""To take it apart again: what else is joined to the survivor."""
EDIT_FACTS: FactsOf[TraineeDossier] = FactsOf(
    _t, TraineeDossier, _RECORD | {"unit_known": _unit_known}, stream="id", extra=("unit_id",)
)
"""An edit may name a unit: what its rules must know beside the rest."""


def _read_ids(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"external_ids": tuple((x["system"], x["value"]) for x in row["external_ids"])}


VOID_FACTS: FactsOf[TraineeDossier] = FactsOf(
    _t, TraineeDossier, _RECORD | {"external_ids": _ITS_IDS}, stream="id", read=_read_ids
)
"""To take a record back: what other systems call the person, beside the rest."""
ERASE_FACTS: FactsOf[TraineeDossier] = replace(
    FACTS,
    columns={
        **FACTS.columns,
        "external_ids": _ITS_IDS,
        "files": erasure.files_of(_t.c.id),
        "indexes": func.array_remove(
            array([func.encode(_t.c.passport_index, word("hex")), func.encode(_t.c.identity_index, word("hex"))]),
            null(),
        ),
    },
    read=lambda row: _read_all(_read_ids(row)) | {"files": tuple(row["files"]), "indexes": tuple(row["indexes"])},
)
"""To erase: by what imports know them, and where their files are, beside the rest."""
NEW_FACTS: FactsOf[NewTrainee] = FactsOf(
    ITSELF,
    NewTrainee,
    {"unit_known": _unit_known},
    stream="id",
    birth=True,
    extra=("unit_id",),
)


def _sealed(column: Any, reason: str) -> Any:
    """A field that is there but shut: a purpose opens it."""
    shut = func.json_build_object(word("masked"), literal_column("true"), word("reason"), word(reason))
    return case((column.is_not(None), shut))


_other_head = _h.alias("head_of_survivor")
_stage_of_survivor = (
    select(_other_head.c.stage)
    .where(mine(_other_head), _other_head.c.stream_id == survivor_of(_t.c.id))
    .scalar_subquery()
)
_columns: dict[str, Any] = {
    "id": _t.c.id,
    "version": _t.c.version,
    "state": _t.c.state,
    "since_on": _t.c.since_on,
    "name_native": _t.c.name_native,
    "name_latin": _t.c.name_latin,
    "sex": _t.c.sex,
    "birth_on": _t.c.birth_on,
    "nationality": _t.c.nationality,
    "unit_id": _t.c.unit_id,
    "origin": _t.c.origin,
    "email": _t.c.email,
    "phone": _t.c.phone,
    "language": _t.c.language,
    "stage": func.coalesce(_h.c.stage, _stage_of_survivor),
    "passport_country": _t.c.passport_country,
    "passport_expires_on": _t.c.passport_expires_on,
    "passport": _sealed(_t.c.passport_sealed, "purpose_needed"),
    "identity_no": _sealed(_t.c.identity_sealed, "purpose_needed"),
    "guardian": _sealed(_t.c.guardian_sealed, "purpose_needed"),
    "available_from": _t.c.available_from,
    "available_until": _t.c.available_until,
    "erasure_asked_on": _t.c.erasure_asked_on,
    "erased_at": _t.c.erased_at,
    "survivor_id": survivor_of(_t.c.id),
    "external_ids": json_rows(
        select(_x.c.system, _x.c.value).where(mine(_x), _x.c.subject_id == _t.c.id).order_by(_x.c.system)
    ),
}
VIEW = View(
    _t,
    _columns,
    source=_t.join(_h, and_(mine(_h), _h.c.stream_id == _t.c.id)),
    filters={
        "state": among(_t.c.state),
        "stage": among(_h.c.stage),
        "nationality": among(_t.c.nationality),
        "unit_id": among(_t.c.unit_id),
        "origin": among(_t.c.origin),
        "mine": (Boolean(), lambda value: value == in_my_care(_t.c.id)),
        "name": (
            Text(),
            lambda name: or_(_t.c.name_native == name, func.lower(_t.c.name_latin) == func.lower(name)),
        ),
    },
    sorts={"name": (_t.c.sort_name, False)},
)


@lru_cache(maxsize=8)
def by_external_id(sight: Sight | None) -> Statement[Record]:
    """The trainee whom another system calls so."""
    actor = actor_of(sight)
    rows = (
        select(_t.c.id)
        .select_from(_t.join(_x, and_(mine(_x), _x.c.subject_id == _t.c.id)))
        .where(
            sees(_t, sight, actor),
            _x.c.system == bindparam("system", type_=Text),
            _x.c.value == bindparam("value", type_=Text),
        )
        .subquery("found")
    )
    return read_by(rows, actor)


DUE_TO_END: Statement[UUID] = Statement(
    gated(
        select(_t.c.id)
        .where(mine(_t), _t.c.available_until < TODAY)
        .order_by(_t.c.available_until, _t.c.id)
        .limit(bindparam("limit", type_=BigInteger))
    ),
    value,
)
"""Whose availability ran out."""
SEALED = ("passport_sealed", "identity_sealed", "guardian_sealed")


@lru_cache(maxsize=8)
def sealed_of(sight: Sight | None) -> Statement[Record]:
    """The sealed fields of a trainee, and the key that opens them."""
    actor = actor_of(sight)
    rows = (
        select(_t.c.id, *[_t.c[name] for name in SEALED], stream_keys.c.wrapped)
        .select_from(_t.outerjoin(stream_keys, and_(mine(stream_keys), stream_keys.c.stream_id == _t.c.id)))
        .where(sees(_t, sight, actor), _t.c.id == bindparam("by_id", type_=Uuid))
        .subquery("found")
    )
    return read_by(rows, actor)


NOTE_OPENING = Statement(
    openings.insert()
    .from_select(
        ["institution_id", "id", "person_id", "account_id", "fields", "purpose", "opened_at"],
        select(
            INSTITUTION,
            bindparam("id", type_=Uuid),
            bindparam("person", type_=Uuid),
            bindparam("account", type_=Uuid),
            bindparam("fields", type_=Text),
            bindparam("purpose", type_=Text),
            func.now(),
        ).where(GATE),
    )
    .returning(openings.c.opened_at),
    lambda at: at,
)


@lru_cache(maxsize=8)
def openings_of(sight: Sight | None) -> Statement[Record]:
    """Who opened what of a trainee, newest first."""
    actor = actor_of(sight)
    o = openings
    rows = (
        select(_t.c.id.label("person"), o.c.id, o.c.account_id, o.c.fields, o.c.purpose, o.c.opened_at)
        .select_from(_t.outerjoin(o, and_(mine(o), o.c.person_id == _t.c.id)))
        .where(sees(_t, sight, actor), _t.c.id == bindparam("by_id", type_=Uuid))
        .order_by(o.c.id.desc())
        .limit(literal_column("200"))
        .subquery("found")
    )
    return read_by(rows, actor)


__all__ = [
    "DUE_TO_END",
    "EDIT_FACTS",
    "ERASE_FACTS",
    "FACTS",
    "JOIN_FACTS",
    "NEW_FACTS",
    "NOTE_OPENING",
    "SEALED",
    "SEPARATE_FACTS",
    "VIEW",
    "VOID_FACTS",
    "by_external_id",
    "openings_of",
    "sealed_of",
]
