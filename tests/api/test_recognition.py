"""Recognition over HTTP: claims that never exceed a result, decisions with reasons, appeal by another, the ledger."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from service.actions.recognition import TIMERS
from service.actions.timers import ring
from service.domain.actors import ADMIN, COORDINATOR, GUARDIAN, INSTRUCTOR, READER, REGISTRAR, TRAINEE
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.api.test_results import document, person, result
from tests.conftest import Client, World

NO = {"outcome": "not_recognised", "difference_codes": ["outcomes"], "reason_text": "Keine Steuerungstechnik."}
PART = {
    "outcome": "partially_recognised",
    "difference_codes": ["workload"],
    "reason_text": "少十六学时。",
    "credits_awarded": "2.5",
}
YES = {"outcome": "recognised"}


class Staff:
    """Everybody whom a case needs."""

    coordinator: Client
    registrar: Client
    second: Client
    trainee: Client
    person: str

    async def enter(self, world: World) -> Staff:
        self.coordinator = await world.client(COORDINATOR)
        self.registrar, self.second = await world.client(REGISTRAR), await world.client(REGISTRAR)
        self.person = await person(self.coordinator)
        self.trainee = await world.client(TRAINEE, person_ids=[self.person])
        return self

    async def open(self, *items: dict[str, Any], by: Client | None = None, **more: Any) -> str:
        body = {"person_id": self.person, "kind": "transcript", "items": list(items)} | more
        return f"/v1/recognition-cases/{(await (by or self.trainee).ok('/v1/recognition-cases', body))['id']}"

    async def refused(self, *items: dict[str, Any], by: Client | None = None, **more: Any) -> list[str]:
        body = {"person_id": self.person, "kind": "transcript", "items": list(items)} | more
        answer = await (by or self.trainee).post("/v1/recognition-cases", body)
        assert answer.status_code == 409, answer.text
        return [r["code"] for r in answer.json()["reasons"]]

    async def decided(self, path: str, *outcomes: dict[str, Any], by: Client | None = None) -> dict[str, Any]:
        """Each item decided in its order."""
        who = by or self.registrar
        items = (await who.get(path)).json()["items"]
        decisions = [{"item_id": i["id"]} | o for i, o in zip(items, outcomes, strict=True)]
        return await who.done(path, "decide", {"decisions": decisions})

    async def notified(self, path: str, *outcomes: dict[str, Any]) -> dict[str, Any]:
        await self.decided(path, *outcomes)
        return await self.coordinator.done(path, "notify")

    async def claimed(self, *results: str) -> list[str]:
        found = [(await self.coordinator.get(f"/v1/results/{r}")).json()["claimed_percent"] for r in results]
        return [str(Decimal(f).normalize()) if Decimal(f) else "0" for f in found]

    async def ledger(self) -> list[tuple[str, str, int]]:
        entries = (await self.registrar.get("/v1/ledger", person_id=self.person)).json()["items"]
        return [(e["target"], e["credits"], e["sign"]) for e in entries]


@pytest.fixture
async def staff(world: World) -> Staff:
    return await Staff().enter(world)


def wanted(result_id: str, target: str = "机电一体化", share: str = "100") -> dict[str, Any]:
    return {"result_id": result_id, "target": target, "share_percent": share}


async def rung(world: World, name: str, at: datetime | None = None) -> int:
    timer = next(t for t in TIMERS if t.name == f"recognition_cases_{name}")
    return await ring(world.services, timer, world.institution, at)


def after(day: str) -> datetime:
    """Noon of the day after, where the institution is."""
    return datetime.fromisoformat(day + "T04:00:00+00:00").astimezone(UTC) + timedelta(days=1)


# ---- the main path
async def test_case_wholly_recognised_goes_on_to_final(world: World, staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    path = await staff.open(wanted(r))
    assert (await staff.coordinator.get(f"/v1/trainees/{staff.person}")).json()["stage"] == "credit_recognition"
    assert (await staff.registrar.done(path, "take_on"))["state"] == "assessing"
    assert (await staff.decided(path, YES))["state"] == "decided"
    assert (await staff.trainee.get(path)).json()["decisions"] == []
    assert await staff.ledger() == []
    assert (await staff.coordinator.done(path, "notify"))["state"] == "final"
    assert await staff.ledger() == [("机电一体化", "6", 1)]
    assert await staff.claimed(r) == ["1E+2"]
    shown = (await staff.trainee.get(path)).json()
    assert [(d["outcome"], d["credits_awarded"], d["reason_text"]) for d in shown["decisions"]] == [
        ("recognised", "6", None)
    ]
    assert (await staff.trainee.get("/v1/ledger")).json()["items"][0]["case_id"] == shown["id"]
    events = (await staff.registrar.get(path + "/events")).json()["items"]
    assert [(e["type"], e["to_state"]) for e in events] == [
        ("recognition_case.opened", "opened"),
        ("recognition_case.taken_on", "assessing"),
        ("recognition_case.decided", "decided"),
        ("recognition_case.notified", "final"),
    ]
    assert sorted(events[2]["data"]) == ["decisions", "round"]
    assert events[3]["data"]["items"] == [
        {"item_id": shown["items"][0]["id"], "outcome": "recognised", "credits_awarded": "6"}
    ]
    assert (await staff.coordinator.get(f"/v1/trainees/{staff.person}")).json()["stage"] == "alumni"


async def test_case_with_less_waits_for_an_appeal_then_is_final_by_the_clock(world: World, staff: Staff) -> None:
    c = staff.coordinator
    one, two, three = [await result(c, staff.person, course_title=t) for t in ("A", "B", "C")]
    path = await staff.open(wanted(one, "a"), wanted(two, "b"), wanted(three, "c"))
    assert (await staff.notified(path, YES, PART, NO))["state"] == "notified"
    shown = (await staff.trainee.get(path)).json()
    assert date.fromisoformat(shown["appeal_until"]) == date.fromisoformat(shown["decided_on"]) + timedelta(days=30)
    assert [(d["outcome"], d["difference_codes"], d["reason_text"]) for d in shown["decisions"]] == [
        ("recognised", [], None),
        ("partially_recognised", ["workload"], "少十六学时。"),
        ("not_recognised", ["outcomes"], "Keine Steuerungstechnik."),
    ]
    last_day = datetime.fromisoformat(shown["appeal_until"] + "T15:59:00+00:00")  # 23:59 in Shanghai
    assert await rung(world, "finalise", last_day) == 0
    assert await rung(world, "finalise", last_day + timedelta(minutes=2)) == 1
    assert await rung(world, "finalise", last_day + timedelta(minutes=2)) == 0
    assert sorted(await staff.ledger()) == [("a", "6", 1), ("b", "2.5", 1)]
    assert await staff.claimed(one, two, three) == ["1E+2", "1E+2", "0"]


async def test_case_is_notified_by_the_clock(world: World, staff: Staff) -> None:
    path = await staff.open(wanted(await result(staff.coordinator, staff.person)))
    assert await rung(world, "notify") == 0
    await staff.decided(path, NO)
    assert await rung(world, "notify") == 1
    assert (await staff.trainee.get(path)).json()["state"] == "notified"


# ---- no result is used twice
async def test_case_claims_are_at_most_the_result(staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    assert await staff.refused(wanted(r, share="60"), wanted(r, "b", "40.01")) == ["share_free"]
    first = await staff.open(wanted(r, "a", "60"), wanted(r, "b", "15.5"))
    assert await staff.claimed(r) == ["75.5"]
    assert await staff.refused(wanted(r, share="24.51")) == ["share_free"]
    second = await staff.open(wanted(r, share="24.5"))
    assert await staff.claimed(r) == ["1E+2"]
    assert [i["credits"] for i in (await staff.trainee.get(first)).json()["items"]] == ["3.6", "0.93"]
    assert (await staff.trainee.done(second, "withdraw"))["state"] == "withdrawn"
    assert await staff.claimed(r) == ["75.5"]
    assert await staff.coordinator.refused(f"/v1/results/{r}", "correct", {"note": "x"}) == ["nothing_claims_it"]
    await staff.trainee.done(first, "withdraw")
    assert await staff.claimed(r) == ["0"]
    assert (await staff.coordinator.done(f"/v1/results/{r}", "correct", {"note": "x"}))["state"] == "recorded"


async def test_case_claims_in_a_rush_are_exact(staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    body = {"person_id": staff.person, "kind": "transcript", "items": [wanted(r, share="30")]}
    answers = await asyncio.gather(*[staff.trainee.post("/v1/recognition-cases", body) for _ in range(12)])
    assert sorted(a.status_code for a in answers) == [201] * 3 + [409] * 9
    assert {r["code"] for a in answers if a.status_code == 409 for r in a.json()["reasons"]} == {"share_free"}
    assert await staff.claimed(r) == ["9E+1"]


async def test_case_free_again_only_by_what_was_not_recognised(world: World, staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    path = await staff.open(wanted(r, "a", "70"), wanted(r, "b", "30"))
    await staff.notified(path, PART, NO)
    until = (await staff.trainee.get(path)).json()["appeal_until"]
    assert await rung(world, "finalise", after(until)) == 1
    assert await staff.claimed(r) == ["7E+1"]
    assert (await staff.registrar.done(path, "reverse", {"reason_code": "fraud"}))["state"] == "reversed"
    assert await staff.claimed(r) == ["0"]
    assert await staff.ledger() == [("a", "2.5", 1), ("a", "2.5", -1)]


async def test_case_opening_is_refused_with_every_reason(world: World, staff: Staff) -> None:
    c = staff.coordinator
    r, bare = await result(c, staff.person), await result(c, staff.person, verified=False)
    foreign = await result(c, await person(c))
    assert await staff.refused(wanted(foreign)) == ["result_known"]
    assert await staff.refused({"result_id": r}) == ["one_target"]
    assert await staff.refused(wanted(r, share="0")) == ["share_percent"]
    assert await staff.refused(wanted(r, share="50.005")) == ["share_percent"]
    assert await staff.refused(wanted(r, share="100.01")) == ["share_percent", "share_free"]
    assert await staff.refused({"result_id": r, "target_course_id": foreign}) == ["course_known"]
    assert await staff.refused(wanted(bare)) == ["evidence_required"]
    assert await staff.refused() == ["input_required"]
    assert await staff.refused(wanted(r), supersedes_id=foreign) == ["supersedes_reversed"]
    await staff.open(wanted(bare), evidence=[await document(c, staff.person)])
    answer = await staff.trainee.post(
        "/v1/recognition-cases", {"person_id": foreign, "kind": "transcript", "items": []}
    )
    assert answer.status_code == 404


async def test_case_voided_result_cannot_be_claimed(staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    for _ in range(2):
        await staff.coordinator.done(f"/v1/results/{r}", "correct", {"note": "wrong"})
    assert await staff.refused(wanted(r)) == ["result_known"]


async def test_case_counts_towards_a_course_of_our_own(staff: Staff) -> None:
    course = {"title_native": "机电一体化", "title_latin": "Mechatronics", "credits": "4", "kind": "theory"}
    home = (await staff.coordinator.ok("/v1/courses", course | {"code": "JD101"}))["id"]
    body = {"role": "partner_institution", "organisation": ENTERPRISE_BODY["organisation"]}
    tie = await staff.coordinator.ok("/v1/relationships", body)
    partner = {"code": "MT-101", "owner_id": tie["created"]["organisation"]}
    theirs = (await staff.coordinator.ok("/v1/courses", course | partner))["id"]
    r = await result(staff.coordinator, staff.person, course_id=theirs)
    assert (await staff.coordinator.get(f"/v1/results/{r}")).json()["course_id"] == theirs
    assert await staff.refused({"result_id": r, "target_course_id": theirs}) == ["course_known"]
    assert await staff.refused(wanted(r) | {"target_course_id": home}) == ["one_target"]
    path = await staff.open({"result_id": r, "target_course_id": home})
    await staff.notified(path, YES | {"credits_awarded": "4"})
    (entry,) = (await staff.registrar.get("/v1/ledger", course_id=home)).json()["items"]
    assert (entry["course_id"], entry["target"], entry["credits"], entry["sign"]) == (home, None, "4", 1)


# ---- evidence
async def test_case_waits_for_evidence_and_goes_on_when_all_is_there(staff: Staff) -> None:
    path = await staff.open(wanted(await result(staff.coordinator, staff.person)))
    await staff.registrar.done(path, "take_on")
    tomorrow = str(date.today() + timedelta(days=20))  # noqa: DTZ011 - far enough in every zone
    ask = {"missing": ["transcript", "certificate"], "evidence_until": tomorrow}
    assert await staff.registrar.refused(path, "ask_evidence", ask | {"missing": ["passport"]}) == ["out_of_bounds"]
    assert await staff.registrar.refused(path, "ask_evidence", ask | {"evidence_until": "2020-01-01"}) == ["in_future"]
    await staff.registrar.done(path, "ask_evidence", ask)
    transcript = await document(staff.coordinator, staff.person)
    assert await staff.trainee.refused(path, "supply_evidence") == ["evidence_required"]
    assert await staff.trainee.refused(path, "supply_evidence", {"evidence": [transcript]}) == ["each_supplied"]
    certificate = await document(staff.coordinator, staff.person, "certificate")
    both = {"evidence": [transcript, certificate]}
    assert (await staff.trainee.done(path, "supply_evidence", both))["state"] == "assessing"


async def test_case_lapses_after_its_date_and_comes_back_by_correction(world: World, staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    path = await staff.open(wanted(r))
    await staff.registrar.done(path, "take_on")
    until = str(date.today() + timedelta(days=20))  # noqa: DTZ011 - far enough in every zone
    await staff.registrar.done(path, "ask_evidence", {"missing": ["transcript"], "evidence_until": until})
    assert await rung(world, "lapse", after(until) - timedelta(days=1)) == 0
    assert await rung(world, "lapse", after(until)) == 1
    assert await staff.claimed(r) == ["0"]
    other = await staff.open(wanted(r, share="1"))
    admin = await world.client(ADMIN)
    assert await admin.refused(path, "correct", {"note": "it was here"}) == ["share_free"]
    await staff.trainee.done(other, "withdraw")
    assert (await admin.done(path, "correct", {"note": "it was here"}))["state"] == "evidence_requested"
    assert await staff.claimed(r) == ["1E+2"]
    assert await rung(world, "lapse") == 0


# ---- decisions
async def test_case_decisions_are_whole_and_reasoned(staff: Staff) -> None:
    c = staff.coordinator
    good, failed = await result(c, staff.person), await result(c, staff.person, passed=False)
    bare = await result(c, staff.person, verified=False)
    scan = await document(c, staff.person)
    path = await staff.open(wanted(good), wanted(failed), wanted(bare), evidence=[scan])
    a, b, d = [i["id"] for i in (await staff.registrar.get(path)).json()["items"]]
    no = [NO | {"item_id": i} for i in (a, b, d)]

    async def said(*decisions: dict[str, Any]) -> list[str]:
        return await staff.registrar.refused(path, "decide", {"decisions": list(decisions)})

    assert await said(no[0]) == ["each_item_decided"]
    assert await said(no[0], no[0], no[1]) == ["each_item_decided"]
    assert await said({"item_id": a, "outcome": "not_recognised"}, no[1], no[2]) == [
        "difference_named",
        "reasons_written",
    ]
    assert await said(no[0] | {"reason_text": "  "}, no[1], no[2]) == ["reasons_written"]
    assert await said(no[0] | {"credits_awarded": "1"}, no[1], no[2]) == ["nothing_awarded"]
    assert await said(PART | {"item_id": a, "credits_awarded": None}, no[1], no[2]) == ["credits_awarded"]
    assert await said(YES | {"item_id": a, "credits_awarded": "0"}, no[1], no[2]) == ["credits_awarded"]
    assert await said(YES | {"item_id": a, "difference_codes": ["level"]}, no[1], no[2]) == [
        "recognised_without_difference"
    ]
    assert await said(no[0], YES | {"item_id": b}, YES | {"item_id": d}) == ["result_passed", "result_verified"]
    assert (await staff.registrar.done(path, "decide", {"decisions": no}))["state"] == "decided"


async def test_case_corrected_decision_no_longer_stands(staff: Staff) -> None:
    path = await staff.open(wanted(await result(staff.coordinator, staff.person)))
    await staff.decided(path, NO)
    assert (await staff.coordinator.done(path, "correct", {"note": "the wrong case"}))["state"] == "opened"
    await staff.notified(path, PART)
    assert await staff.coordinator.refused(path, "correct", {"note": ""}, status=422) == ["string_too_short"]
    assert (await staff.coordinator.done(path, "correct", {"note": "again"}))["state"] == "decided"
    assert (await staff.coordinator.done(path, "correct", {"note": "again"}))["state"] == "opened"
    assert (await staff.notified(path, YES | {"credits_awarded": "4"}))["state"] == "final"
    shown = (await staff.registrar.get(path)).json()
    assert [(d["round"], d["outcome"]) for d in shown["decisions"]] == [
        (1, "not_recognised"),
        (2, "partially_recognised"),
        (3, "recognised"),
    ]
    assert await staff.ledger() == [("机电一体化", "4", 1)]
    assert await staff.coordinator.refused(path, "correct", {"note": "x"}) == ["not_final"]


# ---- appeal
async def test_case_appeal_is_decided_by_another_and_upheld(staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    path = await staff.open(wanted(r))
    await staff.notified(path, NO)
    assert await staff.trainee.refused(path, "appeal", status=422) == ["missing"]
    await staff.trainee.done(path, "appeal", {"grounds": "控制技术已在实习中学习。"})
    verdict = {"outcome": "upheld", "reason_text": "Nicht belegt."}
    assert await staff.registrar.refused(path, "decide_appeal", verdict) == ["another_decider"]
    offers = {o["action"]: o for o in (await staff.registrar.get(path + "/actions")).json()["actions"]}
    assert [x["code"] for x in offers["decide_appeal"]["reasons"]] == ["another_decider"]
    assert await staff.coordinator.refused(path, "decide_appeal", verdict, status=403) == ["role"]
    assert (await staff.second.done(path, "decide_appeal", verdict))["state"] == "final"
    assert (await staff.ledger(), await staff.claimed(r)) == ([], ["0"])
    appeal = (await staff.trainee.get(path)).json()["appeals"][0]
    assert (appeal["grounds"], appeal["outcome"], appeal["reason_text"]) == (
        "控制技术已在实习中学习。",
        "upheld",
        "Nicht belegt.",
    )


async def test_case_appeal_amends_what_it_names(staff: Staff) -> None:
    c = staff.coordinator
    one, two = await result(c, staff.person), await result(c, staff.person)
    path = await staff.open(wanted(one, "a"), wanted(two, "b"))
    await staff.notified(path, NO, PART)
    await staff.trainee.done(path, "appeal", {"grounds": "x"})
    item = (await staff.second.get(path)).json()["items"][0]["id"]
    verdict = {"outcome": "amended", "reason_text": "Belegt."}

    async def said(**more: Any) -> list[str]:
        return await staff.second.refused(path, "decide_appeal", verdict | more)

    yes = YES | {"item_id": item}
    assert await said() == ["amended_items_named"]
    assert await said(decisions=[yes, yes]) == ["amended_items_named"]
    assert await said(decisions=[YES | {"item_id": one}]) == ["amended_items_named"]
    assert await said(outcome="upheld", decisions=[yes]) == ["only_amended_decides"]
    assert await said(decisions=[{"item_id": item, "outcome": "not_recognised"}]) == [
        "difference_named",
        "reasons_written",
    ]
    done = await staff.second.done(path, "decide_appeal", verdict | {"decisions": [yes]})
    assert done["state"] == "final"
    assert sorted(await staff.ledger()) == [("a", "6", 1), ("b", "2.5", 1)]
    assert [(d["round"], d["action"]) for d in (await staff.trainee.get(path)).json()["decisions"]] == [
        (1, "decide"),
        (1, "decide"),
        (2, "decide_appeal"),
    ]
    assert await staff.coordinator.refused(path, "correct", {"note": "x"}) == ["correctable"]


async def test_case_remitted_is_decided_anew_and_hidden_until_told(staff: Staff) -> None:
    path = await staff.open(wanted(await result(staff.coordinator, staff.person)))
    await staff.notified(path, NO)
    await staff.trainee.done(path, "appeal", {"grounds": "x"})
    verdict = {"outcome": "remitted", "reason_text": "Neu zu bewerten."}
    assert (await staff.second.done(path, "decide_appeal", verdict))["state"] == "assessing"
    await staff.decided(path, PART, by=staff.second)
    assert [d["round"] for d in (await staff.trainee.get(path)).json()["decisions"]] == [1]
    await staff.coordinator.done(path, "notify")
    assert [d["round"] for d in (await staff.trainee.get(path)).json()["decisions"]] == [1, 2]
    await staff.trainee.done(path, "appeal", {"grounds": "y"})
    for who in (staff.registrar, staff.second):
        assert await who.refused(path, "decide_appeal", verdict) == ["another_decider"]


async def test_case_appeal_recorded_in_error_is_taken_back(staff: Staff) -> None:
    path = await staff.open(wanted(await result(staff.coordinator, staff.person)))
    await staff.notified(path, NO)
    letter = [await document(staff.coordinator, staff.person, "correspondence")]
    body = {"grounds": "a letter", "recorded_for": "trainee", "evidence": letter}
    await staff.coordinator.done(path, "appeal", body)
    assert (await staff.coordinator.done(path, "correct", {"note": "another's letter"}))["state"] == "notified"
    await staff.trainee.done(path, "appeal", {"grounds": "mine"})
    assert [a["outcome"] for a in (await staff.trainee.get(path)).json()["appeals"]] == ["voided", None]


async def test_case_appeal_too_late_is_refused(world: World, staff: Staff) -> None:
    path = await staff.open(wanted(await result(staff.coordinator, staff.person)))
    await staff.decided(path, NO)
    await rung(world, "notify")
    async with world.services.database.connection() as con, world.services.database.transaction(con, world.institution):
        await con.execute("UPDATE recognition_cases SET appeal_until = appeal_until - 31")
    assert await staff.trainee.refused(path, "appeal", {"grounds": "x"}) == ["appeal_in_time"]
    assert await rung(world, "finalise") == 1


# ---- ways out, and who
async def test_case_reversed_is_superseded_once(staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    path = await staff.open(wanted(r))
    old = path.rsplit("/", 1)[1]
    await staff.notified(path, YES)
    assert await staff.refused(wanted(r)) == ["share_free"]
    assert await staff.registrar.refused(path, "reverse", status=422) == ["missing"]
    assert await staff.coordinator.refused(path, "reverse", {"reason_code": "fraud"}, status=403) == ["role"]
    await staff.registrar.done(path, "reverse", {"reason_code": "data_error"})
    new = await staff.open(wanted(r), supersedes_id=old)
    assert await staff.refused(wanted(r), supersedes_id=old) == ["share_free", "supersedes_reversed"]
    await staff.trainee.done(new, "withdraw")
    again = await staff.open(wanted(r), supersedes_id=old)
    await staff.notified(again, PART)
    assert (await staff.trainee.get(again)).json()["supersedes_id"] == old
    assert await staff.coordinator.refused(new, "correct", {"note": "x"}) == ["share_free"]


async def test_case_opened_in_error_is_voided_and_frees(staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    path = await staff.open(wanted(r), by=staff.registrar)
    assert (await staff.coordinator.done(path, "correct", {"note": "twice"}))["state"] == "voided"
    assert await staff.claimed(r) == ["0"]


async def test_case_withdrawn_in_error_claims_again(staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    path = await staff.open(wanted(r, share="40"), wanted(r, "b", "20"))
    await staff.trainee.done(path, "withdraw")
    assert (await staff.coordinator.done(path, "correct", {"note": "x"}))["state"] == "opened"
    assert await staff.claimed(r) == ["6E+1"]


async def test_case_belongs_to_those_it_concerns(world: World, staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    path = await staff.open(wanted(r))
    another = await world.client(TRAINEE, person_ids=[await person(staff.coordinator)])
    stranger = await world.client(REGISTRAR, institution=await world.other())
    for who in (another, stranger):
        assert (await who.get(path)).status_code == 404
        assert (await who.post(path + "/withdraw", {}, version=1)).status_code == 404
        assert (await who.get("/v1/recognition-cases")).json()["items"] == []
        assert (await who.get("/v1/ledger")).json()["items"] == []
    for role in (INSTRUCTOR, READER):
        who = await world.client(role)
        assert (await who.get(path)).status_code == 403
        assert (await who.get("/v1/ledger")).status_code == 403
    guardian = await world.client(GUARDIAN, person_ids=[staff.person])
    assert (await guardian.get(path)).status_code == 200
    tried: list[tuple[Client, str, dict[str, Any]]] = [
        (staff.trainee, "take_on", {}),
        (staff.coordinator, "take_on", {}),
        (staff.trainee, "decide", {"decisions": []}),
        (staff.registrar, "withdraw", {}),
    ]
    for who, action, body in tried:
        assert await who.refused(path, action, body, status=403) == ["role"]
    assert await staff.coordinator.refused(path, "withdraw") == ["recorded_for_required"]
    assert (await guardian.done(path, "withdraw"))["state"] == "withdrawn"


async def test_case_many_are_taken_on_and_withdrawn_at_once(staff: Staff) -> None:
    r = await result(staff.coordinator, staff.person)
    paths = [await staff.open(wanted(r, share="20")) for _ in range(3)]
    ids = [p.rsplit("/", 1)[1] for p in paths]
    items = [{"id": i, "version": 1} for i in ids]
    on = await staff.registrar.ok("/v1/recognition-cases/bulk/take_on", {"items": items})
    assert (on["done"], on["refused"]) == (3, 0)
    items = [{"id": i, "version": 2} for i in ids]
    out = await staff.trainee.ok("/v1/recognition-cases/bulk/withdraw", {"items": items})
    assert (out["done"], out["refused"]) == (3, 0)
    assert await staff.claimed(r) == ["0"]


async def test_case_reasons_are_sealed_in_the_database(world: World, staff: Staff, dsn: str) -> None:
    path = await staff.open(wanted(await result(staff.coordinator, staff.person)))
    await staff.notified(path, NO)
    await staff.trainee.done(path, "appeal", {"grounds": "Keine Steuerungstechnik?"})
    con = await asyncpg.connect(dsn)
    try:
        kept = await con.fetch(
            "SELECT d.*::text AS d FROM recognition_decisions d UNION ALL SELECT a.*::text FROM recognition_appeals a "
            "UNION ALL SELECT e.data::text FROM events e"
        )
    finally:
        await con.close()
    assert [r["d"] for r in kept if "Steuerungstechnik" in r["d"]] == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger SET credits = 60",
        "DELETE FROM ledger",
        "UPDATE recognition_decisions SET outcome = 'recognised'",
        "DELETE FROM recognition_decisions",
        "UPDATE recognition_items SET share_percent = 1",
        "UPDATE results SET claimed_percent = 101",
        "UPDATE recognition_cases SET state = 'opened'",
    ],
)
async def test_case_record_cannot_be_rewritten_by_the_service(world: World, staff: Staff, sql: str) -> None:
    path = await staff.open(wanted(await result(staff.coordinator, staff.person)))
    await staff.notified(path, YES)
    with pytest.raises(asyncpg.PostgresError):
        async with (
            world.services.database.connection() as con,
            world.services.database.transaction(con, world.institution),
        ):
            await con.execute(sql)


async def test_ledger_is_read_page_by_page_and_by_case(staff: Staff) -> None:
    c = staff.coordinator
    paths = []
    for target in ("a", "b", "c"):
        path = await staff.open(wanted(await result(c, staff.person), target))
        await staff.notified(path, YES)
        paths.append(path)
    first = (await staff.registrar.get("/v1/ledger", person_id=staff.person, limit=2)).json()
    rest = (await staff.registrar.get("/v1/ledger", person_id=staff.person, limit=2, after=first["next"])).json()
    assert [e["target"] for e in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next"] is None
    only = (await staff.registrar.get("/v1/ledger", case_id=paths[1].rsplit("/", 1)[1])).json()["items"]
    assert [e["target"] for e in only] == ["b"]
    assert (await staff.registrar.get("/v1/ledger", nobody="x")).status_code == 422
