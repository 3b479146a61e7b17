"""Requirement packs: which rules hold for a person, and what is not met yet on the day of an event."""

from __future__ import annotations

from service.domain.requirements.choosing import NoPack, Packs, choose, choose_study, moved, reopen
from service.domain.requirements.dates import add_months, add_working_days, age_on
from service.domain.requirements.due import day_of_stage, due_on, good_from
from service.domain.requirements.evaluation import ChecklistRow, Unmet, checklist, still_valid, unmet
from service.domain.requirements.facts import Evidence, Payment, RequirementFacts, Staff, TestResult, purpose_of
from service.domain.requirements.model import (
    ALWAYS,
    GATES,
    LINE,
    TERMS,
    AnyTest,
    Due,
    Gate,
    Obligation,
    Pack,
    Requirement,
    Source,
    Transition,
)
from service.domain.requirements.rehearsing import (
    Difference,
    OnTheWay,
    Outcome,
    difference,
    from_day,
    outcome,
    ways_out,
)

__all__ = [
    "ALWAYS",
    "GATES",
    "LINE",
    "TERMS",
    "AnyTest",
    "ChecklistRow",
    "Difference",
    "Due",
    "Evidence",
    "Gate",
    "NoPack",
    "Obligation",
    "OnTheWay",
    "Outcome",
    "Pack",
    "Packs",
    "Payment",
    "Requirement",
    "RequirementFacts",
    "Source",
    "Staff",
    "TestResult",
    "Transition",
    "Unmet",
    "add_months",
    "add_working_days",
    "age_on",
    "checklist",
    "choose",
    "choose_study",
    "day_of_stage",
    "difference",
    "due_on",
    "from_day",
    "good_from",
    "moved",
    "outcome",
    "purpose_of",
    "reopen",
    "still_valid",
    "unmet",
    "ways_out",
]
