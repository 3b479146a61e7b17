"""Programmes: what an institution educates for, in stages at home and abroad, with curricula in versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from service.domain import regulations
from service.domain.actors import ADMIN, COORDINATOR, REGISTRAR
from service.domain.certificates import CERTIFICATE_KINDS
from service.domain.levels import ISCED_LEAST, ISCED_MOST, Proof, proofs_known
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes

PROGRAMME_KINDS = ("x_plus_x", "degree", "vocational", "language", "short_course", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One part of a programme, at home or abroad: how long it is, and what it asks for before the next one.

    `languages` are tests, one of which is proven before the stage is left.
    """

    no: int
    place: Literal["home", "abroad"]
    years: Decimal
    title: Annotated[str, "line"]
    credits_required: Decimal
    languages: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CurriculumCourse:
    """One course of a curriculum: in which stage, and whether everybody takes it."""

    course_id: UUID
    stage: int
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeDossier(Dossier):
    """All that the rules of a programme may know; `courses` are those of the catalogue that are published."""

    stages: int = 0
    courses: frozenset[UUID] = frozenset()
    intakes: int = 0
    running_intakes: int = 0
    last_curriculum: int = 0
    last_regulation: int = 0


def no_running_intake(p: ProgrammeDossier) -> Reason | None:
    """A programme is retired when its last intake is over."""
    return Reason("no_running_intake", required=0, actual=p.running_intakes) if p.running_intakes else None


def no_intake(p: ProgrammeDossier) -> Reason | None:
    """With intakes on it, that a programme is active cannot be taken back."""
    return Reason("no_intake", required=0, actual=p.intakes) if p.intakes else None


def stages_in_order(_: Dossier, given: Given) -> Reason | None:
    """Stages are numbered from 1 without a gap."""
    stages: Sequence[Stage] | None = given.get("stages")
    if stages is None:
        return None
    numbers = [s.no for s in stages]
    wanted = list(range(1, len(stages) + 1))
    return Reason("stages_in_order", required=wanted, actual=numbers, pointer="/stages") if numbers != wanted else None


def stages_in_bounds(_: Dossier, given: Given) -> Reason | None:
    """A stage lasts some time, and asks for no fewer than no credits."""
    stages: Sequence[Stage] = given.get("stages") or ()
    wrong = [s.no for s in stages if s.years <= 0 or s.credits_required < 0]
    return Reason("stages_in_bounds", actual=wrong, pointer="/stages") if wrong else None


def stage_proofs_known(p: Dossier, given: Given) -> list[Reason]:
    """The tests that a stage asks for are known, and their levels are theirs."""
    stages: Sequence[Stage] = given.get("stages") or ()
    return [
        replace(reason, pointer=f"/stages/{n}{reason.pointer}")
        for n, stage in enumerate(stages)
        for reason in proofs_known(p, {"languages": stage.languages})
    ]


def field_known(_: Dossier, given: Given) -> Reason | None:
    """A field of education is two to four digits (ISCED-F 2013: broad, narrow, detailed)."""
    written = given.get("field")
    if written is None or (written.isascii() and written.isdecimal() and 2 <= len(written) <= 4):  # noqa: PLR2004
        return None
    return Reason("field_known", pointer="/field")


def curriculum_fits(p: ProgrammeDossier, given: Given) -> list[Reason]:
    """A curriculum names courses of the catalogue, each once, in stages that the programme has."""
    courses: Sequence[CurriculumCourse] = given["courses"]
    found = [
        Reason("course_known", pointer=f"/courses/{n}/course_id")
        for n, c in enumerate(courses)
        if c.course_id not in p.courses
    ]
    found += [
        Reason("stage_known", required=list(range(1, p.stages + 1)), actual=c.stage, pointer=f"/courses/{n}/stage")
        for n, c in enumerate(courses)
        if not 1 <= c.stage <= p.stages
    ]
    if len({c.course_id for c in courses}) < len(courses):
        found.append(Reason("courses_distinct", pointer="/courses"))
    return found


def caps_of_kinds(_: Dossier, given: Given) -> Reason | None:
    """Each kind of course has one cap, which is not below nothing."""
    caps: Sequence[regulations.CategoryCap] = given.get("credits_per_kind") or ()
    if len({c.kind for c in caps}) < len(caps) or any(c.credits < 0 for c in caps):
        return Reason("caps_of_kinds", pointer="/credits_per_kind")
    return None


def _described(*, needed: bool) -> tuple[Takes[Any], ...]:
    return (
        Takes("code", Annotated[str, "line"], "Its code in the institution.", needed=needed),
        Takes("title_native", Annotated[str, "line"], "Its title in its own script.", needed=needed),
        Takes("title_latin", Annotated[str, "line"], "Its title in Latin script.", needed=needed),
        Takes(
            "kind", str, "What sort of programme.", needed=needed, choices=PROGRAMME_KINDS, code="programme_kind_known"
        ),
        Takes("level", int, "The level it leads to (ISCED 2011).", needed=needed, least=ISCED_LEAST, most=ISCED_MOST),
        Takes("field", Annotated[str, "line"], "The field of education (ISCED-F 2013, digits).", needed=needed),
        Takes("stages", tuple[Stage, ...], "Its stages in order; one for a programme in one piece.", needed=needed),
        Takes("languages", tuple[Proof, ...], "Tests of language, one of which completion asks for.", needed=False),
        Takes(
            "certificates",
            tuple[str, ...],
            "Kinds of certificate that completion asks for, each.",
            needed=False,
            choices=CERTIFICATE_KINDS,
            code="certificate_kind_known",
        ),
    )


CHECKS = [stages_in_order, stages_in_bounds, stage_proofs_known, field_known, proofs_known]
COURSES: Takes[Any] = Takes("courses", tuple[CurriculumCourse, ...], "The courses, by stage.")
KEEPERS = [COORDINATOR, REGISTRAR]

# fmt: off
PROGRAMME = Lifecycle[Any]("programme", [
    #    action     from         to          who            only if              leaves behind
    Rule("draft",   [NEW],       "draft",    [COORDINATOR], [],                  "programme.drafted",
         takes=_described(needed=True), checks=CHECKS),
    Rule("edit",    ["draft"],   "draft",    [COORDINATOR], [],                  "programme.edited",
         takes=_described(needed=False), checks=CHECKS, undo=False),
    Rule("approve", ["draft"],   "approved", [ADMIN],       [],                  "programme.approved"),
    Rule("activate", ["approved"], "active", [COORDINATOR], [],                  "programme.activated", undo=[no_intake]),
    Rule("retire",  ["active"],  "retired",  [COORDINATOR], [no_running_intake], "programme.retired"),
    # A curriculum is replaced by a newer one and never taken back: people may study by it already.
    # So is a regulation: what was decided by it stays decided.
    *[Rule("set_regulation", [state], state, KEEPERS,       [],                  "programme.regulation_set",
           takes=regulations.TAKEN, checks=[caps_of_kinds], undo=False) for state in ("draft", "approved", "active")],
    *[Rule("set_curriculum", [state], state, KEEPERS,       [],                  "programme.curriculum_set",
           takes=[COURSES], checks=[curriculum_fits], undo=False) for state in ("draft", "approved", "active")],
])
# fmt: on
