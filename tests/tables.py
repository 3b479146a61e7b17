"""What can be read off a lifecycle's table alone: where it may end, and what leads there."""

from __future__ import annotations

from typing import Any

from service.domain.lifecycle import VOIDED, Lifecycle


def forward(lifecycle: Lifecycle[Any]) -> set[tuple[str, str]]:
    """Every (from, to) of the rows themselves; corrections lead back and are left out."""
    return {(a, b) for r in lifecycle.rules for a in r.sources for b in r.targets}


def finals(lifecycle: Lifecycle[Any]) -> set[str]:
    """The states that no row leaves, save for themselves."""
    left = {a for a, b in forward(lifecycle) if a != b}
    return set(lifecycle.states()) - left


def reachable(lifecycle: Lifecycle[Any], state: str) -> set[str]:
    """Every state to which rows lead from a state, itself among them."""
    edges, found, waiting = forward(lifecycle), {state}, [state]
    while waiting:
        here = waiting.pop()
        following = {b for a, b in edges if a == here} - found
        found |= following
        waiting += following
    return found


def dead_ends(lifecycle: Lifecycle[Any]) -> set[str]:
    """States that are not final and from which no final state can be reached."""
    ends = finals(lifecycle)
    return {s for s in lifecycle.states() if s != VOIDED and not reachable(lifecycle, s) & ends}
