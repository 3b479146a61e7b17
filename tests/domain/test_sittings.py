"""Sittings: the clock where the test is held, across each boundary, and what a result is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain import sittings
from service.domain.actors import COORDINATOR, REGISTRAR, TRAINEE, Actor, Role, Sight
from service.domain.languages import NO_TESTS
from service.domain.lifecycle import NEW, LastStep, Reason, Refused
from service.domain.sittings import (
    HOLDS,
    SITTING,
    SITTING_REGISTRATION,
    NewRegistration,
    NewSitting,
    Registered,
    RegistrationDossier,
    SittingDossier,
)
from service.storage.language_tests import language_tests

DAY = timedelta(days=1)
HELD, UNTIL = date(2025, 12, 7), date(2025, 9, 30)
ID = UUID(int=1)
PLANNED: dict[str, Any] = {
    "test": "jlpt", "level": "N3", "place": "大连", "time_zone": "Asia/Shanghai", "held_on": HELD,
    "register_until": UNTIL, "places": 2,
}  # fmt: skip
SITTING_ITSELF = SittingDossier(
    state="announced", today=UNTIL, test="jlpt", level="N3", held_on=HELD, register_until=UNTIL, tests=language_tests()
)
REGISTERED = RegistrationDossier(
    state="registered", today=HELD, sitting_id=ID, sitting_state="announced", test="jlpt", level="N3", held_on=HELD,
    local_today=HELD, places_free=1, tests=language_tests(),
)  # fmt: skip
SCORES = {"language_knowledge": 34, "reading": 35, "listening": 35}


def by(*roles: Role) -> Actor:
    return Actor(uuid4(), frozenset(roles), Sight.STAFF, None, (), ())


def asked(lifecycle: Any, action: str, facts: Any, given: Any = None, role: Role = COORDINATOR) -> Any:
    """The state that it leads to, or the codes of what is against it."""
    try:
        return lifecycle.decide(action, facts, by(role), given).to_state
    except Refused as no:
        return [r.code for r in no.reasons]


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, "announced"),
        ({"level": None}, ["paper_known"]),
        ({"level": "B1"}, ["paper_known"]),
        ({"test": "topik", "level": "II"}, "announced"),
        ({"test": "topik", "level": "4"}, "announced"),
        ({"test": "ielts", "level": None}, "announced"),
        ({"test": "hsk_3", "level": "4"}, ["test_version_known"]),
        ({"test": "ssw1_skills"}, ["test_known"]),
        ({"time_zone": "Asia/Atlantis"}, ["zone_known"]),
        ({"register_until": HELD}, "announced"),
        ({"register_until": HELD + DAY}, ["registration_before_sitting"]),
        ({"fee": Decimal(550)}, ["fee_has_currency"]),
        ({"fee": Decimal(550), "currency": "CNY"}, "announced"),
        ({"fee": Decimal(-1), "currency": "CNY"}, ["out_of_bounds"]),
        ({"places": 0}, ["out_of_bounds"]),
        ({"held_on": UNTIL - timedelta(days=366), "register_until": UNTIL - timedelta(days=400)}, "announced"),
        ({"held_on": UNTIL - timedelta(days=367), "register_until": UNTIL - timedelta(days=400)}, ["sitting_day_near"]),
    ],
)
def test_sitting_is_announced_of_one_paper_within_its_days(more: dict[str, Any], found: Any) -> None:
    born = NewSitting(state=NEW, today=UNTIL, tests=language_tests())
    given = {k: v for k, v in (PLANNED | more).items() if v is not None}
    assert asked(SITTING, "announce", born, given) == found


def test_sitting_keeps_what_people_stand_on() -> None:
    taken = replace(SITTING_ITSELF, taken=2, registered=[Registered(ID, ID, "registered", 1)])
    assert asked(SITTING, "edit", taken, {"places": 1}) == ["places_cover_taken"]
    assert asked(SITTING, "edit", taken, {"places": 2, "held_on": HELD + DAY}) == "announced"
    sat = replace(taken, registered=[Registered(ID, ID, "sat", 2)])
    assert asked(SITTING, "edit", sat, {"held_on": HELD + DAY}) == ["nobody_sat"]
    assert asked(SITTING, "edit", sat, {"held_on": HELD}) == "announced"
    assert asked(SITTING, "cancel", sat, {"reason_code": "organiser"}) == ["nobody_sat"]
    assert asked(SITTING, "cancel", taken, {"reason_code": "organiser"}) == "cancelled"


def test_sitting_is_taken_back_while_nobody_is_registered() -> None:
    born = replace(SITTING_ITSELF, last_step=LastStep(1, "announce", NEW, "announced", UNTIL))
    assert asked(SITTING, "correct", born, {"note": "x"}) == "voided"
    assert asked(SITTING, "correct", replace(born, taken=1), {"note": "x"}) == ["nobody_registered"]


BORN = NewRegistration(
    state=NEW, today=UNTIL, sitting_id=ID, sitting_state="announced", register_until=UNTIL, local_today=UNTIL,
    places_free=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("more", "given", "found"),
    [
        ({}, {}, "registered"),
        ({"local_today": UNTIL - DAY}, {}, "registered"),
        ({"local_today": UNTIL + DAY}, {}, ["registration_open"]),
        ({"local_today": UNTIL + DAY, "today": UNTIL + DAY}, {"occurred_on": UNTIL}, "registered"),
        ({"local_today": UNTIL + DAY, "today": UNTIL + DAY}, {"occurred_on": UNTIL + DAY}, ["registration_open"]),
        ({"places_free": 0}, {}, ["seat_free"]),
        ({"already_registered": True}, {}, ["not_registered_yet"]),
        ({"sitting_state": "cancelled"}, {}, ["sitting_announced"]),
        ({"sitting_state": None}, {}, ["sitting_known"]),
    ],
)
def test_registration_until_the_last_day_where_the_test_is_held(
    more: dict[str, Any], given: dict[str, Any], found: Any
) -> None:
    assert asked(SITTING_REGISTRATION, "register", replace(BORN, **more), {"sitting_id": ID} | given) == found


@pytest.mark.parametrize(
    ("on", "sit", "withdraw"),
    [
        (HELD - DAY, ["day_come"], "withdrawn"),
        (HELD, "sat", "withdrawn"),
        (HELD + DAY, "sat", ["day_not_over"]),
    ],
)
def test_registration_across_the_day_of_the_test(on: date, sit: Any, withdraw: Any) -> None:
    r = replace(REGISTERED, local_today=on, today=on)
    assert asked(SITTING_REGISTRATION, "sit", r) == sit
    assert asked(SITTING_REGISTRATION, "withdraw", r, {"reason_code": "schedule"}) == withdraw
    absent = asked(SITTING_REGISTRATION, "record_result", r, {"absent": True})
    assert absent == (["day_come"] if on < HELD else "absent")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"section_scores": SCORES}, "passed"),
        ({"section_scores": SCORES, "total_score": Decimal(104)}, "passed"),
        ({"section_scores": SCORES | {"listening": 18}}, "failed"),
        ({"section_scores": SCORES | {"listening": 25}}, "failed"),  # 94 in all
        ({"section_scores": SCORES | {"listening": 61}}, ["score_in_scale"]),
        ({"section_scores": SCORES, "total_score": Decimal(105)}, ["total_is_sum"]),
        ({"section_scores": {"speaking": 1}}, ["section_known"]),
        ({"total_score": Decimal(104)}, ["result_complete"]),
        ({}, ["result_complete"]),
        ({"section_scores": SCORES, "absent": True}, ["absent_has_no_scores"]),
        ({"section_scores": SCORES, "result_on": HELD - DAY}, ["result_after_taken"]),
    ],
)
def test_result_is_passed_failed_or_absent_by_its_scores(given: dict[str, Any], found: Any) -> None:
    assert asked(SITTING_REGISTRATION, "record_result", REGISTERED, given) == found
    assert asked(SITTING_REGISTRATION, "record_result", replace(REGISTERED, state="sat"), given, REGISTRAR) == found


def test_test_that_has_only_scores_is_passed_by_whoever_has_them() -> None:
    ielts = replace(REGISTERED, test="ielts", level=None)
    given = {"total_score": Decimal("4.5")}
    assert asked(SITTING_REGISTRATION, "record_result", ielts, given) == "passed"
    assert asked(SITTING_REGISTRATION, "record_result", ielts, {}) == ["result_complete"]
    assert asked(SITTING_REGISTRATION, "record_result", ielts, given, TRAINEE) == ["role"]


def test_result_is_taken_back_while_nobody_looked_at_its_certificate() -> None:
    known = replace(
        REGISTERED, state="passed", last_step=LastStep(3, "record_result", "sat", "passed", HELD),
        certificate_id=ID, certificate_state="recorded",
    )  # fmt: skip
    back = {"note": "x"}
    assert asked(SITTING_REGISTRATION, "correct", known, back) == "sat"
    assert asked(SITTING_REGISTRATION, "correct", replace(known, certificate_id=None), back) == "sat"
    for state in ("verified", "rejected", "revoked", "voided"):
        looked_at = replace(known, certificate_state=state)
        assert asked(SITTING_REGISTRATION, "correct", looked_at, back) == ["certificate_untouched"]


def test_result_of_a_test_that_is_not_known_any_more_cannot_be_judged() -> None:
    given = {"section_scores": SCORES}
    gone = replace(REGISTERED, tests=NO_TESTS)
    assert asked(SITTING_REGISTRATION, "record_result", gone, given) == ["test_known"]
    assert asked(SITTING_REGISTRATION, "record_result", gone, {"absent": True}) == "absent"


def test_places_are_held_by_all_but_who_withdrew() -> None:
    assert set(SITTING_REGISTRATION.states()) - set(HOLDS) == {"withdrawn", "voided"}


# ---- what the reasons say in full, and where each rule turns
@pytest.mark.parametrize("zone", ["Asia/Atlantis", "Asia", "/etc/passwd"])
def test_zone_is_one_of_the_database(zone: str) -> None:
    assert told(sittings.zone_known(SITTING_ITSELF, {"time_zone": zone})) == ("zone_known", None, None, "/time_zone")
    assert sittings.zone_known(SITTING_ITSELF, {}) is None


def told(reason: Reason | None) -> tuple[str, Any, Any, str | None] | None:
    return (reason.code, reason.required, reason.actual, reason.pointer) if reason else None


def test_paper_is_that_of_the_sitting_where_nothing_else_is_said() -> None:
    assert sittings.paper_sat(SITTING_ITSELF, {}) is None
    found = told(sittings.paper_sat(SITTING_ITSELF, {"level": "B1"}))
    assert found == ("paper_known", ["N5", "N4", "N3", "N2", "N1"], "B1", "/level")
    assert sittings.paper_sat(SITTING_ITSELF, {"test": "of nobody"}) is None, "another rule says which tests there are"
    early = date(2009, 12, 1)
    hsk = language_tests().tests["hsk_3"].versions
    found = told(sittings.paper_sat(SITTING_ITSELF, {"test": "hsk_3", "level": "4", "held_on": early}))
    assert found == ("test_version_known", [[v.effective_from, v.effective_to] for v in hsk], early, "/held_on")


def test_last_day_to_register_is_compared_where_both_days_are_known() -> None:
    new = NewSitting(state=NEW, today=UNTIL)
    assert sittings.registration_before_sitting(new, {"held_on": HELD}) is None
    assert sittings.registration_before_sitting(new, {"register_until": HELD}) is None
    found = told(sittings.registration_before_sitting(SITTING_ITSELF, {"register_until": HELD + DAY}))
    assert found == ("registration_before_sitting", HELD, HELD + DAY, "/register_until")


def test_one_of_many_who_sat_is_enough() -> None:
    mixed = replace(SITTING_ITSELF, registered=[Registered(ID, ID, "registered", 1), Registered(ID, ID, "sat", 2)])
    assert told(sittings.day_stays_when_sat(mixed, {"held_on": HELD + DAY})) == ("nobody_sat", None, None, "/held_on")
    assert sittings.nobody_sat(mixed) is not None
    assert sittings.nobody_sat(replace(mixed, registered=mixed.registered[:1])) is None


def test_registration_is_open_where_no_last_day_or_no_day_is_known() -> None:
    late = {"occurred_on": UNTIL + DAY}
    assert sittings.registration_open(replace(BORN, register_until=None), late) is None
    assert sittings.registration_open(replace(BORN, local_today=None), {}) is None
    assert told(sittings.registration_open(BORN, late)) == ("registration_open", UNTIL, UNTIL + DAY, None)
    assert sittings.seat_free(replace(BORN, sitting_state=None, places_free=0)) is None
    assert told(sittings.seat_free(replace(BORN, places_free=0))) == ("seat_free", 1, 0, None)


def test_result_without_certificate_may_be_taken_back() -> None:
    assert sittings.certificate_untouched(REGISTERED) is None
    looked_at = replace(REGISTERED, certificate_id=ID, certificate_state="verified")
    assert told(sittings.certificate_untouched(looked_at)) == ("certificate_untouched", "recorded", "verified", None)


@pytest.mark.parametrize(("on", "found"), [
    (HELD - DAY, [("result_after_taken", HELD, HELD - DAY, "/result_on")]), (HELD, []), (HELD + DAY, []), (None, []),
])  # fmt: skip
def test_result_comes_on_the_day_of_the_test_or_later(on: date | None, found: list[Any]) -> None:
    given = {"section_scores": SCORES, "total_score": Decimal(104), "result_on": on}
    assert [told(r) for r in sittings.result_fits(REGISTERED, given)] == found
    assert [told(r) for r in sittings.result_fits(replace(REGISTERED, test="of nobody"), given)] == [
        ("test_known", sittings.SAT_AS_SITTINGS, "of nobody", None)
    ]
