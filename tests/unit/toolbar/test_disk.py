"""A disk that fills up, and one that is tidied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from atelier_toolbar import objects
from atelier_toolbar.git import Result
from atelier_toolbar.handlers import told
from atelier_toolbar.problems import Problem
from atelier_toolbar.usage import full_space
from kit.small_disk import small_disk

from .conftest import Desk, git, problem_of


@pytest.fixture
def small(tmp_path: Path, gitlab: Path) -> Iterator[Desk]:
    """A clone on a file system of two megabytes."""
    with small_disk(tmp_path / "small", "2m") as root:
        git(root, "clone", "-q", str(gitlab), "demo")
        yield Desk(root, "demo")


def fill(desk: Desk, left: int) -> Path:
    """Fill the disk up to `left` bytes."""
    filler = desk.root / "filler"
    with filler.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"x" * 4096)
        except OSError:
            pass
    size = filler.stat().st_size
    with filler.open("ab") as out:
        out.truncate(max(0, size - left))
    return filler


@pytest.mark.parametrize("left", [0, 4096, 16384, 32768, 65536])
def test_a_full_disk_loses_nothing_and_is_told(
    small: Desk, other: Desk, gitlab: Path, left: int
) -> None:
    other.write("notes.md", "theirs\n" + "their line\n" * 3000)
    other.write("big.md", "".join(f"{n * 7919}\n" for n in range(20000)))
    other.save()
    small.write("notes.md", "mine\n")
    filler = fill(small, left)
    for command in (small.pull, small.save):
        problem = problem_of(command)
        assert problem["code"] == "disk_full", problem
        assert small.read("notes.md") == "mine\n"
    filler.unlink()
    small.save()
    assert git(gitlab, "show", "main:notes (yours).md") == "mine"
    assert small.read("big.md") == other.read("big.md")
    assert not list((small.top / ".git").rglob("*.lock"))


def test_many_small_objects_are_packed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MANY", 1)
    for name in range(1000):
        desk.write(f"many/{name}.md", f"{name}\n")
    desk.save()
    counts = git(desk.top, "count-objects", "-v").splitlines()
    assert "count: 0" in counts
    assert git(desk.top, "fsck", "--strict") == ""
    assert desk.changes() == {}


@pytest.mark.parametrize(
    ("said", "full"),
    [
        (
            "fatal: sha1 file '/home/learner/demo/.git/index.lock' write error. Out of diskspace",
            True,
        ),
        ("error: file write error: No space left on device", True),
        ("error: unable to create temporary file: Disk quota exceeded", True),
        ("remote: fatal: unpack: No space left on device", False),
        ("fatal: unable to write new index file", False),
    ],
)
def test_what_git_says_of_a_full_disk_is_understood(said: str, *, full: bool) -> None:
    assert Result(128, b"", f"hint: something else\n{said}\n").disk_full == full


def test_what_fills_a_space_travels_with_the_problem(small: Desk, tmp_path: Path) -> None:
    assert full_space(tmp_path / "none") is None
    (small.root / "demo/big.bin").write_bytes(b"x" * 2**20)
    fill(small, 0)
    space = full_space(small.root)
    assert space is not None
    assert space["used"] <= space["size"] <= 2 * 2**20
    assert {path for path, _ in space["largest"]} == {"demo/big.bin"}
    told_space = told(Problem("disk_full"), small.root)
    assert told_space == {"code": "disk_full", "space": space}
    assert told(Problem("busy"), small.root) == {"code": "busy"}
