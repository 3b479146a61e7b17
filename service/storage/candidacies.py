"""Candidacies: what their rules may know, how they are read by whom, and which offers have ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import Sight
from service.domain.candidacies import (
    BELOW_ACCEPTED,
    ON_CONSENT,
    STEP_OF,
    Asked,
    CandidacyDossier,
    NewCandidacy,
    Owing,
    Person,
    Request,
    Transfer,
)
from service.domain.journey import LIVE
from service.domain.placement_requests import Job
from service.domain.requirements import Pack
from service.storage.database import Statement, value
from service.storage.obligations import OWING, OWN_ZONE, agency_zone, read_duties, standing_of, zones
from service.storage.opening import TODAY, FactsOf, aggregate_order_by, word
from service.storage.pack_library import ADOPTED, learn_of, library_of
from service.storage.placement_requests import (
    asked_by,
    day_of,
    job_json,
    read_job,
    read_seats,
    read_standing,
    seats_json,
    standing_json,
)
from service.storage.requirements import (
    evidence_of,
    json_object,
    packs_of,
    payments_of,
    read_evidence,
    read_payments,
    read_tests,
    tests_of,
)
from service.storage.scopes import NOW
from service.storage.tables.candidacies import candidacies
from service.storage.tables.columns import INSTANT
from service.storage.tables.institutions import institutions, organisations
from service.storage.tables.placement_requests import placement_requests
from service.storage.tables.placements import placements
from service.storage.tables.trainees import consents, trainees
from service.storage.tenancy import GATE, INSTITUTION, mine
from service.storage.views import View, among, of_person

_c, _t, _r, _o, _a = candidacies, trainees, placement_requests, organisations, consents
ZONE = select(institutions.c.time_zone).where(institutions.c.id == INSTITUTION).scalar_subquery()


# ---- what any candidacy is judged by
def _person(t: Any) -> ColumnElement[Any]:
    return json_object({name: t.c[name] for name in ("id", "birth_on", "nationality", "passport_expires_on")})


def _request(r: Any, o: Any) -> ColumnElement[Any]:
    return json_object({"seats": seats_json(r), "job": job_json(r, o), "closes_on": r.c.closes_on})


def _live_placement(person: Any, transfer_of: Any) -> ColumnElement[Any]:
    """Whether there is a live placement beside the one that is to be transferred."""
    p = placements.alias("held_placement")
    live = [word(s) for s in sorted(LIVE["placement"])]
    beside = p.c.id.is_distinct_from(transfer_of)
    return select(p.c.id).where(mine(p), p.c.person_id == person, p.c.state.in_(live), beside).exists()


def _transfer(person: Any, transfer_of: Any) -> ColumnElement[Any]:
    """The placement that is to be transferred, where it is the person's own, as JSON."""
    p = placements.alias("transferred")
    columns = {n: p.c[n] for n in ("id", "state", "version", "since_on", "request_id", "destination")}
    own = and_(mine(p), p.c.person_id == person, p.c.id == transfer_of)
    return select(json_object(columns)).where(own).scalar_subquery()


def _owed(request: Any, employer: Any) -> ColumnElement[Any]:
    """Who owes what falls due in a placement that is transferred, with its employer and with the next one, as JSON."""
    p, former = placements.alias("owed_of"), organisations.alias("former_employer")
    columns = {n: p.c[n] for n in ("pins", "departs", "employer_id", "agency_id")} | {
        "own_zone": OWN_ZONE,
        "employer_zone": former.c.time_zone,
        "agency_zone": agency_zone(p.c.agency_id),
        "coming_zone": employer.c.time_zone,
        "coming_agency_zone": agency_zone(request.c.agency_id),
        "duties": standing_of(p.c.id),
    }
    of_transfer = and_(mine(p), p.c.id == _c.c.transfer_of)
    source = p.join(former, former.c.id == p.c.employer_id)
    return select(json_object(columns)).select_from(source).where(of_transfer).scalar_subquery()


def _read_transfer(row: dict[str, Any] | None) -> Transfer | None:
    if row is None:
        return None
    ids = {name: UUID(row[name]) for name in ("id", "request_id")}
    return Transfer(**(row | ids | {"since_on": date.fromisoformat(row["since_on"])}))


