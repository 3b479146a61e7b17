"""Intakes: a year's places in a programme, by an approved plan, from when to when one can apply, and for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from service.domain.actors import COORDINATOR, SYSTEM
from service.domain.documents import DOCUMENT_KINDS
from service.domain.levels import ISCED_LEAST, ISCED_MOST, Proof, proofs_known
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes, because

ANY_SOURCE = "*"
"""The source of the plan for whoever has none of their own in it."""
SOURCE_KINDS = ("province", "country", "order_class", "other", "any")
"""What a source is: a province (by the region of origin), a country (by nationality), a class trained to an employer's
order, another one that a coordinator names; * is `any`."""
RUNNING = ("draft", "published", "open", "closed")
APPROVED = ("published", "open", "closed")
"""While its plan is approved and people are taken in by it."""
FREES = ("draft", "published", "open")
"""While an intake is in one of these, a place that is given back can be taken again."""
PLACES_MOST = 100_000
AGE_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Places of the plan for one source: a province, a country, a class, or * for whoever else.

    A source of which nothing is said stays what it is; a new one is `other`, and * is `any`.
    """

    source: Annotated[str, "line"]
    places: int
    kind: Literal["province", "country", "order_class", "other", "any"] | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """What is known of a source: how many places there are, and how many are taken."""

    places: int
    taken: int
    kind: str = "other"

    @property
    def left(self) -> int:
        """How many are free."""
        return self.places - self.taken


@dataclass(frozen=True, slots=True)
class Concerned:
    """One application or enrolment that an act of an intake concerns, and its rank where it waits."""

    id: UUID
    person_id: UUID
    state: str
    version: int
    source: str | None = None
    rank: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeDossier(Dossier):
    """All that the rules of an intake may know.

    `live_applications` and `pending_enrolments` are filled for an act, and empty for an offer: offers ask only how
    many there are. `named` are those who wait and whom a new order of ranks names.
    """

    programme_state: str = ""
    opens_on: date | None = None
    closes_on: date | None = None
    starts_on: date | None = None
    plan_version: str | None = None
    quotas: Mapping[str, Places] = field(default_factory=dict)
    applications: int = 0
    waiting: int = 0
    undecided: int = 0
    closed_out: int = 0
    live_applications: tuple[Concerned, ...] = ()
    pending_enrolments: tuple[Concerned, ...] = ()
    named: tuple[Concerned, ...] = ()


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


def kind_of(quota: Quota, known: Mapping[str, Places]) -> str:
    """What a source is: as it is told, else as it is known, else another one."""
    if quota.kind is not None:
        return quota.kind
    if quota.source in known:
        return known[quota.source].kind
    return "any" if quota.source == ANY_SOURCE else "other"


def _kind_fits(quota: Quota, known: Mapping[str, Places]) -> bool:
    kind = kind_of(quota, known)
    if (kind == "any") != (quota.source == ANY_SOURCE):
        return False
    if kind == "country" and not (len(quota.source) == 2 and quota.source.isascii() and quota.source.isupper()):  # noqa: PLR2004
        return False
    return quota.source not in known or known[quota.source].kind == kind


def quotas_fit(i: Dossier, given: Given) -> list[Reason]:
    """Each source stands once, is of one kind for good, and has no fewer places than are taken."""
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
        if not _kind_fits(quota, known):
            found.append(Reason("source_of_kind", actual=kind_of(quota, known), pointer=f"/quotas/{n}/kind"))
    return found


def version_new(i: IntakeDossier, given: Given) -> Reason | None:
    """Places that change after the plan was approved need the approval of another version of it."""
    if given.get("plan_version") == i.plan_version:
        return Reason("plan_version_new", actual=i.plan_version, pointer="/plan_version")
    return None


