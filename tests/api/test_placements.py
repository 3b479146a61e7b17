"""Placements, requirement items and costs over HTTP: three ways to work, and every way out."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from pydantic_core import to_json

from service.actions.placements import TIMERS
from service.actions.timers import ring
from service.actions.work import Call, Work
from service.domain.actors import (
    AGENCY,
    COORDINATOR,
    ENTERPRISE,
    READER,
    SYSTEM_ACCOUNT,
    THE_SYSTEM,
    TRAINEE,
    Role,
)
from service.domain.placements import PLACEMENT
from service.domain.requirements import Packs, choose
from service.storage.opening import read_heads
from service.storage.packs import shipped_packs
from service.storage.tables.placements import placements
from service.storage.writes import Writes
from tests.conftest import Client, World

DAY = timedelta(days=1)
OWNERS = {"trainee": "trainee", "agency": "agency", "enterprise": "enterprise", "support_organisation": "enterprise"}


@dataclass
class Stage:
    """An institution with an employer, an agency and people whose offers were accepted."""

    world: World
    dsn: str
    coordinator: Client
    employer: UUID
    agency: UUID
    today: date
    requests: dict[UUID, UUID] = field(default_factory=dict)
    documents: dict[UUID, UUID] = field(default_factory=dict)

    async def sql(self, statement: str, *values: Any) -> None:
        """As the owner of the database, past its triggers: what stands before a placement begins."""
        con = await asyncpg.connect(self.dsn)
        try:
            await con.execute("SET session_replication_role = replica")
            await con.execute(statement, *values)
        finally:
            await con.close()

    async def row(self, statement: str, *values: Any) -> asyncpg.Record:
        con = await asyncpg.connect(self.dsn)
        try:
            found = await con.fetchrow(statement, *values)
            assert found is not None
            return found
        finally:
            await con.close()

    async def put(self, table: str, **columns: Any) -> UUID:
        row = {"institution_id": str(self.world.institution), "id": str(uuid4())} | columns
        names = ", ".join(row)
        await self.sql(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM json_populate_record(NULL::{table}, $1)",
            json.dumps(row, default=lambda v: to_json(v).decode().strip('"')),
        )
        return UUID(row["id"])

    def _item(self, state: str, **columns: Any) -> dict[str, Any]:
        common = {
            "state": state,
            "version": 1,
            "event_seq": 1,
            "since_on": self.today - 90 * DAY,
            "created_at": datetime.now(UTC),
        }
        return common | columns

    async def person(self, nationality: str = "CN") -> UUID:
        made = await self.coordinator.ok(
            "/v1/trainees",
            {"name_native": "王伟", "name_latin": "WANG, WEI", "birth_on": "2000-01-01", "nationality": nationality},
        )
        person = UUID(made["id"])
        await self.sql("UPDATE trainees SET passport_expires_on = $2 WHERE id = $1", person, self.today + 3000 * DAY)
        self.documents[person] = await self.put(
            "documents",
            **self._item(
                "accepted", stream_id=person, person_id=person, kind="other", title="scan", media_type="application/pdf",
                size=1, sha256="\\x00", content_id=uuid4(), uploaded_by=SYSTEM_ACCOUNT,
            ),
        )  # fmt: skip
        return person

    async def request(self, pathway: str, destination: str) -> UUID:
        """An open request of two seats."""
        made = await self.put(
            "placement_requests",
            **self._item(
                "open", organisation_id=self.employer, relationship_id=uuid4(), agency_id=self.agency, title="Farm hand",
                occupation="6111", field="agriculture", destination=destination, pathway=pathway, nationalities=["CN"],
                seats=2, offered=0, taken=0, used=0, terms={}, options=[], levels_asked={}, no_fee_for_workers=True,
            ),
        )  # fmt: skip
        await self.sql(
            "INSERT INTO heads (institution_id, stream_id, kind, version, seq, chain_head) "
            "VALUES ($1, $2, 'placement_request', 1, 0, decode(repeat('00', 32), 'hex'))",
            self.world.institution,
            made,
        )
        return made

    async def placement(
        self,
        pathway: str = "jp_ssw1",
        nationality: str = "CN",
        destination: str = "JP",
        person: UUID | None = None,
        **columns: Any,
    ) -> str:
        """The path of a placement that an accepted offer made, with its seat taken."""
        person = person or await self.person(nationality)
        request = await self.request(pathway, destination)
        await self.sql("UPDATE placement_requests SET taken = 1 WHERE id = $1", request)
        candidacy = await self.put("candidacies", **self._item("accepted", person_id=person, request_id=request))
        packs = choose(
            shipped_packs(), nationality=nationality, destination=destination, pathway=pathway, on=self.today + 30 * DAY
        )
        assert isinstance(packs, Packs)
        terms: dict[str, Any] = {"gross_annual_pay": "48000", "pay_currency": "EUR", "regulated_job": False}
        told: dict[str, Any] = {
            "request_id": request,
            "candidacy_id": candidacy,
            "employer_id": self.employer,
            "agency_id": self.agency if packs.departs else None,
            "destination": destination,
            "pathway": pathway,
            "pins": list(packs.pins),
            "stages": list(packs.stages),
            "departs": packs.departs,
            "occupation": "6111",
            "terms": terms,
            "planned_departure_on": self.today + 30 * DAY if packs.departs else None,
            "starts_on": self.today + 40 * DAY,
            "ends_on": self.today + 700 * DAY,
        }
        services, institution = self.world.services, self.world.institution
        call = Call(institution, "test", trusted=THE_SYSTEM)
        async with services.database.connection() as con:
            heads = await read_heads(con, institution, [person], None)
            given = {"occurred_on": self.today - 60 * DAY}
            work = Work(
                call, services.vault, THE_SYSTEM, datetime.now(UTC), self.today, given, heads, Writes(institution)
            )
            work.touched = {s: (h.version, h.seq, h.chain_head) for s, h in heads.items()}
            made = work.bear(placements, PLACEMENT, "contract", person, **(told | columns))
            work.close(b"")
            assert await work.writes.run(con)
        self.requests[made] = request
        return f"/v1/placements/{made}"

    async def seats(self, path: str) -> tuple[int, int]:
        """Seats taken and used of the placement's request."""
        found = await self.row(
            "SELECT taken, used FROM placement_requests WHERE id = $1", self.requests[UUID(path.rsplit("/", 1)[1])]
        )
        return found["taken"], found["used"]

    async def of(self, path: str) -> dict[str, Any]:
        return dict((await self.coordinator.get(path)).json())

    async def journey(self, path: str) -> str:
        person = (await self.of(path))["person_id"]
        return str((await self.coordinator.get(f"/v1/trainees/{person}")).json()["stage"])

    async def candidacy(self, path: str) -> str:
        found = await self.row(
            "SELECT state FROM candidacies WHERE id = $1", UUID((await self.of(path))["candidacy_id"])
        )
        return str(found["state"])

    async def shown(self, path: str) -> list[str]:
        """A document of the person, as evidence."""
        return [str(self.documents[UUID((await self.of(path))["person_id"])])]

    async def hand_in(self, path: str, *gates: str, **dates: date) -> None:
        """Supply and accept whatever the packs ask for before these actions."""
        p = await self.of(path)
        subjects = {
            "person": p["person_id"],
            "placement": p["id"],
            "candidacy": p["candidacy_id"],
            "request": p["request_id"],
        }
        rows = (await self.coordinator.get(path + "/checklist")).json()["items"]
        made: list[tuple[str, str]] = []
        for row in rows:
            asked = {g.split(".")[1] for g in row["gates"]} & set(gates)
            if not asked or row["state"] != "missing" or row["item_id"] or row["kind"] in ("fact", "payment_rule"):
                continue
            if row["item"] in [m[1] for m in made]:
                continue
            party = next((OWNERS[o] for o in row["owed_by"] if o in OWNERS), None)
            body: dict[str, Any] = {
                "subject_id": subjects[row["subject"]],
                "key": row["item"],
                "issued_on": str(dates.get("issued_on", self.today - 5 * DAY)),
                "valid_until": str(self.today + 900 * DAY),
            }
            if party:
                documents = await self.shown(path) if row["subject"] != "request" else [str(await self.paper())]
                body |= {"recorded_for": party, "evidence": documents}
            answer = await self.coordinator.ok("/v1/requirement-items/supply", body)
            made.append((answer["id"], row["item"]))
        if made:
            items = [{"id": i, "version": 1} for i, _ in made]
            answer = await self.coordinator.ok("/v1/requirement-items/bulk/accept", {"items": items})
            assert answer["refused"] == 0, answer

    async def paper(self) -> UUID:
        """A document of nobody in particular."""
        where = self.world.institution
        return await self.put(
            "documents",
            **self._item(
                "accepted", stream_id=where, kind="other", title="scan", media_type="application/pdf", size=1, sha256="\\x00",
                content_id=uuid4(), uploaded_by=SYSTEM_ACCOUNT,
            ),
        )  # fmt: skip

    async def party(self, role: Role, path: str | None = None) -> Client:
        if role is TRAINEE and path:
            return await self.world.client(TRAINEE, person_ids=[UUID((await self.of(path))["person_id"])])
        return await self.world.client(role, organisation_id=self.employer if role is ENTERPRISE else self.agency)

    async def to_ready(self, path: str) -> None:
        """Everything up to the day of departure."""
        c = self.coordinator
        steps: tuple[tuple[str, dict[str, Any]], ...] = (
            ("collect_documents", {"agency_contract": "service"}),
            ("apply_authorisation", {}),
            ("apply_visa", {}),
            ("prepare_departure", {}),
            ("clear", {"leaves_on": str(self.today), "arrives_on": str(self.today + DAY)}),
        )
        for action, body in steps:
            await self.hand_in(path, action)
            await c.done(path, action, body)
        await self.hand_in(path, "depart")


