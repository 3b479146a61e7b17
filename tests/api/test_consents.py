"""Consents over HTTP: asked with a notice, decided by whoever may decide, withdrawn as easily."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from service.domain.actors import COORDINATOR, ENTERPRISE, GUARDIAN, INSTRUCTOR, TRAINEE
from tests.api.test_documents import person, upload
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import TODAY, Client, World

NOTICE = {
    "recipient": "東海精機株式会社",
    "purpose": "to be considered for a placement",
    "categories": "name, languages, skills",
    "rights": "to see, to correct, to withdraw at any time",
}
MINOR = {"birth_on": "2012-01-01", "guardian": {"name": "王强", "relation": "father", "phone": "+8613800000000"}}


async def asked(c: Client, trainee: str, **more: Any) -> str:
    body = {"person_id": trainee, "purpose": "statistics", "fields": ["sex", "skills"], "notice": NOTICE} | more
    return f"/v1/consents/{(await c.ok('/v1/consents', body))['id']}"


async def test_consent_is_asked_given_and_withdrawn(world: World) -> None:
    c = await world.client(COORDINATOR)
    trainee_id = await person(c)
    trainee = await world.client(TRAINEE, person_ids=(trainee_id,))
    organisation = (await c.ok("/v1/relationships", ENTERPRISE_BODY))["created"]["organisation"]
    enterprise = await world.client(ENTERPRISE, organisation_id=organisation)
    last = (TODAY + timedelta(days=300)).isoformat()
    path = await asked(c, trainee_id, purpose="nomination", recipient_id=organisation, ends_on=last)
    shown = (await trainee.get(path)).json()
    assert (shown["state"], shown["notice"], shown["fields"], shown["in_force"]) == (
        "requested",
        NOTICE,
        ["sex", "skills"],
        False,
    )
    assert (await enterprise.get(path)).status_code == 404
    assert await trainee.refused(path, "give", {"ends_on": (TODAY + timedelta(days=301)).isoformat()}) == [
        "out_of_bounds"
    ]
    earlier = (TODAY + timedelta(days=200)).isoformat()
    assert (await trainee.done(path, "give", {"ends_on": earlier}))["state"] == "given"
    given = (await enterprise.get(path)).json()
    assert (given["state"], given["ends_on"], given["in_force"]) == ("given", earlier, True)
    assert given["given_on"] is not None
    assert (await trainee.done(path, "withdraw"))["state"] == "withdrawn"
    assert (await enterprise.get(path)).status_code == 404
    assert (await trainee.get(path)).json()["in_force"] is False
    assert await c.refused(path, "correct", {"note": "they did not mean it"}) == ["correctable"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"purpose": "nomination"}, "recipient_named"),
        ({"recipient_id": str(uuid4())}, "organisation_known"),
        ({"notice": {}}, "notice_whole"),
        ({"notice": NOTICE | {"rights": " "}}, "notice_whole"),
        ({"fields": ["shoe_size"]}, "consent_field_known"),
        ({"fields": []}, "input_required"),
        ({"ends_on": "2020-01-01"}, "out_of_bounds"),
    ],
)
async def test_consent_request_tells_enough(world: World, changed: dict[str, Any], code: str) -> None:
    c = await world.client(COORDINATOR)
    body = {"person_id": await person(c), "purpose": "statistics", "fields": ["sex"], "notice": NOTICE} | changed
    answer = await c.post("/v1/consents", body)
    assert (answer.status_code, [r["code"] for r in answer.json()["reasons"]]) == (409, [code])


async def test_consent_of_a_minor_is_given_by_the_guardian(world: World) -> None:
    c = await world.client(COORDINATOR)
    child = await person(c, **MINOR)
    trainee = await world.client(TRAINEE, person_ids=(child,))
    guardian = await world.client(GUARDIAN, person_ids=(child,))
    path = await asked(c, child)
    assert await trainee.refused(path, "give") == ["guardian_speaks_for_minor"]
    offered = {o["action"]: o["open"] for o in (await trainee.get(path + "/actions")).json()["actions"]}
    assert (offered["give"], offered["refuse"]) == (False, True)
    evidence = [(await upload(c, person_id=child, kind="consent_form")).json()["id"]]
    recorded = {"recorded_for": "trainee", "evidence": evidence}
    assert await c.refused(path, "give", recorded) == ["guardian_speaks_for_minor"]
    assert (await guardian.done(path, "give"))["state"] == "given"
    assert (await trainee.done(path, "withdraw"))["state"] == "withdrawn"
    second = await asked(c, child)
    assert (await c.done(second, "give", recorded | {"recorded_for": "guardian"}))["state"] == "given"
    assert (await guardian.done(second, "contest", {"note": "never signed"}))["state"] == "given"


async def test_consent_of_an_adult_is_nobody_elses(world: World) -> None:
    c = await world.client(COORDINATOR)
    adult = await person(c)
    guardian = await world.client(GUARDIAN, person_ids=(adult,))
    path = await asked(c, adult)
    for action in ("give", "refuse"):
        assert await guardian.refused(path, action) == ["adult_speaks_for_themselves"]
    evidence = [(await upload(c, person_id=adult, kind="consent_form")).json()["id"]]
    for action in ("give", "refuse"):
        assert await c.refused(path, action, {"recorded_for": "guardian", "evidence": evidence}) == [
            "adult_speaks_for_themselves"
        ]
    assert await c.refused(path, "give") == ["recorded_for_required"]
    assert await c.refused(path, "give", {"recorded_for": "trainee"}) == ["evidence_required"]
    assert (await c.done(path, "refuse", {"recorded_for": "trainee", "evidence": evidence}))["state"] == "refused"


async def test_consent_is_no_business_of_others(world: World) -> None:
    c, instructor = await world.client(COORDINATOR), await world.client(INSTRUCTOR)
    path = await asked(c, await person(c))
    neighbour = await world.client(TRAINEE, person_ids=(await person(c, name_native="李娜", name_latin="LI, NA"),))
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await instructor.get(path)).status_code == 403
    for client in (neighbour, stranger):
        assert (await client.get(path)).status_code == 404
        assert (await client.post(path + "/give", version=1)).status_code == 404
        assert (await client.get("/v1/consents")).json()["items"] == []


async def test_consent_correction_and_bulk_request(world: World) -> None:
    c = await world.client(COORDINATOR)
    people = [await person(c), await person(c, name_native="李娜", name_latin="LI, NA")]
    body = {"person_ids": people, "purpose": "statistics", "fields": ["sex"], "notice": NOTICE}
    made = await c.ok("/v1/consents/bulk/request", body)
    assert (made["done"], made["refused"]) == (2, 0)
    listed = (await c.get("/v1/consents", state="requested", purpose="statistics")).json()["items"]
    assert sorted(r["person_id"] for r in listed) == sorted(people)
    trainee = await world.client(TRAINEE, person_ids=(people[0],))
    own = next(r for r in listed if r["person_id"] == people[0])
    path = f"/v1/consents/{own['id']}"
    await trainee.done(path, "give")
    assert (await c.done(path, "correct", {"note": "for somebody else"}))["state"] == "requested"
    assert (await c.get(path)).json()["given_on"] is None
