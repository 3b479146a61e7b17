"""Which learning counts as which: courses of partners for courses at home, n for m, and what a case gets by that."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, Protocol, TypeAlias, get_args
from uuid import UUID

from service.domain.conversion import (
    CreditPolicy,
    CreditScheme,
    GradePolicy,
    Trace,
    convert_credits,
    convert_grade,
    exact,
    plain,
    written,
)
from service.domain.conversion.trace import Plain, formula
from service.domain.lifecycle import Reason

Mode = Literal["full", "partial", "elective"]
"""As what something counts: as its target in full, as a part of it, or only as an elective."""
Difference = Literal["level", "workload", "quality", "profile", "outcomes", "failed", "no_evidence"]
MODES: tuple[str, ...] = get_args(Mode)
DIFFERENCES: tuple[str, ...] = get_args(Difference)
WHOLE = Decimal(100)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSource:
    """A course elsewhere, and what its result must be: a grade at least (of numbers), and credits at least."""

    course_id: UUID
    min_grade: Decimal | None = None
    lower_is_better: bool = False
    min_credits: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTarget:
    """A course at home. Without `credits` a policy says what is earned: the rule's, the partner's; else the course does."""

    course_id: UUID
    credits: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """All the sources together count as all the targets; how their credits and grades are converted.

    What counts for less than its targets (in part, or as an elective) names the differences, and its conditions say
    why in words: they are the reasons of every decision by it.
    """

    sources: tuple[RuleSource, ...]
    targets: tuple[RuleTarget, ...]
    credits: CreditPolicy | None = None
    grades: GradePolicy | None = None
    mode: Mode = "full"
    differences: tuple[Difference, ...] = ()
    conditions: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInForce:
    """An active rule with its edition and the days on which a result must have been achieved.

    With `promised_on` it is no rule for all but a promise: what an agreement with one person said before they went.
    """

    id: UUID
    rule_key: str
    edition: int
    automatic: bool
    valid_from: date
    valid_until: date | None
    equivalence: Equivalence
    promised_on: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the day is one of its days."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerConversion:
    """How a partner's credits and grades are converted from a day on, where a rule does not say itself."""

    owner_id: UUID
    no: int
    effective_from: date
    credits: CreditPolicy | None = None
    grades: GradePolicy | None = None


class Claimed(Protocol):
    """What must be known of an item of a case."""

    @property
    def id(self) -> UUID: ...
    @property
    def source_course_id(self) -> UUID | None: ...
    @property
    def source_owner_id(self) -> UUID | None: ...
    @property
    def target_course_id(self) -> UUID | None: ...
    @property
    def target_credits(self) -> Decimal | None: ...
    @property
    def share_percent(self) -> Decimal: ...
    @property
    def credits(self) -> Decimal: ...
    @property
    def grade(self) -> str | None: ...
    @property
    def passed(self) -> bool: ...
    @property
    def verified(self) -> bool: ...
    @property
    def achieved_on(self) -> date | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """What an item gets by a rule (or by an equivalence that is none yet), and how every number came about."""

    item_id: UUID
    credits: Decimal
    grade: str | None
    rule_id: UUID | None
    trace: dict[str, list[dict[str, Plain]]]
    mode: Mode = "full"
    differences: tuple[Difference, ...] = ()
    conditions: str | None = None


Proposal: TypeAlias = "tuple[list[Award], list[Reason]]"


@formula("target_credits", "as the rule, or else the course at home, has them")
def _target(amount: str) -> dict[str, Plain]:
    return {"amount": amount}


@formula("part_of", "amount x part / whole, down to 0.01; remainder = what was cut off")
def _part(amount: str, part: str, whole: str) -> dict[str, Plain]:
    value = exact(amount) * exact(part) / exact(whole)
    rounded = Fraction((value * 100).__floor__(), 100)
    return {"amount": written(rounded), "remainder": written(value - rounded)}


@formula("rest_of", "amount - what the others were given")
def _rest(amount: str, others: Sequence[str]) -> dict[str, Plain]:
    return {"amount": written(exact(amount) - sum((exact(o) for o in others), Fraction(0)))}


@formula("decided", "as it was decided, by hand")
def _decided(amount: str) -> dict[str, Plain]:
    return {"amount": amount}


def by_hand(claimed: Decimal, given: Decimal) -> dict[str, list[dict[str, Plain]]]:
    """The trace of what somebody decided: what was claimed, and what they gave."""
    trace = Trace().then("credits_given", rule="claimed", amount=written(Fraction(claimed)))
    return {"credits": plain(trace.then("decided", amount=written(Fraction(given)))), "grade": []}


