"""What people learnt before: results with their transcripts, and recognition cases from the opening to the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from service.actions import reading, recognition, results
from service.actions.work import Call, Wanted
from service.domain.actors import COORDINATOR, REGISTRAR, SYSTEM, TRAINEE
from service.domain.recognition import ItemDecision, WantedItem
from service.sample.cast import Trainee
from service.sample.desk import Desk
from service.sample.organisations import PARTNERS, SampleCourse
from service.sample.teaching import Teaching, courses_of
from service.storage.recognition import VIEW

COURSES_BROUGHT = 3
GRADES = ("A", "B+", "B", "88", "3.5", "C+")
PARTLY = 3
"""Every third case has an item that is recognised in part only."""
REASONS = "所学学时不足，缺少实训部分。The hours fall short: the practical part is missing."
GROUNDS = "实训证明已补交。A certificate of the practical part was handed in."
ASSESSED = ("assessing", "evidence_requested", "decided", "notified", "appealed", "recognised")
DECIDED = ("decided", "notified", "appealed", "recognised")
TOLD = ("notified", "appealed", "recognised")


def brings_results(t: Trainee) -> bool:
    """Whether the path leads through a recognition case."""
    return t.path.stage == "credit_recognition" or t.path.how == "recognised"


async def recognise(desk: Desk, starts_on: date, made: Teaching, people: Sequence[Trainee]) -> None:
    """The cases of a cohort, in the weeks after its first day."""
    theirs = [t for t in people if brings_results(t)]
    if not theirs:
        return
    brought = await _results(desk, starts_on + timedelta(days=14), made, theirs)
    wanted = [
        Wanted(
            t.id,
            given={
                "kind": "transcript" if n % 4 else "prior_learning",
                "items": tuple(WantedItem(result_id=r, target_course_id=target) for r, target in brought[n]),
            },
        )
        for n, t in enumerate(theirs)
    ]
    day = starts_on + timedelta(days=35)
    targets = sorted({target for pairs in brought for _, target in pairs})
    opened = await desk.act(day, recognition.SUBJECT, "open", wanted, who=REGISTRAR, extra={"course_ids": targets})
    for t, result in zip(theirs, opened, strict=True):
        t.case = result.id
    await _go_on(desk, day, theirs)
    desk.telling.made("recognition", len(theirs))


def _owner(t: Trainee, n: int) -> str:
    near = [p.code for p in PARTNERS if p.country == t.person.nationality]
    return (near or [p.code for p in PARTNERS])[n % len(near or PARTNERS)]


def _brought(t: Trainee, n: int, made: Teaching) -> list[tuple[SampleCourse, UUID]]:
    known = list(courses_of(t.programme, made, 1).items())
    return [known[(n + k) % len(known)] for k in range(COURSES_BROUGHT)]


async def _results(desk: Desk, day: date, made: Teaching, people: Sequence[Trainee]) -> list[list[tuple[UUID, UUID]]]:
    """What each brought, with the course at home that it is to count as."""
    wanted: list[Wanted] = []
    targets: list[UUID] = []
    for n, t in enumerate(people):
        for k, (course, target) in enumerate(_brought(t, n, made)):
            wanted.append(Wanted(t.id, given=_result(_owner(t, n), course, day, n + k)))
            targets.append(target)
    recorded = await desk.act(day, results.SUBJECT, "record", wanted, who=REGISTRAR)
    ids = [r.id for r in recorded]
    await desk.act(day + timedelta(days=6), results.SUBJECT, "verify", ids, evidence=(desk.papers["transcripts"],))
    pairs = list(zip(ids, targets, strict=True))
    return [pairs[n : n + COURSES_BROUGHT] for n in range(0, len(pairs), COURSES_BROUGHT)]


def _result(owner: str, course: SampleCourse, day: date, n: int) -> dict[str, Any]:
    return {
        "source": "partner",
        "owner": next(p.name_latin for p in PARTNERS if p.code == owner),
        "course_code": f"{owner}-{course.code}",
        "course_title": course.title_english,
        "credits": Decimal(course.credits),
        "scheme": "own@1",
        "grade": GRADES[n % len(GRADES)],
        "passed": True,
        "achieved_on": day - timedelta(days=200 + n % 60),
    }


async def _go_on(desk: Desk, day: date, people: Sequence[Trainee]) -> None:
    """Each case as far as its path says."""
    act = recognition.SUBJECT
    await desk.act(day + timedelta(days=4), act, "take_on", _cases(people, *ASSESSED), who=REGISTRAR)
    await desk.act(
        day + timedelta(days=11), act, "ask_evidence", _cases(people, "evidence_requested"), who=REGISTRAR,
        missing=("transcript",), evidence_until=day + timedelta(days=70),
    )  # fmt: skip
    items = await _items(desk, people)
    decided = [t for t in people if t.path.how in DECIDED]
    wanted = [Wanted(t.case, given={"decisions": _decisions(t, items[t.case], n)}) for n, t in enumerate(decided)]
    await desk.act(day + timedelta(days=21), act, "decide", wanted, who=REGISTRAR)
    await desk.act(day + timedelta(days=24), act, "notify", _cases(people, *TOLD))
    await desk.act(
        day + timedelta(days=31), act, "appeal", _cases(people, "appealed"),
        grounds=GROUNDS, **desk.recorded_for(TRAINEE),
    )  # fmt: skip
    partly = [t.case for n, t in enumerate(decided) if t.path.how == "recognised" and n % PARTLY == 0]
    await desk.act(day + timedelta(days=56), act, "finalise", partly, who=SYSTEM)


def _cases(people: Iterable[Trainee], *hows: str) -> list[UUID]:
    return [t.case for t in people if t.path.how in hows]


async def _items(desk: Desk, people: Sequence[Trainee]) -> dict[UUID, list[dict[str, Any]]]:
    """The items of every case, as a registrar reads them."""
    call = Call(desk.institution, "sample_cases", trusted=desk.actor(COORDINATOR))
    page = await reading.page(
        desk.services, call, VIEW, "recognition_cases.read", filters={}, limit=len(people) * 2 + 500
    )
    return {row["id"]: row["items"] for row in page.items}


def _decisions(t: Trainee, items: Sequence[dict[str, Any]], n: int) -> tuple[ItemDecision, ...]:
    """Most is recognised whole; what will be told and appealed against is not."""
    partly = t.path.how in ("notified", "appealed") or n % PARTLY == 0
    first, *others = [UUID(str(i["id"])) for i in items]
    whole = tuple(ItemDecision(item_id=i, outcome="recognised") for i in others)
    if not partly:
        return (ItemDecision(item_id=first, outcome="recognised"), *whole)
    less = ItemDecision(
        item_id=first, outcome="partially_recognised", credits_awarded=Decimal("1.0"),
        difference_codes=("workload",), reason_text=REASONS,
    )  # fmt: skip
    return (less, *whole)
