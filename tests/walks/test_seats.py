"""Requests with few seats, several people's candidacies for them, and the placements that come of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from service.actions import candidacies, placement_requests, placements, relationships, requirement_items, trainees
from service.domain.actors import COORDINATOR, ENTERPRISE, TRAINEE
from service.domain.candidacies import Shown
from service.domain.lifecycle import Offer, Refused
from service.domain.relationships import Organisation
from service.domain.requirements import Packs
from service.storage.packs import shipped_packs
from service.storage.requirements import packs_of
from tests.walks.walking import BEGINS, TIMEOUT, WALKS, Ground, Thing, Walk

pytestmark = TIMEOUT
NUMBERS = """
SELECT 'offered ' || r.id, r.offered, r.seats, (SELECT count(*) FROM candidacies c
  WHERE c.request_id = r.id AND c.state = 'offered') FROM placement_requests r WHERE r.institution_id = $1
UNION ALL SELECT 'taken ' || r.id, r.taken, r.seats - r.offered, (SELECT count(*) FROM placements p
  WHERE p.request_id = r.id AND p.state IN ('contracting', 'documents'))
  FROM placement_requests r WHERE r.institution_id = $1
UNION ALL SELECT 'accepted ' || r.id, r.taken + 0, r.seats, (SELECT count(*) FROM candidacies c
  JOIN placements p ON p.id = c.placement_id WHERE c.request_id = r.id
  AND (c.state, p.state) IN (('accepted', 'contracting'), ('placed', 'documents')))
  FROM placement_requests r WHERE r.institution_id = $1
UNION ALL SELECT 'used ' || r.id, r.used, r.seats - r.offered - r.taken,
  (SELECT count(*) FROM placements p WHERE p.request_id = r.id AND p.started_on IS NOT NULL)
  - (SELECT count(*) FROM events e WHERE e.institution_id = r.institution_id AND e.subject_id = r.id
     AND e.action = 'replace_seat' AND NOT EXISTS (SELECT FROM events x WHERE x.institution_id = e.institution_id
       AND x.stream_id = e.stream_id AND x.subject_id = e.subject_id AND x.corrects = e.seq))
  FROM placement_requests r WHERE r.institution_id = $1"""
DAY = BEGINS.date()
TERMS = {
    "workplace": "Rayong", "contract_months": 24, "gross_monthly_pay": "18000", "pay_currency": "THB",
    "weekly_hours": 40, "contract_language": "th", "social_insurance": "statutory",
}  # fmt: skip
JOB: dict[str, Any] = {
    "title": "Technician", "occupation": "3115", "destination": "TH", "pathway": "home_hire", "nationalities": ("TH",),
    "terms": TERMS, "no_fee_for_workers": True, "starts_on": DAY + timedelta(days=90),
    "ends_on": DAY + timedelta(days=820), "closes_on": DAY + timedelta(days=150),
}  # fmt: skip
WORSE: dict[str, Any] = {
    "terms": {"gross_monthly_pay": "15000", "pay_currency": "THB"},
    "differences": ("gross_monthly_pay",),
}
PERSONS_OWN = frozenset({"adult_speaks_for_themselves"})
"""Whom a coordinator may record depends on the age, which the published parties do not tell."""
EXCUSED = {
    "nominate": PERSONS_OWN,
    "withdraw": PERSONS_OWN,
    "refuse_consent": PERSONS_OWN,
    "choose": frozenset({"interview_held", "input_required"}),
    "reserve_list": frozenset({"interview_held", "input_required"}),
    "offer": frozenset({"terms_not_worse"}),
    "accept": frozenset({"offer_in_time", "differences_accepted"}),
    "reschedule": frozenset({"dates_in_order"}),
    "change_pathway": frozenset({"another_pathway", "dates_in_order"}),
    "found": frozenset({"long_unknown"}),
    "export": frozenset({"purpose_stated"}),
}
MADE = {
    "terms": lambda *_: WORSE["terms"],
    "differences": lambda *_: WORSE["differences"],
    "accepted_differences": lambda *_: WORSE["differences"],
    "pathway": lambda *_: "home_hire",
    Shown: lambda *_: Shown(),
}


async def identify(walk: Walk) -> None:
    """Somebody is looked at for a request."""
    who = walk.draw(st.sampled_from(walk.people))
    request = walk.draw(st.sampled_from([t.id for t in walk.seen.things.values() if t.table == "placement_requests"]))
    codes = ("request_live", "no_live_placement", "no_live_candidacy")
    await walk.try_birth(candidacies.SUBJECT, "identify", who, COORDINATOR, codes, request_id=request)


async def hand_in(walk: Walk) -> None:
    """What a placement's next stage lacks is handed in by who owes it, and accepted by another."""
    waiting = [
        t for t in walk.seen.things.values() if t.table == "placements" and t.state in ("contracting", "documents")
    ]
    if not waiting:
        return
    await supply(walk, walk.draw(st.sampled_from(waiting)))
    await walk.look(most_moves=2)


