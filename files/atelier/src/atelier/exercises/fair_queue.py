"""Whose turn it is: a few places for many, so that nobody's large files hold up the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

SMALL_BYTES = 512 * 1024
"""What is compared, together: most answers are smaller."""
HALF_LIFE_SECONDS = 300.0
"""After which half of what somebody has used is forgotten."""
FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 600.0
_KEPT = 1000
"""Names whose use is remembered before those that count no more are forgotten."""


@dataclass
class _Waiting:
    who: str
    small: bool
    place: asyncio.Future[bool]
    """Resolved with whether it is a place for small ones alone."""


class FairQueue:
    """Places for jobs; of those who wait, who used least lately comes first.

    Args:
        places: jobs at the same time.
        small_places: more of them, which only small jobs take.
        clock: seconds that only grow.
    """

    def __init__(
        self, places: int, small_places: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = {False: places, True: small_places}
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._used: dict[str, tuple[float, float]] = {}
        """Seconds that somebody used, and when that was counted."""

    def full(self, *, small: bool = False) -> bool:
        """Whether a job would have to wait."""
        return not self._free[False] and not (small and self._free[True])

    @asynccontextmanager
    async def turn(self, who: str, *, small: bool = False) -> AsyncIterator[None]:
        """Hold a place while the block lasts.

        Args:
            who: whose job it is.
            small: whether it may take a place for small ones.
        """
        one = _Waiting(who, small, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        self._give_places()
        try:
            reserved = await one.place
        except asyncio.CancelledError:
            if one in self._waiting:
                self._waiting.remove(one)
            elif one.place.done() and not one.place.cancelled():
                self._leave(one.place.result())
            raise
        began = self._clock()
        try:
            yield
        finally:
            now = self._clock()
            self._used[who] = (self._spent(who, now) + now - began, now)
            self._forget(now)
            self._leave(reserved)

    def _leave(self, reserved: bool) -> None:
        self._free[reserved] += 1
        self._give_places()

    def _give_places(self) -> None:
        now = self._clock()
        for one in sorted(self._waiting, key=lambda one: self._spent(one.who, now)):  # stable
            if self._free[False]:
                reserved = False
            elif one.small and self._free[True]:
                reserved = True
            else:
                continue
            self._free[reserved] -= 1
            self._waiting.remove(one)
            if one.place.cancelled():
                self._free[reserved] += 1
            else:
                one.place.set_result(reserved)

    def _spent(self, who: str, now: float) -> float:
        seconds, counted = self._used.get(who, (0.0, now))
        return float(seconds * 0.5 ** ((now - counted) / HALF_LIFE_SECONDS))

    def _forget(self, now: float) -> None:
        if len(self._used) > _KEPT:
            used = {who: (self._spent(who, now), now) for who in self._used}
            most = sorted(used.items(), key=lambda item: -item[1][0])
            self._used = dict(most[: _KEPT // 2])


class Pauses:
    """Who has to wait before another job, since their last ones took too much.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pauses: dict[str, tuple[float, float]] = {}
        """Until when, and how long the pause is."""

    def left(self, who: str) -> float:
        """Seconds that somebody still has to wait."""
        until, _length = self._pauses.get(who, (0.0, 0.0))
        return max(0.0, until - self._clock())

    def stopped(self, who: str) -> None:
        """Their job was ended: the next pause is twice as long."""
        now = self._clock()
        _until, length = self._pauses.get(who, (0.0, FIRST_PAUSE_SECONDS / 2))
        length = min(2 * length, LONGEST_PAUSE_SECONDS)
        self._pauses = {
            name: pause
            for name, pause in self._pauses.items()
            if pause[0] + LONGEST_PAUSE_SECONDS > now
        }
        self._pauses[who] = (now + length, length)

    def finished(self, who: str) -> None:
        """Their job came to its end."""
        self._pauses.pop(who, None)
