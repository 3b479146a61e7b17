"""What is next: every running state has its action in the lifecycle itself, and what is lacking is its guards' own word."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import COORDINATOR, ENTERPRISE, GUARDIAN, REGISTRAR, SYSTEM, TRAINEE, Role
from service.domain.applications import APPLICATION, ApplicationDossier
from service.domain.enrolments import ENROLMENT, EnrolmentDossier
from service.domain.journey import LIVE
from service.domain.lifecycle import Dossier, Lifecycle, Reason, Rule
from service.domain.next_steps import AHEAD, RUNNING, THEIRS, Ahead, Need, next_step, renewal
from service.domain.obligations import OBLIGATION, ObligationDossier
from service.storage.schema import LIFECYCLES

TABLES = {lc.name: lc for lc, _ in LIFECYCLES.values()}
TODAY = date(2026, 6, 1)
PEOPLE = (TRAINEE, GUARDIAN)
ID = UUID(int=7)
INTAKE: dict[str, Any] = {"intake_id": ID, "birth_on": date(2004, 5, 6)}


@pytest.mark.parametrize("ahead", AHEAD, ids=lambda a: f"{a.subject}-{a.states[0]}")
def test_what_leads_on_is_a_row_of_the_lifecycle(ahead: Ahead) -> None:
    table = TABLES[ahead.subject]
    assert set(ahead.states) <= set(table.states())
    led = {s for a in ahead.actions for r in table.by_action[a] for s in r.sources}
    assert set(ahead.states) <= led


def test_every_live_state_leads_on_once() -> None:
    states = [(a.subject, s) for a in AHEAD for s in a.states]
    assert len(states) == len(set(states))
    followed = {"candidacy": {"accepted"}}  # by its placement
    gone = {n: LIVE[n] - set(RUNNING.get(n, ())) - followed.get(n, set()) for n in LIVE if n != "availability"}
    assert {n: s for n, s in gone.items() if s} == {}


def test_what_a_guard_asks_of_the_person_is_theirs() -> None:
    facts = ApplicationDossier(state="draft", today=TODAY, **INTAKE)
    step = next_step(APPLICATION, facts)
    assert step is not None
    assert (step.action, step.to, step.who) == ("submit", ("submitted",), (TRAINEE, GUARDIAN, COORDINATOR))
    rule, against = APPLICATION.against("submit", facts)
    assert rule is not None
    assert [n.reason for n in step.needs] == list(against)
    assert {n.reason.code: n.who for n in step.needs if n.reason.code in THEIRS} == {
        "consent_given": PEOPLE, "identity_shown": PEOPLE,
    }  # fmt: skip
    assert next_step(APPLICATION, ApplicationDossier(state="selected", today=TODAY, **INTAKE)) is None
    assert APPLICATION.against("submit", ApplicationDossier(state="selected", today=TODAY, **INTAKE)) == (None, ())


@pytest.mark.parametrize(("stage", "action"), [(1, "advance_stage"), (2, "complete")])
def test_last_stage_leads_to_the_end(stage: int, action: str) -> None:
    step = next_step(
        ENROLMENT, EnrolmentDossier(state="enrolled", today=TODAY, intake_id=ID, source="*", stage=stage, stages=2)
    )
    assert step is not None
    assert (step.action, step.who) == (action, (REGISTRAR,))


def test_obligation_is_whose_owe_it() -> None:
    for owed_by, who in ((("trainee",), PEOPLE), (("enterprise", "support_organisation"), (ENTERPRISE,))):
        step = next_step(OBLIGATION, ObligationDossier(state="pending", today=TODAY, owed_by=owed_by))
        assert step is not None
        assert step.who == who


def asked(code: str, required: Any) -> Lifecycle[Any]:
    def guard(_: Any) -> Reason:
        """Always against it."""
        return Reason(code, required, 1, "requirement/visa" if isinstance(required, dict) else None)

    rules = [
        Rule("clear", ["visa"], "ready", [COORDINATOR], [guard], "x.cleared"),
        Rule("confirm_terms", ["visa"], "visa", [TRAINEE], [], "x.confirmed"),
    ]
    return Lifecycle[Any]("placement", rules)


@pytest.mark.parametrize(
    ("code", "required", "who", "requirement"),
    [
        ("requirement_missing", {"owed_by": ["trainee", "clinic"]}, (TRAINEE, GUARDIAN, COORDINATOR), "visa"),
        ("requirement_not_accepted", {"owed_by": ["trainee"]}, (COORDINATOR,), "visa"),
        ("window_open", {"least": TODAY}, (COORDINATOR,), "visa"),
        ("terms_confirmed", "confirm_terms", (TRAINEE,), None),
        ("seat_free", 1, (COORDINATOR,), None),
        ("seat_free", "moon", (COORDINATOR,), None),
    ],
)
def test_need_is_of_whoever_can_see_to_it(
    code: str, required: Any, who: tuple[Role, ...], requirement: str | None
) -> None:
    step = next_step(asked(code, required), Dossier(state="visa", today=TODAY))
    assert step is not None
    assert (step.action, step.to) == ("clear", ("ready",))
    assert [(n.who, n.requirement) for n in step.needs] == [(who, requirement)]


def test_certificate_that_runs_out_is_followed_by_another() -> None:
    step = renewal(TODAY)
    assert (step.action, step.who) == ("record", PEOPLE)
    assert step.needs == (Need(Reason("certificate_runs_out", actual=TODAY), PEOPLE),)
    assert SYSTEM not in step.who
    assert Need(Reason("x", pointer="requirement/"), PEOPLE).requirement is None
