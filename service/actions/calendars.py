"""Timetables as calendars (iCalendar, RFC 5545): written for any program, read from whatever programs write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Calendar, Event, Timezone
from icalendar.prop import vDDDLists, vDDDTypes
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from service.actions.imports.sheets import Unreadable
from service.domain.lifecycle import Reason
from service.domain.training import TimetableEntry
from service.domain.training.clocks import DAILY, WEEKDAYS, WEEKLY, Series, instant_of, occurrences

MOST: Final = 1000
"""Meetings that one file may name, every occurrence of a series counted."""
BYTES_MOST: Final = 2 * 2**20
COMPONENTS_MOST: Final = 5000
UID_MOST: Final = 180
TOPIC_MOST: Final = 200
PRODUCT: Final = "-//Sojourn//Timetable//EN"
HOURS: Final = "X-SOJOURN-HOURS"
_ZONED: Final = re.compile(r"(?im)^((?:DTSTART|DTEND|RECURRENCE-ID|EXDATE|RDATE)\b[^:\r\n]*?);TZID=")
_ZONES: Final = re.compile(r"(?ims)^BEGIN:VTIMEZONE\s*?$.*?^END:VTIMEZONE\s*?$")
_FOLD: Final = re.compile(r"\r?\n[ \t]")


@dataclass(frozen=True, slots=True)
class Place:
    """The class to which a timetable belongs: its title, its zone, its first and its last day."""

    title: str
    zone: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting as it is written into a file."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    hours: Decimal
    topic: str | None
    cancelled: bool
    sequence: int
    changed_at: datetime


@dataclass(slots=True)
class Line:
    """One line of a file: the number of the line or event, what it says of a meeting, faults, and remarks."""

    number: int
    entry: TimetableEntry | None = None
    faults: list[Reason] = field(default_factory=list)
    remarks: list[Reason] = field(default_factory=list)


# ---- writing
def write_calendar(place: Place, meetings: Sequence[Meeting]) -> bytes:
    """The timetable as a calendar in the zone of the class; the same meetings always give the same bytes."""
    calendar = Calendar()
    for name, value in (
        ("prodid", PRODUCT), ("version", "2.0"), ("calscale", "GREGORIAN"), ("method", "PUBLISH"),
        ("name", place.title), ("x-wr-calname", place.title), ("x-wr-timezone", place.zone),
    ):  # fmt: skip
        calendar.add(name, value)
    if place.zone != "UTC":
        days = [day for m in meetings for day in (m.starts_at.date(), m.ends_at.date())]
        first = min([place.starts_on, *days]) - timedelta(days=1)
        zone = Timezone.from_tzid(
            place.zone, first_date=first, last_date=max([place.ends_on, *days]) + timedelta(days=2)
        )
        zone.pop("comment", None)
        calendar.add_component(zone)
    for meeting in meetings:
        calendar.add_component(_event(place, meeting))
    return bytes(calendar.to_ical())


def _event(place: Place, m: Meeting) -> Event:
    starts, ends = (at.astimezone(ZoneInfo(place.zone)) for at in (m.starts_at, m.ends_at))
    if starts.fold or ends.fold or place.zone == "UTC":  # the second of two equal readings has no name but in UTC
        starts, ends = m.starts_at.astimezone(UTC), m.ends_at.astimezone(UTC)
    event = Event()
    for name, value in (
        ("uid", m.uid), ("dtstamp", m.changed_at.astimezone(UTC)), ("last-modified", m.changed_at.astimezone(UTC)),
        ("sequence", m.sequence), ("dtstart", starts), ("dtend", ends), ("summary", m.topic or place.title),
        ("status", "CANCELLED" if m.cancelled else "CONFIRMED"), (HOURS, str(m.hours)),
    ):  # fmt: skip
        event.add(name, value)
    return event


# ---- reading
def read_calendar(data: bytes, place: Place) -> list[Line]:
    """Every meeting that a calendar names, each occurrence of a series for itself.

    Zones are those of the IANA database, also under the names that Windows gives them; what a file itself says of a
    zone is not believed.

    Raises:
        Unreadable: the file as a whole.
    """
    calendar = _parse(data)
    gone = str(calendar.get("method", "")).upper() == "CANCEL"
    events = [e for e in calendar.walk("VEVENT") if isinstance(e, Event)]
    moved = {(str(e.get("uid")), at) for e in events if (at := _recurrence(e, place)) is not None}
    lines: list[Line] = []
    for number, event in enumerate(events, 1):
        for line in _lines(event, number, place, moved):
            lines.append(line if not gone or line.entry is None else _cancelled(line))
            if len(lines) > MOST:
                raise Unreadable("too_many_rows", required=MOST)
    return lines


def _cancelled(line: Line) -> Line:
    return replace(line, entry=line.entry and replace(line.entry, cancelled=True))


def _parse(data: bytes) -> Calendar:
    if len(data) > BYTES_MOST:
        raise Unreadable("file_too_large", required=f"{BYTES_MOST >> 20} MB", actual=f"{len(data) >> 20} MB")
    try:
        text = _FOLD.sub("", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Unreadable("encoding_unknown", required=["UTF-8"]) from error
    if "\0" in text or text.upper().count("BEGIN:") > COMPONENTS_MOST:
        raise Unreadable("calendar_broken")
    # The library would believe the first file that defines a zone for all that follow: it sees neither zones nor names.
    text = _ZONED.sub(r"\1;X-TZID=", _ZONES.sub("", text))
    try:
        found = Calendar.from_ical(text)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable("calendar_broken") from error
    if not isinstance(found, Calendar):
        raise Unreadable("calendar_broken")
    return found


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_of(name: str) -> str | None:
    """The zone of the IANA database that programs call so, if any."""
    plain = name.strip().strip('"')
    parts = plain.strip("/").split("/")
    ways = [plain, WINDOWS_TO_OLSON.get(plain, ""), *("/".join(parts[n:]) for n in range(len(parts)))]
    return next((way for way in ways if way in _zones()), None)


class _Fault(Exception):
    def __init__(self, code: str, required: Any = None, actual: Any = None) -> None:
        super().__init__(code)
        self.reason = Reason(code, required=required, actual=actual)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A clock reading in a zone; in UTC where the file says so."""

    local: datetime
    zone: str

    def instant(self, remarks: list[Reason]) -> datetime:
        """The instant, and a remark where the clocks change."""
        at, remark = instant_of(self.local, self.zone)
        remarks += [remark] if remark and remark not in remarks else []
        return at


