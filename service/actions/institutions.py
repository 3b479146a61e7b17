"""Founding an institution, its units, and the first account of each role."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from service.actions import accounts
from service.actions.work import Call, Done, Item, Result, Services, Subject, Wanted, Work, perform
from service.domain.actors import THE_SYSTEM, Role
from service.domain.lifecycle import Given, Step
from service.domain.units import UNIT
from service.storage import institutions as stored
from service.storage.ids import uuid7
from service.storage.tables import institutions as tables
from service.storage.tables import record
from service.storage.writes import Writes


def found_unit(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """A school, a department, a centre."""
    return {name: given.get(name) for name in ("name_native", "name_latin", "parent_id")}


UNITS: Subject[Any] = Subject(
    "units", UNIT, tables.units, stored.UNIT_FACTS, births={"found": stored.NEW_UNIT}, effects={"found": found_unit}
)


async def found(
    services: Services,
    *,
    name_native: str,
    name_latin: str,
    country: str,
    time_zone: str,
    at: datetime | None = None,
    institution: UUID | None = None,
) -> UUID:
    """A new institution, with the stream of its own events and the head of its feed."""
    new_id = institution or uuid7()
    now = at or datetime.now(UTC)
    writes = Writes(new_id)
    call = Call(new_id, "institutions_found", trusted=THE_SYSTEM, at=now)
    work = Work(call, services.vault, THE_SYSTEM, now, now.date(), {}, {}, writes)
    work.begin("institution", new_id)
    writes.row(
        tables.institutions,
        new_id,
        id=new_id,
        name_native=name_native,
        name_latin=name_latin,
        country=country,
        time_zone=time_zone,
        created_at=now,
    )
    writes.row(record.feed_heads, new_id, last_no=0)
    work.record(new_id, None, type_="institution.founded", subject="institution", subject_id=new_id)
    work.close(b"")
    async with services.database.connection() as con:
        await writes.run(con)
    return new_id


def _nothing(_work: Work, results: list[Result]) -> bytes:
    return str(results[0].id).encode()


async def appoint(
    services: Services,
    institution: UUID,
    *,
    email: str,
    name: str,
    roles: Sequence[Role],
    digest: bytes | None = None,
    at: datetime | None = None,
    **more: Any,
) -> Done:
    """An appointment from the command line or the sample world."""
    given: Given = {
        "email": email,
        "name": name,
        "roles": tuple(r.value for r in roles),
        "invitation_digest": digest,
        **more,
    }
    call = Call(institution, "appoint", trusted=stored.trusted_admin(), at=at)
    extra = {
        "email": email,
        "organisation_id": more.get("organisation_id"),
        "person_ids": list(more.get("person_ids") or ()),
    }
    return await perform(
        services, call, accounts.SUBJECT, "appoint", [Wanted(institution)], given, answer=_nothing, extra=extra
    )


async def set_password(services: Services, email: str, password: str) -> bool:
    """Set an account's password outright; False where there is no such account."""
    return await stored.set_password(services.database, email, await accounts.hash_password(password))
