"""One stand-in for all tests of the modules; each test has its own learners."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import pause
from gitlab_standin.testing import Standin, running_standin
from kit.classroom import Classroom


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with running_standin(tmp_path_factory.mktemp("standin")) as running:
        yield running


@pytest.fixture
def room(standin: Standin, tmp_path: Path) -> Classroom:
    return Classroom(standin, f"u{secrets.token_hex(4)}", tmp_path, standin.url)


@pytest.fixture
def own_room(tmp_path: Path) -> Iterator[Classroom]:
    """A class on a GitLab of its own, which the test may kill."""
    with running_standin(tmp_path / "own") as running:
        yield Classroom(running, f"u{secrets.token_hex(4)}", tmp_path, running.url)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules that run in this process wait a tenth of the time before they try again."""
    monkeypatch.setattr(pause, "FIRST_PAUSE", pause.FIRST_PAUSE / 10)
    monkeypatch.setattr(pause, "LONGEST_PAUSE", pause.LONGEST_PAUSE / 10)
