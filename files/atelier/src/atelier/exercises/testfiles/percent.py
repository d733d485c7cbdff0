"""Reads scripts of tests in the percent format, as Jupytext, Spyder and VS Code know it.

``# %%`` begins a cell. Here each cell is one test, and what follows the marker says its name and
more::

    # %% name: the mean | points: 2
    # say.fr: …
    # say.en: …
    assert abs(mean - 62.6) < 0.05

The comments right below the marker may continue it. Code above the first marker is common to all
tests. A script without any marker is one test.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from atelier.exercises.declared import Problem
from atelier.exercises.testfiles.model import MOST_POINTS, TeacherTest, TestLanguage, wrong
from atelier.i18n.translate import LANGUAGES

_MARK = re.compile(r"#\s*%%(?!%)(.*)")
_KEYS = ("name", "points", "hidden", *(f"say.{lang}" for lang in LANGUAGES))
_SEPARATOR = re.compile(r"\s\|\s(?=\s*[a-z]+(?:\.[a-z]+)?\s*:)")
_FIELD = re.compile(r"([a-z]+(?:\.[a-z]+)?)\s*:\s*(.*)")
_NO_CODE = re.compile(r"\[(?:markdown|md|raw)\]")
_SWITCH = {"true": True, "yes": True, "false": False, "no": False}


@dataclass
class _Cell:
    """One cell: its fields with the numbers of their lines, and its code."""

    line: int
    title: str = ""
    fields: dict[str, tuple[str, int]] = field(default_factory=dict)
    code: list[str] = field(default_factory=list)
    in_head: bool = True


def read(
    text: str, file: str, language: TestLanguage
) -> tuple[tuple[TeacherTest, ...], list[Problem]]:
    """Read a script of tests; return the tests and the errors."""
    common, cells, problems = _cells(text, file)
    if not any(cell.title or cell.fields or _has_code(cell.code) for cell in cells):
        if not _has_code(common):
            return (), problems
        cells, common = [_Cell(1, PurePosixPath(file).stem, code=common)], []
    if not _has_code(common):
        common = []
    tests = []
    for number, cell in enumerate(cells, 1):
        test, wrongs = _test(cell, number, file, common)
        problems += wrongs
        tests.append(test)
    if language == "python":
        problems += _syntax(file, text)
    return tuple(tests), problems


def _has_code(lines: list[str]) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in lines)


def _cells(text: str, file: str) -> tuple[list[str], list[_Cell], list[Problem]]:
    common: list[str] = []
    cells: list[_Cell] = []
    problems: list[Problem] = []
    skipped = False
    for number, line in enumerate(text.splitlines(), 1):
        mark = _MARK.fullmatch(line.rstrip())
        if mark is not None:
            skipped = bool(_NO_CODE.search(mark[1]))
            if not skipped:
                cells.append(_Cell(number))
                problems += _head(cells[-1], mark[1], number, file)
        elif skipped:
            continue
        elif not cells:
            common.append(line)
        elif cells[-1].in_head and (more := re.fullmatch(r"#\s*(\S.*)", line.rstrip())):
            problems += _head(cells[-1], more[1], number, file)
        else:
            cells[-1].in_head = False
            cells[-1].code.append(line)
    return common, cells, problems


def _head(cell: _Cell, text: str, number: int, file: str) -> list[Problem]:
    """Add the fields of a marker, or of a comment right below it, to the cell."""
    problems = []
    pieces = [piece.strip() for piece in _SEPARATOR.split(f" {text} ") if piece.strip()]
    for place, piece in enumerate(pieces):
        found = _FIELD.fullmatch(piece)
        key, value = (found[1], found[2].strip()) if found else ("", "")
        near = difflib.get_close_matches(key, _KEYS, n=1) if key not in _KEYS else []
        if not key or (key not in _KEYS and number != cell.line and not near):
            if number == cell.line and place == 0:
                cell.title = piece
            else:  # an ordinary comment
                cell.in_head = False
        elif key not in _KEYS:
            known = ", ".join(near or _KEYS)
            problems.append(wrong(file, number, "tests_key", name=key, known=known))
        elif key in cell.fields:
            problems.append(wrong(file, number, "tests_key_twice", name=key))
        else:
            cell.fields[key] = (value, number)
    return problems


def _test(
    cell: _Cell, number: int, file: str, common: list[str]
) -> tuple[TeacherTest, list[Problem]]:
    problems = []
    points, line = cell.fields.get("points", ("1", cell.line))
    worth = amount(points)
    if worth is None:
        problems.append(wrong(file, line, "tests_points", value=points[:40]))
    hidden, line = cell.fields.get("hidden", ("false", cell.line))
    if hidden.lower() not in _SWITCH:
        problems.append(wrong(file, line, "tests_hidden", value=hidden[:40]))
    name = cell.fields.get("name", (cell.title, 0))[0] or f"test {number}"
    if not _has_code(cell.code):
        problems.append(wrong(file, cell.line, "tests_no_code", name=name))
    test = TeacherTest(
        name=name,
        code="\n".join([*common, *cell.code]).strip("\n") + "\n",
        points=worth or 0.0,
        say={
            key.removeprefix("say."): value
            for key, (value, _line) in cell.fields.items()
            if key.startswith("say.") and value
        },
        hidden=_SWITCH.get(hidden.lower(), True),
        line=cell.line,
    )
    return test, problems


def amount(value: object) -> float | None:
    """Return points as a number; None: they are not a number from 0 to the most."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and 0 <= number <= MOST_POINTS else None


def _syntax(file: str, text: str) -> list[Problem]:
    try:
        ast.parse(text)
    except SyntaxError as error:
        return [wrong(file, error.lineno, "tests_syntax", why=str(error.msg))]
    except (ValueError, RecursionError, MemoryError):
        return [wrong(file, None, "tests_syntax", why="?")]
    return []
