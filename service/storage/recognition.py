"""Recognition cases and the ledger: what their rules may know, how they are read, and what is due."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import SYSTEM_ACCOUNT, Sight
from service.domain.enrolments import LIVE as ENROLLED
from service.domain.recognition import CaseDossier, CaseItem, Claimable, Earned, NewCase
from service.storage.conversion import shipped_schemes
from service.storage.database import Record, Statement, value
from service.storage.opening import TODAY, FactsOf, json_rows, word
from service.storage.recognition_rules import (
    CATALOGUE,
    conversions_for,
    read_conversion,
    read_regulation,
    read_rule,
    regulations_for,
    rules_for,
)
from service.storage.scopes import NOW, actor_of, sees
from service.storage.tables.courses import courses
from service.storage.tables.enrolments import enrolments
from service.storage.tables.programmes import curricula, curriculum_courses
from service.storage.tables.recognition import (
    ledger,
    recognition_appeals,
    recognition_cases,
    recognition_decisions,
    recognition_items,
    recognition_signatures,
    results,
)
from service.storage.tables.recognition_rules import recognition_rule_sources, recognition_rules
from service.storage.tables.record import stream_keys
from service.storage.tables.trainees import documents, trainees
from service.storage.tenancy import GATE, mine
from service.storage.views import View, among, before_or_on, of_person, read_by

_c, _i, _d, _a = recognition_cases, recognition_items, recognition_decisions, recognition_appeals
_r, _l, _k = results, ledger, stream_keys
HUNDRED: ColumnElement[Any] = literal_column("100")


def _exact(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """A decimal as text, for JSON has no other exact form."""
    return cast(column, Text).label(name)


# ---- what the rules may know
_x = _d.alias("latest")
_standing = select(func.max(_x.c.round)).where(mine(_x), _x.c.item_id == _i.c.id).scalar_subquery()
_cc, _v, _n = curriculum_courses, curricula, enrolments
_home, _there = courses.alias("home"), courses.alias("there")
_newest = (
    select(_v.c.id)
    .where(mine(_v), _v.c.programme_id == _c.c.programme_id)
    .order_by(_v.c.no.desc())
    .limit(literal_column("1"))
    .correlate(_c)
    .scalar_subquery()
)


def _course_of(r: Any) -> ColumnElement[Any]:
    """The catalogue's course of a result: the one that it names, or else the newest of its owner's with its code.

    Results from sheets have a code and no id; without this no rule would know them.
    """
    k = courses.alias("by_code")
    by_code = (
        select(k.c.id)
        .where(
            mine(k),
            k.c.owner_id.is_not_distinct_from(r.c.owner_id),
            k.c.code == r.c.course_code,
            k.c.state != word("voided"),
            or_(r.c.owner_id.is_not(None), r.c.source == word("home")),
        )
        .order_by(k.c.edition.desc())
        .limit(literal_column("1"))
        .correlate(r)
        .scalar_subquery()
    )
    return func.coalesce(r.c.course_id, by_code)


def _in_curriculum(course: ColumnElement[Any], *, required: bool) -> ColumnElement[bool]:
    """Whether the newest curriculum of the case's programme has the course, for everybody or by choice."""
    chosen = _cc.c.required if required else not_(_cc.c.required)
    found = select(_cc.c.course_id).where(mine(_cc), _cc.c.curriculum_id == _newest, _cc.c.course_id == course, chosen)
    return found.exists()


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
        _course_of(_r).label("source_course_id"),
        _r.c.owner_id.label("source_owner_id"),
        _r.c.grade,
        _r.c.achieved_on,
        _exact(_home.c.credits, "target_credits"),
        _home.c.kind.label("target_kind"),
        _there.c.kind.label("source_kind"),
        _d.c.mode,
        _in_curriculum(_i.c.target_course_id, required=True).label("target_required"),
        _in_curriculum(_course_of(_r), required=False).label("source_elective"),
    )
    .select_from(
        _i.join(_r, and_(mine(_r), _r.c.id == _i.c.result_id))
        .outerjoin(_d, and_(mine(_d), _d.c.item_id == _i.c.id, _d.c.round == _standing))
        .outerjoin(_home, and_(mine(_home), _home.c.id == _i.c.target_course_id))
        .outerjoin(_there, and_(mine(_there), _there.c.id == _course_of(_r)))
    )
    .where(mine(_i), _i.c.case_id == _c.c.id)
    .order_by(_i.c.place)
)
_DECIDERS = json_rows(
    select(_d.c.decided_by)
    .where(mine(_d), _d.c.case_id == _c.c.id, _d.c.action != word("decide_appeal"))
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


_DECIDABLE = _c.c.state.in_([word(s) for s in ("opened", "assessing", "appealed")])
_RULES = case(
    (
        _DECIDABLE,
        rules_for(
            select(_course_of(_r))
            .select_from(_i.join(_r, and_(mine(_r), _r.c.id == _i.c.result_id)))
            .where(mine(_i), _i.c.case_id == _c.c.id)
            .correlate(_c),
            _c.c.person_id,
        ),
    )
)
_CONVERSIONS = case(
    (
        _DECIDABLE,
        conversions_for(
            select(_r.c.owner_id)
            .select_from(_i.join(_r, and_(mine(_r), _r.c.id == _i.c.result_id)))
            .where(mine(_i), _i.c.case_id == _c.c.id)
            .correlate(_c)
        ),
    )
)
_oc, _oi, _od, _ox = _c.alias("other"), _i.alias("other_item"), _d.alias("other_decision"), _d.alias("other_latest")
_by_choice = _od.c.mode == word("elective")
_EARNED = json_rows(
    select(
        case((_by_choice, cast(null(), Uuid)), else_=_oi.c.target_course_id).label("target_course_id"),
        case((_by_choice, word("elective")), else_=_home.c.kind).label("kind"),
        _exact(_od.c.credits_awarded, "credits"),
    )
    .select_from(
        _oc.join(_oi, and_(mine(_oi), _oi.c.case_id == _oc.c.id))
        .join(_od, and_(mine(_od), _od.c.item_id == _oi.c.id))
        .outerjoin(_home, and_(mine(_home), _home.c.id == _oi.c.target_course_id))
    )
    .where(
        mine(_oc),
        _oc.c.person_id == _c.c.person_id,
        _oc.c.id != _c.c.id,
        _oc.c.state.in_([word(s) for s in ("decided", "notified", "appealed", "final")]),
        _od.c.credits_awarded > 0,
        _od.c.round
        == select(func.max(_ox.c.round)).where(mine(_ox), _ox.c.item_id == _oi.c.id).correlate(_oi).scalar_subquery(),
    )
)
_SIGNERS = json_rows(
    select(recognition_signatures.c.signed_by).where(
        mine(recognition_signatures),
        recognition_signatures.c.case_id == _c.c.id,
        recognition_signatures.c.round == _c.c.round,
    )
)


def _asker(actor: Any) -> ColumnElement[Any]:
    return select(actor.c.account_id).scalar_subquery()


def _asker_roles(actor: Any) -> ColumnElement[Any]:
    return select(actor.c.roles).scalar_subquery()


def _read(values: dict[str, Any]) -> dict[str, Any]:
    deciders = frozenset(UUID(d["decided_by"]) for d in values["deciders"]) - {SYSTEM_ACCOUNT}
    named: dict[str, Any] = {
        name: frozenset(UUID(c["id"]) for c in values[name]) for name in ("own", "others") if name in values
    }
    return values | {
        **named,
        "items": tuple(_item(i) for i in values["items"]),
        "deciders": deciders,
        "evidence_wanted": tuple(values["evidence_wanted"] or ()),
        "documents": {UUID(d["id"]): d["kind"] for d in values["documents"] or ()},
        "asker_roles": tuple(values["asker_roles"] or ()),
        "sign_off": tuple(values["sign_off"] or ()),
        "signers": frozenset(UUID(s["signed_by"]) for s in values["signers"]),
        "rules": tuple(read_rule(r) for r in values["rules"] or ()),
        "regulations": tuple(read_regulation(r) for r in values["regulations"] or ()),
        "earned": tuple(
            Earned(
                target_course_id=UUID(e["target_course_id"]) if e["target_course_id"] else None,
                kind=e["kind"],
                credits=Decimal(e["credits"]),
            )
            for e in values["earned"]
        ),
        "schemes": shipped_schemes(),
        "conversions": tuple(read_conversion(c) for c in values["conversions"] or ()),
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
        source_course_id=UUID(row["source_course_id"]) if row["source_course_id"] else None,
        source_owner_id=UUID(row["source_owner_id"]) if row["source_owner_id"] else None,
        source_elective=row["source_elective"],
        grade=row["grade"],
        achieved_on=date.fromisoformat(row["achieved_on"]),
        target_credits=Decimal(row["target_credits"]) if row["target_credits"] is not None else None,
        target_kind=row["target_kind"],
        target_required=row["target_required"],
        source_kind=row["source_kind"],
        mode=row["mode"],
    )


_CASE: dict[str, Any] = {
    "items": _ITEMS,
    "round": _c.c.round,
    "deciders": _DECIDERS,
    "asker": _asker,
    "asker_roles": _asker_roles,
    "sign_off": _c.c.sign_off,
    "signers": _SIGNERS,
    "rules": _RULES,
    "regulations": regulations_for(_c.c.programme_id),
    "conversions": _CONVERSIONS,
    "earned": _EARNED,
    "evidence_until": _c.c.evidence_until,
    "evidence_wanted": _c.c.evidence_wanted,
    "documents": _DOCUMENTS,
    "appeal_until": _c.c.appeal_until,
    "appeal_id": select(_a.c.id).where(mine(_a), _a.c.case_id == _c.c.id, _a.c.outcome.is_(None)).scalar_subquery(),
}
FACTS: FactsOf[CaseDossier] = FactsOf(_c, CaseDossier, _CASE, read=_read)
ALIKE_FACTS: FactsOf[CaseDossier] = FactsOf(
    _c,
    CaseDossier,
    {**_CASE, **CATALOGUE},
    also=case(
        (bindparam("rule_key", type_=Text).is_not(None), array([_c.c.institution_id])), else_=cast(null(), ARRAY(Uuid))
    ),
    extra=("course_ids", "rule_key"),
    read=_read,
)
"""A case whose decision may be kept as a rule: that one stands in the institution's own stream."""


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
        "programme_id": values["programme_id"],
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
        "programme_id": select(_n.c.programme_id)
        .where(mine(_n), _n.c.person_id == trainees.c.id, _n.c.state.in_([word(s) for s in ENROLLED]))
        .order_by(_n.c.id.desc())
        .limit(literal_column("1"))
        .scalar_subquery(),
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
        "programme_id",
        "sign_off",
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
                _exact(_d.c.overlap_percent, "overlap_percent"),
                _d.c.grade_awarded,
                _d.c.rule_id,
                _d.c.mode,
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
        "person_id": of_person(_c.c.person_id),
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
            "mode",
            "item_id",
            "case_id",
            "entered_on",
            "entered_at",
        )
    },
    filters={
        "person_id": of_person(_l.c.person_id),
        "course_id": among(_l.c.course_id),
        "case_id": among(_l.c.case_id),
    },
)


