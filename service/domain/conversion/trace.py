"""How a number came about, line by line: each step with its formula, inputs, rule, source and result.

A trace is made of plain values alone (texts, lists, objects, true and false), so that it can be kept as JSON, read by a
person, and computed again from nothing but itself. Numbers are exact: a decimal where it ends, else a fraction (56/9).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

Plain: TypeAlias = Any
"""What JSON has, without its numbers."""

STEPS_MOST = 60


def exact(written_: str) -> Fraction:
    """The number of a text: `12.5`, `12,5` or `56/9`.

    Raises:
        ValueError: it is none.
    """
    text = written_.strip().replace(",", ".")
    if set(text) - set("0123456789./-") or len(text) > 200:  # noqa: PLR2004
        raise ValueError("not a number")
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise ValueError("not a number") from None


def written(number: Fraction) -> str:
    """A number as a text that says exactly it: a decimal where it ends, else a fraction."""
    rest, twos, fives = number.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{number.numerator}/{number.denominator}"
    places = max(twos, fives)
    digits = str(abs(number.numerator) * 10**places // number.denominator).rjust(places + 1, "0")
    whole, part = (digits[:-places], digits[-places:]) if places else (digits, "")
    return ("-" if number < 0 else "") + whole + (f".{part}" if part else "")


@dataclass(frozen=True, slots=True)
class Formula:
    """A way to compute: how it is read, and what it does with plain inputs."""

    text: str
    compute: Callable[..., dict[str, Plain]]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a trace. `takes` names the inputs that are results of earlier steps: (their number, their name)."""

    formula: str
    inputs: Mapping[str, Plain]
    result: Mapping[str, Plain]
    rule: str = ""
    source: str = ""
    takes: Mapping[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps by which something was computed, the last one its result."""

    steps: tuple[Step, ...] = ()

    @property
    def result(self) -> Mapping[str, Plain]:
        """What came out."""
        return self.steps[-1].result if self.steps else {}

    def then(
        self, formula: str, *, rule: str = "", source: str = "", last: tuple[str, ...] = (), **inputs: Plain
    ) -> Trace:
        """The trace with one more step, computed here. `last` names inputs that the step before gives."""
        before = len(self.steps) - 1
        taken = {name: (before, name) for name in last}
        known = {name: self.steps[before].result[name] for name in last} | inputs
        step = Step(formula, known, FORMULAS[formula].compute(**known), rule, source, taken)
        return Trace((*self.steps, step))


FORMULAS: dict[str, Formula] = {}
"""Every formula by its code; modules that compute put theirs in."""


def formula(code: str, text: str) -> Callable[[Callable[..., dict[str, Plain]]], Callable[..., dict[str, Plain]]]:
    """Declare a function as the formula of a code."""

    def declared(compute: Callable[..., dict[str, Plain]]) -> Callable[..., dict[str, Plain]]:
        FORMULAS[code] = Formula(text, compute)
        return compute

    return declared


def plain(trace: Trace) -> list[dict[str, Plain]]:
    """The trace as it is kept and shown; with each step the words of its formula."""
    return [
        {
            "step": n,
            "formula": s.formula,
            "reads": FORMULAS[s.formula].text,
            "inputs": dict(s.inputs),
            "takes": {name: {"step": of, "name": what} for name, (of, what) in s.takes.items()},
            "rule": s.rule or None,
            "source": s.source or None,
            "result": dict(s.result),
        }
        for n, s in enumerate(trace.steps)
    ]


def canonical(trace_: Plain) -> str:
    """The one text of a trace, or of several by name: names in order, no spaces."""
    return json.dumps(trace_, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def recomputed(steps: list[dict[str, Plain]]) -> list[int]:
    """The numbers of the steps that do not hold: computed again they give another result, or take what is not so."""
    wrong = []
    for n, step in enumerate(steps):
        try:
            taken = all(
                steps[t["step"]]["result"][t["name"]] == step["inputs"][name] and t["step"] < n
                for name, t in step["takes"].items()
            )
            again = FORMULAS[step["formula"]].compute(**step["inputs"])
        except (ArithmeticError, KeyError, TypeError, ValueError, IndexError):
            taken, again = False, {}
        if not taken or again != step["result"]:
            wrong.append(n)
    return wrong
