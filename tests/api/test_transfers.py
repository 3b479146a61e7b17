"""Changing employers over HTTP: one placement all along, a new seat, and nothing left behind where it comes to nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.api.test_candidacies import consent_of, path_of, seats_told
from tests.chains import broken_chains
from tests.conftest import TODAY, Client, World
from tests.jobs import Jobs

WHY = {"reason_code": "contract_dispute"}


@dataclass
class AtWork:
    """Somebody at work for their first employer."""

    jobs: Jobs
    request: str
    person: str
    trainee: Client
    candidacy: str
    placement: str

    @classmethod
    async def of(cls, world: World) -> AtWork:
        """Hired at home: the pathway with the fewest stages before the work."""
        jobs = await Jobs.of(world)
        request = await jobs.open(seats=1)
        (person,) = await jobs.people(1)
        trainee = await jobs.trainee(person)
        (candidacy,) = await jobs.up_to("offered", request, [person])
        accepted = await trainee.done(path_of(candidacy), "accept")
        there = cls(jobs, request, person, trainee, candidacy, f"/v1/placements/{accepted['created']['placement']}")
        await there.hand_in("collect_documents", "start_work")
        await jobs.coordinator.done(there.placement, "collect_documents")
        await trainee.done(there.placement, "confirm_terms")
        await jobs.clerk.done(there.placement, "start_work")
        return there

    @property
    def id(self) -> str:
        """The placement's id."""
        return self.placement.rsplit("/", 1)[1]

    async def hand_in(self, *actions: str) -> None:
        """Whatever the packs ask for before some actions."""
        c = self.jobs.coordinator
        p = await self.read(self.placement)
        subjects = {
            "person": self.person,
            "placement": self.id,
            "candidacy": self.candidacy,
            "request": p["request_id"],
        }
        gates = {f"placement.{a}" for a in actions}
        rows = (await c.get(self.placement + "/checklist")).json()["items"]
        for row in rows:
            if row["state"] != "missing" or gates.isdisjoint(row["gates"]):
                continue
            body = {"subject_id": subjects[row["subject"]], "key": row["item"], "issued_on": str(TODAY - timedelta(1))}
            owner = next((o for o in row["owed_by"] if o in ("trainee", "enterprise")), None)
            said = {"recorded_for": owner} | self.jobs.by_paper if owner else {}
            made = await c.ok("/v1/requirement-items/supply", body | said)
            await c.done(f"/v1/requirement-items/{made['id']}", "accept")

    async def read(self, path: str) -> dict[str, Any]:
        return dict((await self.jobs.coordinator.get(path)).json())

    async def stage(self) -> str:
        return str((await self.read(f"/v1/trainees/{self.person}"))["stage"])

    async def to_offer(self, new: Jobs, request: str) -> str:
        """The path of an offer by which the transfer would be completed."""
        made = await new.coordinator.ok(
            "/v1/candidacies",
            {"person_id": self.person, "request_id": request.rsplit("/", 1)[1], "transfer_of": self.id},
        )
        await new.up_to("offered", request, [], [made["id"]])
        return path_of(made["id"])


