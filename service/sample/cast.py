"""Who the year's trainees are: invented people, each given a path that their age, passport and country allow."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from service.domain.values import age_on
from service.sample.organisations import ENTERPRISES, PROGRAMMES, SampleEnterprise
from service.sample.people import SamplePerson, people
from service.sample.year import Path, Year, shares

ADULT: Final = 18
PASSPORT_UNTIL: Final = "2028-06-30"
"""A passport with which somebody can still be sent abroad at the end of the year."""
FIRST_COLLEGE: Final = (0, 11, 15)
"""Of every 15 on one path 11 are at the first college."""
SECTOR_FIELD: Final = {
    "machinery": "industrial_manufacturing",
    "metalworking": "industrial_manufacturing",
    "automotive": "industrial_manufacturing",
    "electronics": "industrial_manufacturing",
    "shipbuilding": "shipbuilding",
    "nursing_care": "nursing_care",
    "hospitality": "accommodation",
    "food": "food_manufacturing",
}
"""The field of work, by the codes of the Japanese pack, that an enterprise's sector is."""
SECTOR_TRADE: Final = {"nursing_care": "nursing_care", "hospitality": "hospitality"} | dict.fromkeys(
    ("metalworking", "shipbuilding", "construction", "metals"), "welding"
)
"""The trade of a college that a sector hires; mechatronics where it is not here."""
COUNTRY_OF: Final = {"jp": "JP", "de": "DE"}
SEASONAL: Final = ("accommodation", "food_manufacturing")


NOBODY: Final = UUID(int=0)
"""The id of what is not there yet."""


@dataclass(slots=True, kw_only=True, eq=False)
class Trainee:
    """One of the year: the person, their path, and the ids of what they have as the story goes on."""

    person: SamplePerson
    path: Path
    college: int
    programme: str
    employer: SampleEnterprise | None = None
    id: UUID = NOBODY
    application: UUID = NOBODY
    enrolment: UUID = NOBODY
    membership: UUID = NOBODY
    candidacy: UUID = NOBODY
    placement: UUID = NOBODY
    request: UUID = NOBODY
    case: UUID = NOBODY

    @property
    def origin(self) -> str:
        """The source that enrolment plans count by: the province at home, the country of whoever comes from abroad."""
        return self.person.region_native if self.person.nationality == "CN" else self.person.nationality

    def minor_on(self, day: date) -> bool:
        """Whether a guardian decides for them on the day."""
        return age_on(self.person.birth_on, day) < ADULT

    @property
    def field(self) -> str | None:
        """The field of work of their employer-to-be."""
        return SECTOR_FIELD.get(self.employer.sector) if self.employer else None


def cast(year: Year, seed: int, count: int) -> list[Trainee]:
    """The year's trainees on their paths; the same seed gives the same people on the same paths.

    Raises:
        ValueError: there are too few to fill every stage.
    """
    rng = random.Random(seed)  # noqa: S311 - a sample that can be drawn again, no secret
    born = _Crowd(list(people(seed, count, as_of=year.day("2025-09-01"))), year)
    paths = shares(count)
    colleges = _colleges(paths)
    order = sorted(range(count), key=lambda n: _choosiness(paths[n]))
    found: dict[int, Trainee] = {}
    for n in order:
        path, college = paths[n], colleges[n]
        person = born.take(path)
        employer = _employer(rng, path, person, college)
        programme = _programme(rng, path, person, college)
        found[n] = Trainee(person=person, path=path, college=college, programme=programme, employer=employer)
    return [found[n] for n in range(count)]


def _choosiness(path: Path) -> int:
    """Who needs more of a person chooses first."""
    return 0 if path.way == "home" else 1 if path.way else 2 if path.stage in GROWN_UP else 3


GROWN_UP: Final = ("alumni", "pool")


class _Crowd:
    """People who have no path yet, by what they can do, each in the order in which they were drawn."""

    def __init__(self, drawn: Sequence[SamplePerson], year: Year) -> None:
        grown, holds = year.day("2026-01-31"), year.day(PASSPORT_UNTIL)
        adults = [p for p in drawn if age_on(p.birth_on, grown) >= ADULT]
        self._taken: set[str] = set()
        self._waiting = {
            "home": iter([p for p in adults if p.nationality != "CN"]),
            "away": iter([p for p in adults if p.nationality == "CN" and p.passport_expires_on > holds]),
            "grown": iter(adults),
            "any": iter(drawn),
        }

    def take(self, path: Path) -> SamplePerson:
        """The next person whom the path suits.

        Raises:
            ValueError: there is nobody left.
        """
        kind = path.way and ("home" if path.way == "home" else "away")
        waiting = self._waiting[kind or ("grown" if path.stage in GROWN_UP else "any")]
        found = next((p for p in waiting if p.passport_number not in self._taken), None)
        if found is None:
            msg = f"nobody is left for {path.stage} {path.way}"
            raise ValueError(msg)
        self._taken.add(found.passport_number)
        return found


def _colleges(paths: Sequence[Path]) -> list[int]:
    """The college of each: most of every path are at the first."""
    low, high, whole = FIRST_COLLEGE
    seen: dict[Path, int] = {}
    found = []
    for path in paths:
        place = seen.get(path, 0)
        seen[path] = place + 1
        found.append(0 if low <= (place * 4) % whole < high else 1)
    return found


def _employer(rng: random.Random, path: Path, person: SamplePerson, college: int) -> SampleEnterprise | None:
    if not path.way:
        return None
    if path.way == "home":
        return rng.choice([e for e in ENTERPRISES if e.country == person.nationality and e.chinese_funded])
    there = [e for e in ENTERPRISES if e.country == COUNTRY_OF[path.way]]
    if path.wave == "season":
        there = [e for e in there if SECTOR_FIELD[e.sector] in SEASONAL]
    return rng.choice(there[college::2])


def order_programme(college: str, way: str) -> str:
    """The code of a college's short programme to order, for a way to work."""
    return f"{college}-ORDER-{(way or 'home').upper()}"


def _programme(rng: random.Random, path: Path, person: SamplePerson, college: int) -> str:
    name = COLLEGE_CODES[college]
    if path.cohort.startswith("order"):
        return order_programme(name, path.way)
    own = [p for p in PROGRAMMES if p.college == name]
    near = [p for p in own if p.partner.startswith(person.nationality)]
    return rng.choice(near or own).code


COLLEGE_CODES: Final = ("HAIYUE", "LANJIANG")


def of_college(everybody: Sequence[Trainee], college: int) -> Iterator[Trainee]:
    """Those of one college."""
    return (t for t in everybody if t.college == college)


__all__ = ["COLLEGE_CODES", "Trainee", "cast", "of_college", "order_programme"]
