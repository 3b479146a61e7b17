"""Steps: what is offered is what is enforced, and what was taken back leaves no trace in the rules."""

from __future__ import annotations

from datetime import timedelta

from service.domain.actors import COORDINATOR
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import TODAY, World
from tests.jobs import document


async def test_corrections_keep_to_the_days_that_are_offered(world: World) -> None:
    c = await world.client(COORDINATOR)
    made = await c.ok("/v1/relationships", ENTERPRISE_BODY)
    path = f"/v1/relationships/{made['id']}"
    for on in ("2200-01-01", "1900-01-01"):
        assert await c.refused(path, "correct", {"note": "no", "occurred_on": on}) == ["occurred_on_in_range"]


async def test_step_taken_back_can_be_recorded_for_its_own_day(world: World) -> None:
    c = await world.client(COORDINATOR)
    paper = await document(c)
    long_ago, then = str(TODAY - timedelta(days=30)), str(TODAY - timedelta(days=10))
    made = await c.ok("/v1/relationships", ENTERPRISE_BODY | {"occurred_on": long_ago})
    path = f"/v1/relationships/{made['id']}"
    until = {"valid_until": str(TODAY + timedelta(days=300)), "evidence": [paper]}
    await c.done(path, "verify", until)
    await c.done(path, "correct", {"note": "it was ten days ago"})
    assert (await c.get(path)).json()["since_on"] == long_ago
    await c.done(path, "verify", until | {"occurred_on": then})
    assert (await c.get(path)).json()["since_on"] == then
