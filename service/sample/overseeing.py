"""What an office keeps in view beside each story: targets, whose people are whose, sittings of tests, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from service.actions import assignments, correction_requests, sittings, targets
from service.actions.work import Wanted
from service.domain.actors import REGISTRAR, TRAINEE
from service.sample.cast import Trainee
from service.sample.desk import Desk
from service.sample.year import Year

TARGETS = ({"JP": 400, "DE": 220, "CN": 260}, {"JP": 450, "DE": 260, "CN": 280})
"""How many each college means to bring where, in the story's year and in the next."""
IN_CARE = ("candidate", "contracted", "preparing_departure", "abroad")
PLACES = 120
"""Seats of a sitting."""
WRONG = (
    ("name_latin", "护照上的拼音与系统中的不一致。The Latin name differs from the one in the passport."),
    ("birth_on", "出生日期应以身份证为准。The date of birth is not that of the identity card."),
    ("name_native", "名字中的“濛”被写成“蒙”。One character of the name is wrong."),
)


async def oversee(desk: Desk, year: Year, people: Sequence[Trainee]) -> None:
    """An office's year, in the order of its days."""
    d = year.day
    await desk.clock.until(d("2026-01-09"))
    first = d("2026-06-01").year
    aims = [
        {"year": first + n, "destination": country, "number": number}
        for n, aim in enumerate(TARGETS)
        for country, number in aim.items()
    ]
    await desk.born(d("2026-01-09"), targets.SUBJECT, "set", aims)
    await _sat(desk, year, [t for t in people if (t.path.stage, t.path.cohort) == ("alumni", "order-autumn")])
    await _will_sit(desk, year, [t for t in people if t.path.how == "language"])
    await _care(desk, year, [t for t in people if t.path.stage in IN_CARE and t.path.wave])
    await _corrections(desk, year, [t for t in people if t.path.stage == "pool"])


async def _sitting(desk: Desk, year: Year, level: str, announced: str, until: str, held: str) -> UUID:
    given = {
        "test": "jlpt", "level": level, "place": "上海", "time_zone": "Asia/Shanghai", "places": PLACES,
        "register_until": year.day(until), "held_on": year.day(held),
    }  # fmt: skip
    made = await desk.act(year.day(announced), sittings.SITTINGS, "announce", [Wanted(desk.institution, given=given)])
    return made[0].id


async def _register(desk: Desk, year: Year, day: str, sitting: UUID, people: Sequence[Trainee]) -> list[UUID]:
    wanted = [t.id for t in people[:PLACES]]
    made = await desk.act(year.day(day), sittings.REGISTRATIONS, "register", wanted, sitting_id=sitting)
    return [r.id for r in made]


async def _sat(desk: Desk, year: Year, people: Sequence[Trainee]) -> None:
    """A test that was held in summer: most passed, some failed, some did not come."""
    sitting = await _sitting(desk, year, "N5", "2026-03-16", "2026-04-10", "2026-07-05")
    registered = await _register(desk, year, "2026-03-30", sitting, people)
    day = year.day("2026-08-24")
    wanted = [Wanted(each, given=_result(n)) for n, each in enumerate(registered)]
    await desk.act(day, sittings.REGISTRATIONS, "record_result", wanted, who=REGISTRAR, result_on=day)


def _result(n: int) -> dict[str, Any]:
    if n % 11 == 10:  # noqa: PLR2004 - every eleventh was absent
        return {"absent": True}
    knowledge, listening = (61 + n * 7 % 40, 30 + n * 5 % 25) if n % 4 else (29 + n % 8, 21 + n % 9)
    return {"section_scores": {"language_knowledge_reading": knowledge, "listening": listening}}


async def _will_sit(desk: Desk, year: Year, people: Sequence[Trainee]) -> None:
    """The next one, for which those who learn are registered."""
    sitting = await _sitting(desk, year, "N4", "2026-09-16", "2026-10-12", "2026-12-06")
    await _register(desk, year, "2026-09-28", sitting, people)


async def _care(desk: Desk, year: Year, people: Sequence[Trainee]) -> None:
    """Whoever is on the way is in somebody's care; a few were handed over, and one coordinator has a deputy."""
    day, own, other = year.day("2026-11-02"), desk.accounts["coordinator"], desk.accounts["deputy"]
    made = []
    for account, theirs in ((own, people[::2]), (other, people[1::2])):
        ids = [t.id for t in theirs]
        made.append(await desk.act(day, assignments.SUBJECT, "assign", ids, coordinator_id=account))
    over = [r.id for r in made[0][::9]]
    await desk.act(
        year.day("2026-11-06"), assignments.SUBJECT, "hand_over", over, coordinator_id=other, reason_code="workload"
    )
    stand_in: dict[str, Any] = {
        "deputy_id": own,
        "from_on": year.day("2026-11-16"),
        "until_on": year.last + timedelta(days=30),
    }
    await desk.act(year.day("2026-11-13"), assignments.SUBJECT, "deputise", [r.id for r in made[1]], **stand_in)


async def _corrections(desk: Desk, year: Year, people: Sequence[Trainee]) -> None:
    """What people say is wrong about them: one answer is out, the others are owed."""
    wanted = [
        Wanted(t.id, given={"subject": "trainee", "field": field, "wrong": said})
        for t, (field, said) in zip(people, WRONG, strict=False)
    ]
    about = {"subject": "trainee", "subject_id": None}
    filed = await desk.act(
        year.day("2026-11-16"), correction_requests.SUBJECT, "file", wanted, extra=about, **desk.recorded_for(TRAINEE)
    )
    await desk.act(
        year.day("2026-11-17"), correction_requests.SUBJECT, "refuse", [r.id for r in filed[1:2]],
        reason_code="correct_as_recorded", note="与身份证一致，未作更改。It is the date of the identity card.",
    )  # fmt: skip
