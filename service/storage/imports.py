"""Imports: their facts and views, the rows that wait, and what they must know: the place, and who is on record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import array

from service.domain.actors import Sight
from service.domain.imports import DONE, LINES_NAMED, ImportDossier, NewImport
from service.domain.training import LIVE
from service.storage.database import Connection, Database, Record, Statement
from service.storage.opening import ITSELF, TODAY, FactsOf, word
from service.storage.scopes import actor_of, sees
from service.storage.tables.certificates import certificates
from service.storage.tables.courses import courses
from service.storage.tables.imports import COUNTED, import_rows, imports
from service.storage.tables.institutions import appointments, institutions
from service.storage.tables.intakes import intakes
from service.storage.tables.obligations import obligations
from service.storage.tables.placements import placements
from service.storage.tables.recognition import results
from service.storage.tables.record import events, external_ids, heads, stream_keys
from service.storage.tables.trainees import documents, trainees
from service.storage.tables.training import attendance, memberships
from service.storage.tenancy import INSTITUTION, gated, mine
from service.storage.views import View, among, read_by

_t, _x = trainees, external_ids


@dataclass(frozen=True, slots=True)
class Place:
    """Where an institution is, and the present day there."""

    country: str
    today: date


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody on record, by one of the keys that were asked for: a number of another system, or a blind index."""

    kind: str
    key: str
    person: UUID


_PLACE = Statement(select(institutions.c.country, TODAY).where(institutions.c.id == INSTITUTION), Place)
_found = union_all(
    select(word("student_no").label("kind"), _x.c.value.label("key"), _x.c.subject_id.label("person")).where(
        mine(_x),
        _x.c.system == bindparam("system", type_=Text),
        _x.c.value == func.any(bindparam("numbers", type_=ARRAY(Text))),
    ),
    *[
        select(word(kind), func.encode(column, word("hex")), _t.c.id).where(
            mine(_t), column == func.any(bindparam(name, type_=ARRAY(LargeBinary)))
        )
        for kind, name, column in (
            ("passport", "passports", _t.c.passport_index),
            ("identity_no", "identities", _t.c.identity_index),
        )
    ],
).subquery("found")
_MATCHES = Statement(gated(select(_found)), Match)


async def place_of(database: Database, institution: UUID) -> Place | None:
    """The institution's country and day, or None where there is no such institution."""
    async with database.connection() as con:
        return await _PLACE.one(con, institution=institution, at=None)


async def matches(
    database: Database,
    institution: UUID,
    *,
    system: str,
    numbers: Collection[str],
    passports: Collection[bytes],
    identities: Collection[bytes],
) -> list[Match]:
    """Everybody on record whom one of the keys names; the key of a blind index comes back in hexadecimal."""
    async with database.connection() as con:
        return await _MATCHES.all(
            con,
            institution=institution,
            system=system,
            numbers=list(numbers),
            passports=list(passports),
            identities=list(identities),
        )


# Imports as items -----------------------------------------------------------------------------------------------------

_i, _r = imports, import_rows


def _changed_since() -> Any:
    """Whether something was done with what a row made or changed since the import left it."""
    unknown = _r.c.left_version.is_(None)  # what is sealed cannot be put back: nobody kept what was there
    moved = [
        select(t.c.id).where(mine(t), t.c.id == _r.c.item_id, t.c.version != _r.c.left_version).exists()
        for t in (trainees, courses, certificates, results, documents)
    ]
    of_person = select(events.c.seq).where(
        mine(events), events.c.stream_id == _r.c.item_id, events.c.subject != word("trainee")
    )
    # What the clock alone opens and lets go by dates is nobody's work.
    since = select(events.c.seq).where(
        mine(events), events.c.stream_id == _r.c.item_id, events.c.seq > _r.c.left_version,
        ~and_(events.c.subject == word("obligation"), events.c.actor_roles == word("system")),
    )  # fmt: skip
    is_adoption = _i.c.kind == word("adoption")
    is_marks = _i.c.kind == word("attendance")
    a, later, m = attendance, attendance.alias("later"), memberships
    over_marks = (
        select(a.c.id)
        .select_from(a.join(m, and_(mine(m), m.c.id == a.c.membership_id)))
        .where(
            mine(a), a.c.id == _r.c.item_id,
            or_(
                m.c.state.not_in([word(s) for s in LIVE]),
                select(later.c.id).where(
                    mine(later), later.c.session_id == a.c.session_id, later.c.membership_id == a.c.membership_id,
                    later.c.seq > a.c.seq,
                ).exists(),
            ),
        )
    )  # fmt: skip
    return or_(
        unknown,
        and_(is_adoption, since.exists()),
        and_(is_marks, over_marks.exists()),
        and_(~is_adoption, ~is_marks, or_(*moved)),
        and_(_r.c.outcome == word("created"), _i.c.kind == word("trainees"), of_person.exists()),
    )


