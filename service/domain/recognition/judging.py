"""What rules give to a case, what a programme's regulation allows, and who signs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from uuid import UUID

from service.domain.actors import SYSTEM_ACCOUNT
from service.domain.equivalences import Award, Proposal, propose, sound
from service.domain.lifecycle import Given, Reason
from service.domain.recognition.facts import (
    CaseDossier,
    CaseItem,
    ItemDecision,
    awarded,
)
from service.domain.regulations import Regulation, in_force


# ---- deciding by rule
def proposed(c: CaseDossier, given: Given) -> Proposal:
    """What each item gets by the equivalences that were handed in, or else by the institution's own rules."""
    regulation = of_case(c)
    schemes = (*c.schemes, regulation.scheme) if regulation else c.schemes
    return propose(c.items, given.get("equivalences") or c.rules, schemes, c.conversions)


def awards_sound(c: CaseDossier, given: Given) -> list[Reason]:
    """A rule takes every item: verified, passed, in time, with the grade it asks for; and every cap has room."""
    faults = [r for n, e in enumerate(given.get("equivalences") or ()) for r in sound(e, f"/equivalences/{n}")]
    if faults:
        return faults
    awards, found = proposed(c, given)
    return found or within_caps(c, {a.item_id: a.credits for a in awards}, lambda item: f"/items/{c.items.index(item)}")


def rules_take_it(c: CaseDossier) -> list[Reason]:
    """Rules in force take every item: passed, with the grade that they ask for; and every cap has room."""
    return awards_sound(c, {})


def automatic_for_the_system(c: CaseDossier) -> Reason | None:
    """Without a person, only a rule that says so decides."""
    automatic = {r.id for r in c.rules if r.automatic}
    by_others = c.asker == SYSTEM_ACCOUNT and any(a.rule_id not in automatic for a in proposed(c, {})[0])
    return Reason("rule_automatic") if by_others else None


def awards_of(c: CaseDossier, given: Given) -> dict[UUID, Award]:
    """What each item gets, by item."""
    return {a.item_id: a for a in proposed(c, given)[0]}


# ---- the programme's regulation
def of_case(c: CaseDossier) -> Regulation | None:
    """The version that held when the last of the results was achieved; not today's."""
    days = [i.achieved_on for i in c.items if i.achieved_on is not None]
    return in_force(c.regulations, max(days, default=None))


def _over(code: str, most: Decimal | None, credits_: Decimal, at: str) -> list[Reason]:
    return (
        [Reason(code, required=str(most), actual=str(credits_), pointer=at)]
        if most is not None and credits_ > most
        else []
    )


def within_caps(c: CaseDossier, awards: Mapping[UUID, Decimal], at: Callable[[CaseItem], str]) -> list[Reason]:
    """No course is recognised twice beyond its credits; caps for a course, a kind of course and in all have room."""
    regulation = of_case(c)
    earning = [i for i in c.items if awards.get(i.id, Decimal(0)) > 0]
    found: list[Reason] = []
    courses: dict[UUID, list[CaseItem]] = {}
    for item in earning:
        if item.target_course_id is not None:
            courses.setdefault(item.target_course_id, []).append(item)
    for course, items in courses.items():
        before = sum((e.credits for e in c.earned if e.target_course_id == course), Decimal(0))
        together = before + sum((awards[i.id] for i in items), Decimal(0))
        where, worth = at(items[0]), items[0].target_credits
        if before and worth is not None:
            found += _over("recognised_already", worth, together, where)
        if regulation is not None:
            found += _over("cap_of_course", regulation.credits_per_course, together, where)
    if regulation is None or not earning:
        return found
    for cap in regulation.credits_per_kind:
        of_kind = sum((awards[i.id] for i in earning if i.target_kind == cap.kind), Decimal(0))
        total = of_kind + sum((e.credits for e in c.earned if e.kind == cap.kind), Decimal(0))
        found += _over("cap_of_kind", cap.credits, total if of_kind else Decimal(0), "")
    in_all = sum((awards[i.id] for i in earning), Decimal(0)) + sum((e.credits for e in c.earned), Decimal(0))
    return found + _over("cap_in_all", regulation.credits_in_all, in_all, "")


def within_regulation(c: CaseDossier, given: Given) -> list[Reason]:
    """What is decided by hand keeps the caps, and what its regulation asks of a course that is recognised in full."""
    items, decisions = {i.id: i for i in c.items}, given.get("decisions") or ()
    at = {d.item_id: f"/decisions/{n}" for n, d in enumerate(decisions)}
    awards = {i.id: i.credits_awarded for i in c.items} if c.state == "appealed" else {}
    awards |= {d.item_id: awarded(d, items[d.item_id]) for d in decisions if d.item_id in items}
    found = within_caps(c, awards, lambda item: at.get(item.id, "/decisions") + "/credits_awarded")
    regulation = of_case(c)
    if regulation is None:
        return found
    for d in decisions:
        if d.outcome == "recognised" and (item := items.get(d.item_id)) is not None and item.target_course_id:
            found += _of_course(c, item, d, awards, regulation, at[d.item_id])
    return found


def _of_course(
    c: CaseDossier, item: CaseItem, d: ItemDecision, awards: Mapping[UUID, Decimal], r: Regulation, at: str
) -> list[Reason]:
    """A course counts in full with few credits less, and a required one with enough overlap and not by an elective."""
    target = item.target_course_id
    before = sum((e.credits for e in c.earned if e.target_course_id == target), Decimal(0))
    here = sum((awards.get(i.id, Decimal(0)) for i in c.items if i.target_course_id == target), Decimal(0))
    found = []
    if r.credits_gap is not None and item.target_credits is not None:
        found += _over("credits_gap", r.credits_gap, item.target_credits - before - here, f"{at}/credits_awarded")
    if not item.target_required:
        return found
    if r.overlap_percent and (d.overlap_percent is None or d.overlap_percent < r.overlap_percent):
        found.append(Reason("overlap_enough", required=str(r.overlap_percent), pointer=f"{at}/overlap_percent"))
    if item.source_elective and not r.elective_for_required:
        found.append(Reason("elective_for_required", pointer=f"{at}/outcome"))
    return found


# ---- signatures
def next_to_sign(c: CaseDossier) -> list[Reason]:
    """Who signs has the next role of the chain, and is another than who decided or signed before."""
    if not c.sign_off:
        return [Reason("signature_wanted")]
    found = []
    if c.sign_off[0] not in c.asker_roles:
        found.append(Reason("signs_next", required=c.sign_off[0]))
    if c.asker in c.deciders | c.signers:
        found.append(Reason("another_signs"))
    return found


def signed_off(c: CaseDossier) -> Reason | None:
    """What was decided is told when everybody whom the regulation names has signed it."""
    return Reason("signed_off", required=c.sign_off) if c.sign_off else None
