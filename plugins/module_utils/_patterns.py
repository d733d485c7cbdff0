# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Patterns of the shell in absolute paths."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

MAGIC = frozenset("*?[")


def is_pattern(path: str) -> bool:
    """Tell whether a path stands for those that it matches."""
    return not MAGIC.isdisjoint(path)


def matches(paths: Iterable[str]) -> list[Path]:
    """Return what is there of absolute paths and patterns, each once, sorted."""
    return sorted({found for path in paths for found in Path("/").glob(path.lstrip("/"))})
