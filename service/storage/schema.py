"""Every table, imported in one place: what migrations, walls and the tests over the catalogue look at."""

from service.storage.tables import (
    applications,
    candidacies,
    certificates,
    courses,
    enrolments,
    imports,
    institutions,
    intakes,
    obligations,
    placement_requests,
    placements,
    programmes,
    recognition,
    record,
    targets,
    trainees,
    training,
)
from service.storage.tables.columns import LIFECYCLES, metadata

__all__ = [
    "LIFECYCLES",
    "applications",
    "candidacies",
    "certificates",
    "courses",
    "enrolments",
    "imports",
    "institutions",
    "intakes",
    "metadata",
    "obligations",
    "placement_requests",
    "placements",
    "programmes",
    "recognition",
    "record",
    "targets",
    "trainees",
    "training",
]
