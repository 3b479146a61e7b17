"""The rules of a result, without a database."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import Actor, Role
from service.domain.lifecycle import NEW, LastStep, Lifecycle, Refused
from service.domain.results import RESULT, NewResult, ResultDossier

TODAY = date(2026, 11, 22)
ID = UUID(int=7)
RECORDERS = {Role.COORDINATOR, Role.REGISTRAR, Role.INSTRUCTOR, Role.TRAINEE, Role.GUARDIAN}
SAID = {
    "source": "partner", "course_title": "Mechatronik", "owner": "Hochschule Nord", "credits": Decimal(6),
    "scheme": "ects", "passed": True, "achieved_on": TODAY,
}  # fmt: skip


def actor(role: Role) -> Actor:
    return Actor(UUID(int=1), frozenset({role}))


def new(**more: Any) -> NewResult:
    return NewResult(state=NEW, today=TODAY, **more)


def refused(lifecycle: Lifecycle[Any], action: str, facts: Any, role: Role, **given: Any) -> list[str]:
    with pytest.raises(Refused) as no:
        lifecycle.decide(action, facts, actor(role), given)
    return [r.code for r in no.value.reasons]


def test_result_table_is_as_published() -> None:
    assert RESULT.edges() == [
        ("", "recorded"),
        ("recorded", "verified"),
        ("recorded", "voided"),
        ("verified", "recorded"),
    ]


@pytest.mark.parametrize("role", Role)
def test_result_is_recorded_by_whoever_may(role: Role) -> None:
    if role in RECORDERS:
        assert RESULT.decide("record", new(), actor(role), SAID).to_state == "recorded"
    else:
        assert refused(RESULT, "record", new(), role, **SAID) == ["role"]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", RESULT.states())
def test_result_is_verified_with_evidence(role: Role, state: str) -> None:
    facts = ResultDossier(state=state, today=TODAY)
    may = role in (Role.COORDINATOR, Role.REGISTRAR)
    if state != "recorded":
        codes = refused(RESULT, "verify", facts, role, evidence=(ID,))
        assert codes == ([] if may else ["role"]) + ["not_from_this_state"]
    elif may:
        assert RESULT.decide("verify", facts, actor(role), {"evidence": (ID,)}).to_state == "verified"
        assert refused(RESULT, "verify", facts, role) == ["evidence_required"]
    else:
        assert refused(RESULT, "verify", facts, role, evidence=(ID,)) == ["role"]


def test_result_names_what_is_there() -> None:
    nameless = {k: v for k, v in SAID.items() if k != "owner"}
    assert refused(RESULT, "record", new(), Role.REGISTRAR, **nameless) == ["owner_named"]
    assert RESULT.decide("record", new(), actor(Role.REGISTRAR), nameless | {"source": "home"}).to_state == "recorded"
    assert refused(RESULT, "record", new(), Role.REGISTRAR, **nameless, owner_id=ID) == ["organisation_known"]
    known = new(owner_known=True, course_known=True)
    named = nameless | {"owner_id": ID, "course_id": ID}
    assert RESULT.decide("record", known, actor(Role.REGISTRAR), named).to_state == "recorded"
    assert refused(RESULT, "record", new(), Role.REGISTRAR, **SAID, course_id=ID) == ["course_known"]


def test_result_in_use_stands() -> None:
    last = LastStep(2, "verify", "recorded", "verified", TODAY)
    used = ResultDossier(state="verified", today=TODAY, last_step=last, claimed_percent=Decimal("0.01"))
    free = ResultDossier(state="verified", today=TODAY, last_step=last)
    assert refused(RESULT, "correct", used, Role.COORDINATOR, note="x") == ["nothing_claims_it"]
    assert RESULT.decide("correct", free, actor(Role.COORDINATOR), {"note": "x"}).to_state == "recorded"
