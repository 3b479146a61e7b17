"""The course catalogue: what its rules may know, and how it is read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, Uuid, bindparam, func, select

from service.domain.courses import CourseDossier, NewCourse
from service.storage.opening import ITSELF, FactsOf, word
from service.storage.tables.courses import courses
from service.storage.tables.institutions import relationships
from service.storage.tables.programmes import curriculum_courses
from service.storage.tenancy import mine
from service.storage.views import View, among

_c, _cc, _r = courses, curriculum_courses, relationships

FACTS: FactsOf[CourseDossier] = FactsOf(
    _c,
    CourseDossier,
    {"in_curriculum": select(_cc.c.course_id).where(mine(_cc), _cc.c.course_id == _c.c.id).exists()},
    stream="institution_id",
)


def _read_new(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"editions": tuple(row["editions"] or ())}


_same_code = (
    mine(_c),
    _c.c.owner_id.is_not_distinct_from(bindparam("owner_id", type_=Uuid)),
    _c.c.code == bindparam("code", type_=Text),
    _c.c.state != word("voided"),
)
NEW_FACTS: FactsOf[NewCourse] = FactsOf(
    ITSELF,
    NewCourse,
    {
        "owner_known": select(_r.c.id)
        .where(mine(_r), _r.c.organisation_id == bindparam("owner_id", type_=Uuid), _r.c.state != word("voided"))
        .exists(),
        "editions": select(func.array_agg(_c.c.edition)).where(*_same_code).scalar_subquery(),
    },
    stream="id",
    birth=True,
    extra=("owner_id", "code"),
    read=_read_new,
)
_shown = (
    "id",
    "version",
    "state",
    "since_on",
    "owner_id",
    "code",
    "edition",
    "title_native",
    "title_latin",
    "credits",
    "hours",
    "kind",
)
VIEW = View(
    _c,
    {name: _c.c[name] for name in _shown},
    filters={
        "state": among(_c.c.state),
        "code": among(_c.c.code),
        "owner_id": among(_c.c.owner_id),
        "kind": among(_c.c.kind),
    },
    sorts={"code": (_c.c.code, False)},
)

__all__ = ["FACTS", "NEW_FACTS", "VIEW"]
