"""What rules give to a case, what a programme's regulation allows, and who signs it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from service.domain.actors import SYSTEM_ACCOUNT
from service.domain.conversion import CreditScheme
from service.domain.equivalences import MODES, Award, Proposal, courses_known, propose, sound
from service.domain.lifecycle import Given, Reason
from service.domain.recognition.facts import (
    CaseDossier,
    CaseItem,
    ItemDecision,
    awarded,
    mode_of,
)
from service.domain.regulations import Regulation, in_force


# ---- deciding by rule
def proposed(c: CaseDossier, given: Given) -> Proposal:
    """What each item gets by the equivalences that were handed in, or else by the institution's own rules."""
    return propose(c.items, given.get("equivalences") or c.rules, _schemes(c), c.conversions)


def _schemes(c: CaseDossier) -> tuple[CreditScheme, ...]:
    regulation = of_case(c)
    return (*c.schemes, regulation.scheme) if regulation else c.schemes


def awards_sound(c: CaseDossier, given: Given) -> list[Reason]:
    """A rule takes every item: verified, passed, in time, with the grade it asks for; and every cap has room."""
    faults = [r for n, e in enumerate(given.get("equivalences") or ()) for r in sound(e, f"/equivalences/{n}")]
    if faults:
        return faults
    made, found = proposed(c, given)
    awards = {a.item_id: a for a in made}

    def at(item: CaseItem) -> str:
        return f"/items/{c.items.index(item)}"

    if found:
        return found
    found = within_caps(
        c, {i: a.credits for i, a in awards.items()}, at, _electives({i: a.mode for i, a in awards.items()})
    )
    for item in c.items:
        found += _kept(c, item, awards[item.id].credits, awards[item.id].mode, at(item))
        found += _substituted(c, item, awards[item.id].mode, at(item))
    return found


def _electives(modes: Mapping[UUID, str | None]) -> frozenset[UUID]:
    return frozenset(i for i, mode in modes.items() if mode == "elective")


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
def judged_on(c: CaseDossier, item: CaseItem) -> date | None:
    """The day whose rules judge an item: on which an agreement promised it, or else that of its result."""
    promised = [
        r.promised_on
        for r in c.rules
        if r.promised_on is not None
        and item.source_course_id in {s.course_id for s in r.equivalence.sources}
        and item.target_course_id in {t.course_id for t in r.equivalence.targets}
    ]
    return max(promised, default=item.achieved_on)


def of_case(c: CaseDossier) -> Regulation | None:
    """The version that held when the last of the items was promised, or else achieved; not today's."""
    days = [day for i in c.items if (day := judged_on(c, i)) is not None]
    return in_force(c.regulations, max(days, default=None))


# ---- what was promised
def promised(c: CaseDossier) -> dict[UUID, Award]:
    """What an agreement promised each item, where its result is as the agreement asks."""
    promises = [r for r in c.rules if r.promised_on is not None]
    return {a.item_id: a for a in propose(c.items, promises, _schemes(c), c.conversions)[0]}


def _kept(c: CaseDossier, item: CaseItem, credits_: Decimal, mode: str | None, at: str) -> list[Reason]:
    """What was promised before departure is recognised as it was promised: no fewer credits, and as nothing less."""
    promise = promised(c).get(item.id)
    if promise is None:
        return []
    found = []
    if credits_ < promise.credits:
        found.append(Reason("promise_kept", required=str(promise.credits), actual=str(credits_), pointer=at))
    if mode not in MODES[: MODES.index(promise.mode) + 1]:
        found.append(Reason("promise_mode", required=promise.mode, actual=mode, pointer=at))
    return found


def promises_kept(c: CaseDossier, given: Given) -> list[Reason]:
    """What is decided by hand is no less than what an agreement with the person promised."""
    items, found = {i.id: i for i in c.items}, []
    for n, d in enumerate(given.get("decisions") or ()):
        if (item := items.get(d.item_id)) is not None:
            found += _kept(c, item, awarded(d, item), mode_of(d, item), f"/decisions/{n}")
    return found


def saved_soundly(c: CaseDossier, given: Given) -> list[Reason]:
    """A decision that is kept as a rule says one thing, of courses in the catalogue, for days in their order."""
    rule = given.get("save_as")
    if rule is None:
        return []
    if len(given["equivalences"]) != 1:
        return [Reason("one_equivalence_saved", required=1, actual=len(given["equivalences"]), pointer="/equivalences")]
    found = courses_known(given["equivalences"][0], c.own, c.others, "/equivalences/0")
    if rule.valid_until is not None and rule.valid_until < rule.valid_from:
        at = "/save_as/valid_until"
        found.append(Reason("days_in_order", required=rule.valid_from, actual=rule.valid_until, pointer=at))
    return found


