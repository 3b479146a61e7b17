"""Obligations: what somebody owes by a day, opened by a rule once, and done with evidence or let go by another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import (
    ADMIN,
    AGENCY,
    COORDINATOR,
    ENTERPRISE,
    GUARDIAN,
    INSTRUCTOR,
    REGISTRAR,
    SYSTEM,
    TRAINEE,
    Role,
)
from service.domain.lifecycle import NEW, VOIDED, Dossier, Given, Lifecycle, Reason, Rule, Takes, because
from service.domain.obligations.rules import (
    EVENTS,
    JOINED,
    LEFT,
    REPEATED,
    TOLD,
    Calendar,
    Calendars,
    Duty,
    Held,
    HouseRules,
    Opening,
    Watch,
    comes_back,
    last_day,
    opened,
    opened_by_clock,
    opened_by_event,
    rows_of,
)
from service.domain.requirements import Obligation

SUBJECT_KINDS = ("placement", "relationship", "enrolment")
ROLES_OF_PROVIDER: Mapping[str, tuple[Role, ...]] = {
    "trainee": (TRAINEE, GUARDIAN),
    "agency": (AGENCY,),
    "enterprise": (ENTERPRISE,),
    "school": (COORDINATOR, REGISTRAR),
    "clinic": (COORDINATOR,),
    "coordinator": (COORDINATOR,),
    "support_organisation": (ENTERPRISE,),
    "competent_body": (COORDINATOR,),
    "rule": (COORDINATOR,),
}
"""Who does what each provider owes; for who has no account here a coordinator does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObligationDossier(Dossier):
    """All that the rules of an obligation may know; `roles` are those of whoever acts."""

    rule: str = ""
    owed_by: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    event_on: date | None = None
    runs_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewObligation(Dossier):
    """What is known of the subject for which something falls due: rules, dates, and what stands already."""

    subject_kind: str = ""
    subject_id: UUID | None = None
    person_id: UUID | None = None
    rows: tuple[tuple[str, Obligation], ...] = ()
    held: Held = field(default_factory=Held)
    house: HouseRules = field(default_factory=lambda: HouseRules(pin=""))
    calendars: Calendars = field(default_factory=dict, hash=False)
    standing: frozenset[tuple[str, str, str, str]] = frozenset()
    organisations: Mapping[str, UUID | None] = field(default_factory=dict, hash=False)
    zones: Mapping[str, str] = field(default_factory=dict, hash=False)


def roles_of(owed_by: tuple[str, ...]) -> frozenset[Role]:
    """The roles of whoever owes something."""
    return frozenset(role for provider in owed_by for role in ROLES_OF_PROVIDER[provider])


def opening_of(o: NewObligation, given: Given) -> Opening | None:
    """What the clock would open under this name, or None."""
    name = tuple(given[n] for n in ("rule", "pin", "event", "period"))
    return next((x for x in opened_by_clock(o.held, o.house, o.today, o.calendars) if x.name == name), None)


def reported(o: NewObligation, given: Given) -> Opening | None:
    """What an event that was reported opens by a rule of the subject's packs, or None."""
    on = given.get("occurred_on") or o.today
    rows = [(pin, row) for pin, row in o.rows if row.key == given["rule"] and row.event not in TOLD]
    return next((x for _, row in rows for x in opened_by_event(rows, row.event, on, o.calendars)), None)


# ---- guards
def owed_by_actor(o: ObligationDossier, given: Given) -> Reason | None:
    """Whoever owes it does it; a coordinator records it for them, or does what nobody with an account owes."""
    owing = roles_of(o.owed_by)
    acting = frozenset({given["recorded_for"]} if given.get("recorded_for") else o.roles)
    if SYSTEM in acting or not owing.isdisjoint(acting):
        return None
    return Reason("owed_by", required=sorted(owing), actual=sorted(acting), pointer="/recorded_for")


