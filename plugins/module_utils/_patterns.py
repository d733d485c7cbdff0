# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Shell patterns in absolute paths."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

MAGIC = frozenset("*?[")


def is_pattern(path: str) -> bool:
    """Return whether a path is a pattern."""
    return not MAGIC.isdisjoint(path)


def matches(paths: Iterable[str]) -> list[Path]:
    """Return the existing paths for absolute paths and patterns, sorted and without duplicates.

    As in a shell, `*` does not match names that begin with a dot. Dangling links count as existing.
    """
    # Not pathlib's patterns, which match hidden names and differ between versions of Python.
    return sorted({Path(found) for path in paths for found in glob.glob(path)})  # noqa: PTH207
