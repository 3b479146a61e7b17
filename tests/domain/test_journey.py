"""The stage of a journey: total, and by precedence."""

from __future__ import annotations

from itertools import combinations
from uuid import uuid4

import pytest

from service.domain.journey import LIVE, PRECEDENCE, STAGES, Held, stage


def held(subject: str, state: str, *, departs: bool = False) -> Held:
    return Held(subject, uuid4(), state, departs)


@pytest.mark.parametrize(("items", "expected"), [
    ([],                                                                          "prospect"),
    ([held("application", "draft")],                                              "applicant"),
    ([held("application", "withdrawn")],                                          "inactive"),
    ([held("application", "selected"), held("enrolment", "pending")],             "enrolled"),
    ([held("enrolment", "enrolled"), held("membership", "attending")],            "in_training"),
    ([held("enrolment", "enrolled"), held("recognition_case", "assessing")],      "credit_recognition"),
    ([held("membership", "attending"), held("recognition_case", "assessing")],    "in_training"),
    ([held("availability", "available"), held("membership", "registered")],       "pool"),
    ([held("candidacy", "identified"), held("enrolment", "enrolled")],            "enrolled"),
    ([held("candidacy", "nominated"), held("availability", "available")],         "candidate"),
    ([held("placement", "contracting", departs=True)],                            "contracted"),
    ([held("placement", "visa", departs=True), held("enrolment", "enrolled")],    "preparing_departure"),
    ([held("placement", "departed", departs=True)],                               "abroad"),
    ([held("placement", "active", departs=True)],                                 "abroad"),
    ([held("placement", "active")],                                               "employed"),
    ([held("placement", "returned", departs=True)],                               "returned"),
    ([held("placement", "closed", departs=True)],                                 "alumni"),
    ([held("enrolment", "completed")],                                            "alumni"),
    ([held("placement", "deceased", departs=True), held("enrolment", "enrolled")], "deceased"),
    ([held("application", "voided")],                                             "prospect"),
])  # fmt: skip
def test_stage_is_the_highest_that_holds(items: list[Held], expected: str) -> None:
    assert stage(items) == expected


def test_stage_is_total_over_every_pair_of_things() -> None:
    things = [held(s, state, departs=d) for s, states in LIVE.items() for state in states for d in (True, False)]
    assert {stage(pair) for pair in combinations(things, 2)} <= set(STAGES)


def test_prospect_is_last_and_always_holds() -> None:
    name, holds = PRECEDENCE[-1]
    assert (name, holds([])) == ("prospect", True)
