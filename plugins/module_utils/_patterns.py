# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Patterns of the shell in absolute paths."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

MAGIC = frozenset("*?[")


def is_pattern(path: str) -> bool:
    """Tell whether a path stands for those that it matches."""
    return not MAGIC.isdisjoint(path)


def matches(paths: Iterable[str]) -> list[Path]:
    """Return what is there of absolute paths and patterns, each once, sorted.

    As in a shell, `*` matches no name that begins with a dot; links that lead nowhere are there.
    """
    # glob, as pathlib's own patterns match hidden names and differ between versions of Python
    return sorted({Path(found) for path in paths for found in glob.glob(path)})  # noqa: PTH207
