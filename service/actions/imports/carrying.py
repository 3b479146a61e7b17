"""What the worker does for imports: goes on with whatever waits, wherever another process left it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from service.actions.imports.applying import Spoilt, apply_some, take_back_some
from service.actions.imports.chained import chain_some
from service.actions.imports.checking import check
from service.actions.imports.items import SUBJECT, take_away
from service.actions.imports.kinds import KINDS
from service.actions.imports.rows import Unreadable
from service.actions.imports.staging import Guard, Overtaken
from service.actions.work import AT_MOST, Call, Missing, Services, Wanted, perform
from service.domain.actors import THE_SYSTEM, Actor, Role
from service.domain.imports import DONE
from service.domain.lifecycle import Refused
from service.storage import files
from service.storage.imports import Job, built_on, held, jobs, waiting

CHUNKS_AT_ONCE = 8
"""Chunks of one import before the worker looks whether it is to stop."""


async def carry_on(services: Services, institution: UUID) -> bool:
    """Go on with the oldest import that no other process is at; whether more waits."""
    for first in await jobs(services.database, institution):
        async with held(services.database, first.id) as is_ours:
            if not is_ours:
                continue
            # It may have moved while we waited for it.
            job = next((j for j in await jobs(services.database, institution) if j.id == first.id), None)
            if job is not None:
                try:
                    await _go_on(services, institution, job)
                except Overtaken:
                    continue
            return True
    return False


async def _go_on(services: Services, institution: UUID, job: Job) -> None:
    actor = Actor(job.actor, frozenset(Role(r) for r in job.roles))
    call = Call(institution, f"imports_{job.state}", trusted=actor)
    if job.state == "uploaded":
        await _check(services, call, job)
    elif job.state == "applying":
        await _apply(services, call, job)
    else:
        await _take_back(services, call, job)


async def _check(services: Services, call: Call, job: Job) -> None:
    try:
        told = await check(services, call, job)
    except Unreadable as no:
        await _step(services, job, call, "fail", {"trouble": _trouble(no.code, no.required, no.actual)})
    except files.Missing:
        await _step(services, job, call, "fail", {"trouble": _trouble("file_gone")})
    else:
        await _step(services, job, call, "check", told)
    await take_away(services, call.institution, job.content_id)


async def _apply(services: Services, call: Call, job: Job) -> None:
    try:
        for _ in range(CHUNKS_AT_ONCE):
            if not await _forth(services, call, job):
                await _step(services, job, call, "finish", {})
                return
    except Spoilt as no:
        action = "undo" if await _began(services, call, job) else "fail"
        await _step(services, job, call, action, {"trouble": _spoilt("refused_since", no)})


async def _began(services: Services, call: Call, job: Job) -> bool:
    """Whether earlier transactions of the import did something: of all rows or none, that is taken back."""
    async with services.database.connection() as con:
        return any([await waiting(con, call.institution, job.id, outcome, 1) for outcome in DONE])


async def _forth(services: Services, call: Call, job: Job) -> bool:
    if KINDS[job.kind].chain:
        return await chain_some(services, call, job, "create")
    return await apply_some(services, call, job)


async def _back(services: Services, call: Call, job: Job) -> bool:
    if KINDS[job.kind].chain:
        return await chain_some(services, call, job, "created")
    return await take_back_some(services, call, job)


async def _forget_files(services: Services, call: Call, job: Job) -> None:
    """Files of rows that were never applied: nothing leads to them."""
    async with services.database.connection() as con:
        guard = await Guard.of(con, services, call.institution, job.id)
        left = await waiting(con, call.institution, job.id, "create", AT_MOST)
    for row in left:
        if content := guard.open(row.sealed).get("given", {}).get("content_id"):
            await take_away(services, call.institution, UUID(content))


async def _take_back(services: Services, call: Call, job: Job) -> None:
    await _forget_files(services, call, job)
    if changed := await built_on(services.database, call.institution, job.id):
        await _step(services, job, call, "keep", {"trouble": _trouble("nothing_built_on_it", actual=changed)})
        return
    try:
        for _ in range(CHUNKS_AT_ONCE):
            if not await _back(services, call, job):
                await _step(services, job, call, "take_back", {})
                return
    except Spoilt as no:
        await _step(services, job, call, "keep", {"trouble": _spoilt("nothing_built_on_it", no)})


def _trouble(code: str, required: Any = None, actual: Any = None) -> dict[str, Any]:
    return {"code": code, "required": required, "actual": actual}


def _spoilt(code: str, no: Spoilt) -> dict[str, Any]:
    """Where it came to a halt, and why: the lines of the first rows, and the codes."""
    lines = [row.line for row, _ in no.rows[:20]]
    codes = sorted({r.code for _, reasons in no.rows for r in reasons})
    return _trouble(code, required=codes, actual=lines)


async def _step(services: Services, job: Job, call: Call, action: str, given: dict[str, Any]) -> None:
    """The system's own step of the import, unless somebody moved it meanwhile."""
    system = Call(call.institution, f"imports_{action}", trusted=THE_SYSTEM)
    try:
        await perform(services, system, SUBJECT, action, [Wanted(job.id)], given, answer=lambda *_: b"")
    except (Refused, Missing) as no:
        raise Overtaken from no
