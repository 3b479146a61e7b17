"""One person's way by any pack, over HTTP: whatever a refusal says is missing is handed in, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from service.domain.actors import COORDINATOR
from service.domain.requirements import Packs, choose
from service.domain.values import Passport, write_mrz
from service.storage.packs import shipped_packs
from tests.conftest import Client, World
from tests.jobs import document

DAY = timedelta(days=1)
TERMS: dict[str, Any] = {
    "accident_insurance_buyer": "agency", "board": "own", "contract_language": "zh", "contract_months": 24,
    "gross_annual_pay": "52000", "gross_monthly_pay": "4300", "housing": "dormitory", "injury_compensation": "statutory",
    "leave_days": 20, "pay_currency": "EUR", "qualified_job": True, "regulated_job": False,
    "return_travel_payer": "employer", "social_insurance": "statutory", "travel_payer": "employer", "weekly_hours": 40,
    "workplace": "plant",
}  # fmt: skip
STEPS = ("collect_documents", "apply_authorisation", "apply_visa", "prepare_departure", "clear", "depart", "arrive")
OF_STAGE = dict(
    zip(("documents", "authorisation", "visa", "pre_departure", "ready", "departed", "arrived"), STEPS, strict=True)
)
OWES = {"trainee": "trainee", "agency": "agency", "enterprise": "enterprise", "support_organisation": "enterprise"}
"""For whom a coordinator records what a provider hands in; the rest is a coordinator's own."""


@dataclass
class Way:
    """What is different between the ways: from where, to where, under which pathway, with what declared and passed."""

    pathway: str
    destination: str
    nationality: str = "CN"
    field: str = "agriculture"
    chinese_funded: bool = False
    declared: dict[str, Any] | None = None
    tests: tuple[dict[str, Any], ...] = ()
    today: date = date(2026, 11, 26)
    days_ahead: int = 40


