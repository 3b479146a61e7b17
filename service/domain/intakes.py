"""Intakes: a year's places in a programme, by an approved plan, from when to when one can apply, and for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import COORDINATOR, SYSTEM
from service.domain.levels import ISCED_LEAST, ISCED_MOST, Proof, proofs_known
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes, because

ANY_SOURCE = "*"
"""The source of the plan for whoever has none of their own in it."""
RUNNING = ("draft", "published", "open", "closed")
FREES = ("draft", "published", "open")
"""While an intake is in one of these, a place that is given back can be taken again."""
PLACES_MOST = 100_000
AGE_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Places of the plan for one source: a province, a country, a class, or * for whoever else."""

    source: Annotated[str, "line"]
    places: int


@dataclass(frozen=True, slots=True)
class Places:
    """What is known of a source: how many places there are, and how many are taken."""

    places: int
    taken: int


@dataclass(frozen=True, slots=True)
class Concerned:
    """One application or enrolment that the end of an intake concerns."""

    id: UUID
    person_id: UUID
    state: str
    version: int
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeDossier(Dossier):
    """All that the rules of an intake may know.

    `live_applications` and `pending_enrolments` are filled for an act, and empty for an offer: offers ask only how
    many there are.
    """

    programme_state: str = ""
    opens_on: date | None = None
    closes_on: date | None = None
    starts_on: date | None = None
    quotas: Mapping[str, Places] = field(default_factory=dict)
    applications: int = 0
    undecided: int = 0
    closed_out: int = 0
    live_applications: tuple[Concerned, ...] = ()
    pending_enrolments: tuple[Concerned, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIntake(Dossier):
    """What is known when an intake is drafted: its programme."""

    programme_state: str = ""


def programme_active(i: IntakeDossier | NewIntake) -> Reason | None:
    """Only an active programme takes people in."""
    if i.programme_state != "active":
        return Reason("programme_active", required="active", actual=i.programme_state)
    return None


def places_planned(i: IntakeDossier) -> Reason | None:
    """The plan has at least one place."""
    return None if any(q.places for q in i.quotas.values()) else Reason("places_planned", required=1, actual=0)


def not_over(i: IntakeDossier) -> Reason | None:
    """It cannot open when its closing date is past."""
    if i.closes_on is not None and i.closes_on < i.today:
        return Reason("not_over", required=i.closes_on, actual=i.today)
    return None


def every_application_decided(i: IntakeDossier) -> Reason | None:
    """Every application that was submitted is decided: selected, waitlisted, declined, ineligible or withdrawn."""
    return Reason("every_application_decided", required=0, actual=i.undecided) if i.undecided else None


def no_application(i: IntakeDossier) -> Reason | None:
    """Where somebody has applied already, it cannot be taken back."""
    return Reason("no_application", required=0, actual=i.applications) if i.applications else None


def nobody_closed_out(i: IntakeDossier) -> Reason | None:
    """Where it has already ended somebody's application or enrolment, it cannot be taken back."""
    return Reason("nobody_closed_out", required=0, actual=i.closed_out) if i.closed_out else None


def dates_in_order(i: Dossier, given: Given) -> Reason | None:
    """One applies before it closes, and it closes before it starts."""
    names = ("opens_on", "closes_on", "starts_on")
    days: list[date] = [day for name in names if (day := given.get(name) or getattr(i, name, None)) is not None]
    if days != sorted(days):
        return Reason("dates_in_order", required=list(names), pointer="/closes_on")
    return None


def ages_in_order(_: Dossier, given: Given) -> Reason | None:
    """The youngest age is not above the oldest."""
    least, most = given.get("age_least"), given.get("age_most")
    if least is not None and most is not None and least > most:
        return Reason("ages_in_order", required=most, actual=least, pointer="/age_least")
    return None


def quotas_fit(i: Dossier, given: Given) -> list[Reason]:
    """Each source stands once, with no fewer places than are taken."""
    quotas: Sequence[Quota] = given.get("quotas") or ()
    found = []
    if len({q.source for q in quotas}) < len(quotas):
        found.append(Reason("sources_distinct", pointer="/quotas"))
    known: Mapping[str, Places] = i.quotas if isinstance(i, IntakeDossier) else {}
    for n, quota in enumerate(quotas):
        least = known[quota.source].taken if quota.source in known else 0
        if not least <= quota.places <= PLACES_MOST:
            bounds = {"least": least, "most": PLACES_MOST}
            found.append(
                Reason("places_in_bounds", required=bounds, actual=quota.places, pointer=f"/quotas/{n}/places")
            )
    return found


QUOTAS: Takes[Any] = Takes("quotas", tuple[Quota, ...], "Places by source of applicants.")
STARTS: Takes[Any] = Takes("starts_on", date, "The first day of study.")


def _planned(*, needed: bool) -> tuple[Takes[Any], ...]:
    return (
        Takes("code", Annotated[str, "line"], "Its code in the institution, such as 2026-autumn.", needed=needed),
        Takes("opens_on", date, "The first day on which one can apply.", needed=needed),
        Takes("closes_on", date, "The last day on which one can apply.", needed=needed),
        Takes("starts_on", date, "The first day of study.", needed=needed),
        Takes(
            "level_least",
            int,
            "The level of education asked for (ISCED 2011).",
            needed=False,
            least=ISCED_LEAST,
            most=ISCED_MOST,
        ),
        Takes("age_least", int, "The youngest age on the first day.", needed=False, least=0, most=AGE_MOST),
        Takes("age_most", int, "The oldest age on the first day.", needed=False, least=0, most=AGE_MOST),
        Takes(
            "nationalities", tuple[Annotated[str, "country"], ...], "Whom it takes; everybody if none.", needed=False
        ),
        Takes("languages", tuple[Proof, ...], "Tests of language, one of which it asks for.", needed=False),
    )


APPROVAL: tuple[Takes[Any], ...] = (
    Takes("plan_authority", Annotated[str, "line"], "Who approved the enrolment plan."),
    Takes("plan_number", Annotated[str, "line"], "The number of the approval."),
    Takes("plan_version", Annotated[str, "line"], "Which version of the plan was approved."),
)
RESCHEDULED: tuple[Takes[IntakeDossier], ...] = (
    Takes("closes_on", date, "The new last day on which one can apply.", least=lambda i: i.today, code="in_future"),
    Takes("starts_on", date, "The new first day of study.", needed=False, least=lambda i: i.today, code="in_future"),
)
ENDED = because("low_demand", "plan_withdrawn", "authority_order", "force_majeure", "other")
WHO, CLOCK = [COORDINATOR], [COORDINATOR, SYSTEM]

# fmt: off
INTAKE = Lifecycle[Any]("intake", [
    #    action     from          to           who    only if                             leaves behind
    Rule("draft",   [NEW],        "draft",     WHO,   [programme_active],                 "intake.drafted",
         takes=[*_planned(needed=True), Takes("quotas", QUOTAS.kind, QUOTAS.about, needed=False)],
         checks=[dates_in_order, ages_in_order, proofs_known, quotas_fit]),
    Rule("edit",    ["draft"],    "draft",     WHO,   [],                                 "intake.edited",
         takes=_planned(needed=False), checks=[dates_in_order, ages_in_order, proofs_known], undo=False),
    *[Rule("set_quotas", [state], state,       WHO,   [],                                 "intake.quotas_set",
           takes=[QUOTAS], checks=[quotas_fit], undo=False) for state in RUNNING],
    Rule("publish", ["draft"],    "published", WHO,   [programme_active, places_planned], "intake.published",
         takes=APPROVAL, undo=[no_application]),
    *[Rule("reschedule", [state], state,       WHO,   [],                                 "intake.rescheduled",
           takes=RESCHEDULED, checks=[dates_in_order], undo=False) for state in ("published", "open")],
    Rule("open",    ["published"], "open",     CLOCK, [not_over],                         "intake.opened", undo=[no_application]),
    Rule("close",   ["open"],     "closed",    CLOCK, [],                                 "intake.closed"),
    Rule("complete", ["closed"],  "completed", WHO,   [every_application_decided],        "intake.completed",
         shared=True, undo=[nobody_closed_out]),
    Rule("cancel",  RUNNING,      "cancelled", WHO,   [],                                 "intake.cancelled",
         takes=[ENDED], shared=True, undo=[nobody_closed_out]),
])
# fmt: on
