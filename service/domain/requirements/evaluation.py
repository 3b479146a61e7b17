"""What is not met yet: the rows of a pack, judged on the day of the event that they gate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from service.domain.requirements.choosing import Packs, span
from service.domain.requirements.dates import add_months
from service.domain.requirements.facts import Evidence, RequirementFacts, TestResult
from service.domain.requirements.model import (
    MARKS,
    AnyTest,
    Ask,
    Condition,
    FactAmong,
    FactAtMost,
    ForeignShare,
    Gate,
    LocalStaff,
    Mark,
    MinimumAge,
    MinimumPay,
    NeverPaid,
    OfStaff,
    PaidAtMost,
    PaidInCapital,
    PassportDates,
    Requirement,
    Source,
    TestAlternative,
    Validity,
    weakest,
)

NOTHING = Evidence()
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Unmet:
    """One thing that closes a gate: a stable code, JSON values of what was required and found, and who must act."""

    key: str
    code: str
    required: Any
    actual: Any
    providers: tuple[str, ...]
    sources: tuple[Source, ...]
    evidence_mark: Mark


@dataclass(frozen=True, slots=True)
class ChecklistRow:
    """One line of a checklist. `state` is that of the evidence, or met/unmet for what the facts themselves tell.

    `stages` has every stage before which the key is needed, `valid_until` the last day on which what was handed in
    is good (None: no limit known).
    """

    key: str
    title: str
    kind: str
    subject: str
    stages: tuple[str, ...]
    gates: tuple[Gate, ...]
    state: str
    valid_until: date | None
    providers: tuple[str, ...]
    waivable_by: tuple[str, ...]
    limits: Mapping[str, Any]
    sources: tuple[Source, ...]
    evidence_mark: Mark
    note: str


@dataclass(frozen=True, slots=True)
class _Fault:
    """One failure of one row; `gap` says by how much, so that of two rows the stricter one's is shown.

    Faults of one code that are `about` different things are shown side by side.
    """

    code: str
    required: Any = None
    actual: Any = None
    gap: int = 0
    about: str = ""


def _undated(day: str) -> _Fault:
    return _Fault("requirement_undated", {"date": day}, about=day)


def _unknown(fact: str) -> _Fault:
    return _Fault("fact_unknown", {"fact": fact}, about=fact)


def unmet(requirements: Iterable[Requirement], gate: Gate, on: date, facts: RequirementFacts) -> tuple[Unmet, ...]:
    """Everything that closes the gate on the day of the event; nothing, and the gate is open.

    Rows of one key are answered together: each must hold, a code is shown once with the stricter row's figures, and
    the sources of all of them are named.
    """
    found: list[Unmet] = []
    for key, rows in _by_key(requirements, on, facts).items():
        closing = [r for r in rows if r.closes(gate)]
        worst: dict[tuple[str, str], _Fault] = {}
        for fault in (f for r in closing for f in _faults(r, on, facts)):
            seen = worst.setdefault((fault.code, fault.about), fault)
            if fault.gap > seen.gap:
                worst[fault.code, fault.about] = fault
        providers, sources = _providers(closing), tuple(r.source for r in closing)
        found.extend(
            Unmet(key, f.code, f.required, f.actual, providers, sources, weakest(sources)) for f in worst.values()
        )
    return tuple(found)


def still_valid(packs: Packs, planned_on: date) -> Unmet | None:
    """Every pinned pack is in force on the planned day; where one is not, all gates close until the pathway changes."""
    ended = [p for p in packs.all if not p.valid_on(planned_on)]
    if not ended:
        return None
    required = {p.pin: span(p) for p in ended}
    return Unmet("pack", "pack_ended", required, planned_on.isoformat(), ("coordinator",), (), MARKS[0])


def checklist(requirements: Iterable[Requirement], facts: RequirementFacts) -> tuple[ChecklistRow, ...]:
    """Every requirement that applies, by key, as it stands for the planned day."""
    on = facts.planned_on
    return tuple(
        ChecklistRow(
            key=key,
            title=rows[0].title,
            kind=rows[0].kind,
            subject=rows[0].subject,
            stages=tuple(dict.fromkeys(r.needed_before for r in rows)),
            gates=tuple(dict.fromkeys(r.gate for r in rows if r.gate)),
            state=_state(rows, on, facts),
            valid_until=_last_good_day(rows, facts),
            providers=_providers(rows),
            waivable_by=tuple(w for w in rows[0].waivable_by if all(w in r.waivable_by for r in rows)),
            limits={name: limit for r in rows for name, limit in r.limits.items()},
            sources=(sources := tuple(r.source for r in rows)),
            evidence_mark=weakest(sources),
            note=" ".join(r.note for r in rows if r.note),
        )
        for key, rows in _by_key(requirements, on, facts).items()
    )


# ---- which rows apply


def _by_key(
    requirements: Iterable[Requirement], on: date | None, facts: RequirementFacts
) -> dict[str, list[Requirement]]:
    """The rows that apply, together by key, in the order of the packs."""
    rows: dict[str, list[Requirement]] = {}
    for r in requirements:
        if _in_force(r, on) and all(_holds(c, on, facts) for c in r.applies_if):
            rows.setdefault(r.key, []).append(r)
    return rows


def _in_force(r: Requirement, on: date | None) -> bool:
    """Whether the row's own dates include the day; a day that is not known yet is included."""
    if on is None:
        return True
    return (r.effective_from is None or r.effective_from <= on) and (r.effective_to is None or on <= r.effective_to)