def _reading(prop: Any, place: Place, remarks: list[Reason] | None = None) -> _Reading:
    if not isinstance(prop, vDDDTypes) or not isinstance(prop.dt, date):
        raise _Fault("event_unreadable")
    value, name = prop.dt, prop.params.get("X-TZID")
    if not isinstance(value, datetime):
        raise _Fault("event_needs_time")
    if not 1900 <= value.year <= 2200:  # noqa: PLR2004 - as everywhere
        raise _Fault("event_unreadable")
    if value.tzinfo is not None:
        return _Reading(value.astimezone(UTC).replace(tzinfo=None), "UTC")
    if name is None:
        if remarks is not None:
            remarks.append(Reason("zone_of_class", actual=place.zone))
        return _Reading(value, place.zone)
    zone = zone_of(str(name))
    if zone is None:
        raise _Fault("zone_unknown", required="IANA")
    return _Reading(value, zone)


def _recurrence(event: Event, place: Place) -> datetime | None:
    """Which occurrence of a series an event stands for, where it stands for one."""
    if "recurrence-id" not in event:
        return None
    try:
        return _reading(event["recurrence-id"], place).instant([])
    except _Fault:
        return None


def _lines(event: Event, number: int, place: Place, moved: set[tuple[str, datetime]]) -> Iterator[Line]:
    remarks: list[Reason] = []
    try:
        start = _reading(event.get("dtstart"), place, remarks)
        end, uid = _end(event, place), _uid(event)
        said = _said(event, place, remarks)
        starts = _series(event, start, place)
        own = _recurrence(event, place)
    except _Fault as no:
        yield Line(number, faults=[no.reason])
        return
    for local in starts:
        told = list(remarks)
        at = replace(start, local=local).instant(told)
        over = end.instant(told) if isinstance(end, _Reading) else at + end
        if isinstance(end, _Reading) and local != start.local:
            over = replace(end, local=local + (end.local - start.local)).instant(told)
        if own is None and "rrule" in event:
            if uid and (uid, at) in moved:
                continue
            own_uid = _occurrence(uid, at)
        else:
            own_uid = _occurrence(uid, own) if own else uid
        yield Line(number, TimetableEntry(starts_at=at, ends_at=over, uid=own_uid, **said), remarks=told)


