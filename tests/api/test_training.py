"""Training over HTTP: places, attendance, marks, completion by rule, and what every way out gives back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx

from service.domain.actors import COORDINATOR, ENTERPRISE, INSTRUCTOR, READER, TRAINEE
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import TODAY, Client, World

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def day(offset: int) -> str:
    return (TODAY + timedelta(days=offset)).isoformat()


def session(offset: int, hours: int = 2, at: int = 9) -> dict[str, Any]:
    return {"starts_at": f"{day(offset)}T{at:02}:00:00+08:00", "ends_at": f"{day(offset)}T{at + hours:02}:00:00+08:00"}


async def scan(client: Client, **fields: Any) -> str:
    """A document that shows something."""
    answer = await client.http.post(
        "/v1/documents",
        data={"kind": "correspondence", "title": "Attendance sheet"} | fields,
        files={"file": ("scan.pdf", PDF, "application/pdf")},
        headers={"authorization": f"Bearer {client.token}", "idempotency-key": uuid4().hex},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def person(client: Client, n: int = 0) -> str:
    body = {
        "name_native": f"王{n}",
        "name_latin": f"WANG, {'ABCDEFGHIJ'[n % 10]}",
        "birth_on": "2004-05-06",
        "nationality": "CN",
    }
    return str((await client.ok("/v1/trainees", body))["id"])


async def people(client: Client, count: int) -> list[str]:
    return [await person(client, n) for n in range(count)]


class Staff:
    """A coordinator and an instructor of one institution."""

    def __init__(self, coordinator: Client, instructor: Client, teacher_id: str) -> None:
        self.c, self.i, self.teacher_id = coordinator, instructor, teacher_id

    @classmethod
    async def of(cls, world: World) -> Staff:
        c, i = await world.client(COORDINATOR), await world.client(INSTRUCTOR)
        return cls(c, i, (await i.get("/v1/me")).json()["account_id"])

    async def klass(self, state: str = "open", **more: Any) -> str:
        """The path of a class that has come so far."""
        body = {
            "kind": "language", "title": "日语 N4", "capacity": 2, "starts_on": day(-30), "ends_on": day(30),
            "time_zone": "Asia/Shanghai", "teacher_id": self.teacher_id, "min_attendance_percent": 80,
            "excused": ["excused_illness"], "resits_until": day(60),
        } | more  # fmt: skip
        path = f"/v1/classes/{(await self.c.ok('/v1/classes', body))['id']}"
        for action in {"planned": (), "open": ("open",), "running": ("open", "start")}[state]:
            await self.c.done(path, action)
        return path

    async def join(self, klass: str, *persons: str, attend: bool = True) -> list[str]:
        """Paths of memberships of a class."""
        out = []
        for person_id in persons:
            made = await self.c.ok("/v1/memberships", {"person_id": person_id, "class_id": klass.rsplit("/", 1)[1]})
            out.append(f"/v1/memberships/{made['id']}")
            if attend:
                await self.i.done(out[-1], "attend", {"occurred_on": day(0)})
        return out

    async def held(self, klass: str, members: Sequence[str], *kinds: str, at: int = 9) -> list[str]:
        """Meetings of two hours today, each with one kind of attendance for all members; their ids."""
        await self.i.done(klass, "schedule_sessions", {"sessions": [session(0, at=at) for _ in kinds]})
        items = (await self.i.get(f"{klass}/sessions")).json()["items"]
        fresh = [s["id"] for s in items if s["taken_at"] is None]
        for session_id, kind in zip(fresh, kinds, strict=True):
            marks = [{"membership_id": m.rsplit("/", 1)[1], "kind": kind} for m in members]
            await self.i.done(klass, "take_attendance", {"session_id": session_id, "marks": marks})
        return fresh


async def taken(client: Client, klass: str) -> int:
    return int((await client.get(klass)).json()["taken"])


async def state(client: Client, path: str) -> str:
    return str((await client.get(path)).json()["state"])


def tail(path: str) -> str:
    return path.rsplit("/", 1)[1]


async def test_instructor_sees_and_touches_only_the_classes_that_they_teach(world: World) -> None:
    """A class of somebody else looks like none; whoever is also a coordinator sees all, and a reader the plan."""
    s = await Staff.of(world)
    klass = await s.klass("running")
    (member,) = await s.join(klass, await person(s.c))
    body = {"name": "Exam", "max_mark": "100", "pass_mark": "60", "weight": "1", "required": True}
    exam = (await s.i.done(klass, "set_assessment", body))["created"]["assessment"]
    (meeting,) = await s.held(klass, [member], "present")
    await s.i.done(
        klass, "record_marks", {"assessment_id": exam, "marks": [{"membership_id": tail(member), "mark": "70"}]}
    )
    other, both = await world.client(INSTRUCTOR), await world.client(INSTRUCTOR, COORDINATOR)
    lists = ("/v1/classes", "/v1/memberships", "/v1/sessions", f"{klass}/sessions", f"{klass}/attendance",
             f"{klass}/assessments", f"{klass}/marks")  # fmt: skip
    for path in lists:
        seen = [(await who.get(path)) for who in (s.i, both, other)]
        assert [len(a.json()["items"]) for a in seen[:2]] == [1, 1], path
        assert seen[2].status_code == 404 or seen[2].json()["items"] == [], path
    one = (klass, member, f"/v1/sessions/{meeting}", f"{klass}/timetable.ics", f"{klass}/events")
    missing = f"/v1/classes/{uuid4()}"
    for path in one:
        assert [(await who.get(path)).status_code for who in (s.i, both, other)][::2] == [200, 404], path
    sheet = {"sheets": [{"session_id": meeting, "marks": []}]}
    for path in (klass, missing):
        for action, given in (("finish", {}), ("take_attendance_of_many", sheet), ("set_assessment", body)):
            answer = await other.post(f"{path}/{action}", given, version=1)
            assert answer.status_code == 404, (path, action)
    assert (await other.post(f"{member}/fail", {}, version=1)).status_code == 404
    many = await other.ok("/v1/classes/bulk/finish", {"items": [{"id": tail(klass), "version": 9}]})
    assert [i["error"] for i in many["items"]] == ["not-found"]
    reader = await world.client(READER)
    assert (await reader.get(klass)).status_code == 200


async def test_class_runs_from_plan_to_results(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("planned", teacher_id=None)
    assert await s.c.refused(klass, "open") == ["teacher_assigned"]
    shown = (await s.c.get(klass)).json()
    answer = await s.c.patch(klass, {"teacher_id": s.teacher_id}, version=shown["version"])
    assert answer.status_code == 200, answer.text
    for action in ("open", "start"):
        await s.c.done(klass, action)
    (m,) = await s.join(klass, await person(s.c))
    await s.i.done(
        klass, "set_assessment", {"name": "oral", "max_mark": "20", "pass_mark": "12", "weight": "1", "required": True}
    )
    (oral,) = (await s.i.get(f"{klass}/assessments")).json()["items"]
    await s.held(klass, [m], "present", "present", "present", "absent")
    refused = await s.i.act(m, "pass")
    assert refused.status_code == 409, refused.text
    assert [(r["code"], r["required"], r.get("actual"), r["text"]) for r in refused.json()["reasons"]] == [
        ("attendance_reached", "80", "75", "75 % of the hours held were attended; 80 % are required."),
        ("assessment_passed", "oral 12/20", None, "Assessment: - reached; oral 12/20 required."),
    ]
    await s.i.done(
        klass, "record_marks", {"assessment_id": oral["id"], "marks": [{"membership_id": tail(m), "mark": "11.5"}]}
    )
    await s.i.done(
        klass, "record_marks", {"assessment_id": oral["id"], "marks": [{"membership_id": tail(m), "mark": "14"}]}
    )
    assert [mark["mark"] for mark in (await s.i.get(f"{klass}/marks")).json()["items"]] == ["14.0000"]
    await s.held(klass, [m], "present")
    assert await s.i.refused(klass, "finish") == ["results_final"]
    assert (await s.i.get(f"{m}/completion")).json() == {
        "id": tail(m), "attempt": 1, "met": True, "unmet": [],
        "rules": [
            {"met": True, "code": "attendance_reached", "required": "80", "actual": "80",
             "text": "80 % of the hours held were attended; 80 % are required."},
            {"met": True, "code": "assessment_passed", "required": "oral 12/20", "actual": "oral 14/20",
             "text": "Assessment: oral 14/20 reached; oral 12/20 required."},
        ],
        "hours_counted": "10.00", "hours_attended": "8.00",
        "attendance_percent": "80.00", "min_attendance_percent": 80, "score": "70.00",
        "assessments": [{"name": "oral", "max_mark": "20.0000", "pass_mark": "12.0000", "weight": "1.0000",
                         "required": True, "mark": "14.0000", "passed": True, "parts": []}],
        "enterprise_hours_required": None, "enterprise_hours_confirmed": "0",
    }  # fmt: skip
    assert await s.i.refused(m, "fail") == ["completion_unmet"]
    assert (await s.i.done(m, "pass"))["state"] == "passed"
    shown = (await s.i.get(m)).json()
    assert (shown["attendance_percent"], shown["score"], await taken(s.c, klass)) == ("80.00", "70.00", 0)
    assert (await s.i.done(klass, "finish"))["state"] == "completed"
    last = (await s.i.get(f"{m}/events")).json()["items"][-1]
    assert (last["type"], last["data"]) == (
        "membership.passed",
        {"attendance_percent": "80.00", "score": "70.00", "class_id": tail(klass), "attempt": 1, "unmet": []},
    )


async def test_class_takes_no_more_people_than_places(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("open", capacity=3)
    everybody = await people(s.c, 12)
    bodies = [{"person_id": p, "class_id": tail(klass)} for p in everybody]
    answers = await asyncio.gather(*(s.c.post("/v1/memberships", b) for b in bodies))
    assert sorted(a.status_code for a in answers) == [201] * 3 + [409] * 9
    assert {r["code"] for a in answers if a.status_code == 409 for r in a.json()["reasons"]} == {"place_free"}
    assert await taken(s.c, klass) == 3
    events = (await s.c.get(f"{klass}/events", limit=200)).json()["items"]
    assert sum(e["type"] == "training_class.place_taken" for e in events) == 3


async def test_class_registers_many_at_once_up_to_its_places(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("open", capacity=3)
    everybody = await people(s.c, 5)
    done = await s.c.ok("/v1/memberships/bulk/register", {"person_ids": everybody, "class_id": tail(klass)})
    assert (done["done"], done["refused"]) == (3, 2)
    assert [[r["code"] for r in i["reasons"]] for i in done["items"][3:]] == [["place_free"], ["place_free"]]
    assert await taken(s.c, klass) == 3
    await s.c.done(klass, "start")
    listed = (await s.c.get("/v1/memberships", class_id=tail(klass))).json()["items"]
    items = [{"id": m["id"], "version": m["version"]} for m in listed]
    assert (await s.i.ok("/v1/memberships/bulk/attend", {"items": items}))["done"] == 3
    offers = (await s.i.get("/v1/memberships", class_id=tail(klass), include="actions")).json()["items"]
    passing = [next(o for o in m["actions"] if o["action"] == "pass") for m in offers]
    assert [[r["code"] for r in o["reasons"]] for o in passing] == [["attendance_reached"]] * 3


async def test_membership_is_refused_with_each_reason(world: World) -> None:
    s = await Staff.of(world)
    planned, full = await s.klass("planned"), await s.klass("open", capacity=1)
    somebody, other = await people(s.c, 2)

    async def codes(person_id: str, klass: str) -> tuple[int, list[str]]:
        answer = await s.c.post("/v1/memberships", {"person_id": person_id, "class_id": klass})
        return answer.status_code, [r["code"] for r in answer.json()["reasons"]]

    assert await codes(somebody, tail(planned)) == (409, ["class_takes_people"])
    assert await codes(somebody, str(uuid4())) == (409, ["class_known"])
    (m,) = await s.join(full, somebody, attend=False)
    assert await codes(somebody, tail(full)) == (409, ["place_free", "not_a_member_yet"])
    assert await codes(other, tail(full)) == (409, ["place_free"])
    assert await s.i.refused(m, "attend") == ["class_running"]
    assert await s.i.refused(m, "pass") == ["not_from_this_state"]


async def test_membership_gives_its_place_back_by_every_way_out(world: World) -> None:
    s = await Staff.of(world)
    klass, there = await s.klass("running"), await s.klass("running")
    a, b = await s.join(klass, *await people(s.c, 2))
    assert await taken(s.c, klass) == 2
    await s.c.done(a, "withdraw", {"reason_code": "family"})
    assert await taken(s.c, klass) == 1
    assert (await s.c.done(a, "correct", {"note": "somebody else"}))["state"] == "attending"
    assert await taken(s.c, klass) == 2
    await s.i.done(a, "fail")
    assert await taken(s.c, klass) == 1
    moved = await s.c.done(b, "transfer", {"to_class_id": tail(there)})
    assert (await taken(s.c, klass), await taken(s.c, there)) == (0, 1)
    assert await s.c.refused(b, "correct", {"note": "x"}) == ["correctable"]
    assert await state(s.c, f"/v1/memberships/{moved['created']['membership']}") == "registered"
    (c,) = await s.join(klass, await person(s.c, 5), attend=False)
    assert await taken(s.c, klass) == 1
    assert (await s.c.done(c, "correct", {"note": "never registered"}))["state"] == "voided"
    assert await taken(s.c, klass) == 0


async def test_membership_correction_needs_a_place(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running", capacity=1)
    one, two = await people(s.c, 2)
    (a,) = await s.join(klass, one)
    await s.c.done(a, "withdraw", {"reason_code": "health"})
    await s.join(klass, two)
    assert await s.c.refused(a, "correct", {"note": "back"}) == ["place_free"]


async def test_membership_transfer_carries_its_hours(world: World) -> None:
    s = await Staff.of(world)
    klass, there = await s.klass("running"), await s.klass("running")
    other_kind, planned = await s.klass("running", kind="skills"), await s.klass("planned")
    (m,) = await s.join(klass, await person(s.c))
    await s.held(klass, [m], "present", "excused_illness", "absent", "present")
    for to, codes in (
        (klass, ["class_known"]),
        (f"/{uuid4()}", ["class_known"]),
        (other_kind, ["class_same_kind"]),
        (planned, ["class_takes_people"]),
    ):
        assert await s.c.refused(m, "transfer", {"to_class_id": tail(to)}) == codes
    made = (await s.c.done(m, "transfer", {"to_class_id": tail(there)}))["created"]["membership"]
    shown = (await s.c.get(f"/v1/memberships/{made}")).json()
    assert (shown["carried_held"], shown["carried_attended"], shown["transferred_from"]) == ("6.00", "4.00", tail(m))
    await s.i.done(f"/v1/memberships/{made}", "attend")
    await s.held(there, [f"/v1/memberships/{made}"], "present", at=14)
    completion = (await s.c.get(f"/v1/memberships/{made}/completion")).json()
    assert (completion["hours_counted"], completion["hours_attended"], completion["attendance_percent"]) == (
        "8.00",
        "6.00",
        "75.00",
    )


async def test_class_cancelled_withdraws_everybody_and_a_correction_brings_them_back(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running", capacity=3)
    (a,) = await s.join(klass, await person(s.c, 1))
    (b,) = await s.join(klass, await person(s.c, 2), attend=False)
    (gone,) = await s.join(klass, await person(s.c, 3))
    await s.c.done(gone, "withdraw", {"reason_code": "health"})
    assert (await s.c.done(klass, "cancel", {"reason_code": "low_demand"}))["state"] == "cancelled"
    assert [await state(s.c, m) for m in (a, b, gone)] == ["withdrawn"] * 3
    assert await taken(s.c, klass) == 0
    shown = (await s.c.get(a)).json()
    assert shown["ended_because"] == "class_cancelled"
    stage = (await s.c.get(f"/v1/trainees/{shown['person_id']}")).json()["stage"]
    assert stage == "prospect"
    assert await s.c.refused(a, "correct", {"note": "x"}) == ["correctable"]
    await s.c.done(klass, "correct", {"note": "the wrong class"})
    assert [await state(s.c, m) for m in (a, b, gone)] == ["attending", "registered", "withdrawn"]
    assert (await taken(s.c, klass), await state(s.c, klass)) == (2, "running")
    assert (await s.c.get(a)).json()["ended_because"] is None


async def test_attendance_is_replaced_and_traced(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    a, b = await s.join(klass, *await people(s.c, 2))
    (held,) = await s.held(klass, [a, b], "absent")
    path = f"/v1/sessions/{held}"
    version = (await s.i.get(path)).json()["version"]
    late = {"marks": [{"membership_id": tail(a), "kind": "late", "hours": "1.5"}]}
    assert (await s.i.post(path + "/attendance", late)).status_code == 428
    assert (await s.i.post(path + "/attendance", late, version=version - 1)).status_code == 412
    done = await s.i.post(path + "/attendance", late, version=version)
    assert done.status_code == 200, done.text
    rows = (await s.i.get(f"{klass}/attendance")).json()["items"]
    assert {(r["membership_id"], r["kind"], r["hours"]) for r in rows} == {
        (tail(a), "late", "1.50"),
        (tail(b), "absent", "0.00"),
    }
    only = (await s.i.get(f"{klass}/attendance", membership_id=tail(a))).json()["items"]
    assert [r["kind"] for r in only] == ["late"]
    events = [
        e
        for e in (await s.i.get(f"{klass}/events", limit=200)).json()["items"]
        if e["type"] == "training_class.attendance_taken"
    ]
    assert [[(m["membership_id"], m["kind"], m["hours"]) for m in e["data"]["marks"]] for e in events] == [
        [(tail(a), "absent", "0"), (tail(b), "absent", "0")],
        [(tail(a), "late", "1.5")],
    ]
    assert await s.c.refused(klass, "correct", {"note": "x"}) == ["correctable"]


async def test_attendance_is_refused_where_it_cannot_be(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    (m,) = await s.join(klass, await person(s.c))
    await s.c.done(klass, "schedule_sessions", {"sessions": [session(0), session(1), session(-1)]})
    past, now, future = [i["id"] for i in (await s.i.get(f"{klass}/sessions")).json()["items"]]
    me = tail(m)

    async def codes(session_id: str, *marks: dict[str, Any]) -> list[str]:
        return await s.i.refused(klass, "take_attendance", {"session_id": session_id, "marks": list(marks)})

    present = {"membership_id": me, "kind": "present"}
    assert await codes(future, present) == ["session_begun"]
    assert await codes(str(uuid4()), present) == ["session_known"]
    assert await codes(now, present, present) == ["member_once"]
    assert await codes(now, {"membership_id": str(uuid4()), "kind": "present"}) == ["member_attends"]
    assert await codes(now, {"membership_id": me, "kind": "asleep"}) == ["attendance_kind_known"]
    assert await codes(now, {"membership_id": me, "kind": "late"}) == ["attended_hours_in_range"]
    assert await codes(now, {"membership_id": me, "kind": "present", "hours": "2.5"}) == ["attended_hours_in_range"]
    assert await codes(now, {"membership_id": me, "kind": "absent", "hours": "1"}) == ["attended_hours_in_range"]
    await s.i.done(klass, "take_attendance", {"session_id": now, "marks": [present]})
    assert await s.i.refused(klass, "cancel_sessions", {"session_ids": [now, str(uuid4())]}) == [
        "session_not_held",
        "session_known",
    ]
    await s.i.done(klass, "cancel_sessions", {"session_ids": [past]})
    assert await codes(past, present) == ["session_known"]
    assert await s.c.refused(m, "correct", {"note": "x"}) == ["nothing_recorded"]


async def test_meetings_fit_the_class_in_its_zone(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("planned", starts_on=day(0), ends_on=day(1), time_zone="Asia/Tokyo")
    before = {"starts_at": f"{day(-1)}T14:59:00+00:00", "ends_at": f"{day(-1)}T15:59:00+00:00"}
    inside = {"starts_at": f"{day(-1)}T15:00:00+00:00", "ends_at": f"{day(-1)}T15:45:00+00:00"}
    backwards = {"starts_at": f"{day(0)}T10:00:00+09:00", "ends_at": f"{day(0)}T10:00:00+09:00"}
    assert await s.c.refused(klass, "schedule_sessions", {"sessions": [before, inside, backwards, inside | {"hours": "0"}]}) == [
        "session_in_class", "session_ends_after_start", "session_hours_in_range",
    ]  # fmt: skip
    version = (await s.c.get(klass)).json()["version"]
    made = await s.c.post(f"{klass}/sessions", {"sessions": [inside]}, version=version)
    assert made.status_code == 200, made.text
    (only,) = (await s.c.get(f"{klass}/sessions")).json()["items"]
    assert (only["starts_on"], only["hours"]) == (day(0), "0.75")
    answer = await s.c.patch(klass, {"starts_on": day(1)}, version=version + 1)
    assert [r["code"] for r in answer.json()["reasons"]] == ["days_cover_sessions"]


async def test_class_plan_is_refused_with_each_reason(world: World) -> None:
    s = await Staff.of(world)
    good = {
        "kind": "language",
        "title": "t",
        "capacity": 5,
        "starts_on": day(0),
        "ends_on": day(9),
        "time_zone": "Asia/Tokyo",
    }

    async def codes(**more: Any) -> list[str]:
        answer = await s.c.post("/v1/classes", good | more)
        assert answer.status_code == 409, answer.text
        return [r["code"] for r in answer.json()["reasons"]]

    assert await codes(ends_on=day(-1)) == ["ends_after_start"]
    assert await codes(resits_until=day(8)) == ["resits_after_end"]
    assert await codes(time_zone="Asia/Atlantis") == ["zone_known"]
    assert await codes(kind="dual") == ["dual_has_enterprise"]
    assert await codes(enterprise_id=str(uuid4()), hours_required="10") == [
        "only_dual_has_enterprise",
        "enterprise_known",
    ]
    assert await codes(teacher_id=str(uuid4())) == ["teacher_known"]
    assert await codes(capacity=0) == ["out_of_bounds"]


async def test_class_keeps_capacity_and_rule_that_people_stand_on(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running", min_attendance_percent=0)
    a, b = await s.join(klass, *await people(s.c, 2))

    async def edit(**fields: Any) -> httpx.Response:
        return await s.c.patch(klass, fields, version=(await s.c.get(klass)).json()["version"])

    assert [r["code"] for r in (await edit(capacity=1)).json()["reasons"]] == ["capacity_covers_taken"]
    assert (await edit(capacity=7)).status_code == 200
    await s.i.done(a, "pass")
    assert [r["code"] for r in (await edit(min_attendance_percent=50)).json()["reasons"]] == ["completion_rule_unused"]
    new = {"name": "oral", "max_mark": "20", "pass_mark": "12", "weight": "1", "required": True}
    assert await s.i.refused(klass, "set_assessment", new) == ["completion_rule_unused"]
    await s.i.done(b, "pass")
    await s.i.done(klass, "finish")
    assert await s.c.refused(klass, "cancel", {"reason_code": "other"}) == ["not_from_this_state"]


async def test_assessments_and_marks_stay_in_bounds(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    (m,) = await s.join(klass, await person(s.c))
    oral = {"name": "oral", "max_mark": "20", "pass_mark": "12", "weight": "1", "required": True}
    assert await s.i.refused(klass, "set_assessment", oral | {"pass_mark": "21"}) == ["pass_mark_reachable"]
    known = (await s.i.done(klass, "set_assessment", oral))["created"]["assessment"]
    assert await s.i.refused(klass, "set_assessment", oral) == ["assessment_name_free"]
    assert await s.i.refused(klass, "set_assessment", oral | {"name": "x", "assessment_id": str(uuid4())}) == [
        "assessment_known"
    ]
    marks = {"assessment_id": known, "marks": [{"membership_id": tail(m), "mark": "20.5"}]}
    assert await s.i.refused(klass, "record_marks", marks) == ["mark_in_range"]
    assert await s.i.refused(klass, "record_marks", marks | {"assessment_id": str(uuid4())}) == ["assessment_known"]
    await s.i.done(klass, "record_marks", marks | {"marks": [{"membership_id": tail(m), "mark": "19"}]})
    assert await s.i.refused(klass, "set_assessment", oral | {"max_mark": "18", "assessment_id": known}) == [
        "max_mark_covers_marks"
    ]
    await s.i.done(klass, "set_assessment", oral | {"pass_mark": "19.5", "assessment_id": known})
    assert [a["pass_mark"] for a in (await s.i.get(f"{klass}/assessments")).json()["items"]] == ["19.5000"]


async def test_resit_is_a_new_attempt_and_the_old_one_stays(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running", min_attendance_percent=0)
    (m,) = await s.join(klass, await person(s.c))
    tests = [
        (await s.i.done(klass, "set_assessment", {"name": n, "max_mark": "20", "pass_mark": "12", "weight": "1", "required": True}))["created"]["assessment"]
        for n in ("oral", "written")
    ]  # fmt: skip
    for test, mark in zip(tests, ("9", "15"), strict=True):
        await s.i.done(
            klass, "record_marks", {"assessment_id": test, "marks": [{"membership_id": tail(m), "mark": mark}]}
        )
    assert await s.i.refused(m, "pass") == ["assessment_passed"]
    await s.i.done(m, "fail")
    await s.i.done(klass, "finish")
    assert (await s.i.done(m, "resit"))["state"] == "attending"
    assert (await taken(s.c, klass), (await s.i.get(m)).json()["attempt"]) == (1, 2)
    await s.c.done(m, "correct", {"note": "not yet"})
    assert (await taken(s.c, klass), (await s.i.get(m)).json()["attempt"], await state(s.c, m)) == (0, 1, "failed")
    await s.i.done(m, "resit")
    await s.i.done(
        klass, "record_marks", {"assessment_id": tests[0], "marks": [{"membership_id": tail(m), "mark": "13"}]}
    )
    assert await s.c.refused(m, "correct", {"note": "x"}) == ["nothing_recorded"]
    assert (await s.i.done(m, "pass"))["state"] == "passed"
    rows = (await s.i.get(f"{klass}/marks", membership_id=tail(m))).json()["items"]
    assert sorted((r["attempt"], r["mark"]) for r in rows) == [(1, "15.0000"), (1, "9.0000"), (2, "13.0000")]


async def test_resit_ends_on_its_day(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running", resits_until=None)
    (m,) = await s.join(klass, await person(s.c))
    await s.i.done(m, "fail")
    assert await s.i.refused(m, "resit") == ["resit_in_time"]


async def test_dual_class_needs_the_hours_that_its_enterprise_confirms(world: World) -> None:
    s = await Staff.of(world)
    organisation = (await s.c.ok("/v1/relationships", ENTERPRISE_BODY))["created"]["organisation"]
    e = await world.client(ENTERPRISE, organisation_id=organisation)
    klass = await s.klass(
        "running", kind="dual", enterprise_id=organisation, hours_required="120", min_attendance_percent=0
    )
    hidden = await s.klass("running")
    (m,) = await s.join(klass, await person(s.c))
    assert [k["id"] for k in (await e.get("/v1/classes")).json()["items"]] == [tail(klass)]
    assert (await e.get(hidden)).status_code == 404
    assert (await e.get("/v1/memberships")).status_code == 403
    assert await s.i.refused(m, "pass") == ["enterprise_hours_confirmed"]
    row = {"membership_id": tail(m), "hours": "80"}
    assert await s.i.refused(klass, "confirm_hours", {"hours": [row]}, status=403) == ["role"]
    assert await e.refused(klass, "confirm_hours", {"hours": [row | {"hours": "-1"}]}) == ["hours_not_negative"]
    await e.done(klass, "confirm_hours", {"hours": [row]})
    assert (await e.get(f"{klass}/hours")).json() == {
        "items": [{"membership_id": tail(m), "name_native": None, "name_latin": None, "hours": "80.00"}]
    }
    sheet = await scan(s.c)
    await s.c.done(
        klass, "confirm_hours", {"hours": [row | {"hours": "120"}], "recorded_for": "enterprise", "evidence": [sheet]}
    )
    assert (await s.i.done(m, "pass"))["state"] == "passed"
    language = {
        "hours": [{"membership_id": str(uuid4()), "hours": "1"}],
        "recorded_for": "enterprise",
        "evidence": [sheet],
    }
    assert "class_is_dual" in await s.c.refused(hidden, "confirm_hours", language)


async def test_trainee_sees_and_leaves_their_own_membership_only(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running", capacity=3)
    mine, other = await people(s.c, 2)
    a, b = await s.join(klass, mine, other)
    await s.held(klass, [a, b], "present")
    t = await world.client(TRAINEE, person_ids=[mine])
    assert [m["id"] for m in (await t.get("/v1/memberships")).json()["items"]] == [tail(a)]
    assert [r["membership_id"] for r in (await t.get(f"{klass}/attendance")).json()["items"]] == [tail(a)]
    assert (await t.get(b)).status_code == 404
    assert (await t.get(f"{b}/completion")).status_code == 404
    assert await t.refused(a, "pass", status=403) == ["role"]
    assert (await t.done(a, "withdraw", {"reason_code": "personal"}))["state"] == "withdrawn"
    again = await t.post("/v1/memberships", {"person_id": mine, "class_id": tail(klass)})
    assert again.status_code == 201, again.text
    assert (await t.post("/v1/memberships", {"person_id": other, "class_id": tail(klass)})).status_code == 404
    r = await world.client(READER)
    assert (await r.get("/v1/memberships")).status_code == 403
    assert len((await r.get("/v1/classes")).json()["items"]) == 1


async def test_training_of_another_institution_looks_like_none(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    (m,) = await s.join(klass, await person(s.c))
    (held,) = await s.held(klass, [m], "present")
    stranger = await world.client(COORDINATOR, institution=await world.other())
    for path in (
        klass,
        m,
        f"{klass}/sessions",
        f"{klass}/attendance",
        f"{klass}/hours",
        f"{m}/completion",
        f"/v1/sessions/{held}",
    ):
        assert (await stranger.get(path)).status_code == 404, path
    theirs = await person(stranger)
    answer = await stranger.post("/v1/memberships", {"person_id": theirs, "class_id": tail(klass)})
    assert [r["code"] for r in answer.json()["reasons"]] == ["class_known"]


async def test_membership_lifts_the_journey_to_in_training(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running", min_attendance_percent=0)
    somebody = await person(s.c)
    (m,) = await s.join(klass, somebody)
    stages = [(await s.c.get(f"/v1/trainees/{somebody}")).json()["stage"]]
    await s.i.done(m, "pass")
    stages.append((await s.c.get(f"/v1/trainees/{somebody}")).json()["stage"])
    assert stages == ["in_training", "alumni"]


async def test_attendance_and_results_at_once_leave_one_truth(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    (m,) = await s.join(klass, await person(s.c))
    (held,) = await s.held(klass, [m], "present")
    version = (await s.i.get(klass)).json()["version"]
    absent = {"session_id": held, "marks": [{"membership_id": tail(m), "kind": "absent"}]}
    own = (await s.i.get(m)).json()["version"]
    attended, passed = await asyncio.gather(
        s.i.post(f"{klass}/take_attendance", absent, version=version), s.i.post(f"{m}/pass", {}, version=own)
    )
    outcomes = {attended.status_code, passed.status_code}
    assert outcomes <= {200, 409, 412}
    share = (await s.i.get(f"{m}/completion")).json()["attendance_percent"]
    assert (await state(s.i, m), share) == (
        ("passed", "100.00") if passed.status_code == 200 else ("attending", "0.00")
    )
