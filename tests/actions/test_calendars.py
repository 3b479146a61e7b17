"""Calendars as other programs write them, read as instants; and ours, read back whole."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from service.actions.calendars import MOST, Line, Meeting, Place, read_calendar, write_calendar, zone_of
from service.actions.imports.sheets import Unreadable
from service.domain.lifecycle import Reason
from service.domain.training.clocks import DAILY, WEEKLY, Series, instant_of, occurrences

BERLIN = Place("Deutsch B1", "Europe/Berlin", date(2026, 10, 1), date(2027, 4, 30))
OUTLOOK = """BEGIN:VCALENDAR
METHOD:PUBLISH
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0900
TZOFFSETTO:+0900
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DESCRIPTION;LANGUAGE=de-DE:\\n
UID:040000008200E00074C5B7101A82E00800000000D0A6F0C6A5E1DC010000000000000000
 100000007DDC0C1B7E9D5D4FA2F0B3B1E1C3A9C1
SUMMARY;LANGUAGE=de-DE:Aussprache\\, Satzmelodie und die
  Grammatik
DTSTART;TZID=W. Europe Standard Time:20261023T090000
DTEND;TZID=W. Europe Standard Time:20261023T113000
RRULE:FREQ=WEEKLY;COUNT=4;INTERVAL=1;BYDAY=MO,FR;WKST=MO
EXDATE;TZID=W. Europe Standard Time:20261030T090000
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:20260901T080000Z
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:0
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
BEGIN:VALARM
DESCRIPTION:REMINDER
TRIGGER;RELATED=START:-PT15M
ACTION:DISPLAY
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:040000008200E00074C5B7101A82E00800000000D0A6F0C6A5E1DC010000000000000000
 100000007DDC0C1B7E9D5D4FA2F0B3B1E1C3A9C1
RECURRENCE-ID;TZID=W. Europe Standard Time:20261026T090000
SUMMARY:Verlegt
DTSTART;TZID=W. Europe Standard Time:20261026T140000
DTEND;TZID=W. Europe Standard Time:20261026T163000
DTSTAMP:20260901T080000Z
END:VEVENT
END:VCALENDAR
"""
GOOGLE = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
X-WR-TIMEZONE:Europe/Berlin
BEGIN:VEVENT
DTSTART:20261109T080000Z
DTEND:20261109T100000Z
UID:3k2ab@google.com
STATUS:CANCELLED
SUMMARY:Deutsch B1
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20261110T080000
DURATION:PT1H30M
UID:9z@google.com
END:VEVENT
BEGIN:VEVENT
DTSTART:20261111T080000
DTEND:20261111T093000
UID:floating
END:VEVENT
END:VCALENDAR
"""


