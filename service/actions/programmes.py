"""What the moves of a programme leave behind, and reading its curricula."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from service.actions.reading import records
from service.actions.work import Call, Item, Missing, Services, Subject, Work
from service.domain.lifecycle import Given, Step
from service.domain.programmes import PROGRAMME, ProgrammeDossier
from service.domain.regulations import NAMES, completed
from service.storage import programmes as stored
from service.storage.ids import uuid7
from service.storage.recognition_rules import college_defaults, regulations_of
from service.storage.tables import programmes as tables
from service.storage.tables.recognition_rules import regulations

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


def set_regulation(work: Work, item: Item[ProgrammeDossier], _step: Step, given: Given) -> dict[str, Any]:
    """A new version of the regulation; what it leaves unsaid is as the college rules have it, and said so."""
    regulation, no = uuid7(), item.dossier.last_regulation + 1
    values = completed(given, college_defaults())
    work.writes.row(
        regulations,
        item.stream,
        id=regulation,
        programme_id=item.id,
        no=no,
        own=[name for name in NAMES if given.get(name) is not None],
        set_at=work.now,
        **values
        | {
            "credits_per_kind": [dataclasses.asdict(cap) for cap in values["credits_per_kind"]],
            "signatures": list(values["signatures"]),
            "substitutions": [dataclasses.asdict(s) for s in values["substitutions"] or ()],
        },
    )
    work.created["regulation"] = regulation
    return {"event_data": {"regulation_id": regulation, "no": no, "effective_from": given["effective_from"]}}


SUBJECT: Subject[Any] = Subject(
    "programmes",
    PROGRAMME,
    tables.programmes,
    stored.FACTS,
    births={"draft": stored.NEW_FACTS},
    effects={"draft": draft, "edit": edit, "set_curriculum": set_curriculum, "set_regulation": set_regulation},
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


async def regulations_listed(services: Services, call: Call, programme: UUID) -> list[dict[str, Any]]:
    """Every regulation of a programme, the newest first; of what is a default, where it was read.

    Raises:
        Missing: no programme that the actor sees.
    """
    _, found = await records(services, call, regulations_of(call.eyes), "programmes.read", by_id=programme)
    if found[0]["programme_id"] is None:
        raise Missing
    return [
        {name: r[name] for name in ("id", "no", "set_at", *NAMES)}
        | {
            "defaults": [
                {"name": name} | dataclasses.asdict(default.source)
                for name, default in college_defaults().items()
                if name not in r["own"]
            ]
        }
        for r in found
        if r["id"] is not None
    ]
