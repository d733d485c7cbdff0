# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Records changes, or those that check mode predicts, for ``changed`` and ``diff``."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any


class Changes:
    """The changed objects with their states before and after. Thread-safe.

    Args:
        detailed: keep the values for the diff; otherwise keep only the actions, which takes less
            memory for ten thousand objects.
    """

    def __init__(self, detailed: bool) -> None:
        self._detailed = detailed
        self._before: dict[str, dict[str, Any]] = {}
        self._after: dict[str, dict[str, Any]] = {}
        self._done: dict[str, str] = {}
        self._lock = threading.Lock()

    def note(
        self, key: str, done: str, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> None:
        """Record that an object changed. ``None``: it does not exist."""
        with self._lock:
            self._done[key] = done
            if self._detailed:
                if before is not None:
                    self._before[key] = before
                if after is not None:
                    self._after[key] = after

    def forget(self, key: str) -> None:
        """Remove the record of a change that was not carried out."""
        with self._lock:
            self._done.pop(key, None)
            self._before.pop(key, None)
            self._after.pop(key, None)

    @property
    def changed(self) -> bool:
        """Whether anything was recorded."""
        return bool(self._done)

    @property
    def done(self) -> dict[str, str]:
        """The actions, by object."""
        return dict(sorted(self._done.items()))

    def counts(self) -> dict[str, int]:
        """Return the number of objects for each action."""
        return dict(sorted(Counter(self._done.values()).items()))

    def diff(self) -> dict[str, Any]:
        """Return the diff that Ansible shows with ``--diff``."""
        return {
            "before": dict(sorted(self._before.items())),
            "after": dict(sorted(self._after.items())),
        }
