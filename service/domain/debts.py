"""Debts: what somebody who came in mid-way has not shown yet, by when it is owed, and the steps that wait for it.

A debt is an obligation: owed by a day, done with evidence or waived by another, overdue by the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from service.domain.lifecycle import DEBT, Reason

if TYPE_CHECKING:
    from service.domain.obligations import Duty
    from service.domain.requirements import Source

PACK = "adoption"
"""The pack of whatever is owed since somebody came in mid-way."""
REQUIREMENT = "requirement/"
"""How a reason points to a row of a requirement pack."""
NEVER_OWED = frozenset({"too_young", "fact_not_allowed", "limit_passed", "pack_ended"})
"""What no paper can show later: an age, a fact that the rules exclude, a number that is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtRule:
    """How long one kind of thing may be owed, and who owes it; a requirement names who owes it itself."""

    key: str
    title: str
    days: int
    providers: tuple[str, ...]
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtRules:
    """The rules by the code of the guard, and the one for rows of packs."""

    pin: str
    rules: Mapping[str, DebtRule]
    requirement: DebtRule


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing to be shown: by which rule, until when, by whom."""

    rule: str
    due_on: date
    providers: tuple[str, ...]
    is_requirement: bool


class Owing(Protocol):
    """A dossier that knows the obligations of its subject."""

    @property
    def duties(self) -> Sequence[Duty]:
        """The obligations that stand."""


def provable(*codes: str) -> Callable[[Reason], bool]:
    """Tells whether a reason may become a debt: one of the codes, or a row of a pack that a paper can still meet."""
    known = frozenset({*codes, DEBT, "evidence_required"})

    def holds(reason: Reason) -> bool:
        of_pack = (reason.pointer or "").startswith(REQUIREMENT)
        return reason.code in known or (of_pack and reason.code not in NEVER_OWED)

    return holds


def open_debts(duties: Iterable[Duty]) -> tuple[Duty, ...]:
    """Those of the obligations that are debts, neither shown nor waived."""
    return tuple(d for d in duties if d.pin.startswith(f"{PACK}@") and d.state == "pending")


def debts_settled(d: Owing) -> Iterator[Reason]:
    """Whatever was left to be shown when somebody came in mid-way is shown or waived first."""
    for debt in open_debts(d.duties):
        yield Reason(DEBT, required=debt.rule, actual=debt.state, pointer=f"obligation/{debt.id}")


def owed(unproven: Iterable[Reason], rules: DebtRules, today: date, standing: Collection[str] = ()) -> Iterator[Owed]:
    """What a declared step leaves owing, each row of a pack once; `standing` are the rules that are owed already."""
    named = set(standing)
    for reason in unproven:
        of_pack = (reason.pointer or "").startswith(REQUIREMENT)
        key = (reason.pointer or "").removeprefix(REQUIREMENT) if of_pack else reason.code
        rule = rules.requirement if of_pack else rules.rules[key]
        if of_pack and key in named:
            continue
        named.add(key)
        told: Mapping[str, Any] = reason.required if of_pack else {}
        by = tuple(told.get("owed_by") or rule.providers)
        yield Owed(key, today + timedelta(days=rule.days), by, of_pack)
