"""The report of a year: what its numbers count, as data, and the numbers as they were on the day it was frozen.

A report is made from three things alone: its definitions, its cut through the record (the last event of the feed, and
the instant before which events were recorded), and what stands in the record up to that cut. Nothing in it is edited,
so that the same three give the same bytes at any later time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes

COUNTS = ("steps", "standing", "decisions", "days", "targets", "share")
GROUPS = ("", "programme", "destination", "class_kind", "test", "reason", "outcome")
UNITS = ("items", "percent", "days")
YEARS_BACK = 20
Words: TypeAlias = Mapping[str, str]
"""By language: en, zh."""
Key: TypeAlias = "tuple[str, str | None]"
"""A figure, and one of its groups; None is the whole."""


class FaultyDefinition(ValueError):
    """A report's definitions say something that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The figures whose sum is the part, and those whose sum is the whole."""

    part: tuple[str, ...]
    whole: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of a report: what it is called, what it means, and which rows it counts.

    `counts` says how: `steps` that happened in the year and were not taken back; what was `standing` in a state on its
    last day; `decisions`, each item's last one of the year; `days` from the opening to the first such step; `targets`;
    or a `share` of other figures, in percent. `by` is what it is told apart by.
    """

    key: str
    title: Words
    definition: Words
    counts: str
    unit: str
    subject: str = ""
    actions: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    by: str = ""
    share: Share | None = None

    def __post_init__(self) -> None:
        fits = {
            "steps": self.subject and self.actions,
            "decisions": self.subject and self.actions,
            "days": self.subject and self.actions,
            "standing": self.subject and self.states,
            "targets": self.subject and self.states,
            "share": self.share is not None,
        }
        if not fits.get(self.counts) or self.by not in GROUPS or self.unit not in UNITS:
            raise FaultyDefinition(self.key)
        if any(set(words) != {"en", "zh"} or not all(words.values()) for words in (self.title, self.definition)):
            raise FaultyDefinition(f"{self.key}: words")

    @property
    def needs(self) -> tuple[str, ...]:
        """The figures from whose rows it is made: itself, unless it is a share."""
        return (self.key,) if self.share is None else tuple(dict.fromkeys((*self.share.part, *self.share.whole)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Figures under one heading."""

    key: str
    title: Words
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """A kind of report in one edition: an edition that was used is never changed, a better one gets the next number."""

    report: str
    edition: int
    title: Words
    rule: Words
    sections: tuple[Section, ...]

    @property
    def figures(self) -> dict[str, Figure]:
        """Every figure by its key, in order."""
        return {f.key: f for s in self.sections for f in s.figures}

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Definitions:
        """From their JSON.

        Raises:
            FaultyDefinition: a figure that cannot be counted, or a key that stands twice.
        """
        sections = tuple(
            Section(key=s["key"], title=s["title"], figures=tuple(_figure(f) for f in s["figures"]))
            for s in written["sections"]
        )
        plain = {name: written[name] for name in ("report", "edition", "title", "rule")}
        made = cls(**plain, sections=sections)
        if len(made.figures) != sum(len(s.figures) for s in sections):
            raise FaultyDefinition("a key stands twice")
        unknown = {n for f in made.figures.values() for n in f.needs} - made.figures.keys()
        if unknown:
            raise FaultyDefinition(", ".join(sorted(unknown)))
        return made