@dataclass
class Walker:
    """A coordinator who records everybody's steps, and one who verifies; the person and what was handed in."""

    way: Way
    c: Client
    second: Client
    paper: str
    person: str = ""
    tie: str = ""
    request: str = ""
    candidacy: str = ""
    placement: str = ""
    handed: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    async def of(cls, world: World, way: Way) -> Walker:
        c = await world.client(COORDINATOR)
        return cls(way, c, await world.client(COORDINATOR), await document(c))

    @property
    def departs_on(self) -> date:
        return self.way.today + self.way.days_ahead * DAY

    def packs(self) -> Packs:
        way = self.way
        found = choose(
            shipped_packs(), nationality=way.nationality, destination=way.destination, pathway=way.pathway,
            on=self.departs_on,
        )  # fmt: skip
        assert isinstance(found, Packs), found
        return found

    def for_(self, party: str | None) -> dict[str, Any]:
        return {"recorded_for": party, "evidence": [self.paper]} if party else {}

    # ---- before the placement
    async def tied(self, role: str, **more: Any) -> str:
        """A verified organisation; its relationship is kept where it is the enterprise."""
        country = self.way.destination if role == "enterprise" else "CN"
        body = {
            "role": role,
            "organisation": {
                "kind": role, "name_native": role, "name_latin": role, "country": country, "time_zone": "Asia/Tokyo",
                "registration_no": uuid4().hex, **more,
            },
        }  # fmt: skip
        made = await self.c.ok("/v1/relationships", body | ({"licence_no": "L-1"} if role == "agency" else {}))
        path = f"/v1/relationships/{made['id']}"
        until = {"valid_until": str(self.way.today + 900 * DAY), "evidence": [self.paper]}
        await self.c.done(path, "verify", until)
        if role == "enterprise":
            self.tie = path
        return str(made["created"]["organisation"])

    async def registered(self) -> None:
        """The person, with a passport and the tests that they passed."""
        way, born = self.way, date(2001, 5, 6)
        code = {"CN": "CHN", "TH": "THA", "KH": "KHM"}[way.nationality]
        expires = self.departs_on + 3000 * DAY
        line1, line2 = write_mrz(Passport(code, "WANG", "WEI", "E73940182", code, born, "M", expires))
        body = {
            "name_native": "王伟", "name_latin": "WANG, WEI", "birth_on": str(born), "nationality": way.nationality,
            "sex": "male", "passport_mrz": {"line1": line1, "line2": line2},
        }  # fmt: skip
        self.person = (await self.c.ok("/v1/trainees", body))["id"]
        self.paper = await document(self.c)
        for test in way.tests:
            taken = {"taken_on": str(way.today - 90 * DAY), "issued_on": str(way.today - 60 * DAY), "issuer": "issuer"}
            made = await self.c.ok("/v1/certificates", {"person_id": self.person, **taken, **test})
            scan = await document(self.c, self.person, "certificate")
            await self.second.done(f"/v1/certificates/{made['id']}", "verify", {"evidence": [scan]})

    async def asked(self) -> None:
        """The request, approved as soon as its papers are there, and open."""
        way, departs = self.way, self.packs().departs
        employer = await self.tied("enterprise", chinese_funded=way.chinese_funded)
        agency = await self.tied("agency") if departs else None
        if way.declared:
            await self.c.done(self.tie, "declare", way.declared)
        body: dict[str, Any] = {
            "organisation_id": employer, "title": "Worker", "occupation": "8211", "field": way.field,
            "destination": way.destination, "pathway": way.pathway, "nationalities": [way.nationality], "seats": 2,
            "terms": TERMS, "no_fee_for_workers": True, "starts_on": str(self.departs_on + 5 * DAY),
            "ends_on": str(self.departs_on + 700 * DAY), "closes_on": str(self.departs_on), **self.for_("enterprise"),
        }  # fmt: skip
        if departs:
            body |= {"planned_departure_on": str(self.departs_on), "agency_id": agency}
        path = self.request = f"/v1/placement-requests/{(await self.c.ok('/v1/placement-requests', body))['id']}"
        await self.c.done(path, "submit", self.for_("enterprise"))
        await self.c.done(path, "take_on")
        await self.through(path, "approve")
        await self.c.done(path, "open")

    async def accepted(self) -> None:
        """From the list of names to the accepted offer."""
        made = await self.c.ok("/v1/candidacies", {"person_id": self.person, "request_id": plain(self.request)})
        path = self.candidacy = f"/v1/candidacies/{made['id']}"
        await self.c.done(path, "ask_consent")
        person, employer = self.for_("trainee"), self.for_("enterprise")
        await self.through(path, "nominate", person)
        await self.c.done(path, "shortlist", employer)
        await self.through(path, "choose", {"assessment": "trade_test", "score": "80"} | employer)
        ends = {"offer_ends_at": f"{self.way.today + 9 * DAY}T12:00:00Z"}
        await self.c.done(path, "offer", ends | employer)
        done = await self.through(path, "accept", person)
        self.placement = f"/v1/placements/{done['created']['placement']}"

    # ---- the stages of the placement
    async def to(self, last: str) -> list[str]:
        """Every stage of the pack up to this one; the states that the placement took."""
        more: dict[str, Any] = {
            "collect_documents": {"agency_contract": "service"},
            "clear": {"leaves_on": str(self.way.today), "arrives_on": str(self.way.today + DAY)},
            "arrive": self.for_("trainee"),
        }
        states = []
        for stage in self.packs().stages[1:]:
            if stage == "active":
                await self.c.done(self.placement, "confirm_terms", self.for_("trainee"))
                done = await self.through(self.placement, "start_work", self.for_("enterprise"))
            else:
                done = await self.through(self.placement, OF_STAGE[stage], more.get(OF_STAGE[stage]))
            states.append(done["state"])
            if stage == last:
                break
        return states

    async def through(self, path: str, action: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The action; what its refusal names as missing is handed in first."""
        answer = await self.c.act(path, action, body)
        if answer.status_code == 409:
            reasons = answer.json()["reasons"]
            assert {r["code"] for r in reasons} <= {"requirement_missing", "test_not_passed"}, reasons
            for reason in reasons:
                await self.hand_in(reason["pointer"].removeprefix("requirement/"), path)
            answer = await self.c.act(path, action, body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def hand_in(self, key: str, path: str) -> None:
        """One row's item, by whoever owes it, accepted by the coordinator."""
        row = next(r for r in self.packs().requirements if r.key == key)
        item = row.item if row.asks is None else row.instead[0]
        subjects = {
            "person": self.person, "request": plain(self.request), "candidacy": plain(self.candidacy),
            "placement": plain(self.placement or path),
        }  # fmt: skip
        subject = subjects[row.subject]
        if (subject, item) in self.handed:
            return
        self.handed.add((subject, item))
        days = {
            "issued_on": str(self.way.today - 5 * DAY), "valid_from": str(self.way.today - 200 * DAY),
            "valid_until": str(self.departs_on + 1500 * DAY),
        }  # fmt: skip
        party = next((OWES[p] for p in row.providers if p in OWES), None)
        made = await self.c.ok(
            "/v1/requirement-items/supply", {"subject_id": subject, "key": item, **days, **self.for_(party)}
        )
        await self.c.done(f"/v1/requirement-items/{made['id']}", "accept")


def plain(path: str) -> str:
    """The id in a path."""
    return path.rsplit("/", 1)[-1]
