"""Ids that sort by the time they were made."""

from __future__ import annotations

import os
import time
from uuid import UUID


def uuid7(milliseconds: int | None = None) -> UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of Unix time in milliseconds, the rest random."""
    at = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    r = int.from_bytes(os.urandom(10))
    return UUID(int=at << 80 | 0x7 << 76 | (r >> 68) << 64 & 0xFFF << 64 | 0b10 << 62 | r & (1 << 62) - 1)