def _figure(written: Mapping[str, Any]) -> Figure:
    share = written.get("share")
    lists: dict[str, Any] = {name: tuple(written.get(name, ())) for name in ("actions", "states")}
    given = {n: v for n, v in written.items() if n in Figure.__slots__ and n not in ("share", *lists)}
    return Figure(**given, **lists, share=Share(**{n: tuple(v) for n, v in share.items()}) if share else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How far into the record a report looks.

    Events up to `feed_no` of the feed that were recorded before `counted_until`, of what happened from `first_on` to
    `last_on`; what stands is looked at as it was at the end of `standing_on`.
    """

    year: int
    as_of: date
    feed_no: int
    counted_until: datetime

    @property
    def first_on(self) -> date:
        """The first day of the year."""
        return date(self.year, 1, 1)

    @property
    def last_on(self) -> date:
        """The last day of the year."""
        return date(self.year, 12, 31)

    @property
    def standing_on(self) -> date:
        """The last day of the year, or the day of the report where the year is not over."""
        return min(self.last_on, self.as_of)


@dataclass(frozen=True, slots=True)
class Total:
    """What the record says of one group of a figure: rows, the sum of their values, and the median."""

    rows: int
    total: Decimal
    median: Decimal | None


Totals: TypeAlias = Mapping[Key, Total]
Values: TypeAlias = "dict[Key, str | int | None]"


def values_of(definitions: Definitions, totals: Totals) -> Values:
    """Every number of a report: for each figure the whole, then its groups by their codes."""
    found: Values = {}
    for figure in definitions.figures.values():
        groups = sorted({g for key, g in totals if key in figure.needs and g is not None}) if figure.by else []
        for group in (None, *groups):
            found[figure.key, group] = _value(figure, group, totals)
    return found


_NOTHING = Total(0, Decimal(0), None)


def _value(figure: Figure, group: str | None, totals: Totals) -> str | int | None:
    if figure.share is not None:
        return _percent(figure, figure.share, group, totals)
    mine = totals.get((figure.key, group), _NOTHING)
    if figure.counts == "days":
        return None if mine.median is None else int(mine.median)
    return int(mine.total)


def _percent(figure: Figure, share: Share, group: str | None, totals: Totals) -> str | None:
    """A share; that of the whole is of the groups that have something to be a share of."""

    def sums(of: str | None) -> tuple[Decimal, Decimal]:
        part, whole = (
            sum((totals.get((key, of), _NOTHING).total for key in keys), Decimal(0))
            for keys in (share.part, share.whole)
        )
        return part, whole

    groups = {g for key, g in totals if key in figure.needs and g is not None} if figure.by else set()
    each = [sums(g) for g in groups] if group is None and figure.by else [sums(group)]
    part = sum((p for p, w in each if w), Decimal(0))
    whole = sum((w for _, w in each), Decimal(0))
    return str((100 * part / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)) if whole else None


def compose(
    definitions: Definitions, cut: Cut, institution: Mapping[str, Any], labels: Mapping[str, Any], totals: Totals
) -> dict[str, Any]:
    """The whole report. `labels` are the words for groups as they were on the day it was frozen."""
    values = values_of(definitions, totals)
    sections = []
    for section in definitions.sections:
        figures = []
        for figure in section.figures:
            told = {n: v for n, v in asdict(figure).items() if v not in ("", (), None)}
            groups = [{"group": g, "value": v} for (key, g), v in values.items() if key == figure.key and g is not None]
            figures.append(told | {"value": values[figure.key, None], "groups": groups})
        sections.append({"key": section.key, "title": dict(section.title), "figures": figures})
    return {
        "report": definitions.report,
        "edition": definitions.edition,
        "title": dict(definitions.title),
        "rule": dict(definitions.rule),
        "institution": dict(institution),
        "year": cut.year,
        "as_of": cut.as_of,
        "first_on": cut.first_on,
        "last_on": cut.last_on,
        "standing_on": cut.standing_on,
        "counted_until": cut.counted_until,
        "feed_no": cut.feed_no,
        "labels": labels,
        "sections": sections,
    }


def _plain(value: object) -> object:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)


def canonical(report: Mapping[str, Any]) -> bytes:
    """The bytes that are kept and hashed: JSON with sorted keys, UTF-8, no spaces."""
    return json.dumps(report, default=_plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(content: bytes) -> bytes:
    """SHA-256 of a report's bytes."""
    return hashlib.sha256(content).digest()


def cut_of(report: Mapping[str, Any]) -> Cut:
    """The cut of a report that was frozen."""
    until = datetime.fromisoformat(report["counted_until"])
    return Cut(
        year=report["year"], as_of=date.fromisoformat(report["as_of"]), feed_no=report["feed_no"], counted_until=until
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """A number that is no longer what it was when the report was frozen."""

    figure: str
    group: str | None
    frozen: str | int | None
    now: str | int | None


def differences(definitions: Definitions, frozen: Totals, now: Totals) -> list[Difference]:
    """Every number that differs; a group that one of them lacks counts there as nothing."""
    before, after = values_of(definitions, frozen), values_of(definitions, now)
    figures = definitions.figures
    order = {key: n for n, key in enumerate(figures)}
    keys = sorted(before.keys() | after.keys(), key=lambda k: (order[k[0]], k[1] or ""))
    both = ((key, group, _value(figures[key], group, frozen), _value(figures[key], group, now)) for key, group in keys)
    return [Difference(*told) for told in both if told[2] != told[3]]


@dataclass(frozen=True, slots=True)
class Changed:
    """The rows behind a difference: how many count no longer, how many count now, and the events that made it so."""

    gone: int
    came: int
    events: int
    event_ids: tuple[UUID, ...]


# ---- freezing
@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport(Dossier):
    """What is known when a report is frozen: the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDossier(Dossier):
    """A report that is frozen: nothing is done with it any more."""


def as_of_fits(r: NewReport, given: Given) -> Reason | None:
    """A report of a year is drawn up on a day of that year or later, and not of a day to come."""
    first = date(given["year"], 1, 1)
    on = given.get("as_of") or r.today
    if not first <= on <= r.today:
        return Reason("as_of_fits", required={"least": first, "most": r.today}, actual=on, pointer="/as_of")
    return None


KEEPERS = [COORDINATOR, ADMIN]

# fmt: off
REPORT = Lifecycle[Any]("report", [
    #    action    from   to        who      only if  leaves behind
    Rule("freeze", [NEW], "frozen", KEEPERS, [],      "report.frozen", checks=[as_of_fits], undo=False, takes=[
        Takes("year", int, "The calendar year.", least=lambda r: r.today.year - YEARS_BACK, most=lambda r: r.today.year),
        Takes("as_of", date, "The day up to whose end the record counts; today, as it is now, where none is given.", needed=False)]),
], correctable=False)
# fmt: on
