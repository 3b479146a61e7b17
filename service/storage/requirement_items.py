"""Requirement items: for what they are handed in, what their rules may know, and how they are read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Text, Uuid, and_, case, cast, func, null, select, union_all

from service.domain.requirement_items import NewRequirementItem, RequirementItemDossier, rows_of
from service.domain.requirements import Pack
from service.storage.opening import FactsOf, word
from service.storage.pack_library import ADOPTED, learn_of, library_of
from service.storage.requirements import packs_of
from service.storage.tables.candidacies import candidacies
from service.storage.tables.placement_requests import placement_requests
from service.storage.tables.placements import placements, requirement_items
from service.storage.tables.trainees import trainees
from service.storage.tenancy import mine
from service.storage.views import View, among, before_or_on, of_person

_i, _t, _p, _c, _r = requirement_items, trainees, placements, candidacies, placement_requests


def _subject(table: Any, kind: str, **columns: Any) -> Any:
    """One kind of thing for which items are handed in."""
    nothing = cast(null(), Uuid)
    return select(
        table.c.institution_id,
        table.c.id,
        columns.get("stream", table.c.id).label("stream_id"),
        word(kind).label("kind"),
        columns.get("person", nothing).label("person_id"),
        columns.get("employer", nothing).label("employer_id"),
        columns.get("agency", nothing).label("agency_id"),
        columns.get("pins", cast(null(), ARRAY(Text))).label("pins"),
        columns.get("pathway", cast(null(), Text)).label("pathway"),
    ).where(mine(table))


SUBJECTS: Any = union_all(
    _subject(_t, "person", person=_t.c.id),
    _subject(
        _p,
        "placement",
        stream=_p.c.person_id,
        person=_p.c.person_id,
        employer=_p.c.employer_id,
        agency=_p.c.agency_id,
        pins=_p.c.pins,
    ),
    _subject(_c, "candidacy", stream=_c.c.person_id, person=_c.c.person_id, pins=_c.c.pins),
    _subject(_r, "placement_request", employer=_r.c.organisation_id, agency=_r.c.agency_id, pathway=_r.c.pathway),
).subquery("requirement_subjects")
"""Everything for which a pack may ask for something, as one relation."""
_s = SUBJECTS


def _roles(actor: Any) -> Any:
    return select(actor.c.roles).scalar_subquery()


def _account(actor: Any) -> Any:
    return select(actor.c.account_id).scalar_subquery()


def _packs(pins: list[str] | None, pathway: str | None, library: tuple[Pack, ...]) -> tuple[Pack, ...]:
    """The packs that may ask: the pinned ones; for a request its pathway's and what is added to it; else all."""
    if pins:
        pinned = packs_of(pins, library)
        return pinned.all if pinned else ()
    return tuple(p for p in library if pathway is None or p.kind != "pathway" or p.pathway == pathway)


def _new(v: dict[str, Any]) -> dict[str, Any]:
    return {
        "subject_kind": v["kind"],
        "subject_id": v["subject_id"],
        "person_id": v["person_id"],
        "packs": _packs(v["pins"], v["pathway"], library_of(v["adopted"])),
        "roles": frozenset(v["roles"] or ()),
        "taken": frozenset(v["taken"] or ()),
    }


def _known(v: dict[str, Any]) -> dict[str, Any]:
    return {
        "subject_kind": v["kind"],
        "key": v["key"],
        "rows": rows_of(_packs(v["pins"], v["pathway"], library_of(v["adopted"])), v["kind"], v["key"]),
        "roles": frozenset(v["roles"] or ()),
        "account": v["account"],
        "supplied_by": v["supplied_by"],
    }


NEW_FACTS: FactsOf[NewRequirementItem] = FactsOf(
    _s,
    NewRequirementItem,
    {
        "kind": _s.c.kind,
        "subject_id": _s.c.id,
        "person_id": _s.c.person_id,
        "pins": _s.c.pins,
        "pathway": _s.c.pathway,
        "roles": _roles,
        "adopted": ADOPTED,
        "taken": select(func.array_agg(_i.c.key))
        .where(mine(_i), _i.c.subject_id == _s.c.id, _i.c.state != word("voided"))
        .scalar_subquery(),
    },
    stream="stream_id",
    birth=True,
    read=_new,
    learn=learn_of,
)
FACTS: FactsOf[RequirementItemDossier] = FactsOf(
    _i,
    RequirementItemDossier,
    {
        "kind": _i.c.subject_kind,
        "key": _i.c.key,
        "pins": _s.c.pins,
        "pathway": _s.c.pathway,
        "roles": _roles,
        "adopted": ADOPTED,
        "account": _account,
        "supplied_by": _i.c.supplied_by,
    },
    source=_i.join(_s, and_(_s.c.institution_id == _i.c.institution_id, _s.c.id == _i.c.subject_id)),
    stream="stream_id",
    read=_known,
    learn=learn_of,
)


def _waived(column: Any) -> Any:
    """Said only as long as the waiver stands: a correction takes it back."""
    return case((_i.c.state == word("waived"), column))


VIEW = View(
    _i,
    {
        "id": _i.c.id,
        "version": _i.c.version,
        "state": _i.c.state,
        "since_on": _i.c.since_on,
        "subject_kind": _i.c.subject_kind,
        "subject_id": _i.c.subject_id,
        "person_id": _i.c.person_id,
        "key": _i.c.key,
        "issued_on": _i.c.issued_on,
        "valid_from": _i.c.valid_from,
        "valid_until": _i.c.valid_until,
        "documents": _i.c.documents,
        "value": _i.c.value,
        "waived_by": _waived(_i.c.waived_by),
        "waived_because": _waived(_i.c.waived_because),
    },
    seen=lambda _: {"fields": case((_i.c.person_id.is_not(None), word("documents")))},
    filters={
        "state": among(_i.c.state),
        "subject_kind": among(_i.c.subject_kind),
        "subject_id": among(_i.c.subject_id),
        "person_id": of_person(_i.c.person_id),
        "key": among(_i.c.key),
        "valid_until": before_or_on(_i.c.valid_until),
    },
)
