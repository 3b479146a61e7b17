"""The course catalogue: what is taught at home or by a partner, each course in editions that are never overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import COORDINATOR, REGISTRAR
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes

COURSE_KINDS = ("theory", "practice", "placement")
CREDITS_MOST = Decimal(100)
HOURS_MOST = 5000
EDITIONS_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseDossier(Dossier):
    """All that the rules of a course may know: whether a curriculum stands on it."""

    in_curriculum: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCourse(Dossier):
    """What is known when a course is published: whether its owner is there, and the editions that are out."""

    owner_known: bool = False
    editions: tuple[int, ...] = ()


def not_in_curriculum(c: CourseDossier) -> Reason | None:
    """A course on which a curriculum stands is retired, not taken back."""
    return Reason("not_in_curriculum") if c.in_curriculum else None


def owner_known(c: NewCourse, given: Given) -> Reason | None:
    """A partner's course names an organisation that the institution deals with."""
    if given.get("owner_id") is not None and not c.owner_known:
        return Reason("organisation_known", pointer="/owner_id")
    return None


def edition_new(c: NewCourse, given: Given) -> Reason | None:
    """An edition that is out is never overwritten."""
    edition = given.get("edition")
    if edition in c.editions:
        return Reason("edition_new", required=max(c.editions) + 1, actual=edition, pointer="/edition")
    return None


PUBLISHED: tuple[Takes[Any], ...] = (
    Takes("owner_id", UUID, "The partner organisation that teaches it; none for a course of our own.", needed=False),
    Takes("code", Annotated[str, "line"], "Its code in the owner's catalogue."),
    Takes("edition", int, "Its edition; the next one where none is given.", needed=False, least=1, most=EDITIONS_MOST),
    Takes("title_native", Annotated[str, "line"], "Its title in its own script."),
    Takes("title_latin", Annotated[str, "line"], "Its title in Latin script."),
    Takes("credits", Decimal, "Credits in the owner's scheme.", least=Decimal(0), most=CREDITS_MOST),
    Takes("hours", int, "Hours of teaching or work in all.", needed=False, least=0, most=HOURS_MOST),
    Takes("kind", str, "How it is taught.", choices=COURSE_KINDS, code="course_kind_known"),
)

# fmt: off
COURSE = Lifecycle[Any]("course", [
    #    action    from           to           who                       only if  leaves behind
    Rule("publish", [NEW],        "published", [COORDINATOR, REGISTRAR], [],      "course.published",
         takes=PUBLISHED, checks=[owner_known, edition_new], undo=[not_in_curriculum]),
    Rule("retire", ["published"], "retired",   [COORDINATOR, REGISTRAR], [],      "course.retired"),
])
# fmt: on
