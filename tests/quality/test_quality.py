"""Linters and type checkers, each as a test: the project keeps its own settings."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from world import front, paths, venv

COLLECTION = "ansible_collections.mooc.atelier.plugins"


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Run a checker at the root of the checkout; fail with what it says."""
    done = subprocess.run(
        [venv.program(command[0]), *command[1:]],
        cwd=paths.ROOT,
        env={**os.environ, **venv.environment(), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}", pytrace=False)


def tracked(*patterns: str) -> list[Path]:
    """Return the repository's files that match, committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [path for line in listed.splitlines() if (path := paths.ROOT / line).is_file()]


def test_ansible_code_keeps_ansible_lints_production_rules() -> None:
    run("ansible-lint", "--offline", "-q")


def test_python_keeps_ruffs_rules() -> None:
    run("ruff", "check", "--output-format=concise", ".")


def test_python_is_formatted() -> None:
    run("ruff", "format", "--check", "--output-format=concise", ".")


def test_yaml_keeps_yamllints_rules() -> None:
    run("yamllint", "--strict", ".")


@pytest.mark.parametrize(
    ("arguments", "search"),
    [
        pytest.param(["-p", "atelier"], "files/atelier/src", id="server"),
        pytest.param(["-p", "atelier_toolbar"], "files/toolbar", id="toolbar"),
        pytest.param(
            ["-p", f"{COLLECTION}.module_utils", "-p", f"{COLLECTION}.modules",
             "-p", f"{COLLECTION}.filter", "-p", f"{COLLECTION}.action"],
            ".cache/collections",
            id="plugins",
        ),
        pytest.param(["-p", "world"], "tests", id="world"),
        pytest.param(["-p", "gitlab_standin"], "tests", id="standin"),
        pytest.param(["-p", "lms"], "tests", id="course-page"),
        pytest.param(["-p", "kit", "-p", "devsite"], "tests:files/atelier/src", id="dev"),
    ],
)  # fmt: skip
def test_types_hold(arguments: Sequence[str], search: str) -> None:
    run("mypy", *arguments, env={"MYPYPATH": search, "PYTHONPATH": ""})


def test_the_toolbars_front_is_tidy_typed_and_says_what_it_should() -> None:
    """`test` compiles it, with strict types, and tries its words; `lint` is eslint and prettier."""
    folder = front.ensure()
    for script in ("lint", "test"):
        done = subprocess.run(
            ["npm", "run", "--silent", script],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"npm run {script}\n{done.stdout}\n{done.stderr}"


def test_shell_scripts_keep_shellchecks_rules() -> None:
    scripts = [path for path in tracked() if _is_shell(path)]
    assert scripts
    for script in scripts:
        # a template is checked with a word in the place of each expression
        text = re.sub(r"\{\{.*?\}\}", "word", script.read_text(encoding="utf-8"))
        done = subprocess.run(
            ["shellcheck", "-"], input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}"


def _is_shell(path: Path) -> bool:
    with path.open("rb") as handle:
        first = handle.readline(80)
    return first.startswith(b"#!") and any(
        first.split()[-1].endswith(shell) for shell in (b"/sh", b"bash", b"dash")
    )


def test_files_are_short_enough_to_read() -> None:
    generated = {"package-lock.json", "LICENSE"}
    long = {
        str(path.relative_to(paths.ROOT)): count
        for path in tracked("*.py", "*.yml", "*.j2", "*.sh", "*.md", "*.rb", "Makefile")
        if path.name not in generated
        and (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}
