"""Timetables over HTTP: out as a calendar and a workbook, in from either, across the change of clocks."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import xlsxwriter
from icalendar import Calendar
from python_calamine import CalamineWorkbook

from service.domain.actors import COORDINATOR, READER
from tests.actions.test_calendars import OUTLOOK, ical
from tests.api.test_training import Staff, day, person
from tests.conftest import TODAY, Client, World

WINTER = {"starts_at": "2026-10-23T09:00:00+02:00", "ends_at": "2026-10-23T12:00:00+02:00", "topic": "Grammatik"}
HEADERS = ["Date", "Starts", "Ends", "Topic"]


async def german(s: Staff, state: str = "running") -> str:
    """A class at a German site, over the change of clocks of 2026."""
    days = {"starts_on": "2026-10-01", "ends_on": "2027-04-30", "resits_until": None}
    return await s.klass(state, time_zone="Europe/Berlin", title="Deutsch B1", **days)


async def take(
    c: Client, klass: str, content: bytes, *, version: int | None = None, key: str | None = None, dry: bool = False
) -> httpx.Response:
    headers = {"authorization": f"Bearer {c.token}", "idempotency-key": key or uuid4().hex}
    if version is not None:
        headers["if-match"] = f'"{version}"'
    said = {} if dry else {"dry_run": "false"}
    return await c.http.post(
        f"{klass}/timetable", data=said, files={"file": ("x", content)}, headers=headers | c.headers
    )


async def taken(c: Client, klass: str, content: bytes) -> dict[str, Any]:
    answer = await take(c, klass, content, version=(await c.get(klass)).json()["version"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def meetings(c: Client, klass: str) -> list[tuple[str, str, str | None, bool]]:
    rows = (await c.get(f"{klass}/sessions", limit=200)).json()["items"]
    return [(r["starts_at"], r["hours"], r["topic"], r["cancelled_at"] is not None) for r in rows]


def events(content: bytes) -> dict[str, Any]:
    return {str(e["uid"]): e for e in Calendar.from_ical(content).walk("VEVENT")}


async def test_timetable_keeps_its_clock_across_the_change_of_clocks(world: World) -> None:
    s = await Staff.of(world)
    klass = await german(s)
    weekly = ical("""BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:weekly
