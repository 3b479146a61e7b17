"""Imports over HTTP: checked first, applied when it is said, resumed wherever a worker died, taken back as a whole."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from service.actions.imports import applying, carrying, checking
from service.actions.imports.carrying import carry_on
from service.actions.imports.staging import Overtaken
from service.domain.actors import COORDINATOR, INSTRUCTOR
from service.storage import writes
from service.storage.imports import jobs
from tests.conftest import Client, World
from tests.sheets import HEADERS, Importing, csv_of, student, upload, work, xlsx_of


@pytest.fixture
async def c(world: World) -> Client:
    return await world.client(COORDINATOR)


async def people(c: Client, **asked: Any) -> list[dict[str, Any]]:
    """Everybody on record, by student number."""
    found: list[dict[str, Any]] = []
    after: dict[str, Any] = {}
    while True:
        page = (await c.get("/v1/trainees", limit=200, state="known", **asked, **after)).json()
        found += page["items"]
        if page["next"] is None:
            return sorted(found, key=lambda r: str(r["external_ids"]))
        after = {"after": page["next"]}


# The dry run ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [csv_of, lambda rows: csv_of(rows, "gb18030"), xlsx_of], ids=["utf-8", "gbk", "xlsx"])
async def test_import_is_checked_before_anything_happens(world: World, c: Client, write: Any) -> None:
    rows = [HEADERS, student(1), student(2, 出生日期="2548/3/9"), student(3, 国籍="Atlantis"), student(1)]
    made = await Importing.of(world, c, write(rows))
    assert await made.counts() == {"state": "checked", "staged": 4, "creates": 2, "faulty": 2}
    assert await people(c) == []
    assert await made.faults() == [(4, "国籍", "country_unknown"), (5, "学号", "twice_in_sheet")]
    told = await made.rows(outcome="create")
    assert [(r["line"], r["key"], [(f["code"], f["required"], f["actual"]) for f in r["findings"]]) for r in told] == [
        (2, "2026000001", []),
        (3, "2026000002", [("buddhist_era", "2548-03-09", "2005-03-09")]),
    ]


async def test_import_creates_the_good_rows(world: World, c: Client) -> None:
    made = await Importing.of(world, c, csv_of([HEADERS, student(1), student(2, 国籍="?"), student(3)]))
    assert await made.apply() == {"state": "applied", "staged": 3, "creates": 2, "faulty": 1, "done": 2}
    found = await people(c)
    assert [r["external_ids"][0]["value"] for r in found] == ["2026000001", "2026000003"]
    rows = await made.rows(outcome="created")
    assert [r["item_id"] for r in rows] == [r["id"] for r in found]
    events = (await c.get(f"/v1/trainees/{found[0]['id']}/events")).json()["items"]
    me = (await c.get("/v1/me")).json()["account_id"]
    assert [(e["type"], e["actor_id"], e["actor_roles"]) for e in events] == [
        ("trainee.registered", me, ["coordinator"])
    ]


async def test_import_of_all_rows_waits_for_the_last_fault(world: World, c: Client) -> None:
    made = await Importing.of(world, c, csv_of([HEADERS, student(1), student(2, 国籍="?")]), mode="all")
    assert await c.refused(made.path, "apply") == ["all_rows_good"]
    good = await Importing.of(world, c, csv_of([HEADERS, student(1), student(2)]), mode="all")
    assert await good.apply() == {"state": "applied", "staged": 2, "creates": 2, "done": 2}


async def test_import_of_all_rows_halts_whole_where_one_is_refused_meanwhile(world: World, c: Client) -> None:
    first = await Importing.of(world, c, csv_of([HEADERS, student(1), student(2), student(3)]), mode="all")
    second = await Importing.of(world, c, csv_of([HEADERS, student(2)]))
    await second.apply()
    assert await first.apply() == {"state": "failed", "staged": 3, "creates": 3}
    assert (await first.item())["trouble"]["code"] == "refused_since"
    assert len(await people(c)) == 1
    await second.void()
    assert (await first.apply())["done"] == 3


async def test_import_of_all_rows_in_several_transactions_leaves_none_where_one_is_refused(
    world: World, c: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "AT_MOST", 2)
    first = await Importing.of(world, c, csv_of([HEADERS, *[student(n) for n in range(5)]]), mode="all")
    await (await Importing.of(world, c, csv_of([HEADERS, student(4)]))).apply()
    assert await first.apply() == {"state": "voided", "staged": 5, "creates": 5, "done": 4, "undone": 4}
    trouble = (await first.item())["trouble"]
    assert (trouble["code"], trouble["actual"]) == ("refused_since", [6])
    known = (await c.get("/v1/trainees", state="known")).json()["items"]
    assert [p["external_ids"][0]["value"] for p in known] == ["2026000004"]


async def test_import_of_good_rows_blames_the_row_that_is_refused_meanwhile(world: World, c: Client) -> None:
    first = await Importing.of(world, c, csv_of([HEADERS, *[student(n) for n in range(9)]]))
    await (await Importing.of(world, c, csv_of([HEADERS, student(4)]))).apply()
    assert await first.apply() == {"state": "applied", "staged": 9, "creates": 8, "faulty": 1, "done": 8}
    assert await first.faults() == [(6, "", "rule.external_ids_pkey")]
    assert len(await people(c)) == 9


# Updates -------------------------------------------------------------------------------------------------------------


async def test_import_changes_what_a_row_says_otherwise(world: World, c: Client) -> None:
    await (await Importing.of(world, c, csv_of([HEADERS, student(1, 邮箱="a@b.example"), student(2)]))).apply()
    sheet = [["学号", "邮箱", "生源地"], ["2026000001", "", "云南"], ["2026000002", "", ""]]
    made = await Importing.of(world, c, csv_of(sheet))
    assert await made.counts() == {"state": "checked", "staged": 2, "updates": 1, "unchanged": 1}
    await made.apply()
    assert [(r["email"], r["origin"]) for r in await people(c)] == [("a@b.example", "云南"), (None, None)]


async def test_import_clears_what_an_empty_cell_says_where_it_is_told_to(world: World, c: Client) -> None:
    await (await Importing.of(world, c, csv_of([HEADERS, student(1, 邮箱="a@b.example")]))).apply()
    made = await Importing.of(world, c, csv_of([["学号", "邮箱", "姓名"], ["2026000001", "", ""]]), blanks="clear")
    assert await made.apply() == {"state": "applied", "staged": 1, "updates": 1, "done": 1}
    assert [(r["email"], r["name_native"]) for r in await people(c)] == [(None, "王伟")]


async def test_import_names_each_conflict_with_both_values(world: World, c: Client) -> None:
    await (await Importing.of(world, c, csv_of([HEADERS, student(1), student(2)]))).apply()
    one, two = await people(c)
    patched = await c.patch(f"/v1/trainees/{one['id']}", {"origin": "云南"}, version=1)
    assert patched.status_code == 200
    head = ["id", "version", "origin", "name_native"]
    sheet = [head, [one["id"], "1", "贵州", "王伟"], [two["id"], "1", "贵州", "王伟"]]
    made = await Importing.of(world, c, csv_of(sheet))
    assert await made.counts() == {"state": "checked", "staged": 2, "updates": 1, "faulty": 1}
    (row,) = await made.rows(outcome="faulty")
    assert [(f["column"], f["code"], f["required"], f["actual"]) for f in row["findings"]] == [
        ("origin", "changed_since", "云南", "贵州")
    ]
    await made.apply()
    assert [r["origin"] for r in await people(c)] == ["云南", "贵州"]


async def test_import_refuses_a_change_that_was_overtaken_between_check_and_apply(world: World, c: Client) -> None:
    await (await Importing.of(world, c, csv_of([HEADERS, student(1)]))).apply()
    (one,) = await people(c)
    made = await Importing.of(world, c, csv_of([["id", "version", "origin"], [one["id"], "1", "贵州"]]))
    await c.patch(f"/v1/trainees/{one['id']}", {"origin": "云南"}, version=1)
    assert await made.apply() == {"state": "applied", "staged": 1, "faulty": 1}
    assert await made.faults() == [(2, "", "changed_since")]


async def test_import_knows_only_ids_of_its_own_institution(world: World, c: Client) -> None:
    elsewhere = await world.other()
    there = await world.client(COORDINATOR, institution=elsewhere)
    body = {"name_native": "王伟", "name_latin": "WANG, WEI", "birth_on": "2004-05-06", "nationality": "CN"}
    foreign = (await there.ok("/v1/trainees", body))["id"]
    made = await Importing.of(world, c, csv_of([["id", "origin"], [foreign, "贵州"], ["0" * 32, "贵州"]]))
    assert await made.faults() == [(2, "id", "id_known"), (3, "id", "id_known")]


# Taken back ----------------------------------------------------------------------------------------------------------


async def test_import_is_taken_back_as_a_whole(world: World, c: Client) -> None:
    await (await Importing.of(world, c, csv_of([HEADERS, student(1, 邮箱="a@b.example")]))).apply()
    made = await Importing.of(world, c, csv_of([HEADERS, student(1, 邮箱="x@y.example"), student(2)]))
    await made.apply()
    assert len(await people(c)) == 2
    assert await made.void() == {"state": "voided", "staged": 2, "creates": 1, "updates": 1, "done": 2, "undone": 2}
    (left,) = await people(c)
    assert left["email"] == "a@b.example"
    gone = (await made.rows(outcome="voided"))[0]["item_id"]
    assert (await c.get(f"/v1/trainees/{gone}")).json()["state"] == "voided"
    again = await Importing.of(world, c, csv_of([HEADERS, student(2)]))
    assert (await again.apply())["done"] == 1


async def test_import_stays_where_something_was_built_on_it(world: World, c: Client) -> None:
    made = await Importing.of(world, c, csv_of([HEADERS, student(1), student(2)]))
    await made.apply()
    who = (await made.rows())[1]["item_id"]
    asked = {"person_id": who, "purpose": "enrolment", "fields": ["name"], "notice": NOTICE}
    await c.ok("/v1/consents", asked)
    answer = await c.act(made.path, "void")
    assert answer.status_code == 409
    assert [(r["code"], r["actual"]) for r in answer.json()["reasons"]] == [("nothing_built_on_it", [3])]
    assert len(await people(c)) == 2


NOTICE = {"recipient": "the college", "purpose": "enrolment", "categories": "name", "rights": "withdraw at any time"}


async def test_import_that_is_built_on_while_it_is_taken_back_stays(world: World, c: Client) -> None:
    made = await Importing.of(world, c, csv_of([HEADERS, student(1), student(2)]))
    await made.apply()
    await c.done(made.path, "void")
    who = (await made.rows())[1]["item_id"]
    await c.ok("/v1/consents", {"person_id": who, "purpose": "enrolment", "fields": ["name"], "notice": NOTICE})
    await work(world)
    item = await made.item()
    assert (item["state"], item["undone"], item["trouble"]["code"]) == ("applied", 0, "nothing_built_on_it")
    assert len(await people(c)) == 2


# Killed in the middle ------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone: nothing after it runs."""


