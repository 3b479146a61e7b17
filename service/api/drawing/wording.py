"""A frozen report's words and numbers in one language, for whatever it is drawn as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic_core import from_json

Language = Literal["en", "zh"]
Value = int | Decimal | None

TEXTS: Mapping[str, Mapping[Language, str]] = {
    "as_of": {"en": "As of {as_of}", "zh": "截至 {as_of}"},
    "year": {"en": "Year {year}", "zh": "{year} 年度"},
    "rule": {"en": "How it counts", "zh": "统计口径"},
    "definitions": {"en": "What each number counts", "zh": "指标说明"},
    "numbers": {"en": "Numbers", "zh": "数据"},
    "figure": {"en": "Number", "zh": "指标"},
    "definition": {"en": "Definition", "zh": "定义"},
    "group": {"en": "Group", "zh": "分组"},
    "value": {"en": "Value", "zh": "数值"},
    "unit": {"en": "Unit", "zh": "单位"},
    "total": {"en": "Total", "zh": "合计"},
    "items": {"en": "", "zh": ""},
    "percent": {"en": "%", "zh": "%"},
    "days": {"en": "days", "zh": "天"},
    "nothing": {"en": "No entries in this year.", "zh": "本年度无记录。"},
    "recorded": {
        "en": "Recorded until {counted_until}; entry {feed_no} of the record",
        "zh": "统计记录至 {counted_until}；记录序号 {feed_no}",
    },
    "hash": {"en": "SHA-256 of the frozen report", "zh": "冻结报告的 SHA-256"},
    "page": {"en": "Page {page} of {pages}", "zh": "第 {page} 页，共 {pages} 页"},
    "at_a_glance": {"en": "At a glance", "zh": "概览"},
    "more": {"en": "and {count} more", "zh": "另有 {count} 项"},
    "sheet": {"en": "Report", "zh": "报告"},
}


def text(name: str, language: Language, **values: object) -> str:
    """Words of the drawing itself."""
    return TEXTS[name][language].format(**values)


@dataclass(frozen=True, slots=True)
class Line:
    """One group of a number, in words."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Number:
    """A number in words: its title, its definition, its value, and its groups, the largest first."""

    key: str
    title: str
    definition: str
    unit: str
    value: Value
    lines: tuple[Line, ...]

    def shown(self, value: Value) -> str:
        """A value as it is printed."""
        if value is None:
            return "–"
        written = f"{value:,}"
        return f"{written} {self.unit}".strip() if self.unit != "%" else f"{written} %"


@dataclass(frozen=True, slots=True)
class Part:
    """Numbers under one heading."""

    title: str
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A whole report in one language."""

    report: Mapping[str, Any]
    language: Language
    title: str
    institution: str
    parts: tuple[Part, ...]

    def text(self, name: str) -> str:
        """Words of the drawing, with what the report says of itself."""
        r = self.report
        until = str(r["counted_until"])[:19].replace("T", " ") + " UTC"
        return text(
            name, self.language, year=r["year"], as_of=r["as_of"], feed_no=r["feed_no"], counted_until=until
        )  # fmt: skip

    @property
    def rule(self) -> str:
        """By which dates it counts."""
        return str(self.report["rule"][self.language])


def _value(written: int | str | None) -> Value:
    return Decimal(written) if isinstance(written, str) else written


def _number(figure: Mapping[str, Any], labels: Mapping[str, Any], language: Language) -> Number:
    words = labels.get(figure.get("by", ""), {})
    lines = [Line(words.get(g["group"], {}).get(language, g["group"]), _value(g["value"])) for g in figure["groups"]]
    lines.sort(key=lambda line: (line.value is None, -(line.value or 0), line.name))
    return Number(
        key=figure["key"],
        title=figure["title"][language],
        definition=figure["definition"][language],
        unit=text(figure["unit"], language),
        value=_value(figure["value"]),
        lines=tuple(lines),
    )


def told(content: bytes, language: Language) -> Told:
    """A frozen report in words."""
    report = from_json(content)
    name = report["institution"]["name_native" if language == "zh" else "name_latin"]
    parts = tuple(
        Part(s["title"][language], tuple(_number(f, report["labels"], language) for f in s["figures"]))
        for s in report["sections"]
    )
    return Told(report, language, report["title"][language], name, parts)
