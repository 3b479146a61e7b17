"""Relationships over HTTP: the example that other capabilities' tests follow."""

from typing import Any
from uuid import uuid4

from service.domain.actors import ADMIN, COORDINATOR, ENTERPRISE
from tests.conftest import World

ENTERPRISE_BODY: dict[str, Any] = {
    "organisation": {
        "kind": "enterprise",
        "name_native": "東海精機株式会社",
        "name_latin": "Tokai Seiki K.K.",
        "country": "JP",
        "time_zone": "Asia/Tokyo",
        "registration_no": "1234567890123",
    },
    "role": "enterprise",
}


async def test_relationship_is_recorded_once_whatever_is_repeated(world: World) -> None:
    c = await world.client(COORDINATOR)
    key = uuid4().hex
    first = await c.post("/v1/relationships", ENTERPRISE_BODY, key=key)
    again = await c.post("/v1/relationships", ENTERPRISE_BODY, key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert first.content == again.content
    listed = await c.get("/v1/relationships")
    assert [r["organisation"]["name_native"] for r in listed.json()["items"]] == ["東海精機株式会社"]
    other = await c.post("/v1/relationships", ENTERPRISE_BODY | {"licence_no": "x"}, key=key)
    assert other.status_code == 422
    assert other.json()["type"] == "/problems/key-reused"


async def test_relationship_needs_evidence_to_be_verified(world: World) -> None:
    c = await world.client(COORDINATOR)
    made = await c.ok("/v1/relationships", ENTERPRISE_BODY)
    path = f"/v1/relationships/{made['id']}"
    assert await c.refused(path, "verify", {"valid_until": "2030-01-01"}) == ["evidence_required"]
    offers = (await c.get(path + "/actions")).json()["actions"]
    verify = next(o for o in offers if o["action"] == "verify")
    assert verify["open"] is True
    assert next(i for i in verify["inputs"] if i["name"] == "evidence")["needed"] is True
    assert {o["action"]: o["open"] for o in offers} == {
        "edit": True, "verify": True, "declare": True, "suspend": False, "reinstate": False, "end": True,
        "set_conversion": True, "correct": True, "contest": False, "uphold": False,
    }  # fmt: skip


async def test_relationship_stale_or_missing_version_is_refused(world: World) -> None:
    c = await world.client(COORDINATOR)
    made = await c.ok("/v1/relationships", ENTERPRISE_BODY)
    path = f"/v1/relationships/{made['id']}"
    assert (await c.post(path + "/end", {"reason_code": "duplicate"})).status_code == 428
    assert (await c.post(path + "/end", {"reason_code": "duplicate"}, version=7)).status_code == 412
    done = await c.post(path + "/end", {"reason_code": "duplicate", "note": "zweimal erfasst"}, version=1)
    assert done.status_code == 200, done.text
    events = (await c.get(path + "/events")).json()["items"]
    assert [(e["type"], e["from_state"], e["to_state"], e["note"]) for e in events] == [
        ("relationship.recorded", None, "recorded", None),
        ("relationship.ended", "recorded", "ended", "zweimal erfasst"),
    ]


async def test_relationship_correction_gives_the_state_back(world: World) -> None:
    c = await world.client(COORDINATOR)
    made = await c.ok("/v1/relationships", ENTERPRISE_BODY)
    path = f"/v1/relationships/{made['id']}"
    await c.done(path, "end", {"reason_code": "duplicate"})
    assert (await c.done(path, "correct", {"note": "the wrong one"}))["state"] == "recorded"
    assert (await c.done(path, "correct", {"note": "never existed"}))["state"] == "voided"
    assert await c.refused(path, "correct", {"note": "again"}) == ["something_to_correct"]


async def test_relationship_of_another_institution_looks_like_none(world: World) -> None:
    c = await world.client(COORDINATOR)
    made = await c.ok("/v1/relationships", ENTERPRISE_BODY)
    stranger = await world.client(COORDINATOR, institution=await world.other())
    foreign = await stranger.get(f"/v1/relationships/{made['id']}")
    missing = await stranger.get(f"/v1/relationships/{uuid4()}")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert {k: v for k, v in foreign.json().items() if k not in ("request_id", "instance")} == {
        k: v for k, v in missing.json().items() if k not in ("request_id", "instance")
    }
    assert (await stranger.get("/v1/relationships")).json() == {"items": [], "next": None}


async def test_relationship_is_no_business_of_an_enterprise_to_record(world: World) -> None:
    admin = await world.client(ADMIN)
    made = await admin.ok("/v1/relationships", ENTERPRISE_BODY)
    enterprise = await world.client(ENTERPRISE, organisation_id=made["created"]["organisation"])
    answer = await enterprise.post("/v1/relationships", ENTERPRISE_BODY)
    assert answer.status_code == 403
    assert [r["code"] for r in answer.json()["reasons"]] == ["role"]
    own = await enterprise.get("/v1/relationships")
    assert [r["id"] for r in own.json()["items"]] == [made["id"]]
