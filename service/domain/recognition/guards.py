"""What opening, evidence, decisions, appeals and corrections of a case need."""

from __future__ import annotations

from service.domain.equivalences import DIFFERENCES
from service.domain.lifecycle import Given, Reason
from service.domain.recognition.facts import (
    CENT,
    WHOLE,
    CaseDossier,
    CaseItem,
    ItemDecision,
    NewCase,
    awarded,
    modes_of,
    shares,
)


# ---- opening
def items_sound(c: NewCase, given: Given) -> list[Reason]:
    """Each item names a result of the person, one target that is known, and a share between 0.01 and 100 percent."""
    found = []
    for n, item in enumerate(given["items"]):
        at = f"/items/{n}"
        if item.result_id not in c.results:
            found.append(Reason("result_known", pointer=f"{at}/result_id"))
        if (item.target_course_id is None) == (item.target is None):
            found.append(Reason("one_target", required=["target_course_id", "target"], pointer=at))
        if item.target_course_id is not None and item.target_course_id not in c.courses:
            found.append(Reason("course_known", pointer=f"{at}/target_course_id"))
        if not CENT <= item.share_percent <= WHOLE or item.share_percent % CENT:
            found.append(Reason("share_percent", required=["0.01", "100"], pointer=f"{at}/share_percent"))
    return found


def shares_free(c: NewCase, given: Given) -> list[Reason]:
    """No result is used twice: what all live items claim of it adds up to no more than its credits."""
    return [
        Reason("share_free", required=str(c.results[result].free_percent), actual=str(share), pointer="/items")
        for result, share in shares(given["items"]).items()
        if result in c.results and share > c.results[result].free_percent
    ]


def results_shown(c: NewCase, given: Given) -> Reason | None:
    """Results come with evidence: each is verified, or documents come with the case."""
    unverified = [r for r in shares(given["items"]) if r in c.results and not c.results[r].verified]
    return Reason("evidence_required", pointer="/evidence") if unverified and not given.get("evidence") else None


def supersedes_reversed(c: NewCase, given: Given) -> Reason | None:
    """A case supersedes one of the same person that was reversed, and only once."""
    named = given.get("supersedes_id")
    return Reason("supersedes_reversed", pointer="/supersedes_id") if named and named not in c.reversed_cases else None


# ---- evidence
def each_supplied(c: CaseDossier, given: Given) -> Reason | None:
    """Every kind of document that was asked for is among those that are supplied."""
    kinds = {c.documents.get(d) for d in given["evidence"]}
    missing = [k for k in c.evidence_wanted if k not in kinds]
    return Reason("each_supplied", required=missing, pointer="/evidence") if missing else None


def evidence_overdue(c: CaseDossier) -> Reason | None:
    """A case lapses when its date for evidence has passed."""
    if c.evidence_until is not None and c.today > c.evidence_until:
        return None
    return Reason("evidence_overdue", required=c.evidence_until, actual=c.today)


# ---- deciding
def each_item_decided(c: CaseDossier, given: Given) -> Reason | None:
    """Every item is decided, and only once."""
    wanted, named = sorted(str(i.id) for i in c.items), sorted(str(d.item_id) for d in given["decisions"])
    return Reason("each_item_decided", required=wanted, pointer="/decisions") if wanted != named else None


def decisions_sound(c: CaseDossier, given: Given) -> list[Reason]:
    """Less than recognised needs a code and written reasons; what is recognised was verified and passed."""
    items = {i.id: i for i in c.items}
    found: list[Reason] = []
    for n, decision in enumerate(given.get("decisions") or ()):
        if (item := items.get(decision.item_id)) is not None:
            found += _sound(decision, item, f"/decisions/{n}")
    return found


def _sound(d: ItemDecision, item: CaseItem, at: str) -> list[Reason]:
    found = _unreserved(d, at) if d.outcome == "recognised" else _reasoned(d, at)
    if d.mode is not None and d.mode not in modes_of(d.outcome, item):
        found.append(Reason("mode_of_outcome", required=modes_of(d.outcome, item), actual=d.mode, pointer=f"{at}/mode"))
    return found + (_nothing_earned(d, at) if d.outcome == "not_recognised" else _earned(d, item, at))