def _holds(condition: Condition, on: date | None, facts: RequirementFacts) -> bool:
    """Whether the condition holds, or cannot be judged yet: what is unknown must not open a gate."""
    known: Any = facts.known(condition.fact, on)
    value: Any = condition.value
    if known is None:
        return True
    answers: Mapping[str, Any] = {
        "in": lambda: known in value,
        "not_in": lambda: known not in value,
        "over": lambda: known > value,
        "from": lambda: known >= value,
        "is": lambda: known is value,
        "has": lambda: any(v in known for v in value),
        "lacks": lambda: not any(v in known for v in value),
    }
    return bool(answers[condition.comparison]())


def _providers(rows: Iterable[Requirement]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(p for r in rows for p in r.providers))


# ---- whether a row holds


def _faults(r: Requirement, on: date, facts: RequirementFacts) -> list[_Fault]:
    """Everything that is wrong with one row; nothing where it was waived, or another item serves."""
    held = facts.evidence.get(r.item, NOTHING)
    if held.state == "waived" and r.waivable_by:
        return []
    if any(not _evidence_faults(r, facts.evidence.get(other, NOTHING), on, facts) for other in r.instead):
        return []
    return _evidence_faults(r, held, on, facts) if r.asks is None else _ask_faults(r, r.asks, on, facts)


def _ask_faults(r: Requirement, asks: Ask, on: date, facts: RequirementFacts) -> list[_Fault]:
    match asks:
        case MinimumAge() | FactAmong() | FactAtMost() | MinimumPay():
            return _fact_faults(asks, on, facts)
        case PassportDates():
            return _passport_faults(r, on, facts)
        case AnyTest():
            return _test_faults(r, asks, on, facts)
        case NeverPaid():
            return _payment_faults(asks, facts)
        case PaidAtMost():
            return _cap_faults(asks, facts)
        case _:
            return _staff_faults(r, asks, on, facts)


def _fact_faults(
    asks: MinimumAge | FactAmong | FactAtMost | MinimumPay, on: date, facts: RequirementFacts
) -> list[_Fault]:
    match asks:
        case MinimumAge():
            return _age_faults(asks, on, facts)
        case FactAmong():
            return _among_faults(asks, on, facts)
        case FactAtMost():
            return _limit_faults(asks, on, facts)
        case _:
            return _pay_faults(asks, facts)


