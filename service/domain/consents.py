"""Consents: what a person allows whom to see or do, given by them or a minor's guardian, and withdrawn as easily."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from service.domain.actors import COORDINATOR, GUARDIAN, SYSTEM, TRAINEE
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes
from service.domain.placement_requests import Standing
from service.domain.values import age_on

PURPOSES = ("enrolment", "nomination", "transfer_abroad", "credential_check", "statistics", "other")
TO_OTHERS = ("nomination", "transfer_abroad", "credential_check")
"""Purposes for which somebody else receives the data, who must be named (PIPL arts. 23 and 39)."""
FIELDS = (
    "name",
    "sex",
    "birth_on",
    "nationality",
    "origin",
    "photo",
    "contacts",
    "passport",
    "education",
    "languages",
    "skills",
    "work_history",
    "health",
    "family",
    "documents",
)
"""Kinds of personal data that a consent can name."""
NOTICE = ("recipient", "purpose", "categories", "rights")
"""What a notice tells a person before they decide (PIPL arts. 17, 23, 39)."""
ADULT = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDossier(Dossier):
    """All that the rules of a consent may know.

    `asked_by` are the roles of whoever asks, `standing` the candidacies that end with the consent.
    """

    birth_on: date
    asked_by: tuple[str, ...] = ()
    ends_on: date | None = None
    standing: tuple[Standing, ...] = ()

    @property
    def age(self) -> int:
        """How old the person is today."""
        return age_on(self.birth_on, self.today)

    @property
    def is_minor(self) -> bool:
        """Whether a guardian decides for them."""
        return self.age < ADULT


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsent(Dossier):
    """What is known when a consent is asked for: whether its recipient is somebody the institution deals with."""

    recipient_known: bool = False


def guardian_speaks_for_minor(c: ConsentDossier) -> Reason | None:
    """For a person under 18 the guardian decides."""
    if c.is_minor and TRAINEE in c.asked_by:
        return Reason("guardian_speaks_for_minor", required=ADULT, actual=c.age)
    return None


def adult_speaks_for_themselves(c: ConsentDossier) -> Reason | None:
    """From 18 on nobody decides in a person's place."""
    if not c.is_minor and GUARDIAN in c.asked_by:
        return Reason("adult_speaks_for_themselves", required=ADULT, actual=c.age)
    return None


def recorded_for_who_decides(c: ConsentDossier, given: Given) -> Reason | None:
    """A coordinator records the decision of whoever may decide: a minor's guardian, or the grown-up person."""
    named = given.get("recorded_for")
    if named == TRAINEE and c.is_minor:
        return Reason("guardian_speaks_for_minor", required=ADULT, actual=c.age, pointer="/recorded_for")
    if named == GUARDIAN and not c.is_minor:
        return Reason("adult_speaks_for_themselves", required=ADULT, actual=c.age, pointer="/recorded_for")
    return None


def recorded_for_who_may_object(c: ConsentDossier, given: Given) -> Reason | None:
    """A minor may refuse and withdraw too; a guardian may not for a grown-up person."""
    return None if given.get("recorded_for") == TRAINEE else recorded_for_who_decides(c, given)


def nobody_nominated_on_it(c: ConsentDossier) -> Reason | None:
    """A consent on which somebody was nominated is withdrawn, or the nomination is taken back first."""
    nominated = sum(s.state != "consent_pending" for s in c.standing)
    return Reason("no_live_candidacies", required=0, actual=nominated) if nominated else None


def recipient_known(c: NewConsent, given: Given) -> list[Reason]:
    """A recipient is named where others receive the data, and is an organisation that the institution deals with."""
    named = given.get("recipient_id")
    if named is None and given["purpose"] in TO_OTHERS:
        return [Reason("recipient_named", pointer="/recipient_id")]
    if named is not None and not c.recipient_known:
        return [Reason("organisation_known", pointer="/recipient_id")]
    return []


def notice_whole(_: NewConsent, given: Given) -> Reason | None:
    """The notice says who receives the data, what for, which of it, and what rights the person has."""
    notice: Mapping[str, Any] = given["notice"]
    lacking = [part for part in NOTICE if not str(notice.get(part) or "").strip()]
    return Reason("notice_whole", required=lacking, pointer="/notice") if lacking else None


REQUESTED: tuple[Takes[Any], ...] = (
    Takes("purpose", str, "What the consent is for.", choices=PURPOSES, code="purpose_known"),
    Takes(
        "fields",
        tuple[str, ...],
        "The kinds of personal data that it is about.",
        choices=FIELDS,
        code="consent_field_known",
    ),
    Takes("notice", dict, "What the person is told first: recipient, purpose, categories, rights."),
    Takes("recipient_id", UUID, "The organisation that receives the data.", needed=False),
    Takes("ends_on", date, "The last day on which it would hold.", needed=False, least=lambda c: c.today),
)
ENDS_ON: Takes[ConsentDossier] = Takes(
    "ends_on",
    date,
    "An earlier last day than was asked for.",
    needed=False,
    least=lambda c: c.today,
    most=lambda c: c.ends_on,
)

# fmt: off
_GIVE, _OBJECT = [guardian_speaks_for_minor, adult_speaks_for_themselves], [adult_speaks_for_themselves]
CONSENT = Lifecycle[Any]("consent", [
    #    action      from           to           who                          only if  leaves behind
    Rule("request",  [NEW],         "requested", [COORDINATOR, SYSTEM],       [],      "consent.requested",
         takes=REQUESTED, checks=[recipient_known, notice_whole]),
    Rule("give",     ["requested"], "given",     [TRAINEE, GUARDIAN, SYSTEM], _GIVE,   "consent.given",
         takes=[ENDS_ON], checks=[recorded_for_who_decides], undo=[nobody_nominated_on_it]),
    Rule("refuse",   ["requested"], "refused",   [TRAINEE, GUARDIAN, SYSTEM], _OBJECT, "consent.refused",
         checks=[recorded_for_who_may_object]),
    Rule("withdraw", ["given"],     "withdrawn", [TRAINEE, GUARDIAN, SYSTEM], _OBJECT, "consent.withdrawn",
         checks=[recorded_for_who_may_object], shared=True, undo=False),
])
# fmt: on
