"""A script runs, and tests look at what it computed, each in a process of its own."""

from __future__ import annotations

import pytest
from atelier.sandbox.model import Found, RunLimits, Value
from kit.local_sandbox import LocalSandbox, LocalStream, run_file, scores

SOLUTION = """
values = [71.2, 64.8, 59.5, 55.0]
mean = sum(values) / len(values)
low, high = min(values), max(values)
def squares(n):
    if n < 1:
        raise ValueError("n must be positive")
    return [i * i for i in range(1, n + 1)]
def naturals():
    n = 0
    while True:
        yield n
        n += 1
def plus_one(function, x):
    return function(x) + 1
class NegativeError(ValueError):
    pass
class Account:
    def __init__(self, balance):
        self.balance = balance
    def deposit(self, amount):
        if amount < 0:
            raise NegativeError("negative", amount)
        self.balance += amount
    def __str__(self):
        return f"{self.balance} EUR"
    def __len__(self):
        return 3
    def __getitem__(self, key):
        return key * 2
print("mean =", mean)
"""


def test_tests_read_values_and_call_what_the_answer_defines() -> None:
    tests = {
        "value": "assert abs(mean - 62.625) < 1e-9",
        "list": "assert sorted(values)[0] == low",
        "reassigned": "values = sorted(values)\nassert values[-1] == high",
        "function": "assert squares(3) == [1, 4, 9]",
        "error": "try:\n    squares(0)\nexcept ValueError as error:\n"
        "    assert str(error) == 'n must be positive'\nelse:\n    raise AssertionError('no')",
        "generator": "found = naturals()\nassert [next(found) for _ in range(3)] == [0, 1, 2]",
        "iteration": "for one in naturals():\n    if one > 20:\n        break\nassert one == 21",
        "callback": "assert plus_one(lambda x: 2 * x, 4) == 9",
        "object": "one = Account(3)\none.deposit(amount=4)\nassert one.balance == 7",
        "object's own methods": "assert (str(one), len(one), one['a']) == ('7 EUR', 3, 'aa')",
        "class": "assert isinstance(one, Account) and not isinstance(3, Account)",
        "own error": "try:\n    one.deposit(-1)\nexcept NegativeError as error:\n"
        "    assert error.args == ('negative', -1)\nelse:\n    assert False",
        "module": "assert math.isclose(mean, 62.625)",
        "magic": "%matplotlib inline\nassert True",
    }
    result = run_file(LocalSandbox(), "mean.py", SOLUTION, tests)
    assert result.problem == ""
    assert [outcome for outcome in result.tests if outcome.score != 1] == []
    assert [outcome.name for outcome in result.tests] == list(tests)


def test_a_test_that_does_not_pass_says_why_to_the_teacher() -> None:
    tests = {
        "assertion": "assert mean == 3, 'the mean'",
        "undefined": "assert median == 3",
        "error": "mean + 'a'",
        "crossing": "assert Account(1) == Account(1)",
        "syntax": "assert mean ==",
        "partly": "0.25",
        "false": "mean == 3",
        "number that is no score": "7",
        "timeout": "while True:\n    pass",
        "stuck": "sleep()",
        "after it": "assert squares(1) == [1]",
        "out of range": "assert next(iter([])) == 1",
    }
    source = SOLUTION + "import time\ndef sleep():\n    time.sleep(60)\n"
    limits = RunLimits(seconds=2)
    result = run_file(LocalSandbox(), "mean.py", source, tests, limits=limits)
    found = {outcome.name: (outcome.score, outcome.problem) for outcome in result.tests}
    assert found == {
        "assertion": (0, "assertion"), "undefined": (0, "undefined"), "error": (0, "error"),
        "crossing": (0, "crossing"), "syntax": (0, "error"), "partly": (0.25, ""),
        "false": (0, "assertion"), "number that is no score": (1, ""), "timeout": (0, "timeout"),
        "stuck": (0, "timeout"), "after it": (1, ""), "out of range": (0, "error"),
    }  # fmt: skip
    details = {outcome.name: outcome.detail for outcome in result.tests}
    assert details["assertion"] == "AssertionError: the mean (line 1: assert mean == 3, 'the mean')"
    assert "median" in details["undefined"]


