"""Rules and regulations of recognition over HTTP: editions, decisions by rule and alike, traces, caps, signatures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from service.domain.actors import ADMIN, READER, TRAINEE
from tests.api.studying import STAGES
from tests.api.test_recognition import NO, PART, YES, Staff, rung
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.api.test_results import person, result
from tests.conftest import Client, World

COURSE = {"title_native": "机电", "title_latin": "Mechatronics", "credits": "4", "hours": 64, "kind": "theory"}
LOAD = {
    "from_scheme": "ects",
    "legs": [{"method": "annual_load", "to_scheme": "cn-college@16", "full_year_to": "40"}],
    "rounding": {"mode": "down", "step": "0.5"},
}
GERMAN = {"method": "linear", "rounding": "half_up", "decimals": 0,
          "source_scale": {"best": "1", "min_pass": "4"}, "target_scale": {"best": "100", "min_pass": "60"}}  # fmt: skip


class Desk(Staff):
    """Everybody whom a case needs, with a partner's course and one of our own."""

    partner: str
    there: str
    here: str

    async def settle(self, world: World) -> Desk:
        await self.enter(world)
        made = await self.coordinator.ok("/v1/relationships", ENTERPRISE_BODY)
        self.partner = made["created"]["organisation"]
        self.there, self.here = await self.course(owner_id=self.partner), await self.course()
        return self

    async def course(self, **more: Any) -> str:
        body = COURSE | {"code": f"C-{uuid4().hex[:8]}"} | more
        return str((await self.coordinator.ok("/v1/courses", body))["id"])

    def equivalence(self, **more: Any) -> dict[str, Any]:
        source = {"course_id": self.there, "min_grade": "3", "lower_is_better": True}
        return {"sources": [source], "targets": [{"course_id": self.here}]} | more

    async def rule(self, *, active: bool = True, **more: Any) -> str:
        body = {
            "rule_key": "mechatronics", "equivalence": self.equivalence(credits=LOAD, grades=GERMAN),
            "rationale": "Same outcomes.", "automatic": True, "valid_from": "2025-01-01", "valid_until": "2026-12-31",
        }  # fmt: skip
        path = f"/v1/recognition-rules/{(await self.coordinator.ok('/v1/recognition-rules', body | more))['id']}"
        if active:
            await self.registrar.done(path, "activate")
        return path

    async def case(self, *, who: str | None = None, share: str = "100", **more: Any) -> str:
        """A case of one result in the partner's course."""
        who = who or self.person
        said = {"course_id": self.there, "grade": "1,7"} | more
        made = await result(self.coordinator, who, **{k: v for k, v in said.items() if v is not None})
        item = {"result_id": made, "target_course_id": self.here, "share_percent": share}
        body = {"person_id": who, "kind": "transcript", "items": [item]}
        return f"/v1/recognition-cases/{(await self.registrar.ok('/v1/recognition-cases', body))['id']}"


@pytest.fixture
async def desk(world: World) -> Desk:
    return await Desk().settle(world)


def plain(path: str) -> str:
    return path.rsplit("/", 1)[-1]


# ---- rules
async def test_rule_has_editions_of_which_no_two_hold_on_one_day(world: World, desk: Desk, dsn: str) -> None:
    first = await desk.rule()
    shown = (await desk.registrar.get(first)).json()
    assert (shown["state"], shown["edition"], shown["sources"]) == (
        "active", 1, [{"course_id": desk.there, "min_grade": "3", "lower_is_better": True, "min_credits": None}],
    )  # fmt: skip
    assert shown["targets"] == [{"course_id": desk.here, "credits": None}]
    second = await desk.rule(active=False, valid_from="2026-06-01", valid_until=None)
    answer = await desk.registrar.act(second, "activate")
    assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (409, "recognition_rules_one_at_a_time")
    await desk.registrar.done(first, "end", {"valid_until": "2026-05-31"})
    await desk.registrar.done(second, "activate")
    assert (await desk.registrar.get(second)).json()["edition"] == 2
    con = await asyncpg.connect(dsn)
    try:
        with pytest.raises(asyncpg.ExclusionViolationError):
            await con.execute("UPDATE recognition_rules SET valid_until = '2026-06-01' WHERE edition = 1")
    finally:
        await con.close()
    await desk.registrar.done(first, "retire")
    assert await desk.registrar.refused(first, "end", {"valid_until": "2027-01-01"}) == ["not_from_this_state"]


