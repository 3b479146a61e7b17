"""Everybody whom packs gate still, page by page: live candidacies, and placements before the departure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, bindparam, select, union_all

from service.domain.candidacies import BELOW_ACCEPTED
from service.domain.placements import AT_HOME
from service.storage.database import Statement
from service.storage.opening import word
from service.storage.tables.candidacies import candidacies
from service.storage.tables.placements import placements
from service.storage.tenancy import GATE, mine

CANDIDACY, PLACEMENT = "candidacy", "placement"
AFTER = bindparam("after", type_=Uuid)


def _live(table: Any, kind: str, states: Iterable[str]) -> Any:
    return select(table.c.id, word(kind).label("kind")).where(
        GATE, mine(table), table.c.id > AFTER, table.c.state.in_([word(s) for s in states])
    )


def _pair(id_: UUID, kind: str) -> tuple[UUID, str]:
    return id_, kind


_all = union_all(_live(candidacies, CANDIDACY, BELOW_ACCEPTED), _live(placements, PLACEMENT, AT_HOME)).subquery(
    "on_the_way"
)
ON_THE_WAY: Statement[tuple[UUID, str]] = Statement(
    select(_all.c.id, _all.c.kind).where(GATE).order_by(_all.c.id).limit(bindparam("limit", type_=BigInteger)), _pair
)
"""The ids and kinds after an id, in the order of ids."""