# ---- how decisions came about, and what was decided before
@lru_cache(maxsize=8)
def traces_of(sight: Sight | None) -> Statement[Record]:
    """The decisions of a case that the actor sees, each with its trace."""
    actor = actor_of(sight)
    told = [_d.c.round <= _c.c.told_round] if sight is Sight.PERSON else []
    rows = (
        select(
            _c.c.id.label("case_id"), _d.c.id, _d.c.item_id, _d.c.round, _d.c.credits_awarded, _d.c.grade_awarded,
            _d.c.rule_id, _d.c.trace,
        )
        .select_from(_c.outerjoin(_d, and_(mine(_d), _d.c.case_id == _c.c.id, *told)))
        .where(sees(_c, sight, actor), _c.c.id == bindparam("by_id", type_=Uuid))
        .subquery("found")
    )  # fmt: skip
    return read_by(rows, actor, [rows.c.round, rows.c.id])


@lru_cache(maxsize=8)
def precedents_of(sight: Sight | None) -> Statement[Record]:
    """For each item of a case: what stands decided in other cases of the same course for the same target, counted.

    The same course is the same entry of the catalogue, or else the same code of the same owner; no person is named.
    """
    actor = actor_of(sight)
    i, r = _i.alias("asked_item"), _r.alias("asked_result")
    same_source = or_(
        _r.c.course_id == r.c.course_id,
        and_(_r.c.owner_id == r.c.owner_id, _r.c.course_code == r.c.course_code),
    )
    same_target = or_(_oi.c.target_course_id == i.c.target_course_id, _oi.c.target == i.c.target)
    before = (
        select(
            i.c.id.label("item_id"), _od.c.outcome, func.count().label("decisions"),
            func.min(_od.c.credits_awarded).label("credits_least"),
            func.max(_od.c.credits_awarded).label("credits_most"),
            func.max(_od.c.decided_on).label("last_on"),
        )
        .select_from(
            i.join(r, and_(mine(r), r.c.id == i.c.result_id))
            .join(_oi, and_(mine(_oi), _oi.c.case_id != i.c.case_id, same_target))
            .join(_r, and_(mine(_r), _r.c.id == _oi.c.result_id, same_source))
            .join(_oc, and_(mine(_oc), _oc.c.id == _oi.c.case_id, _oc.c.state.in_([word("notified"), word("final")])))
            .join(_od, and_(mine(_od), _od.c.item_id == _oi.c.id))
        )
        .where(
            mine(i),
            i.c.case_id == bindparam("by_id", type_=Uuid),
            _od.c.round
            == select(func.max(_ox.c.round)).where(mine(_ox), _ox.c.item_id == _oi.c.id).scalar_subquery(),
        )
        .group_by(i.c.id, _od.c.outcome)
        .subquery("before")
    )  # fmt: skip
    rows = (
        select(_c.c.id.label("case_id"), *before.c)
        .select_from(_c.outerjoin(before, true()))
        .where(sees(_c, sight, actor), _c.c.id == bindparam("by_id", type_=Uuid))
        .subquery("found")
    )
    return read_by(rows, actor, [rows.c.item_id, rows.c.outcome])


