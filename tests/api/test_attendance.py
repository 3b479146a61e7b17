"""Attendance and what it leads to over HTTP: many marks in one act, late devices, corrections, substitutes, risk."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from service.actions import trainees
from service.actions.work import Call, Result, Wanted, Work, perform
from service.domain.actors import COORDINATOR, ENTERPRISE, INSTRUCTOR, TRAINEE, Actor
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.api.test_training import Staff, day, person, session, tail
from tests.conftest import Client, World

AFTERNOON = {"starts_at": f"{day(0)}T13:00:00+08:00", "ends_at": f"{day(0)}T16:00:00+08:00"}


async def crowd(world: World, count: int) -> list[str]:
    """Many people in one act."""
    call = Call(world.institution, "register", trusted=Actor(uuid4(), frozenset({COORDINATOR})))
    made: list[str] = []

    def keep(_work: Work, results: list[Result]) -> bytes:
        made[:] = [str(r.id) for r in results]
        return b""

    body = {"name_native": "王", "name_latin": "WANG, A", "birth_on": date(2004, 5, 6), "nationality": "CN"}
    wanted = [Wanted(world.institution, given=body) for _ in range(count)]
    extra = dict.fromkeys(trainees.SUBJECT.births["register"].extra)
    await perform(
        world.services, call, trainees.SUBJECT, "register", wanted, {}, answer=keep, single=False, extra=extra
    )
    return made


async def many(world: World, s: Staff, klass: str, count: int) -> list[str]:
    """Ids of that many memberships, all attending."""
    body = {"person_ids": await crowd(world, count), "class_id": tail(klass)}
    made = await s.c.ok("/v1/memberships/bulk/register", body)
    items = [{"id": i["id"], "version": 1} for i in made["items"]]
    assert (await s.i.ok("/v1/memberships/bulk/attend", {"items": items, "occurred_on": day(0)}))["refused"] == 0
    return sorted(i["id"] for i in items)


async def meetings(s: Staff, klass: str, *planned: dict[str, Any]) -> list[str]:
    await s.i.done(klass, "schedule_sessions", {"sessions": list(planned)})
    return [m["id"] for m in (await s.i.get(f"{klass}/sessions", limit=200)).json()["items"]]


async def test_attendance_of_three_thousand_marks_is_one_act(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running", capacity=30)
    members = await many(world, s, klass, 30)
    sessions = await meetings(s, klass, *[session(0) for _ in range(100)])
    sheets = [
        {
            "session_id": at,
            "marks": [
                {"membership_id": m, "kind": "absent" if (n + k) % 10 == 0 else "present"}
                for k, m in enumerate(members)
            ],
        }
        for n, at in enumerate(sessions)
    ]
    done = await s.i.act(klass, "take_attendance_of_many", {"sheets": sheets})
    assert done.status_code == 200, done.text
    shown = (await s.i.get("/v1/memberships", class_id=tail(klass), include="completion")).json()["items"]
    shares = [(m["completion"]["hours_counted"], m["completion"]["attendance_percent"]) for m in shown]
    assert shares == [("200.00", "90.00")] * 30
    events = (await s.i.get(f"{klass}/events", limit=200)).json()["items"]
    (taken,) = [e for e in events if e["type"] == "training_class.attendance_of_many_taken"]
    assert (len(taken["data"]["marks"]), taken["data"]["sessions"]) == (3000, sessions)
    again = await s.i.act(klass, "take_attendance_of_many", {"sheets": [sheets[0], sheets[0]]})
    assert [r["code"] for r in again.json()["reasons"]] == ["session_twice"]


async def test_attendance_taken_last_counts_whenever_it_arrives(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    (m,) = await s.join(klass, await person(s.c))
    (at,) = await meetings(s, klass, session(-1))
    now = datetime.now(UTC)

    async def take(kind: str, minutes: int | None) -> str:
        body: dict[str, Any] = {"session_id": at, "marks": [{"membership_id": tail(m), "kind": kind}]}
        if minutes is not None:
            body["taken_at"] = (now + timedelta(minutes=minutes)).isoformat()
        await s.i.done(klass, "take_attendance", body)
        (row,) = (await s.i.get(f"{klass}/attendance")).json()["items"]
        return str(row["kind"])

    assert await take("absent", -1) == "absent"
    assert await take("present", -3) == "absent"  # a device that was late, and took it earlier
    assert await take("excused_illness", -1) == "excused_illness"  # at the same instant: what came later
    assert await take("present", None) == "present"
    rows = (await s.i.get(f"{klass}/attendance", replaced="true")).json()["items"]
    assert [(r["kind"], r["counts"]) for r in rows] == [
        ("absent", False), ("present", False), ("excused_illness", False), ("present", True),
    ]  # fmt: skip
    assert (await s.i.get(f"{m}/completion")).json()["attendance_percent"] == "100.00"
    ahead = {"taken_at": (now + timedelta(hours=1)).isoformat(), "session_id": at, "marks": []}
    marks = [{"membership_id": tail(m), "kind": "absent"}]
    assert await s.i.refused(klass, "take_attendance", ahead | {"marks": marks}) == ["taken_at_in_range"]


async def test_correction_names_what_it_corrects(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    (m,) = await s.join(klass, await person(s.c))
    await s.held(klass, [m], "absent")
    (wrong,) = (await s.i.get(f"{klass}/attendance")).json()["items"]
    body = {"attendance_id": wrong["id"], "kind": "late", "hours": "1.5"}
    assert await s.i.refused(klass, "correct_attendance", body) == ["input_required"]
    await s.i.done(klass, "correct_attendance", body | {"note": "came at 9:30"})
    (right,) = (await s.i.get(f"{klass}/attendance")).json()["items"]
    assert (right["kind"], right["hours"], right["corrects"]) == ("late", "1.50", wrong["id"])
    assert await s.i.refused(klass, "correct_attendance", body | {"note": "again"}) == ["mark_counts"]
    unknown = body | {"note": "x", "attendance_id": str(uuid4())}
    assert await s.i.refused(klass, "correct_attendance", unknown) == ["mark_known"]
    other = await s.klass("running")
    assert await s.i.refused(other, "correct_attendance", body | {"note": "x"}) == ["mark_known"]
    event = (await s.c.get(f"{klass}/events", limit=200)).json()["items"][-1]
    assert (
        event["type"],
        event["note"],
        event["data"]["corrects_mark"],
        event["data"]["was"],
        event["data"]["is"],
    ) == (
        "training_class.attendance_corrected",
        "came at 9:30",
        wrong["id"],
        {"kind": "absent", "hours": "0.00"},
        {"kind": "late", "hours": "1.5"},
    )


async def put_down(c: Client, klass: str, meeting: dict[str, Any]) -> str:
    """A meeting of a class; its id."""
    await c.done(klass, "schedule_sessions", {"sessions": [meeting]})
    return str((await c.get(f"{klass}/sessions", limit=200)).json()["items"][-1]["id"])


async def test_teacher_is_given_one_meeting_at_a_time_whatever_arrives_at_once(world: World) -> None:
    """Three ways lead to a teacher's time: a stand-in, a class that changes hands, and a meeting that is put down."""
    s = await Staff.of(world)
    account = (await (await world.client(INSTRUCTOR)).get("/v1/me")).json()["account_id"]
    others = [(await (await world.client(INSTRUCTOR)).get("/v1/me")).json()["account_id"] for _ in range(2)]
    theirs = await s.klass("running", teacher_id=account)
    klasses = [await s.klass("running", teacher_id=other) for other in others]
    for n in range(4):
        met = [await put_down(s.c, klass, session(n)) for klass in klasses]
        version = [(await s.c.get(k)).json()["version"] for k in (*klasses, theirs)]
        answers = await asyncio.gather(
            *[
                s.c.post(f"{k}/substitute_teacher", {"session_ids": [m], "teacher_id": account}, version=v)
                for k, m, v in zip(klasses, met, version, strict=False)
            ],
            s.c.post(f"{theirs}/schedule_sessions", {"sessions": [session(n)]}, version=version[2]),
        )
        assert sorted(a.status_code for a in answers) == [200, 409, 409], [a.text for a in answers]
        assert {r["code"] for a in answers if a.status_code == 409 for r in a.json()["reasons"]} == {"teacher_free"}
    third = await s.klass(
        "running", teacher_id=(await (await world.client(INSTRUCTOR)).get("/v1/me")).json()["account_id"]
    )
    await put_down(s.c, third, session(0))
    answer = await s.c.patch(third, {"teacher_id": account}, version=(await s.c.get(third)).json()["version"])
    assert [(r["code"], r["pointer"]) for r in answer.json()["reasons"]] == [("teacher_free", "/teacher_id")]


