"""Everything that is held on a person, as an archive: complete over the catalogue of tables, counted, and digested."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
from sqlalchemy import LargeBinary

from service.domain.actors import ADMIN, COORDINATOR, ENTERPRISE, INSTRUCTOR, REGISTRAR, TRAINEE
from service.domain.values import Passport, write_mrz
from service.storage.held import HELD, KEPT_BACK, NOT_HELD, NUMBERS, PARENTS, ROWS_KEPT_BACK, SEALED
from service.storage.schema import metadata
from tests.api.studying import Studies, upload
from tests.api.test_documents import person
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import Client, World
from tests.furnished import furnish

NAMES = frozenset({"person_id", "person_ids", "stream_id", "subject_id", "account_id", "item_id"})
"""Columns by which a table can lead to a person without a foreign key."""
BORN = date(2004, 5, 6)
NOT_OF_PEOPLE = frozenset({"accounts", "shared_accounts", "invitations"})


def test_every_table_that_leads_to_a_person_is_given_out_or_named() -> None:
    found = {"trainees"}
    while True:
        leads = {t.name for t in metadata.sorted_tables for f in t.foreign_keys if f.column.table.name in found}
        if leads <= found:
            break
        found |= leads
    found |= {t.name for t in metadata.sorted_tables if NAMES & set(t.c.keys())} | NOT_OF_PEOPLE | {"credentials"}
    assert set(HELD) | set(NOT_HELD) == found
    assert set(HELD) & set(NOT_HELD) == set()
    assert [why for why in (*NOT_HELD.values(), *KEPT_BACK.values(), *ROWS_KEPT_BACK.values()) if not why] == []


def test_every_sealed_column_is_opened_as_what_it_was_sealed() -> None:
    sealed = {
        (t, c.name) for t in HELD for c in metadata.tables[t].c
        if isinstance(c.type, LargeBinary) and c.name.endswith("sealed")
    }  # fmt: skip
    assert set(SEALED) == sealed
    assert {label for label, _ in SEALED.values()} >= NUMBERS
    assert set(KEPT_BACK) <= {(t, c) for t in HELD for c in metadata.tables[t].c.keys()}  # noqa: SIM118 - not a dict
    assert set(PARENTS) <= set(HELD)


async def taken(client: Client, who: str, body: Any = None, status: int = 200) -> httpx.Response:
    answer = await client.post(f"/v1/trainees/{who}/export", body)
    assert answer.status_code == status, answer.text
    return answer


def opened(answer: httpx.Response) -> tuple[dict[str, Any], dict[str, Any], dict[str, bytes]]:
    """The manifest, the rows of each table, and the documents; every file is as long and digested as it says."""
    assert int(answer.headers["content-length"]) == len(answer.content)
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    manifest = json.loads(archive.read("manifest.json"))
    told = [f for f in manifest["files"] if f["name"] is not None]
    assert {f["name"] for f in told} | {"manifest.json"} == set(archive.namelist())
    for f in told:
        content = archive.read(f["name"])
        assert (f["size"], f["sha256"]) == (len(content), hashlib.sha256(content).hexdigest()), f
    rows = {f["kind"]: json.loads(archive.read(f["name"])) for f in told if f["kind"] != "document"}
    assert {f["kind"]: f["rows"] for f in told if f["kind"] != "document"} == {k: len(v) for k, v in rows.items()}
    return manifest, rows, {f["id"]: archive.read(f["name"]) for f in told if f["kind"] == "document"}


async def test_person_takes_a_copy_of_everything(world: World) -> None:
    s = await Studies.begin(world)
    line1, line2 = write_mrz(Passport("THA", "JAIDEE", "SOMCHAI", "AA1234567", "THA", BORN, "M", date(2034, 1, 1)))
    who = await person(
        s.c, name_native="สมชาย ใจดี", name_latin="JAIDEE, SOMCHAI", nationality="TH", birth_on=str(BORN),
        passport_mrz={"line1": line1, "line2": line2}, external_ids=[{"system": "sis", "value": "2026-001"}],
    )  # fmt: skip
    neighbour = await person(s.c, name_native="Ольга")
    trainee = await world.client(TRAINEE, person_ids=(UUID(who),))
    application = await s.application(who, until="draft")
    scan = await upload(trainee, "passport", who)
    theirs = await upload(s.c, "identity", neighbour)
    wrong = {"person_id": who, "subject": "trainee", "field": "origin", "wrong": "ผิด", "right": "เชียงใหม่"}
    await trainee.ok("/v1/correction-requests", wrong)
    manifest, rows, papers = opened(await taken(trainee, who))
    assert (manifest["schema"], manifest["person_id"], manifest["sealed_fields_opened"]) == (
        "sojourn.person/1", who, True,
    )  # fmt: skip
    assert set(rows) == set(HELD)
    assert set(manifest["left_out"]["tables"]) == set(NOT_HELD)
    (own,) = rows["trainees"]
    assert (own["name_native"], own["passport"]["number"], own["state"]) == ("สมชาย ใจดี", "AA1234567", "known")
    assert [c for c in own if c.endswith(("_sealed", "_index"))] == []
    assert rows["correction_requests"][0]["said"] == {"wrong": "ผิด", "right": "เชียงใหม่"}
    assert [a["id"] for a in rows["applications"]] == [application.rsplit("/", 1)[1]]
    assert rows["external_ids"][0]["value"] == "2026-001"
    assert list(papers) == [scan]
    assert papers[scan] == (await trainee.get(f"/v1/documents/{scan}/content")).content
    timeline = (await trainee.get(f"/v1/trainees/{who}/timeline", limit=200)).json()["items"]
    assert [e["event_id"] for e in rows["events"]] == [e["event_id"] for e in timeline]
    assert (timeline[-1]["action"], timeline[-1]["data"]) == ("export", {"sealed_fields_opened": True})
    assert [x for x in (neighbour, theirs, "Ольга") if x in json.dumps([manifest, rows], ensure_ascii=False)] == []
    one = (await taken(trainee, who)).headers
    assert (one["content-type"], one["cache-control"]) == ("application/zip", "no-store")


async def test_staff_say_what_for_and_see_what_they_may(world: World) -> None:
    c, registrar, admin = [await world.client(r) for r in (COORDINATOR, REGISTRAR, ADMIN)]
    who = await person(c, name_native="阮氏香", identity_no="110101200405060011")
    scan, letter = await upload(c, "identity", who), await upload(c, "correspondence", who)
    trainee = await world.client(TRAINEE, person_ids=(UUID(who),))
    for client in (registrar, admin):
        refused = await taken(client, who, status=409)
        assert [r["code"] for r in refused.json()["reasons"]] == ["purpose_stated"]
    purpose = {"purpose": "handed over on paper, asked for in writing"}
    manifest, rows, papers = opened(await taken(admin, who, purpose))
    assert (rows["trainees"][0]["identity_no"], manifest["sealed_fields_opened"]) == (
        {"masked": True, "reason": "purpose_needed"}, False,
    )  # fmt: skip
    assert list(papers) == [letter]
    assert [f["id"] for f in manifest["files"] if f.get("left_out")] == [scan]
    _, rows, papers = opened(await taken(registrar, who, purpose))
    assert rows["trainees"][0]["identity_no"] == "110101200405060011"
    assert set(papers) == {scan, letter}
    by_paper = purpose | {"recorded_for": "trainee", "evidence": [letter]}
    assert [r["code"] for r in (await taken(c, who, purpose, 409)).json()["reasons"]] == ["recorded_for_required"]
    await taken(c, who, by_paper)
    seen = (await trainee.get(f"/v1/trainees/{who}/openings")).json()["items"]
    whole = ["export", "passport", "identity_no", "guardian"]
    assert [(o["fields"], o["purpose"]) for o in seen] == [
        (whole, purpose["purpose"]), (whole, purpose["purpose"]), (["export"], purpose["purpose"]),
    ]  # fmt: skip
    timeline = (await trainee.get(f"/v1/trainees/{who}/timeline")).json()["items"]
    assert [e["action"] for e in timeline].count("export") == 3
    assert "handed over" not in str(timeline)


async def test_copy_is_nobody_elses(world: World) -> None:
    c = await world.client(COORDINATOR)
    who, neighbour = await person(c), await person(c, name_latin="LI, NA")
    other = await world.client(TRAINEE, person_ids=(UUID(neighbour),))
    tie = (await c.ok("/v1/relationships", ENTERPRISE_BODY))["created"]["organisation"]
    enterprise = await world.client(ENTERPRISE, organisation_id=tie)
    stranger = await world.client(REGISTRAR, institution=await world.other())
    body = {"purpose": "looking around"}
    for client, status in ((enterprise, 403), (await world.client(INSTRUCTOR), 403), (other, 404), (stranger, 404)):
        await taken(client, who, body, status)
    assert (await taken(stranger, str(uuid4()), body, 404)).json()["type"] == "/problems/not-found"


async def test_rows_of_every_table_come_with_it(world: World, dsn: str) -> None:
    """A row in every table, each leading to the next: everything that leads to the person is in the archive."""
    elsewhere = await world.other()
    ids = await furnish(dsn, elsewhere)
    registrar = await world.client(REGISTRAR, institution=elsewhere)
    con = await asyncpg.connect(dsn)
    await con.execute("SET session_replication_role = replica")
    await con.execute("UPDATE trainees SET state = 'known'")
    await con.execute("UPDATE obligations SET owed_by = '{trainee}'")
    await con.execute("UPDATE external_ids SET subject = 'trainee', subject_id = $1", ids["trainees"])
    await con.execute("UPDATE openings SET person_id = $1", ids["trainees"])
    await con.execute("UPDATE sights SET person_id = $1", ids["trainees"])
    await con.execute("UPDATE recognition_cases SET told_round = 9")
    await con.execute(
        "UPDATE appointments SET person_ids = ARRAY[$1::uuid] WHERE id = $2", ids["trainees"], ids["appointments"]
    )
    await con.execute("DELETE FROM stream_keys WHERE stream_id <> $1", ids["trainees"])
    await con.execute(
        "UPDATE events SET stream_id = $1, seq = 1, evidence = '[]' WHERE stream_id = $2",
        ids["trainees"],
        ids["events"],
    )
    await con.close()
    answer = await registrar.post(f"/v1/trainees/{ids['trainees']}/export", {"purpose": "a test"})
    assert answer.status_code == 200, answer.text
    _, rows, _ = opened(answer)
    assert [t for t, found in rows.items() if not found] == []


async def test_long_record_comes_whole_and_in_order(world: World, dsn: str) -> None:
    """More events than are read at a time: none is lost between two readings, and each says what the timeline says."""
    who = await person(await world.client(COORDINATOR), name_native="Ольга")
    trainee = await world.client(TRAINEE, person_ids=(UUID(who),))
    con = await asyncpg.connect(dsn)
    await con.execute("SET session_replication_role = replica")
    told = {"seq": "1000 + g", "event_id": "gen_random_uuid()", "hash": "sha256(g::text::bytea)"}
    names = [c.name for c in metadata.tables["events"].c]
    await con.execute(
        f"INSERT INTO events ({', '.join(names)}) SELECT {', '.join(told.get(n, n) for n in names)} "
        "FROM events, generate_series(1, 1200) g WHERE stream_id = $1 AND seq = 1",
        UUID(who),
    )
    await con.close()
    _, rows, _ = opened(await taken(trainee, who))
    events = rows["events"]
    assert [e["seq"] for e in events if e["seq"] > 1000] == list(range(1001, 2201))
    assert events[-1]["hash"] == hashlib.sha256(b"1200").hexdigest()
    first = (await trainee.get(f"/v1/trainees/{who}/timeline", limit=1)).json()["items"][0]
    assert {n: events[0][n] for n in ("event_id", "recorded_at", "occurred_on", "data")} == {
        n: first[n] for n in ("event_id", "recorded_at", "occurred_on", "data")
    }
