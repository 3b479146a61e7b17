"""Results: what their rules may know, and how they are read."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, select

from service.domain.results import NewResult, ResultDossier
from service.storage.opening import FactsOf, word
from service.storage.tables.courses import courses
from service.storage.tables.institutions import organisations
from service.storage.tables.recognition import results
from service.storage.tables.trainees import trainees
from service.storage.tenancy import mine
from service.storage.views import View, among, before_or_on, from_on, of_person

_r, _o = results, organisations

FACTS: FactsOf[ResultDossier] = FactsOf(_r, ResultDossier, {"claimed_percent": _r.c.claimed_percent})
NEW_FACTS: FactsOf[NewResult] = FactsOf(
    trainees,
    NewResult,
    {
        "owner_known": select(_o.c.id).where(_o.c.id == bindparam("owner_id", type_=Uuid)).exists(),
        "course_known": select(courses.c.id)
        .where(mine(courses), courses.c.id == bindparam("course_id", type_=Uuid), courses.c.state != word("voided"))
        .exists(),
    },
    stream="id",
    birth=True,
    extra=("owner_id", "course_id"),
)
VIEW = View(
    _r,
    {
        name: _r.c[name]
        for name in (
            "id",
            "version",
            "state",
            "since_on",
            "person_id",
            "source",
            "course_id",
            "course_code",
            "course_title",
            "owner",
            "owner_id",
            "credits",
            "scheme",
            "grade",
            "passed",
            "achieved_on",
            "claimed_percent",
        )
    },
    filters={
        "state": among(_r.c.state),
        "person_id": of_person(_r.c.person_id),
        "source": among(_r.c.source),
        "passed": among(_r.c.passed),
        "achieved_from": from_on(_r.c.achieved_on),
        "achieved_until": before_or_on(_r.c.achieved_on),
    },
)
