"""What the rules of an erasure must know of a person: what lives, what is owed, what a law keeps, who still looks."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, and_, bindparam, case, delete, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from service.domain.retention import LIVE_BESIDE, Had
from service.domain.trainees import OWED_BACK, PAID_BY_THEM
from service.storage.database import Connection, Statement, value
from service.storage.opening import TODAY, word
from service.storage.retention import retention_of, retention_rules
from service.storage.schema import LIFECYCLES, metadata
from service.storage.tables.institutions import appointments, institutions
from service.storage.tables.personal import files_to_remove
from service.storage.tables.trainees import documents, trainees
from service.storage.tenancy import GATE, INSTITUTION, mine

_t = trainees
SUBJECTS = frozenset(LIVE_BESIDE) | {r.subject for r in retention_rules()}


def _things() -> ColumnElement[Any]:
    """Everything of a person that may live or must be kept, as JSON: groups of rows [subject, state, since_on]."""
    groups = []
    for name, (lifecycle, _) in LIFECYCLES.items():
        t = metadata.tables[name]
        if lifecycle.name not in SUBJECTS or "person_id" not in t.c:
            continue
        row = func.json_build_array(word(lifecycle.name), t.c.state, t.c.since_on)
        groups.append(select(func.json_agg(row)).where(mine(t), t.c.person_id == _t.c.id).scalar_subquery())
    r = metadata.tables["import_rows"]
    staged = func.json_build_array(word("import_row"), r.c.outcome, TODAY)
    pending = r.c.outcome.in_([word("create"), word("update")])
    groups.append(select(func.json_agg(staged)).where(mine(r), r.c.item_id == _t.c.id, pending).scalar_subquery())
    waiting = func.json_build_array(word("availability"), word("available"), _t.c.available_until)
    return func.json_build_array(*groups, func.json_build_array(case((_t.c.available_until >= TODAY, waiting))))


def _owed() -> ColumnElement[Any]:
    c = metadata.tables["costs"]
    return (
        select(func.count())
        .where(
            mine(c),
            c.c.person_id == _t.c.id,
            c.c.state == word("recorded"),
            c.c.type.in_([word(x) for x in OWED_BACK]),
            c.c.payer.in_([word(x) for x in PAID_BY_THEM]),
        )
        .scalar_subquery()
    )


def _accounts() -> ColumnElement[Any]:
    a = appointments
    return (
        select(func.count())
        .where(mine(a), a.c.state == word("held"), _t.c.id == func.any(a.c.person_ids))
        .scalar_subquery()
    )


def columns() -> dict[str, Any]:
    """The facts by the fields of a trainee's dossier."""
    return {
        "things": _things(),
        "owed": _owed(),
        "accounts": _accounts(),
        "retention": select(institutions.c.country).where(institutions.c.id == INSTITUTION).scalar_subquery(),
        "erasure_asked_on": _t.c.erasure_asked_on,
        "asked_erasure": lambda actor: func.coalesce(
            _t.c.erasure_asked_by == select(actor.c.account_id).scalar_subquery(), literal_column("false")
        ),
    }


def read(row: dict[str, Any]) -> dict[str, Any]:
    """The facts of a record as the dossier has them."""
    things = tuple(
        Had(subject, state, date.fromisoformat(since))
        for group in row["things"]
        for subject, state, since in (r for r in group or () if r)
    )
    return row | {"things": things, "retention": retention_of(row["retention"])}


def files_of(person: ColumnElement[Any]) -> ColumnElement[Any]:
    """Where the bytes of a person's documents are kept."""
    d = documents
    return func.array(select(d.c.content_id).where(mine(d), d.c.person_id == person).scalar_subquery())


_f = files_to_remove
_WAITING: Statement[UUID] = Statement(
    select(_f.c.content_id).where(GATE, mine(_f)).order_by(_f.c.content_id).limit(bindparam("limit", type_=BigInteger)),
    value,
)
_REMOVED = Statement(
    delete(_f)
    .where(and_(mine(_f), GATE, _f.c.content_id == bindparam("content_id", type_=_f.c.content_id.type)))
    .returning(_f.c.content_id),
    value,
)


async def files_waiting(con: Connection, institution: UUID, limit: int) -> list[UUID]:
    """Files that nobody may read any more, and that are still there."""
    return await _WAITING.all(con, institution=institution, limit=limit)


async def file_removed(con: Connection, institution: UUID, content_id: UUID) -> None:
    """It is gone."""
    await _REMOVED.one(con, institution=institution, content_id=content_id)
