"""What is next for a person, over HTTP: what stands, what is lacking, whose it is, by when, and what they can do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from service.domain.actors import COORDINATOR, ENTERPRISE, GUARDIAN, INSTRUCTOR, TRAINEE
from tests.api.studying import Studies, day, person, plain, upload
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import TODAY, Client, World
from tests.placed import DAY, Stage

MINE = "/v1/me/next-steps"


async def parts(client: Client, path: str = MINE) -> dict[str, dict[str, Any]]:
    """The parts of one person's journey, by their subject."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    (one,) = body.get("items", [body])
    return {p["subject"]: p for p in one["parts"]}


async def test_applicant_is_told_what_they_lack_in_their_language(world: World) -> None:
    s = await Studies.begin(world)
    who = await person(s.c, papers=False, name_native="阿依古丽", name_latin="AYGUL")
    path = await s.application(who, until="draft")
    trainee = await world.client(TRAINEE, person_ids=(UUID(who),))
    trainee.headers["accept-language"] = "zh"
    draft = (await parts(trainee))["application"]
    assert (draft["title"], draft["state_label"], draft["href"]) == ("护理", "草稿", path)
    people = [{"role": "trainee", "label": "学员"}, {"role": "guardian", "label": "未成年人监护人"}]
    coordinator = {"role": "coordinator", "label": "项目协调员"}
    assert draft["next"] == {
        "action": "submit", "label": "提交", "to": ["submitted"], "who": [*people, coordinator], "yours": True,
        "ready": False, "due_on": day(20), "overdue": False,
    }  # fmt: skip
    assert [(n["code"], n["who"], n["yours"]) for n in draft["needed"]] == [
        ("consent_given", people, True), ("identity_shown", people, True),
    ]  # fmt: skip
    assert {n["text"] for n in draft["needed"]}.isdisjoint({n["code"] for n in draft["needed"]})
    closed = {o["action"]: o for o in (await trainee.get(path + "/actions")).json()["actions"]}["submit"]
    assert [r["text"] for r in closed["reasons"]] == [n["text"] for n in draft["needed"]]
    assert [(a["action"], a["method"], a["href"]) for a in draft["actions"]] == [
        ("edit", "PATCH", path), ("withdraw", "POST", path + "/withdraw"),
    ]  # fmt: skip
    # Once what was lacking is there, the step is ready; then it is somebody else's.
    ask = {"person_id": who, "purpose": "enrolment", "fields": ["name"], "notice": dict.fromkeys(
        ("recipient", "purpose", "categories", "rights"), "x")}  # fmt: skip
    consent = f"/v1/consents/{(await s.c.ok('/v1/consents', ask))['id']}"
    asked = (await parts(trainee))["consent"]
    assert (asked["next"]["action"], asked["next"]["ready"], asked["href"]) == ("give", True, consent)
    await trainee.done(consent, "give")
    await upload(s.c, "identity", who)
    found = await parts(trainee)
    assert ("consent" in found, found["application"]["next"]["ready"]) == (False, True)
    await trainee.done(path, "submit")
    theirs = (await parts(trainee))["application"]
    assert (theirs["next"]["action"], theirs["next"]["yours"], theirs["next"]["who"]) == (
        "take_on",
        False,
        [coordinator],
    )
    ours = (await parts(s.c, f"/v1/trainees/{who}/next-steps"))["application"]
    assert (ours["next"]["yours"], ours["next"]["ready"]) == (True, True)
    assert "take_on" in [a["action"] for a in ours["actions"]]


async def test_placement_tells_the_papers_of_the_next_gate_and_their_days(house: Stage) -> None:
    path = await house.placement()
    c, trainee = house.coordinator, await house.party(TRAINEE, path)
    who = (await c.get(path)).json()["person_id"]
    found = (await parts(trainee))["placement"]
    gates = [o for o in (await c.get(path + "/actions")).json()["actions"] if o["action"] == found["next"]["action"]]
    assert [r["pointer"] for r in gates[0]["reasons"]] == [n["pointer"] for n in found["needed"]]
    plan = (await c.get(path + "/plan")).json()
    assert (found["next"]["action"], found["next"]["due_on"]) == (
        plan["steps"][0]["action"],
        plan["steps"][0]["latest_on"],
    )
    lines = {r["key"]: r for r in (await c.get(path + "/checklist")).json()["items"]}
    own = [n for n in found["needed"] if n["yours"]]
    assert own
    assert found["needed"] != own
    for n in found["needed"]:
        line = lines[n["key"]]
        assert (n["title"], n["item"], n["alternatives"]) == (line["title"], line["item"], line["alternatives"])
        assert n["due_on"] is not None
        if not n["yours"]:
            assert (n["actual"], n["hand_in"]) == (None, None)
    first = next(n for n in own if n["hand_in"])
    said = {"subject_id": first["hand_in"]["subject_id"], "key": first["hand_in"]["key"]}
    paper = await upload(trainee, "other", who)
    made = await trainee.ok(first["hand_in"]["href"], said | {"evidence": [paper], "issued_on": str(house.today)})
    again = next(n for n in (await parts(trainee))["placement"]["needed"] if n["key"] == first["key"])
    assert (again["code"], again["yours"], again["item_id"]) == ("requirement_not_accepted", False, made["id"])
    assert [w["role"] for w in again["who"]] == ["coordinator"]
    await c.done(f"/v1/requirement-items/{made['id']}", "reject", {"reason_code": "unreadable"})
    rejected = (await parts(trainee))["requirement_item"]
    assert (rejected["next"]["action"], rejected["next"]["yours"]) == ("resupply", True)


