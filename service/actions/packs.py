"""Packs as they are read, compared, and tried on everybody before they ship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Any
from uuid import UUID

from service.actions import reading
from service.actions.pack_versions import proposed
from service.actions.work import Call, Missing, Services
from service.domain.lifecycle import Reason, Refused
from service.domain.placements import PlacementDossier
from service.domain.requirements import (
    LINE,
    NoPack,
    Obligation,
    OnTheWay,
    Outcome,
    Pack,
    Packs,
    Requirement,
    Source,
    difference,
    from_day,
    outcome,
    ways_out,
)
from service.storage import candidacies, placements
from service.storage.database import Connection, Record, attempt
from service.storage.pack_library import library_for
from service.storage.pack_versions import CONTENTS
from service.storage.packs import shipped_files
from service.storage.rehearsals import CANDIDACY, ON_THE_WAY, PLACEMENT

CHUNK = 200
"""People who are read and judged at once: what stands in memory does not grow with the institution."""
READ, TRY = "packs.read", "packs.rehearse"
ASKED_OF_CANDIDATES = ("nominated", "selected", "contracting")
PASSED = {"identified": 0, "consent_pending": 0, "selected": 2, "offered": 2}
"""How many of these gates a live candidacy has passed; one in any other state has passed the first."""


def listed(pack: Pack) -> dict[str, Any]:
    """A version of a pack without its rows."""
    names = ("key", "version", "pin", "title", "kind", "pathway", "valid_from", "valid_to", "note")
    lists = ("nationalities", "destinations", "stages")
    return (
        {n: getattr(pack, n) for n in names}
        | {n: list(getattr(pack, n)) for n in lists}
        | {"requirements": len(pack.requirements), "obligations": len(pack.obligations)}
    )


async def _may(services: Services, call: Call, permission: str) -> None:
    reading.check(await reading.who_asks(services, call), permission)


async def library(services: Services, call: Call) -> tuple[Pack, ...]:
    """The packs of the institution: those that come with the service, and its own adopted versions."""

    async def once(_: int) -> tuple[Pack, ...]:
        async with services.database.connection() as con:
            return await library_for(con, call.institution)

    return await attempt(once)


async def packs_of_all(services: Services, call: Call) -> list[dict[str, Any]]:
    """Every version of every pack, by key and version."""
    await _may(services, call, READ)
    return [listed(p) for p in sorted(await library(services, call), key=lambda p: (p.key, p.version))]


async def versions_of(services: Services, call: Call, key: str) -> list[dict[str, Any]]:
    """Every version of a pack with its rows as they are written, oldest first.

    Raises:
        Missing: there is no such pack.
    """
    await _may(services, call, READ)
    found = sorted((p for p in await library(services, call) if p.key == key), key=lambda p: p.version)
    if not found:
        raise Missing
    own = await attempt(lambda _: _contents(services, call, key))
    return [listed(p) | {"content": own.get(p.version) or shipped_files()[p.pin]} for p in found]


async def _contents(services: Services, call: Call, key: str) -> dict[int, dict[str, Any]]:
    async with services.database.connection() as con:
        return dict(await CONTENTS.all(con, institution=call.institution, pack_key=key))


# ---- what differs
def _before(library: Sequence[Pack], pack: Pack, version: int | None) -> Pack:
    known = [p for p in library if p.key == pack.key and version in (None, p.version)]
    if not known:
        raise Refused([Reason("pack_version_known", actual=version, pointer="/before")])
    return max(known, key=lambda p: p.version)


def _written(value: Any) -> Any:
    """A field of a row as JSON."""
    if isinstance(value, Source):
        return {k: v for k, v in asdict(value).items() if k != "pack"}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_written(v) for v in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {"what": type(value).__name__} | {k: _written(v) for k, v in asdict(value).items()}
    return value


def _row(row: Requirement | Obligation) -> dict[str, Any]:
    kind = "requirement" if isinstance(row, Requirement) else "obligation"
    return {"kind": kind, "key": row.key, "title": row.title}


def told_difference(before: Pack, after: Pack) -> dict[str, Any]:
    """Two versions row by row, as a client reads it."""
    found = difference(before, after)
    return {
        "before": before.pin,
        "after": after.pin,
        "pack": list(found.pack),
        "added": [_row(r) for r in found.added],
        "dropped": [_row(r) for r in found.dropped],
        "changed": [
            _row(c.after)
            | {
                "fields": [
                    {"name": n, "before": _written(getattr(c.before, n)), "after": _written(getattr(c.after, n))}
                    for n in c.fields
                ]
            }
            for c in found.changed
        ],
        "same": list(found.same),
    }


async def compare(services: Services, call: Call, content: object, before: int | None) -> dict[str, Any]:
    """A proposed version against one that is there: the newest, where none is named.

    Raises:
        Refused: the proposal is faulty, with every fault; or there is nothing to compare it with.
    """
    await _may(services, call, READ)
    pack = proposed(content)
    return told_difference(_before(await library(services, call), pack, before), pack)


# ---- a rehearsal
def candidate(c: Any) -> OnTheWay | None:
    """A live candidacy; one whose packs cannot be told is blocked already, and not by the new version."""
    packs = c.pinned or (c.chosen() if not c.pins else None)
    if c.request is None or not isinstance(packs, Packs):
        return None
    return OnTheWay(
        kind=CANDIDACY, id=c.id, person_id=c.person.id, state=c.state, pathway=c.request.job.pathway,
        ahead=ASKED_OF_CANDIDATES[PASSED.get(c.state, 1):], packs=packs, facts=c.facts(c.terms), today=c.today,
        pinned=bool(c.pins),
    )  # fmt: skip


def placed(id_: UUID, p: PlacementDossier) -> OnTheWay | None:
    """A placement before the departure, with every later stage: the new version says which of them it has."""
    if p.packs is None or p.person_id is None:
        return None
    return OnTheWay(
        kind=PLACEMENT, id=id_, person_id=p.person_id, state=p.state, pathway=p.pathway,
        ahead=LINE[LINE.index(p.state) + 1:], packs=p.packs, facts=p.facts, today=p.today,
    )  # fmt: skip


async def _read(con: Connection, call: Call, facts: Any, ids: Sequence[UUID]) -> list[Record]:
    if not ids:
        return []
    records: list[Record] = await facts.records(
        con, call.eyes, institution=call.institution, ids=list(ids), route=call.route, key="", evidence=[],
        with_last=False, **call.credentials(),
    )  # fmt: skip
    return [r for r in records if r["id"] is not None]


async def on_the_way(services: Services, call: Call, after: UUID, size: int) -> tuple[list[OnTheWay], int, UUID | None]:
    """The next people whom packs gate still, how many were looked at, and the last id where there may be more."""

    async def once(_: int) -> tuple[list[OnTheWay], int, UUID | None]:
        async with services.database.connection() as con:
            pairs = await ON_THE_WAY.all(con, institution=call.institution, after=after, limit=size)
            c = await _read(con, call, candidacies.FACTS, [i for i, kind in pairs if kind == CANDIDACY])
            p = await _read(con, call, placements.FACTS, [i for i, kind in pairs if kind == PLACEMENT])
        found = [candidate(candidacies.FACTS.dossier(r)) for r in c]
        found += [placed(r["id"], placements.FACTS.dossier(r)) for r in p]
        last = pairs[-1][0] if len(pairs) == size else None
        return sorted((f for f in found if f is not None), key=lambda f: f.id), len(pairs), last

    return await attempt(once)


def told_outcome(who: OnTheWay, found: Outcome) -> dict[str, Any]:
    """What the new version would mean for one, as a client reads it."""
    packs = found.packs if isinstance(found.packs, Packs) else None
    return {
        "kind": who.kind,
        "id": who.id,
        "person_id": who.person_id,
        "state": who.state,
        "pins": list(packs.pins) if packs else [],
        "moves_on": found.moves_on,
        "no_pack": None if isinstance(found.packs, Packs) else found.packs.code,
        "gates": [
            {
                "stage": b.stage,
                "on": b.on,
                "rows": [
                    {
                        "key": u.key,
                        "code": u.code,
                        "required": u.required,
                        "owed_by": list(u.providers),
                        "evidence": u.evidence_mark,
                        "saved_by": ways_out(u, packs) if packs else [],
                    }
                    for u in b.rows
                ],
            }
            for b in found.blocked
        ],
    }


async def rehearse(
    services: Services,
    call: Call,
    content: object,
    *,
    from_on: date,
    before: int | None = None,
    after: UUID | None = None,
    limit: int,
) -> dict[str, Any]:
    """Who would be blocked by a new version in force from a day: at which gate, when, by which rows, and the ways out.

    Nothing is kept. Only the rows that differ are judged, a chunk of people at a time; `limit` is how many are looked
    at, in the order of their ids, and `next` the one after which to go on.

    Raises:
        Refused: the version is faulty, with every fault; or there is no older one.
    """
    await _may(services, call, TRY)
    pack = from_day(proposed(content), from_on)
    known = await library(services, call)
    old = _before(known, pack, before)
    if pack.version <= old.version:
        newer = Reason("pack_version_newer", old.version + 1, pack.version, "/content/version")
        raise Refused([newer])
    touched = difference(old, pack).touched
    tried = (*(p for p in known if p.pin != pack.pin), pack)
    looked, affected = 0, 0
    items: list[dict[str, Any]] = []
    place: UUID | None = after or UUID(int=0)
    while place is not None and looked < limit:
        people, seen, place = await on_the_way(services, call, place, min(CHUNK, limit - looked))
        looked += seen
        for who in people:
            found = outcome(who, tried, touched, pack.transition)
            if found is not None:
                affected += 1
                if found.blocked or isinstance(found.packs, NoPack):
                    items.append(told_outcome(who, found))
    return {
        "before": old.pin,
        "after": pack.pin,
        "from_on": pack.valid_from,
        "looked_at": looked,
        "affected": affected,
        "items": items,
        "next": place,
    }
