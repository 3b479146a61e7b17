"""Applications: from a draft to a place in an intake, to the waiting list, or to a reason why not."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR, GUARDIAN, REGISTRAR, SYSTEM, TRAINEE
from service.domain.documents import DOCUMENT_KINDS
from service.domain.languages import NO_TESTS, LanguageTests
from service.domain.levels import ISCED_LEAST, ISCED_MOST, Days, Held, Proof, held_back, named, proven
from service.domain.lifecycle import NEW, VOIDED, Dossier, Given, Lifecycle, Reason, Rule, Takes, because
from service.domain.values import age_on

LIVE = ("draft", "submitted", "under_review", "documents_required", "eligible", "waitlisted")
ADOPTS = ("published", "open", "closed", "completed")
"""States of an intake into which people are taken who study in it already."""
ENDED = frozenset({"completed", "cancelled"})
"""States in which an intake has no live application any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationDossier(Dossier):
    """All that the rules of an application may know: what it says, its intake, the person, the plan, its enrolment.

    `source` is that under which it counts, `natural_source` the one that their region of origin or nationality names;
    `sources` are those of the plan; `places` is None where the plan has none for it. `wanted` are the kinds of document
    that the intake asks everybody for, `asked` those that were asked of this one. `waiting_before` are the ids of those who wait for the same places with a better rank, `ranks` the ranks
    that are given.
    """

    intake_id: UUID
    intake_state: str = ""
    opens_on: date | None = None
    closes_on: date | None = None
    starts_on: date | None = None
    programme_id: UUID | None = None
    level_least: int | None = None
    age_least: int | None = None
    age_most: int | None = None
    nationalities: tuple[str, ...] = ()
    languages: tuple[Proof, ...] = ()
    birth_on: date
    nationality: str = ""
    shown_education: int | None = None
    certificates: tuple[Held, ...] = ()
    book: LanguageTests = NO_TESTS
    consent_given: bool = False
    identity_shown: bool = False
    documents: frozenset[str] = frozenset()
    asked: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    sources: frozenset[str] = frozenset()
    source: str | None = None
    natural_source: str = "*"
    places: int | None = None
    taken: int = 0
    rank: int | None = None
    ranks: frozenset[int] = frozenset()
    waiting_before: frozenset[UUID] = frozenset()
    other_live: bool = False
    enrolment_id: UUID | None = None
    enrolment_state: str | None = None
    enrolment_version: int = 0
    enrolment_source: str | None = None

    @property
    def start(self) -> date:
        """The day on which whoever is selected is to start."""
        return self.starts_on or self.today


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApplication(Dossier):
    """What is known when an application is drafted: its intake, and what the person has in it already."""

    intake_state: str | None = None
    other_live: bool = False
    enrolled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedApplication(NewApplication):
    """What is known when somebody is taken into an intake in which they study already: its plan beside the rest."""

    programme_id: UUID | None = None
    source: str = "*"
    sources: frozenset[str] = frozenset()
    places: int | None = None
    taken: int = 0


# ---- drafting and submitting
def intake_announced(a: NewApplication) -> Reason | None:
    """One applies to an intake that is published or open."""
    if a.intake_state not in ("published", "open"):
        return Reason("intake_announced", required=["published", "open"], actual=a.intake_state, pointer="/intake_id")
    return None


def one_live_application(a: NewApplication | ApplicationDossier) -> Reason | None:
    """A person has one live application an intake."""
    return Reason("one_live_application", required=1) if a.other_live else None


def not_enrolled_yet(a: NewApplication) -> Reason | None:
    """Whoever is enrolled in the intake does not apply again."""
    return Reason("not_enrolled_yet") if a.enrolled else None


def intake_open(a: ApplicationDossier) -> Reason | None:
    """The intake is open."""
    if a.intake_state != "open":
        return Reason("intake_open", required="open", actual=a.intake_state)
    return None


def within_the_dates(a: ApplicationDossier, given: Given) -> Reason | None:
    """The intake was open on the day on which it was submitted: to the end of the closing day."""
    day = given.get("occurred_on") or a.today
    if (a.opens_on is not None and day < a.opens_on) or (a.closes_on is not None and day > a.closes_on):
        bounds = {"least": a.opens_on, "most": a.closes_on}
        return Reason("within_the_dates", required=bounds, actual=day, pointer="/occurred_on")
    return None


def consent_given(a: ApplicationDossier) -> Reason | None:
    """The person, or a minor's guardian, consents that their data is used for the enrolment."""
    return None if a.consent_given else Reason("consent_given", required="enrolment")


