"""What tables cannot say: triggers drawn from the lifecycles' edges, row-level security, the service's role.

These are drawn anew from the code at the end of each migration, and only when they changed: the database always
permits exactly the edges that the code publishes.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Table
from sqlalchemy.schema import Column

import service.storage.schema  # noqa: F401 - every table is known before the walls are drawn
from service.domain.lifecycle import NEW, Lifecycle
from service.domain.placements import AWAY
from service.storage.database import APP_ROLE
from service.storage.tables.columns import FORGETTABLE, LIFECYCLES, SHARED, WRITTEN_ONCE, metadata
from service.storage.tables.personal import HELD
from service.storage.tenancy import POLICY


def tenant_tables() -> list[Table]:
    """Every table of a tenant's rows, in the order of creation."""
    return [t for t in metadata.sorted_tables if t.name not in SHARED]


def _pairs(pairs: list[tuple[str, str]]) -> str:
    return ", ".join(f"('{a}','{b}')" for a, b in pairs)


FUNCTIONS = (
    """
CREATE OR REPLACE FUNCTION refuse_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'edge not in lifecycle %: % to %', TG_ARGV[0],
  CASE TG_OP WHEN 'UPDATE' THEN OLD.state ELSE 'new' END, NEW.state USING ERRCODE = 'SJ001'; END $$""",
    """
CREATE OR REPLACE FUNCTION head_covers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM heads h WHERE h.institution_id = NEW.institution_id AND h.stream_id = NEW.stream_id
    AND (h.seq > NEW.seq OR (h.seq = NEW.seq AND h.chain_head = NEW.hash));
  IF NOT FOUND THEN RAISE EXCEPTION 'an event without its head' USING ERRCODE = 'SJ003'; END IF;
  RETURN NULL;
END $$""",
)


def _event_function(table: str, stream: str) -> str:
    """The row names the sequence of the event that moved it: one look-up on the key that events have anyway."""
    return f"""
CREATE OR REPLACE FUNCTION {table}_left_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM events e WHERE e.institution_id = NEW.institution_id AND e.stream_id = NEW.{stream}
    AND e.seq = NEW.event_seq AND e.subject_id = NEW.id AND e.to_state = NEW.state AND e.tx = pg_current_xact_id()
    AND e.from_state IS NOT DISTINCT FROM CASE TG_OP WHEN 'UPDATE' THEN OLD.state END;
  IF NOT FOUND THEN RAISE EXCEPTION 'a move of % left no event', TG_TABLE_NAME USING ERRCODE = 'SJ002'; END IF;
  RETURN NULL;
END $$"""


def _triggers(table: str, lifecycle: Lifecycle[Any]) -> list[str]:
    moves = [(a, b) for a, b in lifecycle.edges() if a not in (NEW, b)]
    initial = ", ".join(f"'{s}'" for s in lifecycle.initials())
    changed = "OLD.state IS DISTINCT FROM NEW.state"
    unlisted = f"(OLD.state, NEW.state) NOT IN ({_pairs(moves)})" if moves else "true"
    made = {
        # The list stands in the WHEN clause: a permitted move calls no function at all.
        f"{table}_edge": f"BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed} AND {unlisted}) "
        f"EXECUTE FUNCTION refuse_edge('{lifecycle.name}')",
        f"{table}_birth": f"BEFORE INSERT ON {table} FOR EACH ROW WHEN (NEW.state NOT IN ({initial})) "
        f"EXECUTE FUNCTION refuse_edge('{lifecycle.name}')",
        f"{table}_move_left_event": f"AFTER UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
        f"WHEN ({changed}) EXECUTE FUNCTION {table}_left_event()",
        f"{table}_birth_left_event": f"AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
        f"EXECUTE FUNCTION {table}_left_event()",
    }
    out = []
    for name, body in made.items():
        kind = "CONSTRAINT TRIGGER" if "DEFERRABLE" in body else "TRIGGER"
        out += [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"CREATE {kind} {name} {body}"]
    return out


