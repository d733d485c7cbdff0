"""Reads a file of tests, whatever its kind, and checks it."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

from atelier.exercises.blocks import UnreadableError
from atelier.exercises.declared import Problem
from atelier.exercises.model import Limits
from atelier.exercises.reading import decode
from atelier.exercises.testfiles import nbgrader, otter, percent
from atelier.exercises.testfiles.model import (
    MOST_BYTES,
    MOST_TESTS,
    BadTestsError,
    Suite,
    TeacherTest,
    TestLanguage,
    same_twice,
    wrong,
)


def read_tests(content: bytes, file: str) -> Suite:
    """Read a file of tests.

    Args:
        content: the file.
        file: its path; the ending says how to read it.

    Raises:
        BadTestsError: it cannot be read, has no tests, or a test is wrong.
    """
    try:
        text, _warnings = decode(content, Limits(max_bytes=MOST_BYTES))
    except UnreadableError as unreadable:
        raise BadTestsError([Problem(None, "", unreadable.message, file)]) from None
    path = PurePosixPath(file)
    language: TestLanguage = "python"
    if path.suffix.lower() == ".ipynb":
        language, tests, problems = nbgrader.read(text, file)
    elif path.suffix.lower() == ".r":
        language = "r"
        tests, problems = percent.read(text, file, "r")
    elif (tree := _parsed(text)) is not None and otter.is_otter(tree):
        tests, problems = otter.read(tree, file, path.stem)
    else:
        tests, problems = percent.read(text, file, "python")
    problems += same_twice(file, tests)
    if language == "python":
        problems += [problem for test in tests for problem in _deletions(file, test)]
    if not tests and not problems:
        problems.append(wrong(file, None, "tests_none"))
    if len(tests) > MOST_TESTS:
        problems.append(wrong(file, None, "tests_many", most=MOST_TESTS))
    if problems:
        problems.sort(key=lambda problem: problem.line or 0)
        raise BadTestsError(problems)
    return Suite(language, tests)


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _deletions(file: str, test: TeacherTest) -> list[Problem]:
    """Return an error for each name of the learner's that a test deletes.

    Tests have names of their own for what the learner's file defines: its code goes on to find
    what a test has deleted, and a right answer would fail.
    """
    tree = _parsed(test.code)
    names = [one for one in ast.walk(tree) if isinstance(one, ast.Name)] if tree else []
    made = {one.id for one in names if isinstance(one.ctx, ast.Store)}
    first: dict[str, ast.Name] = {}
    for one in sorted(names, key=lambda one: (one.lineno, one.col_offset)):
        first.setdefault(one.id, one)
    return [
        wrong(file, test.line, "tests_deletes", test.where, name=test.name, deleted=name)
        for name, one in first.items()
        if any(other.id == name and isinstance(other.ctx, ast.Del) for other in names)
        and (name not in made or not isinstance(one.ctx, ast.Store))
    ]
