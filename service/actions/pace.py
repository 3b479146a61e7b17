"""How often: buckets that fill by the second, one for each key; nothing of it outlives the process."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic

MOST = 100_000
"""Keys that are remembered; beyond them the one that was longest unheard of is forgotten."""


class TooSoon(Exception):
    """Asked too often: again after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = max(1, math.ceil(seconds))


class Buckets:
    """So many in so many seconds for each key, and no more than that at once (the generic cell rate algorithm).

    One number a key: the instant at which its bucket is full again.
    """

    def __init__(self, quota: int, seconds: float, *, most: int = MOST, clock: Callable[[], float] = monotonic) -> None:
        self.quota = quota
        self.seconds = seconds
        self._each = seconds / quota
        self._most = most
        self._clock = clock
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def left(self, key: Hashable) -> int:
        """How many more may come now."""
        now = self._clock()
        return int((self.seconds - (max(now, self._full_at.get(key, now)) - now)) / self._each + 1e-9)

    def full_in(self, key: Hashable) -> float:
        """Seconds until all of the quota is there again."""
        now = self._clock()
        return max(0.0, self._full_at.get(key, now) - now)

    def take(self, key: Hashable) -> None:
        """One of the key's quota.

        Raises:
            TooSoon: nothing is left of it.
        """
        now = self._clock()
        full_at = max(now, self._full_at.get(key, now)) + self._each
        if (early := full_at - self.seconds - now) > 1e-9:  # noqa: PLR2004 - what sums of seconds leave behind
            raise TooSoon(early)
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)

    def check(self, key: Hashable) -> None:
        """Take nothing, and refuse where there is nothing to take.

        Raises:
            TooSoon: nothing is left of the key's quota.
        """
        if self.left(key) < 1:
            now = self._clock()
            raise TooSoon(self._full_at[key] + self._each - self.seconds - now)