@pytest.fixture
async def house(world: World, dsn: str) -> Stage:
    coordinator = await world.client(COORDINATOR)

    async def organisation(kind: str, name: str, country: str) -> UUID:
        body = {
            "organisation": {"kind": kind, "name_native": name, "name_latin": name, "country": country,
                             "time_zone": "Asia/Tokyo", "registration_no": uuid4().hex, "chinese_funded": True},
            "role": kind,
        }  # fmt: skip
        return UUID((await coordinator.ok("/v1/relationships", body))["created"]["organisation"])

    employer = await organisation("enterprise", "Tokai Seiki K.K.", "JP")
    agency = await organisation("agency", "Qihang Dispatch", "CN")
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    return Stage(world, dsn, coordinator, employer, agency, today)


# ---- three ways to work
@pytest.mark.parametrize(("pathway", "destination"), [("jp_ssw1", "JP"), ("de_18a", "DE")])
async def test_placement_abroad_from_contract_home_again(house: Stage, pathway: str, destination: str) -> None:
    path, c = await house.placement(pathway, "CN", destination), house.coordinator
    assert await house.journey(path) == "contracted"
    await house.to_ready(path)
    assert (await house.candidacy(path), await house.seats(path)) == ("placed", (1, 0))
    assert await house.journey(path) == "preparing_departure"
    agency, enterprise, trainee = [await house.party(r, path) for r in (AGENCY, ENTERPRISE, TRAINEE)]
    assert (await agency.done(path, "depart", {"flight": "MU523"}))["state"] == "departed"
    assert (await house.seats(path), await house.journey(path)) == ((0, 1), "abroad")
    await trainee.done(path, "arrive", {"evidence": await house.shown(path)})
    assert await enterprise.refused(path, "start_work") == ["terms_confirmed"]
    await trainee.done(path, "confirm_terms")
    assert (await enterprise.done(path, "start_work"))["state"] == "active"
    await c.done(path, "return_early", {"reason_code": "family", "paid_by": "enterprise"})
    await c.done(path, "start_return", {"returns_on": str(house.today), "evidence": await house.shown(path)})
    assert await house.journey(path) == "abroad"
    await c.done(path, "record_return", {"wages": "settled", "insurance": "settled", "pension": "open"})
    assert await house.journey(path) == "returned"
    said = {"skills_gained": "焊接", "wish": "abroad_again", "available_until": str(house.today + 30 * DAY)}
    await c.done(path, "reintegrate", said)
    assert (await c.get(path + "/interview")).json() | {"id": None} == {
        "id": None, "skills_gained": "焊接", "wish": "abroad_again",
    }  # fmt: skip
    assert (await c.done(path, "close"))["state"] == "closed"
    assert await house.journey(path) == "pool"
    assert await house.seats(path) == (0, 1)
    events = (await c.get(path + "/events")).json()["items"]
    assert [e["to_state"] for e in events] == [
        "contracting", "documents", "authorisation", "visa", "pre_departure", "ready", "departed", "arrived", "arrived",
        "active", "early_return", "returning", "returned", "reintegrating", "closed",
    ]  # fmt: skip
    assert "焊接" not in json.dumps(events, ensure_ascii=False)


