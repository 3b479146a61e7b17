"""Enrolments over HTTP: stages, leaves, waivers, and every way out with the place that it gives back."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.actors import COORDINATOR, TRAINEE
from tests.api.studying import STAGES, Studies, consent, day, person, plain, upload
from tests.conftest import Client, World

COURSE = {"title_native": "护理", "title_latin": "Nursing", "kind": "theory"}


async def accepted(c: Client, kind: str, who: str) -> None:
    """A document that somebody accepted."""
    await c.done(f"/v1/documents/{await upload(c, kind, who)}", "accept")


async def enrolled(s: Studies) -> tuple[str, str]:
    """Somebody who is enrolled: the person, and the path of the enrolment."""
    who = await person(s.c)
    await accepted(s.c, "identity", who)
    path = await s.enrolment(who)
    await s.c.done(path, "enrol", {"fee": "paid"})
    return who, path


async def result(s: Studies, who: str, course: str, credits_: str) -> None:
    """A passed result of our own, verified."""
    body = {
        "person_id": who, "source": "home", "course_id": course, "course_title": "护理", "credits": credits_,
        "scheme": "cn-college@2026", "passed": True, "achieved_on": day(0),
    }  # fmt: skip
    made = (await s.registrar.ok("/v1/results", body))["id"]
    evidence = {"evidence": [await upload(s.c, "transcript", who)]}
    await s.registrar.done(f"/v1/results/{made}", "verify", evidence)


async def test_enrolment_begins_with_a_verified_identity_and_a_settled_fee(world: World) -> None:
    s = await Studies.begin(world)
    who = await person(s.c)
    path = await s.enrolment(who)
    assert await s.c.refused(path, "enrol", {"fee": "scholarship"}) == ["identity_verified"]
    await accepted(s.c, "passport", who)
    assert await s.registrar.refused(path, "enrol", {"fee": "paid"}, status=403) == ["role"]
    await s.c.done(path, "enrol", {"fee": "scholarship"})
    assert (await s.c.get(path)).json()["fee"] == "scholarship"
    assert (await s.c.done(path, "correct", {"note": "not yet"}))["state"] == "pending"
    read = (await s.c.get(path)).json()
    assert (read["fee"], read["holds_place"]) == (None, True)
    trainee = await world.client(TRAINEE, person_ids=[who])
    assert (await trainee.get("/v1/enrolments")).json()["items"][0]["id"] == read["id"]
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(path)).status_code == 404


async def test_enrolment_goes_through_its_stages_by_credits_and_required_courses(world: World) -> None:
    s = await Studies.begin(world)
    courses = [
        (await s.c.ok("/v1/courses", COURSE | {"code": code, "credits": credits_}))["id"]
        for code, credits_ in (("A1", "4"), ("A2", "2"), ("B1", "4"))
    ]
    curriculum = [{"course_id": course, "stage": stage} for course, stage in zip(courses, (1, 1, 2), strict=True)]
    await s.c.done(s.programme, "set_curriculum", {"courses": curriculum})
    who, path = await enrolled(s)
    await s.c.done(s.programme, "set_curriculum", {"courses": curriculum[:1]})
    assert await s.registrar.refused(path, "advance_stage") == ["stage_credits", "required_courses"]
    await result(s, who, courses[0], "4")
    assert await s.registrar.refused(path, "advance_stage") == ["stage_credits", "required_courses"]
    paper = {"evidence": [await upload(s.c, "other", who)]}
    said: dict[str, Any] = {"credits": "2", "courses": [courses[1]], "reason_code": "prior_learning"}
    assert await s.registrar.refused(path, "waive_credits", said) == ["evidence_required"]
    assert await s.registrar.refused(path, "waive_credits", said | paper | {"courses": [courses[2]]}) == [
        "course_outstanding"
    ]
    await s.registrar.done(path, "waive_credits", said | paper)
    await s.c.done(path, "correct", {"note": "another person's"})
    assert await s.registrar.refused(path, "advance_stage") == ["stage_credits", "required_courses"]
    await s.registrar.done(path, "waive_credits", said | paper)
    assert await s.registrar.refused(path, "complete") == ["in_last_stage"]
    await s.registrar.done(path, "advance_stage")
    assert await s.registrar.refused(path, "advance_stage") == ["stage_follows", "stage_credits", "required_courses"]
    await s.c.done(path, "correct", {"note": "too early"})
    assert (await s.c.get(path)).json()["stage"] == 1
    await s.registrar.done(path, "advance_stage")
    assert await s.registrar.refused(path, "complete") == ["stage_credits", "required_courses"]
    await result(s, who, courses[2], "4")
    await s.registrar.done(path, "complete")
    assert (await s.c.get(f"/v1/trainees/{who}")).json()["stage"] == "alumni"


async def test_enrolment_tells_of_each_stage_what_is_there_and_what_is_missing(world: World) -> None:
    s = await Studies.begin(world)
    stages = [STAGES[0] | {"languages": [{"test": "jlpt", "level": "N4"}]}, STAGES[1]]
    s.programme = await s.active_programme(stages=stages)
    s.intake = await s.open_intake({"*": 1})
    ids = [
        (await s.c.ok("/v1/courses", COURSE | {"code": code, "credits": credits_}))["id"]
        for code, credits_ in (("A1", "4"), ("A2", "2"), ("B1", "4"))
    ]
    curriculum = [{"course_id": course, "stage": stage} for course, stage in zip(ids, (1, 1, 2), strict=True)]
    await s.c.done(s.programme, "set_curriculum", {"courses": curriculum})
    who, path = await enrolled(s)
    await result(s, who, ids[0], "4")
    paper = {"evidence": [await upload(s.c, "other", who)], "reason_code": "prior_learning"}
    await s.registrar.done(path, "waive_credits", {"credits": "1.5", "courses": [ids[1]]} | paper)
    trainee = await world.client(TRAINEE, person_ids=[who])
    home, abroad = (await trainee.get(path + "/stages")).json()["items"]
    assert home == {
        "no": 1, "place": "home", "title": "Home", "standing": "present", "fulfilled": False, "required": "6",
        "earned": "4", "recognised": "0", "waived": "1.5", "missing": "0.5", "languages": ["jlpt N4"],
        "language_missing": True, "courses_missing": [],
        "courses": [
            {"course_id": ids[0], "code": "A1", "required": True, "credits": "4", "standing": "earned"},
            {"course_id": ids[1], "code": "A2", "required": True, "credits": "2", "standing": "waived"},
        ],
    }  # fmt: skip
    assert {k: abroad[k] for k in ("standing", "missing", "courses_missing", "language_missing", "fulfilled")} == {
        "standing": "ahead", "missing": "4", "courses_missing": [ids[2]], "language_missing": False, "fulfilled": False,
    }  # fmt: skip
    closed = next(
        o for o in (await s.registrar.get(path + "/actions")).json()["actions"] if o["action"] == "advance_stage"
    )
    assert [(r["code"], r["required"], r["actual"]) for r in closed["reasons"]] == [
        ("stage_credits", "6", "5.5"), ("stage_language", ["jlpt N4"], []),
    ]  # fmt: skip
    stranger = await world.client(TRAINEE, person_ids=[await person(s.c, papers=False)])
    assert (await stranger.get(path + "/stages")).status_code == 404


async def test_enrolment_takes_leave_and_resumes(world: World) -> None:
    s = await Studies.begin(world)
    _, path = await enrolled(s)
    leave = {"leave_from": day(1), "leave_until": day(90), "reason_code": "health"}
    await s.c.done(path, "take_leave", leave)
    assert (await s.c.get(path)).json()["leave_until"] == day(90)
    await s.c.done(path, "correct", {"note": "not granted"})
    assert (await s.c.get(path)).json()["leave_until"] is None
    await s.c.done(path, "take_leave", leave)
    assert (await s.c.done(path, "resume"))["state"] == "enrolled"


async def test_enrolment_gives_its_place_back_whichever_way_it_ends(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 1})
    path = await s.enrolment()
    await s.c.done(path, "cancel", {"reason_code": "no_show"})
    assert await s.taken() == 0
    who, path = await enrolled(s)
    assert await s.taken() == 1
    trainee = await world.client(TRAINEE, person_ids=[who])
    await trainee.done(path, "withdraw", {"reason_code": "personal"})
    assert await s.taken() == 0
    other = await s.enrolment()
    assert await s.c.refused(path, "correct", {"note": "stays"}) == ["place_free"]
    await s.c.done(other, "withdraw", {"reason_code": "family"})
    assert (await s.c.done(path, "correct", {"note": "stays"}))["state"] == "enrolled"
    assert await s.taken() == 1
    assert await s.c.refused(path, "dismiss", {"reason_code": "fraud"}) == ["evidence_required"]
    evidence = {"evidence": [await upload(s.c, "other", who)]}
    await s.c.done(path, "dismiss", {"reason_code": "fraud"} | evidence)
    read = (await s.c.get(path)).json()
    assert (read["state"], read["reason_code"], read["holds_place"]) == ("dismissed", "fraud", False)
    assert await s.taken() == 0
    types = [e["type"] for e in (await s.c.get(s.intake + "/events")).json()["items"]][3:]
    assert types == ["intake.place_taken", "intake.place_freed"] * 3 + ["intake.place_taken", "intake.place_freed"]


@pytest.mark.parametrize(("was", "left"), [("pending", 0), ("enrolled", 1)])
async def test_enrolment_keeps_its_place_taken_once_the_intake_is_closed(world: World, was: str, left: int) -> None:
    s = await Studies.begin(world)
    path = await s.enrolment() if was == "pending" else (await enrolled(s))[1]
    await s.c.done(s.intake, "close")
    await s.c.done(path, "withdraw", {"reason_code": "personal"})
    assert await s.taken() == left
    assert (await s.c.done(path, "correct", {"note": "stays"}))["state"] == was
    assert await s.taken() == 1


async def test_enrolments_cancelled_in_bulk_free_their_places_together(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 4})
    done = await s.c.ok("/v1/applications/bulk/select", {"items": await s.many(4)})
    items = [{"id": i["created"]["enrolment"], "version": 1} for i in done["items"]]
    gone = await s.c.ok("/v1/enrolments/bulk/cancel", {"items": items[:3], "reason_code": "fees_unpaid"})
    assert (gone["done"], await s.taken()) == (3, 1)


async def owed(s: Studies, path: str) -> dict[str, dict[str, Any]]:
    """What is owed for an enrolment and not voided, by rule."""
    found = (await s.c.get("/v1/obligations", subject_id=plain(path), subject_kind="enrolment")).json()["items"]
    return {r["rule"]: r for r in found if r["state"] != "voided"}


async def test_entry_of_a_foreign_student_opens_what_is_due_within_days_of_it(world: World) -> None:
    s = await Studies.begin(world)
    who, cn = await person(s.c, nationality="TH", papers=False), await person(s.c)
    await consent(s.c, who)
    await accepted(s.c, "identity", who)
    path, at_home = await s.enrolment(who), await s.enrolment(cn)
    assert await s.c.refused(at_home, "enter", {"entered_on": day(0)}) == ["from_abroad"]
    await s.c.done(path, "enter", {"entered_on": day(-2)})
    assert await s.c.refused(path, "enter", {"entered_on": day(-1)}) == ["not_entered_yet"]
    read = (await s.c.get(path)).json()
    assert (read["state"], read["entered_on"]) == ("pending", day(-2))
    found = await owed(s, path)
    told = {n: (r["due_on"], r["overdue"], r["event"], r["event_on"], r["owed_by"]) for n, r in found.items()}
    assert told == {
        "residence_permit": (day(28), False, "entered", day(-2), ["trainee", "school"]),
        "lodging_registration": (day(-1), True, "entered", day(-2), ["trainee", "school"]),
    }
    assert {r["pin"] for r in found.values()} == {"cn-study@1"}
    assert {r["source"]["evidence"] for r in found.values()} == {"secondary"}
    # The student sees what they owe, and hands it in; a wrong day is corrected, and what is done stays done.
    trainee = await world.client(TRAINEE, person_ids=[who])
    tasks = (await trainee.get("/v1/obligations", owed_by="trainee", state="pending")).json()["items"]
    assert sorted(t["rule"] for t in tasks) == ["lodging_registration", "residence_permit"]
    paper = {"evidence": [await upload(s.c, "other", who)]}
    await trainee.done(f"/v1/obligations/{found['lodging_registration']['id']}", "fulfil", paper)
    await s.c.done(path, "correct", {"note": "It was the day before."})
    assert (await s.c.get(path)).json()["entered_on"] is None
    assert {n: r["state"] for n, r in (await owed(s, path)).items()} == {"lodging_registration": "done"}
    await s.c.done(path, "enter", {"entered_on": day(-3)})
    found = await owed(s, path)
    assert {n: (r["state"], r["event_on"]) for n, r in found.items()} == {
        "lodging_registration": ("done", day(-2)), "residence_permit": ("pending", day(-3)),
    }  # fmt: skip
    assert found["residence_permit"]["due_on"] == day(27)
