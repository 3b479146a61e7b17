"""A person's way through the stages of a programme: what each asks for, what there is of it, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from service.domain.levels import Days, Held, Proof, named, proven

NONE = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCourse:
    """One course of the curriculum, and what the person has of it.

    `by_result` are credits of our own verified results, `by_ledger` those that were recognised.
    """

    course_id: UUID
    code: str
    stage: int
    required: bool
    credits: Decimal
    by_result: Decimal = NONE
    by_ledger: Decimal = NONE
    waived: bool = False

    @property
    def standing(self) -> Literal["earned", "recognised", "waived", "open"]:
        """How it is settled: the same learning counts once, by whichever brings more."""
        if self.by_ledger > self.by_result:
            return "recognised"
        if self.by_result:
            return "earned"
        return "waived" if self.waived else "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageAsked:
    """What a stage asks for before the next one, and the credits of it that were waived."""

    no: int
    place: str
    title: str
    credits: Decimal
    languages: tuple[Proof, ...] = ()
    waived: Decimal = NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStanding:
    """One stage as it stands: `required` = what is there + `missing`, unless more is there than is asked for."""

    no: int
    place: str
    title: str
    standing: Literal["behind", "present", "ahead"]
    required: Decimal
    earned: Decimal
    recognised: Decimal
    waived: Decimal
    missing: Decimal
    languages: tuple[str, ...]
    language_missing: bool
    courses: tuple[StageCourse, ...]
    courses_missing: tuple[UUID, ...]

    @property
    def fulfilled(self) -> bool:
        """Whether nothing of it stands between the person and what follows."""
        return not (self.missing or self.courses_missing or self.language_missing)


def standing(
    asked: Sequence[StageAsked], courses: Sequence[StageCourse], held: Sequence[Held], present: int, days: date | Days
) -> list[StageStanding]:
    """Every stage in order, for somebody who is in the stage `present`."""
    found = []
    for a in asked:
        theirs = tuple(c for c in courses if c.stage == a.no)
        earned = sum((c.by_result for c in theirs if c.standing == "earned"), NONE)
        recognised = sum((c.by_ledger for c in theirs if c.standing == "recognised"), NONE)
        found.append(
            StageStanding(
                no=a.no,
                place=a.place,
                title=a.title,
                standing="behind" if a.no < present else "present" if a.no == present else "ahead",
                required=a.credits,
                earned=earned,
                recognised=recognised,
                waived=a.waived,
                missing=max(a.credits - earned - recognised - a.waived, NONE),
                languages=tuple(named(a.languages)),
                language_missing=not proven(held, a.languages, days),
                courses=theirs,
                courses_missing=tuple(c.course_id for c in theirs if c.required and c.standing == "open"),
            )
        )
    return found
