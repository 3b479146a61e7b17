"""Who saw what of a person, page by page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from service.actions.reading import records
from service.actions.work import Call, Missing, Services
from service.storage.access import Place, access_of
from service.storage.views import facts_of_row

LEFT = ("person_id",)


async def access(
    services: Services, call: Call, person: UUID, *, limit: int, after: Place | None = None
) -> tuple[list[dict[str, Any]], Place | None]:
    """Some lines, newest first, and the place after which older ones come.

    Raises:
        Missing: nobody whom the actor sees.
    """
    known: dict[str, Any] = {"by_id": person, "limit": limit + 1}
    if after is not None:
        known |= {"after_at": after.at, "after_id": after.id}
    _, found = await records(services, call, access_of(call.eyes, after=after is not None), "access.read", **known)
    if found[0]["person_id"] is None:
        raise Missing
    rows = [facts_of_row(r) for r in found if r["id"] is not None]
    last = rows[limit - 1] if len(rows) > limit else None
    shown = [{n: v for n, v in r.items() if n not in LEFT} | {"fields": r["fields"].split()} for r in rows[:limit]]
    return shown, Place(last["at"], last["id"]) if last else None
