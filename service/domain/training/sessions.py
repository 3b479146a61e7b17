"""The timetable of a class and the attendance of its meetings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from service.domain.completion import ABSENT, ATTENDANCE_KINDS, EXCUSES, PRESENT, plain
from service.domain.lifecycle import Given, Reason
from service.domain.training.facts import (
    MOST_HOURS,
    MOST_MARKS,
    MOST_SESSIONS,
    AttendanceMark,
    AttendanceSheet,
    ClassDossier,
    PlannedSession,
    SessionFact,
    TimetableEntry,
    local_day,
)

CLOCKS_DIFFER = timedelta(minutes=5)
"""How much the clock of a device may be ahead."""
ADD, CHANGE, CANCEL, REINSTATE, SAME = "add", "change", "cancel", "reinstate", "same"
"""What an entry of a timetable does to the meeting that it names."""


def length(session: PlannedSession | TimetableEntry) -> Decimal:
    """The hours that a meeting counts: those given, else its length in hours to the hundredth."""
    if session.hours is not None:
        return session.hours
    # In UTC: on the day that the clocks change, the time between two clock readings is not what they show.
    elapsed = session.ends_at.astimezone(UTC) - session.starts_at.astimezone(UTC)
    return (Decimal(elapsed // timedelta(minutes=1)) / 60).quantize(Decimal("0.01"))


# ---- the timetable
def _fits(c: ClassDossier, s: PlannedSession | TimetableEntry, pointer: str) -> list[Reason]:
    starts, ends = s.starts_at.astimezone(UTC), s.ends_at.astimezone(UTC)
    if not starts < ends <= starts + timedelta(hours=MOST_HOURS):
        return [Reason("session_ends_after_start", pointer=f"{pointer}/ends_at")]
    found = []
    day = local_day(s.starts_at, c.time_zone)
    if not c.starts_on <= day <= c.ends_on:
        days = [c.starts_on, c.ends_on]
        found.append(Reason("session_in_class", required=days, actual=day, pointer=f"{pointer}/starts_at"))
    if s.hours is not None and not 0 < s.hours <= MOST_HOURS:
        found.append(Reason("session_hours_in_range", required=MOST_HOURS, pointer=f"{pointer}/hours"))
    return found


def _room_for(c: ClassDossier, more: int) -> list[Reason]:
    there = len(c.sessions) + more
    if there <= MOST_SESSIONS:
        return []
    return [Reason("sessions_most", required=MOST_SESSIONS, actual=there, pointer="/sessions")]


def _free(c: ClassDossier, starts_at: datetime, ends_at: datetime, pointer: str) -> list[Reason]:
    """The teacher has no meeting of another class at that time."""
    other = next((b for b in c.busy if b.meets(starts_at, ends_at)), None)
    if other is None:
        return []
    actual = {"starts_at": other.starts_at.isoformat(), "ends_at": other.ends_at.isoformat()}
    return [Reason("teacher_free", actual=actual, pointer=pointer)]


def sessions_fit(c: ClassDossier, given: Given) -> list[Reason]:
    """Each meeting ends after it starts, lies in the days of the class, and its teacher is free then."""
    planned = given["sessions"]
    found = []
    for n, s in enumerate(planned):
        found += _fits(c, s, f"/sessions/{n}") or _free(c, s.starts_at, s.ends_at, f"/sessions/{n}/starts_at")
    return found + _room_for(c, len(planned))


def teacher_has_time(c: ClassDossier, given: Given) -> list[Reason]:
    """Whoever takes over a class is free when it meets, where nobody stands in; what was held is past."""
    if given.get("teacher_id") is None or given["teacher_id"] == c.teacher_id:
        return []
    own = [s for s in c.sessions if s.teacher_id is None and not s.cancelled and not s.held]
    return [r for s in own for r in _free(c, s.starts_at, s.ends_at, "/teacher_id")][:1]


def sessions_cancellable(c: ClassDossier, given: Given) -> list[Reason]:
    """A meeting whose attendance was taken has been held."""
    found = []
    for n, wanted in enumerate(given["session_ids"]):
        session, pointer = c.session(wanted), f"/session_ids/{n}"
        if session is None or session.cancelled or wanted in given["session_ids"][:n]:
            found.append(Reason("session_known", pointer=pointer))
        elif session.held:
            found.append(Reason("session_not_held", pointer=pointer))
    return found


def substitute_fits(c: ClassDossier, given: Given) -> list[Reason]:
    """Whoever stands in is of the teaching staff and free then; the meetings are of the class and take place."""
    found = []
    if given.get("teacher_id") is not None and not c.teacher_known:
        found.append(Reason("teacher_known", pointer="/teacher_id"))
    for n, wanted in enumerate(given["session_ids"]):
        session = c.session(wanted)
        if session is None or session.cancelled or wanted in given["session_ids"][:n]:
            found.append(Reason("session_known", pointer=f"/session_ids/{n}"))
        else:
            found += _free(c, session.starts_at, session.ends_at, f"/session_ids/{n}")
    return found


@dataclass(frozen=True, slots=True)
class Placed:
    """What an entry of a timetable does: to which meeting (None: a new one), or why it cannot."""

    entry: TimetableEntry
    does: str
    session: SessionFact | None = None
    reasons: Sequence[Reason] = ()

    @property
    def hours(self) -> Decimal:
        """The hours that the meeting counts: those given; those that it had where its times stay; else its length."""
        s = self.session
        if self.entry.hours is None and s and (s.starts_at, s.ends_at) == (self.entry.starts_at, self.entry.ends_at):
            return s.hours
        return length(self.entry)


def _place(c: ClassDossier, entry: TimetableEntry, session: SessionFact | None, pointer: str) -> Placed:
    if session is None:
        if entry.cancelled:
            return Placed(entry, SAME)
        free = _free(c, entry.starts_at, entry.ends_at, f"{pointer}/starts_at")
        return Placed(entry, ADD, reasons=[*_fits(c, entry, pointer), *free])
    if entry.cancelled:
        held = [Reason("session_not_held", pointer=pointer)] if session.held else []
        return Placed(entry, SAME if session.cancelled else CANCEL, session, held)
    placed = Placed(entry, REINSTATE if session.cancelled else CHANGE, session, _fits(c, entry, pointer))
    when = (entry.starts_at, entry.ends_at, placed.hours) != (session.starts_at, session.ends_at, session.hours)
    if session.held and when:
        return Placed(entry, CHANGE, session, [Reason("session_not_held", pointer=pointer)])
    if not when and entry.topic == session.topic and not session.cancelled:
        return Placed(entry, SAME, session)
    if session.teacher_id is None and (when or session.cancelled):
        free = _free(c, entry.starts_at, entry.ends_at, f"{pointer}/starts_at")
        return replace(placed, reasons=[*placed.reasons, *free])
    return placed


def place_all(c: ClassDossier, entries: Sequence[TimetableEntry]) -> list[Placed]:
    """What each entry does: a meeting is known again by its uid, or, where an entry has none, by its instants."""
    by_uid = {s.uid: s for s in c.sessions}
    by_time = {(s.starts_at, s.ends_at): s for s in c.sessions if not s.cancelled}
    found: list[Placed] = []
    seen: set[Any] = set()
    for n, entry in enumerate(entries):
        when, pointer = (entry.starts_at, entry.ends_at), f"/sessions/{n}"
        session = by_uid.get(entry.uid) if entry.uid else by_time.get(when)
        known = session.id if session else entry.uid or when
        if known in seen:
            found.append(Placed(entry, SAME, session, [Reason("session_twice", pointer=pointer)]))
            continue
        seen.add(known)
        found.append(_place(c, entry, session, pointer))
    return found


def timetable_fits(c: ClassDossier, given: Given) -> list[Reason]:
    """Each entry is a meeting that the class can have, once; what was held already keeps its time and its hours."""
    placed = place_all(c, given["sessions"])
    return [r for p in placed for r in p.reasons] + _room_for(c, sum(p.does == ADD for p in placed))


# ---- attendance
def members_known(c: ClassDossier, rows: Iterable[Any], name: str) -> list[Reason]:
    """Each row is of somebody who attends, once."""
    found, seen = [], set()
    attending = c.attending
    for n, row in enumerate(rows):
        pointer = f"/{name}/{n}/membership_id"
        if row.membership_id in seen:
            found.append(Reason("member_once", pointer=pointer))
        elif row.membership_id not in attending:
            found.append(Reason("member_attends", pointer=pointer))
        seen.add(row.membership_id)
    return found


def hours_attended(mark: AttendanceMark, held: Decimal) -> Decimal | None:
    """The hours that a mark counts: all of a present one, none of an absent or excused one, else those given."""
    if mark.hours is not None:
        return mark.hours
    return held if mark.kind == PRESENT else None if mark.kind not in (ABSENT, *EXCUSES) else Decimal(0)


def _mark_fits(mark: AttendanceMark, session: SessionFact, pointer: str) -> Reason | None:
    if mark.kind not in ATTENDANCE_KINDS:
        return Reason("attendance_kind_known", required=ATTENDANCE_KINDS, pointer=f"{pointer}/kind")
    hours = hours_attended(mark, session.hours)
    most = Decimal(0) if mark.kind == ABSENT else session.hours
    if hours is None or not 0 <= hours <= most:
        return Reason("attended_hours_in_range", required=plain(most), pointer=f"{pointer}/hours")
    return None


def sheets_of(given: Given) -> Sequence[AttendanceSheet]:
    """What was handed in, as sheets: one of a single meeting, or those of many."""
    if "sheets" in given:
        sheets: Sequence[AttendanceSheet] = given["sheets"]
        return sheets
    single = AttendanceSheet(
        session_id=given["session_id"], marks=given.get("marks") or (), taken_at=given.get("taken_at")
    )
    return (single,)


def taken_at(sheet: AttendanceSheet, now: datetime) -> datetime:
    """When a sheet was taken: as the device says, but never later than now."""
    return min(sheet.taken_at or now, now)


def _sheet_fits(c: ClassDossier, sheet: AttendanceSheet, at: str) -> list[Reason]:
    session, pointer = c.session(sheet.session_id), f"{at}/session_id"
    if session is None or session.cancelled:
        return [Reason("session_known", pointer=pointer)]
    if session.on > c.today:
        return [Reason("session_begun", required=session.on, actual=c.today, pointer=pointer)]
    if not c.teaches(session):
        return [Reason("teaches_meeting", pointer=pointer)]
    found = []
    taken = sheet.taken_at
    if taken is not None and not (local_day(taken, c.time_zone) >= session.on and taken - CLOCKS_DIFFER <= c.now):
        found.append(Reason("taken_at_in_range", required=[session.on, c.now], actual=taken, pointer=f"{at}/taken_at"))
    found += members_known(c, sheet.marks, f"{at}/marks".removeprefix("/"))
    for n, mark in enumerate(sheet.marks):
        if no := _mark_fits(mark, session, f"{at}/marks/{n}"):
            found.append(no)
    return found


def attendance_fits(c: ClassDossier, given: Given) -> list[Reason]:
    """The meeting has begun, was not cancelled, and whoever asks teaches it; each mark is of a member who attends."""
    return _sheet_fits(c, sheets_of(given)[0], "")


def sheets_fit(c: ClassDossier, given: Given) -> list[Reason]:
    """The same of every sheet; each meeting once, and no more marks than one act takes."""
    found, seen = [], set()
    marks = sum(len(s.marks) for s in given["sheets"])
    if marks > MOST_MARKS:
        return [Reason("marks_most", required=MOST_MARKS, actual=marks, pointer="/sheets")]
    for n, sheet in enumerate(given["sheets"]):
        if sheet.session_id in seen:
            found.append(Reason("session_twice", pointer=f"/sheets/{n}/session_id"))
            continue
        seen.add(sheet.session_id)
        found += _sheet_fits(c, sheet, f"/sheets/{n}")
    return found


def corrected(given: Given, membership: UUID) -> AttendanceMark:
    """The mark that a correction puts in the place of another."""
    return AttendanceMark(membership_id=membership, kind=given["kind"], hours=given.get("hours"))


def correction_fits(c: ClassDossier, given: Given) -> list[Reason]:
    """A correction names the mark that counts now, says why, and puts one in its place that its meeting can have."""
    found = []
    if not given.get("note"):
        found.append(Reason("input_required", required="note", pointer="/note"))
    if (marked := c.marked) is None or (session := c.session(marked.session_id)) is None:
        return [*found, Reason("mark_known", pointer="/attendance_id")]
    if not marked.counts:
        found.append(Reason("mark_counts", pointer="/attendance_id"))
    if marked.membership_id not in c.attending:
        found.append(Reason("member_attends", pointer="/attendance_id"))
    if not c.teaches(session):
        found.append(Reason("teaches_meeting", pointer="/attendance_id"))
    no = _mark_fits(corrected(given, marked.membership_id), session, "")
    return [*found, no] if no else found
