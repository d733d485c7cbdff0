# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Pauses before requests are retried: GitLab's ``Retry-After``, and a pause that callers share.

This file is shared: modules use it as ``module_utils`` and the desk includes it as
``atelier.gitlab.pause``.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

with contextlib.suppress(ImportError):  # reported by connection.library_problem()
    import requests

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 16.0

_latest = threading.local()


def remember_pause(response: requests.Response, **_: Any) -> None:
    """Store an answer's ``Retry-After``, as python-gitlab's exceptions have no headers."""
    _latest.retry_after = response.headers.get("Retry-After")


def asked_pause() -> float | None:
    """Return the seconds of the last ``Retry-After`` (RFC 9110, 10.2.3: seconds or a date)."""
    text = str(getattr(_latest, "retry_after", None) or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def growing_pause(attempt: int) -> float:
    """Return the seconds before try number ``attempt`` + 1: exponential backoff with jitter."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempt) * random.uniform(0.75, 1.25)  # noqa: S311


class Pause:
    """A pause during which all callers that share it send no request.

    Args:
        clock: monotonic clock, seconds.
        longest: longest pause, seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, longest: float = float("inf")
    ) -> None:
        self._clock = clock
        self._longest = longest
        self._lock = threading.Lock()
        self._until = 0.0
        self._in_a_row = 0

    def begin(self, seconds: float | None = None) -> float:
        """Begin a pause, or extend the present one.

        Args:
            seconds: length; None: grows with each pause until :meth:`over`.

        Returns:
            Length of the pause, seconds.
        """
        with self._lock:
            now = self._clock()
            if seconds is None:
                seconds = growing_pause(self._in_a_row)
            if self._until <= now:  # else: an answer to a request sent before the pause began
                self._in_a_row += 1
            seconds = min(seconds, self._longest)
            self._until = max(self._until, now + seconds)
            return seconds

    def left(self) -> float:
        """Return the seconds left of the pause; 0 if there is none."""
        return max(0.0, self._until - self._clock())

    def over(self) -> None:
        """Reset the length of the next pause, after a successful answer."""
        self._in_a_row = 0
