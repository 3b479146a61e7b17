"""Applications over HTTP: from a draft to a place, the waiting list, or a reason why not."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from service.actions.applications import TIMERS
from service.actions.timers import ring
from service.domain.actors import COORDINATOR, REGISTRAR, TRAINEE
from tests.api.studying import Studies, consent, crowd, day, people, person, plain, upload
from tests.conftest import World


def codes(answer: Any) -> list[str]:
    return [r["code"] for r in answer["reasons"]]


async def test_application_leads_to_a_place_and_an_enrolment(world: World) -> None:
    s = await Studies.begin(world)
    who = await person(s.c)
    path = await s.application(who)
    done = await s.c.done(path, "select")
    assert done["state"] == "selected"
    read = (await s.c.get(path)).json()
    assert (read["source"], read["enrolment_id"]) == ("*", done["created"]["enrolment"])
    enrolment = (await s.c.get(f"/v1/enrolments/{read['enrolment_id']}")).json()
    assert {k: enrolment[k] for k in ("state", "person_id", "holds_place", "stage", "abroad")} == {
        "state": "pending", "person_id": who, "holds_place": True, "stage": 1, "abroad": False,
    }  # fmt: skip
    assert await s.taken() == 1
    assert (await s.c.get(f"/v1/trainees/{who}")).json()["stage"] == "enrolled"
    events = (await s.c.get(s.intake + "/events")).json()["items"]
    assert (events[-1]["type"], events[-1]["action_id"]) == ("intake.place_taken", done["action_id"])
    assert events[-1]["data"] == {"source": "*", "enrolment_id": read["enrolment_id"]}


async def test_application_is_submitted_with_consent_and_identity_while_the_intake_is_open(world: World) -> None:
    s = await Studies.begin(world)
    who = await person(s.c, papers=False)
    path = await s.application(who, until="draft")
    assert await s.c.refused(path, "submit") == ["consent_given", "identity_shown"]
    await consent(s.c, who)
    paper = await upload(s.c, "identity", who)
    trainee = await world.client(TRAINEE, person_ids=[who])
    before = await trainee.act(path, "submit", {"occurred_on": day(-11)})
    assert codes(before.json()) == ["occurred_on_in_range"]
    await s.c.done(f"/v1/documents/{paper}", "reject", {"reason_code": "unreadable"})
    assert await trainee.refused(path, "submit") == ["identity_shown"]
    await upload(trainee, "passport", who)
    await s.c.done(s.intake, "close")
    assert await trainee.refused(path, "submit") == ["intake_open"]
    await s.c.done(s.intake, "correct", {"note": "too early"})
    await trainee.done(path, "submit")
    assert (await trainee.get(path)).json()["submitted_on"] == day(0)
    assert await trainee.refused(path, "take_on", status=403) == ["role"]


async def test_application_is_one_a_person_and_intake(world: World) -> None:
    s = await Studies.begin(world)
    who = await person(s.c)
    body = {"person_id": who, "intake_id": plain(s.intake)}
    answers = await asyncio.gather(*[s.c.post("/v1/applications", body) for _ in range(4)])
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]
    path = f"/v1/applications/{next(a for a in answers if a.status_code == 201).json()['id']}"
    assert codes((await s.c.post("/v1/applications", body)).json()) == ["one_live_application"]
    await s.c.done(path, "withdraw")
    again = f"/v1/applications/{(await s.c.ok('/v1/applications', body))['id']}"
    assert await s.c.refused(path, "correct", {"note": "-"}) == ["one_live_application"]
    for action in ("submit", "take_on", "find_eligible", "select"):
        await s.c.done(again, action)
    assert codes((await s.c.post("/v1/applications", body)).json()) == ["not_enrolled_yet"]
    nowhere = await s.c.post("/v1/applications", body | {"intake_id": str(uuid4())})
    assert codes(nowhere.json()) == ["intake_announced"]


async def test_application_is_seen_by_its_person_and_the_institution(world: World) -> None:
    s = await Studies.begin(world)
    who = await person(s.c)
    trainee = await world.client(TRAINEE, person_ids=[who])
    own = (await trainee.ok("/v1/applications", {"person_id": who, "intake_id": plain(s.intake)}))["id"]
    other = await s.application(until="draft")
    assert [i["id"] for i in (await trainee.get("/v1/applications")).json()["items"]] == [own]
    assert (await trainee.get(other)).status_code == 404
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(other)).status_code == 404
    assert (
        await stranger.post("/v1/applications", {"person_id": who, "intake_id": plain(s.intake)})
    ).status_code == 404
    registrar = await world.client(REGISTRAR)
    assert await registrar.refused(other, "submit", status=403) == ["role"]


async def test_application_documents_are_asked_for_and_supplied(world: World) -> None:
    s = await Studies.begin(world)
    who = await person(s.c)
    path = await s.application(who, until="under_review")
    await s.c.done(path, "ask_documents", {"documents": ["diploma", "photo", "diploma"]})
    trainee = await world.client(TRAINEE, person_ids=[who])
    offers = (await trainee.get(path + "/actions")).json()["actions"]
    closed = next(o for o in offers if o["action"] == "supply_documents")
    assert [(r["code"], r["actual"]) for r in closed["reasons"]] == [("documents_supplied", ["diploma", "photo"])]
    await upload(trainee, "diploma", who)
    await upload(trainee, "photo", who)
    edited = await trainee.patch(path, {"education_level": 3}, version=4)
    assert edited.status_code == 200, edited.text
    await trainee.done(path, "supply_documents")
    read = (await s.c.get(path)).json()
    assert (read["state"], read["documents_asked"], read["education_level"]) == (
        "under_review",
        ["diploma", "photo"],
        3,
    )


async def test_application_is_found_eligible_or_not_by_what_the_intake_asks_for(world: World) -> None:
    s = await Studies.begin(
        world, level_least=3, age_most=18, nationalities=["TH"], languages=[{"test": "jlpt", "level": "N4"}]
    )
    path = await s.application(until="under_review")
    assert await s.c.refused(path, "find_eligible") == [
        "level_reached", "age_within", "nationality_taken", "language_proven",
    ]  # fmt: skip
    await s.c.done(path, "find_ineligible", {"reason_code": "age"})
    assert (await s.c.get(path)).json()["reason_code"] == "age"
    assert (await s.c.done(path, "correct", {"note": "the wrong person"}))["state"] == "under_review"
    assert (await s.c.get(path)).json()["reason_code"] is None


async def test_application_takes_a_place_of_its_own_source(world: World) -> None:
    s = await Studies.begin(world, quotas={"云南": 1, "*": 1})
    paths = [await s.application(await person(s.c, origin=o)) for o in ("云南", "云南", "四川")]
    assert [(await s.c.get(p)).json()["source"] for p in paths] == ["云南", "云南", "*"]
    await s.c.done(paths[0], "select")
    assert await s.c.refused(paths[1], "select") == ["place_free"]
    await s.c.done(paths[2], "select")
    assert (await s.taken("云南"), await s.taken("*")) == (1, 1)
    await s.c.done(paths[1], "correct", {"note": "counts under another source"})
    assert await s.c.refused(paths[1], "find_eligible", {"source": "四川"}) == ["source_known"]
    approval = {"plan_authority": "省教育厅", "plan_number": "31", "plan_version": "2"}
    await s.c.done(s.intake, "set_quotas", approval | {"quotas": [{"source": "四川", "places": 1}]})
    await s.c.done(paths[1], "find_eligible", {"source": "四川"})
    await s.c.done(paths[1], "select")
    assert await s.taken("四川") == 1


async def test_application_without_a_source_in_the_plan_waits_for_one(world: World) -> None:
    s = await Studies.begin(world, quotas={"云南": 1})
    path = await s.application()
    assert await s.c.refused(path, "select") == ["source_in_plan"]


async def test_application_leaves_the_waiting_list_in_order_of_rank(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 3})
    items = await s.many(4)
    await s.c.ok("/v1/applications/bulk/waitlist", {"items": items})
    paths = [f"/v1/applications/{i['id']}" for i in items]
    assert [(await s.c.get(p)).json()["rank"] for p in paths] == [1, 2, 3, 4]
    late = await s.application()
    assert await s.c.refused(late, "waitlist", {"rank": 2}) == ["rank_free"]
    await s.c.done(late, "waitlist", {"rank": 9})
    assert await s.c.refused(paths[1], "select") == ["in_order_of_rank"]
    await s.c.done(paths[3], "select", {"reason_code": "priority_group"})
    chosen = [{"id": plain(p), "version": (await s.c.get(p)).json()["version"]} for p in paths[:3]]
    done = await s.c.ok("/v1/applications/bulk/select", {"items": chosen})
    assert [(i["done"], codes(i)) for i in done["items"]] == [(True, []), (True, []), (False, ["place_free"])]
    assert (await s.c.done(paths[0], "correct", {"note": "-"}))["state"] == "waitlisted"
    assert [(await s.c.get(p)).json()["rank"] for p in (paths[0], paths[2], late)] == [1, 3, 9]
    assert await s.c.refused(paths[2], "select") == ["in_order_of_rank"]


async def test_application_selection_taken_back_frees_the_place_and_voids_the_enrolment(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 1})
    path, other = await s.application(), await s.application()
    enrolment = f"/v1/enrolments/{(await s.c.done(path, 'select'))['created']['enrolment']}"
    assert await s.c.refused(enrolment, "correct", {"note": "-"}) == ["correctable"]
    assert (await s.c.done(path, "correct", {"note": "the wrong one"}))["state"] == "eligible"
    assert await s.taken() == 0
    read = (await s.c.get(enrolment)).json()
    assert (read["state"], read["holds_place"]) == ("voided", False)
    who = (await s.c.get(path)).json()["person_id"]
    assert (await s.c.get(f"/v1/trainees/{who}")).json()["stage"] == "applicant"
    await s.c.done(other, "select")
    assert await s.c.refused(path, "select") == ["place_free"]
    enrolled = f"/v1/enrolments/{(await s.c.get(other)).json()['enrolment_id']}"
    await s.c.done(enrolled, "cancel", {"reason_code": "no_show"})
    assert await s.c.refused(other, "correct", {"note": "-"}) == ["enrolment_pending"]
    assert (await s.c.done(path, "select"))["state"] == "selected"
    assert await s.taken() == 1


async def test_application_selections_at_once_take_exactly_the_places(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 3})
    items = await s.many(50)
    answers = await asyncio.gather(
        *[s.c.post(f"/v1/applications/{i['id']}/select", {}, version=i["version"]) for i in items]
    )
    assert sorted(a.status_code for a in answers) == [200] * 3 + [409] * 47
    assert {tuple(codes(a.json())) for a in answers if a.status_code == 409} == {("place_free",)}
    assert await s.taken() == 3
    taken = [e for e in (await s.c.get(s.intake + "/events")).json()["items"] if e["type"] == "intake.place_taken"]
    assert len(taken) == 3
    held = (await s.c.get("/v1/enrolments", intake_id=plain(s.intake))).json()["items"]
    assert [e["state"] for e in held] == ["pending"] * 3


async def test_application_selection_in_bulk_takes_the_places_and_refuses_the_rest(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 50})
    done = await s.c.ok("/v1/applications/bulk/select", {"items": await s.many(60)})
    assert (done["done"], done["refused"]) == (50, 10)
    assert [codes(i) for i in done["items"] if not i["done"]] == [["place_free"]] * 10
    assert await s.taken() == 50


async def test_application_decisions_on_five_hundred_give_exactly_the_places(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 7})
    items = await s.many(500, await crowd(world, s.c, 500))
    halves = await asyncio.gather(
        *[s.c.ok("/v1/applications/bulk/select", {"items": half}) for half in (items[:250], items[250:])]
    )
    assert sorted(h["done"] for h in halves) == [0, 7]
    refused = [i for h in halves for i in h["items"] if not i["done"]]
    assert (len(refused), {tuple(codes(i)) for i in refused}) == (493, {("place_free",)})
    assert await s.taken() == 7
    left = [{"id": i["id"], "version": next(x["version"] for x in items if x["id"] == i["id"])} for i in refused]
    waiting = await s.c.ok("/v1/applications/bulk/waitlist", {"items": left[:200]})
    declined = await s.c.ok("/v1/applications/bulk/decline", {"items": left, "reason_code": "plan_full"})
    assert (waiting["done"], declined["done"], declined["refused"]) == (200, 293, 200)
    assert {i["error"] for i in declined["items"][:200]} == {"stale"}
    listed = (await s.c.get(s.intake + "/waiting-list", limit=200)).json()["items"]
    assert [(i["id"], i["rank"]) for i in listed] == [(i["id"], n) for n, i in enumerate(left[:200], 1)]


async def test_application_left_over_by_an_ended_intake_is_closed_out_by_the_clock(world: World) -> None:
    s = await Studies.begin(world)
    path = await s.application(until="draft")
    (timer,) = TIMERS
    assert await ring(world.services, timer, world.institution) == 0
    # As it would be had the intake ended while the application was being drafted.
    async with world.services.database.connection() as con, world.services.database.transaction(con, world.institution):
        await con.execute("SET LOCAL ROLE NONE")
        await con.execute("SET LOCAL session_replication_role = replica")
        await con.execute("UPDATE intakes SET state = 'cancelled' WHERE id = $1", plain(s.intake))
    assert await ring(world.services, timer, world.institution) == 1
    read = (await s.c.get(path)).json()
    assert (read["state"], read["reason_code"]) == ("not_selected", "intake_closed")
    assert await ring(world.services, timer, world.institution) == 0


async def test_application_decisions_in_bulk_carry_reasons_notes_and_evidence_of_their_own(world: World) -> None:
    """What an item says goes before what is said for all; all of it is still one act."""
    s = await Studies.begin(world, quotas={"*": 7})
    who = await people(s.c, 4)
    each = [{"person_id": who[0], "note": "Her sister applies too."}]
    drafted = {"person_ids": who[1:], "each": each, "intake_id": plain(s.intake), "note": "By the spring list."}
    made = (await s.c.ok("/v1/applications/bulk/draft", drafted))["items"]
    items = [{"id": i["id"], "version": i["version"]} for i in made]
    for action in ("submit", "take_on", "find_eligible"):
        done = await s.c.ok(f"/v1/applications/bulk/{action}", {"items": items})
        items = [{"id": i["id"], "version": i["version"]} for i in done["items"]]
    paper = await upload(s.c, "other", who[1])
    own: list[dict[str, Any]] = [
        {"evidence": [paper]}, {"reason_code": "rank_too_low", "note": "Ranked 41st."}, {"evidence": [str(uuid4())]}, {},
    ]  # fmt: skip
    body = {"items": [i | o for i, o in zip(items, own, strict=True)], "reason_code": "plan_full"}
    done = await s.c.ok("/v1/applications/bulk/decline", body)
    assert [(i["done"], codes(i)) for i in done["items"]] == [
        (True, []), (True, []), (False, ["evidence_known"]), (True, []),
    ]  # fmt: skip
    mended = items[2] | {"reason_code": "other"}
    lacking = await s.c.post("/v1/applications/bulk/decline", {"items": [mended, items[3]]})
    assert (lacking.status_code, [(r["code"], r["pointer"]) for r in lacking.json()["reasons"]]) == (
        422, [("missing", "/items/1/reason_code")],
    )  # fmt: skip
    nowhere = await s.c.post("/v1/applications/bulk/decline", {"items": items[2:]})
    assert [(r["code"], r["pointer"]) for r in nowhere.json()["reasons"]] == [("missing", "/reason_code")]
    assert (await s.c.ok("/v1/applications/bulk/decline", {"items": [mended]}))["done"] == 1
    told = [(await s.c.get(f"/v1/applications/{i['id']}/events")).json()["items"] for i in items]
    assert [(e[-1]["reason_code"], e[-1]["note"]) for e in told] == [
        ("plan_full", None), ("rank_too_low", "Ranked 41st."), ("other", None), ("plan_full", None),
    ]  # fmt: skip
    assert [e[-1]["evidence"] for e in told] == [[paper], [], [], []]
    assert {e[0]["note"] for e in told} == {"By the spring list.", "Her sister applies too."}
    assert len({told[n][-1]["action_id"] for n in (0, 1, 3)}) == 1
    strange = await s.c.post("/v1/applications/bulk/decline", {"items": [items[2] | {"colour": "red"}]})
    assert [(r["code"], r["pointer"]) for r in strange.json()["reasons"]] == [("extra_forbidden", "/items/0/colour")]
    twice = await s.c.post("/v1/applications/bulk/draft", drafted | {"person_ids": [who[0]]})
    assert [r["code"] for r in twice.json()["reasons"]] == ["ids_distinct"]
    nobody = await s.c.post("/v1/applications/bulk/draft", {"intake_id": plain(s.intake)})
    assert [(r["code"], r["pointer"]) for r in nobody.json()["reasons"]] == [("ids_given", "/person_ids")]
