"""What requirement packs ask for before a step: judged on the day of the event, offered on the days that can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, TypeAlias

from service.domain.lifecycle import Check, Dossier, Guard, Reason, Takes
from service.domain.requirements import Evidence, Gate, Requirement, RequirementFacts, Unmet, add_months, unmet

Judged: TypeAlias = tuple[Requirement, RequirementFacts]
"""A row, and the facts that it is judged by."""
Closed: TypeAlias = Callable[[Any, date], list[Reason]]
"""Everything that closes a gate for a dossier on a day."""


def told(found: Iterable[Unmet]) -> list[Reason]:
    """What is not met, as reasons: what it takes, who owes it, how well the source was read."""
    return [
        Reason(
            u.code,
            {"requirement": u.key, "needs": u.required, "owed_by": list(u.providers), "evidence": u.evidence_mark},
            u.actual,
            f"requirement/{u.key}",
        )
        for u in found
    ]


def lacking(rows: Iterable[Requirement], gate: Gate, on: date, facts: RequirementFacts) -> list[Reason]:
    """The rows that close the gate on the day, each as a reason."""
    return told(unmet(rows, gate, on, facts))


def last_days(row: Requirement, held: Evidence) -> Iterator[date]:
    """The ends that a row and its evidence name: a stated end, and those counted from the issue."""
    if held.valid_until:
        yield held.valid_until
        yield from (add_months(held.valid_until, -v.count) for v in row.validity if v.rule == "covers" and v.count)
    if held.issued_on:
        for v in row.validity:
            if v.rule == "months_from_issue":
                yield add_months(held.issued_on, v.count)
            elif v.rule == "days_from_issue":
                yield held.issued_on + timedelta(days=v.count)


def turning_days(judged: Iterable[Judged]) -> Iterator[date]:
    """The last days on which a row may still have been met: before it was in force, or its evidence still good."""
    for row, facts in judged:
        if row.effective_from:
            yield row.effective_from - timedelta(days=1)
        if row.effective_to:
            yield row.effective_to
        yield from last_days(row, facts.evidence.get(row.item, Evidence()))
        if row.kind == "fact" and facts.passport_expires_on:
            yield from (add_months(facts.passport_expires_on, -v.count) for v in row.validity)
        yield from (t.valid_until for t in facts.tests if t.valid_until)


def last_open_day(d: Dossier, closed: Closed, days: Iterable[date]) -> date | None:
    """The latest day, today or since the last step, on which the gate stood open; None where there was none."""
    if not closed(d, d.today):
        return d.today
    since = d.since_on or d.today
    return next(
        (day for day in sorted({x for x in days if since <= x < d.today}, reverse=True) if not closed(d, day)), None
    )


def gated(closed: Closed, days: Callable[[Any], Iterable[date]]) -> tuple[Guard[Any], Check[Any], Sequence[Takes[Any]]]:
    """The guard, the check and the bounded day of an action that requirements gate."""

    def gate_open(d: Any) -> list[Reason]:
        """What the packs ask for is met on a day on which the step can have happened."""
        return [] if last_open_day(d, closed, days(d)) else closed(d, d.today)

    def met_on_the_day(d: Any, given: Any) -> list[Reason]:
        """What the packs ask for is met on the day of the event."""
        return closed(d, given.get("occurred_on") or d.today)

    on: Takes[Any] = Takes(
        "occurred_on",
        date,
        "The day it happened, local to where it happened; today where none is given.",
        needed=False,
        least=lambda d: d.since_on,
        most=lambda d: last_open_day(d, closed, days(d)) or d.today,
        code="occurred_on_in_range",
    )
    return gate_open, met_on_the_day, (on,)
