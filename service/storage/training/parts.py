"""What stands in a class: its meetings, the attendance, the assessments and the marks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, and_, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from service.storage.tables.training import (
    assessments,
    attendance,
    class_marks,
    class_sessions,
    memberships,
    training_classes,
)
from service.storage.tenancy import mine
from service.storage.training.classes import COUNTS
from service.storage.views import View, among, before_or_on, from_on

_k, _m, _s, _a, _e, _n = training_classes, memberships, class_sessions, attendance, assessments, class_marks

TAUGHT_BY = func.coalesce(_s.c.teacher_id, _k.c.teacher_id)
"""Who teaches a meeting: whoever stands in, else the teacher of the class."""
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
        "uid": _s.c.uid,
        "taught_by": TAUGHT_BY,
        "substituted": _s.c.teacher_id.is_not(None),
        "taken_at": _s.c.taken_at,
        "cancelled_at": _s.c.cancelled_at,
    },
    source=_s.join(_k, and_(mine(_k), _k.c.id == _s.c.class_id)),
    filters={
        "class_id": among(_s.c.class_id),
        "taught_by": among(TAUGHT_BY),
        "from_on": from_on(_s.c.starts_on),
        "to_on": before_or_on(_s.c.starts_on),
    },
    sorts={"starts_at": (_s.c.starts_at, False)},
)
_ATTENDANCE: dict[str, ColumnElement[Any]] = {
    "id": _a.c.id,
    "version": _a.c.seq,
    "session_id": _a.c.session_id,
    "membership_id": _a.c.membership_id,
    "person_id": _m.c.person_id,
    "starts_on": _s.c.starts_on,
    "kind": _a.c.kind,
    "hours": _a.c.hours,
    "taken_at": _a.c.taken_at,
    "recorded_at": _a.c.recorded_at,
    "corrects": _a.c.corrects,
    "counts": COUNTS,
}
ATTENDANCE_VIEW = View(
    _a,
    _ATTENDANCE,
    source=_a.join(_s, and_(mine(_s), _s.c.id == _a.c.session_id)).join(
        _m, and_(mine(_m), _m.c.id == _a.c.membership_id)
    ),
    filters={
        "class_id": among(_s.c.class_id),
        "session_id": among(_a.c.session_id),
        "membership_id": among(_a.c.membership_id),
        "replaced": (Boolean, lambda wanted: or_(wanted, COUNTS)),
    },
)
"""Attendance as it was taken: the marks that count, and, where `replaced` is asked for, those that no longer do."""
ASSESSMENT_VIEW = View(
    _e,
    {name: _e.c[name] for name in ("id", "class_id", "name", "max_mark", "pass_mark", "weight", "required", "part_of")},
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
