"""Placements: what their rules may know, how they are read, and which contracts have ended."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
)

from service.domain.actors import Sight
from service.domain.candidacies import BELOW_ACCEPTED
from service.domain.placement_requests import RequestSeats
from service.domain.placements import AWAY, PlacementDossier, months_until
from service.domain.requirements import RequirementFacts, purpose_of
from service.domain.terms import CURRENCY, number
from service.storage.assignments import in_my_care
from service.storage.candidacies import MASK
from service.storage.database import Record, Statement, value
from service.storage.obligations import OWING, OWN_ZONE, agency_zone, read_duties, standing_of, zones
from service.storage.opening import TODAY, FactsOf, word
from service.storage.pack_library import ADOPTED, learn_of, library_of
from service.storage.placement_requests import read_standing, standing_json
from service.storage.requirements import (
    declared_by,
    evidence_of,
    packs_of,
    payments_of,
    read_evidence,
    read_items,
    read_payments,
    read_staff,
    read_tests,
    tests_of,
)
from service.storage.scopes import actor_of, sees
from service.storage.tables.candidacies import candidacies
from service.storage.tables.enrolments import enrolments
from service.storage.tables.institutions import organisations
from service.storage.tables.placement_requests import placement_requests
from service.storage.tables.placements import placements
from service.storage.tables.record import stream_keys
from service.storage.tables.trainees import consents, trainees
from service.storage.tenancy import GATE, mine
from service.storage.views import View, among, before_or_on, from_on, of_person, read_by

_p, _t, _o, _r, _c = placements, trainees, organisations, placement_requests, candidacies
_whole = (
    _p.join(_t, and_(mine(_t), _t.c.id == _p.c.person_id))
    .join(_o, _o.c.id == _p.c.employer_id)
    .outerjoin(_r, and_(mine(_r), _r.c.id == _p.c.request_id))
    .outerjoin(_c, and_(mine(_c), _c.c.id == _p.c.candidacy_id))
)
MONTHS = 12
SEATS = tuple(f.name for f in fields(RequestSeats))
FILLED = (
    "agency_contract",
    "planned_departure_on",
    "arrives_on",
    "starts_on",
    "ends_on",
    "authorisation_from_on",
    "authorisation_until_on",
    "visa_from_on",
    "visa_until_on",
    "terms_confirmed_on",
    "flight",
    "departed_on",
    "arrived_on",
    "started_on",
    "extension_until_on",
    "last_contact_on",
    "returns_on",
    "returned_on",
    "ended_on",
    "wish",
)
"""Columns that steps fill, and that a correction of the step puts back."""


_next, _theirs = candidacies.alias("next_candidacy"), placement_requests.alias("next_request")
_are_next = and_(
    mine(_next),
    _next.c.person_id == _p.c.person_id,
    _next.c.transfer_of == _p.c.id,
    _next.c.state.in_([word(s) for s in BELOW_ACCEPTED]),
)
_with_offers = func.array(
    select(_next.c.request_id).where(_are_next, _next.c.state == word("offered")).scalar_subquery()
)


def _others_there() -> Any:
    """How many people the same sender has in the country already: an agency, or the institution itself."""
    other = _p.alias("other_placement")

    def sender(placement: Any) -> Any:
        return func.coalesce(placement.c.agency_id, placement.c.institution_id)

    return (
        select(func.count())
        .where(
            mine(other),
            other.c.destination == _p.c.destination,
            other.c.departs,
            sender(other) == sender(_p),
            other.c.state.in_([word(s) for s in AWAY]),
            other.c.id != _p.c.id,
        )
        .scalar_subquery()
    )


_DIRECT = (
    "departs",
    "pathway",
    "authorisation_from_on",
    "authorisation_until_on",
    "visa_from_on",
    "visa_until_on",
    "terms_confirmed_on",
    "extension_until_on",
    "last_contact_on",
    "person_id",
    "request_id",
    "candidacy_id",
)


def _pay(terms: dict[str, Any]) -> Any:
    """The gross pay of a year."""
    yearly, monthly = number(terms.get("gross_annual_pay")), number(terms.get("gross_monthly_pay"))
    return yearly if yearly is not None or monthly is None else monthly * MONTHS


def _flag(said: Any) -> bool | None:
    """A term that is yes or no, also where it was written down as a word."""
    return said if isinstance(said, bool) else {"true": True, "yes": True, "false": False, "no": False}.get(str(said))


def facts_of(v: dict[str, Any]) -> RequirementFacts:
    """What the packs may know of a placement."""
    terms = v["terms"] or {}
    starts, ends, evidence = v["starts_on"], v["ends_on"], read_evidence(v["evidence"])
    return RequirementFacts(
        nationality=v["nationality"],
        destination=v["destination"],
        birth_on=v["birth_on"],
        field=v["field"] or terms.get("field"),
        employer_country=v["employer_country"],
        employer_funded_by="CN" if v["employer_chinese"] else v["employer_country"],
        employer_kind="natural_person" if v["employer_natural"] else "company",
        has_agency=v["agency_id"] is not None,
        agency_contract=v["agency_contract"],
        regulated_job=_flag(terms.get("regulated_job")),
        gross_annual_pay=_pay(terms),
        pay_currency=terms.get(CURRENCY),
        people_in_country=v["others_there"] + 1,
        stay_months=months_until(starts, ends) if starts and ends else None,
        planned_departure_on=v["planned_departure_on"] if v["departs"] else None,
        starts_on=starts,
        ends_on=ends,
        passport_expires_on=v["passport_expires_on"],
        options=frozenset(v["options"] or ()),
        levels_asked=v["levels_asked"] or {},
        evidence=evidence,
        tests=read_tests(v["tests"]),
        payments=read_payments(v["payments"]),
        staff=read_staff(v["staff"]),
        foreigners_added=0 if v["nationality"] == v["destination"] else v["request_seats"],
        entry_purpose=purpose_of(evidence),
    )


def _dossier(v: dict[str, Any]) -> dict[str, Any]:
    return {name: v[name] for name in _DIRECT} | {
        "facts": facts_of(v),
        "packs": packs_of(v["pins"], library_of(v["adopted"])),
        "library": library_of(v["adopted"]),
        "stages": tuple(v["stages"]),
        "candidacy_state": v["candidacy_state"] or "",
        "candidacy_version": v["candidacy_version"] or 0,
        "duties": read_duties(v["duties"]),
        "organisations": {provider: v[name] for provider, name in OWING.items()},
        "zones": zones(v["own_zone"], v["employer_zone"], v["agency_zone"], departs=v["departs"]),
        "items": read_items(v["evidence"]),
        "seats": RequestSeats(UUID(v["seats"].pop("id")), **v["seats"]) if v["seats"] else None,
        "transferring": read_standing(v["transferring"]),
        "kept": v["kept"],
        "replaced": tuple(v["replaced"] or ()),
    }


FACTS: FactsOf[PlacementDossier] = FactsOf(
    _p,
    PlacementDossier,
    {name: _p.c[name] for name in _DIRECT}
    | {
        "pins": _p.c.pins,
        "stages": _p.c.stages,
        "destination": _p.c.destination,
        "terms": _p.c.terms,
        "agency_id": _p.c.agency_id,
        "agency_contract": _p.c.agency_contract,
        "planned_departure_on": _p.c.planned_departure_on,
        "starts_on": _p.c.starts_on,
        "ends_on": _p.c.ends_on,
        "options": func.coalesce(_p.c.options, _r.c.options),
        "field": _r.c.field,
        "levels_asked": _r.c.levels_asked,
        "nationality": _t.c.nationality,
        "birth_on": _t.c.birth_on,
        "passport_expires_on": _t.c.passport_expires_on,
        "employer_country": _o.c.country,
        "employer_chinese": _o.c.chinese_funded,
        "employer_natural": _o.c.natural_person,
        "others_there": _others_there(),
        "candidacy_state": _c.c.state,
        "candidacy_version": _c.c.version,
        "evidence": evidence_of(_p.c.request_id, _p.c.person_id, _p.c.candidacy_id, _p.c.id),
        "tests": tests_of(_p.c.person_id),
        "payments": payments_of(_p.c.person_id),
        "staff": declared_by(_r.c.relationship_id),
        "request_seats": _r.c.seats,
        "seats": case(
            (_r.c.id.is_not(None), func.json_build_object(*[part for n in SEATS for part in (word(n), _r.c[n])]))
        ),
        "duties": standing_of(_p.c.id),
        "employer_id": _p.c.employer_id,
        "own_zone": OWN_ZONE,
        "employer_zone": _o.c.time_zone,
        "agency_zone": agency_zone(_p.c.agency_id),
        "transferring": standing_json(_next, _theirs, _are_next),
        "kept": func.json_build_object(*[part for n in FILLED for part in (word(n), _p.c[n])]),
        "replaced": _p.c.replaced,
        "adopted": ADOPTED,
    },
    source=_whole,
    also=case((_r.c.id.is_not(None), func.array_prepend(_r.c.id, _with_offers)), else_=cast(null(), ARRAY(Uuid))),
    read=_dossier,
    learn=learn_of,
)

_k = consents


def _named_to_employer() -> ColumnElement[bool]:
    """Whether a consent that holds shows an employer the name; an agency has a contract with the person."""
    held = (
        select(_k.c.id)
        .select_from(_k.join(_c, and_(mine(_c), _c.c.consent_id == _k.c.id)))
        .where(
            mine(_k),
            _c.c.id == _p.c.candidacy_id,
            _k.c.recipient_id == _p.c.employer_id,
            _k.c.state == word("given"),
            or_(_k.c.ends_on.is_(None), _k.c.ends_on >= TODAY),
            func.jsonb_exists(_k.c.notice[word("steps")][word("accepted")], word("name")),
        )
    )
    return held.exists()


def _named(actor: Any) -> ColumnElement[bool]:
    sent = _p.c.agency_id == select(actor.c.organisation_id).scalar_subquery()
    return or_(func.coalesce(sent, literal_column("false")), _named_to_employer())


def _kinds_seen(actor: Any) -> dict[str, ColumnElement[Any]]:
    """The placement itself, and the name as far as it is shown."""
    consent = select(_c.c.consent_id).where(mine(_c), _c.c.id == _p.c.candidacy_id).scalar_subquery()
    return {"fields": case((_named(actor), word("name placement")), else_=word("placement")), "consent_id": consent}


def _shown(sight: Sight | None, actor: Any) -> dict[str, ColumnElement[Any]]:
    """What each pair of eyes sees of a placement."""
    if sight is not Sight.ORGANISATION:
        return _COLUMNS
    named = _named(actor)
    names = {n: case((named, func.to_jsonb(_COLUMNS[n])), else_=MASK) for n in ("name_native", "name_latin")}
    return _COLUMNS | names | {"wish": literal_column("NULL::text")}


_COLUMNS: dict[str, ColumnElement[Any]] = {
    "id": _p.c.id,
    "version": _p.c.version,
    "state": _p.c.state,
    "since_on": _p.c.since_on,
    "person_id": _p.c.person_id,
    "name_native": _t.c.name_native,
    "name_latin": _t.c.name_latin,
    "request_id": _p.c.request_id,
    "candidacy_id": _p.c.candidacy_id,
    "employer_id": _p.c.employer_id,
    "employer": _o.c.name_latin,
    "agency_id": _p.c.agency_id,
    "destination": _p.c.destination,
    "pathway": _p.c.pathway,
    "pins": _p.c.pins,
    "stages": _p.c.stages,
    "departs": _p.c.departs,
    "occupation": _p.c.occupation,
    "terms": _p.c.terms,
    "critical": func.coalesce(_p.c.critical_on <= TODAY, literal_column("false")),
    "late": func.coalesce(_p.c.late_on <= TODAY, literal_column("false")),
} | {name: _p.c[name] for name in FILLED}


def _enrolled_in(intake: Any) -> Any:
    return select(enrolments.c.person_id).where(mine(enrolments), enrolments.c.intake_id == intake)


VIEW = View(
    _p,
    _shown,
    seen=_kinds_seen,
    source=_p.join(_t, and_(mine(_t), _t.c.id == _p.c.person_id)).join(_o, _o.c.id == _p.c.employer_id),
    filters={
        "state": among(_p.c.state),
        "person_id": of_person(_p.c.person_id),
        "request_id": among(_p.c.request_id),
        "employer_id": among(_p.c.employer_id),
        "agency_id": among(_p.c.agency_id),
        "destination": among(_p.c.destination),
        "pathway": among(_p.c.pathway),
        "critical": (Boolean(), lambda value: value == _COLUMNS["critical"]),
        "late": (Boolean(), lambda value: value == _COLUMNS["late"]),
        "intake_id": (Uuid(), lambda value: _p.c.person_id.in_(_enrolled_in(value))),
        "mine": (Boolean(), lambda value: value == in_my_care(_p.c.person_id)),
        "ends_until": before_or_on(_p.c.ends_on),
        "departs_from": from_on(_p.c.planned_departure_on),
        "departs_until": before_or_on(_p.c.planned_departure_on),
    },
)
ENDED = Statement(
    select(_p.c.id)
    .where(GATE, mine(_p), _p.c.state == word("active"), _p.c.ends_on < TODAY)
    .order_by(_p.c.ends_on, _p.c.id)
    .limit(bindparam("limit", type_=BigInteger)),
    value,
)
"""Placements at work whose contract's last day is over."""


@lru_cache(maxsize=8)
def skills_of(sight: Sight | None) -> Statement[Record]:
    """What a placement's interview said of the skills, sealed, and the key that opens it."""
    actor = actor_of(sight)
    rows = (
        select(_p.c.id, _p.c.person_id, _p.c.skills_sealed, _p.c.wish, stream_keys.c.wrapped)
        .select_from(_p.outerjoin(stream_keys, and_(mine(stream_keys), stream_keys.c.stream_id == _p.c.person_id)))
        .where(sees(_p, sight, actor), _p.c.id == bindparam("by_id", type_=Uuid))
        .subquery("found")
    )
    return read_by(rows, actor)


__all__ = ["ENDED", "FACTS", "FILLED", "VIEW", "facts_of", "skills_of"]
