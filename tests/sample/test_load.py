"""The sample world: a small year is loaded once, and its record is examined as an auditor would."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from python_calamine import CalamineWorkbook

from service.actions.work import Call, Services
from service.domain.actors import THE_SYSTEM
from service.domain.candidacies.guards import closed_for_nomination
from service.domain.journey import STAGES
from service.domain.placements import lacking
from service.domain.requirements import GATES, Gate
from service.sample.desk import Clock, Desk, Telling, Unplanned
from service.sample.load import PASSWORD, SampleWorld, load
from service.sample.year import LAST, PATHS, WHOLE, Year, shares
from service.storage import candidacies, placements
from service.storage.database import Database
from service.storage.files import Files
from service.storage.opening import FactsOf
from service.storage.vault import Vault
from tests.chains import broken_chains
from tests.conftest import Server

MANY = 120
ACTIONS = (
    "collect_documents",
    "apply_authorisation",
    "apply_visa",
    "prepare_departure",
    "clear",
    "depart",
    "arrive",
    "start_work",
)


@dataclass
class Loaded:
    """A world that was loaded, and where."""

    dsn: str
    services: Services
    world: SampleWorld
    told: list[tuple[str, int, int]]
    files: Path

    async def rows(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        con = await asyncpg.connect(self.dsn)
        try:
            return list(await con.fetch(sql, *args))
        finally:
            await con.close()

    async def dossiers(self, facts: FactsOf[Any], ids: list[UUID], institution: UUID) -> dict[UUID, Any]:
        call = Call(institution, "test", trusted=THE_SYSTEM)
        async with self.services.database.connection() as con:
            found = await facts.statement(None).records(
                con,
                institution=institution,
                ids=ids,
                route="",
                key="",
                evidence=[],
                with_last=False,
                **call.credentials(),
            )
        return {r["id"]: facts.dossier(r) for r in found}


@asynccontextmanager
async def _loaded(server: Server, template: str, folder: Path, trainees: int, **more: Any) -> AsyncIterator[Loaded]:
    dsn = await server.database(template)
    database = await Database.open(dsn, 6)
    services = Services(database, Vault.parse(Vault.written()), Files((folder / "documents").as_uri()))
    told: list[tuple[str, int, int]] = []
    files = folder / "sample-files"
    try:
        world = await load(services, progress=lambda *what: told.append(what), trainees=trainees, files=files, **more)
        yield Loaded(dsn, services, world, told, files)
    finally:
        await database.close()
        await server.drop(dsn)


@pytest.fixture(scope="module")
async def year(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Loaded]:
    async with _loaded(server, template, tmp_path_factory.mktemp("year"), MANY) as loaded:
        yield loaded


async def test_every_stage_of_the_journey_is_lived(year: Loaded) -> None:
    found = Counter(r["stage"] for r in await year.rows("SELECT stage FROM heads WHERE kind = 'person'"))
    assert found == Counter(p.stage for p in shares(MANY))
    assert set(found) == set(STAGES)


async def test_every_chain_verifies(year: Loaded) -> None:
    assert await broken_chains(year.dsn) == []


async def test_each_college_acts_in_the_order_of_its_days(year: Loaded) -> None:
    rows = await year.rows("SELECT institution_id, recorded_at FROM events ORDER BY event_id")
    for college in {r["institution_id"] for r in rows}:
        instants = [r["recorded_at"] for r in rows if r["institution_id"] == college]
        assert instants == sorted(instants)
        assert instants[-1].date() <= LAST


async def test_nobody_but_a_known_account_has_acted(year: Loaded) -> None:
    rows = await year.rows(
        "SELECT DISTINCT actor_roles FROM events e WHERE NOT EXISTS (SELECT FROM accounts a WHERE a.id = e.actor_id)"
    )
    assert {r["actor_roles"] for r in rows} <= {"system", "admin coordinator system"}


@pytest.mark.parametrize("sql", [
    # places of an intake's plan
    """SELECT q.intake_id, q.source, q.taken, count(e.id) FROM intake_quotas q LEFT JOIN enrolments e
         ON (e.institution_id, e.intake_id, e.source) = (q.institution_id, q.intake_id, q.source) AND e.holds_place
       GROUP BY q.institution_id, q.intake_id, q.source, q.taken HAVING q.taken <> count(e.id)""",
    # places of a class
    """SELECT k.id, k.taken, count(m.id) FROM training_classes k LEFT JOIN memberships m
         ON m.class_id = k.id AND m.state IN ('registered', 'attending')
       GROUP BY k.id, k.taken HAVING k.taken <> count(m.id)""",
    # seats that offers reserve
    """SELECT r.id, r.offered, count(c.id) FROM placement_requests r LEFT JOIN candidacies c
         ON c.request_id = r.id AND c.state = 'offered'
       GROUP BY r.id, r.offered HAVING r.offered <> count(c.id)""",
    # seats that are held, and those that are used up
    """SELECT r.id FROM placement_requests r LEFT JOIN placements p ON p.request_id = r.id AND p.state <> 'cancelled'
       GROUP BY r.id, r.taken, r.used HAVING r.taken <> count(p.id) FILTER (WHERE p.started_on IS NULL AND p.departed_on IS NULL)
         OR r.used <> count(p.id) FILTER (WHERE p.started_on IS NOT NULL OR p.departed_on IS NOT NULL)""",
    # shares of results
    """SELECT r.id FROM results r LEFT JOIN recognition_claims c ON c.result_id = r.id
       GROUP BY r.id, r.claimed_percent HAVING r.claimed_percent <> coalesce(sum(c.share_percent), 0)""",
    # nobody has two live placements
    "SELECT person_id FROM placements WHERE state IN ('contracting', 'documents', 'active') GROUP BY 1 HAVING count(*) > 1",
])  # fmt: skip
async def test_what_is_counted_is_there(year: Loaded, sql: str) -> None:
    assert await year.rows(sql) == []


async def test_whoever_passed_a_gate_had_met_what_the_packs_ask_for(year: Loaded) -> None:
    passed = await year.rows(
        """SELECT institution_id, subject, subject_id, action, occurred_on FROM events
           WHERE subject IN ('placement', 'candidacy') AND action = ANY($1)""",
        [*ACTIONS, "nominate", "choose", "accept"],
    )
    assert {r["action"] for r in passed} == {*ACTIONS, "nominate", "choose", "accept"}
    judged = 0
    for college in {r["institution_id"] for r in passed}:
        of = {
            s: [r for r in passed if (r["institution_id"], r["subject"]) == (college, s)]
            for s in ("placement", "candidacy")
        }
        led = await year.dossiers(placements.FACTS, [r["subject_id"] for r in of["placement"]], college)
        named = await year.dossiers(candidacies.FACTS, [r["subject_id"] for r in of["candidacy"]], college)
        for r in of["placement"]:
            assert lacking(led[r["subject_id"]], Gate("placement", r["action"]), r["occurred_on"]) == []
        for r in of["candidacy"]:
            c, on = named[r["subject_id"]], r["occurred_on"]
            found = closed_for_nomination(c, on) if r["action"] == "nominate" else c.closed(_gate(r["action"]), on)
            assert found == []
        judged += len(of["placement"]) + len(of["candidacy"])
    assert judged == len(passed)


def _gate(action: str) -> Gate:
    return next(g for g in GATES.values() if g == ("candidacy", action))


async def test_the_office_keeps_its_year_in_view(year: Loaded) -> None:
    rows = await year.rows(
        """SELECT 'target' AS what, state FROM targets UNION ALL SELECT 'test', state FROM sitting_registrations
           UNION ALL SELECT 'care', state FROM assignments UNION ALL SELECT 'correction', state FROM correction_requests"""
    )
    found = {(r["what"], r["state"]) for r in rows}
    assert found >= {("target", "set"), ("care", "assigned"), ("correction", "filed"), ("correction", "refused")}
    assert found >= {("test", s) for s in ("registered", "passed", "failed")}


async def test_organisations_are_verified_suspended_and_expired(year: Loaded) -> None:
    rows = await year.rows(
        "SELECT state, valid_until < DATE '2026-11-20' AS over, count(*) AS n FROM relationships GROUP BY 1, 2"
    )
    assert {(r["state"], r["over"]): r["n"] for r in rows} == {
        ("recorded", None): 6, ("verified", False): 88, ("verified", True): 2, ("suspended", False): 4, ("ended", False): 2,
    }  # fmt: skip


async def test_one_account_a_role_signs_in(year: Loaded) -> None:
    world = year.world
    assert world.password == PASSWORD
    assert Counter(a.role for a in world.accounts if a.email.endswith("@haiyue.example.org")) == Counter(
        [
            "trainee",
            "guardian",
            "coordinator",
            "instructor",
            "registrar",
            "enterprise",
            "agency",
            "partner",
            "reader",
            "admin",
        ]
    )
    found = await year.rows("SELECT email FROM accounts WHERE password_hash IS NOT NULL")
    assert {r["email"] for r in found} == {a.email for a in world.accounts}


def test_progress_ends_with_everything(year: Loaded) -> None:
    last = {what: (done, total) for what, done, total in year.told}
    assert [what for what, (done, total) in last.items() if done != total] == []
    assert last["trainees"] == (MANY, MANY)


async def _stages(loaded: Loaded) -> dict[str, str]:
    rows = await loaded.rows(
        "SELECT t.name_native || ' ' || t.birth_on AS name, h.stage FROM trainees t JOIN heads h ON h.stream_id = t.id"
    )
    return {r["name"]: r["stage"] for r in rows}


async def test_the_same_seed_gives_the_same_year(server: Server, template: str, tmp_path: Path) -> None:
    found = []
    for n, seed in enumerate((7, 7, 8)):
        async with _loaded(server, template, tmp_path / str(n), len(STAGES), seed=seed) as loaded:
            found.append(await _stages(loaded))
    assert found[0] == found[1]
    assert len(found[0]) == len(STAGES)
    assert found[0].keys() != found[2].keys()


# ---- files
def test_the_list_of_applicants_has_chinese_headers_and_real_dates(year: Loaded) -> None:
    rows = CalamineWorkbook.from_path(str(year.files / "2027春季报名表.xlsx")).get_sheet_by_index(0).to_python()
    header = [str(cell) for cell in rows[2]]
    assert header[1:8] == ["姓名", "拼音", "性别", "出生日期", "国籍", "护照号", "护照有效期"]
    assert {type(row[4]) for row in rows[3:]} == {date}
    assert len(rows[3:]) == 120


def test_transcripts_from_thailand_count_the_years_of_the_buddha(year: Loaded) -> None:
    with (year.files / "transcripts-rayong-2569.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["วันที่สำเร็จ"][-4:] for row in rows} == {"2569"}
    assert {row["วันเกิด"][-4:-2] for row in rows} == {"25"}


def test_every_file_is_what_its_name_says(year: Loaded) -> None:
    starts = {path.suffix: path.read_bytes()[:4] for path in year.files.iterdir()}
    assert {s: starts[s] for s in (".xlsx", ".pdf", ".png")} == {
        ".xlsx": b"PK\x03\x04",
        ".pdf": b"%PDF",
        ".png": b"\x89PNG",
    }
    assert len(list(year.files.iterdir())) == 5


# ---- the year and its clock
@pytest.mark.parametrize("count", [15, 16, 60, 333, 3000])
def test_a_year_of_any_size_has_every_stage(count: int) -> None:
    found = shares(count)
    assert len(found) == count
    assert {p.stage for p in found} == set(STAGES)


def test_a_year_has_at_least_one_trainee_a_stage() -> None:
    with pytest.raises(ValueError, match="at least 15"):
        shares(14)


def test_the_whole_year_is_as_it_was_planned() -> None:
    assert WHOLE == 3000
    assert Counter(shares(3000)) == Counter({p: p.weight for p in PATHS})


def test_a_year_never_ends_after_today() -> None:
    assert Year.until(LAST).day("2026-11-20") == LAST
    assert Year.until(date(2026, 12, 24)).last == LAST
    assert Year.until(date(2026, 6, 1)).last == date(2026, 6, 1)


async def test_stories_take_turns_by_their_days() -> None:
    clock, told = Clock(), []

    async def story(*days: int) -> None:
        for day in days:
            await clock.until(date(2026, 1, day))
            told.append(day)

    async def parent() -> None:
        await clock.until(date(2026, 1, 4))
        clock.begin(story(5, 9))

    await clock.tell([story(1, 7, 8), story(2, 3, 10), parent()])
    assert told == [1, 2, 3, 5, 7, 8, 9, 10]


async def test_a_story_cannot_go_backwards() -> None:
    clock = Clock()

    async def story() -> None:
        await clock.until(date(2026, 1, 2))
        await clock.until(date(2026, 1, 1))

    with pytest.raises(Unplanned, match="backwards"):
        await clock.tell([story()])


async def test_a_refusal_that_was_not_planned_stops_the_year(services: Services) -> None:
    from service.actions import institutions, relationships

    home = await institutions.found(
        services, name_native="学院", name_latin="College", country="CN", time_zone="Asia/Shanghai"
    )
    desk = Desk(services, 0, home, Telling(lambda *_: None))
    with pytest.raises(Unplanned, match="one_organisation"):
        await desk.one(date(2026, 1, 2), relationships.SUBJECT, "record", home, role="enterprise")