# ---- places between sources, ranks on the waiting list
def places_to_move(i: IntakeDossier) -> Reason | None:
    """There is a free place, and another source to which it can go."""
    if len(i.quotas) > 1 and any(q.left for q in i.quotas.values()):
        return None
    return Reason("places_to_move", required=1, actual=sum(q.left for q in i.quotas.values()))


def move_fits(i: IntakeDossier, given: Given) -> list[Reason]:
    """Places go to another source, as many as are free at the first and no more than a source can have."""
    source, to, places = i.quotas[given["from_source"]], i.quotas[given["to_source"]], given["places"]
    found = []
    if given["from_source"] == given["to_source"]:
        found.append(Reason("sources_differ", pointer="/to_source"))
    if places > source.left:
        found.append(Reason("places_left", required=places, actual=source.left, pointer="/places"))
    if to.places + places > PLACES_MOST:
        most = {"least": 0, "most": PLACES_MOST}
        found.append(Reason("places_in_bounds", required=most, actual=to.places + places, pointer="/places"))
    return found


def several_wait(i: IntakeDossier) -> Reason | None:
    """An order is of two at least."""
    return None if i.waiting > 1 else Reason("several_wait", required=2, actual=i.waiting)


def named_wait(i: IntakeDossier, given: Given) -> list[Reason]:
    """Whoever is named waits in this intake, once, and all of them for places of one source."""
    named: Sequence[UUID] = given["applications"]
    waiting = {w.id for w in i.named}
    found = [Reason("named_waits", pointer=f"/applications/{n}") for n, a in enumerate(named) if a not in waiting]
    if len(set(named)) < len(named):
        found.append(Reason("named_once", pointer="/applications"))
    if len({w.source for w in i.named}) > 1:
        sources = sorted({w.source or ANY_SOURCE for w in i.named})
        found.append(Reason("one_source", required=1, actual=sources, pointer="/applications"))
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
        Takes(
            "documents",
            tuple[str, ...],
            "Kinds of document that each application must show before it is found eligible.",
            needed=False,
            choices=DOCUMENT_KINDS,
            code="document_kind_known",
        ),
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
MOVED: tuple[Takes[IntakeDossier], ...] = (
    Takes(
        "from_source",
        Annotated[str, "line"],
        "The source that gives free places.",
        choices=lambda i: sorted(s for s, q in i.quotas.items() if q.left),
        code="source_with_places",
    ),
    Takes(
        "to_source",
        Annotated[str, "line"],
        "The source of the plan that they go to.",
        choices=lambda i: sorted(i.quotas),
        code="source_known",
    ),
    Takes(
        "places",
        int,
        "How many.",
        least=1,
        most=lambda i: max((q.left for q in i.quotas.values()), default=0),
        code="places_left",
    ),
    because("low_demand", "high_demand", "authority_order", "balance", "other"),
)
RANKED: tuple[Takes[IntakeDossier], ...] = (
    Takes("applications", tuple[UUID, ...], "Those who wait for one source, in their new order."),
    because("new_scores", "appeal", "priority_group", "mistake", "other"),
)
DECIDES = ("open", "closed")
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
    Rule("set_quotas", ["draft"], "draft",     WHO,   [],                                 "intake.quotas_set",
         takes=[QUOTAS], checks=[quotas_fit], undo=False),
    # The plan is approved as it is: other places are another version of it, with an approval of its own.
    *[Rule("set_quotas", [state], state,       WHO,   [],                                 "intake.quotas_set",
           takes=[QUOTAS, *APPROVAL], checks=[quotas_fit, version_new], undo=False) for state in APPROVED],
    # Within the plan's total a place goes from one source to another; going back is another move.
    *[Rule("move_places", [state], state,      WHO,   [places_to_move],                   "intake.places_moved",
           takes=MOVED, checks=[move_fits], shared=True, undo=False) for state in APPROVED],
    *[Rule("rerank", [state],     state,       WHO,   [several_wait],                     "intake.reranked",
           takes=RANKED, checks=[named_wait], shared=True, undo=False) for state in DECIDES],
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
