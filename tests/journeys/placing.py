"""From an enterprise that asks for people to a placement that is over: each pathway by its own packs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from service.domain.actors import AGENCY, ENTERPRISE
from tests.chains import broken_chains
from tests.conftest import Client
from tests.journeys.story import Body, No, Story, day, illegal, lacking, tail

OWNERS = {
    "trainee": "trainee", "clinic": "trainee", "competent_body": "trainee", "agency": "agent", "enterprise": "clerk",
    "support_organisation": "clerk", "school": "coordinator", "coordinator": "coordinator",
}  # fmt: skip
"""Which of the story's people hands in what a provider owes."""
MASKED = {"masked": True, "reason": "consent"}
PERSON = (
    "name_native", "name_latin", "sex", "birth_on", "nationality", "email", "phone", "passport_country",
    "passport_expires_on",
)  # fmt: skip


# ---- those outside
async def deal(s: Story) -> None:
    """The enterprise, and the agency where there is one: recorded, verified with evidence, their people invited."""
    s.employer = await _verified(s, "enterprise", s.plot.employer)
    s.clerk = await s.invited(ENTERPRISE, organisation_id=s.employer)
    if s.plot.agency:
        s.agency = await _verified(s, "agency", s.plot.agency)
        s.agent = await s.invited(AGENCY, organisation_id=s.agency)


async def _verified(s: Story, role: str, organisation: Body) -> str:
    c = s.coordinator
    made = await s.born(
        c, "/v1/relationships", {"role": role, "organisation": {"kind": role} | organisation},
        lacking("one_organisation", role=role),
        lacking("role", by=s.instructor, status=403, role=role),
    )  # fmt: skip
    path = f"/v1/relationships/{made['id']}"
    paper = await s.paper(c, "licence")
    s.tie = s.tie or path
    until: Body = {"valid_until": day(365), "evidence": [paper]}
    if role == "agency":
        await s.never(path, "verify", lacking("licence_known", **until), c)
        await s.edited(c, path, licence_no="L-44-0001")
    await s.step(
        c, path, "verify", illegal("suspend", reason_code="complaint"), lacking("evidence_required", valid_until=day(365)),
        **until, expect="verified",
    )  # fmt: skip
    return str(made["created"]["organisation"])


async def ask(s: Story, **dates: str) -> None:
    """What the enterprise asks for: approved when the packs' papers are there, then open. Nobody is proposed before."""
    c, job = s.coordinator, s.plot.job
    body: Body = job | dates | {"organisation_id": s.employer, "agency_id": s.agency, "closes_on": day(90), "seats": 1}
    body = {k: v for k, v in body.items() if v is not None}
    made = await s.born(
        s.clerk, "/v1/placement-requests", body,
        lacking("own_organisation", "relationship_known", **(body | {"organisation_id": str(uuid4())})),
        lacking("role", by=s.trainee, status=403, **body),
        lacking("term_known", **(body | {"terms": {"luck": 1}})),
    )  # fmt: skip
    path = s.request = f"/v1/placement-requests/{made['id']}"
    await s.never(path, "submit", lacking("terms_stated"), s.clerk)
    s.tell("terms")
    await s.edited(s.clerk, path, terms=s.plot.terms)
    await s.step(
        s.clerk, path, "submit", illegal("approve", by=c), lacking("recorded_for_required", by=c), expect="submitted"
    )
    await s.step(c, path, "take_on", illegal("open"), lacking("role", by=s.clerk, status=403), expect="under_review")
    early = await c.post("/v1/candidacies", s.dated({"person_id": s.person, "request_id": tail(path)}))
    assert [r["code"] for r in early.json()["reasons"]] == ["request_live"]
    if s.plot.papers:
        await s.never(path, "approve", lacking(*["requirement_missing"] * len(s.plot.papers)), c)
        s.tell("approve-bare")
        assert _named(s) == [f"requirement/{key}" for key, _, _ in s.plot.papers]
        for _, item, owner in s.plot.papers:
            await supply(s, tail(path), item, owner)
    else:
        await _suspended_meanwhile(s, path)
    await s.step(c, path, "approve", illegal("open"), lacking("role", by=s.clerk, status=403), expect="approved")
    await s.step(c, path, "open", illegal("release"), lacking("role", by=s.clerk, status=403), expect="open")


