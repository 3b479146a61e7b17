"""Trainees over HTTP: people of any script, whose numbers nobody reads without a purpose."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import structlog
from fastapi import FastAPI

from service.actions.timers import ring
from service.actions.trainees import TIMERS
from service.api.edge import edge
from service.domain.actors import (
    ADMIN,
    COORDINATOR,
    ENTERPRISE,
    GUARDIAN,
    INSTRUCTOR,
    READER,
    REGISTRAR,
    TRAINEE,
    Role,
)
from service.domain.values import Passport, check_digit, country_of, write_mrz
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import TODAY, Client, World

NUMBER = "E73940182"
IDENTITY = "44030620040506771X"
PASSPORT = Passport(
    issuing_state="CHN",
    surname="WANG",
    given_names="WEI",
    number=NUMBER,
    nationality="CHN",
    birth_on=date(2004, 5, 6),
    sex="M",
    expires_on=date(TODAY.year + 5, 1, 31),
)
WANG = {
    "name_native": "王伟",
    "name_latin": "WANG, WEI",
    "sex": "male",
    "birth_on": "2004-05-06",
    "nationality": "CN",
}
GUARDIAN_BODY = {"name": "王强", "relation": "father", "phone": "+8613800000000"}


def mrz(passport: Passport = PASSPORT) -> dict[str, str]:
    line1, line2 = write_mrz(passport)
    return {"line1": line1, "line2": line2}


def of(passport: Passport, **more: Any) -> dict[str, Any]:
    return WANG | {"birth_on": passport.birth_on.isoformat(), "nationality": country_of(passport.nationality)} | more


async def registered(c: Client, **more: Any) -> str:
    return f"/v1/trainees/{(await c.ok('/v1/trainees', WANG | more))['id']}"


@pytest.mark.parametrize(
    ("native", "latin", "country"),
    [
        ("欧阳娜娜", "OUYANG, NANA", "CN"),
        ("สมชาย ใจดี", "JAIDEE, SOMCHAI", "TH"),
        ("សុខ សុភា", "SOK, SOPHEA", "KH"),
        ("Дарья Ёлкина", "ELKINA, DARIA", "RU"),
        ("O'Brien-Ng\u200bë", "OBRIEN-NG, E", "IE"),
    ],
)
async def test_trainee_of_any_script_comes_back_as_written(world: World, native: str, latin: str, country: str) -> None:
    c = await world.client(COORDINATOR)
    path = await registered(c, name_native=native, name_latin=latin, nationality=country)
    shown = (await c.get(path)).json()
    assert (shown["name_native"], shown["name_latin"], shown["stage"]) == (native, latin, "prospect")
    found = (await c.get("/v1/trainees", name=native)).json()["items"]
    assert [r["id"] for r in found] == [shown["id"]]
    assert [r["id"] for r in (await c.get("/v1/trainees", name=latin.lower())).json()["items"]] == [shown["id"]]


async def test_trainees_are_sorted_by_how_their_names_sound(world: World) -> None:
    c = await world.client(COORDINATOR)
    for name in ("张三", "Anna", "李娜", "白雪", "Дарья"):
        await registered(c, name_native=name)
    first = (await c.get("/v1/trainees", sort="name", limit=2)).json()
    rest = (await c.get("/v1/trainees", sort="name", limit=3, after=first["next"])).json()
    assert [r["name_native"] for r in first["items"] + rest["items"]] == ["Anna", "白雪", "李娜", "张三", "Дарья"]
    assert rest["next"] is None


# ---- passports
async def test_passport_is_read_and_shut_away(world: World) -> None:
    c = await world.client(COORDINATOR)
    path = await registered(c, passport_mrz=mrz(), identity_no=IDENTITY, guardian=GUARDIAN_BODY)
    shut = {"masked": True, "reason": "purpose_needed"}
    item = (await c.get(path)).json()
    listed = (await c.get("/v1/trainees")).json()["items"][0]
    for shown in (item, listed):
        assert (shown["passport"], shown["identity_no"], shown["guardian"]) == (shut, shut, shut)
        assert (shown["passport_country"], shown["passport_expires_on"]) == ("CN", PASSPORT.expires_on.isoformat())
    bare = (await c.get(await registered(c, name_native="李娜"))).json()
    assert (bare["passport"], bare["identity_no"], bare["guardian"], bare["passport_country"]) == (None,) * 4
    opened = await c.post(path + "/sealed", {"purpose": "visa application"})
    assert opened.headers["cache-control"] == "no-store"
    assert opened.json() == {
        "id": item["id"],
        "passport": {"number": NUMBER, "surname": "WANG", "given_names": "WEI", "mrz": list(mrz().values())},
        "identity_no": IDENTITY,
        "guardian": GUARDIAN_BODY,
    }


@pytest.fixture
async def logged_http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """The application with its edge, which writes a line for each request."""
    transport = httpx.ASGITransport(edge(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://sojourn.test") as client:
        yield client


WRONG = {
    9: ["number_check_digit_wrong", "composite_check_digit_wrong"],
    19: ["birth_on_check_digit_wrong", "composite_check_digit_wrong"],
    27: ["expires_on_check_digit_wrong", "composite_check_digit_wrong"],
    42: ["personal_number_check_digit_wrong", "composite_check_digit_wrong"],
    43: ["composite_check_digit_wrong"],
}


@pytest.mark.parametrize("place", WRONG)
async def test_passport_with_a_wrong_check_digit_is_refused_and_told_nowhere(
    world: World, logged_http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, place: int
) -> None:
    c = replace(await world.client(COORDINATOR), http=logged_http)
    lines = mrz(replace(PASSPORT, personal_number="A10998"))
    right = lines["line2"]
    lines["line2"] = right[:place] + str((int(right[place]) + 1) % 10) + right[place + 1 :]
    with structlog.testing.capture_logs() as logs, caplog.at_level(logging.DEBUG):
        answer = await c.post("/v1/trainees", WANG | {"passport_mrz": lines, "identity_no": IDENTITY})
    assert answer.status_code == 409
    assert [(r["code"], r["pointer"]) for r in answer.json()["reasons"]] == [
        (code, "/passport_mrz/line2") for code in WRONG[place]
    ]
    assert [line["event"] for line in logs] == ["request"]
    told = answer.text + repr(dict(answer.headers)) + repr(logs) + caplog.text
    for secret in (NUMBER, "A10998", IDENTITY, right[:12], "王伟"):
        assert secret not in told
    assert (await c.get("/v1/trainees")).json()["items"] == []


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"line1": "SHORT"}, "line_length_wrong", "/passport_mrz/line1"),
        ({"line2": NUMBER + "王" * 35}, "character_not_allowed", "/passport_mrz/line2"),
        ({"line1": "V<" + write_mrz(PASSPORT)[0][2:]}, "document_type_not_passport", "/passport_mrz/line1"),
    ],
)
async def test_passport_that_cannot_be_read_is_refused_without_its_words(
    world: World, changed: dict[str, str], code: str, pointer: str
) -> None:
    c = await world.client(COORDINATOR)
    c.headers["accept-language"] = "zh"
    answer = await c.post("/v1/trainees", WANG | {"passport_mrz": mrz() | changed})
    assert (answer.status_code, [(r["code"], r["pointer"]) for r in answer.json()["reasons"]]) == (
        409,
        [(code, pointer)],
    )
    assert answer.json()["reasons"][0]["text"] != code
    assert NUMBER not in answer.text


async def test_passport_of_somebody_else_is_refused(world: World) -> None:
    c = await world.client(COORDINATOR)
    for body, code in (
        (WANG | {"birth_on": "2004-05-07"}, "passport_birth_date_same"),
        (WANG | {"nationality": "TH"}, "passport_nationality_same"),
    ):
        answer = await c.post("/v1/trainees", body | {"passport_mrz": mrz()})
        assert [r["code"] for r in answer.json()["reasons"]] == [code]


async def test_passport_and_identity_number_name_one_person_in_an_institution(world: World) -> None:
    c = await world.client(COORDINATOR)
    await registered(c, passport_mrz=mrz(), identity_no=IDENTITY)
    twice = await c.post("/v1/trainees", WANG | {"passport_mrz": mrz()})
    spaced = await c.post("/v1/trainees", WANG | {"identity_no": IDENTITY.lower()})
    for answer, rule in ((twice, "passport_index"), (spaced, "identity_index")):
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
        assert [r["code"] for r in answer.json()["reasons"]] == [f"trainees_institution_id_{rule}_key"]
        assert NUMBER not in answer.text
    assert len((await c.get("/v1/trainees")).json()["items"]) == 1
    elsewhere = await world.client(COORDINATOR, institution=await world.other())
    assert (await elsewhere.post("/v1/trainees", WANG | {"passport_mrz": mrz()})).status_code == 201


async def test_dump_of_the_database_shows_no_number(world: World, dsn: str) -> None:
    c = await world.client(COORDINATOR)
    body = {"passport_mrz": mrz(), "identity_no": IDENTITY, "guardian": GUARDIAN_BODY}
    path = await registered(c, **body, note="passport seen by the desk")
    assert (await c.post(path + "/sealed", {"purpose": "visa application"})).status_code == 200
    con = await asyncpg.connect(dsn)
    tables = await con.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    dump = ""
    for table in tables:
        rows = await con.fetch(f'SELECT row_to_json(t)::text AS row FROM "{table["relname"]}" t')
        dump += "\n".join(r["row"] for r in rows)
    await con.close()
    assert "王伟" in dump
    line1, line2 = write_mrz(PASSPORT)
    for secret in (NUMBER, NUMBER[1:], line2[:20], IDENTITY, "王强", "13800000000", "passport seen by the desk"):
        assert secret not in dump
        assert secret.encode().hex() not in dump
    assert line1 not in dump


# ---- opening
async def test_opening_needs_a_purpose_and_stays_on_record_for_the_trainee(world: World) -> None:
    c, registrar = await world.client(COORDINATOR), await world.client(REGISTRAR)
    path = await registered(c, passport_mrz=mrz())
    trainee = await world.client(TRAINEE, person_ids=(path.rsplit("/", 1)[1],))
    for body in ({}, {"purpose": ""}, {"purpose": "x" * 301}):
        assert (await c.post(path + "/sealed", body)).status_code == 422
    for role in (INSTRUCTOR, ADMIN, READER):
        other = await world.client(role)
        refused = await other.post(path + "/sealed", {"purpose": "curiosity"})
        assert (refused.status_code, [r["code"] for r in refused.json()["reasons"]]) == (403, ["role"])
    for who, purpose in ((c, "visa application"), (registrar, "查验证件")):
        assert (await who.post(path + "/sealed", {"purpose": purpose})).status_code == 200
    me = [(await who.get("/v1/me")).json()["account_id"] for who in (registrar, c)]
    log = (await trainee.get(path + "/openings")).json()["items"]
    assert [(o["account_id"], o["purpose"]) for o in log] == list(
        zip(me, ("查验证件", "visa application"), strict=True)
    )
    assert log[0]["fields"] == ["passport", "identity_no", "guardian"]


# ---- minors
async def test_minor_needs_a_guardian(world: World) -> None:
    c = await world.client(COORDINATOR)
    child = WANG | {"birth_on": f"{TODAY.year - 16}-01-01"}
    answer = await c.post("/v1/trainees", child)
    assert (answer.status_code, [(r["code"], r["pointer"]) for r in answer.json()["reasons"]]) == (
        409,
        [("minor_has_guardian", "/guardian")],
    )
    assert (await c.post("/v1/trainees", child | {"guardian": GUARDIAN_BODY})).status_code == 201


# ---- ids of other systems
async def test_external_ids_find_one_person(world: World) -> None:
    c = await world.client(COORDINATOR)
    ids = [{"system": "student", "value": "2026-001"}, {"system": "partner", "value": "ก-17"}]
    path = await registered(c, external_ids=ids)
    assert (await c.get(path)).json()["external_ids"] == sorted(ids, key=lambda i: i["system"])
    found = await c.get("/v1/external-ids", system="partner", value="ก-17")
    assert found.json() == {"id": path.rsplit("/", 1)[1]}
    for system, value in (("partner", "2026-001"), ("student", "nobody")):
        assert (await c.get("/v1/external-ids", system=system, value=value)).status_code == 404
    taken = await c.post("/v1/trainees", WANG | {"external_ids": ids[:1]})
    assert [r["code"] for r in taken.json()["reasons"]] == ["external_ids_pkey"]
    elsewhere = await world.client(COORDINATOR, institution=await world.other())
    assert (await elsewhere.get("/v1/external-ids", **ids[0])).status_code == 404
    assert (await elsewhere.post("/v1/trainees", WANG | {"external_ids": ids[:1]})).status_code == 201


# ---- availability and the timeline
async def test_availability_leads_into_the_pool_and_out_again(world: World) -> None:
    c = await world.client(COORDINATOR)
    path = await registered(c)
    trainee = await world.client(TRAINEE, person_ids=(path.rsplit("/", 1)[1],))
    assert await trainee.refused(path, "end_availability") == ["is_available"]
    days = {"available_from": TODAY.isoformat(), "available_until": (TODAY + timedelta(days=90)).isoformat()}
    late = {"available_until": (TODAY + timedelta(days=367)).isoformat()}
    assert await trainee.refused(path, "confirm_availability", days | late) == ["out_of_bounds"]
    await trainee.done(path, "confirm_availability", days)
    shown = (await c.get(path)).json()
    assert {k: shown[k] for k in ("stage", "available_from", "available_until")} == {"stage": "pool"} | days
    assert [r["id"] for r in (await c.get("/v1/trainees", stage="pool")).json()["items"]] == [shown["id"]]
    await trainee.done(path, "end_availability", {"note": "found work at home"})
    assert (await c.get(path)).json()["stage"] == "prospect"
    timeline = (await trainee.get(path + "/timeline")).json()["items"]
    assert [(e["type"], e["data"]) for e in timeline] == [
        ("trainee.registered", {}),
        ("trainee.availability_confirmed", days),
        ("trainee.availability_ended", {}),
    ]
    assert [e["note"] for e in (await c.get(path + "/events")).json()["items"]] == [None, None, "found work at home"]


async def test_availability_that_ran_out_is_ended_by_the_clock(world: World) -> None:
    c = await world.client(COORDINATOR)
    path = await registered(c)
    until = TODAY + timedelta(days=30)
    await c.done(
        path, "confirm_availability", {"available_from": TODAY.isoformat(), "available_until": until.isoformat()}
    )
    last_day = datetime(until.year, until.month, until.day, 10, tzinfo=UTC)
    rung = [
        await ring(world.services, TIMERS[0], world.institution, at=last_day + timedelta(days=n)) for n in (0, 1, 2)
    ]
    assert rung == [0, 1, 0]
    shown = (await c.get(path)).json()
    assert (shown["stage"], shown["available_until"]) == ("prospect", None)


# ---- edits
async def test_edit_needs_the_version_that_was_read(world: World) -> None:
    c = await world.client(COORDINATOR)
    path = await registered(c)
    read = await c.get(path)
    headers = {"authorization": f"Bearer {c.token}", "idempotency-key": uuid4().hex}
    blind = await c.http.patch(path, json={"phone": "+8613800000001"}, headers=headers)
    assert blind.status_code == 428
    edited = await c.http.patch(
        path, json={"phone": "+8613800000001"}, headers=headers | {"if-match": read.headers["etag"]}
    )
    assert (edited.status_code, edited.json()["version"]) == (200, 2)
    assert (await c.patch(path, {"phone": "+8613800000002"}, version=1)).status_code == 412
    assert (await c.get(path)).json()["phone"] == "+8613800000001"
    assert (await c.get(path)).headers["etag"] != read.headers["etag"]


async def test_edit_names_fields_and_never_values(world: World) -> None:
    c = await world.client(COORDINATOR)
    path = await registered(c)
    body = {"email": "wei@example.org", "passport_mrz": mrz(), "external_ids": [{"system": "student", "value": "77"}]}
    assert (await c.patch(path, body, version=1)).status_code == 200
    event = (await c.get(path + "/events")).json()["items"][-1]
    assert (event["type"], event["data"]) == (
        "trainee.edited",
        {"fields": ["email", "external_ids", "passport_mrz"]},
    )
    shown = (await c.get(path)).json()
    assert (shown["email"], shown["external_ids"]) == ("wei@example.org", body["external_ids"])


async def test_edit_sets_right_who_somebody_is_by_staff_alone(world: World) -> None:
    c = await world.client(COORDINATOR)
    path = await registered(c, passport_mrz=mrz())
    trainee = await world.client(TRAINEE, person_ids=(path.rsplit("/", 1)[1],))
    unit = (await (await world.client(ADMIN)).ok("/v1/units", {"name_native": "护理系", "name_latin": "Nursing"}))["id"]
    refused = await trainee.patch(path, {"name_native": "王維", "phone": "+8613800000009"}, version=1)
    assert [(r["code"], r["pointer"]) for r in refused.json()["reasons"]] == [
        ("identity_kept_by_staff", "/name_native")
    ]
    assert (await trainee.patch(path, {"phone": "+8613800000009"}, version=1)).status_code == 200
    for body, code in (
        ({"birth_on": "2004-06-05"}, "passport_follows"),
        ({"unit_id": str(uuid4())}, "unit_known"),
        ({"birth_on": f"{TODAY.year - 15}-01-01", "passport_mrz": mrz()}, "minor_has_guardian"),
    ):
        reasons = (await c.patch(path, body, version=2)).json()["reasons"]
        assert reasons[0]["code"] == code
    renamed = await c.patch(path, {"name_native": "阿维", "unit_id": unit}, version=2)
    assert renamed.status_code == 200, renamed.text
    await registered(c, name_native="白雪")
    assert [r["name_native"] for r in (await c.get("/v1/trainees", sort="name")).json()["items"]] == ["阿维", "白雪"]
    twin = replace(PASSPORT, birth_on=date(2004, 6, 5))
    body = {"birth_on": "2004-06-05", "passport_mrz": mrz(twin)}
    assert (await c.patch(path, body, version=3)).status_code == 200


# ---- whose eyes
async def test_trainee_of_another_institution_looks_like_none(world: World) -> None:
    c = await world.client(COORDINATOR)
    path = await registered(c, passport_mrz=mrz())
    stranger = await world.client(COORDINATOR, institution=await world.other())
    told = []
    for where in (path, f"/v1/trainees/{uuid4()}"):
        answers = [
            await stranger.get(where),
            await stranger.get(where + "/timeline"),
            await stranger.get(where + "/openings"),
            await stranger.post(where + "/sealed", {"purpose": "curiosity"}),
            await stranger.patch(where, {"phone": "+8613800000001"}, version=1),
        ]
        hidden = ("request_id", "instance")
        told.append([(a.status_code, {k: v for k, v in a.json().items() if k not in hidden}) for a in answers])
    assert told[0] == told[1]
    assert [status for status, _ in told[0]] == [404] * 5
    assert (await stranger.get("/v1/trainees")).json() == {"items": [], "next": None}


@pytest.mark.parametrize("role", [TRAINEE, GUARDIAN])
async def test_people_see_only_their_own(world: World, role: Role) -> None:
    c = await world.client(COORDINATOR)
    mine, theirs = await registered(c), await registered(c, name_native="李娜", passport_mrz=mrz())
    person = await world.client(role, person_ids=(mine.rsplit("/", 1)[1],))
    assert [f"/v1/trainees/{r['id']}" for r in (await person.get("/v1/trainees")).json()["items"]] == [mine]
    assert (await person.get(mine)).status_code == 200
    for answer in (
        await person.get(theirs),
        await person.get(theirs + "/timeline"),
        await person.get(theirs + "/openings"),
        await person.post(theirs + "/sealed", {"purpose": "curiosity"}),
        await person.patch(theirs, {"phone": "+8613800000001"}, version=1),
    ):
        assert answer.status_code == 404
    refused = await person.post("/v1/trainees", WANG | {"name_native": "李雷"})
    assert (refused.status_code, [r["code"] for r in refused.json()["reasons"]]) == (403, ["role"])


async def test_trainees_are_no_business_of_enterprises_and_readers(world: World) -> None:
    c = await world.client(COORDINATOR)
    await registered(c)
    organisation = (await c.ok("/v1/relationships", ENTERPRISE_BODY))["created"]["organisation"]
    for client in (await world.client(ENTERPRISE, organisation_id=organisation), await world.client(READER)):
        assert (await client.get("/v1/trainees")).status_code == 403


def test_check_digits_of_the_specimen() -> None:
    """The specimen of Doc 9303 part 4, appendix A: what our own passports here are made with."""
    assert [check_digit(text) for text in ("L898902C3", "740812", "120415", "ZE184226B<<<<<")] == ["6", "2", "9", "1"]
