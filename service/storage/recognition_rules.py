"""Equivalence rules and regulations: what their rules may know, how they are read, and which are in force."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ARRAY, Select, Text, Uuid, bindparam, case, cast, func, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import Role, Sight
from service.domain.conversion import CreditPolicy, GradePolicy
from service.domain.equivalences import Equivalence, PartnerConversion, RuleInForce, RuleSource, RuleTarget
from service.domain.recognition_rules import NewRule, RuleDossier
from service.domain.regulations import CategoryCap, Default, Regulation, Substitution
from service.storage.conversion import data_file, source_of
from service.storage.database import Record, Statement
from service.storage.opening import ITSELF, FactsOf, json_rows, word
from service.storage.scopes import actor_of, sees
from service.storage.tables.courses import courses
from service.storage.tables.institutions import relationships
from service.storage.tables.programmes import programmes
from service.storage.tables.recognition import recognition_decisions
from service.storage.tables.recognition_rules import (
    partner_conversions,
    recognition_rule_sources,
    recognition_rule_targets,
    recognition_rules,
    regulations,
)
from service.storage.tables.trainees import trainees
from service.storage.tenancy import mine
from service.storage.views import View, among, of_person, read_by

_r, _s, _t, _g = recognition_rules, recognition_rule_sources, recognition_rule_targets, regulations
_CREDITS, _GRADES = TypeAdapter(CreditPolicy), TypeAdapter(GradePolicy)


def _exact(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(column, Text).label(column.key)


SOURCES = json_rows(
    select(_s.c.course_id, _exact(_s.c.min_grade), _s.c.lower_is_better, _exact(_s.c.min_credits))
    .where(mine(_s), _s.c.rule_id == _r.c.id)
    .order_by(_s.c.place)
)
TARGETS = json_rows(
    select(_t.c.course_id, _exact(_t.c.credits)).where(mine(_t), _t.c.rule_id == _r.c.id).order_by(_t.c.place)
)

# ---- rules
FACTS: FactsOf[RuleDossier] = FactsOf(
    _r,
    RuleDossier,
    {
        "valid_from": _r.c.valid_from,
        "valid_until": _r.c.valid_until,
        "used": select(func.count())
        .where(mine(recognition_decisions), recognition_decisions.c.rule_id == _r.c.id)
        .scalar_subquery(),
    },
    stream="institution_id",
)


def _read_new(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "own": frozenset(UUID(c["id"]) for c in row["own"]),
        "others": frozenset(UUID(c["id"]) for c in row["others"]),
        "last_edition": row["last_edition"],
        "person_known": row["person_known"],
    }


_named = (
    mine(courses),
    courses.c.id == func.any(bindparam("course_ids", type_=ARRAY(Uuid))),
    courses.c.state != word("voided"),
)
CATALOGUE: dict[str, Any] = {
    "own": json_rows(select(courses.c.id).where(*_named, courses.c.owner_id.is_(None))),
    "others": json_rows(select(courses.c.id).where(*_named, courses.c.owner_id.is_not(None))),
    "last_edition": select(func.coalesce(func.max(_r.c.edition), 0))
    .where(mine(_r), _r.c.rule_key == bindparam("rule_key", type_=Text), _r.c.state != word("voided"))
    .scalar_subquery(),
}
"""What must be known of the courses and the name of a rule that is to be."""
NEW_FACTS: FactsOf[NewRule] = FactsOf(
    ITSELF,
    NewRule,
    {
        **CATALOGUE,
        "person_known": select(trainees.c.id)
        .where(mine(trainees), trainees.c.id == bindparam("person_id", type_=Uuid))
        .exists(),
    },
    stream="id",
    birth=True,
    extra=("course_ids", "rule_key", "person_id"),
    read=_read_new,
)


def _columns(_sight: Sight | None, actor: Any) -> dict[str, ColumnElement[Any]]:
    plain = (
        "id", "version", "state", "since_on", "rule_key", "edition", "rationale", "automatic", "valid_from",
        "valid_until", "credit_policy", "grade_policy", "mode", "differences", "conditions", "promised_on",
    )  # fmt: skip
    # Whoever only reads figures learns of nobody what was promised to them.
    of_people = actor.c.roles.op("&&")(array([word(r.value) for r in Role if r is not Role.READER]))
    person = case((select(of_people).scalar_subquery(), _r.c.person_id)).label("person_id")
    return {name: _r.c[name] for name in plain} | {"person_id": person, "sources": SOURCES, "targets": TARGETS}


VIEW = View(
    _r,
    _columns,
    filters={
        "state": among(_r.c.state),
        "rule_key": among(_r.c.rule_key),
        "automatic": among(_r.c.automatic),
        "person_id": of_person(_r.c.person_id),
    },
)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def read_rule(row: Mapping[str, Any]) -> RuleInForce:
    """An active rule from its JSON."""
    sources = tuple(
        RuleSource(
            course_id=UUID(s["course_id"]), min_grade=_number(s["min_grade"]), lower_is_better=s["lower_is_better"],
            min_credits=_number(s["min_credits"]),
        )
        for s in row["sources"]
    )  # fmt: skip
    targets = tuple(RuleTarget(course_id=UUID(t["course_id"]), credits=_number(t["credits"])) for t in row["targets"])
    credits_, grades = row["credit_policy"], row["grade_policy"]
    return RuleInForce(
        id=UUID(row["id"]),
        rule_key=row["rule_key"],
        edition=row["edition"],
        automatic=row["automatic"],
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
        equivalence=Equivalence(
            sources=sources,
            targets=targets,
            credits=_CREDITS.validate_python(credits_) if credits_ else None,
            grades=_GRADES.validate_python(grades) if grades else None,
            mode=row["mode"],
            differences=tuple(row["differences"]),
            conditions=row["conditions"],
        ),
        promised_on=date.fromisoformat(row["promised_on"]) if row["promised_on"] else None,
    )


def rules_for(source: Select[Any], person: ColumnElement[Any]) -> ColumnElement[Any]:
    """The active rules for all, and what was promised to a person, with a source among some courses; as JSON."""
    s = _s.alias("of_source")
    return json_rows(
        select(
            _r.c.id, _r.c.rule_key, _r.c.edition, _r.c.automatic, _r.c.valid_from, _r.c.valid_until,
            _r.c.credit_policy, _r.c.grade_policy, _r.c.mode, _r.c.differences, _r.c.conditions, _r.c.promised_on,
            SOURCES.label("sources"), TARGETS.label("targets"),
        )
        .where(
            mine(_r),
            _r.c.state == word("active"),
            or_(_r.c.person_id.is_(None), _r.c.person_id == person),
            select(s.c.rule_id).where(mine(s), s.c.rule_id == _r.c.id, s.c.course_id.in_(source)).exists(),
        )
        .order_by(_r.c.rule_key, _r.c.edition)
    )  # fmt: skip


def conversions_for(owner: Select[Any]) -> ColumnElement[Any]:
    """Every conversion of the partners of a subselect, as JSON."""
    v, r = partner_conversions, relationships
    return json_rows(
        select(r.c.organisation_id, v.c.no, v.c.effective_from, v.c.credit_policy, v.c.grade_policy)
        .select_from(v.join(r, mine(r) & (r.c.id == v.c.relationship_id)))
        .where(mine(v), r.c.state != word("voided"), r.c.organisation_id.in_(owner))
        .order_by(v.c.no)
    )


def read_conversion(row: Mapping[str, Any]) -> PartnerConversion:
    """A partner's conversion from its JSON."""
    credits_, grades = row["credit_policy"], row["grade_policy"]
    return PartnerConversion(
        owner_id=UUID(row["organisation_id"]),
        no=row["no"],
        effective_from=date.fromisoformat(row["effective_from"]),
        credits=_CREDITS.validate_python(credits_) if credits_ else None,
        grades=_GRADES.validate_python(grades) if grades else None,
    )