def waived_by_another(o: ObligationDossier) -> Reason | None:
    """Nobody lets go what they owe themselves: what coordinators owe, an administrator lets go."""
    if o.roles.isdisjoint({ADMIN, SYSTEM}) and COORDINATOR in roles_of(o.owed_by):
        return Reason("waived_by_another", required=[ADMIN], actual=sorted(o.roles))
    return None


def opened_now(o: NewObligation, given: Given) -> Reason | None:
    """The clock opens what has opened by its rule, and nothing twice, whatever the version of the pack."""
    found = opening_of(o, given)
    stands = {(rule, event, period) for rule, _, event, period in o.standing}
    if found is None or (found.rule, found.event, found.period) in stands:
        return Reason("obligation_opens", required=given["rule"], actual=given["period"])
    return None


def rule_of_subject(o: NewObligation, given: Given) -> Iterator[Reason]:
    """A pack of the subject has the rule, no step tells of its event, and it is not reported for that day yet."""
    found = reported(o, given)
    if found is None:
        known = sorted(row.key for _, row in o.rows if row.event not in TOLD)
        yield Reason("obligation_rule_known", required=known, actual=given["rule"], pointer="/rule")
    elif found.name in o.standing:
        yield Reason("obligation_not_opened", required=found.rule, actual=found.event_on, pointer="/occurred_on")


def not_before_event(o: ObligationDossier, given: Given) -> Reason | None:
    """What follows from an event is done on its day or later; what runs out is renewed before."""
    on = given.get("occurred_on")
    if on is not None and o.event_on is not None and not o.runs_out and on < o.event_on:
        return Reason("occurred_on_in_range", required={"least": o.event_on}, pointer="/occurred_on")
    return None


_line = Annotated[str, "line"]
NAMED: tuple[Takes[Any], ...] = (
    Takes("rule", _line, "The key of the rule."),
    Takes("pin", _line, "The pack that has it, and its version."),
    Takes("event", _line, "What opened it."),
    Takes("period", _line, "Which time of several."),
)
DOERS = (COORDINATOR, AGENCY, ENTERPRISE, TRAINEE, GUARDIAN, REGISTRAR, INSTRUCTOR, SYSTEM)
DONE_ON: Takes[Any] = Takes(
    "occurred_on", date, "The day on which it was done; today where none is given.", needed=False,
    most=lambda o: o.today, code="occurred_on_in_range",
)  # fmt: skip

# fmt: off
OBLIGATION = Lifecycle[Any]("obligation", [
    #    action    from         to         who                   only if              leaves behind
    Rule("arise",  [NEW],       "pending", [SYSTEM],             [],                  "obligation.opened", undo=False),
    Rule("open",   [NEW],       "pending", [SYSTEM],             [],                  "obligation.opened",
         takes=NAMED, checks=[opened_now], undo=False),
    Rule("report", [NEW],       "pending", [COORDINATOR],        [],                  "obligation.reported",
         takes=[NAMED[0]], checks=[rule_of_subject], evidence=True),
    Rule("fulfil", ["pending"], "done",    DOERS,                [],                  "obligation.done",
         takes=[DONE_ON], checks=[owed_by_actor, not_before_event], evidence=True),
    Rule("waive",  ["pending"], "waived",  [COORDINATOR, ADMIN, SYSTEM], [waived_by_another], "obligation.waived",
         takes=[because("no_longer_needed", "authority_order", "other")]),
    Rule("void",   ["pending"], VOIDED,    [SYSTEM],             [],                  "obligation.voided", undo=False),
])
# fmt: on

__all__ = [
    "EVENTS",
    "JOINED",
    "LEFT",
    "OBLIGATION",
    "REPEATED",
    "ROLES_OF_PROVIDER",
    "SUBJECT_KINDS",
    "Calendar",
    "Calendars",
    "Duty",
    "Held",
    "HouseRules",
    "NewObligation",
    "ObligationDossier",
    "Opening",
    "Watch",
    "comes_back",
    "last_day",
    "opened",
    "opened_by_clock",
    "opened_by_event",
    "opening_of",
    "reported",
    "roles_of",
    "rows_of",
]
