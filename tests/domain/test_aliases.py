"""Joining two records of one person, as decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR, Actor
from service.domain.lifecycle import Refused
from service.domain.retention import Had
from service.domain.trainees import TRAINEE_RECORD, TraineeDossier

TODAY = date(2026, 6, 1)
THIS, THAT = UUID(int=1), UUID(int=2)
ALONE = TraineeDossier(state="known", today=TODAY, birth_on=None, own_id=THIS, survivor_id=THAT, survivor_state="known")
JOIN: dict[str, Any] = {"survivor_id": THAT, "reason_code": "same_passport"}


def against(facts: TraineeDossier, action: str = "join", **given: Any) -> list[tuple[Any, ...]]:
    try:
        TRAINEE_RECORD.decide(action, facts, Actor(UUID(int=7), frozenset({COORDINATOR, ADMIN})), given)
    except Refused as no:
        return [(r.code, r.required, r.actual) for r in no.reasons]
    return []


def test_record_is_joined_to_another_that_is_open() -> None:
    assert against(ALONE, **JOIN) == []
    assert against(ALONE, **(JOIN | {"survivor_id": THIS})) == [("another_record", None, None)]
    assert against(replace(ALONE, survivor_state=None), **JOIN) == [("survivor_known", None, None)]
    for state in ("joined", "erased", "voided"):
        assert against(replace(ALONE, survivor_state=state), **JOIN) == [("survivor_open", "known", state)]
    assert [r[0] for r in against(replace(ALONE, state="joined"), **JOIN)] == ["not_from_this_state"]


def test_record_with_something_live_or_joined_to_it_is_not_joined() -> None:
    living = (
        Had("placement", "active", TODAY),
        Had("candidacy", "offered", TODAY),
        Had("enrolment", "completed", TODAY),
    )
    assert against(replace(ALONE, things=living), **JOIN) == [("nothing_live", None, ["candidacy", "placement"])]
    leading = replace(ALONE, joined=(UUID(int=3),))
    assert against(leading, **JOIN) == [("not_joined", 0, 1)]
    assert against(replace(leading, erasure_asked_on=TODAY), "erase") == [("not_joined", 0, 1)]


def test_records_are_taken_apart_while_nothing_was_done_since() -> None:
    joined = replace(ALONE, state="joined")
    assert against(joined, "separate", reason_code="mistake") == []
    assert against(replace(joined, used_since=True), "separate", reason_code="mistake") == [
        ("not_used_since", None, None)
    ]
    assert against(replace(joined, used_since=True, survivor_to_go=True), "separate", reason_code="mistake") == []
    assert [r[0] for r in against(ALONE, "separate", reason_code="mistake")] == ["not_from_this_state"]
