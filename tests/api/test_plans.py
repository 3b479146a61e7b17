"""Plans over HTTP: one and many, kept up by every step; and what needs attention."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from service.domain.actors import ADMIN, COORDINATOR, ENTERPRISE, INSTRUCTOR, READER, TRAINEE
from service.storage.placements import VIEW
from service.storage.test_days import MOST, TEST_DAYS
from service.storage.views import UnknownFilter
from tests.api.test_sittings import register, sitting
from tests.api.test_training import day, person
from tests.conftest import TODAY, ZONE, Client, World
from tests.jobs import Jobs
from tests.placed import DAY, Stage


def plain(path: str) -> UUID:
    return UUID(path.rsplit("/", 1)[1])


async def plan(client: Client, path: str) -> dict[str, Any]:
    answer = await client.get(path + "/plan")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def attention(client: Client, **query: Any) -> list[tuple[str, str]]:
    found: list[dict[str, Any]] = []
    following: str | None = None
    while True:
        page = await client.get("/v1/attention", limit=2, **query, **({"after": following} if following else {}))
        assert page.status_code == 200, page.text
        found += page.json()["items"]
        following = page.json()["next"]
        if following is None:
            return [(i["attention"], i["subject_id"]) for i in found]


async def test_plan_is_kept_up_by_every_step_and_its_correction(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    flight = house.today + 300 * DAY

    async def days() -> tuple[date | None, date | None]:
        row = await house.row("SELECT critical_on, late_on FROM placements WHERE id = $1", plain(path))
        return row["critical_on"], row["late_on"]

    await c.done(path, "reschedule", {"planned_departure_on": str(flight), "starts_on": str(flight + 9 * DAY),
                                      "ends_on": str(flight + 700 * DAY)})  # fmt: skip
    first = await plan(c, path)
    assert (first["aim"], first["aim_on"], first["critical"], first["evidence"]) == (
        "departed", str(flight), False, "unverified",
    )  # fmt: skip
    assert [s["action"] for s in first["steps"]] == [
        "collect_documents", "apply_authorisation", "apply_visa", "prepare_departure", "clear", "depart",
    ]  # fmt: skip
    assert (await days()) == tuple(date.fromisoformat(first[n]) for n in ("critical_on", "late_on"))
    assert "risk_notice" in [p["key"] for p in first["papers"]]
    await house.hand_in(path, "collect_documents")
    await c.done(path, "collect_documents", {"agency_contract": "service"})
    second, before = await plan(c, path), await days()
    assert [s["stage"] for s in second["steps"]] == ["authorisation", "visa", "pre_departure", "ready", "departed"]
    assert before == tuple(date.fromisoformat(second[n]) for n in ("critical_on", "late_on"))
    await c.done(path, "reschedule", {"planned_departure_on": str(house.today + 60 * DAY)})
    near = await plan(c, path)
    assert (near["critical"], near["late"], near["steps"][0]["critical"]) == (True, False, True)
    await c.done(path, "correct", {"note": "The old flight holds."})
    assert (await days(), (await plan(c, path))["critical"]) == (before, False)
    await c.done(path, "correct", {"note": "Not signed."})
    assert (await days()) == tuple(date.fromisoformat(first[n]) for n in ("critical_on", "late_on"))
    # The employer sees the plan, and no paper of the person's own.
    enterprise, trainee = await house.party(ENTERPRISE, path), await house.party(TRAINEE, path)
    whole = {p["subject"] for p in (await plan(trainee, path))["papers"]}
    assert {p["subject"] for p in (await plan(enterprise, path))["papers"]} == whole - {"person"}
    await c.done(path, "cancel", {"reason_code": "force_majeure"})
    assert (await days(), (await plan(c, path))["aim"]) == ((None, None), None)


async def test_plans_of_many_are_narrowed(house: Stage) -> None:
    c = house.coordinator
    japan, germany = await house.placement(), await house.placement("de_18a", "CN", "DE")
    far = {"planned_departure_on": str(house.today + 300 * DAY), "starts_on": str(house.today + 310 * DAY),
           "ends_on": str(house.today + 900 * DAY)}  # fmt: skip
    await c.done(japan, "reschedule", far)
    await c.done(germany, "reschedule", {"planned_departure_on": str(house.today + 30 * DAY)})

    async def found(**query: Any) -> list[str]:
        answer = await c.get("/v1/plans", **query)
        assert answer.status_code == 200, answer.text
        return [i["id"] for i in answer.json()["items"]]

    ids = [str(plain(p)) for p in (japan, germany)]
    assert await found() == sorted(ids)
    assert (await found(destination="JP"), await found(destination="KH")) == ([ids[0]], [])
    assert (await found(critical="true"), await found(critical="false")) == ([ids[1]], [ids[0]])
    assert await found(departs_until=str(house.today + 40 * DAY)) == [ids[1]]
    me = (await c.get("/v1/me")).json()["account_id"]
    person = (await house.of(japan))["person_id"]
    await c.ok("/v1/assignments", {"person_id": person, "coordinator_id": me})
    assert await found(mine="true") == [ids[0]]
    first = (await c.get("/v1/plans", limit=1)).json()
    assert [i["id"] for i in (await c.get("/v1/plans", limit=1, after=first["next"])).json()["items"]] == [max(ids)]
    assert (await c.get("/v1/plans", intake_id=str(plain(japan)))).json()["items"] == []


async def test_attention_shows_flights_duties_and_papers_in_danger(house: Stage) -> None:
    c = house.coordinator
    path = await house.placement()  # contracted 60 days ago, to leave in 30: more than the least durations take
    item = str(plain(path))
    await c.done(path, "reschedule", {"planned_departure_on": str(house.today + 30 * DAY)})
    assert await attention(c) == [("flight_late", item)]
    near = {"planned_departure_on": str(house.today + 95 * DAY), "starts_on": str(house.today + 99 * DAY),
            "ends_on": str(house.today + 900 * DAY)}  # fmt: skip
    await c.done(path, "reschedule", near)
    assert await attention(c) == [("flight_critical", item)]
    await c.done(path, "reschedule", {"planned_departure_on": str(house.today + 400 * DAY),
                                      "starts_on": str(house.today + 410 * DAY)})  # fmt: skip
    assert await attention(c) == []
    await house.hand_in(path, "collect_documents")
    await c.done(path, "collect_documents", {"agency_contract": "service"})
    duty = await house.row("SELECT id FROM obligations")
    await house.sql("UPDATE obligations SET due_on = $1", house.today - 2 * DAY)
    paper = await house.row("SELECT id FROM requirement_items WHERE key = 'risk_notice'")
    await house.sql("UPDATE requirement_items SET valid_until = $2 WHERE id = $1", paper["id"], house.today + 9 * DAY)
    found = await attention(c)
    assert found == [("obligation_overdue", str(duty["id"])), ("evidence_expiring", str(paper["id"]))]
    assert await attention(c, attention="evidence_expiring") == found[1:]
    assert await attention(c, due_until=str(house.today)) == found[:1]
    assert await attention(c, mine="true") == []
    labels = {i["label"] for i in (await c.get("/v1/attention")).json()["items"]}
    assert labels == {
        "File the contracts and the list of names",
        "A paper runs out before it is needed for the last time",
    }
    admin = await house.world.client(ADMIN, institution=await house.world.other())
    assert await attention(admin) == []
    for role in (INSTRUCTOR, READER):
        assert (await (await house.world.client(role)).get("/v1/attention")).status_code == 403
    assert (await c.get("/v1/attention", attention="weather")).status_code == 422


async def test_plans_look_at_sittings_that_still_take_people(world: World) -> None:
    c = await world.client(COORDINATOR)
    later = await sitting(c, held_on=day(60), register_until=day(0))
    soon = await sitting(c, level="N4")
    full = await sitting(c, places=1)
    await register(c, full, await person(c))
    called_off = await sitting(c)
    await c.done(f"/v1/sittings/{called_off}", "cancel", {"reason_code": "force_majeure"})
    at = datetime.combine(TODAY, time(12), ZoneInfo(ZONE))

    async def found(moment: datetime) -> list[tuple[str, str | None]]:
        async with world.services.database.connection() as con:
            clock = moment.isoformat()
            days = await TEST_DAYS.all(con, institution=world.institution, at=clock, limit=MOST)
        return [(str(d.id), d.level) for d in days]

    assert await found(at) == [(soon, "N4"), (later, "N3")]
    assert await found(at + DAY) == [(soon, "N4")]
    assert await found(at + 11 * DAY) == []


async def test_candidacy_has_a_plan_to_the_day_of_its_request(world: World) -> None:
    """Kept up by every step and its correction, and in danger before anybody is under contract."""
    jobs = await Jobs.of(world)
    c = jobs.coordinator
    far, near = [await jobs.open(starts_on=str(TODAY + n * DAY), ends_on=str(TODAY + 900 * DAY)) for n in (300, 40)]
    who = await jobs.people(2)
    (calm,), (pressed,) = [await jobs.identified(r, [p]) for r, p in zip((far, near), who, strict=True)]
    path = f"/v1/candidacies/{calm}"
    first = await plan(c, path)
    assert (first["id"], first["aim"], first["aim_on"], first["critical"]) == (
        calm, "active", str(TODAY + 300 * DAY), False,
    )  # fmt: skip
    assert [s["action"] for s in first["steps"]] == [
        "nominate", "choose", "offer", "accept", "collect_documents", "start_work",
    ]  # fmt: skip

    async def kept(candidacy: str) -> list[str | None]:
        async with (
            world.services.database.connection() as con,
            world.services.database.transaction(con, world.institution),
        ):
            found = await con.fetch("SELECT critical_on, late_on FROM candidacies WHERE id = $1", UUID(candidacy))
        return [str(day) if day else None for day in found[0]]

    assert await kept(calm) == [first["critical_on"], first["late_on"]]
    assert [i["id"] for i in (await c.get("/v1/candidacies", critical="true")).json()["items"]] == [pressed]
    assert await attention(c) == [("flight_critical", pressed)]
    await c.done(path, "ask_consent")
    trainee = await jobs.trainee(who[0])
    await trainee.done(path, "nominate")
    second = await plan(trainee, path)
    assert second["steps"][0]["stage"] == "selected"
    assert second["critical_on"] > first["critical_on"]
    assert await kept(calm) == [second["critical_on"], second["late_on"]]
    assert {p["subject"] for p in (await plan(jobs.clerk, path))["papers"]}.isdisjoint({"person"})
    await c.done(path, "correct", {"note": "Not yet."})
    assert await kept(calm) == [first["critical_on"], first["late_on"]]
    await c.done(f"/v1/candidacies/{pressed}", "withdraw_by_school", {"reason_code": "health"})
    assert (await kept(pressed), await attention(c)) == ([None, None], [])
    assert (await plan(c, f"/v1/candidacies/{pressed}"))["steps"] == []
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert (await stranger.get(path + "/plan")).status_code == 404


async def test_views_refuse_a_filter_that_they_do_not_have() -> None:
    """When it is named, and when a service loads what names it."""
    with pytest.raises(UnknownFilter):
        VIEW.keeps("state", "stat")
    with pytest.raises(UnknownFilter):
        VIEW.page(None, ["destinatoin"], None, after=False)
    assert VIEW.keeps("id", "state") == ("id", "state")
