"""Intakes over HTTP: the plan, the clock, and what ends when an intake does."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from service.actions.intakes import TIMERS
from service.actions.timers import ring
from service.domain.actors import COORDINATOR, INSTRUCTOR, TRAINEE
from tests.api.studying import Studies, day, person, plain, upload
from tests.conftest import World

APPROVAL = {"plan_authority": "省教育厅", "plan_number": "12", "plan_version": "1"}


def quotas(**places: int) -> dict[str, Any]:
    return {"quotas": [{"source": s, "places": n} for s, n in places.items()]}


async def test_intake_is_published_with_its_plans_approval(world: World) -> None:
    s = await Studies.begin(world)
    path = await s.planned_intake({}, nationalities=["CN"], languages=[{"test": "jlpt", "level": "N5"}], age_least=17)
    assert await s.c.refused(path, "publish", APPROVAL) == ["places_planned"]
    await s.c.done(path, "set_quotas", quotas(云南=2, 四川=1))
    edited = await s.c.patch(path, {"code": "2026-X", "age_most": 30}, version=2)
    assert edited.status_code == 200, edited.text
    missing = await s.c.post(path + "/publish", {}, version=3)
    assert missing.status_code == 422
    await s.c.done(path, "publish", APPROVAL)
    read = (await s.c.get(path)).json()
    wanted = {"state", "code", "nationalities", "languages", "age_least", "age_most", "quotas", *APPROVAL}
    assert {k: read[k] for k in wanted} == APPROVAL | {
        "state": "published", "code": "2026-X", "nationalities": ["CN"], "age_least": 17, "age_most": 30,
        "languages": [{"test": "jlpt", "level": "N5", "purpose": None}],
        "quotas": [
            {"source": "云南", "kind": "other", "places": 2, "taken": 0},
            {"source": "四川", "kind": "other", "places": 1, "taken": 0},
        ],
    }  # fmt: skip
    instructor = await world.client(INSTRUCTOR)
    assert await instructor.refused(path, "open", status=403) == ["role"]
    assert (await s.c.done(path, "correct", {"note": "the wrong approval"}))["state"] == "draft"
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(path)).status_code == 404
    trainee = await world.client(TRAINEE, person_ids=[await person(s.c, papers=False)])
    assert [i["id"] for i in (await trainee.get("/v1/intakes")).json()["items"]] == [plain(s.intake)]


async def test_intake_opens_and_closes_by_the_clock(world: World) -> None:
    s = await Studies.begin(world)
    opening, closing = TIMERS
    path = await s.planned_intake({"*": 1}, opens_on=day(2), closes_on=day(3))
    await s.c.done(path, "publish", APPROVAL)
    now = datetime.now(UTC)
    rung: list[tuple[int, str]] = []
    for timer, days in ((opening, 1), (opening, 2), (opening, 2), (closing, 3), (closing, 4), (closing, 5)):
        count = await ring(world.services, timer, world.institution, at=now + timedelta(days=days))
        rung.append((count, (await s.c.get(path)).json()["state"]))
    assert rung == [(0, "published"), (1, "open"), (0, "open"), (0, "open"), (1, "closed"), (0, "closed")]
    assert (await s.c.get(s.intake)).json()["state"] == "open"


async def test_intake_opened_and_closed_early_says_so(world: World) -> None:
    s = await Studies.begin(world)
    path = await s.open_intake({"*": 1}, opens_on=day(2), closes_on=day(3))
    assert (await s.c.get(path)).json()["opens_on"] == day(0)
    await s.c.done(path, "reschedule", {"closes_on": day(9), "starts_on": day(50)})
    assert await s.c.refused(path, "reschedule", {"closes_on": day(51)}) == ["dates_in_order"]
    await s.c.done(path, "close")
    read = (await s.c.get(path)).json()
    assert (read["closes_on"], read["starts_on"]) == (day(0), day(50))
    assert (await s.c.done(path, "correct", {"note": "not yet"}))["state"] == "open"


async def test_intake_cancelled_ends_what_hangs_on_it(world: World) -> None:
    s = await Studies.begin(world)
    pending, other = await s.enrolment(), await s.application(until="submitted")
    waiting = await s.application()
    await s.c.done(waiting, "waitlist")
    assert (await s.c.done(s.intake, "cancel", {"reason_code": "low_demand"}))["state"] == "cancelled"
    for path in (other, waiting):
        read = (await s.c.get(path)).json()
        assert (read["state"], read["reason_code"]) == ("not_selected", "intake_cancelled")
    enrolment = (await s.c.get(pending)).json()
    assert {k: enrolment[k] for k in ("state", "holds_place", "reason_code")} == {
        "state": "cancelled", "holds_place": False, "reason_code": "intake_cancelled",
    }  # fmt: skip
    assert await s.taken() == 0
    person_id = enrolment["person_id"]
    assert (await s.c.get(f"/v1/trainees/{person_id}")).json()["stage"] == "inactive"
    acts = [
        (await s.c.get(p + "/events")).json()["items"][-1]["action_id"] for p in (pending, other, waiting, s.intake)
    ]
    assert len(set(acts)) == 1
    assert await s.c.refused(s.intake, "correct", {"note": "-"}) == ["nobody_closed_out"]
    assert await s.c.refused(other, "correct", {"note": "-"}) == ["correctable"]


async def test_intake_cancelled_before_anybody_applied_comes_back(world: World) -> None:
    s = await Studies.begin(world)
    await s.c.done(s.intake, "cancel", {"reason_code": "low_demand"})
    assert (await s.c.done(s.intake, "correct", {"note": "the wrong one"}))["state"] == "open"
    await s.application(until="draft")
    assert await s.c.refused(s.intake, "correct", {"note": "-"}) == ["no_application"]


async def test_intake_completes_when_every_application_is_decided(world: World) -> None:
    s = await Studies.begin(world)
    enrolment, draft, waiting, undecided = (
        await s.enrolment(), await s.application(until="draft"), await s.application(), await s.application(),
    )  # fmt: skip
    await s.c.done(waiting, "waitlist")
    await s.c.done(s.intake, "close")
    assert await s.c.refused(s.intake, "complete") == ["every_application_decided"]
    await s.c.done(undecided, "decline", {"reason_code": "rank_too_low"})
    await s.c.done(s.intake, "complete")
    states = [(await s.c.get(p)).json()["state"] for p in (enrolment, draft, waiting, undecided)]
    assert states == ["pending", "not_selected", "not_selected", "not_selected"]
    assert await s.c.refused(undecided, "correct", {"note": "-"}) == ["intake_not_over"]
    assert await s.c.refused(s.intake, "cancel", {"reason_code": "other"}) == ["not_from_this_state"]


AGAIN = APPROVAL | {"plan_number": "31", "plan_version": "2"}


async def test_intake_keeps_as_many_places_as_are_taken(world: World) -> None:
    s = await Studies.begin(world)
    await s.enrolment()
    fewer = AGAIN | {"quotas": [{"source": "*", "places": 0}]}
    assert await s.c.refused(s.intake, "set_quotas", fewer) == ["places_in_bounds"]
    await s.c.done(
        s.intake, "set_quotas",
        AGAIN | {"quotas": [{"source": "*", "places": 1}, {"source": "TH", "places": 4, "kind": "country"}]},
    )  # fmt: skip
    assert (await s.c.get(s.intake)).json()["quotas"] == [
        {"source": "*", "kind": "any", "places": 1, "taken": 1},
        {"source": "TH", "kind": "country", "places": 4, "taken": 0},
    ]


async def test_intake_with_other_places_has_another_approval(world: World) -> None:
    s = await Studies.begin(world)
    places = {"quotas": [{"source": "*", "places": 9}]}
    assert await s.c.refused(s.intake, "set_quotas", places) == ["input_required"] * 3
    same = AGAIN | {"plan_version": "1"}
    assert await s.c.refused(s.intake, "set_quotas", places | same) == ["plan_version_new"]
    await s.c.done(s.intake, "set_quotas", places | AGAIN)
    read = (await s.c.get(s.intake)).json()
    assert {k: read[k] for k in AGAIN} == AGAIN
    event = (await s.c.get(s.intake + "/events")).json()["items"][-1]
    assert (event["type"], event["data"]) == ("intake.quotas_set", AGAIN | {"places": {"*": 9}})


# ---- places between sources
def move(source: str, to: str, places: int) -> dict[str, Any]:
    return {"from_source": source, "to_source": to, "places": places, "reason_code": "low_demand"}


async def test_intake_moves_places_between_sources_with_a_reason(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 2, "云南": 3})
    await s.enrolment()
    offered = next(o for o in (await s.c.get(s.intake + "/actions")).json()["actions"] if o["action"] == "move_places")
    bounds = {i["name"]: {k: i[k] for k in ("least", "most", "choices") if k in i} for i in offered["inputs"]}
    assert {name: bounds[name] for name in ("from_source", "to_source", "places")} == {
        "from_source": {"choices": ["*", "云南"]}, "to_source": {"choices": ["*", "云南"]},
        "places": {"least": 1, "most": 3},
    }  # fmt: skip
    assert await s.c.refused(s.intake, "move_places", move("*", "云南", 2)) == ["places_left"]
    assert await s.registrar.refused(s.intake, "move_places", move("*", "云南", 1), status=403) == ["role"]
    done = await s.c.done(s.intake, "move_places", move("云南", "*", 3))
    assert done["state"] == "open"
    assert [(q["source"], q["places"], q["taken"]) for q in (await s.c.get(s.intake)).json()["quotas"]] == [
        ("*", 5, 1), ("云南", 0, 0),
    ]  # fmt: skip
    event = (await s.c.get(s.intake + "/events")).json()["items"][-1]
    assert (event["type"], event["reason_code"], event["data"]) == (
        "intake.places_moved", "low_demand", {"from_source": "云南", "to_source": "*", "places": 3},
    )  # fmt: skip
    assert await s.c.refused(s.intake, "correct", {"note": "-"}) == ["correctable"]


async def test_intake_places_moved_while_they_are_taken_are_never_held_twice(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 4, "云南": 0})
    items = await s.many(8)
    version = (await s.c.get(s.intake)).json()["version"]
    acts = [s.c.post(f"/v1/applications/{i['id']}/select", {}, version=i["version"]) for i in items]
    acts[3:3] = [s.c.post(s.intake + "/move_places", move("*", "云南", 1), version=version) for _ in range(3)]
    answers = await asyncio.gather(*acts)
    quotas = {q["source"]: (q["places"], q["taken"]) for q in (await s.c.get(s.intake)).json()["quotas"]}
    moved = sum(a.status_code == 200 for a in answers[3:6])
    taken = sum(a.status_code == 200 for a in answers[:3] + answers[6:])
    assert quotas == {"*": (4 - moved, taken), "云南": (moved, 0)}
    assert moved + taken == 4
    assert {a.status_code for a in answers} <= {200, 409, 412}


async def test_intake_counts_people_by_province_country_and_class(world: World) -> None:
    s = await Studies.begin(world)
    plan = [
        {"source": "云南", "places": 1, "kind": "province"},
        {"source": "CN", "places": 1, "kind": "country"},
        {"source": "四川", "places": 1, "kind": "order_class"},
    ]
    s.intake = await s.planned_intake({})
    await s.c.done(s.intake, "set_quotas", {"quotas": plan})
    for action, said in (("publish", APPROVAL), ("open", {})):
        await s.c.done(s.intake, action, said)
    paths = [await s.application(await person(s.c, origin=o)) for o in ("云南", "四川")]
    named = await s.application(until="under_review")
    await s.c.done(named, "find_eligible", {"source": "四川"})
    assert [(await s.c.get(p)).json()["source"] for p in (*paths, named)] == ["云南", "CN", "四川"]


# ---- the waiting list, and papers
Lack = tuple[str, list[str], list[str]]


async def waiting(s: Studies, **asked: Any) -> list[tuple[str, int, int]]:
    listed = (await s.c.get(s.intake + "/waiting-list", **asked)).json()["items"]
    return [(i["id"], i["rank"], i["position"]) for i in listed]


async def test_intake_waiting_list_is_read_in_order_and_says_who_is_next(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 1})
    first = await s.enrolment()
    ids = [i["id"] for i in (await s.c.ok("/v1/applications/bulk/waitlist", {"items": await s.many(3)}))["items"]]
    listed = (await s.c.get(s.intake + "/waiting-list", limit=2)).json()
    full = {"source": "*", "kind": "any", "places": 1, "taken": 1, "left": 0, "waiting": 3, "next": ids[0]}
    assert listed["sources"] == [full]
    assert [i["id"] for i in listed["items"]] == ids[:2]
    assert await waiting(s, after=listed["next"]) == [(ids[2], 3, 3)]
    assert await waiting(s, source="云南") == []
    await s.c.done(first, "cancel", {"reason_code": "no_show"})
    listed = (await s.c.get(s.intake + "/waiting-list")).json()
    assert listed["sources"] == [full | {"taken": 0, "left": 1}]
    await s.c.done(f"/v1/applications/{listed['sources'][0]['next']}", "select")
    assert await waiting(s) == [(ids[1], 2, 1), (ids[2], 3, 2)]
    trainee = await world.client(TRAINEE, person_ids=[listed["items"][0]["person_id"]])
    assert (await trainee.get(s.intake + "/waiting-list")).status_code == 403
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(s.intake + "/waiting-list")).status_code == 404


async def test_intake_counts_its_own_who_wait_beside_those_of_another(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 1})
    other = s.intake
    theirs = [i["id"] for i in (await s.c.ok("/v1/applications/bulk/waitlist", {"items": await s.many(2)}))["items"]]
    s.intake = await s.open_intake({"*": 1})
    ours = [i["id"] for i in (await s.c.ok("/v1/applications/bulk/waitlist", {"items": await s.many(3)}))["items"]]
    told = [(await s.c.get(path + "/waiting-list")).json()["sources"][0] for path in (other, s.intake)]
    assert [(t["waiting"], t["next"]) for t in told] == [(2, theirs[0]), (3, ours[0])]


async def test_intake_gives_those_who_wait_another_order(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 1})
    ids = [i["id"] for i in (await s.c.ok("/v1/applications/bulk/waitlist", {"items": await s.many(4)}))["items"]]
    order = [ids[3], ids[0], ids[2]]
    done = await s.c.done(s.intake, "rerank", {"applications": order, "reason_code": "new_scores"})
    assert await waiting(s) == [(ids[3], 1, 1), (ids[1], 2, 2), (ids[0], 3, 3), (ids[2], 4, 4)]
    own = [(await s.c.get(f"/v1/applications/{i}/events")).json()["items"][-1] for i in order]
    assert [(e["type"], e["data"]["rank"], e["action_id"]) for e in own] == [
        ("application.reranked", rank, done["action_id"]) for rank in (1, 3, 4)
    ]
    assert await s.c.refused(f"/v1/applications/{ids[0]}", "select") == ["in_order_of_rank"]
    stranger = await s.application()
    wrong = {"applications": [ids[0], plain(stranger)], "reason_code": "mistake"}
    assert await s.c.refused(s.intake, "rerank", wrong) == ["named_waits"]
    assert (await s.c.done(f"/v1/applications/{ids[1]}", "correct", {"note": "too early"}))["state"] == "eligible"
    await s.c.done(f"/v1/applications/{ids[3]}", "select")


async def test_intake_asks_for_a_test_that_is_good_for_admission_on_the_day(world: World, dsn: str) -> None:
    """Two years of HSK: found out when eligible, again when selected, and in the list of what is missing."""
    proof = {"test": "hsk_2", "level": "4", "purpose": "chinese_admission"}
    s = await Studies.begin(world, languages=[proof])
    assert (await s.c.get(s.intake)).json()["languages"] == [proof]
    ids, paths = [], []
    for taken in (day(-700), day(-740), None):
        who = await person(s.c)
        paths.append(await s.application(who, until="under_review"))
        if taken is not None:
            paper = await upload(s.c, "certificate", who)
            body = {"person_id": who, "kind": "language", "test": "hsk_2", "level": "5", "taken_on": taken,
                    "issued_on": taken, "document_id": paper}  # fmt: skip
            ids.append((await s.c.ok("/v1/certificates", body))["id"])
            await s.registrar.done(f"/v1/certificates/{ids[-1]}", "verify", {"evidence": [paper]})
    late = await s.c.act(paths[1], "find_eligible")
    (reason,) = late.json()["reasons"]
    ends = (date.fromisoformat(day(-740)) + timedelta(days=731)).isoformat()[:7]
    assert (reason["code"], reason["required"]) == ("language_proven", ["hsk_2 4 (chinese_admission)"])
    assert reason["actual"][0].startswith(f"hsk_2 5 (hsk-2-admission, {ends}")

    async def lacking(**asked: Any) -> list[tuple[str, list[str], int]]:
        answer = await s.c.get(s.intake + "/missing-documents", **asked)
        return [(i["id"], i["language"], len(i["held_back"])) for i in answer.json()["items"]]

    wanted = ["hsk_2 4 (chinese_admission)"]
    assert await lacking() == [(plain(paths[1]), wanted, 1), (plain(paths[2]), wanted, 0)]
    assert await lacking(kind="photo") == []
    await s.c.done(paths[0], "find_eligible")
    con = await asyncpg.connect(dsn)
    try:  # a year goes by before the places are given
        await con.execute("UPDATE certificates SET taken_on = taken_on - 365 WHERE id = $1", ids[0])
        assert await s.c.refused(paths[0], "select") == ["language_proven"]
        await con.execute("UPDATE certificates SET taken_on = taken_on + 365 WHERE id = $1", ids[0])
    finally:
        await con.close()
    await s.c.done(paths[0], "select")
    assert [i[0] for i in await lacking()] == [plain(p) for p in paths[1:]]


async def test_intake_tells_who_lacks_which_papers(world: World) -> None:
    s = await Studies.begin(world, documents=["diploma", "photo", "diploma"])
    assert (await s.c.get(s.intake)).json()["documents"] == ["diploma", "photo"]
    people = [await person(s.c) for _ in range(3)]
    bare = await person(s.c, papers=False)
    paths = [await s.application(p, until="under_review") for p in people]
    draft = await s.application(bare, until="draft")
    assert await s.c.refused(paths[0], "find_eligible") == ["documents_supplied"]
    for who, kinds in zip(people, (("diploma", "photo"), ("diploma",), ("photo",)), strict=True):
        for kind in kinds:
            await upload(s.c, kind, who)
    rejected = await upload(s.c, "diploma", people[2])
    await s.c.done(f"/v1/documents/{rejected}", "reject", {"reason_code": "unreadable"})
    await s.c.done(paths[1], "ask_documents", {"documents": ["transcript"]})

    async def lacking(**asked: Any) -> list[Lack]:
        answer = await s.c.get(s.intake + "/missing-documents", **asked)
        assert answer.status_code == 200, answer.text
        return [(i["id"], i["missing"], i["rejected"]) for i in answer.json()["items"]]

    one: Lack = (plain(paths[1]), ["photo", "transcript"], [])
    two: Lack = (plain(paths[2]), ["diploma"], ["diploma"])
    three: Lack = (plain(draft), ["diploma", "identity", "photo"], [])
    assert await lacking() == [one, two, three]
    assert await lacking(kind="diploma") == [two, three]
    assert await lacking(rejected="true") == [two]
    assert await lacking(rejected="false", state="draft") == [three]
    page = (await s.c.get(s.intake + "/missing-documents", limit=1)).json()
    assert await lacking(after=page["next"]) == [two, three]
    assert (await s.c.get(s.intake + "/missing-documents", kind="secret")).status_code == 422
    await s.c.done(paths[0], "find_eligible")
