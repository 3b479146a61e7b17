"""The record: what an event says, its canonical form, and the hash chain of a stream."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of a stream, without its hash.

    `data` holds codes, ids, dates and amounts, never a name or a free text; a note is there as sealed bytes, so that
    a person can be erased by forgetting a key while the chain still verifies.
    """

    institution_id: UUID
    stream_id: UUID
    seq: int
    event_id: UUID
    action_id: UUID
    type: str
    action: str
    subject: str
    subject_id: UUID
    from_state: str | None
    to_state: str | None
    actor_id: UUID
    actor_roles: str
    recorded_for: str | None
    reason_code: str | None
    occurred_on: date
    recorded_at: datetime
    corrects: int | None
    evidence: tuple[UUID, ...]
    note_sealed: bytes | None
    data: dict[str, Any]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return str(value)


_canonical = json.JSONEncoder(default=_plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical(entry: Entry) -> bytes:
    """The bytes that are hashed: the entry as JSON with sorted keys, UTF-8, no spaces; sealed bytes by their digest."""
    return _canonical({name: getattr(entry, name) for name in Entry.__slots__}).encode()


def link(before: bytes, entry: Entry) -> bytes:
    """The chain's next head: SHA-256 of the head before and of the entry in its canonical form."""
    return hashlib.sha256(before + canonical(entry)).digest()


def fault(before: bytes, expected: int, entry: Entry, kept: bytes) -> str | None:
    """Why an entry of a stream does not follow the one before it: `entry_missing` or `entry_changed`.

    `before` is the hash of the entry before (`GENESIS` for the first), `expected` the number that comes next, and `kept`
    the hash that stands beside the entry. An entry that was put between others takes the number of one that follows.
    """
    if entry.seq != expected:
        return "entry_missing"
    return None if link(before, entry) == kept else "entry_changed"


def rolled(digest: bytes, kept: bytes) -> bytes:
    """The digest of a feed, one entry further: SHA-256 over the digest so far and the entry's hash."""
    return hashlib.sha256(digest + kept).digest()
