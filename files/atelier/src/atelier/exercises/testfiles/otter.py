"""Reads otter's test files (https://otter-grader.readthedocs.io/en/latest/test_files/).

Two kinds: with ``OK_FORMAT = True`` a dictionary ``test`` of doctests, else functions with the
decorator ``@test_case``. Both are read with :mod:`ast`; nothing of the file is executed here. A
doctest becomes code that captures what is shown and compares it as :mod:`doctest` does. A function
is called with the answer's values of the names of its parameters.
"""

from __future__ import annotations

import ast
import doctest
from typing import Any

from atelier.exercises.declared import Problem
from atelier.exercises.testfiles.model import TeacherTest, wrong
from atelier.exercises.testfiles.percent import amount

_SHOWN = """\
import contextlib as _contextlib
import doctest as _doctest
import io as _io


def _display(value):
    if value is not None:
        print(repr(value))


def _shows(wanted, printed):
    how = _doctest.ELLIPSIS | _doctest.NORMALIZE_WHITESPACE
    if not _doctest.OutputChecker().check_output(wanted, printed.getvalue(), how):
        raise AssertionError(f"shows {printed.getvalue()!r}, not {wanted!r}")


"""


def is_otter(tree: ast.Module) -> bool:
    """Return whether a module is one of otter's test files."""
    return any(
        (isinstance(node, ast.Assign) and _target(node) == "OK_FORMAT") or _decorated(node)
        for node in tree.body
    )


def _target(node: ast.Assign) -> str:
    target = node.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def read(tree: ast.Module, file: str, stem: str) -> tuple[tuple[TeacherTest, ...], list[Problem]]:
    """Read one of otter's test files; return the tests and the errors.

    Args:
        tree: the parsed file.
        file: its path, for errors.
        stem: the tests' name, if the file does not say it.
    """
    said = {_target(one): one for one in tree.body if isinstance(one, ast.Assign)}
    test = said.get("test")
    if test is not None:
        return _doctests(test, file, stem)
    return _functions(tree, said, file, stem)


def _literal(node: ast.AST | None) -> Any:
    """Return the value of a literal; None if it is none."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _doctests(
    node: ast.Assign, file: str, stem: str
) -> tuple[tuple[TeacherTest, ...], list[Problem]]:
    data = _literal(node.value)
    try:
        suites = data["suites"]
        cases = [
            (suite.get("setup") or "", case)
            for suite in suites
            if suite.get("scored", True)
            for case in suite["cases"]
        ]
        codes = [(f"{setup}\n{case['code']}", case) for setup, case in cases]
        name = str(data.get("name") or stem)
        points = _shared(data.get("points"), len(codes))
    except (KeyError, TypeError, AttributeError):
        return (), [wrong(file, node.lineno, "tests_otter")]
    tests, problems = [], []
    for number, (code, case) in enumerate(codes, 1):
        worth = amount(case.get("points", points[number - 1]))
        if worth is None:
            told = str(case.get("points", points[number - 1]))[:40]
            problems.append(wrong(file, node.lineno, "tests_points", value=told))
        try:
            made = _as_code(code)
        except (SyntaxError, ValueError, RecursionError) as error:
            why = str(getattr(error, "msg", error))
            problems.append(wrong(file, node.lineno, "tests_syntax", why=why))
            continue
        tests.append(
            TeacherTest(
                name=name if len(codes) == 1 else f"{name} - {number}",
                code=made,
                points=worth or 0.0,
                say=_said(case.get("failure_message")),
                hidden=case.get("hidden", True) is not False,
                line=node.lineno,
            )
        )
    return tuple(tests), problems


def _shared(points: Any, count: int) -> list[Any]:
    """Return the points of each case: otter shares those of a question among its cases."""
    if isinstance(points, list):
        return [*points, *[0] * count][:count]
    total = 1 if points is None else points
    return [total / count if isinstance(total, int | float) else total] * count


def _said(text: Any) -> dict[str, str]:
    return {"en": text} if isinstance(text, str) and text else {}


def _as_code(source: str) -> str:
    """Return code that does what a doctest does.

    Raises:
        SyntaxError, ValueError: it is no doctest.
    """
    made: list[ast.stmt] = []
    for example in doctest.DocTestParser().get_examples(source):
        body = ast.parse(example.source).body
        if body and isinstance(last := body[-1], ast.Expr):
            shown = ast.Call(ast.Name("_display", ast.Load()), [last.value], [])
            body[-1] = ast.Expr(shown)
        frame = ast.parse(
            "with _contextlib.redirect_stdout(_io.StringIO()) as _printed:\n    pass\n"
            f"_shows({example.want!r}, _printed)\n"
        ).body
        if example.exc_msg is not None:
            kind = example.exc_msg.partition(":")[0].strip()
            frame = ast.parse(
                "try:\n    pass\n"
                f"except Exception as _error:\n"
                f"    assert type(_error).__name__ == {kind.rpartition('.')[2]!r}\n"
                f"else:\n    raise AssertionError({'no ' + kind!r})\n"
            ).body
        if body:
            frame[0].body = body  # type: ignore[attr-defined]
            made += frame
    if not made:
        raise ValueError("no line begins with >>>")
    return _SHOWN + ast.unparse(ast.fix_missing_locations(ast.Module(made, []))) + "\n"


def _decorated(node: ast.stmt) -> ast.Call | ast.Name | ast.Attribute | None:
    """Return a function's decorator ``test_case``; None: it has none."""
    for decorator in getattr(node, "decorator_list", []):
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name == "test_case":
            found: ast.Call | ast.Name | ast.Attribute = decorator
            return found
    return None


def _functions(
    tree: ast.Module, said: dict[str, ast.Assign], file: str, stem: str
) -> tuple[tuple[TeacherTest, ...], list[Problem]]:
    found = [one for one in tree.body if isinstance(one, ast.FunctionDef) and _decorated(one)]
    others = [one for one in tree.body if one not in found and not _is_otters(one)]
    question = str(_literal(said["name"].value) if "name" in said else "") or stem
    each = _literal(said["points"].value) if "points" in said else None
    points = _shared(each, max(len(found), 1))
    tests, problems = [], []
    for place, function in enumerate(found):
        decorator = _decorated(function)
        keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
        given = {one.arg: _literal(one.value) for one in keywords}
        names = [one.arg for one in function.args.args]
        if "env" in names or function.args.vararg or function.args.kwarg:
            problems.append(wrong(file, function.lineno, "tests_otter_env", name=function.name))
        worth = given.get("points")
        worth = amount(points[place] if worth is None else worth)
        if worth is None:
            problems.append(wrong(file, function.lineno, "tests_points", value="?"))
        plain = ast.FunctionDef(**{**vars(function), "decorator_list": []})
        call = ast.parse(f"{function.name}({', '.join(f'{one}={one}' for one in names)})").body
        body = ast.fix_missing_locations(ast.Module([*others, plain, *call], []))
        tests.append(
            TeacherTest(
                name=str(given.get("name") or f"{question} - {function.name}"),
                code=ast.unparse(body) + "\n",
                points=worth or 0.0,
                say=_said(given.get("failure_message")),
                hidden=given.get("hidden") is not False,
                line=function.lineno,
            )
        )
    return tuple(tests), problems


def _is_otters(node: ast.stmt) -> bool:
    """Return whether a statement is otter's own: its imports and settings."""
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] == "otter"
    if isinstance(node, ast.Import):
        return any(one.name.partition(".")[0] == "otter" for one in node.names)
    return isinstance(node, ast.Assign) and _target(node) in {"OK_FORMAT", "name", "points"}
