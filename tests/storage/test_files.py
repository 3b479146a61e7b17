"""Documents on a real folder (on S3 too where moto is installed): what is taken in, what nasty ones leave behind."""

import asyncio
import hashlib
import io
import os
import struct
import sys
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import xlsxwriter

from service.storage import files
from service.storage.files import Files, Missing, NotAccepted, Stored, TooLarge, Unreachable

MIB = 1024 * 1024
INSTITUTION = UUID("0192f0c1-7c52-7d7e-9f0e-5f3f6f2f9f10")
PDF_BYTES = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


async def pieces(content: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def put(
    store: Files, content: bytes, *, limit: int = MIB, size: int = 65536, document_id: UUID | None = None
) -> Stored:
    chunks = pieces(content, size)
    return await store.put(chunks, institution=INSTITUTION, document_id=document_id or uuid4(), limit=limit)


def remains(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def archive(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as out:
        for name, content in parts.items():
            out.writestr(name, content)
    return buffer.getvalue()


def workbook() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.add_worksheet().write_column(0, 0, ["姓名", "Wang Xiaoming"])
    return buffer.getvalue()


DOCUMENT = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"}
SHEETS = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "documents"


@pytest.fixture
def store(folder: Path) -> Files:
    return Files(folder.as_uri())


ACCEPTED = [
    (PDF_BYTES, files.PDF),
    (b"%PDF-1.4\n<html><script>alert(1)</script>", files.PDF),  # served as an attachment, never as a page
    (b"\x89PNG\r\n\x1a\n" + bytes(40), files.PNG),
    (b"\xff\xd8\xff\xe0" + bytes(40), files.JPEG),
    (workbook(), files.XLSX),
    (archive(DOCUMENT), files.DOCX),
    ("\ufeff姓名;学号\n王小明;20260001\n".encode(), files.CSV),
    (b"name,number\r\nWang,1\r\n", files.CSV),
    ("一封信，没有表格。\n再见\n".encode(), files.TEXT),
    (b"a", files.TEXT),
]


@pytest.mark.parametrize(("content", "media_type"), ACCEPTED, ids=range(len(ACCEPTED)))
async def test_put_recognises_and_gives_back_every_byte(
    store: Files, folder: Path, content: bytes, media_type: str
) -> None:
    document_id = uuid4()
    stored = await put(store, content, document_id=document_id)
    assert stored == Stored(hashlib.sha256(content).hexdigest(), len(content), media_type)
    read = await store.get(institution=INSTITUTION, document_id=document_id)
    assert b"".join([chunk async for chunk in read]) == content
    assert remains(folder) == [f"{INSTITUTION.hex}/{document_id.hex[-2:]}/{document_id.hex}"]


def encrypted() -> bytes:
    content = bytearray(archive(SHEETS))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(signature, at + 1)) >= 0:
            content[at + flags] |= 1
    return bytes(content)


def damaged() -> bytes:
    content = bytearray(archive({**SHEETS, "xl/worksheets/sheet1.xml": os.urandom(2000)}))
    at = content.find(b"sheet1.xml")
    content[at + 500] ^= 0xFF
    return bytes(content)


def lies_about_sizes() -> bytes:
    """The part unpacks to 50 MiB, the list of parts says ten bytes."""
    content = bytearray(archive({**SHEETS, "xl/worksheets/sheet1.xml": bytes(50 * MIB)}))
    at = content.rfind(b"PK\x01\x02")
    struct.pack_into("<L", content, at + 24, 10)
    return bytes(content)


def long_directory() -> bytes:
    """A list of parts far longer than any office program writes: 40,000 empty parts in 4 MB."""
    return archive({**SHEETS, **{f"xl/{n:06}": b"" for n in range(40_000)}}, zipfile.ZIP_STORED)


def hidden_directory_size() -> bytes:
    """The usual end record claims a short list; a 64-bit one, which readers prefer, claims 1 GB."""
    content = archive(SHEETS)
    at = content.rfind(b"PK\x05\x06")
    end_64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, 1 << 30, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    return content[:at] + end_64 + locator + content[at:]


def repeated(part: bytes) -> dict[str, bytes]:
    return {**SHEETS, **{f"xl/{n}": part for n in range(10)}}


# fmt: off
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing":              (bytes,                                                "empty"),
    "windows program":      (lambda: b"MZ\x90\x00" + bytes(60),                    "unknown_kind"),
    "linux program":        (lambda: b"\x7fELF" + bytes(60),                       "unknown_kind"),
    "gif":                  (lambda: b"GIF89a" + bytes(20),                        "unknown_kind"),
    "pdf after a blank":    (lambda: b" %PDF-1.7\n\x00",                           "unknown_kind"),
    "html":                 (lambda: b"  <html><script>",                          "unknown_kind"),
    "svg behind a mark":    (lambda: b"\xef\xbb\xbf<svg onload=x>",                "unknown_kind"),
    "shell script":         (lambda: b"#!/bin/sh\n",                               "unknown_kind"),
    "text with nul":        (lambda: b"text with a \x00 in it",                    "unknown_kind"),
    "text in gb18030":      (lambda: "姓名".encode("gb18030"),                      "unknown_kind"),
    "text cut in a letter": (lambda: "名".encode()[:-1],                           "unknown_kind"),
    "text in utf-16":       (lambda: "text".encode("utf-16"),                      "unknown_kind"),
    "four bytes of a zip":  (lambda: b"PK\x03\x04",                                "damaged"),
    "xlsx without its end": (lambda: archive(SHEETS)[:-30],                             "damaged"),
    "half an xlsx":         (lambda: workbook()[: len(workbook()) // 2],           "damaged"),
    "plain zip":            (lambda: archive({"a.txt": b"a"}),                     "unknown_kind"),
    "no content types":     (lambda: archive({"xl/workbook.xml": b"a"}),           "unknown_kind"),
    "packed with lzma":     (lambda: archive(SHEETS, zipfile.ZIP_LZMA),            "unknown_kind"),
    "macros":               (lambda: archive({**SHEETS, "xl/vbaProject.bin": b""}), "macros"),
    "encrypted":            (encrypted,                                            "encrypted"),
    "flipped bit":          (damaged,                                              "damaged"),
    "lies about sizes":     (lies_about_sizes,                                     "damaged"),
    "one bomb":             (lambda: archive({**SHEETS, "xl/a": bytes(101 * MIB)}), "unpacks_too_large"),
    "ten bombs":            (lambda: archive(repeated(bytes(11 * MIB))),           "unpacks_too_large"),
    "long directory":       (long_directory,                                       "unpacks_too_large"),
    "hidden directory":     (hidden_directory_size,                                "unpacks_too_large"),
}
# fmt: on


@pytest.mark.parametrize("case", REFUSED)
async def test_put_refuses_and_leaves_nothing(store: Files, folder: Path, case: str) -> None:
    make, code = REFUSED[case]
    with pytest.raises(NotAccepted) as refused:
        await put(store, make(), limit=16 * MIB)
    assert refused.value.code == code
    assert remains(folder) == []


@pytest.mark.parametrize("size", [1, 3, 7, 65536])
async def test_put_does_not_care_where_chunks_end(store: Files, size: int) -> None:
    content = "姓名,学号\n王小明,1\n".encode() * 20
    assert await put(store, content, size=size) == Stored(hashlib.sha256(content).hexdigest(), len(content), files.CSV)


async def test_put_takes_the_limit_and_not_a_byte_more(store: Files, folder: Path) -> None:
    content = PDF_BYTES.ljust(1000, b"\n")
    assert (await put(store, content, limit=1000)).size == 1000
    before = remains(folder)
    with pytest.raises(TooLarge) as refused:
        await put(store, content + b"\n", limit=1000)
    assert (refused.value.limit, remains(folder)) == (1000, before)


async def test_put_stops_reading_at_the_limit(store: Files) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1000
            yield b"%PDF-" + bytes(995)

    with pytest.raises(TooLarge):
        await store.put(endless(), institution=INSTITUTION, document_id=uuid4(), limit=10_000)
    assert read == 11_000


async def test_put_keeps_the_former_document_when_the_new_one_is_refused(store: Files) -> None:
    document_id = uuid4()
    await put(store, PDF_BYTES, document_id=document_id)
    with pytest.raises(NotAccepted):
        await put(store, b"MZ\x00", document_id=document_id)
    read = await store.get(institution=INSTITUTION, document_id=document_id)
    assert b"".join([chunk async for chunk in read]) == PDF_BYTES


async def test_put_leaves_nothing_when_the_sender_vanishes(store: Files, folder: Path) -> None:
    async def torn() -> AsyncIterator[bytes]:
        yield PDF_BYTES
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put(torn(), institution=INSTITUTION, document_id=uuid4(), limit=MIB)
    assert remains(folder) == []


async def test_put_leaves_all_or_nothing_when_it_is_cancelled(store: Files, folder: Path) -> None:
    content = PDF_BYTES.ljust(12 * MIB, b"\n")
    for wait in (0.0, 0.005, 0.02, 0.03, 0.04, 0.06):
        task = asyncio.create_task(put(store, content, limit=16 * MIB, size=MIB))
        await asyncio.sleep(wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.05)
        assert {(folder / name).stat().st_size for name in remains(folder)} <= {len(content)}


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory in use as Linux tells it")
async def test_put_and_get_hold_a_large_document_in_bounded_memory(store: Files) -> None:
    document_id, total = uuid4(), 150 * MIB

    async def large() -> AsyncIterator[bytes]:
        yield PDF_BYTES.ljust(MIB, b"\n")
        for _ in range(total // MIB - 1):
            yield bytes(MIB)

    async def there_and_back() -> int:
        await store.put(large(), institution=INSTITUTION, document_id=document_id, limit=total)
        return sum([len(chunk) async for chunk in await store.get(institution=INSTITUTION, document_id=document_id)])

    before = highest = resident_bytes()
    task = asyncio.create_task(there_and_back())
    while not task.done():
        highest = max(highest, resident_bytes())
        await asyncio.sleep(0.002)
    assert await task == total
    assert highest - before < total // 3


async def test_documents_of_one_institution_are_not_there_for_another(store: Files) -> None:
    document_id, other = uuid4(), uuid4()
    await put(store, PDF_BYTES, document_id=document_id)
    assert await store.exists(institution=INSTITUTION, document_id=document_id) is True
    assert await store.exists(institution=other, document_id=document_id) is False
    with pytest.raises(Missing):
        await store.get(institution=other, document_id=document_id)


async def test_delete_removes_and_may_be_repeated(store: Files, folder: Path) -> None:
    document_id = uuid4()
    await put(store, PDF_BYTES, document_id=document_id)
    await store.delete(institution=INSTITUTION, document_id=document_id)
    await store.delete(institution=INSTITUTION, document_id=document_id)
    assert await store.exists(institution=INSTITUTION, document_id=document_id) is False
    assert remains(folder) == []


def test_folder_is_closed_to_others(store: Files, folder: Path) -> None:
    assert (store is not None, folder.stat().st_mode & 0o777) == (True, 0o700)


@pytest.mark.parametrize(
    "url", ["", "/folder", "file://host/folder", "file:relative", "s3://", "http://x/y", "memory://"]
)
def test_files_refuses_other_addresses(url: str) -> None:
    with pytest.raises(ValueError, match="documents are kept at"):
        Files(url)


async def test_store_that_is_away_is_unreachable() -> None:
    away = Files(
        "s3://bucket/prefix",
        {
            "endpoint": "http://127.0.0.1:9",
            "region": "eu-central-1",
            "access_key_id": "a",
            "secret_access_key": "b",
        },
    )
    with pytest.raises(Unreachable):
        await asyncio.wait_for(away.exists(institution=INSTITUTION, document_id=uuid4()), 60)


@pytest.fixture(scope="module")
def s3() -> Iterator[Files]:
    server = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    running = server.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        endpoint = f"http://{host.replace('0.0.0.0', '127.0.0.1')}:{port}"  # noqa: S104
        keys = {"region": "us-east-1", "access_key_id": "a", "secret_access_key": "b"}
        boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        ).create_bucket(Bucket="sojourn")
        yield Files("s3://sojourn/documents", {"endpoint": endpoint, **keys})
    finally:
        running.stop()


@pytest.mark.parametrize("size", [len(PDF_BYTES), 12 * MIB])
async def test_s3_keeps_gives_back_and_deletes(s3: Files, size: int) -> None:
    document_id, content = uuid4(), PDF_BYTES.ljust(size, b"\n")
    assert await s3.exists(institution=INSTITUTION, document_id=document_id) is False
    stored = await put(s3, content, limit=size, document_id=document_id)
    assert stored == Stored(hashlib.sha256(content).hexdigest(), size, files.PDF)
    read = await s3.get(institution=INSTITUTION, document_id=document_id)
    assert b"".join([chunk async for chunk in read]) == content
    await s3.delete(institution=INSTITUTION, document_id=document_id)
    await s3.delete(institution=INSTITUTION, document_id=document_id)
    with pytest.raises(Missing):
        await s3.get(institution=INSTITUTION, document_id=document_id)
