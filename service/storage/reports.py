"""Reports: the rows that each number counts, found in the record up to a cut; and how frozen reports are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Date,
    Integer,
    Numeric,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    extract,
    func,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSON, distinct_on

from service.domain.lifecycle import KERNEL_ACTIONS
from service.domain.reports import Changed, Cut, Figure, Key, NewReport, ReportDossier, Total, Totals
from service.storage.database import Connection, Statement
from service.storage.opening import ITSELF, TODAY, FactsOf, word
from service.storage.scopes import NOW
from service.storage.tables.applications import applications
from service.storage.tables.certificates import certificates
from service.storage.tables.columns import INSTANT
from service.storage.tables.enrolments import enrolments
from service.storage.tables.institutions import institutions
from service.storage.tables.intakes import intakes
from service.storage.tables.placements import placements
from service.storage.tables.programmes import programmes
from service.storage.tables.recognition import recognition_decisions
from service.storage.tables.record import events, feed, feed_heads, unfed
from service.storage.tables.reports import reports
from service.storage.tables.training import memberships, training_classes
from service.storage.tenancy import GATE, INSTITUTION, mine
from service.storage.views import View, among

_r = reports
NOT_STATED = "none"
"""The group of what says nothing of what it is told apart by."""

FACTS: FactsOf[ReportDossier] = FactsOf(_r, ReportDossier, {}, stream="institution_id")
NEW_FACTS: FactsOf[NewReport] = FactsOf(ITSELF, NewReport, {}, stream="id", birth=True)
_head = {name: _r.c[name] for name in ("id", "version", "state", "since_on", "report", "edition", "year", "as_of")} | {
    "counted_until": _r.c.counted_until,
    "feed_no": _r.c.feed_no,
    "sha256": func.encode(_r.c.sha256, literal_column("'hex'")),
}
VIEW = View(_r, _head, filters={"year": among(_r.c.year), "report": among(_r.c.report)})
WHOLE = View(_r, _head | {"content": _r.c.content})
"""With the bytes that were frozen."""


# ---- where the record stands
_zone = select(institutions.c.time_zone).where(institutions.c.id == INSTITUTION).scalar_subquery()
_asked_on = func.coalesce(cast(bindparam("as_of"), Date), TODAY)
_midnight = func.timezone(_zone, cast(_asked_on + literal_column("1"), INSTANT.__class__(timezone=False)))
STANDS: Statement[Any] = Statement(
    select(
        _asked_on.label("as_of"),
        func.least(_midnight, NOW).label("counted_until"),
        feed_heads.c.last_no,
        select(unfed.c.no).where(mine(unfed)).exists().label("waiting"),
        institutions.c.id,
        institutions.c.name_native,
        institutions.c.name_latin,
    )
    .select_from(institutions.join(feed_heads, mine(feed_heads)))
    .where(institutions.c.id == INSTITUTION, GATE),
    lambda *values: dict(
        zip(("as_of", "counted_until", "feed_no", "waiting", "id", "name_native", "name_latin"), values, strict=True)
    ),
)
"""The day, the instant and the place in the feed up to which a report would count, and what it is a report of."""
PROGRAMMES = Statement(
    select(programmes.c.id, programmes.c.code, programmes.c.title_latin, programmes.c.title_native).where(
        mine(programmes), GATE, programmes.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid)))
    ),
    lambda id, code, latin, native: (str(id), {"en": f"{code} {latin}", "zh": f"{code} {native}"}),
)


# ---- the rows of figures
_FIGURE: dict[str, Any] = {
    "key": Text, "counts": Text, "subject": Text, "actions": ARRAY(Text), "states": ARRAY(Text), "by": Text,
}  # fmt: skip


def _figures() -> CTE:
    """What is asked for, as a table."""
    told = func.json_to_recordset(bindparam("figures", type_=JSON)).table_valued(
        *[column(n, t) for n, t in _FIGURE.items()], name="told"
    )
    return select(*told.render_derived(with_types=True).c).cte("figures")


def told(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """Figures as the statements read them; shares have no rows of their own."""
    return [{n: v for n, v in asdict(f).items() if n in _FIGURE} for f in figures if f.share is None]


class _Found:
    """The rows that figures count, up to the cut that the bind parameters of this name describe."""

    def __init__(self, name: str, figures: CTE) -> None:
        self._name, self._f = name, figures
        self.counted = self._counted()
        self._steps = self._standing_steps()
        self.rows = self._rows().cte(f"rows_{name}")

    def _bound(self, name: str, type_: Any) -> Any:
        return cast(bindparam(f"{self._name}_{name}"), type_)

    def _counted(self) -> CTE:
        """Every move that counts: in the feed by then, and recorded by then."""
        e, f = events.alias(f"e_{self._name}"), feed.alias(f"f_{self._name}")
        named = ("stream_id", "seq", "event_id", "action", "subject", "subject_id", "from_state", "to_state",
                 "reason_code", "occurred_on", "recorded_at", "corrects", "data")  # fmt: skip
        return (
            select(*[e.c[n] for n in named])
            .select_from(e.join(f, and_(mine(f), f.c.stream_id == e.c.stream_id, f.c.seq == e.c.seq)))
            .where(
                mine(e),
                f.c.feed_no <= self._bound("feed_no", BigInteger),
                e.c.recorded_at < self._bound("counted_until", INSTANT),
                e.c.to_state.is_not(None),
                e.c.subject.in_(select(self._f.c.subject)),
            )
            .cte(f"counted_{self._name}")
            .prefix_with("MATERIALIZED")
        )

    def _standing_steps(self) -> CTE:
        """Of these, the steps that no correction has taken back."""
        undone = (
            select(self.counted.c.stream_id, self.counted.c.corrects)
            .where(self.counted.c.corrects.is_not(None))
            .cte(f"undone_{self._name}")
        )
        s = self.counted
        return (
            select(*s.c)
            .where(
                s.c.action.not_in([word(a) for a in KERNEL_ACTIONS]),
                ~select(literal_column("1"))
                .where(undone.c.stream_id == s.c.stream_id, undone.c.corrects == s.c.seq)
                .exists(),
            )
            .cte(f"steps_{self._name}")
            .prefix_with("MATERIALIZED")
        )

    def _in_year(self, day: Any) -> Any:
        return day.between(self._bound("first_on", Date), self._bound("last_on", Date))

    def _rows(self) -> Any:
        f, s = self._f, self._steps
        taken = s.c.action == func.any(f.c.actions)
        about = f.c.subject == s.c.subject
        at_end = (
            select(*s.c)
            .ext(distinct_on(s.c.subject, s.c.subject_id))
            .where(s.c.occurred_on <= self._bound("standing_on", Date))
            .order_by(s.c.subject, s.c.subject_id, s.c.seq.desc())
            .cte(f"at_end_{self._name}")
        )
        one = literal_column("1", Numeric)
        steps = self._select(s, s.c.event_id, one).where(
            f.c.counts == word("steps"), about, taken, self._in_year(s.c.occurred_on)
        )
        held = at_end
        standing = self._select(held, held.c.subject_id, one).where(
            f.c.counts == word("standing"), f.c.subject == held.c.subject, held.c.to_state == func.any(f.c.states)
        )
        number = cast(held.c.data["number"].astext, Numeric)
        targets = self._select(held, held.c.subject_id, number).where(
            f.c.counts == word("targets"),
            f.c.subject == held.c.subject,
            held.c.to_state == func.any(f.c.states),
            cast(held.c.data["year"].astext, Integer) == cast(extract("year", self._bound("first_on", Date)), Integer),
        )
        return union_all(steps, standing, targets, self._decisions(), self._days())

    def _decisions(self) -> Any:
        f, s, d = self._f, self._steps, recognition_decisions.alias(f"d_{self._name}")
        last = (
            select(f.c.key.label("of_key"), d.c.item_id, d.c.outcome, *s.c)
            .ext(distinct_on(f.c.key, d.c.item_id))
            .select_from(
                f.join(s, and_(f.c.subject == s.c.subject, s.c.action == func.any(f.c.actions))).join(
                    d,
                    and_(mine(d), d.c.case_id == s.c.subject_id, s.c.data["decisions"].contains(func.to_jsonb(d.c.id))),
                )
            )
            .where(f.c.counts == word("decisions"), self._in_year(s.c.occurred_on))
            .order_by(f.c.key, d.c.item_id, s.c.seq.desc())
            .subquery(f"last_{self._name}")
        )
        return self._row(last, last.c.of_key, last.c.item_id, last.c.outcome, literal_column("1", Numeric))

    def _days(self) -> Any:
        f, s = self._f, self._steps
        born = s.alias(f"born_{self._name}")
        first = (
            select(f.c.key.label("of_key"), *s.c)
            .ext(distinct_on(f.c.key, s.c.subject_id))
            .select_from(f.join(s, and_(f.c.subject == s.c.subject, s.c.action == func.any(f.c.actions))))
            .where(f.c.counts == word("days"))
            .order_by(f.c.key, s.c.subject_id, s.c.seq)
            .subquery(f"first_{self._name}")
        )
        days = cast(first.c.occurred_on - born.c.occurred_on, Numeric)
        began = and_(born.c.subject_id == first.c.subject_id, born.c.from_state.is_(None))
        return (
            self._row(first, first.c.of_key, first.c.subject_id, cast(null(), Text), days)
            .select_from(first.join(born, began))
            .where(self._in_year(first.c.occurred_on))
        )

    def _select(self, s: Any, row_id: Any, value: Any) -> Any:
        """Rows of a step or an item, in the group by which its figure is told apart."""
        f, n = self._f, self._name
        p, m, t = placements.alias(f"p_{n}"), memberships.alias(f"m_{n}"), training_classes.alias(f"t_{n}")
        a, r, i = applications.alias(f"a_{n}"), enrolments.alias(f"r_{n}"), intakes.alias(f"i_{n}")
        q = certificates.alias(f"q_{n}")

        def of(by: str, table: Any) -> Any:
            return and_(mine(table), f.c.by == word(by), table.c.id == s.c.subject_id)

        source = (
            f.join(s, f.c.subject == s.c.subject)
            .outerjoin(p, of("destination", p))
            .outerjoin(a, of("programme", a))
            .outerjoin(r, of("programme", r))
            .outerjoin(i, and_(mine(i), i.c.id == func.coalesce(a.c.intake_id, r.c.intake_id)))
            .outerjoin(m, of("class_kind", m))
            .outerjoin(t, and_(mine(t), t.c.id == m.c.class_id))
            .outerjoin(q, of("test", q))
        )
        said = s.c.data
        group = case(
            {
                "destination": func.coalesce(p.c.destination, said["destination"].astext),
                "programme": cast(i.c.programme_id, Text),
                "class_kind": t.c.kind,
                "test": q.c.test,
                "reason": func.coalesce(s.c.reason_code, said["reason_code"].astext),
            },
            value=f.c.by,
        )
        told = case((f.c.by != word(""), func.coalesce(group, word(NOT_STATED))))
        return self._row(s, f.c.key, row_id, told, value).select_from(source)

    @staticmethod
    def _row(s: Any, key: Any, row_id: Any, group: Any, value: Any) -> Any:
        named = ("event_id", "subject", "subject_id", "stream_id", "action", "occurred_on", "recorded_at")
        return select(
            key.label("key"),
            row_id.label("row_id"),
            group.label("group"),
            value.label("value"),
            *[s.c[n] for n in named],
        )


def _bound(name: str, cut: Cut) -> dict[str, Any]:
    named = ("feed_no", "counted_until", "first_on", "last_on", "standing_on")
    return {f"{name}_{n}": getattr(cut, n) for n in named}


@cache
def _totals() -> Statement[tuple[str, str | None, bool, int, Decimal, Decimal | None]]:
    r = _Found("cut", _figures()).rows
    whole = func.grouping(r.c.group)
    median = func.percentile_disc(literal_column("0.5")).within_group(r.c.value)
    told = (
        select(r.c.key, r.c.group, whole == literal_column("1"), func.count(), func.sum(r.c.value), median)
        .where(GATE)
        .group_by(func.grouping_sets(tuple_(r.c.key, r.c.group), tuple_(r.c.key)))
        .having(or_(whole == literal_column("1"), r.c.group.is_not(None)))
    )
    return Statement(told, lambda *values: values)


async def totals(con: Connection, institution: UUID, figures: Iterable[Figure], cut: Cut) -> Totals:
    """What the record says of each figure and group, up to the cut."""
    found = await _totals().all(con, institution=institution, figures=told(figures), **_bound("cut", cut))
    return {(key, None if whole else group): Total(n, total, median) for key, group, whole, n, total, median in found}


def _by_name(*_: Any) -> Any:
    raise TypeError("read by name: use records()")


@cache
def _rows() -> Statement[asyncpg.Record]:
    r = _Found("cut", _figures()).rows
    group, after = cast(bindparam("group"), Text), cast(bindparam("after"), Uuid)
    return Statement(
        select(*r.c)
        .where(GATE, or_(group.is_(None), r.c.group == group), or_(after.is_(None), r.c.row_id > after))
        .order_by(r.c.row_id, r.c.key)
        .limit(bindparam("limit", type_=BigInteger)),
        _by_name,
    )


async def rows(
    con: Connection,
    institution: UUID,
    figures: Iterable[Figure],
    cut: Cut,
    *,
    group: str | None,
    after: UUID | None,
    limit: int,
) -> list[dict[str, Any]]:
    """A page of the rows that a figure counts, by their ids."""
    found = await _rows().records(
        con, institution=institution, figures=told(figures), group=group, after=after, limit=limit, **_bound("cut", cut)
    )
    return [dict(r) for r in found]


EVENTS_SHOWN = 1000
"""Events that one difference names; how many there are in all stands beside them."""


@cache
def _changes() -> Statement[tuple[str, str | None, bool, int, int, int, list[UUID]]]:
    """By figure and group: the rows that count in one cut alone, and the events that the later one alone knows of."""
    f = _figures()
    before, now = _Found("cut", f), _Found("now", f)
    a, b = before.rows, now.rows
    none = [a.c.row_id.is_(None), b.c.row_id.is_(None)]
    differ = or_(*none, a.c.group.is_distinct_from(b.c.group), a.c.value != b.c.value)
    pairs = (
        select(
            func.coalesce(a.c.key, b.c.key).label("key"),
            func.coalesce(a.c.row_id, b.c.row_id).label("row_id"),
            func.coalesce(a.c.subject_id, b.c.subject_id).label("subject_id"),
            func.coalesce(a.c.stream_id, b.c.stream_id).label("stream_id"),
            a.c.group.label("was"),
            b.c.group.label("is_"),
            a.c.row_id.is_not(None).label("counted"),
            b.c.row_id.is_not(None).label("counts"),
        )
        .select_from(a.join(b, and_(a.c.key == b.c.key, a.c.row_id == b.c.row_id), full=True))
        .where(differ)
        .cte("pairs")
    )
    same = [pairs.c[n] for n in ("key", "row_id", "subject_id", "stream_id")]
    sides = union_all(
        select(*same, pairs.c.was.label("group"), literal_column("true").label("gone")).where(pairs.c.counted),
        select(*same, pairs.c.is_.label("group"), literal_column("false").label("gone")).where(pairs.c.counts),
    ).subquery("sides")
    known, later = before.counted, now.counted
    unknown = ~select(literal_column("1")).where(known.c.event_id == later.c.event_id).exists()
    of_them = and_(later.c.stream_id == sides.c.stream_id, later.c.subject_id == sides.c.subject_id, unknown)
    whole = func.grouping(sides.c.group) == literal_column("1")
    row, event = func.distinct(sides.c.row_id), func.distinct(later.c.event_id)
    listed = func.array_agg(event, type_=ARRAY(Uuid)).filter(later.c.event_id.is_not(None))
    shown = func.coalesce(
        listed[literal_column("1") : literal_column(str(EVENTS_SHOWN))], literal_column("'{}'::uuid[]")
    )
    return Statement(
        select(
            sides.c.key,
            sides.c.group,
            whole,
            func.count(row).filter(sides.c.gone),
            func.count(row).filter(~sides.c.gone),
            func.count(event),
            shown,
        )
        .select_from(sides.outerjoin(later, of_them))
        .where(GATE)
        .group_by(func.grouping_sets(tuple_(sides.c.key, sides.c.group), tuple_(sides.c.key)))
        .having(or_(whole, sides.c.group.is_not(None))),
        lambda *values: values,
    )


async def changes(
    con: Connection, institution: UUID, figures: Iterable[Figure], frozen: Cut, now: Cut
) -> dict[Key, Changed]:
    """What of each figure and group counts differently now, and the events that were recorded since."""
    found = await _changes().all(
        con, institution=institution, figures=told(figures), **_bound("cut", frozen), **_bound("now", now)
    )
    return {
        (key, None if whole else group): Changed(gone, came, n, tuple(ids))
        for key, group, whole, gone, came, n, ids in found
    }
