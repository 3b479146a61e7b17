"""Sheets as coordinators have them, from the file on the disk to the record in the database."""

from __future__ import annotations

import asyncio
import csv
import re
import signal
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import xlsxwriter
from typer.testing import CliRunner, Result

from service.actions import institutions
from service.actions.imports import people, sheets
from service.actions.imports import rows as rows_of_sheets
from service.actions.imports.cells import inert
from service.actions.imports.people import Summary, import_trainees
from service.actions.imports.rows import Entry, Outcome, Unreadable
from service.actions.work import Missing, Services
from service.api.messages import LANGUAGES, catalogue
from service.cli import app
from service.cli.importing import REPORT
from service.cli.importing import imports as importing
from service.domain.actors import COORDINATOR, READER, SYSTEM_ACCOUNT, Actor
from service.domain.values import Passport, write_mrz
from tests.conftest import World

WHO = Actor(SYSTEM_ACCOUNT, frozenset({COORDINATOR}))
HEADERS = ["学号", "姓名", "拼音姓名", "性别", "出生日期", "国籍", "手机号"]
PEOPLE = [
    ["2026001", "欧阳娜娜", "OUYANG, NANA", "女", "2005-03-09", "中国", "138 0013 8000"],
    ["2026002", "สมชาย ใจดี", "JAIDEE, SOMCHAI", "男", "2548/3/9", "泰国", "+66 81 234 5678"],
    ["2026003", "សុខ សុភា", "SOK, SOPHEA", "F", "2005年3月9日", "Cambodia", "0085512345678"],
    ["2026004", "Дарья Ёлкина", "ELKINA, DARIA", "female", "2005.3.9", "RUS", "+7 (916) 123-45-67"],
    ["2026005", "阮氏明", "NGUYEN, THI MINH", "X", "20050309", "vn", ""],
]
PHONES = ["+8613800138000", "+66812345678", "+85512345678", "+79161234567", None]
PASSPORT = Passport(
    issuing_state="CHN",
    surname="WANG",
    given_names="WEI",
    number="E73940182",
    nationality="CHN",
    birth_on=date(2004, 5, 6),
    sex="M",
    expires_on=date(2031, 1, 31),
)


def csv_file(path: Path, rows: Sequence[Sequence[object]], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def xlsx_file(path: Path, rows: Sequence[Sequence[object]], sheet: str = "新生名单") -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        page = book.add_worksheet(sheet)
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                page.write_string(number, place, cell) if isinstance(cell, str) else page.write(number, place, cell)
    return path


class Desk:
    """A college, and whatever is told while it takes a sheet in."""

    def __init__(self, services: Services, institution: UUID, folder: Path) -> None:
        self.services, self.institution, self.folder = services, institution, folder
        self.told: list[Entry] = []

    async def take(self, path: Path, **more: Any) -> Summary:
        self.told = []
        more = {"dry_run": False} | more
        return await import_trainees(self.services, self.institution, path, WHO, tell=self.told.append, **more)

    async def rows(self, rows: Sequence[Sequence[object]], **more: Any) -> list[Outcome]:
        """What becomes of the rows of a sheet, the first being its headers."""
        await self.take(xlsx_file(self.folder / f"{uuid4().hex}.xlsx", rows), **more)
        return [e.outcome for e in self.told]

    def faults(self) -> list[tuple[int, str, str]]:
        return [(e.line, f.column, f.reason.code) for e in self.told for f in e.findings if f.is_fault]

    def remarks(self) -> list[tuple[str, str]]:
        return [(f.column, f.reason.code) for e in self.told for f in e.findings if not f.is_fault]

    async def count(self) -> int:
        async with self.services.database.connection() as con, con.transaction():
            await con.execute("SELECT set_config('app.institution', $1, true)", str(self.institution))
            return int(await con.fetchval("SELECT count(*) FROM trainees"))


@pytest.fixture
async def desk(services: Services, tmp_path: Path) -> Desk:
    home = await institutions.found(
        services, name_native="北方学院", name_latin="North College", country="CN", time_zone="Asia/Shanghai"
    )
    return Desk(services, home, tmp_path)


# A sheet of each kind ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "write"),
    [
        ("xlsx", lambda p: xlsx_file(p, [HEADERS, *PEOPLE])),
        ("utf-8", lambda p: csv_file(p, [HEADERS, *PEOPLE])),
        ("utf-8", lambda p: csv_file(p, [HEADERS, *PEOPLE], "utf-8-sig", ";")),
        ("gb18030", lambda p: csv_file(p, [HEADERS, *PEOPLE], "gb18030", "\t")),
    ],
    ids=["xlsx", "comma", "mark and semicolon", "tab"],
)
async def test_import_keeps_people_of_any_script(
    world: World, tmp_path: Path, kind: str, write: Callable[[Path], Path]
) -> None:
    desk = Desk(world.services, world.institution, tmp_path)
    summary = await desk.take(write(tmp_path / "a sheet"))
    assert (summary.kind, dict(summary.outcomes), summary.ignored) == (kind, {Outcome.CREATED: 5}, ())
    c = await world.client(COORDINATOR)
    found = (await c.get("/v1/trainees")).json()["items"]
    by_number = {r["external_ids"][0]["value"]: r for r in found}
    kept = [by_number[p[0]] for p in PEOPLE]
    assert [(r["name_native"], r["name_latin"]) for r in kept] == [(p[1], p[2]) for p in PEOPLE]
    assert [r["sex"] for r in kept] == ["female", "male", "female", "female", "other"]
    assert [r["birth_on"] for r in kept] == ["2005-03-09"] * 5
    assert [r["nationality"] for r in kept] == ["CN", "TH", "KH", "RU", "VN"]
    assert [r["phone"] for r in kept] == PHONES
    assert {r["external_ids"][0]["system"] for r in kept} == {"student_no"}
    assert [str(e.person) for e in desk.told] == [r["id"] for r in kept]


