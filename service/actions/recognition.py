"""What the moves of a recognition case leave behind: claims on results, decisions, appeals, entries in the ledger."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from service.actions.reading import check, records
from service.actions.recognition_rules import worded
from service.actions.timers import Timer
from service.actions.work import Call, Item, Missing, Services, Subject, Work, read_facts
from service.domain.actors import Actor
from service.domain.conversion import canonical, exact, recomputed
from service.domain.equivalences import Award, Equivalence, by_hand
from service.domain.lifecycle import Given, Refused, Step
from service.domain.recognition import (
    APPEAL_DAYS,
    DUE_WEEKS,
    EVIDENCE_DAYS,
    RECOGNITION_CASE,
    WHOLE,
    CaseItem,
    ItemDecision,
    WantedItem,
    awarded,
    awards_of,
    mode_of,
    of_case,
    shares,
)
from service.domain.recognition_rules import RECOGNITION_RULE
from service.storage import recognition
from service.storage.ids import uuid7
from service.storage.tables import recognition as tables
from service.storage.tables.recognition_rules import recognition_rules
from service.storage.vault import Sealed

Standing = tuple[str, Decimal, str | None]
"""What was decided of an item: the outcome, the credits, and as what it counts."""


# ---- claims on results
def _claim(work: Work, person: UUID, case: UUID, items: Iterable[WantedItem | CaseItem]) -> None:
    """The items' shares of their results belong to the case; a result's own number keeps all cases below the whole."""
    for result, share in shares(items).items():
        work.writes.row(tables.recognition_claims, person, result_id=result, case_id=case, share_percent=share)
        work.writes.count(tables.results, person, {"id": result}, claimed_percent=share)


def _free(work: Work, item: Item[Any], held: Iterable[CaseItem], freed: Iterable[CaseItem]) -> None:
    """The shares of some of what the case holds are free for others; a claim of which nothing is left is gone."""
    holds = shares(held)
    for result, share in shares(freed).items():
        if share == holds[result]:
            work.writes.forget(tables.recognition_claims, item.stream, result_id=result, case_id=item.id)
        else:
            key = {"result_id": result, "case_id": item.id}
            work.writes.count(tables.recognition_claims, item.stream, key, share_percent=-share)
        work.writes.count(tables.results, item.stream, {"id": result}, claimed_percent=-share)


def open_case(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The case with its items and its claim on each result."""
    case = work.created["recognition_case"]
    for place, wanted in enumerate(given["items"]):
        work.writes.row(
            tables.recognition_items,
            item.stream,
            id=uuid7(),
            case_id=case,
            result_id=wanted.result_id,
            target_course_id=wanted.target_course_id,
            target=wanted.target,
            share_percent=wanted.share_percent,
            credits=item.dossier.results[wanted.result_id].credits * wanted.share_percent / WHOLE,
            place=place,
        )
    _claim(work, item.stream, case, given["items"])
    due_on = work.occurred_on + timedelta(weeks=DUE_WEEKS)
    claimed = [{"result_id": r, "share_percent": s} for r, s in shares(given["items"]).items()]
    return {
        "kind": given["kind"],
        "supersedes_id": given.get("supersedes_id"),
        "due_on": due_on,
        "programme_id": item.dossier.programme_id,
        "event_data": {"kind": given["kind"], "due_on": due_on, "claims": claimed}
        | ({"supersedes_id": given["supersedes_id"]} if given.get("supersedes_id") else {}),
    }


