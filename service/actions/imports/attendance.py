"""Attendance from sheets: a row is one member's mark in one meeting; the marks of a class are one act."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from service.actions.imports.cells import Faulty, Understood, read_data, reader_of, text_of
from service.actions.imports.chains import Chain, Doings, Turned
from service.actions.imports.rows import STUDENT_NO, Cell, Entry, Outcome
from service.actions.training import CLASSES
from service.actions.work import Call, Services, Wanted, perform_within
from service.domain.actors import THE_SYSTEM
from service.domain.completion import ATTENDANCE_KINDS, EXCUSES
from service.domain.lifecycle import Reason
from service.domain.training import AttendanceMark, AttendanceSheet, WithdrawnMark
from service.storage.attendance import Meeting, before_marks, counting_marks, last_marks, meetings_of, members_of
from service.storage.database import Connection, attempt

_CALLED = read_data("imports", "attendance.json")["values"]
KEPT: Final[Mapping[str, Any]] = {
    "class_id": UUID, "session_id": UUID, "membership_id": UUID, "kind": str, "hours": Decimal, "taken_at": datetime,
}  # fmt: skip
_TYPES = {name: TypeAdapter(kind) for name, kind in KEPT.items()}
COLUMN_OF: Final = {"membership_id": STUDENT_NO, "session_id": "uid"}


def _clock(cell: Cell, _: str) -> Understood:
    """A time of day, as it is written or as a part of a day, which is how spreadsheets keep it."""
    if isinstance(cell, int | float) and 0 <= cell < 1:
        minutes = round(cell * 24 * 60)
        return Understood(time(minutes // 60 % 24, minutes % 60))
    found = re.fullmatch(r"([01]?\d|2[0-3])[:\uFF1A.]([0-5]\d)(?:[:\uFF1A]([0-5]\d))?", text_of(cell))
    if found is None:
        raise Faulty("clock_unreadable", "HH:MM")
    return Understood(time(int(found[1]), int(found[2]), int(found[3] or 0)))


READERS: Final[Mapping[str, Callable[[Cell, str], Understood]]] = {
    "class_id": reader_of(UUID, None, {}),
    "uid": reader_of(Annotated[str, "line"], None, {}),
    "on": reader_of(date, None, {}),
    "time": _clock,
    STUDENT_NO: reader_of(Annotated[str, "line"], None, {}),
    "kind": reader_of(str, ATTENDANCE_KINDS, _CALLED["kind"]),
    "hours": reader_of(Decimal, None, {}),
    "taken_on": reader_of(date, None, {}),
    "taken_time": _clock,
    "excuse": reader_of(str, EXCUSES, _CALLED["excuse"]),
}
NEEDED: Final = ("class_id", STUDENT_NO)


@dataclass(slots=True)
class Marks:
    """The rows of one sheet."""

    services: Services
    call: Call
    headers: Mapping[str, str]
    keys: frozenset[str] = frozenset(READERS)
    lines: dict[tuple[UUID, UUID], int] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """The header of a field as the sheet writes it."""
        name = COLUMN_OF.get(name, name)
        return self.headers.get("on" if name == "uid" and "uid" not in self.headers else name, name)

    def read(self, line: int, cells: Mapping[str, Cell]) -> Entry:
        """What a row says, and what is wrong with its cells."""
        entry = Entry(line)
        for name, cell in cells.items():
            try:
                entry.given[name] = READERS[name](cell, "").value
            except Faulty as no:
                entry.fault(self.header(name), no.reason)
                entry.wrong.add(name)
        said = entry.given
        entry.keys[STUDENT_NO] = said.get(STUDENT_NO, "")
        lacking = [n for n in NEEDED if n not in said] + ([] if {"uid", "on"} & said.keys() else ["on"])
        lacking += [] if {"kind", "excuse"} & said.keys() else ["kind"]
        for name in lacking:
            if name not in entry.wrong:
                entry.fault(self.header(name), Reason("input_required", required=self.header(name)))
        return entry

    def remember(self, entries: Sequence[Entry]) -> None:
        """Rows that were taken in before are told from their meetings and members when those are known."""

    async def settle(self, entries: Sequence[Entry]) -> None:
        """Which meeting and whose mark each row is, and whether it stands already."""
        good = [e for e in entries if e.outcome is Outcome.CREATE]
        classes = {e.given["class_id"] for e in good}
        where, database = self.call.institution, self.services.database
        meetings = await attempt(lambda _: meetings_of(database, where, classes))
        numbers = {e.student_no for e in good}
        members = await attempt(lambda _: members_of(database, where, classes, STUDENT_NO, numbers))
        for entry in good:
            self._place(entry, [m for m in meetings if m.class_id == entry.given["class_id"]], members)
        good = [e for e in good if e.outcome is Outcome.CREATE]
        pairs = [(e.given["way"]["session_id"], e.given["way"]["membership_id"]) for e in good]
        standing = await attempt(
            lambda _: counting_marks(database, where, {m for _, m in pairs}, {s for s, _ in pairs})
        )
        for entry, pair in zip(good, pairs, strict=True):
            way = entry.given["way"]
            there = standing.get(pair)
            if there is not None and there.kind == way["kind"] and way.get("hours") in (None, there.hours):
                entry.outcome, entry.item = Outcome.UNCHANGED, there.id
            elif (line := self.lines.setdefault(pair, entry.line)) != entry.line:
                entry.fault(self.header(STUDENT_NO), Reason("twice_in_sheet", actual=line))

    def _place(self, entry: Entry, meetings: list[Meeting], members: Mapping[tuple[UUID, str], UUID]) -> None:
        said = entry.given
        found = [m for m in meetings if _is_meant(m, said)]
        member = members.get((said["class_id"], entry.student_no))
        if not meetings:
            entry.fault(self.header("class_id"), Reason("class_known"))
        elif len(found) != 1:
            column = self.header("uid" if "uid" in said else "time" if "time" in said else "on")
            entry.fault(column, Reason("session_ambiguous" if found else "session_known"))
        if meetings and member is None:
            entry.fault(self.header(STUDENT_NO), Reason("member_attends"))
        if entry.outcome is not Outcome.CREATE or member is None:
            return
        way = {"class_id": said["class_id"], "session_id": found[0].id, "membership_id": member}
        way |= {"kind": said.get("excuse") or said["kind"]}
        if "hours" in said:
            way["hours"] = said["hours"]
        if "taken_on" in said or "taken_time" in said:
            at = datetime.combine(said.get("taken_on") or found[0].on, said.get("taken_time") or time(23, 59))
            way["taken_at"] = at.replace(tzinfo=ZoneInfo(found[0].zone))
        entry.given = {"way": way}

    def blame(self, entry: Entry, reasons: Sequence[Reason]) -> None:
        """What the rules say against a row."""
        for reason in reasons:
            entry.fault(self.header((reason.pointer or "/").rsplit("/", 1)[-1]), reason)


def _is_meant(m: Meeting, said: Mapping[str, Any]) -> bool:
    if "uid" in said:
        return bool(m.uid == said["uid"])
    at = m.starts_at.astimezone(ZoneInfo(m.zone))
    return bool(m.on == said["on"]) and ("time" not in said or at.time() == said["time"])


def missing(known: Collection[str]) -> list[str]:
    """A sheet names the class, the meeting, the member and the mark."""
    has = set(known)
    lacking = [n for n in NEEDED if n not in has]
    lacking += [] if {"uid", "on"} & has else ["on"]
    return lacking + ([] if {"kind", "excuse"} & has else ["kind"])


# ---- doing
def read_said(said: Mapping[str, Any]) -> dict[str, Any]:
    """What was kept of a row as JSON, of the types that the rules know."""
    return {"person": {}, "way": {n: _TYPES[n].validate_python(v) for n, v in said.get("way", {}).items()}}


def _acts(doings: Doings) -> list[tuple[UUID, list[tuple[UUID, Any, list[int]]]]]:
    """The acts that the rows are: of one class, each meeting once, with the rows of each sheet."""
    sheets: dict[tuple[UUID, UUID], dict[Any, list[int]]] = defaultdict(lambda: defaultdict(list))
    for n, d in doings.items():
        sheets[d.way["class_id"], d.way["session_id"]][d.way.get("taken_at")].append(n)
    acts: dict[tuple[int, UUID], list[tuple[UUID, Any, list[int]]]] = defaultdict(list)
    for (of, session), by_time in sheets.items():
        for turn, (taken, rows) in enumerate(by_time.items()):
            acts[turn, of].append((session, taken, rows))
    return [(of, listed) for (_, of), listed in sorted(acts.items())]


async def forth(services: Services, con: Connection, call: Call, doings: Doings) -> None:
    """The marks of each class in one act. Raises Turned."""
    turned: dict[int, list[tuple[str, Reason]]] = {}
    for of, sheets in _acts(doings):
        said = tuple(
            AttendanceSheet(session_id=session, taken_at=taken, marks=tuple(_mark(doings[n].way) for n in rows))
            for session, taken, rows in sheets
        )
        wanted = [Wanted(of, None, {"sheets": said})]
        (result,) = await perform_within(services, con, call, CLASSES, "take_attendance_of_many", wanted)
        for reason in result.refused or ([Reason("gone_since")] if result.state is None else []):
            for n in _rows_of(reason, sheets):
                turned.setdefault(n, []).append((_column(reason), reason))
    if turned:
        raise Turned(turned)


def _mark(way: Mapping[str, Any]) -> AttendanceMark:
    return AttendanceMark(membership_id=way["membership_id"], kind=way["kind"], hours=way.get("hours"))


def _rows_of(reason: Reason, sheets: Sequence[tuple[UUID, Any, list[int]]]) -> list[int]:
    """The rows that a reason is about: a mark, a sheet, or all of the class."""
    found = re.match(r"/?sheets/(\d+)(?:/marks/(\d+))?", reason.pointer or "")
    if found is None:
        return [n for _, _, rows in sheets for n in rows]
    rows = sheets[int(found[1])][2]
    return rows if found[2] is None else [rows[int(found[2])]]


def _column(reason: Reason) -> str:
    name = (reason.pointer or "/").rsplit("/", 1)[-1]
    return COLUMN_OF.get(name, name if name in READERS else "class_id" if not name else "kind")


async def back(services: Services, con: Connection, call: Call, doings: Doings) -> None:
    """What counted before counts again; a meeting that nobody else marked was not held. Raises Turned."""
    system = Call(call.institution, call.route, trusted=THE_SYSTEM)
    job = next(iter(doings.values())).ids["import"]
    marks = await before_marks(con, call.institution, job, [d.ids["mark"] for d in doings.values()])
    whose = {d.ids["mark"]: n for n, d in doings.items()}
    by_class: dict[UUID, list[Any]] = defaultdict(list)
    for m in marks:
        by_class[m.class_id].append(m)
    turned: dict[int, list[tuple[str, Reason]]] = {}
    for of, found in sorted(by_class.items()):
        said = tuple(
            WithdrawnMark(
                attendance_id=m.id, session_id=m.session_id, membership_id=m.membership_id,
                kind=m.kind or "absent", hours=m.hours or Decimal(0), alone=m.alone,
            )
            for m in found
        )  # fmt: skip
        wanted = [Wanted(of, None, {"marks": said})]
        (result,) = await perform_within(services, con, system, CLASSES, "withdraw_attendance", wanted)
        if result.state is None:
            turned |= {whose[m.id]: [("class_id", r) for r in result.refused or (Reason("gone_since"),)] for m in found}
    if turned:
        raise Turned(turned)


async def left(con: Connection, call: Call, doings: Doings) -> Mapping[int, tuple[UUID, int]]:
    """The marks, and the number of the event that put each down."""
    pairs = {n: (d.way["session_id"], d.way["membership_id"]) for n, d in doings.items()}
    found = await last_marks(con, call.institution, {m for _, m in pairs.values()}, {s for s, _ in pairs.values()})
    for n, pair in pairs.items():
        doings[n].ids["mark"] = found[pair].id
    return {n: (found[pair].id, found[pair].seq) for n, pair in pairs.items()}


MARKING: Final = Chain(read_said, forth, back, left)
__all__ = ["MARKING", "Marks", "missing"]
