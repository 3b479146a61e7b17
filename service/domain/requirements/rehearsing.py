"""What another version of a pack would mean: row by row, and for everybody who is on their way under the old one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from uuid import UUID

from service.domain.requirements.choosing import NoPack, Packs, choose, moved
from service.domain.requirements.due import day_of_stage
from service.domain.requirements.evaluation import Unmet, unmet
from service.domain.requirements.facts import RequirementFacts
from service.domain.requirements.model import GATES, AnyTest, Obligation, Pack, Requirement, Transition

Row = Requirement | Obligation


@dataclass(frozen=True, slots=True)
class Changed:
    """A row that both versions have, and the names of what differs in it."""

    before: Row
    after: Row
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions of a pack, row by row; `pack` names the pack's own fields that differ."""

    pack: tuple[str, ...]
    added: tuple[Row, ...]
    dropped: tuple[Row, ...]
    changed: tuple[Changed, ...]
    same: tuple[str, ...]

    @property
    def touched(self) -> frozenset[str]:
        """The keys of requirements that are not the same in both."""
        rows = [*self.added, *self.dropped, *(c.after for c in self.changed)]
        return frozenset(r.key for r in rows if isinstance(r, Requirement))


def difference(before: Pack, after: Pack) -> Difference:
    """What was added, dropped and changed between two versions, in the order of the rows."""
    own = tuple(
        f.name
        for f in fields(Pack)
        if f.name not in ("requirements", "obligations", "version")
        and getattr(before, f.name) != getattr(after, f.name)
    )
    old, new = _by_key(before), _by_key(after)
    both = [k for k in old if k in new]
    return Difference(
        own,
        tuple(r for k, r in new.items() if k not in old),
        tuple(r for k, r in old.items() if k not in new),
        tuple(Changed(old[k], new[k], _differing(old[k], new[k])) for k in both if old[k] != new[k]),
        tuple(k[1] for k in both if old[k] == new[k]),
    )


def _by_key(pack: Pack) -> dict[tuple[type, str], Row]:
    rows: list[Row] = [*pack.requirements, *pack.obligations]
    return {(type(r), r.key): r for r in rows}


def _differing(before: Row, after: Row) -> tuple[str, ...]:
    return tuple(f.name for f in fields(before) if getattr(before, f.name) != getattr(after, f.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTheWay:
    """Somebody whom packs gate still: a live candidacy, or a placement before the departure.

    `ahead` are the stages whose gates are to come, `packs` what holds for them now: by a pin, or as it would be chosen.
    """

    kind: str
    id: UUID
    person_id: UUID
    state: str
    pathway: str
    ahead: tuple[str, ...]
    packs: Packs
    facts: RequirementFacts
    today: date
    pinned: bool = True


@dataclass(frozen=True, slots=True)
class Blocked:
    """A gate that the new version would close, on its planned day, with the rows that close it."""

    stage: str
    on: date
    rows: tuple[Unmet, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the new version would mean for one: the packs that would hold, or why none; and the gates that close.

    `moves_on` is the day on which they would be moved to them; None where they are asked for, or chosen anew.
    """

    packs: Packs | NoPack
    blocked: tuple[Blocked, ...]
    moves_on: date | None = None


def from_day(pack: Pack, on: date) -> Pack:
    """The version as it would be in force from a day, and not before its own first."""
    return replace(pack, valid_from=max(pack.valid_from, on))


def outcome(
    who: OnTheWay,
    library: Iterable[Pack],
    touched: frozenset[str] | None = None,
    transition: Transition | None = None,
) -> Outcome | None:
    """What a library with the new version would mean for somebody; None where nothing changes for them.

    Only rows under the `touched` keys are looked at; all of them where None is given. A gate that is closed by the
    same row and for the same reason already is not told again. With a `transition` whoever is pinned is moved by it, or
    stays; without one they are told what it would mean if they were moved when asked.
    """
    facts = who.facts
    if facts.planned_on is None or facts.nationality is None or facts.destination is None:
        return None
    packs: Packs | NoPack
    moves_on = None
    if transition is not None and who.pinned:
        moves_on = max(who.today, transition.on or who.today)
        packs = moved(
            who.packs, library, nationality=facts.nationality, destination=facts.destination,
            planned_on=facts.planned_on, today=moves_on, state=who.state if who.kind == "placement" else None,
        )  # fmt: skip
    else:
        packs = choose(
            library, nationality=facts.nationality, destination=facts.destination, pathway=who.pathway,
            on=facts.planned_on,
        )  # fmt: skip
    if isinstance(packs, NoPack):
        return Outcome(packs, ())
    if packs.pins == who.packs.pins:
        return None
    old, new = _rows(who.packs, touched), _rows(packs, touched)
    ahead = who.ahead if who.kind == "candidacy" else tuple(s for s in packs.stages if s in who.ahead)
    return Outcome(packs, tuple(_blocked(who, ahead, old, new)), moves_on)


def _rows(packs: Packs, touched: frozenset[str] | None) -> Sequence[Requirement]:
    return [r for r in packs.requirements if touched is None or r.key in touched]


def _blocked(
    who: OnTheWay, ahead: Sequence[str], old: Sequence[Requirement], new: Sequence[Requirement]
) -> Iterator[Blocked]:
    for stage in ahead:
        on = max(day_of_stage(stage, who.facts) or who.today, who.today)
        before = {(u.key, u.code) for u in unmet(old, GATES[stage], on, who.facts)}
        closing = [u for u in unmet(new, GATES[stage], on, who.facts) if (u.key, u.code) not in before]
        if closing:
            yield Blocked(stage, on, tuple(closing))


def ways_out(found: Unmet, packs: Packs) -> list[Mapping[str, Any]]:
    """What would open the gate again: evidence, any of what serves instead, a test, a waiver."""
    rows = [r for r in packs.requirements if r.key == found.key]
    ways: list[Mapping[str, Any]] = []
    for r in rows:
        if r.asks is None:
            ways.append({"hand_in": r.item})
        if isinstance(r.asks, AnyTest):
            ways += [
                {"pass_test": a.test, "levels": list(a.levels), "min_score": a.min_score} for a in r.asks.alternatives
            ]
        ways += [{"hand_in": item} for item in r.instead]
        if r.waivable_by:
            ways.append({"waive": list(r.waivable_by)})
    return [w for n, w in enumerate(ways) if w not in ways[:n]]


__all__ = ["Blocked", "Changed", "Difference", "OnTheWay", "Outcome", "difference", "from_day", "outcome", "ways_out"]
