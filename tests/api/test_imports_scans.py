"""A ZIP of scans over HTTP: matched by name, looked at file by file, taken back like any import."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from service.actions.imports.rows import Unreadable
from service.actions.imports.scans import open_archive, understood
from service.domain.actors import COORDINATOR
from tests.conftest import Client, World
from tests.sheets import HEADERS, Importing, csv_of, student

PDF = b"%PDF-1.7\n%%EOF\n"
ONE, TWO = "2026000001", "2026000002"


def zip_of(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.fixture
async def c(world: World) -> Client:
    """A coordinator of a college that has two students on record."""
    c = await world.client(COORDINATOR)
    await (await Importing.of(world, c, csv_of([HEADERS, student(1), student(2)]))).apply()
    return c


async def kept(c: Client) -> list[tuple[str, str, str]]:
    """Kinds, titles and states of what is on record."""
    items = (await c.get("/v1/documents")).json()["items"]
    return sorted((i["kind"], i["title"], i["state"]) for i in items)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("2026001 passport.pdf", ("2026001", "passport")),
        ("2026001_护照.jpg", ("2026001", "passport")),
        ("扫描/2026001-体检报告 2.pdf", ("2026001", "medical")),
        ("2026001/毕业证书.png", ("2026001", "diploma")),
        ("2026001 something.pdf", ("2026001", None)),
        ("scan.pdf", None),
    ],
)
def test_scan_tells_by_its_name_whose_it_is_and_what(name: str, told: object) -> None:
    assert understood(name) == told


async def test_scans_are_matched_and_kept(world: World, c: Client) -> None:
    files = {
        f"{ONE} passport.pdf": PDF,
        f"{TWO}/毕业证书.pdf": PDF + b"2",
        f"{TWO} visa.exe": b"MZ\0\0",
        f"{TWO} spoon.pdf": PDF + b"4",
        "2029000000 visa.pdf": PDF + b"5",
        "scan.pdf": PDF + b"6",
        f"{ONE} visa.pdf": b"",
        "__MACOSX/x": b"x",
    }
    made = await Importing.of(world, c, zip_of(files), kind="documents")
    assert await made.counts() == {"state": "checked", "staged": 7, "creates": 2, "faulty": 5}
    assert [(line, code) for line, _, code in await made.faults()] == [
        (3, "file_unknown_kind"),
        (4, "document_kind_known"),
        (5, "student_known"),
        (6, "file_name_unclear"),
        (7, "file_empty"),
    ]
    assert await kept(c) == []
    await made.apply()
    assert await kept(c) == [("diploma", "毕业证书", "uploaded"), ("passport", f"{ONE} passport", "uploaded")]
    diploma = next(i for i in (await c.get("/v1/documents")).json()["items"] if i["kind"] == "diploma")
    assert (await c.get(f"/v1/documents/{diploma['id']}/content")).content == PDF + b"2"
    again = await Importing.of(world, c, zip_of(dict(list(files.items())[:2])), kind="documents")
    assert await again.counts() == {"state": "checked", "staged": 2, "unchanged": 2}
    assert (await made.void())["undone"] == 2
    assert {state for *_, state in await kept(c)} == {"voided"}


def files_in(folder: Path) -> int:
    return sum(p.is_file() for p in folder.rglob("*"))


async def test_scans_that_are_never_applied_leave_no_bytes(world: World, c: Client, tmp_path: Path) -> None:
    made = await Importing.of(world, c, zip_of({f"{ONE} passport.pdf": PDF}), kind="documents")
    assert files_in(tmp_path) == 1
    assert (await made.void())["state"] == "voided"
    assert files_in(tmp_path) == 0


async def test_scans_in_names_of_a_chinese_system_are_read(world: World, c: Client) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"{ONE} ABCD.pdf", PDF)
    content = out.getvalue().replace(b"ABCD", "护照".encode("gb18030"))
    made = await Importing.of(world, c, content, kind="documents")
    assert (await made.counts())["creates"] == 1


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(11):
            with archive.open(f"{n}.pdf", "w") as file:
                for _ in range(50):
                    file.write(bytes(2**20))
    with pytest.raises(Unreadable) as no:
        open_archive(path)
    assert no.value.code == "unpacked_too_large"


@pytest.mark.parametrize("content", [b"PK\x03\x04", zip_of({f"{ONE} visa.pdf": PDF})[:-30], csv_of([["a", "b"]])])
async def test_a_broken_archive_halts_with_the_reason(world: World, c: Client, content: bytes) -> None:
    made = await Importing.of(world, c, content, kind="documents")
    assert (await made.item())["trouble"]["code"] == "archive_unreadable"
