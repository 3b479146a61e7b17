"""Reads the record as an auditor would, under the owner's role, and verifies every chain."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

import asyncpg
from pydantic_core import from_json

from service.domain.events import Entry, first_broken


def entry_of(row: asyncpg.Record) -> Entry:
    """An event's row as the entry that was hashed."""
    values: dict[str, Any] = {f.name: row[f.name] for f in fields(Entry)}
    values["evidence"] = tuple(UUID(e) for e in from_json(row["evidence"]))
    values["data"] = from_json(row["data"])
    return Entry(**values)


async def broken_chains(dsn: str) -> list[tuple[UUID, int]]:
    """Streams whose chain does not verify, or whose head does not cover it, with the first bad entry."""
    con = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    try:
        rows = await con.fetch("SELECT * FROM events ORDER BY institution_id, stream_id, seq")
        heads = {(h["institution_id"], h["stream_id"]): h for h in await con.fetch("SELECT * FROM heads")}
    finally:
        await con.close()
    streams: dict[Any, list[tuple[Entry, bytes]]] = {}
    for row in rows:
        streams.setdefault((row["institution_id"], row["stream_id"]), []).append((entry_of(row), row["hash"]))
    broken = [(s[1], bad) for s, entries in streams.items() if (bad := first_broken(entries)) is not None]
    broken += [
        (s[1], len(entries))
        for s, entries in streams.items()
        if (heads[s]["seq"], heads[s]["chain_head"]) != (len(entries), entries[-1][1])
    ]
    return broken
