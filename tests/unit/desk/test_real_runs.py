"""Checks with the runner's own programs, as processes of this machine."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from atelier.sandbox.model import Job, RunResult
from kit.local_runner import run
from kit.local_sandbox import LocalSandbox
from kit.school import School
from world import paths

EXERCISE = """
  - id: {id}
    title: {{fr: Moyenne, en: Mean}}
    file: work/mean.py
    tests: work/{id}.{ending}
    values:
      - {{variable: mean, points: 2}}
      - {{output: true}}
      - {{file: work/table.csv}}
"""
DATA = b"1\n2\n6\n"
EXPECTED = b"""
values = [int(line) for line in open('../data/values.txt')]
def mean_of(numbers):
    return sum(numbers) / len(numbers)
mean = mean_of(values)
print('mean', mean)
with open('table.csv', 'w') as file:
    file.write(f'mean\\n{mean}\\n')
"""
UNUSUAL = b"""
from statistics import fmean as mean_of
with open('../data/values.txt') as lines:
    mean = mean_of(map(float, lines))
print(f'mean    {mean:.2f}')
open('table.csv', 'w').write('mean\\n3\\n')
"""
WRONG = EXPECTED.replace(b"/ len(numbers)", b"/ (len(numbers) + 1)")
PERCENT = """
import math
# %% name: mean
assert math.isclose(mean, 3)
# %% name: function | points: 2 | hidden: true
assert mean_of([10, 20]) == 15
"""
OTTER = """
OK_FORMAT = True
test = {"name": "q1", "points": [1, 2], "suites": [{"type": "doctest", "scored": True, "cases": [
    {"code": ">>> round(mean, 6) == 3\\nTrue", "hidden": False, "locked": False},
    {"code": ">>> for one in [mean_of([10, 20])]:\\n...     print(int(one))\\n15"},
]}]}
"""
FUNCTIONS = """
from otter.test_files import test_case
OK_FORMAT = False
@test_case(points=1, hidden=False)
def is_mean(mean):
    assert abs(mean - 3) < 1e-9
@test_case(points=2)
def computes(mean_of):
    assert mean_of([10, 20]) == 15
"""


def nbgrader() -> str:
    def cell(source: str, name: str, points: int) -> dict[str, object]:
        marked = {"grade": True, "solution": False, "grade_id": name, "points": points}
        return {"cell_type": "code", "source": source, "metadata": {"nbgrader": marked}}

    hidden = "### BEGIN HIDDEN TESTS\nassert mean_of([10, 20]) == 15\n### END HIDDEN TESTS"
    cells = [cell("assert abs(mean - 3) < 1e-9", "mean", 1), cell(hidden, "function", 2)]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


KINDS = {
    "percent": ("py", PERCENT),
    "doctests": ("py", OTTER),
    "functions": ("py", FUNCTIONS),
    "nbgrader": ("ipynb", nbgrader()),
}


class LocalRunner:
    """Runs jobs without protection."""

    async def run(self, job: Job) -> RunResult:
        job.check()
        return await run(LocalSandbox(), "image", job)


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    school = School(tmp_path_factory.mktemp("school"), LocalRunner())
    listed = [EXERCISE.format(id=kind, ending=ending) for kind, (ending, _) in KINDS.items()]
    declared = "version: 1\nexercises:" + "".join(listed)
    tests = {f"work/{kind}.{ending}": text.encode() for kind, (ending, text) in KINDS.items()}
    school.projects.files = {
        "rr1/template": {
            "atelier.yml": declared.encode(),
            "work/mean.py": b"mean = None\n",
            "data/values.txt": DATA,
        },
        "rr1/expected": {"work/mean.py": EXPECTED, **tests},
    }
    return school


def check(school: School, kind: str, answer: bytes) -> dict[str, Any]:
    files = {"work/mean.py": answer, "data/values.txt": b"1000\n"}
    school.projects.files["ada/rr1"] = files
    attempt = asyncio.run(school.service.check("ada", "rr1", kind))
    assert attempt.comparison is not None
    return dict(attempt.comparison)


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_answer_passes_tests_of_every_kind_and_a_wrong_one_fails(
    school: School, kind: str
) -> None:
    right = check(school, kind, UNUSUAL)
    assert (right["score"], right["run"]) == (1, None), right["details"]
    wrong = check(school, kind, WRONG)
    assert [one["passed"] for one in wrong["tests"]] == [False] * 5
    assert wrong["score"] == 0


def test_an_answer_that_stops_is_told_by_its_line(school: School) -> None:
    stopped = check(school, "percent", b"mean = 3\nundefined_name\n")
    assert stopped["score"] == 0
    assert stopped["run"]["problem"] in {"run_error", "run_missing_cell"}
    assert stopped["run"]["cell"] == 2


EXAMPLE = paths.ROOT / "files/example-course"
EXAMPLE_EXPECTED = paths.ROOT / "files/example-expected"


@pytest.mark.parametrize(
    ("code", "sentence", "score"),
    [
        ("mean = sum(values) / len(values)", "La moyenne est : / The mean is: 62.6", 1),
        ("import numbers\nmean = sum(values, 0.0)\nmean /= 4", "Elle vaut 62,63.", 1),
        ("mean = sum(values) / len(values)", "The mean is 61.", 0.6666),
        ("mean = sum(values) / (len(values) + 1)", "La moyenne est : / The mean is: 62.6", 0.3333),
        ("mean = None", "La moyenne est : / The mean is:", 0),
    ],
)
def test_the_example_is_judged_by_what_it_computes_and_says(
    tmp_path: Path, code: str, sentence: str, score: float
) -> None:
    school = School(tmp_path, LocalRunner())
    for project, folder in (("template", EXAMPLE), ("expected", EXAMPLE_EXPECTED)):
        school.projects.files[f"rr1/{project}"] = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
    answer = json.loads((EXAMPLE / "exercises/mean.ipynb").read_text())
    answer["cells"][2]["source"], answer["cells"][3]["source"] = [code], [sentence]
    file = "exercises/mean.ipynb"
    school.projects.files["ada/rr1"] = {file: json.dumps(answer).encode()}
    assert asyncio.run(school.service.check("ada", "rr1", "mean")).score == score
