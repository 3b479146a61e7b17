"""A foreign id looks exactly like a missing one: wherever the document lets an id stand, through the eyes of every role.

    SOJOURN_ISOLATION=whole pytest tests/api/test_isolation.py   # all of it by every role

Two walls hold it, and each is shown alone: with row-level security switched off, and with the scope taken out of every
statement. With both gone the same questions find what is foreign: they would tell.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from service.domain.actors import ADMIN, COORDINATOR, ENTERPRISE, INSTRUCTOR, SIGHTS, SYSTEM, TRAINEE, Role, Sight
from service.domain.permissions import PERMISSIONS
from service.storage.database import Statement
from service.storage.scopes import TAUGHT
from service.storage.tables.columns import SHARED
from service.storage.walls import tenant_tables
from tests.conftest import PASSWORD, Client, World
from tests.furnished import furnish, restore
from tests.isolation import Document, Ids, Place, Told, at_once, send, told

ROLES = [r for r in Role if r is not SYSTEM]
WHOLE = os.environ.get("SOJOURN_ISOLATION") == "whole"
IDENTITIES = {
    "relationships_create body /organisation_id", "consents_create body /recipient_id",
    "consents_bulk_request body /recipient_id", "courses_create body /owner_id",
    "appointments_create body /organisation_id",
}  # fmt: skip
"""Where an institution may name an organisation that it has nothing to do with yet: identities are shared (ADR 8)."""


@pytest.fixture
async def plain(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that looks at no answer: rows that were written past every check may break what reads them."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://sojourn.test") as http:
        yield http


async def client_of(world: World, role: Role, ids: Ids, http: httpx.AsyncClient) -> Client:
    """Somebody with that role, tied to the furniture of the institution."""
    more: dict[str, Any] = {}
    if SIGHTS[role] is Sight.PERSON:
        more["person_ids"] = (ids["trainees"],)
    if SIGHTS[role] is Sight.ORGANISATION:
        more["organisation_id"] = ids["organisations"]
    return replace(await world.client(role, **more), http=http)


@dataclass
class Apart:
    """Two institutions with a row in every table, and somebody of the first who asks."""

    document: Document
    client: Client
    own: dict[str, UUID]
    foreign: dict[str, UUID]
    dsn: str
    answers: dict[str, Told] = field(default_factory=dict)

    @classmethod
    async def of(cls, world: World, dsn: str, role: Role, document: Document, http: httpx.AsyncClient) -> Apart:
        own = await furnish(dsn, world.institution)
        foreign = await furnish(dsn, await world.other())
        return cls(document, await client_of(world, role, own, http), own, foreign, dsn)

    async def ask(self, place: Place, item: UUID) -> Told:
        known = {str(i) for ids in (self.own, self.foreign) for i in ids.values()}
        answer = await send(self.client, self.document.request(place.asked, self.own, place, item))
        return told(answer, known, item)

    async def pair(self, place: Place) -> tuple[Told, Told]:
        return await self.ask(place, self.foreign[place.table]), await self.ask(place, uuid4())

    async def differing(self, places: Sequence[Place]) -> dict[str, tuple[Told, Told]]:
        """Places where what is foreign is answered otherwise than what is missing."""
        pairs = await at_once([partial(self.pair, place) for place in places])
        found: dict[str, tuple[Told, Told]] = {}
        for place, (foreign, missing) in zip(places, pairs, strict=True):
            pair = foreign, missing
            if foreign != missing or missing[0] >= 500:  # others at the same row, or a rush: once more, and alone
                await restore(self.dsn, self.own)
                pair = await self.pair(place)
            self.answers[str(place)] = pair[1]
            found |= {str(place): pair} if pair[0] != pair[1] else {}
        return found

    async def telling(self, places: Sequence[Place]) -> set[str]:
        """Places where what is the institution's own is answered otherwise than what is missing."""
        asked = [p for p in places if not p.asked.streams]
        answers = await at_once([partial(self.ask, place, self.own[place.table]) for place in asked])
        return {str(p) for p, answer in zip(asked, answers, strict=True) if answer != self.answers[str(p)]}


def asked_of(document: Document, role: Role) -> list[Place]:
    """Every place; in the everyday run one role alone asks what is looked up where it is for another operation.

    That is the bodies of acts on many, lists as files, and evidence, which may stand in every body.
    """
    found = list(document.places())
    if WHOLE or role is COORDINATOR:
        return found
    return [
        p
        for p in found
        if p.where == "path"
        or not (p.asked.path.endswith("/export") or "/bulk/" in p.asked.path or p.pointer.endswith("/evidence/0"))
    ]


def reads_all(role: Role, place: Place) -> bool:
    """Whether it is a plain read of an item by one of the staff who may read all of them."""
    table = place.asked.table
    is_item = place.where == "path" and place.asked.method == "GET" and place.asked.path.count("/") == 3
    may = SIGHTS[role] is Sight.STAFF and role in PERMISSIONS.get(f"{table.replace('training_', '')}.read", ())
    return is_item and may and not (role is INSTRUCTOR and table in TAUGHT)