def identity_shown(a: ApplicationDossier) -> Reason | None:
    """There is a document of identity: a passport or an identity card, not rejected, or the passport on record."""
    return None if a.identity_shown else Reason("identity_shown", required=["passport", "identity"])


# ---- review
def documents_supplied(a: ApplicationDossier) -> Reason | None:
    """Every document that was asked for is there, and not rejected."""
    missing = sorted(set(a.asked) - a.documents)
    return Reason("documents_supplied", required=list(a.asked), actual=missing) if missing else None


def wanted_shown(a: ApplicationDossier) -> Reason | None:
    """Every document that the intake asks everybody for is there, and not rejected."""
    missing = sorted(set(a.wanted) - a.documents)
    return Reason("documents_supplied", required=list(a.wanted), actual=missing) if missing else None


def level_reached(a: ApplicationDossier) -> Reason | None:
    """The level of education reaches what the intake asks for."""
    if a.level_least is not None and (a.shown_education is None or a.shown_education < a.level_least):
        return Reason("level_reached", required=a.level_least, actual=a.shown_education)
    return None


def age_within(a: ApplicationDossier) -> Reason | None:
    """The age on the first day of study is within the intake's."""
    age = age_on(a.birth_on, a.start)
    if (a.age_least is not None and age < a.age_least) or (a.age_most is not None and age > a.age_most):
        return Reason("age_within", required={"least": a.age_least, "most": a.age_most}, actual=age)
    return None


def nationality_taken(a: ApplicationDossier) -> Reason | None:
    """The intake takes people of this nationality."""
    if a.nationalities and a.nationality not in a.nationalities:
        return Reason("nationality_taken", required=list(a.nationalities), actual=a.nationality)
    return None


def language_proven(a: ApplicationDossier) -> Reason | None:
    """A verified certificate proves one of the tests that the intake asks for.

    It is valid on the first day of study; where a purpose is named, it is good for that on the day of the decision.
    """
    days = Days(a.start, a.today, a.book)
    if proven(a.certificates, a.languages, days):
        return None
    back = held_back(a.certificates, a.languages, days)
    return Reason("language_proven", required=named(a.languages), actual=back)


# ---- the decision
def intake_decides(a: ApplicationDossier) -> Reason | None:
    """Places are given while the intake is open or closed for applications, not before and not when it is over."""
    if a.intake_state not in ("open", "closed"):
        return Reason("intake_decides", required=["open", "closed"], actual=a.intake_state)
    return None


def intake_selected(a: AdoptedApplication) -> Reason | None:
    """Somebody studies already in an intake whose plan is public, over or not, and not cancelled."""
    if a.intake_state not in ADOPTS:
        return Reason("intake_selected", required=list(ADOPTS), actual=a.intake_state, pointer="/intake_id")
    return None


def source_in_plan(a: ApplicationDossier | AdoptedApplication) -> Reason | None:
    """The plan has places for the source under which the application counts."""
    if a.places is None:
        return Reason("source_in_plan", required=sorted(a.sources), actual=a.source)
    return None


def place_free(a: ApplicationDossier | AdoptedApplication) -> Reason | None:
    """A place of the plan is free for the source."""
    if a.places is not None and a.taken >= a.places:
        return Reason("place_free", required=a.places, actual=a.taken)
    return None


def in_order_of_rank(a: ApplicationDossier, given: Given) -> Reason | None:
    """From the waiting list the best rank comes first, or there is a reason why another does."""
    if a.state == "waitlisted" and a.waiting_before and given.get("reason_code") is None:
        return Reason("in_order_of_rank", required=0, actual=len(a.waiting_before), pointer="/reason_code")
    return None


def rank_free(a: ApplicationDossier, given: Given) -> Reason | None:
    """Nobody else waits with this rank."""
    if given.get("rank") in a.ranks:
        return Reason("rank_free", actual=given["rank"], pointer="/rank")
    return None


# ---- what a correction needs
def intake_not_over(a: ApplicationDossier) -> Reason | None:
    """An application comes back to life only while its intake does too."""
    if a.intake_state in ENDED:
        return Reason("intake_not_over", actual=a.intake_state)
    return None


def enrolment_pending(a: ApplicationDossier) -> Reason | None:
    """A selection is taken back only while nothing has been done with the enrolment that it made."""
    if a.enrolment_state != "pending":
        return Reason("enrolment_pending", required="pending", actual=a.enrolment_state)
    return None


