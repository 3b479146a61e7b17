"""What strangers send: nothing makes a 5xx, nothing is echoed, what is accepted comes back as it was sent."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx

from service.domain.actors import ADMIN, COORDINATOR
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.api.test_training import Staff, person
from tests.conftest import Client, World
from tests.jobs import JOB

CANARY = "Zyxwv Canary 4711"


async def send(c: Client, method: str, path: str, content: bytes, **headers: str) -> httpx.Response:
    told = {"authorization": f"Bearer {c.token}", "content-type": "application/json", "idempotency-key": uuid4().hex}
    return await c.http.request(method, path, content=content, headers=told | headers)


TRAINEE = {"name_native": "王伟", "name_latin": "WANG, WEI", "birth_on": "2004-05-06", "nationality": "CN"}


def told(**more: Any) -> bytes:
    return json.dumps(TRAINEE | more).encode()


async def test_strange_documents_are_refused_in_our_words(world: World) -> None:
    c = await world.client(COORDINATOR)
    good = told().decode()
    quoted = json.dumps("王伟")
    bodies = {
        "nul": told(name_native=CANARY + "\x00"),
        "surrogate": good.replace(quoted, f'"{CANARY}\\ud800"').encode(),
        "raw surrogate": good.replace(quoted, '"\\udfff\\ud800"').encode(),
        "long": told(name_native=CANARY + "x" * 1_000_000),
        "deep": b"[" * 5000 + b"]" * 5000,
        "deeper": b'{"a":' * 15000 + b"1" + b"}" * 15000,
        "twice": (good[:-1] + f', "name_native": "{CANARY}"}}').encode(),
        "nan": good.replace('"CN"', "NaN").encode(),
        "infinity": good.replace('"CN"', "-Infinity").encode(),
        "huge": good.replace('"CN"', str(2**63)).encode(),
        "digits": good.replace('"CN"', "9" * 5000).encode(),
        "utf16": good.encode("utf-16"),
        "bom": good.encode("utf-8-sig"),
        "latin": b'{"name_native": "\xe9"}',
        "nothing": b"",
        "null": b"null",
        "list": b"[]",
        "unknown": told(**{CANARY: CANARY}),
        "true as text": told(name_native=True),
        "day 0": told(birth_on="0000-01-01"),
        "year 1": told(birth_on="0001-01-01"),
        "year 9999": told(birth_on="9999-12-31"),
        "a number as a day": told(birth_on="1735689600"),
        "full width": told(birth_on="２００４-05-06"),
    }
    for name, body in bodies.items():
        answer = await send(c, "POST", "/v1/trainees", body)
        assert 400 <= answer.status_code < 500, (name, answer.status_code, answer.text[:300])
        assert answer.headers["content-type"] == "application/problem+json", name
        assert CANARY not in answer.text, name
    assert (await c.get("/v1/trainees")).json()["items"] == []


async def test_numbers_come_back_as_they_were_written_or_not_at_all(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("planned")
    body = {"name": "Test", "max_mark": "100", "pass_mark": "60", "weight": "1", "required": True}
    digits = ("１００", "١٠٠", "1_00", " 100", "1e2", "+100", "-0", "0x64", "1e400", "1" * 40, "1" * 15)
    for strange in (*digits, "NaN", "Infinity"):
        answer = await s.i.act(klass, "set_assessment", body | {"max_mark": strange})
        assert answer.status_code == (409 if strange == "-0" else 422), (strange, answer.text)


async def test_instants_at_the_ends_of_time_are_refused(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("planned", time_zone="Asia/Shanghai")
    for starts, ends in (
        ("0001-01-01T00:00:00+14:00", "0001-01-01T01:00:00+14:00"),
        ("9999-12-31T22:00:00-12:00", "9999-12-31T23:00:00-12:00"),
        ("9999-12-31T22:00:00Z", "9999-12-31T23:59:59.999999Z"),
    ):
        answer = await s.i.act(klass, "schedule_sessions", {"sessions": [{"starts_at": starts, "ends_at": ends}]})
        assert answer.status_code in (409, 422), (starts, answer.status_code, answer.text)


async def test_lists_name_a_thing_once(world: World) -> None:
    s = await Staff.of(world)
    klass = await s.klass("running")
    (m,) = await s.join(klass, await person(s.c))
    (held,) = await s.held(klass, [m], "present")
    member = m.rsplit("/", 1)[1]
    mark = {"membership_id": member, "kind": "present"}
    answer = await s.i.act(klass, "take_attendance", {"session_id": held, "marks": [mark, mark]})
    assert answer.status_code == 409, answer.text
    answer = await s.i.act(klass, "cancel_sessions", {"session_ids": [held, held]})
    assert answer.status_code == 409, answer.text


async def test_addresses_that_lead_nowhere(world: World) -> None:
    c = await world.client(COORDINATOR)
    for path in (
        "/v1/relationships/%00", "/v1/relationships/%ff", "/v1/relationships/..%2f", "/v1/%00", "/%00", "/v1//x",
        f"/v1/relationships/{uuid4()}%00", "/v1/relationships/" + "a" * 3000, "/v1/lifecycles/%00", "/v1/codes/%00",
        "/v1/trainees?after=%00", "/v1/trainees?after=é", "/v1/trainees?after=AAAA", "/v1/trainees?limit=1&limit=2",
        "/v1/trainees?limit=9223372036854775808", "/v1/trainees?limit=０", "/v1/trainees?limit=-1",
        "/v1/trainees?limit=true", "/v1/trainees?Zyxwv=1", "/v1/trainees?state=%00", "/v1/trainees?state=%ED%A0%80",
        "/v1/trainees?include=actions&include=actions", "/v1/relationships?state=" + "x" * 5000,
        "/v1/events?after=9223372036854775808", "/v1/events?after=-1", "/v1/search?q=%00",
        "/v1/placements?ends_until=9999-99-99", "/v1/placements?ends_until=0001-01-01",
    ):  # fmt: skip
        answer = await c.http.get(path, headers={"authorization": f"Bearer {c.token}"})
        assert answer.status_code < 500, (path, answer.status_code)
        assert answer.status_code == 200 or answer.headers["content-type"] == "application/problem+json", path
    for method in ("HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PROPFIND", "CONNECT"):
        for path in ("/v1/trainees", "/v1/nowhere", "/", "/v1/login"):
            answer = await c.http.request(method, path, headers={"authorization": f"Bearer {c.token}"})
            assert answer.status_code < 500, (method, path)


async def test_headers_of_any_kind(world: World) -> None:
    c = await world.client(COORDINATOR)
    for name, value in (
        ("accept-language", b"\xff\xfe"), ("accept-language", b"zh;q=abc, en;q=1.0001," * 200), ("accept-language", b","),
        ("accept-language", b"zh-" + b"a" * 5000), ("if-none-match", b"\xff"), ("content-type", b"\xff/\xff"),
        ("accept", b"image/png"), ("x-request-id", b"\xff"), ("range", b"bytes=0-1"), ("host", b"evil.example"),
        ("x-forwarded-host", b"evil.example"), ("origin", b"https://evil.example"), ("accept-encoding", b"\xff"),
    ):  # fmt: skip
        answer = await c.http.get(
            "/v1/trainees", headers=[(b"authorization", f"Bearer {c.token}".encode()), (name.encode(), value)]
        )
        assert answer.status_code < 500, (name, value)
        assert "evil.example" not in answer.text + str(answer.headers), name
    for media in ("text/plain", "application/xml", "", "application/json; charset=utf-16", "multipart/form-data"):
        answer = await send(c, "POST", "/v1/trainees", told(), **{"content-type": media})
        assert answer.status_code in (201, 400, 415), (media, answer.status_code)


async def test_texts_come_back_byte_for_byte(world: World) -> None:
    c = await world.client(ADMIN)
    texts = ("e\u0301", "\u00e9", " padded ", "ﬁ", "\u202ertl", "𠮷野家", "👩‍👩‍👧", "a\tb", "\u2028", "'; DROP--")
    for n, text in enumerate(texts):
        made = await c.ok("/v1/units", {"name_native": text, "name_latin": f"U{n}"})
        assert (await c.get(f"/v1/units/{made['id']}")).json()["name_native"] == text


async def test_what_is_not_declared_is_refused_by_its_place(world: World) -> None:
    c = await world.client(COORDINATOR)
    made = f"/v1/relationships/{(await c.ok('/v1/relationships', ENTERPRISE_BODY))['id']}"
    for path in ("/v1/trainees", "/v1/relationships", made, "/v1/me", made + "/events"):
        answer = await c.get(path, Zyxwv="1")
        assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (422, "extra_forbidden"), path
    for said in ({"state": "verified"}, {"version": 7}, {"institution_id": str(uuid4())}, {"id": str(uuid4())}):
        answer = await c.post("/v1/relationships", ENTERPRISE_BODY | said)
        assert [(r["code"], r["pointer"]) for r in answer.json()["reasons"]] == [
            ("extra_forbidden", f"/{next(iter(said))}")
        ]
    answer = await send(c, "POST", "/v1/trainees", told(name_native="a\x00b"))
    assert [(r["code"], r["pointer"]) for r in answer.json()["reasons"]] == [("text_unprintable", "/name_native")]


async def test_types_are_taken_as_they_are(world: World) -> None:
    c = await world.client(COORDINATOR)
    body = {**JOB, "organisation_id": str(uuid4())}
    for seats in ("2", "２", True, 2.0, 2.5, None, [2], 2**31, 2**63):
        answer = await c.post("/v1/placement-requests", body | {"seats": seats})
        assert answer.status_code == 422, seats
        assert {r["pointer"] for r in answer.json()["reasons"]} == {"/seats"}, seats
    for flag in ("true", 1, 0, "yes"):
        answer = await c.post("/v1/placement-requests", body | {"no_fee_for_workers": flag})
        assert {r["pointer"] for r in answer.json()["reasons"]} == {"/no_fee_for_workers"}, flag


async def test_brackets_are_counted_before_they_are_read(world: World) -> None:
    c = await world.client(COORDINATOR)
    many = b'{"a": [' + b"[]," * 20_000 + b"[]]}"
    assert (await send(c, "POST", "/v1/trainees", many)).status_code == 413
    assert (await send(c, "POST", "/v1/trainees", many.replace(b"[],", b"", 2000))).status_code == 422
