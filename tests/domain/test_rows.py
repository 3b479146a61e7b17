"""Every row of every lifecycle, whole: what stands in `rows.txt` is what was agreed, and the tables say the same.

After a change that is meant: `PYTHONPATH=. python tests/domain/test_rows.py > tests/domain/rows.txt`, and read the
difference.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

import service.domain
from service.domain.lifecycle import Lifecycle, Rule, Takes

AGREED = Path(__file__).with_name("rows.txt")


def _lifecycles() -> Iterator[Lifecycle[Any]]:
    for found in pkgutil.walk_packages(service.domain.__path__, "service.domain."):
        for value in vars(importlib.import_module(found.name)).values():
            if isinstance(value, Lifecycle):
                yield value


LIFECYCLES: dict[str, Lifecycle[Any]] = {x.name: x for x in sorted(_lifecycles(), key=lambda x: x.name)}


def _limit(value: Any) -> str:
    if callable(value):
        return "by the facts"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return " | ".join(map(str, value))
    return value.isoformat() if isinstance(value, date) else str(value)


def _kind(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return f"{_kind(get_args(kind)[0])}s"
    said = [a for a in get_args(kind) if isinstance(a, str)]
    return said[0] if said else str(kind.__name__)


def _input(takes: Takes[Any]) -> str:
    limits = {"from": takes.least, "to": takes.most, "one of": takes.choices}
    bounds = "".join(f", {k} {_limit(v)}" for k, v in limits.items() if v is not None)
    code = f" ({takes.code})" if bounds else ""
    return f"{takes.name}: {_kind(takes.kind)}{'' if takes.needed else ', if any'}{bounds}{code}"


def _name(function: Any) -> str:
    made_for = [c.cell_contents for c in function.__closure__ or () if isinstance(c.cell_contents, str)]
    return str(function.__name__) + (f"({', '.join(made_for)})" if made_for else "")


def _names(functions: Iterable[Any]) -> str:
    return ", ".join(map(_name, functions))


def _row(rule: Rule[Any]) -> Iterator[str]:
    yield f"{rule.action}: {' '.join(s or 'new' for s in rule.sources)} -> {' '.join(rule.targets)}"
    yield f"    by {' '.join(rule.who)}; {rule.event}"
    if rule.only_if:
        yield f"    if {_names(rule.only_if)}"
    yield from (f"    takes {_input(t)}" for t in rule.takes)
    if rule.checks:
        yield f"    and {_names(rule.checks)}"
    if rule.which:
        yield f"    which: {_name(rule.which)}"
    marks = [m for m, is_so in (("with evidence", rule.evidence), ("shared", rule.shared)) if is_so]
    back = "never" if rule.undo is False else "always" if rule.undo is True else _names(rule.undo)
    yield f"    {'; '.join([*marks, f'back {back}'])}"


def written(lifecycle: Lifecycle[Any]) -> str:
    """A lifecycle as `rows.txt` has it."""
    head = f"# {lifecycle.name}{'' if lifecycle.correctable else ' (no corrections)'}"
    return "\n".join([head, *(line for rule in lifecycle.rules for line in _row(rule))])


@pytest.mark.parametrize("name", LIFECYCLES)
def test_rows_are_as_agreed(name: str) -> None:
    agreed = {part.split("\n")[0].split()[1]: part for part in AGREED.read_text(encoding="utf-8").strip().split("\n\n")}
    assert sorted(agreed) == sorted(LIFECYCLES)
    assert written(LIFECYCLES[name]).splitlines() == agreed[name].splitlines()


def test_rows_take_a_decimal_where_money_or_credits_are_meant() -> None:
    inputs = [t for x in LIFECYCLES.values() for r in x.rules for t in r.takes if not callable(t.least)]
    assert [t.name for t in inputs if t.kind is Decimal and t.least is not None and type(t.least) is not Decimal] == []


if __name__ == "__main__":
    sys.stdout.write("\n\n".join(written(x) for x in LIFECYCLES.values()) + "\n")