SHOWN: tuple[Takes[Any], ...] = (
    Takes(
        "education_level",
        int,
        "The highest level of education reached (ISCED 2011).",
        needed=False,
        least=ISCED_LEAST,
        most=ISCED_MOST,
    ),
)
DRAFTED: tuple[Takes[Any], ...] = (Takes("intake_id", UUID, "The intake."), *SHOWN)
ASKED: Takes[Any] = Takes(
    "documents", tuple[str, ...], "The kinds that are missing.", choices=DOCUMENT_KINDS, code="document_kind_known"
)
SOURCE: Takes[ApplicationDossier] = Takes(
    "source",
    Annotated[str, "line"],
    "The source of the plan under which they count; by their region of origin or nationality, or *, where none is given.",
    needed=False,
    choices=lambda a: sorted(a.sources),
    code="source_known",
)
OUT_OF_ORDER = dataclasses.replace(
    because("priority_group", "not_reached", "not_interested", "other"),
    needed=False,
    about="Why before others who wait with a better rank.",
)
RANK: Takes[Any] = Takes(
    "rank",
    int,
    "The rank on the waiting list (1 is first); the next free one where none is given. In bulk that of the first.",
    needed=False,
    least=1,
    most=100_000,
)
WHY_LEFT = dataclasses.replace(
    because("personal", "other_offer", "financial", "family", "health", "moved_away", "other"), needed=False
)
SELF, COORD = [TRAINEE, GUARDIAN, COORDINATOR], [COORDINATOR]
MAY_SUBMIT = [intake_open, consent_given, identity_shown]
IS_ELIGIBLE = [wanted_shown, level_reached, age_within, nationality_taken, language_proven]
HAS_PLACE = [intake_decides, source_in_plan, place_free, language_proven]
ADOPTED = [intake_selected, one_live_application, not_enrolled_yet, source_in_plan, place_free]
REVIVES = [intake_not_over, one_live_application]

# fmt: off
APPLICATION = Lifecycle[Any]("application", [
    #    action              from                        to                    who   only if                   leaves behind
    Rule("draft",            [NEW],                      "draft",              SELF, [intake_announced, one_live_application, not_enrolled_yet], "application.drafted",
         takes=DRAFTED),
    Rule("edit",             ["draft"],                  "draft",              SELF, [],                       "application.edited",
         takes=SHOWN, undo=False),
    Rule("edit",             ["under_review"],           "under_review",       COORD, [],                      "application.edited",
         takes=SHOWN, undo=False),
    Rule("edit",             ["documents_required"],     "documents_required", SELF, [],                       "application.edited",
         takes=SHOWN, undo=False),
    Rule("submit",           ["draft"],                  "submitted",          SELF, MAY_SUBMIT,               "application.submitted",
         checks=[within_the_dates]),
    Rule("take_on",          ["submitted"],              "under_review",       COORD, [],                      "application.taken_on"),
    Rule("ask_documents",    ["under_review"],           "documents_required", COORD, [],                      "application.documents_asked",
         takes=[ASKED]),
    Rule("supply_documents", ["documents_required"],     "under_review",       SELF, [documents_supplied],     "application.documents_supplied"),
    Rule("find_eligible",    ["under_review"],           "eligible",           COORD, IS_ELIGIBLE,             "application.found_eligible",
         takes=[SOURCE]),
    Rule("find_ineligible",  ["under_review"],           "ineligible",         COORD, [],                      "application.found_ineligible",
         takes=[because("level", "age", "nationality", "language", "documents_missing", "requirements_unmet", "other")], undo=REVIVES),
    Rule("select",           ["eligible", "waitlisted"], "selected",           COORD, HAS_PLACE,               "application.selected",
         takes=[OUT_OF_ORDER], checks=[in_order_of_rank], shared=True, undo=[*REVIVES, enrolment_pending]),
    Rule("waitlist",         ["eligible"],               "waitlisted",         COORD, [intake_decides],        "application.waitlisted",
         takes=[RANK], checks=[rank_free], shared=True),
    Rule("decline",          ["eligible"],               "not_selected",       COORD, [],                      "application.declined",
         takes=[because("plan_full", "rank_too_low", "requirements_unmet", "other")], undo=REVIVES),
    Rule("close_out",        LIVE,                       "not_selected",       [SYSTEM], [],                   "application.closed_out", undo=False),
    Rule("withdraw",         LIVE,                       "withdrawn",          SELF, [],                       "application.withdrawn",
         takes=[WHY_LEFT], undo=REVIVES),
    # By import alone: whoever studies already takes a place of the plan, and the import is taken back as a whole.
    Rule("adopt",            [NEW],                      "selected",           [COORDINATOR, REGISTRAR, ADMIN], ADOPTED, "application.adopted",
         takes=[DRAFTED[0], dataclasses.replace(SOURCE, choices=None)], shared=True, undo=False),
    Rule("void",             ["selected"],               VOIDED,               [SYSTEM], [],                   "application.voided", undo=False),
])
# fmt: on
