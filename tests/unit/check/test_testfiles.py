"""Files of tests are read as teachers write them, and never executed here."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from atelier.exercises.testfiles.model import BadTestsError, TeacherTest
from atelier.exercises.testfiles.reader import read_tests

PERCENT = """\
import math

# %% name: the mean | points: 2
# say.fr: La moyenne est la somme divisée par le nombre de valeurs.
# say.en: The mean is the sum | divided by the count.
assert math.isclose(mean, 62.6)

# %% [markdown]
# words between tests

# %% a loop | hidden: true
# an ordinary comment: of this test
assert total(3) == 6
"""


def run(test: TeacherTest, **names: Any) -> str:
    """Run a test with an answer's names, as the tests' sandbox does; return the error's type."""
    try:
        exec(test.code, dict(names))  # noqa: S102 (code of this file)
    except Exception as error:
        return type(error).__name__
    return ""


def problems(content: str | bytes, file: str = "t.py", lang: str = "en") -> list[str]:
    with pytest.raises(BadTestsError) as caught:
        read_tests(content if isinstance(content, bytes) else content.encode(), file)
    return caught.value.say(lang)


def test_a_percent_script_is_read_with_points_sentences_and_hidden_tests() -> None:
    read = read_tests(PERCENT.encode(), "mean_tests.py")
    assert read.language == "python"
    first, second = read.tests
    assert (first.name, first.points, first.hidden, first.line) == ("the mean", 2, False, 3)
    assert first.say == {
        "fr": "La moyenne est la somme divisée par le nombre de valeurs.",
        "en": "The mean is the sum | divided by the count.",
    }
    assert (second.name, second.points, second.hidden) == ("a loop", 1, True)
    assert (run(first, mean=62.6), run(first, mean=9), run(first)) == (
        *("", "AssertionError", "NameError"),
    )
    assert run(second, total=lambda n: n * (n + 1) // 2) == ""


def test_r_is_read_like_python() -> None:
    read = read_tests(b"# %% name: mean\nstopifnot(abs(m - 62.6) < .05)\n", "tests/mean.R")
    assert (read.language, [one.name for one in read.tests]) == ("r", ["mean"])


def test_a_script_without_cells_is_one_test() -> None:
    (test,) = read_tests(b"assert mean == 3\n", "a/mean_tests.py").tests
    assert (test.name, test.points) == ("mean_tests", 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", ["t.py: This file is empty."]),
        ("# only words\n", ["t.py: has no tests: begin each with `#%% name: …`"]),
        ("# %% name: a\nassert x ==\n", ["t.py:2: is not valid Python: invalid syntax"]),
        (
            "# %% name: a\nassert 1\n# %% name: a\nassert 2\n",
            ["t.py:3: there are two tests named `a`"],
        ),
        (
            "# %% name: a\n# points: two\nassert 1\n",
            ["t.py:2: its points are `two`: write a number from 0 to 1000"],
        ),
        (
            "# %% name: a | pionts: 2\nassert 1\n",
            ["t.py:1: there is no such key `pionts`; there are: points"],
        ),
        (
            "# %% name: a\n# pionts: 2\nassert 1\n",
            ["t.py:2: there is no such key `pionts`; there are: points"],
        ),
        (
            "# %% name: a | hidden: oui\nassert 1\n",
            ["t.py:1: hidden is `oui`: write true or false"],
        ),
        ("# %% name: a\n", ["t.py:1: the test `a` has no code"]),
        ("# %% a | points: 1 | points: 2\nassert 1\n", ["t.py:1: `points` is there twice"]),
        (b"\0\1", ["t.py: This file is not text: it was probably replaced by another one."]),
    ],
)
def test_a_mistake_is_told_with_its_line(content: str | bytes, said: list[str]) -> None:
    assert problems(content) == said


def test_a_test_that_deletes_what_the_learner_defined_is_told() -> None:
    code = "# %% name: a\norig = squares\ndel squares\ntotal(1)\nsquares = orig\n"
    (told,) = problems(code)
    assert told.startswith("t.py:1: the test `a` deletes `squares`, which the learner’s code does")
    own = read_tests(b"# %% name: a\nfor n in [1]:\n    assert total(n)\ndel n\n", "t.py")
    assert len(own.tests) == 1


def test_a_mistake_is_told_in_french() -> None:
    (told,) = problems("# %% name: a\n# points: -1\nassert 1\n", lang="fr")
    assert told == "t.py:2: ses points sont «\u00a0-1\u00a0»\u00a0: écrivez un nombre de 0 à 1000"


def cell(source: str, **nbgrader: Any) -> dict[str, Any]:
    metadata = {"nbgrader": {"schema_version": 3, **nbgrader}} if nbgrader else {}
    return {"cell_type": "code", "source": source.splitlines(keepends=True), "metadata": metadata}


def notebook(*cells: dict[str, Any], language: str = "python") -> bytes:
    kernel = {"kernelspec": {"language": language, "name": "k"}}
    return json.dumps({"cells": list(cells), "metadata": kernel, "nbformat": 4}).encode()


HIDDEN = "### BEGIN HIDDEN TESTS\nassert squares(3) == [1, 4, 9]\n### END HIDDEN TESTS"


