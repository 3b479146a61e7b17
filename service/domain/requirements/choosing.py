"""Which packs hold for a person: one pathway, the common block of the nationality, and what is laid over all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from service.domain.requirements.model import LINE, Obligation, Pack, Requirement


@dataclass(frozen=True, slots=True)
class Packs:
    """One pathway pack, and the packs that only add rows to it.

    Rows of one key all hold, so the stricter does; `unmet` and `checklist` answer once for the key, with the sources
    of all of them.
    """

    pathway: Pack
    added: tuple[Pack, ...] = ()

    @property
    def all(self) -> tuple[Pack, ...]:
        """The pathway pack first."""
        return (self.pathway, *self.added)

    @property
    def pins(self) -> tuple[str, ...]:
        """What a candidacy keeps, so that later versions do not change its rules."""
        return tuple(p.pin for p in self.all)

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages of the placement that apply."""
        return self.pathway.stages

    @property
    def departs(self) -> bool:
        """Whether the person is sent abroad."""
        return self.pathway.departs

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms that a request must state, each once."""
        return tuple(dict.fromkeys(t for p in self.all for t in p.terms))

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """Every row of every pack."""
        return tuple(r for p in self.all for r in p.requirements)

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        """Every obligation of every pack."""
        return tuple(o for p in self.all for o in p.obligations)


@dataclass(frozen=True, slots=True)
class NoPack:
    """Why no pack can be chosen: a stable code, and what was required and found."""

    code: str
    required: Any = None
    actual: Any = None


Narrowing: TypeAlias = tuple[str, Callable[[Pack], bool], Callable[[Pack], Any], Any]


def choose(
    packs: Iterable[Pack],
    *,
    nationality: str,
    destination: str,
    pathway: str,
    on: date,
) -> Packs | NoPack:
    """The packs for a nationality, destination, pathway and planned day (countries by their two letters).

    Of several versions in force the newest is taken. `on` is the planned departure, or the start where nobody
    departs. A refusal's `required` has one entry for each pack that was still in question.
    """
    packs = tuple(packs)
    narrowings: tuple[Narrowing, ...] = (
        ("pathway_unknown", lambda p: p.pathway == pathway, lambda p: p.pathway, pathway),
        ("destination_not_served", lambda p: p.serves(destination), lambda p: list(p.destinations), destination),
        ("nationality_not_served", lambda p: p.takes(nationality), lambda p: list(p.nationalities), nationality),
        (
            "not_a_host_country_national",
            lambda p: not p.host_country_nationals or nationality == destination,
            lambda _: destination,
            nationality,
        ),
        ("pack_not_in_force", lambda p: p.valid_on(on), span, on.isoformat()),
    )
    if any(p.kind == "study" and p.pathway == pathway for p in packs):
        return NoPack("pathway_is_no_work", [], pathway)  # nobody is sent to work under studies or an exchange
    left: Sequence[Pack] = [p for p in packs if p.kind == "pathway"]
    for code, fits, says, actual in narrowings:
        fitting = [p for p in left if fits(p)]
        if not fitting:
            return NoPack(code, [says(p) for p in left], actual)
        left = fitting
    chosen, *others = _newest(left)
    if others:
        return NoPack("pathway_ambiguous", [chosen.pin, *(p.pin for p in others)], pathway)
    added = _newest(
        p
        for p in packs
        if (p.kind == "overlay" or (p.kind == "common" and chosen.departs))
        and p.valid_on(on)
        and p.serves(destination)
        and p.takes(nationality)
    )
    stranded = [r.key for p in added for r in p.requirements if r.needed_before in set(LINE) - set(chosen.stages)]
    if stranded:
        return NoPack("stages_do_not_fit", stranded, list(chosen.stages))
    return Packs(chosen, added)


def choose_study(packs: Iterable[Pack], *, nationality: str, destination: str, on: date) -> tuple[Pack, ...]:
    """The packs for whoever studies in a country, the newest of each in force on the first day; none may be there."""
    return _newest(
        p for p in packs if p.kind == "study" and p.valid_on(on) and p.serves(destination) and p.takes(nationality)
    )


def reopen(packs: Iterable[Pack], pins: Iterable[str]) -> Packs:
    """The packs that a candidacy has pinned. Raises KeyError for a pin that no pack has."""
    by_pin = {p.pin: p for p in packs}
    pathway, *added = (by_pin[pin] for pin in pins)
    return Packs(pathway, tuple(added))


def moved(
    packs: Packs,
    library: Iterable[Pack],
    *,
    nationality: str,
    destination: str,
    planned_on: date,
    today: date,
    state: str | None = None,
) -> Packs:
    """The packs that hold by the transitions of newer versions: for each, the newest that moves whoever is under it.

    None moves somebody whom it is not for, or who plans for a day on which it is not in force; nor, where a placement's
    `state` is given, somebody who stands at a stage that it has not.
    """

    def moving(p: Pack) -> bool:
        return (
            p.moves(today)
            and p.valid_on(planned_on)
            and p.serves(destination)
            and p.takes(nationality)
            and (not p.host_country_nationals or nationality == destination)
            and (state is None or p.kind != "pathway" or state in p.stages)
        )

    movers = [p for p in library if moving(p)]

    def newest(held: Pack) -> Pack:
        return max((p for p in (*movers, held) if p.key == held.key), key=lambda p: p.version)

    return Packs(newest(packs.pathway), tuple(newest(p) for p in packs.added))


def span(pack: Pack) -> dict[str, str | None]:
    """The days within which a pack is in force, both included."""
    return {"from": pack.valid_from.isoformat(), "to": pack.valid_to.isoformat() if pack.valid_to else None}


def _newest(packs: Iterable[Pack]) -> tuple[Pack, ...]:
    """The highest version of each key, by key."""
    newest = {p.key: p for p in sorted(packs, key=lambda p: p.version)}
    return tuple(newest[key] for key in sorted(newest))
