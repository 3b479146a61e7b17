"""Requirement packs: which rules hold for a person, and what is not met yet on the day of an event."""

from __future__ import annotations

from service.domain.requirements.choosing import NoPack, Packs, choose, choose_study, reopen
from service.domain.requirements.dates import add_months, add_working_days, age_on
from service.domain.requirements.evaluation import ChecklistRow, Unmet, checklist, still_valid, unmet
from service.domain.requirements.facts import Evidence, Payment, RequirementFacts, Staff, TestResult, purpose_of
from service.domain.requirements.model import (
    ALWAYS,
    GATES,
    LINE,
    TERMS,
    Due,
    Gate,
    Obligation,
    Pack,
    Requirement,
    Source,
)

__all__ = [
    "ALWAYS",
    "GATES",
    "LINE",
    "TERMS",
    "ChecklistRow",
    "Due",
    "Evidence",
    "Gate",
    "NoPack",
    "Obligation",
    "Pack",
    "Packs",
    "Payment",
    "Requirement",
    "RequirementFacts",
    "Source",
    "Staff",
    "TestResult",
    "Unmet",
    "add_months",
    "add_working_days",
    "age_on",
    "checklist",
    "choose",
    "choose_study",
    "purpose_of",
    "reopen",
    "still_valid",
    "unmet",
]
