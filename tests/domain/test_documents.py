"""Documents as decisions: every action from every state by every role, and every guard."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import COORDINATOR, GUARDIAN, SIGHTS, SYSTEM, TRAINEE, Actor, Role
from service.domain.documents import DOCUMENT, UPLOADERS, DocumentDossier, NewDocument
from service.domain.lifecycle import NEW, Refused

TODAY = date(2026, 6, 1)
EDGES = {
    ("uploaded", "accept"): "accepted",
    ("uploaded", "reject"): "rejected",
    ("accepted", "supersede"): "superseded",
}
GIVEN: dict[str, dict[str, Any]] = {"reject": {"reason_code": "unreadable"}}


def actor(role: Role) -> Actor:
    return Actor(UUID(int=7), frozenset({role}), SIGHTS[role])


def codes(action: str, facts: Any, role: Role, **given: Any) -> list[str]:
    with pytest.raises(Refused) as refused:
        DOCUMENT.decide(action, facts, actor(role), given)
    return [r.code for r in refused.value.reasons]


@pytest.mark.parametrize("role", [r for r in Role if r is not SYSTEM])
@pytest.mark.parametrize("state", DOCUMENT.states())
def test_document_moves_only_along_its_table(state: str, role: Role) -> None:
    facts = DocumentDossier(state=state, today=TODAY)
    open_actions = {o.action for o in DOCUMENT.offers(facts, actor(role)) if o.open}
    assert open_actions == {a for (source, a) in EDGES if source == state and role is COORDINATOR}
    for (source, action), target in EDGES.items():
        given = GIVEN.get(action, {})
        if source == state and role is COORDINATOR:
            assert DOCUMENT.decide(action, facts, actor(role), given).to_state == target
        else:
            expected = ["role"] if role is not COORDINATOR else []
            expected += ["not_from_this_state"] if source != state else []
            assert codes(action, facts, role, **given) == expected


@pytest.mark.parametrize("role", [r for r in Role if r is not SYSTEM])
@pytest.mark.parametrize("about_person", [True, False])
def test_document_is_uploaded_by_uploaders_and_by_people_about_people(role: Role, about_person: bool) -> None:  # noqa: FBT001
    new = NewDocument(state=NEW, today=TODAY, about_person=about_person, asked_by=(role,))
    said = {"kind": "diploma", "title": "Diploma"}
    if role not in UPLOADERS:
        assert codes("upload", new, role, **said) == ["role"]
    elif role in (TRAINEE, GUARDIAN) and not about_person:
        assert codes("upload", new, role, **said) == ["person_named"]
    else:
        assert DOCUMENT.decide("upload", new, actor(role), said).to_state == "uploaded"


def test_document_is_rejected_for_a_known_reason() -> None:
    facts = DocumentDossier(state="uploaded", today=TODAY)
    assert codes("reject", facts, COORDINATOR) == ["input_required"]
    assert codes("reject", facts, COORDINATOR, reason_code="ugly") == ["reason_code_known"]
