"""The running parts of people's journeys: one statement, for a person's own eyes or for staff."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import asyncpg
from sqlalchemy import (
    ARRAY,
    Date,
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
)
from sqlalchemy import union_all as union
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import Sight
from service.domain.next_steps import RUNNING, RUNS_OUT
from service.storage.database import Statement
from service.storage.opening import TODAY, word
from service.storage.schema import LIFECYCLES, metadata
from service.storage.scopes import actor_of, sees
from service.storage.tables.record import heads
from service.storage.tables.trainees import trainees
from service.storage.tenancy import mine
from service.storage.views import read_by

_table = metadata.tables
TABLES = {lc.name: _table[name] for name, (lc, _) in LIFECYCLES.items() if lc.name in RUNNING}
_intakes, _programmes, _classes = _table["intakes"], _table["programmes"], _table["training_classes"]
_requests, _sittings = _table["placement_requests"], _table["sittings"]
_t = TABLES


def _of(table: Any, column: Any, key: Any) -> Any:
    """A column of the row that another row names."""
    return select(column).where(mine(table), table.c.id == key).scalar_subquery()


def _programme(title: str) -> Mapping[str, Any]:
    p = _programmes
    by_intake = (
        select(p.c[title])
        .select_from(p.join(_intakes, and_(mine(_intakes), _intakes.c.programme_id == p.c.id)))
        .where(mine(p), _intakes.c.id == _t["application"].c.intake_id)
    )
    return {
        "application": by_intake.scalar_subquery(),
        "enrolment": _of(p, p.c[title], _t["enrolment"].c.programme_id),
    }


_plain: Mapping[str, Any] = {
    "membership": _of(_classes, _classes.c.title, _t["membership"].c.class_id),
    "certificate": func.concat_ws(word(" "), _t["certificate"].c.test, _t["certificate"].c.level),
    "sitting_registration": _of(_sittings, _sittings.c.test, _t["sitting_registration"].c.sitting_id),
    "consent": _t["consent"].c.purpose,
    "candidacy": _of(_requests, _requests.c.title, _t["candidacy"].c.request_id),
    "placement": _of(_requests, _requests.c.title, _t["placement"].c.request_id),
    "requirement_item": _t["requirement_item"].c.key,
    "obligation": _t["obligation"].c.rule,
    "correction_request": _t["correction_request"].c.field,
}
NATIVE: Mapping[str, Any] = {**_plain, **_programme("title_native")}
LATIN: Mapping[str, Any] = {**_plain, **_programme("title_latin")}


def _by_state(subject: str, days: Mapping[str, Any]) -> Any:
    state = _t[subject].c.state
    return case(*[(state == word(s), cast(day, Date)) for s, day in days.items()])


_case, _placement = _t["recognition_case"].c, _t["placement"].c
DUE: Mapping[str, Any] = {
    "application": _by_state(
        "application", {"draft": _of(_intakes, _intakes.c.closes_on, _t["application"].c.intake_id)}
    ),
    "enrolment": _by_state("enrolment", {"on_leave": _t["enrolment"].c.leave_until}),
    "membership": _by_state(
        "membership",
        {
            "registered": _of(_classes, _classes.c.starts_on, _t["membership"].c.class_id),
            "attending": _of(_classes, _classes.c.ends_on, _t["membership"].c.class_id),
        },
    ),
    "certificate": case((_t["certificate"].c.state == word("verified"), _t["certificate"].c.valid_until)),
    "sitting_registration": _of(_sittings, _sittings.c.held_on, _t["sitting_registration"].c.sitting_id),
    "recognition_case": _by_state(
        "recognition_case",
        {
            "opened": _case.due_on,
            "assessing": _case.due_on,
            "evidence_requested": _case.evidence_until,
            "notified": _case.appeal_until,
        },
    ),
    "candidacy": _by_state("candidacy", {"offered": _t["candidacy"].c.offer_ends_at}),
    "placement": _by_state(
        "placement",
        {"arrived": _placement.starts_on, "active": _placement.ends_on, "returning": _placement.returns_on},
    ),
    "obligation": _t["obligation"].c.due_on,
    "correction_request": _t["correction_request"].c.due_on,
}
"""The day that the thing itself names for its next step; before a departure the plan names it."""


def _runs_out() -> ColumnElement[bool]:
    """A certificate that is verified and runs out soon, and that no later one of its kind follows."""
    c = _t["certificate"]
    later = c.alias("later")
    follows = (
        select(later.c.id)
        .where(
            mine(later), later.c.person_id == c.c.person_id, later.c.kind == c.c.kind,
            later.c.test.is_not_distinct_from(c.c.test), later.c.state.in_([word("recorded"), word("verified")]),
            or_(later.c.valid_until.is_(None), later.c.valid_until > c.c.valid_until),
        )
        .exists()
    )  # fmt: skip
    soon = TODAY + literal_column(str(RUNS_OUT.days))
    return and_(c.c.state == word("verified"), c.c.valid_until <= soon, c.c.valid_until >= TODAY, ~follows)


def _running(subject: str) -> ColumnElement[bool]:
    table = _t[subject]
    live: ColumnElement[bool] = table.c.state.in_([word(s) for s in RUNNING[subject]])
    if subject == "certificate":
        return or_(live, _runs_out())
    if subject == "obligation":
        return and_(live, word("trainee") == func.any(table.c.owed_by))
    return live


def _part(no: int, subject: str, sight: Sight | None, actor: Any, people: Any) -> Select[Any]:
    table = _t[subject]
    return select(
        literal_column(str(no)).label("part_no"),
        word(subject).label("subject"),
        table.c.id.label("part_id"),
        table.c.person_id.label("of_person"),
        table.c.since_on.label("since_on"),
        DUE.get(subject, cast(null(), Date)).label("due_on"),
        cast(NATIVE.get(subject, null()), Text).label("title_native"),
        cast(LATIN.get(subject, null()), Text).label("title_latin"),
    ).where(sees(table, sight, actor), table.c.person_id == func.any(people), _running(subject))


@lru_cache(maxsize=8)
def parts_of(sight: Sight | None) -> Statement[asyncpg.Record]:
    """The running parts of the people who are named, or else of whoever asks; each with its person's stage."""
    actor = actor_of(sight)
    own = cast(select(actor.c.person_ids).scalar_subquery(), ARRAY(Uuid))
    people: Any = func.coalesce(bindparam("people", type_=ARRAY(Uuid)), own)
    found = union(*[_part(no, s, sight, actor, people) for no, s in enumerate(RUNNING)]).subquery("part")
    who, h = trainees, heads
    rows = (
        select(
            who.c.id.label("person_id"), h.c.stage, TODAY.label("today"), *[c for c in found.c if c.name != "of_person"]
        )
        .select_from(
            who.join(h, and_(mine(h), h.c.stream_id == who.c.id)).outerjoin(found, found.c.of_person == who.c.id)
        )
        .where(sees(who, sight, actor), who.c.id == func.any(people))
        .subquery("parts")
    )
    return read_by(rows, actor, [rows.c.person_id, rows.c.part_no, rows.c.since_on, rows.c.part_id])
