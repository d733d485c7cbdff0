"""Reads the test cells of a notebook as nbgrader marks them.

A cell with ``metadata.nbgrader`` and ``grade: true`` is a test, with its ``points`` and
``grade_id`` (nbgrader's documentation, "The metadata of nbgrader"). What stands between ``### BEGIN
HIDDEN TESTS`` and ``### END HIDDEN TESTS`` is run like the rest; a cell with nothing else is a
hidden test. Answers that a person grades are left out. Modules that the notebook's other cells
import are imported before each test.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from atelier.exercises.declared import Problem
from atelier.exercises.testfiles.model import TeacherTest, TestLanguage, wrong
from atelier.exercises.testfiles.percent import amount

_BEGIN, _END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
_R_IMPORT = re.compile(r"^\s*(?:suppressPackageStartupMessages\()?(?:library|require)\(.*$")


def read(text: str, file: str) -> tuple[TestLanguage, tuple[TeacherTest, ...], list[Problem]]:
    """Read a notebook's tests; return their language, the tests, and the errors."""
    try:
        data = json.loads(text)
        cells = data["cells"]
        sources = [(cell, _source(cell)) for cell in cells]
        kernel = str(data.get("metadata", {}).get("kernelspec", {}).get("language", "python"))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return "python", (), [wrong(file, None, "tests_notebook")]
    language: TestLanguage = "r" if kernel.lower() == "r" else "python"
    tests: list[TeacherTest] = []
    problems: list[Problem] = []
    imports: list[str] = []
    for number, (cell, source) in enumerate(sources, 1):
        if cell.get("cell_type") != "code":
            continue
        marked = _marked(cell)
        if not marked.get("grade") or marked.get("solution"):
            imports += _imports(source, language)
            continue
        test, wrongs = _test(marked, source, number, file, language, imports)
        tests.append(test)
        problems += wrongs
    return language, tuple(tests), problems


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def _marked(cell: dict[str, Any]) -> dict[str, Any]:
    marked = (cell.get("metadata") or {}).get("nbgrader")
    return marked if isinstance(marked, dict) else {}


def _imports(source: str, language: TestLanguage) -> list[str]:
    """Return the statements of a cell that import modules or load packages."""
    if language == "r":
        return [line for line in source.splitlines() if _R_IMPORT.match(line)]
    plain = "\n".join("" if line.startswith(("%", "!")) else line for line in source.splitlines())
    try:
        body = ast.parse(plain).body
    except (SyntaxError, ValueError, RecursionError):
        return []
    return [ast.unparse(one) for one in body if isinstance(one, ast.Import | ast.ImportFrom)]


def _test(
    marked: dict[str, Any],
    source: str,
    number: int,
    file: str,
    language: TestLanguage,
    imports: list[str],
) -> tuple[TeacherTest, list[Problem]]:
    where = f"cell {number}"
    problems = []
    shown: list[str] = []
    kept: list[str] = []
    inside = False
    for line in source.splitlines():
        if _BEGIN in line or _END in line:
            if inside is (_BEGIN in line):
                problems.append(wrong(file, None, "tests_region", where))
            inside = _BEGIN in line
            continue
        kept.append(line)
        if not inside:
            shown.append(line)
    if inside:
        problems.append(wrong(file, None, "tests_region", where))
    points = amount(marked.get("points"))
    if points is None:
        problems.append(
            wrong(file, None, "tests_points", where, value=str(marked.get("points"))[:40])
        )
    if re.search(r"^###\s*(?:HASHED )?AUTOTEST\b", source, re.MULTILINE):
        problems.append(wrong(file, None, "tests_autotest", where))
    code = "\n".join(kept)
    if language == "python":
        try:
            ast.parse(code)
        except (SyntaxError, ValueError, RecursionError) as error:
            why = str(getattr(error, "msg", "?"))
            problems.append(wrong(file, None, "tests_syntax", where, why=why))
    test = TeacherTest(
        name=str(marked.get("grade_id") or where),
        code="\n".join([*dict.fromkeys(imports), code]) + "\n",
        points=points or 0.0,
        hidden=len(shown) < len(kept) and not _does_something(shown, language),
        where=where,
    )
    return test, problems


def _does_something(lines: list[str], language: TestLanguage) -> bool:
    """Return whether lines have code besides comments and a docstring."""
    if language == "r":
        return any(line.strip() and not line.strip().startswith("#") for line in lines)
    try:
        body = ast.parse("\n".join(lines)).body
    except (SyntaxError, ValueError, RecursionError):
        return True
    return any(
        not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)) for one in body
    )
