"""Targets keep what they compile from Ansible's archives; what runs is the same."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from world import paths

PLACE = paths.ROOT / "tests/world/target"
RUN = "import atelier_world_zip, library; print(library.answer()); library.fail()"


def run(folder: Path, name: str, answer: int) -> subprocess.CompletedProcess[str]:
    """Import a library from an archive of that name."""
    archive = folder / name
    with zipfile.ZipFile(archive, "w") as file:
        text = f"def answer():\n    return {answer}\n\n\ndef fail():\n    raise ValueError\n"
        file.writestr("library.py", text)
    return subprocess.run(
        [sys.executable, "-c", RUN],
        env={
            **os.environ,
            "PYTHONPATH": f"{PLACE}:{archive}",
            "PYTHONPYCACHEPREFIX": str(folder / "own"),
            "ATELIER_WORLD_BYTECODE": str(folder / "pool"),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_was_compiled_serves_the_next_archive(tmp_path: Path) -> None:
    pool = tmp_path / "pool"
    pool.mkdir()
    assert run(tmp_path, "first.zip", 42).stdout == "42\n"
    (kept,) = pool.iterdir()
    number = kept.stat().st_ino
    second = run(tmp_path, "second.zip", 42)
    assert (second.stdout, "second.zip/library.py" in second.stderr) == ("42\n", True)
    assert kept.stat().st_ino == number  # it was read, and not written again
    assert run(tmp_path, "third.zip", 43).stdout == "43\n"
    assert len(list(pool.iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"junk", b"i\x01\x00\x00\x00"])
def test_a_damaged_file_is_made_again(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pool").mkdir()
    run(tmp_path, "first.zip", 42)
    (kept,) = (tmp_path / "pool").iterdir()
    good = kept.read_bytes()
    kept.write_bytes(content)
    assert run(tmp_path, "second.zip", 42).stdout == "42\n"
    assert kept.read_bytes()[:1] == good[:1]


def test_without_the_folder_nothing_is_kept(tmp_path: Path) -> None:
    assert run(tmp_path, "first.zip", 42).stdout == "42\n"
    assert not (tmp_path / "pool").exists()
