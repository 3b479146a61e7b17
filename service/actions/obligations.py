"""What the moves of an obligation leave behind, what other steps open and take back, and what the clock does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.actions.timers import Chore, Timer
from service.actions.work import Item, Services, Subject, Wanted, Work
from service.domain.lifecycle import Given, Step
from service.domain.obligations import (
    OBLIGATION,
    Duty,
    NewObligation,
    Opening,
    opened,
    opened_by_event,
    opening_of,
    reported,
    rows_of,
)
from service.domain.requirements import Obligation, Packs
from service.storage import obligations as stored
from service.storage import obligations_clock as clock
from service.storage.calendars import calendars
from service.storage.database import attempt
from service.storage.duties import countries
from service.storage.tables.obligations import obligations


def _columns(
    found: Opening, organisations: Mapping[str, UUID | None], zones: Mapping[str, str], **subject: Any
) -> dict[str, Any]:
    """The row of what a rule opens; whoever owes it first decides the organisation and where the day ends."""
    first = found.providers[0]
    return subject | {
        "rule": found.rule,
        "pin": found.pin,
        "event": found.event,
        "period": found.period,
        "event_on": found.event_on,
        "due_on": found.due_on,
        "owed_by": list(found.providers),
        "organisation_id": next((o for p in found.providers if (o := organisations.get(p))), None),
        "zone": zones.get(first) or zones[""],
        "documents": [],
    }


def _said(found: Opening) -> dict[str, Any]:
    return {"rule": found.rule, "pin": found.pin, "event": found.event, "due_on": found.due_on}


def _born(found: Opening | None, item: Item[NewObligation]) -> dict[str, Any]:
    if found is None:
        raise TypeError("the rules let an obligation through that no rule opens")
    o = item.dossier
    subject = {"subject_kind": o.subject_kind, "subject_id": o.subject_id, "person_id": o.person_id}
    columns = _columns(found, o.organisations, o.zones, stream_id=item.stream, **subject)
    return columns | {"event_data": _said(found)}


def open_by_clock(_work: Work, item: Item[NewObligation], _step: Step, given: Given) -> dict[str, Any]:
    """A period has begun, or an end is near."""
    return _born(opening_of(item.dossier, given), item)


def report(_work: Work, item: Item[NewObligation], _step: Step, given: Given) -> dict[str, Any]:
    """An event that no step tells has opened it."""
    return _born(reported(item.dossier, given), item)


def fulfil(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Done, on a day and with what shows it."""
    data = {"rule": item.dossier.rule}
    return {"done_on": work.occurred_on, "documents": list(given.get("evidence") or ()), "event_data": data}


def waive(_work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Let go."""
    return {"event_data": {"rule": item.dossier.rule}}


def undone(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Owed again."""
    return {"done_on": None, "documents": []}


# ---- what the steps of others open and take back
Rows = Sequence[tuple[str, Obligation]]


def arise(
    work: Work,
    stream: UUID,
    event: str | None,
    packs: Packs | None,
    standing: Iterable[Duty],
    *,
    placement: UUID,
    organisations: Mapping[str, UUID | None],
    zones: Mapping[str, str],
) -> None:
    """What an event that a step of a placement tells opens by its packs, in the same transaction.

    What stands already stays as it is.
    """
    if event is None or packs is None:
        return
    subject = {"subject_kind": "placement", "subject_id": placement}
    follow_from(
        work, stream, event, rows_of(packs), standing, work.occurred_on,
        subject=subject, organisations=organisations, zones=zones,
    )  # fmt: skip


def follow_from(
    work: Work,
    stream: UUID,
    event: str,
    rows: Rows,
    standing: Iterable[Duty],
    on: date,
    *,
    subject: Mapping[str, Any],
    organisations: Mapping[str, UUID | None],
    zones: Mapping[str, str],
) -> None:
    """What an event of a day opens by some rules, for something of one person, in the same transaction."""
    there = {d.name for d in standing}
    subject = {**subject, "person_id": stream, "stream_id": stream}
    for found in opened_by_event(rows, event, on, calendars(countries(rows), on)):
        if found.name not in there:
            columns = _columns(found, organisations, zones, **subject)
            work.bear(obligations, OBLIGATION, "arise", stream, data=_said(found), **columns)


def take_back(work: Work, stream: UUID, event: str | None, on: date | None, standing: Iterable[Duty]) -> None:
    """What an event opened and nobody has done yet is voided with the step that told of it."""
    for duty in standing:
        if opened(duty, event, on):
            work.follow(obligations, "void", duty.id, stream, duty.state, duty.version, data={"rule": duty.rule})


SUBJECT: Subject[Any] = Subject(
    "obligations",
    OBLIGATION,
    obligations,
    stored.FACTS,
    births={"open": stored.NEW_FACTS, "report": stored.NEW_FACTS},
    effects={"open": open_by_clock, "report": report, "fulfil": fulfil, "waive": waive},
    undo={"fulfil": undone},
)


def _named(row: tuple[UUID, str, str, str, str]) -> Wanted:
    subject, *name = row
    return Wanted(subject, given=dict(zip(stored.NAME, name, strict=True)))


async def settle(services: Services, institution: UUID, at: datetime | None = None) -> bool:
    """Whoever has nothing left to be opened is not looked at again before their next day; whether others wait.

    Who changes this moment is left for the next time: what they become is read behind the lock of their row.
    """
    known = {"institution": institution, "at": at.isoformat() if at else None}
    more = False

    async def once(_: int) -> None:
        nonlocal more
        more = False
        async with services.database.connection() as con, services.database.transaction(con, institution):
            for table, lock in clock.LOCKS.items():
                if ids := await lock.all(con, **known):
                    settled = await clock.SETTLE[table].one(con, ids=ids, **known)
                    more |= bool(settled) and len(ids) == clock.AT_ONCE

    await attempt(once)
    return more


MINUTE = 60.0
"""What opens, opens with a day: it needs no more haste than this."""
TIMERS: list[Timer] = [
    Timer("obligations_open", SUBJECT, "open", clock.TO_OPEN, wanted=_named, every=MINUTE),
    Timer("obligations_renewed", SUBJECT, "fulfil", clock.RENEWED, every=MINUTE),
    Timer("obligations_moot", SUBJECT, "waive", clock.MOOT, given={"reason_code": "no_longer_needed"}, every=MINUTE),
]
CHORES: list[Chore] = [Chore("obligations_settle", settle, every=MINUTE)]
