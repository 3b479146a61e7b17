"""Assignments: what their rules may know, how they are read, and whether a person is in the actor's care."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Uuid, and_, bindparam, func, literal_column, or_, select
from sqlalchemy.sql.elements import ColumnElement

from service.domain.assignments import AssignmentDossier, NewAssignment
from service.storage.opening import TODAY, FactsOf, word
from service.storage.tables.assignments import assignments
from service.storage.tables.institutions import appointments
from service.storage.tables.trainees import trainees
from service.storage.tenancy import mine
from service.storage.views import View, among, of_person

_a, _w = assignments, appointments


def _coordinator(named: str) -> ColumnElement[bool]:
    return (
        select(_w.c.id)
        .where(
            mine(_w),
            _w.c.account_id == bindparam(named, type_=Uuid),
            _w.c.state == word("held"),
            word("coordinator") == func.any(_w.c.roles),
        )
        .exists()
    )


def _facts(named: str) -> FactsOf[AssignmentDossier]:
    known = {"coordinator_id": _a.c.coordinator_id, "deputy_id": _a.c.deputy_id}
    return FactsOf(_a, AssignmentDossier, known | {"named_coordinator": _coordinator(named)}, extra=(named,))


FACTS: FactsOf[AssignmentDossier] = FactsOf(
    _a, AssignmentDossier, {"coordinator_id": _a.c.coordinator_id, "deputy_id": _a.c.deputy_id}
)
HAND_OVER_FACTS = _facts("coordinator_id")
DEPUTY_FACTS = _facts("deputy_id")
NEW_FACTS: FactsOf[NewAssignment] = FactsOf(
    trainees,
    NewAssignment,
    {
        "assigned": select(_a.c.id)
        .where(mine(_a), _a.c.person_id == trainees.c.id, _a.c.state == word("assigned"))
        .exists(),
        "named_coordinator": _coordinator("coordinator_id"),
    },
    stream="id",
    birth=True,
    extra=("coordinator_id",),
)


def cares(a: Any, account: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether an account takes care by an assignment today, for itself or as the deputy."""
    deputy = and_(a.c.deputy_id == account, a.c.deputy_from_on <= TODAY, a.c.deputy_until_on >= TODAY)
    return and_(mine(a), a.c.state == word("assigned"), or_(a.c.coordinator_id == account, deputy))


def in_my_care(person: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a person is in the care of whoever asks, in a statement that knows them as `actor`."""
    a = assignments.alias("my_assignment")
    me: ColumnElement[Any] = literal_column("(SELECT actor.account_id FROM actor)", Uuid)
    return person.in_(select(a.c.person_id).where(cares(a, me)))


VIEW = View(
    _a,
    {
        name: _a.c[name]
        for name in (
            "id", "version", "state", "since_on", "person_id", "coordinator_id", "deputy_id", "deputy_from_on",
            "deputy_until_on",
        )
    },
    filters={
        "state": among(_a.c.state),
        "person_id": of_person(_a.c.person_id),
        "coordinator_id": among(_a.c.coordinator_id),
        "deputy_id": among(_a.c.deputy_id),
        "mine": (Boolean(), lambda value: value == in_my_care(_a.c.person_id)),
    },
)  # fmt: skip
