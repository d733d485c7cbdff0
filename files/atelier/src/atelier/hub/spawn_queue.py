"""A first-come, first-served queue for servers that cannot all start at once."""

from __future__ import annotations

from dataclasses import dataclass

Key = tuple[str, str]
"""(username, course)."""
_PATIENCE_SECONDS = 15.0
"""Seconds that a waiting page may be late before the ones behind it pass."""
_KEPT_SECONDS = 600.0
"""Seconds for which the place of a learner who went away is kept."""


@dataclass
class _Waiting:
    due: float
    """When the page is expected to ask again, seconds of a monotonic clock."""


class SpawnQueue:
    """The learners who wait for a start, in order of arrival."""

    def __init__(self) -> None:
        self._waiting: dict[Key, _Waiting] = {}

    def place(self, key: Key, now: float) -> int:
        """Return a learner's place in the queue, from 1; a newcomer is added at the end.

        Learners ahead whose page has stopped asking are not counted.

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
        """Seconds until the page should ask again: longer far back in the queue."""
        return min(30, 2 + place // 10)

    def leave(self, key: Key) -> None:
        """Remove a learner: the server starts, or the learner has given up."""
        self._waiting.pop(key, None)