async def test_what_is_owed_runs_out_or_is_asked_to_be_corrected_is_a_part(house: Stage) -> None:
    path = await house.placement()
    await house.to_ready(path)
    shown, trainee = await house.shown(path), await house.party(TRAINEE, path)
    await house.coordinator.done(path, "depart", {"recorded_for": "agency", "evidence": shown})
    await trainee.done(path, "arrive", {"evidence": shown})
    who = (await house.coordinator.get(path)).json()["person_id"]
    ends = str(TODAY + timedelta(days=60))
    body = {"person_id": who, "kind": "language", "test": "jlpt", "level": "N4", "valid_until": ends}
    certificate = f"/v1/certificates/{(await trainee.ok('/v1/certificates', body))['id']}"
    assert (await parts(trainee))["certificate"]["next"]["action"] == "verify"
    await house.coordinator.done(certificate, "verify", {"evidence": shown})
    await trainee.ok("/v1/correction-requests", {"person_id": who, "subject": "placement", "subject_id": plain(path),
                                                 "field": "starts_on", "wrong": "วันเริ่มงานไม่ถูกต้อง"})  # fmt: skip
    found = await parts(trainee)
    assert (found["certificate"]["next"]["action"], found["certificate"]["next"]["due_on"]) == ("record", ends)
    assert [n["text"] for n in found["certificate"]["needed"]] == [f"It runs out on {ends}: another one is needed."]
    owed = found["obligation"]
    assert (owed["title"], owed["next"]["due_on"], owed["next"]["yours"]) == (
        "Register the address", str(house.today + 14 * DAY), True,
    )  # fmt: skip
    assert [n["who"] for n in found["placement"]["needed"] if n["code"] == "terms_confirmed"] == [
        [{"role": "trainee", "label": "Trainee"}]
    ]
    asked = found["correction_request"]
    assert (asked["next"]["action"], asked["next"]["yours"], asked["next"]["due_on"]) == (
        "accept", False, str(TODAY + timedelta(days=15)),
    )  # fmt: skip
    own_first = [p["subject"] for p in (await trainee.get(MINE)).json()["items"][0]["parts"]]
    assert own_first[-1] == "correction_request"


async def test_next_steps_are_a_persons_own(world: World) -> None:
    s = await Studies.begin(world)
    who, neighbour = await person(s.c, papers=False), await person(s.c, papers=False, name_native="Ольга")
    await s.application(who, until="draft")
    other = await world.client(TRAINEE, person_ids=(UUID(neighbour),))
    foreign = await world.client(COORDINATOR, institution=await world.other())
    path = f"/v1/trainees/{who}/next-steps"
    for client in (other, foreign):
        assert (await client.get(path)).status_code == 404
    assert (await other.get(MINE)).json()["items"] == [
        {"person_id": neighbour, "stage": "prospect", "stage_label": "Known, nothing yet", "parts": []}
    ]
    assert (await foreign.get(MINE)).json() == {"items": []}
    guardian = await world.client(GUARDIAN, person_ids=(UUID(who), UUID(neighbour)))
    assert {p["person_id"]: len(p["parts"]) for p in (await guardian.get(MINE)).json()["items"]} == {
        who: 1, neighbour: 0,
    }  # fmt: skip
    tie = (await s.c.ok("/v1/relationships", ENTERPRISE_BODY))["created"]["organisation"]
    enterprise = await world.client(ENTERPRISE, organisation_id=tie)
    for client in (enterprise, await world.client(INSTRUCTOR)):
        assert [(await client.get(p)).status_code for p in (path, MINE)] == [403, 403]
    assert (await s.c.get(MINE)).json() == {"items": []}
