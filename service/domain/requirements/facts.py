"""What the requirements may know of a request, a person and a placement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as by_default
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from service.domain.requirements.dates import age_on
from service.domain.requirements.model import DayName

State = Literal["missing", "supplied", "accepted", "rejected", "waived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How far one item has come, and its dates; a passed end that it states counts whatever the row says."""

    state: State = "missing"
    issued_on: date | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    documents: int = 0
    purpose: str | None = None
    """For what it lets its holder in, where it says so (a visa)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """One sitting of a test; `field` is the field of a skills test."""

    __test__ = False  # its name is the field's; pytest is not to collect it

    test: str
    taken_on: date
    level: str | None = None
    score: int | Decimal | None = None
    verified: bool = False
    field: str | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """A row of the cost ledger that has not been paid back."""

    type: str
    payer: str
    receiver: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """What an enterprise declared of itself, and on which day; None is 'not declared'."""

    declared_on: date | None = None
    local_staff: int | None = None
    foreign_staff: int | None = None
    paid_in_capital: Decimal | None = None
    capital_currency: str | None = None


VISA = "visa"
"""The item that says for what somebody is let in."""


def purpose_of(evidence: Mapping[str, Evidence]) -> str:
    """For what the person enters: as their visa says, else for work."""
    held = evidence.get(VISA)
    return (held.purpose if held else None) or "work"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementFacts:
    """All that the rows of a pack may know; None is 'not known yet'.

    `people_in_country` counts the people whom the same sender has in the destination on the day of the event, this
    one included; `stay_months` the months on this pathway, with the time asked for; `levels_asked` names for a test
    the lowest level that the job asks for; `foreigners_added` the foreigners whom the request would bring.
    """

    nationality: str | None = None
    destination: str | None = None
    birth_on: date | None = None
    field: str | None = None
    employer_country: str | None = None
    employer_funded_by: str | None = None
    employer_kind: str | None = None
    has_agency: bool | None = None
    agency_contract: str | None = None
    entry_purpose: str | None = "work"
    first_entry: bool | None = None
    regulated_job: bool | None = None
    country_of_study: str | None = None
    diploma_language: str | None = None
    gross_annual_pay: Decimal | None = None
    pay_currency: str | None = None
    people_in_country: int | None = None
    stay_months: int | None = None
    planned_departure_on: date | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    passport_expires_on: date | None = None
    options: frozenset[str] = frozenset()
    levels_asked: Mapping[str, str] = by_default(default_factory=dict, hash=False)
    tests: tuple[TestResult, ...] = ()
    evidence: Mapping[str, Evidence] = by_default(default_factory=dict, hash=False)
    payments: tuple[Payment, ...] = ()
    staff: Staff = by_default(default_factory=Staff)
    foreigners_added: int | None = None

    @property
    def planned_on(self) -> date | None:
        """The day by which packs are chosen: the planned departure, or the start where there is none."""
        return self.planned_departure_on or self.starts_on

    def day(self, name: DayName, on: date) -> date | None:
        """The day on which a validity is judged; `on` is the day of the event."""
        named: Mapping[str, date | None] = {
            "event": on,
            "planned_departure_on": self.planned_departure_on,
            "starts_on": self.starts_on,
            "ends_on": self.ends_on,
        }
        return named[name]

    def known(self, fact: str, on: date | None) -> Any:
        """The value of a named fact on a day, or None."""
        if fact == "age":
            return None if self.birth_on is None or on is None else age_on(self.birth_on, on)
        return getattr(self, fact)