def test_values_are_found() -> None:
    source = SOLUTION + "open('table.csv', 'w').write('a,b\\n1,2\\n')\n" + "big = 'x' * 10**6\n"
    values = (
        Value("variable", "mean"), Value("output"), Value("file", "table.csv"),
        Value("variable", "median"), Value("file", "other.csv"), Value("variable", "squares"),
        Value("variable", "big"), Value("file", "given.csv"),
    )  # fmt: skip
    files = {"given.csv": b"c\n3\n"}
    result = run_file(LocalSandbox(), "mean.py", source, values=values, files=files)
    assert result.values == (
        Found(True, 62.625), Found(True, "mean = 62.625\n"), Found(True, "a,b\n1,2\n"),
        Found(False, None, "undefined"), Found(False, None, "undefined"),
        Found(True, None, "crossing"), Found(True, None, "crossing"), Found(True, "c\n3\n"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "problem", "cell", "error"),
    [
        ("x = 1\n1 / 0\n", "run_error", 2, "ZeroDivisionError: division by zero"),
        ("x = 1\nif x\n", "run_error", 2, "SyntaxError"),
        ("y = x + 1\nx = 1\n", "run_order", 1, "NameError: name 'x' is not defined"),
        ("def f():\n    return x\nf()\nx = 1\n", "run_order", 2, "NameError"),
        ("y = x + 1\n", "run_missing_cell", 1, "NameError"),
        ("while True:\n    pass\n", "run_timeout", None, ""),
        ("while True:\n    print('x' * 1000)\n", "run_output", None, ""),
        ("import os\nos._exit(0)\n", "run_died", None, ""),
        ("import sys\nsys.exit('wrong')\n", "run_error", 2, "SystemExit: wrong"),
        ("raise MemoryError\n", "run_memory", 1, "MemoryError"),
        ("raise BlockingIOError(11, 'Resource temporarily unavailable')", "run_processes", 1, ""),
        (b"\xff\xfe\x00", "run_unreadable", None, ""),
    ],
)  # fmt: skip
def test_a_file_that_does_not_run_through_fails_its_tests_and_says_why(
    source: str | bytes, problem: str, cell: int | None, error: str
) -> None:
    limits = RunLimits(seconds=2)
    result = run_file(LocalSandbox(), "a.py", source, {"any": "assert True"}, limits=limits)
    assert (result.problem, result.cell) == (problem, cell)
    assert result.error.startswith(error)
    assert scores(result) == {"any": 0}


@pytest.mark.parametrize(
    ("given", "source", "problem"),
    [
        (None, "values = [1]\nsum(value)", "run_error"),
        (None, "values = [1]\nsum(numbers)", "run_missing_cell"),
        (b"numbers = [1]", "sum(numbers)", "run_missing_cell"),
        (b"values = [1]", "sum(numbers)", "run_error"),
        (b"\xff", "sum(numbers)", "run_missing_cell"),
    ],
)
def test_a_deleted_cell_is_told_from_a_name_that_was_never_there(
    given: bytes | None, source: str, problem: str
) -> None:
    assert run_file(LocalSandbox(), "a.py", source, given=given).problem == problem


def test_a_script_may_say_that_it_has_ended_well() -> None:
    source = "import sys\nmean = 3\nif __name__ == '__main__':\n    sys.exit(0)\n"
    assert scores(run_file(LocalSandbox(), "a.py", source, {"a": "assert mean == 3"})) == {"a": 1}


def test_a_run_is_repeatable() -> None:
    source = "import random\ndrawn = random.random()\nnames = list({'a', 'b', 'c', 'd', 'e'})\n"
    values = (Value("variable", "drawn"), Value("variable", "names"))
    first, second = (run_file(LocalSandbox(), "a.py", source, values=values) for _ in range(2))
    assert first.values == second.values
    assert first.values[0].present


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.Rmd", "# T\n\n```{python first}\nx = 3\n```\n\n```{python, eval=FALSE}\nx = 4\n```\n"),
        ("a.qmd", "```{python}\n#| label: a\nx = 3\n```\n"
                  "~~~{python}\n#| eval: false\nx = 4\n~~~\n"),
        ("a.org", "* T\n#+BEGIN_SRC python :session\n  x = 3\n#+END_SRC\n\n"
                  "#+begin_src python :eval no\nx = 4\n#+end_src\n"
                  "#+begin_src sh\nx=5\n#+end_src\n"),
    ],
)  # fmt: skip
def test_the_code_of_a_document_runs(name: str, content: str) -> None:
    content += content.replace("x = 3", "y = x + 1").replace("first", "second")
    result = run_file(LocalSandbox(), name, content, {"a": "assert (x, y) == (3, 4)"})
    assert (result.problem, scores(result)) == ("", {"a": 1})


def test_the_time_of_tests_begins_when_the_answer_has_run() -> None:
    """A test may take 4 seconds of a busy machine here, and the answer takes more."""
    source, limits = "import time\ntime.sleep(4.5)\nx = 3\n", RunLimits(seconds=6)
    tests = {"a": "assert x == 3", "b": "assert x == 3"}
    assert scores(run_file(Slow(), "a.py", source, tests, limits=limits)) == {"a": 1, "b": 1}


class Slow(LocalSandbox):
    """Gives tests much less time than the answer."""

    async def start(
        self, image: str, command: tuple[str, ...], stdin: bytes, limits: RunLimits
    ) -> LocalStream:
        changed = stdin.replace(b'"seconds": 3.0, "tests"', b'"seconds": 1.0, "tests"')
        return await super().start(image, command, changed, limits)


def test_tests_read_the_course_s_data_and_not_the_learner_s_file() -> None:
    tests = {"data": "assert open('data/v.csv').read() == '1'", "file": "open('a.py')"}
    result = run_file(LocalSandbox(), "a.py", "x = 1", tests, files={"data/v.csv": b"1"})
    assert scores(result) == {"data": 1, "file": 0}


def test_a_name_of_python_s_own_is_the_answer_s_only_where_it_is_listed() -> None:
    source, tests = "def sum(values):\n    return 3\n", {"sum": "assert sum([1, 1]) == 3"}
    assert scores(run_file(LocalSandbox(), "a.py", source, tests)) == {"sum": 0}
    assert scores(run_file(LocalSandbox(), "a.py", source, tests, names=("sum",))) == {"sum": 1}


def test_both_sandboxes_are_stopped() -> None:
    sandbox = LocalSandbox()
    run_file(sandbox, "a.py", "import os\nos.fork()\n", {"a": "assert True"})
    assert [stream.stopped for stream in sandbox.streams] == [True, True]
