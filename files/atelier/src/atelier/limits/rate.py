"""A rate limit for each caller."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable

_KEPT = 1000
"""Number of callers at which those with a full burst are dropped from memory."""


class Rate:
    """A token bucket for each caller.

    Args:
        burst: requests allowed at once.
        seconds: time after which one more is allowed.
        clock: monotonic clock, seconds.
    """

    def __init__(
        self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._full_at: dict[Hashable, float] = {}
        """Time at which a caller has the full burst again."""

    def wait(self, asker: Hashable) -> int:
        """Seconds until a caller may ask again; 0: now."""
        now = self._clock()
        wait = self._full_at.get(asker, now) - now - (self._burst - 1) * self._seconds
        return math.ceil(max(0.0, wait))

    def take(self, asker: Hashable) -> int:
        """Count one request.

        Returns:
            0 if it is allowed, else the seconds until the next one is.
        """
        if wait := self.wait(asker):
            return wait
        now = self._clock()
        full_at = max(self._full_at.get(asker, now), now)
        if len(self._full_at) >= _KEPT:
            self._full_at = {one: at for one, at in self._full_at.items() if at > now}
        self._full_at[asker] = full_at + self._seconds
        return 0