DTSTART;TZID=Europe/Berlin:20261023T090000
DTEND;TZID=Europe/Berlin:20261023T120000
RRULE:FREQ=WEEKLY;COUNT=2
SUMMARY:Deutsch B1
END:VEVENT
BEGIN:VEVENT
UID:night
DTSTART;TZID=Europe/Berlin:20261025T003000
DTEND;TZID=Europe/Berlin:20261025T043000
SUMMARY:Nachtschicht
END:VEVENT
END:VCALENDAR
""")
    assert (await taken(s.c, klass, weekly))["counts"] == {"add": 3}
    assert await meetings(s.c, klass) == [
        ("2026-10-23T07:00:00Z", "3.00", None, False),
        ("2026-10-24T22:30:00Z", "5.00", "Nachtschicht", False),  # four hours on the clock, five that pass
        ("2026-10-30T08:00:00Z", "3.00", None, False),
    ]
    shown = await s.c.get(f"{klass}/timetable.ics")
    assert shown.headers["content-type"].startswith("text/calendar")
    starts = {uid: e["dtstart"].to_ical().decode() for uid, e in events(shown.content).items()}
    assert starts == {
        "weekly#20261023T070000Z": "20261023T090000",
        "night": "20261025T003000",
        "weekly#20261030T080000Z": "20261030T090000",
    }
    assert b"TZID:Europe/Berlin" in shown.content
    same = await s.c.http.get(
        f"{klass}/timetable.ics",
        headers={"authorization": f"Bearer {s.c.token}", "if-none-match": shown.headers["etag"]},
    )
    assert same.status_code == 304


async def test_calendar_of_another_program_is_looked_at_then_taken_in_and_taken_again(world: World) -> None:
    s = await Staff.of(world)
    klass = await german(s)
    looked = await take(s.i, klass, ical(OUTLOOK), dry=True)
    assert looked.status_code == 200, looked.text
    report = looked.json()
    assert (report["dry_run"], report["counts"], report["not_in_file"]) == (True, {"add": 3}, 0)
    assert await meetings(s.c, klass) == []
    key, version = uuid4().hex, report["version"]
    assert (await take(s.i, klass, ical(OUTLOOK))).status_code == 428
    assert (await take(s.i, klass, ical(OUTLOOK), version=version + 1)).status_code == 412
    done = await take(s.i, klass, ical(OUTLOOK), version=version, key=key)
    assert (done.json()["counts"], done.json()["version"]) == ({"add": 3}, version + 1)
    again = await take(s.i, klass, ical(OUTLOOK), version=version, key=key)
    assert (again.headers.get("idempotent-replayed"), again.content) == ("true", done.content)
    assert (await taken(s.i, klass, ical(OUTLOOK)))["counts"] == {"same": 3}
    other = await take(s.i, klass, ical(OUTLOOK.replace("Verlegt", "x")), version=version, key=key)
    assert other.status_code == 422
    moved = ical(OUTLOOK.replace("20261026T163000", "20261026T150000").replace("STATUS:CONFIRMED", "STATUS:CANCELLED"))
    found = await taken(s.i, klass, moved)
    assert [(x["does"], x["starts_at"], x["hours"]) for x in found["lines"]] == [
        ("cancel", "2026-10-23T07:00:00Z", "2.50"), ("cancel", "2026-11-02T08:00:00Z", "2.50"),
        ("change", "2026-10-26T13:00:00Z", "1.00"),
    ]  # fmt: skip
    assert [m[1:] for m in await meetings(s.c, klass)] == [
        ("2.50", "Aussprache, Satzmelodie und die Grammatik", True), ("1.00", "Verlegt", False),
        ("2.50", "Aussprache, Satzmelodie und die Grammatik", True),
    ]  # fmt: skip
    written = events((await s.c.get(f"{klass}/timetable.ics")).content)
    assert sorted((str(e["status"]), int(e["sequence"])) for e in written.values()) == [
        ("CANCELLED", 1), ("CANCELLED", 1), ("CONFIRMED", 1),
    ]  # fmt: skip
    assert (await taken(s.i, klass, ical(OUTLOOK)))["counts"] == {"reinstate": 2, "change": 1}
    event = (await s.c.get(f"{klass}/events", limit=200)).json()["items"][-1]
    assert (event["type"], sorted(event["data"])) == ("training_class.timetable_set", ["change", "reinstate"])


async def test_workbook_comes_back_as_it_went_out_and_changes_what_was_changed(world: World) -> None:
    s = await Staff.of(world)
    klass = await german(s)
    formula = WINTER | {"topic": "=1+1"}
    late = {"starts_at": "2026-10-25T02:30:00+01:00", "ends_at": "2026-10-25T03:30:00+01:00", "hours": "0.75"}
    await s.c.done(klass, "schedule_sessions", {"sessions": [formula, late]})
    shown = await s.c.get(f"{klass}/timetable.xlsx")
    assert shown.headers["content-disposition"].startswith('attachment; filename="Deutsch B1.xlsx"')
    rows = CalamineWorkbook.from_filelike(io.BytesIO(shown.content)).get_sheet_by_index(0).to_python()
    assert [r[:7] for r in rows[1:]] == [
        [date(2026, 10, 23), "09:00", "12:00", 3.0, "=1+1", "no", "+02:00"],
        [date(2026, 10, 25), "02:30", "03:30", 0.75, "", "no", "+01:00"],
    ]
    assert (await taken(s.c, klass, shown.content))["counts"] == {"same": 2}
    edited = workbook(
        ["日期", "开始", "结束", "取消", "UID"],
        [date(2026, 10, 23), 0.5, 0.625, "", rows[1][7]],
        [date(2026, 10, 25), "2:30", "3:30", "是", rows[2][7]],
        [date(2026, 10, 28), "22:00", "01:00", "", ""],
        [date(2027, 3, 28), "02:30", "04:00", "maybe", ""],
        [date(2026, 10, 25), "02:30", "04:00", "", ""],
        [date(2027, 5, 1), "9:00", "10:00", "", ""],
        ["soon", "noon", "", "", ""],
    )
    report = (await take(s.c, klass, edited, dry=True)).json()
    told = [
        (x["line"], x["does"], x["hours"], [(r["code"], r.get("pointer")) for r in x["reasons"]])
        for x in report["lines"]
    ]
    assert told == [
        (3, "change", "3.00", []),
        (4, "faulty", None, [("time_twice_on_clock", "starts")]),
        (5, "add", "3.00", []),
        (6, "faulty", None, [("yes_or_no", "cancelled")]),
        (7, "faulty", None, [("time_twice_on_clock", "starts")]),
        (8, "faulty", "1.00", [("session_in_class", "starts_at")]),
        (9, "faulty", None, [("date_unreadable", "on"), ("clock_unreadable", "starts"), ("input_required", "ends")]),
    ]  # fmt: skip
    assert report["not_in_file"] == 1
    await taken(s.c, klass, edited)
    assert [m[:3] for m in await meetings(s.c, klass)] == [
        ("2026-10-23T10:00:00Z", "3.00", None), ("2026-10-25T01:30:00Z", "0.75", None),
        ("2026-10-28T21:00:00Z", "3.00", None),
    ]  # fmt: skip
    assert (await taken(s.c, klass, edited))["counts"] == {"same": 2, "faulty": 5}


def workbook(headers: list[str], *rows: list[Any]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Timetable of the class"])
        for n, row in enumerate([headers, *rows], 1):
            sheet.write_row(n, 0, row)
    return out.getvalue()


async def test_what_was_held_keeps_its_time(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    (m,) = await s.join(klass, await person(s.c))
    await s.held(klass, [m], "present")
    (row,) = (await s.i.get(f"{klass}/sessions")).json()["items"]

    def sheet(start: str, topic: str) -> bytes:
        return workbook([*HEADERS, "UID"], [TODAY, start, "11:00", topic, row["uid"]])

    refused = (await taken(s.i, klass, sheet("10:00", "x")))["lines"]
    assert [(x["does"], [r["code"] for r in x["reasons"]]) for x in refused] == [("faulty", ["session_not_held"])]
    assert (await taken(s.i, klass, sheet("09:00", "Lesen")))["counts"] == {"change": 1}
    assert (await s.i.get(f"/v1/sessions/{row['id']}")).json()["topic"] == "Lesen"


async def test_timetable_files_are_refused_as_a_whole_where_they_are_none(world: World) -> None:
    s = await Staff.of(world)
    klass = await german(s)
    many = workbook(HEADERS, *([[date(2026, 10, 2), "9:00", "10:00", ""]] * 1001))
    for content, status, code in (
        (b"%PDF-1.7\n", 415, "file_kind_unknown"),
        (b"PK\x03\x04broken", 422, "workbook_unreadable"),
        (b"a,b\n1,2\n", 422, "header_missing"),
        (b"BEGIN:VCALENDAR\r\nnonsense", 422, "calendar_broken"),
        (many, 422, "too_many_rows"),
        (b"x" * (2 * 2**20 + 1), 413, "file_too_large"),
    ):
        answer = await take(s.c, klass, content, dry=True)
        found = [r["code"] for r in answer.json()["reasons"]]
        assert (content[:12], answer.status_code, found) == (content[:12], status, [code])
    csv = "日期;开始;结束\n2026-10-02;9:00;10:30\n".encode("gb18030")
    assert (await taken(s.c, klass, csv))["counts"] == {"add": 1}
    assert (
        await s.c.http.post(f"{klass}/timetable", headers={"authorization": f"Bearer {s.c.token}"})
    ).status_code == 415


async def test_timetable_is_for_those_who_teach_in_a_class_that_goes_on(world: World) -> None:
    s = await Staff.of(world)
    klass = await german(s)
    sheet = workbook(HEADERS, [date(2026, 10, 2), "9:00", "10:00", "x"])
    reader = await world.client(READER)
    assert (await take(reader, klass, sheet, dry=True)).status_code == 403
    assert (await reader.get(f"{klass}/timetable.ics")).status_code == 200
    stranger = await world.client(COORDINATOR, institution=await world.other())
    for ending in (".ics", ".xlsx"):
        assert (await stranger.get(f"{klass}/timetable{ending}")).status_code == 404
    assert (await take(stranger, klass, sheet, dry=True)).status_code == 404
    assert (await take(s.i, f"/v1/classes/{uuid4()}", sheet, dry=True)).status_code == 404
    await s.c.done(klass, "cancel", {"reason_code": "other"})
    assert [r["code"] for r in (await take(s.i, klass, sheet, dry=True)).json()["reasons"]] == ["not_from_this_state"]


async def test_timetable_is_set_as_json_too(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    instructor = s.i
    times = {"starts_at": f"{day(1)}T09:00:00+08:00", "ends_at": f"{day(1)}T11:00:00+08:00"}
    await instructor.done(klass, "set_timetable", {"sessions": [times | {"uid": "a"}]})
    moved = {n: (datetime.fromisoformat(t) + timedelta(hours=1)).isoformat() for n, t in times.items()}
    await instructor.done(klass, "set_timetable", {"sessions": [moved | {"uid": "a"}, times | {"uid": "b"}]})
    rows = (await s.c.get(f"{klass}/sessions")).json()["items"]
    assert [(r["uid"], r["starts_at"][11:16]) for r in rows] == [("b", "01:00"), ("a", "02:00")]
    twice = {"sessions": [times | {"uid": "a"}, moved | {"uid": "a"}]}
    assert await instructor.refused(klass, "set_timetable", twice) == ["session_twice"]
