"""Linters that need no container: `make test` runs them first, `make check` as tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable

from world import paths, venv
from world.run import WorldError

LINTS = {
    "ansible-lint": ("ansible-lint", "--offline", "-q"),
    "changelog fragments": ("antsibull-changelog", "lint"),
    "ruff check": ("ruff", "check", "--output-format=concise", "."),
    "ruff format": ("ruff", "format", "--check", "--output-format=concise", "."),
    "yamllint": ("yamllint", "--strict", "."),
}
MARKER = "lint"
"""The pytest marker of the tests that run these linters."""


class LintError(WorldError):
    """Linters found something.

    Attributes:
        count: how many of them.
    """

    def __init__(self, found: dict[str, str]) -> None:
        listed = "\n\n".join(found.values())
        super().__init__(f"{listed}\n\nNo test has run: see what {', '.join(found)} found above.")
        self.count = len(found)


def findings(names: Iterable[str]) -> dict[str, str]:
    """Run linters side by side. Returns what they found, for those that found something."""
    env = {**os.environ, **venv.environment(), "NO_COLOR": "1"}
    running: dict[str, subprocess.Popen[str]] = {}
    try:
        for name in names:
            program, *arguments = LINTS[name]
            running[name] = subprocess.Popen(
                [venv.program(program), *arguments],
                cwd=paths.ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        found = {name: process.communicate()[0] for name, process in running.items()}
    except BaseException:
        for process in running.values():
            process.terminate()
        raise
    return {
        name: f"{' '.join(LINTS[name])}\n{found[name]}".rstrip()
        for name, process in running.items()
        if process.returncode
    }