async def kill_at(world: World, monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    """Let a worker die before, or right after, its nth write."""
    run = writes.Writes.run
    count = 0

    async def dying(self: writes.Writes, con: Any) -> bool:
        nonlocal count
        count += 1
        if count == n:
            raise Killed
        return await run(self, con)

    with monkeypatch.context() as m:
        m.setattr(writes.Writes, "run", dying)
        while True:
            try:
                if not await carry_on(world.services, world.institution):
                    return
            except Killed:
                return


async def test_import_killed_at_every_write_loses_and_doubles_nothing(
    world: World, c: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (checking, applying):
        monkeypatch.setattr(module, "CHUNK", 4)
    rows = [student(n, 国籍="?") if n % 5 == 4 else student(n) for n in range(20)]
    made = Importing(world, c, f"/v1/imports/{(await upload(c, csv_of([HEADERS, *rows])))['id']}")
    for n in range(1, 7):
        await kill_at(world, monkeypatch, n)
    await work(world)
    assert await made.counts() == {"state": "checked", "staged": 20, "creates": 16, "faulty": 4}
    await c.done(made.path, "apply")
    for n in range(1, 7):
        await kill_at(world, monkeypatch, n)
    await work(world)
    assert await made.counts() == {"state": "applied", "staged": 20, "creates": 16, "faulty": 4, "done": 16}
    assert [p["external_ids"][0]["value"] for p in await people(c)] == [r[0] for r in rows if r[5] != "?"]


async def test_import_of_2000_rows_by_several_workers_at_once(world: World, c: Client) -> None:
    rows = [student(n, 国籍="?") if n % 100 == 99 else student(n) for n in range(2000)]
    made = await Importing.of(world, c, csv_of([HEADERS, *rows]))
    assert await made.counts() == {"state": "checked", "staged": 2000, "creates": 1980, "faulty": 20}
    await c.done(made.path, "apply")
    await asyncio.gather(*(work(world) for _ in range(3)))
    assert await made.counts() == {"state": "applied", "staged": 2000, "creates": 1980, "faulty": 20, "done": 1980}
    async with world.services.database.connection() as con, con.transaction():
        await con.execute("SELECT set_config('app.institution', $1, true)", str(world.institution))
        assert await con.fetchval("SELECT count(*) FROM trainees") == 1980
        assert await con.fetchval("SELECT count(*) FROM import_rows WHERE outcome = 'created'") == 1980


async def test_import_that_two_processes_are_at_goes_on_with_one(world: World, c: Client) -> None:
    """Also where the lock that keeps them apart failed: here there is none."""
    made = await Importing.of(world, c, csv_of([HEADERS, *[student(n) for n in range(40)]]))
    await c.done(made.path, "apply")
    (job,) = await jobs(world.services.database, world.institution)
    done = await asyncio.gather(
        *(carrying._go_on(world.services, world.institution, job) for _ in range(4)), return_exceptions=True
    )
    assert {type(d) for d in done} <= {type(None), Overtaken}
    await work(world)
    assert await made.counts() == {"state": "applied", "staged": 40, "creates": 40, "done": 40}
    assert len(await people(c)) == 40


# Files, mappings, roles ----------------------------------------------------------------------------------------------


async def test_import_remembers_the_mapping_of_a_source(world: World, c: Client) -> None:
    head = ["Reg. no.", *HEADERS[1:]]
    mapping = json.dumps({"Reg. no.": "student_no"})
    first = await Importing.of(world, c, csv_of([head, student(1)]), source="Partner", mapping=mapping)
    second = await Importing.of(world, c, csv_of([head, student(2)]), source="Partner")
    other = await Importing.of(world, c, csv_of([head, student(3)]), source="Somebody else")
    assert [(await i.item())["state"] for i in (first, second, other)] == ["checked", "checked", "failed"]
    assert (await second.item())["mapping"] == {"Reg. no.": "student_no"}
    assert (await other.item())["trouble"] == {
        "code": "header_missing",
        "text": "Columns are missing: student_no. See docs/importing.md for what they may be called.",
        "required": ["student_no"],
    }


async def test_import_refuses_a_mapping_to_no_column(c: Client) -> None:
    told = await upload(c, csv_of([HEADERS]), mapping=json.dumps({"x": "state"}), status=422)
    assert [r["code"] for r in told["reasons"]] == ["column_known"]


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"a\0b"])
async def test_import_refuses_what_is_no_sheet(c: Client, content: bytes) -> None:
    told = await upload(c, content, status=415)
    assert [r["code"] for r in told["reasons"]] == ["file_kind_unknown"]


