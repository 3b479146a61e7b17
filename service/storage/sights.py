"""What organisations see of people is noted by the statement that shows it: once a day for each set of fields."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, Text, Uuid, cast, func, literal_column, null, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from service.storage.opening import TODAY, word
from service.storage.tables.columns import LIFECYCLES
from service.storage.tables.record import sights
from service.storage.tenancy import GATE, INSTITUTION

SEEN = "seen__"
"""How the columns of a page begin that are noted, and not shown."""


def noting(table: Any, rows: Any, actor: Any, shown: ColumnElement[bool], *, item: str = "id") -> CTE:
    """The part of a read that notes whom its rows show; what is noted already that day costs a look at the key.

    `rows` have `seen__fields`: the kinds of a person's data that the row shows, parted by spaces, or NULL for none.
    """
    own: dict[str, ColumnElement[Any]] = {c.name: c for c in rows.c}
    values: dict[str, ColumnElement[Any]] = {
        "institution_id": INSTITUTION,
        "person_id": own[SEEN + "person_id"] if SEEN + "person_id" in own else own["person_id"],
        "account_id": actor.c.account_id,
        "seen_on": TODAY,
        "subject": word(LIFECYCLES[table.name][0].name),
        "subject_id": own[item],
        "fields": cast(own[SEEN + "fields"], Text),
        "organisation_id": actor.c.organisation_id,
        "consent_id": own.get(SEEN + "consent_id", cast(null(), Uuid)),
        "first_at": func.statement_timestamp(),
    }
    found = (
        select(*values.values())
        .select_from(rows.join(actor, literal_column("true")))
        .where(GATE, shown, own[SEEN + "fields"].is_not(None))
    )
    return insert(sights).from_select(list(values), found).on_conflict_do_nothing().cte("noted")