def _read_owed(
    held: Transfer, row: dict[str, Any], job: Job, pins: Sequence[str] | None, library: Sequence[Pack]
) -> Transfer:
    def owing(pins: Sequence[str] | None, employer: Any, agency: Any, zone: str, agency_zone: str) -> Owing:
        by_provider = {provider: employer if name == "employer_id" else agency for provider, name in OWING.items()}
        there = zones(row["own_zone"], zone, agency_zone, departs=row["departs"])
        return Owing(packs_of(pins, library), by_provider, there)

    employer, agency = [UUID(row[name]) if row[name] else None for name in ("employer_id", "agency_id")]
    return replace(
        held,
        former=owing(row["pins"], employer, agency, row["employer_zone"], row["agency_zone"]),
        coming=owing(pins, job.organisation_id, job.agency_id, row["coming_zone"], row["coming_agency_zone"]),
        duties=read_duties(row["duties"]),
    )


def _read_common(v: dict[str, Any]) -> dict[str, Any]:
    person, request = v["person"], v["request"]
    return {name: value for name, value in v.items() if name != "adopted"} | {
        "transfer": _read_transfer(v["transfer"]),
        "person": Person(
            UUID(person["id"]),
            day_of(person["birth_on"]) or date.min,  # erased: nothing is asked of their age any more
            person["nationality"],
            day_of(person["passport_expires_on"]),
        ),
        "request": Request(read_seats(request["seats"]), read_job(request["job"]), day_of(request["closes_on"]))
        if request
        else None,
        "packs": library_of(v["adopted"]),
        "evidence": read_evidence(v["evidence"]),
        "tests": read_tests(v["tests"]),
        "payments": read_payments(v["payments"]),
    }


# ---- a new one
def _read_new(v: dict[str, Any]) -> dict[str, Any]:
    """Nobody is identified for a transfer before it was asked for."""
    known = _read_common(v)
    return known | {"since_on": known["transfer"].since_on if known["transfer"] else None}


_named, _moved = bindparam("request_id", type_=Uuid), bindparam("transfer_of", type_=Uuid)
_live_here = [word(s) for s in sorted(LIVE["candidacy"])]
NEW_FACTS: FactsOf[NewCandidacy] = FactsOf(
    _t,
    NewCandidacy,
    {
        "person": _person(_t),
        "request": select(_request(_r, _o))
        .select_from(_r.join(_o, _o.c.id == _r.c.organisation_id))
        .where(mine(_r), _r.c.id == _named)
        .scalar_subquery(),
        "live_placement": _live_placement(_t.c.id, _moved),
        "transfer_of": cast(_moved, Uuid),
        "transfer": _transfer(_t.c.id, _moved),
        "live_candidacy": select(_c.c.id)
        .where(mine(_c), _c.c.person_id == _t.c.id, _c.c.request_id == _named, _c.c.state.in_(_live_here))
        .exists(),
        "evidence": evidence_of(_named, _t.c.id),
        "tests": tests_of(_t.c.id),
        "payments": payments_of(_t.c.id),
        "zone": ZONE,
        "adopted": ADOPTED,
    },
    stream="id",
    also=array([_named]),
    birth=True,
    extra=("request_id", "transfer_of"),
    read=_read_new,
    learn=learn_of,
)

# ---- one that is there
_joined = (
    _c.join(_t, and_(mine(_t), _t.c.id == _c.c.person_id))
    .join(_r, and_(mine(_r), _r.c.id == _c.c.request_id))
    .join(_o, _o.c.id == _r.c.organisation_id)
    .outerjoin(_a, and_(mine(_a), _a.c.id == _c.c.consent_id))
)
_other, _theirs = _c.alias("sibling"), _r.alias("sibling_request")
_are_siblings = and_(
    mine(_other),
    _other.c.person_id == _c.c.person_id,
    _other.c.id != _c.c.id,
    _other.c.state.in_([word(s) for s in BELOW_ACCEPTED]),
)


