"""What waits for whoever asks, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.actions.reading import records
from service.actions.work import Call, Services
from service.domain.tasks import TASKS
from service.storage.tasks import Place, tasks_of
from service.storage.views import facts_of_row


@dataclass(frozen=True, slots=True)
class Tasks:
    """Some tasks, and the place after which the next ones come."""

    items: list[dict[str, Any]]
    next: Place | None


async def tasks(
    services: Services, call: Call, *, filters: Mapping[str, Any], limit: int, after: Place | None = None
) -> Tasks:
    """A page of what waits for the actor, in the order of its days."""
    known = {f"by_{name}": value for name, value in filters.items()} | {"limit": limit + 1}
    if after is not None:
        known |= {"after_due": after.due_on, "after_id": after.subject_id, "after_task": after.task_no}
    statement = tasks_of(call.sight, tuple(sorted(filters)), after=after is not None)
    _, found = await records(services, call, statement, "me.read", **known)
    rows = [facts_of_row(r) for r in found if r["subject_id"] is not None]
    last = rows[limit - 1] if len(rows) > limit else None
    following = Place(last["due_on"], last["subject_id"], last["task_no"]) if last else None
    for row in rows:
        row["task"] = TASKS[row.pop("task_no")]
    return Tasks(rows[:limit], following)