async def test_placement_at_home_needs_no_departure(house: Stage) -> None:
    path, c = await house.placement("home_hire", "TH", "TH"), house.coordinator
    await house.hand_in(path, "collect_documents")
    assert await c.refused(path, "apply_visa") == ["is_next_stage_of_pack"]
    await c.done(path, "collect_documents")
    assert await house.journey(path) == "preparing_departure"
    trainee, enterprise = [await house.party(r, path) for r in (TRAINEE, ENTERPRISE)]
    await trainee.done(path, "confirm_terms")
    assert (await enterprise.refused(path, "start_work"))[0] == "requirement_missing"
    # Waived where the employer does not ask: by an approver with a reason, and only because the row allows it.
    person = (await house.of(path))["person_id"]
    items = (await c.get("/v1/requirement-items", person_id=person, key="credential_legalised")).json()["items"]
    assert items == []
    await c.ok(
        "/v1/requirement-items/waive", {"subject_id": person, "key": "credential_legalised", "reason_code": "other"}
    )
    await house.hand_in(path, "start_work")
    assert (await enterprise.done(path, "start_work"))["state"] == "active"
    assert (await house.journey(path), await house.seats(path)) == ("employed", (0, 1))
    await house.sql(
        "UPDATE placements SET starts_on = $2, ends_on = $2 WHERE id = $1",
        UUID(path.rsplit("/", 1)[1]),
        house.today - DAY,
    )
    assert await ring(house.world.services, TIMERS[0], house.world.institution) == 1
    assert await ring(house.world.services, TIMERS[0], house.world.institution) == 0
    assert (await house.of(path))["state"] == "completed"
    assert (await c.done(path, "close"))["state"] == "closed"
    assert await house.journey(path) == "alumni"


