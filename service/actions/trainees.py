"""What the moves of a trainee's record leave behind; opening what is sealed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json
from pypinyin import lazy_pinyin

from service.actions.reading import records
from service.actions.timers import Timer
from service.actions.work import Call, Item, Missing, Services, Subject, Work
from service.domain.actors import Actor
from service.domain.imports import STUDENT_NO
from service.domain.lifecycle import Given, Step
from service.domain.permissions import may
from service.domain.trainees import EDITED, IDENTITY, TRAINEE_RECORD, TraineeDossier
from service.domain.values import Passport, country_of, read_mrz
from service.storage import trainees as stored
from service.storage.database import attempt
from service.storage.ids import uuid7
from service.storage.tables import record
from service.storage.tables import trainees as tables
from service.storage.tables.aliases import aliases
from service.storage.tables.personal import HELD, files_to_remove
from service.storage.vault import Sealed
from service.storage.views import facts_of_row


def sort_name(native: str) -> str:
    """By what a list of names is sorted: pinyin for Han, the letters themselves for the rest."""
    return " ".join(lazy_pinyin(native)).casefold()


def _sealed_columns(work: Work, person: UUID, given: Given) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    institution = work.call.institution
    if mrz := given.get("passport_mrz"):
        passport = read_mrz(mrz.line1, mrz.line2, as_of=work.today)
        if not isinstance(passport, Passport):
            raise TypeError("the rules let an unreadable passport through")
        document = {
            "number": passport.number,
            "mrz": [mrz.line1, mrz.line2],
            "surname": passport.surname,
            "given_names": passport.given_names,
        }
        columns |= {
            "passport_sealed": work.seal(person, to_json(document).decode(), "passport"),
            "passport_index": work.vault.blind_index(
                "passport", institution, f"{passport.issuing_state}:{passport.number}"
            ),
            "passport_country": country_of(passport.issuing_state),
            "passport_expires_on": passport.expires_on,
        }
    if number := given.get("identity_no"):
        columns |= {
            "identity_sealed": work.seal(person, number, "identity_no"),
            "identity_index": work.vault.blind_index("identity_no", institution, number),
        }
    if guardian := given.get("guardian"):
        words = {"name": guardian.name, "relation": guardian.relation, "phone": guardian.phone}
        columns["guardian_sealed"] = work.seal(person, to_json(words).decode(), "guardian")
    return columns


def _contacts(work: Work, person: UUID, given: Given) -> dict[str, Any]:
    columns = {name: given[name] for name in ("email", "phone", "language", "origin") if name in given}
    for known in given.get("external_ids") or ():
        work.writes.row(
            record.external_ids, person, system=known.system, value=known.value, subject="trainee", subject_id=person
        )
    return columns | _sealed_columns(work, person, given)


def register(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The record of a person, what is sensitive in it sealed under a key of their own."""
    plain = {name: given.get(name) for name in IDENTITY}
    return (
        {"language": "zh" if given["nationality"] == "CN" else "en", "sort_name": sort_name(given["name_native"])}
        | plain
        | _contacts(work, item.stream, given)
    )


