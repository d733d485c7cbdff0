"""Linters and type checkers, each as a test: the project keeps its own settings."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from world import front, lints, paths, venv

COLLECTION = "ansible_collections.mooc.atelier.plugins"
ROOTS = ("files/atelier/src", "files/toolbar", ".cache/collections", "tests")
PACKAGES = (
    "atelier",
    "atelier_toolbar",
    "devsite",
    "kit",
    *(f"{COLLECTION}.{name}" for name in ("action", "filter", "module_utils", "modules")),
    "gitlab_standin",
    "hostile",
    "lms",
    "pytest_hooks",
    "world",
)
"""What mypy checks, strictly, and where it finds it."""


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


@pytest.mark.lint
@pytest.mark.parametrize("name", lints.LINTS)
def test_the_linter_finds_nothing(name: str) -> None:
    if found := lints.findings([name]):
        pytest.fail(found[name], pytrace=False)


def test_types_hold() -> None:
    """One run for all packages: what they share is read once."""
    packages = (word for name in PACKAGES for word in ("-p", name))
    run("mypy", *packages, env={"MYPYPATH": ":".join(ROOTS), "PYTHONPATH": ""})


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
        # a template is checked with a word in the place of each expression, without its statements
        text = re.sub(r"\{%.*?%\}\n?", "", script.read_text(encoding="utf-8"))
        text = re.sub(r"\{\{.*?\}\}", "word", text)
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
