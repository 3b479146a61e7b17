"""Training: what the rules of classes and memberships may know, and how all of it is read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, and_, bindparam, cast, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import array, distinct_on
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import COORDINATOR, INSTRUCTOR, Sight
from service.domain.completion import ABSENT, Achieved, Assessed, Hours
from service.domain.training import (
    CLASS_CANCELLED,
    LIVE,
    AssessmentFact,
    ClassDossier,
    MemberFact,
    MembershipDossier,
    NewClass,
    NewMembership,
    SessionFact,
)
from service.storage.database import Record, Statement
from service.storage.opening import ITSELF, FactsOf, json_rows, word
from service.storage.scopes import actor_of, sees
from service.storage.tables.courses import courses
from service.storage.tables.institutions import appointments, relationships
from service.storage.tables.trainees import trainees
from service.storage.tables.training import (
    assessments,
    attendance,
    class_marks,
    class_sessions,
    enterprise_hours,
    memberships,
    training_classes,
)
from service.storage.tenancy import mine
from service.storage.views import View, among, before_or_on, from_on, read_by

_k, _m, _s, _a, _e, _n, _h = (
    training_classes,
    memberships,
    class_sessions,
    attendance,
    assessments,
    class_marks,
    enterprise_hours,
)
_LIVE = [word(state) for state in LIVE]


def _text(column: ColumnElement[Any]) -> ColumnElement[str]:
    """A number as text: JSON numbers are not exact."""
    return cast(column, Text)


# ---- a class
def _class_of(table: Any) -> dict[str, ColumnElement[Any]]:
    sessions = (
        select(
            _s.c.id,
            _s.c.starts_on.label("on"),
            _text(_s.c.hours).label("hours"),
            _s.c.taken_at.is_not(None).label("held"),
            _s.c.cancelled_at.is_not(None).label("cancelled"),
        )
        .where(mine(_s), _s.c.class_id == table.c.id)
        .order_by(_s.c.starts_at)
    )
    highest = select(func.max(_n.c.mark)).where(mine(_n), _n.c.assessment_id == _e.c.id).correlate(_e).scalar_subquery()
    asked = select(
        _e.c.id,
        _e.c.name,
        _text(_e.c.max_mark).label("max_mark"),
        _text(_e.c.pass_mark).label("pass_mark"),
        _text(highest).label("highest"),
    ).where(mine(_e), _e.c.class_id == table.c.id)
    members = select(
        *[_m.c[name] for name in ("id", "person_id", "state", "version", "event_seq", "attempt", "ended_from")]
    ).where(mine(_m), _m.c.class_id == table.c.id, _concerned())
    decided = select(func.count()).where(
        mine(_m), _m.c.class_id == table.c.id, _m.c.state.in_([word("passed"), word("failed")])
    )
    own = {
        name: table.c[name]
        for name in (
            "kind", "capacity", "taken", "starts_on", "ends_on", "resits_until", "time_zone", "teacher_id",
            "enterprise_id", "hours_required",
        )
    }  # fmt: skip
    return own | {
        "decided": decided.scalar_subquery(),
        "sessions": json_rows(sessions),
        "assessments": json_rows(asked),
        "members": json_rows(members),
    }


def _concerned() -> ColumnElement[bool]:
    """Memberships that hold a place, or that ended when their class was cancelled."""
    return or_(
        _m.c.state.in_(_LIVE), and_(_m.c.state == word("withdrawn"), _m.c.ended_because == word(CLASS_CANCELLED))
    )


def _read_class(values: dict[str, Any]) -> dict[str, Any]:
    return values | {
        "sessions": tuple(
            SessionFact(UUID(s["id"]), date.fromisoformat(s["on"]), Decimal(s["hours"]), s["held"], s["cancelled"])
            for s in values["sessions"]
        ),
        "assessments": tuple(
            AssessmentFact(
                UUID(a["id"]),
                a["name"],
                Decimal(a["max_mark"]),
                Decimal(a["pass_mark"]),
                None if a["highest"] is None else Decimal(a["highest"]),
            )
            for a in values["assessments"]
        ),
        "members": tuple(
            MemberFact(
                UUID(m["id"]),
                UUID(m["person_id"]),
                m["state"],
                m["version"],
                m["event_seq"],
                m["attempt"],
                m["ended_from"],
            )
            for m in values["members"]
        ),
    }


def _named(name: str) -> Any:
    return bindparam(name, type_=Uuid)


_NAMED: dict[str, ColumnElement[Any]] = {
    "teacher_known": select(appointments.c.id)
    .where(
        mine(appointments),
        appointments.c.account_id == _named("teacher_id"),
        appointments.c.state == word("held"),
        appointments.c.roles.op("&&")(array([word(INSTRUCTOR.value), word(COORDINATOR.value)])),
    )
    .exists(),
    "course_known": select(courses.c.id).where(mine(courses), courses.c.id == _named("course_id")).exists(),
    "enterprise_known": select(relationships.c.id)
    .where(mine(relationships), relationships.c.organisation_id == _named("enterprise_id"))
    .exists(),
}
_NAMES = ("teacher_id", "enterprise_id", "course_id")
_WHOSE = select(func.array_agg(_m.c.person_id.distinct())).where(
    mine(_m), _m.c.class_id == _k.c.id, _concerned()
).scalar_subquery()  # fmt: skip
CLASS_FACTS: FactsOf[ClassDossier] = FactsOf(
    _k, ClassDossier, _class_of(_k), stream="id", also=_WHOSE, read=_read_class
)
EDIT_FACTS: FactsOf[ClassDossier] = FactsOf(
    _k, ClassDossier, _class_of(_k) | _NAMED, stream="id", extra=_NAMES, read=_read_class
)
NEW_CLASS: FactsOf[NewClass] = FactsOf(ITSELF, NewClass, dict(_NAMED), stream="id", birth=True, extra=_NAMES)
CLASS_VIEW = View(
    _k,
    {
        name: _k.c[name]
        for name in (
            "id", "version", "state", "since_on", "kind", "title", "course_id", "capacity", "taken", "starts_on",
            "ends_on", "time_zone", "teacher_id", "min_attendance_percent", "excused", "resits_until",
            "enterprise_id", "hours_required",
        )
    },
    filters={
        "state": among(_k.c.state),
        "kind": among(_k.c.kind),
        "course_id": among(_k.c.course_id),
        "teacher_id": among(_k.c.teacher_id),
        "enterprise_id": among(_k.c.enterprise_id),
        "starts_from": from_on(_k.c.starts_on),
        "ends_until": before_or_on(_k.c.ends_on),
    },
    sorts={"starts_on": (_k.c.starts_on, False)},
)  # fmt: skip


# ---- a membership
def _live_in(klass: Any, person: Any, *, but: Any = None) -> ColumnElement[bool]:
    o = memberships.alias("other_membership")
    conditions = [mine(o), o.c.class_id == klass, o.c.person_id == person, o.c.state.in_(_LIVE)]
    if but is not None:
        conditions.append(o.c.id != but)
    return select(o.c.id).where(*conditions).exists()


def _hours_by_kind() -> ColumnElement[Any]:
    """Hours of the meetings that were held while they were a member, by the kind of attendance that counts last."""
    last = (
        select(_a.c.session_id, _a.c.kind, _a.c.hours)
        .ext(distinct_on(_a.c.session_id))
        .where(mine(_a), _a.c.membership_id == _m.c.id)
        .order_by(_a.c.session_id, _a.c.seq.desc())
        .correlate(_m)
        .lateral("last_mark")
    )
    kind = func.coalesce(last.c.kind, word(ABSENT))
    by_kind = (
        select(
            kind.label("kind"),
            _text(func.sum(_s.c.hours)).label("held"),
            _text(func.sum(func.coalesce(last.c.hours, literal_column("0")))).label("attended"),
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
            _e.c.name,
            _text(_e.c.max_mark).label("max_mark"),
            _text(_e.c.pass_mark).label("pass_mark"),
            _text(_e.c.weight).label("weight"),
            _e.c.required,
            _text(mark).label("mark"),
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


def read_achieved(values: dict[str, Any]) -> Achieved:
    """All that counts of a membership, from the columns of a record."""
    said = {name: values[name] for name in _ACHIEVED}
    said["hours"] = tuple(Hours(h["kind"], Decimal(h["held"]), Decimal(h["attended"])) for h in values["hours"])
    said["assessed"] = tuple(
        Assessed(
            a["name"],
            Decimal(a["max_mark"]),
            Decimal(a["pass_mark"]),
            Decimal(a["weight"]),
            a["required"],
            None if a["mark"] is None else Decimal(a["mark"]),
        )
        for a in values["assessed"]
    )
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
    "already_member": _live_in(_m.c.class_id, _m.c.person_id, but=_m.c.id),
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


_to = _named("to_class_id")
TRANSFER_FACTS: FactsOf[MembershipDossier] = FactsOf(
    _m,
    MembershipDossier,
    _MEMBER
    | {
        "to_class_id": _to,
        "to_state": _of_class(_to, _k.c.state),
        "to_kind": _of_class(_to, _k.c.kind),
        "to_places_free": func.coalesce(_of_class(_to, _k.c.capacity - _k.c.taken), literal_column("0", Integer)),
        "to_already_member": _live_in(_to, _m.c.person_id),
    },
    source=_in_class,
    also=array([_m.c.class_id, _to]),
    extra=("to_class_id",),
    read=_read_membership,
)
_at = _named("class_id")
NEW_MEMBERSHIP: FactsOf[NewMembership] = FactsOf(
    trainees,
    NewMembership,
    {
        "class_id": _at,
        "class_state": _of_class(_at, _k.c.state),
        "places_free": func.coalesce(_of_class(_at, _k.c.capacity - _k.c.taken), literal_column("0", Integer)),
        "already_member": _live_in(_at, trainees.c.id),
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
        "person_id": among(_m.c.person_id),
    },
)  # fmt: skip
COMPLETION = View(_m, {"id": _m.c.id, "version": _m.c.version, "attempt": _m.c.attempt} | _ACHIEVED, source=_in_class)
"""What counts of a membership so far."""


# ---- what stands in a class
SESSION_VIEW = View(
    _s,
    {
        "id": _s.c.id,
        "version": _k.c.version,
        "class_id": _s.c.class_id,
        "starts_on": _s.c.starts_on,
        "starts_at": _s.c.starts_at,
        "ends_at": _s.c.ends_at,
        "hours": _s.c.hours,
        "topic": _s.c.topic,
        "taken_at": _s.c.taken_at,
        "cancelled_at": _s.c.cancelled_at,
    },
    source=_s.join(_k, and_(mine(_k), _k.c.id == _s.c.class_id)),
    filters={
        "class_id": among(_s.c.class_id),
        "from_on": from_on(_s.c.starts_on),
        "to_on": before_or_on(_s.c.starts_on),
    },
    sorts={"starts_at": (_s.c.starts_at, False)},
)
_later = attendance.alias("later")
ATTENDANCE_VIEW = View(
    _a,
    {
        "id": _a.c.id,
        "version": _a.c.seq,
        "session_id": _a.c.session_id,
        "membership_id": _a.c.membership_id,
        "person_id": _m.c.person_id,
        "starts_on": _s.c.starts_on,
        "kind": _a.c.kind,
        "hours": _a.c.hours,
        "taken_at": _a.c.taken_at,
    },
    source=_a.join(_s, and_(mine(_s), _s.c.id == _a.c.session_id)).join(
        _m,
        and_(
            mine(_m),
            _m.c.id == _a.c.membership_id,
            ~select(_later.c.id)
            .where(
                mine(_later),
                _later.c.session_id == _a.c.session_id,
                _later.c.membership_id == _a.c.membership_id,
                _later.c.seq > _a.c.seq,
            )
            .exists(),
        ),
    ),
    filters={
        "class_id": among(_s.c.class_id),
        "session_id": among(_a.c.session_id),
        "membership_id": among(_a.c.membership_id),
    },
)
"""The attendance that counts: of each member and meeting the latest mark."""
ASSESSMENT_VIEW = View(
    _e,
    {name: _e.c[name] for name in ("id", "class_id", "name", "max_mark", "pass_mark", "weight", "required")},
    filters={"class_id": among(_e.c.class_id)},
)
_newer = class_marks.alias("newer")
MARK_VIEW = View(
    _n,
    {
        "id": _n.c.id,
        "assessment_id": _n.c.assessment_id,
        "membership_id": _n.c.membership_id,
        "person_id": _m.c.person_id,
        "attempt": _n.c.attempt,
        "mark": _n.c.mark,
        "marked_on": _n.c.marked_on,
    },
    source=_n.join(
        _m,
        and_(
            mine(_m),
            _m.c.id == _n.c.membership_id,
            ~select(_newer.c.id)
            .where(
                mine(_newer),
                _newer.c.assessment_id == _n.c.assessment_id,
                _newer.c.membership_id == _n.c.membership_id,
                _newer.c.attempt == _n.c.attempt,
                _newer.c.seq > _n.c.seq,
            )
            .exists(),
        ),
    ),
    filters={
        "class_id": among(_m.c.class_id),
        "assessment_id": among(_n.c.assessment_id),
        "membership_id": among(_n.c.membership_id),
    },
)
"""The marks that count: of each member, assessment and attempt the latest."""


@lru_cache(maxsize=8)
def hours_of(sight: Sight | None) -> Statement[Record]:
    """Whose hours in the enterprise of a class are to be confirmed, and how many are; ids only."""
    actor = actor_of(sight)
    rows = (
        select(
            _k.c.id.label("class_id"),
            _m.c.id.label("membership_id"),
            _m.c.state,
            func.coalesce(_CONFIRMED, literal_column("0")).label("hours"),
        )
        .select_from(_k.outerjoin(_m, and_(mine(_m), _m.c.class_id == _k.c.id, _m.c.state == word("attending"))))
        .where(
            sees(_k, sight, actor),
            _k.c.id == bindparam("by_id", type_=Uuid),
            select(actor.c.account_id).scalar_subquery().is_not(None),
        )
        .subquery("found")
    )
    return read_by(rows, actor, [rows.c.membership_id])


__all__ = [
    "ASSESSMENT_VIEW",
    "ATTENDANCE_VIEW",
    "CLASS_FACTS",
    "CLASS_VIEW",
    "COMPLETION",
    "EDIT_FACTS",
    "MARK_VIEW",
    "MEMBERSHIP_FACTS",
    "MEMBERSHIP_VIEW",
    "NEW_CLASS",
    "NEW_MEMBERSHIP",
    "SESSION_VIEW",
    "TRANSFER_FACTS",
    "hours_of",
    "read_achieved",
]
