"""Placements: what an employer and an agency see of a person whose placement is theirs."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from service.actions.placements import SUBJECT
from service.actions.work import _told_to
from service.domain.actors import AGENCY, COORDINATOR, ENTERPRISE, SIGHTS, Actor
from service.domain.lifecycle import Reason
from tests.api.test_relationships import ENTERPRISE_BODY
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


async def test_placement_is_shown_to_no_other_organisation(house: Stage) -> None:
    path = await house.placement()
    tie = await house.coordinator.ok("/v1/relationships", ENTERPRISE_BODY)
    other = UUID(tie["created"]["organisation"])
    for role in (ENTERPRISE, AGENCY):
        stranger = await house.world.client(role, organisation_id=other)
        for hidden in (path, path + "/checklist", path + "/actions", path + "/events"):
            assert (await stranger.get(hidden)).status_code == 404, hidden
        for listed in ("/v1/placements", "/v1/requirement-items", "/v1/obligations", "/v1/checklists"):
            assert (await stranger.get(listed)).json()["items"] == [], listed
        assert (await (await house.party(role, path)).get(path)).status_code == 200


def test_refusal_leaves_out_what_a_paper_of_a_person_says() -> None:
    paper = Reason("requirement_met", required="2027-01-31", actual="2026-12-31", pointer="requirement/passport")
    dates = Reason("dates_in_order", actual="2027-01-31", pointer="/ends_on")
    for_party, for_staff = (
        _told_to(Actor(uuid4(), frozenset({role}), SIGHTS[role]), SUBJECT, [paper, dates])
        for role in (AGENCY, COORDINATOR)
    )
    assert [r.actual for r in for_party] == [None, "2027-01-31"]
    assert list(for_staff) == [paper, dates]