async def supply(walk: Walk, thing: Thing) -> None:
    """What the next stage of a placement lacks."""
    row = await walk.ground.auditor.fetchrow(
        "SELECT person_id, request_id, candidacy_id, pins FROM placements WHERE id = $1", thing.id
    )
    assert row is not None
    packs = packs_of(row["pins"], shipped_packs())
    assert isinstance(packs, Packs)
    subjects = {
        "person": thing.stream,
        "request": row["request_id"],
        "candidacy": row["candidacy_id"],
        "placement": thing.id,
    }
    first, second = walk.cast[COORDINATOR]
    for offer in await walk.offered(first, placements.SUBJECT, thing):
        if offer.action not in ("collect_documents", "start_work"):
            continue
        for key in lacking(offer):
            needed = next(r for r in packs.requirements if r.key == key)
            given: dict[str, Any] = {"key": needed.item, "evidence": tuple(walk.papers[None])}
            given |= {"issued_on": DAY, "valid_until": DAY + timedelta(days=2000)}
            others = [p for p in needed.providers if p in ("trainee", "enterprise", "agency")]
            given |= {"recorded_for": others[0]} if others else {}
            subject = subjects[needed.subject]
            try:
                made = await walk.ask(first, requirement_items.SUBJECT, "supply", subject, given)
            except Refused as no:
                assert {r.code for r in no.reasons} <= {"requirement_not_handed_in"}, no.reasons  # noqa: PT017
                continue
            await walk.ask(second, requirement_items.SUBJECT, "accept", made.id, {})


def lacking(offer: Offer) -> list[str]:
    """The requirements that close an offer."""
    return [
        str(r.pointer).removeprefix("requirement/") for r in offer.reasons if str(r.pointer).startswith("requirement/")
    ]


async def begin(ground: Ground, draw: Any) -> Walk:
    subjects = [
        candidacies.SUBJECT,
        candidacies.SUBJECT,
        placements.SUBJECT,
        placement_requests.SUBJECT,
        trainees.SUBJECT,
    ]
    walk = Walk(
        ground,
        draw,
        subjects,
        NUMBERS,
        births=[identify, hand_in],
        excused=EXCUSED,
        made=MADE,
        left_out=frozenset({"trainee.edit"}),
    )
    await walk.enter(3, nationality="TH")
    organisation = Organisation(
        kind="enterprise", name_native="泰华", name_latin=f"Thai-Hua {uuid4().hex}", country="TH",
        time_zone="Asia/Bangkok", chinese_funded=True,
    )  # fmt: skip
    paper: dict[str, Any] = {"evidence": tuple(walk.papers[None])}
    tie = await walk.ask(
        walk.cast[COORDINATOR][0], relationships.SUBJECT, "record", walk.institution,
        {"organisation": organisation, "role": "enterprise"},
    )  # fmt: skip
    await walk.done(relationships.SUBJECT, "verify", [tie.id], valid_until=DAY + timedelta(days=900), **paper)
    requests = [
        await walk.born(
            placement_requests.SUBJECT, "draft", walk.institution, organisation_id=tie.created["organisation"],
            seats=seats, **JOB,
        )
        for seats in (1, 2)
    ]  # fmt: skip
    await walk.done(placement_requests.SUBJECT, "submit", requests, ENTERPRISE)
    for action in ("take_on", "approve", "open"):
        await walk.done(placement_requests.SUBJECT, action, requests)
    await advance(
        walk, requests, draw(st.sampled_from(["nobody", "identified", "selected", "offered", "accepted", "at_work"]))
    )
    return walk


async def advance(walk: Walk, requests: list[UUID], until: str) -> None:
    """Everybody's candidacies as far as a state, for walks that begin in the middle."""
    if until == "nobody":
        return
    ids = [await walk.born(candidacies.SUBJECT, "identify", p, request_id=r) for r in requests for p in walk.people]
    if until == "identified":
        return
    await walk.done(candidacies.SUBJECT, "ask_consent", ids)
    await walk.done(candidacies.SUBJECT, "nominate", ids, TRAINEE)
    await walk.done(candidacies.SUBJECT, "shortlist", ids, ENTERPRISE)
    await walk.done(candidacies.SUBJECT, "choose", ids, ENTERPRISE, assessment="paper_selection", reason_code="skills")
    if until == "selected":
        return
    await walk.done(
        candidacies.SUBJECT, "offer", [ids[0], *ids[3:5]], ENTERPRISE, offer_ends_at=BEGINS + timedelta(days=9)
    )
    if until == "offered":
        return
    accepted = await walk.done(candidacies.SUBJECT, "accept", [ids[0], ids[4]], TRAINEE)
    if until == "accepted":
        return
    for placement in [r.created["placement"] for r in accepted]:
        await walk.done(placements.SUBJECT, "confirm_terms", [placement], TRAINEE)
        for action, role in (("collect_documents", COORDINATOR), ("start_work", ENTERPRISE)):
            await walk.look(most_moves=9)
            await supply(walk, walk.seen.things[placement])
            await walk.done(placements.SUBJECT, action, [placement], role)


@WALKS
@given(data=st.data())
async def test_seat_walks_keep_every_seat_held_by_one(ground: Ground, data: st.DataObject) -> None:
    walk = await begin(ground, data.draw)
    await walk.go()
    await walk.leave(placements.SUBJECT, {"cancel": COORDINATOR})
    await walk.leave(candidacies.SUBJECT, {"withdraw_by_school": COORDINATOR})
    assert {key: n[0] for key, n in walk.seen.numbers.items() if n[0] and not key.startswith("used")} == {}