async def test_rule_names_courses_that_are_there(desk: Desk) -> None:
    other = {"sources": [{"course_id": str(uuid4())}], "targets": [{"course_id": desk.there}]}
    twice = {"sources": [{"course_id": desk.there}] * 2, "targets": []}
    for equivalence, codes in (
        (other, ["course_known", "course_known"]),
        (twice, ["courses_named_once", "courses_named_once"]),
        (desk.equivalence(targets=[{"course_id": desk.here, "credits": "0"}]), ["above_nothing"]),
    ):
        body = {
            "rule_key": "x", "equivalence": equivalence, "rationale": "x", "automatic": False, "valid_from": "2026-01-01",
        }  # fmt: skip
        answer = await desk.coordinator.post("/v1/recognition-rules", body)
        assert [r["code"] for r in answer.json()["reasons"]] == codes
    assert (await desk.trainee.get("/v1/recognition-rules")).json()["items"] == []


# ---- by rule
async def test_case_is_decided_by_an_automatic_rule_with_its_trace(world: World, desk: Desk) -> None:
    rule, path = await desk.rule(), await desk.case()
    assert await rung(world, "decide_by_rule") == 1
    shown = (await desk.registrar.get(path)).json()
    (decision,) = shown["decisions"]
    assert {k: decision[k] for k in ("outcome", "credits_awarded", "grade_awarded", "rule_id", "action")} == {
        "outcome": "recognised", "credits_awarded": "4", "grade_awarded": "91", "rule_id": plain(rule),
        "action": "decide_by_rule",
    }  # fmt: skip
    (traced,) = (await desk.registrar.get(f"{path}/traces")).json()["items"]
    assert (traced["holds"], traced["wrong_steps"]) == (True, {"credits": [], "grade": []})
    assert [s["formula"] for s in traced["trace"]["credits"]] == ["credits_given", "annual_load", "round_credits"]
    assert [s["formula"] for s in traced["trace"]["grade"]] == ["linear", "round_grade"]
    assert (await desk.trainee.get(f"{path}/traces")).json() == {"items": []}
    await desk.coordinator.done(path, "notify")
    assert [t["credits_awarded"] for t in (await desk.trainee.get(f"{path}/traces")).json()["items"]] == ["4"]
    entries = (await desk.registrar.get("/v1/ledger", person_id=desk.person)).json()["items"]
    assert [(e["course_id"], e["credits"]) for e in entries] == [(desk.here, "4")]
    assert await desk.coordinator.refused(rule, "correct", {"note": "x"}) == ["rule_not_used"]


async def test_case_that_a_rule_does_not_take_waits_for_a_person(world: World, desk: Desk) -> None:
    await desk.rule()
    tried: list[tuple[dict[str, Any], list[str]]] = [
        ({"grade": "3,3"}, ["grade_least"]),
        ({"passed": False}, ["result_passed"]),
        ({"achieved_on": "2024-12-31"}, ["rule_for_item"]),
        ({"course_id": await desk.course()}, ["rule_for_item"]),
        ({"share": "50"}, ["rule_for_item"]),
    ]
    paths = [await desk.case(who=await person(desk.coordinator), **more) for more, _ in tried]
    assert await rung(world, "decide_by_rule") == 0
    for path, (_, codes) in zip(paths, tried, strict=True):
        assert await desk.registrar.refused(path, "decide_by_rule") == codes


async def test_partner_has_a_conversion_where_a_rule_has_none(desk: Desk) -> None:
    """By the version that held when the result was achieved."""
    (tie,) = (await desk.coordinator.get("/v1/relationships", organisation_id=desk.partner)).json()["items"]
    path = f"/v1/relationships/{tie['id']}"
    assert await desk.registrar.refused(path, "set_conversion", {"effective_from": "2026-01-01"}) == [
        "something_to_convert"
    ]
    await desk.registrar.done(
        path, "set_conversion", {"effective_from": "2026-01-01", "credits": LOAD, "grades": GERMAN}
    )
    half = LOAD | {"legs": [{"method": "ratio", "to_scheme": "cn-college@16", "factor": "0.5"}]}
    await desk.registrar.done(path, "set_conversion", {"effective_from": "2026-02-01", "credits": half})
    shown = (await desk.registrar.get(f"{path}/conversions")).json()["items"]
    assert [(v["no"], v["effective_from"], v["grade_policy"] is None) for v in shown] == [
        (2, "2026-02-01", True), (1, "2026-01-01", False),
    ]  # fmt: skip
    assert (await desk.trainee.get(f"{path}/conversions")).status_code == 403
    await desk.rule(equivalence=desk.equivalence())
    for day, awarded in (("2025-12-31", ("4", None)), ("2026-01-31", ("4", "91")), ("2026-02-01", ("3", None))):
        case = await desk.case(who=await person(desk.coordinator), achieved_on=day, owner_id=desk.partner)
        await desk.registrar.done(case, "decide_by_rule")
        (decision,) = (await desk.registrar.get(case)).json()["decisions"]
        assert (decision["credits_awarded"], decision["grade_awarded"]) == awarded


