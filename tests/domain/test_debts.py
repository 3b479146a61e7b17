"""Declared steps: what they leave to be shown, what refuses them all the same, and what waits until it is settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import ADMIN, COORDINATOR, ENTERPRISE, REGISTRAR, TRAINEE, Actor, Role
from service.domain.applications import APPLICATION, AdoptedApplication
from service.domain.debts import debts_settled, open_debts, owed, provable
from service.domain.enrolments import ENROLMENT, EnrolmentDossier
from service.domain.lifecycle import NEW, Given, Lifecycle, Reason, Refused, Rule, Takes
from service.domain.obligations import Duty
from service.domain.placements import PLACEMENT
from service.domain.requirements import Source
from service.storage.duties import debt_rules

TODAY = date(2026, 11, 22)
BEFORE = TODAY - timedelta(days=400)
REQUIRED = Reason("requirement_missing", {"requirement": "visa", "owed_by": ["agency"]}, None, "requirement/visa")
DEBT = Duty(
    id=UUID(int=9), version=1, state="pending", rule="visa", pin="adoption@1", event="apply_visa", period="4",
    event_on=BEFORE,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    state: str = "begun"
    today: date = TODAY
    since_on: date | None = BEFORE
    last_step: Any = None
    contested: bool = False
    duties: tuple[Duty, ...] = ()
    full: bool = False
    shown: bool = True
    proven: bool = True


def seat_free(w: Walk) -> Reason | None:
    """A seat."""
    return Reason("seat_free") if w.full else None


def paper_shown(w: Walk) -> Reason | None:
    """A paper, today."""
    return None if w.shown else REQUIRED


def paper_on_the_day(w: Walk, _: Given) -> Reason | None:
    """A paper, on the day."""
    return None if w.proven else REQUIRED


# fmt: off
WALK = Lifecycle[Walk]("walk", [
    Rule("go",   ["begun"], "gone", [ENTERPRISE], [seat_free, debts_settled, paper_shown], "walk.gone",
         takes=[Takes("occurred_on", date, "Its day.", needed=False, least=lambda w: w.today)], checks=[paper_on_the_day],
         evidence=True),
    Rule("rest", ["gone"],  "done", [COORDINATOR], [paper_shown], "walk.done"),
], provable=provable())
# fmt: on


def actor(*roles: Role) -> Actor:
    return Actor(UUID(int=1), frozenset(roles))


def refused(lifecycle: Lifecycle[Any], action: str, facts: Any, *roles: Role, **given: Any) -> list[str]:
    with pytest.raises(Refused) as no:
        lifecycle.declare(action, facts, actor(*roles), given)
    return [r.code for r in no.value.reasons]


def test_a_declared_step_leaves_what_is_unproven_on_its_day() -> None:
    step = WALK.declare(
        "go", Walk(proven=False, shown=False, duties=(DEBT,)), actor(REGISTRAR), {"occurred_on": BEFORE}
    )
    assert (step.to_state, step.recorded_for) == ("gone", ENTERPRISE)
    assert [r.code for r in step.unproven] == ["requirement_missing", "evidence_required"]
    assert WALK.declare("go", Walk(shown=False), actor(ADMIN), {"evidence": (UUID(int=3),)}).unproven == ()
    # A rule without a day of its own is judged today.
    at_rest = WALK.declare("rest", Walk(state="gone", shown=False), actor(COORDINATOR))
    assert ([r.code for r in at_rest.unproven], at_rest.recorded_for) == (["requirement_missing"], None)


def test_what_others_hold_and_what_cannot_be_shown_refuses_a_declared_step() -> None:
    assert refused(WALK, "go", Walk(full=True, proven=False), COORDINATOR) == ["seat_free"]
    assert refused(WALK, "go", Walk(), TRAINEE) == ["role"]
    assert refused(WALK, "go", Walk(state="done"), COORDINATOR) == ["not_from_this_state"]
    late = refused(WALK, "go", Walk(), COORDINATOR, occurred_on=TODAY + timedelta(days=1))
    assert late == ["occurred_on_in_range"]
    assert not provable()(replace(REQUIRED, code="too_young"))
    assert not provable()(Reason("seat_free", pointer="/seats"))


def test_what_is_owed_closes_the_steps_that_wait_for_it() -> None:
    done = replace(DEBT, state="done")
    other = replace(DEBT, pin="house@1")
    assert open_debts((DEBT, done, other)) == (DEBT,)
    assert [r.pointer for r in debts_settled(Walk(duties=(DEBT, done)))] == [f"obligation/{DEBT.id}"]
    assert list(debts_settled(Walk(duties=(done, other)))) == []
    waiting = {
        (lifecycle.name, r.action)
        for lifecycle in (ENROLMENT, PLACEMENT)
        for r in lifecycle.rules
        if debts_settled in r.only_if
    }
    assert waiting == {
        ("enrolment", "advance_stage"), ("enrolment", "complete"), ("placement", "extend"), ("placement", "close"),
        *(("placement", a) for a in (
            "collect_documents", "apply_authorisation", "apply_visa", "prepare_departure", "clear", "depart")),
    }  # fmt: skip


def test_each_debt_has_a_day_and_somebody_who_owes_it() -> None:
    rules = debt_rules()
    unproven = [Reason("identity_verified"), REQUIRED, REQUIRED, Reason("stage_credits"), Reason("stage_credits")]
    found = list(owed(unproven, rules, TODAY))
    assert [(o.rule, (o.due_on - TODAY).days, o.providers) for o in found] == [
        ("identity_verified", 30, ("trainee",)),
        ("visa", 60, ("agency",)),
        ("stage_credits", 60, ("school",)),
        ("stage_credits", 60, ("school",)),
    ]
    assert [o.rule for o in owed([REQUIRED], rules, TODAY, {"visa"})] == []
    unnamed = replace(REQUIRED, required={"requirement": "visa"})
    assert [o.providers for o in owed([unnamed], rules, TODAY)] == [rules.requirement.providers]
    assert isinstance(rules.requirement.source, Source)


def test_every_code_that_may_be_owed_has_a_rule() -> None:
    """And nothing that keeps places, seats or persons is among them."""
    codes = {
        "identity_verified", "stage_credits", "required_courses", "stage_language", "language_proven",
        "programme_certificates", "terms_confirmed", "consent_holds", "evidence_required",
    }  # fmt: skip
    assert set(debt_rules().rules) == codes


def adopted(**more: Any) -> AdoptedApplication:
    known: dict[str, Any] = {"intake_state": "completed", "places": 2, "taken": 1}
    return AdoptedApplication(state=NEW, today=TODAY, **(known | more))


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"intake_state": "cancelled"}, "intake_selected"),
        ({"intake_state": None}, "intake_selected"),
        ({"other_live": True}, "one_live_application"),
        ({"enrolled": True}, "not_enrolled_yet"),
        ({"places": None}, "source_in_plan"),
        ({"taken": 2}, "place_free"),
    ],
)
def test_who_studies_already_takes_a_place_of_the_plan(more: dict[str, Any], code: str) -> None:
    said = {"intake_id": UUID(int=5)}
    assert APPLICATION.declare("adopt", adopted(), actor(REGISTRAR), said).to_state == "selected"
    assert refused(APPLICATION, "adopt", adopted(**more), REGISTRAR, **said) == [code]


def test_an_enrolment_declared_owes_its_guards() -> None:
    e = EnrolmentDossier(state="pending", today=TODAY, intake_id=UUID(int=5), source="*")
    step = ENROLMENT.declare("enrol", e, actor(COORDINATOR), {"fee": "paid", "occurred_on": BEFORE})
    assert [r.code for r in step.unproven] == ["identity_verified"]
    assert refused(ENROLMENT, "enrol", e, COORDINATOR) == ["input_required"]
