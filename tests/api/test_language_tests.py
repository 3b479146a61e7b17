"""Language tests and the validity of certificates over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from service.domain.actors import COORDINATOR, READER, TRAINEE
from tests.api.test_certificates import record
from tests.api.test_training import day, person
from tests.conftest import Client, World

SECTIONS = {"language_knowledge": 34, "reading": 35, "listening": 35}
N3: dict[str, Any] = {
    "level": None, "paper": "N3", "total_score": None, "section_scores": SECTIONS, "taken_on": "2025-12-07", "issued_on": "2026-01-26",
}  # fmt: skip
READ = ("scheme", "paper", "level", "cefr", "passed", "total_score")


async def shown(client: Client, path: str) -> list[Any]:
    body = (await client.get(path)).json()
    return [body[name] for name in READ]


async def refused(client: Client, somebody: str, **more: Any) -> list[tuple[str, str]]:
    body = {"person_id": somebody, "kind": "language", "test": "jlpt"} | more
    answer = await client.post("/v1/certificates", {k: v for k, v in body.items() if v is not None})
    assert answer.status_code == 409, answer.text
    return [(r["code"], r["pointer"]) for r in answer.json()["reasons"]]


async def test_language_tests_are_public_with_sources_and_marks(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/language-tests")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=300")
    tests = {t["test"]: t for t in answer.json()["tests"]}
    assert len(tests) == 10
    (table,) = tests["jlpt"]["cefr"]
    assert table["bands"][2] == {"level": "N3", "least": "95", "most": "103", "cefr": "A2"}
    assert (table["evidence"], table["checked_on"], table["effective_from"]) == (
        "secondary",
        "2026-11-22",
        "2025-12-01",
    )
    assert [r["rule"] for r in tests["topik"]["rules"]] == ["issuer_expiry"]
    assert [s["any_of"][1] for s in answer.json()["sets"]] == [{"test": "jlpt", "level_least": "N4"}]


async def test_level_and_cefr_are_derived_from_scores(world: World) -> None:
    a = await world.client(COORDINATOR)
    somebody = await person(a)
    path = await record(a, somebody, **N3)
    assert await shown(a, path) == ["2010", "N3", "N3", "B1", True, "104.0000"]
    version = (await a.get(path)).json()["version"]
    failed = SECTIONS | {"listening": 18, "reading": 60}
    assert (await a.patch(path, {"section_scores": failed}, version=version)).status_code == 409  # the sum is another
    changed = {"section_scores": failed, "total_score": "112"}
    assert (await a.patch(path, changed, version=version)).status_code == 200
    assert await shown(a, path) == ["2010", "N3", None, None, False, "112.0000"]
    earlier = await record(a, somebody, **N3 | {"taken_on": "2025-07-06", "number": "other"})
    assert await shown(a, earlier) == ["2010", "N3", "N3", None, True, "104.0000"]


async def test_level_that_scores_do_not_give_is_refused(world: World) -> None:
    a = await world.client(COORDINATOR)
    somebody = await person(a)
    assert await refused(a, somebody, level="N2", total_score="80") == [("level_as_scored", "/level")]
    assert await refused(a, somebody, total_score="80") == [("paper_known", "/paper")]
    assert await refused(a, somebody, paper="N3", total_score="181") == [("score_in_scale", "/total_score")]
    over = {"section_scores": {"reading": 61}, "paper": "N3"}
    assert await refused(a, somebody, **over) == [("score_in_scale", "/section_scores/reading")]
    assert await refused(a, somebody, test="hsk_3", level="4", taken_on="2026-01-30") == [
        ("test_version_known", "/taken_on")
    ]
    dates = {"level": "N4", "taken_on": "2025-12-07", "result_on": "2025-12-06"}
    assert await refused(a, somebody, **dates) == [("result_after_taken", "/result_on")]


async def test_validity_is_explained_by_the_rule_that_decided(world: World) -> None:
    a = await world.client(COORDINATOR)
    somebody = await person(a)
    path = await record(
        a, somebody, test="hsk_2", level="4", total_score=None, section_scores=None, taken_on="2024-09-14"
    )
    asked = {"purpose": "chinese_admission", "on": "2026-09-15"}
    found = (await a.get(path + "/validity", **asked)).json()
    assert (found["valid"], found["verified"], found["valid_until"]) == (False, False, "2026-09-14")
    assert found["decided_by"] == {
        "code": "max_age_at",
        "text": "For this purpose it may not be older: months 24, last day 2026-09-14.",
        "required": {"months": 24, "last_day": "2026-09-14"},
        "actual": "2026-09-15",
        "rule": "hsk-2-admission",
        "source": {
            "source": "gjxy.dgut.edu.cn/info/1188/1466",
            "source_url": "https://gjxy.dgut.edu.cn/info/1188/1466",
            "checked_on": "2026-11-22",
            "evidence": "official",
            "note": "The certificate is permanent; used for admission to a Chinese institution of higher education it"
            " counts for two years from the test.",
        },
    }
    assert (found["reading"]["level"], found["reading"]["cefr"], found["reading"]["evidence"]) == (
        "4",
        "B2",
        "secondary",
    )
    same_day = (await a.get(path + "/validity", purpose="general", on="2026-09-15")).json()
    assert (same_day["valid"], same_day["decided_by"]["rule"]) == (True, "hsk-2-permanent")
    today = (await a.get(path + "/validity")).json()
    assert (today["on"], today["purpose"], today["valid"]) == (day(0), "general", True)
    zh = await a.http.get(f"{path}/validity", headers=a._headers() | {"accept-language": "zh"}, params=asked)
    assert zh.json()["decided_by"]["text"].startswith("就此用途证书不得超过期限")


async def test_validity_of_many_is_told_of_each_that_is_seen(world: World) -> None:
    a = await world.client(COORDINATOR)
    somebody, other = await person(a), await person(a, 1)
    good = (await record(a, somebody, **N3)).rsplit("/", 1)[1]
    old = await record(a, other, test="topik", level="3", total_score="120", section_scores=None, taken_on="2020-04-12",
                       issued_on=None, result_on="2020-05-20", number="t1")  # fmt: skip
    ids = [good, old.rsplit("/", 1)[1], str(uuid4())]
    body = {"ids": ids, "on": "2026-06-01"}
    found = (await a.ok("/v1/certificates/validity", body))["items"]
    assert [(i["id"], i["error"], i["validity"] and i["validity"]["valid"]) for i in found] == [
        (ids[0], None, True),
        (ids[1], None, False),
        (ids[2], "not-found", None),
    ]
    t = await world.client(TRAINEE, person_ids=[somebody])
    assert [i["error"] for i in (await t.ok("/v1/certificates/validity", body))["items"]] == [
        None,
        "not-found",
        "not-found",
    ]
    stranger = await world.client(COORDINATOR, institution=await world.other())
    assert {i["error"] for i in (await stranger.ok("/v1/certificates/validity", body))["items"]} == {"not-found"}
    assert (await stranger.get(f"/v1/certificates/{good}/validity")).status_code == 404
    assert (await (await world.client(READER)).post("/v1/certificates/validity", body)).status_code == 403


async def test_validity_is_asked_within_bounds(world: World) -> None:
    a = await world.client(COORDINATOR)
    path = await record(a, await person(a), **N3)
    wrong: list[dict[str, Any]] = [
        {"purpose": "holiday"},
        {"on": "0001-01-01"},
        {"on": "9999-12-31"},
        {"on": "x"},
        {"day": "2026-01-01"},
    ]
    assert [(await a.get(path + "/validity", **w)).status_code for w in wrong] == [422] * 5
    many: list[dict[str, Any]] = [{"ids": []}, {"ids": [str(uuid4())] * 501}, {"ids": ["x"]}, {}]
    assert [(await a.post("/v1/certificates/validity", m)).status_code for m in many] == [422] * 4


async def test_revoked_certificate_is_good_for_nothing(world: World) -> None:
    a = await world.client(COORDINATOR)
    path = await record(a, await person(a), **N3)
    await a.done(path, "reject", {"reason_code": "fraud"})
    found = (await a.get(path + "/validity")).json()
    assert (found["valid"], found["decided_by"]["code"], found["decided_by"]["source"]) == (False, "not_in_state", None)
