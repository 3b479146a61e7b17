"""Memberships: what their rules may know, what counts of them, and how they are read."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, Boolean, Integer, Uuid, and_, bindparam, case, func, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import array, distinct_on
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import Sight
from service.domain.completion import ABSENT, Achieved, Assessed, Hours
from service.domain.training import MembershipDossier, NewMembership
from service.storage.database import Record, Statement
from service.storage.opening import TODAY, FactsOf, json_rows, word
from service.storage.scopes import actor_of, sees
from service.storage.sights import SEEN, noting
from service.storage.tables.trainees import consents, trainees
from service.storage.tables.training import (
    assessments,
    attendance,
    class_marks,
    class_sessions,
    enterprise_hours,
    memberships,
    training_classes,
)
from service.storage.tenancy import GATE, mine
from service.storage.training.classes import named
from service.storage.training.common import as_text, live_in
from service.storage.views import View, among, of_person, read_by

_k, _m, _s, _a, _e, _n, _h = (
    training_classes,
    memberships,
    class_sessions,
    attendance,
    assessments,
    class_marks,
    enterprise_hours,
)


def _hours_by_kind() -> ColumnElement[Any]:
    """Hours of the meetings that were held while they were a member, by the kind of attendance that counts last."""
    last = (
        select(_a.c.session_id, _a.c.kind, _a.c.hours)
        .ext(distinct_on(_a.c.session_id))
        .where(mine(_a), _a.c.membership_id == _m.c.id)
        .order_by(_a.c.session_id, _a.c.taken_at.desc(), _a.c.seq.desc())
        .correlate(_m)
        .lateral("last_mark")
    )
    kind = func.coalesce(last.c.kind, word(ABSENT))
    by_kind = (
        select(
            kind.label("kind"),
            as_text(func.sum(_s.c.hours)).label("held"),
            as_text(func.sum(func.coalesce(last.c.hours, literal_column("0")))).label("attended"),
        )
        .select_from(_s.outerjoin(last, last.c.session_id == _s.c.id))
        .where(
            mine(_s),
            _s.c.class_id == _m.c.class_id,
            _s.c.taken_at.is_not(None),
            or_(last.c.kind.is_not(None), _s.c.starts_on >= _m.c.attending_on),
        )
        .group_by(kind)
        .correlate(_m)
        .subquery("by_kind")
    )
    return json_rows(select(by_kind.c.kind, by_kind.c.held, by_kind.c.attended).order_by(by_kind.c.kind))


def _assessed() -> ColumnElement[Any]:
    """Every assessment of the class with the latest mark, of this attempt or of an earlier one."""
    mark = (
        select(_n.c.mark)
        .where(mine(_n), _n.c.assessment_id == _e.c.id, _n.c.membership_id == _m.c.id, _n.c.attempt <= _m.c.attempt)
        .order_by(_n.c.attempt.desc(), _n.c.seq.desc())
        .limit(literal_column("1"))
        .correlate(_e, _m)
        .scalar_subquery()
    )
    return json_rows(
        select(
            _e.c.id,
            _e.c.part_of,
            _e.c.name,
            as_text(_e.c.max_mark).label("max_mark"),
            as_text(_e.c.pass_mark).label("pass_mark"),
            as_text(_e.c.weight).label("weight"),
            _e.c.required,
            as_text(mark).label("mark"),
        )
        .where(mine(_e), _e.c.class_id == _m.c.class_id)
        .order_by(_e.c.name)
        .correlate(_m)
    )


_CONFIRMED = (
    select(_h.c.hours)
    .where(mine(_h), _h.c.membership_id == _m.c.id)
    .order_by(_h.c.seq.desc())
    .limit(literal_column("1"))
    .scalar_subquery()
)
_ACHIEVED: dict[str, ColumnElement[Any]] = {
    "min_attendance_percent": _k.c.min_attendance_percent,
    "excused": _k.c.excused,
    "hours": _hours_by_kind(),
    "carried_held": _m.c.carried_held,
    "carried_attended": _m.c.carried_attended,
    "assessed": _assessed(),
    "hours_required": _k.c.hours_required,
    "hours_confirmed": func.coalesce(_CONFIRMED, literal_column("0")),
}


def _assessed_of(a: dict[str, Any], parts: dict[str | None, list[Any]]) -> Assessed:
    return Assessed(
        a["name"],
        Decimal(a["max_mark"]),
        Decimal(a["pass_mark"]),
        Decimal(a["weight"]),
        a["required"],
        None if a["mark"] is None else Decimal(a["mark"]),
        tuple(_assessed_of(p, parts) for p in parts.get(a["id"], ())),
    )


def read_achieved(values: dict[str, Any]) -> Achieved:
    """All that counts of a membership, from the columns of a record."""
    said = {name: values[name] for name in _ACHIEVED}
    said["hours"] = tuple(Hours(h["kind"], Decimal(h["held"]), Decimal(h["attended"])) for h in values["hours"])
    parts: dict[str | None, list[Any]] = {}
    for a in values["assessed"]:
        parts.setdefault(a["part_of"], []).append(a)
    said["assessed"] = tuple(_assessed_of(a, parts) for a in parts.get(None, ()))
    return Achieved(**said)


def _read_membership(values: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name not in _ACHIEVED}
    return kept | {"achieved": read_achieved(values)}


_MEMBER: dict[str, ColumnElement[Any]] = {
    "person_id": _m.c.person_id,
    "class_id": _m.c.class_id,
    "class_state": _k.c.state,
    "class_kind": _k.c.kind,
    "places_free": _k.c.capacity - _k.c.taken,
    "resits_until": _k.c.resits_until,
    "attempt": _m.c.attempt,
    "marks_in_attempt": select(func.count())
    .where(mine(_n), _n.c.membership_id == _m.c.id, _n.c.attempt == _m.c.attempt)
    .scalar_subquery(),
    "attendance_marks": select(func.count()).where(mine(_a), _a.c.membership_id == _m.c.id).scalar_subquery(),
    "already_member": live_in(_m.c.class_id, _m.c.person_id, but=_m.c.id),
} | _ACHIEVED
_in_class = _m.join(_k, and_(mine(_k), _k.c.id == _m.c.class_id))
MEMBERSHIP_FACTS: FactsOf[MembershipDossier] = FactsOf(
    _m,
    MembershipDossier,
    _MEMBER,
    source=_in_class,
    also=array([_m.c.class_id]),
    read=_read_membership,
)


def _of_class(klass: Any, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(column).where(mine(_k), _k.c.id == klass).correlate(None).scalar_subquery()


_to = named("to_class_id")
TRANSFER_FACTS: FactsOf[MembershipDossier] = FactsOf(
    _m,
    MembershipDossier,
    _MEMBER
    | {
        "to_class_id": _to,
        "to_state": _of_class(_to, _k.c.state),
        "to_kind": _of_class(_to, _k.c.kind),
        "to_places_free": func.coalesce(_of_class(_to, _k.c.capacity - _k.c.taken), literal_column("0", Integer)),
        "to_already_member": live_in(_to, _m.c.person_id),
    },
    source=_in_class,
    also=array([_m.c.class_id, _to]),
    extra=("to_class_id",),
    read=_read_membership,
)
_at = named("class_id")
NEW_MEMBERSHIP: FactsOf[NewMembership] = FactsOf(
    trainees,
    NewMembership,
    {
        "class_id": _at,
        "class_state": _of_class(_at, _k.c.state),
        "places_free": func.coalesce(_of_class(_at, _k.c.capacity - _k.c.taken), literal_column("0", Integer)),
        "already_member": live_in(_at, trainees.c.id),
    },
    stream="id",
    also=array([_at]),
    birth=True,
    extra=("class_id",),
)
_t = trainees
MEMBERSHIP_VIEW = View(
    _m,
    {
        name: _m.c[name]
        for name in (
            "id", "version", "state", "since_on", "person_id", "class_id", "attempt", "attending_on", "carried_held",
            "carried_attended", "transferred_from", "ended_because", "attendance_percent", "score",
        )
    }
    | {"name_native": _t.c.name_native, "name_latin": _t.c.name_latin, "class_title": _k.c.title},
    source=_in_class.join(_t, and_(mine(_t), _t.c.id == _m.c.person_id)),
    filters={
        "state": among(_m.c.state),
        "class_id": among(_m.c.class_id),
        "person_id": of_person(_m.c.person_id),
    },
)  # fmt: skip
_left = (
    select(func.coalesce(func.sum(_s.c.hours), literal_column("0")))
    .where(
        mine(_s),
        _s.c.class_id == _m.c.class_id,
        _s.c.taken_at.is_(None),
        _s.c.cancelled_at.is_(None),
        _s.c.starts_on >= _m.c.attending_on,
    )
    .correlate(_m)
    .scalar_subquery()
)
_resit_open = and_(_m.c.state == word("failed"), _k.c.resits_until >= TODAY)
COMPLETION = View(
    _m,
    {
        "id": _m.c.id,
        "version": _m.c.version,
        "state": _m.c.state,
        "person_id": _m.c.person_id,
        "class_id": _m.c.class_id,
        "attempt": _m.c.attempt,
        "today": TODAY,
        "starts_on": _k.c.starts_on,
        "ends_on": _k.c.ends_on,
        "hours_left": _left,
        "resits_until": _k.c.resits_until,
    }
    | _ACHIEVED,
    source=_in_class,
    filters={
        "class_id": among(_m.c.class_id),
        "ids": (ARRAY(Uuid), lambda ids: _m.c.id == func.any(ids)),
        "may_fail": (Boolean, lambda wanted: and_(wanted, or_(_m.c.state == word("attending"), _resit_open))),
    },
)
"""What counts of a membership so far, and what is still to come of its class."""


def _named_by_consent() -> ColumnElement[bool]:
    """Whether the person has given the enterprise of the class their name, for another purpose than a job."""
    k = consents.alias("class_consent")
    return (
        select(k.c.id)
        .where(
            mine(k),
            k.c.person_id == _m.c.person_id,
            k.c.recipient_id == _k.c.enterprise_id,
            k.c.purpose == word("other"),
            k.c.state == word("given"),
            or_(k.c.ends_on.is_(None), k.c.ends_on >= TODAY),
            word("name") == func.any(k.c.fields),
        )
        .exists()
    )


@lru_cache(maxsize=8)
def hours_of(sight: Sight | None) -> Statement[Record]:
    """Whose hours in the enterprise of a class are to be confirmed, and how many are.

    Names are the staff's to read, and the enterprise's as far as a person consents; nobody reads those of others.
    """
    actor = actor_of(sight)
    shown: ColumnElement[bool] = literal_column("true") if sight in (None, Sight.STAFF) else literal_column("false")
    if sight is Sight.ORGANISATION:
        shown = _named_by_consent()
    rows = (
        select(
            _k.c.id.label("class_id"),
            _m.c.id.label("membership_id"),
            _m.c.state,
            func.coalesce(_CONFIRMED, literal_column("0")).label("hours"),
            case((shown, _t.c.name_native)).label("name_native"),
            case((shown, _t.c.name_latin)).label("name_latin"),
            _m.c.person_id.label(SEEN + "person_id"),
            case((shown, word("name hours")), else_=word("hours")).label(SEEN + "fields"),
        )
        .select_from(
            _k.outerjoin(
                _m.join(_t, and_(mine(_t), _t.c.id == _m.c.person_id)),
                and_(mine(_m), _m.c.class_id == _k.c.id, _m.c.state == word("attending")),
            )
        )
        .where(
            sees(_k, sight, actor),
            _k.c.id == bindparam("by_id", type_=Uuid),
            select(actor.c.account_id).scalar_subquery().is_not(None),
        )
        .where(GATE)
        .cte("found")
    )
    noted = noting(_m, rows, actor, true(), item="membership_id") if sight is Sight.ORGANISATION else None
    return read_by(rows, actor, [rows.c.membership_id], noted)
