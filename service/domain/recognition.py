"""Recognition of what was learnt elsewhere: claims on results, decisions with reasons, appeal, a ledger of credits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR, GUARDIAN, REGISTRAR, SYSTEM, SYSTEM_ACCOUNT, TRAINEE
from service.domain.conversion import CreditScheme
from service.domain.equivalences import Award, Equivalence, Proposal, RuleInForce, propose, sound
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes, because
from service.domain.regulations import Regulation, in_force

KINDS = ("transcript", "prior_learning")
Outcome = Literal["recognised", "partially_recognised", "not_recognised"]
Difference = Literal["level", "workload", "quality", "profile", "outcomes", "failed", "no_evidence"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)
DIFFERENCES: tuple[str, ...] = get_args(Difference)
APPEAL_OUTCOMES = ("upheld", "amended", "remitted")
EVIDENCE_KINDS = ("transcript", "certificate", "diploma", "contract", "identity", "correspondence", "other")
"""Kinds of documents that a case may be short of."""

APPEAL_DAYS = 30
"""Days after the notice in which a decision can be appealed."""
DUE_WEEKS = 5
"""Weeks after the opening in which a case is to be decided."""
EVIDENCE_DAYS = 14
"""Days in which evidence can be supplied again after a lapse was corrected."""
WHOLE = Decimal(100)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedItem:
    """A share of a result, and what it is to count as."""

    result_id: UUID
    target_course_id: UUID | None = None
    target: Annotated[str, "line"] | None = None
    share_percent: Decimal = WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDecision:
    """What is decided of one item. Without `credits_awarded` a recognised item earns what it claims.

    `overlap_percent` is how much of the target's content was covered; a regulation may ask for it.
    """

    item_id: UUID
    outcome: Outcome
    credits_awarded: Decimal | None = None
    difference_codes: tuple[Difference, ...] = ()
    reason_text: str | None = None
    overlap_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimable:
    """A result of the person, and how much of it no live case claims."""

    verified: bool
    credits: Decimal
    free_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseItem:
    """An item of a case with the state of its result and the decision that stands, if any."""

    id: UUID
    result_id: UUID
    target_course_id: UUID | None
    target: str | None
    share_percent: Decimal
    credits: Decimal
    verified: bool
    passed: bool
    free_percent: Decimal
    outcome: str | None = None
    credits_awarded: Decimal = Decimal(0)
    source_course_id: UUID | None = None
    source_elective: bool = False
    grade: str | None = None
    achieved_on: date | None = None
    target_credits: Decimal | None = None
    target_kind: str | None = None
    target_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """Credits that decisions of the person's other cases give for a target, as long as they stand."""

    target_course_id: UUID | None
    kind: str | None
    credits: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase(Dossier):
    """What is known of a person when a case is opened: their results, and reversed cases that none supersedes yet.

    `courses` are those that its items name and that are the institution's own.
    """

    results: Mapping[UUID, Claimable] = field(default_factory=dict)
    reversed_cases: frozenset[UUID] = frozenset()
    courses: frozenset[UUID] = frozenset()
    programme_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDossier(Dossier):
    """All that the rules of a case may know. `deciders` are the accounts that decided in it, `asker` who asks now.

    `sign_off` are the roles that have yet to sign what was decided, in order; `signers` the accounts that did.
    """

    items: tuple[CaseItem, ...] = ()
    round: int = 0
    deciders: frozenset[UUID] = frozenset()
    asker: UUID | None = None
    evidence_until: date | None = None
    evidence_wanted: tuple[str, ...] = ()
    documents: Mapping[UUID, str] = field(default_factory=dict)
    appeal_until: date | None = None
    appeal_id: UUID | None = None
    asker_roles: tuple[str, ...] = ()
    sign_off: tuple[str, ...] = ()
    signers: frozenset[UUID] = frozenset()
    rules: tuple[RuleInForce, ...] = ()
    regulations: tuple[Regulation, ...] = ()
    earned: tuple[Earned, ...] = ()
    schemes: tuple[CreditScheme, ...] = ()


def shares(items: Iterable[WantedItem | CaseItem]) -> dict[UUID, Decimal]:
    """How much of each result the items claim together, in percent."""
    found: dict[UUID, Decimal] = {}
    for item in items:
        found[item.result_id] = found.get(item.result_id, Decimal(0)) + item.share_percent
    return found


def awarded(decision: ItemDecision, item: CaseItem) -> Decimal:
    """The credits that a decision gives: what it says; the whole claim where it recognises without saying."""
    if decision.outcome == "not_recognised":
        return Decimal(0)
    return item.credits if decision.credits_awarded is None else decision.credits_awarded


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


# ---- deciding by rule
def proposed(c: CaseDossier, given: Given) -> Proposal:
    """What each item gets by the equivalences that were handed in, or else by the institution's own rules."""
    regulation = of_case(c)
    schemes = (*c.schemes, regulation.scheme) if regulation else c.schemes
    return propose(c.items, given.get("equivalences") or c.rules, schemes)


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


