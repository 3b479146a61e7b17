"""What waits for whoever asks, over HTTP."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from starlette.responses import Response

from service.actions.tasks import Tasks, tasks
from service.api.messages import words
from service.api.operations import Asked, Operation, Operations, respond
from service.api.problems import Problem
from service.api.schemas.tasks import TasksOut, TasksQuery
from service.domain.tasks import TASKS
from service.storage.tasks import Place

CURSOR = struct.Struct(">I16sB")
FILTERS = ("due_until", "overdue", "person_id", "mine")


def cursor_of(place: Place | None) -> str | None:
    """A place as a cursor: a day (0 where there is none), an id and a kind; nothing of a person."""
    if place is None:
        return None
    day = place.due_on.toordinal() if place.due_on else 0
    packed = CURSOR.pack(day, place.subject_id.bytes, place.task_no)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(written: str | None) -> Place | None:
    """The place of a cursor.

    Raises:
        Problem: it is none of ours.
    """
    if written is None:
        return None
    try:
        day, named, task = CURSOR.unpack(base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)))
        return Place(date.fromordinal(day) if day else None, UUID(bytes=named), task)
    except (ValueError, OverflowError, binascii.Error, struct.error):
        reason = {"code": "cursor_known", "text": "This cursor was not given out here", "pointer": "query/after"}
        raise Problem("invalid", reasons=[reason]) from None


def _shown(row: dict[str, Any], word: str, language: str) -> dict[str, Any]:
    kind = row.pop("task")
    label = words(f"{word}.{kind}", language)
    if row["subject"] == "obligation":
        code = f"obligation.{row['about']}"
        label = title if (title := words(code, language)) != code else label
    return row | {word: kind, "label": label}


async def _mine(asked: Asked) -> Response:
    return await listed(asked, TASKS, "task", tasks)


async def listed(asked: Asked, names: Sequence[str], word: str, read: Callable[..., Awaitable[Tasks]]) -> Response:
    """A page of lines of these kinds, whose field and words are called so."""
    query = asked.query
    filters = {name: v for name in FILTERS if (v := getattr(query, name, None)) is not None}
    if (kind := getattr(query, word, None)) is not None:
        filters["task"] = names.index(kind)
    found = await read(asked.services, asked.call, filters=filters, limit=query.limit, after=read_cursor(query.after))
    following = cursor_of(found.next)
    headers = {}
    if following:
        url = asked.request.url.include_query_params(after=following)
        headers["link"] = f'<{url.path}?{url.query}>; rel="next"'
    return respond(
        {"items": [_shown(r, word, asked.language) for r in found.items], "next": following}, headers=headers
    )


def routes() -> list[Operations]:
    """Every operation of the capability."""
    found = Operations("tasks")
    found.add(
        Operation(
            "GET",
            "/me/tasks",
            "me_tasks",
            "What waits for me, by day",
            _mine,
            "list",
            "me.read",
            TasksOut,
            query=TasksQuery,
        )
    )
    return [found]
