"""Classes: what their rules may know, and how they are read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, func, literal_column, or_, select, tuple_
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import COORDINATOR, INSTRUCTOR, Sight
from service.domain.training import AssessmentFact, Busy, ClassDossier, MarkedFact, MemberFact, NewClass, SessionFact
from service.storage.opening import ITSELF, FactsOf, json_rows, word
from service.storage.scopes import NOW, sees
from service.storage.tables.courses import courses
from service.storage.tables.institutions import appointments, relationships
from service.storage.tables.training import (
    assessments,
    attendance,
    class_marks,
    class_sessions,
    memberships,
    training_classes,
)
from service.storage.tenancy import mine
from service.storage.training.common import as_text, concerned
from service.storage.views import View, among, before_or_on, from_on

_k, _m, _s, _a, _e, _n = training_classes, memberships, class_sessions, attendance, assessments, class_marks


def _class_of(table: Any) -> dict[str, Any]:
    sessions = (
        select(
            _s.c.id,
            _s.c.starts_on.label("on"),
            as_text(_s.c.hours).label("hours"),
            _s.c.taken_at.is_not(None).label("held"),
            _s.c.cancelled_at.is_not(None).label("cancelled"),
            *[_s.c[name] for name in ("starts_at", "ends_at", "uid", "topic", "teacher_id", "sequence")],
        )
        .where(mine(_s), _s.c.class_id == table.c.id)
        .order_by(_s.c.starts_at)
    )
    highest = select(func.max(_n.c.mark)).where(mine(_n), _n.c.assessment_id == _e.c.id).correlate(_e).scalar_subquery()
    asked = select(
        _e.c.id,
        _e.c.name,
        as_text(_e.c.max_mark).label("max_mark"),
        as_text(_e.c.pass_mark).label("pass_mark"),
        as_text(highest).label("highest"),
        _e.c.part_of,
    ).where(mine(_e), _e.c.class_id == table.c.id)
    members = select(
        *[_m.c[name] for name in ("id", "person_id", "state", "version", "event_seq", "attempt", "ended_from")]
    ).where(mine(_m), _m.c.class_id == table.c.id, concerned())
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
        "now": NOW,
        "asked_by": lambda actor: select(actor.c.account_id).scalar_subquery(),
        "asked_as": lambda actor: select(actor.c.roles).scalar_subquery(),
    }


def _busy(teacher: ColumnElement[Any]) -> ColumnElement[Any]:
    """When a teacher has meetings of other classes, in the days of this one; as JSON."""
    s, k = _s.alias("elsewhere"), _k.alias("other_class")
    theirs = or_(s.c.teacher_id == teacher, and_(s.c.teacher_id.is_(None), k.c.teacher_id == teacher))
    day: ColumnElement[Any] = literal_column("1")
    return json_rows(
        select(s.c.starts_at, s.c.ends_at)
        .select_from(s.join(k, and_(mine(k), k.c.id == s.c.class_id)))
        .where(
            mine(s),
            s.c.class_id != _k.c.id,
            theirs,
            s.c.cancelled_at.is_(None),
            k.c.state.in_([word(state) for state in ("planned", "open", "running")]),
            s.c.starts_on.between(_k.c.starts_on - day, _k.c.ends_on + day),
        )
        .order_by(s.c.starts_at)
    )


def read_busy(rows: list[dict[str, Any]]) -> tuple[Busy, ...]:
    """The same as facts."""
    at = datetime.fromisoformat
    return tuple(Busy(at(b["starts_at"]).astimezone(UTC), at(b["ends_at"]).astimezone(UTC)) for b in rows)


def read_session(s: dict[str, Any]) -> SessionFact:
    """A meeting from its JSON."""
    return SessionFact(
        UUID(s["id"]),
        date.fromisoformat(s["on"]),
        Decimal(s["hours"]),
        s["held"],
        s["cancelled"],
        datetime.fromisoformat(s["starts_at"]).astimezone(UTC),
        datetime.fromisoformat(s["ends_at"]).astimezone(UTC),
        s["uid"],
        s["topic"],
        s["teacher_id"] and UUID(s["teacher_id"]),
        s["sequence"],
    )


def _read_class(values: dict[str, Any]) -> dict[str, Any]:
    return values | {
        "busy": read_busy(values.get("busy") or []),
        "sessions": tuple(read_session(s) for s in values["sessions"]),
        "assessments": tuple(
            AssessmentFact(
                UUID(a["id"]),
                a["name"],
                Decimal(a["max_mark"]),
                Decimal(a["pass_mark"]),
                None if a["highest"] is None else Decimal(a["highest"]),
                a["part_of"] and UUID(a["part_of"]),
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


def named(name: str) -> Any:
    """An id that the caller names."""
    return bindparam(name, type_=Uuid)


_NAMED: dict[str, ColumnElement[Any]] = {
    "teacher_known": select(appointments.c.id)
    .where(
        mine(appointments),
        appointments.c.account_id == named("teacher_id"),
        appointments.c.state == word("held"),
        appointments.c.roles.op("&&")(array([word(INSTRUCTOR.value), word(COORDINATOR.value)])),
    )
    .exists(),
    "course_known": select(courses.c.id).where(mine(courses), courses.c.id == named("course_id")).exists(),
    "enterprise_known": select(relationships.c.id)
    .where(mine(relationships), relationships.c.organisation_id == named("enterprise_id"))
    .exists(),
}
_NAMES = ("teacher_id", "enterprise_id", "course_id")
_WHOSE = select(func.array_agg(_m.c.person_id.distinct())).where(
    mine(_m), _m.c.class_id == _k.c.id, concerned()
).scalar_subquery()  # fmt: skip
CLASS_FACTS: FactsOf[ClassDossier] = FactsOf(
    _k, ClassDossier, _class_of(_k), stream="id", also=_WHOSE, read=_read_class
)


def _appointed(teacher: ColumnElement[Any]) -> ColumnElement[Any]:
    """The streams to lock where an act rests on a teacher's time: two acts that need it come one after the other."""
    w = appointments
    return select(func.array_agg(w.c.id)).where(mine(w), w.c.account_id == teacher).scalar_subquery()


