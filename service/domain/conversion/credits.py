"""Credits from one scheme into another: by ratio, by workload or by a year's load, through as many as are agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Protocol

from service.domain.conversion.trace import Plain, Trace, exact, formula, written
from service.domain.lifecycle import Reason

LEGS_MOST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fact was read, when, and how well."""

    source: str
    source_url: str | None
    checked_on: date | None
    evidence: Literal["official", "secondary", "unverified"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRate:
    """How much of one kind of work is a credit: hours a credit, or weeks for so many credits."""

    kind: Literal["theory", "practice", "placement", "military", "overseas"]
    hours_per_credit: Decimal
    weeks: Decimal | None = None
    weeks_credits: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditScheme:
    """One version of a credit scheme; a limit of its time that is not known is None."""

    code: str
    version: str
    title: str
    effective_from: date | None
    effective_to: date | None
    full_year_credits: Decimal | None
    hours_min: Decimal | None
    hours_max: Decimal | None
    contact_min: Decimal | None
    contact_max: Decimal | None
    source: Source
    rates: tuple[WorkRate, ...] = ()
    note: str = ""

    @property
    def key(self) -> str:
        """Its name with its version."""
        return f"{self.code}@{self.version}"

    @property
    def read_in(self) -> str:
        """Its source in one line, with how well it was read."""
        return f"{self.source.source} ({self.source.evidence})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One conversion of a chain. What a scheme does not say, or an agreement says otherwise, is given here.

    `ratio`: credits x factor. `annual_load`: credits x full_year_to / full_year_from. `workload`: the hours of the
    credits (or `hours`, where they are known) by the hours of a credit; schemes give ranges, `end` says which end.
    """

    method: Literal["ratio", "workload", "annual_load"]
    to_scheme: Annotated[str, "line"]
    factor: Decimal | None = None
    full_year_from: Decimal | None = None
    full_year_to: Decimal | None = None
    hours: Decimal | None = None
    basis: Literal["total", "contact"] = "total"
    end: Literal["least", "most"] = "least"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRounding:
    """To which step, and which way; what is cut off is kept beside the result."""

    mode: Literal["down", "half_up"]
    step: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditPolicy:
    """How credits of a scheme are converted: the chain, and the rounding at its end."""

    from_scheme: Annotated[str, "line"]
    legs: tuple[Leg, ...] = ()
    rounding: CreditRounding | None = None


class Dated(Protocol):
    """What has versions with dates."""

    @property
    def code(self) -> str: ...  # noqa: D102

    @property
    def version(self) -> str: ...  # noqa: D102

    @property
    def effective_from(self) -> date | None: ...  # noqa: D102

    @property
    def effective_to(self) -> date | None: ...  # noqa: D102


def holds_on(what: Dated, day: date) -> bool:
    """Whether a version holds on a day, as far as its limits are known."""
    return (what.effective_from is None or what.effective_from <= day) and (
        what.effective_to is None or day <= what.effective_to
    )


def scheme_of(named: str, schemes: Sequence[CreditScheme], on: date, pointer: str = "") -> CreditScheme | Reason:
    """The scheme that a name means on a day: `ucts@current` the version, `ects` the only one that holds then.

    The same name may have two scales (UCTS has): then a name alone is refused, not guessed.
    """
    code, _, version = named.partition("@")
    of_name = [s for s in schemes if s.code == code and (not version or s.version == version)]
    if not of_name:
        return Reason("scheme_known", required=sorted(s.key for s in schemes), pointer=pointer)
    then = [s for s in of_name if holds_on(s, on)]
    if not then:
        return Reason("scheme_holds_then", actual=on, pointer=pointer)
    if len(then) > 1:
        return Reason("scheme_version_named", required=sorted(s.key for s in then), pointer=pointer)
    return then[0]


@formula("ratio", "amount x factor")
def _ratio(amount: str, factor: str) -> dict[str, Plain]:
    return {"amount": written(exact(amount) * exact(factor))}


@formula("annual_load", "amount x full_year_to / full_year_from")
def _annual_load(amount: str, full_year_from: str, full_year_to: str) -> dict[str, Plain]:
    return {"amount": written(exact(amount) * exact(full_year_to) / exact(full_year_from))}


@formula("hours", "amount x hours of one credit, which a scheme gives as a range")
def _hours(amount: str, per_credit_least: str, per_credit_most: str) -> dict[str, Plain]:
    credits_ = exact(amount)
    return {
        "hours_least": written(credits_ * exact(per_credit_least)),
        "hours_most": written(credits_ * exact(per_credit_most)),
    }


@formula("workload", "least = hours_least / per_credit_most, most = hours_most / per_credit_least; the end says which")
def _workload(
    end: str, hours_least: str, hours_most: str, per_credit_least: str, per_credit_most: str
) -> dict[str, Plain]:
    least = exact(hours_least) / exact(per_credit_most)
    most = exact(hours_most) / exact(per_credit_least)
    return {
        "least": written(least),
        "most": written(most),
        "amount": written(least if end == "least" else most),
    }


@formula("round_credits", "amount to a whole number of steps, down or half up; remainder = what was cut off")
def _round(amount: str, mode: str, step: str) -> dict[str, Plain]:
    value, unit = exact(amount), exact(step)
    rounded = (value / unit + (Fraction(1, 2) if mode == "half_up" else 0)).__floor__() * unit
    return {"amount": written(rounded), "remainder": written(value - rounded)}


@formula("credits_given", "as it was given")
def _given(amount: str) -> dict[str, Plain]:
    return {"amount": amount}


def convert_credits(
    amount: Decimal, policy: CreditPolicy, schemes: Sequence[CreditScheme], on: date, at: str = "/credits"
) -> Trace | list[Reason]:
    """So many credits of a scheme by a policy, with every step; or every reason why that cannot be computed."""
    first = scheme_of(policy.from_scheme, schemes, on, f"{at}/from_scheme")
    found: list[Reason] = [first] if isinstance(first, Reason) else []
    if len(policy.legs) > LEGS_MOST:
        return [Reason("legs_at_most", required=LEGS_MOST, actual=len(policy.legs), pointer=f"{at}/legs")]
    if policy.rounding is not None and policy.rounding.step <= 0:
        found.append(Reason("above_nothing", pointer=f"{at}/rounding/step"))
    chain: list[CreditScheme] = [] if isinstance(first, Reason) else [first]
    for n, leg in enumerate(policy.legs):
        there = scheme_of(leg.to_scheme, schemes, on, f"{at}/legs/{n}/to_scheme")
        if isinstance(there, Reason):
            found.append(there)
        else:
            chain.append(there)
    if found:
        return found
    trace = Trace().then("credits_given", rule=chain[0].key, source=chain[0].read_in, amount=written(Fraction(amount)))
    for n, leg in enumerate(policy.legs):
        next_ = _converted(trace, leg, chain[n], chain[n + 1], f"{at}/legs/{n}")
        if not isinstance(next_, Trace):
            return next_
        trace = next_
    if policy.rounding is not None:
        trace = trace.then(
            "round_credits", last=("amount",), mode=policy.rounding.mode, step=written(Fraction(policy.rounding.step))
        )
    return trace


def _converted(trace: Trace, leg: Leg, here: CreditScheme, there: CreditScheme, at: str) -> Trace | list[Reason]:
    rule = f"{here.key} -> {there.key}"
    source = there.read_in
    if leg.method == "ratio":
        if wrong := _unfit({"factor": leg.factor}, at):
            return wrong
        return trace.then("ratio", rule=rule, source=source, last=("amount",), factor=str(leg.factor))
    if leg.method == "annual_load":
        year_from = here.full_year_credits if leg.full_year_from is None else leg.full_year_from
        year_to = there.full_year_credits if leg.full_year_to is None else leg.full_year_to
        if wrong := _unfit({"full_year_from": year_from, "full_year_to": year_to}, at):
            return wrong
        return trace.then(
            "annual_load",
            rule=rule,
            source=source,
            last=("amount",),
            full_year_from=str(year_from),
            full_year_to=str(year_to),
        )
    return _by_workload(trace, leg, here, there, at)


def _by_workload(trace: Trace, leg: Leg, here: CreditScheme, there: CreditScheme, at: str) -> Trace | list[Reason]:
    def hours_of(s: CreditScheme) -> tuple[Decimal | None, Decimal | None]:
        return (s.hours_min, s.hours_max) if leg.basis == "total" else (s.contact_min, s.contact_max)

    left, right = hours_of(here), hours_of(there)
    if wrong := _unfit({"per_credit_least": right[0], "per_credit_most": right[1]}, at):
        return wrong
    rule = f"{here.key} -> {there.key}, {leg.basis} hours"
    if leg.hours is not None:
        if wrong := _unfit({"hours": leg.hours}, at):
            return wrong
        least = most = written(Fraction(leg.hours))
        hours = {"hours_least": least, "hours_most": most}
        taken: tuple[str, ...] = ()
    else:
        if left[0] is None or left[1] is None:
            return [Reason("input_needed", required="hours", pointer=f"{at}/hours")]
        trace = trace.then(
            "hours",
            rule=rule,
            source=here.read_in,
            last=("amount",),
            per_credit_least=str(left[0]),
            per_credit_most=str(left[1]),
        )
        hours, taken = {}, ("hours_least", "hours_most")
    return trace.then(
        "workload",
        rule=rule,
        source=there.read_in,
        last=taken,
        per_credit_least=str(right[0]),
        per_credit_most=str(right[1]),
        end=leg.end,
        **hours,
    )


def _unfit(numbers: dict[str, Decimal | None], at: str) -> list[Reason]:
    """A number that the method needs is there, and above nothing."""
    return [
        Reason("input_needed" if number is None else "above_nothing", required=name, pointer=f"{at}/{name}")
        for name, number in numbers.items()
        if number is None or number <= 0
    ]
