"""What tests draw at random differs from commit to commit, and can be had again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from world import paths, seed
from world.run import WorldError


@pytest.fixture(autouse=True)
def no_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(seed.VARIABLE, raising=False)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit."""
    monkeypatch.setattr(seed.paths, "ROOT", tmp_path)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(folder: Path) -> None:
    git(folder, "commit", "-q", "--allow-empty", "-m", "docs: say more")


def test_a_commit_has_its_seed_and_the_next_another(checkout: Path) -> None:
    first = seed.current()
    assert first == seed.current() == int(git(checkout, "rev-parse", "HEAD")[:7], 16)
    commit(checkout)
    assert seed.current() != first


def test_it_is_said_with_the_way_to_have_it_again(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, first = seed.explained(), seed.current()
    known = git(checkout, "rev-parse", "--short=7", "HEAD")
    assert said == f"seed: {first} (from commit {known}; ATELIER_SEED={first} repeats it)"
    commit(checkout)
    monkeypatch.setenv(seed.VARIABLE, str(first))
    assert seed.current() == first
    assert seed.explained() == f"seed: {first} (from ATELIER_SEED)"


def test_a_checkout_without_git_has_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed.paths, "ROOT", tmp_path)
    assert seed.explained() == "seed: 0 (git knows no commit here; ATELIER_SEED=0 repeats it)"


def test_a_seed_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(seed.VARIABLE, "today")
    with pytest.raises(WorldError, match="whole number, and not 'today'"):
        seed.current()


DRAWING = """
from hypothesis import given, settings, strategies as st

@settings(database=None)
@given(st.integers())
def test_a(number):
    print("drawn", number)
"""


@pytest.mark.long
def test_hypothesis_draws_by_it(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(DRAWING)
    plugins = ["-p", "_hypothesis_pytestplugin", "-p", "pytest_hooks.seeds"]

    def drawn(number: int) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, "-s", "test_a.py"],
            cwd=tmp_path,
            env={
                **{name: value for name, value in os.environ.items() if name != "CI"},
                "ATELIER_SEED": str(number),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTHONPATH": str(paths.ROOT / "tests"),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"seed: {number} (from ATELIER_SEED)" in done.stdout
        return [line for line in done.stdout.splitlines() if "drawn" in line]

    assert len(drawn(11)) > 50
    assert drawn(11) == drawn(11) != drawn(12)


def test_also_in_ci_what_is_drawn_follows_from_the_seed() -> None:
    assert not settings.default.derandomize
