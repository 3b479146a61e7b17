"""Records of one person that are read as one: whoever asks for one of them is shown what is in all."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Uuid, cast, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from service.storage.tables.aliases import aliases
from service.storage.tenancy import mine


def _others(person: Any, *, of_survivor: bool) -> ColumnElement[Any]:
    a = aliases.alias("same_person")
    leads = [a.c.person_is == literal_column("'survivor'")] if of_survivor else []
    return func.array(
        select(a.c.same_id).where(mine(a), a.c.person_id == person, *leads).correlate_except(a).scalar_subquery()
    )


def theirs(column: Any, person: Any, *, of_survivor: bool = False) -> ColumnElement[bool]:
    """Whether a column names the person, by this record of theirs or by another that is joined with it.

    `of_survivor`: what was joined counts for the survivor alone.
    """
    everyone = func.array_append(_others(person, of_survivor=of_survivor), person)
    found: ColumnElement[bool] = column == func.any(cast(everyone, ARRAY(Uuid)))
    return found


def same_as(person: Any) -> ColumnElement[Any]:
    """The other records of the person, as an array of ids."""
    return _others(person, of_survivor=False)


def joined_to(person: Any) -> ColumnElement[Any]:
    """The records that were joined to this one, as an array of ids."""
    return _others(person, of_survivor=True)


def survivor_of(person: Any) -> ColumnElement[Any]:
    """The record to which this one was joined, or null."""
    a = aliases.alias("joined_to")
    joined = a.c.person_is == literal_column("'joined'")
    return select(a.c.same_id).where(mine(a), a.c.person_id == person, joined).correlate_except(a).scalar_subquery()


def seq_of_join(person: Any) -> ColumnElement[Any]:
    """The number of the survivor's event that tells that this record was joined to it, or null."""
    a = aliases.alias("since_joined")
    joined = a.c.person_is == literal_column("'joined'")
    return select(a.c.seq).where(mine(a), a.c.person_id == person, joined).correlate_except(a).scalar_subquery()
