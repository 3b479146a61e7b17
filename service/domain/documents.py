"""Documents: evidence that somebody uploaded and a coordinator accepts or rejects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from service.domain.actors import AGENCY, COORDINATOR, ENTERPRISE, GUARDIAN, INSTRUCTOR, PARTNER, REGISTRAR, TRAINEE
from service.domain.lifecycle import NEW, Dossier, Lifecycle, Reason, Rule, Takes, because

DOCUMENT_KINDS = (
    "passport",
    "identity",
    "photo",
    "diploma",
    "transcript",
    "certificate",
    "contract",
    "medical",
    "insurance",
    "visa",
    "authorisation",
    "ticket",
    "licence",
    "plan_approval",
    "consent_form",
    "correspondence",
    "other",
)
SENSITIVE_KINDS = frozenset({"passport", "identity", "medical", "visa", "authorisation"})
"""What staff open for a stated purpose only, on record for the person: it shows what is sealed elsewhere."""
UPLOADERS = (TRAINEE, GUARDIAN, COORDINATOR, INSTRUCTOR, REGISTRAR, ENTERPRISE, AGENCY, PARTNER)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDossier(Dossier):
    """All that the rules of a document may know."""

    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument(Dossier):
    """What is known when a document is uploaded: whether it is about somebody, and as what its uploader asks."""

    about_person: bool = False
    asked_by: tuple[str, ...] = ()


def person_named(d: NewDocument) -> Reason | None:
    """A trainee or guardian uploads for a person: the institution's own documents are none of theirs."""
    if not d.about_person and not {TRAINEE, GUARDIAN}.isdisjoint(d.asked_by):
        return Reason("person_named", pointer="/person_id")
    return None


UPLOADED: tuple[Takes[Any], ...] = (
    Takes("kind", str, "What it is.", choices=DOCUMENT_KINDS, code="document_kind_known"),
    Takes("title", Annotated[str, "line"], "What it is called; its file is named so when it is read."),
)

# fmt: off
DOCUMENT = Lifecycle[Any]("document", [
    #    action       from          to            who            only if         leaves behind
    Rule("upload",    [NEW],        "uploaded",   UPLOADERS,     [person_named], "document.uploaded", takes=UPLOADED),
    Rule("accept",    ["uploaded"], "accepted",   [COORDINATOR], [],             "document.accepted"),
    Rule("reject",    ["uploaded"], "rejected",   [COORDINATOR], [],             "document.rejected",
         takes=[because("unreadable", "incomplete", "expired", "wrong_person", "wrong_kind", "other")]),
    Rule("supersede", ["accepted"], "superseded", [COORDINATOR], [],             "document.superseded"),
])
# fmt: on