def _unreserved(d: ItemDecision, at: str) -> list[Reason]:
    return [Reason("recognised_without_difference", pointer=f"{at}/difference_codes")] if d.difference_codes else []


def _reasoned(d: ItemDecision, at: str) -> list[Reason]:
    found = []
    if not d.difference_codes:
        found.append(Reason("difference_named", required=DIFFERENCES, pointer=f"{at}/difference_codes"))
    if not (d.reason_text or "").strip():
        found.append(Reason("reasons_written", pointer=f"{at}/reason_text"))
    return found


def _nothing_earned(d: ItemDecision, at: str) -> list[Reason]:
    return [Reason("nothing_awarded", required="0", pointer=f"{at}/credits_awarded")] if d.credits_awarded else []


def _earned(d: ItemDecision, item: CaseItem, at: str) -> list[Reason]:
    found = []
    unsaid = d.outcome == "partially_recognised" and d.credits_awarded is None
    if unsaid or awarded(d, item) <= 0:
        found.append(Reason("credits_awarded", required="> 0", pointer=f"{at}/credits_awarded"))
    if not item.verified:
        found.append(Reason("result_verified", pointer=f"{at}/outcome"))
    if not item.passed:
        found.append(Reason("result_passed", pointer=f"{at}/outcome"))
    return found


def wholly_recognised(c: CaseDossier) -> bool:
    """Whether nothing in the decisions that stand is negative or partial."""
    return all(i.outcome == "recognised" for i in c.items)


def notified_or_final(c: CaseDossier, _given: Given) -> str:
    """With nothing negative or partial there is nothing to appeal: it goes on to final."""
    return "final" if wholly_recognised(c) else "notified"


def not_final(c: CaseDossier) -> Reason | None:
    """What is final is reversed with entries in the ledger, not corrected."""
    return Reason("not_final", actual=c.state) if c.state == "final" else None


# ---- appeal
def appeal_in_time(c: CaseDossier) -> Reason | None:
    """An appeal is lodged by the last day of its time."""
    if c.appeal_until is None or c.today <= c.appeal_until:
        return None
    return Reason("appeal_in_time", required=c.appeal_until, actual=c.today)


def appeal_time_over(c: CaseDossier) -> Reason | None:
    """A decision becomes final when the time for an appeal has passed."""
    if c.appeal_until is not None and c.today > c.appeal_until:
        return None
    return Reason("appeal_time_over", required=c.appeal_until, actual=c.today)


def another_decider(c: CaseDossier) -> Reason | None:
    """An appeal is decided by another account than any that decided the case."""
    return Reason("another_decider") if c.asker in c.deciders else None


def amended_items_named(c: CaseDossier, given: Given) -> Reason | None:
    """An amendment says what is decided instead, of items of the case, each once; no other outcome decides items."""
    named = [d.item_id for d in given.get("decisions") or ()]
    known = {i.id for i in c.items}
    if given["outcome"] != "amended":
        return Reason("only_amended_decides", required="amended", pointer="/decisions") if named else None
    if not named or len(set(named)) < len(named) or not set(named) <= known:
        return Reason("amended_items_named", required=sorted(map(str, known)), pointer="/decisions")
    return None


def final_or_assessing(_c: CaseDossier, given: Given) -> str:
    """A remitted case is assessed again; upheld or amended, it is final."""
    return "assessing" if given.get("outcome") == "remitted" else "final"


# ---- taking back
def shares_free_again(c: CaseDossier) -> list[Reason]:
    """A case comes back only while what it claims of its results is still free."""
    free = {i.result_id: i.free_percent for i in c.items}
    return [
        Reason("share_free", required=str(free[result]), actual=str(share))
        for result, share in shares(c.items).items()
        if share > free[result]
    ]
