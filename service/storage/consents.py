"""Consents: what their rules may know, and how they are read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Uuid, and_, bindparam, or_, select

from service.domain.consents import ConsentDossier, NewConsent
from service.storage.opening import TODAY, FactsOf, word
from service.storage.tables.institutions import relationships
from service.storage.tables.trainees import consents, trainees
from service.storage.tenancy import mine
from service.storage.views import View, among

_c, _t, _r = consents, trainees, relationships


def _asked_by(actor: Any) -> Any:
    return select(actor.c.roles).scalar_subquery()


FACTS: FactsOf[ConsentDossier] = FactsOf(
    _c,
    ConsentDossier,
    {"birth_on": _t.c.birth_on, "asked_by": _asked_by, "ends_on": _c.c.ends_on},
    source=_c.join(_t, and_(mine(_t), _t.c.id == _c.c.person_id)),
)
NEW_FACTS: FactsOf[NewConsent] = FactsOf(
    _t,
    NewConsent,
    {
        "recipient_known": select(_r.c.id)
        .where(mine(_r), _r.c.organisation_id == bindparam("recipient_id", type_=Uuid))
        .exists()
    },
    stream="id",
    birth=True,
    extra=("recipient_id",),
)
_columns: dict[str, Any] = {
    "id": _c.c.id,
    "version": _c.c.version,
    "state": _c.c.state,
    "since_on": _c.c.since_on,
    "person_id": _c.c.person_id,
    "purpose": _c.c.purpose,
    "recipient_id": _c.c.recipient_id,
    "fields": _c.c.fields,
    "notice": _c.c.notice,
    "given_on": _c.c.given_on,
    "ends_on": _c.c.ends_on,
    "in_force": and_(_c.c.state == word("given"), or_(_c.c.ends_on.is_(None), _c.c.ends_on >= TODAY)),
}
VIEW = View(
    _c,
    _columns,
    filters={
        "state": among(_c.c.state),
        "person_id": among(_c.c.person_id),
        "purpose": among(_c.c.purpose),
        "recipient_id": among(_c.c.recipient_id),
    },
)

__all__ = ["FACTS", "NEW_FACTS", "VIEW"]
