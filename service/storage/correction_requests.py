"""Correction requests: what their rules may know, and how they are read."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Boolean, Text, Uuid, and_, bindparam, func, literal_column, or_, select

from service.domain.correction_requests import SUBJECTS, Act, CorrectionDossier, NewCorrection
from service.domain.lifecycle import KERNEL_ACTIONS
from service.storage.opening import TODAY, FactsOf, json_rows, word
from service.storage.rights import answer_rules
from service.storage.schema import LIFECYCLES, metadata
from service.storage.tables.correction_requests import correction_requests
from service.storage.tables.institutions import institutions
from service.storage.tables.record import events, stream_keys
from service.storage.tables.trainees import trainees
from service.storage.tables.training import memberships
from service.storage.tenancy import INSTITUTION, mine
from service.storage.views import View, among, before_or_on, of_person

_r, _t, _e, _m, _k = correction_requests, trainees, events, memberships, stream_keys
_TABLES = {lc.name: metadata.tables[name] for name, (lc, _) in LIFECYCLES.items() if lc.name in SUBJECTS}
_KEPT_BY_THE_HOUSE = frozenset({
    "id", "institution_id", "person_id", "stream_id", "version", "event_seq", "contested_seq", "created_at",
    "sort_name", "erased_at", "content_id", "sha256", "size", "uploaded_by",
})  # fmt: skip
_NAMED = {"identity_sealed": "identity_no"}
_BESIDE = {"trainee": ("external_ids",), "membership": ("attendance", "marks", "hours"), "document": ("file",)}
FIELDS = {
    subject: tuple(
        sorted({
            *(_NAMED.get(c.name, c.name.removesuffix("_sealed")) for c in table.c
              if c.name not in _KEPT_BY_THE_HOUSE and not c.name.endswith("_index")),
            *_BESIDE.get(subject, ()),
        })
    )
    for subject, table in _TABLES.items()
}  # fmt: skip
"""The fields of each kind of thing that a person can say are wrong."""


def _theirs() -> Any:
    """Whether the thing that is named is the person's."""
    named, which = bindparam("subject", type_=Text), bindparam("subject_id", type_=Uuid)
    own = and_(named == word("trainee"), func.coalesce(which, _t.c.id) == _t.c.id)
    others = [
        and_(named == word(name), select(t.c.id).where(mine(t), t.c.id == which, t.c.person_id == _t.c.id).exists())
        for name, t in _TABLES.items()
        if name != "trainee"
    ]
    return or_(own, *others)


def _acts() -> Any:
    """What the act that is named did to the thing, or to the class of a membership, since the request was made."""
    of_class = select(_m.c.class_id).where(mine(_m), _m.c.id == _r.c.subject_id).correlate(_r).scalar_subquery()
    return json_rows(
        select(_e.c.action, _e.c.data["fields"].label("fields"))
        .where(
            mine(_e),
            or_(_e.c.subject_id == _r.c.subject_id, _e.c.subject_id == of_class),
            _e.c.action_id == bindparam("action_id", type_=Uuid),
            _e.c.to_state.is_not(None),
            _e.c.recorded_at >= _r.c.created_at,
            _e.c.action.not_in([word(a) for a in KERNEL_ACTIONS if a != "correct"]),
        )
        .order_by(_e.c.stream_id, _e.c.seq)
    )


def _read_acts(row: dict[str, Any]) -> dict[str, Any]:
    return _read(row) | {"acts": tuple(Act(action=a["action"], fields=tuple(a["fields"] or ())) for a in row["acts"])}


def _read(row: dict[str, Any]) -> dict[str, Any]:
    rule, filed_on = row["extended_until"]["rule"], date.fromisoformat(row["extended_until"]["filed_on"])
    known = next((r for r in answer_rules() if r.key == rule), None)
    return row | {"extended_until": known and known.last_extended(filed_on)}


_known: dict[str, Any] = {
    "subject": _r.c.subject,
    "field": _r.c.field,
    "due_on": _r.c.due_on,
    "extended_until": func.json_build_object(word("rule"), _r.c.rule, word("filed_on"), _r.c.filed_on),
}
FACTS: FactsOf[CorrectionDossier] = FactsOf(_r, CorrectionDossier, _known, read=_read)
SETTLE_FACTS: FactsOf[CorrectionDossier] = FactsOf(
    _r, CorrectionDossier, {**_known, "acts": _acts()}, extra=("action_id",), read=_read_acts
)
NEW_FACTS: FactsOf[NewCorrection] = FactsOf(
    _t,
    NewCorrection,
    {
        "country": select(institutions.c.country).where(institutions.c.id == INSTITUTION).scalar_subquery(),
        "subject_known": _theirs(),
    },
    stream="id",
    birth=True,
    extra=("subject", "subject_id"),
    read=lambda row: row | {"fields": FIELDS},
)
OPEN = ("filed", "accepted")
OVERDUE = and_(_r.c.state.in_([word(s) for s in OPEN]), _r.c.due_on < TODAY)
_shown = (
    "id", "version", "state", "since_on", "person_id", "subject", "subject_id", "field", "documents", "filed_on",
    "due_on", "rule", "corrected_by", "refused_because", "said_sealed",
)  # fmt: skip
VIEW = View(
    _r,
    {**{name: _r.c[name] for name in _shown}, "overdue": OVERDUE, "wrapped": _k.c.wrapped},
    source=_r.outerjoin(_k, and_(mine(_k), _k.c.stream_id == _r.c.person_id)),
    filters={
        "state": among(_r.c.state),
        "person_id": of_person(_r.c.person_id),
        "subject": among(_r.c.subject),
        "subject_id": among(_r.c.subject_id),
        "due_until": before_or_on(_r.c.due_on),
        "overdue": (Boolean(), lambda value: value == func.coalesce(OVERDUE, literal_column("false"))),
    },
    sorts={"due_on": (_r.c.due_on, False)},
)

__all__ = ["FACTS", "FIELDS", "NEW_FACTS", "SETTLE_FACTS", "VIEW"]
