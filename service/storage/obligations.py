"""Obligations: for what they fall due, what their rules may know, how they are read, and what the clock opens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Date,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement

from service.domain.obligations import Duty, Held, NewObligation, ObligationDossier, rows_of
from service.domain.placements import AWAY
from service.storage.calendars import calendars_between
from service.storage.duties import countries, house_rules
from service.storage.opening import TODAY, FactsOf, json_rows, word
from service.storage.pack_library import ADOPTED, learn_of, library_of
from service.storage.requirements import packs_of
from service.storage.scopes import NOW
from service.storage.tables.institutions import institutions, organisations, relationships
from service.storage.tables.obligations import obligations
from service.storage.tables.placements import placements, requirement_items
from service.storage.tables.record import events
from service.storage.tables.trainees import trainees
from service.storage.tenancy import INSTITUTION, mine
from service.storage.views import View, among, before_or_on, from_on, of_person

_o, _p, _t, _r, _i = obligations, placements, trainees, relationships, requirement_items
_employer, _agency = organisations.alias("employer"), organisations.alias("agency")
DATES = ("authorisation", "visa", "passport", "insurance", "relationship")
"""What runs out."""
STARTS = {
    "contracts_signed": "signed_on",
    "departed": "departed_on",
    "arrived": "arrived_on",
    "started_work": "started_on",
}
"""The days of the events that happen once, from which terms and periods are counted."""
OWING = {"enterprise": "employer_id", "support_organisation": "employer_id", "agency": "agency_id"}
"""The organisation of the subject that owes what a provider owes."""
OWN_ZONE = select(institutions.c.time_zone).where(institutions.c.id == INSTITUTION).scalar_subquery()
PENDING = word("pending")


def agency_zone(agency: ColumnElement[Any]) -> ColumnElement[Any]:
    """Where an agency's day ends; the institution's where there is none."""
    found = select(_agency.c.time_zone).where(_agency.c.id == agency).correlate_except(_agency).scalar_subquery()
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


def _signed() -> Any:
    """The day on which the contracts were signed, as the step says that it recorded; it has no column of its own."""
    e, x = events.alias("signing"), events.alias("taken_back")
    back = select(x.c.seq).where(
        mine(x), x.c.stream_id == e.c.stream_id, x.c.subject_id == e.c.subject_id, x.c.corrects == e.c.seq
    )
    signed = select(func.max(e.c.occurred_on)).where(
        mine(e), e.c.stream_id == _p.c.person_id, e.c.subject_id == _p.c.id, e.c.action == word("collect_documents"),
        ~back.exists(),
    )  # fmt: skip
    return case((_p.c.state != word("contracting"), signed.scalar_subquery()))


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
        _signed().label("signed_on"),
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


def subjects(ids: ColumnElement[Any]) -> Any:
    """Those of some ids for which something may fall due, as one relation, with the dates that the clock looks at.

    The ids stand in both halves: PostgreSQL does not carry a join into a union, and would read everybody.
    """
    halves = (_of_placements.where(_p.c.id == func.any(ids)), _of_relationships.where(_r.c.id == func.any(ids)))
    return union_all(*halves).subquery("obligation_subjects")


IDS: ColumnElement[Any] = bindparam("ids", type_=ARRAY(Uuid))
SUBJECTS: Any = subjects(IDS)
_s = SUBJECTS
STANDING = and_(mine(_o), _o.c.state != word("voided"))
NAME = ("rule", "pin", "event", "period")


def _new(v: dict[str, Any]) -> dict[str, Any]:
    today: date = v["today"]
    library = library_of(v["adopted"])
    packs = packs_of(v["pins"], library)
    provider = "agency" if v["agency_id"] else "enterprise"
    others = [(p.pin, o) for p in library if p.valid_on(today) for o in p.obligations if provider in o.providers]
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
        "calendars": calendars_between(countries(rows), min([today, *(v[n] for n in STARTS.values() if v[n])]), today),
        "standing": frozenset(tuple(r[n] for n in NAME) for r in v["standing"]),
        "organisations": {provider: v[name] for provider, name in OWING.items()},
        "zones": zones(v["own_zone"], v["employer_zone"], v["agency_zone"], departs=v["departs"]),
    }


def zones(own: str, employer: str, agency: str, *, departs: bool) -> dict[str, str]:
    """Where the day ends by which each provider owes something: their own seat, abroad for whoever is there."""
    there = employer if departs else own
    return {"enterprise": employer, "support_organisation": employer, "agency": agency, "trainee": there, "": own}


_FACTS = (
    "kind", "person_id", "employer_id", "agency_id", "employer_zone", "agency_zone", "departs", "pins", "signed_on",
    "departed_on", "arrived_on", "started_on", "ended_on", "live", *DATES,
)  # fmt: skip
NEW_FACTS: FactsOf[NewObligation] = FactsOf(
    _s,
    NewObligation,
    {name: _s.c[name] for name in _FACTS}
    | {
        "subject_id": _s.c.id,
        "own_zone": OWN_ZONE,
        "today": TODAY,
        "adopted": ADOPTED,
        "standing": json_rows(select(*[_o.c[n] for n in NAME]).where(STANDING, _o.c.subject_id == _s.c.id)),
    },
    stream="stream_id",
    birth=True,
    read=_new,
    learn=learn_of,
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
            STANDING, _o.c.subject_id == subject
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
        "person_id": of_person(_o.c.person_id),
        "organisation_id": among(_o.c.organisation_id),
        "owed_by": (Text(), lambda value: value == func.any(_o.c.owed_by)),
        "placement_id": (Uuid(), lambda value: and_(_o.c.subject_kind == word("placement"), _o.c.subject_id == value)),
        "due_from": from_on(_o.c.due_on),
        "due_until": before_or_on(_o.c.due_on),
        "overdue": (Boolean(), lambda value: value == OVERDUE),
    },
    sorts={"due_on": (func.coalesce(_o.c.due_on, literal_column("'infinity'::date")), False)},
)


__all__ = [
    "DATES",
    "FACTS",
    "IDS",
    "NAME",
    "NEW_FACTS",
    "PENDING",
    "STANDING",
    "STARTS",
    "SUBJECTS",
    "VIEW",
    "read_duties",
    "standing_of",
    "subjects",
    "zones",
]
