"""One person's whole journey, told over HTTP alone: every step with an illegal move and one that lacks something.

The service's clock is the real one, and a journey takes years. So it is told as an office tells it that types in its
files: each step with the day on which it happened, counted back from today.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx

from service.domain.actors import (
    ADMIN,
    COORDINATOR,
    INSTRUCTOR,
    REGISTRAR,
    SIGHTS,
    Role,
    Sight,
)
from tests.conftest import PASSWORD, TODAY, Client, World

Body = dict[str, Any]
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def day(offset: int) -> str:
    """A day counted from today."""
    return (TODAY + timedelta(days=offset)).isoformat()


def tail(path: str) -> str:
    """The id in a path."""
    return path.rsplit("/", 1)[1]


@dataclass(frozen=True)
class No:
    """A move that must be refused: another action or input, or somebody else; and the codes of its reasons."""

    codes: tuple[str, ...]
    action: str | None = None
    body: Body | None = None
    by: Client | None = None
    status: int = 409


def illegal(action: str, *codes: str, by: Client | None = None, status: int = 409, **body: Any) -> No:
    """A move that the state, or who asks, does not allow."""
    return No(codes or ("not_from_this_state",), action, body, by, status)


def lacking(*codes: str, by: Client | None = None, status: int = 409, **body: Any) -> No:
    """The same move, without what it needs."""
    return No(codes, None, body, by, status)


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, as they were on the wire."""

    method: str
    path: str
    body: Any
    status: int
    answer: Any


@dataclass(frozen=True)
class Plot:
    """What is different between the journeys: who, where to, by which pathway."""

    name_native: str
    name_latin: str
    nationality: str
    born: date
    language: Body
    """The certificate of language: test, level, issuer."""
    employer: Body
    agency: Body | None
    job: Body
    terms: Body
    papers: tuple[tuple[str, str, str], ...] = ()
    """What the request needs before it is approved: the requirement's key, its item, and who hands it in."""
    stages: int = 1
    """Stages of the programme."""


