"""Requirement items: what a pack asks for, as it was handed in by who owes it and accepted by somebody else.

What nobody has handed in yet has no row: `missing` is the absence of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import (
    ADMIN,
    AGENCY,
    COORDINATOR,
    ENTERPRISE,
    GUARDIAN,
    INSTRUCTOR,
    REGISTRAR,
    TRAINEE,
    Role,
)
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes, because
from service.domain.requirements import Pack, Requirement

SUBJECT_KINDS = ("placement_request", "person", "candidacy", "placement")
SUBJECT_OF_ROW = {
    "placement_request": "request",
    "person": "person",
    "candidacy": "candidacy",
    "placement": "placement",
}
"""What a pack calls the thing to which a row belongs."""
ROLES_OF_PROVIDER: dict[str, tuple[Role, ...]] = {
    "trainee": (TRAINEE, GUARDIAN),
    "agency": (AGENCY,),
    "enterprise": (ENTERPRISE,),
    "school": (COORDINATOR, REGISTRAR, INSTRUCTOR),
    "clinic": (TRAINEE, GUARDIAN, COORDINATOR),
    "coordinator": (COORDINATOR,),
    "support_organisation": (ENTERPRISE, COORDINATOR),
    "competent_body": (TRAINEE, COORDINATOR),
    "rule": (),
}
"""Who hands in what each provider owes; who has no account here is served by the trainee or a coordinator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementItemDossier(Dossier):
    """All that the rules of an item may know.

    `rows` are the rows of the packs that ask for it; `roles` and `account` those of whoever acts.
    """

    subject_kind: str = ""
    key: str = ""
    rows: tuple[Requirement, ...] = ()
    roles: frozenset[str] = frozenset()
    account: UUID | None = None
    supplied_by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequirementItem(Dossier):
    """What is known of the subject for which something is handed in: the packs that apply to it."""

    subject_kind: str = ""
    subject_id: UUID | None = None
    person_id: UUID | None = None
    packs: tuple[Pack, ...] = ()
    roles: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()


def rows_of(packs: tuple[Pack, ...], subject_kind: str, key: str) -> tuple[Requirement, ...]:
    """The rows that ask for an item of such a subject."""
    subject = SUBJECT_OF_ROW.get(subject_kind)
    return tuple(r for p in packs for r in p.requirements if r.subject == subject and key in (r.item, *r.instead))


def _owed(rows: tuple[Requirement, ...], roles: frozenset[str], given: Given) -> Reason | None:
    owing = {role for r in rows for provider in r.providers for role in ROLES_OF_PROVIDER[provider]}
    acting = {given["recorded_for"]} if given.get("recorded_for") else roles
    if rows and owing.isdisjoint(acting):
        return Reason("owed_by", required=sorted(owing), actual=sorted(acting), pointer="/recorded_for")
    return None


def known_and_owed(i: NewRequirementItem, given: Given) -> Iterator[Reason]:
    """A pack asks for it of this subject, it was not handed in yet, and whoever hands it in owes it."""
    rows = rows_of(i.packs, i.subject_kind, given["key"])
    if not rows:
        yield Reason("requirement_known", actual=given["key"], pointer="/key")
    if given["key"] in i.taken:
        yield Reason("requirement_not_handed_in", actual=given["key"], pointer="/key")
    if owed := _owed(rows, i.roles, given):
        yield owed


def owed(i: RequirementItemDossier, given: Given) -> Reason | None:
    """Whoever hands it in owes it."""
    return _owed(i.rows, i.roles, given)


def _not_waivable(rows: tuple[Requirement, ...], roles: frozenset[str]) -> Reason | None:
    if rows and not any(roles.isdisjoint(r.waivable_by) for r in rows):
        return None
    return Reason("waivable", required=sorted({w for r in rows for w in r.waivable_by}))


def new_waivable(i: NewRequirementItem, given: Given) -> Iterator[Reason]:
    """A pack asks for it of this subject, it was not handed in yet, and every row of it names whoever waives it."""
    rows = rows_of(i.packs, i.subject_kind, given["key"])
    if not rows:
        yield Reason("requirement_known", actual=given["key"], pointer="/key")
    elif refused := _not_waivable(rows, i.roles):
        yield refused
    if given["key"] in i.taken:
        yield Reason("requirement_not_handed_in", actual=given["key"], pointer="/key")


def waivable(i: RequirementItemDossier) -> Reason | None:
    """Every row that asks for it names a role of whoever waives it."""
    return _not_waivable(i.rows, i.roles)


def another_person(i: RequirementItemDossier) -> Reason | None:
    """Who handed it in, for themselves or for another, cannot let it go as well."""
    if i.account is not None and i.account == i.supplied_by:
        return Reason("another_person", required=sorted([COORDINATOR]))
    return None


def dates_in_order(_i: Dossier, given: Given) -> Reason | None:
    """What is handed in begins before it ends."""
    first = given.get("valid_from") or given.get("issued_on")
    last = given.get("valid_until")
    if first and last and last < first:
        return Reason("dates_in_order", required=first, actual=last, pointer="/valid_until")
    return None


KEY: Takes[Any] = Takes("key", Annotated[str, "line"], "The requirement's item, as the checklist names it.")
SUPPLIED: tuple[Takes[Any], ...] = (
    Takes("issued_on", date, "The day of issue.", needed=False, most=lambda i: i.today, code="in_past"),
    Takes("valid_from", date, "The first day on which it is good.", needed=False),
    Takes("valid_until", date, "The last day on which it is good.", needed=False),
    Takes("value", dict, "What it says, by field (a number, a level).", needed=False),
)
WAIVED: Takes[Any] = because("no_longer_needed", "authority_order", "other")
OWING = (TRAINEE, GUARDIAN, ENTERPRISE, AGENCY, COORDINATOR, REGISTRAR, INSTRUCTOR)
WAIVERS = (COORDINATOR, ADMIN)
"""Who may waive what a row lets their role waive."""

# fmt: off
REQUIREMENT_ITEM = Lifecycle[Any]("requirement_item", [
    #    action      from                      to          who            only if                     leaves behind
    Rule("supply",   [NEW],                    "supplied", OWING,         [],                         "requirement_item.supplied",
         takes=[KEY, *SUPPLIED], checks=[dates_in_order, known_and_owed]),
    Rule("waive",    [NEW],                    "waived",   WAIVERS,       [],                         "requirement_item.waived",
         takes=[KEY, WAIVED], checks=[new_waivable]),
    Rule("accept",   ["supplied"],             "accepted", [COORDINATOR], [],                         "requirement_item.accepted"),
    Rule("reject",   ["supplied"],             "rejected", [COORDINATOR], [],                         "requirement_item.rejected",
         takes=[because("unreadable", "incomplete", "expired", "wrong_person", "wrong_kind", "terms_unlawful", "other")]),
    Rule("resupply", ["rejected", "accepted"], "supplied", OWING,         [],                         "requirement_item.supplied_again",
         takes=SUPPLIED, checks=[dates_in_order, owed], undo=False),
    Rule("let_go",   ["supplied", "rejected"], "waived",   WAIVERS,       [waivable, another_person], "requirement_item.waived",
         takes=[WAIVED]),
])
# fmt: on
