"""Lists as files: whole, harmless to whoever opens them, and fit to be edited and handed in again."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from service.actions import exports
from service.actions.imports.cells import inert
from service.domain.actors import COORDINATOR, READER, TRAINEE
from tests.api.conftest import routes
from tests.api.test_training import Staff, person, session, tail
from tests.conftest import Client, World
from tests.sheets import HEADERS, Importing, csv_of, student, xlsx_of


@pytest.fixture
async def c(world: World) -> Client:
    """A coordinator of a college with three students, one of whom has a name like a formula."""
    c = await world.client(COORDINATOR)
    rows = [student(1, 邮箱="a@b.example"), student(2, 姓名="=cmd|' /C calc'!A0"), student(3)]
    await (await Importing.of(world, c, csv_of([HEADERS, *rows]))).apply()
    return c


async def download(c: Client, form: str, path: str = "/v1/trainees", **asked: Any) -> Any:
    answer = await c.get(f"{path}/export", format=form, **asked)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["content-disposition"] == f'attachment; filename="{path.rsplit("/", 1)[1]}.{form}"'
    return answer


def table(answer: Any, form: str) -> list[list[Any]]:
    """The cells of a file: its headers, then its rows by student number."""
    head: list[Any]
    rows: list[list[Any]]
    if form == "csv":
        head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    else:
        book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        cells = book.get_sheet_by_index(0).to_python()
        head, *rows = [[str(int(x)) if isinstance(x, float) else x for x in row] for row in cells]
    sorted_rows: list[list[Any]] = sorted(rows, key=lambda r: str(r[head.index("student_no")]))
    return [head, *sorted_rows]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_export_has_every_row_with_its_id_and_version(
    c: Client, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PAGE", 2)
    answer = await download(c, form)
    assert answer.headers["x-row-count"] == "3"
    head, *rows = table(answer, form)
    assert sorted(r[0] for r in rows) == [i["id"] for i in (await c.get("/v1/trainees")).json()["items"]]
    first = dict(zip(head, rows[0], strict=True))
    assert {n: first[n] for n in ("version", "student_no", "name_native", "email", "birth_on", "passport")} == {
        "version": "1", "student_no": "2026000001", "name_native": "王伟", "email": "a@b.example",
        "birth_on": "2005-03-09", "passport": "",
    }  # fmt: skip


async def test_export_as_lines_ends_with_their_number(c: Client) -> None:
    answer = await download(c, "ndjson")
    *rows, last = [json.loads(line) for line in answer.content.splitlines()]
    listed = (await c.get("/v1/trainees")).json()["items"]
    assert rows == [{n: v for n, v in i.items() if n != "actions"} for i in listed]
    assert last == {"count": 3}


async def test_export_carries_no_formula(c: Client) -> None:
    rows = table(await download(c, "csv"), "csv")
    assert [r[rows[0].index("name_native")] for r in rows[2:3]] == ["'=cmd|' /C calc'!A0"]
    book = (await download(c, "xlsx")).content
    assert b"<f>" not in book
    rows = table(await download(c, "xlsx"), "xlsx")
    assert rows[2][rows[0].index("name_native")] == "=cmd|' /C calc'!A0"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_export_is_edited_and_handed_in_again(world: World, c: Client, form: str) -> None:
    rows = table(await download(c, form), form)
    head, one, two, three = rows
    origin = head.index("origin")
    two[origin], three[origin] = "云南", "贵州"
    assert (await c.patch(f"/v1/trainees/{three[0]}", {"origin": "四川"}, version=1)).status_code == 200
    write = csv_of if form == "csv" else xlsx_of
    made = await Importing.of(world, c, write([head, one, two, three]))
    assert await made.counts() == {"state": "checked", "staged": 3, "updates": 1, "unchanged": 1, "faulty": 1}
    (conflict,) = await made.rows(outcome="faulty")
    assert [(f["column"], f["code"], f["required"], f["actual"]) for f in conflict["findings"]] == [
        ("origin", "changed_since", "四川", "贵州")
    ]
    await made.apply()
    now = table(await download(c, "csv"), "csv")
    assert [r[origin] for r in now[1:]] == ["", "云南", "四川"]


async def test_export_keeps_to_filters_and_eyes(world: World, c: Client) -> None:
    assert (await download(c, "csv", nationality="TH")).headers["x-row-count"] == "0"
    who = (await c.get("/v1/trainees")).json()["items"][0]["id"]
    own = await world.client(TRAINEE, person_ids=(who,))
    rows = table(await download(own, "csv"), "csv")
    assert [r[0] for r in rows] == ["id", who]
    assert (await (await world.client(READER)).get("/v1/trainees/export")).status_code == 403
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await download(stranger, "ndjson")).content == b'{"count":0}\n'
    assert (await c.get("/v1/trainees/export", format="exe")).status_code == 422


@pytest.mark.parametrize("form", ["csv", "xlsx", "ndjson"])
async def test_every_list_of_what_has_a_lifecycle_is_exported(world: World, c: Client, form: str) -> None:
    lists = {o.path.removesuffix("/export") for _, o in routes() if o.path.endswith("/export") and "{" not in o.path}
    answers = {path: await c.get(f"/v1{path}/export", format=form) for path in sorted(lists)}
    assert {path: a.status_code for path, a in answers.items() if a.status_code not in (200, 403)} == {}
    assert len(answers) >= 20


async def test_export_of_too_many_rows_asks_for_a_filter(c: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PAGE", 2)
    monkeypatch.setattr(exports, "ROWS_MOST", 2)
    answer = await c.get("/v1/trainees/export")
    assert (answer.status_code, [r["code"] for r in answer.json()["reasons"]]) == (422, ["export_too_large"])


async def test_what_stands_in_a_class_is_exported_for_whoever_sees_the_class(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    (member,) = await s.join(klass, await person(s.c))
    await s.i.done(klass, "schedule_sessions", {"sessions": [session(-1), session(0)]})
    (first, _) = (await s.i.get(f"{klass}/sessions")).json()["items"]
    marks = [{"membership_id": tail(member), "kind": "present"}]
    await s.i.done(klass, "take_attendance", {"session_id": first["id"], "marks": marks})
    told = await download(s.i, "csv", f"{klass}/attendance")
    head, row = csv.reader(io.StringIO(told.content.decode("utf-8-sig")))
    shown = dict(zip(head, row, strict=True))
    assert (shown["kind"], shown["hours"], shown["counts"], shown["session_id"]) == (
        "present", "2.00", "true", first["id"],
    )  # fmt: skip
    assert (await download(s.i, "xlsx", f"{klass}/sessions")).headers["x-row-count"] == "2"
    assert (await download(s.c, "ndjson", "/v1/sessions", class_id=tail(klass))).headers["x-row-count"] == "2"
    assert (await download(s.c, "csv", "/v1/ledger")).headers["x-row-count"] == "0"
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(f"{klass}/attendance/export")).status_code == 404
    assert (await download(stranger, "csv", "/v1/sessions")).headers["x-row-count"] == "0"


async def test_lines_of_the_database_are_those_of_a_writer(world: World, c: Client) -> None:
    """What people write is quoted, and made inert, as by the library."""
    wild = ['=1+1"', " \u3000@SUM", "a,b", 'say "no"', "＋1", "-", "x'y", "\u2003=x"]
    rows = [student(n, 姓名=name) for n, name in enumerate(wild, 20)]
    await (await Importing.of(world, c, csv_of([HEADERS, *rows]))).apply()
    told = (await download(c, "csv")).content.decode("utf-8-sig")
    listed = [i["name_native"] for i in (await c.get("/v1/trainees", limit=200)).json()["items"]]
    head, *cells = csv.reader(io.StringIO(told))
    assert [r[head.index("name_native")] for r in cells] == [inert(name) for name in listed]
    out = io.StringIO()
    csv.writer(out).writerows([head, *cells])
    assert out.getvalue() == told
