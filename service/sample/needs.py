"""What the packs ask for before each step: told from the packs themselves, handed in by who owes it, and accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from service.actions import requirement_items
from service.actions.work import Wanted
from service.domain.actors import AGENCY, ENTERPRISE, TRAINEE, Role
from service.domain.requirements import GATES, Packs, Requirement, RequirementFacts, choose, unmet
from service.sample.cast import COUNTRY_OF, NOBODY, Trainee
from service.sample.desk import Desk
from service.sample.organisations import AGENCIES, SampleAgency, SampleEnterprise
from service.sample.year import Wave
from service.storage.packs import shipped_packs

PATHWAYS = {"jp": "jp_ssw1", "de": "de_18a", "home": "home_hire"}
OWES: dict[str, Role] = {"trainee": TRAINEE, "agency": AGENCY, "enterprise": ENTERPRISE}
"""Who hands in what each provider owes; the rest is the college's own coordinator."""
BEFORE, ACCEPTED = timedelta(days=5), timedelta(days=2)
"""How long before the step papers are handed in, and accepted."""
ISSUED = timedelta(days=12)
HSK_ASKED = {"hsk_2": "4"}


@dataclass(slots=True, kw_only=True)
class Request:
    """A placement request of the sample: who asks, for which way, and whom it will take."""

    employer: SampleEnterprise
    way: str
    wave: Wave
    number: int
    people: list[Trainee]
    id: UUID = NOBODY

    @property
    def destination(self) -> str:
        """The country of work."""
        return COUNTRY_OF.get(self.way, self.employer.country)

    @property
    def nationality(self) -> str:
        """Whom it takes."""
        return self.employer.country if self.way == "home" else "CN"

    @property
    def agency(self) -> SampleAgency | None:
        """The agency that sends people; nobody is sent who is hired at home."""
        return None if self.way == "home" else AGENCIES[self.number % len(AGENCIES)]

    @property
    def options(self) -> tuple[str, ...]:
        """Choices inside the pathway."""
        return ("fast_track",) if self.way == "de" and self.number % 2 else ()

    @property
    def levels_asked(self) -> dict[str, str]:
        """The Chinese that a job at home asks for."""
        return HSK_ASKED if self.way == "home" and self.number % 2 else {}

    @property
    def regulated(self) -> bool:
        """Whether the profession is regulated: nursing in Germany."""
        return self.way == "de" and self.employer.sector == "nursing_care"

    @property
    def departs_on(self) -> date | None:
        """The day of the planned departure."""
        return None if self.way == "home" else self.wave.departs_on

    @property
    def starts_on(self) -> date:
        """The first day of work."""
        return self.wave.begins_on(self.way)

    def packs(self) -> Packs:
        """The packs for the people that it takes.

        Raises:
            TypeError: there is none for it.
        """
        found = choose(
            shipped_packs(), nationality=self.nationality, destination=self.destination, pathway=PATHWAYS[self.way],
            on=self.departs_on or self.starts_on,
        )  # fmt: skip
        if not isinstance(found, Packs):
            raise TypeError(found.code)
        return found

    def facts(self, t: Trainee | None) -> RequirementFacts:
        """What the packs may know, as far as it decides which rows apply."""
        return RequirementFacts(
            nationality=self.nationality,
            destination=self.destination,
            birth_on=t.person.birth_on if t else None,
            field=t.field if t else None,
            employer_country=self.employer.country,
            has_agency=self.agency is not None,
            regulated_job=self.regulated,
            people_in_country=1,
            planned_departure_on=self.departs_on,
            starts_on=self.starts_on,
            ends_on=self.wave.ends_on,
            options=frozenset(self.options),
            levels_asked=self.levels_asked,
        )


def asked_for(request: Request, stages: Iterable[str], t: Trainee | None, on: date) -> list[Requirement]:
    """The papers that the packs ask for before some stages, each once."""
    facts, rows = request.facts(t), request.packs().requirements
    found: dict[str, Requirement] = {}
    for stage in stages:
        gate = GATES[stage]
        for r in rows:
            if r.needed_before == stage and r.asks is None and any(unmet([r], gate, on, facts)):
                found.setdefault(r.item, r)
    return list(found.values())


def _until(r: Requirement, request: Request) -> date | None:
    wave = request.wave
    if r.item == "agency_licence" and request.agency:
        return request.agency.licensed.until_on
    if r.item in ("visa", "employment_agency_approval"):
        return wave.departs_on + timedelta(days=75)
    return wave.ends_on + timedelta(days=31) if any(v.rule == "covers" for v in r.validity) else None


def _dated(r: Requirement, request: Request, t: Trainee | None, day: date) -> dict[str, Any]:
    issued = t.person.passport_issued_on if t and r.item == "passport_book" else day - ISSUED
    days = {"issued_on": issued, "valid_until": _until(r, request)}
    if any(v.rule == "starts_by" for v in r.validity):
        days["valid_from"] = request.departs_on
    return {name: d for name, d in days.items() if d is not None}


@dataclass(slots=True)
class Paper:
    """One thing that is to be handed in for something."""

    subject: UUID
    row: Requirement
    request: Request
    trainee: Trainee | None = None


def papers_of(request: Request, stage: str, t: Trainee, on: date) -> list[Paper]:
    """What is handed in for a person's placement before a stage; what belongs to the request was handed in with it."""
    subjects = {"person": t.id, "candidacy": t.candidacy, "placement": t.placement}
    return [
        Paper(subjects[r.subject], r, request, t) for r in asked_for(request, [stage], t, on) if r.subject in subjects
    ]


async def hand_in(desk: Desk, day: date, papers: Sequence[Paper]) -> None:
    """Papers are handed in some days before a step by who owes them, and accepted by the deputy."""
    once = {(p.subject, p.row.item): p for p in papers if (p.subject, p.row.item) not in desk.handed_in}
    desk.handed_in |= once.keys()
    wanted = [
        Wanted(subject, given={"key": item, **_dated(p.row, p.request, p.trainee, day), **_party(desk, p.row)})
        for (subject, item), p in once.items()
    ]
    made = await desk.act(day - BEFORE, requirement_items.SUBJECT, "supply", wanted)
    await desk.act(day - ACCEPTED, requirement_items.SUBJECT, "accept", [r.id for r in made], deputy=True)


def _party(desk: Desk, r: Requirement) -> dict[str, Any]:
    """A coordinator brings what the college or a clinic owes, and records what others brought."""
    if all(p in OWES for p in r.providers):
        return desk.recorded_for(OWES[r.providers[0]])
    return {"evidence": (desk.papers["minutes"],)}
