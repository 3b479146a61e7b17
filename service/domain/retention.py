"""What must be kept of somebody, and until when: a law that asks for it goes before a wish to be forgotten.

GDPR art. 17(3)(b) and PIPL art. 47: what a law has kept is not erased before its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from service.domain.journey import LIVE

LIVE_BESIDE: dict[str, frozenset[str]] = {
    **LIVE,
    "sitting_registration": frozenset({"registered", "sat"}),
    "obligation": frozenset({"pending"}),
    "assignment": frozenset({"assigned"}),
    "correction_request": frozenset({"filed", "accepted"}),
    "import_row": frozenset({"create", "update"}),
}
"""States in which something still waits for the person, or for somebody on their account."""


@dataclass(frozen=True, slots=True)
class Had:
    """One thing of a person: what it is, its state, and since when it is in it."""

    subject: str
    state: str
    since_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """A rule of law: things of this subject, in these states, are kept for so many years; None is for good.

    `dated_on` is the day of the source, `checked_on` when it was read, `evidence` how well.
    """

    code: str
    country: str
    subject: str
    states: tuple[str, ...]
    years: int | None
    title: str
    source: str
    dated_on: date
    checked_on: date | None
    evidence: str

    @property
    def is_verified(self) -> bool:
        """Whether its text was read: whoever erases may set aside only what was not."""
        return self.evidence == "official"


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule that holds for somebody now, and the last day on which it does; None is for good."""

    rule: Retention
    until: date | None


def live(things: Iterable[Had]) -> list[str]:
    """What is live, each named once."""
    return sorted({t.subject for t in things if t.state in LIVE_BESIDE.get(t.subject, ())})


def years_later(day: date, years: int) -> date:
    """The same day of a later year; a leap day becomes the first of March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def kept(rules: Sequence[Retention], things: Sequence[Had], today: date) -> list[Kept]:
    """The rules that hold today, each with the latest day that one of the things gives it."""
    found = []
    for rule in rules:
        days = [t.since_on for t in things if t.subject == rule.subject and t.state in rule.states]
        if not days:
            continue
        until = years_later(max(days), rule.years) if rule.years is not None else None
        if until is None or until >= today:
            found.append(Kept(rule, until))
    return found
