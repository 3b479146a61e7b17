"""Obligations: for what they fall due, what their rules may know, how they are read, and what the clock opens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Date,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement

from service.domain.obligations import Duty, Held, NewObligation, ObligationDossier, rows_of
from service.domain.placements import AWAY
from service.storage.calendars import calendars
from service.storage.database import Statement
from service.storage.duties import countries, house_rules, periodic_rows
from service.storage.opening import TODAY, FactsOf, json_rows, word
from service.storage.packs import shipped_packs
from service.storage.requirements import packs_of
from service.storage.scopes import NOW
from service.storage.tables.institutions import institutions, organisations, relationships
from service.storage.tables.obligations import obligations
from service.storage.tables.placements import placements, requirement_items
from service.storage.tables.trainees import trainees
from service.storage.tenancy import GATE, INSTITUTION, mine
from service.storage.views import View, among, before_or_on, from_on

_o, _p, _t, _r, _i = obligations, placements, trainees, relationships, requirement_items
_employer, _agency = organisations.alias("employer"), organisations.alias("agency")
DATES = ("authorisation", "visa", "passport", "insurance", "relationship")
"""What runs out."""
STARTS = {"arrived": "arrived_on", "started_work": "started_on", "departed": "departed_on"}
"""The days from which periods are counted, by the event that they begin with."""
OWING = {"enterprise": "employer_id", "support_organisation": "employer_id", "agency": "agency_id"}
"""The organisation of the subject that owes what a provider owes."""
OWN_ZONE = select(institutions.c.time_zone).where(institutions.c.id == INSTITUTION).scalar_subquery()
PENDING = word("pending")


def agency_zone(agency: ColumnElement[Any]) -> ColumnElement[Any]:
    """Where an agency's day ends; the institution's where there is none."""
    found = select(_agency.c.time_zone).where(_agency.c.id == agency).scalar_subquery()
    return func.coalesce(found, OWN_ZONE)


def _none(type_: Any) -> Any:
    return cast(null(), type_)


def _insured() -> Any:
    keys = [k for w in house_rules().watches if w.watches == "insurance" for k in w.items]
    held = select(func.max(_i.c.valid_until)).where(
        mine(_i), _i.c.subject_id == _p.c.id, _i.c.state == word("accepted"), _i.c.key.in_([word(k) for k in keys])
    )
    return held.scalar_subquery()


_there = _p.c.state.in_([word(s) for s in AWAY])
_of_placements = (
    select(
        _p.c.institution_id,
        _p.c.id,
        word("placement").label("kind"),
        _p.c.person_id.label("stream_id"),
        _p.c.person_id,
        _p.c.employer_id,
        _p.c.agency_id,
        _employer.c.time_zone.label("employer_zone"),
        agency_zone(_p.c.agency_id).label("agency_zone"),
        _p.c.departs,
        _p.c.pins,
        _p.c.departed_on,
        _p.c.arrived_on,
        _p.c.started_on,
        func.coalesce(_p.c.ended_on, case((~_there, _p.c.since_on))).label("ended_on"),
        _there.label("live"),
        case((_p.c.departs, _p.c.authorisation_until_on)).label("authorisation"),
        case((_p.c.departs, _p.c.visa_until_on)).label("visa"),
        case((_p.c.departs, _t.c.passport_expires_on)).label("passport"),
        _insured().label("insurance"),
        _none(Date).label("relationship"),
    )
    .select_from(
        _p.join(_t, and_(mine(_t), _t.c.id == _p.c.person_id)).join(_employer, _employer.c.id == _p.c.employer_id)
    )
    .where(mine(_p), _p.c.state != word("voided"))
)
_of_relationships = (
    select(
        _r.c.institution_id,
        _r.c.id,
        word("relationship"),
        _r.c.id,
        _none(Uuid),
        case((_r.c.role == word("enterprise"), _r.c.organisation_id)),
        case((_r.c.role == word("agency"), _r.c.organisation_id)),
        _employer.c.time_zone,
        _employer.c.time_zone,
        literal_column("false"),
        _none(ARRAY(Text)),
        _none(Date),
        _none(Date),
        _none(Date),
        _none(Date),
        _r.c.state == word("verified"),
        _none(Date),
        _none(Date),
        _none(Date),
        _none(Date),
        _r.c.valid_until,
    )
    .select_from(_r.join(_employer, _employer.c.id == _r.c.organisation_id))
    .where(mine(_r), _r.c.state != word("voided"))
)
SUBJECTS: Any = union_all(_of_placements, _of_relationships).subquery("obligation_subjects")
"""Everything for which something may fall due, as one relation, with the dates that the clock looks at."""
_s = SUBJECTS
_standing = and_(mine(_o), _o.c.state != word("voided"))
NAME = ("rule", "pin", "event", "period")


def _new(v: dict[str, Any]) -> dict[str, Any]:
    today: date = v["today"]
    packs = packs_of(v["pins"])
    provider = "agency" if v["agency_id"] else "enterprise"
    others = [
        (p.pin, o) for p in shipped_packs() if p.valid_on(today) for o in p.obligations if provider in o.providers
    ]
    rows = rows_of(packs) if packs else tuple(others) if v["kind"] == "relationship" else ()
    return {
        "subject_kind": v["kind"],
        "subject_id": v["subject_id"],
        "person_id": v["person_id"],
        "rows": rows,
        "held": Held(
            rules=rows if v["kind"] == "placement" else (),
            started={event: v[name] for event, name in STARTS.items()},
            ended_on=v["ended_on"],
            live=v["live"],
            until={name: v[name] for name in DATES},
        ),
        "house": house_rules(),
        "calendars": calendars(countries(), today),
        "standing": frozenset(tuple(r[n] for n in NAME) for r in v["standing"]),
        "organisations": {provider: v[name] for provider, name in OWING.items()},
        "zones": zones(v["own_zone"], v["employer_zone"], v["agency_zone"], departs=v["departs"]),
    }


def zones(own: str, employer: str, agency: str, *, departs: bool) -> dict[str, str]:
    """Where the day ends by which each provider owes something: their own seat, abroad for whoever is there."""
    there = employer if departs else own
    return {"enterprise": employer, "support_organisation": employer, "agency": agency, "trainee": there, "": own}


_FACTS = (
    "kind", "person_id", "employer_id", "agency_id", "employer_zone", "agency_zone", "departs", "pins", "departed_on",
    "arrived_on", "started_on", "ended_on", "live", *DATES,
)  # fmt: skip
NEW_FACTS: FactsOf[NewObligation] = FactsOf(
    _s,
    NewObligation,
    {name: _s.c[name] for name in _FACTS}
    | {
        "subject_id": _s.c.id,
        "own_zone": OWN_ZONE,
        "today": TODAY,
        "standing": json_rows(select(*[_o.c[n] for n in NAME]).where(_standing, _o.c.subject_id == _s.c.id)),
    },
    stream="stream_id",
    birth=True,
    read=_new,
)
FACTS: FactsOf[ObligationDossier] = FactsOf(
    _o,
    ObligationDossier,
    {
        "rule": _o.c.rule,
        "owed_by": _o.c.owed_by,
        "roles": lambda actor: select(actor.c.roles).scalar_subquery(),
        "event_on": _o.c.event_on,
        "runs_out": _o.c.event.in_([word(f"{d}_ends") for d in DATES]),
    },
    stream="stream_id",
    read=lambda v: v | {"owed_by": tuple(v["owed_by"]), "roles": frozenset(v["roles"] or ())},
)


def standing_of(subject: ColumnElement[Any]) -> ColumnElement[Any]:
    """The obligations of a subject as JSON rows, for capabilities whose steps open and void them."""
    return json_rows(
        select(_o.c.id, _o.c.version, _o.c.state, *[_o.c[n] for n in NAME], _o.c.event_on).where(
            _standing, _o.c.subject_id == subject
        )
    )


def read_duties(rows: list[Mapping[str, Any]]) -> tuple[Duty, ...]:
    """The obligations of a subject."""
    return tuple(Duty(**{**r, "id": UUID(r["id"]), "event_on": date.fromisoformat(r["event_on"])}) for r in rows)


# ---- reads
OVERDUE = func.coalesce(
    and_(_o.c.state == PENDING, _o.c.due_on < cast(func.timezone(_o.c.zone, NOW), Date)), literal_column("false")
)
"""Whether the last day is over where whoever owes it is."""
VIEW = View(
    _o,
    {
        "id": _o.c.id,
        "version": _o.c.version,
        "state": _o.c.state,
        "since_on": _o.c.since_on,
        "subject_kind": _o.c.subject_kind,
        "subject_id": _o.c.subject_id,
        "person_id": _o.c.person_id,
        "organisation_id": _o.c.organisation_id,
        "rule": _o.c.rule,
        "pin": _o.c.pin,
        "event": _o.c.event,
        "period": _o.c.period,
        "event_on": _o.c.event_on,
        "due_on": _o.c.due_on,
        "zone": _o.c.zone,
        "overdue": OVERDUE,
        "owed_by": _o.c.owed_by,
        "documents": _o.c.documents,
        "done_on": _o.c.done_on,
    },
    filters={
        "state": among(_o.c.state),
        "rule": among(_o.c.rule),
        "subject_kind": among(_o.c.subject_kind),
        "subject_id": among(_o.c.subject_id),
        "person_id": among(_o.c.person_id),
        "organisation_id": among(_o.c.organisation_id),
        "owed_by": (Text(), lambda value: value == func.any(_o.c.owed_by)),
        "placement_id": (Uuid(), lambda value: and_(_o.c.subject_kind == word("placement"), _o.c.subject_id == value)),
        "due_from": from_on(_o.c.due_on),
        "due_until": before_or_on(_o.c.due_on),
        "overdue": (Boolean(), lambda value: value == OVERDUE),
    },
    sorts={"due_on": (func.coalesce(_o.c.due_on, literal_column("'infinity'::date")), False)},
)


# ---- the clock
def _clock_rules() -> Any:
    """Every rule that the clock looks at, as rows: drawn from the data, for they are few and known when it starts."""
    house = house_rules()
    rows: list[tuple[Any, ...]] = [
        (w.key, house.pin, f"{w.watches}_ends", w.opens_days, 0, 0, "true", None, None) for w in house.watches
    ]
    for pin, o in periodic_rows():
        if o.due is not None:
            days, years = (o.due.count, 0) if o.due.unit == "days" else (0, o.due.count)
            rows.append((
                o.key, pin, o.event, 0, days, years, "true" if pin == house.pin else "false",
                o.effective_from, o.effective_to,
            ))  # fmt: skip

    def plain(value: Any) -> ColumnElement[Any]:
        if value is None:
            return literal_column("NULL::date")
        if isinstance(value, date):
            return literal_column(f"DATE '{value.isoformat()}'")
        return (
            literal_column(value)
            if value in ("true", "false")
            else (literal_column(str(value)) if isinstance(value, int) else word(value))
        )

    names = ("rule", "pin", "event", "opens_days", "days", "years", "house", "effective_from", "effective_to")
    parts = [select(*[plain(v).label(n) for v, n in zip(row, names, strict=True)]) for row in rows]
    return union_all(*parts).subquery("k")


def _open_due() -> Statement[Any]:
    """What has opened and does not stand yet: the subject, and the four names of what is opened."""
    k = _clock_rules()
    zero: ColumnElement[Any] = literal_column("0")
    one: ColumnElement[Any] = literal_column("1")
    until = case(*[(k.c.event == word(f"{d}_ends"), _s.c[d]) for d in DATES])
    start = case(*[(k.c.event == word(event), _s.c[name]) for event, name in STARTS.items()])
    most = case(
        (k.c.years > zero, func.date_part(word("year"), func.age(TODAY, start)) / k.c.years),
        else_=(TODAY - start) / func.nullif(k.c.days, zero),
    )
    upto = cast(func.floor(most), Integer) + literal_column("2")
    n = func.generate_series(one, upto).table_valued(column("n", Integer), name="n").render_derived()

    def day(times: Any) -> ColumnElement[Any]:
        return cast(start + func.make_interval(k.c.years * times, zero, zero, k.c.days * times), Date)

    due, opens = day(n.c.n), day(n.c.n - one)
    of_rule = _s.join(k, or_(k.c.house, k.c.pin == func.any(_s.c.pins)))
    ends = select(_s.c.id, k.c.rule, k.c.pin, k.c.event, cast(until, Text).label("period")).select_from(of_rule)
    ends = ends.where(_s.c.live, k.c.opens_days > zero, until - k.c.opens_days <= TODAY)
    again = (
        select(_s.c.id, k.c.rule, k.c.pin, k.c.event, cast(n.c.n, Text))
        .select_from(of_rule.join(n, true()))
        .where(
            k.c.opens_days == zero,
            opens <= TODAY,
            or_(n.c.n == one, _s.c.ended_on.is_(None), opens <= _s.c.ended_on),
            or_(k.c.effective_from.is_(None), k.c.effective_from <= due),
            or_(k.c.effective_to.is_(None), due <= k.c.effective_to),
        )
    )
    found = union_all(ends, again).subquery("opens")
    # Whatever the pack's version: a transfer may pin another, and what stands by the old one is not owed twice.
    stands = select(one).where(
        _standing, _o.c.subject_id == found.c.id, *[_o.c[n] == found.c[n] for n in NAME if n != "pin"]
    )
    statement = (
        select(*found.c)
        .where(GATE, ~stands.exists())
        .order_by(found.c.id, found.c.rule, found.c.period)
        .limit(bindparam("limit", type_=BigInteger))
    )
    return Statement(statement, lambda *row: row)


TO_OPEN = _open_due()


def _ended(*, runs_out: ColumnElement[bool], others: ColumnElement[bool]) -> Statement[UUID]:
    """Pending obligations by how their subject stands now: of what runs out, and the others."""
    found = (
        select(_o.c.id)
        .select_from(_o.outerjoin(_s, _s.c.id == _o.c.subject_id))
        .where(
            GATE,
            mine(_o),
            _o.c.state == PENDING,
            case((_o.c.event.in_([word(f"{d}_ends") for d in DATES]), runs_out), else_=others),
        )
        .order_by(_o.c.id)
        .limit(bindparam("limit", type_=BigInteger))
    )
    return Statement(found, lambda i: i)


_until_now = case(*[(_o.c.event == word(f"{d}_ends"), _s.c[d]) for d in DATES])
_gone = ~func.coalesce(_s.c.live, literal_column("false"))
RENEWED = _ended(runs_out=and_(_until_now > _o.c.event_on, _s.c.live), others=literal_column("false"))
"""What was to be renewed has a later end."""
MOOT = _ended(
    runs_out=or_(_until_now.is_(None), _until_now < _o.c.event_on, _gone),
    others=and_(_o.c.pin == word(house_rules().pin), _gone),
)
"""What was to be renewed is no longer held, or whoever held it or was to be asked is no longer there."""

__all__ = [
    "FACTS",
    "MOOT",
    "NEW_FACTS",
    "RENEWED",
    "SUBJECTS",
    "TO_OPEN",
    "VIEW",
    "read_duties",
    "standing_of",
    "zones",
]
