"""Every lifecycle as a table and a picture, drawn from the rules themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from service.cli.words import table
from service.domain.lifecycle import Lifecycle, Rule
from service.launch import Trouble
from service.storage.schema import LIFECYCLES

PAGE = "docs/lifecycles.md"
_HEADER = """# Lifecycles

What may happen to what, from which state, by whom, and under which conditions. This page is drawn from the code by
`sojourn lifecycles --write docs/lifecycles.md`, and a test fails when it is stale. The same tables are served at
`/v1/lifecycles/{name}`.

A move is refused with every reason against it. *New* is the state before something exists. Only what says *correctable*
can be taken back by a correction, with a written reason; its last step is then reversed on record.
"""


def _all() -> dict[str, Lifecycle[Any]]:
    return {lifecycle.name: lifecycle for lifecycle, _ in sorted(LIFECYCLES.values(), key=lambda each: each[0].name)}


def _chosen(name: str | None) -> list[Lifecycle[Any]]:
    known = _all()
    if name is None:
        return list(known.values())
    if name not in known:
        raise Trouble(f"There is no lifecycle called {name}.", f"There are: {', '.join(known)}.")
    return [known[name]]


def _named(condition: Any) -> str:
    """The name of a guard; one that was made for a value is called after what made it."""
    inner = getattr(condition, "func", condition)
    return str(inner.__qualname__).partition(".<locals>")[0]


def _row(rule: Rule[Any]) -> tuple[str, str, str, str, str, str]:
    conditions = [_named(condition) for condition in (*rule.only_if, *rule.checks)]
    if rule.evidence:
        conditions.append("evidence")
    return (
        rule.action,
        ", ".join(source or "new" for source in rule.sources),
        ", ".join(rule.targets),
        ", ".join(rule.who),
        ", ".join(conditions),
        rule.event,
    )


_COLUMNS = ("action", "from", "to", "who", "only if", "leaves behind")


def listed(name: str | None, *, mermaid: bool) -> Iterator[str | Table]:
    """Lifecycles for a terminal, as tables or as Mermaid.

    Raises:
        Trouble: no lifecycle has this name.
    """
    for lifecycle in _chosen(name):
        yield f"\n{lifecycle.name}"
        if mermaid:
            yield lifecycle.mermaid()
            continue
        made = table(*_COLUMNS)
        for rule in lifecycle.rules:
            made.add_row(*_row(rule))
        yield made


def page() -> str:
    """The whole page of documentation."""
    parts = [_HEADER]
    for lifecycle in _chosen(None):
        note = "\nCorrectable.\n" if lifecycle.correctable else ""
        parts.append(
            f"## {lifecycle.name.replace('_', ' ').capitalize()}\n{note}\n```mermaid\n{lifecycle.mermaid()}\n```\n"
        )
        rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in _row(rule)) + " |" for rule in lifecycle.rules]
        parts.append("\n".join(["| " + " | ".join(_COLUMNS) + " |", "|---" * len(_COLUMNS) + "|", *rows]) + "\n")
    return "\n".join(parts)
