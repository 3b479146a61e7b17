"""Certificates: what their rules may know, how they are read, and their sealed numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, Uuid, and_, bindparam, case, func, literal_column, or_, select

from service.domain.actors import Sight
from service.domain.certificates import CertificateDossier, NewCertificate
from service.storage.database import Record, Statement
from service.storage.language_tests import language_tests
from service.storage.opening import TODAY, FactsOf, word
from service.storage.scopes import actor_of, sees
from service.storage.tables.certificates import certificates
from service.storage.tables.record import stream_keys
from service.storage.tables.trainees import documents, trainees
from service.storage.tenancy import mine
from service.storage.views import View, among, before_or_on, of_person, read_by

_c, _d = certificates, documents


def _asked_by_typist(actor: Any) -> Any:
    asks = select(actor.c.account_id).scalar_subquery()
    return or_(_c.c.recorded_by == asks, asks == func.any(_c.c.edited_by))


def _document_of(person: Any) -> Any:
    """Whether the document that was named is this person's, and nobody rejected it."""
    return (
        select(_d.c.id)
        .where(
            mine(_d),
            _d.c.id == bindparam("document_id", type_=Uuid),
            _d.c.person_id == person,
            _d.c.state.in_([word("uploaded"), word("accepted")]),
        )
        .exists()
    )


_known: dict[str, Any] = {
    name: _c.c[name]
    for name in (
        "kind", "test", "paper", "level_named", "total_score", "section_scores", "taken_on", "result_on", "issued_on",
        "valid_until",
    )
}  # fmt: skip


def _with_tests(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"tests": language_tests()}


FACTS: FactsOf[CertificateDossier] = FactsOf(_c, CertificateDossier, _known | {"asked_by_typist": _asked_by_typist})
EDIT_FACTS: FactsOf[CertificateDossier] = FactsOf(
    _c,
    CertificateDossier,
    _known | {"edited_by": _c.c.edited_by, "document_known": _document_of(_c.c.person_id)},
    extra=("document_id",),
    read=_with_tests,
)
NEW_FACTS: FactsOf[NewCertificate] = FactsOf(
    trainees,
    NewCertificate,
    {"document_known": _document_of(trainees.c.id)},
    stream="id",
    birth=True,
    extra=("document_id",),
    read=_with_tests,
)
VIEW = View(
    _c,
    {
        name: _c.c[name]
        for name in (
            "id", "version", "state", "since_on", "person_id", "kind", "test", "scheme", "form", "issuer", "field",
            "paper", "level", "cefr", "passed", "total_score", "section_scores", "taken_on", "result_on", "issued_on",
            "valid_until", "document_id", "recorded_by", "verified_by", "ended_because",
        )
    }
    | {
        "number": case(
            (
                _c.c.number_sealed.is_not(None),
                func.json_build_object(word("masked"), literal_column("true"), word("reason"), word("purpose_needed")),
            )
        ),
        "expired": func.coalesce(_c.c.valid_until < TODAY, literal_column("false")),
    },
    filters={
        "state": among(_c.c.state),
        "person_id": of_person(_c.c.person_id),
        "kind": among(_c.c.kind),
        "test": among(_c.c.test),
        "level": among(_c.c.level),
        "cefr": among(_c.c.cefr),
        "valid_until": before_or_on(_c.c.valid_until),
    },
)  # fmt: skip


VALIDITY = View(
    _c,
    {"id": _c.c.id, "state": _c.c.state, "level": _c.c.level, "passed": _c.c.passed, "today": TODAY} | _known,
    filters={"ids": (ARRAY(Uuid), lambda value: _c.c.id == func.any(value))},
)
"""What the validity of certificates is judged by."""


@lru_cache(maxsize=8)
def number_of(sight: Sight | None) -> Statement[Record]:
    """The sealed number of a certificate, and the key that opens it."""
    actor = actor_of(sight)
    rows = (
        select(_c.c.id, _c.c.person_id, _c.c.number_sealed, stream_keys.c.wrapped)
        .select_from(_c.outerjoin(stream_keys, and_(mine(stream_keys), stream_keys.c.stream_id == _c.c.person_id)))
        .where(sees(_c, sight, actor), _c.c.id == bindparam("by_id", type_=Uuid))
        .subquery("found")
    )
    return read_by(rows, actor)


__all__ = ["EDIT_FACTS", "FACTS", "NEW_FACTS", "VALIDITY", "VIEW", "number_of"]
