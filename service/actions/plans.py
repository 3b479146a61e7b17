"""Plans for their readers: one placement's, and those of many by destination, intake, day or care."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from service.actions import reading
from service.actions.candidacies import SUBJECT as CANDIDACIES
from service.actions.placements import dossier_of
from service.actions.planning import plan_of, plan_of_candidacy, shown
from service.actions.work import Call, Missing, Services, read_facts
from service.domain.actors import Sight
from service.domain.planning import TestDay
from service.storage import placements as stored
from service.storage.database import Record, attempt
from service.storage.test_days import MOST, TEST_DAYS


async def plan_of_one(services: Services, call: Call, placement: UUID) -> dict[str, Any]:
    """The plan of a placement.

    Raises:
        Missing: it is not there, or not seen.
    """
    p = await dossier_of(services, call, placement, "placements.read")
    found, whole = plan_of(p, await _test_days(services, call)), call.eyes is not Sight.ORGANISATION
    return shown(found, placement, p.person_id, p.state, p.pathway, papers_of_person=whole)


async def plan_of_candidate(services: Services, call: Call, candidacy: UUID) -> dict[str, Any]:
    """The plan of a candidacy, on the way to the day that its request names.

    Raises:
        Missing: it is not there, or not seen.
    """
    actor, items = await read_facts(services, call, CANDIDACIES, [candidacy])
    reading.check(actor, "candidacies.read")
    if candidacy not in items:
        raise Missing
    c = items[candidacy].dossier
    found, whole = plan_of_candidacy(c, await _test_days(services, call)), call.eyes is not Sight.ORGANISATION
    pathway = c.request.job.pathway if c.request else ""
    return shown(found, candidacy, c.person.id, c.state, pathway, papers_of_person=whole)


async def _test_days(services: Services, call: Call) -> list[TestDay]:
    """The days on which tests can be sat that still take people."""

    async def once(_: int) -> list[TestDay]:
        async with services.database.connection() as con:
            clock = call.at.isoformat() if call.at else None
            return await TEST_DAYS.all(con, institution=call.institution, at=clock, limit=MOST)

    return await attempt(once)


async def plans(
    services: Services, call: Call, *, filters: Mapping[str, Any], limit: int, after: UUID | None
) -> tuple[list[dict[str, Any]], UUID | None]:
    """The plans of a page of placements, in the order of their ids, and the id after which the next ones come."""
    found = await reading.page(
        services, call, stored.VIEW, "placements.read", filters=filters, limit=limit, after=after
    )
    ids = [row["id"] for row in found.items]

    async def once(_: int) -> list[Record]:
        async with services.database.connection() as con:
            return await stored.FACTS.records(
                con, call.eyes, institution=call.institution, ids=ids, route=call.route, key="", evidence=[],
                with_last=False, **call.credentials(),
            )  # fmt: skip

    records = await attempt(once) if ids else []
    days = await _test_days(services, call) if ids else []
    by_id = {r["id"]: stored.FACTS.dossier(r) for r in records if r["id"] is not None}
    whole = call.eyes is not Sight.ORGANISATION
    read = [(i, by_id[i]) for i in ids if i in by_id]
    rows = [shown(plan_of(p, days), i, p.person_id, p.state, p.pathway, papers_of_person=whole) for i, p in read]
    return rows, found.next
