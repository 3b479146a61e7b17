"""Packs over HTTP: what is there, what a new version changes, whom it would block; and checklists with their days."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic_core import from_json, to_json

from service.actions import packs
from service.actions.packs import candidate, placed, told_outcome
from service.actions.work import Call, Services
from service.domain.actors import COORDINATOR, ENTERPRISE, THE_SYSTEM, TRAINEE
from service.domain.requirements import (
    GATES,
    OnTheWay,
    Outcome,
    day_of_stage,
    due_on,
    from_day,
    good_from,
    outcome,
    unmet,
)
from service.domain.requirements.facts import RequirementFacts
from service.domain.requirements.model import Validity
from service.domain.requirements.rehearsing import Blocked
from service.storage import candidacies, placements
from service.storage.pack_library import learn_of
from service.storage.packs import parse_pack, shipped_files, shipped_packs
from tests.conftest import World
from tests.domain.test_requirements import row
from tests.placed import DAY, Stage


def plain(path: str) -> str:
    return path.rsplit("/", 1)[1]


def version(pin: str = "jp-ssw1@1", number: int = 2) -> dict[str, Any]:
    """The next version as a client would write it: a row more, one less, one stricter."""
    content = deepcopy(shipped_files()[pin])
    content["version"] = number
    rows = {r["key"]: r for r in content["requirements"]}
    rows["japanese_test"]["asks"]["alternatives"][0]["levels"] = ["N3", "N2", "N1"]
    rows["medical_examination"]["validity"][0]["count"] = 2
    content["requirements"].remove(rows["photo"])
    tax = {
        "key": "tax_certificate",
        "title": "Tax certificate",
        "instead": ["tax_statement"],
        "waivable_by": ["coordinator"],
    }
    content["requirements"].append(rows["employment_contract"] | tax | {"needed_before": "visa"})
    return content


# ---- what is there, and what differs
async def test_packs_are_listed_with_their_rows_and_sources(world: World) -> None:
    c = await world.client(COORDINATOR)
    listed = (await c.get("/v1/packs")).json()["items"]
    assert [p["pin"] for p in listed] == sorted(p.pin for p in shipped_packs())
    (only,) = (await c.get("/v1/packs/jp-esd/versions")).json()["items"]
    assert (only["valid_from"], only["content"]) == ("2027-04-01", shipped_files()["jp-esd@1"])
    assert (await c.get("/v1/packs/nothing/versions")).status_code == 404
    assert (await c.get("/v1/packs/%00/versions")).status_code in (400, 404)


async def test_difference_is_told_row_by_row(world: World) -> None:
    c = await world.client(COORDINATOR)
    found = await c.ok("/v1/packs/difference", {"content": version()})
    assert {n: [r["key"] for r in found[n]] for n in ("added", "dropped", "changed")} == {
        "added": ["tax_certificate"], "dropped": ["photo"], "changed": ["japanese_test", "medical_examination"],
    }  # fmt: skip
    (changed,) = [r for r in found["changed"] if r["key"] == "medical_examination"]
    assert [(f["name"], f["before"][0]["count"], f["after"][0]["count"]) for f in changed["fields"]] == [
        ("validity", 3, 2)
    ]
    assert (found["before"], found["after"], found["pack"]) == ("jp-ssw1@1", "jp-ssw1@2", [])
    same = await c.ok("/v1/packs/difference", {"content": shipped_files()["jp-ssw1@1"]})
    assert (same["added"], same["dropped"], same["changed"]) == ([], [], [])


async def test_faulty_version_is_refused_with_every_place(world: World) -> None:
    c = await world.client(COORDINATOR)
    content = version() | {"valid_from": "soon", "luck": 1}
    content["requirements"][0]["evidence"] = "hearsay"
    for path, more in (("difference", {}), ("rehearsal", {"from_on": "2027-06-01"})):
        answer = await c.post(f"/v1/packs/{path}", {"content": content, **more})
        assert answer.status_code == 409
        assert [(r["pointer"], r["code"]) for r in answer.json()["reasons"]] == [
            ("/content/valid_from", "pack_date"), ("/content/requirements/0/evidence", "pack_value_unknown"),
            ("/content/luck", "pack_field_unknown"),
        ]  # fmt: skip
    unknown = await c.post("/v1/packs/difference", {"content": version() | {"key": "mars"}})
    assert [r["code"] for r in unknown.json()["reasons"]] == ["pack_version_known"]
    old = await c.post("/v1/packs/rehearsal", {"content": version(number=1), "from_on": "2027-06-01"})
    assert [r["code"] for r in old.json()["reasons"]] == ["pack_version_newer"]


# ---- a rehearsal
async def population(house: Stage) -> list[str]:
    """Placements at several stages and of two pathways, and candidates of whom one is pinned."""
    paths = [await house.placement(), await house.placement("de_18a", "CN", "DE"), await house.placement()]
    await house.hand_in(paths[2], "collect_documents")
    await house.coordinator.done(paths[2], "collect_documents", {"agency_contract": "service"})
    early = await house.placement(planned_departure_on=house.today + 10 * DAY)
    request = await house.request("jp_ssw1", "JP")
    days = {"planned_departure_on": house.today + 40 * DAY, "starts_on": house.today + 45 * DAY}
    for name, day in days.items():
        await house.sql(f"UPDATE placement_requests SET {name} = $2 WHERE id = $1", request, day)
    pins = ["jp-ssw1@1", "cn-dispatch@1", "fair-recruitment@1"]
    for state, more in (("nominated", {"pins": pins}), ("identified", {})):
        person = await house.person()
        await house.put("candidacies", **house._item(state, person_id=person, request_id=request, **more))
    return [*paths, early]


async def everybody(services: Services, institution: UUID) -> list[OnTheWay]:
    """Whoever is on the way, each read alone."""
    call = Call(institution, "test", trusted=THE_SYSTEM)
    people: list[OnTheWay] = []
    async with services.database.connection() as con:
        for table, facts in (("candidacies", candidacies.FACTS), ("placements", placements.FACTS)):
            await con.execute(f"SELECT set_config('app.institution', '{institution}', false)")
            for (id_,) in await con.fetch(f"SELECT id FROM {table}"):
                records = await facts.statement(None).records(
                    con, institution=institution, ids=[id_], route="", key="", evidence=[], with_last=False,
                    **call.credentials(),
                )  # fmt: skip
                await learn_of(con, institution, records)
                dossier: Any = facts.dossier(records[0])
                who = candidate(dossier) if table == "candidacies" else placed(id_, dossier)
                people += [who] if who else []
    return sorted(people, key=lambda w: w.id)


async def people_of(house: Stage) -> dict[UUID, OnTheWay]:
    """The same, by their ids."""
    return {w.id: w for w in await everybody(house.world.services, house.world.institution) if w.state != "accepted"}


def lines_of(before: OnTheWay, after: OnTheWay) -> list[dict[str, Any]]:
    """The gates that another version of the packs has closed for somebody, from every row of both, recomputed."""
    gates = []
    stages = after.ahead if after.kind == "candidacy" else [s for s in after.packs.stages if s in after.ahead]
    for stage in stages:
        on = max(day_of_stage(stage, after.facts) or after.today, after.today)
        had = {(u.key, u.code) for u in unmet(before.packs.requirements, GATES[stage], on, before.facts)}
        now = [u for u in unmet(after.packs.requirements, GATES[stage], on, after.facts) if (u.key, u.code) not in had]
        if now:
            gates.append(Blocked(stage, on, tuple(now)))
    whole = told_outcome(after, Outcome(after.packs, tuple(gates)))["gates"]
    return list(from_json(to_json(whole)))


async def one_by_one(services: Services, institution: UUID, content: Any, from_on: date) -> list[dict[str, Any]]:
    """What a rehearsal would tell, with every row judged."""
    library = (*shipped_packs(), from_day(parse_pack(content), from_on))
    found = [(who, outcome(who, library)) for who in await everybody(services, institution)]
    return [told_outcome(who, o) for who, o in found if o is not None and o.blocked]


async def test_rehearsal_equals_recomputation_one_by_one(house: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = await population(house)
    content, from_on = version(), house.today + 20 * DAY
    body = {"content": content, "from_on": str(from_on)}
    whole = await house.coordinator.ok("/v1/packs/rehearsal", body)
    assert (whole["looked_at"], whole["affected"], whole["next"]) == (6, 4, None)
    assert {i["id"] for i in whole["items"] if i["kind"] == "placement"} == {plain(paths[0]), plain(paths[2])}
    expected = await one_by_one(house.world.services, house.world.institution, content, from_on)
    assert whole["items"] == [i for i in from_json(to_json(expected)) if i["state"] != "accepted"]
    # In small steps, and in small chunks, it says the same.
    monkeypatch.setattr(packs, "CHUNK", 2)
    stepwise, after = [], None
    while True:
        page = await house.coordinator.ok("/v1/packs/rehearsal", body | {"limit": 3, "after": after})
        stepwise += page["items"]
        after = page["next"]
        if after is None:
            break
    assert stepwise == whole["items"]


async def test_rehearsal_names_gate_day_rows_and_ways_out(house: Stage) -> None:
    path = await house.placement()
    found = await house.coordinator.ok("/v1/packs/rehearsal", {"content": version(), "from_on": str(house.today)})
    (one,) = found["items"]
    assert (one["id"], one["pins"][0], one["no_pack"]) == (plain(path), "jp-ssw1@2", None)
    planned = str(house.today + 30 * DAY)
    assert [(g["stage"], g["on"], [r["key"] for r in g["rows"]]) for g in one["gates"]] == [
        ("visa", planned, ["tax_certificate"])
    ]
    (tax,) = one["gates"][0]["rows"]
    assert (tax["code"], tax["owed_by"], tax["saved_by"]) == (
        "requirement_missing", ["enterprise"],
        [{"hand_in": "tax_certificate"}, {"hand_in": "tax_statement"}, {"waive": ["coordinator"]}],
    )  # fmt: skip
    # What saves them: handed in and accepted, the rehearsal is empty. Nobody asks for it yet, so it is put there.
    await house.put(
        "requirement_items",
        **house._item(
            "accepted", stream_id=one["person_id"], person_id=one["person_id"], subject_kind="placement",
            subject_id=one["id"], key="tax_statement", documents=[], value={},
        ),
    )  # fmt: skip
    again = await house.coordinator.ok("/v1/packs/rehearsal", {"content": version(), "from_on": str(house.today)})
    assert (again["affected"], again["items"]) == (1, [])


async def test_rehearsal_of_a_pack_that_no_longer_takes_them(house: Stage) -> None:
    await house.placement()
    body = {"content": version() | {"nationalities": ["VN"]}, "from_on": str(house.today)}
    found = await house.coordinator.ok("/v1/packs/rehearsal", body)
    assert found["items"] == []  # the older version is in force still for who may not come under the new one
    assert found["affected"] == 0
    enterprise = await house.party(ENTERPRISE)
    assert (await enterprise.post("/v1/packs/rehearsal", body)).status_code == 403
    elsewhere = await house.world.client(COORDINATOR, institution=await house.world.other())
    assert (await elsewhere.ok("/v1/packs/rehearsal", body | {"content": version()}))["looked_at"] == 0


# ---- checklists
async def test_checklist_says_by_when_and_what_serves_instead(house: Stage) -> None:
    path = await house.placement()
    rows = {r["key"]: r for r in (await house.coordinator.get(path + "/checklist")).json()["items"]}
    leaves, starts = house.today + 30 * DAY, house.today + 40 * DAY
    assert rows["certificate_of_eligibility"]["due_on"] == str(leaves)
    assert rows["photo"]["due_on"] == str(leaves)
    assert date.fromisoformat(rows["photo"]["good_from_on"]) <= leaves - timedelta(days=180)
    assert rows["japanese_test"]["alternatives"] == [
        {"item": None, "test": "jlpt", "levels": ["N4", "N3", "N2", "N1"], "min_score": None},
        {"item": None, "test": "jft_basic", "levels": [], "min_score": 200},
    ]
    home = await house.placement("home_hire", "TH", "TH")
    rows = {r["key"]: r for r in (await house.coordinator.get(home + "/checklist")).json()["items"]}
    assert rows["medical_fitness"]["due_on"] == str(starts)


async def test_checklists_of_many_equal_each_alone(house: Stage) -> None:
    paths = [await house.placement(), await house.placement("de_18a", "CN", "DE"), await house.placement()]
    c = house.coordinator
    alone = {plain(p): (await c.get(p + "/checklist")).json() for p in paths}
    many = (await c.get("/v1/checklists")).json()["items"]
    assert {m["id"]: {k: m[k] for k in ("id", "pins", "planned_on", "items")} for m in many} == alone
    first = (await c.get("/v1/checklists", limit=2)).json()
    second = (await c.get("/v1/checklists", limit=2, after=first["next"])).json()
    assert [i["id"] for i in (*first["items"], *second["items"])] == sorted(alone)
    german = (await c.get("/v1/checklists", pathway="de_18a", owed_by="agency", still_open="true")).json()["items"]
    assert [i["id"] for i in german] == [plain(paths[1])]
    assert {o for r in german[0]["items"] for o in r["owed_by"]} >= {"agency"}
    assert {r["state"] for r in german[0]["items"]} == {"missing"}


async def test_checklists_show_each_their_own(house: Stage) -> None:
    mine, _ = await house.placement(), await house.placement()
    trainee, employer = await house.party(TRAINEE, mine), await house.party(ENTERPRISE)
    assert [i["id"] for i in (await trainee.get("/v1/checklists")).json()["items"]] == [plain(mine)]
    seen = (await employer.get("/v1/checklists")).json()["items"]
    assert "person" not in {r["subject"] for i in seen for r in i["items"]}
    elsewhere = await house.world.client(COORDINATOR, institution=await house.world.other())
    assert (await elsewhere.get("/v1/checklists")).json() == {"items": [], "next": None}


async def test_pathway_preview_tells_what_changes_and_what_is_still_good(house: Stage) -> None:
    path, c = await house.placement("de_18a", "CN", "DE"), house.coordinator
    await house.hand_in(path, "collect_documents", "apply_authorisation")
    seen = (await c.get(path + "/pathway", pathway="de_16d3")).json()
    assert (seen["added"], seen["dropped"]) == (
        ["german_test", "german_test_nursing", "recognition_partnership", "stay_cap", "two_year_training", "zab_information"],
        ["licence_to_practise", "recognition_notice"],
    )  # fmt: skip
    assert seen["changed"] == []
    assert {"diploma", "employment_contract", "worker_contract"} <= set(seen["still_good"])
    assert not set(seen["still_good"]) & set(seen["added"]) - {"stay_cap"}


async def test_waivers_are_listed_with_who_approved_and_why(house: Stage) -> None:
    path, c = await house.placement("home_hire", "TH", "TH"), house.coordinator
    person = (await house.of(path))["person_id"]
    given = {"subject_id": person, "key": "credential_legalised", "reason_code": "authority_order"}
    made = await c.ok("/v1/requirement-items/waive", given)
    account = (await c.get("/v1/me")).json()["account_id"]
    (item,) = (await c.get("/v1/requirement-items", state="waived")).json()["items"]
    told = (item["id"], item["key"], item["waived_by"], item["waived_because"])
    assert told == (made["id"], "credential_legalised", account, "authority_order")
    (waiver,) = (await c.get("/v1/waivers")).json()["items"]
    assert waiver | {"waived_at": None, "approver": None} == {
        "id": made["id"], "version": 1, "subject_kind": "person", "subject_id": person, "person_id": person,
        "key": "credential_legalised", "waived_because": "authority_order", "approver_id": account, "approver": None,
        "waived_on": str(house.today), "waived_at": None, "evidence": [], "pins": None,
    }  # fmt: skip
    assert waiver["approver"]
    other = await house.placement()
    await c.ok("/v1/requirement-items/supply", {"subject_id": person, "key": "graduation_certificate"})
    wanted: tuple[tuple[dict[str, Any], int], ...] = (
        ({"placement_id": plain(path)}, 1), ({"placement_id": plain(other)}, 0), ({"pin": "home-hire@1"}, 1),
        ({"pin": "jp-ssw1@1"}, 0), ({"waived_from": str(house.today)}, 1), ({"approver_id": person}, 0),
        ({"waived_until": str(house.today - DAY)}, 0), ({"sort": "waived_on"}, 1),
    )  # fmt: skip
    for asked, many in wanted:
        assert len((await c.get("/v1/waivers", **asked)).json()["items"]) == many, asked
    file = (await c.get("/v1/waivers/export", format="csv")).text.splitlines()
    assert ("approver_id" in file[0], account in file[1], len(file)) == (True, True, 2)
    assert (await (await house.party(TRAINEE, path)).get("/v1/waivers")).status_code == 403
    elsewhere = await house.world.client(COORDINATOR, institution=await house.world.other())
    assert (await elsewhere.get("/v1/waivers")).json()["items"] == []
    await c.done(f"/v1/requirement-items/{made['id']}", "correct", {"note": "the employer asks"})
    assert (await c.get("/v1/waivers")).json()["items"] == []
    assert (await c.get("/v1/requirement-items", state="waived")).json()["items"] == []
    never = await c.post("/v1/requirement-items/waive", given | {"key": "medical_fitness"})
    assert [r["code"] for r in never.json()["reasons"]] == ["waivable"]


async def test_calendar_of_china_names_holidays_and_worked_weekends(world: World) -> None:
    c = await world.client(COORDINATOR)
    found = (await c.get("/v1/calendars/CN", year=2026)).json()
    assert {"on": "2026-10-01", "name": "National Day"} in found["holidays"]
    assert found["working_weekends"] == [
        "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
    ]  # fmt: skip
    assert (found["evidence"], found["country"], found["year"]) == ("secondary", "CN", 2026)
    assert [(await c.get(f"/v1/calendars/{x}", year=2026)).status_code for x in ("XX", "cn")] == [404, 404]
    assert (await c.get("/v1/calendars/CN", year=1)).status_code == 422


# ---- days
def test_due_and_first_good_day_of_issue() -> None:
    facts = RequirementFacts(planned_departure_on=date(2027, 5, 31), starts_on=date(2027, 6, 5))
    counted = row(validity=(Validity("months_from_issue", 3),))
    assert (due_on([counted], facts), good_from([counted], facts)) == (date(2027, 5, 31), date(2027, 3, 1))
    at_work = row(needed_before="active", validity=(Validity("days_from_issue", 30),))
    assert (due_on([at_work], facts), good_from([at_work], facts)) == (date(2027, 6, 5), date(2027, 5, 6))
    assert due_on([at_work, counted], facts) == date(2027, 5, 31)
    assert (due_on([row(needed_before="always")], facts), good_from([row()], facts)) == (None, None)
    assert due_on([counted], RequirementFacts()) is None
