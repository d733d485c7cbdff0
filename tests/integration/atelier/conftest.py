"""A running site for the tests of this folder, and visitors to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from kit.browser_window import window as window
from kit.gitlab_beside import GitLabBeside
from kit.platform11 import Visitor
from kit.site import Site

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Proxy, hub and desk; GitLab does not answer."""
    running = Site(tmp_path_factory.mktemp("site"))
    try:
        running.start_all()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def gitlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitLabBeside]:
    """A whole site: proxy, hub, desk, GitLab."""
    running = Site(tmp_path_factory.mktemp("gitlab-site"))
    beside = GitLabBeside(tmp_path_factory.mktemp("gitlab"), running)
    try:
        beside.start()
        running.start_all()
        yield beside
    finally:
        running.close()
        beside.stop()


@pytest.fixture
def learner() -> str:
    """An LTI user_id nobody had before."""
    return f"learner-{next(_numbers)}"


@pytest.fixture
def visitor(site: Site, learner: str) -> Iterator[Visitor]:
    """A browser on the course page of a new learner."""
    with Visitor(site.hub_url, site.consumer_secret, learner) as one:
        yield one


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> None:
    """Show what the site's processes said when a test fails."""
    site = getattr(item, "funcargs", {}).get("site")
    if call.excinfo is not None and isinstance(site, Site):
        for name in ("hub", "desk", "gitlab"):
            said = [line for line in site.log(name).splitlines() if not line.startswith("[D")]
            item.add_report_section(call.when, name, "\n".join(said[-60:]))
