"""Results over HTTP: recorded by one, verified against evidence, taken back while nothing uses them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from service.domain.actors import COORDINATOR, INSTRUCTOR, READER, REGISTRAR, TRAINEE
from tests.conftest import Client, World

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
RESULT = {
    "source": "partner",
    "course_title": "Mechatronik I",
    "course_code": "MT-101",
    "owner": "Hochschule Nord",
    "credits": "6",
    "scheme": "ects",
    "grade": "1,7",
    "passed": True,
    "achieved_on": "2026-02-10",
}


async def person(c: Client) -> str:
    body = {"name_native": "李华", "name_latin": "LI, HUA", "birth_on": "2003-03-03", "nationality": "CN"}
    return str((await c.ok("/v1/trainees", body))["id"])


async def document(c: Client, person_id: str, kind: str = "transcript") -> str:
    answer = await c.http.post(
        "/v1/documents",
        data={"kind": kind, "title": "成绩单", "person_id": person_id},
        files={"file": ("scan.pdf", PDF, "application/pdf")},
        headers={"authorization": f"Bearer {c.token}", "idempotency-key": uuid4().hex},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def result(c: Client, person_id: str, *, verified: bool = True, **more: Any) -> str:
    made = await c.ok("/v1/results", RESULT | {"person_id": person_id} | more)
    if verified:
        await c.done(f"/v1/results/{made['id']}", "verify", {"evidence": [await document(c, person_id)]})
    return str(made["id"])


async def test_result_is_recorded_and_verified_against_evidence(world: World) -> None:
    c = await world.client(COORDINATOR)
    who = await person(c)
    made = await c.ok("/v1/results", RESULT | {"person_id": who})
    path = f"/v1/results/{made['id']}"
    assert (made["state"], made["version"]) == ("recorded", 1)
    assert await c.refused(path, "verify") == ["evidence_required"]
    assert (await c.done(path, "verify", {"evidence": [await document(c, who)]}))["state"] == "verified"
    shown = (await c.get(path)).json()
    assert {k: shown[k] for k in ("credits", "scheme", "grade", "passed", "claimed_percent", "owner")} == {
        "credits": "6", "scheme": "ects", "grade": "1,7", "passed": True, "claimed_percent": "0", "owner": "Hochschule Nord",
    }  # fmt: skip
    events = (await c.get(path + "/events")).json()["items"]
    assert [(e["type"], e["to_state"]) for e in events] == [
        ("result.recorded", "recorded"),
        ("result.verified", "verified"),
    ]
    assert events[0]["data"] == {
        "source": "partner", "course_id": None, "owner_id": None, "credits": "6", "passed": True, "achieved_on": "2026-02-10",
    }  # fmt: skip


async def test_result_names_an_owner_and_a_course_that_are_there(world: World) -> None:
    c = await world.client(COORDINATOR)
    body = RESULT | {"person_id": await person(c)}
    nameless = {k: v for k, v in body.items() if k != "owner"}
    for given, codes in (
        (nameless, ["owner_named"]),
        (nameless | {"owner_id": str(uuid4())}, ["organisation_known"]),
        (body | {"course_id": str(uuid4())}, ["course_known"]),
        (body | {"achieved_on": "2199-01-01"}, ["out_of_bounds"]),
        (body | {"credits": "1000"}, ["out_of_bounds"]),
        (body | {"credits": "-1"}, ["out_of_bounds"]),
    ):
        answer = await c.post("/v1/results", given)
        assert answer.status_code == 409, answer.text
        assert [r["code"] for r in answer.json()["reasons"]] == codes
    assert (await c.post("/v1/results", nameless | {"source": "home"})).status_code == 201


async def test_result_correction_gives_the_state_back_and_voids(world: World) -> None:
    c = await world.client(COORDINATOR)
    path = f"/v1/results/{await result(c, await person(c))}"
    assert (await c.done(path, "correct", {"note": "another person's sheet"}))["state"] == "recorded"
    assert (await c.done(path, "correct", {"note": "never achieved"}))["state"] == "voided"
    assert await c.refused(path, "correct", {"note": "again"}) == ["something_to_correct"]


async def test_result_is_seen_and_moved_by_whom_it_concerns(world: World) -> None:
    c = await world.client(COORDINATOR)
    who, other = await person(c), await person(c)
    theirs, others = await result(c, who), await result(c, other)
    t = await world.client(TRAINEE, person_ids=[who])
    assert [r["id"] for r in (await t.get("/v1/results")).json()["items"]] == [theirs]
    assert (await t.get(f"/v1/results/{others}")).status_code == 404
    own = await t.ok("/v1/results", RESULT | {"person_id": who})
    assert await t.refused(f"/v1/results/{own['id']}", "verify", status=403) == ["role"]
    assert (await t.post("/v1/results", RESULT | {"person_id": other})).status_code == 404
    teacher = await world.client(INSTRUCTOR)
    assert (await teacher.post("/v1/results", RESULT | {"person_id": who})).status_code == 201
    assert await teacher.refused(f"/v1/results/{own['id']}", "verify", status=403) == ["role"]
    reader = await world.client(READER)
    assert (await reader.get("/v1/results")).status_code == 403
    stranger = await world.client(REGISTRAR, institution=await world.other())
    assert (await stranger.get(f"/v1/results/{theirs}")).status_code == 404
    assert (await stranger.post("/v1/results", RESULT | {"person_id": who})).status_code == 404


async def test_result_many_are_verified_at_once(world: World) -> None:
    c = await world.client(COORDINATOR)
    who, other = await person(c), await person(c)
    mine = [await result(c, who, verified=False) for _ in range(2)]
    foreign = await result(c, other, verified=False)
    listed = await c.post(
        "/v1/results/bulk/verify",
        {"items": [{"id": i, "version": 1} for i in mine], "evidence": [await document(c, who)]},
    )
    assert listed.status_code == 200, listed.text
    assert (listed.json()["done"], listed.json()["refused"]) == (2, 0)
    one = await c.post("/v1/results/bulk/verify", {"items": [{"id": foreign, "version": 1}]})
    assert [r["code"] for r in one.json()["items"][0]["reasons"]] == ["evidence_required"]
