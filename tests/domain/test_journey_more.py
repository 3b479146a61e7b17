"""The stage of a journey for whoever has one thing alone, in each state that the thing can have."""

from __future__ import annotations

from uuid import uuid4

import pytest

from service.domain.applications import APPLICATION
from service.domain.candidacies import CANDIDACY
from service.domain.enrolments import ENROLMENT
from service.domain.journey import LIVE, STAGES, Held, stage
from service.domain.placements import PLACEMENT
from service.domain.recognition import RECOGNITION_CASE
from service.domain.training import MEMBERSHIP

PREPARES = dict.fromkeys(("documents", "authorisation", "visa", "pre_departure", "ready"), "preparing_departure")
COMES_HOME = {"contracting": "contracted", "returned": "returned", "reintegrating": "returned", "closed": "alumni",
              "deceased": "deceased"}  # fmt: skip
EXPECTED: dict[tuple[str, bool], dict[str, str]] = {
    ("application", False): dict.fromkeys(APPLICATION.states(), "inactive") | dict.fromkeys(
        ("draft", "submitted", "under_review", "documents_required", "eligible", "waitlisted"), "applicant"),
    ("enrolment", False): dict.fromkeys(ENROLMENT.states(), "inactive") | {
        "pending": "enrolled", "enrolled": "enrolled", "on_leave": "enrolled", "completed": "alumni"},
    ("membership", False): {"registered": "in_training", "attending": "in_training", "passed": "alumni"},
    ("recognition_case", False): dict.fromkeys(
        ("opened", "assessing", "evidence_requested", "decided", "notified", "appealed"), "credit_recognition",
    ) | {"final": "alumni"},
    ("candidacy", False): dict.fromkeys(
        ("nominated", "shortlisted", "interviewing", "selected", "waitlisted", "offered", "accepted"), "candidate"),
    ("placement", True): PREPARES | COMES_HOME | dict.fromkeys(
        ("departed", "arrived", "active", "extension_pending", "transfer_pending", "completed", "early_return",
         "terminated_abroad", "absconded", "returning"), "abroad"),
    ("placement", False): PREPARES | COMES_HOME | dict.fromkeys(
        ("active", "extension_pending", "transfer_pending", "absconded"), "employed"),
    ("availability", False): {"available": "pool"},
}  # fmt: skip
STATES = {
    "application": APPLICATION.states(),
    "enrolment": ENROLMENT.states(),
    "membership": MEMBERSHIP.states(),
    "recognition_case": RECOGNITION_CASE.states(),
    "candidacy": CANDIDACY.states(),
    "placement": PLACEMENT.states(),
    "availability": ["available", "ended"],
}


@pytest.mark.parametrize(("subject", "departs"), EXPECTED)
def test_stage_of_one_thing_alone(subject: str, *, departs: bool) -> None:
    found = {s: stage([Held(subject, uuid4(), s, departs)]) for s in STATES[subject] if s != "voided"}
    expected = EXPECTED[subject, departs]
    assert found == {s: expected.get(s, "prospect") for s in found}


def test_what_was_voided_counts_for_nothing() -> None:
    assert {stage([Held(subject, uuid4(), "voided")]) for subject in STATES} == {"prospect"}


def test_stages_stand_in_their_order() -> None:
    assert STAGES == (
        "deceased", "abroad", "employed", "returned", "preparing_departure", "contracted", "candidate", "pool",
        "credit_recognition", "in_training", "enrolled", "applicant", "alumni", "inactive", "prospect",
    )  # fmt: skip


def test_live_is_what_has_not_ended() -> None:
    ended = {s: {x for x in STATES[s] if x not in states} for s, states in LIVE.items()}
    assert ended["enrolment"] == {"completed", "cancelled", "withdrawn", "dismissed", "voided"}
    assert ended["membership"] == {"passed", "failed", "withdrawn", "transferred", "voided"}
    assert ended["application"] == {"ineligible", "selected", "not_selected", "withdrawn", "voided"}
    assert ended["candidacy"] == {
        "consent_refused", "rejected_by_enterprise", "offer_declined", "offer_expired", "offer_rescinded",
        "withdrawn_by_trainee", "withdrawn_by_school", "superseded", "not_selected", "placed", "fell_through", "voided",
    }  # fmt: skip
    assert ended["placement"] == {
        "cancelled", "terminated", "completed", "returning", "returned", "reintegrating", "closed", "deceased",
        "voided",
    }  # fmt: skip
    assert ended["recognition_case"] == {"final", "lapsed", "withdrawn", "reversed", "voided"}
