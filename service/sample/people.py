"""Invented trainees of eight nationalities: the same seed draws the same people.

Mail goes to the domains of RFC 2606; phones are of the French ranges kept for fiction (Arcep, decision 2018-0881).
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count as count_up
from types import MappingProxyType
from typing import Final

from service.domain.values import COUNTRIES, Passport, add_months, age_on, write_mrz
from service.sample.names import CULTURES, Culture, Name

AS_OF: Final = date(2026, 9, 1)
# Shares of the nationalities: what two colleges in China with order classes abroad would see.
MIX: Final[Mapping[str, int]] = MappingProxyType(
    {"CN": 68, "TH": 9, "KH": 6, "RU": 4, "KZ": 3, "VN": 4, "LA": 3, "ID": 3}
)


@dataclass(frozen=True, slots=True)
class Guardian:
    """Who answers for a trainee under 18."""

    name_native: str
    name_latin: str
    relation: str
    phone: str


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """An invented trainee; `sex` is M or F, `nationality` ISO alpha-2, `phone` E.164, `guardian` for minors only."""

    name_native: str
    name_latin: str
    sex: str
    birth_on: date
    nationality: str
    region_native: str
    region_latin: str
    passport_number: str
    passport_issued_on: date
    passport_expires_on: date
    mrz: tuple[str, str]
    email: str
    phone: str
    guardian: Guardian | None


def people(seed: int, count: int, mix: Mapping[str, int] = MIX, *, as_of: date = AS_OF) -> Iterator[SamplePerson]:
    """Yield so many people aged 16 to 35 on a date, their nationalities in exactly the shares of the mix.

    One in fifty is a minor with a guardian. Passports are in force on the date, some not for long.
    Raises KeyError for a nationality that has no names here.
    """
    rng = random.Random(seed)  # noqa: S311 - a sample that can be drawn again, no secret
    phones = _phones(rng.randrange(10_000))
    mailboxes: Counter[str] = Counter()
    numbers: set[str] = set()
    nationalities = _shares(count, mix)
    rng.shuffle(nationalities)
    for index, nationality in enumerate(nationalities):
        culture = CULTURES[nationality]
        sex = rng.choice("MF")
        name = culture.name(rng, sex, None)
        birth_on = _birth_on(rng, as_of, minor=index % _MINOR_EVERY == _MINOR_EVERY // 2)
        issued_on, expires_on = _validity(rng, culture, birth_on, as_of)
        number = _number(rng, culture.numbers)
        while number in numbers:
            number = _number(rng, culture.numbers)
        numbers.add(number)
        passport = Passport(
            issuing_state=COUNTRIES[nationality],
            surname=name.surname,
            given_names=name.given_names,
            number=number,
            nationality=COUNTRIES[nationality],
            birth_on=birth_on,
            sex=sex,
            expires_on=expires_on,
        )
        region = rng.choice(culture.regions)
        yield SamplePerson(
            name_native=name.native,
            name_latin=passport.name,
            sex=sex,
            birth_on=birth_on,
            nationality=nationality,
            region_native=region.native,
            region_latin=region.latin,
            passport_number=number,
            passport_issued_on=issued_on,
            passport_expires_on=expires_on,
            mrz=write_mrz(passport),
            email=_email(name, mailboxes, rng),
            phone=next(phones),
            guardian=_guardian(rng, culture, name, next(phones)) if age_on(birth_on, as_of) < _OF_AGE else None,
        )


_OF_AGE: Final = 18
_MINOR_EVERY: Final = 50
_FICTION: Final = ("+3363998", "+3319900", "+3326191", "+3335301", "+3346571", "+3353649")


def _phones(start: int) -> Iterator[str]:
    """Yield numbers that nobody is ever given, 60,000 before one comes again."""
    for index in count_up():
        block = _FICTION[index // 10_000 % len(_FICTION)]
        yield f"{block}{(start + index * 7919) % 10_000:04}"  # a prime step, so that neighbours do not look alike


def _shares(count: int, mix: Mapping[str, int]) -> list[str]:
    """Return so many codes in the shares of the mix; what division leaves over goes to the largest remainders."""
    total = sum(mix.values())
    amounts = {code: count * share // total for code, share in mix.items()}
    by_remainder = sorted(mix, key=lambda code: count * mix[code] % total, reverse=True)
    for code in by_remainder[: count - sum(amounts.values())]:
        amounts[code] += 1
    return [code for code, amount in amounts.items() for _ in range(amount)]


def _birth_on(rng: random.Random, as_of: date, *, minor: bool) -> date:
    age = rng.uniform(16, 17.99) if minor else rng.triangular(18.01, 35.9, 19.5)
    return as_of - timedelta(days=int(age * 365.2425))


def _validity(rng: random.Random, culture: Culture, birth_on: date, as_of: date) -> tuple[date, date]:
    while True:  # draw until one is still in force for a month
        issued_on = as_of - timedelta(days=rng.randrange(10, 3650))
        years = rng.choice(culture.years) if age_on(birth_on, issued_on) >= culture.adult_from else 5
        expires_on = add_months(issued_on, 12 * years) - timedelta(days=culture.ends_days_before)
        if expires_on > as_of + timedelta(days=30):
            return issued_on, expires_on


def _number(rng: random.Random, formats: tuple[str, ...]) -> str:
    draw = {"#": "0123456789", "@": "ABCDEFGHJKLMNPQRSTUVWXYZ"}  # no I and O, which look like 1 and 0
    return "".join(rng.choice(draw.get(character, character)) for character in rng.choice(formats))


def _email(name: Name, mailboxes: Counter[str], rng: random.Random) -> str:
    box = ".".join(part for part in (name.given_names, name.surname) if part).lower().replace(" ", "")
    mailboxes[box] += 1
    again = str(mailboxes[box]) if mailboxes[box] > 1 else ""
    return f"{box}{again}@{rng.choice(('example.org', 'example.com', 'example.net'))}"


def _guardian(rng: random.Random, culture: Culture, child: Name, phone: str) -> Guardian:
    relation = rng.choice(sorted(culture.guardians))
    family = child.family if culture.guardians[relation] else None
    name = culture.name(rng, "M" if relation == "father" else "F", family)
    latin = f"{name.surname}, {name.given_names}" if name.given_names else name.surname
    return Guardian(name.native, latin, relation, phone)