async def test_rule_that_is_not_automatic_decides_with_a_registrar(world: World, desk: Desk) -> None:
    await desk.rule(automatic=False)
    path = await desk.case()
    assert await rung(world, "decide_by_rule") == 0
    offer = next(
        o for o in (await desk.registrar.get(f"{path}/actions")).json()["actions"] if o["action"] == "decide_by_rule"
    )
    assert offer["open"]
    assert (await desk.registrar.done(path, "decide_by_rule"))["state"] == "decided"


async def test_rule_counts_on_the_day_of_the_result_and_not_today(desk: Desk) -> None:
    """An ended edition still judges what was achieved in its days; the next one judges later results."""
    first = await desk.rule(valid_until="2026-01-31")
    then = desk.equivalence(targets=[{"course_id": desk.here, "credits": "2"}])
    second = await desk.rule(equivalence=then, valid_from="2026-02-01", valid_until=None)
    for day, rule in (("2026-01-31", first), ("2026-02-01", second)):
        path = await desk.case(who=await person(desk.coordinator), achieved_on=day)
        await desk.registrar.done(path, "decide_by_rule")
        assert [d["rule_id"] for d in (await desk.registrar.get(path)).json()["decisions"]] == [plain(rule)]


# ---- alike
async def test_many_are_previewed_decided_alike_and_saved_as_a_rule(world: World, desk: Desk) -> None:
    """One decision for several students with the same pair; one of them has too low a grade."""
    grades = ("1,0", "1,7", "3,0", "3,3")
    paths = [await desk.case(who=await person(desk.coordinator), grade=g) for g in grades]
    ids = [plain(p) for p in paths]
    alike = {"equivalences": [desk.equivalence(credits=LOAD, grades=GERMAN)]}
    seen = (
        await desk.registrar.post("/v1/recognition-cases/bulk/preview", {"case_ids": [*ids, str(uuid4())]} | alike)
    ).json()
    assert (seen["would"], [i["error"] for i in seen["items"]]) == (3, [None, None, None, "refused", "not-found"])
    assert [r["code"] for r in seen["items"][3]["reasons"]] == ["grade_least"]
    (award,) = seen["items"][1]["awards"]
    assert (award["credits_awarded"], award["grade_awarded"], award["rule_id"]) == ("4", "91", None)
    assert (await desk.registrar.get(paths[0])).json()["decisions"] == []
    items = [{"id": i, "version": 1} for i in ids]
    done = await desk.registrar.ok("/v1/recognition-cases/bulk/decide_alike", {"items": items} | alike)
    assert (done["done"], done["refused"]) == (3, 1)
    decided = (await desk.registrar.get(paths[1])).json()["decisions"]
    assert [d["credits_awarded"] for d in decided] == [award["credits_awarded"]]
    (traced,) = (await desk.registrar.get(f"{paths[1]}/traces")).json()["items"]
    assert traced["trace"] == award["trace"]
    await desk.rule(equivalence=alike["equivalences"][0])
    later = await desk.case(who=await person(desk.coordinator))
    by_rule = (await desk.registrar.post("/v1/recognition-cases/bulk/preview", {"case_ids": [plain(later)]})).json()
    assert [a["credits_awarded"] for a in by_rule["items"][0]["awards"]] == ["4"]
    assert await rung(world, "decide_by_rule") == 1


