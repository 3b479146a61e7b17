"""Figures across everything: each one statement over sets, with who asks; codes and counts, nothing about a person."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import asyncpg
from sqlalchemy import (
    ARRAY,
    Date,
    Integer,
    Numeric,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    extract,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import Sight
from service.domain.journey import LIVE, NOMINATED
from service.domain.permissions import PERMISSIONS
from service.storage.database import Statement
from service.storage.opening import TODAY, word
from service.storage.scopes import actor_of
from service.storage.tables.applications import applications
from service.storage.tables.candidacies import candidacies
from service.storage.tables.certificates import certificates
from service.storage.tables.institutions import institutions, relationships
from service.storage.tables.intakes import intake_quotas, intakes
from service.storage.tables.obligations import obligations
from service.storage.tables.placement_requests import placement_requests
from service.storage.tables.placements import placements
from service.storage.tables.programmes import programmes
from service.storage.tables.recognition import recognition_cases, recognition_decisions
from service.storage.tables.record import events, heads
from service.storage.tables.sittings import sitting_registrations, sittings
from service.storage.tables.targets import targets
from service.storage.tables.training import assessments, class_marks, memberships, training_classes
from service.storage.tenancy import INSTITUTION, mine
from service.storage.views import read_by

LINES_MOST = 2000
"""Lines of one answer; one more is read, to count what is left off."""

_ZONE = select(institutions.c.time_zone).where(institutions.c.id == INSTITUTION).scalar_subquery()


def _in(column: Any, states: Any) -> ColumnElement[bool]:
    return column.in_([word(s) for s in sorted(states)])  # type: ignore[no-any-return]


def _given(name: str, type_: Any) -> tuple[ColumnElement[Any], ColumnElement[bool]]:
    """A parameter that may be null, and whether it is."""
    param = cast(bindparam(name), type_)
    return param, param.is_(None)


def _one(number: int) -> Any:
    return literal_column(str(number))


def _reading(rows: Any, sight: Sight | None, order: Any) -> Statement[asyncpg.Record]:
    """The lines, for whoever may read reports and for nobody else, in their order; each says how many there are."""
    actor = actor_of(sight)
    roles = cast([r.value for r in PERMISSIONS["reports.read"]], ARRAY(Text))
    may = select(actor.c.account_id).where(actor.c.roles.overlap(roles)).exists() if sight is not None else None
    lines = rows.subquery("lines")
    ordered = order(lines)
    shown = select(*lines.c, func.count().over().label("lines_all"))
    shown = (shown.where(may) if may is not None else shown).order_by(*ordered).limit(_one(LINES_MOST))
    found = shown.subquery("found")
    return read_by(found, actor, order(found))


# ---- the funnel
def _funnel() -> Any:
    h, a, i, g, p, k, r = heads, applications, intakes, programmes, placements, candidacies, placement_requests
    studies = (
        select(
            a.c.person_id,
            i.c.programme_id,
            g.c.code.label("programme_code"),
            cast(extract("year", i.c.starts_on), Integer).label("year"),
        )
        .ext(distinct_on(a.c.person_id))
        .select_from(
            a.join(i, and_(mine(i), i.c.id == a.c.intake_id)).join(g, and_(mine(g), g.c.id == i.c.programme_id))
        )
        .where(mine(a), a.c.state != word("voided"))
        .order_by(a.c.person_id, a.c.created_at.desc(), a.c.id.desc())
        .subquery("studies")
    )
    live = _in(p.c.state, LIVE["placement"])
    placed = select(
        p.c.person_id, p.c.destination, case((live, _one(0)), else_=_one(2)).label("place"), p.c.created_at, p.c.id
    ).where(mine(p), p.c.state.not_in([word("voided"), word("cancelled")]))
    wanted = (
        select(k.c.person_id, r.c.destination, _one(1).label("place"), k.c.created_at, k.c.id)
        .select_from(k.join(r, and_(mine(r), r.c.id == k.c.request_id)))
        .where(mine(k), _in(k.c.state, NOMINATED))
    )
    ways = union_all(placed, wanted).subquery("ways")
    leads = (
        select(ways.c.person_id, ways.c.destination)
        .ext(distinct_on(ways.c.person_id))
        .order_by(ways.c.person_id, ways.c.place, ways.c.created_at.desc(), ways.c.id.desc())
        .subquery("leads")
    )
    dims = [h.c.stage, studies.c.programme_id, studies.c.programme_code, leads.c.destination, studies.c.year]
    stage, any_stage = _given("stage", Text)
    programme, any_programme = _given("programme_id", Uuid)
    destination, any_destination = _given("destination", Text)
    year, any_year = _given("year", Integer)
    return (
        select(*dims, func.count().label("people"))
        .select_from(
            h.outerjoin(studies, studies.c.person_id == h.c.stream_id).outerjoin(
                leads, leads.c.person_id == h.c.stream_id
            )
        )
        .where(
            mine(h),
            h.c.kind == word("person"),
            h.c.stage.is_not(None),  # a record that was joined is counted with its survivor
            or_(any_stage, h.c.stage == stage),
            or_(any_programme, studies.c.programme_id == programme),
            or_(any_destination, leads.c.destination == destination),
            or_(any_year, studies.c.year == year),
        )
        .group_by(*dims)
    )


# ---- targets
def secured(p: Any) -> ColumnElement[bool]:
    """A placement that was contracted and has not fallen through."""
    went = or_(p.c.departed_on.is_not(None), p.c.started_on.is_not(None))
    return and_(p.c.state.not_in([word("voided"), word("cancelled")]), or_(p.c.state != word("deceased"), went))


def _targets() -> Any:
    p, t = placements, targets
    day = func.coalesce(p.c.planned_departure_on, p.c.starts_on, cast(func.timezone(_ZONE, p.c.created_at), Date))
    known = select(
        cast(extract("year", day), Integer).label("year"),
        p.c.destination,
        _in(p.c.state, LIVE["placement"]).label("is_live"),
    ).where(mine(p), secured(p))
    held = known.subquery("held")
    reached = (
        select(
            held.c.year,
            held.c.destination,
            func.count().label("secured"),
            func.count().filter(held.c.is_live).label("live"),
        )
        .group_by(held.c.year, held.c.destination)
        .subquery("reached")
    )
    asked = select(t.c.year, t.c.destination, t.c.number).where(mine(t), t.c.state == word("set")).subquery("asked")
    wanted, any_year = _given("year", Integer)
    year = func.coalesce(asked.c.year, reached.c.year)
    has = func.coalesce(reached.c.secured, _one(0))
    same = and_(asked.c.year == reached.c.year, asked.c.destination == reached.c.destination)
    return (
        select(
            year.label("year"),
            func.coalesce(asked.c.destination, reached.c.destination).label("destination"),
            asked.c.number.label("target"),
            has.label("secured"),
            func.coalesce(reached.c.live, _one(0)).label("live"),
            case((asked.c.number.is_not(None), func.greatest(asked.c.number - has, _one(0)))).label("missing"),
        )
        .select_from(asked.outerjoin(reached, same, full=True))
        .where(or_(any_year, year == wanted))
    )


# ---- places, seats, what is due
def _places() -> Any:
    q, i, g = intake_quotas, intakes, programmes
    return (
        select(
            i.c.id.label("intake_id"),
            i.c.code.label("intake_code"),
            i.c.programme_id,
            g.c.code.label("programme_code"),
            i.c.starts_on,
            i.c.state,
            q.c.source,
            q.c.places,
            q.c.taken,
            (q.c.places - q.c.taken).label("left"),
        )
        .select_from(
            q.join(i, and_(mine(i), i.c.id == q.c.intake_id)).join(g, and_(mine(g), g.c.id == i.c.programme_id))
        )
        .where(mine(q), _in(i.c.state, ("published", "open", "closed")))
    )


def _seats() -> Any:
    r = placement_requests
    shown = (r.c[n] for n in ("destination", "pathway", "state", "closes_on", "seats", "offered", "taken", "used"))
    left = r.c.seats - r.c.offered - r.c.taken - r.c.used
    return select(r.c.id.label("request_id"), *shown, left.label("left")).where(
        mine(r), _in(r.c.state, ("approved", "open", "filled", "on_hold"))
    )


def _due() -> Any:
    n, k, s, p, o = recognition_cases, candidacies, relationships, placements, obligations

    def of(kind: str, day: Any, table: Any, *conditions: Any) -> Any:
        return select(word(kind).label("kind"), cast(day, Date).label("due_on")).where(mine(table), *conditions)

    each = union_all(
        of("recognition_decision", n.c.due_on, n, _in(n.c.state, ("opened", "assessing"))),
        of("recognition_evidence", n.c.evidence_until, n, n.c.state == word("evidence_requested")),
        of("offer_answer", func.timezone(_ZONE, k.c.offer_ends_at), k, k.c.state == word("offered")),
        of("relationship_renewal", s.c.valid_until, s, s.c.state == word("verified"), s.c.valid_until.is_not(None)),
        of("obligation", o.c.due_on, o, o.c.state == word("pending"), o.c.due_on.is_not(None)),
        of("placement_end", p.c.ends_on, p, p.c.state == word("active"), p.c.ends_on.is_not(None)),
    ).subquery("each")
    on, today = each.c.due_on, TODAY

    def count(name: str, *conditions: Any) -> Any:
        return func.count().filter(*conditions).label(name)

    return select(
        each.c.kind,
        count("overdue", on < today),
        count("within_7_days", on >= today, on < today + _one(7)),
        count("within_30_days", on >= today + _one(7), on < today + _one(30)),
        count("later", on >= today + _one(30)),
    ).group_by(each.c.kind)


# ---- results
def _in_year(day: Any) -> ColumnElement[bool]:
    year, any_year = _given("year", Integer)
    return or_(any_year, cast(extract("year", day), Integer) == year)


def _results() -> Any:
    m, t, a, k, q = memberships, training_classes, assessments, class_marks, certificates
    g, s = sitting_registrations, sittings
    taught = m.join(t, and_(mine(t), t.c.id == m.c.class_id))
    classes = (
        select(word("class").label("of"), t.c.kind, (m.c.state == word("passed")).label("good"))
        .select_from(taught)
        .where(mine(m), _in(m.c.state, ("passed", "failed")), _in_year(m.c.since_on))
    )
    last = (
        select(k.c.assessment_id, k.c.membership_id, k.c.attempt, k.c.mark, k.c.marked_on)
        .ext(distinct_on(k.c.assessment_id, k.c.membership_id, k.c.attempt))
        .where(mine(k))
        .order_by(k.c.assessment_id, k.c.membership_id, k.c.attempt, k.c.seq.desc())
        .subquery("last")
    )
    marks = (
        select(word("assessment"), t.c.kind, last.c.mark >= a.c.pass_mark)
        .select_from(
            last.join(a, and_(mine(a), a.c.id == last.c.assessment_id)).join(t, and_(mine(t), t.c.id == a.c.class_id))
        )
        .where(_in_year(last.c.marked_on))
    )
    tests = select(word("certificate"), q.c.test, q.c.state == word("verified")).where(
        mine(q), q.c.test.is_not(None), _in(q.c.state, ("verified", "rejected", "revoked")), _in_year(q.c.since_on)
    )
    sat = (
        select(word("sitting"), s.c.test, g.c.state == word("passed"))
        .select_from(g.join(s, and_(mine(s), s.c.id == g.c.sitting_id)))
        .where(mine(g), _in(g.c.state, ("passed", "failed")), _in_year(s.c.held_on))
    )
    each = union_all(classes, marks, tests, sat).subquery("each")
    passed = func.count().filter(each.c.good)
    share = func.round(cast(passed, Numeric) * _one(100) / func.count(), _one(1))
    return select(
        each.c.of,
        each.c.kind,
        passed.label("passed"),
        func.count().filter(~each.c.good).label("failed"),
        share.label("percent"),
    ).group_by(each.c.of, each.c.kind)


def _recognition() -> Any:
    d, n = recognition_decisions, recognition_cases
    decided = and_(mine(n), _in(n.c.state, ("decided", "notified", "appealed", "final")))
    last = (
        select(d.c.item_id, d.c.outcome, d.c.credits_awarded, d.c.decided_on)
        .ext(distinct_on(d.c.item_id))
        .select_from(d.join(n, and_(decided, n.c.id == d.c.case_id)))
        .where(mine(d))
        .order_by(d.c.item_id, d.c.round.desc())
        .subquery("last")
    )

    def day_of(action: str, name: str) -> Any:
        """The first day on which the case took such a step, of those that were not taken back."""
        e, x = events.alias(name), events.alias(f"{name}_undone")
        undone = select(x.c.seq).where(mine(x), x.c.stream_id == e.c.stream_id, x.c.corrects == e.c.seq)
        steps = mine(e), e.c.stream_id == n.c.person_id, e.c.subject_id == n.c.id, e.c.action == word(action)
        return select(func.min(e.c.occurred_on)).where(*steps, ~undone.exists()).scalar_subquery()

    days = (
        select(day_of("open", "opening").label("opened_on"), day_of("decide", "deciding").label("decided_on"))
        .where(decided)
        .subquery("days")
    )
    spans = (
        select((days.c.decided_on - days.c.opened_on).label("days"))
        .where(_in_year(days.c.decided_on))
        .subquery("spans")
    )

    def within(share: str) -> Any:
        return func.percentile_disc(literal_column(share)).within_group(spans.c.days)

    times = select(
        func.count().label("cases"),
        within("0.5").label("days_median"),
        within("0.9").label("days_nine_of_ten"),
        func.max(spans.c.days).label("days_most"),
    ).subquery("times")
    outcomes = (
        select(
            last.c.outcome,
            func.count().label("items"),
            func.sum(last.c.credits_awarded).label("credits"),
        )
        .where(_in_year(last.c.decided_on))
        .group_by(last.c.outcome)
        .subquery("outcomes")
    )
    return select(*times.c, *outcomes.c).select_from(times.outerjoin(outcomes, literal_column("true")))


_MADE: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "funnel": (_funnel, ("stage", "programme_code", "programme_id", "destination", "year")),
    "targets": (_targets, ("year", "destination")),
    "places": (_places, ("starts_on", "intake_code", "intake_id", "source")),
    "seats": (_seats, ("closes_on", "request_id")),
    "due": (_due, ("kind",)),
    "results": (_results, ("of", "kind")),
    "recognition": (_recognition, ("outcome",)),
}


@lru_cache(maxsize=64)
def reading_of(name: str, sight: Sight | None) -> Statement[asyncpg.Record]:
    """The statement of one part of the overview, for such eyes."""
    rows, order = _MADE[name]
    return _reading(rows(), sight, lambda t: [t.c[n].asc().nulls_last() for n in order])


__all__ = ["LINES_MOST", "reading_of", "secured"]