def _read(v: dict[str, Any]) -> dict[str, Any]:
    consent, pins, owed = v["consent"], v["pins"], v.pop("owed")
    known = _read_common(v)
    if known["transfer"] and known["request"] and owed:
        job, library = known["request"].job, library_of(v["adopted"])
        known["transfer"] = _read_owed(known["transfer"], owed, job, pins, library)
    return known | {
        "consent": Asked(
            UUID(consent["id"]), consent["state"], consent["version"], tuple(consent["fields"]), consent["notice"],
            day_of(consent["ends_on"]),
        )
        if consent
        else None,
        "siblings": read_standing(v["siblings"]),
        "pins": tuple(pins or ()),
        "pinned": packs_of(pins, library_of(v["adopted"])),
        "terms": v["terms"] or {},
        "differences": tuple(v["differences"] or ()),
        "asked_by": tuple(v["asked_by"] or ()),
    }  # fmt: skip


FACTS: FactsOf[CandidacyDossier] = FactsOf(
    _c,
    CandidacyDossier,
    {
        "id": _c.c.id,
        "now": NOW,
        "stands_since": _c.c.since_on,
        "person": _person(_t),
        "request": _request(_r, _o),
        "live_placement": _live_placement(_c.c.person_id, _c.c.transfer_of),
        "transfer_of": _c.c.transfer_of,
        "transfer": _transfer(_c.c.person_id, _c.c.transfer_of),
        "owed": _owed(_r, _o),
        "evidence": evidence_of(_c.c.request_id, _c.c.person_id, _c.c.id),
        "tests": tests_of(_c.c.person_id),
        "payments": payments_of(_c.c.person_id),
        "consent": case(
            (
                _a.c.id.is_not(None),
                json_object({n: _a.c[n] for n in ("id", "state", "version", "fields", "notice", "ends_on")}),
            )
        ),
        "siblings": standing_json(_other, _theirs, _are_siblings),
        "accepted_elsewhere": select(_other.c.id)
        .where(
            mine(_other),
            _other.c.person_id == _c.c.person_id,
            _other.c.id != _c.c.id,
            _other.c.state == word("accepted"),
        )
        .exists(),
        "pins": _c.c.pins,
        "terms": _c.c.terms,
        "differences": _c.c.differences,
        "offered_on": _c.c.offered_on,
        "offer_ends_at": _c.c.offer_ends_at,
        "offer_ends_on": cast(func.timezone(ZONE, _c.c.offer_ends_at), Date),
        "lapses_at": _c.c.lapses_at,
        "asked_by": asked_by,
        "adopted": ADOPTED,
    },
    source=_joined,
    also=func.array_prepend(
        _c.c.request_id,
        func.array(
            select(_other.c.request_id).where(_are_siblings, _other.c.state == word("offered")).scalar_subquery()
        ),
    ),
    read=_read,
    learn=learn_of,
)

# ---- reads
_steps = case(*[(_c.c.state == word(state), word(step)) for state, step in STEP_OF.items()], else_=word("none"))
_given = and_(_a.c.state == word("given"), or_(_a.c.ends_on.is_(None), _a.c.ends_on >= TODAY))
KINDS = {
    "name_native": "name",
    "name_latin": "name",
    "sex": "sex",
    "birth_on": "birth_on",
    "nationality": "nationality",
    "origin": "origin",
    "language": "languages",
    "email": "contacts",
    "phone": "contacts",
    "passport_country": "passport",
    "passport_expires_on": "passport",
}
"""The fields of a person, and the kind of data by which a consent names each."""
MASK: ColumnElement[Any] = literal_column("""'{"masked": true, "reason": "consent"}'::jsonb""")


def _seen(kind: str) -> ColumnElement[bool]:
    """Whether the consent shows this kind of data at the step that the candidacy has reached."""
    return func.coalesce(
        and_(_given, func.jsonb_exists(_a.c.notice[word("steps")][_steps], word(kind))), literal_column("false")
    )


def _fields(sight: Sight | None) -> ColumnElement[Any]:
    """The person: whole for the institution and for themselves, for an organisation as far as they consent."""
    if sight is not Sight.ORGANISATION:
        return json_object({"id": _t.c.id} | {name: _t.c[name] for name in KINDS})
    return json_object(
        {"id": _t.c.id}
        | {name: case((_seen(kind), func.to_jsonb(_t.c[name])), else_=MASK) for name, kind in KINDS.items()}
    )


