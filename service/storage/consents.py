"""Consents: what their rules may know, and how they are read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Uuid, and_, bindparam, func, or_, select

from service.domain.candidacies import ON_CONSENT
from service.domain.consents import ConsentDossier, NewConsent
from service.storage.opening import TODAY, FactsOf, word
from service.storage.placement_requests import asked_by, read_standing, standing_json
from service.storage.tables.candidacies import candidacies
from service.storage.tables.institutions import relationships
from service.storage.tables.placement_requests import placement_requests
from service.storage.tables.trainees import consents, trainees
from service.storage.tenancy import mine
from service.storage.views import View, among, of_person

_c, _t, _r = consents, trainees, relationships


_standing, _theirs = candidacies.alias("standing"), placement_requests.alias("standing_request")
_stand_on_it = and_(
    mine(_standing), _standing.c.consent_id == _c.c.id, _standing.c.state.in_([word(s) for s in ON_CONSENT])
)
FACTS: FactsOf[ConsentDossier] = FactsOf(
    _c,
    ConsentDossier,
    {
        "birth_on": _t.c.birth_on,
        "asked_by": asked_by,
        "ends_on": _c.c.ends_on,
        "standing": standing_json(_standing, _theirs, _stand_on_it),
    },
    source=_c.join(_t, and_(mine(_t), _t.c.id == _c.c.person_id)),
    also=func.array(select(_standing.c.request_id).where(_stand_on_it).scalar_subquery()),
    read=lambda v: v | {"standing": read_standing(v["standing"])},
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
        "person_id": of_person(_c.c.person_id),
        "purpose": among(_c.c.purpose),
        "recipient_id": among(_c.c.recipient_id),
    },
)

__all__ = ["FACTS", "NEW_FACTS", "VIEW"]
