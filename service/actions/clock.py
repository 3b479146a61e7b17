"""Every timer of every capability, in the order in which the worker rings them: a journey's own order."""

from __future__ import annotations

from service.actions import (
    applications,
    candidacies,
    intakes,
    obligations,
    placement_requests,
    placements,
    recognition,
    trainees,
)
from service.actions.timers import Chore, Timer

TIMERS: tuple[Timer, ...] = (
    *trainees.TIMERS,
    *intakes.TIMERS,
    *applications.TIMERS,
    *recognition.TIMERS,
    *placement_requests.TIMERS,
    *candidacies.TIMERS,
    *placements.TIMERS,
    *obligations.TIMERS,
)
CHORES: tuple[Chore, ...] = (*obligations.CHORES,)
"""What a worker does after the timers of the same pace."""