def _evidence_faults(r: Requirement, held: Evidence, on: date, facts: RequirementFacts) -> list[_Fault]:
    required = {"state": "accepted", **r.limits}
    codes = {
        "missing": "requirement_missing",
        "supplied": "requirement_not_accepted",
        "rejected": "requirement_rejected",
        "waived": "requirement_not_waivable",
    }
    if held.state in codes:
        return [_Fault(codes[held.state], required, {"state": held.state}, about=repr(r.limits))]
    return _date_faults(r.validity, held, on, facts)


def _age_faults(asks: MinimumAge, on: date, facts: RequirementFacts) -> list[_Fault]:
    age = facts.known("age", on)
    if age is None:
        return [_unknown("birth_on")]
    short = asks.years - age
    return [_Fault("too_young", {"age": asks.years}, {"age": age}, short)] if short > 0 else []


def _among_faults(asks: FactAmong, on: date, facts: RequirementFacts) -> list[_Fault]:
    known = facts.known(asks.fact, on)
    if known is None:
        return [_unknown(asks.fact)]
    if (known in asks.values) is asks.allowed:
        return []
    word = "one_of" if asks.allowed else "none_of"
    required = {"fact": asks.fact, word: list(asks.values)}
    return [_Fault("fact_not_allowed", required, {asks.fact: known}, about=repr(required))]


def _limit_faults(asks: FactAtMost, on: date, facts: RequirementFacts) -> list[_Fault]:
    known = facts.known(asks.fact, on)
    if known is None:
        return [_unknown(asks.fact)]
    over = known - asks.limit
    return [_Fault("limit_passed", {asks.fact: asks.limit}, {asks.fact: known}, over)] if over > 0 else []


def _passport_faults(r: Requirement, on: date, facts: RequirementFacts) -> list[_Fault]:
    if facts.passport_expires_on is None:
        return [_unknown("passport_expires_on")]
    return _date_faults(r.validity, Evidence(valid_until=facts.passport_expires_on), on, facts)


def _pay_faults(asks: MinimumPay, facts: RequirementFacts) -> list[_Fault]:
    pay, currency = facts.gross_annual_pay, facts.pay_currency
    if pay is None:
        return [_unknown("gross_annual_pay")]
    if currency == asks.currency and pay >= asks.amount:
        return []
    required = {"gross_annual_pay": str(asks.amount), "currency": asks.currency}
    actual = {"gross_annual_pay": str(pay), "currency": currency}
    return [_Fault("pay_too_low", required, actual, int(asks.amount))]


def _payment_faults(asks: NeverPaid, facts: RequirementFacts) -> list[_Fault]:
    paid = dict.fromkeys(p for p in facts.payments if p.type in asks.types and p.payer in asks.payers)
    required = {"never_paid_by": list(asks.payers)}
    return [_Fault(f"{p.type}_paid", required, {"payer": p.payer}, about=p.payer) for p in paid]


def _cap_faults(asks: PaidAtMost, facts: RequirementFacts) -> list[_Fault]:
    """Nothing where nothing was paid; what was paid in another currency cannot be weighed against the pay."""
    paid = [p for p in facts.payments if p.payer in asks.payers and p.receiver in asks.receivers]
    if not paid:
        return []
    yearly, currency = facts.gross_annual_pay, facts.pay_currency
    if yearly is None or currency is None:
        return [_unknown("gross_annual_pay")]
    other = sorted({p.currency or "" for p in paid} - {currency})
    if other:
        return [_Fault("payment_currency", {"currency": currency}, {"currency": other})]
    total = sum((p.amount or Decimal(0) for p in paid), Decimal(0))
    if total * MONTHS <= yearly * asks.months_of_pay:
        return []
    most = (yearly * asks.months_of_pay / MONTHS).quantize(Decimal("0.01"), ROUND_DOWN)
    required = {"months_of_pay": asks.months_of_pay, "at_most": str(most), "currency": currency}
    return [_Fault("payments_above_cap", required, {"paid": str(total), "currency": currency}, int(total - most))]


