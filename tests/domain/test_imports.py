"""Imports: applied where a row would do something, all or the good ones, and taken back while nothing stands on them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from service.domain.actors import COORDINATOR, Actor
from service.domain.imports import IMPORT, ImportDossier
from service.domain.lifecycle import Reason, Refused

TODAY = date(2026, 11, 22)
WHO = Actor(UUID(int=7), frozenset({COORDINATOR}))


def against(action: str, facts: ImportDossier) -> tuple[Reason, ...]:
    try:
        IMPORT.decide(action, facts, WHO)
    except Refused as no:
        return no.reasons
    return ()


@pytest.mark.parametrize("state", ["checked", "failed"])
@pytest.mark.parametrize(
    ("mode", "waiting", "faulty", "found"),
    [
        ("good", 1, 0, ()),
        ("good", 1, 2, ()),
        ("good", 0, 2, (Reason("something_to_apply"),)),
        ("all", 1, 0, ()),
        ("all", 1, 2, (Reason("all_rows_good", required=0, actual=2),)),
        ("all", 0, 0, (Reason("something_to_apply"),)),
    ],
)
def test_import_applies_what_would_do_something(
    state: str, mode: str, waiting: int, faulty: int, found: tuple[Reason, ...]
) -> None:
    facts = ImportDossier(state=state, today=TODAY, mode=mode, waiting=waiting, faulty=faulty)
    assert against("apply", facts) == found


@pytest.mark.parametrize("state", ["checked", "applied", "failed"])
def test_import_is_taken_back_while_nothing_was_built_on_it(state: str) -> None:
    facts = ImportDossier(state=state, today=TODAY)
    assert against("void", facts) == ()
    built = ImportDossier(state=state, today=TODAY, built_on=(3, 8))
    assert against("void", built) == (Reason("nothing_built_on_it", actual=[3, 8]),)
