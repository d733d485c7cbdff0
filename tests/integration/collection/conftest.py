"""The collection as an institution gets it: built from what git tracks, installed on its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from kit import playbook
from world import paths, venv

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Installed:
    """A tarball and the collections path it was installed in.

    Attributes:
        home: empty folder; programs run there.
    """

    tarball: Path
    path: Path
    home: Path

    @property
    def collection(self) -> Path:
        """Folder of the installed collection."""
        return self.path / "ansible_collections/mooc/atelier"

    @property
    def example(self) -> Path:
        """The inventory that institutions copy."""
        return self.collection / "inventories/example"

    def playbook(
        self,
        name: str,
        *options: str | Path,
        check: bool = True,
        seconds: int = 300,
        **variables: object,
    ) -> Done:
        """Run a playbook of the installed collection with extra variables, `seconds` at most."""
        extra = [f"--extra-vars={key}={value}" for key, value in variables.items()]
        return ansible(
            self.home,
            self.path,
            "ansible-playbook",
            f"mooc.atelier.{name}",
            *options,
            *extra,
            check=check,
            seconds=seconds,
        )


def ansible(
    home: Path,
    collections: Path,
    program: str,
    *arguments: str | Path,
    check: bool = True,
    seconds: int = 300,
) -> Done:
    """Run one of Ansible's programs in `home`; it finds our collection in `collections` only."""
    env = {
        **os.environ,
        **playbook.environment(),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_HOME": str(home / ".ansible"),
        "PWD": str(home),
    }
    if program in playbook.PROGRAMS:
        done = playbook.run(*arguments, cwd=home, env=env, seconds=seconds, program=program)
    else:
        done = subprocess.run(
            [venv.program(program), *map(str, arguments)],
            cwd=home,
            env=env,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def words(done: Done) -> str:
    """What a program printed, without the line breaks that depend on the terminal."""
    return " ".join(done.stdout.split())


def tracked() -> set[str]:
    """Files of the checkout that git tracks."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=paths.ROOT, capture_output=True, text=True, check=True
    )
    names = (name for name in listed.stdout.split("\0") if name)
    return {name for name in names if os.path.lexists(paths.ROOT / name)}


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build with junk lying around, then install; `ansible` brings the collections ours needs."""
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
    home = tmp_path_factory.mktemp("home")
    galaxy = (home, path, "ansible-galaxy", "collection")
    ansible(*galaxy, "build", source, "--output-path", made)
    (tarball,) = made.glob("mooc-atelier-*.tar.gz")
    ansible(*galaxy, "install", tarball, "--offline", "--no-deps", "-p", path)
    return Installed(tarball, path, home)