def _staff_faults(r: Requirement, asks: OfStaff, on: date, facts: RequirementFacts) -> list[_Fault]:
    """Judged as if everybody had come whom the request asks for, by a declaration that is not too old."""
    staff, added = facts.staff, facts.foreigners_added
    needed: dict[str, Any] = {"foreign_staff": staff.foreign_staff, "foreigners_added": added}
    needed |= (
        {"paid_in_capital": staff.paid_in_capital}
        if isinstance(asks, PaidInCapital)
        else {"local_staff": staff.local_staff}
    )
    missing = [_unknown(name) for name, known in needed.items() if known is None]
    if missing:
        return missing
    foreigners = (staff.foreign_staff or 0) + (added or 0)
    dated = _date_faults(r.validity, Evidence(state="accepted", issued_on=staff.declared_on), on, facts)
    return [*dated, *_ratio_faults(asks, foreigners, facts)]


def _ratio_faults(asks: OfStaff, foreigners: int, facts: RequirementFacts) -> list[_Fault]:
    local, capital = facts.staff.local_staff or 0, facts.staff.paid_in_capital or Decimal(0)
    match asks:
        case LocalStaff():
            short = foreigners * asks.per_foreigner - local
            required: dict[str, Any] = {
                "local_staff": foreigners * asks.per_foreigner,
                "per_foreigner": asks.per_foreigner,
            }
            actual: dict[str, Any] = {"local_staff": local, "foreigners": foreigners}
            return [_Fault("staff_ratio", required, actual, short)] if short > 0 else []
        case ForeignShare():
            most = local * asks.percent // 100
            required, actual = (
                {"foreigners": most, "percent": asks.percent},
                {"foreigners": foreigners, "local_staff": local},
            )
            return [_Fault("foreign_share", required, actual, foreigners - most)] if foreigners > most else []
        case _:
            needed = asks.per_foreigner * foreigners
            if facts.staff.capital_currency == asks.currency and capital >= needed:
                return []
            required = {"paid_in_capital": str(needed), "currency": asks.currency}
            actual = {"paid_in_capital": str(capital), "currency": facts.staff.capital_currency}
            return [_Fault("capital_too_low", required, actual, int(needed))]


def _test_faults(r: Requirement, asks: AnyTest, on: date, facts: RequirementFacts) -> list[_Fault]:
    """Nothing if one sitting serves in full; else what the one that comes nearest lacks."""
    passes = [t for t in facts.tests if any(_serves(t, a, facts) for a in asks.alternatives)]
    if not passes:
        required = {"any_of": [_asked(a, facts) for a in asks.alternatives]}
        sat = [{"test": t.test, "level": t.level, "score": _number(t.score)} for t in facts.tests]
        return [_Fault("test_not_passed", required, sat, about=repr(required))]
    return min((_sitting_faults(r, t, on, facts) for t in passes), key=len)


def _sitting_faults(r: Requirement, sitting: TestResult, on: date, facts: RequirementFacts) -> list[_Fault]:
    held = Evidence(state="accepted", issued_on=sitting.taken_on, valid_until=sitting.valid_until)
    faults = _date_faults(r.validity, held, on, facts)
    if not sitting.verified:
        faults.append(_Fault("test_not_verified", {"verified": True}, {"test": sitting.test, "verified": False}))
    return faults


def _levels(a: TestAlternative, facts: RequirementFacts) -> tuple[str, ...]:
    """The levels that serve; none where the job asks for nothing in this test, or for a level that it lacks."""
    if not a.at_least_asked:
        return a.levels
    lowest = facts.levels_asked.get(a.test)
    return a.levels[a.levels.index(lowest) :] if lowest in a.levels else ()


def _serves(t: TestResult, a: TestAlternative, facts: RequirementFacts) -> bool:
    return (
        t.test == a.test
        and (not a.same_field or (t.field is not None and t.field == facts.field))
        and (not a.levels or t.level in _levels(a, facts))
        and (a.min_score is None or (t.score is not None and t.score >= a.min_score))
    )


