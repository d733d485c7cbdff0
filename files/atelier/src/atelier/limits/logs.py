"""A log that strangers cannot fill: warnings of one kind come at a bounded rate."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from atelier.limits.rate import Rate

BURST = 500
"""Warnings of one kind that are written at once."""
PER_SECOND = 5.0
"""Afterwards; about 80 MB a day of each kind at the most."""


class Bounded(logging.Filter):
    """Lets warnings of one kind through at a bounded rate, and tells how many it kept back.

    A kind is a line of code. What anybody can cause is a warning: refused launches, pages that do
    not exist. Errors and what is usual are all written.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._rate = Rate(BURST, 1 / PER_SECOND, clock)
        self._kept_back: Counter[tuple[str, int]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written."""
        if record.levelno != logging.WARNING:
            return True
        kind = (record.pathname, record.lineno)
        if self._rate.take(kind):
            self._kept_back[kind] += 1
            return False
        if kept_back := self._kept_back.pop(kind, 0):
            text = f"{record.getMessage()} (after {kept_back} others that are not shown)"
            record.msg, record.args = text, None
        return True


def logging_config() -> dict[str, object]:
    """For ``Application.logging_config`` of JupyterHub: its handler with these bounds."""
    return {
        "filters": {"bounded": {"()": "atelier.limits.logs.Bounded"}},
        "handlers": {"console": {"filters": ["bounded"]}},
    }
