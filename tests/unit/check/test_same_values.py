"""Values are equal when they mean the same, and the reason says what differs."""

from __future__ import annotations

import math
from typing import Any

import pytest
from atelier.exercises.same_values import (
    Closeness,
    file_problem,
    line_problem,
    text_problem,
    value_problem,
)
from kit import judged_answers

EXACT, NEAR = Closeness(), Closeness(absolute=0.05)
TABLE = {"columns": {"minute": [0, 1], "temperature": [85.0, 82.5]}}


@pytest.mark.parametrize(
    ("found", "wanted", "near", "problem"),
    [
        (62.6, 62.6, EXACT, ""),
        (0.1 + 0.2, 0.3, EXACT, ""),
        (3, 3.0, EXACT, ""),
        (62.64, 62.6, NEAR, ""),
        (62.65, 62.6, NEAR, ""),
        (62.66, 62.6, NEAR, "differs"),
        (101, 100, Closeness(relative=0.01), ""),
        (math.nan, math.nan, EXACT, ""),
        (math.inf, 1e308, EXACT, "differs"),
        (10**400, 1.0, EXACT, "differs"),
        (True, 1, EXACT, "kind"),
        ("62.6", 62.6, NEAR, "kind"),
        (None, 62.6, NEAR, "kind"),
        (None, None, EXACT, ""),
        (True, True, EXACT, ""),
        ("a", "b", EXACT, "differs"),
        ([1, [2.04]], [1, [2]], NEAR, ""),
        ([1], [1, 2], EXACT, "length"),
        (3, [3], EXACT, "kind"),
        ({"a": 1}, {"a": 1.01}, NEAR, ""),
        ({"a": 1}, {"b": 1}, NEAR, "keys"),
        ({"columns": dict(reversed(TABLE["columns"].items()))}, TABLE, EXACT, ""),
        ({"columns": {"minute": [0, 1]}}, TABLE, EXACT, "columns"),
        ({"columns": {"minute": [0], "temperature": [85]}}, TABLE, EXACT, "rows"),
        ({"columns": {"minute": [0, 1], "temperature": [85, 82]}}, TABLE, NEAR, "differs"),
    ],
)
def test_values(found: Any, wanted: Any, near: Closeness, problem: str) -> None:
    assert value_problem(found, wanted, near) == problem


@pytest.mark.parametrize(
    ("found", "wanted", "problem"),
    [
        ("62.6\n", "62.6", ""),
        ("The mean  is 62.61°C\n\n", "The mean is 62.6 °C", ""),
        ("The mean is 9", "The mean is 62.6", "differs"),
        ("mean: 62.6", 62.6, ""),
        ("62.6 63 64", 62.6, "differs"),
        ("nothing", 62.6, "differs"),
        ("a b", "a", "differs"),
    ],
)
def test_printed_text(found: str, wanted: Any, problem: str) -> None:
    assert text_problem(found, wanted, NEAR) == problem


@pytest.mark.parametrize(
    ("found", "wanted", "problem"),
    [
        ("n = 4\nmean = 62.61\n", 62.6, ""),
        ("mean = 9\n", 62.6, "differs"),
        ("n = 4\n", 62.6, "line"),
        ("mean = 62.6\nmean = 63\n", 62.6, "line"),
        ("mean =62.6 C\n", "n = 4\nmean = 62.6 C", ""),
    ],
)
def test_one_line_of_what_is_printed(found: str, wanted: Any, problem: str) -> None:
    assert line_problem(found, wanted, "mean =", NEAR) == problem


@pytest.mark.parametrize(
    ("path", "found", "wanted", "problem"),
    [
        ("t.csv", "minute,temperature\n0,85.0\n", "temperature,minute\n85.01,0\n", ""),
        ("t.csv", "minute;temperature\r\n0;85,0\r\n", "minute,temperature\n0,85\n", ""),
        ("t.csv", "minute\n0\n", "minute,temperature\n0,85\n", "columns"),
        ("t.csv", "a,b\n1,2\n3,4\n", "a,b\n1,2\n", "rows"),
        ("t.csv", "a,b\n1\n", "a,b\n1,2\n", "table"),
        ("t.json", '{"mean": 62.61}', '{"mean": 62.6}', ""),
        ("t.json", '{"mean": 62.61}', {"mean": 62.6}, ""),
        ("t.json", "{mean}", '{"mean": 62.6}', "json"),
        ("t.json", "[" * 100_000, '{"mean": 62.6}', "json"),
        ("t.txt", "mean 62.6\n", "mean   62.6", ""),
    ],
)
def test_files(path: str, found: str, wanted: Any, problem: str) -> None:
    assert file_problem(found, wanted, path, NEAR) == problem


@pytest.mark.parametrize("found", ["b,2\na,1\n", "b,2.04\na,1\n", "a,1\nb,3\n", "a,1\n"])
def test_rows_may_be_found_by_columns(found: str) -> None:
    problem = file_problem(f"name,x\n{found}", "name,x\na,1\nb,2\n", "t.csv", NEAR, ("name",))
    assert problem == {"a,1\nb,3\n": "differs", "a,1\n": "rows"}.get(found, "")


TIDY = judged_answers.read("csv-tidy")


@pytest.mark.parametrize("answer", TIDY.answers, ids=lambda one: one.name)
def test_tables_are_judged_as_persons_judged_them(answer: judged_answers.Judged) -> None:
    (part,) = (one for one in TIDY.data["parts"] if one["kind"] == "values")
    text = answer.files.get(part["file"])
    near = Closeness(absolute=part["tolerance"])
    found = (text or b"").decode("utf-8-sig", "replace")
    problem = file_problem(found, part["value"], part["file"], near, part["key"])
    expected = TIDY.earns(answer, part["name"])
    assert expected is None or (problem == "") is expected, problem
