"""Enterprises with open requests and people nominated to them, over HTTP, for whatever is tested on top."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from service.actions import trainees
from service.actions.work import Call, Result, Wanted, Work, perform
from service.domain.actors import COORDINATOR, ENTERPRISE, TRAINEE, Actor
from service.domain.trainees import Guardian
from tests.conftest import TODAY, Client, World

TERMS = {
    "workplace": "Rayong",
    "contract_months": 24,
    "gross_monthly_pay": "18000",
    "pay_currency": "THB",
    "weekly_hours": 40,
    "contract_language": "th",
    "social_insurance": "statutory",
}
JOB: dict[str, Any] = {
    "title": "Mechatronics technician",
    "occupation": "3115",
    "destination": "TH",
    "pathway": "home_hire",
    "nationalities": ["TH"],
    "seats": 2,
    "terms": TERMS,
    "no_fee_for_workers": True,
    "starts_on": str(TODAY + timedelta(days=90)),
    "ends_on": str(TODAY + timedelta(days=820)),
    "closes_on": str(TODAY + timedelta(days=30)),
}
"""A plant in Thailand that hires Thai graduates at home: the pathway that asks for no papers before the contract."""


async def document(client: Client, person: str | None = None, kind: str = "correspondence") -> str:
    """Evidence of anything."""
    form = {"kind": kind, "title": "paper"} | ({"person_id": person} if person else {})
    answer = await client.http.post(
        "/v1/documents",
        data=form,
        files={"file": ("paper.pdf", b"%PDF-1.7\n%%EOF\n" + uuid4().bytes, "application/pdf")},
        headers={"authorization": f"Bearer {client.token}", "idempotency-key": uuid4().hex},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@dataclass
class Jobs:
    """A coordinator, an enterprise with a verified relationship, and its clerk."""

    world: World
    coordinator: Client
    clerk: Client
    organisation: str
    relationship: str
    paper: str

    @classmethod
    async def of(cls, world: World, *, country: str = "TH", chinese_funded: bool = True) -> Jobs:
        """An enterprise that the institution has verified."""
        c = await world.client(COORDINATOR)
        paper = await document(c)
        made = await c.ok(
            "/v1/relationships",
            {
                "role": "enterprise",
                "organisation": {
                    "kind": "enterprise",
                    "name_native": "泰华机电",
                    "name_latin": "Thai-Hua Mechatronics",
                    "country": country,
                    "time_zone": "Asia/Bangkok",
                    "chinese_funded": chinese_funded,
                    "registration_no": uuid4().hex,
                },
            },
        )
        until = {"valid_until": str(TODAY + timedelta(days=365)), "evidence": [paper]}
        await c.done(f"/v1/relationships/{made['id']}", "verify", until)
        organisation = made["created"]["organisation"]
        clerk = await world.client(ENTERPRISE, organisation_id=UUID(organisation))
        return cls(world, c, clerk, organisation, made["id"], paper)

    @property
    def by_paper(self) -> dict[str, Any]:
        """How a coordinator records another party's step."""
        return {"evidence": [self.paper]}

    async def drafted(self, **more: Any) -> str:
        """The path of a draft."""
        made = await self.clerk.ok("/v1/placement-requests", {**JOB, "organisation_id": self.organisation, **more})
        return f"/v1/placement-requests/{made['id']}"

    async def open(self, **more: Any) -> str:
        """The path of an open request."""
        path = await self.drafted(**more)
        await self.clerk.done(path, "submit")
        for action in ("take_on", "approve", "open"):
            await self.coordinator.done(path, action)
        return path

    async def people(self, count: int, *, born: date = date(2004, 5, 17), nationality: str = "TH") -> list[str]:
        """People of one age and nationality."""
        named = [
            {
                "name_native": f"สมชาย {n}",
                "name_latin": f"SOMCHAI, N{n}",
                "sex": "male",
                "birth_on": born,
                "nationality": nationality,
                "email": f"n{n}@example.org",
                "guardian": Guardian(name="สมศรี", relation="mother", phone="+66812345678"),
            }
            for n in range(count)
        ]
        call = Call(self.world.institution, "register", trusted=Actor(uuid4(), frozenset({COORDINATOR})))
        made: list[str] = []

        def keep(_work: Work, results: list[Result]) -> bytes:
            made[:] = [str(r.id) for r in results if r.state is not None]
            return b""

        await perform(
            self.world.services, call, trainees.SUBJECT, "register",
            [Wanted(self.world.institution, given=g) for g in named], {}, answer=keep, single=False,
            extra=dict.fromkeys(trainees.SUBJECT.births["register"].extra),
        )  # fmt: skip
        return made

    async def trainee(self, person: str) -> Client:
        """The person's own account."""
        return await self.world.client(TRAINEE, person_ids=(UUID(person),))

    async def bulk(self, client: Client, action: str, ids: list[str], body: Any = None) -> dict[str, Any]:
        """One action on many candidacies at their present versions."""
        items: list[dict[str, Any]] = []
        following: str | None = None
        while True:
            page = await client.get("/v1/candidacies", limit=200, **({"after": following} if following else {}))
            items += [{"id": i["id"], "version": i["version"]} for i in page.json()["items"] if i["id"] in ids]
            following = page.json()["next"]
            if following is None:
                break
        return await client.ok(f"/v1/candidacies/bulk/{action}", {**(body or {}), "items": items})

    async def identified(self, request: str, people: list[str]) -> list[str]:
        """Candidacies of people for a request."""
        done = await self.coordinator.ok(
            "/v1/candidacies/bulk/identify", {"person_ids": people, "request_id": request.rsplit("/", 1)[1]}
        )
        assert done["refused"] == 0, done
        return [i["id"] for i in done["items"]]

    async def up_to(
        self, state: str, request: str, people: list[str], identified: list[str] | None = None
    ) -> list[str]:
        """Candidacies in a state on the way to an offer, the trainees' and the enterprise's steps recorded for them."""
        ids = identified or await self.identified(request, people)
        for_trainee, for_clerk = (
            {"recorded_for": "trainee"} | self.by_paper,
            {"recorded_for": "enterprise"} | self.by_paper,
        )
        way: list[tuple[str, str, dict[str, Any]]] = [
            ("consent_pending", "ask_consent", {}),
            ("nominated", "nominate", for_trainee),
            ("shortlisted", "shortlist", for_clerk),
            ("selected", "choose", for_clerk | {"assessment": "paper_selection", "reason_code": "skills"}),
            ("offered", "offer", for_clerk | {"offer_ends_at": f"{TODAY + timedelta(days=5)}T12:00:00Z"}),
        ]
        for reached, action, body in way:
            done = await self.bulk(self.coordinator, action, ids, body)
            assert done["refused"] == 0, done
            if reached == state:
                break
        return ids

    async def seats(self, request: str) -> tuple[int, int, int, str]:
        """Offered, taken, used, and the request's state."""
        r = (await self.coordinator.get(request)).json()
        return r["offered"], r["taken"], r["used"], r["state"]
