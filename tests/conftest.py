"""What all tests share: the collection importable by its name, the order of a whole run.

A whole run (`make test`) uses two workers. The order below puts quick answers first, then starts
the longest parts early so that the two workers end together.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from hypothesis import HealthCheck, settings
from world import paths
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ("pytest_hooks.outcomes",)

ORDER = (
    "quality",
    "unit",
    "integration/collection",
    "e2e",
    "molecule",
    "integration/toolbar",
    "gitlab_standin",
    "lms",
)
LAST = len(ORDER)
AFTER_ALL = "test_the_interrupted_site"  # compares what two long parts of the run have left

# Seconds after which a test hangs, its fixtures included: it ends with a stack trace, the others go
# on. Whatever makes a server or a site has more than `timeout` in pyproject.toml.
PATIENCE = {
    "quality": 1200,
    "gitlab_standin/tests/test_image": 1800,
    "integration/atelier/test_container": 1800,
    "integration/collection": 1200,
    "integration/toolbar": 1800,
    "e2e": 1800,
    "molecule": 2700,
}

# Speed is measured by benchmarks: a busy machine fails no test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Unit tests import `ansible_collections.mooc.atelier...` as Ansible does, from the checkout.
if not any(isinstance(finder, _AnsibleCollectionFinder) for finder in sys.meta_path):
    _AnsibleCollectionFinder(paths=[str(paths.link_collection())])._install()


def _where(item: pytest.Item) -> str:
    return item.path.relative_to(paths.ROOT / "tests").as_posix()


def _place(item: pytest.Item) -> int:
    where = _where(item)
    return next((n for n, prefix in enumerate(ORDER) if where.startswith(prefix)), LAST)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the run, and give patience where work is long."""
    for item in items:
        where = _where(item)
        for prefix, seconds in PATIENCE.items():
            if where.startswith(prefix):
                item.add_marker(pytest.mark.timeout(seconds))
    items.sort(key=lambda item: LAST + 1 if AFTER_ALL in item.name else _place(item))


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Keeps on one worker what shares something big.

    xdist's own `loadgroup` writes the group into `item._nodeid`, which pytest 9 does not read any
    more: every test then goes to any worker, and each worker makes all the servers again.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        kind = Path(file).parts[1]
        if kind == "e2e":
            return "demo"
        return nodeid if kind in {"molecule", "quality"} else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups | None:
    """Group tests where several workers share a run."""
    return Groups(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def results() -> Path:
    """Folder for logs and screenshots of a run."""
    paths.RESULTS.mkdir(exist_ok=True)
    return paths.RESULTS