_is_done = _r.c.outcome.in_([word(o) for o in DONE])
_built_on = (
    select(_r.c.line)
    .where(mine(_r), _r.c.import_id == _i.c.id, _is_done, _changed_since())
    .order_by(_r.c.line)
    .limit(literal_column(str(LINES_NAMED)))
    .correlate(_i)
    .scalar_subquery()
)
_known = {"mode": _i.c.mode, "waiting": _i.c.creates + _i.c.updates - _i.c.done, "faulty": _i.c.faulty}
FACTS: FactsOf[ImportDossier] = FactsOf(_i, ImportDossier, _known, stream="id")


def _as_tuple(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"built_on": tuple(row["built_on"] or ())}


VOID_FACTS: FactsOf[ImportDossier] = FactsOf(
    _i,
    ImportDossier,
    _known | {"built_on": func.array(_built_on)},
    stream="id",
    read=_as_tuple,
)
"""What was built on it is looked up only where somebody wants to take it back: it asks for every row."""
_before = _i.alias("before")
NEW_FACTS: FactsOf[NewImport] = FactsOf(
    ITSELF,
    NewImport,
    {
        "remembered": select(_before.c.mapping)
        .where(
            mine(_before),
            _before.c.kind == bindparam("kind", type_=Text),
            _before.c.source == bindparam("source", type_=Text),
        )
        .order_by(_before.c.id.desc())
        .limit(literal_column("1"))
        .scalar_subquery()
    },
    stream="id",
    birth=True,
    extra=("kind", "source"),
)
VIEW = View(
    _i,
    {
        name: _i.c[name]
        for name in (
            "id", "version", "state", "since_on", "kind", "mode", "blanks", "source", "mapping", "headers", "ignored",
            "trouble", "size", "uploaded_by", "applied_by", "created_at", *COUNTED,
        )
    },
    filters={"state": among(_i.c.state), "kind": among(_i.c.kind), "source": among(_i.c.source)},
)  # fmt: skip


@lru_cache(maxsize=8)
def rows_of(sight: Sight | None, *, by_outcome: bool) -> Statement[Record]:
    """Rows of an import after a line, and the key that opens them."""
    actor = actor_of(sight)
    k = stream_keys
    conditions = [_r.c.outcome == bindparam("outcome", type_=Text)] if by_outcome else []
    joined = and_(mine(_r), _r.c.import_id == _i.c.id, _r.c.line > bindparam("after", type_=Integer), *conditions)
    rows = (
        select(
            _i.c.id.label("import_id"), k.c.wrapped, *[_r.c[n] for n in ("id", "line", "outcome", "item_id", "sealed")]
        )
        .select_from(_i.join(k, and_(mine(k), k.c.stream_id == _i.c.id)).outerjoin(_r, joined))
        .where(sees(_i, sight, actor), _i.c.id == bindparam("by_id", type_=Uuid))
        .order_by(_r.c.line)
        .limit(bindparam("limit", type_=BigInteger))
        .subquery("found")
    )
    return read_by(rows, actor, [rows.c.line])


# What the worker asks -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """An import that waits for the worker, as it is now."""

    id: UUID
    state: str
    kind: str
    mode: str
    blanks: str
    mapping: Mapping[str, str]
    phone_country: str | None
    content_id: UUID
    headers: Mapping[str, str]
    staged: int
    actor: UUID
    roles: list[str]