_TEACHER = func.coalesce(named("teacher_id"), _k.c.teacher_id)
EDIT_FACTS: FactsOf[ClassDossier] = FactsOf(
    _k,
    ClassDossier,
    _class_of(_k) | _NAMED | {"busy": _busy(_TEACHER)},
    stream="id",
    also=_appointed(_TEACHER),
    extra=_NAMES,
    read=_read_class,
)
_better = attendance.alias("better")
COUNTS: ColumnElement[bool] = ~(
    select(_better.c.id)
    .where(
        mine(_better),
        _better.c.session_id == _a.c.session_id,
        _better.c.membership_id == _a.c.membership_id,
        tuple_(_better.c.taken_at, _better.c.seq) > tuple_(_a.c.taken_at, _a.c.seq),
    )
    .exists()
)
"""Whether a mark of attendance counts: no other of the same member and meeting was taken later."""
_MARKED = json_rows(
    select(
        _a.c.id,
        _a.c.session_id,
        _a.c.membership_id,
        _a.c.kind,
        as_text(_a.c.hours).label("hours"),
        COUNTS.label("counts"),
    )
    .select_from(_a.join(_m, and_(mine(_m), _m.c.id == _a.c.membership_id)))
    .where(mine(_a), _a.c.id == named("attendance_id"), _m.c.class_id == _k.c.id)
)


def _read_correction(values: dict[str, Any]) -> dict[str, Any]:
    found = [
        MarkedFact(
            UUID(a["id"]), UUID(a["session_id"]), UUID(a["membership_id"]), a["kind"], Decimal(a["hours"]), a["counts"]
        )
        for a in values["marked"]
    ]
    return _read_class(values) | {"marked": found[0] if found else None}


SUBSTITUTE_FACTS: FactsOf[ClassDossier] = FactsOf(
    _k,
    ClassDossier,
    _class_of(_k)
    | {
        "teacher_known": _NAMED["teacher_known"],
        "busy": _busy(_TEACHER),
    },
    stream="id",
    also=_appointed(_TEACHER),
    extra=("teacher_id",),
    read=_read_class,
)
TIMETABLE_FACTS: FactsOf[ClassDossier] = FactsOf(
    _k,
    ClassDossier,
    _class_of(_k) | {"busy": _busy(_k.c.teacher_id)},
    stream="id",
    also=_appointed(_k.c.teacher_id),
    read=_read_class,
)
CORRECTION_FACTS: FactsOf[ClassDossier] = FactsOf(
    _k,
    ClassDossier,
    _class_of(_k) | {"marked": _MARKED},
    stream="id",
    extra=("attendance_id",),
    read=_read_correction,
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


def _timetable(sight: Sight | None, actor: Any) -> dict[str, ColumnElement[Any]]:
    sessions = (
        select(
            *[_s.c[n] for n in ("id", "starts_at", "ends_at", "uid", "topic", "teacher_id", "sequence", "changed_at")],
            _s.c.starts_on.label("on"),
            as_text(_s.c.hours).label("hours"),
            _s.c.taken_at.is_not(None).label("held"),
            _s.c.cancelled_at.is_not(None).label("cancelled"),
        )
        .where(sees(_s, sight, actor), _s.c.class_id == _k.c.id)
        .order_by(_s.c.starts_at, _s.c.uid)
    )
    own = ("id", "version", "state", "title", "time_zone", "starts_on", "ends_on")
    return {name: _k.c[name] for name in own} | {"sessions": json_rows(sessions), "busy": _busy(_k.c.teacher_id)}


TIMETABLE = View(_k, _timetable)
"""A class with all of its meetings, as far as they are seen."""
