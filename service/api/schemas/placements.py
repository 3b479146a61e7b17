"""Placements, their checklists, and what another pathway would mean."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from service.api.inputs import Day
from service.api.schemas.common import Asking, Limited, Out, StatefulOut
from service.api.schemas.trainees import Masked


class PlacementOut(StatefulOut):
    """A person's way from the contract to the work and home again."""

    person_id: UUID
    name_native: str | Masked
    name_latin: str | Masked
    request_id: UUID
    candidacy_id: UUID
    employer_id: UUID
    employer: str
    agency_id: UUID | None
    destination: str
    pathway: str
    pins: list[str] = Field(description="The packs that hold, each with its version; later versions change nothing.")
    stages: list[str] = Field(description="The stages of the main line that apply.")
    departs: bool
    occupation: str | None
    terms: dict[str, Any]
    agency_contract: str | None
    planned_departure_on: date | None
    arrives_on: date | None
    starts_on: date | None
    ends_on: date | None
    authorisation_from_on: date | None
    authorisation_until_on: date | None
    visa_from_on: date | None
    visa_until_on: date | None
    terms_confirmed_on: date | None
    critical: bool = Field(description="The next step has less room than the margin of the plan.")
    late: bool = Field(description="The day that the plan aims at can no longer be met.")
    flight: str | None
    departed_on: date | None
    arrived_on: date | None
    started_on: date | None
    extension_until_on: date | None
    last_contact_on: date | None
    returns_on: date | None
    returned_on: date | None
    ended_on: date | None
    wish: str | None


class SourceOut(Out):
    """Where a row of a pack was read."""

    text: str
    url: str | None
    checked_on: date | None
    evidence: str
    pack: str


class AlternativeOut(Out):
    """Another item, or a test by its levels (lowest first) or least score."""

    item: str | None
    test: str | None
    levels: list[str]
    min_score: int | None


class ChecklistRowOut(Out):
    """One thing that a pack asks for, who owes it, and how far it has come."""

    key: str
    title: str
    kind: str
    subject: str
    item: str = Field(description="Under which key it is handed in.")
    item_id: UUID | None = Field(description="What was handed in; null where nothing was.")
    stages: list[str]
    gates: list[str] = Field(description="The actions that it closes; none for a rule that always holds.")
    state: str
    valid_until: date | None
    due_on: date | None = Field(description="The planned day on which it is judged first; null without a plan.")
    good_from_on: date | None = Field(description="The first day of issue that still serves then; null is any day.")
    owed_by: list[str]
    alternatives: list[AlternativeOut] = Field(description="What serves beside what is named.")
    waivable_by: list[str]
    limits: dict[str, Any]
    sources: list[SourceOut]
    evidence: str = Field(description="How well its weakest source was read.")
    note: str


class ChecklistOut(Out):
    """Everything that the pinned packs ask for."""

    id: UUID
    pins: list[str]
    planned_on: date | None
    items: list[ChecklistRowOut]


class ChecklistsQuery(Limited):
    """Which placements, and which lines of their checklists."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        default=None, description="The `next` of the page before."
    )
    state: Annotated[str, StringConstraints(max_length=100)] | None = None
    request_id: UUID | None = None
    person_id: UUID | None = None
    employer_id: UUID | None = None
    agency_id: UUID | None = None
    destination: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    pathway: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    departs_from: Day | None = None
    departs_until: Day | None = None
    owed_by: (
        Literal[
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
        | None
    ) = Field(default=None, description="Only lines that this party owes.")
    still_open: bool = Field(default=False, description="Only lines that are not done.")


class PlacementChecklistOut(ChecklistOut):
    """The checklist of one of many placements."""

    person_id: UUID
    state: str


class PathwayQuery(Asking):
    """Another pathway, or other days for the same one."""

    pathway: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    planned_departure_on: date | None = None
    starts_on: date | None = None


class PathwayOut(Out):
    """What another pathway would mean."""

    id: UUID
    pathway: str
    pins: list[str]
    stages: list[str]
    stage: str = Field(description="The stage on which the placement would stand.")
    added: list[str] = Field(description="Requirements that would come.")
    dropped: list[str] = Field(description="Requirements that would go.")
    changed: list[str] = Field(description="Requirements of both whose rules differ.")
    still_good: list[str] = Field(description="Requirements of the other pathway that are done already.")


class InterviewOut(Out):
    """What the interview after the return said."""

    id: UUID
    skills_gained: str | None
    wish: str | None
