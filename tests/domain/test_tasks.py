"""What waits for whom agrees with the lifecycles: the action is there in the state, and is that role's own."""

from __future__ import annotations

import pytest

from service.api.messages import catalogue
from service.domain.tasks import TASKS, WAITS, Waits
from service.storage.schema import LIFECYCLES
from service.storage.tasks import _BRANCHES

TABLES = {lifecycle.name: lifecycle for lifecycle, _ in LIFECYCLES.values()}


@pytest.mark.parametrize("waits", WAITS, ids=lambda w: w.task)
def test_task_is_a_step_of_its_role(waits: Waits) -> None:
    rules = TABLES[waits.subject].by_action[waits.action]
    assert [s for s in waits.states if not any(s in r.sources for r in rules)] == []
    taken = [r for r in rules if set(r.sources) & set(waits.states)]
    assert [r for r in taken if not set(waits.who) <= set(r.who)] == []


def test_tasks_are_named_once_and_in_both_languages() -> None:
    assert len(set(TASKS)) == len(TASKS) < 256  # a cursor keeps the place in one byte
    assert set(_BRANCHES) <= set(TASKS)
    for language in ("en", "zh"):
        assert [t for t in TASKS if f"task.{t}" not in catalogue(language)] == []
