"""The queue of learners whose servers cannot all start at once: first come, first served."""

from __future__ import annotations

from dataclasses import dataclass

Key = tuple[str, str]
"""(username, course)."""
_PATIENCE_SECONDS = 15.0
"""How late a page may come back before those behind it are let past."""
_KEPT_SECONDS = 600.0
"""How long somebody who went away finds their place again."""


@dataclass
class _Waiting:
    due: float
    """When their page asks again, seconds of a monotonic clock."""


class SpawnQueue:
    """Who waits for a start, in the order they came."""

    def __init__(self) -> None:
        self._waiting: dict[Key, _Waiting] = {}

    def place(self, key: Key, now: float) -> int:
        """Place of a learner who asks, from 1; a newcomer's is the last.

        Those before them who have stopped asking are not counted.

        Args:
            key: who.
            now: seconds of a monotonic clock.
        """
        for gone in [one for one, it in self._waiting.items() if it.due + _KEPT_SECONDS < now]:
            del self._waiting[gone]
        self._waiting.setdefault(key, _Waiting(now)).due = now
        place = 0
        for one, waiting in self._waiting.items():
            place += one == key or waiting.due + _PATIENCE_SECONDS >= now
            if one == key:
                break
        self._waiting[key].due = now + self.pause(place)
        return place

    @staticmethod
    def pause(place: int) -> int:
        """Seconds until the page asks again: those far behind need not ask so often."""
        return min(30, 2 + place // 10)

    def leave(self, key: Key) -> None:
        """Their server starts, or they wait no more."""
        self._waiting.pop(key, None)
