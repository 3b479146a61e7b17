"""Sittings of language tests: when and where, until when one can register, who holds a place, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from service.domain.actors import COORDINATOR, GUARDIAN, INSTRUCTOR, REGISTRAR, SYSTEM, TRAINEE
from service.domain.certificates import TESTS, WITHOUT_SCHEME
from service.domain.languages import NO_TESTS, LanguageTests, Outcome, Paper, Sat, faults, outcome
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes, because

SAT_AS_SITTINGS = tuple(t for t in TESTS if t not in WITHOUT_SCHEME)
RESULTS = ("passed", "failed", "absent")
HOLDS = ("registered", "sat", *RESULTS)
"""The states in which a registration holds its place: who was there, or should have been, does not give it back."""
SITTING_CANCELLED = "sitting_cancelled"
MOST_PLACES = 5000
BACK = timedelta(days=366)
"""How far back a sitting may lie that is recorded late, for its results."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration that holds a place."""

    id: UUID
    person_id: UUID
    state: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingDossier(Dossier):
    """All that the rules of a sitting may know."""

    test: str = ""
    level: str | None = None
    held_on: date = date.max
    register_until: date = date.max
    taken: int = 0
    registered: Sequence[Registered] = ()
    tests: LanguageTests = field(default=NO_TESTS, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSitting(Dossier):
    """What is known when a sitting is announced: the tests."""

    tests: LanguageTests = field(default=NO_TESTS, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRegistration(Dossier):
    """What is known when somebody registers; `local_today` is the day where the sitting is held."""

    sitting_id: UUID | None = None
    sitting_state: str | None = None
    register_until: date | None = None
    local_today: date | None = None
    places_free: int = 0
    already_registered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationDossier(Dossier):
    """All that the rules of a registration may know; the certificate is the one that its result left."""

    sitting_id: UUID
    sitting_state: str = ""
    test: str = ""
    level: str | None = None
    held_on: date = date.max
    local_today: date = date.min
    places_free: int = 0
    already_registered: bool = False
    certificate_id: UUID | None = None
    certificate_state: str | None = None
    certificate_version: int = 0
    certificate_event: int = 0
    tests: LanguageTests = field(default=NO_TESTS, hash=False)


# ---- what is sat
def paper_of(tests: LanguageTests, test: str, level: str | None, on: date) -> Paper | None:
    """The paper of a sitting: by its name, by the level that it gives, or the only one."""
    known = tests.get(test)
    version = known.version_on(on) if known else None
    return (version.paper(level, None) or version.paper(None, level)) if version else None


def sat_in(r: RegistrationDossier, given: Given) -> Sat:
    """A result of the sitting, as a certificate will state it."""
    paper = paper_of(r.tests, r.test, r.level, r.held_on)
    sections: Mapping[str, Any] = given.get("section_scores") or {}
    return Sat(
        test=r.test,
        on=r.held_on,
        paper=paper.paper if paper else None,
        total=given.get("total_score"),
        sections=sections,
    )


def result_of(r: RegistrationDossier, given: Given) -> Outcome | None:
    """What the result means; None where nothing is known of the test."""
    test = r.tests.get(r.test)
    return outcome(test, sat_in(r, given)) if test else None


# ---- guards and checks of a sitting
def zone_known(_: Dossier, given: Given) -> Reason | None:
    """The zone is one of the IANA time zone database."""
    try:
        ZoneInfo(given.get("time_zone") or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Reason("zone_known", pointer="/time_zone")
    return None


def paper_sat(s: NewSitting | SittingDossier, given: Given) -> Reason | None:
    """It is of one paper that the version of its day has: named by the level, or by the paper where that has several."""
    name: str = str(given.get("test") or getattr(s, "test", ""))
    level: str | None = given.get("level") or getattr(s, "level", None)
    on: date = given["held_on"] if given.get("held_on") else getattr(s, "held_on", s.today)
    test = s.tests.get(name)
    if test is None or paper_of(s.tests, name, level, on) is not None:
        return None
    version = test.version_on(on)
    if version is None:
        days = [[v.effective_from, v.effective_to] for v in test.versions]
        return Reason("test_version_known", required=days, actual=on, pointer="/held_on")
    return Reason("paper_known", required=[p.paper for p in version.papers], actual=level, pointer="/level")


def registration_before_sitting(s: Dossier, given: Given) -> Reason | None:
    """One registers until the day of the test at the latest."""
    held, until = (given.get(n) or getattr(s, n, None) for n in ("held_on", "register_until"))
    if held is not None and until is not None and until > held:
        return Reason("registration_before_sitting", required=held, actual=until, pointer="/register_until")
    return None


def fee_has_currency(_: Dossier, given: Given) -> Reason | None:
    """A fee is an amount of a currency."""
    if given.get("fee") is not None and given.get("currency") is None:
        return Reason("fee_has_currency", required="currency", pointer="/currency")
    return None


def places_cover_taken(s: SittingDossier, given: Given) -> Reason | None:
    """A sitting cannot have fewer places than are taken."""
    places = given.get("places")
    if places is not None and places < s.taken:
        return Reason("places_cover_taken", required=s.taken, actual=places, pointer="/places")
    return None


def day_stays_when_sat(s: SittingDossier, given: Given) -> Reason | None:
    """The day of a test that somebody has sat is what it was."""
    if "held_on" in given and given["held_on"] != s.held_on and any(r.state != "registered" for r in s.registered):
        return Reason("nobody_sat", pointer="/held_on")
    return None


def nobody_sat(s: SittingDossier) -> Reason | None:
    """A test that somebody has sat was held."""
    return Reason("nobody_sat") if any(r.state != "registered" for r in s.registered) else None


def nobody_registered(s: SittingDossier) -> Reason | None:
    """Nobody's registration hangs on it."""
    return Reason("nobody_registered", required=0, actual=s.taken) if s.taken else None


# ---- guards and checks of a registration
def sitting_announced(r: NewRegistration | RegistrationDossier) -> Reason | None:
    """The sitting is there, and was not cancelled."""
    if r.sitting_state is None:
        return Reason("sitting_known", pointer="/sitting_id")
    if r.sitting_state != "announced":
        return Reason("sitting_announced", required="announced", actual=r.sitting_state)
    return None


def registration_open(r: NewRegistration, given: Given) -> Reason | None:
    """One registers until the last day for it, as it is reckoned where the test is held."""
    on = given.get("occurred_on") or r.local_today
    if r.register_until is not None and on is not None and on > r.register_until:
        return Reason("registration_open", required=r.register_until, actual=on)
    return None


def seat_free(r: NewRegistration | RegistrationDossier) -> Reason | None:
    """Everybody who is registered holds a place of the sitting."""
    if r.sitting_state is None or r.places_free > 0:
        return None
    return Reason("seat_free", required=1, actual=r.places_free)


def not_registered_yet(r: NewRegistration | RegistrationDossier) -> Reason | None:
    """A person has one live registration for a sitting."""
    return Reason("not_registered_yet") if r.already_registered else None


def day_come(r: RegistrationDossier) -> Reason | None:
    """Nobody sits, or misses, a test before its day."""
    if r.local_today < r.held_on:
        return Reason("day_come", required=r.held_on, actual=r.local_today)
    return None


def day_not_over(r: RegistrationDossier) -> Reason | None:
    """Who withdraws does so until the day of the test."""
    if r.local_today > r.held_on:
        return Reason("day_not_over", required=r.held_on, actual=r.local_today)
    return None


def certificate_untouched(r: RegistrationDossier) -> Reason | None:
    """What a result left behind is taken back only as long as nobody verified or rejected it."""
    if r.certificate_id is not None and r.certificate_state != "recorded":
        return Reason("certificate_untouched", required="recorded", actual=r.certificate_state)
    return None


def result_fits(r: RegistrationDossier, given: Given) -> list[Reason]:
    """Who was absent has no scores; every other result has all that decides, within the bounds of the paper."""
    scores = [n for n in ("total_score", "section_scores") if given.get(n)]
    if given.get("absent"):
        return [Reason("absent_has_no_scores", pointer=f"/{scores[0]}")] if scores else []
    test = r.tests.get(r.test)
    if test is None:
        return [Reason("test_known", required=SAT_AS_SITTINGS, actual=r.test)]
    read = outcome(test, sat_in(r, given))
    found = faults(test, sat_in(r, given))
    lacking = next((g.required for g in read.grounds if g.code == "scores_missing"), None)
    if not found and (lacking is not None or not scores):
        found.append(Reason("result_complete", required=lacking or ["section_scores"], pointer="/section_scores"))
    result_on = given.get("result_on")
    if result_on is not None and result_on < r.held_on:
        found.append(Reason("result_after_taken", required=r.held_on, actual=result_on, pointer="/result_on"))
    return found


def came_of_it(r: RegistrationDossier, given: Given) -> str:
    """Absent, failed, or passed; a test that has only scores is passed by whoever has them."""
    if given.get("absent"):
        return "absent"
    read = result_of(r, given)
    return "failed" if read is not None and read.passed is False else "passed"


# ---- the tables
PLANNED: tuple[Takes[Any], ...] = (
    Takes("place", Annotated[str, "line"], "Where it is held."),
    Takes("time_zone", Annotated[str, "zone"], "The zone of that place."),
    Takes("held_on", date, "The day of the test.", least=lambda s: s.today - BACK, code="sitting_day_near"),
    Takes("register_until", date, "The last day on which one can register, as it is reckoned there."),
    Takes("places", int, "How many places the institution has.", least=1, most=MOST_PLACES),
    Takes("fee", Decimal, "What a place costs.", needed=False, least=Decimal(0)),
    Takes("currency", Annotated[str, "currency"], "The currency of the fee.", needed=False),
)
WHAT: tuple[Takes[Any], ...] = (
    Takes("test", str, "The test, by its code.", choices=SAT_AS_SITTINGS, code="test_known"),
    Takes("level", Annotated[str, "line"], "The level, or the paper that gives several (TOPIK II).", needed=False),
)
EDITED = tuple(replace(t, needed=False) for t in PLANNED if t.name != "time_zone")
ADMISSION: Takes[Any] = Takes(
    "admission_no", Annotated[str, "line"], "The number on the admission ticket.", needed=False
)
RESULT: tuple[Takes[Any], ...] = (
    Takes("absent", bool, "Did not come; then there are no scores.", needed=False),
    Takes("total_score", Decimal, "The total, where the paper has one.", needed=False, least=Decimal(0)),
    Takes("section_scores", dict, "The result of each section, by its code.", needed=False),
    Takes(
        "result_on", date, "The day on which the result was announced.", needed=False, most=lambda r: r.today,
        code="not_in_future",
    ),
    Takes("number", Annotated[str, "line"], "The number of the certificate; kept sealed.", needed=False),
)  # fmt: skip
WITHDRAWN = because("health", "family", "financial", "schedule", "not_ready", "duplicate", "other")
PLANS, PEOPLE, STAFF = [COORDINATOR], [COORDINATOR, TRAINEE, GUARDIAN], [COORDINATOR, REGISTRAR, INSTRUCTOR]
LOADS = [COORDINATOR, REGISTRAR]

# fmt: off
SITTING = Lifecycle[Any]("sitting", [
    #    action      from           to           who    only if        leaves behind
    Rule("announce", [NEW],         "announced", PLANS, [],            "sitting.announced", undo=[nobody_registered],
         takes=(*WHAT, *PLANNED), checks=[zone_known, paper_sat, registration_before_sitting, fee_has_currency]),
    Rule("edit",     ["announced"], "announced", PLANS, [],            "sitting.edited", undo=False,
         takes=EDITED, checks=[paper_sat, registration_before_sitting, fee_has_currency, places_cover_taken, day_stays_when_sat]),
    Rule("cancel",   ["announced"], "cancelled", PLANS, [nobody_sat],  "sitting.cancelled", undo=False, shared=True,
         takes=[because("organiser", "low_demand", "force_majeure", "entered_in_error", "other")]),
])
SITTING_REGISTRATION = Lifecycle[Any]("sitting_registration", [
    #    action          from                   to            who     only if                                              leaves behind
    Rule("register",     [NEW],                 "registered", PEOPLE, [sitting_announced, seat_free, not_registered_yet],  "sitting_registration.registered",
         takes=[Takes("sitting_id", UUID, "The sitting."), ADMISSION], checks=[registration_open], shared=True),
    Rule("edit",         ["registered"],        "registered", STAFF,  [],                                                  "sitting_registration.edited",
         takes=[replace(ADMISSION, needed=True)], undo=False),
    Rule("sit",          ["registered"],        "sat",        STAFF,  [day_come],                                          "sitting_registration.sat"),
    Rule("record_result", ["registered", "sat"], RESULTS,     LOADS,  [day_come],                                          "sitting_registration.result_recorded",
         takes=RESULT, checks=[result_fits], which=came_of_it, undo=[certificate_untouched]),
    Rule("withdraw",     ["registered"],        "withdrawn",  PEOPLE, [day_not_over],                                      "sitting_registration.withdrawn",
         takes=[WITHDRAWN], shared=True, undo=[sitting_announced, seat_free, not_registered_yet]),
    Rule("call_off",     ["registered"],        "withdrawn",  [SYSTEM], [],                                                "sitting_registration.withdrawn", undo=False),
])
# fmt: on
