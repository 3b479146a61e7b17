"""Programmes and their curricula: what their rules may know, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Text, Uuid, and_, bindparam, case, cast, func, not_, select

from service.domain.actors import Sight
from service.domain.intakes import RUNNING
from service.domain.levels import Proof
from service.domain.programmes import ProgrammeDossier
from service.storage.database import Record, Statement
from service.storage.opening import ITSELF, FactsOf, json_rows, word
from service.storage.scopes import actor_of, sees
from service.storage.tables.courses import courses
from service.storage.tables.intakes import intakes
from service.storage.tables.programmes import curricula, curriculum_courses, programmes
from service.storage.tables.recognition_rules import regulations
from service.storage.tenancy import mine
from service.storage.views import View, among, read_by

_p, _c, _v, _vc, _i, _g = programmes, courses, curricula, curriculum_courses, intakes, regulations

ACTING = not_(bindparam("with_last", type_=Boolean))
"""Whether the facts are for an act of the capability's own; what only effects need is left out for offers."""


def proofs(listed: list[Mapping[str, Any]]) -> tuple[Proof, ...]:
    """The tests of a JSON column."""
    return tuple(Proof(test=p["test"], level=p.get("level"), purpose=p.get("purpose")) for p in listed)


def _read(row: dict[str, Any]) -> dict[str, Any]:
    known = frozenset(UUID(str(course)) for course in row["courses"] or ())
    return row | {"stages": len(row["stages"]), "courses": known}


_of_programme = (mine(_i), _i.c.programme_id == _p.c.id)
FACTS: FactsOf[ProgrammeDossier] = FactsOf(
    _p,
    ProgrammeDossier,
    {
        "stages": _p.c.stages,
        "courses": case(
            (
                ACTING,
                select(func.array_agg(_c.c.id)).where(mine(_c), _c.c.state == word("published")).scalar_subquery(),
            )
        ),
        "intakes": select(func.count()).where(*_of_programme, _i.c.state != word("voided")).scalar_subquery(),
        "running_intakes": select(func.count())
        .where(*_of_programme, _i.c.state.in_([word(s) for s in RUNNING]))
        .scalar_subquery(),
        "last_curriculum": select(func.coalesce(func.max(_v.c.no), 0))
        .where(mine(_v), _v.c.programme_id == _p.c.id)
        .scalar_subquery(),
        "last_regulation": select(func.coalesce(func.max(_g.c.no), 0))
        .where(mine(_g), _g.c.programme_id == _p.c.id)
        .scalar_subquery(),
    },
    stream="id",
    read=_read,
)
NEW_FACTS: FactsOf[ProgrammeDossier] = FactsOf(ITSELF, ProgrammeDossier, {}, stream="id", birth=True)
VIEW = View(
    _p,
    {
        name: _p.c[name]
        for name in (
            "id",
            "version",
            "state",
            "since_on",
            "code",
            "title_native",
            "title_latin",
            "kind",
            "level",
            "field",
            "stages",
            "languages",
            "certificates",
        )
    }
    | {
        "curriculum_no": select(func.max(_v.c.no)).where(mine(_v), _v.c.programme_id == _p.c.id).scalar_subquery(),
    },
    filters={
        "state": among(_p.c.state),
        "kind": among(_p.c.kind),
        "level": among(_p.c.level),
        "field": among(_p.c.field),
        "code": among(_p.c.code),
    },
    sorts={"code": (_p.c.code, False)},
)


@lru_cache(maxsize=8)
def curricula_of(sight: Sight | None) -> Statement[Record]:
    """Every curriculum of a programme that the actor sees, the newest first, with its courses by stage."""
    actor = actor_of(sight)
    listed = json_rows(
        select(
            _vc.c.course_id,
            _vc.c.stage,
            _vc.c.required,
            _c.c.code,
            _c.c.edition,
            _c.c.title_native,
            _c.c.title_latin,
            cast(_c.c.credits, Text).label("credits"),
        )
        .select_from(_vc.join(_c, and_(mine(_c), _c.c.id == _vc.c.course_id)))
        .where(mine(_vc), _vc.c.curriculum_id == _v.c.id)
        .order_by(_vc.c.stage, _c.c.code)
    )
    rows = (
        select(_p.c.id.label("programme_id"), _v.c.id, _v.c.no, _v.c.set_at, listed.label("courses"))
        .select_from(_p.outerjoin(_v, and_(mine(_v), _v.c.programme_id == _p.c.id)))
        .where(sees(_p, sight, actor), _p.c.id == bindparam("by_id", type_=Uuid))
        .order_by(_v.c.no.desc())
        .subquery("found")
    )
    return read_by(rows, actor, [rows.c.no.desc()])


__all__ = ["ACTING", "FACTS", "NEW_FACTS", "VIEW", "curricula_of", "proofs"]
