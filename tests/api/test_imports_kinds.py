"""What else is imported than people: the catalogue of courses, certificates, results."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.actors import COORDINATOR, REGISTRAR
from tests.conftest import Client, World
from tests.sheets import HEADERS, Importing, csv_of, student, xlsx_of

COURSES = [
    ["课程代码", "课程名称", "英文名称", "学分", "学时", "课程性质"],
    ["NUR101", "基础护理", "Basic Nursing", "3.5", "56", "理论课"],
    ["NUR102", "护理实训", "Nursing Practice", "4", "64", "实训"],
]
CERTIFICATES: list[list[Any]] = [
    ["学号", "证书类别", "考试名称", "等级", "考试日期", "发证日期", "证书编号"],
    ["2026000001", "语言证书", "日语能力考试", "N2", "2024年7月7日", "2567-08-23", "A123"],
    ["2026000002", "language", "JLPT", "N3", 45480, "2024-08-23", "A124"],
    ["2026000002", "language", "JLPT", "B1", "2024-07-07", "2024-08-23", "A125"],
    ["2026000009", "language", "JLPT", "N3", "2024-07-07", "2024-08-23", "A126"],
]
RESULTS = [
    ["学号", "课程代码", "课程名称", "学分", "学分体系", "成绩", "是否合格", "成绩日期"],
    ["2026000001", "NUR101", "基础护理", "3.5", "cn", "87", "合格", "2026-01-15"],
    ["2026000002", "NUR101", "基础护理", "3.5", "cn", "41", "不合格", "2026-01-15"],
    ["2026000002", "NUR102", "护理实训", "x", "cn", "90", "maybe", "2026-01-15"],
]


@pytest.fixture
async def c(world: World) -> Client:
    """A coordinator of a college that has two students on record."""
    c = await world.client(COORDINATOR, REGISTRAR)
    await (await Importing.of(world, c, csv_of([HEADERS, student(1), student(2)]))).apply()
    return c


async def listed(c: Client, path: str, *names: str) -> list[list[Any]]:
    rows = [r for r in (await c.get(path)).json()["items"] if r["state"] != "voided"]
    return sorted([r[name] for name in names] for r in rows)


async def test_courses_are_published_once(world: World, c: Client) -> None:
    made = await Importing.of(world, c, csv_of(COURSES), kind="courses")
    assert await made.apply() == {"state": "applied", "staged": 2, "creates": 2, "done": 2}
    shown = await listed(c, "/v1/courses", "code", "edition", "title_native", "credits", "hours", "kind")
    assert shown == [
        ["NUR101", 1, "基础护理", "3.5", 56, "theory"],
        ["NUR102", 1, "护理实训", "4", 64, "practice"],
    ]
    changed = [COURSES[0], COURSES[1], [*COURSES[2][:3], "5", *COURSES[2][4:]]]
    again = await Importing.of(world, c, csv_of(changed), kind="courses")
    assert await again.counts() == {"state": "checked", "staged": 2, "creates": 1, "unchanged": 1}
    await again.apply()
    assert (await listed(c, "/v1/courses", "code", "edition", "credits"))[1:] == [
        ["NUR102", 1, "4"],
        ["NUR102", 2, "5"],
    ]


async def test_certificates_are_recorded_with_dates_of_any_era(world: World, c: Client) -> None:
    made = await Importing.of(world, c, xlsx_of(CERTIFICATES), kind="certificates")
    assert await made.faults() == [(4, "等级", "level_of_test"), (5, "学号", "student_known")]
    told = [(r["line"], f["code"], f["actual"]) for r in await made.rows(outcome="create") for f in r["findings"]]
    assert told == [(2, "buddhist_era", "2024-08-23"), (3, "date_from_serial", "2024-07-07")]
    await made.apply()
    shown = await listed(c, "/v1/certificates", "level", "test", "taken_on", "issued_on", "state")
    assert shown == [
        ["N2", "jlpt", "2024-07-07", "2024-08-23", "recorded"],
        ["N3", "jlpt", "2024-07-07", "2024-08-23", "recorded"],
    ]
    again = await Importing.of(world, c, xlsx_of(CERTIFICATES[:3]), kind="certificates")
    assert await again.counts() == {"state": "checked", "staged": 2, "unchanged": 2}


async def test_results_are_recorded_and_taken_back(world: World, c: Client) -> None:
    made = await Importing.of(world, c, csv_of(RESULTS), kind="results")
    assert await made.faults() == [(4, "学分", "number_unreadable"), (4, "是否合格", "yes_or_no")]
    await made.apply()
    shown = await listed(c, "/v1/results", "course_code", "passed", "grade", "source")
    assert shown == [["NUR101", False, "41", "home"], ["NUR101", True, "87", "home"]]
    assert (await made.void())["undone"] == 2
    assert await listed(c, "/v1/results", "course_code") == []


async def test_results_that_were_verified_since_stay(world: World, c: Client) -> None:
    made = await Importing.of(world, c, csv_of(RESULTS[:3]), kind="results")
    await made.apply()
    one = (await made.rows())[0]["item_id"]
    person = (await c.get(f"/v1/results/{one}")).json()["person_id"]
    paper = await c.http.post(
        "/v1/documents",
        data={"kind": "transcript", "title": "t", "person_id": person},
        files={"file": ("t.pdf", b"%PDF-1.7\n%%EOF\n", "application/pdf")},
        headers={"authorization": f"Bearer {c.token}", "idempotency-key": "k"},
    )
    await c.done(f"/v1/results/{one}", "verify", {"evidence": [paper.json()["id"]]})
    assert await c.refused(made.path, "void") == ["nothing_built_on_it"]


async def test_a_sheet_without_a_needed_column_names_it(world: World, c: Client) -> None:
    made = await Importing.of(world, c, csv_of([["学号", "课程名称"], ["2026000001", "x"]]), kind="results")
    trouble = (await made.item())["trouble"]
    assert (trouble["code"], trouble["required"]) == (
        "header_missing",
        ["credits", "scheme", "passed", "achieved_on"],
    )