async def test_sixty_with_the_same_pair_are_previewed_decided_and_kept_as_a_rule_in_one_act(
    world: World, desk: Desk, dsn: str
) -> None:
    """Two of them have too low a grade; the sixty-first, later, is decided by the rule alone."""
    code = (await desk.coordinator.get(f"/v1/courses/{desk.there}")).json()["code"]
    people = [await person(desk.coordinator) for _ in range(60)]
    ids = []
    for n, who in enumerate(people):
        ids.append(plain(await desk.case(who=who, grade="3,7" if n in (7, 41) else "1,7", course_code=code)))
    alike = {"equivalences": [desk.equivalence(credits=LOAD, grades=GERMAN)]}
    seen = (await desk.registrar.post("/v1/recognition-cases/bulk/preview", {"case_ids": ids} | alike)).json()
    assert (seen["would"], [i["id"] for i in seen["items"] if not i["would"]]) == (58, [ids[7], ids[41]])
    kept = {"rule_key": "mechatronics", "rationale": "One decision for sixty.", "automatic": True,
            "valid_from": "2025-01-01"}  # fmt: skip
    items = [{"id": i, "version": 1} for i in ids]
    asked = {"items": items, "save_as": kept} | alike
    done = await desk.registrar.ok("/v1/recognition-cases/bulk/decide_alike", asked)
    assert (done["done"], done["refused"]) == (58, 2)
    (rule,) = {i["created"]["recognition_rule"] for i in done["items"] if i["done"]}
    shown = (await desk.registrar.get(f"/v1/recognition-rules/{rule}")).json()
    assert (shown["state"], shown["edition"], shown["automatic"], shown["targets"]) == (
        "active", 1, True, [{"course_id": desk.here, "credits": None}],
    )  # fmt: skip
    con = await asyncpg.connect(dsn)
    try:
        acts = await con.fetch(
            "SELECT action_id, count(*) AS n, count(DISTINCT tx) AS x FROM events"
            " WHERE type IN ('recognition_case.decided_alike', 'recognition_rule.saved') GROUP BY action_id"
        )
        assert [(r["n"], r["x"]) for r in acts] == [(59, 1)]
        given = await con.fetch("SELECT DISTINCT rule_id::text, credits_awarded FROM recognition_decisions")
        assert [tuple(r) for r in given] == [(rule, 4)]
    finally:
        await con.close()
    for n in (0, 59):
        (traced,) = (await desk.registrar.get(f"/v1/recognition-cases/{ids[n]}/traces")).json()["items"]
        assert (traced["holds"], traced["rule_id"], traced["grade_awarded"]) == (True, rule, "91")
    await desk.case(who=await person(desk.coordinator), grade="2,0")
    assert await rung(world, "decide_by_rule") == 1


async def test_rule_that_cannot_be_kept_leaves_nothing_decided(desk: Desk) -> None:
    """The decision and the rule are one act: where an edition holds on these days, neither is written."""
    await desk.rule()
    path = await desk.case()
    kept = {"rule_key": "mechatronics", "rationale": "x", "automatic": False, "valid_from": "2026-01-01"}
    body = {"equivalences": [desk.equivalence()], "save_as": kept}
    answer = await desk.registrar.act(path, "decide_alike", body)
    assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (409, "recognition_rules_one_at_a_time")
    assert (await desk.registrar.get(path)).json()["decisions"] == []
    again = body | {"save_as": kept | {"valid_from": "2027-01-01"}}
    made = await desk.registrar.done(path, "decide_alike", again)
    assert (await desk.registrar.get(f"/v1/recognition-rules/{made['created']['recognition_rule']}")).json()[
        "edition"
    ] == 2


# ---- as what it counts, and what was promised
async def test_elective_is_recognised_for_no_course_and_can_be_appealed(desk: Desk) -> None:
    path = await desk.case()
    less = {"mode": "elective", "differences": ["profile"], "conditions": "Another profile."}
    alike = {"equivalences": [desk.equivalence(credits=LOAD) | less]}
    seen = (await desk.registrar.post("/v1/recognition-cases/bulk/preview", {"case_ids": [plain(path)]} | alike)).json()
    assert [a["mode"] for a in seen["items"][0]["awards"]] == ["elective"]
    await desk.registrar.done(path, "decide_alike", alike)
    assert (await desk.coordinator.done(path, "notify"))["state"] == "notified"
    (d,) = (await desk.trainee.get(path)).json()["decisions"]
    assert {k: d[k] for k in ("outcome", "mode", "credits_awarded", "difference_codes", "reason_text")} == {
        "outcome": "partially_recognised", "mode": "elective", "credits_awarded": "4",
        "difference_codes": ["profile"], "reason_text": "Another profile.",
    }  # fmt: skip
    (traced,) = (await desk.trainee.get(f"{path}/traces")).json()["items"]
    assert traced["holds"]
    await desk.trainee.done(path, "appeal", {"grounds": "Es ist dasselbe Fach."})
    await desk.second.done(path, "decide_appeal", {"outcome": "upheld", "reason_text": "Nein."})
    (entry,) = (await desk.registrar.get("/v1/ledger", person_id=desk.person)).json()["items"]
    assert [entry[k] for k in ("course_id", "target", "credits", "mode")] == [None, "elective", "4", "elective"]


