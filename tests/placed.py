"""An institution with an employer, an agency and people in placements: what several tests begin with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
from pydantic_core import to_json

from service.actions.work import Call, Work
from service.domain.actors import (
    COORDINATOR,
    ENTERPRISE,
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

    @classmethod
    async def begin(cls, world: World, dsn: str) -> Stage:
        """One with nobody in it yet."""
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
        return cls(world, dsn, coordinator, employer, agency, today)

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
