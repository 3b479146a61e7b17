"""What waits for whom: in which state of a thing the next step is whose, and how that is called on their list."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.actors import (
    ADMIN,
    AGENCY,
    COORDINATOR,
    ENTERPRISE,
    GUARDIAN,
    INSTRUCTOR,
    REGISTRAR,
    TRAINEE,
    Role,
)


@dataclass(frozen=True, slots=True)
class Waits:
    """One kind of task: while the subject is in one of the states, the action is the next of these roles."""

    task: str
    subject: str
    states: tuple[str, ...]
    action: str
    who: tuple[Role, ...]


THEMSELVES = (TRAINEE, GUARDIAN)

# fmt: off
WAITS: tuple[Waits, ...] = (
    #     task                       subject              in the states             action              whose
    Waits("take_on_application",     "application",       ("submitted",),           "take_on",          (COORDINATOR,)),
    Waits("judge_application",       "application",       ("under_review",),        "find_eligible",    (COORDINATOR,)),
    Waits("supply_documents",        "application",       ("documents_required",),  "supply_documents", THEMSELVES),
    Waits("select_applicant",        "application",       ("eligible",),            "select",           (COORDINATOR,)),
    Waits("enrol",                   "enrolment",         ("pending",),             "enrol",            (COORDINATOR,)),
    Waits("approve_programme",       "programme",         ("draft",),               "approve",          (ADMIN,)),
    Waits("activate_programme",      "programme",         ("approved",),            "activate",         (COORDINATOR,)),
    Waits("start_class",             "training_class",    ("open",),                "start",            (INSTRUCTOR,)),
    Waits("take_attendance",         "training_class",    ("running",),             "take_attendance",  (INSTRUCTOR,)),
    Waits("finish_class",            "training_class",    ("running",),             "finish",           (INSTRUCTOR,)),
    Waits("confirm_hours",           "training_class",    ("running", "completed"), "confirm_hours",    (ENTERPRISE,)),
    Waits("accept_document",         "document",          ("uploaded",),            "accept",           (COORDINATOR,)),
    Waits("verify_certificate",      "certificate",       ("recorded",),            "verify",           (COORDINATOR, REGISTRAR)),
    Waits("answer_consent",          "consent",           ("requested",),           "give",             THEMSELVES),
    Waits("answer_correction",       "correction_request", ("filed",),               "accept",           (COORDINATOR, REGISTRAR)),
    Waits("make_correction",         "correction_request", ("accepted",),            "settle",           (COORDINATOR, REGISTRAR)),
    Waits("take_on_case",            "recognition_case",  ("opened",),              "take_on",          (REGISTRAR,)),
    Waits("decide_case",             "recognition_case",  ("assessing",),           "decide",           (REGISTRAR,)),
    Waits("supply_evidence",         "recognition_case",  ("evidence_requested",),  "supply_evidence",  THEMSELVES),
    Waits("decide_appeal",           "recognition_case",  ("appealed",),            "decide_appeal",    (REGISTRAR,)),
    Waits("verify_relationship",     "relationship",      ("recorded",),            "verify",           (COORDINATOR, ADMIN)),
    Waits("take_on_request",         "placement_request", ("submitted",),           "take_on",          (COORDINATOR,)),
    Waits("judge_request",           "placement_request", ("under_review",),        "approve",          (COORDINATOR,)),
    Waits("change_request",          "placement_request", ("changes_requested",),   "submit",           (ENTERPRISE,)),
    Waits("ask_consent",             "candidacy",         ("identified",),          "ask_consent",      (COORDINATOR,)),
    Waits("answer_nomination",       "candidacy",         ("consent_pending",),     "nominate",         THEMSELVES),
    Waits("look_at_candidate",       "candidacy",         ("nominated",),           "shortlist",        (ENTERPRISE,)),
    Waits("make_offer",              "candidacy",         ("selected",),            "offer",            (ENTERPRISE,)),
    Waits("answer_offer",            "candidacy",         ("offered",),             "accept",           (TRAINEE,)),
    Waits("accept_item",             "requirement_item",  ("supplied",),            "accept",           (COORDINATOR,)),
    Waits("resupply_item",           "requirement_item",  ("rejected",),            "resupply",         (*THEMSELVES, ENTERPRISE, AGENCY)),
    Waits("send_off",                "placement",         ("ready",),               "depart",           (AGENCY,)),
    Waits("confirm_terms",           "placement",         ("arrived",),             "confirm_terms",    (TRAINEE,)),
    Waits("start_work",              "placement",         ("arrived",),             "start_work",       (ENTERPRISE,)),
    Waits("decide_extension",        "placement",         ("extension_pending",),   "extend",           (COORDINATOR,)),
    Waits("find_missing",            "placement",         ("absconded",),           "found",            (COORDINATOR,)),
    Waits("bring_home",              "placement",         ("completed", "early_return", "terminated_abroad"), "start_return", (COORDINATOR,)),
    Waits("record_return",           "placement",         ("returning",),           "record_return",    (COORDINATOR,)),
    Waits("interview_returned",      "placement",         ("returned",),            "reintegrate",      (COORDINATOR,)),
)
# fmt: on

DUTY = "obligation"
"""An obligation, for each of whom owes it."""
CONTESTED = "answer_contest"
"""A step that somebody contests, for a coordinator to uphold or correct."""
PLACE_AGAIN = "place_again"
"""Somebody whose placement or candidacy ended with their request, and who has found nothing since."""
ATTENTION = ("flight_late", "flight_critical", "obligation_overdue", "evidence_expiring")
"""What needs attention, the most pressing first: a missed flight, one in danger, what is owed, papers that run out."""
TASKS = (*(w.task for w in WAITS), DUTY, CONTESTED, PLACE_AGAIN)
"""Every kind; the place in this list orders tasks of one day and one thing."""