async def test_import_of_a_broken_workbook_halts_with_the_reason(world: World, c: Client) -> None:
    made = await Importing.of(world, c, xlsx_of([HEADERS, student(1)])[:-200])
    assert (await made.item())["trouble"]["code"] == "workbook_unreadable"
    assert await c.refused(made.path, "apply") == ["something_to_apply"]


async def test_import_upload_twice_with_one_key_is_one(c: Client) -> None:
    content = csv_of([HEADERS, student(1)])
    assert await upload(c, content, key="k") == await upload(c, content, key="k")
    await upload(c, content + b"\n", key="k", status=422)


async def test_import_is_for_whoever_registers_people(world: World, c: Client) -> None:
    instructor = await world.client(INSTRUCTOR)
    await upload(instructor, csv_of([HEADERS, student(1)]), status=403)
    assert (await instructor.get("/v1/imports")).status_code == 403


async def test_import_keeps_no_passport_in_the_clear(world: World, c: Client, dsn: str) -> None:
    made = await Importing.of(world, c, csv_of([[*HEADERS, "身份证号"], [*student(1), "11010519491231002X"]]))
    assert (await made.counts())["creates"] == 1
    con = await asyncpg.connect(dsn)
    kept = await con.fetch("SELECT r::text AS r FROM import_rows r")
    await con.close()
    assert len(kept) == 1
    assert not any(word in row["r"] for row in kept for word in ("11010519491231002X", "王伟", "WANG"))


async def test_import_stops_where_it_is_told_to_and_goes_on(world: World, c: Client) -> None:
    made = await Importing.of(world, c, csv_of([HEADERS, student(1)]))
    await c.done(made.path, "apply")
    await c.done(made.path, "stop")
    await work(world)
    assert await made.counts() == {"state": "failed", "staged": 1, "creates": 1}
    assert (await made.apply())["done"] == 1
