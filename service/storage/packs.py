"""Requirement packs from their files: every field checked, a faulty pack refused with the place and the fault."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NoReturn, get_args

from service.domain.actors import Role
from service.domain.requirements.model import (
    ALWAYS,
    GATES,
    LASTING_STAGES,
    LINE,
    MARKS,
    OPTIONS,
    TERMS,
    AnyTest,
    Ask,
    Comparison,
    Condition,
    DayName,
    Due,
    FactAmong,
    FactAtMost,
    FlagFact,
    Kind,
    MinimumAge,
    MinimumPay,
    NeverPaid,
    NumberFact,
    Obligation,
    Pack,
    PackKind,
    PassportDates,
    Payer,
    PaymentType,
    Provider,
    Requirement,
    Source,
    Subject,
    TestAlternative,
    TextFact,
    Validity,
    ValidityRule,
)

CODE: Final = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
COUNTRY: Final = re.compile(r"[A-Z]{2}")
CURRENCY: Final = re.compile(r"[A-Z]{3}")

ASKS_OF_KIND: Final[Mapping[str, frozenset[str]]] = {
    "document": frozenset({"evidence"}),
    "approval": frozenset({"evidence"}),
    "training": frozenset({"evidence"}),
    "ratio": frozenset({"evidence", "fact_at_most"}),
    "fact": frozenset({"minimum_age", "fact_among", "fact_at_most", "passport_dates", "minimum_pay"}),
    "test": frozenset({"any_test"}),
    "payment_rule": frozenset({"never_paid"}),
}
"""What a row of each kind can ask for; `evidence` is what a person hands in and another accepts."""
FACTS_OF_COMPARISON: Final[Mapping[str, tuple[str, ...]]] = {
    "in": get_args(TextFact),
    "not_in": get_args(TextFact),
    "over": get_args(NumberFact),
    "from": get_args(NumberFact),
    "is": get_args(FlagFact),
    "has": ("options", "levels_asked"),
    "lacks": ("options", "levels_asked"),
}


class FaultyPack(ValueError):
    """A pack's file says something that cannot be: in which file, in which row, and what."""

    def __init__(self, file: str, row: str, problem: str) -> None:
        super().__init__(f"{file}, {row}: {problem}")
        self.file = file
        self.row = row
        self.problem = problem


@cache
def shipped_packs() -> tuple[Pack, ...]:
    """The packs that come with the service, read once. Raises FaultyPack."""
    return read_packs(resources.files("service.data") / "packs")


def read_packs(folder: Traversable | Path) -> tuple[Pack, ...]:
    """Every pack of a folder, one file each, by file name. Raises FaultyPack."""
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    return tuple(read_pack(f.name, f.read_text(encoding="utf-8")) for f in files)


