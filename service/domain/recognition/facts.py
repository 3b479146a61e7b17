"""What the rules of recognition may know: results and what is free of them, cases, decisions, what they earned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, get_args
from uuid import UUID

from service.domain.conversion import CreditScheme
from service.domain.equivalences import Difference, Mode, PartnerConversion, RuleInForce
from service.domain.lifecycle import Dossier
from service.domain.regulations import Regulation

KINDS = ("transcript", "prior_learning")
Outcome = Literal["recognised", "partially_recognised", "not_recognised"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)
MODES_OF: Mapping[str, tuple[Mode, ...]] = {
    "recognised": ("full",),
    "partially_recognised": ("partial", "elective"),
    "not_recognised": (),
}
"""As what something may count, by the outcome; the first where a decision does not say."""
APPEAL_OUTCOMES = ("upheld", "amended", "remitted")
EVIDENCE_KINDS = ("transcript", "certificate", "diploma", "contract", "identity", "correspondence", "other")
"""Kinds of documents that a case may be short of."""

APPEAL_DAYS = 30
"""Days after the notice in which a decision can be appealed."""
DUE_WEEKS = 5
"""Weeks after the opening in which a case is to be decided."""
EVIDENCE_DAYS = 14
"""Days in which evidence can be supplied again after a lapse was corrected."""
WHOLE = Decimal(100)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedItem:
    """A share of a result, and what it is to count as."""

    result_id: UUID
    target_course_id: UUID | None = None
    target: Annotated[str, "line"] | None = None
    share_percent: Decimal = WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDecision:
    """What is decided of one item. Without `credits_awarded` a recognised item earns what it claims.

    `mode` elective: not as the course that was claimed, but as an elective. What was claimed in words may count so in
    full; of a course it is less than what was claimed, with reasons.

    `overlap_percent` is how much of the target's content was covered; a regulation may ask for it.
    """

    item_id: UUID
    outcome: Outcome
    credits_awarded: Decimal | None = None
    difference_codes: tuple[Difference, ...] = ()
    reason_text: str | None = None
    overlap_percent: Decimal | None = None
    mode: Mode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRule:
    """The rule as which a decision for several is kept, in force at once.

    `automatic`: a case may be decided by it without a person. A result is judged by it from `valid_from` to
    `valid_until`, by the day on which it was achieved.
    """

    rule_key: Annotated[str, "line"]
    rationale: str
    automatic: bool
    valid_from: date
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimable:
    """A result of the person, and how much of it no live case claims."""

    verified: bool
    credits: Decimal
    free_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseItem:
    """An item of a case with the state of its result and the decision that stands, if any."""

    id: UUID
    result_id: UUID
    target_course_id: UUID | None
    target: str | None
    share_percent: Decimal
    credits: Decimal
    verified: bool
    passed: bool
    free_percent: Decimal
    outcome: str | None = None
    credits_awarded: Decimal = Decimal(0)
    source_course_id: UUID | None = None
    source_owner_id: UUID | None = None
    source_elective: bool = False
    source_kind: str | None = None
    mode: str | None = None
    grade: str | None = None
    achieved_on: date | None = None
    target_credits: Decimal | None = None
    target_kind: str | None = None
    target_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """Credits that decisions of the person's other cases give for a target, as long as they stand.

    What counts as an elective is for no course, and of the kind `elective`.
    """

    target_course_id: UUID | None
    kind: str | None
    credits: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase(Dossier):
    """What is known of a person when a case is opened: their results, and reversed cases that none supersedes yet.

    `courses` are those that its items name and that are the institution's own.
    """

    results: Mapping[UUID, Claimable] = field(default_factory=dict)
    reversed_cases: frozenset[UUID] = frozenset()
    courses: frozenset[UUID] = frozenset()
    programme_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDossier(Dossier):
    """All that the rules of a case may know. `deciders` are the accounts that decided in it, `asker` who asks now.

    `sign_off` are the roles that have yet to sign what was decided, in order; `signers` the accounts that did.
    `own` and `others` are courses of the catalogue that its input names.
    """

    items: tuple[CaseItem, ...] = ()
    round: int = 0
    deciders: frozenset[UUID] = frozenset()
    asker: UUID | None = None
    evidence_until: date | None = None
    evidence_wanted: tuple[str, ...] = ()
    documents: Mapping[UUID, str] = field(default_factory=dict)
    appeal_until: date | None = None
    appeal_id: UUID | None = None
    asker_roles: tuple[str, ...] = ()
    sign_off: tuple[str, ...] = ()
    signers: frozenset[UUID] = frozenset()
    rules: tuple[RuleInForce, ...] = ()
    regulations: tuple[Regulation, ...] = ()
    earned: tuple[Earned, ...] = ()
    schemes: tuple[CreditScheme, ...] = ()
    conversions: tuple[PartnerConversion, ...] = ()
    own: frozenset[UUID] = frozenset()
    others: frozenset[UUID] = frozenset()
    last_edition: int = 0


def shares(items: Iterable[WantedItem | CaseItem]) -> dict[UUID, Decimal]:
    """How much of each result the items claim together, in percent."""
    found: dict[UUID, Decimal] = {}
    for item in items:
        found[item.result_id] = found.get(item.result_id, Decimal(0)) + item.share_percent
    return found


def awarded(decision: ItemDecision, item: CaseItem) -> Decimal:
    """The credits that a decision gives: what it says; the whole claim where it recognises without saying."""
    if decision.outcome == "not_recognised":
        return Decimal(0)
    return item.credits if decision.credits_awarded is None else decision.credits_awarded


def modes_of(outcome: str, item: CaseItem) -> tuple[Mode, ...]:
    """As what an item may count with such an outcome, the usual first."""
    in_words: tuple[Mode, ...] = ("elective",) if outcome == "recognised" and item.target_course_id is None else ()
    return (*MODES_OF[outcome], *in_words)


def mode_of(decision: ItemDecision, item: CaseItem) -> Mode | None:
    """As what it counts: as it was said, else as usual for its outcome; what is not recognised as nothing."""
    return decision.mode or next(iter(modes_of(decision.outcome, item)), None)