def ical(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def event(*lines: str) -> bytes:
    usual = {"UID": "UID:a", "DTSTART": "DTSTART:20261109T080000Z", "DTEND": "DTEND:20261109T100000Z"}
    named = {line.split(":")[0].split(";")[0]: line for line in lines}
    kept = [line for line in (usual | named).values() if not line.endswith(":-")]
    return ical("\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *kept, "END:VEVENT", "END:VCALENDAR", ""]))


def told(lines: list[Line]) -> list[tuple[str | None, str, str, str | None]]:
    assert [line.faults for line in lines] == [[]] * len(lines)
    return [
        (e.uid, f"{e.starts_at:%m-%dT%H:%MZ}", f"{e.ends_at - e.starts_at}", e.topic)
        for line in lines
        if (e := line.entry)
    ]


def test_outlook_series_is_read_with_its_exceptions_across_the_change_of_clocks() -> None:
    uid = "040000008200E00074C5B7101A82E00800000000D0A6F0C6A5E1DC010000000000000000100000007DDC0C1B7E9D5D4FA2F0B3B1E1C3A9C1"
    topic = "Aussprache, Satzmelodie und die Grammatik"
    assert told(read_calendar(ical(OUTLOOK), BERLIN)) == [
        (
            f"{uid}#20261023T070000Z",
            "10-23T07:00Z",
            "2:30:00",
            topic,
        ),  # summer time, whatever the file says of the zone
        (f"{uid}#20261102T080000Z", "11-02T08:00Z", "2:30:00", topic),  # the same clock in winter
        (f"{uid}#20261026T080000Z", "10-26T13:00Z", "2:30:00", "Verlegt"),
    ]


def test_google_events_are_read_in_their_zones() -> None:
    lines = read_calendar(ical(GOOGLE), BERLIN)
    assert told(lines) == [
        ("3k2ab@google.com", "11-09T08:00Z", "2:00:00", None),
        ("9z@google.com", "11-10T07:00Z", "1:30:00", None),
        ("floating", "11-11T07:00Z", "1:30:00", None),
    ]
    assert [line.entry and line.entry.cancelled for line in lines] == [True, False, False]
    assert [line.remarks for line in lines] == [[], [], [Reason("zone_of_class", actual="Europe/Berlin")]]
    withdrawn = ical(GOOGLE).replace(b"VERSION", b"METHOD:CANCEL\r\nVERSION")
    assert [line.entry and line.entry.cancelled for line in read_calendar(withdrawn, BERLIN)] == [True] * 3


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["DTSTART;VALUE=DATE:20261109"], "event_needs_time"),
        (["DTEND:-"], "event_needs_end"),
        (["DTSTART:-"], "event_unreadable"),
        (["DTSTART:tomorrow"], "event_unreadable"),
        (["DTSTART:00010101T000000Z"], "event_unreadable"),
        (["DTEND;TZID=Europe/Berlin:99991231T235959"], "event_unreadable"),
        (["DTSTART;TZID=Customized Time Zone:20261109T080000"], "zone_unknown"),
        (["UID:" + "x" * 181], "uid_too_long"),
        (["X-SOJOURN-HOURS:many"], "event_unreadable"),
        (["RRULE:FREQ=MONTHLY;COUNT=3"], "recurrence_not_understood"),
        (["RRULE:FREQ=SECONDLY"], "recurrence_not_understood"),
        (["RRULE:FREQ=WEEKLY;BYDAY=1MO"], "recurrence_not_understood"),
        (["RRULE:FREQ=DAILY;BYMONTHDAY=31"], "recurrence_not_understood"),
        (["RRULE:FREQ=DAILY;INTERVAL=0"], "recurrence_not_understood"),
        (["RRULE:nonsense"], "recurrence_not_understood"),
        (["RDATE:20261110T080000Z"], "recurrence_not_understood"),
    ],
)
def test_event_at_fault_says_why_and_stops_no_other(lines: list[str], fault: str) -> None:
    (only,) = read_calendar(event(*lines), BERLIN)
    assert (only.entry, [r.code for r in only.faults]) == (None, [fault])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"BEGIN:VCALENDAR", "calendar_broken"),
        (b"BEGIN:VCALENDAR\r\n\0\r\nEND:VCALENDAR", "calendar_broken"),
        (b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "calendar_broken"),
        (b"BEGIN:VCALENDAR\r\n" * 5001, "calendar_broken"),
        ("BEGIN:VCALENDAR\r\nNAME:ö\r\n".encode("latin-1"), "encoding_unknown"),
        (b"BEGIN:VCALENDAR\r\n" + b"x" * 2**21, "file_too_large"),
        (event("DTSTART:19800101T080000Z", "DTEND:19800101T090000Z", "RRULE:FREQ=DAILY"), "too_many_rows"),
    ],
)
def test_calendar_that_cannot_be_taken_in_is_refused_whole(content: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as no:
        read_calendar(content, BERLIN)
    assert no.value.code == code


def test_endless_series_ends_with_the_class() -> None:
    lines = read_calendar(event("RRULE:FREQ=DAILY"), BERLIN)
    assert len(lines) == (BERLIN.ends_on - date(2026, 11, 9)).days + 1
    assert len(lines) < MOST


def test_own_calendar_comes_back_as_it_was() -> None:
    at = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # across the night in which clocks go back
    changed = datetime(2026, 9, 1, tzinfo=UTC)
    meetings = [
        Meeting("1@sojourn", at, at + timedelta(hours=4), Decimal("4.00"), "Nacht; mit, Zeichen\\ und 中文 " * 5, cancelled=False, sequence=0, changed_at=changed),
        Meeting("2@sojourn", at + timedelta(hours=3), at + timedelta(hours=4), Decimal("0.75"), None, cancelled=True, sequence=3, changed_at=changed),
    ]  # fmt: skip
    written = write_calendar(BERLIN, meetings)
    assert written == write_calendar(BERLIN, meetings)
    text = written.decode()
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    for part in ("BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "STATUS:CANCELLED", "SEQUENCE:3", "UID:1@sojourn",
                 "DTSTART;TZID=Europe/Berlin:20261025T003000", "DTSTART:20261025T013000Z"):  # fmt: skip
        assert part in text, part
    back = [line.entry for line in read_calendar(written, BERLIN)]
    assert [(e.uid, e.starts_at, e.ends_at, e.hours, e.topic, e.cancelled) for e in back if e] == [
        (m.uid, m.starts_at, m.ends_at, m.hours, m.topic and m.topic.strip(), m.cancelled) for m in meetings
    ]
    assert b"VTIMEZONE" not in write_calendar(Place("x", "UTC", date(2026, 1, 1), date(2026, 1, 2)), meetings)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("China Standard Time", "Asia/Shanghai"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("/mozilla.org/20050126_1/America/Indiana/Knox", "America/Indiana/Knox"),
        ("Customized Time Zone", None),
        ("../../etc/passwd", None),
    ],
)
def test_zone_is_known_by_the_names_that_programs_give_it(name: str, zone: str | None) -> None:
    assert zone_of(name) == zone


