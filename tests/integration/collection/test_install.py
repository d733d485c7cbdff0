"""An institution installs the tarball in an empty path: everything is there, and nothing else."""

from __future__ import annotations

import sys
import tarfile

import pytest
from integration.collection.conftest import Installed, tracked, words
from world import paths

NOT_SHIPPED = (
    ".",
    "CONTRIBUTING.md",
    "Makefile",
    "changelogs/fragments/",
    "galaxy.yml",
    "inventories/demo/",
    "molecule/",
    "pyproject.toml",
    "requirements-dev.in",
    "requirements-dev.txt",
    "tests/",
)
LINKS = sorted(name for name in tracked() if (paths.ROOT / name).is_symlink())


def test_the_tarball_holds_what_users_need_and_nothing_else(installed: Installed) -> None:
    with tarfile.open(installed.tarball) as tar:
        shipped = {member.name for member in tar if not member.isdir()}
    wanted = {name for name in tracked() if not name.startswith(NOT_SHIPPED)}
    assert shipped == wanted | {"MANIFEST.json", "FILES.json"}


@pytest.mark.parametrize("name", LINKS)
def test_a_shared_file_is_whole_after_installation(installed: Installed, name: str) -> None:
    assert (installed.collection / name).read_bytes() == (paths.ROOT / name).read_bytes()


@pytest.mark.parametrize("name", ["site", "course"])
def test_playbooks_are_read_from_the_installed_collection(installed: Installed, name: str) -> None:
    installed.playbook(name, "-i", installed.example, "--syntax-check")
    listed = installed.playbook(name, "-i", installed.example, "--list-tasks", course="rr1")
    assert "mooc.atelier.preflight" in listed.stdout


def test_a_course_that_is_not_in_the_inventory_is_named(installed: Installed) -> None:
    done = installed.playbook(
        "course",
        *("-i", installed.example),
        check=False,
        course="rr2",
        ansible_connection="local",
        ansible_become="false",
        ansible_python_interpreter=sys.executable,
    )
    assert done.returncode != 0
    assert '"rr2" is not among atelier_courses: rr1.' in words(done)
