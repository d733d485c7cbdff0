"""Time that passes only when somebody sleeps."""

from __future__ import annotations

from typing import Any

import pytest


class Clock:
    """A monotonic clock, seconds, and the pauses that were slept."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def drive(self, monkeypatch: pytest.MonkeyPatch, calls: Any) -> None:
        """Give this clock to what a module `calls` makes without one: its requests and pauses."""
        monkeypatch.setattr(calls.Pause.__init__, "__defaults__", (self, float("inf")))
        defaults = calls.Calls.__init__.__kwdefaults__
        monkeypatch.setitem(defaults, "sleep", self.sleep)
        monkeypatch.setitem(defaults, "clock", self)
