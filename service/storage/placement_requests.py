"""Placement requests: what their rules may know, how they are read, and which are due to open or to expire."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, and_, bindparam, func, literal_column, null, or_, select
from sqlalchemy.sql.elements import ColumnElement

from service.domain.candidacies import BELOW_ACCEPTED
from service.domain.placement_requests import (
    Concerned,
    Employer,
    Job,
    NewRequest,
    RequestDossier,
    RequestSeats,
    Standing,
    Tie,
)
from service.domain.placements import AT_HOME
from service.storage.database import Statement, value
from service.storage.opening import ITSELF, TODAY, FactsOf, json_rows, word
from service.storage.pack_library import ADOPTED, learn_of, library_of
from service.storage.requirements import declared_by, evidence_of, json_object, read_evidence, read_staff
from service.storage.tables.candidacies import candidacies
from service.storage.tables.institutions import organisations, relationships
from service.storage.tables.placement_requests import placement_requests
from service.storage.tables.placements import placements
from service.storage.tenancy import GATE, mine
from service.storage.views import View, among, before_or_on, from_on

_r, _o, _c, _p = placement_requests, organisations, candidacies, placements


# ---- a request as JSON, for its own rules and for those of its candidacies
SEATS = ("id", "state", "version", "seats", "offered", "taken", "used")
JOB = (
    "organisation_id", "agency_id", "title", "occupation", "field", "destination", "pathway", "nationalities", "terms",
    "options", "levels_asked", "planned_departure_on", "starts_on", "ends_on", "seats",
)  # fmt: skip
EMPLOYER = ("country", "natural_person", "chinese_funded", "name_latin")


def seats_json(request: Any) -> ColumnElement[Any]:
    """The seats of a request as JSON."""
    return json_object({name: request.c[name] for name in SEATS})


def read_seats(row: dict[str, Any]) -> RequestSeats:
    """The seats from their JSON."""
    return RequestSeats(**(row | {"id": UUID(row["id"])}))


def standing_json(candidacy: Any, request: Any, *conditions: ColumnElement[bool]) -> ColumnElement[Any]:
    """Candidacies with the seats of their requests, as JSON rows."""
    return json_rows(
        select(candidacy.c.id, candidacy.c.state, candidacy.c.version, seats_json(request).label("seats"))
        .select_from(candidacy.join(request, and_(mine(request), request.c.id == candidacy.c.request_id)))
        .where(*conditions)
        .order_by(candidacy.c.id)
    )


def read_standing(rows: list[dict[str, Any]]) -> tuple[Standing, ...]:
    """Candidacies with the seats of their requests, from their JSON."""
    return tuple(Standing(UUID(r["id"]), r["state"], r["version"], read_seats(r["seats"])) for r in rows)


def job_json(request: Any, organisation: Any) -> ColumnElement[Any]:
    """What a request says of the work, as JSON."""
    employer = json_object({name: organisation.c[name] for name in EMPLOYER})
    declared = declared_by(request.c.relationship_id)
    return json_object({name: request.c[name] for name in JOB} | {"employer": employer, "staff": declared})


def read_job(row: dict[str, Any]) -> Job:
    """What a request says of the work, from its JSON."""
    days = {name: day_of(row[name]) for name in ("planned_departure_on", "starts_on", "ends_on")}
    ids = {name: UUID(row[name]) if row[name] else None for name in ("organisation_id", "agency_id")}
    lists = {name: tuple(row[name] or ()) for name in ("nationalities", "options")}
    employer = {"employer": Employer(**row["employer"]), "staff": read_staff(row["staff"])}
    return Job(**(row | days | ids | lists | employer))


def day_of(written: str | None) -> date | None:
    """A day from its JSON."""
    return date.fromisoformat(written) if written else None


# ---- facts
def _tie(column: Any) -> ColumnElement[Any]:
    t = relationships.alias()
    return (
        select(json_object({"state": t.c.state, "valid_until": t.c.valid_until}))
        .where(mine(t), t.c.id == column)
        .scalar_subquery()
    )


def _read_tie(row: dict[str, Any] | None) -> Tie | None:
    return Tie(row["state"], day_of(row["valid_until"])) if row else None


_held = _c.outerjoin(_p, and_(mine(_p), _p.c.id == _c.c.placement_id, _p.c.state.in_([word(s) for s in AT_HOME])))
_is_concerned = and_(
    mine(_c),
    _c.c.request_id == _r.c.id,
    or_(
        _c.c.state.in_([word(s) for s in BELOW_ACCEPTED]),
        and_(_c.c.state.in_([word("accepted"), word("placed")]), _p.c.id.is_not(None)),
    ),
)


def _read(v: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in v.items() if name != "adopted"} | {
        "seats": read_seats(v["seats"]),
        "job": read_job(v["job"]),
        "relationship": _read_tie(v["relationship"]),
        "agency": _read_tie(v["agency"]),
        "evidence": read_evidence(v["evidence"]),
        "packs": library_of(v["adopted"]),
        "concerned": tuple(
            Concerned(
                UUID(c["id"]), UUID(c["person_id"]), c["state"], c["version"],
                UUID(c["placement"]) if c["placement"] else None, c["placement_state"], c["placement_version"],
            )
            for c in v["concerned"]
        ),
        "asked_by": tuple(v["asked_by"] or ()),
    }  # fmt: skip


def asked_by(actor: Any) -> Any:
    """The roles of whoever asks."""
    return select(actor.c.roles).scalar_subquery()


FACTS: FactsOf[RequestDossier] = FactsOf(
    _r,
    RequestDossier,
    {
        "seats": seats_json(_r),
        "job": job_json(_r, _o),
        "no_fee_for_workers": _r.c.no_fee_for_workers,
        "opens_on": _r.c.opens_on,
        "closes_on": _r.c.closes_on,
        "relationship": _tie(_r.c.relationship_id),
        "agency": _tie(_r.c.agency_relationship_id),
        "evidence": evidence_of(_r.c.id),
        "concerned": json_rows(
            select(
                _c.c.id,
                _c.c.person_id,
                _c.c.state,
                _c.c.version,
                _p.c.id.label("placement"),
                _p.c.state.label("placement_state"),
                _p.c.version.label("placement_version"),
            )
            .select_from(_held)
            .where(_is_concerned)
            .order_by(_c.c.id)
        ),
        "asked_by": asked_by,
        "adopted": ADOPTED,
    },
    source=_r.join(_o, _o.c.id == _r.c.organisation_id),
    stream="id",
    also=func.array(select(_c.c.person_id).select_from(_held).where(_is_concerned).scalar_subquery()),
    read=_read,
    learn=learn_of,
)


def _named(role: str, parameter: str) -> ColumnElement[Any]:
    """The institution's relationship with the organisation that was named, in a role."""
    t = relationships.alias()
    return (
        select(t.c.id)
        .where(
            mine(t),
            t.c.organisation_id == bindparam(parameter, type_=Uuid),
            t.c.role == word(role),
            t.c.state.not_in([word("ended"), word("voided")]),
        )
        .scalar_subquery()
    )


