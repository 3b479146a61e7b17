"""A report as a document to print: what a principal reads first, then each number with its chart and its meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import cvttf_NotoSansCJK_Regular
from fpdf import FPDF

from service.api.drawing.wording import Language, Number, Part, Told, text, told

MARGIN = 18.0
WIDTH = 210.0 - 2 * MARGIN
INK, SOFT, ACCENT, PALE = (33, 37, 41), (108, 117, 125), (31, 95, 168), (226, 236, 247)
LINE_MOST = 14
"""Groups that one chart shows; what is beyond stands in the workbook."""
NAME_LEAST, NAME_MOST, VALUE_WIDE, BAR_HIGH = 40.0, 92.0, 22.0, 5.6
TILES: Sequence[str] = (
    "enrolments_begun", "studying", "class_pass_rate", "items_decided", "contracted", "target_reached", "departed",
    "at_work",
)  # fmt: skip
"""What a principal asks first."""


@cache
def _font() -> str:
    """The font for Han and Latin that is installed with the service."""
    folder = Path(str(cvttf_NotoSansCJK_Regular.__file__)).parent
    return str(next(folder.glob("*.otf")))


def _mainland_forms(font: Any) -> Mapping[str, str]:
    """The font draws Han and its punctuation as in Taiwan; its own table says which glyphs are written on the mainland.

    A shaping library would ask for them by language (OpenType feature `locl`, language `ZHS`); this is all of it that a
    report needs.
    """
    table = font["GSUB"].table
    found: dict[str, str] = {}
    for script in table.ScriptList.ScriptRecord:
        languages = script.Script.LangSysRecord if script.ScriptTag == "hani" else ()
        for number in (n for each in languages if each.LangSysTag.strip() == "ZHS" for n in each.LangSys.FeatureIndex):
            record = table.FeatureList.FeatureRecord[number]
            for lookup in record.Feature.LookupListIndex if record.FeatureTag == "locl" else ():
                for part in table.LookupList.Lookup[lookup].SubTable:
                    found |= getattr(getattr(part, "ExtSubTable", part), "mapping", {})
    return found


class _Page(FPDF):
    """A4 with a line at its foot: what it is, its hash, its page."""

    def __init__(self, report: Told, digest: str) -> None:
        super().__init__(format="A4")
        self.told, self.digest = report, digest
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(auto=True, margin=24)
        self.add_font("han", fname=_font())
        font: Any = self.fonts["han"]
        forms = _mainland_forms(font.ttfont)
        font.cmap = {code: forms.get(glyph, glyph) for code, glyph in font.cmap.items()}
        self.set_creation_date(datetime.fromisoformat(report.report["counted_until"]).astimezone(UTC))
        self.set_title(f"{report.title} {report.report['year']}")
        self.set_lang("zh-CN" if report.language == "zh" else "en")
        self.set_producer("Sojourn")

    def footer(self) -> None:
        self.set_y(-15)
        self.set_draw_color(*PALE)
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())
        self.ink(7.5, SOFT)
        self.cell(WIDTH * 0.75, 6, f"{self.told.institution} · {self.told.title} {self.told.report['year']}")
        said = text("page", self.told.language, page=self.page_no(), pages="{nb}")
        self.cell(WIDTH * 0.25, 6, said, align="R")

    def ink(self, size: float, color: tuple[int, int, int] = INK) -> None:
        """What is written next: its size and its colour."""
        self.set_font("han", size=size)
        self.set_text_color(*color)

    def paragraph(self, words: str, size: float = 9.5, color: tuple[int, int, int] = INK, high: float = 5.0) -> None:
        """Words over as many lines as they need."""
        self.ink(size, color)
        self.multi_cell(WIDTH, high, words, align="L", new_x="LMARGIN", new_y="NEXT")

    def keep(self, high: float) -> None:
        """A new page where so much does not fit on this one."""
        if self.get_y() + high > self.page_break_trigger:
            self.add_page()

    def short(self, words: str, wide: float) -> str:
        """Words that fit, with a mark where something was left off."""
        if self.get_string_width(words) <= wide:
            return words
        while words and self.get_string_width(words + "...") > wide:
            words = words[:-1]
        return words.rstrip() + "..."


def _title(p: _Page) -> None:
    t = p.told
    p.add_page()
    p.ink(11, SOFT)
    p.cell(WIDTH, 7, t.institution, new_x="LMARGIN", new_y="NEXT")
    p.ink(24, ACCENT)
    p.cell(WIDTH, 14, f"{t.title} {t.report['year']}", new_x="LMARGIN", new_y="NEXT")
    p.paragraph(f"{t.text('as_of')} · {t.text('recorded')}", 9, SOFT)
    p.paragraph(f"{t.text('hash')}: {p.digest}", 7.5, SOFT, 5)
    p.ln(4)


def _tiles(p: _Page) -> None:
    """The few numbers that matter most, large."""
    known = {n.key: n for part in p.told.parts for n in part.numbers}
    shown = [known[k] for k in TILES if k in known]
    if not shown:
        return
    gap, high = 4.0, 24.0
    wide = (WIDTH - 3 * gap) / 4
    top = p.get_y()
    for n, number in enumerate(shown):
        x, y = MARGIN + (n % 4) * (wide + gap), top + (n // 4) * (high + gap)
        p.set_fill_color(*PALE)
        p.rect(x, y, wide, high, style="F", round_corners=True, corner_radius=1.5)
        p.set_xy(x + 3, y + 3)
        p.ink(17, ACCENT)
        p.cell(wide - 6, 9, number.shown(number.value))
        p.set_xy(x + 3, y + 13)
        p.ink(8, INK)
        p.multi_cell(wide - 6, 4, number.title, align="L")
    rows = (len(shown) + 3) // 4
    p.set_xy(MARGIN, top + rows * (high + gap) + 4)


def _bars(p: _Page, number: Number) -> None:
    """A bar for each group that has a value, its name before it and the value behind it."""
    lines = [line for line in number.lines if line.value is not None]
    largest = max((float(line.value or 0) for line in lines), default=0.0)
    p.ink(8.5)
    named = max((p.get_string_width(line.name) for line in lines), default=0.0) + 5
    name_wide = min(max(named, NAME_LEAST), NAME_MOST)
    span = WIDTH - name_wide - VALUE_WIDE
    for line in lines[:LINE_MOST]:
        p.keep(BAR_HIGH + 1)
        y = p.get_y()
        p.ink(8.5)
        p.set_xy(MARGIN, y)
        p.cell(name_wide - 2, BAR_HIGH, p.short(line.name, name_wide - 4))
        long = span * float(line.value or 0) / largest if largest else 0.0
        if long:
            p.set_fill_color(*ACCENT)
            p.rect(MARGIN + name_wide, y + 0.7, max(long, 0.4), BAR_HIGH - 1.4, style="F")
        p.set_xy(MARGIN + name_wide + long + 1, y)
        p.cell(VALUE_WIDE, BAR_HIGH, number.shown(line.value))
        p.set_xy(MARGIN, y + BAR_HIGH)
    left = len(lines) - LINE_MOST
    if left > 0:
        p.set_x(MARGIN + name_wide)
        p.ink(8, SOFT)
        p.cell(WIDTH, 5, text("more", p.told.language, count=left), new_x="LMARGIN", new_y="NEXT")


def _figure(p: _Page, number: Number) -> None:
    shown = sum(line.value is not None for line in number.lines)
    p.keep(17 + BAR_HIGH * min(shown, LINE_MOST))
    y = p.get_y()
    p.ink(11)
    p.cell(WIDTH * 0.75, 7, number.title)
    p.ink(13, ACCENT)
    p.set_xy(MARGIN + WIDTH * 0.75, y)
    p.cell(WIDTH * 0.25, 7, number.shown(number.value), align="R", new_x="LMARGIN", new_y="NEXT")
    p.paragraph(number.definition, 8, SOFT, 4.2)
    p.ln(1.5)
    if number.lines:
        _bars(p, number)
    p.ln(5)


def _part(p: _Page, part: Part) -> None:
    p.keep(60)
    p.ink(15, ACCENT)
    p.cell(WIDTH, 9, part.title, new_x="LMARGIN", new_y="NEXT")
    p.set_draw_color(*ACCENT)
    p.line(MARGIN, p.get_y(), MARGIN + WIDTH, p.get_y())
    p.ln(4)
    for number in part.numbers:
        _figure(p, number)


def draw(content: bytes, language: Language) -> bytes:
    """The document; the same bytes each time."""
    report = told(content, language)
    p: Any = _Page(report, sha256(content).hexdigest())
    _title(p)
    _tiles(p)
    p.ink(11)
    p.cell(WIDTH, 7, text("rule", language), new_x="LMARGIN", new_y="NEXT")
    p.paragraph(report.rule, 9, SOFT)
    p.ln(6)
    for part in report.parts:
        _part(p, part)
    return bytes(p.output())
