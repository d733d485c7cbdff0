"""The toolbar's server part on real git repositories, made for each test."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from atelier_toolbar import commands, notebooks
from atelier_toolbar.problems import Problem
from atelier_toolbar.settings import Toolbar


def git(folder: Path, *arguments: str) -> str:
    """Run git as a person at a terminal would; fail when it fails."""
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=False)
    assert done.returncode == 0, os.fsdecode(done.stderr)
    return os.fsdecode(done.stdout).strip()


def notebook(*sources: str, outputs: str = "") -> str:
    """A notebook with one code cell for each source, as Jupyter writes it."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": number if outputs else None,
            "id": f"cell-{source.split()[0] if source else 'empty'}",
            "metadata": {},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": [outputs]}]
            if outputs
            else [],
            "source": source.splitlines(keepends=True),
        }
        for number, source in enumerate(sources, 1)
    ]
    whole = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def sources(text: str) -> list[str]:
    """The cells' sources of a notebook."""
    return ["".join(cell["source"]) for cell in json.loads(text)["cells"]]


@dataclass
class Desk:
    """A Jupyter root folder with a clone in it, and its commands."""

    root: Path
    name: str
    toolbar: Toolbar = field(default_factory=Toolbar)
    lang: str = "en"
    steps: list[str] = field(default_factory=list)

    @property
    def top(self) -> Path:
        return self.root / self.name

    def path(self, name: str) -> str:
        return f"{self.name}/{name}" if name else self.name

    def write(self, name: str, text: str | bytes) -> Path:
        place = self.top / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        return place

    def read(self, name: str) -> str:
        return (self.top / name).read_text()

    def _say(self, line: dict[str, Any]) -> None:
        self.steps.append(line["step"])

    def save(self, *files: str, message: str = "work", open_file: str = "") -> dict[str, Any]:
        """Save these files, or all that changed; return the result."""
        self.steps.clear()
        asked = {
            "path": self.path(open_file),
            "message": message,
            "files": [self.path(name) for name in files] or None,
            "lang": self.lang,
        }
        return commands.save(self.root, asked, self.toolbar, self._say)

    def pull(self) -> dict[str, Any]:
        self.steps.clear()
        return commands.pull(self.root, {"path": self.name, "lang": self.lang}, self._say)

    def status(self, name: str = "", *, ask: bool = False) -> dict[str, Any]:
        return commands.status(self.root, self.path(name), self.toolbar, ask=ask)

    def state(self, name: str, *, ask: bool = False) -> str:
        return str(self.status(name, ask=ask)["file"]["state"])

    def changes(self) -> dict[str, str]:
        skipped = len(self.name) + 1
        return {c["path"][skipped:]: c["change"] for c in self.status()["changes"]}

    def files(self) -> set[str]:
        return {
            str(path.relative_to(self.top))
            for path in self.top.rglob("*")
            if ".git" not in path.parts and not path.is_dir()
        }


def problem_of(command: Callable[..., Any], *arguments: Any, **options: Any) -> dict[str, Any]:
    """The problem that a command ends with."""
    with pytest.raises(Problem) as caught:
        command(*arguments, **options)
    return caught.value.as_json()


@pytest.fixture(autouse=True)
def _plain_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the machine's."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "ATELIER_TOOLBAR"))]:
        monkeypatch.delenv(name)
    configuration = tmp_path / "gitconfig"
    configuration.write_text(
        "[user]\n\tname = Ada L\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture(autouse=True)
def _merge_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Merge notebooks in the test's process, except in the test of the process apart."""
    if "apart" not in request.keywords:
        monkeypatch.setattr(commands, "merge_notebook", lambda: notebooks.merge)


@pytest.fixture
def gitlab(tmp_path: Path) -> Path:
    """What GitLab has of the learner's fork."""
    bare = tmp_path / "gitlab" / "u1" / "demo.git"
    bare.mkdir(parents=True)
    git(bare, "init", "-q", "--bare")
    first = tmp_path / "teacher"
    git(tmp_path, "clone", "-q", str(bare), str(first))
    (first / "notes.md").write_text("".join(f"line {n}\n" for n in range(1, 10)))
    (first / "exo.ipynb").write_text(notebook("a = 1", "b = 2", "c = 3"))
    (first / ".gitignore").write_text("*.tmp\n")
    git(first, "add", "-A")
    git(first, "commit", "-qm", "files of the course")
    git(first, "push", "-q", "origin", "HEAD:main")
    return bare


@pytest.fixture
def desks(tmp_path: Path, gitlab: Path) -> tuple[Desk, Desk]:
    """Two servers of one learner: two clones."""
    both = []
    for name in ("one", "two"):
        root = tmp_path / name
        root.mkdir()
        git(root, "clone", "-q", str(gitlab), "demo")
        both.append(Desk(root, "demo"))
    return both[0], both[1]


@pytest.fixture
def desk(desks: tuple[Desk, Desk]) -> Desk:
    return desks[0]


@pytest.fixture
def other(desks: tuple[Desk, Desk]) -> Desk:
    return desks[1]
