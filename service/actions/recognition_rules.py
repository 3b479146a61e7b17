"""What the moves of an equivalence rule leave behind."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from service.actions.work import Item, Subject, Work
from service.domain.equivalences import Equivalence
from service.domain.lifecycle import Given, Step
from service.domain.recognition_rules import RECOGNITION_RULE, NewRule
from service.storage import recognition_rules as stored
from service.storage.tables import recognition_rules as tables


def draft(work: Work, item: Item[NewRule], _step: Step, given: Given) -> dict[str, Any]:
    """The next edition of its key, with its sources and targets."""
    rule = work.created["recognition_rule"]
    return worded(work, rule, given, given["equivalence"], item.dossier.last_edition + 1)


def worded(work: Work, rule: UUID, given: Given, equivalence: Equivalence, edition: int) -> dict[str, Any]:
    """A rule's own columns, its sources and its targets, and what its event says."""
    stream = work.call.institution
    for place, source in enumerate(equivalence.sources):
        row = dataclasses.asdict(source)
        work.writes.row(tables.recognition_rule_sources, stream, rule_id=rule, place=place, **row)
    for place, target in enumerate(equivalence.targets):
        row = dataclasses.asdict(target)
        work.writes.row(tables.recognition_rule_targets, stream, rule_id=rule, place=place, **row)
    said = {
        "rule_key": given["rule_key"],
        "edition": edition,
        "automatic": given["automatic"],
        "valid_from": given["valid_from"],
        "valid_until": given.get("valid_until"),
        "mode": equivalence.mode,
        "person_id": given.get("person_id"),
        "promised_on": given.get("promised_on"),
    }
    return said | {
        "rationale": given["rationale"],
        "differences": list(equivalence.differences),
        "conditions": equivalence.conditions,
        "credit_policy": dataclasses.asdict(equivalence.credits) if equivalence.credits else None,
        "grade_policy": dataclasses.asdict(equivalence.grades) if equivalence.grades else None,
        "event_data": said
        | {
            "sources": [s.course_id for s in equivalence.sources],
            "targets": [t.course_id for t in equivalence.targets],
        },
    }


def end(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Results that are achieved later are not judged by it; a new edition may begin then."""
    return {"valid_until": given["valid_until"], "event_data": {"valid_until": given["valid_until"]}}


SUBJECT: Subject[Any] = Subject(
    "recognition_rules",
    RECOGNITION_RULE,
    tables.recognition_rules,
    stored.FACTS,
    births={"draft": stored.NEW_FACTS},
    effects={"draft": draft, "end": end},
)