_account = case(
    (_i.c.state == word("uploaded"), _i.c.uploaded_by), else_=func.coalesce(_i.c.applied_by, _i.c.uploaded_by)
)
_roles = (
    select(appointments.c.roles)
    .where(
        mine(appointments),
        appointments.c.account_id == _account,
        appointments.c.sight == word("s"),
        appointments.c.ended_at.is_(None),
    )
    .scalar_subquery()
)
_JOBS = Statement(
    gated(
        select(
            _i.c.id, _i.c.state, _i.c.kind, _i.c.mode, _i.c.blanks, _i.c.mapping, _i.c.phone_country, _i.c.content_id,
            _i.c.headers, _i.c.staged, _account, func.coalesce(_roles, cast(literal_column("'{}'"), ARRAY(Text))),
        )
        .where(mine(_i), _i.c.state.in_([word(s) for s in ("uploaded", "applying", "voiding")]))
        .order_by(_i.c.id)
        .limit(literal_column("10"))
    ),
    Job,
)  # fmt: skip
_HOLD = Statement(
    select(func.pg_try_advisory_lock(func.hashtextextended(bindparam("name", type_=Text), literal_column("0")))), bool
)
_LET_GO = Statement(
    select(func.pg_advisory_unlock(func.hashtextextended(bindparam("name", type_=Text), literal_column("0")))), bool
)


async def jobs(database: Database, institution: UUID) -> list[Job]:
    """The imports that wait for a worker, the oldest first."""
    async with database.connection() as con:
        return await _JOBS.all(con, institution=institution)


@asynccontextmanager
async def held(database: Database, job: UUID) -> AsyncIterator[bool]:
    """Whether this process may go on with a job: one at a time; whoever dies lets go of it at once."""
    async with database.connection() as con:
        got = bool(await _HOLD.one(con, name=str(job)))
        try:
            yield got
        finally:
            if got and not con.is_closed():
                await _LET_GO.one(con, name=str(job))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that waits to be applied or taken back."""

    id: UUID
    line: int
    outcome: str
    item: UUID | None
    seen_version: int | None
    left_version: int | None
    sealed: bytes


_WAITING = Statement(
    gated(
        select(_r.c.id, _r.c.line, _r.c.outcome, _r.c.item_id, _r.c.seen_version, _r.c.left_version, _r.c.sealed)
        .where(
            mine(_r),
            _r.c.import_id == bindparam("job", type_=Uuid),
            _r.c.outcome == bindparam("outcome", type_=Text),
        )
        .order_by(_r.c.line)
        .limit(bindparam("limit", type_=BigInteger))
    ),
    Waiting,
)
_BUILT_ON = Statement(
    gated(
        select(func.count())
        .select_from(_r.join(_i, and_(mine(_i), _i.c.id == _r.c.import_id)))
        .where(mine(_r), _r.c.import_id == bindparam("job", type_=Uuid), _is_done, _changed_since())
    ),
    int,
)


async def waiting(con: Connection, institution: UUID, job: UUID, outcome: str, limit: int) -> list[Waiting]:
    """The next rows of an outcome, by line."""
    return await _WAITING.all(con, institution=institution, job=job, outcome=outcome, limit=limit)


async def built_on(database: Database, institution: UUID, job: UUID) -> int:
    """How many rows' work was changed or built on since."""
    async with database.connection() as con, database.transaction(con, institution, bulk=True):
        return await _BUILT_ON.one(con, institution=institution, job=job) or 0


# Whom rows speak of ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody on record, as far as a sheet may say otherwise."""

    id: UUID
    version: int
    name_native: str
    name_latin: str
    sex: str | None
    birth_on: date
    nationality: str
    origin: str | None
    email: str | None
    phone: str | None
    language: str
    passport: bytes | None
    identity_no: bytes | None
    guardian: bytes | None
    wrapped: bytes | None


_KNOWN = Statement(
    gated(
        select(
            _t.c.id, _t.c.version, _t.c.name_native, _t.c.name_latin, _t.c.sex, _t.c.birth_on, _t.c.nationality,
            _t.c.origin, _t.c.email, _t.c.phone, _t.c.language, _t.c.passport_index, _t.c.identity_index,
            _t.c.guardian_sealed, stream_keys.c.wrapped,
        )
        .select_from(_t.outerjoin(stream_keys, and_(mine(stream_keys), stream_keys.c.stream_id == _t.c.id)))
        .where(mine(_t), _t.c.state == word("known"), _t.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))))
    ),
    Known,
)  # fmt: skip


