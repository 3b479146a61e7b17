"""Recognition cases of a person: no result is used twice, and the ledger is what final cases earned."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from service.actions import recognition, results
from service.domain.actors import COORDINATOR, REGISTRAR, TRAINEE
from service.domain.recognition import Difference, ItemDecision, WantedItem
from tests.walks.walking import BEGINS, NOTE, TIMEOUT, WALKS, Ground, Thing, Walk

pytestmark = TIMEOUT
LATEST = """FROM recognition_decisions d WHERE d.institution_id = i.institution_id AND d.item_id = i.id
  ORDER BY d.round DESC LIMIT 1"""
NUMBERS = f"""
SELECT 'claims of ' || r.id, r.claimed_percent, 100,
  (SELECT coalesce(sum(k.share_percent), 0) FROM recognition_claims k WHERE k.result_id = r.id)
FROM results r WHERE r.institution_id = $1
UNION ALL SELECT 'items of ' || r.id, r.claimed_percent, 100,
  (SELECT coalesce(sum(i.share_percent), 0) FROM recognition_items i JOIN recognition_cases c ON c.id = i.case_id
   WHERE i.result_id = r.id AND c.state NOT IN ('withdrawn', 'lapsed', 'reversed', 'voided')
     AND NOT (c.state = 'final' AND (SELECT d.outcome {LATEST}) = 'not_recognised'))
FROM results r WHERE r.institution_id = $1
UNION ALL SELECT 'ledger of ' || c.id,
  (SELECT coalesce(sum(l.credits * l.sign), 0) FROM ledger l WHERE l.case_id = c.id), NULL,
  CASE c.state WHEN 'final' THEN (SELECT coalesce(sum((SELECT d.credits_awarded {LATEST})), 0)
                                  FROM recognition_items i WHERE i.case_id = c.id) ELSE 0 END
FROM recognition_cases c WHERE c.institution_id = $1"""
SHARES = tuple(map(Decimal, ("100", "60", "50", "40", "33.33", "7.5")))
POOLS = {"item_id": "SELECT id FROM recognition_items WHERE institution_id = $1 AND case_id = $2 ORDER BY place"}
EXCUSED = {
    "supply_evidence": frozenset({"each_supplied"}),
    "decide_alike": frozenset(
        {
            "rule_for_item",
            "courses_named_once",
            "course_known",
            "above_nothing",
            "recognised_without_difference",
            "difference_named",
            "reasons_written",
            "part_says_credits",
        }
    ),
    "decide_appeal": frozenset({"only_amended_decides", "amended_items_named"}),
}


async def open_case(walk: Walk) -> None:
    """Somebody claims shares of their results."""
    who = walk.draw(st.sampled_from(walk.people))
    own = [t.id for t in walk.seen.things.values() if t.table == "results" and t.stream == who]
    items = tuple(
        WantedItem(result_id=r, target=f"course {n}", share_percent=walk.draw(st.sampled_from(SHARES)))
        for n, r in enumerate(walk.draw(st.lists(st.sampled_from(own), min_size=1, max_size=3)))
    )
    given = {"kind": "transcript", "items": items, "evidence": tuple(walk.papers[who])}
    await walk.try_birth(recognition.SUBJECT, "open", who, TRAINEE, ["share_free"], **given)


def decision(walk: Walk, _thing: Thing, _given: dict[str, Any]) -> ItemDecision:
    """Whole, in part, or not at all, with reasons for less."""
    outcome = walk.draw(st.sampled_from(["recognised", "recognised", "partially_recognised", "not_recognised"]))
    less: dict[str, Any] = {
        "difference_codes": (walk.draw(st.sampled_from(get_args(Difference))),),
        "reason_text": NOTE,
    }
    some: dict[str, Any] = {"credits_awarded": Decimal("0.5")} if outcome == "partially_recognised" else {}
    return ItemDecision(item_id=walk.people[0], outcome=outcome, **(less if outcome != "recognised" else {}), **some)


@WALKS
@given(data=st.data())
async def test_case_walks_use_no_result_twice(ground: Ground, data: st.DataObject) -> None:
    walk = Walk(
        ground, data.draw, [recognition.SUBJECT], NUMBERS, births=[open_case], pools=POOLS, excused=EXCUSED,
        made={ItemDecision: decision}, every=frozenset({"decisions"}),
    )  # fmt: skip
    await walk.enter(2)
    for person in walk.people:
        for earned in ("6", "2.5"):
            said = {"source": "partner", "owner": "RTC", "course_title": "CNC", "credits": Decimal(earned)}
            more = {"scheme": "ects", "passed": True, "achieved_on": BEGINS.date()}
            made = await walk.born(results.SUBJECT, "record", person, **said, **more)
            await walk.done(results.SUBJECT, "verify", [made], COORDINATOR, evidence=tuple(walk.papers[person]))
    await walk.look()
    await open_case(walk)
    await walk.go()
    await walk.leave(recognition.SUBJECT, {"withdraw": COORDINATOR, "reverse": REGISTRAR})
    assert {key: n[0] for key, n in walk.seen.numbers.items() if n[0]} == {}
