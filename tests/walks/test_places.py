"""Applications and enrolments of a small intake with few places."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from service.actions import applications, consents, enrolments, intakes, programmes
from service.domain.actors import COORDINATOR, TRAINEE
from service.domain.intakes import FREES, Quota
from service.domain.programmes import Stage
from tests.walks.walking import BEGINS, TIMEOUT, WALKS, Ground, Thing, Walk

pytestmark = TIMEOUT
PLACES = """SELECT q.intake_id::text || q.source, q.taken, q.places,
  (SELECT count(*) FROM enrolments e WHERE e.institution_id = q.institution_id AND e.intake_id = q.intake_id
   AND e.source = q.source AND e.holds_place)
FROM intake_quotas q WHERE q.institution_id = $1"""
WAITING = """SELECT id FROM applications WHERE institution_id = $1 AND intake_id = $2 AND state = 'waitlisted'
ORDER BY rank DESC"""
WITHOUT = """SELECT count(*) FROM enrolments WHERE institution_id = $1
AND state IN ('pending', 'enrolled', 'on_leave') AND NOT holds_place"""
DAY = BEGINS.date()


async def apply(walk: Walk) -> None:
    """Somebody drafts an application."""
    who = walk.draw(st.sampled_from(walk.people))
    (intake,) = [t.id for t in walk.seen.things.values() if t.table == "intakes"]
    codes = ("intake_announced", "one_live_application", "not_enrolled_yet")
    await walk.try_birth(applications.SUBJECT, "draft", who, TRAINEE, codes, intake_id=intake)


def plan(walk: Walk, _thing: Thing, _given: dict[str, Any]) -> tuple[Quota, ...]:
    """A new plan that may be too small for who is in."""
    return (Quota(source="*", places=walk.draw(st.integers(0, 4))),)


EXCUSED = {
    "submit": frozenset({"within_the_dates"}),
    "select": frozenset({"in_order_of_rank"}),
    "waitlist": frozenset({"rank_free"}),
    "take_leave": frozenset({"leave_in_order"}),
    "waive_credits": frozenset({"something_waived"}),
    "set_quotas": frozenset({"places_in_bounds", "plan_version_new"}),
    "move_places": frozenset({"sources_differ", "places_left"}),
    "reschedule": frozenset({"dates_in_order"}),
}


async def begin(ground: Ground, draw: Any) -> Walk:
    walk = Walk(
        ground, draw, [applications.SUBJECT, enrolments.SUBJECT, intakes.SUBJECT], PLACES, births=[apply],
        excused=EXCUSED, made={"quotas": plan}, pools={"applications": WAITING},
    )  # fmt: skip
    await walk.enter(4)
    stages = tuple(
        Stage(no=n, place="home", years=Decimal(1), title="s", credits_required=Decimal(n - 1) * 3) for n in (1, 2)
    )
    programme = await walk.born(
        programmes.SUBJECT, "draft", walk.institution, code="P", title_native="护理", title_latin="Nursing",
        kind="x_plus_x", level=5, field="0913", stages=stages,
    )  # fmt: skip
    await walk.done(programmes.SUBJECT, "approve", [programme])
    await walk.done(programmes.SUBJECT, "activate", [programme])
    intake = await walk.born(
        intakes.SUBJECT, "draft", programme, code="2026", opens_on=DAY - timedelta(days=10),
        closes_on=DAY + timedelta(days=60), starts_on=DAY + timedelta(days=90),
        quotas=(Quota(source="*", places=2), Quota(source="云南", places=1)),
    )  # fmt: skip
    await walk.done(intakes.SUBJECT, "publish", [intake], plan_authority="A", plan_number="1", plan_version="1")
    await walk.done(intakes.SUBJECT, "open", [intake])
    notice = dict.fromkeys(("recipient", "purpose", "categories", "rights"), "x")
    for person in walk.people:
        asked = await walk.born(
            consents.SUBJECT, "request", person, purpose="enrolment", fields=("name",), notice=notice
        )
        await walk.done(consents.SUBJECT, "give", [asked], TRAINEE)
    await _advance(walk, intake, draw(st.sampled_from(["nobody", "draft", "under_review", "eligible", "enrolled"])))
    return walk


async def _advance(walk: Walk, intake: UUID, until: str) -> None:
    """Everybody's application as far as a state, for walks that begin in the middle."""
    if until == "nobody":
        return
    ids = [await walk.born(applications.SUBJECT, "draft", p, intake_id=intake) for p in walk.people]
    for state, action in (("draft", "submit"), ("", "take_on"), ("under_review", "find_eligible")):
        if until == state:
            return
        await walk.done(applications.SUBJECT, action, ids)
    if until == "enrolled":
        chosen = await walk.done(applications.SUBJECT, "select", ids[:2])
        await walk.done(enrolments.SUBJECT, "enrol", [r.created["enrolment"] for r in chosen], fee="paid")


@WALKS
@given(data=st.data())
async def test_places_walks_keep_every_place_held_by_one(ground: Ground, data: st.DataObject) -> None:
    walk = await begin(ground, data.draw)
    await walk.go()
    assert await ground.auditor.fetchval(WITHOUT, walk.institution) == 0
    (intake,) = [t for t in walk.seen.things.values() if t.table == "intakes"]
    if intake.state in FREES:
        ways = {"cancel": COORDINATOR, "dismiss": COORDINATOR}
        await walk.leave(enrolments.SUBJECT, ways)
        assert {key: n[0] for key, n in walk.seen.numbers.items()} == await _completed(walk)


async def _completed(walk: Walk) -> dict[str, int]:
    """What nobody gives back any more: the places of those who completed."""
    rows = await walk.ground.auditor.fetch(
        """SELECT q.intake_id::text || q.source, (SELECT count(*) FROM enrolments e WHERE e.state = 'completed'
           AND e.intake_id = q.intake_id AND e.source = q.source) FROM intake_quotas q WHERE q.institution_id = $1""",
        walk.institution,
    )
    return {r[0]: r[1] for r in rows}
