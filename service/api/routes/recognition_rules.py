"""Equivalence rules over HTTP."""

from __future__ import annotations

from typing import Any

from service.actions.recognition_rules import SUBJECT
from service.api.operations import Asked, Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.recognition_rules import RecognitionRuleOut
from service.storage.recognition_rules import VIEW


def _prepare(_asked: Asked, given: dict[str, Any]) -> dict[str, Any]:
    """The courses that an equivalence names: the facts of a draft look them up."""
    if (named := given.get("equivalence")) is None:
        return given
    return given | {"course_ids": [part.course_id for part in (*named.sources, *named.targets)]}


RESOURCE = Resource(
    SUBJECT,
    VIEW,
    RecognitionRuleOut,
    policy="recognition_rules.read",
    tag="recognition",
    births={"draft": Birth(summary="Draft an edition of an equivalence rule")},
    summaries={
        "activate": "Put a rule in force for its days",
        "end": "Set the last day of a rule",
        "retire": "Take a rule out of use",
    },
    prepare=_prepare,
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
