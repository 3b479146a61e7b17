"""Recognition cases and the ledger: what their rules may know, how they are read, and what is due."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Text, Uuid, and_, bindparam, case, cast, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import SYSTEM_ACCOUNT, Sight
from service.domain.recognition import CaseDossier, CaseItem, Claimable, NewCase
from service.storage.database import Statement, value
from service.storage.opening import TODAY, FactsOf, json_rows, word
from service.storage.scopes import NOW
from service.storage.tables.courses import courses
from service.storage.tables.recognition import (
    ledger,
    recognition_appeals,
    recognition_cases,
    recognition_decisions,
    recognition_items,
    results,
)
from service.storage.tables.record import stream_keys
from service.storage.tables.trainees import documents, trainees
from service.storage.tenancy import GATE, mine
from service.storage.views import View, among, before_or_on

_c, _i, _d, _a = recognition_cases, recognition_items, recognition_decisions, recognition_appeals
_r, _l, _k = results, ledger, stream_keys
HUNDRED: ColumnElement[Any] = literal_column("100")


def _exact(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """A decimal as text, for JSON has no other exact form."""
    return cast(column, Text).label(name)


# ---- what the rules may know
_x = _d.alias("latest")
_standing = select(func.max(_x.c.round)).where(mine(_x), _x.c.item_id == _i.c.id).scalar_subquery()
_ITEMS = json_rows(
    select(
        _i.c.id,
        _i.c.result_id,
        _i.c.target_course_id,
        _i.c.target,
        _exact(_i.c.share_percent, "share_percent"),
        _exact(_i.c.credits, "credits"),
        (_r.c.state == word("verified")).label("verified"),
        _r.c.passed,
        _exact(case((_r.c.state != word("voided"), HUNDRED - _r.c.claimed_percent), else_=literal_column("0")), "free"),
        _d.c.outcome,
        _exact(_d.c.credits_awarded, "credits_awarded"),
    )
    .select_from(
        _i.join(_r, and_(mine(_r), _r.c.id == _i.c.result_id)).outerjoin(
            _d, and_(mine(_d), _d.c.item_id == _i.c.id, _d.c.round == _standing)
        )
    )
    .where(mine(_i), _i.c.case_id == _c.c.id)
    .order_by(_i.c.place)
)
_DECIDERS = json_rows(
    select(_d.c.decided_by)
    .where(mine(_d), _d.c.case_id == _c.c.id, _d.c.action == word("decide"))
    .order_by(_d.c.decided_by)
)
_DOCUMENTS = case(
    (
        _c.c.state == word("evidence_requested"),
        json_rows(
            select(documents.c.id, documents.c.kind).where(mine(documents), documents.c.person_id == _c.c.person_id)
        ),
    )
)


def _asker(actor: Any) -> ColumnElement[Any]:
    return select(actor.c.account_id).scalar_subquery()


def _read(values: dict[str, Any]) -> dict[str, Any]:
    deciders = frozenset(UUID(d["decided_by"]) for d in values["deciders"]) - {SYSTEM_ACCOUNT}
    return values | {
        "items": tuple(_item(i) for i in values["items"]),
        "deciders": deciders,
        "evidence_wanted": tuple(values["evidence_wanted"] or ()),
        "documents": {UUID(d["id"]): d["kind"] for d in values["documents"] or ()},
    }


def _item(row: dict[str, Any]) -> CaseItem:
    course = row["target_course_id"]
    return CaseItem(
        id=UUID(row["id"]),
        result_id=UUID(row["result_id"]),
        target_course_id=UUID(course) if course else None,
        target=row["target"],
        share_percent=Decimal(row["share_percent"]),
        credits=Decimal(row["credits"]),
        verified=row["verified"],
        passed=row["passed"],
        free_percent=Decimal(row["free"]),
        outcome=row["outcome"],
        credits_awarded=Decimal(row["credits_awarded"] or 0),
    )


FACTS: FactsOf[CaseDossier] = FactsOf(
    _c,
    CaseDossier,
    {
        "items": _ITEMS,
        "round": _c.c.round,
        "deciders": _DECIDERS,
        "asker": _asker,
        "evidence_until": _c.c.evidence_until,
        "evidence_wanted": _c.c.evidence_wanted,
        "documents": _DOCUMENTS,
        "appeal_until": _c.c.appeal_until,
        "appeal_id": select(_a.c.id).where(mine(_a), _a.c.case_id == _c.c.id, _a.c.outcome.is_(None)).scalar_subquery(),
    },
    read=_read,
)


def _read_new(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "results": {
            UUID(r["id"]): Claimable(
                verified=r["verified"], free_percent=Decimal(r["free"]), credits=Decimal(r["credits"])
            )
            for r in values["results"]
        },
        "reversed_cases": frozenset(UUID(c["id"]) for c in values["reversed_cases"]),
        "courses": frozenset(UUID(c["id"]) for c in values["courses"]),
    }


_next = _c.alias("next")
_superseded = (
    select(_next.c.id)
    .where(
        mine(_next),
        _next.c.supersedes_id == _c.c.id,
        _next.c.state.not_in([word(s) for s in ("withdrawn", "lapsed", "voided")]),
    )
    .exists()
)
NEW_FACTS: FactsOf[NewCase] = FactsOf(
    trainees,
    NewCase,
    {
        "results": json_rows(
            select(
                _r.c.id,
                (_r.c.state == word("verified")).label("verified"),
                _exact(HUNDRED - _r.c.claimed_percent, "free"),
                _exact(_r.c.credits, "credits"),
            ).where(mine(_r), _r.c.person_id == trainees.c.id, _r.c.state != word("voided"))
        ),
        "reversed_cases": json_rows(
            select(_c.c.id).where(
                mine(_c), _c.c.person_id == trainees.c.id, _c.c.state == word("reversed"), ~_superseded
            )
        ),
        "courses": json_rows(
            select(courses.c.id).where(
                mine(courses),
                courses.c.id == func.any(bindparam("course_ids", type_=ARRAY(Uuid))),
                courses.c.owner_id.is_(None),
                courses.c.state != word("voided"),
            )
        ),
    },
    stream="id",
    birth=True,
    extra=("course_ids",),
    read=_read_new,
)


# ---- how a case is read
def _columns(sight: Sight | None, _actor: Any) -> dict[str, ColumnElement[Any]]:
    told = [_d.c.round <= _c.c.told_round] if sight is Sight.PERSON else []
    plain = (
        "id",
        "version",
        "state",
        "since_on",
        "person_id",
        "kind",
        "supersedes_id",
        "due_on",
        "evidence_wanted",
        "evidence_until",
        "decided_on",
        "appeal_until",
    )
    undecided = _c.c.state.in_([word(s) for s in ("opened", "assessing", "evidence_requested")])
    return {name: _c.c[name] for name in plain} | {
        "overdue": and_(undecided, _c.c.due_on < TODAY),
        "items": json_rows(
            select(
                _i.c.id,
                _i.c.result_id,
                _r.c.course_title.label("result_title"),
                _i.c.target_course_id,
                _i.c.target,
                _exact(_i.c.share_percent, "share_percent"),
                _exact(_i.c.credits, "credits"),
                _r.c.scheme,
            )
            .select_from(_i.join(_r, and_(mine(_r), _r.c.id == _i.c.result_id)))
            .where(mine(_i), _i.c.case_id == _c.c.id)
            .order_by(_i.c.place)
        ),
        "decisions": json_rows(
            select(
                _d.c.id,
                _d.c.item_id,
                _d.c.round,
                _d.c.action,
                _d.c.outcome,
                _exact(_d.c.credits_awarded, "credits_awarded"),
                _d.c.difference_codes,
                _d.c.reason_sealed,
                _d.c.decided_by,
                _d.c.decided_on,
            )
            .select_from(_d.join(_i, and_(mine(_i), _i.c.id == _d.c.item_id)))
            .where(mine(_d), _d.c.case_id == _c.c.id, *told)
            .order_by(_d.c.round, _i.c.place)
        ),
        "appeals": json_rows(
            select(
                _a.c.id,
                _a.c.lodged_on,
                _a.c.lodged_by,
                _a.c.grounds_sealed,
                _a.c.outcome,
                _a.c.reason_sealed,
                _a.c.decided_by,
                _a.c.decided_on,
            )
            .where(mine(_a), _a.c.case_id == _c.c.id)
            .order_by(_a.c.id)
        ),
        "wrapped": select(_k.c.wrapped).where(mine(_k), _k.c.stream_id == _c.c.person_id).scalar_subquery(),
    }


VIEW = View(
    _c,
    _columns,
    filters={
        "state": among(_c.c.state),
        "person_id": among(_c.c.person_id),
        "kind": among(_c.c.kind),
        "due_until": before_or_on(_c.c.due_on),
    },
)
LEDGER = View(
    _l,
    {
        name: _l.c[name]
        for name in (
            "id",
            "person_id",
            "course_id",
            "target",
            "credits",
            "sign",
            "item_id",
            "case_id",
            "entered_on",
            "entered_at",
        )
    },
    filters={"person_id": among(_l.c.person_id), "course_id": among(_l.c.course_id), "case_id": among(_l.c.case_id)},
)


# ---- what the clock finds
def _due(state: str, *conditions: ColumnElement[bool]) -> Statement[UUID]:
    found = (
        select(_c.c.id)
        .where(GATE, mine(_c), _c.c.state == word(state), *conditions)
        .order_by(_c.c.id)
        .limit(bindparam("limit", type_=BigInteger))
    )
    return Statement(found, value)


DUE_TO_NOTIFY = _due("decided", _c.c.created_at <= NOW)
DUE_TO_FINALISE = _due("notified", _c.c.appeal_until < TODAY)
DUE_TO_LAPSE = _due("evidence_requested", _c.c.evidence_until < TODAY)