def _asked(a: TestAlternative, facts: RequirementFacts) -> dict[str, Any]:
    asked: dict[str, Any] = {"test": a.test}
    if a.levels:
        asked["levels"] = list(_levels(a, facts))
    if a.min_score is not None:
        asked["min_score"] = a.min_score
    if a.same_field:
        asked["field"] = facts.field
    return asked


def _number(score: Any) -> int | str | None:
    return score if score is None or isinstance(score, int) else str(score)


# ---- dates


def _date_faults(validity: tuple[Validity, ...], held: Evidence, on: date, facts: RequirementFacts) -> list[_Fault]:
    """What the dates of the evidence do not cover. A stated end counts even where the row names no rule."""
    return [*_stated_faults(held, on), *(f for v in validity for f in _validity_faults(v, held, on, facts))]


def _stated_faults(held: Evidence, on: date) -> Iterator[_Fault]:
    if held.issued_on is not None and held.issued_on > on:
        yield _late("requirement_issued_later", "issued_by", on, "issued_on", held.issued_on)
    if held.valid_until is not None and held.valid_until < on:
        yield _late("requirement_expired", "valid_on", on, "valid_until", held.valid_until)


def _validity_faults(v: Validity, held: Evidence, on: date, facts: RequirementFacts) -> Iterator[_Fault]:
    judged = facts.day(v.judged_on, on)
    if judged is None:
        yield _unknown(v.judged_on)
    elif v.rule == "covers":
        needed = add_months(judged, v.count)
        if held.valid_until is None:
            yield _undated("valid_until")
        elif on <= held.valid_until < needed:  # an end before the event is told as expired already
            yield _late("requirement_ends_too_early", "valid_on", needed, "valid_until", held.valid_until)
    elif v.rule == "starts_by":
        start = held.valid_from or held.issued_on
        if start is None:
            yield _undated("valid_from")
        elif start > (latest := add_months(judged, -v.count)):
            yield _late("requirement_starts_too_late", "valid_on", latest, "valid_from", start)
    else:
        last = _last_day(v, held)
        if last is None:
            yield _undated("issued_on")
        elif judged > last:
            required = {v.rule: v.count, "valid_on": judged.isoformat()}
            actual = {"issued_on": held.issued_on.isoformat() if held.issued_on else None, "last_day": last.isoformat()}
            yield _Fault("requirement_too_old", required, actual, (judged - last).days)


def _late(code: str, asked: str, needed: date, found: str, day: date) -> _Fault:
    return _Fault(code, {asked: needed.isoformat()}, {found: day.isoformat()}, abs((needed - day).days))


def _last_day(v: Validity, held: Evidence) -> date | None:
    """The last day on which evidence is good that counts from its issue."""
    if held.issued_on is None:
        return None
    if v.rule == "months_from_issue":
        return add_months(held.issued_on, v.count)
    return held.issued_on + timedelta(days=v.count)


# ---- the checklist


def _state(rows: list[Requirement], on: date | None, facts: RequirementFacts) -> str:
    held = [facts.evidence.get(r.item, NOTHING).state for r in rows]
    if all(r.asks is None for r in rows):
        return held[0]
    if "waived" in held and all(r.waivable_by for r in rows):
        return "waived"
    return "met" if on is not None and not any(_faults(r, on, facts) for r in rows) else "unmet"


def _last_good_day(rows: list[Requirement], facts: RequirementFacts) -> date | None:
    ends: list[date] = []
    for r in rows:
        held = facts.evidence.get(r.item, NOTHING)
        if isinstance(r.asks, PassportDates):
            held = Evidence(valid_until=facts.passport_expires_on)
        elif isinstance(r.asks, LocalStaff | ForeignShare | PaidInCapital):
            held = Evidence(issued_on=facts.staff.declared_on)
        counted = (_last_day(v, held) for v in r.validity if v.rule.endswith("_from_issue"))
        ends.extend(d for d in (held.valid_until, *counted) if d is not None)
    return min(ends, default=None)