# ---- what the clock finds
def _due(state: str, *conditions: ColumnElement[bool]) -> Statement[UUID]:
    found = (
        select(_c.c.id)
        .where(GATE, mine(_c), _c.c.state == word(state), *conditions)
        .order_by(_c.c.id)
        .limit(bindparam("limit", type_=BigInteger))
    )
    return Statement(found, value)


DUE_TO_NOTIFY = _due("decided", _c.c.created_at <= NOW, func.cardinality(_c.c.sign_off) == literal_column("0"))
_own_rule = recognition_rules.alias("own_rule")
_taken = (
    select(_own_rule.c.id)
    .select_from(
        _own_rule.join(
            recognition_rule_sources,
            and_(mine(recognition_rule_sources), recognition_rule_sources.c.rule_id == _own_rule.c.id),
        )
    )
    .where(
        mine(_own_rule),
        _own_rule.c.state == word("active"),
        _own_rule.c.automatic,
        or_(_own_rule.c.person_id.is_(None), _own_rule.c.person_id == _c.c.person_id),
        recognition_rule_sources.c.course_id == _course_of(_r),
        _own_rule.c.valid_from <= _r.c.achieved_on,
        func.coalesce(_own_rule.c.valid_until >= _r.c.achieved_on, true()),
    )
    .correlate(_c, _r)
)
_untaken = (
    select(_i.c.id)
    .select_from(_i.join(_r, and_(mine(_r), _r.c.id == _i.c.result_id)))
    .where(
        mine(_i),
        _i.c.case_id == _c.c.id,
        or_(_r.c.state != word("verified"), not_(_r.c.passed), not_(_taken.exists())),
    )
)
# Only fresh cases: one that a rule refuses (a grade too low) waits for a person, and is not tried for ever.
_fresh = _c.c.since_on >= TODAY - literal_column("1")
DUE_BY_RULE = (
    _due("opened", ~_untaken.exists(), _fresh),
    _due("assessing", ~_untaken.exists(), _fresh),
)
DUE_TO_FINALISE = _due("notified", _c.c.appeal_until < TODAY)
DUE_TO_LAPSE = _due("evidence_requested", _c.c.evidence_until < TODAY)