async def test_part_of_a_course_is_recognised_with_a_trace_that_holds(desk: Desk) -> None:
    path = await desk.case()
    less = {"mode": "partial", "differences": ["workload"], "conditions": "Ohne das Praktikum."}
    part = desk.equivalence(credits=LOAD, targets=[{"course_id": desk.here, "credits": "2.5"}]) | less
    await desk.registrar.done(path, "decide_alike", {"equivalences": [part]})
    await desk.coordinator.done(path, "notify")
    (d,) = (await desk.trainee.get(path)).json()["decisions"]
    assert {k: d[k] for k in ("outcome", "mode", "credits_awarded", "difference_codes", "reason_text")} == {
        "outcome": "partially_recognised", "mode": "partial", "credits_awarded": "2.5",
        "difference_codes": ["workload"], "reason_text": "Ohne das Praktikum.",
    }  # fmt: skip
    (traced,) = (await desk.trainee.get(f"{path}/traces")).json()["items"]
    assert traced["holds"]


async def test_what_was_promised_is_decided_by_the_clock_and_by_hand_no_less(world: World, desk: Desk) -> None:
    """A promise is a rule for one person: theirs to read, nobody else's, and it goes before rules for all."""
    await desk.rule()
    who = await person(desk.coordinator)
    agreed: dict[str, Any] = {
        "rule_key": f"agreement {who[:8]}", "person_id": who, "promised_on": "2026-01-10", "valid_from": "2026-01-10",
        "equivalence": desk.equivalence(targets=[{"course_id": desk.here, "credits": "3.5"}]),
    }  # fmt: skip
    wrong = agreed | {"person_id": str(uuid4()), "rationale": "x", "automatic": True}
    answer = await desk.coordinator.post("/v1/recognition-rules", wrong)
    assert [r["code"] for r in answer.json()["reasons"]] == ["person_known"]
    promise = await desk.rule(valid_until=None, **agreed)
    theirs = await world.client(TRAINEE, person_ids=[who])
    assert [r["promised_on"] for r in (await theirs.get("/v1/recognition-rules")).json()["items"]] == ["2026-01-10"]
    assert (await desk.trainee.get("/v1/recognition-rules")).json()["items"] == []
    assert (await desk.trainee.get(promise)).status_code == 404
    reader = await world.client(READER)
    assert [r["person_id"] for r in (await reader.get("/v1/recognition-rules")).json()["items"]] == [None, None]
    first, other = await desk.case(who=who, achieved_on="2026-03-01"), await desk.case(achieved_on="2026-03-01")
    items = (await desk.registrar.get(first)).json()["items"]
    three = [YES | {"item_id": items[0]["id"], "credits_awarded": "3"}]
    assert await desk.registrar.refused(first, "decide", {"decisions": three}) == ["promise_kept"]
    assert await rung(world, "decide_by_rule") == 2
    for path, awarded in ((first, ("3.5", plain(promise))), (other, ("4", None))):
        (d,) = (await desk.registrar.get(path)).json()["decisions"]
        assert d["credits_awarded"] == awarded[0]
        assert awarded[1] in (None, d["rule_id"])
        (traced,) = (await desk.registrar.get(f"{path}/traces")).json()["items"]
        assert traced["holds"]


async def test_several_courses_count_as_one_and_one_as_several(desk: Desk) -> None:
    """n:1 in proportion to what each claims, the last takes the rest; 1:m by shares."""
    second, other = await desk.course(owner_id=desk.partner), await desk.course(credits="1")
    two = [
        await result(desk.coordinator, desk.person, course_id=c, credits=n)
        for c, n in ((desk.there, "1"), (second, "5"))
    ]
    body = {"person_id": desk.person, "kind": "transcript",
            "items": [{"result_id": r, "target_course_id": desk.here} for r in two]}  # fmt: skip
    case = f"/v1/recognition-cases/{(await desk.registrar.ok('/v1/recognition-cases', body))['id']}"
    e = {"sources": [{"course_id": desk.there}, {"course_id": second}], "targets": [{"course_id": desk.here}]}
    await desk.registrar.done(case, "decide_alike", {"equivalences": [e]})
    assert [d["credits_awarded"] for d in (await desk.registrar.get(case)).json()["decisions"]] == ["0.66", "3.34"]
    assert all(t["holds"] for t in (await desk.registrar.get(f"{case}/traces")).json()["items"])
    who = await person(desk.coordinator)
    one = await result(desk.coordinator, who, course_id=desk.there)
    items = [
        {"result_id": one, "target_course_id": t, "share_percent": s} for t, s in ((desk.here, "80"), (other, "20"))
    ]
    body = {"person_id": who, "kind": "transcript", "items": items}
    split = f"/v1/recognition-cases/{(await desk.registrar.ok('/v1/recognition-cases', body))['id']}"
    e = {"sources": [{"course_id": desk.there}], "targets": [{"course_id": desk.here}, {"course_id": other}]}
    half = {"sources": [{"course_id": desk.there}], "targets": [{"course_id": desk.here}]}
    assert await desk.registrar.refused(split, "decide_alike", {"equivalences": [half]}) == ["rule_for_item"] * 2
    await desk.registrar.done(split, "decide_alike", {"equivalences": [e]})
    assert [d["credits_awarded"] for d in (await desk.registrar.get(split)).json()["decisions"]] == ["4", "1"]


