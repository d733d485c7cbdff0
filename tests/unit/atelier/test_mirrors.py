"""What is read from the mirror of a course's template."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from atelier.courses.mirror import NamedExercise, course_exercises, course_files

NESTED = "exercises: " + "[" * 5_000


def mirror(folder: Path, declared: str) -> Path:
    """A folder of mirrors, with that of the course ``demo``."""
    bare = folder / "demo.git"
    work = folder / "work"
    work.mkdir()
    (work / "atelier.yml").write_text(declared)
    who = ["-c", "user.name=t", "-c", "user.email=t@campus.example"]
    for command in (
        ["init", "-q", "-b", "main", str(work)],
        ["-C", str(work), "add", "-A"],
        ["-C", str(work), "commit", "-q", "-m", "files"],
        ["clone", "-q", "--bare", str(work), str(bare)],
    ):
        subprocess.run(["git", *who, *command], check=True)
    return folder


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        (
            "exercises: [{id: pi, title: {fr: f, en: e, de: d}}, {id: no title}, {id: b}]",
            [NamedExercise("pi", {"fr": "f", "en": "e"}), NamedExercise("b", {})],
        ),
        ("exercises: {id: pi}", []),
        ("[]", []),
        ("", []),
        ("exercises: [", []),
        ("exercises: [3, null, {id: [x]}, {title: 3}]", []),
        (NESTED, []),
    ],
)
def test_exercises_are_listed_and_nonsense_is_not(
    tmp_path: Path, declared: str, found: list[NamedExercise]
) -> None:
    assert asyncio.run(course_exercises(mirror(tmp_path, declared), "demo")) == found


def test_a_course_without_a_mirror_has_nothing(tmp_path: Path) -> None:
    assert asyncio.run(course_files(tmp_path, "demo")) == []
    assert asyncio.run(course_exercises(tmp_path, "demo")) == []
