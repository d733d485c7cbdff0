"""`@pytest.mark.drawn`: of a test's cases `make test` runs one, by the commit's seed; the soak all.

For cases of one kind that take long, such as the moment at which a process is killed, or the
interface in which a learner does the same thing. Each test draws for itself, so that a run has
cases of all kinds.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import pytest
from world import seed, soak


def left_out(items: Iterable[pytest.Item], number: int) -> list[pytest.Item]:
    """Return the cases that the seed does not draw.

    A case that was named on the command line is the only one of its test, and is drawn.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("drawn"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    return [
        case
        for name, together in cases.items()
        for place, case in enumerate(together)
        if place != (number + zlib.crc32(name.encode())) % len(together)
    ]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not drawn."""
    if soak.wanted():
        return
    others = left_out(items, seed.current())
    if others:
        config.hook.pytest_deselected(items=others)
        gone = {id(item) for item in others}
        items[:] = [item for item in items if id(item) not in gone]
