"""What the colleges teach: courses, programmes with their curricula, and each year's intakes by an approved plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from service.actions import courses, intakes, programmes
from service.domain.actors import ADMIN, REGISTRAR
from service.domain.intakes import ANY_SOURCE, Quota
from service.domain.programmes import CurriculumCourse, Stage
from service.sample.cast import Trainee, order_programme
from service.sample.desk import Desk
from service.sample.founding import Outside
from service.sample.organisations import COURSES, PROGRAMMES, SampleCollege, SampleCourse, SampleProgramme
from service.sample.year import Cohort, Year

FIELD = {"mechatronics": "0714", "nursing_care": "0913", "welding": "0715", "hospitality": "1013"}
"""The fields of education of the trades (ISCED-F 2013)."""
ORDERS = {
    "jp": ("赴日特定技能订单班", "Order class: skilled work in Japan"),
    "de": ("赴德专业人才订单班", "Order class: skilled work in Germany"),
    "home": ("海外中资企业本土人才订单班", "Order class: Chinese-funded enterprises at home"),
}
SLACK = 3
"""Places of a source that nobody was given."""


@dataclass(slots=True)
class Teaching:
    """The ids of what a college teaches: courses and programmes by code, intakes by programme and cohort."""

    courses: dict[str, UUID] = field(default_factory=dict)
    programmes: dict[str, UUID] = field(default_factory=dict)
    intakes: dict[tuple[str, str], UUID] = field(default_factory=dict)


async def teach(desk: Desk, year: Year, college: SampleCollege, outside: Outside) -> Teaching:
    """The catalogue and the programmes."""
    made, own = Teaching(), [p for p in PROGRAMMES if p.college == college.code]
    trades = {p.trade for p in own}
    day = year.day("2025-07-14")
    given = [_course(c) for c in COURSES if c.trade in trades]
    for c, result in zip(given, await desk.born(day, courses.SUBJECT, "publish", given, who=REGISTRAR), strict=True):
        made.courses[c["code"]] = result.id
    await _partners_courses(desk, year, own, outside)
    await _programmes(desk, year, college, own, made)
    return made


def _course(c: SampleCourse) -> dict[str, Any]:
    return {
        "code": c.code,
        "title_native": c.title_native,
        "title_latin": c.title_english,
        "credits": Decimal(c.credits),
        "hours": c.hours,
        "kind": "placement" if c.is_placement else "theory",
    }


async def _partners_courses(desk: Desk, year: Year, own: Sequence[SampleProgramme], outside: Outside) -> None:
    """What the partners teach in the stages abroad, in their own catalogues."""
    given = [
        _course(c) | {"owner_id": outside.ids[p.partner], "code": f"{p.partner}/{c.code}"}
        for p in own
        for c in COURSES
        if c.trade == p.trade and c.stage == 2  # noqa: PLR2004 - the stage abroad
    ]
    await desk.born(year.day("2025-07-15"), courses.SUBJECT, "publish", given, who=REGISTRAR)


# ---- programmes
def _years(months: int) -> Decimal:
    return Decimal(months) / 12


def _x_plus_x(p: SampleProgramme) -> dict[str, Any]:
    asked = {
        stage: sum((Decimal(c.credits) for c in COURSES if (c.trade, c.stage) == (p.trade, stage)), Decimal(0))
        for stage in (1, 2)
    }
    stages = (
        Stage(no=1, place="home", years=_years(p.home_months), title="在校阶段", credits_required=asked[1]),
        Stage(no=2, place="abroad", years=_years(p.abroad_months), title="境外阶段", credits_required=asked[2]),
    )
    return {
        "code": p.code,
        "title_native": p.title_native,
        "title_latin": p.title_english,
        "kind": "x_plus_x",
        "level": 5,
        "field": FIELD[p.trade],
        "stages": stages,
    }


def _order(college: str, way: str) -> dict[str, Any]:
    native, latin = ORDERS[way]
    stage = Stage(no=1, place="home", years=Decimal("0.5"), title="强化阶段", credits_required=Decimal(0))
    return {
        "code": order_programme(college, way),
        "title_native": native,
        "title_latin": latin,
        "kind": "short_course",
        "level": 4,
        "field": "0231",
        "stages": (stage,),
    }


async def _programmes(
    desk: Desk, year: Year, college: SampleCollege, own: Sequence[SampleProgramme], made: Teaching
) -> None:
    given = [_x_plus_x(p) for p in own] + [_order(college.code, way) for way in ORDERS]
    drafted = await desk.born(year.day("2025-07-16"), programmes.SUBJECT, "draft", given)
    made.programmes = {g["code"]: r.id for g, r in zip(given, drafted, strict=True)}
    for p in own:
        listed = tuple(
            CurriculumCourse(course_id=made.courses[c.code], stage=c.stage) for c in COURSES if c.trade == p.trade
        )
        await desk.one(
            year.day("2025-07-18"), programmes.SUBJECT, "set_curriculum", made.programmes[p.code], courses=listed
        )
    every = list(made.programmes.values())
    await desk.act(year.day("2025-07-22"), programmes.SUBJECT, "approve", every, who=ADMIN)
    await desk.act(year.day("2025-07-25"), programmes.SUBJECT, "activate", every)


# ---- intakes
SELECTED = {"withdrawn", "ineligible", "declined", "draft", "submitted", "under_review", "documents_required"} | {
    "eligible", "waitlisted", "registered",
}  # fmt: skip


def is_selected(t: Trainee) -> bool:
    """Whether somebody was given a place; some of these never took it up."""
    return bool(t.path.stage == "in_training" or t.path.how not in SELECTED or t.path.way)


def plan_of(people: Iterable[Trainee]) -> dict[str, int]:
    """Places by source: a source of its own for whoever many come from, and one for everybody else."""
    by_source = Counter(t.origin for t in people if is_selected(t))
    own = {source: n + SLACK for source, n in sorted(by_source.items()) if n >= SLACK}
    return own | {ANY_SOURCE: sum(n for source, n in by_source.items() if source not in own) + SLACK}


def planned(people: Iterable[Trainee]) -> tuple[Quota, ...]:
    """The same as a plan names it: provinces, and * for whoever else."""
    kinds: dict[str, Any] = {ANY_SOURCE: "any"}
    return tuple(Quota(source=s, places=n, kind=kinds.get(s, "province")) for s, n in plan_of(people).items())


async def plan_intakes(desk: Desk, cohort: Cohort, people: Sequence[Trainee], made: Teaching) -> None:
    """The intakes of a cohort, each with the plan that an authority approved."""
    day = cohort.registered_on
    applying: dict[str, list[Trainee]] = {}
    for t in people:
        applying.setdefault(t.programme, []).append(t)
    days: dict[str, Any] = {"opens_on": cohort.opens_on, "closes_on": cohort.closes_on, "starts_on": cohort.starts_on}
    for programme, theirs in sorted(applying.items()):
        drafted = await desk.act(
            day, intakes.SUBJECT, "draft", [made.programmes[programme]], code=f"{programme} {cohort.name}",
            level_least=3, quotas=planned(theirs), **days,
        )  # fmt: skip
        made.intakes[programme, cohort.name] = drafted[0].id
    approval: dict[str, Any] = {
        "plan_authority": "省教育厅",
        "plan_number": f"教招〔{cohort.name}〕",
        "plan_version": "1",
    }
    await desk.act(day, intakes.SUBJECT, "publish", _of(cohort, made), **approval)


def _of(cohort: Cohort, made: Teaching) -> list[UUID]:
    return [i for (_, name), i in made.intakes.items() if name == cohort.name]


async def open_intakes(desk: Desk, cohort: Cohort, made: Teaching) -> None:
    """The first day on which one can apply."""
    await desk.act(cohort.opens_on, intakes.SUBJECT, "open", _of(cohort, made))


async def close_intakes(desk: Desk, cohort: Cohort, made: Teaching) -> None:
    """The last day is over."""
    await desk.act(cohort.decided_on, intakes.SUBJECT, "close", _of(cohort, made))


async def complete_intakes(desk: Desk, cohort: Cohort, made: Teaching) -> None:
    """Everybody knows where they stand."""
    await desk.act(cohort.starts_on, intakes.SUBJECT, "complete", _of(cohort, made))


def courses_of(programme: str, made: Teaching, stage: int) -> Mapping[SampleCourse, UUID]:
    """The courses of a programme's stage, with their ids."""
    trade = next(p.trade for p in PROGRAMMES if p.code == programme)
    return {c: made.courses[c.code] for c in COURSES if c.trade == trade and c.stage == stage}