def sound(equivalence: Equivalence, at: str = "/equivalence") -> list[Reason]:
    """Sources and targets are named, each once, and numbers are not below nothing."""
    found = []
    for name, parts in (("sources", equivalence.sources), ("targets", equivalence.targets)):
        ids = [p.course_id for p in parts]
        if not ids or len(set(ids)) < len(ids):
            found.append(Reason("courses_named_once", pointer=f"{at}/{name}"))
    found += [
        Reason("above_nothing", pointer=f"{at}/targets/{n}/credits")
        for n, t in enumerate(equivalence.targets)
        if t.credits is not None and t.credits <= 0
    ]
    return found + _less_said(equivalence, at)


def _less_said(e: Equivalence, at: str) -> list[Reason]:
    """What counts in full has no differences; what counts for less has some, with reasons, and a part says how much."""
    if e.mode == "full":
        return [Reason("recognised_without_difference", pointer=f"{at}/differences")] if e.differences else []
    found = []
    if not e.differences:
        found.append(Reason("difference_named", required=DIFFERENCES, pointer=f"{at}/differences"))
    if not (e.conditions or "").strip():
        found.append(Reason("reasons_written", pointer=f"{at}/conditions"))
    if e.mode == "partial" and e.credits is None and any(t.credits is None for t in e.targets):
        found.append(Reason("part_says_credits", pointer=f"{at}/targets"))
    return found


def courses_known(e: Equivalence, own: Container[UUID], others: Container[UUID], at: str) -> list[Reason]:
    """Sources and targets stand in the catalogue; what is replaced is a course of our own."""
    return [
        Reason("course_known", pointer=f"{at}/sources/{n}/course_id")
        for n, s in enumerate(e.sources)
        if s.course_id not in own and s.course_id not in others
    ] + [
        Reason("course_known", pointer=f"{at}/targets/{n}/course_id")
        for n, t in enumerate(e.targets)
        if t.course_id not in own
    ]


def _covers(e: Equivalence, items: Sequence[Claimed]) -> bool:
    """Whether the items are the whole of every source, and name every target."""
    used: dict[UUID | None, Decimal] = {}
    for i in items:
        used[i.source_course_id] = used.get(i.source_course_id, Decimal(0)) + i.share_percent
    return used == {s.course_id: WHOLE for s in e.sources} and {i.target_course_id for i in items} == {
        t.course_id for t in e.targets
    }


def _meets(e: Equivalence, item: Claimed, at: str) -> list[Reason]:
    """The result is verified, was passed, and reaches the grade and credits that the source asks for."""
    source = next(s for s in e.sources if s.course_id == item.source_course_id)
    found = []
    if not item.verified:
        found.append(Reason("result_verified", pointer=at))
    if not item.passed:
        found.append(Reason("result_passed", pointer=at))
    if source.min_credits is not None and item.credits * WHOLE / item.share_percent < source.min_credits:
        found.append(Reason("credits_least", required=str(source.min_credits), pointer=at))
    if source.min_grade is not None:
        found += _grade_reached(source, source.min_grade, item.grade, at)
    return found


def _grade_reached(source: RuleSource, asked: Decimal, grade: str | None, at: str) -> list[Reason]:
    least = Fraction(asked)
    missed = [Reason("grade_least", required=str(asked), pointer=at)]
    try:
        number = exact(grade or "")
    except ValueError:
        return missed
    return missed if (number > least if source.lower_is_better else number < least) else []


def _award(
    rule: RuleInForce | Equivalence, e: Equivalence, items: Sequence[Claimed], schemes: Sequence[CreditScheme], at: str
) -> Proposal:
    """What each of the items gets: the credits of its target in proportion, or its own converted; its grade."""
    named = f"{rule.rule_key}, edition {rule.edition}" if isinstance(rule, RuleInForce) else "one decision for several"
    rule_id = rule.id if isinstance(rule, RuleInForce) else None
    found: list[Reason] = []
    made: list[Award] = []
    for target in e.targets:
        of_target = [i for i in items if i.target_course_id == target.course_id]
        given: list[str] = []
        for n, item in enumerate(of_target):
            trace = _credits_of(target, e, of_target, n, given, schemes, named, at)
            grade = _grade_of(e, item, at)
            if isinstance(trace, Trace) and not isinstance(grade, list):
                amount = str(trace.result["amount"])
                given.append(amount)
                if exact(amount) <= 0:  # rounded away, or worth nothing: no rule recognises that
                    found.append(Reason("credits_awarded", required="> 0", pointer=at))
                made.append(
                    Award(
                        item_id=item.id, credits=Decimal(amount), rule_id=rule_id,
                        grade=str(grade.result["grade"]) if grade.steps else None,
                        trace={"credits": plain(trace), "grade": plain(grade)},
                        mode=e.mode, differences=e.differences, conditions=e.conditions,
                    )
                )  # fmt: skip
            else:
                found += trace if isinstance(trace, list) else []
                found += grade if isinstance(grade, list) else []
    return ([], found) if found else (made, [])