def _uid(event: Event) -> str | None:
    uid = str(event.get("uid") or "").strip()
    if len(uid) > UID_MOST or not uid.isprintable():
        raise _Fault("uid_too_long", required=UID_MOST)
    return uid or None


def _occurrence(uid: str | None, at: datetime) -> str | None:
    """The uid of one occurrence of a series: that of the series, and when it was to be."""
    return uid and f"{uid}#{at:%Y%m%dT%H%M%SZ}"


def _end(event: Event, place: Place) -> _Reading | timedelta:
    if "dtend" in event:
        return _reading(event["dtend"], place)
    lasts = event.get("duration")
    if isinstance(lasts, vDDDTypes) and isinstance(lasts.dt, timedelta):
        return min(max(lasts.dt, timedelta(0)), timedelta(days=2))
    raise _Fault("event_needs_end")


def _said(event: Event, place: Place, remarks: list[Reason]) -> dict[str, Any]:
    topic = " ".join("".join(c if c.isprintable() else " " for c in str(event.get("summary") or "")).split())
    if len(topic) > TOPIC_MOST:
        topic = topic[:TOPIC_MOST]
        remarks.append(Reason("topic_shortened", actual=TOPIC_MOST))
    hours: Decimal | None = None
    if HOURS in event:
        try:
            hours = Decimal(str(event[HOURS])[:10]).quantize(Decimal("0.01"))
        except InvalidOperation:
            raise _Fault("event_unreadable") from None
    cancelled = str(event.get("status") or "").upper() == "CANCELLED"
    return {"topic": None if topic in ("", place.title) else topic, "hours": hours, "cancelled": cancelled}


# ---- series
def _series(event: Event, start: _Reading, place: Place) -> list[datetime]:
    """The readings of every occurrence up to the last day of the class, but those that the event takes out."""
    if "rdate" in event or isinstance(event.get("rrule"), list):
        raise _Fault("recurrence_not_understood", required=[DAILY, WEEKLY])
    if "rrule" not in event:
        return [start.local]
    last = datetime.combine(place.ends_on, time.max)
    found = occurrences(start.local, _rule(event["rrule"], start.zone), last, MOST)
    if len(found) > MOST:
        raise Unreadable("too_many_rows", required=MOST)
    out = {r.local if r.zone == start.zone else None for r in _taken_out(event, start, place)}
    return [at for at in found if at not in out]


def _taken_out(event: Event, start: _Reading, place: Place) -> Iterator[_Reading]:
    listed = event.get("exdate", [])
    for group in listed if isinstance(listed, list) else [listed]:
        if not isinstance(group, vDDDLists):
            raise _Fault("event_unreadable")
        for one in group.dts:
            value = vDDDTypes(one.dt)
            if "X-TZID" in group.params:
                value.params["X-TZID"] = group.params["X-TZID"]
            read = _reading(value, place)
            at = read.instant([]).astimezone(ZoneInfo(start.zone)).replace(tzinfo=None)
            yield _Reading(at, start.zone)


def _rule(rule: Any, zone: str) -> Series:
    """A recurrence by days or weeks; any other is refused rather than half understood."""
    parts: Mapping[str, list[Any]] = rule if isinstance(rule, Mapping) else {}
    freq = str((parts.get("FREQ") or [""])[0])
    days = [str(d) for d in parts.get("BYDAY", [])]
    known = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST"}
    week_start = str((parts.get("WKST") or ["MO"])[0])
    numbers = [parts.get(name, [1])[0] for name in ("INTERVAL", "COUNT")]
    if (
        freq not in (DAILY, WEEKLY)
        or not set(parts) <= known
        or not {*days, week_start} <= set(WEEKDAYS)
        or any(not isinstance(n, int) or n < 1 for n in numbers)
    ):
        raise _Fault("recurrence_not_understood", required=[DAILY, WEEKLY], actual=freq or None)
    return Series(
        freq,
        numbers[0],
        tuple(WEEKDAYS.index(d) for d in days),
        numbers[1] if "COUNT" in parts else None,
        _until((parts.get("UNTIL") or [None])[0], zone),
        WEEKDAYS.index(week_start),
    )


def _until(value: Any, zone: str) -> datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if value.tzinfo else value
    return datetime.combine(value, time.max) if isinstance(value, date) else None
