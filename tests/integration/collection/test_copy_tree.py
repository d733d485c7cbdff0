"""The module `copy_tree`: a directory arrives whole, once, and stays what it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from integration.collection.conftest import ansible
from world import paths


@pytest.fixture
def source(tmp_path: Path) -> Path:
    tree = tmp_path / "source"
    (tree / "sub/__pycache__").mkdir(parents=True)
    (tree / "text").write_text("text\n")
    (tree / "sub/tool").write_text("#!/bin/sh\n")
    (tree / "sub/tool").chmod(0o755)
    (tree / "sub/__pycache__/x.pyc").write_text("junk")
    (tmp_path / "elsewhere").write_text("shared\n")
    (tree / "linked").symlink_to("../elsewhere")
    return tree


def copy(source: Path, dest: Path, *options: str) -> dict[str, Any]:
    """Run the module on this machine and return what it says."""
    arguments = json.dumps({"src": str(source), "dest": str(dest)})
    done = ansible(
        source.parent,
        paths.link_collection(),
        "ansible",
        *(
            "localhost",
            "-i",
            "localhost,",
            "-c",
            "local",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
        ),
        *("-m", "mooc.atelier.copy_tree", "-a", arguments, *options),
        check=False,
    )
    _, _, answer = done.stdout.rpartition("=> ")
    said: dict[str, Any] = json.loads(answer)
    return said


def test_it_copies_once_then_finds_nothing_to_do(source: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    assert copy(source, dest)["changed"]
    assert not copy(source, dest)["changed"]
    assert (dest / "linked").read_text() == "shared\n"
    assert not (dest / "linked").is_symlink()
    assert (dest / "sub/tool").stat().st_mode & 0o777 == 0o755
    assert (dest / "text").stat().st_mode & 0o777 == 0o644
    assert not (dest / "sub/__pycache__").exists()


def test_what_changed_on_the_target_is_put_right(source: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    copy(source, dest)
    (dest / "text").write_text("other\n")
    (dest / "stray").write_text("stray\n")
    (dest / "sub/tool").chmod(0o644)
    (dest / "linked").unlink()
    (dest / "linked").symlink_to("text")
    said = copy(source, dest)
    assert said["different"] == ["linked", "stray", "sub/tool", "text"]
    assert not copy(source, dest)["changed"]
    assert not (dest / "stray").exists()


def test_check_mode_says_what_it_would_do_and_does_nothing(source: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    said = copy(source, dest, "--check", "--diff")
    assert said["changed"]
    assert said["different"] == ["linked", "sub/tool", "text"]
    assert not dest.exists()


def test_it_clears_what_an_interrupted_run_left(source: Path, tmp_path: Path) -> None:
    (tmp_path / ".dest.leftover").mkdir()
    copy(source, tmp_path / "dest")
    left = [path for path in tmp_path.iterdir() if path.name.startswith(".dest")]
    assert left == []


def test_the_digest_is_the_contents_own(source: Path, tmp_path: Path) -> None:
    first = copy(source, tmp_path / "one")["digest"]
    assert copy(source, tmp_path / "two")["digest"] == first
    (source / "text").write_text("changed\n")
    assert copy(source, tmp_path / "two")["digest"] != first


@pytest.mark.parametrize("target", ["nowhere", "."])
def test_a_link_that_leads_nowhere_or_in_circles_is_named(
    source: Path, tmp_path: Path, target: str
) -> None:
    (source / "bad").symlink_to(target)
    said = copy(source, tmp_path / "dest")
    assert str(source / "bad") in said["msg"]
    assert not (tmp_path / "dest").exists()


def test_it_refuses_to_replace_what_is_no_directory(source: Path, tmp_path: Path) -> None:
    (tmp_path / "dest").write_text("precious\n")
    assert "is not a directory" in copy(source, tmp_path / "dest")["msg"]
    assert (tmp_path / "dest").read_text() == "precious\n"
