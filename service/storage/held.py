"""Everything that is held on a person, table by table: where its rows are, what of them is given out, and what is not.

A test over the catalogue fails when a table that leads to a person is neither in `HELD` nor in `NOT_HELD`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg
from sqlalchemy import Column, DateTime, LargeBinary, Numeric, Table, Text, Uuid, and_, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql.elements import ColumnElement

from service.storage.database import Statement
from service.storage.opening import word
from service.storage.schema import metadata
from service.storage.tenancy import GATE, mine

_table = metadata.tables
PERSON: ColumnElement[Any] = bindparam("person", type_=Uuid)
PARENTS: Mapping[str, tuple[str, str]] = {
    "attendance": ("membership_id", "memberships"),
    "class_marks": ("membership_id", "memberships"),
    "enterprise_hours": ("membership_id", "memberships"),
    "enrolment_waivers": ("enrolment_id", "enrolments"),
    "recognition_items": ("case_id", "recognition_cases"),
    "recognition_claims": ("case_id", "recognition_cases"),
    "recognition_decisions": ("case_id", "recognition_cases"),
    "recognition_signatures": ("case_id", "recognition_cases"),
    "recognition_appeals": ("case_id", "recognition_cases"),
}
"""Tables whose rows belong to a row of a person's: by which column, of which table."""
_NAMED = {"trainees": "id", "events": "stream_id", "heads": "stream_id", "external_ids": "subject_id"}
"""Tables that name the person otherwise than by `person_id`."""
NOT_HELD: Mapping[str, str] = {
    "stream_keys": "the key that opens what is sealed: what it opens is given out instead",
    "unfed": "the order in which events are given out; the events themselves are here",
    "feed": "the order in which events were given out; the events themselves are here",
    "idempotency_keys": "sealed copies of answers, kept for seven days against repetition",
    "credentials": "digests of tokens",
    "accounts": "an account is of all institutions that it was invited to, and not this one's to give out",
    "invitations": "digests of secrets of an account",
    "shared_accounts": "whether an account is of several institutions",
    "recognition_rule_sources": "courses of the equivalence that a rule recognises, which is of everybody's",
    "recognition_rule_targets": "courses for which a rule recognises it; what came of the rule for the person is here",
    "import_rows": "lines of sheets as they were handed in, sealed and forgotten; what came of them is here",
}
SEALED: Mapping[tuple[str, str], tuple[str, bool]] = {
    ("trainees", "passport_sealed"): ("passport", False),
    ("trainees", "identity_sealed"): ("identity_no", False),
    ("trainees", "guardian_sealed"): ("guardian", False),
    ("certificates", "number_sealed"): ("certificate_number", False),
    ("placements", "skills_sealed"): ("skills_gained", False),
    ("recognition_decisions", "reason_sealed"): ("recognition_decision", True),
    ("recognition_appeals", "grounds_sealed"): ("recognition_appeal", True),
    ("recognition_appeals", "reason_sealed"): ("recognition_appeal_reasons", True),
    ("correction_requests", "said_sealed"): ("correction_request", False),
    ("events", "note_sealed"): ("note", False),
}
"""Sealed columns: what each was sealed as, and whether its row's own id was sealed in with it."""
CALLED = {"identity_sealed": "identity_no"}
"""Columns that are called otherwise once they are opened; the others lose their ending."""
NUMBERS = frozenset({"passport", "identity_no", "guardian", "certificate_number"})
"""What is opened only for whoever may open sealed fields."""
AS_JSON = frozenset({"passport", "guardian", "correction_request"})
"""What was sealed as a document of JSON."""
KEPT_BACK: Mapping[tuple[str, str], str] = {
    ("candidacies", "rank"): "the enterprise's own order of several people",
    ("candidacies", "assessment"): "the enterprise's own judgement, in which people are compared",
    ("appointments", "person_ids"): "an account may have other people in its care",
    ("documents", "content_id"): "the store's own name of a file that lies beside",
    ("events", "tx"): "the database's own number of a transaction",
}
"""Columns that are not given out, and why; blind indexes and the institution's id are left out everywhere."""
LEADING = ("id", "kind", "title", "media_type", "content_id")
"""What leads from a document's row to its file."""
ROWS_KEPT_BACK: Mapping[str, str] = {
    "recognition_decisions": "decisions of a round that the person was not told of yet: drafts",
    "obligations": "what others owe about the person is between those and the institution",
}


def _given(table: Table) -> list[ColumnElement[bool]]:
    """The rows that are not kept back."""
    if table.name == "obligations":
        return [word("trainee") == func.any(table.c.owed_by)]
    if table.name != "recognition_decisions":
        return []
    cases = _table["recognition_cases"]
    told = select(cases.c.told_round).where(mine(cases), cases.c.id == table.c.case_id).scalar_subquery()
    return [table.c.round <= told]


def _theirs(table: Table) -> ColumnElement[bool]:
    if table.name == "appointments":
        return table.c.person_ids.contains(array([PERSON]))
    if table.name in PARENTS:
        column, parent = PARENTS[table.name]
        p = _table[parent]
        return table.c[column].in_(select(p.c.id).where(mine(p), p.c.person_id == PERSON))
    named: ColumnElement[bool] = table.c[_NAMED.get(table.name, "person_id")] == PERSON
    return and_(named, table.c.subject == word("trainee")) if table.name == "external_ids" else named


def _told(c: ColumnElement[Any]) -> ColumnElement[Any]:
    """A value as its JSON is to show it: a number with all its digits, an instant in UTC, bytes in hexadecimal."""
    if isinstance(c.type, Numeric):
        return cast(c, Text)
    if isinstance(c.type, DateTime):
        return func.to_char(c, word('YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))  # the connection's clock is UTC
    return func.encode(c, word("hex")) if isinstance(c.type, LargeBinary) else c


def told_columns(table: Table) -> list[Column[Any]]:
    """The columns of a table that are given out as they stand; what is sealed is opened first, and comes beside."""
    return [
        c
        for c in table.c
        if not (c.name == "institution_id" or c.name.endswith("_index"))
        and not {(table.name, c.name)} & {*SEALED, *KEPT_BACK}
    ]


def _rows(table: Table) -> Statement[asyncpg.Record]:
    """Rows as the database writes them, each one text of JSON: what is decoded row by row holds the loop."""
    keys = [c for c in table.primary_key.columns if c.name != "institution_id"]
    pairs = [x for c in told_columns(table) for x in (word(c.name), _told(c))]
    line = cast(func.json_build_object(*pairs), Text).label("line")
    sealed = [c for c in table.c if (table.name, c.name) in SEALED]
    ids = [table.c.id] if any(SEALED[table.name, c.name][1] for c in sealed) else []
    beside = [table.c[n] for n in LEADING] if table.name == "documents" else [*ids, *sealed]
    return Statement(
        select(line, *beside).where(GATE, mine(table), _theirs(table), *_given(table)).order_by(*keys), _by_name
    )


def _by_name(*_: Any) -> Any:
    raise TypeError("read by name, through a cursor")


_TABLES = [
    t.name
    for t in metadata.sorted_tables
    if ("person_id" in t.c or t.name in (*_NAMED, *PARENTS, "appointments")) and t.name not in NOT_HELD
]
HELD: Mapping[str, Statement[asyncpg.Record]] = {name: _rows(_table[name]) for name in _TABLES}
"""The rows of a person in each table, in the order of their keys."""
