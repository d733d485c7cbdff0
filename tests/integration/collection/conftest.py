"""The collection as an institution gets it: built from what git tracks, installed in an empty path."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from world import paths, venv

Run = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Installed:
    """The tarball, the collections path it was installed in, and a way to run Ansible's programs from there."""

    tarball: Path
    path: Path
    run: Run

    @property
    def collection(self) -> Path:
        """Folder of the installed collection."""
        return self.path / "ansible_collections/mooc/atelier"


def tracked() -> set[str]:
    """Files of the checkout that git tracks."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=paths.ROOT, capture_output=True, text=True, check=True
    )
    return {name for name in listed.stdout.split("\0") if name and os.path.lexists(paths.ROOT / name)}


def runner(collections: Path, home: Path) -> Run:
    """Return a function that runs a program of Ansible's in `home`, which sees the collections of `collections`."""

    def run(program: str, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [venv.program(program), *map(str, arguments)],
            cwd=home,
            env=os.environ
            | venv.environment()
            | {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_HOME": str(home / ".ansible"), "PWD": str(home)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build with junk lying around, then install without asking Galaxy for the collections `ansible` brings."""
    source = tmp_path_factory.mktemp("source")
    for name in tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(paths.ROOT / name, source / name, follow_symlinks=False)
    for junk in (
        ".demo/vars.yml",
        ".cache/world/images.lock",
        "build/x",
        "test-results/page.png",
        "mooc-atelier-0.0.1.tar.gz",
        "files/atelier/src/.mypy_cache/x",
        "files/atelier/src/atelier/__pycache__/hub.cpython-313.pyc",
        "files/atelier/src/atelier.egg-info/PKG-INFO",
        "plugins/modules/__pycache__/x.pyc",
    ):
        (source / junk).parent.mkdir(parents=True, exist_ok=True)
        (source / junk).write_text("junk")
    made = tmp_path_factory.mktemp("made")
    path = tmp_path_factory.mktemp("collections")
    run = runner(path, tmp_path_factory.mktemp("home"))
    run("ansible-galaxy", "collection", "build", source, "--output-path", made)
    (tarball,) = made.glob("mooc-atelier-*.tar.gz")
    run("ansible-galaxy", "collection", "install", tarball, "--offline", "--no-deps", "-p", path)
    return Installed(tarball, path, run)
