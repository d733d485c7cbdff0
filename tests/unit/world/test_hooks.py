"""Git's hooks run programs that are there, and know a commit's subject when they see one."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from world import hooks, paths, venv

CONFIGURATION = ".pre-commit-config.yaml"


def configured() -> list[dict[str, Any]]:
    repositories = yaml.safe_load((paths.ROOT / CONFIGURATION).read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    return list(repositories[0]["hooks"])


@pytest.mark.parametrize("hook", configured(), ids=lambda hook: hook["id"])
def test_a_hook_runs_a_program_of_the_environment(hook: dict[str, Any]) -> None:
    runner, program, *_ = shlex.split(hook["entry"])
    assert (hook["language"], runner) == ("system", "tests/hook")
    assert program == hooks.CHECK_SUBJECT or Path(venv.program(program)).exists()


def test_a_hook_passes_on_what_its_program_says_and_how_it_ends() -> None:
    words = ["tests/hook", "ruff", "check", "--no-cache", "--quiet", "-"]
    done = subprocess.run(
        words, cwd=paths.ROOT, env=environment(), input="import os\n",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "F401" in done.stdout


def test_a_program_that_is_missing_is_said() -> None:
    done = subprocess.run(
        ["tests/hook", "no-such-linter"], cwd=paths.ROOT, env=environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no-such-linter is missing: make hooks installs it" in done.stderr


@pytest.mark.parametrize(
    "message",
    [
        "nginx: reload only when the load stamp is missing",
        "molecule/docker: skip the connectivity check\n",
        "hub, desk: share one folder of static files",
        "CONTRIBUTING.md: explain the hooks\n\nWhy: a body may be as long as it likes, " + "x" * 90,
        "# a comment of git's\n\ntests: send SIGKILL only once\n",
        "a: " + "x" * 69,
        "Merge branch 'wt-tools'",
        "fixup! nginx: reload only when the load stamp is missing",
        'Revert "A launch keeps its course when the hub restarts"',
    ],
)
def test_a_subject_that_names_area_and_change_is_accepted(message: str) -> None:
    assert hooks.refusal(message) is None


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("A launch keeps its course when the hub restarts", "names no area"),
        ("The hub's queue: keep its order", "names no area"),
        ("nginx:reload only when needed", "names no area"),
        ("nginx: ", "names no area"),
        (": reload only when needed", "names no area"),
        ("", "names no area"),
        ("# only a comment\n", "names no area"),
        ("a: " + "x" * 70, "has 73 characters, 72 at most"),
        ("nginx: reload only when needed.", "without a full stop"),
    ],
)
def test_another_subject_is_refused_and_told_why(message: str, why: str) -> None:
    assert why in (hooks.refusal(message) or "")


def test_git_asks_the_hooks_before_a_commit(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    for name in (CONFIGURATION, ".yamllint", ".gitignore", "pyproject.toml", "tests/hook"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paths.ROOT / name, repository / name)
    for name in ("benchmarks", "world"):
        (repository / "tests" / name).symlink_to(paths.ROOT / "tests" / name)

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        return subprocess.run(
            ["git", *identity, *words], cwd=repository,
            env={**environment(), "PRE_COMMIT_HOME": str(tmp_path / "pre-commit")},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip

    assert git("init", "--quiet").returncode == 0
    install = [venv.program("pre-commit"), "install"]
    subprocess.run(install, cwd=repository, env=environment(), check=True, capture_output=True)
    assert (repository / ".git/hooks/pre-push").exists()
    (repository / "good.py").write_text("import os\n")
    git("add", ".pre-commit-config.yaml", "good.py")

    refused = git("commit", "-m", "tests: add a module")
    assert refused.returncode != 0
    assert "F401" in refused.stdout
    (repository / "good.py").write_text('"""A module."""\n')
    git("add", "good.py")
    refused = git("commit", "-m", "A module is there")
    assert refused.returncode != 0
    assert "names no area" in refused.stdout
    accepted = git("commit", "-m", "tests: add a module")
    assert accepted.returncode == 0, accepted.stdout


def environment() -> dict[str, str]:
    """Without what git tells its hooks (the tests may run in one) and a person's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return {**kept, **alone, "ATELIER_VENV": str(venv.folder())}