async def test_transfer_carries_the_placement_over_to_the_new_employer(world: World, dsn: str) -> None:
    at = await AtWork.of(world)
    old, trainee = at.jobs, at.trainee
    new = await Jobs.of(world)
    request, another = await new.open(seats=1), await new.open(seats=1)
    stages = [await at.stage()]
    before = await at.read(at.placement)
    await trainee.done(at.placement, "ask_transfer", WHY)
    candidacy, sibling = await at.to_offer(new, request), await at.to_offer(new, another)
    stages.append(await at.stage())
    assert [await new.seats(r) for r in (request, another)] == [(1, 0, 0, "open")] * 2
    assert await old.coordinator.refused(at.placement, "correct", {"note": "no"}) == ["no_live_candidacies"]
    assert (await new.clerk.get(at.placement)).status_code == 404
    accepted = await trainee.done(candidacy, "accept")
    assert (accepted["state"], accepted["created"]) == ("placed", {})
    stages.append(await at.stage())
    assert stages == ["employed"] * 3
    after = await at.read(at.placement)
    changed = {n: after[n] for n in after if after[n] != before[n]}
    assert changed == {
        "version": before["version"] + 2, "request_id": request.rsplit("/", 1)[1], "employer_id": new.organisation,
        "candidacy_id": accepted["id"], "terms_confirmed_on": None,
    }  # fmt: skip
    assert [p["id"] for p in (await trainee.get("/v1/placements")).json()["items"]] == [at.id]
    held = await at.read(candidacy)
    assert (held["placement_id"], held["transfer_of"], held["pins"]) == (at.id, at.id, after["pins"])
    assert ((await at.read(path_of(at.candidacy)))["state"], (await at.read(sibling))["state"]) == (
        "placed",
        "superseded",
    )
    assert await new.seats(request) == (0, 0, 1, "filled")
    assert await new.seats(another) == (0, 0, 0, "open")
    assert await old.seats(at.request) == (0, 0, 1, "filled")
    assert (await old.clerk.get(at.placement)).status_code == 404
    assert (await new.clerk.get(at.placement)).json()["state"] == "active"
    told = (await trainee.get(at.placement + "/events")).json()["items"][-1]
    assert (told["type"], told["from_state"], told["to_state"], told["action_id"]) == (
        "placement.transferred", "transfer_pending", "active", accepted["action_id"],
    )  # fmt: skip
    for path in (candidacy, at.placement):
        assert await old.coordinator.refused(path, "correct", {"note": "no"}) == ["correctable"]
    await old.coordinator.done(at.request, "replace_seat", {"reason_code": "contract_dispute"})
    assert await old.seats(at.request) == (0, 0, 0, "open")
    until = str(TODAY + timedelta(days=900))
    assert (await new.clerk.done(at.placement, "ask_extension", {"until_on": until}))["state"] == "extension_pending"
    assert await broken_chains(dsn) == []


async def test_transfer_refused_leaves_everything_as_it_was(world: World, dsn: str) -> None:
    at = await AtWork.of(world)
    new = await Jobs.of(world)
    request, another = await new.open(seats=1), await new.open(seats=1)
    before = await at.read(at.placement)
    await at.trainee.done(at.placement, "ask_transfer", WHY)
    offered = await at.to_offer(new, request)
    made = await new.coordinator.ok(
        "/v1/candidacies", {"person_id": at.person, "request_id": another.rsplit("/", 1)[1], "transfer_of": at.id}
    )
    await at.jobs.coordinator.done(at.placement, "refuse_transfer", {"reason_code": "requirements_unmet"})
    after = await at.read(at.placement)
    assert {n for n in after if after[n] != before[n]} == {"version"}
    states = [(await at.read(p))["state"] for p in (offered, path_of(made["id"]), path_of(at.candidacy))]
    assert states == ["offer_rescinded", "not_selected", "placed"]
    assert await new.seats(request) == (0, 0, 0, "open")
    assert await seats_told(new, request) == [(1, 0), (-1, 1)]
    assert await at.jobs.seats(at.request) == (0, 0, 1, "filled")
    assert (await at.stage(), len((await at.trainee.get("/v1/placements")).json()["items"])) == ("employed", 1)
    assert await at.trainee.refused(offered, "accept") == ["not_from_this_state"]
    assert await new.coordinator.refused(offered, "correct", {"note": "no"}) == ["transfer_open"]
    # Asked for again, a new candidacy for the same request leads there.
    await at.trainee.done(at.placement, "ask_transfer", WHY)
    assert (await at.trainee.done(await at.to_offer(new, request), "accept"))["state"] == "placed"
    assert (await at.read(at.placement))["employer_id"] == new.organisation
    assert await broken_chains(dsn) == []


