"""The overview: figures that a hand can count, and targets with their history."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from service.domain.actors import ADMIN, COORDINATOR, READER, REGISTRAR
from tests.api.studying import Studies, plain
from tests.api.test_recognition import NO, PART, YES, wanted
from tests.api.test_recognition import Staff as Recognition
from tests.api.test_results import result
from tests.api.test_sittings import SCORES, held
from tests.api.test_training import Staff as Training
from tests.api.test_training import person
from tests.conftest import TODAY, Client, World
from tests.jobs import JOB, Jobs
from tests.placed import Stage

STARTS = TODAY + timedelta(days=40)


async def lines(client: Client, part: str, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/overview/{part}", **asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["left_off"] == 0
    return list(answer.json()["items"])


async def test_targets_are_kept_with_their_history(world: World) -> None:
    c, reader = await world.client(COORDINATOR), await world.client(READER)
    wanted_ = {"year": TODAY.year, "destination": "JP", "number": 40}
    made = await c.ok("/v1/targets", wanted_)
    path = f"/v1/targets/{made['id']}"
    twice = await c.post("/v1/targets", wanted_)
    assert (twice.status_code, [r["code"] for r in twice.json()["reasons"]]) == (
        409, ["targets_one_a_destination"],
    )  # fmt: skip
    assert (await c.patch(path, {"number": 55}, version=1)).status_code == 200
    assert (await c.patch(path, {"number": 60}, version=1)).status_code == 412
    assert (await reader.get(path)).json()["number"] == 55
    assert (await reader.patch(path, {"number": 1}, version=2)).status_code == 403
    events = (await c.get(f"{path}/events")).json()["items"]
    said = {"year": TODAY.year, "destination": "JP"}
    assert [(e["type"], e["data"]) for e in events] == [
        ("target.set", said | {"number": 40}),
        ("target.edited", said | {"number": 55, "before": 40}),
    ]
    await c.done(path, "drop")
    assert (await c.get("/v1/targets", state="set")).json()["items"] == []
    again = await c.ok("/v1/targets", wanted_)
    assert again["state"] == "set"
    for year, status in ((TODAY.year - 6, 409), (TODAY.year + 11, 409), (10**12, 422), (1, 409)):
        assert (await c.post("/v1/targets", wanted_ | {"year": year})).status_code == status, year
    assert (await c.post("/v1/targets", wanted_ | {"destination": "jp"})).status_code == 422


async def test_overview_counts_a_small_world(world: World) -> None:
    s, jobs = await Studies.begin(world, quotas={"*": 3, "exam": 2}), await Jobs.of(world)
    reader = await world.client(READER)
    await s.enrolment()
    await s.application(until="submitted")
    request = await jobs.open()
    accepted, nominated, known = await jobs.people(3)
    offered = (await jobs.up_to("offered", request, [accepted]))[0]
    await jobs.up_to("nominated", request, [nominated])
    await (await jobs.trainee(accepted)).done(f"/v1/candidacies/{offered}", "accept")
    starts = date.fromisoformat(JOB["starts_on"])
    await s.c.ok("/v1/targets", {"year": starts.year, "destination": "TH", "number": 5})
    await s.c.ok("/v1/targets", {"year": starts.year, "destination": "JP", "number": 2})

    programme = {"programme_id": plain(s.programme), "programme_code": (await s.c.get(s.programme)).json()["code"]}
    studying = programme | {"year": STARTS.year, "destination": None, "people": 1}
    nowhere = {"programme_id": None, "programme_code": None, "year": None, "people": 1}
    funnel = [
        {"stage": "applicant"} | studying,
        {"stage": "candidate", "destination": "TH"} | nowhere,
        {"stage": "contracted", "destination": "TH"} | nowhere,
        {"stage": "enrolled"} | studying,
        {"stage": "prospect", "destination": None} | nowhere,
    ]
    assert await lines(reader, "funnel") == funnel
    assert await lines(reader, "funnel", destination="TH") == funnel[1:3]
    assert await lines(reader, "funnel", stage="enrolled", year=STARTS.year) == [funnel[3]]
    assert await lines(reader, "funnel", programme_id=plain(s.programme)) == [funnel[0], funnel[3]]
    assert known not in str(funnel)

    reached = [
        {"year": starts.year, "destination": "JP", "target": 2, "secured": 0, "live": 0, "missing": 2},
        {"year": starts.year, "destination": "TH", "target": 5, "secured": 1, "live": 1, "missing": 4},
    ]
    assert await lines(reader, "targets") == reached
    assert await lines(reader, "targets", year=starts.year + 1) == []
    intake = programme | {
        "intake_id": plain(s.intake), "intake_code": (await s.c.get(s.intake)).json()["code"],
        "starts_on": str(STARTS), "state": "open",
    }  # fmt: skip
    assert await lines(reader, "places") == [
        intake | {"source": "*", "places": 3, "taken": 1, "left": 2},
        intake | {"source": "exam", "places": 2, "taken": 0, "left": 2},
    ]
    assert await lines(reader, "seats") == [
        {
            "request_id": plain(request), "destination": "TH", "pathway": "home_hire", "state": "open",
            "closes_on": JOB["closes_on"], "seats": 2, "offered": 0, "taken": 1, "used": 0, "left": 1,
        }
    ]  # fmt: skip
    assert await lines(reader, "due") == [
        {"kind": "relationship_renewal", "overdue": 0, "within_7_days": 0, "within_30_days": 0, "later": 1}
    ]


async def test_due_counts_obligations_by_their_days(house: Stage) -> None:
    c = house.coordinator
    (agency,) = (await c.get("/v1/relationships", role="agency")).json()["items"]
    said = {"subject_id": agency["id"], "rule": "risk_reserve_topped_up", "evidence": [str(await house.paper())]}

    async def due() -> list[dict[str, Any]]:
        return [line for line in await lines(c, "due") if line["kind"] == "obligation"]

    assert await due() == []
    for before, line in ((3, {"within_30_days": 1}), (90, {"within_30_days": 1, "overdue": 1})):
        await c.ok("/v1/obligations", said | {"occurred_on": str(house.today - timedelta(days=before))})
        nothing = {"kind": "obligation", "overdue": 0, "within_7_days": 0, "within_30_days": 0, "later": 0}
        assert await due() == [nothing | line]


async def test_pass_rates_count_results_and_the_last_mark(world: World) -> None:
    s = await Training.of(world)
    klass = await s.klass("running", capacity=3, min_attendance_percent=0)
    oral = {"name": "oral", "max_mark": "20", "pass_mark": "12", "weight": "1", "required": True}
    await s.i.done(klass, "set_assessment", oral)
    (oral,) = (await s.i.get(f"{klass}/assessments")).json()["items"]
    members = await s.join(klass, *[await person(s.c, n) for n in range(3)])
    for marks in ((11, 15, 4), (12,)):  # a later mark replaces an earlier one
        told = [{"membership_id": plain(m), "mark": str(n)} for m, n in zip(members, marks, strict=False)]
        await s.i.done(klass, "record_marks", {"assessment_id": oral["id"], "marks": told})
    await s.i.done(members[0], "pass")
    await s.i.done(members[1], "pass")
    await s.i.done(members[2], "fail")
    assert await lines(s.c, "results", year=TODAY.year) == [
        {"of": "assessment", "kind": "language", "passed": 2, "failed": 1, "percent": "66.7"},
        {"of": "class", "kind": "language", "passed": 2, "failed": 1, "percent": "66.7"},
    ]
    assert await lines(s.c, "results", year=TODAY.year - 1) == []


async def test_pass_rates_of_sittings_stand_beside_those_of_certificates(world: World) -> None:
    """Who sat and passed or failed; who was absent, and who has no result yet, is in no rate."""
    c = await world.client(COORDINATOR)
    _, paths = await held(c, *[await person(c, n) for n in range(4)])
    for path, listening in zip(paths, (35, 18, None), strict=False):
        said = {"absent": True} if listening is None else {"section_scores": SCORES | {"listening": listening}}
        await c.done(path, "record_result", said)
    year = (TODAY - timedelta(days=1)).year
    answer = (await c.get("/v1/overview/results", year=year)).json()
    assert answer["items"] == [{"of": "sitting", "kind": "jlpt", "passed": 1, "failed": 1, "percent": "50.0"}]
    assert sorted(answer["definitions"]) == ["assessment", "certificate", "class", "sitting"]
    assert answer["definitions"]["sitting"].startswith("Registrations for sittings")
    assert await lines(c, "results", year=year - 1) == []


async def test_recognition_counts_last_decisions_and_days(world: World) -> None:
    s = await Recognition().enter(world)
    one, two, three = [await result(s.coordinator, s.person, course_title=t) for t in "ABC"]
    items = wanted(one), wanted(two, "b"), wanted(three, "c")
    case = await s.open(*items, by=s.trainee, occurred_on=str(TODAY - timedelta(days=9)))
    await s.decided(case, YES, PART, NO)
    answer = await s.coordinator.get("/v1/overview/recognition", year=TODAY.year)
    assert answer.json() == {
        "items": [
            {"outcome": "not_recognised", "items": 1, "credits": "0"},
            {"outcome": "partially_recognised", "items": 1, "credits": "2.5"},
            {"outcome": "recognised", "items": 1, "credits": "6"},
        ],
        "left_off": 0, "cases": 1, "days_median": 9, "days_nine_of_ten": 9, "days_most": 9,
    }  # fmt: skip
    due = await lines(s.coordinator, "due")
    assert due == []
    await s.coordinator.done(case, "correct", {"note": "decided too early"})
    emptied = (await s.coordinator.get("/v1/overview/recognition")).json()
    assert (emptied["items"], emptied["cases"], emptied["days_median"]) == ([], 0, None)


async def test_overview_is_for_staff_and_readers(world: World) -> None:
    parts = ("funnel", "targets", "places", "seats", "due", "results", "recognition")
    jobs = await Jobs.of(world)
    (someone,) = await jobs.people(1)
    for role, status in ((ADMIN, 200), (REGISTRAR, 200), (READER, 200)):
        client = await world.client(role)
        assert {(await client.get(f"/v1/overview/{p}")).status_code for p in parts} == {status}
    for client in (await jobs.trainee(someone), jobs.clerk):
        assert {(await client.get(f"/v1/overview/{p}")).status_code for p in parts} == {403}
    assert (await jobs.coordinator.get("/v1/overview/funnel", year="1")).status_code == 422
    assert (await jobs.coordinator.get("/v1/overview/funnel", stage="\x00")).status_code == 422
