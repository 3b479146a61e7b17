"""Applications: what their rules may know, how they are read, and which ones an ended intake has left over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, and_, bindparam, case, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import array

from service.domain import enrolments as enrolled
from service.domain import languages
from service.domain.applications import ENDED, LIVE, AdoptedApplication, ApplicationDossier, NewApplication
from service.domain.intakes import ANY_SOURCE
from service.domain.levels import Held
from service.storage.aliases import theirs
from service.storage.database import Statement, value
from service.storage.language_tests import language_tests
from service.storage.opening import TODAY, FactsOf, json_rows, word
from service.storage.programmes import proofs
from service.storage.requirements import good_until
from service.storage.tables.applications import applications
from service.storage.tables.certificates import certificates
from service.storage.tables.enrolments import enrolments
from service.storage.tables.intakes import intake_quotas, intakes
from service.storage.tables.trainees import consents, documents, trainees
from service.storage.tenancy import GATE, mine
from service.storage.views import View, among, before_or_on, of_person

_a, _i, _t, _q, _e = applications, intakes, trainees, intake_quotas, enrolments
_own, _named_in_plan, _others = _q.alias("listed"), _q.alias("named_in_plan"), _a.alias("others")
IDENTITY = ("passport", "identity")
GOOD = ("uploaded", "accepted")
DAYS = ("taken_on", "result_on", "issued_on", "valid_until")


def _among(column: Any, codes: Any) -> Any:
    return column.in_([word(code) for code in codes])


def held_by(person: Any) -> Any:
    """The verified certificates of a person, as JSON rows."""
    c = certificates
    return json_rows(
        select(
            c.c.kind,
            c.c.test,
            c.c.level,
            c.c.passed,
            c.c.section_scores,
            c.c.taken_on,
            c.c.result_on,
            c.c.issued_on,
            c.c.valid_until,
        ).where(
            mine(c),
            theirs(c.c.person_id, person),
            c.c.state == word("verified"),
            c.c.passed.is_distinct_from(literal_column("false")),
        )
    )


def read_held(rows: list[Mapping[str, Any]]) -> tuple[Held, ...]:
    """The same as facts."""
    return tuple(Held(r["kind"], r["test"], r["level"], good_until(r), _paper(r)) for r in rows)


def _paper(row: Mapping[str, Any]) -> languages.Held:
    days = {n: date.fromisoformat(row[n]) if row[n] else None for n in DAYS}
    sections = row["section_scores"] or {}
    return languages.Held(
        state="verified", test=row["test"], level=row["level"], passed=row["passed"], sections=sections, **days
    )


def identity_of(person: Any, *states: str) -> Any:
    """Whether a person has a document of identity in one of the states."""
    d = documents
    return (
        select(d.c.id)
        .where(mine(d), theirs(d.c.person_id, person), _among(d.c.kind, IDENTITY), _among(d.c.state, states))
        .exists()
    )


# ---- the source of the plan under which an application counts
def _planned(source: Any, *kinds: str, intake: Any = _a.c.intake_id) -> Any:
    """Whether the plan names that source, of one of these kinds."""
    q = _named_in_plan
    return (
        select(q.c.source)
        .where(mine(q), q.c.intake_id == intake, q.c.source == source, _among(q.c.kind, kinds))
        .correlate_except(q)
        .exists()
    )


NATURAL_SOURCE = case(
    (_planned(_t.c.origin, "province", "other"), _t.c.origin),
    (_planned(_t.c.nationality, "country"), _t.c.nationality),
    else_=word(ANY_SOURCE),
)
SOURCE = func.coalesce(_a.c.source, NATURAL_SOURCE)

_joined = (
    _a.join(_i, and_(mine(_i), _i.c.id == _a.c.intake_id))
    .join(_t, and_(mine(_t), _t.c.id == _a.c.person_id))
    .outerjoin(_q, and_(mine(_q), _q.c.intake_id == _a.c.intake_id, _q.c.source == SOURCE))
    .outerjoin(_e, and_(mine(_e), _e.c.application_id == _a.c.id, _e.c.state != word("voided")))
)
_waiting = (
    mine(_others),
    _others.c.intake_id == _a.c.intake_id,
    _others.c.source == SOURCE,
    _others.c.state == word("waitlisted"),
    _others.c.id != _a.c.id,
)
_taken_enrolments = enrolments.alias("other_enrolments")
_consent = (
    select(consents.c.id)
    .where(
        mine(consents),
        consents.c.person_id == _a.c.person_id,
        consents.c.purpose == word("enrolment"),
        consents.c.state == word("given"),
        or_(consents.c.ends_on.is_(None), consents.c.ends_on >= TODAY),
    )
    .exists()
)
_documents = (
    select(func.array_agg(documents.c.kind.distinct()))
    .where(mine(documents), documents.c.person_id == _a.c.person_id, _among(documents.c.state, GOOD))
    .scalar_subquery()
)


def _read(row: dict[str, Any]) -> dict[str, Any]:
    return row | {
        "nationalities": tuple(row["nationalities"]),
        "languages": proofs(row["languages"]),
        "certificates": read_held(row["certificates"]),
        "book": language_tests(),
        "documents": frozenset(row["documents"] or ()),
        "asked": tuple(row["asked"]),
        "wanted": tuple(row["wanted"]),
        "sources": frozenset(row["sources"] or ()),
        "ranks": frozenset(row["ranks"] or ()),
        "waiting_before": frozenset(UUID(str(i)) for i in row["waiting_before"] or ()),
        "taken": row["taken"] or 0,
        "enrolment_version": row["enrolment_version"] or 0,
    }


FACTS: FactsOf[ApplicationDossier] = FactsOf(
    _a,
    ApplicationDossier,
    {
        "intake_id": _a.c.intake_id,
        "intake_state": _i.c.state,
        "programme_id": _i.c.programme_id,
        "opens_on": _i.c.opens_on,
        "closes_on": _i.c.closes_on,
        "starts_on": _i.c.starts_on,
        "level_least": _i.c.level_least,
        "age_least": _i.c.age_least,
        "age_most": _i.c.age_most,
        "nationalities": _i.c.nationalities,
        "languages": _i.c.languages,
        "birth_on": _t.c.birth_on,
        "nationality": _t.c.nationality,
        "shown_education": _a.c.education_level,
        "certificates": held_by(_a.c.person_id),
        "consent_given": _consent,
        "identity_shown": or_(_t.c.passport_sealed.is_not(None), identity_of(_a.c.person_id, *GOOD)),
        "documents": _documents,
        "asked": _a.c.documents_asked,
        "wanted": _i.c.documents,
        "sources": select(func.array_agg(_own.c.source))
        .where(mine(_own), _own.c.intake_id == _a.c.intake_id)
        .scalar_subquery(),
        "source": SOURCE,
        "natural_source": NATURAL_SOURCE,
        "places": _q.c.places,
        "taken": _q.c.taken,
        "rank": _a.c.rank,
        "ranks": select(func.array_agg(_others.c.rank)).where(*_waiting).correlate(_a, _t).scalar_subquery(),
        "waiting_before": select(func.array_agg(_others.c.id))
        .where(*_waiting, _others.c.rank < _a.c.rank)
        .correlate(_a, _t)
        .scalar_subquery(),
        "other_live": or_(
            select(_others.c.id)
            .where(
                mine(_others),
                _others.c.person_id == _a.c.person_id,
                _others.c.intake_id == _a.c.intake_id,
                _others.c.id != _a.c.id,
                _among(_others.c.state, LIVE),
            )
            .exists(),
            select(_taken_enrolments.c.id)
            .where(
                mine(_taken_enrolments),
                _taken_enrolments.c.person_id == _a.c.person_id,
                _taken_enrolments.c.intake_id == _a.c.intake_id,
                _taken_enrolments.c.application_id != _a.c.id,
                _among(_taken_enrolments.c.state, enrolled.LIVE),
            )
            .exists(),
        ),
        "enrolment_id": _e.c.id,
        "enrolment_state": _e.c.state,
        "enrolment_version": _e.c.version,
        "enrolment_source": _e.c.source,
    },
    source=_joined,
    also=array([_a.c.intake_id]),
    read=_read,
)
_intake = bindparam("intake_id", type_=Uuid)
NEW_FACTS: FactsOf[NewApplication] = FactsOf(
    _t,
    NewApplication,
    {
        "intake_state": select(_i.c.state).where(mine(_i), _i.c.id == _intake).scalar_subquery(),
        "other_live": select(_a.c.id)
        .where(mine(_a), _a.c.person_id == _t.c.id, _a.c.intake_id == _intake, _among(_a.c.state, LIVE))
        .exists(),
        "enrolled": select(_e.c.id)
        .where(mine(_e), _e.c.person_id == _t.c.id, _e.c.intake_id == _intake, _among(_e.c.state, enrolled.LIVE))
        .exists(),
    },
    stream="id",
    birth=True,
    extra=("intake_id",),
)
_asked = func.coalesce(
    bindparam("source", type_=Text),
    case(
        (_planned(_t.c.origin, "province", "other", intake=_intake), _t.c.origin),
        (_planned(_t.c.nationality, "country", intake=_intake), _t.c.nationality),
        else_=word(ANY_SOURCE),
    ),
)
ADOPT_FACTS: FactsOf[AdoptedApplication] = FactsOf(
    _t,
    AdoptedApplication,
    {
        **NEW_FACTS.columns,
        "programme_id": select(_i.c.programme_id).where(mine(_i), _i.c.id == _intake).scalar_subquery(),
        "source": _asked,
        "sources": select(func.array_agg(_own.c.source))
        .where(mine(_own), _own.c.intake_id == _intake)
        .scalar_subquery(),
        "places": _q.c.places,
        "taken": _q.c.taken,
    },
    source=_t.outerjoin(_q, and_(mine(_q), _q.c.intake_id == _intake, _q.c.source == _asked)),
    stream="id",
    also=array([_intake]),
    birth=True,
    extra=("intake_id", "source"),
    read=lambda row: row | {"sources": frozenset(row["sources"] or ()), "taken": row["taken"] or 0},
)
VIEW = View(
    _a,
    {
        name: _a.c[name]
        for name in (
            "id",
            "version",
            "state",
            "since_on",
            "person_id",
            "intake_id",
            "education_level",
            "submitted_on",
            "documents_asked",
            "source",
            "rank",
            "reason_code",
        )
    }
    | {
        "enrolment_id": select(_e.c.id)
        .where(mine(_e), _e.c.application_id == _a.c.id, _e.c.state != word("voided"))
        .scalar_subquery()
    },
    filters={
        "state": among(_a.c.state),
        "intake_id": among(_a.c.intake_id),
        "person_id": of_person(_a.c.person_id),
        "source": among(_a.c.source),
        "submitted_until": before_or_on(_a.c.submitted_on),
    },
)
LEFT_OVER: Statement[UUID] = Statement(
    select(_a.c.id)
    .select_from(_a.join(_i, and_(mine(_i), _i.c.id == _a.c.intake_id)))
    .where(GATE, TODAY.is_not(None), mine(_a), _among(_a.c.state, LIVE), _among(_i.c.state, sorted(ENDED)))
    .order_by(_a.c.id)
    .limit(bindparam("limit", type_=BigInteger)),
    value,
)
"""Live ones whose intake is over: drafted while it ended."""

__all__ = [
    "ADOPT_FACTS",
    "FACTS",
    "GOOD",
    "LEFT_OVER",
    "NEW_FACTS",
    "SOURCE",
    "VIEW",
    "held_by",
    "identity_of",
    "read_held",
]