def test_nbgraders_test_cells_are_tests() -> None:
    read = read_tests(
        notebook(
            cell("%matplotlib inline\nimport math"),
            cell("def squares(n): ...", grade=False, solution=True, grade_id="squares"),
            cell(f'"""Check squares"""\nassert math.pi > 3\n{HIDDEN}', grade=True, solution=False,
                 grade_id="correct_squares", points=1),
            cell(f'"""Check more"""\n{HIDDEN}', grade=True, grade_id="more", points=0.5),
            cell("words", grade=True, solution=True, grade_id="by_a_person", points=2),
        ),
        "ps1.ipynb",
    )  # fmt: skip
    assert [(one.name, one.points, one.hidden) for one in read.tests] == [
        ("correct_squares", 1, False),
        ("more", 0.5, True),
    ]
    right, wrong = (lambda n: [i**2 for i in range(1, n + 1)]), (lambda _n: [1, 4])
    for test in read.tests:
        assert (run(test, squares=right), run(test, squares=wrong)) == ("", "AssertionError")


def test_nbgraders_r_notebooks_are_read() -> None:
    read = read_tests(
        notebook(
            cell("library(stats)\nx <- 3"),
            cell("stopifnot(x == 3)", grade=True, points=1, grade_id="x"),
            language="R",
        ),
        "ps1.ipynb",
    )
    assert (read.language, read.tests[0].code) == ("r", "library(stats)\nstopifnot(x == 3)\n")


@pytest.mark.parametrize(
    ("source", "points", "said"),
    [
        ("assert 1\n### BEGIN HIDDEN TESTS\nassert 2", 1, "has no end"),
        ("assert 1", None, "its points are `None`"),
        ("### AUTOTEST squares(1)", 1, "nbgrader generate_assignment"),
        ("assert (", 1, "is not valid Python"),
    ],
)
def test_what_nbgrader_would_not_grade_is_told_by_its_cell(
    source: str, points: float | None, said: str
) -> None:
    (told,) = problems(notebook(cell(source, grade=True, points=points, grade_id="a")), "n.ipynb")
    assert told.startswith("n.ipynb: cell 1: ")
    assert said in told


def test_a_file_that_is_no_notebook_is_told() -> None:
    assert problems("[]", "n.ipynb") == ["n.ipynb: is not a notebook"]


OTTER = '''\
OK_FORMAT = True
test = {
    "name": "q1",
    "points": [2, 1],
    "suites": [
        {
            "cases": [
                {"code": r""">>> mean == 62.6
True
>>> for one in [1, 2]:
...     print(one * mean)
62.6
125.2""", "hidden": False, "locked": False, "failure_message": "Divide by the count."},
                {"code": ">>> import math\\n>>> math.floor(mean)\\n62\\n>>> 1 / zero\\n"
                         "Traceback (most recent call last):\\nZeroDivisionError: division by zero",
                 "hidden": True, "locked": False},
            ],
            "scored": True, "setup": ">>> zero = 0", "teardown": "", "type": "doctest",
        }
    ],
}
'''


def test_otters_doctests_are_tests() -> None:
    shown, hidden = read_tests(OTTER.encode(), "tests/q1.py").tests
    assert [(one.name, one.points, one.hidden) for one in (shown, hidden)] == [
        ("q1 - 1", 2, False),
        ("q1 - 2", 1, True),
    ]
    assert shown.say == {"en": "Divide by the count."}
    for test in (shown, hidden):
        assert (run(test, mean=62.6), run(test, mean=3)) == ("", "AssertionError")
        assert run(test) == "NameError"


FUNCTIONS = """\
from otter.test_files import test_case
import math
OK_FORMAT = False
name = "q2"
points = 3

@test_case(points=1, hidden=False, failure_message="Look again.")
def is_near(mean):
    assert math.isclose(mean, 62.6)

@test_case(points=None)
def is_positive(mean, total):
    assert mean > 0 and total > 0
"""


def test_otters_functions_are_tests() -> None:
    near, positive = read_tests(FUNCTIONS.encode(), "tests/q2.py").tests
    assert [(one.name, one.points, one.hidden) for one in (near, positive)] == [
        ("q2 - is_near", 1, False),
        ("q2 - is_positive", 1.5, True),
    ]
    assert (run(near, mean=62.6), run(near, mean=3)) == ("", "AssertionError")
    assert (run(positive, mean=1, total=2), run(positive, mean=1)) == ("", "NameError")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("OK_FORMAT = True\ntest = dict(suites=[])\n", "t.py:2: `test` must be a plain dictionary"),
        ('OK_FORMAT = True\ntest = {"suites": [{"cases": [{"code": "x"}]}]}\n', "t.py:2: is not"),
        ("@test_case()\ndef one(env):\n    assert env\n", "t.py:2: one: name the variables"),
        ("OK_FORMAT = False\n", "t.py: has no tests"),
    ],
)
def test_what_is_not_simple_in_otters_files_is_told(content: str, said: str) -> None:
    assert [told[: len(said)] for told in problems(content)] == [said]


def test_nothing_of_a_file_of_tests_is_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXECUTED", raising=False)
    act = "import os; os.environ['EXECUTED'] = '1'\n"
    for content in (act + PERCENT, act + OTTER, act + FUNCTIONS):
        read_tests(content.encode(), "t.py")
    read_tests(notebook(cell(act), cell(act, grade=True, points=1, grade_id="a")), "t.ipynb")
    assert "EXECUTED" not in os.environ
