"""The fields of a pack's file, each taken once and checked; every fault is kept, with its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

CODE: Final = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
COUNTRY: Final = re.compile(r"[A-Z]{2}")
CURRENCY: Final = re.compile(r"[A-Z]{3}")
AMOUNT: Final = re.compile(r"[0-9]{1,14}(\.[0-9]{1,4})?")
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
YEARS: Final = range(1900, 2201)
TEXT_MOST, LIST_MOST, NUMBER_MOST = 2000, 500, 1_000_000
NEVER: Final = date(1900, 1, 1)
"""Stands where a day is faulty; what has a fault is never used."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that cannot be: where (a JSON Pointer, and the row's key), a stable code, and what would be right."""

    pointer: str
    row: str
    code: str
    problem: str
    required: Any = None


class FaultyPack(ValueError):
    """A pack says something that cannot be: in which file, and every fault; `row` and `problem` are the first's."""

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{file}, {f.row}: {f.problem}" for f in faults))
        self.file = file
        self.faults = tuple(faults)
        self.row = faults[0].row
        self.problem = faults[0].problem


class Fields:
    """The fields of one JSON object. A faulty one is noted, and a harmless value stands in for it."""

    def __init__(
        self, file: str, row: str, content: object, pointer: str = "", faults: list[Fault] | None = None
    ) -> None:
        self.file = file
        self.row = row
        self.pointer = pointer
        self.faults: list[Fault] = faults if faults is not None else []
        self.left: dict[str, Any] = {}
        if isinstance(content, dict):
            self.left = dict(content)
            self.is_object = True
        else:
            self.is_object = False
            self.fault("pack_object_expected", "an object was expected")

    def fault(self, code: str, problem: str, name: str | None = None, required: Any = None) -> None:
        """Note a fault of the object, or of one of its fields."""
        step = "" if name is None else "/" + name.replace("~", "~0").replace("/", "~1")
        self.faults.append(Fault(self.pointer + step, self.row, code, problem, required))

    def close(self) -> None:
        """Whatever nobody has taken is unknown."""
        for name in sorted(self.left):
            self.fault("pack_field_unknown", f"unknown field {name!r}", name)

    def is_faulty(self, name: str) -> bool:
        """Whether a fault of this field, or of something in it, was noted."""
        place = f"{self.pointer}/{name}"
        return any(x.pointer == place or x.pointer.startswith(place + "/") for x in self.faults)

    def inner(self, name: str, content: object) -> Fields:
        """An object in a field."""
        return Fields(self.file, self.row, content, f"{self.pointer}/{name}", self.faults)

    def take(self, name: str, kind: type, *, needed: bool = True) -> Any:
        """The value of a field; None where it may be absent, or null, and is; and where it is faulty."""
        value = self.left.pop(name, None)
        if value is None:
            if needed and self.is_object:
                self.fault("pack_field_missing", f"{name} is missing", name)
            return None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            problem = f"{name} must be of type {kind.__name__}, not {value!r}"
            self.fault("pack_field_type", problem, name, kind.__name__)
            return None
        return value

    def text(self, name: str, *, needed: bool = True) -> str:
        """A text that can be printed, within bounds."""
        value: str | None = self.take(name, str, needed=needed)
        if value is None:
            return ""
        if needed and not value.strip():
            self.fault("pack_field_empty", f"{name} is empty", name)
        if len(value) > TEXT_MOST or any(ch < " " or "\ud800" <= ch <= "\udfff" for ch in value):
            problem = f"{name} is longer than {TEXT_MOST} characters, or has some that cannot be printed"
            self.fault("pack_text", problem, name, TEXT_MOST)
            return ""
        return value

    def number(self, name: str, least: int = 1, most: int = NUMBER_MOST) -> int:
        """A whole number within bounds."""
        value: int | None = self.take(name, int)
        if value is None:
            return least
        if value < least:
            self.fault("pack_number_least", f"{name} must be at least {least}, not {value}", name, least)
        if value > most:
            self.fault("pack_number_most", f"{name} must be at most {most}", name, most)
        return max(least, min(value, most))

    def flag(self, name: str) -> bool:
        """A yes or no; no where it is absent."""
        return bool(self.take(name, bool, needed=False))

    def day(self, name: str, *, needed: bool = False) -> date | None:
        """A day, written as ISO 8601 has it."""
        value = self.take(name, str, needed=needed)
        if value is None:
            return None
        try:
            day = date.fromisoformat(value) if DAY.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None or day.year not in YEARS:
            self.fault("pack_date", f"{name} is not a date: {value[:40]!r}", name, "YYYY-MM-DD")
            return None
        return day

    def span(self, first: str, last: str) -> tuple[date | None, date | None]:
        """Two days in order."""
        start, end = self.day(first), self.day(last)
        if start and end and end < start:
            self.fault("pack_dates_order", f"{last} is before {first}", last, start)
        return start, end

    def choice(self, name: str, allowed: Collection[str]) -> Any:
        """One of a closed set; no text stands in for a faulty one."""
        value = self.text(name)
        if value and value not in allowed:
            problem = f"{name} {value!r} is none of {', '.join(sorted(allowed))}"
            self.fault("pack_value_unknown", problem, name, sorted(allowed))
        return value if value in allowed else ""

    def code(self, name: str, pattern: re.Pattern[str] = CODE) -> str:
        """A text of one pattern."""
        value = self.text(name)
        if value and not (pattern.fullmatch(value) and len(value) <= 100):  # noqa: PLR2004
            self.fault("pack_value_code", f"{name} {value!r} is not written as a code", name, pattern.pattern)
            return ""
        return value

    def codes(
        self, name: str, allowed: Collection[str] | re.Pattern[str] | None = None, *, needed: bool = False
    ) -> Any:
        """A list of texts without repetition, all from a closed set or of one pattern."""
        values = self.take(name, list, needed=needed)
        if values is None:
            return ()
        if len(values) > LIST_MOST:
            self.fault("pack_list_most", f"{name} has more than {LIST_MOST} values", name, LIST_MOST)
            return ()
        if needed and not values:
            self.fault("pack_field_empty", f"{name} is empty", name)
        good: list[str] = []
        for n, value in enumerate(values):
            place = f"{name}/{n}"
            if not isinstance(value, str) or len(value) > TEXT_MOST or values.count(value) > 1:
                self._at(place, "pack_value_twice", f"{name} has {value!r} twice, or it is no text")
                break
            if isinstance(allowed, re.Pattern) and not allowed.fullmatch(value):
                problem = f"{name} has {value!r}, which is not written as a code"
                self._at(place, "pack_value_code", problem, allowed.pattern)
            elif allowed is not None and not isinstance(allowed, re.Pattern) and value not in allowed:
                listed = sorted(allowed)
                problem = f"{name} has {value!r}, which is none of {', '.join(listed)}"
                self._at(place, "pack_value_unknown", problem, listed)
            else:
                good.append(value)
        return tuple(good)

    def _at(self, place: str, code: str, problem: str, required: Any = None) -> None:
        self.faults.append(Fault(f"{self.pointer}/{place}", self.row, code, problem, required))

    def objects(self, name: str, *, needed: bool = False) -> list[Fields]:
        """A list of objects."""
        found = self.take(name, list, needed=needed) or []
        if len(found) > LIST_MOST:
            self.fault("pack_list_most", f"{name} has more than {LIST_MOST} values", name, LIST_MOST)
            return []
        return [self.inner(f"{name}/{n}", content) for n, content in enumerate(found)]

    def amount(self, name: str) -> Decimal:
        """An amount above nothing, written as a decimal."""
        text = self.text(name)
        if not text:
            return Decimal(1)
        if not AMOUNT.fullmatch(text):
            self.fault("pack_amount", f"{name} {text!r} is not a number", name)
            return Decimal(1)
        if not Decimal(text):
            self.fault("pack_amount", f"{name} {text!r} is not above nothing", name)
        return Decimal(text) or Decimal(1)

    def limits(self) -> Mapping[str, Any]:
        """Figures for whoever checks the evidence: numbers and texts by their names."""
        limits = self.take("limits", dict, needed=False) or {}
        for name, value in limits.items():
            plain = isinstance(value, str | int) and (len(value) if isinstance(value, str) else abs(value)) <= 10**12
            if not CODE.fullmatch(name) or not plain:
                self.fault("pack_limits", f"limits has {name!r}, which is neither a number nor a text", "limits")
        return MappingProxyType(limits)
