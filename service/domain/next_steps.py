"""Next steps: for each running part of a person's journey, the action that leads on, what stands against it, and whose it is.

No rule stands here twice: what is still needed is what the guards of the action itself have against it, and who must act
is who its row names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from service.domain.actors import COORDINATOR, GUARDIAN, TRAINEE, Role
from service.domain.lifecycle import Lifecycle, Reason, Rule
from service.domain.obligations import ROLES_OF_PROVIDER

RUNS_OUT = timedelta(days=120)
"""How long before its last day a certificate is among what has to be done: tests are held seldom, results take weeks."""
PEOPLE = (TRAINEE, GUARDIAN)
STAGES = (
    "collect_documents", "apply_authorisation", "apply_visa", "prepare_departure", "clear", "depart", "arrive",
    "start_work",
)  # fmt: skip
PASSED_OVER = frozenset({"is_next_stage_of_pack", "stage_follows", "departs"})
"""Codes that say of an action not that something is missing, but that another action is the one that leads on."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """While a thing is in one of the states, the first of the actions that is not passed over leads on."""

    subject: str
    states: tuple[str, ...]
    actions: tuple[str, ...]


# fmt: off
AHEAD: tuple[Ahead, ...] = (
    #     subject                in the states                            leads on
    Ahead("application",         ("draft",),                              ("submit",)),
    Ahead("application",         ("submitted",),                          ("take_on",)),
    Ahead("application",         ("under_review",),                       ("find_eligible",)),
    Ahead("application",         ("documents_required",),                 ("supply_documents",)),
    Ahead("application",         ("eligible", "waitlisted"),              ("select",)),
    Ahead("enrolment",           ("pending",),                            ("enrol",)),
    Ahead("enrolment",           ("enrolled",),                           ("advance_stage", "complete")),
    Ahead("enrolment",           ("on_leave",),                           ("resume",)),
    Ahead("membership",          ("registered",),                         ("attend",)),
    Ahead("membership",          ("attending",),                          ("pass",)),
    Ahead("certificate",         ("recorded",),                           ("verify",)),
    Ahead("sitting_registration", ("registered",),                        ("sit",)),
    Ahead("consent",             ("requested",),                          ("give",)),
    Ahead("recognition_case",    ("opened",),                             ("take_on",)),
    Ahead("recognition_case",    ("assessing",),                          ("decide",)),
    Ahead("recognition_case",    ("evidence_requested",),                 ("supply_evidence",)),
    Ahead("recognition_case",    ("decided",),                            ("notify",)),
    Ahead("recognition_case",    ("notified",),                           ("finalise",)),
    Ahead("recognition_case",    ("appealed",),                           ("decide_appeal",)),
    Ahead("candidacy",           ("identified",),                         ("ask_consent",)),
    Ahead("candidacy",           ("consent_pending",),                    ("nominate",)),
    Ahead("candidacy",           ("nominated",),                          ("shortlist",)),
    Ahead("candidacy",           ("shortlisted", "interviewing"),         ("choose",)),
    Ahead("candidacy",           ("waitlisted",),                         ("promote",)),
    Ahead("candidacy",           ("selected",),                           ("offer",)),
    Ahead("candidacy",           ("offered",),                            ("accept",)),
    Ahead("placement",           ("contracting",),                        STAGES),
    Ahead("placement",           ("documents",),                          STAGES[1:]),
    Ahead("placement",           ("authorisation",),                      STAGES[2:]),
    Ahead("placement",           ("visa",),                               STAGES[3:]),
    Ahead("placement",           ("pre_departure",),                      STAGES[4:]),
    Ahead("placement",           ("ready",),                              STAGES[5:]),
    Ahead("placement",           ("departed",),                           STAGES[6:]),
    Ahead("placement",           ("arrived",),                            STAGES[7:]),
    Ahead("placement",           ("active",),                             ("complete",)),
    Ahead("placement",           ("extension_pending",),                  ("extend",)),
    Ahead("placement",           ("transfer_pending",),                   ("complete_transfer",)),
    Ahead("placement",           ("completed",),                          ("start_return", "close")),
    Ahead("placement",           ("early_return", "terminated_abroad"),   ("start_return",)),
    Ahead("placement",           ("absconded",),                          ("found",)),
    Ahead("placement",           ("returning",),                          ("record_return",)),
    Ahead("placement",           ("returned",),                           ("reintegrate",)),
    Ahead("placement",           ("reintegrating", "terminated"),         ("close",)),
    Ahead("requirement_item",    ("rejected",),                           ("resupply",)),
    Ahead("obligation",          ("pending",),                            ("fulfil",)),
    Ahead("correction_request",  ("filed",),                              ("accept",)),
    Ahead("correction_request",  ("accepted",),                           ("settle",)),
)
# fmt: on
RUNNING: Mapping[str, tuple[str, ...]] = {
    subject: tuple(s for a in AHEAD if a.subject == subject for s in a.states)
    for subject in dict.fromkeys(a.subject for a in AHEAD)
}
"""The states in which each kind of thing is a running part of the journey."""
THEIRS: Mapping[str, tuple[Role, ...]] = {
    "consent_given": PEOPLE,
    "identity_shown": PEOPLE,
    "documents_supplied": PEOPLE,
    "wanted_shown": PEOPLE,
    "language_proven": PEOPLE,
    "stage_language": PEOPLE,
    "stage_credits": PEOPLE,
    "required_courses": PEOPLE,
    "identity_verified": (COORDINATOR,),
}
"""Who does what a guard asks for, where it is not whoever takes the step."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that stands against the next step, and the roles of whoever must see to it."""

    reason: Reason
    who: tuple[Role, ...]

    @property
    def requirement(self) -> str | None:
        """The key of the row of a pack that asks for it, where one does."""
        key = (self.reason.pointer or "").removeprefix("requirement/")
        return key if key != self.reason.pointer and key else None


