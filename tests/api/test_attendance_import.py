"""Attendance from sheets: rows that are marks, what is wrong with them, and taking them back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.api.test_training import Staff, day, person, session, tail
from tests.conftest import ZONE, World
from tests.sheets import Importing, csv_of

HEADERS = ["班级编号", "日期", "开始时间", "学号", "考勤", "请假类型", "登记日期", "登记时间"]


async def numbered(s: Staff, number: str) -> str:
    """Somebody with a student number."""
    who = await person(s.c)
    path = f"/v1/trainees/{who}"
    known = {"external_ids": [{"system": "student_no", "value": number}]}
    changed = await s.c.patch(path, known, version=(await s.c.get(path)).json()["version"])
    assert changed.status_code == 200, changed.text
    return who


async def test_marks_of_a_sheet_are_checked_put_down_and_taken_back(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    members = []
    for n in (1, 2):
        members += await s.join(klass, await numbered(s, f"S{n}"))
    await s.i.done(klass, "schedule_sessions", {"sessions": [session(-2), session(-1)]})
    first, second = (await s.i.get(f"{klass}/sessions")).json()["items"]
    own = {"session_id": second["id"], "marks": [{"membership_id": tail(members[0]), "kind": "absent"}]}
    early = datetime.now(UTC) - timedelta(hours=2)
    await s.i.done(klass, "take_attendance", own | {"taken_at": early.isoformat()})

    def row(meeting: dict[str, Any], number: str, kind: str, excuse: str = "", *taken: str) -> list[str]:
        at = datetime.fromisoformat(meeting["starts_at"]).astimezone(ZoneInfo(ZONE))
        return [tail(klass), str(at.date()), f"{at:%H:%M}", number, kind, excuse, *(taken or ("", ""))]

    rows = [
        row(first, "S1", "迟到"),  # line 2: late needs hours
        row(first, "S1", "出勤"),
        row(first, "S2", "", "病假", day(0), "00:00"),
        row(second, "S1", "出勤"),
        row(second, "S1", "缺勤"),  # stands already
        row(second, "S9", "出勤"),
        [tail(klass), day(-30), "08:00", "S2", "出勤", "", "", ""],
        row(second, "S2", "?"),
    ]
    made = await Importing.of(world, s.c, csv_of([HEADERS, *rows[1:]]), kind="attendance")
    assert await made.faults() == [
        (6, "学号", "member_attends"),
        (7, "开始时间", "session_known"),
        (8, "考勤", "code_unknown"),
    ]
    alone = await Importing.of(world, s.c, csv_of([HEADERS, rows[0]]), kind="attendance")
    assert [f[2] for f in await alone.faults()] == ["attended_hours_in_range"]
    assert await made.apply() == {"state": "applied", "staged": 7, "creates": 3, "unchanged": 1, "faulty": 3, "done": 3}

    async def marks() -> list[tuple[str, bool]]:
        shown = (await s.i.get(f"{klass}/attendance")).json()["items"]
        return sorted((m["kind"], m["membership_id"] == tail(members[0])) for m in shown)

    assert await marks() == [("excused_illness", False), ("present", True), ("present", True)]
    events = (await s.c.get(f"{klass}/events")).json()["items"]
    assert [e["type"].rsplit(".")[-1] for e in events][-1] == "attendance_of_many_taken"
    again = await Importing.of(world, s.c, csv_of([HEADERS, *rows[1:4]]), kind="attendance")
    assert await again.counts() == {"state": "checked", "staged": 3, "unchanged": 3}
    assert (await made.void())["undone"] == 3
    held = [(m["id"], m["taken_at"] is not None) for m in (await s.i.get(f"{klass}/sessions")).json()["items"]]
    assert held == [(first["id"], False), (second["id"], True)]
    assert ("absent", True) in await marks()


async def test_marks_that_were_marked_again_since_stay(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    (member,) = await s.join(klass, await numbered(s, "S1"))
    await s.i.done(klass, "schedule_sessions", {"sessions": [session(-1)]})
    (at,) = (await s.i.get(f"{klass}/sessions")).json()["items"]
    sheet = csv_of([["class id", "uid", "student number", "mark"], [tail(klass), at["uid"], "S1", "present"]])
    made = await Importing.of(world, s.c, sheet, kind="attendance")
    await made.apply()
    marks = [{"membership_id": tail(member), "kind": "absent"}]
    await s.i.done(klass, "take_attendance", {"session_id": at["id"], "marks": marks})
    assert await s.c.refused(made.path, "void") == ["nothing_built_on_it"]
