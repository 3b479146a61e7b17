"""Every statement of the service sets its institution before it reads: seen in the plans themselves."""

from __future__ import annotations

import gc
import json
import re
from typing import Any

import asyncpg
import pytest

from service.api.routes import routers
from service.domain.actors import Sight
from service.storage.access import access_of
from service.storage.attention import attention_of
from service.storage.database import APP_ROLE, Statement
from service.storage.held import HELD
from service.storage.next_steps import parts_of
from service.storage.obligations_clock import LOCKS, MOOT, RENEWED, SETTLE, TO_OPEN
from service.storage.opening import FactsOf, heads_statement
from service.storage.tasks import tasks_of
from service.storage.training.memberships import hours_of
from service.storage.views import View, feed_page, who

GATED = re.compile(r"(\(InitPlan \d+\)\.col\d+|\$\d+) IS NOT NULL")
"""How a plan tells of the gate: by the InitPlan's name, or by what it returns (before PostgreSQL 17)."""
SIGHTS: list[Sight | None] = [None, *Sight]


def _statements() -> list[tuple[str, Statement[Any]]]:
    routers()
    found: list[tuple[str, Statement[Any]]] = [("heads", heads_statement())]
    for thing in gc.get_objects():
        if isinstance(thing, FactsOf):
            found += [(f"facts of {thing.row.__name__} for {s}", thing.statement(s)) for s in SIGHTS]
        elif isinstance(thing, View):
            found += [
                (f"page of {thing.table.name} for {s}", thing.page(s, list(thing.filters), None, after=True))
                for s in SIGHTS
            ]
            found += [(f"item of {thing.table.name} for {s}", thing.item(s)) for s in SIGHTS]
    for s in SIGHTS:
        found += [("who", who(s)), ("feed", feed_page(s))]
        if s is not None:
            found += [
                (f"tasks for {s}", tasks_of(s, ("mine", "overdue"), after=True)),
                (f"attention for {s}", attention_of(s, (), after=False)),
            ]
    found += [(f"held in {table}", statement) for table, statement in HELD.items()]
    found += [(f"parts for {s}", parts_of(s)) for s in SIGHTS]
    found += [(f"access for {s}", access_of(s, after=True)) for s in SIGHTS]
    found += [(f"hours for {s}", hours_of(s)) for s in SIGHTS]
    found += [("what opens", TO_OPEN), ("what is renewed", RENEWED), ("what is moot", MOOT)]
    found += [(f"due {name}", s) for name, s in LOCKS.items()]
    found += [(f"settled {name}", s) for name, s in SETTLE.items()]
    return found


def _waits(plan: dict[str, Any]) -> bool:
    """Whether everything that the plan reads stands below the filter that sets the institution."""
    while True:
        kept = plan.get("One-Time Filter", "")
        if kept == "false" or GATED.search(kept):
            return True
        below = [p for p in plan.get("Plans", []) if p["Parent Relationship"] not in ("InitPlan", "SubPlan")]
        if len(below) != 1 or "Scan" in plan["Node Type"]:
            return False
        plan = below[0]


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_statements_wait_for_the_institution(dsn: str, mode: str) -> None:
    con = await asyncpg.connect(dsn, server_settings={"role": APP_ROLE, "jit": "off", "plan_cache_mode": mode})
    ungated = []
    for name, statement in _statements():
        types = await con.prepare(statement.sql)
        nulls = ", ".join("NULL" for _ in types.get_parameters())
        await con.execute(f"PREPARE looked AS {statement.sql}")
        explained = await con.fetchval(
            "EXPLAIN (COSTS OFF, FORMAT JSON) EXECUTE looked" + (f"({nulls})" if nulls else "")
        )
        await con.execute("DEALLOCATE looked")
        if not _waits(json.loads(explained)[0]["Plan"]):
            ungated.append(name)
    await con.close()
    assert ungated == []


def test_subselects_mean_the_row_around_them() -> None:
    """A subselect in a subselect that names a table two floors up joins it anew, and means any row of it.

    SQLAlchemy correlates with the floor above alone, unless `correlate` says otherwise; what is joined by nothing but a
    comma is such a table. Whatever a statement joins, it joins by JOIN; rows that a caller gives stand beside the rest.
    """
    made = [(type(thing).__name__, thing) for thing in gc.get_objects() if isinstance(thing, Statement)]
    commas = re.compile(r"FROM ((?:(?!WHERE|ORDER|GROUP|LIMIT|SELECT|RETURNING|USING)[^()])*, [a-z_]+\b(?! ?\())")
    found = {(name, tables) for name, statement in [*_statements(), *made] for tables in commas.findall(statement.sql)}
    assert found == set()
