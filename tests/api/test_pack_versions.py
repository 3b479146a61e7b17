"""A version of a pack that an institution loads, tries and adopts: from that day its people are judged by it."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import pytest

from service.actions import candidacies, placements
from service.actions.timers import ring
from service.domain.actors import ADMIN, COORDINATOR, INSTRUCTOR, TRAINEE
from service.storage import pack_library
from service.storage.packs import shipped_files
from service.storage.transitions import CANDIDACIES_TO_MOVE, PLACEMENTS_TO_MOVE
from tests.api.test_packs import lines_of, people_of, population, version
from tests.conftest import Client, World
from tests.jobs import Jobs
from tests.placed import DAY, Stage


async def load(client: Client, content: dict[str, Any]) -> str:
    body = {"content": content, "rationale": "The authority changed its list."}
    return f"/v1/pack-versions/{(await client.ok('/v1/pack-versions', body))['id']}"


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has read no version yet."""
    monkeypatch.setattr(pack_library, "_read", {})
    pack_library._library.cache_clear()


async def test_version_is_loaded_tried_and_adopted_by_another(world: World) -> None:
    c, other = await world.client(COORDINATOR, ADMIN), await world.client(ADMIN)
    faulty = await c.post("/v1/pack-versions", {"content": version() | {"valid_from": "soon"}, "rationale": "x"})
    assert (faulty.status_code, [(r["pointer"], r["code"]) for r in faulty.json()["reasons"]]) == (
        409, [("/content/valid_from", "pack_date")],
    )  # fmt: skip
    path = await load(c, version())
    again = await c.post("/v1/pack-versions", {"content": version(), "rationale": "x"})
    assert [r["code"] for r in again.json()["reasons"]] == ["pack_version_newer"]
    whole = (await c.get(path)).json()
    assert (whole["state"], whole["key"], whole["number"], whole["content"]) == ("draft", "jp-ssw1", 2, version())
    assert [p["version"] for p in (await c.get("/v1/packs/jp-ssw1/versions")).json()["items"]] == [1]
    day = "2030-01-01"
    assert await other.refused(path, "adopt", {"from_on": "2020-01-01"}) == ["pack_from_on"]
    assert (await other.done(path, "adopt", {"from_on": day}))["state"] == "adopted"
    listed = (await c.get("/v1/packs/jp-ssw1/versions")).json()["items"]
    assert [(p["version"], p["valid_from"], p["content"]) for p in listed][1:] == [(2, day, version())]
    assert [e["type"] for e in (await c.get(path + "/events")).json()["items"]] == [
        "pack_version.loaded", "pack_version.adopted",
    ]  # fmt: skip
    assert (await (await world.client(INSTRUCTOR)).get(path)).status_code == 200
    elsewhere = await world.client(COORDINATOR, institution=await world.other())
    assert (await elsewhere.get(path)).status_code == 404
    assert len((await elsewhere.get("/v1/packs/jp-ssw1/versions")).json()["items"]) == 1
    own = await load(other, version(number=3))
    assert await other.refused(own, "adopt", {"from_on": day}) == ["adopted_by_another"]
    await c.done(own, "withdraw")


def changed(number: int = 2) -> dict[str, Any]:
    """The next version of the pathway at home: a certificate of taxes more, no credential to be legalised."""
    content = deepcopy(shipped_files()["home-hire@1"]) | {"version": number}
    rows = {r["key"]: r for r in content["requirements"]}
    content["requirements"].remove(rows["credential_legalised"])
    more = {"key": "tax_certificate", "title": "Tax certificate", "needed_before": "documents"}
    content["requirements"].append(rows["employment_contract"] | more)
    return content