async def test_import_leaves_an_event_of_a_coordinator(world: World, tmp_path: Path) -> None:
    desk = Desk(world.services, world.institution, tmp_path)
    await desk.rows([HEADERS, PEOPLE[0]])
    c = await world.client(COORDINATOR)
    events = (await c.get(f"/v1/trainees/{desk.told[0].person}/events")).json()["items"]
    assert [(e["type"], e["actor_id"], e["actor_roles"]) for e in events] == [
        ("trainee.registered", str(SYSTEM_ACCOUNT), ["coordinator"])
    ]


async def test_import_is_decided_by_the_rules_for_whoever_imports(desk: Desk) -> None:
    path = csv_file(desk.folder / "a.csv", [HEADERS, PEOPLE[0]])
    reader = Actor(SYSTEM_ACCOUNT, frozenset({READER}))
    await import_trainees(desk.services, desk.institution, path, reader, dry_run=False, tell=desk.told.append)
    assert desk.faults() == [(2, "", "role")]
    assert await desk.count() == 0


async def test_import_into_no_institution_is_missing(desk: Desk) -> None:
    desk.institution = uuid4()
    with pytest.raises(Missing):
        await desk.take(csv_file(desk.folder / "a.csv", [HEADERS, PEOPLE[0]]))


async def test_import_finds_headers_below_a_title_in_two_languages_and_tells_what_it_leaves(desk: Desk) -> None:
    rows: list[list[object]] = [
        ["2026 级新生名单"],
        [],
        ["序号", "学号 / Student No.", "姓名*\nName", "英文名（护照）", "出生日期(年-月-日)", "国籍", "班主任"],
        [1, 20260001, "王伟", "WANG, WEI", date(2005, 3, 9), "中国", "李老师"],
        [],
        [
            2,
            20260002,
            "李娜",
            "LI, NA",
            datetime(2005, 3, 10, 8, 30),  # noqa: DTZ001 - a spreadsheet knows no zone
            "中国",
            "李老师",
        ],
    ]
    summary = await desk.take(xlsx_file(desk.folder / "a.xlsx", rows))
    assert (summary.outcomes, summary.ignored) == ({Outcome.CREATED: 2}, ("序号", "班主任"))
    assert [(e.line, e.student_no, e.given["birth_on"]) for e in desk.told] == [
        (4, "20260001", date(2005, 3, 9)),
        (6, "20260002", date(2005, 3, 10)),
    ]


async def test_import_takes_the_first_sheet_that_is_shown(desk: Desk) -> None:
    path = desk.folder / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        lists, shown = book.add_worksheet("lists"), book.add_worksheet("people")
        lists.hide()
        shown.activate()
        lists.write_row(0, 0, ["country", "name"])
        shown.write_row(0, 0, HEADERS)
        shown.write_row(1, 0, PEOPLE[0])
    assert (await desk.take(path)).outcomes == {Outcome.CREATED: 1}


async def test_import_counts_lines_of_a_csv_file_as_an_editor_does(desk: Desk) -> None:
    rows = [HEADERS, ["1", "王\n伟", "WANG, WEI", "男", "2005-03-09", "中国", ""], [], ["2", *PEOPLE[0][1:]]]
    await desk.take(csv_file(desk.folder / "a.csv", rows))
    assert [(e.line, e.given["name_native"]) for e in desk.told] == [(2, "王 伟"), (5, "欧阳娜娜")]