def read_pack(file: str, text: str) -> Pack:
    """One pack from the text of its file, which is named for its key and version. Raises FaultyPack."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            names = [name for name, _ in pairs]
            twice = sorted({name for name in names if names.count(name) > 1})
            raise FaultyPack(file, str(fields.get("key", "file")), f"the field {twice[0]!r} stands twice")
        return fields

    try:
        content = json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as fault:
        raise FaultyPack(file, f"line {fault.lineno}", f"not JSON: {fault.msg}") from fault
    return _pack(_Fields(file, "pack", content))


class _Fields:
    """The fields of one JSON object, each taken once and checked; what nobody takes is a fault."""

    def __init__(self, file: str, row: str, content: object) -> None:
        self.file = file
        self.row = row
        if not isinstance(content, dict):
            self.fault("an object was expected")
        self.left: dict[str, Any] = dict(content)

    def fault(self, problem: str) -> NoReturn:
        raise FaultyPack(self.file, self.row, problem)

    def close(self) -> None:
        if self.left:
            self.fault(f"unknown field {min(self.left)!r}")

    def take(self, name: str, kind: type, *, needed: bool = True) -> Any:
        """The value of a field; None where it may be absent, or null, and is."""
        value = self.left.pop(name, None)
        if value is None and not needed:
            return None
        if value is None:
            self.fault(f"{name} is missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.fault(f"{name} must be of type {kind.__name__}, not {value!r}")
        return value

    def text(self, name: str, *, needed: bool = True) -> str:
        value: str = self.take(name, str, needed=needed) or ""
        if needed and not value.strip():
            self.fault(f"{name} is empty")
        return value

    def number(self, name: str, least: int = 1) -> int:
        value: int = self.take(name, int)
        if value < least:
            self.fault(f"{name} must be at least {least}, not {value}")
        return value

    def flag(self, name: str) -> bool:
        return bool(self.take(name, bool, needed=False))

    def day(self, name: str, *, needed: bool = False) -> date | None:
        value = self.take(name, str, needed=needed)
        try:
            return None if value is None else date.fromisoformat(value)
        except ValueError:
            self.fault(f"{name} is not a date: {value!r}")

    def span(self, first: str, last: str) -> tuple[date | None, date | None]:
        start, end = self.day(first), self.day(last)
        if start and end and end < start:
            self.fault(f"{last} is before {first}")
        return start, end

    def choice(self, name: str, allowed: Collection[str]) -> Any:
        value = self.text(name)
        if value not in allowed:
            self.fault(f"{name} {value!r} is none of {', '.join(sorted(allowed))}")
        return value

    def code(self, name: str, pattern: re.Pattern[str] = CODE) -> str:
        value = self.text(name)
        if not pattern.fullmatch(value):
            self.fault(f"{name} {value!r} is not written as a code")
        return value

    def codes(
        self, name: str, allowed: Collection[str] | re.Pattern[str] | None = None, *, needed: bool = False
    ) -> Any:
        """A list of texts without repetition, all from a closed set or of one pattern."""
        values = self.take(name, list, needed=needed) or []
        if needed and not values:
            self.fault(f"{name} is empty")
        for value in values:
            if not isinstance(value, str) or values.count(value) > 1:
                self.fault(f"{name} has {value!r} twice, or it is no text")
            if isinstance(allowed, re.Pattern):
                if not allowed.fullmatch(value):
                    self.fault(f"{name} has {value!r}, which is not written as a code")
            elif allowed is not None and value not in allowed:
                self.fault(f"{name} has {value!r}, which is none of {', '.join(sorted(allowed))}")
        return tuple(values)

    def objects(self, name: str, *, needed: bool = False) -> list[_Fields]:
        return [_Fields(self.file, self.row, o) for o in self.take(name, list, needed=needed) or []]

    def limits(self) -> Mapping[str, Any]:
        limits = self.take("limits", dict, needed=False) or {}
        for name, value in limits.items():
            if not isinstance(value, str | int):
                self.fault(f"limits has {name!r}, which is neither a number nor a text")
        return MappingProxyType(limits)


def _pack(f: _Fields) -> Pack:
    key, version = f.code("key"), f.number("version")
    f.row = key
    if f.file != f"{key}-{version}.json":
        f.fault(f"the file must be named {key}-{version}.json")
    kind: PackKind = f.choice("kind", get_args(PackKind))
    first, last = f.span("valid_from", "valid_to")
    if first is None:
        f.fault("valid_from is missing")
    stages: tuple[str, ...] = f.codes("stages", LINE)
    pathway = f.code("pathway") if kind == "pathway" else None
    if kind == "pathway" and not set(LASTING_STAGES) <= set(stages):
        f.fault(f"stages must have {' and '.join(LASTING_STAGES)}")
    if stages != tuple(s for s in LINE if s in stages):
        f.fault("stages are not in the order of the line")
    if kind != "pathway" and stages:
        f.fault(f"a pack of kind {kind} has no stages")
    pack = Pack(
        key=key,
        version=version,
        title=f.text("title"),
        kind=kind,
        valid_from=first,
        valid_to=last,
        nationalities=f.codes("nationalities", COUNTRY),
        destinations=f.codes("destinations", COUNTRY),
        host_country_nationals=f.flag("host_country_nationals"),
        pathway=pathway,
        stages=stages,
        terms=f.codes("terms", TERMS),
        requirements=tuple(_requirement(r, key, stages) for r in _rows(f, "requirements")),
        obligations=tuple(_obligation(r, key) for r in _rows(f, "obligations")),
        note=f.text("note", needed=False),
    )
    f.close()
    return pack


def _rows(f: _Fields, name: str) -> list[_Fields]:
    """The rows of a table, each named by its key, or by its place where it has none."""
    rows: list[_Fields] = []
    for number, content in enumerate(f.take(name, list, needed=False) or [], start=1):
        row = _Fields(f.file, f"{name} {number}", content)
        row.row = row.left["key"] = row.code("key")
        if row.row in [r.row for r in rows]:
            row.fault("the key stands twice")
        rows.append(row)
    return rows


def _source(f: _Fields, pack: str) -> Source:
    url = f.text("source_url", needed=False) or None
    if url is not None and not url.startswith("https://"):
        f.fault(f"source_url {url!r} does not begin with https://")
    source = Source(f.text("source"), url, f.day("checked_on"), f.choice("evidence", MARKS), pack)
    if source.evidence == "official" and source.checked_on is None:
        f.fault("an official source needs checked_on")
    return source


def _requirement(f: _Fields, pack: str, stages: tuple[str, ...]) -> Requirement:
    key = f.code("key")
    kind: Kind = f.choice("kind", get_args(Kind))
    subject: Subject = f.choice("subject", get_args(Subject))
    needed_before: str = f.choice("needed_before", (*GATES, ALWAYS))
    if stages and needed_before in LINE and needed_before not in stages:
        f.fault(f"needed before {needed_before}, which is no stage of the pack")
    if needed_before == "request_approved" and subject != "request":
        f.fault(f"needed before a request is approved, so its subject cannot be the {subject}")
    asks = _asks(f, kind)
    validity = tuple(_validity(v) for v in f.objects("validity"))
    if validity and asks is not None and not isinstance(asks, PassportDates | AnyTest):
        f.fault("validity says nothing where there are no dates")
    if isinstance(asks, PassportDates) and not validity:
        f.fault("passport_dates needs a validity")
    effective_from, effective_to = f.span("effective_from", "effective_to")
    row = Requirement(
        key=key,
        title=f.text("title"),
        kind=kind,
        subject=subject,
        needed_before=needed_before,
        providers=f.codes("providers", get_args(Provider), needed=True),
        source=_source(f, pack),
        item=f.code("item") if "item" in f.left else key,
        asks=asks,
        instead=f.codes("instead", CODE),
        validity=validity,
        applies_if=tuple(_condition(c) for c in f.objects("applies_if")),
        waivable_by=f.codes("waivable_by", [r.value for r in Role]),
        effective_from=effective_from,
        effective_to=effective_to,
        limits=f.limits(),
        note=f.text("note", needed=False),
    )
    f.close()
    return row


def _asks(f: _Fields, kind: Kind) -> Ask | None:
    """What a row asks for besides evidence, by the name under `what`."""
    content = f.take("asks", dict, needed=False) or {"what": "evidence"}
    a = _Fields(f.file, f.row, content)
    what = a.choice("what", ASKS_OF_KIND[kind])
    asks: Ask | None = None
    if what == "minimum_age":
        asks = MinimumAge(a.number("years"))
    elif what == "fact_among":
        allowed = "one_of" in a.left
        name = "one_of" if allowed else "none_of"
        asks = FactAmong(a.choice("fact", get_args(TextFact)), a.codes(name, needed=True), allowed)
    elif what == "fact_at_most":
        asks = FactAtMost(a.choice("fact", ("stay_months", "people_in_country")), a.number("limit"))
    elif what == "passport_dates":
        asks = PassportDates()
    elif what == "minimum_pay":
        asks = MinimumPay(_amount(a), a.code("currency", CURRENCY))
    elif what == "any_test":
        asks = AnyTest(tuple(_alternative(t) for t in a.objects("alternatives", needed=True)))
    elif what == "never_paid":
        types = a.codes("types", get_args(PaymentType), needed=True)
        asks = NeverPaid(types, a.codes("payers", get_args(Payer), needed=True))
    a.close()
    return asks


def _amount(f: _Fields) -> Decimal:
    text = f.text("amount")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        f.fault(f"amount {text!r} is not a number")
    if not amount.is_finite() or amount <= 0:
        f.fault(f"amount {text!r} is not above nothing")
    return amount


def _alternative(f: _Fields) -> TestAlternative:
    alternative = TestAlternative(
        test=f.code("test"),
        levels=f.codes("levels"),
        min_score=f.number("min_score") if "min_score" in f.left else None,
        same_field=f.flag("same_field"),
        at_least_asked=f.flag("at_least_asked"),
    )
    if not alternative.levels and alternative.min_score is None:
        f.fault(f"the test {alternative.test!r} needs levels or min_score")
    f.close()
    return alternative


def _validity(f: _Fields) -> Validity:
    rule = f.choice("rule", get_args(ValidityRule))
    counted = rule.endswith("_from_issue")
    count = f.number("count") if counted else (f.number("count", least=0) if "count" in f.left else 0)
    validity = Validity(rule, count, f.choice("judged_on", get_args(DayName)) if "judged_on" in f.left else "event")
    f.close()
    return validity


def _condition(f: _Fields) -> Condition:
    """`{"fact": ..., "<comparison>": value}`, the value of the comparison's type."""
    named = [c for c in get_args(Comparison) if c in f.left]
    if len(named) != 1:
        f.fault("a condition needs one comparison")
    comparison: Comparison = named[0]
    fact = f.choice("fact", FACTS_OF_COMPARISON[comparison])
    value: tuple[str, ...] | int | bool
    if comparison == "is":
        value = f.take(comparison, bool)
    elif comparison in ("over", "from"):
        value = f.number(comparison, least=0)
    else:
        value = f.codes(comparison, OPTIONS if fact == "options" else None, needed=True)
    f.close()
    return Condition(fact, comparison, value)


def _obligation(f: _Fields, pack: str) -> Obligation:
    effective_from, effective_to = f.span("effective_from", "effective_to")
    row = Obligation(
        key=f.code("key"),
        title=f.text("title"),
        event=f.code("event"),
        due=_due(f),
        providers=f.codes("providers", get_args(Provider), needed=True),
        source=_source(f, pack),
        effective_from=effective_from,
        effective_to=effective_to,
        limits=f.limits(),
        note=f.text("note", needed=False),
    )
    f.close()
    return row


def read_obligation(file: str, content: object, pack: str) -> Obligation:
    """One obligation of another file than a pack's. Raises FaultyPack."""
    return _obligation(_Fields(file, "obligation", content), pack)


def _due(f: _Fields) -> Due | None:
    content = f.take("due", dict, needed=False)
    if content is None:
        return None
    d = _Fields(f.file, f.row, content)
    unit = d.choice("unit", ("days", "working_days", "years"))
    due = Due(d.number("count"), unit, d.code("calendar", COUNTRY) if unit == "working_days" else None)
    d.close()
    return due
