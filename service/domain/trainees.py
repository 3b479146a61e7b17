"""Trainees: the record of a person, its passport checked by ICAO 9303, the guardian of a minor, availability."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR, GUARDIAN, REGISTRAR, SYSTEM, TRAINEE
from service.domain.lifecycle import NEW, VOIDED, Dossier, Given, Lifecycle, Reason, Rule, Takes
from service.domain.values import Passport, age_on, country_of, read_mrz

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
    """All that the rules of a trainee's record may know."""

    birth_on: date
    nationality: str = ""
    has_passport: bool = False
    has_guardian: bool = False
    unit_known: bool = True
    available_until: date | None = None
    asked_by: tuple[str, ...] = ()
    stands_on_it: bool = False
    external_ids: tuple[tuple[str, str], ...] = ()


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


def unit_known(t: NewTrainee | TraineeDossier, given: Given) -> Reason | None:
    """The unit that was named is one of the institution."""
    return Reason("unit_known", pointer="/unit_id") if given.get("unit_id") and not t.unit_known else None


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
    Rule("void",               ["known"], VOIDED,  [COORDINATOR, REGISTRAR, ADMIN],             [nothing_stands_on_it], "trainee.voided"),
    # The import by which they came in mid-way was taken back, with all that stood on the record.
    Rule("take_back",          ["known"], VOIDED,  [SYSTEM],                                    [],         "trainee.voided", undo=False),
], correctable=False)
# fmt: on