def _here_and_there(at: ColumnElement[Any]) -> ColumnElement[Any]:
    """An instant as clocks show it at the institution and at the enterprise."""

    def clock(zone: Any) -> ColumnElement[Any]:
        local = func.to_char(func.timezone(zone, at), word('YYYY-MM-DD"T"HH24:MI'))
        return json_object({"time_zone": zone, "local": local})

    return func.json_build_array(clock(ZONE), clock(_o.c.time_zone))


_OWN = (
    "id", "version", "state", "since_on", "person_id", "request_id", "consent_id", "pins", "rank", "assessment",
    "terms", "differences", "offered_on", "offer_ends_at", "placement_id", "transfer_of",
)  # fmt: skip
_interview_at = cast(_c.c.interview["at"].astext, INSTANT)


def _has_come(day: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.coalesce(and_(day <= TODAY, _c.c.state.in_([word(s) for s in BELOW_ACCEPTED])), literal_column("false"))


def _columns(sight: Sight | None, _actor: Any) -> dict[str, Any]:
    """What each pair of eyes sees of a candidacy."""
    shown: dict[str, Any] = {name: _c.c[name] for name in _OWN}
    if sight is Sight.PERSON:  # the enterprise's own order and scores are its own business
        shown |= {"rank": literal_column("NULL::integer"), "assessment": literal_column("NULL::jsonb")}
    return shown | {
        "person": _fields(sight),
        "request": json_object(
            {n: _r.c[n] for n in ("id", "state", "title", "occupation", "destination", "pathway", "terms", "starts_on")}
            | {"organisation": json_object({n: _o.c[n] for n in ("id", "name_native", "name_latin", "country")})}
        ),
        "interview": case(
            (
                _c.c.interview.is_not(None),
                json_object(
                    {
                        "at": _interview_at,
                        "minutes": _c.c.interview["minutes"],
                        "place": _c.c.interview["place"],
                        "clocks": _here_and_there(_interview_at),
                    }
                ),
            )
        ),
        "critical": _has_come(_c.c.critical_on),
        "late": _has_come(_c.c.late_on),
        "offer_ends": case((_c.c.offer_ends_at.is_not(None), _here_and_there(_c.c.offer_ends_at))),
    }


def _kinds_seen(_actor: Any) -> dict[str, ColumnElement[Any]]:
    """The kinds of data that the consent shows at the step, as long as it is given."""
    shown = func.jsonb_array_elements_text(_a.c.notice[word("steps")][_steps])
    kinds = shown.table_valued(column("kind", Text), name="shown_kind").render_derived()
    listed = select(func.string_agg(kinds.c.kind, aggregate_order_by(word(" "), kinds.c.kind))).scalar_subquery()
    return {"fields": case((_given, func.coalesce(listed, word("")))), "consent_id": _c.c.consent_id}


VIEW = View(
    _c,
    _columns,
    seen=_kinds_seen,
    source=_joined,
    filters={
        "state": among(_c.c.state),
        "request_id": among(_c.c.request_id),
        "person_id": of_person(_c.c.person_id),
        "organisation_id": among(_r.c.organisation_id),
        "critical": (Boolean(), lambda value: value == _has_come(_c.c.critical_on)),
        "late": (Boolean(), lambda value: value == _has_come(_c.c.late_on)),
    },
    sorts={"rank": (func.coalesce(_c.c.rank, literal_column("2147483647")), False)},
)


# ---- what the clock does
def _due(source: Any, *conditions: ColumnElement[bool]) -> Statement[Any]:
    return Statement(
        select(_c.c.id)
        .select_from(source)
        .where(mine(_c), GATE, *conditions)
        .order_by(_c.c.id)
        .limit(bindparam("limit", type_=BigInteger)),
        value,
    )


DUE_TO_LAPSE = _due(_c, _c.c.state == word("offered"), _c.c.lapses_at < NOW)
CONSENT_ENDED = _due(
    _c.join(_a, and_(mine(_a), _a.c.id == _c.c.consent_id)),
    _c.c.state.in_([word(s) for s in ON_CONSENT]),
    _a.c.state == word("given"),
    _a.c.ends_on < TODAY,
)
"""Whose consent's last day is over; a consent that is withdrawn ends them itself."""
