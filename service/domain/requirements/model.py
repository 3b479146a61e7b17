"""What a requirement pack says: rows as data, each with its gate, its rule and where it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias


class Gate(NamedTuple):
    """One action of one lifecycle, which requirements can close."""

    lifecycle: str
    action: str


LINE = (
    "contracting",
    "documents",
    "authorisation",
    "visa",
    "pre_departure",
    "ready",
    "departed",
    "arrived",
    "active",
)
"""The main line of a placement; a pack says which of it apply."""
LASTING_STAGES = ("contracting", "active")
"""The stages that no pack may leave out."""
ALWAYS = "always"
"""Stands where a stage would, for a rule that holds at every gate."""
GATES: Mapping[str, Gate] = MappingProxyType(
    {
        "request_approved": Gate("placement_request", "approve"),
        "nominated": Gate("candidacy", "nominate"),
        "selected": Gate("candidacy", "choose"),
        "contracting": Gate("candidacy", "accept"),
        "documents": Gate("placement", "collect_documents"),
        "authorisation": Gate("placement", "apply_authorisation"),
        "visa": Gate("placement", "apply_visa"),
        "pre_departure": Gate("placement", "prepare_departure"),
        "ready": Gate("placement", "clear"),
        "departed": Gate("placement", "depart"),
        "arrived": Gate("placement", "arrive"),
        "active": Gate("placement", "start_work"),
        "extension": Gate("placement", "extend"),
        "transfer": Gate("placement", "ask_transfer"),
        "enrolled": Gate("enrolment", "enrol"),
        "stage_advanced": Gate("enrolment", "advance_stage"),
        "programme_completed": Gate("enrolment", "complete"),
    }
)
"""What a row is needed before, and the gate that it closes."""

Kind = Literal["document", "fact", "test", "approval", "training", "payment_rule", "ratio"]
Subject = Literal["request", "person", "candidacy", "placement"]
Mark = Literal["official", "secondary", "unverified"]
MARKS: tuple[Mark, ...] = ("official", "secondary", "unverified")
"""How well a source was read, strongest first."""
PackKind = Literal["pathway", "common", "overlay", "study"]
Provider = Literal[
    "trainee",
    "agency",
    "enterprise",
    "school",
    "clinic",
    "coordinator",
    "support_organisation",
    "competent_body",
    "rule",
]
PaymentType = Literal[
    "agency_fee",
    "medical",
    "insurance",
    "test",
    "training",
    "equipment",
    "travel",
    "lodging",
    "admin",
    "deposit",
    "penalty",
]
Payer = Literal["trainee", "family", "enterprise", "agency", "school", "public_fund"]
Receiver = Literal["trainee", "family", "enterprise", "agency", "school", "public_fund", "clinic", "authority", "other"]

TERMS = frozenset(
    {
        "accident_insurance_buyer",
        "board",
        "contract_language",
        "contract_months",
        "field",
        "gross_annual_pay",
        "gross_monthly_pay",
        "housing",
        "injury_compensation",
        "job_title",
        "leave_days",
        "qualified_job",
        "regulated_job",
        "return_travel_payer",
        "social_insurance",
        "starts_on",
        "travel_payer",
        "weekly_hours",
        "workplace",
    }
)
"""The terms that a pack can make a request state."""
OPTIONS = frozenset({"boi_promoted", "change_of_status", "fast_track", "special_country"})
"""The choices inside a pathway on which rows can depend."""

# ---- when a row applies

TextFact = Literal[
    "nationality",
    "destination",
    "field",
    "employer_country",
    "employer_funded_by",
    "employer_kind",
    "agency_contract",
    "entry_purpose",
    "country_of_study",
    "diploma_language",
]
NumberFact = Literal["age", "people_in_country", "stay_months"]
FlagFact = Literal["has_agency", "first_entry", "regulated_job"]
Comparison = Literal["in", "not_in", "over", "from", "is", "has", "lacks"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One predicate on the facts; a fact that is not known yet never switches a row off.

    `in`/`not_in` compare a text fact with codes, `over`/`from` (inclusive) a number, `is` a flag; `has` any and
    `lacks` all of the named `options` or `levels_asked`.
    """

    fact: str
    comparison: Comparison
    value: tuple[str, ...] | int | bool


# ---- how long what was handed in is good

ValidityRule = Literal["months_from_issue", "days_from_issue", "covers", "starts_by"]
DayName = Literal["event", "planned_departure_on", "starts_on", "ends_on"]


@dataclass(frozen=True, slots=True)
class Validity:
    """One rule on the dates of the evidence, judged on the day of the event or on a day of the facts.

    `months_from_issue` and `days_from_issue` count from the issue to the last good day; `covers` asks for a stated
    end at least `count` months after the day judged; `starts_by` for a start at least `count` months before it.
    """

    rule: ValidityRule
    count: int = 0
    judged_on: DayName = "event"


# ---- what a row asks for, where it is not a piece of evidence


@dataclass(frozen=True, slots=True)
class MinimumAge:
    """An age in full years on the day of the event."""

    years: int


@dataclass(frozen=True, slots=True)
class FactAmong:
    """A text fact that must be one of the values, or none of them."""

    fact: TextFact
    values: tuple[str, ...]
    allowed: bool = True


@dataclass(frozen=True, slots=True)
class FactAtMost:
    """A number that must not be passed."""

    fact: Literal["stay_months", "people_in_country"]
    limit: int


@dataclass(frozen=True, slots=True)
class PassportDates:
    """The passport, judged by the row's validity."""


