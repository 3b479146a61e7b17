"""Certificates over HTTP: who may verify what somebody recorded, and the sealed number."""

from __future__ import annotations

from typing import Any

from service.domain.actors import COORDINATOR, READER, TRAINEE
from tests.api.test_training import day, person, scan
from tests.conftest import Client, World

JLPT = {
    "kind": "language", "test": "jlpt", "level": "N4", "total_score": "104", "section_scores": {"language_knowledge_reading": 60, "listening": 44},
    "taken_on": "2025-07-06", "issued_on": "2025-08-25", "number": "N4A123456J", "issuer": "JEES",
}  # fmt: skip


async def record(client: Client, person_id: str, **more: Any) -> str:
    body = {k: v for k, v in (JLPT | {"person_id": person_id} | more).items() if v is not None}
    return f"/v1/certificates/{(await client.ok('/v1/certificates', body))['id']}"


async def test_certificate_is_verified_by_another_account_with_evidence(world: World) -> None:
    a, b = await world.client(COORDINATOR), await world.client(COORDINATOR)
    somebody = await person(a)
    paper = await scan(a, person_id=somebody, kind="certificate")
    path = await record(a, somebody, document_id=paper)
    assert await a.refused(path, "verify", {"evidence": [paper]}) == ["by_another_account"]
    assert await b.refused(path, "verify") == ["evidence_required"]
    offers = (await a.get(path + "/actions")).json()["actions"]
    assert [r["code"] for r in next(o for o in offers if o["action"] == "verify")["reasons"]] == ["by_another_account"]
    assert (await b.done(path, "verify", {"evidence": [paper]}))["state"] == "verified"
    shown = (await b.get(path)).json()
    names = (
        "test",
        "level",
        "total_score",
        "section_scores",
        "expired",
        "number",
        "document_id",
        "recorded_by",
        "verified_by",
    )
    assert [shown[n] for n in names] == [
        "jlpt", "N4", "104.0000", {"language_knowledge_reading": 60, "listening": 44}, False, {"masked": True, "reason": "purpose_needed"},
        paper, (await a.get("/v1/me")).json()["account_id"], (await b.get("/v1/me")).json()["account_id"],
    ]  # fmt: skip
    await b.done(path, "revoke", {"reason_code": "fraud"})
    await b.done(path, "correct", {"note": "the wrong person's"})
    assert [(await b.get(path)).json()[n] for n in ("state", "ended_because")] == ["verified", None]


async def test_certificate_recorded_for_the_trainee_is_still_the_recorders(world: World) -> None:
    a, b = await world.client(COORDINATOR), await world.client(COORDINATOR)
    somebody = await person(a)
    paper = await scan(a, person_id=somebody)
    path = await record(a, somebody, recorded_for="trainee", evidence=[paper])
    assert await a.refused(path, "verify", {"evidence": [paper]}) == ["by_another_account"]
    version = (await b.get(path)).json()["version"]
    assert (await b.patch(path, {"level": "N5"}, version=version)).status_code == 200
    assert await b.refused(path, "verify", {"evidence": [paper]}) == ["by_another_account"]
    assert await a.refused(path, "verify", {"evidence": [paper]}) == ["by_another_account"]
    c = await world.client(COORDINATOR)
    assert (await c.done(path, "verify", {"evidence": [paper]}))["state"] == "verified"
    assert await c.refused(path, "reject", {"reason_code": "fraud"}) == ["not_from_this_state"]


async def test_certificate_is_refused_with_each_reason(world: World) -> None:
    a = await world.client(COORDINATOR)
    somebody, other = await person(a), await person(a, 1)
    theirs = await scan(a, person_id=other)

    async def codes(**more: Any) -> list[str]:
        body = {k: v for k, v in (JLPT | {"person_id": somebody} | more).items() if v is not None}
        answer = await a.post("/v1/certificates", body)
        assert answer.status_code == 409, answer.text
        return [r["code"] for r in answer.json()["reasons"]]

    assert await codes(test=None) == ["test_named"]
    assert await codes(level="B1") == ["level_of_test"]
    assert await codes(issued_on="2025-07-05") == ["issued_after_taken"]
    assert await codes(valid_until="2025-08-24") == ["valid_after_issued"]
    assert await codes(taken_on=day(2), issued_on=None) == ["not_in_future"]
    assert await codes(document_id=theirs) == ["document_known"]
    await record(a, somebody)
    again = await a.post("/v1/certificates", JLPT | {"person_id": other})
    assert (again.status_code, [r["text"] for r in again.json()["reasons"]]) == (
        409,
        ["A certificate with this number is there already."],
    )


async def test_certificate_number_opens_for_a_purpose_on_record(world: World) -> None:
    a = await world.client(COORDINATOR)
    somebody = await person(a)
    path = await record(a, somebody)
    opened = await a.post(path + "/number", {"purpose": "visa application"})
    assert (opened.status_code, opened.json()["number"], opened.headers["cache-control"]) == (
        200,
        "N4A123456J",
        "no-store",
    )
    openings = (await a.get(f"/v1/trainees/{somebody}/openings")).json()["items"]
    assert [(o["fields"], o["purpose"]) for o in openings] == [(["certificate_number"], "visa application")]
    events = (await a.get(path + "/events")).text
    assert "N4A123456J" not in events


async def test_certificate_is_seen_by_its_person_and_staff_only(world: World) -> None:
    a = await world.client(COORDINATOR)
    mine, other = await person(a), await person(a, 1)
    own, theirs = await record(a, mine), await record(a, other, number="N4A999999J")
    t = await world.client(TRAINEE, person_ids=[mine])
    assert [f"/v1/certificates/{c['id']}" for c in (await t.get("/v1/certificates")).json()["items"]] == [own]
    assert (await t.get(theirs)).status_code == 404
    assert await t.refused(own, "verify", status=403) == ["role"]
    assert (await (await world.client(READER)).get("/v1/certificates")).status_code == 403
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(own)).status_code == 404
    assert (await stranger.post(own + "/number", {"purpose": "curious"})).status_code == 404
