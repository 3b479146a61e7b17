"""Timetables as sheets: a workbook with one meeting a row, in the time of the class, and the same read back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter

from service.actions.calendars import MOST, TOPIC_MOST, UID_MOST, Line, Meeting, Place
from service.actions.imports.cells import Faulty, folded, read_data, text_of, understand
from service.actions.imports.sheets import Cell, Row, Unreadable, read_sheet
from service.domain.lifecycle import Reason
from service.domain.training import TimetableEntry
from service.domain.training.clocks import instant_of

HEADERS: Final = {
    "on": ("Date 日期", 12),
    "starts": ("Starts 开始", 11),
    "ends": ("Ends 结束", 11),
    "hours": ("Hours 学时", 11),
    "topic": ("Topic 内容", 40),
    "cancelled": ("Cancelled 取消", 14),
    "offset": ("UTC offset 时差", 14),
    "uid": ("UID", 48),
}
NEEDED: Final = ("on", "starts", "ends")
HEADER_WITHIN: Final = 20
DAY_MINUTES: Final = 24 * 60


# ---- writing
def _shown(at: datetime) -> str:
    return f"{at:%H:%M:%S}".removesuffix(":00")


def _offsets(*instants: datetime) -> str:
    """How far the clocks are from UTC: once, or at the start and at the end where they change in between."""
    return "/".join(dict.fromkeys(f"{at:%z}"[:3] + ":" + f"{at:%z}"[3:5] for at in instants))


def write_sheet(place: Place, meetings: Sequence[Meeting]) -> bytes:
    """The timetable as a workbook; text is text, whatever it begins with, and never a formula."""
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": place.title, "created": datetime(2000, 1, 1)})  # noqa: DTZ001 - a fixed one
        sheet = book.add_worksheet("Timetable")
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        for column, (header, width) in enumerate(HEADERS.values()):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, header, bold)
        sheet.freeze_panes(1, 0)
        for row, m in enumerate(meetings, 1):
            starts, ends = (at.astimezone(ZoneInfo(place.zone)) for at in (m.starts_at, m.ends_at))
            sheet.write_datetime(row, 0, starts.replace(hour=0, minute=0, second=0, tzinfo=None), day)
            cancelled = "yes" if m.cancelled else "no"
            said = (_shown(starts), _shown(ends), None, m.topic, cancelled, _offsets(starts, ends), m.uid)
            for column, text in enumerate(said, 1):
                if text is not None:
                    sheet.write_string(row, column, text)
            sheet.write_number(row, 3, float(m.hours))
    return out.getvalue()


# ---- reading
@cache
def _columns() -> Mapping[str, str]:
    known = read_data("imports", "timetables.json")["columns"]
    return {folded(header): name for name, headers in known.items() for header in headers}


@cache
def _words() -> Mapping[str, bool]:
    known = read_data("imports", "timetables.json")
    return {folded(w): is_yes for kind, is_yes in (("yes", True), ("no", False)) for w in known[kind]}


def _field_of(cell: Cell) -> str | None:
    """The field that a header names, in one language or in two."""
    words = str(cell).split()
    ways = [str(cell), *(" ".join(words[:n]) for n in range(len(words) - 1, 0, -1)), *words]
    return next((name for way in ways if (name := _columns().get(folded(way)))), None)


def _header(row: Row) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, cell in enumerate(row[1]):
        if name := _field_of(cell):
            places.setdefault(name, place)
    return places


def read_timetable(path: Path, place: Place) -> list[Line]:
    """The meetings of a sheet (XLSX or CSV), in the time of the class.

    Raises:
        Unreadable: the file, its headers, or too many rows.
    """
    sheet = read_sheet(path)
    lines: list[Line] = []
    places: dict[str, int] = {}
    with closing(sheet.rows):
        for n, row in enumerate(sheet.rows):
            if not places:
                found = _header(row)
                places = found if set(NEEDED) <= found.keys() else {}
                if not places and n >= HEADER_WITHIN:
                    break
                continue
            cells = {name: row[1][at] for name, at in places.items() if at < len(row[1]) and str(row[1][at]).strip()}
            if cells:
                lines.append(_line(row[0], cells, place))
            if len(lines) > MOST:
                raise Unreadable("too_many_rows", required=MOST)
    if not places:
        raise Unreadable("header_missing", required=[HEADERS[name][0] for name in NEEDED])
    return lines


def _line(number: int, cells: Mapping[str, Cell], place: Place) -> Line:
    line, said = Line(number), dict[str, Any]()
    for name in HEADERS:
        if name in NEEDED and name not in cells:
            line.faults.append(Reason("input_required", required=HEADERS[name][0], pointer=name))
        if name not in cells:
            continue
        try:
            said[name] = _READERS[name](cells[name])
        except Faulty as no:
            line.faults.append(Reason(no.reason.code, required=no.reason.required, pointer=name))
    if line.faults:
        return line
    starts, ends = (datetime.combine(said["on"], said[name]) for name in ("starts", "ends"))
    ends += timedelta(days=1) if ends <= starts else timedelta(0)  # it ends after midnight
    instants = []
    offsets = said.get("offset") or (None, None)
    for name, local, offset in (("starts", starts, offsets[0]), ("ends", ends, offsets[1])):
        at, reason = instant_of(local, place.zone, offset)
        instants.append(at)
        if reason:
            line.faults.append(Reason(reason.code, required=reason.required, actual=reason.actual, pointer=name))
    if not line.faults:
        more = {name: said[name] for name in ("uid", "hours", "topic", "cancelled") if name in said}
        line.entry = TimetableEntry(starts_at=instants[0], ends_at=instants[1], **more)
    return line


# ---- cells
def _day(cell: Cell) -> date:
    found: date = understand("birth_on", cell, "").value
    if not 1900 <= found.year <= 2200:  # noqa: PLR2004 - as everywhere
        raise Faulty("date_not_in_calendar", "YYYY-MM-DD")
    return found


def _clock(cell: Cell) -> time:
    """A time of day, as it is written or as a part of a day (which is how spreadsheets keep it)."""
    if isinstance(cell, int | float) and 0 <= cell < 1:
        minutes = round(cell * DAY_MINUTES)
        return time(minutes // 60 % 24, minutes % 60)
    found = re.fullmatch(r"([01]?\d|2[0-3])[:\uFF1A.]([0-5]\d)(?:[:\uFF1A]([0-5]\d))?", text_of(cell))
    if found is None:
        raise Faulty("clock_unreadable", "HH:MM")
    return time(int(found[1]), int(found[2]), int(found[3] or 0))


def _hours(cell: Cell) -> Decimal:
    try:
        found = Decimal(text_of(cell).replace(",", "."))
    except InvalidOperation:
        raise Faulty("hours_unreadable", "0.00") from None
    if not found.is_finite() or abs(found) > 10_000:  # noqa: PLR2004 - what a meeting may count, the rules say
        raise Faulty("hours_unreadable", "0.00")
    return found.quantize(Decimal("0.01"))


def _yes(cell: Cell) -> bool:
    known = _words().get(folded(text_of(cell)) or text_of(cell))
    if known is None:
        raise Faulty("yes_or_no", ["yes", "no"])
    return known


def _shifts(cell: Cell) -> tuple[timedelta, timedelta]:
    """How far the clocks are from UTC at the start and at the end."""
    found = re.findall(r"([+-])([01]\d|2[0-3]):([0-5]\d)", text_of(cell))
    if not found:
        raise Faulty("offset_unreadable", "+01:00")
    shifts = [timedelta(hours=int(h), minutes=int(m)) * (-1 if sign == "-" else 1) for sign, h, m in found]
    return shifts[0], shifts[-1]


def _short(most: int) -> Any:
    def read(cell: Cell) -> str:
        text = text_of(cell)
        if len(text) > most:
            raise Faulty("text_too_long", most)
        return text

    return read


_READERS: Final[Mapping[str, Any]] = {
    "on": _day,
    "starts": _clock,
    "ends": _clock,
    "hours": _hours,
    "topic": _short(TOPIC_MOST),
    "cancelled": _yes,
    "offset": _shifts,
    "uid": _short(UID_MOST + 20),
}
