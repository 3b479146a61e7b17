"""Relationships with organisations: what their rules may know, and how they are read."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Text, Uuid, bindparam, func, select

from service.domain.actors import Sight
from service.domain.relationships import NewRelationship, RelationshipDossier
from service.storage.database import Record, Statement
from service.storage.opening import ITSELF, TODAY, FactsOf, word
from service.storage.scopes import actor_of, sees
from service.storage.tables.institutions import organisations, relationships
from service.storage.tables.recognition_rules import partner_conversions
from service.storage.tenancy import mine
from service.storage.views import View, among, before_or_on, read_by

_r, _o, _v = relationships, organisations, partner_conversions
_joined = _r.join(_o, _o.c.id == _r.c.organisation_id)

FACTS: FactsOf[RelationshipDossier] = FactsOf(
    _r,
    RelationshipDossier,
    {
        "role": _r.c.role,
        "valid_until": _r.c.valid_until,
        "licence_no": _r.c.licence_no,
        "facts": _r.c.facts,
        "last_conversion": select(func.coalesce(func.max(_v.c.no), 0))
        .where(mine(_v), _v.c.relationship_id == _r.c.id)
        .scalar_subquery(),
    },
    stream="id",
)
NEW_FACTS: FactsOf[NewRelationship] = FactsOf(
    ITSELF,
    NewRelationship,
    {"organisation_known": select(_o.c.id).where(_o.c.id == bindparam("organisation_id", type_=Uuid)).exists()},
    stream="id",
    birth=True,
    extra=("organisation_id",),
)
ORGANISATION: dict[str, Any] = {
    name: _o.c[name]
    for name in (
        "id",
        "kind",
        "name_native",
        "name_latin",
        "country",
        "time_zone",
        "registration_no",
        "natural_person",
        "chinese_funded",
    )
}
VIEW = View(
    _r,
    {
        "id": _r.c.id,
        "version": _r.c.version,
        "state": _r.c.state,
        "since_on": _r.c.since_on,
        "role": _r.c.role,
        "licence_no": _r.c.licence_no,
        "valid_until": _r.c.valid_until,
        "expired": func.coalesce(_r.c.valid_until < TODAY, False),
        "facts": _r.c.facts,
        "organisation": func.json_build_object(
            *[part for name, col in ORGANISATION.items() for part in (word(name), col)]
        ),
    },
    source=_joined,
    filters={
        "state": among(_r.c.state),
        "role": among(_r.c.role),
        "organisation_id": among(_r.c.organisation_id),
        "country": among(_o.c.country),
        "valid_until": before_or_on(_r.c.valid_until),
    },
)


@lru_cache(maxsize=8)
def conversions_of(sight: Sight | None) -> Statement[Record]:
    """Every conversion of a partner that the actor sees, the newest first."""
    actor = actor_of(sight)
    rows = (
        select(
            _r.c.id.label("relationship_id"), _v.c.id, _v.c.no, _v.c.effective_from, _v.c.credit_policy,
            _v.c.grade_policy, _v.c.set_at,
        )
        .select_from(_r.outerjoin(_v, mine(_v) & (_v.c.relationship_id == _r.c.id)))
        .where(sees(_r, sight, actor), _r.c.id == bindparam("by_id", type_=Uuid))
        .order_by(_v.c.no.desc())
        .subquery("found")
    )  # fmt: skip
    return read_by(rows, actor, [rows.c.no.desc()])


FIND_ORGANISATION = Statement(
    select(*ORGANISATION.values()).where(
        _o.c.country == bindparam("country", type_=Text),
        _o.c.registration_no == bindparam("registration_no", type_=Text),
    ),
    lambda *values: dict(zip(ORGANISATION, values, strict=True)),
)
