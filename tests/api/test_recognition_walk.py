"""Walks over what is offered: no result is ever claimed beyond its credits, and the ledger is what final cases earned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import asyncpg
import pytest

from service.domain.recognition import RECOGNITION_CASE
from tests.api.test_recognition import NO, PART, YES, Staff, rung, wanted
from tests.api.test_results import document, result
from tests.conftest import Client, World

SHARES = ("100", "60", "50", "40", "33.33", "7.5")
RARE = {"withdraw": 0.06, "correct": 0.12, "ask_evidence": 0.5, "reverse": 0.5}
"""What ends a case or takes a step back is drawn seldom, so that walks get far."""
CLAIMS = """
SELECT r.claimed_percent,
  (SELECT coalesce(sum(k.share_percent), 0) FROM recognition_claims k WHERE k.result_id = r.id),
  (SELECT coalesce(sum(i.share_percent), 0)
   FROM recognition_items i JOIN recognition_cases c ON c.id = i.case_id
   WHERE i.result_id = r.id AND c.state NOT IN ('withdrawn', 'lapsed', 'reversed', 'voided')
     AND NOT (c.state = 'final' AND (SELECT d.outcome FROM recognition_decisions d WHERE d.item_id = i.id
                                     ORDER BY d.round DESC LIMIT 1) = 'not_recognised'))
FROM results r"""
EARNED = """
SELECT c.state,
  (SELECT coalesce(sum(l.credits * l.sign), 0) FROM ledger l WHERE l.case_id = c.id),
  (SELECT coalesce(sum((SELECT d.credits_awarded FROM recognition_decisions d WHERE d.item_id = i.id
                        ORDER BY d.round DESC LIMIT 1)), 0) FROM recognition_items i WHERE i.case_id = c.id)
FROM recognition_cases c"""


async def sound(con: asyncpg.Connection[asyncpg.Record]) -> set[str]:
    """The states that were seen, where all that must hold holds."""
    for counted, claimed, used in await con.fetch(CLAIMS):
        assert counted == claimed == used <= 100
    states = set()
    for state, entered, earned in await con.fetch(EARNED):
        assert entered == (earned if state == "final" else Decimal(0)), state
        states.add(state)
    return states


class Walk:
    """One walk of one person's cases."""

    def __init__(self, staff: Staff, random: Random, results: list[str], scans: list[str]) -> None:
        self.staff, self.random, self.results, self.scans = staff, random, results, scans
        self.cases: list[str] = []

    async def open(self) -> None:
        items = [
            wanted(self.random.choice(self.results), share=self.random.choice(SHARES))
            for _ in range(self.random.randint(1, 3))
        ]
        body = {"person_id": self.staff.person, "kind": "transcript", "items": items}
        answer = await self.staff.trainee.post("/v1/recognition-cases", body)
        assert answer.status_code in (201, 409), answer.text
        if answer.status_code == 201:
            self.cases.append(f"/v1/recognition-cases/{answer.json()['id']}")
        else:
            assert {r["code"] for r in answer.json()["reasons"]} == {"share_free"}

    async def act(self) -> None:
        """Anything on any case by anybody: what is offered is granted, what is closed is refused for the same."""
        path = self.random.choice(self.cases)
        staff = self.staff
        who: Client = self.random.choice([staff.trainee, staff.registrar, staff.second, staff.coordinator])
        offers = (await who.get(path + "/actions")).json()["actions"]
        likely = [o for o in offers if o["open"]] if self.random.random() < 0.9 else []
        weights = [RARE.get(o["action"], 1.0) for o in likely or offers]
        (offer,) = self.random.choices(likely or offers, weights)
        if offer["action"] in ("contest", "decide_alike"):  # its results stand in no catalogue
            return
        answer = await who.act(path, offer["action"], await self.body(path, offer["action"], offer["inputs"]))
        if offer["open"]:
            assert answer.status_code == 200, (offer, answer.text)
            return
        told = [r["code"] for r in answer.json()["reasons"]]
        assert answer.status_code in (403, 409), answer.text
        assert [r["code"] for r in offer["reasons"]] == told[: len(offer["reasons"])]

    async def body(self, path: str, action: str, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        def verdict(item: dict[str, Any]) -> dict[str, Any]:
            chosen: dict[str, Any] = self.random.choice([YES, YES, PART, NO])
            return chosen | {"item_id": item["id"]}

        items = (await self.staff.registrar.get(path)).json()["items"]
        decisions = [verdict(i) for i in items]
        outcome = self.random.choice(["upheld", "amended", "remitted"])
        known: dict[str, dict[str, Any]] = {
            "ask_evidence": {"missing": ["transcript"], "evidence_until": "2199-01-01"},
            "supply_evidence": {"evidence": self.scans},
            "decide": {"decisions": decisions},
            "send_back": {"reason_code": "other"},
            "appeal": {"grounds": "nicht einverstanden"},
            "decide_appeal": {"outcome": outcome, "reason_text": "geprüft"}
            | ({"decisions": decisions[:1]} if outcome == "amended" else {}),
            "reverse": {"reason_code": "data_error"},
            "correct": {"note": "falsch"},
            "uphold": {"note": "stimmt"},
        }
        made = known.get(action, {})
        if parties := next((i["choices"] for i in inputs if i["name"] == "recorded_for"), None):
            made = made | {"recorded_for": parties[-1], "evidence": self.scans}
        return made


@pytest.mark.parametrize("seed", range(1, 5))
async def test_case_walks_keep_claims_and_ledger_exact(world: World, dsn: str, seed: int) -> None:
    staff = await Staff().enter(world)
    results = [await result(staff.coordinator, staff.person, credits=c) for c in ("6", "2.5")]
    walk = Walk(staff, Random(seed), results, [await document(staff.coordinator, staff.person)])
    con = await asyncpg.connect(dsn)
    seen: set[str] = set()
    try:
        while not walk.cases:
            await walk.open()
        for _ in range(45):
            chance = walk.random.random()
            if chance < 0.15:
                await walk.open()
            elif chance < 0.25:
                later = datetime.now(UTC) + timedelta(days=60)
                await (rung(world, "finalise", later) if chance < 0.2 else rung(world, "notify"))
            else:
                await walk.act()
            seen |= await sound(con)
    finally:
        await con.close()
    assert seen <= set(RECOGNITION_CASE.states())
    assert len(seen) > 4
