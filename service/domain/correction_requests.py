"""Correction requests: what a person says is wrong in what is kept of them, answered by a day, with the act that did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from service.domain.actors import COORDINATOR, GUARDIAN, REGISTRAR, TRAINEE
from service.domain.lifecycle import NEW, NOTE, Dossier, Given, Lifecycle, Reason, Rule, Takes, because
from service.domain.requirements import Source, add_months

SUBJECTS = (
    "trainee",
    "document",
    "consent",
    "application",
    "enrolment",
    "membership",
    "certificate",
    "sitting_registration",
    "result",
    "recognition_case",
    "candidacy",
    "placement",
    "requirement_item",
    "cost",
)
"""What is kept of a person, by the names of its lifecycles."""
SEALED = ("passport", "identity_no", "guardian", "number")
"""Fields that are kept sealed: what is right in them is shown by a document, and never written into a request."""
PASSPORT = frozenset({"passport", "passport_country", "passport_expires_on"})
"""Fields that a passport brings: an edit names its lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRule:
    """By when a request is answered: so many days or months after it was made, in these countries.

    `extension_months` are those that may be added once; None where the law names none.
    """

    key: str
    countries: frozenset[str]
    count: int
    unit: Literal["days", "months"]
    extension_months: int | None
    source: Source

    def last_day(self, made_on: date) -> date:
        """The last day for an answer."""
        return add_months(made_on, self.count) if self.unit == "months" else made_on + timedelta(days=self.count)

    def last_extended(self, made_on: date) -> date | None:
        """The last day for an answer that takes longer; None where it may not."""
        return None if self.extension_months is None else add_months(self.last_day(made_on), self.extension_months)


def rule_of(country: str, rules: Sequence[AnswerRule]) -> AnswerRule:
    """The rule of the institution's country, or the one that names none.

    Raises:
        StopIteration: there is no rule for every other country.
    """
    return next((r for r in rules if country in r.countries), None) or next(r for r in rules if not r.countries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What an act did to the thing that is said to be wrong; `fields` are those that its event names."""

    action: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionDossier(Dossier):
    """All that the rules of a request may know; `acts` are what the act that was named did to the thing since then.

    `extended_until` is the last day that an answer may take by an extension; None where the law names none.
    """

    subject: str = ""
    field: str | None = None
    acts: tuple[Act, ...] = ()
    due_on: date | None = None
    extended_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCorrection(Dossier):
    """What is known when a request is made: whether the thing is the person's, its fields, and where they ask."""

    country: str = ""
    subject_known: bool = False
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)


def subject_known(n: NewCorrection, _: Given) -> Reason | None:
    """The thing that is said to be wrong is this person's own."""
    return None if n.subject_known else Reason("correction_subject_known", pointer="/subject_id")


def field_known(n: NewCorrection, given: Given) -> Reason | None:
    """The field that is named is one that such a thing has."""
    named, known = given.get("field"), n.fields.get(given["subject"], ())
    if named is None or named in known:
        return None
    return Reason("correction_field_known", required=sorted(known), pointer="/field")


def sealed_shown_by_document(_: NewCorrection, given: Given) -> Reason | None:
    """What is right in a sealed field is shown by a document, and not written here."""
    if given.get("field") in SEALED and given.get("right"):
        return Reason("sealed_shown_by_document", pointer="/right")
    return None


def extension_allowed(c: CorrectionDossier) -> Reason | None:
    """The law names an extension, it was not taken yet, and the person learns of it while the first time still runs."""
    if c.extended_until is None or c.due_on is None:
        return Reason("extension_by_law")
    if c.due_on >= c.extended_until:
        return Reason("not_extended_yet", required=c.due_on)
    return Reason("extended_in_time", required=c.due_on, actual=c.today) if c.today > c.due_on else None


def act_corrected_it(c: CorrectionDossier, _: Given) -> Reason | None:
    """The act that is named was done since the request was made, to what it is about, and to the field it names."""
    if not c.acts:
        return Reason("correcting_act_known", pointer="/action_id")
    wanted = "passport_mrz" if c.field in PASSPORT else c.field
    edits = [a for a in c.acts if a.action == "edit"]
    if c.subject != "trainee" or wanted is None or not edits or any(wanted in a.fields for a in edits):
        return None
    touched = sorted({f for a in edits for f in a.fields})
    return Reason("correcting_act_field", required=wanted, actual=touched, pointer="/action_id")


FILED: tuple[Takes[Any], ...] = (
    Takes("subject", str, "What is wrong: the kind of thing.", choices=SUBJECTS, code="correction_kind_known"),
    Takes("subject_id", UUID, "Which one; not needed for the person's own record.", needed=False),
    Takes("field", Annotated[str, "line"], "Which field of it, where it is one.", needed=False),
    Takes("wrong", str, "What is wrong, in the person's own words."),
    Takes("right", str, "What would be right.", needed=False),
)
ANSWER: Takes[Any] = replace(NOTE, needed=True, about="Why, in words that the person reads.")
LONGER = ("complex", "many_requests")
"""Why an answer takes longer (GDPR art. 12(3))."""
REFUSALS = ("correct_as_recorded", "evidence_missing", "history_stays", "kept_by_another_body", "duplicate", "other")
PEOPLE, KEEPERS = [TRAINEE, GUARDIAN], [COORDINATOR, REGISTRAR]
_CHECKS = [subject_known, field_known, sealed_shown_by_document]

# fmt: off
CORRECTION_REQUEST = Lifecycle[Any]("correction_request", [
    #    action      from                   to           who      only if  leaves behind
    Rule("file",     [NEW],                 "filed",     PEOPLE,  [],      "correction_request.filed",
         takes=FILED, checks=_CHECKS, undo=False),
    Rule("accept",   ["filed"],             "accepted",  KEEPERS, [],      "correction_request.accepted"),
    Rule("settle",   ["accepted"],          "corrected", KEEPERS, [],      "correction_request.settled",
         takes=[Takes("action_id", UUID, "The act that corrected it.")], checks=[act_corrected_it]),
    *[Rule("extend", [state],               state,       KEEPERS, [extension_allowed], "correction_request.extended",
           takes=[because(*LONGER), ANSWER], undo=False) for state in ("filed", "accepted")],
    Rule("refuse",   ["filed", "accepted"], "refused",   KEEPERS, [],      "correction_request.refused",
         takes=[because(*REFUSALS), ANSWER]),
    Rule("withdraw", ["filed", "accepted"], "withdrawn", PEOPLE,  [],      "correction_request.withdrawn", undo=False),
])
# fmt: on