async def _suspended_meanwhile(s: Story, request: str) -> None:
    """Where the packs ask for no papers, the enterprise itself must still be verified."""
    c, tie, paper = s.coordinator, s.tie, await s.paper(s.coordinator, "licence")
    await s.step(
        c, tie, "suspend", illegal("reinstate", valid_until=day(365), evidence=[paper]),
        lacking("literal_error", status=422, reason_code="mood"), reason_code="inspection", expect="suspended",
    )  # fmt: skip
    await s.never(request, "approve", lacking("relationship_verified"), c)
    await s.step(
        c, tie, "reinstate", illegal("suspend", reason_code="inspection"), lacking("evidence_required", valid_until=day(365)),
        valid_until=day(365), evidence=[paper], expect="verified",
    )  # fmt: skip


def _named(s: Story) -> list[str]:
    """What the last refusal's reasons point at."""
    return [r["pointer"] for r in s.seen[-1].answer["reasons"]]


async def supply(s: Story, subject: str, item: str, owner: str, **dates: str) -> None:
    """One thing that a pack asks for: handed in by whoever owes it, accepted by a coordinator."""
    who: Client = getattr(s, owner)
    about: Body = {"subject_id": subject, "key": item}
    evidence: Body = {"evidence": [await s.paper(who, "other", s.person if owner == "trainee" else None)]}
    body: Body = about | {"issued_on": day(s.today), "valid_until": day(1200)} | dates
    made = await s.born(
        who, "/v1/requirement-items/supply", body | evidence,
        lacking("dates_in_order", **(body | {"valid_until": day(s.today - 1)})),
        lacking("requirement_known", **(body | {"key": "a_horse"})),
    )  # fmt: skip
    again = await who.post("/v1/requirement-items/supply", s.dated(body))
    assert [r["code"] for r in again.json()["reasons"]] == ["requirement_not_handed_in"]
    path = f"/v1/requirement-items/{made['id']}"
    await s.step(
        s.coordinator, path, "accept", illegal("resupply", by=who), lacking("role", by=s.registrar, status=403),
        expect="accepted",
    )  # fmt: skip


# ---- candidacy
async def choose(s: Story, *, offered: Body | None = None, worse: tuple[str, ...] = ()) -> None:
    """Identified, asked, nominated, chosen, offered, and accepted by the person; the enterprise sees what consent gives."""
    c, clerk, me = s.coordinator, s.clerk, s.trainee
    body: Body = {"person_id": s.person, "request_id": tail(s.request)}
    made = await s.born(
        c, "/v1/candidacies", body, lacking("role", by=s.registrar, status=403, **body),
        lacking("request_known", **(body | {"request_id": str(uuid4())})),
    )  # fmt: skip
    path = s.candidacy = f"/v1/candidacies/{made['id']}"
    assert (await clerk.get(path)).status_code == 404
    await s.step(
        c, path, "ask_consent", illegal("nominate", by=me), lacking("consent_field_known", shown={"nominated": ["shoes"]}),
        expect="consent_pending",
    )  # fmt: skip
    assert (await clerk.get(path)).status_code == 404
    s.tell("enterprise-before")
    await s.step(
        me, path, "nominate", illegal("accept"), lacking("recorded_for_required", by=c),
        lacking("consent_field_known", withheld=["shoes"]), withheld=["sex"], expect="nominated",
    )  # fmt: skip
    assert await s.stage() == "candidate"
    assert await shown(s) == {"nationality"}
    s.tell("enterprise-nominated")
    until: Body = {"offer_ends_at": f"{day(5)}T12:00:00Z"}
    await s.step(
        clerk,
        path,
        "shortlist",
        illegal("offer", **until),
        lacking("recorded_for_required", by=c),
        expect="shortlisted",
    )
    assert await shown(s) == {"nationality", "name_native", "name_latin", "birth_on"}
    await s.step(
        clerk, path, "choose", illegal("promote"),
        lacking("interview_held", "input_required", assessment="interview"),
        lacking("input_required", assessment="trade_test"),
        assessment="trade_test", score="82.5", expect="selected",
    )  # fmt: skip
    terms: Body = {"terms": offered} if offered else {}
    noes = [illegal("accept", by=me), lacking("in_future", offer_ends_at=f"{day(-1)}T12:00:00Z")]
    if worse:
        noes.append(lacking(*["terms_not_worse"] * len(worse), **until, **terms))
    await s.step(clerk, path, "offer", *noes, **until, **terms, differences=list(worse), expect="offered")
    assert (await c.get(s.request)).json()["offered"] == 1
    noes = [illegal("shortlist", by=clerk), lacking("recorded_for_required", by=c)]
    if worse:
        noes.append(lacking("differences_accepted"))
    done = await s.step(me, path, "accept", *noes, accepted_differences=list(worse), expect="accepted")
    s.tell("accept")
    s.placement = f"/v1/placements/{done['created']['placement']}"
    assert await s.stage() == "contracted"
    request = (await c.get(s.request)).json()
    assert (request["offered"], request["taken"], request["state"]) == (0, 1, "filled")
    assert await shown(s) == set(PERSON) - {"sex"}


