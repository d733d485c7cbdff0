"""An institution installs the tarball in an empty path and finds everything, and nothing else, working there."""

from __future__ import annotations

import tarfile

import pytest
from integration.collection.conftest import Installed, tracked
from world import paths

NOT_SHIPPED = (
    ".", "CONTRIBUTING.md", "Makefile", "changelogs/fragments/", "galaxy.yml", "inventories/demo/", "molecule/",
    "pyproject.toml", "requirements-dev.txt", "tests/",
)  # fmt: skip
LINKS = sorted(name for name in tracked() if (paths.ROOT / name).is_symlink())


def test_the_tarball_holds_what_git_tracks_for_users_and_nothing_else(installed: Installed) -> None:
    with tarfile.open(installed.tarball) as tar:
        shipped = {member.name for member in tar if not member.isdir()}
    wanted = {name for name in tracked() if not name.startswith(NOT_SHIPPED)}
    assert shipped == wanted | {"MANIFEST.json", "FILES.json"}


@pytest.mark.parametrize("name", LINKS)
def test_a_shared_file_is_whole_after_installation(installed: Installed, name: str) -> None:
    assert (installed.collection / name).read_bytes() == (paths.ROOT / name).read_bytes()


@pytest.mark.parametrize("playbook", ["site", "course"])
def test_playbooks_are_read_from_the_installed_collection(installed: Installed, playbook: str) -> None:
    example = installed.collection / "inventories/example"
    installed.run("ansible-playbook", f"mooc.atelier.{playbook}", "-i", example, "--syntax-check")
    listed = installed.run("ansible-playbook", f"mooc.atelier.{playbook}", "-i", example, "-e", "course=rr1", "--list-tasks")
    assert "mooc.atelier.preflight" in listed.stdout


def test_a_course_that_is_not_in_the_inventory_is_named(installed: Installed) -> None:
    done = installed.run(
        "ansible-playbook", "mooc.atelier.course", "-i", installed.collection / "inventories/example",
        "-e", "course=rr2", "-e", "ansible_connection=local", "-e", "ansible_become=false", "--tags", "never", check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert '"rr2" is not among atelier_courses: rr1.' in " ".join(done.stdout.split())
