"""What all tests share: the collection importable by its name, the order of a whole run.

A whole run (`make test`) uses two workers. The order below puts quick answers first, then starts
the longest parts early so that the two workers end together.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from world import paths

ORDER = ("quality", "unit", "integration/collection", "e2e", "molecule", "gitlab_standin", "lms")
LAST = len(ORDER)

# Unit tests import `ansible_collections.mooc.atelier...` as Ansible does, from the checkout.
if not any(isinstance(finder, _AnsibleCollectionFinder) for finder in sys.meta_path):
    _AnsibleCollectionFinder(paths=[str(paths.link_collection())])._install()


def _place(item: pytest.Item) -> int:
    where = item.path.relative_to(paths.ROOT / "tests").as_posix()
    return next((n for n, prefix in enumerate(ORDER) if where.startswith(prefix)), LAST)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the run, and keep on one worker what shares something big."""
    items.sort(key=_place)
    for item in items:
        parts = item.path.relative_to(paths.ROOT / "tests").parts
        if parts[0] == "e2e":
            item.add_marker(pytest.mark.xdist_group("demo"))
        elif parts[0] not in {"molecule", "quality"}:
            item.add_marker(pytest.mark.xdist_group(str(Path(*parts))))


@pytest.fixture(scope="session")
def results() -> Path:
    """Folder for logs and screenshots of a run."""
    paths.RESULTS.mkdir(exist_ok=True)
    return paths.RESULTS