async def shown(s: Story) -> set[str]:
    """What the enterprise sees of the person."""
    person = (await s.clerk.get(s.candidacy)).json()["person"]
    return {name for name in PERSON if person[name] != MASKED}


# ---- placement
async def advance(
    s: Story,
    who: Client,
    action: str,
    *noes: No,
    expect: str,
    needs: tuple[str, ...] = (),
    too_old: tuple[str, ...] = (),
    dates: Mapping[str, Body] | None = None,
    **body: Any,
) -> None:
    """One step of the placement: refused with exactly what is missing, which is then handed in; granted after that.

    `too_old` is what was good on the day itself and is not today: a refusal tells of it while no day is open.
    """
    if needs:
        codes = ["requirement_too_old"] * len(too_old) + ["requirement_missing"] * len(needs)
        await s.never(s.placement, action, lacking(*codes, **body), who)
        s.tell(f"{action}-bare")
        assert _named(s) == [f"requirement/{key}" for key in (*too_old, *needs)]
        await hand_in(s, action, dates or {})
    await s.step(who, s.placement, action, *noes, tried=1 if needs else 0, expect=expect, **body)
    s.tell(action)


async def hand_in(s: Story, action: str, dates: Mapping[str, Body]) -> None:
    """Whatever the checklist still names for a step, by whoever owes it."""
    p = (await s.coordinator.get(s.placement)).json()
    subjects = {"person": s.person, "placement": p["id"], "candidacy": p["candidacy_id"], "request": p["request_id"]}
    done = set()
    for row in (await s.coordinator.get(s.placement + "/checklist")).json()["items"]:
        if f"placement.{action}" in row["gates"] and row["state"] == "missing" and row["item"] not in done:
            owner = next(OWNERS[o] for o in row["owed_by"])
            await supply(s, subjects[row["subject"]], row["item"], owner, **dates.get(row["item"], {}))
            done.add(row["item"])


# ---- the end
async def look_back(s: Story, *, stage: str, states: list[str]) -> None:
    """The stage, the timeline, what the enterprise saw, and every chain of the record."""
    assert await s.stage() == stage
    assert (await s.coordinator.get(s.placement)).json()["state"] == "closed"
    events: list[Body] = []
    while True:
        page = (
            await s.trainee.get(
                f"/v1/trainees/{s.person}/timeline", limit=100, after=events[-1]["seq"] if events else 0
            )
        ).json()
        events += page["items"]
        if page["next"] is None:
            break
    s.tell("timeline")
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    days = [e["occurred_on"] for e in events if e["subject"] != "document"]
    assert days == sorted(days)
    assert [e["to_state"] for e in events if e["subject"] == "placement" and e["from_state"] != e["to_state"]] == states
    assert {e["recorded_at"][:10] for e in events} <= {day(-1), day(0), day(1)}
    elsewhere = [await s.clerk.get(f"/v1/{what}") for what in ("trainees", "applications", "results", "certificates")]
    assert [a.status_code for a in elsewhere] == [403] * 4
    given = (await s.clerk.get("/v1/consents")).json()["items"]
    assert [(k["purpose"], "sex" in k["fields"]) for k in given] == [("nomination", False)]
    uploads = (await s.clerk.get("/v1/documents")).json()["items"]
    assert {d["uploaded_by"] for d in uploads} <= {(await s.clerk.get("/v1/me")).json()["account_id"]}
    if s.agency:
        assert (await s.agent.get(s.candidacy)).status_code == 403
    assert await broken_chains(s.dsn) == []
