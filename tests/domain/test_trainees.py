"""A trainee's record as decisions: every action by every role, and every guard."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain.actors import (
    ADMIN,
    COORDINATOR,
    GUARDIAN,
    REGISTRAR,
    SIGHTS,
    SYSTEM,
    TRAINEE,
    Actor,
    Role,
)
from service.domain.lifecycle import NEW, Refused
from service.domain.trainees import TRAINEE_RECORD as RECORD
from service.domain.trainees import Guardian, Mrz, NewTrainee, TraineeDossier
from service.domain.values import Passport, write_mrz

TODAY = date(2026, 6, 1)
BORN = date(2004, 5, 6)
LINES = write_mrz(
    Passport(
        "THA",
        "JAIDEE",
        "SOMCHAI",
        number="AA1234567",
        nationality="THA",
        birth_on=BORN,
        sex="M",
        expires_on=date(2030, 1, 1),
    )
)
PERSON = {"name_native": "สมชาย", "name_latin": "JAIDEE, SOMCHAI", "birth_on": BORN, "nationality": "TH"}
DAYS = {"available_from": TODAY, "available_until": TODAY + timedelta(days=30)}
GUARDIAN_GIVEN = Guardian(name="-", relation="mother", phone="+66800000000")
WHO = {
    "edit": {COORDINATOR, REGISTRAR, TRAINEE, GUARDIAN},
    "confirm_availability": {TRAINEE, COORDINATOR},
    "end_availability": {TRAINEE, COORDINATOR},
    "ask_erasure": {TRAINEE, GUARDIAN, COORDINATOR, REGISTRAR},
    "decline_erasure": {ADMIN},
    "erase": {ADMIN},
    "export": {TRAINEE, GUARDIAN, COORDINATOR, REGISTRAR, ADMIN},
    "join": {COORDINATOR, REGISTRAR, ADMIN},
    "separate": {COORDINATOR, REGISTRAR, ADMIN},
    "void": {COORDINATOR, REGISTRAR, ADMIN},
}
GIVEN: dict[str, dict[str, Any]] = {
    "confirm_availability": DAYS,
    "ask_erasure": {"reason_code": "objection"},
    "decline_erasure": {"reason_code": "legal_claims"},
    "export": {"purpose": "asked for in writing"},
    "join": {"reason_code": "same_passport", "survivor_id": UUID(int=9)},
    "separate": {"reason_code": "mistake"},
}
TO = {"void": "voided", "erase": "erased", "join": "joined"}
FOR_THE_PERSON = {"recorded_for": TRAINEE, "evidence": (uuid4(),)}
"""How a coordinator takes a copy: for the person, who asked for it in writing."""


def actor(role: Role) -> Actor:
    return Actor(UUID(int=7), frozenset({role}), SIGHTS[role])


def codes(action: str, facts: Any, role: Role = COORDINATOR, **given: Any) -> list[str]:
    with pytest.raises(Refused) as refused:
        RECORD.decide(action, facts, actor(role), given)
    return [r.code for r in refused.value.reasons]


def known(role: Role = COORDINATOR, **more: Any) -> TraineeDossier:
    return TraineeDossier(state="known", today=TODAY, birth_on=BORN, nationality="TH", asked_by=(role,), **more)


@pytest.mark.parametrize("role", [r for r in Role if r is not SYSTEM])
def test_trainee_record_opens_to_whom_its_table_names(role: Role) -> None:
    facts = known(role, available_until=TODAY, survivor_state="known")
    asked = replace(facts, erasure_asked_on=TODAY)
    joined = replace(facts, state="joined")
    of = {"decline_erasure": asked, "erase": asked, "separate": joined}
    assert {o.action for r in (facts, asked, joined) for o in RECORD.offers(r, actor(role)) if o.open} == {
        a for a, who in WHO.items() if role in who
    }
    assert {o.action for o in RECORD.offers(facts, actor(role)) if o.open} == {
        a for a, who in WHO.items() if role in who and a not in of
    }
    for action, who in WHO.items():
        if role in who:
            given = GIVEN.get(action, {}) | (FOR_THE_PERSON if (action, role) == ("export", COORDINATOR) else {})
            assert RECORD.decide(action, of.get(action, facts), actor(role), given).to_state == TO.get(action, "known")
        else:
            assert codes(action, of.get(action, facts), role, **GIVEN.get(action, {})) == ["role"]
    new = NewTrainee(state=NEW, today=TODAY)
    if role in (COORDINATOR, REGISTRAR, ADMIN):
        assert RECORD.decide("register", new, actor(role), PERSON).to_state == "known"
    else:
        assert codes("register", new, role, **PERSON) == ["role"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"birth_on": date(2008, 6, 2)}, ["minor_has_guardian"]),
        ({"birth_on": date(2008, 6, 2), "guardian": GUARDIAN_GIVEN}, []),
        ({"birth_on": date(2008, 6, 1)}, []),
        ({"birth_on": TODAY}, ["out_of_bounds"]),
        ({"unit_id": uuid4()}, ["unit_known"]),
        ({"passport_mrz": Mrz(line1=LINES[0], line2=LINES[1])}, []),
        ({"passport_mrz": Mrz(line1=LINES[0], line2=LINES[1]), "nationality": "KH"}, ["passport_nationality_same"]),
        ({"passport_mrz": Mrz(line1=LINES[0], line2=LINES[1]), "birth_on": date(2004, 5, 7)}, ["passport_birth_date_same"]),
        ({"passport_mrz": Mrz(line1=LINES[0], line2=LINES[1][:43] + "X")}, ["composite_check_digit_wrong"]),
    ],
)  # fmt: skip
def test_registration_asks_for_what_belongs_together(changed: dict[str, Any], expected: list[str]) -> None:
    new = NewTrainee(state=NEW, today=TODAY)
    given: dict[str, Any] = {**PERSON, **changed}
    if expected:
        assert codes("register", new, **given) == expected
    else:
        assert RECORD.decide("register", new, actor(COORDINATOR), given).event == "trainee.registered"


@pytest.mark.parametrize(
    ("facts", "given", "expected"),
    [
        ({"role": TRAINEE}, {"phone": "+66800000001"}, []),
        ({"role": TRAINEE}, {"name_latin": "X", "sex": "male"}, ["identity_kept_by_staff"] * 2),
        ({"role": GUARDIAN}, {"birth_on": BORN}, ["identity_kept_by_staff"]),
        ({"has_passport": True}, {"nationality": "KH"}, ["passport_follows"]),
        ({"has_passport": True}, {"name_latin": "X"}, []),
        ({}, {"birth_on": date(2012, 1, 1)}, ["minor_has_guardian"]),
        ({"has_guardian": True}, {"birth_on": date(2012, 1, 1)}, []),
        ({"unit_known": False}, {"unit_id": uuid4()}, ["unit_known"]),
        ({}, {"passport_mrz": Mrz(line1=LINES[0], line2=LINES[1])}, []),
    ],
)
def test_edit_keeps_who_somebody_is(facts: dict[str, Any], given: dict[str, Any], expected: list[str]) -> None:
    role = facts.pop("role", COORDINATOR)
    if expected:
        assert codes("edit", known(role, **facts), role, **given) == expected
    else:
        assert RECORD.decide("edit", known(role, **facts), actor(role), given).event == "trainee.edited"


def test_availability_runs_from_today_for_a_year_and_ends_once() -> None:
    for until, expected in (
        (TODAY - timedelta(days=1), ["out_of_bounds"]),
        (TODAY + timedelta(days=366), ["out_of_bounds"]),
    ):
        assert codes("confirm_availability", known(), available_from=TODAY, available_until=until) == expected
    last = {"available_from": TODAY, "available_until": TODAY + timedelta(days=365)}
    assert RECORD.decide("confirm_availability", known(), actor(TRAINEE), last).to_state == "known"
    assert codes("end_availability", known()) == ["is_available"]
    assert RECORD.follow("end_availability", "known").event == "trainee.availability_ended"


def test_staff_say_what_they_take_a_copy_for() -> None:
    for role, expected in ((TRAINEE, []), (GUARDIAN, []), (REGISTRAR, ["purpose_stated"]), (ADMIN, ["purpose_stated"])):
        if expected:
            assert codes("export", known(role), role) == expected
        else:
            assert RECORD.decide("export", known(role), actor(role)).event == "trainee.exported"
    assert codes("export", known(COORDINATOR), COORDINATOR, **FOR_THE_PERSON) == ["purpose_stated"]
    assert codes("export", known(COORDINATOR), COORDINATOR, **GIVEN["export"]) == ["recorded_for_required"]
