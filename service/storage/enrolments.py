"""Enrolments: what their rules may know (credits by the ledger among it), and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import array

from service.domain.actors import Sight
from service.domain.enrolments import LIVE, EnrolmentDossier
from service.domain.levels import Days
from service.domain.requirements import RequirementFacts, choose_study
from service.domain.stages import StageAsked, StageCourse, StageStanding, standing
from service.storage.aliases import theirs
from service.storage.applications import held_by, identity_of, read_held
from service.storage.database import Record, Statement
from service.storage.language_tests import language_tests
from service.storage.obligations import OWN_ZONE, read_duties, standing_of
from service.storage.opening import TODAY, FactsOf, json_rows, word
from service.storage.pack_library import ADOPTED, learn_of, library_of
from service.storage.programmes import proofs
from service.storage.requirements import evidence_of, json_object, read_evidence
from service.storage.scopes import actor_of, sees
from service.storage.tables.courses import courses
from service.storage.tables.enrolments import enrolment_waivers, enrolments
from service.storage.tables.institutions import institutions
from service.storage.tables.intakes import intake_quotas, intakes
from service.storage.tables.programmes import curricula, curriculum_courses, programmes
from service.storage.tables.recognition import ledger, results
from service.storage.tables.record import heads
from service.storage.tables.trainees import trainees
from service.storage.tenancy import INSTITUTION, mine
from service.storage.views import View, among, of_person, read_by

_e, _i, _p, _q, _w = enrolments, intakes, programmes, intake_quotas, enrolment_waivers
_t = trainees
_v, _vc, _l, _r, _h = curricula, curriculum_courses, ledger, results, heads

_latest = (
    select(_v.c.id)
    .where(mine(_v), _v.c.programme_id == _e.c.programme_id)
    .order_by(_v.c.no.desc())
    .limit(literal_column("1"))
    .correlate(_e)
    .scalar_subquery()
)
_of_stage = (mine(_vc), _vc.c.curriculum_id == func.coalesce(_e.c.curriculum_id, _latest), _vc.c.stage == _e.c.stage)
_by_ledger = (
    select(func.coalesce(func.sum(_l.c.credits * _l.c.sign), literal_column("0")))
    .where(mine(_l), theirs(_l.c.person_id, _e.c.person_id), _l.c.course_id == _vc.c.course_id)
    .correlate(_e, _vc)
    .scalar_subquery()
)
_by_result = (
    select(func.coalesce(func.max(_r.c.credits), literal_column("0")))
    .where(
        mine(_r),
        theirs(_r.c.person_id, _e.c.person_id),
        _r.c.course_id == _vc.c.course_id,
        _r.c.source == word("home"),
        _r.c.state == word("verified"),
        _r.c.passed.is_(True),
    )
    .correlate(_e, _vc)
    .scalar_subquery()
)
_earned = func.greatest(_by_ledger, _by_result)
"""What a course of the curriculum has brought: recognised by the ledger or passed at home, never both."""
_in_force = (mine(_w), _w.c.enrolment_id == _e.c.id, _w.c.revoked.is_(False))
_waived = select(_w.c.id).where(*_in_force, _vc.c.course_id == func.any(_w.c.course_ids)).correlate(_e, _vc).exists()


def _read(row: dict[str, Any]) -> dict[str, Any]:
    stages: list[Mapping[str, Any]] = row["stages"]
    present = next((s for s in stages if s["no"] == row["stage"]), None)
    return row | {
        "stages": len(stages),
        "credits_required": Decimal(present["credits_required"]) if present else Decimal(0),
        "stage_languages": proofs(present["languages"]) if present else (),
        "required_open": tuple(UUID(str(i)) for i in row["required_open"] or ()),
        "languages": proofs(row["languages"]),
        "certificates_wanted": tuple(row["certificates_wanted"]),
        "certificates": read_held(row["certificates"]),
        "book": language_tests(),
        "taken": row["taken"] or 0,
        "duties": read_duties(row["duties"]),
        **_asked(row),
    }


def _asked(row: dict[str, Any]) -> dict[str, Any]:
    """What the packs for studies ask of the person, and what is known for it."""
    student, library = row.pop("student"), library_of(row.pop("adopted"))
    starts_on = date.fromisoformat(student["starts_on"])
    facts = RequirementFacts(
        nationality=student["nationality"],
        destination=student["country"],
        birth_on=date.fromisoformat(student["birth_on"]) if student["birth_on"] else date.min,  # erased
        entry_purpose="study",
        starts_on=starts_on,
        evidence=read_evidence(student["evidence"]),
    )
    packs = choose_study(library, nationality=student["nationality"], destination=student["country"], on=starts_on)
    return {
        "asked": tuple(r for p in packs for r in p.requirements),
        "requirements": facts,
        "study_duties": tuple((p.pin, o) for p in packs for o in p.obligations),
    }


_course = courses
_of_curriculum = (mine(_vc), _vc.c.curriculum_id == func.coalesce(_e.c.curriculum_id, _latest))


@lru_cache(maxsize=8)
def stages_of(sight: Sight | None) -> Statement[Record]:
    """All that tells how far somebody is in each stage: what it asks for, courses, waivers, certificates."""
    actor = actor_of(sight)
    listed = json_rows(
        select(
            _vc.c.course_id,
            _course.c.code,
            _vc.c.stage,
            _vc.c.required,
            cast(_course.c.credits, Text).label("credits"),
            cast(_by_result, Text).label("by_result"),
            cast(_by_ledger, Text).label("by_ledger"),
            _waived.label("waived"),
        )
        .select_from(_vc.join(_course, and_(mine(_course), _course.c.id == _vc.c.course_id)))
        .where(*_of_curriculum)
        .order_by(_vc.c.stage, _course.c.code)
    )
    waivers = json_rows(select(_w.c.stage, cast(_w.c.credits, Text).label("credits")).where(*_in_force))
    rows = (
        select(
            _e.c.id,
            _e.c.stage,
            _p.c.stages,
            listed.label("courses"),
            waivers.label("waivers"),
            held_by(_e.c.person_id).label("held"),
            TODAY.label("today"),
        )
        .select_from(_e.join(_p, and_(mine(_p), _p.c.id == _e.c.programme_id)))
        .where(
            sees(_e, sight, actor),
            _e.c.id == bindparam("by_id", type_=Uuid),
            select(actor.c.account_id).scalar_subquery().is_not(None),
        )
        .subquery("found")
    )
    return read_by(rows, actor)


def read_stages(row: Mapping[str, Any]) -> list[StageStanding]:
    """The same as it stands."""
    waived: dict[int, Decimal] = {}
    for w in row["waivers"]:
        waived[w["stage"]] = waived.get(w["stage"], Decimal(0)) + Decimal(w["credits"])
    asked = [
        StageAsked(
            no=s["no"],
            place=s["place"],
            title=s["title"],
            credits=Decimal(s["credits_required"]),
            languages=proofs(s["languages"]),
            waived=waived.get(s["no"], Decimal(0)),
        )
        for s in row["stages"]
    ]
    numbers = ("credits", "by_result", "by_ledger")
    known = [
        StageCourse(**{**c, "course_id": UUID(c["course_id"])} | {n: Decimal(c[n]) for n in numbers})
        for c in row["courses"]
    ]
    return standing(
        asked, known, read_held(row["held"]), row["stage"], Days(row["today"], row["today"], language_tests())
    )


_other = enrolments.alias("other")
FACTS: FactsOf[EnrolmentDossier] = FactsOf(
    _e,
    EnrolmentDossier,
    {
        "intake_id": _e.c.intake_id,
        "intake_state": _i.c.state,
        "source": _e.c.source,
        "holds_place": _e.c.holds_place,
        "places": _q.c.places,
        "taken": _q.c.taken,
        "identity_verified": identity_of(_e.c.person_id, "accepted"),
        "stage": _e.c.stage,
        "stages": _p.c.stages,
        "stage_languages": _p.c.stages,
        "curriculum_id": func.coalesce(_e.c.curriculum_id, _latest),
        "credits_earned": select(func.coalesce(func.sum(_earned), literal_column("0")))
        .select_from(_vc)
        .where(*_of_stage)
        .correlate(_e)
        .scalar_subquery(),
        "credits_waived": select(func.coalesce(func.sum(_w.c.credits), literal_column("0")))
        .where(*_in_force, _w.c.stage == _e.c.stage)
        .scalar_subquery(),
        "required_open": select(func.array_agg(_vc.c.course_id))
        .where(*_of_stage, _vc.c.required.is_(True), _earned == literal_column("0"), ~_waived)
        .correlate(_e)
        .scalar_subquery(),
        "languages": _p.c.languages,
        "certificates_wanted": _p.c.certificates,
        "certificates": held_by(_e.c.person_id),
        "other_live": select(_other.c.id)
        .where(
            mine(_other),
            _other.c.person_id == _e.c.person_id,
            _other.c.intake_id == _e.c.intake_id,
            _other.c.id != _e.c.id,
            _other.c.state.in_([word(s) for s in LIVE]),
        )
        .exists(),
        "last_waiver": select(_w.c.id)
        .where(*_in_force)
        .order_by(_w.c.id.desc())
        .limit(literal_column("1"))
        .scalar_subquery(),
        "leave_from": _e.c.leave_from,
        "entered_on": _e.c.entered_on,
        "student": json_object(
            {
                "nationality": _t.c.nationality,
                "birth_on": _t.c.birth_on,
                "country": select(institutions.c.country).where(institutions.c.id == INSTITUTION).scalar_subquery(),
                "starts_on": _i.c.starts_on,
                "evidence": evidence_of(_e.c.person_id),
            }
        ),
        "duties": standing_of(_e.c.id),
        "zone": OWN_ZONE,
        "adopted": ADOPTED,
    },
    source=_e.join(_t, and_(mine(_t), _t.c.id == _e.c.person_id))
    .join(_i, and_(mine(_i), _i.c.id == _e.c.intake_id))
    .join(_p, and_(mine(_p), _p.c.id == _e.c.programme_id))
    .outerjoin(_q, and_(mine(_q), _q.c.intake_id == _e.c.intake_id, _q.c.source == _e.c.source)),
    also=array([_e.c.intake_id]),
    read=_read,
    learn=learn_of,
)
VIEW = View(
    _e,
    {
        name: _e.c[name]
        for name in (
            "id",
            "version",
            "state",
            "since_on",
            "person_id",
            "application_id",
            "intake_id",
            "programme_id",
            "curriculum_id",
            "source",
            "holds_place",
            "stage",
            "fee",
            "leave_from",
            "leave_until",
            "entered_on",
            "reason_code",
        )
    }
    | {"abroad": _h.c.stage == word("abroad")},
    source=_e.join(_h, and_(mine(_h), _h.c.stream_id == _e.c.person_id)),
    filters={
        "state": among(_e.c.state),
        "person_id": of_person(_e.c.person_id),
        "intake_id": among(_e.c.intake_id),
        "programme_id": among(_e.c.programme_id),
        "application_id": among(_e.c.application_id),
        "stage": among(_e.c.stage),
    },
)

__all__ = ["FACTS", "VIEW", "read_stages", "stages_of"]
