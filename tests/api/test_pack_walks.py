"""Each shipped pathway from nothing to ready to leave (or at work), over HTTP, on days that its pack is in force."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import partial

import asyncpg
import pytest

from service.actions.work import Call
from service.api import operations
from service.storage.packs import shipped_packs
from tests.api.walks_by_packs import DAY, Walker, Way
from tests.conftest import World

SKILLED = ({"kind": "skill", "test": "ssw1_skills", "level": "pass", "field": "agriculture"},)
JAPANESE = ({"kind": "language", "test": "jlpt", "level": "N4", "total_score": "104"},)
GERMAN = ({"kind": "language", "test": "goethe", "level": "B1"},)
STAFF = {"local_staff": 40, "foreign_staff": 2, "paid_in_capital": "8000000", "capital_currency": "THB"}
WAYS = [
    Way("jp_ssw1", "JP", tests=(*JAPANESE, *SKILLED)),
    Way("jp_titp", "JP"),
    Way("jp_esd", "JP", today=date(2027, 5, 10)),
    Way("de_18a", "DE"),
    Way("de_16d3", "DE", tests=GERMAN),
    Way("de_ausbildung", "DE", tests=GERMAN),
    Way("cn_th", "TH", chinese_funded=True, declared=STAFF),
    Way("cn_kh", "KH", chinese_funded=True, declared={"local_staff": 40, "foreign_staff": 2}),
    Way("cn_ru", "RU", chinese_funded=True),
    Way("home_hire", "TH", nationality="TH", chinese_funded=True),
]
SHORT = ("contracting", "documents", "visa", "pre_departure", "ready")
WHOLE = ("contracting", "documents", "authorisation", "visa", "pre_departure", "ready")


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, dsn: str) -> Callable[[date], None]:
    """Lets the service's clock stand at noon of a day: packs begin and end, whenever the tests are run."""

    def stand(day: date) -> None:
        at = datetime.combine(day, time(4), UTC)
        monkeypatch.setattr(operations, "Call", partial(Call, at=at))

    return stand


async def keep_signed_in(dsn: str) -> None:
    """Sessions end by the same clock that was moved."""
    con = await asyncpg.connect(dsn)
    await con.execute("UPDATE credentials SET expires_at = '2199-01-01'")
    await con.close()


async def walk(world: World, dsn: str, on: Callable[[date], None], way: Way) -> Walker:
    walker = await Walker.of(world, way)
    await keep_signed_in(dsn)
    on(way.today)
    await walker.registered()
    await walker.asked()
    await walker.accepted()
    return walker


def test_every_pathway_is_walked() -> None:
    assert {w.pathway for w in WAYS} == {p.pathway for p in shipped_packs() if p.kind == "pathway"}


@pytest.mark.parametrize("way", WAYS, ids=lambda w: w.pathway)
async def test_pack_leads_from_nothing_to_ready(world: World, dsn: str, on: Callable[[date], None], way: Way) -> None:
    walker = await walk(world, dsn, on, way)
    states = await walker.to("ready")
    whole = {"home_hire": ("contracting", "documents", "active"), "cn_th": SHORT, "cn_kh": SHORT}
    assert states == list(whole.get(way.pathway, WHOLE)[1:])
    rows = (await walker.c.get(walker.placement + "/checklist")).json()["items"]
    gates = {"departed", "arrived", "active", "extension", "transfer"}
    left = {
        r["key"]: r["state"] for r in rows if r["state"] not in ("accepted", "met") and not set(r["stages"]) & gates
    }
    assert left == {}


async def test_pack_of_thailand_is_walked_to_work(world: World, dsn: str, on: Callable[[date], None]) -> None:
    walker = await walk(world, dsn, on, next(w for w in WAYS if w.pathway == "cn_th"))
    assert (await walker.to("active"))[-3:] == ["departed", "arrived", "active"]
    assert {"medical_certificate", "work_permit"} <= {item for _, item in walker.handed}


async def test_titp_pack_has_ended_for_who_leaves_in_april(world: World, dsn: str, on: Callable[[date], None]) -> None:
    way = Way("jp_titp", "JP", today=date(2027, 3, 1), days_ahead=25)
    walker = await walk(world, dsn, on, way)
    await walker.to("authorisation")
    late = {"planned_departure_on": "2027-04-01", "starts_on": "2027-04-06"}
    await walker.c.done(walker.placement, "reschedule", late)
    assert (await walker.c.refused(walker.placement, "apply_visa"))[0] == "pack_ended"
    seen = await walker.c.get(walker.placement + "/pathway", pathway="jp_esd")
    assert seen.status_code == 200
    assert seen.json()["pins"] == ["jp-esd@1", "cn-dispatch@1", "fair-recruitment@1"]