async def test_rule_knows_a_result_by_its_owner_and_code(world: World, desk: Desk) -> None:
    """As sheets bring them: without the id of a course."""
    await desk.rule()
    code = (await desk.coordinator.get(f"/v1/courses/{desk.there}")).json()["code"]
    path = await desk.case(course_id=None, course_code=code, owner_id=desk.partner)
    assert await rung(world, "decide_by_rule") == 1
    other = await desk.case(who=await person(desk.coordinator), course_id=None, course_code=code)
    assert await rung(world, "decide_by_rule") == 0
    assert await desk.registrar.refused(other, "decide_by_rule") == ["rule_for_item"]
    assert (await desk.registrar.get(path)).json()["state"] == "decided"


async def test_precedents_count_what_was_decided_of_the_same_pair(world: World, desk: Desk) -> None:
    for outcome in (YES | {"credits_awarded": "4"}, YES | {"credits_awarded": "3"}, PART, NO):
        path = await desk.case(who=await person(desk.coordinator))
        await desk.notified(path, outcome)
    undecided = await desk.case()
    (item,) = (await desk.registrar.get(undecided)).json()["items"]
    found = (await desk.registrar.get(f"{undecided}/precedents")).json()["items"]
    assert [(p["item_id"], p["outcome"], p["decisions"], p["credits_least"], p["credits_most"]) for p in found] == [
        (item["id"], "not_recognised", 1, "0", "0"),
        (item["id"], "partially_recognised", 1, "2.5", "2.5"),
        (item["id"], "recognised", 2, "3", "4"),
    ]
    assert (await desk.trainee.get(f"{undecided}/precedents")).status_code == 403
    stranger = await world.client(ADMIN, institution=await world.other())
    for path in (f"{undecided}/precedents", f"{undecided}/traces"):
        assert (await stranger.get(path)).status_code == 404
    seen = await stranger.post("/v1/recognition-cases/bulk/preview", {"case_ids": [plain(undecided)]})
    assert [i["error"] for i in seen.json()["items"]] == ["not-found"]
    reader = await world.client(READER)
    assert (
        await reader.post("/v1/recognition-cases/bulk/preview", {"case_ids": [plain(undecided)]})
    ).status_code == 403


async def test_trace_that_was_changed_in_the_database_does_not_hold(desk: Desk, dsn: str) -> None:
    path = await desk.case()
    await desk.decided(path, YES | {"credits_awarded": "3"})
    (traced,) = (await desk.registrar.get(f"{path}/traces")).json()["items"]
    assert (traced["holds"], [s["result"] for s in traced["trace"]["credits"]]) == (
        True,
        [{"amount": "6"}, {"amount": "3"}],
    )
    con = await asyncpg.connect(dsn)
    try:
        await con.execute("""UPDATE recognition_decisions SET trace = replace(trace, '"amount":"3"', '"amount":"5"')""")
    finally:
        await con.close()
    (traced,) = (await desk.registrar.get(f"{path}/traces")).json()["items"]
    assert traced["holds"] is False


# ---- the regulation of a programme
async def programme_of(desk: Desk, world: World, *people: str, required: bool = True) -> str:
    """A programme whose curriculum has the course, and on which the people are enrolled (as the database has it)."""
    body = {
        "code": f"P-{uuid4().hex[:6]}", "title_native": "机电", "title_latin": "Mechatronics", "kind": "vocational",
        "level": 5, "field": "0714", "stages": STAGES,
    }  # fmt: skip
    path = f"/v1/programmes/{(await desk.coordinator.ok('/v1/programmes', body))['id']}"
    await desk.coordinator.done(
        path, "set_curriculum", {"courses": [{"course_id": desk.here, "stage": 1, "required": required}]}
    )
    for who in people:
        case = await desk.case(who=who)
        async with (
            world.services.database.connection() as con,
            world.services.database.transaction(con, world.institution),
        ):
            await con.execute("UPDATE recognition_cases SET programme_id = $1 WHERE id = $2", plain(path), plain(case))
    return path


