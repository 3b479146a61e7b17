"""Placements: what an employer and an agency see of a person whose placement is theirs."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.actors import AGENCY, ENTERPRISE
from tests.conftest import World
from tests.jobs import Jobs
from tests.placed import Stage

MASKED = {"masked": True, "reason": "consent"}


@pytest.mark.parametrize("role", [ENTERPRISE, AGENCY])
async def test_papers_of_a_person_are_not_read_off_a_placement(house: Stage, role: Any) -> None:
    path = await house.placement()
    client = await house.party(role)
    rows = (await client.get(path + "/checklist")).json()["items"]
    assert [r["key"] for r in rows if r["subject"] == "person"] == []
    assert rows
    offers = (await client.get(path + "/actions")).json()["actions"]
    papers = [r for o in offers for r in o["reasons"] if str(r.get("pointer", "")).startswith("requirement/")]
    assert [r for r in papers if "actual" in r] == []
    assert {tuple(r["code"] for r in o["reasons"]) for o in offers if "role" in {r["code"] for r in o["reasons"]}} == {
        ("role",)
    }


async def test_name_is_shown_on_a_placement_as_far_as_the_consent_goes(world: World) -> None:
    jobs = await Jobs.of(world)
    (person,) = await jobs.people(1)
    (candidacy,) = await jobs.up_to("offered", await jobs.open(), [person])
    trainee, path = await jobs.trainee(person), f"/v1/candidacies/{candidacy}"
    made = await trainee.done(path, "accept")
    placement = f"/v1/placements/{made['created']['placement']}"
    assert (await jobs.clerk.get(placement)).json()["name_latin"] == "SOMCHAI, N0"
    consent = (await trainee.get(path)).json()["consent_id"]
    await trainee.done(f"/v1/consents/{consent}", "withdraw")
    assert (await jobs.clerk.get(path)).status_code == 404
    seen = (await jobs.clerk.get(placement)).json()
    assert (seen["name_native"], seen["name_latin"]) == (MASKED, MASKED)
    assert (await jobs.coordinator.get(placement)).json()["name_latin"] == "SOMCHAI, N0"
