"""A version of a pack that an institution loads, tries and adopts: from that day its people are judged by it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from service.domain.actors import ADMIN, COORDINATOR, INSTRUCTOR, TRAINEE
from service.storage import pack_library
from service.storage.packs import shipped_files
from tests.api.test_packs import version
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
