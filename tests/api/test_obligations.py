"""Obligations over HTTP: opened by steps and by the clock, once; done with evidence, let go, overdue by the clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from service.actions import reading
from service.actions.obligations import TIMERS, settle
from service.actions.timers import ring
from service.actions.work import Call
from service.domain.actors import ADMIN, AGENCY, COORDINATOR, ENTERPRISE, TRAINEE, Actor
from service.storage.obligations import VIEW
from tests.conftest import Client, World
from tests.placed import DAY, Stage

NOON = time(12, tzinfo=UTC)
CAUGHT_UP = ["address_registration", "embassy_report", "life_orientation"]
"""What follows once from a departure and an arrival that no step of ours told of."""


async def standing(stage: Stage, path: str) -> dict[str, dict[str, Any]]:
    """The obligations of a placement that are not voided, by rule and period."""
    found = await stage.coordinator.get("/v1/obligations", placement_id=path.rsplit("/", 1)[1], limit=200)
    assert found.status_code == 200, found.text
    rows = [r for r in found.json()["items"] if r["state"] != "voided"]
    named = {r["rule"] + (f" {r['period']}" if r["period"] else ""): r for r in rows}
    assert len(named) == len(rows)
    return named


async def there(stage: Stage, **columns: Any) -> str:
    """A placement that is at work abroad already, whatever it took to get there."""
    path = await stage.placement()
    values = {"state": "active", "arrived_on": stage.today, "departed_on": stage.today} | columns
    named = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, 2))
    await stage.sql(f"UPDATE placements SET {named} WHERE id = $1", UUID(path.rsplit("/", 1)[1]), *values.values())
    return path


async def clock(stage: Stage, on: date) -> list[int]:
    """What every timer does at noon of a day, as often as a worker would ring them."""
    at, did = datetime.combine(on, NOON), [0, 0, 0]
    while True:
        rung = [await ring(stage.world.services, timer, stage.world.institution, at) for timer in TIMERS]
        did = [a + b for a, b in zip(did, rung, strict=True)]
        if not (any(rung) or await settle(stage.world.services, stage.world.institution, at)):
            return did


async def overdue_at(stage: Stage, path: str, at: datetime) -> list[str]:
    call = Call(stage.world.institution, "test", trusted=Actor(uuid4(), frozenset({COORDINATOR})), at=at)
    found = await reading.page(
        stage.world.services, call, VIEW, "obligations.read",
        filters={"subject_id": UUID(path.rsplit("/", 1)[1]), "overdue": True, "rule": "permit_renewal"}, limit=200,
    )  # fmt: skip
    return sorted(r["rule"] for r in found.items)


async def of(client: Client, **query: Any) -> list[str]:
    return sorted(r["rule"] for r in (await client.get("/v1/obligations", limit=200, **query)).json()["items"])


async def test_obligation_is_opened_by_its_step_and_voided_with_it(house: Stage) -> None:
    path, c = await house.placement(), house.coordinator
    await house.to_ready(path)
    found = await standing(house, path)
    assert list(found) == ["contract_filing"]
    filing = found["contract_filing"]
    assert (filing["title"], filing["owed_by"], filing["overdue"]) == (
        "File the contracts and the list of names", ["agency"], False,
    )  # fmt: skip
    assert filing["source"]["evidence"] == "official"
    assert house.today + 11 * DAY < date.fromisoformat(filing["due_on"]) <= house.today + 24 * DAY
    shown = await house.shown(path)
    await c.done(path, "depart", {"recorded_for": "agency", "evidence": shown})
    await c.done(path, "arrive", {"evidence": shown})
    found = await standing(house, path)
    assert sorted(found) == ["address_registration", "contract_filing", "embassy_report", "life_orientation"]
    assert found["address_registration"]["due_on"] == str(house.today + 14 * DAY)
    assert (found["embassy_report"]["due_on"], found["embassy_report"]["zone"]) == (None, "Asia/Tokyo")
    # The event and what it opened are one act of the person's record.
    events = (await c.get(f"/v1/trainees/{(await house.of(path))['person_id']}/timeline", limit=200)).json()["items"]
    arrived = next(e["action_id"] for e in events if e["type"] == "placement.arrive")
    assert sorted(e["type"] for e in events if e["action_id"] == arrived) == [
        "obligation.opened", "obligation.opened", "placement.arrive",
    ]  # fmt: skip
    # One is done, one is not: the correction voids the other, and the step opens it anew, once.
    done = f"/v1/obligations/{found['life_orientation']['id']}"
    said = {"recorded_for": "enterprise", "evidence": shown}
    assert (await c.done(done, "fulfil", said))["state"] == "done"
    await c.done(path, "correct", {"note": "She is still in Shanghai."})
    assert sorted(await standing(house, path)) == ["contract_filing", "embassy_report", "life_orientation"]
    await c.done(path, "arrive", {"evidence": shown})
    again = await standing(house, path)
    assert sorted(again) == ["address_registration", "contract_filing", "embassy_report", "life_orientation"]
    assert (again["life_orientation"]["state"], again["life_orientation"]["documents"]) == ("done", shown)
    assert (await c.done(done, "correct", {"note": "Another person's list."}))["state"] == "pending"
    assert (await c.get(done)).json()["documents"] == []
    # Whose is whose.
    trainee, enterprise, agency = [await house.party(r, path) for r in (TRAINEE, ENTERPRISE, AGENCY)]
    assert await of(trainee) == ["address_registration", "address_registration"]
    assert await of(enterprise) == ["life_orientation"]
    assert await of(agency) == ["contract_filing", "embassy_report"]
    own = f"/v1/obligations/{again['address_registration']['id']}"
    assert (await enterprise.get(own)).status_code == 404
    assert await trainee.refused(own, "fulfil") == ["evidence_required"]
    assert (await trainee.done(own, "fulfil", {"evidence": shown}))["state"] == "done"
    assert await c.refused(own, "contest", {"note": "-"}) == ["recorded_for_somebody"]


async def test_obligation_is_overdue_when_its_day_is_over_where_it_is_owed(house: Stage) -> None:
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "Asia/Tokyo"):
        await house.sql("UPDATE organisations SET time_zone = $2 WHERE id = $1", house.employer, zone)
        path = await there(house, authorisation_until_on=house.today + 120 * DAY)
        assert (await clock(house, house.today + DAY))[0] == 2 + len(CAUGHT_UP)
        renewal = (await standing(house, path))["permit_renewal " + str(house.today + 120 * DAY)]
        assert (renewal["zone"], renewal["due_on"]) == (zone, str(house.today + 90 * DAY))
        midnight = datetime.combine(house.today + 91 * DAY, time(0), ZoneInfo(zone))
        moments = (midnight - DAY, midnight - timedelta(seconds=1), midnight, midnight + DAY)
        assert [await overdue_at(house, path, m) for m in moments] == [[], [], ["permit_renewal"], ["permit_renewal"]]


async def test_clock_opens_each_thing_once_after_any_absence(house: Stage) -> None:
    """Rung each day, or once after 40 days and after a year, by one worker or by two at once."""
    start = house.today - 364 * DAY
    columns = {"arrived_on": start, "started_on": start, "visa_until_on": house.today + 61 * DAY}
    path = await there(house, **columns)
    await clock(house, house.today)
    first = await standing(house, path)
    assert sorted(n for n in first if n not in CAUGHT_UP) == [
        "wellbeing_check 1", "wellbeing_check 2", "wellbeing_check 3", "wellbeing_check 4", "wellbeing_check 5",
        "yearly_report 1",
    ]  # fmt: skip
    assert await clock(house, house.today) == [0, 0, 0]
    at = datetime.combine(house.today + 40 * DAY, NOON)
    rung = [ring(house.world.services, TIMERS[0], house.world.institution, at) for _ in range(2)]
    assert sum(await asyncio.gather(*rung)) == 2
    later = await standing(house, path)
    assert sorted(later.keys() - first.keys()) == ["visa_renewal " + str(house.today + 61 * DAY), "yearly_report 2"]
    # A transfer may pin another version of the pack: what stands by the old one is not owed twice.
    await house.sql("UPDATE obligations SET pin = 'jp-ssw1@0' WHERE rule = 'yearly_report'")
    for on in range(41, 44):
        assert await clock(house, house.today + on * DAY) == [0, 0, 0]
    await clock(house, house.today + 900 * DAY)
    whole = await standing(house, path)
    assert sorted(n for n in whole if n.startswith("yearly")) == [f"yearly_report {n}" for n in (1, 2, 3, 4)]
    assert sum(n.startswith("wellbeing") for n in whole) == (364 + 900) // 90 + 1


async def test_clock_catches_up_what_no_step_told_exactly_once(house: Stage) -> None:
    """A placement whose contracts were signed before there were obligations, and one that came in at work abroad."""
    signed, adopted = await house.placement(), await there(house)
    await house.to_ready(signed)
    told = (await standing(house, signed))["contract_filing"]
    await house.sql("DELETE FROM obligations")
    await house.sql("UPDATE placements SET arrived_on = $1 WHERE state = 'active'", house.today - 9 * DAY)
    await house.sql("UPDATE placements SET looked_by = ''")
    at = datetime.combine(house.today, NOON)
    rung = [ring(house.world.services, TIMERS[0], house.world.institution, at) for _ in range(2)]
    assert sum(await asyncio.gather(*rung)) == 1 + len(CAUGHT_UP) + 1
    assert await clock(house, house.today) == [0, 0, 0]
    (caught,) = (await standing(house, signed)).values()
    named = ("rule", "pin", "event", "period", "event_on", "due_on", "zone", "owed_by", "organisation_id")
    assert [caught[n] for n in named] == [told[n] for n in named]
    found = await standing(house, adopted)
    assert sorted(found) == [*CAUGHT_UP, "wellbeing_check 1"]
    assert found["address_registration"]["due_on"] == str(house.today + 5 * DAY)


ENDS = (date(2028, 2, 29), date(2028, 4, 30), date(2028, 12, 31))
"""A leap day, the end of a month of thirty days, the end of a year."""


async def opens_once(stage: Stage, rule: str, zone: str, end: date) -> None:
    """Nothing in the last second before its day, once on its day by two workers at once, and not on the day after."""
    opens = datetime.combine(end - 60 * DAY, time(0), ZoneInfo(zone))

    async def opened(at: datetime) -> int:
        def rung() -> Any:
            return ring(stage.world.services, TIMERS[0], stage.world.institution, at)

        found: int = sum(await asyncio.gather(rung(), rung()))
        settling = [settle(stage.world.services, stage.world.institution, at) for _ in range(2)]
        assert await asyncio.gather(*settling) == [False, False]
        return found

    moments = (opens - timedelta(seconds=1), opens, opens + DAY, opens + 59 * DAY)
    assert [await opened(m) for m in moments] == [0, 1, 0, 0], (rule, zone, end)
    rows = (await stage.coordinator.get("/v1/obligations", rule=rule, state="pending")).json()["items"]
    assert [(r["period"], r["due_on"], r["zone"]) for r in rows] == [(str(end), str(end), zone)]
    midnight = datetime.combine(end + DAY, time(0), ZoneInfo(zone))
    call = Call(stage.world.institution, "test", trusted=Actor(uuid4(), frozenset({COORDINATOR})))
    for at, overdue in ((midnight - timedelta(seconds=1), 0), (midnight, 1)):
        page = await reading.page(
            stage.world.services, replace(call, at=at), VIEW, "obligations.read", filters={"rule": rule, "overdue": True},
            limit=9,
        )  # fmt: skip
        assert len(page.items) == overdue, (rule, zone, end)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
async def test_renewals_open_on_their_day_where_the_institution_is(house: Stage, zone: str) -> None:
    await house.sql("UPDATE institutions SET time_zone = $1", zone)
    await house.sql("UPDATE relationships SET valid_until = NULL")
    tie = (await house.coordinator.get("/v1/relationships", role="agency")).json()["items"][0]["id"]
    path = await there(house, pins=["de-18a@1"], arrived_on=None)
    placed = UUID(path.rsplit("/", 1)[1])
    person = UUID((await house.of(path))["person_id"])
    await house.sql("UPDATE placements SET departed_on = NULL WHERE id = $1", placed)
    await house.sql("UPDATE trainees SET passport_expires_on = NULL")
    for n, end in enumerate(ENDS):
        await house.sql("UPDATE relationships SET state = 'verified', valid_until = $1 WHERE id = $2", end, UUID(tie))
        await opens_once(house, "relationship_renewal", zone, end)
        await house.sql("UPDATE relationships SET valid_until = NULL")
        await house.put(
            "requirement_items",
            **house._item(
                "accepted", stream_id=person, subject_kind="placement", subject_id=placed, person_id=person,
                key=("accident_insurance", "health_insurance")[n % 2], valid_until=end, documents="{}", value={},
            ),
        )  # fmt: skip
        await opens_once(house, "insurance_renewal", zone, end)
        await house.sql("UPDATE requirement_items SET state = 'voided'")
        await clock(house, end)


async def test_renewals_are_opened_once_after_weeks_away(house: Stage) -> None:
    """The worker was down from before their opening to after their end."""
    tie = UUID((await house.coordinator.get("/v1/relationships", role="agency")).json()["items"][0]["id"])
    end = house.today + 70 * DAY
    path = await there(house, authorisation_until_on=end)
    person, placed = UUID((await house.of(path))["person_id"]), path.rsplit("/", 1)[1]
    await clock(house, house.today)
    await house.put(
        "requirement_items",
        **house._item(
            "accepted", stream_id=person, subject_kind="placement", subject_id=UUID(placed), person_id=person,
            key="accident_insurance", valid_until=end, documents="{}", value={},
        ),
    )  # fmt: skip
    await house.sql("UPDATE relationships SET state = 'verified', valid_until = $1 WHERE id = $2", end, tie)
    at = datetime.combine(end + 20 * DAY, NOON)
    rung = [ring(house.world.services, TIMERS[0], house.world.institution, at) for _ in range(2)]
    await asyncio.gather(*rung)
    await clock(house, end + 20 * DAY)
    rows = (await house.coordinator.get("/v1/obligations", limit=200)).json()["items"]
    ended = [(r["rule"], r["subject_id"]) for r in rows if r["event"].endswith("_ends") and r["period"] == str(end)]
    assert sorted(ended) == [
        ("insurance_renewal", placed), ("permit_renewal", placed), ("relationship_renewal", str(tie)),
    ]  # fmt: skip


async def test_renewal_is_done_by_the_renewed_date_and_moot_without_one(house: Stage) -> None:
    path = await there(house, authorisation_until_on=house.today + 10 * DAY, visa_until_on=house.today + 10 * DAY)
    item = UUID(path.rsplit("/", 1)[1])
    assert await clock(house, house.today) == [3 + len(CAUGHT_UP), 0, 0]
    later = house.today + 400 * DAY
    await house.sql(
        "UPDATE placements SET authorisation_until_on = $2, visa_until_on = NULL WHERE id = $1", item, later
    )
    assert await clock(house, house.today) == [0, 1, 1]
    found = await standing(house, path)
    until = str(house.today + 10 * DAY)
    assert {n: r["state"] for n, r in found.items() if n not in CAUGHT_UP} == {
        f"permit_renewal {until}": "done", f"visa_renewal {until}": "waived", "wellbeing_check 1": "pending",
    }  # fmt: skip
    assert (await clock(house, later))[0] > 0
    assert f"permit_renewal {later}" in await standing(house, path)
    # Home again: nobody is asked how they are abroad, and no permit is renewed; the reports are still due.
    await house.sql("UPDATE placements SET state = 'returned', ended_on = $2 WHERE id = $1", item, later)
    await clock(house, later)
    assert {r["rule"] for r in (await standing(house, path)).values() if r["state"] == "pending"} == set(CAUGHT_UP)


async def test_obligations_are_done_together_and_let_go_by_another(house: Stage) -> None:
    c = house.coordinator
    paths = [await there(house, authorisation_until_on=house.today + 10 * DAY) for _ in range(2)]
    await clock(house, house.today)
    assert len(await of(c, due_until=str(house.today))) == 2
    assert await of(c, overdue="true", owed_by="enterprise") == ["permit_renewal"] * 2
    rows = (await c.get("/v1/obligations", rule="permit_renewal", sort="due_on")).json()["items"]
    items = [{"id": r["id"], "version": r["version"]} for r in rows]
    refused = await c.ok("/v1/obligations/bulk/fulfil", {"items": items, "evidence": [str(await house.paper())]})
    assert {r["code"] for i in refused["items"] for r in i["reasons"]} == {"owed_by"}
    said = {"items": items, "recorded_for": "enterprise", "evidence": [str(await house.paper())]}
    done = await c.ok("/v1/obligations/bulk/fulfil", said)
    assert (done["done"], done["refused"]) == (2, 0)
    check = f"/v1/obligations/{(await standing(house, paths[0]))['wellbeing_check 1']['id']}"
    assert await c.refused(check, "waive", {"reason_code": "other"}) == ["waived_by_another"]
    admin = await house.world.client(ADMIN)
    assert (await admin.done(check, "waive", {"reason_code": "other", "note": "She is home."}))["state"] == "waived"


async def test_event_that_no_step_tells_is_reported_for_its_day(house: Stage) -> None:
    """An agency tops up its risk reserve within 20 working days of its use (Regulation 620, art. 10)."""
    c, paper = house.coordinator, [str(await house.paper())]
    ties = (await c.get("/v1/relationships", role="agency")).json()["items"]
    on = str(house.today - 3 * DAY)
    said = {"subject_id": ties[0]["id"], "rule": "risk_reserve_topped_up", "occurred_on": on, "evidence": paper}
    made = await c.ok("/v1/obligations", said)
    row = (await c.get(f"/v1/obligations/{made['id']}")).json()
    assert (row["organisation_id"], row["event_on"], row["period"]) == (str(house.agency), on, on)
    again = await c.post("/v1/obligations", said)
    assert [r["code"] for r in again.json()["reasons"]] == ["obligation_not_opened"]
    unknown = await c.post("/v1/obligations", said | {"rule": "embassy_report"})
    assert (unknown.status_code, [r["code"] for r in unknown.json()["reasons"]]) == (409, ["obligation_rule_known"])
    await c.done(f"/v1/obligations/{made['id']}", "correct", {"note": "It was not used."})
    assert (await c.post("/v1/obligations", said)).status_code == 201


async def test_obligations_refuse_what_cannot_be(world: World) -> None:
    c = await world.client(COORDINATOR)
    queries: list[dict[str, Any]] = [{"due_until": "9999-12-31"}, {"overdue": "perhaps"}, {"placement_id": "x"}]
    assert [(await c.get("/v1/obligations", **q)).status_code for q in queries] == [422] * 3