def leave(work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Withdrawn, lapsed or never opened: what the case claimed is free."""
    _free(work, item, item.dossier.items, item.dossier.items)
    return {}


def come_back(work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """The case lives again, and claims what it claimed."""
    _claim(work, item.stream, item.id, item.dossier.items)
    return {}


def unlapse(work: Work, item: Item[Any], step: Step, given: Given) -> dict[str, Any]:
    """The case waits for its evidence again, with time to supply it."""
    until = work.today + timedelta(days=EVIDENCE_DAYS)
    return come_back(work, item, step, given) | {"evidence_until": until, "event_data": {"evidence_until": until}}


# ---- evidence
def ask_evidence(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """What is missing, and until when it is waited for."""
    wanted = {"evidence_wanted": list(dict.fromkeys(given["missing"])), "evidence_until": given["evidence_until"]}
    return wanted | {"event_data": wanted}


def unask_evidence(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Nothing is missing."""
    return {"evidence_wanted": None, "evidence_until": None}


# ---- decisions
def _decide(
    work: Work,
    item: Item[Any],
    action: str,
    decisions: Iterable[ItemDecision],
    awards: Mapping[UUID, Award] | None = None,
    saved: UUID | None = None,
) -> tuple[dict[UUID, Standing], list[UUID]]:
    """Decisions are appended, never changed, each with its trace; what each item earns by them, and their ids."""
    items = {i.id: i for i in item.dossier.items}
    standing: dict[UUID, Standing] = {}
    ids = []
    for decision in decisions:
        new_id, credits_ = uuid7(), awarded(decision, items[decision.item_id])
        reasons = decision.reason_text
        award = (awards or {}).get(decision.item_id)
        trace = award.trace if award else by_hand(items[decision.item_id].credits, credits_)
        work.writes.row(
            tables.recognition_decisions,
            item.stream,
            id=new_id,
            case_id=item.id,
            item_id=decision.item_id,
            round=item.dossier.round + 1,
            action=action,
            outcome=decision.outcome,
            credits_awarded=credits_,
            difference_codes=list(decision.difference_codes),
            reason_sealed=work.seal(item.stream, reasons, "recognition_decision", new_id) if reasons else None,
            overlap_percent=decision.overlap_percent,
            grade_awarded=award.grade if award else None,
            rule_id=award.rule_id or saved if award else None,
            mode=mode_of(decision, items[decision.item_id]),
            trace=canonical(trace),
            decided_by=work.actor.account_id,
            decided_on=work.occurred_on,
            decided_at=work.now,
        )
        standing[decision.item_id] = (decision.outcome, credits_, mode_of(decision, items[decision.item_id]))
        ids.append(new_id)
    return standing, ids


def decide(work: Work, item: Item[Any], step: Step, given: Given) -> dict[str, Any]:
    """A decision on each item. Its event names the decisions; the outcomes are told with the notice."""
    _, ids = _decide(work, item, step.action, given["decisions"])
    return _decided(work, item, ids)


def decide_by_rule(work: Work, item: Item[Any], step: Step, given: Given) -> dict[str, Any]:
    """Each item as the rules have it (or the equivalences that were handed in), with every step."""
    awards, saved = awards_of(item.dossier, given), _saved(work, item, given)
    decisions = [
        ItemDecision(
            item_id=i,
            outcome="recognised" if a.mode == "full" else "partially_recognised",
            credits_awarded=a.credits,
            difference_codes=a.differences,
            reason_text=a.conditions,
            mode=a.mode,
        )
        for i, a in awards.items()
    ]
    _, ids = _decide(work, item, step.action, decisions, awards, saved)
    rules = sorted({str(r) for a in awards.values() if (r := a.rule_id or saved)})
    return _decided(work, item, ids, {"rules": rules} if rules else None)


def _saved(work: Work, item: Item[Any], given: Given) -> UUID | None:
    """The rule as which the decision is kept: made once in an act, with the first case that it decides."""
    if (rule := given.get("save_as")) is None:
        return None
    if rule not in work.once:
        equivalence: Equivalence = given["equivalences"][0]
        work.once[rule] = new_id = uuid7()
        columns = worded(work, new_id, dataclasses.asdict(rule), equivalence, item.dossier.last_edition + 1)
        data = columns.pop("event_data")
        work.bear(
            recognition_rules, RECOGNITION_RULE, "save", work.call.institution, item_id=new_id, data=data, **columns
        )
    work.created["recognition_rule"] = work.once[rule]
    return work.once[rule]


def _decided(work: Work, item: Item[Any], ids: list[UUID], more: dict[str, Any] | None = None) -> dict[str, Any]:
    """Decided, and to be signed by whomever the regulation names; at once told where it names nobody."""
    regulation = of_case(item.dossier)
    return {
        "round": item.dossier.round + 1,
        "decided_on": work.occurred_on,
        "sign_off": list(regulation.signatures) if regulation else [],
        "event_data": {"decisions": ids, "round": item.dossier.round + 1} | (more or {}),
    }


def sign(work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """One signature more; the next role of the chain is asked, if there is one."""
    role, *left = item.dossier.sign_off
    work.writes.row(
        tables.recognition_signatures,
        item.stream,
        id=uuid7(),
        case_id=item.id,
        round=item.dossier.round,
        role=role,
        signed_by=work.actor.account_id,
        signed_on=work.occurred_on,
    )
    return {"sign_off": left, "event_data": {"role": role, "round": item.dossier.round, "left": len(left)}}


def send_back(_work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Whoever was to sign does not: it is assessed again, and what was decided no longer stands."""
    return {"decided_on": None, "sign_off": [], "event_data": {"round": item.dossier.round}}


def undecide(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """The decisions stay on record and no longer stand: the next ones follow them."""
    return {"decided_on": None, "sign_off": []}


def _standing(item: Item[Any]) -> dict[UUID, Standing]:
    return {i.id: (i.outcome or "not_recognised", i.credits_awarded, i.mode) for i in item.dossier.items}


def _told(standing: dict[UUID, Standing]) -> list[dict[str, Any]]:
    return [
        {"item_id": i, "outcome": o, "credits_awarded": a} | ({"mode": m} if m == "elective" else {})
        for i, (o, a, m) in standing.items()
    ]


def notify(work: Work, item: Item[Any], step: Step, _given: Given) -> dict[str, Any]:
    """The trainee may read the decisions, and appeal where one is negative or partial."""
    standing = _standing(item)
    columns: dict[str, Any] = {"told_round": item.dossier.round}
    if step.to_state == "final":
        _settle(work, item, standing)
        return columns | {"event_data": {"items": _told(standing)}}
    until = work.occurred_on + timedelta(days=APPEAL_DAYS)
    return columns | {"appeal_until": until, "event_data": {"items": _told(standing), "appeal_until": until}}


def unnotify(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """No time for an appeal runs; what was read stays read."""
    return {"appeal_until": None}


# ---- the ledger
def _enter(work: Work, item: Item[Any], sign: int, standing: dict[UUID, Standing]) -> None:
    """What each item earns, for its target; as an elective it is for no course."""
    for i in item.dossier.items:
        _, earned, mode = standing[i.id]
        elective = mode == "elective"
        if earned > 0:
            work.writes.row(
                tables.ledger,
                item.stream,
                id=uuid7(),
                person_id=item.stream,
                course_id=None if elective else i.target_course_id,
                target=i.target or ("elective" if elective else None),
                mode=mode,
                credits=earned,
                sign=sign,
                item_id=i.id,
                case_id=item.id,
                entered_on=work.occurred_on,
                entered_at=work.now,
            )


def _settle(work: Work, item: Item[Any], standing: dict[UUID, Standing]) -> None:
    """Final: what was recognised is earned, and what was not may be claimed again."""
    _enter(work, item, 1, standing)
    _free(work, item, item.dossier.items, [i for i in item.dossier.items if standing[i.id][0] == "not_recognised"])


def finalise(work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Nobody appealed in time."""
    standing = _standing(item)
    _settle(work, item, standing)
    return {"event_data": {"items": _told(standing)}}


def reverse(work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """What was earned is taken out of the ledger by entries of its own, and every result is free for a new case."""
    standing = _standing(item)
    _enter(work, item, -1, standing)
    held = [i for i in item.dossier.items if standing[i.id][0] != "not_recognised"]
    _free(work, item, held, held)
    return {"event_data": {"items": _told(standing)}}


# ---- appeals
def appeal(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The appeal, its grounds sealed."""
    appeal_id = uuid7()
    work.writes.row(
        tables.recognition_appeals,
        item.stream,
        id=appeal_id,
        case_id=item.id,
        grounds_sealed=work.seal(item.stream, given["grounds"], "recognition_appeal", appeal_id),
        lodged_by=work.actor.account_id,
        lodged_on=work.occurred_on,
    )
    work.created["recognition_appeal"] = appeal_id
    return {"event_data": {"appeal_id": appeal_id}}


def unappeal(work: Work, item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """The appeal was recorded in error."""
    work.writes.change(tables.recognition_appeals, item.stream, id=item.dossier.appeal_id, outcome="voided")
    return {}


def decide_appeal(work: Work, item: Item[Any], step: Step, given: Given) -> dict[str, Any]:
    """What becomes of the decision; upheld or amended, it is final and the ledger follows."""
    appeal_id, outcome = item.dossier.appeal_id, given["outcome"]
    work.writes.change(
        tables.recognition_appeals,
        item.stream,
        id=appeal_id,
        outcome=outcome,
        reason_sealed=work.seal(item.stream, given["reason_text"], "recognition_appeal_reasons", appeal_id),
        decided_by=work.actor.account_id,
        decided_on=work.occurred_on,
    )
    data: dict[str, Any] = {"appeal_id": appeal_id, "outcome": outcome}
    columns: dict[str, Any] = {"appeal_until": None}
    standing = _standing(item)
    if outcome == "amended":
        amended, ids = _decide(work, item, step.action, given["decisions"])
        standing |= amended
        data["decisions"] = ids
        columns |= {"round": item.dossier.round + 1, "told_round": item.dossier.round + 1}
        columns["decided_on"] = work.occurred_on
    if step.to_state == "final":
        _settle(work, item, standing)
        data["items"] = _told(standing)
    return columns | {"event_data": data}


SUBJECT: Subject[Any] = Subject(
    "recognition_cases",
    RECOGNITION_CASE,
    tables.recognition_cases,
    recognition.FACTS,
    births={"open": recognition.NEW_FACTS, "decide_alike": recognition.ALIKE_FACTS},
    effects={
        "open": open_case,
        "ask_evidence": ask_evidence,
        "lapse": leave,
        "decide": decide,
        "decide_by_rule": decide_by_rule,
        "decide_alike": decide_by_rule,
        "sign": sign,
        "send_back": send_back,
        "notify": notify,
        "finalise": finalise,
        "appeal": appeal,
        "decide_appeal": decide_appeal,
        "withdraw": leave,
        "reverse": reverse,
    },
    undo={
        "open": leave,
        "ask_evidence": unask_evidence,
        "lapse": unlapse,
        "decide": undecide,
        "decide_by_rule": undecide,
        "decide_alike": undecide,
        "notify": unnotify,
        "appeal": unappeal,
        "withdraw": come_back,
    },
)
TIMERS: list[Timer] = [
    *[Timer("recognition_cases_decide_by_rule", SUBJECT, "decide_by_rule", due) for due in recognition.DUE_BY_RULE],
    Timer("recognition_cases_notify", SUBJECT, "notify", recognition.DUE_TO_NOTIFY),
    Timer("recognition_cases_finalise", SUBJECT, "finalise", recognition.DUE_TO_FINALISE),
    Timer("recognition_cases_lapse", SUBJECT, "lapse", recognition.DUE_TO_LAPSE),
]


def opened(services: Services, call: Call, row: dict[str, Any]) -> dict[str, Any]:
    """A case as it is read: written reasons and grounds in the clear, None where the person's key was forgotten."""
    wrapped, person = row["wrapped"], row["person_id"]

    def clear(sealed: str | None, field: str, of: str) -> str | None:
        if sealed is None or wrapped is None:
            return None
        try:
            key = services.vault.stream_key(wrapped, call.institution, person)
            return key.open(bytes.fromhex(sealed.removeprefix("\\x")), call.institution, person, field, UUID(of))
        except Sealed:
            return None

    decisions = [
        _without(d, "reason_sealed") | {"reason_text": clear(d["reason_sealed"], "recognition_decision", d["id"])}
        for d in row["decisions"]
    ]
    appeals = [
        _without(a, "grounds_sealed", "reason_sealed")
        | {
            "grounds": clear(a["grounds_sealed"], "recognition_appeal", a["id"]),
            "reason_text": clear(a["reason_sealed"], "recognition_appeal_reasons", a["id"]),
        }
        for a in row["appeals"]
    ]
    return _without(row, "wrapped") | {"decisions": decisions, "appeals": appeals}


async def traces(services: Services, call: Call, case: UUID) -> list[dict[str, Any]]:
    """How every decided number came about, and whether it comes about so again.

    Raises:
        Missing: no case that the actor sees.
    """
    _, found = await records(services, call, recognition.traces_of(call.eyes), "recognition_cases.read", by_id=case)
    if found[0]["case_id"] is None:
        raise Missing
    names = ("item_id", "round", "credits_awarded", "grade_awarded", "rule_id")
    return [
        {"decision_id": r["id"]} | _traced({name: r[name] for name in names}, r["trace"])
        for r in found
        if r["id"] is not None
    ]


def _traced(row: dict[str, Any], kept: str) -> dict[str, Any]:
    """A decision with its steps; those that do not hold are named, and so is a result that is not what was awarded."""
    try:
        trace = json.loads(kept)
        amount = exact(trace["credits"][-1]["result"]["amount"])
    except (ValueError, TypeError, LookupError):  # somebody wrote into the database
        return row | {"trace": {}, "holds": False, "wrong_steps": {}}
    wrong = {name: recomputed(steps) for name, steps in trace.items()}
    holds = amount == Fraction(row["credits_awarded"]) and not any(wrong.values())
    return row | {"trace": trace, "holds": holds, "wrong_steps": wrong}


async def precedents(services: Services, call: Call, case: UUID) -> list[dict[str, Any]]:
    """What was decided before of the same courses for the same targets, counted by outcome.

    Raises:
        Missing: no case that the actor sees.
    """
    statement = recognition.precedents_of(call.eyes)
    _, found = await records(services, call, statement, "recognition_cases.weigh", by_id=case)
    if found[0]["case_id"] is None:
        raise Missing
    names = ("item_id", "outcome", "decisions", "credits_least", "credits_most", "last_on")
    return [{name: r[name] for name in names} for r in found if r["item_id"] is not None]


async def preview(services: Services, call: Call, cases: Sequence[UUID], given: Given) -> list[dict[str, Any]]:
    """What each case would get by the equivalences (or by the rules in force), with traces; nothing is written."""
    actor, read = await read_facts(services, call, SUBJECT, cases)
    check(actor, "recognition_cases.weigh")
    action = "decide_alike" if given.get("equivalences") else "decide_by_rule"
    return [_would_get(i, read.get(i), action, actor, given) for i in cases]


def _would_get(case: UUID, item: Item[Any] | None, action: str, actor: Actor, given: Given) -> dict[str, Any]:
    told: dict[str, Any] = {"id": case, "version": item.version if item else None, "awards": [], "reasons": ()}
    if item is None:
        return told | {"would": False, "error": "not-found"}
    try:
        RECOGNITION_CASE.decide(action, item.dossier, actor, given)
    except Refused as no:
        return told | {"would": False, "error": "refused", "reasons": no.reasons}
    awards = [
        {
            "item_id": i,
            "credits_awarded": a.credits,
            "grade_awarded": a.grade,
            "rule_id": a.rule_id,
            "mode": a.mode,
            "trace": a.trace,
        }
        for i, a in awards_of(item.dossier, given).items()
    ]
    return told | {"would": True, "error": None, "awards": awards}


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in names}
