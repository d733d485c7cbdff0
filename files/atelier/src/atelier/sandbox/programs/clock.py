"""Time as it counts for limits: without that for which a process waits for a processor."""

from __future__ import annotations

import time

PATIENCE = 4
"""No limit is longer than so many times its seconds, however busy the machine is."""


def waited(pid: int | str = "self") -> float:
    """Return the seconds that a process's main thread has waited for a processor (proc(5))."""
    try:
        with open(f"/proc/{pid}/schedstat") as file:  # noqa: PTH123 (quick)
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class Clock:
    """Says how much of a limit is left.

    Args:
        seconds: the limit.
        pid: the process that it is for.
    """

    def __init__(self, seconds: float, pid: int | str = "self") -> None:
        self._seconds = seconds
        self._pid = pid
        self._began = time.monotonic()
        self._waited = waited(pid)
        self._excused = 0.0
        self._paused: float | None = None

    def left(self) -> float:
        """Return the seconds left; 0 or less: none."""
        now = time.monotonic()
        passed = now - self._began
        waiting = max(waited(self._pid) - self._waited, 0.0)
        excused = self._excused + (0.0 if self._paused is None else now - self._paused)
        counted = passed - waiting - excused
        return min(self._seconds - counted, PATIENCE * self._seconds - passed)

    def pause(self) -> None:
        """Do not count the time from now on."""
        self._paused = time.monotonic()

    def go_on(self) -> None:
        """Count again."""
        if self._paused is not None:
            self._excused += time.monotonic() - self._paused
            self._paused = None
