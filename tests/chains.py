"""Reads the record as an auditor would, under the owner's role, and verifies it."""

from __future__ import annotations

from service.storage.auditing import Tally, verify


async def broken_chains(dsn: str) -> list[tuple[str, str, str, int]]:
    """What is not as it was written: the code, the table and the id of it, with the first bad entry of each stream."""
    return [(f.code, f.about, str(f.where), f.seq) async for f in verify(dsn, [], Tally())]
