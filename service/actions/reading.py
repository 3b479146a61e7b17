"""Reads need no decision: who asks, whether they may, and the rows that they see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.actions.work import Call, Missing, Services, read_actor
from service.domain.actors import Actor, Role, Sight
from service.domain.lifecycle import Reason, Refused
from service.domain.permissions import PERMISSIONS, may
from service.storage.database import Record, Statement, Table, attempt
from service.storage.vault import Sealed
from service.storage.views import View, events_of, facts_of_row, feed_page, timeline_of, who


def check(actor: Actor, permission: str) -> None:
    """Whether the actor may do this at all.

    Raises:
        Refused: none of their roles has the permission.
    """
    if not may(actor, permission):
        raise Refused([Reason("role", required=sorted(PERMISSIONS.get(permission, ())), actual=sorted(actor.roles))])


async def records(
    services: Services, call: Call, statement: Statement[Record], permission: str, **given: Any
) -> tuple[Actor, list[Record]]:
    """Who asks and what they see; the first record always tells who."""

    async def once(_: int) -> list[Record]:
        async with services.database.connection() as con:
            return await statement.records(con, institution=call.institution, **call.credentials(), **given)

    found = await attempt(once)
    actor = read_actor(call, found[0])
    check(actor, permission)
    return actor, found


async def who_asks(services: Services, call: Call) -> Actor:
    """The actor of the call.

    Raises:
        Unauthenticated: the token is not live.
    """
    actor, _ = await records(services, call, who(call.eyes), "me.read")
    return actor


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the id after which the next ones come."""

    items: list[dict[str, Any]]
    next: UUID | None


async def page(
    services: Services,
    call: Call,
    view: View,
    permission: str,
    *,
    filters: Mapping[str, Any],
    limit: int,
    after: UUID | None = None,
    sort: str | None = None,
    downward: bool = False,
) -> Page:
    """A page of what the actor sees."""
    statement = view.page(call.eyes, list(filters), sort, after=after is not None, downward=downward)
    given: dict[str, Any] = {f"by_{name}": value for name, value in filters.items()} | {"limit": limit + 1}
    if after is not None:
        given["after"] = after
    _, found = await records(services, call, statement, permission, **given)
    rows = [facts_of_row(r) for r in found if r["id"] is not None]
    return Page(rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None)


async def item(services: Services, call: Call, view: View, permission: str, item_id: UUID) -> dict[str, Any]:
    """One row.

    Raises:
        Missing: it is not there, or not seen.
    """
    _, found = await records(services, call, view.item(call.eyes), permission, by_id=item_id, limit=1)
    if found[0]["id"] is None:
        raise Missing
    return facts_of_row(found[0])


OF_ORGANISATIONS = frozenset({"placement_request", "relationship", "course", "document", "requirement_item"})
"""What an organisation asks for or hands in itself; the record of anything else is of people."""


def _reads_along(actor: Actor, record: Record) -> bool:
    """Whether the actor reads what an entry says beside the move: its reason, its note, its evidence and its data.

    People read what is about them, and of what they share with others only how it moved. Organisations read what they
    did, or what was recorded for them; why somebody else moved, in health or in trouble, no consent gives them.
    """
    if actor.sight is Sight.PERSON:
        return record["stream_id"] in actor.person_ids
    if actor.sight is Sight.ORGANISATION and record["subject"] not in OF_ORGANISATIONS:
        named = record["recorded_for"]
        return not actor.roles.isdisjoint([named] if named else record["actor_roles"].split())
    return True


def _event(services: Services, call: Call, actor: Actor, record: Record, *, with_note: bool) -> dict[str, Any]:
    row, along = facts_of_row(record), _reads_along(actor, record)
    row.pop("item_id", None)
    sealed, wrapped = row.pop("note_sealed", None), row.pop("wrapped", None)
    if not along:
        row |= {"reason_code": None, "evidence": [], "data": {}}
    if with_note:
        row["note"] = None
        if sealed is not None and wrapped is not None and along:
            try:
                key = services.vault.stream_key(wrapped, call.institution, row["stream_id"])
                row["note"] = key.open(sealed, call.institution, row["stream_id"], "note")
            except Sealed:
                row["note"] = None
    row["actor_roles"] = [Role(r) for r in row["actor_roles"].split()]
    return row


async def events(
    services: Services, call: Call, table: Table, stream: str, permission: str, item_id: UUID, *, after: int, limit: int
) -> list[dict[str, Any]]:
    """What happened to an item, oldest first.

    Raises:
        Missing: it is not there, or not seen.
    """
    actor, found = await records(
        services, call, events_of(table, stream, call.eyes), permission, by_id=item_id, after=after, limit=limit
    )
    if found[0]["item_id"] is None:
        raise Missing
    return [_event(services, call, actor, r, with_note=True) for r in found if r["event_id"] is not None]


async def timeline(
    services: Services, call: Call, table: Table, permission: str, item_id: UUID, *, after: int, limit: int
) -> list[dict[str, Any]]:
    """Every move of everything that stands in one stream.

    Raises:
        Missing: it is not there, or not seen.
    """
    actor, found = await records(
        services, call, timeline_of(table, call.eyes), permission, by_id=item_id, after=after, limit=limit
    )
    if found[0]["item_id"] is None:
        raise Missing
    return [_event(services, call, actor, r, with_note=False) for r in found if r["event_id"] is not None]


async def feed(services: Services, call: Call, *, after: int, limit: int) -> list[dict[str, Any]]:
    """The institution's events after a number, in their final order."""
    actor, found = await records(services, call, feed_page(call.eyes), "events.read", after=after, limit=limit)
    return [_event(services, call, actor, r, with_note=False) for r in found if r["feed_no"] is not None]


__all__ = ["Page", "Sequence", "check", "events", "feed", "item", "page", "records", "timeline", "who_asks"]
