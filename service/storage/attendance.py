"""Attendance as sheets hand it in: meetings and members by what sheets call them, marks, and what stood before them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, and_, bindparam, func, literal_column, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from service.domain.training import LIVE
from service.storage.database import Connection, Database, Statement
from service.storage.opening import word
from service.storage.tables.imports import import_rows
from service.storage.tables.record import external_ids
from service.storage.tables.training import attendance, class_sessions, memberships, training_classes
from service.storage.tenancy import gated, mine

_a, _s, _m, _k, _x, _r = attendance, class_sessions, memberships, training_classes, external_ids, import_rows
_classes = bindparam("classes", type_=ARRAY(Uuid))


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting of a class that takes place, and the zone of its clock."""

    id: UUID
    class_id: UUID
    uid: str
    on: date
    starts_at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that counts: of whom, in which meeting, and how they attended."""

    id: UUID
    session_id: UUID
    membership_id: UUID
    kind: str
    hours: Decimal
    seq: int


@dataclass(frozen=True, slots=True)
class Before:
    """A mark of an import: what counted before it (None: nothing), and whether nobody else marked the meeting."""

    id: UUID
    session_id: UUID
    membership_id: UUID
    class_id: UUID
    kind: str | None
    hours: Decimal | None
    alone: bool


_MEETINGS = Statement(
    gated(
        select(_s.c.id, _s.c.class_id, _s.c.uid, _s.c.starts_on, _s.c.starts_at, _k.c.time_zone)
        .select_from(_s.join(_k, and_(mine(_k), _k.c.id == _s.c.class_id)))
        .where(mine(_s), _s.c.class_id == func.any(_classes), _s.c.cancelled_at.is_(None))
    ),
    Meeting,
)
_MEMBERS = Statement(
    gated(
        select(_m.c.class_id, _x.c.value, _m.c.id)
        .select_from(_m.join(_x, and_(mine(_x), _x.c.subject_id == _m.c.person_id)))
        .where(
            mine(_m),
            _m.c.class_id == func.any(_classes),
            _m.c.state.in_([word(s) for s in LIVE]),
            _x.c.system == bindparam("system", type_=Text),
            _x.c.value == func.any(bindparam("numbers", type_=ARRAY(Text))),
        )
    ),
    lambda *row: row,
)
_COUNTING = Statement(
    gated(
        select(_a.c.id, _a.c.session_id, _a.c.membership_id, _a.c.kind, _a.c.hours, _a.c.seq)
        .ext(distinct_on(_a.c.session_id, _a.c.membership_id))
        .where(
            mine(_a),
            _a.c.membership_id == func.any(bindparam("members", type_=ARRAY(Uuid))),
            _a.c.session_id == func.any(bindparam("sessions", type_=ARRAY(Uuid))),
        )
        .order_by(_a.c.session_id, _a.c.membership_id, _a.c.taken_at.desc(), _a.c.seq.desc())
    ),
    Mark,
)
_LAST = Statement(
    gated(
        select(_a.c.id, _a.c.session_id, _a.c.membership_id, _a.c.kind, _a.c.hours, _a.c.seq)
        .ext(distinct_on(_a.c.session_id, _a.c.membership_id))
        .where(
            mine(_a),
            _a.c.membership_id == func.any(bindparam("members", type_=ARRAY(Uuid))),
            _a.c.session_id == func.any(bindparam("sessions", type_=ARRAY(Uuid))),
        )
        .order_by(_a.c.session_id, _a.c.membership_id, _a.c.seq.desc())
    ),
    Mark,
)
_o, _b = attendance.alias("others"), attendance.alias("before")
_made = [word("created"), word("voided")]
_ours = select(_r.c.item_id).where(
    mine(_r), _r.c.import_id == bindparam("job", type_=Uuid), _r.c.outcome.in_(_made), _r.c.item_id.is_not(None)
)
_others = select(_o.c.id).where(
    mine(_o),
    _o.c.session_id == _a.c.session_id,
    _o.c.id.not_in(_ours),
    or_(_o.c.corrects.is_(None), _o.c.corrects.not_in(_ours)),
)
_earlier = (
    select(_b.c.kind, _b.c.hours)
    .where(
        mine(_b),
        _b.c.session_id == _a.c.session_id,
        _b.c.membership_id == _a.c.membership_id,
        tuple_(_b.c.taken_at, _b.c.seq) < tuple_(_a.c.taken_at, _a.c.seq),
        _b.c.id.not_in(_ours),
    )
    .order_by(_b.c.taken_at.desc(), _b.c.seq.desc())
    .limit(literal_column("1"))
    .lateral("earlier")
)
_BEFORE = Statement(
    gated(
        select(
            _a.c.id, _a.c.session_id, _a.c.membership_id, _s.c.class_id, _earlier.c.kind, _earlier.c.hours,
            ~_others.exists(),
        )
        .select_from(
            _a.join(_s, and_(mine(_s), _s.c.id == _a.c.session_id)).outerjoin(_earlier, true())
        )
        .where(mine(_a), _a.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))))
    ),
    Before,
)  # fmt: skip


async def meetings_of(database: Database, institution: UUID, classes: Collection[UUID]) -> list[Meeting]:
    """Every meeting of the classes that takes place."""
    async with database.connection() as con:
        return await _MEETINGS.all(con, institution=institution, classes=list(classes))


async def members_of(
    database: Database, institution: UUID, classes: Collection[UUID], system: str, numbers: Collection[str]
) -> dict[tuple[UUID, str], UUID]:
    """Live memberships, by class and by what another system calls the person."""
    async with database.connection() as con:
        found = await _MEMBERS.all(
            con, institution=institution, classes=list(classes), system=system, numbers=list(numbers)
        )
    return {(of, number): member for of, number, member in found}


async def counting_marks(
    database: Database, institution: UUID, members: Collection[UUID], sessions: Collection[UUID]
) -> dict[tuple[UUID, UUID], Mark]:
    """The marks that count, by meeting and membership."""
    async with database.connection() as con:
        found = await _COUNTING.all(con, institution=institution, members=list(members), sessions=list(sessions))
    return {(m.session_id, m.membership_id): m for m in found}


async def last_marks(
    con: Connection, institution: UUID, members: Collection[UUID], sessions: Collection[UUID]
) -> dict[tuple[UUID, UUID], Mark]:
    """The marks that were put down last, by meeting and membership."""
    found = await _LAST.all(con, institution=institution, members=list(members), sessions=list(sessions))
    return {(m.session_id, m.membership_id): m for m in found}


async def before_marks(con: Connection, institution: UUID, job: UUID, ids: Collection[UUID]) -> list[Before]:
    """What stood before marks of an import."""
    return await _BEFORE.all(con, institution=institution, job=job, ids=list(ids))
