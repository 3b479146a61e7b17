"""The stage of a person's journey: one total function of everything that concerns them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Held:
    """One thing that a person has: an application, an enrolment, a placement..., and its state.

    `departs`: for a placement, whether its pack has a departure. The availability of a person is held as subject
    `availability` with state `available`.
    """

    subject: str
    id: UUID
    state: str
    departs: bool = False


LIVE: dict[str, frozenset[str]] = {
    "application": frozenset({"draft", "submitted", "under_review", "documents_required", "eligible", "waitlisted"}),
    "enrolment": frozenset({"pending", "enrolled", "on_leave"}),
    "membership": frozenset({"registered", "attending"}),
    "recognition_case": frozenset({"opened", "assessing", "evidence_requested", "decided", "notified", "appealed"}),
    "candidacy": frozenset(
        {
            "identified",
            "consent_pending",
            "nominated",
            "shortlisted",
            "interviewing",
            "selected",
            "waitlisted",
            "offered",
            "accepted",
        }
    ),
    "placement": frozenset(
        {
            "contracting",
            "documents",
            "authorisation",
            "visa",
            "pre_departure",
            "ready",
            "departed",
            "arrived",
            "active",
            "extension_pending",
            "transfer_pending",
            "early_return",
            "terminated_abroad",
            "absconded",
        }
    ),
    "availability": frozenset({"available"}),
}
"""The states in which a thing is live. A placement is live in every state but those that end it."""

PREPARING = frozenset({"documents", "authorisation", "visa", "pre_departure", "ready"})
AWAY = frozenset(
    {
        "departed",
        "arrived",
        "active",
        "extension_pending",
        "transfer_pending",
        "completed",
        "early_return",
        "terminated_abroad",
        "absconded",
        "returning",
    }
)
AT_WORK = frozenset({"active", "extension_pending", "transfer_pending", "absconded"})
NOMINATED = LIVE["candidacy"] - {"identified", "consent_pending"}
ENDED_WELL = {"enrolment": "completed", "placement": "closed", "membership": "passed", "recognition_case": "final"}

_Items: TypeAlias = Sequence[Held]


def _any(subject: str, states: frozenset[str] | set[str], *, departs: bool | None = None) -> Callable[[_Items], bool]:
    def holds(items: _Items) -> bool:
        return any(
            i.subject == subject and i.state in states and (departs is None or i.departs == departs) for i in items
        )

    return holds


def _live(subject: str) -> Callable[[_Items], bool]:
    return _any(subject, LIVE[subject])


# fmt: off
PRECEDENCE: tuple[tuple[str, Callable[[_Items], bool]], ...] = (
    ("deceased",            _any("placement", {"deceased"})),
    ("abroad",              _any("placement", AWAY, departs=True)),
    ("employed",            _any("placement", AT_WORK, departs=False)),
    ("returned",            _any("placement", {"returned", "reintegrating"})),
    ("preparing_departure", _any("placement", PREPARING)),
    ("contracted",          _any("placement", {"contracting"})),
    ("candidate",           _any("candidacy", NOMINATED)),
    ("pool",                _live("availability")),
    ("credit_recognition",  lambda items: _live("recognition_case")(items) and not _live("membership")(items)),
    ("in_training",         _live("membership")),
    ("enrolled",            _live("enrolment")),
    ("applicant",           _live("application")),
    ("alumni",              lambda items: any(ENDED_WELL.get(i.subject) == i.state for i in items)),
    ("inactive",            lambda items: any(i.subject in ("application", "enrolment") for i in items)),
    ("prospect",            lambda _: True),
)
# fmt: on
STAGES = tuple(name for name, _ in PRECEDENCE)


def stage(items: _Items) -> str:
    """The first stage, by precedence, whose condition holds; `prospect` always does."""
    held = [i for i in items if i.state != "voided"]
    return next(name for name, holds in PRECEDENCE if holds(held))
