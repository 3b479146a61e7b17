"""Trainees: the record of a person, its passport checked by ICAO 9303, the guardian of a minor, availability."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR, GUARDIAN, REGISTRAR, SYSTEM, TRAINEE
from service.domain.lifecycle import NEW, VOIDED, Dossier, Given, Lifecycle, Reason, Rule, Takes, because
from service.domain.retention import Had, Kept, Retention, kept, live
from service.domain.values import Passport, age_on, country_of, read_mrz

OWED_BACK = ("deposit", "penalty")
PAID_BY_THEM = ("trainee", "family")
"""What nobody may take from a trainee, and whoever takes it all the same gives back."""
ERASED = "[erased]"
"""What stands for the name of somebody who was erased, in every list."""
ADULT = 18
OLDEST = 100
AVAILABLE_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Mrz:
    """The two lines at the foot of a passport's page of data."""

    line1: Annotated[str, "line"]
    line2: Annotated[str, "line"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardian:
    """Who decides for a minor."""

    name: Annotated[str, "line"]
    relation: Annotated[str, "line"]
    phone: Annotated[str, "phone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalId:
    """What another system calls the person."""

    system: Annotated[str, "line"]
    value: Annotated[str, "line"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraineeDossier(Dossier):
    """All that the rules of a trainee's record may know.

    `things` is what they have or had, `owed` how many payments are to be given back to them, `accounts` how many
    accounts still open their record, `retention` the rules of law that may have it kept; `asked_erasure` tells whether
    whoever asks now is the one who asked for the erasure, `files` where the bytes of their documents are, `indexes` the
    blind indexes of their numbers.

    `joined` are the records that were joined to this one. `survivor_id` is the one to which this was, or is to be, joined,
    `survivor_state` how it stands, `beside` are those that were joined to it before; `used_since` tells whether anything
    was done with the survivor since, `survivor_to_go` whether its erasure was asked for.
    """

    birth_on: date | None
    nationality: str = ""
    has_passport: bool = False
    has_guardian: bool = False
    unit_known: bool = True
    available_until: date | None = None
    asked_by: tuple[str, ...] = ()
    stands_on_it: bool = False
    external_ids: tuple[tuple[str, str], ...] = ()
    things: tuple[Had, ...] = ()
    owed: int = 0
    accounts: int = 0
    retention: tuple[Retention, ...] = ()
    erasure_asked_on: date | None = None
    asked_erasure: bool = False
    files: tuple[UUID, ...] = ()
    indexes: tuple[str, ...] = ()
    own_id: UUID | None = None
    joined: tuple[UUID, ...] = ()
    survivor_id: UUID | None = None
    survivor_state: str | None = None
    beside: tuple[UUID, ...] = ()
    used_since: bool = False
    survivor_to_go: bool = False

    @property
    def kept(self) -> list[Kept]:
        """The rules of law that have their record kept today."""
        return kept(self.retention, self.things, self.today)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrainee(Dossier):
    """What is known when somebody is registered."""

    unit_known: bool = False


def minor_has_guardian(t: NewTrainee | TraineeDossier, given: Given) -> Reason | None:
    """Somebody under 18 has a guardian on record."""
    born = given.get("birth_on")
    if born is None or getattr(t, "has_guardian", False):
        return None
    age = age_on(born, t.today)
    if age < ADULT and given.get("guardian") is None:
        return Reason("minor_has_guardian", required=ADULT, actual=age, pointer="/guardian")
    return None


def passport_is_theirs(t: Dossier, given: Given) -> list[Reason]:
    """The passport's check digits are right, and its birth date and nationality are the person's."""
    mrz = given.get("passport_mrz")
    if mrz is None:
        return []
    read = read_mrz(mrz.line1, mrz.line2, as_of=t.today)
    if not isinstance(read, Passport):
        return [Reason(p.code, p.required, pointer=f"/passport_mrz{p.pointer}") for p in read]
    birth_on = given.get("birth_on") or getattr(t, "birth_on", None)
    nationality = given.get("nationality") or getattr(t, "nationality", None)
    found = []
    if read.birth_on != birth_on:
        found.append(Reason("passport_birth_date_same", pointer="/passport_mrz/line2"))
    if country_of(read.nationality) != nationality:
        found.append(Reason("passport_nationality_same", pointer="/passport_mrz/line2"))
    return found


def passport_follows(t: TraineeDossier, given: Given) -> Reason | None:
    """Another date of birth or nationality than the passport's comes with a passport that says so."""
    if t.has_passport and not given.get("passport_mrz") and (given.get("birth_on") or given.get("nationality")):
        return Reason("passport_follows", pointer="/passport_mrz")
    return None


def identity_kept_by_staff(t: TraineeDossier, given: Given) -> list[Reason]:
    """Who somebody is (name, birth, nationality, unit) is changed by the institution's staff."""
    if not {TRAINEE, GUARDIAN}.isdisjoint(t.asked_by):
        return [Reason("identity_kept_by_staff", pointer=f"/{name}") for name in IDENTITY if given.get(name)]
    return []


def is_available(t: TraineeDossier) -> Reason | None:
    """What ends must have been there: somebody is available from when they say so to the day they named."""
    return Reason("is_available") if t.available_until is None else None


def nothing_stands_on_it(t: TraineeDossier) -> Reason | None:
    """A record is taken back only while nothing else was done with the person."""
    return Reason("nothing_stands_on_it") if t.stands_on_it else None


# ---- erasure
def erasure_not_asked_yet(t: TraineeDossier) -> Reason | None:
    """An erasure is asked for once, and then answered."""
    return Reason("erasure_not_asked_yet", actual=t.erasure_asked_on) if t.erasure_asked_on else None


def erasure_asked(t: TraineeDossier) -> Reason | None:
    """Somebody asked for it."""
    return None if t.erasure_asked_on else Reason("erasure_asked", required="ask_erasure")


def erased_by_another(t: TraineeDossier) -> Reason | None:
    """What cannot be taken back is done by two: another account erases than the one that asked."""
    return Reason("erased_by_another") if t.asked_erasure else None


def nothing_live(t: TraineeDossier) -> Reason | None:
    """Nothing of theirs is under way: what lives is ended first, each by its own rules."""
    found = live(t.things)
    return Reason("nothing_live", actual=found) if found else None


def nothing_owed(t: TraineeDossier) -> Reason | None:
    """A deposit or a penalty that was taken from them was given back."""
    return Reason("nothing_owed", required=0, actual=t.owed) if t.owed else None


def accounts_ended(t: TraineeDossier) -> Reason | None:
    """No account of theirs, or of a guardian, still opens their record."""
    return Reason("accounts_ended", required=0, actual=t.accounts) if t.accounts else None


def nothing_kept_by_law(t: TraineeDossier) -> list[Reason]:
    """No law whose text was read has their record kept longer (GDPR art. 17(3)(b), PIPL art. 47)."""
    return [_kept(k) for k in t.kept if k.rule.is_verified]


def unread_law_set_aside(t: TraineeDossier, given: Given) -> list[Reason]:
    """Rules whose text nobody has read yet hold as well, unless whoever erases has looked and sets them aside."""
    aside = given.get("set_aside") or ()
    return [_kept(k) for k in t.kept if not k.rule.is_verified and k.rule.code not in aside]


def not_joined(t: TraineeDossier) -> Reason | None:
    """It stands alone: records that were joined to it are taken apart first."""
    return Reason("not_joined", required=0, actual=len(t.joined)) if t.joined else None


def another_record(t: TraineeDossier, given: Given) -> Reason | None:
    """The survivor is another record of the same institution, itself joined to none."""
    if t.own_id == given["survivor_id"]:
        return Reason("another_record", pointer="/survivor_id")
    if t.survivor_state is None:
        return Reason("survivor_known", pointer="/survivor_id")
    if t.survivor_state != "known":
        return Reason("survivor_open", required="known", actual=t.survivor_state, pointer="/survivor_id")
    return None


def not_used_since(t: TraineeDossier) -> Reason | None:
    """Nothing was done with the survivor since, that may stand on what came with it; unless both are to be erased."""
    return Reason("not_used_since") if t.used_since and not t.survivor_to_go else None


def _kept(k: Kept) -> Reason:
    return Reason("kept_by_law", required=k.until.isoformat() if k.until else "for_good", actual=k.rule.code)


def unit_known(t: NewTrainee | TraineeDossier, given: Given) -> Reason | None:
    """The unit that was named is one of the institution."""
    return Reason("unit_known", pointer="/unit_id") if given.get("unit_id") and not t.unit_known else None


def purpose_stated(t: TraineeDossier, given: Given) -> Reason | None:
    """Staff say what they take a copy of everything for; the person can read it."""
    if {TRAINEE, GUARDIAN}.isdisjoint(t.asked_by) and not given.get("purpose"):
        return Reason("purpose_stated", pointer="/purpose")
    return None


CONTACTS: tuple[Takes[Any], ...] = (
    Takes("email", Annotated[str, "email"], "Where they read mail.", needed=False),
    Takes("phone", Annotated[str, "phone"], "A number in E.164 (+8613800000000).", needed=False),
    Takes("language", Annotated[str, "language"], "The language they read (BCP 47).", needed=False),
    Takes(
        "origin",
        Annotated[str, "line"],
        "Province or region of origin: the source that enrolment plans count by.",
        needed=False,
    ),
    Takes("guardian", Guardian, "Who decides for a minor.", needed=False),
    Takes("passport_mrz", Mrz, "The machine-readable lines of the passport.", needed=False),
    Takes("identity_no", Annotated[str, "line"], "The number of the national identity card.", needed=False),
    Takes("external_ids", tuple[ExternalId, ...], "What other systems call them.", needed=False),
)
REGISTERED: tuple[Takes[Any], ...] = (
    Takes("name_native", Annotated[str, "line"], "The name in its own script."),
    Takes("name_latin", Annotated[str, "line"], "The name as in the passport: SURNAME, GIVEN NAMES."),
    Takes("sex", str, "As in the passport.", needed=False, choices=["female", "male", "other"]),
    Takes(
        "birth_on",
        date,
        "The date of birth.",
        least=lambda t: t.today - timedelta(days=OLDEST * 366),
        most=lambda t: t.today - timedelta(days=365 * 10),
    ),
    Takes("nationality", Annotated[str, "country"], "ISO 3166-1 alpha-2."),
    Takes("unit_id", UUID, "The unit they belong to.", needed=False),
    *CONTACTS,
)
IDENTITY = ("name_native", "name_latin", "sex", "birth_on", "nationality", "unit_id")
EDITED: tuple[Takes[Any], ...] = tuple(replace(t, needed=False) for t in REGISTERED)
AVAILABLE: tuple[Takes[Any], ...] = (
    Takes("available_from", date, "The first day they could start."),
    Takes(
        "available_until",
        date,
        "The last day on which the wish counts as confirmed.",
        least=lambda t: t.today,
        most=lambda t: t.today + timedelta(days=AVAILABLE_DAYS),
    ),
)

ERASURE_WHY = because("consent_withdrawn", "purpose_ended", "objection", "unlawful", "ordered_by_law", "other")
"""Grounds of GDPR art. 17(1) and PIPL art. 47."""
DECLINED_WHY = because(
    "kept_by_law", "legal_claims", "public_interest", "identity_unproven", "no_longer_wanted", "other"
)
"""Grounds of GDPR art. 17(3), and that it is not asked for any more."""
SET_ASIDE: Takes[Any] = Takes(
    "set_aside",
    tuple[str, ...],
    "Rules of retention, not verified in our data, that were looked up and do not hold.",
    needed=False,
    choices=lambda t: [k.rule.code for k in t.kept if not k.rule.is_verified],
    code="rule_set_aside_known",
)
JOINED_WHY = because("same_passport", "same_identity_no", "same_person_said", "imported_twice", "other")
ASK = [TRAINEE, GUARDIAN, COORDINATOR, REGISTRAR]

# fmt: off
TRAINEE_RECORD = Lifecycle[Any]("trainee", [
    #    action                from       to       who                                        only if       leaves behind
    Rule("register",           [NEW],     "known", [COORDINATOR, REGISTRAR, ADMIN],             [],           "trainee.registered",
         takes=REGISTERED, checks=[minor_has_guardian, passport_is_theirs, unit_known]),
    Rule("edit",               ["known"], "known", [COORDINATOR, REGISTRAR, TRAINEE, GUARDIAN], [],         "trainee.edited",
         takes=EDITED, checks=[identity_kept_by_staff, minor_has_guardian, passport_follows, passport_is_theirs, unit_known]),
    Rule("confirm_availability", ["known"], "known", [TRAINEE, COORDINATOR],                    [],           "trainee.availability_confirmed",
         takes=AVAILABLE),
    Rule("end_availability",   ["known"], "known", [TRAINEE, COORDINATOR, SYSTEM],            [is_available], "trainee.availability_ended"),
    Rule("ask_erasure",        ["known"], "known", ASK,                             [erasure_not_asked_yet],    "trainee.erasure_asked",
         takes=[ERASURE_WHY]),
    Rule("decline_erasure",    ["known"], "known", [ADMIN],                                 [erasure_asked],    "trainee.erasure_declined",
         takes=[DECLINED_WHY]),
    Rule("erase",              ["known"], "erased", [ADMIN],
         [erasure_asked, erased_by_another, not_joined, nothing_live, nothing_owed, accounts_ended, nothing_kept_by_law],        "trainee.erased",
         takes=[SET_ASIDE], checks=[unread_law_set_aside]),
    Rule("export",             ["known"], "known", [TRAINEE, GUARDIAN, REGISTRAR, ADMIN],     [],             "trainee.exported",
         takes=[Takes("purpose", Annotated[str, "line"], "What staff take it for; the person can read it.", needed=False)],
         checks=[purpose_stated]),
    Rule("join",               ["known"], "joined", [COORDINATOR, REGISTRAR, ADMIN], [not_joined, nothing_live],     "trainee.joined",
         takes=[Takes("survivor_id", UUID, "The record that goes on."), JOINED_WHY], checks=[another_record], shared=True),
    Rule("separate",           ["joined"], "known", [COORDINATOR, REGISTRAR, ADMIN], [not_used_since],               "trainee.separated",
         takes=[because("mistake", "other")], shared=True),
    Rule("void",               ["known"], VOIDED,  [COORDINATOR, REGISTRAR, ADMIN],             [nothing_stands_on_it], "trainee.voided"),
    # The import by which they came in mid-way was taken back, with all that stood on the record.
    Rule("take_back",          ["known"], VOIDED,  [SYSTEM],                                    [],         "trainee.voided", undo=False),
], correctable=False)
# fmt: on