NEW_FACTS: FactsOf[NewRequest] = FactsOf(
    ITSELF,
    NewRequest,
    {
        "relationship_id": _named("enterprise", "organisation_id"),
        "agency_relationship_id": _named("agency", "agency_id"),
        "asking_organisation": lambda actor: select(actor.c.organisation_id).scalar_subquery(),
    },
    stream="id",
    birth=True,
    extra=("organisation_id", "agency_id"),
)

# ---- reads
_agency = organisations.alias("agency")
ORGANISATION = ("id", "name_native", "name_latin", "country", "time_zone")
_columns: dict[str, Any] = {
    name: _r.c[name]
    for name in (
        "id", "version", "state", "since_on", "organisation_id", "agency_id", "title", "occupation", "field",
        "destination", "pathway", "nationalities", "seats", "offered", "taken", "used", "terms", "options",
        "levels_asked", "no_fee_for_workers", "opens_on", "closes_on", "planned_departure_on", "starts_on", "ends_on",
        "changes",
    )
} | {
    "free": _r.c.seats - _r.c.offered - _r.c.taken - _r.c.used,
    "organisation": json_object({name: _o.c[name] for name in ORGANISATION}),
    "agency": select(json_object({name: _agency.c[name] for name in ORGANISATION}))
    .where(_agency.c.id == _r.c.agency_id)
    .scalar_subquery(),
}  # fmt: skip
VIEW = View(
    _r,
    _columns,
    source=_r.join(_o, _o.c.id == _r.c.organisation_id),
    filters={
        "state": among(_r.c.state),
        "organisation_id": among(_r.c.organisation_id),
        "agency_id": among(_r.c.agency_id),
        "destination": among(_r.c.destination),
        "pathway": among(_r.c.pathway),
        "occupation": among(_r.c.occupation),
        "field": among(_r.c.field),
        "nationality": (_r.c.title.type, lambda asked: asked == func.any(_r.c.nationalities)),
        "closes_on": before_or_on(_r.c.closes_on),
        "starts_on": from_on(_r.c.starts_on),
    },
)


# ---- what the clock does
def _due(*conditions: ColumnElement[bool]) -> Statement[Any]:
    return Statement(
        select(_r.c.id)
        .where(mine(_r), GATE, *conditions)
        .order_by(_r.c.id)
        .limit(bindparam("limit", type_=BigInteger)),
        value,
    )


DUE_TO_OPEN = _due(
    _r.c.state == word("approved"),
    _r.c.opens_on <= TODAY,
    or_(_r.c.closes_on.is_(null()), _r.c.closes_on >= TODAY),
)
DUE_TO_EXPIRE = _due(
    _r.c.state.in_([word("approved"), word("open"), word("on_hold")]),
    _r.c.closes_on < TODAY,
    _r.c.offered == literal_column("0"),
)
"""After the closing day, as soon as the last open offer has ended."""