async def case_under(desk: Desk, world: World, programme: str, **more: Any) -> str:
    path = await desk.case(**more)
    async with world.services.database.connection() as con, world.services.database.transaction(con, world.institution):
        await con.execute("UPDATE recognition_cases SET programme_id = $1 WHERE id = $2", plain(programme), plain(path))
    return path


async def test_regulation_takes_the_college_rules_where_it_says_nothing(desk: Desk, world: World) -> None:
    path = await programme_of(desk, world)
    assert (await desk.registrar.get(f"{path}/regulations")).json() == {"items": []}
    await desk.registrar.done(path, "set_regulation", {"effective_from": "2026-01-01", "credits_per_course": "6"})
    (shown,) = (await desk.registrar.get(f"{path}/regulations")).json()["items"]
    assert {k: shown[k] for k in ("no", "hours_per_credit", "credits_per_course", "credits_in_all", "credits_gap")} == {
        "no": 1, "hours_per_credit": "16", "credits_per_course": "6", "credits_in_all": "50", "credits_gap": "2",
    }  # fmt: skip
    assert {d["name"]: d["evidence"] for d in shown["defaults"]} == dict.fromkeys(
        ("hours_per_credit", "credits_in_all", "credits_gap", "overlap_percent", "elective_for_required",
         "substitutions"), "secondary"
    )  # fmt: skip
    assert shown["substitutions"] == [{"source": "placement", "target": "practice"}]
    twice = {"effective_from": "2026-01-01", "credits_per_kind": [{"kind": "theory", "credits": "1"}] * 2}
    assert await desk.registrar.refused(path, "set_regulation", twice) == ["caps_of_kinds"]


async def test_regulation_caps_what_is_recognised_by_hand_and_by_rule(desk: Desk, world: World) -> None:
    path = await programme_of(desk, world)
    said = {
        "effective_from": "2026-01-01",
        "overlap_percent": "0",
        "credits_per_kind": [{"kind": "theory", "credits": "2"}],
    }
    await desk.registrar.done(path, "set_regulation", said | {"credits_in_all": "2.5"})
    await desk.rule()
    case = await case_under(desk, world, path)
    four = {
        "decisions": [
            YES | {"item_id": i["id"], "credits_awarded": "4"} for i in (await desk.registrar.get(case)).json()["items"]
        ]
    }
    assert await desk.registrar.refused(case, "decide", four) == ["cap_of_course", "cap_of_kind", "cap_in_all"]
    assert await desk.registrar.refused(case, "decide_by_rule") == ["cap_of_course", "cap_of_kind", "cap_in_all"]
    assert await rung(world, "decide_by_rule") == 0
    earlier = await case_under(desk, world, path, achieved_on="2025-12-31")
    await desk.registrar.done(earlier, "decide_by_rule")


async def test_regulation_asks_for_overlap_and_credits_of_a_required_course(desk: Desk, world: World) -> None:
    path = await programme_of(desk, world)
    await desk.registrar.done(path, "set_regulation", {"effective_from": "2026-01-01"})
    case = await case_under(desk, world, path)
    (item,) = (await desk.registrar.get(case)).json()["items"]

    def decided(**more: Any) -> dict[str, Any]:
        return {"decisions": [YES | {"item_id": item["id"], "credits_awarded": "2"} | more]}

    assert await desk.registrar.refused(case, "decide", decided(overlap_percent="69.9")) == ["overlap_enough"]
    assert await desk.registrar.refused(case, "decide", decided(credits_awarded="1")) == [
        "credits_gap",
        "overlap_enough",
    ]
    assert await desk.registrar.refused(case, "decide", decided(credits_awarded="3.5", overlap_percent="70")) == [
        "cap_of_course"
    ]
    await desk.registrar.done(case, "decide", decided(overlap_percent="70"))
    shown = (await desk.registrar.get(case)).json()["decisions"]
    assert [(d["overlap_percent"], d["credits_awarded"]) for d in shown] == [("70", "2")]


