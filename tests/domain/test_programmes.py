"""Programmes: stages in order and within bounds, curricula of the catalogue, and what a regulation may say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import COORDINATOR, REGISTRAR, Actor
from service.domain.lifecycle import Dossier, Refused
from service.domain.programmes import PROGRAMME, ProgrammeDossier
from service.domain.regulations import CategoryCap

TODAY = date(2026, 11, 22)
MATHS, WELDING, STRANGE = (UUID(int=n) for n in (1, 2, 3))
D = Decimal


def programme(state: str = "draft", **more: Any) -> ProgrammeDossier:
    usual: dict[str, Any] = {"stages": 2, "courses": frozenset({MATHS, WELDING})}
    return ProgrammeDossier(state=state, today=TODAY, **(usual | more))


def against(action: str, facts: Dossier, **given: Any) -> list[tuple[str, str | None]]:
    """The reasons against an action, each with its pointer."""
    try:
        PROGRAMME.decide(action, facts, Actor(UUID(int=7), frozenset({COORDINATOR, REGISTRAR})), given)
    except Refused as no:
        return [(r.code, r.pointer) for r in no.reasons]
    return []


@pytest.mark.parametrize(
    ("caps", "granted"),
    [
        ((), True),
        ((("theory", "0"),), True),
        ((("theory", "5"), ("practice", "0.5"), ("placement", "1")), True),
        ((("theory", "-0.1"),), False),
        ((("theory", "5"), ("practice", "-1")), False),
        ((("theory", "5"), ("theory", "6")), False),
    ],
)
def test_regulation_caps_each_kind_of_course_once(caps: tuple[tuple[Any, str], ...], *, granted: bool) -> None:
    said = {"effective_from": TODAY, "credits_per_kind": tuple(CategoryCap(kind=k, credits=D(c)) for k, c in caps)}
    found = against("set_regulation", programme(), **said)
    assert found == ([] if granted else [("caps_of_kinds", "/credits_per_kind")])