def _over(code: str, most: Decimal | None, credits_: Decimal, at: str) -> list[Reason]:
    return (
        [Reason(code, required=str(most), actual=str(credits_), pointer=at)]
        if most is not None and credits_ > most
        else []
    )


def within_caps(
    c: CaseDossier, awards: Mapping[UUID, Decimal], at: Callable[[CaseItem], str], electives: Collection[UUID]
) -> list[Reason]:
    """No course is recognised twice beyond its credits; caps for a course, a kind of course and in all have room.

    What counts as an elective is for no course, and has a cap of its own.
    """
    regulation = of_case(c)
    earning = [i for i in c.items if awards.get(i.id, Decimal(0)) > 0]
    found: list[Reason] = []
    courses: dict[UUID, list[CaseItem]] = {}
    for item in earning:
        if item.target_course_id is not None and item.id not in electives:
            courses.setdefault(item.target_course_id, []).append(item)
    for course, items in courses.items():
        before = sum((e.credits for e in c.earned if e.target_course_id == course), Decimal(0))
        together = before + sum((awards[i.id] for i in items), Decimal(0))
        where, worth = at(items[0]), items[0].target_credits
        if before:
            found += _over("recognised_already", worth, together, where)
        if regulation is not None:
            found += _over("cap_of_course", regulation.credits_per_course, together, where)
    if regulation is None or not earning:
        return found
    for cap in regulation.credits_per_kind:
        of_kind = sum((awards[i.id] for i in earning if _kind(i, electives) == cap.kind), Decimal(0))
        total = of_kind + sum((e.credits for e in c.earned if e.kind == cap.kind), Decimal(0))
        found += _over("cap_of_kind", cap.credits, total if of_kind else Decimal(0), "")
    in_all = sum((awards[i.id] for i in earning), Decimal(0)) + sum((e.credits for e in c.earned), Decimal(0))
    return found + _over("cap_in_all", regulation.credits_in_all, in_all, "")


def _kind(item: CaseItem, electives: Collection[UUID]) -> str | None:
    return "elective" if item.id in electives else item.target_kind


def within_regulation(c: CaseDossier, given: Given) -> list[Reason]:
    """What is decided by hand keeps the caps, and what its regulation asks of a course that is recognised in full."""
    items, decisions = {i.id: i for i in c.items}, given.get("decisions") or ()
    at = {d.item_id: f"/decisions/{n}" for n, d in enumerate(decisions)}
    awards = {i.id: i.credits_awarded for i in c.items} if c.state == "appealed" else {}
    awards |= {d.item_id: awarded(d, items[d.item_id]) for d in decisions if d.item_id in items}
    modes = {i.id: i.mode for i in c.items} if c.state == "appealed" else {}
    modes |= {d.item_id: mode_of(d, items[d.item_id]) for d in decisions if d.item_id in items}
    found = within_caps(c, awards, lambda item: at.get(item.id, "/decisions") + "/credits_awarded", _electives(modes))
    regulation = of_case(c)
    if regulation is None:
        return found
    owed = promised(c)
    for d in decisions:
        if (item := items.get(d.item_id)) is None or d.outcome == "not_recognised":
            continue
        found += _substituted(c, item, modes[item.id], f"{at[item.id]}/mode")
        if d.outcome == "recognised" and item.target_course_id and item.id not in owed:
            found += _of_course(c, item, d, awards, regulation, at[d.item_id])
    return found


def _substituted(c: CaseDossier, item: CaseItem, mode: str | None, at: str) -> list[Reason]:
    """A course counts for one of another kind only where the regulation permits that; as an elective, any does."""
    regulation = of_case(c)
    if regulation is None or regulation.substitutions is None or mode == "elective":
        return []
    if item.source_kind is None or item.target_kind is None or item.source_kind == item.target_kind:
        return []
    permitted = [(s.source, s.target) for s in regulation.substitutions]
    if (item.source_kind, item.target_kind) in permitted:
        return []
    return [
        Reason(
            "substitution_permitted",
            required=[f"{s} -> {t}" for s, t in permitted],
            actual=f"{item.source_kind} -> {item.target_kind}",
            pointer=at,
        )
    ]


def _of_course(
    c: CaseDossier, item: CaseItem, d: ItemDecision, awards: Mapping[UUID, Decimal], r: Regulation, at: str
) -> list[Reason]:
    """A course counts in full with few credits less, and a required one with enough overlap and not by an elective."""
    target = item.target_course_id
    before = sum((e.credits for e in c.earned if e.target_course_id == target), Decimal(0))
    here = sum((awards.get(i.id, Decimal(0)) for i in c.items if i.target_course_id == target), Decimal(0))
    found = []
    if item.target_credits is not None:
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
