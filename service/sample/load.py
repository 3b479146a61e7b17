"""The sample world goes into an empty service: two colleges and a year of trainees, every move made by the actions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from service.actions import institutions
from service.actions.work import Services
from service.domain.accounts import GRANTABLE
from service.domain.actors import Role
from service.sample import admitting, leaving, placing, recognising, training
from service.sample.cast import Trainee, cast, of_college
from service.sample.desk import Desk, Progress, Telling
from service.sample.files import write_files
from service.sample.founding import Outside, address, appoint_parties, appoint_people, deal_with, fall_out, found
from service.sample.needs import Request
from service.sample.organisations import COLLEGES
from service.sample.overseeing import oversee
from service.sample.teaching import Teaching, is_selected, open_intakes, plan_intakes, teach
from service.sample.training import IN_CLASS
from service.sample.year import Cohort, Wave, Year, cohorts, waves

PASSWORD = "sojourn sample password"  # noqa: S105 - printed at every start, for data that are nobody's
SEED = 20260901


@dataclass(frozen=True, slots=True)
class SampleAccount:
    """Somebody of the sample world who may sign in."""

    role: str
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class SampleWorld:
    """What to show of a sample world: who may sign in, and what a coordinator may look at first."""

    institution: UUID
    name: str
    password: str
    accounts: tuple[SampleAccount, ...]
    calls: tuple[str, ...]


TESTS = {"order-autumn": ("2025-12-07", "2026-01-26"), "order-spring": ("2026-07-05", "2026-08-20")}
"""When a cohort's tests were held, and when their results came."""
CALLS = (
    "/v1/trainees?stage=preparing_departure&limit=3",
    "/v1/placements?state=visa&include=actions&limit=1",
    "/v1/placement-requests?state=open&limit=3",
)


async def load(
    services: Services, *, progress: Progress, trainees: int, seed: int = SEED, files: Path | None = None
) -> SampleWorld:
    """Make the sample world in an empty service; every move of it is made by the actions, none is inserted.

    The same seed makes the same people with the same histories. `files` is a folder for files to try imports with.

    Raises:
        ValueError: there are fewer trainees than stages of a journey.
        Unplanned: the rules refused something that the year takes for granted.
    """
    year, telling, outside = Year.until(datetime.now(UTC).date()), Telling(progress), Outside()
    everybody = cast(year, seed, trainees)
    telling.expect("colleges", len(COLLEGES))
    telling.expect("relationships", 51 * len(COLLEGES))
    for what, who in {
        "trainees": lambda _: True,
        "applications": lambda t: admitting.how_far(t) > 0,
        "enrolments": is_selected,
        "training": training.attends,
        "recognition": recognising.brings_results,
        "candidates": lambda t: bool(t.path.wave),
        "placements": placing.is_accepted,
    }.items():
        telling.expect(what, sum(1 for t in everybody if who(t)))
    desks = [await found(services, year, telling, n) for n in range(len(COLLEGES))]
    await deal_with(desks, year, outside)
    await asyncio.gather(*[_live(desk, year, outside, list(of_college(everybody, desk.number))) for desk in desks])
    if files is not None:
        members = [t for t in everybody if t.path.how == "language"][:IN_CLASS]
        telling.expect("files", 1)
        await asyncio.to_thread(
            write_files, files, seed, members, [year.last - timedelta(days=n) for n in (4, 3, 2, 1)]
        )
        telling.made("files", 1)
    return await _world(services, desks)


async def _live(desk: Desk, year: Year, outside: Outside, people: Sequence[Trainee]) -> None:
    """A college's year: stories side by side, of whose acts the earliest always comes next."""
    await appoint_parties(desk, year, outside)
    made = await teach(desk, year, COLLEGES[desk.number], outside)
    stories = [fall_out(desk, year), leaving.end(desk, year, people), oversee(desk, year, people)]
    for cohort in cohorts(year).values():
        theirs = [t for t in people if t.path.cohort == cohort.name]
        stories += [_study(desk, year, cohort, outside, made, theirs)] if theirs else []
    for wave in waves(year).values():
        requests = placing.requests_of(wave, people)
        stories += [_place(desk, outside, wave, requests)] if requests else []
    await desk.clock.tell(stories)
    await appoint_people(desk, year, _who_sign_in(year, people))


def _who_sign_in(year: Year, people: Sequence[Trainee]) -> dict[Role, UUID]:
    """A trainee with a history, and somebody who has a guardian: a minor still, if there is one."""
    told = [t for t in people if t.path.stage in ("abroad", "employed", "in_training")]
    in_care = sorted((t for t in people if t.person.guardian), key=lambda t: not t.minor_on(year.last))
    found = {Role.TRAINEE: told, Role.GUARDIAN: in_care}
    return {role: some[0].id for role, some in found.items() if some}


async def _study(
    desk: Desk, year: Year, cohort: Cohort, outside: Outside, made: Teaching, people: Sequence[Trainee]
) -> None:
    """A cohort's applications and enrolments; from then on classes, recognition and exits each go their way."""
    await plan_intakes(desk, cohort, people, made)
    await admitting.register(desk, cohort, people)
    await open_intakes(desk, cohort, made)
    await admitting.apply(desk, cohort, people, made)
    await admitting.enrol(desk, year, cohort, people, made)
    desk.clock.begin(admitting.leave(desk, year, cohort, people))
    desk.clock.begin(recognising.recognise(desk, cohort.starts_on, made, people))
    await training.train(desk, year, cohort, outside, people)
    if cohort.name.startswith("order"):
        await _finish(desk, year, cohort, people)


async def _place(desk: Desk, outside: Outside, wave: Wave, requests: Sequence[Request]) -> None:
    """A round of requests; whoever goes abroad and whoever is hired at home then go their own ways."""
    await placing.ask_for_people(desk, outside, wave, requests)
    await placing.find_people(desk, wave, requests)
    for home in (True, False):
        desk.clock.begin(leaving.lead(desk, wave, [r for r in requests if (r.way == "home") is home]))


async def _finish(desk: Desk, year: Year, cohort: Cohort, people: Sequence[Trainee]) -> None:
    """After a programme to order: the end of the enrolment, tests, and the wish to work."""
    await admitting.graduate(desk, cohort.class_until + timedelta(days=7), people)
    taken, issued = map(year.day, TESTS[cohort.name])
    await training.certify(desk, taken, issued, people)
    await training.offer_themselves(desk, issued + timedelta(days=3), people)


async def _world(services: Services, desks: Sequence[Desk]) -> SampleWorld:
    accounts = [
        SampleAccount(role.value, address(role.value, college), f"{role.value.capitalize()}, {college.name_latin}")
        for desk, college in zip(desks, COLLEGES, strict=True)
        for role in GRANTABLE
        if role.value in desk.accounts
    ]
    await asyncio.gather(*[institutions.set_password(services, a.email, PASSWORD) for a in accounts])
    return SampleWorld(desks[0].institution, COLLEGES[0].name_latin, PASSWORD, tuple(accounts), CALLS)
