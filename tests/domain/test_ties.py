"""Relationships, appointments, certificates and costs: what ties people and organisations to an institution."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain.accounts import APPOINTMENT, AppointmentDossier, NewAppointment
from service.domain.actors import (
    ADMIN,
    AGENCY,
    COORDINATOR,
    ENTERPRISE,
    GUARDIAN,
    INSTRUCTOR,
    PARTNER,
    READER,
    RECORDABLE,
    REGISTRAR,
    SIGHTS,
    SYSTEM,
    SYSTEM_ACCOUNT,
    THE_SYSTEM,
    TRAINEE,
    Actor,
    Role,
    Sight,
)
from service.domain.certificates import (
    CERTIFICATE,
    TESTS,
    CertificateDossier,
    NewCertificate,
    outcome_of,
    sat_of,
)
from service.domain.conversion import CreditPolicy, GradePolicy
from service.domain.costs import COST, CostDossier, NewCost
from service.domain.languages import Sat
from service.domain.lifecycle import NEW, Lifecycle, Reason, Refused
from service.domain.permissions import PERMISSIONS, may
from service.domain.relationships import ORGANISATION_KINDS, RELATIONSHIP, NewRelationship, RelationshipDossier
from service.storage.language_tests import language_tests

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
PAPER, OTHER = uuid4(), uuid4()


def actor(*roles: Role) -> Actor:
    return Actor(UUID(int=7), frozenset(roles))


def against(lifecycle: Lifecycle[Any], action: str, facts: Any, *roles: Role, **given: Any) -> list[tuple[Any, ...]]:
    """The reasons against an action, each with its pointer where it has one."""
    try:
        lifecycle.decide(action, facts, actor(*roles), given)
    except Refused as no:
        return [(r.code, r.pointer) if r.pointer else (r.code,) for r in no.reasons]
    return []


# ---- relationships
def tie(state: str, **more: Any) -> RelationshipDossier:
    return RelationshipDossier(state=state, today=TODAY, **more)


@pytest.mark.parametrize(
    ("action", "state"), [("verify", "recorded"), ("verify", "verified"), ("reinstate", "suspended")]
)
@pytest.mark.parametrize(("role", "licence", "granted"), [
    ("agency", None, False), ("agency", "", False), ("agency", "粤-1", True), ("enterprise", None, True),
])  # fmt: skip
def test_agency_is_verified_by_its_licence(
    action: str, state: str, role: str, licence: str | None, *, granted: bool
) -> None:
    said = {"valid_until": TODAY, "evidence": (PAPER,)}
    found = against(RELATIONSHIP, action, tie(state, role=role, licence_no=licence), COORDINATOR, **said)
    assert found == ([] if granted else [("licence_known", "/licence_no")])


def test_relationship_is_verified_for_days_to_come_with_evidence() -> None:
    known = tie("recorded", role="clinic")
    assert against(RELATIONSHIP, "verify", known, ADMIN, valid_until=TODAY - DAY, evidence=(PAPER,)) == [
        ("in_future", "/valid_until")
    ]
    assert against(RELATIONSHIP, "verify", known, ADMIN, valid_until=TODAY) == [("evidence_required", "/evidence")]


def test_relationship_is_with_one_organisation() -> None:
    new = NewRelationship(state=NEW, today=TODAY)
    one = ("one_organisation", "/organisation_id")
    organisation = SimpleNamespace(kind="clinic")
    said = {"role": "clinic"}
    assert against(RELATIONSHIP, "record", new, ADMIN, **said) == [one]
    assert against(RELATIONSHIP, "record", new, ADMIN, organisation_id=OTHER, organisation=organisation, **said) == [
        one
    ]
    assert against(RELATIONSHIP, "record", new, ADMIN, organisation_id=OTHER, **said) == [
        ("organisation_known", "/organisation_id")
    ]
    known = replace(new, organisation_known=True)
    assert against(RELATIONSHIP, "record", known, COORDINATOR, organisation_id=OTHER, **said) == []
    strange = SimpleNamespace(kind="planet")
    assert against(RELATIONSHIP, "record", new, ADMIN, organisation=strange, **said) == [
        ("organisation_kind_known", "/organisation/kind")
    ]
    for kind in ORGANISATION_KINDS:
        assert against(RELATIONSHIP, "record", new, ADMIN, organisation=SimpleNamespace(kind=kind), role=kind) == []
    assert against(RELATIONSHIP, "record", new, ADMIN, organisation=organisation, role="planet") == [
        ("organisation_kind_known", "/role")
    ]


@pytest.mark.parametrize("state", ["recorded", "verified", "suspended"])
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"local_staff": 3}, []),
        ({"foreign_staff": 0}, []),
        ({"paid_in_capital": Decimal(1), "capital_currency": "THB"}, []),
        ({}, [("something_declared",)]),
        ({"note": "x"}, [("something_declared",)]),
        ({"paid_in_capital": Decimal(1)}, [("capital_has_currency", "/capital_currency")]),
        ({"capital_currency": "THB"}, [("capital_has_currency", "/capital_currency")]),
        ({"local_staff": 3, "capital_currency": "THB"}, [("capital_has_currency", "/capital_currency")]),
    ],
)
def test_relationship_declares_something_and_a_capital_with_its_currency(
    state: str, given: dict[str, Any], found: list[tuple[str, ...]]
) -> None:
    assert against(RELATIONSHIP, "declare", tie(state), ENTERPRISE, **given) == found


@pytest.mark.parametrize("state", ["recorded", "verified", "suspended"])
def test_relationship_converts_credits_or_grades_or_both(state: str) -> None:
    credits_, grades = CreditPolicy(from_scheme="ects"), GradePolicy(method="none")
    said = {"effective_from": TODAY}
    for given in ({"credits": credits_}, {"grades": grades}, {"credits": credits_, "grades": grades}):
        assert against(RELATIONSHIP, "set_conversion", tie(state), REGISTRAR, **said, **given) == []
    assert against(RELATIONSHIP, "set_conversion", tie(state), REGISTRAR, **said) == [
        ("something_to_convert", "/credits")
    ]


# ---- appointments
@pytest.mark.parametrize(
    ("roles", "known", "given", "expected"),
    [
        (("registrar", "reader"), {}, {}, []),
        (("registrar", "trainee"), {}, {}, [("roles_of_one_kind", "/roles")]),
        (("enterprise", "trainee"), {}, {}, [("roles_of_one_kind", "/roles")]),
        (("enterprise",), {}, {}, [("organisation_known", "/organisation_id")]),
        (("agency", "enterprise"), {"organisation_known": True}, {}, []),
        (("partner",), {"organisation_known": True}, {}, []),
        (("partner",), {}, {}, [("organisation_known", "/organisation_id")]),
        (("agency",), {}, {}, [("organisation_known", "/organisation_id")]),
        (("trainee",), {}, {}, [("persons_known", "/person_ids")]),
        (("guardian",), {}, {"person_ids": ()}, [("persons_known", "/person_ids")]),
        (("guardian",), {"persons_known": 1}, {"person_ids": (PAPER, OTHER)}, [("persons_known", "/person_ids")]),
        (("guardian",), {"persons_known": 2}, {"person_ids": (PAPER, OTHER, PAPER)}, []),
        (("trainee",), {"persons_known": 1}, {"person_ids": (PAPER,)}, []),
        (("system",), {}, {}, [("role_known", "/roles")]),
        ((), {}, {}, [("input_required", "/roles")]),
    ],
)
def test_appointment_fits_its_roles(
    roles: tuple[str, ...], known: dict[str, Any], given: dict[str, Any], expected: list[tuple[str, ...]]
) -> None:
    new = NewAppointment(state=NEW, today=TODAY, asked_by=("admin",), **known)
    said = {"email": "a@example.org", "name": "-", "roles": roles, **given}
    assert against(APPOINTMENT, "appoint", new, ADMIN, **said) == expected


@pytest.mark.parametrize("role", [r for r in Role if r is not SYSTEM])
def test_staff_is_appointed_by_an_administrator(role: Role) -> None:
    known: dict[str, Any] = {"organisation_known": True, "persons_known": 1}
    said = {"email": "a@example.org", "name": "-", "roles": (role,), "person_ids": (PAPER,)}
    new = NewAppointment(state=NEW, today=TODAY, asked_by=("coordinator",), **known)
    staff = role in (COORDINATOR, INSTRUCTOR, REGISTRAR, READER, ADMIN)
    assert against(APPOINTMENT, "appoint", new, COORDINATOR, **said) == ([("role", "/roles")] if staff else [])
    both = replace(new, asked_by=("admin", "coordinator"))
    assert against(APPOINTMENT, "appoint", both, ADMIN, **said) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"roles": ("reader",)}, []),
        ({"roles": ("trainee",)}, [("roles_of_one_kind", "/roles")]),
        ({"roles": ("reader", "agency")}, [("roles_of_one_kind", "/roles")]),
        ({"roles": ()}, [("input_required", "/roles")]),
    ],
)
def test_appointment_keeps_whose_eyes_it_is(given: dict[str, Any], expected: list[tuple[str, ...]]) -> None:
    held = AppointmentDossier(state="held", today=TODAY, roles=("registrar",))
    assert against(APPOINTMENT, "edit", held, ADMIN, **given) == expected


# ---- who acts
def test_sights_are_three() -> None:
    eyes = {s: {r for r in Role if SIGHTS[r] is s} for s in Sight}
    assert eyes == {
        Sight.STAFF: {COORDINATOR, INSTRUCTOR, REGISTRAR, READER, ADMIN, SYSTEM},
        Sight.PERSON: {TRAINEE, GUARDIAN},
        Sight.ORGANISATION: {ENTERPRISE, AGENCY, PARTNER},
    }


C, N, R, A, D, T, G, E, Y, P = (
    COORDINATOR, INSTRUCTOR, REGISTRAR, ADMIN, READER, TRAINEE, GUARDIAN, ENTERPRISE, AGENCY, PARTNER,
)  # fmt: skip
STAFF, PEOPLE = {C, N, R, A}, {T, G}
# fmt: off
AGREED: dict[str, set[Role]] = {
    "me.read": STAFF | PEOPLE | {D, E, Y, P}, "units.read": STAFF | PEOPLE | {D, E, Y, P},
    "organisations.read": STAFF | {D, E, Y, P}, "relationships.read": STAFF | {D, E, Y, P},
    "accounts.read": {A, C}, "accounts.keep": {A}, "keys.read": {A}, "keys.keep": {A},
    "trainees.read": STAFF | PEOPLE, "trainees.open_sealed": {C, R} | PEOPLE,
    "access.read": {C, R, A} | PEOPLE, "trainees.export": {C, R, A} | PEOPLE,
    "documents.read": STAFF | PEOPLE | {E, Y, P}, "consents.read": {C, R, A, E, Y, P} | PEOPLE,
    "correction_requests.read": {C, R} | PEOPLE,
    "courses.read": STAFF | PEOPLE | {D, P}, "programmes.read": STAFF | PEOPLE | {D}, "intakes.read": STAFF | PEOPLE | {D},
    "applications.read": STAFF | PEOPLE, "enrolments.read": STAFF | PEOPLE, "results.read": STAFF | PEOPLE,
    "conversions.read": STAFF | PEOPLE | {D, E, Y, P}, "recognition_cases.weigh": {C, R, A},
    "recognition_rules.read": STAFF | PEOPLE | {D}, "partner_conversions.read": STAFF | {D},
    "pack_versions.read": STAFF | {D}, "waivers.read": {C, R, A},
    "recognition_cases.read": {C, R, A} | PEOPLE, "ledger.read": {C, R, A} | PEOPLE,
    "placement_requests.read": STAFF | PEOPLE | {D, E, Y}, "candidacies.read": STAFF | PEOPLE | {E},
    "placements.read": STAFF | PEOPLE | {E, Y}, "placements.interview": {C, R} | PEOPLE,
    "requirement_items.read": STAFF | PEOPLE | {E, Y}, "costs.read": {C, R, A} | PEOPLE,
    "classes.read": STAFF | PEOPLE | {D, E}, "memberships.read": STAFF | PEOPLE, "certificates.read": STAFF | PEOPLE,
    "certificates.open_sealed": {C, R} | PEOPLE, "events.read": {C, R, A}, "search.read": STAFF, "reports.read": STAFF | {D},
    "intakes.lists": STAFF, "packs.read": STAFF | PEOPLE | {D, E, Y, P}, "packs.rehearse": {A, C},
    "assignments.read": STAFF | PEOPLE, "attention.read": {C, R, A}, "next_steps.read": {C, R, A} | PEOPLE, "obligations.read": STAFF | PEOPLE | {E, Y},
    "classes.import": {C, INSTRUCTOR}, "imports.read": {C, R, A}, "sittings.read": STAFF | PEOPLE | {D},
    "sitting_registrations.read": STAFF | PEOPLE, "sitting_registrations.load": {C, R},
    "reports.keep": {A, C}, "targets.read": STAFF | {D},
}
# fmt: on


def test_permissions_are_as_agreed() -> None:
    assert {p: {r for r in Role if may(actor(r), p)} for p in PERMISSIONS} == AGREED
    assert not any(may(actor(r), "moon.read") for r in Role)


@pytest.mark.parametrize("state", ["held", "ended"])
def test_appointment_has_the_key_that_is_revoked(state: str) -> None:
    machine = AppointmentDossier(state=state, today=TODAY, keys=frozenset({PAPER}))
    assert against(APPOINTMENT, "revoke_key", machine, ADMIN, key_id=PAPER) == []
    assert against(APPOINTMENT, "revoke_key", machine, ADMIN, key_id=OTHER) == [("key_live", "/key_id")]


# ---- certificates
def certificate(state: str = "recorded", **more: Any) -> CertificateDossier:
    return CertificateDossier(state=state, today=TODAY, **more)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"kind": "language", "test": "jlpt", "level": "N3"}, []),
        ({"kind": "language"}, [("test_named", "/test")]),
        ({"kind": "skill"}, [("test_named", "/test")]),
        ({"kind": "graduation"}, []),
        ({"kind": "other", "level": "any"}, []),
        ({"kind": "language", "test": "jlpt", "level": "C1"}, [("level_of_test", "/level")]),
        ({"kind": "language", "test": "ielts", "level": "7.5"}, []),
        ({"kind": "language", "test": "latin"}, [("test_known", "/test")]),
        ({"kind": "prize"}, [("certificate_kind_known", "/kind")]),
        ({"kind": "other", "taken_on": TODAY, "issued_on": TODAY, "valid_until": TODAY}, []),
        ({"kind": "other", "taken_on": TODAY, "issued_on": TODAY - DAY}, [("issued_after_taken", "/issued_on")]),
        ({"kind": "other", "issued_on": TODAY, "valid_until": TODAY - DAY}, [("valid_after_issued", "/valid_until")]),
        ({"kind": "other", "taken_on": TODAY + DAY}, [("not_in_future", "/taken_on")]),
        ({"kind": "other", "issued_on": TODAY + DAY}, [("not_in_future", "/issued_on")]),
        ({"kind": "other", "document_id": PAPER}, [("document_known", "/document_id")]),
    ],
)
def test_certificate_is_recorded_as_it_can_be(given: dict[str, Any], expected: list[tuple[str, ...]]) -> None:
    new = NewCertificate(state=NEW, today=TODAY)
    assert against(CERTIFICATE, "record", new, TRAINEE, **given) == expected
    known = NewCertificate(state=NEW, today=TODAY, document_known=True)
    assert against(CERTIFICATE, "record", known, TRAINEE, kind="other", document_id=PAPER) == []


def test_certificate_is_edited_by_what_it_is_already() -> None:
    jlpt = certificate(kind="language", test="jlpt", taken_on=TODAY - DAY, issued_on=TODAY, valid_until=TODAY + DAY)
    assert against(CERTIFICATE, "edit", jlpt, COORDINATOR, level="N1") == []
    assert against(CERTIFICATE, "edit", jlpt, COORDINATOR, level="B2") == [("level_of_test", "/level")]
    assert against(CERTIFICATE, "edit", jlpt, COORDINATOR, issued_on=TODAY - 2 * DAY) == [
        ("issued_after_taken", "/issued_on")
    ]
    assert against(CERTIFICATE, "edit", jlpt, COORDINATOR, valid_until=TODAY - DAY) == [
        ("valid_after_issued", "/valid_until")
    ]


SCORES = {"language_knowledge": 34, "reading": 35, "listening": 35}
SAT: dict[str, Any] = {"kind": "language", "test": "jlpt", "level": "N3", "taken_on": date(2025, 12, 7)}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, []),
        ({"section_scores": SCORES}, []),
        ({"section_scores": SCORES, "total_score": Decimal(104)}, []),
        ({"section_scores": SCORES, "total_score": Decimal(105)}, [("total_is_sum", "/total_score")]),
        ({"section_scores": SCORES | {"listening": 18}}, [("level_as_scored", "/level")]),
        ({"section_scores": SCORES | {"listening": 61}}, [("score_in_scale", "/section_scores/listening")]),
        ({"level": "B1"}, [("level_of_test", "/level")]),
        ({"paper": "N2"}, [("level_as_scored", "/level")]),
        ({"test": "ssw1_skills", "kind": "skill", "level": "pass"}, []),
        ({"result_on": date(2025, 12, 7)}, []),
        ({"result_on": date(2025, 12, 6)}, [("result_after_taken", "/result_on")]),
    ],
)
def test_certificate_says_what_the_test_of_its_day_gives(given: dict[str, Any], found: list[tuple[str, ...]]) -> None:
    new = NewCertificate(state=NEW, today=TODAY, tests=language_tests())
    assert against(CERTIFICATE, "record", new, REGISTRAR, **(SAT | given)) == found


def test_certificate_is_read_by_what_stands_and_what_is_said_now() -> None:
    """An edit is judged with the rest of what is on record; another level leaves the paper that stood behind it."""
    book = language_tests()
    held = certificate(
        kind="language", test="jlpt", level_named="N3", paper="N3", taken_on=date(2025, 12, 7), section_scores=SCORES,
        tests=book,
    )  # fmt: skip
    read = outcome_of(held, {})
    assert read is not None
    assert (read.level, read.cefr, read.total) == ("N3", "B1", Decimal(104))
    assert against(CERTIFICATE, "edit", held, REGISTRAR, total_score=Decimal(105)) == [("total_is_sum", "/total_score")]
    assert against(CERTIFICATE, "edit", held, REGISTRAR, total_score=Decimal(104)) == []
    assert sat_of(held, {"level": "N2"}) == Sat(
        test="jlpt", on=date(2025, 12, 7), paper=None, level="N2", sections=SCORES
    )
    assert sat_of(held, {"level": None, "paper": "N2", "section_scores": None}) == Sat(
        test="jlpt", on=date(2025, 12, 7), paper="N2", level="N3"
    )
    issued = replace(held, taken_on=None, issued_on=TODAY, total_score=Decimal(1))
    assert sat_of(issued, {}) == Sat(
        test="jlpt", on=TODAY, paper="N3", level="N3", total=Decimal(1), sections=SCORES
    )  # fmt: skip
    assert sat_of(held, {"taken_on": TODAY}) == Sat(test="jlpt", on=TODAY, paper="N3", level="N3", sections=SCORES)


def test_certificate_of_a_test_without_a_scheme_is_read_by_nobody() -> None:
    new = NewCertificate(state=NEW, today=TODAY, tests=language_tests())
    assert outcome_of(new, {"kind": "skill", "test": "ssw1_skills", "level": "pass"}) is None
    assert outcome_of(new, {"kind": "other"}) is None
    told = outcome_of(new, SAT)
    assert told is not None
    assert (told.level, told.cefr) == ("N3", None)


def test_certificate_is_verified_by_another_account() -> None:
    said = {"evidence": (PAPER,)}
    assert against(CERTIFICATE, "verify", certificate(asked_by_typist=True), REGISTRAR, **said) == [
        ("by_another_account",)
    ]
    assert against(CERTIFICATE, "verify", certificate(), REGISTRAR, **said) == []


def test_levels_of_tests_stand_lowest_first() -> None:
    cefr = ("A1", "A2", "B1", "B2", "C1", "C2")
    expected = {
        "jlpt": ("N5", "N4", "N3", "N2", "N1"), "jft_basic": (), "nursing_care_japanese": ("pass", "fail"),
        "ssw1_skills": ("pass", "fail"), "hsk_2": tuple("123456"), "hsk_3": tuple("123456789"), "goethe": cefr,
        "telc": cefr, "testdaf": (), "topik": tuple("123456"),
        "torfl": ("TEU", "TBU", "TRKI-1", "TRKI-2", "TRKI-3", "TRKI-4"), "ielts": (), "other": (),
    }  # fmt: skip
    assert expected == TESTS


# ---- costs
PAID: dict[str, Any] = {
    "type": "travel", "amount": Decimal("0.01"), "currency": "JPY", "payer": "family", "receiver": "other",
}  # fmt: skip


@pytest.mark.parametrize("what", ["placement", "candidacy", "receipt"])
def test_cost_names_what_is_the_persons(what: str) -> None:
    new = NewCost(state=NEW, today=TODAY)
    said = PAID | {f"{what}_id": PAPER}
    assert against(COST, "record", new, GUARDIAN, **said) == [(f"{what}_known", f"/{what}_id")]
    known: Any = {f"{what}_known": True}
    assert against(COST, "record", NewCost(state=NEW, today=TODAY, **known), GUARDIAN, **said) == []
    others: Any = {f"{w}_known": w != what for w in ("placement", "candidacy", "receipt")}
    assert against(COST, "record", NewCost(state=NEW, today=TODAY, **others), GUARDIAN, **said) == [
        (f"{what}_known", f"/{what}_id")
    ]


def test_cost_is_more_than_nothing_and_is_repaid_with_evidence() -> None:
    new = NewCost(state=NEW, today=TODAY)
    assert against(COST, "record", new, TRAINEE, **PAID) == []
    with pytest.raises(Refused) as no:
        COST.decide("record", new, actor(TRAINEE), PAID | {"amount": Decimal(0)})
    assert no.value.reasons == (Reason("out_of_bounds", required={"least": "0.01"}, pointer="/amount"),)
    paid = CostDossier(state="recorded", today=TODAY)
    assert against(COST, "repay", paid, COORDINATOR) == [("evidence_required", "/evidence")]
    assert against(COST, "repay", paid, COORDINATOR, evidence=(PAPER,)) == []


def test_a_coordinator_records_for_whoever_has_no_desk_in_the_house() -> None:
    assert {TRAINEE, GUARDIAN, INSTRUCTOR, ENTERPRISE, AGENCY, PARTNER} == RECORDABLE
    assert (SYSTEM_ACCOUNT.int, THE_SYSTEM.roles) == (0, frozenset({SYSTEM}))