def _credits_of(  # noqa: PLR0917 - what an award is made of
    target: RuleTarget,
    e: Equivalence,
    items: Sequence[Claimed],
    n: int,
    given: Sequence[str],
    schemes: Sequence[CreditScheme],
    named: str,
    at: str,
) -> Trace | list[Reason]:
    item = items[n]
    if target.credits is None and e.credits is not None:
        on = item.achieved_on or date.max
        found = convert_credits(item.credits, e.credits, schemes, on, f"{at}/credits")
        return found if isinstance(found, list) or found.result.get("remainder") else _to_cents(found)
    total = target.credits if target.credits is not None else item.target_credits
    whole = sum((i.credits for i in items), Decimal(0))
    if total is None or (len(items) > 1 and whole <= 0):
        return [Reason("credits_known", pointer=at)]
    trace = Trace().then("target_credits", rule=named, amount=written(Fraction(total)))
    if len(items) == 1:
        return trace
    if n == len(items) - 1:
        return trace.then("rest_of", rule=named, last=("amount",), others=list(given))
    return trace.then(
        "part_of", rule=named, last=("amount",), part=written(Fraction(item.credits)), whole=written(Fraction(whole))
    )


def _to_cents(trace: Trace) -> Trace:
    """Credits are kept to 0.01: what a chain without a rounding of its own leaves is cut off in sight."""
    return trace.then("round_credits", last=("amount",), mode="down", step=str(CENT))


def _grade_of(e: Equivalence, item: Claimed, at: str) -> Trace | list[Reason]:
    if e.grades is None or item.grade is None:
        return Trace()
    return convert_grade(item.grade, e.grades, passed=item.passed, at=at)


def _with_policies(
    rule: RuleInForce | Equivalence, e: Equivalence, items: Sequence[Claimed], partners: Sequence[PartnerConversion]
) -> Equivalence:
    """The equivalence with the partner's policies where it has none: those of the promise, or of the last result."""
    promised = rule.promised_on if isinstance(rule, RuleInForce) else None
    days = [promised] if promised else [i.achieved_on for i in items if i.achieved_on is not None]
    owners = {i.source_owner_id for i in items}
    begun = [p for p in partners if {p.owner_id} == owners and days and p.effective_from <= max(days)]
    theirs = max(begun, key=lambda p: (p.effective_from, p.no), default=None)
    if theirs is None:
        return e
    return replace(e, credits=e.credits or theirs.credits, grades=e.grades or theirs.grades)


def propose(
    items: Sequence[Claimed],
    rules: Iterable[RuleInForce | Equivalence],
    schemes: Sequence[CreditScheme],
    partners: Sequence[PartnerConversion] = (),
) -> Proposal:
    """What every item of a case gets by the rules, as of the day on which each result was achieved; or why not.

    A rule takes the items that are all of its sources and all of its targets; what was promised goes before rules for
    all. An item that no rule takes is a reason.
    """
    left = {i.id: n for n, i in enumerate(items)}
    made: list[Award] = []
    found: list[Reason] = []
    for rule in sorted(rules, key=lambda r: not isinstance(r, RuleInForce) or r.promised_on is None):
        e = rule.equivalence if isinstance(rule, RuleInForce) else rule
        sources, targets = {s.course_id for s in e.sources}, {t.course_id for t in e.targets}
        mine = [
            i for i in items
            if i.id in left and i.source_course_id in sources and i.target_course_id in targets and _in_time(rule, i)
        ]  # fmt: skip
        if not _covers(e, mine):
            continue
        at = f"/items/{left[mine[0].id]}"
        unmet = [r for i in mine for r in _meets(e, i, f"/items/{left[i.id]}")]
        awards, faults = (
            ([], unmet) if unmet else _award(rule, _with_policies(rule, e, mine, partners), mine, schemes, at)
        )
        made, found = made + awards, found + faults
        for i in mine:
            del left[i.id]
    found += [Reason("rule_for_item", pointer=f"/items/{n}") for n in left.values()]
    return made, found


def _in_time(rule: RuleInForce | Equivalence, item: Claimed) -> bool:
    return not isinstance(rule, RuleInForce) or (item.achieved_on is not None and rule.holds_on(item.achieved_on))


__all__ = [
    "DIFFERENCES",
    "MODES",
    "Award",
    "Difference",
    "Equivalence",
    "Mode",
    "PartnerConversion",
    "RuleInForce",
    "RuleSource",
    "RuleTarget",
    "by_hand",
    "courses_known",
    "propose",
    "sound",
]