# Cells ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "day", "remark"),
    [
        ("2005-03-09", date(2005, 3, 9), None),
        ("２００５年３月９日", date(2005, 3, 9), None),
        ("2005 - 3 - 9", date(2005, 3, 9), None),
        ("2005-03-09 00:00:00", date(2005, 3, 9), None),
        ("๒๕๔๘-๐๓-๐๙", date(2005, 3, 9), "buddhist_era"),
        ("2547-02-29", date(2004, 2, 29), "buddhist_era"),
        (date(2548, 3, 9), date(2005, 3, 9), "buddhist_era"),
        (20050309, date(2005, 3, 9), None),
        (38420, date(2005, 3, 9), "date_from_serial"),
        (38420.5, None, "date_unreadable"),
        ("38420", None, "date_unreadable"),
        ("09/03/2005", None, "date_unreadable"),
        ("2005-02-29", None, "date_not_in_calendar"),
        ("2005-13-01", None, "date_not_in_calendar"),
        ("1850-01-01", date(1850, 1, 1), "out_of_bounds"),
        ("2399-01-01", date(2399, 1, 1), "out_of_bounds"),
        ("0000-01-01", None, "date_not_in_calendar"),
    ],
)
async def test_import_reads_dates(desk: Desk, cell: object, day: date | None, remark: str | None) -> None:
    await desk.rows([HEADERS, ["1", "王伟", "WANG, WEI", "男", cell, "中国", ""]], dry_run=True)
    assert desk.told[0].given.get("birth_on") == day
    assert [f.reason.code for f in desk.told[0].findings] == ([remark] if remark else [])
    assert [f.column for f in desk.told[0].findings] == (["出生日期"] if remark else [])


async def test_import_shows_how_a_year_of_the_buddhist_era_was_read(desk: Desk) -> None:
    await desk.rows([HEADERS, PEOPLE[1]], dry_run=True)
    reason = desk.told[0].findings[0].reason
    assert (reason.code, reason.required, reason.actual) == ("buddhist_era", "2548-03-09", date(2005, 3, 9))


@pytest.mark.parametrize(
    ("cell", "country", "kept"),
    [
        (13800138000, "CN", "+8613800138000"),
        ("8613800138000", "CN", "+8613800138000"),
        ("0081-3-1234-5678", "CN", "+81312345678"),
        ("+44 (0)20 7946 0958", "CN", "+442079460958"),
        ("081-234-5678", "TH", "+66812345678"),
        (812345678, "TH", "+66812345678"),
        ("8 916 123 45 67", "RU", "+79161234567"),
        ("9161234567", "RU", "+79161234567"),
        ("06 698 12345", "IT", "+390669812345"),
        ("+８６１３８００１３８０００", "TH", "+8613800138000"),
        ("13800138000, 13900139000", "CN", None),
        ("1234", "CN", None),
        ("no phone", "CN", None),
        ("+1", "CN", None),
    ],
)
async def test_import_writes_phone_numbers_in_one_form(
    desk: Desk, cell: object, country: str, kept: str | None
) -> None:
    await desk.rows([HEADERS, [*PEOPLE[0][:6], cell]], dry_run=True, phone_country=country)
    assert desk.told[0].given.get("phone") == kept
    assert desk.faults() == ([] if kept else [(2, "手机号", "phone_unreadable")])


async def test_import_needs_a_country_whose_numbers_it_can_complete(desk: Desk) -> None:
    with pytest.raises(Unreadable, match="phone_country_unknown"):
        await desk.rows([HEADERS, PEOPLE[0]], phone_country="AQ")


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("性别", "男女", "sex_not_understood"),
        ("国籍", "Atlantis", "country_unknown"),
        ("邮箱", "wang at example.org", "email_unreadable"),
        ("语言", "Klingon", "language_unknown"),
        ("身份证号", 440306200405067710, "number_lost_digits"),
        ("身份证号", "4.40306E+17", "number_lost_digits"),
        ("生源地", "广" * 201, "text_too_long"),
    ],
)
async def test_import_tells_which_cell_is_at_fault(desk: Desk, column: str, cell: object, code: str) -> None:
    headers = [h for h in HEADERS if h != column]
    people = [PEOPLE[0][HEADERS.index(h)] for h in headers]
    await desk.rows([[*headers, column], [*people, cell]], dry_run=True)
    assert desk.faults() == [(2, column, code)]


async def test_import_refuses_what_cannot_be_kept(desk: Desk) -> None:
    path = csv_file(desk.folder / "a.csv", [HEADERS, ["a" * 5000, *PEOPLE[0][1:]], ["2", "x", *PEOPLE[0][2:]]])
    path.write_bytes(path.read_bytes().replace(b"\n2,x,", b"\n2,\0,"))
    with pytest.raises(Unreadable, match="file_kind_unknown"):
        await desk.take(csv_file(desk.folder / "b.csv", [HEADERS, ["\0", *PEOPLE[0][1:]]]))
    await desk.take(path)
    assert desk.faults() == [(2, "学号", "text_too_long"), (3, "姓名", "text_unprintable")]


