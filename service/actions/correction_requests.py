"""What the moves of a correction request leave behind; the person's words are opened for whoever may read them."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json, to_json

from service.actions.work import Call, Item, Services, Subject, Work
from service.domain.correction_requests import CORRECTION_REQUEST, CorrectionDossier, NewCorrection, rule_of
from service.domain.lifecycle import Given, Step
from service.storage import correction_requests as stored
from service.storage.rights import answer_rules
from service.storage.tables.correction_requests import correction_requests
from service.storage.vault import Sealed

WORDS = ("wrong", "right")


def file(work: Work, item: Item[NewCorrection], _step: Step, given: Given) -> dict[str, Any]:
    """The request, its words sealed, and the last day for its answer by the rule of the institution's country."""
    rule = rule_of(item.dossier.country, answer_rules())
    said = {"subject": given["subject"], "subject_id": given.get("subject_id") or item.stream}
    said |= {"field": given.get("field"), "due_on": rule.last_day(work.today), "rule": rule.key}
    words = to_json({name: given.get(name) for name in WORDS}).decode()
    return said | {
        "said_sealed": work.seal(item.stream, words, "correction_request"),
        "documents": list(given.get("evidence") or ()),
        "filed_on": work.today,
        "event_data": said,
    }


def extend(_work: Work, item: Item[CorrectionDossier], _step: Step, given: Given) -> dict[str, Any]:
    """The answer takes longer, to the last day that the law allows; the person reads why."""
    until = {"due_on": item.dossier.extended_until}
    return until | {"since_on": item.dossier.since_on, "event_data": until | {"reason_code": given["reason_code"]}}


def settle(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """It was corrected, by the act that is named."""
    by = {"corrected_by": given["action_id"]}
    return by | {"event_data": by}


def refuse(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """It was not corrected, and why."""
    return {"refused_because": given["reason_code"]}


def not_settled(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Not corrected after all."""
    return {"corrected_by": None}


def not_refused(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Open again."""
    return {"refused_because": None}


def opened(services: Services, call: Call, row: dict[str, Any]) -> dict[str, Any]:
    """A row with the person's own words; nothing where their key was forgotten."""
    sealed, wrapped = row["said_sealed"], row["wrapped"]
    words: dict[str, Any] = dict.fromkeys(WORDS)
    if wrapped is not None:
        try:
            key = services.vault.stream_key(wrapped, call.institution, row["person_id"])
            words = from_json(key.open(sealed, call.institution, row["person_id"], "correction_request"))
        except Sealed:
            words = dict.fromkeys(WORDS)
    return {name: value for name, value in row.items() if name not in ("said_sealed", "wrapped")} | words


SUBJECT: Subject[Any] = Subject(
    "correction_requests",
    CORRECTION_REQUEST,
    correction_requests,
    stored.FACTS,
    births={"file": stored.NEW_FACTS, "settle": stored.SETTLE_FACTS},
    effects={"file": file, "extend": extend, "settle": settle, "refuse": refuse},
    undo={"settle": not_settled, "refuse": not_refused},
)
