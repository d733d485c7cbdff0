"""A queue that shares a few places fairly, so that one user's large files do not delay others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

SMALL_BYTES = 512 * 1024
"""Largest total size of a small job's files; most answers are smaller."""
HALF_LIFE_SECONDS = 300.0
"""Time after which a user's past usage counts half."""
FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 600.0
_KEPT = 1000
"""Most users whose usage is stored; beyond, those with the least usage are dropped."""


@dataclass
class _Waiting:
    who: str
    small: bool
    place: asyncio.Future[bool]
    """Resolved with True for a place that is reserved for small jobs."""
    moved: Callable[[int], None] | None = None
    number: int = 0


class FairQueue:
    """Places for jobs; the waiting user with the least recent usage comes first.

    Args:
        places: number of jobs at the same time.
        small_places: additional places that only small jobs take.
        clock: monotonic clock, seconds.
    """

    def __init__(
        self, places: int, small_places: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = {False: places, True: small_places}
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._used: dict[str, tuple[float, float]] = {}
        """Seconds used by each user, and the time of that count."""

    def full(self, *, small: bool = False) -> bool:
        """Return whether a job would have to wait."""
        return not self._free[False] and not (small and self._free[True])

    @asynccontextmanager
    async def turn(
        self, who: str, *, small: bool = False, moved: Callable[[int], None] | None = None
    ) -> AsyncIterator[None]:
        """Hold a place for the duration of the block.

        Args:
            who: the user whose job it is.
            small: whether the job may take a place for small jobs.
            moved: called with the number of the job in the queue, from 1, whenever it changes.
        """
        one = _Waiting(who, small, asyncio.get_running_loop().create_future(), moved)
        self._waiting.append(one)
        self._give_places()
        try:
            reserved = await one.place
        except asyncio.CancelledError:
            if one in self._waiting:
                self._waiting.remove(one)
                self._tell(self._clock())
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
        self._tell(now)

    def _tell(self, now: float) -> None:
        order = sorted(self._waiting, key=lambda one: self._spent(one.who, now))
        for number, one in enumerate(order, start=1):
            if one.moved is not None and number != one.number:
                one.number = number
                one.moved(number)

    def _spent(self, who: str, now: float) -> float:
        seconds, counted = self._used.get(who, (0.0, now))
        return float(seconds * 0.5 ** ((now - counted) / HALF_LIFE_SECONDS))

    def _forget(self, now: float) -> None:
        if len(self._used) > _KEPT:
            used = {who: (self._spent(who, now), now) for who in self._used}
            most = sorted(used.items(), key=lambda item: -item[1][0])
            self._used = dict(most[: _KEPT // 2])


class Pauses:
    """Pauses for users whose last jobs exceeded the limits.

    Args:
        clock: monotonic clock, seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pauses: dict[str, tuple[float, float]] = {}
        """End and length of each user's pause, seconds."""

    def left(self, who: str) -> float:
        """Return the seconds that a user still has to wait."""
        until, _length = self._pauses.get(who, (0.0, 0.0))
        return max(0.0, until - self._clock())

    def stopped(self, who: str) -> None:
        """Record that a user's job was killed: start a pause, twice as long as the last one."""
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
        """Record that a user's job finished, which ends the pause."""
        self._pauses.pop(who, None)