@dataclass(frozen=True, slots=True)
class MinimumPay:
    """A gross pay a year."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class TestAlternative:
    """One test that serves: by level (accepted levels, lowest first), by score, or by both.

    `same_field`: the test must be the one of the job's field. `at_least_asked`: the lowest level that serves is the
    one that the job asks for.
    """

    __test__ = False  # its name is the field's; pytest is not to collect it

    test: str
    levels: tuple[str, ...] = ()
    min_score: int | None = None
    same_field: bool = False
    at_least_asked: bool = False


@dataclass(frozen=True, slots=True)
class AnyTest:
    """A verified pass of any one of the alternatives."""

    alternatives: tuple[TestAlternative, ...]


@dataclass(frozen=True, slots=True)
class NeverPaid:
    """Payments that these payers may not have made under any name."""

    types: tuple[PaymentType, ...]
    payers: tuple[Payer, ...]


@dataclass(frozen=True, slots=True)
class PaidAtMost:
    """What these payers may have paid to these receivers in all: so many months of the gross pay."""

    months_of_pay: int
    payers: tuple[Payer, ...]
    receivers: tuple[Receiver, ...]


@dataclass(frozen=True, slots=True)
class LocalStaff:
    """So many local staff for each foreigner, those whom the request adds among them."""

    per_foreigner: int


@dataclass(frozen=True, slots=True)
class ForeignShare:
    """Foreigners, those whom the request adds among them, in a hundred of the local staff."""

    percent: int


@dataclass(frozen=True, slots=True)
class PaidInCapital:
    """So much registered and paid-up capital for each foreigner, those whom the request adds among them."""

    per_foreigner: Decimal
    currency: str


OfStaff: TypeAlias = LocalStaff | ForeignShare | PaidInCapital
"""What is judged by what the enterprise declared of itself; the row's validity looks at the day of the declaration."""
Ask: TypeAlias = (
    MinimumAge
    | FactAmong
    | FactAtMost
    | PassportDates
    | MinimumPay
    | AnyTest
    | NeverPaid
    | PaidAtMost
    | LocalStaff
    | ForeignShare
    | PaidInCapital
)


# ---- rows and packs


@dataclass(frozen=True, slots=True)
class Source:
    """Where a row was read, when, and how much that is worth."""

    text: str
    url: str | None
    checked_on: date | None
    evidence: Mark
    pack: str


def weakest(sources: tuple[Source, ...]) -> Mark:
    """The mark of the least reliable source."""
    return max((s.evidence for s in sources), key=MARKS.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing that must be so before a stage.

    `asks` is None for what a person hands in and another accepts: evidence under the name `item` (the key, unless
    two rows look at one item at different gates). Accepted evidence of any item in `instead` serves as well.
    `limits` are figures for whoever checks the evidence.
    """

    key: str
    title: str
    kind: Kind
    subject: Subject
    needed_before: str
    providers: tuple[Provider, ...]
    source: Source
    item: str
    asks: Ask | None = None
    instead: tuple[str, ...] = ()
    validity: tuple[Validity, ...] = ()
    applies_if: tuple[Condition, ...] = ()
    waivable_by: tuple[str, ...] = ()
    effective_from: date | None = None
    effective_to: date | None = None
    limits: Mapping[str, Any] = field(default_factory=dict, hash=False)
    note: str = ""

    @property
    def gate(self) -> Gate | None:
        """The action that the row closes; None for a rule that holds at every gate."""
        return None if self.needed_before == ALWAYS else GATES[self.needed_before]

    def closes(self, gate: Gate) -> bool:
        """Whether the row must hold at this gate."""
        return self.gate in (None, gate)


@dataclass(frozen=True, slots=True)
class Due:
    """A time after an event: calendar days, working days of a country's calendar, or every so many years."""

    count: int
    unit: Literal["days", "working_days", "years"]
    calendar: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """Something that falls due after an event and runs beside the stages; no `due` where the source names no time."""

    key: str
    title: str
    event: str
    due: Due | None
    providers: tuple[Provider, ...]
    source: Source
    effective_from: date | None = None
    effective_to: date | None = None
    limits: Mapping[str, Any] = field(default_factory=dict, hash=False)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """What becomes of whoever is on the way under an older version of the pack.

    `stay`: they keep theirs. `move`: whoever has not left yet is judged by this one, from a day or as soon as it is
    adopted, where it is in force on their planned day.
    """

    rule: Literal["stay", "move"]
    on: date | None
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One version of a set of rules.

    A `pathway` pack decides stages and terms; a `common` block is added for its nationalities where people are sent
    abroad; an `overlay` is added to everything. A `study` pack gates enrolments, and nobody works under it. No
    nationalities or destinations means any. With `host_country_nationals` the person is a national of the country where
    the job is. Without a `transition` whoever is on the way stays, and is moved when a coordinator changes their pathway.
    """

    key: str
    version: int
    title: str
    kind: PackKind
    valid_from: date
    valid_to: date | None
    nationalities: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    host_country_nationals: bool = False
    pathway: str | None = None
    stages: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    transition: Transition | None = None
    note: str = ""

    @property
    def pin(self) -> str:
        """Key and version in one word, as a candidacy keeps it."""
        return f"{self.key}@{self.version}"

    @property
    def departs(self) -> bool:
        """Whether people are sent abroad under this pack."""
        return "departed" in self.stages

    def valid_on(self, on: date) -> bool:
        """Whether the pack is in force on the day, its first and last included."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def moves(self, today: date) -> bool:
        """Whether whoever is on the way under an older version is moved to this one by a day."""
        t = self.transition
        return t is not None and t.rule == "move" and (t.on is None or t.on <= today)

    def serves(self, destination: str) -> bool:
        """Whether the pack is for this country of work."""
        return not self.destinations or destination in self.destinations

    def takes(self, nationality: str) -> bool:
        """Whether the pack is for this nationality."""
        return not self.nationalities or nationality in self.nationalities
