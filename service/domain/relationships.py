"""An institution's tie to an organisation: recorded by one, verified with evidence, suspended, ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR, ENTERPRISE, REGISTRAR
from service.domain.conversion import CreditPolicy, GradePolicy
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
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    last_conversion: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelationship(Dossier):
    """What is known when a relationship is recorded: whether the organisation that was named is there."""

    organisation_known: bool = False


def conversion_says_something(_: RelationshipDossier, given: Given) -> Reason | None:
    """A conversion is of credits, of grades or of both."""
    if given.get("credits") is None and given.get("grades") is None:
        return Reason("something_to_convert", required=["credits", "grades"], pointer="/credits")
    return None


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

DECLARED: tuple[Takes[Any], ...] = (
    Takes("local_staff", int, "Staff of the country's own nationals.", needed=False, least=0, most=10_000_000),
    Takes("foreign_staff", int, "Foreigners who work there.", needed=False, least=0, most=10_000_000),
    Takes("paid_in_capital", Decimal, "Registered and paid-up capital.", needed=False, least=Decimal(0)),
    Takes("capital_currency", Annotated[str, "currency"], "Its currency.", needed=False),
)


def something_declared(_: RelationshipDossier, given: Given) -> Iterator[Reason]:
    """A declaration says something, and of a capital the currency."""
    if not any(t.name in given for t in DECLARED):
        yield Reason("something_declared", required=[t.name for t in DECLARED])
    if ("paid_in_capital" in given) != ("capital_currency" in given):
        yield Reason(
            "capital_has_currency", required=["paid_in_capital", "capital_currency"], pointer="/capital_currency"
        )


CONVERSION: tuple[Takes[Any], ...] = (
    Takes("effective_from", date, "The first day on which a result is converted so."),
    Takes("credits", CreditPolicy, "How its credits are converted.", needed=False),
    Takes("grades", GradePolicy, "How its grades are converted.", needed=False),
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
    *[Rule("declare", [state],                 state,       [ENTERPRISE, COORDINATOR, ADMIN], [],   "relationship.declared",
           takes=DECLARED, checks=[something_declared], undo=False) for state in ("recorded", "verified", "suspended")],
    Rule("suspend",  ["verified"],             "suspended", [COORDINATOR, ADMIN], [],               "relationship.suspended",
         takes=[because("licence_lapsed", "complaint", "inspection", "other")]),
    Rule("reinstate", ["suspended"],           "verified",  [COORDINATOR, ADMIN], [licence_known],  "relationship.reinstated",
         takes=[VALID_UNTIL], evidence=True),
    # What was converted stays converted: a conversion is followed by a newer one and never taken back.
    *[Rule("set_conversion", [state], state,   [COORDINATOR, REGISTRAR], [],        "relationship.conversion_set",
           takes=CONVERSION, checks=[conversion_says_something], undo=False) for state in ("recorded", "verified", "suspended")],
    Rule("end",      ["recorded", "verified", "suspended"], "ended", [COORDINATOR, ADMIN], [],      "relationship.ended",
         takes=[because("contract_ended", "breach", "duplicate", "other")]),
])
# fmt: on
