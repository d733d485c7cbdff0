"""The seed of what tests draw at random: each commit has its own, so that many commits see much."""

from __future__ import annotations

import os

from world import paths
from world.run import WorldError, capture

VARIABLE = "ATELIER_SEED"
DIGITS = 7  # of the commit's hash: enough to differ, short enough to type


def current() -> int:
    """Return `ATELIER_SEED`, else a number made of the commit's hash.

    Raises:
        WorldError: the variable is no whole number.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        return int(_commit() or "0", 16)
    try:
        return int(given)
    except ValueError:
        raise WorldError(f"{VARIABLE} is a whole number, and not {given!r}.") from None


def explained() -> str:
    """Say the seed, where it comes from, and how to have it again."""
    number = current()
    if os.environ.get(VARIABLE):
        return f"seed: {number} (from {VARIABLE})"
    origin = f"from commit {_commit()}" if _commit() else "git knows no commit here"
    return f"seed: {number} ({origin}; {VARIABLE}={number} repeats it)"


def _commit() -> str:
    return capture("git", "-C", str(paths.ROOT), "rev-parse", "HEAD", check=False)[:DIGITS]
