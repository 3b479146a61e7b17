"""Cells of a sheet as people fill them in, understood: dates, countries, phone numbers, machine-readable lines."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias
from uuid import UUID

from pydantic import EmailStr, TypeAdapter, ValidationError

from service.actions.imports.sheets import Cell
from service.domain.lifecycle import Reason
from service.domain.values import country_of

LINE_MOST: Final = 200
EXACT: Final = 10**15
"""A spreadsheet keeps 15 digits of a number and makes the rest zeros."""
BUDDHIST_FROM: Final = 2400
BUDDHIST_AHEAD: Final = 543
SERIAL_ZERO: Final = date(1899, 12, 30)
SERIALS: Final = range(3654, 73051)
"""Days as a spreadsheet counts them, from 1910 to 2099: a date whose cell lost its format."""


class Faulty(Exception):
    """A cell cannot be understood, for this reason."""

    def __init__(self, code: str, required: object = None) -> None:
        super().__init__(code)
        self.reason = Reason(code, required)


@dataclass(frozen=True, slots=True)
class Understood:
    """The value of a cell, and a remark where it was not plain how to read it."""

    value: Any
    remark: Reason | None = None


def folded(words: str) -> str:
    """Words as they are compared: without case, width, spaces, signs, and without what stands in brackets."""
    plain = unicodedata.normalize("NFKC", words).casefold()
    return re.sub(r"[\W_]+", "", re.sub(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】", "", plain))


def read_data(*parts: str) -> Any:
    """A file of the service's data."""
    return json.loads(files("service.data").joinpath(*parts).read_text(encoding="utf-8"))


def text_of(cell: Cell) -> str:
    """One line of text; a number as a person would write it.

    Raises:
        Faulty: digits were lost, it is too long, or it cannot be kept.
    """
    if isinstance(cell, int | float):
        if abs(cell) >= EXACT:
            raise Faulty("number_lost_digits")
        cell = str(int(cell)) if cell == int(cell) else str(cell)
    text = re.sub(r"\s*[\r\n]+\s*", " ", str(cell).strip())
    if text[:1] == "'" and text[1:].lstrip()[:1] in FORMULA:  # a downloaded file, where it was made inert
        text = text[1:]
    if re.fullmatch(r"\d(\.\d+)?E\+\d+", text):
        raise Faulty("number_lost_digits")
    if len(text) > LINE_MOST:
        raise Faulty("text_too_long", LINE_MOST)
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
        raise Faulty("text_unprintable")
    return text


FORMULA: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def inert(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + text if text.lstrip()[:1] in FORMULA or text[:1] in tuple("\t\r\n") else text


def _line(cell: Cell, _: str) -> Understood:
    return Understood(text_of(cell))


# Dates -------------------------------------------------------------------------------------------------------------

_DATES: Final = (
    re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?: ?T?0?0:00(?::00)?)?"),
    re.compile(r"(\d{4})(年)(\d{1,2})月(\d{1,2})[日号]?"),
    re.compile(r"(\d{4})()(\d{2})(\d{2})"),
)


def _parts(cell: Cell) -> tuple[int, int, int]:
    """The year, the month and the day, as they are written."""
    if isinstance(cell, date):
        return cell.year, cell.month, cell.day
    written = re.sub(r"\s*([年月/.-])\s*", r"\1", unicodedata.normalize("NFKC", text_of(cell)))
    found = next((m for pattern in _DATES if (m := pattern.fullmatch(written))), None)
    if found is None:
        raise Faulty("date_unreadable", "YYYY-MM-DD")
    return int(found[1]), int(found[3]), int(found[4])


def _day(cell: Cell, _: str) -> Understood:
    """A date: the year first, or as a spreadsheet keeps it; a year of the Buddhist era is told from its number."""
    serial = isinstance(cell, int | float) and cell == int(cell) and int(cell) in SERIALS
    if isinstance(cell, int | float) and serial:
        cell = SERIAL_ZERO + timedelta(days=int(cell))
    year, month, day = _parts(cell)
    is_buddhist = year >= BUDDHIST_FROM
    try:
        value = date(year - BUDDHIST_AHEAD * is_buddhist, month, day)
    except ValueError:
        raise Faulty("date_not_in_calendar", "YYYY-MM-DD") from None
    if is_buddhist:
        return Understood(value, Reason("buddhist_era", required=f"{year}-{month:02}-{day:02}", actual=value))
    return Understood(value, Reason("date_from_serial", actual=value) if serial else None)


# Codes -------------------------------------------------------------------------------------------------------------


@cache
def _codes(name: str) -> Mapping[str, str]:
    """The codes of a list by whatever they may be called."""
    found: dict[str, str] = {}
    for row in read_data("codes", f"{name}.json")["codes"]:
        for called in (row["code"], row.get("alpha3"), row.get("icao"), row["en"], row["zh"]):
            if called:
                found.setdefault(folded(called), row["code"])
                found.setdefault(folded(called.replace("&", "and")), row["code"])
    more = read_data("imports", "trainees.json").get(name, {})
    return found | {folded(called): code for called, code in more.items()}


def _country(cell: Cell, _: str) -> Understood:
    text = text_of(cell)
    code = _codes("countries").get(folded(text)) or country_of(text.upper())
    if code is None:
        raise Faulty("country_unknown")
    return Understood(code)


