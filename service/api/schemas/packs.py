"""Requirement packs: what is there, what differs, and what a new version would mean."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from service.api.inputs import Day, In
from service.api.schemas.common import Out

LOOKED_MOST = 5000
Version = Annotated[int, Field(ge=1, le=10_000)]


class PackOut(Out):
    """A version of a pack."""

    key: str
    version: int
    pin: str
    title: str
    kind: str
    pathway: str | None
    valid_from: date
    valid_to: date | None
    nationalities: list[str] = Field(description="None means any.")
    destinations: list[str] = Field(description="None means any.")
    stages: list[str]
    requirements: int = Field(description="How many rows gate a step.")
    obligations: int = Field(description="How many rows fall due after an event.")
    note: str


class PacksOut(Out):
    """Every version of every pack."""

    items: list[PackOut]


class PackVersionOut(PackOut):
    """A version with its rows as they are written, each with its source."""

    content: dict[str, Any]


class PackVersionsOut(Out):
    """Every version of a pack, oldest first."""

    items: list[PackVersionOut]


class ProposedIn(In):
    """A version that is proposed, and the one it is compared with; the newest where none is named."""

    content: dict[str, Any] = Field(
        description="The version as its file would be written.", examples=[{"key": "jp-ssw1", "version": 2}]
    )
    before: Version | None = None


class RowOut(Out):
    """A row by its key."""

    kind: str
    key: str
    title: str


class FieldOut(Out):
    """One field of a row that differs."""

    name: str
    before: Any
    after: Any


class ChangedRowOut(RowOut):
    """A row of both versions that differs."""

    fields: list[FieldOut]


class DifferenceOut(Out):
    """Two versions row by row."""

    before: str
    after: str
    pack: list[str] = Field(description="Fields of the pack itself that differ.")
    added: list[RowOut]
    dropped: list[RowOut]
    changed: list[ChangedRowOut]
    same: list[str]


class RehearsalIn(ProposedIn):
    """A version that is tried on everybody who is on their way."""

    from_on: Day = Field(description="The first day on which it would be in force, by planned departures.")
    after: UUID | None = Field(default=None, description="The `next` of the call before.")
    limit: Annotated[int, Field(ge=1, le=LOOKED_MOST)] = 1000


class BlockingOut(Out):
    """A row that would close a gate, and what would open it again."""

    key: str
    code: str
    required: Any
    owed_by: list[str]
    evidence: str
    saved_by: list[dict[str, Any]]


class GateOut(Out):
    """A gate that would be closed, on its planned day."""

    stage: str
    on: date
    rows: list[BlockingOut]


class BlockedOut(Out):
    """Somebody whom the version would block."""

    kind: str
    id: UUID
    person_id: UUID
    state: str
    pins: list[str]
    moves_on: date | None = Field(
        description="When its transition would move them to the version; null where only a change of pathway does."
    )
    no_pack: str | None = Field(description="Why no pack would be left for them.")
    gates: list[GateOut]


class RehearsalOut(Out):
    """What a version would mean: whom it would concern, and whom it would block."""

    before: str
    after: str
    from_on: date
    looked_at: int
    affected: int = Field(description="Those to whom it would apply.")
    items: list[BlockedOut]
    next: UUID | None = Field(description="Give it as `after` to go on; null at the end.")
