"""A log that strangers cannot fill: warnings of one kind come at a bounded rate."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

BURST = 500
"""Warnings of one kind that are written at once."""
PER_SECOND = 5.0
"""Afterwards; about 80 MB a day of each kind at the most."""


class _Kind:
    """What is known of one line of code that writes to the log."""

    def __init__(self, now: float) -> None:
        self.left = float(BURST)
        self.counted = now
        self.passed_over = 0


class Bounded(logging.Filter):
    """Lets warnings of one kind through at a bounded rate, and tells how many it kept back.

    A kind is a line of code. What anybody can cause is a warning: refused launches, pages that do
    not exist. Errors and what is usual are all written.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, int], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written."""
        if record.levelno != logging.WARNING:
            return True
        now = self._clock()
        kind = self._kinds.setdefault((record.pathname, record.lineno), _Kind(now))
        kind.left = min(BURST, kind.left + (now - kind.counted) * PER_SECOND)
        kind.counted = now
        if kind.left < 1:
            kind.passed_over += 1
            return False
        kind.left -= 1
        if kind.passed_over:
            text = f"{record.getMessage()} (after {kind.passed_over} others that are not shown)"
            record.msg, record.args = text, None
            kind.passed_over = 0
        return True


def logging_config() -> dict[str, object]:
    """For ``Application.logging_config`` of JupyterHub: its handler with these bounds."""
    return {
        "filters": {"bounded": {"()": "atelier.log_bounds.Bounded"}},
        "handlers": {"console": {"filters": ["bounded"]}},
    }
