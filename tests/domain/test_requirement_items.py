"""Requirement items and costs: their tables walked whole, and their guards."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain.actors import ADMIN, AGENCY, COORDINATOR, ENTERPRISE, READER, TRAINEE, Actor, Role
from service.domain.costs import COST, CostDossier, NewCost
from service.domain.lifecycle import NEW, VOIDED, Lifecycle, Reason, Refused
from service.domain.requirement_items import (
    REQUIREMENT_ITEM,
    ROLES_OF_PROVIDER,
    NewRequirementItem,
    RequirementItemDossier,
    owed,
    rows_of,
    waivable,
)
from service.domain.requirements import Requirement
from service.storage.packs import shipped_packs

TODAY = date(2026, 11, 22)
PACKS = shipped_packs()
ROLES = (COORDINATOR, TRAINEE, ENTERPRISE, AGENCY, READER)


def codes(table: Lifecycle[Any], action: str, facts: Any, role: Role, **given: Any) -> list[str]:
    """The reasons against a step; none where it is granted."""
    try:
        table.decide(action, facts, Actor(uuid4(), frozenset({role})), given)
    except Refused as no:
        return [r.code for r in no.reasons]
    return []


def new(kind: str = "placement", *roles: Role, taken: frozenset[str] = frozenset()) -> NewRequirementItem:
    return NewRequirementItem(
        state=NEW, today=TODAY, subject_kind=kind, packs=PACKS, roles=frozenset(roles), taken=taken
    )


def item(state: str, key: str = "passport", *roles: Role, **more: Any) -> RequirementItemDossier:
    return RequirementItemDossier(
        state=state,
        today=TODAY,
        since_on=TODAY,
        subject_kind="person",
        key=key,
        rows=tuple(r for r in rows_of(PACKS, "person", key) if r.waivable_by)
        if key == "passport"
        else rows_of(PACKS, "person", key),
        roles=frozenset(roles),
        **more,
    )


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("state", ["supplied", "accepted", "rejected", "waived", VOIDED])
def test_requirement_item_offers_and_decisions_agree(state: str, role: Role) -> None:
    facts = item(state, "passport", role)
    for offer in REQUIREMENT_ITEM.offers(facts, Actor(uuid4(), frozenset({role}))):
        if offer.action in ("contest", "uphold", "correct", "resupply"):
            continue
        granted = not codes(REQUIREMENT_ITEM, offer.action, facts, role, reason_code="other")
        assert granted == offer.open, offer


def test_requirement_item_every_provider_of_every_pack_has_somebody_to_hand_it_in() -> None:
    providers = {p for pack in PACKS for r in pack.requirements for p in r.providers}
    assert providers <= set(ROLES_OF_PROVIDER)
    assert [p for p in providers if p != "rule" and not ROLES_OF_PROVIDER[p]] == []


def test_requirement_item_is_handed_in_by_who_owes_it() -> None:
    contract = {"key": "employment_contract"}
    assert codes(REQUIREMENT_ITEM, "supply", new("placement", ENTERPRISE), ENTERPRISE, **contract) == []
    assert codes(REQUIREMENT_ITEM, "supply", new("placement", TRAINEE), TRAINEE, **contract) == ["owed_by"]
    assert codes(REQUIREMENT_ITEM, "supply", new("placement", COORDINATOR), COORDINATOR, **contract) == ["owed_by"]
    recorded: dict[str, Any] = contract | {"recorded_for": "enterprise", "evidence": (uuid4(),)}
    assert codes(REQUIREMENT_ITEM, "supply", new("placement", COORDINATOR), COORDINATOR, **recorded) == []
    assert codes(REQUIREMENT_ITEM, "supply", new("person", ENTERPRISE), ENTERPRISE, **contract) == ["requirement_known"]
    twice = new("placement", ENTERPRISE, taken=frozenset({"employment_contract"}))
    assert codes(REQUIREMENT_ITEM, "supply", twice, ENTERPRISE, **contract) == ["requirement_not_handed_in"]


def test_requirement_item_is_handed_in_again_by_who_owes_it() -> None:
    facts = item("rejected", "passport", TRAINEE)
    assert codes(REQUIREMENT_ITEM, "resupply", facts, TRAINEE) == []
    theirs = replace(facts, roles=frozenset({ENTERPRISE}))
    assert owed(theirs, {}) == Reason(
        "owed_by", required=["guardian", "trainee"], actual=["enterprise"], pointer="/recorded_for"
    )


def test_requirement_item_dates_are_in_order() -> None:
    facts, day = new("placement", ENTERPRISE), timedelta(days=1)
    said: dict[str, Any] = {"key": "employment_contract", "issued_on": TODAY, "valid_until": TODAY - day}
    assert codes(REQUIREMENT_ITEM, "supply", facts, ENTERPRISE, **said) == ["dates_in_order"]
    assert codes(REQUIREMENT_ITEM, "supply", facts, ENTERPRISE, **(said | {"valid_until": TODAY})) == []
    later = {"key": "employment_contract", "issued_on": TODAY + day}
    assert codes(REQUIREMENT_ITEM, "supply", facts, ENTERPRISE, **later) == ["in_past"]


def test_requirement_item_is_waived_where_every_row_allows_it_and_by_another() -> None:
    waive: dict[str, Any] = {"key": "credential_legalised", "reason_code": "other"}
    mine = new("person", COORDINATOR)
    assert codes(REQUIREMENT_ITEM, "waive", mine, COORDINATOR, **waive) == []
    assert codes(REQUIREMENT_ITEM, "waive", mine, COORDINATOR, **(waive | {"key": "photo"})) == ["waivable"]
    assert codes(REQUIREMENT_ITEM, "waive", new("person", ADMIN), ADMIN, **waive) == ["waivable"]
    assert codes(REQUIREMENT_ITEM, "waive", new("person"), TRAINEE, **waive) == ["role"]
    unknown = waive | {"key": "horoscope"}
    assert codes(REQUIREMENT_ITEM, "waive", new("person"), COORDINATOR, **unknown) == ["requirement_known"]
    there = new("person", COORDINATOR, taken=frozenset({"credential_legalised"}))
    assert codes(REQUIREMENT_ITEM, "waive", there, COORDINATOR, **waive) == ["requirement_not_handed_in"]
    me = UUID(int=7)
    supplied = item("supplied", "credential_legalised", COORDINATOR, account=me, supplied_by=me)
    assert codes(REQUIREMENT_ITEM, "let_go", supplied, COORDINATOR, reason_code="other") == ["another_person"]
    other = replace(supplied, supplied_by=UUID(int=8))
    assert codes(REQUIREMENT_ITEM, "let_go", other, COORDINATOR, reason_code="other") == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("state", ["recorded", "repaid", VOIDED])
def test_cost_offers_and_decisions_agree(state: str, role: Role) -> None:
    facts = CostDossier(state=state, today=TODAY, since_on=TODAY)
    for offer in COST.offers(facts, Actor(uuid4(), frozenset({role}))):
        if offer.action == "repay":
            assert (not codes(COST, "repay", facts, role, evidence=(uuid4(),))) == offer.open


def test_cost_names_only_what_is_the_persons_own() -> None:
    paid: dict[str, Any] = {
        "type": "medical", "amount": Decimal("0.01"), "currency": "CNY", "payer": "school", "receiver": "clinic",
    }  # fmt: skip
    nobody = NewCost(state=NEW, today=TODAY)
    assert codes(COST, "record", nobody, COORDINATOR, **paid) == []
    assert codes(COST, "record", nobody, COORDINATOR, **(paid | {"amount": Decimal(0)})) == ["out_of_bounds"]
    named = paid | {"placement_id": uuid4(), "candidacy_id": uuid4(), "receipt_id": uuid4()}
    assert codes(COST, "record", nobody, COORDINATOR, **named) == [
        "placement_known",
        "candidacy_known",
        "receipt_known",
    ]
    own = NewCost(state=NEW, today=TODAY, placement_known=True, candidacy_known=True, receipt_known=True)
    assert codes(COST, "record", own, COORDINATOR, **named) == []
    assert codes(COST, "record", own, ENTERPRISE, **named) == ["role"]


def row(item_: str, **more: Any) -> Requirement:
    (any_row, *_) = rows_of(PACKS, "placement", "employment_contract")
    usual: dict[str, Any] = {"item": item_, "instead": (), "providers": ("enterprise",), "waivable_by": ()}
    return replace(any_row, key=item_, **(usual | more))


def test_requirement_item_is_asked_for_of_its_own_kind_of_subject_by_name_or_instead() -> None:
    (pack, *_) = PACKS
    rows = (
        row("paper", instead=("other",)),
        row("else"),
        row("paper", subject="person"),
        row("paper", subject="request"),
    )
    packs = (replace(pack, requirements=rows[:2]), replace(pack, requirements=rows[2:]))
    assert rows_of(packs, "placement", "paper") == rows_of(packs, "placement", "other") == rows[:1]
    assert rows_of(packs, "person", "paper") == rows[2:3]
    assert rows_of(packs, "placement_request", "paper") == rows[3:]
    assert rows_of(packs, "candidacy", "paper") == rows_of(packs, "moon", "paper") == ()


def test_requirement_item_is_owed_by_any_provider_of_any_row() -> None:
    both = (row("paper"), row("paper", providers=("agency", "rule")))
    facts = replace(item("rejected"), rows=both)
    for role, granted in ((ENTERPRISE, True), (AGENCY, True), (TRAINEE, False), (COORDINATOR, False)):
        assert (owed(replace(facts, roles=frozenset({role})), {}) is None) is granted
        assert (owed(replace(facts, roles=frozenset({COORDINATOR})), {"recorded_for": role}) is None) is granted
    assert owed(replace(facts, rows=(), roles=frozenset({TRAINEE})), {}) is None


def test_requirement_item_is_let_go_by_whom_every_row_names() -> None:
    may, admin, nobody = (row("paper", waivable_by=w) for w in ((COORDINATOR, "admin"), ("admin",), ()))
    for rows, by in (
        ((may,), {COORDINATOR, ADMIN}), ((may, may), {COORDINATOR, ADMIN}), ((may, admin), {ADMIN}), ((admin,), {ADMIN}),
        ((may, nobody), set()), ((nobody,), set()), ((), set()),
    ):  # fmt: skip
        for role in (COORDINATOR, ADMIN):
            facts = replace(item("supplied", "passport", role), rows=rows)
            found = codes(REQUIREMENT_ITEM, "let_go", facts, role, reason_code="other")
            assert found == ([] if role in by else ["waivable"])
    assert waivable(replace(item("supplied", "passport", COORDINATOR), rows=(may, admin))) == Reason(
        "waivable", required=["admin", "coordinator"]
    )


def test_requirement_item_begins_by_what_it_says_before_its_issue() -> None:
    day, facts, key = timedelta(days=1), new("placement", ENTERPRISE), {"key": "employment_contract"}
    said: dict[str, Any] = key | {"issued_on": TODAY - day, "valid_from": TODAY + day}
    assert codes(REQUIREMENT_ITEM, "supply", facts, ENTERPRISE, **said, valid_until=TODAY) == ["dates_in_order"]
    assert codes(REQUIREMENT_ITEM, "supply", facts, ENTERPRISE, **said, valid_until=TODAY + day) == []
    assert codes(REQUIREMENT_ITEM, "supply", facts, ENTERPRISE, **said) == []
    assert codes(REQUIREMENT_ITEM, "supply", facts, ENTERPRISE, **key, valid_until=TODAY) == []


def test_requirement_item_is_handed_in_by_who_its_provider_is() -> None:
    assert {p: {str(r) for r in roles} for p, roles in ROLES_OF_PROVIDER.items()} == {
        "trainee": {"trainee", "guardian"}, "agency": {"agency"}, "enterprise": {"enterprise"},
        "school": {"coordinator", "registrar", "instructor"}, "clinic": {"trainee", "guardian", "coordinator"},
        "coordinator": {"coordinator"}, "support_organisation": {"enterprise", "coordinator"},
        "competent_body": {"trainee", "coordinator"}, "rule": set(),
    }  # fmt: skip