# ---- regulations
_EXACT = (
    "hours_per_credit", "full_year_credits", "credits_per_course", "credits_in_all", "credits_gap", "overlap_percent",
)  # fmt: skip
_PLAIN = ("no", "effective_from", "credits_per_kind", "elective_for_required", "signatures", "substitutions")


def regulations_for(programme: ColumnElement[Any]) -> ColumnElement[Any]:
    """Every regulation of a programme, as JSON."""
    columns = [*[_g.c[n] for n in _PLAIN], *[_exact(_g.c[n]) for n in _EXACT]]
    return json_rows(select(*columns).where(mine(_g), _g.c.programme_id == programme).order_by(_g.c.no))


def read_regulation(row: Mapping[str, Any]) -> Regulation:
    """A regulation from its JSON."""
    numbers: dict[str, Any] = {name: _number(row[name]) for name in _EXACT}
    kinds = tuple(CategoryCap(kind=k["kind"], credits=Decimal(k["credits"])) for k in row["credits_per_kind"])
    return Regulation(
        no=row["no"],
        effective_from=date.fromisoformat(row["effective_from"]),
        credits_per_kind=kinds,
        elective_for_required=row["elective_for_required"],
        signatures=tuple(row["signatures"]),
        substitutions=tuple(Substitution(**s) for s in row["substitutions"]) or None,
        **numbers,
    )


def _default(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(Substitution(**s) for s in value)
    return Decimal(value) if isinstance(value, str) else value


@cache
def college_defaults() -> Mapping[str, Default]:
    """What holds where a programme says nothing, each value with its source."""
    found = {}
    for name, row in data_file("regulation.json")["defaults"].items():
        source = source_of(row)
        value = _default(row["value"])
        found[name] = Default(value=value, source=source)
    return found


@lru_cache(maxsize=8)
def regulations_of(sight: Sight | None) -> Statement[Record]:
    """Every regulation of a programme that the actor sees, the newest first."""
    actor = actor_of(sight)
    p = programmes
    rows = (
        select(
            p.c.id.label("programme_id"), _g.c.id, _g.c.own, _g.c.set_at,
            *[_g.c[n] for n in (*_PLAIN, *_EXACT)],
        )
        .select_from(p.outerjoin(_g, mine(_g) & (_g.c.programme_id == p.c.id)))
        .where(sees(p, sight, actor), p.c.id == bindparam("by_id", type_=Uuid))
        .order_by(_g.c.no.desc())
        .subquery("found")
    )  # fmt: skip
    return read_by(rows, actor, [rows.c.no.desc()])