@dataclass(frozen=True, slots=True)
class NextStep:
    """The action that leads on, whose it is, and everything that its guards have against it."""

    action: str
    to: tuple[str, ...]
    who: tuple[Role, ...]
    needs: tuple[Need, ...]


def next_step(lifecycle: Lifecycle[Any], facts: Any) -> NextStep | None:
    """What leads on from where the thing is; None where nothing does."""
    found = None
    for action in next((a.actions for a in AHEAD if a.subject == lifecycle.name and facts.state in a.states), ()):
        rule, against = lifecycle.against(action, facts)
        if rule is not None:
            found = NextStep(action, rule.targets, _whose(rule, facts), _needs(lifecycle, rule, against))
            if PASSED_OVER.isdisjoint(r.code for r in against):
                break
    return found


def _whose(rule: Rule[Any], facts: Any) -> tuple[Role, ...]:
    """Whoever the row names; of an obligation, those who owe it."""
    owed_by = getattr(facts, "owed_by", ())
    owing = [role for provider in owed_by for role in ROLES_OF_PROVIDER[provider]]
    return tuple(dict.fromkeys(owing)) or tuple(rule.who)


def _needs(lifecycle: Lifecycle[Any], rule: Rule[Any], against: tuple[Reason, ...]) -> tuple[Need, ...]:
    return tuple(Need(r, _must(lifecycle, rule, r)) for r in against)


def _must(lifecycle: Lifecycle[Any], rule: Rule[Any], reason: Reason) -> tuple[Role, ...]:
    """Who sees to it: whoever owes a requirement, whoever takes the action that is asked for, or takes the step."""
    if isinstance(reason.required, Mapping) and "owed_by" in reason.required:
        if reason.code == "requirement_not_accepted":
            return (COORDINATOR,)
        owing = [role for provider in reason.required["owed_by"] for role in ROLES_OF_PROVIDER[provider]]
        return tuple(dict.fromkeys(owing))
    if isinstance(reason.required, str) and reason.required in lifecycle.by_action:
        asked = lifecycle.by_action[reason.required]
        return tuple(dict.fromkeys(who for r in asked for who in r.who))
    return THEIRS.get(reason.code, tuple(rule.who))


def renewal(valid_until: date) -> NextStep:
    """A certificate that runs out is followed by another, which the person sits for and hands in."""
    runs_out = Reason("certificate_runs_out", actual=valid_until)
    return NextStep("record", ("recorded",), PEOPLE, (Need(runs_out, PEOPLE),))
