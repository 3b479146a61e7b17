"""Courses and programmes over HTTP."""

from __future__ import annotations

from uuid import uuid4

from service.domain.actors import COORDINATOR, PARTNER, TRAINEE
from tests.api.studying import STAGES, Studies, person, plain
from tests.conftest import World

COURSE = {
    "code": "J101",
    "title_native": "基础日语",
    "title_latin": "Basic Japanese",
    "credits": "4.5",
    "kind": "theory",
}
PARTNER_BODY = {
    "organisation": {
        "kind": "partner_institution", "name_native": "東海大学", "name_latin": "Tokai University", "country": "JP",
        "time_zone": "Asia/Tokyo", "registration_no": "77",
    },
    "role": "partner_institution",
}  # fmt: skip


async def test_course_is_published_in_editions_that_stay(world: World) -> None:
    c = await world.client(COORDINATOR)
    first = await c.ok("/v1/courses", COURSE | {"hours": 72})
    second = await c.ok("/v1/courses", COURSE | {"credits": "5"})
    assert [r["code"] for r in (await c.post("/v1/courses", COURSE | {"edition": 2})).json()["reasons"]] == [
        "edition_new"
    ]
    listed = (await c.get("/v1/courses", code="J101")).json()["items"]
    assert [(i["id"], i["edition"], i["credits"], i["hours"]) for i in listed] == [
        (first["id"], 1, "4.5", 72), (second["id"], 2, "5", None),
    ]  # fmt: skip
    await c.done(f"/v1/courses/{first['id']}", "retire")
    assert (await c.done(f"/v1/courses/{first['id']}", "correct", {"note": "still taught"}))["state"] == "published"
    assert (await c.done(f"/v1/courses/{second['id']}", "correct", {"note": "typed twice"}))["state"] == "voided"
    assert (await c.ok("/v1/courses", COURSE | {"edition": 2}))["state"] == "published"


async def test_course_of_a_partner_is_theirs_to_see(world: World) -> None:
    c = await world.client(COORDINATOR)
    owner = (await c.ok("/v1/relationships", PARTNER_BODY))["created"]["organisation"]
    ours, theirs = await c.ok("/v1/courses", COURSE), await c.ok("/v1/courses", COURSE | {"owner_id": owner})
    unknown = await c.post("/v1/courses", COURSE | {"owner_id": str(uuid4())})
    assert (unknown.status_code, [r["code"] for r in unknown.json()["reasons"]]) == (409, ["organisation_known"])
    assert [i["id"] for i in (await c.get("/v1/courses", owner_id=owner)).json()["items"]] == [theirs["id"]]
    partner = await world.client(PARTNER, organisation_id=owner)
    assert [i["id"] for i in (await partner.get("/v1/courses")).json()["items"]] == [theirs["id"]]
    assert (await partner.post("/v1/courses", COURSE)).status_code == 403
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(f"/v1/courses/{ours['id']}")).status_code == 404


async def test_programme_is_approved_activated_and_retired(world: World) -> None:
    s = await Studies.begin(world)
    read = (await s.c.get(s.programme)).json()
    told = [{"languages": []} | stage for stage in STAGES]
    assert (read["state"], read["stages"], read["curriculum_no"]) == ("active", told, None)
    assert await s.c.refused(s.programme, "retire") == ["no_running_intake"]
    assert await s.c.refused(s.programme, "correct", {"note": "-"}) == ["no_intake"]
    await s.c.done(s.intake, "cancel", {"reason_code": "low_demand"})
    assert (await s.c.done(s.programme, "retire"))["state"] == "retired"
    body = {"programme_id": plain(s.programme), "code": "x", "opens_on": "2026-01-01", "closes_on": "2026-01-01"}
    late = await s.c.post("/v1/intakes", body | {"starts_on": "2026-01-01"})
    assert [r["code"] for r in late.json()["reasons"]] == ["programme_active"]


async def test_programme_draft_is_edited_by_coordinators_and_unseen_by_trainees(world: World) -> None:
    c = await world.client(COORDINATOR)
    body = {
        "code": "W1", "title_native": "焊接", "title_latin": "Welding", "kind": "vocational", "level": 4,
        "field": "0715", "stages": STAGES[:1], "languages": [{"test": "jlpt", "level": "N4"}],
    }  # fmt: skip
    path = f"/v1/programmes/{(await c.ok('/v1/programmes', body))['id']}"
    assert [r["code"] for r in (await c.post("/v1/programmes", body)).json()["reasons"]] == ["programmes_one_of_code"]
    done = await c.patch(path, {"title_latin": "Welding II", "certificates": ["skill"]}, version=1)
    assert done.status_code == 200, done.text
    read = (await c.get(path)).json()
    assert (read["title_latin"], read["certificates"], read["languages"]) == (
        "Welding II", ["skill"], [{"test": "jlpt", "level": "N4", "purpose": None}],
    )  # fmt: skip
    assert await c.refused(path, "approve", status=403) == ["role"]
    trainee = await world.client(TRAINEE, person_ids=[await person(c, papers=False)])
    assert (await trainee.get(path)).status_code == 404


async def test_programme_curricula_are_versions(world: World) -> None:
    s = await Studies.begin(world)
    one, two = [(await s.c.ok("/v1/courses", COURSE | {"code": code}))["id"] for code in ("A1", "A2")]
    first = [{"course_id": one, "stage": 1}, {"course_id": two, "stage": 2, "required": False}]
    await s.c.done(s.programme, "set_curriculum", {"courses": first})
    await s.c.done(f"/v1/courses/{two}", "retire")
    said = {"courses": [{"course_id": two, "stage": 1}]}
    assert await s.c.refused(s.programme, "set_curriculum", said) == ["course_known"]
    await s.registrar.done(s.programme, "set_curriculum", {"courses": first[:1]})
    found = (await s.c.get(s.programme + "/curricula")).json()["items"]
    assert [(v["no"], [(x["code"], x["stage"], x["required"], x["credits"]) for x in v["courses"]]) for v in found] == [
        (2, [("A1", 1, True, "4.5")]),
        (1, [("A1", 1, True, "4.5"), ("A2", 2, False, "4.5")]),
    ]
    assert (await s.c.get(s.programme)).json()["curriculum_no"] == 2
    assert await s.c.refused(f"/v1/courses/{one}", "correct", {"note": "-"}) == ["not_in_curriculum"]
    assert await s.c.refused(s.programme, "correct", {"note": "-"}) == ["correctable"]
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(s.programme + "/curricula")).status_code == 404
