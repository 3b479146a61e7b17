"""The course catalogue over HTTP."""

from __future__ import annotations

from service.actions.courses import SUBJECT
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.courses import CourseOut
from service.storage.courses import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    CourseOut,
    policy="courses.read",
    tag="courses",
    births={"publish": Birth(extra=("owner_id", "code"), summary="Publish a course, or a new edition of one")},
    summaries={"retire": "Retire a course: no new curriculum names it"},
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
