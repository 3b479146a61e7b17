"""Intakes over HTTP: the plan, the clock, and what ends when an intake does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from service.actions.intakes import TIMERS
from service.actions.timers import ring
from service.domain.actors import COORDINATOR, INSTRUCTOR, TRAINEE
from tests.api.studying import Studies, day, person, plain
from tests.conftest import World

APPROVAL = {"plan_authority": "省教育厅", "plan_number": "12", "plan_version": "1"}


def quotas(**places: int) -> dict[str, Any]:
    return {"quotas": [{"source": s, "places": n} for s, n in places.items()]}


async def test_intake_is_published_with_its_plans_approval(world: World) -> None:
    s = await Studies.begin(world)
    path = await s.planned_intake({}, nationalities=["CN"], languages=[{"test": "jlpt", "level": "N5"}], age_least=17)
    assert await s.c.refused(path, "publish", APPROVAL) == ["places_planned"]
    await s.c.done(path, "set_quotas", quotas(云南=2, 四川=1))
    edited = await s.c.patch(path, {"code": "2026-X", "age_most": 30}, version=2)
    assert edited.status_code == 200, edited.text
    missing = await s.c.post(path + "/publish", {}, version=3)
    assert missing.status_code == 422
    await s.c.done(path, "publish", APPROVAL)
    read = (await s.c.get(path)).json()
    wanted = {"state", "code", "nationalities", "languages", "age_least", "age_most", "quotas", *APPROVAL}
    assert {k: read[k] for k in wanted} == APPROVAL | {
        "state": "published", "code": "2026-X", "nationalities": ["CN"], "age_least": 17, "age_most": 30,
        "languages": [{"test": "jlpt", "level": "N5"}],
        "quotas": [{"source": "云南", "places": 2, "taken": 0}, {"source": "四川", "places": 1, "taken": 0}],
    }  # fmt: skip
    instructor = await world.client(INSTRUCTOR)
    assert await instructor.refused(path, "open", status=403) == ["role"]
    assert (await s.c.done(path, "correct", {"note": "the wrong approval"}))["state"] == "draft"
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(path)).status_code == 404
    trainee = await world.client(TRAINEE, person_ids=[await person(s.c, papers=False)])
    assert [i["id"] for i in (await trainee.get("/v1/intakes")).json()["items"]] == [plain(s.intake)]


async def test_intake_opens_and_closes_by_the_clock(world: World) -> None:
    s = await Studies.begin(world)
    opening, closing = TIMERS
    path = await s.planned_intake({"*": 1}, opens_on=day(2), closes_on=day(3))
    await s.c.done(path, "publish", APPROVAL)
    now = datetime.now(UTC)
    rung: list[tuple[int, str]] = []
    for timer, days in ((opening, 1), (opening, 2), (opening, 2), (closing, 3), (closing, 4), (closing, 5)):
        count = await ring(world.services, timer, world.institution, at=now + timedelta(days=days))
        rung.append((count, (await s.c.get(path)).json()["state"]))
    assert rung == [(0, "published"), (1, "open"), (0, "open"), (0, "open"), (1, "closed"), (0, "closed")]
    assert (await s.c.get(s.intake)).json()["state"] == "open"


async def test_intake_opened_and_closed_early_says_so(world: World) -> None:
    s = await Studies.begin(world)
    path = await s.open_intake({"*": 1}, opens_on=day(2), closes_on=day(3))
    assert (await s.c.get(path)).json()["opens_on"] == day(0)
    await s.c.done(path, "reschedule", {"closes_on": day(9), "starts_on": day(50)})
    assert await s.c.refused(path, "reschedule", {"closes_on": day(51)}) == ["dates_in_order"]
    await s.c.done(path, "close")
    read = (await s.c.get(path)).json()
    assert (read["closes_on"], read["starts_on"]) == (day(0), day(50))
    assert (await s.c.done(path, "correct", {"note": "not yet"}))["state"] == "open"


async def test_intake_cancelled_ends_what_hangs_on_it(world: World) -> None:
    s = await Studies.begin(world)
    pending, other = await s.enrolment(), await s.application(until="submitted")
    waiting = await s.application()
    await s.c.done(waiting, "waitlist")
    assert (await s.c.done(s.intake, "cancel", {"reason_code": "low_demand"}))["state"] == "cancelled"
    for path in (other, waiting):
        read = (await s.c.get(path)).json()
        assert (read["state"], read["reason_code"]) == ("not_selected", "intake_cancelled")
    enrolment = (await s.c.get(pending)).json()
    assert {k: enrolment[k] for k in ("state", "holds_place", "reason_code")} == {
        "state": "cancelled", "holds_place": False, "reason_code": "intake_cancelled",
    }  # fmt: skip
    assert await s.taken() == 0
    person_id = enrolment["person_id"]
    assert (await s.c.get(f"/v1/trainees/{person_id}")).json()["stage"] == "inactive"
    acts = [
        (await s.c.get(p + "/events")).json()["items"][-1]["action_id"] for p in (pending, other, waiting, s.intake)
    ]
    assert len(set(acts)) == 1
    assert await s.c.refused(s.intake, "correct", {"note": "-"}) == ["nobody_closed_out"]
    assert await s.c.refused(other, "correct", {"note": "-"}) == ["correctable"]


async def test_intake_cancelled_before_anybody_applied_comes_back(world: World) -> None:
    s = await Studies.begin(world)
    await s.c.done(s.intake, "cancel", {"reason_code": "low_demand"})
    assert (await s.c.done(s.intake, "correct", {"note": "the wrong one"}))["state"] == "open"
    await s.application(until="draft")
    assert await s.c.refused(s.intake, "correct", {"note": "-"}) == ["no_application"]


async def test_intake_completes_when_every_application_is_decided(world: World) -> None:
    s = await Studies.begin(world)
    enrolment, draft, waiting, undecided = (
        await s.enrolment(), await s.application(until="draft"), await s.application(), await s.application(),
    )  # fmt: skip
    await s.c.done(waiting, "waitlist")
    await s.c.done(s.intake, "close")
    assert await s.c.refused(s.intake, "complete") == ["every_application_decided"]
    await s.c.done(undecided, "decline", {"reason_code": "rank_too_low"})
    await s.c.done(s.intake, "complete")
    states = [(await s.c.get(p)).json()["state"] for p in (enrolment, draft, waiting, undecided)]
    assert states == ["pending", "not_selected", "not_selected", "not_selected"]
    assert await s.c.refused(undecided, "correct", {"note": "-"}) == ["intake_not_over"]
    assert await s.c.refused(s.intake, "cancel", {"reason_code": "other"}) == ["not_from_this_state"]


async def test_intake_keeps_as_many_places_as_are_taken(world: World) -> None:
    s = await Studies.begin(world)
    await s.enrolment()
    assert await s.c.refused(s.intake, "set_quotas", {"quotas": [{"source": "*", "places": 0}]}) == ["places_in_bounds"]
    await s.c.done(s.intake, "set_quotas", {"quotas": [{"source": "*", "places": 1}, {"source": "TH", "places": 4}]})
    assert (await s.c.get(s.intake)).json()["quotas"] == [
        {"source": "*", "places": 1, "taken": 1}, {"source": "TH", "places": 4, "taken": 0},
    ]  # fmt: skip
