"""Every timer of every capability, in the order in which the worker rings them."""

from __future__ import annotations

from service.actions.timers import Timer

TIMERS: tuple[Timer, ...] = ()
"""A capability with timers names them in `TIMERS` of its own module, and they are put together here."""