async def test_transfer_is_of_ones_own_placement_once_it_was_asked_for(world: World) -> None:
    at = await AtWork.of(world)
    new = await Jobs.of(world)
    request, old_request = (await new.open()).rsplit("/", 1)[1], at.request.rsplit("/", 1)[1]
    (stranger,) = await new.people(1)

    async def refused(person: str, **more: Any) -> list[str]:
        body = {"person_id": person, "request_id": request} | more
        answer = await new.coordinator.post("/v1/candidacies", body)
        assert answer.status_code == 409, answer.text
        return [r["code"] for r in answer.json()["reasons"]]

    assert await refused(at.person) == ["no_live_placement"]
    assert await refused(at.person, transfer_of=at.id) == ["transfer_open"]
    await at.trainee.done(at.placement, "ask_transfer", WHY)
    assert await refused(at.person) == ["no_live_placement"]
    assert await refused(stranger, transfer_of=at.id) == ["transfer_known"]
    assert await refused(at.person, transfer_of=at.person) == ["transfer_known", "no_live_placement"]
    assert await refused(at.person, transfer_of=at.id, request_id=old_request) == ["transfer_elsewhere"]
    yesterday = str(TODAY - timedelta(days=1))
    assert await refused(at.person, transfer_of=at.id, occurred_on=yesterday) == ["occurred_on_in_range"]


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("terminate", {"reason_code": "breach", "paid_by": "enterprise"}),
        ("report_missing", {"last_contact_on": str(TODAY - timedelta(days=3))}),
        ("record_death", {"family_informed_on": str(TODAY)}),
    ],
)
async def test_transfer_ends_with_the_placement(world: World, action: str, body: dict[str, Any]) -> None:
    at = await AtWork.of(world)
    new = await Jobs.of(world)
    request = await new.open(seats=1)
    await at.trainee.done(at.placement, "ask_transfer", WHY)
    candidacy = await at.to_offer(new, request)
    await at.jobs.coordinator.done(at.placement, action, body | at.jobs.by_paper)
    assert (await at.read(candidacy))["state"] == "offer_rescinded"
    assert await new.seats(request) == (0, 0, 0, "open")
    assert await at.jobs.seats(at.request) == (0, 0, 1, "filled")


async def test_transfer_ends_for_a_consent_that_is_withdrawn(world: World) -> None:
    at = await AtWork.of(world)
    new = await Jobs.of(world)
    request = await new.open(seats=1)
    await at.trainee.done(at.placement, "ask_transfer", WHY)
    candidacy = await at.to_offer(new, request)
    await at.trainee.done(await consent_of(at.trainee, candidacy.rsplit("/", 1)[1]), "withdraw")
    assert (await at.read(candidacy))["state"] == "withdrawn_by_trainee"
    assert (await at.read(at.placement))["state"] == "transfer_pending"
    assert await new.seats(request) == (0, 0, 0, "open")


async def test_transfer_is_completed_once_in_a_rush(world: World, dsn: str) -> None:
    at = await AtWork.of(world)
    new = await Jobs.of(world)
    requests = [await new.open(seats=1) for _ in range(3)]
    await at.trainee.done(at.placement, "ask_transfer", WHY)
    offers = [await at.to_offer(new, r) for r in requests]
    versions = {p: (await at.trainee.get(p)).json()["version"] for p in offers}
    placed = (await at.read(at.placement))["version"]
    refusal = {"reason_code": "other"}
    answers = await asyncio.gather(
        *[at.trainee.post(p + "/accept", version=versions[p]) for p in offers for _ in range(4)],
        *[at.jobs.coordinator.post(at.placement + "/refuse_transfer", refusal, version=placed) for _ in range(3)],
    )
    codes = [a.status_code for a in answers]
    assert codes.count(200) == 1
    assert set(codes) <= {200, 409, 412}
    placement = await at.read(at.placement)
    taken_over = placement["employer_id"] == new.organisation
    assert (placement["state"], taken_over) == ("active", 200 in codes[:12])
    seats = [await new.seats(r) for r in requests]
    assert (sum(s[0] + s[1] for s in seats), sum(s[2] for s in seats)) == (0, int(taken_over))
    assert len((await at.trainee.get("/v1/placements")).json()["items"]) == 1
    assert await broken_chains(dsn) == []


