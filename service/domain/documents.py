"""Documents: evidence that somebody uploaded and a coordinator accepts or rejects."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.actors import AGENCY, COORDINATOR, ENTERPRISE, GUARDIAN, INSTRUCTOR, PARTNER, REGISTRAR, TRAINEE
from service.domain.lifecycle import NEW, Dossier, Lifecycle, Rule, because

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
UPLOADERS = (TRAINEE, GUARDIAN, COORDINATOR, INSTRUCTOR, REGISTRAR, ENTERPRISE, AGENCY, PARTNER)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDossier(Dossier):
    """All that the rules of a document may know."""

    kind: str = ""


# fmt: off
DOCUMENT = Lifecycle[DocumentDossier]("document", [
    #    action       from          to            who            only if  leaves behind
    Rule("upload",    [NEW],        "uploaded",   UPLOADERS,     [],      "document.uploaded"),
    Rule("accept",    ["uploaded"], "accepted",   [COORDINATOR], [],      "document.accepted"),
    Rule("reject",    ["uploaded"], "rejected",   [COORDINATOR], [],      "document.rejected",
         takes=[because("unreadable", "incomplete", "expired", "wrong_person", "wrong_kind", "other")]),
    Rule("supersede", ["accepted"], "superseded", [COORDINATOR], [],      "document.superseded"),
])
# fmt: on
