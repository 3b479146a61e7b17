"""Words for codes, in the reader's language: gettext catalogues, one file a capability and language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import polib
from pydantic_core import to_json

from service.api.problems import Language, because
from service.domain.lifecycle import Offer, Reason

LANGUAGES: tuple[Language, ...] = ("en", "zh")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Every code of a language with its words."""
    folder = files("service.data") / "messages" / language
    found: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".po"):
            found |= {entry.msgid: entry.msgstr for entry in polib.pofile(file.read_text(encoding="utf-8"))}
    return found


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        known = {name.replace("_", " "): v for name, v in value.items() if v is not None}
        return ", ".join(f"{name} {_shown(v)}" for name, v in known.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(sorted(map(_shown, value)) if isinstance(value, set | frozenset) else map(_shown, value))
    return to_json(value).decode().strip('"')


def words(code: str, language: str, **values: Any) -> str:
    """The words of a code, with its values in place; the code itself where a catalogue lacks it."""
    text = catalogue(language).get(code) or catalogue("en").get(code) or code
    for name, value in values.items():
        text = text.replace("{" + name + "}", _shown(value) if value is not None else "-")
    return text


def told(reason: Reason, language: str) -> dict[str, object]:
    """A reason as a client reads it."""
    text = words(reason.code, language, required=reason.required, actual=reason.actual)
    return because(reason.code, text, pointer=reason.pointer, required=reason.required, actual=reason.actual)


def refused(reasons: Sequence[Reason], language: str) -> list[dict[str, object]]:
    """Why something was not done, or is closed; who may never do it is told that alone, for the rest is not theirs."""
    of_role = [r for r in reasons if r.code == "role"]
    return [told(r, language) for r in of_role or reasons]


def offered(offer: Offer, language: str) -> dict[str, object]:
    """An offer as a client reads it."""
    return {
        "action": offer.action,
        "label": words(f"action.{offer.action}", language),
        "open": offer.open,
        "to": list(offer.to),
        "reasons": refused(offer.reasons, language),
        "inputs": list(offer.inputs),
    }
