"""A report as a workbook: numbers as numbers, words as words, a chart for each number that has groups."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook

from service.api.drawing.wording import Language, Number, Told, text, told

CHARTED = 12
"""Groups that one chart shows; the table beside it has all."""
WIDE, HIGH = 520, 260
ROWS_OF_CHART = 14
ACCENT = "#1F5FA8"


class _Book:
    """The workbook while it is written."""

    def __init__(self, report: Told, out: BytesIO) -> None:
        # Nothing that was typed by anybody becomes a formula or a link: every cell is written by its own type.
        self.book: Any = Workbook(
            out,
            {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
        )
        self.told = report
        until = datetime.fromisoformat(report.report["counted_until"]).astimezone(UTC).replace(tzinfo=None)
        self.book.set_properties({"title": report.title, "created": until, "comments": ""})
        font = {"font_name": "Noto Sans CJK SC" if report.language == "zh" else "Arial", "font_size": 11}
        self.plain = self.book.add_format(font)
        self.wrapped = self.book.add_format(font | {"text_wrap": True, "valign": "top"})
        self.top = self.book.add_format(font | {"valign": "top"})
        self.bold = self.book.add_format(font | {"bold": True, "valign": "top"})
        self.large = self.book.add_format(font | {"bold": True, "font_size": 18, "font_color": ACCENT})
        self.heading = self.book.add_format(font | {"bold": True, "font_size": 14, "font_color": ACCENT})
        self.header = self.book.add_format(font | {"bold": True, "font_color": "#FFFFFF", "bg_color": ACCENT})
        self.whole = self.book.add_format(font | {"num_format": "#,##0"})
        self.whole_bold = self.book.add_format(font | {"num_format": "#,##0", "bold": True, "valign": "top"})
        self.tenth = self.book.add_format(font | {"num_format": "0.0"})
        self.tenth_bold = self.book.add_format(font | {"num_format": "0.0", "bold": True, "valign": "top"})

    def number(self, sheet: Any, row: int, column: int, value: Any, *, bold: bool = False) -> None:
        if value is None:
            sheet.write_string(row, column, "–", self.bold if bold else self.plain)
        elif isinstance(value, int):
            sheet.write_number(row, column, value, self.whole_bold if bold else self.whole)
        else:
            sheet.write_number(row, column, value, self.tenth_bold if bold else self.tenth)

    def first_sheet(self, digest: str) -> None:
        t, lang = self.told, self.told.language
        sheet = self.book.add_worksheet(text("sheet", lang))
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 14)
        sheet.set_column(2, 2, 10)
        sheet.set_column(3, 3, 90)
        sheet.write_string(0, 0, f"{t.institution}", self.bold)
        sheet.write_string(1, 0, f"{t.title} {t.report['year']}", self.large)
        sheet.write_string(2, 0, f"{t.text('as_of')} · {t.text('recorded')}", self.plain)
        sheet.write_string(3, 0, f"{t.text('hash')}: {digest}", self.plain)
        sheet.merge_range(4, 0, 4, 3, "", self.wrapped)
        sheet.write_string(4, 0, t.rule, self.wrapped)
        sheet.set_row(4, 48)
        for n, name in enumerate(("figure", "value", "unit", "definition")):
            sheet.write_string(6, n, text(name, lang), self.header)
        row = 7
        for part in t.parts:
            sheet.write_string(row, 0, part.title, self.heading)
            row += 1
            for number in part.numbers:
                sheet.write_string(row, 0, number.title, self.top)
                self.number(sheet, row, 1, number.value, bold=True)
                sheet.write_string(row, 2, number.unit, self.top)
                sheet.write_string(row, 3, number.definition, self.wrapped)
                row += 1
        sheet.freeze_panes(7, 0)
        self._printed(sheet)

    def part_sheet(self, title: str, numbers: tuple[Number, ...]) -> None:
        lang = self.told.language
        sheet = self.book.add_worksheet(title[:31])
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 46)
        sheet.set_column(1, 1, 14)
        sheet.set_column(2, 2, 6)
        sheet.write_string(0, 0, f"{title} · {self.told.text('year')}", self.large)
        row = 2
        for number in numbers:
            sheet.write_string(row, 0, number.title, self.heading)
            first = row + 2
            sheet.write_string(row + 1, 0, text("group", lang), self.header)
            sheet.write_string(row + 1, 1, number.unit or text("value", lang), self.header)
            for n, line in enumerate(number.lines):
                sheet.write_string(first + n, 0, line.name, self.plain)
                self.number(sheet, first + n, 1, line.value)
            last = first + len(number.lines)
            sheet.write_string(last, 0, text("total", lang), self.bold)
            self.number(sheet, last, 1, number.value, bold=True)
            if number.lines:
                self._chart(sheet, row, first, number)
            row = max(last, row + ROWS_OF_CHART if number.lines else last) + 2
        self._printed(sheet)

    def _chart(self, sheet: Any, row: int, first: int, number: Number) -> None:
        last = first + min(len(number.lines), CHARTED) - 1
        chart = self.book.add_chart({"type": "bar"})
        chart.add_series(
            {
                "name": number.title,
                "categories": [sheet.get_name(), first, 0, last, 0],
                "values": [sheet.get_name(), first, 1, last, 1],
                "fill": {"color": ACCENT},
                "data_labels": {"value": True},
                "gap": 40,
            }
        )
        chart.set_title({"name": number.title, "name_font": {"size": 12}})
        chart.set_legend({"none": True})
        chart.set_y_axis({"reverse": True, "line": {"none": True}, "major_tick_mark": "none"})
        chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}, "min": 0})
        chart.set_size({"width": WIDE, "height": HIGH})
        sheet.insert_chart(row, 3, chart)

    @staticmethod
    def _printed(sheet: Any) -> None:
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)


def draw(content: bytes, language: Language) -> bytes:
    """The workbook; the same bytes each time."""
    out = BytesIO()
    report = told(content, language)
    made = _Book(report, out)
    made.first_sheet(sha256(content).hexdigest())
    for part in report.parts:
        made.part_sheet(part.title, part.numbers)
    made.book.close()
    return out.getvalue()