def _language(cell: Cell, _: str) -> Understood:
    code = _codes("languages").get(folded(text_of(cell)))
    if code is None:
        raise Faulty("language_unknown")
    return Understood(code)


def _sex(cell: Cell, _: str) -> Understood:
    code = _codes("sexes").get(folded(text_of(cell)))
    if code is None:
        raise Faulty("sex_not_understood", ["M", "F", "X"])
    return Understood(code)


# Contacts ----------------------------------------------------------------------------------------------------------

_EMAIL: Final[TypeAdapter[str]] = TypeAdapter(EmailStr)


def _email(cell: Cell, _: str) -> Understood:
    try:
        return Understood(_EMAIL.validate_python(text_of(cell)))
    except ValidationError:
        raise Faulty("email_unreadable") from None


@cache
def _calling() -> Mapping[str, Mapping[str, Any]]:
    return {row["country"]: row for row in read_data("imports", "calling_codes.json")["codes"]}


def has_calling_code(country: str) -> bool:
    """Whether numbers of a country can be completed."""
    return country in _calling()


def _phone(cell: Cell, country: str) -> Understood:
    """A number in E.164; without a calling code it is of the country."""
    text = unicodedata.normalize("NFKC", text_of(cell)).replace("(0)", "")
    digits = re.sub(r"^00", "+", re.sub(r"[\s().\-/·–—]", "", text))
    if re.fullmatch(r"[0-9]+", digits):
        digits = _with_calling_code(digits, _calling()[country])
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", digits):
        raise Faulty("phone_unreadable")
    return Understood(digits)


def _with_calling_code(digits: str, plan: Mapping[str, Any]) -> str:
    """A number as dialled at home, without the first zero (which a spreadsheet loses), or abroad without the plus."""
    for prefix in (plan["trunk"], "", plan["calling"]):
        national = digits.removeprefix(prefix)
        if digits.startswith(prefix) and len(national) in plan["lengths"]:
            return f"+{plan['calling']}{national}"
    raise Faulty("phone_unreadable")


# Passports ---------------------------------------------------------------------------------------------------------


def _mrz(cell: Cell, _: str) -> Understood:
    """A machine-readable line, or both; wide letters, spaces and what word processors make of << are set right."""
    return Understood(re.sub(r"\s", "", unicodedata.normalize("NFKC", str(cell))).upper().replace("«", "<<"))


# Workbooks that were downloaded here -----------------------------------------------------------------------------


def _id(cell: Cell, _: str) -> Understood:
    try:
        return Understood(UUID(text_of(cell)))
    except ValueError:
        raise Faulty("id_unreadable") from None


def _whole(cell: Cell, _: str) -> Understood:
    text = text_of(cell)
    if not re.fullmatch(r"-?[0-9]{1,9}", text, re.ASCII):
        raise Faulty("number_unreadable")
    return Understood(int(text))


Reader: TypeAlias = "Callable[[Cell, str], Understood]"
_READERS: Final[Mapping[str, Reader]] = {
    "sex": _sex,
    "birth_on": _day,
    "result_on": _day,
    "nationality": _country,
    "email": _email,
    "phone": _phone,
    "language": _language,
    "mrz": _mrz,
    "mrz_line1": _mrz,
    "mrz_line2": _mrz,
    "guardian_phone": _phone,
    "id": _id,
    "version": _whole,
}


_YES: Final = ("true", "yes", "1", "是", "合格", "通过", "及格", "pass", "passed")
_NO: Final = ("false", "no", "0", "否", "不合格", "未通过", "不及格", "fail", "failed")


def _yes_or_no(cell: Cell, _: str) -> Understood:
    said = text_of(cell).casefold()
    if said not in (*_YES, *_NO):
        raise Faulty("yes_or_no", ["是", "否", "yes", "no"])
    return Understood(said in _YES)


def _amount(cell: Cell, _: str) -> Understood:
    text = unicodedata.normalize("NFKC", text_of(cell))
    if not re.fullmatch(r"-?[0-9]{1,10}(\.[0-9]{1,4})?", text, re.ASCII):
        raise Faulty("number_unreadable")
    return Understood(Decimal(text))


def _one_of(choices: Sequence[str], called: Mapping[str, str]) -> Reader:
    known = {folded(code): code for code in choices} | {folded(word): code for word, code in called.items()}

    def read(cell: Cell, _: str) -> Understood:
        code = known.get(folded(text_of(cell)))
        if code is None:
            raise Faulty("code_unknown", list(choices))
        return Understood(code)

    return read


_BY_TYPE: Final[Mapping[Any, Reader]] = {
    date: _day,
    Decimal: _amount,
    int: _whole,
    bool: _yes_or_no,
    UUID: _id,
    "country": _country,
    "language": _language,
    "email": _email,
    "phone": _phone,
}


def reader_of(kind: Any, choices: Sequence[str] | None, called: Mapping[str, str]) -> Reader:
    """How a cell is read that holds an input of this kind (as in `Takes`); `called` are further words for its codes."""
    if choices is not None:
        return _one_of(choices, called)
    marks = [m for m in getattr(kind, "__metadata__", ()) if isinstance(m, str)]
    return _BY_TYPE.get(marks[0] if marks else kind, _line)


def understand(name: str, cell: Cell, phone_country: str) -> Understood:
    """The value of a cell of a column; a column of no kind of its own holds a line of text.

    Raises:
        Faulty: it cannot be understood.
    """
    return _READERS.get(name, _line)(cell, phone_country)
