"""The image's programs, as the image sees them: real git, repositories made for each test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "files/course-image/src"))


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def _plain_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the machine's: neither its own git configuration nor its locale."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "ATELIER_"))]:
        monkeypatch.delenv(name)
    configuration = tmp_path / "gitconfig"
    configuration.write_text(
        "[user]\n\tname = T\n\temail = t@example.org\n[safe]\n\tdirectory = *\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A bare mirror of a course with two files."""
    work = tmp_path / "work"
    work.mkdir()
    git(work, "init", "-q", "-b", "main")
    (work / "exo.ipynb").write_text("{}\n")
    (work / "data").mkdir()
    (work / "data" / "series.csv").write_text("a,b\n")
    git(work, "add", "-A")
    git(work, "commit", "-qm", "files")
    bare = tmp_path / "template.git"
    git(work, "clone", "-q", "--bare", str(work), str(bare))
    return bare


@pytest.fixture
def fork(tmp_path: Path, template: Path) -> Path:
    """A learner's fork: the template's files and one commit more."""
    bare = tmp_path / "fork.git"
    git(tmp_path, "clone", "-q", "--bare", str(template), str(bare))
    add_commit(bare, "mine.md", "saved from another computer\n")
    return bare


def add_commit(bare: Path, name: str, text: str) -> None:
    """Add a file to the branch `main` of a bare repository, as somebody else would."""
    work = bare.with_name(f"{bare.name}-{name}-work")
    git(bare.parent, "clone", "-q", str(bare), str(work))
    (work / name).write_text(text)
    git(work, "add", "-A")
    git(work, "commit", "-qm", f"add {name}")
    git(work, "push", "-q", "origin", "HEAD:main")