async def known_people(database: Database, institution: UUID, people: Collection[UUID]) -> dict[UUID, Known]:
    """Those of the people who are on record, by id."""
    async with database.connection() as con:
        return {k.id: k for k in await _KNOWN.all(con, institution=institution, ids=list(people))}


_CODED = Statement(
    gated(
        select(intakes.c.code, intakes.c.id).where(
            mine(intakes),
            intakes.c.code == func.any(bindparam("codes", type_=ARRAY(Text))),
            intakes.c.state != word("voided"),
        )
    ),
    lambda code, of: (code, of),
)
_STAGES = Statement(
    gated(
        select(placements.c.id, placements.c.stages).where(
            mine(placements), placements.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid)))
        )
    ),
    lambda of, stages: (of, tuple(stages)),
)
_DEBTS = Statement(
    gated(
        select(obligations.c.stream_id, obligations.c.rule, obligations.c.event, obligations.c.due_on)
        .where(
            mine(obligations),
            obligations.c.stream_id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
            obligations.c.pin == bindparam("pin", type_=Text),
            obligations.c.state == word("pending"),
        )
        .order_by(obligations.c.id)
    ),
    lambda *row: row,
)
_SEQS = Statement(
    gated(
        select(heads.c.stream_id, heads.c.seq).where(
            mine(heads), heads.c.stream_id == func.any(bindparam("ids", type_=ARRAY(Uuid)))
        )
    ),
    lambda of, seq: (of, seq),
)


async def intakes_by_code(database: Database, institution: UUID, codes: Collection[str]) -> dict[str, UUID]:
    """The intakes of the codes."""
    async with database.connection() as con:
        return dict(await _CODED.all(con, institution=institution, codes=list(codes)))


async def stages_of(con: Connection, institution: UUID, ids: Collection[UUID]) -> dict[UUID, tuple[str, ...]]:
    """The stages of placements, by their packs."""
    return dict(await _STAGES.all(con, institution=institution, ids=list(ids)))


async def debts_of(
    con: Connection, institution: UUID, people: Collection[UUID], pin: str
) -> list[tuple[UUID, str, str, date]]:
    """What people owe since they came in mid-way: whose it is, the rule, the step, and its last day."""
    return await _DEBTS.all(con, institution=institution, ids=list(people), pin=pin)


async def seqs_of(con: Connection, institution: UUID, streams: Collection[UUID]) -> dict[UUID, int]:
    """How long the record of each stream is."""
    return dict(await _SEQS.all(con, institution=institution, ids=list(streams)))


def also_import(facts: FactsOf[Any]) -> FactsOf[Any]:
    """The facts of an act that is one row's of an import: its stream is locked with those that the act concerns."""
    stream = bindparam("import_id", type_=Uuid)
    others = func.array_append(facts.also, stream) if facts.also is not None else array([stream])
    return replace(facts, also=others, extra=(*facts.extra, "import_id"))


@dataclass(frozen=True, slots=True)
class There:
    """Something on record that says what a row says."""

    id: UUID
    version: int


@lru_cache(maxsize=32)
def _known_by(table: Table, anchor: str, names: tuple[str, ...]) -> Statement[Any]:
    t = table
    return Statement(
        gated(
            select(t.c.id, t.c.version, t.c[anchor], *[t.c[n] for n in names])
            .where(
                mine(t),
                t.c[anchor] == func.any(bindparam("anchors", type_=ARRAY(t.c[anchor].type))),
                t.c.state.not_in([word("voided"), word("rejected"), word("retired")]),
            )
            .order_by(t.c.id)
        ),
        lambda *values: values,
    )


async def known_by(
    database: Database, institution: UUID, table: Table, anchor: str, anchors: list[Any], names: Sequence[str]
) -> dict[tuple[Any, tuple[Any, ...]], There]:
    """What is on record of the anchors (persons, codes), by anchor and the values of the columns named."""
    async with database.connection() as con:
        found = await _known_by(table, anchor, tuple(names)).all(con, institution=institution, anchors=anchors)
    return {(of, tuple(values)): There(i, version) for i, version, of, *values in found}
