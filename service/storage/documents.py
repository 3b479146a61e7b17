"""Documents: what their rules may know, how they are read, and where their bytes are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, literal_column, select

from service.domain.documents import DocumentDossier, NewDocument
from service.storage.opening import ITSELF, FactsOf, word
from service.storage.tables.trainees import documents, trainees
from service.storage.views import View, among, of_person

_d = documents


def _asked_by(actor: Any) -> Any:
    return select(actor.c.roles).scalar_subquery()


FACTS: FactsOf[DocumentDossier] = FactsOf(_d, DocumentDossier, {"kind": _d.c.kind}, stream="stream_id")
OF_PERSON: FactsOf[NewDocument] = FactsOf(
    trainees,
    NewDocument,
    {"about_person": literal_column("true"), "asked_by": _asked_by},
    stream="id",
    birth=True,
)
OF_INSTITUTION: FactsOf[NewDocument] = FactsOf(
    ITSELF,
    NewDocument,
    {"about_person": literal_column("false"), "asked_by": _asked_by},
    stream="id",
    birth=True,
)
_columns: dict[str, Any] = {
    "id": _d.c.id,
    "version": _d.c.version,
    "state": _d.c.state,
    "since_on": _d.c.since_on,
    "person_id": _d.c.person_id,
    "kind": _d.c.kind,
    "title": _d.c.title,
    "media_type": _d.c.media_type,
    "size": _d.c.size,
    "sha256": func.encode(_d.c.sha256, word("hex")),
    "uploaded_by": _d.c.uploaded_by,
    "created_at": _d.c.created_at,
}
VIEW = View(
    _d,
    _columns,
    filters={
        "state": among(_d.c.state),
        "kind": among(_d.c.kind),
        "person_id": of_person(_d.c.person_id),
        "uploaded_by": among(_d.c.uploaded_by),
    },
)
_leading = ("id", "person_id", "kind", "title", "media_type", "size", "content_id")
CONTENT = View(_d, {name: _d.c[name] for name in _leading})
"""What leads to a document's bytes; no client sees under which id they are kept."""

__all__ = ["CONTENT", "FACTS", "OF_INSTITUTION", "OF_PERSON", "VIEW"]
