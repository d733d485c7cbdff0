"""Who runs what, and when: the order of a whole run, and at most two heavy parts at a time.

Three workers share a machine of two processors: what makes servers or starts browsers waits as much
as it works, but three of them at once would only wait for each other, and run into time limits. So
two workers begin with the long, heavy parts, and the third one with what is quick.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

HEAVY_AT_ONCE = 2
HEAVY = (
    "tests/e2e/",
    "tests/molecule/",
    "tests/integration/collection/test_dry_run.py",
    "tests/integration/collection/test_sanity.py",
    "tests/integration/toolbar/test_random_operations.py",
)
DEMO = "tests/e2e/"
"""All tests of the demo are one unit of work: who takes the first has the demo."""
LAST_OF_THE_DEMO = "tests/e2e/test_drift.py"
"""Changes the demo's server by hand: where it is not mended, the others have seen it as it was."""
# What begins with the first of these goes out first. Long ones come before short ones, so that no
# worker is left alone with a long one at the end.
ORDER = (
    *HEAVY,
    "tests/quality/",
    "tests/integration/atelier/",
    "tests/integration/modules/",
    "tests/integration/",
    "tests/gitlab_standin/",
    "tests/lms/",
    "tests/unit/",
)
AFTER_ALL = "test_the_interrupted_site"  # compares what two long parts of the run have left


def place(nodeid: str) -> int:
    """Return a test's place in the order of the run: the lower, the earlier."""
    if AFTER_ALL in nodeid:
        return len(ORDER) + 1
    return next((n for n, prefix in enumerate(ORDER) if nodeid.startswith(prefix)), len(ORDER))


def unit(nodeid: str) -> str:
    """Return the unit of work a test belongs to: what one worker runs from its begin to its end.

    It is the demo, or a file, since files share servers; scenarios and linters are each by itself.
    """
    if nodeid.startswith(DEMO):
        return DEMO
    alone = nodeid.startswith(("tests/molecule/", "tests/quality/"))
    return nodeid if alone else nodeid.partition("::")[0]


def choose(
    waiting: Sequence[str], own: Iterable[str], others: Collection[Iterable[str]]
) -> str | None:
    """Choose the next unit of work for a worker; None: there is none for it any more.

    A worker begins a test only when it knows the one after it, so that it is given a unit while it
    is still at work on the one before.

    Args:
        waiting: units nobody has, in the order of the run.
        own: units that the worker has and has not finished.
        others: the same for each of the other workers.
    """
    heavy = [one for one in waiting if one.startswith(HEAVY)]
    quick = [one for one in waiting if not one.startswith(HEAVY)]
    if any(one.startswith(HEAVY) for one in own):
        # The next heavy one is for the worker that is free first: a short one waits in between.
        return quick[-1] if quick else next(iter(heavy), None)
    at_work = sum(any(one.startswith(HEAVY) for one in units) for units in others)
    if heavy and at_work < min(HEAVY_AT_ONCE, max(1, len(others))):  # one worker begins with quick
        return heavy[0]
    if len(quick) > len(heavy):  # the last ones are kept, to stand in between
        return quick[0]
    return heavy[0] if heavy and at_work < HEAVY_AT_ONCE else None


class Schedule(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives workers units of work as `choose` says."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)

    def _chosen(self, node: WorkerController) -> str | None:
        unfinished = {
            worker: [name for name, tests in work.items() if not all(tests.values())]
            for worker, work in self.assigned_work.items()
        }
        own = unfinished.pop(node, [])
        return choose(list(self.workqueue), own, unfinished.values())

    def _assign_work_unit(self, node: WorkerController) -> None:
        chosen = self._chosen(node)
        if chosen is None:
            node.shutdown()  # when it has done what it has
            return
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the run."""
    items.sort(key=lambda item: (place(item.nodeid), item.nodeid.startswith(LAST_OF_THE_DEMO)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Schedule | None:
    """Give out units of work where several workers share a run."""
    return Schedule(config, log) if config.getoption("dist") == "loadgroup" else None
