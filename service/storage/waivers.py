"""What was let go of requirement packs: by whom, why and when, over people, placements and packs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Date, Text, Uuid, and_, literal_column, or_, select

from service.storage.opening import word
from service.storage.requirement_items import SUBJECTS
from service.storage.tables.candidacies import candidacies
from service.storage.tables.institutions import accounts
from service.storage.tables.placements import placements, requirement_items
from service.storage.tables.record import events
from service.storage.tenancy import mine
from service.storage.views import View, among

_i, _s, _p, _c, _e = requirement_items, SUBJECTS, placements, candidacies, events.alias("waiving")


def _of_waiver(column: Any) -> Any:
    """What the event says that let it go."""
    waiving = (
        mine(_e),
        _e.c.stream_id == _i.c.stream_id,
        _e.c.subject_id == _i.c.id,
        _e.c.action.in_([word("waive"), word("let_go")]),
    )
    return select(column).where(*waiving).order_by(_e.c.seq.desc()).limit(literal_column("1")).scalar_subquery()


def _under(pin: Any) -> Any:
    """Of what a version of a pack is pinned to, or of a person or request with such a candidacy or placement."""

    def held(t: Any) -> Any:
        of = or_(t.c.person_id == _i.c.subject_id, t.c.request_id == _i.c.subject_id)
        return select(t.c.id).where(mine(t), of, pin == t.c.pins.any_()).exists()

    return or_(pin == _s.c.pins.any_(), held(_p), held(_c))


def _for(placement: Any) -> Any:
    """Of the placement itself, its person, its candidacy or its request."""
    ids = (_p.c.id, _p.c.person_id, _p.c.candidacy_id, _p.c.request_id)
    concerned = or_(*[x == _i.c.subject_id for x in ids])
    return select(_p.c.id).where(mine(_p), _p.c.id == placement, concerned).exists()


VIEW = View(
    _i,
    {name: _i.c[name] for name in ("id", "version", "subject_kind", "subject_id", "person_id", "key", "waived_because")}
    | {
        "approver_id": _i.c.waived_by,
        "approver": select(accounts.c.name).where(accounts.c.id == _i.c.waived_by).scalar_subquery(),
        "waived_on": _i.c.since_on,
        "waived_at": _of_waiver(_e.c.recorded_at),
        "evidence": _of_waiver(_e.c.evidence),
        "pins": _s.c.pins,
    },
    source=_i.join(
        _s,
        and_(_s.c.institution_id == _i.c.institution_id, _s.c.id == _i.c.subject_id, _i.c.state == word("waived")),
    ),
    filters={
        "person_id": among(_i.c.person_id),
        "placement_id": (Uuid(), _for),
        "pin": (Text(), _under),
        "subject_kind": among(_i.c.subject_kind),
        "subject_id": among(_i.c.subject_id),
        "key": among(_i.c.key),
        "approver_id": among(_i.c.waived_by),
        "waived_because": among(_i.c.waived_because),
        "waived_from": (Date(), lambda value: _i.c.since_on >= value),
        "waived_until": (Date(), lambda value: _i.c.since_on <= value),
    },
    sorts={"waived_on": (_i.c.since_on, False)},
)
"""Only what stands: a waiver that was taken back is in the events of its item."""
