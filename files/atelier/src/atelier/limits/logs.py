"""Limits the rate of warnings, so that strangers cannot fill the log."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from atelier.limits.rate import Rate

BURST = 500
"""Warnings from one line of code that are written without delay."""
PER_SECOND = 5.0
"""Rate after the burst: at most about 80 MB a day from one line of code."""


class Bounded(logging.Filter):
    """Limits the rate of warnings from each line of code, and logs how many it dropped.

    Warnings are what strangers can cause, such as refused launches or unknown pages. All other
    levels are always written.

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
