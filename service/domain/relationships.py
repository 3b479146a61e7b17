"""An institution's tie to an organisation: recorded by one, verified with evidence, suspended, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes, because

ORGANISATION_KINDS = (
    "enterprise",
    "agency",
    "partner_institution",
    "authority",
    "association",
    "alliance",
    "fund",
    "clinic",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An identity that all institutions share: what anybody can read in a public register."""

    kind: Annotated[str, "line"]
    name_native: Annotated[str, "line"]
    name_latin: Annotated[str, "line"]
    country: Annotated[str, "country"]
    time_zone: Annotated[str, "zone"]
    registration_no: Annotated[str, "line"] | None = None
    natural_person: bool = False
    chinese_funded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipDossier(Dossier):
    """All that the rules of a relationship may know."""

    role: str = ""
    valid_until: date | None = None
    licence_no: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelationship(Dossier):
    """What is known when a relationship is recorded: whether the organisation that was named is there."""

    organisation_known: bool = False


def licence_known(r: RelationshipDossier) -> Reason | None:
    """An agency is verified by its licence (Regulation 620, arts. 5-7)."""
    if r.role == "agency" and not r.licence_no:
        return Reason("licence_known", required="licence_no", pointer="/licence_no")
    return None


def one_organisation(r: NewRelationship, given: Given) -> Reason | None:
    """Either an organisation that is there, or the identity of a new one."""
    named, new = given.get("organisation_id"), given.get("organisation")
    if (named is None) == (new is None):
        return Reason("one_organisation", required=["organisation_id", "organisation"], pointer="/organisation_id")
    if named is not None and not r.organisation_known:
        return Reason("organisation_known", pointer="/organisation_id")
    if new is not None and new.kind not in ORGANISATION_KINDS:
        return Reason("organisation_kind_known", required=ORGANISATION_KINDS, pointer="/organisation/kind")
    return None


RECORDED: tuple[Takes[Any], ...] = (
    Takes("organisation_id", UUID, "An organisation that is known already.", needed=False),
    Takes("organisation", Organisation, "The identity of one that is not.", needed=False),
    Takes("role", str, "What it is to the institution.", choices=ORGANISATION_KINDS, code="organisation_kind_known"),
    Takes("licence_no", Annotated[str, "line"], "The number of its licence.", needed=False),
    Takes(
        "facts",
        dict,
        "Declared facts that packs ask for (paid-in capital, reserve, staff), by their keys.",
        needed=False,
    ),
)
VALID_UNTIL: Takes[RelationshipDossier] = Takes(
    "valid_until", date, "The last day on which what was verified holds.", least=lambda r: r.today, code="in_future"
)

# fmt: off
RELATIONSHIP = Lifecycle[Any]("relationship", [
    #    action      from                      to           who                   only if           leaves behind
    Rule("record",   [NEW],                    "recorded",  [COORDINATOR, ADMIN], [],               "relationship.recorded",
         takes=RECORDED, checks=[one_organisation]),
    Rule("edit",     ["recorded"],             "recorded",  [COORDINATOR, ADMIN], [],               "relationship.edited",
         takes=RECORDED[3:]),
    Rule("verify",   ["recorded", "verified"], "verified",  [COORDINATOR, ADMIN], [licence_known],  "relationship.verified",
         takes=[VALID_UNTIL], evidence=True),
    Rule("suspend",  ["verified"],             "suspended", [COORDINATOR, ADMIN], [],               "relationship.suspended",
         takes=[because("licence_lapsed", "complaint", "inspection", "other")]),
    Rule("reinstate", ["suspended"],           "verified",  [COORDINATOR, ADMIN], [licence_known],  "relationship.reinstated",
         takes=[VALID_UNTIL], evidence=True),
    Rule("end",      ["recorded", "verified", "suspended"], "ended", [COORDINATOR, ADMIN], [],      "relationship.ended",
         takes=[because("contract_ended", "breach", "duplicate", "other")]),
])
# fmt: on
