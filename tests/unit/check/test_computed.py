"""What the code computes makes the score, and learners see nothing of hidden tests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from atelier.exercises.computed import Ran, points_of, with_computed
from atelier.exercises.declared import ExercisesError, read_exercises
from atelier.exercises.engine import compare
from atelier.exercises.exercises import Exercise
from atelier.exercises.model import Comparison, Reveal
from atelier.exercises.needed import TooMuchError, gather, named_files, source_of
from atelier.exercises.reveal import reveal
from atelier.exercises.testfiles.model import TeacherTest
from atelier.sandbox.model import Found, Outcome

TESTS = (
    TeacherTest("the mean", "assert mean == 62.6", 2, {"fr": "Divisez.", "en": "Divide."}),
    TeacherTest("secretname", "assert mean > secretcode", 1, {"en": "secretsay"}, hidden=True),
)
VALUES = "[{variable: mean, equals: 62.6, tolerance: {absolute: 0.05}, points: 1}]"


def exercise(extra: str = "", file: str = "pi.py") -> Exercise:
    text = f"version: 1\nexercises:\n  - id: pi\n    title: {{fr: P, en: P}}\n    file: {file}\n"
    return read_exercises(text + "".join(f"    {line}\n" for line in extra.splitlines())).exercises[
        0
    ]


def judged(*outcomes: Outcome, value: Any = 62.6, run: Any = None) -> Comparison:
    given = exercise(f"tests: t.py\nvalues: {VALUES}")
    likeness = compare(b"mean = 62.6\n", b"mean = 1\n", given.rule())
    found = (Found(True, value),) if value is not None else (Found(False, problem="undefined"),)
    ran = Ran({one.name: one for one in outcomes}, found, (62.6,), run)
    assert points_of(given, TESTS) == 4
    return with_computed(likeness, given, TESTS, ran)


RIGHT = (Outcome("the mean", 1.0), Outcome("secretname", 1.0))
WRONG = (
    Outcome("the mean", 0.5, "assertion", "secretdetail"),
    Outcome("secretname", 0.0, "error", "secretdetail"),
)


def test_points_reached_make_the_score_whatever_the_likeness() -> None:
    right = judged(*RIGHT)
    assert right["score"] == 1
    assert all(part["weight"] == 0 for part in right["parts"])
    assert [one["passed"] for one in right["tests"]] == [True, True, True]
    assert judged(*WRONG)["score"] == 0.5, "half of two points, and the value"
    assert judged(*WRONG, value=9)["score"] == 0.25


def test_points_of_prose_count_beside_those_of_tests() -> None:
    given = exercise(
        f"values: {VALUES}\nprose: [{{part: 2, expects: {{number: 3}}, points: 3}}]", "a.Rmd"
    )
    answer = b"# A\n\nIt is 3.\n"
    likeness = compare(b"# A\n\nIt is 3 or so.\n", answer, given.rule())
    assert points_of(given, ()) == 4
    assert with_computed(likeness, given, (), Ran({}, (Found(True, 9),), (62.6,)))["score"] == 0.75


def test_silence_is_failure() -> None:
    assert judged(RIGHT[0], value=None)["score"] == 0.5
    assert [one["problem"] for one in judged(value=None)["tests"]] == [
        *("missing", "missing", "undefined"),
    ]
    nan = Outcome("the mean", float("nan"))
    assert judged(nan, value=None)["score"] == 0


def test_a_run_that_stopped_reaches_nothing() -> None:
    run = {"problem": "run_error", "cell": 3, "error": "NameError: x", "name": ""}
    stopped = judged(*RIGHT, run=run)
    assert (stopped["score"], stopped["run"]) == (0, run)
    assert {one["problem"] for one in stopped["tests"]} == {"stopped"}


@pytest.mark.parametrize("level", ["verdict", "hints", "full"])
def test_nothing_of_hidden_tests_leaves_but_numbers(level: Reveal) -> None:
    whole = judged(*WRONG, value=9)
    assert "secretdetail" in json.dumps(whole)
    seen = reveal(whole, level)
    assert "secret" not in json.dumps(seen)
    assert "62.6" not in json.dumps([seen["tests"], seen.get("details")])
    assert seen["hidden"] == {"count": 1, "passed": 0, "points": 1, "reached": 0}
    shown = [(one["name"], one["say"], one["yours"]) for one in seen["tests"]]
    assert shown == (
        []
        if level == "verdict"
        else [("the mean", {"fr": "Divisez.", "en": "Divide."}, ""), ("mean", {}, "9")]
    )
    assert reveal(whole, "full", staff=True)["details"] == [
        *("secretdetail", "secretdetail", "expected: 62.6"),
    ]


@pytest.mark.parametrize(
    ("extra", "file", "line", "said"),
    [
        ("tests: t.txt", "pi.py", 6, "tests are in a file that ends in .py, .R or .ipynb"),
        ("tests: t.py", "pi.csv", 3, "`pi.csv` cannot be run"),
        ("values: [{variable: a, output: true}]", "pi.py", 6, "write exactly one of"),
        ("values: [{points: 1}]", "pi.py", 6, "write exactly one of"),
        ("values: [{variable: a, label: b}]", "pi.py", 6, "for `output: true` only"),
        ("values: [{variable: 1a}]", "pi.py", 6, "`1a` is not a variable’s name"),
        ("values: [{variable: a, tolerence: 1}]", "pi.py", 6, "is it `tolerance`?"),
        ("values: [{variable: a, points: yes}]", "pi.py", 6, "not a number"),
        ("tests: ../t.py", "pi.py", 6, "is not a path inside the repository"),
    ],
)
def test_a_mistake_in_the_declaration_is_told_with_its_line(
    extra: str, file: str, line: int, said: str
) -> None:
    with pytest.raises(ExercisesError) as caught:
        exercise(extra, file)
    (told,) = caught.value.say("en")
    assert told.startswith(f"atelier.yml:{line}: ")
    assert said in told
    assert caught.value.say("fr") != [told]


def test_a_table_may_be_compared_without_running_anything() -> None:
    one = exercise("values: [{file: table.csv}]", "table.csv")
    assert (one.is_computed, one.can_run, one.needs_expected) == (True, False, False)


REPOSITORY = {
    "data/series.csv": b"1",
    "data/other.csv": b"2",
    "data/my data.csv": b"4",
    "data/big/a.bin": b"3",
    "exercises/pi.py": b"",
    "exercises/helper.py": b"open('other.csv')",
    "lib/tools/__init__.py": b"",
    "README.md": b"",
}


@pytest.mark.parametrize(
    ("text", "data", "found"),
    [
        ("pd.read_csv('../data/series.csv')", (), {"data/series.csv"}),
        ("read.csv('my_series.csv')", (), set()),
        ("import helper as h", (), {"exercises/helper.py", "data/other.csv"}),
        ("from tools import mean", (), {"lib/tools/__init__.py"}),
        ("x", ("data/big",), {"data/big/a.bin"}),
        ("pi.py", (), set()),
        ("read_csv('my data.csv')", (), {"data/my data.csv"}),
    ],
)
def test_the_files_that_an_answer_names_come_along(
    text: str, data: tuple[str, ...], found: set[str]
) -> None:
    got = gather("exercises/pi.py", [text], REPOSITORY, REPOSITORY.get, data)
    assert set(got) == found


def test_a_notebook_may_name_files_in_any_cell() -> None:
    one = json.dumps({"cells": [{"source": "x = 1\nimport helper\nopen('../data/series.csv')"}]})
    text = source_of("a.ipynb", one.encode())
    found = {"exercises/helper.py", "data/series.csv"}
    assert set(named_files([text], REPOSITORY)) == found


def test_too_much_data_is_refused() -> None:
    listing = [f"data/{number}.csv" for number in range(101)]
    with pytest.raises(TooMuchError):
        gather("pi.py", [""], listing, lambda _path: b"", ("data",))
