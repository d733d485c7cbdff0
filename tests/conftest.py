"""What all tests share: the collection importable by its name, patience, the folder of results."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from hypothesis import HealthCheck, settings
from world import paths

pytest_plugins = (
    "pytest_hooks.drawn",
    "pytest_hooks.lately",
    "pytest_hooks.outcomes",
    "pytest_hooks.schedule",
    "pytest_hooks.seeds",
)

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

# Speed is measured by benchmarks: a busy machine fails no test. What is drawn follows from the
# seed, also in CI, where Hypothesis would draw the same each time.
settings.register_profile(
    "untimed",
    deadline=None,
    derandomize=False,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("untimed")

# Unit tests import `ansible_collections.mooc.atelier...` as Ansible does, from the checkout.
if not any(isinstance(finder, _AnsibleCollectionFinder) for finder in sys.meta_path):
    _AnsibleCollectionFinder(paths=[str(paths.link_collection())])._install()


def _where(item: pytest.Item) -> str:
    return item.path.relative_to(paths.ROOT / "tests").as_posix()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give patience where work is long."""
    for item in items:
        where = _where(item)
        for prefix, seconds in PATIENCE.items():
            if where.startswith(prefix):
                item.add_marker(pytest.mark.timeout(seconds))


@pytest.fixture(scope="session")
def results() -> Path:
    """Folder for logs and screenshots of a run."""
    paths.RESULTS.mkdir(exist_ok=True)
    return paths.RESULTS
