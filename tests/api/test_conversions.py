"""The calculator over HTTP: results with traces, refusals with reasons, sources with their marks."""

from __future__ import annotations

from typing import Any

from service.domain.actors import READER, REGISTRAR
from service.domain.conversion import recomputed
from tests.conftest import World

SIX = {
    "amount": "6",
    "policy": {
        "from_scheme": "ects",
        "legs": [{"method": "annual_load", "to_scheme": "cn-college@16", "full_year_to": "40"}],
        "rounding": {"mode": "down", "step": "0.5"},
    },
}
BAVARIAN = {
    "grade": "82",
    "passed": True,
    "policy": {"method": "bavarian", "rounding": "half_up", "source_scale": {"best": "100", "min_pass": "50"}},
}


async def test_conversion_answers_with_its_trace(world: World) -> None:
    c = await world.client(REGISTRAR)
    answer = await c.post("/v1/conversions", {"credits": SIX, "grade": BAVARIAN, "as_of": "2026-02-10"})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert (told["as_of"], told["credits"]["result"], told["grade"]["result"]) == ("2026-02-10", "4", "2.1")
    assert told["grade"]["remainder"] == "-0.02"
    load = told["credits"]["trace"][1]
    assert load["inputs"] == {"amount": "6", "full_year_from": "60", "full_year_to": "40"}
    assert load["takes"] == {"amount": {"step": 0, "name": "amount"}}
    assert load["rule"] == "ects@2015 -> cn-college@16"
    assert recomputed(told["credits"]["trace"]) == recomputed(told["grade"]["trace"]) == []


async def test_conversion_that_cannot_be_computed_says_why(world: World) -> None:
    c = await world.client(READER)
    unsure: dict[str, Any] = {"amount": "6", "policy": {"from_scheme": "ucts"}}
    failed = BAVARIAN | {"passed": False}
    answer = await c.post("/v1/conversions", {"credits": unsure, "grade": failed})
    assert answer.status_code == 409, answer.text
    assert [(r["code"], r.get("pointer")) for r in answer.json()["reasons"]] == [
        ("scheme_version_named", "/credits/policy/from_scheme"),
        ("fail_not_converted", "/grade/passed"),
    ]
    assert [r["code"] for r in (await c.post("/v1/conversions", {})).json()["reasons"]] == ["something_to_convert"]
    for body in ({"credits": {"amount": "1e9", "policy": {"from_scheme": "ects"}}}, {"nothing": 1}, {"grade": "A"}):
        assert (await c.post("/v1/conversions", body)).status_code == 422
    assert (await c.http.post("/v1/conversions", json={})).status_code == 401


async def test_schemes_and_scales_are_listed_with_their_sources(world: World) -> None:
    c = await world.client(READER)
    schemes = (await c.get("/v1/credit-schemes")).json()["items"]
    ucts = [s for s in schemes if s["code"] == "ucts"]
    assert [(s["key"], s["full_year_credits"], s["contact_max"]) for s in ucts] == [
        ("ucts@old", "60", None),
        ("ucts@current", None, "16"),
    ]
    assert {s["evidence"] for s in schemes} == {"secondary"}
    scales = (await c.get("/v1/grading-scales")).json()["items"]
    assert [(s["key"], s["evidence"]) for s in scales] == [
        ("de@steps", "secondary"),
        ("ects@letters", "unverified"),
        ("cn@percent", "unverified"),
    ]