def test_clock_readings_at_the_change_of_clocks() -> None:
    def read(text: str, offset: int | None = None) -> tuple[str, str | None]:
        shift = None if offset is None else timedelta(hours=offset)
        at, reason = instant_of(datetime.fromisoformat(text), "Europe/Berlin", shift)
        return f"{at:%d %H:%M}", reason.code if reason else None

    assert read("2026-10-25T01:59") == ("24 23:59", None)
    assert read("2026-10-25T02:30") == ("25 00:30", "time_twice_on_clock")
    assert (read("2026-10-25T02:30", 2), read("2026-10-25T02:30", 1)) == (("25 00:30", None), ("25 01:30", None))
    assert read("2026-10-25T02:30", 5) == ("25 00:30", "time_twice_on_clock")
    assert read("2027-03-28T02:30") == ("28 01:30", "time_not_on_clock")
    assert read("2027-03-28T03:00") == ("28 01:00", None)


def test_series_by_days_and_weeks() -> None:
    start, last = datetime(2026, 11, 4, 9), datetime(2026, 11, 30, 23, 59)  # noqa: DTZ001 - readings; a Wednesday

    def days(most: int = 99, **more: object) -> list[int]:
        return [at.day for at in occurrences(start, Series(**({"freq": WEEKLY} | more)), last, most)]  # type: ignore[arg-type]

    assert days() == [4, 11, 18, 25]
    assert days(count=2) == [4, 11]
    assert days(until=datetime(2026, 11, 18, 9)) == [4, 11, 18]  # noqa: DTZ001
    assert days(interval=2, days=(0, 2)) == [4, 16, 18, 30]
    assert days(interval=2, days=(6, 2)) == [4, 8, 18, 22]
    assert days(interval=2, days=(6, 2), week_start=6) == [4, 15, 18, 29]
    assert days(freq=DAILY, interval=10) == [4, 14, 24]
    assert days(freq=DAILY, days=(5, 6)) == [7, 8, 14, 15, 21, 22, 28, 29]
    assert days(most=2) == [4, 11, 18]
