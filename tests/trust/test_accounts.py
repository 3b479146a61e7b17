"""Who may become whom: nobody gives away what is not theirs to give."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest

from service.domain.actors import ADMIN, COORDINATOR
from tests.conftest import PASSWORD, Client, World


async def appointed(client: Client, email: str, *roles: str) -> dict[str, object]:
    return await client.ok("/v1/appointments", {"email": email, "name": "Somebody", "roles": list(roles)})


async def test_account_of_another_institution_is_not_taken_over_by_appointing_it(world: World) -> None:
    ours = await world.client(ADMIN)
    theirs = await world.client(ADMIN, institution=await world.other())
    email = f"director-{uuid4().hex}@south.example.org"
    made = await appointed(theirs, email, "admin")
    assert made["invitation"] is not None
    assert (await appointed(ours, email, "coordinator"))["invitation"] is None


async def test_lost_password_is_reset_by_an_administrator_once(world: World) -> None:
    a = await world.client(ADMIN)
    email = f"wang-{uuid4().hex}@college.example.org"
    made = await appointed(a, email, "coordinator")
    first = {"secret": made["invitation"], "password": "the first password"}
    assert (await world.http.post("/v1/invitations/accept", json=first)).status_code == 200
    path, signing_in = f"/v1/appointments/{made['id']}", {"email": email, "password": "the first password"}
    told = await a.done(path, "reset")
    assert (told["state"], told["version"]) == ("held", 2)
    assert (await world.http.post("/v1/login", json=signing_in)).status_code == 200
    second = {"secret": told["invitation"], "password": "the second password"}
    answers = [(await world.http.post("/v1/invitations/accept", json=second)).status_code for _ in range(2)]
    assert answers == [200, 404]
    answers = [
        (await world.http.post("/v1/login", json=signing_in | {"password": f"the {n} password"})).status_code
        for n in ("first", "second")
    ]
    assert answers == [401, 200]
    coordinator = await world.client(COORDINATOR)
    assert await coordinator.refused(path, "reset", status=403) == ["role"]
    assert [e["action"] for e in (await a.get(path + "/events")).json()["items"]] == ["appoint", "reset"]


async def test_password_of_an_account_that_is_shared_is_reset_by_no_institution(world: World) -> None:
    ours = await world.client(ADMIN)
    theirs = await world.client(ADMIN, institution=await world.other())
    email = f"partner-{uuid4().hex}@south.example.org"
    made = await appointed(theirs, email, "admin")
    path = f"/v1/appointments/{made['id']}"
    assert (await theirs.get(path + "/actions")).json()["actions"][1] | {"inputs": []} == {
        "action": "reset", "label": "Reset the password", "open": True, "to": ["held"], "reasons": [], "inputs": [],
    }  # fmt: skip
    known = await appointed(ours, email, "coordinator")
    await appointed(ours, f"{uuid4().hex}@south.example.org", "coordinator")
    assert await ours.refused(f"/v1/appointments/{known['id']}", "reset") == ["account_ours"]
    assert await theirs.refused(path, "reset") == ["account_ours"]


async def test_coordinator_makes_no_staff(world: World) -> None:
    c = await world.client(COORDINATOR)
    body = {"email": f"me-too-{uuid4().hex}@college.example.org", "name": "Me", "roles": ["admin"]}
    answer = await c.post("/v1/appointments", body)
    assert (answer.status_code, answer.json().get("reasons", [{}])[0].get("code")) == (403, "role"), answer.text
    enterprise = body | {"roles": ["enterprise"], "organisation_id": str(uuid4())}
    assert [r["code"] for r in (await c.post("/v1/appointments", enterprise)).json()["reasons"]] == [
        "organisation_known"
    ]


async def test_appointment_keeps_a_role(world: World) -> None:
    a = await world.client(ADMIN)
    made = await appointed(a, f"clerk-{uuid4().hex}@college.example.org", "coordinator")
    answer = await a.patch(f"/v1/appointments/{made['id']}", {"roles": []}, version=1)
    assert [r["code"] for r in answer.json()["reasons"]] == ["input_required"]
    made_key = await a.post("/v1/keys", {"name": "robot", "appointment_id": made["id"]})
    assert made_key.status_code == 201, made_key.text


async def test_token_of_an_ended_appointment_is_worth_nothing(world: World) -> None:
    a, c = await world.client(ADMIN), await world.client(COORDINATOR)
    mine = (await c.get("/v1/me")).json()["account_id"]
    held = next(i for i in (await a.get("/v1/appointments")).json()["items"] if i["account_id"] == mine)
    await a.done(f"/v1/appointments/{held['id']}", "end")
    assert (await c.get("/v1/me")).status_code == 401
    assert (await c.get("/v1/trainees")).status_code == 401


async def test_token_that_was_tampered_with_is_refused(world: World) -> None:
    t = (await world.client(COORDINATOR)).token
    other_eyes = [t.replace("sj_s_", f"sj_{eyes}_") for eyes in ("o", "p", "x", "", "S")]
    broken = [t[:-1], t + "A", t * 100, t.split(".")[0], "." + t, t.replace(".", ".\xe9"), "", "sj_s__.", "sj_s_AAAA.x"]
    for written in (*other_eyes, *broken, "\x80" + t):
        header = (b"authorization", f"Bearer {written}".encode("latin-1"))
        assert (await world.http.get("/v1/me", headers=[header])).status_code == 401


async def test_token_of_one_institution_opens_no_other(world: World) -> None:
    c = await world.client(COORDINATOR)
    theirs = await world.client(COORDINATOR, institution=await world.other())
    mine, other = c.token.split("."), theirs.token.split(".")
    for mixed in (f"{mine[0]}.{other[1]}", f"{other[0]}.{mine[1]}"):
        assert (await c.http.get("/v1/me", headers={"authorization": f"Bearer {mixed}"})).status_code == 401


async def test_password_is_asked_whatever_else_is_right(world: World) -> None:
    c = await world.client(COORDINATOR, email="who@college.example.org")
    for password in (PASSWORD + "x", PASSWORD.upper(), "x" * 200):
        answer = await c.http.post("/v1/login", json={"email": "who@college.example.org", "password": password})
        assert answer.status_code == 401


@pytest.mark.parametrize("statement", [
    "UPDATE credentials SET expires_at = now() - interval '1 second' WHERE kind = $1",
    "UPDATE credentials SET revoked_at = now() WHERE kind = $1",
    "UPDATE appointments SET ended_at = now() WHERE sight <> $1",
    "UPDATE accounts SET disabled_at = now() WHERE name <> $1",
])  # fmt: skip
async def test_token_is_worth_nothing_from_the_moment_on(world: World, dsn: str, statement: str) -> None:
    c = await world.client(COORDINATOR)
    assert (await c.get("/v1/me")).status_code == 200
    con = await asyncpg.connect(dsn)
    await con.execute("SET session_replication_role = replica")
    await con.execute(statement, "session")
    await con.close()
    assert [(await c.get(path)).status_code for path in ("/v1/me", "/v1/trainees")] == [401, 401]
    assert (await c.post("/v1/relationships", {})).status_code == 401


async def test_disabled_account_does_not_sign_in(world: World, dsn: str) -> None:
    body = {"email": "wang@college.example.org", "password": PASSWORD}
    await world.client(COORDINATOR, email=body["email"])
    con = await asyncpg.connect(dsn)
    await con.execute("UPDATE accounts SET disabled_at = now()")
    await con.close()
    assert (await world.http.post("/v1/login", json=body)).status_code == 401


async def test_link_is_worth_nothing_after_its_days(world: World, dsn: str) -> None:
    a = await world.client(ADMIN)
    made = await appointed(a, "wang@college.example.org", "coordinator")
    con = await asyncpg.connect(dsn)
    await con.execute("UPDATE invitations SET expires_at = now() - interval '1 second'")
    await con.close()
    body = {"secret": made["invitation"], "password": "the first password"}
    assert (await world.http.post("/v1/invitations/accept", json=body)).status_code == 404
