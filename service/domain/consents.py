"""Consents: what a person allows whom to see or do, given by them or a minor's guardian, and withdrawn as easily."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from service.domain.actors import COORDINATOR, GUARDIAN, TRAINEE
from service.domain.lifecycle import NEW, Dossier, Lifecycle, Reason, Rule
from service.domain.values import age_on

PURPOSES = ("enrolment", "nomination", "transfer_abroad", "credential_check", "statistics", "other")
ADULT = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDossier(Dossier):
    """All that the rules of a consent may know."""

    birth_on: date
    by_guardian: bool = False


def guardian_speaks_for_minor(c: ConsentDossier) -> Reason | None:
    """For a person under 18 the guardian decides."""
    if age_on(c.birth_on, c.today) < ADULT and not c.by_guardian:
        return Reason("guardian_speaks_for_minor", required=ADULT, actual=age_on(c.birth_on, c.today))
    return None


# fmt: off
CONSENT = Lifecycle[ConsentDossier]("consent", [
    #    action     from           to           who                   only if                      leaves behind
    Rule("request", [NEW],         "requested", [COORDINATOR],        [],                          "consent.requested"),
    Rule("give",    ["requested"], "given",     [TRAINEE, GUARDIAN],  [guardian_speaks_for_minor], "consent.given"),
    Rule("refuse",  ["requested"], "refused",   [TRAINEE, GUARDIAN],  [],                          "consent.refused"),
    Rule("withdraw", ["given"],    "withdrawn", [TRAINEE, GUARDIAN],  [],                          "consent.withdrawn", undo=False),
])
# fmt: on
