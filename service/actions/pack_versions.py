"""What the moves of an institution's own version of a pack leave behind."""

from __future__ import annotations

from typing import Any

from service.actions.work import Item, Subject, Work
from service.domain.lifecycle import Given, Reason, Refused, Step
from service.domain.pack_versions import PACK_VERSION
from service.domain.requirements import Pack
from service.storage import pack_versions as stored
from service.storage.packs import FaultyPack, parse_pack
from service.storage.tables.pack_versions import pack_versions


def proposed(content: object) -> Pack:
    """A pack from what a client sent.

    Raises:
        Refused: with every fault and its place.
    """
    try:
        return parse_pack(content)
    except FaultyPack as faulty:
        raise Refused([Reason(f.code, f.required, pointer=f"/content{f.pointer}") for f in faulty.faults]) from None


def read_content(given: Given) -> dict[str, Any]:
    """What is given, with the content as the loader reads it: a pack, or every fault."""
    if "content" not in given:
        return dict(given)
    try:
        return {**given, "read": proposed(given["content"])}
    except Refused as refused:
        return {**given, "read": tuple(refused.reasons)}


def load(work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The content as it was written, under its key and number."""
    pack: Pack = given["read"]
    return {
        "key": pack.key,
        "number": pack.version,
        "content": given["content"],
        "rationale": given["rationale"],
        "loaded_by": work.actor.account_id,
        "event_data": {"pin": pack.pin},
    }


def adopt(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Whoever is nominated from now on, and plans for that day or later, is judged by it."""
    return {"from_on": given["from_on"], "event_data": {"from_on": given["from_on"]}}


def retire(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Nobody who plans for a later day is judged by it; whoever was pinned to it must change for such a day."""
    return {"until_on": given["until_on"], "event_data": {"until_on": given["until_on"]}}


SUBJECT: Subject[Any] = Subject(
    "pack_versions",
    PACK_VERSION,
    pack_versions,
    stored.FACTS,
    births={"load": stored.NEW_FACTS},
    effects={"load": load, "adopt": adopt, "retire": retire},
)
