"""Results: what somebody achieved in a course or at work, recorded by one and verified against its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import COORDINATOR, GUARDIAN, INSTRUCTOR, REGISTRAR, TRAINEE
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes

SOURCES = ("home", "partner")
"""Where it was achieved: at the institution itself, or at whoever else taught or employed the person."""
MOST_CREDITS = Decimal(999)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultDossier(Dossier):
    """All that the rules of a result may know."""

    claimed_percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResult(Dossier):
    """What is known when a result is recorded: whether what it names is there."""

    owner_known: bool = False
    course_known: bool = False


def nothing_claims_it(r: ResultDossier) -> Reason | None:
    """A result that a recognition case uses stands as it is."""
    return Reason("nothing_claims_it", required="0", actual=str(r.claimed_percent)) if r.claimed_percent else None


def owner_named(r: NewResult, given: Given) -> list[Reason]:
    """A result from elsewhere says whose course it was, and an organisation that is named is known."""
    found = []
    if given["source"] == "partner" and not (given.get("owner") or given.get("owner_id")):
        found.append(Reason("owner_named", required=["owner", "owner_id"], pointer="/owner"))
    if given.get("owner_id") and not r.owner_known:
        found.append(Reason("organisation_known", pointer="/owner_id"))
    return found


def course_known(r: NewResult, given: Given) -> Reason | None:
    """A course that is named stands in the catalogue."""
    return Reason("course_known", pointer="/course_id") if given.get("course_id") and not r.course_known else None


RECORDED: tuple[Takes[Any], ...] = (
    Takes("source", str, "Achieved at home or elsewhere.", choices=SOURCES),
    Takes("course_id", UUID, "The course, where the catalogue has it.", needed=False),
    Takes("course_code", Annotated[str, "line"], "The code that its owner gives the course.", needed=False),
    Takes("course_title", Annotated[str, "line"], "The course, or what was learnt, as its owner calls it."),
    Takes("owner", Annotated[str, "line"], "Who taught or assessed it, by name.", needed=False),
    Takes("owner_id", UUID, "The same as an organisation that is known.", needed=False),
    Takes("credits", Decimal, "Credits in the owner's scheme.", least=Decimal(0), most=MOST_CREDITS),
    Takes("scheme", Annotated[str, "line"], "The credit scheme with its version (ects, ucts@current)."),
    Takes("grade", Annotated[str, "line"], "The grade, as its owner writes it.", needed=False),
    Takes("passed", bool, "Whether it was passed, by its owner's own rule."),
    Takes("achieved_on", date, "The day of the result.", most=lambda r: r.today),
)

# fmt: off
RESULT = Lifecycle[Any]("result", [
    #    action    from          to          who                                                     only if  leaves behind
    Rule("record", [NEW],        "recorded", [COORDINATOR, REGISTRAR, INSTRUCTOR, TRAINEE, GUARDIAN], [],     "result.recorded",
         takes=RECORDED, checks=[owner_named, course_known], undo=[nothing_claims_it]),
    Rule("verify", ["recorded"], "verified", [REGISTRAR, COORDINATOR],                                [],     "result.verified",
         evidence=True, undo=[nothing_claims_it]),
])
# fmt: on
