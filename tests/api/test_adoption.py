"""People who come in mid-way from a college's old sheets: where they are, and what they owe."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from service.domain.actors import COORDINATOR
from tests.api.studying import Studies, plain, upload
from tests.conftest import TODAY, Client, World
from tests.jobs import Jobs
from tests.sheets import HEADERS, Importing, csv_of, student

ENROLLED = ["招生批次", "入学日期", "缴费", "培养阶段", "阶段开始日期"]
CREDITS = {"stage_credits", "identity_verified"}


def back(days: int) -> str:
    return str(TODAY - timedelta(days=days))


async def owed(c: Client, **asked: Any) -> list[dict[str, Any]]:
    return list((await c.get("/v1/obligations", state="pending", **asked)).json()["items"])


async def test_students_come_in_at_their_stage_and_owe_what_is_unproven(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 2})
    code = (await s.c.get(s.intake)).json()["code"]
    rows = [
        [*student(1), code, back(300), "已缴费", "2", back(30)],
        [*student(2), code, back(300), "已缴费", "1", ""],
        [*student(4), "?", back(300), "已缴费", "1", ""],
        [*student(5), code, back(300), "已缴费", "1", ""],
    ]
    rows.insert(1, [*student(3), code, back(300), "", "1", ""])  # holds a place until it is refused
    made = await Importing.of(world, s.c, csv_of([[*HEADERS, *ENROLLED], *rows]), kind="adoption")
    assert await made.faults() == [
        (3, "缴费", "input_required"),
        (5, "招生批次", "intake_known"),
        (6, "招生批次", "place_free"),
    ]
    assert (await s.taken(), (await s.c.get("/v1/trainees")).json()["items"]) == (0, [])
    said = [f["required"] for r in await made.rows(outcome="create") for f in r["findings"]]
    assert said == ["identity_verified", "stage_credits", "identity_verified"]
    assert await made.apply() == {"state": "applied", "staged": 5, "creates": 2, "faulty": 3, "done": 2}
    assert await s.taken() == 2
    first, second = sorted((await s.c.get("/v1/enrolments")).json()["items"], key=lambda e: -e["stage"])
    assert (first["state"], first["stage"], first["since_on"], second["stage"]) == ("enrolled", 2, back(30), 1)

    # Every step stands in the record, declared, on its day.
    path = f"/v1/enrolments/{first['id']}"
    told = (await s.c.get(f"{path}/events")).json()["items"]
    steps = [(e["action"], e["occurred_on"], e["data"]["declared"]) for e in told]
    assert steps == [("create", back(300), True), ("enrol", back(300), True), ("advance_stage", back(30), True)]

    # What was not proven is owed by a day, is on the list of whoever owes it, and closes the next step.
    debts = await owed(s.c, subject_id=first["id"])
    assert {d["rule"] for d in debts} == CREDITS
    by_rule = {d["rule"]: d for d in debts}
    assert by_rule["stage_credits"]["due_on"] == str(TODAY + timedelta(days=60))
    assert by_rule["identity_verified"]["title"] == "Show a document of identity"
    tasks = (await s.c.get("/v1/me/tasks", person_id=first["person_id"])).json()["items"]
    assert "Show the credits of the stage" in [t["label"] for t in tasks]
    assert (await s.registrar.act(path, "complete")).json()["reasons"][-1]["code"] == "debt_settled"

    # Shown with evidence, or waived by somebody else.
    paper = await upload(s.c, "transcript", first["person_id"])
    await s.c.done(f"/v1/obligations/{by_rule['stage_credits']['id']}", "fulfil", {"evidence": [paper]})
    waived = {"reason_code": "other", "note": "seen at the counter"}
    await s.c.done(f"/v1/obligations/{by_rule['identity_verified']['id']}", "waive", waived)
    assert "debt_settled" not in await s.registrar.refused(path, "complete")
    assert await s.c.refused(made.path, "void") == ["nothing_built_on_it"]

    # The same sheet again finds them where they are.
    again = await Importing.of(world, s.c, csv_of([[*HEADERS, *ENROLLED], rows[0], rows[2]]), kind="adoption")
    assert await again.counts() == {"state": "checked", "staged": 2, "unchanged": 2}


async def test_an_adoption_is_taken_back_as_a_whole(world: World) -> None:
    s = await Studies.begin(world)
    code = (await s.c.get(s.intake)).json()["code"]
    rows = [[*student(n), code, back(300), "已缴费", "2", ""] for n in (1, 2)]
    made = await Importing.of(world, s.c, csv_of([[*HEADERS, *ENROLLED], *rows]), kind="adoption")
    await made.apply()
    assert await made.void() == {"state": "voided", "staged": 2, "creates": 2, "done": 2, "undone": 2}
    states = [
        i["state"] for what in ("enrolments", "applications") for i in (await s.c.get(f"/v1/{what}")).json()["items"]
    ]
    assert (await s.taken(), states, await owed(s.c)) == (0, ["voided"] * 4, [])
    assert [t["state"] for t in (await s.c.get("/v1/trainees", state="voided")).json()["items"]] == ["voided"] * 2
    again = await Importing.of(world, s.c, csv_of([[*HEADERS, *ENROLLED], *rows]), kind="adoption")
    assert (await again.counts())["creates"] == 2


PLACED = ["用工需求编号", "签约日期", "上岗日期"]


async def test_people_at_work_come_in_on_the_seats_of_a_request(world: World) -> None:
    j = await Jobs.of(world)
    request = await j.open(seats=2)
    people = [student(n, 国籍="TH", 姓名="สมชาย", 拼音姓名=f"SOMCHAI, N{n}") for n in (1, 2, 3)]
    rows = [[*p, plain(request), back(200), back(100)] for p in people]
    made = await Importing.of(world, j.coordinator, csv_of([[*HEADERS, *PLACED], *rows]), kind="adoption")
    assert await made.faults() == [(4, "用工需求编号", "seat_free")]
    await made.apply()
    assert await j.seats(request) == (0, 0, 2, "filled")
    placements = (await j.coordinator.get("/v1/placements")).json()["items"]
    assert [(p["state"], p["started_on"], p["since_on"]) for p in placements] == [("active", back(100), back(100))] * 2
    debts = await owed(j.coordinator, subject_id=placements[0]["id"])
    assert {"consent_holds", "terms_confirmed"} <= {d["rule"] for d in debts}
    path = f"/v1/placements/{placements[0]['id']}"
    closed = (await j.coordinator.get(f"{path}/actions")).json()["actions"]
    assert all(o["action"] not in ("void", "adopt") for o in closed)
    assert await made.void() == {
        "state": "voided", "staged": 3, "creates": 2, "faulty": 1, "done": 2, "undone": 2,
    }  # fmt: skip
    assert (await j.seats(request))[:3] == (0, 0, 0)


async def test_an_adoption_of_all_rows_does_none_where_one_is_refused_since(world: World) -> None:
    s = await Studies.begin(world, quotas={"*": 1})
    code = (await s.c.get(s.intake)).json()["code"]
    sheets = [csv_of([[*HEADERS, *ENROLLED], [*student(n), code, back(9), "免费", "1", ""]]) for n in (1, 2)]
    one, two = [await Importing.of(world, s.c, sheet, kind="adoption", mode="all") for sheet in sheets]
    await one.apply()
    assert await two.apply() == {"state": "failed", "staged": 1, "creates": 1}
    assert (await two.item())["trouble"]["required"] == ["place_free"]
    assert len((await s.c.get("/v1/trainees")).json()["items"]) == 1
    nobody = await world.client(COORDINATOR, institution=await world.other())
    assert (await nobody.get("/v1/obligations")).json()["items"] == []
