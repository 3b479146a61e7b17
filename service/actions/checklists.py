"""Checklists: who owes what by when, for one placement and for many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from service.actions import reading
from service.actions.placements import dossier_of
from service.actions.work import Call, Services
from service.domain.actors import Sight
from service.domain.placements import GOOD, PlacementDossier
from service.domain.requirements import AnyTest, ChecklistRow, Requirement, checklist, due_on, good_from
from service.storage import placements as stored
from service.storage.database import Record, attempt


def shown(row: ChecklistRow, p: PlacementDossier) -> dict[str, Any]:
    """A line of a checklist as a client reads it."""
    asked = [r for r in (p.packs.requirements if p.packs else ()) if r.key == row.key]
    item = asked[0].item if asked else row.key
    return {
        "key": row.key,
        "title": row.title,
        "kind": row.kind,
        "subject": row.subject,
        "item": item,
        "item_id": p.items.get(item),
        "stages": list(row.stages),
        "gates": [f"{g.lifecycle}.{g.action}" for g in row.gates],
        "state": row.state,
        "valid_until": row.valid_until,
        "due_on": due_on(asked, p.facts),
        "good_from_on": good_from(asked, p.facts),
        "owed_by": list(row.providers),
        "alternatives": alternatives(asked),
        "waivable_by": list(row.waivable_by),
        "limits": dict(row.limits),
        "sources": [
            {"text": s.text, "url": s.url, "checked_on": s.checked_on, "evidence": s.evidence, "pack": s.pack}
            for s in row.sources
        ],
        "evidence": row.evidence_mark,
        "note": row.note,
    }


def alternatives(rows: Sequence[Requirement]) -> list[dict[str, Any]]:
    """What serves beside what is named: other items, and each of the tests."""
    found: list[dict[str, Any]] = []
    for r in rows:
        if isinstance(r.asks, AnyTest):
            found += [
                {"item": None, "test": a.test, "levels": list(a.levels), "min_score": a.min_score}
                for a in r.asks.alternatives
            ]
        found += [{"item": item, "test": None, "levels": [], "min_score": None} for item in r.instead]
    return [a for n, a in enumerate(found) if a not in found[:n]]


def _of(placement: UUID, p: PlacementDossier, call: Call) -> dict[str, Any]:
    rows = checklist(p.packs.requirements, p.facts) if p.packs else ()
    if call.eyes is Sight.ORGANISATION:  # what papers a person has is between them and the institution
        rows = tuple(row for row in rows if row.subject != "person")
    return {
        "id": placement,
        "pins": list(p.packs.pins) if p.packs else [],
        "planned_on": p.facts.planned_on,
        "items": [shown(row, p) for row in rows],
    }


async def checklist_of(services: Services, call: Call, placement: UUID) -> dict[str, Any]:
    """What the packs of a placement ask for, who owes it by when, and how far it has come.

    Raises:
        Missing: it is not there, or not seen.
    """
    return _of(placement, await dossier_of(services, call, placement, "placements.read"), call)


async def checklists(
    services: Services,
    call: Call,
    *,
    filters: Mapping[str, Any],
    limit: int,
    after: UUID | None,
    owed_by: str | None = None,
    still_open: bool = False,
) -> dict[str, Any]:
    """The checklists of a page of placements, in two statements whatever their number.

    `owed_by` keeps the lines of one provider, `still_open` those that are not done.
    """
    page = await reading.page(services, call, stored.VIEW, "placements.read", filters=filters, limit=limit, after=after)
    ids = [row["id"] for row in page.items]

    async def once(_: int) -> list[Record]:
        async with services.database.connection() as con:
            return await stored.FACTS.records(
                con, call.eyes, institution=call.institution, ids=ids, route=call.route, key="", evidence=[],
                with_last=False, **call.credentials(),
            )  # fmt: skip

    found = {r["id"]: r for r in await attempt(once) if r["id"] is not None} if ids else {}
    listed = []
    for row in page.items:
        if row["id"] not in found:
            continue  # it went out of sight between the two statements
        one = _of(row["id"], stored.FACTS.dossier(found[row["id"]]), call)
        kept = [i for i in one["items"] if owed_by is None or owed_by in i["owed_by"]]
        one["items"] = [i for i in kept if not still_open or i["state"] not in GOOD]
        listed.append(one | {"person_id": row["person_id"], "state": row["state"]})
    return {"items": listed, "next": page.next}
