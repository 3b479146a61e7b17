"""Correction requests over HTTP: filed by the person, answered by a day, linked with the act that corrected it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from service.actions import institutions
from service.domain.actors import ADMIN, COORDINATOR, ENTERPRISE, INSTRUCTOR, REGISTRAR, TRAINEE
from service.domain.requirements import add_months
from tests.api.test_documents import person, upload
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.api.test_tasks import tasks
from tests.conftest import TODAY, World

RIGHT = "Нурлан"
WRONG = "Моё имя — Нурлан, а не Нурлон"
PATH = "/v1/correction-requests"


async def test_wrong_name_is_corrected_by_an_act_that_is_named(world: World, dsn: str) -> None:
    c, registrar = await world.client(COORDINATOR), await world.client(REGISTRAR)
    who = await person(c, name_native="Нурлон", name_latin="NURLON", nationality="KZ")
    trainee = await world.client(TRAINEE, person_ids=(who,))
    paper = (await upload(trainee, person_id=who, kind="identity")).json()["id"]
    body = {"person_id": who, "subject": "trainee", "field": "name_native", "wrong": WRONG, "right": RIGHT}
    made = await trainee.ok(PATH, body | {"evidence": [paper]})
    path = f"{PATH}/{made['id']}"
    shown = (await trainee.get(path)).json()
    due = str(TODAY + timedelta(days=15))
    assert shown | {"source": None} == {
        "id": made["id"], "version": 1, "state": "filed", "since_on": str(TODAY), "person_id": who,
        "subject": "trainee", "subject_id": who, "field": "name_native", "wrong": WRONG, "right": RIGHT,
        "documents": [paper], "filed_on": str(TODAY), "due_on": due, "overdue": False, "rule": "pipl_correction",
        "source": None, "corrected_by": None, "refused_because": None, "remedies": None,
    }  # fmt: skip
    assert (shown["source"]["evidence"], shown["source"]["pack"]) == ("unverified", "rights@1")
    again = await trainee.post(PATH, body)
    assert (again.status_code, again.json()["reasons"][0]["code"]) == (409, "correction_requests_one_open")
    waits = [(t["task"], t["about"], t["due_on"], t["person_id"]) for t in await tasks(registrar)]
    assert waits == [("answer_correction", "name_native", due, who)]
    early = await registrar.patch(f"/v1/trainees/{who}", {"phone": "+77010000000"}, version=1)
    await registrar.done(path, "accept")
    assert [t["task"] for t in await tasks(c, person_id=who) if t["subject"] == "correction_request"] == [
        "make_correction"
    ]
    settle = {"action_id": early.json()["action_id"]}
    assert await registrar.refused(path, "settle", settle) == ["correcting_act_field"]
    assert await registrar.refused(path, "settle", {"action_id": str(uuid4())}) == ["correcting_act_known"]
    act = (await registrar.patch(f"/v1/trainees/{who}", {"name_native": RIGHT}, version=2)).json()["action_id"]
    await registrar.done(path, "settle", {"action_id": act})
    done = (await trainee.get(path)).json()
    assert (done["state"], done["corrected_by"]) == ("corrected", act)
    assert await tasks(registrar) == []
    timeline = (await trainee.get(f"/v1/trainees/{who}/timeline")).json()["items"]
    told = [(e["action"], e["data"]) for e in timeline if e["subject"] == "correction_request"]
    assert [a for a, _ in told] == ["file", "accept", "settle"]
    assert told[2][1] == {"corrected_by": act}
    assert [e["action"] for e in timeline if e["action_id"] == act] == ["edit"]
    assert RIGHT not in str(timeline)
    import asyncpg

    con = await asyncpg.connect(dsn)
    stored = await con.fetchval("SELECT said_sealed FROM correction_requests")
    await con.close()
    assert RIGHT.encode() not in stored


async def test_refusal_is_read_with_its_words_and_where_to_complain(world: World) -> None:
    c = await world.client(COORDINATOR)
    who = await person(c)
    trainee = await world.client(TRAINEE, person_ids=(who,))
    certificate = await c.ok("/v1/certificates", {"person_id": who, "kind": "other", "issuer": "人社局"})
    body = {"person_id": who, "subject": "certificate", "subject_id": certificate["id"], "wrong": "发证机关不对"}
    path = f"{PATH}/{(await trainee.ok(PATH, body | {'field': 'issuer', 'right': '教育局'}))['id']}"
    assert await c.refused(path, "refuse", {"reason_code": "evidence_missing"}, status=422) == ["missing"]
    await c.done(path, "refuse", {"reason_code": "evidence_missing", "note": "请附上证书扫描件"})
    trainee.headers["accept-language"] = "zh"
    shown = (await trainee.get(path)).json()
    assert (shown["state"], shown["refused_because"]) == ("refused", "evidence_missing")
    assert shown["remedies"].startswith("您可以向履行个人信息保护职责的部门投诉")
    assert (await trainee.get(path + "/events")).json()["items"][-1]["note"] == "请附上证书扫描件"
    second = f"{PATH}/{(await trainee.ok(PATH, body))['id']}"
    assert (await trainee.done(second, "withdraw"))["state"] == "withdrawn"
    assert await c.refused(second, "correct", {"note": "-"}, status=409) == ["correctable"]


async def test_answer_takes_two_months_longer_where_the_law_allows_it(world: World) -> None:
    """In Germany it may, once, with words that the person reads; in China no law says so."""
    there = await institutions.found(
        world.services,
        name_native="Berufskolleg Nord",
        name_latin="Berufskolleg Nord",
        country="DE",
        time_zone="Europe/Berlin",
    )
    today = datetime.now(ZoneInfo("Europe/Berlin")).date()
    for where, reasons in ((there, []), (world.institution, ["extension_by_law"])):
        c = await world.client(REGISTRAR, COORDINATOR, institution=where)
        who = await person(c, name_native="Дарья Ёлкина")
        trainee = await world.client(TRAINEE, person_ids=(who,), institution=where)
        made = await trainee.ok(
            PATH, {"person_id": who, "subject": "trainee", "field": "origin", "wrong": "не тот город"}
        )
        path = f"{PATH}/{made['id']}"
        said = {"reason_code": "many_requests", "note": "Нам нужно больше времени."}
        if reasons:
            assert await c.refused(path, "extend", said) == reasons
            continue
        first = date.fromisoformat((await trainee.get(path)).json()["due_on"])
        await c.done(path, "extend", said)
        shown = (await trainee.get(path)).json()
        assert (shown["state"], shown["due_on"], shown["since_on"]) == ("filed", str(add_months(first, 2)), str(today))
        told = (await trainee.get(path + "/events")).json()["items"][-1]
        assert (told["action"], told["note"], told["reason_code"]) == ("extend", said["note"], "many_requests")
        assert await c.refused(path, "extend", said) == ["not_extended_yet"]


async def test_request_is_no_business_of_others(world: World) -> None:
    c, instructor, admin = [await world.client(r) for r in (COORDINATOR, INSTRUCTOR, ADMIN)]
    who, neighbour = await person(c, name_native="สมชาย ใจดี"), await person(c, name_latin="LI, NA")
    mine, theirs = [await world.client(TRAINEE, person_ids=(p,)) for p in (who, neighbour)]
    body: dict[str, Any] = {"person_id": who, "subject": "trainee", "wrong": "ชื่อผิด"}
    path = f"{PATH}/{(await mine.ok(PATH, body))['id']}"
    tie = (await c.ok("/v1/relationships", ENTERPRISE_BODY))["created"]["organisation"]
    enterprise = await world.client(ENTERPRISE, organisation_id=tie)
    stranger = await world.client(COORDINATOR, institution=await world.other())
    for client in (instructor, admin, enterprise):
        assert (await client.get(path)).status_code == 403
    for client in (theirs, stranger):
        assert (await client.get(path)).status_code == 404
        assert (await client.post(path + "/withdraw", version=1)).status_code == 404
        assert (await client.get(PATH)).json()["items"] == []
        assert (await client.post(PATH, body)).status_code == 404
    paper = (await upload(mine, person_id=who)).json()["id"]
    own = {"person_id": neighbour, "subject": "document", "subject_id": paper, "wrong": "x"}
    for subject_id in (paper, str(uuid4())):
        refused = await theirs.post(PATH, own | {"subject_id": subject_id})
        assert (refused.status_code, refused.json()["reasons"][0]["code"]) == (409, "correction_subject_known")
    assert (await theirs.post(PATH, own | {"evidence": [paper], "subject": "trainee"})).status_code == 409
