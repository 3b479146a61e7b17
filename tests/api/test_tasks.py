"""What waits for whom, over HTTP: every role's own list, by day, page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from service.domain.actors import ADMIN, AGENCY, ENTERPRISE, INSTRUCTOR, PARTNER, READER, REGISTRAR, TRAINEE
from tests.api.studying import Studies, day, plain
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.api.test_training import Staff, person, session
from tests.conftest import TODAY, Client, World
from tests.jobs import Jobs
from tests.placed import DAY, Stage


async def tasks(client: Client, **query: Any) -> list[dict[str, Any]]:
    """The whole list, by pages."""
    found: list[dict[str, Any]] = []
    following: str | None = None
    while True:
        page = await client.get("/v1/me/tasks", **query, **({"after": following} if following else {}))
        assert page.status_code == 200, page.text
        found += page.json()["items"]
        following = page.json()["next"]
        if following is None:
            return found


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [t["task"] for t in found]


async def test_tasks_follow_a_candidacy_from_hand_to_hand(world: World) -> None:
    jobs = await Jobs.of(world)
    c, clerk = jobs.coordinator, jobs.clerk
    request = await jobs.drafted()
    await clerk.done(request, "submit")
    assert [t["task"] for t in await tasks(c) if t["subject"] == "placement_request"] == ["take_on_request"]
    for action in ("take_on", "approve", "open"):
        await c.done(request, action)
    (person,) = await jobs.people(1)
    trainee = await jobs.trainee(person)
    ids = await jobs.identified(request, [person])
    waits = {"identified": (c, "ask_consent"), "consent_pending": (trainee, "answer_nomination"),
             "nominated": (clerk, "look_at_candidate"), "selected": (clerk, "make_offer"),
             "offered": (trainee, "answer_offer")}  # fmt: skip
    everybody = {"c": c, "clerk": clerk, "trainee": trainee}
    for state, (whose, task) in waits.items():
        if state != "identified":
            path = f"/v1/candidacies/{ids[0]}"
            now = (await c.get(path)).json()["state"]
            way = ["identified", "consent_pending", "nominated", "shortlisted", "selected", "offered"]
            acts: list[tuple[str, dict[str, Any]]] = [
                ("ask_consent", {}),
                ("nominate", {"recorded_for": "trainee"} | jobs.by_paper),
                ("shortlist", {"recorded_for": "enterprise"} | jobs.by_paper),
                ("choose", {"recorded_for": "enterprise", "assessment": "paper_selection", "reason_code": "skills"} | jobs.by_paper),
                ("offer", {"recorded_for": "enterprise", "offer_ends_at": f"{TODAY + timedelta(days=5)}T12:00:00Z"} | jobs.by_paper),
            ]  # fmt: skip
            for action, body in acts[way.index(now) : way.index(state)]:
                await c.done(path, action, body)
        for client in everybody.values():
            mine = [t for t in await tasks(client) if t["subject"] == "candidacy"]
            assert kinds(mine) == ([task] if client is whose else []), (state, task)
    (answer,) = [t for t in await tasks(trainee) if t["task"] == "answer_offer"]
    assert (answer["action"], answer["subject_id"], answer["overdue"]) == ("accept", ids[0], False)
    assert answer["due_on"] == str(TODAY + timedelta(days=5))
    assert answer["label"] == "Answer the offer"
    trainee.headers["accept-language"] = "zh"
    assert (await tasks(trainee))[0]["label"] == "答复录用要约"
    # The request is cancelled: everybody of it waits for another place.
    await c.done(request, "cancel", {"reason_code": "position_filled"})
    again = [t for t in await tasks(c) if t["task"] == "place_again"]
    assert [(t["subject"], t["subject_id"], t["person_id"]) for t in again] == [("trainee", person, person)]
    await jobs.identified(await jobs.open(), [person])
    assert [t for t in await tasks(c) if t["task"] == "place_again"] == []


async def test_tasks_of_a_placement_and_of_what_is_owed(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    item = UUID(path.rsplit("/", 1)[1])
    await house.to_ready(path)
    agency, enterprise, trainee = [await house.party(r, path) for r in (AGENCY, ENTERPRISE, TRAINEE)]
    assert kinds(await tasks(agency)) == ["send_off", "obligation"]
    shown = await house.shown(path)
    await c.done(path, "depart", {"recorded_for": "agency", "evidence": shown})
    await trainee.done(path, "arrive", {"evidence": shown})
    assert kinds(await tasks(agency)) == ["obligation", "obligation"]
    assert sorted(kinds(await tasks(enterprise))) == ["obligation", "start_work"]
    mine = await tasks(trainee)
    assert (mine[0]["about"], mine[0]["label"]) == ("address_registration", "Register the address")
    assert [(t["task"], t["action"], t["due_on"]) for t in mine] == [
        ("obligation", "fulfil", str(house.today + 14 * DAY)), ("confirm_terms", "confirm_terms", str(house.today + 40 * DAY)),
    ]  # fmt: skip
    assert kinds(await tasks(trainee, due_until=str(house.today + 14 * DAY))) == ["obligation"]
    await house.sql("UPDATE obligations SET due_on = $1 WHERE rule = 'address_registration'", house.today - DAY)
    assert kinds(await tasks(trainee, overdue="true")) == ["obligation"]
    assert kinds(await tasks(trainee, overdue="false")) == ["confirm_terms"]
    # What was recorded for the agency is contested by it, and a coordinator has to answer.
    assert await agency.refused(path, "contest", {"note": "-"}, 409)  # the last step is the trainee's own
    await house.sql("UPDATE placements SET contested_seq = event_seq WHERE id = $1", item)
    contested = [t for t in await tasks(c) if t["task"] == "answer_contest"]
    assert [(t["subject"], t["subject_id"], t["action"]) for t in contested] == [("placement", str(item), "uphold")]
    assert kinds(await tasks(c, task="answer_contest")) == ["answer_contest"]


async def test_tasks_of_a_school(world: World) -> None:
    s = await Studies.begin(world)
    await s.application(until="submitted")
    assert "take_on_application" in kinds(await tasks(s.c))
    made = await s.c.ok(
        "/v1/programmes",
        {"code": "W-1", "title_native": "焊接", "title_latin": "Welding", "kind": "x_plus_x", "level": 5,
         "field": "0715", "stages": [{"no": 1, "place": "home", "years": "2", "title": "Home", "credits_required": "6"}]},
    )  # fmt: skip
    assert [t["subject_id"] for t in await tasks(s.admin) if t["task"] == "approve_programme"] == [made["id"]]
    for role in (READER, REGISTRAR):
        assert await tasks(await world.client(role)) == []


async def test_tasks_of_an_instructor_are_of_their_own_classes(world: World) -> None:
    staff = await Staff.of(world)
    other = await world.client(INSTRUCTOR)
    path = await staff.klass(starts_on=day(-3))
    assert [(t["task"], t["due_on"], t["overdue"]) for t in await tasks(staff.i)] == [("start_class", day(-3), True)]
    await staff.i.done(path, "start")
    assert await tasks(staff.i) == []
    await staff.i.done(path, "schedule_sessions", {"sessions": [session(-2), session(-1), session(3)]})
    (waiting,) = await tasks(staff.i)
    assert (waiting["task"], waiting["due_on"], waiting["subject_id"]) == ("take_attendance", day(-2), plain(path))
    assert await tasks(other) == []


async def test_tasks_of_an_enterprise_have_hours_to_confirm(world: World) -> None:
    staff = await Staff.of(world)
    tie = await staff.c.ok("/v1/relationships", ENTERPRISE_BODY)
    enterprise = await world.client(ENTERPRISE, organisation_id=UUID(tie["created"]["organisation"]))
    path = await staff.klass("running", kind="dual", enterprise_id=tie["created"]["organisation"], hours_required="40")
    assert await tasks(enterprise) == []
    member = (await staff.join(path, await person(staff.c)))[0]
    assert [(t["task"], t["subject_id"], t["due_on"], t["person_id"]) for t in await tasks(enterprise)] == [
        ("confirm_hours", plain(path), day(30), None)
    ]
    for hours, left in (("39.5", 1), ("40", 0)):
        await enterprise.done(path, "confirm_hours", {"hours": [{"membership_id": plain(member), "hours": hours}]})
        assert len(await tasks(enterprise)) == left


async def test_tasks_come_by_day_and_by_pages(world: World) -> None:
    jobs = await Jobs.of(world)
    people = await jobs.people(7)
    await jobs.identified(await jobs.open(seats=7), people)
    whole = await tasks(jobs.coordinator)
    assert len(whole) == 7 + 1  # and the paper that a relationship was verified by
    for limit in (1, 3, 8):
        assert await tasks(jobs.coordinator, limit=limit) == whole
    keys = [(t["due_on"] or "9999", t["subject_id"]) for t in whole]
    assert keys == sorted(keys)
    assert [t["person_id"] for t in await tasks(jobs.coordinator, person_id=people[0])] == [people[0]]
    for bad in ({"after": "x"}, {"after": "A" * 60}, {"task": "sleep"}, {"due_until": "0001-01-01"}, {"limit": 0}):
        assert (await jobs.coordinator.get("/v1/me/tasks", **bad)).status_code == 422, bad


async def test_tasks_are_nobodys_elsewhere(world: World) -> None:
    jobs = await Jobs.of(world)
    await jobs.identified(await jobs.open(), await jobs.people(2))
    elsewhere = await world.other()
    for role in (ADMIN, REGISTRAR, READER):
        assert await tasks(await world.client(role, institution=elsewhere)) == []
    partner = await world.client(PARTNER, organisation_id=UUID(jobs.organisation))
    assert await tasks(partner) == []