async def test_whoever_is_pinned_stays_and_moves_when_asked(house: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    way, c, admin = ("home_hire", "TH", "TH"), house.coordinator, await house.world.client(ADMIN)
    path, soon = await house.placement(*way), await house.placement(*way, starts_on=house.today + 10 * DAY)
    same = {"pathway": "home_hire"}
    made = await load(c, changed())
    assert await c.refused(path, "change_pathway", same) == ["another_pathway"]
    await admin.done(made, "adopt", {"from_on": str(house.today + 20 * DAY)})
    forget(monkeypatch)
    assert (await c.get(path + "/checklist")).json()["pins"][0] == "home-hire@1"
    assert await c.refused(soon, "change_pathway", same) == ["another_pathway"]  # it starts before the version begins
    seen = (await c.get(path + "/pathway", **same)).json()
    assert (seen["pins"][0], seen["added"], seen["dropped"], seen["changed"]) == (
        "home-hire@2", ["tax_certificate"], ["credential_legalised"], [],
    )  # fmt: skip
    await c.done(path, "change_pathway", same)
    rows = {r["key"]: r["state"] for r in (await c.get(path + "/checklist")).json()["items"]}
    assert (rows["tax_certificate"], "credential_legalised" in rows) == ("missing", False)
    await house.hand_in(path, "collect_documents")
    # Out of use again, whoever plans for a later day is held until the pathway changes once more.
    await admin.done(made, "retire", {"until_on": str(house.today + 25 * DAY)})
    assert await c.refused(path, "collect_documents") == ["pack_ended"]
    assert (await c.get(path + "/pathway", **same)).json()["pins"][0] == "home-hire@1"
    await c.done(path, "change_pathway", same)
    await c.done(path, "collect_documents")


async def test_nomination_pins_the_adopted_version(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, admin = await Jobs.of(world), await world.client(ADMIN)
    request = await jobs.open()
    before, after = await jobs.people(2)
    first, second = await jobs.identified(request, [before, after])

    async def pins(candidacy: str, person: str) -> list[str]:
        path = f"/v1/candidacies/{candidacy.rsplit('/', 1)[-1]}"
        await jobs.coordinator.done(path, "ask_consent")
        await (await world.client(TRAINEE, person_ids=[person])).done(path, "nominate")
        return list((await jobs.clerk.get(path)).json()["pins"])

    assert (await pins(first, before))[0] == "home-hire@1"
    made = await load(jobs.coordinator, changed())
    await admin.done(made, "adopt", {"from_on": (await admin.get(made)).json()["since_on"]})
    forget(monkeypatch)
    assert (await pins(second, after))[0] == "home-hire@2"


# ---- whoever is on the way
SOURCE = {"source": "The authority's order", "evidence": "unverified"}


async def rung(house: Stage, on: date) -> int:
    """How many the clock moves at noon of a day, until nobody is left."""
    timers = [t for t in (*placements.TIMERS, *candidacies.TIMERS) if t.action == "follow_version"]
    at, did, whole = datetime.combine(on, time(12), UTC), 1, 0
    while did:
        did = sum([await ring(house.world.services, t, house.world.institution, at, 2) for t in timers])
        whole += did
    return whole


async def test_adoption_moves_whom_the_rehearsal_named_and_blocks_what_it_told(
    house: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rehearsed, adopted and moved: person by person the gates, rows and ways out are those that were told."""
    await population(house)
    moves_on, from_on = house.today + 3 * DAY, house.today + 20 * DAY
    content = version() | {"transition": SOURCE | {"rule": "move", "on": str(moves_on)}}
    told = await house.coordinator.ok("/v1/packs/rehearsal", {"content": content, "from_on": str(from_on)})
    assert len(told["items"]) == 2
    before = await people_of(house)
    made = await load(house.coordinator, content)
    await (await house.world.client(ADMIN)).done(made, "adopt", {"from_on": str(from_on)})
    forget(monkeypatch)
    assert [await rung(house, moves_on - DAY), await rung(house, moves_on), await rung(house, moves_on)] == [0, 3, 0]
    after = await people_of(house)
    moved = {i for i in after if after[i].pinned and after[i].packs.pins != before[i].packs.pins}
    assert len(moved) == 3
    assert {str(i["id"]): i["gates"] for i in told["items"]} == {
        str(i): found for i in after if (found := lines_of(before[i], after[i]))
    }
    assert {str(i["id"]) for i in told["items"] if i["moves_on"]} <= {str(i) for i in moved}
    for i in moved:
        assert (after[i].state, after[i].packs.pins[0]) == (before[i].state, "jp-ssw1@2")
        plural = {"placement": "placements", "candidacy": "candidacies"}[after[i].kind]
        events = (await house.coordinator.get(f"/v1/{plural}/{i}/events")).json()["items"]
        assert events[-1]["type"] == f"{after[i].kind}.version_followed"


async def test_whoever_is_on_the_way_stays_where_the_version_says_so(
    house: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await population(house)
    content = version() | {"transition": SOURCE | {"rule": "stay"}}
    told = await house.coordinator.ok("/v1/packs/rehearsal", {"content": content, "from_on": str(house.today)})
    assert (told["affected"], told["items"]) == (1, [])  # the one candidate whose packs are not pinned yet
    made = await load(house.coordinator, content)
    await (await house.world.client(ADMIN)).done(made, "adopt", {"from_on": str(house.today)})
    forget(monkeypatch)
    assert await rung(house, house.today + 30 * DAY) == 0
    pins = {p.packs.pins[0] for p in (await people_of(house)).values() if p.pinned}
    assert pins == {"jp-ssw1@1", "de-18a@1"}


async def due(house: Stage) -> list[int]:
    """How many placements and candidacies the clock finds to be moved."""
    async with house.world.services.database.connection() as con:
        known = {"institution": house.world.institution, "at": None, "limit": 9}
        found = [await s.all(con, **known) for s in (PLACEMENTS_TO_MOVE, CANDIDACIES_TO_MOVE)]
    return [len(rows) for rows in found]


async def test_clock_finds_nobody_whom_a_version_is_not_for(house: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the statement finds is what the rules grant, so that nobody who stays is looked at again and again."""
    await population(house)
    admin = await house.world.client(ADMIN)
    move = {"transition": SOURCE | {"rule": "move"}}
    not_theirs: list[dict[str, Any]] = [
        {"transition": None}, {"transition": SOURCE | {"rule": "stay"}}, {"nationalities": ["TH"]},
        {"destinations": ["DE"]}, {"host_country_nationals": True}, {"valid_to": str(house.today + 9 * DAY)},
        {"valid_from": str(house.today + 90 * DAY)},
        {"transition": SOURCE | {"rule": "move", "on": str(house.today + 3 * DAY)}},
    ]  # fmt: skip
    for number, more in enumerate(not_theirs, start=2):
        made = await load(house.coordinator, version(number=number) | move | more)
        await admin.done(made, "adopt", {"from_on": str(house.today)})
        assert await due(house) == [0, 0], more
    made = await load(house.coordinator, version(number=20) | move)
    await admin.done(made, "adopt", {"from_on": str(house.today)})
    assert await due(house) == [3, 1]
    await admin.done(made, "retire", {"until_on": str(house.today + 35 * DAY)})
    assert await due(house) == [3, 0]  # the candidate plans for a later day
    forget(monkeypatch)
    assert await rung(house, house.today) == 3
    assert await due(house) == [0, 0]


async def test_obligation_falls_due_by_the_version_that_was_adopted(
    house: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fourteen days after the arrival become seven for whoever is moved before they leave, with the new source."""
    content = version() | {"transition": SOURCE | {"rule": "move"}, "requirements": []}
    duty = next(o for o in content["obligations"] if o["key"] == "address_registration")
    duty |= {"due": {"count": 7, "unit": "days"}, "title": "Register within a week", "source": "The new order"}
    gone, path = await house.placement(), await house.placement()
    at_sea = {"state": "departed", "departed_on": house.today}
    for name, value in at_sea.items():
        await house.sql(f"UPDATE placements SET {name} = $2 WHERE id = $1", UUID(gone.rsplit("/", 1)[1]), value)
    made = await load(house.coordinator, content)
    await (await house.world.client(ADMIN)).done(made, "adopt", {"from_on": str(house.today)})
    forget(monkeypatch)
    assert await rung(house, house.today) == 1  # whoever has left keeps theirs
    await house.sql("UPDATE placements SET state = 'departed', departed_on = $2 WHERE id = $1",
                    UUID(path.rsplit("/", 1)[1]), house.today)  # fmt: skip
    found = {}
    for who in (gone, path):
        await house.coordinator.done(who, "arrive", {"evidence": await house.shown(who)})
        rows = (await house.coordinator.get("/v1/obligations", placement_id=who.rsplit("/", 1)[1])).json()["items"]
        (row,) = [r for r in rows if r["rule"] == "address_registration"]
        found[who] = (row["pin"], row["due_on"])
    assert found == {
        gone: ("jp-ssw1@1", str(house.today + 14 * DAY)), path: ("jp-ssw1@2", str(house.today + 7 * DAY)),
    }  # fmt: skip


async def test_requirement_is_waived_by_whom_the_version_names(house: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    content = version() | {"transition": SOURCE | {"rule": "move"}}
    content["requirements"][-1]["waivable_by"] = ["admin"]
    path, admin = await house.placement(), await house.world.client(ADMIN)
    made = await load(house.coordinator, content)
    await admin.done(made, "adopt", {"from_on": str(house.today)})
    forget(monkeypatch)
    assert await rung(house, house.today) == 1
    said = {"subject_id": path.rsplit("/", 1)[1], "key": "tax_certificate", "reason_code": "authority_order"}
    refused = await house.coordinator.post("/v1/requirement-items/waive", said)
    assert [(r["code"], r["required"]) for r in refused.json()["reasons"]] == [("waivable", ["admin"])]
    assert (await admin.ok("/v1/requirement-items/waive", said))["state"] == "waived"
    rows = {r["key"]: r["state"] for r in (await house.coordinator.get(path + "/checklist")).json()["items"]}
    assert rows["tax_certificate"] == "waived"