@pytest.mark.parametrize("role", ROLES)
async def test_foreign_looks_like_missing(
    world: World, dsn: str, document: Document, plain: httpx.AsyncClient, role: Role
) -> None:
    apart = await Apart.of(world, dsn, role, document, plain)
    places = asked_of(document, role)
    differing = await apart.differing([p for p in places if str(p) not in IDENTITIES])
    assert differing == {}
    in_path = {str(p): apart.answers[str(p)][0] for p in places if p.where == "path"}
    assert {name: status for name, status in in_path.items() if status not in (403, 404)} == {}
    assert {name: a for name, a in apart.answers.items() if a[0] >= 500} == {}
    # The questions are such that something of one's own is answered otherwise.
    await restore(dsn, apart.own)
    asked = [p for p in places if WHOLE or role is COORDINATOR or (p.where == "path" and p.asked.method == "GET")]
    telling = await apart.telling([p for p in asked if str(p) not in IDENTITIES])
    assert [str(p) for p in asked if reads_all(role, p) and str(p) not in telling] == []
    assert len(telling) > (600 if role is COORDINATOR else 5), len(telling)
    if role is ADMIN:  # who may read most: there it is 404, and not a closed door that hides it
        reads = [p for p in places if reads_all(role, p)]
        assert len(reads) > 10
        assert {in_path[str(p)] for p in reads} == {404}


async def test_only_the_identity_of_an_organisation_is_told(
    world: World, dsn: str, document: Document, plain: httpx.AsyncClient
) -> None:
    places = {str(p): p for p in document.places() if str(p) in IDENTITIES}
    assert places.keys() == IDENTITIES
    assert {p.table for p in places.values()} == {"organisations"} <= SHARED
    apart = await Apart.of(world, dsn, COORDINATOR, document, plain)
    differing = await apart.differing(list(places.values()))
    assert {code for _, missing in differing.values() for code in re.findall(r'"code":"(\w+_known)"', missing[1])} == {
        "organisation_known"
    }


async def test_sign_in_to_a_foreign_institution_is_like_that_to_none(world: World) -> None:
    await world.client(COORDINATOR, email="wang@college.example.org")
    body = {"email": "wang@college.example.org", "password": PASSWORD}
    wheres = [await world.other(), uuid4()]
    answers = [await world.http.post("/v1/login", json=body | {"institution": str(i)}) for i in wheres]
    assert answers[0].status_code == 401
    assert told(answers[0]) == told(answers[1])


# ---- each wall alone
_SCOPE = re.compile(r"(\w+)\.institution_id = \$\d+::UUID")


@pytest.fixture
def without_scopes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement without its own scope: row-level security is all that is left."""
    kept: Any = Statement.__dict__["sql"]

    def sql(statement: Statement[Any]) -> str:
        return _SCOPE.sub(r"\1.institution_id IS NOT NULL", kept.__get__(statement))

    monkeypatch.setattr(Statement, "sql", property(sql, kept.__set__))


async def _without_policies(dsn: str) -> None:
    """Every table without row-level security: the scope of the statements is all that is left."""
    con = await asyncpg.connect(dsn)
    for table in tenant_tables():
        await con.execute(f"ALTER TABLE {table.name} DISABLE ROW LEVEL SECURITY")
    await con.close()


def _few(document: Document) -> list[Place]:
    """Reads, and what a birth is born from: enough to tell whether a wall stands."""
    births = [
        p for p in document.places() if p.where == "body" and "{" not in p.asked.path and p.pointer.count("/") == 1
    ]
    return [p for p in document.places() if p.asked.method == "GET"] + [p for p in births if str(p) not in IDENTITIES]


@pytest.mark.parametrize("role", [COORDINATOR, ENTERPRISE])
async def test_row_level_security_holds_alone(
    world: World, dsn: str, document: Document, plain: httpx.AsyncClient, without_scopes: None, role: Role
) -> None:
    apart = await Apart.of(world, dsn, role, document, plain)
    assert await apart.differing(_few(document)) == {}


@pytest.mark.parametrize("role", [COORDINATOR, ENTERPRISE])
async def test_scopes_hold_alone(
    world: World, dsn: str, document: Document, plain: httpx.AsyncClient, role: Role
) -> None:
    await _without_policies(dsn)
    apart = await Apart.of(world, dsn, role, document, plain)
    assert await apart.differing(_few(document)) == {}


async def test_without_both_walls_it_would_tell(
    world: World, dsn: str, document: Document, plain: httpx.AsyncClient, without_scopes: None
) -> None:
    apart = await Apart.of(world, dsn, ADMIN, document, plain)
    await _without_policies(dsn)
    reads = [p for p in document.places() if reads_all(ADMIN, p)]
    assert (await apart.differing(reads)).keys() == {str(p) for p in reads}


# ---- what others have changes nothing
@pytest.mark.parametrize("role", [COORDINATOR, TRAINEE, ENTERPRISE])
async def test_answers_do_not_change_with_what_others_have(
    world: World, dsn: str, document: Document, plain: httpx.AsyncClient, role: Role
) -> None:
    own = await furnish(dsn, world.institution)
    client = await client_of(world, role, own, plain)
    reads = [a for a in document.operations if a.method == "GET" and not a.streams]

    async def answers() -> dict[str, Told]:
        found = await at_once([partial(send, client, document.request(a, own)) for a in reads])
        for n, (a, answer) in enumerate(zip(reads, found, strict=True)):
            if answer.status_code >= 500:  # a rush: once more, and alone
                found[n] = await send(client, document.request(a, own))
        return {a.name: told(answer) for a, answer in zip(reads, found, strict=True)}

    await answers()  # what an organisation is shown is noted once
    before = await answers()
    assert sum(1 for status, *_ in before.values() if status == 200) > 10
    for _ in range(2):
        elsewhere = await world.other()
        await furnish(dsn, elsewhere)
        stranger = await world.client(COORDINATOR, institution=elsewhere)
        for n in range(3):
            body = {
                "name_native": f"王伟{n}",
                "name_latin": f"WANG, WEI {n}",
                "birth_on": "2004-05-06",
                "nationality": "CN",
            }
            await stranger.ok("/v1/trainees", body)
    after = await answers()
    assert {name: (told_, after[name]) for name, told_ in before.items() if told_ != after[name]} == {}