@pytest.mark.parametrize("code", ["en", "EN", "English", "英语"])
async def test_import_knows_languages_by_name(desk: Desk, code: str) -> None:
    await desk.rows([[*HEADERS, "语言", "邮箱"], [*PEOPLE[0], code, "Na.Na@Example.ORG"]], dry_run=True)
    given = desk.told[0].given
    assert (given["language"], given["email"], desk.faults()) == ("en", "Na.Na@example.org", [])


@pytest.mark.parametrize(
    ("name", "code"),
    [("D", "DE"), ("Antigua and Barbuda", "AG"), ("中华人民共和国", "CN"), ("Viet Nam", "VN"), ("  老挝 ", "LA")],
)
async def test_import_knows_countries_by_whatever_they_are_called(desk: Desk, name: str, code: str) -> None:
    await desk.rows([HEADERS, [*PEOPLE[0][:5], name, ""]], dry_run=True)
    assert (desk.told[0].given["nationality"], desk.faults()) == (code, [])


async def test_import_names_what_a_row_lacks_by_its_header(desk: Desk) -> None:
    await desk.rows([HEADERS, ["1", "", "", "", "no day", "", ""]], dry_run=True)
    assert desk.faults() == [
        (2, "出生日期", "date_unreadable"),
        (2, "姓名", "input_required"),
        (2, "拼音姓名", "input_required"),
        (2, "国籍", "input_required"),
    ]
    assert [f.reason.required for f in desk.told[0].findings[1:]] == ["姓名", "拼音姓名", "国籍"]


# Guardians -----------------------------------------------------------------------------------------------------------


async def test_import_of_a_minor_needs_a_guardian(world: World, tmp_path: Path) -> None:
    desk = Desk(world.services, world.institution, tmp_path)
    young = date.today().replace(day=1, month=1).replace(year=date.today().year - 16).isoformat()  # noqa: DTZ011
    person = [*PEOPLE[0][1:4], young, "CN"]
    headers = [*HEADERS[:6], "监护人姓名", "监护人关系", "监护人电话"]
    outcomes = await desk.rows(
        [
            headers,
            ["1", *person, "", "", ""],
            ["2", *person, "欧阳修", "", "13800138000"],
            ["3", *person, "欧阳修", "父亲", "none"],
            ["4", *person, "欧阳修", "父亲", "13800138000"],
        ]
    )
    assert outcomes == [Outcome.FAULTY, Outcome.FAULTY, Outcome.FAULTY, Outcome.CREATED]
    assert desk.faults() == [
        (2, "监护人姓名", "minor_has_guardian"),
        (3, "监护人关系", "input_required"),
        (3, "监护人姓名", "minor_has_guardian"),
        (4, "监护人电话", "phone_unreadable"),
    ]
    c = await world.client(COORDINATOR)
    opened = await c.post(f"/v1/trainees/{desk.told[3].person}/sealed", {"purpose": "a check"})
    assert opened.json()["guardian"] == {"name": "欧阳修", "relation": "父亲", "phone": "+8613800138000"}


# Passports -----------------------------------------------------------------------------------------------------------


def lines(passport: Passport = PASSPORT) -> tuple[str, str]:
    return write_mrz(passport)


async def test_import_takes_from_a_passport_what_the_sheet_leaves_out(world: World, tmp_path: Path) -> None:
    desk = Desk(world.services, world.institution, tmp_path)
    first, second = lines()
    other = lines(replace(PASSPORT, number="E73940183", sex="F"))
    await desk.rows(
        [
            ["姓名", "护照机读码", "机读码第一行", "机读码第二行"],
            ["王伟", f"{first}\n{second}".lower()],
            ["王薇", "", other[0].replace("<<", "«"), other[1] + " "],
        ]
    )
    assert [e.outcome for e in desk.told] == [Outcome.CREATED] * 2
    assert [
        (e.given["name_latin"], e.given["sex"], e.given["birth_on"], e.given["nationality"]) for e in desk.told
    ] == [
        ("WANG, WEI", "male", date(2004, 5, 6), "CN"),
        ("WANG, WEI", "female", date(2004, 5, 6), "CN"),
    ]
    assert desk.remarks() == [(n, "taken_from_passport") for n in ("name_latin", "sex", "birth_on", "nationality")] * 2
    c = await world.client(COORDINATOR)
    opened = await c.post(f"/v1/trainees/{desk.told[0].person}/sealed", {"purpose": "a check"})
    assert opened.json()["passport"]["mrz"] == [first, second]


