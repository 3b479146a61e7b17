"""What the clock does: for each due thing, the system's own action, in bulk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.actions.work import AT_MOST, Call, Result, Services, Subject, Wanted, Work, perform
from service.domain.actors import THE_SYSTEM
from service.storage.database import Statement


@dataclass(frozen=True, slots=True)
class Timer:
    """A system's action, and the statement that finds what is due.

    `due` takes `institution`, `at` (ISO instant or None) and `limit`, and gives ids.
    """

    name: str
    subject: Subject[Any]
    action: str
    due: Statement[Any]


def _answer(_work: Work, results: list[Result]) -> bytes:
    return str(sum(1 for r in results if r.state is not None)).encode()


async def ring(services: Services, timer: Timer, institution: Any, at: datetime | None = None, limit: int = 500) -> int:
    """Do what is due now; how many things moved. Doing it again does nothing."""
    async with services.database.connection() as con:
        clock = at.isoformat() if at else None
        due = await timer.due.all(con, institution=institution, at=clock, limit=min(limit, AT_MOST))
    if not due:
        return 0
    call = Call(institution, timer.name, trusted=THE_SYSTEM, at=at)
    wanted = [Wanted(i) for i in due]
    done = await perform(services, call, timer.subject, timer.action, wanted, {}, answer=_answer, single=False)
    return int(done.body)
