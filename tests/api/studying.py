"""What tests of studying begin with: people with papers, a programme that runs, an intake that is open."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count as counted
from typing import Any
from uuid import uuid4

from service.actions import trainees
from service.actions.work import Call, Result, Wanted, Work, perform
from service.domain.actors import ADMIN, COORDINATOR, REGISTRAR, Actor
from service.domain.trainees import Mrz
from service.domain.values import Passport, write_mrz
from tests.conftest import TODAY, Client, World

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
STAGES = [
    {"no": 1, "place": "home", "years": "2", "title": "Home", "credits_required": "6"},
    {"no": 2, "place": "abroad", "years": "1.5", "title": "Abroad", "credits_required": "4"},
]
NOTICE = {"recipient": "the college", "purpose": "enrolment", "categories": "name", "rights": "withdraw at any time"}


_numbers = counted(1)


def day(offset: int) -> str:
    """A day counted from today, where the institution is."""
    return (TODAY + timedelta(days=offset)).isoformat()


async def upload(client: Client, kind: str, person: str | None = None) -> str:
    """A document; its id."""
    said = {"kind": kind, "title": kind} | ({"person_id": person} if person else {})
    answer = await client.http.post(
        "/v1/documents",
        data=said,
        files={"file": ("scan.pdf", PDF + uuid4().bytes, "application/pdf")},
        headers={"authorization": f"Bearer {client.token}", "idempotency-key": uuid4().hex},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def consent(client: Client, *people: str) -> None:
    """Consents to the enrolment, recorded for whoever gave them on one list."""
    asked = {"person_ids": list(people), "purpose": "enrolment", "fields": ["name"], "notice": NOTICE}
    made = await client.ok("/v1/consents/bulk/request", asked)
    items = [{"id": i["id"], "version": i["version"]} for i in made["items"]]
    said = {"recorded_for": "trainee", "evidence": [await upload(client, "consent_form")]}
    assert (await client.ok("/v1/consents/bulk/give", {"items": items} | said))["refused"] == 0


async def person(client: Client, *, papers: bool = True, **more: Any) -> str:
    """A trainee with a passport, and with the consent that an application needs, unless not yet."""
    born, expires = date(2004, 5, 6), TODAY.replace(day=1) + timedelta(days=2000)
    number = f"E{next(_numbers):08}"
    line1, line2 = write_mrz(Passport("CHN", "WANG", "WEI", number, "CHN", born, "M", expires))
    passport = {"passport_mrz": {"line1": line1, "line2": line2}} if papers else {}
    body = {"name_native": "王伟", "name_latin": "WANG, WEI", "birth_on": born.isoformat(), "nationality": "CN"}
    made = str((await client.ok("/v1/trainees", body | passport | more))["id"])
    if papers:
        await consent(client, made)
    return made


async def people(client: Client, count: int) -> list[str]:
    """Many of them."""
    made = [await person(client, papers=False) for _ in range(count)]
    await consent(client, *made)
    for who in made:
        await upload(client, "identity", who)
    return made


async def crowd(world: World, client: Client, count: int) -> list[str]:
    """Hundreds of them, each with a passport on record, registered by one act."""
    born, expires = date(2004, 5, 6), TODAY.replace(day=1) + timedelta(days=2000)

    def one() -> Wanted:
        lines = write_mrz(Passport("CHN", "WANG", "WEI", f"E{next(_numbers):08}", "CHN", born, "M", expires))
        said = {"name_native": "王伟", "name_latin": "WANG, WEI", "birth_on": born, "nationality": "CN"}
        return Wanted(world.institution, given=said | {"passport_mrz": Mrz(line1=lines[0], line2=lines[1])})

    made: list[str] = []

    def keep(_work: Work, results: list[Result]) -> bytes:
        made[:] = [str(r.id) for r in results if r.state is not None]
        return b""

    call = Call(world.institution, "register", trusted=Actor(uuid4(), frozenset({COORDINATOR})))
    await perform(
        world.services, call, trainees.SUBJECT, "register", [one() for _ in range(count)], {}, answer=keep,
        single=False, extra={"unit_id": None},
    )  # fmt: skip
    await consent(client, *made)
    return made


class Studies:
    """A coordinator, a registrar and an administrator, and the paths of what they made."""

    c: Client
    registrar: Client
    admin: Client
    programme: str
    intake: str

    @classmethod
    async def begin(cls, world: World, *, quotas: dict[str, int] | None = None, **wanted: Any) -> Studies:
        """A programme in two stages, and its intake, open."""
        made = cls()
        made.c, made.registrar = await world.client(COORDINATOR), await world.client(REGISTRAR)
        made.admin = await world.client(ADMIN)
        made.programme = await made.active_programme()
        made.intake = await made.open_intake(quotas or {"*": 3}, **wanted)
        return made

    async def active_programme(self, **more: Any) -> str:
        """An active programme; its path."""
        body = {
            "code": f"NUR-{uuid4().hex[:6]}", "title_native": "护理", "title_latin": "Nursing", "kind": "x_plus_x",
            "level": 5, "field": "0913", "stages": STAGES,
        }  # fmt: skip
        path = f"/v1/programmes/{(await self.c.ok('/v1/programmes', body | more))['id']}"
        await self.admin.done(path, "approve")
        await self.c.done(path, "activate")
        return path

    async def planned_intake(self, quotas: dict[str, int], **wanted: Any) -> str:
        """An intake that is a draft; its path."""
        body = {
            "programme_id": self.programme.rsplit("/", 1)[1], "code": f"2026-{uuid4().hex[:6]}",
            "opens_on": day(-10), "closes_on": day(20), "starts_on": day(40),
            "quotas": [{"source": s, "places": n} for s, n in quotas.items()],
        }  # fmt: skip
        return f"/v1/intakes/{(await self.c.ok('/v1/intakes', body | wanted))['id']}"

    async def open_intake(self, quotas: dict[str, int], **wanted: Any) -> str:
        """An intake that is open; its path."""
        path = await self.planned_intake(quotas, **wanted)
        await self.c.done(
            path, "publish", {"plan_authority": "省教育厅", "plan_number": "教招〔2026〕12号", "plan_version": "1"}
        )
        await self.c.done(path, "open")
        return path

    async def taken(self, source: str = "*") -> int:
        """How many places of a source are taken."""
        quotas = (await self.c.get(self.intake)).json()["quotas"]
        return int(next(q["taken"] for q in quotas if q["source"] == source))

    async def application(self, who: str | None = None, *, until: str = "eligible", **more: Any) -> str:
        """Somebody's application, taken as far as a state; its path."""
        who = who or await person(self.c)
        body = {"person_id": who, "intake_id": self.intake.rsplit("/", 1)[1]} | more
        path = f"/v1/applications/{(await self.c.ok('/v1/applications', body))['id']}"
        for action, state in (("submit", "submitted"), ("take_on", "under_review"), ("find_eligible", "eligible")):
            if until == "draft":
                break
            await self.c.done(path, action)
            if state == until:
                break
        return path

    async def enrolment(self, who: str | None = None) -> str:
        """Somebody's enrolment, pending; its path."""
        done = await self.c.done(await self.application(who), "select")
        return f"/v1/enrolments/{done['created']['enrolment']}"

    async def many(self, count: int, who: list[str] | None = None) -> list[dict[str, Any]]:
        """Many eligible applications, as bulk actions name them."""
        body = {"person_ids": who or await people(self.c, count), "intake_id": self.intake.rsplit("/", 1)[1]}
        made = await self.c.ok("/v1/applications/bulk/draft", body)
        items = [{"id": i["id"], "version": i["version"]} for i in made["items"]]
        for action in ("submit", "take_on", "find_eligible"):
            done = await self.c.ok(f"/v1/applications/bulk/{action}", {"items": items})
            assert done["refused"] == 0, done
            items = [{"id": i["id"], "version": i["version"]} for i in done["items"]]
        return items


def plain(path: str) -> str:
    """The id in a path."""
    return path.rsplit("/", 1)[-1]