# ---- every way out
async def test_placement_cancelled_frees_its_seat_once(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    assert await house.seats(path) == (1, 0)
    await house.hand_in(path, "collect_documents")
    await c.done(path, "collect_documents")
    assert (await c.done(path, "cancel", {"reason_code": "visa_refused"}))["state"] == "cancelled"
    assert (await house.seats(path), await house.candidacy(path)) == ((0, 0), "fell_through")
    assert await c.refused(path, "cancel", {"reason_code": "visa_refused"}) == ["not_from_this_state"]
    assert await c.refused(path, "correct", {"note": "no"}) == ["correctable"]
    assert await house.seats(path) == (0, 0)


async def test_placement_a_rush_to_cancel_frees_the_seat_once(house: Stage) -> None:
    path = await house.placement()
    trainee = await house.party(TRAINEE, path)
    cancel = [house.coordinator.post(path + "/cancel", {"reason_code": "visa_refused"}, version=1) for _ in range(5)]
    withdraw = [trainee.post(path + "/withdraw", {"reason_code": "family"}, version=1) for _ in range(5)]
    answers = await asyncio.gather(*cancel, *withdraw)
    assert sorted(a.status_code for a in answers) == [200] + [412] * 9
    assert (await house.seats(path), await house.candidacy(path)) == ((0, 0), "fell_through")


async def test_placement_the_trainee_withdraws_without_asking(house: Stage) -> None:
    path = await house.placement()
    trainee = await house.party(TRAINEE, path)
    assert (await trainee.done(path, "withdraw", {"reason_code": "family"}))["state"] == "cancelled"
    assert (await house.seats(path), await house.candidacy(path)) == ((0, 0), "fell_through")
    assert await house.journey(path) == "prospect"


async def test_placement_a_death_before_the_departure_frees_the_seat(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    said = {"family_informed_on": str(house.today), "evidence": await house.shown(path)}
    assert (await c.done(path, "record_death", said))["state"] == "deceased"
    assert (await house.seats(path), await house.candidacy(path)) == ((0, 0), "fell_through")
    assert await house.journey(path) == "deceased"
    assert await c.refused(path, "correct", {"note": "no"}) == ["nothing_given_back"]


async def test_placement_bulk_cancel_of_one_request_frees_every_seat(house: Stage) -> None:
    one, other = await house.placement(), await house.placement()
    request = house.requests[UUID(one.rsplit("/", 1)[1])]
    await house.sql("UPDATE placements SET request_id = $2 WHERE id = $1", UUID(other.rsplit("/", 1)[1]), request)
    await house.sql("UPDATE placement_requests SET taken = 2, state = 'filled' WHERE id = $1", request)
    items = [{"id": p.rsplit("/", 1)[1], "version": 1} for p in (one, other)]
    body = {"items": items, "reason_code": "force_majeure"}
    answer = await house.coordinator.ok("/v1/placements/bulk/cancel", body)
    assert (answer["done"], answer["refused"]) == (2, 0)
    assert await house.seats(one) == (0, 0)
    assert (await house.row("SELECT state FROM placement_requests WHERE id = $1", request))["state"] == "open"


async def test_placement_corrections_put_back_what_a_step_replaced(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    await house.hand_in(path, "collect_documents")
    await c.done(path, "collect_documents", {"agency_contract": "labour"})
    assert ((await house.of(path))["agency_contract"], await house.candidacy(path)) == ("labour", "placed")
    assert (await c.done(path, "correct", {"note": "too early"}))["state"] == "contracting"
    assert ((await house.of(path))["agency_contract"], await house.candidacy(path)) == (None, "accepted")
    later = str(house.today + 31 * DAY)
    before = (await house.of(path))["planned_departure_on"]
    await c.done(path, "reschedule", {"planned_departure_on": later})
    assert (await house.of(path))["planned_departure_on"] == later
    await c.done(path, "correct", {"note": "the old day holds"})
    assert (await house.of(path))["planned_departure_on"] == before
    assert await c.refused(path, "correct", {"note": "x"}) == ["corrected_by_candidacy"]


async def test_placement_a_corrected_departure_holds_the_seat_again(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    await house.to_ready(path)
    await c.done(path, "depart")
    assert await house.seats(path) == (0, 1)
    assert (await c.done(path, "correct", {"note": "the flight was cancelled"}))["state"] == "ready"
    assert (await house.seats(path), (await house.of(path))["departed_on"]) == ((1, 0), None)
    assert await house.journey(path) == "preparing_departure"


async def test_placement_one_live_placement_a_person(house: Stage) -> None:
    person = await house.person()
    first = await house.placement(person=person)
    await house.sql("UPDATE candidacies SET state = 'placed' WHERE person_id = $1", person)
    with pytest.raises(asyncpg.UniqueViolationError) as no:
        await house.placement(person=person)
    assert no.value.constraint_name == "placements_one_live"
    await house.sql("UPDATE candidacies SET state = 'not_selected' WHERE person_id = $1 AND state = 'accepted'", person)
    await house.coordinator.done(first, "cancel", {"reason_code": "employer_withdrew"})
    second = await house.placement(person=person)
    assert (await house.of(second))["state"] == "contracting"


# ---- requirements on the day of the event
async def test_placement_requirement_is_judged_on_the_day_it_happened(house: Stage) -> None:
    path, c = await house.placement("home_hire", "TH", "TH"), house.coordinator
    p = await house.of(path)
    contract = {"subject_id": p["id"], "key": "employment_contract", "recorded_for": "enterprise"}
    made = await c.ok(
        "/v1/requirement-items/supply",
        contract | {"evidence": await house.shown(path), "issued_on": str(house.today - 10 * DAY), "valid_until": str(house.today - 2 * DAY)},
    )  # fmt: skip
    await c.done(f"/v1/requirement-items/{made['id']}", "accept")
    for key in ("graduation_certificate", "skill_certificate"):
        item = await c.ok("/v1/requirement-items/supply", {"subject_id": p["person_id"], "key": key})
        await c.done(f"/v1/requirement-items/{item['id']}", "accept")
    assert await c.refused(path, "collect_documents") == ["requirement_expired"]
    after, before = str(house.today - DAY), str(house.today - 11 * DAY)
    assert await c.refused(path, "collect_documents", {"occurred_on": after}) == ["occurred_on_in_range"]
    assert await c.refused(path, "collect_documents", {"occurred_on": before}) == ["requirement_issued_later"]
    done = await c.done(path, "collect_documents", {"occurred_on": str(house.today - 2 * DAY)})
    assert done["state"] == "documents"


async def test_placement_checklist_names_who_owes_what(house: Stage) -> None:
    path = await house.placement("home_hire", "TH", "TH")
    shown = (await house.coordinator.get(path + "/checklist")).json()
    assert shown["pins"] == ["home-hire@1", "fair-recruitment@1"]
    rows = {r["key"]: (r["state"], r["owed_by"], r["gates"], r["evidence"]) for r in shown["items"]}
    assert rows["employment_contract"] == ("missing", ["enterprise"], ["placement.collect_documents"], "unverified")
    assert rows["data_return_consent"] == ("missing", ["trainee"], ["placement.start_work"], "official")
    assert rows["no_deposit_or_penalty"] == ("met", ["rule"], [], "official")
    assert rows["minimum_age"][0] == "met"
    reader = await house.world.client(READER)
    assert (await reader.get(path + "/checklist")).status_code == 403


async def test_placement_preview_tells_what_another_pathway_would_change(house: Stage) -> None:
    path = await house.placement("home_hire", "TH", "TH")
    same = (await house.coordinator.get(path + "/pathway", pathway="home_hire")).json()
    assert (same["stage"], same["added"], same["dropped"]) == ("contracting", [], [])
    none = await house.coordinator.get(path + "/pathway", pathway="jp_ssw1")
    assert [r["code"] for r in none.json()["reasons"]] == ["destination_not_served"]
    assert await house.coordinator.refused(path, "change_pathway", {"pathway": "home_hire"}) == ["another_pathway"]


# ---- who sees and does what
async def test_placement_is_seen_by_its_own_parties_only(house: Stage) -> None:
    path = await house.placement()
    own = [await house.party(r, path) for r in (ENTERPRISE, AGENCY, TRAINEE)]
    stranger = await house.world.client(ENTERPRISE, organisation_id=house.agency)
    elsewhere = await house.world.client(COORDINATOR, institution=await house.world.other())
    other_trainee = await house.world.client(TRAINEE, person_ids=[await house.person()])
    assert [(await c.get(path)).status_code for c in own] == [200, 200, 200]
    assert [len((await c.get("/v1/placements")).json()["items"]) for c in own] == [1, 1, 1]
    assert [(await c.get(path)).status_code for c in (elsewhere, other_trainee)] == [404, 404]
    assert (await elsewhere.post(path + "/cancel", {"reason_code": "visa_refused"}, version=1)).status_code == 404
    assert (await elsewhere.get(path + "/checklist")).status_code == 404
    assert (await stranger.get(path)).status_code == 200  # the agency's own organisation, under another role
    assert await own[0].refused(path, "cancel", {"reason_code": "visa_refused"}, status=403) == ["role"]
    assert (await own[2].refused(path, "collect_documents", status=403))[0] == "role"


# ---- requirement items
async def test_requirement_item_is_supplied_by_whom_it_is_owed_and_judged(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    p = await house.of(path)
    enterprise, trainee = [await house.party(r, path) for r in (ENTERPRISE, TRAINEE)]
    body = {"subject_id": p["id"], "key": "employment_contract"}
    refused = await trainee.post("/v1/requirement-items/supply", body)
    assert [r["code"] for r in refused.json()["reasons"]] == ["owed_by"]
    unknown = await enterprise.post("/v1/requirement-items/supply", body | {"key": "a_horse"})
    assert [r["code"] for r in unknown.json()["reasons"]] == ["requirement_known"]
    made = await enterprise.ok("/v1/requirement-items/supply", body)
    item = f"/v1/requirement-items/{made['id']}"
    twice = await enterprise.post("/v1/requirement-items/supply", body)
    assert [r["code"] for r in twice.json()["reasons"]] == ["requirement_not_handed_in"]
    await c.done(item, "reject", {"reason_code": "unreadable"})
    checklist = {r["key"]: r for r in (await c.get(path + "/checklist")).json()["items"]}
    assert (checklist["employment_contract"]["state"], checklist["employment_contract"]["item_id"]) == (
        "rejected",
        made["id"],
    )
    await enterprise.done(item, "resupply", {"issued_on": str(house.today)})
    assert (await c.done(item, "accept"))["state"] == "accepted"
    assert await c.refused(item, "let_go", {"reason_code": "other"}) == ["not_from_this_state"]
    assert (await c.done(item, "correct", {"note": "unread"}))["state"] == "supplied"
    assert await c.refused(item, "let_go", {"reason_code": "other"}) == ["waivable"]
    assert [i["key"] for i in (await enterprise.get("/v1/requirement-items")).json()["items"]] == [
        "employment_contract"
    ]


async def test_requirement_item_of_a_request_is_handed_in_by_its_enterprise(house: Stage) -> None:
    request = await house.request("jp_ssw1", "JP")
    enterprise = await house.party(ENTERPRISE)
    made = await enterprise.ok(
        "/v1/requirement-items/supply", {"subject_id": str(request), "key": "council_membership"}
    )
    shown = (await enterprise.get(f"/v1/requirement-items/{made['id']}")).json()
    assert (shown["subject_kind"], shown["person_id"], shown["state"]) == ("placement_request", None, "supplied")


async def test_requirement_item_is_waived_by_another_and_only_where_the_pack_says(house: Stage) -> None:
    path, c = await house.placement("home_hire", "TH", "TH"), house.coordinator
    person = (await house.of(path))["person_id"]
    no = await c.post(
        "/v1/requirement-items/waive", {"subject_id": person, "key": "medical_fitness", "reason_code": "other"}
    )
    assert [r["code"] for r in no.json()["reasons"]] == ["waivable"]
    credential = {"subject_id": person, "key": "credential_legalised"}
    made = await c.ok(
        "/v1/requirement-items/supply", credential | {"recorded_for": "trainee", "evidence": await house.shown(path)}
    )
    item = f"/v1/requirement-items/{made['id']}"
    assert await c.refused(item, "let_go", {"reason_code": "other"}) == ["another_person"]
    other = await house.world.client(COORDINATOR)
    assert (await other.done(item, "let_go", {"reason_code": "other"}))["state"] == "waived"
    trainee = await house.party(TRAINEE, path)
    refused = await trainee.post("/v1/requirement-items/waive", credential | {"reason_code": "other"})
    assert refused.status_code == 403
    foreign = await house.world.client(COORDINATOR, institution=await house.world.other())
    assert (await foreign.get(item)).status_code == 404
    assert (await foreign.post("/v1/requirement-items/supply", credential)).status_code == 404


# ---- costs
async def test_cost_a_deposit_closes_every_gate_until_it_is_paid_back(house: Stage) -> None:
    path, c = await house.placement("home_hire", "TH", "TH"), house.coordinator
    await house.hand_in(path, "collect_documents")
    p = await house.of(path)
    trainee = await house.party(TRAINEE, path)
    body = {
        "person_id": p["person_id"], "placement_id": p["id"], "type": "deposit", "amount": "5000.00", "currency": "THB",
        "payer": "family", "receiver": "agency",
    }  # fmt: skip
    made = await trainee.ok("/v1/costs", body)
    assert await c.refused(path, "collect_documents") == ["deposit_paid"]
    cost = f"/v1/costs/{made['id']}"
    assert (await c.get(cost)).json()["amount"] == "5000.00"
    assert await c.refused(cost, "repay") == ["evidence_required"]
    await c.done(cost, "repay", {"evidence": await house.shown(path)})
    assert (await c.done(path, "collect_documents"))["state"] == "documents"


async def test_cost_is_corrected_and_never_rewritten(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    p = await house.of(path)
    body = {
        "person_id": p["person_id"],
        "type": "medical",
        "amount": "300",
        "currency": "CNY",
        "payer": "school",
        "receiver": "clinic",
    }
    stranger = await c.post("/v1/costs", body | {"placement_id": str(uuid4()), "receipt_id": str(uuid4())})
    assert sorted(r["code"] for r in stranger.json()["reasons"]) == ["placement_known", "receipt_known"]
    nothing = await c.post("/v1/costs", body | {"amount": "0"})
    assert [r["code"] for r in nothing.json()["reasons"]] == ["out_of_bounds"]
    made = await c.ok("/v1/costs", body)
    assert (await c.done(f"/v1/costs/{made['id']}", "correct", {"note": "twice"}))["state"] == "voided"
    enterprise = await house.party(ENTERPRISE)
    assert (await enterprise.get("/v1/costs")).status_code == 403
    foreign = await house.world.client(COORDINATOR, institution=await house.world.other())
    assert (await foreign.get(f"/v1/costs/{made['id']}")).status_code == 404