@dataclass
class Story:
    """One person, everybody who takes part in their journey, and what was said."""

    world: World
    dsn: str
    plot: Plot
    today: int = 0
    seen: list[Exchange] = field(default_factory=list)
    told: dict[str, Exchange] = field(default_factory=dict)
    admin: Client = field(init=False, repr=False)
    coordinator: Client = field(init=False, repr=False)
    second: Client = field(init=False, repr=False)
    registrar: Client = field(init=False, repr=False)
    instructor: Client = field(init=False, repr=False)
    trainee: Client = field(init=False, repr=False)
    clerk: Client = field(init=False, repr=False)
    agent: Client = field(init=False, repr=False)
    person: str = ""
    employer: str = ""
    agency: str | None = None
    tie: str = ""
    programme: str = ""
    course: str = ""
    enrolment: str = ""
    request: str = ""
    candidacy: str = ""
    placement: str = ""

    # ---- how it is told
    async def listen(self, response: httpx.Response) -> None:
        """Keep what went over the wire."""
        await response.aread()
        asked = response.request
        form = asked.headers.get("content-type", "").startswith("multipart/")
        self.seen.append(
            Exchange(
                asked.method,
                asked.url.raw_path.decode(),
                None if form or not asked.content else httpx.Response(200, content=asked.content).json(),
                response.status_code,
                response.json() if "json" in response.headers.get("content-type", "") else None,
            )
        )

    def tell(self, name: str) -> None:
        """Keep the last exchange for the page of docs/ that tells the story."""
        self.told[name] = self.seen[-1]

    def on(self, offset: int) -> None:
        """From here on, what happens happened on this day, counted from today."""
        self.today = offset

    def dated(self, body: Body | None) -> Body:
        """What is said, with the day on which it happened."""
        return {"occurred_on": day(self.today)} | (body or {})

    async def stage(self) -> str:
        """Where the person is in their journey."""
        return str((await self.coordinator.get(f"/v1/trainees/{self.person}")).json()["stage"])

    async def never(self, path: str, action: str, no: No, who: Client) -> None:
        """Try what must be refused, and read the reasons."""
        client = no.by or who
        item = await self.coordinator.get(path)
        answer = await client.post(f"{path}/{no.action or action}", self.dated(no.body), version=item.json()["version"])
        assert (answer.status_code, [r["code"] for r in answer.json()["reasons"]]) == (no.status, list(no.codes)), (
            no,
            answer.text,
        )
        assert all(r["text"] and r["text"] != r["code"] for r in answer.json()["reasons"]), answer.text

    async def step(
        self, who: Client, path: str, action: str, *noes: No, tried: int = 0, expect: str | None = None, **body: Any
    ) -> Body:
        """A move that is granted, after those that are not; `tried` were refused already."""
        assert len(noes) + tried >= 2, f"{action}: try an illegal move and one that lacks something first"
        for no in noes:
            await self.never(path, action, no, who)
        done = await who.done(path, action, self.dated(body))
        assert expect is None or done["state"] == expect, done
        return done

    async def born(self, who: Client, path: str, body: Body, *noes: No) -> Body:
        """Something new, after what must not become anything."""
        for no in noes:
            answer = await (no.by or who).post(path, self.dated(no.body))
            assert (answer.status_code, [r["code"] for r in answer.json()["reasons"]]) == (no.status, list(no.codes)), (
                no,
                answer.text,
            )
        return await who.ok(path, self.dated(body))

    async def edited(self, who: Client, path: str, **body: Any) -> None:
        """Other values, by a PATCH."""
        version = (await who.get(path)).json()["version"]
        answer = await who.patch(path, self.dated(body), version=version)
        assert answer.status_code == 200, answer.text

    async def paper(self, who: Client, kind: str, person: str | None = None) -> str:
        """A scan; its id."""
        answer = await who.http.post(
            "/v1/documents",
            data={"kind": kind, "title": kind} | ({"person_id": person} if person else {}),
            files={"file": ("scan.pdf", PDF + uuid4().bytes, "application/pdf")},
            headers={"authorization": f"Bearer {who.token}", "idempotency-key": uuid4().hex},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    # ---- accounts
    async def open_the_office(self) -> None:
        """The first administrator signs in and invites the staff; nobody signs in before they have a password."""
        self.admin = await self.world.client(ADMIN)
        http = self.world.http
        body = {"email": "wang@college.example.org", "name": "Wang Fang", "roles": ["coordinator"]}
        wrong = await self.admin.post("/v1/appointments", body | {"roles": ["coordinator", "trainee"]})
        assert (wrong.status_code, [r["code"] for r in wrong.json()["reasons"]]) == (409, ["roles_of_one_kind"])
        made = await self.admin.ok("/v1/appointments", body)
        self.tell("invite")
        login = {"email": body["email"], "password": PASSWORD}
        assert (await http.post("/v1/login", json=login)).status_code == 401
        self.tell("too-early")
        accepted = {"secret": made["invitation"], "password": PASSWORD}
        guessed = await http.post("/v1/invitations/accept", json=accepted | {"secret": "x" * 43})
        assert guessed.status_code == 404
        assert (await http.post("/v1/invitations/accept", json=accepted)).status_code == 200
        self.tell("accept-invitation")
        assert (await http.post("/v1/invitations/accept", json=accepted)).status_code == 404
        signed = await http.post("/v1/login", json=login)
        self.tell("login")
        self.coordinator = Client(http, signed.json()["access_token"], self.world.institution)
        self.second, self.registrar, self.instructor = [
            await self.invited(role) for role in (COORDINATOR, REGISTRAR, INSTRUCTOR)
        ]
        no = await self.instructor.post("/v1/appointments", body | {"email": "other@college.example.org"})
        assert (no.status_code, [r["code"] for r in no.json()["reasons"]]) == (403, ["role"])

    async def invited(self, role: Role, **more: Any) -> Client:
        """Somebody with this role: invited by the coordinator or an administrator, and signed in for the first time."""
        by = self.admin if SIGHTS[role] is Sight.STAFF else self.coordinator
        email, http = f"{role}-{uuid4().hex[:6]}@example.org", self.world.http
        made = await by.ok("/v1/appointments", {"email": email, "name": role.title(), "roles": [role.value]} | more)
        await http.post("/v1/invitations/accept", json={"secret": made["invitation"], "password": PASSWORD})
        signed = await http.post("/v1/login", json={"email": email, "password": PASSWORD})
        assert signed.status_code == 200, signed.text
        return Client(http, signed.json()["access_token"], self.world.institution)