OPENED: tuple[Takes[Any], ...] = (
    Takes("kind", str, "From a transcript, or from prior learning.", choices=KINDS),
    Takes("items", tuple[WantedItem, ...], "Shares of results, and what they are to count as."),
    Takes("supersedes_id", UUID, "The reversed case that this one takes the place of.", needed=False),
)
ASKED: tuple[Takes[Any], ...] = (
    Takes("missing", tuple[str, ...], "Kinds of documents that are missing.", choices=EVIDENCE_KINDS),
    Takes("evidence_until", date, "The last day for them.", least=lambda c: c.today, code="in_future"),
)
DECIDED: tuple[Takes[Any], ...] = (
    Takes("decisions", tuple[ItemDecision, ...], "What is decided of each item, with reasons for less."),
)
ALIKE: tuple[Takes[Any], ...] = (
    Takes("equivalences", tuple[Equivalence, ...], "What counts as what; the same that a rule is drafted from."),
)
APPEALED: tuple[Takes[Any], ...] = (Takes("grounds", str, "Why the decision is not accepted."),)
APPEAL_DECIDED: tuple[Takes[Any], ...] = (
    Takes("outcome", str, "What becomes of the decision.", choices=APPEAL_OUTCOMES),
    Takes("reason_text", str, "The reasons, in writing."),
    Takes("decisions", tuple[ItemDecision, ...], "Where amended: what is decided instead.", needed=False),
)
LIVE: Sequence[str] = ("opened", "assessing", "evidence_requested", "decided", "notified", "appealed")
THEMSELVES = (TRAINEE, GUARDIAN)
SIGN = (REGISTRAR, COORDINATOR, ADMIN)

# fmt: off
RECOGNITION_CASE = Lifecycle[Any]("recognition_case", [
    #    action             from                     to                      who                    only if             leaves behind
    Rule("open",            [NEW],                   "opened",               [REGISTRAR, *THEMSELVES], [],              "recognition_case.opened",
         takes=OPENED, checks=[items_sound, shares_free, results_shown, supersedes_reversed]),
    Rule("take_on",         ["opened"],              "assessing",            [REGISTRAR],           [],                 "recognition_case.taken_on"),
    Rule("ask_evidence",    ["assessing"],           "evidence_requested",   [REGISTRAR],           [],                 "recognition_case.evidence_asked",
         takes=ASKED),
    Rule("supply_evidence", ["evidence_requested"],  "assessing",            THEMSELVES,            [],                 "recognition_case.evidence_supplied",
         checks=[each_supplied], evidence=True),
    Rule("lapse",           ["evidence_requested"],  "lapsed",               [SYSTEM],              [evidence_overdue], "recognition_case.lapsed",
         undo=[shares_free_again]),
    Rule("decide",          ["opened", "assessing"], "decided",              [REGISTRAR],           [],                 "recognition_case.decided",
         takes=DECIDED, checks=[each_item_decided, decisions_sound, within_regulation]),
    Rule("decide_by_rule",  ["opened", "assessing"], "decided",              [REGISTRAR, SYSTEM],   [rules_take_it, automatic_for_the_system], "recognition_case.decided_by_rule"),
    Rule("decide_alike",    ["opened", "assessing"], "decided",              [REGISTRAR],           [],                 "recognition_case.decided_alike",
         takes=ALIKE, checks=[awards_sound]),
    Rule("sign",            ["decided"],             "decided",              SIGN,                  [next_to_sign],     "recognition_case.signed",
         undo=False),
    Rule("send_back",       ["decided"],             "assessing",            SIGN,                  [next_to_sign],     "recognition_case.sent_back",
         takes=[because("reasons_missing", "outcome_differs", "evidence_missing", "other")], undo=False),
    Rule("notify",          ["decided"],             ["notified", "final"],  [COORDINATOR, SYSTEM], [signed_off],       "recognition_case.notified",
         which=notified_or_final, undo=[not_final]),
    Rule("finalise",        ["notified"],            "final",                [SYSTEM],              [appeal_time_over], "recognition_case.finalised",
         undo=False),
    Rule("appeal",          ["notified"],            "appealed",             THEMSELVES,            [appeal_in_time],   "recognition_case.appealed",
         takes=APPEALED),
    Rule("decide_appeal",   ["appealed"],            ["final", "assessing"], [REGISTRAR],           [another_decider],  "recognition_case.appeal_decided",
         takes=APPEAL_DECIDED, checks=[amended_items_named, decisions_sound, within_regulation], which=final_or_assessing, undo=False),
    Rule("withdraw",        LIVE,                    "withdrawn",            THEMSELVES,            [],                 "recognition_case.withdrawn",
         undo=[shares_free_again]),
    Rule("reverse",         ["final"],               "reversed",             [REGISTRAR],           [],                 "recognition_case.reversed",
         takes=[because("data_error", "fraud", "entered_in_error", "other")], undo=False),
])
# fmt: on
