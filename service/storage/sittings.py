"""Sittings and registrations: what their rules may know, how they are read, and whom a sheet of results can name."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, and_, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import Sight
from service.domain.sittings import (
    HOLDS,
    NewRegistration,
    NewSitting,
    Registered,
    RegistrationDossier,
    SittingDossier,
)
from service.storage.database import Record, Statement
from service.storage.language_tests import language_tests
from service.storage.opening import ITSELF, FactsOf, json_rows, word
from service.storage.scopes import NOW, actor_of, sees
from service.storage.tables.certificates import certificates
from service.storage.tables.record import external_ids
from service.storage.tables.sittings import sitting_registrations, sittings
from service.storage.tables.trainees import trainees
from service.storage.tenancy import mine
from service.storage.views import View, among, before_or_on, from_on, of_person, read_by

_s, _r, _t, _k, _x = sittings, sitting_registrations, trainees, certificates, external_ids
_HOLDS = [word(state) for state in HOLDS]


def _with_tests(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"tests": language_tests()}


def _read_sitting(values: dict[str, Any]) -> dict[str, Any]:
    held = tuple(
        Registered(UUID(r["id"]), UUID(r["person_id"]), r["state"], r["version"]) for r in values["registered"]
    )
    return _with_tests(values) | {"registered": held}


def _day_at(zone: ColumnElement[Any]) -> ColumnElement[Any]:
    """The present day in a zone."""
    return cast(func.timezone(zone, NOW), _s.c.held_on.type)


# ---- a sitting
_own_registrations = (mine(_r), _r.c.sitting_id == _s.c.id, _r.c.state.in_(_HOLDS))
FACTS: FactsOf[SittingDossier] = FactsOf(
    _s,
    SittingDossier,
    {name: _s.c[name] for name in ("test", "level", "held_on", "register_until", "taken")}
    | {
        "registered": json_rows(
            select(*[_r.c[name] for name in ("id", "person_id", "state", "version")]).where(*_own_registrations)
        )
    },
    stream="id",
    also=select(func.array_agg(_r.c.person_id)).where(*_own_registrations).scalar_subquery(),
    read=_read_sitting,
)
NEW_FACTS: FactsOf[NewSitting] = FactsOf(ITSELF, NewSitting, {}, stream="id", birth=True, read=_with_tests)
VIEW = View(
    _s,
    {
        name: _s.c[name]
        for name in (
            "id", "version", "state", "since_on", "test", "level", "place", "time_zone", "held_on", "register_until",
            "places", "taken", "fee", "currency",
        )
    },
    filters={
        "state": among(_s.c.state),
        "test": among(_s.c.test),
        "level": among(_s.c.level),
        "held_from": from_on(_s.c.held_on),
        "held_until": before_or_on(_s.c.held_on),
        "register_from": from_on(_s.c.register_until),
    },
    sorts={"held_on": (_s.c.held_on, False)},
)  # fmt: skip


# ---- a registration
def _live_in(sitting: Any, person: Any, *, but: Any = None) -> ColumnElement[bool]:
    o = sitting_registrations.alias("other_registration")
    conditions = [mine(o), o.c.sitting_id == sitting, o.c.person_id == person, o.c.state.in_(_HOLDS)]
    if but is not None:
        conditions.append(o.c.id != but)
    return select(o.c.id).where(*conditions).exists()


_at = bindparam("sitting_id", type_=Uuid)


def _of_sitting(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(column).where(mine(_s), _s.c.id == _at).correlate(None).scalar_subquery()


NEW_REGISTRATION: FactsOf[NewRegistration] = FactsOf(
    trainees,
    NewRegistration,
    {
        "sitting_id": _at,
        "sitting_state": _of_sitting(_s.c.state),
        "register_until": _of_sitting(_s.c.register_until),
        "local_today": _of_sitting(_day_at(_s.c.time_zone)),
        "places_free": func.coalesce(_of_sitting(_s.c.places - _s.c.taken), literal_column("0", Integer)),
        "already_registered": _live_in(_at, trainees.c.id),
    },
    stream="id",
    also=array([_at]),
    birth=True,
    extra=("sitting_id",),
)
_in_sitting = _r.join(_s, and_(mine(_s), _s.c.id == _r.c.sitting_id))
_with_certificate = _in_sitting.outerjoin(_k, and_(mine(_k), _k.c.id == _r.c.certificate_id))
REGISTRATION_FACTS: FactsOf[RegistrationDossier] = FactsOf(
    _r,
    RegistrationDossier,
    {
        "sitting_id": _r.c.sitting_id,
        "sitting_state": _s.c.state,
        "test": _s.c.test,
        "level": _s.c.level,
        "held_on": _s.c.held_on,
        "local_today": _day_at(_s.c.time_zone),
        "places_free": _s.c.places - _s.c.taken,
        "already_registered": _live_in(_r.c.sitting_id, _r.c.person_id, but=_r.c.id),
        "certificate_id": _k.c.id,
        "certificate_state": _k.c.state,
        "certificate_version": func.coalesce(_k.c.version, literal_column("0")),
        "certificate_event": func.coalesce(_k.c.event_seq, literal_column("0")),
    },
    source=_with_certificate,
    also=array([_r.c.sitting_id]),
    read=_with_tests,
)
REGISTRATION_VIEW = View(
    _r,
    {
        name: _r.c[name]
        for name in (
            "id", "version", "state", "since_on", "person_id", "sitting_id", "admission_no", "certificate_id",
            "ended_because",
        )
    }
    | {"name_native": _t.c.name_native, "name_latin": _t.c.name_latin}
    | {name: _s.c[name] for name in ("test", "level", "held_on", "place")},
    source=_in_sitting.join(_t, and_(mine(_t), _t.c.id == _r.c.person_id)),
    filters={
        "state": among(_r.c.state),
        "sitting_id": among(_r.c.sitting_id),
        "person_id": of_person(_r.c.person_id),
        "test": among(_s.c.test),
        "admission_no": among(_r.c.admission_no),
    },
)  # fmt: skip


@lru_cache(maxsize=8)
def results_of(sight: Sight | None) -> Statement[Record]:
    """A sitting that the actor sees, with each registration that holds a place: its keys and the result that it has."""
    actor = actor_of(sight)
    numbers = (
        select(func.array_agg(_x.c.value))
        .where(mine(_x), _x.c.subject_id == _r.c.person_id, _x.c.system == bindparam("system", type_=Text))
        .scalar_subquery()
    )
    rows = (
        select(
            _s.c.id.label("sitting_id"),
            *[_s.c[name] for name in ("test", "level", "held_on")],
            _day_at(_s.c.time_zone).label("local_today"),
            _r.c.id,
            _r.c.version,
            _r.c.state,
            _r.c.admission_no,
            numbers.label("numbers"),
            _k.c.id.label("certificate_id"),
            _k.c.total_score,
            _k.c.section_scores,
        )
        .select_from(
            _s.outerjoin(_r, and_(*_own_registrations)).outerjoin(_k, and_(mine(_k), _k.c.id == _r.c.certificate_id))
        )
        .where(
            sees(_s, sight, actor),
            _s.c.id == bindparam("by_id", type_=Uuid),
            select(actor.c.account_id).scalar_subquery().is_not(None),
        )
        .subquery("found")
    )
    return read_by(rows, actor, [rows.c.id])


__all__ = [
    "FACTS",
    "NEW_FACTS",
    "NEW_REGISTRATION",
    "REGISTRATION_FACTS",
    "REGISTRATION_VIEW",
    "VIEW",
    "results_of",
]
