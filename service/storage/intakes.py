"""Intakes: what their rules may know, how they are read, and which ones the clock opens and closes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Uuid, and_, bindparam, case, cast, func, literal_column, select

from service.domain.applications import LIVE
from service.domain.intakes import Concerned, IntakeDossier, NewIntake, Places
from service.storage.database import Statement, value
from service.storage.opening import TODAY, FactsOf, json_rows, word
from service.storage.programmes import ACTING
from service.storage.tables.applications import applications
from service.storage.tables.enrolments import enrolments
from service.storage.tables.intakes import intake_quotas, intakes
from service.storage.tables.programmes import programmes
from service.storage.tenancy import GATE, mine
from service.storage.views import View, among, before_or_on, from_on

_i, _q, _p, _a, _e = intakes, intake_quotas, programmes, applications, enrolments

UNDECIDED = ("submitted", "under_review", "documents_required", "eligible")
BY_ITS_END = ("intake_closed", "intake_cancelled")
"""Reasons for which the end of an intake ends what hangs on it."""


def _among(column: Any, codes: tuple[str, ...]) -> Any:
    return column.in_([word(code) for code in codes])


_waits = (mine(_a), _a.c.intake_id == _i.c.id, _a.c.state == word("waitlisted"))
_named = (*_waits, _a.c.id == func.any(bindparam("applications", type_=ARRAY(Uuid))))
_live = (mine(_a), _a.c.intake_id == _i.c.id, _among(_a.c.state, LIVE))
_pending = (mine(_e), _e.c.intake_id == _i.c.id, _e.c.state == word("pending"))
_quotas = json_rows(
    select(_q.c.source, _q.c.kind, _q.c.places, _q.c.taken)
    .where(mine(_q), _q.c.intake_id == _i.c.id)
    .order_by(_q.c.source)
)


def _concerned(rows: list[Mapping[str, Any]] | None) -> tuple[Concerned, ...]:
    return tuple(
        Concerned(UUID(r["id"]), UUID(r["person_id"]), r["state"], r["version"], r["source"], r.get("rank"))
        for r in rows or ()
    )


def _places(rows: list[Mapping[str, Any]]) -> dict[str, Places]:
    return {q["source"]: Places(q["places"], q["taken"], q["kind"]) for q in rows}


def _read(row: dict[str, Any]) -> dict[str, Any]:
    return row | {
        "quotas": _places(row["quotas"]),
        "live_applications": _concerned(row["live_applications"]),
        "pending_enrolments": _concerned(row["pending_enrolments"]),
    }


def _listed(table: Any, conditions: tuple[Any, ...]) -> Any:
    c = table.c
    rows = select(c.id, c.person_id, c.state, c.version, c.source).where(*conditions).order_by(c.id)
    return case((ACTING, json_rows(rows)))


def _counted(table: Any, *conditions: Any) -> Any:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


_of_a, _of_e = (mine(_a), _a.c.intake_id == _i.c.id), (mine(_e), _e.c.intake_id == _i.c.id)
_by_its_end = _counted(_a, *_of_a, _a.c.state == word("not_selected"), _among(_a.c.reason_code, BY_ITS_END)) + _counted(
    _e, *_of_e, _e.c.state == word("cancelled"), _among(_e.c.reason_code, BY_ITS_END)
)

FACTS: FactsOf[IntakeDossier] = FactsOf(
    _i,
    IntakeDossier,
    {
        "programme_state": _p.c.state,
        "opens_on": _i.c.opens_on,
        "closes_on": _i.c.closes_on,
        "starts_on": _i.c.starts_on,
        "plan_version": _i.c.plan_version,
        "quotas": _quotas,
        "waiting": _counted(_a, *_waits),
        "applications": _counted(_a, *_of_a, _a.c.state != word("voided")),
        "undecided": _counted(_a, *_of_a, _among(_a.c.state, UNDECIDED)),
        "closed_out": _by_its_end,
        "live_applications": _listed(_a, _live),
        "pending_enrolments": _listed(_e, _pending),
    },
    source=_i.join(_p, and_(mine(_p), _p.c.id == _i.c.programme_id)),
    stream="id",
    also=case(
        (ACTING, func.array_cat(
            select(func.array_agg(_a.c.person_id)).where(*_live).scalar_subquery(),
            select(func.array_agg(_e.c.person_id)).where(*_pending).scalar_subquery(),
        )),
        else_=cast(literal_column("'{}'"), ARRAY(Uuid)),
    ),
    read=_read,
)  # fmt: skip
RANK_FACTS: FactsOf[IntakeDossier] = replace(
    FACTS,
    columns={
        name: FACTS.columns[name] for name in FACTS.columns if name not in ("live_applications", "pending_enrolments")
    }
    | {
        "named": json_rows(
            select(_a.c.id, _a.c.person_id, _a.c.state, _a.c.version, _a.c.source, _a.c.rank).where(*_named)
        )
    },
    also=select(func.array_agg(_a.c.person_id)).where(*_named).scalar_subquery(),
    extra=("applications",),
    read=lambda row: row | {"quotas": _places(row["quotas"]), "named": _concerned(row["named"])},
)
"""What a new order of the waiting list must know: whom it names, of those who wait."""
NEW_FACTS: FactsOf[NewIntake] = FactsOf(_p, NewIntake, {"programme_state": _p.c.state}, stream="id", birth=True)
_plain = (
    "id",
    "version",
    "state",
    "since_on",
    "programme_id",
    "code",
    "opens_on",
    "closes_on",
    "starts_on",
    "level_least",
    "age_least",
    "age_most",
    "nationalities",
    "languages",
    "documents",
    "plan_authority",
    "plan_number",
    "plan_version",
)
VIEW = View(
    _i,
    {name: _i.c[name] for name in _plain} | {"quotas": _quotas},
    filters={
        "state": among(_i.c.state),
        "programme_id": among(_i.c.programme_id),
        "code": among(_i.c.code),
        "starts_from": from_on(_i.c.starts_on),
        "starts_until": before_or_on(_i.c.starts_on),
    },
    sorts={"starts_on": (_i.c.starts_on, False)},
)


def _due(*conditions: Any) -> Statement[UUID]:
    found = select(_i.c.id).where(GATE, mine(_i), *conditions).order_by(_i.c.id)
    return Statement(found.limit(bindparam("limit", type_=BigInteger)), value)


TO_OPEN = _due(_i.c.state == word("published"), _i.c.opens_on <= TODAY, _i.c.closes_on >= TODAY)
"""Published ones whose first day has come."""
TO_CLOSE = _due(_i.c.state == word("open"), _i.c.closes_on < TODAY)
"""Open ones whose last day is over."""

__all__ = ["FACTS", "NEW_FACTS", "RANK_FACTS", "TO_CLOSE", "TO_OPEN", "VIEW"]
