"""A file of tests: its language and its tests, and the error for one that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from atelier.exercises.declared import ExercisesError, Problem
from atelier.exercises.model import message

MOST_TESTS = 200
MOST_BYTES = 512 * 1024
MOST_POINTS = 1000.0
TestLanguage = Literal["python", "r"]


@dataclass(frozen=True)
class TeacherTest:
    """One test.

    Attributes:
        name: unique in its file.
        code: passes unless it raises; a numeric last value of 0 to 1 is partial credit.
        points: what it is worth.
        say: the sentence for learners whose answer fails, by language.
        hidden: learners see neither name nor sentence, only that there are hidden tests.
        line: where it begins in the file; None in a notebook.
        where: the cell of a notebook; empty in a script.
    """

    name: str
    code: str
    points: float = 1.0
    say: Mapping[str, str] = field(default_factory=dict)
    hidden: bool = False
    line: int | None = None
    where: str = ""


@dataclass(frozen=True)
class Suite:
    """The tests of a file."""

    language: TestLanguage
    tests: tuple[TeacherTest, ...]


class BadTestsError(ExercisesError):
    """A file of tests is invalid."""


def wrong(
    file: str, line: int | None, key: str, where: str = "", **fields: str | int | float
) -> Problem:
    """Return an error in a file of tests."""
    return Problem(line, where, message(key, **fields), file)


def same_twice(file: str, tests: Sequence[TeacherTest]) -> list[Problem]:
    """Return an error for each test with the name of an earlier one."""
    seen: set[str] = set()
    found = []
    for test in tests:
        if test.name in seen:
            found.append(wrong(file, test.line, "tests_name_twice", test.where, name=test.name))
        seen.add(test.name)
    return found
