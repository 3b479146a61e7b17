"""What staff read over a whole intake: who waits for which places, and who lacks which papers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Boolean, Text, and_, case, cast, exists, false, func, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by, array

from service.domain.applications import LIVE
from service.storage.applications import GOOD, IDENTITY, held_by
from service.storage.opening import TODAY, json_rows, word
from service.storage.tables.applications import applications
from service.storage.tables.intakes import intake_quotas, intakes
from service.storage.tables.trainees import documents, trainees
from service.storage.tenancy import mine
from service.storage.views import View, among

_a, _i, _q, _t, _d = applications, intakes, intake_quotas, trainees, documents
_w = _a.alias("waiting")


def _among(column: Any, codes: Any) -> Any:
    return column.in_([word(code) for code in codes])


def _waits(intake: Any, source: Any) -> tuple[Any, ...]:
    return (mine(_w), _w.c.intake_id == intake, _w.c.source == source, _w.c.state == word("waitlisted"))


_of_source = _waits(_q.c.intake_id, _q.c.source)
_next = select(_w.c.id).where(*_of_source).order_by(_w.c.rank).limit(literal_column("1")).scalar_subquery()
SOURCES = View(
    _i,
    {
        "id": _i.c.id,
        "version": _i.c.version,
        "sources": json_rows(
            select(
                _q.c.source,
                _q.c.kind,
                _q.c.places,
                _q.c.taken,
                (_q.c.places - _q.c.taken).label("left"),
                select(func.count()).select_from(_w).where(*_of_source).scalar_subquery().label("waiting"),
                _next.label("next"),
            )
            .where(mine(_q), _q.c.intake_id == _i.c.id)
            .order_by(_q.c.source)
        ),
    },
)
"""An intake's sources, with how many wait for each, and who is next."""
_before = select(func.count()).select_from(_w).where(*_waits(_a.c.intake_id, _a.c.source), _w.c.rank <= _a.c.rank)
WAITING = View(
    _a,
    {name: _a.c[name] for name in ("id", "version", "person_id", "source", "rank", "since_on")}
    | {"position": _before.correlate(_a).scalar_subquery()},
    filters={
        "intake": (_a.c.intake_id.type, lambda v: and_(_a.c.intake_id == v, _a.c.state == word("waitlisted"))),
        "source": among(_a.c.source),
    },
    sorts={"rank": (_a.c.rank, False)},
)
"""Those who wait, by rank."""


# ---- papers
def _has(kind: Any, states: tuple[str, ...]) -> Any:
    return exists(
        select(_d.c.id).where(mine(_d), _d.c.person_id == _a.c.person_id, _d.c.kind == kind, _among(_d.c.state, states))
    ).correlate_except(_d)


_identity = or_(_t.c.passport_sealed.is_not(None), *[_has(word(kind), GOOD) for kind in IDENTITY])
_none = cast(array([], type_=Text), ARRAY(Text))
_asked = (
    func.unnest(
        _i.c.documents.concat(_a.c.documents_asked).concat(case((_identity, _none), else_=array([word("identity")])))
    )
    .table_valued("kind", name="asked", joins_implicitly=True)
    .render_derived()
)
_kind = select(_asked.c.kind).distinct().where(~_has(_asked.c.kind, GOOD)).correlate(_a, _i, _t).subquery("lacked")
_rejected = _has(_kind.c.kind, ("rejected",))
_lacking = (
    select(
        func.array_agg(aggregate_order_by(_kind.c.kind, _kind.c.kind)).label("missing"),
        func.array_agg(aggregate_order_by(_kind.c.kind, _kind.c.kind)).filter(_rejected).label("rejected"),
    )
    .select_from(_kind)
    .lateral("lacking")
)
_concerned = _among(_a.c.state, (*LIVE, "selected"))
LACKING = View(
    _a,
    {name: _a.c[name] for name in ("id", "version", "state", "person_id", "source")}
    | {
        "missing": func.coalesce(_lacking.c.missing, _none),
        "rejected": func.coalesce(_lacking.c.rejected, _none),
        "languages": _i.c.languages,
        "starts_on": _i.c.starts_on,
        "today": TODAY,
        "held": held_by(_a.c.person_id),
    },
    source=_a.join(_i, and_(mine(_i), _i.c.id == _a.c.intake_id))
    .join(_t, and_(mine(_t), _t.c.id == _a.c.person_id))
    .join(_lacking, true()),
    filters={
        "intake": (
            _a.c.intake_id.type,
            lambda v: and_(
                _a.c.intake_id == v,
                _concerned,
                or_(_lacking.c.missing.is_not(None), func.jsonb_array_length(_i.c.languages) > literal_column("0")),
            ),
        ),
        "kind": (Text(), lambda v: v == func.any(_lacking.c.missing)),
        "state": among(_a.c.state),
        "source": among(_a.c.source),
        "rejected": (
            Boolean(),
            lambda v: v == func.coalesce(func.cardinality(_lacking.c.rejected) > literal_column("0"), false()),
        ),
    },
)
"""Whoever lacks a paper that the intake asks for, that was asked of them, or of identity; and whoever may
lack a test of language, to be judged."""

__all__ = ["LACKING", "SOURCES", "WAITING"]
