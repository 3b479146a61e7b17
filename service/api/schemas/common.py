"""Forms that every resource's schema is made of."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.api.problems import ReasonOut

T = TypeVar("T")


class Out(BaseModel):
    """What a client reads."""

    model_config = ConfigDict(extra="forbid")


class OfferOut(Out):
    """An action: open, or closed with every reason; with the bounds of its input."""

    action: str
    label: str
    open: bool
    to: list[str]
    reasons: list[ReasonOut]
    inputs: list[dict[str, Any]]


class ItemOut(Out):
    """What every item shows."""

    id: UUID
    version: int = Field(description="Goes up with every change; the first part of the ETag.")
    actions: list[OfferOut] | None = Field(default=None, description="Only with include=actions.")


class StatefulOut(ItemOut):
    """An item with a lifecycle."""

    state: str
    since_on: date = Field(description="The day of its last step.")


class PageOut(Out, Generic[T]):
    """A page: its items, and the cursor of the next one."""

    items: list[T]
    next: str | None = Field(description="Give it as `after` for the next page; null at the end.")


class MovedOut(Out):
    """What a step did."""

    id: UUID
    state: str
    version: int
    action_id: UUID = Field(description="Joins everything that this act left behind.")
    created: dict[str, UUID] = Field(description="What came into being, by kind.")


class ResultOut(Out):
    """What became of one item of a bulk action."""

    id: UUID
    done: bool
    state: str | None = None
    version: int | None = None
    created: dict[str, UUID] = Field(default_factory=dict)
    error: str | None = Field(default=None, description="The problem's code where it was not done.")
    reasons: list[ReasonOut] = Field(default_factory=list)


class BulkOut(Out):
    """What became of a bulk action: all that was granted happened together."""

    action_id: UUID
    done: int
    refused: int
    items: list[ResultOut]


class EventOut(Out):
    """One entry of the record."""

    event_id: UUID
    action_id: UUID
    type: str
    action: str
    subject: str
    subject_id: UUID
    stream_id: UUID
    seq: int
    from_state: str | None
    to_state: str | None
    actor_id: UUID
    actor_roles: list[str]
    recorded_for: str | None
    reason_code: str | None
    occurred_on: date
    recorded_at: datetime
    corrects: int | None
    evidence: list[UUID]
    data: dict[str, Any]


class ItemEventOut(EventOut):
    """An entry of an item's record, with its note where it can still be read."""

    note: str | None


class FeedEventOut(EventOut):
    """An entry of the institution's feed."""

    feed_no: int


class EventsOut(Out):
    """Events in order."""

    items: list[ItemEventOut]
    next: int | None = Field(description="Give it as `after` for the next ones; null at the end.")


class TimelineOut(Out):
    """The events of a stream in order."""

    items: list[EventOut]
    next: int | None


class FeedOut(Out):
    """The feed in order."""

    items: list[FeedEventOut]
    next: int = Field(description="Give it as `after` the next time, also when there was nothing.")


class ActionsOut(Out):
    """Every action on an item, for whoever asks."""

    id: UUID
    version: int
    actions: list[OfferOut]


class Asking(BaseModel):
    """Parameters of a read: only what is declared."""

    model_config = ConfigDict(extra="forbid")


class Limited(Asking):
    """Parameters of a page."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Cursored(Limited):
    """Parameters of the pages of a list."""

    after: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        default=None, description="The `next` of the page before."
    )


class Paged(Cursored):
    """Parameters of a resource's keyset page."""

    include: Literal["actions"] | None = None
    order: Literal["oldest", "newest"] = "oldest"


class Exporting(Asking):
    """Parameters of a list as a file."""

    format: Literal["csv", "xlsx", "ndjson"] = "csv"
    order: Literal["oldest", "newest"] = "oldest"


class Itemised(Asking):
    """Parameters of one item."""

    include: Literal["actions"] | None = None


class After(Limited):
    """Parameters of a list of events."""

    after: Annotated[int, Field(ge=0, lt=2**62)] = 0


class Nothing(Out):
    """No more than that it was done."""

    done: bool = True