_away = ", ".join(f"'{s}'" for s in AWAY)
_dates = "departed_on, arrived_on, started_on, ended_on, authorisation_until_on, visa_until_on"
_is_away = f"OLD.state IN ({_away}) OR NEW.state IN ({_away}) OR NEW.ended_on IS NOT NULL"
_own = "NEW.looked_by := ''; RETURN NEW"
_forget = "SET looked_by = '' WHERE institution_id = NEW.institution_id AND"
_of_subject = f"UPDATE placements {_forget} id = NEW.subject_id"
LOOKS = {
    # table: what is changed, when it counts, and what is done
    "placements": (
        f"BEFORE UPDATE OF state, pins, departs, {_dates}",
        f"OLD.pins IS DISTINCT FROM NEW.pins OR {_is_away}",
        _own,
    ),
    "relationships": ("BEFORE UPDATE OF state, valid_until", "true", _own),
    "trainees": (
        "AFTER UPDATE OF passport_expires_on",
        "OLD.passport_expires_on IS DISTINCT FROM NEW.passport_expires_on",
        f"UPDATE placements {_forget} person_id = NEW.id; RETURN NULL",
    ),
    "requirement_items": (
        "AFTER INSERT OR UPDATE",
        "NEW.subject_kind = 'placement' AND NEW.valid_until IS NOT NULL",
        f"{_of_subject}; RETURN NULL",
    ),
    "obligations": (
        "AFTER UPDATE OF state",
        "OLD.state IS DISTINCT FROM NEW.state AND NEW.state IN ('pending', 'voided')",
        f"{_of_subject}; UPDATE relationships {_forget} id = NEW.subject_id; RETURN NULL",
    ),
}
"""What takes away that the clock of obligations has looked at something: a change of what may fall due for it."""


def looks_gone() -> list[str]:
    """Without them again: an older version does not have the columns that they write."""
    return [f"DROP FUNCTION IF EXISTS {table}_look_again() CASCADE" for table in LOOKS]


def _looks() -> list[str]:
    """Also for rows that are replayed or mended by hand: a look too many costs nothing, one too few an obligation."""
    out = []
    for table, (changed, counts, does) in LOOKS.items():
        name = f"{table}_look_again"
        out += [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does}; END $$",
            f"DROP TRIGGER IF EXISTS {name} ON {table}",
            f"CREATE TRIGGER {name} {changed} ON {table} FOR EACH ROW WHEN ({counts}) EXECUTE FUNCTION {name}()",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        ]
    return out


IMMOVABLE = {"person_id", "request_id", "intake_id", "class_id", "created_at"}
"""Columns beside the key that no statement of the service may rewrite."""
MOVABLE = {"placements": {"request_id"}}
"""What of these is rewritten after all: a transfer carries a placement over to another request."""


def _grants(table: Table) -> list[str]:
    """Keys cannot be rewritten and `tx` cannot be claimed: privileges by column, where a trigger would cost."""
    fixed = IMMOVABLE & {column.name for column in table.c}
    key = {column.name for column in table.primary_key} | (fixed - MOVABLE.get(table.name, set()))

    def insertable(column: Column[Any]) -> bool:
        return column.name != "tx" and column.identity is None and column.computed is None

    inserts = ", ".join(column.name for column in table.c if insertable(column))
    updates = ", ".join(column.name for column in table.c if insertable(column) and column.name not in key)
    out = [
        f"REVOKE ALL ON {table.name} FROM {APP_ROLE}",
        f"GRANT SELECT, INSERT ({inserts}) ON {table.name} TO {APP_ROLE}",
    ]
    if table.name not in WRITTEN_ONCE:
        # PostgreSQL asks for the privilege to update before it lets a row be locked.
        out.append(f"GRANT UPDATE ({updates or next(iter(key))}) ON {table.name} TO {APP_ROLE}")
    elif (held := HELD.get(table.name)) and held.blank:
        out.append(f"GRANT UPDATE ({', '.join(held.blank)}) ON {table.name} TO {APP_ROLE}")  # an erasure alone does so
    if table.name in FORGETTABLE:
        out.append(f"GRANT DELETE ON {table.name} TO {APP_ROLE}")
    return out


def wall_sql() -> list[str]:
    """Every statement that puts the walls up, on tables that stand; repeatable."""
    out = [
        f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
        *FUNCTIONS,
    ]
    for name, (lifecycle, stream) in LIFECYCLES.items():
        out += [_event_function(name, stream), *_triggers(name, lifecycle)]
    out += [
        *_looks(),
        "DROP TRIGGER IF EXISTS events_covered ON events",
        (
            "CREATE CONSTRAINT TRIGGER events_covered AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION head_covers()"
        ),
    ]
    for table in metadata.sorted_tables:
        out += _grants(table)
    for table in tenant_tables():
        out += [
            f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY",
            f"DROP POLICY IF EXISTS tenant ON {table.name}",
            f"CREATE POLICY tenant ON {table.name} USING ({POLICY}) WITH CHECK ({POLICY})",
        ]
    return out


ROLE_SQL = (
    f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
    CREATE ROLE {APP_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$""",
    f"""
DO $$ BEGIN
  IF NOT pg_has_role(current_user, '{APP_ROLE}', 'MEMBER') THEN
    EXECUTE format('GRANT {APP_ROLE} TO %I', current_user);
  END IF;
END $$""",
)


def digest() -> str:
    """What the walls look like, to know whether they must be drawn anew."""
    return hashlib.sha256("\n".join(wall_sql()).encode()).hexdigest()
