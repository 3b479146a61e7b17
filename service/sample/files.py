"""Files such as a coordinator has: a list of applicants, a partner's transcripts, an attendance sheet, a scan.

They are about people whom the sample world does not know yet, but for the attendance, which is of one of its classes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from service.sample.cast import Trainee
from service.sample.organisations import COURSES, PARTNERS, PROGRAMMES
from service.sample.papers import pdf, png
from service.sample.people import SamplePerson, people

APPLICANTS: Final = 120
TRANSCRIPTS: Final = 30
BUDDHIST_ERA: Final = 543
"""Years by which Thailand counts ahead: 2026 is 2569."""
SEX: Final = {"F": "女", "M": "男"}
NATIONALITY: Final = {
    "CN": "中国", "TH": "泰国", "KH": "柬埔寨", "RU": "俄罗斯", "KZ": "哈萨克斯坦", "VN": "越南",
    "LA": "老挝", "ID": "印度尼西亚",
}  # fmt: skip
COLUMNS: Final[tuple[tuple[str, int, Callable[[SamplePerson, int], Any]], ...]] = (
    ("序号", 6, lambda _p, n: n + 1),
    ("姓名", 18, lambda p, _n: p.name_native),
    ("拼音", 24, lambda p, _n: p.name_latin),
    ("性别", 6, lambda p, _n: SEX[p.sex]),
    ("出生日期", 12, lambda p, _n: p.birth_on),
    ("国籍", 12, lambda p, _n: NATIONALITY[p.nationality]),
    ("护照号", 14, lambda p, _n: p.passport_number),
    ("护照有效期", 12, lambda p, _n: p.passport_expires_on),
    ("手机", 16, lambda p, _n: p.phone),
    ("邮箱", 32, lambda p, _n: p.email),
    ("生源地", 12, lambda p, _n: p.region_native),
    ("申请专业", 30, lambda _p, n: PROGRAMMES[n % 4].title_native),
    ("监护人", 18, lambda p, _n: p.guardian.name_native if p.guardian else ""),
    ("监护人电话", 16, lambda p, _n: p.guardian.phone if p.guardian else ""),
    ("备注", 16, lambda _p, n: "材料待补" if n % 17 == 0 else ""),
)
MARKS: Final = ("√", "√", "√", "√", "√", "√", "迟到", "√", "√", "病假", "√", "√", "缺勤")
GRADES: Final = ("4.00", "3.50", "3.00", "2.50", "3.50", "4.00", "0.00")
STUDENT: Final = "69319"


def write_files(folder: Path, seed: int, members: Sequence[Trainee], days: Sequence[date]) -> list[Path]:
    """Write every file into the folder, which is made; the same seed writes the same people."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [
        folder / name
        for name in (
            "2027春季报名表.xlsx",
            "transcripts-rayong-2569.csv",
            "出勤表.xlsx",
            "护照扫描件.pdf",
            "营业执照.png",
        )
    ]
    listed = list(people(seed + 1, APPLICANTS))
    write_applicants(made[0], listed)
    write_transcripts(made[1], list(people(seed + 2, TRANSCRIPTS, {"TH": 1})))
    write_attendance(made[2], members, days)
    first = listed[0]
    made[3].write_bytes(pdf(["PASSPORT", first.name_latin, f"{first.nationality} {first.birth_on}", "", *first.mrz]))
    made[4].write_bytes(png(seed % 97))
    return made


def write_applicants(path: Path, listed: Sequence[SamplePerson]) -> None:
    """A list of applicants as offices keep it: a title over the header, dates as dates, one row struck out."""
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("报名表")
    title = book.add_format({"bold": True, "font_size": 14, "align": "center"})
    head = book.add_format({"bold": True, "border": 1, "bg_color": "#DDEBF7"})
    plain = {on: book.add_format({"border": 1, "font_strikeout": on}) for on in (False, True)}
    day = book.add_format({"border": 1, "num_format": "yyyy/m/d"})
    sheet.merge_range(0, 0, 0, len(COLUMNS) - 1, "2027年春季国际班报名表", title)
    for place, (name, width, _) in enumerate(COLUMNS):
        sheet.set_column(place, place, width)
        sheet.write(2, place, name, head)
    for n, person in enumerate(listed):
        for place, (_, _, value_of) in enumerate(COLUMNS):
            value = value_of(person, n)
            if isinstance(value, date):
                sheet.write_datetime(n + 3, place, value, day)
            else:
                sheet.write(n + 3, place, value, plain[n == APPLICANTS - 1])
    sheet.freeze_panes(3, 2)
    book.close()


def thai_day(day: date) -> str:
    """A day as Thailand writes it: day, month, year of the Buddhist Era."""
    return f"{day.day:02}/{day.month:02}/{day.year + BUDDHIST_ERA}"


def write_transcripts(path: Path, listed: Sequence[SamplePerson]) -> None:
    """Transcripts of a college in Thailand: Thai headers, years of the Buddhist Era, a line for each course."""
    partner = next(p for p in PARTNERS if p.country == "TH")
    courses = [c for c in COURSES if c.trade == "mechatronics" and c.stage == 1]
    header = (
        "รหัสนักศึกษา",
        "ชื่อ-สกุล",
        "Name",
        "วันเกิด",
        "เลขหนังสือเดินทาง",
        "รหัสวิชา",
        "ชื่อวิชา",
        "หน่วยกิต",
        "เกรด",
        "วันที่สำเร็จ",
        "สถานศึกษา",
    )
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(header)
        for n, p in enumerate(listed):
            for k, course in enumerate(courses):
                done = date(2026, 3, 20 - k)
                rows.writerow(
                    (
                        f"{STUDENT}{n:05}", p.name_native, p.name_latin, thai_day(p.birth_on), p.passport_number,
                        f"30100-{1000 + k}", course.title_english, f"{Decimal(course.credits):.1f}",
                        GRADES[(n + k) % len(GRADES)], thai_day(done), partner.name_native,
                    )
                )  # fmt: skip


def write_attendance(path: Path, members: Sequence[Trainee], days: Sequence[date]) -> None:
    """An attendance sheet: a column for each meeting, marks as teachers make them."""
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("考勤")
    head = book.add_format({"bold": True, "border": 1})
    sheet.set_column(1, 2, 22)
    for place, name in enumerate(("学号", "姓名", "拼音", *(f"{d:%m/%d}" for d in days))):
        sheet.write(0, place, name, head)
    for n, t in enumerate(members):
        sheet.write_string(n + 1, 0, t.person.passport_number)
        sheet.write(n + 1, 1, t.person.name_native)
        sheet.write(n + 1, 2, t.person.name_latin)
        for k in range(len(days)):
            sheet.write(n + 1, 3 + k, MARKS[(n * 5 + k) % len(MARKS)])
    sheet.write(len(members) + 2, 0, "√ 出勤  迟到  病假  缺勤")
    book.close()