# ---- what the enterprise declares
async def test_thai_ratio_is_judged_by_what_was_declared(world: World, dsn: str, on: Callable[[date], None]) -> None:
    way = Way("cn_th", "TH", chinese_funded=True)
    walker = await Walker.of(world, way)
    await keep_signed_in(dsn)
    on(way.today)
    await walker.registered()

    async def refused() -> list[tuple[str, str]]:
        answer = await walker.c.act(walker.request, "approve")
        staff = ("thai_staff", "registered_capital")
        named = [(r.get("pointer", "")[12:], r["code"]) for r in answer.json()["reasons"]]
        return [n for n in named if n[0] in staff]

    with pytest.raises(AssertionError):  # the way stops at the approval: nothing was declared
        await walker.asked()
    assert await refused() == [("thai_staff", "fact_unknown")] * 2 + [("registered_capital", "fact_unknown")] * 2
    # Two seats and two foreigners there: sixteen Thais, and THB 8 million.
    await walker.c.done(walker.tie, "declare", STAFF | {"local_staff": 15, "paid_in_capital": "7999999.99"})
    assert await refused() == [("thai_staff", "staff_ratio"), ("registered_capital", "capital_too_low")]
    await walker.c.done(walker.tie, "declare", STAFF | {"local_staff": 16, "capital_currency": "CNY"})
    assert await refused() == [("registered_capital", "capital_too_low")]
    await walker.c.done(walker.tie, "declare", {"paid_in_capital": "8000000", "capital_currency": "THB"})
    assert await refused() == []
    on(way.today + 366 * DAY)
    assert await refused() == [("thai_staff", "requirement_too_old"), ("registered_capital", "requirement_too_old")]


async def test_declaration_says_something_and_its_currency(world: World) -> None:
    walker = await Walker.of(world, WAYS[0])
    await walker.tied("enterprise")
    assert await walker.c.refused(walker.tie, "declare") == ["something_declared"]
    assert await walker.c.refused(walker.tie, "declare", {"paid_in_capital": "1"}) == ["capital_has_currency"]
    await walker.c.done(walker.tie, "declare", {"foreign_staff": 0})
    assert (await walker.c.get(walker.tie)).json()["facts"]["foreign_staff"] == 0


# ---- money and purposes
async def test_fees_above_two_months_pay_close_the_documents_gate(
    world: World, dsn: str, on: Callable[[date], None]
) -> None:
    way = next(w for w in WAYS if w.pathway == "jp_esd")
    walker = await walk(world, dsn, on, way)
    monthly = {"person_id": walker.person, "type": "training", "payer": "family", "receiver": "agency"}
    await walker.c.ok("/v1/costs", monthly | {"amount": "8600.00", "currency": "EUR"})  # annual pay 52,000: 8,666.66
    first = await walker.c.act(walker.placement, "collect_documents", {"agency_contract": "service"})
    assert {r["code"] for r in first.json()["reasons"]} == {"requirement_missing"}
    more = await walker.c.ok("/v1/costs", monthly | {"amount": "66.67", "currency": "EUR"})
    codes = await walker.c.refused(walker.placement, "collect_documents", {"agency_contract": "service"})
    assert "payments_above_cap" in codes
    await walker.c.done(f"/v1/costs/{more['id']}", "repay", {"evidence": [walker.paper]})
    await walker.c.ok("/v1/costs", monthly | {"amount": "1.00", "currency": "CNY"})
    codes = await walker.c.refused(walker.placement, "collect_documents", {"agency_contract": "service"})
    assert "payment_currency" in codes
    await walker.hand_in("fees_to_sender", walker.placement)
    assert (await walker.to("documents")) == ["documents"]


async def test_nobody_works_under_another_purpose(world: World, dsn: str, on: Callable[[date], None]) -> None:
    walker = await walk(world, dsn, on, next(w for w in WAYS if w.pathway == "home_hire"))
    await walker.hand_in("employment_contract", walker.placement)
    key = {"subject_id": walker.placement.rsplit("/", 1)[1], "key": "visa"}
    refused = await walker.c.post("/v1/requirement-items/supply", key | walker.for_("trainee"))
    assert [r["code"] for r in refused.json()["reasons"]] == ["requirement_known"]  # nobody leaves: there is no visa
    walker = await walk(world, dsn, on, next(w for w in WAYS if w.pathway == "de_18a"))
    key["subject_id"] = walker.placement.rsplit("/", 1)[1]
    visa = walker.for_("trainee")
    path = ""
    for purpose in ("tourist", "business", "study", "exchange"):
        said = {"value": {"purpose": purpose}} | visa
        if path:
            await walker.c.done(path, "reject", {"reason_code": "wrong_kind"})
            await walker.c.done(path, "resupply", said)
        else:
            path = f"/v1/requirement-items/{(await walker.c.ok('/v1/requirement-items/supply', key | said))['id']}"
        codes = await walker.c.refused(walker.placement, "collect_documents", {"agency_contract": "service"})
        assert "fact_not_allowed" in codes
    await walker.c.done(path, "reject", {"reason_code": "wrong_kind"})
    await walker.c.done(path, "resupply", {"value": {"purpose": "work"}} | visa)
    codes = await walker.c.refused(walker.placement, "collect_documents", {"agency_contract": "service"})
    assert "fact_not_allowed" not in codes


async def test_nobody_is_asked_for_under_studies(world: World) -> None:
    walker = await Walker.of(world, Way("cn_study", "CN", nationality="TH"))
    employer = await walker.tied("enterprise")
    body = {
        "organisation_id": employer, "title": "Worker", "occupation": "8211", "destination": "CN",
        "pathway": "cn_study", "nationalities": ["TH"], "seats": 1, "starts_on": "2030-01-01", **walker.for_("enterprise"),
    }  # fmt: skip
    made = await walker.c.ok("/v1/placement-requests", body)
    path = f"/v1/placement-requests/{made['id']}"
    assert "pathway_is_no_work" in await walker.c.refused(path, "submit", walker.for_("enterprise"))
