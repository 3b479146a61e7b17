"""What waits for whoever asks: one statement over every capability, by the eyes and the roles of the actor.

Each kind of task is a branch that gives its first rows alone, in order and after the cursor; together they are as many
rows as there are kinds times a page, whatever the tables hold. A branch of a role that the actor has not is not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import COORDINATOR, SIGHTS, Role, Sight
from service.domain.journey import LIVE
from service.domain.obligations import ROLES_OF_PROVIDER
from service.domain.tasks import CONTESTED, DUTY, PLACE_AGAIN, TASKS, WAITS, Waits
from service.storage.assignments import in_my_care
from service.storage.database import Statement
from service.storage.obligations import OVERDUE
from service.storage.opening import TODAY, word
from service.storage.schema import LIFECYCLES, metadata
from service.storage.scopes import actor_of, sees
from service.storage.tenancy import mine
from service.storage.views import read_by

_table = metadata.tables
_TABLES = {lifecycle.name: _table[name] for name, (lifecycle, _) in LIFECYCLES.items()}
_obligations, _classes, _sessions = _table["obligations"], _table["training_classes"], _table["class_sessions"]
_members, _hours, _requests = _table["memberships"], _table["enterprise_hours"], _table["placement_requests"]
_candidacies, _placements, _people = _table["candidacies"], _table["placements"], _table["trainees"]
FOREVER = literal_column("'infinity'::date", Date)
PLACED_AGAIN_DAYS = 60
"""How long somebody whose request was cancelled stays on the coordinators' list."""
ABOUT = {"obligations": "rule", "requirement_items": "key", "documents": "kind", "correction_requests": "field"}
"""The column that says which one of its kind a thing is, by its table."""
FILTERS: Mapping[str, Any] = {
    "task": Integer(),
    "due_until": Date(),
    "overdue": Boolean(),
    "person_id": Uuid(),
    "mine": Boolean(),
}


@dataclass(frozen=True, slots=True)
class _Branch:
    """Where the rows of a task are, beside what every task of a lifecycle has."""

    due: ColumnElement[Any] | None = None
    only: tuple[Any, ...] = ()
    """Conditions, or functions of the actor's CTE that give one."""


