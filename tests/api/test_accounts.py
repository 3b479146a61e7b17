"""Signing in, invitations, passwords, keys: who somebody is, and for how long."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import asyncpg
import httpx
import pytest

from service.actions import institutions
from service.domain.actors import ADMIN, COORDINATOR, READER
from tests.conftest import PASSWORD, Client, World

NEW = "a new and much longer passphrase"


async def login(http: httpx.AsyncClient, email: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    return await http.post("/v1/login", json={"email": email, "password": password, **more})


async def test_account_is_invited_and_signs_in_first_by_its_link(world: World) -> None:
    admin = await world.client(ADMIN)
    email = f"wang-{uuid4().hex}@north.example.org"
    made = await admin.ok("/v1/appointments", {"email": email.upper(), "name": "王老师", "roles": ["coordinator"]})
    assert (await login(world.http, email)).status_code == 401
    body = {"secret": made["invitation"], "password": NEW}
    assert (await world.http.post("/v1/invitations/accept", json=body)).status_code == 200
    assert (await world.http.post("/v1/invitations/accept", json=body)).status_code == 404
    signed = await login(world.http, email, NEW)
    assert (signed.status_code, signed.json()["roles"]) == (200, ["coordinator"])
    me = await Client(world.http, signed.json()["access_token"], world.institution).get("/v1/me")
    assert (me.json()["institution"], me.json()["roles"]) == (str(world.institution), ["coordinator"])


async def test_unknown_address_and_wrong_password_look_alike(world: World) -> None:
    email = f"li-{uuid4().hex}@north.example.org"
    await world.client(COORDINATOR, email=email)
    wrong, unknown = (
        await login(world.http, email, "wrong"),
        await login(world.http, "nobody@north.example.org", "wrong"),
    )
    keep = ("type", "title", "status", "reasons")
    assert {k: wrong.json()[k] for k in keep} == {k: unknown.json()[k] for k in keep}
    assert (wrong.status_code, unknown.status_code) == (401, 401)


async def test_account_of_several_institutions_names_one(world: World) -> None:
    email = f"zhao-{uuid4().hex}@north.example.org"
    other = await world.other()
    await world.client(COORDINATOR, email=email)
    await institutions.appoint(world.services, other, email=email, name="赵", roles=[READER])
    both = await login(world.http, email)
    assert (both.status_code, [r["code"] for r in both.json()["reasons"]]) == (409, ["choose_institution"])
    signed = await login(world.http, email, institution=str(other))
    assert (signed.json()["institution"], signed.json()["roles"]) == (str(other), ["reader"])


async def test_password_is_changed_by_the_old_one_and_ends_every_session(world: World) -> None:
    email = f"chen-{uuid4().hex}@north.example.org"
    c = await world.client(COORDINATOR, email=email)
    wrong = await c.post("/v1/me/password", {"password": "wrong", "new_password": NEW})
    assert (wrong.status_code, [r["code"] for r in wrong.json()["reasons"]]) == (409, ["password_known"])
    assert (await c.post("/v1/me/password", {"password": PASSWORD, "new_password": NEW})).status_code == 200
    assert (await c.get("/v1/me")).status_code == 401
    assert (await login(world.http, email)).status_code == 401
    assert (await login(world.http, email, NEW)).status_code == 200


async def test_signing_out_ends_the_session_for_the_next_request(world: World) -> None:
    c = await world.client(COORDINATOR)
    assert (await c.post("/v1/logout")).status_code == 200
    assert (await c.get("/v1/me")).status_code == 401


async def test_appointment_that_ended_is_worth_nothing_for_the_next_request(world: World) -> None:
    admin = await world.client(ADMIN)
    email = f"sun-{uuid4().hex}@north.example.org"
    c = await world.client(COORDINATOR, email=email)
    mine = next(a for a in (await admin.get("/v1/appointments", limit=200)).json()["items"] if a["email"] == email)
    await admin.done(f"/v1/appointments/{mine['id']}", "end")
    assert (await c.get("/v1/me")).status_code == 401
    assert (await login(world.http, email)).status_code == 401


async def test_roles_that_changed_hold_for_the_next_request(world: World) -> None:
    admin = await world.client(ADMIN)
    email = f"zhou-{uuid4().hex}@north.example.org"
    c = await world.client(COORDINATOR, email=email)
    mine = next(a for a in (await admin.get("/v1/appointments", limit=200)).json()["items"] if a["email"] == email)
    edited = await admin.patch(f"/v1/appointments/{mine['id']}", {"roles": ["reader"]}, version=mine["version"])
    assert edited.status_code == 200, edited.text
    assert (await c.get("/v1/me")).json()["roles"] == ["reader"]
    assert (await c.get("/v1/trainees")).status_code == 403


async def test_key_of_a_machine_works_until_it_is_revoked_and_is_kept_as_a_digest(world: World, dsn: str) -> None:
    admin = await world.client(ADMIN)
    email = f"erp-{uuid4().hex}@north.example.org"
    await world.client(COORDINATOR, email=email)
    mine = next(a for a in (await admin.get("/v1/appointments", limit=200)).json()["items"] if a["email"] == email)
    made = (await admin.post("/v1/keys", {"name": "学籍系统", "appointment_id": mine["id"], "days": 30})).json()
    machine = Client(world.http, made["key"], world.institution)
    assert (await machine.get("/v1/trainees")).status_code == 200
    con = await asyncpg.connect(dsn)
    kept = await con.fetch("SELECT * FROM credentials")
    await con.close()
    assert not any(made["key"].split(".")[1] in str(dict(row)) for row in kept)
    assert [k["name"] for k in (await admin.get("/v1/keys")).json()["items"]] == ["学籍系统"]
    assert (await admin.post(f"/v1/keys/{made['id']}/revoke")).status_code == 200
    again = await admin.post(f"/v1/keys/{made['id']}/revoke")
    assert (again.status_code, [r["code"] for r in again.json()["reasons"]]) == (409, ["key_live"])
    assert (await admin.post(f"/v1/keys/{uuid4()}/revoke")).status_code == 404
    told = (await admin.get(f"/v1/appointments/{mine['id']}/events")).json()["items"]
    assert [(e["action"], e["data"].get("key_id")) for e in told] == [
        ("appoint", None), ("make_key", made["id"]), ("revoke_key", made["id"]),
    ]  # fmt: skip
    assert (await machine.get("/v1/trainees")).status_code == 401


@pytest.mark.parametrize("how", ["eyes", "institution", "secret", "scheme", "empty", "huge", "basic"])
async def test_token_that_was_tampered_with_is_none(world: World, how: str) -> None:
    c = await world.client(COORDINATOR)
    other = await world.client(COORDINATOR, institution=await world.other())
    named, secret = c.token.split(".")
    tampered = {
        "eyes": f"Bearer {named.replace('_s_', '_o_')}.{secret}",
        "institution": f"Bearer {other.token.split('.')[0]}.{secret}",
        "secret": f"Bearer {named}.{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}",
        "scheme": c.token,
        "empty": "Bearer ",
        "huge": "Bearer " + "a" * 5000,
        "basic": "Basic dXNlcjpwYXNz",
    }[how]
    answer = await world.http.get("/v1/me", headers={"authorization": tampered})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_signing_in_many_at_once_is_never_an_error(world: World) -> None:
    email = f"wu-{uuid4().hex}@north.example.org"
    await world.client(COORDINATOR, email=email)
    answers = await asyncio.gather(*[login(world.http, email, PASSWORD if n % 2 else "wrong") for n in range(12)])
    assert sorted(a.status_code for a in answers) == [200] * 6 + [401] * 6
