"""Checks of answers that are run: what counts, what is kept, and what learners never see."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from atelier.desk.db.answers import Attempt
from atelier.desk.errors import RefusedError
from atelier.exercises.model import Rule, failed, message
from atelier.sandbox.model import RunnerError, RunResult
from kit.school import School

DECLARED = b"""
version: 1
exercises:
  - id: mean
    title: {fr: Moyenne, en: Mean}
    file: mean.py
    tests: tests/mean.py
    values:
      - {variable: mean, tolerance: {absolute: 0.05}, points: 2}
  - id: table
    title: {fr: Tableau, en: Table}
    file: table.csv
    values:
      - {file: table.csv}
"""
TESTS = (
    b"# %% name: positive\nassert mean > 0\n# %% name: exact | hidden: true\nassert mean == 62.6\n"
)
RIGHT = b"mean = 62.6\n"


@pytest.fixture
def school(tmp_path: Path) -> School:
    school = School(tmp_path)
    school.projects.files = {
        "rr1/template": {
            "atelier.yml": DECLARED,
            "mean.py": b"mean = None\n",
            "table.csv": b"a,b\n",
            "data.txt": b"62.6",
        },
        "rr1/expected": {
            "mean.py": b"values = [62.6]\nmean = sum(values) / 1\n",
            "tests/mean.py": TESTS,
            "table.csv": b"a,b\n1,2\n",
        },
    }
    return school


def check(school: School, answer: bytes, exercise: str = "mean", **others: bytes) -> Attempt:
    file = "table.csv" if exercise == "table" else "mean.py"
    school.projects.files["ada/rr1"] = {file: answer, **others}
    return asyncio.run(school.service.check("ada", "rr1", exercise))


def refused(school: School, answer: bytes = RIGHT) -> str:
    with pytest.raises(RefusedError) as caught:
        check(school, answer)
    assert school.book.standings("rr1") == [], "nothing is recorded"
    assert school.queue.of_course("rr1") == {}
    return f"{caught.value.status} {caught.value.reason}"


def test_what_the_code_computes_decides_however_it_is_written(school: School) -> None:
    right = check(school, b"import statistics\nmean = statistics.mean([62.6, 62.6])\n")
    assert right.score == 1
    wrong = check(school, b"values = [62.6]\nmean = sum(values) / 2\n")
    assert wrong.score == 0.25, "alike, and wrong"
    near = check(school, b"mean = 62.61\n")
    assert near.score == 0.75, "the value within its tolerance, the exact test not"


def test_a_notebook_that_stops_reaches_nothing_and_says_where(school: School) -> None:
    stopped = check(school, b"mean = 62.6\nundefined\n")
    assert stopped.score == 0
    assert stopped.comparison is not None
    told = {"problem": "run_error", "cell": 1, "name": ""}
    assert stopped.comparison["run"] == {
        **told,
        "error": "NameError: name 'undefined' is not defined",
    }


def test_an_unchanged_answer_is_not_run_again(school: School) -> None:
    first = check(school, RIGHT)
    assert len(school.runner.jobs) == 2, "the expected answer's values, and the answer"
    again = check(school, RIGHT)
    assert len(school.runner.jobs) == 2
    assert json.dumps(again.comparison) == json.dumps(first.comparison)
    assert school.best("ada", "mean") == (1, 1)
    school.projects.files["bob/rr1"] = {"mean.py": RIGHT}
    assert asyncio.run(school.service.check("bob", "rr1", "mean")).score == 1
    assert len(school.runner.jobs) == 2, "nor that of somebody else with the same answer"
    school.course.image = "atelier/rr1:2"
    check(school, RIGHT)
    assert len(school.runner.jobs) == 4, "another image runs all again"


def test_grading_again_after_a_test_was_mended(school: School) -> None:
    async def mend_and_grade(tests: bytes) -> None:
        school.projects.files["rr1/expected"]["tests/mean.py"] = tests
        await school.service.recheck_all("rr1", "mean")
        await school.service.retry()

    check(school, b"mean = 62.61\n")
    asyncio.run(mend_and_grade(TESTS.replace(b"== 62.6", b"< 63")))
    assert school.best("ada", "mean") == (1, 1)
    runs = len(school.runner.jobs)
    asyncio.run(mend_and_grade(TESTS.replace(b"== 62.6", b"< 63")))
    assert len(school.runner.jobs) == runs, "nothing changed: nothing runs"
    latest = school.book.latest("ada", "rr1", "mean")
    assert latest is not None
    assert latest.comparison is not None
    assert school.book.rechecks() == []


def test_grading_again_waits_for_the_runner(school: School) -> None:
    async def mend_and_grade() -> None:
        school.projects.files["rr1/expected"]["tests/mean.py"] = TESTS.replace(b"exact", b"same")
        await school.service.recheck_all("rr1", "mean")
        school.runner.trouble = ConnectionRefusedError("no runner")
        await school.service.retry()

    check(school, RIGHT)
    asyncio.run(mend_and_grade())
    assert school.book.rechecks() == [("ada", "rr1", "mean")]
    assert school.best("ada", "mean") == (1, 1)
    school.runner.trouble = None
    asyncio.run(school.service.retry())
    assert school.book.rechecks() == []


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (ConnectionRefusedError("x"), "503 exercise_runner_away"),
        (FileNotFoundError("x"), "503 exercise_runner_away"),
        (EOFError(), "503 exercise_runner_away"),
        (RunnerError("failed"), "503 exercise_runner_away"),
        (RunnerError("busy"), "503 exercise_busy"),
        (RunnerError("course"), "409 exercise_runner_refuses"),
    ],
)
def test_without_a_runner_nothing_is_recorded(
    school: School, trouble: Exception, told: str
) -> None:
    school.runner.trouble = trouble
    assert refused(school) == told
    school.runner.trouble = None
    assert check(school, RIGHT).score == 1, "and trying again works at once"


@pytest.mark.parametrize(
    "tests",
    [None, b"assert (\n", b"# %% a | points: x\nassert 1\n", b""],
)
def test_tests_that_cannot_be_read_are_the_course_teams_to_mend(
    school: School, tests: bytes | None
) -> None:
    files = school.projects.files["rr1/expected"]
    del files["tests/mean.py"]
    if tests is not None:
        files["tests/mean.py"] = tests
    assert refused(school) == "409 exercise_expected_wrong"


@pytest.mark.parametrize("expected", [b"mean = undefined\n", b"other = 1\n", b""])
def test_an_expected_answer_that_does_not_run_is_the_course_teams_to_mend(
    school: School, expected: bytes
) -> None:
    school.projects.files["rr1/expected"]["mean.py"] = expected
    assert refused(school) == "409 exercise_expected_wrong"


def test_the_sandbox_has_the_files_that_the_answer_names_those_of_the_course_first(
    school: School,
) -> None:
    answer = b"mean = float(read('data.txt')) + float(read('own.txt'))\n"
    files = {"data.txt": b"1000", "own.txt": b"0", "secret.txt": b""}
    assert check(school, answer, **files).score == 1
    job = school.runner.jobs[-1]
    assert job.files == {"mean.py": answer, "data.txt": b"62.6", "own.txt": b"0"}
    assert all("own.txt" not in one.files for one in school.runner.jobs[:-1])


def test_a_table_is_compared_without_running_anything(school: School) -> None:
    school.runner.trouble = ConnectionRefusedError("no runner")
    assert check(school, b"b,a\n2.0,1\n", "table").score == 1
    assert check(school, b"a,b\n1,3\n", "table").score == 0


def test_a_long_difference_does_not_fail_what_computes_the_right_thing(school: School) -> None:
    school.bench.outcome = failed(Rule("python"), message("check_problem_time"))
    assert check(school, RIGHT).score == 1
    school.bench.outcome = failed(Rule("python"), message("check_problem_conflict"))
    assert check(school, b"mean = 62.6 # again\n").score == 0


def test_the_tests_never_leave_the_desk_but_for_the_runner(school: School) -> None:
    school.runner.result = None
    attempt = check(school, b"mean = 1\n")
    assert b"62.6" not in b"".join(school.runner.jobs[-1].files.values())
    assert "assert mean == 62.6" in json.dumps(attempt.comparison), "for the teacher's page"


def test_a_result_that_stays_silent_is_failure(school: School) -> None:
    check(school, RIGHT)  # the expected answer has run
    school.runner.result = RunResult()
    assert check(school, b"mean = 62.60\n").score == 0
