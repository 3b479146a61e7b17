"""The year's report over HTTP: frozen, rebuilt to the byte, opened to its rows, held against what was corrected since."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import asyncpg
import pytest
from python_calamine import CalamineWorkbook

from service.domain.actors import COORDINATOR, INSTRUCTOR, READER, REGISTRAR
from tests.api.studying import Studies, plain
from tests.api.test_enrolments import enrolled
from tests.api.test_recognition import PART, YES, wanted
from tests.api.test_recognition import Staff as Recognition
from tests.api.test_results import result
from tests.conftest import TODAY, Client, World
from tests.jobs import Jobs

YEAR = TODAY.year


async def freeze(client: Client, **said: Any) -> str:
    """The path of a report that was frozen now."""
    return f"/v1/reports/{(await client.ok('/v1/reports', {'year': YEAR} | said))['id']}"


async def numbers(client: Client, report: str) -> dict[str, Any]:
    """Every number that is not nothing: the whole alone, or the whole and its groups by their codes."""
    found = {}
    for section in (await client.get(report)).json()["content"]["sections"]:
        for f in section["figures"]:
            if f["value"] not in (0, None):
                groups = {g["group"]: g["value"] for g in f["groups"]}
                found[f["key"]] = (f["value"], groups) if groups else f["value"]
    return found


async def content(client: Client, report: str) -> bytes:
    answer = await client.get(f"{report}/report.json")
    assert answer.status_code == 200, answer.text
    return answer.content


async def check(client: Client, report: str) -> None:
    """The record gives the same bytes once more."""
    kept = sha256(await content(client, report)).hexdigest()
    assert (await client.get(f"{report}/check")).json() == {"sha256": kept, "rebuilt_sha256": kept, "same": True}


class Small:
    """A small world that a hand can count: two people enrolled and one about to be, two candidates of whom one has a contract, one case."""

    studies: Studies
    jobs: Jobs
    recognition: Recognition
    enrolments: list[str]
    request: str
    programme: str

    @classmethod
    async def of(cls, world: World) -> Small:
        made = cls()
        made.studies, made.jobs = await Studies.begin(world), await Jobs.of(world)
        s, jobs = made.studies, made.jobs
        made.programme = plain(s.programme)
        made.enrolments = [(await enrolled(s))[1] for _ in range(2)]
        await s.enrolment()
        made.request = await jobs.open()
        accepted, nominated = await jobs.people(2)
        (offered,) = await jobs.up_to("offered", made.request, [accepted])
        await jobs.up_to("nominated", made.request, [nominated])
        await (await jobs.trainee(accepted)).done(f"/v1/candidacies/{offered}", "accept")
        for destination, number in (("TH", 3), ("JP", 5)):
            await s.c.ok("/v1/targets", {"year": YEAR, "destination": destination, "number": number})
        made.recognition = await Recognition().enter(world)
        r = made.recognition
        one, two = [await result(r.coordinator, r.person, course_title=t) for t in "AB"]
        case = await r.open(wanted(one), wanted(two, "b"))
        await r.decided(case, YES, PART)
        return made


COUNTED = {
    "applications_submitted": 3,
    "enrolments_begun": 2,
    "studying": 2,
    "cases_opened": 1,
    "items_decided": (2, {"partially_recognised": 1, "recognised": 1}),
    "targets": (8, {"JP": 5, "TH": 3}),
    "contracted": (1, {"TH": 1}),
    "target_reached": ("12.5", {"JP": "0.0", "TH": "33.3"}),
}


@pytest.fixture
async def small(world: World) -> Small:
    return await Small.of(world)


async def test_report_counts_a_small_world_and_survives_corrections(world: World, small: Small) -> None:
    c, p = small.studies.c, small.programme
    of_programme = {
        k: (n, {p: n}) for k, n in COUNTED.items() if k in ("applications_submitted", "enrolments_begun", "studying")
    }
    report = await freeze(c)
    counted = COUNTED | of_programme
    assert await numbers(c, report) == counted
    kept = await content(c, report)
    shown = (await c.get(report)).json()
    assert (shown["sha256"], shown["state"]) == (sha256(kept).hexdigest(), "frozen")
    assert json.loads(kept) == shown["content"]
    frozen = (await c.get(f"{report}/events")).json()["items"]
    assert [(e["type"], e["data"]["sha256"]) for e in frozen] == [("report.frozen", shown["sha256"])]
    assert (await c.get(f"{report}/differences")).json()["items"] == []

    # One enrolment is taken back, a target is raised, somebody enrols late: the report stays, and says so.
    first = small.enrolments[0]
    await c.done(first, "correct", {"note": "identity of another person"})
    (jp,) = (await c.get("/v1/targets", destination="JP", state="set")).json()["items"]
    assert (await c.patch(f"/v1/targets/{jp['id']}", {"number": 4}, version=jp["version"])).status_code == 200
    await check(c, report)
    assert await content(c, report) == kept

    taken_back = (await c.get(f"{first}/events")).json()["items"][-1]
    lowered = (await c.get(f"/v1/targets/{jp['id']}/events")).json()["items"][-1]
    told = (await c.get(f"{report}/differences")).json()
    enrolment = {"rows_gone": 1, "rows_added": 0, "events": 1, "event_ids": [taken_back["event_id"]]}
    target = {"rows_gone": 1, "rows_added": 1, "events": 1, "event_ids": [lowered["event_id"]]}
    assert told["items"] == [
        {"figure": "enrolments_begun", "group": None, "frozen": 2, "now": 1} | enrolment,
        {"figure": "enrolments_begun", "group": p, "frozen": 2, "now": 1} | enrolment,
        {"figure": "studying", "group": None, "frozen": 2, "now": 1} | enrolment,
        {"figure": "studying", "group": p, "frozen": 2, "now": 1} | enrolment,
        {"figure": "targets", "group": None, "frozen": 8, "now": 7} | target,
        {"figure": "targets", "group": "JP", "frozen": 5, "now": 4} | target,
        {"figure": "target_reached", "group": None, "frozen": "12.5", "now": "14.3"} | target,
    ]
    again = await freeze(c)
    later = await numbers(c, again)
    assert (later["enrolments_begun"], later["targets"]) == ((1, {p: 1}), (7, {"JP": 4, "TH": 3}))
    reader = await world.client(READER)
    seen = (await reader.get(f"{report}/differences")).json()["items"]
    assert [d["event_ids"] for d in seen] == [None] * 7
    assert [d["now"] for d in seen] == [d["now"] for d in told["items"]]


async def test_numbers_open_their_rows(world: World, small: Small) -> None:
    c = small.studies.c
    report = await freeze(c)
    rows = (await c.get(f"{report}/figures/enrolments_begun/rows")).json()
    assert sorted(r["subject_id"] for r in rows["items"]) == sorted(map(plain, small.enrolments[:2]))
    events = (await c.get(f"{small.enrolments[0]}/events")).json()["items"]
    (row,) = [r for r in rows["items"] if r["subject_id"] == plain(small.enrolments[0])]
    assert row == {
        "figure": "enrolments_begun", "row_id": events[-1]["event_id"], "group": small.programme, "value": "1",
        "event_id": events[-1]["event_id"], "subject": "enrolment", "subject_id": plain(small.enrolments[0]),
        "stream_id": events[-1]["stream_id"], "action": "enrol", "occurred_on": events[-1]["occurred_on"],
        "recorded_at": events[-1]["recorded_at"],
    }  # fmt: skip
    page = (await c.get(f"{report}/figures/enrolments_begun/rows", limit=1)).json()
    more = (await c.get(f"{report}/figures/enrolments_begun/rows", limit=1, after=page["next"])).json()
    assert page["items"] + more["items"] == rows["items"]
    assert more["next"] is None
    opened = {}
    for section in (await c.get(report)).json()["content"]["sections"]:
        for f in section["figures"]:
            for group in (None, *[g["group"] for g in f["groups"]]):
                asked = {"group": group} if group else {}
                found = (await c.get(f"{report}/figures/{f['key']}/rows", **asked)).json()["items"]
                value = next((g["value"] for g in f["groups"] if g["group"] == group), f["value"])
                if f["counts"] in ("steps", "standing", "decisions"):
                    opened[f["key"], group] = (value, len(found))
                elif f["counts"] == "targets":
                    opened[f["key"], group] = (value, sum(int(r["value"]) for r in found))
    assert {k: n for k, n in opened.items() if n[0] != n[1]} == {}
    both = (await c.get(f"{report}/figures/target_reached/rows", group="TH")).json()["items"]
    assert sorted(r["figure"] for r in both) == ["contracted", "targets"]

    instructor, reader = await world.client(INSTRUCTOR), await world.client(READER)
    assert (await instructor.get(f"{report}/figures/contracted/rows")).status_code == 200
    assert (await reader.get(report)).status_code == 200
    shut = await reader.get(f"{report}/figures/contracted/rows")
    assert (shut.status_code, [r["code"] for r in shut.json()["reasons"]]) == (403, ["role"])
    for key in ("nothing", "%00", "x" * 90):
        assert (await c.get(f"{report}/figures/{key}/rows")).status_code == 404, key
    assert (await c.get(f"{report}/figures/contracted/rows", after="AAAA")).status_code == 422
    assert (await c.get(f"{report}/figures/contracted/rows", group="\x00")).status_code == 422


async def test_report_is_drawn_to_the_byte(world: World, small: Small) -> None:
    c = small.studies.c
    report = await freeze(c)
    await drawn(c, report, "en")
    await drawn(c, report, "zh")
    yesterday = TODAY - timedelta(days=1)
    if yesterday.year == YEAR:  # nothing of this world was on record then
        before = await freeze(c, as_of=str(yesterday))
        assert await numbers(c, before) == {}
        told = (await c.get(f"{before}/differences")).json()["items"]
        assert [(d["group"], d["frozen"], d["now"]) for d in told if d["figure"] == "contracted"] == [
            (None, 0, 1), ("TH", 0, 1),
        ]  # fmt: skip
    other = await world.client(COORDINATOR, institution=await world.other())
    assert await numbers(other, await freeze(other)) == {}


async def drawn(c: Client, report: str, language: str) -> None:
    """Both drawings, in one language, are the same each time and say what was counted."""
    for ending, start in (("pdf", b"%PDF-"), ("xlsx", b"PK")):
        first = await c.get(f"{report}/report.{ending}", language=language)
        again = await c.get(f"{report}/report.{ending}", language=language)
        assert first.status_code == 200
        assert first.content[: len(start)] == start
        assert first.content == again.content
        assert first.headers["content-disposition"].startswith(f'attachment; filename="report-{YEAR}-{TODAY}.{ending}"')
    book = await c.get(f"{report}/report.xlsx", language=language)
    sheets = CalamineWorkbook.from_filelike(BytesIO(book.content))
    assert len(sheets.sheet_names) == 5
    cells = sheets.get_sheet_by_index(0).to_python()
    title = {"en": "Applications submitted", "zh": "提交的申请"}[language]
    assert [row[1] for row in cells if row[0] == title] == [3.0]
    placed = sheets.get_sheet_by_name({"en": "Placement", "zh": "派遣与就业"}[language]).to_python()
    assert [row[:2] for row in placed if row[0] in ("Japan", "日本")] == [
        [{"en": "Japan", "zh": "日本"}[language], n] for n in (5.0, 0.0)
    ]  # fmt: skip
    with ZipFile(BytesIO(book.content)) as parts:
        names = parts.namelist()
        charts = [parts.read(n).decode() for n in names if n.startswith("xl/charts/chart")]
        everything = b"".join(parts.read(n) for n in names if n.endswith(".xml"))
    assert len(charts) == 7
    assert sum("<c:barChart>" in chart for chart in charts) == 7
    assert b"<f>" not in everything.replace(b"<c:f>", b"")


async def test_reports_are_kept_by_coordinators_and_never_changed(world: World, dsn: str) -> None:
    c = await world.client(COORDINATOR)
    key = uuid4().hex
    first = await c.post("/v1/reports", {"year": YEAR}, key=key)
    again = await c.post("/v1/reports", {"year": YEAR}, key=key)
    assert (first.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert first.json() == again.json()
    assert len((await c.get("/v1/reports", year=YEAR)).json()["items"]) == 1
    for said, status in (
        ({"year": YEAR + 1}, 409), ({"year": YEAR - 21}, 409), ({"year": 1}, 409), ({"year": 9999}, 409),
        ({"year": 10**12}, 422), ({"year": YEAR, "as_of": str(TODAY + timedelta(days=1))}, 409),
        ({"year": YEAR, "as_of": f"{YEAR - 1}-12-31"}, 409), ({"year": YEAR, "as_of": "9999-12-31"}, 422),
        ({}, 422),
    ):  # fmt: skip
        assert (await c.post("/v1/reports", said)).status_code == status, said
    for role in (READER, REGISTRAR):
        other = await world.client(role)
        assert (await other.post("/v1/reports", {"year": YEAR})).status_code == 403
    con = await asyncpg.connect(dsn, server_settings={"role": "sojourn_service"})
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await con.execute("UPDATE reports SET content = 'x'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await con.execute("DELETE FROM reports")
    await con.close()
