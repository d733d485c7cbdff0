"""How often something may be asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable

_KEPT = 1000
"""Askers remembered before those who may ask as if for the first time are forgotten."""


class Rate:
    """So many at once, then one each so many seconds, for each asker.

    Args:
        burst: how many may come together.
        seconds: after which one more may come.
        clock: seconds that only grow.
    """

    def __init__(
        self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._full_at: dict[Hashable, float] = {}
        """When an asker may ask as if for the first time."""

    def wait(self, asker: Hashable) -> int:
        """Seconds after which an asker may ask again; 0: now."""
        now = self._clock()
        wait = self._full_at.get(asker, now) - now - (self._burst - 1) * self._seconds
        return math.ceil(max(0.0, wait))

    def take(self, asker: Hashable) -> int:
        """Ask once.

        Returns:
            0, or the seconds after which it may be asked again.
        """
        if wait := self.wait(asker):
            return wait
        now = self._clock()
        full_at = max(self._full_at.get(asker, now), now)
        if len(self._full_at) >= _KEPT:
            self._full_at = {one: at for one, at in self._full_at.items() if at > now}
        self._full_at[asker] = full_at + self._seconds
        return 0
