"""An institution's own versions of packs: what their rules may know, and how they are read."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Text, bindparam, select

from service.domain.pack_versions import IN_LIBRARY, NewVersion, VersionDossier
from service.storage.database import Statement
from service.storage.opening import ITSELF, FactsOf, json_rows, word
from service.storage.pack_library import ADOPTED, learn_of, library_of
from service.storage.tables.pack_versions import pack_versions
from service.storage.tenancy import GATE, mine
from service.storage.views import View, among

_v = pack_versions
_l = pack_versions.alias("loaded_version")


def _account(actor: Any) -> Any:
    return select(actor.c.account_id).scalar_subquery()


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None


def _read_new(v: dict[str, Any]) -> dict[str, Any]:
    return {"library": library_of(v["adopted"]), "loaded": tuple((r["key"], r["number"]) for r in v["loaded"])}


NEW_FACTS: FactsOf[NewVersion] = FactsOf(
    ITSELF,
    NewVersion,
    {
        "adopted": ADOPTED,
        "loaded": json_rows(
            select(_l.c.key, _l.c.number).where(mine(_l), _l.c.state.not_in([word("voided"), word("withdrawn")]))
        ),
    },
    stream="id",
    birth=True,
    read=_read_new,
    learn=learn_of,
)
FACTS: FactsOf[VersionDossier] = FactsOf(
    _v,
    VersionDossier,
    {"loaded_by": _v.c.loaded_by, "account": _account, "valid_to": _v.c.content[word("valid_to")].astext},
    stream="institution_id",
    read=lambda v: v | {"valid_to": _day(v["valid_to"])},
)
_SHOWN = ("id", "version", "state", "since_on", "key", "number", "rationale", "loaded_by", "from_on", "until_on")
VIEW = View(
    _v,
    {name: _v.c[name] for name in _SHOWN} | {"title": _v.c.content[word("title")].astext},
    filters={"state": among(_v.c.state), "key": among(_v.c.key)},
)
WHOLE = View(
    _v,
    {name: _v.c[name] for name in _SHOWN} | {"title": _v.c.content[word("title")].astext, "content": _v.c.content},
)
CONTENTS: Statement[tuple[int, dict[str, Any]]] = Statement(
    select(_v.c.number, _v.c.content).where(
        GATE, mine(_v), _v.c.key == bindparam("pack_key", type_=Text), _v.c.state.in_([word(s) for s in IN_LIBRARY])
    ),
    lambda number, content: (number, content),
)
"""The adopted versions of a pack as they were written, by their numbers."""
