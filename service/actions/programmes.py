"""What the moves of a programme leave behind, and reading its curricula."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from service.actions.reading import records
from service.actions.work import Call, Item, Missing, Services, Subject, Work
from service.domain.lifecycle import Given, Step
from service.domain.programmes import PROGRAMME, ProgrammeDossier
from service.storage import programmes as stored
from service.storage.ids import uuid7
from service.storage.tables import programmes as tables

PLAIN = ("code", "title_native", "title_latin", "kind", "level", "field")


def _described(given: Given) -> dict[str, Any]:
    columns = {name: given[name] for name in PLAIN if name in given}
    for name in ("stages", "languages"):
        if name in given:
            columns[name] = [dataclasses.asdict(part) for part in given[name]]
    if "certificates" in given:
        columns["certificates"] = list(given["certificates"])
    return columns


def draft(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The programme as it was described."""
    event = {name: given[name] for name in ("code", "kind", "level", "field")}
    return {"languages": [], "certificates": []} | _described(given) | {"event_data": event}


def edit(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """New values, before it is approved."""
    changed = _described(given)
    return changed | {"event_data": {"fields": sorted(changed)}}


def set_curriculum(work: Work, item: Item[ProgrammeDossier], _step: Step, given: Given) -> dict[str, Any]:
    """A new version of the curriculum; those before it stay as they were."""
    curriculum, no = uuid7(), item.dossier.last_curriculum + 1
    work.writes.row(tables.curricula, item.stream, id=curriculum, programme_id=item.id, no=no, set_at=work.now)
    for course in given["courses"]:
        work.writes.row(
            tables.curriculum_courses,
            item.stream,
            curriculum_id=curriculum,
            course_id=course.course_id,
            stage=course.stage,
            required=course.required,
        )
    work.created["curriculum"] = curriculum
    return {"event_data": {"curriculum_id": curriculum, "no": no, "courses": len(given["courses"])}}


SUBJECT: Subject[Any] = Subject(
    "programmes",
    PROGRAMME,
    tables.programmes,
    stored.FACTS,
    births={"draft": stored.NEW_FACTS},
    effects={"draft": draft, "edit": edit, "set_curriculum": set_curriculum},
    kind="programme",
)


async def curricula(services: Services, call: Call, programme: UUID) -> list[dict[str, Any]]:
    """Every curriculum of a programme, the newest first.

    Raises:
        Missing: no programme that the actor sees.
    """
    statement = stored.curricula_of(call.eyes)
    _, found = await records(services, call, statement, "programmes.read", by_id=programme)
    if found[0]["programme_id"] is None:
        raise Missing
    names = ("id", "no", "set_at", "courses")
    return [{name: r[name] for name in names} for r in found if r["id"] is not None]
