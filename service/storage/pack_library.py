"""The packs of an institution: those that come with the service, and its own adopted versions.

Which versions are adopted, and for which days, is read anew by every statement that judges somebody. Only their
content is kept in the process, by the version's id: it never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, func, select

from service.domain.pack_versions import IN_LIBRARY
from service.domain.requirements import Pack, from_day
from service.storage.database import Record, Runner, Statement
from service.storage.opening import json_rows, word
from service.storage.packs import parse_pack, shipped_packs
from service.storage.tables.pack_versions import pack_versions
from service.storage.tenancy import GATE, mine

adopted_version = pack_versions.alias("adopted_version")
_v = adopted_version
in_library = _v.c.state.in_([word(s) for s in IN_LIBRARY])
ADOPTED = json_rows(
    select(_v.c.id, _v.c.from_on, _v.c.until_on).where(mine(_v), in_library).order_by(_v.c.key, _v.c.number)
)
"""The institution's own versions as JSON rows: what a dossier's packs are made of, by `library_of`."""
_CONTENT: Statement[tuple[UUID, dict[str, Any]]] = Statement(
    select(_v.c.id, _v.c.content).where(GATE, mine(_v), _v.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid)))),
    lambda id_, content: (id_, content),
)
OWN: Statement[list[dict[str, Any]]] = Statement(select(ADOPTED).where(GATE), lambda rows: rows)

_read: dict[UUID, Pack] = {}
"""The content of adopted versions by their ids; there are as many as institutions ever adopted."""


async def learn(con: Runner, institution: UUID, rows: Sequence[dict[str, Any]]) -> None:
    """Read the versions that this process has not read yet, so that `library_of` can tell them."""
    if unread := [i for i in (UUID(r["id"]) for r in rows) if i not in _read]:
        for id_, content in await _CONTENT.all(con, institution=institution, ids=unread):
            _read[id_] = parse_pack(content)


async def learn_of(con: Runner, institution: UUID, records: Sequence[Record]) -> None:
    """The same for the records of S1, which all tell the same versions."""
    told = next((r["fact_adopted"] for r in records if r["id"] is not None), None)
    await learn(con, institution, told or ())


async def library_for(con: Runner, institution: UUID) -> tuple[Pack, ...]:
    """The packs of an institution, where nobody's dossier is read."""
    rows = await OWN.one(con, institution=institution) or []
    await learn(con, institution, rows)
    return library_of(rows)


def library_of(rows: Sequence[dict[str, Any]]) -> tuple[Pack, ...]:
    """The packs of an institution from the rows of ADOPTED, which were learnt."""
    return _library(tuple((r["id"], r["from_on"], r["until_on"]) for r in rows)) if rows else shipped_packs()


@lru_cache(maxsize=256)
def _library(rows: tuple[tuple[str, str, str | None], ...]) -> tuple[Pack, ...]:
    """An own version stands before one of the same pin that came with the service later."""
    own = []
    for id_, from_on, until_on in rows:
        pack = from_day(_read[UUID(id_)], date.fromisoformat(from_on))
        if until_on is not None:
            until = date.fromisoformat(until_on)
            pack = replace(pack, valid_to=min(until, pack.valid_to or until))
        own.append(pack)
    pins = {p.pin for p in own}
    return (*(p for p in shipped_packs() if p.pin not in pins), *own)