def edit(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """New contacts or papers, or who they are set right; the event names the fields, never their values."""
    columns = {name: given[name] for name in IDENTITY if name in given} | _contacts(work, item.stream, given)
    if "name_native" in given:
        columns["sort_name"] = sort_name(given["name_native"])
    fields = sorted(takes.name for takes in EDITED if takes.name in given)
    return columns | {"event_data": {"fields": fields}}


def confirm_availability(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Into the pool, from a day until a day."""
    work.hold(item.stream, "availability", item.id, "available")
    days = {"available_from": given["available_from"], "available_until": given["available_until"]}
    return days | {"event_data": days}


def end_availability(work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Out of the pool."""
    work.hold(item.stream, "availability", item.id, "ended")
    return {"available_from": None, "available_until": None}


def export(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """A copy of everything is taken; by staff it is an opening too, with its purpose."""
    opened = may(work.actor, "trainees.open_sealed")
    if purpose := given.get("purpose"):
        work.writes.row(
            record.openings, item.stream, id=uuid7(), person_id=item.stream, account_id=work.actor.account_id,
            fields="export passport identity_no guardian" if opened else "export", purpose=purpose, opened_at=work.now,
        )  # fmt: skip
    return {"event_data": {"sealed_fields_opened": opened}}


def void(work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Their numbers are free for the right record."""
    for system, value in item.dossier.external_ids:
        work.writes.forget(record.external_ids, item.stream, system=system, value=value)
    return {"passport_index": None, "identity_index": None}


def ask_erasure(work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """It waits for another account than the one that asked."""
    return {"erasure_asked_on": work.today, "erasure_asked_by": work.actor.account_id}


def decline_erasure(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """The record stays, and it may be asked for again."""
    return {"erasure_asked_on": None, "erasure_asked_by": None}


def erase(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Nothing says any more who they were; ids, states and days stay, and the record of events verifies."""
    person: TraineeDossier = item.dossier
    known = [work.vault.blind_index(STUDENT_NO, work.call.institution, value).hex() for _, value in person.external_ids]
    work.writes.erase(item.stream, [*known, *person.indexes])
    for content_id in person.files:
        work.writes.row(files_to_remove, item.stream, content_id=content_id)
    blank = dict(HELD["trainees"].blank)
    return blank | {"erased_at": work.now, "event_data": {"set_aside": sorted(given.get("set_aside") or ())}}


def _pairs(survivor: UUID, record: UUID, beside: Iterable[UUID]) -> Iterator[tuple[UUID, UUID, str]]:
    """How two records see each other, and this one and those that were joined before it."""
    yield survivor, record, "survivor"
    yield record, survivor, "joined"
    for other in beside:
        yield record, other, "beside"
        yield other, record, "beside"


def join(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Both histories stay where they are, each told of the other; what is done from here on is the survivor's."""
    survivor = given["survivor_id"]
    told = {"record_id": item.id}
    seq = work.record(
        survivor, None, type_="trainee.record_joined", subject="trainee", subject_id=survivor, data=told, main=False
    )
    for person, same, person_is in _pairs(survivor, item.id, item.dossier.beside):
        work.writes.row(aliases, item.stream, person_id=person, same_id=same, person_is=person_is, seq=seq)
    work.heads[item.stream].record = "joined"
    work.heads[survivor].held += work.heads[item.stream].held
    return {"event_data": {"survivor_id": survivor}}


def separate(work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Two records again, each with what it had."""
    survivor = item.dossier.survivor_id
    told = {"record_id": item.id}
    work.record(
        survivor, None, type_="trainee.record_separated", subject="trainee", subject_id=survivor, data=told, main=False
    )
    for person, same, _ in _pairs(survivor, item.id, item.dossier.beside):
        work.writes.forget(aliases, item.stream, person_id=person, same_id=same)
    own = {(h.subject, h.id) for h in work.heads[item.stream].held}
    work.heads[item.stream].record = "known"
    held = work.heads[survivor].held
    held[:] = [h for h in held if (h.subject, h.id) not in own]
    return {"event_data": {"survivor_id": survivor}}


SUBJECT: Subject[Any] = Subject(
    "trainees",
    TRAINEE_RECORD,
    tables.trainees,
    stored.FACTS,
    births={
        "register": stored.NEW_FACTS,
        "edit": stored.EDIT_FACTS,
        "void": stored.VOID_FACTS,
        "take_back": stored.VOID_FACTS,
        "erase": stored.ERASE_FACTS,
        "join": stored.JOIN_FACTS,
        "separate": stored.SEPARATE_FACTS,
    },
    effects={
        "register": register,
        "edit": edit,
        "confirm_availability": confirm_availability,
        "end_availability": end_availability,
        "ask_erasure": ask_erasure,
        "decline_erasure": decline_erasure,
        "erase": erase,
        "export": export,
        "join": join,
        "separate": separate,
        "void": void,
        "take_back": void,
    },
    kind="person",
)
TIMERS: list[Timer] = [Timer("trainees_end_availability", SUBJECT, "end_availability", stored.DUE_TO_END)]


async def find_by_external_id(services: Services, call: Call, system: str, value: str) -> UUID:
    """The trainee whom another system calls so.

    Raises:
        Missing: nobody whom the actor sees.
    """
    _, found = await records(
        services, call, stored.by_external_id(call.eyes), "trainees.read", system=system, value=value
    )
    if found[0]["id"] is None:
        raise Missing
    return UUID(str(found[0]["id"]))


async def note_opening(services: Services, call: Call, person: UUID, actor: Actor, fields: str, purpose: str) -> None:
    """Who opens what of a person and why, on record for them to read; `fields` are parted by spaces."""

    async def once(_: int) -> None:
        async with services.database.connection() as con:
            await stored.NOTE_OPENING.one(
                con,
                institution=call.institution,
                id=uuid7(),
                person=person,
                account=actor.account_id,
                fields=fields,
                purpose=purpose,
            )

    await attempt(once)


async def open_sealed(services: Services, call: Call, person: UUID, purpose: str) -> dict[str, Any]:
    """The sealed fields, for a stated purpose; who opened them is on record before anything is shown.

    Raises:
        Missing: nobody whom the actor sees, or the key was forgotten.
    """
    actor, found = await records(services, call, stored.sealed_of(call.eyes), "trainees.open_sealed", by_id=person)
    row = found[0]
    if row["id"] is None or row["wrapped"] is None:
        raise Missing

    await note_opening(services, call, person, actor, "passport identity_no guardian", purpose)
    key = services.vault.stream_key(row["wrapped"], call.institution, person)

    def opened(column: str, name: str) -> str | None:
        try:
            return key.open(row[column], call.institution, person, name) if row[column] is not None else None
        except Sealed:
            raise Missing from None

    passport, guardian = opened("passport_sealed", "passport"), opened("guardian_sealed", "guardian")
    return {
        "id": person,
        "passport": from_json(passport) if passport else None,
        "identity_no": opened("identity_sealed", "identity_no"),
        "guardian": from_json(guardian) if guardian else None,
    }


async def openings(services: Services, call: Call, person: UUID) -> list[dict[str, Any]]:
    """Who opened what of a trainee, newest first.

    Raises:
        Missing: nobody whom the actor sees.
    """
    _, found = await records(services, call, stored.openings_of(call.eyes), "trainees.open_sealed", by_id=person)
    if found[0]["person"] is None:
        raise Missing
    # By place and not by name: `account_id` stands twice in the record, first as whoever asks.
    rows = [facts_of_row(r) for r in found if r["id"] is not None]
    return [{name: v for name, v in r.items() if name != "person"} | {"fields": r["fields"].split()} for r in rows]
