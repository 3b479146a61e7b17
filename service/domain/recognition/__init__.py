"""Recognition of what was learnt elsewhere: claims on results, decisions with reasons, appeal, a ledger of credits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR, GUARDIAN, REGISTRAR, SYSTEM, TRAINEE
from service.domain.equivalences import DIFFERENCES, Difference, Equivalence
from service.domain.lifecycle import NEW, Lifecycle, Rule, Takes, because
from service.domain.recognition.facts import (
    APPEAL_DAYS,
    APPEAL_OUTCOMES,
    CENT,
    DUE_WEEKS,
    EVIDENCE_DAYS,
    EVIDENCE_KINDS,
    KINDS,
    OUTCOMES,
    WHOLE,
    CaseDossier,
    CaseItem,
    Claimable,
    Earned,
    ItemDecision,
    NewCase,
    Outcome,
    SavedRule,
    WantedItem,
    awarded,
    mode_of,
    shares,
)
from service.domain.recognition.guards import (
    amended_items_named,
    another_decider,
    appeal_in_time,
    appeal_time_over,
    decisions_sound,
    each_item_decided,
    each_supplied,
    evidence_overdue,
    final_or_assessing,
    items_sound,
    not_final,
    notified_or_final,
    results_shown,
    shares_free,
    shares_free_again,
    supersedes_reversed,
)
from service.domain.recognition.judging import (
    automatic_for_the_system,
    awards_of,
    awards_sound,
    next_to_sign,
    of_case,
    promises_kept,
    rules_take_it,
    saved_soundly,
    signed_off,
    within_regulation,
)

OPENED: tuple[Takes[Any], ...] = (
    Takes("kind", str, "From a transcript, or from prior learning.", choices=KINDS),
    Takes("items", tuple[WantedItem, ...], "Shares of results, and what they are to count as."),
    Takes("supersedes_id", UUID, "The reversed case that this one takes the place of.", needed=False),
)
ASKED: tuple[Takes[Any], ...] = (
    Takes("missing", tuple[str, ...], "Kinds of documents that are missing.", choices=EVIDENCE_KINDS),
    Takes("evidence_until", date, "The last day for them.", least=lambda c: c.today, code="in_future"),
)
DECIDED: tuple[Takes[Any], ...] = (
    Takes("decisions", tuple[ItemDecision, ...], "What is decided of each item, with reasons for less."),
)
ALIKE: tuple[Takes[Any], ...] = (
    Takes("equivalences", tuple[Equivalence, ...], "What counts as what; the same that a rule is drafted from."),
    Takes("save_as", SavedRule, "The rule as which it is kept for later cases.", needed=False),
)
APPEALED: tuple[Takes[Any], ...] = (Takes("grounds", str, "Why the decision is not accepted."),)
APPEAL_DECIDED: tuple[Takes[Any], ...] = (
    Takes("outcome", str, "What becomes of the decision.", choices=APPEAL_OUTCOMES),
    Takes("reason_text", str, "The reasons, in writing."),
    Takes("decisions", tuple[ItemDecision, ...], "Where amended: what is decided instead.", needed=False),
)
LIVE: Sequence[str] = ("opened", "assessing", "evidence_requested", "decided", "notified", "appealed")
THEMSELVES = (TRAINEE, GUARDIAN)
SIGN = (REGISTRAR, COORDINATOR, ADMIN)

# fmt: off
RECOGNITION_CASE = Lifecycle[Any]("recognition_case", [
    #    action             from                     to                      who                    only if             leaves behind
    Rule("open",            [NEW],                   "opened",               [REGISTRAR, *THEMSELVES], [],              "recognition_case.opened",
         takes=OPENED, checks=[items_sound, shares_free, results_shown, supersedes_reversed]),
    Rule("take_on",         ["opened"],              "assessing",            [REGISTRAR],           [],                 "recognition_case.taken_on"),
    Rule("ask_evidence",    ["assessing"],           "evidence_requested",   [REGISTRAR],           [],                 "recognition_case.evidence_asked",
         takes=ASKED),
    Rule("supply_evidence", ["evidence_requested"],  "assessing",            THEMSELVES,            [],                 "recognition_case.evidence_supplied",
         checks=[each_supplied], evidence=True),
    Rule("lapse",           ["evidence_requested"],  "lapsed",               [SYSTEM],              [evidence_overdue], "recognition_case.lapsed",
         undo=[shares_free_again]),
    Rule("decide",          ["opened", "assessing"], "decided",              [REGISTRAR],           [],                 "recognition_case.decided",
         takes=DECIDED, checks=[each_item_decided, decisions_sound, within_regulation, promises_kept]),
    Rule("decide_by_rule",  ["opened", "assessing"], "decided",              [REGISTRAR, SYSTEM],   [rules_take_it, automatic_for_the_system], "recognition_case.decided_by_rule"),
    Rule("decide_alike",    ["opened", "assessing"], "decided",              [REGISTRAR],           [],                 "recognition_case.decided_alike",
         takes=ALIKE, checks=[awards_sound, saved_soundly], shared=True),
    Rule("sign",            ["decided"],             "decided",              SIGN,                  [next_to_sign],     "recognition_case.signed",
         undo=False),
    Rule("send_back",       ["decided"],             "assessing",            SIGN,                  [next_to_sign],     "recognition_case.sent_back",
         takes=[because("reasons_missing", "outcome_differs", "evidence_missing", "other")], undo=False),
    Rule("notify",          ["decided"],             ["notified", "final"],  [COORDINATOR, SYSTEM], [signed_off],       "recognition_case.notified",
         which=notified_or_final, undo=[not_final]),
    Rule("finalise",        ["notified"],            "final",                [SYSTEM],              [appeal_time_over], "recognition_case.finalised",
         undo=False),
    Rule("appeal",          ["notified"],            "appealed",             THEMSELVES,            [appeal_in_time],   "recognition_case.appealed",
         takes=APPEALED),
    Rule("decide_appeal",   ["appealed"],            ["final", "assessing"], [REGISTRAR],           [another_decider],  "recognition_case.appeal_decided",
         takes=APPEAL_DECIDED, checks=[amended_items_named, decisions_sound, within_regulation, promises_kept], which=final_or_assessing, undo=False),
    Rule("withdraw",        LIVE,                    "withdrawn",            THEMSELVES,            [],                 "recognition_case.withdrawn",
         undo=[shares_free_again]),
    Rule("reverse",         ["final"],               "reversed",             [REGISTRAR],           [],                 "recognition_case.reversed",
         takes=[because("data_error", "fraud", "entered_in_error", "other")], undo=False),
])
# fmt: on

__all__ = [
    "ALIKE",
    "APPEAL_DAYS",
    "APPEAL_OUTCOMES",
    "CENT",
    "DIFFERENCES",
    "DUE_WEEKS",
    "EVIDENCE_DAYS",
    "EVIDENCE_KINDS",
    "KINDS",
    "LIVE",
    "OUTCOMES",
    "RECOGNITION_CASE",
    "WHOLE",
    "CaseDossier",
    "CaseItem",
    "Claimable",
    "Difference",
    "Earned",
    "ItemDecision",
    "NewCase",
    "Outcome",
    "SavedRule",
    "WantedItem",
    "awarded",
    "awards_of",
    "mode_of",
    "of_case",
    "shares",
]