async def test_import_tells_what_is_wrong_with_a_passport(desk: Desk) -> None:
    first, second = lines()
    broken = second[:9] + str((int(second[9]) + 1) % 10) + second[10:]
    rows = [
        [*HEADERS[:6], "mrz_line1", "mrz_line2"],
        ["1", *PEOPLE[0][1:6], first, second],
        ["2", *PEOPLE[0][1:4], "2004-05-06", "中国", first, broken],
        ["3", *PEOPLE[0][1:4], "no day", "中国", first, second],
    ]
    await desk.rows(rows, dry_run=True)
    assert desk.faults() == [
        (2, "mrz_line2", "passport_birth_date_same"),
        (3, "mrz_line2", "number_check_digit_wrong"),
        (3, "mrz_line2", "composite_check_digit_wrong"),
        (4, "出生日期", "date_unreadable"),
    ]


# Once and not twice --------------------------------------------------------------------------------------------------


async def test_import_dry_run_does_nothing_and_says_what_it_would(desk: Desk) -> None:
    path = csv_file(desk.folder / "a.csv", [HEADERS, *PEOPLE, ["6", "王伟", "", "", "", "", ""]])
    summary = await desk.take(path, dry_run=True)
    assert summary.outcomes == {Outcome.CREATE: 5, Outcome.FAULTY: 1}
    assert (await desk.count(), {e.person for e in desk.told}) == (0, {None})
    assert (await desk.take(path)).outcomes == {Outcome.CREATED: 5, Outcome.FAULTY: 1}
    assert (await desk.take(path, dry_run=True)).outcomes == {Outcome.THERE: 5, Outcome.FAULTY: 1}


async def test_import_of_the_same_sheet_twice_creates_nobody_twice(desk: Desk) -> None:
    rows = [[*HEADERS, "mrz"], *[[*p, ""] for p in PEOPLE], ["", "王伟", "", "", "", "", "", "".join(lines())]]
    assert await desk.rows(rows) == [Outcome.CREATED] * 6
    first = [e.person for e in desk.told]
    assert await desk.rows(rows) == [Outcome.THERE] * 6
    assert [e.person for e in desk.told] == first
    assert [code for _, code in desk.remarks() if code == "on_record"] == ["on_record"] * 6
    assert await desk.count() == 6


async def test_import_knows_whom_the_service_registered(world: World, tmp_path: Path) -> None:
    desk, c = Desk(world.services, world.institution, tmp_path), await world.client(COORDINATOR)
    line1, line2 = lines()
    body = {"name_native": "王伟", "name_latin": "WANG, WEI", "birth_on": "2004-05-06", "nationality": "CN"}
    known = await c.ok(
        "/v1/trainees",
        body
        | {
            "passport_mrz": {"line1": line1, "line2": line2},
            "identity_no": "44030620040506771X",
            "external_ids": [{"system": "student_no", "value": "77"}],
        },
    )
    headers = [*HEADERS[:6], "mrz", "身份证号"]
    person = ["王伟", "WANG, WEI", "男", "2004-05-06", "CN"]
    outcomes = await desk.rows(
        [
            headers,
            ["77", *person, "", ""],
            ["", *person, line1 + line2, ""],
            ["", *person, "", "44030620040506771x"],
            ["78", *person, line1 + line2, ""],
        ]
    )
    assert outcomes == [Outcome.THERE] * 4
    assert {str(e.person) for e in desk.told} == {known["id"]}
    assert desk.remarks() == [(n, "on_record") for n in ("学号", "mrz", "身份证号", "mrz")]


async def test_import_refuses_a_number_that_is_somebody_elses(desk: Desk) -> None:
    headers = [*HEADERS[:6], "mrz"]
    person = ["王伟", "WANG, WEI", "男", "2004-05-06", "CN"]
    mrz = "".join(lines())
    assert await desk.rows([headers, ["1", *person, mrz], ["2", *person, ""]]) == [Outcome.CREATED] * 2
    assert await desk.rows([headers, ["2", *person, mrz]]) == [Outcome.FAULTY]
    assert desk.faults() == [(2, "mrz", "key_of_another")]


