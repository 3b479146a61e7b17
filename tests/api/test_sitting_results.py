"""Results of a sitting from a sheet: known again by a number, tried first, loaded once."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import xlsxwriter

from service.actions.sitting_results import AT_ONCE
from service.domain.actors import COORDINATOR, INSTRUCTOR, REGISTRAR
from tests.api.test_sittings import REGISTRATIONS, held, register, sitting
from tests.api.test_training import day, people, person
from tests.conftest import Client, World

HEADER = "准考证号,语言知识,阅读,听解,总分,备注"
ROWS = ["A0,34,35,35,104,", "A1,60,60,18,138,听解不足", "A2,缺考,,,,"]
ENGLISH = "Admission number (JLPT),Language Knowledge,Reading,Listening,Attendance,Result date"


async def load(
    client: Client, where: str, content: bytes | str, *, key: str | None = None, **said: Any
) -> httpx.Response:
    raw = content.encode() if isinstance(content, str) else content
    return await client.http.post(
        f"/v1/sittings/{where}/results",
        data=said,
        files={"file": ("results", raw, "application/octet-stream")},
        headers={"authorization": f"Bearer {client.token}", "idempotency-key": key or uuid4().hex},
    )


def csv(header: str, *rows: str) -> str:
    return "\r\n".join((header, *rows)) + "\r\n"


def told(answer: httpx.Response) -> list[tuple[Any, ...]]:
    assert answer.status_code == 200, answer.text
    return [
        (i["line"], i["outcome"], i["result"], i["level"], [(f["column"], f["reason"]["code"]) for f in i["findings"]])
        for i in answer.json()["items"]
    ]


async def states(client: Client, where: str) -> list[tuple[str, bool]]:
    found = (await client.get(REGISTRATIONS, sitting_id=where)).json()["items"]
    return [(r["state"], r["certificate_id"] is not None) for r in found]


async def certificates(client: Client) -> int:
    return len((await client.get("/v1/certificates")).json()["items"])


async def test_results_are_tried_loaded_and_never_doubled(world: World) -> None:
    c = await world.client(REGISTRAR)
    where, _ = await held(await world.client(COORDINATOR), *await people(await world.client(COORDINATOR), 3))
    sheet, key = csv(HEADER, *ROWS), uuid4().hex
    tried = await load(c, where, sheet, dry_run="true")
    assert told(tried) == [
        (2, "record", "passed", "N3", []),
        (3, "record", "failed", None, []),
        (4, "record", "absent", None, []),
    ]
    assert (tried.json()["outcomes"], tried.json()["ignored"], tried.json()["kind"]) == (
        {"record": 3},
        ["备注"],
        "utf-8",
    )
    assert (await states(c, where), await certificates(c)) == ([("registered", False)] * 3, 0)
    done = await load(c, where, sheet, key=key)
    assert [t[:4] for t in told(done)] == [
        (2, "recorded", "passed", "N3"), (3, "recorded", "failed", None), (4, "recorded", "absent", None),
    ]  # fmt: skip
    after = [("passed", True), ("failed", True), ("absent", False)]
    assert (await states(c, where), await certificates(c)) == (after, 2)
    replay = await load(c, where, sheet, key=key)
    assert (replay.content, replay.headers["idempotent-replayed"]) == (done.content, "true")
    again = await load(c, where, sheet)
    assert again.json()["outcomes"] == {"already_there": 3}
    assert [i["certificate_id"] for i in again.json()["items"]] == [i["certificate_id"] for i in done.json()["items"]]
    assert (await states(c, where), await certificates(c)) == (after, 2)
    made = (await c.get(f"/v1/certificates/{done.json()['items'][0]['certificate_id']}")).json()
    assert [made[n] for n in ("state", "level", "total_score", "taken_on")] == ["recorded", "N3", "104.0000", day(-1)]
    other = await load(c, where, csv(HEADER, "A0,35,35,35,105,"))
    assert told(other) == [(2, "faulty", "passed", None, [("", "result_differs")])]


async def test_long_sheet_is_recorded_in_parts_that_stand(world: World) -> None:
    c, count = await world.client(COORDINATOR), AT_ONCE + 2
    where = await sitting(c, held_on=day(-1), register_until=day(-20), places=count)
    for n, who in enumerate(await people(c, count)):
        await register(c, where, who, occurred_on=day(-20), admission_no=f"A{n}")
    rows, key = [f"A{n},34,35,35,104," for n in range(count)], uuid4().hex
    part = await load(c, where, csv(HEADER, *rows[1:3]), key=key)
    assert part.json()["outcomes"] == {"recorded": 2}
    assert (await load(c, where, csv(HEADER, *rows), key=key)).status_code == 422
    assert await certificates(c) == 2  # a key that was used stops the first part
    # What a load that was broken off has left stands; two that go on with it at once double nothing.
    both = await asyncio.gather(*(load(c, where, csv(HEADER, *rows)) for _ in range(2)))
    assert [b.status_code for b in both] == [200, 200]
    recorded = [i["certificate_id"] for b in both for i in b.json()["items"] if i["outcome"] == "recorded"]
    assert (len(recorded), len(set(recorded))) == (AT_ONCE, AT_ONCE)
    last = await load(c, where, csv(HEADER, *rows))
    assert last.json()["outcomes"] == {"already_there": count}
    assert {i["certificate_id"] for i in last.json()["items"]} >= set(recorded)
    owners = [r["certificate_id"] for r in (await c.get(REGISTRATIONS, sitting_id=where, limit=200)).json()["items"]]
    assert (len(owners), len(set(owners))) == (count, count)


async def test_row_at_fault_stops_no_other(world: World) -> None:
    c = await world.client(COORDINATOR)
    where, _ = await held(c, *await people(c, 8))
    rows = [
        "A0,34,35,35,,",
        "A9,34,35,35,,",
        "A0,34,35,35,,",
        "A1,34,35,61,,",
        "A2,34,35,x,,",
        "A3,,,,,",
        "A4,34,35,35,ill,",
        "A5,34,35,35,absent,",
        "A6,34,35,35,present,2020-01-01",
        "A7,34,35,35,present,soon",
    ]
    found = await load(c, where, csv(ENGLISH, *rows))
    assert [(t[0], t[1], t[4]) for t in told(found)] == [
        (2, "recorded", []),
        (3, "faulty", [("Admission number (JLPT)", "registration_known")]),
        (4, "faulty", [("Admission number (JLPT)", "twice_in_sheet")]),
        (5, "faulty", [("Listening", "score_in_scale")]),
        (6, "faulty", [("Listening", "score_in_scale")]),
        (7, "faulty", [("section_scores", "result_complete")]),
        (8, "faulty", [("Attendance", "attendance_understood")]),
        (9, "faulty", [("section_scores", "absent_has_no_scores")]),
        (10, "faulty", [("Result date", "result_after_taken")]),
        (11, "faulty", [("Result date", "date_unreadable")]),
    ]
    assert await states(c, where) == [("passed", True), *[("registered", False)] * 7]
    assert "王" not in found.text


async def test_workbook_names_people_by_their_student_numbers(world: World) -> None:
    c = await world.client(COORDINATOR)
    body = {"name_native": "李", "name_latin": "LI", "birth_on": "2004-05-06", "nationality": "CN",
            "external_ids": [{"system": "student_no", "value": "20250017"}]}  # fmt: skip
    who, other = str((await c.ok("/v1/trainees", body))["id"]), await person(c)
    where, _ = await held(c, who, other, test="ielts", level=None)
    out = BytesIO()
    with xlsxwriter.Workbook(out) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["雅思成绩单"])
        page.write_row(2, 0, ["学号 / Student ID", "准考证号", "总分", "证书编号"])
        page.write_row(3, 0, [20250017, "", 6.5, "TRF1"])
        page.write_row(4, 0, [20250017, "A1", 6, ""])
        page.write_row(5, 0, [20250017, "A7", 6, ""])
    found = await load(c, where, out.getvalue())
    assert [(t[0], t[1], t[4]) for t in told(found)] == [
        (4, "recorded", []),
        (5, "faulty", [("准考证号", "numbers_of_two")]),
        (6, "faulty", [("准考证号", "numbers_of_two")]),
    ]
    assert (found.json()["kind"], found.json()["items"][0]["cefr"]) == ("xlsx", "B2")


async def test_sheet_that_is_none_is_refused(world: World) -> None:
    c = await world.client(COORDINATOR)
    where, _ = await held(c, await person(c))
    wrong: list[tuple[bytes | str, int, str]] = [
        ("a,b\r\n1,2\r\n", 422, "headers_unknown"),
        (csv("听解,阅读", "1,2"), 422, "header_missing"),
        (csv("准考证号,学号", "1,2"), 422, "header_missing"),
        (csv("准考证号,听解,Listening", "1,2,3"), 422, "header_twice"),
        (b"%PDF-1.7\n", 415, "file_kind_unknown"),
        (b"PK\x03\x04 no workbook", 422, "workbook_unreadable"),
    ]
    for content, status, code in wrong:
        answer = await load(c, where, content)
        assert (answer.status_code, [r["code"] for r in answer.json()["reasons"]]) == (status, [code])
    assert (await load(c, where, b"x" * (5 * 2**20 + 1))).status_code == 413
    assert (await load(c, where, csv(HEADER, *ROWS), dry_run="perhaps")).status_code == 422
    assert (await load(c, where, csv(HEADER, *ROWS), colour="red")).status_code == 422


async def test_results_wait_for_the_day_and_for_who_may_load_them(world: World) -> None:
    c = await world.client(COORDINATOR)
    where = await sitting(c)
    made = await c.ok(REGISTRATIONS, {"sitting_id": where, "person_id": await person(c), "admission_no": "A0"})
    assert made["state"] == "registered"
    early = await load(c, where, csv(HEADER, ROWS[0]), dry_run="true")
    assert [t[4] for t in told(early)] == [[("", "day_come")]]
    teacher = await world.client(INSTRUCTOR)
    assert (await load(teacher, where, csv(HEADER, ROWS[0]))).status_code == 403
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await load(stranger, where, csv(HEADER, ROWS[0]))).status_code == 404
    assert (await load(stranger, str(uuid4()), csv(HEADER, ROWS[0]))).status_code == 404
