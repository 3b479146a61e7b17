"""What the clock does: for each due thing, the system's own action, in bulk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.actions.work import AT_MOST, Call, Result, Services, Subject, Wanted, Work, perform
from service.domain.actors import THE_SYSTEM
from service.domain.lifecycle import Given
from service.storage.database import Statement


@dataclass(frozen=True, slots=True)
class Timer:
    """A system's action, and the statement that finds what is due.

    `due` may take `institution`, `at` (ISO instant or None) and `limit`, and gives ids, or rows of which `wanted` makes
    what is acted on. `given` is what the clock says with the action, `every` how many seconds lie between two rings.
    """

    name: str
    subject: Subject[Any]
    action: str
    due: Statement[Any]
    wanted: Callable[[Any], Wanted] = Wanted
    given: Given = field(default_factory=dict)
    every: float = 5.0


@dataclass(frozen=True, slots=True)
class Chore:
    """What a worker does beside acts: nothing that anybody would read of. `do` says whether more of it waits."""

    name: str
    do: Callable[[Services, Any, datetime | None], Awaitable[bool]]
    every: float = 5.0


def _answer(_work: Work, results: list[Result]) -> bytes:
    return str(sum(1 for r in results if r.state is not None)).encode()


async def ring(services: Services, timer: Timer, institution: Any, at: datetime | None = None, limit: int = 500) -> int:
    """Do what is due now; how many things moved. Doing it again does nothing."""
    async with services.database.connection() as con:
        known = {"institution": institution, "at": at.isoformat() if at else None, "limit": min(limit, AT_MOST)}
        due = await timer.due.all(con, **{name: v for name, v in known.items() if name in timer.due.known})
    if not due:
        return 0
    call = Call(institution, timer.name, trusted=THE_SYSTEM, at=at)
    wanted = [timer.wanted(row) for row in due]
    done = await perform(services, call, timer.subject, timer.action, wanted, timer.given, answer=_answer, single=False)
    return int(done.body)
