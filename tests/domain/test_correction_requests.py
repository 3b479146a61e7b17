"""Correction requests as decisions: who may do what from where, every guard on both sides, by when an answer is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain.actors import COORDINATOR, GUARDIAN, REGISTRAR, SIGHTS, SYSTEM, TRAINEE, Actor, Role
from service.domain.correction_requests import CORRECTION_REQUEST as TABLE
from service.domain.correction_requests import Act, CorrectionDossier, NewCorrection, rule_of
from service.domain.lifecycle import NEW, Refused
from service.storage.rights import answer_rules

TODAY = date(2026, 6, 1)
FIELDS = {"trainee": ("name_native", "passport")}
SAID: dict[str, Any] = {"subject": "trainee", "wrong": "姓氏写错了"}
MAY = {
    ("filed", "accept"): {COORDINATOR, REGISTRAR},
    ("filed", "refuse"): {COORDINATOR, REGISTRAR},
    ("accepted", "refuse"): {COORDINATOR, REGISTRAR},
    ("accepted", "settle"): {COORDINATOR, REGISTRAR},
    ("filed", "extend"): {COORDINATOR, REGISTRAR},
    ("accepted", "extend"): {COORDINATOR, REGISTRAR},
    ("filed", "withdraw"): {TRAINEE, GUARDIAN},
    ("accepted", "withdraw"): {TRAINEE, GUARDIAN},
}


def actor(role: Role) -> Actor:
    return Actor(UUID(int=7), frozenset({role}), SIGHTS[role])


def codes(action: str, facts: Any, role: Role, **given: Any) -> list[str]:
    try:
        TABLE.decide(action, facts, actor(role), given)
    except Refused as no:
        return [r.code for r in no.reasons]
    return []


@pytest.mark.parametrize("role", [r for r in Role if r is not SYSTEM])
@pytest.mark.parametrize("state", TABLE.states())
def test_request_moves_only_along_its_table(state: str, role: Role) -> None:
    facts = CorrectionDossier(
        state=state,
        today=TODAY,
        subject="trainee",
        acts=(Act(action="edit"),),
        due_on=TODAY,
        extended_until=date(2026, 8, 1),
    )
    offered = {o.action for o in TABLE.offers(facts, actor(role)) if o.open}
    expected = {a for (source, a), who in MAY.items() if source == state and role in who}
    recorded = {a for (source, a), who in MAY.items() if source == state and role is COORDINATOR and TRAINEE in who}
    assert offered == expected | recorded


def test_request_is_filed_by_the_person_about_their_own_thing() -> None:
    new = NewCorrection(state=NEW, today=TODAY, subject_known=True, fields=FIELDS)
    for role in (TRAINEE, GUARDIAN):
        assert codes("file", new, role, **SAID) == []
        assert codes("file", new, role, **SAID, field="name_native", right="王") == []
    assert codes("file", new, REGISTRAR, **SAID) == ["role"]
    assert codes("file", new, COORDINATOR, **SAID) == ["recorded_for_required"]
    assert codes("file", new, TRAINEE, **SAID | {"subject": "appointment"}) == ["correction_kind_known"]
    assert codes("file", new, TRAINEE, **SAID, field="password") == ["correction_field_known"]
    assert codes("file", new, TRAINEE, **SAID | {"subject": "cost"}, field="amount") == ["correction_field_known"]
    assert codes("file", new, TRAINEE, **SAID, field="passport", right="AA1234567") == ["sealed_shown_by_document"]
    assert codes("file", new, TRAINEE, **SAID, field="passport") == []
    foreign = NewCorrection(state=NEW, today=TODAY, fields=FIELDS)
    assert codes("file", foreign, TRAINEE, **SAID, subject_id=uuid4()) == ["correction_subject_known"]


@pytest.mark.parametrize(
    ("subject", "field", "acts", "expected"),
    [
        ("trainee", "name_native", (), ["correcting_act_known"]),
        ("trainee", "name_native", (("edit", ("phone",)),), ["correcting_act_field"]),
        ("trainee", "name_native", (("edit", ("phone",)), ("edit", ("name_native",))), []),
        ("trainee", "passport", (("edit", ("name_latin",)),), ["correcting_act_field"]),
        ("trainee", "passport_expires_on", (("edit", ("passport_mrz",)),), []),
        ("trainee", "available_until", (("end_availability", ()),), []),
        ("trainee", None, (("edit", ("phone",)),), []),
        ("certificate", "issued_on", (("edit", ()),), []),
    ],
)
def test_correction_is_what_was_done_to_what_was_wrong(
    subject: str, field: str | None, acts: tuple[Any, ...], expected: list[str]
) -> None:
    done = tuple(Act(action=a, fields=f) for a, f in acts)
    facts = CorrectionDossier(state="accepted", today=TODAY, subject=subject, field=field, acts=done)
    assert codes("settle", facts, REGISTRAR, action_id=uuid4()) == expected


def test_refusal_has_a_code_and_words() -> None:
    filed = CorrectionDossier(state="filed", today=TODAY)
    assert codes("refuse", filed, COORDINATOR, reason_code="history_stays") == ["input_required"]
    assert codes("refuse", filed, COORDINATOR, note="-") == ["input_required"]
    assert codes("refuse", filed, COORDINATOR, reason_code="history_stays", note="-") == []


@pytest.mark.parametrize(
    ("country", "made_on", "rule", "last"),
    [
        ("DE", date(2027, 1, 31), "gdpr_rectification", date(2027, 2, 28)),
        ("CN", date(2027, 1, 31), "pipl_correction", date(2027, 2, 15)),
        ("TH", date(2027, 1, 31), "house_correction", date(2027, 3, 2)),
    ],
)
def test_answer_is_due_by_the_law_of_the_place(country: str, made_on: date, rule: str, last: date) -> None:
    found = rule_of(country, answer_rules())
    assert (found.key, found.last_day(made_on)) == (rule, last)


def test_answer_takes_longer_once_and_only_where_the_law_says_so() -> None:
    rules = {r.key: r for r in answer_rules()}
    made_on = date(2027, 1, 31)
    assert rules["gdpr_rectification"].last_extended(made_on) == date(2027, 4, 28)
    assert [rules[key].last_extended(made_on) for key in ("pipl_correction", "house_correction")] == [None, None]
    due, until = date(2026, 7, 1), date(2026, 9, 1)
    facts = CorrectionDossier(state="filed", today=due, due_on=due, extended_until=until)
    said: dict[str, Any] = {"reason_code": "complex", "note": "Wir klären das mit dem Amt."}
    for role in (COORDINATOR, REGISTRAR):
        assert codes("extend", facts, role, **said) == []
    assert codes("extend", facts, REGISTRAR, reason_code="complex") == ["input_required"]
    assert codes("extend", replace(facts, today=due + timedelta(days=1)), REGISTRAR, **said) == ["extended_in_time"]
    assert codes("extend", replace(facts, due_on=until, today=due), REGISTRAR, **said) == ["not_extended_yet"]
    for lacking in (replace(facts, extended_until=None), replace(facts, due_on=None)):
        assert codes("extend", lacking, REGISTRAR, **said) == ["extension_by_law"]
