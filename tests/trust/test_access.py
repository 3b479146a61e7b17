"""Who saw whose data: what an organisation is shown leaves a trace that the person reads, once a day for each thing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import AGENCY, COORDINATOR, ENTERPRISE, INSTRUCTOR, REGISTRAR, TRAINEE
from tests.api.studying import day
from tests.api.test_documents import person
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.api.test_training import Staff
from tests.conftest import TODAY, Client, World
from tests.jobs import Jobs
from tests.placed import Stage


async def seen(client: Client, who: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/trainees/{who}/access", **query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_what_an_enterprise_is_shown_is_told_to_the_person(world: World) -> None:
    jobs = await Jobs.of(world)
    request = await jobs.open()
    who, neighbour = await jobs.people(2)
    trainee, other = await jobs.trainee(who), await jobs.trainee(neighbour)
    (mine, _) = await jobs.up_to("consent_pending", request, [who, neighbour])
    await jobs.clerk.get("/v1/candidacies")
    assert await seen(trainee, who) == []
    path = f"/v1/candidacies/{mine}"
    await trainee.done(path, "nominate")
    for client in (jobs.coordinator, trainee):
        await client.get(path)
    assert await seen(trainee, who) == []
    shown: list[dict[str, Any]] = []
    for _ in range(2):
        shown = (await jobs.clerk.get("/v1/candidacies")).json()["items"]
        await jobs.clerk.get(path)
    assert [c["person_id"] for c in shown] == [who]
    (line,) = await seen(trainee, who)
    consent = (await trainee.get(path)).json()["consent_id"]
    me = (await jobs.clerk.get("/v1/me")).json()["account_id"]
    open_ = {n for n, v in shown[0]["person"].items() if not (isinstance(v, dict) and v.get("masked")) and n != "id"}
    assert line | {"at": "", "fields": []} == {
        "kind": "seen", "at": "", "seen_on": str(TODAY), "account_id": me, "account_name": None, "roles": ["enterprise"],
        "organisation_id": jobs.organisation, "organisation": "泰华机电", "fields": [], "subject": "candidacy",
        "subject_id": mine, "consent_id": consent, "purpose": None,
    }  # fmt: skip
    told = (await trainee.get(f"/v1/consents/{consent}")).json()["notice"]["steps"]["nominated"]
    assert line["fields"] == sorted(told)
    assert bool(open_) == bool({"name", "sex", "birth_on", "nationality", "contacts"} & set(told))
    # Another step shows more: another line, and the first one stays.
    await jobs.clerk.done(path, "shortlist")
    await jobs.clerk.get(path)
    assert [(i["subject_id"], i["fields"] == line["fields"]) for i in await seen(jobs.coordinator, who)] in (
        [(mine, True)], [(mine, False), (mine, True)],
    )  # fmt: skip
    assert await seen(other, neighbour) == []
    # Once the consent is withdrawn nothing is shown, and nothing more is noted.
    await trainee.done(f"/v1/consents/{consent}", "withdraw")
    before = await seen(trainee, who)
    assert (await jobs.clerk.get(path)).status_code == 404
    assert await seen(trainee, who) == before


async def test_who_opened_what_is_sealed_stands_beside_it_by_pages(world: World) -> None:
    c, registrar = await world.client(COORDINATOR), await world.client(REGISTRAR)
    who = await person(c, name_native="Нгуен Тхи")
    neighbour = await person(c)
    trainee = await world.client(TRAINEE, person_ids=(UUID(who),))
    for n in range(3):
        await registrar.ok(f"/v1/trainees/{who}/sealed", {"purpose": f"visa form {n}"})
    whole = await seen(trainee, who)
    assert [(i["kind"], i["purpose"], i["account_name"], i["roles"]) for i in whole] == [
        ("opened", f"visa form {n}", None, ["registrar"]) for n in (2, 1, 0)
    ]  # fmt: skip
    assert {i["account_name"] for i in await seen(c, who)} == {"registrar"}
    found: list[dict[str, Any]] = []
    following: str | None = None
    while True:
        more = {"after": following} if following else {}
        page = (await trainee.get(f"/v1/trainees/{who}/access", limit=2, **more)).json()
        found, following = found + page["items"], page["next"]
        if following is None:
            break
    assert found == whole
    for bad in ("x", "A" * 32, "A" * 60):
        assert (await trainee.get(f"/v1/trainees/{who}/access", after=bad)).status_code in (200, 422)
    other = await world.client(TRAINEE, person_ids=(UUID(neighbour),))
    stranger = await world.client(COORDINATOR, institution=await world.other())
    for client in (other, stranger):
        assert (await client.get(f"/v1/trainees/{who}/access")).status_code == 404
    tie = (await c.ok("/v1/relationships", ENTERPRISE_BODY))["created"]["organisation"]
    for client in (await world.client(ENTERPRISE, organisation_id=tie), await world.client(INSTRUCTOR)):
        assert (await client.get(f"/v1/trainees/{who}/access")).status_code == 403


@pytest.mark.parametrize(("role", "fields"), [(ENTERPRISE, ["placement"]), (AGENCY, ["name", "placement"])])
async def test_placement_that_is_read_is_noted(house: Stage, role: Any, fields: list[str]) -> None:
    path = await house.placement()
    party = await house.party(role, path)
    who = (await house.coordinator.get(path)).json()["person_id"]
    assert await seen(house.coordinator, who) == []
    for asked in (path, "/v1/placements", "/v1/checklists", "/v1/placements/export"):
        assert (await party.get(asked)).status_code == 200
    lines = await seen(house.coordinator, who)
    assert [(i["subject"], i["fields"], i["roles"]) for i in lines] == [("placement", fields, [role])]


async def test_page_notes_whom_it_shows_and_nobody_more(world: World, dsn: str) -> None:
    jobs = await Jobs.of(world)
    people = await jobs.people(3)
    await jobs.up_to("nominated", await jobs.open(seats=3), people)
    shown = (await jobs.clerk.get("/v1/candidacies", limit=2)).json()["items"]
    noted = [who for who in people if await seen(jobs.coordinator, who)]
    assert sorted(noted) == sorted(i["person_id"] for i in shown)
    assert len(noted) == 2


async def test_hours_that_an_enterprise_reads_are_noted(world: World) -> None:
    staff = await Staff.of(world)
    tie = (await staff.c.ok("/v1/relationships", ENTERPRISE_BODY))["created"]["organisation"]
    enterprise = await world.client(ENTERPRISE, organisation_id=UUID(tie))
    path = await staff.klass("running", kind="dual", enterprise_id=tie, hours_required="40", ends_on=day(60))
    who = await person(staff.c)
    (member,) = await staff.join(path, who)
    assert (await enterprise.get(path + "/hours")).status_code == 200
    assert [(i["subject"], i["subject_id"], i["fields"]) for i in await seen(staff.c, who)] == [
        ("membership", member.rsplit("/", 1)[1], ["hours"])
    ]
