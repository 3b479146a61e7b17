"""What the rules of a candidacy may know: the person, the request, the consent, the packs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from service.domain import terms as term
from service.domain.actors import ENTERPRISE
from service.domain.gates import told
from service.domain.lifecycle import Dossier, Reason
from service.domain.placement_requests import Job, RequestSeats, Standing
from service.domain.requirements import (
    Evidence,
    Gate,
    NoPack,
    Pack,
    Packs,
    Payment,
    RequirementFacts,
    TestResult,
    moved,
    still_valid,
    unmet,
)

if TYPE_CHECKING:
    from service.domain.obligations import Duty

STEPS = ("nominated", "shortlisted", "interviewing", "selected", "accepted")
"""The steps at which a consent can show an enterprise more of a person."""
STEP_OF = {
    "nominated": "nominated",
    "shortlisted": "shortlisted",
    "waitlisted": "shortlisted",
    "interviewing": "interviewing",
    "selected": "selected",
    "offered": "selected",
    "accepted": "accepted",
    "placed": "accepted",
}
"""How far a state lets an enterprise look; a state that is not here shows nothing of the person."""
BEFORE_NOMINATION = ("identified", "consent_pending")
IN_CHOICE = ("nominated", "shortlisted", "interviewing", "selected", "waitlisted")
PINNED = (*IN_CHOICE, "offered")
"""Live, with packs that were pinned."""
BELOW_ACCEPTED = (*BEFORE_NOMINATION, *IN_CHOICE, "offered")
ON_CONSENT = ("consent_pending", *IN_CHOICE, "offered")
"""The states that end with the consent; what was accepted ends through the placement only."""
HARD = frozenset({"too_young", "fact_not_allowed", "limit_passed"})
"""What no later test or paper can change: such a person is not even identified."""
ASSESSMENTS = ("interview", "trade_test", "paper_selection")


@dataclass(frozen=True, slots=True)
class Person:
    """What the rules may know of the person."""

    id: UUID
    birth_on: date
    nationality: str
    passport_expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The request as a candidacy sees it."""

    seats: RequestSeats
    job: Job
    closes_on: date | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The consent that the person was asked for, and whether it holds today."""

    id: UUID
    state: str
    version: int
    fields: tuple[str, ...]
    notice: Mapping[str, Any] = field(hash=False)
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Owing:
    """Who owes what falls due with an employer, and where their days end, by provider; by the packs with that one."""

    packs: Packs | None = None
    organisations: Mapping[str, UUID | None] = field(default_factory=dict, hash=False)
    zones: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Transfer:
    """The person's own placement, which the candidacy would carry over to its request.

    `former` and `coming` are who owes what with the employer who is left and with the new one, `duties` what stands.
    """

    id: UUID
    state: str
    version: int
    since_on: date
    request_id: UUID
    destination: str
    former: Owing = Owing()
    coming: Owing = Owing()
    duties: tuple[Duty, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible(Dossier):
    """What any candidacy is judged by; `live_placement` is one beside that of the transfer."""

    person: Person
    request: Request | None = None
    live_placement: bool = False
    transfer_of: UUID | None = None
    transfer: Transfer | None = None
    packs: tuple[Pack, ...] = ()
    evidence: Mapping[str, Evidence] = field(default_factory=dict, hash=False)
    tests: tuple[TestResult, ...] = ()
    payments: tuple[Payment, ...] = ()

    def chosen(self) -> Packs | NoPack:
        """The packs as they would be pinned today."""
        if self.request is None:
            return NoPack("request_known")
        return self.request.job.chosen(self.packs, self.person.nationality)

    def facts(self, terms: Mapping[str, Any] | None = None) -> RequirementFacts:
        """What the rows may know of the person and the job, under the offered terms where there are any."""
        if self.request is None:
            raise TypeError("no request, no facts")
        more: dict[str, Any] = {
            "birth_on": self.person.birth_on,
            "passport_expires_on": self.person.passport_expires_on,
            "evidence": self.evidence,
            "tests": self.tests,
            "payments": self.payments,
        }
        offered = terms or {}
        pay = term.number(offered.get("gross_annual_pay"))
        if pay is not None:
            more |= {"gross_annual_pay": pay, "pay_currency": offered.get(term.CURRENCY)}
        return self.request.job.facts(self.person.nationality, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCandidacy(Eligible):
    """What is known when somebody is identified for a request; `zone` is where the days of their debts end."""

    live_candidacy: bool = False
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidacyDossier(Eligible):
    """All that the rules of a candidacy may know; `asked_by` are the roles of whoever asks."""

    id: UUID
    now: datetime
    stands_since: date | None = None
    consent: Asked | None = None
    siblings: tuple[Standing, ...] = ()
    accepted_elsewhere: bool = False
    pinned: Packs | None = None
    pins: tuple[str, ...] = ()
    terms: Mapping[str, Any] = field(default_factory=dict, hash=False)
    differences: tuple[str, ...] = ()
    offered_on: date | None = None
    offer_ends_at: datetime | None = None
    offer_ends_on: date | None = None
    lapses_at: datetime | None = None
    asked_by: tuple[str, ...] = ()

    def packs_to_follow(self) -> Packs | None:
        """The packs to which newer versions move the candidacy by their transitions; None where none does."""
        if self.pinned is None or self.request is None or (planned := self.request.job.planned_on) is None:
            return None
        found = moved(
            self.pinned, self.packs, nationality=self.person.nationality, destination=self.request.job.destination,
            planned_on=planned, today=self.today,
        )  # fmt: skip
        return None if found.pins == self.pinned.pins else found

    def closed(self, gate: Gate, on: date) -> list[Reason]:
        """Everything that closes a gate on a day, by the pinned packs."""
        if self.pinned is None:
            return [Reason("pack_known", actual=list(self.pins))]
        planned = self.request.job.planned_on if self.request else None
        ended = still_valid(self.pinned, planned) if planned else None
        facts = self.facts(self.terms)
        found = told(([ended] if ended else []) + list(unmet(self.pinned.requirements, gate, on, facts)))
        if ENTERPRISE not in self.asked_by:
            return found
        # What a person's papers say is shown to an enterprise by consent only, not by a refusal.
        return [Reason(r.code, r.required, None, r.pointer) for r in found]


_LIST = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Which kinds of data the enterprise sees from which step on; each step shows those before it too."""

    nominated: _LIST = ("nationality", "languages", "skills", "education")
    shortlisted: _LIST = ("name", "sex", "birth_on")
    interviewing: _LIST = ("contacts",)
    selected: _LIST = ()
    accepted: _LIST = ("passport",)


def by_step(shown: Shown, withheld: Sequence[str] = ()) -> dict[str, list[str]]:
    """The kinds of data by step, those of the steps before in each."""
    so_far: list[str] = []
    out = {}
    for step in fields(shown):
        so_far = list(dict.fromkeys([*so_far, *(f for f in getattr(shown, step.name) if f not in withheld)]))
        out[step.name] = so_far
    return out
