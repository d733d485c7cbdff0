"""Checks a course's declaration and files before a commit is published."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from atelier.config import fields
from atelier.courses import declaration
from atelier.exercises import (
    declared,
    engine,
    exercises,
    markdown,
    model,
    notebook,
    org,
    prose_checks,
    prose_parts,
    value_checks,
)
from atelier.exercises.blocks import UnreadableError
from atelier.exercises.declared import ExercisesError, Problem, read_with_lines
from atelier.exercises.exercises import EXERCISES_FILE, CourseExercises, Exercise
from atelier.exercises.model import Message, message
from atelier.exercises.words import say
from atelier.i18n.translate import LANGUAGES

Lines = dict[declared.Path, int]
MAX_FINDINGS = 200


class Files(Protocol):
    """Files of a repository by path."""

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None if there is no such file."""

    def has(self, path: str) -> bool:
        """Return whether there is such a file."""


class ListedFiles(Files, Protocol):
    """Files of a repository with a list of all paths."""

    @property
    def paths(self) -> frozenset[str]:
        """Paths of all files."""


@dataclass(frozen=True)
class Finding:
    """A problem that prevents publication: its place, and how to correct it."""

    file: str
    line: int | None
    where: str
    """Key in the file, such as ``exercises[2].closes``."""
    message: Message

    @classmethod
    def of(cls, problem: Problem) -> Finding:
        """Return the finding for a problem of the declaration."""
        return cls(EXERCISES_FILE, problem.line, problem.where, problem.message)

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON data, with its sentence in each language."""
        return {
            "file": self.file,
            "line": self.line,
            "where": self.where,
            **{lang: say(self.message, lang) for lang in LANGUAGES},
        }


def read_course(files: Files) -> tuple[CourseExercises, Lines] | None:
    """Return a course repository's declaration and its line numbers; None if it has none.

    Raises:
        ExercisesError: the declaration is invalid.
    """
    content = files.read(EXERCISES_FILE)
    return None if content is None else read_with_lines(content)


def exercise_problem(
    index: int, exercise: Exercise, files: Files, lines: Lines | None = None
) -> Problem | None:
    """Return a problem with the files that an exercise names in the course repository, or None."""
    where = f"exercises[{index + 1}] ({exercise.id})"
    if not files.has(exercise.file):
        line = _line(index, "file", lines)
        what = message("check_no_file", file=exercise.file)
        return Problem(line, f"{where}.file", what)
    if exercise.expected_file != exercise.file and files.has(exercise.expected_file):
        line = _line(index, "expected", lines)
        what = message("check_expected_in_template", file=exercise.expected_file)
        return Problem(line, f"{where}.expected", what)
    if exercise.tests and files.has(exercise.tests):
        line = _line(index, "tests", lines)
        what = message("check_tests_in_template", file=exercise.tests)
        return Problem(line, f"{where}.tests", what)
    return _prose_problem(index, exercise, files, lines) if exercise.prose else None


def _prose_problem(
    index: int, exercise: Exercise, files: Files, lines: Lines | None
) -> Problem | None:
    """Return a problem with the parts that are named for the learner's own words, or None."""
    try:
        blocks = engine.read(files.read(exercise.file), exercise.rule(), model.Limits()).blocks
    except UnreadableError:
        return None  # what the file has to be is not checked here
    for number, one in enumerate(exercise.prose):
        if not prose_parts.places_of(blocks, one.part):
            what = message("check_no_part", part=str(one.part), file=exercise.file)
            line = (lines or {}).get(("exercises", index, "prose", number, "part"))
            where = f"exercises[{index + 1}] ({exercise.id}).prose[{number + 1}].part"
            return Problem(line, where, what)
    return None


def _data_problems(
    index: int, exercise: Exercise, paths: Iterable[str], lines: Lines
) -> Iterable[Problem]:
    """Yield a problem for each declared file or folder of data that is not there."""
    for number, path in enumerate(exercise.data):
        if not any(f"{one}/".startswith(f"{path}/") for one in paths):
            where = f"exercises[{index + 1}] ({exercise.id}).data[{number + 1}]"
            line = lines.get(("exercises", index, "data", number))
            yield Problem(line, where, message("check_no_data", file=path))


def _line(index: int, key: str, lines: Lines | None) -> int | None:
    return (lines or {}).get(("exercises", index, key))


def check_commit(
    files: ListedFiles, start_file: str | None
) -> tuple[CourseExercises | None, list[Finding]]:
    """Check a commit of a course repository.

    Args:
        files: the commit's files.
        start_file: file or folder that a launch opens if it names no file.

    Returns:
        The declaration (None: there is none, or it is invalid), and the problems that prevent
        publication.
    """
    course: CourseExercises | None = None
    findings: list[Finding] = []
    try:
        read = read_course(files)
    except ExercisesError as error:
        findings += map(Finding.of, error.problems)
        read = None
    if read is not None:
        course, lines = read
        problems = (
            exercise_problem(index, exercise, files, lines)
            for index, exercise in enumerate(course.exercises)
        )
        findings += [Finding.of(problem) for problem in problems if problem]
        for index, exercise in enumerate(course.exercises):
            findings += map(Finding.of, _data_problems(index, exercise, files.paths, lines))
        if not declaration.fits(course):
            kib = declaration.MAX_EXERCISES_BYTES // 1024
            findings.append(
                Finding(EXERCISES_FILE, None, "", message("publish_declaration_large", kib=kib))
            )
    if start_file and not any(f"{path}/".startswith(f"{start_file}/") for path in files.paths):
        what = message("publish_no_start_file", file=start_file)
        findings.append(Finding(start_file, None, "start_file", what))
    return course, findings[:MAX_FINDINGS]


def identity(start_file: str | None) -> str:
    """Return a hash of everything but the commit that determines a check's result."""
    total = hashlib.sha256(json.dumps(start_file).encode())
    here = Path(__file__).read_bytes()
    for content in (here, *_sources(_CHECKS)):
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()[:16]


_CHECKS = (
    *(declared, exercises, model, value_checks, fields, declaration),
    *(prose_checks, prose_parts, engine, notebook, markdown, org),
)


def _sources(modules: Iterable[ModuleType]) -> Iterable[bytes]:
    return (Path(str(module.__file__)).read_bytes() for module in modules)