async def test_import_registers_once_whom_the_sheet_has_twice(desk: Desk) -> None:
    headers = [*HEADERS[:6], "mrz", "身份证号"]
    person = ["王伟", "WANG, WEI", "男", "2004-05-06", "CN"]
    mrz = "".join(lines())
    rows = [
        headers,
        ["1", *person[:3], "no day", "CN", "", ""],  # at fault: it takes nobody's place
        ["1", *person, mrz, "44030620040506771X"],
        ["1", *person, "", ""],
        ["2", *person, mrz, ""],
        ["3", *person, "", "44030620040506771x"],
    ]
    assert await desk.rows(rows) == [Outcome.FAULTY, Outcome.CREATED, *[Outcome.FAULTY] * 3]
    assert desk.faults()[1:] == [
        (4, "学号", "twice_in_sheet"),
        (5, "mrz", "twice_in_sheet"),
        (6, "身份证号", "twice_in_sheet"),
    ]
    assert {f.reason.actual for e in desk.told[2:] for f in e.findings} == {3}


async def test_import_refuses_rows_that_it_could_not_know_again(desk: Desk) -> None:
    rows = [HEADERS, ["", *PEOPLE[0][1:]]]
    assert await desk.rows(rows) == [Outcome.FAULTY]
    assert (desk.faults(), await desk.count()) == ([(2, "学号", "unkeyed")], 0)
    for _ in range(2):
        assert await desk.rows(rows, allow_unkeyed=True) == [Outcome.CREATED]
    assert await desk.count() == 2


async def test_import_elsewhere_knows_nobody_from_here(desk: Desk) -> None:
    rows = [[*HEADERS[:6], "mrz"], ["1", "王伟", "", "", "", "", "".join(lines())]]
    assert await desk.rows(rows) == [Outcome.CREATED]
    desk.institution = await institutions.found(
        desk.services, name_native="南方学院", name_latin="South College", country="CN", time_zone="Asia/Shanghai"
    )
    assert await desk.rows(rows) == [Outcome.CREATED]
    assert await desk.count() == 1


async def test_import_of_one_sheet_by_several_at_once_creates_nobody_twice(desk: Desk) -> None:
    path = csv_file(desk.folder / "a.csv", [HEADERS, *[[str(n), *PEOPLE[0][1:]] for n in range(120)]])
    others = [Desk(desk.services, desk.institution, desk.folder) for _ in range(3)]
    summaries = await asyncio.gather(*[d.take(path) for d in others])
    assert await desk.count() == 120
    assert sum(s.outcomes.get(Outcome.CREATED, 0) for s in summaries) == 120
    assert sum(s.outcomes.get(Outcome.THERE, 0) for s in summaries) == 240


