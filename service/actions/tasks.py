"""What waits for whoever asks, and what needs attention, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from service.actions.reading import records
from service.actions.work import Call, Services
from service.domain.tasks import ATTENTION, TASKS
from service.storage.attention import attention_of
from service.storage.database import Record, Statement
from service.storage.tasks import Place, tasks_of
from service.storage.views import facts_of_row


@dataclass(frozen=True, slots=True)
class Tasks:
    """Some tasks, and the place after which the next ones come."""

    items: list[dict[str, Any]]
    next: Place | None


Pager: TypeAlias = "Callable[..., Statement[Record]]"


async def _page(
    services: Services,
    call: Call,
    pager: Pager,
    permission: str,
    names: Sequence[str],
    *,
    filters: Mapping[str, Any],
    limit: int,
    after: Place | None,
) -> Tasks:
    known = {f"by_{name}": value for name, value in filters.items()} | {"limit": limit + 1}
    if after is not None:
        known |= {"after_due": after.due_on, "after_id": after.subject_id, "after_task": after.task_no}
    statement = pager(call.sight, tuple(sorted(filters)), after=after is not None)
    _, found = await records(services, call, statement, permission, **known)
    rows = [facts_of_row(r) for r in found if r["subject_id"] is not None]
    last = rows[limit - 1] if len(rows) > limit else None
    following = Place(last["due_on"], last["subject_id"], last["task_no"]) if last else None
    for row in rows:
        row["task"] = names[row.pop("task_no")]
    return Tasks(rows[:limit], following)


async def tasks(
    services: Services, call: Call, *, filters: Mapping[str, Any], limit: int, after: Place | None = None
) -> Tasks:
    """A page of what waits for the actor, in the order of its days."""
    return await _page(services, call, tasks_of, "me.read", TASKS, filters=filters, limit=limit, after=after)


async def attention(
    services: Services, call: Call, *, filters: Mapping[str, Any], limit: int, after: Place | None = None
) -> Tasks:
    """A page of what needs attention in the institution, in the order of its days."""
    return await _page(
        services, call, attention_of, "attention.read", ATTENTION, filters=filters, limit=limit, after=after
    )
