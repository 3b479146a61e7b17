"""Documents over HTTP: stored once or not at all, given out as attachments, opened on record."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from service.actions import documents as actions
from service.api.routes.documents import disposition, filename
from service.domain.actors import (
    ADMIN,
    COORDINATOR,
    ENTERPRISE,
    GUARDIAN,
    INSTRUCTOR,
    READER,
    TRAINEE,
)
from service.storage.files import CSV, PDF
from tests.api.test_relationships import ENTERPRISE_BODY
from tests.conftest import Client, World

PDF_BYTES = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
TRAINEE_BODY = {
    "name_native": "王伟",
    "name_latin": "WANG, WEI",
    "birth_on": "2004-05-06",
    "nationality": "CN",
}


async def upload(
    client: Client, data: bytes = PDF_BYTES, *, key: str | None = None, name: str = "scan.pdf", **fields: Any
) -> httpx.Response:
    said = {"kind": "diploma", "title": "毕业证书"} | fields
    return await client.http.post(
        "/v1/documents",
        data={k: v for k, v in said.items() if v is not None},
        files={"file": (name, data, "application/pdf")},
        headers={"authorization": f"Bearer {client.token}", "idempotency-key": key or uuid4().hex},
    )


async def person(client: Client, **more: Any) -> str:
    return str((await client.ok("/v1/trainees", TRAINEE_BODY | more))["id"])


def stored(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


async def test_document_is_stored_with_its_row_and_event(world: World, tmp_path: Path) -> None:
    c = await world.client(COORDINATOR)
    trainee = await person(c)
    made = await upload(c, person_id=trainee)
    assert made.status_code == 201, made.text
    path = f"/v1/documents/{made.json()['id']}"
    shown = (await c.get(path)).json()
    me = (await c.get("/v1/me")).json()["account_id"]
    assert {k: v for k, v in shown.items() if k not in ("id", "since_on", "created_at")} == {
        "version": 1, "state": "uploaded", "person_id": trainee, "kind": "diploma", "title": "毕业证书", "media_type": PDF,
        "size": len(PDF_BYTES), "sha256": hashlib.sha256(PDF_BYTES).hexdigest(), "uploaded_by": me,
    }  # fmt: skip
    file = await c.get(path + "/content")
    assert file.content == PDF_BYTES
    assert {
        n: file.headers[n] for n in ("content-type", "content-length", "x-content-type-options", "cache-control")
    } == {
        "content-type": PDF,
        "content-length": str(len(PDF_BYTES)),
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    assert file.headers["content-disposition"] == (
        "attachment; filename=\"____.pdf\"; filename*=UTF-8''%E6%AF%95%E4%B8%9A%E8%AF%81%E4%B9%A6.pdf"
    )
    events = (await c.get(f"/v1/trainees/{trainee}/timeline")).json()["items"]
    assert [(e["type"], e["data"]) for e in events[1:]] == [
        ("document.uploaded", {"kind": "diploma", "media_type": PDF, "size": len(PDF_BYTES)})
    ]
    assert [p.read_bytes() for p in stored(tmp_path)] == [PDF_BYTES]


async def test_document_repeated_with_its_key_is_one(world: World, tmp_path: Path) -> None:
    c = await world.client(COORDINATOR)
    key = uuid4().hex
    first, again = await upload(c, key=key), await upload(c, key=key, name="another-name.pdf")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    for other in (await upload(c, PDF_BYTES + b"%", key=key), await upload(c, key=key, title="x")):
        assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert len(stored(tmp_path)) == 1
    assert len((await c.get("/v1/documents")).json()["items"]) == 1


async def test_document_uploaded_many_times_at_once_with_one_key_is_one(world: World, tmp_path: Path) -> None:
    c = await world.client(COORDINATOR)
    key = uuid4().hex
    answers = await asyncio.gather(*(upload(c, key=key) for _ in range(8)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1
    assert len(stored(tmp_path)) == 1


def archive(**parts: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        for name, data in parts.items():
            z.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "file_empty"),
        (b"MZ\x90\x00\x03", 415, "file_unknown_kind"),
        (b"<html><script>alert(1)</script>", 415, "file_unknown_kind"),
        (b"PK\x03\x04 and nothing more", 422, "file_damaged"),
        (
            archive(**{"[Content_Types].xml": b"", "xl/workbook.xml": b"", "xl/vbaProject.bin": b"x"}),
            422,
            "file_macros",
        ),
    ],
)
async def test_document_of_no_kept_kind_leaves_nothing(
    world: World, tmp_path: Path, data: bytes, status: int, code: str
) -> None:
    c = await world.client(COORDINATOR)
    refused = await upload(c, data)
    assert refused.status_code == status, refused.text
    assert [(r["code"], r["pointer"]) for r in refused.json()["reasons"]] == [(code, "/file")]
    assert stored(tmp_path) == []


async def test_document_too_large_is_refused_and_leaves_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_BYTES", 1000)
    c = await world.client(COORDINATOR)
    assert (await upload(c, PDF_BYTES.ljust(1000, b"%"))).status_code == 201
    refused = await upload(c, PDF_BYTES.ljust(1001, b"%"))
    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/too-large")
    assert len(stored(tmp_path)) == 1


async def test_document_refused_takes_its_bytes_away(world: World, tmp_path: Path) -> None:
    c, reader = await world.client(COORDINATOR), await world.client(READER)
    stranger = await world.client(COORDINATOR, institution=await world.other())
    trainee = await person(c)
    answers = [
        await upload(c, person_id=str(uuid4())),
        await upload(stranger, person_id=trainee),
        await upload(reader),
        await c.http.post(
            "/v1/documents",
            data={"kind": "other", "title": "x"},
            files={"file": ("a", PDF_BYTES)},
            headers={"authorization": f"Bearer {c.token}"},
        ),
    ]
    assert [(a.status_code, a.json()["type"]) for a in answers] == [
        (404, "/problems/not-found"),
        (404, "/problems/not-found"),
        (403, "/problems/forbidden"),
        (400, "/problems/idempotency-key-missing"),
    ]
    assert stored(tmp_path) == []


async def test_document_form_must_hold_what_is_declared(world: World, tmp_path: Path) -> None:
    c = await world.client(COORDINATOR)
    unknown = await upload(c, state="accepted")
    kind = await upload(c, kind="selfie")
    untitled = await upload(c, title="")
    nameless = await upload(c, person_id="me")
    assert [
        [(r["code"], r.get("pointer")) for r in a.json()["reasons"]] for a in (unknown, kind, untitled, nameless)
    ] == [
        [("extra_forbidden", "/state")],
        [("literal_error", "/kind")],
        [("string_too_short", "/title")],
        [("uuid_parsing", "/person_id")],
    ]
    headers = {"authorization": f"Bearer {c.token}", "idempotency-key": "k"}
    fileless = await c.http.post(
        "/v1/documents", files={"kind": (None, "other"), "title": (None, "x")}, headers=headers
    )
    assert (fileless.status_code, fileless.json()["reasons"][0]["pointer"]) == (422, "/file")
    assert stored(tmp_path) == []


BOUNDARY = b"--b\r\n"
DISPOSED = b"content-disposition: form-data; name="


@pytest.mark.parametrize(
    ("media", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=b", b"", 400),
        ("multipart/form-data; boundary=b", b"no parts", 400),
        ("multipart/form-data; boundary=b", BOUNDARY + DISPOSED + b'"file"\r\n\r\n%PDF-1.7', 400),
        ("multipart/form-data; boundary=b", BOUNDARY + DISPOSED + b'"title"\r\n\r\n' + "王".encode("gbk") + b"\r\n--b--\r\n", 400),
        ("multipart/form-data; boundary=b", (BOUNDARY + DISPOSED + b'"kind"\r\n\r\nother\r\n') * 2 + b"--b--\r\n", 400),
        ("multipart/form-data; boundary=b", BOUNDARY + b"\r\n\r\nx\r\n--b--\r\n", 400),
        ("multipart/form-data; boundary=b", BOUNDARY + DISPOSED + b'"title"\r\n\r\n' + b"x" * 20_000 + b"\r\n--b--\r\n", 413),
        ("multipart/form-data; boundary=" + "b" * 300, b"", 400),
    ],
)  # fmt: skip
async def test_document_form_that_is_none_is_refused(
    world: World, tmp_path: Path, media: str, body: bytes, status: int
) -> None:
    c = await world.client(COORDINATOR)
    headers = {"authorization": f"Bearer {c.token}", "idempotency-key": "k", "content-type": media}
    assert (await c.http.post("/v1/documents", content=body, headers=headers)).status_code == status
    assert (
        await c.http.post("/v1/documents", content=body, headers=headers | {"authorization": ""})
    ).status_code == 401
    assert stored(tmp_path) == []


async def test_document_is_seen_by_whom_it_concerns(world: World) -> None:
    c = await world.client(COORDINATOR)
    mine, theirs = await person(c), await person(c, name_native="李娜", name_latin="LI, NA")
    trainee = await world.client(TRAINEE, person_ids=(mine,))
    guardian = await world.client(GUARDIAN, person_ids=(mine,))
    organisation = (await c.ok("/v1/relationships", ENTERPRISE_BODY))["created"]["organisation"]
    one = await world.client(ENTERPRISE, organisation_id=organisation)
    another = await world.client(ENTERPRISE, organisation_id=organisation)
    own = (await upload(trainee, person_id=mine)).json()["id"]
    other = (await upload(c, person_id=theirs)).json()["id"]
    house = (await upload(c, kind="licence")).json()["id"]
    contract = (await upload(one, kind="contract")).json()["id"]

    async def seen(client: Client) -> list[str]:
        return [d["id"] for d in (await client.get("/v1/documents")).json()["items"]]

    assert await seen(c) == [own, other, house, contract]
    assert await seen(trainee) == await seen(guardian) == [own]
    assert await seen(one) == [contract]
    assert await seen(another) == []
    for client, hidden in ((trainee, other), (trainee, house), (another, contract), (one, own)):
        for path in (f"/v1/documents/{hidden}", f"/v1/documents/{hidden}/content"):
            assert (await client.get(path)).status_code == 404
    assert (await upload(one, person_id=mine)).status_code == 404
    assert (await upload(trainee, person_id=theirs)).status_code == 404
    nobody = await upload(trainee)
    assert (nobody.status_code, [r["code"] for r in nobody.json()["reasons"]]) == (409, ["person_named"])


async def test_document_of_a_sensitive_kind_is_opened_for_a_purpose_on_record(world: World) -> None:
    c = await world.client(COORDINATOR)
    trainee_id = await person(c)
    trainee = await world.client(TRAINEE, person_ids=(trainee_id,))
    path = f"/v1/documents/{(await upload(c, person_id=trainee_id, kind='passport')).json()['id']}/content"
    shut = await c.get(path)
    assert (shut.status_code, [r["code"] for r in shut.json()["reasons"]]) == (403, ["purpose_needed"])
    for role in (INSTRUCTOR, ADMIN):
        other = await world.client(role)
        assert (await other.post(path, {"purpose": "to have a look"})).json()["reasons"][0]["code"] == "role"
    opened = await c.post(path, {"purpose": "visa application"})
    assert (opened.status_code, opened.content) == (200, PDF_BYTES)
    assert (await trainee.get(path)).content == PDF_BYTES
    log = (await trainee.get(f"/v1/trainees/{trainee_id}/openings")).json()["items"]
    assert [(o["fields"], o["purpose"]) for o in log] == [(["document:passport"], "visa application")]


async def test_document_is_accepted_rejected_superseded_and_corrected(world: World) -> None:
    c = await world.client(COORDINATOR)
    instructor = await world.client(INSTRUCTOR)
    paths = [f"/v1/documents/{(await upload(c)).json()['id']}" for _ in range(2)]
    assert await c.refused(paths[0], "supersede") == ["not_from_this_state"]
    assert (await c.act(paths[0], "reject")).status_code == 422
    assert await instructor.refused(paths[0], "accept", status=403) == ["role"]
    assert (await c.done(paths[0], "accept"))["state"] == "accepted"
    assert (await c.done(paths[0], "supersede"))["state"] == "superseded"
    assert (await c.done(paths[1], "reject", {"reason_code": "unreadable"}))["state"] == "rejected"
    assert (await c.done(paths[1], "correct", {"note": "readable after all"}))["state"] == "uploaded"
    bulk = await c.ok("/v1/documents/bulk/accept", {"items": [{"id": paths[1].rsplit("/", 1)[1], "version": 3}]})
    assert (bulk["done"], bulk["refused"]) == (1, 0)


async def test_document_is_evidence_of_its_person_alone(world: World) -> None:
    c = await world.client(COORDINATOR)
    mine, theirs = await person(c), await person(c, name_native="李娜", name_latin="LI, NA")
    consent = await c.ok(
        "/v1/consents",
        {
            "person_id": mine,
            "purpose": "statistics",
            "fields": ["sex"],
            "notice": {"recipient": "-", "purpose": "-", "categories": "-", "rights": "-"},
        },
    )
    path = f"/v1/consents/{consent['id']}"
    body = {"recorded_for": "trainee", "evidence": [(await upload(c, person_id=theirs)).json()["id"]]}
    assert await c.refused(path, "give", body) == ["evidence_known"]
    body["evidence"] = [(await upload(c, person_id=mine)).json()["id"]]
    assert (await c.done(path, "give", body))["state"] == "given"


@pytest.mark.parametrize(
    ("title", "media", "name"),
    [
        ("毕业证书", PDF, "毕业证书.pdf"),
        ("scan.PDF", PDF, "scan.pdf"),
        ("../../etc/passwd", PDF, "_.._etc_passwd.pdf"),
        ('a"; filename=evil.exe', PDF, "a__ filename=evil.exe.pdf"),
        ("invoice\u202efdp.exe", PDF, "invoice fdp.exe.pdf"),
        ("line\r\nSet-Cookie: x", CSV, "line Set-Cookie_ x.csv"),
        ("...", PDF, "document.pdf"),
        ("ប័ណ្ណ", PDF, "ប័ណ្ណ.pdf"),
    ],
)
def test_filename_misleads_nobody(title: str, media: str, name: str) -> None:
    assert filename(title, media) == name
    header = disposition(name)
    assert header.isascii()
    assert header.count('"') == 2


async def test_document_is_given_out_as_a_file_that_no_browser_opens(world: World) -> None:
    c = await world.client(COORDINATOR)
    made = await upload(c, b"%PDF-1.7\n%%EOF\n", title="毕业证书 <b>.pdf")
    answer = await c.get(f"/v1/documents/{made.json()['id']}/content")
    assert answer.status_code == 200, answer.text
    assert {name: answer.headers[name] for name in ("content-security-policy", "x-content-type-options", "cache-control")} == {
        "content-security-policy": "default-src 'none'; sandbox", "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }  # fmt: skip
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