async def test_import_by_one_while_others_come_in_blames_the_one_row(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the database refuses and no look-up explains is found by halving: here the look-up is blind."""
    rows = [HEADERS, *[[str(n), *PEOPLE[0][1:]] for n in range(7)]]
    assert await desk.rows([HEADERS, rows[4]]) == [Outcome.CREATED]

    async def nobody(*_: Any, **__: Any) -> list[Any]:
        return []

    monkeypatch.setattr(people, "matches", nobody)
    assert await desk.rows(rows) == [*[Outcome.CREATED] * 3, Outcome.FAULTY, *[Outcome.CREATED] * 3]
    assert desk.faults() == [(5, "", "rule.external_ids_pkey")]
    assert await desk.count() == 7


async def test_import_goes_on_where_it_was_ended(desk: Desk) -> None:
    path = csv_file(desk.folder / "a.csv", [HEADERS, *[[str(n), *PEOPLE[0][1:]] for n in range(1203)]])

    def ended(done: int, _total: int) -> None:
        if done == 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await desk.take(path, progress=ended)
    assert (await desk.count(), len(desk.told)) == (1000, 1000)
    seen: list[tuple[int, int]] = []
    summary = await desk.take(path, progress=lambda done, total: seen.append((done, total)))
    assert summary.outcomes == {Outcome.THERE: 1000, Outcome.CREATED: 203}
    assert seen == [(500, 1203), (1000, 1203), (1203, 1203)]
    assert [e.line for e in desk.told] == list(range(2, 1205))


# Files that are not taken in -----------------------------------------------------------------------------------------


async def refused(desk: Desk, path: Path) -> str:
    with pytest.raises(Unreadable) as no:
        await desk.take(path)
    assert (desk.told, await desk.count()) == ([], 0)
    return no.value.code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "headers_unknown"),
        (b"\xff\xff\xff\xff", "encoding_unknown"),
        ("学号,姓名".encode("utf-16"), "file_kind_unknown"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old workbook", "file_kind_unknown"),
        (b"%PDF-1.7", "file_kind_unknown"),
        (b"PK\x03\x04 no workbook", "workbook_unreadable"),
        (b"a,b\n1,2\n", "headers_unknown"),
        ("学号,姓名\n1,王伟\n".encode(), "header_missing"),
        ("学号,姓名,Student No,拼音,生日,国籍\n".encode(), "header_twice"),
        (f'{",".join(HEADERS)}\n1,"王伟,,,\n2,李娜,,,\n'.encode(), "csv_broken"),
    ],
)
async def test_import_of_a_file_that_is_no_sheet_is_refused(desk: Desk, content: bytes, code: str) -> None:
    path = desk.folder / "a"
    path.write_bytes(content)
    assert await refused(desk, path) == code


async def test_import_of_too_many_rows_registers_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_of_sheets, "MOST", 700)
    rows = [[str(n), "王伟", "WANG, WEI", "", "2005-03-09", "CN", ""] for n in range(701)]
    assert await refused(desk, csv_file(desk.folder / "a.csv", [HEADERS, *rows])) == "too_many_rows"
    assert await refused(desk, xlsx_file(desk.folder / "a.xlsx", [HEADERS, *rows])) == "too_many_rows"


async def test_import_of_a_file_that_is_too_large_is_refused(desk: Desk) -> None:
    path = desk.folder / "a.csv"
    with path.open("wb") as file:
        file.truncate(sheets.FILE_MOST + 1)
    assert await refused(desk, path) == "file_too_large"


def bomb(path: Path, size: int, told: int | None = None) -> Path:
    """A workbook with a part of zeros, and what its directory tells of their number."""
    xlsx_file(path, [HEADERS, PEOPLE[0]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/more.xml", "w") as part:
        for _ in range(size >> 20):
            part.write(bytes(2**20))
    if told is not None:
        packed = path.read_bytes()
        path.write_bytes(packed.replace(size.to_bytes(4, "little"), told.to_bytes(4, "little")))
    return path


async def test_import_of_a_workbook_that_unpacks_to_too_much_is_refused(desk: Desk) -> None:
    path = bomb(desk.folder / "a.xlsx", sheets.UNPACKED_MOST + 2**20)
    assert path.stat().st_size < 2**20
    assert await refused(desk, path) == "unpacked_too_large"
    assert (
        await refused(desk, bomb(desk.folder / "b.xlsx", sheets.UNPACKED_MOST + 2**20, 4096)) == "workbook_unreadable"
    )


async def test_import_of_a_workbook_of_too_many_parts_is_refused(desk: Desk) -> None:
    path = xlsx_file(desk.folder / "a.xlsx", [HEADERS, PEOPLE[0]])
    with zipfile.ZipFile(path, "a") as archive:
        for n in range(sheets.MEMBERS_MOST):
            archive.writestr(f"xl/{n}", b"")
    assert await refused(desk, path) == "unpacked_too_large"


async def test_import_of_a_workbook_whose_sheet_is_as_wide_as_it_is_long_is_refused(desk: Desk) -> None:
    """Two cells in opposite corners: as a whole table they would take hundreds of gigabytes."""
    path = desk.folder / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEADERS)
        page.write(1_048_575, 16_383, "far away")
    assert await refused(desk, path) == "workbook_unreadable"


async def test_import_survives_numbers_that_are_none(desk: Desk) -> None:
    path = xlsx_file(desk.folder / "a.xlsx", [HEADERS, ["1", "王伟", "WANG, WEI", "男", 987654.25, "CN", 876543.25]])
    changed = desk.folder / "b.xlsx"
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            part = before.read(name).replace(b"987654.25", b"NaN").replace(b"876543.25", b"1e999")
            after.writestr(name, part)
    await desk.take(changed)
    assert desk.faults() == [(2, "出生日期", "date_unreadable"), (2, "手机号", "phone_unreadable")]


# Words ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fault_of_an_import_has_words(language: str) -> None:
    folder = Path(people.__file__).parent
    code = re.compile(r"(?:Faulty|Unreadable|Reason)\(\s*\"(\w+)\"|\{\"code\": \"(\w+)\"")
    codes = {a or b for path in folder.glob("*.py") for a, b in code.findall(path.read_text(encoding="utf-8"))}
    assert len(codes) > 25
    assert sorted((codes | {f"import.{o}" for o in Outcome}) - set(catalogue(language))) == []


# The command line ----------------------------------------------------------------------------------------------------

Run = Callable[..., Result]


@pytest.fixture
def run(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `sojourn import` at a service with one institution."""
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("SOJOURN_FOLDER", str(tmp_path / "kept"))
    monkeypatch.delenv("SOJOURN_KEYS", raising=False)
    before = signal.getsignal(signal.SIGTERM)

    def invoke(*words: str, of: Any = importing) -> Result:
        result = CliRunner().invoke(of, words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    assert invoke("migrate", of=app).exit_code == 0
    found(invoke, "North College")
    yield invoke
    signal.signal(signal.SIGTERM, before)


def found(run: Run, name: str) -> str:
    made = run("institution", "found", name, name, "--country", "CN", "--time-zone", "Asia/Shanghai", of=app)
    assert made.exit_code == 0, made.output
    return str(made.output.split()[-1])


def read_report(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames or ()) == REPORT
        return list(reader)


def test_import_command_tells_each_row_and_registers(run: Run, tmp_path: Path) -> None:
    rows = [[*HEADERS, "备注"], PEOPLE[0], PEOPLE[1], ["3", "李娜", "LI, NA", "女", "09/03/2005", "中国", "", "x"]]
    sheet = str(xlsx_file(tmp_path / "新生.xlsx", rows))
    dry = run("trainees", sheet, "--dry-run")
    assert dry.exit_code == 1
    told = [line for line in dry.stdout.splitlines() if line]
    assert told == [
        "2: would be registered",
        "3: would be registered: 出生日期: 2548-03-09 is a year of the Buddhist era: read as 2005-03-09. (buddhist_era)",
        "4: faulty: 出生日期: The date cannot be read. Write the year first: YYYY-MM-DD. (date_unreadable)",
        "Columns that are not taken in: 备注.",
        "xlsx: would be registered 2, faulty 1.",
    ]
    done = run("trainees", sheet, "--language", "zh", "--institution", "north college")
    assert done.exit_code == 1
    assert (
        done.stdout.splitlines()[0]
        == "4: 有误: 出生日期: 无法识别该日期，请按年、月、日的顺序填写：YYYY-MM-DD。 (date_unreadable)"
    )
    assert done.stdout.splitlines()[-1] == "xlsx: 已登记 2, 有误 1."
    good = run("trainees", str(csv_file(tmp_path / "good.csv", rows[:3])))
    assert (good.exit_code, good.stdout.splitlines()[-1]) == (0, "utf-8: already on record 2.")


def test_import_command_writes_a_report_without_formulas(run: Run, tmp_path: Path) -> None:
    evil = '=HYPERLINK("http://x.example","click")'
    headers = ["学号", "姓名", "拼音", "国籍", "=出生日期"]
    rows = [
        headers,
        [evil, "+王伟", "WANG, WEI", "中国", "2548-03-09"],
        ["@2", "-李娜", "LI, NA", "中国", "someday"],
        ["3", "欧阳娜娜", "OUYANG, NANA", "中国", "2005-03-09"],
    ]
    sheet, report = csv_file(tmp_path / "a.csv", rows), tmp_path / "report.csv"
    result = run("trainees", str(sheet), "--report", str(report))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, f"What became of each row stands in {report}.")
    told = read_report(report)
    person = told[0]["trainee"]
    assert str(UUID(person)) == person
    assert told[0] == {
        "line": "2",
        "outcome": "created",
        "trainee": person,
        "student_no": "'" + evil,
        "name": "'+王伟",
        "column": "'=出生日期",
        "code": "buddhist_era",
        "text": "2548-03-09 is a year of the Buddhist era: read as 2005-03-09.",
    }
    assert [(t["line"], t["outcome"], t["student_no"], t["name"], t["code"]) for t in told[1:]] == [
        ("3", "faulty", "'@2", "'-李娜", "date_unreadable"),
        ("4", "created", "3", "欧阳娜娜", ""),
    ]
    assert [cell for row in told for cell in row.values() if cell[:1] in tuple("=+-@")] == []


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", " =1", "\t=1", "\r=1", "＝1", "＠a"])
def test_import_report_quotes_what_a_spreadsheet_would_run(cell: str) -> None:
    assert (inert(cell), inert("a" + cell), inert("")) == ("'" + cell, "a" + cell, "")


def test_import_command_says_in_words_what_is_wrong(run: Run, tmp_path: Path) -> None:
    sheet = csv_file(tmp_path / "a.csv", [HEADERS, PEOPLE[0]])
    assert "would overwrite the sheet" in run("trainees", str(sheet), "--report", str(sheet)).output
    assert "XX is not a country's code." in run("trainees", str(sheet), "--phone-country", "XX").output
    assert "There is no such institution." in run("trainees", str(sheet), "--institution", "Nowhere").output
    nowhere = run("trainees", str(sheet), "--report", str(tmp_path / "no" / "report.csv"))
    assert "The report cannot be written" in nowhere.output
    bad = run("trainees", str(csv_file(tmp_path / "b.csv", [["a", "b"]])), "--language", "zh")
    assert (bad.exit_code, bad.output.splitlines()) == (
        1,
        ["表格开头没有找到表头行。可用的列名见 docs/importing.md。", "Nobody was registered."],
    )
    south = found(run, "South College")
    assert "Several institutions are meant." in run("trainees", str(sheet)).output
    assert run("trainees", str(sheet), "--institution", south).exit_code == 0
