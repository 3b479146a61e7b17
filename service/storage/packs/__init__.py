"""Requirement packs as data: read from their files or from what a client sent, and refused where they are faulty."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from service.domain.requirements.model import Obligation, Pack
from service.storage.packs.fields import Fault, FaultyPack, Fields
from service.storage.packs.rows import obligation_of, pack_of


@cache
def shipped_files() -> dict[str, dict[str, Any]]:
    """The packs that come with the service as they are written, by their pins."""
    folder = resources.files("service.data") / "packs"
    texts = [json.loads(f.read_text(encoding="utf-8")) for f in _files(folder)]
    return {f"{t['key']}@{t['version']}": t for t in texts}


@cache
def shipped_packs() -> tuple[Pack, ...]:
    """The packs that come with the service, read once. Raises FaultyPack."""
    return read_packs(resources.files("service.data") / "packs")


def _files(folder: Traversable | Path) -> list[Any]:
    return sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)


def read_packs(folder: Traversable | Path) -> tuple[Pack, ...]:
    """Every pack of a folder, one file each, by file name. Raises FaultyPack."""
    return tuple(read_pack(f.name, f.read_text(encoding="utf-8")) for f in _files(folder))


def read_pack(file: str, text: str) -> Pack:
    """One pack from the text of its file, which is named for its key and version. Raises FaultyPack."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            names = [name for name, _ in pairs]
            twice = sorted({name for name in names if names.count(name) > 1})
            problem = f"the field {twice[0]!r} stands twice"
            raise FaultyPack(file, [Fault("", str(fields.get("key", "file")), "pack_field_twice", problem)])
        return fields

    try:
        content = json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as wrong:
        problem = f"not JSON: {wrong.msg}"
        raise FaultyPack(file, [Fault("", f"line {wrong.lineno}", "pack_not_json", problem)]) from wrong
    return parse_pack(content, file, named=True)


def parse_pack(content: object, file: str = "pack", *, named: bool = False) -> Pack:
    """One pack from its JSON; `named` where the file must be called after it.

    Raises:
        FaultyPack: with every fault.
    """
    fields = Fields(file, "pack", content)
    pack = pack_of(fields, named=named)
    if fields.faults:
        raise FaultyPack(file, fields.faults)
    return pack


def read_obligation(file: str, content: object, pack: str) -> Obligation:
    """One obligation of another file than a pack's. Raises FaultyPack."""
    fields = Fields(file, "obligation", content)
    row = obligation_of(fields, pack)
    if fields.faults:
        raise FaultyPack(file, fields.faults)
    return row


__all__ = [
    "Fault",
    "FaultyPack",
    "parse_pack",
    "read_obligation",
    "read_pack",
    "read_packs",
    "shipped_files",
    "shipped_packs",
]