async def test_regulation_is_the_home_scheme_of_a_conversion(desk: Desk, world: World) -> None:
    """6 ECTS at 60 a year into the programme's own year of 40 credits are 4."""
    path = await programme_of(desk, world)
    await desk.registrar.done(
        path, "set_regulation", {"effective_from": "2026-01-01", "full_year_credits": "40", "credits_per_course": "4"}
    )
    home = {"from_scheme": "ects", "legs": [{"method": "annual_load", "to_scheme": "home"}]}
    case = await case_under(desk, world, path)
    await desk.registrar.done(case, "decide_alike", {"equivalences": [desk.equivalence(credits=home)]})
    assert [d["credits_awarded"] for d in (await desk.registrar.get(case)).json()["decisions"]] == ["4"]
    (traced,) = (await desk.registrar.get(f"{case}/traces")).json()["items"]
    assert [s["rule"] for s in traced["trace"]["credits"]][1] == "ects@2015 -> home@1"


async def test_award_that_is_rounded_away_is_refused(desk: Desk) -> None:
    coarse = LOAD | {"rounding": {"mode": "down", "step": "5"}}
    case = await desk.case()
    alike = {"equivalences": [desk.equivalence(credits=coarse)]}
    assert await desk.registrar.refused(case, "decide_alike", alike) == ["credits_awarded"]


async def test_elective_of_our_own_does_not_replace_a_required_course(desk: Desk, world: World) -> None:
    elective = await desk.course()
    path = await programme_of(desk, world)
    courses = [{"course_id": desk.here, "stage": 1}, {"course_id": elective, "stage": 1, "required": False}]
    await desk.coordinator.done(path, "set_curriculum", {"courses": courses})
    await desk.registrar.done(path, "set_regulation", {"effective_from": "2026-01-01"})
    case = await case_under(desk, world, path, course_id=elective)
    (item,) = (await desk.registrar.get(case)).json()["items"]
    said = {"decisions": [YES | {"item_id": item["id"], "credits_awarded": "3", "overlap_percent": "90"}]}
    assert await desk.registrar.refused(case, "decide", said) == ["elective_for_required"]


async def test_course_is_not_recognised_twice(desk: Desk) -> None:
    first, second = await desk.case(), await desk.case()
    await desk.decided(first, YES | {"credits_awarded": "3"})
    (item,) = (await desk.registrar.get(second)).json()["items"]
    said = {"decisions": [YES | {"item_id": item["id"], "credits_awarded": "2"}]}
    assert await desk.registrar.refused(second, "decide", said) == ["recognised_already"]
    await desk.decided(second, YES | {"credits_awarded": "1"})


# ---- signatures
async def test_decision_is_told_when_the_whole_chain_has_signed(desk: Desk, world: World) -> None:
    path = await programme_of(desk, world)
    await desk.registrar.done(path, "set_regulation", {
        "effective_from": "2026-01-01", "overlap_percent": "0", "credits_per_course": "60",
        "signatures": ["registrar", "admin"],
    })  # fmt: skip
    admin = await world.client(ADMIN)
    case = await case_under(desk, world, path)
    assert await desk.second.refused(case, "sign") == ["not_from_this_state"]
    await desk.decided(case, YES)
    assert await desk.coordinator.refused(case, "notify") == ["signed_off"]
    assert await rung(world, "notify", datetime.now(UTC)) == 0
    assert await desk.registrar.refused(case, "sign") == ["another_signs"]
    assert await admin.refused(case, "sign") == ["signs_next"]
    await desk.second.done(case, "sign")
    assert (await desk.registrar.get(case)).json()["sign_off"] == ["admin"]
    await admin.done(case, "send_back", {"reason_code": "outcome_differs"})
    assert (await desk.registrar.get(case)).json()["state"] == "assessing"
    await desk.decided(case, YES)
    await desk.second.done(case, "sign")
    await admin.done(case, "sign")
    assert await admin.refused(case, "sign") == ["signature_wanted"]
    assert await rung(world, "notify") == 1
    events = (await desk.registrar.get(f"{case}/events")).json()["items"]
    assert [e["type"].split(".")[1] for e in events] == [
        "opened", "decided", "signed", "sent_back", "decided", "signed", "signed", "notified",
    ]  # fmt: skip


async def test_case_is_of_the_programme_in_which_its_person_is_enrolled(world: World) -> None:
    from tests.api.studying import Studies
    from tests.api.studying import plain as of

    studies = await Studies.begin(world)
    enrolment = (await studies.c.get(await studies.enrolment())).json()
    made = await result(studies.c, enrolment["person_id"])
    body = {"person_id": enrolment["person_id"], "kind": "transcript", "items": [{"result_id": made, "target": "x"}]}
    case: Client = studies.registrar
    shown = (await case.get(f"/v1/recognition-cases/{(await case.ok('/v1/recognition-cases', body))['id']}")).json()
    assert (shown["programme_id"], shown["sign_off"]) == (of(studies.programme), [])
