"""Somebody is erased: no word of theirs is left anywhere, and the record still verifies and answers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog

from service.actions.erasure import remove_files
from service.domain.actors import ADMIN, COORDINATOR, REGISTRAR, TRAINEE
from service.domain.trainees import ERASED
from service.domain.values import Passport, write_mrz
from service.storage.schema import metadata
from service.storage.tables.personal import ERASED_IN, HELD
from tests.api.test_certificates import JLPT
from tests.api.test_consents import asked
from tests.api.test_documents import upload
from tests.api.test_sittings import register, sitting
from tests.chains import broken_chains
from tests.conftest import TODAY, Client, World
from tests.jobs import Jobs
from tests.sheets import Importing, csv_of

PASSPORT = Passport(
    issuing_state="THA", surname="CANARYJAIDEE", given_names="SOMCHAI", number="CN4711471", nationality="THA",
    birth_on=date(2004, 5, 6), sex="M", expires_on=date(TODAY.year + 5, 1, 31),
)  # fmt: skip
PERSON = {
    "name_native": "ดารา Ёлкина 金丝雀", "name_latin": "CANARYJAIDEE, SOMCHAI", "sex": "male", "birth_on": "2004-05-06",
    "nationality": "TH", "origin": "CANARY-PROVINCE", "email": "canary-mail@example.org", "phone": "+66812340815",
    "language": "th", "identity_no": "CANARY-ID-1103700", "external_ids": [{"system": "student_no", "value": "CANARY-NO-7"}],
    "guardian": {"name": "CANARY-MOTHER 妈妈", "relation": "mother", "phone": "+66899990816"},
}  # fmt: skip
CANARIES = (
    "ดารา", "Ёлкина", "金丝雀", "jin si que", "CANARYJAIDEE", "CN4711471", "2004-05-06", "040506", "CANARY", "canary-",
    "+66812340815", "+66899990816", "妈妈", "เลขที่ลับ",
)  # fmt: skip


async def dumped(dsn: str) -> str:
    """Every row of every table as text, bytes also as the text that they may be."""
    con = await asyncpg.connect(dsn)
    out = []
    try:
        for name, table in metadata.tables.items():
            out += [r["row"] for r in await con.fetch(f"SELECT '{name} ' || t::text AS row FROM {name} t")]
            for column in table.c:
                if str(column.type) == "BLOB":
                    rows = await con.fetch(f"SELECT {column.name} AS v FROM {name} WHERE {column.name} IS NOT NULL")
                    out += [bytes(r["v"]).decode("utf-8", "replace") for r in rows]
    finally:
        await con.close()
    return "\n".join(out)


def left_of(text: str) -> list[str]:
    return [c for c in CANARIES if c.casefold() in text.casefold()]


def files_that_sing(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and b"CANARY" in p.read_bytes()]


async def somebody(world: World, admin: Client, dsn: str) -> tuple[Client, str, list[str]]:
    """A person with something in every field that there is, nothing of it live any more; their id and their items."""
    jobs = await Jobs.of(world)
    c = jobs.coordinator
    lines = dict(zip(("line1", "line2"), write_mrz(PASSPORT), strict=True))
    person = (await c.ok("/v1/trainees", PERSON | {"passport_mrz": lines, "note": "CANARY-NOTE registered"}))["id"]
    path = f"/v1/trainees/{person}"
    assert (await c.post(path + "/sealed", {"purpose": "visa of CANARYJAIDEE"})).status_code == 200
    await upload(c, b"%PDF-1.7 CANARY-SCAN", person_id=person, kind="passport", title="CANARY-TITLE.pdf")
    paper = (await upload(c, b"%PDF-1.7 CANARY-PAPER", person_id=person, kind="certificate")).json()["id"]
    await c.done(f"/v1/documents/{paper}", "accept", {"note": "CANARY-NOTE of a document"})
    notice = {"recipient": "CANARY-RECIPIENT", "purpose": "p", "categories": "c", "rights": "for 金丝雀"}
    consent = await asked(c, person, notice=notice)
    await c.done(consent, "refuse", {"recorded_for": "trainee", "evidence": [paper]})
    certificate = f"/v1/certificates/{(await c.ok('/v1/certificates', JLPT | {'person_id': person, 'number': 'CANARY-N4'}))['id']}"
    where = await sitting(c)
    registration = await register(c, where, person, admission_no="CANARY-SEAT")
    await c.done(registration, "withdraw", {"reason_code": "health", "note": "CANARY-NOTE of health"})
    # ---- a candidacy that ended
    request = await jobs.open()
    (candidacy,) = await jobs.up_to("selected", request, [person])
    await c.done(
        f"/v1/candidacies/{candidacy}",
        "withdraw_by_school",
        {"reason_code": "other", "note": "CANARY-NOTE of a choice"},
    )
    # ---- rows of imports: one that changed them, one that failed and names them, one of a certificate
    sheet = [["学号", "生源地", "邮箱"], ["CANARY-NO-7", "CANARY-PROVINCE-2", "canary-new@example.org"]]
    await (await Importing.of(world, c, csv_of(sheet))).apply()
    faulty = [
        ["学号", "姓名", "拼音姓名", "出生日期", "国籍"],
        ["CANARY-NO-7", "ดารา", "X", "2004-05-06", "CANARY-LAND"],
    ]
    await Importing.of(world, c, csv_of(faulty))
    # ---- what no step here leads to, written past the walls
    con = await asyncpg.connect(dsn)
    await con.execute("SET session_replication_role = replica")
    await con.execute(
        "INSERT INTO requirement_items (institution_id, id, state, version, event_seq, since_on, created_at, stream_id, "
        "subject_kind, subject_id, person_id, key, documents, value, waived_because) "
        "SELECT institution_id, gen_random_uuid(), 'accepted', 1, 1, current_date, now(), id, 'person', id, id, 'visa', "
        "'{}', '{\"number\": \"CANARY-VISA\"}', 'CANARY' FROM trainees WHERE id = $1", person,
    )  # fmt: skip
    await con.execute('UPDATE candidacies SET interview = \'{"place": "CANARY-ROOM"}\' WHERE id = $1', candidacy)
    await con.close()
    # ---- their own account
    mail = "canary-account@example.org"
    trainee = await world.client(TRAINEE, email=mail, person_ids=(person,))
    await trainee.done(path, "ask_erasure", {"reason_code": "consent_withdrawn", "note": "CANARY-NOTE please"})
    return c, path, [certificate, registration, f"/v1/candidacies/{candidacy}", consent, f"/v1/documents/{paper}"]


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[list[Any]]:
    """All that is logged."""
    with structlog.testing.capture_logs() as logs, caplog.at_level(logging.DEBUG):
        yield logs


async def test_erased_person_is_nowhere_and_the_record_verifies(
    world: World, dsn: str, tmp_path: Path, heard: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    admin = await world.client(ADMIN)
    c, path, items = await somebody(world, admin, dsn)
    shown = await dumped(dsn)
    assert {"ดารา", "CANARY", "2004-05-06", "canary-"} <= set(left_of(shown)), "the canaries sing at first"
    assert len(files_that_sing(tmp_path)) == 2
    before = (await c.get(path + "/timeline", limit=200)).json()["items"]
    # ---- what stands against it
    assert await admin.refused(path, "erase") == ["accounts_ended"]
    offer = next(o for o in (await admin.get(path + "/actions")).json()["actions"] if o["action"] == "erase")
    assert [(r["code"], r["actual"]) for r in offer["reasons"]] == [("accounts_ended", 1)]
    held = next(a for a in (await admin.get("/v1/appointments", role="trainee")).json()["items"] if a["person_ids"])
    await admin.done(f"/v1/appointments/{held['id']}", "end")
    # ---- it is done
    done = await admin.done(path, "erase", {"note": "CANARY-NOTE erased"})
    assert done["state"] == "erased"
    assert await remove_files(world.services, world.institution) is False
    # ---- nothing is left
    assert left_of(await dumped(dsn)) == []
    assert files_that_sing(tmp_path) == []
    assert left_of(repr(heard) + caplog.text) == []
    # ---- and everything answers; what was written past the walls is found as such
    assert [found[:2] for found in await broken_chains(dsn)] == [("state_differs", "requirement_items")]
    person = (await c.get(path)).json()
    assert (person["name_native"], person["name_latin"], person["birth_on"], person["state"]) == (
        ERASED, ERASED, None, "erased",
    )  # fmt: skip
    assert person["erased_at"] is not None
    assert (person["passport"], person["external_ids"]) == (None, [])
    after = (await c.get(path + "/timeline", limit=200)).json()["items"]
    assert [e["event_id"] for e in after[: len(before)]] == [e["event_id"] for e in before]
    assert [e["type"] for e in after[len(before) :]] == ["trainee.erased"]
    for item in items:
        read = await c.get(item, include="actions")
        assert read.status_code == 200, (item, read.text)
        assert left_of(read.text) == []
        offers = read.json()["actions"]
        assert {r["code"] for o in offers for r in o["reasons"]} == {"record_open"}
        assert not any(o["open"] for o in offers)
        told = (await c.get(item + "/events")).json()["items"]
        assert [e["note"] for e in told if e["note"]] == []
        listed = await c.get(item.rsplit("/", 1)[0], include="actions")
        assert listed.status_code == 200
    assert (await c.post(path + "/sealed", {"purpose": "a look"})).status_code == 404
    assert (await c.get("/v1/funnel")).status_code in (200, 404)
    assert (await c.get(path, include="actions")).status_code == 200
    # ---- nobody writes there any more
    again = await c.post("/v1/consents", {"person_id": person["id"], "purpose": "statistics", "fields": ["sex"],
                                          "notice": {"recipient": "r", "purpose": "p", "categories": "c", "rights": "r"}})  # fmt: skip
    assert [(r["code"], r["actual"]) for r in again.json()["reasons"]] == [("record_open", "erased")]
    assert await c.refused(items[0], "reject", {"reason_code": "fraud"}) == ["record_open"]
    assert await admin.refused(path, "erase") == ["not_from_this_state"]
    # ---- their numbers are free for whoever comes
    lines = dict(zip(("line1", "line2"), write_mrz(PASSPORT), strict=True))
    await c.ok("/v1/trainees", PERSON | {"passport_mrz": lines})


async def test_erasure_reaches_every_table_that_says_so(world: World, dsn: str) -> None:
    """Whatever a table declares blank is blank in the rows of the erased person, and of nobody else."""
    admin = await world.client(ADMIN)
    c, path, _ = await somebody(world, admin, dsn)
    other = (await c.ok("/v1/trainees", PERSON | {"identity_no": "CANARY-OTHER", "external_ids": []}))["id"]
    held = next(a for a in (await admin.get("/v1/appointments", role="trainee")).json()["items"] if a["person_ids"])
    await admin.done(f"/v1/appointments/{held['id']}", "end")
    await admin.done(path, "erase")
    con = await asyncpg.connect(dsn)
    try:
        for name in ERASED_IN:
            if "person_id" in metadata.tables[name].c:
                rows = await con.fetch(f"SELECT * FROM {name} WHERE person_id = $1", path.rsplit("/", 1)[1])
                for column, blank in HELD[name].blank.items():
                    assert {_plain(r[column]) for r in rows} <= {_plain(blank)}, (name, column)
        account = await con.fetchrow("SELECT * FROM accounts WHERE id = $1", held["account_id"])
        assert account is not None
        assert (account["email"], account["name"], account["password_hash"]) == (None, ERASED, None)
        assert await con.fetchval("SELECT count(*) FROM files_to_remove") == 2
    finally:
        await con.close()
    assert (await c.get(f"/v1/trainees/{other}")).json()["name_native"] == PERSON["name_native"]


def _plain(value: Any) -> str:
    return {None: "", "{}": "{}"}.get(value, str(value)) if not isinstance(value, dict | list) else str(value)


async def test_erasure_is_refused_with_every_reason_there_is(world: World, dsn: str) -> None:
    admin, registrar = await world.client(ADMIN), await world.client(REGISTRAR)
    both = await world.client(ADMIN, COORDINATOR)
    c = await world.client(COORDINATOR)
    person = (await c.ok("/v1/trainees", PERSON))["id"]
    path = f"/v1/trainees/{person}"
    await c.done(path, "confirm_availability", {"available_from": str(TODAY), "available_until": str(TODAY)})
    await both.done(path, "ask_erasure", {"reason_code": "objection"})
    assert (await c.get(path)).json()["erasure_asked_on"] == str(TODAY)
    cost = {"type": "deposit", "amount": "5000", "currency": "CNY", "payer": "family", "receiver": "agency"}
    await c.ok("/v1/costs", cost | {"person_id": person})
    answer = await both.act(path, "erase")
    assert [(r["code"], r.get("required"), r.get("actual")) for r in answer.json()["reasons"]] == [
        ("erased_by_another", None, None), ("nothing_live", None, ["availability"]), ("nothing_owed", 0, 1),
    ]  # fmt: skip
    assert await registrar.refused(path, "erase", status=403) == ["role"]
    await admin.done(path, "decline_erasure", {"reason_code": "legal_claims"})
    assert await admin.refused(path, "erase") == ["erasure_asked", "nothing_live", "nothing_owed"]
    # ---- a voucher is kept by a rule that nobody verified: whoever looked sets it aside
    await registrar.done(path, "ask_erasure", {"reason_code": "purpose_ended"})
    await c.done(path, "end_availability")
    con = await asyncpg.connect(dsn)
    await con.execute("UPDATE costs SET type = 'medical'")
    await con.close()
    refused = (await admin.act(path, "erase")).json()["reasons"]
    until = str(replace(PASSPORT, expires_on=TODAY).expires_on.replace(year=TODAY.year + 30))
    assert [(r["code"], r["required"], r["actual"]) for r in refused] == [("kept_by_law", until, "cn_vouchers")]
    done = await admin.done(path, "erase", {"set_aside": ["cn_vouchers"]})
    events = (await c.get(path + "/events")).json()["items"]
    assert (done["state"], events[-1]["data"]) == ("erased", {"set_aside": ["cn_vouchers"]})
    assert await broken_chains(dsn) == []
