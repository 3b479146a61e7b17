"""What the moves of a relationship leave behind."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any
from uuid import UUID

from service.actions.reading import records
from service.actions.work import Call, Item, Missing, Services, Subject, Work
from service.domain.lifecycle import Given, Step
from service.domain.relationships import DECLARED, RELATIONSHIP
from service.storage import relationships
from service.storage.ids import uuid7
from service.storage.tables import institutions as tables
from service.storage.tables.recognition_rules import partner_conversions


def record(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The tie, and the identity of the organisation where nobody has named it before."""
    organisation = given.get("organisation_id")
    if organisation is None:
        organisation = uuid7()
        identity = dataclasses.asdict(given["organisation"])
        work.writes.row(tables.organisations, item.stream, id=organisation, created_at=work.now, **identity)
        work.created["organisation"] = organisation
    return {
        "organisation_id": organisation,
        "role": given["role"],
        "licence_no": given.get("licence_no"),
        "facts": given.get("facts") or {},
        "event_data": {"organisation_id": organisation, "role": given["role"]},
    }


def edit(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """New values, before anybody verified the old ones."""
    changed = {name: given[name] for name in ("licence_no", "facts") if name in given}
    return changed | {"event_data": {"fields": sorted(changed)}}


def verify(work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """What was verified holds from the day it happened to the day that was given."""
    return {
        "valid_from": work.occurred_on,
        "valid_until": given["valid_until"],
        "event_data": {"valid_until": given["valid_until"]},
    }


def declare(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """What an enterprise says of itself, from the day on which it says so; since when it is verified stays."""
    said = {t.name: given[t.name] for t in DECLARED if t.name in given}
    plain = {name: str(v) if isinstance(v, Decimal) else v for name, v in said.items()}
    told = plain | {"declared_on": work.occurred_on.isoformat()}
    return {
        "facts": {**item.dossier.facts, **told},
        "since_on": item.dossier.since_on,
        "event_data": told,
    }


def set_conversion(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """How the partner's credits and grades are converted from a day on; earlier results stay as they were."""
    new_id, no = uuid7(), item.dossier.last_conversion + 1
    credits_, grades = given.get("credits"), given.get("grades")
    work.writes.row(
        partner_conversions,
        item.stream,
        id=new_id,
        relationship_id=item.id,
        no=no,
        effective_from=given["effective_from"],
        credit_policy=dataclasses.asdict(credits_) if credits_ else None,
        grade_policy=dataclasses.asdict(grades) if grades else None,
        set_at=work.now,
    )
    work.created["conversion"] = new_id
    told = {"conversion_id": new_id, "no": no, "effective_from": given["effective_from"]}
    return {"since_on": item.dossier.since_on, "event_data": told}


SUBJECT: Subject[Any] = Subject(
    "relationships",
    RELATIONSHIP,
    tables.relationships,
    relationships.FACTS,
    births={"record": relationships.NEW_FACTS},
    effects={
        "record": record,
        "edit": edit,
        "declare": declare,
        "verify": verify,
        "reinstate": verify,
        "set_conversion": set_conversion,
    },
    kind="relationship",
)


async def conversions(services: Services, call: Call, relationship: UUID) -> list[dict[str, Any]]:
    """Every conversion of a partner, the newest first.

    Raises:
        Missing: no relationship that the actor sees.
    """
    statement = relationships.conversions_of(call.eyes)
    _, found = await records(services, call, statement, "partner_conversions.read", by_id=relationship)
    if found[0]["relationship_id"] is None:
        raise Missing
    names = ("id", "no", "effective_from", "credit_policy", "grade_policy", "set_at")
    return [{name: r[name] for name in names} for r in found if r["id"] is not None]


async def find_organisation(services: Services, country: str, registration_no: str) -> dict[str, Any] | None:
    """The identity by the number of its country's register; only the exact number finds it."""
    async with services.database.connection() as con:
        return await relationships.FIND_ORGANISATION.one(con, country=country, registration_no=registration_no)
