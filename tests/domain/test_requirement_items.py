"""Requirement items and costs: their tables walked whole, and their guards."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain.actors import AGENCY, COORDINATOR, ENTERPRISE, READER, TRAINEE, Actor, Role
from service.domain.costs import COST, CostDossier, NewCost
from service.domain.lifecycle import NEW, VOIDED, Lifecycle, Reason, Refused
from service.domain.requirement_items import (
    REQUIREMENT_ITEM,
    ROLES_OF_PROVIDER,
    NewRequirementItem,
    RequirementItemDossier,
    owed,
    rows_of,
)
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
    assert codes(REQUIREMENT_ITEM, "waive", new("person"), COORDINATOR, **waive) == []
    assert codes(REQUIREMENT_ITEM, "waive", new("person"), COORDINATOR, **(waive | {"key": "photo"})) == ["waivable"]
    assert codes(REQUIREMENT_ITEM, "waive", new("person"), TRAINEE, **waive) == ["role"]
    unknown = waive | {"key": "horoscope"}
    assert codes(REQUIREMENT_ITEM, "waive", new("person"), COORDINATOR, **unknown) == ["requirement_known"]
    there = new("person", taken=frozenset({"credential_legalised"}))
    assert codes(REQUIREMENT_ITEM, "waive", there, COORDINATOR, **waive) == ["requirement_not_handed_in"]
    me = UUID(int=7)
    supplied = item("supplied", "credential_legalised", account=me, supplied_by=me)
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
