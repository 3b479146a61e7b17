"""Every column that leads to a person is classified: it goes when they are erased, or there is a reason why not."""

from __future__ import annotations

from sqlalchemy import Table

from service.storage.schema import metadata
from service.storage.tables.personal import COMMON, ERASED_IN, HELD, NOT_OF_A_PERSON

NAMES_A_PERSON = {"person_id", "person_ids", "guardian_id"}


def leads_to_a_person() -> set[str]:
    """Tables that name a person, or refer to a table that does."""
    found = {t.name for t in metadata.sorted_tables if NAMES_A_PERSON & set(t.c.keys())} | {"trainees"}
    while more := {t.name for t in metadata.sorted_tables if t.name not in found and _refers(t, found)}:
        found |= more
    return found


def _refers(table: Table, found: set[str]) -> bool:
    return any(key.column.table.name in found for key in table.foreign_keys)


def test_every_table_is_said_to_lead_to_a_person_or_not() -> None:
    tables = set(metadata.tables)
    assert HELD.keys() | NOT_OF_A_PERSON == tables
    assert HELD.keys() & NOT_OF_A_PERSON == set()
    # A credential refers to an appointment, whose person it does not name; its own columns are digests and days.
    assert leads_to_a_person() - HELD.keys() == {"credentials"}


def test_every_column_of_a_person_goes_or_has_a_reason_to_stay() -> None:
    for name, held in HELD.items():
        columns = set(metadata.tables[name].c.keys())
        kept = [c for listed in held.kept.values() for c in listed.split()]
        said = [*held.blank, *held.sealed, *kept]
        assert sorted(said) == sorted(set(said)), f"{name} says twice what becomes of a column"
        assert columns - set(said) - COMMON == set(), f"{name}: what becomes of these when somebody is erased?"
        assert set(said) <= columns, f"{name} has no such columns"
        assert all(reason for reason in held.kept)


def test_what_is_sealed_or_free_text_never_stays() -> None:
    """A sealed column is blanked, or goes with the key; a blind index is blanked, for it could be tried."""
    for name, held in HELD.items():
        for column in map(str, metadata.tables[name].c.keys()):
            if column.endswith(("_sealed", "_index")) or column in ("sealed", "email", "phone"):
                assert held.forget or column in (*held.blank, *held.sealed), (name, column)
    assert "stream_keys" in ERASED_IN
