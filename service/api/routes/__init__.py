"""Routes: parse, call, return. Every capability's routes, in the order of the document."""

from service.api.operations import Operations
from service.api.routes import (
    accounts,
    applications,
    assignments,
    candidacies,
    certificates,
    consents,
    conversions,
    costs,
    courses,
    documents,
    enrolments,
    imports,
    institutions,
    intakes,
    language_tests,
    obligations,
    overview,
    placement_requests,
    placements,
    programmes,
    public,
    recognition,
    relationships,
    requirement_items,
    results,
    tasks,
    trainees,
    training,
)

CAPABILITIES = (
    public,
    accounts,
    institutions,
    relationships,
    trainees,
    documents,
    consents,
    courses,
    programmes,
    intakes,
    applications,
    enrolments,
    training,
    language_tests,
    certificates,
    results,
    conversions,
    recognition,
    placement_requests,
    candidacies,
    placements,
    requirement_items,
    costs,
    obligations,
    assignments,
    tasks,
    overview,
    imports,
)


def routers() -> list[Operations]:
    """Every router."""
    return [router for capability in CAPABILITIES for router in capability.routes()]