def _day(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(column, Date)


def _teaches(actor: Any) -> ColumnElement[bool]:
    return _classes.c.teacher_id == select(actor.c.account_id).scalar_subquery()


_untaken = (
    select(func.min(_sessions.c.starts_on))
    .where(
        mine(_sessions), _sessions.c.class_id == _classes.c.id, _sessions.c.taken_at.is_(None),
        _sessions.c.cancelled_at.is_(None), _sessions.c.starts_on <= TODAY,
    )
    .scalar_subquery()
)  # fmt: skip
_confirmed = (
    select(_hours.c.hours)
    .where(mine(_hours), _hours.c.membership_id == _members.c.id)
    .order_by(_hours.c.seq.desc())
    .limit(literal_column("1"))
    .scalar_subquery()
)
_hours_wanted = (
    select(literal_column("1"))
    .where(
        mine(_members), _members.c.class_id == _classes.c.id, _members.c.state == word("attending"),
        func.coalesce(_confirmed, literal_column("0")) < _classes.c.hours_required,
    )
    .exists()
)  # fmt: skip
_cases, _items = _table["recognition_cases"], _table["requirement_items"]
_corrections = _table["correction_requests"]
_BRANCHES: Mapping[str, _Branch] = {
    "start_class": _Branch(_classes.c.starts_on, (_teaches, _classes.c.starts_on <= TODAY)),
    "take_attendance": _Branch(_untaken, (_teaches, _untaken.is_not(None))),
    "finish_class": _Branch(_classes.c.ends_on, (_teaches, _classes.c.ends_on < TODAY)),
    "confirm_hours": _Branch(_classes.c.ends_on, (_hours_wanted,)),
    "answer_correction": _Branch(_corrections.c.due_on),
    "make_correction": _Branch(_corrections.c.due_on),
    "take_on_case": _Branch(_cases.c.due_on),
    "decide_case": _Branch(_cases.c.due_on),
    "supply_evidence": _Branch(_cases.c.evidence_until),
    "judge_request": _Branch(_requests.c.opens_on),
    "answer_offer": _Branch(_day(_candidacies.c.offer_ends_at)),
    "send_off": _Branch(_placements.c.planned_departure_on),
    "confirm_terms": _Branch(_placements.c.starts_on, (_placements.c.terms_confirmed_on.is_(None),)),
    "start_work": _Branch(_placements.c.starts_on),
    "bring_home": _Branch(None, (_placements.c.departs,)),
    "record_return": _Branch(_placements.c.returns_on),
}


def _holds(actor: Any, roles: Iterable[Role]) -> ColumnElement[bool]:
    """Whether the actor has one of the roles: asked once, before the branch reads anything."""
    wanted = cast(literal_column("'{" + ",".join(sorted(roles)) + "}'"), ARRAY(Text))
    held = cast(select(actor.c.roles).scalar_subquery(), ARRAY(Text))
    return held.overlap(wanted)  # type: ignore[no-any-return]


def _person(table: Any) -> ColumnElement[Any]:
    if table.name == "trainees":
        return table.c.id  # type: ignore[no-any-return]
    return table.c.person_id if "person_id" in table.c else cast(null(), Uuid)


def row_of(
    number: int, subject: str, table: Any, action: str, due: ColumnElement[Any] | None, **more: Any
) -> Select[Any]:
    """The columns that every kind of line has."""
    known = due if due is not None else cast(null(), Date)
    overdue = more.get("overdue")
    return select(
        literal_column(str(number), Integer).label("task_no"),
        word(subject).label("subject"),
        table.c.id.label("subject_id"),
        _person(table).label("person_id"),
        word(action).label("action"),
        (table.c[ABOUT[table.name]] if table.name in ABOUT else cast(null(), Text)).label("about"),
        table.c.since_on.label("since_on"),
        known.label("due_on"),
        (overdue if overdue is not None else func.coalesce(known < TODAY, literal_column("false"))).label("overdue"),
    )


def _row(task: str, *more: Any, **named: Any) -> Select[Any]:
    return row_of(TASKS.index(task), *more, **named)


def _waiting(w: Waits, sight: Sight, actor: Any) -> Select[Any] | None:
    """The rows of one kind for such eyes, or None where none of its roles has them."""
    who = [r for r in w.who if SIGHTS[r] is sight]
    if not who:
        return None
    table, branch = _TABLES[w.subject], _BRANCHES.get(w.task, _Branch())
    only = [c(actor) if callable(c) else c for c in branch.only]
    return _row(w.task, w.subject, table, w.action, branch.due).where(
        _holds(actor, who), sees(table, sight, actor), table.c.state.in_([word(s) for s in w.states]), *only
    )


def _owed(sight: Sight, actor: Any) -> Select[Any]:
    """Obligations that are owed by one of the actor's roles."""
    owing = []
    for role in Role:
        providers = [p for p, roles in ROLES_OF_PROVIDER.items() if role in roles]
        if providers and SIGHTS[role] is sight:
            named = cast(literal_column("'{" + ",".join(providers) + "}'"), ARRAY(Text))
            owing.append(and_(_holds(actor, [role]), _obligations.c.owed_by.overlap(named)))
    rows = _row(DUTY, "obligation", _obligations, "fulfil", _obligations.c.due_on, overdue=OVERDUE)
    return rows.where(
        sees(_obligations, sight, actor), _obligations.c.state == word("pending"), or_(literal_column("false"), *owing)
    )


def _contested(sight: Sight, actor: Any) -> list[Select[Any]]:
    """Steps that a party contests; only staff have coordinators among them."""
    if sight is not Sight.STAFF:
        return []
    return [
        _row(CONTESTED, name, table, "uphold", None).where(
            _holds(actor, [COORDINATOR]), mine(table), table.c.contested_seq.is_not(None)
        )
        for name, table in _TABLES.items()
    ]


def _placed_again(sight: Sight, actor: Any) -> list[Select[Any]]:
    """People whose request was cancelled lately, and who have nothing else since."""
    if sight is not Sight.STAFF:
        return []
    cancelled = (
        select(_requests.c.id)
        .where(
            mine(_requests), _requests.c.state == word("cancelled"),
            _requests.c.since_on >= TODAY - literal_column(str(PLACED_AGAIN_DAYS)),
        )
        .scalar_subquery()
    )  # fmt: skip

    def lost(table: Any, states: Sequence[str]) -> Select[Any]:
        t = table.alias("lost")
        ended = t.c.state.in_([word(s) for s in states])
        return select(t.c.person_id).where(mine(t), t.c.request_id.in_(cancelled), ended)

    def lives(table: Any, name: str) -> ColumnElement[bool]:
        t = table.alias("held_now")
        live = t.c.state.in_([word(s) for s in sorted(LIVE[name])])
        return select(t.c.id).where(mine(t), t.c.person_id == _people.c.id, live).exists()

    ended = (
        lost(_candidacies, ("not_selected", "offer_rescinded", "fell_through")),
        lost(_placements, ("cancelled",)),
    )
    return [
        _row(PLACE_AGAIN, "trainee", _people, "identify", None).where(
            _holds(actor, [COORDINATOR]), mine(_people), _people.c.id.in_(union_all(*ended)),
            ~lives(_candidacies, "candidacy"), ~lives(_placements, "placement"),
        )
    ]  # fmt: skip


@lru_cache(maxsize=64)
def tasks_of(sight: Sight, filters: tuple[str, ...], *, after: bool) -> Statement[asyncpg.Record]:
    """A page of what waits for the actor: by day, what names none last; then by thing and kind."""
    actor = actor_of(sight)
    known = [_waiting(w, sight, actor) for w in WAITS]
    branches = [b for b in known if b is not None]
    branches += [_owed(sight, actor), *_contested(sight, actor), *_placed_again(sight, actor)]
    return paged(branches, actor, filters, after=after)


def paged(
    branches: Sequence[Select[Any]], actor: Any, filters: tuple[str, ...], *, after: bool
) -> Statement[asyncpg.Record]:
    """A page over branches of one form, each asked for its first rows alone."""
    limit = bindparam("limit", type_=BigInteger)
    firsts = []
    for branch in branches:
        b = branch.subquery()
        order = (func.coalesce(b.c.due_on, FOREVER), b.c.subject_id, b.c.task_no)
        rows = select(b).where(*_kept(b, filters, order, after=after)).order_by(*order).limit(limit)
        firsts.append(rows.subquery())
    found = union_all(*[select(f) for f in firsts]).subquery("found")
    order = (func.coalesce(found.c.due_on, FOREVER), found.c.subject_id, found.c.task_no)
    page = select(found).order_by(*order).limit(limit).subquery("page")
    return read_by(page, actor, [func.coalesce(page.c.due_on, FOREVER), page.c.subject_id, page.c.task_no])


def _kept(rows: Any, filters: tuple[str, ...], order: tuple[Any, ...], *, after: bool) -> list[ColumnElement[bool]]:
    kept = []
    for name in filters:
        value = bindparam(f"by_{name}", type_=FILTERS[name])
        if name == "mine":
            kept.append(value == func.coalesce(in_my_care(rows.c.person_id), literal_column("false")))
            continue
        column = rows.c.task_no if name == "task" else rows.c.due_on if name == "due_until" else rows.c[name]
        kept.append(column <= value if name == "due_until" else column == value)
    if after:
        last = tuple_(
            case((bindparam("after_due", type_=Date).is_(None), FOREVER), else_=bindparam("after_due", type_=Date)),
            bindparam("after_id", type_=Uuid),
            bindparam("after_task", type_=Integer),
        )
        kept.append(tuple_(*order) > last)
    return kept


@dataclass(frozen=True, slots=True)
class Place:
    """The last task of a page: after it the next ones come."""

    due_on: date | None
    subject_id: UUID
    task_no: int