async def test_substitute_takes_the_attendance_of_what_they_teach(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    (m,) = await s.join(klass, await person(s.c))
    first, second = await meetings(s, klass, session(0), AFTERNOON)
    stand_in = await world.client(INSTRUCTOR)
    account = (await stand_in.get("/v1/me")).json()["account_id"]

    def of(at: str) -> dict[str, Any]:
        return {"session_id": at, "marks": [{"membership_id": tail(m), "kind": "present"}]}

    assert (await stand_in.get(klass)).status_code == 404
    given = {"session_ids": [first], "teacher_id": account}
    assert await s.i.refused(klass, "substitute_teacher", given, status=403) == ["role"]
    assert await s.c.refused(klass, "substitute_teacher", given | {"teacher_id": str(uuid4())}) == ["teacher_known"]
    theirs = await s.klass("running", teacher_id=account)
    await s.c.done(theirs, "schedule_sessions", {"sessions": [session(0)]})
    assert await s.c.refused(klass, "substitute_teacher", given) == ["teacher_free"]
    (clash,) = (await s.c.get(f"{theirs}/sessions")).json()["items"]
    await s.c.done(theirs, "cancel_sessions", {"session_ids": [clash["id"]]})
    await s.c.done(klass, "substitute_teacher", given)
    again = {"starts_at": clash["starts_at"], "ends_at": clash["ends_at"], "uid": clash["uid"]}
    assert await s.c.refused(theirs, "set_timetable", {"sessions": [again]}) == ["teacher_free"]
    shown = (await stand_in.get("/v1/sessions", taught_by=account)).json()["items"]
    assert [(x["id"], x["taught_by"], x["substituted"]) for x in shown if x["id"] != clash["id"]] == [
        (first, account, True)
    ]
    others = (await s.i.get("/v1/sessions", taught_by=s.teacher_id, from_on=day(0), to_on=day(0))).json()["items"]
    assert [x["id"] for x in others] == [second]
    await stand_in.done(klass, "take_attendance", of(first))
    assert await stand_in.refused(klass, "take_attendance", of(second)) == ["teaches_meeting"]
    await s.i.done(klass, "take_attendance", of(second))
    await s.c.done(klass, "substitute_teacher", {"session_ids": [first]})
    assert (await s.i.get(f"/v1/sessions/{first}")).json()["taught_by"] == s.teacher_id
    assert (await stand_in.get(f"/v1/sessions/{first}")).status_code == 404


async def test_components_make_up_an_assessment(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running", min_attendance_percent=0)
    (m,) = await s.join(klass, await person(s.c))

    async def asked(name: str, weight: str, **more: Any) -> str:
        body = {"name": name, "max_mark": "20", "pass_mark": "12", "weight": weight, "required": True} | more
        return str((await s.i.done(klass, "set_assessment", body))["created"]["assessment"])

    exam = await asked("exam", "1")
    parts = [await asked("oral", "3", part_of=exam), await asked("written", "1", part_of=exam, pass_mark="0")]
    for part, mark in zip(parts, ("14", "6"), strict=True):
        marks = [{"membership_id": tail(m), "mark": mark}]
        await s.i.done(klass, "record_marks", {"assessment_id": part, "marks": marks})
    found = (await s.i.get(f"{m}/completion")).json()
    assert [(r["met"], r.get("actual"), r["required"]) for r in found["rules"]] == [
        (True, None, "0"), (True, "exam 12/20", "exam 12/20"), (True, "exam: oral 14/20", "exam: oral 12/20"),
        (True, "exam: written 6/20", "exam: written 0/20"),
    ]  # fmt: skip
    assert (found["met"], found["score"], [p["name"] for p in found["assessments"][0]["parts"]]) == (
        True, "60.00", ["oral", "written"],
    )  # fmt: skip
    s.i.headers["accept-language"] = "zh"
    assert (await s.i.get(m, include="completion")).json()["completion"]["rules"][2]["text"] == (
        "考核成绩 exam: oral 14/20，要求 exam: oral 12/20。"
    )


async def test_those_at_risk_are_told_ahead_of_time(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running", capacity=5)
    members = await many(world, s, klass, 4)
    first, second, *_ = await meetings(s, klass, session(0), AFTERNOON, session(1, 8), session(2, 7))
    kinds = [("present", "present"), ("absent", "present"), ("absent", "absent"), ("present", "present")]
    sheets = [
        {"session_id": at, "marks": [{"membership_id": m, "kind": k[n]} for m, k in zip(members, kinds, strict=True)]}
        for n, at in enumerate((first, second))
    ]
    await s.i.done(klass, "take_attendance_of_many", {"sheets": sheets})
    body = {"name": "oral", "max_mark": "20", "pass_mark": "12", "weight": "1", "required": True}
    oral = (await s.i.done(klass, "set_assessment", body))["created"]["assessment"]
    await s.i.done(
        klass, "record_marks", {"assessment_id": oral, "marks": [{"membership_id": members[3], "mark": "9"}]}
    )
    found = (await s.i.get(f"{klass}/at-risk")).json()
    assert [(i["membership_id"], i["hours_left"], i["hours_to_miss"], [r["text"] for r in i["reasons"]]) for i in found["items"]] == [
        (members[1], "15.00", "2.00", ["The share is reached only by attending 13 of the 15 hours left."]),
        (members[2], "15.00", "-1.00", [
            "Even by attending everything that is left only 75 % are reached; 80 % are required."
        ]),
        (members[3], "15.00", "4.00", [f"Failed with oral 9/20; a resit is possible until {day(60)}."]),
    ]  # fmt: skip
    everywhere = (await s.c.get("/v1/at-risk", limit=2)).json()
    assert [i["membership_id"] for i in everywhere["items"]] == members[1:3]
    rest = (await s.c.get("/v1/at-risk", limit=2, after=everywhere["next"])).json()
    assert ([i["membership_id"] for i in rest["items"]], rest["next"]) == (members[3:], None)
    close = (await s.c.get(f"{klass}/at-risk", margin_hours="4")).json()
    assert [i["membership_id"] for i in close["items"]] == members
    assert (await s.c.get(f"{klass}/at-risk", margin_hours="-1")).status_code == 422
    mine = close["items"][1]["person_id"]
    t = await world.client(TRAINEE, person_ids=(UUID(mine),))
    assert [i["membership_id"] for i in (await t.get("/v1/at-risk")).json()["items"]] == [members[1]]
    e = await world.client(ENTERPRISE, organisation_id=(await enterprise(s.c)))
    assert (await e.get("/v1/at-risk")).status_code == 403


async def enterprise(c: Client) -> UUID:
    return UUID((await c.ok("/v1/relationships", ENTERPRISE_BODY))["created"]["organisation"])


async def test_enterprise_confirms_in_bulk_and_reads_names_by_consent(world: World) -> None:
    s = await Staff.of(world)
    organisation = await enterprise(s.c)
    e = await world.client(ENTERPRISE, organisation_id=organisation)
    dual = {"kind": "dual", "enterprise_id": str(organisation), "hours_required": "40", "capacity": 30}
    klass = await s.klass("running", min_attendance_percent=0, **dual)
    members = await many(world, s, klass, 20)
    named = (await s.c.get(f"/v1/memberships/{members[0]}")).json()["person_id"]
    notice = {"recipient": "the enterprise", "purpose": "hours at work", "categories": "name", "rights": "withdraw"}
    asked = {
        "person_id": named, "purpose": "other", "fields": ["name"], "notice": notice, "recipient_id": str(organisation),
    }  # fmt: skip
    consent = f"/v1/consents/{(await s.c.ok('/v1/consents', asked))['id']}"
    t = await world.client(TRAINEE, person_ids=(UUID(named),))
    await t.done(consent, "give")
    hours = [{"membership_id": m, "hours": str(Decimal(30) + n)} for n, m in enumerate(members)]
    await e.done(klass, "confirm_hours", {"hours": hours})
    shown = (await e.get(f"{klass}/hours")).json()["items"]
    assert [(i["membership_id"], i["name_latin"], i["hours"]) for i in shown] == [
        (m, "WANG, A" if m == members[0] else None, f"{30 + n}.00") for n, m in enumerate(members)
    ]
    assert {i["name_latin"] for i in (await s.c.get(f"{klass}/hours")).json()["items"]} == {"WANG, A"}
    assert {i["name_latin"] for i in (await t.get(f"{klass}/hours")).json()["items"]} == {None}
    await t.done(consent, "withdraw")
    assert {i["name_latin"] for i in (await e.get(f"{klass}/hours")).json()["items"]} == {None}
    shown = (await s.i.get("/v1/memberships", class_id=tail(klass), include="completion")).json()["items"]
    assert [m["completion"]["met"] for m in shown] == [False] * 10 + [True] * 10
