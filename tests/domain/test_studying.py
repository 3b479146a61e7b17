"""Courses, programmes, intakes, applications, enrolments: each table whole, and each guard on both its sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain import languages
from service.domain.actors import ADMIN, COORDINATOR, GUARDIAN, REGISTRAR, SYSTEM, TRAINEE, Actor, Role
from service.domain.applications import APPLICATION, ApplicationDossier, NewApplication
from service.domain.courses import COURSE, CourseDossier, NewCourse
from service.domain.enrolments import ENROLMENT, EnrolmentDossier
from service.domain.intakes import INTAKE, Concerned, IntakeDossier, NewIntake, Places, Quota
from service.domain.levels import Held, Proof, proven
from service.domain.lifecycle import NEW, VOIDED, LastStep, Lifecycle, Reason, Refused
from service.domain.programmes import PROGRAMME, CurriculumCourse, ProgrammeDossier, Stage
from service.domain.requirements import RequirementFacts
from service.storage.language_tests import language_tests

TODAY = date(2026, 11, 22)
WAITS = (uuid4(), uuid4())
COURSE_ID, PAPER, PROOF = uuid4(), uuid4(), Proof(test="jlpt", level="N4")
FITTING: dict[str, Any] = {
    "COURSE": CourseDossier(state="", today=TODAY),
    "PROGRAMME": ProgrammeDossier(state="", today=TODAY, stages=2, courses=frozenset({COURSE_ID})),
    "INTAKE": IntakeDossier(
        state="", today=TODAY, programme_state="active", opens_on=TODAY, closes_on=TODAY + timedelta(9),
        starts_on=TODAY + timedelta(30), quotas={"*": Places(3, 1, "any"), "TH": Places(2, 0)}, plan_version="0", waiting=2,
        named=(Concerned(WAITS[0], uuid4(), "waitlisted", 1, "*", 1), Concerned(WAITS[1], uuid4(), "waitlisted", 1, "*", 2)),
    ),
    "APPLICATION": ApplicationDossier(
        state="", today=TODAY, intake_id=uuid4(), intake_state="open", opens_on=TODAY, closes_on=TODAY + timedelta(9),
        starts_on=TODAY + timedelta(30), birth_on=date(2004, 5, 6), nationality="CN", consent_given=True,
        identity_shown=True, sources=frozenset({"*"}), source="*", places=3, taken=1, rank=1,
        enrolment_id=uuid4(), enrolment_state="pending", enrolment_version=1, enrolment_source="*",
    ),
    "ENROLMENT": EnrolmentDossier(
        state="", today=TODAY, intake_id=uuid4(), intake_state="open", source="*", places=3, taken=1,
        identity_verified=True, stages=2, requirements=RequirementFacts(nationality="TH", destination="CN"),
    ),
}  # fmt: skip
TABLES: dict[str, Lifecycle[Any]] = {
    "COURSE": COURSE, "PROGRAMME": PROGRAMME, "INTAKE": INTAKE, "APPLICATION": APPLICATION, "ENROLMENT": ENROLMENT,
}  # fmt: skip
GIVEN: dict[str, dict[str, Any]] = {
    "edit": {},
    "set_regulation": {"effective_from": TODAY},
    "set_curriculum": {"courses": (CurriculumCourse(course_id=COURSE_ID, stage=1),)},
    "set_quotas": {
        "quotas": (Quota(source="*", places=2),),
        "plan_authority": "a",
        "plan_number": "1",
        "plan_version": "1",
    },
    "move_places": {"from_source": "*", "to_source": "TH", "places": 2, "reason_code": "balance"},
    "rerank": {"applications": WAITS[::-1], "reason_code": "mistake"},
    "publish": {"plan_authority": "a", "plan_number": "1", "plan_version": "1"},
    "reschedule": {"closes_on": TODAY},
    "cancel": {"reason_code": "other"},
    "ask_documents": {"documents": ("diploma",)},
    "find_ineligible": {"reason_code": "age"},
    "decline": {"reason_code": "plan_full"},
    "enrol": {"fee": "paid"},
    "enter": {"entered_on": TODAY},
    "take_leave": {"leave_from": TODAY, "leave_until": TODAY, "reason_code": "health"},
    "waive_credits": {"credits": Decimal(0), "courses": (), "reason_code": "other", "evidence": (PAPER,)},
    "withdraw": {"reason_code": "personal"},
    "dismiss": {"reason_code": "fraud", "evidence": (PAPER,)},
}
C, R, A, T, G = {COORDINATOR}, {REGISTRAR}, {ADMIN}, {TRAINEE}, {GUARDIAN}
SELF = C | T | G
# fmt: off
WHO: dict[tuple[str, str], set[Role]] = {
    # the table whole: (table, action): who may, from where, to where
    ("COURSE", "retire"): C | R,
    ("PROGRAMME", "edit"): C, ("PROGRAMME", "approve"): A, ("PROGRAMME", "activate"): C, ("PROGRAMME", "retire"): C,
    ("PROGRAMME", "set_curriculum"): C | R, ("PROGRAMME", "set_regulation"): C | R,
    ("INTAKE", "edit"): C, ("INTAKE", "set_quotas"): C, ("INTAKE", "publish"): C, ("INTAKE", "reschedule"): C,
    ("INTAKE", "open"): C | {SYSTEM}, ("INTAKE", "close"): C | {SYSTEM}, ("INTAKE", "complete"): C, ("INTAKE", "cancel"): C,
    ("INTAKE", "move_places"): C, ("INTAKE", "rerank"): C,
    ("APPLICATION", "edit"): SELF, ("APPLICATION", "submit"): SELF, ("APPLICATION", "take_on"): C,
    ("APPLICATION", "ask_documents"): C, ("APPLICATION", "supply_documents"): SELF, ("APPLICATION", "find_eligible"): C,
    ("APPLICATION", "find_ineligible"): C, ("APPLICATION", "select"): C, ("APPLICATION", "waitlist"): C,
    ("APPLICATION", "decline"): C, ("APPLICATION", "close_out"): {SYSTEM}, ("APPLICATION", "withdraw"): SELF,
    ("APPLICATION", "void"): {SYSTEM},
    ("ENROLMENT", "enrol"): C, ("ENROLMENT", "cancel"): C | {SYSTEM}, ("ENROLMENT", "take_leave"): C, ("ENROLMENT", "resume"): C,
    ("ENROLMENT", "enter"): C,
    ("ENROLMENT", "waive_credits"): R, ("ENROLMENT", "advance_stage"): R, ("ENROLMENT", "complete"): R,
    ("ENROLMENT", "withdraw"): SELF, ("ENROLMENT", "dismiss"): C, ("ENROLMENT", "void"): {SYSTEM},
}
LIVE = ("draft", "submitted", "under_review", "documents_required", "eligible", "waitlisted")
EDGES: dict[tuple[str, str], dict[str, str]] = {
    ("COURSE", "retire"): {"published": "retired"},
    ("PROGRAMME", "edit"): {"draft": "draft"}, ("PROGRAMME", "approve"): {"draft": "approved"},
    ("PROGRAMME", "activate"): {"approved": "active"}, ("PROGRAMME", "retire"): {"active": "retired"},
    ("PROGRAMME", "set_curriculum"): {s: s for s in ("draft", "approved", "active")},
    ("PROGRAMME", "set_regulation"): {s: s for s in ("draft", "approved", "active")},
    ("INTAKE", "edit"): {"draft": "draft"},
    ("INTAKE", "set_quotas"): {s: s for s in ("draft", "published", "open", "closed")},
    ("INTAKE", "move_places"): {s: s for s in ("published", "open", "closed")}, ("INTAKE", "rerank"): {s: s for s in ("open", "closed")},
    ("INTAKE", "publish"): {"draft": "published"}, ("INTAKE", "reschedule"): {"published": "published", "open": "open"},
    ("INTAKE", "open"): {"published": "open"}, ("INTAKE", "close"): {"open": "closed"},
    ("INTAKE", "complete"): {"closed": "completed"},
    ("INTAKE", "cancel"): dict.fromkeys(("draft", "published", "open", "closed"), "cancelled"),
    ("APPLICATION", "edit"): {s: s for s in ("draft", "under_review", "documents_required")},
    ("APPLICATION", "submit"): {"draft": "submitted"}, ("APPLICATION", "take_on"): {"submitted": "under_review"},
    ("APPLICATION", "ask_documents"): {"under_review": "documents_required"},
    ("APPLICATION", "supply_documents"): {"documents_required": "under_review"},
    ("APPLICATION", "find_eligible"): {"under_review": "eligible"},
    ("APPLICATION", "find_ineligible"): {"under_review": "ineligible"},
    ("APPLICATION", "select"): {"eligible": "selected", "waitlisted": "selected"},
    ("APPLICATION", "waitlist"): {"eligible": "waitlisted"}, ("APPLICATION", "decline"): {"eligible": "not_selected"},
    ("APPLICATION", "close_out"): dict.fromkeys(LIVE, "not_selected"), ("APPLICATION", "withdraw"): dict.fromkeys(LIVE, "withdrawn"),
    ("APPLICATION", "void"): {"selected": VOIDED},
    ("ENROLMENT", "enrol"): {"pending": "enrolled"}, ("ENROLMENT", "cancel"): {"pending": "cancelled"},
    ("ENROLMENT", "take_leave"): {"enrolled": "on_leave"}, ("ENROLMENT", "resume"): {"on_leave": "enrolled"},
    ("ENROLMENT", "enter"): {s: s for s in ("pending", "enrolled", "on_leave")},
    ("ENROLMENT", "waive_credits"): {"enrolled": "enrolled"}, ("ENROLMENT", "advance_stage"): {"enrolled": "enrolled"},
    ("ENROLMENT", "complete"): {"enrolled": "completed"},
    ("ENROLMENT", "withdraw"): dict.fromkeys(("pending", "enrolled", "on_leave"), "withdrawn"),
    ("ENROLMENT", "dismiss"): dict.fromkeys(("enrolled", "on_leave"), "dismissed"),
    ("ENROLMENT", "void"): dict.fromkeys(("pending", "enrolled", "on_leave", "completed"), VOIDED),
}
# fmt: on


def actor(*roles: Role) -> Actor:
    return Actor(UUID(int=1), frozenset(roles))


def facts(table: str, state: str, **more: Any) -> Any:
    return replace(FITTING[table], state=state, **more)


def fitted(table: str, action: str, state: str) -> Any:
    """Facts under which nothing but the table decides."""
    more: dict[str, Any] = {}
    if (table, action) == ("ENROLMENT", "complete"):
        more = {"stage": 2}
    return facts(table, state, **more)


def given(table: str, action: str) -> dict[str, Any]:
    if (table, action) == ("APPLICATION", "withdraw"):
        return {}
    if (table, action) == ("INTAKE", "cancel"):
        return {"reason_code": "low_demand"}
    if (table, action) == ("ENROLMENT", "waive_credits"):
        return GIVEN[action] | {"credits": Decimal(1)}
    return GIVEN.get(action, {})


def codes(found: Sequence[Reason]) -> list[str]:
    return [r.code for r in found]


def refused(lifecycle: Lifecycle[Any], action: str, dossier: Any, *roles: Role, **said: Any) -> list[str]:
    with pytest.raises(Refused) as no:
        lifecycle.decide(action, dossier, actor(*roles), said)
    return codes(no.value.reasons)


def test_tables_hold_these_actions_and_no_others() -> None:
    found = {
        (name, action)
        for name, lifecycle in TABLES.items()
        for action, rules in lifecycle.by_action.items()
        if not all(r.is_birth for r in rules)
    }
    assert found == set(WHO) == set(EDGES)


@pytest.mark.parametrize(("table", "action"), sorted(WHO))
def test_table_grants_exactly_its_rows(table: str, action: str) -> None:
    lifecycle = TABLES[table]
    for state in lifecycle.states():
        dossier = fitted(table, action, state)
        if table == "ENROLMENT" and action == "waive_credits":
            dossier = replace(dossier, credits_required=Decimal(1))
        for role in Role:
            said = given(table, action)
            may = role in WHO[table, action] and state in EDGES[table, action]
            if table == "APPLICATION" and action == "edit" and state == "under_review":
                may = role is COORDINATOR
            if may:
                assert lifecycle.decide(action, dossier, actor(role), said).to_state == EDGES[table, action][state]
            else:
                found = refused(lifecycle, action, dossier, role, **said)
                assert ("not_from_this_state" in found) == (state not in EDGES[table, action])
                if state in EDGES[table, action]:
                    assert found in (["role"], ["recorded_for_required"])


@pytest.mark.parametrize("table", TABLES)
def test_table_offers_what_it_grants(table: str) -> None:
    lifecycle = TABLES[table]
    for state in lifecycle.states():
        for role in Role:
            for offer in lifecycle.offers(facts(table, state), actor(role)):
                if offer.action in ("correct", "contest", "uphold"):
                    continue
                assert offer.open == (not offer.reasons)
                if state not in EDGES[table, offer.action]:
                    assert "not_from_this_state" in codes(offer.reasons)


# ---- courses
NEW_COURSE = {
    "code": "J101", "title_native": "日语", "title_latin": "Japanese", "credits": Decimal(4), "kind": "theory",
}  # fmt: skip


def test_course_is_published_in_a_new_edition() -> None:
    born = NewCourse(state=NEW, today=TODAY, editions=(1, 2))
    assert COURSE.decide("publish", born, actor(REGISTRAR), NEW_COURSE | {"edition": 3}).to_state == "published"
    assert refused(COURSE, "publish", born, REGISTRAR, **NEW_COURSE, edition=2) == ["edition_new"]
    assert refused(COURSE, "publish", born, REGISTRAR, **NEW_COURSE, owner_id=uuid4()) == ["organisation_known"]
    assert refused(COURSE, "publish", born, TRAINEE, **NEW_COURSE) == ["role"]
    assert refused(COURSE, "publish", born, REGISTRAR, **NEW_COURSE | {"credits": Decimal(-1)}) == ["out_of_bounds"]


def last(action: str, before: str, after: str) -> LastStep:
    return LastStep(1, action, before, after, TODAY)


def test_course_in_a_curriculum_is_not_taken_back() -> None:
    published = facts("COURSE", "published", last_step=last("publish", NEW, "published"))
    assert COURSE.decide("correct", published, actor(COORDINATOR), {"note": "-"}).to_state == VOIDED
    used = replace(published, in_curriculum=True)
    assert refused(COURSE, "correct", used, COORDINATOR, note="-") == ["not_in_curriculum"]


# ---- programmes
def stage(no: int, **more: Any) -> Stage:
    plain: dict[str, Any] = {"place": "home", "years": Decimal(2), "title": "-", "credits_required": Decimal(6)}
    return Stage(no=no, **(plain | more))


PROGRAMME_BODY: dict[str, Any] = {
    "code": "N", "title_native": "护理", "title_latin": "Nursing", "kind": "x_plus_x", "level": 5, "field": "0913",
    "stages": (stage(1), stage(2, place="abroad")),
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "reasons"),
    [
        ({}, []),
        ({"stages": (stage(1), stage(3))}, ["stages_in_order"]),
        ({"stages": (stage(1, years=Decimal(0)),)}, ["stages_in_bounds"]),
        ({"stages": (stage(1, credits_required=Decimal(-1)),)}, ["stages_in_bounds"]),
        ({"field": "9"}, ["field_known"]),
        ({"field": "09134"}, ["field_known"]),
        ({"field": "care"}, ["field_known"]),
        ({"level": 9}, ["out_of_bounds"]),
        ({"kind": "club"}, ["programme_kind_known"]),
        ({"languages": (PROOF,)}, []),
        ({"languages": (Proof(test="jlpt", level="C1"),)}, ["level_known"]),
        ({"languages": (Proof(test="jlpt"), Proof(test="unheard"))}, ["test_known"]),
        ({"certificates": ("swimming",)}, ["certificate_kind_known"]),
    ],
)
def test_programme_is_described_in_bounds(said: dict[str, Any], reasons: list[str]) -> None:
    born = ProgrammeDossier(state=NEW, today=TODAY)
    body = PROGRAMME_BODY | said
    if not reasons:
        assert PROGRAMME.decide("draft", born, actor(COORDINATOR), body).to_state == "draft"
    else:
        assert refused(PROGRAMME, "draft", born, COORDINATOR, **body) == reasons
        if list(said) != ["stages"] or len(said["stages"]):
            assert refused(PROGRAMME, "edit", facts("PROGRAMME", "draft"), COORDINATOR, **said) == reasons


def test_programme_is_retired_after_its_last_intake() -> None:
    assert refused(PROGRAMME, "retire", facts("PROGRAMME", "active", running_intakes=1), COORDINATOR) == [
        "no_running_intake"
    ]
    active = facts("PROGRAMME", "active", last_step=last("activate", "approved", "active"))
    assert PROGRAMME.decide("correct", active, actor(COORDINATOR), {"note": "-"}).to_state == "approved"
    assert refused(PROGRAMME, "correct", replace(active, intakes=1), COORDINATOR, note="-") == ["no_intake"]


def test_programme_curriculum_names_known_courses_once() -> None:
    wrong = (CurriculumCourse(course_id=uuid4(), stage=3), CurriculumCourse(course_id=COURSE_ID, stage=0))
    draft = facts("PROGRAMME", "draft")
    assert refused(PROGRAMME, "set_curriculum", draft, REGISTRAR, courses=wrong) == [
        "course_known", "stage_known", "stage_known",
    ]  # fmt: skip
    twice = tuple(CurriculumCourse(course_id=COURSE_ID, stage=s) for s in (1, 2))
    assert refused(PROGRAMME, "set_curriculum", draft, REGISTRAR, courses=twice) == ["courses_distinct"]


# ---- intakes
DAYS = {"opens_on": TODAY, "closes_on": TODAY + timedelta(9), "starts_on": TODAY + timedelta(30)}


@pytest.mark.parametrize(
    ("said", "reasons"),
    [
        ({}, []),
        ({"closes_on": TODAY - timedelta(1)}, ["dates_in_order"]),
        ({"starts_on": TODAY + timedelta(8)}, ["dates_in_order"]),
        ({"age_least": 18, "age_most": 18}, []),
        ({"age_least": 19, "age_most": 18}, ["ages_in_order"]),
        ({"languages": (Proof(test="unheard"),)}, ["test_known"]),
        ({"quotas": (Quota(source="*", places=1), Quota(source="*", places=2))}, ["sources_distinct"]),
        ({"quotas": (Quota(source="*", places=-1),)}, ["places_in_bounds"]),
        ({"quotas": (Quota(source="*", places=0),)}, []),
    ],
)
def test_intake_is_planned_in_bounds(said: dict[str, Any], reasons: list[str]) -> None:
    born = NewIntake(state=NEW, today=TODAY, programme_state="active")
    body = {"code": "26"} | DAYS | said
    if reasons:
        assert refused(INTAKE, "draft", born, COORDINATOR, **body) == reasons
    else:
        assert INTAKE.decide("draft", born, actor(COORDINATOR), body).to_state == "draft"


def test_intake_is_of_an_active_programme() -> None:
    born = NewIntake(state=NEW, today=TODAY, programme_state="approved")
    assert refused(INTAKE, "draft", born, COORDINATOR, code="26", **DAYS) == ["programme_active"]
    retired = facts("INTAKE", "draft", programme_state="retired", quotas={})
    assert refused(INTAKE, "publish", retired, COORDINATOR, **GIVEN["publish"]) == [
        "programme_active", "places_planned",
    ]  # fmt: skip
    empty = facts("INTAKE", "draft", quotas={"*": Places(0, 0)})
    assert refused(INTAKE, "publish", empty, COORDINATOR, **GIVEN["publish"]) == ["places_planned"]
    assert refused(INTAKE, "publish", facts("INTAKE", "draft"), COORDINATOR) == ["input_required"] * 3


def test_intake_quota_is_not_below_what_is_taken() -> None:
    half = facts("INTAKE", "open", quotas={"*": Places(3, 2, "any")})
    approved = {"plan_authority": "a", "plan_number": "2", "plan_version": "2"}
    said: dict[str, Any] = approved | {"quotas": (Quota(source="*", places=1),)}
    assert refused(INTAKE, "set_quotas", half, COORDINATOR, **said) == ["places_in_bounds"]
    said = approved | {"quotas": (Quota(source="*", places=2), Quota(source="TH", places=5))}
    assert INTAKE.decide("set_quotas", half, actor(COORDINATOR), said).to_state == "open"


def test_intake_quotas_change_after_approval_by_another_approval_only() -> None:
    places: dict[str, Any] = {"quotas": (Quota(source="*", places=4),)}
    assert INTAKE.decide("set_quotas", facts("INTAKE", "draft"), actor(COORDINATOR), places).to_state == "draft"
    for state in ("published", "open", "closed"):
        approved = facts("INTAKE", state, plan_version="1")
        assert refused(INTAKE, "set_quotas", approved, COORDINATOR, **places) == ["input_required"] * 3
        same = places | {"plan_authority": "a", "plan_number": "2", "plan_version": "1"}
        assert refused(INTAKE, "set_quotas", approved, COORDINATOR, **same) == ["plan_version_new"]
        assert INTAKE.decide("set_quotas", approved, actor(COORDINATOR), same | {"plan_version": "2"}).to_state == state


@pytest.mark.parametrize(
    ("source", "kind", "fits"),
    [
        ("*", None, True), ("*", "any", True), ("*", "province", False),
        ("TH", "country", True), ("th", "country", False), ("泰国", "country", False), ("云南", "any", False),
        ("云南", "province", True), ("泰华订单班", "order_class", True), ("kept", None, True), ("kept", "province", True),
        ("kept", "other", False),
    ],
)  # fmt: skip
def test_intake_source_is_of_one_kind_for_good(source: str, kind: Any, *, fits: bool) -> None:
    draft = facts("INTAKE", "draft", quotas={"kept": Places(1, 0, "province")})
    said = {"quotas": (Quota(source=source, places=1, kind=kind),)}
    if fits:
        assert INTAKE.decide("set_quotas", draft, actor(COORDINATOR), said).to_state == "draft"
    else:
        assert refused(INTAKE, "set_quotas", draft, COORDINATOR, **said) == ["source_of_kind"]


@pytest.mark.parametrize(
    ("known", "said", "reasons"),
    [
        ({}, {}, []),
        ({}, {"from_source": "TH", "to_source": "*"}, []),
        ({}, {"to_source": "*"}, ["sources_differ"]),
        ({}, {"places": 3}, ["places_left"]),
        ({}, {"places": 0}, ["places_left"]),
        ({}, {"from_source": "TH", "to_source": "*", "places": 2}, []),
        ({}, {"to_source": "四川"}, ["source_known"]),
        ({}, {"reason_code": "no reason"}, ["reason_code_known"]),
        ({"quotas": {"*": Places(3, 2), "TH": Places(9, 0)}}, {}, ["places_left"]),
        ({"quotas": {"*": Places(3, 3), "TH": Places(2, 0)}}, {}, ["source_with_places"]),
        ({"quotas": {"*": Places(3, 3), "TH": Places(2, 2)}}, {}, ["places_to_move", "source_with_places", "places_left"]),
        ({"quotas": {"*": Places(3, 1)}}, {"to_source": "*"}, ["places_to_move"]),
        ({"quotas": {"*": Places(3, 1), "TH": Places(99_999, 0)}}, {}, ["places_in_bounds"]),
    ],
)  # fmt: skip
def test_intake_moves_free_places_to_another_source(
    known: dict[str, Any], said: dict[str, Any], reasons: list[str]
) -> None:
    i, body = facts("INTAKE", "open", **known), GIVEN["move_places"] | said
    if reasons:
        assert refused(INTAKE, "move_places", i, COORDINATOR, **body) == reasons
    else:
        assert INTAKE.decide("move_places", i, actor(COORDINATOR), body).to_state == "open"


def test_intake_order_names_those_who_wait_for_one_source_once() -> None:
    i = facts("INTAKE", "closed")
    stranger = uuid4()
    named = replace(i, named=(i.named[0], replace(i.named[1], source="TH")))
    for dossier, order, reasons in (
        (i, (WAITS[0], stranger), ["named_waits"]),
        (i, (WAITS[0], WAITS[0]), ["named_once"]),
        (named, WAITS, ["one_source"]),
        (replace(i, waiting=1), WAITS, ["several_wait"]),
    ):
        said: dict[str, Any] = {"applications": order, "reason_code": "mistake"}
        assert refused(INTAKE, "rerank", dossier, COORDINATOR, **said) == reasons


def test_intake_opens_until_its_last_day_and_completes_when_all_is_decided() -> None:
    published = facts("INTAKE", "published", closes_on=TODAY)
    assert INTAKE.decide("open", published, actor(SYSTEM)).to_state == "open"
    over = replace(published, closes_on=TODAY - timedelta(1))
    assert refused(INTAKE, "open", over, SYSTEM) == ["not_over"]
    assert refused(INTAKE, "complete", facts("INTAKE", "closed", undecided=1), COORDINATOR) == [
        "every_application_decided"
    ]
    early = {"closes_on": TODAY - timedelta(1)}
    assert refused(INTAKE, "reschedule", facts("INTAKE", "open"), COORDINATOR, **early) == ["in_future"]
    late = {"closes_on": TODAY + timedelta(31)}
    assert refused(INTAKE, "reschedule", facts("INTAKE", "open"), COORDINATOR, **late) == ["dates_in_order"]


@pytest.mark.parametrize(
    ("step", "field", "reason"),
    [
        (("publish", "draft", "published"), "applications", "no_application"),
        (("open", "published", "open"), "applications", "no_application"),
        (("complete", "closed", "completed"), "closed_out", "nobody_closed_out"),
        (("cancel", "open", "cancelled"), "closed_out", "nobody_closed_out"),
    ],
)
def test_intake_is_taken_back_only_where_nothing_stands_on_it(
    step: tuple[str, str, str], field: str, reason: str
) -> None:
    moved = facts("INTAKE", step[2], last_step=last(*step))
    assert INTAKE.decide("correct", moved, actor(COORDINATOR), {"note": "-"}).to_state == step[1]
    assert refused(INTAKE, "correct", replace(moved, **{field: 1}), COORDINATOR, note="-") == [reason]


def test_intake_concerns_are_plain_facts() -> None:
    assert Concerned(COURSE_ID, PAPER, "draft", 1).source is None


# ---- applications
@pytest.mark.parametrize(
    ("known", "reasons"),
    [
        ({"intake_state": "published"}, []),
        ({"intake_state": "open"}, []),
        ({"intake_state": "draft"}, ["intake_announced"]),
        ({"intake_state": None}, ["intake_announced"]),
        ({"intake_state": "open", "other_live": True}, ["one_live_application"]),
        ({"intake_state": "open", "enrolled": True}, ["not_enrolled_yet"]),
    ],
)
def test_application_is_drafted_once_to_an_announced_intake(known: dict[str, Any], reasons: list[str]) -> None:
    born, said = NewApplication(state=NEW, today=TODAY, **known), {"intake_id": uuid4()}
    if reasons:
        assert refused(APPLICATION, "draft", born, TRAINEE, **said) == reasons
    else:
        assert APPLICATION.decide("draft", born, actor(TRAINEE), said).to_state == "draft"


def test_application_needs_an_open_intake_consent_and_identity() -> None:
    bare = facts("APPLICATION", "draft", intake_state="closed", consent_given=False, identity_shown=False)
    assert refused(APPLICATION, "submit", bare, TRAINEE) == ["intake_open", "consent_given", "identity_shown"]


@pytest.mark.parametrize(
    ("opens", "closes", "occurred", "granted"),
    [(0, 0, None, True), (-2, -1, None, False), (-2, -1, -1, True), (-2, -1, -3, False), (1, 2, None, False)],
)
def test_application_is_submitted_within_the_dates(
    opens: int, closes: int, occurred: int | None, *, granted: bool
) -> None:
    window = {"opens_on": TODAY + timedelta(opens), "closes_on": TODAY + timedelta(closes)}
    draft = facts("APPLICATION", "draft", **window)
    said = {} if occurred is None else {"occurred_on": TODAY + timedelta(occurred)}
    if granted:
        assert APPLICATION.decide("submit", draft, actor(COORDINATOR), said).to_state == "submitted"
    else:
        assert refused(APPLICATION, "submit", draft, COORDINATOR, **said) == ["within_the_dates"]


def test_application_shows_what_the_intake_asks_everybody_for() -> None:
    bare = facts("APPLICATION", "under_review", wanted=("diploma", "photo"), documents=frozenset({"photo"}))
    assert refused(APPLICATION, "find_eligible", bare, COORDINATOR) == ["documents_supplied"]
    shown = replace(bare, documents=frozenset({"photo", "diploma"}))
    assert APPLICATION.decide("find_eligible", shown, actor(COORDINATOR)).to_state == "eligible"


def test_application_documents_are_all_supplied() -> None:
    asked = facts("APPLICATION", "documents_required", asked=("diploma", "photo"), documents=frozenset({"photo"}))
    assert refused(APPLICATION, "supply_documents", asked, TRAINEE) == ["documents_supplied"]
    there = replace(asked, documents=frozenset({"photo", "diploma", "other"}))
    assert APPLICATION.decide("supply_documents", there, actor(TRAINEE)).to_state == "under_review"
    review = facts("APPLICATION", "under_review")
    assert refused(APPLICATION, "ask_documents", review, COORDINATOR, documents=("soul",)) == ["document_kind_known"]


START = TODAY + timedelta(30)
N3 = Held("language", "jlpt", "N3")


@pytest.mark.parametrize(
    ("known", "reasons"),
    [
        ({"level_least": 3, "shown_education": 3}, []),
        ({"level_least": 3, "shown_education": 2}, ["level_reached"]),
        ({"level_least": 0}, ["level_reached"]),
        ({"age_least": 18, "birth_on": START.replace(year=START.year - 18)}, []),
        ({"age_least": 18, "birth_on": START.replace(year=START.year - 18) + timedelta(1)}, ["age_within"]),
        ({"age_most": 18, "birth_on": START.replace(year=START.year - 19)}, ["age_within"]),
        ({"age_most": 18, "birth_on": START.replace(year=START.year - 19) + timedelta(1)}, []),
        ({"nationalities": ("TH", "KH")}, ["nationality_taken"]),
        ({"nationalities": ("TH", "CN")}, []),
        ({"languages": (PROOF,)}, ["language_proven"]),
        ({"languages": (PROOF,), "certificates": (N3,)}, []),
        ({"languages": (PROOF,), "certificates": (replace(N3, valid_until=START),)}, []),
        (
            {"languages": (PROOF,), "certificates": (replace(N3, valid_until=START - timedelta(1)),)},
            ["language_proven"],
        ),
        ({"languages": (PROOF,), "certificates": (replace(N3, level="N5"),)}, ["language_proven"]),
    ],
)
def test_application_is_eligible_by_level_age_nationality_and_language(
    known: dict[str, Any], reasons: list[str]
) -> None:
    review = facts("APPLICATION", "under_review", **known)
    if reasons:
        assert refused(APPLICATION, "find_eligible", review, COORDINATOR) == reasons
    else:
        assert APPLICATION.decide("find_eligible", review, actor(COORDINATOR)).to_state == "eligible"


def hsk(taken_on: date | None, **more: Any) -> Held:
    paper = languages.Held(state="verified", test="hsk_2", level="5", taken_on=taken_on)
    return Held("language", "hsk_2", "5", paper=replace(paper, **more))


HSK = Proof(test="hsk_2", level="4", purpose="chinese_admission")
ANY_HSK = Proof(test="hsk_2", level="4")
TWO_YEARS_AGO = TODAY.replace(year=TODAY.year - 2)


@pytest.mark.parametrize("move", [("find_eligible", "under_review"), ("select", "eligible"), ("select", "waitlisted")])
@pytest.mark.parametrize(
    ("wanted", "held", "back"),
    [
        ((HSK,), (hsk(TWO_YEARS_AGO),), None),
        ((HSK,), (hsk(TWO_YEARS_AGO - timedelta(1)),), ["hsk_2 5 (hsk-2-admission, 2026-11-21)"]),
        ((ANY_HSK,), (hsk(TWO_YEARS_AGO - timedelta(1)),), None),
        ((HSK, PROOF), (hsk(None), N3), None),
        ((HSK,), (hsk(None),), ["hsk_2 5 (hsk-2-admission)"]),
        ((HSK,), (hsk(TODAY, passed=False),), ["hsk_2 5 (not_passed)"]),
        ((HSK,), (Held("language", "hsk_2", "5"), Held("skill"), N3), ["hsk_2", "jlpt"]),
        ((replace(HSK, level="6"),), (hsk(TODAY),), ["hsk_2"]),
    ],
)
def test_application_shows_a_test_that_is_good_for_its_purpose_on_the_day(
    move: tuple[str, str], wanted: tuple[Proof, ...], held: tuple[Held, ...], back: list[str] | None
) -> None:
    """HSK counts for two years of the test for admission in China (gjxy.dgut.edu.cn/info/1188/1466), and for ever else."""
    action, state = move
    facts_ = facts("APPLICATION", state, languages=wanted, certificates=held, book=language_tests())
    if back is None:
        assert APPLICATION.decide(action, facts_, actor(COORDINATOR)).to_state
        return
    with pytest.raises(Refused) as no:
        APPLICATION.decide(action, facts_, actor(COORDINATOR))
    (reason,) = no.value.reasons
    level = wanted[0].level
    assert (reason.code, reason.required, reason.actual) == (
        "language_proven", [f"hsk_2 {level} (chinese_admission)"], back,
    )  # fmt: skip


def test_application_counts_under_a_source_of_the_plan() -> None:
    review = facts("APPLICATION", "under_review", sources=frozenset({"*", "云南"}))
    assert refused(APPLICATION, "find_eligible", review, COORDINATOR, source="四川") == ["source_known"]
    assert APPLICATION.decide("find_eligible", review, actor(COORDINATOR), {"source": "云南"}).to_state == "eligible"


def test_application_start_is_today_where_no_day_is_planned() -> None:
    assert facts("APPLICATION", "draft", starts_on=None).start == TODAY
    undated = facts("APPLICATION", "draft", opens_on=None, closes_on=None)
    assert APPLICATION.decide("submit", undated, actor(TRAINEE)).to_state == "submitted"


@pytest.mark.parametrize(
    ("known", "reasons"),
    [
        ({"taken": 2}, []),
        ({"intake_state": "closed"}, []),
        ({"taken": 3}, ["place_free"]),
        ({"places": None, "taken": 0}, ["source_in_plan"]),
        ({"intake_state": "cancelled"}, ["intake_decides"]),
    ],
)
def test_application_is_selected_while_a_place_is_free(known: dict[str, Any], reasons: list[str]) -> None:
    eligible = facts("APPLICATION", "eligible", **known)
    if reasons:
        assert refused(APPLICATION, "select", eligible, COORDINATOR) == reasons
    else:
        assert APPLICATION.decide("select", eligible, actor(COORDINATOR)).to_state == "selected"


def test_application_leaves_the_waiting_list_in_order_or_with_a_reason() -> None:
    second = facts("APPLICATION", "waitlisted", rank=2, waiting_before=frozenset({uuid4()}))
    assert refused(APPLICATION, "select", second, COORDINATOR) == ["in_order_of_rank"]
    said = {"reason_code": "not_reached"}
    assert APPLICATION.decide("select", second, actor(COORDINATOR), said).to_state == "selected"
    assert APPLICATION.decide("select", replace(second, state="eligible"), actor(COORDINATOR)).to_state == "selected"
    waiting = facts("APPLICATION", "eligible", ranks=frozenset({1}))
    assert refused(APPLICATION, "waitlist", waiting, COORDINATOR, rank=1) == ["rank_free"]
    assert refused(APPLICATION, "waitlist", waiting, COORDINATOR, rank=0) == ["out_of_bounds"]
    assert refused(APPLICATION, "waitlist", replace(waiting, intake_state="completed"), COORDINATOR) == [
        "intake_decides"
    ]


@pytest.mark.parametrize("step", [("withdraw", "eligible", "withdrawn"), ("decline", "eligible", "not_selected")])
def test_application_comes_back_while_its_intake_is_not_over(step: tuple[str, str, str]) -> None:
    ended = facts("APPLICATION", step[2], last_step=last(*step))
    assert APPLICATION.decide("correct", ended, actor(COORDINATOR), {"note": "-"}).to_state == "eligible"
    dead = replace(ended, intake_state="completed", other_live=True)
    assert refused(APPLICATION, "correct", dead, COORDINATOR, note="-") == ["intake_not_over", "one_live_application"]


def test_application_selection_is_taken_back_while_the_enrolment_is_pending() -> None:
    selected = facts("APPLICATION", "selected", last_step=last("select", "eligible", "selected"))
    assert APPLICATION.decide("correct", selected, actor(COORDINATOR), {"note": "-"}).to_state == "eligible"
    assert refused(APPLICATION, "correct", replace(selected, enrolment_state="enrolled"), COORDINATOR, note="-") == [
        "enrolment_pending"
    ]
    out = facts("APPLICATION", "not_selected", last_step=last("close_out", "draft", "not_selected"))
    assert refused(APPLICATION, "correct", out, COORDINATOR, note="-") == ["correctable"]


# ---- certificates as proofs
def test_proof_is_of_the_test_at_its_level_and_valid() -> None:
    assert proven((), (), TODAY)
    assert not proven((), (PROOF,), TODAY)
    assert proven((N3,), (PROOF, Proof(test="jft_basic")), TODAY)
    assert proven((Held("language", "jft_basic"),), (PROOF, Proof(test="jft_basic")), TODAY)
    assert not proven((Held("skill", "ssw1_skills", "fail"),), (Proof(test="ssw1_skills"),), TODAY)
    assert not proven((Held("language", "jlpt", None),), (PROOF,), TODAY)
    assert not proven((Held("language", "hsk_3", "9"),), (PROOF,), TODAY)
    assert not proven((N3,), (Proof(test="jlpt", level="C1"),), TODAY)
    assert not Held("language", valid_until=TODAY - timedelta(1)).valid_on(TODAY)


# ---- enrolments
def test_enrolment_needs_an_identity_and_a_fee() -> None:
    pending = facts("ENROLMENT", "pending", identity_verified=False)
    assert refused(ENROLMENT, "enrol", pending, COORDINATOR) == ["identity_verified", "input_required"]
    assert refused(ENROLMENT, "enrol", facts("ENROLMENT", "pending"), COORDINATOR, fee="later") == ["fee_or_waiver"]


@pytest.mark.parametrize(
    ("known", "reasons"),
    [
        ({"credits_earned": Decimal("5.5"), "credits_waived": Decimal("0.5")}, []),
        ({"credits_earned": Decimal("5.5")}, ["stage_credits"]),
        ({"credits_earned": Decimal(6), "required_open": (COURSE_ID,)}, ["required_courses"]),
        ({"credits_earned": Decimal(6), "stage": 2}, ["stage_follows"]),
    ],
)
def test_enrolment_advances_with_the_credits_of_its_stage(known: dict[str, Any], reasons: list[str]) -> None:
    enrolled = facts("ENROLMENT", "enrolled", credits_required=Decimal(6), **known)
    if reasons:
        assert refused(ENROLMENT, "advance_stage", enrolled, REGISTRAR) == reasons
    else:
        assert ENROLMENT.decide("advance_stage", enrolled, actor(REGISTRAR)).to_state == "enrolled"


def test_enrolment_completes_with_all_that_the_programme_asks_for() -> None:
    bare = facts(
        "ENROLMENT", "enrolled", stage=1, credits_required=Decimal(1), required_open=(COURSE_ID,),
        languages=(PROOF,), certificates_wanted=("skill",), certificates=(Held("skill", valid_until=date(2020, 1, 1)),),
    )  # fmt: skip
    assert refused(ENROLMENT, "complete", bare, REGISTRAR) == [
        "in_last_stage", "stage_credits", "required_courses", "language_proven", "programme_certificates",
    ]  # fmt: skip
    whole = replace(
        bare,
        stage=2,
        credits_earned=Decimal(1),
        required_open=(),
        certificates=(N3, Held("skill", "ssw1_skills", "pass")),
    )
    assert ENROLMENT.decide("complete", whole, actor(REGISTRAR)).to_state == "completed"


@pytest.mark.parametrize("action", ["advance_stage", "complete"])
def test_enrolment_leaves_a_stage_with_the_language_that_it_asks_for(action: str) -> None:
    facts_ = facts("ENROLMENT", "enrolled", stage=1 if action == "advance_stage" else 2, stage_languages=(PROOF,))
    held = replace(facts_, certificates=(Held("skill"), Held("language", "topik", "3")))
    with pytest.raises(Refused) as no:
        ENROLMENT.decide(action, held, actor(REGISTRAR))
    assert no.value.reasons == (Reason("stage_language", required=["jlpt N4"], actual=["topik"]),)
    assert refused(ENROLMENT, action, facts_, REGISTRAR) == ["stage_language"]
    step = ENROLMENT.decide(action, replace(held, certificates=(N3,)), actor(REGISTRAR))
    assert step.from_state == "enrolled"


def test_enrolment_is_completed_with_a_test_that_is_good_for_its_purpose_on_the_day() -> None:
    asked = facts("ENROLMENT", "enrolled", stage=2, languages=(HSK,), book=language_tests())
    good = replace(asked, certificates=(hsk(TWO_YEARS_AGO),))
    assert ENROLMENT.decide("complete", good, actor(REGISTRAR)).to_state == "completed"
    stale = replace(asked, certificates=(hsk(TWO_YEARS_AGO - timedelta(1)),))
    assert refused(ENROLMENT, "complete", stale, REGISTRAR) == ["language_proven"]


def test_enrolment_waiver_is_of_something_within_the_stage() -> None:
    enrolled = facts("ENROLMENT", "enrolled", credits_required=Decimal(6), required_open=(COURSE_ID,))
    said = {"reason_code": "prior_learning", "evidence": (PAPER,)}
    assert refused(ENROLMENT, "waive_credits", enrolled, REGISTRAR, **said) == ["something_waived"]
    assert refused(ENROLMENT, "waive_credits", enrolled, REGISTRAR, **said, credits=Decimal(7)) == ["out_of_bounds"]
    assert refused(ENROLMENT, "waive_credits", enrolled, REGISTRAR, **said, courses=(PAPER,)) == ["course_outstanding"]
    assert refused(ENROLMENT, "waive_credits", enrolled, REGISTRAR, reason_code="other", credits=Decimal(1)) == [
        "evidence_required"
    ]
    waived = ENROLMENT.decide("waive_credits", enrolled, actor(REGISTRAR), said | {"courses": (COURSE_ID,)})
    assert waived.to_state == "enrolled"


def test_entry_is_of_who_comes_from_abroad_once_and_not_tomorrow() -> None:
    pending = facts("ENROLMENT", "pending")
    assert ENROLMENT.decide("enter", pending, actor(COORDINATOR), {"entered_on": TODAY}).to_state == "pending"
    assert refused(ENROLMENT, "enter", pending, COORDINATOR, entered_on=TODAY + timedelta(1)) == ["out_of_bounds"]
    entered = replace(pending, entered_on=TODAY)
    assert refused(ENROLMENT, "enter", entered, COORDINATOR, entered_on=TODAY) == ["not_entered_yet"]
    home = replace(pending, requirements=RequirementFacts(nationality="CN", destination="CN"))
    assert refused(ENROLMENT, "enter", home, COORDINATOR, entered_on=TODAY) == ["from_abroad"]


def test_enrolment_leave_ends_after_it_begins() -> None:
    said = {"leave_from": TODAY, "leave_until": TODAY - timedelta(1), "reason_code": "health"}
    assert refused(ENROLMENT, "take_leave", facts("ENROLMENT", "enrolled"), COORDINATOR, **said) == ["leave_in_order"]


@pytest.mark.parametrize(
    ("state", "holds", "frees"),
    [("open", True, True), ("published", True, True), ("closed", True, False), ("open", False, False)],
)
def test_enrolment_frees_its_place_while_the_intake_is_not_closed(state: str, *, holds: bool, frees: bool) -> None:
    assert facts("ENROLMENT", "enrolled", intake_state=state, holds_place=holds).frees_place == frees


def test_enrolment_comes_back_only_to_a_free_place() -> None:
    left = facts("ENROLMENT", "withdrawn", last_step=last("withdraw", "enrolled", "withdrawn"), holds_place=False)
    assert ENROLMENT.decide("correct", left, actor(COORDINATOR), {"note": "-"}).to_state == "enrolled"
    full = replace(left, taken=3, intake_state="cancelled", other_live=True)
    assert refused(ENROLMENT, "correct", full, COORDINATOR, note="-") == [
        "place_free", "intake_not_over", "only_enrolment",
    ]  # fmt: skip
    assert refused(ENROLMENT, "correct", replace(left, places=None), COORDINATOR, note="-") == ["place_free"]
    kept = replace(left, holds_place=True, taken=3)
    assert ENROLMENT.decide("correct", kept, actor(COORDINATOR), {"note": "-"}).to_state == "enrolled"