async def test_transfer_two_acceptances_in_one_batch_complete_one(world: World) -> None:
    at = await AtWork.of(world)
    new = await Jobs.of(world)
    requests = [await new.open(seats=1) for _ in range(2)]
    await at.trainee.done(at.placement, "ask_transfer", WHY)
    ids = [(await at.to_offer(new, r)).rsplit("/", 1)[1] for r in requests]
    done = await new.bulk(at.trainee, "accept", ids)
    assert [i["done"] for i in done["items"]] == [True, False]
    assert "not_from_this_state" in [r["code"] for r in done["items"][1]["reasons"]]
    assert sorted([await new.seats(r) for r in requests]) == [(0, 0, 0, "open"), (0, 0, 1, "filled")]


async def test_transfer_of_a_transfer_is_another_transfer(world: World) -> None:
    at = await AtWork.of(world)
    employers = [await Jobs.of(world), await Jobs.of(world)]
    for new in employers:
        await at.trainee.done(at.placement, "ask_transfer", WHY)
        candidacy = await at.to_offer(new, await new.open(seats=1))
        assert (await new.clerk.get(candidacy)).json()["state"] == "offered"
        assert (await at.trainee.done(candidacy, "accept"))["state"] == "placed"
        assert (await at.read(at.placement))["employer_id"] == new.organisation
    states = [c["state"] for c in (await at.trainee.get("/v1/candidacies")).json()["items"]]
    assert states == ["placed"] * 3


async def test_transfer_opens_the_notices_of_both_employers_and_of_the_worker(world: World, dsn: str) -> None:
    """Japan asks each of them for a notice within 14 days of the change (Immigration Control Act, arts. 19-16, 19-18)."""
    at = await AtWork.of(world)
    new = await Jobs.of(world)
    request = await new.open(seats=1)
    await at.trainee.done(at.placement, "ask_transfer", WHY)
    candidacy = await at.to_offer(new, request)
    con = await asyncpg.connect(dsn)
    await con.execute("SET session_replication_role = replica")
    pins = ["jp-ssw1@1"]
    await con.execute("UPDATE placements SET pins = $1 WHERE id = $2", pins, UUID(at.id))
    await con.execute("UPDATE candidacies SET pins = $1 WHERE id = $2", pins, UUID(candidacy.rsplit("/", 1)[1]))
    await con.execute("UPDATE organisations SET time_zone = 'Asia/Tokyo' WHERE id = $1", UUID(new.organisation))
    await con.close()
    await at.trainee.done(candidacy, "accept")
    rows = (await at.jobs.coordinator.get("/v1/obligations", placement_id=at.id, limit=200)).json()["items"]
    on, until = str(TODAY), str(TODAY + timedelta(days=14))
    noticed = {
        (r["rule"], r["organisation_id"], tuple(r["owed_by"]), r["event_on"], r["due_on"])
        for r in rows
        if r["rule"].endswith("notice")
    }
    assert noticed == {
        ("change_notice", at.jobs.organisation, ("enterprise",), on, until),
        ("new_contract_notice", new.organisation, ("enterprise",), on, until),
        ("employer_change_notice", None, ("trainee",), on, until),
    }
    assert {r["zone"] for r in rows if r["rule"] == "new_contract_notice"} == {"Asia/Tokyo"}
    seen = [[r["rule"] for r in (await c.get("/v1/obligations")).json()["items"]] for c in (at.jobs.clerk, new.clerk)]
    assert ["change_notice" in seen[0], "new_contract_notice" in seen[0], seen[1]] == [
        True, False, ["new_contract_notice"],
    ]  # fmt: skip
    assert await broken_chains(dsn) == []
