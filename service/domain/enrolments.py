"""Enrolments: from the place that a selection gave, through a programme's stages, to completion or another end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from service.domain.actors import COORDINATOR, GUARDIAN, REGISTRAR, SYSTEM, TRAINEE
from service.domain.debts import debts_settled, provable
from service.domain.gates import gated, lacking, turning_days
from service.domain.intakes import FREES
from service.domain.languages import NO_TESTS, LanguageTests
from service.domain.levels import Days, Held, Proof, held_back, named, proven
from service.domain.lifecycle import (
    NEW,
    VOIDED,
    Check,
    Dossier,
    Given,
    Guard,
    Lifecycle,
    Reason,
    Rule,
    Takes,
    because,
)
from service.domain.requirements import GATES, Obligation, Requirement, RequirementFacts

if TYPE_CHECKING:
    from service.domain.obligations import Duty

FEES = ("paid", "scholarship", "hardship", "employer_pays", "no_fee")
"""That the fee was paid, or why it is waived."""
LIVE = ("pending", "enrolled", "on_leave")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentDossier(Dossier):
    """All that the rules of an enrolment may know.

    `credits_earned` are those of the present stage by the ledger, `credits_waived` those that were waived for it.
    `required_open` are required courses of the present stage that are neither earned nor waived. `holds_place` says
    whether it holds a place of the plan, of which `places` are there and `taken` are taken. `duties` are the
    obligations that stand, `zone` is where their days end, `book` what is known of the tests. `study_duties` are what
    the packs for studies make fall due, each with the pin of its pack.
    """

    intake_id: UUID
    intake_state: str = ""
    source: str
    holds_place: bool = True
    places: int | None = None
    taken: int = 0
    identity_verified: bool = False
    stage: int = 1
    stages: int = 1
    curriculum_id: UUID | None = None
    credits_required: Decimal = Decimal(0)
    credits_earned: Decimal = Decimal(0)
    credits_waived: Decimal = Decimal(0)
    required_open: tuple[UUID, ...] = ()
    stage_languages: tuple[Proof, ...] = ()
    languages: tuple[Proof, ...] = ()
    certificates_wanted: tuple[str, ...] = ()
    certificates: tuple[Held, ...] = ()
    book: LanguageTests = field(default=NO_TESTS, hash=False)
    other_live: bool = False
    last_waiver: UUID | None = None
    leave_from: date | None = None
    asked: tuple[Requirement, ...] = ()
    requirements: RequirementFacts = field(default_factory=RequirementFacts)
    entered_on: date | None = None
    study_duties: tuple[tuple[str, Obligation], ...] = ()
    duties: tuple[Duty, ...] = ()
    zone: str = ""

    @property
    def frees_place(self) -> bool:
        """Whether leaving gives a place back: only while somebody else can still be given it."""
        return self.holds_place and self.intake_state in FREES


def _gate(stage: str) -> tuple[Guard[Any], Check[Any], Sequence[Takes[Any]]]:
    """What the packs for studies ask of a foreign student, before a step of the enrolment."""

    def closed(e: EnrolmentDossier, on: date) -> list[Reason]:
        return lacking(e.asked, GATES[stage], on, e.requirements)

    return gated(closed, lambda e: turning_days((r, e.requirements) for r in e.asked))


ENROL_OPEN, ENROL_MET, ENROL_DAY = _gate("enrolled")
ADVANCE_OPEN, ADVANCE_MET, ADVANCE_DAY = _gate("stage_advanced")
COMPLETE_OPEN, COMPLETE_MET, COMPLETE_DAY = _gate("programme_completed")


def identity_verified(e: EnrolmentDossier) -> Reason | None:
    """Somebody accepted a document of identity: a passport or an identity card."""
    return None if e.identity_verified else Reason("identity_verified", required=["passport", "identity"])


def from_abroad(e: EnrolmentDossier) -> Reason | None:
    """Only who is no national of the country enters it to study."""
    country = e.requirements.destination
    return Reason("from_abroad", actual=country) if e.requirements.nationality == country else None


def not_entered_yet(e: EnrolmentDossier) -> Reason | None:
    """An entry is recorded once; a wrong day is corrected."""
    return Reason("not_entered_yet", actual=e.entered_on) if e.entered_on is not None else None


def stage_follows(e: EnrolmentDossier) -> Reason | None:
    """There is a stage after this one."""
    return Reason("stage_follows", required=e.stages, actual=e.stage) if e.stage >= e.stages else None


def in_last_stage(e: EnrolmentDossier) -> Reason | None:
    """Only the last stage completes a programme."""
    return Reason("in_last_stage", required=e.stages, actual=e.stage) if e.stage < e.stages else None


def stage_credits(e: EnrolmentDossier) -> Reason | None:
    """The credits of the stage are earned, recognised or waived."""
    had = e.credits_earned + e.credits_waived
    return Reason("stage_credits", required=e.credits_required, actual=had) if had < e.credits_required else None


def required_courses(e: EnrolmentDossier) -> Reason | None:
    """Every required course of the stage is earned, recognised or waived."""
    return Reason("required_courses", required=list(e.required_open)) if e.required_open else None


def _unproven(code: str, e: EnrolmentDossier, wanted: Sequence[Proof]) -> Reason | None:
    days = Days(e.today, e.today, e.book)
    if proven(e.certificates, wanted, days):
        return None
    return Reason(code, required=named(wanted), actual=held_back(e.certificates, wanted, days))


def stage_language(e: EnrolmentDossier) -> Reason | None:
    """A verified and valid certificate proves one of the tests that the stage asks for before the next one."""
    return _unproven("stage_language", e, e.stage_languages)


def language_proven(e: EnrolmentDossier) -> Reason | None:
    """A verified and valid certificate proves one of the tests that the programme asks for."""
    return _unproven("language_proven", e, e.languages)


def programme_certificates(e: EnrolmentDossier) -> Reason | None:
    """Every certificate that the programme asks for is there, verified."""
    missing = sorted(set(e.certificates_wanted) - {h.kind for h in e.certificates if h.valid_on(e.today)})
    return Reason("programme_certificates", required=list(e.certificates_wanted), actual=missing) if missing else None


def leave_in_order(_: EnrolmentDossier, given: Given) -> Reason | None:
    """A leave begins before it ends."""
    if given["leave_from"] > given["leave_until"]:
        return Reason(
            "leave_in_order", required=given["leave_from"], actual=given["leave_until"], pointer="/leave_until"
        )
    return None


def something_waived(_: EnrolmentDossier, given: Given) -> Reason | None:
    """A waiver is of credits, of courses, or of both."""
    courses: Sequence[UUID] = given.get("courses") or ()
    if not given.get("credits") and not courses:
        return Reason("something_waived", required=["credits", "courses"], pointer="/credits")
    return None


# ---- what a correction needs
def place_free_again(e: EnrolmentDossier) -> Reason | None:
    """A place that was given back is taken again only while one is free."""
    if not e.holds_place and (e.places is None or e.taken >= e.places):
        return Reason("place_free", required=e.places or 0, actual=e.taken)
    return None


def intake_not_cancelled(e: EnrolmentDossier) -> Reason | None:
    """A cancelled intake has no pending enrolment."""
    return Reason("intake_not_over", actual=e.intake_state) if e.intake_state == "cancelled" else None


def only_enrolment(e: EnrolmentDossier) -> Reason | None:
    """A person has one live enrolment an intake."""
    return Reason("only_enrolment", required=1) if e.other_live else None


FEE: Takes[Any] = Takes("fee", str, "That the fee was paid, or why it is waived.", choices=FEES, code="fee_or_waiver")
ENTERED: Takes[Any] = Takes("entered_on", date, "The day of the entry into the country.", most=lambda e: e.today)
LEAVE: tuple[Takes[Any], ...] = (
    Takes("leave_from", date, "The first day of the leave."),
    Takes("leave_until", date, "Its last day."),
    because("health", "military_service", "family", "financial", "personal", "other"),
)
WAIVED: tuple[Takes[EnrolmentDossier], ...] = (
    Takes(
        "credits",
        Decimal,
        "Credits of the present stage that are waived.",
        needed=False,
        least=Decimal(0),
        most=lambda e: e.credits_required,
    ),
    Takes(
        "courses",
        tuple[UUID, ...],
        "Required courses of the present stage that are waived.",
        needed=False,
        choices=lambda e: list(e.required_open),
        code="course_outstanding",
    ),
    because("prior_learning", "curriculum_changed", "health", "force_majeure", "other"),
)
CANCELLED = because("no_show", "fees_unpaid", "identity_unverified", "intake_cancelled", "other")
WITHDRAWN = because("personal", "family", "financial", "health", "other_offer", "moved_away", "other")
DISMISSED = because("disciplinary", "fees_unpaid", "low_attendance", "fraud", "failed_test", "other")
COORD, REG = [COORDINATOR], [REGISTRAR]
LEAVES = [TRAINEE, GUARDIAN, COORDINATOR]
RETURNS = [place_free_again, intake_not_cancelled, only_enrolment]
ADVANCES = [stage_follows, stage_credits, required_courses, stage_language, ADVANCE_OPEN, debts_settled]
COMPLETES = [
    in_last_stage,
    stage_credits,
    required_courses,
    stage_language,
    language_proven,
    programme_certificates,
    COMPLETE_OPEN,
    debts_settled,
]

# fmt: off
ENROLMENT = Lifecycle[Any]("enrolment", [
    #    action           from          to           who      only if              leaves behind
    Rule("create",        [NEW],        "pending",   [SYSTEM], [],                 "enrolment.created", undo=False),
    Rule("enrol",         ["pending"],  "enrolled",  COORD,   [identity_verified, ENROL_OPEN], "enrolment.enrolled",
         takes=[FEE, *ENROL_DAY], checks=[ENROL_MET]),
    Rule("cancel",        ["pending"],  "cancelled", [COORDINATOR, SYSTEM], [],    "enrolment.cancelled",
         takes=[CANCELLED], shared=True, undo=RETURNS),
    *[Rule("enter",       [state],      state,       COORD,   [from_abroad, not_entered_yet], "enrolment.entered",
         takes=[ENTERED]) for state in LIVE],
    Rule("take_leave",    ["enrolled"], "on_leave",  COORD,   [],                  "enrolment.leave_taken",
         takes=LEAVE, checks=[leave_in_order]),
    Rule("resume",        ["on_leave"], "enrolled",  COORD,   [],                  "enrolment.resumed"),
    Rule("waive_credits", ["enrolled"], "enrolled",  REG,     [],                  "enrolment.credits_waived",
         takes=WAIVED, checks=[something_waived], evidence=True),
    Rule("advance_stage", ["enrolled"], "enrolled",  REG,     ADVANCES,            "enrolment.stage_advanced",
         takes=ADVANCE_DAY, checks=[ADVANCE_MET]),
    Rule("complete",      ["enrolled"], "completed", REG,     COMPLETES,           "enrolment.completed",
         takes=COMPLETE_DAY, checks=[COMPLETE_MET]),
    Rule("withdraw",      LIVE,         "withdrawn", LEAVES,  [],                  "enrolment.withdrawn",
         takes=[WITHDRAWN], shared=True, undo=RETURNS),
    Rule("dismiss",       ["enrolled", "on_leave"], "dismissed", COORD, [],        "enrolment.dismissed",
         takes=[DISMISSED], shared=True, evidence=True, undo=RETURNS),
    # The selection that made it was taken back, or the import by which somebody came in mid-way.
    Rule("void",          [*LIVE, "completed"], VOIDED, [SYSTEM], [],              "enrolment.voided", shared=True, undo=False),
], provable=provable("identity_verified", "stage_credits", "required_courses", "stage_language", "language_proven",
                     "programme_certificates"))
# fmt: on
